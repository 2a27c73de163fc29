//go:build peers

package peers

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort"
	"ysc2onnx/verify/ort/orttest"
)

// How far a client's output0 may be from that of ONNX Runtime's own library, and its objects from those that PyTorch finds.
const (
	clientBox   = 1e-2 // pixels
	clientScore = 1e-4
	objectScore = 1e-3
	objectIoU   = 0.99
)

// sharedFile is the path of a trained model, a picture or a recording.
func sharedFile(t *testing.T, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		orttest.Missing(t, "%v", err)
	}
	return path
}

// deployed are the models that every client runs: the ScConv models with weights from a seed, small ones of the same kind
// with weights that training could have left, and a trained yolov5n.
func deployed(t *testing.T, folder string) []string {
	t.Helper()
	sources := []string{example("yolov5s_ScConv"), example("yolov5s_ScConv_replace"), example("yolov5s_C3ScConv")}
	for _, name := range []string{"insert", "replace", "c3"} {
		sources = append(sources, sharedFile(t, "fixtures", name+".pt"))
	}
	var models []string
	for _, source := range append(sources, sharedFile(t, "data", "yolov5n-coco.pt")) {
		base := filepath.Base(source)
		path := filepath.Join(folder, strings.TrimSuffix(base, filepath.Ext(base))+".onnx")
		want(t, 0, tool(t), source, "-o", path, "--quiet", "--no-verify")
		models = append(models, path)
	}
	return models
}

// TestClients runs every client of examples/deploy on the same models and a photograph, compares output0 with that of ONNX
// Runtime's own library, and the objects in two photographs with those that PyTorch finds. It prints a table of all
// differences. Of an input that is not a square, and of a picture that is to be turned, the clients, which share little, have to
// find the same objects. What they cannot read, they refuse.
func TestClients(t *testing.T) {
	rt, folder := orttest.Runtime(t), t.TempDir()
	models := deployed(t, folder)
	photograph := recorded(t, "bus")
	input := filepath.Join(folder, "input.bin")
	writeFloats(t, input, photograph.Floats)
	native := map[string]engine.Tensor{}
	for _, model := range models {
		native[model] = runNative(t, rt, model, photograph)
	}

	wide := filepath.Join(folder, "wide.onnx")
	want(t, 0, tool(t), sharedFile(t, "data", "yolov5n-coco.pt"), "-o", wide, "--imgsz", "384", "640", "--quiet", "--no-verify")
	turned := filepath.Join(folder, "turned.jpg")
	turn(t, sharedFile(t, "data", "zidane.jpg"), turned)
	byHand, drawn, known := writeByHand(t, folder)
	inWide, inTurned := map[string][]object{}, map[string][]object{}

	table := newDifferences(models)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			client := c.open(t, folder)
			table.client(c.name)
			for _, model := range models {
				output := filepath.Join(folder, "output.bin")
				client.tensor(t, model, input, output)
				box, score := apart(t, readFloats(t, output), native[model])
				if !(box <= clientBox && score <= clientScore) {
					t.Errorf("%s: boxes differ by %.3g px, at most %g are allowed, scores by %.3g, at most %g", model, box, clientBox, score, clientScore)
				}
				table.add(model, fmt.Sprintf("%.1e · %.1e", box, score))
			}
			table.add("objects", photographs(t, client, models[len(models)-1]))
			if program, ok := client.(command); ok { // TestPage does so with the page
				refuse(t, program, folder, wide)
			}
			sameObjects(t, "objects by hand", client.detect(t, byHand, drawn), known)
			inWide[c.name] = client.detect(t, wide, sharedFile(t, "data", "bus.jpg"))
			inTurned[c.name] = client.detect(t, models[len(models)-1], turned)
		})
	}
	t.Logf("boxes in pixels · scores, ONNX Runtime %s\n%s", ort.Version, table)
	agree(t, "bus.jpg at 640x384", inWide, 3)
	agree(t, "zidane.jpg, turned", inTurned, 1)
}

// agree demands that all clients find the same objects, and at least some.
func agree(t *testing.T, what string, found map[string][]object, least int) {
	t.Helper()
	for name, objects := range found {
		if len(objects) < least {
			t.Errorf("%s: %s finds %d objects, expected %d at least", what, name, len(objects), least)
		}
		for other, theirs := range found {
			sameObjects(t, fmt.Sprintf("%s, %s against %s", what, name, other), objects, theirs)
		}
	}
}

