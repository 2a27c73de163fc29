package definition

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// Limits of definitions, far above any real one.
const (
	maxModules    = 64
	maxStatements = 200
)

// phrase is an expression with its place.
type phrase struct {
	node *yamlcfg.Node
	text string
	expr *expr
}

type named struct {
	name string
	phrase
}

// child is a module inside: one, or a Sequential of as many as number says.
type child struct {
	name, spec   string
	number, args *phrase
}

type statement struct {
	targets []string // nil of a return
	phrase
}

// module is a definition.
type module struct {
	name       string
	registry   *modules.Registry
	class      *modules.Class
	inputs     []string
	args       []named // of which one without an expression is in, out or repeats
	roles      map[string]string
	usual      map[string]python.Literal
	lets       []named
	out        *phrase
	children   []child
	parameters []named
	attributes map[string]python.Literal
	forward    []statement
}

// reader reads definitions, and collects what is wrong with them.
type reader struct {
	diags *diag.Diagnostics
	used  map[string]bool
}

// Add registers the modules that a YAML defines in a registry, which is changed. What is wrong, and which built-in modules
// are replaced, is reported at its place.
func Add(registry *modules.Registry, n *yamlcfg.Node, diags *diag.Diagnostics) {
	r := &reader{diags: diags}
	if !n.IsMap || len(n.Items) > maxModules {
		diags.Errorf(n.Span, "modules is a mapping of at most %d names to definitions", maxModules)
		return
	}
	for i, key := range n.Keys {
		before := diags.Count(diag.Error)
		if !yamlcfg.IsModuleName(key.Text) {
			diags.Errorf(key.Span, "a module's name is one of letters, digits and underscores")
			continue
		}
		d, replaces := r.module(key.Text, n.Items[i])
		if diags.Count(diag.Error) > before {
			continue
		}
		d.registry = registry
		switch there := registry.Find(d.name); {
		case there != nil && !replaces:
			diags.Errorf(key.Span, "there is a module %s already: choose another name, or say `replaces: true`", d.name)
			continue
		case there == nil && replaces:
			diags.Errorf(key.Span, "there is no module %s that this one could replace", d.name)
			continue
		case there != nil:
			diags.Infof(key.Span, "%s is the module that is defined here, in the place of the built-in one", d.name)
			registry.Remove(d.name)
		}
		if err := registry.Add(d.spec()); err != nil {
			diags.Errorf(key.Span, "%v", err)
		}
	}
}

var keys = []string{"args", "attributes", "children", "class", "forward", "inputs", "let", "out", "parameters", "replaces"}

func (r *reader) module(name string, n *yamlcfg.Node) (d *module, replaces bool) {
	d = &module{name: name, class: &modules.Class{Path: "models.common." + name}, inputs: []string{"x"}, roles: map[string]string{},
		usual: map[string]python.Literal{}, attributes: map[string]python.Literal{}}
	if !n.IsMap {
		r.diags.Errorf(n.Span, "a definition has the keys %s", strings.Join(keys, ", "))
		return d, false
	}
	parts := map[string]*yamlcfg.Node{}
	for i, key := range n.Keys {
		if !contains(keys, key.Text) || parts[key.Text] != nil {
			r.diags.Errorf(key.Span, "%s is not a key of a definition, or given twice; its keys are %s", diag.Quote(key.Text), strings.Join(keys, ", "))
			continue
		}
		parts[key.Text] = n.Items[i]
	}
	if v := parts["class"]; v != nil {
		d.class.Path = v.Text
		if !yamlcfg.IsModuleName(v.Text) || strings.HasPrefix(v.Text, "torch.") {
			r.diags.Errorf(v.Span, "class is a class of a checkpoint, such as models.common.%s", name)
		}
	}
	if v := parts["replaces"]; v != nil {
		replaces = v.Literal.Bool
	}
	if v := parts["inputs"]; v != nil {
		d.inputs = nil
		for _, item := range v.Items {
			d.inputs = append(d.inputs, item.Text)
			if !isName(item.Text) {
				r.diags.Errorf(item.Span, "an input is a name")
			}
		}
		if len(d.inputs) == 0 {
			r.diags.Errorf(v.Span, "inputs is a list of names, such as [a, b]")
		}
	}
	r.used = map[string]bool{}
	r.arguments(d, parts["args"])
	d.lets = r.phrases(parts["let"])
	if v := parts["out"]; v != nil {
		d.out = r.phrase(v, v.Text)
	}
	r.children(d, parts["children"])
	d.parameters = r.phrases(parts["parameters"])
	if v := parts["attributes"]; v != nil && r.mapping(v) {
		for i, key := range v.Keys {
			if d.attributes[key.Text] = v.Items[i].Literal; v.Items[i].Text == "any" {
				d.class.Inert = append(d.class.Inert, key.Text)
			}
		}
	}
	r.forward(d, n, parts["forward"])
	return d, replaces
}

func (r *reader) mapping(n *yamlcfg.Node) bool {
	if !n.IsMap {
		r.diags.Errorf(n.Span, "expected names with their values")
	}
	return n.IsMap
}

// arguments are those of the constructor, in their order.
func (r *reader) arguments(d *module, n *yamlcfg.Node) {
	if n == nil || !r.mapping(n) {
		return
	}
	for i, key := range n.Keys {
		v := n.Items[i]
		if !isName(key.Text) || !v.Scalar {
			r.diags.Errorf(key.Span, "an argument is a name with in, out, repeats, or the value that is usual")
			continue
		}
		d.args = append(d.args, named{key.Text, phrase{node: v}})
		switch v.Text {
		case "in", "out", "repeats":
			d.roles[key.Text] = v.Text
		default:
			d.usual[key.Text] = v.Literal
		}
	}
}

