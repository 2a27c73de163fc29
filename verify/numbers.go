package verify

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"ysc2onnx/verify/engine"
)

// Tolerances of the check of the numbers, for float32 models, in the units of the others. The reference is float64, so that
// a file differs by its own rounding alone: each is four times what was measured of one program.
const (
	SampleLayerTolerance = 5e-5
	SampleBoxTolerance   = 1e-4
	SampleScoreTolerance = 1.6e-5
)

// Sample is a small input, and what the layers of the model give for it as computed in another way than by the file.
// Expect's Seed draws it: noise, uniform in [0,1).
type Sample struct {
	Batch, Height, Width int
	Classes              []string // of the layers, in order; the last gives the outputs

	// Model gives an ONNX model of the same nodes as the file's that takes input of the sample's size. stored says where
	// the file has an initializer's elements; the model takes those that do not depend on the size from there, as external
	// data, so that its numbers are the file's. Model is nil if the file takes input of the sample's size itself.
	Model func(stored func(name string) (Stored, bool)) ([]byte, error)

	// Inner are values inside layers, in the order in which they are computed, that have the same meaning in Values and in
	// the file.
	Inner []Inner

	// Values gives "layer.<i>" and "output<k>" for the input, and the values that Inner names.
	Values func(ctx context.Context, input engine.Tensor) (Reference, error)

	// Rounded gives the same, of layers and outputs as they are where each value is rounded to float32, with [Tensor.Exact] as they are
	// in float64. It is asked where a file fails: a model that float32 computes badly is no reason to call its file wrong. nil leaves
	// that out.
	Rounded func(ctx context.Context, input engine.Tensor) (Reference, error)
}

