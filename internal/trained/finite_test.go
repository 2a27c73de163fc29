package trained

import (
	"math"
	"testing"
)

// BenchmarkAllFinite measures what looking for NaN and Inf adds to each element that is written.
func BenchmarkAllFinite(b *testing.B) {
	values := make([]float32, 1<<16)
	for i := range values {
		values[i] = float32(i) / 7
	}
	b.SetBytes(int64(4 * len(values)))
	for b.Loop() {
		if !allFinite(values) {
			b.Fatal("all are finite")
		}
	}
}

// TestAllFinite covers the ends of what is finite.
func TestAllFinite(t *testing.T) {
	for _, test := range []struct {
		bits   uint32
		finite bool
	}{
		{0, true}, {0x80000000, true}, {1, true}, {0x7f7fffff, true}, {0xff7fffff, true},
		{0x7f800000, false}, {0xff800000, false}, {0x7fc00000, false}, {0xffc00000, false}, {0x7f800001, false}, {0xffffffff, false},
	} {
		values := []float32{1, math.Float32frombits(test.bits), 0}
		if allFinite(values) != test.finite {
			t.Errorf("%#x: %v", test.bits, !test.finite)
		}
	}
}
