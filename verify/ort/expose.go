//go:build cgo || js

package ort

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/verify/engine"
)

// Values that the binding cannot return directly pass through one more node: see readable.
const (
	scalarSuffix = ".expanded"
	castSuffix   = ".float32"
	oneName      = "ysc2onnx.one" // an initializer [1]
)

// readable says under which name a value can be fetched, and through which nodes, in order, it gets that name: their
// suffixes. The binding returns float16 and bfloat16 with half of their bytes, so these, and what may be one of them, are
// made float32; and it returns no scalars, so what may be one is given a dimension.
func readable(v engine.IO) (name string, shims []string) {
	if v.DType == engine.Float16 || v.DType == engine.BFloat16 || v.DType == engine.Undefined {
		shims = append(shims, castSuffix)
	}
	if len(v.Dims) == 0 {
		shims = append(shims, scalarSuffix)
	}
	return v.Name + strings.Join(shims, ""), shims
}

// moreOutputs is a piece of a ModelProto that holds graph outputs, and nodes that make values readable. Behind a whole
// ModelProto it adds them to its graph: protobuf merges messages that follow each other, and appends repeated fields. The
// outputs carry a type but no shape, so that nothing is claimed that the model does not say.
//
// Field numbers, from onnx.proto: ModelProto.graph 7; GraphProto.node 1, initializer 5, output 12; NodeProto.input 1,
// output 2, op_type 4, attribute 5; AttributeProto.name 1, i 3, type 20; TensorProto.dims 1, data_type 2, name 8,
// raw_data 9; ValueInfoProto.name 1, type 2; TypeProto.tensor_type 1; Tensor.elem_type 1.
func moreOutputs(values []engine.IO) []byte {
	var graph []byte
	expands := false
	for _, v := range values {
		dtype, name := v.DType, v.Name
		_, shims := readable(v)
		for _, suffix := range shims {
			from := name
			name += suffix
			switch suffix {
			case castSuffix:
				to := numberField(numberField(bytesField(nil, 1, []byte("to")), 3, uint64(engine.Float32)), 20, 2)
				graph = bytesField(graph, 1, bytesField(nodeOf("Cast", name, from), 5, to))
				dtype = engine.Float32
			case scalarSuffix:
				graph = bytesField(graph, 1, nodeOf("Expand", name, from, oneName))
				expands = true
			}
		}
		info := bytesField(nil, 1, []byte(name))
		info = bytesField(info, 2, bytesField(nil, 1, numberField(nil, 1, uint64(dtype))))
		graph = bytesField(graph, 12, info)
	}
	if expands {
		one := numberField(numberField(nil, 1, 1), 2, uint64(engine.Int64))
		one = bytesField(bytesField(one, 8, []byte(oneName)), 9, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		graph = bytesField(graph, 5, one)
	}
	return bytesField(nil, 7, graph)
}

// nodeOf gives a NodeProto.
func nodeOf(op, output string, inputs ...string) []byte {
	var node []byte
	for _, in := range inputs {
		node = bytesField(node, 1, []byte(in))
	}
	return bytesField(bytesField(node, 2, []byte(output)), 4, []byte(op))
}

// flippable gives a copy of a ModelProto in which each of the named values passes through an exclusive or with a new graph
// input before anything reads it: its node makes it under another name, and a node behind that makes it under its own.
//
// Field numbers, beside those above: GraphProto.input 11.
func flippable(model []byte, values []string) ([]byte, error) {
	left := map[string]bool{}
	for _, name := range values {
		left[name] = true
	}
	flipped, err := eachField(model, func(num protowire.Number, raw, body []byte) ([]byte, error) {
		if num != 7 {
			return raw, nil
		}
		graph, err := eachField(body, func(num protowire.Number, raw, body []byte) ([]byte, error) {
			if num != 1 {
				return raw, nil
			}
			return flippedNode(raw, body, left)
		})
		return protowire.AppendBytes(protowire.AppendTag(nil, 7, protowire.BytesType), graph), err
	})
	if err != nil {
		return nil, err
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("no node makes %q", slices.Sorted(maps.Keys(left)))
	}
	var inputs []byte
	for _, name := range values {
		info := bytesField(nil, 1, []byte(name+engine.FlipSuffix))
		info = bytesField(info, 2, bytesField(nil, 1, numberField(nil, 1, uint64(engine.Bool))))
		inputs = bytesField(inputs, 11, info)
	}
	return bytesField(flipped, 7, inputs), nil
}

// flippedNode gives the field of a node, and of one behind it for each output to flip, which is removed from left.
func flippedNode(raw, body []byte, left map[string]bool) ([]byte, error) {
	var behind []byte
	node, err := eachField(body, func(num protowire.Number, raw, body []byte) ([]byte, error) {
		name := string(body)
		if num != 2 || !left[name] {
			return raw, nil
		}
		delete(left, name)
		made := name + engine.FlipSuffix + ".from"
		behind = bytesField(behind, 1, nodeOf("Xor", name, made, name+engine.FlipSuffix))
		return bytesField(nil, 2, []byte(made)), nil
	})
	if err != nil || behind == nil {
		return raw, err
	}
	return append(bytesField(nil, 1, node), behind...), nil
}

// eachField builds a message from what change gives for each field of another: raw is the field, body its contents if it
// has a length.
func eachField(message []byte, change func(num protowire.Number, raw, body []byte) ([]byte, error)) ([]byte, error) {
	out := make([]byte, 0, len(message))
	for len(message) > 0 {
		num, typ, n := protowire.ConsumeField(message)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		raw := message[:n]
		var body []byte
		if typ == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(raw)
			body, _ = protowire.ConsumeBytes(raw[tag:])
		}
		changed, err := change(num, raw, body)
		if err != nil {
			return nil, err
		}
		out = append(out, changed...)
		message = message[n:]
	}
	return out, nil
}

// bytesField appends a field with a length.
func bytesField(to []byte, num protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, num, protowire.BytesType), body)
}

// numberField appends a number.
func numberField(to []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(to, num, protowire.VarintType), v)
}
