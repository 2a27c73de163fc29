//go:build peers

package peers

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// parity runs the script, demands an exit code, and returns what it wrote.
func parity(t *testing.T, code int, args ...string) string {
	t.Helper()
	return want(t, code, python(t, "numpy", "torch", "yaml"), append([]string{"../parity.py", "--ysc2onnx", tool(t)}, args...)...)
}

// contains demands that a text has all the parts.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

// standIn is a folder that is laid out as a training code is, with a model and a function that loads it.
const standIn = "testdata/training"

// train has the stand-in write a checkpoint, of the form that the file's name and the options tell.
func train(t *testing.T, model, path string, options ...string) string {
	t.Helper()
	t.Setenv("PYTHONPATH", "..")
	want(t, 0, python(t, "numpy", "torch", "yaml"), append([]string{filepath.Join(standIn, "train.py"), example(model), path}, options...)...)
	return path
}

// TestParityOfAYAML has one command draw weights, export, run both and compare.
func TestParityOfAYAML(t *testing.T) {
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			out := parity(t, 0, example(model))
			layers(t, out)
			contains(t, out, "parity: equal: the export against PyTorch ", "random weights, input 2x3x96x128")
		})
	}
	out := parity(t, 0, example("yolov5n"), "--imgsz", "64", "160", "--batch", "3", "--seed", "7")
	contains(t, out, "input 3x3x64x160")
}

// TestParityOfForks does so with the modules of forks.
func TestParityOfForks(t *testing.T) {
	for _, model := range []string{"attention", "backbones", "contexts", "fusion", "norms", "stem", "transformers", "windows"} {
		t.Run(model, func(t *testing.T) {
			out := parity(t, 0, filepath.Join("..", "..", "testdata", "blocks", model+".yaml"), "--imgsz", "64", "96")
			contains(t, out, "parity: equal: the export against PyTorch ", "random weights, input 2x3x64x96")
		})
	}
}

// TestParityOfTensors gives the same weights as a safetensors file, and as the .pt of a state_dict.
func TestParityOfTensors(t *testing.T) {
	folder, model := t.TempDir(), "yolov5n"
	for _, path := range []string{
		train(t, model, filepath.Join(folder, "w.safetensors")),
		train(t, model, filepath.Join(folder, "w.pt"), "state_dict"),
	} {
		out := parity(t, 0, example(model), "--weights", path)
		layers(t, out)
		contains(t, out, "weights of "+path)
	}
}

