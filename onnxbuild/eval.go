package onnxbuild

import (
	"fmt"
	"math"
	"slices"
)

// Array is a small tensor with its elements in memory, for computing nodes whose inputs are all constant. After each
// operator they are rounded to their type, as a runtime would do: to float32 first, and from there to a type of half the
// width.
type Array struct {
	DType DType
	Shape []int64
	Data  []float64
}

// ArrayOf reads a tensor.
func ArrayOf(t *Tensor) (*Array, error) {
	a := &Array{DType: t.DType, Shape: t.Shape, Data: make([]float64, t.Len())}
	if !t.DType.IsFloat() {
		for i, n := range t.Ints {
			a.Data[i] = float64(n)
		}
		return a, nil
	}
	floats, err := t.ReadAll()
	if err != nil {
		return nil, err
	}
	for i, f := range floats {
		a.Data[i] = float64(f)
	}
	return a, nil
}

// Tensor turns an array into an initializer.
func (a *Array) Tensor() *Tensor {
	if a.DType.IsFloat() {
		floats := make(Literal, len(a.Data))
		for i, x := range a.Data {
			floats[i] = float32(x)
		}
		return &Tensor{DType: a.DType, Shape: a.Shape, Floats: floats}
	}
	ints := make([]int64, len(a.Data))
	for i, x := range a.Data {
		ints[i] = int64(x)
	}
	return &Tensor{DType: a.DType, Shape: a.Shape, Ints: ints}
}

// round makes the elements numbers of the array's type.
func (a *Array) round() *Array {
	if a.DType.IsFloat() {
		for i, x := range a.Data {
			a.Data[i] = float64(a.DType.Round(float32(x)))
		}
	}
	return a
}

// maxFolded is the largest result that Eval computes, in elements.
const maxFolded = 1 << 22

// Eval computes the output of a node whose inputs are all constant. It fails for operators and sizes that are not folded.
func Eval(n *Node) (*Tensor, error) {
	if n.Op.eval == nil || len(n.Outputs) != 1 {
		return nil, fmt.Errorf("%s is not computed ahead", n.Op.Name)
	}
	out := Type{DType: n.Outputs[0].DType, Shape: n.Outputs[0].Shape}
	shape, ok := out.Shape.Static()
	if !ok {
		return nil, fmt.Errorf("%s has no static shape", n.Name)
	}
	if size := (&Tensor{Shape: shape}).Len(); size > maxFolded {
		return nil, fmt.Errorf("%s has %d elements, too many to be computed ahead", n.Name, size)
	}
	in := make([]*Array, len(n.Inputs))
	for i, v := range n.Inputs {
		if v == nil || v.Const == nil {
			return nil, fmt.Errorf("input %d of %s is not constant", i, n.Name)
		}
		if v.Const.Len() > maxFolded {
			return nil, fmt.Errorf("input %d of %s is too large to be computed ahead", i, n.Name)
		}
		var err error
		if in[i], err = ArrayOf(v.Const); err != nil {
			return nil, err
		}
	}
	a, err := n.Op.eval(n, in, out)
	if err != nil {
		return nil, err
	}
	for _, x := range a.Data {
		if !a.DType.IsFloat() && !(math.Abs(x) <= 1<<53 && a.DType.Holds(int64(x))) {
			return nil, fmt.Errorf("%g does not fit %s", x, a.DType)
		}
	}
	return a.round().Tensor(), nil
}

// evalBinary applies f to each pair of elements, with broadcasting.
func evalBinary(f func(a, b float64) float64) func(*Node, []*Array, Type) (*Array, error) {
	return func(_ *Node, in []*Array, out Type) (*Array, error) {
		shape, _ := out.Shape.Static()
		x, y := in[0].expand(shape), in[1].expand(shape)
		r := &Array{out.DType, shape, make([]float64, len(x))}
		for i := range x {
			r.Data[i] = f(x[i], y[i])
		}
		return r, nil
	}
}

func evalDiv(n *Node, in []*Array, out Type) (*Array, error) {
	if !out.DType.IsFloat() {
		return nil, fmt.Errorf("only floats are divided")
	}
	return evalBinary(func(a, b float64) float64 { return a / b })(n, in, out)
}

