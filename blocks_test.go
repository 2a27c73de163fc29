package ysc2onnx_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// forkModels are the checkpoints of testdata/blocks, which hold the modules that YOLOv5's forks add: how many layers have a
// recorded value, and the opset to write.
var forkModels = []struct {
	name          string
	layers, opset int
	fixed         bool // it takes one size of the image only
}{
	{"attention", 16, 17, false},
	{"backbones", 8, 17, false},
	{"contexts", 8, 17, false},
	{"deformable", 4, 19, false},
	{"fusion", 20, 17, false},
	{"norms", 10, 17, false},
	{"stem", 2, 17, false},
	{"transformers", 5, 17, false},
	{"windows", 4, 17, true},
}

// TestForkBlocks compares checkpoints of forks' modules, pickled under the paths of their classes, with what PyTorch recorded of
// them, layer by layer: with their YAML and alone, as lowered and optimised.
func TestForkBlocks(t *testing.T) {
	rt := orttest.Runtime(t)
	for _, test := range forkModels {
		t.Run(test.name, func(t *testing.T) {
			base := filepath.Join("testdata", "blocks", test.name)
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
				options := ysc2onnx.Options{Output: out, Batch: 2, Height: 32, Width: 64, Dynamic: ysc2onnx.DynamicAll, Runtime: rt, NoOptimize: raw, Opset: test.opset}
				if test.fixed {
					options.Dynamic = 0
				}
				r, err := ysc2onnx.Convert(t.Context(), in, options)
				if err != nil {
					t.Fatal(err)
				}
				if !r.Checks.OK() {
					t.Errorf("%+v", r.Checks.Failed())
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

// TestUntrainedForkBlocks exports the YAMLs alone, and counts layers, parameters and GFLOPs as PyTorch does (record_blocks.py).
func TestUntrainedForkBlocks(t *testing.T) {
	rt := orttest.Runtime(t)
	var counts map[string]struct {
		Layers     int
		Parameters int64
		GFLOPs     float64
	}
	if err := json.Unmarshal(read(t, filepath.Join("testdata", "blocks", "counts.json")), &counts); err != nil {
		t.Fatal(err)
	}
	if len(counts) != len(forkModels) {
		t.Fatalf("%d models are counted, expected %d", len(counts), len(forkModels))
	}
	for _, test := range forkModels {
		t.Run(test.name, func(t *testing.T) {
			in := ysc2onnx.Input{Name: test.name + ".yaml", YAML: bytes.NewReader(read(t, filepath.Join("testdata", "blocks", test.name+".yaml")))}
			out := filepath.Join(t.TempDir(), "model.onnx")
			r, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Output: out, Height: 32, Width: 64, Runtime: rt, Opset: test.opset})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Checks.OK() {
				t.Errorf("%+v", r.Checks.Failed())
			}
			want, got := counts[test.name], r.Summary
			if got.Layers != want.Layers || got.Parameters != want.Parameters || math.Abs(got.GFLOPs-want.GFLOPs) > 1e-12*want.GFLOPs {
				t.Errorf("%d layers, %d parameters, %.17g GFLOPs; PyTorch counts %d, %d, %.17g", got.Layers, got.Parameters, got.GFLOPs, want.Layers, want.Parameters, want.GFLOPs)
			}
		})
	}
}

// TestDeformableNeedsOpset19: below it nothing can be written, and the error says where, and which opset works.
func TestDeformableNeedsOpset19(t *testing.T) {
	in := ysc2onnx.Input{Name: "deformable.yaml", YAML: bytes.NewReader(read(t, filepath.Join("testdata", "blocks", "deformable.yaml")))}
	out := filepath.Join(t.TempDir(), "model.onnx")
	_, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Output: out, Height: 32, Width: 64, Opset: 17})
	const want = "/model.1/DeformConv: a deformable convolution (operator DeformConv) cannot be written at opset 17: the lowest that works is 19"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, expected %s", err, want)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}
