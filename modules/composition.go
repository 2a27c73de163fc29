package modules

import (
	"fmt"
	"slices"
	"strings"
)

// Stranger is something that a checkpoint's module is or has, and the lowering does not know: the file would compute
// something else.
type Stranger struct {
	Path string // of the module: "model.2.m.0"
	Text string // what is there, and what was expected
}

// visit is what a lowering knows of a module that it applied.
type visit struct {
	class *Class
	read  []string // the attributes that the forward asked for
}

// strangers compares every module of a checkpoint with what was applied at its path: its class, its children and its
// attributes. It lists what differs in the order of the model, the outermost only: the insides of a class that is not
// known say nothing more.
func (l *lowering) strangers() []Stranger {
	t, ok := l.weights.(Trained)
	if !ok {
		return nil
	}
	var list []Stranger
	add := func(path, format string, args ...any) {
		list = append(list, Stranger{path, fmt.Sprintf(format, args...)})
	}
	var walk func(path string, m TrainedModule)
	walk = func(path string, m TrainedModule) {
		if v := l.visits[path]; v != nil && m.Class() != "" {
			if !v.class.fits(m.Class()) {
				add(path, "is of the class %s%s, expected %s", m.Class(), tensorsText(m), v.class.Name())
				return
			}
			for _, name := range m.Attributes() {
				if !slices.Contains(v.read, name) && !slices.Contains(v.class.Inert, name) && !slices.Contains(bookkeeping, name) {
					add(path, "(%s) has the attribute %s = %s, which is not one of %s's that are known here", className(m.Class()), name, m.Show(name), v.class.Name())
				}
			}
		}
		for _, name := range m.Children() {
			child := name
			if path != "" {
				child = path + "." + name
			}
			c := t.Module(child)
			if c == nil {
				continue
			}
			if l.visits[child] == nil && path != "" && c.Class() != "" {
				if !slices.ContainsFunc(idle, func(k *Class) bool { return k.fits(c.Class()) }) {
					add(child, "is a child of the class %s%s, which %s does not call here", c.Class(), tensorsText(c), l.called(path))
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

// called is what stands at a path: the class that was applied there, or the container of the rows.
func (l *lowering) called(path string) string {
	if v := l.visits[path]; v != nil {
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
