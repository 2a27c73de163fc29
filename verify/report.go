package verify

import "time"

// Check is the outcome of one check.
type Check struct {
	Name     string        `json:"name"` // structure, interface, weights, numbers, load, runtime, size, batch
	OK       bool          `json:"ok"`
	Detail   string        `json:"detail"`      // what was found, or the fault and its place; one line
	Duration time.Duration `json:"duration_ns"` // of the runtime checks: the run alone, without loading
}

// Report is the outcome of checking a file.
type Report struct {
	Path    string   `json:"path"`
	Runtime string   `json:"runtime,omitempty"` // name and version; "" when nothing was run
	Library string   `json:"library,omitempty"` // path of the runtime's shared library
	Checks  []Check  `json:"checks"`
	NotRun  string   `json:"not_run,omitempty"` // why a runtime that was given did not run the file
	Skipped []string `json:"skipped,omitempty"` // the checks that were left out, and why
	Facts   *Facts   `json:"facts,omitempty"`   // what Structure read from the file

	Numbers *Comparison `json:"numbers,omitempty"` // layer by layer, where the numbers were compared
}

// OK is true if at least one check was made and none failed.
func (r *Report) OK() bool {
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return len(r.Checks) > 0
}

// Failed gives the checks that failed.
func (r *Report) Failed() []Check {
	var failed []Check
	for _, c := range r.Checks {
		if !c.OK {
			failed = append(failed, c)
		}
	}
	return failed
}

// add appends a check that began at start and returns whether it passed.
func (r *Report) add(name string, start time.Time, detail string, problem error) bool {
	c := Check{Name: name, OK: problem == nil, Detail: detail, Duration: time.Since(start)}
	if problem != nil {
		c.Detail = problem.Error()
	}
	r.Checks = append(r.Checks, c)
	return c.OK
}
