//go:build !js

package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// patience is how long work goes on before a bar shows it.
const patience = time.Second

// progress shows how far long work is. The zero value shows nothing.
type progress struct {
	w     io.Writer // nil: show nothing
	wait  time.Duration
	start time.Time

	stage string
	bar   *progressbar.ProgressBar
}

// newProgress starts the clock of a piece of work. Only a terminal gets to see it.
func (a *app) newProgress() *progress {
	if a.quiet || a.json || !isTerminal(a.stderr) {
		return &progress{}
	}
	return &progress{w: a.stderr, wait: patience, start: time.Now()}
}

// update says that done of total is done of a stage, in bytes.
func (p *progress) update(stage string, done, total int64) {
	if p.w == nil || total <= 0 || time.Since(p.start) < p.wait {
		return
	}
	if p.bar == nil || stage != p.stage {
		p.finish()
		p.stage = stage
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(stage), progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(65*time.Millisecond), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetElapsedTime(false), progressbar.OptionSetPredictTime(false)) // the bar came late and knows no rate
	}
	_ = p.bar.Set64(min(done, total)) // a bar that cannot be drawn stops nothing
}

// finish takes the bar off the screen. It may be called twice.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear() // as above
		p.bar = nil
	}
}
