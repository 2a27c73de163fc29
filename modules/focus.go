package modules

import "ysc2onnx/onnxbuild"

var focusClass = Class{Path: "models.common.Focus"}

var focusSpec = Spec{
	Name: "Focus", Class: &focusClass, Wiring: Scaled,
	Doc: "every second pixel into channels, then a Conv: c2, k=1, s=1, p=None, g=1, act=True",
	New: func(a *Args) Module {
		args := ConvArgs{Kernel: a.Pair("k", 1), Stride: a.Pair("s", 1), Pad: a.PadOrNone("p"), Groups: a.Positive("g", 1), Dilation: 1}
		return &Focus{NewConv(4*a.C1, a.C2, args, a.Activation("act"))}
	},
}

// Focus moves squares of 2x2 pixels into the channels, and convolves. [N, c1, H, W] -> [N, c2, H/2, W/2] at stride 1.
type Focus struct{ conv *Conv }

// Class is YOLOv5's Focus.
func (m *Focus) Class() *Class { return &focusClass }

// Forward is conv(cat(x[::2, ::2], x[1::2, ::2], x[::2, 1::2], x[1::2, 1::2])), rows before columns.
func (m *Focus) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	return s.Call("conv", m.conv, everySecond(s, x))
}

// everySecond is cat(x[::2, ::2], x[1::2, ::2], x[::2, 1::2], x[1::2, 1::2]).
func everySecond(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if x.Refused() {
		return x
	}
	every := func(row, column int64) *onnxbuild.Value {
		return s.Slices(x, onnxbuild.Cut{Axis: 2, From: row, To: onnxbuild.ToEnd, Step: 2}, onnxbuild.Cut{Axis: 3, From: column, To: onnxbuild.ToEnd, Step: 2})
	}
	return s.Concat(1, every(0, 0), every(1, 0), every(0, 1), every(1, 1))
}
