package yamlcfg

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"ysc2onnx/diag"
)

// text is a source as YOLOv5 hands it to PyYAML: read as ASCII, with every other byte dropped. Offsets are into
// ascii; span translates them to places in the source.
type text struct {
	src     *diag.Source
	ascii   []byte
	dropped []int // offsets in src.Text of the bytes that ascii lacks
	lines   []int // offset in ascii of each line's first byte
}

func newText(src *diag.Source) *text {
	t := &text{src: src}
	for i, c := range src.Text {
		if c >= utf8.RuneSelf {
			t.dropped = append(t.dropped, i)
		}
	}
	t.ascii = src.Text
	if len(t.dropped) > 0 {
		t.ascii = make([]byte, 0, len(src.Text)-len(t.dropped))
		for _, c := range src.Text {
			if c < utf8.RuneSelf {
				t.ascii = append(t.ascii, c)
			}
		}
	}
	t.lines = diag.NewSource("", t.ascii).LineStarts()
	return t
}

// original translates an offset in ascii to one in the source.
func (t *text) original(offset int) int {
	k := sort.Search(len(t.dropped), func(i int) bool { return t.dropped[i]-i > offset })
	return offset + k
}

// span gives the place of ascii[from:to].
func (t *text) span(from, to int) diag.Span {
	s := diag.Span{Start: t.src.Pos(t.original(from))}
	s.End = s.Start
	if to > from {
		s.End = t.src.Pos(t.original(to-1) + 1)
	}
	return s
}

// offset gives the offset in ascii of a line and column, both counted from 1.
func (t *text) offset(line, col int) int {
	if line < 1 {
		return 0
	}
	if line > len(t.lines) {
		return len(t.ascii)
	}
	return max(0, min(t.lines[line-1]+col-1, len(t.ascii)))
}

// lineEnd gives the offset of the line end at or after offset.
func (t *text) lineEnd(offset int) int {
	if k := bytes.IndexAny(t.ascii[offset:], "\r\n"); k >= 0 {
		return offset + k
	}
	return len(t.ascii)
}

// layout is what a first look at the text finds, before the YAML reader proper: where comments are, and what it
// does not tell or tells less well.
type layout struct {
	comments [][2]int // offsets from # to the line end, ascending
	tabs     []int    // offsets of tabs outside quotes and comments, the first of each line
	unclosed bool     // a bracket is still open at the end
	tooDeep  int      // offset of the bracket that exceeds maxDepth, or -1
	values   int      // upper bound of the number of values
	open     int      // offset of the first line of a row that leaves a bracket of its own open, or -1
}

// lexer walks over the text and knows just enough YAML to tell comments, quotes and brackets from plain text.
type lexer struct {
	layout
	text   []byte
	at     int
	plain  bool  // inside a plain scalar
	nested []int // offsets of the brackets that are open
	row    int   // offset of the line's first character if a row may start there, or -1
	most   int   // nesting that this line may leave
}

// lex finds the layout of a text.
func lex(text []byte) layout {
	l := lexer{text: text, row: -1, layout: layout{tooDeep: -1, open: -1}}
	lineStart, tabbed := true, false
	for l.at < len(l.text) {
		c := l.text[l.at]
		switch {
		case c == '\n' || c == '\r':
			l.rowEnd()
			l.plain, lineStart, tabbed = false, true, false
			l.values++
			l.at++
			continue
		case c == ' ':
			l.at++
			continue
		case c == '\t':
			if !tabbed {
				l.tabs = append(l.tabs, l.at)
			}
			tabbed = true
			l.at++
			continue
		case c == '#' && (!l.plain || l.spaceBefore()):
			start := l.at
			l.skipLine()
			l.comments = append(l.comments, [2]int{start, l.at})
			continue
		}
		if rest := l.text[l.at:]; lineStart && l.endsWord(l.at+3, false) && (bytes.HasPrefix(rest, []byte("---")) || bytes.HasPrefix(rest, []byte("..."))) {
			l.at += 3
			lineStart = false
			continue
		}
		if lineStart {
			l.rowStart(c)
		}
		lineStart = false
		l.token(c)
	}
	l.unclosed = len(l.nested) > 0
	return l.layout
}