// TestParityRunsTrainingCode compares with a model that a folder of training code unpickles, or builds.
func TestParityRunsTrainingCode(t *testing.T) {
	for _, model := range []string{"yolov5n", "yolov5s_C3ScConv"} {
		t.Run(model, func(t *testing.T) {
			folder := t.TempDir()
			best := train(t, model, filepath.Join(folder, "best.pt"))
			path := filepath.Join(folder, "best.onnx")
			want(t, 0, tool(t), best, "-o", path, "--quiet", "--no-verify", "--imgsz", "96x128", "--batch-size", "2")
			out := parity(t, 0, path, "--yolov5", standIn, "--weights", best)
			layers(t, out)
			contains(t, out, "parity: equal: "+path+" against PyTorch ", "is unpickled by "+standIn+", which runs whatever it holds")
			layers(t, parity(t, 0, "--yolov5", standIn, "--weights", best))
			layers(t, parity(t, 0, example(model), "--yolov5", standIn))

			// Code older than YOLOv5 6.0 has an attempt_load that always fuses: the checkpoint is loaded without it.
			old := filepath.Join(folder, "old")
			if err := os.CopyFS(old, os.DirFS(standIn)); err != nil {
				t.Fatal(err)
			}
			text := []byte("def attempt_load(weights, map_location=None):\n    raise NotImplementedError('this one fuses')\n")
			if err := os.WriteFile(filepath.Join(old, "models", "experimental.py"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			layers(t, parity(t, 0, path, "--yolov5", old, "--weights", best))
		})
	}
}

// TestParityDecidesAlike: float64 is recorded with the gates as float32 decided them, so that it tells of rounding alone.
func TestParityDecidesAlike(t *testing.T) {
	out := want(t, 0, python(t, "numpy", "torch"), "testdata/decisions.py")
	contains(t, out, "decided: True False\nlayer.0 right\noutput0 right\n")
}

// TestParityNamesTheLayer gives it files that are wrong, and demands the layer where they become so.
func TestParityNamesTheLayer(t *testing.T) {
	folder, model := t.TempDir(), "yolov5n"
	size := []string{"--imgsz", "96x128", "--batch-size", "2"}
	raw := export(t, folder, "raw.onnx", model, append(size, "--no-optimize")...)
	other := export(t, folder, "other.onnx", model, append(size, "--seed", "1")...)
	out := parity(t, 3, example(model), other, "--weights", raw)
	contains(t, out, "parity: DIFFERENT, first at model.0 (Conv): "+other)

	data, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	// The eighth batch norm is that of layer 3: one each in layers 0 and 1, five in layer 2. PyTorch's default is 1e-5.
	epsilon := []byte("\x07epsilon\x15")
	at := 0
	for range 8 {
		next := bytes.Index(data[at:], epsilon)
		if next < 0 {
			t.Fatal("the file has too few batch norms")
		}
		at += next + len(epsilon)
	}
	if got := math.Float32frombits(binary.LittleEndian.Uint32(data[at:])); got != 1e-3 {
		t.Fatalf("epsilon is %g", got)
	}
	binary.LittleEndian.PutUint32(data[at:], math.Float32bits(1e-5))
	wrong := filepath.Join(folder, "eps.onnx")
	if err := os.WriteFile(wrong, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out = parity(t, 3, example(model), wrong, "--weights", raw)
	contains(t, out, "parity: DIFFERENT, first at model.3 (Conv): "+wrong)

	first, second := train(t, model, filepath.Join(folder, "best.pt")), filepath.Join(folder, "second.onnx")
	want(t, 0, tool(t), example(model), "-o", second, "--quiet", "--no-verify", "--dynamic")
	out = parity(t, 3, second, "--yolov5", standIn, "--weights", first)
	contains(t, out, "parity: DIFFERENT, first at model.0 (Conv): "+second)
}

// TestParityFeedsPictures looks at the recorded input: centred on grey, RGB, each picture in its turn, in OpenCV's and
// in Pillow's hands.
func TestParityFeedsPictures(t *testing.T) {
	folder := t.TempDir()
	picture := func(name string, width, height int, c color.RGBA) string {
		canvas := image.NewRGBA(image.Rect(0, 0, width, height))
		for i := range width * height {
			canvas.SetRGBA(i%width, i/width, c)
		}
		path := filepath.Join(folder, name)
		file, err := os.Create(path)
		if err == nil {
			err = errors.Join(png.Encode(file, canvas), file.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	tall := picture("tall.png", 63, 96, color.RGBA{200, 100, 50, 255})
	wide := picture("wide.png", 64, 20, color.RGBA{10, 20, 30, 255}) // twice as large, it is 128 by 40
	weights := train(t, "yolov5n", filepath.Join(folder, "w.safetensors"))
	without := "import sys; sys.modules['cv2'] = None; sys.path.insert(0, '..'); import parity; sys.exit(parity.main(sys.argv[1:]))"
	for name, script := range map[string][]string{"cv2": {"../parity.py"}, "PIL": {"-c", without}} {
		t.Run(name, func(t *testing.T) {
			reference := filepath.Join(folder, name+".npz")
			want(t, 0, python(t, "numpy", "torch", "yaml", name), append(script, example("yolov5n"), "--weights", weights, "--record-only",
				"-o", reference, "--imgsz", "96", "128", "--image", tall, wide)...)
			input := array(t, reference, "input")
			if got := shapeOf(input); got != [4]int64{2, 3, 96, 128} {
				t.Fatalf("the input is %v", got)
			}
			for i, got := range input.Floats {
				x, y, channel, n := i%128, i/128%96, i/(128*96)%3, i/(128*96*3)
				expected := float32(114)
				switch {
				case n == 0 && x >= 32 && x < 32+63: // 65 columns are left: 32 before, 33 behind
					expected = []float32{200, 100, 50}[channel]
				case n == 1 && y >= 28 && y < 28+40:
					expected = []float32{10, 20, 30}[channel]
				}
				if got != expected/255 {
					t.Fatalf("picture %d, channel %d, row %d, column %d: %g, want %g", n, channel, y, x, got*255, expected)
				}
			}
		})
	}
}

// TestParityDrawsFromItsSeed demands the same input and weights for the same seed, and to others for another.
func TestParityDrawsFromItsSeed(t *testing.T) {
	folder := t.TempDir()
	var paths []string
	var lines [][]string
	for i, seed := range []string{"0", "0", "1"} {
		path := filepath.Join(folder, fmt.Sprintf("%d.npz", i))
		paths = append(paths, path)
		lines = append(lines, []string{"--ysc2onnx", tool(t), example("yolov5n"), "--imgsz", "64", "--batch", "1", "--seed", seed, "-o", path})
	}
	for _, got := range each(t, lines) {
		if got.Code != 0 {
			t.Fatalf("exit code %d\n%s", got.Code, got.Text)
		}
	}
	for _, name := range []string{"input", "layer.0", "output0"} {
		first, again, other := array(t, paths[0], name), array(t, paths[1], name), array(t, paths[2], name)
		if !slices.Equal(first.Floats, again.Floats) || slices.Equal(first.Floats, other.Floats) {
			t.Errorf("%s does not follow the seed", name)
		}
	}
}

// array reads an array of a record.
func array(t *testing.T, path, name string) engine.Tensor {
	t.Helper()
	ref, err := verify.OpenNPZ(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ref.Close() }()
	got, err := ref.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func shapeOf(x engine.Tensor) (shape [4]int64) {
	copy(shape[:], x.Shape)
	return shape
}

// TestParityExplains checks its advice: what is wrong, where, and what to do.
func TestParityExplains(t *testing.T) {
	folder, model := t.TempDir(), "yolov5n"
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fused := export(t, folder, "fused.onnx", model, "--imgsz", "96x128", "--batch-size", "2")
	best, tensors := train(t, model, filepath.Join(folder, "best.pt")), train(t, model, filepath.Join(folder, "state.pt"), "state_dict")
	lacking := filepath.Join(folder, "lacking")
	file("lacking/models/__init__.py", "")
	file("lacking/models/common.py", "")
	file("lacking/models/yolo.py", "class DetectionModel:\n    pass\n")
	file("lacking/models/experimental.py", "def attempt_load(weights, map_location=None):\n    pass\n")
	broken := filepath.Join(folder, "broken")
	file("broken/models/__init__.py", "")
	file("broken/models/yolo.py", "")
	file("broken/models/experimental.py", "import a_package_that_is_nowhere\n")
	leaving := filepath.Join(folder, "leaving")
	file("leaving/models/__init__.py", "")
	file("leaving/models/yolo.py", "")
	file("leaving/models/experimental.py", "\n\nraise SystemExit('no GPU')\n")
	yaml, err := os.ReadFile(example(model))
	if err != nil {
		t.Fatal(err)
	}
	few := file("few.yaml", regexp.MustCompile(`(?m)^nc: *\d+`).ReplaceAllString(string(yaml), "nc: 3"))
	other := filepath.Join(folder, "few.onnx")
	want(t, 0, tool(t), few, "-o", other, "--quiet", "--no-verify", "--imgsz", "96x128")
	unknown := file("unknown.yaml", strings.ReplaceAll(string(yaml), "SPPF", "MySPPF"))
	named := file("named.yaml", regexp.MustCompile(`(?m)^nc:`).ReplaceAllString(string(yaml), "classes:"))
	cases := []struct {
		name string
		code int
		args []string
		says string
	}{
		{"fused", 1, []string{example(model), fused}, "export once more with --no-optimize and pass that file as --weights"},
		{"height", 1, []string{fused, "--yolov5", standIn, "--weights", best, "--imgsz", "64"},
			fused + ": its height is fixed at 96, 64 was asked; export with --dynamic or ask for 96"},
		{"stride", 1, []string{example(model), "--imgsz", "100"}, "100x100: height and width must be multiples of the largest stride, 32"},
		{"classes", 1, []string{few, fused, "--yolov5", standIn, "--weights", train(t, model, filepath.Join(folder, "w.safetensors"))},
			"shape differs: model.24.m.0.weight is (255, 64, 1, 1) in the file, (24, 64, 1, 1) in the model"},
		{"other classes", 1, []string{other, "--yolov5", standIn, "--weights", best},
			"gives 8 values per box, for 3 classes; PyTorch gives 85, for 80: it was exported from another model"},
		{"module", 1, []string{unknown}, "row 9 (MySPPF): known are ASPP, BasicRFB, "},
		{"key", 1, []string{named}, named + ": the key 'nc' is missing"},
		{"no code", 1, []string{fused, "--yolov5", folder, "--weights", best},
			folder + ": there is no models/yolo.py in it; --yolov5 takes the folder of your training code"},
		{"class", 1, []string{fused, "--yolov5", lacking, "--weights", best},
			lacking + ": the checkpoint needs the class Conv of models.common, which is not in this code"},
		{"package", 1, []string{fused, "--yolov5", broken, "--weights", best},
			broken + ": the Python package a_package_that_is_nowhere is needed and not installed"},
		{"exit", 1, []string{fused, "--yolov5", leaving, "--weights", best},
			leaving + ": the training code failed: SystemExit: no GPU (line 3 of "},
		{"pickle", 1, []string{example(model), fused, "--weights", best},
			best + ": not a file of tensors alone: a checkpoint holds objects of its training code's classes; pass that code with --yolov5 DIR"},
		{"tensors", 1, []string{fused, "--yolov5", standIn, "--weights", tensors}, tensors + ": holds tensors only, and no model: name its YAML too"},
		{"safetensors", 1, []string{example(model), "--weights", file("broken.safetensors", "\xff\x00\x00\x00\x00\x00\x00\x00{")},
			"broken.safetensors: not a safetensors file, or a truncated one"},
		{"onnx", 1, []string{example(model), file("broken.onnx", "\x3a\xff\x01")}, "broken.onnx: not an ONNX file, or a truncated one"},
		{"no weights", 1, []string{fused, "--yolov5", standIn, "--weights", filepath.Join(folder, "none.pt")}, "none.pt: no such file; weights were expected"},
		{"picture", 1, []string{example(model), "--image", best}, best},
		{"no program", 1, []string{example(model), "--ysc2onnx", "no-such-program"}, "no-such-program was not found: pass --ysc2onnx PATH"},
		{"no model", 2, []string{fused}, "name the model's YAML"},
		{"two", 2, []string{example(model), fused, fused}, "one .onnx file at a time"},
		{"ending", 2, []string{best}, "expected a .yaml or an .onnx file; weights go to --weights"},
		{"output", 2, []string{example(model), "-o", fused}, "-o names a file that ends in .npz"},
		{"nothing to keep", 2, []string{example(model), "--record-only", "-o", filepath.Join(folder, "ref.npz")}, "--record-only is of weights that are kept"},
		{"batch", 2, []string{example(model), "--batch", "0"}, "--batch one"},
	}
	lines := make([][]string, len(cases))
	for i, c := range cases {
		lines[i] = append([]string{"--ysc2onnx", tool(t)}, c.args...)
	}
	for i, got := range each(t, lines) {
		if c := cases[i]; got.Code != c.code || !strings.Contains(got.Text, c.says) || strings.Contains(got.Text, "Traceback") {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", c.name, got.Code, c.code, c.says, got.Text)
		}
	}
	script := "import sys; sys.modules['torch'] = None; sys.path.insert(0, '..'); import parity"
	contains(t, want(t, 1, python(t, "numpy"), "-c", script), "this script needs numpy and torch")

	alone := filepath.Join(t.TempDir(), "parity.py")
	if err := copyFile("../parity.py", alone, nil); err != nil {
		t.Fatal(err)
	}
	contains(t, want(t, 1, python(t, "numpy", "torch"), "-E", alone, "m.yaml"), "parity_files.py is missing; parity.py needs the files parity_*.py beside it")
}

// outcome is how a run of the script ended, and what it wrote.
type outcome struct {
	Code int
	Text string
}

// each runs the script with each of the command lines, in children of one process that has imported PyTorch.
func each(t *testing.T, lines [][]string) []outcome {
	t.Helper()
	given, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COMMAND_LINES", string(given))
	out := want(t, 0, python(t, "numpy", "torch", "yaml"), "-c", `
import json, os, sys, tempfile
sys.path.insert(0, "..")
import parity
outcomes = []
for line in json.loads(os.environ["COMMAND_LINES"]):
    with tempfile.TemporaryFile() as text:
        child = os.fork()
        if child == 0:
            os.dup2(text.fileno(), 1)
            os.dup2(text.fileno(), 2)
            sys.exit(parity.main(line))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        text.seek(0)
        outcomes.append({"Code": code, "Text": text.read().decode()})
print(json.dumps(outcomes))
`)
	var outcomes []outcome
	if err := json.Unmarshal([]byte(out), &outcomes); err != nil {
		t.Fatalf("%v in:\n%s", err, out)
	}
	if len(outcomes) != len(lines) {
		t.Fatalf("%d of %d command lines were run", len(outcomes), len(lines))
	}
	return outcomes
}
