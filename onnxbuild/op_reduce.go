package onnxbuild

import (
	"fmt"
	"slices"
)

var (
	opReduceMean = register(Op{Name: "ReduceMean", infer: inferReduce, form: formReduce(18)})
	opReduceSum  = register(Op{Name: "ReduceSum", infer: inferReduce, form: formReduce(13)})
	opReduceL2   = register(Op{Name: "ReduceL2", infer: inferReduce, form: formReduce(18)})
	opReduceProd = register(Op{Name: "ReduceProd", infer: inferReduce, form: formReduce(18), eval: evalReduceProd})
)

// ReduceMean averages over axes, which stay with size 1.
func (b Builder) ReduceMean(x *Value, axes ...int64) *Value { return b.reduce(opReduceMean, x, axes) }

// ReduceSum adds over axes, which stay with size 1.
func (b Builder) ReduceSum(x *Value, axes ...int64) *Value { return b.reduce(opReduceSum, x, axes) }

// ReduceL2 is the square root of the sum of the squares over axes, which stay with size 1.
func (b Builder) ReduceL2(x *Value, axes ...int64) *Value { return b.reduce(opReduceL2, x, axes) }

// ReduceProd multiplies over axes, which stay with size 1.
func (b Builder) ReduceProd(x *Value, axes ...int64) *Value { return b.reduce(opReduceProd, x, axes) }

func (b Builder) reduce(op *Op, x *Value, axes []int64) *Value {
	return b.add1(op, []Attr{{"keepdims", int64(1)}}, x, b.Ints(op.Name+"/axes", axes...))
}

func inferReduce(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	axes, err := n.constInts(1)
	if err != nil {
		return nil, err
	}
	if len(axes) == 0 {
		return nil, fmt.Errorf("no axis is given") // ONNX would reduce all of them
	}
	shape := slices.Clone(x.Shape)
	for _, a := range axes {
		i, err := axis(a, len(shape))
		if err != nil {
			return nil, err
		}
		shape[i] = D(1)
	}
	return one(x.DType, shape)
}

// formReduce: before the given opset the axes were an attribute.
func formReduce(since int) func(n *Node, opset int) ([]WireNode, error) {
	return func(n *Node, opset int) ([]WireNode, error) {
		w := wire(n)
		if opset < since {
			axes, err := n.constInts(1)
			if err != nil {
				return nil, err
			}
			w.Inputs = w.Inputs[:1]
			w.Attrs = append([]Attr{{"axes", axes}}, w.Attrs...)
		}
		return []WireNode{w}, nil
	}
}

func evalReduceProd(_ *Node, in []*Array, out Type) (*Array, error) {
	shape, ok := out.Shape.Static()
	if !ok || len(in[0].Shape) != 1 {
		return nil, fmt.Errorf("only products of whole lists are computed")
	}
	product := float64(1)
	for _, x := range in[0].Data {
		product *= x
	}
	return &Array{out.DType, shape, []float64{product}}, nil
}
