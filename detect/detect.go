// Package detect finds objects in pictures with an exported YOLOv5 file, as YOLOv5's detect.py does: letterbox, run,
// non-maximum suppression, and boxes in pixels of the original picture.
//
// It reads the files that this project writes and those of YOLOv5's own export. What runs them is a [engine.Runtime].
package detect

import (
	"context"
	"errors"
	"fmt"
	"image"
	"strconv"
	"time"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Detection is an object in a picture.
type Detection struct {
	Class int        `json:"class"` // its number
	Name  string     `json:"name"`  // its name in the file's metadata, or its number
	Score float32    `json:"score"` // objectness times the class's probability, 0 to 1
	Box   [4]float32 `json:"box_xyxy"`
	// Box holds the left, top, right and bottom edge in pixels of the picture as it is displayed.

	// Landmarks are points, x and y in the same pixels, of files that find some: of a face both eyes, the nose and both
	// corners of the mouth.
	Landmarks [][2]float32 `json:"landmarks,omitempty"`
}

// Result is what was found in one picture.
type Result struct {
	Detections []Detection // the best first
	Input      image.Point // width and height that the picture was letterboxed to

	Letterbox, Run, Suppress time.Duration // the time of each step
}

// Options say which objects are wanted. Start from [DefaultOptions].
type Options struct {
	Confidence    float64  // boxes with a lower score are left out, 0 to 1
	IoU           float64  // boxes that overlap a better one of their class by more are left out, 0 to 1
	MaxDetections int      // in one picture, at least 1
	Classes       []string // if not empty, the only classes that are wanted, by name or number
	Agnostic      bool     // boxes of other classes count as overlapping too
	// Height and Width are the input's size, for a file that leaves it open; it is rounded up to a multiple of the
	// stride. 0 stands for 640. A file of fixed size takes its own only.
	Height, Width int
	// Rectangle pads a picture only to the next multiple of the stride, where the file leaves the size open, as detect.py
	// does for .pt files: less to compute, and scores that differ a little. Else it is padded to Height and Width, as
	// detect.py does for .onnx files.
	Rectangle bool
}

// DefaultOptions are those of YOLOv5's detect.py.
func DefaultOptions() Options {
	return Options{Confidence: 0.25, IoU: 0.45, MaxDetections: 1000}
}

// Check gives an error if an option is out of its range.
func (o *Options) Check() error {
	switch {
	case !(o.Confidence >= 0 && o.Confidence <= 1):
		return fmt.Errorf("the least confidence is %v; it must be from 0 to 1", o.Confidence)
	case !(o.IoU >= 0 && o.IoU <= 1):
		return fmt.Errorf("the largest IoU is %v; it must be from 0 to 1", o.IoU)
	case o.MaxDetections < 1:
		return fmt.Errorf("the largest number of detections is %d; it must be at least 1", o.MaxDetections)
	}
	for _, side := range []int{o.Height, o.Width} {
		if side < 0 || side > maxSide {
			return fmt.Errorf("an input of %d pixels was asked for; a side must be from 1 to %d", side, maxSide)
		}
	}
	return nil
}

// Detector finds objects. It is safe for concurrent use if its session is.
type Detector struct {
	session engine.Session
	model   model
	opts    Options
	only    []int // the classes that are wanted; empty for all
}

// Open loads the detector in the ONNX file at path. It must be closed.
//
// The error says so if the file is not a YOLOv5 detector, or if an option does not fit it.
func Open(ctx context.Context, rt engine.Runtime, path string, opts Options) (*Detector, error) {
	facts, err := verify.Structure(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := facts.Err(); err != nil {
		return nil, fmt.Errorf("%s is not a sound ONNX file: %w", path, err)
	}
	session, err := rt.Open(ctx, path, engine.SessionOptions{Inputs: facts.Inputs, Outputs: facts.Outputs, Spin: true})
	if err != nil {
		return nil, err
	}
	d, err := New(session, facts.Metadata, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), session.Close())
	}
	return d, nil
}

