package reference_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// recorded is one case of testdata/operators.json.
type recorded struct {
	Name, Tells     string
	Inputs, Outputs []array
}

type array struct {
	DType string
	Shape []int64
	Data  []float64
}

// dtype is the type that a recorded tensor has in a graph.
func (a array) dtype() onnxbuild.DType {
	return map[string]onnxbuild.DType{"float32": onnxbuild.Float32, "int64": onnxbuild.Int64, "bool": onnxbuild.Bool}[a.DType]
}

// tensor is the array as an initializer.
func (a array) tensor() *onnxbuild.Tensor {
	t := &onnxbuild.Tensor{DType: a.dtype(), Shape: a.Shape}
	if t.DType != onnxbuild.Float32 {
		for _, x := range a.Data {
			t.Ints = append(t.Ints, int64(x))
		}
		return t
	}
	floats := make(onnxbuild.Literal, len(a.Data))
	for i, x := range a.Data {
		floats[i] = float32(x)
	}
	t.Floats = floats
	return t
}

// build adds the case's node. x are the case's inputs as inputs of the graph, c the same as initializers.
type build func(b onnxbuild.Builder, x, c []*onnxbuild.Value) []*onnxbuild.Value

// one wraps operators with a single output.
func one(f func(b onnxbuild.Builder, x, c []*onnxbuild.Value) *onnxbuild.Value) build {
	return func(b onnxbuild.Builder, x, c []*onnxbuild.Value) []*onnxbuild.Value {
		return []*onnxbuild.Value{f(b, x, c)}
	}
}

// graph is a case's graph; the inputs are called x0, x1, …, the outputs y0, y1, ….
func (c recorded) graph(t *testing.T) *onnxbuild.Graph {
	t.Helper()
	g := onnxbuild.New("case")
	var x, consts []*onnxbuild.Value
	for i, in := range c.Inputs {
		x = append(x, g.Input("x"+string(rune('0'+i)), in.dtype(), onnxbuild.ShapeOf(in.Shape...)))
		consts = append(consts, g.Build().Constant("c", in.tensor()))
	}
	for _, cases := range []map[string]build{arithmetic, windows, matrices, moves} {
		if f := cases[c.Name]; f != nil {
			for i, v := range f(g.Build(), x, consts) {
				g.Output("y"+string(rune('0'+i)), v)
			}
		}
	}
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	if len(g.Outputs) != len(c.Outputs) {
		t.Fatalf("%d outputs are built, %d recorded", len(g.Outputs), len(c.Outputs))
	}
	return g
}

