package modules

import "ysc2onnx/onnxbuild"

var (
	convNeXtBlockClass = Class{Path: "models.common.ConvNextBlock", Aliases: []string{"ConvNeXtBlock"}}
	cNeBClass          = Class{Path: "models.common.CNeB"}
)

var (
	convNeXtBlockSpec = Spec{
		Name: "ConvNextBlock", Aliases: []string{"ConvNeXtBlock"}, Class: &convNeXtBlockClass, Wiring: Repeats, Source: "Liu et al., CVPR 2022; github.com/iscyy/yoloair",
		Doc: "ConvNeXt's block, which keeps its channels and is one whatever its number: c2",
		New: func(a *Args) Module {
			residualRow(a)
			return &ConvNeXtBlock{a.C1}
		},
	}
	cNeBSpec = Spec{
		Name: "CNeB", Class: &cNeBClass, Wiring: Repeats, Source: "Liu et al., CVPR 2022; github.com/iscyy/yoloair",
		Doc: "C3 with ConvNeXt's blocks inside: c2, shortcut and g (not used), e=0.5",
		New: func(a *Args) Module {
			a.Bool("shortcut", true)
			a.Positive("g", 1)
			return NewCSP(&cNeBClass, a.C1, a.C2, a.Float("e", 0.5), a.Act, a.N, func(hidden int) Module { return &ConvNeXtBlock{hidden} })
		},
	}
)

// ConvNeXtBlock is the block of ConvNeXt (Liu et al., CVPR 2022), as in github.com/iscyy/yoloair: a depthwise convolution
// and a perceptron of each pixel, added to the input. [N, c, H, W], same out.
type ConvNeXtBlock struct{ c int }

// Class is ConvNextBlock.
func (m *ConvNeXtBlock) Class() *Class { return &convNeXtBlockClass }

// Forward is x + gamma · mlp(norm(dwconv(x))).
func (m *ConvNeXtBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	conv := &Conv2d{C1: m.c, C2: m.c, Kernel: square(7), Stride: square(1), Pad: square(3), Dilation: square(1), Groups: m.c, Bias: true}
	return s.Add(x, s.callDropPath(s.perPixel(s.Call("dwconv", conv, x), "norm", m.c, "gamma")))
}
