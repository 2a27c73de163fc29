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

// ownColumn is the column of the table with how far the recorded program is from float64.
const ownColumn = 7

// WriteTable prints a comparison for people: one line for each value, then the gates that flipped and what was not
// compared, then the verdict. It is no wider than 130 columns for the models of this project.
func (c *Comparison) WriteTable(w io.Writer) error {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	style.Box.PaddingRight = ""
	t.SetStyle(style)
	t.AppendHeader(table.Row{"value", "module", "shape", "max abs", "max rel", "rms", "PyTorch", "worst at", "got", "want", "outside", "ulp 50%", "99.9%", ""})
	for i := range c.Rows {
		t.AppendRow(c.Rows[i].cells())
	}
	columns := []table.ColumnConfig{{Number: 14, WidthMax: 60}}
	recorded := slices.ContainsFunc(c.Rows, func(r Row) bool { return r.Own != nil })
	for n := 4; n <= 13; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight, Hidden: n == ownColumn && !recorded})
	}
	t.SetColumnConfigs(columns)
	_, err := fmt.Fprintf(w, "%s%s\n%s%s\n", c.heading(), t.Render(), c.notes(), c.Summary())
	return err
}

// heading says what two files were run on; a recording has its own input.
func (c *Comparison) heading() string {
	if c.Against == "" {
		return ""
	}
	return fmt.Sprintf("got: %s, want: %s, on noise of %s\n", c.Path, c.Against, engine.ShapeText(c.Input))
}

// cells are a row's line of the table.
func (r *Row) cells() table.Row {
	verdict := "ok"
	switch {
	case !r.OK:
		verdict = "FAILED"
	case r.Before != nil:
		verdict = "ok, flips"
	}
	if r.Worst == nil {
		return table.Row{r.Name, r.Module, engine.ShapeText(r.Shape), "", "", "", "", "", "", "", "", "", "", verdict + ": " + r.Problem}
	}
	rms, own := "", ""
	if r.RMSTolerance > 0 {
		rms = fmt.Sprintf("%.1e", r.RMS)
	}
	if r.Own != nil {
		own = fmt.Sprintf("%.1e", r.Own.MaxRel)
	}
	outside := "0"
	if r.Outside > 0 {
		outside = fmt.Sprintf("%d (%.3g%%)", r.Outside, 100*r.Share())
	}
	return table.Row{
		r.Name, r.Module, engine.ShapeText(r.Shape), fmt.Sprintf("%.1e", r.MaxAbs), fmt.Sprintf("%.1e", r.MaxRel), rms, own, indexText(r.Worst.Index),
		fmt.Sprintf("%.5g", float32(r.Worst.Got)), fmt.Sprintf("%.5g", float32(r.Worst.Want)), outside, ulpText(r.UlpMedian), ulpText(r.UlpMost), verdict,
	}
}

// ulpText prints a distance in units in the last place, a large one in few digits.
func ulpText(d uint32) string {
	if d < 1e6 {
		return fmt.Sprint(d)
	}
	return fmt.Sprintf("%.0e", float64(d))
}

// shownFlips is how many flips the table names; --json has all.
const shownFlips = 10

// notes are the lines between the table and the verdict.
func (c *Comparison) notes() string {
	var b strings.Builder
	if c.Gates != nil {
		for i, f := range c.Gates.Flips {
			if i == shownFlips {
				fmt.Fprintf(&b, "gate flip: %d more\n", len(c.Gates.Flips)-i)
				break
			}
			fmt.Fprintf(&b, "gate flip: %s; the reference decided otherwise\n", f)
		}
		b.WriteString("gates: " + c.Gates.String() + "\n")
	}
	for _, path := range c.Inferred {
		fmt.Fprintf(&b, "layers of %s were inferred from the names of its nodes: it does not say which values they are\n", path)
	}
	b.WriteString(c.skipped())
	return b.String()
}

// String is one line: "8 comparisons, 60,000 decisions, 3 within rounding of their threshold, 1 flipped".
func (g *Gates) String() string {
	text := counted(g.Comparisons, "comparison")
	if g.Decisions > 0 {
		text += fmt.Sprintf(" with %s, %d within rounding of the threshold", counted(g.Decisions, "decision"), g.Near)
		if g.Differ > 0 {
			text += fmt.Sprintf(", %d decided otherwise by the other file", g.Differ)
		}
		text += fmt.Sprintf("; flips that account for differences: %d", len(g.Flips))
	}
	if g.Note != "" {
		text += "; " + g.Note
	}
	return text
}

// counted is "1 run", "3 runs".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Summary is one line: "26 layers, largest error 2.1e-06, at model.9", the error relative to the layer's largest value, or what
// is wrong. Of a recording with float64 it says both distances: "26 layers, at most 2.1e-06 from float64, at model.9, where
// PyTorch is 2.6e-06 from it; boxes at most 0.0066 px, PyTorch 0.025 px".
func (c *Comparison) Summary() string {
	if err := c.Err(); err != nil {
		return err.Error()
	}
	rows, what := c.Rows[:c.Layers], counted(c.Layers, "layer")
	if c.Layers == 0 {
		rows, what = c.Rows, "the outputs alone, as file and reference have no layer in common"
	}
	worst := &rows[0] // layers come first
	for i := range rows {
		if rows[i].MaxRel > worst.MaxRel {
			worst = &rows[i]
		}
	}
	line := fmt.Sprintf("%s, largest error %.1e, at %s", what, worst.MaxRel, worst.Name)
	if worst.FromExact {
		line = fmt.Sprintf("%s, at most %.1e from float64, at %s, where PyTorch is %.1e from it", what, worst.MaxRel, worst.Name, worst.Own.MaxRel)
	}
	for i := range c.Rows {
		if row := &c.Rows[i]; row.FromExact && row.Unit == OfBox {
			line += fmt.Sprintf("; boxes at most %.2g px, PyTorch %.2g px", row.MaxAbs, row.Own.MaxAbs)
		}
	}
	if c.Gates != nil && len(c.Gates.Flips) > 0 {
		line += fmt.Sprintf(", with %s decided as the reference decided", counted(len(c.Gates.Flips), "gate"))
	}
	return line
}
