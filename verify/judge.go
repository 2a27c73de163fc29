package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
)

// How the layers of a file were found, see [Judgement].
const (
	FoundByNames   = "names"   // of its values or nodes
	FoundByWeights = "weights" // by the kernels of its convolutions, and what follows from them
	FoundNowhere   = "outputs" // not at all: the outputs alone are compared
)

// Judgement is a comparison of a file, of any exporter, with the model that it should compute.
type Judgement struct {
	*Comparison
	Found   string        `json:"layers_found_by"`
	Expect  int           `json:"layers_expected"` // of the model, without its last, which gives the outputs
	Weights *WeightsFound `json:"weights"`
}

// Known is the model that a file is judged by.
type Known struct {
	// Path is an ONNX file of the model as it is, its batch norms unfused: its weights, and how its values hang together.
	Path string
	// Values has "layer.<i>" and the outputs under the names that they have in Path, for Input.
	Values Reference
	Input  engine.Tensor // called "input"

	// Facts are of the file at Path, and Theirs of the one that is judged, where they have been read; nil: they are read.
	Facts, Theirs *Facts
}

// Judge compares the weights of the file at path, and what it computes in each layer, with a known model. Batch norms that
// the file's exporter folded into convolutions are folded here as well, in float64, and elements compared within what
// rounding in the file's own precision explains.
//
// Layers are found by names, see [Against], or by the convolutions' kernels: values between the same convolutions are the
// same. The error says why nothing could be compared.
func Judge(ctx context.Context, rt engine.Runtime, path string, known Known, opts AgainstOptions) (_ *Judgement, err error) {
	theirs, err := soundFacts(ctx, path, known.Theirs)
	if err != nil {
		return nil, err
	}
	ours, err := soundFacts(ctx, known.Path, known.Facts)
	if err != nil {
		return nil, err
	}
	coarse(theirs, &opts)
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	j := &Judgement{Weights: &WeightsFound{}}
	p := &pairing{ours: ours.wiring(), theirs: theirs.wiring()}
	p.a, p.b = p.ours.convolutions(), p.theirs.convolutions()
	if err := p.weights(ctx, known.Path, path, j.Weights); err != nil {
		return nil, err
	}
	all, _ := ours.layerValues()
	j.Expect = len(all)
	named, _ := theirs.layerValues()
	found := p.correspond().layers()
	switch {
	case len(named) > 0:
		j.Found, found = FoundByNames, named
	case len(found) > 0:
		j.Found = FoundByWeights
	default:
		j.Found = FoundNowhere
	}
	completed := *theirs
	completed.found = found
	if theirs.Layers == nil {
		completed.Layers = ours.Layers
	}
	from, to := renamedOutput(ours.Outputs, theirs.Outputs)
	values := known.Values
	if from != to {
		values = renaming{values, from, to}
	}
	if theirs.Roles == nil { // another exporter's: the model says which columns are boxes
		completed.Roles = renamedRoles(ours.Roles, from, to)
	}
	j.Comparison, err = compareWith(ctx, rt, path, &completed, withInput{values, known.Input}, opts)
	if err != nil {
		return nil, err
	}
	j.Facts = theirs
	return j, nil
}

// weights pairs the convolutions and compares them, and other weights.
func (p *pairing) weights(ctx context.Context, ours, theirs string, found *WeightsFound) (err error) {
	a, b := &dataFiles{path: ours}, &dataFiles{path: theirs}
	defer func() { err = errors.Join(err, a.close(), b.close()) }()
	if err := p.pair(ctx, a, b, found); err != nil {
		return err
	}
	if err := p.compareKernels(ctx, a, b, found); err != nil {
		return err
	}
	return p.compareOthers(a, b, found)
}

// Tolerances of files that hold float16, whose every value is rounded to 11 bits; of bfloat16, to 8, they are as much wider.
// A trained yolov5n in float16 is off by about a tenth of them.
const (
	halfLayerTolerance = 3e-2
	halfBoxTolerance   = 3e-2
	halfScoreTolerance = 3e-2
)

// coarse widens the default tolerances to those of the precision that a file computes in.
func coarse(f *Facts, opts *AgainstOptions) {
	types := map[engine.DType]int{}
	for _, s := range f.stored {
		if n, ok := engine.Elements(s.Dims); ok {
			types[s.DType] += int(min(n, maxElements))
		}
	}
	half, brain, factor := types[engine.Float16], types[engine.BFloat16], 1.0
	if max(half, brain) <= types[engine.Float32]+types[engine.Float64] {
		return
	}
	if brain > half {
		factor = 8
	}
	for _, t := range []struct {
		value *float64
		wide  float64
	}{{&opts.Layer, halfLayerTolerance}, {&opts.Box, halfBoxTolerance}, {&opts.Score, halfScoreTolerance}} {
		if *t.value == 0 {
			*t.value = factor * t.wide
		}
	}
}

// renamedOutput gives the name of the model's single output, and the name that it has in the file: where the file has several,
// that of the one of its shape. Both are "" where nothing is called otherwise.
func renamedOutput(ours, theirs []engine.IO) (from, to string) {
	if len(ours) != 1 || slices.ContainsFunc(theirs, func(v engine.IO) bool { return v.Name == ours[0].Name }) {
		return "", ""
	}
	fits := slices.DeleteFunc(slices.Clone(theirs), func(v engine.IO) bool {
		if len(v.Dims) != len(ours[0].Dims) {
			return true
		}
		for i, d := range v.Dims {
			if d >= 0 && ours[0].Dims[i] >= 0 && d != ours[0].Dims[i] {
				return true
			}
		}
		return false
	})
	if len(fits) != 1 {
		return "", ""
	}
	return ours[0].Name, fits[0].Name
}

