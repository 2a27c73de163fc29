package modules

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Trained are weights that know more of a model than its tensors: what a checkpoint keeps of each module. It wins over
// the YAML.
type Trained interface {
	Weights
	// Shape gives the shape of the tensor of that name, if there is one.
	Shape(name string) (shape []int64, ok bool)
	// Integers gives the elements of a tensor of so many integers, which then counts as used; nil where there is none.
	Integers(name string, count int) ([]int64, error)
	// Module gives the module at a state_dict path, "" for the whole model; nil where there is none.
	Module(path string) TrainedModule
}

// TrainedModule is what a checkpoint keeps of one module.
type TrainedModule interface {
	Class() string                      // the Python class, "" where it is not known
	Children() []string                 // the names of the modules in it
	Tensors() []string                  // the names of its tensors and of those in its children, seen from it
	Attributes() []string               // the names of its own attributes that are not None
	Numbers(attribute string) []float64 // a numeric attribute, or those of a list; nil where it is neither
	Text(attribute string) (string, bool)
	Show(attribute string) string // for messages, shortened
}

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

// trained is the checkpoint, nil without one.
func (s *Scope) trained() Trained {
	t, _ := s.model.weights.(Trained)
	return t
}

// known is what a checkpoint keeps of this module, nil without one. The attribute that is asked for counts as known.
func (s *Scope) known(attribute string) TrainedModule {
	t := s.trained()
	if t == nil {
		return nil
	}
	if v := s.model.visits[s.path]; v != nil && !slices.Contains(v.read, attribute) {
		v.read = append(v.read, attribute)
	}
	return t.Module(s.path)
}

// NoteSetting notes that a checkpoint knew better than the YAML: value in the place of instead.
func (s *Scope) NoteSetting(attribute, value, instead string) {
	s.model.settings.add(s.path, Setting{Module: s.class.Name(), Attribute: attribute, Value: value, Instead: instead})
}

// Number is a numeric attribute of the module: a checkpoint's, or else the usual one, which is noted as assumed where a
// checkpoint does not tell.
func (s *Scope) Number(attribute string, usual float64) float64 {
	if s.trained() == nil {
		return usual
	}
	if m := s.known(attribute); m == nil || m.Numbers(attribute) == nil {
		s.NoteSetting(attribute, numbersText(usual), "")
		return usual
	}
	return s.Numbers(attribute, usual)[0]
}

// Epsilon is the number eps of a normalisation.
func (s *Scope) Epsilon(usual float64) float64 {
	eps := s.Number("eps", usual)
	if !(eps >= 0 && eps <= math.MaxFloat32) { // of NaN neither holds
		s.Err("the checkpoint's eps is %g, expected a finite number of at least 0", eps)
		return usual
	}
	return eps
}

// Numbers are a numeric attribute of the module as far as a checkpoint has it, or else the usual ones, which the YAML's
// arguments say; a single number stands for as many as are given.
func (s *Scope) Numbers(attribute string, usual ...float64) []float64 {
	m := s.known(attribute)
	if m == nil {
		return usual
	}
	trained := m.Numbers(attribute)
	if len(trained) == 1 {
		trained = slices.Repeat(trained, len(usual))
	}
	if len(trained) != len(usual) {
		if slices.Contains(m.Attributes(), attribute) {
			s.Err("the checkpoint's %s is %s, expected a number or %d of them", attribute, m.Show(attribute), len(usual))
		}
		return usual
	}
	if slices.Equal(trained, usual) {
		return usual
	}
	s.NoteSetting(attribute, numbersText(trained...), numbersText(usual...))
	return trained
}

// Flag is Numbers for a truth value.
func (s *Scope) Flag(attribute string, usual bool) bool {
	number := 0.0
	if usual {
		number = 1
	}
	return s.Numbers(attribute, number)[0] != 0
}

// Pair is Numbers as two integers from least to 1048576, for height and width.
func (s *Scope) Pair(attribute string, usual [2]int, least int) [2]int {
	found := s.Numbers(attribute, float64(usual[0]), float64(usual[1]))
	for i, x := range found {
		if x != float64(int(x)) || x < float64(least) || x > limit {
			s.Err("the checkpoint's %s is %s, expected integers from %d to %d", attribute, numbersText(found...), least, limit)
			return usual
		}
		usual[i] = int(x)
	}
	return usual
}

// RequireNone refuses a checkpoint in which an attribute is not None that must be.
func (s *Scope) RequireNone(attribute string) {
	if m := s.known(attribute); m != nil && slices.Contains(m.Attributes(), attribute) {
		s.Err("the checkpoint's %s is %s; only None is converted", attribute, m.Show(attribute))
	}
}

// RequireNumber refuses a checkpoint whose attribute is another number than the one for which the forward is written. None and an
// attribute that is missing are taken as that one.
func (s *Scope) RequireNumber(attribute string, value float64) {
	m := s.known(attribute)
	if m == nil || !slices.Contains(m.Attributes(), attribute) {
		return
	}
	if found := m.Numbers(attribute); len(found) == 0 || slices.ContainsFunc(found, func(x float64) bool { return x != value }) {
		s.Err("the checkpoint's %s is %s; only %s is converted", attribute, m.Show(attribute), numbersText(value))
	}
}

// RequireIntegers refuses a checkpoint whose tensor of that name is not the one for which the forward is written. One that is
// missing is taken as that one.
func (s *Scope) RequireIntegers(name string, want []int64) {
	t := s.trained()
	if t == nil {
		return
	}
	switch found, err := t.Integers(s.path+"."+name, len(want)); {
	case err != nil:
		s.Err("%w", err)
	case found != nil && !slices.Equal(found, want):
		s.Err("the checkpoint's %s is not the usual one, which follows from the sizes here: only that is converted", name)
	}
}

// RequireText is RequireNumber for a text.
func (s *Scope) RequireText(attribute, value string) {
	m := s.known(attribute)
	if m == nil || !slices.Contains(m.Attributes(), attribute) {
		return
	}
	if found, ok := m.Text(attribute); !ok || found != value {
		s.Err("the checkpoint's %s is %s; only '%s' is converted", attribute, m.Show(attribute), value)
	}
}

// Choice is a text attribute of the module, one of those that are known: a checkpoint's, or else the usual one.
func (s *Scope) Choice(attribute, usual string, known ...string) string {
	m := s.known(attribute)
	if m == nil || !slices.Contains(m.Attributes(), attribute) {
		return usual
	}
	found, ok := m.Text(attribute)
	switch {
	case !ok || !slices.Contains(known, found):
		s.Err("the checkpoint's %s is %s; only '%s' is converted", attribute, m.Show(attribute), strings.Join(known, "' or '"))
		return usual
	case found != usual:
		s.NoteSetting(attribute, found, usual)
	}
	return found
}

// ChildClass is the Python class of a child, as far as a checkpoint tells.
func (s *Scope) ChildClass(name string) string {
	if t := s.trained(); t != nil {
		if m := t.Module(s.path + "." + name); m != nil {
			return m.Class()
		}
	}
	return ""
}

// TensorShape is that of a checkpoint's tensor of the module, if there is one.
func (s *Scope) TensorShape(name string) ([]int64, bool) {
	t := s.trained()
	if t == nil {
		return nil, false
	}
	return t.Shape(s.path + "." + name)
}

// Has reports whether a checkpoint has a tensor of the module, false without a checkpoint.
func (s *Scope) Has(name string) bool {
	_, ok := s.TensorShape(name)
	return ok
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
