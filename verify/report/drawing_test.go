package report

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// TestLanes draws arrows at random: no two of different sources may share a lane where both run.
func TestLanes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		lines := make([]*line, 30)
		for i := range lines {
			lines[i] = &line{Number: i}
		}
		var links []link
		for range r.IntN(40) {
			from := r.IntN(29)
			links = append(links, link{lines[from], lines[from+1+r.IntN(29-from)]})
		}
		lanes, count := assignLanes(links)
		for i, a := range links {
			if (a.span() == 1) != (lanes[i] == 0) || lanes[i] > count {
				t.Fatalf("an arrow over %d lines is in lane %d of %d", a.span(), lanes[i], count)
			}
			for j, b := range links[:i] {
				if lanes[i] == lanes[j] && lanes[i] > 0 && a.from != b.from && a.from.Number < b.to.Number && b.from.Number < a.to.Number {
					t.Fatalf("%d-%d and %d-%d share lane %d", a.from.Number, a.to.Number, b.from.Number, b.to.Number, lanes[i])
				}
			}
		}
	}
}

// TestYOLOv5 draws the skip connections of YOLOv5's own neck: 4 to 16, 6 to 12, 10 to 22, 14 to 19, 17 and 20 to the head.
func TestYOLOv5(t *testing.T) {
	from := map[int][]int{12: {11, 6}, 16: {15, 4}, 19: {18, 14}, 22: {21, 10}, 24: {17, 20, 23}}
	d := &Data{Facts: &verify.Facts{Inputs: []engine.IO{{Name: "images"}}, Outputs: []engine.IO{{Name: "output0"}}}}
	for i := range 25 {
		s := verify.Stage{Index: i, From: []int{i - 1}, Makes: []string{fmt.Sprintf("model.%d", i)}}
		if f := from[i]; f != nil {
			s.From = f
		}
		if i == 24 {
			s.Makes = []string{"output0"}
		}
		d.Stages = append(d.Stages, s)
	}
	p := newPicture(d.Stages, d.lines())
	var skips []string
	next := 0
	for _, a := range p.Arrows {
		if a.Class == "skip" {
			skips = append(skips, a.Title)
		} else {
			next++
		}
	}
	want := []string{"layer 6 to layer 12", "layer 4 to layer 16", "layer 14 to layer 19", "layer 10 to layer 22", "layer 17 to layer 24", "layer 20 to layer 24"}
	if diff := cmp.Diff(want, skips); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if next != 26 || len(p.Boxes) != 27 { // images, 25 layers, output0
		t.Errorf("%d arrows to the next line, %d boxes", next, len(p.Boxes))
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []tick) (list []string) {
		for _, k := range ticks {
			list = append(list, fmt.Sprintf("%s@%s", k.Label, k.At))
		}
		return list
	}
	for _, c := range []struct {
		got  []tick
		want []string
	}{
		{decades(2e-6, 5e-4, 3, 0, 300).decadeTicks(30), []string{"1e-6@0", "1e-5@100", "1e-4@200", "1e-3@300"}},
		{decades(2e-6, 5e-4, 3, 0, 300).decadeTicks(150), []string{"1e-6@0", "1e-4@200"}},
		{decades(1, 1, 2, 0, 100).decadeTicks(1), []string{"1e-2@0", "1e-1@50", "1@100"}},
		{scale{low: -10, high: 90, from: 0, to: 100}.roundTicks(), []string{"0@10", "20@30", "40@50", "60@70", "80@90"}},
		{scale{low: 0, high: 1, from: 100, to: 0}.roundTicks(), []string{"0@100", "0.2@80", "0.4@60", "0.6@40", "0.8@20", "1@0"}},
	} {
		if diff := cmp.Diff(c.want, labels(c.got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestTexts(t *testing.T) {
	for got, want := range map[string]string{
		number(3.14e-6): "3.1e-06", number(0.0821): "0.082", number(40.4): "40", number(0): "0", number(151): "151", number(1.52): "1.5", number(12345): "1.2e+04",
		short(999): "999", short(1520): "1.52 k", short(999_999): "999 k", short(1_182_720): "1.18 M", short(2_500_000_000): "2.5 G", short(0): "",
		times(3.44): "3.4", times(48.4): "48", times(5_349): "5,300", times(1e20): "1.0e+20",
		percent(0): "0 %", percent(1): "100 %", percent(0.123): "12.3 %", percent(0.0000065): "0.00065 %",
		clip("ConvTranspose", 12): "ConvTranspo…", clip("Conv", 12): "Conv", sentence("émile"): "Émile.", sentence("x."): "X.",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
