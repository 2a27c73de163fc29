package onnxbuild

import "strings"

// Rewriter is what a pass works with while it sweeps over a graph.
type Rewriter struct {
	Graph    *Graph
	replaced map[*Value]*Value
}

// Rewrite sweeps over the nodes in order, once. For each node, visit may add nodes before it (with the builder, which
// is in the node's own scope), may replace values, and returns whether the node stays. The inputs that it sees are
// already replaced. The sweep is linear in the number of nodes.
func (g *Graph) Rewrite(visit func(r *Rewriter, b Builder, n *Node) (keep bool, err error)) error {
	r := &Rewriter{Graph: g, replaced: map[*Value]*Value{}}
	nodes := g.Nodes
	g.Nodes = make([]*Node, 0, len(nodes))
	for i, n := range nodes {
		for j, v := range n.Inputs {
			n.Inputs[j] = r.Current(v)
		}
		keep, err := visit(r, Builder{g, n.scope()}, n)
		if err == nil {
			err = g.TakeErr()
		}
		if err != nil {
			g.Nodes = append(g.Nodes, nodes[i:]...)
			return err
		}
		if keep {
			g.Nodes = append(g.Nodes, n)
		}
	}
	for i, v := range g.Outputs {
		g.Outputs[i] = r.Current(v)
	}
	for i, m := range g.Marks {
		g.Marks[i].Value = r.Current(m.Value)
	}
	return nil
}

// scope is the name scope that the node was built in, "/model.2/cv1".
func (n *Node) scope() string {
	return n.Name[:max(strings.LastIndexByte(n.Name, '/'), 0)]
}

// Current is the value that stands for v after the replacements so far.
func (r *Rewriter) Current(v *Value) *Value {
	for {
		w, ok := r.replaced[v]
		if !ok {
			return v
		}
		v = w
	}
}

// Replace lets later nodes, the outputs and the marks have by instead of old. It reports whether that is allowed: a value
// that passes keep must be made by a node. Where old has a name that they keep, the two swap names, unless by is kept
// itself.
func (r *Rewriter) Replace(old, by *Value) bool {
	if old.Pinned {
		if by.Producer == nil || old.fixed && by.Pinned {
			return false
		}
		if old.fixed {
			by.Name, old.Name = old.Name, by.Name
			by.fixed, old.fixed = true, false
		}
		by.Pinned, old.Pinned = true, false
	}
	r.replaced[old] = by
	return true
}

// Initializer adds a constant under a name, or where that is taken, under one that begins with it.
func (r *Rewriter) Initializer(name string, t *Tensor) *Value {
	unique := r.Graph.unique(name)
	delete(r.Graph.names, unique)
	return r.Graph.Build().Initializer(unique, t)
}
