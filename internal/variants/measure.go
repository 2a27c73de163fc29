package variants

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// Latency is how long a model takes for one run.
type Latency struct {
	Least  time.Duration `json:"least_ns"`
	Median time.Duration `json:"median_ns"`
	Runs   int           `json:"runs"`
}

// Run is a model to be timed: a file, and what it is fed.
type Run struct {
	Path  string
	Facts *verify.Facts
	Input engine.Tensor
}

// Measure runs models in turn, first once each to warm up, then rounds times each, so that other work on the machine affects
// all of them alike.
func Measure(ctx context.Context, rt engine.Runtime, models []Run, rounds int) ([]Latency, error) {
	sessions := make([]engine.Session, 0, len(models))
	defer func() {
		for _, s := range sessions {
			_ = s.Close() // nothing is lost with a model that was only run
		}
	}()
	for _, m := range models {
		s, err := rt.Open(ctx, m.Path, engine.SessionOptions{Inputs: m.Facts.Inputs, Outputs: m.Facts.Outputs, Spin: true})
		if err != nil {
			return nil, err
		}
		sessions = append(sessions, s)
	}
	times := make([][]time.Duration, len(models))
	for round := range rounds + 1 {
		for i, s := range sessions {
			start := time.Now()
			if _, err := s.Run(ctx, []engine.Tensor{models[i].Input}); err != nil {
				return nil, fmt.Errorf("%s: %w", models[i].Path, err)
			}
			if round > 0 {
				times[i] = append(times[i], time.Since(start))
			}
		}
	}
	list := make([]Latency, len(models))
	for i := range times {
		slices.Sort(times[i])
		list[i] = Latency{Least: times[i][0], Median: times[i][(len(times[i])-1)/2], Runs: rounds}
	}
	return list, nil
}
