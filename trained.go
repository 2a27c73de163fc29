package ysc2onnx

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"ysc2onnx/checkpoint"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/weights"
	"ysc2onnx/yamlcfg"
)

// trained is a checkpoint's model: its tensors by state_dict name, and its modules by path. It implements
// [modules.Trained], and keeps account of what was asked for and what was not there.
type trained struct {
	name    string // the file's, for messages
	root    *checkpoint.Module
	tensors map[string]*checkpoint.Tensor
	modules map[string]*checkpoint.Module
	used    map[string]bool
	wrong   []string // what was asked for and is missing or has another shape
}

// openTrained reads a checkpoint's directory and values; its tensors stay in the file.
func openTrained(name string, r io.ReaderAt, size int64) (*trained, error) {
	f, err := checkpoint.Open(r, size, checkpoint.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	root, err := f.Model()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &trained{name: name, root: root, tensors: map[string]*checkpoint.Tensor{}, modules: map[string]*checkpoint.Module{}}
	for _, tensor := range root.StateDict() {
		t.tensors[tensor.Name] = tensor
	}
	t.index(root)
	t.begin()
	if err := t.flavour(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *trained) index(m *checkpoint.Module) {
	t.modules[m.Path] = m
	for _, c := range m.Children {
		t.index(c.Module)
	}
}

// flavour refuses the ScConv that are not lowered, by their parameters' names.
func (t *trained) flavour() error {
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		if strings.HasSuffix(name, ".SRU.gn.weight") {
			what := "normmask (a GroupBatchnorm2d with weight and bias)"
			if len(t.tensors[name].Shape) == 1 {
				what = "where (an nn.GroupNorm)"
			}
			return fmt.Errorf("%s: %s is of ScConv's flavour %s, which is not converted yet: only softmax is, with SRU.gn.gamma", t.name, name, what)
		}
	}
	return nil
}

// warn says what the checkpoint leaves open: its ScConv may be of either flavour that has these parameters.
func (t *trained) warn(diags *yamlcfg.Diagnostics) {
	for name := range t.tensors {
		if strings.HasSuffix(name, ".SRU.gn.gamma") {
			diags.Warnf(yamlcfg.Span{}, "%s does not tell the formula of its ScConv: softmax(gamma) is taken, as in the YOLOv5 tutorial; "+
				"of the author's first release, gamma / sum(gamma), the numbers would be wrong: compare with verify/parity.py", t.name)
			return
		}
	}
}

// begin forgets what was asked for, so that a model can be lowered once more.
func (t *trained) begin() { t.used, t.wrong = map[string]bool{}, nil }

// Tensor implements [modules.Weights]. What is not as it should be is kept for [trained.complete], so that one run
// reports all of it.
func (t *trained) Tensor(name string, shape []int64, _ modules.Init) (onnxbuild.FloatSource, error) {
	t.used[name] = true
	tensor := t.tensors[name]
	switch {
	case tensor == nil:
		text := fmt.Sprintf("%s %v is missing", name, shape)
		if near, ok := yamlcfg.Suggest(name, t.layer(name)); ok {
			text += ", the nearest is " + near
		}
		t.wrong = append(t.wrong, text)
	case !slices.Equal(tensor.Shape, shape):
		t.wrong = append(t.wrong, fmt.Sprintf("%s is %v, expected %v", name, tensor.Shape, shape))
	case !tensor.DType.IsFloat():
		t.wrong = append(t.wrong, fmt.Sprintf("%s holds %s, expected floating point numbers", name, tensor.DType))
	default:
		return tensor, nil
	}
	return weights.Constant(0), nil // never written: complete refuses the model
}

// layer lists the tensors of the layer that a name belongs to.
func (t *trained) layer(name string) []string {
	parts := strings.SplitN(name, ".", 3)
	prefix := strings.Join(parts[:min(2, len(parts))], ".") + "."
	return slices.DeleteFunc(slices.Sorted(maps.Keys(t.tensors)), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

// Shape implements [modules.Trained].
func (t *trained) Shape(name string) ([]int64, bool) {
	tensor := t.tensors[name]
	if tensor == nil {
		return nil, false
	}
	return tensor.Shape, true
}

// Numbers implements [modules.Trained].
func (t *trained) Numbers(path, attribute string) []float64 {
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

// Class implements [modules.Trained].
func (t *trained) Class(path string) string {
	if m := t.modules[path]; m != nil && m.Class != (checkpoint.Global{}) {
		return m.Class.String()
	}
	return ""
}

// inert reports whether a tensor has no part in what a trained model computes: the count of batches seen, and the
// anchors in pixels that releases before 6.1 kept beside the anchors in strides that they follow from.
func inert(name string) bool {
	return strings.HasSuffix(name, ".num_batches_tracked") || strings.HasSuffix(name, ".anchor_grid")
}

// maxListed is how many tensors an error lists.
const maxListed = 20

// complete is the error that lists each tensor that is missing, has another shape, or is not used by the model.
func (t *trained) complete() error {
	wrong := t.wrong
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		if !t.used[name] && !inert(name) {
			wrong = append(wrong, fmt.Sprintf("%s %v is not used by the model", name, t.tensors[name].Shape))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	more := ""
	if n := len(wrong) - maxListed; n > 0 {
		wrong, more = wrong[:maxListed], fmt.Sprintf("\n  and %d more", n)
	}
	return fmt.Errorf("%s: the tensors are not those of the model:\n  %s%s", t.name, strings.Join(wrong, "\n  "), more)
}

// yaml is the model YAML that the checkpoint carries, as text.
func (t *trained) yaml() (string, error) {
	v, _ := t.root.Attr("yaml")
	dict, ok := v.(*checkpoint.Dict)
	if !ok {
		return "", fmt.Errorf("%s carries no model YAML: give the one that it was trained from as well", t.name)
	}
	const maxValue = 1 << 20
	var text strings.Builder
	for _, key := range []string{"nc", "depth_multiple", "width_multiple", "channel_multiple", "ch", "activation", "anchors"} {
		if v, ok := dict.Get(key); ok {
			fmt.Fprintf(&text, "%s: %s\n", key, checkpoint.Repr(v, maxValue))
		}
	}
	for _, section := range []string{"backbone", "head"} {
		v, _ := dict.Get(section)
		rows, ok := checkpoint.AsSlice(v)
		if !ok {
			return "", fmt.Errorf("%s: its model YAML has no list %q", t.name, section)
		}
		fmt.Fprintf(&text, "%s:\n", section)
		for _, row := range rows {
			fmt.Fprintf(&text, "  - %s\n", checkpoint.Repr(row, maxValue))
		}
	}
	return text.String(), nil
}

// names is the model's class names as a Python dict literal, "" where the checkpoint has none.
func (t *trained) names() string {
	const maxNames = 1 << 24
	v, _ := t.root.Attr("names")
	if dict, ok := v.(*checkpoint.Dict); ok {
		return checkpoint.Repr(dict, maxNames)
	}
	list, ok := checkpoint.AsSlice(v)
	if !ok {
		return ""
	}
	parts := make([]string, len(list))
	for i, name := range list {
		parts[i] = fmt.Sprintf("%d: %s", i, checkpoint.Repr(name, maxNames))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// sameClasses compares the class of each layer that the checkpoint has with the one that the YAML names.
func (t *trained) sameClasses(s *modules.Summary) error {
	var wrong []error
	for _, row := range s.Rows {
		class := t.Class(fmt.Sprintf("model.%d", row.Index))
		got, want := lastPart(class), lastPart(row.Module)
		if class != "" && got != want && (got != "Sequential" || row.N < 2) {
			wrong = append(wrong, fmt.Errorf("%s: layer %d is %s, the YAML says %s", t.name, row.Index, class, row.Module))
		}
	}
	return errors.Join(wrong...)
}

// lastPart is a Python name without its module.
func lastPart(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