// phrase parses an expression.
func (r *reader) phrase(n *yamlcfg.Node, text string) *phrase {
	p := &phrase{node: n, text: text}
	e, err := parse(text)
	if err != nil {
		at := 0
		if s := (*syntaxError)(nil); errors.As(err, &s) {
			at = s.at
		}
		r.diags.Errorf(n.Within(text, at), "%v", err)
		return p
	}
	p.expr = e
	r.names(e)
	return p
}

// names notes which names an expression uses.
func (r *reader) names(e *expr) {
	if e == nil {
		return
	}
	if e.op == "name" {
		r.used[e.text] = true
	}
	for _, k := range e.kids {
		r.names(k)
	}
	for _, k := range e.kw {
		r.names(k)
	}
}

func (r *reader) phrases(n *yamlcfg.Node) (list []named) {
	if n == nil || !r.mapping(n) {
		return nil
	}
	for i, key := range n.Keys {
		if !isName(key.Text) || !n.Items[i].Scalar {
			r.diags.Errorf(key.Span, "expected a name with an expression")
			continue
		}
		list = append(list, named{key.Text, *r.phrase(n.Items[i], n.Items[i].Text)})
	}
	return list
}

// children are [module, args], or [number, module, args] of a Sequential.
func (r *reader) children(d *module, n *yamlcfg.Node) {
	if n == nil || !r.mapping(n) {
		return
	}
	for i, key := range n.Keys {
		v := n.Items[i]
		items := v.Items
		c := child{name: key.Text}
		if len(items) == 3 && items[0].Scalar {
			c.number = r.phrase(items[0], items[0].Text)
			items = items[1:]
		}
		if !isName(key.Text) || v.IsMap || len(items) != 2 || !items[0].Scalar || items[1].Scalar || items[1].IsMap {
			r.diags.Errorf(v.Span, "a child is [module, args], or [number, module, args]")
			continue
		}
		c.spec = items[0].Text
		c.args = &phrase{node: items[1], expr: &expr{op: "list"}}
		for _, item := range items[1].Items {
			text := item.Text
			if !item.Scalar { // a list
				text = item.Source()
			}
			p := r.phrase(item, text)
			if p.expr != nil {
				c.args.expr.kids = append(c.args.expr.kids, p.expr)
			}
		}
		d.children = append(d.children, c)
	}
}

// forward reads the statements, one a line or an item, the last of which returns.
func (r *reader) forward(d *module, whole, n *yamlcfg.Node) {
	if n == nil {
		r.diags.Errorf(whole.Span, "%s has no forward", d.name)
		return
	}
	type line struct {
		node *yamlcfg.Node
		text string
	}
	var lines []line
	if n.Scalar {
		for _, text := range strings.Split(n.Text, "\n") {
			if text = strings.TrimSpace(text); text != "" {
				lines = append(lines, line{n, text})
			}
		}
	}
	for _, item := range n.Items {
		lines = append(lines, line{item, strings.TrimSpace(item.Text)})
	}
	if len(lines) == 0 || len(lines) > maxStatements {
		r.diags.Errorf(n.Span, "forward has 1 to %d statements", maxStatements)
		return
	}
	for i, l := range lines {
		var st statement
		text, returns := strings.CutPrefix(l.text, "return ")
		if last := i == len(lines)-1; returns != last {
			r.diags.Errorf(l.node.Within(l.text, 0), "the last statement, and no other, returns")
			return
		}
		if !returns {
			targets, right, ok := strings.Cut(l.text, "=")
			if !ok {
				r.diags.Errorf(l.node.Within(l.text, 0), "a statement is `name = expression`, or `return expression` at the end")
				return
			}
			for _, t := range strings.Split(targets, ",") {
				t = strings.TrimSpace(t)
				if !isName(t) {
					r.diags.Errorf(l.node.Within(l.text, 0), "%s is not a name that can be given a value", diag.Quote(t))
					return
				}
				st.targets = append(st.targets, t)
			}
			text = right
		}
		st.phrase = *r.phrase(l.node, strings.TrimSpace(text))
		d.forward = append(d.forward, st)
	}
	if r.diags.HasErrors() { // a statement that could not be read may use them
		return
	}
	for _, c := range d.children {
		if !r.used[c.name] {
			r.diags.Errorf(n.Span, "forward does not use the child %s", c.name)
		}
	}
	for _, p := range d.parameters {
		if !r.used[p.name] {
			r.diags.Errorf(n.Span, "forward does not use the parameter %s", p.name)
		}
	}
}

func (d *module) parameter(name string) *named {
	if i := slices.IndexFunc(d.parameters, func(p named) bool { return p.name == name }); i >= 0 {
		return &d.parameters[i]
	}
	return nil
}

// fail is an error at a place of the definition.
func (p *phrase) fail(err error) *modules.PlacedError {
	at := 0
	if e := (*placed)(nil); errors.As(err, &e) {
		at = e.at
	}
	span := p.node.Span
	if p.text != "" {
		span = p.node.Within(p.text, at)
	}
	return &modules.PlacedError{Span: span, Err: fmt.Errorf("%w", err)}
}
