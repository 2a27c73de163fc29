package main

import "syscall/js"

// progress tells the page, or the program under Node.js, how far long work is.
type progress struct{ report js.Value }

func (a *app) newProgress() *progress {
	return &progress{js.Global().Get("ysc2onnx").Get("progress")}
}

// update says that done of total is done of a stage, in bytes.
func (p *progress) update(stage string, done, total int64) { p.report.Invoke(stage, done, total) }

// finish does nothing: what shows the progress knows when the program ends.
func (p *progress) finish() {}
