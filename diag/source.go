package diag

import (
	"sort"
	"unicode/utf8"
)

// Source is the text that a diagnostic points into.
type Source struct {
	Name string // as shown in messages, usually the file name
	Text []byte // the bytes as read

	lines []int // offset of each line's first byte
	tails []int // offsets of bytes that do not start a character, so that columns count characters
}

// NewSource indexes text for positions. Lines end at \n, \r\n or a lone \r.
func NewSource(name string, text []byte) *Source {
	s := &Source{Name: name, Text: text, lines: []int{0}}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n', c == '\r' && (i+1 == len(text) || text[i+1] != '\n'):
			s.lines = append(s.lines, i+1)
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			_, size := utf8.DecodeRune(text[i:])
			for k := 1; k < size; k++ {
				s.tails = append(s.tails, i+k)
			}
			i += size
		}
	}
	return s
}

// Pos is a place in a text. The zero Pos is not a place.
type Pos struct {
	Line int // from 1
	Col  int // from 1, in characters (Unicode code points), as editors count; a tab is one
}

// Span is the text from Start up to, not including, End. The zero Span stands for the whole file.
type Span struct{ Start, End Pos }

// IsZero says whether the span names no place.
func (s Span) IsZero() bool { return s == Span{} }

// Before orders positions.
func (p Pos) Before(q Pos) bool {
	if p.Line != q.Line {
		return p.Line < q.Line
	}
	return p.Col < q.Col
}

// Pos gives the position of a byte offset.
func (s *Source) Pos(offset int) Pos {
	offset = max(0, min(offset, len(s.Text)))
	line := sort.SearchInts(s.lines, offset+1)
	start := s.lines[line-1]
	tails := sort.SearchInts(s.tails, offset) - sort.SearchInts(s.tails, start)
	return Pos{Line: line, Col: offset - start - tails + 1}
}

// LineStarts are the offsets of each line's first byte.
func (s *Source) LineStarts() []int { return s.lines }

// Line returns the text of a line, counted from 1, without its line end; empty when there is no such line.
func (s *Source) Line(line int) []byte {
	if s == nil || line < 1 || line > len(s.lines) {
		return nil
	}
	end := len(s.Text)
	if line < len(s.lines) {
		end = s.lines[line]
	}
	text := s.Text[s.lines[line-1]:end]
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return text
}

// Offset gives the byte offset of a position, that of the text's end for one behind it.
func (s *Source) Offset(p Pos) int {
	if p.Line < 1 || p.Line > len(s.lines) {
		return len(s.Text)
	}
	offset := s.lines[p.Line-1]
	for col := 1; col < p.Col && offset < len(s.Text); col++ {
		_, size := utf8.DecodeRune(s.Text[offset:])
		offset += size
	}
	return offset
}
