package inspect

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/checkpoint"
)

// Checkpoint looks into a .pt, .pth or .safetensors file of the given size. Errors do not name the file. A checkpoint
// without a model in it is an error, as in [checkpoint.File.Model].
func Checkpoint(ctx context.Context, r io.ReaderAt, size int64, opt Options) (*Report, error) {
	f, err := checkpoint.Open(r, size, checkpoint.Limits{})
	if err != nil {
		return nil, err
	}
	root, noModel := f.Model()
	if noModel != nil {
		root = &checkpoint.Module{} // the names in the pickle are worth seeing all the same
	}
	rep := &Report{Kind: string(f.Format), Bytes: size, Writer: writer(root.Class), Properties: properties(f)}
	rep.judge(f)
	if noModel != nil {
		rep.Properties = append(rep.Properties, Property{"no model", noModel.Error()})
	}
	if root.Class != (checkpoint.Global{}) {
		rep.Model = root.Class.String()
	}
	if len(root.Around) > 0 {
		rep.Properties = append(rep.Properties, Property{"inside of", strings.Join(root.Around, ", ")})
	}
	if root.Before != "" {
		rep.Properties = append(rep.Properties, Property{"names without", root.Before})
	}
	rep.Layers, rep.Classes, rep.Parameters = layers(root), classes(root), parameters(root)
	if rep.Strides, rep.Anchors, err = detection(root); err != nil {
		return nil, err
	}
	if rep.Damaged, err = f.Damaged(ctx); err != nil {
		return nil, err
	}
	for _, g := range f.Globals() {
		rep.Globals = append(rep.Globals, Global{g.String(), g.Risk.String(), g.Named, g.Calls})
	}
	tensors := root.StateDict()
	total := int64(0)
	for _, t := range tensors {
		total += t.Numel() * t.DType.Size()
	}
	s := newScanner(size, total, opt)
	for _, t := range tensors {
		out := Tensor{Name: t.Name, DType: string(t.DType), Shape: t.Shape}
		if out.Statistics, out.Unread, err = s.scan(ctx, t.Numel(), t.DType.Size(), t.ReadFloats); err != nil {
			return nil, err
		}
		rep.Tensors = append(rep.Tensors, out)
	}
	return rep, nil
}

// writer is the program that a model's class is of.
func writer(class checkpoint.Global) string {
	switch name := class.String(); {
	case name == "models.yolo.Model":
		return "YOLOv5 before 6.2, or a program with the same class"
	case strings.HasPrefix(name, "models.yolo."):
		return "YOLOv5 6.2 or later, or a program with the same class"
	case strings.HasPrefix(name, "ultralytics."):
		return "Ultralytics"
	}
	return ""
}

// longest is how many bytes of a saved value are shown.
const longest = 500

// properties lists what was saved beside the model.
func properties(f *checkpoint.File) []Property {
	var out []Property
	if f.Format == checkpoint.Safetensors {
		for _, e := range f.Metadata {
			name, _ := checkpoint.AsString(e.Key)
			value, _ := checkpoint.AsString(e.Value)
			if name == checkpoint.DescriptionKey {
				value = fmt.Sprintf("%d bytes that describe the model: its YAML, names, and modules' attributes", len(value))
			}
			out = append(out, Property{name, value})
		}
		return out
	}
	out = append(out, Property{"format version", f.Version}, Property{"archive", f.Root})
	d, ok := f.Value.(*checkpoint.Dict)
	if !ok {
		return out
	}
	for _, e := range d.Entries {
		name, ok := checkpoint.AsString(e.Key)
		switch v := e.Value.(type) {
		case *checkpoint.Tensor: // a state_dict's own
		case *checkpoint.Object: // a model: its class says what it is
			if ok {
				out = append(out, Property{name, "an object of the class " + v.Class.String()})
			}
		default:
			if ok {
				out = append(out, Property{name, checkpoint.Repr(v, longest)})
			}
		}
	}
	return out
}

