package drawing

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"ysc2onnx/modules"
)

// summary has the form of YOLOv5's neck in small: down, up, a skip, and a head; a name is hostile.
func summary() *modules.Summary {
	row := func(i int, module string, channels, side int64, sources ...int) modules.SummaryRow {
		return modules.SummaryRow{Index: i, N: 1, Module: "models.common." + module, Params: 1234, Shape: []int64{1, channels, side, side}, Sources: sources}
	}
	rows := []modules.SummaryRow{
		row(0, "Conv", 16, 32, -1), row(1, "Conv", 32, 16, 0), row(2, "C3", 32, 16, 1), row(3, `<script>alert("x")</script>`, 64, 8, 2),
		row(4, "Upsample", 64, 16, 3), row(5, "Concat", 96, 16, 4, 2), row(6, "Detect", 0, 0, 5, 3),
	}
	rows[2].N = 3
	rows[6].Shape = []int64{1, 320, 7}
	return &modules.Summary{Rows: rows, Backbone: 4, Layers: 20, Parameters: 8638, GFLOPs: 0.1, Height: 64, Width: 64, Stride: 8}
}

// TestSVG: the picture is sound XML with one box for each layer, in the column of its stride, none over another, and a line with a
// tip for each input; what the model says stays text.
func TestSVG(t *testing.T) {
	var out bytes.Buffer
	s := summary()
	if err := SVG(&out, `a "model" & <b>`, s); err != nil {
		t.Fatal(err)
	}
	boxes, tips, columns := map[string]bool{}, 0, map[string]bool{}
	decoder := xml.NewDecoder(bytes.NewReader(out.Bytes()))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attributes := map[string]string{}
		for _, a := range start.Attr {
			attributes[a.Name.Local] = a.Value
		}
		switch {
		case start.Name.Local == "script":
			t.Error("a name became a script")
		case start.Name.Local == "rect" && attributes["rx"] != "":
			boxes[attributes["y"]], columns[attributes["x"]] = true, true
		case attributes["class"] == "tip":
			tips++
		}
	}
	if len(boxes) != len(s.Rows) || len(columns) != 3 {
		t.Errorf("%d lines of boxes in %d columns, want %d in 3", len(boxes), len(columns), len(s.Rows))
	}
	if tips != 8 {
		t.Errorf("%d lines end at a layer, want 8: one for each layer that is read", tips)
	}
	for _, want := range []string{"C3 ×3", "96 × 16 × 16", "1.2 k", "layer 5 reads layer 2", "stride 4"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}

// TestMermaid: each layer has a node, and each layer that is read an arrow.
func TestMermaid(t *testing.T) {
	var out bytes.Buffer
	s := summary()
	if err := Mermaid(&out, "model", s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`    l2["2 C3 x3<br>32 × 16 × 16<br>1.2 k"]`, "  l2 --> l5\n", "  image --> l0\n", "subgraph head\n    l4"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if got := strings.Count(out.String(), "-->"); got != 9 {
		t.Errorf("%d arrows, want 9", got)
	}
	if strings.Contains(out.String(), `alert("x")`) {
		t.Error("a quotation mark ends a label")
	}
}

// TestHTML: the page has the picture and the table, and a policy under which nothing else is loaded or run.
func TestHTML(t *testing.T) {
	var out bytes.Buffer
	if err := HTML(&out, "<i>model</i>", summary()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg ", "default-src &#39;none&#39;", "<td>" + strconv.Itoa(6), "8,638 parameters"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, bad := range []string{"<script", "<i>model"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestTooMany: a model of more layers than anybody looks at is refused.
func TestTooMany(t *testing.T) {
	s := &modules.Summary{Rows: make([]modules.SummaryRow, MaxRows+1)}
	for _, draw := range []func(io.Writer, string, *modules.Summary) error{SVG, HTML, Mermaid} {
		if err := draw(io.Discard, "", s); err == nil {
			t.Error("drawn")
		}
	}
}
