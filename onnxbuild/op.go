package onnxbuild

import (
	"fmt"
	"slices"
)

// Op is an operator of ONNX's default domain.
type Op struct {
	Name string

	// infer checks a node and gives the types of its outputs.
	infer func(n *Node) ([]Type, error)

	// form writes a node as it has to look at an opset; nil where it looks the same at all of them.
	form func(n *Node, opset int) ([]WireNode, error)

	// eval computes the only output from constant inputs; nil where the operator is never folded.
	eval func(n *Node, in []*Array, out Type) (*Array, error)
}

// Type is what is known of a value before the model runs.
type Type struct {
	DType   DType
	Shape   Shape
	content []Dim
}

var ops = map[string]*Op{}

// register adds an operator; each is registered once, by the file that holds it.
func register(op Op) *Op {
	if ops[op.Name] != nil {
		panic("onnxbuild: operator " + op.Name + " is registered twice")
	}
	ops[op.Name] = &op
	return &op
}

// OpNames lists the operators that the package can write, sorted.
func OpNames() []string {
	names := make([]string, 0, len(ops))
	for name := range ops {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Foldable reports whether nodes of the operator can be computed by [Graph.Eval].
func (op *Op) Foldable() bool { return op.eval != nil }

// single is the result of an infer function with a single output.
func single(t DType, s Shape) ([]Type, error) { return []Type{{DType: t, Shape: s}}, nil }

// input gives the i-th input of a node, nil where it is left out.
func (n *Node) input(i int) *Value {
	if i < len(n.Inputs) {
		return n.Inputs[i]
	}
	return nil
}

// needInputs checks how many inputs are given, and that they are of the given types (0: any).
func (n *Node) needInputs(types ...DType) error {
	for i, t := range types {
		switch v := n.input(i); {
		case v == nil:
			return fmt.Errorf("input %d is missing", i)
		case t != 0 && v.DType != t:
			return fmt.Errorf("input %d is %s, expected %s", i, v.DType, t)
		}
	}
	return nil
}

// needFloats checks that the given inputs are there and of one floating point type.
func (n *Node) needFloats(list ...int) error {
	for _, i := range list {
		switch v := n.input(i); {
		case v == nil:
			return fmt.Errorf("input %d is missing", i)
		case !v.DType.IsFloat():
			return fmt.Errorf("input %d is %s, expected a float type", i, v.DType)
		case v.DType != n.Inputs[list[0]].DType:
			return fmt.Errorf("input %d is %s, input %d is %s", i, v.DType, list[0], n.Inputs[list[0]].DType)
		}
	}
	return nil
}

// constInts gives the content of a constant integer input.
func (n *Node) constInts(i int) ([]int64, error) {
	v := n.input(i)
	if v == nil || v.Const == nil || v.Const.DType != Int64 {
		return nil, fmt.Errorf("input %d must be a constant list of integers", i)
	}
	return v.Const.Ints, nil
}

// axis turns a possibly negative axis into an index.
func axis(a int64, rank int) (int, error) {
	i := a
	if i < 0 {
		i += int64(rank)
	}
	if i < 0 || i >= int64(rank) {
		return 0, fmt.Errorf("axis %d is outside a tensor of rank %d", a, rank)
	}
	return int(i), nil
}
