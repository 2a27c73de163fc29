package reference

import (
	"context"
	"fmt"
	"slices"

	"ysc2onnx/onnxbuild"
)

// axis turns a possibly negative axis into an index.
func axis(a int64, rank int) (int, error) {
	i := a
	if i < 0 {
		i += int64(rank)
	}
	if i < 0 || i >= int64(rank) {
		return 0, fmt.Errorf("there is no axis %d in rank %d", a, rank)
	}
	return int(i), nil
}

// ints are the elements of an integer input.
func (n *node) ints(i int) []int64 {
	list := make([]int64, len(n.in[i].Data))
	for k, x := range n.in[i].Data {
		list[k] = int64(x)
	}
	return list
}

// reshape is Reshape: 0 copies the size of x at that place, and -1 is what is left over.
func reshape(_ context.Context, n *node) ([]*Array, error) {
	x, shape := n.in[0], n.ints(1)
	rest, hole := int64(len(x.Data)), -1
	for i, d := range shape {
		switch {
		case d == 0 && i < len(x.Shape):
			shape[i] = x.Shape[i]
		case d == -1 && hole < 0:
			hole = i
			continue
		}
		if shape[i] < 1 || rest%shape[i] != 0 {
			return nil, fmt.Errorf("%v does not fit into %v", x.Shape, n.ints(1))
		}
		rest /= shape[i]
	}
	if hole >= 0 {
		shape[hole] = rest
	}
	return []*Array{{x.DType, shape, x.Data}}, nil
}

// transpose is Transpose: axis i of the output is axis perm[i] of the input.
func transpose(_ context.Context, n *node) ([]*Array, error) {
	x, perm := n.in[0], n.Ints("perm")
	if len(perm) != len(x.Shape) {
		return nil, fmt.Errorf("%v does not permute the axes of %v", perm, x.Shape)
	}
	shape, steps := make([]int64, len(perm)), make([]int64, len(perm))
	for i, p := range perm {
		a, err := axis(p, len(perm))
		if err != nil {
			return nil, err
		}
		shape[i], steps[i] = x.Shape[a], product(x.Shape[a+1:])
	}
	y, index := newArray(x.DType, shape), make([]int64, len(shape))
	for i := range y.Data {
		from := int64(0)
		for d, k := range index {
			from += k * steps[d]
		}
		y.Data[i] = x.Data[from]
		increment(index, shape)
	}
	return []*Array{y}, nil
}

// shape is Shape: the list of the sizes.
func shape(_ context.Context, n *node) ([]*Array, error) {
	y := newArray(onnxbuild.Int64, []int64{int64(len(n.in[0].Shape))})
	for i, d := range n.in[0].Shape {
		y.Data[i] = float64(d)
	}
	return []*Array{y}, nil
}

// cut is the elements from … to-1 of one axis.
func (a *Array) cut(axis int, from, to int64) (*Array, error) {
	size := a.Shape[axis]
	if from < 0 || from > to || to > size {
		return nil, fmt.Errorf("elements %d to %d of axis %d are outside of %v", from, to, axis, a.Shape)
	}
	shape := slices.Clone(a.Shape)
	shape[axis] = to - from
	y, step := &Array{DType: a.DType, Shape: shape}, product(a.Shape[axis+1:])
	for outer := range product(a.Shape[:axis]) {
		y.Data = append(y.Data, a.Data[(outer*size+from)*step:(outer*size+to)*step]...)
	}
	return y, nil
}

// slice is Slice along one axis, in steps of 1.
func slice(_ context.Context, n *node) ([]*Array, error) {
	starts, ends, axes := n.ints(1), n.ints(2), n.ints(3)
	if len(starts) != 1 || len(ends) != 1 || len(axes) != 1 || len(n.in) > 4 {
		return nil, fmt.Errorf("a cut along one axis in steps of 1 is expected")
	}
	a, err := axis(axes[0], len(n.in[0].Shape))
	if err != nil {
		return nil, err
	}
	y, err := n.in[0].cut(a, starts[0], ends[0])
	return []*Array{y}, err
}

// split is Split into parts of given sizes.
func split(_ context.Context, n *node) ([]*Array, error) {
	a, err := axis(n.Int("axis", 0), len(n.in[0].Shape))
	if err != nil {
		return nil, err
	}
	var parts []*Array
	from := int64(0)
	for _, size := range n.ints(1) {
		part, err := n.in[0].cut(a, from, from+size)
		if err != nil {
			return nil, err
		}
		parts, from = append(parts, part), from+size
	}
	return parts, nil
}

// concat is Concat: the inputs one after the other along one axis.
func concat(_ context.Context, n *node) ([]*Array, error) {
	first := n.in[0]
	a, err := axis(n.Int("axis", 0), len(first.Shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(first.Shape)
	shape[a] = 0
	for _, x := range n.in {
		if len(x.Shape) != len(shape) || !slices.Equal(x.Shape[:a], first.Shape[:a]) || !slices.Equal(x.Shape[a+1:], first.Shape[a+1:]) {
			return nil, fmt.Errorf("%v and %v cannot be joined along axis %d", first.Shape, x.Shape, a)
		}
		shape[a] += x.Shape[a]
	}
	y := &Array{DType: first.DType, Shape: shape}
	for outer := range product(shape[:a]) {
		for _, x := range n.in {
			run := product(x.Shape[a:])
			y.Data = append(y.Data, x.Data[outer*run:][:run]...)
		}
	}
	return []*Array{y}, nil
}

// expand is Expand: broadcasting to a shape.
func expand(_ context.Context, n *node) ([]*Array, error) {
	shape, err := broadcast(n.in[0].Shape, n.ints(1))
	if err != nil {
		return nil, err
	}
	return []*Array{{n.in[0].DType, shape, n.in[0].spread(shape)}}, nil
}

// count is Range: start, start + step, … up to and without limit.
func count(_ context.Context, n *node) ([]*Array, error) {
	start, limit, step := n.in[0].Data[0], n.in[1].Data[0], n.in[2].Data[0]
	if !(step > 0) || (limit-start)/step > maxElements {
		return nil, fmt.Errorf("a range from %g to %g in steps of %g is not expected", start, limit, step)
	}
	y := &Array{DType: n.in[0].DType}
	for x := start; x < limit; x += step {
		y.Data = append(y.Data, x)
	}
	y.Shape = []int64{int64(len(y.Data))}
	return []*Array{y}, nil
}

// resize is Resize to the nearest pixel, as PyTorch's Upsample does it: with coordinate_transformation_mode asymmetric and
// nearest_mode floor, pixel o of an axis is pixel ⌊o / scale⌋ of the input.
func resize(_ context.Context, n *node) ([]*Array, error) {
	for name, want := range map[string]string{"coordinate_transformation_mode": "asymmetric", "mode": "nearest", "nearest_mode": "floor"} {
		if got := n.Text(name, ""); got != want {
			return nil, fmt.Errorf("%s is %q, expected %q", name, got, want)
		}
	}
	x, scales := n.in[0], n.in[2].Data
	if len(scales) != len(x.Shape) {
		return nil, fmt.Errorf("%d scales are given for %v", len(scales), x.Shape)
	}
	shape := make([]int64, len(scales))
	for i, s := range scales {
		shape[i] = int64(float64(x.Shape[i]) * s)
	}
	y, index := newArray(x.DType, shape), make([]int64, len(shape))
	for i := range y.Data {
		from := int64(0)
		for d, k := range index {
			from = from*x.Shape[d] + int64(float64(k)/scales[d])
		}
		y.Data[i] = x.Data[from]
		increment(index, shape)
	}
	return []*Array{y}, nil
}
