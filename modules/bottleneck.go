package modules

import "ysc2onnx/onnxbuild"

var bottleneckClass = Class{Path: "models.common.Bottleneck"}

var bottleneckSpec = Spec{
	Name: "Bottleneck", Class: &bottleneckClass, Wiring: Scaled,
	Doc: "1x1 and 3x3 Conv with a residual: c2, shortcut=True, g=1, e=0.5",
	New: func(a *Args) Module {
		return NewBottleneck(a.C1, a.C2, a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5), a.Act)
	},
}

// Bottleneck is 1x1 and 3x3 Conv, added to the input where the channels allow. [N, c1, H, W] -> [N, c2, H, W].
type Bottleneck struct {
	class    *Class
	cv1, cv2 *Conv
	add      bool
}

// NewBottleneck makes a Bottleneck with int(c2·e) hidden channels.
func NewBottleneck(c1, c2 int, shortcut bool, groups int, e float64, act *Activation) *Bottleneck {
	hidden := int(float64(c2) * e)
	return &Bottleneck{
		class: &bottleneckClass,
		cv1:   NewConv1x1(c1, hidden, act),
		cv2:   NewConv(hidden, c2, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: groups, Dilation: 1}, act),
		add:   shortcut && c1 == c2,
	}
}

// Class is YOLOv5's Bottleneck, or the one of its kin that it was made for.
func (b *Bottleneck) Class() *Class { return b.class }

// Forward is x + cv2(cv1(x)), or without the sum.
func (b *Bottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv2", b.cv2, s.Call("cv1", b.cv1, x))
	if s.Flag("add", b.add) {
		return s.Add(x, y)
	}
	return y
}
