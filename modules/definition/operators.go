package definition

import (
	"fmt"

	"ysc2onnx/onnxbuild"
)

// arguments are those of a call, by position and by name; what is taken is marked.
type arguments struct {
	list []any
	kw   map[string]any
	err  error
}

// get takes the i-th argument, which may be given by name.
func (a *arguments) get(i int, name string, usual any) any {
	if v, ok := a.kw[name]; ok {
		delete(a.kw, name)
		if i < len(a.list) {
			a.fail("%s is given twice", name)
		}
		return v
	}
	if i < len(a.list) {
		return a.list[i]
	}
	return usual
}

func (a *arguments) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

func (a *arguments) integer(i int, name string) int64 {
	v := a.get(i, name, int64(0))
	n, ok := v.(int64)
	if !ok {
		a.fail("%s is %s, expected an integer", name, kind(v))
	}
	return n
}

func (a *arguments) flag(i int, name string) bool {
	c, err := truth(a.get(i, name, false))
	if err != nil {
		a.fail("%s: %v", name, err)
	}
	return c
}

func (a *arguments) number(i int, name string, usual float64) float64 {
	v := a.get(i, name, usual)
	x, _, ok := number(v)
	if !ok {
		a.fail("%s is %s, expected a number", name, kind(v))
	}
	return x
}

func (a *arguments) tensor(i int, name string) *onnxbuild.Value {
	v := a.get(i, name, nil)
	x, ok := v.(*onnxbuild.Value)
	if !ok {
		a.fail("%s is %s, expected a map", name, kind(v))
		return &onnxbuild.Value{}
	}
	return x
}

// axis is an axis of x, counted from the front.
func (a *arguments) axis(n int64, x *onnxbuild.Value) int64 {
	rank := int64(len(x.Shape))
	if n < -rank || n >= rank {
		a.fail("there is no axis %d of %s", n, x.Shape)
		return 0
	}
	return (n + rank) % rank
}

// axes are one axis or a list of them.
func (a *arguments) axes(i int, name string, x *onnxbuild.Value) (list []int64) {
	v := a.get(i, name, nil)
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	for _, item := range items {
		n, ok := item.(int64)
		if !ok {
			a.fail("%s is %s, expected an axis or a list of axes", name, kind(item))
			return []int64{0}
		}
		list = append(list, a.axis(n, x))
	}
	return list
}

// maps are the maps of a list.
func (a *arguments) maps(i int, name string) (list []*onnxbuild.Value) {
	v := a.get(i, name, nil)
	items, ok := v.([]any)
	for _, item := range items {
		x, isMap := item.(*onnxbuild.Value)
		if ok = ok && isMap; isMap {
			list = append(list, x)
		}
	}
	if !ok || len(list) == 0 {
		a.fail("%s is %s, expected a list of maps", name, kind(v))
		return []*onnxbuild.Value{{}}
	}
	return list
}

// rest are the integers from the i-th on, or those of a list there; sizes that are not known are left as they are.
func (a *arguments) rest(i int) []any {
	list := a.list[min(i, len(a.list)):]
	if len(list) == 1 {
		if inner, ok := list[0].([]any); ok {
			list = inner
		}
	}
	a.list = a.list[:min(i, len(a.list))]
	return list
}

type operator struct {
	most  int // arguments by position; -1 for any number
	apply func(f *frame, a *arguments) any
}

func unary(apply func(f *frame, x *onnxbuild.Value) *onnxbuild.Value) operator {
	return operator{1, func(f *frame, a *arguments) any {
		x := a.tensor(0, "input")
		if a.err != nil {
			return nil
		}
		return apply(f, x)
	}}
}

func reduction(r onnxbuild.Reduction) operator {
	return operator{3, func(f *frame, a *arguments) any {
		x := a.tensor(0, "input")
		axes, keep := a.axes(1, "dim", x), a.flag(2, "keepdim")
		if a.err != nil {
			return nil
		}
		return f.scope.Reduce(r, x, keep, axes...)
	}}
}

// largest is torch.max or torch.min: of two maps, or along an axis, where it gives indices as well.
func largest(r onnxbuild.Reduction) operator {
	return operator{3, func(f *frame, a *arguments) any {
		x := a.tensor(0, "input")
		axes, keep := a.axes(1, "dim", x), a.flag(2, "keepdim")
		if a.err != nil || len(axes) != 1 {
			a.fail("dim is one axis")
			return nil
		}
		return []any{f.scope.Reduce(r, x, keep, axes...), missing{"the indices of max and min"}}
	}}
}

// operators are the functions, with PyTorch's names; most are methods of a map as well.
var operators map[string]operator

