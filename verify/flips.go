package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"ysc2onnx/verify/engine"
)

const (
	maxFlipRuns  = 200 // of the file, to find flips
	maxFlipTries = 40  // runs in a row that explain nothing
	maxTies      = 3   // see resolution.tied
)

// resolution finds out which gates the reference decided the other way. It proves what it finds: the file is run with those
// gates decided so, and every value must then lie within its usual tolerance. So a flip excuses what it explains, in its own
// layer and in all layers behind it, and nothing else.
type resolution struct {
	*comparing
	session engine.Session
	found   *Gates
	flips   []map[int]bool // elements, for each gate of the file
	state   []*decided     // the gates in the last run that counted
	values  map[string]engine.Tensor
}

// proposal is a set of flips of one gate that are tried together.
type proposal struct {
	gate     int
	elements []int
	reaches  bool    // an outlier lies where they can reach
	distance float64 // from the threshold
}

// flipped gives the file's values with the gates decided as the reference decided them, as far as that explains
// anything; plain are those of a run without.
func (r *comparing) flipped(ctx context.Context, expose []engine.IO, plain map[string]engine.Tensor) (values map[string]engine.Tensor, err error) {
	var flip []string
	for _, g := range r.gates {
		flip = append(flip, g.outputs...)
	}
	expose = append(expose, r.facts.compared(r.gates)...)
	session, err := r.rt.Open(ctx, r.path, r.with(expose, flip))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		r.result.Gates.Note = "the gates could not be looked at: " + err.Error()
		return plain, nil
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	f := &resolution{comparing: r, session: session, found: r.result.Gates}
	err = f.resolve(ctx)
	return f.values, err
}

// resolve goes through the pairs in order and explains those that differ, up to the first that flips do not explain.
func (r *resolution) resolve(ctx context.Context) error {
	r.flips = make([]map[int]bool, len(r.gates))
	values, _, err := r.run(ctx)
	if err != nil {
		return err
	}
	r.gates = merged(r.gates, values)
	r.found.Comparisons = len(r.gates)
	r.flips = make([]map[int]bool, len(r.gates))
	for i := range r.flips {
		r.flips[i] = map[int]bool{}
	}
	r.values, r.state = values, r.decide(values)
	if r.exact != nil {
		r.theirs = r.sides()
	}
	if r.result.Against != "" && !r.matched() {
		r.found.Note = "the gates of the two files could not be matched, so that no difference is attributed to flips"
		return nil
	}
	r.count()
	for _, p := range r.pairs {
		want, err := r.ref.Read(p.reference)
		if err != nil {
			return err
		}
		for part := range r.rows(p, values, want) { // boxes and scores are two rows
			if explained, err := r.explain(ctx, p, part, want); err != nil || !explained {
				return err
			}
		}
	}
	return nil
}

// matched says whether the other file's gates are the same comparisons, one by one.
func (r *resolution) matched() bool {
	return slices.EqualFunc(r.state, r.theirs, func(a, b *decided) bool {
		if a == nil || b == nil {
			return a == b
		}
		return slices.Equal(a.shape, b.shape) && a.tieAbove == b.tieAbove
	})
}

// count fills in what is known without trying.
func (r *resolution) count() {
	for i, d := range r.state {
		if d == nil {
			continue
		}
		r.found.Decisions += d.size()
		r.found.Near += len(d.nearThreshold())
		for e := range d.size() {
			if len(r.theirs) > 0 && d.above(e) != r.theirs[i].above(e) {
				r.found.Differ++
			}
		}
	}
}

// run evaluates the file with its flips.
func (r *resolution) run(ctx context.Context) (map[string]engine.Tensor, []*decided, error) {
	r.found.Runs++
	inputs := []engine.Tensor{r.input}
	for i, g := range r.gates {
		mask := engine.Tensor{Shape: []int64{1}, Ints: []int64{0}} // goes with any shape, as operators broadcast
		if len(r.flips[i]) > 0 {
			mask = engine.Tensor{Shape: r.state[i].shape, Ints: make([]int64, r.state[i].size())}
			for e := range r.flips[i] {
				mask.Ints[e] = 1
			}
		}
		for _, out := range g.outputs {
			mask.Name = out + engine.FlipSuffix
			inputs = append(inputs, mask)
		}
	}
	values, err := runSession(ctx, r.session, inputs, r.path)
	if err != nil {
		return nil, nil, err
	}
	return values, r.decide(values), nil
}

// decide reads all gates out of a run.
func (r *resolution) decide(values map[string]engine.Tensor) []*decided {
	state := make([]*decided, len(r.gates))
	for i, g := range r.gates {
		state[i] = g.decide(values, r.opts.Layer)
	}
	return state
}

