package modules

import "ysc2onnx/onnxbuild"

var (
	crossConvClass = Class{Path: "models.common.CrossConv"}
	c3xClass       = Class{Path: "models.common.C3x"}
)

var crossConvSpec = Spec{
	Name: "CrossConv", Class: &crossConvClass, Wiring: Scaled,
	Doc: "1xk and kx1 Conv: c2, k=3, s=1, g=1, e=1.0, shortcut=False",
	New: func(a *Args) Module {
		k, s, g, e := a.Positive("k", 3), a.Positive("s", 1), a.Positive("g", 1), a.Float("e", 1)
		return NewCrossConv(a.C1, a.C2, k, s, g, e, a.Bool("shortcut", false), a.Act)
	},
}

var c3xSpec = Spec{
	Name: "C3x", Class: &c3xClass, Wiring: Repeats,
	Doc: "C3 with CrossConv inside: c2, shortcut=True, g=1, e=0.5",
	New: func(a *Args) Module {
		shortcut, g := a.Bool("shortcut", true), a.Positive("g", 1)
		return NewCSP(&c3xClass, a.C1, a.C2, a.Float("e", 0.5), a.Act, a.N, func(hidden int) Module {
			return NewCrossConv(hidden, hidden, 3, 1, g, 1, shortcut, a.Act)
		})
	},
}

// CrossConv is a 1xk Conv and a kx1 one, added to the input where the channels allow. [N, c1, H, W] -> [N, c2, H/s, W/s].
type CrossConv struct {
	cv1, cv2 *Conv
	add      bool
}

// NewCrossConv makes a CrossConv with int(c2·e) hidden channels.
func NewCrossConv(c1, c2, k, stride, groups int, e float64, shortcut bool, act *Activation) *CrossConv {
	hidden := int(float64(c2) * e)
	return &CrossConv{
		cv1: NewConv(c1, hidden, ConvArgs{Kernel: [2]int{1, k}, Stride: [2]int{1, stride}, Pad: square(-1), Groups: 1, Dilation: 1}, act),
		cv2: NewConv(hidden, c2, ConvArgs{Kernel: [2]int{k, 1}, Stride: [2]int{stride, 1}, Pad: square(-1), Groups: groups, Dilation: 1}, act),
		add: shortcut && c1 == c2,
	}
}

// Class is YOLOv5's CrossConv.
func (m *CrossConv) Class() *Class { return &crossConvClass }

// Forward is x + cv2(cv1(x)), or without the sum.
func (m *CrossConv) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	y := s.Call("cv2", m.cv2, s.Call("cv1", m.cv1, x))
	if s.Flag("add", m.add) {
		return s.Add(x, y)
	}
	return y
}
