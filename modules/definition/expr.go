package definition

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Limits of an expression, far above any that a person writes.
const (
	maxText  = 2000 // bytes of a statement
	maxDepth = 40   // of nested expressions
)

// expr is a node of a parsed expression.
type expr struct {
	op   string // "number", "text", "name", "list", "call", "index", "slice", "attr", "if", a prefix such as "-x", or an operator
	kids []*expr
	num  any    // int64, float64, bool or nil, of a number
	text string // of a name, an attribute, a text; of a call, the function
	kw   map[string]*expr
	at   int // offset in the statement
}

// syntaxError is what is wrong with a text, and where.
type syntaxError struct {
	at  int
	msg string
}

func (e *syntaxError) Error() string { return e.msg }

var tokens = regexp.MustCompile(`^(?:\s+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[A-Za-z_][A-Za-z0-9_]*|'[^'\\]*'|"[^"\\]*"|//|\*\*|==|!=|<=|>=|[-+*/%@<>()\[\],.:=])`)

type token struct {
	text string
	at   int
}

type parser struct {
	tokens []token
	at     int
	end    int
}

// parse reads a statement's expression, which may be several with commas: a tuple.
func parse(text string) (*expr, error) {
	p, err := scan(text)
	if err != nil {
		return nil, err
	}
	e, err := p.tuple(0)
	if err == nil && p.at < len(p.tokens) {
		err = p.fail("unexpected %q", p.tokens[p.at].text)
	}
	return e, err
}

func scan(text string) (*parser, error) {
	if len(text) > maxText {
		return nil, &syntaxError{0, fmt.Sprintf("longer than %d bytes", maxText)}
	}
	p := &parser{end: len(text)}
	for at := 0; at < len(text); {
		t := tokens.FindString(text[at:])
		if t == "" {
			return nil, &syntaxError{at, fmt.Sprintf("%q has no meaning in an expression", text[at:at+1])}
		}
		if strings.TrimSpace(t) != "" {
			p.tokens = append(p.tokens, token{t, at})
		}
		at += len(t)
	}
	return p, nil
}

func (p *parser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at].text
	}
	return ""
}

func (p *parser) place() int {
	if p.at < len(p.tokens) {
		return p.tokens[p.at].at
	}
	return p.end
}

func (p *parser) take(text string) bool {
	if p.peek() == text {
		p.at++
		return true
	}
	return false
}

func (p *parser) fail(format string, args ...any) error {
	return &syntaxError{p.place(), fmt.Sprintf(format, args...)}
}

func (p *parser) expect(text string) error {
	if !p.take(text) {
		return p.fail("expected %q", text)
	}
	return nil
}

// tuple is one expression, or a list of those with commas between.
func (p *parser) tuple(depth int) (*expr, error) {
	at := p.place()
	e, err := p.expression(depth)
	if err != nil || p.peek() != "," {
		return e, err
	}
	list := &expr{op: "list", kids: []*expr{e}, at: at}
	for p.take(",") && p.at < len(p.tokens) && p.peek() != ")" {
		if e, err = p.expression(depth); err != nil {
			return nil, err
		}
		list.kids = append(list.kids, e)
	}
	return list, nil
}

// expression is "a if c else b", or what binds tighter.
func (p *parser) expression(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, p.fail("nested more than %d deep", maxDepth)
	}
	then, err := p.binary(depth+1, 0)
	if err != nil || p.peek() != "if" {
		return then, err
	}
	at := p.place()
	p.at++
	condition, err := p.binary(depth+1, 0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	other, err := p.expression(depth + 1)
	return &expr{op: "if", kids: []*expr{condition, then, other}, at: at}, err
}

// levels are the binary operators, those that bind least first.
var levels = [][]string{{"or"}, {"and"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "//", "%", "@"}}

func (p *parser) binary(depth, level int) (*expr, error) {
	if level == len(levels) {
		return p.unary(depth)
	}
	left, err := p.binary(depth, level+1)
	for chain := 0; err == nil && contains(levels[level], p.peek()); chain++ {
		if level == 2 && chain > 0 {
			return nil, p.fail("comparisons cannot follow each other")
		}
		at, op := p.place(), p.peek()
		p.at++
		var right *expr
		right, err = p.binary(depth, level+1)
		left = &expr{op: op, kids: []*expr{left, right}, at: at}
		if chain > maxDepth {
			return nil, p.fail("more than %d operators in a row", maxDepth)
		}
	}
	return left, err
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// unary is a sign or not, or a power, which binds tighter than a sign before it.
func (p *parser) unary(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, p.fail("nested more than %d deep", maxDepth)
	}
	if op := p.peek(); op == "-" || op == "+" || op == "not" {
		at := p.place()
		p.at++
		x, err := p.unary(depth + 1)
		return &expr{op: op + "x", kids: []*expr{x}, at: at}, err
	}
	x, err := p.postfix(depth + 1)
	if err == nil && p.peek() == "**" {
		at := p.place()
		p.at++
		var y *expr
		y, err = p.unary(depth + 1)
		x = &expr{op: "**", kids: []*expr{x, y}, at: at}
	}
	return x, err
}

