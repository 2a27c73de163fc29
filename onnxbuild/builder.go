package onnxbuild

import (
	"fmt"
	"strings"
)

// Builder adds nodes to a graph under a name scope. The zero scope is the graph itself; [Builder.In] goes deeper.
//
// An operator that does not fit its inputs is refused: the first error sticks to the graph ([Graph.TakeErr]), and the
// operator's result is a placeholder that later operators pass on in silence, so that code which composes values
// reads like a formula.
type Builder struct {
	Graph *Graph
	scope string // "/model.2/cv1", empty at the top
}

// Build is a builder at the top scope of g.
func (g *Graph) Build() Builder { return Builder{Graph: g} }

// In is a builder one scope deeper.
func (b Builder) In(name string) Builder { return Builder{b.Graph, b.scope + "/" + name} }

// Scope is the path of the builder, as "model.2/cv1".
func (b Builder) Scope() string { return strings.TrimPrefix(b.scope, "/") }

// Err refuses what is being built, in the builder's scope.
func (b Builder) Err(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if b.scope != "" {
		err = fmt.Errorf("%s: %w", b.Scope(), err)
	}
	b.Graph.fail(err)
}

// Initializer adds a constant under a full name, such as a state_dict path.
func (b Builder) Initializer(name string, t *Tensor) *Value {
	b.Graph.claim(name)
	v := &Value{Name: name, DType: t.DType, Shape: ShapeOf(t.Shape...), Const: t}
	if err := v.Shape.check(); err != nil {
		b.Err("the tensor %s %w", name, err)
		return &Value{DType: t.DType, bad: true}
	}
	if t.DType == Int64 && len(t.Shape) < 2 {
		v.content = make([]Dim, len(t.Ints))
		for i, n := range t.Ints {
			v.content[i] = D(n)
		}
	}
	return v
}

// Constant adds an initializer under a name local to the scope.
func (b Builder) Constant(name string, t *Tensor) *Value {
	unique := b.Graph.unique(b.scope + "/" + name)
	delete(b.Graph.names, unique)
	return b.Initializer(unique, t)
}

// Scalar is a constant of rank 0.
func (b Builder) Scalar(name string, x float32) *Value {
	return b.Constant(name, FloatTensor(nil, []float32{x}))
}

// ScalarOf is a constant of rank 0 of any type, such as that of the value it is added to.
func (b Builder) ScalarOf(t DType, name string, x float64) *Value {
	scalar := &Tensor{DType: t, Floats: Literal{float32(x)}}
	if !t.IsFloat() {
		scalar = &Tensor{DType: t, Ints: []int64{int64(x)}}
	}
	return b.Constant(name, scalar)
}

// Int is an integer constant of rank 0.
func (b Builder) Int(name string, x int64) *Value {
	return b.Constant(name, IntTensor(nil, []int64{x}))
}

// Ints is an integer constant of rank 1.
func (b Builder) Ints(name string, list ...int64) *Value {
	return b.Constant(name, IntTensor([]int64{int64(len(list))}, list))
}

// add appends a node, infers its outputs and returns them. want is the number of outputs, for a node that is refused.
func (b Builder) add(op *Op, want int, attrs []Attr, inputs ...*Value) []*Value {
	return b.addNode(&Node{Op: op, Inputs: inputs, Attrs: attrs}, want)
}

func (b Builder) addNode(n *Node, want int) []*Value {
	op := n.Op
	types, err := b.infer(n)
	if err != nil || types == nil {
		if err != nil {
			b.Err("%s: %w", op.Name, err)
		}
		refused := make([]*Value, want)
		for i := range refused {
			refused[i] = &Value{DType: Float32, bad: true}
		}
		return refused
	}
	n.Name = b.Graph.unique(b.scope + "/" + op.Name)
	for i, t := range types {
		out := b.Graph.unique(fmt.Sprintf("%s_output_%d", n.Name, i))
		n.Outputs = append(n.Outputs, &Value{Name: out, DType: t.DType, Shape: t.Shape, content: t.content, Producer: n})
	}
	b.Graph.Nodes = append(b.Graph.Nodes, n)
	return n.Outputs
}

// infer gives nil types, and no error, for a node one of whose inputs was refused before.
func (b Builder) infer(n *Node) ([]Type, error) {
	for _, v := range n.Inputs {
		if v != nil && v.bad {
			return nil, nil
		}
	}
	types, err := n.Op.infer(n)
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		if err := t.Shape.check(); err != nil {
			return nil, fmt.Errorf("the result %w", err)
		}
	}
	return types, nil
}

func (b Builder) add1(op *Op, attrs []Attr, inputs ...*Value) *Value {
	return b.add(op, 1, attrs, inputs...)[0]
}

// Refuse is the placeholder of what an error has made impossible.
func (b Builder) Refuse() *Value { return &Value{DType: Float32, bad: true} }
