package onnxfile

import (
	"errors"
	"fmt"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/internal/units"
)

const (
	windowSize = 16 << 10
	// maxText is the longest text or list that is read at once. Models keep labels and the like in one text.
	maxText = 64 << 20
	// maxHeld bounds the memory that the description of a model takes, tensors' elements aside.
	maxHeld = 256 << 20
	// itemCost is about what a text or an attribute in a list takes in memory beyond its bytes.
	itemCost = 64
)

// source reads a file through a window, for a walk that goes forward in small steps and in leaps.
type source struct {
	r      io.ReaderAt
	size   int64
	window []byte
	start  int64 // of the window, in the file
	held   int64 // memory that the result takes so far
}

// hold accounts for n bytes of memory.
func (s *source) hold(n int64) error {
	if s.held += n; s.held > maxHeld {
		return fmt.Errorf("the model's description takes more than %s of memory", units.Bytes(maxHeld))
	}
	return nil
}

// peek gives up to n bytes at off, fewer at the end of the file; they are valid until the next call.
func (s *source) peek(off int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-off))
	if off < s.start || off+int64(n) > s.start+int64(len(s.window)) {
		s.window = s.window[:cap(s.window)]
		if s.window == nil {
			s.window = make([]byte, windowSize)
		}
		s.window = s.window[:min(windowSize, s.size-off)]
		s.start = off
		if got, err := s.r.ReadAt(s.window, off); got < len(s.window) {
			s.window = s.window[:0]
			return nil, readError(err)
		}
	}
	at := off - s.start
	return s.window[at : at+int64(n)], nil
}

// readError is err, said plainly where the file is shorter than it was.
func readError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// cursor walks over the fields of a message.
type cursor struct {
	src      *source
	off, end int64
}

// field is one field of a message. Bytes, texts and messages are not read yet.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	value uint64 // of a varint or a fixed number
	at    int64  // where the field begins
	src   *source
	off   int64 // where bytes begin
	size  int64 // and how many they are
}

// malformed says what is wrong at a place in the file.
func malformed(at int64, format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", at, fmt.Sprintf(format, args...))
}

// next reads the next field's tag and value. ok is false at the end of the message.
func (c *cursor) next() (f field, ok bool, err error) {
	if c.off >= c.end {
		return field{}, false, nil
	}
	f.at, f.src = c.off, c.src
	b, err := c.src.peek(c.off, 2*10)
	if err != nil {
		return field{}, false, err
	}
	b = b[:min(int64(len(b)), c.end-c.off)]
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		return field{}, false, malformed(f.at, "this is not a protobuf field")
	}
	f.num, f.typ = num, typ
	b, c.off = b[n:], c.off+int64(n)
	switch typ {
	case protowire.VarintType:
		f.value, n = protowire.ConsumeVarint(b)
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		f.value = uint64(v)
	case protowire.Fixed64Type:
		f.value, n = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		var length uint64
		if length, n = protowire.ConsumeVarint(b); n >= 0 {
			f.off = c.off + int64(n)
			if length > uint64(c.end-f.off) {
				return field{}, false, malformed(f.at, "field %d says that it has %d bytes, but only %d follow", num, length, c.end-f.off)
			}
			f.size = int64(length)
			c.off = f.off + f.size
			return f, true, nil
		}
	default:
		return field{}, false, malformed(f.at, "field %d has wire type %d, which ONNX does not use", num, typ)
	}
	if n < 0 {
		return field{}, false, malformed(f.at, "field %d is cut off", num)
	}
	c.off += int64(n)
	return f, true, nil
}

// each visits the fields of a message.
func (c cursor) each(visit func(field) error) error {
	for {
		f, ok, err := c.next()
		if err != nil || !ok {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
	}
}

func (f field) want(typ protowire.Type) error {
	if f.typ != typ {
		return malformed(f.at, "field %d has wire type %d, not %d", f.num, f.typ, typ)
	}
	return nil
}

// int reads a number.
func (f field) int(to *int64) error {
	*to = int64(f.value)
	return f.want(protowire.VarintType)
}

// float reads a floating point number.
func (f field) float(to *float32) error {
	*to = math.Float32frombits(uint32(f.value))
	return f.want(protowire.Fixed32Type)
}

// sub visits the fields of a message within a message.
func (f field) sub(visit func(field) error) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	return cursor{f.src, f.off, f.off + f.size}.each(visit)
}

// text reads a text.
func (f field) text(to *string) error {
	b, err := f.bytes(1)
	*to = string(b)
	return err
}

// texts appends a text.
func (f field) texts(to *[]string) error {
	var s string
	if err := f.text(&s); err != nil {
		return err
	}
	*to = append(*to, s)
	return f.src.hold(itemCost)
}

// bytes reads the bytes of a field, each of which will take cost bytes of memory. They are valid until the next read.
func (f field) bytes(cost int64) ([]byte, error) {
	if err := f.want(protowire.BytesType); err != nil {
		return nil, err
	}
	if f.size > maxText {
		return nil, malformed(f.at, "field %d has %s; at most %s are read", f.num, units.Bytes(f.size), units.Bytes(maxText))
	}
	if err := f.src.hold(f.size * cost); err != nil {
		return nil, err
	}
	if f.size <= windowSize {
		return f.src.peek(f.off, int(f.size))
	}
	b := make([]byte, f.size)
	if n, err := f.src.r.ReadAt(b, f.off); n < len(b) {
		return nil, readError(err)
	}
	return b, nil
}

// ints appends a number, or a packed list of them.
func (f field) ints(to *[]int64) error {
	if f.typ == protowire.VarintType {
		*to = append(*to, int64(f.value))
		return f.src.hold(8)
	}
	b, err := f.bytes(8)
	if err != nil {
		return err
	}
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return malformed(f.at, "a number in field %d is cut off", f.num)
		}
		*to, b = append(*to, int64(v)), b[n:]
	}
	return nil
}

// floats appends a number, or a packed list of them.
func (f field) floats(to *[]float32) error {
	if f.typ == protowire.Fixed32Type {
		*to = append(*to, math.Float32frombits(uint32(f.value)))
		return f.src.hold(4)
	}
	b, err := f.bytes(1)
	if err != nil {
		return err
	}
	for len(b) > 0 {
		v, n := protowire.ConsumeFixed32(b)
		if n < 0 {
			return malformed(f.at, "a number in field %d is cut off", f.num)
		}
		*to, b = append(*to, math.Float32frombits(v)), b[n:]
	}
	return nil
}
