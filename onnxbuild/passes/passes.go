// Package passes makes graphs smaller without changing what they compute.
//
// Each pass is a sweep over the nodes, linear in their number, and keeps every pinned name as the name of a value. What
// changes at all in a value is its rounding, and each pass says where. Arithmetic is fixed by explicit conversions, so
// that no machine fuses a multiplication with an addition: the same graph gives the same bytes everywhere.
package passes

import (
	"fmt"

	"ysc2onnx/onnxbuild"
)

// Pass is one step of the optimisation.
type Pass struct {
	Name  string
	Doc   string // one line: what it does
	Apply func(g *onnxbuild.Graph) error
}

// All lists the passes in the order in which [Run] applies them.
func All() []Pass {
	return []Pass{
		{"fold-batchnorm", "a BatchNormalization behind a Conv becomes part of its weight and bias", FoldBatchNorm},
		{"fold-constants", "what only constants feed is computed ahead", FoldConstants},
		{"drop-neutral", "multiplications by 1 and additions of 0 disappear, zeros spread", DropNeutral},
		{"shorten-deviation", "an unbiased standard deviation becomes a Euclidean norm", ShortenDeviation},
		{"merge-constants", "multiplications by, and additions of, constants in a row become one", MergeConstants},
		{"cancel-moves", "operators that only move elements and undo each other disappear", CancelMoves},
		{"slice-unequal-parts", "a Split into unequal parts becomes Slices, which more runtimes read", SliceUnequalParts},
		{"share-initializers", "equal initializers become one", ShareInitializers},
	}
}

// Run applies all passes and drops the nodes that they leave without a use. After an error the graph is unusable.
func Run(g *onnxbuild.Graph) error {
	g.DropDead()
	for _, p := range All() {
		if err := p.Apply(g); err != nil {
			return fmt.Errorf("pass %s: %w", p.Name, err)
		}
		g.DropDead()
	}
	return nil
}
