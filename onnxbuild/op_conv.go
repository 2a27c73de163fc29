package onnxbuild

import "fmt"

var (
	opConv    = register(Op{Name: "Conv", infer: inferConv})
	opMaxPool = register(Op{Name: "MaxPool", infer: inferMaxPool})
	opGAP     = register(Op{Name: "GlobalAveragePool", infer: inferGlobalAveragePool})
)

// Window is how a kernel moves over a map: sizes in pixels, height before width.
type Window struct {
	Kernel, Stride, Dilation [2]int64
	Pads                     [4]int64 // top, left, bottom, right
	Ceil                     bool     // pooling only: a last, partial window counts
}

// Conv is a 2-D convolution: x [N, C, H, W], weight [M, C/groups, kH, kW], bias [M] or nil.
func (b Builder) Conv(x, weight, bias *Value, w Window, groups int64) *Value {
	inputs := []*Value{x, weight}
	if bias != nil {
		inputs = append(inputs, bias)
	}
	return b.add1(opConv, []Attr{
		{"dilations", w.Dilation[:]}, {"group", groups}, {"kernel_shape", w.Kernel[:]},
		{"pads", w.Pads[:]}, {"strides", w.Stride[:]},
	}, inputs...)
}

// MaxPool is a 2-D max pooling: x [N, C, H, W].
func (b Builder) MaxPool(x *Value, w Window) *Value {
	attrs := []Attr{{"kernel_shape", w.Kernel[:]}, {"pads", w.Pads[:]}, {"strides", w.Stride[:]}}
	if w.Dilation != [2]int64{1, 1} {
		attrs = append(attrs, Attr{"dilations", w.Dilation[:]})
	}
	if w.Ceil {
		attrs = append(attrs, Attr{"ceil_mode", int64(1)})
	}
	return b.add1(opMaxPool, attrs, x)
}

// GlobalAveragePool averages each channel over its map: [N, C, H, W] to [N, C, 1, 1].
func (b Builder) GlobalAveragePool(x *Value) *Value { return b.add1(opGAP, nil, x) }

func inferConv(n *Node) ([]Type, error) {
	if err := n.needInputs(Float32, Float32); err != nil {
		return nil, err
	}
	x, w := n.Inputs[0], n.Inputs[1]
	if len(x.Shape) != 4 || len(w.Shape) != 4 {
		return nil, fmt.Errorf("expected an input and a weight of rank 4, got %s and %s", x.Shape, w.Shape)
	}
	groups := n.Int("group", 1)
	m, ok := w.Dim(0).Static()
	switch {
	case !w.Dim(1).Times(D(groups)).Equal(x.Dim(1)):
		return nil, fmt.Errorf("the input has %s channels, the weight %s takes %s in %d group(s)",
			x.Dim(1), w.Shape, w.Dim(1).Times(D(groups)), groups)
	case !ok || m%groups != 0:
		return nil, fmt.Errorf("%s output channels do not form %d groups", w.Dim(0), groups)
	}
	if bias := n.input(2); bias != nil && (bias.DType != x.DType || !bias.Shape.Equal(Shape{w.Dim(0)})) {
		return nil, fmt.Errorf("the bias is %s %s, expected %s %s", bias.DType, bias.Shape, x.DType, w.Dim(0))
	}
	if k := n.Ints("kernel_shape"); !w.Shape[2:].Equal(ShapeOf(k...)) {
		return nil, fmt.Errorf("the weight %s does not hold kernels of %s", w.Shape, ShapeOf(k...))
	}
	h, wd, err := slide(n, x)
	if err != nil {
		return nil, err
	}
	return one(x.DType, Shape{x.Dim(0), w.Dim(0), h, wd})
}

func inferMaxPool(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	if len(x.Shape) != 4 {
		return nil, fmt.Errorf("expected an input of rank 4, got %s", x.Shape)
	}
	h, w, err := slide(n, x)
	if err != nil {
		return nil, err
	}
	return one(x.DType, Shape{x.Dim(0), x.Dim(1), h, w})
}

func inferGlobalAveragePool(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	if len(x.Shape) != 4 {
		return nil, fmt.Errorf("expected an input of rank 4, got %s", x.Shape)
	}
	return one(x.DType, Shape{x.Dim(0), x.Dim(1), D(1), D(1)})
}

// slide is the height and width of what a kernel gives that moves over x.
func slide(n *Node, x *Value) (h, w Dim, err error) {
	kernel, pads, stride, dilation := n.Ints("kernel_shape"), n.Ints("pads"), n.Ints("strides"), n.Ints("dilations")
	if dilation == nil {
		dilation = []int64{1, 1}
	}
	var out [2]Dim
	for i := range out {
		if kernel[i] < 1 || stride[i] < 1 || dilation[i] < 1 || pads[i] < 0 || pads[i+2] < 0 {
			return h, w, fmt.Errorf("kernel %d, stride %d and dilation %d have to be positive, padding %d and %d not negative",
				kernel[i], stride[i], dilation[i], pads[i], pads[i+2])
		}
		// ⌊(size + pads - dilation·(kernel-1) - 1) / stride⌋ + 1
		room := pads[i] + pads[i+2] - dilation[i]*(kernel[i]-1) - 1
		if n.Int("ceil_mode", 0) == 1 {
			room += stride[i] - 1
		}
		steps, ok := x.Dim(2 + i).Plus(D(room)).FloorDiv(stride[i])
		if !ok {
			return h, w, fmt.Errorf("a size of %s cannot be divided by the stride %d", x.Dim(2+i), stride[i])
		}
		out[i] = steps.Plus(D(1))
		if size, static := out[i].Static(); static && size < 1 {
			return h, w, fmt.Errorf("a kernel of %d does not fit a map of %s with padding %d", kernel[i], x.Dim(2+i), pads[i])
		}
	}
	return out[0], out[1], nil
}
