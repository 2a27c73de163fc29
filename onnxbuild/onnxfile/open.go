package onnxfile

import (
	"fmt"
	"io"
	"reflect"

	"ysc2onnx/onnxbuild"
)

// Model is the description of an ONNX file: all but the elements of its tensors, and but the bodies of branches, loops and
// functions.
type Model struct {
	IRVersion       int64
	Producer        string
	ProducerVersion string
	Opsets          []Opset
	Properties      []onnxbuild.Property // metadata_props
	Name            string               // of the graph
	Inputs          []Value
	Outputs         []Value
	Edges           []Value // value_info
	Nodes           []Node
	Initializers    []Tensor
}

// Opset is the version of a set of operators. The domain of ONNX's own operators is "".
type Opset struct {
	Domain  string
	Version int64
}

// Value is an input, an output or an edge of the graph.
type Value struct {
	Name     string
	DType    onnxbuild.DType // 0 if it is not a tensor, or if the file does not say
	HasShape bool
	Dims     []Dim
}

// Dim is a dimension: a size, or a name for a size known only when the model runs. A dimension of which the file says
// nothing has size -1 and no name.
type Dim struct {
	Size int64 // -1 if not fixed
	Name string
}

// Node is an operator of the graph.
type Node struct {
	Op, Domain, Name string
	Inputs, Outputs  []string // an input left out is ""
	// Attrs have values of type int64, float32, string, []int64, []float32, []string or *Tensor; nil for any other type,
	// such as a graph.
	Attrs []onnxbuild.Attr
}

// Opset is the version of the operators of a domain that the model uses; 0 if it uses none.
func (m *Model) Opset(domain string) int64 {
	for _, o := range m.Opsets {
		if o.Domain == domain || o.Domain == "ai.onnx" && domain == "" {
			return o.Version
		}
	}
	return 0
}

// Open reads the description of an ONNX file of the given size. The elements of tensors are read from r when they are
// asked for. Errors say where in the model something is wrong, and at which byte of the file.
func Open(r io.ReaderAt, size int64) (*Model, error) {
	m := &Model{}
	root := cursor{&source{r: r, size: max(size, 0)}, 0, max(size, 0)}
	graphs := 0
	err := root.each(func(f field) error {
		switch f.num {
		case modelIRVersion:
			return f.int(&m.IRVersion)
		case modelProducerName:
			return f.text(&m.Producer)
		case modelProducerVersion:
			return f.text(&m.ProducerVersion)
		case modelGraph:
			graphs++
			return in("graph", f.sub(m.graphField))
		case modelOpsetImport:
			return entry(f, &m.Opsets, "opset_import", (*Opset).field)
		case modelMetadataProps:
			return entry(f, &m.Properties, "metadata_props", propertyField)
		}
		return nil
	})
	if err == nil && graphs != 1 {
		err = fmt.Errorf("it has %d graphs, not one", graphs)
	}
	if err != nil {
		return nil, fmt.Errorf("not an ONNX model: %w", err)
	}
	return m, nil
}

// in says where an error happened, from the inside out.
func in(where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", where, err)
}

// inEntry says in which entry of a list an error happened.
func inEntry(what string, i int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %d: %w", what, i, err)
}

// entry appends an entry to a list and reads its fields.
func entry[T any](f field, list *[]T, what string, read func(*T, field) error) error {
	if err := f.src.hold(int64(reflect.TypeFor[T]().Size())); err != nil {
		return err
	}
	var v T
	err := f.sub(func(f field) error { return read(&v, f) })
	*list = append(*list, v)
	return inEntry(what, len(*list)-1, err)
}

func (o *Opset) field(f field) error {
	switch f.num {
	case opsetDomain:
		return f.text(&o.Domain)
	case opsetVersion:
		return f.int(&o.Version)
	}
	return nil
}

func propertyField(p *onnxbuild.Property, f field) error {
	switch f.num {
	case entryKey:
		return f.text(&p.Key)
	case entryValue:
		return f.text(&p.Value)
	}
	return nil
}

