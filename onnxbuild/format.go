package onnxbuild

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// FormatOptions say how much [Graph.Format] writes.
type FormatOptions struct {
	// HashLimit is the size in bytes up to which initializers are read and hashed; those above show no hash. 0 stands
	// for 1 MiB, a negative number for no limit.
	HashLimit int64
}

// hashBlock is how many elements of an initializer are encoded at once.
const hashBlock = 1 << 14

// Format writes the graph as text, for tests and for people: the inputs, the initializers that are used, one node a
// line, the outputs. The same graph gives the same text, and a change of one node changes that node's line.
//
//	graph relu
//	input images float32 [batch, 3, height, width]
//	const w float32 [16, 3, 3, 3] sha256:90cf6e2b1f1c
//	/Conv_output_0 float32 [batch, 16, height/2, width/2] = Conv(images, w) group=1 strides=[2, 2]
//	!y float32 [batch, 16, height/2, width/2] = Relu(/Conv_output_0)
//	output y
//
// A value with a promised name is marked with "!"; an input that is left out is "_". Lists of up to eight integers
// stand in place of their hash.
func (g *Graph) Format(w io.Writer, opts FormatOptions) error {
	if opts.HashLimit == 0 {
		opts.HashLimit = 1 << 20
	}
	out := bufio.NewWriter(w)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) } // Flush has the error
	line("graph %s", g.Name)
	for _, v := range g.Inputs {
		line("input %s", g.typed(v))
	}
	for _, v := range g.Initializers() {
		elements, err := v.Const.format(opts.HashLimit)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		line("const %s %s", g.typed(v), elements)
	}
	for _, n := range g.Nodes {
		line("%s", g.formatNode(n))
	}
	for _, v := range g.Outputs {
		line("output %s", v.Name)
	}
	return out.Flush()
}

// typed is a value's name, type and shape.
func (g *Graph) typed(v *Value) string {
	dims := make([]string, len(v.Shape))
	for i, d := range v.Shape {
		dims[i] = g.DimName(d)
	}
	return fmt.Sprintf("%s %s [%s]", v.Name, v.DType, strings.Join(dims, ", "))
}

func (g *Graph) formatNode(n *Node) string {
	outputs, inputs := make([]string, len(n.Outputs)), make([]string, len(n.Inputs))
	for i, v := range n.Outputs {
		if outputs[i] = g.typed(v); v.Pinned {
			outputs[i] = "!" + outputs[i]
		}
	}
	for i, v := range n.Inputs {
		if inputs[i] = "_"; v != nil {
			inputs[i] = v.Name
		}
	}
	text := fmt.Sprintf("%s = %s(%s)", strings.Join(outputs, ", "), n.Op.Name, strings.Join(inputs, ", "))
	for _, a := range n.Attrs {
		text += fmt.Sprintf(" %s=%s", a.Name, formatAttr(a.Value))
	}
	return text
}

func formatAttr(value any) string {
	switch v := value.(type) {
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case string:
		return strconv.Quote(v)
	case []int64:
		return formatInts(v)
	case []float32:
		parts := make([]string, len(v))
		for i, f := range v {
			parts[i] = formatAttr(f)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(value)
}

func formatInts(list []int64) string {
	return strings.ReplaceAll(fmt.Sprint(list), " ", ", ")
}

// format tells a tensor's elements apart from others: a short list of integers or a single number as it is, a hash of
// the bytes up to limit, nothing beyond.
func (t *Tensor) format(limit int64) (string, error) {
	switch {
	case t.Floats == nil && len(t.Ints) <= 8:
		return formatInts(t.Ints), nil
	case t.Bytes() > limit && limit > 0:
		return "not hashed", nil
	case t.DType.IsFloat() && t.Len() == 1:
		floats, err := t.ReadAll()
		if err != nil {
			return "", err
		}
		return formatAttr(floats), nil
	}
	hash := sha256.New()
	raw, scratch := make([]byte, hashBlock*t.DType.Size()), make([]float32, hashBlock)
	for off, n := int64(0), t.Len(); off < n; off += hashBlock {
		block := raw[:min(hashBlock, n-off)*t.DType.Size()]
		if err := t.Encode(block, off, scratch); err != nil {
			return "", err
		}
		_, _ = hash.Write(block) // a hash takes everything
	}
	return fmt.Sprintf("sha256:%x", hash.Sum(nil)[:6]), nil
}
