package diag

import (
	"fmt"
	"io"
	"strings"
)

// GitHub prints the diagnostics as commands of GitHub Actions, which shows them at their lines in a pull request.
func (ds *Diagnostics) GitHub(w io.Writer) error {
	if ds == nil {
		return nil
	}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	message := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	var b strings.Builder
	for _, d := range ds.List {
		word := [...]string{Error: "error", Warning: "warning", Info: "notice"}[d.Severity]
		fmt.Fprintf(&b, "::%s file=%s", word, property.Replace(ds.name()))
		if !d.Span.IsZero() {
			fmt.Fprintf(&b, ",line=%d,endLine=%d", d.Span.Start.Line, d.Span.End.Line)
			if d.Span.Start.Line == d.Span.End.Line { // GitHub takes columns within one line only
				fmt.Fprintf(&b, ",col=%d,endColumn=%d", d.Span.Start.Col, d.Span.End.Col)
			}
		}
		if d.Code != "" {
			fmt.Fprintf(&b, ",title=%s", property.Replace(string(d.Code)))
		}
		text := d.Message
		for _, n := range d.Notes {
			text += "\n" + n.Message
			if !n.Span.IsZero() {
				text += fmt.Sprintf(" (line %d)", n.Span.Start.Line)
			}
		}
		fmt.Fprintf(&b, "::%s\n", message.Replace(text))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
