package checkpoint

import (
	"fmt"
	"math/bits"
	"sync"
)

// Tensor is a handle on a tensor in the file. Its elements are read in C order, whatever its strides. Reading is safe
// from several goroutines at once if the file's ReaderAt is.
type Tensor struct {
	Name          string // the name in the state_dict, or "" for a tensor elsewhere in the file
	DType         DType
	Shape         []int64
	Strides       []int64 // elements
	StorageOffset int64   // elements
	Storage       *Storage
	RequiresGrad  bool
}

const (
	// maxDims is PyTorch's own limit.
	maxDims = 64
	// maxRepeated is how many elements a tensor may have when its storage has fewer (an expanded view).
	maxRepeated = 1 << 20
	// blockBytes is how much is read at once.
	blockBytes = 64 << 10
	// sparseness is how many bytes are read for each byte that is needed, at most, before a view's elements are read
	// one by one.
	sparseness = 16
)

// Numel is the number of elements.
func (t *Tensor) Numel() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// label names the tensor in errors.
func (t *Tensor) label() string {
	switch {
	case t.Name != "":
		return "tensor " + t.Name
	case t.Storage != nil && t.Storage.Key != "":
		return "the tensor in storage " + t.Storage.Key
	}
	return "it"
}

// check compares shape, strides and offset with the storage, without overflow.
func (t *Tensor) check() error {
	if len(t.Shape) > maxDims {
		return fmt.Errorf("%s has %d dimensions, and %d is the most that PyTorch makes", t.label(), len(t.Shape), maxDims)
	}
	if len(t.Strides) != len(t.Shape) {
		return fmt.Errorf("%s has %d dimensions and %d strides", t.label(), len(t.Shape), len(t.Strides))
	}
	if t.StorageOffset < 0 {
		return fmt.Errorf("%s begins at element %d of its storage", t.label(), t.StorageOffset)
	}
	have := uint64(t.Storage.Size / t.DType.Size())
	numel, last, empty, overflow := uint64(1), uint64(t.StorageOffset), false, uint64(0)
	for i, d := range t.Shape {
		if d < 0 || t.Strides[i] < 0 {
			return fmt.Errorf("%s has a negative size or stride: shape %v, strides %v", t.label(), t.Shape, t.Strides)
		}
		if d == 0 {
			empty = true
			continue
		}
		high, low := bits.Mul64(numel, uint64(d))
		overflow, numel = overflow|high|low>>62, low
		high, low = bits.Mul64(uint64(d-1), uint64(t.Strides[i]))
		overflow |= high | low>>62
		low, carry := bits.Add64(last, low, 0)
		overflow, last = overflow|carry|low>>62, low
	}
	switch {
	case empty && overflow == 0:
		return nil
	case overflow != 0 || last >= have:
		return fmt.Errorf("%s does not fit its storage of %d elements: shape %v, strides %v, offset %d", t.label(), have, t.Shape, t.Strides, t.StorageOffset)
	case numel > have && numel > maxRepeated:
		return fmt.Errorf("%s repeats the %d elements of its storage %d times over; the file is refused", t.label(), have, numel/have)
	}
	return nil
}

// contiguousStrides are the strides of a shape in C order.
func contiguousStrides(shape []int64) []int64 {
	strides := make([]int64, len(shape))
	step := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= max(shape[i], 1)
	}
	return strides
}

// isContiguous says whether the elements lie in the storage in C order, without gaps.
func (t *Tensor) isContiguous() bool {
	step := int64(1)
	for i := len(t.Shape) - 1; i >= 0; i-- {
		if t.Shape[i] != 1 && t.Strides[i] != step {
			return false
		}
		step *= t.Shape[i]
	}
	return true
}

// ReadFloats fills dst with the elements off, off+1, … off+len(dst)-1 in C order, as float32: float64 and integers are
// rounded to the nearest, float16 and bfloat16 are exact.
func (t *Tensor) ReadFloats(dst []float32, off int64) error {
	return readElements(t, dst, off, 1, t.DType.decodeFloats)
}

// ReadInts fills dst with the elements off, off+1, … of an integer or bool tensor, in C order.
func (t *Tensor) ReadInts(dst []int64, off int64) error {
	if t.DType.IsFloat() {
		return fmt.Errorf("%s is %s; integers were requested", t.label(), t.DType)
	}
	return readElements(t, dst, off, 1, t.DType.decodeInts)
}

