// Package examples holds models and programs to start from; its tests convert and run all of them.
package examples

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify/ort/orttest"
)

// counted is what PyTorch counts for each model: YOLOv5 v7.0, for ScConv with the tutorial's edit.
var counted = map[string]struct {
	layers     int
	parameters int64
}{
	"yolov5n.yaml":                {214, 1_872_157},
	"yolov5s.yaml":                {214, 7_235_389},
	"yolov5m.yaml":                {291, 21_190_557},
	"yolov5l.yaml":                {368, 46_563_709},
	"yolov5x.yaml":                {445, 86_749_405},
	"yolov5n6.yaml":               {281, 3_246_940},
	"yolov5s6.yaml":               {281, 12_626_620},
	"yolov5m6.yaml":               {379, 35_731_932},
	"yolov5l6.yaml":               {477, 76_770_172},
	"yolov5x6.yaml":               {575, 140_794_780},
	"yolov5n-seg.yaml":            {225, 1_991_549},
	"yolov5s-seg.yaml":            {225, 7_621_277},
	"yolov5m-seg.yaml":            {302, 21_990_397},
	"yolov5l-seg.yaml":            {379, 47_924_957},
	"yolov5x-seg.yaml":            {456, 88_819_517},
	"yolov5s_ScConv.yaml":         {225, 30_996_349},
	"yolov5s_ScConv_replace.yaml": {207, 25_616_253},
	"yolov5s_C3ScConv.yaml":       {239, 19_495_869},
}

// TestModels counts every YAML of the folder as PyTorch does. It converts those of n's and s's width, for small images, so that
// it is quick, and has ONNX Runtime check the file: with open sizes it runs at a second size and another batch, too. The
// larger ones are converted at n's width by TestNoFalseAlarm.
func TestModels(t *testing.T) {
	rt := orttest.Runtime(t)
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) != len(counted) {
		t.Fatalf("found %v (%v), and figures for %d models", files, err, len(counted))
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			yaml, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = yaml.Close() }()
			want := counted[file]
			if strings.ContainsAny(strings.TrimPrefix(file, "yolov5")[:1], "mlx") {
				got, _, err := ysc2onnx.Summarize(context.Background(), ysc2onnx.Input{Name: file, YAML: yaml}, ysc2onnx.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if got.Layers != want.layers || got.Parameters != want.parameters {
					t.Errorf("%d layers and %d parameters, PyTorch counts %d and %d", got.Layers, got.Parameters, want.layers, want.parameters)
				}
				return
			}
			result, err := ysc2onnx.Convert(context.Background(), ysc2onnx.Input{Name: file, YAML: yaml}, ysc2onnx.Options{
				Height: 64, Width: 64, Dynamic: ysc2onnx.DynamicAll, Output: filepath.Join(t.TempDir(), "model.onnx"), Runtime: rt,
			})
			if err != nil {
				t.Fatal(err)
			}
			if result.Summary.Layers != want.layers || result.Summary.Parameters != want.parameters {
				t.Errorf("%d layers and %d parameters, PyTorch counts %d and %d",
					result.Summary.Layers, result.Summary.Parameters, want.layers, want.parameters)
			}
			var names []string
			for _, check := range result.Checks.Checks {
				names = append(names, check.Name)
				if !check.OK {
					t.Errorf("%s: %s", check.Name, check.Detail)
				}
			}
			for _, name := range []string{"structure", "interface", "runtime", "size", "batch"} {
				if !slices.Contains(names, name) {
					t.Errorf("there was no check of %s, only %v", name, names)
				}
			}
		})
	}
}

// program builds one of the folder's programs and runs it in an empty folder. It gives what the program printed.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, name+".exe")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%s: %v\n%s%s", name, err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// TestConvertPrints runs examples/convert. Its output0 has for 320x320 pixels 3·(40² + 20² + 10²) = 6300 rows.
func TestConvertPrints(t *testing.T) {
	orttest.Runtime(t)
	yaml, err := filepath.Abs("yolov5n.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := program(t, "convert", yaml, "yolov5n.onnx")
	want := []string{
		"yolov5n.onnx: 214 layers, 1872157 parameters, opset 17",
		"structure ok  ",
		"interface ok  images float32 [1, 3, 320, 320] -> output0 float32 [1, 6300, 85]",
		"weights   ok  83 initializers as computed",
		"numbers   ok  25 layers, largest error ",
		"load      ok  ONNX Runtime 1.",
		"runtime   ok  images 1x3x320x320 -> output0 1x6300x85",
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got\n%s", got)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q, want it to begin with %q", i+1, line, want[i])
		}
	}
}

// TestBuildgraphPrints runs examples/buildgraph. Where the image goes from 0 to 1, gx = 1 + 2 + 1 and gy = 0; elsewhere
// both are 0.
func TestBuildgraphPrints(t *testing.T) {
	orttest.Runtime(t)
	got := program(t, "buildgraph", "edges.onnx")
	first, rest, _ := strings.Cut(got, "\n")
	if !strings.HasPrefix(first, "edges.onnx: 4 nodes, ") {
		t.Errorf("the first line is %q", first)
	}
	if want := "edges [1 1 3 4]\n[0 4 4 0]\n[0 4 4 0]\n[0 4 4 0]\n"; rest != want {
		t.Errorf("got\n%swant\n%s", rest, want)
	}
}
