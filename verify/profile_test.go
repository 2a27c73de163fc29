package verify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ysc2onnx/verify/engine"
)

// clock is a Profiler whose times are given.
type clock struct {
	fake
	times [][]NodeTime
	err   error
}

func (c *clock) Profile(context.Context, string, engine.SessionOptions, []engine.Tensor, int) ([][]NodeTime, error) {
	return c.times, c.err
}

func TestMeasure(t *testing.T) {
	run := func(a, b, c, d time.Duration) []NodeTime {
		return []NodeTime{{"/model.2/cv1/Conv", "Conv", a}, {"/model.2/Add", "Add", b}, {"/model.10/Conv", "Conv", c}, {"ReorderOutput", "Reorder", d}}
	}
	ms := time.Millisecond
	// Layer 2 takes 5, 9 and 3 ms, layer 10 takes 4, 1 and 5 ms, the rest 1 ms: the medians are 5, 4 and 1.
	rt := &clock{times: [][]NodeTime{run(4*ms, ms, 4*ms, ms), run(8*ms, ms, ms, ms), run(2*ms, ms, 5*ms, ms)}}
	p, err := Measure(t.Context(), rt, "m.onnx", &Facts{}, []engine.Tensor{row("images", []int64{1, 2}, 0, 0)}, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := &Profile{
		Runtime: rt.Version(), Input: "images 1x2", Runs: 3, Run: 10 * ms,
		Layers: []Timing{
			{"model.2", 2, 2, 5 * ms, 0.5}, {"model.10", 10, 1, 4 * ms, 0.4}, {"other", -1, 1, ms, 0.1},
		},
		// Conv takes 8, 9 and 7 ms.
		Operators: []Timing{{"Conv", -1, 2, 8 * ms, 0.8}, {"Add", -1, 1, ms, 0.1}, {"Reorder", -1, 1, ms, 0.1}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var text strings.Builder
	if err := p.WriteTable(&text, 2); err != nil {
		t.Fatal(err)
	}
	wantText := ` slowest   time     share  operators 
─────────────────────────────────────
 model.2   5.00 ms  50.0%          2 
 model.10  4.00 ms  40.0%          1 
` + rt.Version() + `: 10.00 ms in one run of images 1x2, the median of 3; Conv 80%, Add 10%, Reorder 10%
`
	if diff := cmp.Diff(wantText, text.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}

	if _, err := Measure(t.Context(), &fake{}, "m.onnx", &Facts{}, []engine.Tensor{{}}, 3); !errors.Is(err, ErrNoProfile) {
		t.Errorf("a runtime without profiles gives %v", err)
	}
	if _, err := Measure(t.Context(), rt, "m.onnx", &Facts{}, []engine.Tensor{{}}, 0); err == nil {
		t.Error("no runs are measured")
	}
	rt.err = errors.New("no disk")
	if _, err := Measure(t.Context(), rt, "m.onnx", &Facts{}, []engine.Tensor{{}}, 3); !errors.Is(err, rt.err) {
		t.Errorf("got %v", err)
	}
}
