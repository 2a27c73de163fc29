package passes

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"ysc2onnx/onnxbuild"
)

// FoldBatchNorm makes a BatchNormalization that stands behind a Conv part of it. With s = scale / √(variance + ε), per
// output channel:
//
//	weight' = weight · s
//	bias'   = bias + (b - mean) · s    where b is the Conv's own bias, or 0
//
// computed in float64 and rounded once. Nothing is read here: the new tensors are recipes over the old ones. The weight
// keeps its name (a weight that several Convs share is given out under names of their own), and the bias is named
// beside it. The Conv's result must have no other reader and no promised name; the name that the normalisation's result
// has passes to it.
//
// Values change by their rounding only.
func FoldBatchNorm(g *onnxbuild.Graph) error {
	return walk(g, func(s *sweep, _ onnxbuild.Builder, n *onnxbuild.Node) bool {
		conv := foldableConv(s, n)
		if conv == nil {
			return true
		}
		norm := &batchNorm{
			node: n.Name, epsilon: float64(n.Float("epsilon", 1e-5)),
			scale: n.Inputs[1].Const, bias: n.Inputs[2].Const, mean: n.Inputs[3].Const, variance: n.Inputs[4].Const,
		}
		weight := conv.Inputs[1]
		name, perChannel := weight.Name, weight.Const.Len()/norm.scale.Len()
		s.recast(conv, 1, &foldedWeight{weight.Const.Floats, perChannel, norm})
		if len(conv.Inputs) > 2 {
			s.recast(conv, 2, &foldedBias{conv.Inputs[2].Const.Floats, norm})
		} else {
			bias := &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: norm.bias.Shape, Floats: &foldedBias{zeros{}, norm}}
			v := s.Initializer(strings.TrimSuffix(name, "weight")+"bias", bias)
			conv.Inputs = append(conv.Inputs, v)
			s.uses[v]++
		}
		return !s.replace(n.Outputs[0], conv.Outputs[0])
	})
}

// foldableConv is the Conv that n, a BatchNormalization, can become part of, else nil.
func foldableConv(s *sweep, n *onnxbuild.Node) *onnxbuild.Node {
	if n.Op.Name != "BatchNormalization" {
		return nil
	}
	conv := producer(n.Inputs[0], "Conv")
	if conv == nil || !s.single(conv.Outputs[0]) {
		return nil
	}
	for _, v := range slices.Concat(conv.Inputs[1:], n.Inputs[1:]) {
		if v == nil || v.Const == nil || v.DType != onnxbuild.Float32 {
			return nil
		}
	}
	return conv
}

// recast gives a node's constant input other elements; where other nodes read it too, under a name of its own.
func (s *sweep) recast(n *onnxbuild.Node, i int, elements onnxbuild.FloatSource) {
	v := n.Inputs[i]
	t := &onnxbuild.Tensor{DType: v.DType, Shape: v.Const.Shape, Floats: elements}
	if s.single(v) {
		v.Const = t
	} else {
		s.reread(n, i, s.Initializer(v.Name, t))
	}
}

// batchNorm holds the parameters of a BatchNormalization, which are read when the first element is asked for.
type batchNorm struct {
	node                        string
	epsilon                     float64
	scale, bias, mean, variance *onnxbuild.Tensor

	once    sync.Once
	factors []float64 // scale / √(variance + ε) of each channel
	shifts  []float32 // bias
	means   []float32
	err     error
}

// load reads the parameters, once.
func (b *batchNorm) load() error {
	b.once.Do(func() {
		if b.factors, b.shifts, b.means, b.err = b.read(); b.err != nil {
			b.err = fmt.Errorf("%s: %w", b.node, b.err)
		}
	})
	return b.err
}

func (b *batchNorm) read() (factors []float64, shifts, means []float32, err error) {
	scales, err := b.scale.ReadAll()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("scale: %w", err)
	}
	variances, err := b.variance.ReadAll()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("variance: %w", err)
	}
	if means, err = b.mean.ReadAll(); err != nil {
		return nil, nil, nil, fmt.Errorf("mean: %w", err)
	}
	if shifts, err = b.bias.ReadAll(); err != nil {
		return nil, nil, nil, fmt.Errorf("bias: %w", err)
	}
	factors = make([]float64, len(scales))
	for i, variance := range variances {
		square := float64(variance) + b.epsilon
		if !(square > 0) {
			return nil, nil, nil, fmt.Errorf("channel %d has the variance %g: its sum with epsilon must be positive", i, variance)
		}
		factors[i] = float64(scales[i]) / math.Sqrt(square)
	}
	return factors, shifts, means, nil
}

// foldedWeight is a Conv's weight times the factor of each output channel.
type foldedWeight struct {
	weight     onnxbuild.FloatSource
	perChannel int64 // elements of an output channel
	norm       *batchNorm
}

// ReadFloats implements [onnxbuild.FloatSource].
func (f *foldedWeight) ReadFloats(dst []float32, off int64) error {
	if err := f.norm.load(); err != nil {
		return err
	}
	if err := f.weight.ReadFloats(dst, off); err != nil {
		return err
	}
	for len(dst) > 0 {
		channel := off / f.perChannel
		run := min(int64(len(dst)), (channel+1)*f.perChannel-off)
		factor := f.norm.factors[channel]
		for i, w := range dst[:run] {
			dst[i] = float32(float64(w) * factor)
		}
		dst, off = dst[run:], off+run
	}
	return nil
}

// foldedBias is the bias of a Conv that has taken in a BatchNormalization.
type foldedBias struct {
	bias onnxbuild.FloatSource // the Conv's own
	norm *batchNorm
}

// ReadFloats implements [onnxbuild.FloatSource].
func (f *foldedBias) ReadFloats(dst []float32, off int64) error {
	if err := f.norm.load(); err != nil {
		return err
	}
	if err := f.bias.ReadFloats(dst, off); err != nil {
		return err
	}
	for i, b := range dst {
		c := off + int64(i)
		scaled := float64((float64(b) - float64(f.norm.means[c])) * f.norm.factors[c])
		dst[i] = float32(float64(f.norm.shifts[c]) + scaled)
	}
	return nil
}

// zeros is the bias of a Conv that has none.
type zeros struct{}

// ReadFloats implements [onnxbuild.FloatSource].
func (zeros) ReadFloats(dst []float32, _ int64) error {
	clear(dst)
	return nil
}
