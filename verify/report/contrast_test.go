package report

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// TestContrast checks the colours of texts against what is behind them, light, dark and printed, by WCAG 2.1: 4.5 for
// texts, 3 for what drawings are read by.
func TestContrast(t *testing.T) {
	palettes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(styleSheet, -1)
	if len(palettes) != 3 {
		t.Fatalf("%d palettes", len(palettes))
	}
	for i, name := range []string{"light", "dark", "printed"} {
		color := map[string]float64{}
		for _, c := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(palettes[i][1], -1) {
			color[c[1]] = luminance(c[2])
		}
		at := func(front string, least float64, backs ...string) {
			t.Helper()
			for _, back := range backs {
				a, b := color[front], color[back]
				if a == 0 && front != "ink" || b == 0 {
					t.Errorf("%s: no colour %s or %s", name, front, back)
				}
				if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < least {
					t.Errorf("%s: %s on %s has a contrast of %.2f, want %g", name, front, back, ratio, least)
				}
			}
		}
		at("ink", 4.5, "page", "band", "good-wash", "bad-wash")
		at("soft", 4.5, "page", "band")
		at("good", 4.5, "good-wash")
		at("bad", 4.5, "bad-wash", "page", "band")
		at("page", 4.5, "failed") // the first layer that fails
		for _, level := range []string{"exact", "tiny", "small", "near", "failed", "bar"} {
			at(level, 3, "page")
		}
	}
}

// luminance is the relative luminance of a colour in sRGB, as WCAG 2.1 defines it.
func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8) // the pattern lets hexadecimal digits through only
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
