package diag

import (
	"encoding/json"
	"fmt"
	"sort"
)

// Severity grades a diagnostic.
type Severity int

// The severities, most severe first.
const (
	Error   Severity = iota // the file cannot be used
	Warning                 // it can, but is probably not what was meant
	Info                    // it can, and this is worth knowing
)

// String gives the word that is printed: "error", "warning" or "note".
func (s Severity) String() string { return [...]string{"error", "warning", "note"}[s] }

// MarshalText writes the severity as its word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Note adds to a diagnostic something about another place, or about none in particular when its Span is zero.
type Note struct {
	Span    Span
	Message string
}

// Diagnostic is one error, warning or note about a text.
type Diagnostic struct {
	Severity Severity
	Code     Code // of a warning; "" for errors and notes
	Span     Span // zero: the whole file
	Message  string
	Notes    []Note
	Fix      *Fix // what would repair it; nil where that takes a decision
}

// Fix replaces the text at Span.
type Fix struct {
	Span Span
	Text string
}

// AddNote appends a note and returns the diagnostic, for chaining.
func (d *Diagnostic) AddNote(span Span, format string, args ...any) *Diagnostic {
	d.Notes = append(d.Notes, Note{Span: span, Message: fmt.Sprintf(format, args...)})
	return d
}

// maxKept bounds the diagnostics kept of each severity: nobody reads more, and a broken file may give thousands.
const maxKept = 50

// Diagnostics collects the complaints about one text. It is an error when it holds one; see Err.
// A nil *Diagnostics is empty and may be read, not written.
type Diagnostics struct {
	Source *Source
	List   []*Diagnostic
	counts [3]int // found, also those not kept
}

// NewDiagnostics returns an empty collection about src.
func NewDiagnostics(src *Source) *Diagnostics { return &Diagnostics{Source: src} }

// Errorf adds an error at span and returns it, so that notes can be added.
func (ds *Diagnostics) Errorf(span Span, format string, args ...any) *Diagnostic {
	return ds.add(&Diagnostic{Severity: Error, Span: span, Message: fmt.Sprintf(format, args...)})
}

// Warnf adds a warning of a kind at span and returns it, so that notes can be added.
func (ds *Diagnostics) Warnf(code Code, span Span, format string, args ...any) *Diagnostic {
	return ds.add(&Diagnostic{Severity: Warning, Code: code, Span: span, Message: fmt.Sprintf(format, args...)})
}

// Infof adds a note at span and returns it.
func (ds *Diagnostics) Infof(span Span, format string, args ...any) *Diagnostic {
	return ds.add(&Diagnostic{Severity: Info, Span: span, Message: fmt.Sprintf(format, args...)})
}

func (ds *Diagnostics) add(d *Diagnostic) *Diagnostic {
	ds.counts[d.Severity]++
	if ds.counts[d.Severity] <= maxKept {
		ds.List = append(ds.List, d)
	}
	return d
}

// Append adds the diagnostics of other, which is about the same text.
func (ds *Diagnostics) Append(other *Diagnostics) {
	if other == nil {
		return
	}
	for _, d := range other.List {
		ds.add(d)
	}
	for s := range other.counts {
		ds.counts[s] += other.counts[s] - other.kept(Severity(s))
	}
}

func (ds *Diagnostics) kept(s Severity) int {
	n := 0
	for _, d := range ds.List {
		if d.Severity == s {
			n++
		}
	}
	return n
}

// Count says how many diagnostics of a severity were found.
func (ds *Diagnostics) Count(s Severity) int {
	if ds == nil {
		return 0
	}
	return ds.counts[s]
}

// HasErrors says whether there is any error.
func (ds *Diagnostics) HasErrors() bool { return ds.Count(Error) > 0 }

// Err returns the collection as an error when it holds one, else nil.
func (ds *Diagnostics) Err() error {
	if !ds.HasErrors() {
		return nil
	}
	return ds
}

// Errors is the collection without its warnings and notes.
func (ds *Diagnostics) Errors() *Diagnostics {
	only := &Diagnostics{Source: ds.Source}
	for _, d := range ds.List {
		if d.Severity == Error {
			only.List = append(only.List, d)
		}
	}
	only.counts[Error] = ds.counts[Error]
	return only
}

// PromoteWarnings turns every warning into an error.
func (ds *Diagnostics) PromoteWarnings() {
	if ds == nil {
		return
	}
	for _, d := range ds.List {
		if d.Severity == Warning {
			d.Severity = Error
		}
	}
	ds.counts[Error], ds.counts[Warning] = ds.counts[Error]+ds.counts[Warning], 0
}

// Sort orders by position, complaints about the whole file first, and at one place notes last; else the order stays.
func (ds *Diagnostics) Sort() {
	sort.SliceStable(ds.List, func(i, j int) bool {
		a, b := ds.List[i], ds.List[j]
		if a.Span.Start == b.Span.Start {
			return a.Severity != Info && b.Severity == Info
		}
		return a.Span.Start.Before(b.Span.Start)
	})
}

// jsonNote and jsonDiagnostic are the JSON forms: positions flat, absent for the whole file.
type jsonNote struct {
	File      string `json:"file"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndLine   int    `json:"endLine,omitempty"`
	EndColumn int    `json:"endColumn,omitempty"`
	Message   string `json:"message"`
}

type jsonDiagnostic struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code,omitempty"`
	jsonNote
	Notes []jsonNote `json:"notes,omitempty"`
}

// MarshalJSON writes an array of objects with severity, code, file, line, column, endLine, endColumn, message and notes.
func (ds *Diagnostics) MarshalJSON() ([]byte, error) {
	list := []jsonDiagnostic{}
	if ds != nil {
		for _, d := range ds.List {
			j := jsonDiagnostic{Severity: d.Severity, Code: d.Code, jsonNote: ds.jsonNote(d.Span, d.Message)}
			for _, n := range d.Notes {
				j.Notes = append(j.Notes, ds.jsonNote(n.Span, n.Message))
			}
			list = append(list, j)
		}
	}
	return json.Marshal(list)
}

func (ds *Diagnostics) jsonNote(span Span, message string) jsonNote {
	return jsonNote{File: ds.name(), Line: span.Start.Line, Column: span.Start.Col,
		EndLine: span.End.Line, EndColumn: span.End.Col, Message: message}
}

func (ds *Diagnostics) name() string {
	if ds.Source == nil || ds.Source.Name == "" {
		return "<input>"
	}
	return ds.Source.Name
}
