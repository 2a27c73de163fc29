package modules

import "ysc2onnx/onnxbuild"

var (
	ecaClass    = Class{Path: "models.common.ECA", Aliases: []string{"eca_layer", "ECALayer", "ECA_Layer", "eca"}, Inert: []string{"channel"}}
	conv1dClass = Class{Path: "torch.nn.modules.conv.Conv1d", Inert: conv2dClass.Inert}
)

var ecaSpec = Spec{
	Name: "ECA", Aliases: []string{"eca_layer"}, Class: &ecaClass, Wiring: Attends, Source: "Wang et al., CVPR 2020; github.com/BangguWu/ECANet",
	Doc: "efficient channel attention: c2, k_size=3",
	New: func(a *Args) Module { return NewECA(a.Odd("k_size", 3)) },
}

// ECA weighs each channel by a convolution along the means of the channels (Wang et al., CVPR 2020, and
// github.com/BangguWu/ECANet). [N, c, H, W], same out.
type ECA struct{ kernel int }

// NewECA makes an ECA whose convolution reads kernel channels side by side.
func NewECA(kernel int) *ECA { return &ECA{kernel} }

// Class is ECA.
func (m *ECA) Class() *Class { return &ecaClass }

// Forward is x · σ(conv(mean)).
func (m *ECA) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	mean := s.Reshape(s.Call("avg_pool", AdaptiveAvgPool2d{}, x), s.Ints("line", 0, 1, -1))
	y := s.Call("conv", &channelConv1d{m.kernel}, mean) // [N, 1, c]
	y = s.Reshape(y, s.Ints("column", 0, -1, 1, 1))
	return s.Mul(x, s.Call("sigmoid", Sigmoid(), y))
}

// channelConv1d is a torch.nn.Conv1d of one channel that keeps the length and has no bias. [N, 1, L], same out.
type channelConv1d struct{ kernel int }

// Class is torch.nn.Conv1d.
func (m *channelConv1d) Class() *Class { return &conv1dClass }

// Forward adds the convolution.
func (m *channelConv1d) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	kernel := int64(m.kernel)
	if shape, ok := s.TensorShape("weight"); ok && len(shape) == 3 && shape[2] >= 1 && shape[2] <= limit {
		kernel = shape[2]
	}
	s.RequireText("padding_mode", "zeros")
	s.RequireNumber("stride", 1)
	s.RequireNumber("dilation", 1)
	s.RequireNumber("groups", 1)
	s.RequireNumber("padding", float64(kernel/2))
	if kernel%2 == 0 {
		s.Err("the kernel of %d numbers would change how many channels are weighed, expected an odd one", kernel)
		return x
	}
	weight := s.Param("weight", KaimingUniform(1, 1, kernel), 1, 1, kernel)
	y := s.Conv(x, weight, nil, onnxbuild.Window{Kernel: []int64{kernel}, Stride: []int64{1}, Dilation: []int64{1}, Pads: []int64{kernel / 2, kernel / 2}}, 1)
	s.CountMACs(y.Shape.Elements(), kernel)
	return y
}
