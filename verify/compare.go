package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Row is the outcome of comparing one value, or one part of its columns.
type Row struct {
	Name      string  `json:"name"`              // model.9, output0 boxes
	Value     string  `json:"value"`             // what the file calls it: that, or /model.9/cv2/act/Mul_output_0
	Reference string  `json:"reference"`         // in the recording: layer.9, output0
	Module    string  `json:"module,omitempty"`  // class of the layer that makes it: ScConv; "" where the file does not say
	Shape     []int64 `json:"shape"`             // of the whole value
	Columns   []int64 `json:"columns,omitempty"` // of the last axis, from and to (excluded); nil where the whole value is compared
	OK        bool    `json:"ok"`
	Problem   string  `json:"problem,omitempty"` // what is wrong, in one line

	MaxAbs    float64 `json:"max_abs"`   // largest |got - want| among finite elements
	MaxRel    float64 `json:"max_rel"`   // MaxAbs / Largest; MaxAbs itself where everything is 0
	Largest   float64 `json:"largest"`   // largest |want|
	Tolerance float64 `json:"tolerance"` // for MaxRel where Relative, else for MaxAbs
	Relative  bool    `json:"relative"`

	Count     int    `json:"count"`      // elements compared
	Outside   int    `json:"outside"`    // of them outside the tolerance, or not finite
	NotFinite int    `json:"not_finite"` // of them NaN or infinite on either side
	Worst     *Point `json:"worst,omitempty"`

	// Distances in units in the last place, of finite elements: half of them are no further apart than UlpMedian, 99.9 %
	// no further than UlpMost. Near zero distances are large without harm, so that the largest of all says little.
	UlpMedian uint32 `json:"ulp_p50"`
	UlpMost   uint32 `json:"ulp_p999"`
	UlpWorst  uint32 `json:"ulp_worst"` // at Worst, where the error is largest

	Before *Before `json:"before,omitempty"` // as the file decides its gates, where it was outside and no longer is with Comparison.Gates.Flips
}

// Before is a row's outcome with all gates as the file decides them.
type Before struct {
	MaxAbs  float64 `json:"max_abs"`
	MaxRel  float64 `json:"max_rel"`
	Outside int     `json:"outside"`
}

// Share is the part of the elements that is outside the tolerance, 0 to 1.
func (r *Row) Share() float64 {
	if r.Count == 0 {
		return 0
	}
	return float64(r.Outside) / float64(r.Count)
}

// Point is one element with both values.
type Point struct {
	Index []int64 `json:"index"`
	Got   Number  `json:"got"`
	Want  Number  `json:"want"`
}

// Number is a float32 that JSON can hold even when it is NaN or infinite: as text.
type Number float32

// MarshalJSON writes a number, or "NaN", "+Inf", "-Inf".
func (n Number) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(n), 'g', -1, 32)
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		text = strconv.Quote(text)
	}
	return []byte(text), nil
}

// measure says which columns of the last axis are compared, and how.
type measure struct {
	name      string // of the part; "" for the whole value
	from, to  int64  // columns, of a part
	tolerance float64
	relative  bool
}

