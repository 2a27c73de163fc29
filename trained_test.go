package ysc2onnx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// shared is the folder beside the checkout that holds recorded models too large to keep in it.
func shared(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		orttest.Missing(t, orttest.Trained)
	}
	return path
}

// openCheckpoint is an input with the checkpoint at path, which is closed at the end of the test.
func openCheckpoint(t *testing.T, path string) ysc2onnx.Input {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return ysc2onnx.Input{WeightsName: filepath.Base(path), Weights: f, WeightsSize: info.Size()}
}

// TestTrainedWiring: the keys tell that a fork's parser leaves C3_ScConv out of the set that takes the number, so that
// [256, False] has no ScConv inside. PyTorch counts 1,243,304 parameters in 241 layers.
func TestTrainedWiring(t *testing.T) {
	s, warnings, err := ysc2onnx.Summarize(context.Background(), openCheckpoint(t, shared(t, "fixtures", "c3-noinsert.pt")), ysc2onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(warnings.Error(), "c3-noinsert.pt does not tell the formula of its ScConv: softmax(gamma) is taken") {
		t.Errorf("no warning of the open formula: %v", warnings)
	}
	if s.Parameters != 1243304 || s.Layers != 241 {
		t.Errorf("%d parameters in %d layers", s.Parameters, s.Layers)
	}
}

// TestTrainedWithYAML: the YAML that a model was trained from, given as well, makes no difference.
func TestTrainedWithYAML(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"insert", "replace", "c3", "c3-noinsert"} {
		var files [2]bytes.Buffer
		for i := range files {
			in := openCheckpoint(t, shared(t, "fixtures", name+".pt"))
			if i == 1 {
				text, err := os.ReadFile(shared(t, "fixtures", strings.TrimSuffix(name, "-noinsert")+".yaml"))
				if err != nil {
					t.Fatal(err)
				}
				in.Name, in.YAML = name+".yaml", bytes.NewReader(text)
			}
			if _, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{Height: 64, Width: 96, Writer: &files[i]}); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
			t.Errorf("%s: with its YAML the checkpoint gives %d other bytes than the %d without", name, files[1].Len(), files[0].Len())
		}
	}
}

