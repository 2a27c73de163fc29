package modules

import (
	"slices"

	"ysc2onnx/onnxbuild"
)

// A model whose channels were pruned has other widths than its YAML: those of its tensors. Where a checkpoint holds the modules
// themselves, PyTorch computes with the tensors that they have, and so does the lowering; the YAML's widths are what the model
// began with.

// pickledWeight is the shape of the module's weight where the checkpoint holds the module itself, of the given rank; nil
// else: a state_dict alone does not change what a YAML makes.
func (s *Scope) pickledWeight(rank int) []int64 {
	if !s.model.isPickled(s.path) {
		return nil
	}
	shape, ok := s.trained().Shape(s.path + ".weight")
	if !ok || len(shape) != rank || slices.ContainsFunc(shape, func(n int64) bool { return n < 1 || n > limit }) {
		return nil
	}
	return shape
}

// isPickled reports whether there is a checkpoint that holds the module at a path itself.
func (l *lowering) isPickled(path string) bool {
	t, ok := l.weights.(Trained)
	if !ok {
		return false
	}
	m := t.Module(path)
	return m != nil && m.Class() != ""
}

// noteWidths counts a convolution whose channels are not those that the YAML gives.
func (s *Scope) noteWidths(others bool) {
	if others {
		s.model.pruned[s.path] = true
	}
}

// The classes that forks put in the place of C3 and its kin when they prune them: the same forwards, with widths of their own for
// each convolution (midasklr/yolov5prune, models/pruned_common.py).
var (
	c3PrunedClass         = Class{Path: "models.pruned_common.C3Pruned"}
	c3PrunedNoResClass    = Class{Path: "models.pruned_common.C3PrunedNoRes"}
	bottleneckPrunedClass = Class{Path: "models.pruned_common.BottleneckPruned"}
	sppPrunedClass        = Class{Path: "models.pruned_common.SPPPruned"}
	sppfPrunedClass       = Class{Path: "models.pruned_common.SPPFPruned"}
)

var (
	c3PrunedSpec = Spec{
		Name: "C3Pruned", Class: &c3PrunedClass, Wiring: Repeats, Source: "github.com/midasklr/yolov5prune",
		Doc: "a C3 that was pruned, in a checkpoint: c2, shortcut=True",
		New: func(a *Args) Module {
			a.needsCheckpoint()
			shortcut := a.Bool("shortcut", true)
			return NewCSP(&c3PrunedClass, a.C1, a.C2, 0.5, a.Act, a.N, func(hidden int) Module {
				b := NewBottleneck(hidden, hidden, shortcut, 1, 1, a.Act)
				b.class = &bottleneckPrunedClass
				return b
			})
		},
	}
	c3PrunedNoResSpec = Spec{
		Name: "C3PrunedNoRes", Class: &c3PrunedNoResClass, Wiring: Repeats, Source: "github.com/midasklr/yolov5prune",
		Doc: "a C3 whose inner blocks were pruned away, in a checkpoint: c2, shortcut=True",
		New: func(a *Args) Module {
			a.needsCheckpoint()
			a.Bool("shortcut", true)
			hidden := a.C2 / 2
			return &C3PrunedNoRes{NewConv1x1(a.C1, hidden, a.Act), NewConv1x1(a.C1, hidden, a.Act), NewConv1x1(2*hidden, a.C2, a.Act)}
		},
	}
	sppPrunedSpec = Spec{
		Name: "SPPPruned", Class: &sppPrunedClass, Wiring: Scaled, Source: "github.com/midasklr/yolov5prune",
		Doc: "an SPP that was pruned, in a checkpoint: c2, k=(5, 9, 13)",
		New: func(a *Args) Module {
			a.needsCheckpoint()
			m := NewSPP(a.C1, a.C2, a.Odds("k", 5, 9, 13), a.Act)
			m.class = &sppPrunedClass
			return m
		},
	}
	sppfPrunedSpec = Spec{
		Name: "SPPFPruned", Class: &sppfPrunedClass, Wiring: Scaled, Source: "github.com/midasklr/yolov5prune",
		Doc: "an SPPF that was pruned, in a checkpoint: c2, k=5",
		New: func(a *Args) Module {
			a.needsCheckpoint()
			m := NewSPPF(a.C1, a.C2, a.Odd("k", 5), a.Act)
			m.class = &sppfPrunedClass
			return m
		},
	}
)

// needsCheckpoint refuses a pruned module in a YAML alone, which does not have its widths.
func (a *Args) needsCheckpoint() {
	if a.trained == nil {
		a.ErrorAt(a.row.ModuleSpan, "its widths are those that pruning left, and only the pruned checkpoint has them; convert the checkpoint")
	}
}

// C3PrunedNoRes is a C3 without inner blocks. [N, c1, H, W] -> [N, c2, H, W].
type C3PrunedNoRes struct{ cv1, cv2, cv3 *Conv }

// Class is C3PrunedNoRes.
func (c *C3PrunedNoRes) Class() *Class { return &c3PrunedNoResClass }

// Forward is cv3(cat(cv1(x), cv2(x))).
func (c *C3PrunedNoRes) Forward(s *Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return s.Call("cv3", c.cv3, s.Concat(1, s.Call("cv1", c.cv1, x), s.Call("cv2", c.cv2, x)))
}
