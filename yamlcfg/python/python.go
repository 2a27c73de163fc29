package python

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
)

// pythonOperators are the words that make an expression.
var pythonOperators = []string{"if", "or", "and", "is", "not", "in", "for"}

const (
	maxDepth = 64 // nesting of values
	// MaxInt is the largest integer that is read: those beyond are not exact in the floats that channel arithmetic uses.
	MaxInt = 1<<53 - 1
)

// Eval reads a string argument as YOLOv5's parser takes it. That one runs eval on it: names it knows, such as
// nc, give their values; a NameError leaves the string as it is. Here it is parsed as a literal, and what would need
// evaluation is refused.
func Eval(s string, scope map[string]Literal) (Literal, error) {
	p := pyParser{s: strings.TrimRight(strings.TrimLeft(s, " \t"), " \t\n"), scope: scope}
	if p.s == "" {
		return Literal{}, errors.New("YOLOv5 reads a string argument as Python, and an empty string is none")
	}
	l, err := p.value(0)
	p.space()
	switch {
	case err == nil && p.at == len(p.s) && !p.unknown,
		err != nil && !errors.Is(err, errNotPython):
		return l, err
	case err == nil && p.at == len(p.s), hyphenated.MatchString(p.s) && p.unknown:
		return Literal{Kind: String, Str: s}, nil // a NameError
	case err == nil && strings.ContainsRune("+-*/%@&|^<>=!.([?:", rune(p.s[p.at])),
		err == nil && slices.Contains(pythonOperators, word.FindString(p.s[p.at:])):
		return Literal{}, fmt.Errorf("%s is an expression; expressions are not evaluated: write its value", diag.Quote(s))
	}
	return Literal{}, fmt.Errorf("%s is not a Python literal; YOLOv5 reads a string argument as Python", diag.Quote(s))
}

var (
	word       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	hyphenated = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+$`)
	dotted     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*`)
	pyNumber   = regexp.MustCompile(`^(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|` +
		`(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?|` +
		`[0-9](?:_?[0-9])*\.(?:[eE][-+]?[0-9](?:_?[0-9])*)?|` +
		`[0-9](?:_?[0-9])*[eE][-+]?[0-9](?:_?[0-9])*|` +
		`[1-9](?:_?[0-9])*|0(?:_?0)*)`)
)

// errNotPython is the error of a text that has no form of a literal.
var errNotPython = errors.New("not a Python literal")

// parserVariables are the local names of YOLOv5's parser that eval sees, beside those with a value here.
var parserVariables = map[string]bool{"d": true, "ch": true, "layers": true, "save": true, "c1": true, "c2": true, "i": true,
	"f": true, "n": true, "n_": true, "m": true, "m_": true, "args": true, "j": true, "a": true, "t": true, "np": true}

// Builtins are the names of Python's own that could be meant as text: eval gives the function instead.
var Builtins = map[string]bool{"abs": true, "all": true, "any": true, "bool": true, "filter": true, "float": true, "hash": true,
	"id": true, "input": true, "int": true, "iter": true, "len": true, "list": true, "map": true, "max": true, "min": true,
	"next": true, "object": true, "open": true, "pow": true, "range": true, "reversed": true, "round": true, "set": true,
	"slice": true, "sorted": true, "str": true, "sum": true, "tuple": true, "type": true, "zip": true}

// pyParser parses Python literals: numbers, strings, lists, tuples, names, and calls of torch.nn classes.
type pyParser struct {
	s       string
	at      int
	scope   map[string]Literal
	unknown bool // a name without a value occurred: Python raises NameError
}

