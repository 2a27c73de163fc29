package onnxbuild

import (
	"errors"
	"fmt"
	"slices"
)

// The opsets that graphs can be written for: up to the newest that the pinned ONNX Runtime reads. Since 23 operators have got
// more types, and no other meaning.
const (
	MinOpset     = 11
	MaxOpset     = 26
	DefaultOpset = 17
)

// IRVersion is the lowest IR version that ONNX allows for an opset (onnx's table of released versions).
func IRVersion(opset int) int64 {
	switch {
	case opset <= 11:
		return 6
	case opset <= 14:
		return 7
	case opset <= 18:
		return 8
	case opset <= 20:
		return 9
	case opset <= 22:
		return 10
	case opset <= 23:
		return 11
	case opset <= 24:
		return 12
	}
	return 13
}

// WireNode is a node as the file has it: everything by name.
type WireNode struct {
	Op, Name        string
	Inputs, Outputs []string // "" for an input that is left out
	Attrs           []Attr
	Extra           []*Value     // initializers that only this form of the operator has
	Inner           []InnerValue // outputs that only this form of the operator has
}

// InnerValue is an edge inside an operator's form at an older opset.
type InnerValue struct {
	Name string
	Type Type
}

// Written is a graph in the form of one opset, ready to be serialised.
type Written struct {
	Graph        *Graph
	Opset        int
	IRVersion    int64
	Nodes        []WireNode
	Initializers []*Value // those that the nodes name, in order of first use
	Inner        []InnerValue
}

// OpsetError says that an operator has no form at the opset that was asked.
type OpsetError struct {
	Node   string // where it stands: the node's name
	Op     string
	What   string
	Opset  int // asked
	Lowest int // the lowest that works
}

func (e *OpsetError) Error() string {
	return fmt.Sprintf("%s: %s (operator %s) cannot be written at opset %d: the lowest that works is %d", e.Node, e.What, e.Op, e.Opset, e.Lowest)
}

// needs is the error of a form that an opset lacks; AtOpset fills in the opset that was asked.
func needs(n *Node, lowest int, what string, args ...any) error {
	return &OpsetError{Node: n.Name, Op: n.Op.Name, What: fmt.Sprintf(what, args...), Lowest: lowest}
}

// AtOpset gives the graph in the form of an opset, 11 to 26, or an error that names the operator, where it stands and
// the lowest opset that works. The graph itself is not changed.
func (g *Graph) AtOpset(opset int) (*Written, error) {
	if opset < MinOpset || opset > MaxOpset {
		return nil, fmt.Errorf("opset %d is not supported: choose %d to %d", opset, MinOpset, MaxOpset)
	}
	w := &Written{Graph: g, Opset: opset, IRVersion: IRVersion(opset)}
	w.Nodes = make([]WireNode, 0, len(g.Nodes))
	constants, extra := map[string]*Value{}, map[string]*Value{}
	for _, v := range g.Initializers() {
		constants[v.Name] = v
	}
	for _, n := range g.Nodes {
		form, err := n.nodeAtOpset(opset)
		if err != nil {
			if e := (*OpsetError)(nil); errors.As(err, &e) {
				e.Opset = opset
			}
			return nil, err
		}
		for _, node := range form {
			w.Nodes = append(w.Nodes, node)
			w.Inner = append(w.Inner, node.Inner...)
			for _, v := range node.Extra {
				extra[v.Name] = v
			}
			for _, name := range node.Inputs {
				for _, table := range []map[string]*Value{constants, extra} {
					if v := table[name]; v != nil {
						w.Initializers = append(w.Initializers, v)
						delete(table, name)
					}
				}
			}
		}
	}
	for _, v := range g.Outputs {
		if v.Const != nil && constants[v.Name] != nil {
			w.Initializers = append(w.Initializers, v)
		}
	}
	return w, nil
}

// nodeAtOpset is a node in the form of an opset.
func (n *Node) nodeAtOpset(opset int) ([]WireNode, error) {
	for _, v := range slices.Concat(n.Inputs, n.Outputs) {
		if v != nil && v.DType == BFloat16 && opset < 13 {
			return nil, needs(n, 13, "an operator on bfloat16")
		}
	}
	if n.Op.form == nil {
		return []WireNode{wire(n)}, nil
	}
	return n.Op.form(n, opset)
}

// wire is a node as it stands.
func wire(n *Node) WireNode {
	w := WireNode{Op: n.Op.Name, Name: n.Name, Attrs: n.Attrs}
	w.Inputs = make([]string, len(n.Inputs))
	for i, v := range n.Inputs {
		if v != nil {
			w.Inputs[i] = v.Name
		}
	}
	w.Outputs = make([]string, len(n.Outputs))
	for i, v := range n.Outputs {
		w.Outputs[i] = v.Name
	}
	return w
}

// Edges lists the values between nodes, with their types, for the file's value_info: all that is neither an input, an
// output nor an initializer.
func (w *Written) Edges() []InnerValue {
	var edges []InnerValue
	for _, n := range w.Graph.Nodes {
		for _, v := range n.Outputs {
			if !w.Graph.IsOutput(v) {
				edges = append(edges, InnerValue{v.Name, Type{DType: v.DType, Shape: v.Shape}})
			}
		}
	}
	return append(edges, w.Inner...)
}
