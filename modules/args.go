package modules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// Args are the arguments of one row, as YOLOv5's parser hands them to a module's constructor. Each call takes the next
// one that the YAML has; what is wrong with it is reported at its place.
type Args struct {
	C1, C2 int         // channels in, 0 where an earlier error hides them, and out as the width gain leaves them (wirings that take them)
	N      int         // repeats, as the depth gain leaves them
	In     []int       // channels of each input
	Act    *Activation // the model's default activation

	row     *yamlcfg.Row
	model   *yamlcfg.Model
	diags   *diag.Diagnostics
	trained Trained          // nil without a checkpoint
	rest    []python.Literal // not taken yet
	names   []string         // of the arguments asked for
	given   []Argument       // what was given for them, or their defaults
	shown   []string         // all that the constructor gets, as Python prints it
	blocks  BlockWiring
	noted   map[string]bool // the notes that were given about the whole model
	inside  bool            // the repeats are inside the module
	failed  bool
	scaled  bool // the first argument was taken as c2
	called  bool // the arguments are those of the constructor itself, in another module's: see [Spec.Call]
	wired   bool // the wiring knows how the constructor is called
	made    *int // modules that were made of the row
	bound   any  // what the wiring found out
}

// Argument is one that a constructor took, with its resolved value: the default where the row leaves it out.
type Argument struct {
	Name  string
	Value any // an int, [2]int, bool, float64, *Activation or python.Literal
}

// equal reports whether two arguments make the same module.
func (a Argument) equal(b Argument) bool {
	if a.Name != b.Name {
		return false
	}
	switch x := a.Value.(type) {
	case python.Literal:
		y, ok := b.Value.(python.Literal)
		return ok && x.Equal(y)
	case *Activation:
		y, ok := b.Value.(*Activation)
		return ok && x.text() == y.text()
	}
	if x, ok := a.Value.([]int); ok {
		y, ok := b.Value.([]int)
		return ok && slices.Equal(x, y)
	}
	return a.Value == b.Value
}

// WarnAt warns, at a place in the YAML, of what is probably a mistake.
func (a *Args) WarnAt(code diag.Code, span diag.Span, format string, args ...any) {
	a.diags.Warnf(code, span, a.row.Module+": "+format, args...)
}

// NoteOnce adds a note at the first place in the YAML that it applies to.
func (a *Args) NoteOnce(span diag.Span, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if a.noted[text] {
		return
	}
	a.noted[text] = true
	a.diags.Infof(span, "%s: %s", a.row.Module, text)
}

// RepeatsInside reports whether the wiring gave the number of repeats to the module.
func (a *Args) RepeatsInside() bool { return a.inside }

// Row is the row of the YAML.
func (a *Args) Row() *yamlcfg.Row { return a.row }

// Model is the YAML.
func (a *Args) Model() *yamlcfg.Model { return a.model }

// path is the state_dict path of the row.
func (a *Args) path() string { return LayerName(a.row.Index) }

// prependShown puts what the parser computes before the row's own arguments.
func (a *Args) prependShown(numbers ...int) {
	front := make([]string, len(numbers))
	for i, n := range numbers {
		front[i] = strconv.Itoa(n)
	}
	a.shown = append(front, a.shown[min(1, len(a.shown)):]...) // a module may take none of the row's
}

// takeC2 takes the first argument as the number of output channels, scaled by the width.
func (a *Args) takeC2() bool {
	if a.called {
		a.C1, a.C2, a.wired = a.Positive("c1", 1), a.Positive("c2", 1), true
		return !a.failed && len(a.row.Args) > 1
	}
	c2, ok := a.next("c2")
	n, number := c2.Number()
	if !ok {
		a.Errorf("needs the number of its output channels as first argument")
		return false
	}
	if !number || n < 1 || n > limit {
		a.Wrong("c2", c2, "the number of output channels, 1 to 1048576")
		return false
	}
	a.names, a.scaled = nil, true
	a.C2 = int(n)
	if a.C2 != a.model.NumOutputs() || n != float64(a.C2) {
		a.C2 = a.model.ScaleWidth(n)
	}
	if a.C2 < 1 || a.C2 > limit {
		a.Wrong("c2", c2, "channels that width_multiple leaves between 1 and 1048576")
		return false
	}
	if a.C1 == 0 { // messages about the arguments must not depend on an earlier error
		a.C1 = a.C2
	}
	return true
}

