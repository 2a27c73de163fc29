package definition_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"ysc2onnx/modules"
	"ysc2onnx/modules/definition"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/reference"
	"ysc2onnx/verify"
	"ysc2onnx/yamlcfg"
)

const example = "../../examples/modules/gates.yaml"

// recorded are tensors that PyTorch has; others are those of the head, which is not compared.
type recorded struct {
	npz  *verify.NPZ
	used map[string]bool
}

func (r recorded) Tensor(name string, shape []int64, init modules.Init) (onnxbuild.FloatSource, error) {
	if strings.HasPrefix(name, "model.5.") {
		return init(1, name), nil
	}
	t, err := r.npz.Read("p." + name)
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(t.Shape) != fmt.Sprint(shape) {
		return nil, fmt.Errorf("PyTorch's %s has the shape %v, not %v", name, t.Shape, shape)
	}
	r.used["p."+name] = true
	return onnxbuild.Literal(t.Floats), nil
}

// lower lowers a YAML's text with weights.
func lower(text string, w modules.Weights) (*modules.Model, error) {
	cfg, diags := yamlcfg.Parse("gates.yaml", strings.NewReader(text))
	if cfg == nil || diags.HasErrors() {
		return nil, diags.Err()
	}
	registry := modules.Builtin()
	if definition.Add(registry, cfg.Definitions, diags); diags.HasErrors() {
		return nil, diags.Err()
	}
	net, found := modules.Parse(cfg, modules.ParseOptions{Registry: registry})
	diags.Append(found)
	m, found := modules.Lower(context.Background(), net, modules.Options{
		Batch: onnxbuild.D(2), Height: onnxbuild.D(16), Width: onnxbuild.D(24), Weights: w,
	})
	diags.Append(found)
	diags.Sort()
	return m, diags.Err()
}

// TestExampleComputesWhatPyTorchComputes compares every layer of the example with what PyTorch's classes gave, and demands
// that the definitions have the same parameters.
func TestExampleComputesWhatPyTorchComputes(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	npz, err := verify.OpenNPZ("testdata/gates.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = npz.Close() }()
	w := recorded{npz, map[string]bool{}}
	m, err := lower(string(text), w)
	if err != nil {
		t.Fatal(err)
	}
	x, err := npz.Read("x")
	if err != nil {
		t.Fatal(err)
	}
	image := &reference.Array{DType: onnxbuild.Float32, Shape: x.Shape}
	for _, v := range x.Floats {
		image.Data = append(image.Data, float64(v))
	}
	names := map[string]string{}
	var list []string
	for i := range 5 {
		name := m.Graph.Marked(modules.LayerName(i)).Name
		names[fmt.Sprintf("y%d", i)], list = name, append(list, name)
	}
	got, err := reference.Run(context.Background(), m.Graph, map[string]*reference.Array{"images": image}, list)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range npz.Names() {
		if strings.HasPrefix(key, "p.") && !w.used[key] {
			t.Errorf("the definitions do not use %s", key)
		}
		if !strings.HasPrefix(key, "y") {
			continue
		}
		want, err := npz.Read(key)
		if err != nil {
			t.Fatal(err)
		}
		y := got[names[key]]
		if fmt.Sprint(y.Shape) != fmt.Sprint(want.Shape) {
			t.Fatalf("%s: the shape is %v, PyTorch's %v", key, y.Shape, want.Shape)
		}
		worst, largest := 0.0, 0.0
		for i, v := range want.Floats {
			worst, largest = max(worst, math.Abs(y.Data[i]-float64(v))), max(largest, math.Abs(float64(v)))
		}
		if !(worst <= 2e-6*largest) {
			t.Errorf("%s differs by %g from PyTorch's, whose largest value is %g", key, worst, largest)
		}
	}
}

// TestErrors demands that what is wrong in a definition is shown at its place there.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"fc2(act(fc1(y)))", "fc2(act(fc1(y))", "gates.yaml:18:56: error: expected \",\""},
		{"x.mean(", "fc9(", "there is no child or operator fc9"},
		{"alpha * x", "alpha * z", "z has no value here"},
		{"[hidden, c1, 1]]", "[hidden, c1 // 0, 1]]", "division by zero"},
		{"act: [nn.ReLU, []]", "act: [nn.ReLUU, []]", "there is no module nn.ReLUU that can be a child"},
		{"  Gate: #", "  C3: #", "there is a module C3 already: choose another name, or say `replaces: true`"},
		{"sigmoid(fc2", "sigmoidd(fc2", "there is no child or operator sigmoidd"},
		{"torch.cat((wa * a, wb * up), 1)", "torch.cat((wa * a, wb * b), 1)", "gates.yaml:29:23: note: in the definition of the module"},
		{"ratio: 4}", "ratio: 4}\n    colour: red", `"colour" is not a key of a definition`},
		{"act: [nn.ReLU, []]", "act: [nn.ReLU, []]\n      spare: [nn.ReLU, []]", "forward does not use the child spare"},
	} {
		if !strings.Contains(string(text), c.old) {
			t.Fatalf("the example has no %q", c.old)
		}
		_, err := lower(strings.Replace(string(text), c.old, c.new, 1), modules.Seeded(1))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v\nexpected %s", c.new, c.old, err, c.want)
		}
	}
}

// TestArithmetic compares integers with Python's.
func TestArithmetic(t *testing.T) {
	for text, want := range map[string]any{
		"-7 // 2": int64(-4), "-7 % 3": int64(2), "7 % -3": int64(-2), "7 // -2": int64(-4), "-2 ** 2": int64(-4), "7 / 2": 3.5,
		"int(7 * 0.5)": int64(3), "-7.5 % 2": 0.5, "max(3 // 4, 2)": int64(2), "min(5, 3, 4)": int64(3), "1 if 2 > 3 else 4": int64(4), "2 + 3 * 4": int64(14), "not 0 and 5": int64(5),
	} {
		if got, err := definition.Compute(text); err != nil || got != want {
			t.Errorf("%s: %v, %v, expected %v", text, got, err, want)
		}
	}
	for _, text := range []string{"1 // 0", "2 ** 65", "9007199254740991 + 1", "", "1 +", "f(", "x", "a.b", "1 < 2 < 3", "__import__('os')", strings.Repeat("(", 500), strings.Repeat("-", 3000)} {
		if v, err := definition.Compute(text); err == nil {
			t.Errorf("%.40s: %v, expected an error", text, v)
		}
	}
}

// FuzzExpression demands that no text makes the parser or the arithmetic fail otherwise than by an error.
func FuzzExpression(f *testing.F) {
	f.Add("max(c1 // ratio, 2) if not x.shape[1:][0] else [1, 'a']")
	f.Add("-2 ** -3 % 4.5 @ 'x'")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = definition.Compute(text) })
}

// FuzzDefinitions demands the same of whole YAMLs.
func FuzzDefinitions(f *testing.F) {
	if text, err := os.ReadFile(example); err == nil {
		f.Add(string(text))
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if cfg, _ := yamlcfg.Parse("", strings.NewReader(text)); cfg != nil && cfg.Definitions != nil {
			_, _ = lower(text, modules.Seeded(1))
		}
	})
}