// ReadRaw fills dst with the bytes of the elements off, off+1, … in C order, little-endian, of the tensor's own type.
func (t *Tensor) ReadRaw(dst []byte, off int64) error {
	return readElements(t, dst, off, t.DType.Size(), func(dst, src []byte) { copy(dst, src) })
}

// Floats is all elements, in C order. It is for small tensors: anchors, strides.
func (t *Tensor) Floats() ([]float32, error) {
	dst := make([]float32, t.Numel())
	return dst, t.ReadFloats(dst, 0)
}

// decoder converts as many elements of src as fill dst.
type decoder[T any] func(dst []T, src []byte)

var blocks = sync.Pool{New: func() any { return new([blockBytes]byte) }}

// readElements fills dst with elements that take unit places of it each.
func readElements[T any](t *Tensor, dst []T, off, unit int64, decode decoder[T]) error {
	if n, asked := t.Numel(), int64(len(dst))/unit; off < 0 || off > n || asked > n-off {
		return fmt.Errorf("elements %d to %d of %s were requested, which has %d", off, off+asked, t.label(), n)
	}
	block, _ := blocks.Get().(*[blockBytes]byte)
	defer blocks.Put(block)
	rd := reading[T]{t: t, unit: unit, decode: decode, block: block}
	var err error
	if t.isContiguous() {
		err = rd.run(dst, t.StorageOffset+off)
	} else {
		err = rd.gather(dst, off)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", t.label(), err)
	}
	return nil
}

// reading is one call of readElements.
type reading[T any] struct {
	t      *Tensor
	unit   int64
	decode decoder[T]
	block  *[blockBytes]byte
}

// run reads elements that lie one after the other in the storage, from the index at.
func (r *reading[T]) run(dst []T, at int64) error {
	size := r.t.DType.Size()
	for len(dst) > 0 {
		n := min(int64(len(dst))/r.unit, blockBytes/size)
		src := r.block[:n*size]
		if err := r.t.Storage.read(src, at*size, size); err != nil {
			return err
		}
		r.decode(dst[:n*r.unit], src)
		dst, at = dst[n*r.unit:], at+n
	}
	return nil
}

// gather reads elements of a strided view. It reads the stretch of the storage in which they lie if that fits a block
// and is not too sparse; otherwise it halves the task.
func (r *reading[T]) gather(dst []T, off int64) error {
	n := int64(len(dst)) / r.unit
	if n == 0 {
		return nil
	}
	size := r.t.DType.Size()
	first, last := r.t.stretch(off, n)
	span := (last - first + 1) * size
	if n > 1 && (span > blockBytes || span > n*size*sparseness) {
		if err := r.gather(dst[:n/2*r.unit], off); err != nil {
			return err
		}
		return r.gather(dst[n/2*r.unit:], off+n/2)
	}
	src := r.block[:span]
	if err := r.t.Storage.read(src, first*size, size); err != nil {
		return err
	}
	w := r.t.walk(off)
	for i := range n {
		r.decode(dst[i*r.unit:(i+1)*r.unit], src[(w.at-first)*size:])
		w.next()
	}
	return nil
}

// stretch bounds the storage indices of the elements off to off+n-1: the dimensions before the first in which the two
// ends differ are fixed, those after it take all their values.
func (t *Tensor) stretch(off, n int64) (first, last int64) {
	var low, high [maxDims]int64
	a, b := off, off+n-1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		low[i], high[i] = a%t.Shape[i], b%t.Shape[i]
		a, b = a/t.Shape[i], b/t.Shape[i]
	}
	first, last = t.StorageOffset, t.StorageOffset
	differ := false
	for i, d := range t.Shape {
		if differ {
			low[i], high[i] = 0, d-1
		}
		differ = differ || low[i] != high[i]
		first += low[i] * t.Strides[i]
		last += high[i] * t.Strides[i]
	}
	return first, last
}

// walker steps through the storage indices of a view in C order.
type walker struct {
	t     *Tensor
	index [maxDims]int64
	at    int64
}

func (t *Tensor) walk(off int64) *walker {
	w := &walker{t: t, at: t.StorageOffset}
	for i := len(t.Shape) - 1; i >= 0; i-- {
		w.index[i] = off % t.Shape[i]
		off /= t.Shape[i]
		w.at += w.index[i] * t.Strides[i]
	}
	return w
}

func (w *walker) next() {
	for i := len(w.t.Shape) - 1; i >= 0; i-- {
		w.index[i]++
		w.at += w.t.Strides[i]
		if w.index[i] < w.t.Shape[i] {
			return
		}
		w.at -= w.index[i] * w.t.Strides[i]
		w.index[i] = 0
	}
}
