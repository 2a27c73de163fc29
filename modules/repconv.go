package modules

import "ysc2onnx/onnxbuild"

var (
	repInert         = []string{"deploy", "groups", "in_channels", "out_channels"}
	repConvClass     = Class{Path: "models.common.RepConv", Inert: repInert}
	repVGGBlockClass = Class{Path: "models.common.RepVGGBlock", Inert: repInert}
)

var (
	repConvSpec = Spec{
		Name: "RepConv", Class: &repConvClass, Wiring: Scaled, Source: "Ding et al., CVPR 2021; github.com/WongKinYiu/yolov7",
		Doc: "YOLOv7's 3x3 and 1x1 convolution and the input, each with a batch norm, added, or fused in one: c2, k=3, s=1, p=None, g=1, act=True",
		New: func(a *Args) Module {
			a.expectNumber("k", 3)
			stride := a.Positive("s", 1)
			if pad := a.PadOrNone("p"); pad != square(-1) && pad != square(1) {
				a.Errorf("argument p must be None or 1")
			}
			groups, act := a.Positive("g", 1), a.Activation("act")
			if act == a.Act { // which its own code does not ask for
				act = SiLU()
			}
			return NewRepConv(a.C1, a.C2, stride, groups, act)
		},
	}
	repVGGBlockSpec = Spec{
		Name: "RepVGGBlock", Class: &repVGGBlockClass, Wiring: Scaled, Source: "Ding et al., CVPR 2021; YOLOv5's forks",
		Doc: "RepVGG's 3x3 and 1x1 convolution and the input, each with a batch norm, added, ReLU, or fused in one: c2, kernel_size=3, stride=1, padding=1, dilation=1, groups=1",
		New: func(a *Args) Module { return newRepVGG(a, &repVGGBlockClass) },
	}
)

// newRepVGG takes the arguments of RepVGG's block and makes it, or one of its kin with the same arguments.
func newRepVGG(a *Args, class *Class) *RepConv {
	a.expectNumber("kernel_size", 3)
	stride := a.Positive("stride", 1)
	a.expectNumber("padding", 1)
	a.expectNumber("dilation", 1)
	m := NewRepConv(a.C1, a.C2, stride, a.Positive("groups", 1), ReLU())
	m.class, m.actName, m.parts = class, "nonlinearity", [2]string{"conv", "bn"}
	return m
}

// expectNumber takes an integer that can only be one.
func (a *Args) expectNumber(name string, n int) {
	if got := a.Int(name, n); got != n {
		a.Errorf("argument %s is %d, expected %d", name, got, n)
	}
}

// RepConv is the block of RepVGG (Ding et al., CVPR 2021), which its authors fuse into one convolution after training.
// [N, c1, H, W] -> [N, c2, H/s, W/s].
type RepConv struct {
	class                  *Class
	c1, c2, stride, groups int
	act                    *Activation
	actName                string
	parts                  [2]string // names of a convolution and its batch norm in their Sequential
}

// NewRepConv makes a RepConv as YOLOv7 has it.
func NewRepConv(c1, c2, stride, groups int, act *Activation) *RepConv {
	return &RepConv{class: &repConvClass, c1: c1, c2: c2, stride: stride, groups: groups, act: act, actName: "act", parts: [2]string{"0", "1"}}
}

// Class is RepConv or RepVGGBlock.
func (m *RepConv) Class() *Class { return m.class }

// Forward is act(rbr_dense(x) + rbr_1x1(x) + rbr_identity(x)), the last where it has the shape of the others, or
// act(rbr_reparam(x)) of a checkpoint that was fused.
func (m *RepConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if s.Has("rbr_reparam.weight") {
		conv := m.convolution(3)
		conv.Bias = true
		return m.activate(s, s.Call("rbr_reparam", conv, x))
	}
	y := s.Add(s.Call("rbr_dense", m.branch(3), x), s.Call("rbr_1x1", m.branch(1), x))
	if m.c1 == m.c2 && m.stride == 1 {
		y = s.Add(y, s.Call("rbr_identity", &BatchNorm2d{m.c1}, x))
	}
	return m.activate(s, y)
}

// activate applies the activation, behind the place for squeeze and excitation that RepVGG's code has, which is empty.
func (m *RepConv) activate(s *Scope, y *onnxbuild.Value) *onnxbuild.Value {
	if m.class != &repConvClass {
		y = s.Call("se", Identity(), y)
	}
	return s.CallActivation(m.actName, m.act, y)
}

// branch is a convolution and its batch norm.
func (m *RepConv) branch(kernel int) Module {
	return &namedSequence{m.parts[:], []Module{m.convolution(kernel), &BatchNorm2d{m.c2}}}
}

func (m *RepConv) convolution(kernel int) *Conv2d {
	return &Conv2d{C1: m.c1, C2: m.c2, Kernel: square(kernel), Stride: square(m.stride), Pad: square(kernel / 2), Dilation: square(1), Groups: m.groups}
}

// namedSequence is a torch.nn.Sequential of modules with names of their own.
type namedSequence struct {
	names   []string
	modules []Module
}

// Class is torch.nn.Sequential.
func (*namedSequence) Class() *Class { return &sequentialClass }

// Forward applies the modules in turn.
func (q *namedSequence) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	for i, m := range q.modules {
		x = s.Call(q.names[i], m, x)
	}
	return x
}