// numbers adds the check of the numbers: every layer of the sample, run in the
// runtime with the file's weights, against the sample's values.
func (e *Expect) numbers(ctx context.Context, rt engine.Runtime, path string, rep *Report) error {
	start := time.Now()
	limits := sampleLimits[e.Precision]
	fixed := AgainstOptions{Layer: limits.layer, Box: limits.box, Score: limits.score, Session: e.Options}
	detail, err := e.compareSample(ctx, rt, path, rep, fixed, e.Sample.Values)
	if err != nil && e.Sample.Rounded != nil && e.Precision == Single && ctx.Err() == nil {
		least := fixed // the tolerance is the larger of this and of what rounding alone does
		least.layerFloor, least.boxFloor, least.scoreFloor = fixed.Layer/OwnFactor, fixed.Box/OwnFactor, fixed.Score/OwnFactor
		measured, other := e.compareSample(ctx, rt, path, rep, least, e.Sample.Rounded)
		if other == nil {
			detail, err = measured+"; within "+strconv.Itoa(OwnFactor)+" times what rounding to float32 alone does to this model", nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	rep.add("numbers", start, detail, err)
	return nil
}

// compareSample runs the sample, compares it with values, and sums up.
func (e *Expect) compareSample(ctx context.Context, rt engine.Runtime, path string, rep *Report, opts AgainstOptions,
	values func(ctx context.Context, input engine.Tensor) (Reference, error),
) (string, error) {
	c, inside, err := e.runSample(ctx, rt, path, rep.Facts, opts, values)
	if err != nil {
		return "", err
	}
	rep.Numbers = c
	detail, err := e.Sample.summary(c, inside)
	if small := e.unresolved(c); err == nil && small > 0 {
		detail += fmt.Sprintf("; %d of them too small for float16 to tell from 0", small)
	}
	return detail, err
}

// runSample runs the sample and compares: the layers and outputs, and inside the values inside the layers.
func (e *Expect) runSample(ctx context.Context, rt engine.Runtime, path string, facts *Facts, opts AgainstOptions,
	compute func(ctx context.Context, input engine.Tensor) (Reference, error),
) (c *Comparison, inside []Row, err error) {
	s := e.Sample
	input := engine.Tensor{Name: "input", Shape: []int64{int64(s.Batch), e.Input.Dims[1], int64(s.Height), int64(s.Width)}}
	n, ok := engine.Elements(input.Shape)
	if !ok || n > maxRun {
		return nil, nil, fmt.Errorf("a sample of %s is larger than the check of a file allows (%d values)", engine.ShapeText(input.Shape), maxRun)
	}
	input.Floats = e.noise(int(n))
	if s.Model != nil {
		if path, err = filepath.EvalSymlinks(path); err != nil { // external data is looked for beside the file itself
			return nil, nil, err
		}
		if opts.Session.Model, err = s.Model(func(name string) (Stored, bool) {
			stored, ok := facts.Stored(name)
			if stored.File == "" {
				stored.File = filepath.Base(path)
			}
			return stored, ok && stored.Offset >= 0
		}); err != nil {
			return nil, nil, err
		}
		small, err := StructureReader(ctx, bytes.NewReader(opts.Session.Model), int64(len(opts.Session.Model)), sizesIn(filepath.Dir(path)))
		if err != nil {
			return nil, nil, err
		}
		if err := sameNodes(facts, small); err != nil {
			return nil, nil, err
		}
		facts = small
	}
	values, err := compute(ctx, input)
	if err != nil {
		return nil, nil, err
	}
	r := newComparing(rt, path, facts, withInput{values, input}, opts)
	r.exact, _ = values.(Computed64)
	r.sample = sampleLimits[e.Precision]
	if err := r.addInner(s.Inner); err != nil {
		return nil, nil, err
	}
	if r.input, err = referenceInput(r.ref, facts); err != nil {
		return nil, nil, err
	}
	c, err = r.compare(ctx)
	return c, r.inside, err
}

// withInput adds the input to a reference.
type withInput struct {
	Reference
	input engine.Tensor
}

// Names implements [Reference].
func (r withInput) Names() []string { return append([]string{r.input.Name}, r.Reference.Names()...) }

// Read implements [Reference].
func (r withInput) Read(name string) (engine.Tensor, error) {
	if name == r.input.Name {
		return r.input, nil
	}
	return r.Reference.Read(name)
}

// summary is the outcome in one line: "26 layers, largest error 2.1e-06, at layer
// 9 (ScConv); 70 values inside them", relative to the largest value of the
// layer, or which layer is the first to differ, and where in it that begins.
func (s *Sample) summary(c *Comparison, inside []Row) (string, error) {
	if len(c.NotCompared) > 0 {
		return "", fmt.Errorf("%s was not compared: %s", c.NotCompared[0].Name, c.NotCompared[0].Reason)
	}
	if want := len(s.Classes) - 1; c.Layers != want || len(c.Rows) == c.Layers {
		return "", fmt.Errorf("%d layers and %d outputs were compared, want %d layers and the output of the last", c.Layers, len(c.Rows)-c.Layers, want)
	}
	begins, worst := firstInside(inside), 0
	for i := range c.Rows {
		if begins >= 0 && s.Inner[begins].Layer < i {
			break
		}
		if row := &c.Rows[i]; !row.OK {
			where := ""
			if begins >= 0 && s.Inner[begins].Layer == i {
				where = "; it begins at " + inside[begins].Name
			}
			return "", fmt.Errorf("%s is the first to differ: %s%s", s.layer(i, row), row.Problem, where)
		}
		if c.Rows[i].MaxRel > c.Rows[worst].MaxRel {
			worst = i
		}
	}
	if begins >= 0 {
		row := &inside[begins]
		return "", fmt.Errorf("%s is the first to differ, inside, at %s: %s", s.layer(s.Inner[begins].Layer, nil), row.Name, row.Problem)
	}
	text := fmt.Sprintf("%d layers, largest error %.1e, at %s", len(s.Classes), c.Rows[worst].MaxRel, s.layer(worst, &c.Rows[worst]))
	if len(inside) > 0 {
		text += fmt.Sprintf("; %d values inside them", len(inside))
	}
	if c.Gates != nil && len(c.Gates.Flips) > 0 {
		text += fmt.Sprintf("; with %d of %d gates within rounding of their thresholds decided as the reference decides them", len(c.Gates.Flips), c.Gates.Near)
	}
	return text, nil
}

// layer names the layer of the i-th row: "layer 9 (ScConv)", "layer 25 (Detect), output0 boxes". Without a row it is the i-th
// layer itself.
func (s *Sample) layer(i int, row *Row) string {
	text := ""
	if last := len(s.Classes) - 1; i >= last && row != nil {
		i, text = last, ", "+row.Name
	}
	return "layer " + strconv.Itoa(i) + " (" + s.Classes[i] + ")" + text
}
