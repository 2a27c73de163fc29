package variants

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"ysc2onnx/modules"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// TestPage: the page shows each model with its layers' times; hostile names stay text, and nothing can be loaded or run.
func TestPage(t *testing.T) {
	rows := []modules.SummaryRow{{Index: 0, Module: "models.common.Conv", Params: 464}, {Index: 1, Module: "<script>x</script>"}}
	models := []Variant{
		{Model: "a.yaml", Parameters: 7_235_389, GFLOPs: 16.6, Latency: &Latency{Least: 20 * time.Millisecond, Median: 24 * time.Millisecond},
			LayerTimes: []verify.Timing{{Layer: 0, Time: 3 * time.Millisecond}}, Summary: &modules.Summary{Rows: rows}},
		{Model: `<b>"`, GFLOPs: 8.3, Latency: &Latency{Median: 6 * time.Millisecond}, Summary: &modules.Summary{Rows: rows}},
	}
	Relate(models)
	if models[0].Ratio != 1 || models[1].Ratio != 0.25 {
		t.Errorf("ratios %g and %g, want 1 and 0.25", models[0].Ratio, models[1].Ratio)
	}
	var out bytes.Buffer
	if err := WritePage(&out, models, "ONNX Runtime", "ysc2onnx compare a.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"7,235,389", "24.0 ms", "<td>3.00<td>", `<rect width="50.0"`, "default-src &#39;none&#39;"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	for _, bad := range []string{"<script", "<b>"} {
		if strings.Contains(out.String(), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// turns is a runtime that notes in which order its models are run.
type turns struct{ order *[]string }

func (turns) Version() string { return "" }
func (turns) Library() string { return "" }
func (r turns) Open(_ context.Context, path string, _ engine.SessionOptions) (engine.Session, error) {
	return turn{r.order, path}, nil
}

type turn struct {
	order *[]string
	path  string
}

func (turn) Inputs() []engine.IO  { return nil }
func (turn) Outputs() []engine.IO { return nil }
func (turn) Close() error         { return nil }
func (s turn) Run(context.Context, []engine.Tensor) ([]engine.Tensor, error) {
	*s.order = append(*s.order, s.path)
	return nil, nil
}

// TestMeasure: the models are run in turn, once before the rounds that count.
func TestMeasure(t *testing.T) {
	var order []string
	facts := &verify.Facts{}
	got, err := Measure(context.Background(), turns{&order}, []Run{{Path: "a", Facts: facts}, {Path: "b", Facts: facts}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(order, ""); text != "ababab" {
		t.Errorf("run in the order %s, want ababab", text)
	}
	if len(got) != 2 || got[1].Runs != 2 || got[1].Least > got[1].Median {
		t.Errorf("got %+v", got)
	}
}
