package reference

import (
	"context"
	"fmt"
	"math"

	"ysc2onnx/onnxbuild"
)

// window is how a kernel moves over a map, height before width.
type window struct {
	kernel, stride, dilation, before [2]int64
	in, out                          [2]int64 // sizes of the map and of what comes out
}

// slide reads a window from the attributes of a node and the size of its map.
func slide(n *node, in [2]int64) (w window, err error) {
	kernel, pads, stride, dilation := n.Ints("kernel_shape"), n.Ints("pads"), n.Ints("strides"), n.Ints("dilations")
	if dilation == nil {
		dilation = []int64{1, 1}
	}
	if len(kernel) != 2 || len(pads) != 4 || len(stride) != 2 || len(dilation) != 2 {
		return w, fmt.Errorf("kernel %v, pads %v, strides %v and dilations %v do not describe a window on a map", kernel, pads, stride, dilation)
	}
	w.in = in
	for i := range 2 {
		w.kernel[i], w.stride[i], w.dilation[i], w.before[i] = kernel[i], stride[i], dilation[i], pads[i]
		room := in[i] + pads[i] + pads[i+2] - (dilation[i]*(kernel[i]-1) + 1)
		if room < 0 {
			return w, fmt.Errorf("a kernel of %v does not fit on a map of %v with padding %v", kernel, in, pads)
		}
		w.out[i] = room/stride[i] + 1
		if n.Int("ceil_mode", 0) == 1 && room%stride[i] != 0 {
			w.out[i]++
		}
	}
	return w, nil
}

// at is the row (axis 0) or column (axis 1) of the map under element k of the
// kernel where it gives output o. It may lie in the padding, outside of the map.
func (w *window) at(axis int, o, k int64) int64 {
	return o*w.stride[axis] - w.before[axis] + k*w.dilation[axis]
}

// inside reports whether a row (axis 0) or column (axis 1) is on the map.
func (w *window) inside(axis int, i int64) bool { return i >= 0 && i < w.in[axis] }

// maxPatches bounds the copies of the map that conv makes at a time: 2^22 elements, 32 MiB.
const maxPatches = 1 << 22

// conv is Conv: y[n, m, oy, ox] = bias[m] + Σ over c, ky, kx of weight[m, c, ky, kx] · x[n, c', y, x], where c' is c in
// the group of m, and x is 0 outside of the map.
//
// What is under the kernel at one place is copied into a row, its patch: each output is the dot product of a patch with the
// weights of an output channel. A few rows of output are computed at a time, all channels of them in parallel.
func conv(ctx context.Context, n *node) ([]*Array, error) {
	x, weight, groups := n.in[0], n.kernel, n.Int("group", 1)
	if weight == nil {
		return nil, fmt.Errorf("its weight is computed; only an initializer is expected")
	}
	if len(x.Shape) != 4 || len(weight.Shape) != 4 {
		return nil, fmt.Errorf("the input is %v and the weight %v, expected rank 4", x.Shape, weight.Shape)
	}
	w, err := slide(n, [2]int64{x.Shape[2], x.Shape[3]})
	if err != nil {
		return nil, err
	}
	channels := weight.Shape[0] / groups // outputs of a group
	y := newArray(x.DType, []int64{x.Shape[0], weight.Shape[0], w.out[0], w.out[1]})
	var bias []float64
	if len(n.in) > 2 && n.in[2] != nil {
		bias = n.in[2].Data
	}
	c := &convolution{window: w, x: x, y: y, weight: weight, bias: bias, taken: weight.Shape[1], size: product(weight.Shape[1:])}
	rows := x.Shape[0] * w.out[0]
	step := max(1, maxPatches/(c.size*w.out[1]))
	for group := range groups {
		for row := int64(0); row < rows; row += step {
			if err := c.rows(ctx, group*channels, channels, group*c.taken, row, min(row+step, rows)); err != nil {
				return nil, err
			}
		}
	}
	return []*Array{y}, nil
}

// convolution is a Conv at work.
type convolution struct {
	window
	x, y   *Array
	weight *onnxbuild.Tensor
	bias   []float64
	taken  int64 // input channels that an output channel reads
	size   int64 // elements of a patch
}

