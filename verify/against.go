package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/verify/engine"
)

// Comparison checks a model's values against others.
type Comparison struct {
	Path        string    `json:"path"`
	Against     string    `json:"against,omitempty"` // the other file, of AgainstFile
	Runtime     string    `json:"runtime"`
	Library     string    `json:"library,omitempty"`
	Input       []int64   `json:"input"`              // its shape
	Rows        []Row     `json:"rows"`               // layers in order, then outputs
	NotCompared []Skipped `json:"not_compared"`       // values that only one side has
	Layers      int       `json:"layers"`             // how many rows are layers
	Inferred    []string  `json:"inferred,omitempty"` // files that do not say which values their layers give: what layers give was inferred from nodes' names
	FirstBad    string    `json:"first_divergent,omitempty"`
	Gates       *Gates    `json:"gates,omitempty"` // nil where the file has no discontinuous gates
	Facts       *Facts    `json:"-"`               // of the file at Path
}

// Skipped is a value that could not be compared.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// OK is true if anything was compared and all of it agrees. A file of another exporter may not say what its layers give:
// of such a file the outputs alone are compared, and [Comparison.Summary] says so.
func (c *Comparison) OK() bool { return c.Err() == nil }

// Err says in one line why a comparison is not OK.
func (c *Comparison) Err() error {
	if len(c.Rows) == 0 {
		return errors.New("nothing was compared: the file has none of the reference's values, model.<i> for layer.<i> and output<k>")
	}
	for _, row := range c.Rows {
		if !row.OK {
			return fmt.Errorf("the first divergent value is %s: %s", row.Name, row.Problem)
		}
	}
	return nil
}

// pair is a value to compare: what it is called in the model and in the reference.
type pair struct {
	value, reference string
	module           string // class of the layer that makes it, "" if unknown
	layer            bool
	name             string // for people, where it is not the value's name
	inside           bool   // a value inside a layer
}

// comparing is a comparison in progress.
type comparing struct {
	rt    engine.Runtime
	path  string
	facts *Facts
	ref   Reference
	opts  AgainstOptions

	sample limits // of a sample; zero elsewhere
	input  engine.Tensor
	layers map[int]engine.IO // values that the layers make
	pairs  []pair
	gates  []gate
	theirs []*decided // the reference's gates, in the same order; nil for a recording, which does not hold them
	exact  Computed64 // the reference, if it gives values as it computed them, else nil
	inside []Row      // the values inside the layers, which are not in the result
	result *Comparison
}