// postfix is an atom with calls, indices and attributes behind it.
func (p *parser) postfix(depth int) (*expr, error) {
	x, err := p.atom(depth)
	for n := 0; err == nil; n++ {
		at := p.place()
		switch {
		case n > maxDepth:
			return nil, p.fail("more than %d calls in a row", maxDepth)
		case p.take("("):
			call := &expr{op: "call", at: x.at, kids: []*expr{x}, kw: map[string]*expr{}}
			err = p.arguments(call, depth)
			x = call
		case p.take("["):
			var index *expr
			if index, err = p.subscript(depth); err == nil {
				err = p.expect("]")
			}
			x = &expr{op: "index", kids: []*expr{x, index}, at: at}
		case p.take("."):
			name := p.peek()
			if !isName(name) {
				return nil, p.fail("expected a name behind the dot")
			}
			p.at++
			x = &expr{op: "attr", kids: []*expr{x}, text: name, at: at + 1}
		default:
			return x, nil
		}
	}
	return x, err
}

func (p *parser) arguments(call *expr, depth int) error {
	for !p.take(")") {
		if len(call.kids) > 1 || len(call.kw) > 0 {
			if err := p.expect(","); err != nil {
				return err
			}
			if p.take(")") {
				return nil
			}
		}
		keyword := ""
		if isName(p.peek()) && p.at+1 < len(p.tokens) && p.tokens[p.at+1].text == "=" {
			keyword = p.peek()
			if call.kw[keyword] != nil {
				return p.fail("%s is given twice", keyword)
			}
			p.at += 2
		}
		e, err := p.expression(depth + 1)
		if err != nil {
			return err
		}
		switch {
		case keyword != "":
			call.kw[keyword] = e
		case len(call.kw) > 0:
			return &syntaxError{e.at, "an argument without a name follows one with a name"}
		default:
			call.kids = append(call.kids, e)
		}
	}
	return nil
}

// subscript is an index, or slices of axes: [:, :c].
func (p *parser) subscript(depth int) (*expr, error) {
	list := &expr{op: "axes", at: p.place()}
	for {
		cut := &expr{op: "slice", kids: []*expr{nil, nil}, at: p.place()}
		var err error
		if p.peek() != ":" {
			if cut.kids[0], err = p.expression(depth + 1); err != nil {
				return nil, err
			}
		}
		if !p.take(":") {
			list.kids = append(list.kids, cut.kids[0])
		} else {
			if s := p.peek(); s != "," && s != "]" {
				if cut.kids[1], err = p.expression(depth + 1); err != nil {
					return nil, err
				}
			}
			list.kids = append(list.kids, cut)
		}
		if !p.take(",") {
			return list, nil
		}
	}
}

var name = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

var words = []string{"if", "else", "and", "or", "not", "return", "for", "in", "lambda", "is", "while", "def", "import"}

func isName(s string) bool { return name.MatchString(s) && !contains(words, s) }

func (p *parser) atom(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, p.fail("nested more than %d deep", maxDepth)
	}
	at, t := p.place(), p.peek()
	number := func(v any) (*expr, error) {
		p.at++
		return &expr{op: "number", num: v, at: at}, nil
	}
	switch {
	case t == "":
		return nil, p.fail("an expression is missing")
	case t == "True" || t == "False":
		return number(t == "True")
	case t == "None":
		return number(nil)
	case isName(t):
		p.at++
		return &expr{op: "name", text: t, at: at}, nil
	case t[0] == '\'' || t[0] == '"':
		p.at++
		return &expr{op: "text", text: t[1 : len(t)-1], at: at}, nil
	case t[0] >= '0' && t[0] <= '9' || t[0] == '.' && len(t) > 1:
		if !strings.ContainsAny(t, ".eE") {
			n, err := strconv.ParseInt(t, 10, 64)
			if err != nil || n > maxInt || len(t) > 1 && t[0] == '0' {
				return nil, p.fail("%s is not an integer up to 2⁵³", t)
			}
			return number(n)
		}
		x, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return nil, p.fail("%s is out of range", t)
		}
		return number(x)
	case t == "(" || t == "[":
		p.at++
		closing := map[string]string{"(": ")", "[": "]"}[t]
		list := &expr{op: "list", at: at}
		comma := false
		for !p.take(closing) {
			if len(list.kids) > 0 && !comma {
				return nil, p.fail("expected %q or a comma", closing)
			}
			e, err := p.expression(depth + 1)
			if err != nil {
				return nil, err
			}
			list.kids = append(list.kids, e)
			comma = p.take(",")
		}
		if t == "(" && len(list.kids) == 1 && !comma {
			return list.kids[0], nil
		}
		return list, nil
	}
	return nil, p.fail("unexpected %q", t)
}
