package modules

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
)

// Detect is YOLOv5's detection head, decoded: each cell of each map gives, for each of its anchors, a box (centre x and
// y, width, height in pixels of the image), an objectness and nc class scores.
// [N, chᵢ, Hᵢ, Wᵢ] for each level -> [N, Σ na·Hᵢ·Wᵢ, 5+nc].
type Detect struct {
	Classes  int
	Anchors  [][]float64 // for each level w, h of each anchor, in pixels
	Counted  bool        // Anchors are not chosen, only their number is: training fits them
	Channels []int       // of each input
}

// Forward decodes all levels and joins them.
func (m *Detect) Forward(s *Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	if len(inputs) != len(m.Anchors) {
		s.Err("%d inputs, but anchors for %d", len(inputs), len(m.Anchors))
		return inputs[0]
	}
	for _, x := range inputs {
		if x.Refused() {
			return x
		}
	}
	strides := s.model.strides
	if strides == nil {
		strides = m.strides(s, inputs)
	}
	if len(strides) != len(inputs) {
		return inputs[0]
	}
	s.model.strides, s.model.classes = strides, m.Classes
	anchors := m.inStrides(s, m.ordered(s, strides), strides)
	if anchors == nil {
		return inputs[0]
	}
	list, levels := s.In("m"), make([]*onnxbuild.Value, len(inputs))
	for i, x := range inputs {
		levels[i] = m.level(s, list.At(i), x, m.Channels[i], anchors[i], strides[i])
	}
	if len(levels) == 1 {
		return levels[0]
	}
	return s.Concat(1, levels...)
}

// strides are how many pixels of the image a cell of each input is high; nil after an error.
func (m *Detect) strides(s *Scope, inputs []*onnxbuild.Value) []int64 {
	strides := make([]int64, len(inputs))
	for i, x := range inputs {
		ratio, ok := s.model.height.DivExact(x.Dim(2))
		if strides[i], _ = ratio.Static(); !ok || strides[i] < 1 {
			s.Err("input %d is %s cells high in an image of %s pixels: its stride is not a whole number of pixels", i, x.Dim(2), s.model.height)
			return nil
		}
	}
	return strides
}

// ordered are the anchors in the order of the strides: YOLOv5 turns them around where the first and the last anchors'
// areas run against the strides (utils/autoanchor.py, check_anchor_order).
func (m *Detect) ordered(s *Scope, strides []int64) [][]float64 {
	if s.has("anchors") { // a checkpoint's are in order
		return m.Anchors
	}
	area := func(level []float64) (sum float64) {
		for i := 0; i+1 < len(level); i += 2 {
			sum += float64(level[i] * level[i+1])
		}
		return sum
	}
	last := len(m.Anchors) - 1
	growth := area(m.Anchors[last]) - area(m.Anchors[0])
	if order := float64(strides[last] - strides[0]); growth != 0 && growth*order < 0 || growth != 0 && order == 0 {
		s.Warn("the anchors run against the strides %v of its inputs: YOLOv5 turns them around, and so does this model", strides)
		reversed := slices.Clone(m.Anchors)
		slices.Reverse(reversed)
		return reversed
	}
	if !slices.IsSorted(strides) {
		s.Warn("its inputs have the strides %v, expected from the smallest to the largest", strides)
	}
	return m.Anchors
}

// level decodes one map. Grid and anchors are spread over all cells, as YOLOv5 has them: OpenCV's DNN module (4.6) does
// not broadcast constants of five dimensions. With t the sigmoid of the map: xy = (2·t - 1/2 + cell)·stride, wh = (2·t)²·anchor.
func (m *Detect) level(s, sm *Scope, x *onnxbuild.Value, channels int, anchors []float32, stride int64) *onnxbuild.Value {
	na, no := int64(len(anchors)/2), int64(m.Classes+5)
	conv := &Conv2d{
		C1: channels, C2: int(na * no), Kernel: square(1), Stride: square(1), Dilation: square(1), Groups: 1, Bias: true,
	}
	conv.BiasInit = KaimingUniform(int64(conv.C2), int64(channels), 1, 1).Plus(m.biasOffset(stride))
	x = conv.Forward(sm, x)
	t := s.Sigmoid(s.Transpose(s.Reshape(x, s.withMap(x, 0, na, no)), 0, 1, 3, 4, 2)) // [N, na, H, W, 5+nc]
	part := s.Split(t, 4, 2, 2, no-4)
	two := s.Scalar("two", 2)
	cells := s.Concat(0, s.Ints("anchors", 1, na), s.Sizes(x, 2, 4), s.Ints("one", 1))
	xy := s.Mul(s.Add(s.Mul(part[0], two), m.grid(s, x, cells)), s.Scalar("stride", float32(stride)))
	wh := s.Mul(part[1], two)
	wh = s.Mul(s.Mul(wh, wh), s.Expand(s.Constant("anchor_grid", anchorGrid(anchors, stride)), cells))
	return s.Reshape(s.Concat(4, xy, wh, part[2]), s.Ints("rows", 0, -1, no))
}

