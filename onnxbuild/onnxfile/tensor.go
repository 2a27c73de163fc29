package onnxfile

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/onnxbuild"
)

// Tensor is an initializer or a tensor in an attribute. Its elements are in the file.
type Tensor struct {
	Name  string
	DType onnxbuild.DType
	Dims  []int64

	// Location is the data file that holds the elements; "" if the model does. Offset and Length say where, Length -1 to the
	// end. Of elements in the model, they are bytes of the model's file.
	Location       string
	Offset, Length int64

	src       *source
	external  bool
	hasLength bool   // external_data says the length
	typed     string // the field that holds the elements, if it is not raw_data
}

// Elements gives the elements' bytes, little endian in C order. They are read when they are asked for, from the
// [io.ReaderAt] that the model was opened from, or from data if the tensor has a Location.
func (t *Tensor) Elements(data io.ReaderAt) (*io.SectionReader, error) {
	switch {
	case t.typed != "":
		return nil, fmt.Errorf("tensor %q: its elements are in the field %s; only raw_data is read", t.Name, t.typed)
	case t.src == nil:
		return nil, fmt.Errorf("tensor %q: it was not read from a file", t.Name)
	case t.external && data == nil:
		return nil, fmt.Errorf("tensor %q: its elements are in the file %q", t.Name, t.Location)
	case t.external && t.Length < 0:
		return io.NewSectionReader(data, t.Offset, math.MaxInt64-t.Offset), nil
	case t.external:
		return io.NewSectionReader(data, t.Offset, t.Length), nil
	}
	return io.NewSectionReader(t.src.r, t.Offset, t.Length), nil
}

func (t *Tensor) field(f field) error {
	t.src = f.src
	switch f.num {
	case tensorDims:
		return f.ints(&t.Dims)
	case tensorDataType:
		return dtype(f, &t.DType)
	case tensorName:
		return f.text(&t.Name)
	case tensorRawData:
		t.Offset, t.Length = f.off, f.size
		return f.want(protowire.BytesType)
	case tensorFloatData:
		t.typed = "float_data"
	case tensorInt32Data:
		t.typed = "int32_data"
	case tensorStringData:
		t.typed = "string_data"
	case tensorInt64Data:
		t.typed = "int64_data"
	case tensorDoubleData:
		t.typed = "double_data"
	case tensorUint64Data:
		t.typed = "uint64_data"
	case tensorExternalData:
		return in("external_data", t.externalEntry(f))
	case tensorDataLocation:
		var n int64
		if err := f.int(&n); err != nil {
			return err
		}
		t.external = n == locationExternal
	}
	return nil
}

// externalEntry reads one of the entries that say where elements are.
func (t *Tensor) externalEntry(f field) error {
	var p onnxbuild.Property
	if err := f.sub(func(f field) error { return propertyField(&p, f) }); err != nil {
		return err
	}
	to := &t.Offset
	switch p.Key {
	case "location":
		t.Location = p.Value
		return nil
	case "length":
		to, t.hasLength = &t.Length, true
	case "offset":
	default:
		return nil
	}
	n, err := strconv.ParseInt(p.Value, 10, 64)
	if err != nil || n < 0 {
		return malformed(f.at, "the %s %q is not a number of bytes", p.Key, p.Value)
	}
	*to = n
	return nil
}

// finish completes a tensor whose fields are read: it compares the number of bytes with what the shape takes.
func (t *Tensor) finish() error {
	size, n := t.DType.Size(), int64(1)
	for _, d := range t.Dims {
		if d < 0 {
			return fmt.Errorf("tensor %q: the shape %v has a negative size", t.Name, t.Dims)
		}
		if d > 0 && n > math.MaxInt64/8/d {
			return fmt.Errorf("tensor %q: the shape %v has more elements than can be counted", t.Name, t.Dims)
		}
		n *= d
	}
	if t.external && !t.hasLength {
		t.Length = -1
	}
	switch {
	case t.external && t.Location == "":
		return fmt.Errorf("tensor %q: its elements are in another file, but external_data does not say in which", t.Name)
	case t.external && t.Length > math.MaxInt64-t.Offset:
		return fmt.Errorf("tensor %q: %d bytes from byte %d on are more than a file can have", t.Name, t.Length, t.Offset)
	case size == 0 || t.typed != "" || t.Length < 0:
		return nil // of a type or in a form that is not read
	case n*size != t.Length:
		return fmt.Errorf("tensor %q: %s of shape %v takes %d bytes, but there are %d", t.Name, t.DType, t.Dims, n*size, t.Length)
	}
	return nil
}
