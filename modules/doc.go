// Package modules holds YOLOv5's modules, one file each, and lowers a model's rows to an ONNX graph.
//
// A module is a struct made by a constructor from its arguments, with a Forward that composes values, as the PyTorch
// class does. Parameters are declared where they are used, under their state_dict path. [Parse] wires the rows of a YAML
// the way YOLOv5's parser does. To add a module: one file, one entry in builtin.go, one recorded case.
package modules

//go:generate go run ../internal/moduledoc . ../docs/modules.md
