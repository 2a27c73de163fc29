package modules

import "ysc2onnx/onnxbuild"

var (
	c2fScConvClass = scConvBlock(bottleneckScConv, "C2f_ScConv", "C2fScConv")
	c2fSCConvClass = scConvBlock(selfCalibrated, "C2f_SCConv")
)

var (
	c2fClass           = Class{Path: "models.common.C2f"}
	c2fBottleneckClass = Class{Path: "models.common.Bottleneck", Aliases: []string{"v8_C2fBottleneck", "C2fBottleneck"}}
)

var c2fSpec = Spec{
	Name: "C2f", Class: &c2fClass, Wiring: Repeats, Source: "YOLOv8's block, as YOLOv5's forks took it over",
	Doc: "YOLOv8's CSP bottleneck with two convolutions: c2, shortcut=False, g=1, e=0.5",
	New: func(a *Args) Module {
		shortcut, groups, e := a.Bool("shortcut", false), a.Positive("g", 1), a.Float("e", 0.5)
		kernel := 3
		if a.trained != nil { // some forks put YOLOv5's Bottleneck inside, which begins with a 1x1 convolution
			if shape, ok := a.trained.Shape(join(a.path(), "m", 0) + ".cv1.conv.weight"); ok && len(shape) == 4 && shape[3] == 1 {
				kernel = 1
			}
		}
		return NewC2f(&c2fClass, a.C1, a.C2, a.N, e, a.Act, func(hidden int) Module {
			b := NewBottleneck(hidden, hidden, shortcut, groups, 1, a.Act)
			b.class = &c2fBottleneckClass
			b.cv1 = NewConv(hidden, hidden, ConvArgs{Kernel: square(kernel), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, a.Act)
			return b
		})
	},
}

var (
	c2fScConvSpec = Spec{
		Name: "C2f_ScConv", Aliases: []string{"C2fScConv"}, Class: &c2fScConvClass, Wiring: RepeatsAsTrained, Source: "Li et al., CVPR 2023; YOLOv5's forks",
		Doc: "C2f with bottlenecks of a 3x3 Conv and an ScConv inside: c2, shortcut=False, g (not used), e=0.5",
		New: func(a *Args) Module { return newC2fScConv(a, &c2fScConvClass) },
	}
	c2fSCConvSpec = Spec{
		Name: "C2f_SCConv", Class: &c2fSCConvClass, Wiring: RepeatsAsTrained, Source: "Liu et al., CVPR 2020; YOLOv5's forks",
		Doc: "C2f with bottlenecks of a 3x3 Conv and a self-calibrated SCConv inside: c2, shortcut=False, g=1, e=0.5",
		New: func(a *Args) Module { return newC2fScConv(a, &c2fSCConvClass) },
	}
)

func newC2fScConv(a *Args, class *Class) Module {
	if !a.RepeatsInside() {
		a.N = a.Int("n", 1)
	}
	shortcut, groups, e := a.Bool("shortcut", false), a.Positive("g", 1), a.Float("e", 0.5)
	form := a.Flavour(class)
	return NewC2f(class, a.C1, a.C2, a.N, e, a.Act, func(hidden int) Module {
		return newScConvInside(form, hidden, shortcut, 3, groups, a.Act)
	})
}

// C2f is YOLOv8's CSP bottleneck with two convolutions, which keeps what each of its inner modules gives.
// [N, c1, H, W] -> [N, c2, H, W].
type C2f struct {
	class    *Class
	hidden   int
	cv1, cv2 *Conv
	m        []Module
}

// NewC2f makes a C2f with n inner modules of int(c2·e) channels each.
func NewC2f(class *Class, c1, c2, n int, e float64, act *Activation, inner func(hidden int) Module) *C2f {
	hidden := int(float64(c2) * e)
	return &C2f{
		class:  class,
		hidden: hidden,
		cv1:    NewConv1x1(c1, 2*hidden, act),
		cv2:    NewConv1x1((2+n)*hidden, c2, act),
		m:      Repeat(n, func() Module { return inner(hidden) }),
	}
}

// Class is the one of its kin that it was made for.
func (c *C2f) Class() *Class { return c.class }

// Forward is cv2(cat(a, b, m₀(b), m₁(m₀(b)), …)) with a, b the halves of cv1(x).
func (c *C2f) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	s.RequireNumber("c", float64(c.hidden))
	parts := s.Split(s.Call("cv1", c.cv1, x), 1, int64(c.hidden), int64(c.hidden))
	items := s.Items("m")
	for i, m := range c.m {
		parts = append(parts, items.CallItem(i, m, parts[len(parts)-1]))
	}
	return s.Call("cv2", c.cv2, s.Concat(1, parts...))
}