// TestTrainedRefusals lists the tensors that do not fit a YAML.
func TestTrainedRefusals(t *testing.T) {
	in := openCheckpoint(t, shared(t, "fixtures", "c3.pt"))
	yaml := example(t, "yolov5n.yaml")
	in.Name, in.YAML = yaml.Name, yaml.YAML
	_, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{})
	for _, want := range []string{
		"yolov5n.yaml:17:13: error: layer 2 is C3, that of c3.pt is C3_ScConv\n",
		"yolov5n.yaml: note: for this and other differences of the rows, 210 tensors do not fit\n",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

// TestTrainedLayers compares every layer of converted checkpoints with what PyTorch recorded of them: batch-norm
// statistics, biases and gates are not trivial, the images not square.
func TestTrainedLayers(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	for _, test := range []struct {
		pt, npz string
		layers  int // that the recording holds
		gates   int // of ScConv, that are discontinuous
		scconv  ysc2onnx.ScConv
	}{
		{"fixtures/insert.pt", "fixtures/insert.npz", 25, 0, ""},
		{"fixtures/replace.pt", "fixtures/replace.npz", 24, 0, ""},
		{"fixtures/c3.pt", "fixtures/c3.npz", 24, 0, ""},
		{"fixtures/c3-noinsert.pt", "fixtures/c3-noinsert.npz", 24, 0, ""},
		{"calibrated/insert.pt", "calibrated/insert.npz", 25, 0, ""},
		{"calibrated/replace.pt", "calibrated/replace.npz", 24, 0, ""},
		{"calibrated/c3.pt", "calibrated/c3.npz", 24, 0, ""},
		{"calibrated/c3-noinsert.pt", "calibrated/c3-noinsert.npz", 24, 0, ""},
		{"fixtures/c3-mask.pt", "fixtures/c3-mask.npz", 24, 10, ysc2onnx.ScConvMask},
		{"fixtures/c3-normmask.pt", "fixtures/c3-normmask.npz", 24, 10, ""}, // whose keys tell
		{"fixtures/c3-where.pt", "fixtures/c3-where.npz", 24, 10, ""},
		{"calibrated/c3-mask.pt", "calibrated/c3-mask.npz", 24, 10, ysc2onnx.ScConvMask},
		{"calibrated/c3-normmask.pt", "calibrated/c3-normmask.npz", 24, 10, ""},
		{"calibrated/c3-where.pt", "calibrated/c3-where.npz", 24, 10, ""},
		{"data/yolov5n-coco.pt", "data/yolov5n-coco.bus.npz", 0, 0, ""},
		{"data/yolov5n-coco.pt", "data/yolov5n-coco.zidane.npz", 0, 0, ""},
	} {
		for _, raw := range []bool{false, true} {
			t.Run(filepath.Base(test.npz), func(t *testing.T) {
				ref, err := verify.OpenNPZ(shared(t, test.npz))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = ref.Close() }()
				input, err := ref.Read("input")
				if err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(t.TempDir(), "model.onnx")
				r, err := ysc2onnx.Convert(context.Background(), openCheckpoint(t, shared(t, test.pt)), ysc2onnx.Options{
					Output: out, Batch: int(input.Shape[0]), Height: int(input.Shape[2]), Width: int(input.Shape[3]),
					ScConv: test.scconv, Runtime: rt, NoOptimize: raw, Check: ysc2onnx.CheckFast, // TestTrainedNumbers makes the full one
				})
				if err != nil {
					t.Fatal(err)
				}
				if !r.Checks.OK() {
					t.Errorf("%+v", r.Checks.Failed())
				}
				c, err := verify.Against(context.Background(), rt, out, ref, verify.AgainstOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if gates := c.Gates; (gates != nil || test.gates > 0) && (gates == nil || gates.Comparisons != test.gates) {
					t.Errorf("gates %+v, want %d", gates, test.gates)
				}
				if !c.OK() || c.Layers != test.layers {
					_ = c.WriteTable(os.Stderr)
					t.Error(c.Summary())
				}
			})
		}
	}
}

// TestForkWirings: of the blocks that forks put ScConv into, the keys of a bare state_dict tell the form and the flavour, and each
// layer is what PyTorch recorded.
func TestForkWirings(t *testing.T) {
	rt := orttest.Runtime(t)
	ref, err := verify.OpenNPZ(filepath.Join("testdata", "forks.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ref.Close() }()
	in := openCheckpoint(t, filepath.Join("testdata", "forks.pt"))
	in.Name, in.YAML = "forks.yaml", bytes.NewReader(read(t, filepath.Join("testdata", "forks.yaml")))
	out := filepath.Join(t.TempDir(), "model.onnx")
	r, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Output: out, Batch: 2, Height: 32, Width: 64, Runtime: rt})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Checks.OK() {
		t.Errorf("%+v", r.Checks.Failed())
	}
	c, err := verify.Against(t.Context(), rt, out, ref, verify.AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !c.OK() || c.Layers != 7 || c.Gates == nil || c.Gates.Comparisons != 6 {
		t.Errorf("%s, gates %+v", c.Summary(), c.Gates)
	}
}

// TestTrainedMetadata: the properties of the file are those that YOLOv5's readers look for, in the form that they read:
// names is a Python dict literal, also where the checkpoint has a list, as older ones do.
func TestTrainedMetadata(t *testing.T) {
	for file, names := range map[string]string{
		"fixtures/c3.pt":       "{0: 'class0', 1: 'class1', 2: 'class2'}",
		"data/yolov5n-coco.pt": "{0: 'person', 1: 'bicycle', 2: 'car', 3: 'motorcycle', ",
	} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		in := openCheckpoint(t, shared(t, filepath.FromSlash(file)))
		if _, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{
			Output: path, Height: 65, Width: 90, Batch: 2, Check: ysc2onnx.CheckNone,
		}); err != nil {
			t.Fatal(err)
		}
		facts, err := verify.Structure(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if got := facts.Metadata["names"]; !strings.HasPrefix(got, names) || !strings.HasSuffix(got, "'}") {
			t.Errorf("%s: names is %s, want %s", file, got, names)
		}
		for key, want := range map[string]string{"stride": "32", "task": "detect", "batch": "2", "imgsz": "[96, 96]"} {
			if got := facts.Metadata[key]; got != want {
				t.Errorf("%s: %s is %q, want %q", file, key, got, want)
			}
		}
		for _, key := range []string{"author", "date"} {
			if got, ok := facts.Metadata[key]; ok {
				t.Errorf("%s: %s is %q: the same input would not give the same file everywhere", file, key, got)
			}
		}
	}
}
