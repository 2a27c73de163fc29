package edit

import (
	"bytes"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg"
)

// FixStale replaces the indices that [yamlcfg.Model.Lint] reports as left behind by an inserted or removed row, and gives
// the new text and the warnings that it fixed, which point into the old one. The fixed model is another one: weights
// trained with the old wiring do not fit it.
func FixStale(m *yamlcfg.Model) ([]byte, *diag.Diagnostics) {
	text, fixed := m.Source.Text, diag.NewDiagnostics(m.Source)
	var splices []splice
	for _, d := range m.Lint().List {
		if d.Fix == nil {
			continue
		}
		fixed.Warnf(d.Code, d.Span, "%s", d.Message).Notes = d.Notes
		splices = append(splices, replaced(m.Source, d.Fix.Span, d.Fix.Text))
	}
	done, ok := apply(text, splices)
	if !ok || len(splices) == 0 {
		return bytes.Clone(text), fixed
	}
	return done, fixed
}
