package detect

import (
	"cmp"
	"slices"
)

const (
	// classOffset moves the boxes of each class to a place of their own, so that they overlap no others.
	classOffset = 7680
	// maxCandidates is how many boxes are compared with each other, the best ones.
	maxCandidates = 30000
)

// candidate is a box before suppression, moved by its class's offset.
type candidate struct {
	Detection
	moved [4]float32
	area  float32
}

// suppress picks the objects out of a file's rows, as YOLOv5's non_max_suppression does with torchvision's nms: each row
// stands for its best class; of boxes of one class that overlap, the best one stays. Arithmetic is float32, in the same
// order. Of equal scores, the first row wins; torch leaves that open. Boxes are in pixels of the input.
func suppress(rows []float32, l layout, only []int, opts *Options) []Detection {
	list := candidates(rows, l, only, opts)
	slices.SortStableFunc(list, func(a, b candidate) int { return cmp.Compare(b.Score, a.Score) })
	list = list[:min(len(list), maxCandidates)]
	kept := []Detection{}
	dropped := make([]bool, len(list))
	for i, best := range list {
		if dropped[i] {
			continue
		}
		kept = append(kept, best.Detection)
		if len(kept) == opts.MaxDetections {
			break
		}
		for k := i + 1; k < len(list); k++ {
			dropped[k] = dropped[k] || float64(overlap(&best, &list[k])) > opts.IoU
		}
	}
	return kept
}

// candidates are the rows whose best class is wanted and scores above the threshold.
func candidates(rows []float32, l layout, only []int, opts *Options) []candidate {
	var list []candidate
	threshold := float32(opts.Confidence)
	for row := range slices.Chunk(rows, l.columns) {
		objectness := float32(1)
		if !l.whole {
			objectness = row[4]
		}
		if !(objectness > threshold) {
			continue
		}
		scores := row[l.scores:][:l.classes]
		c := candidate{Detection: Detection{Score: scores[0] * objectness}}
		for i, p := range scores {
			if score := p * objectness; score > c.Score {
				c.Class, c.Score = i, score
			}
		}
		if !(c.Score > threshold) || len(only) > 0 && !slices.Contains(only, c.Class) {
			continue
		}
		x, y, w, h := row[0], row[1], row[2]/2, row[3]/2
		c.Box = [4]float32{x - w, y - h, x + w, y + h}
		for pair := range slices.Chunk(row[l.landmarks:][:l.numbers], 2) {
			c.Landmarks = append(c.Landmarks, [2]float32(pair))
		}
		offset := float32(c.Class * classOffset)
		if opts.Agnostic {
			offset = 0
		}
		for i, v := range c.Box {
			c.moved[i] = v + offset
		}
		c.area = (c.moved[2] - c.moved[0]) * (c.moved[3] - c.moved[1])
		list = append(list, c)
	}
	return list
}

// byRow makes rows of columns.
func byRow(values []float32, columns int) []float32 {
	rows := make([]float32, len(values))
	n := len(values) / columns
	for i := range n {
		for k := range columns {
			rows[i*columns+k] = values[k*n+i]
		}
	}
	return rows
}

// overlap is the intersection of two boxes over their union.
func overlap(a, b *candidate) float32 {
	w := max(min(a.moved[2], b.moved[2])-max(a.moved[0], b.moved[0]), 0)
	h := max(min(a.moved[3], b.moved[3])-max(a.moved[1], b.moved[1]), 0)
	both := float32(w * h) // the conversion keeps the product from being fused with the subtraction
	return both / (a.area + b.area - both)
}
