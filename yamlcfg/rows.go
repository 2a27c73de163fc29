package yamlcfg

import (
	"regexp"
	"slices"
	"strings"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// moduleName is what a module looks like: a dotted Python name.
var moduleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$`)

// rows reads the rows of backbone and head.
func (p *parser) rows(nodes []*node) {
	p.m.Rows = make([]Row, len(nodes))
	for i, n := range nodes {
		before := p.ds.Count(diag.Error)
		r := &p.m.Rows[i]
		r.Index = i
		p.row(n, r)
		r.Broken = p.ds.Count(diag.Error) > before
	}
	for i := range p.m.Rows {
		before := p.ds.Count(diag.Error)
		p.checkFrom(&p.m.Rows[i])
		p.m.Rows[i].Broken = p.m.Rows[i].Broken || p.ds.Count(diag.Error) > before
	}
}

func (p *parser) row(n *node, r *Row) {
	r.Span = p.place(n)
	p.current = r.Span
	if from, to, ok := p.layout.commentAfter(p.ascii, n.to); ok {
		r.Comment = strings.TrimSpace(strings.TrimLeft(string(p.src.Text[p.original(from):p.original(to)]), "#"))
	}
	const want = "a row is [from, number, module, args]"
	if n.kind != seqNode {
		p.ds.Errorf(r.Span, "%s, not %s", want, p.describe(n))
		return
	}
	if len(n.items) != 4 {
		p.wrongArity(n, r, want)
		return
	}
	r.FromSpan, r.NumberSpan, r.ModuleSpan, r.ArgsSpan = p.place(n.items[0]), p.place(n.items[1]), p.place(n.items[2]), p.place(n.items[3])
	p.from(n.items[0], r)
	p.number(n.items[1], r)
	p.module(n.items[2], r)
	p.args(n.items[3], r)
}

// wrongArity tells what a row without exactly four values lacks or has too much of.
func (p *parser) wrongArity(n *node, r *Row, want string) {
	d := p.ds.Errorf(r.Span, "%s; this one has %s", want, english.Plural(len(n.items), "value", ""))
	isName := func(n *node) bool {
		return n.kind == scalarNode && moduleName.MatchString(n.value) && n.value != "None"
	}
	switch {
	case len(n.items) == 3 && isName(n.items[2]):
		d.AddNote(diag.Span{}, "args is missing; write [] for none")
	case len(n.items) == 3 && isName(n.items[1]):
		d.AddNote(diag.Span{}, "number is missing; write 1 for a single %s", n.items[1].value)
	case len(n.items) == 3 && n.items[2].kind == seqNode && n.items[1].kind == scalarNode:
		d.AddNote(p.place(n.items[1]), "the module is missing, or the comma between number and module")
	case len(n.items) > 4 && n.items[3].kind == scalarNode:
		var args []string
		for _, item := range n.items[3:min(len(n.items), 12)] {
			args = append(args, string(p.ascii[item.from:item.to]))
		}
		d.AddNote(p.span(n.items[3].from, n.items[len(n.items)-1].to), "args is one list: [%s]", strings.Join(args, ", "))
	case len(n.items) > 4 && n.items[4].kind == seqNode && p.rowLike(n.items[4]):
		d.AddNote(p.place(n.items[4]), "a row starts here inside this one; a closing bracket is missing before it")
	case len(n.items) > 4:
		d.AddNote(p.place(n.items[4]), "this is the fifth")
	}
}

func (p *parser) rowLike(n *node) bool {
	return len(n.items) == 4 && n.items[3].kind == seqNode
}

// from reads an index or a list of indices.
func (p *parser) from(n *node, r *Row) {
	items := []*node{n}
	if n.kind == seqNode {
		r.FromList = true
		items = n.items
	}
	if len(items) > maxFrom {
		p.ds.Errorf(r.FromSpan, "from names %d layers; more than %d are not taken", len(items), maxFrom)
		return
	}
	if len(items) == 0 {
		p.ds.Errorf(r.FromSpan, "from names no layer; -1 is the layer before")
	}
	for _, item := range items {
		span := p.place(item)
		l, ok := p.scalarLiteral(item)
		if !ok {
			continue
		}
		if p.budget--; p.budget < 0 {
			p.tooMany(span)
			return
		}
		if l.Kind != python.Int {
			p.ds.Errorf(span, "from is a layer's index, or a list of them, not %s", p.describe(item))
			continue
		}
		if l.Int > MaxRows || l.Int < -MaxRows {
			l.Int = max(-MaxRows-1, min(l.Int, MaxRows+1)) // out of any model: the check of the index reports it
		}
		r.From = append(r.From, int(l.Int))
		r.FromSpans = append(r.FromSpans, span)
	}
}

func (p *parser) number(n *node, r *Row) {
	l, ok := p.scalarLiteral(n)
	switch {
	case !ok:
	case l.Kind != python.Int:
		p.ds.Errorf(r.NumberSpan, "number says how often the module is repeated, a whole number, not %s", p.describe(n))
	case l.Int < 0 || l.Int > MaxNumber:
		p.ds.Errorf(r.NumberSpan, "number says how often the module is repeated, from 1 to %d, not %d", MaxNumber, l.Int)
	default:
		r.Number = int(l.Int)
	}
}

func (p *parser) module(n *node, r *Row) {
	l, ok := p.scalarLiteral(n)
	if !ok {
		return
	}
	name := strings.TrimSpace(l.Str)
	switch {
	case l.Kind != python.String || name == "None":
		p.ds.Errorf(r.ModuleSpan, "module is the name of a class, such as Conv or nn.Upsample, not %s", p.describe(n))
	case !moduleName.MatchString(name):
		d := p.ds.Errorf(r.ModuleSpan, "module is the name of a class, such as Conv or nn.Upsample, not %s", diag.Quote(l.Str))
		if before, _, call := strings.Cut(name, "("); call && moduleName.MatchString(before) {
			d.AddNote(diag.Span{}, "write %s, and its arguments in the list after it", before)
		}
	default:
		r.Module = name
	}
}

// args reads the argument list. YOLOv5 evaluates the strings of the list itself, not those of lists inside it.
func (p *parser) args(n *node, r *Row) {
	if n.kind != seqNode {
		d := p.ds.Errorf(r.ArgsSpan, "args is a list, not %s", p.describe(n))
		if n.kind == scalarNode && n.to > n.from {
			d.AddNote(diag.Span{}, "write [%s]", p.ascii[n.from:n.to])
		}
		return
	}
	r.Args = make([]python.Literal, 0, min(len(n.items), 16))
	for _, item := range n.items {
		l, ok := p.literal(item, 0)
		if p.budget < 0 {
			return
		}
		if !ok {
			continue
		}
		if l.Kind == python.String {
			v, err := python.Eval(l.Str, p.scope)
			if err != nil {
				p.ds.Errorf(l.Span, "%v", err)
				continue
			}
			if v.Kind == python.String && v.Str == l.Str && python.Builtins[l.Str] {
				p.ds.Warnf(diag.BuiltinName, l.Span, "YOLOv5 takes %s for Python's function of that name, not for text", l.Str).
					AddNote(diag.Span{}, `for the text write "'%s'"`, l.Str)
			}
			v.Span = l.Span
			l = v
		}
		p.warnNested(l)
		r.Args = append(r.Args, l)
	}
}

// warnNested points at strings in a list that would be values if they were arguments: nc in [[nc, 1]] stays text.
func (p *parser) warnNested(l python.Literal) {
	for _, item := range l.Items {
		switch {
		case l.Kind == python.List && item.Kind == python.String && !item.Span.IsZero():
			if v, err := python.Eval(item.Str, p.scope); err == nil && v.Kind != python.String {
				p.ds.Warnf(diag.NestedText, item.Span, "%s stays text here: YOLOv5 reads only the arguments themselves as Python, not what a list holds",
					diag.Quote(item.Str))
			}
		case item.Kind == python.List:
			p.warnNested(item)
		}
	}
}

// literal gives the value of a node. Aliases make it grow beyond the text, so the total is limited.
func (p *parser) literal(n *node, depth int) (python.Literal, bool) {
	if p.budget--; p.budget < 0 {
		p.tooMany(p.place(n))
		return python.Literal{}, false
	}
	if depth > maxDepth {
		p.ds.Errorf(p.place(n), "lists are nested more than %d deep", maxDepth)
		return python.Literal{}, false
	}
	if n.kind != seqNode {
		return p.scalarLiteral(n)
	}
	l := python.Literal{Kind: python.List, Span: p.place(n)}
	for _, item := range n.items {
		v, ok := p.literal(item, depth+1)
		if !ok {
			return python.Literal{}, false
		}
		l.Items = append(l.Items, v)
	}
	return l, true
}

// tooMany reports once that aliases repeat more than is taken.
func (p *parser) tooMany(span diag.Span) {
	if p.budget == -1 {
		if !p.current.IsZero() {
			span = p.current
		}
		p.ds.Errorf(span, "the aliases repeat more than %d values in all, which no model does", maxValues)
	}
}

// scalarLiteral gives the value of a scalar, and an error for anything else.
func (p *parser) scalarLiteral(n *node) (python.Literal, bool) {
	span := p.place(n)
	switch n.kind {
	case mapNode:
		p.ds.Errorf(span, "a mapping is not expected here")
		return python.Literal{}, false
	case seqNode:
		return python.Literal{Kind: python.List, Span: span}, true
	}
	l, err := scalar(n)
	if err != nil {
		p.ds.Errorf(span, "%v", err)
		return python.Literal{}, false
	}
	l.Span = span
	return l, true
}

// checkFrom refuses indices of layers that are not before the row.
func (p *parser) checkFrom(r *Row) {
	rows := p.m.Rows
	for k, f := range r.From {
		span, i := r.FromSpans[k], r.Index
		switch {
		case i == 0 && f == -1, f >= 0 && f < i, f < 0 && -f <= i && i > 0:
		case i == 0:
			p.ds.Errorf(span, "from %d: layer 0 is the first and reads the image; its from is -1", f)
		case f == i:
			p.ds.Errorf(span, "from %d: layer %d cannot read itself; it reads layers 0 to %d, or -1 for the one before", f, i, i-1)
		case f < 0:
			p.ds.Errorf(span, "from %d: before layer 0; layer %d has %s before it, so the lowest is -%d", f, i, english.Plural(i, "layer", ""), i).
				AddNote(rows[0].Span, "layer 0 is defined here")
		default:
			d := p.ds.Errorf(span, "from %d: ahead of layer %d, which reads layers 0 to %d, or -1 for the one before", f, i, i-1)
			if f < len(rows) {
				d.AddNote(rows[f].Span, "layer %d is defined here", f)
			} else {
				d.AddNote(diag.Span{}, "the model has %s, 0 to %d", english.Plural(len(rows), "layer", ""), len(rows)-1)
			}
		}
	}
}

// describe names what was found where something else was expected.
func (p *parser) describe(n *node) string {
	switch n.kind {
	case mapNode:
		return "a mapping"
	case seqNode:
		if len(n.items) == 0 {
			return "an empty list"
		}
		return "a list"
	}
	l, err := scalar(n)
	switch {
	case err != nil:
		return diag.Quote(n.value)
	case l.Kind == python.None && n.value == "":
		return "nothing"
	case l.Kind == python.None:
		return "null"
	case l.Kind == python.String:
		return "the text " + diag.Quote(l.Str)
	}
	return l.Repr()
}

func remove(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == s })
}

// sortByPlace orders keys as they stand in the text.
func sortByPlace(names []string, keys map[string]*node) {
	slices.SortFunc(names, func(a, b string) int {
		if d := keys[a].from - keys[b].from; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

// IsModuleName reports whether a text can name a module: a dotted Python name.
func IsModuleName(text string) bool { return moduleName.MatchString(text) && text != "None" }
