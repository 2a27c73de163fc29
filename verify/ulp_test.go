package verify

import (
	"math"
	"slices"
	"testing"
)

func TestULPDistance(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, test := range []struct {
		a, b float32
		want uint32
	}{
		{1, 1, 0}, {0, float32(math.Copysign(0, -1)), 0},
		{1, 1 + 0x1p-23, 1}, {1, 1 - 0x1p-24, 1}, {1 - 0x1p-24, 1 + 0x1p-23, 2}, // the step is half as wide below 1
		{0x1p-149, -0x1p-149, 2}, {0, 0x1p-126, 1 << 23}, // over zero; all subnormal numbers
		{1, 2, 1 << 23}, {-1, -2, 1 << 23}, {math.MaxFloat32, inf, 1}, {-inf, inf, 2 * 0x7f800000},
	} {
		if got := ulpDistance(test.a, test.b); got != test.want || ulpDistance(test.b, test.a) != test.want {
			t.Errorf("ulpDistance(%v, %v) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

// TestPercentile checks the histogram against sorting.
func TestPercentile(t *testing.T) {
	var all []uint32
	var h ulpCounts
	for i := range uint32(5000) {
		d := i * i * 170 // up to nearly 2^32
		all = append(all, d)
		h.add(d)
	}
	h.add(math.MaxUint32)
	all = append(all, math.MaxUint32)
	slices.Sort(all)
	for _, part := range []float64{0.0001, 0.001, 0.02, 0.5, 0.9, 0.999, 1} {
		want := all[int(math.Ceil(part*float64(len(all))))-1]
		got := h.percentile(part)
		if got < want || float64(got) > 1.01*float64(want) || want < 256 && got != want {
			t.Errorf("percentile(%v) = %d, want %d to 1 %% more", part, got, want)
		}
	}
	if got := new(ulpCounts).percentile(0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}
