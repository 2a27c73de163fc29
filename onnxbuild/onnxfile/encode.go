package onnxfile

import (
	"fmt"
	"math"
	"strconv"

	"ysc2onnx/onnxbuild"
)

// writeNode writes a NodeProto. Inputs that are left out are written as empty names.
func writeNode(m *message, n onnxbuild.WireNode) {
	for _, name := range n.Inputs {
		m.text(nodeInput, name)
	}
	for _, name := range n.Outputs {
		m.text(nodeOutput, name)
	}
	m.optional(nodeName, n.Name)
	m.text(nodeOpType, n.Op)
	for _, a := range n.Attrs {
		m.sub(nodeAttribute, func(m *message) { writeAttr(m, a) })
	}
}

// writeAttr writes an AttributeProto.
func writeAttr(m *message, a onnxbuild.Attr) {
	m.text(attrName, a.Name)
	switch v := a.Value.(type) {
	case float32:
		m.float(attrFloat, v)
		m.varint(attrType, attrTypeFloat)
	case int64:
		m.varint(attrInt, v)
		m.varint(attrType, attrTypeInt)
	case string:
		m.text(attrString, v)
		m.varint(attrType, attrTypeString)
	case []float32:
		for _, f := range v {
			m.float(attrFloats, f)
		}
		m.varint(attrType, attrTypeFloats)
	case []int64:
		for _, n := range v {
			m.varint(attrInts, n)
		}
		m.varint(attrType, attrTypeInts)
	default:
		m.err = fmt.Errorf("the attribute %q is a %T; int64, float32, string, []int64 and []float32 can be written", a.Name, a.Value)
	}
}

// writeValue writes a ValueInfoProto. dimName gives the dim_param of a symbolic dimension.
func writeValue(m *message, name string, t onnxbuild.Type, dimName func(onnxbuild.Dim) string) {
	m.text(valueName, name)
	m.sub(valueType, func(m *message) {
		m.sub(typeTensor, func(m *message) {
			m.varint(tensorTypeElem, int64(t.DType))
			m.sub(tensorTypeShape, func(m *message) {
				for _, d := range t.Shape {
					m.sub(shapeDim, func(m *message) {
						if n, ok := d.Static(); ok {
							m.varint(dimValue, n)
						} else {
							m.text(dimParam, dimName(d))
						}
					})
				}
			})
		})
	})
}

// writeEntry writes a StringStringEntryProto.
func writeEntry(m *message, key, value string) {
	m.text(entryKey, key)
	m.text(entryValue, value)
}

// writeTensor writes the fields of a TensorProto that come before its elements.
func writeTensor(m *message, v *onnxbuild.Value) {
	for _, d := range v.Const.Shape {
		m.varint(tensorDims, d)
	}
	m.varint(tensorDataType, int64(v.Const.DType))
	m.text(tensorName, v.Name)
}

// writeExternal says that a TensorProto's elements are length bytes at offset in the file called location.
func writeExternal(m *message, location string, offset, length int64) {
	m.sub(tensorExternalData, func(m *message) { writeEntry(m, "location", location) })
	m.sub(tensorExternalData, func(m *message) { writeEntry(m, "offset", strconv.FormatInt(offset, 10)) })
	m.sub(tensorExternalData, func(m *message) { writeEntry(m, "length", strconv.FormatInt(length, 10)) })
	m.varint(tensorDataLocation, locationExternal)
}

// checkTensor refuses recipes that cannot be written, or not to their end.
func checkTensor(t *onnxbuild.Tensor) error {
	size := t.DType.Size()
	if size == 0 {
		return fmt.Errorf("%s cannot be written", t.DType)
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 {
			return fmt.Errorf("the shape %v has a negative size", t.Shape)
		}
		if d > 0 && n > math.MaxInt64/size/d {
			return fmt.Errorf("the shape %v has more elements than can be counted", t.Shape)
		}
		n *= d
	}
	switch {
	case t.DType.IsFloat() && t.Floats == nil:
		return fmt.Errorf("%s elements of shape %v are wanted, but there is no source of floats", t.DType, t.Shape)
	case !t.DType.IsFloat() && int64(len(t.Ints)) != n:
		return fmt.Errorf("the shape %v has %d elements, but %d are given", t.Shape, n, len(t.Ints))
	}
	return nil
}
