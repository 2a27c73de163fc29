package ysc2onnx_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"ysc2onnx"
	"ysc2onnx/checkpoint"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestCheckpointDecides compares changed.pt, which differs from its YAML in all that a checkpoint has the last word on,
// with what PyTorch recorded of it: with its YAML and alone, its batch norms folded by PyTorch, by us and not at all.
func TestCheckpointDecides(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, test := range []struct{ name, weights string }{
		{"", "changed.pt"}, {"changed.yaml", "changed.pt"}, {"", "fused.pt"}, {"changed.yaml", "fused.pt"},
	} {
		name := test.name
		for _, raw := range []bool{false, true} {
			in := openCheckpoint(t, filepath.Join("testdata", test.weights))
			if name != "" {
				text, err := os.ReadFile(filepath.Join("testdata", name))
				if err != nil {
					t.Fatal(err)
				}
				in.Name, in.YAML = name, bytes.NewReader(text)
			}
			out := filepath.Join(t.TempDir(), "model.onnx")
			_, err := ysc2onnx.Convert(context.Background(), in, ysc2onnx.Options{Output: out, Batch: 2, Height: 32, Width: 64, NoOptimize: raw, Check: ysc2onnx.CheckNone})
			if err != nil {
				t.Fatal(err)
			}
			ref, err := verify.OpenNPZ(filepath.Join("testdata", "changed.npz"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := verify.Against(context.Background(), rt, out, ref, verify.AgainstOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := ref.Close(); err != nil {
				t.Fatal(err)
			}
			if !c.OK() || c.Layers != 5 {
				_ = c.WriteTable(os.Stderr)
				t.Errorf("%s %q, unfused %v: %s", test.weights, name, raw, c.Summary())
			}
		}
	}
}

// TestExtract gives the YAML and the weights of a checkpoint back, through memory.
func TestExtract(t *testing.T) {
	in := openCheckpoint(t, filepath.Join("testdata", "changed.pt"))
	yaml, err := ysc2onnx.ExtractYAML(in)
	if err != nil {
		t.Fatal(err)
	}
	layout, notes, err := ysc2onnx.ExtractWeights(in)
	if err != nil || len(notes) > 0 {
		t.Fatal(err, notes)
	}
	var weights bytes.Buffer
	if err := layout.Write(context.Background(), &weights, nil); err != nil {
		t.Fatal(err)
	}
	opt := ysc2onnx.Options{Height: 32, Width: 64}
	var files [2]bytes.Buffer
	in.Name, in.YAML = "changed.yaml", bytes.NewReader(yaml)
	both := ysc2onnx.Input{
		Name: "changed.yaml", YAML: bytes.NewReader(yaml),
		WeightsName: "w.safetensors", Weights: bytes.NewReader(weights.Bytes()), WeightsSize: int64(weights.Len()),
	}
	for i, in := range []ysc2onnx.Input{in, both} {
		opt.Writer = &files[i]
		if _, err := ysc2onnx.Convert(context.Background(), in, opt); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the extracted weights give another file")
	}
}

// FuzzMetadata holds that no metadata of a safetensors file makes the conversion panic.
func FuzzMetadata(f *testing.F) {
	f.Add(`{"yaml":"nc: 1","names":["a"],"modules":[{"class":"x.Y","attributes":{"eps":1e-3,"stride":[8],"f":[-1]},"paths":["model.0",""]}]}`)
	f.Add(`{"modules":[{"class":"","attributes":{"eps":[]},"paths":[""]},{"class":"a.SiLU","paths":["model.0.act"]}]}`)
	f.Add(`{"modules":[{"class":"models.yolo.Detect","attributes":{"nc":1,"no":16,"nkpt":0.5},"paths":["model.5"]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := os.ReadFile(filepath.Join("testdata", "changed.pt"))
		if err != nil {
			t.Fatal(err)
		}
		weights := withMetadata(t, bytes.NewReader(file), int64(len(file)), text)
		in := ysc2onnx.Input{WeightsName: "w.safetensors", Weights: bytes.NewReader(weights), WeightsSize: int64(len(weights))}
		yaml, err := os.ReadFile(filepath.Join("testdata", "changed.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		_, _, _ = ysc2onnx.Summarize(context.Background(), in, ysc2onnx.Options{Height: 32, Width: 64}) // errors are fine
		in.Name, in.YAML = "changed.yaml", bytes.NewReader(yaml)
		_, _, _ = ysc2onnx.Summarize(context.Background(), in, ysc2onnx.Options{Height: 32, Width: 64})
		_, _ = ysc2onnx.ExtractYAML(in)
		_, _, _ = ysc2onnx.ExtractWeights(in)
	})
}

// withMetadata is a safetensors file of a checkpoint's tensors with that metadata.
func withMetadata(t *testing.T, r io.ReaderAt, size int64, text string) []byte {
	t.Helper()
	f, err := checkpoint.Open(r, size, checkpoint.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Model()
	if err != nil {
		t.Fatal(err)
	}
	layout, err := checkpoint.PlanSafetensors(m.StateDict(), map[string]string{"ysc2onnx": text})
	if err != nil {
		t.Skip(err)
	}
	var file bytes.Buffer
	if err := layout.Write(context.Background(), &file, nil); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
