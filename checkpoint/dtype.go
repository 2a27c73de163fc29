package checkpoint

import (
	"math"
	"slices"
	"sync"

	"github.com/x448/float16"
)

// DType is the type of a tensor's elements.
type DType string

// The element types that are read.
const (
	Float16  DType = "float16"
	BFloat16 DType = "bfloat16"
	Float32  DType = "float32"
	Float64  DType = "float64"
	Int64    DType = "int64"
	Int32    DType = "int32"
	Int16    DType = "int16"
	Int8     DType = "int8"
	Uint8    DType = "uint8"
	Bool     DType = "bool"
)

// Size is the size of one element, in bytes.
func (d DType) Size() int64 {
	switch d {
	case Float64, Int64:
		return 8
	case Float32, Int32:
		return 4
	case Float16, BFloat16, Int16:
		return 2
	default:
		return 1
	}
}

// IsFloat says whether the elements are floating-point numbers.
func (d DType) IsFloat() bool {
	return d == Float16 || d == BFloat16 || d == Float32 || d == Float64
}

// decodeFloats converts the little-endian elements in src, which has len(dst) of them. A float64 is rounded to the nearest float32,
// as PyTorch's .float() does, and so is an integer that float32 cannot hold.
func (d DType) decodeFloats(dst []float32, src []byte) {
	switch d {
	case Float32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case Float16:
		wide, src := halves(), src[:2*len(dst)]
		for i := range dst {
			dst[i] = wide[le.Uint16(src[2*i:2*i+2])]
		}
	case BFloat16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(le.Uint16(src[2*i:])) << 16)
		}
	case Float64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(d.integer(src[int64(i)*d.Size():]))
		}
	}
}

// decodeInts converts the little-endian elements of an integer or bool tensor in src, which has len(dst) of them.
func (d DType) decodeInts(dst []int64, src []byte) {
	size := d.Size()
	for i := range dst {
		dst[i] = d.integer(src[int64(i)*size:])
	}
}

// integer is the first element in src, of an integer type or bool (0 or 1).
func (d DType) integer(src []byte) int64 {
	switch d {
	case Int64:
		return int64(le.Uint64(src))
	case Int32:
		return int64(int32(le.Uint32(src)))
	case Int16:
		return int64(int16(le.Uint16(src)))
	case Int8:
		return int64(int8(src[0]))
	case Bool:
		if src[0] != 0 {
			return 1
		}
		return 0
	default:
		return int64(src[0])
	}
}

// swapBytes turns elements of that size from big-endian to little-endian, in place.
func swapBytes(b []byte, size int64) {
	for ; int64(len(b)) >= size; b = b[size:] {
		slices.Reverse(b[:size])
	}
}

// halves are the 65,536 binary16 numbers, widened: looking one up takes a third of the time of computing it, which was an
// eighth of an export's.
var halves = sync.OnceValue(func() *[1 << 16]float32 {
	var table [1 << 16]float32
	for h := range table {
		table[h] = float16.Frombits(uint16(h)).Float32()
	}
	return &table
})

// storageDTypes are the element types by the name of torch's storage class. UntypedStorage counts bytes.
var storageDTypes = map[string]DType{
	"HalfStorage": Float16, "BFloat16Storage": BFloat16, "FloatStorage": Float32, "DoubleStorage": Float64,
	"LongStorage": Int64, "IntStorage": Int32, "ShortStorage": Int16, "CharStorage": Int8, "ByteStorage": Uint8,
	"BoolStorage": Bool, "UntypedStorage": Uint8,
}

// torchDTypes are the element types by the name of torch's dtype object.
var torchDTypes = map[string]DType{
	"float16": Float16, "half": Float16, "bfloat16": BFloat16, "float32": Float32, "float": Float32,
	"float64": Float64, "double": Float64, "int64": Int64, "long": Int64, "int32": Int32, "int": Int32,
	"int16": Int16, "short": Int16, "int8": Int8, "uint8": Uint8, "bool": Bool,
}

// numpyDTypes are the element types by numpy's kind and size.
var numpyDTypes = map[string]DType{
	"f2": Float16, "f4": Float32, "f8": Float64, "i8": Int64, "i4": Int32, "i2": Int16, "i1": Int8, "u1": Uint8, "b1": Bool,
}

// safetensorsDTypes are the element types by their name in a safetensors header.
var safetensorsDTypes = map[string]DType{
	"F16": Float16, "BF16": BFloat16, "F32": Float32, "F64": Float64, "I64": Int64, "I32": Int32, "I16": Int16,
	"I8": Int8, "U8": Uint8, "BOOL": Bool,
}