// compare holds got against want, element by element, in float64. A NaN or an
// infinity on either side is outside every tolerance.
func compare(p pair, got, want Tensor, m measure) Row {
	row := Row{Name: cmp.Or(p.name, p.value), Value: p.value, Reference: p.reference, Module: p.module, Shape: want.Shape, Tolerance: m.tolerance, Relative: m.relative}
	if m.name != "" {
		row.Name += " " + m.name
		row.Columns = []int64{m.from, m.to}
	}
	switch {
	case want.Floats == nil:
		row.Problem = "the reference does not hold floating-point numbers"
		return row
	case got.Floats == nil:
		row.Problem = "the model does not give floating-point numbers"
		return row
	case !slices.Equal(got.Shape, want.Shape):
		row.Problem = fmt.Sprintf("the model gives %s, the reference is %s", shapeText(got.Shape), shapeText(want.Shape))
		return row
	case len(want.Floats) == 0:
		row.Problem = "there is nothing in it to compare"
		return row
	}
	worst, worstAt := -1.0, 0
	var ulps ulpCounts
	for i, w := range want.Floats {
		if !row.holds(i) {
			continue
		}
		row.Count++
		row.Largest = max(row.Largest, magnitude(w))
		d := difference(got.Floats[i], w)
		if math.IsInf(d, 1) {
			row.NotFinite++
		} else {
			row.MaxAbs = max(row.MaxAbs, d)
			ulps.add(ulpDistance(got.Floats[i], w))
		}
		if d > worst {
			worst, worstAt = d, i
		}
	}
	row.MaxRel = row.MaxAbs
	if row.Largest > 0 {
		row.MaxRel /= row.Largest
	}
	limit := row.limit()
	for i, w := range want.Floats {
		if row.holds(i) && !(difference(got.Floats[i], w) <= limit) {
			row.Outside++
		}
	}
	row.UlpMedian, row.UlpMost = ulps.percentile(0.5), ulps.percentile(0.999)
	if !math.IsInf(worst, 1) {
		row.UlpWorst = ulpDistance(got.Floats[worstAt], want.Floats[worstAt])
	}
	row.Worst = &Point{Index: position(int64(worstAt), want.Shape), Got: Number(got.Floats[worstAt]), Want: Number(want.Floats[worstAt])}
	row.OK = row.Outside == 0
	if !row.OK {
		row.Problem = row.why()
	}
	return row
}

// magnitude is |v|, or 0 where v is not finite.
func magnitude(v float32) float64 {
	if a := math.Abs(float64(v)); a <= math.MaxFloat32 {
		return a
	}
	return 0
}

// limit is the largest difference that a row allows.
func (r *Row) limit() float64 {
	if r.Relative {
		return r.Tolerance * r.Largest
	}
	return r.Tolerance
}

// holds says whether a row compares the element at a flat offset.
func (r *Row) holds(flat int) bool {
	if r.Columns == nil {
		return true
	}
	col := int64(flat) % r.Shape[len(r.Shape)-1]
	return col >= r.Columns[0] && col < r.Columns[1]
}

// squares is the sum of a row's squared differences, infinite where an element is not finite.
func (r *Row) squares(got, want Tensor) float64 {
	sum := 0.0
	for i, w := range want.Floats {
		if r.holds(i) {
			d := difference(got.Floats[i], w)
			sum += d * d
		}
	}
	return sum
}

// difference is |got - want|, infinite where either is not finite.
func difference(got, want float32) float64 {
	d := math.Abs(float64(got) - float64(want))
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return d
}

// why puts a row's failure into one line.
func (r *Row) why() string {
	text := fmt.Sprintf("%d of %d values (%.3g%%) are outside the tolerance %g", r.Outside, r.Count, 100*r.Share(), r.Tolerance)
	if r.Relative {
		text += " of the largest value"
	}
	if r.NotFinite > 0 {
		text += fmt.Sprintf(", %d are not finite", r.NotFinite)
	}
	return text + fmt.Sprintf("; the worst is at %s: %g, want %g", indexText(r.Worst.Index), float32(r.Worst.Got), float32(r.Worst.Want))
}

// position turns a flat offset into an index, row-major.
func position(flat int64, dims []int64) []int64 {
	at := make([]int64, len(dims))
	for i := len(dims) - 1; i >= 0; i-- {
		if dims[i] > 0 {
			at[i] = flat % dims[i]
			flat /= dims[i]
		}
	}
	return at
}

// indexText prints an index as [0, 17, 4].
func indexText(at []int64) string {
	text := "["
	for i, v := range at {
		if i > 0 {
			text += ", "
		}
		text += strconv.FormatInt(v, 10)
	}
	return text + "]"
}
