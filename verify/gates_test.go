package verify

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// read gives the facts of a model.
func read(t *testing.T, m tiny.Model) *Facts {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, m.Bytes())
	facts, err := Structure(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := facts.Err(); err != nil {
		t.Fatal(err)
	}
	return facts
}

// TestGatesFound: comparisons that the input decides, those of one pair of values as one; not those of constants and of
// whole numbers.
func TestGatesFound(t *testing.T) {
	m := tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Sigmoid", In: []string{"x"}, Out: []string{"r"}},
			{Op: "Softmax", In: []string{"gamma"}, Out: []string{"w"}},
			{Op: "Greater", Name: "constant", In: []string{"w", "t"}, Out: []string{"c"}},
			{Op: "GreaterOrEqual", Name: "/SRU/GE", In: []string{"r", "t"}, Out: []string{"upper"}},
			{Op: "Less", In: []string{"r", "t"}, Out: []string{"lower"}},
			{Op: "Shape", In: []string{"x"}, Out: []string{"size"}},
			{Op: "Greater", In: []string{"size", "size"}, Out: []string{"sizes"}},
			{Op: "LessOrEqual", In: []string{"w", "r"}, Out: []string{"unnamed"}},
			{Op: "And", In: []string{"upper", "lower"}, Out: []string{"y"}},
		},
		Weights: []tiny.Weight{{Name: "gamma", Dims: []int64{1}, Floats: []float32{1}}, {Name: "t", Dims: []int64{1}, Floats: []float32{0.5}}},
		Inputs:  []tiny.Value{{Name: "x", Type: 1, Dims: []any{1}}},
		Outputs: []tiny.Value{{Name: "y", Type: 9, Dims: []any{1}}},
		Info:    []tiny.Value{{Name: "size", Type: 7, Dims: []any{1}}},
	}
	facts := read(t, m)
	got := facts.gates()
	want := []gate{
		{name: "/SRU/GE", a: "r", b: "t", outputs: []string{"upper", "lower"}, tieAbove: true},
		{name: "unnamed", a: "w", b: "r", outputs: []string{"unnamed"}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(gate{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if up := facts.upstream("lower"); !up["x"] || !up["r"] || !up["t"] || up["w"] || up["upper"] {
		t.Errorf("upstream of lower: %v", up)
	}
}

func TestMergedGates(t *testing.T) {
	half := engine.Tensor{Shape: []int64{}, Floats: []float32{0.5}}
	values := map[string]engine.Tensor{"t0": half, "t1": half, "t2": {Shape: []int64{}, Floats: []float32{0.6}}}
	got := merged([]gate{
		{name: "0", a: "r", b: "t0", outputs: []string{"a"}}, {name: "1", a: "r", b: "t1", outputs: []string{"b"}},
		{name: "2", a: "r", b: "t2", outputs: []string{"c"}}, {name: "3", a: "s", b: "t1", outputs: []string{"d"}},
	}, values)
	var outputs [][]string
	for _, g := range got {
		outputs = append(outputs, g.outputs)
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"c"}, {"d"}}, outputs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBroadcast reads operands as ONNX's multidirectional broadcasting does: [2, 3] with [3], [2, 1] and a scalar.
func TestBroadcast(t *testing.T) {
	shape, ok := broadcast([]int64{3}, []int64{2, 1})
	if !ok || !slices.Equal(shape, []int64{2, 3}) {
		t.Fatalf("%v, %v", shape, ok)
	}
	if _, ok := broadcast([]int64{2, 3}, []int64{2}); ok {
		t.Error("[2, 3] and [2] were taken")
	}
	for _, test := range []struct {
		of   []int64
		want []int
	}{
		{[]int64{3}, []int{0, 1, 2, 0, 1, 2}}, {[]int64{2, 1}, []int{0, 0, 0, 1, 1, 1}},
		{nil, []int{0, 0, 0, 0, 0, 0}}, {[]int64{2, 3}, []int{0, 1, 2, 3, 4, 5}},
	} {
		for i, want := range test.want {
			if got := offset(i, shape, test.of); got != want {
				t.Errorf("element %d of %v is at %d, want %d", i, test.of, got, want)
			}
		}
	}
}

// TestLayersInferred: a layer's value is the one that leaves its scope. Layer 1 has two such values, which is not an answer;
// layer 2 makes a constant that another layer shares, which is not a layer's value; layer 3 gives the output.
func TestLayersInferred(t *testing.T) {
	m := tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Relu", Name: "/model/model.0/conv/Conv", In: []string{"x"}, Out: []string{"a"}},
			{Op: "Relu", Name: "/model/model.0/act/Mul", In: []string{"a"}, Out: []string{"b"}},
			{Op: "Relu", Name: "/model/model.1/Relu", In: []string{"b"}, Out: []string{"c"}},
			{Op: "Relu", Name: "/model/model.1/Relu_1", In: []string{"b"}, Out: []string{"d"}},
			{Op: "Constant", Name: "/model/model.2/Constant", Out: []string{"k"}, Floats: map[string]float32{"value_float": 1}},
			{Op: "Add", Name: "/model/model.2/m/m.7/Add", In: []string{"c", "k"}, Out: []string{"e"}},
			{Op: "Sum", Name: "/model/model.3/Sum", In: []string{"d", "e", "k"}, Out: []string{"y"}},
		},
		Inputs:  []tiny.Value{{Name: "x", Type: 1, Dims: []any{1}}},
		Outputs: []tiny.Value{{Name: "y", Type: 1, Dims: []any{1}}},
	}
	names := func(m tiny.Model) (map[int]string, bool) {
		values, inferred := read(t, m).layerValues()
		got := map[int]string{}
		for i, v := range values {
			got[i] = v.Name
		}
		return got, inferred
	}
	got, inferred := names(m)
	if diff := cmp.Diff(map[int]string{0: "b", 2: "e", 3: "y"}, got); diff != "" || !inferred {
		t.Errorf("inferred = %v (-want +got)\n%s", inferred, diff)
	}
	said := m
	said.Metadata = [][2]string{{"layers", `[[[-1],"A","a"],[[-1],"B","not there"],[[-1],"C"],[[1,2],"D"]]`}}
	got, inferred = names(said)
	if diff := cmp.Diff(map[int]string{0: "a"}, got); diff != "" || inferred {
		t.Errorf("said: inferred = %v (-want +got)\n%s", inferred, diff)
	}
	m.Nodes[1].Out[0], m.Nodes[2].In[0], m.Nodes[3].In[0] = "model.0", "model.0", "model.0"
	got, inferred = names(m)
	if diff := cmp.Diff(map[int]string{0: "model.0"}, got); diff != "" || inferred {
		t.Errorf("inferred = %v (-want +got)\n%s", inferred, diff)
	}
}

// TestCommonInput takes sizes from either file, and says which files no input fits.
func TestCommonInput(t *testing.T) {
	take := func(stride string, dims ...any) *Facts {
		m := tiny.Model{
			Nodes:    []tiny.Node{{Op: "Relu", In: []string{"images"}, Out: []string{"y"}}},
			Inputs:   []tiny.Value{{Name: "images", Type: 1, Dims: dims}},
			Outputs:  []tiny.Value{{Name: "y", Type: 1, Dims: dims}},
			Metadata: [][2]string{{"stride", stride}},
		}
		return read(t, m)
	}
	for _, test := range []struct {
		a, b *Facts
		opts AgainstOptions
		want []int64 // nil for an error
		err  string
	}{
		{take("32", 1, 3, 64, 96), take("32", "batch", 3, "h", "w"), AgainstOptions{Height: 320, Width: 320}, []int64{1, 3, 64, 96}, ""},
		{take("32", "batch", 3, "h", "w"), take("32", "batch", 3, "h", "w"), AgainstOptions{}, []int64{2, 3, 96, 128}, ""},
		{take("64", "batch", 3, "h", "w"), take("32", "batch", 3, "h", "w"), AgainstOptions{}, []int64{2, 3, 192, 256}, ""},
		{take("x", "batch", 3, "h", "w"), take("9999999", 1, 3, "h", "w"), AgainstOptions{Height: 64, Width: 32}, []int64{1, 3, 64, 32}, ""},
		{take("32", 1, 3, 64, 96), take("32", 1, 3, 96, 64), AgainstOptions{}, nil,
			"they take images float32 [1, 3, 64, 96] and images float32 [1, 3, 96, 64]; export one of them for the other's size, or with --dynamic"},
		{take("32", 1, 3), take("32", 1, 3), AgainstOptions{}, nil,
			"they take images float32 [1, 3] and images float32 [1, 3]; one float32 or float16 image each was expected, [batch, channels, height, width]"},
		{take("32", 1, 3, 1<<20, 1<<20), take("32", 1, 3, "h", "w"), AgainstOptions{}, nil,
			"an input of 1x3x1048576x1048576 is larger than a comparison of files allows (33554432 values)"},
	} {
		got, err := commonInput(test.a, test.b, &test.opts)
		if test.want == nil {
			if err == nil || err.Error() != test.err {
				t.Errorf("got  %v\nwant %s", err, test.err)
			}
		} else if err != nil || !slices.Equal(got.Shape, test.want) {
			t.Errorf("%v, %v, want %v", got.Shape, err, test.want)
		}
	}
}

// TestDoubt: elements that equal their threshold in the reference as well as in the file cannot be decided otherwise by
// rounding, only by another comparison.
func TestDoubt(t *testing.T) {
	one := func(x float32) *decided {
		return &decided{
			gate: gate{name: "/SRU/Greater"}, shape: []int64{1}, window: 1e-6,
			x: engine.Tensor{Shape: []int64{1}, Floats: []float32{x}}, y: engine.Tensor{Shape: []int64{1}, Floats: []float32{0.5}},
		}
	}
	for _, test := range []struct {
		name         string
		file, theirs float32
		want         string
	}{
		{"by rounding", 0.5, 0.50001, ""},
		{"by rounding in the file", 0.50000006, 0.5, ""},
		{"not near", 0.6, 0.4, "/SRU/Greater[0]: 0.6 against 0.5 is not within rounding of its threshold"},
		{"equal in both", 0.5, 0.5, "/SRU/Greater[0]: 0.5 against 0.5 equals its threshold exactly: the comparison itself seems to differ, > for >="},
	} {
		r := &resolution{
			comparing: &comparing{exact: exactly{}, theirs: []*decided{one(test.theirs)}},
			flips:     []map[int]bool{{0: true}}, state: []*decided{one(test.file)},
		}
		if got := r.reasonToDoubt(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// exactly is a reference that computes exactly.
type exactly struct{ recorded }

func (exactly) Exact(string) ([]int64, []float64, bool) { return nil, nil, false }
