package verify

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"ysc2onnx/verify/engine"
)

// AgainstFile compares two ONNX files: both run on the same seeded noise, uniform in [0,1). Layers are matched by number
// and outputs by name, or by their place where each file has one; see [Against], which also says what a layer's value is.
// The other file's values are what the first one's are compared with.
//
// The input has the size that either file asks for. Where both leave it open it is a batch of two, of the height and
// width in opts or, without these, of three by four strides.
func AgainstFile(ctx context.Context, rt engine.Runtime, path, other string, opts AgainstOptions) (*Comparison, error) {
	facts, err := soundFacts(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	theirs, err := soundFacts(ctx, other, nil)
	if err != nil {
		return nil, err
	}
	for _, f := range []*Facts{facts, theirs} {
		if f.computesHalf() {
			coarse(f, &opts)
		}
	}
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	input, err := commonInput(facts, theirs, &opts)
	if err != nil {
		return nil, fmt.Errorf("%s and %s cannot be compared: %w", path, other, err)
	}
	ref, inferred, gates, err := evaluate(ctx, rt, other, theirs, facts, input, opts)
	if err != nil {
		return nil, err
	}
	completed := *facts
	if facts.Layers == nil { // PyTorch's exports do not say
		completed.Layers = theirs.Layers
	}
	if facts.Roles == nil && len(facts.Outputs) == 1 && len(theirs.Outputs) == 1 {
		completed.Roles = renamedRoles(theirs.Roles, theirs.Outputs[0].Name, facts.Outputs[0].Name)
	}
	r := newComparing(rt, path, &completed, ref, opts)
	r.result.Facts = facts
	r.input = input
	r.result.Against = other
	if inferred {
		r.result.Inferred = append(r.result.Inferred, other)
	}
	r.theirs = gates
	return r.compare(ctx)
}

// isImage reports whether an image can be of that type: one that a float16 file takes is fed the same numbers, rounded.
func isImage(t engine.DType) bool { return t == engine.Float32 || t == engine.Float16 }

// commonInput makes an input that both models take, under the first one's name for it.
func commonInput(facts, theirs *Facts, opts *AgainstOptions) (engine.Tensor, error) {
	a, b := facts.Inputs[0], theirs.Inputs[0]
	if len(a.Dims) != 4 || len(b.Dims) != 4 || !isImage(a.DType) || !isImage(b.DType) {
		return engine.Tensor{}, fmt.Errorf("they take %s and %s; one float32 or float16 image each was expected, [batch, channels, height, width]", a, b)
	}
	stride := max(facts.stride(), theirs.stride())
	open := []int64{2, 3, 3 * stride, 4 * stride}
	if opts.Height > 0 && opts.Width > 0 {
		open[2], open[3] = int64(opts.Height), int64(opts.Width)
	}
	t := engine.Tensor{Name: a.Name, Shape: make([]int64, 4)}
	for i := range t.Shape {
		m, n := a.Dims[i], b.Dims[i]
		switch {
		case m >= 0 && n >= 0 && m != n:
			return engine.Tensor{}, fmt.Errorf("they take %s and %s; export one of them for the other's size, or with --dynamic", a, b)
		case max(m, n) >= 0:
			t.Shape[i] = max(m, n)
		default:
			t.Shape[i] = open[i]
		}
	}
	count, ok := engine.Elements(t.Shape)
	if !ok || count > maxRun {
		return engine.Tensor{}, fmt.Errorf("an input of %s is larger than a comparison of files allows (%d values)", engine.ShapeText(t.Shape), maxRun)
	}
	t.Floats = noise(opts.Seed, int(count))
	return t, nil
}

// fileValues are a file's values, under the names of a recording.
type fileValues struct {
	names  []string
	values map[string]engine.Tensor
}

// Names implements Reference.
func (c *fileValues) Names() []string { return c.names }

// Read implements Reference.
func (c *fileValues) Read(name string) (engine.Tensor, error) {
	t := c.values[name]
	t.Name = name
	return t, nil
}

// evaluate runs the other file and gives what it computes in each layer that facts, the first file's, have too, and at
// the outputs; and its gates.
func evaluate(ctx context.Context, rt engine.Runtime, path string, theirs, facts *Facts, input engine.Tensor, opts AgainstOptions) (ref *fileValues, inferred bool, gates []*decided, err error) {
	layers, inferred := theirs.layerValues()
	ours, _ := facts.layerValues()
	ref = &fileValues{values: map[string]engine.Tensor{}}
	names := map[string]string{} // of recorded values in the file
	session := theirs.session(opts.Session)
	session.Expose = nil
	for i, v := range layers {
		if slices.ContainsFunc(theirs.Outputs, func(out engine.IO) bool { return out.Name == v.Name }) {
			continue
		}
		name := "layer." + strconv.Itoa(i)
		ref.names, names[name] = append(ref.names, name), v.Name
		if _, ok := ours[i]; ok {
			session.Expose = append(session.Expose, v)
		}
	}
	slices.SortFunc(ref.names, naturally)
	for _, out := range theirs.Outputs {
		name := out.Name
		if len(theirs.Outputs) == 1 && len(facts.Outputs) == 1 {
			name = facts.Outputs[0].Name
		}
		ref.names, names[name] = append(ref.names, name), out.Name
	}
	pairs := theirs.gates()
	session.Expose = append(session.Expose, theirs.compared(pairs)...)
	input.Name = theirs.Inputs[0].Name
	values, err := runOnce(ctx, rt, path, input, session)
	if err != nil {
		return nil, false, nil, err
	}
	for name, value := range names {
		ref.values[name] = values[value]
	}
	for _, g := range merged(pairs, values) {
		gates = append(gates, g.decide(values, opts.Layer))
	}
	return ref, inferred, gates, nil
}
