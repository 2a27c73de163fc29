package verify

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/internal/tiny"
)

// fake is a runtime whose models are Go functions.
type fake struct {
	open    error
	run     func(in engine.Tensor) ([]engine.Tensor, error)
	exposed []engine.IO
	closed  int
}

func (f *fake) Version() string { return "Fake 1" }
func (f *fake) Library() string { return "fake.so" }
func (f *fake) Open(_ context.Context, _ string, opts engine.SessionOptions) (engine.Session, error) {
	f.exposed = opts.Expose
	return f, f.open
}
func (f *fake) Inputs() []engine.IO  { return nil }
func (f *fake) Outputs() []engine.IO { return nil }
func (f *fake) Close() error         { f.closed++; return nil }
func (f *fake) Run(_ context.Context, in []engine.Tensor) ([]engine.Tensor, error) {
	return f.run(in[0])
}

// detector is a file with a YOLO-like interface; what it computes is up to the fake.
func detector(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	write(t, path, tiny.Model{
		Nodes:   []tiny.Node{{Op: "Fake", Name: "f", In: []string{"images"}, Out: []string{"output0"}}},
		Inputs:  []tiny.Value{{Name: "images", Type: 1, Dims: []any{"batch", 3, "height", "width"}}},
		Outputs: []tiny.Value{{Name: "output0", Type: 1, Dims: []any{"batch", "anchors", 8}}},
	}.Bytes())
	return path
}

// anchors counts the rows of a head with strides 8, 16 and 32.
func anchors(h, w int) int64 { return int64(3 * (h/8*w/8 + h/16*w/16 + h/32*w/32)) }

// expected is what detector writes, dynamic in everything.
func expected() Expect {
	return Expect{
		Input:        engine.IO{Name: "images", DType: engine.Float32, Dims: []int64{-1, 3, -1, -1}, DimNames: []string{"batch", "", "height", "width"}},
		Outputs:      []engine.IO{{Name: "output0", DType: engine.Float32, Dims: []int64{-1, -1, 8}, DimNames: []string{"batch", "anchors", ""}}},
		DynamicBatch: true, DynamicSize: true, Stride: 32, Batch: 1, Height: 64, Width: 64,
		OutputDims: func(b, h, w int) map[string][]int64 {
			return map[string][]int64{"output0": {int64(b), anchors(h, w), 8}}
		},
	}
}

// zeros answers any image with an output of the right shape.
func zeros(in engine.Tensor) ([]engine.Tensor, error) {
	rows := anchors(int(in.Shape[2]), int(in.Shape[3]))
	return []engine.Tensor{{Name: "output0", Shape: []int64{in.Shape[0], rows, 8}, Floats: make([]float32, in.Shape[0]*rows*8)}}, nil
}

// lines prints a report's checks without their times.
func lines(rep *Report) []string {
	var out []string
	for _, c := range rep.Checks {
		verdict := "ok"
		if !c.OK {
			verdict = "FAILED"
		}
		out = append(out, c.Name+" "+verdict+": "+c.Detail)
	}
	return out
}

const (
	lineStructure = "structure ok: 1 nodes, 0 initializers"
	lineInterface = "interface ok: images float32 [batch, 3, height, width] -> output0 float32 [batch, anchors, 8]"
	lineLoad      = "load ok: Fake 1"
	lineRuntime   = "runtime ok: images 1x3x64x64 -> output0 1x252x8"
)

func TestFile(t *testing.T) {
	path := detector(t)
	nan := func(in engine.Tensor) ([]engine.Tensor, error) {
		out, err := zeros(in)
		out[0].Floats[2*8+3] = float32(math.NaN())
		out[0].Floats[9*8] = float32(math.Inf(-1))
		return out, err
	}
	tests := []struct {
		name string
		rt   *fake
		want func(e *Expect)
		out  []string
	}{
		{"good", &fake{run: zeros}, func(*Expect) {}, []string{
			lineStructure, lineInterface, lineLoad, lineRuntime,
			"size ok: images 1x3x96x160 -> output0 1x945x8",
			"batch ok: images 2x3x96x160 -> output0 2x945x8",
		}},
		{"second size is the first", &fake{run: zeros}, func(e *Expect) { e.Height, e.Width, e.Batch = 96, 160, 2 }, []string{
			lineStructure, lineInterface, lineLoad, "runtime ok: images 2x3x96x160 -> output0 2x945x8",
			"size ok: images 2x3x160x96 -> output0 2x945x8", "batch ok: images 3x3x160x96 -> output0 3x945x8",
		}},
		{"no runtime", nil, func(*Expect) {}, []string{lineStructure, lineInterface}},
		{"refused", &fake{open: errors.New("bad operator")}, func(*Expect) {}, []string{lineStructure, lineInterface, "load FAILED: bad operator"}},
		{"run fails", &fake{run: func(engine.Tensor) ([]engine.Tensor, error) { return nil, errors.New("cannot multiply") }}, func(*Expect) {},
			[]string{lineStructure, lineInterface, lineLoad, "runtime FAILED: images 1x3x64x64: cannot multiply"}},
		{"shape", &fake{run: zeros}, func(e *Expect) {
			e.OutputDims = func(b, _, _ int) map[string][]int64 { return map[string][]int64{"output0": {int64(b), 252, 8}} }
		}, []string{lineStructure, lineInterface, lineLoad, lineRuntime, "size FAILED: images 1x3x96x160: output0 is 1x945x8, want 1x252x8"}},
		{"not finite", &fake{run: nan}, func(*Expect) {}, []string{lineStructure, lineInterface, lineLoad,
			"runtime FAILED: images 1x3x64x64: output0: 2 of 2016 values are not finite, the first is NaN at [0, 2, 3]"}},
		{"input name", &fake{run: zeros}, func(e *Expect) { e.Input.Name = "image" }, []string{lineStructure,
			"interface FAILED: input 0 is images float32 [batch, 3, height, width], want image float32 [batch, 3, height, width]",
			"runtime FAILED: not run, because the file is not the one that should have been written"}},
		{"dimension name", &fake{run: zeros}, func(e *Expect) { e.Outputs[0].DimNames[1] = "rows" }, []string{lineStructure,
			"interface FAILED: output 0 is output0 float32 [batch, anchors, 8], want output0 float32 [batch, rows, 8]",
			"runtime FAILED: not run, because the file is not the one that should have been written"}},
		{"output count", &fake{run: zeros}, func(e *Expect) { e.Outputs = append(e.Outputs, engine.IO{Name: "output1"}) }, []string{lineStructure,
			"interface FAILED: the file has 1 outputs, want 2",
			"runtime FAILED: not run, because the file is not the one that should have been written"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := expected()
			test.want(&want)
			var rt engine.Runtime
			if test.rt != nil {
				rt = test.rt
			}
			rep, err := File(context.Background(), rt, path, want)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.out, lines(rep)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			failed := strings.Contains(strings.Join(test.out, "\n"), "FAILED")
			if rep.OK() == failed || len(rep.Failed()) > 0 != failed {
				t.Errorf("OK() = %v, Failed() = %v", rep.OK(), rep.Failed())
			}
			if test.rt != nil && test.rt.run != nil && slices.ContainsFunc(rep.Checks, func(c Check) bool { return c.Name == "load" }) && test.rt.closed != 1 {
				t.Errorf("the session was closed %d times", test.rt.closed)
			}
		})
	}
}

