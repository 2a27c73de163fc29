package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"ysc2onnx/verify"
)

// distribution is how the elements of one row differ: a histogram of their differences, and ours against theirs.
type distribution struct {
	Name, Module string
	Why          string // it is shown
	Level        level
	Equal        string // the share of elements that are bit for bit equal
	Histogram    *histogram
	Scatter      *scatter
}

// histogram counts elements by the logarithm of their difference.
type histogram struct {
	Width, Height            px
	Left, Right, Top, Bottom px
	Bars                     string // an SVG path
	Beyond                   string // the part of it that is outside the tolerance
	Limit, LimitX            px     // the tolerance, and where its text is
	LimitText, LimitAnchor   string // "" where there is no tolerance
	XTicks, YTicks           []tick
	Text                     string
}

// scatter is a plot of values against recorded ones.
type scatter struct {
	Width, Height            px
	Left, Right, Top, Bottom px
	Points, Worst            string // SVG paths
	XTicks, YTicks           []tick
	Drawn, Count             int // elements without the worst, which may be among them; all
	Text                     string
}

// distributions are drawn of the outputs, and of the layer that fails first, else of the one nearest to its tolerance.
func (d *Data) distributions() []distribution {
	if d.Comparison == nil || d.Samples == nil {
		return nil
	}
	rows := d.Comparison.Rows
	shown := map[int]string{}
	for i := d.Comparison.Layers; i < len(rows); i++ {
		shown[i] = "an output"
	}
	worst := -1
	for i := range rows[:d.Comparison.Layers] {
		if !rows[i].OK {
			worst = i
			shown[i] = "the first layer that differs"
			break
		}
		if worst < 0 || errorOf(&rows[i]) > errorOf(&rows[worst]) {
			worst = i
		}
	}
	if worst >= 0 && shown[worst] == "" {
		shown[worst] = "the layer with the largest error"
	}
	var list []distribution
	for i := range rows {
		s := d.Samples.samples[rows[i].Name]
		if shown[i] == "" || s == nil || s.count == 0 {
			continue
		}
		list = append(list, distribution{
			Name: rows[i].Name, Module: rows[i].Module, Why: shown[i], Level: levelOf(&rows[i]),
			Equal: percent(float64(s.equal) / float64(s.count)), Histogram: newHistogram(&rows[i], s), Scatter: newScatter(rows[i].Name, s),
		})
	}
	return list
}

const (
	plotWidth  px = 354
	plotHeight px = 236
	plotLeft   px = 46
)

// newHistogram is nil where no element differs. Counts are drawn logarithmically, since what matters are the few
// elements at the right.
func newHistogram(row *verify.Row, s *sample) *histogram {
	first, last, ok := s.span()
	if !ok {
		return nil
	}
	h := &histogram{Width: plotWidth, Height: plotHeight, Left: plotLeft, Right: plotWidth - 14, Top: 16, Bottom: plotHeight - 34}
	limit := row.Tolerance * unitOf(row)
	low, high := edge(first), edge(last+1)
	if limit > 0 {
		high = max(high, limit*1.5)
	}
	low = max(low, high*1e-14)
	x := decades(low, high, 3, h.Left, h.Right)
	most := math.Ceil(math.Log10(float64(slices.Max(s.bins[:]))))
	y := scale{math.Log10(0.5), max(most, 1), h.Bottom, h.Top, true} // so that a single element is seen
	var bars, beyond strings.Builder
	for i := first; i <= last; i++ {
		if s.bins[i] == 0 {
			continue
		}
		bar := func(to *strings.Builder, from, end float64) {
			fmt.Fprintf(to, "M%s %sV%sH%sV%sz", x.at(from), h.Bottom, y.at(float64(s.bins[i])), x.at(end), h.Bottom)
		}
		switch low, high := edge(i), edge(i+1); {
		case row.OK || high <= limit:
			bar(&bars, low, high)
		case low >= limit:
			bar(&beyond, low, high)
		default:
			bar(&bars, low, limit)
			bar(&beyond, limit, high)
		}
	}
	h.Bars, h.Beyond = bars.String(), beyond.String()
	h.XTicks, h.YTicks = x.decadeTicks(40), y.decadeTicks(22)
	if limit > 0 {
		h.Limit, h.LimitText, h.LimitAnchor = x.at(limit), "tolerance "+number(limit), "end"
		h.LimitX = h.Limit
		if h.Limit < h.Left+140 { // there is no room before it: the axis has its name there
			h.LimitX, h.LimitAnchor = max(h.Limit, h.Left+44), "start"
		}
	}
	h.Text = fmt.Sprintf("Histogram of the differences of %s: from %s to %s, %s; the tolerance is %s.", row.Name, number(edge(first)), number(row.MaxAbs),
		"most below "+number(s.quantile(0.99)), number(limit))
	return h
}

// newScatter is nil where no element is finite.
func newScatter(name string, s *sample) *scatter {
	if len(s.points) == 0 {
		return nil
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range slices.Concat(s.points, s.worst) {
		low, high = min(low, float64(p.got), float64(p.want)), max(high, float64(p.got), float64(p.want))
	}
	c := &scatter{Width: plotWidth, Height: plotHeight + 60, Left: plotLeft, Right: plotWidth - 14, Top: 16, Bottom: plotHeight + 26}
	x, y := linear(low, high, c.Left, c.Right), linear(low, high, c.Bottom, c.Top)
	seen := map[string]bool{}
	place := func(p point) string { return x.at(float64(p.want)).String() + " " + y.at(float64(p.got)).String() }
	var dots, rings strings.Builder
	for _, p := range s.points {
		if at := place(p); !seen[at] {
			seen[at] = true
			dots.WriteString("M" + at + "h0")
		}
	}
	clear(seen)
	for _, p := range s.worst {
		if at := place(p); !seen[at] {
			seen[at] = true
			fmt.Fprintf(&rings, "M%sm-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", at)
		}
	}
	c.Points, c.Worst = dots.String(), rings.String()
	c.XTicks, c.YTicks = x.roundTicks(), y.roundTicks()
	c.Drawn, c.Count = len(s.points), s.count
	c.Text = fmt.Sprintf("Scatter plot of %s: values of the file against values of the reference, %d of %d elements and the worst; equal values lie on the diagonal.",
		name, c.Drawn, c.Count)
	return c
}
