package report

import (
	"math"
	"slices"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Sampler keeps of a comparison what a report draws. Its Observe is a verify.AgainstOptions.Observe.
type Sampler struct {
	samples map[string]*sample // by the row's name
}

// sample is what is kept of the elements of one row.
type sample struct {
	bins      [bins]int // how many elements have a |difference| in each bin
	equal     int       // elements that differ by nothing
	notFinite int       // elements that are NaN or infinite on either side; they are in no bin and no point
	count     int
	points    []point // some elements, spread evenly over the range of values
	worst     []point // those that differ the most, the worst first
}

// point is one element on both sides.
type point struct{ got, want float32 }

func (p point) difference() float64 { return math.Abs(float64(p.got) - float64(p.want)) }

// Bins of differences are quarters of an octave: a float64's exponent and the first two bits of its fraction.
const (
	bins     = 1032              // up to 2^130: the largest difference of two float32 is near 2^129
	firstBin = (1023 - 128) << 2 // 2^-128 lies in bin 0
)

func binOf(difference float64) int {
	return max(0, min(bins-1, int(math.Float64bits(difference)>>50)-firstBin))
}

// edge is the lower end of a bin.
func edge(bin int) float64 { return math.Float64frombits(uint64(bin+firstBin) << 50) }

// How many points are kept: up to perSlice in each of slices of the range of values, and the worst.
const (
	slicesOfRange = 64
	perSlice      = 24
	worstPoints   = 24
)

// Observe takes in the elements of one row.
func (s *Sampler) Observe(row verify.Row, got, want engine.Tensor) {
	if len(want.Floats) == 0 || len(got.Floats) != len(want.Floats) || !slices.Equal(got.Shape, want.Shape) {
		return
	}
	if s.samples == nil {
		s.samples = map[string]*sample{}
	}
	each := func(visit func(p point)) {
		for i := range want.Floats {
			if !row.Holds(i) {
				continue
			}
			visit(point{got.Floats[i], want.Floats[i]})
		}
	}
	s.samples[row.Name] = newSample(each)
}

// newSample goes through the elements twice: for the range of their values, then for the rest.
func newSample(each func(visit func(point))) *sample {
	s := &sample{}
	low, high := math.Inf(1), math.Inf(-1)
	each(func(p point) {
		if v := float64(p.want); !math.IsInf(v, 0) && !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	})
	var strata [slicesOfRange]thinned
	each(func(p point) {
		s.count++
		d := p.difference()
		switch {
		case math.IsNaN(d) || math.IsInf(d, 0):
			s.notFinite++
			return
		case d == 0:
			s.equal++
		default:
			s.bins[binOf(d)]++
		}
		i := 0
		if high > low {
			i = min(slicesOfRange-1, int((float64(p.want)-low)/(high-low)*slicesOfRange))
		}
		strata[i].add(p)
		s.keepWorst(p, d)
	})
	for i := range strata {
		s.points = append(s.points, strata[i].points...)
	}
	return s
}

// keepWorst adds an element to the worst ones, if it is one. Of equal ones the first stays.
func (s *sample) keepWorst(p point, d float64) {
	if d == 0 || len(s.worst) == worstPoints && d <= s.worst[worstPoints-1].difference() {
		return
	}
	at, _ := slices.BinarySearchFunc(s.worst, d, func(w point, d float64) int {
		if w.difference() >= d {
			return -1
		}
		return 1
	})
	s.worst = slices.Insert(s.worst, at, p)
	s.worst = s.worst[:min(len(s.worst), worstPoints)]
}

// thinned keeps every n-th of the elements that it is given, with n doubled whenever there are too many: the same
// ones each time, from the beginning to the end.
type thinned struct {
	points []point
	met    int
	every  int
}

func (t *thinned) add(p point) {
	if t.every == 0 {
		t.every = 1
	}
	if t.met%t.every == 0 {
		if len(t.points) == perSlice {
			kept := t.points[:0]
			for i := 0; i < perSlice; i += 2 {
				kept = append(kept, t.points[i])
			}
			t.points = kept
			t.every *= 2
		}
		if t.met%t.every == 0 {
			t.points = append(t.points, p)
		}
	}
	t.met++
}

// quantile gives the difference that a share of the finite elements stays below, up to the width of a bin (19 %).
func (s *sample) quantile(share float64) float64 {
	left := int(math.Ceil(share * float64(s.count-s.notFinite)))
	if left -= s.equal; left <= 0 {
		return 0
	}
	for i, n := range &s.bins {
		if left -= n; left <= 0 {
			return edge(i + 1)
		}
	}
	return math.Inf(1)
}

// span gives the first and the last bin that is not empty; ok is false where all are.
func (s *sample) span() (first, last int, ok bool) {
	first = slices.IndexFunc(s.bins[:], func(n int) bool { return n > 0 })
	last = bins - 1
	for last > first && s.bins[last] == 0 {
		last--
	}
	return first, last, first >= 0
}
