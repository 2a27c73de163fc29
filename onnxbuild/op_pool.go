package onnxbuild

import (
	"fmt"
	"slices"
)

var (
	opMaxPool     = register(Op{Name: "MaxPool", infer: inferPool})
	opAveragePool = register(Op{Name: "AveragePool", infer: inferAveragePool, form: formAveragePool})
	opGAP         = register(Op{Name: "GlobalAveragePool", infer: inferGlobalPool})
	opGMP         = register(Op{Name: "GlobalMaxPool", infer: inferGlobalPool})
)

// MaxPool is the largest element under a window: x [N, C, …]. The padding does not count.
func (b Builder) MaxPool(x *Value, w Window) *Value {
	w = w.withDefaults().dropNeedlessCeil(x)
	attrs := w.poolAttrs()
	if w.dilated() {
		attrs = append(attrs, Attr{"dilations", w.Dilation})
	}
	if w.Ceil {
		attrs = append(attrs, Attr{"ceil_mode", int64(1)})
	}
	return b.add1(opMaxPool, attrs, x)
}

// AveragePool is the mean of the elements under a window: x [N, C, …]. countPadding says whether the padding's zeros are
// among them. Windows cannot be dilated.
func (b Builder) AveragePool(x *Value, w Window, countPadding bool) *Value {
	w = w.withDefaults().dropNeedlessCeil(x)
	attrs := w.poolAttrs()
	if w.dilated() {
		attrs = append(attrs, Attr{"dilations", w.Dilation}) // refused
	}
	if w.Ceil {
		attrs = append(attrs, Attr{"ceil_mode", int64(1)})
	}
	if countPadding {
		attrs = append(attrs, Attr{"count_include_pad", int64(1)})
	}
	return b.add1(opAveragePool, attrs, x)
}

// GlobalAveragePool averages each channel over its map: [N, C, …] to [N, C, 1, …].
func (b Builder) GlobalAveragePool(x *Value) *Value { return b.add1(opGAP, nil, x) }

// GlobalMaxPool is the largest element of each channel's map: [N, C, …] to [N, C, 1, …].
func (b Builder) GlobalMaxPool(x *Value) *Value { return b.add1(opGMP, nil, x) }

func (w Window) poolAttrs() []Attr {
	return []Attr{{"kernel_shape", w.Kernel}, {"pads", w.Pads}, {"strides", w.Stride}}
}

func inferAveragePool(n *Node) ([]Type, error) {
	if d := n.Ints("dilations"); d != nil {
		return nil, fmt.Errorf("windows with a dilation of %v are not averaged", d)
	}
	return inferPool(n)
}

func inferPool(n *Node) ([]Type, error) {
	if err := n.needFloats(0); err != nil {
		return nil, err
	}
	x := n.Inputs[0]
	w, err := windowOf(n)
	if err != nil {
		return nil, err
	}
	for i, k := range w.Kernel {
		// A window that lies entirely in the padding has no largest element, and no mean.
		if rank := len(w.Kernel); max(w.Pads[i], w.Pads[i+rank]) > w.Dilation[i]*(k-1) {
			return nil, fmt.Errorf("padding %d and %d is too much for a kernel of %d", w.Pads[i], w.Pads[i+rank], k)
		}
	}
	sizes, err := w.sizes(x)
	if err != nil {
		return nil, err
	}
	return single(x.DType, slices.Concat(x.Shape[:2], sizes))
}

// formAveragePool: only opset 19 says what a window that hangs over the padding is divided by, and readers differed.
func formAveragePool(n *Node, opset int) ([]WireNode, error) {
	if opset < 19 && n.Int("ceil_mode", 0) == 1 && n.Int("count_include_pad", 0) == 1 {
		return nil, needs(n, 19, "an average pooling that rounds sizes up and counts its padding")
	}
	return []WireNode{wire(n)}, nil
}

func inferGlobalPool(n *Node) ([]Type, error) {
	if err := n.needFloats(0); err != nil {
		return nil, err
	}
	x := n.Inputs[0]
	if len(x.Shape) < 3 {
		return nil, fmt.Errorf("expected an input with maps, of rank 3 or more, got %s", x.Shape)
	}
	shape := slices.Clone(x.Shape)
	for i := range shape[2:] {
		shape[2+i] = D(1)
	}
	return single(x.DType, shape)
}
