package drawing

import (
	"fmt"
	"io"
	"strings"

	"ysc2onnx/modules"
)

// Mermaid writes the model as a flowchart in Mermaid's language, which Markdown on GitHub shows as a picture.
func Mermaid(w io.Writer, title string, s *modules.Summary) error {
	if len(s.Rows) > MaxRows {
		return fmt.Errorf("the model has %d layers; at most %d are drawn", len(s.Rows), MaxRows)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntitle: %s\n---\nflowchart TD\n  image([image %d x %d])\n", quoted(title), s.Height, s.Width)
	part := func(name string, rows []modules.SummaryRow) {
		if len(rows) == 0 {
			return
		}
		fmt.Fprintf(&b, "  subgraph %s\n", name)
		for i := range rows {
			r := &rows[i]
			text := fmt.Sprintf("%d %s", r.Index, r.Class())
			if r.N > 1 {
				text += fmt.Sprintf(" x%d", r.N)
			}
			for _, label := range []string{size(r), params(r)} {
				if label != "" {
					text += "<br>" + label
				}
			}
			fmt.Fprintf(&b, "    l%d[%s]\n", r.Index, quoted(text))
		}
		b.WriteString("  end\n")
	}
	part("backbone", s.Rows[:s.Backbone])
	part("head", s.Rows[s.Backbone:])
	for i := range s.Rows {
		for _, source := range s.Rows[i].Sources {
			from := "image"
			if source >= 0 {
				from = fmt.Sprintf("l%d", source)
			}
			fmt.Fprintf(&b, "  %s --> l%d\n", from, i)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quoted is a text as Mermaid reads it.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`"`, "#quot;", "#", "#35;", "\n", " ", "`", "'").Replace(text) + `"`
}
