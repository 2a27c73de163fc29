package onnxbuild

import "fmt"

// decomposition writes an operator as several simpler ones, for opsets that do not have it. What the parts give each other
// is named after the operator's output.
type decomposition struct {
	n     *Node
	nodes []WireNode
	extra []*Value // constants that the next node brings along
}

// constant is the name of an initializer that only this form has.
func (d *decomposition) constant(label string, t *Tensor) string {
	name := d.n.Name + "/" + label
	d.extra = append(d.extra, &Value{Name: name, DType: t.DType, Shape: ShapeOf(t.Shape...), Const: t})
	return name
}

// number is a scalar of the type of the operator's output.
func (d *decomposition) number(label string, x float64) string {
	return d.constant(label, &Tensor{DType: d.n.Outputs[0].DType, Floats: Literal{float32(x)}})
}

// add appends a part and gives the name of its result, whose shape is that of the operator's output.
func (d *decomposition) add(op, label string, attrs []Attr, inputs ...string) string {
	out := d.n.Outputs[0]
	return d.typed(Type{DType: out.DType, Shape: out.Shape}, op, label, attrs, inputs...)
}

// typed appends a part whose result has a type of its own.
func (d *decomposition) typed(t Type, op, label string, attrs []Attr, inputs ...string) string {
	out := d.n.Outputs[0].Name + "/" + label
	w := d.node(op, attrs, inputs, out)
	w.Inner = []InnerValue{{out, t}}
	return out
}

// finish appends the part that gives the operator's output, and returns all.
func (d *decomposition) finish(op string, attrs []Attr, inputs ...string) []WireNode {
	w := d.node(op, attrs, inputs, d.n.Outputs[0].Name)
	w.Name = d.n.Name
	return d.nodes
}

func (d *decomposition) node(op string, attrs []Attr, inputs []string, out string) *WireNode {
	name, same := d.n.Name+"/"+op, 0
	for _, w := range d.nodes {
		if w.Op == op {
			same++
		}
	}
	if same > 0 {
		name = fmt.Sprintf("%s_%d", name, same)
	}
	d.nodes = append(d.nodes, WireNode{Op: op, Name: name, Inputs: inputs, Outputs: []string{out}, Attrs: attrs, Extra: d.extra})
	d.extra = nil
	return &d.nodes[len(d.nodes)-1]
}

// since lets parts write an operator before the opset that it came with.
func since(first int, parts func(n *Node, d *decomposition) []WireNode) func(*Node, int) ([]WireNode, error) {
	return func(n *Node, opset int) ([]WireNode, error) {
		if opset >= first {
			return []WireNode{wire(n)}, nil
		}
		return parts(n, &decomposition{n: n}), nil
	}
}

// formTypes refuses types other than float32, float16 and those allowed before the opset that brought them.
func formTypes(first int, allowed ...DType) func(*Node, int) ([]WireNode, error) {
	return func(n *Node, opset int) ([]WireNode, error) {
		t := n.Inputs[0].DType
		known := t == Float32 || t == Float16
		for _, a := range allowed {
			known = known || t == a
		}
		if opset < first && !known {
			return nil, needs(n, first, "%s of %s", n.Op.Name, t)
		}
		return []WireNode{wire(n)}, nil
	}
}
