package trained

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
)

// Override reads a YAML with the checkpoint's values in place of the YAML's where it decides: the number of classes and
// of anchors. It adds what differs to the diagnostics. The last result is the YAML that the checkpoint has of itself, nil if none.
func (t *Model) Override(cfg *yamlcfg.Model, diags *diag.Diagnostics) (*yamlcfg.Model, *diag.Diagnostics, *yamlcfg.Model) {
	wins := yamlcfg.Overrides{NC: t.classes(), Anchors: t.anchors()}
	nc, anchors := cfg.NC, cfg.Anchors.NumAnchors()
	differ := wins.NC > 0 && nc > 0 && nc != wins.NC
	more := wins.Anchors > 0 && anchors > 0 && anchors != wins.Anchors
	if differ || more {
		again, found := yamlcfg.ParseWith(cfg.Source.Name, bytes.NewReader(cfg.Source.Text), wins)
		if again != nil {
			cfg, diags = again, found
		}
	}
	switch {
	case differ && t.namedClasses() == 0 && modules.MoreColumns(wins.NC-nc) != "":
		diags.Errorf(cfg.NCSpan, "nc is %d here, and the head of %s has the columns of %d classes, or of %d and of %s; its tensors do not tell. "+
			"Give the checkpoint that holds the whole model or, if they are classes, set nc to %d", nc, t.name, wins.NC, nc, modules.MoreColumns(wins.NC-nc), wins.NC)
	case differ:
		diags.Infof(cfg.NCSpan, "nc is %d here, and %s was trained with %d, which counts", nc, t.name, wins.NC)
	}
	if more {
		diags.Infof(cfg.Anchors.Value.Span, "there are %d anchors an output here, and %s has %d, which count", anchors, t.name, wins.Anchors)
	}
	if t.Alone {
		return cfg, diags, cfg
	}
	text, err := t.YAML(false)
	if err != nil {
		return cfg, diags, nil
	}
	carried, found := yamlcfg.ParseWith(t.name, strings.NewReader(text), wins)
	if found.HasErrors() {
		carried = nil
	}
	return cfg, diags, carried
}

// CompareRows parses the YAML that the checkpoint has of itself, nil if none, and compares the rows with the model's.
func (t *Model) CompareRows(net *modules.Network, carried *yamlcfg.Model, opt modules.ParseOptions, diags *diag.Diagnostics) {
	switch carried {
	case nil:
		t.agree(net, nil, diags)
	case net.Config:
		t.agree(net, net, diags)
	default:
		own, _ := modules.Parse(carried, opt)
		t.agree(net, own, diags)
	}
}

// detect is the path of the detection head, the last layer that has anchors; "" where there is none.
func (t *Model) detect() string {
	rows := t.root.Child("model")
	if rows == nil {
		return ""
	}
	last, path := -1, ""
	for _, c := range rows.Children {
		if i, err := strconv.Atoi(c.Name); err == nil && i > last && c.Module.Tensor("anchors") != nil {
			last, path = i, c.Module.Path
		}
	}
	return path
}

// classes is the number of classes that the model was trained with, 0 where nothing tells.
func (t *Model) classes() int {
	if nc := t.namedClasses(); nc > 0 {
		return nc
	}
	head := t.detect()
	bias, _ := t.Shape(head + ".m.0.bias")
	if na := int64(t.anchors()); len(bias) == 1 && na > 0 && bias[0]%na == 0 && bias[0]/na > 5 && bias[0]/na-5 <= yamlcfg.MaxClasses {
		return int(bias[0]/na - 5)
	}
	return 0
}

// namedClasses is the number of classes that the checkpoint has as such, 0 where its tensors alone tell.
func (t *Model) namedClasses() int {
	if head := t.classifier(); head != "" { // training for other data changes the map, and leaves nc
		shape, _ := t.Shape(head + ".linear.weight")
		return int(min(shape[0], yamlcfg.MaxClasses))
	}
	for _, path := range []string{t.detect(), ""} {
		if nc := t.Numbers(path, "nc"); len(nc) == 1 && nc[0] >= 1 && nc[0] <= yamlcfg.MaxClasses && nc[0] == float64(int(nc[0])) {
			return int(nc[0])
		}
	}
	return 0
}

// anchors is the number of anchors of each output, 0 where nothing tells.
func (t *Model) anchors() int {
	shape, _ := t.Shape(t.detect() + ".anchors")
	if len(shape) != 3 || shape[1] < 1 || shape[1] > yamlcfg.MaxAnchors {
		return 0
	}
	return int(shape[1])
}

// Strides are those that the checkpoint has, in the place of the ones that the layers give where they are as many.
func (t *Model) Strides(computed []int64) []int64 {
	if len(computed) == 0 {
		return computed
	}
	for _, path := range []string{t.detect(), ""} {
		own := t.wholeNumbers(path, "stride")
		if len(own) > 0 && t.classifier() != "" { // those of the detector that it was cut from, of which the largest counts
			return []int64{slices.Max(own)}
		}
		if len(own) != len(computed) {
			continue
		}
		if !slices.Equal(own, computed) {
			t.notes = append(t.notes, fmt.Sprintf("the layers of %s give the strides %v, and it was trained with %v, which count", t.name, computed, own))
		}
		return own
	}
	t.assumed = append(t.assumed, fmt.Sprintf("the strides, taken as the layers give them, %v", computed))
	return computed
}

