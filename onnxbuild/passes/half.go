package passes

import (
	"context"
	"fmt"
	"math"
	"slices"

	"ysc2onnx/onnxbuild"
)

// Precision says what of a graph is float16.
type Precision int

// The precisions. A graph is narrowed after all other passes, so that what they fold is rounded once.
const (
	Float32     Precision = iota // nothing
	HalfWeights                  // the kernels, as they are stored: see [HalveWeights]
	Half                         // whatever can be: see [Halve]
)

// Narrow gives a graph a precision.
func Narrow(g *onnxbuild.Graph, p Precision) error {
	switch p {
	case HalfWeights:
		return HalveWeights(g)
	case Half:
		return Halve(g)
	}
	return nil
}

// kernels are the operators that have nearly all weights of a model.
var kernels = []string{"Conv", "ConvTranspose", "Gemm", "MatMul"}

func isKernel(n *onnxbuild.Node) bool { return slices.Contains(kernels, n.Op.Name) }

// isWeight reports whether input i of a kernel is its constant matrix: not a bias, which has one dimension.
func isWeight(n *onnxbuild.Node, i int) bool {
	v := n.Inputs[i]
	return isKernel(n) && v != nil && v.Const != nil && v.DType == onnxbuild.Float32 && len(v.Shape) >= 2
}

// HalveWeights stores the constant matrices of Conv, ConvTranspose, Gemm and MatMul as float16, each under its name, and
// casts them to float32 where they are used, once. All arithmetic, biases and other constants stay float32, and so do the
// input and the outputs. A runtime that computes ahead what only constants feed loses no time.
//
// A weight that has taken in a batch norm is stored as it was before that, and multiplied by the norm's factors in float32:
// YOLOv5 saves trained weights as float16, which so stay as they are, and a product of theirs would not.
//
// Values change by the rounding of the weights to 11 bits, if they are not of so many already.
func HalveWeights(g *onnxbuild.Graph) error {
	h := newHalving()
	err := g.Rewrite(func(_ *onnxbuild.Rewriter, b onnxbuild.Builder, n *onnxbuild.Node) (bool, error) {
		h.storeWeights(b, n)
		return true, nil
	})
	h.nameApart(g)
	return err
}

// halving remembers what it made of values, so that each is converted once.
type halving struct {
	stored   map[*onnxbuild.Value]*onnxbuild.Value // constants as float16
	narrowed map[*onnxbuild.Value]*onnxbuild.Value // float16 of float32
	widened  map[*onnxbuild.Value]*onnxbuild.Value // float32 of float16
}

func newHalving() *halving {
	return &halving{map[*onnxbuild.Value]*onnxbuild.Value{}, map[*onnxbuild.Value]*onnxbuild.Value{}, map[*onnxbuild.Value]*onnxbuild.Value{}}
}

// storeWeights makes a kernel that computes in float32 read float16.
func (h *halving) storeWeights(b onnxbuild.Builder, n *onnxbuild.Node) {
	for i := range n.Inputs {
		if !isWeight(n, i) {
			continue
		}
		v := n.Inputs[i]
		folded, ok := v.Const.Floats.(*foldedWeight)
		if !ok {
			n.Inputs[i] = h.wide(b, h.constant(v))
			continue
		}
		if h.widened[v] == nil {
			before := *v
			before.Const = &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: v.Const.Shape, Floats: folded.weight}
			shape := make([]int64, len(v.Const.Shape)) // [channels, 1, 1, 1]
			for axis := range shape {
				shape[axis] = 1
			}
			shape[0] = v.Const.Shape[0]
			factors := &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: shape, Floats: &factors{folded.norm}}
			h.widened[v] = b.Mul(h.wide(b, h.constant(&before)), b.Constant("factors", factors))
		}
		n.Inputs[i] = h.widened[v]
	}
}

// factors are those of a batch norm, one for each channel.
type factors struct{ norm *batchNorm }

