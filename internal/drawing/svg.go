// Package drawing draws a model as people draw YOLOv5: a column for each stride, a line for each layer, from the image at the
// top down to the head.
package drawing

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"ysc2onnx/modules"
)

// MaxRows is how many layers are drawn.
const MaxRows = 2000

// The measures of the drawing, in pixels.
const (
	boxWidth  = 172
	boxHeight = 34
	gapX      = 46 // between columns, where lines run
	gapY      = 16
	lane      = 7 // between lines that run side by side
	margin    = 18
	header    = 46
)

//go:embed svg.css
var styleSheet string

// box is a layer at its place.
type box struct {
	row  *modules.SummaryRow
	x, y int
}

// layout has the boxes by layer, and the strides of the columns.
type layout struct {
	boxes   []box
	strides []int
	width   int
	height  int
}

// SVG writes a picture of a model as an SVG file, which has its own light and dark colours and loads nothing.
func SVG(w io.Writer, title string, s *modules.Summary) error {
	if len(s.Rows) > MaxRows {
		return fmt.Errorf("the model has %d layers; at most %d are drawn", len(s.Rows), MaxRows)
	}
	l := arrange(s)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-label="%s">`+"\n",
		l.width, l.height, html.EscapeString(title+", layer by layer"))
	fmt.Fprintf(&b, "<style>%s</style>\n<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", styleSheet, l.width, l.height)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="22">%s</text>`+"\n", margin, html.EscapeString(title))
	for i, stride := range l.strides {
		fmt.Fprintf(&b, `<text class="stride" x="%d" y="40">stride %d</text>`+"\n", margin+i*(boxWidth+gapX)+boxWidth/2, stride)
	}
	if s.Backbone > 0 && s.Backbone < len(l.boxes) {
		y := l.boxes[s.Backbone].y - gapY/2
		fmt.Fprintf(&b, `<path class="border" d="M%d %dH%d"/><text class="part" x="%d" y="%d">backbone</text><text class="part" x="%d" y="%d">head</text>`+"\n",
			margin, y, l.width-margin, margin+boxWidth, y-4, margin+boxWidth, y+12)
	}
	for i := range l.boxes {
		l.lines(&b, i)
	}
	for _, box := range l.boxes {
		box.draw(&b)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// arrange gives each layer the column of its stride; what has no height, or none that divides the image's, takes that of what
// it reads.
func arrange(s *modules.Summary) layout {
	l := layout{boxes: make([]box, len(s.Rows))}
	of := make([]int, len(s.Rows))
	for i := range s.Rows {
		r := &s.Rows[i]
		of[i] = 1
		for _, source := range r.Sources {
			if source >= 0 {
				of[i] = max(of[i], of[source])
			}
		}
		if n := len(r.Shape); n == 4 && r.Shape[2] > 0 && int64(s.Height)%r.Shape[2] == 0 {
			of[i] = int(int64(s.Height) / r.Shape[2])
		}
		if !slices.Contains(l.strides, of[i]) {
			l.strides = append(l.strides, of[i])
		}
	}
	slices.Sort(l.strides)
	for i := range s.Rows {
		l.boxes[i] = box{
			row: &s.Rows[i], x: margin + slices.Index(l.strides, of[i])*(boxWidth+gapX), y: header + gapY + i*(boxHeight+gapY),
		}
	}
	l.width = 2*margin + max(len(l.strides), 1)*(boxWidth+gapX) - gapX + 24
	l.height = header + 2*gapY + len(s.Rows)*(boxHeight+gapY)
	return l
}

// lines draws what a layer reads: from the one before it straight or by the shortest bend, from others down a lane beside their
// boxes.
func (l *layout) lines(b *strings.Builder, i int) {
	to := l.boxes[i]
	sources := to.row.Sources
	for k, source := range sources {
		if source < 0 {
			continue
		}
		from := l.boxes[source]
		end := to.x + boxWidth*(k+1)/(len(sources)+1) // each line ends at its own place of the box's top
		switch {
		case source == i-1 && from.x == to.x:
			fmt.Fprintf(b, `<path class="next" d="M%d %dV%d"/>`, end, from.y+boxHeight, to.y)
		case source == i-1:
			fmt.Fprintf(b, `<path class="next" d="M%d %dv%dH%dV%d"/>`, from.x+boxWidth/2, from.y+boxHeight, gapY/2, end, to.y)
		default:
			l.skip(b, source, i, end)
		}
		fmt.Fprintf(b, `<path class="tip" d="M%d %dl-4 -6h8z"/>`+"\n", end, to.y)
	}
}

// skip draws a line past other layers: out of the right side of its box, down beside the column, and over to the reader.
func (l *layout) skip(b *strings.Builder, source, i, end int) {
	from, to := l.boxes[source], l.boxes[i]
	side := from.x + boxWidth + lane + lane*(source%((gapX-2*lane)/lane)) // lines of different layers side by side
	turn := to.y - gapY/2
	fmt.Fprintf(b, `<path class="skip" d="M%d %dH%dV%dH%dV%d"><title>layer %d reads layer %d</title></path>`,
		from.x+boxWidth, from.y+boxHeight/2, side, turn, end, to.y, i, source)
}

// draw draws a layer's box: index and module, then channels, size and parameters.
func (box box) draw(b *strings.Builder) {
	r := box.row
	name := r.Class()
	if r.N > 1 {
		name += fmt.Sprintf(" ×%d", r.N)
	}
	fmt.Fprintf(b, `<g class="layer %s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="5"/>`,
		kind(r), html.EscapeString(fmt.Sprintf("layer %d: %s%s, %s parameters, %.2f GFLOPs", r.Index, r.Module, r.Arguments, humanize.Comma(r.Params), r.GFLOPs)),
		box.x, box.y, boxWidth, boxHeight)
	x := box.x + 33
	fmt.Fprintf(b, `<text class="index" x="%d" y="%d">%d</text><text x="%d" y="%d">%s</text>`, x-7, box.y+15, r.Index, x, box.y+15, html.EscapeString(clip(name, 17)))
	fmt.Fprintf(b, `<text class="size" x="%d" y="%d">%s</text>`, x, box.y+28, size(r))
	fmt.Fprintf(b, `<text class="params" x="%d" y="%d">%s</text></g>`+"\n", box.x+boxWidth-7, box.y+28, params(r))
}

// kind is the class of the style sheet for a layer.
func kind(r *modules.SummaryRow) string {
	class := r.Class()
	switch {
	case strings.Contains(class, "Detect"), strings.Contains(class, "Segment"), strings.Contains(class, "Classify"):
		return "head"
	case strings.Contains(class, "Concat"), strings.Contains(class, "Upsample"), strings.Contains(class, "BiFPN"):
		return "join"
	case strings.HasSuffix(class, "Conv") && class != "ScConv" && class != "SCConv", class == "Focus":
		return "conv"
	case strings.HasPrefix(class, "C3"), strings.HasPrefix(class, "SPP"), strings.HasPrefix(class, "Bottleneck"), class == "C2f":
		return "block"
	}
	return "other"
}

// size is a layer's output: "256 × 40 × 40".
func size(r *modules.SummaryRow) string {
	if len(r.Shape) != 4 {
		return ""
	}
	return fmt.Sprintf("%d × %d × %d", r.Shape[1], r.Shape[2], r.Shape[3])
}

// params is how many parameters a layer has: "1.2 M", "" for none.
func params(r *modules.SummaryRow) string {
	if r.Params == 0 {
		return ""
	}
	value, prefix := humanize.ComputeSI(float64(r.Params))
	return strings.TrimRight(humanize.FtoaWithDigits(value, 1)+" "+prefix, " ")
}

// clip shortens a text to some characters.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
