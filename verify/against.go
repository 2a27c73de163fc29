package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Default tolerances, for float32 models.
const (
	// LayerTolerance is the largest error of a layer, relative to the largest
	// magnitude in that layer: float32 sums in another order differ by some 1e-6.
	LayerTolerance = 1e-4
	// BoxTolerance is the largest error of a box's centre or size, in pixels: of a trained yolov5n at 640x640, what
	// PyTorch itself exports differs by 2e-3 from PyTorch.
	BoxTolerance = 5e-3
	// ScoreTolerance is the largest error of a confidence or class score, which lie in [0,1].
	ScoreTolerance = 1e-5
)

// boxColumns is how many columns of output0 are a box: x, y, width, height.
const boxColumns = 4

// AgainstOptions change a comparison; zero tolerances mean the defaults.
type AgainstOptions struct {
	Layer, Box, Score float64
	Session           SessionOptions
}

func (o *AgainstOptions) fill() error {
	for _, t := range []struct {
		value    *float64
		fallback float64
	}{{&o.Layer, LayerTolerance}, {&o.Box, BoxTolerance}, {&o.Score, ScoreTolerance}} {
		if *t.value == 0 {
			*t.value = t.fallback
		}
		if !(*t.value >= 0) || math.IsInf(*t.value, 1) {
			return fmt.Errorf("a tolerance is %g, expected a number that is not negative", *t.value)
		}
	}
	return nil
}

// Comparison holds a model's values against recorded ones.
type Comparison struct {
	Path        string    `json:"path"`
	Runtime     string    `json:"runtime"`
	Library     string    `json:"library,omitempty"`
	Rows        []Row     `json:"rows"`         // layers in order, then outputs
	NotCompared []Skipped `json:"not_compared"` // what only one side has
	Layers      int       `json:"layers"`       // how many rows are layers
	FirstBad    string    `json:"first_divergent,omitempty"`
}

// Skipped is a value that could not be compared.
type Skipped struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// OK is true if anything was compared and everything that was agrees. A file of another exporter has no values model.<i>:
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

// pair is a value to compare: its name in the model and in the reference.
type pair struct {
	value, reference string
	layer            bool
}

// Against runs the model at path on the reference's "input" and compares each
// of its "layer.<i>" with the model's value model.<i>, and each "output<k>" with
// the output of that name. Values inside the graph are returned by the runtime
// without a change to the file. What cannot be compared is listed.
//
// The error says why nothing could be compared; values that differ give a
// Comparison that is not OK.
func Against(ctx context.Context, rt Runtime, path string, ref Reference, opts AgainstOptions) (*Comparison, error) {
	if err := opts.fill(); err != nil {
		return nil, err
	}
	facts, err := Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := facts.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return compareWith(ctx, rt, path, facts, ref, opts)
}

// compareWith runs the model that facts are of and compares its values with the reference's.
func compareWith(ctx context.Context, rt Runtime, path string, facts *Facts, ref Reference, opts AgainstOptions) (*Comparison, error) {
	input, err := referenceInput(ref, facts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &Comparison{Path: path, Runtime: rt.Version(), Library: rt.Library(), NotCompared: []Skipped{}}
	pairs := c.pairs(ref, facts)
	values, err := runExposed(ctx, rt, path, facts, pairs, input, opts.Session)
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		want, err := ref.Read(p.reference)
		if err != nil {
			return nil, err
		}
		c.Rows = append(c.Rows, opts.rows(p, values[p.value], want)...)
		if p.layer {
			c.Layers++
		}
	}
	for _, row := range c.Rows {
		if !row.OK {
			c.FirstBad = row.Name
			break
		}
	}
	return c, nil
}

