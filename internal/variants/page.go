package variants

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/dustin/go-humanize"

	"ysc2onnx/internal/page"
	"ysc2onnx/internal/units"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var parsed = template.Must(template.New("compare").Funcs(template.FuncMap{
	"grouped": humanize.Comma, "bytes": units.Bytes,
	"policy": func() string { return page.Policy([]string{pageStyle}) },
	"style":  func() template.HTML { return template.HTML("<style>" + pageStyle + "</style>") }, //nolint:gosec // our own text
}).Parse(pageText))

// shownVariant is a model on the page, with its bars: widths of 100.
type shownVariant struct {
	*Variant
	Median, Least                      string
	ParamBar, FlopBar, MemBar, TimeBar string
	LayerRows                          []shownLayer
}

type shownLayer struct {
	Index  int
	Module string
	Params int64
	GFLOPs float64
	Time   string
	Bar    string
}

// WritePage writes a page with the models side by side and the layers of each. It loads nothing and runs nothing. runtime is what ran
// them, "" for none, and command how the page was made.
func WritePage(w io.Writer, models []Variant, runtime, command string) error {
	var params, flops, memory, times, layers float64
	for i := range models {
		v := &models[i]
		params, flops = max(params, float64(v.Parameters)), max(flops, v.GFLOPs)
		memory = max(memory, float64(v.ActivationBytes))
		if v.Latency != nil {
			times = max(times, v.Latency.Median.Seconds())
		}
		for _, r := range v.Summary.Rows {
			layers = max(layers, v.layerTime(r.Index))
		}
	}
	shown := make([]shownVariant, len(models))
	for i := range models {
		v := &models[i]
		s := shownVariant{
			Variant: v, ParamBar: bar(float64(v.Parameters), params), FlopBar: bar(v.GFLOPs, flops), MemBar: bar(float64(v.ActivationBytes), memory),
		}
		if v.Latency != nil {
			s.Median, s.Least = fmt.Sprintf("%.1f ms", v.Latency.Median.Seconds()*1e3), fmt.Sprintf("%.1f ms", v.Latency.Least.Seconds()*1e3)
			s.TimeBar = bar(v.Latency.Median.Seconds(), times)
		}
		for _, r := range v.Summary.Rows {
			l := shownLayer{Index: r.Index, Module: r.Class(), Params: r.Params, GFLOPs: r.GFLOPs}
			if len(v.LayerTimes) > 0 {
				took := v.layerTime(r.Index)
				l.Time, l.Bar = fmt.Sprintf("%.2f", took), bar(took, layers)
			}
			s.LayerRows = append(s.LayerRows, l)
		}
		shown[i] = s
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, map[string]any{"Models": shown, "Runtime": runtime, "Command": command}); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// bar is a width of 100 for the largest value.
func bar(value, largest float64) string {
	if largest <= 0 {
		return "0"
	}
	return fmt.Sprintf("%.1f", 100*value/largest)
}
