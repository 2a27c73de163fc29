package ysc2onnx_test

import (
	"slices"
	"testing"
)

// fileFaults are bytes on the disk that are not those that were to be written.
var fileFaults = []fault{
	{what: "a high bit of a weight flipped", model: "replace", caught: weights, names: `"model.6.m.1.cv2.conv.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.flip(t, "model.6.m.1.cv2.conv.weight", 1000, 30)
	}},
	{what: "the lowest bit of a weight flipped", model: "c3", caught: weights, names: `"model.13.cv1.conv.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.flip(t, "model.13.cv1.conv.weight", 77, 0)
	}},
	{what: "the lowest bit of the last bias flipped", model: "insert", caught: weights, names: `"model.25.m.2.bias"`, file: func(t *testing.T, f *writtenFile) {
		f.flip(t, "model.25.m.2.bias", 23, 0)
	}},
	{what: "two tensors of one shape exchanged", model: "replace", caught: weights, names: `"model.4.m.0.cv2.conv.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.exchange(t, "model.4.m.0.cv2.conv.weight", "model.4.m.1.cv2.conv.weight")
	}},
	{what: "the last 4 bytes of the file missing", model: "insert", caught: structure, names: "not an ONNX file: byte", file: func(t *testing.T, f *writtenFile) {
		truncate(t, f.model, len(read(t, f.model))-4)
	}},
	{what: "the data file cut 4 bytes before a tensor's end", model: "insert", split: true, caught: structure, names: `"model.25.m.2.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.cut(t, "model.25.m.2.weight", 4)
	}},
	{what: "the lowest bit of a weight in the data file flipped", model: "replace", split: true, caught: weights, names: `"model.8.CRU.GWC.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.flip(t, "model.8.CRU.GWC.weight", 4242, 0)
	}},
	{what: "a tensor's place in the data file one element off", model: "c3", split: true, caught: weights, names: `"model.7.conv.weight"`, file: func(t *testing.T, f *writtenFile) {
		f.displace(t, "model.7.conv.weight", 4)
	}},
	{what: "two nodes in each other's place", model: "replace", caught: structure, names: "/model.10/act/Mul", file: func(t *testing.T, f *writtenFile) {
		f.nodes(t, func(nodes [][]byte) [][]byte {
			i := find(t, nodes, "/model.10/act/Sigmoid")
			nodes[i], nodes[i+1] = nodes[i+1], nodes[i]
			return nodes
		})
	}},
	{what: "a node's attribute missing", model: "c3", caught: numbers, names: "/model.7/conv/Conv", file: func(t *testing.T, f *writtenFile) {
		f.nodes(t, func(nodes [][]byte) [][]byte {
			i := find(t, nodes, "/model.7/conv/Conv")
			nodes[i] = withoutAttribute(t, nodes[i], "group")
			return nodes
		})
	}},
	{what: "a node missing whose result is what it reads", model: "insert", caught: structure, names: "/model.9/CRU/Add", file: func(t *testing.T, f *writtenFile) {
		f.nodes(t, func(nodes [][]byte) [][]byte {
			return slices.Delete(nodes, find(t, nodes, "/model.9/CRU/Add"), find(t, nodes, "/model.9/CRU/Add")+1)
		})
	}},
}