func cases(t *testing.T) (list []recorded) {
	t.Helper()
	text, err := os.ReadFile("testdata/operators.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestOperators computes every case and compares it with PyTorch's float64.
func TestOperators(t *testing.T) {
	used, recorded := map[string]bool{}, cases(t)
	for _, c := range recorded {
		t.Run(c.Name, func(t *testing.T) {
			g, inputs := c.graph(t), map[string]*reference.Array{}
			for i, v := range g.Inputs {
				inputs[v.Name] = &reference.Array{DType: v.DType, Shape: c.Inputs[min(i, len(c.Inputs)-1)].Shape, Data: c.Inputs[min(i, len(c.Inputs)-1)].Data}
			}
			var names []string
			for _, v := range g.Outputs {
				names = append(names, v.Name)
			}
			for _, n := range g.Nodes {
				used[n.Op.Name] = true
			}
			got, err := reference.Run(context.Background(), g, inputs, names)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range c.Outputs {
				// A few roundings of float64: float32 anywhere on the way would show.
				compare(t, c.Tells, got[names[i]].Shape, got[names[i]].Data, want, 1e-14)
			}
		})
	}
	if built := len(arithmetic) + len(windows) + len(matrices) + len(moves); len(recorded) != built {
		t.Errorf("%d cases are recorded, %d are built", len(recorded), built)
	}
	for _, name := range onnxbuild.OpNames() {
		if !used[name] {
			t.Errorf("%s has no case in testdata/operators.json", name)
		}
		if !reference.HasDefinition(name) {
			t.Errorf("%s has no definition", name)
		}
	}
	if got, want := reference.Definitions(), len(onnxbuild.OpNames()); got != want {
		t.Errorf("there are %d definitions for %d operators", got, want)
	}
}

// lowest are the opsets that cases need; all others can be written at each.
var lowest = map[string]int{
	"Cast to bfloat16": 13, "GatherND in batches": 12, "AveragePool rounded up with padding": 19,
	"DeformConv": 19, "DeformConv without a mask": 19,
}

// TestRuntime has ONNX Runtime compute every case, at each opset, from the form that the operator has there.
func TestRuntime(t *testing.T) {
	rt := orttest.Runtime(t)
	left := maps.Clone(lowest)
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			g := c.graph(t)
			delete(left, c.Name)
			for opset := onnxbuild.MinOpset; opset <= onnxbuild.MaxOpset; opset++ {
				w, err := g.AtOpset(opset)
				if first := lowest[c.Name]; opset < first {
					if e := (*onnxbuild.OpsetError)(nil); !errors.As(err, &e) || e.Lowest != first {
						t.Fatalf("opset %d: got %v, expected a refusal that names %d", opset, err, first)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				c.run(t, rt, w)
			}
		})
	}
	for name := range left {
		t.Errorf("there is no case %q", name)
	}
}

func (c recorded) run(t *testing.T, rt engine.Runtime, w *onnxbuild.Written) {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "case.onnx")
	if _, err := onnxfile.WriteFile(ctx, path, w, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	facts, err := verify.Structure(ctx, path)
	if err == nil {
		err = facts.Err()
	}
	if err != nil {
		t.Fatalf("opset %d: %v", w.Opset, err)
	}
	session, err := rt.Open(ctx, path, engine.SessionOptions{Threads: 1, Optimization: engine.OptimizeNone})
	if err != nil {
		t.Fatalf("opset %d: %v", w.Opset, err)
	}
	defer func() {
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}()
	var inputs []engine.Tensor
	for i, v := range w.Graph.Inputs {
		from := c.Inputs[min(i, len(c.Inputs)-1)].tensor()
		in := engine.Tensor{Name: v.Name, Shape: from.Shape, Ints: from.Ints}
		if from.Floats != nil {
			if in.Floats, err = from.ReadAll(); err != nil {
				t.Fatal(err)
			}
		}
		inputs = append(inputs, in)
	}
	outputs, err := session.Run(ctx, inputs)
	if err != nil {
		t.Fatalf("opset %d: %v", w.Opset, err)
	}
	for i, got := range outputs {
		data := make([]float64, 0, len(got.Floats)+len(got.Ints))
		for _, x := range got.Floats {
			data = append(data, float64(x))
		}
		for _, x := range got.Ints {
			data = append(data, float64(x))
		}
		// Of 256 roundings of float32, each of half of 2^-23 of the largest number: no case adds more terms.
		compare(t, c.Tells, got.Shape, data, c.Outputs[i], 256*math.Pow(2, -24))
		if t.Failed() {
			t.Fatalf("at opset %d, written as %v", w.Opset, w.Nodes)
		}
	}
}

// compare allows each element to differ by a part of the largest.
func compare(t *testing.T, what string, shape []int64, got []float64, want array, part float64) {
	t.Helper()
	if !slices.Equal(shape, want.Shape) || len(got) != len(want.Data) {
		t.Fatalf("%s: got %v, PyTorch %v", what, shape, want.Shape)
	}
	largest := 0.0
	for _, w := range want.Data {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want.Data {
		if !(math.Abs(got[i]-w) <= part*largest) {
			t.Errorf("%s: element %d is %v, PyTorch's %v", what, i, got[i], w)
			return
		}
	}
}
