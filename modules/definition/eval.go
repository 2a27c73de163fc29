package definition

import (
	"errors"
	"fmt"
	"strings"

	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
)

// size is a dimension that is known only when the model runs.
type size struct {
	of   *onnxbuild.Value
	axis int
}

// frame is where an expression is computed.
type frame struct {
	env   map[string]any
	def   *module
	scope *modules.Scope // nil where the module is made: only numbers are known there
	built map[string]modules.Module
}

// placed is an error at an offset of a statement.
type placed struct {
	at  int
	err error
}

func (e *placed) Error() string { return e.err.Error() }

func at(e *expr, format string, args ...any) error { return &placed{e.at, fmt.Errorf(format, args...)} }

// kind names what a value is, for messages.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64, float64:
		return "a number"
	case string:
		return "a text"
	case []any:
		return "a list"
	case size:
		return "a size that is not known before the model runs"
	case *onnxbuild.Value:
		return "a map"
	case missing:
		return v.what
	}
	return "that"
}

// missing is a value of PyTorch's that nothing here computes, and that is fine unless it is used.
type missing struct{ what string }

func (f *frame) eval(e *expr) (any, error) {
	v, err := f.compute(e)
	if err != nil {
		if p := (*placed)(nil); !errors.As(err, &p) {
			err = &placed{e.at, err}
		}
	}
	return v, err
}

func (f *frame) compute(e *expr) (any, error) {
	switch e.op {
	case "number":
		return e.num, nil
	case "text":
		return e.text, nil
	case "name":
		return f.name(e)
	case "list":
		return f.list(e.kids)
	case "if":
		c, err := f.condition(e.kids[0])
		if err != nil {
			return nil, err
		}
		if c {
			return f.eval(e.kids[1])
		}
		return f.eval(e.kids[2])
	case "and", "or":
		left, err := f.eval(e.kids[0])
		if err != nil {
			return nil, err
		}
		if c, err := truth(left); err != nil || c == (e.op == "or") {
			return left, err
		}
		return f.eval(e.kids[1])
	case "attr":
		if e.text != "shape" {
			return nil, at(e, "%s is not an attribute here: a method is called, as in x.%s()", e.text, e.text)
		}
		x, err := f.tensor(e.kids[0])
		if err != nil {
			return nil, err
		}
		return shapeOf(x), nil
	case "index":
		return f.index(e)
	case "call":
		return f.call(e)
	}
	return f.operator(e)
}

func (f *frame) condition(e *expr) (bool, error) {
	v, err := f.eval(e)
	if err != nil {
		return false, err
	}
	return truth(v)
}