// rowStart and rowEnd look for rows that lack a closing bracket. A line that starts with [ may leave open the list
// of rows; one that starts with - nothing.
func (l *lexer) rowStart(c byte) {
	l.row = -1
	if c == '[' || c == '-' {
		l.row, l.most = l.at, len(l.nested)
	}
	if c == '[' {
		l.most = max(l.most, 1)
	}
}

func (l *lexer) rowEnd() {
	if l.row >= 0 && len(l.nested) > l.most && l.open < 0 {
		l.open = l.row
	}
	l.row = -1
}

func (l *lexer) spaceBefore() bool {
	if l.at == 0 {
		return true
	}
	c := l.text[l.at-1]
	return c == ' ' || c == '\t' || c == '\n' || c == '\r'
}

func (l *lexer) skipLine() {
	for l.at < len(l.text) && l.text[l.at] != '\n' && l.text[l.at] != '\r' {
		l.at++
	}
}

// token consumes one character, or a whole quoted or block scalar, that is neither space nor comment.
func (l *lexer) token(c byte) {
	flow := len(l.nested) > 0
	switch {
	case (c == '\'' || c == '"') && !l.plain:
		l.values++
		l.at = quotedEnd(l.text, l.at)
		return
	case (c == '|' || c == '>') && !l.plain && !flow:
		l.block()
		return
	case (c == '[' || c == '{') && (flow || !l.plain):
		l.nested = append(l.nested, l.at)
		if len(l.nested) > maxDepth && l.tooDeep < 0 {
			l.tooDeep = l.at
		}
		l.plain = false
		l.values++
	case (c == ']' || c == '}') && flow:
		l.nested = l.nested[:len(l.nested)-1]
		l.plain = false
	case c == ',' && flow:
		l.plain = false
		l.values++
	case c == ':' && (!l.plain && flow || l.endsWord(l.at+1, flow)):
		l.plain = false
		l.values++
	case (c == '-' || c == '?') && !l.plain && l.endsWord(l.at+1, flow):
		l.values++
	case (c == '&' || c == '*' || c == '!') && !l.plain:
		for l.at < len(l.text) && !l.endsWord(l.at, flow) {
			l.at++
		}
		return
	default:
		l.plain = true
	}
	l.at++
}

// endsWord says whether a token ends before offset.
func (l *lexer) endsWord(offset int, flow bool) bool {
	if offset >= len(l.text) {
		return true
	}
	switch l.text[offset] {
	case ' ', '\t', '\n', '\r':
		return true
	case ',', '[', ']', '{', '}':
		return flow
	}
	return false
}

// block skips a literal or folded scalar: its header line, then the lines indented more than the header's.
func (l *lexer) block() {
	start := l.at
	for start > 0 && l.text[start-1] != '\n' && l.text[start-1] != '\r' {
		start--
	}
	indent := indentation(l.text[start:])
	l.skipLine()
	for l.at < len(l.text) {
		next := l.at + 1
		rest := l.text[next:]
		n := indentation(rest)
		if n <= indent && n < len(rest) && rest[n] != '\n' && rest[n] != '\r' {
			return
		}
		l.at = next
		l.skipLine()
	}
}

func indentation(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// quotedEnd gives the offset after the quoted scalar that starts at offset, or the end of the text.
func quotedEnd(text []byte, offset int) int {
	quote := text[offset]
	for i := offset + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// commentAfter gives the offsets of the comment that follows offset on its line with nothing but spaces, commas
// and closing brackets between.
func (l *layout) commentAfter(text []byte, offset int) (from, to int, ok bool) {
	k := sort.Search(len(l.comments), func(i int) bool { return l.comments[i][0] >= offset })
	if k == len(l.comments) {
		return 0, 0, false
	}
	c := l.comments[k]
	for i := offset; i < c[0]; i++ {
		if !bytes.ContainsRune([]byte(" \t,]}"), rune(text[i])) {
			return 0, 0, false
		}
	}
	return c[0], c[1], true
}
