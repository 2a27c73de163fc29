package modules

import (
	"fmt"
	"slices"
	"strconv"

	"ysc2onnx/diag"
	"ysc2onnx/onnxbuild"
)

// Scope is where a module adds its nodes: a builder in the module's name scope, with the parameters under its
// state_dict path. Modules apply their children through it, so that it knows what the model is made of, and keeps count
// of what PyTorch's model summary prints.
type Scope struct {
	onnxbuild.Builder
	path   string // "model.2.cv1"
	name   string // of the node scope: "cv1"; of the first in a container m it is "m.0"
	class  *Class
	shared bool // several parents have the module, and it was applied before
	model  *lowering
}

// lowering is what the scopes of one model share.
type lowering struct {
	weights    Weights
	height     onnxbuild.Dim // of the image
	params     map[string]*onnxbuild.Value
	visits     map[string]*visit // by path
	submodules map[any]bool      // paths, and pointers of modules that several parents share
	calls      map[string]int    // by node scope
	origins    map[*onnxbuild.Value]int
	count      counts
	strides    []int64 // of the head's inputs
	warnings   []warning
	settings   settings
	flavours   map[string]string // that options ask for, by class
	choices    []Choice
	classes    int
	pruned     map[string]bool // paths of convolutions with other channels than the YAML gives
	counting   bool            // only [counts] are wanted of it, of an image that may be too small to compute anything
}

func newLowering(opt Options) *lowering {
	return &lowering{
		weights: opt.Weights, height: opt.Height, strides: opt.Strides, flavours: opt.Flavours,
		params: map[string]*onnxbuild.Value{}, visits: map[string]*visit{}, submodules: map[any]bool{}, calls: map[string]int{}, origins: map[*onnxbuild.Value]int{}, pruned: map[string]bool{},
		count: counts{modules: 2}, // the model, and the Sequential of its layers
	}
}

// root is the scope around the layers.
func (l *lowering) root(g *onnxbuild.Graph) *Scope { return &Scope{Builder: g.Build(), model: l} }

// enter is the scope of a child.
func (s *Scope) enter(name string, class *Class) *Scope {
	return s.child(s.childBuilder(name), name, name, class)
}

func (s *Scope) child(b onnxbuild.Builder, key, name string, class *Class) *Scope {
	in := &Scope{Builder: b, path: key, name: name, class: class, model: s.model}
	if s.path != "" {
		in.path = s.path + "." + key
	}
	s.visit(in.path, in.path, class)
	return in
}

// childBuilder is the builder for a call of a child: in the child's name, with a number from the second call on, as
// PyTorch's exporter has it.
func (s *Scope) childBuilder(name string) onnxbuild.Builder {
	b := s.Builder.In(name)
	before := s.model.calls[b.Scope()]
	s.model.calls[b.Scope()]++
	if before > 0 {
		return s.Builder.In(name + "_" + strconv.Itoa(before))
	}
	return b
}

// visit notes that a module of the class was applied at the path, and counts it the first time.
func (s *Scope) visit(key any, path string, class *Class) {
	if s.model.visits[path] == nil {
		s.model.visits[path] = &visit{class: class}
	}
	if !s.model.submodules[key] {
		s.model.submodules[key] = true
		s.model.count.modules++
	}
}

// Call applies a child module.
func (s *Scope) Call(name string, m Module, x *onnxbuild.Value) *onnxbuild.Value {
	return m.Forward(s.enter(name, m.Class()), x)
}

// Uncalled declares the tensors of a child that the forward never calls: the child counts, but adds no nodes.
func (s *Scope) Uncalled(name string, m Module, x *onnxbuild.Value) {
	nodes, macs := len(s.Graph.Nodes), s.model.count.macs
	s.Call(name, m, x)
	s.Graph.Nodes, s.model.count.macs = s.Graph.Nodes[:nodes], macs
}

// Child is the scope of a child that is called elsewhere, for a tensor of it.
func (s *Scope) Child(name string) *Scope {
	return &Scope{Builder: s.Builder.In(name), path: s.path + "." + name, name: name, model: s.model}
}

// CallJoin applies a child module that takes several inputs.
func (s *Scope) CallJoin(name string, m Joiner, inputs ...*onnxbuild.Value) *onnxbuild.Value {
	return m.Forward(s.enter(name, m.Class()), inputs)
}