// explain looks for flips that bring one row of a pair within its tolerance. If there are none, nothing is changed.
func (r *resolution) explain(ctx context.Context, p pair, part int, want engine.Tensor) (explained bool, err error) {
	values, state, flips, list := r.values, r.state, copied(r.flips), r.found.Flips
	for tries := 0; ; {
		row := r.rows(p, r.values, want)[part]
		if row.OK {
			if r.found.Note = r.reasonToDoubt(); r.found.Note == "" {
				r.list()
				return true, nil
			}
			break
		}
		if row.Worst == nil || row.NotFinite > 0 { // no flip changes a shape, or turns numbers into NaN
			break
		}
		better := false
		for _, try := range r.proposals(p, row) {
			if r.found.Runs >= maxFlipRuns || tries >= maxFlipTries {
				r.found.Note = fmt.Sprintf("%d gates lie within rounding of their thresholds; %d runs with others decided did not explain %s",
					r.found.Near, r.found.Runs, row.Name)
				break
			}
			tries++
			if better, err = r.tryFlips(ctx, p, row, try); err != nil {
				return false, err
			}
			if better {
				tries = 0
				break
			}
		}
		if !better {
			break
		}
	}
	r.values, r.state, r.flips, r.found.Flips = values, state, flips, list
	if r.found.Note == "" && r.found.Near > 0 {
		r.found.Note = "no flips explain the first divergent value"
	}
	return false, nil
}

// tryFlips makes flips, and keeps them if they explain something: as much as one element at the row's limit.
func (r *resolution) tryFlips(ctx context.Context, p pair, row judged, flips proposal) (better bool, err error) {
	for _, e := range flips.elements {
		r.flips[flips.gate][e] = true
	}
	values, state, err := r.run(ctx)
	if err != nil {
		return false, err
	}
	if row.squares(values[p.value]) < row.squares(r.values[p.value])-row.matters {
		r.values, r.state = values, state
		return true, nil
	}
	for _, e := range flips.elements {
		delete(r.flips[flips.gate], e)
	}
	return false, nil
}

// proposals are the flips to try for a row, the most promising first: of another file the gates that are known to differ,
// else each that lies within rounding.
func (r *resolution) proposals(p pair, row judged) []proposal {
	upstream := r.facts.upstream(p.value)
	marked := row.spots(r.values[p.value])
	var list []proposal
	for i, d := range r.state {
		if d == nil || !upstream[d.outputs[0]] {
			continue
		}
		var known []int
		for _, e := range d.nearThreshold() {
			switch {
			case r.flips[i][e]:
			case r.theirs == nil:
				list = append(list, proposal{i, []int{e}, marked.canReach(position(int64(e), d.shape), d.shape), d.distance(e)})
			case d.above(e) != r.theirs[i].above(e):
				known = append(known, e)
			}
		}
		if known != nil {
			list = append(list, proposal{gate: i, elements: known})
		}
	}
	slices.SortStableFunc(list, func(a, b proposal) int {
		if a.reaches != b.reaches {
			if a.reaches {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.distance, b.distance)
	})
	return list
}

// reasonToDoubt says why flips that explain a row are not attributed to rounding; "" if they are.
func (r *resolution) reasonToDoubt() string {
	for i, d := range r.state {
		equal, ties := 0, 0
		for e := range r.flips[i] {
			if d.distance(e) > d.window { // an earlier flip moved it
				return fmt.Sprintf("%s is not within rounding of its threshold", d.flip(e))
			}
			if d.distance(e) == 0 {
				ties++
				if r.exact != nil && r.theirs != nil && r.theirs[i].distance(e) == 0 {
					return fmt.Sprintf("%s equals its threshold exactly: the comparison itself seems to differ, > for >=", d.flip(e))
				}
			}
		}
		if ties <= maxTies || r.exact != nil && r.theirs != nil {
			continue
		}
		for e := range d.size() {
			if d.distance(e) == 0 {
				equal++
			}
		}
		// Rounding decides some equal values one way and some the other; another comparison, > for >=, decides all.
		if ties == equal {
			return fmt.Sprintf("all %d values of %s that equal their threshold would have to be flips: the comparison itself seems to differ, > for >=", ties, d.name)
		}
	}
	return ""
}

// list describes the flips by the values that they were found with.
func (r *resolution) list() {
	r.found.Flips = nil
	for i, d := range r.state {
		for _, e := range slices.Sorted(maps.Keys(r.flips[i])) {
			r.found.Flips = append(r.found.Flips, d.flip(e))
		}
	}
}

func copied(flips []map[int]bool) []map[int]bool {
	out := make([]map[int]bool, len(flips))
	for i, m := range flips {
		out[i] = maps.Clone(m)
	}
	return out
}
