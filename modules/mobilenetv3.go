package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

var (
	convBNHswishClass     = Class{Path: "models.common.conv_bn_hswish", Aliases: []string{"Conv_BN_HSwish"}}
	invertedResidualClass = Class{Path: "models.common.MobileNetV3_InvertedResidual"}
	mobileNetV3Class      = Class{Path: "models.common.MobileNetV3", Aliases: []string{"MobileNet_Block"}}
	mobileBneckClass      = Class{Path: "models.common.mobilev3_bneck"}
	seBlockClass          = Class{Path: "models.common.SeBlock"}
	gateHswishClass       = Class{Path: "models.common.Hswish", Inert: []string{"inplace"}}
)

const mobileDoc = ", a 1x1 convolution to hidden channels, a depthwise one, squeeze and excitation and a 1x1 one: c2, hidden (not scaled), k, s (1 or 2), se, hs"

var (
	convBNHswishSpec = Spec{
		Name: "conv_bn_hswish", Aliases: []string{"Conv_BN_HSwish"}, Class: &convBNHswishClass, Wiring: Scaled, Source: "Howard et al., ICCV 2019; github.com/iscyy/yoloair",
		Doc: "3x3 convolution, batch norm and h-swish: c2, s",
		New: func(a *Args) Module { return &convBNHswish{a.C1, a.C2, a.Positive("s", 1)} },
	}
	invertedResidualSpec = Spec{
		Name: "MobileNetV3_InvertedResidual", Class: &invertedResidualClass, Wiring: Scaled, Doc: "MobileNetV3's block" + mobileDoc, Source: "Howard et al., ICCV 2019; github.com/iscyy/yoloair",
		New: func(a *Args) Module { return newInvertedResidual(a, &invertedResidualClass, "SeBlock") },
	}
	mobileNetV3Spec = Spec{
		Name: "MobileNetV3", Aliases: []string{"MobileNet_Block"}, Class: &mobileNetV3Class, Wiring: Scaled, Doc: "MobileNetV3's block" + mobileDoc, Source: "Howard et al., ICCV 2019; YOLOv5's forks",
		New: func(a *Args) Module { return newInvertedResidual(a, &mobileNetV3Class, "SELayer") },
	}
	mobileBneckSpec = Spec{
		Name: "mobilev3_bneck", Class: &mobileBneckClass, Wiring: Scaled, Source: "Howard et al., ICCV 2019; YOLOv5's forks",
		Doc: "MobileNetV3's block with relu6(x + 3) / 6 where others have h-swish" + mobileDoc,
		New: func(a *Args) Module { return newInvertedResidual(a, &mobileBneckClass, "SELayer") },
	}
)

// convBNHswish is the first convolution of MobileNetV3 in forks. [N, c1, H, W] -> [N, c2, H/s, W/s].
type convBNHswish struct{ c1, c2, stride int }

// Class is conv_bn_hswish.
func (m *convBNHswish) Class() *Class { return &convBNHswishClass }

// Forward is hswish(bn(conv(x))), or without bn where a checkpoint was fused.
func (m *convBNHswish) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	conv := &Conv2d{C1: m.c1, C2: m.c2, Kernel: square(3), Stride: square(m.stride), Pad: square(1), Dilation: square(1), Groups: 1}
	conv.Bias = s.Has("conv.bias") && !s.Has("bn.weight")
	y := s.Call("conv", conv, x)
	if !conv.Bias {
		y = s.Call("bn", &BatchNorm2d{m.c2}, y)
	}
	return s.callEither("act", hSwish{}, y)
}

func newInvertedResidual(a *Args, class *Class, se string) Module {
	m := &InvertedResidual{class: class, c1: a.C1, c2: a.C2, hidden: a.Positive("hidden", 0), kernel: a.Odd("k", 0), stride: a.Positive("s", 0)}
	withSE, hs := a.Bool("se", false), a.Bool("hs", false)
	if m.stride < 1 || m.stride > 2 || len(a.row.Args) < 6 {
		a.Errorf("needs c2, hidden, k, s (1 or 2), se and hs")
	}
	if withSE {
		m.se = se
		if a.trained == nil {
			a.NoteOnce(a.row.ArgsSpan, "its squeeze and excitation is assumed to be that of %s, as in most forks that have this name", se)
		}
	}
	m.act = ReLU()
	switch {
	case hs && class == &mobileBneckClass:
		m.act = gateHswish{}
	case hs && class == &invertedResidualClass:
		m.act = Hardswish()
	case hs:
		m.act = hSwish{}
	}
	return m
}

