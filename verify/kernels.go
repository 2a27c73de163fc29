package verify

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"ysc2onnx/verify/engine"
)

// roundings is how many roundings of a weight's type lie between a checkpoint and a kernel that a batch norm was folded into:
// epsilon is added, a root taken, divided, multiplied and stored, in the type itself, with as many again to spare.
const roundings = 8

// sameKernel is the largest relative distance of kernels that are taken for the same one: kernels that were trained or drawn
// separately lie at about 1.4, the root of 2.
const sameKernel = 0.5

// WeightsFound is a comparison of a file's weights with a model's.
type WeightsFound struct {
	Convolutions int         `json:"convolutions"` // of the model
	Compared     int         `json:"compared"`     // of them, kernels and biases
	ByName       int         `json:"by_name"`      // of these, found in the file by their names; others by their numbers
	Others       int         `json:"others"`       // weights of other kinds that have the same name in both
	NotFound     []string    `json:"not_found,omitempty"`
	NotRead      []string    `json:"not_read,omitempty"` // stored in a form that is not read: quantized
	Differ       []WeightRow `json:"differ,omitempty"`   // in the model's order
	MaxRel       float64     `json:"max_rel"`            // the largest error, relative to the element; of biases, to what they are the sum of
	Worst        string      `json:"worst,omitempty"`    // where that is
}

// WeightRow is a weight that differs.
type WeightRow struct {
	Name    string  `json:"name"`    // model.3.conv.weight
	File    string  `json:"file"`    // what the file calls it
	Folded  bool    `json:"folded"`  // with the batch norm behind it
	Outside int     `json:"outside"` // elements outside of the bound
	Count   int     `json:"count"`
	Index   []int64 `json:"index"` // of the worst
	Got     float64 `json:"got"`
	Want    float64 `json:"want"`
}

// String is one line.
func (r *WeightRow) String() string {
	text := r.Name
	if r.Folded {
		text += " with its batch norm"
	}
	return fmt.Sprintf("%s: %d of %d elements differ; %s is %.9g, want %.9g", text, r.Outside, r.Count, indexText(r.Index), r.Got, r.Want)
}

// pairing is which convolution of a file is which of a model.
type pairing struct {
	ours, theirs *wiring
	a, b         []convolution // the model's, the file's
	to           []int         // for each of a its index in b, -1 for none
}

// sketch are some elements of a folded kernel, evenly spread.
type sketch struct {
	dims   string
	values []float64
	norm   float64
}

const sketchSize = 256

func sketchOf(c *convolution, f *folded) sketch {
	s := sketch{dims: engine.ShapeText(c.kernel.Dims)}
	for i := range min(sketchSize, len(f.kernel)) {
		v := f.kernel[i*len(f.kernel)/min(sketchSize, len(f.kernel))]
		s.values = append(s.values, v)
		s.norm += v * v
	}
	return s
}

// distance is that of two kernels of one shape, relative to the larger one.
func (s *sketch) distance(t *sketch) float64 {
	if s.dims != t.dims {
		return math.Inf(1)
	}
	sum := 0.0
	for i, v := range s.values {
		sum += (v - t.values[i]) * (v - t.values[i])
	}
	if sum == 0 {
		return 0
	}
	return math.Sqrt(sum / max(s.norm, t.norm))
}

// pair finds the model's convolutions in the file: by the names of nodes or kernels, else the nearest kernel of its shape.
func (p *pairing) pair(ctx context.Context, ours, theirs *dataFiles, found *WeightsFound) error {
	p.to = make([]int, len(p.a))
	byName := map[string]int{}
	for k := range slices.Backward(p.b) {
		byName[p.b[k].kernel.name], byName[p.b[k].node.name] = k, k
	}
	delete(byName, "")
	taken := map[int]bool{}
	for i := range p.a {
		c := &p.a[i]
		k, ok := byName[c.kernel.name]
		if !ok {
			k, ok = byName[c.node.name]
		}
		p.to[i] = -1
		if ok && !taken[k] && slices.Equal(p.b[k].kernel.Dims, c.kernel.Dims) {
			p.to[i], taken[k] = k, true
			found.ByName++
		}
	}
	type match struct {
		i, k     int
		distance float64
	}
	sketches := func(list []convolution, d *dataFiles, skip func(int) bool) ([]*sketch, error) {
		made := make([]*sketch, len(list))
		for i := range list {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if skip(i) {
				continue
			}
			if f, err := list[i].fold(d); err == nil { // one that cannot be read is found by its name alone
				s := sketchOf(&list[i], f)
				made[i] = &s
			}
		}
		return made, nil
	}
	a, err := sketches(p.a, ours, func(i int) bool { return p.to[i] >= 0 })
	if err != nil {
		return err
	}
	b, err := sketches(p.b, theirs, func(k int) bool { return taken[k] })
	if err != nil {
		return err
	}
	var matches []match
	for i := range a {
		if err := ctx.Err(); err != nil {
			return err
		}
		for k := range b {
			if a[i] != nil && b[k] != nil {
				if d := a[i].distance(b[k]); d < sameKernel {
					matches = append(matches, match{i, k, d})
				}
			}
		}
	}
	slices.SortStableFunc(matches, func(x, y match) int { return cmp.Compare(x.distance, y.distance) })
	for _, m := range matches {
		if p.to[m.i] < 0 && !taken[m.k] {
			p.to[m.i], taken[m.k] = m.k, true
		}
	}
	return nil
}

