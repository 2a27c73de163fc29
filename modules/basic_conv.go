package modules

import "ysc2onnx/onnxbuild"

var basicConvClass = Class{Path: "models.common.BasicConv", Inert: []string{"out_channels"}}

// basicConv is the convolution of RFBNet's and triplet attention's code: without bias, batch norm, perhaps ReLU.
type basicConv struct {
	conv *Conv2d
	relu bool
}

func newBasicConv(c1, c2, kernel, stride, dilation int, relu bool) *basicConv {
	return &basicConv{&Conv2d{C1: c1, C2: c2, Kernel: square(kernel), Stride: square(stride), Pad: square(dilation * (kernel - 1) / 2), Dilation: square(dilation), Groups: 1}, relu}
}

// Class is BasicConv.
func (*basicConv) Class() *Class { return &basicConvClass }

// Forward is relu(bn(conv(x))), or without relu.
func (m *basicConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("bn", &BatchNorm2d{m.conv.C2}, s.Call("conv", m.conv, x))
	if m.relu {
		y = s.CallActivation("relu", ReLU(), y)
	}
	return y
}
