package detect

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"ysc2onnx/diag"
	"ysc2onnx/heads/roles"
	"ysc2onnx/verify/engine"
	"ysc2onnx/yamlcfg/python"
)

// model is what a file's interface and metadata say about a detector.
type model struct {
	input         string
	output        int // its place among the outputs
	batch         int
	height, width int // 0 where the file leaves it open
	stride        int
	names         []string
	guessed       bool // the file does not say what its columns are
	layout
}

// layout says where the columns of a row are, behind those of a box and an objectness.
type layout struct {
	columns            int  // all of them
	scores, classes    int  // the first score, and how many there are
	landmarks, numbers int  // the first coordinate of a point, and how many there are, two for each point
	whole              bool // there is no objectness: a score is that of an object of the class
	columnsFirst       bool // the output has a column after the other, not a row
}

// plain is the layout of YOLOv5's own rows.
func plain(classes int) layout {
	return layout{columns: boxColumns + classes, scores: boxColumns, classes: classes}
}

const (
	channels      = 3 // red, green, blue
	boxColumns    = 5 // x, y, width, height, objectness
	defaultSize   = 640
	defaultStride = 32
	maxSide       = 1 << 14 // of an input
	maxValues     = 1 << 28 // of all pictures that a file takes at once, 1 GiB
)

// readModel finds out whether a file is a detector that can be used here.
func readModel(inputs, outputs []engine.IO, metadata map[string]string) (m model, err error) {
	if len(inputs) != 1 {
		return m, fmt.Errorf("the file has %d inputs; a detector has one, the pictures", len(inputs))
	}
	in := inputs[0]
	m.input = in.Name
	switch {
	case len(in.Dims) != 4 || in.Dims[1] != channels:
		return m, fmt.Errorf("the file's input is %s; a detector's is float32 [batch, 3, height, width]", in)
	case in.DType != engine.Float32 && in.DType != engine.Float16:
		return m, fmt.Errorf("the file's input is %s; only float32 and float16 can be run here so far", in)
	}
	for _, d := range in.Dims {
		if d == 0 || d > maxSide {
			return m, fmt.Errorf("the file's input is %s; sizes from 1 to %d can be run here", in, maxSide)
		}
	}
	m.batch, m.height, m.width = int(max(in.Dims[0], 1)), int(max(in.Dims[2], 0)), int(max(in.Dims[3], 0))
	m.stride = defaultStride
	if text, ok := metadata["stride"]; ok {
		stride, err := strconv.ParseFloat(text, 64)
		if err != nil || stride != math.Trunc(stride) || stride < 1 || stride > maxSide {
			return m, fmt.Errorf("the file's metadata says stride %.20q; a number of pixels was expected", text)
		}
		m.stride = int(stride)
	}
	if text, ok := metadata["names"]; ok {
		if m.names, err = python.ClassNames(text); err != nil {
			return m, fmt.Errorf("the file's metadata: %w", err)
		}
	}
	if described, notSaid := roles.Parse(metadata[roles.Key]); notSaid == nil {
		err = m.readRoles(outputs, described)
	} else {
		err = m.readHead(outputs)
	}
	return m, err
}

// readRoles finds the output with the boxes by the roles in the file's metadata.
func (m *model) readRoles(outputs []engine.IO, described []roles.Output) error {
	for i, out := range outputs {
		for _, o := range described {
			_, _, boxes := o.Columns(roles.Boxes)
			_, _, scores := o.Columns(roles.Scores)
			if o.Name != out.Name || !boxes || !scores {
				continue
			}
			read, ok := layoutOf(o)
			if !ok || len(out.Dims) != 3 || out.Dims[o.Axis] != int64(o.Size()) || out.DType != engine.Float32 {
				return fmt.Errorf("the file's output is %s, which it describes as %s; only rows of a box, an objectness and scores, as float32, "+
					"and landmarks between them, can be read here so far", out, o)
			}
			m.output, m.layout = i, read
			if n := len(m.names); n > 0 && n != m.classes {
				return fmt.Errorf("the file's output is %s, which is %d classes, but its metadata names %d", out, m.classes, n)
			}
			return nil
		}
	}
	for _, o := range described {
		if _, _, ok := o.Columns(roles.Logits); ok {
			return errors.New("the file classifies whole pictures: it has no boxes of objects to find")
		}
	}
	return errors.New("none of the file's outputs holds boxes and scores, by its metadata: export it with the decoded head")
}

// layoutOf reads rows of a box, an objectness, perhaps landmarks, and scores, or columns of boxes and scores.
func layoutOf(o roles.Output) (l layout, ok bool) {
	if o.Axis == 1 && len(o.Parts) == 2 && o.Parts[0] == (roles.Part{Role: roles.Boxes, Size: 4}) && o.Parts[1].Role == roles.Scores {
		return layout{columns: o.Size(), scores: 4, classes: o.Parts[1].Size, whole: true, columnsFirst: true}, true
	}
	known := []roles.Role{roles.Boxes, roles.Objectness, roles.Scores}
	from, to, has := o.Columns(roles.Landmarks)
	if has {
		known = slices.Insert(known, 2, roles.Landmarks)
	}
	sized := o.Axis == 2 && len(o.Parts) == len(known) && o.Parts[0].Size == 4 && o.Parts[1].Size == 1 && (to-from)%2 == 0
	for i := range known {
		sized = sized && o.Parts[i].Role == known[i]
	}
	if !sized {
		return l, false
	}
	l = layout{columns: o.Size(), landmarks: from, numbers: to - from}
	l.scores, to, _ = o.Columns(roles.Scores)
	l.classes = to - l.scores
	return l, true
}

