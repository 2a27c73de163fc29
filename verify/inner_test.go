package verify

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// TestNumbersInside: the values inside the layers are compared as well, and the earliest layer with a fault is named, be it
// one that shows in what the layer gives or not.
func TestNumbersInside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, pyramid(func(m *tiny.Model) {
		m.Info = append(m.Info, tiny.Value{Name: "/in0", Type: 1, Dims: []any{1, 2}}, tiny.Value{Name: "/in1", Type: 1, Dims: []any{1, 2}})
		m.Nodes = append(m.Nodes,
			tiny.Node{Op: "Fake", Name: "/d", In: []string{"model.0"}, Out: []string{"/in0"}},
			tiny.Node{Op: "Fake", Name: "/e", In: []string{"model.0"}, Out: []string{"/in1"}})
	}))
	inner := recorded{row("/in0", []int64{2}, 1, 2), row("/in1", []int64{2}, 3, 4)}
	const outside = "1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value; the worst is at [0]: "
	for _, test := range []struct {
		name        string
		layer, at   []float32 // what is added to the first element of model.0 and model.1, and of the values inside them
		want        string
		missing, ok bool
	}{
		{"equal", []float32{0, 0}, []float32{0, 0}, "3 layers, largest error 0.0e+00, at layer 0 (Conv); 2 values inside them", false, true},
		{"rounded", []float32{0, 0}, []float32{0, 3e-4}, "3 layers, largest error 0.0e+00, at layer 0 (Conv); 2 values inside them", false, true},
		{"inside alone", []float32{0, 0}, []float32{0, 0.5}, "layer 1 (C3) is the first to differ, inside, at /in1: " + outside + "3.5, want 3", false, false},
		{"inside and in the result", []float32{0, 1}, []float32{0, 0.5}, "layer 1 (C3) is the first to differ: " +
			"1 of 4 values (25%) are outside the tolerance 5e-05 of the largest value; the worst is at [0, 0]: 1, want 1e-08; it begins at /in1", false, false},
		{"inside, before another result", []float32{0, 1}, []float32{0.5, 0}, "layer 0 (Conv) is the first to differ, inside, at /in0: " + outside + "1.5, want 1", false, false},
		{"inside, behind a result", []float32{1, 0}, []float32{0, 0.5}, "layer 0 (Conv) is the first to differ: " +
			"1 of 4 values (25%) are outside the tolerance 5e-05 of the largest value; the worst is at [0, 0]: 2, want 1", false, false},
		{"a value that the file lacks", []float32{0, 0}, []float32{0, 0}, `the file has no value "/in2"`, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := values("model.")
			for i, add := range test.layer {
				got[i].Floats[0] += add
			}
			for i, v := range inner {
				got = append(got, row(v.Name, v.Shape, v.Floats[0]+test.at[i], v.Floats[1]))
			}
			e, rt := expectPyramid(), &fake{}
			rt.run = func(engine.Tensor) ([]engine.Tensor, error) { return got, nil }
			e.Sample = &Sample{
				Batch: 1, Height: 32, Width: 32, Classes: []string{"Conv", "C3", "Detect"}, Inner: []Inner{{0, "/in0"}, {1, "/in1"}},
				Values: func(context.Context, engine.Tensor) (Reference, error) { return hiding{values("layer."), inner}, nil },
			}
			if test.missing {
				e.Sample.Inner = append(e.Sample.Inner, Inner{1, "/in2"})
			}
			rep, err := File(context.Background(), rt, path, e)
			if err != nil {
				t.Fatal(err)
			}
			if c := rep.Checks[2]; c.Name != "numbers" || c.OK != test.ok || c.Detail != test.want {
				t.Errorf("%s, ok %t\ngot  %s\nwant %s", c.Name, c.OK, c.Detail, test.want)
			}
		})
	}
}

// hiding is a reference that has more values than it lists.
type hiding struct{ listed, hidden recorded }

func (h hiding) Names() []string { return h.listed.Names() }

func (h hiding) Read(name string) (engine.Tensor, error) {
	return slices.Concat(h.listed, h.hidden).Read(name)
}
