package passes_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/passes"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestPasses applies one pass, or all of them, to a small graph; compares the text of the graph before and after with
// testdata/<case>.txt; and lets ONNX Runtime compute both, without rewriting either, on random images. Exact cases have
// to give the same bits.
func TestPasses(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			before, after := c.graph(t), c.graph(t)
			c.apply(t, after)
			golden(t, filepath.Join("testdata", c.name+".txt"), "before\n"+text(t, before)+"\nafter\n"+text(t, after))
			checkStructure(t, before, after)
			if !t.Failed() {
				c.compare(t, before, after)
			}
		})
	}
}

// TestEveryPassHasCases demands that each pass changes the graph of a case and leaves that of another one alone.
func TestEveryPassHasCases(t *testing.T) {
	for _, p := range passes.All() {
		changed, left := false, false
		for _, c := range cases {
			if c.pass != p.Name {
				continue
			}
			before, after := c.graph(t), c.graph(t)
			c.apply(t, after)
			if text(t, before) == text(t, after) {
				left = true
			} else {
				changed = true
			}
		}
		if !changed || !left || p.Doc == "" {
			t.Errorf("%s: changes a case: %t, leaves one alone: %t, documented: %t", p.Name, changed, left, p.Doc != "")
		}
	}
}

// graph builds the case's graph.
func (c *passCase) graph(t *testing.T) *onnxbuild.Graph {
	t.Helper()
	g := onnxbuild.New(c.name)
	c.build(bench{g.Build()})
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	return g
}

// apply runs the case's pass and drops what it leaves behind.
func (c *passCase) apply(t *testing.T, g *onnxbuild.Graph) {
	t.Helper()
	if c.pass == "all" {
		if err := passes.Run(g); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, p := range passes.All() {
		if p.Name == c.pass {
			if err := p.Apply(g); err != nil {
				t.Fatal(err)
			}
			g.DropDead()
			return
		}
	}
	t.Fatalf("there is no pass %q", c.pass)
}

func text(t *testing.T, g *onnxbuild.Graph) string {
	t.Helper()
	var b bytes.Buffer
	if err := g.Format(&b, onnxbuild.FormatOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got), go test -update writes it anew:\n%s", path, diff)
	}
}

// checkStructure checks the optimised graph against what any graph must be, and against the promised names of the original.
func checkStructure(t *testing.T, before, after *onnxbuild.Graph) {
	t.Helper()
	known, names, nodes := map[*onnxbuild.Value]bool{}, map[string]bool{}, map[string]bool{}
	define := func(v *onnxbuild.Value) {
		if names[v.Name] {
			t.Errorf("two values are named %s", v.Name)
		}
		known[v], names[v.Name] = true, true
	}
	for _, v := range after.Inputs {
		define(v)
	}
	for _, v := range after.Initializers() {
		define(v)
	}
	for _, n := range after.Nodes {
		if nodes[n.Name] {
			t.Errorf("two nodes are named %s", n.Name)
		}
		nodes[n.Name] = true
		for i, v := range n.Inputs {
			if v != nil && !known[v] {
				t.Errorf("%s reads %s (input %d) before it is there", n.Name, v.Name, i)
			}
		}
		for _, v := range n.Outputs {
			define(v)
			if v.Producer != n {
				t.Errorf("%s does not know that it comes from %s", v.Name, n.Name)
			}
		}
	}
	for i, v := range after.Outputs {
		if was := before.Outputs[i]; !known[v] || v.Name != was.Name || v.DType != was.DType || !v.Shape.Equal(was.Shape) {
			t.Errorf("output %d is %s %s %s, want %s %s %s", i, v.Name, v.DType, v.Shape, was.Name, was.DType, was.Shape)
		}
	}
	for _, n := range before.Nodes {
		for _, v := range n.Outputs {
			if v.Pinned && !names[v.Name] {
				t.Errorf("the promised value %s is gone", v.Name)
			}
		}
	}
}

// TestLongModel runs all passes over a chain of 5,000 blocks and over a dead end as long, which a pass that were not
// linear, or that went deep, would not survive.
func TestLongModel(t *testing.T) {
	const rows = 5000
	g := onnxbuild.New("long")
	b := bench{g.Build()}
	x := b.in(2, 4, 6, 8)
	dead := x
	for i := range rows {
		row := bench{b.In(fmt.Sprintf("model.%d", i))}
		x = row.norm(row.Conv(x, row.named(fmt.Sprintf("model.%d.conv.weight", i), 4, 4, 1, 1), nil, square(1, 1, 0), 1))
		x = row.Mul(x, row.Sigmoid(x))
		x = row.Mul(row.Concat(1, row.Split(row.Concat(1, x, x), 1, 4, 4)[0]), row.Scalar("one", 1))
		g.Rename(x, fmt.Sprintf("model.%d", i))
		dead = row.Mul(dead, row.Scalar("zero", 0))
	}
	g.Output("y", b.Add(b.Relu(x), dead))
	if err := g.TakeErr(); err != nil {
		t.Fatal(err)
	}
	if err := passes.Run(g); err != nil {
		t.Fatal(err)
	}
	if want := 4*rows + 1; len(g.Nodes) != want { // Conv, Sigmoid, Mul and, for its name, Concat; Relu
		t.Errorf("%d nodes are left, want %d", len(g.Nodes), want)
	}
}
