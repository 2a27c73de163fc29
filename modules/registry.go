package modules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Spec is what a YAML's module is: how a row is wired, and how the module is made.
type Spec struct {
	Name    string   // as a YAML has it: "nn.Upsample"
	Aliases []string // other spellings of the name that mean the same code
	Class   *Class   // as PyTorch prints it
	Wiring  Wiring
	Doc     string // one line: what it is, and its arguments
	Row     string // a usual row, for the documentation; "": the one of its first case
	Source  string // where the definition was read; "" of YOLOv5's and PyTorch's own

	// One of these makes the module, by what it takes and gives.
	New  func(a *Args) Module // one input, one output
	Join func(a *Args) Joiner // several inputs, one output
	List func(a *Args) Lister // several inputs, several outputs
	Head func(a *Args) Head   // several inputs; the last row
	// OneToo says that a Head takes a single input as well, which a row does not write as a list.
	OneToo bool
}

// Origin is where the definition was read, "" where nobody said so.
func (s *Spec) Origin() string {
	switch {
	case s.Source != "":
		return s.Source
	case strings.HasPrefix(s.Class.Path, "torch."):
		return "PyTorch"
	case ownConverted[s.Name]:
		return "YOLOv5, " + strings.ReplaceAll(s.Class.Path[:strings.LastIndexByte(s.Class.Path, '.')], ".", "/") + ".py"
	}
	return ""
}

// Registry holds the modules that a YAML can name.
type Registry struct {
	specs  []*Spec
	byName map[string]*Spec
}

// NewRegistry is an empty registry; [Builtin] has YOLOv5's modules.
func NewRegistry() *Registry { return &Registry{byName: map[string]*Spec{}} }

// Add registers a module. It is an error if the name is taken, or the spec is incomplete.
func (r *Registry) Add(s Spec) error {
	if s.Name == "" || s.Class == nil || s.Wiring == nil || s.Doc == "" {
		return fmt.Errorf("modules: the module %q needs a Name, a Class, a Wiring and a Doc", s.Name)
	}
	constructors := 0
	for _, has := range []bool{s.New != nil, s.Join != nil, s.List != nil, s.Head != nil} {
		if has {
			constructors++
		}
	}
	if constructors != 1 {
		return fmt.Errorf("modules: %s has %d constructors, expected one of New, Join, List and Head", s.Name, constructors)
	}
	names := append([]string{s.Name}, s.Aliases...)
	for _, name := range names {
		if r.byName[name] != nil {
			return fmt.Errorf("modules: %s is registered already", name)
		}
	}
	for _, name := range names {
		r.byName[name] = &s
	}
	r.specs = append(r.specs, &s)
	return nil
}

// Remove takes a module out by its name, with its aliases.
func (r *Registry) Remove(name string) {
	s := r.byName[name]
	for key, spec := range r.byName {
		if spec == s {
			delete(r.byName, key)
		}
	}
	r.specs = slices.DeleteFunc(r.specs, func(other *Spec) bool { return other == s })
}

// Clone is a registry of the same modules, to which others can be added.
func (r *Registry) Clone() *Registry {
	return &Registry{specs: slices.Clone(r.specs), byName: maps.Clone(r.byName)}
}

// Find gives the module of a name or an alias, nil if there is none.
func (r *Registry) Find(name string) *Spec { return r.byName[name] }

// Specs lists the modules in the order in which they were added.
func (r *Registry) Specs() []*Spec { return slices.Clone(r.specs) }

// Names lists what a YAML can name, sorted.
func (r *Registry) Names() []string {
	var names []string
	for name := range r.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