// Errorf reports an error at the row's arguments.
func (a *Args) Errorf(format string, args ...any) { a.ErrorAt(a.row.ArgsSpan, format, args...) }

// ErrorAt reports an error at a place in the YAML.
func (a *Args) ErrorAt(span diag.Span, format string, args ...any) {
	a.failed = true
	a.diags.Errorf(span, a.row.Module+": "+format, args...)
}

// Warnf warns, at the row's arguments, of what is probably a mistake.
func (a *Args) Warnf(code diag.Code, format string, args ...any) {
	a.WarnAt(code, a.row.ArgsSpan, format, args...)
}

// next takes the next argument; ok is false where the YAML has no more.
func (a *Args) next(name string) (l python.Literal, ok bool) {
	a.names = append(a.names, name)
	if len(a.rest) == 0 {
		return l, false
	}
	l, a.rest = a.rest[0], a.rest[1:]
	return l, true
}

// Wrong reports an argument that is missing or is not what was expected.
func (a *Args) Wrong(name string, l python.Literal, expected string) {
	if l.Span.IsZero() {
		a.Errorf("argument %s is missing, expected %s", name, expected)
		return
	}
	a.ErrorAt(l.Span, "argument %s is %s, expected %s", name, l.Repr(), expected)
}

// limit bounds integer arguments: far above any real one, and safe to multiply.
const limit = 1 << 20

// record keeps the value of the argument that was asked for last.
func record[T any](a *Args, value T) T {
	a.given = append(a.given, Argument{a.names[len(a.names)-1], value})
	return value
}

// Int takes an integer, 0 or more; as in Python, True is 1 and False is 0.
func (a *Args) Int(name string, def int) int { return record(a, a.int(name, def)) }

func (a *Args) int(name string, def int) int {
	l, ok := a.next(name)
	switch {
	case !ok:
		return def
	case l.Kind == python.Bool:
		if l.Bool {
			return 1
		}
		return 0
	case l.Kind == python.Int && l.Int >= 0 && l.Int <= limit:
		return int(l.Int)
	}
	a.Wrong(name, l, "an integer from 0 to 1048576")
	return def
}

// Positive takes an integer, 1 or more.
func (a *Args) Positive(name string, def int) int {
	if len(a.rest) > 0 && (a.rest[0].Kind == python.Int && a.rest[0].Int < 1 || a.rest[0].Kind == python.Bool && !a.rest[0].Bool) {
		l, _ := a.next(name)
		a.Wrong(name, l, "an integer of at least 1")
		return def
	}
	return a.Int(name, def)
}

// Pair takes one positive integer for height and width, or a list or tuple of two.
func (a *Args) Pair(name string, def int) [2]int {
	return record(a, a.pair(name, def, 1, "an integer of at least 1, or two for height and width"))
}

// PadOrNone takes a padding, 0 or more, or a pair of them; None, which is the default, gives -1.
func (a *Args) PadOrNone(name string) [2]int {
	if len(a.rest) > 0 && a.rest[0].Kind == python.None {
		a.next(name)
		return record(a, square(-1))
	}
	return record(a, a.pair(name, -1, 0, "None, an integer of at least 0, or two for height and width"))
}

func (a *Args) pair(name string, def int, least int64, expected string) [2]int {
	l, ok := a.next(name)
	if !ok {
		return square(def)
	}
	both := []python.Literal{l, l}
	if l.Kind == python.List || l.Kind == python.Tuple {
		both = l.Items
	}
	if len(both) != 2 || both[0].Kind != python.Int || both[1].Kind != python.Int ||
		min(both[0].Int, both[1].Int) < least || max(both[0].Int, both[1].Int) > limit {
		a.Wrong(name, l, expected)
		return square(1)
	}
	return [2]int{int(both[0].Int), int(both[1].Int)}
}

// Odd takes a positive odd integer: the size of a kernel that keeps the size of a map.
func (a *Args) Odd(name string, def int) int {
	if len(a.rest) > 0 && a.rest[0].Kind == python.Int && a.rest[0].Int%2 == 0 {
		l, _ := a.next(name)
		a.Wrong(name, l, "an odd number: an even kernel would change the size of the map")
		return def
	}
	return a.Positive(name, def)
}

// Odds takes a list of positive odd integers.
func (a *Args) Odds(name string, def ...int) []int {
	l, ok := a.next(name)
	if !ok {
		return record(a, def)
	}
	var list []int
	for _, item := range l.Items {
		if item.Kind != python.Int || item.Int < 1 || item.Int > limit || item.Int%2 == 0 {
			a.Wrong(name, item, "an odd number: an even kernel would change the size of the map")
			return def
		}
		list = append(list, int(item.Int))
	}
	if len(list) == 0 {
		a.Wrong(name, l, "a list of odd numbers")
		return def
	}
	return record(a, list)
}

