package reference

import (
	"context"
	"math"
)

// sigmoid is 1 / (1 + e^-x).
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func relu(x float64) float64 { return max(x, 0) }

// leakyRelu is x, or alpha · x below 0.
func leakyRelu(n *node, x float64) float64 {
	if x < 0 {
		return float64(n.Float("alpha", 0.01)) * x
	}
	return x
}

// pRelu is x, or slope · x below 0.
func pRelu(x, slope float64) float64 {
	if x < 0 {
		return slope * x
	}
	return x
}

// elu is x, or alpha · (e^x - 1) below 0.
func elu(n *node, x float64) float64 {
	if x < 0 {
		return float64(n.Float("alpha", 1)) * math.Expm1(x)
	}
	return x
}

// hardSigmoid is max(0, min(1, alpha · x + beta)).
func hardSigmoid(n *node, x float64) float64 {
	return max(0, min(1, float64(n.Float("alpha", 0.2))*x+float64(n.Float("beta", 0.5))))
}

// hardSwish is x · max(0, min(1, x/6 + 1/2)).
func hardSwish(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }

// softplus is ln(1 + e^x), written so that e^x stays finite.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// mish is x · tanh(softplus(x)).
func mish(x float64) float64 { return x * math.Tanh(softplus(x)) }

// gelu is x · Φ(x), where Φ(x) = (1 + erf(x/√2)) / 2 = erfc(-x/√2) / 2.
func gelu(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }

// clip is max(low, min(high, x)); a bound may be left out.
func clip(_ context.Context, n *node) ([]*Array, error) {
	low, high := math.Inf(-1), math.Inf(1)
	if len(n.in) > 1 && n.in[1] != nil {
		low = n.in[1].Data[0]
	}
	if len(n.in) > 2 && n.in[2] != nil {
		high = n.in[2].Data[0]
	}
	y := newArray(n.in[0].DType, n.in[0].Shape)
	for i, x := range n.in[0].Data {
		y.Data[i] = max(low, min(high, x))
	}
	return []*Array{y}, nil
}
