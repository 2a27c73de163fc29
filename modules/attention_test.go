package modules_test

import (
	"path/filepath"
	"testing"
)

// TestAttentionTakesOpenSizes lowers each attention module for a batch, height and width that are not known, and compares it
// with PyTorch's output.
func TestAttentionTakesOpenSizes(t *testing.T) {
	for _, name := range []string{
		"cbam", "coord_att", "se", "se_layer", "se_attention", "eca", "simam", "gam", "nam", "shuffle_attention", "ema",
		"c3cbam", "cbam_c3", "c3se", "c3eca", "c3ca",
	} {
		t.Run(name, func(t *testing.T) {
			c := readCase(t, filepath.Join("testdata", "oracle", "cases", name+".npz"))
			c.open = true
			g := c.lower(t)
			if _, static := g.Outputs[0].Shape.Static(); static {
				t.Fatalf("the output is %s, expected open sizes", g.Outputs[0].Shape)
			}
			compareOutputs(t, c.Tells, c.evaluate(t, g), c.outputs)
		})
	}
}
