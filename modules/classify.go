package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

var classifyClass = Class{Path: "models.common.Classify"}

var classifySpec = Spec{
	Name: "Classify", Class: &classifyClass, Wiring: Ends, OneToo: true,
	Doc:  "classification head: c1, c2 (the classes), k=1, s=1, p=None, g=1",
	Head: newClassify,
}

func newClassify(a *Args) Head {
	sum := 0
	for _, c := range a.In {
		sum += c
	}
	if len(a.row.Args) < 2 {
		a.Errorf("needs the arguments c1 and c2, the channels of its input and the number of classes, got %d: YOLOv5's parser hands over a row's arguments as they are", len(a.row.Args))
	}
	if c1 := a.Positive("c1", max(sum, 1)); !a.failed && !slices.Contains(a.In, 0) && c1 != sum {
		a.ErrorAt(a.row.Args[0].Span, "argument c1 is %d, expected the channels of its input, %d", c1, sum)
	}
	m := &Classify{c1: sum, classes: a.Positive("c2", 1), act: a.Act}
	m.args = ConvArgs{Kernel: a.Pair("k", 1), Stride: a.Pair("s", 1), Pad: a.PadOrNone("p"), Groups: a.Positive("g", 1), Dilation: 1}
	return m
}

// classifyWidth are the channels between a Classify's convolution and its linear map, as in YOLOv5 since 6.2.
const classifyWidth = 1280

// Classify is YOLOv5's classification head: a Conv, the mean of each channel, and a linear map, whose outcome is not normalised.
// Inputs of one size are put side by side. [N, cᵢ, H, W] for each input -> [N, c2].
type Classify struct {
	c1, classes int
	args        ConvArgs
	act         *Activation
}

// Class is YOLOv5's Classify.
func (m *Classify) Class() *Class { return &classifyClass }

// Forward is linear(mean(conv(cat(x₀, x₁, …)))); the dropout before the linear map does nothing when it is not training.
func (m *Classify) Forward(s *Scope, inputs []*onnxbuild.Value) *Raw {
	if slices.ContainsFunc(inputs, (*onnxbuild.Value).Refused) {
		return nil
	}
	strides := s.model.strides
	if strides == nil {
		strides = stridesOf(s, inputs[:1])
	}
	x := inputs[0]
	if len(inputs) > 1 {
		x = s.Concat(1, inputs...)
	}
	c := s.Rows("conv.conv.weight", classifyWidth)
	x = s.Call("pool", AdaptiveAvgPool2d{}, s.Call("conv", NewConv(m.c1, c, m.args, m.act), x))
	x = s.Reshape(x, s.Ints("flat", 0, -1)) // OpenCV's DNN module (4.6) knows no Squeeze of opset 13
	x = s.Call("linear", &Linear{c, m.classes, true}, x)
	return &Raw{Strides: strides, Classes: m.classes, Logits: x}
}
