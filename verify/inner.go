package verify

import (
	"context"
	"errors"
	"fmt"

	"ysc2onnx/verify/engine"
)

// SampleInnerTolerance is the largest error of a value inside a layer, relative to the largest magnitude in that value. It is
// wider than that of layers, as a normalisation amplifies the rounding of a map that is nearly flat: by 5e-6 in trained
// models.
const SampleInnerTolerance = 1e-4

// Inner is a value inside a layer.
type Inner struct {
	Layer int
	Name  string
}

// inside compares the values inside the layers. A fault there can vanish in what the layer gives, beside biases and other
// branches: ScConv divides its result by the number of its channels, more or less. path, facts and the options are those
// that the layers were compared with.
func (s *Sample) inside(ctx context.Context, rt engine.Runtime, path string, facts *Facts, input engine.Tensor, values Reference, opts engine.SessionOptions) (rows []Row, err error) {
	if len(s.Inner) == 0 {
		return nil, nil
	}
	opts.Expose = nil
	for _, in := range s.Inner {
		v, ok := facts.Value(in.Name)
		if !ok {
			return nil, fmt.Errorf("the file has no value %q", in.Name)
		}
		opts.Expose = append(opts.Expose, v)
	}
	session, err := rt.Open(ctx, path, facts.session(opts))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	input.Name = facts.Inputs[0].Name
	outputs, err := session.Run(ctx, []engine.Tensor{input})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	got := make(map[string]engine.Tensor, len(outputs))
	for _, t := range outputs {
		got[t.Name] = t
	}
	for _, in := range s.Inner {
		want, err := values.Read(in.Name)
		if err != nil {
			return nil, err
		}
		p := pair{value: in.Name, reference: in.Name}
		rows = append(rows, judge(p, got[in.Name], want, measure{unit: OfLargest, tolerance: SampleInnerTolerance}).Row)
	}
	return rows, nil
}

// firstInside is the index of the first value inside the layers that differs, -1 if none does.
func firstInside(rows []Row) int {
	for i := range rows {
		if !rows[i].OK {
			return i
		}
	}
	return -1
}
