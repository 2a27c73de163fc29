// Package protofile walks the protobuf messages of a file, as the readers of ONNX files do.
package protofile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// File walks protobuf messages inside a file without loading them: what nobody asks for, such as the bytes of a weight, is
// stepped over unread.
type File struct {
	r    io.ReaderAt
	buf  []byte // a window of the file
	from int64  // where the window begins
	text int64  // how many more bytes of names and other text may be kept
}

// Window is how many bytes [File.Peek] gives at most.
const Window = 64 << 10

// maxText bounds all names and texts of one file together.
const maxText = 256 << 20

// Span is a range of bytes in the file, To excluded.
type Span struct{ From, To int64 }

// Field is one field of a message: Value of a varint, Body of everything else.
type Field struct {
	Num   protowire.Number
	Type  protowire.Type
	Value uint64
	Body  Span
}

// Error is one in the bytes themselves, as opposed to one in reading them.
type Error struct {
	at   int64
	what string
}

// Error says at which byte the file is wrong.
func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.at, e.what) }

// Malformed is an [Error] at a byte of the file.
func Malformed(at int64, format string, args ...any) error {
	return &Error{at, fmt.Sprintf(format, args...)}
}

// New walks the messages in r.
func New(r io.ReaderAt) *File { return &File{r: r, text: maxText} }

// Peek gives up to n bytes, at most [Window], at an offset, fewer only where end comes first. The
// slice is valid until the next call.
func (w *File) Peek(at, n, end int64) ([]byte, error) {
	n = min(n, end-at)
	if at < w.from || at+n > w.from+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, 0, Window)
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
func (w *File) varint(at, end int64) (v uint64, next int64, err error) {
	b, err := w.Peek(at, 10, end)
	if err != nil {
		return 0, 0, err
	}
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, 0, Malformed(at, "a number is cut off or too long")
	}
	return v, at + int64(n), nil
}

// Fields calls visit for every field of the message in s, in order.
func (w *File) Fields(s Span, visit func(Field) error) error {
	for at := s.From; at < s.To; {
		tag, next, err := w.varint(at, s.To)
		if err != nil {
			return err
		}
		num, typ := protowire.DecodeTag(tag)
		if num < protowire.MinValidNumber {
			return Malformed(at, "a field has no valid number")
		}
		f := Field{Num: num, Type: typ}
		switch typ {
		case protowire.VarintType:
			f.Value, next, err = w.varint(next, s.To)
			if err != nil {
				return err
			}
		case protowire.Fixed32Type:
			f.Body = Span{From: next, To: next + 4}
			next += 4
		case protowire.Fixed64Type:
			f.Body = Span{From: next, To: next + 8}
			next += 8
		case protowire.BytesType:
			length, body, err := w.varint(next, s.To)
			if err != nil {
				return err
			}
			if length > uint64(s.To-body) {
				return Malformed(at, "field %d says it is %d bytes long, but %d are left", num, length, s.To-body)
			}
			f.Body = Span{From: body, To: body + int64(length)}
			next = f.Body.To
		default:
			return Malformed(at, "field %d has wire type %d, which ONNX does not use", num, typ)
		}
		if next > s.To {
			return Malformed(at, "field %d is cut off", num)
		}
		if err := visit(f); err != nil {
			return err
		}
		at = next
	}
	return nil
}

// Want refuses a field of another wire type than ONNX gives it.
func (f Field) Want(typ protowire.Type) error {
	if f.Type != typ {
		return Malformed(f.Body.From, "field %d has wire type %d, want %d", f.Num, f.Type, typ)
	}
	return nil
}

// Message walks the fields of a sub-message.
func (w *File) Message(f Field, visit func(Field) error) error {
	if err := f.Want(protowire.BytesType); err != nil {
		return err
	}
	return w.Fields(f.Body, visit)
}

// Number reads an integer field.
func (f Field) Number() (int64, error) { return int64(f.Value), f.Want(protowire.VarintType) }

// Float reads a field of a float32.
func (w *File) Float(f Field) (float64, error) {
	if err := f.Want(protowire.Fixed32Type); err != nil {
		return 0, err
	}
	b, err := w.Peek(f.Body.From, 4, f.Body.To)
	if err != nil {
		return 0, err
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
}

// String reads a text field.
func (w *File) String(f Field) (string, error) {
	if err := f.Want(protowire.BytesType); err != nil {
		return "", err
	}
	n := f.Body.To - f.Body.From
	if w.text -= n; w.text < 0 {
		return "", Malformed(f.Body.From, "more than %d MiB of names and texts", maxText>>20)
	}
	b := make([]byte, n)
	for done := int64(0); done < n; {
		part, err := w.Peek(f.Body.From+done, min(n-done, Window), f.Body.To)
		if err != nil {
			return "", err
		}
		done += int64(copy(b[done:], part))
	}
	if !utf8.Valid(b) {
		return "", Malformed(f.Body.From, "a text is not UTF-8")
	}
	return string(b), nil
}

// EachVarint calls visit for each number of a repeated field, packed or not.
func (w *File) EachVarint(f Field, visit func(int64) error) error {
	if f.Type == protowire.VarintType {
		return visit(int64(f.Value))
	}
	if err := f.Want(protowire.BytesType); err != nil {
		return err
	}
	for at := f.Body.From; at < f.Body.To; {
		v, next, err := w.varint(at, f.Body.To)
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

// KeyValue reads a StringStringEntryProto.
func (w *File) KeyValue(f Field) (key, value string, err error) {
	err = w.Message(f, func(f Field) (err error) {
		switch f.Num {
		case 1:
			key, err = w.String(f)
		case 2:
			value, err = w.String(f)
		}
		return err
	})
	return key, value, err
}
