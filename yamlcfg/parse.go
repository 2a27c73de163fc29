package yamlcfg

import (
	"io"
	"math"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// The keys of a model YAML that YOLOv5 reads. It fails without the required ones.
var (
	requiredKeys = []string{"nc", "depth_multiple", "width_multiple", "anchors", "backbone", "head"}
	optionalKeys = []string{"activation", "channel_multiple", "ch"}
)

// inertKeys are keys that occur in model YAMLs, or in YOLOv5's copies of them, and that no layer depends on.
var inertKeys = map[string]bool{"inplace": true, "yaml_file": true, "names": true, "path": true, "task": true,
	"description": true, "author": true, "date": true, "version": true, "license": true, "stride": true, "imgsz": true}

// Parse reads a model YAML. The diagnostics are sorted and hold every error that was found.
//
// The Model is nil when the text is not a model at all. Otherwise it holds what could be read: after an error it serves
// only to look for more, where rows that are Broken must be skipped.
func Parse(name string, r io.Reader) (*Model, *diag.Diagnostics) {
	return ParseWith(name, r, Overrides{})
}

// Overrides are values that win over those of a text, where they are not 0: as in YOLOv5, which is given them beside the
// YAML, they count wherever a row's arguments name them.
type Overrides struct {
	NC      int // classes
	Anchors int // anchors of each output
}

// ParseWith is [Parse] with values that win over the text's.
func ParseWith(name string, r io.Reader, o Overrides) (*Model, *diag.Diagnostics) {
	src, err := readSource(name, r)
	ds := diag.NewDiagnostics(src)
	if err != nil {
		ds.Errorf(diag.Span{}, "%v", err)
		return nil, ds
	}
	if what := notText(src.Text); what != "" {
		ds.Errorf(diag.Span{}, "%s; a model YAML, which is plain text, was expected", what)
		return nil, ds
	}
	t := newText(src)
	p := parser{
		reader: reader{text: t, layout: lex(t.ascii), ds: ds},
		m:      assumed(src),
		values: map[string]*node{},
		keys:   map[string]*node{},
		budget: maxValues,
		wins:   o,
	}
	p.warnDropped()
	root := p.read()
	if root == nil || !p.model(root) {
		p.m = nil
	}
	ds.Sort()
	return p.m, ds
}

// assumed are the values of a model where they are missing. After an error in a required one, the search for more errors
// goes on with values that make no other one wrong.
func assumed(src *diag.Source) *Model {
	const boxes = 3
	return &Model{
		Source: src, NC: 80, DepthMultiple: 1, WidthMultiple: 1, ChannelMultiple: 8, Channels: 3,
		Anchors: Anchors{Count: boxes, Value: python.Literal{Kind: python.Int, Int: boxes}},
	}
}

// parser turns the nodes of a text into a Model.
type parser struct {
	reader
	m       *Model
	values  map[string]*node // of the top-level keys
	keys    map[string]*node // the keys themselves; of a merged key, the merge
	scope   map[string]python.Literal
	wins    Overrides
	budget  int       // literals that may still be made
	current diag.Span // the row that is being read
}

// model reads the top-level mapping; false means that nothing else can be read.
func (p *parser) model(root *node) bool {
	if root.kind != mapNode {
		p.ds.Errorf(p.place(root), "expected the keys nc, depth_multiple, width_multiple, anchors, backbone and head, not %s", p.describe(root))
		return false
	}
	p.mapping(root)
	if p.laterFormat() {
		return false
	}
	p.checkKeys()
	p.numbers()
	p.anchors()
	p.activation()
	p.names()
	p.classNames()
	if n := p.values["modules"]; n != nil {
		p.m.Definitions = p.tree(n)
	}
	backbone, okBackbone := p.section("backbone")
	head, okHead := p.section("head")
	if n := len(backbone) + len(head); n > MaxRows {
		p.ds.Errorf(diag.Span{}, "the model has %d layers; more than %d are not taken", n, MaxRows)
		return true
	} else if n == 0 && okBackbone && okHead {
		p.ds.Errorf(p.place(p.values["backbone"]), "the model has no layers: backbone and head are empty")
	}
	p.m.BackboneRows = len(backbone)
	p.rows(append(backbone[:len(backbone):len(backbone)], head...))
	return true
}

// numbers reads the scalars of the model.
func (p *parser) numbers() {
	m := p.m
	p.integer("nc", &m.NC, &m.NCSpan, "the number of classes", MaxClasses)
	p.integer("ch", &m.Channels, &m.ChannelsSpan, "the number of image channels", MaxChannels)
	p.integer("channel_multiple", &m.ChannelMultiple, &m.ChannelMultipleSpan, "what channels are rounded up to a multiple of", MaxChannels)
	p.multiple("depth_multiple", &m.DepthMultiple, &m.DepthSpan)
	p.multiple("width_multiple", &m.WidthMultiple, &m.WidthSpan)
	if p.wins.NC > 0 {
		m.NC = p.wins.NC
	}
}

// integer reads a whole number from 1 to most.
func (p *parser) integer(key string, into *int, span *diag.Span, what string, most int) {
	n := p.values[key]
	if n == nil {
		return
	}
	*span = p.place(n)
	l, ok := p.scalarLiteral(n)
	switch {
	case !ok:
	case l.Kind != python.Int:
		p.ds.Errorf(*span, "%s must be %s, a whole number, not %s", key, what, p.describe(n))
	case l.Int < 1 || l.Int > int64(most):
		p.ds.Errorf(*span, "%s is %s, from 1 to %d, not %d", key, what, most, l.Int)
	default:
		*into = int(l.Int)
	}
}

// multiple reads a positive factor.
func (p *parser) multiple(key string, into *float64, span *diag.Span) {
	n := p.values[key]
	if n == nil {
		return
	}
	*span = p.place(n)
	l, ok := p.scalarLiteral(n)
	if !ok {
		return
	}
	f, number := l.Number()
	switch {
	case !number:
		d := p.ds.Errorf(*span, "%s is a number, not %s", key, p.describe(n))
		p.exponentNote(d, l)
	case math.IsNaN(f) || f <= 0 || f > MaxMultiple:
		p.ds.Errorf(*span, "%s is a number above 0 and up to %d, not %s", key, MaxMultiple, l.Repr())
	default:
		*into = f
	}
}

// exponentNote explains why 1e-4 is not a number at the top level of a YAML.
func (p *parser) exponentNote(d *diag.Diagnostic, l python.Literal) {
	if l.Kind != python.String {
		return
	}
	if v, err := python.Eval(l.Str, nil); err == nil && v.Kind == python.Float {
		d.AddNote(diag.Span{}, "YAML 1.1 takes a number with an exponent only with a dot and a signed exponent, as in 1.0e-4; otherwise it is text")
	}
}

// anchors reads lists of w,h pairs, or a count.
func (p *parser) anchors() {
	n := p.values["anchors"]
	if n == nil {
		return
	}
	before := p.ds.Count(diag.Error)
	value, ok := p.literal(n, 0)
	if !ok {
		return
	}
	a := Anchors{Value: value}
	switch {
	case value.Kind == python.Int:
		if value.Int < 1 || value.Int > MaxAnchors {
			p.ds.Errorf(value.Span, "anchors as a count is the number of anchors per output, from 1 to %d, not %d", MaxAnchors, value.Int)
		}
		a.Count = int(value.Int)
	case value.Kind != python.List:
		p.ds.Errorf(value.Span, "anchors is a list of lists [w,h, w,h, ...], one for each output, or the number of anchors per output, not %s", p.describe(n))
	case len(value.Items) == 0 || len(value.Items) > MaxAnchors:
		p.ds.Errorf(value.Span, "anchors has %d lists; expected one for each output of Detect", len(value.Items))
	default:
		for _, item := range value.Items {
			a.Lists = append(a.Lists, p.anchorList(item, value.Items[0]))
		}
	}
	if n := p.wins.Anchors; n > 0 && n != a.NumAnchors() {
		a = Anchors{Count: n, Value: python.Literal{Kind: python.Int, Int: int64(n), Span: value.Span}}
	}
	if p.ds.Count(diag.Error) == before {
		p.m.Anchors = a
	}
}

// anchorList reads the anchors of one output. All have as many as the first.
func (p *parser) anchorList(l, first python.Literal) []float64 {
	switch {
	case l.Kind != python.List:
		p.ds.Errorf(l.Span, "the anchors of an output are a list [w,h, w,h, ...], not %.60s", l.Repr())
		return nil
	case len(l.Items) == 0 || len(l.Items)%2 != 0 || len(l.Items) > 2*MaxAnchors:
		p.ds.Errorf(l.Span, "the anchors of an output are pairs w,h; this list has %s", english.Plural(len(l.Items), "number", ""))
		return nil
	case first.Kind == python.List && len(l.Items) != len(first.Items):
		p.ds.Errorf(l.Span, "%s, but the first output has %d; all outputs have as many anchors", english.Plural(len(l.Items), "number", ""), len(first.Items)).
			AddNote(first.Span, "the first output's anchors")
	}
	list := make([]float64, 0, len(l.Items))
	for _, item := range l.Items {
		f, ok := item.Number()
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) || f <= 0 {
			p.ds.Errorf(item.Span, "an anchor's width or height is a number above 0, not %.60s", item.Repr())
		}
		list = append(list, f)
	}
	return list
}

