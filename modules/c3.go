package modules

import "ysc2onnx/onnxbuild"

// C3 is the CSP bottleneck with three convolutions. [N, c1, H, W] -> [N, c2, H, W].
type C3 struct {
	cv1, cv2, cv3 *Conv
	m             Sequential
}

// NewC3 makes a C3 with n Bottlenecks of int(c2·e) channels.
func NewC3(c1, c2, n int, shortcut bool, groups int, e float64, act *Activation) *C3 {
	return newCSP(c1, c2, e, act, n, func(hidden int) Module {
		return NewBottleneck(hidden, hidden, shortcut, groups, 1, act)
	})
}

// newCSP is the frame that C3 and its kin share: inner makes each of the n modules of m.
func newCSP(c1, c2 int, e float64, act *Activation, n int, inner func(hidden int) Module) *C3 {
	hidden := int(float64(c2) * e)
	return &C3{
		cv1: conv1x1(c1, hidden, act),
		cv2: conv1x1(c1, hidden, act),
		cv3: conv1x1(2*hidden, c2, act),
		m:   Repeat(n, func() Module { return inner(hidden) }),
	}
}

// Forward is cv3(cat(m(cv1(x)), cv2(x))).
func (c *C3) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	left := c.m.Forward(s.In("m"), c.cv1.Forward(s.In("cv1"), x))
	right := c.cv2.Forward(s.In("cv2"), x)
	return c.cv3.Forward(s.In("cv3"), s.Concat(1, left, right))
}
