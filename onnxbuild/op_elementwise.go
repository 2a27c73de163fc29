package onnxbuild

import (
	"fmt"
	"math"
)

// Element-wise arithmetic, with ONNX's multidirectional broadcasting.
var (
	opAdd = register(Op{Name: "Add", infer: inferBinary, form: arithmetic, eval: evalBinary(func(a, b float64) float64 { return a + b })})
	opSub = register(Op{Name: "Sub", infer: inferBinary, form: arithmetic, eval: evalBinary(func(a, b float64) float64 { return a - b })})
	opMul = register(Op{Name: "Mul", infer: inferBinary, form: arithmetic, eval: evalBinary(func(a, b float64) float64 { return a * b })})
	opDiv = register(Op{Name: "Div", infer: inferBinary, form: arithmetic, eval: evalDiv})
	opPow = register(Op{Name: "Pow", infer: inferPow})
	opMin = register(Op{Name: "Min", infer: inferVariadic, form: formTypes(12), eval: evalVariadic(func(a, b float64) float64 { return min(a, b) })})
	opMax = register(Op{Name: "Max", infer: inferVariadic, form: formTypes(12), eval: evalVariadic(func(a, b float64) float64 { return max(a, b) })})

	opAbs   = register(Op{Name: "Abs", infer: inferNumbers, eval: evalUnary(math.Abs)})
	opNeg   = register(Op{Name: "Neg", infer: inferSigned, eval: evalUnary(func(x float64) float64 { return -x })})
	opFloor = register(Op{Name: "Floor", infer: inferFloatUnary, eval: evalUnary(math.Floor)})
	opCeil  = register(Op{Name: "Ceil", infer: inferFloatUnary, eval: evalUnary(math.Ceil)})
	opRound = register(Op{Name: "Round", infer: inferFloatUnary, eval: evalUnary(math.RoundToEven)})
	opSqrt  = register(Op{Name: "Sqrt", infer: inferFloatUnary, eval: evalUnary(math.Sqrt)})
	opExp   = register(Op{Name: "Exp", infer: inferFloatUnary})
	opLog   = register(Op{Name: "Log", infer: inferFloatUnary})
	opErf   = register(Op{Name: "Erf", infer: inferFloatUnary})

	opCast = register(Op{Name: "Cast", infer: inferCast, eval: evalCast})
)

// arithmetic of integers of one byte came with opset 14.
var arithmetic = formTypes(14, Int32, Int64, BFloat16)

// Add is a + b.
func (b Builder) Add(x, y *Value) *Value { return b.add1(opAdd, nil, x, y) }

// Sub is a - b.
func (b Builder) Sub(x, y *Value) *Value { return b.add1(opSub, nil, x, y) }

// Mul is a · b.
func (b Builder) Mul(x, y *Value) *Value { return b.add1(opMul, nil, x, y) }

// Div is a / b.
func (b Builder) Div(x, y *Value) *Value { return b.add1(opDiv, nil, x, y) }

// Pow is a to the power of b, of floating point numbers.
func (b Builder) Pow(x, y *Value) *Value { return b.add1(opPow, nil, x, y) }

// Min is the smallest of values that broadcast to one shape.
func (b Builder) Min(values ...*Value) *Value { return b.add1(opMin, nil, values...) }

// Max is the largest of values that broadcast to one shape.
func (b Builder) Max(values ...*Value) *Value { return b.add1(opMax, nil, values...) }

// Abs is x without its sign.
func (b Builder) Abs(x *Value) *Value { return b.add1(opAbs, nil, x) }

// Neg is -x.
func (b Builder) Neg(x *Value) *Value { return b.add1(opNeg, nil, x) }

// Floor is the largest whole number that is not above x.
func (b Builder) Floor(x *Value) *Value { return b.add1(opFloor, nil, x) }

// Ceil is the smallest whole number that is not below x.
func (b Builder) Ceil(x *Value) *Value { return b.add1(opCeil, nil, x) }

// Round is the nearest whole number; of two, the even one.
func (b Builder) Round(x *Value) *Value { return b.add1(opRound, nil, x) }

// Sqrt is the square root.
func (b Builder) Sqrt(x *Value) *Value { return b.add1(opSqrt, nil, x) }

// Exp is e to the power of x.
func (b Builder) Exp(x *Value) *Value { return b.add1(opExp, nil, x) }

// Log is the natural logarithm.
func (b Builder) Log(x *Value) *Value { return b.add1(opLog, nil, x) }

// Erf is the error function, 2/√π · ∫ exp(-t²) dt from 0 to x.
func (b Builder) Erf(x *Value) *Value { return b.add1(opErf, nil, x) }

// Cast converts the elements to another type: fractions are cut off towards 0, and whatever is not 0 is true.
func (b Builder) Cast(x *Value, to DType) *Value {
	return b.add1(opCast, []Attr{{"to", int64(to)}}, x)
}

func inferBinary(n *Node) ([]Type, error) {
	if x, y := n.Inputs[0], n.Inputs[1]; x.DType != y.DType {
		return nil, fmt.Errorf("the inputs differ in type: %s and %s", x.DType, y.DType)
	}
	return inferVariadic(n)
}

func inferPow(n *Node) ([]Type, error) {
	if err := n.needFloats(0, 1); err != nil {
		return nil, err
	}
	return inferBinary(n)
}

func inferVariadic(n *Node) ([]Type, error) {
	if len(n.Inputs) == 0 {
		return nil, fmt.Errorf("there is no input")
	}
	first := n.Inputs[0]
	if first.DType == Bool {
		return nil, fmt.Errorf("the inputs are bool, expected numbers")
	}
	shape := first.Shape
	for i, v := range n.Inputs[1:] {
		if v.DType != first.DType {
			return nil, fmt.Errorf("input %d is %s, input 0 is %s", i+1, v.DType, first.DType)
		}
		var err error
		if shape, err = broadcast(shape, v.Shape); err != nil {
			return nil, err
		}
	}
	return single(first.DType, shape)
}

func inferNumbers(n *Node) ([]Type, error) {
	if x := n.Inputs[0]; x.DType == Bool {
		return nil, fmt.Errorf("the input is bool, expected numbers")
	}
	return single(n.Inputs[0].DType, n.Inputs[0].Shape)
}

func inferSigned(n *Node) ([]Type, error) {
	if x := n.Inputs[0]; x.DType == Uint8 {
		return nil, fmt.Errorf("the input is uint8, which has no negative numbers")
	}
	return inferNumbers(n)
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

// evalVariadic folds f over all inputs, element by element.
func evalVariadic(f func(a, b float64) float64) func(*Node, []*Array, Type) (*Array, error) {
	return func(_ *Node, in []*Array, out Type) (*Array, error) {
		shape, _ := out.Shape.Static()
		r := &Array{out.DType, shape, append([]float64(nil), in[0].expand(shape)...)}
		for _, a := range in[1:] {
			for i, x := range a.expand(shape) {
				r.Data[i] = f(r.Data[i], x)
			}
		}
		return r, nil
	}
}
