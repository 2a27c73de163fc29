package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// sound is x [batch,2] -> Add a -> model.0 -> Relu -> y, complete in all things.
func sound() tiny.Model {
	dims := []any{"batch", 2}
	return tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Add", Name: "/model.0/Add", In: []string{"x", "a"}, Out: []string{"model.0"}},
			{Op: "Relu", Name: "/model.1/Relu", In: []string{"model.0"}, Out: []string{"y"}},
		},
		Weights:  []tiny.Weight{{Name: "a", Dims: []int64{2}, Floats: []float32{0.5, -1}}},
		Inputs:   []tiny.Value{{Name: "x", Type: 1, Dims: dims}},
		Outputs:  []tiny.Value{{Name: "y", Type: 1, Dims: dims}},
		Info:     []tiny.Value{{Name: "model.0", Type: 1, Dims: dims}},
		Metadata: [][2]string{{"stride", "32"}},
	}
}

// look runs the structure check on bytes; external files have 16 bytes each.
func look(t *testing.T, b []byte) *Facts {
	t.Helper()
	facts, err := StructureReader(context.Background(), bytes.NewReader(b), int64(len(b)), func(name string) (int64, error) {
		if name == "gone.bin" {
			return 0, os.ErrNotExist
		}
		return 16, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestStructureFacts(t *testing.T) {
	facts := look(t, sound().Bytes())
	dims, names := []int64{-1, 2}, []string{"batch", ""}
	want := &Facts{
		IRVersion: 8, Opset: 17, Graph: "tiny", Nodes: 2, Initializers: 1, WeightBytes: 8,
		Inputs: []engine.IO{{Name: "x", DType: engine.Float32, Dims: dims, DimNames: names}}, Outputs: []engine.IO{{Name: "y", DType: engine.Float32, Dims: dims, DimNames: names}},
		Metadata: map[string]string{"stride": "32"},
	}
	if diff := cmp.Diff(want, facts, cmpopts.IgnoreUnexported(Facts{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := facts.exported(); err != nil {
		t.Error(err)
	}
	if v, ok := facts.Value("model.0"); !ok || v.String() != "model.0 float32 [batch, 2]" {
		t.Errorf("model.0 is %v, %v", v, ok)
	}
	if _, ok := facts.Value("x"); ok {
		t.Error("a graph input is not a value that a node makes")
	}
	if got := facts.Summary(); got != "2 nodes, 1 initializers" {
		t.Errorf("Summary() = %q", got)
	}
}

func TestStructureProblems(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(m *tiny.Model)
		want  string
	}{
		{"order", func(m *tiny.Model) { m.Nodes[0], m.Nodes[1] = m.Nodes[1], m.Nodes[0] },
			`node 0 (Relu "/model.1/Relu"): input 0, "model.0", is no graph input, initializer or output of an earlier node`},
		{"missing input", func(m *tiny.Model) { m.Nodes[0].In[1] = "b" },
			`node 0 (Add "/model.0/Add"): input 1, "b", is no graph input, initializer or output of an earlier node`},
		{"assigned twice", func(m *tiny.Model) { m.Nodes[1].Out[0] = "model.0"; m.Outputs[0].Name = "model.0" },
			`node 1 (Relu "/model.1/Relu"): the name "model.0" is already taken by another value`},
		{"weight overwritten", func(m *tiny.Model) { m.Nodes[1].Out = []string{"y", "a"} },
			`node 1 (Relu "/model.1/Relu"): the name "a" is already taken by another value`},
		{"weight twice", func(m *tiny.Model) { m.Weights = append(m.Weights, m.Weights[0]) }, `initializer "a" is given twice`},
		{"input twice", func(m *tiny.Model) { m.Inputs = append(m.Inputs, m.Inputs[0]) }, `graph input: the name "x" is already taken by another value`},
		{"output not made", func(m *tiny.Model) { m.Outputs[0].Name = "z" }, `graph output "z" is made by no node`},
		{"no outputs", func(m *tiny.Model) { m.Outputs = nil }, "the graph has no outputs"},
		{"output untyped", func(m *tiny.Model) { m.Outputs[0].Type = 0 }, `graph output "y" has no type`},
		{"input untyped", func(m *tiny.Model) { m.Inputs[0].Type = 0 }, `graph input "x" has no type`},
		{"no operator", func(m *tiny.Model) { m.Nodes[1].Op = "" }, `node 1 ( "/model.1/Relu") has no operator`},
		{"makes nothing", func(m *tiny.Model) { m.Nodes = append(m.Nodes, tiny.Node{Op: "Relu", In: []string{"x"}}) }, `node 2 (Relu "") makes nothing`},
		{"domain", func(m *tiny.Model) { m.Nodes[1].Domain = "com.acme" }, `node 1 (Relu "/model.1/Relu"): no opset is imported for domain "com.acme"`},
		{"info twice", func(m *tiny.Model) { m.Info = append(m.Info, tiny.Value{Name: "model.0", Type: 1, Dims: []any{3}}) },
			`value_info of "model.0" is given twice, as model.0 float32 [batch, 2] and model.0 float32 [3]`},
		{"raw short", func(m *tiny.Model) { m.Weights[0].Floats = []float32{1} }, `initializer "a": has 4 bytes, but float32 2 takes 8`},
		{"values short", func(m *tiny.Model) { m.Weights[0] = tiny.Weight{Name: "a", Dims: []int64{3}, Ints: []int64{1, 2}} },
			`initializer "a": has 2 values, but its shape 3 takes 3`},
		{"no data", func(m *tiny.Model) { m.Weights[0].Floats = nil }, `initializer "a": has 0 values, but its shape 2 takes 2`},
		{"both kinds of data", func(m *tiny.Model) { m.Weights[0].Ints = []int64{1, 2}; m.Weights[0].Type = 1 },
			`initializer "a": has both raw data and 2 typed values`},
		{"negative shape", func(m *tiny.Model) { m.Weights[0].Dims = []int64{-2} }, `initializer "a": shape [-2] is not possible`},
		{"overflowing shape", func(m *tiny.Model) { m.Weights[0].Dims = []int64{1 << 31, 1 << 31} }, `initializer "a": shape [2147483648 2147483648] is not possible`},
		{"unknown type", func(m *tiny.Model) { m.Weights[0].Type = 99 }, `initializer "a": element type 99 is not known`},
		{"no opset", func(m *tiny.Model) { m.Opset = -1 }, "no opset is imported for ONNX's own operators"},
		{"no IR", func(m *tiny.Model) { m.IR = -1 }, "the file has no IR version"},
		{"metadata twice", func(m *tiny.Model) { m.Metadata = append(m.Metadata, m.Metadata[0]) }, `metadata "stride" is given twice`},
		{"inner graph", func(m *tiny.Model) {
			m.Nodes[1].Graph = &tiny.Model{Nodes: []tiny.Node{{Op: "Neg", Name: "n", In: []string{"later"}, Out: []string{"inner"}}}, Outputs: []tiny.Value{{Name: "inner"}}}
		}, `node 0 (Neg "n"): input 0, "later", is no graph input, initializer or output of an earlier node`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := sound()
			test.spoil(&m)
			if diff := cmp.Diff([]string{test.want}, look(t, m.Bytes()).Problems); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestStructureNotes covers what is unusual and no fault: each is a note, and an export must not do it.
func TestStructureNotes(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(m *tiny.Model)
		want  string
	}{
		{"opset of the future", func(m *tiny.Model) { m.Opset = 99 }, "opset 99 is newer than what is known here"},
		{"old IR", func(m *tiny.Model) { m.IR = 7 }, "IR version 7 is older than opset 17, which came with 8"},
		{"edge without a type", func(m *tiny.Model) { m.Info = nil }, `1 of 2 values have no value_info; the first is "model.0"`},
		{"output without a shape", func(m *tiny.Model) { m.Outputs[0].Shapeless = true }, `graph output "y" has no shape`},
		{"info twice, the same", func(m *tiny.Model) { m.Info = append(m.Info, m.Info[0]) }, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := sound()
			test.spoil(&m)
			facts := look(t, m.Bytes())
			if !facts.OK() || strings.Join(facts.Notes, "; ") != test.want {
				t.Errorf("notes %q, problems %q, want the note %q", facts.Notes, facts.Problems, test.want)
			}
			if err := facts.exported(); (err == nil) != (test.want == "" || test.name == "output without a shape") {
				t.Errorf("exported: %v", err)
			}
		})
	}
}

// TestStructurePromises covers what ONNX allows and an export must not do.
func TestStructurePromises(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(m *tiny.Model)
		want  string
	}{
		{"edge without a type", func(m *tiny.Model) { m.Info = nil }, `1 values have no value_info with type and shape, the first is "model.0"`},
		{"edge without a shape", func(m *tiny.Model) { m.Info[0].Shapeless = true }, `1 values have no value_info with type and shape, the first is "model.0"`},
		{"high IR", func(m *tiny.Model) { m.IR = 9 }, "IR version is 9; the lowest that allows opset 17 is 8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := sound()
			test.spoil(&m)
			facts := look(t, m.Bytes())
			if !facts.OK() {
				t.Errorf("problems: %v", facts.Problems)
			}
			if err := facts.exported(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestStructureExternalData(t *testing.T) {
	tests := []struct {
		name  string
		place map[string]string
		want  []string
	}{
		{"fits", map[string]string{"location": "w.bin", "offset": "8", "length": "8"}, nil},
		{"whole", map[string]string{"location": "w.bin"}, nil},
		{"past the end", map[string]string{"location": "w.bin", "offset": "9"}, []string{`initializer "a": external data "w.bin" has 16 bytes, too few for 8 from byte 9 on`}},
		{"in a folder", map[string]string{"location": "weights/w.bin", "length": "8"}, nil},
		{"far past the end", map[string]string{"location": "w.bin", "offset": "9223372036854775807"},
			[]string{`initializer "a": external data "w.bin" has 16 bytes, too few for 8 from byte 9223372036854775807 on`}},
		{"wrong length", map[string]string{"location": "w.bin", "length": "4"}, []string{`initializer "a": external data has 4 bytes, but float32 2 takes 8`}},
		{"no number", map[string]string{"location": "w.bin", "offset": "-1"}, []string{`initializer "a": external data has the offset "-1", want a number of bytes`}},
		{"not there", map[string]string{"location": "gone.bin"}, []string{`external data "gone.bin": file does not exist`}},
		{"parent", map[string]string{"location": "../w.bin"}, []string{`external data "../w.bin" is not the plain name of a file beside the model, or in a folder there`}},
		{"absolute", map[string]string{"location": "/etc/passwd"}, []string{`external data "/etc/passwd" is not the plain name of a file beside the model, or in a folder there`}},
		{"nowhere", map[string]string{}, []string{`external data "" is not the plain name of a file beside the model, or in a folder there`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := sound()
			m.Weights[0] = tiny.Weight{Name: "a", Dims: []int64{2}, Place: test.place}
			if diff := cmp.Diff(test.want, look(t, m.Bytes()).Problems); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestStructureInParts reads a model whose graph comes in two parts, as protobuf
// allows: a whole file, then more of the same message.
func TestStructureInParts(t *testing.T) {
	more := tiny.Model{IR: -1, Opset: -1, Outputs: []tiny.Value{{Name: "model.0", Type: 1, Dims: []any{"batch", 2}}}}
	facts := look(t, append(sound().Bytes(), more.Bytes()...))
	if !facts.OK() || len(facts.Outputs) != 2 || facts.Nodes != 2 {
		t.Errorf("%d outputs, %d nodes, problems %v", len(facts.Outputs), facts.Nodes, facts.Problems)
	}
}

func TestStructureUnusedWeight(t *testing.T) {
	m := sound()
	m.Weights = append(m.Weights, tiny.Weight{Name: "idle", Dims: []int64{1}, Floats: []float32{1}})
	facts := look(t, m.Bytes())
	if got, want := facts.Summary(), `2 nodes, 2 initializers (1 unused, first "idle")`; got != want || !facts.OK() {
		t.Errorf("Summary() = %q, problems %v", got, facts.Problems)
	}
}

// TestStructureCut cuts a sound file at every byte: each piece is refused or
// found wrong, except where the cut falls between fields of the model.
func TestStructureCut(t *testing.T) {
	m := sound()
	m.Metadata = nil
	whole := m.Bytes()
	for n := range whole {
		if facts := look(t, whole[:n]); facts.OK() {
			t.Errorf("the first %d of %d bytes pass", n, len(whole))
		}
	}
	facts := look(t, whole[:len(whole)/2])
	if len(facts.Problems) != 1 || !strings.HasPrefix(facts.Problems[0], "not an ONNX file: byte 2: field 7 says it is ") {
		t.Errorf("problems: %q", facts.Problems)
	}
}

func TestStructureManyProblems(t *testing.T) {
	m := sound()
	for range 30 {
		m.Nodes = append(m.Nodes, tiny.Node{Op: "Relu", In: []string{"x"}})
	}
	facts := look(t, m.Bytes())
	if len(facts.Problems) != maxProblems || facts.MoreProblems != 10 || !strings.HasSuffix(facts.Err().Error(), "; and 10 more") {
		t.Errorf("%d problems and %d more: %v", len(facts.Problems), facts.MoreProblems, facts.Err())
	}
}

func TestStructureOnDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	m := sound()
	m.Weights[0] = tiny.Weight{Name: "a", Dims: []int64{2}, Place: map[string]string{"location": "m.bin"}}
	write(t, path, m.Bytes())
	facts, err := Structure(context.Background(), path)
	if err != nil || facts.OK() {
		t.Errorf("without its external data: %v, %v", facts, err)
	}
	write(t, filepath.Join(dir, "m.bin"), make([]byte, 8))
	facts, err = Structure(context.Background(), path)
	if err != nil || !facts.OK() || !cmp.Equal(facts.External, []string{"m.bin"}) {
		t.Errorf("with its external data: %v, %v", facts, err)
	}
	if _, err := Structure(context.Background(), filepath.Join(dir, "none.onnx")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Structure(context.Background(), dir); err == nil {
		t.Error("a folder was read")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Structure(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzStructure(f *testing.F) {
	m := sound()
	f.Add(m.Bytes())
	m.Weights[0] = tiny.Weight{Name: "a", Dims: []int64{2}, Place: map[string]string{"location": "w.bin", "offset": "8"}}
	m.Nodes[1].Graph = &tiny.Model{Nodes: []tiny.Node{{Op: "Neg", In: []string{"x"}, Out: []string{"inner"}}}, Outputs: []tiny.Value{{Name: "inner"}}}
	f.Add(m.Bytes())
	m.Nodes[0].Name, m.Nodes[1].Name = "/model.0/a", "/model.1/b"
	m.Nodes = append(m.Nodes, tiny.Node{Op: "Greater", Name: "/model.1/c", In: []string{"x", "a"}, Out: []string{"gate"}})
	f.Add(m.Bytes())
	for _, name := range []string{"ok_functions", "ok_function_attribute", "bad_function_recursive", "ok_sparse_full", "ok_sparse_constant", "ok_if", "ok_typed_int4"} {
		b, err := os.ReadFile("testdata/files/" + name + ".onnx")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := StructureReader(context.Background(), bytes.NewReader(b), int64(len(b)), nil)
		if err != nil {
			t.Fatalf("bytes in memory cannot fail to be read: %v", err)
		}
		if facts.OK() && len(facts.Outputs) == 0 {
			t.Error("a model without outputs passes")
		}
		if !facts.OK() { // nothing is asked of such a file
			return
		}
		p := &pairing{ours: facts.wiring(), theirs: facts.wiring()}
		p.a, p.b = p.ours.convolutions(), p.theirs.convolutions()
		p.to = make([]int, len(p.a))
		for i := range p.to {
			p.to[i] = i
		}
		for a, b := range p.correspond().to { // a file and itself
			if p.ours.origin(b) != a {
				t.Errorf("%q is taken for %q", a, b)
			}
		}
		layers, _ := facts.layerValues()
		for i, v := range layers {
			if _, made := facts.Value(v.Name); !made {
				t.Errorf("layer %d gives %q, which no node makes", i, v.Name)
			}
		}
		for _, g := range facts.gates() {
			if !facts.upstream(g.outputs[0])[g.a] {
				t.Errorf("%q is not upstream of what compares it", g.a)
			}
		}
	})
}
