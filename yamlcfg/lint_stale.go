package yamlcfg

import (
	"fmt"
	"strconv"
	"strings"

	"ysc2onnx/diag"
)

// An index that was right until a row was inserted before its target names the layer before the one that is meant.
// Nothing fails as long as sizes agree. What gives it away is the form of YOLOv5's heads:
//
//   - On the way up (PAN), the map that comes from the convolution of stride 2 is concatenated with the lateral layer
//     of its scale: the 1x1 convolution that on the way down went into the nn.Upsample. Laterals are taken last first.
//   - On the way down, what comes from the nn.Upsample is concatenated with the end of a backbone stage, not with the
//     convolution that begins it.
//   - Detect reads blocks, not the Concats before them.
//
// A warning needs both: the form is broken, and the layer that would mend it lies just beside and serves nothing else.
// Other necks look like a broken form but are not: those of BiFPN concatenate three maps on the way up, and those of the CSP
// models and YOLOv7 have a 1x1 convolution of their own for each skip and take the blocks before the laterals on the way up.
// So an index of a lateral needs a third thing: it is the one of YOLOv5's own head, or lies between that and the right one, or
// the numbers in comments are off by as much.

// maxShift is how far beside an index the layer that was meant is looked for.
const maxShift = 3

// ownLaterals are the indices of the laterals in YOLOv5's own heads, in the order in which they are taken: of P3 and P4, of P3
// to P5, P2 to P5, P3 to P6 and P3 to P7.
var ownLaterals = [][]int{{14}, {14, 10}, {18, 14, 10}, {20, 16, 12}, {26, 22, 18, 14}}

// wayUp is a Concat on the way up, and the lateral layer of its scale.
type wayUp struct {
	row     Row
	lateral int
}

// staleIndices reports indices that an inserted or removed row has probably made stale.
func (l *linter) staleIndices() {
	var laterals []int // not taken yet
	var up []wayUp
	plain := true // the head has the form of YOLOv5's
	for _, r := range l.m.Rows {
		if r.Index > 0 && r.Upsamples() {
			if s := r.Sources()[0]; s >= 0 && !l.m.Rows[s].Upsamples() {
				laterals = append(laterals, s)
			}
		}
		switch last := r.Index == len(l.m.Rows)-1; {
		case len(r.From) < 2:
		case last && r.Detects():
			l.staleOutputs(r)
		case l.reads(r, Row.Upsamples):
			plain = plain && !l.reads(r, l.ownSkip)
			l.staleSkip(r)
		case l.reads(r, Row.Halves) && len(laterals) > 0:
			plain = plain && r.Module == "Concat" && len(r.From) == 2
			up = append(up, wayUp{r, laterals[len(laterals)-1]})
			laterals = laterals[:len(laterals)-1]
		}
	}
	if plain {
		for i := range up {
			l.staleLateral(up, i)
		}
	}
}

// ownSkip says whether a layer is a 1x1 convolution that is there for one skip alone: it reads another layer than the one
// before it, and only a single layer reads it.
func (l *linter) ownSkip(r Row) bool {
	return r.Pointwise() && r.Sources()[0] != r.Index-1 && len(l.readers[r.Index]) == 1
}

// staleLateral checks that a Concat on the way up takes the lateral layer of its scale.
func (l *linter) staleLateral(up []wayUp, i int) {
	r, lateral := up[i].row, up[i].lateral
	if len(l.readers[lateral]) != 1 || !l.m.Rows[lateral].Pointwise() {
		return
	}
	for k, f := range r.From {
		if d := lateral - f; f < 0 || d == 0 || d > maxShift || d < -maxShift || l.m.Rows[f].Pointwise() || !l.leftBehind(up, i, f) {
			continue
		}
		l.stale(r, k, lateral, "only the %s after it uses it; YOLOv5's heads concatenate such a layer on the way up",
			l.m.Rows[l.readers[lateral][0]].Module)
		return
	}
}

// leftBehind says whether f is where the i-th of a head's laterals was before rows were inserted or removed, or on the way
// from there to where it is.
func (l *linter) leftBehind(up []wayUp, i, f int) bool {
	lateral := up[i].lateral
	if s := l.shift; s.by != 0 && s.by == lateral-f {
		return true
	}
	for _, own := range ownLaterals {
		if len(own) == len(up) && (own[i] <= f && f < lateral || lateral < f && f <= own[i]) {
			return true
		}
	}
	return false
}

// staleSkip checks that r, a Concat on the way down, does not take the convolution that begins a stage.
func (l *linter) staleSkip(r Row) {
	for k, f := range r.From {
		end := f + 1
		if f < 0 || end >= r.Index-1 || !l.m.Rows[f].Halves() || len(l.readers[f]) != 2 || len(l.readers[end]) != 1 {
			continue
		}
		next := l.m.Rows[end]
		if len(next.From) == 1 && next.Sources()[0] == f && !next.Halves() {
			l.stale(r, k, end, "layer %d begins a stage that ends later; YOLOv5's heads concatenate the end", f)
		}
	}
}

// staleOutputs checks that r, the Detect, does not read the Concats before its blocks.
func (l *linter) staleOutputs(r Row) {
	for k, f := range r.From {
		if f < 0 || f+1 >= r.Index || len(l.m.Rows[f].From) < 2 || !strings.Contains(l.m.Rows[f].Module, "Concat") {
			continue
		}
		if next := l.m.Rows[f+1]; len(next.From) == 1 && next.Sources()[0] == f && !next.Halves() {
			l.stale(r, k, f+1, "%s reads the block after a Concat in YOLOv5's heads", r.Module)
		}
	}
}

// stale warns about element k of the from of r; why, with args, says what points to the layer that is meant.
func (l *linter) stale(r Row, k, meant int, why string, args ...any) {
	f := r.From[k]
	rows := l.m.Rows
	l.meant[meant] = true
	d := l.Warnf(diag.StaleFrom, r.FromSpans[k], "%s reads layer %d (%s), but layer %d (%s) is probably meant: indices after an inserted or removed row must move with it",
		r.Module, f, rows[f].Module, meant, rows[meant].Module)
	d.Fix = &diag.Fix{Span: r.FromSpans[k], Text: strconv.Itoa(meant)}
	d.AddNote(rows[f].Span, "layer %d is defined here", f)
	d.AddNote(rows[meant].Span, "layer %d is defined here; %s", meant, fmt.Sprintf(why, args...))
	if s := l.shift; s.by != 0 && s.by == meant-f {
		d.AddNote(rows[s.row].Span, "the comments count otherwise from here on: this is layer %d, marked %d", s.row, s.row-s.by)
	}
}

// reads says whether one of the layers that r reads satisfies is.
func (l *linter) reads(r Row, is func(Row) bool) bool {
	for _, s := range r.Sources() {
		if s >= 0 && is(l.m.Rows[s]) {
			return true
		}
	}
	return false
}
