package edit

import (
	"fmt"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
)

// parse reads the text of a new row. A source that is nil is the row before it.
func (e *Editor) parse(in Insertion) (*slot, error) {
	text := strings.TrimSpace(in.Row)
	if strings.ContainsAny(text, "\n\r") {
		return nil, fmt.Errorf("a row is one line")
	}
	if !strings.HasPrefix(text, "[") {
		name, args, _ := strings.Cut(text, ",")
		if args = strings.TrimSpace(args); args == "" {
			args = "[]"
		}
		text = fmt.Sprintf("[-1, 1, %s, %s]", strings.TrimSpace(name), args)
	}
	before := in.At // rows that it can read
	if in.Behind {
		before++
	}
	m, err := e.parseAlone(text, before)
	if err != nil {
		return nil, err
	}
	r := m.Rows[before]
	s := &slot{old: -1, name: r.Module, list: r.FromList}
	for k, from := range r.Sources() {
		relative := r.From[k] < 0
		source := image
		switch {
		case r.From[k] == -1:
			source = nil
		case from >= 0:
			source = e.rows[from]
		}
		s.sources, s.relative, s.moved = append(s.sources, source), append(s.relative, relative), append(s.moved, false)
	}
	s.rest = textAt(m.Source, diag.Span{Start: r.FromSpan.End, End: r.Span.End})
	return s, nil
}

// parseAlone parses a row as the one behind so many others.
func (e *Editor) parseAlone(row string, before int) (*yamlcfg.Model, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "nc: %d\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nanchors: %d\nhead: []\nbackbone:\n", max(e.model.NC, 1), max(e.model.Anchors.NumAnchors(), 1))
	for range before {
		text.WriteString("- [-1, 1, Conv, [8]]\n")
	}
	fmt.Fprintf(&text, "- %s\n", row)
	m, diags := yamlcfg.Parse("", strings.NewReader(text.String()))
	if err := diags.Err(); err != nil {
		for _, d := range diags.List {
			if d.Severity == diag.Error {
				return nil, fmt.Errorf("the row %s: %s", row, d.Message)
			}
		}
	}
	if len(m.Rows) != before+1 {
		return nil, fmt.Errorf("%s is %d rows, not one", row, len(m.Rows)-before)
	}
	return m, nil
}

// from writes the indices of the layers that a row reads.
func (s *slot) from(k int) (int, error) {
	source := s.sources[k]
	switch {
	case source == image && s.index == 0:
		return -1, nil
	case source == image:
		return 0, fmt.Errorf("%s would read the image, which only the first row can", s.name)
	case s.relative[k] && (!s.moved[k] || source.index == s.index-1):
		return source.index - s.index, nil
	}
	return source.index, nil
}

// text is a new row as it is written.
func (s *slot) text() (string, error) {
	var list []string
	for k := range s.sources {
		from, err := s.from(k)
		if err != nil {
			return "", err
		}
		list = append(list, fmt.Sprint(from))
	}
	from := strings.Join(list, ", ")
	if s.list {
		from = "[" + from + "]"
	}
	return "[" + from + s.rest, nil
}
