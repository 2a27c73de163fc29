package verify

import (
	"encoding/json"
	"regexp"
	"strconv"

	"ysc2onnx/verify/engine"
)

const (
	maxLayers     = 10_000
	maxLayersText = 1 << 20 // bytes of JSON
)

// Layer is a row of the YAML that a file was made from.
type Layer struct {
	From   []int  `json:"from"`            // the layers it reads: -1 is the one before it, others count from 0
	Module string `json:"module"`          // its class: Conv
	Value  string `json:"value,omitempty"` // what it gives: /model.0/act/Mul_output_0; "" where the file does not say
}

// className is what a class can be called, with its package or without; nothing of it can steer a terminal.
var className = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,63}$`)

// parseLayers reads the metadata entry "layers", [[[-1],"Conv","/model.0/act/Mul_output_0"],[[-1,6],"Concat"]]. It tells how
// to read the file and changes nothing in it, and other writers may use that name for something else: text of another form
// gives no layers.
func parseLayers(text string) []Layer {
	var rows [][]json.RawMessage
	if len(text) > maxLayersText || json.Unmarshal([]byte(text), &rows) != nil || len(rows) > maxLayers {
		return nil
	}
	list := make([]Layer, len(rows))
	for i, row := range rows {
		l := &list[i]
		if len(row) == 3 && json.Unmarshal(row[2], &l.Value) == nil {
			row = row[:2]
		}
		if len(row) != 2 || json.Unmarshal(row[0], &l.From) != nil || json.Unmarshal(row[1], &l.Module) != nil || !className.MatchString(l.Module) {
			return nil
		}
	}
	return list
}

// module is the class of layer i, "" where the file does not say.
func (f *Facts) module(i int) string {
	if i < 0 || i >= len(f.Layers) {
		return ""
	}
	return f.Layers[i].Module
}

// maxStage is the highest number that a layer can have; it bounds the length of pictures.
const maxStage = 999

// scopePath finds the layer in the name of a node: /model.9/cv2/conv/Conv, in whatever the model is wrapped in.
var scopePath = regexp.MustCompile(`^(?:(?:/[A-Za-z_][A-Za-z0-9_]*)*/)?model\.(0|[1-9]\d{0,2})(?:[/_]|$)`)

// LayerOf gives the layer that a node belongs to, by its name: 2 of /model.2/cv1/conv/Conv. Runtimes that rewrite a graph
// add to the end of names, and name nodes after what they make: model.11_nchwc.
func LayerOf(node string) (i int, ok bool) {
	match := scopePath.FindStringSubmatch(node)
	if match == nil {
		return 0, false
	}
	i, _ = strconv.Atoi(match[1]) // the pattern lets whole numbers through only
	return i, true
}

// scope is the layer that a node belongs to by its name, -1 if its name does not say.
func (n *graphNode) scope() int {
	if i, ok := LayerOf(n.name); ok {
		return i
	}
	return -1
}

// layerValues gives the value that each layer makes, by the layer's number: those that the metadata name, or those called
// model.<i>. A file without any such value is read by the names of its nodes, and inferred is true: PyTorch puts a layer's
// nodes under /model.<i>/, and its value is the one that is made there and read outside. A layer with several such values,
// or none, gets no value.
func (f *Facts) layerValues() (values map[int]engine.IO, inferred bool) {
	if f.found != nil {
		return f.found, false
	}
	values = map[int]engine.IO{}
	for i, l := range f.Layers {
		if v, ok := f.values[l.Value]; ok && l.Value != "" {
			values[i] = v
		}
	}
	if len(values) > 0 {
		return values, false
	}
	for name, v := range f.values {
		if i, ok := numberAfter(name, "model."); ok {
			values[i] = v
		}
	}
	if len(values) > 0 {
		return values, false
	}
	madeIn := map[string]int{} // the layers that make values; those of Constant nodes may be shared between layers
	for _, n := range f.nodes {
		if i := n.scope(); i >= 0 && n.op != "Constant" {
			for _, out := range n.outputs {
				madeIn[out] = i
			}
		}
	}
	leaving := map[int]map[string]bool{}
	leave := func(name string, to int) {
		if i, ok := madeIn[name]; ok && name != "" && i != to {
			if leaving[i] == nil {
				leaving[i] = map[string]bool{}
			}
			leaving[i][name] = true
		}
	}
	for _, n := range f.nodes {
		for _, in := range n.inputs {
			leave(in, n.scope())
		}
	}
	for _, out := range f.Outputs {
		leave(out.Name, -1)
	}
	for i, names := range leaving {
		for name := range names {
			if len(names) == 1 {
				values[i] = f.values[name]
			}
		}
	}
	return values, len(values) > 0
}