// together is how many output channels are computed side by side.
const together = 4

// rows computes channels output channels from first on, which read input channels from channel on, of the rows from … to-1
// of all images' outputs.
func (c *convolution) rows(ctx context.Context, first, channels, channel, from, to int64) error {
	width := c.out[1]
	patches := make([]float64, (to-from)*width*c.size)
	err := parallel(ctx, to-from, func(i int64) error {
		for ox := range width {
			c.patch(patches[(i*width+ox)*c.size:][:c.size], channel, from+i, ox)
		}
		return nil
	})
	if err != nil {
		return err
	}
	blocks := (channels + together - 1) / together
	return parallel(ctx, blocks, func(block int64) error {
		m := first + block*together
		count := min(together, first+channels-m)
		weights := make([]float64, together*c.size)
		if err := readFloats(weights[:count*c.size], c.weight, m*c.size); err != nil {
			return fmt.Errorf("weight: %w", err)
		}
		for i := range (to - from) * width {
			sums := dots(patches[i*c.size:][:c.size], weights)
			row, ox := from+i/width, i%width
			image, oy := row/c.out[0], row%c.out[0]
			for k := range count {
				sum := sums[k]
				if c.bias != nil {
					sum += c.bias[m+k]
				}
				c.y.Data[((image*c.y.Shape[1]+m+k)*c.out[0]+oy)*width+ox] = sum
			}
		}
		return nil
	})
}

// patch copies what is under the kernel where it gives column ox of a row of the outputs of all images.
func (c *convolution) patch(dst []float64, channel, row, ox int64) {
	image, oy := row/c.out[0], row%c.out[0]
	at := 0
	for ch := range c.taken {
		plane := c.x.Data[(image*c.x.Shape[1]+channel+ch)*c.in[0]*c.in[1]:][:c.in[0]*c.in[1]]
		for ky := range c.kernel[0] {
			y := c.at(0, oy, ky)
			for kx := range c.kernel[1] {
				if x := c.at(1, ox, kx); c.inside(0, y) && c.inside(1, x) {
					dst[at] = plane[y*c.in[1]+x]
				}
				at++
			}
		}
	}
}

// dots are the dot products of a patch with the weights of four output channels, which lie one after the other: four
// independent sums, since one would wait for each addition to end before it begins the next.
func dots(patch, weights []float64) [together]float64 {
	size := len(patch)
	w0, w1, w2, w3 := weights[:size], weights[size:][:size], weights[2*size:][:size], weights[3*size:][:size]
	var s0, s1, s2, s3 float64
	for i, x := range patch {
		s0 += x * w0[i]
		s1 += x * w1[i]
		s2 += x * w2[i]
		s3 += x * w3[i]
	}
	return [together]float64{s0, s1, s2, s3}
}

// maxPool is MaxPool: the largest element under the kernel, the padding left out.
func maxPool(ctx context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	if len(x.Shape) != 4 {
		return nil, fmt.Errorf("the input is %v, expected rank 4", x.Shape)
	}
	w, err := slide(n, [2]int64{x.Shape[2], x.Shape[3]})
	if err != nil {
		return nil, err
	}
	y := newArray(x.DType, []int64{x.Shape[0], x.Shape[1], w.out[0], w.out[1]})
	err = parallel(ctx, x.Shape[0]*x.Shape[1]*w.out[0], func(row int64) error {
		plane := x.Data[row/w.out[0]*w.in[0]*w.in[1]:][:w.in[0]*w.in[1]]
		for ox := range w.out[1] {
			largest := math.Inf(-1)
			for ky := range w.kernel[0] {
				for kx := range w.kernel[1] {
					iy, ix := w.at(0, row%w.out[0], ky), w.at(1, ox, kx)
					if w.inside(0, iy) && w.inside(1, ix) {
						largest = max(largest, plane[iy*w.in[1]+ix])
					}
				}
			}
			y.Data[row*w.out[1]+ox] = largest
		}
		return nil
	})
	return []*Array{y}, err
}
