package ysc2onnx_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestForkHeads compares checkpoints of heads that YOLOv5's forks have with what PyTorch recorded of them, layer by layer: with
// their YAML and alone, as lowered and optimised.
func TestForkHeads(t *testing.T) {
	const plain = `{"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["scores",2]]}`
	rt := orttest.Runtime(t)
	for _, test := range []struct {
		name   string
		layers int
		means  string // what the file says of its output
	}{
		{"asff", 4, plain},
		{"decoupled", 3, plain},
		{"iaux", 5, plain},
		{"classify", 5, `{"name":"output0","axis":1,"parts":[["logits",3]]}`},
		{"face", 8, `{"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["landmarks",10],["scores",1]]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := filepath.Join("testdata", "heads", test.name)
			ref, err := verify.OpenNPZ(base + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ref.Close() }()
			for i, raw := range []bool{false, true} {
				in := openCheckpoint(t, base+".pt")
				if i == 0 {
					in.Name, in.YAML = test.name+".yaml", bytes.NewReader(read(t, base+".yaml"))
				}
				out := filepath.Join(t.TempDir(), "model.onnx")
				r, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{
					Output: out, Batch: 2, Height: 64, Width: 96, Dynamic: ysc2onnx.DynamicAll, Runtime: rt, NoOptimize: raw,
				})
				if err != nil {
					t.Fatal(err)
				}
				if !r.Checks.OK() {
					t.Errorf("%+v", r.Checks.Failed())
				}
				if got := r.Checks.Facts.Metadata["outputs"]; got != "["+test.means+"]" {
					t.Errorf("the outputs are said to be %s", got)
				}
				c, err := verify.Against(t.Context(), rt, out, ref, verify.AgainstOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if !c.OK() || c.Layers != test.layers {
					_ = c.WriteTable(os.Stderr)
					t.Error(c.Summary())
				}
			}
		})
	}
}

// TestUntrainedHeads counts the parameters of YAMLs alone, as PyTorch does (record_heads.py prints them): a Decoupled_Detect has
// 256 channels inside then, as most forks have, which is said.
func TestUntrainedHeads(t *testing.T) {
	const note = "decoupled.yaml:13:17: note: Decoupled_Detect: forks have three kinds of branches under this name, which a YAML does not tell apart: " +
		"two 3x3 convolutions of 256 channels are assumed, as most have"
	for name, want := range map[string]int64{"asff": 33385, "iaux": 4742, "decoupled": 4743306} {
		yaml := read(t, filepath.Join("testdata", "heads", name+".yaml"))
		s, said, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{Name: name + ".yaml", YAML: bytes.NewReader(yaml)}, ysc2onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Parameters != want || strings.Contains(said.Error(), note) != (name == "decoupled") {
			t.Errorf("%s: %d parameters, PyTorch has %d; %v", name, s.Parameters, want, said)
		}
	}
}

// TestHeadColumns: a head whose columns are not known, or that only a checkpoint's attributes could tell, is refused.
func TestHeadColumns(t *testing.T) {
	const (
		rows   = `"modules":[{"class":"models.yolo.Detect","attributes":{"nc":1,"no":`
		known  = "columns, which it calls no; known are 6: box, objectness and scores of 1 classes; with landmarks 16 for five points, as in yolov5-face, or 14 for four"
		before = "error: Detect: the checkpoint's head gives each anchor "
	)
	for metadata, want := range map[string]string{
		`{` + rows + `186},"paths":["model.8"]}]}`:    before + "186 columns, which it calls no: 180 more than",
		`{` + rows + `7},"paths":["model.8"]}]}`:      before + "7 " + known,
		`{` + rows + `15.5},"paths":["model.8"]}]}`:   before + "15.5 " + known,
		`{` + rows + `"many"},"paths":["model.8"]}]}`: before + "'many' " + known,
		`{` + rows + `[16]},"paths":["model.8"]}]}`:   "",
		`{` + rows + `14},"paths":["model.8"]}]}`:     "model.8.m.0.bias is [48], expected [42]",
		`{}`: "error: nc is 1 here, and the head of w.safetensors has the columns of 11 classes, or of 1 and of 10 coordinates of landmarks, " +
			"as that of yolov5-face has; its tensors do not tell. Give the checkpoint that holds the whole model or, if they are classes, set nc to 11",
	} {
		file := read(t, filepath.Join("testdata", "heads", "face.pt"))
		weights := withMetadata(t, bytes.NewReader(file), int64(len(file)), metadata)
		_, _, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{
			Name: "face.yaml", YAML: bytes.NewReader(read(t, filepath.Join("testdata", "heads", "face.yaml"))),
			WeightsName: "w.safetensors", Weights: bytes.NewReader(weights), WeightsSize: int64(len(weights)),
		}, ysc2onnx.Options{})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v\nwant %s", metadata, err, want)
		}
	}
}