func evalUnary(f func(float64) float64) func(*Node, []*Array, Type) (*Array, error) {
	return func(_ *Node, in []*Array, out Type) (*Array, error) {
		r := &Array{out.DType, in[0].Shape, make([]float64, len(in[0].Data))}
		for i, x := range in[0].Data {
			r.Data[i] = f(x)
		}
		return r, nil
	}
}

func evalCast(_ *Node, in []*Array, out Type) (*Array, error) {
	r := &Array{out.DType, in[0].Shape, slices.Clone(in[0].Data)}
	for i, x := range r.Data {
		switch {
		case out.DType == Bool:
			r.Data[i] = truth(x != 0)
		case out.DType.IsInteger():
			if !(math.Abs(x) < 1<<53) || !out.DType.Holds(int64(x)) {
				return nil, fmt.Errorf("%g is not converted to %s ahead: machines differ", x, out.DType)
			}
			r.Data[i] = math.Trunc(x)
		}
	}
	return r, nil
}

func evalSoftmax(n *Node, in []*Array, out Type) (*Array, error) {
	x := in[0]
	a, err := axis(n.Int("axis", -1), len(x.Shape))
	if err != nil {
		return nil, err
	}
	r := &Array{out.DType, x.Shape, make([]float64, len(x.Data))}
	size, inner := x.Shape[a], int64(1)
	for _, d := range x.Shape[a+1:] {
		inner *= d
	}
	for start := range int64(len(x.Data)) {
		if start/inner%size != 0 {
			continue // start is the first element of a lane
		}
		top, sum := math.Inf(-1), 0.0
		for k := range size {
			top = max(top, x.Data[start+k*inner])
		}
		for k := range size {
			e := exp(x.Data[start+k*inner] - top)
			r.Data[start+k*inner] = e
			sum += e
		}
		for k := range size {
			r.Data[start+k*inner] /= sum
		}
	}
	return r, nil
}

// exp is eˣ for x ≤ 0, the same on every machine: math.Exp has assembly on some. The argument is halved until it is
// small, the Taylor series summed, and the result squared back; the relative error stays under 1e-11.
func exp(x float64) float64 {
	if x < -745 {
		return 0
	}
	halvings := 0
	for ; x < -0.25; x /= 2 {
		halvings++
	}
	sum, item := 1.0, 1.0
	for k := 1.0; k < 14; k++ {
		item = float64(item*x) / k
		sum = float64(sum + item)
	}
	for range halvings {
		sum = float64(sum * sum)
	}
	return sum
}

// expand broadcasts the elements to a shape that the array's shape fits.
func (a *Array) expand(shape []int64) []float64 {
	if slices.Equal(a.Shape, shape) {
		return a.Data
	}
	strides := make([]int64, len(shape))
	for i, step := range a.strides() {
		if a.Shape[i] != 1 {
			strides[len(shape)-len(a.Shape)+i] = step
		}
	}
	return a.gather(shape, strides, 0)
}

// strides are how far apart elements are that follow each other along each axis.
func (a *Array) strides() []int64 {
	strides, step := make([]int64, len(a.Shape)), int64(1)
	for i, d := range slices.Backward(a.Shape) {
		strides[i], step = step, step*d
	}
	return strides
}

// gather takes the elements for a new shape, along whose axes it steps as given.
func (a *Array) gather(shape, strides []int64, first int64) []float64 {
	out := make([]float64, (&Tensor{Shape: shape}).Len())
	walkIndex(shape, strides, first, func(i, from int64) { out[i] = a.Data[from] })
	return out
}

// walkIndex calls visit for each index of a shape in C order: i counts them, at steps along as the strides say.
func walkIndex(shape, strides []int64, at int64, visit func(i, at int64)) {
	index := make([]int64, len(shape))
	for i := range (&Tensor{Shape: shape}).Len() {
		visit(i, at)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			at += strides[d]
			if index[d] < shape[d] {
				break
			}
			at -= strides[d] * shape[d]
			index[d] = 0
		}
	}
}
