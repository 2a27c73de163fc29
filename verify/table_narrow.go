package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ysc2onnx/verify/engine"
)

// WriteNarrow prints a comparison in 80 columns: of each value its largest error, in its unit, that of the recorded program where
// it is known, and the elements outside the tolerance; the first value that differs is marked. [Comparison.WriteTable] has more. The
// verdict is printed if nothing differs; else it is the error [Comparison.Err]. color paints verdicts for a terminal.
func (c *Comparison) WriteNarrow(w io.Writer, color bool) error {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	style.Box.PaddingRight = ""
	t.SetStyle(style)
	t.AppendHeader(table.Row{"value", "module", "shape", "error", "PyTorch", "outside", ""})
	first := slices.IndexFunc(c.Rows, func(r Row) bool { return !r.OK })
	for i := range c.Rows {
		t.AppendRow(c.Rows[i].narrow(i == first, color))
	}
	recorded := slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Own != nil })
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 12, WidthMaxEnforcer: text.Trim}, {Number: 4, Align: text.AlignRight},
		{Number: 5, Align: text.AlignRight, Hidden: !recorded}, {Number: 6, Align: text.AlignRight},
	})
	summary := ""
	if c.OK() {
		summary = c.Summary() + "\n"
	}
	_, err := fmt.Fprintf(w, "%s%s\n%s%s", c.heading(), t.Render(), c.notes(), summary)
	return err
}

// narrow are a row's cells in the narrow table.
func (r *Row) narrow(first, color bool) table.Row {
	paint := func(code, text string) string {
		if !color {
			return text
		}
		return "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	verdict := paint("32", "ok")
	switch {
	case !r.OK && first:
		verdict = paint("31", "FAILED") + " first"
	case !r.OK:
		verdict = paint("31", "FAILED")
	case r.Before != nil:
		verdict = paint("32", "ok") + ", flips"
	}
	if r.Worst == nil {
		return table.Row{r.Name, r.Module, engine.ShapeText(r.Shape), "", "", "", verdict}
	}
	own, outside := "", "0"
	if r.Own != nil {
		own = fmt.Sprintf("%.1e", r.Own.MaxRel)
	}
	if r.Outside > 0 {
		outside = fmt.Sprintf("%.3g%%", 100*r.Share())
	}
	return table.Row{r.Name, r.Module, engine.ShapeText(r.Shape), fmt.Sprintf("%.1e", r.MaxRel), own, outside, verdict}
}

// skipped says what was not compared, in a line for each reason that differs but for the names of values.
func (c *Comparison) skipped() string {
	type reason struct {
		text  string
		names []string
	}
	var reasons []*reason
	for _, s := range c.NotCompared {
		text := s.Reason
		for _, part := range strings.FieldsFunc(s.Name, func(r rune) bool { return r < '0' || r > '9' }) { // model.7 of layer.7
			text = strings.ReplaceAll(text, "."+part, ".N")
		}
		i := slices.IndexFunc(reasons, func(r *reason) bool { return r.text == text })
		if i < 0 {
			i, reasons = len(reasons), append(reasons, &reason{text: text})
		}
		reasons[i].names = append(reasons[i].names, s.Name)
	}
	var b strings.Builder
	for _, r := range reasons {
		names, text := r.names[0], r.text
		switch n := len(r.names); {
		case n == 1:
			text = c.reasonOf(names)
		case n > 1:
			names = fmt.Sprintf("%d values, %s to %s", n, r.names[0], r.names[n-1])
		}
		fmt.Fprintf(&b, "not compared: %s (%s)\n", names, text)
	}
	return b.String()
}

// reasonOf is why a value was not compared.
func (c *Comparison) reasonOf(name string) string {
	for _, s := range c.NotCompared {
		if s.Name == name {
			return s.Reason
		}
	}
	return ""
}
