package verify

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"ysc2onnx/verify/engine"
)

// SampleInnerTolerance is the largest error of a value inside a layer, relative to the largest magnitude in that value. It is
// wider than that of layers, as a normalisation amplifies the rounding of a map that is nearly flat: by 5e-6 in trained
// models.
const SampleInnerTolerance = 1e-4

// Operators that sum many numbers, and those that only move numbers.
var (
	summing = []string{"GlobalAveragePool", "ReduceMean", "ReduceSum"}
	moving  = []string{"Squeeze", "Unsqueeze", "Reshape", "Transpose", "Flatten"}
)

// summed is the value whose numbers another one is the sums of, perhaps moved since; "" where it is none.
func (r *comparing) summed(value string) string {
	for i := len(r.facts.nodes) - 1; i >= 0; i-- {
		n := &r.facts.nodes[i]
		if n.domain != "" || len(n.outputs) != 1 || n.outputs[0] != value || len(n.inputs) == 0 {
			continue
		}
		switch {
		case slices.Contains(moving, n.op):
			value = n.inputs[0]
		case slices.Contains(summing, n.op):
			return n.inputs[0]
		default:
			return ""
		}
	}
	return ""
}

// insideMeasure says how a value inside a layer is compared. The errors of sums are relative to what was summed: numbers that
// cancel, as those of a normalised map do, leave nothing but their rounding.
func (r *comparing) insideMeasure(p pair, values map[string]engine.Tensor) measure {
	m := measure{unit: OfLargest, tolerance: r.sample.inner, least: r.sample.least}
	summed, squares := values[r.summed(p.value)].Floats, 0.0
	for _, x := range summed {
		if a := math.Abs(float64(x)); a <= math.MaxFloat32 {
			m.least, squares = max(m.least, a), squares+a*a
		}
	}
	m.leastRMS = max(r.sample.least, math.Sqrt(squares/float64(max(1, len(summed)))))
	return m
}

// Inner is a value inside a layer.
type Inner struct {
	Layer int
	Name  string
}

// addInner adds the values inside the layers to the comparison, each before the layer that it is in: a gate that rounding
// decides shows in the first value behind it. A fault there can vanish in what the layer gives, beside biases and other
// branches: ScConv divides its result by the number of its channels, more or less.
func (r *comparing) addInner(inner []Inner) error {
	var pairs []pair
	add := func(layer int) {
		for ; len(inner) > 0 && inner[0].Layer <= layer; inner = inner[1:] {
			pairs = append(pairs, pair{value: inner[0].Name, reference: inner[0].Name, inside: true})
		}
	}
	for _, in := range inner {
		if _, ok := r.facts.Value(in.Name); !ok {
			return fmt.Errorf("the file has no value %q", in.Name)
		}
	}
	for _, p := range r.pairs {
		if i, ok := numberAfter(p.reference, "layer."); ok {
			add(i)
		} else {
			add(math.MaxInt)
		}
		pairs = append(pairs, p)
	}
	r.pairs = pairs
	return nil
}

// Computed64 is a [Reference] that also gives values as it computed them, before they are rounded to float32, those that gates compare
// among them.
type Computed64 interface {
	Reference
	Exact(name string) (shape []int64, values []float64, ok bool)
}

// sides is how an exact reference decides the gates, told by the side of the threshold that each element is on: -1, 0 or 1.
// It is nil where the reference lacks the compared values.
func (r *resolution) sides() []*decided {
	list := make([]*decided, len(r.gates))
	for i, g := range r.gates {
		shape, values, ok := r.exact.Exact(g.a)
		d := r.state[i]
		if !ok || d == nil || !slices.Equal(shape, d.shape) {
			return nil
		}
		side := engine.Tensor{Shape: shape, Floats: make([]float32, len(values))}
		for e, x := range values {
			_, limit := d.at(e)
			side.Floats[e] = float32(cmp.Compare(x, float64(limit)))
		}
		list[i] = &decided{gate: g, x: side, y: engine.Tensor{Floats: []float32{0}}, shape: shape}
	}
	return list
}

// firstInside is the index of the first value inside the layers that differs, -1 if none does.
func firstInside(rows []Row) int {
	for i := range rows {
		if !rows[i].OK {
			return i
		}
	}
	return -1
}
