package modules

import (
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/diag"
)

// maxTree is how many modules of an unknown class are shown.
const maxTree = 24

// describeUnknown shows, in notes, what a checkpoint holds of a layer whose class is not known: each module in it with its class, its
// attributes and its own tensors. It is what a lowering of the class would have to compute with.
func describeUnknown(d *diag.Diagnostic, t Trained, layer string) {
	lines := []string{}
	var walk func(path string)
	walk = func(path string) {
		m := t.Module(path)
		if m == nil {
			return
		}
		lines = append(lines, moduleLine(t, path, m))
		for _, child := range m.Children() {
			walk(path + "." + child)
		}
	}
	walk(layer)
	for i, line := range lines {
		if i == maxTree {
			d.AddNote(diag.Span{}, "and %d more modules inside %s", len(lines)-i, layer)
			return
		}
		d.AddNote(diag.Span{}, "%s", line)
	}
}

// moduleLine is "model.2.cv1.conv: Conv2d, stride (1, 1); weight [16 3 1 1]".
func moduleLine(t Trained, path string, m TrainedModule) string {
	class := className(m.Class())
	if class == "" {
		class = "?"
	}
	parts := []string{path + ": " + class}
	for _, name := range m.Attributes() {
		if !slices.Contains(bookkeeping, name) && !inertForAll(m.Class(), name) {
			parts = append(parts, name+" "+m.Show(name))
		}
	}
	text := strings.Join(parts, ", ")
	var tensors []string
	for _, name := range m.Tensors() {
		if strings.Contains(name, ".") || slices.Contains([]string{"num_batches_tracked", "total_ops", "total_params"}, name) { // of a child, or no part of a forward
			continue
		}
		shape, _ := t.Shape(path + "." + name)
		tensors = append(tensors, fmt.Sprintf("%s %v", name, shape))
	}
	if len(tensors) > 0 {
		text += "; " + strings.Join(tensors, ", ")
	}
	return text
}

// inertForAll reports whether an attribute of a class of torch.nn changes nothing.
func inertForAll(path, name string) bool {
	return slices.ContainsFunc([]*Class{&conv2dClass, &batchNorm2dClass}, func(c *Class) bool { return c.fits(path) && slices.Contains(c.Inert, name) })
}
