package drawing

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/dustin/go-humanize"

	"ysc2onnx/internal/page"
	"ysc2onnx/modules"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var parsed = template.Must(template.New("page").Funcs(template.FuncMap{
	"grouped": humanize.Comma,
	"policy":  func() string { return page.Policy([]string{pageStyle, styleSheet}) },
	"style":   func() template.HTML { return template.HTML("<style>" + pageStyle + "</style>") }, //nolint:gosec // our own text
}).Parse(pageText))

// HTML writes a page with the picture and the table of layers. It loads nothing and runs nothing.
func HTML(w io.Writer, title string, s *modules.Summary) error {
	var picture, out bytes.Buffer
	if err := SVG(&picture, title, s); err != nil {
		return err
	}
	err := parsed.Execute(&out, map[string]any{
		"Title": title, "Summary": s, "Sum": fmt.Sprintf("%d layers, %s parameters, %.1f GFLOPs at %d × %d", s.Layers, humanize.Comma(s.Parameters), s.GFLOPs, s.Height, s.Width),
		"Picture": template.HTML(picture.String()), //nolint:gosec // SVG escapes what comes from the model
	})
	if err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}
