package verify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// pyramid is a model of three layers; its nodes are what a case makes of them.
func pyramid(edit func(m *tiny.Model)) []byte {
	m := tiny.Model{
		Inputs: []tiny.Value{{Name: "images", Type: 1, Dims: []any{1, 3, 32, 32}}},
		Info: []tiny.Value{
			{Name: "model.0", Type: 1, Dims: []any{1, 2}}, {Name: "model.1", Type: 1, Dims: []any{1, 2}},
		},
		Outputs: []tiny.Value{{Name: "output0", Type: 1, Dims: []any{1, 1, 6}}},
		Nodes: []tiny.Node{
			{Op: "Conv", Name: "/a", In: []string{"images", "weight", "sizes"}, Out: []string{"model.0"}, Ints: map[string][]int64{"pads": {1, 1}}},
			{Op: "Relu", Name: "/b", In: []string{"model.0"}, Out: []string{"model.1"}},
			{Op: "Fake", Name: "/c", In: []string{"model.1"}, Out: []string{"output0"}},
		},
		Weights: []tiny.Weight{
			{Name: "weight", Dims: []int64{2}, Floats: []float32{1, 2}},
			{Name: "sizes", Type: int64(engine.Int64), Dims: []int64{1}, Raw: make([]byte, 8)},
		},
	}
	if edit != nil {
		edit(&m)
	}
	return m.Bytes()
}

// expectPyramid is what pyramid was meant to be.
func expectPyramid() Expect {
	return Expect{
		Input:   engine.IO{Name: "images", DType: engine.Float32, Dims: []int64{1, 3, 32, 32}, DimNames: nil},
		Outputs: []engine.IO{{Name: "output0", DType: engine.Float32, Dims: []int64{1, 1, 6}, DimNames: nil}},
		Stride:  32, Batch: 1, Height: 32, Width: 32,
		OutputDims: func(int, int, int) map[string][]int64 { return map[string][]int64{"output0": {1, 1, 6}} },
	}
}

// values are what the layers of pyramid give, as a runtime has them or as a reference.
func values(prefix string) recorded {
	return recorded{
		row(prefix+"0", []int64{2, 2}, 1, 2, 3, 4), row(prefix+"1", []int64{2, 2}, 1e-8, 2e-8, 0, 0),
		row("output0", []int64{1, 1, 6}, 100, 200, 30, 40, 0.5, 0.25),
	}
}

