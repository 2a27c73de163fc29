package ysc2onnx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"ysc2onnx"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/onnxbuild/passes"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// fault is a deliberate mistake. It is planted into a right export, where a mistake in the code would act; a check has to
// catch it, and to name the place.
type fault struct {
	what  string // is wrong, for a reader
	model string // that is exported, see subject
	check string // that catches it
	names string // what the check names first: a layer, an output or an initializer

	// Where the fault is planted, exactly one of them.
	lowering func(s *surgery) // into the graph as it is lowered
}

// against is the check of a file against PyTorch's recorded values: verify --against.
const against = "against"

// faults are all of them.
func faults() []fault { return lowering }

// subject is a model to plant faults into, with the values that PyTorch recorded of it. Batch-norm statistics, biases and
// gates matter in all of them, and their inputs are not square.
type subject struct {
	in        ysc2onnx.Input
	recording string
}

// subjectOf opens a model. edge is the one of testdata/faults/record.py, the others are the trained fixtures.
func subjectOf(t *testing.T, name string) subject {
	t.Helper()
	if name != "edge" {
		return subject{openCheckpoint(t, shared(t, "fixtures", name+".pt")), shared(t, "fixtures", name+".npz")}
	}
	in := openCheckpoint(t, filepath.Join("testdata", "faults", "edge.pt"))
	text, err := os.ReadFile(filepath.Join("testdata", "faults", "edge.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in.Name, in.YAML = "edge.yaml", bytes.NewReader(text)
	return subject{in, filepath.Join("testdata", "faults", "edge.npz")}
}

// options are those of an export at the size of the recording.
func (s subject) options(t *testing.T) ysc2onnx.Options {
	t.Helper()
	ref := s.reference(t)
	input, err := ref.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	return ysc2onnx.Options{Batch: int(input.Shape[0]), Height: int(input.Shape[2]), Width: int(input.Shape[3])}
}

func (s subject) reference(t *testing.T) *verify.NPZ {
	t.Helper()
	ref, err := verify.OpenNPZ(s.recording)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ref.Close() })
	return ref
}

// export goes the way of Convert, from the model to a file, and plants the fault on it; f is nil for none.
func (s subject) export(t *testing.T, f *fault) (path string) {
	t.Helper()
	opt := s.options(t)
	model, err := ysc2onnx.Lower(context.Background(), s.in, &opt)
	if err != nil {
		t.Fatal(err)
	}
	f.plant(t, model)
	if err := passes.Run(model.Graph); err != nil {
		t.Fatal(err)
	}
	written, err := model.Graph.AtOpset(opt.Opset)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "model.onnx")
	if _, err := onnxfile.WriteFile(context.Background(), path, written, onnxfile.FileOptions{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func (f *fault) plant(t *testing.T, model *modules.Model) {
	t.Helper()
	if f != nil && f.lowering != nil {
		f.lowering(&surgery{t, model.Graph})
	}
}

// TestFaultsAreCaught plants each fault, and demands that the file changes, that the check fails and that it names the
// place. Without a fault the check has to pass.
func TestFaultsAreCaught(t *testing.T) {
	rt := orttest.Runtime(t)
	right := map[string][]byte{} // the files without a fault, by model
	for _, f := range faults() {
		t.Run(f.what, func(t *testing.T) {
			if right[f.model] == nil {
				s := subjectOf(t, f.model)
				path := s.export(t, nil)
				if c := compareRecording(t, rt, path, s); !c.OK() {
					t.Fatalf("without a fault: %s", c.Summary())
				}
				right[f.model] = read(t, path)
			}
			s := subjectOf(t, f.model)
			path := s.export(t, &f)
			if bytes.Equal(read(t, path), right[f.model]) {
				t.Fatal("the fault changes nothing")
			}
			c := compareRecording(t, rt, path, s)
			if c.OK() || c.FirstBad != f.names {
				t.Errorf("expected %s to be named: %s", f.names, c.Summary())
			}
		})
	}
}

func compareRecording(t *testing.T, rt verify.Runtime, path string, s subject) *verify.Comparison {
	t.Helper()
	c, err := verify.Against(context.Background(), rt, path, s.reference(t), verify.AgainstOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