func (p *pyParser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

// take consumes c after spaces, if it is next.
func (p *pyParser) take(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *pyParser) value(depth int) (Literal, error) {
	if depth > maxDepth {
		return Literal{}, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	p.space()
	if p.at == len(p.s) {
		return Literal{}, errNotPython
	}
	switch c := p.s[p.at]; {
	case c == '-' || c == '+':
		return p.signed(depth)
	case c >= '0' && c <= '9' || c == '.':
		return p.number()
	case c == '\'' || c == '"':
		return p.str()
	case c == '[':
		p.at++
		items, _, err := p.items(']', depth)
		return Literal{Kind: List, Items: items}, err
	case c == '(':
		p.at++
		items, comma, err := p.items(')', depth)
		if err == nil && len(items) == 1 && !comma {
			return items[0], nil
		}
		return Literal{Kind: Tuple, Items: items}, err
	case c == '{':
		return Literal{}, errors.New("dicts and sets are not taken as arguments")
	}
	return p.name(depth)
}

func (p *pyParser) signed(depth int) (Literal, error) {
	negative := p.s[p.at] == '-'
	p.at++
	l, err := p.value(depth + 1)
	if err != nil {
		return l, err
	}
	switch {
	case l.Kind != Int && l.Kind != Float:
		return l, errNotPython
	case negative:
		l.Int, l.Float = -l.Int, -l.Float
	}
	return l, nil
}

func (p *pyParser) number() (Literal, error) {
	text := pyNumber.FindString(p.s[p.at:])
	if text == "" {
		return Literal{}, errNotPython
	}
	p.at += len(text)
	if p.at < len(p.s) && (word.MatchString(p.s[p.at:]) || p.s[p.at] >= '0' && p.s[p.at] <= '9') {
		return Literal{}, errNotPython // 08, 1j, 2x
	}
	prefixed := len(text) > 1 && text[0] == '0' && strings.ContainsRune("xXoObB", rune(text[1]))
	if !prefixed && strings.ContainsAny(text, ".eE") {
		f, _ := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64) // out of range is an infinity, as in Python
		return Literal{Kind: Float, Float: f}, nil
	}
	digits := strings.ReplaceAll(text, "_", "")
	base := 0
	if !prefixed {
		base = 10
	}
	v, err := strconv.ParseInt(digits, base, 64)
	if err != nil || v > MaxInt {
		return Literal{}, fmt.Errorf("the integer %.40s is out of range", text)
	}
	return Literal{Kind: Int, Int: v}, nil
}

// items reads values up to the closing bracket; comma says whether a comma followed the last one.
func (p *pyParser) items(closing byte, depth int) (items []Literal, comma bool, err error) {
	for {
		if p.take(closing) {
			return items, comma, nil
		}
		if len(items) > 0 && !comma {
			return nil, false, p.notAtom()
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return nil, false, err
		}
		items = append(items, item)
		comma = p.take(',')
	}
}

// notAtom is the error for what follows a value where a comma or a bracket should.
func (p *pyParser) notAtom() error {
	if p.at < len(p.s) && strings.ContainsRune("+-*/%@&|^<>=!.([", rune(p.s[p.at])) {
		return fmt.Errorf("%s is an expression; expressions are not evaluated: write its value", diag.Quote(p.s))
	}
	return errNotPython
}

// name reads a name with a value, a dotted name of torch, or a call of a class of torch.nn.
func (p *pyParser) name(depth int) (Literal, error) {
	name := dotted.FindString(p.s[p.at:])
	if name == "" {
		return Literal{}, errNotPython
	}
	p.at += len(name)
	if p.at < len(p.s) && (p.s[p.at] == '\'' || p.s[p.at] == '"') {
		return Literal{}, fmt.Errorf("the prefix %.40s of a string is not taken; write a plain string", name)
	}
	torch := strings.HasPrefix(name, "nn.") || strings.HasPrefix(name, "torch.")
	if p.take('(') {
		if !strings.HasPrefix(strings.TrimPrefix(name, "torch."), "nn.") {
			return Literal{}, fmt.Errorf("%s calls %.40s; calls are not evaluated, only modules of torch.nn such as nn.SiLU() are known", diag.Quote(p.s), name)
		}
		return p.call(name, depth)
	}
	switch {
	case name == "None":
		return Literal{Kind: None}, nil
	case name == "True", name == "False":
		return Literal{Kind: Bool, Bool: name == "True"}, nil
	case torch:
		return Literal{Kind: Name, Str: name}, nil
	}
	if l, ok := p.scope[name]; ok {
		return l, nil
	}
	root, _, _ := strings.Cut(name, ".")
	if _, ok := p.scope[root]; ok {
		return Literal{}, fmt.Errorf("%s is an expression; expressions are not evaluated: write its value", diag.Quote(p.s))
	}
	if parserVariables[root] {
		return Literal{}, fmt.Errorf("%.40s is a variable of YOLOv5's own parser; write the value that is meant", root)
	}
	p.unknown = true
	return Literal{Kind: String, Str: name}, nil
}

// call reads the arguments of a call up to its closing bracket.
func (p *pyParser) call(name string, depth int) (Literal, error) {
	l := Literal{Kind: Call, Str: name}
	for comma := true; ; comma = p.take(',') {
		if p.take(')') {
			return l, nil
		}
		if !comma {
			return l, p.notAtom()
		}
		p.space()
		key := word.FindString(p.s[p.at:])
		after := p.at + len(key)
		for after < len(p.s) && p.s[after] == ' ' {
			after++
		}
		keyword := key != "" && after < len(p.s) && p.s[after] == '=' && !strings.HasPrefix(p.s[after:], "==")
		if keyword {
			p.at = after + 1
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return l, err
		}
		switch {
		case keyword:
			l.Kw = append(l.Kw, Keyword{Name: key, Value: v})
		case len(l.Kw) > 0:
			return l, fmt.Errorf("%s: a positional argument follows a keyword argument", diag.Quote(p.s))
		default:
			l.Items = append(l.Items, v)
		}
	}
}

// str reads a quoted string with Python's escapes.
func (p *pyParser) str() (Literal, error) {
	quote := p.s[p.at]
	var b strings.Builder
	for p.at++; p.at < len(p.s); p.at++ {
		switch c := p.s[p.at]; c {
		case quote:
			p.at++
			return Literal{Kind: String, Str: b.String()}, nil
		case '\n':
			return Literal{}, errNotPython
		case '\\':
			if err := p.escape(&b); err != nil {
				return Literal{}, err
			}
		default:
			b.WriteByte(c)
		}
	}
	return Literal{}, errNotPython
}

// escape reads the escape sequence at a backslash and leaves the parser on its last byte.
func (p *pyParser) escape(b *strings.Builder) error {
	p.at++
	if p.at == len(p.s) {
		return errNotPython
	}
	digits := 0
	switch c := p.s[p.at]; c {
	case '\\', '\'', '"':
		b.WriteByte(c)
	case '\n':
	case 'n', 't', 'r', 'a', 'b', 'f', 'v':
		b.WriteByte("\n\t\r\a\b\f\v"[strings.IndexByte("ntrabfv", c)])
	case '0', '1', '2', '3', '4', '5', '6', '7':
		end := p.at + 1
		for end < len(p.s) && end < p.at+3 && p.s[end] >= '0' && p.s[end] <= '7' {
			end++
		}
		v, _ := strconv.ParseUint(p.s[p.at:end], 8, 32) // three octal digits always parse
		b.WriteRune(rune(v))
		p.at = end - 1
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default: // Python keeps an escape that it does not know
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	if digits == 0 {
		return nil
	}
	if p.at+digits >= len(p.s) {
		return errNotPython
	}
	v, err := strconv.ParseUint(p.s[p.at+1:p.at+1+digits], 16, 32)
	if err != nil || v > 0x10ffff {
		return errNotPython
	}
	b.WriteRune(rune(v))
	p.at += digits
	return nil
}
