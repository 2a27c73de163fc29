package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Module is one nn.Module of a model.
type Module struct {
	Class    Global  // zero in a model that was made from a state_dict
	Path     string  // as in the state_dict: "model.2.cv1"; "" for the model itself
	Attrs    *Dict   // its own attributes in Python's order (i, f, type, eps, stride, yaml …), without nn.Module's inner ones
	Params   []Named // its own parameters, without those that are None
	Buffers  []Named // its own buffers that a state_dict has
	Children []Child
	Training bool

	// Of the whole model: the classes that it was in, from the outermost on ("DataParallel"), and what was before "model.0." in
	// the names of a state_dict ("module.") or was missing there ("model.").
	Around         []string
	Before, Missed string
}

// Named is a tensor under its name inside a module. The tensor's Name is the whole name in the state_dict.
type Named struct {
	Name   string
	Tensor *Tensor
}

// Child is a module under its name inside another.
type Child struct {
	Name   string
	Module *Module
}

// Attr is an attribute of the module, if it has it.
func (m *Module) Attr(name string) (Value, bool) { return m.Attrs.Get(name) }

// Child is the module of that name directly inside this one, or nil.
func (m *Module) Child(name string) *Module {
	for _, c := range m.Children {
		if c.Name == name {
			return c.Module
		}
	}
	return nil
}

// Tensor is the module's own parameter or buffer of that name, or nil.
func (m *Module) Tensor(name string) *Tensor {
	for _, list := range [][]Named{m.Params, m.Buffers} {
		for _, n := range list {
			if n.Name == name {
				return n.Tensor
			}
		}
	}
	return nil
}

// StateDict is all parameters and buffers, named and ordered as PyTorch's state_dict().
func (m *Module) StateDict() []*Tensor {
	var all []*Tensor
	for _, list := range [][]Named{m.Params, m.Buffers} {
		for _, n := range list {
			all = append(all, n.Tensor)
		}
	}
	for _, c := range m.Children {
		all = append(all, c.Module.StateDict()...)
	}
	return all
}

// innerAttributes are nn.Module's own, which say nothing about the model.
var innerAttributes = setOf("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "_backward_hooks", "_backward_pre_hooks",
	"_is_full_backward_hook", "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks",
	"_forward_pre_hooks_with_kwargs", "_state_dict_hooks", "_state_dict_pre_hooks", "_load_state_dict_pre_hooks",
	"_load_state_dict_post_hooks", "_backend", "training")

// isHook reports whether an inner attribute is functions that run with the module's forward, and may change what it gives.
func isHook(name string, v Value) bool {
	d, ok := v.(*Dict)
	return ok && len(d.Entries) > 0 && (name == "_forward_hooks" || name == "_forward_pre_hooks")
}

// modelKeys are where training programs put the model in the dict that they save, the preferred one first: YOLOv5's
// ema is what it validates and exports.
var modelKeys = []string{"ema", "model", "state_dict", "model_state_dict"}

