package modules

import (
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/onnxbuild"
)

// Activation is an element-wise module of torch.nn, or one of YOLOv5's own.
type Activation struct {
	kind   *activationKind
	values []float64 // of kind.args
}

// newActivation makes an activation with the values of its arguments, or with the usual ones.
func newActivation(kind *activationKind, values ...float64) *Activation {
	for _, arg := range kind.args[len(values):] {
		values = append(values, arg.usual)
	}
	return &Activation{kind, values}
}

// SiLU is x · sigmoid(x), YOLOv5's default.
func SiLU() *Activation { return newActivation(siluKind) }

// Identity gives x.
func Identity() *Activation { return newActivation(identityKind) }

// ReLU is max(x, 0).
func ReLU() *Activation { return newActivation(reluKind) }

// Sigmoid is 1 / (1 + exp(-x)).
func Sigmoid() *Activation { return newActivation(sigmoidKind) }

// Hardswish is x · min(max(x + 3, 0), 6) / 6.
func Hardswish() *Activation { return newActivation(hardswishKind) }

// GELU is x·Φ(x).
func GELU() *Activation { return newActivation(activationOf("torch.nn.modules.activation.GELU")) }

// LeakyReLU is x where it is positive, and slope · x elsewhere.
func LeakyReLU(slope float64) *Activation { return newActivation(leakyReLUKind, slope) }

// text is the name with the arguments, as PyTorch takes them: "LeakyReLU(0.1)", "GELU('none')"; a nil activation has a name,
// too.
func (a *Activation) text() string {
	if a == nil {
		return identityClass.Name()
	}
	var args []string
	for i, arg := range a.kind.args {
		switch {
		case arg.fixed:
		case arg.among != nil:
			args = append(args, "'"+arg.among[int(a.values[i])]+"'")
		default:
			args = append(args, strconv.FormatFloat(a.values[i], 'g', -1, 64))
		}
	}
	if len(args) == 0 {
		return a.kind.class.Name()
	}
	return a.kind.class.Name() + "(" + strings.Join(args, ", ") + ")"
}

// Class is the class in torch.nn, or YOLOv5's.
func (a *Activation) Class() *Class { return a.kind.class }

// Forward applies the function.
func (a *Activation) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return a.kind.apply(s, x, a.values)
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

// activation is the child of that name as a checkpoint has it, or else the given one, nil for none. Where the checkpoint's
// is unknown, the given one is compared with it later, so that it is refused along with all other unknown classes.
func (s *Scope) activation(child string, usual *Activation) *Activation {
	t := s.trained()
	if t == nil {
		return usual
	}
	path := s.ChildClass(child)
	if path == "" {
		s.NoteSetting(child, usual.text(), "")
		return usual
	}
	var act *Activation
	if !identityClass.fits(path) {
		kind := activationOf(path)
		if kind == nil {
			return usual
		}
		act = kind.trained(s, child, t.Module(s.path+"."+child))
	}
	switch {
	case act.text() != usual.text():
		s.NoteSetting(child, act.text(), usual.text())
	case act == nil || usual != nil && act.kind == usual.kind:
		return usual
	}
	return act
}

// trained is the activation with the arguments that a checkpoint's module keeps.
func (k *activationKind) trained(s *Scope, child string, m TrainedModule) *Activation {
	act := newActivation(k)
	for i, arg := range k.args {
		value := arg.usual
		var ok bool
		if text, isText := m.Text(arg.name); isText {
			value, ok = arg.choice(text)
		} else if numbers := m.Numbers(arg.name); len(numbers) == 1 {
			value, ok = numbers[0], arg.allows(numbers[0])
		} else {
			ok = !slices.Contains(m.Attributes(), arg.name)
		}
		if !ok {
			s.Err("the checkpoint's %s of %s is %s, expected %s", arg.name, child, m.Show(arg.name), arg.expected())
			return act
		}
		act.values[i] = value
	}
	return act
}
