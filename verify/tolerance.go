package verify

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
)

// Tolerances of float32 models, from what right programs were measured to be off: PyTorch's and ONNX Runtime's, with several
// processors' kernels, on calibrated and trained models. docs/verification.md has the table, and how to make it anew.
const (
	// LayerTolerance is the largest error of an element of a layer, relative to the layer's largest magnitude. One program was
	// 1.2e-5 from float64, two 1.5e-5 from each other.
	LayerTolerance = 1e-4
	// ChannelFactor times a layer's tolerance is the largest root mean square of the errors in a channel, relative to that of
	// the whole layer. One program was 2.6e-5 from float64, two 3.3e-5 from each other. A wrong weight moves a channel as a
	// whole, rounding does not: so this sees what is too small to show in the largest element.
	ChannelFactor = 2
	// BoxTolerance is the largest error of a box's centre or size relative to its longer side or, of a box that is smaller
	// than that, to the largest stride. An error of a logit moves a centre by a part of the stride, and a size by a part of
	// itself: 507 pixels cannot be as exact as 5. One program was 2.4e-5 from float64, two 2.3e-5 from each other.
	BoxTolerance = 1e-4
	// ScoreTolerance is the largest error of a confidence or class score, which lie in [0,1]. One program was 4.0e-6 from
	// float64, two 5.1e-6 from each other.
	ScoreTolerance = 3e-5
)

// A recording that holds what float64 gives says itself how exact float32 is in this model, on this input. Then a file is judged
// by its distance from float64, beside that of the program that was recorded.
const (
	// OwnFactor is how many times further from float64 than the recorded program a file may be. Of two right programs, with
	// any of the kernels, one was at most 2.7 times as far off as the other, where that is no nearer than the floors.
	OwnFactor = 5
	// The floors, in the units of the tolerances: being nearer than that to float64 is luck, or the model is small.
	LayerFloor = 5e-6
	BoxFloor   = 5e-6
	ScoreFloor = 1e-6
	// OwnLimit is how far the recorded program itself may be from float64. Rounding alone does not go that far; a gate that
	// float32 decides the other way does. Then the recorded values are compared, as of a recording without float64.
	OwnLimit = 1e-3
)

// Exact is the tolerance that allows no difference at all; 0 means the default.
const Exact = math.SmallestNonzeroFloat64

// AgainstOptions change a comparison. Zero tolerances mean the defaults; one that is given is for the difference from the
// recorded values themselves, whether or not the recording holds float64.
type AgainstOptions struct {
	Layer, Box, Score float64
	// Pixels is the largest error of a box, whatever its size, in place of Box; 0 leaves it to Box.
	Pixels  float64
	Session engine.SessionOptions

	// Height and Width are the size of the input of AgainstFile where both files leave it open.
	Height, Width int
	// Seed is that of AgainstFile's input.
	Seed uint64

	// Observe is called for each row, in the order of Comparison.Rows, with the whole values that it compares: output0
	// twice, once for its boxes and once for its scores. It must not change or keep them. nil leaves it out.
	Observe func(row Row, got, want engine.Tensor)

	layerFloor, boxFloor, scoreFloor float64 // 0 where the tolerance was given
}

// setDefaults sets the defaults.
func (o *AgainstOptions) setDefaults() error {
	if o.Pixels != 0 {
		o.Box = o.Pixels
	}
	for _, t := range []struct {
		value, floor  *float64
		fallback, low float64
	}{
		{&o.Layer, &o.layerFloor, LayerTolerance, LayerFloor},
		{&o.Box, &o.boxFloor, BoxTolerance, BoxFloor},
		{&o.Score, &o.scoreFloor, ScoreTolerance, ScoreFloor},
	} {
		switch *t.value {
		case 0:
			*t.value, *t.floor = t.fallback, t.low
		case Exact:
			*t.value = 0
		}
		if !(*t.value >= 0) || math.IsInf(*t.value, 1) {
			return fmt.Errorf("a tolerance is %g, expected a number that is not negative", *t.value)
		}
	}
	return nil
}

// Unit says what a row's error is relative to.
type Unit string

// The units of errors.
const (
	OfLargest Unit = "largest" // the largest magnitude in the value
	OfBox     Unit = "box"     // the longer side of the box, or the largest stride if that is more
	Absolute  Unit = ""        // nothing: pixels, or a score from 0 to 1
)

