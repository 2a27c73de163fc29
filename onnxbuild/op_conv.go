package onnxbuild

import (
	"fmt"
	"slices"
)

var (
	opConv          = register(Op{Name: "Conv", infer: inferConv})
	opConvTranspose = register(Op{Name: "ConvTranspose", infer: inferConvTranspose})
	opDeformConv    = register(Op{Name: "DeformConv", infer: inferDeformConv, form: formDeformConv})
)

// Conv is a convolution over one, two or three axes: x [N, C, …], weight [M, C/groups, k…], bias [M] or nil. It gives
// [N, M, …], each size ⌊(size + pads - dilation·(k-1) - 1) / stride⌋ + 1.
func (b Builder) Conv(x, weight, bias *Value, w Window, groups int64) *Value {
	return b.add1(opConv, w.convAttrs(groups), optional(x, weight, bias)...)
}

// ConvTranspose is a transposed convolution, the gradient of Conv: x [N, C, …], weight [C, M/groups, k…], bias [M] or
// nil. It gives [N, M, …], each size stride·(size-1) + dilation·(k-1) + 1 - pads + outputPadding. outputPadding has an
// entry for each axis; nil is none.
func (b Builder) ConvTranspose(x, weight, bias *Value, w Window, outputPadding []int64, groups int64) *Value {
	attrs := w.convAttrs(groups)
	if outputPadding != nil {
		attrs = append(attrs, Attr{"output_padding", outputPadding})
	}
	return b.add1(opConvTranspose, attrs, optional(x, weight, bias)...)
}

// DeformConv is a convolution over two axes whose kernel's elements read where offset says, in pixels from their own
// place, by bilinear interpolation (Dai et al., 2017; with mask, Zhu et al., 2018): x [N, C, H, W], weight
// [M, C/groups, kH, kW], offset [N, offsetGroups·kH·kW·2, oH, oW] with y before x, mask [N, offsetGroups·kH·kW, oH, oW]
// or nil, bias [M] or nil. It came with opset 19; nothing takes its place before.
func (b Builder) DeformConv(x, weight, offset, mask, bias *Value, w Window, groups, offsetGroups int64) *Value {
	inputs := []*Value{x, weight, offset}
	if bias != nil || mask != nil {
		inputs = append(inputs, bias)
	}
	if mask != nil {
		inputs = append(inputs, mask)
	}
	return b.add1(opDeformConv, append(w.convAttrs(groups), Attr{"offset_group", offsetGroups}), inputs...)
}

func (w Window) convAttrs(groups int64) []Attr {
	w = w.withDefaults()
	return []Attr{{"dilations", w.Dilation}, {"group", groups}, {"kernel_shape", w.Kernel}, {"pads", w.Pads}, {"strides", w.Stride}}
}

// optional leaves out trailing inputs that are nil.
func optional(inputs ...*Value) []*Value {
	for len(inputs) > 0 && inputs[len(inputs)-1] == nil {
		inputs = inputs[:len(inputs)-1]
	}
	return inputs
}

// kernels checks an input and a weight with kernels as the window has them.
func kernels(n *Node) (w Window, groups int64, err error) {
	if err := n.needFloats(0, 1); err != nil {
		return w, 0, err
	}
	x, weight := n.Inputs[0], n.Inputs[1]
	rank := 2 + len(n.Ints("kernel_shape"))
	if len(x.Shape) != rank || len(weight.Shape) != rank {
		return w, 0, fmt.Errorf("expected an input and a weight of rank %d, got %s and %s", rank, x.Shape, weight.Shape)
	}
	if groups = n.Int("group", 1); groups < 1 {
		return w, 0, fmt.Errorf("%d groups cannot be made", groups)
	}
	if w, err = windowOf(n); err != nil {
		return w, 0, err
	}
	if !weight.Shape[2:].Equal(ShapeOf(w.Kernel...)) {
		return w, 0, fmt.Errorf("the weight %s does not hold kernels of %s", weight.Shape, ShapeOf(w.Kernel...))
	}
	return w, groups, nil
}

// checkBias checks an optional input with one number for each of the output's channels.
func (n *Node) checkBias(i int, channels Dim) error {
	if bias, x := n.input(i), n.Inputs[0]; bias != nil && (bias.DType != x.DType || !bias.Shape.Equal(Shape{channels})) {
		return fmt.Errorf("the bias is %s %s, expected %s %s", bias.DType, bias.Shape, x.DType, channels)
	}
	return nil
}