func (f *frame) list(kids []*expr) ([]any, error) {
	list := make([]any, 0, len(kids))
	for _, k := range kids {
		v, err := f.eval(k)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (f *frame) name(e *expr) (any, error) {
	if v, ok := f.env[e.text]; ok {
		return v, nil
	}
	if p := f.def.parameter(e.text); p != nil && f.scope != nil {
		return f.parameter(p)
	}
	return nil, fmt.Errorf("%s has no value here", e.text)
}

// shapeOf are the sizes of a map: numbers where they are known.
func shapeOf(x *onnxbuild.Value) []any {
	var list []any
	for i, d := range x.Shape {
		if n, ok := d.Static(); ok {
			list = append(list, n)
		} else {
			list = append(list, size{x, i})
		}
	}
	return list
}

// tensor computes a map.
func (f *frame) tensor(e *expr) (*onnxbuild.Value, error) {
	v, err := f.eval(e)
	if err != nil {
		return nil, err
	}
	x, ok := v.(*onnxbuild.Value)
	if !ok {
		return nil, at(e, "is %s, where a map is expected", kind(v))
	}
	return x, nil
}

func (f *frame) operator(e *expr) (any, error) {
	values, err := f.list(e.kids)
	if err != nil {
		return nil, err
	}
	x, isMap := values[0].(*onnxbuild.Value)
	if strings.HasSuffix(e.op, "x") {
		switch {
		case e.op == "notx":
			c, err := truth(values[0])
			return !c, err
		case isMap && e.op == "-x":
			return f.scope.Neg(x), nil
		case isMap:
			return x, nil
		}
		return arithmetic(e.op[:1], int64(0), values[0])
	}
	y, other := values[1].(*onnxbuild.Value)
	if !isMap && !other {
		if contains(levels[2], e.op) {
			return compare(e.op, values[0], values[1])
		}
		return arithmetic(e.op, values[0], values[1])
	}
	if x, err = f.operand(x, values[0]); err == nil {
		y, err = f.operand(y, values[1])
	}
	if err != nil {
		return nil, err
	}
	s := f.scope
	apply := map[string]func(a, b *onnxbuild.Value) *onnxbuild.Value{
		"+": s.Add, "-": s.Sub, "*": s.Mul, "/": s.Div, "**": s.Pow, "@": s.MatMul,
		">": s.Greater, ">=": s.GreaterOrEqual, "<": s.Less, "<=": s.LessOrEqual,
	}[e.op]
	if apply == nil {
		return nil, fmt.Errorf("%s is of numbers, not of maps", e.op)
	}
	return f.refused(apply(x, y))
}

// operand is a map, or a number as one.
func (f *frame) operand(x *onnxbuild.Value, v any) (*onnxbuild.Value, error) {
	if x != nil {
		return x, nil
	}
	n, _, ok := number(v)
	if !ok {
		return nil, fmt.Errorf("%s cannot be computed with a map", kind(v))
	}
	return f.scope.Scalar("number", float32(n)), nil
}

// refused ends the forward where an operator did not fit: the graph has the reason, and it is placed here.
func (f *frame) refused(y *onnxbuild.Value) (any, error) {
	if y.Refused() {
		return nil, errRefused
	}
	return y, nil
}

var errRefused = fmt.Errorf("refused")

// index takes an item of a list, or a part of a map along its axes.
func (f *frame) index(e *expr) (any, error) {
	v, err := f.eval(e.kids[0])
	if err != nil {
		return nil, err
	}
	axes := e.kids[1].kids
	if list, ok := v.([]any); ok && len(axes) == 1 {
		return f.item(list, axes[0])
	}
	x, ok := v.(*onnxbuild.Value)
	if !ok || len(axes) > len(x.Shape) {
		return nil, at(e, "%s has no such parts", kind(v))
	}
	for i, cut := range axes {
		if cut.op != "slice" {
			return nil, at(cut, "a part of a map is a range, as [:, :c]")
		}
		n, static := x.Dim(i).Static()
		bounds := [2]int64{0, 1<<31 - 1}
		for k, bound := range cut.kids {
			if bound == nil {
				continue
			}
			if bounds[k], err = f.integer(bound); err != nil {
				return nil, err
			}
			if bounds[k] < 0 && static {
				bounds[k] += n
			}
		}
		if cut.kids[0] == nil && cut.kids[1] == nil {
			continue
		}
		if bounds[0] < 0 || bounds[1] < 0 {
			return nil, at(cut, "a bound from the end needs a size that is known before the model runs")
		}
		if static {
			bounds[1] = min(bounds[1], n)
		}
		x = f.scope.Slice(x, int64(i), bounds[0], bounds[1])
	}
	return f.refused(x)
}

func (f *frame) item(list []any, e *expr) (any, error) {
	if e.op == "slice" {
		bounds := [2]int64{0, int64(len(list))}
		for k, bound := range e.kids {
			n, err := bounds[k], error(nil)
			if bound != nil {
				n, err = f.integer(bound)
			}
			if err != nil {
				return nil, err
			}
			if n < 0 {
				n += int64(len(list))
			}
			bounds[k] = max(0, min(n, int64(len(list))))
		}
		return list[bounds[0]:max(bounds[0], bounds[1])], nil
	}
	i, err := f.integer(e)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i += int64(len(list))
	}
	if i < 0 || i >= int64(len(list)) {
		return nil, at(e, "the list has %d items", len(list))
	}
	if m, ok := list[i].(missing); ok {
		return nil, at(e, "%s: not converted", m.what)
	}
	return list[i], nil
}

func (f *frame) integer(e *expr) (int64, error) {
	v, err := f.eval(e)
	if err != nil {
		return 0, err
	}
	if n, ok := v.(int64); ok {
		return n, nil
	}
	return 0, at(e, "is %s, where an integer is expected", kind(v))
}
