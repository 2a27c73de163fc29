package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// line is one line of the drawings: the input, a layer, or an output. The drawings stand side by side, and a line has the
// same height in all of them.
type line struct {
	Number int    // in the drawings, from 0 on
	Index  string // of the layer; "" for the input and the outputs
	Label  string // the module's class, or the name of the input or output
	Name   string // model.9, output0 boxes: what tables call it
	Shape  string
	Params int64
	Nodes  int

	level  level
	first  bool     // the first line that fails
	stage  int      // its layer's index, -1 for others
	makes  []string // the value that the layer gives, or the graph's outputs that the layer computes
	row    *verify.Row
	sample *sample
	time   *verify.Timing
}

// lineHeight is the height of a line in all drawings, headHeight that of the heading above the first one.
const (
	lineHeight px = 27
	headHeight px = 30
	footHeight px = 8
)

// middle is a line's vertical centre.
func (l *line) middle() px { return headHeight + px(l.Number)*lineHeight + lineHeight/2 }

// top is where a line begins.
func (l *line) top() px { return headHeight + px(l.Number)*lineHeight }

// Top is top for the template.
func (l *line) Top() px { return l.top() }

// height is that of a drawing of n lines.
func height(n int) px { return headHeight + px(n)*lineHeight + footHeight }

// lines puts the input, the layers and the outputs into one list.
func (d *Data) lines() []*line {
	var list []*line
	failing := false
	add := func(l *line) {
		l.Number = len(list)
		l.first = l.level == failed && !failing
		failing = failing || l.first
		list = append(list, l)
	}
	rows, times := map[string]*verify.Row{}, map[int]*verify.Timing{}
	if d.Comparison != nil {
		for i := range d.Comparison.Rows {
			rows[d.Comparison.Rows[i].Name] = &d.Comparison.Rows[i]
		}
	}
	if d.Profile != nil {
		for i, t := range d.Profile.Layers {
			times[t.Layer] = &d.Profile.Layers[i]
		}
	}
	if len(d.Stages) > 0 {
		for _, in := range d.Facts.Inputs {
			add(&line{Label: in.Name, Name: in.Name, Shape: dims(in), stage: -1})
		}
	}
	drawn := map[string]bool{}
	for i := range d.Stages {
		s := &d.Stages[i]
		l := &line{
			Index: fmt.Sprint(s.Index), Label: s.Module, Name: fmt.Sprintf("model.%d", s.Index),
			Shape: dims(s.Output), Params: s.Parameters, Nodes: s.Nodes, makes: s.Makes, stage: s.Index, time: times[s.Index],
		}
		l.add(rows[l.Name], d.Samples)
		drawn[l.Name] = true
		add(l)
	}
	if d.Comparison != nil {
		for i := range d.Comparison.Rows {
			row := &d.Comparison.Rows[i]
			if drawn[row.Name] {
				continue
			}
			l := &line{Label: row.Name, Name: row.Name, stage: -1}
			l.add(row, d.Samples)
			for _, maker := range list {
				if maker.row == nil && slices.Contains(maker.makes, row.Value) {
					maker.level = max(maker.level, l.level)
					maker.Label = cmp.Or(maker.Label, row.Module)
				}
			}
			add(l)
		}
		return list
	}
	if len(d.Stages) > 0 {
		for _, out := range d.Facts.Outputs {
			add(&line{Label: out.Name, Name: out.Name, Shape: dims(out), stage: -1})
		}
	}
	return list
}

// add adds a comparison's row to a line.
func (l *line) add(row *verify.Row, samples *Sampler) {
	if row == nil {
		return
	}
	l.row, l.level = row, levelOf(row)
	l.Shape = sizes(row.Shape)
	if l.Label == "" {
		l.Label = row.Module // as the file that it was compared with says
	}
	if samples != nil {
		l.sample = samples.samples[row.Name]
	}
}

// dims is a value's shape as 1×64×h×w.
func dims(v engine.IO) string {
	parts := make([]string, len(v.Dims))
	for i, d := range v.Dims {
		switch {
		case d >= 0:
			parts[i] = fmt.Sprint(d)
		case i < len(v.DimNames) && v.DimNames[i] != "":
			parts[i] = v.DimNames[i]
		default:
			parts[i] = "?"
		}
	}
	return strings.Join(parts, "×")
}

// sizes is a shape as 1×3×640×640.
func sizes(shape []int64) string { return dims(engine.IO{Dims: shape}) }

// clip shortens a text to n characters.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// level says how large a row's error is beside its tolerance. The levels are the colours of the report.
type level int

const (
	unknown level = iota // not compared
	exact
	tiny  // at most a hundredth of the tolerance
	small // at most a tenth
	near  // within the tolerance
	failed
)

// Class is the level's name in the style sheet.
func (l level) Class() string {
	return [...]string{"unknown", "exact", "tiny", "small", "near", "failed"}[l]
}

// Text explains the level.
func (l level) Text() string {
	return [...]string{"not compared", "bit for bit equal", "below 1 % of the tolerance", "below 10 % of the tolerance", "within the tolerance", "outside the tolerance"}[l]
}

func levelOf(row *verify.Row) level {
	switch {
	case row == nil:
		return unknown
	case !row.OK:
		return failed
	case row.MaxAbs == 0:
		return exact
	}
	switch share := errorOf(row) / row.Tolerance; {
	case share <= 0.01:
		return tiny
	case share <= 0.1:
		return small
	}
	return near
}

// First says whether the line is the first one that fails.
func (l *line) First() bool { return l.first }

// Level is the line's level: a layer that only makes outputs has the highest of theirs.
func (l *line) Level() level { return l.level }

// errorOf is a row's largest error, in the unit of its tolerance.
func errorOf(row *verify.Row) float64 { return row.MaxRel }

// unitOf is what an absolute difference is divided by to be in the unit of the row's tolerance. Each box has a unit of its
// own; for boxes it is about that of those that differ most.
func unitOf(row *verify.Row) float64 {
	switch {
	case row.MaxRel > 0 && row.MaxAbs > 0:
		return row.MaxAbs / row.MaxRel
	case row.Unit == verify.OfLargest && row.Largest > 0:
		return row.Largest
	}
	return 1
}

// legend are the levels that a report shows.
func legend(lines []*line) []level {
	var list []level
	for _, l := range lines {
		if !slices.Contains(list, l.Level()) && (l.row != nil || l.stage >= 0) {
			list = append(list, l.Level())
		}
	}
	slices.Sort(list)
	return list
}

// number prints an error or a tolerance with two digits: 2.1e-06, 0.082, 40.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 1e-2 && a < 1e4:
		return strconv.FormatFloat(v, 'g', 2+max(0, int(math.Log10(a))-1), 64)
	case a == 0:
		return "0"
	}
	return fmt.Sprintf("%.1e", v)
}
