package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
)

// maxModelBytes is protobuf's own limit: no reader loads a larger message.
const maxModelBytes = 1<<31 - 1

// maxProblems is how many faults are listed; the rest are counted.
const maxProblems = 20

// Facts are what Structure read from a file.
type Facts struct {
	IRVersion    int64             `json:"ir_version"`
	Opset        int64             `json:"opset"` // of ONNX's own operators
	Producer     string            `json:"producer,omitempty"`
	Graph        string            `json:"graph,omitempty"`
	Nodes        int               `json:"nodes"`
	Initializers int               `json:"initializers"`
	WeightBytes  int64             `json:"weight_bytes"` // of all initializers, in the file or beside it
	Inputs       []engine.IO       `json:"inputs"`       // those without an initializer
	Outputs      []engine.IO       `json:"outputs"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	Layers       []Layer           `json:"layers,omitempty"`    // rows of the YAML, where the metadata have them
	Roles        []roles.Output    `json:"roles,omitempty"`     // what the outputs mean, where the metadata say it
	External     []string          `json:"external,omitempty"`  // names of external data files
	Unused       []string          `json:"unused,omitempty"`    // initializers that nothing reads
	Untyped      []string          `json:"untyped,omitempty"`   // edges whose type or shape the file does not say
	Functions    int               `json:"functions,omitempty"` // operators that the file defines itself
	Notes        []string          `json:"notes,omitempty"`     // what is unusual and wrong in no way
	Problems     []string          `json:"problems,omitempty"`  // what makes the file wrong; at most 20
	MoreProblems int               `json:"more_problems,omitempty"`

	values map[string]engine.IO // everything that nodes make, in the main graph
	nodes  []graphNode          // of the main graph, in order
	stored map[string]Stored

	found     map[int]engine.IO // the layers' values, where they were found in another way than by names
	constants map[string]Stored // what Constant nodes of the main graph give
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

// session adds what the runtime would have to read the model for to the options that open it.
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

// note records what a reader of the file may want to know.
func (c *checker) note(format string, args ...any) {
	c.facts.Notes = append(c.facts.Notes, fmt.Sprintf(format, args...))
}

// exported adds to the problems what ONNX allows but this project's writer
// promises not to do.
func (f *Facts) exported() error {
	if err := f.Err(); err != nil {
		return err
	}
	if n := len(f.Untyped); n > 0 {
		return fmt.Errorf("%d values have no value_info with type and shape, the first is %q", n, f.Untyped[0])
	}
	if lowest := lowestIR(f.Opset); f.IRVersion != lowest {
		return fmt.Errorf("IR version is %d; the lowest that allows opset %d is %d", f.IRVersion, f.Opset, lowest)
	}
	return nil
}

// lowestIR is the IR version that came with an opset of the default domain, by
// the table of releases in ONNX's docs/Versioning.md. Readers take an opset under
// an older one: exporters and converters have long written that. 0 for an opset that is not known here.
func lowestIR(opset int64) int64 {
	switch {
	case opset < 1 || opset > 26:
		return 0
	case opset <= 8:
		return 3
	case opset == 9:
		return 4
	case opset == 10:
		return 5
	case opset == 11:
		return 6
	case opset <= 14:
		return 7
	case opset <= 18:
		return 8
	case opset <= 20:
		return 9
	case opset <= 22:
		return 10
	case opset == 23:
		return 11
	case opset == 24:
		return 12
	}
	return 13
}

// Structure checks the ONNX file at path as it lies on the disk, without
// loading its weights: single assignment and order of values, sizes of
// initializers, external data, versions. It shares no code with any writer.
//
// The error says why the file could not be read. Faults of the file are in
// Facts.Problems.
func Structure(ctx context.Context, path string) (facts *Facts, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("structure check: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("structure check: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("structure check: %s is not a regular file", path)
	}
	facts, err = StructureReader(ctx, f, info.Size(), sizesIn(filepath.Dir(path)))
	if err != nil {
		return nil, fmt.Errorf("structure check: %s: %w", path, err)
	}
	return facts, nil
}

// sizesIn gives the sizes of the files in a folder.
func sizesIn(dir string) func(name string) (int64, error) {
	return func(name string) (int64, error) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return 0, err
		}
		if !info.Mode().IsRegular() {
			return 0, errors.New("not a regular file")
		}
		return info.Size(), nil
	}
}

// StructureReader is Structure for a model of size bytes that need not be a
// file. external gives the size of an external data file by its name; it may be
// nil where there are none.
func StructureReader(ctx context.Context, r io.ReaderAt, size int64, external func(name string) (int64, error)) (*Facts, error) {
	c := &checker{
		ctx: ctx, w: newWire(r), external: external,
		facts: &Facts{Metadata: map[string]string{}, values: map[string]engine.IO{}, stored: map[string]Stored{}, constants: map[string]Stored{}},
		files: map[string]int64{}, opsets: map[string]int64{}, missing: map[string]bool{}, local: map[functionID]bool{},
	}
	if size > maxModelBytes {
		c.problem("the file has %d bytes; protobuf allows %d, larger models keep their weights beside the file", size, maxModelBytes)
		return c.facts, nil
	}
	err := c.model(span{0, size})
	if bad := (*malformed)(nil); errors.As(err, &bad) {
		c.problem("%s", bad.Error())
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return c.facts, nil
}

// checker is one walk over a model.
type checker struct {
	ctx      context.Context
	w        *wire
	facts    *Facts
	external func(name string) (int64, error)
	files    map[string]int64    // sizes of the external files met so far, -1 for a bad one
	opsets   map[string]int64    // by domain, of the model, or of the function that is being checked
	missing  map[string]bool     // domains without an opset that were told of
	local    map[functionID]bool // functions of the file
	made     []string            // by the nodes of the main graph, in order
	captured []string            // read by graphs inside the node that is being checked
	called   []functionID        // by the nodes of the function that is being checked
}

// problem records one fault.
func (c *checker) problem(format string, args ...any) {
	if len(c.facts.Problems) == maxProblems {
		c.facts.MoreProblems++
		return
	}
	c.facts.Problems = append(c.facts.Problems, fmt.Sprintf(format, args...))
}

// model reads a ModelProto. Several graph fields are one message in parts, as
// protobuf merges them.
func (c *checker) model(s span) error {
	var graphs []span
	var functions []field
	err := c.w.fields(s, func(f field) (err error) {
		switch f.num {
		case 1:
			c.facts.IRVersion, err = f.number()
		case 2:
			c.facts.Producer, err = c.w.string(f)
		case 7:
			graphs = append(graphs, f.body)
			err = f.want(protowire.BytesType)
		case 8:
			err = c.opset(f, c.opsets)
		case 25:
			if len(functions) == maxFunctions {
				return &malformed{f.body.from, fmt.Sprintf("a model has more than %d functions", maxFunctions)}
			}
			functions = append(functions, f)
			err = f.want(protowire.BytesType)
		case 14:
			err = c.metadata(f)
		}
		return err
	})
	if err != nil {
		return err
	}
	c.versions()
	if graphs == nil {
		c.problem("the file has no graph")
		return nil
	}
	if err := c.functions(functions); err != nil {
		return err
	}
	return c.graph(graphs, nil)
}

// opset reads an OperatorSetIdProto into a set.
func (c *checker) opset(f field, opsets map[string]int64) error {
	domain, version := "", int64(0)
	err := c.w.message(f, func(f field) (err error) {
		switch f.num {
		case 1:
			domain, err = c.w.string(f)
		case 2:
			version, err = f.number()
		}
		return err
	})
	domain = domainName(domain)
	if other, twice := opsets[domain]; twice && other != version {
		c.problem("opset of domain %q is imported twice, as %d and %d", domain, other, version)
	}
	if version < 1 {
		c.problem("opset of domain %q is %d", domain, version)
	}
	opsets[domain] = version
	return err
}

// domainName gives the default domain its empty name; "ai.onnx" is another one for it.
func domainName(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// versions checks the IR version against the opset.
func (c *checker) versions() {
	f := c.facts
	f.Opset = c.opsets[""]
	lowest := lowestIR(f.Opset)
	switch {
	case f.IRVersion < 1:
		c.problem("the file has no IR version")
	case f.Opset > 0 && lowest == 0:
		c.note("opset %d is newer than what is known here", f.Opset)
	case f.IRVersion < lowest:
		c.note("IR version %d is older than opset %d, which came with %d", f.IRVersion, f.Opset, lowest)
	}
}

// metadata reads one entry of metadata_props.
func (c *checker) metadata(f field) error {
	key, value, err := c.w.keyValue(f)
	if err != nil {
		return err
	}
	if _, twice := c.facts.Metadata[key]; twice {
		c.problem("metadata %q is given twice", key)
	}
	c.facts.Metadata[key] = value
	switch key {
	case "layers":
		c.facts.Layers = parseLayers(value)
	case roles.Key:
		// Other writers may use that name for something else: what is not of this form says nothing.
		c.facts.Roles, _ = roles.Parse(value)
	}
	return nil
}

// plainName is true for the path of a file beside the model or in a folder there: nothing leads out of it.
func plainName(name string) bool {
	return name != "." && fs.ValidPath(name) && !strings.ContainsAny(name, `\:`) && !strings.ContainsRune(name, 0)
}

// externalSize gives the size of the external file of that name; ok is false
// after the problem was recorded.
func (c *checker) externalSize(name string) (size int64, ok bool) {
	if size, met := c.files[name]; met {
		return size, size >= 0
	}
	c.files[name] = -1
	if !plainName(name) {
		c.problem("external data %q is not the plain name of a file beside the model, or in a folder there", name)
		return 0, false
	}
	if c.external == nil {
		c.problem("external data %q cannot be looked up here", name)
		return 0, false
	}
	size, err := c.external(name)
	if err != nil {
		c.problem("external data %q: %v", name, err)
		return 0, false
	}
	c.files[name] = size
	c.facts.External = append(c.facts.External, name)
	slices.Sort(c.facts.External)
	return size, true
}