// activation reads the default activation. YOLOv5 ignores null, false, 0 and the empty string.
func (p *parser) activation() {
	n := p.values["activation"]
	if n == nil {
		return
	}
	p.m.ActivationSpan = p.place(n)
	l, ok := p.scalarLiteral(n)
	if !ok || l.Kind == python.None || l.Kind == python.Bool && !l.Bool || l.Kind == python.Int && l.Int == 0 || l.Kind == python.String && l.Str == "" {
		return
	}
	const want = "activation is a module of torch.nn with its arguments, such as nn.SiLU() or nn.LeakyReLU(0.1)"
	if l.Kind != python.String {
		p.ds.Errorf(l.Span, "%s, not %s", want, p.describe(n))
		return
	}
	v, err := python.Eval(l.Str, nil)
	v.Span = l.Span
	switch {
	case err != nil:
		p.ds.Errorf(l.Span, "%s: %v", want, err)
	case v.Kind == python.Name:
		p.ds.Errorf(l.Span, "%s; write %s()", want, v.Str)
	case v.Kind != python.Call:
		p.ds.Errorf(l.Span, "%s, not %s", want, p.describe(n))
	default:
		p.m.Activation = &v
	}
}

// names sets what YOLOv5's parser has values for when it evaluates an argument.
func (p *parser) names() {
	m := p.m
	number := func(v int) python.Literal { return python.Literal{Kind: python.Int, Int: int64(v)} }
	p.scope = map[string]python.Literal{
		"nc": number(m.NC), "na": number(m.Anchors.NumAnchors()), "no": number(m.NumOutputs()), "anchors": m.Anchors.Value,
		"act": {Kind: python.None},
	}
	for name, key := range map[string]string{"gd": "depth_multiple", "gw": "width_multiple"} {
		if n := p.values[key]; n != nil && n.kind == scalarNode {
			p.scope[name], _ = scalar(n) // an error was reported with the key
		}
	}
	if n := p.values["activation"]; n != nil && n.kind == scalarNode {
		p.scope["act"], _ = scalar(n)
	}
}

// section gives the rows of backbone or head.
func (p *parser) section(key string) (rows []*node, ok bool) {
	n := p.values[key]
	if n == nil {
		return nil, false
	}
	if key == "head" {
		p.m.HeadSpan = p.place(p.keys[key])
	}
	if n.kind != seqNode {
		p.ds.Errorf(p.place(n), "%s is a list of rows [from, number, module, args], not %s", key, p.describe(n))
		return nil, false
	}
	return n.items, true
}
