package reference_test

import (
	"ysc2onnx/onnxbuild"
)

var (
	length   = onnxbuild.Sym(onnxbuild.Symbol{Name: "n", Unit: 1})
	nearest  = onnxbuild.Resizing{Mode: "nearest", Place: "asymmetric", Nearest: "floor"}
	bilinear = onnxbuild.Resizing{Mode: "linear", Place: "half_pixel"}
)

// moves has the cases of operators that move, cut, join and look for elements.
var moves = map[string]build{
	"Reshape": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Reshape(x[0], b.Ints("shape", 0, 0, 2, -1))
	}),
	"Transpose": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Transpose(x[0], 0, 2, 3, 1)
	}),
	"Shape": one(func(b onnxbuild.Builder, _, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Sizes(b.Graph.Input("open", onnxbuild.Float32, onnxbuild.Shape{length, onnxbuild.D(3), onnxbuild.D(5)}), 0, 3)
	}),
	"Slice": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Slice(x[0], 1, 1, 4) }),
	"Split": func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) []*onnxbuild.Value {
		return b.Split(x[0], 1, 1, 3, 2)
	},
	"Concat": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.Concat(1, x[0], c[1])
	}),
	"Expand": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Expand(x[0], b.Ints("shape", 2, 3, 4))
	}),
	"Range": one(func(b onnxbuild.Builder, _, _ []*onnxbuild.Value) *onnxbuild.Value {
		limit := b.Sizes(b.Graph.Input("open", onnxbuild.Float32, onnxbuild.Shape{length}), 0, 1)
		return b.Range(b.Int("start", 0), b.Reshape(limit, b.Ints("scalar")), b.Int("step", 1))
	}),
	"Resize": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Upsample(x[0], 2, 3) }),

	"Flatten":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Flatten(x[0], 2) }),
	"Squeeze":   one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Squeeze(x[0], -1) }),
	"Unsqueeze": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Unsqueeze(x[0], 0, -1) }),
	"Tile":      one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Tile(x[0], 2, 3) }),
	"Slice in steps": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Slices(x[0], onnxbuild.Cut{Axis: 2, From: 1, To: onnxbuild.ToEnd, Step: 2}, onnxbuild.Cut{Axis: -1, To: onnxbuild.ToEnd, Step: 2})
	}),
	"Slice backwards": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Slices(x[0], onnxbuild.Cut{Axis: 1, From: onnxbuild.ToEnd, To: onnxbuild.ToStart, Step: -2}, onnxbuild.Cut{Axis: 2, To: -2})
	}),
	"Slice beyond": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Slices(x[0], onnxbuild.Cut{Axis: 0, From: -9, To: 3}, onnxbuild.Cut{Axis: 1, From: 2, To: 99})
	}),
	"DepthToSpace": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.DepthToSpace(x[0], 2, false)
	}),
	"DepthToSpace interleaved": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.DepthToSpace(x[0], 2, true)
	}),
	"SpaceToDepth": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.SpaceToDepth(x[0], 2) }),
	"Pad": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Pad(x[0], "constant", 0.5, 0, 1, 3, 0, 2, 0)
	}),
	"Pad by mirroring": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Pad(x[0], "reflect", 0, 0, 0, 3, 0, 0, 1)
	}),
	"Pad by the edge": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Pad(x[0], "edge", 0, 0, 0, 1, 0, 0, 5)
	}),
	"Resize to sizes": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.ResizeTo(x[0], nearest, b.Ints("sizes", 2, 2, 5, 7))
	}),
	"Resize between": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Resize(x[0], bilinear, 1, 1, 2, 3)
	}),
	"Resize between corners": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Resize(x[0], onnxbuild.Resizing{Mode: "linear", Place: "align_corners"}, 1, 1, 2, 3)
	}),
	"Resize down": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.Resize(x[0], bilinear, 1, 1, 0.5, 0.75)
	}),
	"Resize between to sizes": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.ResizeTo(x[0], bilinear, b.Ints("sizes", 1, 2, 7, 5))
	}),

	"Gather": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.Gather(x[0], x[1], 1) }),
	"GatherElements": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value {
		return b.GatherElements(x[0], c[1], 1)
	}),
	"GatherND":            one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.GatherND(x[0], x[1], 0) }),
	"GatherND in batches": one(func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value { return b.GatherND(x[0], c[1], 1) }),
	"ArgMax":              one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.ArgMax(x[0], 1, false) }),
	"NonZero":             one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value { return b.NonZero(x[0], "found") }),
	"NonMaxSuppression": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.NonMaxSuppression(x[0], x[1], onnxbuild.NMS{MaxPerClass: 4, IoU: 0.3, Score: 0.4}, "boxes")
	}),
	"NonMaxSuppression of centres": one(func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) *onnxbuild.Value {
		return b.NonMaxSuppression(x[0], x[1], onnxbuild.NMS{MaxPerClass: 100, IoU: 0.3, Score: 0.4, Centre: true}, "boxes")
	}),
	"TopK": func(b onnxbuild.Builder, x, _ []*onnxbuild.Value) []*onnxbuild.Value {
		values, indices := b.TopK(x[0], 4, 1)
		return []*onnxbuild.Value{values, indices}
	},
}
