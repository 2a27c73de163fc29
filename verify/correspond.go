package verify

import (
	"slices"

	"ysc2onnx/verify/engine"
)

// correspondence says which value of a file is which of a model, by what was paired: the inputs and results of the same
// convolution are the same values, and so is what the same operator makes of the same values.
type correspondence struct {
	*pairing
	to map[string]string // values of the file by those of the model
}

// correspond follows the model from its convolutions on.
func (p *pairing) correspond() *correspondence {
	c := &correspondence{p, map[string]string{}}
	for i, in := range p.ours.facts.Inputs {
		if i < len(p.theirs.facts.Inputs) {
			c.set(in.Name, p.theirs.facts.Inputs[i].Name)
		}
	}
	for i, k := range p.to {
		if k >= 0 {
			c.set(p.a[i].in, p.b[k].in)
			c.set(p.a[i].out, p.b[k].out)
		}
	}
	for i := range p.ours.facts.nodes {
		c.follow(&p.ours.facts.nodes[i])
	}
	return c
}

// set notes a pair of values. The first stays: where a file reads another value a second time, that will show in the numbers.
func (c *correspondence) set(a, b string) {
	a, b = c.ours.origin(a), c.theirs.origin(b)
	if _, known := c.to[a]; !known {
		c.to[a] = b
	}
}

// follow pairs what a node of the model makes, if one node of the file alone does the same to the same values, in order.
func (c *correspondence) follow(n *graphNode) {
	if len(n.outputs) == 0 || slices.Contains(passing, n.op) {
		return
	}
	if _, known := c.to[n.outputs[0]]; known {
		return
	}
	var want []string // the file's values
	for _, in := range c.ours.varying(n) {
		b, ok := c.to[in]
		if !ok {
			return
		}
		want = append(want, b)
	}
	if len(want) == 0 {
		return
	}
	var found *graphNode
	for _, m := range c.theirs.readers(want[0]) {
		if sameOperator(m.op, n.op) && m.domain == n.domain && slices.Equal(c.theirs.varying(m), want) {
			if found != nil && found != m {
				return
			}
			found = m
		}
	}
	if found != nil && len(found.outputs) == len(n.outputs) {
		for i, out := range n.outputs {
			c.set(out, found.outputs[i])
		}
	}
}

// sameOperator says whether two operators may be one under two names.
func sameOperator(a, b string) bool {
	return a == b || a == "Upsample" && b == "Resize" || a == "Resize" && b == "Upsample"
}

// varying are the inputs of a node that are not constants. Of operators that change a size only the map counts, as some
// exporters compute sizes in the file.
func (w *wiring) varying(n *graphNode) (list []string) {
	inputs := n.inputs
	if sameOperator(n.op, "Resize") {
		inputs = inputs[:min(1, len(inputs))]
	}
	for _, in := range inputs {
		if _, fixed := w.constant(in); in != "" && !fixed {
			list = append(list, w.origin(in))
		}
	}
	return list
}

// readers are the nodes that read a value, also through operators that leave it unchanged.
func (w *wiring) readers(name string) (list []*graphNode) {
	todo, met := []string{name}, map[string]bool{name: true}
	for len(todo) > 0 {
		name, todo = todo[0], todo[1:]
		for _, n := range w.uses[name] {
			if n.domain == "" && slices.Contains(passing, n.op) && len(n.outputs) > 0 {
				if out := n.outputs[0]; !met[out] {
					met[out], todo = true, append(todo, out)
				}
				continue
			}
			list = append(list, n)
		}
	}
	return list
}

// layers gives the file's values of the model's layers, by their numbers.
func (c *correspondence) layers() map[int]engine.IO {
	values, _ := c.ours.facts.layerValues()
	found := map[int]engine.IO{}
	for i, v := range values {
		b, ok := c.to[c.ours.origin(v.Name)]
		if !ok {
			continue
		}
		if value, made := c.theirs.facts.values[b]; made {
			found[i] = value
		}
	}
	return found
}
