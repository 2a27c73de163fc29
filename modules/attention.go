package modules

import (
	"strings"

	"ysc2onnx/onnxbuild"
)

// What the attention modules of YOLOv5's forks share: their wiring, and layers that YOLOv5 itself does not use.

// Attends is the wiring of an attention module, which keeps its channels. A fork's parser hands it (c1, c2, *args), with c2
// the first argument scaled by the width, or (*args) as they stand: of one number only one of the two can be the channels
// of the input. A row without arguments gets (c1).
func Attends(a *Args) []int {
	if len(a.row.Args) == 0 || a.called && len(a.row.Args) == 1 {
		a.takeC1()
		a.C2 = a.C1
		a.prependShown(a.C1)
		return []int{a.C1}
	}
	if !a.takeC2() {
		return nil
	}
	if given, ok := a.row.Args[0].Number(); ok && a.C2 != a.C1 && given == float64(a.C1) {
		a.C2 = a.C1
		return []int{a.C1}
	}
	if a.C2 != a.C1 {
		a.Errorf("gets %d channels and is given %d: it keeps its channels, while YOLOv5 counts on those given; write the channels of its input (before width_multiple)", a.C1, a.C2)
		return nil
	}
	a.prependShown(a.C1, a.C2)
	return []int{a.C2}
}

// Rows is the first dimension of a tensor of the module in a checkpoint, such as the output channels of a convolution, or
// else the usual number.
func (s *Scope) Rows(tensor string, usual int) int {
	if shape, ok := s.TensorShape(tensor); ok && len(shape) > 0 && shape[0] >= 1 && shape[0] <= limit {
		return int(shape[0])
	}
	return usual
}

// AnyOf is the first of several names under which a checkpoint has a child, or else the first of all: forks spell a child
// differently.
func (s *Scope) AnyOf(names ...string) string {
	for _, name := range names {
		if s.ChildClass(name) != "" {
			return name
		}
	}
	return names[0]
}

var adaptiveMaxPool2dClass = Class{Path: "torch.nn.modules.pooling.AdaptiveMaxPool2d"}

// AdaptiveMaxPool2d is torch.nn.AdaptiveMaxPool2d(1): the largest of each channel. [N, c, H, W] -> [N, c, 1, 1].
type AdaptiveMaxPool2d struct{}

// Class is torch.nn.AdaptiveMaxPool2d.
func (AdaptiveMaxPool2d) Class() *Class { return &adaptiveMaxPool2dClass }

// Forward adds the maximum.
func (AdaptiveMaxPool2d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("output_size", 1)
	s.RequireNumber("return_indices", 0)
	return s.GlobalMaxPool(x)
}

// axisMean is torch.nn.AdaptiveAvgPool2d of one axis: (None, 1) averages over the width, axis 3, and (1, None) over the
// height, axis 2. That axis keeps a size of 1.
type axisMean struct{ axis int64 }

// Class is torch.nn.AdaptiveAvgPool2d.
func (axisMean) Class() *Class { return &adaptiveAvgPool2dClass }

// Forward adds the mean.
func (m axisMean) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	want := map[int64]string{2: "(1, None)", 3: "(None, 1)"}[m.axis]
	if k := s.known("output_size"); k != nil && k.Class() != "" {
		if got := k.Show("output_size"); strings.NewReplacer("[", "(", "]", ")").Replace(got) != want {
			s.Err("the checkpoint's output_size is %s; only %s is converted", got, want)
		}
	}
	y := s.ReduceMean(x, m.axis)
	s.CountMACs(x.Shape.Elements().Plus(y.Shape.Elements()), 1)
	return y
}

// The activations that came with MobileNetV3's code. Some write them with a ReLU6 as child, others in the forward.
var (
	hSigmoidClass = Class{Path: "models.common.h_sigmoid", Inert: []string{"inplace"}}
	hSwishClass   = Class{Path: "models.common.h_swish", Inert: []string{"inplace"}}
)

// hSigmoid is relu6(x + 3) / 6 (Howard et al., ICCV 2019).
type hSigmoid struct{}

// Class is h_sigmoid.
func (hSigmoid) Class() *Class { return &hSigmoidClass }

// Forward is min(max(x + 3, 0), 6) / 6.
func (hSigmoid) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Call("relu", fused{relu6().Class()}, x)
	return s.HardSigmoid(x, 1.0/6, 0.5) // which OpenCV reads, and bounds of a Clip it does not
}

// fused is a child that its parent computes along with what is around it.
type fused struct{ class *Class }

// Class is the child's.
func (m fused) Class() *Class { return m.class }

// Forward is x.
func (m fused) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("min_val", 0)
	s.RequireNumber("max_val", 6)
	return x
}

// hSwish is x · h_sigmoid(x).
type hSwish struct{}

// Class is h_swish.
func (hSwish) Class() *Class { return &hSwishClass }

// Forward is x · h_sigmoid(x).
func (hSwish) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Mul(x, s.Call("sigmoid", hSigmoid{}, x))
}

func relu6() *Activation { return newActivation(activationOf("torch.nn.modules.activation.ReLU6")) }

// callEither applies the activation of a child: the given module of a fork's own, or the one of torch.nn that a checkpoint
// has there.
func (s *Scope) callEither(child string, own Module, x *onnxbuild.Value) *onnxbuild.Value {
	switch class := s.ChildClass(child); {
	case class == "" && s.trained() != nil:
		s.NoteSetting(child, own.Class().Name(), "")
	case class != "" && !own.Class().fits(class):
		return s.CallActivation(child, Hardswish(), x)
	}
	return s.Call(child, own, x)
}
