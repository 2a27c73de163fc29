package checkpoint

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// archive is the directory of a zip. The format is PKWARE's APPNOTE.TXT, sections 4.3 to 4.5.
type archive struct {
	r       io.ReaderAt
	size    int64
	limits  Limits
	records []Record
	byName  map[string]int
}

// Record is a file inside a zip.
type Record struct {
	Name string // the full path inside the archive
	Size int64  // bytes, uncompressed

	stored     int64 // bytes in the file
	checksum   uint32
	compressed bool
	header     int64 // offset of the local header
}

const (
	endSignature       = 0x06054b50
	end64Locator       = 0x07064b50
	end64Signature     = 0x06064b50
	directorySignature = 0x02014b50
	localSignature     = 0x04034b50

	endSize       = 22
	locatorSize   = 20
	end64Size     = 56
	directorySize = 46
	localSize     = 30
)

var le = binary.LittleEndian

// openArchive reads the directory of a zip.
func openArchive(r io.ReaderAt, size int64, limits Limits) (*archive, error) {
	a := &archive{r: r, size: size, limits: limits}
	offset, length, count, err := a.findDirectory()
	if err != nil {
		return nil, err
	}
	if count > uint64(limits.Records) {
		return nil, overLimit(fmt.Sprintf("the zip has %d records", count), limits.Records)
	}
	// The sizes are unsigned and up to 64 bits wide, so that they are compared before they are added.
	if offset > uint64(size) || length > uint64(size)-offset {
		return nil, fmt.Errorf("%w: its zip directory should lie at byte %d and have %d bytes, but the file has %d; copy or download it again",
			ErrTruncated, offset, length, size)
	}
	if most := uint64(limits.Records) * 1024; length > most {
		return nil, overLimit("bytes of the zip directory", int64(most))
	}
	directory := make([]byte, length)
	if err := readFull(r, directory, int64(offset)); err != nil {
		return nil, err
	}
	if err := a.parse(directory, int(count)); err != nil {
		return nil, err
	}
	return a, nil
}

// findDirectory locates the central directory by the record at the end of the file, which a comment may follow.
func (a *archive) findDirectory() (offset, length, count uint64, err error) {
	tail := make([]byte, min(a.size, endSize+0xffff))
	start := a.size - int64(len(tail))
	if err := readFull(a.r, tail, start); err != nil {
		return 0, 0, 0, err
	}
	at := -1
	for i := len(tail) - endSize; i >= 0; i-- {
		if le.Uint32(tail[i:]) == endSignature && i+endSize+int(le.Uint16(tail[i+20:])) == len(tail) {
			at = i
			break
		}
	}
	if at < 0 {
		return 0, 0, 0, fmt.Errorf("%w: it begins as a zip, but the directory at the end of a zip is missing from its %d bytes; copy or download it again",
			ErrTruncated, a.size)
	}
	end := tail[at:]
	if le.Uint16(end[4:]) != 0 && le.Uint16(end[4:]) != 0xffff {
		return 0, 0, 0, fmt.Errorf("the zip is one part of several; put them together first")
	}
	count, length, offset = uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	if count != 0xffff && length != 0xffffffff && offset != 0xffffffff {
		return offset, length, count, nil
	}
	locator := start + int64(at) - locatorSize
	if locator < 0 {
		return offset, length, count, nil
	}
	var b [end64Size]byte
	if err := readFull(a.r, b[:locatorSize], locator); err != nil {
		return 0, 0, 0, err
	}
	if le.Uint32(b[:]) != end64Locator {
		return offset, length, count, nil
	}
	end64 := le.Uint64(b[8:])
	if end64 > uint64(locator) || uint64(locator)-end64 < end64Size {
		return 0, 0, 0, fmt.Errorf("the zip is damaged: its 64-bit end record should lie at byte %d, behind its own locator", end64)
	}
	if err := readFull(a.r, b[:], int64(end64)); err != nil {
		return 0, 0, 0, err
	}
	if le.Uint32(b[:]) != end64Signature {
		return 0, 0, 0, fmt.Errorf("the zip is damaged: there is no 64-bit end record at byte %d", end64)
	}
	return le.Uint64(b[48:]), le.Uint64(b[40:]), le.Uint64(b[32:]), nil
}

