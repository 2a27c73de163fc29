package onnxbuild

import (
	"fmt"
	"slices"
)

// Window is how a kernel moves over a map. Each list has one entry for each axis behind N and C: one of a sequence, height
// before width of a picture, depth before both of a volume.
type Window struct {
	Kernel   []int64
	Stride   []int64 // nil: 1
	Dilation []int64 // nil: 1
	Pads     []int64 // before each axis, then behind each: top, left, bottom, right; nil: none
	// Ceil, of pooling only, lets a last window count that hangs over the end of the map, as PyTorch does: unless it begins in
	// the padding.
	Ceil bool
}

// withDefaults replaces what is nil.
func (w Window) withDefaults() Window {
	rank := len(w.Kernel)
	if w.Stride == nil {
		w.Stride = slices.Repeat([]int64{1}, rank)
	}
	if w.Dilation == nil {
		w.Dilation = slices.Repeat([]int64{1}, rank)
	}
	if w.Pads == nil {
		w.Pads = make([]int64, 2*rank)
	}
	return w
}

// dilated reports whether elements of the kernel lie apart.
func (w Window) dilated() bool {
	return slices.ContainsFunc(w.Dilation, func(d int64) bool { return d != 1 })
}

// windowOf reads the attributes of a node, and checks them against its input [N, C, …].
func windowOf(n *Node) (Window, error) {
	w := Window{
		Kernel: n.Ints("kernel_shape"), Stride: n.Ints("strides"), Dilation: n.Ints("dilations"), Pads: n.Ints("pads"),
		Ceil: n.Int("ceil_mode", 0) == 1,
	}
	rank := len(w.Kernel)
	if w = w.withDefaults(); len(w.Stride) != rank || len(w.Dilation) != rank || len(w.Pads) != 2*rank || rank < 1 {
		return w, fmt.Errorf("kernel %v, stride %v, dilation %v and padding %v do not describe a window", w.Kernel, w.Stride, w.Dilation, w.Pads)
	}
	if x := n.Inputs[0]; len(x.Shape) != 2+rank {
		return w, fmt.Errorf("expected an input of rank %d, got %s", 2+rank, x.Shape)
	}
	for i, k := range w.Kernel {
		if k < 1 || w.Stride[i] < 1 || w.Dilation[i] < 1 || w.Pads[i] < 0 || w.Pads[i+rank] < 0 {
			return w, fmt.Errorf("kernel %d, stride %d and dilation %d must be positive, padding %d and %d not negative",
				k, w.Stride[i], w.Dilation[i], w.Pads[i], w.Pads[i+rank])
		}
	}
	return w, nil
}

// along is the size of what the window gives along axis i, of the given size.
// With ceil it counts a window that hangs over, and tells whether that one begins in the padding, where readers differ.
func (w Window) along(i int, size Dim, ceil bool) (out Dim, outside bool, err error) {
	// ⌊(size + pads - dilation·(kernel-1) - 1) / stride⌋ + 1
	stride, rank := w.Stride[i], len(w.Kernel)
	room := size.Plus(D(w.Pads[i] + w.Pads[i+rank] - w.Dilation[i]*(w.Kernel[i]-1) - 1))
	if ceil {
		room = room.Plus(D(stride - 1))
	}
	steps, ok := room.FloorDiv(stride)
	if !ok {
		return out, false, fmt.Errorf("a size of %s cannot be divided by the stride %d", size, stride)
	}
	out = steps.Plus(D(1))
	if n, static := out.Static(); static && n < 1 {
		return out, false, fmt.Errorf("a kernel of %d does not fit a map of %s with padding %d", w.Kernel[i], size, w.Pads[i])
	}
	left, _ := size.Plus(D(w.Pads[i])).Plus(steps.Times(D(-stride))).Static() // from where the last window begins
	return out, ceil && left <= 0, nil
}

// sizes are those of what a kernel gives that moves over x.
func (w Window) sizes(x *Value) (Shape, error) {
	out := make(Shape, len(w.Kernel))
	for i := range out {
		size, outside, err := w.along(i, x.Dim(2+i), w.Ceil)
		if err != nil {
			return nil, err
		}
		if outside {
			return nil, fmt.Errorf("rounded up, the last window along axis %d of %s begins in the padding", 2+i, x.Shape)
		}
		out[i] = size
	}
	return out, nil
}

// dropNeedlessCeil drops Ceil where it would only add windows that begin in the padding: PyTorch leaves those out, and readers of
// ONNX files differ. Where one axis needs it and another cannot have it, it stays, and is refused.
func (w Window) dropNeedlessCeil(x *Value) Window {
	if !w.Ceil || len(x.Shape) != 2+len(w.Kernel) {
		return w
	}
	matters, drop := false, false
	for i, size := range x.Shape[2:] {
		up, outside, err := w.along(i, size, true)
		down, _, err2 := w.along(i, size, false)
		if err != nil || err2 != nil {
			return w // refused later
		}
		drop = drop || outside
		matters = matters || !outside && !up.Equal(down)
	}
	w.Ceil = matters || !drop
	return w
}
