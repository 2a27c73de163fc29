package modules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/onnxbuild"
)

// Scope is where a module adds its nodes: a builder in the module's name scope, with the parameters under its
// state_dict path. It also keeps count of what PyTorch's model summary prints.
type Scope struct {
	onnxbuild.Builder
	path  string // "model.2.cv1"
	model *lowering
}

// lowering is what the scopes of one model share.
type lowering struct {
	weights    Weights
	height     onnxbuild.Dim // of the image
	params     map[string]*onnxbuild.Value
	submodules map[any]bool // paths, and pointers of modules that several parents share
	count      counts
	strides    []int64 // of the detection head's inputs
	warnings   []string
	settings   settings
	classes    int
}

// counts adds up what PyTorch's model summary prints.
type counts struct {
	modules    int
	parameters int64
	macs       int64 // multiply-accumulates, as the thop package counts them
	averages   int64 // those of macs that finish an average
}

// In is the scope of a submodule.
func (s *Scope) In(name string) *Scope {
	in := &Scope{Builder: s.Builder.In(name), path: s.path + "." + name, model: s.model}
	if s.path == "" {
		in.path = name
	}
	in.visit(in.path)
	return in
}

// At is the scope of the i-th submodule of a list.
func (s *Scope) At(i int) *Scope { return s.In(strconv.Itoa(i)) }

// Shared is the scope of a submodule that several parents have in common, which counts as one module.
func (s *Scope) Shared(name string, module any) *Scope {
	s.visit(module)
	return &Scope{Builder: s.Builder.In(name), path: s.path + "." + name, model: s.model}
}

// visit counts a submodule the first time.
func (s *Scope) visit(key any) {
	if !s.model.submodules[key] {
		s.model.submodules[key] = true
		s.model.count.modules++
	}
}

// Param is a trained tensor of the module: an initializer under its state_dict path.
func (s *Scope) Param(name string, init Init, shape ...int64) *onnxbuild.Value {
	path := s.path + "." + name
	if v := s.model.params[path]; v != nil {
		return v
	}
	v := s.Buffer(name, init, shape...)
	s.model.params[path] = v
	if t := v.Const; t != nil {
		s.model.count.parameters += t.Len()
	}
	return v
}

// Buffer is a tensor of the module that is kept but not trained, such as a running mean.
func (s *Scope) Buffer(name string, init Init, shape ...int64) *onnxbuild.Value {
	path := s.path + "." + name
	if i := slices.IndexFunc(shape, func(n int64) bool { return n < 1 }); i >= 0 {
		s.Err("%s would have the shape %v: every size has to be positive", name, shape)
		return &onnxbuild.Value{DType: onnxbuild.Float32, Shape: onnxbuild.ShapeOf(shape...)}
	}
	source, err := s.model.weights.Tensor(path, shape, init)
	if err != nil {
		s.Err("%w", err)
		return &onnxbuild.Value{DType: onnxbuild.Float32, Shape: onnxbuild.ShapeOf(shape...)}
	}
	return s.Initializer(path, &onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: shape, Floats: source})
}

// class is the Python class of a submodule, as far as a checkpoint tells.
func (s *Scope) class(submodule string) string {
	if t, ok := s.model.weights.(Trained); ok {
		return t.Class(s.path + "." + submodule)
	}
	return ""
}

// shape is that of a checkpoint's tensor of the module, if there is one.
func (s *Scope) shape(name string) ([]int64, bool) {
	t, ok := s.model.weights.(Trained)
	if !ok {
		return nil, false
	}
	return t.Shape(s.path + "." + name)
}

// has reports whether a checkpoint has a tensor of the module, false without a checkpoint.
func (s *Scope) has(name string) bool {
	_, ok := s.shape(name)
	return ok
}

// Warn notes what builds but is probably not meant.
func (s *Scope) Warn(format string, args ...any) {
	s.model.warnings = append(s.model.warnings, fmt.Sprintf(format, args...))
}

// countMACs adds n multiply-accumulates, where n is static: a model with open sizes has no such figure.
func (s *Scope) countMACs(n onnxbuild.Dim, times int64) {
	if k, ok := n.Static(); ok {
		s.model.count.macs += k * times
	}
}

// withMap is the shape of the given sizes followed by the height and width of x, for a Reshape.
func (s *Scope) withMap(x *onnxbuild.Value, front ...int64) *onnxbuild.Value {
	if x.Refused() {
		return s.Ints("shape", append(front, -1, 1)...)
	}
	if sizes, ok := x.Shape[2:].Static(); ok {
		return s.Ints("shape", append(front, sizes...)...)
	}
	return s.Concat(0, s.Ints("shape", front...), s.Sizes(x, 2, 4))
}

// chans checks that x has c channels, and says which module expected them.
func (s *Scope) chans(x *onnxbuild.Value, c int) {
	if !x.Refused() && !x.Dim(1).Is(int64(c)) {
		s.Err("expected %d channels, got %s", c, x.Shape)
	}
}

// layerName is the state_dict path of a row.
func layerName(i int) string { return "model." + strconv.Itoa(i) }

// className is the last part of a Python class path.
func className(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
