package onnxbuild

import (
	"fmt"
	"math"
	"slices"
)

// Reduction is an operator that makes one number from many.
type Reduction struct{ op *Op }

// The reductions: the arithmetic mean, the largest, the smallest, the sum, the product, and the square root of the sum of
// the squares.
var (
	Mean = Reduction{register(Op{Name: "ReduceMean", infer: inferReduce, form: formReduce(18)})}
	Max  = Reduction{register(Op{Name: "ReduceMax", infer: inferReduce, form: formReduce(18), eval: evalReduce(math.Inf(-1), func(a, b float64) float64 { return max(a, b) })})}
	Min  = Reduction{register(Op{Name: "ReduceMin", infer: inferReduce, form: formReduce(18), eval: evalReduce(math.Inf(1), func(a, b float64) float64 { return min(a, b) })})}
	Sum  = Reduction{register(Op{Name: "ReduceSum", infer: inferReduce, form: formReduce(13)})}
	Prod = Reduction{register(Op{Name: "ReduceProd", infer: inferReduce, form: formReduce(18), eval: evalReduce(1, func(a, b float64) float64 { return a * b })})}
	L2   = Reduction{register(Op{Name: "ReduceL2", infer: inferReduce, form: formReduce(18)})}
)

// Reduce makes one number from all elements that differ in the given axes only. The axes stay, with size 1, where keep says
// so, and go otherwise.
func (b Builder) Reduce(r Reduction, x *Value, keep bool, axes ...int64) *Value {
	keepdims := int64(0)
	if keep {
		keepdims = 1
	}
	return b.add1(r.op, []Attr{{"keepdims", keepdims}}, x, b.Ints(r.op.Name+"/axes", axes...))
}

// ReduceMean averages over axes, which stay with size 1.
func (b Builder) ReduceMean(x *Value, axes ...int64) *Value { return b.Reduce(Mean, x, true, axes...) }

// ReduceSum adds over axes, which stay with size 1.
func (b Builder) ReduceSum(x *Value, axes ...int64) *Value { return b.Reduce(Sum, x, true, axes...) }

// ReduceL2 is the square root of the sum of the squares over axes, which stay with size 1.
func (b Builder) ReduceL2(x *Value, axes ...int64) *Value { return b.Reduce(L2, x, true, axes...) }

// ReduceProd multiplies over axes, which stay with size 1.
func (b Builder) ReduceProd(x *Value, axes ...int64) *Value { return b.Reduce(Prod, x, true, axes...) }

func inferReduce(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	if t := x.DType; !t.IsFloat() && t != Int32 && t != Int64 {
		return nil, fmt.Errorf("the input is %s, expected a float type, int32 or int64", t)
	}
	reduced, err := n.axisList(1, len(x.Shape))
	if err != nil {
		return nil, err
	}
	if len(reduced) == 0 {
		return nil, fmt.Errorf("no axis is given") // ONNX would reduce all of them
	}
	var shape Shape
	for i, d := range x.Shape {
		switch {
		case !slices.Contains(reduced, i):
			shape = append(shape, d)
		case n.Int("keepdims", 1) == 1:
			shape = append(shape, D(1))
		}
	}
	return single(x.DType, shape)
}

// axisList reads a constant list of axes, of a tensor of the given rank; each may be named once.
func (n *Node) axisList(i, rank int) ([]int, error) {
	list, err := n.constInts(i)
	if err != nil {
		return nil, err
	}
	var axes []int
	for _, number := range list {
		a, err := axis(number, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(axes, a) {
			return nil, fmt.Errorf("axis %d is given twice", number)
		}
		axes = append(axes, a)
	}
	return axes, nil
}

// formReduce: before the given opset the axes were an attribute.
func formReduce(since int) func(n *Node, opset int) ([]WireNode, error) {
	return axesSince(since, func(w *WireNode, axes Attr) { w.Attrs = append([]Attr{axes}, w.Attrs...) })
}

// axesSince writes an operator whose axes, its input 1, were an attribute before an opset.
func axesSince(first int, put func(w *WireNode, axes Attr)) func(n *Node, opset int) ([]WireNode, error) {
	return func(n *Node, opset int) ([]WireNode, error) {
		w := wire(n)
		if opset < first {
			axes, err := n.constInts(1)
			if err != nil {
				return nil, err
			}
			w.Inputs = w.Inputs[:1]
			put(&w, Attr{"axes", axes})
		}
		return []WireNode{w}, nil
	}
}

// evalReduce folds f over the elements, in their order.
func evalReduce(start float64, f func(a, b float64) float64) func(*Node, []*Array, Type) (*Array, error) {
	return func(n *Node, in []*Array, out Type) (*Array, error) {
		x := in[0]
		reduced, err := n.axisList(1, len(x.Shape))
		if err != nil {
			return nil, err
		}
		steps, step := make([]int64, len(x.Shape)), int64(1) // 0 along what is reduced
		for i, d := range slices.Backward(x.Shape) {
			if !slices.Contains(reduced, i) {
				steps[i], step = step, step*d
			}
		}
		shape, _ := out.Shape.Static()
		r := &Array{out.DType, shape, slices.Repeat([]float64{start}, int(step))}
		walkIndex(x.Shape, steps, 0, func(i, to int64) { r.Data[to] = f(r.Data[to], x.Data[i]) })
		return r, nil
	}
}