// parse reads the entries of the directory.
func (a *archive) parse(b []byte, count int) error {
	a.byName = make(map[string]int, count)
	for i := range count {
		if len(b) < directorySize || le.Uint32(b) != directorySignature {
			return fmt.Errorf("the zip is damaged: entry %d of %d is missing from its directory", i+1, count)
		}
		nameLen, extraLen, commentLen := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
		if len(b) < directorySize+nameLen+extraLen+commentLen {
			return fmt.Errorf("the zip is damaged: entry %d of %d is cut off", i+1, count)
		}
		name := string(b[directorySize : directorySize+nameLen])
		if err := checkRecordName(name); err != nil {
			return err
		}
		record, err := a.entry(name, b[:directorySize], b[directorySize+nameLen:directorySize+nameLen+extraLen])
		if err != nil {
			return fmt.Errorf("record %q: %w", name, err)
		}
		b = b[directorySize+nameLen+extraLen+commentLen:]
		if strings.HasSuffix(name, "/") { // a folder, as other zip programs list them
			continue
		}
		if _, twice := a.byName[name]; twice {
			return fmt.Errorf("record %q is in the zip twice, and nothing tells which one is meant; the file is refused", name)
		}
		a.byName[name] = len(a.records)
		a.records = append(a.records, record)
	}
	return nil
}

// checkRecordName refuses names that lead out of the archive's own folders.
func checkRecordName(name string) error {
	bad := name == "" || strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00") || strings.Contains(name, ":/")
	for part := range strings.SplitSeq(name, "/") {
		bad = bad || part == ".."
	}
	if bad {
		return fmt.Errorf("record %q of the zip has a name that leads out of the archive; the file is refused", name)
	}
	return nil
}

// entry checks one directory entry; extra is its extra field, which has the 64-bit sizes.
func (a *archive) entry(name string, b, extra []byte) (Record, error) {
	flags, method := le.Uint16(b[8:]), le.Uint16(b[10:])
	stored, size, header := uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[42:]))
	wide := zip64Extra(extra)
	for _, field := range []*uint64{&size, &stored, &header} { // in the order of the extra field
		if *field == 0xffffffff && len(wide) >= 8 {
			*field, wide = le.Uint64(wide), wide[8:]
		}
	}
	switch {
	case flags&1 != 0:
		return Record{}, fmt.Errorf("it is encrypted")
	case method != 0 && method != 8:
		return Record{}, fmt.Errorf("it is compressed by method %d; PyTorch stores records without compression, and only deflate (8) is read besides", method)
	case method == 0 && stored != size:
		return Record{}, fmt.Errorf("it is stored without compression, but has %d bytes in the file and %d unpacked", stored, size)
	case header > uint64(a.size) || stored > uint64(a.size)-header:
		return Record{}, fmt.Errorf("%w: it should lie at byte %d and have %d bytes, but the file has %d", ErrTruncated, header, stored, a.size)
	case method == 8 && size/1032 > stored+1: // deflate cannot do better than 1032 to 1
		return Record{}, fmt.Errorf("%d compressed bytes cannot unpack to %d", stored, size)
	}
	return Record{Name: name, Size: int64(size), stored: int64(stored), checksum: le.Uint32(b[16:]), compressed: method == 8, header: int64(header)}, nil
}

// zip64Extra is the content of the extra field 1, the 64-bit sizes.
func zip64Extra(extra []byte) []byte {
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			return nil
		}
		if id == 1 {
			return extra[4 : 4+n]
		}
		extra = extra[4+n:]
	}
	return nil
}

// find is the record with that full path, if it is there.
func (a *archive) find(name string) (Record, bool) {
	i, ok := a.byName[name]
	if !ok {
		return Record{}, false
	}
	return a.records[i], true
}

// open is the record's content in the file, still compressed if the record is.
func (a *archive) open(rec Record) (*io.SectionReader, error) {
	var b [localSize]byte
	if err := readFull(a.r, b[:], rec.header); err != nil {
		return nil, fmt.Errorf("record %q: %w", rec.Name, err)
	}
	if le.Uint32(b[:]) != localSignature {
		return nil, fmt.Errorf("the zip is damaged: record %q does not begin at byte %d", rec.Name, rec.header)
	}
	start := rec.header + localSize + int64(le.Uint16(b[26:])) + int64(le.Uint16(b[28:]))
	if start > a.size || rec.stored > a.size-start {
		return nil, fmt.Errorf("%w: record %q should end at byte %d, but the file has %d", ErrTruncated, rec.Name, start+rec.stored, a.size)
	}
	return io.NewSectionReader(a.r, start, rec.stored), nil
}

// read is the whole content of a record, of at most limit bytes.
func (a *archive) read(rec Record, limit int64) ([]byte, error) {
	if rec.Size > limit {
		return nil, overLimit(fmt.Sprintf("record %q has %d bytes", rec.Name, rec.Size), limit)
	}
	section, err := a.open(rec)
	if err != nil {
		return nil, err
	}
	b := make([]byte, rec.Size)
	if !rec.compressed {
		return b, readFull(section, b, 0)
	}
	return b, inflate(section, b, rec.Name)
}

// readFull fills b from offset. An end of the file there is a truncation.
func readFull(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return fmt.Errorf("%w: %d bytes at byte %d were expected, and %d are there", ErrTruncated, len(b), offset, n)
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}