// TestNumbers holds what is said of a sample that agrees, differs, or cannot be compared.
func TestNumbers(t *testing.T) {
	small := func(edit func(m *tiny.Model)) func(func(string) (Stored, bool)) ([]byte, error) {
		return func(stored func(string) (Stored, bool)) ([]byte, error) {
			place, ok := stored("weight")
			if !ok || place.File != "real.onnx" || place.Length != 8 || place.Offset < 1 {
				t.Errorf("the weight is said to be at %+v, %t", place, ok)
			}
			if _, ok := stored("nothing"); ok {
				t.Error("there is a place of an initializer that does not exist")
			}
			return pyramid(func(m *tiny.Model) {
				m.Weights[0] = tiny.Weight{Name: "weight", Dims: []int64{2}, Place: map[string]string{"location": "real.onnx"}}
				if edit != nil {
					edit(m)
				}
			}), nil
		}
	}
	for _, test := range []struct {
		name  string
		got   func(r recorded) recorded
		model func(func(string) (Stored, bool)) ([]byte, error)
		want  string
		ok    bool
	}{
		{"equal", nil, small(nil), "3 layers, largest error 0.0e+00, at layer 0 (Conv)", true},
		{"the file itself", nil, nil, "3 layers, largest error 0.0e+00, at layer 0 (Conv)", true},
		{"rounded", func(r recorded) recorded { r[1].Floats[0] += 1e-13; return r }, small(nil), "3 layers, largest error 5.0e-06, at layer 1 (C3)", true},
		{"small numbers differ", func(r recorded) recorded { r[1].Floats[3] = 1e-11; r[2].Floats[0] = 0; return r }, small(nil),
			"layer 1 (C3) is the first to differ: 1 of 4 values (25%) are outside the tolerance 5e-05 of the largest value; the worst is at [1, 1]: 1e-11, want 0", false},
		{"boxes differ", func(r recorded) recorded { r[2].Floats[1] = 201; return r }, small(nil),
			"layer 2 (Detect), output0 boxes is the first to differ: 1 of 4 values (25%) are outside the tolerance 0.0001 of the box; the worst is at [0, 0, 1]: 201, want 200", false},
		{"scores differ", func(r recorded) recorded { r[2].Floats[5] = 0.26; return r }, small(nil),
			"layer 2 (Detect), output0 scores is the first to differ: 1 of 2 values (50%) are outside the tolerance 1.6e-05; the worst is at [0, 0, 5]: 0.26, want 0.25", false},
		{"an initializer of another size", nil, small(func(m *tiny.Model) { m.Weights[1].Name, m.Nodes[0].In[2] = "sizes_1", "sizes_1" }),
			"3 layers, largest error 0.0e+00, at layer 0 (Conv)", true},
		{"another weight", nil, small(func(m *tiny.Model) { m.Weights[0].Name, m.Nodes[0].In[1] = "other", "other" }),
			`node 0 (Conv "/a"): input 1 is "weight", expected "other"`, false},
		{"another operator", nil, small(func(m *tiny.Model) { m.Nodes[1].Op = "Sigmoid" }), `node 1 (Relu "/b"): Sigmoid "/b" was expected there`, false},
		{"another attribute", nil, small(func(m *tiny.Model) { m.Nodes[0].Ints["pads"][1] = 2 }), `node 0 (Conv "/a"): its attributes are not the expected ones`, false},
		{"another input", nil, small(func(m *tiny.Model) { m.Nodes[2].In[0] = "model.0" }), `node 2 (Fake "/c"): input 0 is "model.1", expected "model.0"`, false},
		{"one input less", nil, small(func(m *tiny.Model) { m.Nodes[0].In = m.Nodes[0].In[:2] }), `node 0 (Conv "/a"): it reads 3 values, expected 2`, false},
		{"another output", nil, small(func(m *tiny.Model) { m.Nodes[1].Out[0], m.Nodes[2].In[0] = "model.7", "model.7" }),
			`node 1 (Relu "/b"): it makes ["model.1"], expected ["model.7"]`, false},
		{"one node more", nil, small(func(m *tiny.Model) { m.Nodes = m.Nodes[:2] }), "the file has 3 nodes, expected 2", false},
		{"no model", nil, func(func(string) (Stored, bool)) ([]byte, error) { return nil, errors.New("no model") }, "no model", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "real.onnx"), pyramid(nil))
			path := filepath.Join(dir, "link.onnx")
			if err := os.Symlink("real.onnx", path); err != nil {
				t.Fatal(err)
			}
			got := values("model.")
			if test.got != nil {
				got = test.got(got)
			}
			e, rt := expectPyramid(), &fake{}
			e.Sample = &Sample{Batch: 1, Height: 32, Width: 32, Classes: []string{"Conv", "C3", "Detect"}, Model: test.model,
				Values: func(_ context.Context, input engine.Tensor) (Reference, error) {
					if input.Name != "input" || len(input.Floats) != 3*32*32 {
						t.Errorf("the input is %s with %d values", input.Name, len(input.Floats))
					}
					return values("layer."), nil
				}}
			rt.run = func(engine.Tensor) ([]engine.Tensor, error) {
				if rt.exposed == nil { // the run of the file, after the sample's
					return []engine.Tensor{got[2]}, nil
				}
				return got, nil
			}
			rep, err := File(context.Background(), rt, path, e)
			if err != nil {
				t.Fatal(err)
			}
			c := rep.Checks[2]
			if c.Name != "numbers" || c.OK != test.ok || c.Detail != test.want {
				t.Errorf("%s, ok %t\ngot  %s\nwant %s", c.Name, c.OK, c.Detail, test.want)
			}
			if strings.Contains(test.want, "the first to differ") && rep.Numbers.FirstBad == "" {
				t.Error("the comparison does not name what differs first")
			}
		})
	}
}

