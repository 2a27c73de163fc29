package python

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"ysc2onnx/diag"
)

// Kind is the Python type of a Literal.
type Kind int

// The kinds of literals.
const (
	None   Kind = iota
	Bool        // Literal.Bool
	Int         // Literal.Int
	Float       // Literal.Float
	String      // Literal.Str
	List        // Literal.Items
	Tuple       // Literal.Items
	Call        // Literal.Str is the callee's dotted name, Items the positional and Kw the keyword arguments
	Name        // Literal.Str is a dotted name such as nn.SiLU, not called
)

var kindNames = [...]string{None: "None", Bool: "bool", Int: "int", Float: "float", String: "str", List: "list",
	Tuple: "tuple", Call: "call", Name: "name"}

// String gives the Python name of the type, or "call" and "name".
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// Literal is a value of an argument list, as data.
type Literal struct {
	Kind  Kind
	Bool  bool
	Int   int64
	Float float64
	Str   string
	Items []Literal
	Kw    []Keyword // of a Call, in the order written
	Span  diag.Span
}

// Keyword is a keyword argument of a Call.
type Keyword struct {
	Name  string
	Value Literal
}

// Number gives the value of an Int or a Float.
func (l Literal) Number() (float64, bool) {
	switch l.Kind {
	case Int:
		return float64(l.Int), true
	case Float:
		return l.Float, true
	}
	return 0, false
}

// Text gives what Python's str prints of a scalar; false for what is not one.
func (l Literal) Text() (string, bool) {
	switch l.Kind {
	case String:
		return l.Str, true
	case None, Bool, Int, Float:
		return l.Repr(), true
	}
	return "", false
}

// Repr gives what Python's repr prints: None, True, 'nearest', [10, 13], (3, 3), 1e-05. A call prints the last part
// of its name and its arguments as written: SiLU() for nn.SiLU(), LeakyReLU(0.1) for nn.LeakyReLU(0.1).
func (l Literal) Repr() string {
	var b strings.Builder
	l.repr(&b)
	return b.String()
}

func (l Literal) repr(b *strings.Builder) {
	switch l.Kind {
	case None:
		b.WriteString("None")
	case Bool:
		if l.Bool {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case Int:
		b.WriteString(strconv.FormatInt(l.Int, 10))
	case Float:
		b.WriteString(reprFloat(l.Float))
	case String:
		reprString(b, l.Str)
	case List:
		l.reprItems(b, "[", "]")
	case Tuple:
		if len(l.Items) == 1 {
			l.reprItems(b, "(", ",)")
		} else {
			l.reprItems(b, "(", ")")
		}
	case Call:
		l.reprItems(b, l.Str[strings.LastIndexByte(l.Str, '.')+1:]+"(", ")")
	case Name:
		b.WriteString(l.Str)
	}
}

func (l Literal) reprItems(b *strings.Builder, opening, closing string) {
	b.WriteString(opening)
	for i, item := range l.Items {
		if i > 0 {
			b.WriteString(", ")
		}
		item.repr(b)
	}
	for i, kw := range l.Kw {
		if i > 0 || len(l.Items) > 0 {
			b.WriteString(", ")
		}
		b.WriteString(kw.Name + "=")
		kw.Value.repr(b)
	}
	b.WriteString(closing)
}

// reprFloat prints the shortest digits that read back, with an exponent below 1e-4 and from 1e16 on.
func reprFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// reprString quotes with ' unless only that occurs in the string, and escapes what is not printable.
func reprString(b *strings.Builder, s string) {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			b.WriteString(`\x` + hex(r, 2))
		case r < 0x10000:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
	}
	b.WriteRune(quote)
}

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", digits-len(s)) + s
}

// Equal reports whether two literals are of the same type and value, wherever they stand: 1 and 1.0 are not.
func (l Literal) Equal(other Literal) bool {
	same := func(a, b Keyword) bool { return a.Name == b.Name && a.Value.Equal(b.Value) }
	float := l.Float == other.Float || math.IsNaN(l.Float) && math.IsNaN(other.Float)
	return l.Kind == other.Kind && l.Bool == other.Bool && l.Int == other.Int && float && l.Str == other.Str &&
		slices.EqualFunc(l.Items, other.Items, Literal.Equal) && slices.EqualFunc(l.Kw, other.Kw, same)
}
