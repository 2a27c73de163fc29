package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ysc2onnx/detect"
	"ysc2onnx/verify"
)

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{brief(271 * time.Millisecond), "271 ms"}, {brief(3400 * time.Millisecond), "3.4 s"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestJoinNumbers(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--imgsz 640", "--imgsz=640"},
		{"--imgsz 480 640", "--imgsz=480,640"},
		{"--imgsz=480 640 m.yaml", "--imgsz=480,640 m.yaml"},
		{"m.yaml --imgsz 480 640 -o m.onnx", "m.yaml --imgsz=480,640 -o m.onnx"},
		{"--imgsz 1 2 3 m.yaml", "--imgsz=1,2,3 m.yaml"},
		{"--imgsz 480x640 7", "--imgsz 480x640 7"},
		{"--imgsz m.yaml", "--imgsz m.yaml"},
		{"--imgsz", "--imgsz"},
		{"--opset 13 14", "--opset 13 14"},
		{"--classes 0 2 a.jpg", "--classes=0,2 a.jpg"},
		{"--classes person 2", "--classes person 2"},
		{"-- --imgsz 480 640", "-- --imgsz 480 640"},
		{"--imgsz 480 -- 640", "--imgsz=480 -- 640"},
	} {
		if got := joinNumbers(strings.Fields(c.args)); !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: got %q, want %s", c.args, got, c.want)
		}
	}
}

// FuzzSize holds that a size which is taken is one, and reads back the same.
func FuzzSize(f *testing.F) {
	for _, text := range []string{"640", "480 640", "480x640", "480,640", "0", "-1", "x", "1,2,3", "99999999999999999999", "480×640", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second size
		if err := first.Set(text); err != nil {
			return
		}
		if first.height < 1 || first.width < 1 {
			t.Fatalf("%q gives %+v", text, first)
		}
		if err := second.Set(first.String()); err != nil || second != first {
			t.Errorf("%q gives %+v, which reads back as %+v (%v)", text, first, second, err)
		}
	})
}

// TestHarmless: a text keeps its lines and colours, and what a name could steer a terminal with is shown.
func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"a ×\n" + style(true).paint("31", "b") + "\n": "a ×\n\x1b[31mb\x1b[0m\n",
		"\x1b[2Ja\x1b[8mb\x1b":                        `\x1b[2Ja\x1b[8mb\x1b`,
		"\x1b]0;title\a\r\x9b\u202e行人\t":              `\x1b]0;title\a\r` + "\ufffd" + `\u202e行人\t`,
	} {
		if got := style(true).harmless(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got, want := style(false).harmless("a\n\x1b[31mb"), "a\n"+`\x1b[31mb`; got != want {
		t.Errorf("without colours: got %q, want %q", got, want)
	}
}

// TestLines: neither a picture's name nor a class's colours the lines, and each object has its edges.
func TestLines(t *testing.T) {
	p := picture{Path: "a\x1b[31m.jpg", Width: 3, Height: 2, Detections: []detect.Detection{
		{Name: "\x1b[32mdog", Score: 0.804, Box: [4]float32{52.42, 387.5, 212.6, 1896.61}}, {Name: "\x1b[32mdog", Score: 0.3},
	}, Steps: &steps{}}
	var text bytes.Buffer
	p.lines(&text, true)
	want := "\x1b[1m" + `a\x1b[31m.jpg` + "\x1b[0m 3x2: 2 " + `\x1b[32mdog  0 ms (read 0, letterbox 0, run 0, nms 0)` + "\n" +
		`  0.80     52.4   387.5   212.6  1896.6  \x1b[32mdog` + "\n" +
		`  0.30      0.0     0.0     0.0     0.0  \x1b[32mdog` + "\n"
	if got := text.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWriteChecks shows each kind of check, good and failed.
func TestWriteChecks(t *testing.T) {
	ms := func(n time.Duration) time.Duration { return n * time.Millisecond }
	for name, c := range map[string]struct {
		checks []verify.Check
		want   string
	}{
		"all well": {
			[]verify.Check{
				{Name: "structure", OK: true, Detail: "359 nodes"}, {Name: "interface", OK: true, Detail: "a -> b"},
				{Name: "load", OK: true, Detail: "v"}, {Name: "runtime", OK: true, Detail: "i 1 -> o 1", Duration: ms(271)},
				{Name: "batch", OK: true, Detail: "i 2 -> o 2", Duration: ms(1500)},
			},
			"  structure  ok   359 nodes\n  runtime    ok   ORT 1: i 1 -> o 1, 271 ms\n  batch      ok   i 2 -> o 2, 1.5 s\n",
		},
		"all numbers": {
			[]verify.Check{
				{Name: "weights", OK: true, Detail: "139 initializers as computed"},
				{Name: "numbers", OK: true, Detail: "26 layers, largest error 2.1e-06, at layer 9 (ScConv)"},
			},
			"  weights    ok   139 initializers as computed\n  numbers    ok   26 layers, largest error 2.1e-06, at layer 9 (ScConv)\n",
		},
		"not run": {
			[]verify.Check{{Name: "structure", OK: true, Detail: "359 nodes"}, {Name: "interface", OK: true, Detail: "a -> b"}},
			"  structure  ok   359 nodes\n  interface  ok   a -> b\n",
		},
		"not loaded": {
			[]verify.Check{{Name: "interface", OK: true, Detail: "a -> b"}, {Name: "load", Detail: "no such operator"}},
			"  interface  ok   a -> b\n  load       FAILED   no such operator\n",
		},
		"wrong values": {
			[]verify.Check{{Name: "runtime", Detail: "NaN at [0]"}},
			"  runtime    FAILED   NaN at [0]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			writeChecks(&got, false, &verify.Report{Runtime: "ORT 1", Checks: c.checks})
			if got.String() != c.want {
				t.Errorf("got\n%swant\n%s", got.String(), c.want)
			}
		})
	}
	var got bytes.Buffer
	writeChecks(&got, false, &verify.Report{Skipped: []string{"the numbers, as there are none"}})
	if want := "  not checked: the numbers, as there are none\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

// TestNothingSteersTheTerminal: an error with a name from a file shows what would steer a terminal, and keeps its lines.
func TestNothingSteersTheTerminal(t *testing.T) {
	var stderr bytes.Buffer
	a := app{stderr: &stderr}
	a.complain(errors.New("m.pt: not used:\n  a\x1b[2J\rb\u202e"))
	a.note("left out: %s", "c\x1b]0;d\x07")
	if got, want := stderr.String(), "ysc2onnx: m.pt: not used:\n  a\\x1b[2J\\rb\\u202e\nysc2onnx: left out: c\\x1b]0;d\\a\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