// refuse gives a client what is neither a model nor a picture, and too little: it says so in one line, and fails.
func refuse(t *testing.T, c command, folder, model string) {
	t.Helper()
	broken, picture := filepath.Join(folder, "broken.onnx"), sharedFile(t, "data", "zidane.jpg")
	if err := os.WriteFile(broken, []byte("no protobuf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{broken, picture}, {filepath.Join(folder, "none.onnx"), picture}, {model, broken}, {model, filepath.Join(folder, "none.jpg")}} {
		out := want(t, 1, c[0], slices.Concat(c[1:], args)...)
		lines := strings.Split(strings.TrimSpace(out), "\n") // OpenCV writes some of its own before
		if last := lines[len(lines)-1]; !strings.HasPrefix(last, filepath.Base(c[len(c)-1])+": ") {
			t.Errorf("%v: %s", args, out)
		}
	}
	want(t, 2, c[0], c[1:]...)
}

// detections are the objects that PyTorch finds in two photographs.
func detections(t *testing.T) map[string][]object {
	t.Helper()
	var expected struct {
		Detections map[string][]object `json:"detections"`
	}
	text, err := os.ReadFile(sharedFile(t, "data", "yolov5n-coco.detections.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &expected); err != nil || len(expected.Detections) != 2 {
		t.Fatalf("%d pictures, %v", len(expected.Detections), err)
	}
	return expected.Detections
}

// differences is the table that is printed: a row for each model, a column for each client.
type differences struct {
	rows  []string
	cells map[string][]string
}

func newDifferences(models []string) *differences {
	return &differences{slices.Concat([]string{"model"}, models, []string{"objects"}), map[string][]string{}}
}

// client begins a column.
func (d *differences) client(name string) { d.add("model", name) }

func (d *differences) add(row, cell string) { d.cells[row] = append(d.cells[row], cell) }

// String is the table in Markdown.
func (d *differences) String() string {
	var text strings.Builder
	for i, row := range d.rows {
		name := strings.TrimSuffix(filepath.Base(row), ".onnx")
		fmt.Fprintf(&text, "| %s | %s |\n", name, strings.Join(d.cells[row], " | "))
		if i == 0 {
			text.WriteString(strings.Repeat("|---", len(d.cells[row])+1) + "|\n")
		}
	}
	return text.String()
}

// photographs compares what a client finds in two photographs with what PyTorch finds, and says how much that was.
func photographs(t *testing.T, c client, model string) string {
	t.Helper()
	equal, total, worst := 0, 0, 0.0
	for picture, objects := range detections(t) {
		got := c.detect(t, model, sharedFile(t, "data", picture))
		e, w := sameObjects(t, picture, got, objects)
		equal, total, worst = equal+e, total+len(objects), max(worst, w)
	}
	return fmt.Sprintf("%d of %d · %.0e", equal, total, worst)
}

// sameObjects compares what was found with what there is, in order. It gives the number that are equal and the largest
// difference of scores.
func sameObjects(t *testing.T, picture string, got, want []object) (equal int, worst float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d objects, expected %d: %+v", picture, len(got), len(want), got)
		return 0, math.Inf(1)
	}
	for i, w := range want {
		g := got[i]
		off := math.Abs(g.Score - w.Score)
		worst = max(worst, off)
		if g.Class != w.Class || g.Name != w.Name || off > objectScore || intersectionOverUnion(g.Box, w.Box) < objectIoU {
			t.Errorf("%s: object %d is %+v, expected %+v", picture, i, g, w)
			continue
		}
		equal++
	}
	return equal, worst
}

// intersectionOverUnion tells how alike two boxes are.
func intersectionOverUnion(a, b [4]float64) float64 {
	area := func(x [4]float64) float64 { return max(x[2]-x[0], 0) * max(x[3]-x[1], 0) }
	both := area([4]float64{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])})
	return both / (area(a) + area(b) - both)
}

// recorded is a photograph as YOLOv5 gives it to a model, [1, 3, 640, 640].
func recorded(t *testing.T, picture string) engine.Tensor {
	t.Helper()
	z, err := verify.OpenNPZ(sharedFile(t, "data", "yolov5n-coco."+picture+".npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	x, err := z.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	x.Name = "images"
	return x
}

// runNative is output0 as ONNX Runtime's own library computes it.
func runNative(t *testing.T, rt engine.Runtime, model string, x engine.Tensor) engine.Tensor {
	t.Helper()
	session, err := rt.Open(context.Background(), model, engine.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	out, err := session.Run(context.Background(), []engine.Tensor{x})
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// apart is how far output0 is from another: boxes in pixels, scores. What is not a number is infinitely far.
func apart(t *testing.T, got []float32, want engine.Tensor) (box, score float64) {
	t.Helper()
	if len(got) != len(want.Floats) {
		t.Fatalf("%d values, expected %d", len(got), len(want.Floats))
	}
	columns := int(want.Shape[2])
	for i, w := range want.Floats {
		off := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(off) {
			off = math.Inf(1)
		}
		if i%columns < 4 {
			box = max(box, off)
		} else {
			score = max(score, off)
		}
	}
	return box, score
}

func writeFloats(t *testing.T, path string, values []float32) {
	t.Helper()
	data, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// readFloats reads a client's output and removes it, so that none is taken for the next one's.
func readFloats(t *testing.T, path string) []float32 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, len(data)/4)
	if _, err := binary.Decode(data, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	return values
}