// referenceInput reads the recorded input and checks that the model takes it.
func referenceInput(ref Reference, facts *Facts) (Tensor, error) {
	if len(facts.Inputs) != 1 {
		return Tensor{}, fmt.Errorf("the model has %d inputs; a comparison needs exactly one", len(facts.Inputs))
	}
	if !slices.Contains(ref.Names(), "input") {
		return Tensor{}, errors.New(`the reference has no array "input"`)
	}
	t, err := ref.Read("input")
	if err != nil {
		return Tensor{}, err
	}
	in := facts.Inputs[0]
	fits := len(t.Shape) == len(in.Dims)
	for i := range t.Shape {
		fits = fits && (in.Dims[i] < 0 || in.Dims[i] == t.Shape[i])
	}
	if !fits {
		return Tensor{}, fmt.Errorf("the reference was recorded on an input of %s, but the model takes %s; export it for that size, or with --dynamic",
			shapeText(t.Shape), in)
	}
	t.Name = in.Name
	return t, nil
}

// pairs matches the reference's names with the model's values, layers first and
// in order, and notes what only one of them has.
func (c *Comparison) pairs(ref Reference, facts *Facts) []pair {
	skip := func(name, format string, args ...any) {
		c.NotCompared = append(c.NotCompared, Skipped{name, fmt.Sprintf(format, args...)})
	}
	type numbered struct {
		pair
		number int
	}
	var layers, outputs []numbered
	recorded := map[string]bool{}
	for _, name := range ref.Names() {
		if name == "input" {
			continue
		}
		recorded[name] = true
		if i, ok := numberAfter(name, "layer."); ok {
			value := "model." + strconv.Itoa(i)
			if _, ok := facts.Value(value); !ok {
				skip(name, "the file has no value %s", value)
				continue
			}
			layers = append(layers, numbered{pair{value, name, true}, i})
		} else if i, ok := numberAfter(name, "output"); ok {
			if !slices.ContainsFunc(facts.Outputs, func(v IO) bool { return v.Name == name }) {
				skip(name, "the file has no output %s", name)
				continue
			}
			outputs = append(outputs, numbered{pair{name, name, false}, i})
		} else {
			skip(name, "not the name of an input, a layer or an output")
		}
	}
	for _, out := range facts.Outputs {
		if !recorded[out.Name] {
			skip(out.Name, "the reference has no such output")
		}
	}
	for name := range facts.values {
		if i, ok := numberAfter(name, "model."); ok && !recorded["layer."+strconv.Itoa(i)] {
			skip(name, "the reference has no layer.%d", i)
		}
	}
	slices.SortFunc(c.NotCompared, func(a, b Skipped) int { return naturally(a.Name, b.Name) })
	byNumber := func(a, b numbered) int { return a.number - b.number }
	slices.SortFunc(layers, byNumber)
	slices.SortFunc(outputs, byNumber)
	var list []pair
	for _, n := range slices.Concat(layers, outputs) {
		list = append(list, n.pair)
	}
	return list
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

// runExposed runs the model once and gives the values of all pairs by name.
func runExposed(ctx context.Context, rt Runtime, path string, facts *Facts, pairs []pair, input Tensor, opts SessionOptions) (values map[string]Tensor, err error) {
	opts.Expose = nil
	for _, p := range pairs {
		if p.layer {
			v, _ := facts.Value(p.value) // pairs holds only values that are there
			opts.Expose = append(opts.Expose, v)
		}
	}
	session, err := rt.Open(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	outputs, err := session.Run(ctx, []Tensor{input})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	values = make(map[string]Tensor, len(outputs))
	for _, t := range outputs {
		values[t.Name] = t
	}
	return values, nil
}

// rows compares one pair: a detection output's boxes and scores apart, anything
// else as a whole, relative to its largest magnitude.
func (o *AgainstOptions) rows(p pair, got, want Tensor) []Row {
	last := len(want.Shape) - 1
	if p.value != "output0" || last != 2 || want.Shape[last] <= boxColumns {
		return []Row{compare(p, got, want, measure{tolerance: o.Layer, relative: true})}
	}
	boxes := compare(p, got, want, measure{name: "boxes", tolerance: o.Box, to: boxColumns})
	scores := compare(p, got, want, measure{name: "scores", tolerance: o.Score, from: boxColumns, to: want.Shape[last]})
	return []Row{boxes, scores}
}
