package modules

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

var detectClass = Class{Path: "models.yolo.Detect", Inert: []string{
	"nc", "no", "nl", "na", "grid", "anchor_grid", "stride", "dynamic", "onnx_dynamic"}}

var detectSpec = Spec{
	Name: "Detect", Class: &detectClass, Wiring: Ends,
	Doc:  "detection head: nc, anchors, ch=(those of its inputs)",
	Head: newDetect,
}

func newDetect(a *Args) Head {
	m := anchored(a)
	m.Landmarks = m.landmarks(a, true)
	return &m
}

// anchored takes the arguments of Detect, and of its like in forks.
func anchored(a *Args) Detect {
	m := Detect{Classes: a.Positive("nc", 80), Channels: a.In}
	anchors := a.Replaced("anchors") // by the checkpoint's, a tensor
	givenChannels(a)
	m.anchors(a, anchors)
	return m
}

// anchors reads the argument of that name.
func (m *Detect) anchors(a *Args, anchors python.Literal) {
	if n := anchors.Int; anchors.Kind == python.Int && n > 0 && n <= yamlcfg.MaxAnchors { // as YOLOv5: 0, 1, 2, …
		level := make([]float64, n*2)
		for i := range level {
			level[i] = float64(i)
		}
		for range a.In {
			m.Anchors = append(m.Anchors, level)
		}
		m.Counted = true
		a.shown[1] = countedText(int(n), len(a.In))
		return
	}
	const expected = "a list of lists of numbers, w and h of each anchor, one list for each input"
	if anchors.Kind != python.List || len(anchors.Items) == 0 {
		a.Wrong("anchors", anchors, expected)
		return
	}
	for _, item := range anchors.Items {
		var level []float64
		for _, l := range item.Items {
			x, number := l.Number()
			if !number || !(x > 0 && x <= limit) {
				a.Wrong("anchors", l, "a number of pixels over 0")
				return
			}
			level = append(level, x)
		}
		if len(level) == 0 || len(level)%2 != 0 || len(m.Anchors) > 0 && len(level) != len(m.Anchors[0]) {
			a.Wrong("anchors", item, expected+", all of the same length")
			return
		}
		m.Anchors = append(m.Anchors, level)
	}
	if len(m.Anchors) != len(a.In) {
		a.ErrorAt(a.row.FromSpan, "%d inputs, but anchors for %d", len(a.In), len(m.Anchors))
	}
}

// givenChannels takes the channels of a head's inputs where a row has them. They take the place of those that the parser
// appends, which become the next argument, inplace: so the row's must be right.
func givenChannels(a *Args) {
	ch := a.Replaced("ch")
	if ch.Span.IsZero() || slices.Contains(a.In, 0) { // there is none, or an earlier error hides what is right
		return
	}
	same := ch.Kind == python.List && len(ch.Items) == len(a.In)
	for i := 0; same && i < len(a.In); i++ {
		same = ch.Items[i].Kind == python.Int && ch.Items[i].Int == int64(a.In[i])
	}
	if !same {
		a.ErrorAt(ch.Span, "argument ch is %s, expected the channels of its inputs, %s, or to leave it out", ch.Repr(), intList(a.In))
		return
	}
	a.NoteOnce(ch.Span, "the channels %s are those of its inputs, which YOLOv5's parser appends itself: they can be left out", ch.Repr())
}

// Detect is YOLOv5's detection head: a 1x1 convolution for each level gives each cell, for each of its anchors, a box, an
// objectness and nc class scores, not decoded. [N, chᵢ, Hᵢ, Wᵢ] for each level -> [N, na·(5+nc), Hᵢ, Wᵢ].
type Detect struct {
	Classes   int
	Masks     int         // columns after the scores, of a Segment
	Landmarks int         // columns before the scores, as a checkpoint tells
	Anchors   [][]float64 // for each level w, h of each anchor, in pixels
	Counted   bool        // Anchors are not chosen, only their number is: training fits them
	Channels  []int       // of each input
}

// Class is YOLOv5's Detect.
func (m *Detect) Class() *Class { return &detectClass }

