// Package weights makes a model's initial weights from a seed, with the distributions that PyTorch's layers start from.
//
// A tensor's elements are computed when they are read and never held: element i of a tensor depends only on the seed, the
// tensor's name and i. So a tensor can be read in blocks of any size, in any order and from many goroutines at once, and
// adding a layer to a model changes no other layer's weights. The same seed gives the same bits on every platform: the
// arithmetic uses only operations that IEEE 754 rounds exactly, and converts explicitly wherever a compiler could
// otherwise fuse a multiplication with an addition.
//
// The numbers have PyTorch's distributions, not PyTorch's sequence: torch.manual_seed with the same seed gives other weights.
package weights

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// Source yields the elements of one tensor, in row-major order. Sources are immutable and safe for concurrent use.
type Source interface {
	// ReadFloats fills dst with the elements off to off+len(dst)-1. A negative off, or an end past the largest int64, is an
	// error; the tensor's own length is the caller's to keep, since every element that can be addressed has a value.
	ReadFloats(dst []float32, off int64) error
}

// Seed is the number that all of a model's weights follow from.
type Seed uint64

// stream returns the random words of the named tensor.
func (s Seed) stream(name string) stream {
	digest := sha256.Sum256([]byte(name))
	return stream{key: uint64(s), tensor: binary.LittleEndian.Uint64(digest[:])}
}

// Constant is a tensor whose elements all are v.
func Constant(v float32) Source { return constant(v) }

type constant float32

func (c constant) ReadFloats(dst []float32, off int64) error {
	if err := checkRange(off, len(dst)); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = float32(c)
	}
	return nil
}

// Offset is src with add(i) added to its element i. The sum is taken in float64 and rounded once. It is meant for small
// tensors, such as Detect's biases: add is called once for each element that is read, and must depend on i alone.
func Offset(src Source, add func(i int64) float64) Source { return offset{src, add} }

type offset struct {
	src Source
	add func(i int64) float64
}

func (o offset) ReadFloats(dst []float32, off int64) error {
	if err := o.src.ReadFloats(dst, off); err != nil {
		return err
	}
	for i, v := range dst {
		dst[i] = float32(float64(v) + float64(o.add(off+int64(i))))
	}
	return nil
}

// FanIn is the number of inputs that feed one output of a layer with this weight shape: the product of all dimensions but
// the first, [out, in/groups, kh, kw] for a convolution and [out, in] for a linear layer. A shape of rank under 2 has no
// fan-in in PyTorch, and 0 here.
func FanIn(shape []int64) int64 {
	if len(shape) < 2 {
		return 0
	}
	n := int64(1)
	for _, d := range shape[1:] {
		n *= d
	}
	return n
}

// Bound is the bound of the uniform distribution that PyTorch draws the weight of a convolution or linear layer from, and
// its bias too. reset_parameters calls kaiming_uniform_(weight, a=sqrt(5)): the gain is sqrt(2/(1+5)), the standard
// deviation gain/sqrt(fanIn), the bound sqrt(3) times that, which is 1/sqrt(fanIn). The bias is drawn from
// U(-1/sqrt(fanIn), 1/sqrt(fanIn)) with its weight's fan-in. For fanIn under 1 the bound is 0, so that all elements are 0.
func Bound(fanIn int64) float64 {
	if fanIn < 1 {
		return 0
	}
	return 1 / math.Sqrt(float64(fanIn))
}

// checkRange refuses a range of elements that int64 cannot address.
func checkRange(off int64, n int) error {
	if off < 0 || off > math.MaxInt64-int64(n) {
		return fmt.Errorf("weights: cannot read %d elements at offset %d: offsets go from 0 to %d", n, off, int64(math.MaxInt64))
	}
	return nil
}

// failed is a tensor that cannot be made; every read gives its error.
type failed struct{ err error }

func (f failed) ReadFloats([]float32, int64) error { return f.err }

// finite tells whether a parameter of a distribution is a number that float32 can hold.
func finite(v float64) bool { return math.Abs(v) <= math.MaxFloat32 }
