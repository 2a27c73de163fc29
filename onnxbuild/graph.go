package onnxbuild

import (
	"fmt"
	"slices"
	"strings"
)

// Value is an edge of the graph: an input, an initializer, or what a node gives.
type Value struct {
	Name  string
	DType DType
	Shape Shape

	Const    *Tensor // the recipe, if the value is an initializer
	Producer *Node   // the node that gives the value; nil for inputs and initializers
	Pinned   bool    // promised to the reader of the file: passes keep the value
	fixed    bool    // pinned under this very name

	content []Dim // what an integer value of rank 0 or 1 holds, as far as it is known (shapes that are computed)
	bad     bool  // stands for the result of an operator that was refused
}

// Dim is the size of axis i; of the value of a refused operator, 1.
func (v *Value) Dim(i int) Dim {
	if i < 0 {
		i += len(v.Shape)
	}
	if i < 0 || i >= len(v.Shape) {
		return D(1)
	}
	return v.Shape[i]
}

// Refused reports whether the value stands for the result of an operator that was refused.
func (v *Value) Refused() bool { return v.bad }

// Node is one application of an operator.
type Node struct {
	Op      *Op
	Name    string
	Inputs  []*Value // nil for an optional input that is left out
	Outputs []*Value
	Attrs   []Attr

	found Dim // how many elements it finds, where only they tell
}

// Attr is an attribute of a node. Value is an int64, float32, string, []int64 or []float32.
type Attr struct {
	Name  string
	Value any
}

// Int gives an integer attribute, or def where the node does not have it.
func (n *Node) Int(name string, def int64) int64 { return attr(n, name, def) }

// Float gives a float attribute, or def where the node does not have it.
func (n *Node) Float(name string, def float32) float32 { return attr(n, name, def) }

// Text gives a string attribute, or def where the node does not have it.
func (n *Node) Text(name, def string) string { return attr(n, name, def) }

// Ints gives a list attribute, nil where the node does not have it.
func (n *Node) Ints(name string) []int64 { return attr[[]int64](n, name, nil) }

func attr[T any](n *Node, name string, def T) T {
	for _, a := range n.Attrs {
		if v, ok := a.Value.(T); ok && a.Name == name {
			return v
		}
	}
	return def
}

// Mark is a value that readers of the file look for, whatever its name is there.
type Mark struct {
	Title string // what it is known as
	Value *Value
}

// Property is an entry of the model's metadata_props.
type Property struct{ Key, Value string }

// Graph is an ONNX graph under construction. Nodes are in topological order.
type Graph struct {
	Name       string
	Inputs     []*Value
	Outputs    []*Value
	Nodes      []*Node
	Marks      []Mark
	Properties []Property

	dimNames []dimName
	names    map[string]bool
	counts   map[string]int // names given so far, by the text they begin with
	err      error          // the first operator that was refused
}

type dimName struct {
	dim  Dim
	name string
}

// New is an empty graph.
func New(name string) *Graph {
	return &Graph{Name: name, names: map[string]bool{}, counts: map[string]int{}}
}

// Input adds a graph input.
func (g *Graph) Input(name string, t DType, shape Shape) *Value {
	v := &Value{Name: name, DType: t, Shape: shape, Pinned: true, fixed: true}
	g.claim(name)
	g.Inputs = append(g.Inputs, v)
	return v
}

// Output makes v a graph output of the given name.
func (g *Graph) Output(name string, v *Value) {
	g.Rename(v, name)
	g.Outputs = append(g.Outputs, v)
}

// Rename gives v a name that passes keep. A value that already has such a name is an error of the graph.
func (g *Graph) Rename(v *Value, name string) {
	if v.bad || v.Name == name {
		v.Pinned, v.fixed = true, true
		return
	}
	if v.fixed {
		g.fail(fmt.Errorf("the value %q cannot also be named %q", v.Name, name))
		return
	}
	delete(g.names, v.Name)
	g.claim(name)
	v.Name, v.Pinned, v.fixed = name, true, true
}

// Mark lets readers of the file find v. Passes keep the value, under whichever name its node gives it.
func (g *Graph) Mark(title string, v *Value) {
	v.Pinned = true
	g.Marks = append(g.Marks, Mark{title, v})
}

// Marked is the value that was marked with a title, nil if there is none.
func (g *Graph) Marked(title string) *Value {
	for _, m := range g.Marks {
		if m.Title == title {
			return m.Value
		}
	}
	return nil
}

// NameDim makes dimensions equal to d appear in the file under a name of their own.
func (g *Graph) NameDim(d Dim, name string) { g.dimNames = append(g.dimNames, dimName{d, name}) }

// newDataSize is a size that depends on elements, under a name that no other size has.
func (g *Graph) newDataSize(name string) Dim {
	for {
		unique := strings.TrimPrefix(g.unique("size "+name), "size ") // no value is called so
		if !slices.ContainsFunc(g.Inputs, func(v *Value) bool { return v.Shape.has(unique) }) {
			return Sym(Symbol{Name: unique, Unit: 1, Data: true})
		}
	}
}

// DimName is the dim_param under which a symbolic dimension appears in the file.
func (g *Graph) DimName(d Dim) string {
	for _, n := range g.dimNames {
		if n.dim.Equal(d) {
			return n.name
		}
	}
	return d.String()
}

// claim takes a name; taking it twice is an error of the graph.
func (g *Graph) claim(name string) {
	if g.names[name] {
		g.fail(fmt.Errorf("two values are named %q", name))
	}
	g.names[name] = true
}

// unique is a free name that begins with the given text.
func (g *Graph) unique(text string) string {
	name := text
	for g.names[name] {
		g.counts[text]++
		name = fmt.Sprintf("%s_%d", text, g.counts[text])
	}
	g.names[name] = true
	return name
}

func (g *Graph) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

// TakeErr returns the first error since the last call, and forgets it. Values that come from a refused operator stay
// marked as such.
func (g *Graph) TakeErr() error {
	err := g.err
	g.err = nil
	return err
}

// Initializers lists the initializers that nodes or outputs use, in order of first use.
func (g *Graph) Initializers() []*Value {
	var out []*Value
	seen := map[*Value]bool{}
	visit := func(v *Value) {
		if v != nil && v.Const != nil && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			visit(v)
		}
	}
	for _, v := range g.Outputs {
		visit(v)
	}
	return out
}

// Uses maps each value to the nodes that read it, in graph order; a node that reads it twice is listed twice.
func (g *Graph) Uses() map[*Value][]*Node {
	uses := make(map[*Value][]*Node, len(g.Nodes)*2)
	for _, n := range g.Nodes {
		for _, v := range n.Inputs {
			if v != nil {
				uses[v] = append(uses[v], n)
			}
		}
	}
	return uses
}

// IsOutput reports whether v is an output of the graph.
func (g *Graph) IsOutput(v *Value) bool { return slices.Contains(g.Outputs, v) }

// DropDead removes nodes whose outputs nothing uses: neither a node, nor the graph, nor a pinned name. It returns how
// many nodes it removed.
func (g *Graph) DropDead() int {
	live := map[*Value]bool{}
	for _, v := range g.Outputs {
		live[v] = true
	}
	kept := make([]*Node, 0, len(g.Nodes))
	for _, n := range slices.Backward(g.Nodes) {
		if !slices.ContainsFunc(n.Outputs, func(v *Value) bool { return live[v] || v.Pinned }) {
			continue
		}
		for _, v := range n.Inputs {
			live[v] = true
		}
		kept = append(kept, n)
	}
	dropped := len(g.Nodes) - len(kept)
	slices.Reverse(kept)
	g.Nodes = kept
	return dropped
}
