package reference_test

import (
	"ysc2onnx/onnxbuild"
)

// matrices has the cases of normalisation, reduction and products.
var matrices = map[string]build{
	"BatchNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.BatchNormalization(x[0], c[1], c[2], c[3], c[4], 1e-3)
	}),
	"InstanceNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.InstanceNormalization(x[0], c[1], c[2], 1e-5)
	}),
	"Softmax":                  one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softmax(x[0], 1) }),
	"Softmax of the last axis": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softmax(x[0], -1) }),
	"ReduceMean":               one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceMean(x[0], 1, -1) }),
	"ReduceSum":                one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceSum(x[0], 1, -1) }),
	"ReduceL2":                 one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceL2(x[0], 1, -1) }),
	"ReduceProd":               one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ReduceProd(x[0], 1) }),

	"MatMul": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.MatMul(x[0], x[1]) }),
	"Gemm": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Gemm(x[0], c[1], c[2], true)
	}),
	"Gemm as it is": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Gemm(x[0], x[1], nil, false)
	}),
	"LayerNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.LayerNormalization(x[0], c[1], c[2], 1e-3)
	}),
	"LayerNormalization without a bias": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.LayerNormalization(x[0], c[1], nil, 1e-5)
	}),
	"GroupNormalization": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.GroupNormalization(x[0], 2, c[1], c[2], 1e-3)
	}),
	"Softmax of the first axis": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Softmax(x[0], 0) }),
	"ReduceMean without axes": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Reduce(onnxbuild.Mean, x[0], false, 1, -1)
	}),
	"ReduceMax": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Reduce(onnxbuild.Max, x[0], true, 0, 2)
	}),
	"ReduceMin": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Reduce(onnxbuild.Min, x[0], false, 1)
	}),
}
