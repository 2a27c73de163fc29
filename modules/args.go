package modules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/yamlcfg"
)

// Args are the arguments of one row, as YOLOv5's parser hands them to a module's constructor. Each call takes the next
// one that the YAML has; what is wrong with it is reported at its place.
type Args struct {
	C1, C2 int         // channels in, and out as the width gain leaves them (wirings that take them)
	N      int         // repeats (wirings that take them)
	In     []int       // channels of each input
	Act    *Activation // the model's default activation

	wiring   Wiring // the table's, or what a checkpoint shows it to be
	row      *yamlcfg.Row
	model    *yamlcfg.Model
	diags    *yamlcfg.Diagnostics
	rest     []yamlcfg.Literal // not taken yet
	names    []string          // of the arguments asked for
	taken    []string          // what was given for them, or their defaults
	failed   bool
	scalable bool // the first argument was taken as c2
}

// Errorf reports an error at the row's arguments.
func (a *Args) Errorf(format string, args ...any) { a.errorAt(a.row.ArgsSpan, format, args...) }

func (a *Args) errorAt(span yamlcfg.Span, format string, args ...any) {
	a.failed = true
	a.diags.Errorf(span, a.row.Module+": "+format, args...)
}

// Warnf reports what is probably not meant, at the row's arguments.
func (a *Args) Warnf(format string, args ...any) {
	a.diags.Warnf(a.row.ArgsSpan, a.row.Module+": "+format, args...)
}

// next takes the next argument; ok is false where the YAML has no more.
func (a *Args) next(name string) (l yamlcfg.Literal, ok bool) {
	a.names = append(a.names, name)
	if len(a.rest) == 0 {
		return l, false
	}
	l, a.rest = a.rest[0], a.rest[1:]
	return l, true
}

func (a *Args) wrong(name string, l yamlcfg.Literal, expected string) {
	if l.Span.IsZero() {
		a.Errorf("argument %s is missing, expected %s", name, expected)
		return
	}
	a.errorAt(l.Span, "argument %s is %s, expected %s", name, l.Repr(), expected)
}

// limit bounds integer arguments: far above any real one, and safe to multiply.
const limit = 1 << 20

// keep notes what an argument came out as.
func keep[T any](a *Args, value T) T {
	a.taken = append(a.taken, fmt.Sprint(value))
	return value
}

// Int takes an integer, 0 or more; as in Python, True is 1 and False is 0.
func (a *Args) Int(name string, def int) int { return keep(a, a.int(name, def)) }

func (a *Args) int(name string, def int) int {
	l, ok := a.next(name)
	switch {
	case !ok:
		return def
	case l.Kind == yamlcfg.Bool:
		if l.Bool {
			return 1
		}
		return 0
	case l.Kind == yamlcfg.Int && l.Int >= 0 && l.Int <= limit:
		return int(l.Int)
	}
	a.wrong(name, l, "an integer from 0 to 1048576")
	return def
}

// Positive takes an integer, 1 or more.
func (a *Args) Positive(name string, def int) int {
	if len(a.rest) > 0 && a.rest[0].Kind == yamlcfg.Int && a.rest[0].Int < 1 {
		l, _ := a.next(name)
		a.wrong(name, l, "an integer of at least 1")
		return def
	}
	return a.Int(name, def)
}

// Pair takes one positive integer for height and width, or a list or tuple of two.
func (a *Args) Pair(name string, def int) [2]int {
	return keep(a, a.pair(name, def, 1, "an integer of at least 1, or two for height and width"))
}

// PadOrNone takes a padding, 0 or more, or a pair of them; None, which is the default, gives -1.
func (a *Args) PadOrNone(name string) [2]int {
	if len(a.rest) > 0 && a.rest[0].Kind == yamlcfg.None {
		a.next(name)
		return keep(a, square(-1))
	}
	return keep(a, a.pair(name, -1, 0, "None, an integer of at least 0, or two for height and width"))
}

func (a *Args) pair(name string, def int, least int64, expected string) [2]int {
	l, ok := a.next(name)
	if !ok {
		return square(def)
	}
	both := []yamlcfg.Literal{l, l}
	if l.Kind == yamlcfg.List || l.Kind == yamlcfg.Tuple {
		both = l.Items
	}
	if len(both) != 2 || both[0].Kind != yamlcfg.Int || both[1].Kind != yamlcfg.Int ||
		min(both[0].Int, both[1].Int) < least || max(both[0].Int, both[1].Int) > limit {
		a.wrong(name, l, expected)
		return square(1)
	}
	return [2]int{int(both[0].Int), int(both[1].Int)}
}

