//go:build cgo && !js

package ort

import (
	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/verify"
)

// moreOutputs is a piece of a ModelProto that holds nothing but graph outputs.
// Behind a whole ModelProto it adds them to its graph: protobuf merges messages
// that follow each other, and appends repeated fields. The outputs carry a type
// but no shape, so that nothing is said that the model does not say.
//
// Field numbers, from onnx.proto: ModelProto.graph 7; GraphProto.output 12;
// ValueInfoProto.name 1, type 2; TypeProto.tensor_type 1; Tensor.elem_type 1.
func moreOutputs(values []verify.IO) []byte {
	message := func(to []byte, field protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), body)
	}
	var graph []byte
	for _, v := range values {
		dtype := v.DType
		if dtype == verify.Undefined {
			dtype = verify.Float32
		}
		elem := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(dtype))
		info := message(nil, 1, []byte(v.Name))
		info = message(info, 2, message(nil, 1, elem))
		graph = message(graph, 12, info)
	}
	return message(nil, 7, graph)
}
