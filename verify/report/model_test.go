package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx"
	"ysc2onnx/verify"
)

// TestModel reads the layers of an exported yolov5n. Its neck joins 6 to 12, 4 to 16, 14 to 19, 10 to 22, and its head reads
// 17, 20 and 23; YOLOv5 itself counts 1,867,405 parameters where BatchNorm is folded, as it is here.
func TestModel(t *testing.T) {
	yaml, err := os.ReadFile(filepath.Join("..", "..", "examples", "yolov5n.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "yolov5n.onnx")
	_, err = ysc2onnx.Convert(t.Context(), ysc2onnx.Input{Name: "yolov5n.yaml", YAML: bytes.NewReader(yaml)}, ysc2onnx.Options{Height: 64, Width: 96, Output: path, Check: ysc2onnx.CheckNone})
	if err != nil {
		t.Fatal(err)
	}
	check := func(modules bool) {
		t.Helper()
		facts, err := verify.Structure(t.Context(), path)
		if err != nil || !facts.OK() {
			t.Fatal(err, facts)
		}
		stages := facts.Picture()
		from := map[int][]int{12: {6, 11}, 16: {4, 15}, 19: {14, 18}, 22: {10, 21}, 24: {17, 20, 23}}
		module := map[int]string{0: "Conv", 2: "C3", 9: "SPPF", 11: "Upsample", 12: "Concat", 24: "Detect"}
		var params int64
		for i, s := range stages {
			want := from[i]
			if want == nil {
				want = []int{i - 1}
			}
			if diff := cmp.Diff(want, s.From); diff != "" {
				t.Errorf("layer %d (-want +got)\n%s", i, diff)
			}
			if m, ok := module[i]; ok && modules && s.Module != m || !modules && s.Module != "" {
				t.Errorf("layer %d is a %q", i, s.Module)
			}
			params += s.Parameters
		}
		if len(stages) != 25 || params != 1_867_405 {
			t.Errorf("%d layers with %d parameters", len(stages), params)
		}
		if got := dims(stages[24].Output); got != "1×378×85" { // 3·(8·12 + 4·6 + 2·3)
			t.Errorf("the head gives %s", got)
		}
	}
	check(true)

	// Without the metadata the arrows follow from the graph alone.
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(model, []byte("\x06layers")); n != 1 {
		t.Fatalf("the metadata have layers %d times", n)
	}
	if err := os.WriteFile(path, bytes.Replace(model, []byte("\x06layers"), []byte("\x06others"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	check(false)
}
