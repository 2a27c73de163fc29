package onnxbuild

import (
	"fmt"
	"slices"
)

var (
	opBatchNorm    = register(Op{Name: "BatchNormalization", infer: inferBatchNorm})
	opInstanceNorm = register(Op{Name: "InstanceNormalization", infer: inferInstanceNorm})
	opLayerNorm    = register(Op{Name: "LayerNormalization", infer: inferLayerNorm, form: since(17, layerNormParts)})
	opSoftmax      = register(Op{Name: "Softmax", infer: inferSoftmax, form: formSoftmax, eval: evalSoftmax})
)

// BatchNormalization is (x - mean) / √(variance + eps) · scale + bias, per channel of x [N, C, …].
func (b Builder) BatchNormalization(x, scale, bias, mean, variance *Value, eps float32) *Value {
	return b.add1(opBatchNorm, []Attr{{"epsilon", eps}}, x, scale, bias, mean, variance)
}

// InstanceNormalization normalises each channel of each sample of x [N, C, …] by its own mean and biased variance:
// (x - mean) / √(variance + eps) · scale + bias.
func (b Builder) InstanceNormalization(x, scale, bias *Value, eps float32) *Value {
	return b.add1(opInstanceNorm, []Attr{{"epsilon", eps}}, x, scale, bias)
}

// LayerNormalization normalises over the last axes, as many as scale and bias have, which are of the same shape:
// (x - mean) / √(variance + eps) · scale + bias, with the biased variance (Ba et al., 2016). bias may be nil.
func (b Builder) LayerNormalization(x, scale, bias *Value, eps float32) *Value {
	return b.add1(opLayerNorm, []Attr{{"axis", -int64(len(scale.Shape))}, {"epsilon", eps}}, optional(x, scale, bias)...)
}

// GroupNormalization normalises the channels of x [N, C, …] in groups that follow each other, each group of each sample by
// its own mean and biased variance (Wu and He, 2018): (x - mean) / √(variance + eps) · scale + bias. scale and bias are [C].
//
// It is written with InstanceNormalization, which all opsets have: the operator of this name came with opset 18, took its
// scale by group until 21, and is in few runtimes.
func (b Builder) GroupNormalization(x *Value, groups int64, scale, bias *Value, eps float32) *Value {
	if x.bad || scale.bad || bias.bad {
		return &Value{DType: x.DType, bad: true}
	}
	channels, ok := x.Dim(1).Static()
	if len(x.Shape) < 3 || !ok || groups < 1 || channels%groups != 0 {
		b.Err("GroupNormalization: %s does not form %d groups of channels", x.Shape, groups)
		return &Value{DType: x.DType, bad: true}
	}
	each := func(name string, value float32) *Value {
		return b.Constant(name, &Tensor{DType: x.DType, Shape: []int64{groups}, Floats: Literal(slices.Repeat([]float32{value}, int(groups)))})
	}
	y := b.Reshape(x, b.Ints("groups", 0, groups, -1))
	y = b.InstanceNormalization(y, each("ones", 1), each("zeros", 0), eps)
	y = b.Reshape(y, b.Concat(0, b.Ints("all", 0), b.Sizes(x, 1, len(x.Shape))))
	column := append([]int64{channels}, slices.Repeat([]int64{1}, len(x.Shape)-2)...)
	y = b.Mul(y, b.Reshape(scale, b.Ints("column", column...)))
	return b.Add(y, b.Reshape(bias, b.Ints("column", column...)))
}

// Softmax is exp(x) / Σ exp(x) along one axis.
func (b Builder) Softmax(x *Value, axis int64) *Value {
	return b.add1(opSoftmax, []Attr{{"axis", axis}}, x)
}

func inferBatchNorm(n *Node) ([]Type, error) {
	return inferPerChannel(n, "scale", "bias", "mean", "variance")
}

func inferInstanceNorm(n *Node) ([]Type, error) { return inferPerChannel(n, "scale", "bias") }