// Model is the model in the file, as a tree of modules. It is the pickled model under "ema", or under "model" where
// ema is None or missing; or the object or state_dict that was saved alone. A state_dict has no classes or
// attributes, but for those of a [Description] beside it.
func (f *File) Model() (*Module, error) {
	b := moduleBuilder{limits: f.limits}
	if o, ok := f.Value.(*Object); ok {
		return b.unwrapped(o)
	}
	d, ok := f.Value.(*Dict)
	if !ok {
		return nil, fmt.Errorf("there is no model in the file: it holds %s; a dict with \"model\", a model or a state_dict was expected", Repr(f.Value, 80))
	}
	for _, key := range modelKeys {
		switch v, _ := d.Get(key); v := v.(type) {
		case *Object:
			return b.named(b.unwrapped(v))(key)
		case *Dict:
			return b.named(b.fromStateDict(v))(key)
		}
	}
	if m, err := b.fromStateDict(d); err == nil {
		if err := b.describe(m, f.Metadata); err != nil {
			return nil, fmt.Errorf("__metadata__ %q: %w", DescriptionKey, err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("there is no model in the file: it is a dict with the keys %s; \"model\" or \"ema\", or tensors alone were expected", keysOf(d))
}

// named adds the key to an error.
func (moduleBuilder) named(m *Module, err error) func(key string) (*Module, error) {
	return func(key string) (*Module, error) {
		if err != nil {
			return nil, fmt.Errorf("%q in the file: %w", key, err)
		}
		return m, nil
	}
}

func keysOf(d *Dict) string {
	var keys []string
	for i, e := range d.Entries {
		if i == 12 {
			keys = append(keys, "…")
			break
		}
		keys = append(keys, Repr(e.Key, 40))
	}
	return strings.Join(keys, ", ")
}

// moduleBuilder makes Modules from a pickle's objects. It counts modules and tensors and the bytes of their names, since
// a file may have the same module in many places.
type moduleBuilder struct {
	limits    Limits
	count     int
	nameBytes int64
	path      []*Object          // the modules around the one that is being built
	modules   map[string]*Module // by path, of a state_dict
}

// join is the path of what is called name in the module at path, which counts toward the limits.
func (b *moduleBuilder) join(path, name string) (string, error) {
	if name == "" || strings.Contains(name, ".") { // PyTorch refuses them too; two tensors could come by one name
		return "", fmt.Errorf("in module %q something is named %q; a name is not empty and has no dot", path, name)
	}
	if b.count++; b.count > b.limits.Tensors {
		return "", overLimit("modules and tensors of the model", b.limits.Tensors)
	}
	if b.nameBytes += int64(len(path) + len(name)); b.nameBytes > b.limits.PickleSize {
		return "", overLimit("bytes of the names of modules and tensors", b.limits.PickleSize)
	}
	if path == "" {
		return name, nil
	}
	return path + "." + name, nil
}

func (b *moduleBuilder) build(o *Object, path string) (*Module, error) {
	where := "the model"
	if path != "" {
		where = "module " + path
	}
	if slices.Contains(b.path, o) {
		return nil, fmt.Errorf("%s contains itself", where)
	}
	if len(b.path) >= b.limits.Nesting {
		return nil, overLimit("levels of modules inside each other", b.limits.Nesting)
	}
	b.path = append(b.path, o)
	defer func() { b.path = b.path[:len(b.path)-1] }()

	attributes := objectDict(o)
	params, ok1 := dictAt(attributes, "_parameters")
	buffers, ok2 := dictAt(attributes, "_buffers")
	children, ok3 := dictAt(attributes, "_modules")
	if !ok1 || !ok2 || !ok3 {
		return nil, fmt.Errorf("%s is not an nn.Module but %s", where, Repr(o, 80))
	}
	m := &Module{Class: o.Class, Path: path, Attrs: &Dict{}}
	for _, e := range attributes.Entries {
		if name, ok := AsString(e.Key); ok && (!innerAttributes[name] || isHook(name, e.Value)) {
			m.Attrs.set(e.Key, e.Value)
		}
	}
	training, _ := attributes.Get("training")
	m.Training, _ = AsBool(training)
	hidden, _ := attributes.Get("_non_persistent_buffers_set")
	var err error
	if m.Params, err = b.tensors(params, nil, path); err != nil {
		return nil, err
	}
	if m.Buffers, err = b.tensors(buffers, hidden, path); err != nil {
		return nil, err
	}
	for _, n := range m.Buffers {
		if v, _ := params.Get(n.Name); v != nil && v != Value(None{}) {
			return nil, fmt.Errorf("%s is both a parameter and a buffer", n.Tensor.Name)
		}
	}
	for _, e := range children.Entries {
		name, ok := AsString(e.Key)
		child, isObject := e.Value.(*Object)
		if _, none := e.Value.(None); ok && none {
			continue
		}
		if !ok || !isObject {
			return nil, fmt.Errorf("%s: its part %s is not a module but %s", where, Repr(e.Key, 40), Repr(e.Value, 80))
		}
		childPath, err := b.join(path, name)
		if err != nil {
			return nil, err
		}
		built, err := b.build(child, childPath)
		if err != nil {
			return nil, err
		}
		m.Children = append(m.Children, Child{name, built})
	}
	return m, nil
}

// objectDict is an object's __dict__: its state, or the first part of a state that has slots too.
func objectDict(o *Object) *Dict {
	state := o.State
	if t, ok := state.(*Tuple); ok && len(t.Items) == 2 {
		state = t.Items[0]
	}
	d, _ := state.(*Dict)
	return d
}

func dictAt(d *Dict, key string) (*Dict, bool) {
	v, _ := d.Get(key)
	inner, ok := v.(*Dict)
	return inner, ok
}

// tensors names the tensors of _parameters or _buffers, but for those that are None or in the set hidden.
func (b *moduleBuilder) tensors(d *Dict, hidden Value, path string) ([]Named, error) {
	hiddenNames, _ := AsSlice(hidden)
	var list []Named
	for _, e := range d.Entries {
		name, ok := AsString(e.Key)
		if _, none := e.Value.(None); none || slices.Contains(hiddenNames, e.Key) {
			continue
		}
		t, isTensor := e.Value.(*Tensor)
		if !ok || !isTensor {
			return nil, fmt.Errorf("%s in module %q is not a tensor but %s", Repr(e.Key, 40), path, Repr(e.Value, 80))
		}
		full, err := b.join(path, name)
		if err != nil {
			return nil, err
		}
		list = append(list, Named{name, t.named(full)})
	}
	return list, nil
}

// named is the same tensor under a name.
func (t *Tensor) named(name string) *Tensor {
	n := *t
	n.Name = name
	return &n
}

var errNoStateDict = errors.New("it is not a state_dict: tensors by name were expected")

// bufferNames are the buffers of YOLOv5's modules; a state_dict does not tell them from parameters.
var bufferNames = setOf("running_mean", "running_var", "num_batches_tracked", "anchors", "anchor_grid")

// fromStateDict makes a tree of the dotted names.
func (b *moduleBuilder) fromStateDict(d *Dict) (*Module, error) {
	root := &Module{Attrs: &Dict{}}
	b.modules = map[string]*Module{"": root}
	root.Before, root.Missed = rowPrefix(d)
	for _, e := range d.Entries {
		name, ok := AsString(e.Key)
		t, isTensor := e.Value.(*Tensor)
		if !ok || !isTensor {
			return nil, errNoStateDict
		}
		name = root.Missed + strings.TrimPrefix(name, root.Before)
		path, local := "", name
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			path, local = name[:i], name[i+1:]
		}
		m, err := b.moduleAt(path)
		if err != nil {
			return nil, err
		}
		if _, err := b.join(path, local); err != nil {
			return nil, err
		}
		named := Named{local, t.named(name)}
		if bufferNames[local] || !t.DType.IsFloat() {
			m.Buffers = append(m.Buffers, named)
		} else {
			m.Params = append(m.Params, named)
		}
	}
	if len(d.Entries) == 0 {
		return nil, errNoStateDict
	}
	return root, nil
}

// moduleAt is the module at a dotted path, made with those around it where they are missing.
func (b *moduleBuilder) moduleAt(path string) (*Module, error) {
	if m, ok := b.modules[path]; ok {
		return m, nil
	}
	if strings.Count(path, ".") >= b.limits.Nesting {
		return nil, overLimit("levels of modules inside each other", b.limits.Nesting)
	}
	outer, name := "", path
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		outer, name = path[:i], path[i+1:]
	}
	around, err := b.moduleAt(outer)
	if err != nil {
		return nil, err
	}
	if _, err := b.join(outer, name); err != nil {
		return nil, err
	}
	m := &Module{Path: path, Attrs: &Dict{}}
	around.Children = append(around.Children, Child{name, m})
	b.modules[path] = m
	return m, nil
}
