package detect

import (
	"context"
	"image"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
)

// session is a loaded file whose output is given.
type session struct {
	inputs, outputs []engine.IO
	floats          []float32
	shape           []int64

	got    engine.Tensor // what it was run on
	closed bool
}

func (s *session) Inputs() []engine.IO  { return s.inputs }
func (s *session) Outputs() []engine.IO { return s.outputs }
func (s *session) Close() error         { s.closed = true; return nil }

func (s *session) Run(_ context.Context, inputs []engine.Tensor) ([]engine.Tensor, error) {
	s.got = inputs[0]
	out := make([]engine.Tensor, len(s.outputs))
	for i, o := range s.outputs {
		out[i].Name = o.Name
	}
	out[len(out)-1] = engine.Tensor{Name: s.outputs[len(out)-1].Name, Shape: s.shape, Floats: s.floats}
	return out, nil
}

func float(name string, dims ...int64) engine.IO {
	return engine.IO{Name: name, DType: engine.Float32, Dims: dims}
}

// twoClasses is a file of two pictures at once that finds, in the first one, two boxes of one thing and one of another.
func twoClasses() *session {
	rows := []float32{
		32, 32, 20, 10, 0.9, 0.1, 0.8, // class 1, score 0.72
		33, 32, 20, 10, 0.8, 0.1, 0.8, // the same thing
		32, 32, 20, 10, 0.5, 0.9, 0.2, // class 0, score 0.45, at the same place
		50, 50, 4, 4, 0.2, 1, 0, // too unsure
	}
	return &session{
		inputs:  []engine.IO{float("images", 2, 3, 64, 64)},
		outputs: []engine.IO{float("extra", 1), float("output0", 2, 4, 7)},
		floats:  append(rows, make([]float32, len(rows))...), shape: []int64{2, 4, 7},
	}
}