// CallShared applies a child module that several parents have in common, which counts as one.
func (s *Scope) CallShared(name string, m Module, x *onnxbuild.Value) *onnxbuild.Value {
	path, again := s.path+"."+name, s.model.submodules[m]
	s.visit(m, path, m.Class())
	return m.Forward(&Scope{Builder: s.childBuilder(name), path: path, name: name, class: m.Class(), shared: again, model: s.model}, x)
}

// CallItem applies the i-th module of a container, in the container's scope. Of an activation it is the one that a checkpoint has in
// that place: code is often copied with another.
func (s *Scope) CallItem(i int, m Module, x *onnxbuild.Value) *onnxbuild.Value {
	key := strconv.Itoa(i)
	if usual, ok := m.(*Activation); ok && s.ChildClass(key) != "" {
		m = Identity()
		if act := s.activation(key, usual); act != nil {
			m = act
		}
	}
	name := s.name + "." + key // as PyTorch's exporter names the scope
	return m.Forward(s.child(s.childBuilder(name), key, name, m.Class()), x)
}

var moduleListClass = Class{Path: "torch.nn.modules.container.ModuleList"}

// Items is the scope of a torch.nn.ModuleList, whose modules are applied with CallItem. It is never called itself, so that
// nodes are in no scope of its name: /m.0 in a ModuleList m, /m/m.0 in a Sequential.
func (s *Scope) Items(name string) *Scope { return s.child(s.Builder, name, name, &moduleListClass) }

// Param is a trained tensor of the module: an initializer under its state_dict path.
func (s *Scope) Param(name string, init Init, shape ...int64) *onnxbuild.Value {
	path := s.path + "." + name
	if v := s.model.params[path]; v != nil {
		return v
	}
	v := s.Buffer(name, init, shape...)
	s.model.params[path] = v
	if t := v.Const; t != nil && !s.shared {
		s.model.count.parameters += t.Len()
	}
	return v
}

// Buffer is a tensor of the module that is kept but not trained, such as a running mean.
func (s *Scope) Buffer(name string, init Init, shape ...int64) *onnxbuild.Value {
	path := s.path + "." + name
	if i := slices.IndexFunc(shape, func(n int64) bool { return n < 1 }); i >= 0 {
		s.Err("%s would have the shape %v: every size must be positive", name, shape)
		return &onnxbuild.Value{DType: onnxbuild.Float32, Shape: onnxbuild.ShapeOf(shape...)}
	}
	source, err := s.model.weights.Tensor(path, shape, init)
	if err != nil {
		s.Err("%w", err)
		return &onnxbuild.Value{DType: onnxbuild.Float32, Shape: onnxbuild.ShapeOf(shape...)}
	}
	return s.Initializer(path, &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: shape, Floats: source})
}

// warning says what a layer does that is probably a mistake.
type warning struct {
	code diag.Code
	text string
}

// Warn warns of what can be built but is probably a mistake.
func (s *Scope) Warn(code diag.Code, format string, args ...any) {
	s.model.warnings = append(s.model.warnings, warning{code, fmt.Sprintf(format, args...)})
}

// Origin says which layer gives a value, for messages.
func (s *Scope) Origin(v *onnxbuild.Value) string {
	if i, ok := s.model.origins[v]; ok {
		return "layer " + strconv.Itoa(i)
	}
	return "the image"
}

// WithMap is the shape of the given sizes followed by the height and width of x, for a Reshape.
func (s *Scope) WithMap(x *onnxbuild.Value, front ...int64) *onnxbuild.Value {
	if x.Refused() {
		return s.Ints("shape", append(front, -1, 1)...)
	}
	if sizes, ok := x.Shape[2:].Static(); ok {
		return s.Ints("shape", append(front, sizes...)...)
	}
	return s.Concat(0, s.Ints("shape", front...), s.Sizes(x, 2, 4))
}

// ExpectChannels checks that x has c channels, and says which module expected them.
func (s *Scope) ExpectChannels(x *onnxbuild.Value, c int) {
	if !x.Refused() && !x.Dim(1).Is(int64(c)) {
		s.Err("expected %d channels, got %s", c, x.Shape)
	}
}
