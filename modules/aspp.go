package modules

import (
	"strconv"

	"ysc2onnx/onnxbuild"
)

var (
	asppClass = Class{Path: "models.common.ASPP", Flavours: []Flavour{
		{Name: "atrous", Doc: "atrous_block1, 6, 12 and 18", Keys: map[string]int{"atrous_block6.weight": 4, "conv_1x1_output.weight": 4}},
	}}
	basicRFBClass = Class{Path: "models.common.BasicRFB", Inert: []string{"out_channels"}}
)

var (
	asppSpec = Spec{
		Name: "ASPP", Class: &asppClass, Wiring: Scaled, Source: "Chen et al., 2017, arXiv:1706.05587; github.com/iscyy/yoloair",
		Doc: "convolutions of dilations 1, 6, 12 and 18 and the mean of each channel, side by side: c2",
		New: func(a *Args) Module { return &ASPP{a.C1, a.C2} },
	}
	basicRFBSpec = Spec{
		Name: "BasicRFB", Class: &basicRFBClass, Wiring: Scaled, Source: "Liu et al., ECCV 2018; github.com/iscyy/yoloair",
		Doc: "three branches of growing dilation beside a shortcut: c2, stride=1, scale=0.1, map_reduce=8, vision=1, groups=1 (no other)",
		New: func(a *Args) Module {
			m := &BasicRFB{c1: a.C1, c2: a.C2, stride: a.Positive("stride", 1), scale: a.Float("scale", 0.1)}
			m.inner = a.C1 / a.Positive("map_reduce", 8)
			m.vision = a.Int("vision", 1)
			a.expectNumber("groups", 1)
			if m.inner < 2 {
				a.Errorf("%d channels leave %d in its branches, expected at least 2", a.C1, m.inner)
			}
			return m
		},
	}
)

// ASPP is atrous spatial pyramid pooling (Chen et al., 2017, arXiv:1706.05587), as in github.com/iscyy/yoloair: without batch
// norms. [N, c1, H, W] -> [N, c2, H, W].
type ASPP struct{ c1, c2 int }

// Class is ASPP.
func (m *ASPP) Class() *Class { return &asppClass }

// Forward is conv_1x1_output(cat(conv(mean) at each pixel, atrous_block1(x), 6, 12, 18)).
func (m *ASPP) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.Flavour()
	if x.Refused() {
		return x
	}
	biased := func(c1, kernel, dilation int) *Conv2d {
		return &Conv2d{C1: c1, C2: m.c2, Kernel: square(kernel), Stride: square(1), Pad: square(kernel / 2 * dilation), Dilation: square(dilation), Groups: 1, Bias: true}
	}
	mean := s.Call("conv", biased(m.c1, 1, 1), s.Call("mean", AdaptiveAvgPool2d{}, x))
	parts := []*onnxbuild.Value{s.Expand(mean, s.Concat(0, s.Sizes(mean, 0, 2), s.Sizes(x, 2, 4))), s.Call("atrous_block1", biased(m.c1, 1, 1), x)}
	for _, dilation := range []int{6, 12, 18} {
		parts = append(parts, s.Call("atrous_block"+strconv.Itoa(dilation), biased(m.c1, 3, dilation), x))
	}
	return s.Call("conv_1x1_output", biased(5*m.c2, 1, 1), s.Concat(1, parts...))
}

// BasicRFB is the receptive field block (Liu et al., ECCV 2018), as in github.com/iscyy/yoloair. [N, c1, H, W] ->
// [N, c2, H/s, W/s].
type BasicRFB struct {
	c1, c2, stride, inner, vision int
	scale                         float64
}

// Class is BasicRFB.
func (m *BasicRFB) Class() *Class { return &basicRFBClass }

// Forward is relu(scale · ConvLinear(cat(branch0(x), branch1(x), branch2(x))) + shortcut(x)).
func (m *BasicRFB) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	c := m.inner
	branch := func(name string, dilation int) *onnxbuild.Value {
		return s.Call(name, Sequential{newBasicConv(m.c1, c, 1, 1, 1, false), newBasicConv(c, 2*c, 3, m.stride, 1, true), newBasicConv(2*c, 2*c, 3, 1, dilation, false)}, x)
	}
	wide := c / 2 * 3
	last := Sequential{
		newBasicConv(m.c1, c, 1, 1, 1, false), newBasicConv(c, wide, 3, 1, 1, true), newBasicConv(wide, 2*c, 3, m.stride, 1, true),
		newBasicConv(2*c, 2*c, 3, 1, m.vision+4, false),
	}
	y := s.Concat(1, branch("branch0", m.vision+1), branch("branch1", m.vision+2), s.Call("branch2", last, x))
	y = s.Call("ConvLinear", newBasicConv(6*c, m.c2, 1, 1, 1, false), y)
	y = s.Mul(y, s.Scalar("scale", float32(s.Number("scale", m.scale))))
	return s.CallActivation("relu", ReLU(), s.Add(y, s.Call("shortcut", newBasicConv(m.c1, m.c2, 1, m.stride, 1, false), x)))
}
