package modules_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ysc2onnx/onnxbuild"
)

// wrong is a mistake in what modules compute: in the first node, or initializer, whose name ends so.
type wrong struct {
	what, named string
	node        func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value
	number      func(x float32) float32
	some        bool // cases can tell; others are right to give the same
}

// wrongs are mistakes that every case has to tell which has what they change.
var wrongs = []wrong{
	{what: "batch norm with eps 1e-5 for 1e-3", named: "bn/BatchNormalization", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		return b.BatchNormalization(n.Inputs[0], n.Inputs[1], n.Inputs[2], n.Inputs[3], n.Inputs[4], 1e-5)
	}},
	{what: "biased standard deviation for the unbiased one", named: "/gn/degrees", number: func(x float32) float32 { return x + 1 }},
	{what: "the normalisation's beta left out", named: "/gn/Add_1", node: first},
	{what: "the normalisation's gamma left out", named: "/gn/Mul_1", node: first},
	{what: "a gate's threshold of 0.9", named: "gate_treshold", number: func(float32) float32 { return 0.9 }, some: true},
	{what: "a gate's threshold of 0.02", named: "gate_treshold", number: func(float32) float32 { return 0.02 }, some: true},
	{what: "softmax(gamma) over a wrong axis", named: "/SRU/Softmax", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		return b.Softmax(n.Inputs[0], 1)
	}},
	{what: "r without the weight", named: "/SRU/Mul", node: first},
	{what: "max for average pooling", named: "/CRU/advavg/GlobalAveragePool", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		size, _ := n.Inputs[0].Shape.Static()
		return b.MaxPool(n.Inputs[0], onnxbuild.Window{Kernel: size[2:], Stride: []int64{1, 1}, Dilation: []int64{1, 1}})
	}},
	{what: "CRU's softmax over the rows", named: "/CRU/Softmax", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		return b.Softmax(n.Inputs[0], 2)
	}},
	{what: "PWC1 left out", named: "/CRU/Add", node: first},
	{what: "ASFF's softmax over the rows", named: "_fusion/Softmax", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		return b.Softmax(n.Inputs[0], 2)
	}},
	{what: "the largest value for the mean in Classify", named: "/model.0/pool/GlobalAveragePool", node: func(b onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value {
		size, _ := n.Inputs[0].Shape.Static()
		return b.MaxPool(n.Inputs[0], onnxbuild.Window{Kernel: size[2:], Stride: []int64{1, 1}, Dilation: []int64{1, 1}})
	}},
	{what: "a head's implicit multiplication left out", named: "/im.0/Mul", node: func(_ onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return n.Inputs[1] }},
	{what: "a head's implicit addition left out", named: "/ia.0/Add", node: func(_ onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return n.Inputs[1] }},
	{what: "landmarks from half a cell before", named: "/offset", number: func(float32) float32 { return 0 }},
	{what: "GWC's bias left out", named: "CRU.GWC.bias", number: func(float32) float32 { return 0 }},
}

func first(_ onnxbuild.Builder, n *onnxbuild.Node) *onnxbuild.Value { return n.Inputs[0] }

// TestCasesTellFaults plants mistakes into the lowered cases: each has to move the output by 50 times what compareOutputs
// allows, so that none can hide in a case whose numbers do not matter.
func TestCasesTellFaults(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/oracle/cases/*.npz")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrongs {
		t.Run(w.what, func(t *testing.T) {
			planted, told := 0, 0
			for _, file := range files {
				c := readCase(t, file)
				g := c.lower(t)
				if !w.plant(t, g) {
					continue
				}
				planted++
				worst := 0.0
				for i, y := range c.evaluate(t, g) {
					off, largest := distance(t, c.Tells, y, c.outputs[i])
					worst = max(worst, off/largest)
				}
				if worst > 1e-4 {
					told++
				} else if !w.some {
					t.Errorf("%s is off by %g of its largest value only", filepath.Base(file), worst)
				}
			}
			if planted == 0 || told == 0 {
				t.Errorf("planted into %d cases, told by %d", planted, told)
			}
		})
	}
}

// plant changes a graph, if it has what is to be changed.
func (w *wrong) plant(t *testing.T, g *onnxbuild.Graph) (planted bool) {
	if w.number != nil {
		for _, n := range g.Nodes {
			for _, v := range n.Inputs {
				if v != nil && v.Const != nil && strings.HasSuffix(v.Name, w.named) {
					x, err := v.Const.ReadAll()
					if err != nil {
						t.Fatal(err)
					}
					for i := range x {
						x[i] = w.number(x[i])
					}
					v.Const = onnxbuild.FloatTensor(v.Const.Shape, x)
					return true
				}
			}
		}
		return false
	}
	err := g.Rewrite(func(r *onnxbuild.Rewriter, b onnxbuild.Builder, n *onnxbuild.Node) (bool, error) {
		if planted || !strings.HasSuffix(n.Name, w.named) {
			return true, nil
		}
		planted = r.Replace(n.Outputs[0], w.node(b, n))
		return !planted, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return planted
}
