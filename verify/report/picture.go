package report

import (
	"fmt"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"ysc2onnx/verify"
)

// picture is the drawing of a model's layers, from the top down.
type picture struct {
	Width, Height px
	Boxes         []box
	Arrows        []arrow
	Text          string // a description of the drawing, for those who cannot see it
}

// box is a layer in a picture, or its input or an output.
type box struct {
	*line
	X, Y, Width, Height px
	Round               px // of its corners
	LabelX, ShapeX      px
	ParamsX, TextY      px
	Short               string // the label as far as there is room
	Plain               bool   // it is not the class of a module
	ShortShape          string
	ShortParams         string
	Title               string
}

// arrow is where a layer's values go.
type arrow struct {
	Path, Head string // of an SVG path
	Class      string // of the style sheet: next, skip
	Title      string
}

// The measures of a picture. Its width fits a phone without being shrunk.
const (
	pictureWidth px = 354
	boxWidth     px = 124
	boxHeight    px = 21
	gutterMax    px = 78
	laneMax      px = 10
	corner       px = 7
	arrowSize    px = 4
)

// link is an arrow between two lines of a picture.
type link struct{ from, to *line }

// newPicture lays out the layers. nil where the file does not show any.
func newPicture(stages []verify.Stage, lines []*line) *picture {
	if len(stages) == 0 {
		return nil
	}
	links := linksOf(stages, lines)
	lanes, count := assignLanes(links)
	lane := min(laneMax, gutterMax/px(max(count, 1)))
	left := lane*px(count) + 8
	p := &picture{Width: pictureWidth, Height: height(len(lines))}
	p.Text = fmt.Sprintf("The model as a column of %d layers, from the input at the top to the outputs at the bottom, with arrows from each layer to those that read it. The table below lists them all.", len(stages))
	for _, l := range lines {
		b := box{
			line: l, X: left, Y: l.middle() - boxHeight/2, Width: boxWidth, Height: boxHeight, Round: 4, TextY: l.middle() + 4,
			LabelX: left + 31, ShapeX: left + boxWidth + 9, ParamsX: pictureWidth - 1,
			Short: clip(l.Label, 12), ShortShape: clip(l.Shape, 14), ShortParams: short(l.Params), Title: l.title(),
		}
		if l.stage >= 0 && l.Label == "" { // the file does not say what the layer is
			b.Short = english.Plural(l.Nodes, "operator", "")
			b.Plain = true
		}
		if l.stage < 0 {
			b.Round, b.LabelX, b.Short = boxHeight/2, left+12, clip(l.Label, 15)
		}
		p.Boxes = append(p.Boxes, b)
	}
	for i, k := range links {
		p.Arrows = append(p.Arrows, k.draw(left, lanes[i], lane))
	}
	return p
}

// linksOf gives the arrows of a picture: from layers to layers, and to outputs.
func linksOf(stages []verify.Stage, lines []*line) []link {
	var links []link
	at := map[int]*line{}
	for _, l := range lines {
		if l.stage >= 0 {
			at[l.stage] = l
		}
	}
	if len(lines) > 0 && lines[0].stage < 0 {
		at[-1] = lines[0]
	}
	for _, s := range stages {
		for _, from := range s.From {
			if at[from] != nil {
				links = append(links, link{at[from], at[s.Index]})
			}
		}
		for _, l := range lines {
			for _, made := range s.Makes {
				if l.stage < 0 && l.Number > at[s.Index].Number && (l.Name == made || l.row != nil && l.row.Value == made) {
					links = append(links, link{at[s.Index], l})
				}
			}
		}
	}
	return links
}

// assignLanes gives each arrow that passes a line a lane left of the boxes, the shorter ones nearer to them, so that no
// two in a lane overlap. Arrows to the next line have lane 0.
func assignLanes(links []link) (lanes []int, count int) {
	order := make([]int, len(links))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return links[a].span() - links[b].span() })
	lanes = make([]int, len(links))
	for _, i := range order {
		if links[i].span() == 1 {
			continue
		}
		lane := 1
		for slices.ContainsFunc(order, func(j int) bool { return lanes[j] == lane && links[i].meets(links[j]) }) {
			lane++
		}
		lanes[i] = lane
		count = max(count, lane)
	}
	return lanes, count
}

// span is how many lines an arrow goes down.
func (k link) span() int { return k.to.Number - k.from.Number }

// meets says whether two arrows stand side by side. Arrows of the same source may share a lane, as one branches off
// the other.
func (k link) meets(o link) bool {
	if k.from == o.from {
		return false
	}
	return k.from.Number < o.to.Number && o.from.Number < k.to.Number
}

// draw makes the path of an arrow: straight down to the next box, or out to the left, down its lane and back.
func (k link) draw(left px, lane int, laneWidth px) arrow {
	a := arrow{Class: "next", Title: fmt.Sprintf("%s to %s", k.from.short(), k.to.short())}
	if lane == 0 {
		x, from, to := left+boxWidth/2, k.from.middle()+boxHeight/2, k.to.middle()-boxHeight/2
		a.Path = fmt.Sprintf("M%s %sV%s", x, from, to)
		a.Head = fmt.Sprintf("M%s %sl%s %sh%sz", x, to, -arrowSize+1, -arrowSize, 2*(arrowSize-1))
		return a
	}
	x, from, to := left-px(lane)*laneWidth, k.from.middle()+4, k.to.middle()-4
	r := min(corner, laneWidth*px(lane))
	a.Class = "skip"
	a.Path = fmt.Sprintf("M%s %sH%sQ%s %s %s %sV%sQ%s %s %s %sH%s", left, from, x+r, x, from, x, from+r, to-r, x, to, x+r, to, left-2)
	a.Head = fmt.Sprintf("M%s %sl%s %sv%sz", left, to, -arrowSize-1, -arrowSize+1, 2*(arrowSize-1))
	return a
}

// short names a line in a few words: "9 SPPF".
func (l *line) short() string {
	if l.Index == "" {
		return l.Label
	}
	if l.Label == "" {
		return "layer " + l.Index
	}
	return l.Index + " " + l.Label
}

// title says all about a line, for a pointer that rests on it.
func (l *line) title() string {
	text := l.short()
	if l.Shape != "" {
		text += "\nshape " + l.Shape
	}
	if l.stage >= 0 {
		text += fmt.Sprintf("\n%s parameters, %s", humanize.Comma(l.Params), english.Plural(l.Nodes, "operator", ""))
	}
	if l.row != nil {
		text += "\nlargest error " + number(errorOf(l.row)) + ", tolerance " + number(l.row.Tolerance)
		if l.row.Problem != "" {
			text += "\n" + l.row.Problem
		}
	}
	if l.time != nil {
		text += "\n" + milliseconds(l.time.Time)
	}
	return text
}

// short is a number of parameters in at most 6 characters: 1.18 M.
func short(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 1e3:
		return fmt.Sprint(n)
	case n < 1e6:
		return fmt.Sprintf("%.3g k", min(float64(n)/1e3, 999))
	case n < 1e9:
		return fmt.Sprintf("%.3g M", min(float64(n)/1e6, 999))
	}
	return fmt.Sprintf("%.3g G", float64(n)/1e9)
}
