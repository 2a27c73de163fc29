package onnxbuild

func topK(b bench, k, axis int64, sizes ...any) []*Value {
	values, indices := b.TopK(b.in(sizes...), k, axis)
	return []*Value{values, indices}
}

// moveInferences goes on from inferences, for operators that move, cut and look for elements.
var moveInferences = []inference{
	{"Flatten", "float32 batchx160", func(b bench) []*Value { return results(b.Flatten(b.in(batch, 16, 10), 1)) }},
	{"Flatten", "float32 1x6", func(b bench) []*Value { return results(b.Flatten(b.in(2, 3), 0)) }},
	{"Flatten", "Flatten: axis 3 is outside a tensor of rank 2", func(b bench) []*Value { return results(b.Flatten(b.in(2, 3), 3)) }},
	{"Squeeze", "float32 batchx16", func(b bench) []*Value { return results(b.Squeeze(b.in(batch, 16, 1, 1), 2, -1)) }},
	{"Squeeze", "Squeeze: axis 0 of batchx1 cannot be removed: its size is not 1", func(b bench) []*Value { return results(b.Squeeze(b.in(batch, 1), 0)) }},
	{"Unsqueeze", "float32 1x2x3x1", func(b bench) []*Value { return results(b.Unsqueeze(b.in(2, 3), 0, -1)) }},
	{"Unsqueeze", "Unsqueeze: axis 4 is outside a tensor of rank 3", func(b bench) []*Value { return results(b.Unsqueeze(b.in(2, 3), 4)) }},
	{"Unsqueeze", "Unsqueeze: axis -1 is given twice", func(b bench) []*Value { return results(b.Unsqueeze(b.in(2, 3), 3, -1)) }},
	{"Tile", "float32 2*batchx9", func(b bench) []*Value { return results(b.Tile(b.in(batch, 3), 2, 3)) }},
	{"Tile", "Tile: 1 numbers say how often 2x3 is repeated", func(b bench) []*Value { return results(b.Tile(b.in(2, 3), 2)) }},
	{"Tile", "Tile: axis 1 cannot be repeated 0 times", func(b bench) []*Value { return results(b.Tile(b.in(2, 3), 2, 0)) }},
	{"Slice", "float32 1x3xheight/2xwidth/2", func(b bench) []*Value {
		return results(b.Slices(b.in(1, 3, height, width), Cut{Axis: 2, From: 1, To: ToEnd, Step: 2}, Cut{Axis: 3, To: ToEnd, Step: 2}))
	}},
	{"Slice", "float32 heightx2", func(b bench) []*Value {
		return results(b.Slices(b.in(height, 5), Cut{Axis: 0, From: ToEnd, To: ToStart, Step: -1}, Cut{Axis: 1, From: -1, To: -4, Step: -2}))
	}},
	{"Slice", "float32 height-3", func(b bench) []*Value { return results(b.Slices(b.in(height), Cut{From: 1, To: -2})) }},
	{"Slice", "float32 3", func(b bench) []*Value { return results(b.Slices(b.in(5), Cut{From: 2, To: 99})) }},
	{"Slice", "Slice: from 3 to 1 in steps of 1 there is nothing on axis 0 of 5", func(b bench) []*Value { return results(b.Slices(b.in(5), Cut{From: 3, To: 1})) }},
	{"Slice", "Slice: what a cut from 0 to 2 in steps of 1 takes of axis 0 of batch is not known before the model runs", func(b bench) []*Value { return results(b.Slices(b.in(batch), Cut{To: 2})) }},
	{"Slice", "Slice: elements 0 to 2 of axis 0 are outside batch", func(b bench) []*Value { return results(b.Slice(b.in(batch), 0, 0, 2)) }},
	{"Slice", "Slice: axis 0 is given twice", func(b bench) []*Value { return results(b.Slices(b.in(5), Cut{To: 2}, Cut{To: 3})) }},
	{"Gather", "float32 batchx2x3x7", func(b bench) []*Value { return results(b.Gather(b.in(batch, 5, 7), b.typed(Int64, 2, 3), 1)) }},
	{"Gather", "int64 2", func(b bench) []*Value { return results(b.Gather(b.typed(Int64, 5), b.Ints("i", -1, 4), 0)) }},
	{"Gather", "Gather: index 5 is outside axis 1 of 2x5", func(b bench) []*Value { return results(b.Gather(b.in(2, 5), b.Ints("i", 0, 5), 1)) }},
	{"Gather", "Gather: index -2 is outside axis 0 of batch", func(b bench) []*Value { return results(b.Gather(b.in(batch), b.Int("i", -2), 0)) }},
	{"Gather", "Gather: input 1 must be indices, of [int64 int32]", func(b bench) []*Value { return results(b.Gather(b.in(2, 5), b.in(2), 1)) }},
	{"GatherElements", "float32 2x3", func(b bench) []*Value { return results(b.GatherElements(b.in(2, 5), b.typed(Int64, 2, 3), 1)) }},
	{"GatherElements", "GatherElements: indices of 3x3 do not point along axis 1 of 2x5", func(b bench) []*Value { return results(b.GatherElements(b.in(2, 5), b.typed(Int64, 3, 3), 1)) }},
	{"GatherND", "float32 6x7", func(b bench) []*Value { return results(b.GatherND(b.in(2, 5, 7), b.typed(Int64, 6, 2), 0)) }},
	{"GatherND", "float32 batchx6x7", func(b bench) []*Value { return results(b.GatherND(b.in(batch, 5, 7), b.typed(Int64, batch, 6, 1), 1)) }},
	{"GatherND", "GatherND: indices of 6x4 do not point into 2x5x7 behind 0 axes", func(b bench) []*Value { return results(b.GatherND(b.in(2, 5, 7), b.typed(Int64, 6, 4), 0)) }},
	{"GatherND", "GatherND: input 1 must be indices, of [int64]", func(b bench) []*Value { return results(b.GatherND(b.in(2, 5, 7), b.typed(Int32, 6, 2), 0)) }},
	{"ArgMax", "int64 batchx1x7", func(b bench) []*Value { return results(b.ArgMax(b.in(batch, 5, 7), 1, true)) }},
	{"ArgMax", "int64 batchx7", func(b bench) []*Value { return results(b.ArgMax(b.in(batch, 5, 7), 1, false)) }},
	{"ArgMax", "ArgMax: the input is bool, expected a float type", func(b bench) []*Value { return results(b.ArgMax(b.typed(Bool, 5), 0, true)) }},
	{"NonZero", "int64 2xfound", func(b bench) []*Value { return results(b.NonZero(b.in(batch, 5), "found")) }},
	{"NonZero", "NonZero: the input is a scalar, expected one with axes", func(b bench) []*Value { return results(b.NonZero(b.in(), "found")) }},
	{"NonMaxSuppression", "int64 keptx3", func(b bench) []*Value {
		return results(b.NonMaxSuppression(b.in(batch, 100, 4), b.in(batch, 80, 100), NMS{MaxPerClass: 5, IoU: 0.5, Score: 0.2}, "kept"))
	}},
	{"NonMaxSuppression", "NonMaxSuppression: expected boxes [N, n, 4] and scores [N, classes, n], got batchx100x4 and batchx100x80", func(b bench) []*Value {
		return results(b.NonMaxSuppression(b.in(batch, 100, 4), b.in(batch, 100, 80), NMS{MaxPerClass: 5, IoU: 0.5, Score: 0.2}, "kept"))
	}},
	{"NonMaxSuppression", "NonMaxSuppression: 0 boxes that have 0.5 in common and score 0.2 cannot be asked for", func(b bench) []*Value {
		return results(b.NonMaxSuppression(b.in(batch, 100, 4), b.in(batch, 80, 100), NMS{IoU: 0.5, Score: 0.2}, "kept"))
	}},
	{"TopK", "float32 batchx4x7, int64 batchx4x7", func(b bench) []*Value { return topK(b, 4, 1, batch, 5, 7) }},
	{"TopK", "TopK: axis 1 of batchx5 may not have the [6] elements that are asked for", func(b bench) []*Value { return topK(b, 6, 1, batch, 5) }},
	{"TopK", "TopK: axis 0 of batch may not have the [2] elements that are asked for", func(b bench) []*Value { return topK(b, 2, 0, batch) }},
}
