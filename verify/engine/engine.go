// Package engine says what runs ONNX files: a [Runtime], such as the one of package verify/ort, its sessions, and the
// tensors that go in and come out.
package engine

import (
	"context"
	"strconv"
	"strings"
)

// DType is ONNX's number for a tensor's element type (TensorProto.DataType).
type DType int32

// The element types this package knows by name.
const (
	Undefined DType = 0
	Float32   DType = 1
	Uint8     DType = 2
	Int8      DType = 3
	Uint16    DType = 4
	Int16     DType = 5
	Int32     DType = 6
	Int64     DType = 7
	String    DType = 8
	Bool      DType = 9
	Float16   DType = 10
	Float64   DType = 11
	Uint32    DType = 12
	Uint64    DType = 13
	Complex64 DType = 14
	Complex   DType = 15 // of two float64
	BFloat16  DType = 16
)

// dtypes holds the name and the size in bytes of each known element type.
var dtypes = map[DType]struct {
	name string
	size int64
}{
	Float32: {"float32", 4}, Uint8: {"uint8", 1}, Int8: {"int8", 1}, Uint16: {"uint16", 2}, Int16: {"int16", 2},
	Int32: {"int32", 4}, Int64: {"int64", 8}, String: {"string", 0}, Bool: {"bool", 1}, Float16: {"float16", 2},
	Float64: {"float64", 8}, Uint32: {"uint32", 4}, Uint64: {"uint64", 8}, BFloat16: {"bfloat16", 2},
	Complex64: {"complex64", 8}, Complex: {"complex128", 16},
	17: {"float8e4m3fn", 1}, 18: {"float8e4m3fnuz", 1}, 19: {"float8e5m2", 1}, 20: {"float8e5m2fnuz", 1}, 24: {"float8e8m0", 1},
	21: {"uint4", 0}, 22: {"int4", 0}, 23: {"float4e2m1", 0}, 25: {"uint2", 0}, 26: {"int2", 0},
}

// packed says how many elements of the small types share a byte.
var packed = map[DType]int64{21: 2, 22: 2, 23: 2, 25: 4, 26: 4}

// Bytes is the size of count elements. ok is false where it is too large for a file; that of strings is 0.
func (d DType) Bytes(count int64) (size int64, ok bool) {
	if n := packed[d]; n > 0 {
		return count/n + min(count%n, 1), true
	}
	if size = d.Size(); size == 0 {
		return 0, true
	}
	return count * size, count <= (1<<62)/size
}

// Known reports whether the type is one of ONNX's that are known here.
func (d DType) Known() bool {
	_, ok := dtypes[d]
	return ok
}

// Packed is how many elements share a byte, 0 of types whose elements have bytes of their own.
func (d DType) Packed() int64 { return packed[d] }

// String gives the type's name as NumPy spells it, or "type 99".
func (d DType) String() string {
	if t, ok := dtypes[d]; ok {
		return t.name
	}
	return "type " + strconv.Itoa(int(d))
}

// MarshalText makes a DType its name in JSON.
func (d DType) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Size is the number of bytes of one element; 0 when elements have no fixed size, share a byte, or the type is unknown.
func (d DType) Size() int64 { return dtypes[d].size }

// Tensor is a value that goes into a model or comes out of it, row-major.
// Floats holds the elements of floating-point tensors, Ints those of integer
// and bool tensors; the other one is nil.
type Tensor struct {
	Name   string
	Shape  []int64
	Floats []float32
	Ints   []int64

	// Exact are the same elements as computed in float64, where Floats were recorded from a float32 program and the
	// recording holds both; else nil.
	Exact []float64
}

// IO describes a graph input, a graph output or a value on the way.
type IO struct {
	Name     string   `json:"name"`
	DType    DType    `json:"dtype"`
	Dims     []int64  `json:"dims"`                // -1 where the dimension is symbolic
	DimNames []string `json:"dim_names,omitempty"` // per dimension; "" where it is fixed or has no name

	Shapeless bool `json:"shapeless,omitempty"` // the file gives the type, but no shape
	Other     bool `json:"other,omitempty"`     // it is not a tensor: a sequence, a map, an optional value
}

