package definition

import (
	"errors"
	"fmt"
	"maps"

	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

// instance is a module that a definition made, with the values of its arguments.
type instance struct {
	*module
	env   map[string]any
	built map[string]modules.Module
}

func (d *module) spec() modules.Spec {
	s := modules.Spec{Name: d.name, Class: d.class, Doc: "defined in the YAML", Source: "the YAML", Wiring: d.wire}
	if len(d.inputs) == 1 {
		s.New = func(a *modules.Args) modules.Module { return single{d.construct(a)} }
	} else {
		s.Join = func(a *modules.Args) modules.Joiner { return joined{d.construct(a)} }
	}
	return s
}

// wire takes the arguments, and computes the channels that come out.
func (d *module) wire(a *modules.Args) []int {
	env := map[string]any{}
	if len(a.In) > 0 && len(a.In) != len(d.inputs) {
		a.Errorf("takes %d inputs, got %d", len(d.inputs), len(a.In))
		return nil
	}
	channels := int64(a.C1)
	scaled := ""
	for _, arg := range d.args { // the row's first argument is scaled, wherever the constructor has it
		if d.roles[arg.name] == "out" {
			scaled = arg.name
		}
	}
	called := len(a.In) == 0
	if scaled != "" && !called {
		n, ok := a.TakeScaled()
		if !ok {
			return nil
		}
		env[scaled], channels = n, n
	}
	for _, arg := range d.args {
		switch d.roles[arg.name] {
		case "in":
			env[arg.name] = a.TakeIn(arg.name)
			if n, ok := env[arg.name].(int64); ok && called {
				channels = n
			}
		case "out":
			if called {
				n, ok := a.TakeOut(arg.name)
				if !ok {
					return nil
				}
				env[arg.name], channels = n, n
			}
		case "repeats":
			env[arg.name] = a.TakeRepeats(arg.name)
		default:
			env[arg.name] = value(a.Value(arg.name, d.usual[arg.name]))
		}
	}
	f := &frame{env: env, def: d}
	for _, l := range d.lets {
		v, err := f.eval(l.expr)
		if err != nil {
			d.report(a, &l.phrase, err)
			return nil
		}
		env[l.name] = v
	}
	if d.out != nil {
		n, err := f.integer(d.out.expr)
		if err != nil || n < 1 || n > 1<<20 {
			d.report(a, d.out, errors.Join(err, fmt.Errorf("the channels out are from 1 to 1048576")))
			return nil
		}
		channels = n
	}
	a.Bind(env)
	return []int{int(channels)}
}

// report puts what is wrong at the row, with the place in the definition.
func (d *module) report(a *modules.Args, p *phrase, err error) {
	placed := p.fail(err)
	a.Errorf("%v (in its definition, line %d, column %d: %s)", err, placed.Span.Start.Line, placed.Span.Start.Col, p.text)
}

// value is a literal as expressions have it.
func value(l python.Literal) any {
	switch l.Kind {
	case python.Bool:
		return l.Bool
	case python.Int:
		return l.Int
	case python.Float:
		return l.Float
	case python.String:
		return l.Str
	case python.List, python.Tuple:
		list := []any{}
		for _, item := range l.Items {
			list = append(list, value(item))
		}
		return list
	}
	return nil
}

func literal(v any) (python.Literal, bool) {
	switch v := v.(type) {
	case nil:
		return python.Literal{Kind: python.None}, true
	case bool:
		return python.Literal{Kind: python.Bool, Bool: v}, true
	case int64:
		return python.Literal{Kind: python.Int, Int: v}, true
	case float64:
		return python.Literal{Kind: python.Float, Float: v}, true
	case string:
		return python.Literal{Kind: python.String, Str: v}, true
	case []any:
		l := python.Literal{Kind: python.List}
		for _, item := range v {
			inner, ok := literal(item)
			if !ok {
				return l, false
			}
			l.Items = append(l.Items, inner)
		}
		return l, true
	}
	return python.Literal{}, false
}

// construct makes the children.
func (d *module) construct(a *modules.Args) *instance {
	m := &instance{module: d, env: map[string]any{}, built: map[string]modules.Module{}}
	if env, ok := a.Bound().(map[string]any); ok {
		m.env = env
	}
	f := &frame{env: m.env, def: d}
	for _, c := range d.children {
		list, err := f.list(c.args.expr.kids)
		l, ok := literal(list)
		if err == nil && !ok {
			err = errors.New("arguments are numbers, texts and lists")
		}
		n := int64(1)
		if err == nil && c.number != nil {
			if n, err = f.integer(c.number.expr); err == nil && (n < 1 || n > 1<<10) {
				err = fmt.Errorf("the number is %d, expected 1 to 1024", n)
			}
		}
		if err == nil {
			m.built[c.name], err = d.child(a, c, l.Items, int(n))
		}
		if err != nil {
			d.report(a, &phrase{node: c.args.node, text: c.spec}, fmt.Errorf("%s: %w", c.name, err))
			return m
		}
	}
	return m
}

func (d *module) child(a *modules.Args, c child, args []python.Literal, n int) (modules.Module, error) {
	var list modules.Sequential
	for range n {
		var one modules.Module
		var err error
		if spec := d.registry.Find(c.spec); spec != nil {
			one, err = spec.Call(a, args)
		} else {
			one, err = modules.CallTorch(c.spec, args)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	if c.number == nil {
		return list[0], nil
	}
	return list, nil
}

// Class is the definition's.
func (m *instance) Class() *modules.Class { return m.class }

type single struct{ *instance }

// Forward computes the statements.
func (m single) Forward(s *modules.Scope, x *onnxbuild.Value) *onnxbuild.Value {
	return m.run(s, []*onnxbuild.Value{x})
}

type joined struct{ *instance }

// Forward computes the statements.
func (m joined) Forward(s *modules.Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	return m.run(s, inputs)
}

func (m *instance) run(s *modules.Scope, inputs []*onnxbuild.Value) *onnxbuild.Value {
	f := &frame{env: maps.Clone(m.env), def: m.module, scope: s, built: m.built}
	for name, l := range m.attributes {
		switch x, number := l.Number(); {
		case l.Kind == python.String && l.Str == "any":
		case number:
			s.RequireNumber(name, x)
		case l.Kind == python.Bool:
			s.RequireNumber(name, map[bool]float64{true: 1}[l.Bool])
		default:
			s.RequireText(name, l.Str)
		}
	}
	for i, name := range m.inputs {
		f.env[name] = inputs[i]
		if inputs[i].Refused() {
			return inputs[i]
		}
	}
	for i := range m.forward {
		st := &m.forward[i]
		v, err := f.eval(st.expr)
		if err == nil && len(st.targets) > 1 {
			list, ok := v.([]any)
			if !ok || len(list) != len(st.targets) {
				err = fmt.Errorf("%s does not make %d values", kind(v), len(st.targets))
			}
			for k := range st.targets {
				if err == nil {
					f.env[st.targets[k]] = list[k]
				}
			}
		} else if err == nil && st.targets != nil {
			f.env[st.targets[0]] = v
		}
		y, isMap := v.(*onnxbuild.Value)
		if err == nil && st.targets == nil && !isMap {
			err = fmt.Errorf("returns %s, expected a map", kind(v))
		}
		if err == nil && st.targets == nil {
			return y
		}
		if err != nil {
			if why := s.Graph.TakeErr(); why != nil { // what an operator refused
				err = &placed{offset(err), why}
			}
			s.Err("%w", st.fail(err))
			break
		}
	}
	return s.Refuse()
}

func offset(err error) int {
	if e := (*placed)(nil); errors.As(err, &e) {
		return e.at
	}
	return 0
}

// parameter is a trained tensor: zeros(...), ones(...) or randn(...), of the sizes that it is called with.
func (f *frame) parameter(p *named) (any, error) {
	e := p.expr
	inits := map[string]modules.Init{"zeros": modules.Constant(0), "ones": modules.Constant(1), "randn": modules.Normal()}
	if e.op != "call" || e.kids[0].op != "name" || inits[e.kids[0].text] == nil {
		return nil, fmt.Errorf("the parameter %s is zeros(...), ones(...) or randn(...) of its sizes", p.name)
	}
	var shape []int64
	for _, k := range e.kids[1:] {
		n, err := f.integer(k)
		if err != nil {
			return nil, err
		}
		shape = append(shape, n)
	}
	return f.refused(f.scope.Param(p.name, inits[e.kids[0].text], shape...))
}

// call applies a child, an operator, or a method, which is the operator with the map in front.
func (f *frame) call(e *expr) (any, error) {
	callee, a := e.kids[0], &arguments{kw: map[string]any{}}
	var err error
	if a.list, err = f.list(e.kids[1:]); err != nil {
		return nil, err
	}
	for name, k := range e.kw {
		if a.kw[name], err = f.eval(k); err != nil {
			return nil, err
		}
	}
	fn := callee.text
	if callee.op == "attr" {
		if owner := callee.kids[0]; owner.op != "name" || owner.text != "torch" && owner.text != "F" {
			v, err := f.eval(owner)
			if err != nil {
				return nil, err
			}
			a.list = append([]any{v}, a.list...)
		}
	} else if callee.op != "name" {
		return nil, at(e, "only names can be called")
	}
	if m := f.built[fn]; m != nil && callee.op == "name" {
		x, ok := any(nil), false
		if len(a.list) == 1 && len(a.kw) == 0 {
			x, ok = a.list[0], true
		}
		in, isMap := x.(*onnxbuild.Value)
		if !ok || !isMap {
			return nil, at(e, "the child %s takes one map", fn)
		}
		if act, ok := m.(*modules.Activation); ok {
			return f.refused(f.scope.CallActivation(fn, act, in))
		}
		return f.refused(f.scope.Call(fn, m, in))
	}
	if y, ok, err := f.numeric(fn, a); ok {
		return y, err
	}
	op, known := operators[fn]
	if !known {
		return nil, at(callee, "there is no child or operator %s", fn)
	}
	if f.scope == nil {
		return nil, at(e, "%s is of maps, which are in forward only", fn)
	}
	given := len(a.list)
	y := op.apply(f, a)
	for name := range a.kw {
		a.fail("%s does not take %s", fn, name)
	}
	if op.most >= 0 && given > op.most {
		a.fail("%s takes at most %d arguments in order, got %d", fn, op.most, given)
	}
	if a.err != nil {
		return nil, at(e, "%s: %w", fn, a.err)
	}
	if v, isMap := y.(*onnxbuild.Value); isMap {
		return f.refused(v)
	}
	return y, nil
}

// numeric are Python's functions of numbers; ok is false where the arguments are not numbers.
func (f *frame) numeric(fn string, a *arguments) (v any, ok bool, err error) {
	for _, x := range a.list {
		if _, _, isNumber := number(x); !isNumber {
			return nil, false, nil
		}
	}
	switch {
	case fn == "int" && len(a.list) == 1:
		x, _, _ := number(a.list[0])
		if x > maxInt || x < -maxInt {
			return nil, true, errors.New("the integer is out of range")
		}
		return int64(x), true, nil
	case (fn == "max" || fn == "min") && len(a.list) > 1:
		best := a.list[0]
		for _, x := range a.list[1:] {
			if better, _ := compare(map[string]string{"max": ">", "min": "<"}[fn], x, best); better == true {
				best = x
			}
		}
		return best, true, nil
	}
	return nil, false, nil
}
