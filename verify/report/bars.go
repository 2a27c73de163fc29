package report

import (
	"fmt"
	"math"
	"time"
)

// errorChart shows the largest error of each line on a logarithmic axis, and how the errors below it are spread.
type errorChart struct {
	Width, Height px
	Left, Right   px // ends of the axis
	Ticks         []tick
	Marks         []errorMark
	Text          string
}

// errorMark is a line of the chart.
type errorMark struct {
	*line
	Y, TextY       px
	Label          string
	From, To       px // of the bar: half of the elements are below From; To is the largest error
	Most           px // 99 % of the elements are below it
	Limit          px // the tolerance
	LimitY1        px
	LimitY2        px
	Value          string
	ValueX         px
	Anchor         string // of the value's text
	Title          string
	Spread, Beyond bool
}

const (
	chartWidth px = 354
	labelWidth px = 98
	textRoom   px = 54 // right of an axis, for the numbers of its bars
)

// newErrorChart is nil where nothing was compared.
func newErrorChart(lines []*line) *errorChart {
	low, high := math.Inf(1), 0.0
	rows := 0
	for _, l := range lines {
		if l.row == nil {
			continue
		}
		rows++
		e := errorOf(l.row)
		if e > 0 {
			low, high = min(low, e), max(high, e)
		}
		if l.row.Tolerance > 0 {
			low, high = min(low, l.row.Tolerance), max(high, l.row.Tolerance*2)
		}
		if l.sample != nil {
			if q := l.sample.quantile(0.5) / unitOf(l.row); q > 0 && !math.IsInf(q, 1) {
				low = min(low, q)
			}
		}
	}
	if rows == 0 {
		return nil
	}
	if high == 0 {
		low, high = 1e-8, 1e-3
	}
	low = max(low, high*1e-14)
	c := &errorChart{Width: chartWidth, Height: height(len(lines)), Left: labelWidth, Right: chartWidth - textRoom}
	x := decades(low, high, 4, c.Left, c.Right)
	c.Ticks = x.decadeTicks(30)
	c.Text = fmt.Sprintf("The largest error of %d values on a logarithmic axis from %s to %s, with the tolerance of each. The table below has the numbers.",
		rows, power(int(x.low)), power(int(x.high)))
	for _, l := range lines {
		m := errorMark{line: l, Y: l.middle(), TextY: l.middle() + 4, Label: clip(l.short(), 14), Title: l.title()}
		if l.row != nil {
			m.set(x)
		}
		c.Marks = append(c.Marks, m)
	}
	return c
}

// set places a mark on the axis.
func (m *errorMark) set(x scale) {
	e := errorOf(m.row)
	m.From, m.Most, m.To = x.from, x.from, x.at(e)
	m.Limit, m.LimitY1, m.LimitY2 = x.at(m.row.Tolerance), m.top(), m.top()+lineHeight
	m.Value, m.ValueX = number(e), chartWidth-1
	switch {
	case m.row.NotFinite > 0:
		m.Value, m.To = "NaN, ∞", x.to
	case m.row.Worst == nil:
		m.Value, m.To = "failed", x.to
	case e == 0:
		m.Value = "equal"
	}
	m.Beyond = !m.row.OK
	if m.sample != nil {
		m.From, m.Most = x.at(m.sample.quantile(0.5)/unitOf(m.row)), x.at(m.sample.quantile(0.99)/unitOf(m.row))
		m.From, m.Most, m.Spread = min(m.From, m.To), min(m.Most, m.To), true
	}
}

// HasRow says whether there is anything to draw.
func (m errorMark) HasRow() bool { return m.row != nil }

// timeChart shows how long each layer takes.
type timeChart struct {
	Width, Height px
	Left, Right   px
	Ticks         []tick
	Marks         []timeMark
	Text          string
}

// timeMark is a line of the chart.
type timeMark struct {
	*line
	Y, TextY px
	Label    string
	Bar      px // its length
	Value    string
	Title    string
}

// newTimeChart is nil where no times are known of any layer.
func newTimeChart(lines []*line) *timeChart {
	var longest time.Duration
	timed := 0
	for _, l := range lines {
		if l.time != nil {
			longest = max(longest, l.time.Time)
			timed++
		}
	}
	if longest == 0 {
		return nil
	}
	c := &timeChart{Width: chartWidth, Height: height(len(lines)), Left: labelWidth, Right: chartWidth - textRoom}
	x := scale{low: 0, high: longest.Seconds() * 1e3, from: c.Left, to: c.Right}
	c.Ticks = x.roundTicks()
	c.Text = fmt.Sprintf("How long %d layers take in milliseconds, in the order of the model.", timed)
	for _, l := range lines {
		m := timeMark{line: l, Y: l.middle(), TextY: l.middle() + 4, Label: clip(l.short(), 14), Title: l.title()}
		if l.time != nil {
			m.Bar = max(1, x.at(l.time.Time.Seconds()*1e3)-c.Left)
			m.Value = fmt.Sprintf("%.1f %%", 100*l.time.Share)
		}
		c.Marks = append(c.Marks, m)
	}
	return c
}

// milliseconds prints a time: 12.3 ms.
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }
