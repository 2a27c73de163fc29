package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// recorded is a Reference in memory.
type recorded []engine.Tensor

func (r recorded) Names() []string {
	var names []string
	for _, t := range r {
		names = append(names, t.Name)
	}
	return names
}

func (r recorded) Read(name string) (engine.Tensor, error) {
	for _, t := range r {
		if t.Name == name {
			return t, nil
		}
	}
	panic("no " + name)
}

func row(name string, shape []int64, v ...float32) engine.Tensor {
	return engine.Tensor{Name: name, Shape: shape, Floats: v}
}

// layered is a file with layers 0, 1, 2, 10 and a detection output.
func layered(t *testing.T) string {
	t.Helper()
	m := tiny.Model{
		Inputs:  []tiny.Value{{Name: "images", Type: 1, Dims: []any{1, 2}}},
		Outputs: []tiny.Value{{Name: "output0", Type: 1, Dims: []any{1, 1, 6}}},
	}
	from := "images"
	for _, to := range []string{"model.0", "model.1", "model.2", "model.10", "output0"} {
		m.Nodes = append(m.Nodes, tiny.Node{Op: "Fake", In: []string{from}, Out: []string{to}})
		from = to
	}
	m.Metadata = [][2]string{{"layers", `[[[-1],"Conv"],[[-1],"C3"],[[-1],"ScConv"]]`}}
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, m.Bytes())
	return path
}

// computed are layered's values, layer 2 at scale 1000.
func computed() []engine.Tensor {
	flat := []int64{1, 2}
	return []engine.Tensor{
		row("model.0", flat, 1, 2), row("model.1", flat, 3, 4), row("model.2", flat, 1000, -2000), row("model.10", flat, 0, 0),
		row("output0", []int64{1, 1, 6}, 100, 200, 30, 40, 0.5, 0.25),
	}
}

// reference are the same values under the names of a recording.
func reference() recorded {
	ref := recorded{row("input", []int64{1, 2}, 0.5, 0.5)}
	for _, t := range computed() {
		t.Name = strings.Replace(t.Name, "model.", "layer.", 1)
		ref = append(ref, t)
	}
	return ref
}