// grid holds the place of each cell, column before row, less a half, for each anchor: [1, na, H, W, 2]. cells is the list
// 1, na, H, W, 1.
func (m *Detect) grid(s *Scope, x, cells *onnxbuild.Value) *onnxbuild.Value {
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

// inStrides is the buffer in which YOLOv5 keeps the anchors, [levels, na, 2] in units of the strides, by level; nil after
// an error. A checkpoint's may differ from the YAML's: AutoAnchor changes them.
func (m *Detect) inStrides(s *Scope, pixels [][]float64, strides []int64) [][]float32 {
	var elements []float32
	for i, level := range pixels {
		for _, a := range level {
			elements = append(elements, float32(a)/float32(strides[i]))
		}
	}
	levels, each := int64(len(pixels)), int64(len(pixels[0]))
	buffer := s.Buffer("anchors", Values(elements), levels, each/2, 2)
	if buffer.Const == nil {
		return nil
	}
	trained, err := buffer.Const.ReadAll()
	if err != nil {
		s.Err("anchors: %w", err)
		return nil
	}
	if s.has("anchors") && !m.Counted && !alike(trained, elements) {
		s.model.settings.add(s.path, Setting{
			Module: "Detect", Attribute: "anchors", Value: anchorsText(trained, each, strides), Instead: anchorsText(elements, each, strides),
		})
	}
	return slices.Collect(slices.Chunk(trained, int(each)))
}

// alike reports whether anchors are the same up to the rounding of float16, in which training saves them.
func alike(a, b []float32) bool {
	for i := range a {
		if difference := float64(a[i]) - float64(b[i]); !(math.Abs(difference) <= math.Abs(float64(b[i]))/1024) {
			return false
		}
	}
	return true
}

// anchorsText prints anchors, each of that many numbers a level in units of the strides, in pixels.
func anchorsText(anchors []float32, each int64, strides []int64) string {
	levels := make([]string, len(strides))
	for i, level := range slices.Collect(slices.Chunk(anchors, int(each))) {
		parts := make([]string, len(level))
		for k, a := range level {
			parts[k] = strconv.FormatFloat(float64(a*float32(strides[i])), 'g', 4, 32)
		}
		levels[i] = "[" + strings.Join(parts, ", ") + "]"
	}
	return "[" + strings.Join(levels, ", ") + "]"
}

// anchorGrid is [1, na, 1, 1, 2], in pixels, of anchors in units of the stride.
func anchorGrid(anchors []float32, stride int64) *onnxbuild.Tensor {
	pixels := make([]float32, len(anchors))
	for i, a := range anchors {
		pixels[i] = a * float32(stride)
	}
	return onnxbuild.FloatTensor([]int64{1, int64(len(anchors) / 2), 1, 1, 2}, pixels)
}

// biasOffset is what YOLOv5 adds to the biases of the last convolution (models/yolo.py, _initialize_biases; Lin et al.,
// Focal Loss, section 3.3): eight objects in an image of 640 pixels, and classes of equal frequency.
func (m *Detect) biasOffset(stride int64) func(i int64) float64 {
	cells := 640 / float64(stride)
	object := weights.Log(8 / float64(cells*cells))
	class := weights.Log(0.6 / (float64(m.Classes) - 0.99999))
	no := int64(m.Classes + 5)
	return func(i int64) float64 {
		switch k := i % no; {
		case k == 4:
			return object
		case k > 4:
			return class
		}
		return 0
	}
}
