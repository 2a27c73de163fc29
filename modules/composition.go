package modules

import (
	"fmt"
	"slices"
	"strings"
)

// UnknownPart is something that a checkpoint's module is or has, and the lowering does not know: the file would compute
// something else.
type UnknownPart struct {
	Path string // of the module: "model.2.m.0"
	Text string // what is there, and what was expected
}

// visit is what a lowering knows of a module that it applied.
type visit struct {
	class *Class
	read  []string // the attributes that the forward asked for
}

// UnknownParts compares every module of the checkpoint with what was applied at its path: its class, its children and its
// attributes. It lists what differs in the order of the model, the outermost only, since the insides of an unknown class
// say nothing more. The graph is not the checkpoint's model unless the list is empty.
func (m *Model) UnknownParts() []UnknownPart {
	t, ok := m.weights.(Trained)
	if !ok {
		return nil
	}
	var list []UnknownPart
	add := func(path, format string, args ...any) {
		list = append(list, UnknownPart{path, fmt.Sprintf(format, args...)})
	}
	var walk func(path string, m TrainedModule)
	walk = func(path string, part TrainedModule) {
		if v := m.visits[path]; v != nil && part.Class() != "" {
			if !v.class.fits(part.Class()) {
				add(path, "is of the class %s%s, expected %s", part.Class(), tensorsText(part), v.class.Name())
				return
			}
			for _, name := range part.Attributes() {
				if !slices.Contains(v.read, name) && !slices.Contains(v.class.Inert, name) && !slices.Contains(bookkeeping, name) {
					add(path, "(%s) has the attribute %s = %s, which is not a known attribute of %s", className(part.Class()), name, part.Show(name), v.class.Name())
				}
			}
		}
		for _, name := range part.Children() {
			child := name
			if path != "" {
				child = path + "." + name
			}
			c := t.Module(child)
			if c == nil {
				continue
			}
			if m.visits[child] == nil && path != "" && c.Class() != "" {
				if !slices.ContainsFunc(idle, func(k *Class) bool { return k.fits(c.Class()) }) {
					add(child, "is a child of the class %s%s, which %s does not call here", c.Class(), tensorsText(c), m.classAt(path))
				}
				continue
			}
			walk(child, c)
		}
	}
	if root := t.Module(""); root != nil {
		walk("", root)
	}
	return list
}

// classAt names the class that was applied at a path, or the container of the rows.
func (m *Model) classAt(path string) string {
	if v := m.visits[path]; v != nil {
		return v.class.Name()
	}
	return "the model"
}

// tensorsText lists the parameters of a module by their names inside it.
func tensorsText(m TrainedModule) string {
	const shown = 6
	names := m.Tensors()
	if len(names) == 0 {
		return " (no parameters)"
	}
	more := ""
	if n := len(names) - shown; n > 0 {
		names, more = names[:shown], fmt.Sprintf(" and %d more", n)
	}
	return " (" + strings.Join(names, ", ") + more + ")"
}