func inferConv(n *Node) ([]Type, error) {
	out, err := convolved(n)
	if err != nil {
		return nil, err
	}
	return out, n.checkBias(2, out[0].Shape[1])
}

// convolved is what a convolution gives, but for its bias.
func convolved(n *Node) ([]Type, error) {
	w, groups, err := kernels(n)
	if err != nil {
		return nil, err
	}
	x, weight := n.Inputs[0], n.Inputs[1]
	m, ok := weight.Dim(0).Static()
	switch {
	case !weight.Dim(1).Times(D(groups)).Equal(x.Dim(1)):
		return nil, fmt.Errorf("the input has %s channels, the weight %s takes %s in %d group(s)",
			x.Dim(1), weight.Shape, weight.Dim(1).Times(D(groups)), groups)
	case !ok || m%groups != 0:
		return nil, fmt.Errorf("%s output channels do not form %d groups", weight.Dim(0), groups)
	}
	sizes, err := w.sizes(x)
	if err != nil {
		return nil, err
	}
	return single(x.DType, slices.Concat(Shape{x.Dim(0), weight.Dim(0)}, sizes))
}

func inferConvTranspose(n *Node) ([]Type, error) {
	w, groups, err := kernels(n)
	if err != nil {
		return nil, err
	}
	x, weight := n.Inputs[0], n.Inputs[1]
	c, ok := weight.Dim(0).Static()
	switch {
	case !weight.Dim(0).Equal(x.Dim(1)):
		return nil, fmt.Errorf("the input has %s channels, the weight %s takes %s", x.Dim(1), weight.Shape, weight.Dim(0))
	case !ok || c%groups != 0:
		return nil, fmt.Errorf("%s input channels do not form %d groups", weight.Dim(0), groups)
	}
	m := weight.Dim(1).Times(D(groups))
	if err := n.checkBias(2, m); err != nil {
		return nil, err
	}
	rank, more := len(w.Kernel), n.Ints("output_padding")
	if more == nil {
		more = make([]int64, rank)
	}
	if len(more) != rank {
		return nil, fmt.Errorf("the output's padding %v is not for %d axes", more, rank)
	}
	shape := Shape{x.Dim(0), m}
	for i, k := range w.Kernel {
		if more[i] < 0 || more[i] >= max(w.Stride[i], w.Dilation[i]) {
			return nil, fmt.Errorf("the output's padding %d must be smaller than the stride %d or the dilation %d", more[i], w.Stride[i], w.Dilation[i])
		}
		size := x.Dim(2 + i).Plus(D(-1)).Times(D(w.Stride[i])).Plus(D(w.Dilation[i]*(k-1) + 1 + more[i] - w.Pads[i] - w.Pads[i+rank]))
		if n, static := size.Static(); static && n < 1 {
			return nil, fmt.Errorf("padding %d and %d leave nothing of a map of %s", w.Pads[i], w.Pads[i+rank], x.Dim(2+i))
		}
		shape = append(shape, size)
	}
	return single(x.DType, shape)
}

func inferDeformConv(n *Node) ([]Type, error) {
	out, err := convolved(n)
	if err != nil {
		return nil, err
	}
	x, shape, k, offsets := n.Inputs[0], out[0].Shape, n.Ints("kernel_shape"), n.Int("offset_group", 1)
	if len(k) != 2 {
		return nil, fmt.Errorf("the kernel has %d axes, expected 2", len(k))
	}
	if c, ok := x.Dim(1).Static(); offsets < 1 || !ok || c%offsets != 0 {
		return nil, fmt.Errorf("%s channels do not form %d groups with offsets of their own", x.Dim(1), offsets)
	}
	for _, in := range []struct {
		i    int
		what string
		per  int64 // numbers for each element of the kernel
	}{{2, "offset", 2}, {4, "mask", 1}} {
		want := Shape{shape[0], D(offsets * k[0] * k[1] * in.per), shape[2], shape[3]}
		if v := n.input(in.i); v != nil && (v.DType != x.DType || !v.Shape.Equal(want)) {
			return nil, fmt.Errorf("the %s is %s %s, expected %s %s", in.what, v.DType, v.Shape, x.DType, want)
		}
	}
	return out, n.checkBias(3, shape[1])
}

func formDeformConv(n *Node, opset int) ([]WireNode, error) {
	if opset < 19 {
		return nil, needs(n, 19, "a deformable convolution")
	}
	return []WireNode{wire(n)}, nil
}
