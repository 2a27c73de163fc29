package onnxbuild

import (
	"fmt"
	"math"
)

// Activations: element-wise, of floating point numbers.
var (
	opSigmoid     = register(Op{Name: "Sigmoid", infer: inferFloatUnary})
	opRelu        = register(Op{Name: "Relu", infer: inferFloatUnary})
	opLeakyRelu   = register(Op{Name: "LeakyRelu", infer: inferFloatUnary})
	opPRelu       = register(Op{Name: "PRelu", infer: inferPRelu})
	opElu         = register(Op{Name: "Elu", infer: inferFloatUnary})
	opHardSigmoid = register(Op{Name: "HardSigmoid", infer: inferFloatUnary})
	opHardSwish   = register(Op{Name: "HardSwish", infer: inferFloatUnary, form: since(14, hardSwishParts)})
	opMish        = register(Op{Name: "Mish", infer: inferFloatUnary, form: since(18, mishParts)})
	opSoftplus    = register(Op{Name: "Softplus", infer: inferFloatUnary})
	opGelu        = register(Op{Name: "Gelu", infer: inferFloatUnary, form: since(20, geluParts)})
	opTanh        = register(Op{Name: "Tanh", infer: inferFloatUnary})
	opClip        = register(Op{Name: "Clip", infer: inferClip, eval: evalClip})
)

// Sigmoid is 1 / (1 + exp(-x)).
func (b Builder) Sigmoid(x *Value) *Value { return b.add1(opSigmoid, nil, x) }

// Relu is max(x, 0).
func (b Builder) Relu(x *Value) *Value { return b.add1(opRelu, nil, x) }

// LeakyRelu is x where x ≥ 0, else alpha · x.
func (b Builder) LeakyRelu(x *Value, alpha float32) *Value {
	return b.add1(opLeakyRelu, []Attr{{"alpha", alpha}}, x)
}

// PRelu is x where x ≥ 0, else slope · x. slope broadcasts to x from its last axis on: one for each channel of [N, C, H, W]
// is [C, 1, 1].
func (b Builder) PRelu(x, slope *Value) *Value { return b.add1(opPRelu, nil, x, slope) }

// Elu is x where x ≥ 0, else alpha · (exp(x) - 1).
func (b Builder) Elu(x *Value, alpha float32) *Value {
	return b.add1(opElu, []Attr{{"alpha", alpha}}, x)
}

// HardSigmoid is max(0, min(1, alpha·x + beta)); PyTorch's has alpha 1/6 and beta 1/2.
func (b Builder) HardSigmoid(x *Value, alpha, beta float32) *Value {
	return b.add1(opHardSigmoid, []Attr{{"alpha", alpha}, {"beta", beta}}, x)
}

// HardSwish is x · max(0, min(1, x/6 + 1/2)).
func (b Builder) HardSwish(x *Value) *Value { return b.add1(opHardSwish, nil, x) }

// Mish is x · tanh(ln(1 + exp(x))) (Misra, 2019).
func (b Builder) Mish(x *Value) *Value { return b.add1(opMish, nil, x) }

// Softplus is ln(1 + exp(x)).
func (b Builder) Softplus(x *Value) *Value { return b.add1(opSoftplus, nil, x) }

// Gelu is x/2 · (1 + erf(x/√2)) (Hendrycks and Gimpel, 2016), not its approximation by tanh.
func (b Builder) Gelu(x *Value) *Value { return b.add1(opGelu, nil, x) }

// Tanh is the hyperbolic tangent.
func (b Builder) Tanh(x *Value) *Value { return b.add1(opTanh, nil, x) }

// Clip is max(low, min(high, x)). An infinite bound is left out.
func (b Builder) Clip(x *Value, low, high float64) *Value {
	var lowest, highest *Value
	if !math.IsInf(low, -1) {
		lowest = b.ScalarOf(x.DType, "low", low)
	}
	if !math.IsInf(high, 1) {
		highest = b.ScalarOf(x.DType, "high", high)
	}
	return b.add1(opClip, nil, optional(x, lowest, highest)...)
}

func inferFloatUnary(n *Node) ([]Type, error) {
	if x := n.Inputs[0]; !x.DType.IsFloat() {
		return nil, fmt.Errorf("the input is %s, expected a float type", x.DType)
	}
	return single(n.Inputs[0].DType, n.Inputs[0].Shape)
}

func inferPRelu(n *Node) ([]Type, error) {
	if err := n.needFloats(0, 1); err != nil {
		return nil, err
	}
	x, slope := n.Inputs[0], n.Inputs[1]
	if s, err := broadcast(x.Shape, slope.Shape); err != nil || !s.Equal(x.Shape) {
		return nil, fmt.Errorf("a slope of %s does not broadcast to %s", slope.Shape, x.Shape)
	}
	return single(x.DType, x.Shape)
}

func inferClip(n *Node) ([]Type, error) {
	x := n.Inputs[0]
	for _, bound := range n.Inputs[1:] {
		if bound != nil && (bound.DType != x.DType || len(bound.Shape) != 0) {
			return nil, fmt.Errorf("a bound is %s %s, expected a scalar of %s", bound.DType, bound.Shape, x.DType)
		}
	}
	return inferFloatUnary(n)
}

func evalClip(n *Node, in []*Array, out Type) (*Array, error) {
	low, high := math.Inf(-1), math.Inf(1)
	if len(in) > 1 {
		low = in[1].Data[0]
	}
	if len(in) > 2 {
		high = in[2].Data[0]
	}
	return evalUnary(func(x float64) float64 { return max(low, min(high, x)) })(n, in, out)
}

func hardSwishParts(n *Node, d *decomposition) []WireNode {
	x := n.Inputs[0].Name
	gate := d.add("HardSigmoid", "gate", []Attr{{"alpha", float32(1) / 6}, {"beta", float32(0.5)}}, x)
	return d.finish("Mul", nil, x, gate)
}

func mishParts(n *Node, d *decomposition) []WireNode {
	x := n.Inputs[0].Name
	gate := d.add("Tanh", "gate", nil, d.add("Softplus", "softplus", nil, x))
	return d.finish("Mul", nil, x, gate)
}

// geluParts multiplies x by a gate from 0 to 1, so that nothing overflows before the result does.
func geluParts(n *Node, d *decomposition) []WireNode {
	x := n.Inputs[0].Name
	erf := d.add("Erf", "erf", nil, d.add("Mul", "scaled", nil, x, d.number("root", math.Sqrt2/2)))
	twice := d.add("Add", "twice", nil, erf, d.number("one", 1))
	return d.finish("Mul", nil, x, d.add("Mul", "gate", nil, twice, d.number("half", 0.5)))
}
