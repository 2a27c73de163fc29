package verify

import (
	"slices"
	"strings"

	"ysc2onnx/verify/engine"
)

// Stage is a layer of a model as its file shows it: what lies under the scope /model.<i>/.
type Stage struct {
	Index      int       `json:"index"`
	From       []int     `json:"from"`             // the layers that it reads, from 0 on; -1 is the model's input
	Module     string    `json:"module,omitempty"` // its class; "" where the file does not say
	Makes      []string  `json:"makes,omitempty"`  // the value that it gives, or the graph's outputs that it computes
	Output     engine.IO `json:"output"`           // what the file says of the first of Makes
	Nodes      int       `json:"nodes"`            // operators in the file
	Parameters int64     `json:"parameters"`       // elements of its weights as they are in the file: BatchNorm folded, where it is
}

// Picture gives the layers of the model, in order; none for a file with faults. Layers are told from the names of nodes, as
// this project and PyTorch's exporter give them: /model.2/cv1/conv/Conv belongs to layer 2. A layer of which nothing is left
// in the file, or which it does not mention, has no nodes. A file without such names has no picture.
func (f *Facts) Picture() []Stage {
	if !f.OK() {
		return nil
	}
	d := drawing{facts: f, counted: map[string]bool{}, stages: map[int]*Stage{}, makers: map[string]int{}}
	for i := range f.nodes {
		d.node(&f.nodes[i])
	}
	return d.finish()
}

// drawing puts together the layers of a sound model.
type drawing struct {
	facts   *Facts
	counted map[string]bool // the parameters, by name
	stages  map[int]*Stage
	makers  map[string]int // the layer that makes a value
	last    int            // the highest layer met
}

// node adds a node to its layer.
func (d *drawing) node(n *graphNode) {
	i := n.scope()
	if i < 0 {
		return
	}
	s := d.stage(i)
	s.Nodes++
	for _, in := range n.inputs {
		d.read(s, n.op, in)
	}
	for _, out := range n.outputs {
		d.makers[out] = i
	}
}

func (d *drawing) stage(i int) *Stage {
	if d.stages[i] == nil {
		d.stages[i] = &Stage{Index: i, From: []int{}}
	}
	d.last = max(d.last, i)
	return d.stages[i]
}

// read notes that a layer reads a value: another layer's, the model's input, or a weight.
func (d *drawing) read(s *Stage, op, name string) {
	from, made := d.makers[name]
	if slices.ContainsFunc(d.facts.Inputs, func(v engine.IO) bool { return v.Name == name }) {
		from, made = -1, true
	}
	if made && from < s.Index && !slices.Contains(s.From, from) {
		s.From = append(s.From, from)
	}
	w, ok := d.facts.stored[name]
	elements, sized := engine.Elements(w.Dims)
	if !ok || !sized || len(w.Dims) == 0 || unitRoundoff(w.DType) == 0 {
		return
	}
	// An operator with weights has its own, though equal ones may be stored once. Others read parameters that are called as in
	// the state_dict, or constants, such as the cells of a head's grid.
	if hasWeights(op) || strings.HasPrefix(name, "model.") && !d.counted[name] {
		s.Parameters += elements
		d.counted[name] = true
	}
}

// hasWeights says whether an operator is one that has weights of its own.
func hasWeights(op string) bool {
	switch op {
	case "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization", "PRelu":
		return true
	}
	return false
}

// finish puts the layers in order and adds what the metadata and the value_info say of them.
func (d *drawing) finish() []Stage {
	if len(d.stages) == 0 {
		return nil
	}
	for i, l := range d.facts.Layers[:min(len(d.facts.Layers), maxStage+1)] {
		s := d.stage(i)
		s.Module = l.Module
		if from, ok := absolute(i, l.From); ok {
			s.From = from
		}
	}
	values, _ := d.facts.layerValues()
	for i := range d.last + 1 {
		s := d.stage(i)
		slices.Sort(s.From)
		isOutput := func(v engine.IO) bool {
			return slices.ContainsFunc(d.facts.Outputs, func(out engine.IO) bool { return out.Name == v.Name })
		}
		if v, ok := values[i]; ok && !isOutput(v) {
			s.Makes, s.Output = []string{v.Name}, v
			continue
		}
		for _, out := range d.facts.Outputs {
			if maker, ok := d.makers[out.Name]; !ok || maker != i {
				continue
			}
			if s.Makes = append(s.Makes, out.Name); len(s.Makes) == 1 {
				s.Output = out
			}
		}
	}
	stages := make([]Stage, 0, len(d.stages))
	for i := range d.last + 1 {
		stages = append(stages, *d.stages[i])
	}
	return stages
}

// absolute turns the from of row i of a YAML, in which -1 is the row before, into indices of layers: -1 is the input.
func absolute(i int, from []int) (layers []int, ok bool) {
	for _, f := range from {
		if f < 0 {
			f += i
		}
		if f < -1 || f >= i {
			return nil, false
		}
		if !slices.Contains(layers, f) {
			layers = append(layers, f)
		}
	}
	return layers, len(layers) > 0
}
