package modules

import "ysc2onnx/onnxbuild"

var c3Class = Class{Path: "models.common.C3"}

var c3Spec = Spec{
	Name: "C3", Class: &c3Class, Wiring: Repeats,
	Doc: "CSP bottleneck with three convolutions: c2, shortcut=True, g=1, e=0.5",
	New: func(a *Args) Module {
		return NewC3(a.C1, a.C2, a.N, a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5), a.Act)
	},
}

// C3 is the CSP bottleneck with three convolutions. [N, c1, H, W] -> [N, c2, H, W].
type C3 struct {
	class         *Class
	cv1, cv2, cv3 *Conv
	m             Module
}

// NewC3 makes a C3 with n Bottlenecks of int(c2·e) channels.
func NewC3(c1, c2, n int, shortcut bool, groups int, e float64, act *Activation) *C3 {
	return NewCSP(&c3Class, c1, c2, e, act, n, func(hidden int) Module {
		return NewBottleneck(hidden, hidden, shortcut, groups, 1, act)
	})
}

// NewCSP is the frame that C3 and its kin share: inner makes each of the n modules of m.
func NewCSP(class *Class, c1, c2 int, e float64, act *Activation, n int, inner func(hidden int) Module) *C3 {
	hidden := int(float64(c2) * e)
	return newCSP(class, c1, c2, hidden, act, Repeat(n, func() Module { return inner(hidden) }))
}

// newCSP is the frame around one m, of as many channels as are hidden.
func newCSP(class *Class, c1, c2, hidden int, act *Activation, m Module) *C3 {
	return &C3{
		class: class,
		cv1:   NewConv1x1(c1, hidden, act),
		cv2:   NewConv1x1(c1, hidden, act),
		cv3:   NewConv1x1(2*hidden, c2, act),
		m:     m,
	}
}

// Class is C3, or the one of its kin that it was made for.
func (c *C3) Class() *Class { return c.class }

// Forward is cv3(cat(m(cv1(x)), cv2(x))).
func (c *C3) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	left := s.Call("m", c.m, s.Call("cv1", c.cv1, x))
	right := s.Call("cv2", c.cv2, x)
	return s.Call("cv3", c.cv3, s.Concat(1, left, right))
}