// TestFileInput checks the noise against what is promised: seeded, in [0,1), not constant.
func TestFileInput(t *testing.T) {
	a, b, c := noise(7, 1000), noise(7, 1000), noise(8, 1000)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("the noise does not follow the seed")
	}
	mean := 0.0
	for _, v := range a {
		if v < 0 || v >= 1 {
			t.Fatalf("%v is not in [0,1)", v)
		}
		mean += float64(v) / 1000
	}
	if math.Abs(mean-0.5) > 0.05 { // five standard deviations of a mean of 1000 are 0.046
		t.Errorf("the mean is %v", mean)
	}
}

func TestFileCannotCheck(t *testing.T) {
	path := detector(t)
	ctx, cancel := context.WithCancel(context.Background())
	rt := &fake{run: func(in engine.Tensor) ([]engine.Tensor, error) { cancel(); return zeros(in) }}
	if rep, err := File(ctx, rt, path, expected()); !errors.Is(err, context.Canceled) || rt.closed != 1 {
		t.Errorf("cancelled: %v, %v, closed %d times", rep, err, rt.closed)
	}
	for want, spoil := range map[string]func(e *Expect){
		"verify: Expect.Input has 1 dimensions, want 4 (NCHW)":                         func(e *Expect) { e.Input.Dims = []int64{1} },
		"verify: Expect.Input has no fixed number of channels":                         func(e *Expect) { e.Input.Dims[1] = -1 },
		"verify: Expect names no outputs":                                              func(e *Expect) { e.Outputs = nil },
		"verify: Expect.OutputDims is nil":                                             func(e *Expect) { e.OutputDims = nil },
		"verify: Expect has batch 1, size 64x64 and stride 0; each must be at least 1": func(e *Expect) { e.Stride = 0 },
	} {
		e := expected()
		spoil(&e)
		if _, err := File(context.Background(), nil, path, e); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if _, err := File(context.Background(), nil, path+"x", expected()); err == nil {
		t.Error("a file that is not there was checked")
	}
}

// TestFileTooLargeToRun: what is too large is not run, which is not a fault of the file.
func TestFileTooLargeToRun(t *testing.T) {
	rt := &fake{run: func(engine.Tensor) ([]engine.Tensor, error) { t.Error("it was run"); return nil, nil }}
	e := expected()
	e.DynamicBatch, e.Batch = true, 1<<20
	rep, err := File(context.Background(), rt, detector(t), e)
	if err != nil {
		t.Fatal(err)
	}
	if want := "an input of 1048576x3x64x64 is larger than the check of a file allows (33554432 values)"; rep.NotRun != want {
		t.Errorf("got  %q\nwant %q", rep.NotRun, want)
	}
}

func TestReportJSON(t *testing.T) {
	rep := Report{Path: "m.onnx", Runtime: "Fake 1", Checks: []Check{{Name: "load", OK: true, Detail: "d", Duration: 5}},
		Facts: &Facts{Inputs: []engine.IO{{Name: "x", DType: engine.Float16, Dims: []int64{1}}}, Outputs: []engine.IO{}}}
	got, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"path":"m.onnx","runtime":"Fake 1","checks":[{"name":"load","ok":true,"detail":"d","duration_ns":5}],` +
		`"facts":{"ir_version":0,"opset":0,"nodes":0,"initializers":0,"weight_bytes":0,"inputs":[{"name":"x","dtype":"float16","dims":[1]}],"outputs":[]}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if (&Report{}).OK() {
		t.Error("a report without checks is OK")
	}
}
