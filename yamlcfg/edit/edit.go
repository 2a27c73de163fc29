// Package edit changes rows in the text of a model YAML. Layout and comments stay, and every index that names a later layer
// moves with it, so that each row goes on reading the layers that it read.
package edit

import (
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/yamlcfg"
)

// Editor collects changes of one text. Indices are those of the text as it is, however many changes were asked for before.
type Editor struct {
	model *yamlcfg.Model
	slots []*slot // in the order of the rows as they will be
	rows  []*slot // by the index that they have now
	notes []string
	extra []splice // changes of other places than rows
}

// slot is a row as it will be.
type slot struct {
	index    int // as it will be
	old      int // index in the text; -1 for a new row
	sources  []*slot
	front    []*slot // read before these, which the text does not have
	relative []bool  // the index is written counting back
	moved    []bool  // it reads another layer than before
	module   string  // instead of the one that is written; "" for that

	// Of a new row: its text before and behind the from, the row that it stands beside, and on which side.
	list    bool
	rest    string
	beside  *slot
	behind  bool
	name    string
	removed bool
}

// image stands for the input of the model.
var image = &slot{index: -1, old: -1}

// New starts to edit a model, which must be one that was parsed without an error.
func New(m *yamlcfg.Model) *Editor {
	e := &Editor{model: m}
	for _, r := range m.Rows {
		s := &slot{old: r.Index, name: r.Module, list: r.FromList}
		for k, from := range r.Sources() {
			s.relative = append(s.relative, r.From[k] < 0)
			s.moved = append(s.moved, false)
			if from < 0 {
				s.sources = append(s.sources, image)
			} else {
				s.sources = append(s.sources, e.rows[from])
			}
		}
		e.rows = append(e.rows, s)
	}
	e.slots = slices.Clone(e.rows)
	return e
}

// Row finds the only row of a module.
func (e *Editor) Row(module string) (int, error) {
	var found []string
	at := -1
	for _, r := range e.model.Rows {
		if r.Module == module {
			found, at = append(found, fmt.Sprint(r.Index)), r.Index
		}
	}
	switch len(found) {
	case 0:
		return 0, fmt.Errorf("no row has the module %s", module)
	case 1:
		return at, nil
	}
	return 0, fmt.Errorf("%d rows have the module %s: name the layer by its index, of %s", len(found), module, strings.Join(found, ", "))
}

// Insertion is a new row.
type Insertion struct {
	Row     string // [from, number, module, args], or what follows the number: "ScConv, [1024]", which reads the row before it
	At      int    // the row that it stands before, or behind
	Behind  bool   // behind row At, at the end of backbone or head if that is the last one there
	Reroute bool   // all that read the layer before the new one read the new one instead, not only the row behind it
}

// Insert puts in a row. The row behind it reads it, where that read the one before.
func (e *Editor) Insert(in Insertion) error {
	if err := e.check(in.At); err != nil {
		return err
	}
	if in.Behind && in.At == len(e.rows)-1 {
		return fmt.Errorf("layer %d (%s) is the last one, whose output is the model's: a row behind it would be the model's output instead", in.At, e.rows[in.At].name)
	}
	row, err := e.parse(in)
	if err != nil {
		return err
	}
	at := slices.Index(e.slots, e.rows[in.At])
	if at < 0 {
		return fmt.Errorf("layer %d is removed: there is nothing to put a row beside", in.At)
	}
	row.beside, row.behind = e.rows[in.At], in.Behind
	if in.Behind {
		for at++; at < len(e.slots) && e.slots[at].beside == row.beside && e.slots[at].behind; at++ {
			continue // rows that were put there before
		}
	}
	before := image
	if at > 0 {
		before = e.slots[at-1]
	}
	for k, s := range row.sources {
		if s == nil {
			row.sources[k] = before
		}
	}
	next := e.slots[at]
	e.slots = slices.Insert(e.slots, at, row)
	e.reroute(before, row, next, in.Reroute)
	return nil
}

// reroute lets next, the row behind a new one, read it instead of the layer before, or all rows that read that layer.
func (e *Editor) reroute(before, row, next *slot, all bool) {
	var others []string
	for _, s := range e.slots {
		for k, source := range s.sources {
			switch {
			case source != before || s == row:
			case all || s == next && (s.relative[k] || len(s.sources) == 1):
				s.sources[k] = row
			case s.old >= 0 && before != image:
				others = append(others, fmt.Sprintf("layer %d (%s)", s.old, s.name))
			}
		}
	}
	if len(others) > 0 {
		verb := "reads"
		if len(others) > 1 {
			verb = "read"
		}
		e.notes = append(e.notes, fmt.Sprintf("%s still %s layer %d (%s) itself, not the %s behind it", strings.Join(others, ", "), verb, before.old, before.name, row.name))
	}
}

// Replace gives the rows of module from another module; of the rows with the given indices only, if there are any.
func (e *Editor) Replace(from, to string, rows []int) error {
	if !yamlcfg.IsModuleName(to) {
		return fmt.Errorf("%q is not the name of a module", to)
	}
	for _, i := range rows {
		if err := e.check(i); err != nil {
			return err
		}
		if e.rows[i].name != from {
			return fmt.Errorf("layer %d is a %s, not a %s", i, e.rows[i].name, from)
		}
	}
	changed := 0
	for i, s := range e.rows {
		if s.name == from && (len(rows) == 0 || slices.Contains(rows, i)) && slices.Contains(e.slots, s) {
			s.module = to
			changed++
		}
	}
	if changed == 0 {
		return fmt.Errorf("no row has the module %s", from)
	}
	return nil
}

// Remove takes out a row. What read it then reads what it read.
func (e *Editor) Remove(i int) error {
	if err := e.check(i); err != nil {
		return err
	}
	gone := e.rows[i]
	at := slices.Index(e.slots, gone)
	if at < 0 {
		return fmt.Errorf("layer %d is removed twice", i)
	}
	if i == len(e.rows)-1 {
		return fmt.Errorf("layer %d (%s) is the last one, whose output is the model's", i, gone.name)
	}
	for _, s := range e.slots {
		if s.beside == gone {
			return fmt.Errorf("layer %d is removed: there is nothing to put a row beside", i)
		}
		if slices.Contains(s.sources, gone) && len(gone.sources) != 1 {
			return fmt.Errorf("layer %d (%s) reads %d layers, and layer %d (%s) reads it: which one would that read instead? Give it another from first",
				i, gone.name, len(gone.sources), s.old, s.name)
		}
	}
	for _, s := range e.slots {
		for k, source := range s.sources {
			if source == gone {
				s.sources[k], s.moved[k] = gone.sources[0], true
			}
		}
	}
	gone.removed = true
	e.slots = slices.Delete(e.slots, at, at+1)
	return nil
}

func (e *Editor) check(i int) error {
	if i < 0 || i >= len(e.rows) {
		return fmt.Errorf("there is no layer %d: the layers are 0 to %d", i, len(e.rows)-1)
	}
	return nil
}
