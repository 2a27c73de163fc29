package modules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Flavour is one of the forms in which the code of a class occurs: forks give a name to different code, and authors change a
// formula after it was copied.
type Flavour struct {
	Name string         // as options and messages have it: "mask"
	Doc  string         // what it computes: "gamma / sum(gamma)"
	Keys map[string]int // trained tensors that show it, by their names inside the module, with their ranks
	Rare map[string]int // tensors that usually show another one: it is taken for them only where an option says so
}

// Choice is the flavour that a module was taken to be of.
type Choice struct {
	Class   string // "SRU"
	Path    string // "model.9.SRU"
	Flavour Flavour
	Open    []Flavour // others whose tensors are the same, where no option chose
}

// choose picks a flavour of the module at a path: by a checkpoint's tensors as far as they tell, then by the option, which
// is "" where none was given, then the first. ok is false where the tensors are those of none.
func (c *Class) choose(t Trained, path, asked string) (picked Flavour, open []Flavour, ok bool) {
	list, fits := c.Flavours, c.Flavours
	if t != nil {
		fits = nil
		for _, f := range list {
			if shown(t, path, f.Keys) || f.Name == asked && shown(t, path, f.Rare) {
				fits = append(fits, f)
			}
		}
	}
	if len(fits) == 0 {
		return list[0], nil, false
	}
	if i := slices.IndexFunc(fits, func(f Flavour) bool { return f.Name == asked }); i >= 0 {
		return fits[i], nil, true
	}
	if t == nil {
		return fits[0], nil, true
	}
	slices.SortStableFunc(fits, func(a, b Flavour) int { return len(b.Keys) - len(a.Keys) }) // the more tensors match, the more certain it is
	for _, f := range fits[1:] {
		if len(f.Keys) == len(fits[0].Keys) {
			open = append(open, f)
		}
	}
	return fits[0], open, true
}

// shown reports whether a module of a checkpoint has all of the given tensors.
func shown(t Trained, path string, keys map[string]int) bool {
	for name, rank := range keys {
		if shape, there := t.Shape(path + "." + name); !there || len(shape) != rank {
			return false
		}
	}
	return len(keys) > 0
}

// Flavour is the name of the flavour of this module, one of its class's. A checkpoint's module whose tensors are of none of
// them is refused; one that has none at all is listed with all others that are missing.
func (s *Scope) Flavour() string {
	asked := s.model.flavours[s.class.Name()]
	f, open, ok := s.class.choose(s.trained(), s.path, asked)
	switch has := s.tensors(); {
	case !ok && has != "":
		s.Err("the checkpoint has %s here; known are the tensors %s", has, s.class.signatures())
	case ok && asked != "" && f.Name != asked:
		s.NoteSetting("flavour", f.Name, asked)
	}
	if !slices.ContainsFunc(s.model.choices, func(c Choice) bool { return c.Path == s.path }) {
		s.model.choices = append(s.model.choices, Choice{Class: s.class.Name(), Path: s.path, Flavour: f, Open: open})
	}
	return f.Name
}

// Flavour is the name of the flavour of the row's module, or of each of its repeats, as a checkpoint's tensors show it. It is
// the first of the class's where they do not: what does not fit is listed when tensors are compared.
func (a *Args) Flavour(c *Class) string {
	f, _, ok := c.choose(a.trained, a.path(), "")
	if !ok {
		f, _, _ = c.choose(a.trained, join(a.path(), 0), "")
	}
	return f.Name
}

// tensors lists a checkpoint's tensors of the module with their shapes, "" where there are none.
func (s *Scope) tensors() string {
	t := s.trained()
	if t == nil {
		return ""
	}
	m := t.Module(s.path)
	if m == nil {
		return ""
	}
	var list []string
	for _, name := range m.Tensors() {
		shape, _ := s.TensorShape(name)
		list = append(list, fmt.Sprintf("%s %v", name, shape))
	}
	const most = 8
	if n := len(list) - most; n > 0 {
		list = append(list[:most], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, ", ")
}

// signatures lists the tensors that show each flavour: "gn.gamma of rank 3 (softmax, mask)".
func (c *Class) signatures() string {
	var order []string
	names := map[string][]string{}
	for _, f := range c.Flavours {
		var keys []string
		for _, name := range slices.Sorted(maps.Keys(f.Keys)) {
			keys = append(keys, fmt.Sprintf("%s of rank %d", name, f.Keys[name]))
		}
		key := strings.Join(keys, " and ")
		if names[key] == nil {
			order = append(order, key)
		}
		names[key] = append(names[key], f.Name)
	}
	for i, key := range order {
		order[i] = key + " (" + strings.Join(names[key], ", ") + ")"
	}
	return strings.Join(order, ", ")
}
