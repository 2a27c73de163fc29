package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx/verify"
)

// verification is the command verify.
type verification struct {
	*app
	against    string
	atol, rtol float64
	library    string
	page       reporting
}

func (a *app) verifyCommand() *cobra.Command {
	v := verification{app: a, page: reporting{app: a}}
	cmd := &cobra.Command{
		Use:   "verify FILE.onnx [--against ref.npz]",
		Short: "Check an ONNX file, alone or against values recorded in PyTorch",
		Long: fmt.Sprintf(`Checks the structure of an exported file and runs it in ONNX Runtime on random input of the size that the file
asks for; where sizes are open, on a second size and another batch too. With --against the file is run on the
recorded input instead, and each layer and output compared with the recorded one; verify/parity.py records them.

A layer's tolerance is relative to its largest value, %g if not given. Those of the outputs are absolute: %g
pixels for boxes and %g for scores.`, verify.LayerTolerance, verify.BoxTolerance, verify.ScoreTolerance),
		Example: `  ysc2onnx verify model.onnx
  ysc2onnx verify model.onnx --against ref.npz --rtol 1e-5`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("onnx"),
		RunE:              a.do(v.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&v.against, "against", "", "NumPy `archive` of recorded values")
	flags.Float64Var(&v.atol, "atol", 0, "largest absolute `error` of boxes and scores")
	flags.Float64Var(&v.rtol, "rtol", 0, "largest `error` of a layer, relative to its largest value")
	v.page.flags(flags)
	libraryFlag(flags, &v.library)
	_ = cmd.MarkFlagFilename("against", "npz") // it fails for unknown flags only
	return cmd
}

func (v *verification) run(ctx context.Context, args []string) error {
	path, err := oneArg(args, "a file, such as: ysc2onnx verify model.onnx")
	if err != nil {
		return err
	}
	switch {
	case !(v.atol >= 0 && v.rtol >= 0) || math.IsInf(v.atol, 1) || math.IsInf(v.rtol, 1):
		return usagef("--atol and --rtol are errors to allow: they have to be numbers, and cannot be negative")
	case v.against == "" && (v.atol != 0 || v.rtol != 0):
		return usagef("--atol and --rtol are for comparing; name recorded values with --against")
	}
	if err := present(path, "an ONNX file"); err != nil {
		return err
	}
	if v.against != "" {
		if err := present(v.against, "a NumPy archive (.npz) of recorded values"); err != nil {
			return err
		}
	}
	if err := v.page.begin(path, v.against); err != nil {
		return err
	}
	rt, missing, err := openRuntime(v.library)
	if err != nil {
		return err
	}
	if v.against == "" {
		return v.alone(ctx, rt, missing, path)
	}
	if missing != "" {
		return errors.New("not run: " + missing)
	}
	return v.compare(ctx, rt, path)
}

// present gives an error that says what was expected at path, if there is no file.
func present(path, expected string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: no such file; %s was expected", path, expected)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder; %s was expected", path, expected)
	}
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".yaml", ".yml", ".pt", ".pth":
		return fmt.Errorf("%s: %s was expected, not a %s file", path, expected, ending)
	}
	return nil
}

// aloneDocument is what --json prints without --against.
type aloneDocument struct {
	OK bool `json:"ok"` // every check held, and the file was run
	*verify.Report
	Profile    *verify.Profile `json:"profile,omitempty"`
	NotChecked string          `json:"not_checked,omitempty"`
	Error      string          `json:"error,omitempty"`
}

// alone checks a file without anything to compare it with.
func (v *verification) alone(ctx context.Context, rt verify.Runtime, missing, path string) error {
	report, err := checkAlone(ctx, rt, path)
	if err != nil {
		return err
	}
	doc := aloneDocument{OK: report.OK() && missing == "", Report: report, NotChecked: missing}
	var text bytes.Buffer
	s := style(colorful(v.stdout))
	text.WriteString(s.paint("1", path))
	if report.Facts.OK() {
		fmt.Fprintf(&text, "   opset %d, IR %d, %s of weights", report.Facts.Opset, report.Facts.IRVersion, bytesText(report.Facts.WeightBytes))
	}
	text.WriteByte('\n')
	writeChecks(&text, s, report)
	if err := v.report(v.stdout, &text); err != nil {
		return err
	}
	if err := v.showAlone(ctx, rt, report, missing); err != nil {
		return err
	}
	doc.Profile = v.page.data.Profile
	code := exitOK
	switch {
	case !report.OK():
		doc.Error, code = fmt.Sprintf("%s is not right: %s", path, failures(report)), exitUnsound
	case missing != "":
		doc.Error, code = "not run: "+missing, exitFailure
	case v.json:
		return v.printJSON(doc)
	}
	if code == exitOK {
		return nil
	}
	return documentedError{errors.New(doc.Error), code, doc}
}

// showAlone times a file that was checked alone, and reports on it, as far as that was asked for.
func (v *verification) showAlone(ctx context.Context, rt verify.Runtime, report *verify.Report, missing string) error {
	v.page.data.Facts, v.page.data.Checks = report.Facts, report
	switch {
	case !report.OK():
	case rt == nil:
		v.page.data.NoProfile = missing
	default:
		want, err := declared(report.Facts)
		if err != nil {
			return fmt.Errorf("%s: %w", report.Path, err)
		}
		if err := v.page.measure(ctx, rt, report.Path, want.Noise(want.Batch, want.Height, want.Width)); err != nil {
			return err
		}
	}
	return v.page.write(ctx, report.Path, "")
}

// comparisonDocument is what --json prints with --against.
type comparisonDocument struct {
	OK bool `json:"ok"`
	*verify.Comparison
	Profile *verify.Profile `json:"profile,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// compare holds a file against recorded values.
func (v *verification) compare(ctx context.Context, rt verify.Runtime, path string) (err error) {
	ref, err := verify.OpenNPZ(v.against)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ref.Close()) }()
	found, err := verify.Against(ctx, rt, path, ref, verify.AgainstOptions{Layer: v.rtol, Box: v.atol, Score: v.atol, Observe: v.page.observe()})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := found.WriteTable(&text); err != nil {
		return err
	}
	if err := v.report(v.stdout, &text); err != nil {
		return err
	}
	if err := v.showCompared(ctx, rt, found, ref); err != nil {
		return err
	}
	doc := comparisonDocument{OK: found.OK(), Comparison: found, Profile: v.page.data.Profile}
	if err := found.Err(); err != nil {
		doc.Error = fmt.Sprintf("%s differs from %s: %v", path, v.against, err)
		return documentedError{errors.New(doc.Error), exitUnsound, doc}
	}
	if v.json {
		return v.printJSON(doc)
	}
	return nil
}

// showCompared times a file that was compared, on the recorded input, and reports on it, as far as that was asked for.
func (v *verification) showCompared(ctx context.Context, rt verify.Runtime, found *verify.Comparison, ref verify.Reference) error {
	v.page.data.Comparison = found
	if v.page.profile {
		input, err := ref.Read("input")
		if err != nil {
			return err
		}
		facts, err := verify.Structure(ctx, found.Path)
		if err != nil {
			return err
		}
		input.Name = facts.Inputs[0].Name // a comparison was made, so there is one
		if err := v.page.measure(ctx, rt, found.Path, input); err != nil {
			return err
		}
	}
	return v.page.write(ctx, found.Path, v.against)
}
