package checkpoint

import (
	"fmt"
	"math"
	"strings"
)

var (
	ndarray    = Global{"numpy", "ndarray"}
	numpyDType = Global{"numpy", "dtype"}
)

// numpyType is the element type, and whether it is big-endian, of a pickled numpy.dtype, which has state
// (version, byte order, …). See numpy's dtype.__reduce__.
func numpyType(v Value) (dtype DType, bigEndian, ok bool) {
	o, isObject := v.(*Object)
	if !isObject || o.Class != numpyDType || len(o.Args) == 0 {
		return "", false, false
	}
	name, _ := AsString(o.Args[0])
	dtype, ok = numpyDTypes[name]
	state, _ := AsSlice(o.State)
	if !ok || len(state) < 2 {
		return "", false, false
	}
	mark, _ := AsString(state[1])
	return dtype, mark == ">", true
}

// numpyScalar is a number of a dtype and its bytes; nil if the dtype is not read here.
func numpyScalar(args []Value) (Value, error) {
	if len(args) != 2 {
		return nil, nil
	}
	dtype, bigEndian, ok := numpyType(args[0])
	text, isBytes := args[1].(Bytes)
	if !ok || !isBytes {
		return nil, nil
	}
	if int64(len(text)) != dtype.Size() {
		return nil, fmt.Errorf("%d bytes for a %s", len(text), dtype)
	}
	b := []byte(text)
	if bigEndian {
		swapBytes(b, dtype.Size())
	}
	switch {
	case dtype == Float64:
		return Float(math.Float64frombits(le.Uint64(b))), nil
	case dtype.IsFloat():
		var f [1]float32
		dtype.decodeFloats(f[:], b)
		return Float(f[0]), nil
	case dtype == Bool:
		return Boolean(dtype.integer(b) != 0), nil
	}
	return Int(dtype.integer(b)), nil
}

// numpyArray is the array of an ndarray's state (version, shape, dtype, is Fortran order, bytes); nil if its dtype is
// not read here.
func numpyArray(state Value) (*Tensor, error) {
	s, _ := AsSlice(state)
	if len(s) != 5 {
		return nil, nil
	}
	shape, ok1 := AsInts(s[1])
	dtype, bigEndian, ok2 := numpyType(s[2])
	fortran, ok3 := AsBool(s[3])
	b, ok4 := s[4].(Bytes)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return nil, nil
	}
	t := &Tensor{DType: dtype, Shape: shape, Storage: &Storage{Size: int64(len(b)), data: strings.NewReader(string(b)), bigEndian: bigEndian}}
	if len(shape) > maxDims { // before strides are made from it
		return nil, fmt.Errorf("a numpy array of %d dimensions", len(shape))
	}
	t.Strides = contiguousStrides(shape)
	if fortran {
		step := int64(1)
		for i, d := range shape {
			t.Strides[i] = step
			step *= max(d, 1)
		}
	}
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("a numpy array: %w", err)
	}
	return t, nil
}