// parameters counts the elements of a module's parameters.
func parameters(m *checkpoint.Module) int64 {
	n := int64(0)
	for _, p := range m.Params {
		n += p.Tensor.Numel()
	}
	for _, c := range m.Children {
		n += parameters(c.Module)
	}
	return n
}

// layers are the rows of the model, which are parts of a Sequential by their numbers.
func layers(root *checkpoint.Module) []Layer {
	rows := root.Child("model")
	if rows == nil {
		return nil
	}
	var out []Layer
	for _, c := range rows.Children {
		index, err := strconv.Atoi(c.Name)
		if err != nil {
			return nil
		}
		layer := Layer{Index: index, Parameters: parameters(c.Module)}
		if from, ok := c.Module.Attr("f"); ok {
			layer.From = checkpoint.Repr(from, longest)
		}
		if c.Module.Class != (checkpoint.Global{}) {
			layer.Type = c.Module.Class.String()
		}
		if name, ok := c.Module.Attr("type"); ok { // a row that repeats a module is a Sequential of them
			if text, ok := checkpoint.AsString(name); ok && len(text) <= longest {
				layer.Type = text
			}
		}
		out = append(out, layer)
	}
	// Modules that have no tensors, which a safetensors file describes, come behind the others.
	slices.SortStableFunc(out, func(a, b Layer) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// maxNames bounds the text of the names of the classes.
const maxNames = 4 << 20

// classes are the names of the classes, by number; nil where there are none or they are too long, as a file may name the
// same text many times.
func classes(root *checkpoint.Module) []string {
	v, _ := root.Attr("names")
	if checkpoint.TextSize(v, maxNames) == maxNames {
		return nil
	}
	names, ok := checkpoint.AsSlice(v)
	if d, isDict := v.(*checkpoint.Dict); isDict {
		ok = true
		for _, e := range d.Entries {
			names = append(names, e.Value)
		}
	}
	if !ok {
		return nil
	}
	var out []string
	for _, name := range names {
		text, ok := checkpoint.AsString(name)
		if !ok {
			text = checkpoint.Repr(name, longest)
		}
		out = append(out, text)
	}
	return out
}

// maxAnchors bounds the numbers of anchors and strides that are read at once.
const maxAnchors = 1 << 10

// detection gives the strides of the model's levels, and the anchors, which the model keeps in units of them.
func detection(root *checkpoint.Module) (strides []float32, anchors [][][2]float32, err error) {
	v, _ := root.Attr("stride")
	if t, ok := checkpoint.AsTensor(v); ok && t.Numel() <= maxAnchors {
		strides, err = t.Floats()
	} else if list, ok := checkpoint.AsSlice(v); ok && len(list) <= maxAnchors { // of a description
		for _, item := range list {
			x, _ := checkpoint.AsFloat(item)
			strides = append(strides, float32(x))
		}
	}
	if len(strides) == 0 || err != nil || !allFinite(strides) {
		return nil, nil, err
	}
	rows := root.Child("model")
	if rows == nil {
		return strides, nil, nil
	}
	var a *checkpoint.Tensor // of the head, the last that has any
	for _, c := range rows.Children {
		if t := c.Module.Tensor("anchors"); t != nil {
			a = t
		}
	}
	if a == nil || len(a.Shape) != 3 || a.Shape[0] != int64(len(strides)) || a.Shape[2] != 2 || a.Numel() > maxAnchors {
		return strides, nil, nil
	}
	sizes, err := a.Floats()
	if err != nil || !allFinite(sizes) {
		return strides, nil, err
	}
	for _, stride := range strides {
		var level [][2]float32
		for range a.Shape[1] {
			level = append(level, [2]float32{sizes[0] * stride, sizes[1] * stride})
			sizes = sizes[2:]
		}
		anchors = append(anchors, level)
	}
	return strides, anchors, nil
}

func allFinite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}
