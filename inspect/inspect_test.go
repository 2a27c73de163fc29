package inspect_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/inspect"
)

// read gives a checkpoint of package checkpoint's tests.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "checkpoint", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func lookInto(t testing.TB, data []byte) *inspect.Report {
	t.Helper()
	r, err := inspect.Checkpoint(context.Background(), bytes.NewReader(data), int64(len(data)), inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStatistics checks tensors of all kinds and layouts against what PyTorch 1.13 computes of them in float64.
func TestStatistics(t *testing.T) {
	for _, file := range []string{"tensors.pt", "tensors.safetensors"} {
		found := map[string]inspect.Tensor{}
		for _, tensor := range lookInto(t, read(t, file)).Tensors {
			found[tensor.Name] = tensor
		}
		for _, want := range []struct {
			name           string
			min, max, mean float64
			nan, inf       int64
		}{
			{"f32", -3.331153631210327, 2.558138370513916, 0.05387870445653486, 0, 0},
			{"f16", -333.0, 255.875, 5.390740966796875, 0, 0},
			{"bf16", -334.0, 256.0, 5.369368489583334, 0, 0},
			{"special", -6.097555160522461e-05, 65504.0, 10917.499989847342, 0, 2},
			{"large_transposed", -4.18412446975708, 3.802687168121338, -0.005159919062702792, 0, 0},
			{"expanded", -1.9804062843322754, 2.558138370513916, -0.16936293619995316, 0, 0},
			{"i64", -99.0, 76.0, 1.6, 0, 0},
			{"u8", 0.0, 199.0, 50.57083333333333, 0, 0},
			{"bool", 0.0, 1.0, 0.5041666666666667, 0, 0},
			{"scalar", 2.5, 2.5, 2.5, 0, 0},
		} {
			s := found[want.name].Statistics
			if s == nil || s.Min == nil || *s.Min != want.min || *s.Max != want.max || math.Abs(*s.Mean-want.mean) > 1e-12*math.Abs(want.max) ||
				s.NaN != want.nan || s.Inf != want.inf {
				t.Errorf("%s: %s is %+v, want %+v", file, want.name, s, want)
			}
		}
		if s := found["empty"].Statistics; s == nil || s.Min != nil {
			t.Errorf("%s: an empty tensor has the statistics %+v", file, s)
		}
	}
}

// TestTraining looks into a checkpoint as training leaves it: 8*3*9+16, 16*8*9+32 and 21*16+21 parameters.
func TestTraining(t *testing.T) {
	r := lookInto(t, read(t, "training.pt"))
	if r.Kind != "PyTorch checkpoint" || r.Model != "models.yolo.DetectionModel" || r.Parameters != 1773 || len(r.Layers) != 3 ||
		r.Layers[0] != (inspect.Layer{Index: 0, From: "-1", Type: "models.common.Conv", Parameters: 232}) ||
		r.Layers[2] != (inspect.Layer{Index: 2, From: "[-1]", Type: "models.yolo.Detect", Parameters: 357}) {
		t.Errorf("got %+v", r)
	}
	if strings.Join(r.Classes, "|") != "cat|dog's" || len(r.Strides) != 1 || r.Strides[0] != 8 || len(r.Anchors) != 1 || len(r.Anchors[0]) != 3 {
		t.Errorf("classes %q, strides %v, anchors %v", r.Classes, r.Strides, r.Anchors)
	}
	if g := r.Globals[0]; g != (inspect.Global{Name: "somewhere.Trace", Risk: "unknown", Named: 1, Calls: 2}) {
		t.Errorf("the first name is %+v", g)
	}
	saved := map[string]string{}
	for _, p := range r.Properties {
		saved[p.Name] = p.Value
	}
	if saved["epoch"] != "2" || saved["date"] != "'2024-01-01'" {
		t.Errorf("saved: %v", saved)
	}
}

// TestONNX looks into a file that was just written.
func TestONNX(t *testing.T) {
	var file bytes.Buffer
	yaml := "nc: 2\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: [[10, 13, 16, 30, 33, 23]]\nbackbone:\n  - [-1, 1, Conv, [16, 3, 2]]\n" +
		"head:\n  - [[0], 1, Detect, [nc, anchors]]\n"
	_, err := ysc2onnx.Convert(context.Background(), ysc2onnx.Input{Name: "m.yaml", YAML: strings.NewReader(yaml)},
		ysc2onnx.Options{Writer: &file, Height: 64, Width: 64, NoOptimize: true})
	if err != nil {
		t.Fatal(err)
	}
	r, err := inspect.ONNX(context.Background(), bytes.NewReader(file.Bytes()), int64(file.Len()), inspect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != "ONNX model" || !strings.HasPrefix(r.Writer, "ysc2onnx ") || len(r.Inputs) != 1 || strings.Join(r.Inputs[0].Dims, " ") != "1 3 64 64" {
		t.Errorf("got %+v", r)
	}
	for _, tensor := range r.Tensors {
		s := tensor.Statistics
		if s == nil || s.NaN != 0 || s.Inf != 0 {
			t.Errorf("%s: %+v, %s", tensor.Name, s, tensor.Unread)
		}
		if tensor.Name == "model.0.bn.running_var" && (*s.Min != 1 || *s.Max != 1 || *s.Mean != 1) {
			t.Errorf("%s: %+v, want 1 throughout", tensor.Name, s)
		}
	}
}

// TestCancelled ends with the context.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	data := read(t, "tensors.pt")
	if _, err := inspect.Checkpoint(ctx, bytes.NewReader(data), int64(len(data)), inspect.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzInspect holds that no file makes it panic.
func FuzzInspect(f *testing.F) {
	f.Add(read(f, "statedict.pt"))
	f.Add([]byte{8, 8, 58, 0})
	for _, name := range []string{"ok_typed.onnx", "ok_external.onnx", "bad_size.onnx", "ok_sparse.onnx"} {
		f.Add(made(f, name))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		r, size := bytes.NewReader(data), int64(len(data))
		_, _ = inspect.Checkpoint(context.Background(), r, size, inspect.Options{}) // errors are fine
		_, _ = inspect.ONNX(context.Background(), r, size, inspect.Options{})
	})
}

// TestHostileIsShown: a pickle that would run a program holds no model, and the names in it are listed, the worst first.
func TestHostileIsShown(t *testing.T) {
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	record, err := w.CreateHeader(&zip.FileHeader{Name: "x/data.pkl", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	canary := filepath.Join(t.TempDir(), "canary")
	text := "touch " + canary
	pickle := "\x80\x02ccollections\nOrderedDict\n0cos\nsystem\n(X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(text)))) + text + "tR."
	if _, err := record.Write([]byte(pickle)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := lookInto(t, file.Bytes())
	if len(r.Globals) != 2 || r.Globals[0].Name != "os.system" || r.Globals[0].Risk != "dangerous" {
		t.Errorf("the names are %+v", r.Globals)
	}
	if r.Verdict != inspect.Dangerous || r.Why != "loading it with Python may run os.system; here it was read as data, and nothing was run" {
		t.Errorf("the verdict is %s: %s", r.Verdict, r.Why)
	}
	if !slices.ContainsFunc(r.Properties, func(p inspect.Property) bool { return p.Name == "no model" }) {
		t.Errorf("nothing says that there is no model: %+v", r.Properties)
	}
	if _, err := os.Stat(canary); !errors.Is(err, os.ErrNotExist) {
		t.Error("the program was run")
	}
}