// wholeNumbers are those of an attribute that is a list or a small tensor of sizes in pixels.
func (t *Model) wholeNumbers(path, attribute string) []int64 {
	numbers := t.Numbers(path, attribute)
	if m := t.modules[path]; m != nil && numbers == nil {
		v, _ := m.Attr(attribute)
		if tensor, ok := checkpoint.AsTensor(v); ok && tensor.Numel() <= yamlcfg.MaxAnchors {
			values, err := tensor.Floats()
			if err != nil {
				return nil
			}
			for _, x := range values {
				numbers = append(numbers, float64(x))
			}
		}
	}
	var whole []int64
	for _, x := range numbers {
		if x != float64(int64(x)) || x < 1 || x > maxStride {
			return nil
		}
		whole = append(whole, int64(x))
	}
	return whole
}

// ClassNames is the model's class names as a Python dict literal, "" where the checkpoint has none.
func (t *Model) ClassNames() string {
	if t.classNames == nil {
		return ""
	}
	parts := make([]string, len(t.classNames))
	for i, e := range t.classNames {
		parts[i] = checkpoint.Repr(e.Key, maxNames) + ": " + checkpoint.Repr(e.Value, maxNames)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// maxNames bounds the text of the names of the classes.
const maxNames = 4 << 20

// readNames takes the names of the classes by their numbers, none where the checkpoint has none. They must be plain text and
// numbers, because readers of YOLOv5's files evaluate them as Python. A name that is not a text, such as an unquoted 1 or
// yes in a data set's YAML, becomes the text that detect.py prints.
func (t *Model) readNames() error {
	v, _ := t.root.Attr("names")
	var names []checkpoint.Entry
	if dict, ok := v.(*checkpoint.Dict); ok {
		names = slices.Clone(dict.Entries)
	} else if list, ok := checkpoint.AsSlice(v); ok {
		names = make([]checkpoint.Entry, len(list))
		for i, name := range list {
			names[i] = checkpoint.Entry{Key: checkpoint.Int(i), Value: name}
		}
	}
	if checkpoint.TextSize(v, maxNames) == maxNames {
		return fmt.Errorf("the names of its classes take more than %d bytes", maxNames)
	}
	for i, e := range names {
		if !isPlain(e.Key) || !isPlain(e.Value) {
			return fmt.Errorf("the name of its class %s is %s, which is neither a text nor a number",
				checkpoint.Repr(e.Key, maxShown), checkpoint.Repr(e.Value, maxShown))
		}
		if _, isText := checkpoint.AsString(e.Value); !isText {
			names[i].Value = checkpoint.Str(checkpoint.Repr(e.Value, maxShown))
		}
	}
	t.classNames = names
	return nil
}

// maxShown is how many bytes of a wrong value an error shows.
const maxShown = 80

// isPlain reports whether a value's text is a literal of Python.
func isPlain(v checkpoint.Value) bool {
	switch v := v.(type) {
	case checkpoint.Str, checkpoint.Int, checkpoint.Boolean, checkpoint.None:
		return true
	case checkpoint.Float:
		return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
	}
	return false
}

// noteDecisions adds what the checkpoint decided, and what it did not tell: a note for each kind of difference, and
// one for all that was assumed.
func (t *Model) noteDecisions(m *modules.Model, cfg *yamlcfg.Model, diags *diag.Diagnostics) {
	for _, note := range t.notes {
		diags.Infof(diag.Span{}, "%s", note)
	}
	if n := t.count(counter); n > 0 {
		diags.Infof(diag.Span{}, "%s has %s named total_ops and total_params, in which thop counted operations; they are left out", t.name, english.Plural(n, "tensor", ""))
	}
	if n := t.count(func(name string) bool { return strings.HasSuffix(name, mask) && t.used[name] }); n > 0 {
		diags.Infof(diag.Span{}, "%s masks %s with torch.nn.utils.prune; what is masked is 0", t.name, english.Plural(n, "parameter", ""))
	}
	if m.Pruned > 0 {
		diags.Infof(diag.Span{}, "%s was pruned: the channels of %s are those of its tensors, not the YAML's", t.name, english.Plural(m.Pruned, "convolution", ""))
	}
	if n := len(t.classNames); n > 0 && n != m.Summary.Classes {
		diags.Infof(diag.Span{}, "%s names %d classes and detects %d; the names are written as they are", t.name, n, m.Summary.Classes)
	}
	assumed := t.assumed
	var kinds []string
	differences := map[string][]string{}
	for _, s := range m.Settings {
		kind := s.Module + "." + s.Attribute
		if s.Instead == "" {
			assumed = append(assumed, fmt.Sprintf("%s, taken as %s in %s", kind, s.Value, english.Plural(s.Modules, "module", "")))
			continue
		}
		if differences[kind] == nil {
			kinds = append(kinds, kind)
		}
		differences[kind] = append(differences[kind], fmt.Sprintf("%s instead of %s in %s", s.Value, s.Instead, english.Plural(s.Modules, "module", "")))
	}
	for _, kind := range kinds {
		span := diag.Span{}
		switch {
		case t.Alone:
		case kind == "Detect.anchors":
			span = cfg.Anchors.Value.Span
		case kind == "Conv.act":
			span = cfg.ActivationSpan
		}
		diags.Infof(span, "%s has %s %s, which counts", t.name, kind, strings.Join(differences[kind], ", "))
	}
	if t.ClassNames() == "" && len(cfg.Names) == 0 {
		assumed = append(assumed, fmt.Sprintf("the names of the classes, taken as 0 to %d", m.Summary.Classes-1))
	}
	if len(assumed) > 0 {
		diags.Infof(diag.Span{}, "%s does not tell %s", t.name, strings.Join(assumed, "; "))
	}
}

// count is how many tensors have such a name.
func (t *Model) count(is func(name string) bool) int {
	n := 0
	for name := range t.tensors {
		if is(name) {
			n++
		}
	}
	return n
}

// maxStride bounds strides, and sizes of anchors, in pixels.
const maxStride = 1 << 14
