package edit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
)

// Edited is the outcome of changes.
type Edited struct {
	Text  []byte
	Model *yamlcfg.Model // of Text
	Notes []string       // notes, such as which rows still read a layer
	Index []int          // the index of each row of the old text; -1 for one that was removed
}

// Apply makes the changes. The new text is parsed again, and its rows are compared with what they should be: each reads the
// layers that it read, wherever these are now, unless a change says otherwise.
func (e *Editor) Apply() (*Edited, error) {
	if err := e.separate(); err != nil {
		return nil, err
	}
	for i, s := range e.slots {
		s.index = i
	}
	splices := e.extra
	done := &Edited{Notes: e.notes, Index: make([]int, len(e.rows))}
	for i, s := range e.rows {
		done.Index[i] = s.index
		if s.removed {
			done.Index[i] = -1
			splices = append(splices, e.removal(i)...)
			continue
		}
		changes, err := e.changes(s)
		if err != nil {
			return nil, err
		}
		splices = append(splices, changes...)
	}
	inserted, err := e.insertions()
	if err != nil {
		return nil, err
	}
	text, ok := apply(e.model.Source.Text, append(splices, inserted...))
	if !ok {
		return nil, fmt.Errorf("%s: these changes meet in one place of the text; make them one after the other", e.model.Source.Name)
	}
	done.Text = text
	if done.Model, err = e.reread(done.Text); err != nil {
		return nil, err
	}
	return done, nil
}

// separate refuses rows that share a place in the text, as those of an alias do, and rows on one line that cannot be told
// apart.
func (e *Editor) separate() error {
	rows := e.model.Rows
	for i := 1; i < len(rows); i++ {
		if rows[i].Span.Start.Before(rows[i-1].Span.End) && i != e.model.BackboneRows {
			return fmt.Errorf("%s:%d: layers %d and %d do not follow each other in the text: an alias (*name)? Write such rows out first",
				e.model.Source.Name, rows[i].Span.Start.Line, i-1, i)
		}
	}
	return nil
}

// changes are those of a row that stays.
func (e *Editor) changes(s *slot) ([]splice, error) {
	r, src := e.model.Rows[s.old], e.model.Source
	var list []splice
	for _, source := range s.front {
		list = append(list, itemAt(src, r.FromSpans[0]).before(strconv.Itoa(source.index)))
	}
	for k := range s.sources {
		from, err := s.from(k)
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", s.old, err)
		}
		if from != r.From[k] {
			list = append(list, replaced(src, r.FromSpans[k], strconv.Itoa(from)))
		}
	}
	if s.module != "" && s.module != r.Module {
		list = append(list, replaced(src, r.ModuleSpan, s.module))
	}
	grown := 0
	for _, c := range list {
		grown += len(c.text) - (c.to - c.from)
	}
	return append(list, commentAfter(itemAt(src, r.Span), grown, s.old, s.index)...), nil
}

func replaced(src *diag.Source, span diag.Span, text string) splice {
	return splice{src.Offset(span.Start), src.Offset(span.End), text}
}

// removal takes out a row.
func (e *Editor) removal(i int) []splice {
	row := func(i int) *item {
		it := itemAt(e.model.Source, e.model.Rows[i].Span)
		return &it
	}
	var previous, next *item
	if i > 0 && i != e.model.BackboneRows {
		previous = row(i - 1)
	}
	if i+1 < len(e.rows) && i+1 != e.model.BackboneRows {
		next = row(i + 1)
	}
	return row(i).without(previous, next)
}

// insertions are the new rows, those at one place in their order.
func (e *Editor) insertions() ([]splice, error) {
	var list []splice
	for at := 0; at < len(e.slots); at++ {
		s := e.slots[at]
		if s.old >= 0 {
			continue
		}
		text, err := s.text()
		if err != nil {
			return nil, err
		}
		it := itemAt(e.model.Source, e.model.Rows[s.beside.old].Span)
		if !s.behind {
			list = append(list, it.before(text))
			continue
		}
		texts := []string{text}
		for at+1 < len(e.slots) && e.slots[at+1].behind && e.slots[at+1].beside == s.beside {
			at++
			more, err := e.slots[at].text()
			if err != nil {
				return nil, err
			}
			texts = append(texts, more)
		}
		list = append(list, it.behind(texts)...)
	}
	return list, nil
}

// reread parses the new text and compares its rows with what they should be.
func (e *Editor) reread(text []byte) (*yamlcfg.Model, error) {
	m, diags := yamlcfg.Parse(e.model.Source.Name, bytes.NewReader(text))
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("the edited text would not be a model:\n%w", err)
	}
	wrong := func(i int) error {
		return fmt.Errorf("%s: this layout cannot be edited: row %d would not come out right; write the rows one a line", e.model.Source.Name, i)
	}
	if len(m.Rows) != len(e.slots) {
		return nil, wrong(min(len(m.Rows), len(e.slots)))
	}
	for i, s := range e.slots {
		var sources []int
		for _, source := range slices.Concat(s.front, s.sources) {
			sources = append(sources, source.index)
		}
		r := m.Rows[i]
		same := slices.Equal(r.Sources(), sources)
		if s.old >= 0 {
			before := e.model.Rows[s.old]
			same = same && before.Number == r.Number && textAt(e.model.Source, before.ArgsSpan) == textAt(m.Source, r.ArgsSpan) && r.Module == cmp.Or(s.module, before.Module)
		} else {
			same = same && r.Module == s.name
		}
		if !same {
			return nil, wrong(i)
		}
	}
	return m, nil
}

func textAt(src *diag.Source, span diag.Span) string {
	return string(src.Text[src.Offset(span.Start):src.Offset(span.End)])
}
