package modules_test

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/heads"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
	"ysc2onnx/yamlcfg"
)

// oracleCase is one file of testdata/oracle/cases: a module with weights, inputs and PyTorch's output.
type oracleCase struct {
	Module string            `json:"module"`
	Args   []json.RawMessage `json:"args"`
	N      int               `json:"n"`
	Call   []json.RawMessage `json:"call"`
	C1     json.RawMessage   `json:"c1"`
	Stride []int64           `json:"stride"`
	// Flavour is that of the case's ScConv. Keys says that the parameters are to tell what the module is, as a checkpoint's do.
	Flavour string `json:"flavour"`
	Keys    bool   `json:"keys"`
	Tells   string `json:"tells"`

	// Pickled are the modules that a checkpoint would name, by path: the case is lowered as its model then.
	Pickled map[string]pickled `json:"pickled"`

	open bool // lower for a batch, height and width that are not known

	inputs  []engine.Tensor
	outputs []engine.Tensor
	tensors map[string]engine.Tensor
}

func readCase(t *testing.T, path string) *oracleCase {
	t.Helper()
	c := &oracleCase{tensors: map[string]engine.Tensor{}}
	if err := json.Unmarshal([]byte(readText(t, path, "meta.npy")), c); err != nil {
		t.Fatalf("%s: meta: %v", path, err)
	}
	z, err := verify.OpenNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, name := range z.Names() {
		if name == "meta" {
			continue
		}
		tensor, err := z.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		switch name[0] {
		case 'y':
			c.outputs = append(c.outputs, tensor)
		case 'x':
			tensor.Name = "in" + name[1:]
			c.inputs = append(c.inputs, tensor)
		default:
			c.tensors[strings.TrimPrefix(name, "p.")] = tensor
		}
	}
	return c
}

// readText reads a NumPy string, UTF-32, out of an archive.
func readText(t *testing.T, path, name string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	data = data[10+binary.LittleEndian.Uint16(data[8:]):]
	var text strings.Builder
	for ; len(data) >= 4; data = data[4:] {
		text.WriteRune(rune(binary.LittleEndian.Uint32(data)))
	}
	return text.String()
}

// Tensor implements Weights, and refuses a name or a shape that PyTorch does not have.
func (c *oracleCase) Tensor(name string, shape []int64, _ modules.Init) (onnxbuild.FloatSource, error) {
	t, ok := c.tensors[strings.TrimPrefix(name, "model.0.")]
	if !ok {
		return nil, fmt.Errorf("PyTorch's module has no %s", name)
	}
	if fmt.Sprint(t.Shape) != fmt.Sprint(shape) {
		return nil, fmt.Errorf("PyTorch's %s has the shape %v, not %v", name, t.Shape, shape)
	}
	delete(c.tensors, strings.TrimPrefix(name, "model.0."))
	return onnxbuild.Literal(t.Floats), nil
}

// lower makes the case's module through the table, as a row of a YAML would, and applies it.
func (c *oracleCase) lower(t *testing.T) *onnxbuild.Graph {
	t.Helper()
	g, err := c.tryLower(t)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// tryLower is lower of what may be refused.
func (c *oracleCase) tryLower(t *testing.T) (*onnxbuild.Graph, error) {
	t.Helper()
	var channels []int
	if json.Unmarshal(c.C1, &channels) != nil {
		channels = make([]int, 1)
		if err := json.Unmarshal(c.C1, &channels[0]); err != nil {
			t.Fatal(err)
		}
	}
	args, from := c.Args, "-1"
	if args == nil { // no row wires this call: its first argument is c1 and c2, the others follow as they are
		args = c.Call[:1]
	}
	if len(c.inputs) > 1 || modules.Builtin().Find(c.Module).New == nil {
		from = "[-1]"
	}
	cfg, diags := yamlcfg.Parse("case.yaml", strings.NewReader(fmt.Sprintf(`
nc: 1
depth_multiple: 1.0
width_multiple: 1.0
channel_multiple: 1
ch: %d
anchors: [[1, 1]]
backbone: [[%s, %d, %s, %s]]
head: []
`, channels[0], from, max(c.N, 1), c.Module, pythonList(args))))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	g := onnxbuild.New("case")
	var inputs []*onnxbuild.Value
	for _, x := range c.inputs {
		shape := onnxbuild.ShapeOf(x.Shape...)
		if c.open {
			for axis, name := range map[int]string{0: "batch", 2: "height", 3: "width"} {
				shape[axis] = onnxbuild.Sym(onnxbuild.Symbol{Name: name, Unit: 1})
			}
		}
		inputs = append(inputs, g.Input(x.Name, onnxbuild.Float32, shape))
	}
	var call modules.Module
	if c.Args == nil {
		call = c.scconv(t)
	}
	opt := modules.Options{Weights: c, Strides: c.Stride, Stage: heads.Decoded, Flavours: map[string]string{"SRU": c.Flavour}}
	if c.Keys || c.Pickled != nil {
		opt.Weights, opt.Flavours = trainedCase{c, maps.Clone(c.tensors)}, nil
	}
	outputs, err := modules.LowerRow(g, cfg, inputs, channels, call, opt)
	if err != nil {
		return nil, err
	}
	for i, y := range outputs {
		name := fmt.Sprintf("y%d", i)
		if y.Pinned { // an input, as nn.Identity gives it
			name = y.Name
		}
		g.Output(name, y)
	}
	return g, nil
}

// scconv makes the ScConv of a call (c, group_num) that no row wires.
func (c *oracleCase) scconv(t *testing.T) *modules.ScConv {
	t.Helper()
	var call []int
	raw, err := json.Marshal(c.Call)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &call); err != nil {
		t.Fatal(err)
	}
	args := modules.DefaultScConv
	if len(call) > 1 {
		args.Groups = call[1]
	}
	return modules.NewScConv(call[0], args)
}