func (m *Model) graphField(f field) error {
	switch f.num {
	case graphNode:
		return entry(f, &m.Nodes, "node", (*Node).field)
	case graphName:
		return f.text(&m.Name)
	case graphInitializer:
		if err := entry(f, &m.Initializers, "initializer", (*Tensor).field); err != nil {
			return err
		}
		return m.Initializers[len(m.Initializers)-1].finish()
	case graphInput:
		return entry(f, &m.Inputs, "input", (*Value).field)
	case graphOutput:
		return entry(f, &m.Outputs, "output", (*Value).field)
	case graphValueInfo:
		return entry(f, &m.Edges, "value_info", (*Value).field)
	}
	return nil
}

func (v *Value) field(f field) error {
	switch f.num {
	case valueName:
		return f.text(&v.Name)
	case valueType:
		return f.sub(func(f field) error {
			if f.num != typeTensor {
				return nil
			}
			return f.sub(v.tensorTypeField)
		})
	}
	return nil
}

func (v *Value) tensorTypeField(f field) error {
	switch f.num {
	case tensorTypeElem:
		return dtype(f, &v.DType)
	case tensorTypeShape:
		v.HasShape = true
		return f.sub(func(f field) error {
			if f.num != shapeDim {
				return nil
			}
			d := Dim{Size: -1}
			if err := f.sub(d.field); err != nil {
				return inEntry("dimension", len(v.Dims), err)
			}
			v.Dims = append(v.Dims, d)
			return f.src.hold(itemCost)
		})
	}
	return nil
}

func (d *Dim) field(f field) error {
	switch f.num {
	case dimValue:
		return f.int(&d.Size)
	case dimParam:
		return f.text(&d.Name)
	}
	return nil
}

// dtype reads the number of an element type.
func dtype(f field, to *onnxbuild.DType) error {
	var n int64
	if err := f.int(&n); err != nil {
		return err
	}
	if n != int64(int32(n)) {
		return malformed(f.at, "%d is not an element type", n)
	}
	*to = onnxbuild.DType(n)
	return nil
}

func (n *Node) field(f field) error {
	switch f.num {
	case nodeInput:
		return f.texts(&n.Inputs)
	case nodeOutput:
		return f.texts(&n.Outputs)
	case nodeName:
		return f.text(&n.Name)
	case nodeOpType:
		return f.text(&n.Op)
	case nodeDomain:
		return f.text(&n.Domain)
	case nodeAttribute:
		var a attribute
		if err := f.sub(a.field); err != nil {
			return inEntry("attribute", len(n.Attrs), err)
		}
		n.Attrs = append(n.Attrs, onnxbuild.Attr{Name: a.name, Value: a.value()})
		return f.src.hold(itemCost)
	}
	return nil
}

// attribute is an AttributeProto, with all that it might hold.
type attribute struct {
	name    string
	typ     int64
	float   float32
	int     int64
	text    string
	tensor  Tensor
	floats  []float32
	ints    []int64
	strings []string
}

func (a *attribute) field(f field) error {
	switch f.num {
	case attrName:
		return f.text(&a.name)
	case attrType:
		return f.int(&a.typ)
	case attrFloat:
		return f.float(&a.float)
	case attrInt:
		return f.int(&a.int)
	case attrString:
		return f.text(&a.text)
	case attrTensor:
		if err := in("tensor", f.sub(a.tensor.field)); err != nil {
			return err
		}
		return a.tensor.finish()
	case attrFloats:
		return f.floats(&a.floats)
	case attrInts:
		return f.ints(&a.ints)
	case attrStrings:
		return f.texts(&a.strings)
	}
	return nil
}

// value is the one that the attribute's type says.
func (a *attribute) value() any {
	switch a.typ {
	case attrTypeFloat:
		return a.float
	case attrTypeInt:
		return a.int
	case attrTypeString:
		return a.text
	case attrTypeTensor:
		return &a.tensor
	case attrTypeFloats:
		return a.floats
	case attrTypeInts:
		return a.ints
	case attrTypeStrings:
		return a.strings
	}
	return nil
}
