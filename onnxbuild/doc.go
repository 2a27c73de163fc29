// Package onnxbuild builds ONNX graphs: values with a dtype and a shape, nodes whose shapes are inferred and checked
// as they are added, and the forms that each operator takes at opsets 11 to 26.
//
// The builder speaks the newest meaning of every operator (Split takes its sizes as an input, ReduceSum its axes);
// [Graph.AtOpset] rewrites a graph into the form of the opset that was asked, or says which operator prevents it.
// The package knows nothing of YAML, PyTorch or YOLO: package modules does.
package onnxbuild
