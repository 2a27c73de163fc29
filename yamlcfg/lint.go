package yamlcfg

import (
	"regexp"
	"strconv"

	"ysc2onnx/diag"
)

// Lint warns about what can be built but is probably a mistake, as far as rows alone tell: indices that an inserted row
// shifted only in part, layers that nothing uses, maps that are concatenated with themselves. The diagnostics are
// sorted. A model that has errors gets none.
func (m *Model) Lint() *diag.Diagnostics {
	l := &linter{Diagnostics: diag.NewDiagnostics(m.Source), m: m, meant: map[int]bool{}}
	for _, r := range m.Rows {
		if r.Broken {
			return l.Diagnostics
		}
	}
	l.readers = make([][]int, len(m.Rows))
	for _, r := range m.Rows {
		for _, s := range r.Sources() {
			if s >= 0 && s < len(m.Rows) {
				l.readers[s] = append(l.readers[s], r.Index)
			}
		}
	}
	l.shift = commentShift(m.Rows)
	l.staleIndices()
	l.unused()
	l.pointless()
	l.Sort()
	return l.Diagnostics
}

// linter looks for probable mistakes. readers holds, for each layer, the layers that read it.
type linter struct {
	*diag.Diagnostics
	m       *Model
	readers [][]int
	shift   shift        // told by comments
	meant   map[int]bool // layers that a warning named as probably meant: that they are unused follows
}

// unused reports layers whose output is neither read nor the model's.
func (l *linter) unused() {
	rows := l.m.Rows
	for i := range rows {
		if i == len(rows)-1 || len(l.readers[i]) > 0 || l.meant[i] {
			continue
		}
		d := l.Warnf(diag.UnusedLayer, rows[i].Span, "nothing uses the output of layer %d (%s)", i, rows[i].Module)
		if rows[i].Detects() {
			d.AddNote(rows[len(rows)-1].Span, "YOLOv5 takes the last layer for the model's output, which is layer %d (%s)",
				len(rows)-1, rows[len(rows)-1].Module)
		}
	}
}

// pointless reports rows, and a head, that do nothing or do it twice.
func (l *linter) pointless() {
	for _, r := range l.m.Rows {
		sources := r.Sources()
		for k, s := range sources {
			for _, before := range sources[:min(k, 16)] {
				if s == before {
					l.Warnf(diag.ReadTwice, r.FromSpans[k], "layer %d (%s) reads layer %d twice", r.Index, r.Module, s)
					break
				}
			}
		}
		if r.Module == "Concat" && r.FromList && len(sources) == 1 {
			l.Warnf(diag.LoneConcat, r.FromSpan, "a Concat of one layer does nothing")
		}
		if r.Number == 0 {
			l.Warnf(diag.ZeroNumber, r.NumberSpan, "number 0 does not leave the layer out: YOLOv5 still builds one %s, or one without its inner blocks", r.Module)
		}
	}
	if len(l.m.Rows) > 0 && l.m.BackboneRows == len(l.m.Rows) && !l.m.HeadSpan.IsZero() {
		l.Warnf(diag.EmptyHead, l.m.HeadSpan, "the head has no layers")
	}
}

// numbered matches a comment that starts with a layer number, as in `# 17 (P3/8-small)` and `# 0-P1/2`.
var numbered = regexp.MustCompile(`^([0-9]{1,5})(?:$|[^0-9A-Za-z.%])`)

// shift is where the layer numbers in comments go off: from row on, all are off by the same number of layers, where
// all before are right. Rows were inserted (or removed) there. The zero shift says that the comments do not tell.
type shift struct{ row, by int }

// commentShift finds the shift of the numbering comments.
func commentShift(rows []Row) shift {
	var s shift
	for _, r := range rows {
		match := numbered.FindStringSubmatch(r.Comment)
		if match == nil {
			continue
		}
		n, err := strconv.Atoi(match[1])
		if err != nil {
			continue
		}
		switch off := r.Index - n; {
		case s.by == 0 && off != 0:
			s = shift{r.Index, off}
		case s.by != 0 && off != s.by:
			return shift{}
		}
	}
	return s
}
