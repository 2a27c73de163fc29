package modules

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/python"
)

// anchors reads the argument of that name.
func (m *Detect) anchors(a *Args, anchors python.Literal) {
	if n := anchors.Int; anchors.Kind == python.Int && n > 0 && n <= yamlcfg.MaxAnchors { // as YOLOv5: 0, 1, 2, …
		level := make([]float64, n*2)
		for i := range level {
			level[i] = float64(i)
		}
		for range a.In {
			m.Anchors = append(m.Anchors, level)
		}
		m.Counted = true
		a.shown[1] = countedText(int(n), len(a.In))
		return
	}
	const expected = "a list of lists of numbers, w and h of each anchor, one list for each input"
	if anchors.Kind != python.List || len(anchors.Items) == 0 {
		a.Wrong("anchors", anchors, expected)
		return
	}
	for _, item := range anchors.Items {
		var level []float64
		for _, l := range item.Items {
			x, number := l.Number()
			if !number || !(x > 0 && x <= limit) {
				a.Wrong("anchors", l, "a number of pixels over 0")
				return
			}
			level = append(level, x)
		}
		if len(level) == 0 || len(level)%2 != 0 || len(m.Anchors) > 0 && len(level) != len(m.Anchors[0]) {
			a.Wrong("anchors", item, expected+", all of the same length")
			return
		}
		m.Anchors = append(m.Anchors, level)
	}
	if len(m.Anchors) != len(a.In) {
		a.ErrorAt(a.row.FromSpan, "%d inputs, but anchors for %d", len(a.In), len(m.Anchors))
	}
}

// ordered are the anchors in the order of the strides: YOLOv5 turns them around where the first and the last anchors'
// areas run against the strides (utils/autoanchor.py, check_anchor_order).
func (m *Detect) ordered(s *Scope, strides []int64) [][]float64 {
	if s.Has("anchors") { // a checkpoint's are in order
		return m.Anchors
	}
	area := func(level []float64) (sum float64) {
		for i := 0; i+1 < len(level); i += 2 {
			sum += float64(level[i] * level[i+1])
		}
		return sum
	}
	last := len(m.Anchors) - 1
	growth := area(m.Anchors[last]) - area(m.Anchors[0])
	if order := float64(strides[last] - strides[0]); growth != 0 && growth*order < 0 || growth != 0 && order == 0 {
		s.Warn(diag.Strides, "the anchors run against the strides %v of its inputs: YOLOv5 turns them around, and so does this model", strides)
		reversed := slices.Clone(m.Anchors)
		slices.Reverse(reversed)
		return reversed
	}
	if !slices.IsSorted(strides) {
		s.Warn(diag.Strides, "its inputs have the strides %v, expected from the smallest to the largest", strides)
	}
	return m.Anchors
}

// inStrides is the buffer in which YOLOv5 keeps the anchors, [levels, na, 2] in units of the strides, by level; nil after
// an error. A checkpoint's may differ from the YAML's: AutoAnchor changes them.
func (m *Detect) inStrides(s *Scope, pixels [][]float64, strides []int64) [][]float32 {
	var elements []float32
	for i, level := range pixels {
		for _, a := range level {
			elements = append(elements, float32(a)/float32(strides[i]))
		}
	}
	levels, each := int64(len(pixels)), int64(len(pixels[0]))
	buffer := s.Buffer("anchors", Values(elements), levels, each/2, 2)
	if buffer.Const == nil {
		return nil
	}
	trained, err := buffer.Const.ReadAll()
	if err != nil {
		s.Err("anchors: %w", err)
		return nil
	}
	if s.Has("anchors") && !m.Counted && !alike(trained, elements) {
		s.NoteSetting("anchors", anchorsText(trained, each, strides), anchorsText(elements, each, strides))
	}
	return slices.Collect(slices.Chunk(trained, int(each)))
}

// alike reports whether anchors are the same up to the rounding of float16, in which training saves them.
func alike(a, b []float32) bool {
	for i := range a {
		if difference := float64(a[i]) - float64(b[i]); !(math.Abs(difference) <= math.Abs(float64(b[i]))/1024) {
			return false
		}
	}
	return true
}

// anchorsText prints anchors, each of that many numbers a level in units of the strides, in pixels.
func anchorsText(anchors []float32, each int64, strides []int64) string {
	levels := make([]string, len(strides))
	for i, level := range slices.Collect(slices.Chunk(anchors, int(each))) {
		parts := make([]string, len(level))
		for k, a := range level {
			parts[k] = strconv.FormatFloat(float64(a*float32(strides[i])), 'g', 4, 32)
		}
		levels[i] = "[" + strings.Join(parts, ", ") + "]"
	}
	return "[" + strings.Join(levels, ", ") + "]"
}

// countedText is what YOLOv5's parser prints for a number of anchors, which stand for 0, 1, 2, … at each level.
func countedText(anchors, levels int) string {
	level := make([]int, anchors*2)
	for k := range level {
		level[k] = k
	}
	return "[" + strings.Join(slices.Repeat([]string{intList(level)}, levels), ", ") + "]"
}
