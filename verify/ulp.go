package verify

import (
	"math"
	"math/bits"
)

// ulpDistance is how many float32 numbers lie between two, in steps: 0 for equal ones (+0 and -0 are equal), 1 for
// neighbours. It is a distance in units in the last place that does not depend on magnitude. Neither may be NaN.
func ulpDistance(a, b float32) uint32 {
	x, y := ordered(a), ordered(b)
	return uint32(max(x, y) - min(x, y))
}

// ordered maps floats to whole numbers in the same order: neighbours differ by 1.
func ordered(v float32) int64 {
	n := int64(math.Float32bits(v))
	if n >= 1<<31 {
		return 1<<31 - n
	}
	return n
}

// ulpCounts is a histogram of distances: exact up to 255, above in steps of less than 1 %, so that a percentile needs
// neither memory nor sorting.
type ulpCounts struct {
	counts [256 + 24*128]int
	total  int
}

func (h *ulpCounts) add(d uint32) {
	h.total++
	if d < 256 {
		h.counts[d]++
		return
	}
	shift := bits.Len32(d) - 8 // what is left of d has 8 bits, the first of them set
	h.counts[256+(shift-1)*128+int(d>>shift)-128]++
}

// percentile is the least distance that no more than the rest of all distances exceed; above 255, up to 1 % too large.
func (h *ulpCounts) percentile(part float64) uint32 {
	want, seen := int(math.Ceil(part*float64(h.total))), 0
	for i, n := range &h.counts {
		if seen += n; seen < want || n == 0 {
			continue
		}
		if i < 256 {
			return uint32(i)
		}
		shift := (i-256)/128 + 1
		return uint32((i-256)%128+129)<<shift - 1
	}
	return 0
}
