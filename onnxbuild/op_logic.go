package onnxbuild

import "fmt"

// Comparisons, truth values and choices, with ONNX's multidirectional broadcasting.
var (
	opGreater        = register(Op{Name: "Greater", infer: inferCompare, eval: evalBinary(func(a, b float64) float64 { return truth(a > b) })})
	opGreaterOrEqual = register(Op{Name: "GreaterOrEqual", infer: inferCompare, form: since(12, orEqualParts("Greater")),
		eval: evalBinary(func(a, b float64) float64 { return truth(a >= b) })})
	opLess        = register(Op{Name: "Less", infer: inferCompare, eval: evalBinary(func(a, b float64) float64 { return truth(a < b) })})
	opLessOrEqual = register(Op{Name: "LessOrEqual", infer: inferCompare, form: since(12, orEqualParts("Less")),
		eval: evalBinary(func(a, b float64) float64 { return truth(a <= b) })})
	opEqual = register(Op{Name: "Equal", infer: inferEqual, eval: evalBinary(func(a, b float64) float64 { return truth(a == b) })})

	opAnd = register(Op{Name: "And", infer: inferTruths, eval: evalBinary(func(a, b float64) float64 { return a * b })})
	opOr  = register(Op{Name: "Or", infer: inferTruths, eval: evalBinary(func(a, b float64) float64 { return max(a, b) })})
	opNot = register(Op{Name: "Not", infer: inferTruths, eval: evalUnary(func(a float64) float64 { return 1 - a })})

	opWhere = register(Op{Name: "Where", infer: inferWhere, eval: evalWhere})
)

// Greater is a > b, as Bool.
func (b Builder) Greater(x, y *Value) *Value { return b.add1(opGreater, nil, x, y) }

// GreaterOrEqual is a ≥ b, as Bool.
func (b Builder) GreaterOrEqual(x, y *Value) *Value { return b.add1(opGreaterOrEqual, nil, x, y) }

// Less is a < b, as Bool.
func (b Builder) Less(x, y *Value) *Value { return b.add1(opLess, nil, x, y) }

// LessOrEqual is a ≤ b, as Bool.
func (b Builder) LessOrEqual(x, y *Value) *Value { return b.add1(opLessOrEqual, nil, x, y) }

// Equal is a = b, as Bool; truth values can be compared, too.
func (b Builder) Equal(x, y *Value) *Value { return b.add1(opEqual, nil, x, y) }

// And is true where both are.
func (b Builder) And(x, y *Value) *Value { return b.add1(opAnd, nil, x, y) }

// Or is true where one is, or both are.
func (b Builder) Or(x, y *Value) *Value { return b.add1(opOr, nil, x, y) }

// Not is true where x is false.
func (b Builder) Not(x *Value) *Value { return b.add1(opNot, nil, x) }

// Where is x where condition is true, else y.
func (b Builder) Where(condition, x, y *Value) *Value { return b.add1(opWhere, nil, condition, x, y) }

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func inferCompare(n *Node) ([]Type, error) {
	t, err := inferBinary(n)
	if err != nil {
		return nil, err
	}
	return single(Bool, t[0].Shape)
}

func inferEqual(n *Node) ([]Type, error) {
	x, y := n.Inputs[0], n.Inputs[1]
	if x.DType != Bool || y.DType != Bool {
		return inferCompare(n)
	}
	s, err := broadcast(x.Shape, y.Shape)
	return []Type{{DType: Bool, Shape: s}}, err
}

func inferTruths(n *Node) ([]Type, error) {
	shape := Shape(nil)
	for i, v := range n.Inputs {
		if v.DType != Bool {
			return nil, fmt.Errorf("input %d is %s, expected bool", i, v.DType)
		}
		var err error
		if shape, err = broadcast(shape, v.Shape); err != nil {
			return nil, err
		}
	}
	return single(Bool, shape)
}

func inferWhere(n *Node) ([]Type, error) {
	if err := n.needInputs(Bool, 0, 0); err != nil {
		return nil, err
	}
	x, y := n.Inputs[1], n.Inputs[2]
	if x.DType != y.DType {
		return nil, fmt.Errorf("the inputs to choose from differ in type: %s and %s", x.DType, y.DType)
	}
	s, err := broadcast(x.Shape, y.Shape)
	if err != nil {
		return nil, err
	}
	if s, err = broadcast(s, n.Inputs[0].Shape); err != nil {
		return nil, err
	}
	return single(x.DType, s)
}

func evalWhere(_ *Node, in []*Array, out Type) (*Array, error) {
	shape, _ := out.Shape.Static()
	c, x, y := in[0].expand(shape), in[1].expand(shape), in[2].expand(shape)
	r := &Array{out.DType, shape, make([]float64, len(c))}
	for i := range c {
		if r.Data[i] = y[i]; c[i] != 0 {
			r.Data[i] = x[i]
		}
	}
	return r, nil
}

// orEqualParts joins a strict comparison with Equal.
func orEqualParts(strict string) func(*Node, *decomposition) []WireNode {
	label := map[string]string{"Less": "less", "Greater": "greater"}[strict]
	return func(n *Node, d *decomposition) []WireNode {
		a, b := n.Inputs[0].Name, n.Inputs[1].Name
		return d.finish("Or", nil, d.add(strict, label, nil, a, b), d.add("Equal", "equal", nil, a, b))
	}
}
