//go:build peers

package peers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ysc2onnx"
)

// TestExtractedWeights: the safetensors file that is made of a checkpoint has PyTorch's state_dict, bit for bit.
func TestExtractedWeights(t *testing.T) {
	files := []string{filepath.Join("..", "..", "testdata", "changed.pt"), filepath.Join("..", "..", "testdata", "fused.pt")}
	shared, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "*", "*.pt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, shared...) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		layout, _, err := ysc2onnx.ExtractWeights(ysc2onnx.Input{WeightsName: path, Weights: f, WeightsSize: info.Size()})
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "weights.safetensors")
		to, err := os.Create(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := layout.Write(t.Context(), to, nil); err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // it was only read
		said, err := exec.Command(python(t, "torch"), "same_tensors.py", path, out).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", path, err, said)
		}
		t.Logf("%s: %s", filepath.Base(path), said)
	}
}
