package yamlcfg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"

	"ysc2onnx/diag"
)

// nodeKind tells the three kinds of YAML nodes apart.
type nodeKind int

const (
	scalarNode nodeKind = iota
	seqNode
	mapNode
)

// node is a YAML node with its place in the text; aliases are followed.
type node struct {
	kind     nodeKind
	value    string // of a scalar
	plain    bool   // the scalar is not quoted
	tag      string // explicit tag such as !!int, else empty
	anchored bool   // it has an anchor: other places may use it
	items    []*node
	from, to int // offsets in the ASCII text; of an alias, the alias
}

// reader turns a text into nodes.
type reader struct {
	*text
	layout layout
	ds     *diag.Diagnostics
	seen   map[*yaml.Node]*node // nil while the node is being read: an alias to it is a cycle
}

// read parses the text, which must be one YAML document. It gives nil after an error.
func (r *reader) read() *node {
	if !r.precheck() {
		return nil
	}
	loader, err := yaml.NewLoader(bytes.NewReader(r.plain()), yaml.WithV4Defaults(), yaml.WithPlugin(loaderlimits.New(
		loaderlimits.DepthValue(maxDepth), loaderlimits.AliasNone())))
	if err != nil {
		r.ds.Errorf(diag.Span{}, "cannot start the YAML reader: %v", err)
		return nil
	}
	var doc, next yaml.Node
	switch err := load(loader, &doc); {
	case errors.Is(err, io.EOF), err == nil && isEmpty(&doc):
		r.ds.Errorf(diag.Span{}, "the file holds no YAML; a model has the keys nc, depth_multiple, width_multiple, anchors, backbone and head")
		return nil
	case err != nil:
		r.syntaxError(err)
		return nil
	}
	switch err := load(loader, &next); {
	case err == nil:
		at := r.offset(next.Line, next.Column)
		r.ds.Errorf(r.span(at, r.lineEnd(at)), "a second YAML document starts here; a model is a single document")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntaxError(err)
		return nil
	}
	r.seen = map[*yaml.Node]*node{}
	return r.convert(doc.Content[0], 0)
}

// load reads one document. The YAML library reports its own faults by panics; they are errors here.
func load(loader *yaml.Loader, into *yaml.Node) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the YAML reader failed: %v", fault)
		}
	}()
	return loader.Load(into)
}

func isEmpty(doc *yaml.Node) bool { return doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 }

// precheck refuses texts that would take the YAML reader too long, and those that it would accept although PyYAML does not.
func (r *reader) precheck() bool {
	for i, c := range r.ascii {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			r.ds.Errorf(r.span(i, i+1), "the text holds the control character 0x%02x, which YAML does not allow", c)
			return false
		}
	}
	for i, at := range r.layout.tabs {
		if i == 10 {
			break
		}
		r.ds.Errorf(r.span(at, at+1), "a tab character; YOLOv5's YAML reader takes only spaces here")
	}
	if at := r.layout.tooDeep; at >= 0 {
		r.ds.Errorf(r.span(at, at+1), "lists are nested more than %d deep", maxDepth)
	}
	if r.layout.values > maxValues {
		r.ds.Errorf(diag.Span{}, "the file holds more than %d values, which no model does", maxValues)
	}
	return !r.ds.HasErrors()
}

// plain gives the text as the YAML library takes it, where PyYAML takes more: %YAML 1.x, whose minor version PyYAML passes
// over, is 1.1, and a comment that begins right after a bracket, a comma or a quote is left blank. Offsets stay.
func (r *reader) plain() []byte {
	text := bytes.Clone(r.ascii)
	if bytes.HasPrefix(text, []byte("%YAML 1.")) && len(text) >= 9 && text[8] >= '0' && text[8] <= '9' {
		text[8] = '1'
	}
	for _, c := range r.layout.comments {
		if c[0] > 0 && !bytes.ContainsRune([]byte(" \t\r\n"), rune(text[c[0]-1])) {
			copy(text[c[0]:c[1]], bytes.Repeat([]byte(" "), c[1]-c[0]))
		}
	}
	return text
}

// syntaxError reports an error of the YAML reader in terms of model files.
func (r *reader) syntaxError(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		r.ds.Errorf(diag.Span{}, "not valid YAML: %v", err)
		return
	}
	at := r.offset(le.Mark.Line, le.Mark.Column)
	span := r.span(at, min(at+1, r.lineEnd(at)))
	if le.Mark.Line == 0 {
		span = diag.Span{}
	}
	if r.missingSpace(le.Mark.Line) {
		return
	}
	message := "not valid YAML: " + le.Message
	switch {
	case strings.Contains(le.Message, "unknown anchor"):
		message = strings.Replace(le.Message, "unknown anchor '", "there is no anchor &", 1)
		message = strings.Replace(message, "' referenced", " before this alias", 1)
	case strings.Contains(le.Message, "did not find expected ',' or ']'") && at >= len(bytes.TrimRight(r.ascii, " \r\n")):
		message = "the file ends inside a list; a closing bracket is missing"
	case strings.Contains(le.Message, "did not find expected ',' or ']'"):
		message = "expected ',' or ']' before this; is a comma or a closing bracket missing?"
	case strings.Contains(le.Message, "did not find expected node content"):
		message = "expected a value here; is there a comma too many?"
	case strings.Contains(le.Message, "unexpected end of stream"):
		message = "the file ends inside a quoted string"
	case strings.Contains(le.Message, "cannot start any token") && at < len(r.ascii):
		message = fmt.Sprintf("a value cannot start with %q; put it in quotes if it is meant as text", r.ascii[at])
	case strings.Contains(le.Message, "exceeded max depth"):
		message = fmt.Sprintf("values are nested more than %d deep", maxDepth)
	}
	d := r.ds.Errorf(span, "%s", message)
	if from := r.layout.open; from >= 0 && r.layout.unclosed {
		d.AddNote(r.span(from, r.lineEnd(from)), "a bracket that opens on this line is not closed on it")
		return
	}
	if le.ContextMark.Line > 0 && (le.ContextMark.Line != le.Mark.Line || le.ContextMark.Column != le.Mark.Column) {
		from := r.offset(le.ContextMark.Line, le.ContextMark.Column)
		d.AddNote(r.span(from, min(from+1, r.lineEnd(from))), "%s starts here", construct(le.ContextMsg))
	}
}