// Against runs the model at path on the reference's "input" and compares each of its "layer.<i>" with what the model's
// layer i gives, and each other value with the output of that name; where both sides have one output, whatever the names.
// Values inside the graph are returned by the runtime without a change to the file. What cannot be compared is listed.
//
// The metadata say which value a layer gives; in a file without that, it is the value that leaves the nodes under
// /model.<i>/, as PyTorch names them.
//
// Discontinuous gates that the reference decided otherwise, by rounding, are in [Comparison.Gates], and the rows are those
// with the reference's decisions.
//
// The error says why nothing could be compared; values that differ give a Comparison that is not OK.
func Against(ctx context.Context, rt engine.Runtime, path string, ref Reference, opts AgainstOptions) (*Comparison, error) {
	facts, err := soundFacts(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	if facts.computesHalf() {
		coarse(facts, &opts)
	}
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	return compareWith(ctx, rt, path, facts, ref, opts)
}

// compareWith runs the model that facts are of and compares its values with the reference's.
func compareWith(ctx context.Context, rt engine.Runtime, path string, facts *Facts, ref Reference, opts AgainstOptions) (*Comparison, error) {
	r := newComparing(rt, path, facts, ref, opts)
	var err error
	if r.input, err = referenceInput(ref, facts); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r.compare(ctx)
}

// soundFacts reads a file's structure, unless facts are given, and refuses a file with faults.
func soundFacts(ctx context.Context, path string, facts *Facts) (*Facts, error) {
	if facts == nil {
		var err error
		if facts, err = Structure(ctx, path); err != nil {
			return nil, err
		}
	}
	if err := facts.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(facts.Inputs) != 1 {
		return nil, fmt.Errorf("%s: the model has %d inputs; a comparison needs exactly one", path, len(facts.Inputs))
	}
	return facts, nil
}

func newComparing(rt engine.Runtime, path string, facts *Facts, ref Reference, opts AgainstOptions) *comparing {
	r := &comparing{rt: rt, path: path, facts: facts, ref: ref, opts: opts, gates: facts.gates()}
	r.result = &Comparison{Path: path, Runtime: rt.Version(), Library: rt.Library(), NotCompared: []Skipped{}, Facts: facts}
	layers, inferred := facts.layerValues()
	r.layers = layers
	if inferred {
		r.result.Inferred = append(r.result.Inferred, path)
	}
	r.match()
	return r
}

// compare runs the file and compares everything.
func (r *comparing) compare(ctx context.Context) (*Comparison, error) {
	r.result.Input = r.input.Shape
	expose := r.exposed()
	plain, err := runOnce(ctx, r.rt, r.path, r.input, r.with(expose, nil))
	if err != nil {
		return nil, err
	}
	values, before := plain, []Row(nil)
	if len(r.gates) > 0 {
		if before, err = r.outcome(ctx, plain, nil); err != nil {
			return nil, err
		}
		r.result.Gates = &Gates{Comparisons: len(r.gates)}
		if r.result.Against != "" || slices.ContainsFunc(before, func(row Row) bool { return !row.OK }) {
			if values, err = r.flipped(ctx, expose, plain); err != nil {
				return nil, err
			}
		}
	}
	rows, err := r.outcome(ctx, values, before)
	if err != nil {
		return nil, err
	}
	inside := map[string]bool{} // by the reference's names
	for _, p := range r.pairs {
		inside[p.reference] = p.inside
	}
	for _, row := range rows {
		if inside[row.Reference] {
			r.inside = append(r.inside, row)
		} else {
			r.result.Rows = append(r.result.Rows, row)
		}
	}
	for _, p := range r.pairs {
		if p.layer {
			r.result.Layers++
		}
	}
	for _, row := range r.result.Rows {
		if !row.OK {
			r.result.FirstBad = row.Name
			break
		}
	}
	return r.result, nil
}

// outcome compares all pairs. With the rows of an earlier run, these are noted where flips changed the verdict, and the rows
// are shown to the observer; so they are where no gates can flip.
func (r *comparing) outcome(ctx context.Context, values map[string]engine.Tensor, before []Row) ([]Row, error) {
	final := before != nil || len(r.gates) == 0
	var rows []Row
	for _, p := range r.pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		want, err := r.ref.Read(p.reference)
		if err != nil {
			return nil, err
		}
		for _, j := range r.rows(p, values, want) {
			row := j.Row
			if before != nil {
				if b := before[len(rows)]; b.Outside > row.Outside {
					row.Before = &Before{MaxAbs: b.MaxAbs, MaxRel: b.MaxRel, Outside: b.Outside}
				}
			}
			rows = append(rows, row)
			if final && r.opts.Observe != nil {
				r.opts.Observe(row, values[p.value], want)
			}
		}
	}
	return rows, nil
}

// exposed are the values of layers, and inside them, that the runtime must return.
func (r *comparing) exposed() []engine.IO {
	var list []engine.IO
	seen := map[string]bool{}
	add := func(name string) {
		if v, ok := r.facts.Value(name); ok && !seen[name] {
			list, seen[name] = append(list, v), true
		}
	}
	for _, p := range r.pairs {
		if p.layer || p.inside {
			add(p.value)
		}
	}
	for _, p := range r.pairs {
		if p.inside {
			add(r.summed(p.value)) // by which it is measured
		}
	}
	return list
}

// with gives the session's options with values to expose and gates to flip.
func (r *comparing) with(expose []engine.IO, flip []string) engine.SessionOptions {
	opts := r.facts.session(r.opts.Session)
	opts.Expose, opts.Flip = expose, flip
	return opts
}

// referenceInput reads the recorded input and checks that the model takes it.
func referenceInput(ref Reference, facts *Facts) (engine.Tensor, error) {
	if !slices.Contains(ref.Names(), "input") {
		return engine.Tensor{}, errors.New(`the reference has no array "input"`)
	}
	t, err := ref.Read("input")
	if err != nil {
		return engine.Tensor{}, err
	}
	in := facts.Inputs[0]
	if t.Floats == nil && in.DType == engine.Float32 {
		return engine.Tensor{}, errors.New("the reference's input does not hold floating-point numbers")
	}
	fits := len(t.Shape) == len(in.Dims)
	for i := range t.Shape {
		fits = fits && (in.Dims[i] < 0 || in.Dims[i] == t.Shape[i])
	}
	if !fits {
		return engine.Tensor{}, fmt.Errorf("the reference was recorded on an input of %s, but the model takes %s; export it for that size, or with --dynamic",
			engine.ShapeText(t.Shape), in)
	}
	t.Name = in.Name
	return t, nil
}