// readHead finds the output with the boxes.
func (m *model) readHead(outputs []engine.IO) error {
	if len(outputs) == 0 {
		return errors.New("the file has no output")
	}
	for i, out := range outputs {
		if out.Name == "output0" || out.Name == "output" { // the name before YOLOv5 v7.0
			m.output = i
		}
	}
	out := outputs[m.output]
	const detector = "a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"
	if len(out.Dims) != 3 {
		return fmt.Errorf("the file's output is %s; %s", out, detector)
	}
	if out.DType != engine.Float32 {
		return fmt.Errorf("the file's output is %s; only float32 can be read here so far", out)
	}
	known, columns := int64(len(m.names)), out.Dims[2]
	open, other := columns < 0, segments(outputs) || transposed(out, known, m.height, m.width)
	if open && !other { // as YOLOv5's export.py --dynamic writes it: each run shows whether there are as many
		columns = known + boxColumns
	}
	switch {
	case known > 0 && columns == known+boxColumns:
	case segments(outputs):
		return errors.New("the file segments: it gives mask prototypes beside the boxes, and masks are not drawn yet")
	case transposed(out, known, m.height, m.width):
		return fmt.Errorf("the file's output is %s, boxes along the last axis, as YOLOv8 and later write them; %s", out, detector)
	case open:
		return fmt.Errorf("the file's output is %s, and its metadata name no classes, so that their number is unknown: %s", out, detector)
	case columns <= boxColumns:
		return fmt.Errorf("the file's output is %s; %s", out, detector)
	case known > 0:
		return fmt.Errorf("the file's output is %s, which is %d classes, but its metadata names %d", out, columns-boxColumns, known)
	}
	m.layout, m.guessed = plain(int(columns-boxColumns)), true
	return nil
}

// segments says whether a file gives mask prototypes: [batch, masks, height, width].
func segments(outputs []engine.IO) bool {
	for _, out := range outputs {
		if len(out.Dims) == 4 {
			return true
		}
	}
	return false
}

// transposed says whether an output is [batch, 4 + classes, boxes], one box for each cell of three maps.
func transposed(out engine.IO, classes int64, height, width int) bool {
	cells := int64(0)
	for _, stride := range []int{8, 16, 32} {
		cells += int64(height / stride * (width / stride))
	}
	return classes > 0 && out.Dims[1] == classes+4 || cells > 0 && out.Dims[2] == cells
}

// checkOptions checks the options against the file, and completes them.
func (m *model) checkOptions(opts *Options) error {
	if opts.Rectangle && m.height > 0 && m.width > 0 {
		return errors.New("a rectangle that fits each picture was asked for; the file takes one size only (export it with --dynamic for any size)")
	}
	var err error
	if opts.Height, err = m.side("high", m.height, opts.Height); err != nil {
		return err
	}
	if opts.Width, err = m.side("wide", m.width, opts.Width); err != nil {
		return err
	}
	if picture := channels * int64(opts.Height) * int64(opts.Width); int64(m.batch) > maxValues/picture {
		return fmt.Errorf("an input of %dx%dx%dx%d is too large; at most %d numbers can be run here", m.batch, channels, opts.Height, opts.Width, maxValues)
	}
	return nil
}

// side gives a side of the input, in pixels: what was asked for, where the file leaves it open.
func (m *model) side(direction string, fixed, asked int) (int, error) {
	switch {
	case asked == 0 && fixed > 0:
		return fixed, nil
	case asked == 0:
		asked = defaultSize
	}
	asked = (asked + m.stride - 1) / m.stride * m.stride
	if fixed > 0 && asked != fixed {
		return 0, fmt.Errorf("an input %d pixels %s was asked for; the file takes %d only (export it with --dynamic for any size)", asked, direction, fixed)
	}
	return asked, nil
}

// numbers gives the numbers of classes that are named, or numbered.
func (m *model) numbers(classes []string) ([]int, error) {
	list := make([]int, len(classes))
	for i, class := range classes {
		n := slices.Index(m.names, class)
		if n < 0 {
			var err error
			if n, err = strconv.Atoi(class); err != nil {
				if near, ok := diag.Suggest(class, m.names); ok {
					return nil, fmt.Errorf("there is no class %q; did you mean %q?", class, near)
				}
				return nil, fmt.Errorf("there is no class %q; name one of the file's, or give a number from 0 to %d", class, m.classes-1)
			}
		}
		if n < 0 || n >= m.classes {
			return nil, fmt.Errorf("there is no class %d; the file has 0 to %d", n, m.classes-1)
		}
		list[i] = n
	}
	return list, nil
}
