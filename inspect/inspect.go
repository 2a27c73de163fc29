// Package inspect says what is in a model file, without running or loading any of it: who wrote it, its layers, classes
// and anchors, its tensors with statistics, and the names that a pickle would have Python look up.
//
// [Checkpoint] reads what package checkpoint reads, [ONNX] what package verify reads. Tensors are streamed
// for their statistics: the memory in use does not depend on their sizes.
package inspect

import "io"

// Options say how to look.
type Options struct {
	// Data opens a file that an ONNX model keeps elements in, by the name that the model gives it, which is not to be
	// trusted, and gives its size. Nil: such elements are left out of the statistics.
	Data func(name string) (r io.ReaderAt, size int64, err error)
	// Progress is told from time to time how many of the tensors' bytes have been read. It may be nil.
	Progress func(done, total int64)
}

// Report is what is in a file.
type Report struct {
	Verdict    string     `json:"verdict"`              // what loading it with Python would do: "dangerous", "unknown", "ordinary" or "data"
	Why        string     `json:"why"`                  // the verdict's reason, a clause
	Kind       string     `json:"kind"`                 // "PyTorch checkpoint", "safetensors" or "ONNX model"
	Bytes      int64      `json:"bytes"`                // of the file
	Writer     string     `json:"writer,omitempty"`     // the program that wrote it, as far as the file tells
	Model      string     `json:"model,omitempty"`      // the model's class, or the ONNX graph's name; "" of tensors alone
	Properties []Property `json:"properties,omitempty"` // what was saved beside the model and is in no other field, in the file's order
	Layers     []Layer    `json:"layers,omitempty"`     // the rows of YOLOv5's model
	Classes    []string   `json:"classes,omitempty"`    // their names
	Strides    []float32  `json:"strides,omitempty"`    // of the detection levels, in pixels
	// Anchors are width and height in pixels, by detection level.
	Anchors    [][][2]float32 `json:"anchors,omitempty"`
	Inputs     []Value        `json:"inputs,omitempty"`    // of an ONNX model
	Outputs    []Value        `json:"outputs,omitempty"`   // of an ONNX model
	Operators  []Operator     `json:"operators,omitempty"` // of an ONNX model, the most frequent first
	Parameters int64          `json:"parameters"`          // elements of trained tensors; of all tensors where the file does not tell
	Tensors    []Tensor       `json:"tensors"`
	Problem    string         `json:"problem,omitempty"` // of an ONNX model: the first fault in the file
	Damaged    []string       `json:"damaged,omitempty"` // records of the archive whose checksum is wrong
	Globals    []Global       `json:"globals,omitempty"` // names that the pickle mentions, the suspicious ones first
}

// Property is something that was saved under a name.
type Property struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as it is in ONNX and safetensors, but for what extract put there, whose size it is; as a Python literal, perhaps cut, of a pickle
}

// Layer is a row of YOLOv5's model.
type Layer struct {
	Index      int    `json:"index"`
	From       string `json:"from,omitempty"` // where its input is from, as a Python literal; "" where the file does not tell
	Type       string `json:"type,omitempty"` // its class; "" where the file does not tell
	Parameters int64  `json:"parameters"`     // 0 of an ONNX model, whose initializers do not belong to layers
}

// Tensor is a tensor and what its elements are like.
type Tensor struct {
	Name       string      `json:"name"`
	DType      string      `json:"dtype"`
	Shape      []int64     `json:"shape"`
	Statistics *Statistics `json:"statistics,omitempty"` // nil where the elements were not read
	Unread     string      `json:"unread,omitempty"`     // why they were not
}

// Statistics are of a tensor's elements as float32, to which wider ones are rounded. Min, Max and Mean are of those
// that are finite, and nil where there are none.
type Statistics struct {
	Min  *float64 `json:"min"`
	Max  *float64 `json:"max"`
	Mean *float64 `json:"mean"`
	NaN  int64    `json:"nan"` // how many there are
	Inf  int64    `json:"inf"` // of either sign
}

// Value is an input or output of an ONNX model.
type Value struct {
	Name  string   `json:"name"`
	DType string   `json:"dtype"`
	Dims  []string `json:"dims"` // numbers and names; "?" where the file says nothing
}

// Operator is a kind of node of an ONNX model.
type Operator struct {
	Name  string `json:"name"` // with its domain, unless it is ONNX's own
	Nodes int    `json:"nodes"`
}

// Global is a class or function that a pickle mentions. It is never looked up here.
type Global struct {
	Name  string `json:"name"`
	Risk  string `json:"risk"`  // "dangerous", "unknown" or "ordinary", as [checkpoint.Risk] says
	Named int    `json:"named"` // how often
	Calls int    `json:"calls"` // how often it is called
}

// NonFinite are the tensors that hold NaN or infinities.
func (r *Report) NonFinite() []Tensor {
	var found []Tensor
	for _, t := range r.Tensors {
		if t.Statistics != nil && t.Statistics.NaN+t.Statistics.Inf > 0 {
			found = append(found, t)
		}
	}
	return found
}
