package diag

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
)

// The parts of the Static Analysis Results Interchange Format (OASIS SARIF 2.1.0) that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifMessage `json:"shortDescription"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID           string          `json:"ruleId,omitempty"`
		Level            string          `json:"level"`
		Message          sarifMessage    `json:"message"`
		Locations        []sarifLocation `json:"locations"`
		RelatedLocations []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes            []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPlace    `json:"physicalLocation"`
		Message          *sarifMessage `json:"message,omitempty"`
	}
	sarifPlace struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description     sarifMessage  `json:"description"`
		ArtifactChanges []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		ArtifactLocation sarifArtifact      `json:"artifactLocation"`
		Replacements     []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		DeletedRegion   sarifRegion  `json:"deletedRegion"`
		InsertedContent sarifMessage `json:"insertedContent"`
	}
)

// SARIF writes the diagnostics of several texts as one document of SARIF 2.1.0, which editors and code hosts read. version is the
// program's.
func SARIF(w io.Writer, version string, texts []*Diagnostics) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "ysc2onnx", Version: version, Rules: []sarifRule{}}
	for _, code := range Codes() {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(code), sarifMessage{code.Meaning()}})
	}
	for _, ds := range texts {
		if ds == nil {
			continue
		}
		for _, d := range ds.List {
			run.Results = append(run.Results, ds.sarif(d))
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func (ds *Diagnostics) sarif(d *Diagnostic) sarifResult {
	r := sarifResult{
		RuleID: string(d.Code), Level: d.Severity.String(), Message: sarifMessage{d.Message}, Locations: []sarifLocation{ds.location(d.Span, "")},
	}
	for _, n := range d.Notes {
		r.RelatedLocations = append(r.RelatedLocations, ds.location(n.Span, n.Message))
	}
	if d.Fix != nil {
		r.Fixes = []sarifFix{{
			Description: sarifMessage{"replace by " + d.Fix.Text},
			ArtifactChanges: []sarifChange{{
				ArtifactLocation: ds.artifact(),
				Replacements:     []sarifReplacement{{*region(d.Fix.Span), sarifMessage{d.Fix.Text}}},
			}},
		}}
	}
	return r
}

func (ds *Diagnostics) location(span Span, message string) sarifLocation {
	l := sarifLocation{PhysicalLocation: sarifPlace{ArtifactLocation: ds.artifact(), Region: region(span)}}
	if message != "" {
		l.Message = &sarifMessage{message}
	}
	return l
}

func (ds *Diagnostics) artifact() sarifArtifact {
	u := url.URL{Path: filepath.ToSlash(ds.name())}
	return sarifArtifact{u.String()}
}

func region(span Span) *sarifRegion {
	if span.IsZero() {
		return nil
	}
	return &sarifRegion{span.Start.Line, span.Start.Col, span.End.Line, span.End.Col}
}
