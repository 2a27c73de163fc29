package modules

import "ysc2onnx/onnxbuild"

// SPPF is fast spatial pyramid pooling: one max pooling, applied three times. [N, c1, H, W] -> [N, c2, H, W].
type SPPF struct {
	cv1, cv2 *Conv
	m        *MaxPool2d
}

// NewSPPF makes an SPPF whose pooling window is k pixels wide.
func NewSPPF(c1, c2, k int, act *Activation) *SPPF {
	hidden := c1 / 2
	return &SPPF{
		cv1: conv1x1(c1, hidden, act),
		cv2: conv1x1(hidden*4, c2, act),
		m:   &MaxPool2d{Kernel: k, Stride: 1, Pad: k / 2},
	}
}

// Forward is cv2(cat(y, m(y), m(m(y)), m(m(m(y))))) with y = cv1(x).
func (p *SPPF) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	pool := s.In("m")
	y0 := p.cv1.Forward(s.In("cv1"), x)
	y1 := p.m.Forward(pool, y0)
	y2 := p.m.Forward(pool, y1)
	y3 := p.m.Forward(pool, y2)
	return p.cv2.Forward(s.In("cv2"), s.Concat(1, y0, y1, y2, y3))
}
