package modules

import (
	"fmt"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

// Activation is an element-wise module without parameters.
type Activation struct {
	name  string // with the slope where there is one, as PyTorch prints it
	apply func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value
}

// text is the name, also of none.
func (a *Activation) text() string {
	if a == nil {
		return "Identity"
	}
	return a.name
}

// Forward applies the function.
func (a *Activation) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return a.apply(s, x) }

// SiLU is x · sigmoid(x), YOLOv5's default.
func SiLU() *Activation {
	return &Activation{"SiLU", func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Mul(x, s.Sigmoid(x)) }}
}

// Identity gives x.
func Identity() *Activation {
	return &Activation{"Identity", func(_ *Scope, x *onnxbuild.Value) *onnxbuild.Value { return x }}
}

// leakyReLUSlope is torch.nn.LeakyReLU's, where none is given.
const leakyReLUSlope = 0.01

// activations are the torch.nn classes that a YAML may name, by their names without "nn.".
var activations = map[string]func(alpha float32) *Activation{
	"SiLU":     func(float32) *Activation { return SiLU() },
	"Identity": func(float32) *Activation { return Identity() },
	"ReLU": func(float32) *Activation {
		return &Activation{"ReLU", func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Relu(x) }}
	},
	"Sigmoid": func(float32) *Activation {
		return &Activation{"Sigmoid", func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.Sigmoid(x) }}
	},
	"Hardswish": func(float32) *Activation {
		return &Activation{"Hardswish", func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.HardSwish(x) }}
	},
	"LeakyReLU": func(alpha float32) *Activation {
		return &Activation{fmt.Sprintf("LeakyReLU(%g)", alpha), func(s *Scope, x *onnxbuild.Value) *onnxbuild.Value { return s.LeakyRelu(x, alpha) }}
	},
}

// activation makes the module that a call such as nn.LeakyReLU(0.1) names. inplace, which changes no number, is inert.
func activation(call yamlcfg.Literal) (*Activation, error) {
	name := className(call.Str)
	construct, known := activations[name]
	if call.Kind != yamlcfg.Call || !known || call.Str != "nn."+name {
		const hint = "expected nn.SiLU(), nn.ReLU(), nn.LeakyReLU(slope), nn.Hardswish(), nn.Sigmoid() or nn.Identity()"
		return nil, fmt.Errorf("%s is no activation that is known here: %s", call.Repr(), hint)
	}
	alpha, args := leakyReLUSlope, call.Items
	for _, kw := range call.Kw {
		switch {
		case kw.Name == "inplace" && kw.Value.Kind == yamlcfg.Bool:
		case kw.Name == "negative_slope" && name == "LeakyReLU" && len(args) == 0:
			args = []yamlcfg.Literal{kw.Value}
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
	if len(args) == 1 && args[0].Kind == yamlcfg.Bool { // inplace, by position
		args = nil
	}
	if name != "Identity" && len(args) > 0 { // nn.Identity takes and ignores anything
		return nil, fmt.Errorf("nn.%s does not take the argument %s", name, args[0].Repr())
	}
	return construct(float32(alpha)), nil
}
