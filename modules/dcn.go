package modules

import "ysc2onnx/onnxbuild"

var (
	dcnClass           = Class{Path: "models.common.DCNv2", Inert: []string{"in_channels", "out_channels", "kernel_size"}}
	dcnBottleneckClass = Class{Path: "models.common.Bottleneck_DCN"}
	c3DCNClass         = Class{Path: "models.common.C3_DCN"}
)

var (
	dcnSpec = Spec{
		Name: "DCNv2", Class: &dcnClass, Wiring: Scaled, Source: "Zhu et al., CVPR 2019; github.com/z1069614715/objectdetection_script",
		Doc: "deformable convolution, batch norm, activation, from opset 19 on: c2, k, stride=1, padding=1, dilation=1, groups=1, deformable_groups=1",
		New: func(a *Args) Module {
			m := &DCNv2{c1: a.C1, c2: a.C2, kernel: a.Positive("kernel_size", 0), stride: a.Positive("stride", 1), pad: a.Int("padding", 1), act: a.Act}
			a.expectNumber("dilation", 1) // of the offsets' convolution it is 1 whatever it is here, and the sizes differ
			a.ungrouped("groups")
			m.offsets = a.Positive("deformable_groups", 1)
			if m.kernel < 1 {
				a.Errorf("argument kernel_size is missing")
			}
			if m.c1%m.offsets != 0 {
				a.Errorf("%d channels do not form %d groups with offsets of their own", m.c1, m.offsets)
			}
			return m
		},
	}
	c3DCNSpec = Spec{
		Name: "C3_DCN", Class: &c3DCNClass, Wiring: RepeatsAsTrained, Source: "Zhu et al., CVPR 2019; github.com/z1069614715/objectdetection_script",
		Doc: "C3 with deformable convolutions in its bottlenecks, from opset 19 on: c2, shortcut=True, g=1, e=0.5",
		New: func(a *Args) Module {
			if !a.RepeatsInside() {
				a.N = a.Int("n", 1)
			}
			shortcut := a.Bool("shortcut", true)
			a.ungrouped("g")
			return NewCSP(&c3DCNClass, a.C1, a.C2, a.Float("e", 0.5), a.Act, a.N, func(hidden int) Module {
				m := &DCNv2{c1: hidden, c2: hidden, kernel: 3, stride: 1, pad: 1, offsets: 1, act: a.Act}
				return &innerBottleneck{&dcnBottleneckClass, NewConv1x1(hidden, hidden, a.Act), m, shortcut}
			})
		},
	}
)

// DCNv2 is the deformable convolution with weights of its places (Zhu et al., CVPR 2019), as in
// github.com/z1069614715/objectdetection_script. [N, c1, H, W] -> [N, c2, H', W'].
type DCNv2 struct {
	c1, c2, kernel, stride, pad int
	offsets                     int // groups of input channels that share the places they are read at
	act                         *Activation
}

// ungrouped takes a number of groups that must be 1, as the weight has all input channels.
func (a *Args) ungrouped(name string) {
	if groups := a.Positive(name, 1); groups != 1 {
		a.Errorf("argument %s is %d, expected 1: the weight has all input channels, and PyTorch refuses it", name, groups)
	}
}

// Class is DCNv2.
func (m *DCNv2) Class() *Class { return &dcnClass }

// Forward is act(bn(deformed(x))): conv_offset_mask gives two thirds of offsets, y before x at each element of the kernel,
// and a third of weights, whose sigmoid is taken.
func (m *DCNv2) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("dilation", 1)
	s.RequireNumber("groups", 1)
	s.RequireNumber("stride", float64(m.stride))
	s.RequireNumber("padding", float64(m.pad))
	s.RequireNumber("deformable_groups", float64(m.offsets))
	w := window(square(m.kernel), square(m.stride), square(m.pad), square(1))
	places := int64(m.offsets * m.kernel * m.kernel)
	conv := &Conv2d{C1: m.c1, C2: int(3 * places), Kernel: square(m.kernel), Stride: square(m.stride), Pad: square(m.pad), Dilation: square(1), Groups: 1, Bias: true}
	parts := s.Split(s.Call("conv_offset_mask", conv, x), 1, 2*places, places)
	shape := []int64{int64(m.c2), int64(m.c1), int64(m.kernel), int64(m.kernel)}
	weight, bias := s.Param("weight", KaimingUniform(shape...), shape...), s.Param("bias", Constant(0), shape[0])
	y := s.DeformConv(x, weight, parts[0], s.Sigmoid(parts[1]), bias, w, 1, int64(m.offsets))
	return s.CallActivation("act", m.act, s.Call("bn", &BatchNorm2d{m.c2}, y))
}
