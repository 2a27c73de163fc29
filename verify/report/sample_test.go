package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// TestSampler checks what is kept of 30,000 elements against all of them, sorted.
func TestSampler(t *testing.T) {
	const n, columns = 10_000, 3
	r := rand.New(rand.NewPCG(1, 2))
	got, want := make([]float32, n*columns), make([]float32, n*columns)
	var differences []float64
	equal := 0
	for i := range want {
		want[i] = float32(r.NormFloat64())
		got[i] = want[i] + float32(r.NormFloat64()*math.Pow(10, -3-3*r.Float64()))
		if i%columns == 2 {
			got[i] = 1e6 // in a column that is not looked at
		} else {
			d := math.Abs(float64(got[i]) - float64(want[i]))
			differences = append(differences, d)
			if d == 0 {
				equal++
			}
		}
	}
	slices.Sort(differences)
	var s Sampler
	shape := []int64{n, columns}
	row := verify.Row{Name: "a", Shape: shape, Axis: 1, Columns: []int64{0, 2}}
	s.Observe(row, engine.Tensor{Shape: shape, Floats: got}, engine.Tensor{Shape: shape, Floats: want})
	sample := s.samples["a"]
	if sample.count != n*2 || sample.notFinite != 0 || sample.equal != equal {
		t.Errorf("%d elements, %d not finite, %d equal, want %d", sample.count, sample.notFinite, sample.equal, equal)
	}
	for _, share := range []float64{0.1, 0.5, 0.99, 0.9999} {
		exact := differences[int(math.Ceil(share*float64(len(differences))))-1]
		if q := sample.quantile(share); q < exact || q > exact*1.25 {
			t.Errorf("quantile %g is %g, want %g or up to 25 %% more", share, q, exact)
		}
	}
	var worst []float64
	for _, p := range sample.worst {
		worst = append(worst, p.difference())
	}
	slices.Reverse(differences)
	if diff := cmp.Diff(differences[:worstPoints], worst); diff != "" {
		t.Errorf("the worst (-want +got)\n%s", diff)
	}
	// The points cover the range, which ends in a few elements.
	low, high := float32(math.Inf(1)), float32(math.Inf(-1))
	for i, v := range want {
		if i%columns < 2 {
			low, high = min(low, v), max(high, v)
		}
	}
	slicesMet := map[int]int{}
	for _, p := range sample.points {
		slicesMet[min(slicesOfRange-1, int(float64(p.want-low)/float64(high-low)*slicesOfRange))]++
	}
	for slice, n := range slicesMet {
		if n > perSlice+1 { // an element on the edge between two slices may count in the other one
			t.Errorf("%d points of slice %d", n, slice)
		}
	}
	if !slices.ContainsFunc(sample.points, func(p point) bool { return p.want == low }) || !slices.ContainsFunc(sample.points, func(p point) bool { return p.want == high }) {
		t.Error("an end of the range is in no point")
	}

	// What cannot be compared is not kept.
	s.Observe(verify.Row{Name: "b"}, engine.Tensor{Shape: []int64{1}, Floats: []float32{1}}, engine.Tensor{Shape: []int64{2}, Floats: []float32{1, 2}})
	s.Observe(verify.Row{Name: "c"}, engine.Tensor{}, engine.Tensor{Shape: []int64{2}, Floats: []float32{1, 2}})
	if len(s.samples) != 1 {
		t.Errorf("%d rows are kept", len(s.samples))
	}
}

func TestBins(t *testing.T) {
	for _, v := range []float64{1e-45, 1e-38, 1e-9, 1, 1.2, 1.25, 3, 1e9, 6e38} {
		if b := binOf(v); b > 0 && (edge(b) > v || edge(b+1) <= v) {
			t.Errorf("%g is in the bin from %g to %g", v, edge(b), edge(b+1))
		}
	}
	if edge(binOf(1)) != 1 || edge(binOf(1)+1) != 1.25 || edge(binOf(1)+4) != 2 {
		t.Error("a bin is not a quarter of an octave")
	}
}

// TestThinned keeps every n-th: of 1000, with n doubled until at most perSlice are left.
func TestThinned(t *testing.T) {
	var s thinned
	for i := range 1000 {
		s.add(point{want: float32(i)})
	}
	if s.every != 64 { // 1000/32 = 31.25 are more than 24
		t.Errorf("every %d", s.every)
	}
	for i, p := range s.points {
		if p.want != float32(64*i) {
			t.Errorf("point %d is %g", i, p.want)
		}
	}
	if len(s.points) != 16 {
		t.Errorf("%d points", len(s.points))
	}
}
