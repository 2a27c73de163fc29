package verify

import (
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/internal/protofile"
	"ysc2onnx/verify/engine"
)

const (
	maxNodes      = 1 << 20
	maxGraphDepth = 16 // graphs inside attributes of nodes
)

// scope holds the values that are known at a point of a graph.
type scope struct {
	parent *scope
	in     string // where it is, for messages: the function
	depth  int
	known  map[string]bool      // assigned so far
	used   map[string]bool      // read by a node or an output
	typed  map[string]engine.IO // value_info
}

// find looks a value up from the inside out and marks it as used where it lives.
func (s *scope) find(name string) bool {
	for ; s != nil; s = s.parent {
		if s.known[name] {
			s.used[name] = true
			return true
		}
	}
	return false
}

// assign adds a value, or records that its name is taken.
func (c *checker) assign(s *scope, name, by string) {
	if s.known[name] {
		c.problem("%s: the name %q is already taken by another value", by, name)
	}
	s.known[name] = true
}

// graph checks a GraphProto that lies in one or more parts.
func (c *checker) graph(parts []protofile.Span, parent *scope) error {
	s := &scope{parent: parent, known: map[string]bool{}, used: map[string]bool{}, typed: map[string]engine.IO{}}
	if parent != nil {
		s.depth, s.in = parent.depth+1, parent.in
	}
	if s.depth > maxGraphDepth {
		return protofile.Malformed(parts[0].From, "more than %d graphs inside each other", maxGraphDepth)
	}
	var inputs, outputs []engine.IO
	var initializers []string
	var nodes []protofile.Field
	for _, part := range parts {
		err := c.w.Fields(part, func(f protofile.Field) (err error) {
			var v engine.IO
			var typed bool
			switch f.Num {
			case 1:
				if len(nodes) == maxNodes {
					return protofile.Malformed(f.Body.From, "a graph has more than %d nodes", maxNodes)
				}
				nodes = append(nodes, f)
			case 2:
				if parent == nil {
					c.facts.Graph, err = c.w.String(f)
				}
			case 5:
				var t stored
				t, err = c.tensor(f, "initializer")
				initializers = append(initializers, t.name)
				if parent == nil {
					c.facts.stored[t.name] = t.place()
					c.facts.initializers = append(c.facts.initializers, t.name)
				}
			case 11:
				v, typed, err = c.valueInfo(f)
				inputs = append(inputs, c.declared(v, typed, "input", parent))
			case 12:
				v, typed, err = c.valueInfo(f)
				outputs = append(outputs, c.declared(v, typed, "output", parent))
			case 13:
				v, typed, err = c.valueInfo(f)
				if first, twice := s.typed[v.Name]; twice && typed && first.String() != v.String() {
					c.problem("value_info of %q is given twice, as %s and %s", v.Name, first, v)
				}
				if typed || v.Other {
					s.typed[v.Name] = v
				}
			case 15:
				var t stored
				t, err = c.sparse(f, "sparse initializer")
				initializers = append(initializers, t.name)
				if parent == nil {
					c.facts.stored[t.name] = t.place()
					c.facts.initializers = append(c.facts.initializers, t.name)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	weights := c.enter(s, inputs, initializers)
	for i, n := range nodes {
		if i%1024 == 0 && c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if err := c.node(s, i, n); err != nil {
			return err
		}
	}
	for _, out := range outputs {
		if parent != nil {
			c.captured = append(c.captured, out.Name)
		}
		if !s.find(out.Name) {
			c.problem("graph output %q is made by no node", out.Name)
		}
	}
	if parent != nil {
		return nil
	}
	c.facts.Nodes, c.facts.Initializers, c.facts.Outputs = len(nodes), len(initializers), outputs
	for _, in := range inputs {
		if !weights[in.Name] {
			c.facts.Inputs = append(c.facts.Inputs, in)
		}
	}
	for _, name := range initializers {
		if !s.used[name] {
			c.facts.Unused = append(c.facts.Unused, name)
		}
	}
	if len(outputs) == 0 {
		c.problem("the graph has no outputs")
	}
	c.edges(s, outputs)
	return nil
}

// declared notes a graph input or output of the main graph that lacks its type. A shape may be left open, and other kinds
// of values than tensors have none.
func (c *checker) declared(v engine.IO, typed bool, kind string, parent *scope) engine.IO {
	switch {
	case typed || v.Other || parent != nil:
	case v.DType == engine.Undefined:
		c.problem("graph %s %q has no type", kind, v.Name)
	default:
		c.note("graph %s %q has no shape", kind, v.Name)
	}
	if !v.DType.Known() && v.DType != engine.Undefined {
		c.problem("graph %s %q: element %s is not known", kind, v.Name, v.DType)
	}
	return v
}

// enter assigns the inputs and initializers of a graph and gives the set of the
// latter. An input may have an initializer of the same name: its default.
func (c *checker) enter(s *scope, inputs []engine.IO, initializers []string) map[string]bool {
	for _, in := range inputs {
		c.assign(s, in.Name, "graph input")
	}
	weights := make(map[string]bool, len(initializers))
	for _, name := range initializers {
		if weights[name] {
			c.problem("initializer %q is given twice", name)
		}
		weights[name] = true
		s.known[name] = true
	}
	return weights
}

// edges fills Facts.values, and Facts.Untyped, from what the nodes made.
func (c *checker) edges(s *scope, outputs []engine.IO) {
	for _, out := range outputs {
		s.typed[out.Name] = out
	}
	for _, name := range c.made {
		v, typed := s.typed[name]
		if !typed {
			v = engine.IO{Name: name}
			c.facts.Untyped = append(c.facts.Untyped, name)
		}
		c.facts.values[name] = v
	}
	if n := len(c.facts.Untyped); n > 0 {
		c.note("%d of %d values have no value_info; the first is %q", n, len(c.made), c.facts.Untyped[0])
	}
}

// node checks a NodeProto: its operator's domain, that everything it reads is
// there already, that what it makes is new, and its attributes.
func (c *checker) node(s *scope, i int, f protofile.Field) error {
	var inputs, outputs []string
	var name, op, domain, overload string
	var attributes []protofile.Field
	err := c.w.Message(f, func(f protofile.Field) (err error) {
		var text string
		switch f.Num {
		case 1:
			text, err = c.w.String(f)
			inputs = append(inputs, text)
		case 2:
			text, err = c.w.String(f)
			outputs = append(outputs, text)
		case 3:
			name, err = c.w.String(f)
		case 4:
			op, err = c.w.String(f)
		case 5:
			attributes = append(attributes, f)
		case 7:
			domain, err = c.w.String(f)
		case 8:
			overload, err = c.w.String(f)
		}
		return err
	})
	if err != nil {
		return err
	}
	at := s.in + "node " + strconv.Itoa(i) + " (" + op + " " + strconv.Quote(name) + ")"
	if op == "" {
		c.problem("%s has no operator", at)
	}
	c.domain(domainName(domain), at)
	id := functionID{domainName(domain), op, overload}
	if c.local[id] {
		c.called = append(c.called, id)
	}
	for j, in := range inputs {
		if in != "" && !s.find(in) { // an empty name is an optional input that is left out
			c.problem("%s: input %d, %q, is no graph input, initializer or output of an earlier node", at, j, in)
		}
	}
	epsilon := 1e-5 // ONNX's default
	for _, a := range attributes {
		held, err := c.attribute(s, a, at)
		if err != nil {
			return err
		}
		if op == "Constant" && s.parent == nil && held.tensor != nil && len(outputs) == 1 {
			c.facts.constants[outputs[0]] = held.tensor.place()
		}
		if op == "BatchNormalization" && held.name == "epsilon" {
			epsilon = held.float
		}
	}
	sum, err := c.digest(attributes)
	if err != nil {
		return err
	}
	c.remember(s, graphNode{op, domainName(domain), name, inputs, outputs, sum, c.local[id], epsilon})
	makes := false
	for _, out := range outputs {
		if out == "" {
			continue
		}
		makes = true
		c.assign(s, out, at)
		if s.parent == nil {
			c.made = append(c.made, out)
		}
	}
	if !makes {
		c.problem("%s makes nothing", at)
	}
	return nil
}

// domain demands an opset for the domain of a node's operator.
func (c *checker) domain(domain, at string) {
	if _, ok := c.opsets[domain]; ok || domain == "" && c.missing[domain] {
		return
	}
	c.missing[domain] = true
	if domain == "" {
		c.problem("no opset is imported for ONNX's own operators")
		return
	}
	c.problem("%s: no opset is imported for domain %q", at, domain)
}

// remember keeps a node of the main graph. What the graphs inside it read is kept with it, as the node needs that too.
func (c *checker) remember(s *scope, n graphNode) {
	if s.parent == nil {
		n.inputs = append(n.inputs, c.captured...)
		c.captured = nil
		c.facts.nodes = append(c.facts.nodes, n)
		return
	}
	c.captured = append(c.captured, n.inputs...)
}

// attribute is what is kept of an AttributeProto.
type attribute struct {
	name   string
	float  float64
	tensor *stored
}

// attribute checks the tensors and graphs in an AttributeProto.
func (c *checker) attribute(s *scope, f protofile.Field, node string) (held attribute, err error) {
	err = c.w.Message(f, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			held.name, err = c.w.String(f)
		case 2:
			held.float, err = c.w.Float(f)
		case 5, 10:
			var t stored
			t, err = c.tensor(f, node+": attribute")
			held.tensor = &t
		case 22, 23:
			_, err = c.sparse(f, node+": sparse attribute")
		case 6, 11:
			if err = f.Want(protowire.BytesType); err == nil {
				err = c.graph([]protofile.Span{f.Body}, s)
			}
		}
		return err
	})
	return held, err
}
