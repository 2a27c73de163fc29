package onnxbuild

import (
	"maps"
	"slices"
)

// Clone is a copy of the graph that passes can change while this one stays as it is. Tensors, which are recipes and never
// change, are shared.
func (g *Graph) Clone() *Graph {
	c := *g
	c.names, c.counts = maps.Clone(g.names), maps.Clone(g.counts)
	c.Properties, c.dimNames = slices.Clone(g.Properties), slices.Clone(g.dimNames)
	values := make(map[*Value]*Value, 2*len(g.Nodes))
	value := func(v *Value) *Value {
		if v == nil {
			return nil
		}
		if copied := values[v]; copied != nil {
			return copied
		}
		copied := *v
		values[v] = &copied
		return &copied
	}
	list := func(of []*Value) []*Value {
		copied := make([]*Value, len(of))
		for i, v := range of {
			copied[i] = value(v)
		}
		return copied
	}
	c.Inputs, c.Nodes = list(g.Inputs), make([]*Node, len(g.Nodes))
	for i, n := range g.Nodes {
		copied := *n
		copied.Inputs, copied.Outputs, copied.Attrs = list(n.Inputs), list(n.Outputs), slices.Clone(n.Attrs)
		for _, v := range copied.Outputs {
			v.Producer = &copied
		}
		c.Nodes[i] = &copied
	}
	c.Outputs, c.Marks = list(g.Outputs), slices.Clone(g.Marks)
	for i, m := range c.Marks {
		c.Marks[i].Value = value(m.Value)
	}
	return &c
}
