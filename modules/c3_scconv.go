package modules

import "ysc2onnx/diag"

// What forks put into C3 and C2f under the names of ScConv.
const (
	plainScConv      = "ScConv"
	bottleneckScConv = "Bottleneck_ScConv"
	squeezedScConv   = "Bottleneck_ScSCConv"
	selfCalibrated   = "Bottleneck_SCConv"
)

// scConvBlock is the class of a block that forks build from ScConv in several forms; usual is the one taken for a YAML
// without a checkpoint.
func scConvBlock(usual string, names ...string) Class {
	list := []Flavour{
		{Name: plainScConv, Doc: "ScConv one after another", Keys: map[string]int{"m.0.CRU.squeeze1.weight": 4}},
		{Name: bottleneckScConv, Doc: "Conv, ScConv, with a residual",
			Keys: map[string]int{"m.0.cv1.conv.weight": 4, "m.0.cv2.CRU.squeeze1.weight": 4}},
		{Name: squeezedScConv, Doc: "1x1 Conv, ScConv, 1x1 Conv, with a residual",
			Keys: map[string]int{"m.0.cv1.conv.weight": 4, "m.0.cv2.CRU.squeeze1.weight": 4, "m.0.cv3.conv.weight": 4}},
		{Name: selfCalibrated, Doc: "Conv, self-calibrated SCConv, with a residual",
			Keys: map[string]int{"m.0.cv1.conv.weight": 4, "m.0.cv2.k3.0.weight": 4}},
		{Name: selfCalibrated, Doc: "the same, of Conv inside", Keys: map[string]int{"m.0.cv1.conv.weight": 4, "m.0.cv2.k3.conv.weight": 4}},
	}
	for i := range list {
		if list[i].Name == usual {
			list[0], list[i] = list[i], list[0]
			break
		}
	}
	return Class{Path: "models.common." + names[0], Aliases: names[1:], Flavours: list}
}

var (
	c3ScConvClass   = scConvBlock(plainScConv, "C3_ScConv")
	c3SClass        = scConvBlock(bottleneckScConv, "C3_S", "C3ScConv")
	c3ScSCConvClass = scConvBlock(squeezedScConv, "C3_ScSCConv")
	c3SCConvClass   = scConvBlock(selfCalibrated, "C3_SCConv")
)

var (
	c3ScConvSpec = Spec{
		Name: "C3_ScConv", Class: &c3ScConvClass, Wiring: RepeatsAsTrained, Source: "Li et al., CVPR 2023; YOLOv5's forks",
		Doc: "C3 with ScConv inside, or the bottlenecks that a checkpoint has: c2, shortcut (not used with ScConv alone), g (not used), e=0.5",
		New: func(a *Args) Module { return newC3ScConv(a, &c3ScConvClass) },
	}
	c3SSpec = Spec{
		Name: "C3_S", Aliases: []string{"C3ScConv"}, Class: &c3SClass, Wiring: RepeatsAsTrained, Source: "Li et al., CVPR 2023; YOLOv5's forks",
		Doc: "C3 with bottlenecks of a Conv and an ScConv inside: c2, shortcut=True, g (not used), e=0.5",
		New: func(a *Args) Module { return newC3ScConv(a, &c3SClass) },
	}
	c3ScSCConvSpec = Spec{
		Name: "C3_ScSCConv", Class: &c3ScSCConvClass, Wiring: RepeatsAsTrained, Source: "Li et al., CVPR 2023; YOLOv5's forks",
		Doc: "C3 with bottlenecks of a 1x1 Conv, an ScConv and a 1x1 Conv inside: c2, shortcut=True, g (not used), e=0.5",
		New: func(a *Args) Module { return newC3ScConv(a, &c3ScSCConvClass) },
	}
	c3SCConvSpec = Spec{
		Name: "C3_SCConv", Class: &c3SCConvClass, Wiring: RepeatsAsTrained, Source: "Liu et al., CVPR 2020; YOLOv5's forks",
		Doc: "C3 with bottlenecks of a Conv and a self-calibrated SCConv inside: c2, shortcut=True, g=1, e=0.5",
		New: func(a *Args) Module { return newC3ScConv(a, &c3SCConvClass) },
	}
)

// newC3ScConv makes a C3 with ScConv inside: of int(c2·e) channels, in the form that a checkpoint's tensors show.
func newC3ScConv(a *Args, class *Class) Module {
	if !a.RepeatsInside() { // outside of the set that takes the number, the constructor's third argument is the row's second
		a.N = a.Int("n", 1)
	}
	shortcut, groups, e := a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5)
	if a.N < 1 {
		a.Warnf(diag.ZeroNumber, "0 repeats: there is no ScConv inside")
	}
	form := a.Flavour(class)
	return NewCSP(class, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module {
		return newScConvInside(form, hidden, shortcut, 1, groups, a.Act)
	})
}

// newScConvInside makes what such a block holds several of.
func newScConvInside(form string, c int, shortcut bool, kernel, groups int, act *Activation) Module {
	b := &ScConvBottleneck{class: &bottleneckScConvClass, c: c, kernel: kernel, add: shortcut, act: act, cv2: NewScConv(c, defaultScConv)}
	switch form {
	case plainScConv:
		return b.cv2
	case squeezedScConv:
		b.cv3 = NewConv1x1(c, c, act)
	case selfCalibrated:
		b.cv2 = NewSCConv(c, c, 1, 1, groups, 4)
	}
	return b
}
