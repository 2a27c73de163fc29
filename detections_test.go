package ysc2onnx_test

import (
	"cmp"
	"context"
	"encoding/json"
	"image"
	_ "image/jpeg" // the photographs
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// detection is an object in an image: its corners in pixels of the original picture.
type detection struct {
	Class int        `json:"class"`
	Score float64    `json:"score"`
	Box   [4]float64 `json:"box_xyxy"`
}

// TestTrainedDetections: the objects that PyTorch finds in two photographs are those that the converted file finds.
func TestTrainedDetections(t *testing.T) {
	rt := orttest.Runtime(t)
	text, err := os.ReadFile(shared(t, "data", "yolov5n-coco.detections.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Detections map[string][]detection `json:"detections"`
	}
	if err := json.Unmarshal(text, &want); err != nil || len(want.Detections) != 2 {
		t.Fatalf("%d pictures, %v", len(want.Detections), err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := ysc2onnx.Convert(context.Background(), openCheckpoint(t, shared(t, "data", "yolov5n-coco.pt")), ysc2onnx.Options{Output: path}); err != nil {
		t.Fatal(err)
	}
	session, err := rt.Open(context.Background(), path, verify.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	for picture, objects := range want.Detections {
		got := suppress(candidates(output(t, session, picture), 0.25), 0.45)
		original(t, picture, got)
		if len(got) != len(objects) {
			t.Errorf("%s: %d objects, PyTorch finds %d", picture, len(got), len(objects))
			continue
		}
		for i, o := range objects {
			if g := got[i]; g.Class != o.Class || math.Abs(g.Score-o.Score) > 1e-3 || overlap(g.Box, o.Box) < 0.99 {
				t.Errorf("%s: object %d is %+v, PyTorch's %+v", picture, i, g, o)
			}
		}
	}
}

// output runs the model on the picture that the recording holds letterboxed.
func output(t *testing.T, session verify.Session, picture string) verify.Tensor {
	t.Helper()
	stem := picture[:len(picture)-len(filepath.Ext(picture))]
	z, err := verify.OpenNPZ(shared(t, "data", "yolov5n-coco."+stem+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	input, err := z.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	input.Name = "images"
	out, err := session.Run(context.Background(), []verify.Tensor{input})
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// candidates are the boxes whose best class, times the objectness, is over the threshold, the best first.
func candidates(out verify.Tensor, threshold float32) []detection {
	var found []detection
	columns := int(out.Shape[2])
	for row := range slices.Chunk(out.Floats, columns) {
		if row[4] <= threshold {
			continue
		}
		best := 5
		for i := range row[5:] {
			if row[5+i] > row[best] {
				best = 5 + i
			}
		}
		if score := row[best] * row[4]; score > threshold {
			x, y, w, h := float64(row[0]), float64(row[1]), float64(row[2]), float64(row[3])
			found = append(found, detection{best - 5, float64(score), [4]float64{x - w/2, y - h/2, x + w/2, y + h/2}})
		}
	}
	slices.SortFunc(found, func(a, b detection) int { return cmp.Compare(b.Score, a.Score) })
	return found
}

// suppress keeps the boxes that overlap no better one of their class by more than the threshold.
func suppress(boxes []detection, threshold float64) []detection {
	var kept []detection
	for _, b := range boxes {
		if !slices.ContainsFunc(kept, func(k detection) bool { return k.Class == b.Class && overlap(k.Box, b.Box) > threshold }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// overlap is the intersection of two boxes over their union.
func overlap(a, b [4]float64) float64 {
	area := func(x [4]float64) float64 { return max(x[2]-x[0], 0) * max(x[3]-x[1], 0) }
	both := area([4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])})
	return both / (area(a) + area(b) - both)
}

// original turns pixels of the letterboxed square of 640 into pixels of the picture.
func original(t *testing.T, picture string, boxes []detection) {
	t.Helper()
	f, err := os.Open(shared(t, "data", picture))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size, _, err := image.DecodeConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	sides := [2]float64{float64(size.Width), float64(size.Height)}
	gain := 640 / max(sides[0], sides[1])
	for i := range boxes {
		for k, x := range boxes[i].Box {
			side := sides[k%2]
			boxes[i].Box[k] = min(max((x-(640-side*gain)/2)/gain, 0), side)
		}
	}
}
