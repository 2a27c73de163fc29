package heads

import (
	"slices"

	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// Decoded is YOLOv5's own form: each cell of each map gives, for each of its anchors, a box (centre x and y, width, height
// in pixels of the image), an objectness and nc class scores. output0 is [N, Σ na·Hᵢ·Wᵢ, 5+nc]. A model that segments has
// coefficients of nm masks behind the scores, and output1 are their prototypes, [N, nm, H, W]. A model that finds landmarks, as
// yolov5-face does, has x and y of each, in pixels of the image, between objectness and scores; one of rotated boxes, as
// yolov5_obb's, scores of angles behind those of classes.
func Decoded(s *modules.Scope, raw *modules.Raw) []modules.Output {
	levels := make([]*onnxbuild.Value, len(raw.Maps))
	for i := range raw.Maps {
		levels[i] = levelOf(raw, i).decode(s)
	}
	rows := levels[0]
	if len(levels) > 1 {
		rows = s.Concat(1, levels...)
	}
	meaning := roles.YOLOv5("output0", raw.Classes, raw.Masks)
	if raw.Landmarks > 0 {
		meaning.Parts = slices.Insert(meaning.Parts, 2, roles.Part{Role: roles.Landmarks, Size: raw.Landmarks})
	}
	if raw.Angles > 0 {
		meaning.Parts = append(meaning.Parts, roles.Part{Role: roles.Angles, Size: raw.Angles})
	}
	outputs := []modules.Output{{Output: meaning, Value: rows}}
	if raw.Prototypes != nil {
		outputs = append(outputs, modules.Output{Output: roles.Of("output1", roles.Prototypes), Value: raw.Prototypes})
	}
	return outputs
}

// level is one of the maps that a head gives, [N, na·no, H, W], with the anchors and the stride of its cells, in pixels.
type level struct {
	*onnxbuild.Value
	anchors []float32
	stride  int64
	columns
}

// levelOf is the i-th level of a head.
func levelOf(raw *modules.Raw, i int) level {
	return level{raw.Maps[i], raw.Anchors[i], raw.Strides[i], columns{int64(raw.Landmarks), int64(raw.Classes + raw.Angles), int64(raw.Masks)}}
}

// columns are those of each anchor: a box and an objectness, and then these. Scores are of classes and of angles.
type columns struct{ landmarks, scores, masks int64 }

// scored are the columns of a box and an objectness.
const scored = 5

// all is the number of columns.
func (c columns) all() int64 { return scored + c.landmarks + c.scores + c.masks }

// decode gives the rows of one map. YOLOv5 takes it apart into boxes and scores, with five dimensions; the same is one
// polynomial in t, the sigmoid of the map, whose coefficients are constants of each channel, column and row:
//
//	xy         (2·t - 1/2 + cell) · stride    =  t·(0·t + 2·stride) + (cell - 1/2)·stride
//	wh         (2·t)² · anchor                =  t·(4·anchor·t + 0)
//	landmarks  t·anchor + cell·stride, t the map itself  =  t·(0·t + anchor) + stride/2 + (cell - 1/2)·stride
//	scores     t                              =  t·(0·t + 1)
//	masks      t, here the map itself         =  t·(0·t + 1)
//
// Each is added where it broadcasts in the way that OpenCV's DNN module (4.6) knows: per channel and row while the channels
// come first, per column and channel when they come last. No tensor has five dimensions, since that module then mixes up the
// images of a batch.
func (l level) decode(s *modules.Scope) *onnxbuild.Value {
	na, no := int64(len(l.anchors)/2), l.all()
	c, pixels := na*no, float32(l.stride)
	squared, linear, offset, down, across := make([]float32, c), make([]float32, c), make([]float32, c), make([]float32, c), make([]float32, c)
	for i := range c {
		switch k := i % no; {
		case k == 0:
			linear[i], across[i] = 2*pixels, pixels
		case k == 1:
			linear[i], down[i] = 2*pixels, pixels
		case k < 4:
			squared[i] = 4 * l.anchors[i/no*2+k-2]
		case k >= scored && k < scored+l.landmarks:
			axis := (k - scored) % 2
			linear[i], offset[i] = l.anchors[i/no*2+axis], pixels/2
			[2][]float32{across, down}[axis][i] = pixels
		default:
			linear[i] = 1
		}
	}
	constant := func(name string, values []float32, shape ...int64) *onnxbuild.Value {
		return s.Constant(name, onnxbuild.FloatTensor(shape, values))
	}
	t := l.sigmoids(s)
	y := s.Mul(s.Add(s.Mul(t, constant("squared", squared, c, 1, 1)), constant("linear", linear, c, 1, 1)), t)
	if l.landmarks > 0 {
		y = s.Add(y, constant("offset", offset, c, 1, 1))
	}
	y = s.Add(y, s.Mul(cells(s, l.Value, 2), constant("rows", down, c, 1, 1)))                         // [c, H, 1]
	y = s.Add(s.Transpose(y, 0, 2, 3, 1), s.Mul(cells(s, l.Value, 3), constant("columns", across, c))) // [W, c]
	y = s.Transpose(s.Reshape(y, s.Ints("anchors", 0, -1, na, no)), 0, 2, 1, 3)                        // [N, na, H·W, no]
	return s.Reshape(y, s.Ints("boxes", 0, -1, no))
}

// sigmoids is the sigmoid of a map but for landmarks and the coefficients of masks.
func (l level) sigmoids(s *modules.Scope) *onnxbuild.Value {
	if l.landmarks+l.masks == 0 || l.Refused() {
		return s.Sigmoid(l.Value)
	}
	var sizes []int64 // of parts, every second one without a sigmoid
	for range len(l.anchors) / 2 {
		for i, n := range []int64{scored, l.landmarks, l.scores, l.masks} {
			if last := len(sizes) - 1; n > 0 && last >= 0 && last%2 == i%2 { // as the part before, perhaps of another anchor
				sizes[last] += n
			} else if n > 0 {
				sizes = append(sizes, n)
			}
		}
	}
	parts := s.Split(l.Value, 1, sizes...)
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
