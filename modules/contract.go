package modules

import "ysc2onnx/onnxbuild"

var (
	contractClass = Class{Path: "models.common.Contract"}
	expandClass   = Class{Path: "models.common.Expand"}
)

var contractSpec = Spec{
	Name: "Contract", Class: &contractClass, Doc: "moves squares of pixels into the channels: gain=2",
	Wiring: func(a *Args) []int { g := a.peekGain(); return []int{a.C1 * g * g} },
	New:    func(a *Args) Module { return &Contract{a.Positive("gain", 2)} },
}

var expandSpec = Spec{
	Name: "Expand", Class: &expandClass, Doc: "moves channels into squares of pixels: gain=2",
	Wiring: func(a *Args) []int { g := a.peekGain(); return []int{a.C1 / (g * g)} },
	New: func(a *Args) Module {
		m := &Expand{a.Positive("gain", 2)}
		if a.C1%(m.Gain*m.Gain) != 0 {
			a.Errorf("%d channels do not divide by the gain's square, %d", a.C1, m.Gain*m.Gain)
		}
		return m
	},
}

// peekGain is the gain by which the parser counts the channels; the constructor takes and checks it.
func (a *Args) peekGain() int {
	if len(a.rest) > 0 && a.rest[0].Int >= 1 && a.rest[0].Int <= 64 {
		return int(a.rest[0].Int)
	}
	return 2
}

// Contract moves squares of pixels into the channels. [N, c, H, W] -> [N, c·g², H/g, W/g].
type Contract struct{ Gain int }

// Class is YOLOv5's Contract.
func (m *Contract) Class() *Class { return &contractClass }

// Forward gives y[n, (i·g + j)·c + k, h, w] = x[n, k, h·g + i, w·g + j], which is ONNX's SpaceToDepth.
func (m *Contract) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.SpaceToDepth(x, int64(s.Numbers("gain", float64(m.Gain))[0]))
}

// Expand moves channels into squares of pixels. [N, c, H, W] -> [N, c/g², H·g, W·g].
type Expand struct{ Gain int }

// Class is YOLOv5's Expand.
func (m *Expand) Class() *Class { return &expandClass }

// Forward gives y[n, k, h·g + i, w·g + j] = x[n, (i·g + j)·c/g² + k, h, w], which is ONNX's DepthToSpace.
func (m *Expand) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.DepthToSpace(x, int64(s.Numbers("gain", float64(m.Gain))[0]), false)
}
