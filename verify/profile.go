package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"ysc2onnx/verify/engine"
)

// NodeTime is how long a runtime took for one operator of the graph that it made of a file.
type NodeTime struct {
	Node string // its name, which begins with the file's: /model.2/cv1/conv/Conv_output_0_nchwc
	Op   string // Conv
	Time time.Duration
}

// Profiler is a Runtime that can say how long each operator takes.
type Profiler interface {
	engine.Runtime
	// Profile opens the model at path with opts, runs it once to warm up, then as often as asked, and gives the operators of
	// each of those runs.
	Profile(ctx context.Context, path string, opts engine.SessionOptions, inputs []engine.Tensor, runs int) ([][]NodeTime, error)
}

// Profile is how long the parts of a model take. Times are medians over the runs.
type Profile struct {
	Runtime   string        `json:"runtime"`
	Input     string        `json:"input"` // its name and shape
	Runs      int           `json:"runs"`
	Run       time.Duration `json:"run_ns"`    // all operators of a run together
	Layers    []Timing      `json:"layers"`    // slowest first
	Operators []Timing      `json:"operators"` // slowest first
}

// Timing is the time of one layer, or of one kind of operator.
type Timing struct {
	Name  string        `json:"name"`  // model.2, "other" for what belongs to no layer; Conv
	Layer int           `json:"layer"` // 2; -1 for kinds of operators, and for what belongs to no layer
	Nodes int           `json:"nodes"` // operators of the runtime's graph
	Time  time.Duration `json:"time_ns"`
	Share float64       `json:"share"` // of all, 0 to 1
}

// ErrNoProfile says that a runtime cannot tell how long operators take.
var ErrNoProfile = errors.New("this runtime cannot say how long operators take")

// Measure runs the model at path, which facts are of, on inputs, once and then runs times, and adds up how long its layers take.
func Measure(ctx context.Context, rt engine.Runtime, path string, facts *Facts, inputs []engine.Tensor, runs int) (*Profile, error) {
	profiler, ok := rt.(Profiler)
	if !ok {
		return nil, ErrNoProfile
	}
	if runs < 1 {
		return nil, fmt.Errorf("%d runs to measure; at least 1 is needed", runs)
	}
	times, err := profiler.Profile(ctx, path, facts.session(engine.SessionOptions{Spin: true}), inputs, runs)
	if err != nil {
		return nil, err
	}
	shapes := make([]string, len(inputs))
	for i, in := range inputs {
		shapes[i] = in.Name + " " + engine.ShapeText(in.Shape)
	}
	p := &Profile{Runtime: rt.Version(), Input: strings.Join(shapes, ", "), Runs: len(times)}
	p.Layers = timings(times, func(n NodeTime) (string, int) {
		if i, ok := LayerOf(n.Node); ok {
			return fmt.Sprintf("model.%d", i), i
		}
		return "other", -1
	})
	p.Operators = timings(times, func(n NodeTime) (string, int) { return n.Op, -1 })
	totals := make([]time.Duration, len(times))
	for i, run := range times {
		for _, n := range run {
			totals[i] += n.Time
		}
	}
	p.Run = median(totals)
	return p, nil
}

// timings adds up the times of each run by what key says, and takes the median over the runs.
func timings(runs [][]NodeTime, key func(NodeTime) (name string, layer int)) []Timing {
	type sum struct {
		layer, nodes int
		times        []time.Duration
	}
	sums := map[string]*sum{}
	for i, run := range runs {
		for _, n := range run {
			name, layer := key(n)
			if sums[name] == nil {
				sums[name] = &sum{layer: layer, times: make([]time.Duration, len(runs))}
			}
			sums[name].times[i] += n.Time
			if i == 0 {
				sums[name].nodes++
			}
		}
	}
	list := make([]Timing, 0, len(sums))
	var total time.Duration
	for name, s := range sums {
		t := Timing{Name: name, Layer: s.layer, Nodes: s.nodes, Time: median(s.times)}
		total += t.Time
		list = append(list, t)
	}
	for i := range list {
		if total > 0 {
			list[i].Share = float64(list[i].Time) / float64(total)
		}
	}
	slices.SortFunc(list, func(a, b Timing) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), naturally(a.Name, b.Name))
	})
	return list
}

// median is the middle of the times, of two the lower one.
func median(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[(len(sorted)-1)/2]
}

// WriteTable prints the slowest layers, at most n, and then the kinds of operators in one line.
func (p *Profile) WriteTable(w io.Writer, n int) error {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(table.Row{"slowest", "time", "share", "operators"})
	for _, l := range p.Layers[:min(n, len(p.Layers))] {
		t.AppendRow(table.Row{l.Name, millis(l.Time), fmt.Sprintf("%.1f%%", 100*l.Share), l.Nodes})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, Align: text.AlignRight}, {Number: 3, Align: text.AlignRight}, {Number: 4, Align: text.AlignRight},
	})
	line := fmt.Sprintf("%s: %s in one run of %s, the median of %d;", p.Runtime, millis(p.Run), p.Input, p.Runs)
	for i, op := range p.Operators[:min(4, len(p.Operators))] {
		if i > 0 {
			line += ","
		}
		line += fmt.Sprintf(" %s %.0f%%", op.Name, 100*op.Share)
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n", t.Render(), line)
	return err
}

// millis prints a time in milliseconds: 12.3 ms.
func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1e3) }
