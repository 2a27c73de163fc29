package modules

import "ysc2onnx/onnxbuild"

var sppClass = Class{Path: "models.common.SPP"}

var sppSpec = Spec{
	Name: "SPP", Class: &sppClass, Wiring: Scaled,
	Doc: "spatial pyramid pooling: c2, k=(5, 9, 13)",
	New: func(a *Args) Module { return NewSPP(a.C1, a.C2, a.Odds("k", 5, 9, 13), a.Act) },
}

// SPP is spatial pyramid pooling (He et al., TPAMI 2015): the maxima in windows of several sizes. [N, c1, H, W] ->
// [N, c2, H, W].
type SPP struct {
	class    *Class
	cv1, cv2 *Conv
	m        []*MaxPool2d
}

// NewSPP makes an SPP with a window for each of the sizes, in pixels.
func NewSPP(c1, c2 int, sizes []int, act *Activation) *SPP {
	hidden := c1 / 2
	m := &SPP{class: &sppClass, cv1: NewConv1x1(c1, hidden, act), cv2: NewConv1x1(hidden*(len(sizes)+1), c2, act)}
	for _, k := range sizes {
		m.m = append(m.m, &MaxPool2d{Kernel: k, Stride: 1, Pad: k / 2})
	}
	return m
}

// Class is YOLOv5's SPP, or the one of its kin that it was made for.
func (m *SPP) Class() *Class { return m.class }

// Forward is cv2(cat(y, m₀(y), m₁(y), …)) with y = cv1(x).
func (m *SPP) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv1", m.cv1, x)
	list, maps := s.Items("m"), []*onnxbuild.Value{y}
	for i, pool := range m.m {
		maps = append(maps, list.CallItem(i, pool, y))
	}
	return s.Call("cv2", m.cv2, s.Concat(1, maps...))
}
