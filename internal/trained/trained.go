package trained

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
	"ysc2onnx/yamlcfg"
)

// Model is a checkpoint's model: its tensors by state_dict name, and its modules by path. It implements
// [modules.Trained], and records what was asked for and what was missing.
type Model struct {
	Alone  bool // there is no YAML beside it: its own is used
	Strict bool // reading an element that is not a finite number is an error

	name    string // the file's, for messages
	root    *checkpoint.Module
	tensors map[string]*watched
	modules map[string]*checkpoint.Module
	used    map[string]bool
	wrong   []string // what was asked for and is missing or has another shape
	notes   []string // what the checkpoint decided
	assumed []string // what it does not tell

	classNames []checkpoint.Entry // by the classes' numbers; nil where it does not tell

	dangerous   string // what Python could run of its pickle, "" for nothing
	openFormula bool   // it does not tell the formula of its ScConv, and nobody named it
}

// Open reads a checkpoint's directory and values; its tensors stay in the file.
func Open(name string, r io.ReaderAt, size int64) (*Model, error) {
	f, err := checkpoint.Open(r, size, checkpoint.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	dangerous := dangerousNames(f)
	root, err := f.Model()
	switch {
	case err != nil && dangerous != "":
		return nil, fmt.Errorf("%s: %w; %s", name, err, dangerous)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &Model{name: name, dangerous: dangerous, root: root, tensors: map[string]*watched{}, modules: map[string]*checkpoint.Module{}}
	for _, tensor := range root.StateDict() {
		t.tensors[tensor.Name] = &watched{Tensor: tensor, owner: t}
	}
	t.index(root)
	t.StartLowering()
	if err := t.readNames(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (t *Model) index(m *checkpoint.Module) {
	t.modules[m.Path] = m
	for _, c := range m.Children {
		t.index(c.Module)
	}
}

// Check says what the checkpoint decided and left open about a model, which is nil where it could not be built, and compares
// the checkpoint's tensors with the model's.
func (t *Model) Check(ctx context.Context, lowered *modules.Model, cfg *yamlcfg.Model, diags *diag.Diagnostics) error {
	t.warnDangerous(diags)
	t.noteAround(diags)
	if lowered == nil {
		return nil
	}
	if err := t.warnScConv(ctx, lowered.Choices, diags); err != nil {
		return err
	}
	if unknown := lowered.UnknownParts(); len(unknown) > 0 && !diags.HasErrors() {
		return t.unknownPartsError(unknown)
	}
	wrong := t.mismatches()
	switch {
	case len(wrong) == 0:
		t.noteDecisions(lowered, cfg, diags)
	case diags.HasErrors(): // in rows; these are their consequence
		i := slices.IndexFunc(diags.List, func(d *diag.Diagnostic) bool { return d.Severity == diag.Error })
		diags.List[i].AddNote(diag.Span{}, "for this and other differences of the rows, %s do not fit", english.Plural(len(wrong), "tensor", ""))
	default:
		return t.mismatchError(wrong)
	}
	return nil
}

// StateDict is all tensors, in the order of the checkpoint.
func (t *Model) StateDict() []*checkpoint.Tensor { return t.root.StateDict() }

// StartLowering forgets what was asked for, so that a model can be lowered once more.
func (t *Model) StartLowering() { t.used, t.wrong = map[string]bool{}, nil }

// Tensor implements [modules.Weights]. What does not fit is kept for [Model.mismatches], so that one run reports all of it.
func (t *Model) Tensor(name string, shape []int64, _ modules.Init) (onnxbuild.FloatSource, error) {
	t.used[name] = true
	tensor := t.tensors[name]
	product, isMasked := t.masked(name)
	if isMasked {
		t.used[name+original], t.used[name+mask] = true, true
		tensor = product.original
	}
	switch {
	case tensor == nil && t.tensors[name+"_g"] != nil && t.tensors[name+"_v"] != nil:
		t.wrong = append(t.wrong, fmt.Sprintf("%s is kept as %[1]s_g and %[1]s_v; torch.nn.utils.remove_weight_norm makes one tensor of them", name))
	case tensor == nil:
		text := fmt.Sprintf("%s %v is missing", name, shape)
		if near, ok := diag.Suggest(name, t.layer(name)); ok {
			text += ", the nearest is " + near
		}
		t.wrong = append(t.wrong, text)
	case !slices.Equal(tensor.Shape, shape):
		t.wrong = append(t.wrong, fmt.Sprintf("%s is %v, expected %v", name, tensor.Shape, shape))
	case !tensor.DType.IsFloat():
		t.wrong = append(t.wrong, fmt.Sprintf("%s holds %s, expected floating point numbers", name, tensor.DType))
	case isMasked:
		return product, nil
	default:
		return tensor, nil
	}
	return weights.Constant(0), nil // never written: mismatchError refuses the model
}

// layer lists the tensors of the layer that a name belongs to.
func (t *Model) layer(name string) []string {
	parts := strings.SplitN(name, ".", 3)
	prefix := strings.Join(parts[:min(2, len(parts))], ".") + "."
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.tensors)), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

// Shape implements [modules.Trained].
func (t *Model) Shape(name string) ([]int64, bool) {
	if product, ok := t.masked(name); ok {
		return product.original.Shape, true
	}
	tensor := t.tensors[name]
	if tensor == nil {
		return nil, false
	}
	return tensor.Shape, true
}

// Integers implements [modules.Trained]. A tensor of floating point numbers, as some programs write all of them, may hold integers.
func (t *Model) Integers(name string, count int) ([]int64, error) {
	tensor := t.tensors[name]
	if tensor == nil {
		return nil, nil
	}
	t.used[name] = true
	if tensor.Numel() != int64(count) {
		return nil, fmt.Errorf("%s is %v, expected %d integers", name, tensor.Shape, count)
	}
	integers := make([]int64, count)
	if !tensor.DType.IsFloat() {
		if err := tensor.ReadInts(integers, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return integers, nil
	}
	floats := make([]float32, count)
	if err := tensor.ReadFloats(floats, 0); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for i, x := range floats {
		if integers[i] = int64(x); float32(integers[i]) != x {
			return nil, fmt.Errorf("%s holds %g, expected integers", name, x)
		}
	}
	return integers, nil
}

// Numbers is a numeric attribute of the module at a path, or those of a list; nil where there is none.
func (t *Model) Numbers(path, attribute string) []float64 {
	m := t.modules[path]
	if m == nil {
		return nil
	}
	v, _ := m.Attr(attribute)
	items, ok := checkpoint.AsSlice(v)
	if !ok {
		items = []checkpoint.Value{v}
	}
	numbers := make([]float64, len(items))
	for i, item := range items {
		if numbers[i], ok = checkpoint.AsFloat(item); !ok {
			return nil
		}
	}
	return numbers
}

// Class gives the Python class of the module at a path, "" where it is not known.
func (t *Model) Class(path string) string {
	if m := t.modules[path]; m != nil && m.Class != (checkpoint.Global{}) {
		return m.Class.String()
	}
	return ""
}

// Module implements [modules.Trained].
func (t *Model) Module(path string) modules.TrainedModule {
	if m := t.modules[path]; m != nil {
		return trainedModule{t, m}
	}
	return nil
}

// trainedModule is a module of a checkpoint as package modules asks for it.
type trainedModule struct {
	owner *Model
	*checkpoint.Module
}

// Class implements [modules.TrainedModule].
func (m trainedModule) Class() string { return m.owner.Class(m.Path) }

// Children implements [modules.TrainedModule].
func (m trainedModule) Children() []string {
	names := make([]string, len(m.Module.Children))
	for i, c := range m.Module.Children {
		names[i] = c.Name
	}
	return names
}

// Tensors implements [modules.TrainedModule].
func (m trainedModule) Tensors() []string {
	var names []string
	for _, tensor := range m.StateDict() {
		names = append(names, strings.TrimPrefix(tensor.Name, m.Path+"."))
	}
	return names
}

// Attributes implements [modules.TrainedModule].
func (m trainedModule) Attributes() []string {
	var names []string
	for _, e := range m.Attrs.Entries {
		if name, ok := checkpoint.AsString(e.Key); ok && e.Value != checkpoint.Value(checkpoint.None{}) && !m.followsMask(name) {
			names = append(names, name)
		}
	}
	return names
}

// Numbers implements [modules.TrainedModule].
func (m trainedModule) Numbers(attribute string) []float64 { return m.owner.Numbers(m.Path, attribute) }

// Text implements [modules.TrainedModule].
func (m trainedModule) Text(attribute string) (string, bool) {
	v, _ := m.Attr(attribute)
	return checkpoint.AsString(v)
}

// Show implements [modules.TrainedModule].
func (m trainedModule) Show(attribute string) string {
	v, _ := m.Attr(attribute)
	return checkpoint.Repr(v, maxShown)
}

// unknownPartsError lists the parts of the checkpoint's model that are not converted, and the tensors that do not fit for
// other reasons.
func (t *Model) unknownPartsError(unknown []modules.UnknownPart) error {
	list := make([]string, len(unknown))
	for i, s := range unknown {
		list[i] = s.Path + " " + s.Text
	}
	for _, wrong := range t.mismatches() {
		inside := func(s modules.UnknownPart) bool { return strings.HasPrefix(wrong, s.Path+".") }
		if !slices.ContainsFunc(unknown, inside) {
			list = append(list, wrong)
		}
	}
	return fmt.Errorf("%s: the model is made of modules that are not converted:\n  %s", t.name, shortened(list))
}

// shortened is a list of lines for an error, which shows the first ones.
func shortened(list []string) string {
	more := ""
	if n := len(list) - maxListed; n > 0 {
		list, more = list[:maxListed], fmt.Sprintf("\n  and %d more", n)
	}
	return strings.Join(list, "\n  ") + more
}

// inert reports whether a tensor has no part in what a trained model computes: the count of batches seen, and the
// anchors in pixels that releases before 6.1 kept beside the anchors in strides that they follow from.
func inert(name string) bool {
	return strings.HasSuffix(name, ".num_batches_tracked") || strings.HasSuffix(name, ".anchor_grid") || counter(name)
}

// counter reports whether a tensor is one in which the package thop counted operations, and left it.
func counter(name string) bool {
	last := lastPart(name)
	return last == "total_ops" || last == "total_params"
}

// maxListed is how many tensors an error lists.
const maxListed = 20

// mismatches lists each tensor that is missing, has another shape, or is not used by the model.
func (t *Model) mismatches() []string {
	wrong := t.wrong
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		if !t.used[name] && !inert(name) {
			wrong = append(wrong, fmt.Sprintf("%s %v is not used by the model", name, t.tensors[name].Shape))
		}
	}
	return wrong
}

// mismatchError lists mismatches.
func (t *Model) mismatchError(wrong []string) error {
	return fmt.Errorf("%s: the tensors are not those of the model:\n  %s", t.name, shortened(wrong))
}
