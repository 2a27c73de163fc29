package edit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
)

// splice replaces the bytes of a text from one offset up to another.
type splice struct {
	from, to int
	text     string
}

// apply makes the changes, and reports whether it could: they must not overlap. Of two at one place the first stays first.
func apply(text []byte, splices []splice) ([]byte, bool) {
	slices.SortStableFunc(splices, func(a, b splice) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, s := range splices {
		if s.from < at {
			return nil, false
		}
		out = append(append(out, text[at:s.from]...), s.text...)
		at = s.to
	}
	return append(out, text[at:]...), true
}

// item is an element of a YAML list as it stands in the text.
type item struct {
	src      *diag.Source
	from, to int
	lead     string // its line's text before it
	newline  string // how its line ends
}

func itemAt(src *diag.Source, span diag.Span) item {
	it := item{src: src, from: src.Offset(span.Start), to: src.Offset(span.End), newline: "\n"}
	line := src.LineStarts()[span.Start.Line-1]
	it.lead = string(src.Text[line:it.from])
	if strings.Contains(string(src.Text), "\r\n") {
		it.newline = "\r\n"
	}
	return it
}

// block reports whether the list is written with a dash before each element.
func (it item) block() bool {
	lead := strings.TrimSpace(it.lead)
	return strings.HasSuffix(lead, "-") && strings.Trim(lead, "- ") == ""
}

// rest is the text behind it up to the end of its last line.
func (it item) rest() string {
	text := string(it.src.Text[it.to:])
	if end := strings.IndexAny(text, "\r\n"); end >= 0 {
		text = text[:end]
	}
	return text
}

// alone reports whether nothing but brackets stands before it on its line: its list has an element a line.
func (it item) alone() bool { return strings.Trim(it.lead, " [") == "" }

// before inserts an element before it.
func (it item) before(text string) splice {
	switch {
	case it.block():
		text += it.newline + it.lead
	case it.alone():
		text += "," + it.newline + strings.Repeat(" ", len(it.lead))
	default:
		text += ", "
	}
	return splice{it.from, it.from, text}
}

// behind inserts elements behind it, and behind the comment on its line.
func (it item) behind(texts []string) []splice {
	rest := it.rest()
	end := it.to + len(rest)
	if it.block() {
		lead := it.newline + it.lead
		return []splice{{end, end, lead + strings.Join(texts, lead)}}
	}
	indent := it.newline + strings.Repeat(" ", len(it.lead))
	if !it.alone() {
		indent = " "
	}
	text := strings.Join(texts, ","+indent)
	trimmed := strings.TrimLeft(rest, " ")
	switch {
	case strings.HasPrefix(trimmed, "]"), !it.alone() && !strings.HasPrefix(trimmed, ","):
		return []splice{{it.to, it.to, "," + indent + text}}
	case strings.HasPrefix(trimmed, ",") && it.alone():
		return []splice{{end, end, indent + text + ","}}
	case strings.HasPrefix(trimmed, ","):
		return []splice{{it.to, it.to, ", " + text}}
	}
	return []splice{{it.to, it.to, ","}, {end, end, indent + text}}
}

// without takes it out, with its comment; the others of its list are those right before and behind it, if there are such.
func (it item) without(previous, next *item) []splice {
	rest := it.rest()
	line := it.from - len(it.lead)
	end := it.to + len(rest)
	if it.block() && strings.Count(it.lead, "-") == 1 || !it.block() && strings.TrimSpace(it.lead) == "" && wholeLine(rest) {
		if strings.HasPrefix(string(it.src.Text[end:]), it.newline) {
			end += len(it.newline)
		}
		cut := []splice{{line, end, ""}}
		if !it.block() && next == nil && previous != nil && !strings.Contains(rest[:max(0, strings.IndexByte(rest+"#", '#'))], ",") {
			cut = append([]splice{previous.comma()}, cut...)
		}
		return cut
	}
	if next != nil {
		return []splice{{it.from, next.from, ""}}
	}
	return []splice{{previous.to, it.to, ""}}
}

// comma takes out the comma behind an element.
func (it item) comma() splice {
	at := strings.IndexByte(string(it.src.Text[it.to:]), ',')
	return splice{it.to + at, it.to + at + 1, ""}
}

// wholeLine reports whether what follows an element is its comma and comment only.
func wholeLine(rest string) bool {
	rest = strings.TrimPrefix(strings.TrimLeft(rest, " "), ",")
	rest = strings.TrimLeft(rest, " ")
	return rest == "" || rest[0] == '#'
}

// commentAfter keeps the comment behind an element in its column, as far as there are spaces for it, where the element grows by
// some characters; and a row's index that the comment begins with, as in `# 17 (P3/8-small)`, goes from old to now.
func commentAfter(it item, grown, old, now int) []splice {
	rest := it.rest()
	hash := strings.IndexByte(rest, '#')
	if hash < 0 || strings.Trim(rest[:hash], " ,]") != "" {
		return nil
	}
	var list []splice
	spaces := hash - len(strings.TrimRight(rest[:hash], " "))
	switch {
	case grown < 0 && spaces > 2:
		list = append(list, splice{it.to + hash, it.to + hash, strings.Repeat(" ", -grown)})
	case grown > 0 && spaces > 2:
		list = append(list, splice{it.to + hash - min(grown, spaces-2), it.to + hash, ""})
	}
	at := hash + 1
	for at < len(rest) && rest[at] == ' ' {
		at++
	}
	was, is := strconv.Itoa(old), strconv.Itoa(now)
	end := at + len(was)
	if was == is || !strings.HasPrefix(rest[at:], was) || end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		return list
	}
	switch pad := len(is) - len(was); { // numbers that are set flush right stay so
	case pad > 0 && at-hash > 1+pad:
		at -= pad
	case pad < 0 && at-hash > 2:
		is = strings.Repeat(" ", -pad) + is
	}
	return append(list, splice{it.to + at, it.to + end, is})
}
