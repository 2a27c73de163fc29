package modules

import "ysc2onnx/onnxbuild"

var (
	ghostConvClass       = Class{Path: "models.common.GhostConv"}
	ghostBottleneckClass = Class{Path: "models.common.GhostBottleneck"}
	c3GhostClass         = Class{Path: "models.common.C3Ghost"}
)

var ghostConvSpec = Spec{
	Name: "GhostConv", Class: &ghostConvClass, Wiring: Scaled,
	Doc: "half of the channels by a convolution, half from those by a depthwise one: c2, k=1, s=1, g=1, act=True",
	New: func(a *Args) Module {
		return NewGhostConv(a.C1, a.C2, a.Pair("k", 1), a.Pair("s", 1), a.Positive("g", 1), a.Activation("act"))
	},
}

var ghostBottleneckSpec = Spec{
	Name: "GhostBottleneck", Class: &ghostBottleneckClass, Wiring: Scaled,
	Doc: "two GhostConv with a residual, depthwise convolutions between them at stride 2: c2, k=3, s=1",
	New: func(a *Args) Module {
		return NewGhostBottleneck(a.C1, a.C2, a.Positive("k", 3), a.Positive("s", 1), a.Act)
	},
}

var c3GhostSpec = Spec{
	Name: "C3Ghost", Class: &c3GhostClass, Wiring: Repeats,
	Doc: "C3 with GhostBottleneck inside: c2, shortcut (not used), g (not used), e=0.5",
	New: func(a *Args) Module {
		a.Bool("shortcut", true)
		a.Positive("g", 1)
		return NewCSP(&c3GhostClass, a.C1, a.C2, a.Float("e", 0.5), a.Act, a.N, func(hidden int) Module {
			return NewGhostBottleneck(hidden, hidden, 3, 1, a.Act)
		})
	},
}

// GhostConv makes half of its channels with a convolution, and the other half from those, cheaply, with a depthwise 5x5 one
// (Han et al., CVPR 2020). [N, c1, H, W] -> [N, c2, H', W'].
type GhostConv struct{ cv1, cv2 *Conv }

// NewGhostConv makes a GhostConv; kernel, stride and groups are those of the first convolution.
func NewGhostConv(c1, c2 int, kernel, stride [2]int, groups int, act *Activation) *GhostConv {
	half := c2 / 2
	return &GhostConv{
		cv1: NewConv(c1, half, ConvArgs{Kernel: kernel, Stride: stride, Pad: square(-1), Groups: groups, Dilation: 1}, act),
		cv2: NewConv(half, half, ConvArgs{Kernel: square(5), Stride: square(1), Pad: square(-1), Groups: half, Dilation: 1}, act),
	}
}

// Class is YOLOv5's GhostConv.
func (m *GhostConv) Class() *Class { return &ghostConvClass }

// Forward is cat(y, cv2(y)) with y = cv1(x).
func (m *GhostConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv1", m.cv1, x)
	return s.Concat(1, y, s.Call("cv2", m.cv2, y))
}

// GhostBottleneck is a residual block of two GhostConv (Han et al., CVPR 2020), with depthwise convolutions in both ways
// where it halves the map. [N, c1, H, W] -> [N, c2, H/s, W/s].
type GhostBottleneck struct {
	conv     Sequential
	shortcut Module
}

// NewGhostBottleneck makes a GhostBottleneck of the given kernel and stride of its depthwise convolutions, which it has at
// stride 2 only.
func NewGhostBottleneck(c1, c2, kernel, stride int, act *Activation) *GhostBottleneck {
	half := c2 / 2
	m := &GhostBottleneck{shortcut: Identity()}
	var between Module = Identity()
	if stride == 2 {
		between = NewDWConv(half, half, square(kernel), square(stride), 1, nil)
		m.shortcut = Sequential{NewDWConv(c1, c1, square(kernel), square(stride), 1, nil), NewConv1x1(c1, c2, nil)}
	}
	m.conv = Sequential{
		NewGhostConv(c1, half, square(1), square(1), 1, act), between, NewGhostConv(half, c2, square(1), square(1), 1, nil),
	}
	return m
}

// Class is YOLOv5's GhostBottleneck.
func (m *GhostBottleneck) Class() *Class { return &ghostBottleneckClass }

// Forward is conv(x) + shortcut(x).
func (m *GhostBottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Add(s.Call("conv", m.conv, x), s.Call("shortcut", m.shortcut, x))
}
