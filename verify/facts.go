package verify

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
)

// Facts are what Structure read from a file.
type Facts struct {
	IRVersion       int64             `json:"ir_version"`
	Opset           int64             `json:"opset"` // of ONNX's own operators
	Producer        string            `json:"producer,omitempty"`
	ProducerVersion string            `json:"producer_version,omitempty"`
	Graph           string            `json:"graph,omitempty"`
	Nodes           int               `json:"nodes"`
	Initializers    int               `json:"initializers"`
	WeightBytes     int64             `json:"weight_bytes"` // of all initializers, in the file or beside it
	Inputs          []engine.IO       `json:"inputs"`       // those without an initializer
	Outputs         []engine.IO       `json:"outputs"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	Layers          []Layer           `json:"layers,omitempty"`    // rows of the YAML, where the metadata have them
	Roles           []roles.Output    `json:"roles,omitempty"`     // what the outputs mean, where the metadata say it
	External        []string          `json:"external,omitempty"`  // names of external data files
	Unused          []string          `json:"unused,omitempty"`    // initializers that nothing reads
	Untyped         []string          `json:"untyped,omitempty"`   // edges whose type or shape the file does not say
	Functions       int               `json:"functions,omitempty"` // operators that the file defines itself
	Notes           []string          `json:"notes,omitempty"`     // unusual things that are not faults
	Problems        []string          `json:"problems,omitempty"`  // the file's faults; at most 20
	MoreProblems    int               `json:"more_problems,omitempty"`

	opsets       []Opset
	properties   []string // names of the metadata, in order
	initializers []string // of the main graph, in order

	values map[string]engine.IO // everything that nodes make, in the main graph
	nodes  []graphNode          // of the main graph, in order
	stored map[string]Stored

	found     map[int]engine.IO // the layers' values, where they were found in another way than by names
	constants map[string]Stored // values of Constant nodes of the main graph
}

// graphNode is a node as far as its place in the graph goes, and a digest of its attributes.
type graphNode struct {
	op, domain, name string
	inputs, outputs  []string
	attributes       [sha256.Size]byte
	local            bool    // the file defines the operator
	epsilon          float64 // of a BatchNormalization
}

// OK is true if no problem was found.
func (f *Facts) OK() bool { return len(f.Problems) == 0 }

// Err is nil or an error that lists the problems.
func (f *Facts) Err() error {
	if f.OK() {
		return nil
	}
	text := strings.Join(f.Problems, "; ")
	if f.MoreProblems > 0 {
		text += fmt.Sprintf("; and %d more", f.MoreProblems)
	}
	return errors.New(text)
}

// Value describes a value that a node of the main graph makes, as far as the
// file says: without a value_info its type is Undefined.
func (f *Facts) Value(name string) (v engine.IO, ok bool) {
	v, ok = f.values[name]
	return v, ok
}

// Stored is where the elements of an initializer lie.
type Stored struct {
	DType engine.DType
	Dims  []int64
	// File is the name of the external data file; "" for the model's own.
	File           string
	Offset, Length int64 // bytes, little endian in C order; Offset is -1 where they are not stored as such
}

// Stored says where the elements of an initializer of the main graph lie.
func (f *Facts) Stored(name string) (s Stored, ok bool) {
	s, ok = f.stored[name]
	return s, ok
}

// session adds to the options what the runtime would otherwise read the model for.
func (f *Facts) session(opts engine.SessionOptions) engine.SessionOptions {
	opts.Inputs, opts.Outputs = f.Inputs, f.Outputs
	return opts
}

// Summary is one line, such as "359 nodes, 120 initializers".
func (f *Facts) Summary() string {
	text := fmt.Sprintf("%d nodes, %d initializers", f.Nodes, f.Initializers)
	if n := len(f.Unused); n > 0 {
		text += fmt.Sprintf(" (%d unused, first %q)", n, f.Unused[0])
	}
	return text
}

// Opset is the version of a set of operators that a file imports; the domain of ONNX's own is "".
type Opset struct {
	Domain  string
	Version int64
}

// Opsets are those that the file imports, in its order.
func (f *Facts) Opsets() []Opset { return f.opsets }

// Properties are the names in Metadata, in the file's order.
func (f *Facts) Properties() []string { return f.properties }

// Tensors are the names of the initializers of the main graph, in the file's order, for [Facts.Stored].
func (f *Facts) Tensors() []string { return f.initializers }

// Operator is a kind of node, and how many nodes of the main graph are of it.
type Operator struct {
	Domain, Name string
	Nodes        int
}

// Operators counts the nodes of the main graph by operator, the most frequent first.
func (f *Facts) Operators() []Operator {
	counts := map[Operator]int{}
	for i := range f.nodes {
		counts[Operator{Domain: f.nodes[i].domain, Name: f.nodes[i].op}]++
	}
	list := make([]Operator, 0, len(counts))
	for o, n := range counts {
		o.Nodes = n
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Operator) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Name, b.Name))
	})
	return list
}