// New makes a detector from a loaded file and its metadata_props, whose names and stride are read. Closing the detector
// closes the session.
func New(session engine.Session, metadata map[string]string, opts Options) (*Detector, error) {
	m, err := readModel(session.Inputs(), session.Outputs(), metadata)
	if err != nil {
		return nil, err
	}
	if err := opts.Check(); err != nil {
		return nil, err
	}
	if err := m.checkOptions(&opts); err != nil {
		return nil, err
	}
	only, err := m.numbers(opts.Classes)
	if err != nil {
		return nil, err
	}
	return &Detector{session, m, opts, only}, nil
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
	r.Detections = suppress(rows, d.model.layout, d.only, &d.opts)
	for i := range r.Detections {
		found := &r.Detections[i]
		found.Name = strconv.Itoa(found.Class)
		if found.Class < len(d.model.names) {
			found.Name = d.model.names[found.Class]
		}
		found.Box = boxed.original(found.Box, size)
		for k, p := range found.Landmarks {
			moved := boxed.original([4]float32{p[0], p[1]}, size)
			found.Landmarks[k] = [2]float32(moved[:2])
		}
	}
	r.Suppress = time.Since(start)
	return r, nil
}

// Letterbox makes the file's input from a picture.
func (d *Detector) Letterbox(picture image.Image) *Letterboxed {
	var stride image.Point // 0 in a direction: the padding is as the size asks for
	if d.opts.Rectangle && d.model.height == 0 {
		stride.Y = d.model.stride
	}
	if d.opts.Rectangle && d.model.width == 0 {
		stride.X = d.model.stride
	}
	return letterbox(Opaque(picture), d.opts.Width, d.opts.Height, stride)
}

// run gives the rows that the file makes of one picture: [N, columns], the centre, width and height of a box in pixels of the
// input, its objectness, perhaps landmarks, and the probabilities of the classes.
func (d *Detector) run(ctx context.Context, boxed *Letterboxed) ([]float32, error) {
	m := &d.model
	values := boxed.Values
	if m.batch > 1 { // the file takes no fewer: the other pictures are black
		values = append(make([]float32, 0, m.batch*len(values)), values...)
		values = values[:cap(values)]
	}
	input := engine.Tensor{
		Name: m.input, Shape: []int64{int64(m.batch), channels, int64(boxed.Height), int64(boxed.Width)}, Floats: values,
	}
	outputs, err := d.session.Run(ctx, []engine.Tensor{input})
	if err != nil {
		return nil, err
	}
	if m.output >= len(outputs) {
		return nil, fmt.Errorf("the runtime gave %d outputs; the file has %d", len(outputs), m.output+1)
	}
	out := outputs[m.output]
	columns, axis := int64(m.columns), 2
	if m.columnsFirst {
		axis = 1
	}
	if len(out.Shape) != 3 || out.Shape[0] != int64(m.batch) || out.Shape[axis] != columns || int64(len(out.Floats)) != out.Shape[0]*out.Shape[3-axis]*columns {
		return nil, fmt.Errorf("%s came as %v; a detector's is [%d, boxes, %d]", out.Name, out.Shape, m.batch, columns)
	}
	rows := out.Floats[:out.Shape[3-axis]*columns]
	if m.columnsFirst {
		rows = byRow(rows, m.columns)
	}
	const slack = 1e-3 // of a probability, for runtimes whose sigmoid is not exact
	for i, v := range rows {
		row, column := int64(i)/columns, int64(i)%columns
		switch {
		case v-v != 0:
			return nil, fmt.Errorf("%s is %v at [0, %d, %d]: the file does not compute numbers, check it with: ysc2onnx verify", out.Name, v, row, column)
		case m.guessed && column >= boxColumns && (v < -slack || v > 1+slack):
			return nil, fmt.Errorf("%s is %v at [0, %d, %d], where a class's probability from 0 to 1 was expected: the file has another head, perhaps with "+
				"landmarks, and its metadata do not describe it; convert its checkpoint with this program, whose files do", out.Name, v, row, column)
		}
	}
	return rows, nil
}
