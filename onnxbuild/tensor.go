package onnxbuild

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"
)

// FloatSource yields the elements of a tensor, in C order. Implementations are read in blocks, from several
// goroutines at once and in any order, so that a large tensor is never held.
type FloatSource interface {
	// ReadFloats fills dst with the elements off, off+1, … off+len(dst)-1.
	ReadFloats(dst []float32, off int64) error
}

// Tensor is the recipe of an initializer: its bytes are made when they are written.
type Tensor struct {
	DType  DType
	Shape  []int64
	Floats FloatSource // the elements of a Float32, Float16 or BFloat16 tensor, rounded to its type when they are written
	Ints   []int64     // the elements of a tensor of integers or truth values (0 or 1)
}

// Literal is a FloatSource held in memory.
type Literal []float32

// ReadFloats implements [FloatSource].
func (l Literal) ReadFloats(dst []float32, off int64) error {
	if off < 0 || off+int64(len(dst)) > int64(len(l)) {
		return fmt.Errorf("elements %d to %d were requested from a literal of %d", off, off+int64(len(dst)), len(l))
	}
	copy(dst, l[off:])
	return nil
}

// FloatTensor is a Float32 tensor with the given elements, in C order.
func FloatTensor(shape []int64, elements []float32) *Tensor {
	return &Tensor{DType: Float32, Shape: shape, Floats: Literal(elements)}
}

// IntTensor is an Int64 tensor with the given elements, in C order.
func IntTensor(shape, elements []int64) *Tensor {
	return &Tensor{DType: Int64, Shape: shape, Ints: elements}
}

// Len is the number of elements.
func (t *Tensor) Len() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Bytes is the size of the tensor's raw_data.
func (t *Tensor) Bytes() int64 { return t.Len() * t.DType.Size() }

// maxHeld is the largest tensor that ReadAll holds in memory at once, in elements.
const maxHeld = 1 << 24

// ReadAll returns all elements of a tensor of floating point numbers, rounded to its type. It is meant for small ones
// (scales, biases, gates) and refuses to hold more than 2^24 elements.
func (t *Tensor) ReadAll() ([]float32, error) {
	if t.Floats == nil {
		return nil, fmt.Errorf("a %s tensor has no float elements", t.DType)
	}
	if t.Len() > maxHeld {
		return nil, fmt.Errorf("a tensor of %d elements is too large to hold", t.Len())
	}
	out := make([]float32, t.Len())
	return out, t.ReadFloats(out, 0)
}

// ReadFloats fills dst with the elements off, off+1, … of a tensor of floating point numbers, rounded to its type.
func (t *Tensor) ReadFloats(dst []float32, off int64) error {
	if err := t.Floats.ReadFloats(dst, off); err != nil || t.DType == Float32 {
		return err
	}
	for i, x := range dst {
		dst[i] = t.DType.Round(x)
	}
	return nil
}

// Encode writes the raw_data (little endian) of the elements off, off+1, … into dst, as many as fit. scratch is
// memory to work in: one float32 for each element of a float tensor.
func (t *Tensor) Encode(dst []byte, off int64, scratch []float32) error {
	size := t.DType.Size()
	switch {
	case size == 0:
		return fmt.Errorf("%s tensors cannot be written", t.DType)
	case t.DType.IsFloat():
		floats := scratch[:int64(len(dst))/size]
		if err := t.Floats.ReadFloats(floats, off); err != nil {
			return err
		}
		encodeFloats(dst[:size*int64(len(floats))], t.DType, floats)
		return nil
	}
	for i := range int64(len(dst)) / size {
		n := t.Ints[off+i]
		if !t.DType.Holds(n) {
			return fmt.Errorf("element %d is %d, which does not fit %s", off+i, n, t.DType)
		}
		switch size {
		case 1:
			dst[i] = byte(n)
		case 4:
			binary.LittleEndian.PutUint32(dst[i*4:], uint32(n))
		case 8:
			binary.LittleEndian.PutUint64(dst[i*8:], uint64(n))
		}
	}
	return nil
}

// encodeFloats writes numbers as those of a type; dst has room for exactly these.
func encodeFloats(dst []byte, to DType, floats []float32) {
	switch to {
	case Float32:
		for i, f := range floats {
			binary.LittleEndian.PutUint32(dst[4*i:4*i+4], math.Float32bits(f))
		}
	case Float16:
		for i, f := range floats {
			binary.LittleEndian.PutUint16(dst[2*i:2*i+2], float16.Fromfloat32(f).Bits())
		}
	case BFloat16:
		for i, f := range floats {
			binary.LittleEndian.PutUint16(dst[2*i:2*i+2], bfloat16(f))
		}
	}
}
