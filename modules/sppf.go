package modules

import "ysc2onnx/onnxbuild"

var sppfClass = Class{Path: "models.common.SPPF"}

var sppfSpec = Spec{
	Name: "SPPF", Class: &sppfClass, Wiring: Scaled,
	Doc: "fast spatial pyramid pooling: c2, k=5",
	New: func(a *Args) Module { return NewSPPF(a.C1, a.C2, a.Odd("k", 5), a.Act) },
}

// SPPF is fast spatial pyramid pooling: one max pooling, applied three times. [N, c1, H, W] -> [N, c2, H, W].
type SPPF struct {
	class    *Class
	cv1, cv2 *Conv
	m        *MaxPool2d
}

// NewSPPF makes an SPPF whose pooling window is k pixels wide.
func NewSPPF(c1, c2, k int, act *Activation) *SPPF {
	hidden := c1 / 2
	return &SPPF{
		class: &sppfClass,
		cv1:   NewConv1x1(c1, hidden, act),
		cv2:   NewConv1x1(hidden*4, c2, act),
		m:     &MaxPool2d{Kernel: k, Stride: 1, Pad: k / 2},
	}
}

// Class is YOLOv5's SPPF, or the one of its kin that it was made for.
func (p *SPPF) Class() *Class { return p.class }

// Forward is cv2(cat(y, m(y), m(m(y)), m(m(m(y))))) with y = cv1(x).
func (p *SPPF) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y0 := s.Call("cv1", p.cv1, x)
	y1 := s.Call("m", p.m, y0)
	y2 := s.Call("m", p.m, y1)
	y3 := s.Call("m", p.m, y2)
	return s.Call("cv2", p.cv2, s.Concat(1, y0, y1, y2, y3))
}
