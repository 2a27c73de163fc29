package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// isModel says whether a file's name is that of a checkpoint or a YAML.
func isModel(path string) bool {
	return isCheckpoint(path) || slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(filepath.Ext(path)))
}

// verdictDocument is what --json prints with --against best.pt.
type verdictDocument struct {
	OK      bool   `json:"ok"`
	Against string `json:"against"`
	*ysc2onnx.Verdict
	Profile *verify.Profile `json:"profile,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// judge compares a file of any exporter with a checkpoint.
func (v *verification) judge(ctx context.Context, rt engine.Runtime, path string) error {
	m, err := v.openModel(ctx, v.against, v.weights)
	if err != nil {
		return err
	}
	defer m.close()
	opt := ysc2onnx.AgainstOptions{ScConv: ysc2onnx.ScConv(v.scconv), Compare: v.compareOptions()}
	opt.Height, opt.Width = opt.Compare.Height, opt.Compare.Width
	found, err := ysc2onnx.Against(ctx, rt, path, m.input(), opt)
	if err != nil {
		return err
	}
	v.warn(found.Warnings)
	by := m.name
	if m.weights != nil {
		by = m.weights.Name()
	}
	doc := verdictDocument{OK: found.OK(), Against: by, Verdict: found}
	verdict := path + " computes what " + by + " computes"
	if err := found.Err(); err != nil {
		verdict = path + " does not compute what " + by + " computes"
		doc.Error = verdict + ": " + err.Error()
	}
	if found.Assumed != "" {
		verdict += "; not proved: " + found.Assumed
	}
	var page bytes.Buffer
	writeVerdict(&page, style(colorful(v.stdout)), found, by)
	if err := v.report(v.stdout, &page); err != nil {
		return err
	}
	v.page.data.Comparison, v.page.data.Facts = found.Comparison, found.Facts
	if v.page.profile {
		inputs, err := found.Facts.DrawInputs(opt.Height, opt.Width, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := v.page.measure(ctx, rt, path, found.Facts, inputs); err != nil {
			return err
		}
		doc.Profile = v.page.data.Profile
	}
	if err := v.page.write(ctx, path, by); err != nil {
		return err
	}
	if doc.Error != "" {
		return documentedError{errors.New(doc.Error), exitUnsound, doc}
	}
	if v.json {
		return v.printJSON(doc)
	}
	return v.report(v.stdout, bytes.NewBufferString(wrapped(verdict, 0, 2)+"\n"))
}

// writeVerdict prints a line for the weights, one for the layers and one for the outputs.
func writeVerdict(w *bytes.Buffer, s style, v *ysc2onnx.Verdict, by string) {
	how := "computed by the reference in float64"
	if !v.Exact {
		how = "computed by our own export in ONNX Runtime, which the reference checks for a small image"
	}
	fmt.Fprintln(w, wrapped(fmt.Sprintf("%s against %s, %s, on noise of %s", v.Path, by, how, engine.ShapeText(v.Input)), 0, 2))
	part := func(name string, err error, compared int, detail string) {
		verdict, color := "ok", "32"
		switch {
		case err != nil:
			verdict, color, detail = "FAILED", "31", err.Error()
		case compared == 0:
			verdict, color = "none", "33"
		}
		const indent = 20
		fmt.Fprintf(w, "  %-9s %s%s  %s\n", name, s.paint(color, verdict), strings.Repeat(" ", 6-len(verdict)), wrapped(printable(detail), indent, indent))
	}
	part("weights", v.Weights.Err(), v.Weights.Compared, v.Weights.Summary())
	part("layers", v.LayersErr(), v.Layers, v.LayersSummary())
	part("outputs", v.OutputsErr(), len(v.Rows)-v.Layers, v.OutputsSummary())
	if note := v.Missing(); note != "" {
		fmt.Fprintf(w, "  %s %s\n", s.paint("33", "not compared:"), wrapped(printable(note), 16, 4))
	}
}
