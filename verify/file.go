package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/x448/float16"

	"ysc2onnx/verify/engine"
)

// Expect is what the exporter meant to write; File checks the written file against it.
type Expect struct {
	Input   engine.IO   // the image input: NCHW, values in [0,1)
	Outputs []engine.IO // in the file's order

	DynamicBatch bool // the batch is symbolic
	DynamicSize  bool // height and width are symbolic

	Stride               int // height and width are multiples of it
	Batch, Height, Width int // what the model was exported for

	// OutputDims gives every output's shape for an input of that size, by name.
	OutputDims func(batch, height, width int) map[string][]int64

	Weights []Weight // what the initializers should hold, all of them; nil leaves that check out
	Sample  *Sample  // values that the layers should give; nil leaves that check out. It needs a runtime

	Precision Precision // what of the file is float16, which decides how near the numbers of the sample have to be

	Seed    uint64                // of the random input
	Options engine.SessionOptions // for the runtime
}

// check says what is missing from an Expect: a mistake of the caller, not of the file.
func (e *Expect) check() error {
	switch {
	case len(e.Input.Dims) != 4:
		return fmt.Errorf("verify: Expect.Input has %d dimensions, want 4 (NCHW)", len(e.Input.Dims))
	case e.Input.Dims[1] < 1:
		return errors.New("verify: Expect.Input has no fixed number of channels")
	case len(e.Outputs) == 0:
		return errors.New("verify: Expect names no outputs")
	case e.OutputDims == nil:
		return errors.New("verify: Expect.OutputDims is nil")
	case e.Sample != nil && (e.Sample.Values == nil || len(e.Sample.Classes) == 0):
		return errors.New("verify: Expect.Sample lacks its values or the classes of its layers")
	case e.Batch < 1 || e.Height < 1 || e.Width < 1 || e.Stride < 1:
		return fmt.Errorf("verify: Expect has batch %d, size %dx%d and stride %d; each must be at least 1", e.Batch, e.Height, e.Width, e.Stride)
	}
	return nil
}

// File checks the ONNX file at path: its structure as read back from disk, its
// input and outputs, its initializers, the numbers of every layer on a small
// sample, and what it computes on seeded uniform noise — at the exported size
// and, where the model is dynamic, at a second size and another batch. A nil rt
// leaves out everything that needs a runtime.
//
// The error says why the file could not be checked. A file that was checked and
// found wrong gives no error but a Report that is not OK.
func File(ctx context.Context, rt engine.Runtime, path string, want Expect) (*Report, error) {
	if err := want.check(); err != nil {
		return nil, err
	}
	rep := &Report{Path: path}
	start := time.Now()
	facts, err := Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	rep.Facts = facts
	sound := rep.add("structure", start, facts.Summary(), facts.exported())
	start = time.Now()
	sound = rep.add("interface", start, interfaceText(facts.Inputs, facts.Outputs), want.matches(facts.Inputs, facts.Outputs)) && sound
	if sound && want.Weights != nil {
		start = time.Now()
		err := compareWeights(ctx, path, facts, want.Weights)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rep.add("weights", start, fmt.Sprintf("%d initializers as computed", len(want.Weights)), err)
	}
	if rt == nil {
		return rep, nil
	}
	rep.Runtime, rep.Library = rt.Version(), rt.Library()
	if !sound {
		rep.add("runtime", time.Now(), "", errors.New("not run, because the file is not the one that should have been written"))
		return rep, nil
	}
	// The file is run before its sample, and reported after it: the memory that the small model leaves in pieces is too
	// little for the large one.
	runs := &Report{Facts: facts}
	if values := float64(want.Batch) * float64(want.Input.Dims[1]) * float64(want.Height) * float64(want.Width); values > maxRun {
		rep.NotRun = fmt.Sprintf("an input of %dx%dx%dx%d is larger than the check of a file allows (%d values)",
			want.Batch, want.Input.Dims[1], want.Height, want.Width, maxRun)
	} else if err := want.run(ctx, rt, path, runs); err != nil {
		return nil, err
	}
	if want.Sample != nil {
		if err := want.numbers(ctx, rt, path, rep); err != nil {
			return nil, err
		}
	}
	rep.Checks = append(rep.Checks, runs.Checks...)
	return rep, nil
}

// maxRun bounds the input of a check, so that the maps that a model makes from it fit in memory: 27 images of 640x640.
const maxRun = 1 << 25