func init() {
	type value = onnxbuild.Value
	operators = map[string]operator{
		"sigmoid":  unary(func(f *frame, x *value) *value { return f.scope.Sigmoid(x) }),
		"relu":     unary(func(f *frame, x *value) *value { return f.scope.Relu(x) }),
		"silu":     unary(func(f *frame, x *value) *value { return f.scope.Mul(x, f.scope.Sigmoid(x)) }),
		"tanh":     unary(func(f *frame, x *value) *value { return f.scope.Tanh(x) }),
		"exp":      unary(func(f *frame, x *value) *value { return f.scope.Exp(x) }),
		"log":      unary(func(f *frame, x *value) *value { return f.scope.Log(x) }),
		"sqrt":     unary(func(f *frame, x *value) *value { return f.scope.Sqrt(x) }),
		"abs":      unary(func(f *frame, x *value) *value { return f.scope.Abs(x) }),
		"softplus": unary(func(f *frame, x *value) *value { return f.scope.Softplus(x) }),
		"mean":     reduction(onnxbuild.Mean), "sum": reduction(onnxbuild.Sum), "amax": reduction(onnxbuild.Max), "amin": reduction(onnxbuild.Min),
		"max": largest(onnxbuild.Max), "min": largest(onnxbuild.Min),
		"softmax": {2, func(f *frame, a *arguments) any {
			x := a.tensor(0, "input")
			axes := a.axes(1, "dim", x)
			if a.err != nil {
				return nil
			}
			return f.scope.Softmax(x, axes[0])
		}},
		"cat": {2, func(f *frame, a *arguments) any {
			list := a.maps(0, "tensors")
			axis := a.axis(a.integer(1, "dim"), list[0])
			if a.err != nil {
				return nil
			}
			return f.scope.Concat(axis, list...)
		}},
		"chunk": {3, func(f *frame, a *arguments) any { return f.cut(a, true) }},
		"split": {3, func(f *frame, a *arguments) any { return f.cut(a, false) }},
		"clamp": {3, func(f *frame, a *arguments) any {
			x, low, high := a.tensor(0, "input"), a.number(1, "min", -3.4e38), a.number(2, "max", 3.4e38)
			if a.err != nil {
				return nil
			}
			return f.scope.Clip(x, low, high)
		}},
		"where": {3, func(f *frame, a *arguments) any {
			c, x, y := a.tensor(0, "condition"), a.get(1, "input", nil), a.get(2, "other", nil)
			vx, _ := x.(*value)
			vy, _ := y.(*value)
			vx, errX := f.operand(vx, x)
			vy, errY := f.operand(vy, y)
			if a.err != nil || errX != nil || errY != nil {
				a.fail("where takes a condition and two maps or numbers")
				return nil
			}
			return f.scope.Where(c, vx, vy)
		}},
		"matmul":  pair(func(f *frame, x, y *value) *value { return f.scope.MatMul(x, y) }),
		"maximum": pair(func(f *frame, x, y *value) *value { return f.scope.Max(x, y) }),
		"minimum": pair(func(f *frame, x, y *value) *value { return f.scope.Min(x, y) }),
		"reshape": {-1, reshape}, "view": {-1, reshape},
		"permute": {-1, func(f *frame, a *arguments) any {
			x := a.tensor(0, "input")
			var perm []int64
			for _, v := range a.rest(1) {
				n, ok := v.(int64)
				if !ok {
					a.fail("an axis is %s", kind(v))
				}
				perm = append(perm, a.axis(n, x))
			}
			if a.err != nil {
				return nil
			}
			return f.scope.Transpose(x, perm...)
		}},
		"transpose": {3, func(f *frame, a *arguments) any {
			x := a.tensor(0, "input")
			i, k := a.axis(a.integer(1, "dim0"), x), a.axis(a.integer(2, "dim1"), x)
			if a.err != nil {
				return nil
			}
			var perm []int64
			for n := range x.Shape {
				perm = append(perm, int64(n))
			}
			perm[i], perm[k] = perm[k], perm[i]
			return f.scope.Transpose(x, perm...)
		}},
		"interpolate": {1, interpolate},
		"pad": {4, func(f *frame, a *arguments) any {
			x := a.tensor(0, "input")
			sides, _ := a.get(1, "pad", nil).([]any)
			mode, value := a.get(2, "mode", "constant"), a.number(3, "value", 0)
			rank := len(x.Shape)
			if mode != "constant" || len(sides) == 0 || len(sides)%2 != 0 || len(sides) > 2*rank {
				a.fail("pad takes pairs of margins, those of the last axis first, and the mode constant")
				return nil
			}
			pads := make([]int64, 2*rank)
			for i := range sides {
				n, ok := sides[i].(int64)
				if !ok || n < 0 || n > 1<<20 {
					a.fail("a margin is an integer of at least 0")
				}
				pads[rank-1-i/2+i%2*rank] = n
			}
			if a.err != nil {
				return nil
			}
			return f.scope.Pad(x, "constant", value, pads...)
		}},
	}
}

