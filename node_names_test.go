package ysc2onnx_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
)

// TestNodeNames compares the names of nodes and values with those that PyTorch's exporter gave (testdata/names/record.py).
// Only how boxes are decoded is our own: of the head the convolutions and sigmoids are compared.
func TestNodeNames(t *testing.T) {
	recorded, err := os.ReadFile(filepath.Join("testdata", "names", "small.txt"))
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]bool{}
	for line := range strings.Lines(string(recorded)) {
		theirs[strings.TrimSpace(line)] = true
	}
	f, err := os.Open(filepath.Join("testdata", "names", "small.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	opt := ysc2onnx.Options{Height: 64, Width: 64}
	m, err := ysc2onnx.Lower(context.Background(), ysc2onnx.Input{Name: "small.yaml", YAML: f}, &opt, func(g *onnxbuild.Graph, opt *ysc2onnx.Options) (*onnxbuild.Written, error) {
		if err := passes.Run(g); err != nil {
			return nil, err
		}
		return g.AtOpset(opt.Opset)
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Written(m.Model, m.Size)
	if err != nil {
		t.Fatal(err)
	}
	const head = "/model.10/"
	ours := map[string]bool{}
	for _, n := range w.Nodes {
		line := strings.Join([]string{n.Op, n.Name, n.Outputs[0]}, " ")
		ours[line] = true
		if decoding := strings.HasPrefix(n.Name, head) && n.Op != "Conv" && n.Op != "Sigmoid"; !decoding && !theirs[line] {
			t.Errorf("PyTorch's export has no %s", line)
		}
	}
	for line := range theirs {
		if !strings.Contains(line, " "+head) && !ours[line] || strings.HasPrefix(line, "Conv ") && !ours[line] {
			t.Errorf("PyTorch's export has %s, ours has not", line)
		}
	}
}

// TestClassNamesAndStride: what is written is what YOLOv5's export.py writes of the model.
func TestClassNamesAndStride(t *testing.T) {
	const two = `
nc: 4
names: %
depth_multiple: 1.0
width_multiple: 0.25
anchors: 3
backbone:
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, Conv, [64, 3, 4]]
  - [-1, 1, Conv, [64, 3, 2]]
head:
  - [[1, 2], 1, Detect, [nc, anchors]]
`
	// The head reads strides 8 and 16 as well, of which the latter was upsampled from 32: 336 does not fit.
	const deep = `
nc: 4
names: %
depth_multiple: 1.0
width_multiple: 0.25
anchors: 3
backbone:
  - [-1, 1, Conv, [64, 3, 8]]
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, Conv, [64, 3, 2]]
  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]
  - [[-1, 1], 1, Concat, [1]]
head:
  - [[0, 4], 1, Detect, [nc, anchors]]
`
	numbered := "{0: '0', 1: '1', 2: '2', 3: '3'}"
	for _, test := range []struct {
		what, yaml, names string // of the YAML
		written           string
		stride            string
		side              int // of 336
		warning           string
	}{
		// yaml.safe_load('[1, yes, 02146, "a cat"]') is [1, True, 1126, 'a cat']
		{"a list", two, `[1, yes, 02146, "a cat"]`, "{0: '1', 1: 'True', 2: '1126', 3: 'a cat'}", "16", 336, ""},
		{"a mapping", two, `{1: b, 0: a, 3: "no", 2: no}`, "{0: 'a', 1: 'b', 2: 'False', 3: 'no'}", "16", 336, ""},
		{"too few", two, `[a, b]`, numbered, "16", 336, "there are 2, and nc is 4"},
		{"other numbers", two, `{1: a, 2: b, 3: c, 4: d}`, numbered, "16", 336, "the numbers of the classes must be 0 to 3, each once"},
		{"lists in it", two, `[a, [b], c, d]`, numbered, "16", 336, "that of class 1 is not a text"},
		{"a text", two, `abcd`, numbered, "16", 336, "expected a list, or a mapping from their numbers"},
		{"maps of stride 32 inside", deep, `[a, b, c, d]`, "{0: 'a', 1: 'b', 2: 'c', 3: 'd'}", "32", 352, ""},
	} {
		t.Run(test.what, func(t *testing.T) {
			r := convert(t, ysc2onnx.Input{Name: "m.yaml", YAML: strings.NewReader(strings.Replace(test.yaml, "%", test.names, 1))},
				ysc2onnx.Options{Height: 336, Width: 336, Dynamic: ysc2onnx.DynamicAll})
			got := r.Checks.Facts.Metadata
			if got["names"] != test.written || got["stride"] != test.stride || r.Height != test.side {
				t.Errorf("names %s, stride %s, %d pixels, want %s, %s, %d", got["names"], got["stride"], r.Height, test.written, test.stride, test.side)
			}
			var warnings strings.Builder
			if err := r.Warnings.Format(&warnings, false); err != nil {
				t.Fatal(err)
			}
			want := ""
			if test.warning != "" {
				want = "m.yaml:3:1: warning: the names of the classes are not used: " + test.warning + " [class-names]\n"
			}
			if first, _, _ := strings.Cut(warnings.String(), "    "); first != want {
				t.Errorf("warned %q, want %q", first, want)
			}
		})
	}
}
