package modules

import "ysc2onnx/onnxbuild"

var bottleneckCSPClass = Class{Path: "models.common.BottleneckCSP"}

var bottleneckCSPSpec = Spec{
	Name: "BottleneckCSP", Class: &bottleneckCSPClass, Wiring: Repeats,
	Doc: "CSP bottleneck of the first releases: c2, shortcut=True, g=1, e=0.5",
	New: func(a *Args) Module {
		return NewBottleneckCSP(a.C1, a.C2, a.N, a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5), a.Act)
	},
}

// BottleneckCSP is the cross stage partial bottleneck (Wang et al., CVPRW 2020), with one batch norm over both branches.
// [N, c1, H, W] -> [N, c2, H, W].
type BottleneckCSP struct {
	cv1, cv4 *Conv
	cv2, cv3 *Conv2d
	bn       *BatchNorm2d
	m        Sequential
}

// NewBottleneckCSP makes a BottleneckCSP with n Bottlenecks of int(c2·e) channels.
func NewBottleneckCSP(c1, c2, n int, shortcut bool, groups int, e float64, act *Activation) *BottleneckCSP {
	hidden := int(float64(c2) * e)
	return &BottleneckCSP{
		cv1: NewConv1x1(c1, hidden, act),
		cv2: pointwise(c1, hidden),
		cv3: pointwise(hidden, hidden),
		cv4: NewConv1x1(2*hidden, c2, act),
		bn:  &BatchNorm2d{2 * hidden},
		m:   Repeat(n, func() Module { return NewBottleneck(hidden, hidden, shortcut, groups, 1, act) }),
	}
}

// Class is YOLOv5's BottleneckCSP.
func (m *BottleneckCSP) Class() *Class { return &bottleneckCSPClass }

// Forward is cv4(act(bn(cat(cv3(m(cv1(x))), cv2(x))))). Releases before 4.0 have a LeakyReLU for the SiLU.
func (m *BottleneckCSP) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y1 := s.Call("cv3", m.cv3, s.Call("m", m.m, s.Call("cv1", m.cv1, x)))
	y2 := s.Call("cv2", m.cv2, x)
	y := s.Call("bn", m.bn, s.Concat(1, y1, y2))
	return s.Call("cv4", m.cv4, s.CallActivation("act", SiLU(), y))
}
