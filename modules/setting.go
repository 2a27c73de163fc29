package modules

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Setting is a value of modules on which a trained model has the last word, such as the epsilon of a batch norm.
type Setting struct {
	Module    string // the class: "BatchNorm2d"
	Attribute string // as PyTorch's class calls it: "eps"
	Value     string // what is taken
	// Instead is what the YAML says, or what is usual: a checkpoint knew better. "" where a checkpoint does not tell, and
	// Value is what is usual.
	Instead string
	Modules int // how many have it
}

// settings counts the modules of each Setting.
type settings struct {
	list []Setting
	seen map[string]bool // module paths with attribute: a module that is applied twice counts once
}

func (l *settings) add(path string, found Setting) {
	if key := path + "." + found.Attribute; l.seen[key] {
		return
	} else if l.seen == nil {
		l.seen = map[string]bool{key: true}
	} else {
		l.seen[key] = true
	}
	i := slices.IndexFunc(l.list, func(s Setting) bool { s.Modules = 0; return s == found })
	if i < 0 {
		i, l.list = len(l.list), append(l.list, found)
	}
	l.list[i].Modules++
}

// number is a numeric attribute of the module, of the class module: a checkpoint's, or else the given one.
func (s *Scope) number(module, attribute string, usual float64) float64 {
	t, ok := s.model.weights.(Trained)
	if !ok {
		return usual
	}
	if t.Numbers(s.path, attribute) == nil {
		s.model.settings.add(s.path, Setting{Module: module, Attribute: attribute, Value: numbersText(usual)})
		return usual
	}
	return s.numbers(module, attribute, usual)[0]
}

// epsilon is the number eps of a normalisation.
func (s *Scope) epsilon(module string, usual float64) float64 {
	eps := s.number(module, "eps", usual)
	if !(eps >= 0 && eps <= math.MaxFloat32) { // of NaN neither holds
		s.Err("the checkpoint's eps is %g, expected a finite number of at least 0", eps)
		return usual
	}
	return eps
}

// numbers are a numeric attribute of the module as far as a checkpoint has it, or else the given ones; a single number
// stands for as many as are given. Nothing is said where a checkpoint leaves them out: the YAML's arguments have them.
func (s *Scope) numbers(module, attribute string, usual ...float64) []float64 {
	t, ok := s.model.weights.(Trained)
	if !ok {
		return usual
	}
	trained := t.Numbers(s.path, attribute)
	if len(trained) == 1 {
		trained = slices.Repeat(trained, len(usual))
	}
	if len(trained) != len(usual) || slices.Equal(trained, usual) {
		return usual
	}
	s.model.settings.add(s.path, Setting{Module: module, Attribute: attribute, Value: numbersText(trained...), Instead: numbersText(usual...)})
	return trained
}

// ints are numbers as two positive integers below the limit, for height and width.
func (s *Scope) ints(module, attribute string, usual [2]int, least int) [2]int {
	found := s.numbers(module, attribute, float64(usual[0]), float64(usual[1]))
	for i, x := range found {
		if x != float64(int(x)) || x < float64(least) || x > limit {
			s.Err("the checkpoint's %s is %s, expected integers from %d to %d", attribute, numbersText(found...), least, limit)
			return usual
		}
		usual[i] = int(x)
	}
	return usual
}

// numbersText is a number, or a list of different ones as Python prints it.
func numbersText(x ...float64) string {
	parts := make([]string, len(x))
	for i, v := range x {
		parts[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	if len(slices.Compact(slices.Clone(parts))) == 1 {
		return parts[0]
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
