package reference

import (
	"context"
	"fmt"

	"ysc2onnx/onnxbuild"
)

// maxPatches bounds the copies of the map that conv makes at a time: 2^22 elements, 32 MiB.
const maxPatches = 1 << 22

// conv is Conv: y[n, m, oz, oy, ox] = bias[m] + Σ over c, kz, ky, kx of weight[m, c, kz, ky, kx] · x[n, c', z, y, x], where c' is c in
// the group of m, and x is 0 outside of the map.
//
// What is under the kernel at one place is copied into a row, its patch: each output is the dot product of a patch with the
// weights of an output channel. A few rows of output are computed at a time, all channels of them in parallel.
func conv(ctx context.Context, n *node) ([]*Array, error) {
	x, weight, groups := n.in[0], n.kernel, n.Int("group", 1)
	if weight == nil {
		return nil, fmt.Errorf("its weight is computed; only an initializer is expected")
	}
	w, err := slide(n)
	if err != nil {
		return nil, err
	}
	if len(weight.Shape) != len(x.Shape) {
		return nil, fmt.Errorf("the input is %v and the weight %v, expected one rank", x.Shape, weight.Shape)
	}
	channels := weight.Shape[0] / groups // outputs of a group
	y := newArray(x.DType, w.shape(x.Shape[0], weight.Shape[0]))
	var bias []float64
	if len(n.in) > 2 && n.in[2] != nil {
		bias = n.in[2].Data
	}
	c := &convolution{window: w, x: x, y: y, weight: weight, bias: bias, taken: weight.Shape[1], size: product(weight.Shape[1:])}
	rows := x.Shape[0] * w.out[0] * w.out[1]
	step := max(1, maxPatches/(c.size*w.out[2]))
	for group := range groups {
		for row := int64(0); row < rows; row += step {
			if err := c.rows(ctx, group*channels, channels, group*c.taken, row, min(row+step, rows)); err != nil {
				return nil, err
			}
		}
	}
	return []*Array{y}, nil
}

// convolution is the state of a Conv in progress.
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
	width := c.out[2]
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
			image, line := row/(c.out[0]*c.out[1]), row%(c.out[0]*c.out[1])
			for k := range count {
				sum := sums[k]
				if c.bias != nil {
					sum += c.bias[m+k]
				}
				c.y.Data[((image*c.y.Shape[1]+m+k)*c.out[0]*c.out[1]+line)*width+ox] = sum
			}
		}
		return nil
	})
}

// patch copies what is under the kernel where it gives column ox of a row of the outputs of all images.
func (c *convolution) patch(dst []float64, channel, row, ox int64) {
	image, oz, oy := row/(c.out[0]*c.out[1]), row/c.out[1]%c.out[0], row%c.out[1]
	at, area := 0, size(c.in)
	for ch := range c.taken {
		plane := c.x.Data[(image*c.x.Shape[1]+channel+ch)*area:][:area]
		for kz := range c.kernel[0] {
			z := c.at(0, oz, kz)
			for ky := range c.kernel[1] {
				y := c.at(1, oy, ky)
				for kx := range c.kernel[2] {
					if x := c.at(2, ox, kx); c.inside(0, z) && c.inside(1, y) && c.inside(2, x) {
						dst[at] = plane[(z*c.in[1]+y)*c.in[2]+x]
					}
					at++
				}
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
