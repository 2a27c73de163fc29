package modules_test

import (
	"path/filepath"
	"testing"
)

// TestForksTakeOpenSizes lowers modules of forks for a batch, height and width that are not known, and compares it
// with PyTorch's output.
func TestForksTakeOpenSizes(t *testing.T) {
	for _, name := range []string{
		"cbam", "coord_att", "se", "se_layer", "se_attention", "eca", "simam", "gam", "nam", "shuffle_attention", "ema",
		"c3cbam", "cbam_c3", "c3se", "c3eca", "c3ca",
		"mobilenetv3", "inverted_residual", "horblock", "c3hb", "convnext_block", "cot3", "bot3", "qarepvgg", "triplet", "sk_attention", "coord_conv", "aspp", "basic_rfb", "dcnv2_groups", "c3_dcn",
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

// TestWindowsNeedAFixedSize: a window of an open size is refused, and what to do is said.
func TestWindowsNeedAFixedSize(t *testing.T) {
	for name, want := range map[string]string{
		"c3str":       "model.0/m: its windows are cut for one size of the image, and the map is batchx32xheightxwidth: give a fixed size",
		"bot3_placed": "model.0/m/m.0/cv2/cv2.0: the positions are for 60 places, and the map is batchx8xheightxwidth: they are for one size of the image, and no larger",
	} {
		c := readCase(t, filepath.Join("testdata", "oracle", "cases", name+".npz"))
		c.open = true
		if _, err := c.tryLower(t); err == nil || err.Error() != want {
			t.Errorf("%s: %v\nwant %s", name, err, want)
		}
	}
}
