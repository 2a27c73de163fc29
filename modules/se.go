package modules

import "ysc2onnx/onnxbuild"

// The forms of squeeze and excitation.
const (
	seNamed  = "l1"      // two linear maps by themselves, without biases
	seBiased = "fc-bias" // in a Sequential, with biases
	sePlain  = "fc"      // in a Sequential, without
)

// seFlavours are the forms of squeeze and excitation, the usual one first.
func seFlavours(usual string) []Flavour {
	list := []Flavour{
		{Name: seNamed, Doc: "l1 and l2 without biases, sigmoid", Keys: map[string]int{"l1.weight": 2, "l2.weight": 2}},
		{Name: seBiased, Doc: "fc.0 and fc.2 with biases, h_sigmoid", Keys: map[string]int{"fc.0.weight": 2, "fc.0.bias": 1, "fc.2.weight": 2, "fc.2.bias": 1}},
		{Name: sePlain, Doc: "fc.0 and fc.2 without biases, sigmoid", Keys: map[string]int{"fc.0.weight": 2, "fc.2.weight": 2}},
	}
	for i := range list {
		if list[i].Name == usual {
			list[0], list[i] = list[i], list[0]
			break
		}
	}
	return list
}

var (
	seClass          = Class{Path: "models.common.SE", Aliases: []string{"SEBlock"}, Flavours: seFlavours(seNamed)}
	seLayerClass     = Class{Path: "models.common.SELayer", Aliases: []string{"SElayer", "Mobile_SELayer"}, Flavours: seFlavours(seBiased)}
	seAttentionClass = Class{Path: "models.common.SEAttention", Flavours: seFlavours(sePlain)}
)

var (
	seSpec = Spec{
		Name: "SE", Aliases: []string{"SEBlock"}, Class: &seClass, Wiring: Attends, Source: "Hu et al., CVPR 2018; github.com/yin-qiyu/helmet-ablation-experiment",
		Doc: "squeeze and excitation, or the form that a checkpoint has: c2, ratio=16",
		New: func(a *Args) Module { return newSE(a, &seClass, "ratio", 16) },
	}
	seLayerSpec = Spec{
		Name: "SELayer", Class: &seLayerClass, Wiring: Attends, Source: "Howard et al., ICCV 2019; MobileNetV3's code in YOLOv5's forks",
		Doc: "squeeze and excitation with biases and h_sigmoid, or the form that a checkpoint has: c2, reduction=4",
		New: func(a *Args) Module { return newSE(a, &seLayerClass, "reduction", 4) },
	}
	seAttentionSpec = Spec{
		Name: "SEAttention", Class: &seAttentionClass, Wiring: Attends, Source: "Hu et al., CVPR 2018; YOLOv5's forks",
		Doc: "squeeze and excitation, or the form that a checkpoint has: c2, reduction=16",
		New: func(a *Args) Module { return newSE(a, &seAttentionClass, "reduction", 16) },
	}
)

func newSE(a *Args, class *Class, argument string, usual int) Module {
	return &SE{class, a.C2, a.C2 / a.Positive(argument, usual)}
}

// SE is squeeze and excitation (Hu et al., CVPR 2018): channels are weighed by a perceptron of their means. Its names are
// those of github.com/yin-qiyu/helmet-ablation-experiment, and of MobileNetV3's code in forks for SELayer (Howard et al., ICCV
// 2019). [N, c, H, W], same out.
type SE struct {
	class     *Class
	c, hidden int
}

// Class is SE, SELayer or SEAttention.
func (m *SE) Class() *Class { return m.class }

// Forward is x · gate(second(relu(first(mean)))).
func (m *SE) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.attend(s, x, s.Flavour())
}

// attend is the forward in the scope of a module that has the layers as children.
func (m *SE) attend(s *Scope, x *onnxbuild.Value, form string) *onnxbuild.Value {
	mean := s.Reshape(s.Call(s.AnyOf("avg_pool", "avgpool"), AdaptiveAvgPool2d{}, x), s.Ints("row", 0, int64(m.c)))
	var y *onnxbuild.Value
	if form == seNamed {
		hidden := s.Rows("l1.weight", m.hidden)
		y = s.CallActivation("relu", ReLU(), s.Call("l1", &Linear{m.c, hidden, false}, mean))
		y = s.Call(s.AnyOf("sig", "sigmoid"), Sigmoid(), s.Call("l2", &Linear{hidden, m.c, false}, y))
	} else {
		hidden, bias := s.Rows("fc.0.weight", m.hidden), form == seBiased
		y = s.Call("fc", Sequential{&Linear{m.c, hidden, bias}, ReLU(), &Linear{hidden, m.c, bias}, m.gate(s, form)}, mean)
	}
	return s.Mul(x, s.Reshape(y, s.Ints("column", 0, int64(m.c), 1, 1)))
}

// gate is what comes last in the Sequential: what a checkpoint has there, or what is usual for the form.
func (m *SE) gate(s *Scope, form string) Module {
	class, usual := s.ChildClass("fc.3"), Module(Sigmoid())
	if form == seBiased {
		usual = hSigmoid{}
	}
	switch {
	case hSigmoidClass.fits(class):
		return hSigmoid{}
	case hSwishClass.fits(class):
		return hSwish{}
	case gateHswishClass.fits(class):
		return gateHswish{}
	case class == "" && s.trained() != nil:
		s.NoteSetting("fc.3", usual.Class().Name(), "")
	}
	if kind := activationOf(class); kind != nil && len(kind.args) == 0 {
		return newActivation(kind)
	}
	return usual
}
