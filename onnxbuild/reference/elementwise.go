package reference

import (
	"context"
	"fmt"
	"math"

	"ysc2onnx/onnxbuild"
)

// broadcast is the shape that two shapes have in common: aligned at the last axis, sizes are equal or one of them is 1.
func broadcast(a, b []int64) ([]int64, error) {
	out := make([]int64, max(len(a), len(b)))
	for i := range out {
		x, y := sizeAt(a, i-len(out)), sizeAt(b, i-len(out))
		switch {
		case x == y || y == 1:
			out[i] = x
		case x == 1:
			out[i] = y
		default:
			return nil, fmt.Errorf("the shapes %v and %v do not broadcast", a, b)
		}
	}
	return out, nil
}

// sizeAt is the size of an axis counted from behind, -1 being the last; 1 before the first.
func sizeAt(shape []int64, axis int) int64 {
	if i := axis + len(shape); i >= 0 {
		return shape[i]
	}
	return 1
}

// spread gives the elements of an array in a larger shape that it broadcasts to.
func (a *Array) spread(shape []int64) []float64 {
	if product(shape) == int64(len(a.Data)) {
		return a.Data // only axes of size 1 are new
	}
	out := make([]float64, product(shape))
	steps := make([]int64, len(shape)) // how far the next element along each axis of the new shape is
	for i, step := len(shape)-1, int64(1); i >= 0; i-- {
		size := sizeAt(a.Shape, i-len(shape))
		if size != 1 {
			steps[i] = step
		}
		step *= size
	}
	index := make([]int64, len(shape))
	for i := range out {
		from := int64(0)
		for d, k := range index {
			from += k * steps[d]
		}
		out[i] = a.Data[from]
		increment(index, shape)
	}
	return out
}

// increment steps an index on to the next element in C order.
func increment(index, shape []int64) {
	for d := len(shape) - 1; d >= 0; d-- {
		if index[d]++; index[d] < shape[d] {
			return
		}
		index[d] = 0
	}
}

// pairs applies f to each pair of elements, with broadcasting. Integer quotients are not among them: ONNX rounds those.
func pairs(f func(a, b float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		y, err := zip(n, n.in[0].DType, f)
		return []*Array{y}, err
	}
}

// comparison applies a predicate to each pair of elements, with broadcasting.
func comparison(f func(a, b float64) bool) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		y, err := zip(n, onnxbuild.Bool, func(a, b float64) float64 { return number(f(a, b)) })
		return []*Array{y}, err
	}
}

func zip(n *node, to onnxbuild.DType, f func(a, b float64) float64) (*Array, error) {
	a, b := n.in[0], n.in[1]
	if a.DType != b.DType {
		return nil, fmt.Errorf("the inputs are %s and %s, expected one type", a.DType, b.DType)
	}
	if n.Op.Name == "Div" && !a.DType.IsFloat() {
		return nil, fmt.Errorf("the inputs are %s; only floats are divided", a.DType)
	}
	shape, err := broadcast(a.Shape, b.Shape)
	if err != nil {
		return nil, err
	}
	y := newArray(to, shape)
	left, right := a.spread(shape), b.spread(shape)
	for i := range y.Data {
		y.Data[i] = f(left[i], right[i])
	}
	return y, nil
}

// number is a truth value as ONNX casts it.
func number(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// forEach applies f to every element.
func forEach(f func(n *node, x float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		y := newArray(n.in[0].DType, n.in[0].Shape)
		for i, x := range n.in[0].Data {
			y.Data[i] = f(n, x)
		}
		return []*Array{y}, nil
	}
}

// only applies f, which does not depend on the node.
func only(f func(x float64) float64) definition {
	return forEach(func(_ *node, x float64) float64 { return f(x) })
}

// fold folds f over any number of inputs, with broadcasting.
func fold(f func(a, b float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		y := n.in[0]
		for _, x := range n.in[1:] {
			next, err := zip(&node{n.Node, []*Array{y, x}, nil}, y.DType, f)
			if err != nil {
				return nil, err
			}
			y = next
		}
		return []*Array{{y.DType, y.Shape, y.Data}}, nil
	}
}

// where is Where: the second input where the first is true, else the third.
func where(_ context.Context, n *node) ([]*Array, error) {
	shape := n.in[0].Shape
	for _, x := range n.in[1:] {
		var err error
		if shape, err = broadcast(shape, x.Shape); err != nil {
			return nil, err
		}
	}
	y := newArray(n.in[1].DType, shape)
	condition, yes, no := n.in[0].spread(shape), n.in[1].spread(shape), n.in[2].spread(shape)
	for i := range y.Data {
		if y.Data[i] = no[i]; condition[i] != 0 {
			y.Data[i] = yes[i]
		}
	}
	return []*Array{y}, nil
}

// cast is Cast: fractions are cut off towards 0, and whatever is not 0 is true. Numbers are not rounded to a type of fewer
// bits: that is the error of the runtime, which the tolerance of the type allows for.
func cast(_ context.Context, n *node) ([]*Array, error) {
	y := newArray(onnxbuild.DType(n.Int("to", 0)), n.in[0].Shape)
	for i, x := range n.in[0].Data {
		switch {
		case y.DType.IsFloat():
			y.Data[i] = x
		case y.DType == onnxbuild.Bool:
			y.Data[i] = number(x != 0)
		case !(math.Abs(x) < 1<<53) || !y.DType.Holds(int64(x)):
			return nil, fmt.Errorf("%g has no %s that every machine agrees on", x, y.DType)
		default:
			y.Data[i] = math.Trunc(x)
		}
	}
	return []*Array{y}, nil
}