// ReadFloats implements [onnxbuild.FloatSource].
func (f *factors) ReadFloats(dst []float32, off int64) error {
	if err := f.norm.load(); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = float32(f.norm.factors[off+int64(i)])
	}
	return nil
}

// constant is a constant as float16, under the same name.
func (h *halving) constant(v *onnxbuild.Value) *onnxbuild.Value {
	if h.stored[v] == nil {
		half := *v
		half.DType = onnxbuild.Float16
		half.Const = &onnxbuild.Tensor{DType: onnxbuild.Float16, Shape: v.Const.Shape, Floats: v.Const.Floats}
		h.stored[v] = &half
	}
	return h.stored[v]
}

// nameApart gives constants that are read as float32, too, a name of their own as float16.
func (h *halving) nameApart(g *onnxbuild.Graph) {
	for _, v := range g.Initializers() {
		if half := h.stored[v]; half != nil {
			half.Name = (&onnxbuild.Rewriter{Graph: g}).Initializer(v.Name+"_half", half.Const).Name
		}
	}
}

// wide is a float16 value as float32.
func (h *halving) wide(b onnxbuild.Builder, v *onnxbuild.Value) *onnxbuild.Value {
	if h.widened[v] == nil {
		h.widened[v] = b.Cast(v, onnxbuild.Float32)
	}
	return h.widened[v]
}

// narrow is a float32 value as float16.
func (h *halving) narrow(b onnxbuild.Builder, v *onnxbuild.Value) *onnxbuild.Value {
	if h.narrowed[v] == nil {
		h.narrowed[v] = b.Cast(v, onnxbuild.Float16)
	}
	return h.narrowed[v]
}

// Loss counts what float16 cannot hold of an initializer.
type Loss struct {
	Name     string `json:"name"`
	Elements int64  `json:"elements"`
	Overflow int64  `json:"overflow"` // finite numbers that become infinite: 65520 and more
	Zero     int64  `json:"zero"`     // others that become 0: 2⁻²⁵ and less
	Coarse   int64  `json:"coarse"`   // others under 2⁻¹⁴, which keep fewer than 11 bits
}

// The numbers between which float16 is as exact as it can be.
const (
	toInfinity = 65520 // the nearest float16 is infinite
	toZero     = 0x1p-25
	leastHalf  = 0x1p-14 // the smallest that has 11 bits
)

// Losses reads the float16 initializers of a graph and lists those that lose more than rounding, in the graph's order. exact
// is true where nothing is even rounded: what comes from a checkpoint of float16.
func Losses(ctx context.Context, g *onnxbuild.Graph) (list []Loss, exact bool, err error) {
	exact = true
	block := make([]float32, 1<<16)
	for _, v := range g.Initializers() {
		if v.DType != onnxbuild.Float16 {
			continue
		}
		loss := Loss{Name: v.Name, Elements: v.Const.Len()}
		for off := int64(0); off < loss.Elements; off += int64(len(block)) {
			if err := ctx.Err(); err != nil {
				return nil, false, err
			}
			part := block[:min(int64(len(block)), loss.Elements-off)]
			if err := v.Const.Floats.ReadFloats(part, off); err != nil {
				return nil, false, fmt.Errorf("%s: %w", v.Name, err)
			}
			loss.count(part)
			exact = exact && !slices.ContainsFunc(part, func(x float32) bool { return onnxbuild.Float16.Round(x) != x && x == x })
		}
		if loss.Overflow+loss.Zero+loss.Coarse > 0 {
			list = append(list, loss)
		}
	}
	return list, exact, nil
}

func (l *Loss) count(elements []float32) {
	for _, x := range elements {
		switch a := math.Abs(float64(x)); {
		case a == 0 || math.IsInf(a, 0):
		case a >= toInfinity:
			l.Overflow++
		case a <= toZero:
			l.Zero++
		case a < leastHalf:
			l.Coarse++
		}
	}
}
