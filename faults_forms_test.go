package ysc2onnx_test

import (
	"testing"

	"ysc2onnx/onnxbuild"
)

// formFaults are forms of an operator, at an opset, that mean something else than the operator.
var formFaults = []fault{
	{what: "Resize with half_pixel", model: "c3", caught: numbers, names: "layer 11 (Upsample)", form: func(_ *testing.T, w *forming) {
		w.set("model.11/Resize", "coordinate_transformation_mode", "half_pixel")
	}},
	{what: "Resize with half_pixel, behind an ScConv", model: "replace", caught: numbers, names: "layer 11 (Upsample)", form: func(_ *testing.T, w *forming) {
		w.set("model.11/Resize", "coordinate_transformation_mode", "half_pixel")
	}},
	{what: "Softmax over what it flattened before opset 13", model: "replace", caught: numbers, names: "layer 8 (ScConv)", opset: 12, form: func(_ *testing.T, w *forming) {
		w.set("model.8/CRU/Softmax", "axis", int64(0))
	}},
	{what: "ReduceL2 at opset 18 without its axes", model: "insert", caught: numbers, names: "/model.9/SRU/gn/ReduceL2", opset: 18, form: func(_ *testing.T, w *forming) {
		n := w.node("model.9/SRU/gn/ReduceL2")
		n.Inputs = n.Inputs[:1]
	}},
	{what: "ReduceMean at opset 17 over one axis of two", model: "edge", caught: numbers, names: "/model.3/SRU/gn/ReduceMean_1", form: func(_ *testing.T, w *forming) {
		w.set("model.3/SRU/gn/ReduceMean_1", "axes", []int64{2})
	}},
	{what: "Split at opset 11 one channel off", model: "replace", caught: numbers, names: "/model.8/CRU/", opset: 11, form: func(_ *testing.T, w *forming) {
		w.set("model.8/CRU/Split_1", "split", []int64{63, 65})
	}},
	{what: "LessOrEqual at opset 11 as Less", model: "edge", caught: numbers, names: "layer 1 (ScConv)", opset: 11, raw: true, form: func(_ *testing.T, w *forming) {
		n := w.node("model.1/SRU/LessOrEqual")
		n.Inputs[1] = n.Inputs[0]
	}},
	{what: "AveragePool for MaxPool", model: "c3", caught: numbers, names: "layer 9 (SPPF)", form: func(_ *testing.T, w *forming) {
		w.node("model.9/m/MaxPool").Op = "AveragePool"
	}},
	{what: "AveragePool for the second MaxPool, whose map is even on the small input", model: "insert", caught: against, names: "model.10: ", form: func(_ *testing.T, w *forming) {
		w.node("model.10/m_1/MaxPool").Op = "AveragePool"
	}},
	{what: "a shape declared that the node does not give", model: "replace", caught: numbers, names: "/model.7/act/Sigmoid", form: func(_ *testing.T, w *forming) {
		s := surgery{w.t, w.Graph}
		v := s.output("model.7/act/Sigmoid")
		v.Shape = append(onnxbuild.ShapeOf(3), v.Shape[1:]...)
	}},
	{what: "BatchNormalization's epsilon not written, which makes it 1e-5", model: "insert", caught: numbers, names: "layer 7 (Conv)", raw: true, form: func(_ *testing.T, w *forming) {
		w.drop("model.7/bn/BatchNormalization", "epsilon")
	}},
	{what: "Conv's strides not written, which makes them 1", model: "insert", caught: numbers, names: "model.7", form: func(_ *testing.T, w *forming) {
		w.drop("model.7/conv/Conv", "strides")
	}},
	{what: "Concat's inputs in another order", model: "c3", caught: numbers, names: "layer 16 (Concat)", form: func(_ *testing.T, w *forming) {
		n := w.node("model.16/Concat")
		n.Inputs[0], n.Inputs[1] = n.Inputs[1], n.Inputs[0]
	}},
}
