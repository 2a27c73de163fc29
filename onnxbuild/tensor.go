package onnxbuild

import (
	"encoding/binary"
	"fmt"
	"math"
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
	Floats FloatSource // the elements of a Float32 or Float16 tensor
	Ints   []int64     // the elements of an Int64 or Bool (0 or 1) tensor
}

// Literal is a FloatSource held in memory.
type Literal []float32

// ReadFloats implements [FloatSource].
func (l Literal) ReadFloats(dst []float32, off int64) error {
	if off < 0 || off+int64(len(dst)) > int64(len(l)) {
		return fmt.Errorf("elements %d to %d were asked of a literal of %d", off, off+int64(len(dst)), len(l))
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

// ReadAll returns all elements of a Float32 tensor. It is meant for small ones (scales, biases, gates) and refuses
// to hold more than 2^24 elements.
func (t *Tensor) ReadAll() ([]float32, error) {
	if t.Floats == nil {
		return nil, fmt.Errorf("a %s tensor has no float elements", t.DType)
	}
	if t.Len() > maxHeld {
		return nil, fmt.Errorf("a tensor of %d elements is too large to hold", t.Len())
	}
	out := make([]float32, t.Len())
	return out, t.Floats.ReadFloats(out, 0)
}

// Encode writes the raw_data (little endian) of the elements off, off+1, … into dst, as many as fit. scratch is
// memory to work in: one float32 for each element of a float tensor.
func (t *Tensor) Encode(dst []byte, off int64, scratch []float32) error {
	n := int64(len(dst)) / t.DType.Size()
	switch t.DType {
	case Int64:
		for i := range n {
			binary.LittleEndian.PutUint64(dst[i*8:], uint64(t.Ints[off+i]))
		}
	case Bool:
		for i := range n {
			dst[i] = byte(t.Ints[off+i])
		}
	case Float32:
		floats := scratch[:n]
		if err := t.Floats.ReadFloats(floats, off); err != nil {
			return err
		}
		dst := dst[:4*len(floats)]
		for i, f := range floats {
			binary.LittleEndian.PutUint32(dst[4*i:4*i+4], math.Float32bits(f))
		}
	default:
		return fmt.Errorf("%s tensors cannot be written yet", t.DType)
	}
	return nil
}
