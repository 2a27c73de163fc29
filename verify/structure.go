package verify

import (
	"context"
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
	"ysc2onnx/internal/protofile"
	"ysc2onnx/verify/engine"
)

// maxModelBytes is protobuf's own limit: no reader loads a larger message.
const maxModelBytes = 1<<31 - 1

// maxProblems is how many faults are listed; the rest are counted.
const maxProblems = 20

// note records something that the user of a file may want to know.
func (c *checker) note(format string, args ...any) {
	c.facts.Notes = append(c.facts.Notes, fmt.Sprintf(format, args...))
}

// exported adds to the problems what ONNX allows but this project's writer must not do.
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
		ctx: ctx, w: protofile.New(r), external: external,
		facts: &Facts{Metadata: map[string]string{}, values: map[string]engine.IO{}, stored: map[string]Stored{}, constants: map[string]Stored{}},
		files: map[string]int64{}, opsets: map[string]int64{}, missing: map[string]bool{}, local: map[functionID]bool{},
	}
	if size > maxModelBytes {
		c.problem("the file has %d bytes; protobuf allows %d, larger models keep their weights beside the file", size, maxModelBytes)
		return c.facts, nil
	}
	err := c.model(protofile.Span{From: 0, To: size})
	if bad := (*protofile.Error)(nil); errors.As(err, &bad) {
		c.problem("not an ONNX file: %s", bad)
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
	w        *protofile.File
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
func (c *checker) model(s protofile.Span) error {
	var graphs []protofile.Span
	var functions []protofile.Field
	err := c.w.Fields(s, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			c.facts.IRVersion, err = f.Number()
		case 2:
			c.facts.Producer, err = c.w.String(f)
		case 3:
			c.facts.ProducerVersion, err = c.w.String(f)
		case 7:
			graphs = append(graphs, f.Body)
			err = f.Want(protowire.BytesType)
		case 8:
			var o Opset
			o, err = c.opset(f, c.opsets)
			c.facts.opsets = append(c.facts.opsets, o)
		case 25:
			if len(functions) == maxFunctions {
				return protofile.Malformed(f.Body.From, "a model has more than %d functions", maxFunctions)
			}
			functions = append(functions, f)
			err = f.Want(protowire.BytesType)
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
func (c *checker) opset(f protofile.Field, opsets map[string]int64) (Opset, error) {
	domain, version := "", int64(0)
	err := c.w.Message(f, func(f protofile.Field) (err error) {
		switch f.Num {
		case 1:
			domain, err = c.w.String(f)
		case 2:
			version, err = f.Number()
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
	return Opset{domain, version}, err
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
func (c *checker) metadata(f protofile.Field) error {
	key, value, err := c.w.KeyValue(f)
	if err != nil {
		return err
	}
	if _, twice := c.facts.Metadata[key]; twice {
		c.problem("metadata %q is given twice", key)
	} else {
		c.facts.properties = append(c.facts.properties, key)
	}
	c.facts.Metadata[key] = value
	switch key {
	case "layers":
		c.facts.Layers = parseLayers(value)
	case roles.Key:
		// Other writers may use that name for something else: text of another form is ignored.
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
