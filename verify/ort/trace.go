package ort

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ysc2onnx/verify"
)

// Limits of a profile that is read. ONNX Runtime stops at 1,000,000 events by itself.
const (
	maxProfile = 1 << 30 // bytes
	maxEvents  = 1_000_000
)

// event is one line of a profile, in the form of Chrome's trace viewer: times in microseconds.
type event struct {
	Category string `json:"cat"`
	Name     string `json:"name"`
	Start    int64  `json:"ts"`
	Duration int64  `json:"dur"`
	Args     struct {
		Op string `json:"op_name"`
	} `json:"args"`
}

// end is the first microsecond after the event.
func (e event) end() int64 { return e.Start + e.Duration }

// The events that matter: one for each run, and within it one for each operator that computed.
const (
	runEvent   = "model_run"
	nodeSuffix = "_kernel_time"
)

// parseProfile reads the operators of each run, in order, from a profile of ONNX Runtime.
func parseProfile(r io.Reader) ([][]verify.NodeTime, error) {
	var runs, nodes []event
	limited := &io.LimitedReader{R: r, N: maxProfile}
	dec := json.NewDecoder(limited)
	bad := func(err error) error {
		if limited.N == 0 {
			err = fmt.Errorf("it has more than %d MiB", maxProfile>>20)
		}
		return fmt.Errorf("ONNX Runtime's profile cannot be read: %w", err)
	}
	if start, err := dec.Token(); err != nil || start != json.Delim('[') {
		return nil, bad(errors.Join(err, errors.New("it is not a list of events")))
	}
	for dec.More() {
		var e event
		if err := dec.Decode(&e); err != nil {
			return nil, bad(err)
		}
		if e.Start < 0 || e.Duration < 0 || e.end() < e.Start {
			return nil, bad(fmt.Errorf("%s takes from %d to %d µs", e.Name, e.Start, e.end()))
		}
		switch {
		case e.Category == "Session" && e.Name == runEvent:
			runs = append(runs, e)
		case e.Category == "Node" && strings.HasSuffix(e.Name, nodeSuffix):
			nodes = append(nodes, e)
		}
		if len(runs)+len(nodes) > maxEvents {
			return nil, bad(fmt.Errorf("it has more than %d events", maxEvents))
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, bad(err)
	}
	byStart := func(a, b event) int { return cmp.Compare(a.Start, b.Start) }
	slices.SortStableFunc(runs, byStart)
	slices.SortStableFunc(nodes, byStart)
	times := make([][]verify.NodeTime, len(runs))
	for i, run := range runs {
		for len(nodes) > 0 && nodes[0].Start < run.end() {
			if n := nodes[0]; n.Start >= run.Start {
				name := strings.TrimSuffix(n.Name, nodeSuffix)
				times[i] = append(times[i], verify.NodeTime{Node: name, Op: n.Args.Op, Time: time.Duration(n.Duration) * time.Microsecond})
			}
			nodes = nodes[1:]
		}
	}
	return times, nil
}
