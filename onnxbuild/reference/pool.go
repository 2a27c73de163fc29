package reference

import (
	"context"
	"math"
)

// pool applies f to the elements under each place of a window. reach is how many elements of map and padding
// there are under it.
func pool(f func(n *node, elements []float64, reach int64) float64) definition {
	return func(ctx context.Context, n *node) ([]*Array, error) {
		x := n.in[0]
		w, err := slide(n)
		if err != nil {
			return nil, err
		}
		y := newArray(x.DType, w.shape(x.Shape[0], x.Shape[1]))
		in, out := size(w.in), size(w.out)
		err = parallel(ctx, x.Shape[0]*x.Shape[1], func(c int64) error {
			var under []float64
			plane := x.Data[c*in:][:in]
			for i := range out {
				under = under[:0]
				o := place(i, w.out)
				w.under(o, func(k int64) { under = append(under, plane[k]) })
				y.Data[c*out+i] = f(n, under, w.reach(o))
			}
			return nil
		})
		return []*Array{y}, err
	}
}

// reach is how many elements of the map and its padding lie under the kernel; what hangs over both does not count.
func (w *window) reach(o [3]int64) int64 {
	count := int64(1)
	for axis, i := range o {
		from := i*w.stride[axis] - w.before[axis]
		count *= min(from+w.kernel[axis], w.in[axis]+w.behind[axis]) - from
	}
	return count
}

// largest is MaxPool: the largest element under the kernel, the padding left out.
func largest(_ *node, elements []float64, _ int64) float64 { return most(elements) }

// averaged is AveragePool: the sum of the elements under the kernel, divided by how many there are, with the padding or
// without.
func averaged(n *node, elements []float64, reach int64) float64 {
	if n.Int("count_include_pad", 0) == 1 {
		return sum(elements) / float64(reach)
	}
	return mean(elements)
}

// global applies f to each channel's map.
func global(f func([]float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		x := n.in[0]
		size, err := channels(x)
		if err != nil {
			return nil, err
		}
		shape := []int64{x.Shape[0], x.Shape[1]}
		for range x.Shape[2:] {
			shape = append(shape, 1)
		}
		y := newArray(x.DType, shape)
		for i := range y.Data {
			y.Data[i] = f(x.Data[int64(i)*size:][:size])
		}
		return []*Array{y}, nil
	}
}

// most is the largest of some numbers, least the smallest.
func most(list []float64) float64 {
	best := math.Inf(-1)
	for _, x := range list {
		best = max(best, x)
	}
	return best
}

func least(list []float64) float64 {
	best := math.Inf(1)
	for _, x := range list {
		best = min(best, x)
	}
	return best
}
