package yamlcfg

import (
	"testing"

	"ysc2onnx/diag"
)

// TestScaleDepth: values of max(round(n*gd), 1) if n > 1 else n from CPython 3.11; 3*0.5, 5*0.5, 9*0.5, 10*0.25 and
// 3*1.5 tell half-to-even from half-up.
func TestScaleDepth(t *testing.T) {
	for _, c := range []struct {
		n    int
		gd   float64
		want int
	}{{3, 0.5, 2}, {5, 0.5, 2}, {9, 0.5, 4}, {1, 0.33, 1}, {0, 0.33, 0}, {2, 0.25, 1}, {6, 0.25, 2}, {10, 0.25, 2},
		{9, 0.33, 3}, {6, 0.33, 2}, {3, 0.33, 1}, {9, 1.33, 12}, {3, 1.5, 4}, {7, 1.5, 10}, {2, 0.1, 1}} {
		m := Model{DepthMultiple: c.gd}
		if got := m.ScaleDepth(c.n); got != c.want {
			t.Errorf("n %d, depth_multiple %v: got %d, want %d", c.n, c.gd, got, c.want)
		}
	}
}

// TestScaleWidth: values of math.ceil(c*gw/d)*d from CPython 3.11; 100*1.1 is 110.00000000000001 in float64, so that
// exact arithmetic would give 110.
func TestScaleWidth(t *testing.T) {
	for _, c := range []struct {
		c, gw float64
		d     int
		want  int
	}{{64, 0.5, 8, 32}, {64, 0.25, 8, 16}, {1024, 1.25, 8, 1280}, {255, 0.5, 8, 128}, {80, 1.1, 8, 88}, {100, 0.57, 1, 57},
		{1000, 0.57, 8, 576}, {30, 0.1, 1, 3}, {24, 0.3333333333333333, 8, 8}, {512, 0.33, 7, 175}, {100, 1.1, 1, 111}, {70, 0.1, 7, 7}} {
		m := Model{WidthMultiple: c.gw, ChannelMultiple: c.d}
		if got := m.ScaleWidth(c.c); got != c.want {
			t.Errorf("%v channels, width_multiple %v, multiple of %d: got %d, want %d", c.c, c.gw, c.d, got, c.want)
		}
	}
}

func TestSources(t *testing.T) {
	for _, c := range []struct {
		row  Row
		want []int
	}{
		{Row{Index: 0, From: []int{-1}}, []int{-1}},
		{Row{Index: 0, From: []int{-1, -1}}, []int{-1, -1}},
		{Row{Index: 1, From: []int{-1}}, []int{0}},
		{Row{Index: 16, From: []int{-2}}, []int{14}},
		{Row{Index: 16, From: []int{-1, 6, -16}}, []int{15, 6, 0}},
	} {
		got := c.row.Sources()
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("layer %d from %v: got %v, want %v", c.row.Index, c.row.From, got, c.want)
				break
			}
		}
	}
}

func TestSuggest(t *testing.T) {
	modules := []string{"Conv", "DWConv", "C3", "C3TR", "SPPF", "SPP", "Concat", "nn.Upsample", "ScConv", "C3_ScConv", "Detect"}
	for _, c := range []struct{ word, want string }{
		{"Cnov", "Conv"}, {"conv", "Conv"}, {"scconv", "ScConv"}, {"SPFF", "SPPF"}, {"nn.upsampel", "nn.Upsample"}, {"C3ScConv", "C3_ScConv"},
		{"Concta", "Concat"}, {"c3", "C3"}, {"Transformer", ""}, {"", ""}, {"Q", ""},
	} {
		if got, ok := diag.Suggest(c.word, modules); got != c.want || ok != (c.want != "") {
			t.Errorf("Suggest(%q): got %q, %v; want %q", c.word, got, ok, c.want)
		}
	}
}
