package ysc2onnx_test

import (
	"context"
	"encoding/json"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/detect"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestTrainedDetections: the objects that PyTorch finds in two photographs are those that the converted file finds in
// the same JPEG files.
func TestTrainedDetections(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	text, err := os.ReadFile(shared(t, "data", "yolov5n-coco.detections.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Detections map[string][]detect.Detection `json:"detections"`
	}
	if err := json.Unmarshal(text, &want); err != nil || len(want.Detections) != 2 {
		t.Fatalf("%d pictures, %v", len(want.Detections), err)
	}
	for _, dynamic := range []ysc2onnx.Dynamic{ysc2onnx.Static, ysc2onnx.DynamicAll} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		options := ysc2onnx.Options{Output: path, Dynamic: dynamic}
		if _, err := ysc2onnx.Convert(t.Context(), openCheckpoint(t, shared(t, "data", "yolov5n-coco.pt")), options); err != nil {
			t.Fatal(err)
		}
		d, err := detect.Open(context.Background(), rt, path, detect.DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		for name, objects := range want.Detections {
			picture := photograph(t, name)
			sameInput(t, name, d.Letterbox(picture))
			got, err := d.Detect(t.Context(), picture)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Detections) != len(objects) {
				t.Errorf("%s: %d objects, PyTorch finds %d", name, len(got.Detections), len(objects))
				continue
			}
			for i, o := range objects {
				g := got.Detections[i]
				if g.Class != o.Class || g.Name != o.Name || math.Abs(float64(g.Score-o.Score)) > 1e-3 || overlap(g.Box, o.Box) < 0.99 {
					t.Errorf("%s: object %d is %+v, PyTorch's %+v", name, i, g, o)
				}
				t.Logf("%s: %s: score differs by %.1e, IoU %.4f", name, g.Name, g.Score-o.Score, overlap(g.Box, o.Box))
			}
		}
	}
}

// photograph reads one of the recorded photographs.
func photograph(t *testing.T, name string) *image.RGBA {
	t.Helper()
	f, err := os.Open(shared(t, "data", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, _, err := detect.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// sameInput: a letterboxed photograph is, to the bit, what OpenCV and YOLOv5 made of the same file.
func sameInput(t *testing.T, picture string, boxed *detect.Letterboxed) {
	t.Helper()
	z, err := verify.OpenNPZ(shared(t, "data", "yolov5n-coco."+strings.TrimSuffix(picture, ".jpg")+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	want, err := z.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(want.Floats, boxed.Values) {
		t.Errorf("%s: the letterboxed input is not PyTorch's", picture)
	}
}

// overlap is the intersection of two boxes over their union.
func overlap(a, b [4]float32) float64 {
	area := func(x [4]float32) float64 { return float64(max(x[2]-x[0], 0)) * float64(max(x[3]-x[1], 0)) }
	both := area([4]float32{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])})
	return both / (area(a) + area(b) - both)
}
