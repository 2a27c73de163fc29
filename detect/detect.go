// Package detect finds objects in pictures with an exported YOLOv5 file, as YOLOv5's detect.py does: letterbox, run,
// non-maximum suppression, and boxes in pixels of the original picture.
//
// It reads the files that this project writes and those of YOLOv5's own export. What runs them is a [verify.Runtime].
package detect

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"strconv"
	"time"

	"ysc2onnx/verify"
	"ysc2onnx/yamlcfg"
)

// Detection is an object in a picture.
type Detection struct {
	Class int        `json:"class"` // its number
	Name  string     `json:"name"`  // its name in the file's metadata, or its number
	Score float32    `json:"score"` // objectness times the class's probability, 0 to 1
	Box   [4]float32 `json:"box_xyxy"`
	// Box holds the left, top, right and bottom edge in pixels of the picture as it is displayed.
}

// Result is what was found in one picture.
type Result struct {
	Detections []Detection // the best first
	Input      image.Point // width and height that the picture was letterboxed to

	Letterbox, Run, Suppress time.Duration // what each step took
}

// Options say which objects are wanted. Start from [DefaultOptions].
type Options struct {
	Confidence    float64 // boxes with a lower score are left out, 0 to 1
	IoU           float64 // boxes that overlap a better one of their class by more are left out, 0 to 1
	MaxDetections int     // in one picture, at least 1
	Classes       []int   // if not empty, the only classes that are wanted
	Agnostic      bool    // boxes of other classes count as overlapping too
	// Height and Width are the input's size, for a file that leaves it open; it is rounded up to a multiple of the
	// stride. 0 stands for 640. A file of fixed size takes its own only.
	Height, Width int
}

// DefaultOptions are those of YOLOv5's detect.py.
func DefaultOptions() Options {
	return Options{Confidence: 0.25, IoU: 0.45, MaxDetections: 1000}
}

// Detector finds objects. It is safe for concurrent use if its session is.
type Detector struct {
	session verify.Session
	model   model
	opts    Options
}

// Open loads the detector in the ONNX file at path. It has to be closed.
//
// The error says so if the file is no YOLOv5 detector, or if an option does not fit it.
func Open(ctx context.Context, rt verify.Runtime, path string, opts Options) (*Detector, error) {
	facts, err := verify.Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := facts.Err(); err != nil {
		return nil, fmt.Errorf("%s is not a sound ONNX file: %w", path, err)
	}
	session, err := rt.Open(ctx, path, verify.SessionOptions{})
	if err != nil {
		return nil, err
	}
	d, err := New(session, facts.Metadata, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), session.Close())
	}
	return d, nil
}

// New makes a detector of a loaded file and its metadata_props, of which names and stride are read. Closing the detector
// closes the session.
func New(session verify.Session, metadata map[string]string, opts Options) (*Detector, error) {
	m, err := readModel(session.Inputs(), session.Outputs(), metadata)
	if err != nil {
		return nil, err
	}
	if err := m.fit(&opts); err != nil {
		return nil, err
	}
	return &Detector{session, m, opts}, nil
}

// Close frees the file.
func (d *Detector) Close() error { return d.session.Close() }

// Names are the names of the classes, by number.
func (d *Detector) Names() []string { return d.model.names }

// Detect finds the objects in a picture. One read with [Decode] is seen as OpenCV, and with it YOLOv5, sees the file.
func (d *Detector) Detect(ctx context.Context, picture image.Image) (*Result, error) {
	start := time.Now()
	size := picture.Bounds().Size()
	if size.X < 1 || size.Y < 1 {
		return nil, errors.New("the picture has no pixels")
	}
	boxed := d.Letterbox(picture)
	r := &Result{Input: image.Pt(boxed.Width, boxed.Height), Letterbox: time.Since(start)}

	start = time.Now()
	rows, err := d.run(ctx, boxed)
	if err != nil {
		return nil, err
	}
	r.Run = time.Since(start)

	start = time.Now()
	r.Detections = suppress(rows, d.model.classes, &d.opts)
	for i := range r.Detections {
		found := &r.Detections[i]
		found.Name = strconv.Itoa(found.Class)
		if found.Class < len(d.model.names) {
			found.Name = d.model.names[found.Class]
		}
		found.Box = boxed.original(found.Box, size)
	}
	r.Suppress = time.Since(start)
	return r, nil
}

// Letterbox makes the file's input of a picture.
func (d *Detector) Letterbox(picture image.Image) *Letterboxed {
	height, width := d.model.height, d.model.width
	var stride image.Point // 1 in a direction: the padding is as the size asks for
	if height == 0 {
		height, stride.Y = d.opts.Height, d.model.stride
	}
	if width == 0 {
		width, stride.X = d.opts.Width, d.model.stride
	}
	return letterbox(Opaque(picture), width, height, stride)
}