// renamedRoles are what outputs mean, of which one has another name.
func renamedRoles(list []roles.Output, from, to string) []roles.Output {
	list = slices.Clone(list)
	for i := range list {
		if list[i].Name == from {
			list[i].Name = to
		}
	}
	return list
}

// renaming is a reference in which one value has another name.
type renaming struct {
	Reference
	from, to string
}

// Names implements [Reference].
func (r renaming) Names() []string {
	names := slices.Clone(r.Reference.Names())
	if i := slices.Index(names, r.from); i >= 0 {
		names[i] = r.to
	}
	return names
}

// Read implements [Reference].
func (r renaming) Read(name string) (engine.Tensor, error) {
	if name == r.to {
		name = r.from
	}
	return r.Reference.Read(name)
}

// Computed gives what the ONNX file at path, one of ours that facts are of, computes in each layer and at its outputs.
func Computed(ctx context.Context, rt engine.Runtime, path string, facts *Facts, input engine.Tensor) (Reference, error) {
	facts, err := soundFacts(ctx, path, facts)
	if err != nil {
		return nil, err
	}
	ref, _, _, err := evaluate(ctx, rt, path, facts, facts, input, AgainstOptions{})
	return ref, err
}

// OK is true if all that both sides have agrees, and the outputs are among it.
func (j *Judgement) OK() bool { return j.Err() == nil }

// Err says in one line why a judgement is not OK: the first weight that differs, else the first layer.
func (j *Judgement) Err() error {
	if err := j.Weights.Err(); err != nil {
		return err
	}
	if err := j.LayersErr(); err != nil {
		return err
	}
	return j.OutputsErr()
}

// LayersErr says which layer is the first to differ.
func (j *Judgement) LayersErr() error { return firstOutside(j.Rows[:j.Layers]) }

// OutputsErr says which output is the first to differ, or that none was compared.
func (j *Judgement) OutputsErr() error {
	if len(j.Rows) == j.Layers {
		return errors.New("none of the file's outputs is one of the model's")
	}
	return firstOutside(j.Rows[j.Layers:])
}

// firstOutside is the error of the first row that differs.
func firstOutside(rows []Row) error {
	for i := range rows {
		row := &rows[i]
		if row.OK {
			continue
		}
		name := row.Name
		if row.Module != "" {
			name += " (" + row.Module + ")"
		}
		return fmt.Errorf("%s is the first to differ: %s", name, row.Problem)
	}
	return nil
}

// LayersSummary is one line: how many layers were compared, how they were found, and the largest error.
func (j *Judgement) LayersSummary() string {
	if j.Layers == 0 {
		return fmt.Sprintf("of %d found in the file, by names or weights; the outputs alone are compared", j.Expect)
	}
	how := map[string]string{FoundByNames: "by the names in the file", FoundByWeights: "by the weights between them"}[j.Found]
	worst := worstOf(j.Rows[:j.Layers])
	return fmt.Sprintf("%d of %d, found %s; largest error %.1e, at %s", j.Layers, j.Expect, how, worst.MaxRel, worst.Name)
}

// OutputsSummary is one line.
func (j *Judgement) OutputsSummary() string {
	var parts []string
	for _, row := range j.Rows[j.Layers:] {
		part := fmt.Sprintf("%s %.1e", row.Name, row.MaxAbs)
		if strings.HasSuffix(row.Name, " boxes") || strings.HasSuffix(row.Name, " landmarks") {
			part += " px"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// worstOf is the row with the largest relative error.
func worstOf(rows []Row) *Row {
	worst := &rows[0]
	for i := range rows {
		if rows[i].MaxRel > worst.MaxRel {
			worst = &rows[i]
		}
	}
	return worst
}

// Summary is one line: how many weights were compared, and the largest error.
func (w *WeightsFound) Summary() string {
	text := fmt.Sprintf("%d of %s", w.Compared, counted(w.Convolutions, "convolution"))
	if n := w.Compared - w.ByName; n > 0 && w.Compared > 0 {
		text += fmt.Sprintf(" (%d found by their numbers)", n)
	}
	if w.Others > 0 {
		text += ", " + counted(w.Others, "other weight")
	}
	if w.MaxRel > 0 {
		text += fmt.Sprintf("; largest error %.1e of the element, at %s", w.MaxRel, w.Worst)
	} else if w.Compared > 0 {
		text += "; all equal"
	}
	return text
}

// Missing lists what was not compared, "" if all was.
func (j *Judgement) Missing() string {
	var parts []string
	list := func(names []string, why string) {
		if n := len(names); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s, the first is %s", counted(n, "weight"), why, names[0]))
		}
	}
	list(j.Weights.NotFound, "not found in the file")
	list(j.Weights.NotRead, "stored in a form that is not read here")
	if text := j.missing(); text != "" {
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// missing lists the values that were not compared.
func (j *Judgement) missing() string {
	var layers, others []string
	for _, s := range j.NotCompared {
		if i, ok := numberAfter(s.Name, "layer."); ok {
			layers = append(layers, strconv.Itoa(i))
		} else {
			others = append(others, s.Name+": "+s.Reason)
		}
	}
	if n := len(layers); n > 0 && j.Layers > 0 {
		where := counted(n, "layer")[len(strconv.Itoa(n))+1:] + " " + strings.Join(layers, ", ")
		others = append([]string{where + ", whose values were not found in the file"}, others...)
	}
	return strings.Join(others, "; ")
}
