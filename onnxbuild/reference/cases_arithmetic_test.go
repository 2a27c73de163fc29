package reference_test

import (
	"math"

	"ysc2onnx/onnxbuild"
)

// arithmetic has the cases of element-wise operators and activations.
var arithmetic = map[string]build{
	"Add":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Add(x[0], x[1]) }),
	"Sub":         one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Sub(x[0], c[1]) }),
	"Mul":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Mul(x[0], x[1]) }),
	"Div":         one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Div(x[0], x[1]) }),
	"Greater":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Greater(x[0], x[1]) }),
	"LessOrEqual": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.LessOrEqual(x[0], x[1]) }),
	"Sqrt":        one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Sqrt(x[0]) }),
	"Sigmoid":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Sigmoid(x[0]) }),
	"Relu":        one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Relu(x[0]) }),
	"LeakyRelu":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.LeakyRelu(x[0], 0.1) }),
	"HardSwish":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.HardSwish(x[0]) }),
	"Cast to int": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Cast(x[0], onnxbuild.Int64)
	}),
	"Cast to bool": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Cast(b.Cast(x[0], onnxbuild.Bool), onnxbuild.Float32)
	}),
	"Pow":   one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Pow(x[0], c[1]) }),
	"Min":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Min(x...) }),
	"Max":   one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Max(x[0], c[1], x[2]) }),
	"Abs":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Abs(x[0]) }),
	"Neg":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Neg(x[0]) }),
	"Floor": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Floor(x[0]) }),
	"Ceil":  one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Ceil(x[0]) }),
	"Round": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Round(x[0]) }),
	"Exp":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Exp(x[0]) }),
	"Log":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Log(x[0]) }),
	"Erf":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Erf(x[0]) }),
	"Less":  one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Less(x[0], x[1]) }),
	"GreaterOrEqual": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.GreaterOrEqual(x[0], x[1])
	}),
	"Equal":                 one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Equal(x[0], c[1]) }),
	"Equal of truth values": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Equal(x[0], x[1]) }),
	"And":                   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.And(x[0], x[1]) }),
	"Or":                    one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Or(x[0], c[1]) }),
	"Not":                   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Not(x[0]) }),
	"Where":                 one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.Where(x[0], c[1], x[2]) }),
	"Cast of integers": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		y := x[0]
		for _, t := range []onnxbuild.DType{onnxbuild.Int32, onnxbuild.Uint8, onnxbuild.Int8, onnxbuild.Float16, onnxbuild.Float32} {
			y = b.Cast(y, t)
		}
		return y
	}),
	"Cast to bfloat16": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Cast(b.Cast(x[0], onnxbuild.BFloat16), onnxbuild.Float32)
	}),

	"PRelu": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.PRelu(x[0], c[1]) }),
	"Elu":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Elu(x[0], 0.75) }),
	"HardSigmoid": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.HardSigmoid(x[0], 0.25, 0.5)
	}),
	"Mish":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Mish(x[0]) }),
	"Softplus": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softplus(x[0]) }),
	"Gelu":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Gelu(x[0]) }),
	"Tanh":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Tanh(x[0]) }),
	"Clip":     one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Clip(x[0], 0, 6) }),
	"Clip below": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Clip(x[0], 0.25, math.Inf(1))
	}),
	"Clip above": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Clip(x[0], math.Inf(-1), 1)
	}),
}
