package verify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/verify/engine"
)

// wire walks protobuf messages inside a file without loading them: what nobody
// asks for, such as the bytes of a weight, is stepped over unread.
type wire struct {
	r    io.ReaderAt
	buf  []byte // a window of the file
	from int64  // where the window begins
	text int64  // how many more bytes of names and other text may be kept
}

const (
	wireWindow = 64 << 10
	maxText    = 256 << 20 // all names and texts of one file together
	maxRank    = 64        // dimensions of one tensor
)

// span is a range of bytes in the file, to excluded.
type span struct{ from, to int64 }

// field is one field of a message: value for numbers, body for everything with a length.
type field struct {
	num   protowire.Number
	typ   protowire.Type
	value uint64
	body  span
}

// malformed is an error in the bytes themselves, as opposed to one in reading them.
type malformed struct {
	at   int64
	what string
}

func (m *malformed) Error() string { return fmt.Sprintf("not an ONNX file: byte %d: %s", m.at, m.what) }

func newWire(r io.ReaderAt) *wire { return &wire{r: r, text: maxText} }

// peek gives up to n bytes at an offset, fewer only where end comes first. The
// slice is valid until the next call.
func (w *wire) peek(at, n, end int64) ([]byte, error) {
	n = min(n, end-at)
	if at < w.from || at+n > w.from+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, 0, wireWindow)
		}
		got, err := w.r.ReadAt(w.buf[:cap(w.buf)], at)
		w.buf, w.from = w.buf[:got], at
		if int64(got) < n {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("cannot read %d bytes at byte %d: %w", n, at, err)
		}
	}
	return w.buf[at-w.from : at-w.from+n], nil
}

// varint reads one at an offset and says where the next field begins.
func (w *wire) varint(at, end int64) (v uint64, next int64, err error) {
	b, err := w.peek(at, 10, end)
	if err != nil {
		return 0, 0, err
	}
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, 0, &malformed{at, "a number is cut off or too long"}
	}
	return v, at + int64(n), nil
}

// fields calls visit for every field of the message in s, in order.
func (w *wire) fields(s span, visit func(field) error) error {
	for at := s.from; at < s.to; {
		tag, next, err := w.varint(at, s.to)
		if err != nil {
			return err
		}
		num, typ := protowire.DecodeTag(tag)
		if num < protowire.MinValidNumber {
			return &malformed{at, "a field has no valid number"}
		}
		f := field{num: num, typ: typ}
		switch typ {
		case protowire.VarintType:
			f.value, next, err = w.varint(next, s.to)
			if err != nil {
				return err
			}
		case protowire.Fixed32Type:
			f.body = span{next, next + 4}
			next += 4
		case protowire.Fixed64Type:
			f.body = span{next, next + 8}
			next += 8
		case protowire.BytesType:
			length, body, err := w.varint(next, s.to)
			if err != nil {
				return err
			}
			if length > uint64(s.to-body) {
				return &malformed{at, fmt.Sprintf("field %d says it is %d bytes long, but %d are left", num, length, s.to-body)}
			}
			f.body = span{body, body + int64(length)}
			next = f.body.to
		default:
			return &malformed{at, fmt.Sprintf("field %d has wire type %d, which ONNX does not use", num, typ)}
		}
		if next > s.to {
			return &malformed{at, fmt.Sprintf("field %d is cut off", num)}
		}
		if err := visit(f); err != nil {
			return err
		}
		at = next
	}
	return nil
}

// want refuses a field of another wire type than ONNX gives it.
func (f field) want(typ protowire.Type) error {
	if f.typ != typ {
		return &malformed{f.body.from, fmt.Sprintf("field %d has wire type %d, want %d", f.num, f.typ, typ)}
	}
	return nil
}

// message walks the fields of a sub-message.
func (w *wire) message(f field, visit func(field) error) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	return w.fields(f.body, visit)
}

// number reads an integer field.
func (f field) number() (int64, error) { return int64(f.value), f.want(protowire.VarintType) }

// float reads a field of a float32.
func (w *wire) float(f field) (float64, error) {
	if err := f.want(protowire.Fixed32Type); err != nil {
		return 0, err
	}
	b, err := w.peek(f.body.from, 4, f.body.to)
	if err != nil {
		return 0, err
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
}

// string reads a text field.
func (w *wire) string(f field) (string, error) {
	if err := f.want(protowire.BytesType); err != nil {
		return "", err
	}
	n := f.body.to - f.body.from
	if w.text -= n; w.text < 0 {
		return "", &malformed{f.body.from, fmt.Sprintf("more than %d MiB of names and texts", maxText>>20)}
	}
	b := make([]byte, n)
	for done := int64(0); done < n; {
		part, err := w.peek(f.body.from+done, min(n-done, wireWindow), f.body.to)
		if err != nil {
			return "", err
		}
		done += int64(copy(b[done:], part))
	}
	if !utf8.Valid(b) {
		return "", &malformed{f.body.from, "a text is not UTF-8"}
	}
	return string(b), nil
}

// eachVarint calls visit for each number of a repeated field, packed or not.
func (w *wire) eachVarint(f field, visit func(int64) error) error {
	if f.typ == protowire.VarintType {
		return visit(int64(f.value))
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	for at := f.body.from; at < f.body.to; {
		v, next, err := w.varint(at, f.body.to)
		if err != nil {
			return err
		}
		if err := visit(int64(v)); err != nil {
			return err
		}
		at = next
	}
	return nil
}

// keyValue reads a StringStringEntryProto.
func (w *wire) keyValue(f field) (key, value string, err error) {
	err = w.message(f, func(f field) (err error) {
		switch f.num {
		case 1:
			key, err = w.string(f)
		case 2:
			value, err = w.string(f)
		}
		return err
	})
	return key, value, err
}

// valueInfo reads a ValueInfoProto. typed is true if it says both the element
// type and the shape of a tensor.
func (w *wire) valueInfo(f field) (v engine.IO, typed bool, err error) {
	shaped := false
	tensor := func(f field) error {
		switch f.num {
		case 1:
			n, err := f.number()
			v.DType = engine.DType(n)
			return err
		case 2:
			shaped = true
			return w.message(f, func(f field) error {
				if f.num != 1 {
					return nil
				}
				return w.dimension(f, &v)
			})
		}
		return nil
	}
	err = w.message(f, func(f field) (err error) {
		switch f.num {
		case 1:
			v.Name, err = w.string(f)
		case 2:
			err = w.message(f, func(f field) error {
				switch f.num {
				case 1:
					return w.message(f, tensor)
				case 4, 5, 7, 8, 9: // sequence, map, opaque, sparse tensor, optional
					v.Other = true
				}
				return nil
			})
		}
		return err
	})
	v.Shapeless = !shaped && v.DType != engine.Undefined
	for _, name := range v.DimNames {
		if name != "" {
			return v, shaped && v.DType != engine.Undefined, err
		}
	}
	v.DimNames = nil
	return v, shaped && v.DType != engine.Undefined, err
}

// dimension appends one TensorShapeProto.Dimension to v.
func (w *wire) dimension(f field, v *engine.IO) error {
	if len(v.Dims) == maxRank {
		return &malformed{f.body.from, fmt.Sprintf("a shape has more than %d dimensions", maxRank)}
	}
	size, name := int64(-1), ""
	err := w.message(f, func(f field) (err error) {
		switch f.num {
		case 1:
			size, err = f.number()
		case 2:
			name, err = w.string(f)
		}
		return err
	})
	v.Dims, v.DimNames = append(v.Dims, size), append(v.DimNames, name)
	return err
}
