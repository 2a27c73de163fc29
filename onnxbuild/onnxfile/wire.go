package onnxfile

import (
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of onnx.proto, by message.
const (
	modelIRVersion       = 1
	modelProducerName    = 2
	modelProducerVersion = 3
	modelGraph           = 7
	modelOpsetImport     = 8
	modelMetadataProps   = 14

	opsetVersion = 2

	entryKey   = 1
	entryValue = 2

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	graphValueInfo   = 13

	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOpType    = 4
	nodeAttribute = 5

	attrName   = 1
	attrFloat  = 2
	attrInt    = 3
	attrString = 4
	attrFloats = 7
	attrInts   = 8
	attrType   = 20

	tensorDims         = 1
	tensorDataType     = 2
	tensorName         = 8
	tensorRawData      = 9
	tensorExternalData = 13
	tensorDataLocation = 14

	valueName = 1
	valueType = 2

	typeTensor = 1

	tensorTypeElem  = 1
	tensorTypeShape = 2

	shapeDim = 1

	dimValue = 1
	dimParam = 2
)

// Values of AttributeProto.AttributeType.
const (
	attrTypeFloat  = 1
	attrTypeInt    = 2
	attrTypeString = 3
	attrTypeFloats = 6
	attrTypeInts   = 7
)

// locationExternal is TensorProto.DataLocation.EXTERNAL.
const locationExternal = 1

// message is a protobuf message being written. The first error stays.
type message struct {
	bytes []byte
	err   error
}

func (m *message) varint(field protowire.Number, v int64) {
	m.bytes = protowire.AppendTag(m.bytes, field, protowire.VarintType)
	m.bytes = protowire.AppendVarint(m.bytes, uint64(v))
}

func (m *message) float(field protowire.Number, v float32) {
	m.bytes = protowire.AppendTag(m.bytes, field, protowire.Fixed32Type)
	m.bytes = protowire.AppendFixed32(m.bytes, math.Float32bits(v))
}

// text refuses what is not UTF-8, since readers refuse the whole file for it.
func (m *message) text(field protowire.Number, s string) {
	if !utf8.ValidString(s) && m.err == nil {
		m.err = fmt.Errorf("the text %q cannot be written: it is not UTF-8", s)
	}
	m.bytes = protowire.AppendTag(m.bytes, field, protowire.BytesType)
	m.bytes = protowire.AppendString(m.bytes, s)
}

// optional writes a text unless it is empty.
func (m *message) optional(field protowire.Number, s string) {
	if s != "" {
		m.text(field, s)
	}
}

// sub writes a message within m.
func (m *message) sub(field protowire.Number, write func(*message)) {
	var inner message
	write(&inner)
	if m.err == nil {
		m.err = inner.err
	}
	m.bytes = protowire.AppendTag(m.bytes, field, protowire.BytesType)
	m.bytes = protowire.AppendBytes(m.bytes, inner.bytes)
}

// open begins a bytes or message field of n bytes, which the caller writes elsewhere.
func (m *message) open(field protowire.Number, n int64) {
	m.bytes = protowire.AppendTag(m.bytes, field, protowire.BytesType)
	m.bytes = protowire.AppendVarint(m.bytes, uint64(n))
}

// sizeField is the size of a bytes field that holds n bytes.
func sizeField(field protowire.Number, n int64) int64 {
	return int64(protowire.SizeTag(field)+protowire.SizeVarint(uint64(n))) + n
}