// match pairs the reference's names with the model's values, layers first and in order, and notes what only one of them
// has.
func (r *comparing) match() {
	skip := func(name, format string, args ...any) {
		r.result.NotCompared = append(r.result.NotCompared, Skipped{name, fmt.Sprintf(format, args...)})
	}
	type numbered struct {
		pair
		number int
	}
	var layers, outputs []numbered
	var others []string // of the reference: candidates for outputs
	recorded := map[string]bool{}
	for _, name := range r.ref.Names() {
		if name == "input" {
			continue
		}
		recorded[name] = true
		i, ok := numberAfter(name, "layer.")
		if !ok {
			others = append(others, name)
			continue
		}
		shown := "model." + strconv.Itoa(i)
		v, ok := r.layers[i]
		if !ok {
			skip(name, "the file has no value %s", shown)
			continue
		}
		layers = append(layers, numbered{pair{v.Name, name, r.facts.module(i), true, shown, false}, i})
	}
	head := r.facts.module(len(r.facts.Layers) - 1)
	matched := map[string]bool{}
	for _, name := range others {
		i := slices.IndexFunc(r.facts.Outputs, func(v engine.IO) bool { return v.Name == name })
		if i < 0 && strings.HasPrefix(name, "output") && len(others) == 1 && len(r.facts.Outputs) == 1 { // one each: output, output0
			i = 0
		}
		if i >= 0 {
			value := r.facts.Outputs[i].Name
			matched[value] = true
			outputs = append(outputs, numbered{pair{value: value, reference: name, module: head}, i})
		} else if _, ok := numberAfter(name, "output"); ok {
			skip(name, "the file has no output %s", name)
		} else {
			skip(name, "not the name of an input, a layer or an output")
		}
	}
	for _, out := range r.facts.Outputs {
		if !matched[out.Name] {
			skip(out.Name, "the reference has no such output")
		}
	}
	for i, v := range r.layers {
		isOutput := slices.ContainsFunc(r.facts.Outputs, func(out engine.IO) bool { return out.Name == v.Name })
		if !isOutput && !recorded["layer."+strconv.Itoa(i)] {
			skip("model."+strconv.Itoa(i), "the reference has no layer.%d", i)
		}
	}
	slices.SortFunc(r.result.NotCompared, func(a, b Skipped) int { return naturally(a.Name, b.Name) })
	byNumber := func(a, b numbered) int { return a.number - b.number }
	slices.SortFunc(layers, byNumber)
	slices.SortFunc(outputs, byNumber)
	for _, n := range slices.Concat(layers, outputs) {
		r.pairs = append(r.pairs, n.pair)
	}
}

// naturally orders names with a number at the end by that number: layer.2 before layer.10.
func naturally(a, b string) int {
	const digits = "0123456789"
	return cmp.Or(
		strings.Compare(strings.TrimRight(a, digits), strings.TrimRight(b, digits)),
		cmp.Compare(len(a), len(b)),
		strings.Compare(a, b))
}

// numberAfter reads the i of names like layer.<i>, spelled as Python prints it.
func numberAfter(name, prefix string) (int, bool) {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(digits)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == digits
}

// runOnce opens a model, runs it and gives its values by name.
func runOnce(ctx context.Context, rt engine.Runtime, path string, input engine.Tensor, opts engine.SessionOptions) (values map[string]engine.Tensor, err error) {
	session, err := rt.Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return runSession(ctx, session, []engine.Tensor{input}, path)
}

// runSession runs a model that is open and gives its values by name.
func runSession(ctx context.Context, session engine.Session, inputs []engine.Tensor, path string) (map[string]engine.Tensor, error) {
	outputs, err := session.Run(ctx, inputs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values := make(map[string]engine.Tensor, len(outputs))
	for _, t := range outputs {
		values[t.Name] = t
	}
	return values, nil
}

// rows compares one pair: a detection output's boxes and scores apart, anything else as a whole.
func (r *comparing) rows(p pair, values map[string]engine.Tensor, want engine.Tensor) []judged {
	got := values[p.value]
	if p.inside {
		return []judged{compareElements(p, got, want, r.insideMeasure(p, values))}
	}
	var list []judged
	for _, m := range r.opts.measures(r.facts.meaning(p.value, want), r.facts.stride()) {
		if m.unit == OfLargest {
			m.least, m.leastRMS = r.sample.least, r.sample.least
		}
		list = append(list, compareElements(p, got, want, m))
	}
	return list
}
