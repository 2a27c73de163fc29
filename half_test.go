package ysc2onnx_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/detect"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
)

// halfAllowed is how far detections of a float16 file may be from float32's.
const (
	halfOverlap = 0.98
	halfScore   = 0.01
)

// TestHalfDetections: with float16 the objects are those that PyTorch finds in float32, and the file has half the size.
func TestHalfDetections(t *testing.T) {
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
	checkpoint := shared(t, "data", "yolov5n-coco.pt")
	single := converted(t, checkpoint, ysc2onnx.Options{})
	for _, h := range []ysc2onnx.Half{ysc2onnx.HalfWeights, ysc2onnx.HalfFull} {
		r := converted(t, checkpoint, ysc2onnx.Options{Half: h, Runtime: rt})
		if share := float64(r.Bytes) / float64(single.Bytes); share > 0.53 { // the grids, biases and nodes stay
			t.Errorf("half %d: %d bytes are %.2f of float32's", h, r.Bytes, share)
		}
		if !r.Checks.OK() {
			t.Errorf("half %d: %v", h, r.Checks.Failed())
		}
		d, err := detect.Open(t.Context(), rt, r.File.Path, detect.DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		for name, objects := range want.Detections {
			got, err := d.Detect(t.Context(), photograph(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Detections) != len(objects) {
				t.Errorf("half %d: %s: %d objects, PyTorch finds %d", h, name, len(got.Detections), len(objects))
				continue
			}
			for i, o := range objects {
				g := got.Detections[i]
				if g.Class != o.Class || math.Abs(float64(g.Score-o.Score)) > halfScore || overlap(g.Box, o.Box) < halfOverlap {
					t.Errorf("half %d: %s: object %d is %+v, PyTorch's %+v", h, name, i, g, o)
				}
				t.Logf("half %d: %s: %s: score differs by %.1e, IoU %.4f", h, name, g.Name, g.Score-o.Score, overlap(g.Box, o.Box))
			}
		}
	}
}

// TestHalfScConv: on a photograph, the hundred best rows of each calibrated ScConv model are float32's where weights are stored
// as float16. These models are not trained, and lie flat enough for rounding after each operator to move boxes by more
// than half of themselves: of float16 throughout, every layer is checked, in what the export checks, and not those rows.
func TestHalfScConv(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	picture := photograph(t, "bus.jpg")
	for _, name := range []string{"insert", "replace", "c3", "c3-noinsert", "c3-mask", "c3-normmask"} {
		checkpoint := shared(t, "calibrated", name+".pt")
		var rows [3]engine.Tensor
		for h := range rows {
			r := converted(t, checkpoint, ysc2onnx.Options{Half: ysc2onnx.Half(h), Runtime: rt, Height: 320, Width: 320})
			if !r.Checks.OK() {
				t.Errorf("%s, half %d: %v", name, h, r.Checks.Failed())
			}
			d, err := detect.Open(t.Context(), rt, r.File.Path, detect.DefaultOptions())
			if err != nil {
				t.Fatal(err)
			}
			boxed := d.Letterbox(picture)
			_ = d.Close()
			s, err := rt.Open(t.Context(), r.File.Path, engine.SessionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			out, err := s.Run(t.Context(), []engine.Tensor{{Name: "images", Shape: []int64{1, 3, 320, 320}, Floats: boxed.Values}})
			if err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			rows[h] = out[0]
		}
		if problem := sameBest(rows[ysc2onnx.HalfNone], rows[ysc2onnx.HalfWeights], 100); problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// sameBest compares the best rows of decoded detections with the same rows of others.
func sameBest(want, got engine.Tensor, count int) string {
	columns := int(want.Shape[2])
	type scored struct {
		score float32
		at    int
	}
	row := func(t engine.Tensor, at int) (box [4]float32, score float32) {
		r := t.Floats[at*columns : (at+1)*columns]
		return [4]float32{r[0] - r[2]/2, r[1] - r[3]/2, r[0] + r[2]/2, r[1] + r[3]/2}, r[4] * slices.Max(r[5:])
	}
	var best []scored
	for at := range int(want.Shape[1]) {
		_, score := row(want, at)
		best = append(best, scored{score, at})
	}
	slices.SortFunc(best, func(a, b scored) int { return int(math.Copysign(1, float64(b.score-a.score))) })
	worst, most := 1.0, 0.0
	for _, b := range best[:count] {
		wantBox, wantScore := row(want, b.at)
		gotBox, gotScore := row(got, b.at)
		if wantBox[2]-wantBox[0] > 1 && wantBox[3]-wantBox[1] > 1 { // of a box without an area there is no part
			worst = min(worst, overlap(wantBox, gotBox))
		}
		most = max(most, math.Abs(float64(wantScore-gotScore)))
	}
	if !(worst > halfOverlap) || !(most < halfScore) {
		return fmt.Sprintf("the least IoU is %.4f, the largest difference of scores %.4f", worst, most)
	}
	return ""
}

// TestHalfRefusesOverflow: a weight that float16 cannot hold is named, and the file that was there stays.
func TestHalfRefusesOverflow(t *testing.T) {
	yaml := "nc: 1\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: [[10,13, 16,30, 33,23]]\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\nhead:\n  - [[0], 1, Detect, [nc, anchors]]\n"
	kernel := slices.Repeat([]float32{0.5}, 8*3*3*3)
	kernel[7], kernel[100] = 7e4, -7e4
	ones := slices.Repeat([]float32{1}, 8)
	weights := safetensors(t, map[string]array{
		"model.0.conv.weight": {[]int64{8, 3, 3, 3}, kernel}, "model.0.bn.weight": {[]int64{8}, ones}, "model.0.bn.bias": {[]int64{8}, ones},
		"model.0.bn.running_mean": {[]int64{8}, ones}, "model.0.bn.running_var": {[]int64{8}, ones},
		"model.1.anchors": {[]int64{1, 3, 2}, []float32{1, 2, 3, 4, 5, 6}}, "model.1.m.0.weight": {[]int64{18, 8, 1, 1}, make([]float32, 144)}, "model.1.m.0.bias": {[]int64{18}, make([]float32, 18)},
	})
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, h := range []ysc2onnx.Half{ysc2onnx.HalfWeights, ysc2onnx.HalfFull, 7} {
		_, err := ysc2onnx.Convert(t.Context(), ysc2onnx.Input{
			Name: "m.yaml", YAML: strings.NewReader(yaml), WeightsName: "m.safetensors", Weights: bytes.NewReader(weights), WeightsSize: int64(len(weights)),
		}, ysc2onnx.Options{Half: h, Output: path})
		want := "weights of 65520 and more do not fit float16, which holds up to 65504: model.0.conv.weight (2 of 216); write the file without halves"
		if h == 7 {
			want = "half is 7, expected HalfNone, HalfWeights or HalfFull"
		}
		if err == nil || err.Error() != want {
			t.Errorf("half %d: %v, want %s", h, err, want)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "before" {
			t.Errorf("half %d: the file is %q, %v", h, text, err)
		}
	}
}

// array is a tensor of a safetensors file.
type array struct {
	shape    []int64
	elements []float32
}

// safetensors are the bytes of a file with these tensors.
func safetensors(t *testing.T, tensors map[string]array) []byte {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for name, a := range tensors {
		from := len(data)
		for _, x := range a.elements {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
		header[name] = map[string]any{"dtype": "F32", "shape": a.shape, "data_offsets": []int{from, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

// converted writes the file of a checkpoint.
func converted(t *testing.T, checkpoint string, opt ysc2onnx.Options) *ysc2onnx.Result {
	t.Helper()
	opt.Output = filepath.Join(t.TempDir(), "model.onnx")
	if opt.Runtime == nil {
		opt.Check = ysc2onnx.CheckNone
	}
	r, err := ysc2onnx.Convert(t.Context(), openCheckpoint(t, checkpoint), opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHalfAgainst: a file that computes in float16 agrees with a recording of float32, and with the float32 file, within its
// own precision; one whose weights are merely stored as float16 within float32's.
func TestHalfAgainst(t *testing.T) {
	t.Parallel()
	rt := orttest.Runtime(t)
	checkpoint := shared(t, "data", "yolov5n-coco.pt")
	single := converted(t, checkpoint, ysc2onnx.Options{Height: 96, Width: 160})
	for h, bound := range map[ysc2onnx.Half][2]float64{ysc2onnx.HalfWeights: {0, 1e-5}, ysc2onnx.HalfFull: {1e-4, 3e-2}} {
		small := converted(t, checkpoint, ysc2onnx.Options{Half: h, Height: 96, Width: 160})
		c, err := verify.AgainstFile(t.Context(), rt, small.File.Path, single.File.Path, verify.AgainstOptions{})
		if err != nil || !c.OK() {
			t.Fatalf("half %d: %v, %+v", h, err, c)
		}
		worst := 0.0
		for _, row := range c.Rows {
			worst = max(worst, row.MaxRel)
		}
		if worst < bound[0] || worst > bound[1] {
			t.Errorf("half %d: the largest difference is %.1e, expected %.0e to %.0e", h, worst, bound[0], bound[1])
		}
		large := converted(t, checkpoint, ysc2onnx.Options{Half: h})
		z, err := verify.OpenNPZ(shared(t, "data", "yolov5n-coco.bus.npz"))
		if err != nil {
			t.Fatal(err)
		}
		c, err = verify.Against(t.Context(), rt, large.File.Path, z, verify.AgainstOptions{})
		if err != nil || !c.OK() {
			t.Errorf("half %d, against the recording: %v, %+v", h, err, c)
		}
		_ = z.Close()
	}
}
