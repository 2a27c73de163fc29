// Package onnxfile writes ONNX files from the graphs of package onnxbuild.
//
// The sizes of all initializers are known before their elements are, so [Plan] lays out the whole protobuf message and
// the file is written in one pass, its elements made in parallel blocks: the memory in use does not depend on the size
// of the model. [WriteFile] replaces a file as a whole or not at all, and puts the elements of models that are too
// large for protobuf into a second file.
//
// The field numbers are those of onnx.proto in the ONNX specification (https://github.com/onnx/onnx), and lists of
// numbers are written one by one (unpacked), as its proto2 definition says.
package onnxfile
