package modules

import "ysc2onnx/onnxbuild"

var (
	gsConvClass       = Class{Path: "models.common.GSConv"}
	gsBottleneckClass = Class{Path: "models.common.GSBottleneck"}
	vovGSCSPClass     = Class{Path: "models.common.VoVGSCSP"}
)

var (
	gsConvSpec = Spec{
		Name: "GSConv", Class: &gsConvClass, Wiring: Scaled, Source: "Li et al., 2022, arXiv:2206.02424",
		Doc: "half of the channels by a convolution, half from those by a depthwise one, then the even channels before the odd: c2, k=1, s=1, g=1, act=True",
		New: func(a *Args) Module {
			kernel, stride, groups := a.Pair("k", 1), a.Pair("s", 1), a.Positive("g", 1)
			if a.C2%2 != 0 {
				a.Errorf("%d channels do not form two halves", a.C2)
			}
			return NewGSConv(a.C1, a.C2, kernel, stride, groups, a.Activation("act"))
		},
	}
	vovGSCSPSpec = Spec{
		Name: "VoVGSCSP", Class: &vovGSCSPClass, Wiring: Repeats, Source: "Li et al., 2022, arXiv:2206.02424",
		Doc: "CSP bottleneck of GSConvs: c2, shortcut and g (not used), e=0.5",
		New: newVoVGSCSP,
	}
)

// GSConv is slim-neck's convolution (Li et al., 2022, arXiv:2206.02424). [N, c1, H, W] -> [N, c2, H/s, W/s].
type GSConv struct{ cv1, cv2 *Conv }

// NewGSConv makes a GSConv; kernel, stride and groups are those of the first convolution.
func NewGSConv(c1, c2 int, kernel, stride [2]int, groups int, act *Activation) *GSConv {
	half := c2 / 2
	return &GSConv{
		cv1: NewConv(c1, half, ConvArgs{Kernel: kernel, Stride: stride, Pad: square(-1), Groups: groups, Dilation: 1}, act),
		cv2: NewConv(half, half, ConvArgs{Kernel: square(5), Stride: square(1), Pad: square(-1), Groups: half, Dilation: 1}, act),
	}
}

// Class is GSConv.
func (m *GSConv) Class() *Class { return &gsConvClass }

// Forward puts the even channels of cat(y, cv2(y)) before the odd ones, with y = cv1(x).
func (m *GSConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv1", m.cv1, x)
	both := s.Concat(1, y, s.Call("cv2", m.cv2, y))
	return s.Shuffle(both, int64(m.cv1.conv.C2)) // groups of two channels
}

func newVoVGSCSP(a *Args) Module {
	a.Bool("shortcut", true)
	a.Positive("g", 1)
	m := &VoVGSCSP{}
	c2, n := a.C2, a.N
	hidden := int(float64(c2) * a.Float("e", 0.5))
	m.cv1, m.cv2, m.cv3 = NewConv1x1(a.C1, hidden, a.Act), NewConv1x1(a.C1, hidden, a.Act), NewConv1x1(2*hidden, c2, a.Act)
	m.res = NewConv(hidden, hidden, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, nil)

	path := join(a.path(), "gsb")
	single := a.trained != nil && a.trained.Module(path+".conv_lighting") != nil
	inner := hidden // of a bottleneck in a Sequential; the older code has one by itself, and halves again
	if single {
		inner = hidden / 2
	}
	if inner%2 != 0 || hidden%2 != 0 {
		a.Errorf("%d hidden channels do not form the halves of its GSConvs", hidden)
	}
	bottleneck := func() Module { return newGSBottleneck(hidden, inner, a.Act) }
	if single {
		m.gsb = bottleneck()
	} else {
		m.gsb = Repeat(n, bottleneck)
	}
	return m
}

// VoVGSCSP is slim-neck's CSP bottleneck. [N, c1, H, W] -> [N, c2, H, W].
type VoVGSCSP struct {
	cv1, cv2, cv3 *Conv
	res           *Conv // which the published forward never calls
	gsb           Module
}

// Class is VoVGSCSP.
func (m *VoVGSCSP) Class() *Class { return &vovGSCSPClass }

// Forward is cv3(cat(cv2(x), gsb(cv1(x)))).
func (m *VoVGSCSP) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("gsb", m.gsb, s.Call("cv1", m.cv1, x))
	s.Uncalled("res", m.res, y)
	return s.Call("cv3", m.cv3, s.Concat(1, s.Call("cv2", m.cv2, x), y))
}

// gsBottleneck is two GSConvs beside a 1x1 convolution; the channels stay.
type gsBottleneck struct {
	lighting Sequential
	shortcut *Conv
}

func newGSBottleneck(c, hidden int, act *Activation) *gsBottleneck {
	return &gsBottleneck{
		lighting: Sequential{
			NewGSConv(c, hidden, square(1), square(1), 1, act),
			NewGSConv(hidden, c, square(3), square(1), 1, nil),
		},
		shortcut: NewConv1x1(c, c, nil),
	}
}

// Class is GSBottleneck.
func (m *gsBottleneck) Class() *Class { return &gsBottleneckClass }

// Forward is conv_lighting(x) + shortcut(x).
func (m *gsBottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Add(s.Call("conv_lighting", m.lighting, x), s.Call("shortcut", m.shortcut, x))
}