// String gives "images float32 [batch, 3, 640, 640]": name, type, shape.
func (v IO) String() string {
	switch {
	case v.Other:
		return v.Name + " (not a tensor)"
	case v.Shapeless:
		return v.Name + " " + v.DType.String() + " of any shape"
	}
	return v.Name + " " + v.DType.String() + " " + v.ShapeText()
}

// Floating says whether a value holds floating-point numbers of the usual types.
func (v IO) Floating() bool {
	return !v.Other && (v.DType == Float32 || v.DType == Float16 || v.DType == Float64 || v.DType == BFloat16)
}

// ShapeText prints the dimensions with their names where they are symbolic.
func (v IO) ShapeText() string {
	parts := make([]string, len(v.Dims))
	for i, d := range v.Dims {
		switch {
		case d >= 0:
			parts[i] = strconv.FormatInt(d, 10)
		case i < len(v.DimNames) && v.DimNames[i] != "":
			parts[i] = v.DimNames[i]
		default:
			parts[i] = "?"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// ShapeText prints a concrete shape as 1x3x640x640, a scalar's as "scalar".
func ShapeText(dims []int64) string {
	if len(dims) == 0 {
		return "scalar"
	}
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = strconv.FormatInt(d, 10)
	}
	return strings.Join(parts, "x")
}

// Elements is the product of dims. ok is false when a dimension is negative or
// the product does not fit in an int64.
func Elements(dims []int64) (n int64, ok bool) {
	n = 1
	for _, d := range dims {
		if d < 0 {
			return 0, false
		}
		if d == 0 {
			return 0, true
		}
		if n > (1<<62)/d {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// SessionOptions say how a Runtime opens a model.
type SessionOptions struct {
	Threads      int          // threads within one operator; 0 leaves it to the runtime
	Optimization Optimization // graph rewriting that the runtime may do
	Spin         bool         // threads spin while they wait for work: faster for runs in quick succession, a waste for a few
	StrictShapes bool         // refuse a model in which a node gives another shape than the model declares
	Expose       []IO         // inner values to return after the graph's own outputs; the file is not changed
	Model        []byte       // the model to open instead of the file at the path, in whose folder external data is; nil: the file

	// Inputs (without those that have a default) and Outputs are the model's own, if it has been read already. Nil: the
	// runtime reads the model for them.
	Inputs, Outputs []IO

	// Flip names inner bool values. Each gives the model another input, its name with FlipSuffix, of its shape: where that
	// is true, what reads the value gets its opposite. The file is not changed.
	Flip []string
}

// FlipSuffix makes the name of the input that flips a value's elements; see [SessionOptions].
const FlipSuffix = ".flip"

// Optimization is how far a runtime may rewrite the graph it runs.
type Optimization int

// The levels; the zero value is what a user of the file gets by default.
const (
	OptimizeAll Optimization = iota
	OptimizeBasic
	OptimizeNone
)

// Runtime loads and runs ONNX files. It must be safe for concurrent use.
type Runtime interface {
	// Version is the runtime's name and version, as in "ONNX Runtime 1.30.0".
	Version() string
	// Library is the path of the shared library in use, "" if there is none.
	Library() string
	// Open loads the model at path. External data is looked for beside it.
	Open(ctx context.Context, path string, opts SessionOptions) (Session, error)
}

// Session is a loaded model. It must be safe for concurrent use.
type Session interface {
	// Inputs are the graph's inputs that have no default, in the file's order.
	Inputs() []IO
	// Outputs are the graph's outputs in the file's order, then the exposed values.
	Outputs() []IO
	// Run gives one tensor for each of Outputs. Inputs are matched by name.
	Run(ctx context.Context, inputs []Tensor) ([]Tensor, error)
	// Close frees the model. Closing twice does nothing.
	Close() error
}
