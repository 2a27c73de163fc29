//go:build peers

package peers

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ysc2onnx/verify"
)

// fixtures is a folder of checkpoints that YOLOv5 wrote with ScConv in its code, and of what that code gives; scconv is
// that code's module.
const (
	fixtures = "../../../shared/fixtures"
	scconv   = "../../../shared/oracle/scconv_torch.py"
)

// TestParityRunsYOLOv5 adds ScConv to a copy of the checkout of YOLOv5 v7.0 that $YOLOV5 names, as its users do, and
// compares with that code. The code is under another licence, and not kept here: where there is no checkout, this is not
// checked, in CI neither. TestParityRunsTrainingCode is about the same path.
func TestParityRunsYOLOv5(t *testing.T) {
	checkout := os.Getenv("YOLOV5")
	if _, err := os.Stat(fixtures); checkout == "" || err != nil {
		t.Skipf("*** SKIPPED: set YOLOV5 to a checkout of YOLOv5 v7.0; checkpoints are expected in %s ***", fixtures)
	}
	fork := fork(t, checkout)
	for _, name := range []string{"insert", "replace", "c3", "c3-noinsert"} {
		t.Run(name, func(t *testing.T) {
			best, folder := filepath.Join(fixtures, name+".pt"), t.TempDir()
			layers(t, parity(t, 0, "--yolov5", fork, "--weights", best))
			path, reference := filepath.Join(folder, "best.onnx"), filepath.Join(folder, "ref.npz")
			want(t, 0, tool(t), best, "-o", path, "--quiet", "--no-verify", "--dynamic")
			layers(t, parity(t, 0, path, "--yolov5", fork, "--weights", best, "-o", reference))
			theirs, err := verify.OpenNPZ(filepath.Join(fixtures, name+".npz"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = theirs.Close() }()
			ours, err := verify.OpenNPZ(reference)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ours.Close() }()
			if got, expected := strings.Join(ours.Names(), " "), strings.Join(theirs.Names(), " "); got != expected {
				t.Errorf("recorded are %s, want %s", got, expected)
			}
			contains(t, parity(t, 1, path, "--yolov5", checkout, "--weights", best), "of models.common, which is not in this code")
		})
	}
	for _, name := range []string{"insert", "replace", "c3"} {
		layers(t, parity(t, 0, filepath.Join(fixtures, name+".yaml"), "--yolov5", fork))
	}
	layers(t, parity(t, 0, example("yolov5n"), "--yolov5", checkout))

	// The same checkpoint in the code of another release of ScConv computes something else.
	text, err := os.ReadFile(scconv)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`flavour = "softmax"`), []byte(`flavour = "mask"`), 1)
	if err := os.WriteFile(filepath.Join(fork, "models", "scconv_torch.py"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	out := parity(t, 3, "--yolov5", fork, "--weights", filepath.Join(fixtures, "c3-mask.pt"))
	contains(t, out, "parity: DIFFERENT, first at model.2 (C3_ScConv)")
}

// fork copies a checkout's Python files and adds ScConv to its modules and to the two sets of its parser.
func fork(t *testing.T, checkout string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "fork")
	err := filepath.WalkDir(checkout, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".py" {
			return err
		}
		name, err := filepath.Rel(checkout, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(folder, name), nil)
	})
	models := filepath.Join(folder, "models")
	set := regexp.MustCompile(`C3x,?\s*}`)
	err = errors.Join(err, copyFile(scconv, filepath.Join(models, "scconv_torch.py"), nil),
		copyFile(filepath.Join(models, "common.py"), filepath.Join(models, "common.py"), func(text string) string {
			return text + "\nfrom models.scconv_torch import CRU, SRU, GroupBatchnorm2d, ScConv, c3_scconv\nC3_ScConv = c3_scconv(Conv)\n"
		}),
		copyFile(filepath.Join(models, "yolo.py"), filepath.Join(models, "yolo.py"), func(text string) string {
			if n := len(set.FindAllString(text, -1)); n != 2 {
				t.Fatalf("%s has %d sets of modules that end with C3x, expected 2: use YOLOv5 v7.0", checkout, n)
			}
			sets := []string{"C3x, ScConv, C3_ScConv}", "C3x, C3_ScConv}"}
			text = set.ReplaceAllStringFunc(text, func(string) string {
				next := sets[0]
				sets = sets[1:]
				return next
			})
			return strings.Replace(text, "from models.experimental", "from models.common import ScConv, C3_ScConv\nfrom models.experimental", 1)
		}))
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// copyFile copies a file, edited, into a folder that may have to be made.
func copyFile(from, to string, edit func(string) string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if edit != nil {
		text = []byte(edit(string(text)))
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, text, 0o600))
}

// TestParityOfATrainedModel compares a trained model with YOLOv5's own code on a photograph, at its own size, and the
// photograph as it was fed with what YOLOv5's letterbox made of it.
func TestParityOfATrainedModel(t *testing.T) {
	checkout, data := os.Getenv("YOLOV5"), "../../../shared/data"
	if _, err := os.Stat(data); checkout == "" || err != nil {
		t.Skipf("*** SKIPPED: set YOLOV5 to a checkout of YOLOv5 v7.0; a trained model is expected in %s ***", data)
	}
	python(t, "cv2")
	for _, name := range []string{"bus", "zidane"} {
		reference := filepath.Join(t.TempDir(), "ref.npz")
		layers(t, parity(t, 0, "--yolov5", checkout, "--weights", filepath.Join(data, "yolov5n-coco.pt"),
			"--image", filepath.Join(data, name+".jpg"), "-o", reference))
		got, expected := array(t, reference, "input"), array(t, filepath.Join(data, "yolov5n-coco."+name+".npz"), "input")
		if shapeOf(got) != shapeOf(expected) {
			t.Fatalf("%s: the input is %v, want %v", name, got.Shape, expected.Shape)
		}
		for i := range got.Floats {
			if got.Floats[i] != expected.Floats[i] {
				t.Fatalf("%s: pixel %d is %g, want %g", name, i, got.Floats[i], expected.Floats[i])
			}
		}
	}
}