// InvertedResidual is MobileNetV3's block (Howard et al., ICCV 2019), as in github.com/iscyy/yoloair. [N, c1, H, W] ->
// [N, c2, H/s, W/s].
type InvertedResidual struct {
	class                          *Class
	c1, c2, hidden, kernel, stride int
	act                            Module
	se                             string // the usual class of its squeeze and excitation, "" for none
}

// Class is MobileNetV3_InvertedResidual, or one of its kin.
func (m *InvertedResidual) Class() *Class { return m.class }

// Forward is conv(x), and x added where the shapes allow.
func (m *InvertedResidual) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	depthwise := convBN(m.hidden, m.hidden, m.kernel, m.stride, m.hidden)
	narrow := convBN(m.hidden, m.c2, 1, 1, 1)
	conv := slices.Concat(depthwise, Sequential{m.activation(s, 2), m.squeeze(s, 3)}, narrow)
	if m.c1 != m.hidden {
		wide := append(convBN(m.c1, m.hidden, 1, 1, 1), m.activation(s, 2))
		conv = slices.Concat(wide, depthwise, Sequential{m.squeeze(s, 5), m.activation(s, 6)}, narrow)
	}
	y := s.Call("conv", conv, x)
	if s.Flag("identity", m.stride == 1 && m.c1 == m.c2) {
		return s.Add(x, y)
	}
	return y
}

// activation is the i-th module of conv: what a checkpoint has there, or what is usual.
func (m *InvertedResidual) activation(s *Scope, i int) Module {
	class := s.ChildClass(join("conv", i))
	if class == "" && s.trained() != nil {
		s.NoteSetting(join("conv", i), m.act.Class().Name(), "")
	}
	switch kind := activationOf(class); {
	case hSwishClass.fits(class):
		return hSwish{}
	case gateHswishClass.fits(class):
		return gateHswish{}
	case kind != nil && len(kind.args) == 0:
		return newActivation(kind)
	}
	return m.act
}

// squeeze is the i-th module of conv: the squeeze and excitation that a checkpoint's tensors show, or the usual one.
func (m *InvertedResidual) squeeze(s *Scope, i int) Module {
	place := join("conv", i)
	switch {
	case s.Has(place + ".Excitation.FC1.weight"):
		return seBlock{m.hidden}
	case s.Has(place + ".fc.0.weight"):
		return &SE{&seLayerClass, m.hidden, m.hidden / 4}
	case m.se == "" && identityClass.fits(s.ChildClass(place)):
		return Identity()
	case m.se == "":
		return Sequential{}
	case m.se == "SeBlock":
		return seBlock{m.hidden}
	}
	return &SE{&seLayerClass, m.hidden, m.hidden / 4}
}

// seBlock is squeeze and excitation with convolutions of named children, a quarter of the channels and biases.
type seBlock struct{ c int }

// Class is SeBlock.
func (seBlock) Class() *Class { return &seBlockClass }

// Forward is x · Excitation(Squeeze(x)).
func (m seBlock) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	hidden := s.Rows("Excitation.FC1.weight", m.c/4)
	first, second := pointwise(m.c, hidden), pointwise(hidden, m.c)
	first.Bias, second.Bias = true, true
	parts := &namedSequence{names: []string{"FC1", "ReLU", "FC2", "Sigmoid"}, modules: []Module{first, ReLU(), second, Sigmoid()}}
	return s.Mul(x, s.Call("Excitation", parts, s.Call("Squeeze", AdaptiveAvgPool2d{}, x)))
}

// gateHswish is what two forks call Hswish: relu6(x + 3) / 6, which is not multiplied with x.
type gateHswish struct{}

// Class is Hswish.
func (gateHswish) Class() *Class { return &gateHswishClass }

// Forward is min(max(x + 3, 0), 6) / 6.
func (gateHswish) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	if k := s.known("inplace"); k != nil && k.Class() != "" && s.ChildClass("relu") == "" {
		s.Err("the checkpoint's Hswish has no child relu: known is only the one that is relu6(x + 3) / 6, in others it is multiplied with x")
		return x
	}
	return hSigmoid{}.Forward(s, x)
}
