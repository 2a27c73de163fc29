package modules

import (
	"fmt"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

// Activation is an element-wise module of torch.nn without parameters.
type Activation struct {
	class *Class
	slope *float64 // negative_slope, of a LeakyReLU
	apply func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value
}

// text is the name, with the slope where there is one, as PyTorch prints it; also of none.
func (a *Activation) text() string {
	switch {
	case a == nil:
		return "Identity"
	case a.slope != nil:
		return fmt.Sprintf("%s(%g)", a.class.Name(), *a.slope)
	}
	return a.class.Name()
}

// Class is the class in torch.nn.
func (a *Activation) Class() *Class { return a.class }

// Forward applies the function.
func (a *Activation) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return a.apply(s, x) }

// leakyReLUSlope is torch.nn.LeakyReLU's, where none is given.
const leakyReLUSlope = 0.01

// The classes of torch.nn; inplace, which they share, changes no number.
var (
	siluClass      = Class{Path: "torch.nn.modules.activation.SiLU"}
	identityClass  = Class{Path: "torch.nn.modules.linear.Identity"}
	reluClass      = Class{Path: "torch.nn.modules.activation.ReLU"}
	sigmoidClass   = Class{Path: "torch.nn.modules.activation.Sigmoid"}
	hardswishClass = Class{Path: "torch.nn.modules.activation.Hardswish"}
	leakyReLUClass = Class{Path: "torch.nn.modules.activation.LeakyReLU", Inert: []string{"negative_slope"}}
)

// SiLU is x · sigmoid(x), YOLOv5's default.
func SiLU() *Activation {
	return &Activation{class: &siluClass, apply: func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Mul(x, s.Sigmoid(x)) }}
}

// Identity gives x.
func Identity() *Activation {
	return &Activation{class: &identityClass, apply: func(_ *Scope, x *onnxbuild.Value) *onnxbuild.Value { return x }}
}

// ReLU is max(x, 0).
func ReLU() *Activation {
	return &Activation{class: &reluClass, apply: func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Relu(x) }}
}

// Sigmoid is 1 / (1 + exp(-x)).
func Sigmoid() *Activation {
	return &Activation{class: &sigmoidClass, apply: func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Sigmoid(x) }}
}

// Hardswish is x · min(max(x + 3, 0), 6) / 6.
func Hardswish() *Activation {
	return &Activation{class: &hardswishClass, apply: func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.HardSwish(x) }}
}

// LeakyReLU is x where it is positive, and slope · x elsewhere.
func LeakyReLU(slope float64) *Activation {
	return &Activation{class: &leakyReLUClass, slope: &slope, apply: func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
		return s.LeakyRelu(x, float32(slope))
	}}
}

// activations are the torch.nn classes that a YAML may name, by their names without "nn.".
var activations = map[string]func(slope float64) *Activation{
	"SiLU":      func(float64) *Activation { return SiLU() },
	"Identity":  func(float64) *Activation { return Identity() },
	"ReLU":      func(float64) *Activation { return ReLU() },
	"Sigmoid":   func(float64) *Activation { return Sigmoid() },
	"Hardswish": func(float64) *Activation { return Hardswish() },
	"LeakyReLU": LeakyReLU,
}

// CallActivation applies the activation that a checkpoint has as the child of that name, or else the given one; nil is an
// Identity of the module's own.
func (s *Scope) CallActivation(child string, usual *Activation, x *onnxbuild.Value) *onnxbuild.Value {
	act := s.activation(child, usual)
	if act == nil {
		return s.Call(child, Identity(), x)
	}
	return s.CallShared(child, act, x)
}

// activation is the child of that name as a checkpoint has it, or else the given one, nil for none.
func (s *Scope) activation(child string, usual *Activation) *Activation {
	t := s.trained()
	if t == nil {
		return usual
	}
	path := s.ChildClass(child)
	if path == "" {
		s.Setting(child, usual.text(), "")
		return usual
	}
	var act *Activation
	if !identityClass.fits(path) {
		construct := activations[className(path)]
		if construct == nil || !construct(0).class.fits(path) {
			return usual // which the checkpoint's is compared with then, and refused beside all others of its kind
		}
		slope := leakyReLUSlope
		if given := t.Module(s.path + "." + child).Numbers("negative_slope"); len(given) == 1 {
			slope = given[0]
		}
		act = construct(slope)
	}
	if act.text() == usual.text() {
		return usual
	}
	s.Setting(child, act.text(), usual.text())
	return act
}

// activation makes the module that a call such as nn.LeakyReLU(0.1) names. inplace, which changes no number, is inert.
func activation(call python.Literal) (*Activation, error) {
	name := className(call.Str)
	construct, known := activations[name]
	if call.Kind != python.Call || !known || call.Str != "nn."+name {
		const hint = "expected nn.SiLU(), nn.ReLU(), nn.LeakyReLU(slope), nn.Hardswish(), nn.Sigmoid() or nn.Identity()"
		return nil, fmt.Errorf("%s is not an activation that is known here: %s", call.Repr(), hint)
	}
	alpha, args := leakyReLUSlope, call.Items
	for _, kw := range call.Kw {
		switch {
		case kw.Name == "inplace" && kw.Value.Kind == python.Bool:
		case kw.Name == "negative_slope" && name == "LeakyReLU" && len(args) == 0:
			args = []python.Literal{kw.Value}
		default:
			return nil, fmt.Errorf("nn.%s does not take %s=%s", name, kw.Name, kw.Value.Repr())
		}
	}
	if name == "LeakyReLU" && len(args) > 0 {
		slope, ok := args[0].Number()
		if !ok || !(slope >= -limit && slope <= limit) {
			return nil, fmt.Errorf("the slope of nn.LeakyReLU is %s, expected a finite number", args[0].Repr())
		}
		alpha, args = slope, args[1:]
	}
	if len(args) == 1 && args[0].Kind == python.Bool { // inplace, by position
		args = nil
	}
	if name != "Identity" && len(args) > 0 { // nn.Identity takes and ignores anything
		return nil, fmt.Errorf("nn.%s does not take the argument %s", name, args[0].Repr())
	}
	return construct(alpha), nil
}
