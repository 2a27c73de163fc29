package reference

import (
	"fmt"
	"slices"
)

// window is how a kernel moves over a map of three axes: depth, height, width. Pictures have a depth of 1, and sequences a
// height of 1, too.
type window struct {
	kernel, stride, dilation, before, behind [3]int64
	in, out                                  [3]int64 // sizes of the map and of what comes out
	axes                                     int      // that the node itself has
}

// windowOf reads a window from the attributes of a node.
func windowOf(n *node) (w window, err error) {
	kernel, pads, stride, dilation := n.Ints("kernel_shape"), n.Ints("pads"), n.Ints("strides"), n.Ints("dilations")
	w.axes = len(kernel)
	if dilation == nil {
		dilation = slices.Repeat([]int64{1}, w.axes)
	}
	x := n.in[0].Shape
	if w.axes < 1 || w.axes > 3 || len(x) != w.axes+2 || len(pads) != 2*w.axes || len(stride) != w.axes || len(dilation) != w.axes {
		return w, fmt.Errorf("kernel %v, pads %v, strides %v and dilations %v do not describe a window on %v", kernel, pads, stride, dilation, x)
	}
	for i := range 3 {
		w.kernel[i], w.stride[i], w.dilation[i], w.in[i] = 1, 1, 1, 1
		if k := i - (3 - w.axes); k >= 0 {
			w.kernel[i], w.stride[i], w.dilation[i], w.before[i], w.behind[i] = kernel[k], stride[k], dilation[k], pads[k], pads[k+w.axes]
			w.in[i] = x[2+k]
		}
	}
	return w, nil
}

// slide is windowOf with the sizes of what comes out of a kernel that moves over the map.
func slide(n *node) (w window, err error) {
	if w, err = windowOf(n); err != nil {
		return w, err
	}
	for i := range 3 {
		room := w.in[i] + w.before[i] + w.behind[i] - (w.dilation[i]*(w.kernel[i]-1) + 1)
		if room < 0 {
			return w, fmt.Errorf("a kernel of %v does not fit on a map of %v with padding %v and %v", w.kernel, w.in, w.before, w.behind)
		}
		w.out[i] = room/w.stride[i] + 1
		if n.Int("ceil_mode", 0) == 1 && room%w.stride[i] != 0 {
			w.out[i]++
		}
	}
	return w, nil
}

// shape is that of what comes out, for a batch and channels.
func (w *window) shape(batch, channels int64) []int64 {
	return append([]int64{batch, channels}, w.out[3-w.axes:]...)
}

// at is the place on an axis of the map under element k of the kernel where it gives output o. It may lie in the padding,
// outside of the map.
func (w *window) at(axis int, o, k int64) int64 {
	return o*w.stride[axis] - w.before[axis] + k*w.dilation[axis]
}

// inside reports whether a place on an axis is on the map.
func (w *window) inside(axis int, i int64) bool { return i >= 0 && i < w.in[axis] }

// under calls visit for each element of the map under the kernel where it gives the output at o.
func (w *window) under(o [3]int64, visit func(i int64)) {
	for kz := range w.kernel[0] {
		for ky := range w.kernel[1] {
			for kx := range w.kernel[2] {
				z, y, x := w.at(0, o[0], kz), w.at(1, o[1], ky), w.at(2, o[2], kx)
				if w.inside(0, z) && w.inside(1, y) && w.inside(2, x) {
					visit((z*w.in[1]+y)*w.in[2] + x)
				}
			}
		}
	}
}

// size is the number of elements of a map.
func size(of [3]int64) int64 { return of[0] * of[1] * of[2] }

// place is where element i of a map of the given sizes lies.
func place(i int64, of [3]int64) [3]int64 {
	return [3]int64{i / (of[1] * of[2]), i / of[2] % of[1], i % of[2]}
}