// Odd takes a positive odd integer: the size of a kernel that keeps the size of a map.
func (a *Args) Odd(name string, def int) int {
	if len(a.rest) > 0 && a.rest[0].Kind == yamlcfg.Int && a.rest[0].Int%2 == 0 {
		l, _ := a.next(name)
		a.wrong(name, l, "an odd number: an even kernel would change the size of the map")
		return def
	}
	return a.Positive(name, def)
}

// Bool takes a truth value; numbers count as in Python.
func (a *Args) Bool(name string, def bool) bool { return keep(a, a.bool(name, def)) }

func (a *Args) bool(name string, def bool) bool {
	l, ok := a.next(name)
	if !ok {
		return def
	}
	if x, number := l.Number(); number {
		return x != 0
	}
	if l.Kind != yamlcfg.Bool && l.Kind != yamlcfg.None {
		a.wrong(name, l, "True or False")
	}
	return l.Bool
}

// Float takes a number.
func (a *Args) Float(name string, def float64) float64 { return keep(a, a.float(name, def)) }

func (a *Args) float(name string, def float64) float64 {
	l, ok := a.next(name)
	if !ok {
		return def
	}
	x, number := l.Number()
	if !number || x < -limit || x > limit {
		a.wrong(name, l, "a number")
		return def
	}
	return x
}

// Activation takes what YOLOv5's Conv takes as act: True for the default, a torch.nn module, anything else for none.
func (a *Args) Activation(name string) *Activation {
	act := a.activation(name)
	a.taken = append(a.taken, act.text())
	return act
}

func (a *Args) activation(name string) *Activation {
	l, ok := a.next(name)
	switch {
	case !ok || l.Kind == yamlcfg.Bool && l.Bool:
		return a.Act
	case l.Kind == yamlcfg.Bool || l.Kind == yamlcfg.None:
		return nil
	case l.Kind != yamlcfg.Call:
		a.wrong(name, l, "True, False or a torch.nn activation such as nn.ReLU()")
		return nil
	}
	act, err := activation(l)
	if err != nil {
		a.errorAt(l.Span, "%v", err)
	}
	return act
}

// Literal takes an argument of any kind.
func (a *Args) Literal(name string) (yamlcfg.Literal, bool) {
	l, ok := a.next(name)
	if ok {
		a.taken = append(a.taken, l.Repr())
	}
	return l, ok
}

// SameArguments reports whether two rows, each of its own YAML, give a module of the table the same arguments: scaled by
// depth and width, and with the defaults of those that are left out. Rows of modules that are not in the table, and of
// arguments that are wrong, have to be written alike.
func SameArguments(a, b *yamlcfg.Model, row, other *yamlcfg.Row) bool {
	if slices.EqualFunc(row.Args, other.Args, func(x, y yamlcfg.Literal) bool { return x.Repr() == y.Repr() }) &&
		a.ScaleDepth(row.Number) == b.ScaleDepth(other.Number) && a.WidthMultiple == b.WidthMultiple && a.ChannelMultiple == b.ChannelMultiple {
		return true
	}
	if spec := byName[row.Module]; spec != nil && spec.Wiring == Head && len(row.Args) > 0 && len(other.Args) > 0 {
		return row.Args[0].Repr() == other.Args[0].Repr() // what follows are the anchors, a tensor of the model
	}
	first, ok1 := takenBy(a, row)
	second, ok2 := takenBy(b, other)
	return ok1 && ok2 && row.Module == other.Module && slices.Equal(first, second)
}

// takenBy lists what a row's constructor gets; ok is false where it cannot be made.
func takenBy(cfg *yamlcfg.Model, row *yamlcfg.Row) (list []string, ok bool) {
	spec := byName[row.Module]
	if spec == nil || row.Broken {
		return nil, false
	}
	b := &builder{cfg: cfg, diags: yamlcfg.NewDiagnostics(cfg.Source), act: SiLU(), lowering: &lowering{}}
	a, channels := b.args(row, spec, make([]output, max(len(row.From), 1)))
	if a == nil {
		return nil, false
	}
	if spec.Join != nil {
		spec.Join(a)
	} else {
		spec.New(a)
	}
	a.end()
	return append(a.taken, strconv.Itoa(channels), strconv.Itoa(a.N)), !a.failed
}

// end reports the arguments that no one took.
func (a *Args) end() {
	if len(a.rest) == 0 || a.failed {
		return
	}
	names := a.names
	if a.scalable {
		names = append([]string{"c2"}, names...)
	}
	if len(names) == 0 {
		a.errorAt(a.rest[0].Span, "takes no arguments, got %d", len(a.row.Args))
		return
	}
	a.errorAt(a.rest[0].Span, "takes at most %d arguments (%s), got %d", len(names), strings.Join(names, ", "), len(a.row.Args))
}
