package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// pictured is a file of four layers: two in a row, one that is read past the next, and a head without a value of its own.
func pictured(metadata ...[2]string) tiny.Model {
	node := func(op, name, out string, in ...string) tiny.Node {
		return tiny.Node{Op: op, Name: name, In: in, Out: []string{out}}
	}
	return tiny.Model{
		Inputs:  []tiny.Value{{Name: "images", Type: 1, Dims: []any{"batch", 3}}},
		Outputs: []tiny.Value{{Name: "output0", Type: 1, Dims: []any{1, 6}}},
		Info:    []tiny.Value{{Name: "model.0", Type: 1, Dims: []any{"batch", 3}}, {Name: "model.1", Type: 1, Dims: []any{1, 3}}},
		Weights: []tiny.Weight{
			{Name: "model.0.conv.weight", Dims: []int64{2, 3}, Floats: make([]float32, 6)},
			{Name: "onnx::Conv_7", Dims: []int64{5}, Floats: make([]float32, 5)},
			{Name: "/model.3/grid", Dims: []int64{9}, Floats: make([]float32, 9)},
			{Name: "model.2.scale", Floats: []float32{2}},
			{Name: "model.2.index", Dims: []int64{1}, Ints: []int64{4}},
		},
		Nodes: []tiny.Node{
			node("Conv", "/model.0/conv/Conv", "/model.0/conv/Conv_output_0", "images", "model.0.conv.weight"),
			node("Relu", "/model.0/act/Relu", "model.0", "/model.0/conv/Conv_output_0"),
			node("Conv", "/model.1/conv/Conv", "model.1", "model.0", "onnx::Conv_7"),
			node("Mul", "/model.2/Mul", "model.2", "model.1", "model.2.scale"),
			node("Mul", "/model.2/Mul_1", "aside", "model.1", "model.2.index"),
			node("Add", "/model.3/Add", "/model.3/Add_output_0", "model.2", "/model.3/grid"),
			node("Concat", "/model.3/Concat", "output0", "/model.3/Add_output_0", "model.0", "model.0.conv.weight"),
		},
		Metadata: metadata,
	}
}

func TestPicture(t *testing.T) {
	draw := func(m tiny.Model) []Stage {
		t.Helper()
		facts := look(t, m.Bytes())
		if !facts.OK() {
			t.Fatal(facts.Err())
		}
		return facts.Picture()
	}
	images := []string{"batch", ""}
	want := []Stage{
		{Index: 0, From: []int{-1}, Makes: []string{"model.0"}, Output: engine.IO{Name: "model.0", DType: engine.Float32, Dims: []int64{-1, 3}, DimNames: images}, Nodes: 2, Parameters: 6},
		{Index: 1, From: []int{0}, Makes: []string{"model.1"}, Output: engine.IO{Name: "model.1", DType: engine.Float32, Dims: []int64{1, 3}}, Nodes: 1, Parameters: 5},
		{Index: 2, From: []int{1}, Makes: []string{"model.2"}, Output: engine.IO{Name: "model.2"}, Nodes: 2},
		{Index: 3, From: []int{0, 2}, Makes: []string{"output0"}, Output: engine.IO{Name: "output0", DType: engine.Float32, Dims: []int64{1, 6}}, Nodes: 2},
	}
	if diff := cmp.Diff(want, draw(pictured())); diff != "" {
		t.Errorf("from the graph alone (-want +got)\n%s", diff)
	}

	// The metadata say what the modules are, and know layers that left no node.
	rows := `[[[-1],"Conv"],[[-1],"Conv"],[[-1],"Scale"],[[0,-1],"Detect"],[[3],"Identity"]]`
	for i, module := range []string{"Conv", "Conv", "Scale", "Detect"} {
		want[i].Module = module
	}
	named := append(slices.Clone(want), Stage{Index: 4, From: []int{3}, Module: "Identity"})
	if diff := cmp.Diff(named, draw(pictured([2]string{"layers", rows}))); diff != "" {
		t.Errorf("with metadata (-want +got)\n%s", diff)
	}

	// What cannot be right in them leaves the graph's own arrows.
	for _, from := range []string{"7", "3", "-5"} {
		got := draw(pictured([2]string{"layers", strings.Replace(rows, "[0,-1]", "["+from+"]", 1)}))
		if diff := cmp.Diff([]int{0, 2}, got[3].From); diff != "" {
			t.Errorf("from %s (-want +got)\n%s", from, diff)
		}
	}

	plain := pictured([2]string{"layers", rows})
	for i := range plain.Nodes {
		plain.Nodes[i].Name = "n"
	}
	if got := draw(plain); got != nil {
		t.Errorf("a file without scopes has the layers %v", got)
	}
	broken := pictured()
	broken.Nodes[0].In[0] = "nowhere"
	if got := look(t, broken.Bytes()).Picture(); got != nil {
		t.Errorf("a file that is not right has the layers %v", got)
	}
}

func TestLayerOf(t *testing.T) {
	for name, want := range map[string]int{
		"/model.2/cv1/conv/Conv": 2, "/model.10/Concat": 10, "/model/model.24/m.0/Conv": 24, "model.11_nchwc": 11, "model.3": 3,
		"/model.0/act/Mul/QuickGeluFusion/": 0, "/model.999/x": 999,
		"": -1, "Conv_0": -1, "/model.x/Conv": -1, "/model.02/Conv": -1, "/model.-1/Conv": -1, "/model.1000/Conv": -1, "/model/Conv": -1,
		"ReorderOutput_token_206": -1, "/model.2x/Conv": -1,
	} {
		got, ok := LayerOf(name)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q belongs to layer %d, want %d", name, got, want)
		}
	}
}

func FuzzPicture(f *testing.F) {
	f.Add(pictured([2]string{"layers", `[[[-1],"Conv"]]`}).Bytes())
	f.Add(pictured().Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		stages := look(t, data).Picture()
		for i, s := range stages {
			if s.Index != i || len(stages) > maxStage+1 {
				t.Errorf("%d stages, the one at %d is %d", len(stages), i, s.Index)
			}
			for _, from := range s.From {
				if from < -1 || from >= i {
					t.Errorf("layer %d reads %d", i, from)
				}
			}
		}
	})
}
