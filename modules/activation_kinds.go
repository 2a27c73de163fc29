package modules

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ysc2onnx/onnxbuild"
)

// activationKind is a class of activations: what its constructor takes, and what it computes.
type activationKind struct {
	class   *Class
	inplace bool // the constructor takes inplace after args, which changes no number
	args    []activationArg
	apply   func(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value
}

// activationArg is an argument of a constructor, and the attribute that keeps it.
type activationArg struct {
	name  string
	usual float64
	whole bool     // an integer of at least 1
	among []string // a text, whose value is the index; nil: a number
	fixed bool     // an attribute that no argument sets: it must have the usual value
}

// allows reports whether a number can be the argument.
func (a activationArg) allows(x float64) bool {
	switch {
	case a.among != nil || !(math.Abs(x) <= limit):
		return false
	case a.fixed:
		return x == a.usual
	}
	return !a.whole || x >= 1 && x == math.Trunc(x)
}

// choice is the index of a text that can be the argument.
func (a activationArg) choice(text string) (float64, bool) {
	i := slices.Index(a.among, text)
	return float64(i), i >= 0
}

func (a activationArg) expected() string {
	switch {
	case a.among != nil:
		return "'" + strings.Join(a.among, "' or '") + "'"
	case a.fixed:
		return fmt.Sprint(a.usual)
	case a.whole:
		return "an integer from 1 to 1048576"
	}
	return "a number from -1048576 to 1048576"
}

func torchActivation(name string, args ...activationArg) *activationKind {
	return newActivationKind("torch.nn.modules.activation."+name, args)
}

// ownActivation is a class of YOLOv5's utils/activations.py, which only a checkpoint can name: its parser does not see them.
func ownActivation(name string) *activationKind {
	return newActivationKind("utils.activations."+name, nil)
}

func newActivationKind(path string, args []activationArg) *activationKind {
	k := &activationKind{class: &Class{Path: path}, args: args}
	for _, arg := range args { // which are read where the activation is made
		k.class.Inert = append(k.class.Inert, arg.name)
	}
	return k
}

// computedBy completes a kind.
func (k *activationKind) computedBy(inplace bool, apply func(s *Scope, x *onnxbuild.Value, args []float64) *onnxbuild.Value) *activationKind {
	k.inplace, k.apply = inplace, apply
	return k
}

func (k *activationKind) isTorch() bool { return strings.HasPrefix(k.class.Path, "torch.") }

// activationOf is the kind of a checkpoint's class, nil where it is not known. YOLOv5's own are those of its own file:
// a class named SiLU elsewhere may be anything.
func activationOf(path string) *activationKind {
	i := slices.IndexFunc(activationKinds, func(k *activationKind) bool {
		if k.isTorch() {
			return k.class.fits(path)
		}
		return path == k.class.Path || strings.HasSuffix(path, "."+k.class.Path)
	})
	if i < 0 {
		return nil
	}
	return activationKinds[i]
}
