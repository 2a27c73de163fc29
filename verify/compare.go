package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"ysc2onnx/verify/engine"
)

// Row is the outcome of comparing one value, or one part of its columns.
type Row struct {
	Name      string  `json:"name"`              // model.9, output0 boxes
	Value     string  `json:"value"`             // the name in the file: the same, or /model.9/cv2/act/Mul_output_0
	Reference string  `json:"reference"`         // in the recording: layer.9, output0
	Module    string  `json:"module,omitempty"`  // class of the layer that makes it: ScConv; "" where the file does not say
	Shape     []int64 `json:"shape"`             // of the whole value
	Columns   []int64 `json:"columns,omitempty"` // from and to (excluded), along Axis; nil where the whole value is compared
	Axis      int     `json:"axis,omitempty"`    // of Columns
	OK        bool    `json:"ok"`
	Problem   string  `json:"problem,omitempty"` // what is wrong, in one line

	MaxAbs  float64 `json:"max_abs"` // largest |got - want| among finite elements
	MaxRel  float64 `json:"max_rel"` // largest |got - want| in the row's Unit
	RMS     float64 `json:"rms"`     // of the differences of the channel where it is largest, relative to the whole value's root mean square
	Largest float64 `json:"largest"` // largest |want|

	Tolerance    float64 `json:"tolerance"`               // for MaxRel
	RMSTolerance float64 `json:"rms_tolerance,omitempty"` // for RMS; 0 where that is not judged, of columns
	Unit         Unit    `json:"unit,omitempty"`
	Own          *Own    `json:"own,omitempty"`        // the recorded program's; nil where the reference does not tell
	FromExact    bool    `json:"from_exact,omitempty"` // the errors are distances from float64, and not from the recorded values

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

// Own is how far the program that was recorded is itself from float64, measured as a row's errors are.
type Own struct {
	MaxAbs float64 `json:"max_abs"`
	MaxRel float64 `json:"max_rel"`
	RMS    float64 `json:"rms"`
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

// judged is a row with the values and limits that it was judged by.
type judged struct {
	Row
	measure
	want    []float64 // the recorded values, or what float64 gives
	sides   []float64 // of each box, in pixels, no less than the stride; nil of other units
	matters float64   // the squared error that one element at its limit, or one channel, has
	channel int       // where RMS is
}

// compareElements compares got with want, element by element, in float64. A NaN or an infinity on either side is outside of
// every tolerance.
func compareElements(p pair, got, want engine.Tensor, m measure) judged {
	j := judged{measure: m, Row: Row{
		Name: cmp.Or(p.name, p.value), Value: p.value, Reference: p.reference, Module: p.module, Shape: want.Shape, Unit: m.unit, Tolerance: m.tolerance,
	}}
	if m.name != "" {
		j.Name += " " + m.name
		j.Columns, j.Axis = []int64{m.from, m.to}, m.axis
	} else {
		j.RMSTolerance = ChannelFactor * m.tolerance
	}
	switch {
	case want.Floats == nil:
		j.Problem = "the reference does not hold floating-point numbers"
		return j
	case got.Floats == nil:
		j.Problem = "the model does not give floating-point numbers"
		return j
	case !slices.Equal(got.Shape, want.Shape):
		j.Problem = fmt.Sprintf("the model gives %s, the reference is %s", engine.ShapeText(got.Shape), engine.ShapeText(want.Shape))
		return j
	case len(want.Floats) == 0:
		j.Problem = "there is nothing in it to compare"
		return j
	}
	j.target(want)
	j.errors(got)
	if j.OK = j.Outside == 0 && !j.spread(); !j.OK {
		j.Problem = j.failureText()
	}
	return j
}

// target sets the values to compare with: float64's, where the recording holds them and the recorded program is near them,
// with tolerances by that program's own distance; else the recorded ones.
func (j *judged) target(want engine.Tensor) {
	j.want = make([]float64, len(want.Floats))
	for i, w := range want.Floats {
		j.want[i] = float64(w)
	}
	j.measureSides()
	if j.floor == 0 || len(want.Exact) != len(want.Floats) {
		return
	}
	recorded := j.want
	j.want = want.Exact
	gap, _ := j.gap(want)
	j.Own = &Own{gap.abs, gap.rel, gap.rms}
	if !(max(gap.rel, gap.rms) <= OwnLimit) || gap.notFinite > 0 {
		j.want = recorded
		return
	}
	j.FromExact = true
	j.Tolerance = OwnFactor * max(gap.rel, j.floor)
	if j.RMSTolerance > 0 {
		j.RMSTolerance = OwnFactor * max(gap.rms, ChannelFactor*j.floor)
	}
}

// measureSides finds the scale of each box.
func (j *judged) measureSides() {
	if j.unit != OfBox {
		return
	}
	j.sides = make([]float64, len(j.want)/int(j.Shape[j.Axis]))
	for i, v := range j.want {
		box, column := j.place(i)
		j.sides[box] = max(j.sides[box], j.stride)
		if a := math.Abs(v); column >= j.Columns[0]+2 && column < j.Columns[1] && a <= math.MaxFloat32 {
			j.sides[box] = max(j.sides[box], a)
		}
	}
}

// unitAt is what the error of an element is relative to.
func (j *judged) unitAt(i int) float64 {
	switch j.unit {
	case OfLargest:
		return max(j.Largest, j.least)
	case OfBox:
		box, _ := j.place(i)
		return j.sides[box]
	}
	return 1
}

// gap measures how far values are from others.
type gap struct {
	count, notFinite int
	abs, rel, rms    float64 // see Row
	worst            int     // the element that is furthest in its unit
}

// gap measures how far values are from those that are wanted, and sets how large these are.
func (j *judged) gap(got engine.Tensor) (g gap, channel int) {
	j.Largest = 0
	for i, w := range j.want {
		if j.Holds(i) && math.Abs(w) <= math.MaxFloat32 {
			j.Largest = max(j.Largest, math.Abs(w))
		}
	}
	channels, plane := 1, len(j.want)
	if len(j.Shape) > 2 && j.Columns == nil { // [N, C, ...]
		channels = int(j.Shape[1])
		plane = len(j.want) / int(j.Shape[0]) / channels
	}
	squares, all, worst := make([]float64, channels), 0.0, -1.0
	for i, w := range j.want {
		if !j.Holds(i) {
			continue
		}
		g.count++
		d := difference(float64(got.Floats[i]), w)
		rel := d
		if unit := j.unitAt(i); unit > 0 {
			rel /= unit
		}
		if rel > worst {
			worst, g.worst = rel, i
		}
		if math.IsInf(d, 1) {
			g.notFinite++
			continue
		}
		g.abs, g.rel = max(g.abs, d), max(g.rel, rel)
		squares[i/plane%channels] += d * d
		all += w * w
	}
	for c, sum := range squares {
		if sum > squares[channel] {
			channel = c
		}
	}
	all = max(all, float64(g.count)*j.leastRMS*j.leastRMS)
	most := squares[channel] * float64(channels)
	if all > 0 {
		most /= all
	} else if g.count > 0 {
		most /= float64(g.count)
	}
	g.rms = math.Sqrt(most)
	j.matters = all * j.RMSTolerance * j.RMSTolerance / float64(channels)
	return g, channel
}

// errors fills in the row's errors.
func (j *judged) errors(got engine.Tensor) {
	g, channel := j.gap(got)
	j.Count, j.NotFinite, j.MaxAbs, j.MaxRel, j.RMS, j.channel = g.count, g.notFinite, g.abs, g.rel, g.rms, channel
	var ulps ulpCounts
	for i, w := range j.want {
		if !j.Holds(i) {
			continue
		}
		if j.outside(i, got) {
			j.Outside++
		}
		if !math.IsInf(difference(float64(got.Floats[i]), w), 1) {
			ulps.add(ulpDistance(got.Floats[i], float32(w)))
		}
	}
	j.UlpMedian, j.UlpMost = ulps.percentile(0.5), ulps.percentile(0.999)
	got1, want1 := got.Floats[g.worst], float32(j.want[g.worst])
	if !math.IsInf(difference(float64(got1), j.want[g.worst]), 1) {
		j.UlpWorst = ulpDistance(got1, want1)
	}
	j.Worst = &Point{Index: position(int64(g.worst), j.Shape), Got: Number(got1), Want: Number(want1)}
	if limit := j.Tolerance * j.unitAt(g.worst); j.RMSTolerance == 0 || limit*limit < j.matters {
		j.matters = limit * limit
	}
}

// outside says whether an element is outside the tolerance.
func (j *judged) outside(i int, got engine.Tensor) bool {
	return !(difference(float64(got.Floats[i]), j.want[i]) <= j.Tolerance*j.unitAt(i))
}

// spread says whether a channel as a whole is outside the tolerance, whatever its single elements are.
func (j *judged) spread() bool { return j.RMSTolerance > 0 && !(j.RMS <= j.RMSTolerance) }

// Holds says whether the row compares the element at a flat offset.
func (r *Row) Holds(flat int) bool {
	if r.Columns == nil {
		return true
	}
	_, column := r.place(flat)
	return column >= r.Columns[0] && column < r.Columns[1]
}

// place is the column of the element at a flat offset, and the number of what it is a column of: a box.
func (r *Row) place(flat int) (box int, column int64) {
	inner := 1
	for _, n := range r.Shape[r.Axis+1:] {
		inner *= int(n)
	}
	columns := int(r.Shape[r.Axis])
	return flat/(inner*columns)*inner + flat%inner, int64(flat / inner % columns)
}

// squares is the sum of the squared differences, infinite where an element is not finite.
func (j *judged) squares(got engine.Tensor) float64 {
	sum := 0.0
	for i, w := range j.want {
		if j.Holds(i) {
			d := difference(float64(got.Floats[i]), w)
			sum += d * d
		}
	}
	return sum
}

// difference is |got - want|, infinite where either is not finite.
func difference(got, want float64) float64 {
	d := math.Abs(got - want)
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return d
}

// failureText puts a row's failure into one line.
func (j *judged) failureText() string {
	text := fmt.Sprintf("%d of %d values (%.3g%%) are outside the tolerance %.3g", j.Outside, j.Count, 100*j.Share(), j.Tolerance)
	if j.Outside == 0 {
		text = fmt.Sprintf("channel %d is off by %.3g of the layer's root mean square, where %.3g is allowed", j.channel, j.RMS, j.RMSTolerance)
	} else if of := j.Unit.text(); of != "" {
		text += " of " + of
	}
	if j.NotFinite > 0 {
		text += fmt.Sprintf(", %d are not finite", j.NotFinite)
	}
	text += fmt.Sprintf("; the worst is at %s: %g, want %g", indexText(j.Worst.Index), float32(j.Worst.Got), float32(j.Worst.Want))
	if j.FromExact {
		text += fmt.Sprintf(" in float64, from which PyTorch itself is at most %.3g away", j.Own.MaxAbs)
	}
	return text
}

// text names a unit.
func (u Unit) text() string {
	switch u {
	case OfLargest:
		return "the largest value"
	case OfBox:
		return "the box"
	}
	return ""
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