// spaceless matches a line on which YAML wants a space: after the colon of a key, or after the dash of a row.
var spaceless = regexp.MustCompile(`^ *(?:- )?(?:(nc|ch|anchors|activation|depth_multiple|width_multiple|channel_multiple|names|backbone|head):[^\s#]|(-)\[)`)

// missingSpace reports the line up to the one of a syntax error that lacks a space, which is what YAML stumbles over only later.
func (r *reader) missingSpace(upTo int) bool {
	for line := upTo; line >= max(1, upTo-40); line-- {
		text := r.src.Line(line)
		at := spaceless.FindSubmatchIndex(text)
		if at == nil {
			continue
		}
		what, from, to := string(text[max(at[2], 0):max(at[3], 0)])+":", at[2], at[3]+1
		if at[2] < 0 {
			what, from, to = "the dash", at[4], at[5]
		}
		start := r.src.Pos(r.src.LineStarts()[line-1] + from)
		r.ds.Errorf(diag.Span{Start: start, End: diag.Pos{Line: line, Col: start.Col + to - from}}, "a space is missing after %s", what)
		return true
	}
	return false
}

// construct names what the YAML reader was in when it failed.
func construct(context string) string {
	for _, c := range [...][2]string{{"flow sequence", "the list"}, {"flow mapping", "the mapping"}, {"quoted scalar", "the quoted text"},
		{"block sequence", "the list"}, {"block mapping", "the mapping"}} {
		if strings.Contains(context, c[0]) {
			return c[1]
		}
	}
	return "what it was reading"
}

// convert gives the node for y. Nodes that aliases share are converted once.
func (r *reader) convert(y *yaml.Node, depth int) *node {
	from := r.offset(y.Line, y.Column)
	if y.Kind == yaml.AliasNode {
		to := from + 1 + len(y.Value)
		target, known := r.seen[y.Alias]
		if !known || target == nil {
			r.ds.Errorf(r.span(from, to), "the alias *%s stands inside what it repeats: the value would contain itself", y.Value)
			return nil
		}
		n := *target
		n.from, n.to = from, to
		return &n
	}
	if depth > maxDepth {
		r.ds.Errorf(r.span(from, from), "values are nested more than %d deep", maxDepth)
		return nil
	}
	if y.Anchor != "" {
		r.seen[y] = nil
	}
	n := &node{value: y.Value, from: from, anchored: y.Anchor != ""}
	if y.Style&yaml.TaggedStyle != 0 {
		n.tag = y.Tag
	}
	n.plain = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = seqNode
	case yaml.MappingNode:
		n.kind = mapNode
	}
	if n.kind != scalarNode && n.tag != "" && n.tag != [...]string{seqNode: "!!seq", mapNode: "!!map"}[n.kind] {
		r.ds.Errorf(r.span(from, from+1), "the tag %.40s does not go with what follows; leave it out", n.tag)
		return nil
	}
	for _, child := range y.Content {
		c := r.convert(child, depth+1)
		if c == nil {
			return nil
		}
		n.items = append(n.items, c)
	}
	n.to = r.end(n, y.Style&yaml.FlowStyle != 0)
	if y.Anchor != "" {
		r.seen[y] = n
	}
	return n
}

// end finds where a node ends, which the YAML library does not tell.
func (r *reader) end(n *node, flow bool) int {
	start := r.skipProperties(n.from)
	if n.kind == scalarNode {
		switch {
		case start < len(r.ascii) && !n.plain && (r.ascii[start] == '\'' || r.ascii[start] == '"'):
			return quotedEnd(r.ascii, start)
		case n.plain && bytes.HasPrefix(r.ascii[start:], []byte(n.value)):
			return start + len(n.value)
		}
		return r.lineEnd(start)
	}
	last := start
	if len(n.items) > 0 {
		last = n.items[len(n.items)-1].to
	} else if flow {
		last = min(start+1, len(r.ascii))
	}
	if !flow {
		return last
	}
	for i := last; i < len(r.ascii); i++ {
		switch r.ascii[i] {
		case ']', '}':
			return i + 1
		case '#':
			i = r.lineEnd(i)
		}
	}
	return last
}

// skipProperties gives the offset of a node's content, after its tag and anchor.
func (r *reader) skipProperties(at int) int {
	for at < len(r.ascii) && (r.ascii[at] == '&' || r.ascii[at] == '!') {
		for at < len(r.ascii) && !bytes.ContainsRune([]byte(" \t\r\n,[]{}"), rune(r.ascii[at])) {
			at++
		}
		for at < len(r.ascii) && (r.ascii[at] == ' ' || r.ascii[at] == '\n' || r.ascii[at] == '\r') {
			at++
		}
	}
	return at
}

// place gives the span of a node.
func (r *reader) place(n *node) diag.Span { return r.span(n.from, n.to) }