// measure says which columns along an axis are compared, and how.
type measure struct {
	name      string // of the part; "" for the whole value
	axis      int    // of the columns
	from, to  int64  // columns, of a part
	unit      Unit
	tolerance float64 // of an element's error, in the unit
	floor     float64 // see OwnFactor; 0: recorded values are compared, not float64
	stride    float64 // pixels; of boxes
	least     float64 // what the largest magnitude is taken for where it is smaller
	leastRMS  float64 // the same of the root mean square
}

// measures say how an output of the given meaning is compared, part by part: boxes by their size, what lies between 0 and 1 as
// it is, and anything else by its largest magnitude. Parts that are measured alike are one.
func (o *AgainstOptions) measures(meaning roles.Output, stride int64) []measure {
	whole := measure{unit: OfLargest, tolerance: o.Layer, floor: o.layerFloor}
	if _, ok := meaning.Whole(); ok {
		return []measure{whole}
	}
	var list []measure
	from := int64(0)
	for i, part := range meaning.Parts {
		m := whole
		switch part.Role {
		case roles.Boxes:
			m = measure{name: "boxes", unit: OfBox, tolerance: o.Box, floor: o.boxFloor, stride: float64(stride)}
			if o.Pixels != 0 {
				m.unit = Absolute
			}
		case roles.Objectness, roles.Scores, roles.Score, roles.Angles:
			m = measure{name: "scores", tolerance: o.Score, floor: o.scoreFloor}
			if part.Role == roles.Objectness && i+1 < len(meaning.Parts) && meaning.Parts[i+1].Role != roles.Scores { // a part by itself
				m.name = string(part.Role)
			}
		default:
			m.name = string(part.Role)
		}
		m.axis, m.from, m.to = meaning.Axis, from, from+int64(part.Size)
		if n := len(list); n > 0 && list[n-1].name == m.name {
			list[n-1].to = m.to
		} else {
			list = append(list, m)
		}
		from = m.to
	}
	return list
}

// meaning is what an output of which these values are wanted means: as the file's metadata say or, where they do not, as YOLOv5's
// own exports have it, whose detections have three dimensions, with 5 columns and one for each class. Columns with other values
// than those from 0 to 1 are none of classes: landmarks, or coefficients of masks. Anything else, and a layer, is the same all over.
func (f *Facts) meaning(output string, want engine.Tensor) roles.Output {
	shape := want.Shape
	for _, o := range f.Roles {
		if o.Name != output {
			continue
		}
		if _, ok := o.Whole(); ok || o.Axis < len(shape) && shape[o.Axis] == int64(o.Size()) {
			return o
		}
	}
	if n := len(shape); n == 3 && shape[2] > 5 && slices.ContainsFunc(f.Outputs, func(o engine.IO) bool { return o.Name == output }) {
		return undescribed(output, want)
	}
	return roles.Of(output, roles.Raw)
}

// undescribed is the meaning of detections that a file does not describe, by their values.
func undescribed(output string, want engine.Tensor) roles.Output {
	const scored, slack = 5, 1e-3 // of a score, for runtimes whose sigmoid is not exact
	columns := int(want.Shape[2])
	first, last := columns, columns-1 // of the columns that are no scores
	for i, x := range want.Floats {
		if k := i % columns; k >= scored && (x < -slack || x > 1+slack) {
			if first == columns {
				first, last = k, k
			}
			first, last = min(first, k), max(last, k)
		}
	}
	o := roles.Output{Name: output, Axis: 2, Parts: []roles.Part{{Role: roles.Boxes, Size: 4}, {Role: roles.Objectness, Size: 1}}}
	for _, p := range []roles.Part{{Role: roles.Scores, Size: first - scored}, {Role: roles.Raw, Size: last + 1 - first}, {Role: roles.Scores, Size: columns - last - 1}} {
		if p.Size > 0 {
			o.Parts = append(o.Parts, p)
		}
	}
	return o
}

// stride is the model's largest one, by the file's metadata: 32 where it does not say.
func (f *Facts) stride() int64 {
	n, err := strconv.ParseInt(f.Metadata["stride"], 10, 64)
	if err != nil || n < 1 || n > 1<<12 {
		return 32
	}
	return n
}
