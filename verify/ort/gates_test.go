//go:build cgo && !js

package ort

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// gateThreshold is what testdata/make_gates.py puts five units in the last place above r at the element [1, 3, 2, 6].
const gateThreshold = 0.49514502

// againstGates compares testdata/gates.onnx, PyTorch's own export, with what PyTorch computed.
func againstGates(t *testing.T, archive string, opts verify.AgainstOptions) *verify.Comparison {
	t.Helper()
	ref, err := verify.OpenNPZ(filepath.Join("testdata", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ref.Close() }()
	c, err := verify.Against(context.Background(), library(t), "testdata/gates.onnx", ref, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// row finds a row by its name.
func row(t *testing.T, c *verify.Comparison, name string) *verify.Row {
	t.Helper()
	for i := range c.Rows {
		if c.Rows[i].Name == name {
			return &c.Rows[i]
		}
	}
	t.Fatalf("there is no row %s in %v", name, c.Rows)
	return nil
}

// reached is what one element of a map with 4 channels can reach through a 3x3 convolution.
const reached = 3 * 3 * 4

// TestGateFlips checks an export against what PyTorch computes with gates decided the other way: the one within rounding is
// a flip that explains all layers behind it; the one far from the threshold is an error, and so is a wrong bias.
func TestGateFlips(t *testing.T) {
	for _, test := range []struct {
		archive, first string
		flips, outside int // outside: of model.1, before flips
	}{
		{"gates.npz", "", 0, 0},
		{"gates-flip.npz", "", 1, reached},
		{"gates-far.npz", "model.1", 0, reached},
		{"gates-both.npz", "model.1", 0, 2 * reached},
		{"gates-next.npz", "model.2", 1, reached},
	} {
		t.Run(test.archive, func(t *testing.T) {
			seen := 0
			c := againstGates(t, test.archive, verify.AgainstOptions{Observe: func(verify.Row, engine.Tensor, engine.Tensor) { seen++ }})
			if c.FirstBad != test.first || c.OK() != (test.first == "") || c.Layers != 3 || seen != len(c.Rows) {
				t.Errorf("first divergent %q, OK() = %v, %d layers, %d of %d rows observed", c.FirstBad, c.OK(), c.Layers, seen, len(c.Rows))
			}
			if len(c.Gates.Flips) != test.flips {
				t.Fatalf("flips %v, want %d", c.Gates.Flips, test.flips)
			}
			gated := row(t, c, "model.1")
			if test.flips == 0 {
				if gated.Outside != test.outside || gated.Before != nil {
					t.Errorf("model.1: %d outside, want %d; before %v", gated.Outside, test.outside, gated.Before)
				}
				return
			}
			flip := c.Gates.Flips[0]
			if diff := cmp.Diff([]int64{1, 3, 2, 6}, flip.Index); diff != "" || flip.Limit != gateThreshold || flip.Gate != "/model/model.1/GreaterOrEqual" {
				t.Errorf("%v, %s", flip, diff)
			}
			if !gated.OK || gated.Outside != 0 || gated.Before == nil || gated.Before.Outside != test.outside {
				t.Errorf("model.1: %+v, before %+v; want %d outside before and 0 after", gated, gated.Before, test.outside)
			}
			if c.Gates.Comparisons != 1 || c.Gates.Decisions != 2*4*6*9 || c.Gates.Near < 1 {
				t.Errorf("%+v", c.Gates)
			}
		})
	}
}

// TestGateWindow: what counts as rounding follows the tolerance. With one that calls a ten-thousandth of the largest value
// rounding, five units in the last place are; with a strict one they are not.
func TestGateWindow(t *testing.T) {
	if c := againstGates(t, "gates-flip.npz", verify.AgainstOptions{Layer: 1e-5}); c.OK() || len(c.Gates.Flips) != 0 {
		t.Errorf("a flip further away than rounding by the tolerance was excused: %v", c.Gates.Flips)
	}
}

// withThreshold copies gates.onnx with another threshold, which is in it twice.
func withThreshold(t *testing.T, threshold float32) string {
	t.Helper()
	model, err := os.ReadFile("testdata/gates.onnx")
	if err != nil {
		t.Fatal(err)
	}
	old := binary.LittleEndian.AppendUint32(nil, math.Float32bits(gateThreshold))
	if n := bytes.Count(model, old); n != 2 {
		t.Fatalf("the threshold is in the file %d times", n)
	}
	model = bytes.ReplaceAll(model, old, binary.LittleEndian.AppendUint32(nil, math.Float32bits(threshold)))
	path := filepath.Join(t.TempDir(), "other.onnx")
	if err := os.WriteFile(path, model, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGatesOfFiles: of two files it is known which gates differ. A far threshold differs in more than rounding.
func TestGatesOfFiles(t *testing.T) {
	c, err := verify.AgainstFile(context.Background(), library(t), "testdata/gates.onnx", withThreshold(t, gateThreshold), verify.AgainstOptions{})
	if err != nil || !c.OK() || c.Layers != 3 || c.Gates.Differ != 0 || len(c.Inferred) != 2 || c.Rows[0].MaxAbs != 0 {
		t.Fatalf("with itself: %+v, %v", c, err)
	}
	c, err = verify.AgainstFile(context.Background(), library(t), "testdata/gates.onnx", withThreshold(t, 0.47), verify.AgainstOptions{})
	if err != nil || c.OK() || c.FirstBad != "model.1" || c.Gates.Differ < 10 || len(c.Gates.Flips) != 0 {
		t.Errorf("with a far threshold: %+v, %v", c, err)
	}
}

// stepped is y = x where x > 0.5, else 0, in a file with a layer called as this project calls it and the threshold as
// an initializer.
func stepped(op string) tiny.Model {
	return tiny.Model{
		Nodes: []tiny.Node{
			{Op: op, Name: "/model.0/gate", In: []string{"images", "half"}, Out: []string{"g"}},
			{Op: "Where", Name: "/model.0/where", In: []string{"g", "images", "zero"}, Out: []string{"model.0"}},
			{Op: "Relu", Name: "/model.1/relu", In: []string{"model.0"}, Out: []string{"output0"}},
		},
		Weights: []tiny.Weight{{Name: "half", Floats: []float32{0.5}}, {Name: "zero", Dims: []int64{1}, Floats: []float32{0}}},
		Inputs:  []tiny.Value{value("images", 1, 1, 2, 4)},
		Outputs: []tiny.Value{value("output0", 1, 1, 2, 4)},
		Info:    []tiny.Value{value("model.0", 1, 1, 2, 4), {Name: "g", Type: 9, Dims: []any{1, 1, 2, 4}}},
	}
}

// TestTies: rounding decides some of the values that equal a threshold one way and some the other. Where all of them
// would have to be flips, the comparison is another one, > for >=.
func TestTies(t *testing.T) {
	shape := []int64{1, 1, 2, 4}
	under := math.Nextafter32(0.5, 0)
	for _, test := range []struct {
		name    string
		in, out []float32
		flips   int
		note    string
	}{
		{"some ties", []float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 0.2, under}, []float32{0.5, 0.5, 0, 0, 0.5, 0.7, 0, under}, 4, ""},
		{"all ties", []float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 0.2, under}, []float32{0.5, 0.5, 0.5, 0.5, 0.5, 0.7, 0, 0}, 0,
			"all 5 values of /model.0/gate that equal their threshold would have to be flips: the comparison itself seems to differ, > for >="},
		{"no flip", []float32{0.5, 0.5, 0, 0, 0, 0.7, 0.2, 0.4}, []float32{0, 0, 0, 0, 0, 0.7, 0, 0.4}, 0, "no flips explain the first divergent value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ref := recorded{"input": {Shape: shape, Floats: test.in}, "layer.0": {Shape: shape, Floats: test.out}}
			c, err := verify.Against(context.Background(), library(t), save(t, stepped("Greater")), ref, verify.AgainstOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Gates.Flips) != test.flips || c.Gates.Note != test.note || c.OK() != (test.note == "") {
				t.Errorf("OK() = %v, %+v", c.OK(), c.Gates)
			}
		})
	}
}

// TestFlipsOfFiles: the threshold of one file is a value of the input, that of the other the next number above it, so that they
// decide one element otherwise. That is a flip, which explains the layer and the output, and nothing beside it: where the
// other file also gives something else for closed gates, it fails.
func TestFlipsOfFiles(t *testing.T) {
	const at = 5
	input := verify.Expect{Input: engine.IO{Dims: []int64{-1, 1, -1, -1}}}
	limit := input.Noise(1, 2, 4).Floats[at]
	model := func(limit, closed float32) string {
		m := stepped("GreaterOrEqual")
		m.Weights = []tiny.Weight{{Name: "half", Floats: []float32{limit}}, {Name: "zero", Dims: []int64{1}, Floats: []float32{closed}}}
		return save(t, m)
	}
	ours := model(limit, 0)
	for _, test := range []struct {
		name  string
		other string
		flips int
		first string // that diverges
	}{
		{"flip", model(math.Nextafter32(limit, 1), 0), 1, ""},
		{"flip and error", model(math.Nextafter32(limit, 1), 1e-3), 0, "model.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := verify.AgainstFile(context.Background(), library(t), ours, test.other, verify.AgainstOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if c.FirstBad != test.first || c.OK() != (test.first == "") || c.Layers != 1 || c.Gates.Differ != 1 || len(c.Gates.Flips) != test.flips {
				t.Fatalf("first divergent %q, %d layers, gates %+v", c.FirstBad, c.Layers, c.Gates)
			}
			if test.flips == 0 {
				return
			}
			want := verify.Flip{Gate: "/model.0/gate", Index: []int64{0, 0, 1, 1}, Got: verify.Number(limit), Limit: verify.Number(limit)}
			if diff := cmp.Diff(want, c.Gates.Flips[0]); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, r := range c.Rows {
				if r.Before == nil || r.Before.Outside != 1 || r.MaxAbs != 0 {
					t.Errorf("%s: %+v, before %+v; want one element outside before, and no difference after", r.Name, r, r.Before)
				}
			}
		})
	}
}

