package edit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// AppendP2 gives the model an output of stride 4 for small objects, as YOLOv5's hub has it in its model of four outputs: the
// map of the head's finest output goes up once more, is joined with the end of the backbone's stage of stride 4, and comes
// down again. The new rows have the form of those around the finest output, with half their channels:
//
//	up:    Conv 1x1, nn.Upsample, Concat, C3, which is the new output
//	down:  Conv of stride 2, Concat, C3, which is the finest output's from now on
func (e *Editor) AppendP2() error {
	f, err := e.finest()
	if err != nil {
		return fmt.Errorf("P2 cannot be appended: %w", err)
	}
	texts := map[int]string{}
	for _, i := range []int{f.lateral, f.up, f.join, f.block, f.down} {
		texts[i] = e.behindFrom(e.model.Rows[i])
		if strings.ContainsAny(texts[i], "\r\n") {
			return fmt.Errorf("P2 cannot be appended: layer %d is written over several lines; write it as [from, number, module, args]", i)
		}
	}
	whole := texts[f.block]
	for _, i := range []int{f.lateral, f.block, f.down} {
		r := e.model.Rows[i]
		if i == f.block {
			r.Number = 1 // so it is in the hub's model
		}
		if texts[i], err = e.halved(r); err != nil {
			return fmt.Errorf("P2 cannot be appended: %w", err)
		}
	}
	block := e.rows[f.block]
	at := slices.Index(e.slots, block)
	put := func(like int, rest string, sources ...*slot) *slot {
		s := &slot{old: -1, name: e.rows[like].name, rest: rest, sources: sources, list: len(sources) > 1, beside: block, behind: true}
		for _, source := range sources {
			s.relative, s.moved = append(s.relative, source == e.slots[at]), append(s.moved, false)
		}
		at++
		e.slots = slices.Insert(e.slots, at, s)
		return s
	}
	lateral := put(f.lateral, texts[f.lateral], block)
	up := put(f.up, texts[f.up], lateral)
	joined := put(f.join, texts[f.join], up, e.rows[f.skip])
	p2 := put(f.block, texts[f.block], joined)
	down := put(f.down, texts[f.down], p2)
	rejoined := put(f.join, texts[f.join], down, lateral)
	p3 := put(f.block, whole, rejoined)
	for _, s := range e.slots {
		for k, source := range s.sources {
			if source == block && s != lateral {
				s.sources[k] = p3
			}
		}
	}
	head := e.rows[len(e.rows)-1]
	head.front = append(head.front, p2)
	return e.halveAnchors()
}

// finest are the rows around a head's finest output, by index.
type finest struct {
	lateral, up, join, block int // Conv 1x1, nn.Upsample, Concat and the block that the output is
	down                     int // the convolution of stride 2 that goes on from it
	skip                     int // the end of the backbone's stage of twice the size
}

func (e *Editor) finest() (finest, error) {
	rows := e.model.Rows
	last := rows[len(rows)-1]
	if !last.Detects() || len(last.From) < 2 {
		return finest{}, fmt.Errorf("layer %d (%s) is not a head of several outputs", last.Index, last.Module)
	}
	f := finest{lateral: -1, up: -1, join: -1, block: last.Sources()[0], down: -1, skip: -1}
	form := errors.New("the head does not have the form of YOLOv5's: its finest output comes from Conv 1x1, nn.Upsample, Concat and a block, and a Conv of stride 2 goes on from it")
	if f.block < 0 || len(rows[f.block].From) != 1 {
		return f, form
	}
	if f.join = rows[f.block].Sources()[0]; f.join < 0 || len(rows[f.join].From) != 2 {
		return f, form
	}
	for _, s := range rows[f.join].Sources() {
		if s >= 0 && rows[s].Upsamples() {
			f.up = s
		} else {
			f.skip = s
		}
	}
	if f.up < 0 || f.skip < 0 {
		return f, form
	}
	if f.lateral = rows[f.up].Sources()[0]; f.lateral < 0 || !rows[f.lateral].Pointwise() {
		return f, form
	}
	for _, r := range rows {
		if r.Halves() && len(r.From) == 1 && r.Sources()[0] == f.block {
			f.down = r.Index
		}
	}
	if f.down < 0 {
		return f, form
	}
	for !rows[f.skip].Halves() {
		if f.skip = rows[f.skip].Sources()[0]; f.skip < 0 {
			return f, errors.New("the backbone has no stage of stride 4 before the one that the finest output is joined with")
		}
	}
	if f.skip = rows[f.skip].Sources()[0]; f.skip < 0 {
		return f, errors.New("the backbone has no stage of stride 4 before the one that the finest output is joined with")
	}
	return f, nil
}

// behindFrom is the text of a row behind its from.
func (e *Editor) behindFrom(r yamlcfg.Row) string {
	return textAt(e.model.Source, diag.Span{Start: r.FromSpan.End, End: r.Span.End})
}

// halved is [Editor.behindFrom] with the row's number and half the channels.
func (e *Editor) halved(r yamlcfg.Row) (string, error) {
	if len(r.Args) == 0 || r.Args[0].Kind != python.Int || r.Args[0].Int%2 != 0 {
		return "", fmt.Errorf("layer %d (%s) does not begin its arguments with an even number of channels", r.Index, r.Module)
	}
	span := r.Args[0].Span
	between := func(from, to diag.Pos) string { return textAt(e.model.Source, diag.Span{Start: from, End: to}) }
	return between(r.FromSpan.End, r.NumberSpan.Start) + strconv.Itoa(r.Number) + between(r.NumberSpan.End, span.Start) + strconv.FormatInt(r.Args[0].Int/2, 10) +
		between(span.End, r.Span.End), nil
}

// halveAnchors puts anchors for the new output before those of the finest, of half their size.
func (e *Editor) halveAnchors() error {
	lists := e.model.Anchors.Lists
	if len(lists) == 0 {
		return nil
	}
	items := e.model.Anchors.Value.Items
	if len(items) == 0 || items[0].Span.IsZero() {
		return errors.New("P2 cannot be appended: the anchors are not written as lists")
	}
	var list []string
	for _, side := range lists[0] {
		list = append(list, strconv.FormatFloat(float64(int(side+1)/2), 'g', -1, 64))
	}
	text := "[" + strings.Join(list, ", ") + "]"
	e.extra = append(e.extra, itemAt(e.model.Source, items[0].Span).before(text))
	e.notes = append(e.notes, fmt.Sprintf("the anchors of P2 are half of the finest output's, %s; YOLOv5's AutoAnchor fits them to the data when training begins", text))
	return nil
}