// run adds the checks that need a runtime.
func (e *Expect) run(ctx context.Context, rt engine.Runtime, path string, rep *Report) (err error) {
	start := time.Now()
	session, err := rt.Open(ctx, path, rep.Facts.session(e.Options))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !rep.add("load", start, rt.Version(), err) {
		return nil
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	for _, trial := range e.trials() {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		detail, problem := e.runTrial(ctx, session, trial)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !rep.add(trial.name, start, detail, problem) {
			break
		}
	}
	return nil
}

// trial is one run of the model.
type trial struct {
	name                 string
	batch, height, width int
}

// trials are the runs that an Expect asks for. The second size is small, so that
// it costs little, not square, so that swapped axes show, and not the exported one.
func (e *Expect) trials() []trial {
	list := []trial{{"runtime", e.Batch, e.Height, e.Width}}
	h, w := e.Height, e.Width
	if e.DynamicSize {
		h, w = 3*e.Stride, 5*e.Stride
		if h == e.Height && w == e.Width {
			h, w = w, h
		}
		list = append(list, trial{"size", e.Batch, h, w})
	}
	if e.DynamicBatch {
		batch := 2
		if e.Batch == batch {
			batch = 3
		}
		list = append(list, trial{"batch", batch, h, w})
	}
	return list
}

// runTrial runs the model once and looks at what came out.
func (e *Expect) runTrial(ctx context.Context, session engine.Session, t trial) (string, error) {
	input := e.Noise(t.batch, t.height, t.width)
	outputs, err := session.Run(ctx, []engine.Tensor{input})
	at := input.Name + " " + engine.ShapeText(input.Shape)
	if err != nil {
		return "", fmt.Errorf("%s: %w", at, err)
	}
	dims := e.OutputDims(t.batch, t.height, t.width)
	texts := make([]string, len(outputs))
	for i, out := range outputs {
		texts[i] = out.Name + " " + engine.ShapeText(out.Shape)
		wantDims, ok := dims[out.Name]
		if !ok {
			return "", fmt.Errorf("%s: output %q is not expected", at, out.Name)
		}
		if !slices.Equal(out.Shape, wantDims) {
			return "", fmt.Errorf("%s: %s is %s, want %s", at, out.Name, engine.ShapeText(out.Shape), engine.ShapeText(wantDims))
		}
		if err := finite(out); err != nil {
			return "", fmt.Errorf("%s: %w", at, err)
		}
	}
	if len(outputs) != len(dims) {
		return "", fmt.Errorf("%s: the model gave %d outputs, want %d", at, len(outputs), len(dims))
	}
	return at + " -> " + strings.Join(texts, ", "), nil
}

// Noise is an input of the model: seeded values, uniform in [0,1). File runs no more than 2^25 of them.
func (e *Expect) Noise(batch, height, width int) engine.Tensor {
	input := engine.Tensor{Name: e.Input.Name, Shape: []int64{int64(batch), e.Input.Dims[1], int64(height), int64(width)}}
	n, _ := engine.Elements(input.Shape) // bounded by the callers
	input.Floats = e.noise(int(n))
	return input
}

// noise gives n seeded values that the input's type holds.
func (e *Expect) noise(n int) []float32 {
	values := noise(e.Seed, n)
	if e.Input.DType == engine.Float16 {
		for i, x := range values {
			values[i] = float16.Fromfloat32(x).Float32()
		}
	}
	return values
}

// maxElements bounds the tensors this package makes or reads: 2^29 values, 2 GiB of float32.
const maxElements = 1 << 29

// noise gives n seeded values, uniform in [0,1): the same on every platform.
func noise(seed uint64, n int) []float32 {
	const stream = 0x696d61676573 // "images": keeps this stream apart from others of the same seed
	r := rand.New(rand.NewPCG(seed, stream))
	v := make([]float32, n)
	for i := range v {
		v[i] = r.Float32()
	}
	return v
}

// finite reports how many values of a tensor are NaN or infinite, and the first.
func finite(t engine.Tensor) error {
	bad, first := 0, 0
	for i, v := range t.Floats {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			if bad == 0 {
				first = i
			}
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d of %d values are not finite, the first is %v at %s",
		t.Name, bad, len(t.Floats), t.Floats[first], indexText(position(int64(first), t.Shape)))
}

// matches compares declared names, types and shapes with the expected ones.
func (e *Expect) matches(inputs, outputs []engine.IO) error {
	if err := sameIO("input", inputs, []engine.IO{e.Input}); err != nil {
		return err
	}
	return sameIO("output", outputs, e.Outputs)
}

// sameIO compares one side of the interface; kind is "input" or "output".
func sameIO(kind string, got, want []engine.IO) error {
	if len(got) != len(want) {
		return fmt.Errorf("the file has %d %ss, want %d", len(got), kind, len(want))
	}
	for i, w := range want {
		g := got[i]
		named := len(w.DimNames) == 0 || slices.Equal(padded(g.DimNames, len(w.Dims)), padded(w.DimNames, len(w.Dims)))
		if g.Name != w.Name || g.DType != w.DType || !slices.Equal(g.Dims, w.Dims) || !named {
			return fmt.Errorf("%s %d is %s, want %s", kind, i, g, w)
		}
	}
	return nil
}

// padded lengthens a list of dimension names to n, so that nil equals all-empty.
func padded(names []string, n int) []string {
	out := make([]string, max(n, len(names)))
	copy(out, names)
	return out
}

// interfaceText prints "images float32 [...] -> output0 float32 [...]".
func interfaceText(inputs, outputs []engine.IO) string {
	side := func(list []engine.IO) string {
		parts := make([]string, len(list))
		for i, v := range list {
			parts[i] = v.String()
		}
		return strings.Join(parts, ", ")
	}
	return side(inputs) + " -> " + side(outputs)
}
