package yamlcfg

import (
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// Node is a value of a YAML with its place, of what rows and numbers do not say.
type Node struct {
	Span    diag.Span
	Literal python.Literal // of a scalar, as PyYAML types it
	Scalar  bool
	Text    string // of a scalar, as it stands
	Items   []*Node
	Keys    []*Node // of a mapping, for each of the items; nil of a list
	IsMap   bool

	text     *text
	from, to int
}

// Within gives the place of the n-th byte of a piece of the scalar, or that of the scalar where the piece is not found as it stands.
func (n *Node) Within(piece string, offset int) diag.Span {
	at := strings.Index(string(n.text.ascii[n.from:min(n.to+len(n.Text)+256, len(n.text.ascii))]), piece)
	if at < 0 {
		return n.Span
	}
	at += n.from + offset
	return n.text.span(at, at+1)
}

// Source is the text of the node.
func (n *Node) Source() string { return string(n.text.ascii[n.from:n.to]) }

// tree exports a node. Each counts in the budget, since aliases repeat them.
func (p *parser) tree(n *node) *Node {
	out := &Node{Span: p.place(n), text: p.text, from: n.from, to: n.to, IsMap: n.kind == mapNode}
	if p.budget--; p.budget < 0 {
		p.tooMany(out.Span)
		return out
	}
	switch n.kind {
	case scalarNode:
		out.Scalar, out.Text = true, n.value
		out.Literal, _ = scalar(n)
		out.Literal.Span = out.Span
	case seqNode:
		for _, item := range n.items {
			out.Items = append(out.Items, p.tree(item))
		}
	case mapNode:
		for i := 0; i+1 < len(n.items); i += 2 {
			out.Keys = append(out.Keys, p.tree(n.items[i]))
			out.Items = append(out.Items, p.tree(n.items[i+1]))
		}
	}
	return out
}
