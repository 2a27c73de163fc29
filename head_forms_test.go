package ysc2onnx_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx"
	"ysc2onnx/heads"
	"ysc2onnx/verify"
	"ysc2onnx/verify/ort/orttest"
)

// TestHeadForms writes a trained model with each form of outputs, for fixed and for open sizes; every check holds, and every layer
// is what PyTorch recorded.
func TestHeadForms(t *testing.T) {
	rt := orttest.Runtime(t)
	base := filepath.Join("testdata", "pruned", "plain")
	ref, err := verify.OpenNPZ(base + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ref.Close() }()
	for _, form := range heads.Forms() {
		for _, dynamic := range []ysc2onnx.Dynamic{ysc2onnx.Static, ysc2onnx.DynamicAll} {
			out := filepath.Join(t.TempDir(), "model.onnx")
			r, err := ysc2onnx.Convert(context.Background(), openCheckpoint(t, base+".pt"), ysc2onnx.Options{
				Output: out, Batch: 2, Height: 32, Width: 64, Dynamic: dynamic, Runtime: rt, Head: form.Stage,
			})
			if err != nil {
				t.Fatalf("%s: %v", form.Name, err)
			}
			if !r.Checks.OK() {
				t.Errorf("%s: %+v", form.Name, r.Checks.Failed())
			}
			c, err := verify.Against(context.Background(), rt, out, ref, verify.AgainstOptions{})
			if err != nil {
				t.Fatalf("%s: %v", form.Name, err)
			}
			if c.Layers != 9 {
				t.Errorf("%s: %s", form.Name, c.Summary())
			}
			for _, row := range c.Rows {
				if strings.HasPrefix(row.Name, "model.") && row.Problem != "" {
					t.Errorf("%s: %s: %s", form.Name, row.Name, row.Problem)
				}
			}
		}
	}
}
