package verify

import (
	"slices"

	"ysc2onnx/verify/engine"
)

// Precision says what of a file is float16.
type Precision int

// The precisions.
const (
	Single      Precision = iota // nothing
	HalfWeights                  // the weights, which are cast to float32 where they are used
	Half                         // the arithmetic as well, but for what float16 cannot hold
)

// Tolerances of the check of the numbers for files with float16: twice what was measured. Those of other programs' files are
// halfLayerTolerance and its like.
const (
	sampleHalfTolerance    = 3e-2
	sampleHalfBoxTolerance = 5e-2 // where arithmetic is float16, too
)

// limits are the tolerances of a sample.
type limits struct {
	layer, inner, box, score float64
	// least is what the largest magnitude of a layer is taken for where it is smaller: what the type tells from 0 by all
	// its digits.
	least float64
}

// sampleLimits are those of each precision; docs/verification.md has what they were measured from.
var sampleLimits = [...]limits{
	Single:      {SampleLayerTolerance, SampleInnerTolerance, SampleBoxTolerance, SampleScoreTolerance, 0},
	HalfWeights: {sampleHalfTolerance, sampleHalfTolerance, sampleHalfTolerance, sampleHalfTolerance, 0},
	Half:        {sampleHalfTolerance, sampleHalfTolerance, sampleHalfBoxTolerance, sampleHalfTolerance, 0x1p-14},
}

// computesHalf reports whether a file takes its input as a type of 16 bits, or convolves in one. Weights that are stored so and
// cast to float32 do not make its arithmetic coarse.
func (f *Facts) computesHalf() bool {
	short := func(t engine.DType) bool { return t == engine.Float16 || t == engine.BFloat16 }
	if slices.ContainsFunc(f.Inputs, func(v engine.IO) bool { return short(v.DType) }) {
		return true
	}
	return slices.ContainsFunc(f.nodes, func(n graphNode) bool {
		return n.op == "Conv" && len(n.outputs) == 1 && short(f.values[n.outputs[0]].DType)
	})
}

// unresolved is how many layers hold nothing that the precision tells from 0 by all its digits.
func (e *Expect) unresolved(c *Comparison) (count int) {
	for i := range c.Rows {
		if row := &c.Rows[i]; row.Unit == OfLargest && row.Largest < sampleLimits[e.Precision].least {
			count++
		}
	}
	return count
}
