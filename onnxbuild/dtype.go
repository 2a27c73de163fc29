package onnxbuild

import "fmt"

// DType is an element type, numbered as ONNX's TensorProto.DataType.
type DType int32

// The element types that the package handles.
const (
	Float32 DType = 1
	Int64   DType = 7
	Bool    DType = 9
	Float16 DType = 10
)

// Size is the number of bytes of one element.
func (d DType) Size() int64 {
	switch d {
	case Float32:
		return 4
	case Int64:
		return 8
	case Float16:
		return 2
	case Bool:
		return 1
	}
	return 0
}

// IsFloat reports whether the elements are floating point numbers.
func (d DType) IsFloat() bool { return d == Float32 || d == Float16 }

func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Int64:
		return "int64"
	case Float16:
		return "float16"
	case Bool:
		return "bool"
	}
	return fmt.Sprintf("dtype(%d)", int32(d))
}
