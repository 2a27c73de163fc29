package modules

import "ysc2onnx/onnxbuild"

var spaceToDepthClass = Class{Path: "models.common.space_to_depth", Inert: []string{"d"}}

var spaceToDepthSpec = Spec{
	Name: "space_to_depth", Class: &spaceToDepthClass, Doc: "every second pixel into channels: dimension=1 (not used)", Source: "Sunkara and Luo, ECML PKDD 2022",
	Wiring: func(a *Args) []int { return []int{4 * a.C1} },
	New: func(a *Args) Module {
		a.Int("dimension", 1)
		return &SpaceToDepth{}
	},
}

// SpaceToDepth moves squares of 2x2 pixels into the channels (Sunkara and Luo, ECML PKDD 2022, SPD-Conv).
// [N, c, H, W] -> [N, 4c, H/2, W/2].
type SpaceToDepth struct{}

// Class is space_to_depth.
func (SpaceToDepth) Class() *Class { return &spaceToDepthClass }

// Forward is Focus's arrangement without its convolution.
func (SpaceToDepth) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return everySecond(s, x)
}