// TestBadlyConditioned: a box that is off by 2e-4 of itself is right where rounding alone moves boxes of the model by 1e-4, and wrong
// where it moves them by 1e-6.
func TestBadlyConditioned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, pyramid(nil))
	for moved, ok := range map[float32]bool{200 * 1e-4: true, 200 * 1e-6: false} {
		rt := &fake{}
		rt.run = func(engine.Tensor) ([]engine.Tensor, error) {
			got := values("model.")
			got[2].Floats[1] += 200 * 2e-4
			if rt.exposed == nil {
				return []engine.Tensor{got[2]}, nil
			}
			return got, nil
		}
		e := expectPyramid()
		e.Sample = &Sample{Batch: 1, Height: 32, Width: 32, Classes: []string{"Conv", "C3", "Detect"},
			Values: func(context.Context, engine.Tensor) (Reference, error) { return values("layer."), nil },
			Rounded: func(context.Context, engine.Tensor) (Reference, error) {
				list := values("layer.")
				for i := range list {
					for _, x := range list[i].Floats {
						list[i].Exact = append(list[i].Exact, float64(x))
					}
				}
				list[2].Floats[1] += moved
				return list, nil
			}}
		rep, err := File(context.Background(), rt, path, e)
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Checks[2]; c.OK != ok || ok != strings.Contains(c.Detail, "within 5 times what rounding to float32 alone does to this model") {
			t.Errorf("rounding moves the box by %g: ok %t, %s", moved, c.OK, c.Detail)
		}
	}
}

// TestNumbersThatAreMissing are not silent success.
func TestNumbersThatAreMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, pyramid(nil))
	rt := &fake{}
	rt.run = func(engine.Tensor) ([]engine.Tensor, error) { return values("model."), nil }
	for want, ref := range map[string]func() (Reference, error){
		"model.1 was not compared: the reference has no layer.1": func() (Reference, error) {
			v := values("layer.")
			return recorded{v[0], v[2]}, nil
		},
		"output0 was not compared: the reference has no such output": func() (Reference, error) { return values("layer.")[:2], nil },
		"layer.2 was not compared: the file has no value model.2": func() (Reference, error) {
			return append(values("layer."), row("layer.2", []int64{1}, 1)), nil
		},
		"the interpreter has no operator Fake": func() (Reference, error) { return nil, errors.New("the interpreter has no operator Fake") },
	} {
		e := expectPyramid()
		e.Sample = &Sample{Batch: 1, Height: 32, Width: 32, Classes: []string{"Conv", "C3", "Detect"},
			Values: func(context.Context, engine.Tensor) (Reference, error) { return ref() }}
		rep, err := File(context.Background(), rt, path, e)
		if err != nil {
			t.Fatal(err)
		}
		if c := rep.Checks[2]; c.Name != "numbers" || c.OK || c.Detail != want {
			t.Errorf("%s, ok %t\ngot  %s\nwant %s", c.Name, c.OK, c.Detail, want)
		}
	}
	e := expectPyramid()
	e.Sample = &Sample{Batch: 1 << 20, Height: 32, Width: 32, Classes: []string{"Detect"}, Values: func(context.Context, engine.Tensor) (Reference, error) { return nil, nil }}
	rep, err := File(context.Background(), rt, path, e)
	if want := "a sample of 1048576x3x32x32 is larger than the check of a file allows (33554432 values)"; err != nil || rep.Checks[2].Detail != want {
		t.Errorf("%v, %+v", err, rep.Checks)
	}
	e.Sample.Classes = nil
	if _, err := File(context.Background(), rt, path, e); err == nil || err.Error() != "verify: Expect.Sample lacks its values or the classes of its layers" {
		t.Errorf("a sample without classes: %v", err)
	}
}
