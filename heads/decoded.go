package heads

import (
	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// Decoded is YOLOv5's own form: each cell of each map gives, for each of its anchors, a box (centre x and y, width, height
// in pixels of the image), an objectness and nc class scores. output0 is [N, Σ na·Hᵢ·Wᵢ, 5+nc].
func Decoded(s *modules.Scope, raw *modules.Raw) []modules.Output {
	levels := make([]*onnxbuild.Value, len(raw.Maps))
	for i, x := range raw.Maps {
		levels[i] = decode(s, x, raw.Anchors[i], raw.Strides[i], int64(raw.Classes+5))
	}
	rows := levels[0]
	if len(levels) > 1 {
		rows = s.Concat(1, levels...)
	}
	return []modules.Output{{Output: roles.YOLOv5("output0", raw.Classes, 0), Value: rows}}
}

// decode gives the rows of one map. Grid and anchors are spread over all cells, as YOLOv5 has them: OpenCV's DNN module
// (4.6) does not broadcast constants of five dimensions. With t the sigmoid of the map:
// xy = (2·t - 1/2 + cell)·stride, wh = (2·t)²·anchor.
func decode(s *modules.Scope, x *onnxbuild.Value, anchors []float32, stride, no int64) *onnxbuild.Value {
	na := int64(len(anchors) / 2)
	t := s.Sigmoid(s.Transpose(s.Reshape(x, s.WithMap(x, 0, na, no)), 0, 1, 3, 4, 2)) // [N, na, H, W, 5+nc]
	part := s.Split(t, 4, 2, 2, no-4)
	two := s.Scalar("two", 2)
	cells := s.Concat(0, s.Ints("anchors", 1, na), s.Sizes(x, 2, 4), s.Ints("one", 1))
	xy := s.Mul(s.Add(s.Mul(part[0], two), grid(s, x, cells)), s.Scalar("stride", float32(stride)))
	wh := s.Mul(part[1], two)
	sizes := onnxbuild.FloatTensor([]int64{1, na, 1, 1, 2}, anchors)
	wh = s.Mul(s.Mul(wh, wh), s.Expand(s.Constant("anchor_grid", sizes), cells))
	return s.Reshape(s.Concat(4, xy, wh, part[2]), s.Ints("rows", 0, -1, no))
}

// grid holds the place of each cell, column before row, less a half, for each anchor: [1, na, H, W, 2]. cells is the list
// 1, na, H, W, 1.
func grid(s *modules.Scope, x, cells *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	count := func(axis int, shape ...int64) *onnxbuild.Value {
		limit := s.Reshape(s.Sizes(x, axis, axis+1), s.Ints("scalar"))
		line := s.Cast(s.Range(s.Int("from", 0), limit, s.Int("step", 1)), onnxbuild.Float32)
		return s.Expand(s.Reshape(line, s.Ints("line", shape...)), cells)
	}
	places := s.Concat(4, count(3, 1, 1, 1, -1, 1), count(2, 1, 1, -1, 1, 1))
	return s.Sub(places, s.Scalar("half", 0.5))
}