// Forward applies the convolutions.
func (m *Detect) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	list := s.Items("m")
	return m.raw(s, inputs, func(i, anchors int, stride int64) *onnxbuild.Value {
		return list.CallItem(i, m.conv(m.Channels[i], anchors, stride), inputs[i])
	})
}

// raw has the maps that level gives, of so many anchors each, and what decoding them takes; nil after an error.
func (m *Detect) raw(s *Scope, inputs []*onnxbuild.Value, level func(i, anchors int, stride int64) *onnxbuild.Value) *Raw {
	if len(inputs) != len(m.Anchors) {
		s.Err("%d inputs, but anchors for %d", len(inputs), len(m.Anchors))
		return nil
	}
	for _, x := range inputs {
		if x.Refused() {
			return nil
		}
	}
	raw := &Raw{Strides: s.model.strides, Classes: m.Classes, Landmarks: m.Landmarks, Masks: m.Masks}
	if raw.Strides == nil {
		raw.Strides = stridesOf(s, inputs)
	}
	if len(raw.Strides) != len(inputs) {
		return nil
	}
	anchors := m.inStrides(s, m.ordered(s, raw.Strides), raw.Strides)
	if anchors == nil {
		return nil
	}
	for i := range inputs {
		pixels := make([]float32, len(anchors[i]))
		for k, a := range anchors[i] {
			pixels[k] = a * float32(raw.Strides[i])
		}
		raw.Anchors = append(raw.Anchors, pixels)
		raw.Maps = append(raw.Maps, level(i, len(pixels)/2, raw.Strides[i]))
	}
	return raw
}

// columns are those of each anchor: a box, an objectness, landmarks, the scores and coefficients of masks.
func (m *Detect) columns() int { return 5 + m.Landmarks + m.Classes + m.Masks }

// conv is the convolution of a level with na anchors.
func (m *Detect) conv(channels, na int, stride int64) *Conv2d {
	c := &Conv2d{
		C1: channels, C2: na * m.columns(), Kernel: square(1), Stride: square(1), Dilation: square(1), Groups: 1, Bias: true,
	}
	c.BiasInit = KaimingUniform(int64(c.C2), int64(channels), 1, 1).Plus(m.biasOffset(stride))
	return c
}

// stridesOf are how many pixels of the image a cell of each input is high; nil after an error.
func stridesOf(s *Scope, inputs []*onnxbuild.Value) []int64 {
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
	if s.Has("anchors") { // a checkpoint's are in order
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
		s.Warn(diag.Strides, "the anchors run against the strides %v of its inputs: YOLOv5 turns them around, and so does this model", strides)
		reversed := slices.Clone(m.Anchors)
		slices.Reverse(reversed)
		return reversed
	}
	if !slices.IsSorted(strides) {
		s.Warn(diag.Strides, "its inputs have the strides %v, expected from the smallest to the largest", strides)
	}
	return m.Anchors
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
	if s.Has("anchors") && !m.Counted && !alike(trained, elements) {
		s.NoteSetting("anchors", anchorsText(trained, each, strides), anchorsText(elements, each, strides))
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

// biasOffset is what YOLOv5 adds to the biases of the last convolution (models/yolo.py, _initialize_biases; Lin et al.,
// Focal Loss, section 3.3): eight objects in an image of 640 pixels, and classes of equal frequency.
func (m *Detect) biasOffset(stride int64) func(i int64) float64 {
	cells := 640 / float64(stride)
	object := weights.Log(8 / float64(cells*cells))
	class := weights.Log(0.6 / (float64(m.Classes) - 0.99999))
	no := int64(m.columns())
	return func(i int64) float64 {
		switch k := i % no; {
		case k == 4:
			return object
		case k > 4 && k < int64(m.Classes)+5:
			return class
		}
		return 0
	}
}

// countedText is what YOLOv5's parser prints for a number of anchors, which stand for 0, 1, 2, … at each level.
func countedText(anchors, levels int) string {
	level := make([]int, anchors*2)
	for k := range level {
		level[k] = k
	}
	return "[" + strings.Join(slices.Repeat([]string{intList(level)}, levels), ", ") + "]"
}