// pythonList prints JSON values as a YAML row has them.
func pythonList(args []json.RawMessage) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = strings.NewReplacer("null", "None", "true", "True", "false", "False").Replace(string(a))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// TestModulesComputeWhatPyTorchComputes runs every committed case in ONNX Runtime, as lowered and optimised, at the
// oldest, the default and the newest opset.
func TestModulesComputeWhatPyTorchComputes(t *testing.T) {
	t.Parallel()
	runCases(t, "testdata/oracle/cases/*.npz", 30)
}

// runCases runs the cases in the files that match a pattern, at least the given number of them.
func runCases(t *testing.T, pattern string, least int) {
	t.Helper()
	rt := orttest.Runtime(t)
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) < least {
		t.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".npz"), func(t *testing.T) {
			for _, opset := range []int{onnxbuild.MinOpset, onnxbuild.DefaultOpset, onnxbuild.MaxOpset} {
				for _, optimize := range []bool{false, true} {
					c := readCase(t, file)
					if lowest := lowestOpset[c.Module]; opset < lowest {
						expectRefusal(t, c.lower(t), opset, lowest)
						continue
					}
					g := c.lower(t)
					for name := range c.tensors {
						t.Errorf("the module does not use %s", name)
					}
					if optimize {
						if err := passes.Run(g); err != nil {
							t.Fatal(err)
						}
					}
					got := runGraph(t, rt, g, opset, c.inputs)
					compareOutputs(t, fmt.Sprintf("opset %d, optimised %t (%s)", opset, optimize, c.Tells), got, c.outputs)
				}
			}
		})
	}
}

// lowestOpset has the modules that not every opset can write.
var lowestOpset = map[string]int{"DCNv2": 19, "C3_DCN": 19}

// expectRefusal demands that a graph cannot be written at an opset, and that the error names the lowest that works.
func expectRefusal(t *testing.T, g *onnxbuild.Graph, opset, lowest int) {
	t.Helper()
	_, err := g.AtOpset(opset)
	if e := (*onnxbuild.OpsetError)(nil); !errors.As(err, &e) || e.Opset != opset || e.Lowest != lowest {
		t.Errorf("opset %d: %v, expected a refusal that names opset %d", opset, err, lowest)
	}
	if _, err := g.AtOpset(lowest); err != nil {
		t.Errorf("opset %d: %v", lowest, err)
	}
}

// evaluate computes a graph of the case in the reference interpreter.
func (c *oracleCase) evaluate(t *testing.T, g *onnxbuild.Graph) (got []engine.Tensor) {
	t.Helper()
	inputs := map[string]*reference.Array{}
	for i, x := range c.inputs {
		array := &reference.Array{DType: onnxbuild.Float32, Shape: x.Shape, Data: make([]float64, len(x.Floats))}
		for k, f := range x.Floats {
			array.Data[k] = float64(f)
		}
		inputs[g.Inputs[i].Name] = array
	}
	var names []string
	for _, y := range g.Outputs {
		names = append(names, y.Name)
	}
	values, err := reference.Run(context.Background(), g, inputs, names)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		y := engine.Tensor{Name: name, Shape: values[name].Shape}
		for _, x := range values[name].Data {
			y.Floats = append(y.Floats, float32(x))
		}
		got = append(got, y)
	}
	return got
}