// run gives the rows that the file makes of one picture: [N, 5 + classes], the centre, width and height of a box in
// pixels of the input, its objectness, and the probabilities of the classes.
func (d *Detector) run(ctx context.Context, boxed *Letterboxed) ([]float32, error) {
	m := &d.model
	values := boxed.Values
	if m.batch > 1 { // the file takes no fewer: the other pictures are black
		values = append(make([]float32, 0, m.batch*len(values)), values...)
		values = values[:cap(values)]
	}
	input := verify.Tensor{
		Name: m.input, Shape: []int64{int64(m.batch), channels, int64(boxed.Height), int64(boxed.Width)}, Floats: values,
	}
	outputs, err := d.session.Run(ctx, []verify.Tensor{input})
	if err != nil {
		return nil, err
	}
	if m.output >= len(outputs) {
		return nil, fmt.Errorf("the runtime gave %d outputs; the file has %d", len(outputs), m.output+1)
	}
	out := outputs[m.output]
	columns := int64(m.classes + boxColumns)
	if len(out.Shape) != 3 || out.Shape[0] != int64(m.batch) || out.Shape[2] != columns || int64(len(out.Floats)) != out.Shape[0]*out.Shape[1]*columns {
		return nil, fmt.Errorf("%s came as %v; a detector's is [%d, boxes, %d]", out.Name, out.Shape, m.batch, columns)
	}
	rows := out.Floats[:out.Shape[1]*columns]
	for i, v := range rows {
		if v-v != 0 {
			return nil, fmt.Errorf("%s is %v at [0, %d, %d]: the file does not compute numbers, check it with: ysc2onnx verify",
				out.Name, v, int64(i)/columns, int64(i)%columns)
		}
	}
	return rows, nil
}

// model is what a file's interface and metadata say of a detector.
type model struct {
	input         string
	output        int // its place among the outputs
	batch         int
	height, width int // 0 where the file leaves it open
	stride        int
	classes       int
	names         []string
}

const (
	channels      = 3 // red, green, blue
	boxColumns    = 5 // x, y, width, height, objectness
	defaultSize   = 640
	defaultStride = 32
	maxSide       = 1 << 14 // of an input
)

// readModel finds out whether a file is a detector that can be used here.
func readModel(inputs, outputs []verify.IO, metadata map[string]string) (m model, err error) {
	if len(inputs) != 1 {
		return m, fmt.Errorf("the file has %d inputs; a detector has one, the pictures", len(inputs))
	}
	in := inputs[0]
	m.input = in.Name
	switch {
	case len(in.Dims) != 4 || in.Dims[1] != channels:
		return m, fmt.Errorf("the file's input is %s; a detector's is float32 [batch, 3, height, width]", in)
	case in.DType != verify.Float32:
		return m, fmt.Errorf("the file's input is %s; only float32 can be run here so far", in)
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
		if m.names, err = yamlcfg.ClassNames(text); err != nil {
			return m, fmt.Errorf("the file's metadata: %w", err)
		}
	}
	return m, m.readHead(outputs)
}

// readHead finds the output with the boxes.
func (m *model) readHead(outputs []verify.IO) error {
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
	if out.DType != verify.Float32 {
		return fmt.Errorf("the file's output is %s; only float32 can be read here so far", out)
	}
	known, columns := int64(len(m.names)), out.Dims[2]
	switch {
	case columns < 0:
		return fmt.Errorf("the file's output is %s; the number of its columns has to be fixed: %s", out, detector)
	case known > 0 && columns == known+boxColumns:
	case segments(outputs):
		return errors.New("the file segments: it gives mask prototypes beside the boxes, and masks are not drawn yet")
	case transposed(out, known, m.height, m.width):
		return fmt.Errorf("the file's output is %s, boxes along the last axis, as YOLOv8 and later write them; %s", out, detector)
	case columns <= boxColumns:
		return fmt.Errorf("the file's output is %s; %s", out, detector)
	case known > 0:
		return fmt.Errorf("the file's output is %s, which is %d classes, but its metadata names %d", out, columns-boxColumns, known)
	}
	m.classes = int(columns - boxColumns)
	return nil
}

// segments says whether a file gives mask prototypes: [batch, masks, height, width].
func segments(outputs []verify.IO) bool {
	for _, out := range outputs {
		if len(out.Dims) == 4 {
			return true
		}
	}
	return false
}

// transposed says whether an output is [batch, 4 + classes, boxes], one box for each cell of three maps.
func transposed(out verify.IO, classes int64, height, width int) bool {
	cells := int64(0)
	for _, stride := range []int{8, 16, 32} {
		cells += int64(height / stride * (width / stride))
	}
	return classes > 0 && out.Dims[1] == classes+4 || cells > 0 && out.Dims[2] == cells
}

// fit checks the options against the file, and completes them.
func (m *model) fit(opts *Options) error {
	switch {
	case !(opts.Confidence >= 0 && opts.Confidence <= 1):
		return fmt.Errorf("the least confidence is %v; it has to be from 0 to 1", opts.Confidence)
	case !(opts.IoU >= 0 && opts.IoU <= 1):
		return fmt.Errorf("the largest IoU is %v; it has to be from 0 to 1", opts.IoU)
	case opts.MaxDetections < 1:
		return fmt.Errorf("the most detections are %d; at least one has to be allowed", opts.MaxDetections)
	}
	for _, c := range opts.Classes {
		if c < 0 || c >= m.classes {
			return fmt.Errorf("there is no class %d; the file has 0 to %d", c, m.classes-1)
		}
	}
	var err error
	if opts.Height, err = m.side("high", m.height, opts.Height); err != nil {
		return err
	}
	opts.Width, err = m.side("wide", m.width, opts.Width)
	return err
}

// side gives a side of the input, in pixels: what was asked for, where the file leaves it open.
func (m *model) side(direction string, fixed, asked int) (int, error) {
	switch {
	case asked < 0 || asked > maxSide:
		return 0, fmt.Errorf("an input %d pixels %s was asked for; it has to be from 1 to %d", asked, direction, maxSide)
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