// inferPerChannel checks inputs 1, 2, … that hold one number for each channel of input 0.
func inferPerChannel(n *Node, names ...string) ([]Type, error) {
	x := n.Inputs[0]
	if len(x.Shape) < 2 || !x.DType.IsFloat() {
		return nil, fmt.Errorf("expected a float input with channels, got %s %s", x.DType, x.Shape)
	}
	for i, name := range names {
		if v := n.Inputs[i+1]; v.DType != x.DType || !v.Shape.Equal(Shape{x.Dim(1)}) {
			return nil, fmt.Errorf("%s is %s %s, expected %s for each of %s channels", name, v.DType, v.Shape, x.DType, x.Dim(1))
		}
	}
	return single(x.DType, x.Shape)
}

func inferSoftmax(n *Node) ([]Type, error) {
	if _, err := axis(n.Int("axis", -1), len(n.Inputs[0].Shape)); err != nil {
		return nil, err
	}
	return inferFloatUnary(n)
}

// formSoftmax: before opset 13 the operator took all dimensions from the axis on together, which is the same where those
// after the axis are 1. Elsewhere the axis changes places with the last one.
func formSoftmax(n *Node, opset int) ([]WireNode, error) {
	shape := n.Inputs[0].Shape
	a, err := axis(n.Int("axis", -1), len(shape))
	if err != nil {
		return nil, err
	}
	if opset >= 13 || shape[a+1:].Elements().Is(1) {
		return []WireNode{wire(n)}, nil
	}
	last, perm, swapped := len(shape)-1, make([]int64, len(shape)), slices.Clone(shape)
	for i := range perm {
		perm[i] = int64(i)
	}
	perm[a], perm[last] = int64(last), int64(a)
	swapped[a], swapped[last] = shape[last], shape[a]
	d, t, swap := &decomposition{n: n}, Type{DType: n.Inputs[0].DType, Shape: swapped}, []Attr{{"perm", perm}}
	moved := d.typed(t, "Transpose", "moved", swap, n.Inputs[0].Name)
	return d.finish("Transpose", swap, d.typed(t, "Softmax", "softmax", []Attr{{"axis", int64(last)}}, moved)), nil
}

func inferLayerNorm(n *Node) ([]Type, error) {
	if err := n.needFloats(0, 1); err != nil {
		return nil, err
	}
	x := n.Inputs[0]
	a, err := axis(n.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	for i, v := range n.Inputs[1:] {
		if v != nil && (v.DType != x.DType || !v.Shape.Equal(x.Shape[a:])) {
			return nil, fmt.Errorf("input %d is %s %s, expected %s %s", i+1, v.DType, v.Shape, x.DType, x.Shape[a:])
		}
	}
	return single(x.DType, x.Shape)
}

// layerNormParts serves opsets below 17, at which the axes of a ReduceMean are an attribute.
func layerNormParts(n *Node, d *decomposition) []WireNode {
	x := n.Inputs[0]
	a := int64(len(x.Shape)) + n.Int("axis", -1)
	t := Type{DType: x.DType, Shape: slices.Clone(x.Shape)}
	var axes []int64
	for i := a; i < int64(len(x.Shape)); i++ {
		axes, t.Shape[i] = append(axes, i), D(1)
	}
	mean := []Attr{{"axes", axes}, {"keepdims", int64(1)}}
	deviation := d.add("Sub", "deviation", nil, x.Name, d.typed(t, "ReduceMean", "mean", mean, x.Name))
	square := d.add("Mul", "square", nil, deviation, deviation)
	variance := d.typed(t, "Add", "variance", nil, d.typed(t, "ReduceMean", "squares", mean, square), d.number("epsilon", float64(n.Float("epsilon", 1e-5))))
	normal := d.add("Div", "normal", nil, deviation, d.typed(t, "Sqrt", "spread", nil, variance))
	if n.input(2) == nil {
		return d.finish("Mul", nil, normal, n.Inputs[1].Name)
	}
	return d.finish("Add", nil, d.add("Mul", "scaled", nil, normal, n.Inputs[1].Name), n.Inputs[2].Name)
}
