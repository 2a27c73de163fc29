// Package tiny writes small ONNX files for tests, field by field, sound or
// broken. It shares no code with the project's writer, so that the two can
// disagree.
package tiny

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Model is a ModelProto. Zero IR and Opset mean 8 and 17; -1 leaves them out.
type Model struct {
	IR, Opset int64
	Weights   []Weight
	Inputs    []Value
	Outputs   []Value
	Info      []Value
	Nodes     []Node
	Metadata  [][2]string
}

// Node is a NodeProto.
type Node struct {
	Op, Name, Domain string
	In, Out          []string
	Ints             map[string][]int64 // attributes
	Int              map[string]int64
	Floats           map[string]float32
	Graph            *Model // an attribute "body"
}

// Value is a ValueInfoProto. Dims are int for a size, string for a name, nil for
// neither. A Type of 0 writes no type; Shapeless writes a type without a shape.
type Value struct {
	Name      string
	Type      int64
	Dims      []any
	Shapeless bool
}

// Weight is a TensorProto: raw bytes made from Floats, or Raw as it is, or Ints
// as int64_data, or a place outside.
type Weight struct {
	Name   string
	Type   int64 // 0 means float32, or int64 with Ints
	Dims   []int64
	Floats []float32
	Raw    []byte
	Ints   []int64
	Place  map[string]string
}

// Bytes is the file.
func (m Model) Bytes() []byte {
	var b []byte
	if ir := or(m.IR, 8); ir > 0 {
		b = number(b, 1, ir)
	}
	b = message(b, 7, m.graph())
	if opset := or(m.Opset, 17); opset > 0 {
		b = message(b, 8, number(nil, 2, opset))
	}
	for _, kv := range m.Metadata {
		b = message(b, 14, entry(kv[0], kv[1]))
	}
	return b
}

func (m Model) graph() []byte {
	var b []byte
	for _, n := range m.Nodes {
		b = message(b, 1, n.bytes())
	}
	b = text(b, 2, "tiny")
	for _, w := range m.Weights {
		b = message(b, 5, w.bytes())
	}
	for field, list := range map[protowire.Number][]Value{11: m.Inputs, 12: m.Outputs, 13: m.Info} {
		for _, v := range list {
			b = message(b, field, v.bytes())
		}
	}
	return b
}

func (n Node) bytes() []byte {
	var b []byte
	for _, in := range n.In {
		b = text(b, 1, in)
	}
	for _, out := range n.Out {
		b = text(b, 2, out)
	}
	b = text(b, 3, n.Name)
	b = text(b, 4, n.Op)
	for name, values := range n.Ints {
		a := text(nil, 1, name)
		for _, v := range values {
			a = number(a, 8, v)
		}
		b = message(b, 5, number(a, 20, 7))
	}
	for name, v := range n.Int {
		b = message(b, 5, number(number(text(nil, 1, name), 3, v), 20, 2))
	}
	for name, v := range n.Floats {
		a := protowire.AppendFixed32(protowire.AppendTag(text(nil, 1, name), 2, protowire.Fixed32Type), math.Float32bits(v))
		b = message(b, 5, number(a, 20, 1))
	}
	if n.Graph != nil {
		b = message(b, 5, number(message(text(nil, 1, "body"), 6, n.Graph.graph()), 20, 5))
	}
	if n.Domain != "" {
		b = text(b, 7, n.Domain)
	}
	return b
}

func (v Value) bytes() []byte {
	b := text(nil, 1, v.Name)
	if v.Type == 0 {
		return b
	}
	tensor := number(nil, 1, v.Type)
	if !v.Shapeless {
		var shape []byte
		for _, d := range v.Dims {
			var dim []byte
			switch d := d.(type) {
			case int:
				dim = number(nil, 1, int64(d))
			case string:
				dim = text(nil, 2, d)
			}
			shape = message(shape, 1, dim)
		}
		tensor = message(tensor, 2, shape)
	}
	return message(b, 2, message(nil, 1, tensor))
}

func (w Weight) bytes() []byte {
	var b []byte
	for _, d := range w.Dims {
		b = number(b, 1, d)
	}
	dtype := int64(1)
	if w.Ints != nil {
		dtype = 7
	}
	b = number(b, 2, or(w.Type, dtype))
	if w.Ints != nil {
		var packed []byte
		for _, v := range w.Ints {
			packed = protowire.AppendVarint(packed, uint64(v))
		}
		b = message(b, 7, packed)
	}
	b = text(b, 8, w.Name)
	if w.Place != nil {
		for k, v := range w.Place {
			b = message(b, 13, entry(k, v))
		}
		return number(b, 14, 1)
	}
	raw := w.Raw
	if w.Floats != nil {
		raw = Raw(w.Floats)
	}
	if raw != nil {
		b = message(b, 9, raw)
	}
	return b
}

// Raw gives floats as the bytes of raw_data.
func Raw(floats []float32) []byte {
	var raw []byte
	for _, f := range floats {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return raw
}

func or(v, fallback int64) int64 {
	if v == 0 {
		return fallback
	}
	return v
}

func entry(key, value string) []byte { return text(text(nil, 1, key), 2, value) }

func number(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func text(b []byte, field protowire.Number, s string) []byte { return message(b, field, []byte(s)) }

func message(b []byte, field protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), body)
}
