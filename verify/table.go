package verify

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteTable prints a comparison for people: one line for each value, then what
// was not compared, then the verdict.
func (c *Comparison) WriteTable(w io.Writer) error {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(table.Row{"value", "shape", "max error", "relative", "worst at", "got", "want", "outside", ""})
	for _, row := range c.Rows {
		verdict := "ok"
		if !row.OK {
			verdict = "FAILED"
		}
		if row.Worst == nil {
			t.AppendRow(table.Row{row.Name, shapeText(row.Shape), "", "", "", "", "", "", verdict + ": " + row.Problem})
			continue
		}
		outside := "0"
		if row.Outside > 0 {
			outside = fmt.Sprintf("%d (%.3g%%)", row.Outside, 100*row.Share())
		}
		t.AppendRow(table.Row{
			row.Name, shapeText(row.Shape), fmt.Sprintf("%.1e", row.MaxAbs), fmt.Sprintf("%.1e", row.MaxRel), indexText(row.Worst.Index),
			fmt.Sprintf("%.6g", float32(row.Worst.Got)), fmt.Sprintf("%.6g", float32(row.Worst.Want)), outside, verdict,
		})
	}
	var columns []table.ColumnConfig
	for n := 3; n <= 8; n++ {
		columns = append(columns, table.ColumnConfig{Number: n, Align: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	if _, err := fmt.Fprintln(w, t.Render()); err != nil {
		return err
	}
	for _, s := range c.NotCompared {
		if _, err := fmt.Fprintf(w, "not compared: %s (%s)\n", s.Name, s.Reason); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, c.Summary())
	return err
}

// Summary is one line: "26 layers, largest error 2.1e-06, at model.9", the error
// relative to the layer's largest value, or what is wrong.
func (c *Comparison) Summary() string {
	if err := c.Err(); err != nil {
		return err.Error()
	}
	rows, what := c.Rows[:c.Layers], fmt.Sprintf("%d layers", c.Layers)
	if c.Layers == 0 {
		rows, what = c.Rows, "the outputs alone, as file and reference have no layer in common"
	}
	worst := &rows[0] // layers come first
	for i := range rows {
		if rows[i].MaxRel > worst.MaxRel {
			worst = &rows[i]
		}
	}
	return fmt.Sprintf("%s, largest error %.1e, at %s", what, worst.MaxRel, worst.Name)
}
