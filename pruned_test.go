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

// TestPruned compares checkpoints whose convolutions have other widths than their YAML gives, or masked weights, with what PyTorch
// recorded of them, layer by layer, as lowered and optimised.
func TestPruned(t *testing.T) {
	rt := orttest.Runtime(t)
	for name, notes := range map[string][]string{
		"plain":  {"thop counted operations", "the channels of 20 convolutions are those of its tensors, not the YAML's"},
		"fork":   {"the channels of 20 convolutions are those of its tensors, not the YAML's"},
		"nores":  {"the channels of 18 convolutions are those of its tensors, not the YAML's"},
		"masked": {"masks 10 parameters with torch.nn.utils.prune"},
	} {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join("testdata", "pruned", name)
			ref, err := verify.OpenNPZ(base + ".npz")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ref.Close() }()
			for _, raw := range []bool{false, true} {
				out := filepath.Join(t.TempDir(), "model.onnx")
				r, err := ysc2onnx.Convert(t.Context(), openCheckpoint(t, base+".pt"), ysc2onnx.Options{
					Output: out, Batch: 2, Height: 32, Width: 64, Dynamic: ysc2onnx.DynamicAll, Runtime: rt, NoOptimize: raw,
				})
				if err != nil {
					t.Fatal(err)
				}
				if !r.Checks.OK() {
					t.Errorf("%+v", r.Checks.Failed())
				}
				for _, note := range notes {
					if !strings.Contains(r.Warnings.Error(), note) {
						t.Errorf("no note says %q: %v", note, r.Warnings)
					}
				}
				c, err := verify.Against(t.Context(), rt, out, ref, verify.AgainstOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if !c.OK() || c.Layers != 9 {
					_ = c.WriteTable(os.Stderr)
					t.Error(c.Summary())
				}
			}
		})
	}
}

// TestMaskedState: a state_dict with masks computes what the whole model does.
func TestMaskedState(t *testing.T) {
	rt := orttest.Runtime(t)
	folder := filepath.Join("testdata", "pruned")
	var files [2]string
	for i, name := range []string{"masked.pt", "masked-state.pt"} {
		in := openCheckpoint(t, filepath.Join(folder, name))
		if i == 1 {
			in.Name, in.YAML = "masked.yaml", bytes.NewReader(read(t, filepath.Join(folder, "model.yaml")))
		}
		files[i] = filepath.Join(t.TempDir(), "model.onnx")
		if _, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Height: 32, Width: 64, Output: files[i]}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := verify.AgainstFile(t.Context(), rt, files[1], files[0], verify.AgainstOptions{})
	if err != nil || !c.OK() || c.Layers != 9 {
		t.Error(err, c.Summary())
	}
}

// TestLegacyFormat: the format from before PyTorch 1.6 converts to the same bytes as the zip.
func TestLegacyFormat(t *testing.T) {
	var files [2]bytes.Buffer
	for i, name := range []string{"plain.pt", "plain-legacy.pt"} {
		in := openCheckpoint(t, filepath.Join("testdata", "pruned", name))
		in.WeightsName = "plain.pt"
		if _, err := ysc2onnx.Convert(t.Context(), in, ysc2onnx.Options{Height: 32, Width: 64, Writer: &files[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Errorf("%d bytes, and %d others from the older format", files[0].Len(), files[1].Len())
	}
}

// TestPrunedRefused: a pruned class in a YAML alone has no widths, and weights of other widths do not fit a YAML that they are given
// with, unless the checkpoint holds the modules themselves.
func TestPrunedRefused(t *testing.T) {
	text := strings.ReplaceAll(string(read(t, filepath.Join("testdata", "pruned", "model.yaml"))), "C3,", "C3Pruned,")
	_, _, err := ysc2onnx.Summarize(t.Context(), ysc2onnx.Input{Name: "m.yaml", YAML: strings.NewReader(text)}, ysc2onnx.Options{})
	if err == nil || !strings.Contains(err.Error(), "m.yaml:11:13: error: C3Pruned: its widths are those that pruning left, and only the pruned checkpoint has them") {
		t.Errorf("got %v", err)
	}
	in := openCheckpoint(t, filepath.Join("testdata", "pruned", "masked-state.pt"))
	in.Name, in.YAML = "m.yaml", strings.NewReader(strings.Replace(text, "width_multiple: 1.0", "width_multiple: 0.5", 1))
	if _, _, err := ysc2onnx.Summarize(t.Context(), in, ysc2onnx.Options{}); err == nil {
		t.Error("weights of twice the width fit")
	}
}
