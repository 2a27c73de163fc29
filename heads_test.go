package ysc2onnx_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx"
	"ysc2onnx/heads"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestForkHeads compares checkpoints of heads that YOLOv5's forks have with what PyTorch recorded of them, layer by layer: with
// their YAML and alone, as lowered and optimised.
func TestForkHeads(t *testing.T) {
	t.Parallel()
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
		{"corners", 5, `{"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["landmarks",8],["scores",2]]}`},
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

// TestForeignLandmarks: of PyTorch's own export, which says nothing of its output, the checkpoint tells which columns are landmarks.
func TestForeignLandmarks(t *testing.T) {
	rt := orttest.Runtime(t)
	base := filepath.Join("testdata", "heads", "face")
	v, err := ysc2onnx.Against(t.Context(), rt, base+".onnx", openCheckpoint(t, base+".pt"), ysc2onnx.AgainstOptions{})
	if err != nil || v.Err() != nil || v.Layers != 8 {
		t.Fatal(err, v)
	}
	if got := v.OutputsSummary(); !regexp.MustCompile(`^output boxes \S+ px, output objectness \S+, output landmarks \S+ px, output scores \S+$`).MatchString(got) {
		t.Error(got)
	}
}

// TestUntrainedHeads counts the parameters of YAMLs alone, as PyTorch does (record_heads.py prints them): a Decoupled_Detect has
// 256 channels inside then, as most forks have, which is said.
func TestUntrainedHeads(t *testing.T) {
	const note = "decoupled.yaml:13:17: note: Decoupled_Detect: forks have three kinds of branches under this name, which a YAML does not tell apart: " +
		"two 3x3 convolutions of 256 channels are assumed, as most have"
	const face = "face.yaml:18:17: note: Detect: the one of yolov5-face gives landmarks as well, and a YAML does not tell the two apart; without " +
		"a checkpoint this is YOLOv5's"
	const convolutions = 3*10*24 + 3*10*32 + 2*3*10 // of ten columns more for each of three anchors: weights and biases
	for name, want := range map[string]int64{"asff": 33385, "iaux": 4742, "decoupled": 4743306, "face": 23472 - convolutions} {
		yaml := read(t, filepath.Join("testdata", "heads", name+".yaml"))
		s, said, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{Name: name + ".yaml", YAML: bytes.NewReader(yaml)}, ysc2onnx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Parameters != want || strings.Contains(said.Error(), note) != (name == "decoupled") || strings.Contains(said.Error(), face) != (name == "face") {
			t.Errorf("%s: %d parameters, PyTorch has %d; %v", name, s.Parameters, want, said)
		}
	}
}

// TestEarlyLandmarks: where a model has none of the blocks that came with today's decoding of landmarks, it is said that it is assumed.
func TestEarlyLandmarks(t *testing.T) {
	for name, want := range map[string]bool{"corners": true, "face": false, "decoupled": false} {
		_, said, err := ysc2onnx.Summarize(t.Context(), openCheckpoint(t, filepath.Join("testdata", "heads", name+".pt")), ysc2onnx.Options{})
		const note = "note: Detect: its landmarks are decoded as yolov5-face does since 24 May 2021, t·anchor from the cell's corner; before, when its models had no " +
			"StemBlock, as this has none, it took 8·sigmoid(t) - 4 for t, which a checkpoint does not tell\n"
		if err != nil || strings.Contains(said.Error(), note) != want {
			t.Errorf("%s: %v, %v", name, err, said)
		}
	}
}

// TestHeadColumns: a head whose columns are not known, or that only a checkpoint's attributes could tell, is refused.
func TestHeadColumns(t *testing.T) {
	const (
		rows   = `"modules":[{"class":"models.yolo.Detect","attributes":{"nc":1,"no":`
		known  = "columns, which it calls no; known are 6: box, objectness and scores of 1 classes; 16 with five landmarks, as in yolov5-face, 14 with four; 186 with angles, as in yolov5_obb"
		before = "error: Detect: the checkpoint's head gives each anchor "
	)
	for metadata, want := range map[string]string{
		`{` + rows + `187},"paths":["model.8"]}]}`:          before + "187 " + known,
		`{` + rows + `186},"paths":["model.8"]}]}`:          "model.8.m.0.bias is [48], expected [558]", // with angles
		`{` + rows + `57,"nkpt":17},"paths":["model.8"]}]}`: "Detect: the checkpoint's head gives each anchor keypoints of a pose (its nkpt is 17), as that of YOLO-pose; they are not converted",
		`{` + rows + `7},"paths":["model.8"]}]}`:            before + "7 " + known,
		`{` + rows + `15.5},"paths":["model.8"]}]}`:         before + "15.5 " + known,
		`{` + rows + `"many"},"paths":["model.8"]}]}`:       before + "'many' " + known,
		`{` + rows + `[16]},"paths":["model.8"]}]}`:         "",
		`{` + rows + `14},"paths":["model.8"]}]}`:           "model.8.m.0.bias is [48], expected [42]",
		`{}`: "error: nc is 1 here, and the head of w.safetensors has the columns of 11 classes, or of 1 and of 5 landmarks, " +
			"as in yolov5-face; its tensors do not tell. Give the checkpoint that holds the whole model or, if they are classes, set nc to 11",
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

// TestRebuiltRows: the rows of a classifier, which has no YAML, are rebuilt from its layers: those of the YAML that it was
// built of, whose model PyTorch counts 46,123 parameters for.
func TestRebuiltRows(t *testing.T) {
	in := openCheckpoint(t, filepath.Join("testdata", "heads", "classify.pt"))
	text, err := ysc2onnx.ExtractYAML(in)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^  - (\[.*\])`)
	var got, want []string
	for _, m := range rows.FindAllSubmatch(text, -1) {
		got = append(got, string(m[1]))
	}
	for _, m := range rows.FindAllSubmatch(read(t, filepath.Join("testdata", "heads", "classify.yaml")), -1) {
		want = append(want, string(m[1]))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) != 6 {
		t.Errorf("%s", diff)
	}
	s, _, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{Name: "rebuilt.yaml", YAML: bytes.NewReader(text)}, ysc2onnx.Options{})
	if err != nil || s.Parameters != 46123 || s.Height != 224 || s.Width != 224 || s.Classes != 3 || s.Stride != 32 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestNoRebuiltRows: what the rows of a classifier cannot be made of is named, with its layer.
func TestNoRebuiltRows(t *testing.T) {
	const (
		layer = `{"class":"models.common.%s","attributes":{"f":%s},"paths":["model.0"]}`
		conv  = `,{"class":"torch.nn.modules.conv.Conv2d","attributes":{"stride":%s,"padding":2,"groups":1},"paths":["model.0.conv"]}`
		again = "w.safetensors carries no model YAML, and its rows cannot be rebuilt: model.0: "
	)
	for metadata, want := range map[string]string{
		``:                                                 again + "its f, the layers that it reads, is not 1 to 64 whole numbers. Give the YAML as well",
		fmt.Sprintf(layer, "Other", "-1"):                  again + "it is not known which arguments a row of models.common.Other had. Give the YAML as well",
		fmt.Sprintf(layer, "Conv", "0.5"):                  again + "its f, the layers",
		fmt.Sprintf(layer, "Conv", "-1"):                   again + "Conv has no conv.padding of the kind that a row's arguments are made from. Give the YAML as well",
		fmt.Sprintf(layer, "C3", "-1"):                     again + "C3 has no cv3.conv.weight of the kind",
		fmt.Sprintf(layer+conv, "Conv", "-1", "2.5"):       again + "Conv has no conv.stride of the kind",
		fmt.Sprintf(layer+conv, "Conv", "-1", "[1, 2, 3]"): again + "Conv has no conv.stride of the kind",
		fmt.Sprintf(layer+conv, "Conv", "-1", "2"):         "model.1: its f, the layers",
		fmt.Sprintf(layer, "SPP", "-1"):                    again + "SPP has no m of the kind",
	} {
		file := read(t, filepath.Join("testdata", "heads", "classify.pt"))
		weights := withMetadata(t, bytes.NewReader(file), int64(len(file)), `{"modules":[`+metadata+`]}`)
		_, _, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{
			WeightsName: "w.safetensors", Weights: bytes.NewReader(weights), WeightsSize: int64(len(weights)),
		}, ysc2onnx.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", metadata, err, want)
		}
	}
}

// FuzzRebuiltRows holds that no attributes of a classifier's layers make the conversion panic.
func FuzzRebuiltRows(f *testing.F) {
	f.Add(`{"class":"models.common.Conv","attributes":{"f":-1},"paths":["model.0"]},{"class":"torch.nn.modules.conv.Conv2d","attributes":{"stride":2,"padding":[2,2],"groups":1},"paths":["model.0.conv"]}`)
	f.Add(`{"class":"torch.nn.modules.container.Sequential","attributes":{"f":[-1,7]},"paths":["model.0","model.1"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file := read(t, filepath.Join("testdata", "heads", "classify.pt"))
		weights := withMetadata(t, bytes.NewReader(file), int64(len(file)), `{"modules":[`+text+`]}`)
		in := ysc2onnx.Input{WeightsName: "w.safetensors", Weights: bytes.NewReader(weights), WeightsSize: int64(len(weights))}
		_, _, _ = ysc2onnx.Summarize(t.Context(), in, ysc2onnx.Options{Height: 32, Width: 64}) // errors are fine
		_, _ = ysc2onnx.ExtractYAML(in)
	})
}

// TestClassifierHead: a classifier has one form of output; another one that is asked for is refused, not passed over.
func TestClassifierHead(t *testing.T) {
	in := openCheckpoint(t, filepath.Join("testdata", "heads", "classify.pt"))
	_, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Head: heads.V8})
	if err == nil || !strings.Contains(err.Error(), "the model classifies whole pictures: its output has one form") {
		t.Errorf("got %v", err)
	}
}
