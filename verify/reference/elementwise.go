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

// each applies f to every element.
func each(f func(n *node, x float64) float64) definition {
	return func(_ context.Context, n *node) ([]*Array, error) {
		y := newArray(n.in[0].DType, n.in[0].Shape)
		for i, x := range n.in[0].Data {
			y.Data[i] = f(n, x)
		}
		return []*Array{y}, nil
	}
}

func squareRoot(_ *node, x float64) float64 { return math.Sqrt(x) }

// sigmoid is 1 / (1 + e^-x).
func sigmoid(_ *node, x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func relu(_ *node, x float64) float64 { return max(x, 0) }

// leakyRelu is x, or alpha · x below 0.
func leakyRelu(n *node, x float64) float64 {
	if x < 0 {
		return float64(n.Float("alpha", 0.01)) * x
	}
	return x
}

// hardSwish is x · max(0, min(1, x/6 + 1/2)).
func hardSwish(_ *node, x float64) float64 { return x * max(0, min(1, x/6+0.5)) }

// cast is Cast: fractions are cut off towards 0, and whatever is not 0 is true.
func cast(_ context.Context, n *node) ([]*Array, error) {
	y := newArray(onnxbuild.DType(n.Int("to", 0)), n.in[0].Shape)
	for i, x := range n.in[0].Data {
		switch y.DType {
		case onnxbuild.Float32:
			y.Data[i] = x
		case onnxbuild.Int64:
			if !(math.Abs(x) < 1<<53) {
				return nil, fmt.Errorf("%g has no integer that every machine agrees on", x)
			}
			y.Data[i] = math.Trunc(x)
		case onnxbuild.Bool:
			y.Data[i] = number(x != 0)
		default:
			return nil, fmt.Errorf("a cast to %s is not expected", y.DType)
		}
	}
	return []*Array{y}, nil
}
