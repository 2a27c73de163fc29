package onnxbuild_test

import (
	"math"
	"testing"

	"ysc2onnx/onnxbuild"
)

// moreOperators goes on from everyOperator, on the same x [batch, 8, height, 6]: together they have all operators that every
// opset has a form of. Sizes are open, and depend on elements behind NonZero and NonMaxSuppression.
func moreOperators(t *testing.T) *onnxbuild.Graph {
	t.Helper()
	g, x, out := openGraph("more")
	b := g.Build()
	number := func(v float32) *onnxbuild.Value { return b.Scalar("number", v) }

	window := onnxbuild.Window{Kernel: []int64{3, 3}, Stride: []int64{2, 1}, Pads: []int64{1, 1, 1, 1}}
	out(b.AveragePool(x, window, true))
	weight := make([]float32, 8*2*2)
	for i := range weight {
		weight[i] = float32(i%5)/4 - 0.5
	}
	spread := onnxbuild.Window{Kernel: []int64{2, 2}, Stride: []int64{2, 2}}
	out(b.ConvTranspose(x, b.Constant("weight", onnxbuild.FloatTensor([]int64{8, 1, 2, 2}, weight)), nil, spread, nil, 4))
	out(b.GlobalMaxPool(x))
	out(b.SpaceToDepth(x, 2))
	out(b.DepthToSpace(x, 2, true))
	out(b.Pad(b.Pad(x, "reflect", 0, 0, 0, 2, 0, 0, 0, 0, 5), "constant", 1, 0, 0, 0, 1, 1, 0, 0, 0))

	out(b.MatMul(x, b.Transpose(x, 0, 1, 3, 2)))
	out(b.Gemm(b.Flatten(b.GlobalAveragePool(x), 1), b.Constant("matrix", onnxbuild.FloatTensor([]int64{4, 8}, weight)), nil, true))
	scale := b.Constant("scale", onnxbuild.FloatTensor([]int64{6}, weight[:6]))
	out(b.LayerNormalization(x, scale, scale, 1e-5))
	out(b.GroupNormalization(x, 2, b.Constant("gamma", onnxbuild.FloatTensor([]int64{8}, weight[8:16])), b.Constant("beta", onnxbuild.FloatTensor([]int64{8}, weight[16:24])), 1e-5))
	out(b.Softmax(x, 1))
	out(b.Max(b.Reduce(onnxbuild.Max, x, false, 2, 3), b.Reduce(onnxbuild.Min, x, false, 3, 2)))

	out(b.Add(b.Add(b.Mish(x), b.Softplus(x)), b.Add(b.Gelu(x), b.Elu(x, 0.5))))
	slope := b.Constant("slope", onnxbuild.FloatTensor([]int64{8, 1, 1}, weight[:8]))
	out(b.Add(b.Add(b.HardSigmoid(x, 0.25, 0.5), b.PRelu(x, slope)), b.Add(b.Tanh(x), b.Erf(b.Clip(x, -1, math.Inf(1))))))
	out(b.Add(b.Exp(b.Neg(b.Abs(x))), b.Pow(b.Log(b.Max(x, number(1))), number(2))))
	out(b.Min(b.Floor(x), b.Ceil(x), b.Round(x)))
	zero := number(0)
	chosen := b.And(b.Or(b.Not(b.Less(x, zero)), b.Equal(x, number(-1))), b.GreaterOrEqual(number(2), x))
	out(b.Where(chosen, x, b.Cast(b.Cast(b.Cast(x, onnxbuild.Int32), onnxbuild.Float16), onnxbuild.Float32)))

	out(b.Squeeze(b.Unsqueeze(b.Tile(x, 1, 1, 2, 1), 1), 1))
	out(b.Slices(x, onnxbuild.Cut{Axis: 2, From: 1, To: onnxbuild.ToEnd, Step: 2}, onnxbuild.Cut{Axis: 3, From: -1, To: onnxbuild.ToStart, Step: -2}))
	out(b.Resize(x, onnxbuild.Resizing{Mode: "linear", Place: "half_pixel"}, 1, 1, 0.5, 1.5))
	out(b.ResizeTo(b.GlobalMaxPool(x), onnxbuild.Resizing{Mode: "nearest", Place: "asymmetric", Nearest: "floor"}, b.Sizes(x, 0, 4)))

	values, indices := b.TopK(x, 3, 3)
	out(b.Sub(values, b.GatherElements(x, indices, 3)))
	out(b.Gather(x, b.Reshape(b.ArgMax(b.Slice(b.Reshape(x, b.Ints("row", -1)), 0, 0, 8), 0, true), b.Ints("none")), 1))

	found := b.Transpose(b.NonZero(b.Relu(x), "found"), 1, 0)
	out(b.GatherND(x, found, 0))
	boxes := b.Reshape(x, b.Ints("boxes", 0, -1, 4))
	scores := b.Transpose(b.ReduceMean(boxes, 2), 0, 2, 1)
	kept := b.NonMaxSuppression(boxes, scores, onnxbuild.NMS{MaxPerClass: 7, IoU: 0.25, Score: -1}, "kept")
	out(b.GatherND(boxes, b.Slices(kept, onnxbuild.Cut{Axis: 1, To: onnxbuild.ToEnd, Step: 2}), 0))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	return g
}