// TestGatesCannotBeMatched: two files that compare differently have no flips, whatever their values.
func TestGatesCannotBeMatched(t *testing.T) {
	c, err := verify.AgainstFile(context.Background(), library(t), save(t, stepped("Greater")), save(t, stepped("GreaterOrEqual")), verify.AgainstOptions{})
	if err != nil || !strings.HasPrefix(c.Gates.Note, "the gates of the two files could not be matched") {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestFlip inverts elements of a bool value, for everything that reads it.
func TestFlip(t *testing.T) {
	path := save(t, stepped("Greater"))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, engine.SessionOptions{Expose: []engine.IO{{Name: "half"}, {Name: "g", DType: engine.Bool, Dims: []int64{1}}}, Flip: []string{"g"}})
	in := []engine.Tensor{
		{Name: "images", Shape: []int64{1, 1, 2, 4}, Floats: []float32{0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9}},
		{Name: "g" + engine.FlipSuffix, Shape: []int64{1, 1, 2, 4}, Ints: []int64{1, 0, 0, 0, 0, 0, 0, 1}},
	}
	got, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Tensor{
		{Name: "output0", Shape: []int64{1, 1, 2, 4}, Floats: []float32{0.1, 0, 0, 0, 0.6, 0.7, 0.8, 0}},
		{Name: "half", Shape: []int64{1}, Floats: []float32{0.5}},
		{Name: "g", Shape: []int64{1, 1, 2, 4}, Ints: []int64{1, 0, 0, 0, 1, 1, 1, 0}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed, %v", err)
	}
	_, err = library(t).Open(context.Background(), path, engine.SessionOptions{Flip: []string{"nothing"}})
	if want := `no node makes ["nothing"]`; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestReadableTypes: scalars, float16 and float64 come back as float32.
func TestReadableTypes(t *testing.T) {
	m := tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Cast", Name: "/half", In: []string{"x"}, Out: []string{"half"}, Int: map[string]int64{"to": 10}},
			{Op: "Cast", Name: "/double", In: []string{"x"}, Out: []string{"double"}, Int: map[string]int64{"to": 11}},
			{Op: "ReduceMax", Name: "/max", In: []string{"x"}, Out: []string{"scalar"}, Int: map[string]int64{"keepdims": 0}},
		},
		Inputs:  []tiny.Value{value("x", 3)},
		Outputs: []tiny.Value{{Name: "half", Type: 10, Dims: []any{3}}, {Name: "double", Type: 11, Dims: []any{3}}, value("scalar")},
	}
	s := open(t, save(t, m), engine.SessionOptions{})
	got, err := s.Run(context.Background(), []engine.Tensor{{Name: "x", Shape: []int64{3}, Floats: []float32{1, 0.1, -65504}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Tensor{ // 0.1 in binary16 is 1638.4 rounded to 1638, over 2^14
		{Name: "half", Shape: []int64{3}, Floats: []float32{1, 1638.0 / 16384, -65504}},
		{Name: "double", Shape: []int64{3}, Floats: []float32{1, 0.1, -65504}},
		{Name: "scalar", Floats: []float32{1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// FuzzFlippable: what is not a model is an error; what is one stays one, with an input more for each value.
func FuzzFlippable(f *testing.F) {
	f.Add(stepped("Greater").Bytes(), "g")
	f.Add(stepped("Less").Bytes(), "nothing")
	f.Add([]byte{0x3a, 0x80}, "g")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		changed, err := flippable(b, []string{name})
		if err != nil {
			return
		}
		before, err := verify.StructureReader(context.Background(), bytes.NewReader(b), int64(len(b)), nil)
		if err != nil || !before.OK() {
			return
		}
		after, err := verify.StructureReader(context.Background(), bytes.NewReader(changed), int64(len(changed)), nil)
		if err != nil || len(after.Inputs) != len(before.Inputs)+1 || after.Nodes != before.Nodes+1 {
			t.Errorf("%v, %v", after, err)
		}
	})
}
