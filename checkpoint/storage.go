package checkpoint

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"sync"
)

// Storage is a run of bytes that tensors are views of. Several tensors may share one.
type Storage struct {
	Key      string // the record's name under data/, a safetensors name, or "" for an array inside the pickle
	Location string // the device that it was saved from, as "cpu" or "cuda:0"
	Size     int64  // bytes

	data      io.ReaderAt
	bigEndian bool
	dtype     DType // of the storage class, for tensors that do not say their own
}

// read fills b from the byte at, and leaves elements of that size little-endian.
func (s *Storage) read(b []byte, at, size int64) error {
	if err := readFull(s.data, b, at); err != nil {
		return err
	}
	if s.bigEndian {
		swapBytes(b, size)
	}
	return nil
}

// inflated is the content of a compressed record, which is unpacked when it is first read and kept from then on, since
// a deflate stream cannot be entered in its middle.
type inflated struct {
	section *io.SectionReader
	name    string
	size    int64
	once    sync.Once
	content *bytes.Reader
	err     error
}

// ReadAt implements [io.ReaderAt].
func (z *inflated) ReadAt(p []byte, off int64) (int, error) {
	z.once.Do(func() {
		b := make([]byte, z.size)
		if z.err = inflate(z.section, b, z.name); z.err == nil {
			z.content = bytes.NewReader(b)
		}
	})
	if z.err != nil {
		return 0, z.err
	}
	return z.content.ReadAt(p, off)
}

// inflate unpacks a compressed record into b, which it must fill exactly.
func inflate(section *io.SectionReader, b []byte, name string) error {
	z := flate.NewReader(io.NewSectionReader(section, 0, section.Size()))
	if n, err := io.ReadFull(z, b); err != nil {
		return fmt.Errorf("record %q is damaged: it unpacks to %d of %d bytes: %w", name, n, len(b), err)
	}
	if n, _ := z.Read(make([]byte, 1)); n != 0 {
		return fmt.Errorf("record %q is damaged: it unpacks to more than the %d bytes that the directory says", name, len(b))
	}
	return z.Close()
}

// inflateBudget counts the bytes of compressed records toward a limit.
type inflateBudget struct {
	used, limit int64
}

func (b *inflateBudget) spend(rec Record) error {
	if rec.Size > b.limit-b.used {
		return overLimit(fmt.Sprintf("record %q is compressed, and with it the compressed records unpack to too many bytes", rec.Name), b.limit)
	}
	b.used += rec.Size
	return nil
}