// TestReferenceComputesWhatPyTorchComputes evaluates every committed case in the reference interpreter, which exports are
// compared with: as lowered, without a runtime.
func TestReferenceComputesWhatPyTorchComputes(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/cases/*.npz")
	if err != nil || len(files) < 30 {
		t.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".npz"), func(t *testing.T) {
			c := readCase(t, file)
			g := c.lower(t)
			compareOutputs(t, c.Tells, c.evaluate(t, g), c.outputs)
		})
	}
}

// checkpointsOnly are modules that are made of checkpoints only, with what PyTorch recorded of one.
var checkpointsOnly = map[string]string{
	"C3Pruned": "../testdata/pruned/fork.npz", "SPPFPruned": "../testdata/pruned/fork.npz",
	"C3PrunedNoRes": "../testdata/pruned/nores.npz", "SPPPruned": "../testdata/pruned/nores.npz",
}

// TestEveryModuleHasACase demands an oracle case, a source and a doc line for every row of the table.
func TestEveryModuleHasACase(t *testing.T) {
	files, err := filepath.Glob("testdata/oracle/cases/*.npz")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, file := range files {
		have[readCase(t, file).Module] = true
	}
	for _, spec := range modules.Builtin().Specs() {
		if spec.Origin() == "" {
			t.Errorf("%s: its Spec does not say where the definition was read: Source", spec.Name)
		}
		if file := checkpointsOnly[spec.Name]; file != "" { // TestPruned compares them
			if _, err := os.Stat(file); err != nil {
				t.Error(err)
			}
			continue
		}
		if !have[spec.Name] {
			t.Errorf("%s has no case in testdata/oracle/cases", spec.Name)
		}
	}
}

func runGraph(t *testing.T, rt engine.Runtime, g *onnxbuild.Graph, opset int, inputs []engine.Tensor) []engine.Tensor {
	t.Helper()
	w, err := g.AtOpset(opset)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "case.onnx")
	if _, err := onnxfile.WriteFile(context.Background(), path, w, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	facts, err := verify.Structure(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	expectSound(t, facts, w, opset, inputs)
	s, err := rt.Open(context.Background(), path, engine.SessionOptions{Threads: 1}) // small graphs: threads take longer to start
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	out, err := s.Run(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, y := range out {
		if declared := facts.Outputs[i].Dims; !slices.Equal(declared, y.Shape) {
			t.Errorf("opset %d: the shape %v is declared, %v comes out", opset, declared, y.Shape)
		}
	}
	return out
}

// expectSound demands a file in which nothing is wrong, unused or left unsaid, with the case's inputs and outputs.
func expectSound(t *testing.T, facts *verify.Facts, w *onnxbuild.Written, opset int, inputs []engine.Tensor) {
	t.Helper()
	if !facts.OK() || len(facts.Unused)+len(facts.Untyped)+len(facts.Notes)+len(facts.External)+facts.Functions > 0 {
		t.Errorf("opset %d: problems %q, unused %q, untyped %q, notes %q, data files %q, %d functions",
			opset, facts.Problems, facts.Unused, facts.Untyped, facts.Notes, facts.External, facts.Functions)
	}
	if facts.Opset != int64(opset) || facts.Nodes != len(w.Nodes) {
		t.Errorf("opset %d and %d nodes were asked for, the file has %d and %d", opset, len(w.Nodes), facts.Opset, facts.Nodes)
	}
	got, want := []string{}, []string{}
	for _, x := range facts.Inputs {
		got = append(got, fmt.Sprint(x.Name, x.Dims))
	}
	for _, x := range inputs {
		want = append(want, fmt.Sprint(x.Name, x.Shape))
	}
	for _, y := range facts.Outputs {
		got = append(got, y.Name)
	}
	for _, y := range w.Graph.Outputs {
		want = append(want, y.Name)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("opset %d: inputs and outputs %v for %v", opset, got, want)
	}
}

// compareOutputs allows 2e-6 of the largest value, some ten roundings of float32.
func compareOutputs(t *testing.T, what string, got, want []engine.Tensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d outputs, PyTorch has %d", what, len(got), len(want))
	}
	for i := range want {
		if worst, largest := distance(t, what, got[i], want[i]); worst > 2e-6*largest {
			t.Errorf("%s: output %d differs by %g from PyTorch's, whose largest value is %g", what, i, worst, largest)
		}
	}
}

// distance gives the largest difference and the largest value of what is wanted.
func distance(t *testing.T, what string, got, want engine.Tensor) (worst, largest float64) {
	t.Helper()
	if fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) {
		t.Fatalf("%s: the shape is %v, PyTorch's %v", what, got.Shape, want.Shape)
	}
	for i := range want.Floats {
		largest = max(largest, math.Abs(float64(want.Floats[i])))
		d := math.Abs(float64(got.Floats[i]) - float64(want.Floats[i]))
		if math.IsNaN(d) {
			t.Fatalf("%s: element %d is %g, PyTorch's %g", what, i, got.Floats[i], want.Floats[i])
		}
		worst = max(worst, d)
	}
	return worst, largest
}
