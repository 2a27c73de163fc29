package reference

import (
	"context"
	"fmt"
	"math"
)

// convTranspose is ConvTranspose: each element of x [n, c, …] adds itself, times the kernels of weight [c, m, …], to the
// output from place·stride - pad on. Groups of input channels give groups of output channels.
func convTranspose(ctx context.Context, n *node) ([]*Array, error) {
	x, weight, groups := n.in[0], n.in[1], n.Int("group", 1)
	w, err := windowOf(n)
	if err != nil {
		return nil, err
	}
	if len(weight.Shape) != len(x.Shape) || weight.Shape[0] != x.Shape[1] || weight.Shape[0]%groups != 0 {
		return nil, fmt.Errorf("a weight of %v does not fit %v in %d groups", weight.Shape, x.Shape, groups)
	}
	more := n.Ints("output_padding")
	for i := range 3 {
		w.out[i] = (w.in[i]-1)*w.stride[i] + w.dilation[i]*(w.kernel[i]-1) + 1 - w.before[i] - w.behind[i]
		if k := i - (3 - w.axes); k >= 0 && more != nil {
			w.out[i] += more[k]
		}
	}
	per := weight.Shape[1] // outputs of a group
	y := newArray(x.DType, w.shape(x.Shape[0], per*groups))
	in, out, kernel, taken := size(w.in), size(w.out), size(w.kernel), x.Shape[1]/groups
	err = parallel(ctx, x.Shape[0]*per*groups, func(plane int64) error {
		image, m := plane/(per*groups), plane%(per*groups)
		dst := y.Data[plane*out:][:out]
		if len(n.in) > 2 && n.in[2] != nil {
			for i := range dst {
				dst[i] = n.in[2].Data[m]
			}
		}
		for c := m / per * taken; c < (m/per+1)*taken; c++ {
			for i := range in {
				from := place(i, w.in)
				for k := range kernel {
					to, inside := int64(0), true
					for axis, element := range place(k, w.kernel) {
						at := from[axis]*w.stride[axis] - w.before[axis] + element*w.dilation[axis]
						inside = inside && at >= 0 && at < w.out[axis]
						to = to*w.out[axis] + at
					}
					if inside {
						dst[to] += x.Data[(image*x.Shape[1]+c)*in+i] * weight.Data[(c*per+m%per)*kernel+k]
					}
				}
			}
		}
		return nil
	})
	return []*Array{y}, err
}

// deformConv is DeformConv: a Conv whose kernel's element k reads from its place plus an offset (y, x), between pixels in
// proportion to the distance and outside of the map as 0, times a mask. Offsets are by group of input channels, kernel's
// element and place of the output.
func deformConv(ctx context.Context, n *node) ([]*Array, error) {
	x, weight, offset, groups, offsets := n.in[0], n.in[1], n.in[2], n.Int("group", 1), n.Int("offset_group", 1)
	w, err := slide(n)
	if err != nil {
		return nil, err
	}
	var bias, mask *Array
	if len(n.in) > 3 {
		bias = n.in[3]
	}
	if len(n.in) > 4 {
		mask = n.in[4]
	}
	outputs, taken := weight.Shape[0], weight.Shape[1]
	y := newArray(x.DType, w.shape(x.Shape[0], outputs))
	in, out, kernel := size(w.in), size(w.out), size(w.kernel)
	err = parallel(ctx, x.Shape[0]*outputs, func(plane int64) error {
		image, m := plane/outputs, plane%outputs
		for i := range out {
			o, total := place(i, w.out), 0.0
			for c := range taken {
				channel := m/(outputs/groups)*taken + c
				group := image*offsets + channel/(x.Shape[1]/offsets)
				for k := range kernel {
					element := place(k, w.kernel)
					py := float64(w.at(1, o[1], element[1])) + offset.Data[((group*kernel+k)*2)*out+i]
					px := float64(w.at(2, o[2], element[2])) + offset.Data[((group*kernel+k)*2+1)*out+i]
					v := between(x.Data[(image*x.Shape[1]+channel)*in:][:in], w.in[1], w.in[2], py, px)
					if mask != nil {
						v *= mask.Data[(group*kernel+k)*out+i]
					}
					total += v * weight.Data[(m*taken+c)*kernel+k]
				}
			}
			if bias != nil {
				total += bias.Data[m]
			}
			y.Data[plane*out+i] = total
		}
		return nil
	})
	return []*Array{y}, err
}

// between is the bilinear mean of the four pixels around a place, those outside of the map being 0.
func between(plane []float64, height, width int64, y, x float64) float64 {
	top, left, total := math.Floor(y), math.Floor(x), 0.0
	for _, py := range []float64{top, top + 1} {
		for _, px := range []float64{left, left + 1} {
			if py >= 0 && py < float64(height) && px >= 0 && px < float64(width) {
				total += (1 - math.Abs(y-py)) * (1 - math.Abs(x-px)) * plane[int64(py)*width+int64(px)]
			}
		}
	}
	return total
}
