package modules

import (
	"strings"

	"ysc2onnx/onnxbuild"
)

// behind marks the forms in which CBAM stands behind a C3 and not in its bottlenecks.
const behind = " behind cv3"

// attentiveC3 is the class of a C3 with attention: in its bottlenecks, whose own children the attention's are.
func attentiveC3(name, usual string, aliases ...string) Class {
	list := append(cbamFlavours("m.0.", ""), cbamFlavours("", behind)...)
	list = append(list,
		Flavour{Name: seNamed, Doc: "SE in the bottlenecks", Keys: map[string]int{"m.0.l1.weight": 2, "m.0.l2.weight": 2}},
		Flavour{Name: "eca", Doc: "ECA in the bottlenecks", Keys: map[string]int{"m.0.conv.weight": 3}},
		Flavour{Name: "conv_h", Doc: "CoordAtt in the bottlenecks", Keys: coordAttKeys("m.0.", "conv_h", "conv_w")},
	)
	for i := range list {
		if list[i].Name == usual {
			list[0], list[i] = list[i], list[0]
			break
		}
	}
	return Class{Path: "models.common." + name, Aliases: aliases, Flavours: list}
}

var (
	c3CBAMClass = attentiveC3("C3CBAM", "f1", "C3_CBAM")
	cbamC3Class = attentiveC3("CBAMC3", "f1"+behind)
	c3SEClass   = attentiveC3("C3SE", seNamed, "C3_SE")
	c3ECAClass  = attentiveC3("C3ECA", "eca", "C3_ECA")
	c3CAClass   = attentiveC3("C3CA", "conv_h", "C3_CA", "C3CoordAtt")

	attentiveBottleneckClass = Class{Path: "models.common.CBAMBottleneck", Aliases: []string{"SEBottleneck", "ECABottleneck", "CABottleneck"}}
)

var (
	c3CBAMSpec = attentiveC3Spec("C3CBAM", "C3 with CBAM in its bottlenecks", &c3CBAMClass)
	cbamC3Spec = attentiveC3Spec("CBAMC3", "C3 with CBAM behind it", &cbamC3Class)
	c3SESpec   = attentiveC3Spec("C3SE", "C3 with SE in its bottlenecks", &c3SEClass)
	c3ECASpec  = attentiveC3Spec("C3ECA", "C3 with ECA in its bottlenecks", &c3ECAClass)
	c3CASpec   = attentiveC3Spec("C3CA", "C3 with CoordAtt in its bottlenecks", &c3CAClass)
)

func attentiveC3Spec(name, doc string, class *Class) Spec {
	return Spec{
		Name: name, Aliases: class.Aliases, Class: class, Wiring: RepeatsAsTrained, Source: "github.com/yin-qiyu/helmet-ablation-experiment and other forks",
		Doc: doc + ", or the form that a checkpoint has: c2, shortcut=True, g (1 in the bottlenecks with attention), e=0.5",
		New: func(a *Args) Module { return newAttentiveC3(a, class) },
	}
}

func newAttentiveC3(a *Args, class *Class) Module {
	if !a.RepeatsInside() {
		a.N = a.Int("n", 1)
	}
	shortcut, groups, e := a.Bool("shortcut", true), a.Positive("g", 1), a.Float("e", 0.5)
	form := a.Flavour(class)
	if form, ok := strings.CutSuffix(form, behind); ok {
		c3 := NewCSP(class, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module { return NewBottleneck(hidden, hidden, shortcut, groups, 1, a.Act) })
		return &attendedC3{c3, NewCBAM(a.C2, 16, 7), cbamForms[form]}
	}
	if groups != 1 {
		a.Errorf("g is %d, expected 1: forks differ in whether the bottlenecks take it", groups)
	}
	if a.trained == nil && a.N > 0 {
		a.NoteOnce(a.row.ArgsSpan, "its bottlenecks are assumed to have half of the channels inside, as in most forks; in others they have all of them")
	}
	return NewCSP(class, a.C1, a.C2, e, a.Act, a.N, func(hidden int) Module { return &attentiveBottleneck{form, hidden, shortcut, a.Act} })
}

// attendedC3 is a C3 with CBAM behind it, whose children are its own. [N, c1, H, W] -> [N, c2, H, W].
type attendedC3 struct {
	*C3
	cbam  *CBAM
	names cbamNames
}

// Forward is cbam(c3(x)).
func (m *attendedC3) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.cbam.attend(s, m.C3.Forward(s, x), m.names)
}

// attentiveBottleneck is 1x1 and 3x3 Conv and an attention, whose children are its own, before the input is added. Its
// attention is as in github.com/yin-qiyu/helmet-ablation-experiment, and the number of channels inside as a checkpoint's
// weights say. [N, c, H, W], same out.
type attentiveBottleneck struct {
	form string
	c    int
	add  bool
	act  *Activation
}

// Class is CBAMBottleneck, or one of its kin.
func (m *attentiveBottleneck) Class() *Class { return &attentiveBottleneckClass }

// Forward is x + attention(cv2(cv1(x))), or without the sum.
func (m *attentiveBottleneck) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	hidden := s.Rows("cv1.conv.weight", m.c/2)
	cv2 := NewConv(hidden, m.c, ConvArgs{Kernel: square(3), Stride: square(1), Pad: square(-1), Groups: 1, Dilation: 1}, m.act)
	y := m.attend(s, s.Call("cv2", cv2, s.Call("cv1", NewConv1x1(m.c, hidden, m.act), x)))
	if s.Flag("add", m.add) {
		return s.Add(x, y)
	}
	return y
}

func (m *attentiveBottleneck) attend(s *Scope, y *onnxbuild.Value) *onnxbuild.Value {
	switch m.form {
	case seNamed:
		return (&SE{c: m.c, hidden: m.c / 16}).attend(s, y, seNamed)
	case "eca":
		return NewECA(3).Forward(s, y)
	case "conv_h":
		switch k := s.known("add"); {
		case k == nil || s.ChildClass("pool_h") != "":
		case k.Class() != "":
			s.Err("the checkpoint has no pool_h here: in forks that pool in the forward, it is the input that is pooled, which is not converted")
		default:
			s.NoteSetting("pool_h", "of cv2", "") // of the input in a few forks, which only the classes show
		}
		return NewCoordAtt(m.c, 32).attend(s, y, coordAttForms[m.form])
	}
	return NewCBAM(m.c, 16, 7).attend(s, y, cbamForms[m.form])
}