func pair(apply func(f *frame, x, y *onnxbuild.Value) *onnxbuild.Value) operator {
	return operator{2, func(f *frame, a *arguments) any {
		x, y := a.tensor(0, "input"), a.tensor(1, "other")
		if a.err != nil {
			return nil
		}
		return apply(f, x, y)
	}}
}

// cut is chunk, into so many parts of which the last may be smaller, or split, into parts of a size or of several.
func (f *frame) cut(a *arguments, count bool) any {
	x := a.tensor(0, "input")
	first, axis := a.get(1, map[bool]string{true: "chunks", false: "split_size_or_sections"}[count], nil), a.axis(a.integer(2, "dim"), x)
	if a.err != nil {
		return nil
	}
	total, static := x.Dim(int(axis)).Static()
	var sizes []int64
	switch v := first.(type) {
	case int64:
		if !static || v < 1 || v > total {
			a.fail("cannot cut %s along the axis %d", x.Shape, axis)
			return nil
		}
		if count {
			v = (total + v - 1) / v
		}
		for left := total; left > 0 && len(sizes) < 1<<12; left -= v {
			sizes = append(sizes, min(v, left))
		}
	case []any:
		for _, item := range v {
			n, _ := item.(int64)
			sizes = append(sizes, n)
		}
	default:
		a.fail("the parts are %s", kind(first))
		return nil
	}
	var list []any
	for _, y := range f.scope.Split(x, axis, sizes...) {
		list = append(list, y)
	}
	return list
}

// reshape takes sizes, of which one may be -1, and those of maps that are not known before the model runs.
func reshape(f *frame, a *arguments) any {
	x := a.tensor(0, "input")
	var parts []*onnxbuild.Value
	for _, v := range a.rest(1) {
		switch v := v.(type) {
		case int64:
			if v < -1 || v == 0 || v > 1<<31 {
				a.fail("a size is at least 1, or -1 for what is left")
			}
			parts = append(parts, f.scope.Ints("shape", v))
		case size:
			parts = append(parts, f.scope.Sizes(v.of, v.axis, v.axis+1))
		default:
			a.fail("a size is %s", kind(v))
		}
	}
	if a.err != nil || len(parts) == 0 {
		a.fail("reshape takes sizes")
		return nil
	}
	shape := parts[0]
	if len(parts) > 1 {
		shape = f.scope.Concat(0, parts...)
	}
	return f.scope.Reshape(x, shape)
}

// interpolate resizes to a scale, or to the height and width of another map.
func interpolate(f *frame, a *arguments) any {
	x := a.tensor(0, "input")
	scale, to, mode := a.get(9, "scale_factor", nil), a.get(9, "size", nil), a.get(9, "mode", "nearest")
	how := onnxbuild.Resizing{Mode: "nearest", Place: "asymmetric", Nearest: "floor"}
	aligned := a.flag(9, "align_corners")
	switch {
	case mode == "bilinear" && aligned:
		how = onnxbuild.Resizing{Mode: "linear", Place: "align_corners"}
	case mode == "bilinear":
		how = onnxbuild.Resizing{Mode: "linear", Place: "half_pixel"}
	case mode != "nearest" || aligned:
		a.fail("the mode is nearest or bilinear")
	}
	if a.err != nil || len(x.Shape) != 4 {
		a.fail("interpolate takes a map of four axes")
		return nil
	}
	if factor, ok := scale.(int64); ok && to == nil && factor >= 1 && factor <= 64 {
		return f.scope.Resize(x, how, 1, 1, float32(factor), float32(factor))
	}
	sides, ok := to.([]any)
	if !ok || len(sides) != 2 || scale != nil {
		a.fail("interpolate takes a whole scale_factor up to 64, or size=y.shape[2:] as (height, width)")
		return nil
	}
	parts := []*onnxbuild.Value{f.scope.Sizes(x, 0, 2)}
	for _, v := range sides {
		switch v := v.(type) {
		case int64:
			parts = append(parts, f.scope.Ints("size", v))
		case size:
			parts = append(parts, f.scope.Sizes(v.of, v.axis, v.axis+1))
		default:
			a.fail("a size is %s", kind(v))
			return nil
		}
	}
	return f.scope.ResizeTo(x, how, f.scope.Concat(0, parts...))
}
