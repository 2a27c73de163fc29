package reference

import (
	"context"
	"fmt"
	"math"
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

// ints are the elements of an integer input. The largest int64, which says "to the end", is not a float64: the next one
// stands for it.
func (n *node) ints(i int) []int64 {
	list := make([]int64, len(n.in[i].Data))
	for k, x := range n.in[i].Data {
		if list[k] = int64(x); x >= 1<<63 {
			list[k] = math.MaxInt64
		}
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

// slice is Slice: along each of the axes the elements start, start+step, … before end, or with a negative step behind it.
// Negative places count from the end; places outside are moved to the edge.
func slice(_ context.Context, n *node) ([]*Array, error) {
	x := n.in[0]
	first, steps, shape := make([]int64, len(x.Shape)), make([]int64, len(x.Shape)), slices.Clone(x.Shape)
	for i := range steps {
		steps[i] = 1
	}
	starts, ends := n.ints(1), n.ints(2)
	for i, number := range n.ints(3) {
		a, err := axis(number, len(x.Shape))
		if err != nil {
			return nil, err
		}
		if len(n.in) > 4 {
			steps[a] = n.ints(4)[i]
		}
		size, low, high := x.Shape[a], int64(0), x.Shape[a]
		if steps[a] < 0 {
			low, high = -1, size-1
		}
		for k, at := range []int64{starts[i], ends[i]} {
			if at < 0 {
				at += size
			}
			if k == 0 {
				first[a] = min(max(at, 0), high)
			} else {
				shape[a] = max(0, (min(max(at, low), high)-first[a]+steps[a]-sign(steps[a]))/steps[a])
			}
		}
	}
	y, index := newArray(x.DType, shape), make([]int64, len(shape))
	for i := range y.Data {
		from := int64(0)
		for d, k := range index {
			from = from*x.Shape[d] + first[d] + k*steps[d]
		}
		y.Data[i] = x.Data[from]
		increment(index, shape)
	}
	return []*Array{y}, nil
}

// sign is 1 or -1.
func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
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

// rangeOf is Range: start, start + step, … up to and without limit.
func rangeOf(_ context.Context, n *node) ([]*Array, error) {
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

// flatten is Flatten: a matrix of x, whose rows are the axes before the given one.
func flatten(_ context.Context, n *node) ([]*Array, error) {
	x, a := n.in[0], n.Int("axis", 1)
	return []*Array{{x.DType, []int64{product(x.Shape[:a]), product(x.Shape[a:])}, x.Data}}, nil
}

// squeeze is Squeeze: without axes of size 1.
func squeeze(_ context.Context, n *node) ([]*Array, error) {
	x, shape := n.in[0], slices.Clone(n.in[0].Shape)
	for _, number := range n.ints(1) {
		a, err := axis(number, len(shape))
		if err != nil {
			return nil, err
		}
		if x.Shape[a] != 1 {
			return nil, fmt.Errorf("axis %d of %v is not of size 1", a, x.Shape)
		}
		shape[a] = -1
	}
	return []*Array{{x.DType, slices.DeleteFunc(shape, func(d int64) bool { return d < 0 }), x.Data}}, nil
}

// unsqueeze is Unsqueeze: with axes of size 1 at the given places of the result.
func unsqueeze(_ context.Context, n *node) ([]*Array, error) {
	x, axes := n.in[0], n.ints(1)
	shape := make([]int64, len(x.Shape)+len(axes))
	for _, number := range axes {
		a, err := axis(number, len(shape))
		if err != nil {
			return nil, err
		}
		shape[a] = 1
	}
	rest := x.Shape
	for i := range shape {
		if shape[i] == 0 {
			shape[i], rest = rest[0], rest[1:]
		}
	}
	return []*Array{{x.DType, shape, x.Data}}, nil
}

// tile is Tile: index i of the output is index i modulo the size of the input.
func tile(_ context.Context, n *node) ([]*Array, error) {
	x, shape := n.in[0], slices.Clone(n.in[0].Shape)
	for i, k := range n.ints(1) {
		shape[i] *= k
	}
	return remapped(x, shape, func(_ int, i, size int64) int64 { return i % size })
}

// remapped makes an array of another size: index i of axis d is index from(d, i, size) of x, along which that is the size.
func remapped(x *Array, shape []int64, from func(d int, i, size int64) int64) ([]*Array, error) {
	y, index := newArray(x.DType, shape), make([]int64, len(shape))
	for i := range y.Data {
		at := int64(0)
		for d, k := range index {
			at = at*x.Shape[d] + from(d, k, x.Shape[d])
		}
		y.Data[i] = x.Data[at]
		increment(index, shape)
	}
	return []*Array{y}, nil
}
