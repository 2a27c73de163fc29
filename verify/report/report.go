// Package report writes what a verification found into one HTML file that shows it without a network: verdict, picture
// of the model, errors, their distribution, times, and how to do it again.
package report

import (
	"bytes"
	_ "embed"
	"errors"
	"html/template"
	"io"
	"unicode"

	"ysc2onnx/internal/page"
	"ysc2onnx/internal/units"
	"ysc2onnx/verify"
)

// Data is what a report shows. Facts is needed, and so is one of Comparison and Checks; the rest may be missing.
type Data struct {
	Model     File
	Reference *File  // what Model was compared with
	Command   string // that made the report, as one would type it
	Version   string // of this program
	Machine   string // operating system, architecture and number of CPUs

	Facts      *verify.Facts
	Stages     []verify.Stage
	Comparison *verify.Comparison
	Samples    *Sampler       // of the comparison's rows
	Checks     *verify.Report // of a file that was checked alone
	Profile    *verify.Profile
	NoProfile  string // why there is none, if one was requested
}

// File is a file that a report is about.
type File struct {
	Name   string // as the user gave it
	Size   int64
	SHA256 string // in hexadecimal
}

//go:embed report.html
var pageText string

//go:embed report.css
var styleSheet string

//go:embed report.js
var script string

// parsed is the page with its functions. The texts of a file are escaped by package html/template wherever they stand.
var parsed = template.Must(template.New("report").Funcs(template.FuncMap{
	"grouped": groupedAny,
	"number":  number, "ulps": ulpText, "sizes": sizes, "percent": percent, "bytes": units.Bytes, "milliseconds": milliseconds,
	"policy": func() string { return page.Policy([]string{styleSheet}, script) },
	"style":  func() template.HTML { return template.HTML("<style>" + styleSheet + "</style>") }, //nolint:gosec // our own text
	"script": func() template.HTML { return template.HTML("<script>" + script + "</script>") },   //nolint:gosec // our own text
}).Parse(pageText))

// inOrder shows that a name has characters that turn the order of what follows them, a verdict for instance, and drops these.
func inOrder(r rune) rune {
	if unicode.Is(unicode.Bidi_Control, r) {
		return unicode.ReplacementChar
	}
	return r
}

// Write writes the report. The same data give the same bytes.
func Write(w io.Writer, d *Data) error {
	if d.Facts == nil {
		return errors.New("report: nothing is known of the model: Data.Facts is nil")
	}
	var text bytes.Buffer // so that a failure writes nothing
	if err := parsed.Execute(&text, newView(d)); err != nil {
		return err
	}
	_, err := w.Write(bytes.Map(inOrder, text.Bytes()))
	return err
}
