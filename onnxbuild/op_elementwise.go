package onnxbuild

import (
	"fmt"
	"math"
)

// Element-wise arithmetic, with ONNX's multidirectional broadcasting.
var (
	opAdd = register(Op{Name: "Add", infer: inferBinary, eval: evalBinary(func(a, b float64) float64 { return a + b })})
	opSub = register(Op{Name: "Sub", infer: inferBinary, eval: evalBinary(func(a, b float64) float64 { return a - b })})
	opMul = register(Op{Name: "Mul", infer: inferBinary, eval: evalBinary(func(a, b float64) float64 { return a * b })})
	opDiv = register(Op{Name: "Div", infer: inferBinary, eval: evalDiv})

	opGreater     = register(Op{Name: "Greater", infer: inferCompare, eval: evalBinary(func(a, b float64) float64 { return truth(a > b) })})
	opLessOrEqual = register(Op{Name: "LessOrEqual", infer: inferCompare, form: formLessOrEqual, eval: evalBinary(func(a, b float64) float64 { return truth(a <= b) })})

	opSqrt      = register(Op{Name: "Sqrt", infer: inferFloatUnary, eval: evalUnary(math.Sqrt)})
	opSigmoid   = register(Op{Name: "Sigmoid", infer: inferFloatUnary})
	opRelu      = register(Op{Name: "Relu", infer: inferFloatUnary})
	opLeakyRelu = register(Op{Name: "LeakyRelu", infer: inferFloatUnary})
	opHardSwish = register(Op{Name: "HardSwish", infer: inferFloatUnary, form: formHardSwish})

	opCast = register(Op{Name: "Cast", infer: inferCast, eval: evalCast})
)

// Add is a + b.
func (b Builder) Add(x, y *Value) *Value { return b.add1(opAdd, nil, x, y) }

// Sub is a - b.
func (b Builder) Sub(x, y *Value) *Value { return b.add1(opSub, nil, x, y) }

// Mul is a · b.
func (b Builder) Mul(x, y *Value) *Value { return b.add1(opMul, nil, x, y) }

// Div is a / b.
func (b Builder) Div(x, y *Value) *Value { return b.add1(opDiv, nil, x, y) }

// Greater is a > b, as Bool.
func (b Builder) Greater(x, y *Value) *Value { return b.add1(opGreater, nil, x, y) }

// LessOrEqual is a ≤ b, as Bool.
func (b Builder) LessOrEqual(x, y *Value) *Value { return b.add1(opLessOrEqual, nil, x, y) }

// Sqrt is the square root.
func (b Builder) Sqrt(x *Value) *Value { return b.add1(opSqrt, nil, x) }

// Sigmoid is 1 / (1 + exp(-x)).
func (b Builder) Sigmoid(x *Value) *Value { return b.add1(opSigmoid, nil, x) }

// Relu is max(x, 0).
func (b Builder) Relu(x *Value) *Value { return b.add1(opRelu, nil, x) }

// LeakyRelu is x where x ≥ 0, else alpha · x.
func (b Builder) LeakyRelu(x *Value, alpha float32) *Value {
	return b.add1(opLeakyRelu, []Attr{{"alpha", alpha}}, x)
}

// HardSwish is x · max(0, min(1, x/6 + 1/2)).
func (b Builder) HardSwish(x *Value) *Value { return b.add1(opHardSwish, nil, x) }

// Cast converts the elements to another type.
func (b Builder) Cast(x *Value, to DType) *Value {
	return b.add1(opCast, []Attr{{"to", int64(to)}}, x)
}

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

func inferBinary(n *Node) ([]Type, error) {
	x, y := n.Inputs[0], n.Inputs[1]
	if x.DType != y.DType {
		return nil, fmt.Errorf("the inputs differ in type: %s and %s", x.DType, y.DType)
	}
	if x.DType == Bool {
		return nil, fmt.Errorf("the inputs are bool, expected numbers")
	}
	s, err := broadcast(x.Shape, y.Shape)
	if err != nil {
		return nil, err
	}
	return one(x.DType, s)
}

func inferCompare(n *Node) ([]Type, error) {
	t, err := inferBinary(n)
	if err != nil {
		return nil, err
	}
	return one(Bool, t[0].Shape)
}

func inferFloatUnary(n *Node) ([]Type, error) {
	if x := n.Inputs[0]; !x.DType.IsFloat() {
		return nil, fmt.Errorf("the input is %s, expected a float type", x.DType)
	}
	return one(n.Inputs[0].DType, n.Inputs[0].Shape)
}

func inferCast(n *Node) ([]Type, error) {
	t := Type{DType: DType(n.Int("to", 0)), Shape: n.Inputs[0].Shape}
	if t.DType.Size() == 0 {
		return nil, fmt.Errorf("%s is not a type that can be written", t.DType)
	}
	if t.DType == Int64 {
		t.content = n.Inputs[0].content
	}
	return []Type{t}, nil
}

// broadcast is the shape of an element-wise operator over a and b.
func broadcast(a, b Shape) (Shape, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := append(Shape(nil), a...)
	shift := len(a) - len(b)
	for i, d := range b {
		switch {
		case a[shift+i].Equal(d) || d.Is(1):
		case a[shift+i].Is(1):
			out[shift+i] = d
		default:
			return nil, fmt.Errorf("shapes %s and %s do not broadcast", a, b)
		}
	}
	return out, nil
}

// formLessOrEqual: the operator came with opset 12.
func formLessOrEqual(n *Node, opset int) ([]WireNode, error) {
	w := wire(n)
	if opset >= 12 {
		return []WireNode{w}, nil
	}
	less, equal := w, w
	less.Op, less.Name, less.Outputs = "Less", w.Name+"/Less", []string{w.Outputs[0] + "/less"}
	equal.Op, equal.Name, equal.Outputs = "Equal", w.Name+"/Equal", []string{w.Outputs[0] + "/equal"}
	w.Op, w.Inputs = "Or", []string{less.Outputs[0], equal.Outputs[0]}
	for _, part := range []*WireNode{&less, &equal} {
		part.Inner = []InnerValue{{part.Outputs[0], Type{DType: Bool, Shape: n.Outputs[0].Shape}}}
	}
	return []WireNode{less, equal, w}, nil
}

// formHardSwish: the operator came with opset 14.
func formHardSwish(n *Node, opset int) ([]WireNode, error) {
	w := wire(n)
	if opset >= 14 {
		return []WireNode{w}, nil
	}
	gate := w
	gate.Op, gate.Name, gate.Outputs = "HardSigmoid", w.Name+"/HardSigmoid", []string{w.Outputs[0] + "/gate"}
	gate.Attrs = []Attr{{"alpha", float32(1) / 6}, {"beta", float32(0.5)}}
	gate.Inner = []InnerValue{{gate.Outputs[0], Type{DType: n.Outputs[0].DType, Shape: n.Outputs[0].Shape}}}
	w.Op, w.Inputs = "Mul", []string{w.Inputs[0], gate.Outputs[0]}
	return []WireNode{gate, w}, nil
}