// TestDetect follows a picture of 32x16 through a file for 64x64: it is doubled and has 16 rows of grey above. Worked by
// hand: the box 22..42 x 27..37 of the input is 11..21 x (27-16)/2..(37-16)/2 of the picture.
func TestDetect(t *testing.T) {
	s := twoClasses()
	d, err := New(s, map[string]string{"names": "{0: 'cat', 1: 'dog'}", "stride": "32"}, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	picture := image.NewRGBA(image.Rect(0, 0, 32, 16))
	fill(picture, func(int, int) (r, g, b uint8) { return 51, 102, 255 })
	got, err := d.Detect(t.Context(), picture)
	if err != nil {
		t.Fatal(err)
	}
	box := [4]float32{11, 5.5, 21, 10.5}
	objectness, probability := float32(0.9), float32(0.8)
	want := []Detection{{Class: 1, Name: "dog", Score: objectness * probability, Box: box}, {Name: "cat", Score: 0.45, Box: box}}
	if diff := cmp.Diff(want, got.Detections); diff != "" {
		t.Errorf("detections (-want +got):\n%s", diff)
	}
	if got.Input != image.Pt(64, 64) {
		t.Errorf("the input is %v, want 64x64", got.Input)
	}
	if diff := cmp.Diff([]int64{2, 3, 64, 64}, s.got.Shape); diff != "" || s.got.Name != "images" || len(s.got.Floats) != 2*3*64*64 {
		t.Errorf("the file was run on %s %v with %d values", s.got.Name, s.got.Shape, len(s.got.Floats))
	}
	for at, want := range map[int]float32{
		0: 114. / 255, 15*64 + 63: 114. / 255, // grey above
		16 * 64: 51. / 255, 64*64 + 47*64: 102. / 255, 2*64*64 + 40*64: 1, // red, green and blue, between
		48 * 64: 114. / 255, 3 * 64 * 64: 0, // grey below, and the second picture
	} {
		if s.got.Floats[at] != want {
			t.Errorf("value %d of the input is %v, want %v", at, s.got.Floats[at], want)
		}
	}
	if err := d.Close(); err != nil || !s.closed {
		t.Errorf("the session is closed: %v, %v", s.closed, err)
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		want   []string
	}{
		"confidence": {func(o *Options) { o.Confidence = 0.5 }, []string{"dog"}},
		"low":        {func(o *Options) { o.Confidence = 0.15 }, []string{"dog", "cat", "cat"}},
		"IoU":        {func(o *Options) { o.IoU = 1 }, []string{"dog", "dog", "cat"}},
		"number":     {func(o *Options) { o.MaxDetections = 1 }, []string{"dog"}},
		"agnostic":   {func(o *Options) { o.Agnostic = true }, []string{"dog"}},
		"by name":    {func(o *Options) { o.Classes = []string{"cat"} }, []string{"cat"}},
		"by number":  {func(o *Options) { o.Classes = []string{"1"} }, []string{"dog"}},
	} {
		opts := DefaultOptions()
		c.change(&opts)
		d, err := New(twoClasses(), map[string]string{"names": "['cat', 'dog']"}, opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Detect(t.Context(), image.NewGray(image.Rect(0, 0, 64, 64)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, found := range got.Detections {
			names = append(names, found.Name)
		}
		if diff := cmp.Diff(c.want, names); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestSizes: what a picture of 100x50 is letterboxed to, in a file that leaves sizes open.
func TestSizes(t *testing.T) {
	open := &session{inputs: []engine.IO{float("images", -1, 3, -1, -1)}, outputs: []engine.IO{float("output0", -1, -1, 7)}}
	for _, c := range []struct {
		height, width int
		rectangle     bool
		stride        string
		want          image.Point
	}{
		{0, 0, false, "32", image.Pt(640, 640)},
		{0, 0, true, "32", image.Pt(640, 320)},
		{100, 200, false, "32", image.Pt(224, 128)},
		{100, 200, true, "64", image.Pt(256, 128)},
		{100, 120, true, "8.0", image.Pt(120, 64)}, // 60 rows and 4 of grey
	} {
		opts := DefaultOptions()
		opts.Height, opts.Width, opts.Rectangle = c.height, c.width, c.rectangle
		d, err := New(open, map[string]string{"stride": c.stride}, opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Letterbox(image.NewGray(image.Rect(0, 0, 100, 50))); image.Pt(got.Width, got.Height) != c.want {
			t.Errorf("%+v: %dx%d", c, got.Width, got.Height)
		}
	}
}

func TestNoDetector(t *testing.T) {
	in, out := float("images", 1, 3, 640, 640), float("output0", 1, 25200, 7)
	double := in
	double.DType = engine.Float64
	halfOut := out
	halfOut.DType = engine.Float16
	names := map[string]string{"names": "['cat', 'dog']"}
	for _, c := range []struct {
		inputs, outputs []engine.IO
		metadata        map[string]string
		change          func(*Options)
		want            string
	}{
		{[]engine.IO{in, in}, []engine.IO{out}, nil, nil, "the file has 2 inputs; a detector has one, the pictures"},
		{[]engine.IO{float("x", 1, 4, 8, 8)}, []engine.IO{out}, nil, nil,
			"the file's input is x float32 [1, 4, 8, 8]; a detector's is float32 [batch, 3, height, width]"},
		{[]engine.IO{double}, []engine.IO{out}, nil, nil, "the file's input is images float64 [1, 3, 640, 640]; only float32 and float16 can be run here so far"},
		{[]engine.IO{float("images", 1, 3, 0, 8)}, []engine.IO{out}, nil, nil,
			"the file's input is images float32 [1, 3, 0, 8]; sizes from 1 to 16384 can be run here"},
		{[]engine.IO{in}, nil, nil, nil, "the file has no output"},
		{[]engine.IO{in}, []engine.IO{float("probabilities", 1, 1000)}, nil, nil,
			"the file's output is probabilities float32 [1, 1000]; a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"},
		{[]engine.IO{in}, []engine.IO{halfOut}, nil, nil, "the file's output is output0 float16 [1, 25200, 7]; only float32 can be read here so far"},
		{[]engine.IO{in}, []engine.IO{float("output0", 1, 25200, -1)}, nil, nil,
			"the file's output is output0 float32 [1, 25200, ?], and its metadata name no classes, so that their number is unknown: a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"},
		{[]engine.IO{in}, []engine.IO{float("output0", 1, 25200, 5)}, nil, nil,
			"the file's output is output0 float32 [1, 25200, 5]; a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"},
		{[]engine.IO{in}, []engine.IO{float("output0", 1, 84, 8400)}, nil, nil,
			"the file's output is output0 float32 [1, 84, 8400], boxes along the last axis, as YOLOv8 and later write them; a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"},
		{[]engine.IO{float("images", 1, 3, -1, -1)}, []engine.IO{float("output0", 1, 6, -1)}, names, nil,
			"the file's output is output0 float32 [1, 6, ?], boxes along the last axis, as YOLOv8 and later write them; a YOLOv5 detector's is float32 [batch, boxes, 5 + classes]"},
		{[]engine.IO{in}, []engine.IO{float("output0", 1, 25200, 39), float("output1", 1, 32, 160, 160)}, names, nil,
			"the file segments: it gives mask prototypes beside the boxes, and masks are not drawn yet"},
		{[]engine.IO{in}, []engine.IO{float("output0", -1, -1, -1), float("output1", 1, 32, 160, 160)}, names, nil,
			"the file segments: it gives mask prototypes beside the boxes, and masks are not drawn yet"},
		{[]engine.IO{in}, []engine.IO{float("output0", 1, 25200, 9)}, names, nil,
			"the file's output is output0 float32 [1, 25200, 9], which is 4 classes, but its metadata names 2"},
		{[]engine.IO{in}, []engine.IO{float("a", 1, 6, 25200)}, map[string]string{"outputs": `[{"name":"a","axis":1,"parts":[["boxes",4],["scores",1],["raw",1]]}]`}, nil,
			"the file's output is a float32 [1, 6, 25200], which it describes as boxes 4, scores 1, raw 1 along axis 1; only rows of a box, an objectness and scores, as float32, and landmarks between them, can be read here so far"},
		{[]engine.IO{in}, []engine.IO{float("a", 1, 25200, 7)}, map[string]string{"outputs": `[{"name":"a","axis":0,"parts":[["raw",0]]}]`}, nil,
			"none of the file's outputs holds boxes and scores, by its metadata: export it with the decoded head"},
		{[]engine.IO{in}, []engine.IO{float("a", 1, 7)}, map[string]string{"outputs": `[{"name":"a","axis":1,"parts":[["logits",7]]}]`}, nil,
			"the file classifies whole pictures: it has no boxes of objects to find"},
		{[]engine.IO{in}, []engine.IO{out}, map[string]string{"names": "{0: cat}"}, nil,
			"the file's metadata: the names of the classes are neither a dict of numbers to strings nor a list of strings: the name of class 0 is not a string"},
		{[]engine.IO{in}, []engine.IO{out}, map[string]string{"stride": "wide"}, nil, `the file's metadata says stride "wide"; a number of pixels was expected`},
		{[]engine.IO{in}, []engine.IO{out}, names, func(o *Options) { o.Width = 320 },
			"an input 320 pixels wide was asked for; the file takes 640 only (export it with --dynamic for any size)"},
		{[]engine.IO{float("images", 16384, 3, 640, 640)}, []engine.IO{out}, names, nil, "an input of 16384x3x640x640 is too large; at most 268435456 numbers can be run here"},
		{[]engine.IO{float("images", -1, 3, -1, -1)}, []engine.IO{out}, names, func(o *Options) { o.Height, o.Width = 16384, 16384 },
			"an input of 1x3x16384x16384 is too large; at most 268435456 numbers can be run here"},
		{[]engine.IO{in}, []engine.IO{out}, names, func(o *Options) { o.Confidence = math.NaN() }, "the least confidence is NaN; it must be from 0 to 1"},
		{[]engine.IO{in}, []engine.IO{out}, names, func(o *Options) { o.Classes = []string{"dig"} }, `there is no class "dig"; did you mean "dog"?`},
		{[]engine.IO{in}, []engine.IO{out}, names, func(o *Options) { o.Classes = []string{"-1"} }, "there is no class -1; the file has 0 to 1"},
	} {
		opts := DefaultOptions()
		if c.change != nil {
			c.change(&opts)
		}
		if _, err := New(&session{inputs: c.inputs, outputs: c.outputs}, c.metadata, opts); err == nil || err.Error() != c.want {
			t.Errorf("the error is %v\nwant %s", err, c.want)
		}
	}
}

// TestWrongOutput: a file that does not keep to what it says, or computes no numbers.
func TestWrongOutput(t *testing.T) {
	for want, spoil := range map[string]func(*session){
		"output0 came as [2 4]; a detector's is [2, boxes, 7]":                                                                                     func(s *session) { s.shape = s.shape[:2] },
		"output0 came as [2 4 7]; a detector's is [2, boxes, 7]":                                                                                   func(s *session) { s.floats = s.floats[1:] },
		"output0 is NaN at [0, 1, 2]: the file does not compute ":                                                                                  func(s *session) { s.floats[9] = float32(math.NaN()) },
		"output0 is -20.5 at [0, 1, 5], where a class's probability from 0 to 1 was expected: the file has another head, perhaps with landmarks, ": func(s *session) { s.floats[12] = -20.5 },
		"output0 is +Inf at [0, 0, 0]: ":                                                                                                           func(s *session) { s.floats[0] = float32(math.Inf(1)) },
	} {
		s := twoClasses()
		spoil(s)
		d, err := New(s, nil, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Detect(t.Context(), image.NewGray(image.Rect(0, 0, 8, 8))); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("the error is %v, want %s", err, want)
		}
		if _, err := d.Detect(t.Context(), &image.Gray{}); err == nil || err.Error() != "the picture has no pixels" {
			t.Errorf("the error for no picture is %v", err)
		}
	}
}

// TestThresholds: what is equal to a threshold is not over it. The two boxes are 20x10 and its left half: their IoU is 0.5.
func TestThresholds(t *testing.T) {
	rows := []float32{
		10, 5, 20, 10, 1, 1,
		5, 5, 10, 10, 1, 0.5,
		100, 100, 8, 8, 0.25, 1, // objectness
		200, 200, 8, 8, 0.5, 0.5, // score
	}
	for iou, want := range map[float64]int{0.5: 2, 0.4999: 1} {
		if got := suppress(rows, plain(1), nil, &Options{Confidence: 0.25, IoU: iou, MaxDetections: 9}); len(got) != want {
			t.Errorf("IoU %v: %+v, want %d detections", iou, got, want)
		}
	}
}

// TestOpenColumns reads a file that says nothing of its output's shape, as YOLOv5's export.py --dynamic writes it: the names
// in the metadata say how many classes there are, and what comes out has to be as many.
func TestOpenColumns(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 32, 16))
	for names, want := range map[string]string{
		"{0: 'cat', 1: 'dog'}":             "",
		"{0: 'cat', 1: 'dog', 2: 'horse'}": "output0 came as [2 4 7]; a detector's is [2, boxes, 8]",
	} {
		s := twoClasses()
		s.outputs[1] = float("output0", -1, -1, -1)
		d, err := New(s, map[string]string{"names": names}, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Detect(t.Context(), picture)
		if want != "" {
			if err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", names, err, want)
			}
			continue
		}
		if err != nil || len(got.Detections) != 2 || got.Detections[0].Name != "dog" {
			t.Errorf("%s: %v, %v", names, got, err)
		}
	}
}

// TestDescribedOutput: what the metadata say of the outputs counts, not their names or shapes.
func TestDescribedOutput(t *testing.T) {
	m, err := readModel([]engine.IO{float("images", 1, 3, 64, 64)}, []engine.IO{float("output0", 1, 4, 9), float("found", 1, 8, 7)}, map[string]string{
		"outputs": `[{"name":"output0","axis":0,"parts":[["raw",0]]},{"name":"found","axis":2,"parts":[["boxes",4],["objectness",1],["scores",2]]}]`,
	})
	if err != nil || m.output != 1 || m.classes != 2 {
		t.Errorf("output %d, %d classes, %v", m.output, m.classes, err)
	}
}

// TestLandmarks follows two points of a face through a file for 64x64, of a picture of 32x16. Worked by hand: a point of the
// input at 30, 36 is at 15, (36-16)/2 of the picture; one outside of the picture is on its edge.
func TestLandmarks(t *testing.T) {
	s := &session{
		inputs: []engine.IO{float("images", 1, 3, 64, 64)}, outputs: []engine.IO{float("output0", 1, 1, 11)}, shape: []int64{1, 1, 11},
		floats: []float32{32, 32, 20, 10, 0.5, 30, 36, -9, 80, 0.25, 0.75},
	}
	d, err := New(s, map[string]string{
		"outputs": `[{"name":"output0","axis":2,"parts":[["boxes",4],["objectness",1],["landmarks",4],["scores",2]]}]`, "names": "{0: 'face', 1: 'mask'}",
	}, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Detect(t.Context(), image.NewRGBA(image.Rect(0, 0, 32, 16)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Detection{{Class: 1, Name: "mask", Score: 0.375, Box: [4]float32{11, 5.5, 21, 10.5}, Landmarks: [][2]float32{{15, 10}, {0, 16}}}}
	if diff := cmp.Diff(want, got.Detections); diff != "" {
		t.Errorf("detections (-want +got):\n%s", diff)
	}
}

// TestColumnsFirst reads the form of YOLOv8: two boxes in columns, with scores and no objectness. By hand: of a picture of 32x16 in
// an input of 64x64, 20 and 10 wide and high around 32, 32 is 11 to 21 and 5.5 to 10.5.
func TestColumnsFirst(t *testing.T) {
	s := &session{
		inputs: []engine.IO{float("images", 1, 3, 64, 64)}, outputs: []engine.IO{float("output0", 1, 6, 2)}, shape: []int64{1, 6, 2},
		floats: []float32{32, 10, 32, 40, 20, 8, 10, 8, 0.25, 0.1, 0.75, 0.2},
	}
	d, err := New(s, map[string]string{
		"outputs": `[{"name":"output0","axis":1,"parts":[["boxes",4],["scores",2]]}]`, "names": "{0: 'face', 1: 'mask'}",
	}, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Detect(t.Context(), image.NewRGBA(image.Rect(0, 0, 32, 16)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Detection{{Class: 1, Name: "mask", Score: 0.75, Box: [4]float32{11, 5.5, 21, 10.5}}}
	if diff := cmp.Diff(want, got.Detections); diff != "" {
		t.Errorf("detections (-want +got):\n%s", diff)
	}
}
