package heads

import (
	"slices"

	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// Decoded is YOLOv5's own form: each cell of each map gives, for each of its anchors, a box (centre x and y, width, height
// in pixels of the image), an objectness and nc class scores. output0 is [N, Σ na·Hᵢ·Wᵢ, 5+nc]. A model that segments has
// coefficients of nm masks behind the scores, and output1 are their prototypes, [N, nm, H, W].
func Decoded(s *modules.Scope, raw *modules.Raw) []modules.Output {
	levels := make([]*onnxbuild.Value, len(raw.Maps))
	for i, x := range raw.Maps {
		levels[i] = decode(s, x, raw.Anchors[i], raw.Strides[i], int64(raw.Classes+5), int64(raw.Masks))
	}
	rows := levels[0]
	if len(levels) > 1 {
		rows = s.Concat(1, levels...)
	}
	outputs := []modules.Output{{Output: roles.YOLOv5("output0", raw.Classes, raw.Masks), Value: rows}}
	if raw.Prototypes != nil {
		outputs = append(outputs, modules.Output{Output: roles.Of("output1", roles.Prototypes), Value: raw.Prototypes})
	}
	return outputs
}

// decode gives the rows of one map, [N, na·(5+nc), H, W]. YOLOv5 takes it apart into boxes and scores, with five
// dimensions; the same is one polynomial in t, the sigmoid of the map, whose coefficients are constants of each channel,
// column and row:
//
//	xy      (2·t - 1/2 + cell) · stride    =  t·(0·t + 2·stride) + (cell - 1/2)·stride
//	wh      (2·t)² · anchor                =  t·(4·anchor·t + 0)
//	scores  t                              =  t·(0·t + 1)
//	masks   t, here the map itself         =  t·(0·t + 1)
//
// Each is added where it broadcasts in the way that OpenCV's DNN module (4.6) knows: per channel and row while the channels
// come first, per column and channel when they come last. And no tensor has five dimensions, with which that module mixes
// up the images of a batch.
func decode(s *modules.Scope, x *onnxbuild.Value, anchors []float32, stride, scored, masks int64) *onnxbuild.Value {
	na, no := int64(len(anchors)/2), scored+masks
	c, pixels := na*no, float32(stride)
	squared, linear, rows, columns := make([]float32, c), make([]float32, c), make([]float32, c), make([]float32, c)
	for i := range c {
		switch k := i % no; k {
		case 0:
			linear[i], columns[i] = 2*pixels, pixels
		case 1:
			linear[i], rows[i] = 2*pixels, pixels
		case 2, 3:
			squared[i] = 4 * anchors[i/no*2+k-2]
		default:
			linear[i] = 1
		}
	}
	constant := func(name string, values []float32, shape ...int64) *onnxbuild.Value {
		return s.Constant(name, onnxbuild.FloatTensor(shape, values))
	}
	t := sigmoids(s, x, na, scored, masks)
	y := s.Mul(s.Add(s.Mul(t, constant("squared", squared, c, 1, 1)), constant("linear", linear, c, 1, 1)), t)
	y = s.Add(y, s.Mul(cells(s, x, 2), constant("rows", rows, c, 1, 1)))                          // [c, H, 1]
	y = s.Add(s.Transpose(y, 0, 2, 3, 1), s.Mul(cells(s, x, 3), constant("columns", columns, c))) // [W, c]
	y = s.Transpose(s.Reshape(y, s.Ints("anchors", 0, -1, na, no)), 0, 2, 1, 3)                   // [N, na, H·W, 5+nc]
	return s.Reshape(y, s.Ints("boxes", 0, -1, no))
}

// sigmoids is the sigmoid of a map but for the coefficients of masks, which come behind the scored columns of each anchor.
func sigmoids(s *modules.Scope, x *onnxbuild.Value, na, scored, masks int64) *onnxbuild.Value {
	if masks == 0 || x.Refused() {
		return s.Sigmoid(x)
	}
	parts := s.Split(x, 1, slices.Repeat([]int64{scored, masks}, int(na))...)
	for i := 0; i < len(parts); i += 2 {
		parts[i] = s.Sigmoid(parts[i])
	}
	return s.Concat(1, parts...)
}

// cells counts along an axis of x, less a half: [cells, 1].
func cells(s *modules.Scope, x *onnxbuild.Value, axis int) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	limit := s.Reshape(s.Sizes(x, axis, axis+1), s.Ints("scalar"))
	line := s.Cast(s.Range(s.Int("from", 0), limit, s.Int("step", 1)), onnxbuild.Float32)
	return s.Reshape(s.Sub(line, s.Scalar("half", 0.5)), s.Ints("line", -1, 1))
}