// compareKernels compares all convolutions that were paired, folded on both sides.
func (p *pairing) compareKernels(ctx context.Context, ours, theirs *dataFiles, found *WeightsFound) error {
	found.Convolutions = len(p.a)
	for i := range p.a {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &p.a[i]
		if p.to[i] < 0 {
			found.NotFound = append(found.NotFound, c.name())
			continue
		}
		other := &p.b[p.to[i]]
		got, err := other.fold(theirs)
		if err != nil {
			found.NotRead = append(found.NotRead, c.name())
			continue
		}
		want, err := c.fold(ours)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		found.Compared++
		limit := roundings * max(got.roundoff, want.roundoff)
		floor := max(got.smallest, want.smallest)
		row := WeightRow{Name: c.name() + ".weight", File: other.kernel.name, Folded: c.norm != nil}
		magnitudes := make([]float64, len(want.kernel))
		for k, v := range want.kernel {
			magnitudes[k] = math.Abs(v)
		}
		found.add(row, got.kernel, want.kernel, magnitudes, c.kernel.Dims, limit, floor)
		row.Name = c.name() + ".bias"
		if other.bias != nil {
			row.File = other.bias.name
		}
		found.add(row, got.bias, want.bias, want.of, c.kernel.Dims[:1], limit, floor)
	}
	return nil
}

// add compares one weight. Each element may differ by limit times its magnitude.
func (w *WeightsFound) add(row WeightRow, got, want, magnitudes []float64, dims []int64, limit, floor float64) {
	row.Count = len(want)
	worst, at := 0.0, 0
	for i, v := range want {
		d := math.Abs(got[i] - v)
		if d <= floor {
			continue
		}
		relative := d / magnitudes[i]
		if !(relative <= limit) {
			row.Outside++
		}
		if !(relative <= worst) {
			worst, at = relative, i
		}
	}
	if worst > w.MaxRel && !math.IsInf(worst, 1) {
		w.MaxRel, w.Worst = worst, row.Name
	}
	if row.Outside > 0 {
		row.Index, row.Got, row.Want = position(int64(at), dims), got[at], want[at]
		w.Differ = append(w.Differ, row)
	}
}

// compareOthers compares the weights that belong to no convolution and have the same name and shape in both files: affine
// parameters of other normalisations, and the like.
func (p *pairing) compareOthers(ours, theirs *dataFiles, found *WeightsFound) error {
	seen := map[string]bool{}
	for i := range p.a {
		c := &p.a[i]
		seen[c.kernel.name] = true
		if c.bias != nil {
			seen[c.bias.name] = true
		}
		for _, t := range c.norm {
			seen[t.name] = true
		}
	}
	for i := range p.ours.facts.nodes {
		for _, name := range p.ours.facts.nodes[i].inputs {
			a, held := p.ours.facts.stored[name]
			b, both := p.theirs.facts.stored[name]
			if seen[name] || !held || !both || unitRoundoff(a.DType) == 0 || !slices.Equal(a.Dims, b.Dims) {
				continue
			}
			seen[name] = true
			got, err := theirs.floats(b)
			if err != nil {
				found.NotRead = append(found.NotRead, name)
				continue
			}
			want, err := ours.floats(a)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			magnitudes := make([]float64, len(want))
			for k, v := range want {
				magnitudes[k] = math.Abs(v)
			}
			found.Others++
			found.add(WeightRow{Name: name, File: name}, got, want, magnitudes, a.Dims, roundings*max(unitRoundoff(a.DType), unitRoundoff(b.DType)), smallest(b.DType))
		}
	}
	return nil
}

// cutSuffixes cuts the first of the suffixes that a text ends with.
func cutSuffixes(text string, suffixes ...string) (string, bool) {
	for _, s := range suffixes {
		if rest, ok := strings.CutSuffix(text, s); ok {
			return rest, true
		}
	}
	return text, false
}

// Err says which weight is the first to differ.
func (w *WeightsFound) Err() error {
	if len(w.Differ) == 0 {
		return nil
	}
	more := ""
	if n := len(w.Differ) - 1; n > 0 {
		more = fmt.Sprintf("; %s more", counted(n, "weight"))
	}
	return fmt.Errorf("%s%s", w.Differ[0].String(), more)
}
