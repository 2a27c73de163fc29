package diag

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The colours of a terminal: place bold, error red, warning magenta, note cyan, caret green.
const (
	bold, red, magenta, cyan, green, reset = "\x1b[1m", "\x1b[1;31m", "\x1b[1;35m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"
)

const (
	tabWidth  = 4   // a tab is printed as spaces up to the next multiple, so that the caret lines up
	maxWidth  = 160 // cells of a source line that are printed
	leadWidth = 60  // cells kept before the caret when a line is cut
)

// Error prints all diagnostics without colour and without a final newline.
func (ds *Diagnostics) Error() string {
	var b strings.Builder
	_ = ds.Format(&b, false) // a strings.Builder does not fail
	return strings.TrimSuffix(b.String(), "\n")
}

// Format prints the diagnostics as a compiler does: place, severity and message, then the source line with a
// caret, then each note the same way.
func (ds *Diagnostics) Format(w io.Writer, color bool) error {
	if ds == nil {
		return nil
	}
	p := printer{ds: ds, color: color}
	for _, d := range ds.List {
		p.item(d.Span, d.Severity.String(), [...]string{Error: red, Warning: magenta, Info: cyan}[d.Severity], d.text())
		for _, n := range d.Notes {
			p.item(n.Span, "note", cyan, n.Message)
		}
	}
	for s := range ds.counts {
		if rest := ds.counts[s] - ds.kept(Severity(s)); rest > 0 {
			fmt.Fprintf(&p.out, "%s: %d more %ss are not shown\n", ds.name(), rest, Severity(s))
		}
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

// text is the message, with the code that silences it.
func (d *Diagnostic) text() string {
	if d.Code == "" {
		return d.Message
	}
	return d.Message + " [" + string(d.Code) + "]"
}

type printer struct {
	ds    *Diagnostics
	color bool
	out   strings.Builder
}

func (p *printer) paint(hue, text string) string {
	if !p.color {
		return text
	}
	return hue + text + reset
}

func (p *printer) item(span Span, word, hue, message string) {
	place := Printable(p.ds.name()) + ":"
	if !span.IsZero() {
		place += fmt.Sprintf("%d:%d:", span.Start.Line, span.Start.Col)
	}
	fmt.Fprintf(&p.out, "%s %s %s\n", p.paint(bold, place), p.paint(hue, word+":"), Printable(message))
	if span.IsZero() || p.ds.Source == nil || span.Start.Line > len(p.ds.Source.lines) {
		return
	}
	if len(p.ds.Source.Line(span.Start.Line)) == 0 {
		return
	}
	text, indent, width := excerpt(p.ds.Source.Line(span.Start.Line), span)
	caret := "^" + strings.Repeat("~", max(width-1, 0))
	fmt.Fprintf(&p.out, "%5d | %s\n", span.Start.Line, strings.TrimRight(text, " "))
	fmt.Fprintf(&p.out, "%5s | %s%s\n", "", strings.Repeat(" ", indent), p.paint(green, caret))
}

// excerpt renders a source line for a terminal and gives the cells before the caret and under it. Tabs become
// spaces, wide characters count two cells, and a long line is cut around the caret.
func excerpt(line []byte, span Span) (text string, indent, width int) {
	endCol := span.End.Col
	if span.End.Line > span.Start.Line {
		endCol = int(^uint(0) >> 1)
	}
	type cell struct {
		text string
		at   int
	}
	var cells []cell
	at, start, end, cut := 0, -1, 0, false
	for col := 1; len(line) > 0; col++ {
		r, size := utf8.DecodeRune(line)
		line = line[size:]
		if col < span.Start.Col-maxWidth {
			cut = true
			continue
		}
		if col > span.Start.Col+maxWidth {
			break
		}
		if col == span.Start.Col {
			start = at
		}
		shown, w := display(r, at)
		cells = append(cells, cell{shown, at})
		at += w
		if col < endCol {
			end = at
		}
	}
	if start < 0 {
		start = at
	}
	from, to := 0, at
	if at > maxWidth || cut {
		from = max(0, start-leadWidth)
		to = min(at, from+maxWidth)
	}
	var b strings.Builder
	lead := 0
	if from > 0 || cut {
		b.WriteString("...")
		lead = 3
	}
	first := -1
	for _, c := range cells {
		if c.at >= from && c.at < to {
			if first < 0 {
				first = c.at
			}
			b.WriteString(c.text)
		}
	}
	if to < at || len(line) > 0 {
		b.WriteString("...")
	}
	return b.String(), start - max(first, 0) + lead, min(end, to) - start
}

// display gives what is printed for a character at a cell, and how many cells it takes.
func display(r rune, at int) (string, int) {
	switch {
	case r == '\t':
		n := tabWidth - at%tabWidth
		return strings.Repeat(" ", n), n
	case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Me, r), r == 0x200d, r == 0xfe0f:
		return string(r), 0
	case !unicode.IsPrint(r):
		return "\ufffd", 1
	case wide(r):
		return string(r), 2
	}
	return string(r), 1
}

// wide says whether terminals give a character two cells: the East Asian blocks and emoji.
func wide(r rune) bool {
	for _, b := range [...][2]rune{{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
		{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}} {
		if r >= b[0] && r <= b[1] {
			return true
		}
	}
	return false
}

// Printable replaces what could steer a terminal: a message may quote the file.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}
