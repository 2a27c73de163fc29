//go:build peers

package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// row is a row of a YAML here, by the index in its comment.
var row = regexp.MustCompile(`(?m)^  - \[.*\]\s+#\s+\d+\b`)

// TestClassifiers converts the classifiers that YOLOv5 cuts from four of its models, fused and not, of which it saves no YAML, at the
// size that is usual for them, and compares every layer and the logits with PyTorch.
func TestClassifiers(t *testing.T) {
	checkout := os.Getenv("YOLOV5")
	if checkout == "" {
		t.Skip("*** SKIPPED, in CI too: no classifier was compared with YOLOv5's code; set YOLOV5 to a checkout of v7.0 ***")
	}
	for _, name := range []string{"yolov5s", "yolov5s-LeakyReLU", "yolov5s-transformer", "yolov5s-ghost"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("..", "..", "modules", "testdata", "stock", name+".yaml")
			if name == "yolov5s" {
				file = example(name)
			}
			folder := t.TempDir()
			want(t, 0, python(t, "numpy", "torch", "torchvision", "yaml"), "stock_models.py", checkout, folder, "--classifier", file)
			for _, kind := range []string{"", "-fused"} {
				best, path := filepath.Join(folder, name+kind+".pt"), filepath.Join(folder, "model.onnx")
				want(t, 0, tool(t), best, "-o", path, "--quiet", "--no-verify")
				contains(t, parity(t, 0, path, "--yolov5", checkout, "--weights", best), "9 layers, at most ", "parity: equal: ", "input 1x3x224x224")
			}
		})
	}
}

// TestStockModels converts a checkpoint of each of YOLOv5's 28 models, made by the checkout of v7.0 that $YOLOV5 names, fused and
// not, at opsets 12 and 17, and compares every layer with PyTorch at 256x128.
func TestStockModels(t *testing.T) {
	checkout := os.Getenv("YOLOV5")
	if checkout == "" {
		t.Skip("*** SKIPPED, in CI too: no stock model was compared with YOLOv5's code; set YOLOV5 to a checkout of v7.0 ***")
	}
	files, err := filepath.Glob("../../modules/testdata/stock/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("../../examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range examples {
		if !strings.Contains(file, "ScConv") {
			files = append(files, file)
		}
	}
	if len(files) != 28 {
		t.Fatalf("%d models, expected 28", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			compared := fmt.Sprintf("%d layers, at most ", len(row.FindAll(text, -1))-1) // the head is in the outputs
			folder := t.TempDir()
			want(t, 0, python(t, "numpy", "torch", "yaml"), "stock_models.py", checkout, folder, file)
			for _, kind := range []string{"", "-fused"} {
				best, path := filepath.Join(folder, name+kind+".pt"), filepath.Join(folder, "model.onnx")
				for _, opset := range []string{"12", "17"} {
					want(t, 0, tool(t), best, "-o", path, "--quiet", "--no-verify", "--imgsz", "256", "128", "--opset", opset)
					contains(t, parity(t, 0, path, "--yolov5", checkout, "--weights", best), compared, "parity: equal: ")
				}
			}
		})
	}
}