// against compares the fake's values with a reference.
func against(t *testing.T, values []engine.Tensor, ref Reference) (*Comparison, *fake) {
	t.Helper()
	rt := &fake{run: func(engine.Tensor) ([]engine.Tensor, error) { return values, nil }}
	c, err := Against(context.Background(), rt, layered(t), ref, AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c, rt
}

func TestAgainstEqual(t *testing.T) {
	c, rt := against(t, computed(), reference())
	if !c.OK() || c.Layers != 4 || len(c.Rows) != 6 || len(c.NotCompared) != 0 || rt.closed != 1 {
		t.Errorf("%+v", c)
	}
	if got, want := c.Summary(), "4 layers, largest error 0.0e+00, at model.0"; got != want {
		t.Errorf("Summary() = %q, want %q", got, want)
	}
	var exposed []string
	for _, v := range rt.exposed {
		exposed = append(exposed, v.Name)
	}
	if diff := cmp.Diff([]string{"model.0", "model.1", "model.2", "model.10"}, exposed); diff != "" {
		t.Errorf("exposed (-want +got)\n%s", diff)
	}
}

// TestAgainstObserve: every row is shown once, in order, with the values that it is about.
func TestAgainstObserve(t *testing.T) {
	values := computed()
	values[2].Floats[1] = -1999
	rt := &fake{run: func(engine.Tensor) ([]engine.Tensor, error) { return values, nil }}
	var seen []Row
	c, err := Against(context.Background(), rt, layered(t), reference(), AgainstOptions{Observe: func(row Row, got, want engine.Tensor) {
		seen = append(seen, row)
		if name, _, _ := strings.Cut(row.Name, " "); got.Name != name || want.Name != row.Reference {
			t.Errorf("%s: observed %s and %s", row.Name, got.Name, want.Name)
		}
		if row.Name == "model.2" && (got.Floats[1] != -1999 || want.Floats[1] != -2000) {
			t.Errorf("%s: observed %v and %v", row.Name, got.Floats, want.Floats)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Rows, seen); diff != "" {
		t.Errorf("(-rows +observed)\n%s", diff)
	}
	var modules []string
	for _, row := range c.Rows {
		modules = append(modules, row.Module)
	}
	if diff := cmp.Diff([]string{"Conv", "C3", "ScConv", "", "ScConv", "ScConv"}, modules); diff != "" {
		t.Errorf("modules (-want +got)\n%s", diff)
	}
	if boxes, scores := c.Rows[4].Columns, c.Rows[5].Columns; !slices.Equal(boxes, []int64{0, 4}) || !slices.Equal(scores, []int64{4, 6}) || c.Rows[0].Columns != nil {
		t.Errorf("columns %v and %v, of a layer %v", boxes, scores, c.Rows[0].Columns)
	}
}

func TestAgainstDiffers(t *testing.T) {
	nan := float32(math.NaN())
	inf := float32(math.Inf(1))
	tests := []struct {
		name      string
		at, index int // of computed
		value     float32
		want      string // Summary
	}{
		{"within the layer's tolerance", 2, 0, 1000.09375, "4 layers, largest error 4.7e-05, at model.2"},
		{"outside it", 2, 0, 1000.25, "the first divergent value is model.2: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value; the worst is at [0, 0]: 1000.25, want 1000"},
		{"zero layer", 3, 1, 1e-30, "the first divergent value is model.10: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value; the worst is at [0, 1]: 1e-30, want 0"},
		{"NaN", 0, 1, nan, "the first divergent value is model.0: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value, 1 are not finite; the worst is at [0, 1]: NaN, want 2"},
		{"infinite", 1, 0, inf, "the first divergent value is model.1: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value, 1 are not finite; the worst is at [0, 0]: +Inf, want 3"},
		{"box within", 4, 1, 200.0039, "4 layers, largest error 0.0e+00, at model.0"},
		{"box outside", 4, 1, 200.0041, "the first divergent value is output0 boxes: 1 of 4 values (25%) are outside the tolerance 0.0001 of the box; the worst is at [0, 0, 1]: 200.0041, want 200"},
		{"score within", 4, 5, 0.250029, "4 layers, largest error 0.0e+00, at model.0"},
		{"score outside", 4, 5, 0.250031, "the first divergent value is output0 scores: 1 of 2 values (50%) are outside the tolerance 3e-05; the worst is at [0, 0, 5]: 0.250031, want 0.25"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			values := computed()
			values[test.at].Floats[test.index] = test.value
			c, _ := against(t, values, reference())
			if got := c.Summary(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if bad := strings.HasPrefix(test.want, "the first divergent"); c.OK() == bad || (c.FirstBad != "") != bad {
				t.Errorf("OK() = %v, first divergent %q", c.OK(), c.FirstBad)
			}
			if _, err := json.Marshal(c); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAgainstFirst names the first of several divergent layers, by number.
func TestAgainstFirst(t *testing.T) {
	values := computed()
	values[3].Floats[0], values[2].Floats[0] = 9, 9 // layers 10 and 2
	if c, _ := against(t, values, reference()); c.FirstBad != "model.2" {
		t.Errorf("first divergent %q", c.FirstBad)
	}
}

// TestAgainstNaNOnBothSides is a failure: a NaN equals nothing.
func TestAgainstNaNOnBothSides(t *testing.T) {
	values, ref := computed(), reference()
	values[0].Floats[0], ref[1].Floats[0] = float32(math.NaN()), float32(math.NaN())
	c, _ := against(t, values, ref)
	if c.OK() || c.Rows[0].NotFinite != 1 || c.Rows[0].MaxAbs != 0 {
		t.Errorf("%+v", c.Rows[0])
	}
}

func TestAgainstShape(t *testing.T) {
	values := computed()
	values[1].Shape = []int64{2, 1}
	c, _ := against(t, values, reference())
	if got, want := c.Summary(), "the first divergent value is model.1: the model gives 2x1, the reference is 1x2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAgainstNotCompared(t *testing.T) {
	ref := reference()
	ref[1].Name, ref[4].Name, ref[5].Name = "layer.24", "layer.100", "note"
	c, _ := against(t, computed(), ref)
	want := []Skipped{
		{"layer.24", "the file has no value model.24"},
		{"layer.100", "the file has no value model.100"},
		{"model.0", "the reference has no layer.0"},
		{"model.10", "the reference has no layer.10"},
		{"note", "not the name of an input, a layer or an output"},
		{"output0", "the reference has no such output"},
	}
	if diff := cmp.Diff(want, c.NotCompared); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !c.OK() || c.Layers != 2 {
		t.Errorf("%d layers, OK() = %v", c.Layers, c.OK())
	}
}

// TestAgainstOutputsAlone: a file of another exporter has no layers to compare.
func TestAgainstOutputsAlone(t *testing.T) {
	ref := recorded{reference()[0], reference()[len(reference())-1]}
	c, _ := against(t, computed(), ref)
	if want := "the outputs alone, as file and reference have no layer in common, largest error 0.0e+00, at output0 boxes"; !c.OK() || c.Summary() != want {
		t.Errorf("OK() = %v, Summary() = %q", c.OK(), c.Summary())
	}
}

// TestAgainstTolerance: a tolerance that nothing is outside of is not a tolerance.
func TestAgainstTolerance(t *testing.T) {
	for text, tolerance := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-1": -1} {
		_, err := Against(context.Background(), &fake{}, layered(t), reference(), AgainstOptions{Layer: tolerance})
		if want := "a tolerance is " + text + ", expected a number that is not negative"; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestAgainstExact: with no tolerance at all the last bit counts.
func TestAgainstExact(t *testing.T) {
	for name, change := range map[string]func(v float32) float32{
		"":        func(v float32) float32 { return v },
		"model.0": func(v float32) float32 { return math.Nextafter32(v, 9) },
	} {
		values := computed()
		values[0].Floats[0] = change(values[0].Floats[0])
		rt := &fake{run: func(engine.Tensor) ([]engine.Tensor, error) { return values, nil }}
		c, err := Against(context.Background(), rt, layered(t), reference(), AgainstOptions{Layer: Exact, Box: Exact, Score: Exact})
		if err != nil || c.FirstBad != name {
			t.Errorf("first divergent %q, want %q; %v", c.FirstBad, name, err)
		}
	}
}

// TestAgainstOneOutput: where both sides have one output, its name does not matter.
func TestAgainstOneOutput(t *testing.T) {
	ref := reference()
	ref[5].Name = "output"
	c, _ := against(t, computed(), ref)
	if !c.OK() || len(c.Rows) != 6 || c.Rows[5].Reference != "output" || c.Rows[5].Name != "output0 scores" {
		t.Errorf("%+v", c)
	}
}

func TestAgainstNothing(t *testing.T) {
	c, _ := against(t, computed(), reference()[:1])
	if want := "nothing was compared: the file has none of the reference's values, model.<i> for layer.<i> and output<k>"; c.OK() || c.Summary() != want {
		t.Errorf("OK() = %v, Summary() = %q", c.OK(), c.Summary())
	}
}

func TestAgainstInput(t *testing.T) {
	path := layered(t)
	wrong := recorded{row("input", []int64{1, 3}, 1, 2, 3)}
	whole := reference()
	whole[0] = engine.Tensor{Name: "input", Shape: []int64{1, 2}, Ints: []int64{1, 2}}
	for want, ref := range map[string]recorded{
		path + ": the reference's input does not hold floating-point numbers": whole,
		path + `: the reference has no array "input"`:                         reference()[1:],
		path + `: the reference was recorded on an input of 1x3, but the model takes images float32 [1, 2]; export it for that size, or with --dynamic`: wrong,
	} {
		_, err := Against(context.Background(), &fake{}, path, ref, AgainstOptions{})
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestComparisonTable(t *testing.T) {
	values := computed()
	values[1].Floats[1] = 4.5
	values[2].Shape = []int64{2}
	ref := reference()
	ref[4].Name = "layer.24"
	c, _ := against(t, values, ref)
	var out bytes.Buffer
	if err := c.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	want := `
 value           module  shape  max abs  max rel  rms worst at   got  want  outside  ulp 50%  99.9%
 model.0         Conv    1x2    0.0e+00  0.0e+00  0.0e+00  [0, 0]     1    1     0        0        0      ok
 model.1         C3      1x2    5.0e-01  1.2e-01 1.0e-01  [0, 1]     4.5  4     1 (50%)  0        1e+06  FAILED
 model.2         ScConv  1x2                                                                     FAILED: the model gives 2, the reference is 1x2
 output0 boxes   ScConv  1x1x6  0.0e+00  0.0e+00  [0, 0, 0]  100  100   0        0        0      ok
 output0 scores  ScConv  1x1x6  0.0e+00  0.0e+00  [0, 0, 4]  0.5  0.5   0        0        0      ok
not compared: layer.24 (the file has no value model.24)
not compared: model.10 (the reference has no layer.10)
the first divergent value is model.1: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value; the worst is at [0, 1]: 4.5, want 4
`
	if diff := cmp.Diff(words(want), words(out.String())); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, out.String())
	}
}

// words splits text into lines of words: widths and rules are left to the table library.
func words(text string) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if !strings.Contains(line, "──") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return out
}
