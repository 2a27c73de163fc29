package onnxbuild

import (
	"fmt"
	"math"

	"github.com/x448/float16"
)

// DType is an element type, numbered as ONNX's TensorProto.DataType.
type DType int32

// The element types that the package handles.
const (
	Float32  DType = 1
	Uint8    DType = 2
	Int8     DType = 3
	Int32    DType = 6
	Int64    DType = 7
	Bool     DType = 9
	Float16  DType = 10
	BFloat16 DType = 16
)

// dtypes holds the name and size in bytes of each type, and the least and the largest integer that it holds; both are 0
// for floating point numbers.
var dtypes = map[DType]struct {
	name     string
	size     int64
	min, max int64
}{
	Float32: {"float32", 4, 0, 0}, Float16: {"float16", 2, 0, 0}, BFloat16: {"bfloat16", 2, 0, 0},
	Uint8: {"uint8", 1, 0, math.MaxUint8}, Int8: {"int8", 1, math.MinInt8, math.MaxInt8}, Bool: {"bool", 1, 0, 1},
	Int32: {"int32", 4, math.MinInt32, math.MaxInt32}, Int64: {"int64", 8, math.MinInt64, math.MaxInt64},
}

// Size is the number of bytes of one element.
func (d DType) Size() int64 { return dtypes[d].size }

// IsFloat reports whether the elements are floating point numbers.
func (d DType) IsFloat() bool { return d == Float32 || d == Float16 || d == BFloat16 }

// IsInteger reports whether the elements are integers; truth values are not.
func (d DType) IsInteger() bool { return d.Size() > 0 && !d.IsFloat() && d != Bool }

// Holds reports whether an integer or truth value is one of the type's.
func (d DType) Holds(n int64) bool { return dtypes[d].min <= n && n <= dtypes[d].max }

// Round is the number of a floating point type that is nearest to x, of two the one with an even last bit. What is too
// large becomes infinite.
func (d DType) Round(x float32) float32 {
	switch d {
	case Float16:
		return float16.Fromfloat32(x).Float32()
	case BFloat16:
		return math.Float32frombits(uint32(bfloat16(x)) << 16)
	}
	return x
}

func (d DType) String() string {
	if t, ok := dtypes[d]; ok {
		return t.name
	}
	return fmt.Sprintf("dtype(%d)", int32(d))
}

// bfloat16 is the upper half of a float32, rounded to nearest, ties to even. NaN stays NaN.
func bfloat16(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16) | 1<<6
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}
