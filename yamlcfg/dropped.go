package yamlcfg

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize/english"

	"ysc2onnx/diag"
)

// lookAlikes are characters that input methods type in the place of ASCII.
var lookAlikes = map[rune]rune{'，': ',', '、': ',', '：': ':', '［': '[', '］': ']', '【': '[', '】': ']', '（': '(', '）': ')',
	'‘': '\'', '’': '\'', '“': '"', '”': '"', '－': '-', '−': '-', '–': '-', '—': '-', '．': '.', '。': '.', '＃': '#', '\u00a0': ' ', '\u3000': ' '}

// droppedCharacter is a character that YOLOv5 leaves out of a file.
type droppedCharacter struct {
	what  string // for messages
	char  rune   // utf8.RuneError for a byte that is not a character
	at    int    // offset in the source of the first
	lines []int  // that have it, each once
}

// warnDropped points at characters outside comments that YOLOv5 would not see: one warning for each character, at the first
// of its places.
func (p *parser) warnDropped() {
	for _, c := range p.droppedCharacters() {
		pos := p.src.Pos(c.at)
		where := ""
		if len(c.lines) > 1 {
			where = ", on lines " + linesText(c.lines)
		}
		d := p.ds.Warnf(diag.NotASCII, diag.Span{Start: pos, End: diag.Pos{Line: pos.Line, Col: pos.Col + 1}},
			"YOLOv5 reads the file as ASCII and leaves out %s%s", c.what, where)
		if ascii, ok := lookAlikes[c.char]; ok {
			d.AddNote(diag.Span{}, "%q is probably meant", string(ascii))
		}
	}
}

// droppedCharacters lists the characters outside comments that are not ASCII, but for a byte order mark, in the order of
// their first places.
func (p *parser) droppedCharacters() []*droppedCharacter {
	var list []*droppedCharacter
	seen := map[string]*droppedCharacter{}
	comment, next := 0, 0
	if strings.HasPrefix(string(p.src.Text[:min(3, len(p.src.Text))]), "\ufeff") {
		next = 3
	}
	for i, at := range p.dropped {
		if at < next { // inside the character before
			continue
		}
		char, size := utf8.DecodeRune(p.src.Text[at:])
		next = at + size
		ascii := at - i
		for comment < len(p.layout.comments) && p.layout.comments[comment][1] < ascii {
			comment++
		}
		// A dropped byte right before a comment's first byte shares its ASCII offset.
		if c := comment; c < len(p.layout.comments) && ascii > p.layout.comments[c][0] {
			continue
		}
		what := fmt.Sprintf("the character %U", char)
		switch {
		case char == utf8.RuneError && size == 1:
			what = fmt.Sprintf("the byte 0x%02x", p.src.Text[at])
		case unicode.IsGraphic(char) && !unicode.IsSpace(char):
			what = fmt.Sprintf("the character %q (%U)", char, char)
		}
		c := seen[what]
		if c == nil {
			c = &droppedCharacter{what: what, char: char, at: at}
			seen[what], list = c, append(list, c)
		}
		if line := p.src.Pos(at).Line; len(c.lines) == 0 || c.lines[len(c.lines)-1] != line {
			c.lines = append(c.lines, line)
		}
	}
	return list
}

// linesText lists line numbers, the first ones where there are many.
func linesText(lines []int) string {
	const shown = 8
	var words []string
	for _, line := range lines[:min(len(lines), shown)] {
		words = append(words, strconv.Itoa(line))
	}
	if more := len(lines) - shown; more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return english.WordSeries(words, "and")
}