// Pad takes a padding, an integer of 0 or more, or a list or tuple of two for height and width.
func (a *Args) Pad(name string, def int) [2]int {
	return record(a, a.pair(name, def, 0, "an integer of at least 0, or two for height and width"))
}

// Sides takes an integer of 0 or more for all sides of a map, or four: left, right, top, bottom.
func (a *Args) Sides(name string) [4]int {
	l, _ := a.next(name)
	items := l.Items
	if l.Kind == python.Int {
		items = []python.Literal{l, l, l, l}
	}
	var sides [4]int
	if len(items) != 4 {
		a.Wrong(name, l, "an integer of at least 0, or four: left, right, top, bottom")
		return sides
	}
	for i, item := range items {
		if item.Kind != python.Int || item.Int < 0 || item.Int > limit {
			a.Wrong(name, item, "an integer from 0 to 1048576")
			return sides
		}
		sides[i] = int(item.Int)
	}
	return record(a, sides)
}

// Bool takes a truth value; numbers count as in Python.
func (a *Args) Bool(name string, def bool) bool { return record(a, a.bool(name, def)) }

func (a *Args) bool(name string, def bool) bool {
	l, ok := a.next(name)
	if !ok {
		return def
	}
	if x, number := l.Number(); number {
		return x != 0
	}
	if l.Kind != python.Bool && l.Kind != python.None {
		a.Wrong(name, l, "True or False")
	}
	return l.Bool
}

// Float takes a number.
func (a *Args) Float(name string, def float64) float64 { return record(a, a.float(name, def)) }

func (a *Args) float(name string, def float64) float64 {
	l, ok := a.next(name)
	if !ok {
		return def
	}
	x, number := l.Number()
	if !number || x < -limit || x > limit {
		a.Wrong(name, l, "a number")
		return def
	}
	return x
}

// Activation takes what YOLOv5's Conv takes as act: True for the default, a torch.nn module, anything else for none.
func (a *Args) Activation(name string) *Activation {
	return record(a, a.activation(name))
}

func (a *Args) activation(name string) *Activation {
	l, ok := a.next(name)
	switch {
	case !ok || l.Kind == python.Bool && l.Bool:
		return a.Act
	case l.Kind == python.Bool || l.Kind == python.None:
		return nil
	case l.Kind != python.Call:
		a.Wrong(name, l, "True, False or a torch.nn activation such as nn.ReLU()")
		return nil
	}
	act, err := activation(l)
	if err != nil {
		a.ErrorAt(l.Span, "%v", err)
	}
	return act
}

// DilationAndActivation takes the dilation and the activation, which is in the dilation's place where a YAML was written for a
// release before 7.0: its Conv and DWConv have no dilation.
func (a *Args) DilationAndActivation() (dilation int, act *Activation) {
	if len(a.rest) == 1 {
		switch l := a.rest[0]; l.Kind {
		case python.Call, python.Bool, python.None:
			a.NoteOnce(l.Span, "the activation is where release 7.0 has the dilation: the argument order of earlier releases is assumed")
			a.names = append(a.names, "d")
			return record(a, 1), a.Activation("act")
		}
	}
	return a.Positive("d", 1), a.Activation("act")
}

// Literal takes an argument of any kind.
func (a *Args) Literal(name string) (python.Literal, bool) {
	l, ok := a.next(name)
	return record(a, l), ok
}

// Replaced takes an argument of any kind that a checkpoint's tensor replaces: YAML and checkpoint may differ in it.
func (a *Args) Replaced(name string) python.Literal {
	l, _ := a.next(name)
	return l
}

// rejectLeftovers reports the arguments that the constructor did not take.
func (a *Args) rejectLeftovers() {
	if len(a.rest) == 0 || a.failed {
		return
	}
	names := a.names
	if a.scaled {
		names = append([]string{"c2"}, names...)
	}
	if len(names) == 0 {
		a.ErrorAt(a.rest[0].Span, "takes no arguments, got %d", len(a.row.Args))
		return
	}
	a.ErrorAt(a.rest[0].Span, "takes at most %d arguments (%s), got %d", len(names), strings.Join(names, ", "), len(a.row.Args))
}
