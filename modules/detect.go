package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
	"ysc2onnx/yamlcfg/python"
)

var detectClass = Class{Path: "models.yolo.Detect", Inert: []string{
	"nc", "no", "nl", "na", "grid", "anchor_grid", "stride", "dynamic", "onnx_dynamic", "export_cat"}}

var detectSpec = Spec{
	Name: "Detect", Class: &detectClass, Wiring: Ends,
	Doc:  "detection head: nc, anchors, ch=(those of its inputs)",
	Head: newDetect,
}

func newDetect(a *Args) Head {
	m := anchored(a)
	m.moreColumns(a, true)
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
	Angles    int         // columns after the scores, as a checkpoint tells
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
	raw := &Raw{Strides: s.model.strides, Classes: m.Classes, Landmarks: m.Landmarks, Angles: m.Angles, Masks: m.Masks}
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

// columns are those of each anchor: a box, an objectness, landmarks, the scores of classes and angles and coefficients of masks.
func (m *Detect) columns() int { return 5 + m.Landmarks + m.Classes + m.Angles + m.Masks }

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
