//go:build cgo && !js

package ort

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// library opens ONNX Runtime, or skips the test where there is none.
func library(t *testing.T) engine.Runtime {
	t.Helper()
	lib, err := Find("")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("ONNX Runtime is needed: ", err)
	}
	rt, err := Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// save writes a model into a folder of the test.
func save(t *testing.T, m tiny.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// open loads a model and closes it with the test.
func open(t *testing.T, path string, opts engine.SessionOptions) engine.Session {
	t.Helper()
	s, err := library(t).Open(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func value(name string, dims ...any) tiny.Value { return tiny.Value{Name: name, Type: 1, Dims: dims} }

// addRelu is y = relu(x + [0.5, -1]); the sum is the value model.0.
func addRelu() tiny.Model {
	return tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Add", Name: "/add", In: []string{"x", "a"}, Out: []string{"model.0"}},
			{Op: "Relu", Name: "/relu", In: []string{"model.0"}, Out: []string{"y"}},
		},
		Weights: []tiny.Weight{{Name: "a", Dims: []int64{2}, Floats: []float32{0.5, -1}}},
		Inputs:  []tiny.Value{value("x", "batch", 2)},
		Outputs: []tiny.Value{value("y", "batch", 2)},
		Info:    []tiny.Value{value("model.0", "batch", 2)},
	}
}

func x(v ...float32) []engine.Tensor {
	return []engine.Tensor{{Name: "x", Shape: []int64{int64(len(v) / 2), 2}, Floats: v}}
}

func TestRun(t *testing.T) {
	s := open(t, save(t, addRelu()), engine.SessionOptions{Threads: 1})
	batch := []string{"batch", ""}
	if diff := cmp.Diff([]engine.IO{{Name: "x", DType: engine.Float32, Dims: []int64{-1, 2}, DimNames: batch}}, s.Inputs()); diff != "" {
		t.Errorf("inputs (-want +got)\n%s", diff)
	}
	got, err := s.Run(context.Background(), x(1, 2, -3, 0.25))
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Tensor{{Name: "y", Shape: []int64{2, 2}, Floats: []float32{1.5, 1, 0, 0}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestConv checks a 2x2 convolution with stride 1 and bias against sums by hand:
// the kernel 1 2 / 3 4 on 1..9 gives 1+2*2+3*4+4*5 = 37 and so on, the bias 0.5 on top.
func TestConv(t *testing.T) {
	path := save(t, tiny.Model{
		Nodes: []tiny.Node{{Op: "Conv", Name: "/conv", In: []string{"x", "w", "b"}, Out: []string{"y"}, Ints: map[string][]int64{"kernel_shape": {2, 2}}}},
		Weights: []tiny.Weight{
			{Name: "w", Dims: []int64{1, 1, 2, 2}, Floats: []float32{1, 2, 3, 4}},
			{Name: "b", Dims: []int64{1}, Floats: []float32{0.5}},
		},
		Inputs: []tiny.Value{value("x", 1, 1, 3, 3)}, Outputs: []tiny.Value{value("y", 1, 1, 2, 2)},
	})
	for _, level := range []engine.Optimization{engine.OptimizeAll, engine.OptimizeBasic, engine.OptimizeNone} {
		s := open(t, path, engine.SessionOptions{Optimization: level})
		got, err := s.Run(context.Background(), []engine.Tensor{{Name: "x", Shape: []int64{1, 1, 3, 3}, Floats: []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}}})
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{37.5, 47.5, 67.5, 77.5}; !slices.Equal(got[0].Floats, want) {
			t.Errorf("level %d: got %v, want %v", level, got[0].Floats, want)
		}
	}
}

// TestOtherTypes reads back outputs that are not float32.
func TestOtherTypes(t *testing.T) {
	m := tiny.Model{
		Nodes: []tiny.Node{
			{Op: "Shape", Name: "/shape", In: []string{"x"}, Out: []string{"size"}},
			{Op: "Greater", Name: "/greater", In: []string{"x", "zero"}, Out: []string{"positive"}},
		},
		Weights: []tiny.Weight{{Name: "zero", Dims: []int64{1}, Floats: []float32{0}}},
		Inputs:  []tiny.Value{value("x", "n", 2)},
		Outputs: []tiny.Value{{Name: "size", Type: 7, Dims: []any{2}}, {Name: "positive", Type: 9, Dims: []any{"n", 2}}},
	}
	got, err := open(t, save(t, m), engine.SessionOptions{}).Run(context.Background(), x(1, -1, 0, 5))
	if err != nil {
		t.Fatal(err)
	}
	want := []engine.Tensor{{Name: "size", Shape: []int64{2}, Ints: []int64{2, 2}}, {Name: "positive", Shape: []int64{2, 2}, Ints: []int64{1, 0, 0, 1}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestExpose returns an inner value without a change to the file, also where
// the weights are in a second file.
func TestExpose(t *testing.T) {
	outside := addRelu()
	outside.Weights[0] = tiny.Weight{Name: "a", Dims: []int64{2}, Place: map[string]string{"location": "m.bin", "offset": "4"}}
	for name, m := range map[string]tiny.Model{"one file": addRelu(), "external data": outside} {
		t.Run(name, func(t *testing.T) {
			path := save(t, m)
			folder := filepath.Dir(path)
			if err := os.WriteFile(filepath.Join(folder, "m.bin"), tiny.Raw([]float32{99, 0.5, -1}), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, path, engine.SessionOptions{Expose: []engine.IO{{Name: "model.0"}, {Name: "y"}}})
			got, err := s.Run(context.Background(), x(1, 0.25))
			if err != nil {
				t.Fatal(err)
			}
			want := []engine.Tensor{
				{Name: "y", Shape: []int64{1, 2}, Floats: []float32{1.5, 0}},
				{Name: "model.0", Shape: []int64{1, 2}, Floats: []float32{1.5, -0.75}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if facts, err := verify.Structure(context.Background(), path); err != nil || len(facts.Outputs) != 1 || len(after) == 0 {
				t.Errorf("the file was changed: %v, %v", facts, err)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
				t.Errorf("files were left behind: %v, %v", entries, err)
			}
		})
	}
}

// recorded is a reference in memory.
type recorded map[string]engine.Tensor

func (r recorded) Names() []string {
	var names []string
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (r recorded) Read(name string) (engine.Tensor, error) { return r[name], nil }

func TestAgainst(t *testing.T) {
	path := save(t, addRelu())
	ref := recorded{"input": x(1, 0.25)[0], "layer.0": {Shape: []int64{1, 2}, Floats: []float32{1.5, -0.75}}}
	c, err := verify.Against(context.Background(), library(t), path, ref, verify.AgainstOptions{})
	if err != nil || !c.OK() || c.Summary() != "1 layer, largest error 0.0e+00, at model.0" {
		t.Errorf("%+v, %v", c, err)
	}
	ref["layer.0"].Floats[1] = 0.75 // the sign is lost
	c, err = verify.Against(context.Background(), library(t), path, ref, verify.AgainstOptions{})
	want := "the first divergent value is model.0: 1 of 2 values (50%) are outside the tolerance 0.0001 of the largest value; the worst is at [0, 1]: -0.75, want 0.75"
	if err != nil || c.OK() || c.Summary() != want {
		t.Errorf("%+v, %v", c, err)
	}
}

// pool is a dynamic detector in small: every 32x32 tile's mean, through a node of
// the given operator.
func pool(op string, last ...any) tiny.Model {
	return tiny.Model{
		Nodes: []tiny.Node{
			{Op: "AveragePool", Name: "/pool", In: []string{"images"}, Out: []string{"model.0"}, Ints: map[string][]int64{"kernel_shape": {32, 32}, "strides": {32, 32}}},
			{Op: op, Name: "/last", In: []string{"model.0"}, Out: []string{"output0"}},
		},
		Inputs:  []tiny.Value{value("images", "batch", 3, "height", "width")},
		Outputs: []tiny.Value{value("output0", last...)},
		Info:    []tiny.Value{value("model.0", "batch", 3, "h", "w")},
	}
}

func TestFile(t *testing.T) {
	rt := library(t)
	want := verify.Expect{
		Input:        engine.IO{Name: "images", DType: engine.Float32, Dims: []int64{-1, 3, -1, -1}, DimNames: []string{"batch", "", "height", "width"}},
		Outputs:      []engine.IO{{Name: "output0", DType: engine.Float32, Dims: []int64{-1, 3, -1, -1}, DimNames: []string{"batch", "", "h", "w"}}},
		DynamicBatch: true, DynamicSize: true, Stride: 32, Batch: 1, Height: 64, Width: 96,
		OutputDims: func(b, h, w int) map[string][]int64 {
			return map[string][]int64{"output0": {int64(b), 3, int64(h / 32), int64(w / 32)}}
		},
	}
	dims := []any{"batch", 3, "h", "w"}
	frozen := pool("Reshape", dims...)
	frozen.Nodes[1].In = append(frozen.Nodes[1].In, "shape")
	frozen.Weights = []tiny.Weight{{Name: "shape", Dims: []int64{4}, Ints: []int64{1, 3, 2, 3}}}
	tests := []struct {
		name  string
		model tiny.Model
		want  string // of the last check
	}{
		{"good", pool("Relu", dims...), "images 2x3x96x160 -> output0 2x3x3x5"},
		{"frozen size", frozen, "images 1x3x96x160: ONNX Runtime: Non-zero status code returned while running Reshape node. Name:'/last' Status Message: "},
		{"not finite", pool("Log", dims...), ""},
		{"wrong shape", pool("GlobalAveragePool", dims...), "images 1x3x64x96: output0 is 1x3x1x1, want 1x3x2x3"},
		{"no such operator", pool("Frobnicate", dims...), ": ONNX Runtime refuses "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "not finite" { // log(mean - 1) of values in [0,1) is NaN
				m := &test.model
				m.Nodes = slices.Insert(m.Nodes, 1, tiny.Node{Op: "Sub", Name: "/sub", In: []string{"model.0", "one"}, Out: []string{"less"}})
				m.Nodes[2].In[0] = "less"
				m.Weights = []tiny.Weight{{Name: "one", Dims: []int64{1}, Floats: []float32{1}}}
				m.Info = append(m.Info, value("less", dims...))
				test.want = "images 1x3x64x96: output0: 18 of 18 values are not finite, the first is NaN at [0, 0, 0, 0]"
			}
			path := save(t, test.model)
			rep, err := verify.File(context.Background(), rt, path, want)
			if err != nil {
				t.Fatal(err)
			}
			last := rep.Checks[len(rep.Checks)-1]
			if !strings.Contains(": "+last.Detail, test.want) || rep.OK() != (test.name == "good") {
				t.Errorf("OK() = %v, last check %+v, want %q", rep.OK(), last, test.want)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	s := open(t, save(t, addRelu()), engine.SessionOptions{})
	ctx := context.Background()
	good := x(1, 2)[0]
	tests := []struct {
		name   string
		inputs []engine.Tensor
		want   string
	}{
		{"none", nil, `input "x" is missing`},
		{"other", []engine.Tensor{{Name: "z"}}, `the model has no input "z"; it has ["x"]`},
		{"twice", []engine.Tensor{good, good}, `input "x" is given twice`},
		{"too few", []engine.Tensor{{Name: "x", Shape: []int64{2, 2}, Floats: []float32{1}}}, `input "x": shape [2 2] takes 4 float32 values, but 1 were given`},
		{"integers", []engine.Tensor{{Name: "x", Shape: []int64{1, 2}, Ints: []int64{1, 2}}}, `input "x": shape [1 2] takes 2 float32 values, but 0 were given`},
		{"negative", []engine.Tensor{{Name: "x", Shape: []int64{-1, -2}, Floats: []float32{1, 2}}}, `input "x": Dimension 0 of the shape has invalid value -1`},
	}
	for _, test := range tests {
		if _, err := s.Run(ctx, test.inputs); err == nil || err.Error() != test.want {
			t.Errorf("%s:\ngot  %v\nwant %s", test.name, err, test.want)
		}
	}
	wide := []engine.Tensor{{Name: "x", Shape: []int64{1, 3}, Floats: []float32{1, 2, 3}}}
	if _, err := s.Run(ctx, wide); err == nil || !strings.HasPrefix(err.Error(), "ONNX Runtime: Got invalid dimensions for input: x") {
		t.Errorf("wrong width: %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Run(ctx, []engine.Tensor{good}); err == nil || err.Error() != "ONNX Runtime: the session is closed" {
		t.Errorf("closed: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	rt := library(t)
	ctx := context.Background()
	empty := filepath.Join(t.TempDir(), "empty.onnx")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := rt.Open(ctx, empty, engine.SessionOptions{}); err == nil || err.Error() != empty+": the graph has 0 inputs and 0 outputs; it needs at least one of each" {
		t.Errorf("empty file: %v", err)
	}
	if _, err := rt.Open(ctx, empty+"x", engine.SessionOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	path := save(t, addRelu())
	expose := engine.SessionOptions{Expose: []engine.IO{{Name: "model.7"}}}
	if _, err := rt.Open(ctx, path, expose); err == nil || !strings.HasPrefix(err.Error(), "ONNX Runtime refuses "+path+": ") {
		t.Errorf("a value that is not there: %v", err)
	}
	if _, err := rt.Open(ctx, path, engine.SessionOptions{Optimization: 9}); err == nil || err.Error() != "there is no optimization level 9" {
		t.Errorf("level: %v", err)
	}
	if _, err := Open(Library{Path: path}); err == nil || !strings.HasPrefix(err.Error(), "ONNX Runtime: "+path+" cannot be loaded, because this process already uses ") {
		t.Errorf("second library: %v", err)
	}
	again, err := Open(Library{Path: rt.Library()})
	if err != nil || again != rt {
		t.Errorf("the same library again: %v, %v", again, err)
	}
}

func TestCancel(t *testing.T) {
	rt := library(t)
	ctx, cancel := context.WithCancel(context.Background())
	path := save(t, addRelu())
	s := open(t, path, engine.SessionOptions{})
	cancel()
	if _, err := s.Run(ctx, x(1, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if _, err := rt.Open(ctx, path, engine.SessionOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: %v", err)
	}
}

// TestCancelWhileRunning ends a run of some thousand slow nodes in its midst. If the
// machine is so fast that the run ends first, its result must be whole.
func TestCancelWhileRunning(t *testing.T) {
	m := tiny.Model{Inputs: []tiny.Value{value("x", "n", 2)}, Outputs: []tiny.Value{value("y", "n", 2)}}
	from := "x"
	for i := range 2000 {
		to := "v" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		m.Nodes = append(m.Nodes, tiny.Node{Op: "Erf", In: []string{from}, Out: []string{to}})
		from = to
	}
	m.Nodes = append(m.Nodes, tiny.Node{Op: "Relu", In: []string{from}, Out: []string{"y"}})
	s := open(t, save(t, m), engine.SessionOptions{Threads: 1, Optimization: engine.OptimizeNone})
	ctx, cancel := context.WithCancel(context.Background())
	begun := make(chan struct{})
	go func() { <-begun; cancel() }()
	close(begun)
	out, err := s.Run(ctx, x(make([]float32, 1<<18)...))
	if !errors.Is(err, context.Canceled) && (err != nil || len(out[0].Floats) != 1<<18) {
		t.Errorf("%v", err)
	}
}

func TestConcurrentRuns(t *testing.T) {
	s := open(t, save(t, addRelu()), engine.SessionOptions{Threads: 1})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				v := float32(i*50 + j)
				got, err := s.Run(context.Background(), x(v, 0))
				if err != nil || got[0].Floats[0] != v+0.5 {
					t.Errorf("%v, %v", got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestNaNGoesThrough(t *testing.T) {
	got, err := open(t, save(t, addRelu()), engine.SessionOptions{}).Run(context.Background(), x(float32(math.Inf(1)), 3))
	if err != nil || !math.IsInf(float64(got[0].Floats[0]), 1) {
		t.Errorf("%v, %v", got, err)
	}
}
