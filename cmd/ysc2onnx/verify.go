package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx/internal/units"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// verification is the command verify.
type verification struct {
	*app
	against    string
	weights    string // of a YAML that a file is compared with
	scconv     flavour
	atol, rtol float64
	size       size
	library    string
	wide       bool
	given      func(flag string) bool // on the command line
	page       reporting
}

func (a *app) verifyCommand() *cobra.Command {
	v := verification{app: a, page: reporting{app: a}}
	cmd := &cobra.Command{
		Use:   "verify FILE.onnx [--against best.pt | ref.npz | other.onnx]",
		Short: "Check any ONNX file: alone, or against a checkpoint, values recorded in PyTorch, or another file",
		Long: fmt.Sprintf(`Checks the structure of an exported file and runs it in ONNX Runtime on random input of the size that the file
asks for; where sizes are open, on a second size and another batch too. The file may be any exporter's.

With --against best.pt, a checkpoint, the file is compared with the model in it, without Python: its weights, batch
norms folded, and each of its layers and outputs with what the model computes by the definitions of its operators, in
float64. Layers are found by names or by the weights between them, so that any exporter's file can be judged.

With --against ref.npz the file is run on the recorded input instead, and each layer and output compared with the
recorded one; verify/parity.py records them. With --against other.onnx both files are run on the same random input, of
--imgsz where neither fixes a size, and the second file is the reference.

A layer may be off by %g of its largest value, a box by %g of its size, and a score by %g. Where the archive holds
float64's values too, as parity.py records them, a file may be at most %d times as far from them as PyTorch is itself.
--rtol sets another bound for layers, and --atol one for boxes, in pixels, and scores; 0 allows no difference. Values that
differ only because rounding tipped a discontinuous gate the other way are told from wrong ones, and counted apart.

The exit code is 3 if the file is wrong or differs. docs/verification.md explains the table.`,
			verify.LayerTolerance, verify.BoxTolerance, verify.ScoreTolerance, verify.OwnFactor),
		Example: `  ysc2onnx verify model.onnx
  ysc2onnx verify any.onnx --against best.pt
  ysc2onnx verify model.onnx --against ref.npz --rtol 1e-5
  ysc2onnx verify model.onnx --against unfused.onnx`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("onnx"),
	}
	cmd.RunE = a.runE(func(ctx context.Context, args []string) error {
		v.given = cmd.Flags().Changed
		return v.run(ctx, args)
	})
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&v.against, "against", "", "checkpoint, NumPy archive of recorded values, or another ONNX `file`")
	flags.StringVar(&v.weights, "weights", "", "`checkpoint` with the weights, where --against names a YAML")
	flavourFlag(cmd, &v.scconv)
	flags.Float64Var(&v.atol, "atol", 0, "largest absolute `error` of boxes, in pixels, and scores")
	flags.Float64Var(&v.rtol, "rtol", 0, "largest `error` of a layer, relative to its largest value")
	sizeFlag(flags, &v.size)
	imgsz := flags.Lookup("imgsz")
	imgsz.Usage, imgsz.DefValue = "image `size` in pixels, where the files leave it open", ""
	flags.BoolVar(&v.wide, "wide", false, "with --against: all columns of the table, in about 130 characters")
	v.page.flags(flags)
	libraryFlag(flags, &v.library)
	_ = cmd.MarkFlagFilename("against", "pt", "pth", "safetensors", "npz", "onnx") // it fails for unknown flags only
	return cmd
}

func (v *verification) run(ctx context.Context, args []string) error {
	path, err := oneArg(args, "a file, such as: ysc2onnx verify model.onnx")
	if err != nil {
		return err
	}
	other, model := strings.EqualFold(filepath.Ext(v.against), ".onnx"), isModel(v.against)
	switch {
	case !(v.atol >= 0 && v.rtol >= 0) || math.IsInf(v.atol, 1) || math.IsInf(v.rtol, 1):
		return usagef("--atol and --rtol must be numbers of 0 or more")
	case v.against == "" && (v.given("atol") || v.given("rtol")):
		return usagef("--atol and --rtol are for comparing; name recorded values with --against")
	case !other && !model && v.given("imgsz"):
		return usagef("--imgsz is for comparing with an ONNX file or a checkpoint; without, the input's size is the file's or the recording's")
	case model && !isCheckpoint(v.against) && v.weights == "":
		return usagef("--against %s: a YAML has no weights to compare; name the checkpoint that has them with --weights", v.against)
	case !model && (v.given("weights") || v.given("scconv")):
		return usagef("--weights and --scconv are for comparing with a model: ysc2onnx verify any.onnx --against model.yaml --weights best.safetensors")
	}
	if err := requireFile(path, "an ONNX file"); err != nil {
		return err
	}
	if v.against != "" && !model {
		if err := requireFile(v.against, "a checkpoint (.pt, .safetensors), a NumPy archive (.npz) of recorded values or an ONNX file"); err != nil {
			return err
		}
	}
	if err := v.page.checkPath(path, v.against, v.weights); err != nil {
		return err
	}
	rt, missing, err := openRuntime(v.library)
	if err != nil {
		return err
	}
	if v.against == "" {
		return v.verifyAlone(ctx, rt, missing, path)
	}
	if missing != "" {
		return errors.New("not run: " + missing)
	}
	if model {
		return v.judge(ctx, rt, path)
	}
	return v.verifyAgainst(ctx, rt, path, other)
}

// requireFile gives an error that says what was expected at path, if there is no file.
func requireFile(path, expected string) error {
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
	case ".yaml", ".yml", ".pt", ".pth", ".safetensors":
		return usagef("%s: %s was expected, not a %s file; ysc2onnx %[1]s exports it, and ysc2onnx verify %[4]s --against %[1]s compares a file with it",
			path, expected, ending, stem(path)+".onnx")
	}
	return nil
}

// aloneDocument is what --json prints without --against.
type aloneDocument struct {
	OK bool `json:"ok"` // every check held, and the file was run
	*verify.Report
	Profile    *verify.Profile `json:"profile,omitempty"`
	NotChecked string          `json:"not_checked,omitempty"`
	Assumed    string          `json:"assumed,omitempty"` // assumptions that the numbers depend on and no check of the file alone proves
	Error      string          `json:"error,omitempty"`
}

// verifyAlone checks a file without anything to compare it with.
func (v *verification) verifyAlone(ctx context.Context, rt engine.Runtime, missing, path string) error {
	report, err := verify.Alone(ctx, rt, path)
	if err != nil {
		return err
	}
	if missing == "" {
		missing = report.NotRun
	}
	doc := aloneDocument{OK: report.OK() && missing == "", Report: report, NotChecked: missing, Assumed: report.Facts.Assumed()}
	var text bytes.Buffer
	s := style(colorful(v.stdout))
	text.WriteString(s.paint("1", path))
	if report.Facts.OK() {
		fmt.Fprintf(&text, "   opset %d, IR %d, %s of weights%s", report.Facts.Opset, report.Facts.IRVersion,
			units.Bytes(report.Facts.WeightBytes), notProved(s, report.Facts.Assumed()))
	}
	text.WriteByte('\n')
	writeChecks(&text, s, report)
	if missing != "" {
		writeNotChecked(&text, s, missing)
	}
	if err := v.report(v.stdout, &text); err != nil {
		return err
	}
	if err := v.reportAlone(ctx, rt, report, missing); err != nil {
		return err
	}
	doc.Profile = v.page.data.Profile
	code := exitOK
	switch {
	case !report.OK():
		doc.Error, code = fmt.Sprintf("%s is wrong: %s", path, failures(report)), exitUnsound
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

// reportAlone times a file that was checked alone, and reports on it, as far as that was asked for.
func (v *verification) reportAlone(ctx context.Context, rt engine.Runtime, report *verify.Report, missing string) error {
	v.page.data.Facts, v.page.data.Checks = report.Facts, report
	switch {
	case !report.OK():
	case missing != "":
		v.page.data.NoProfile = missing
	default:
		inputs, err := report.Facts.DrawInputs(0, 0, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", report.Path, err)
		}
		if err := v.page.measure(ctx, rt, report.Path, report.Facts, inputs); err != nil {
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
	Assumed string          `json:"assumed,omitempty"` // as in aloneDocument, against a file
	Error   string          `json:"error,omitempty"`
}

// compareOptions are the tolerances and the size that were given.
func (v *verification) compareOptions() verify.AgainstOptions {
	opts := verify.AgainstOptions{Observe: v.page.observer()}
	if v.given("rtol") {
		opts.Layer = max(v.rtol, verify.Exact)
	}
	if v.given("atol") {
		opts.Pixels = max(v.atol, verify.Exact)
		opts.Score = opts.Pixels
	}
	if v.given("imgsz") {
		opts.Height, opts.Width = v.size.height, v.size.width
	}
	return opts
}

// verifyAgainst checks a file against recorded values or another file.
func (v *verification) verifyAgainst(ctx context.Context, rt engine.Runtime, path string, other bool) error {
	opts := v.compareOptions()
	against := v.againstRecord
	if other {
		against = verify.AgainstFile
	}
	found, err := against(ctx, rt, path, v.against, opts)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := v.writeTable(&text, found); err != nil {
		return err
	}
	assumed := ""
	if other && found.OK() { // recorded values settle it, another file may assume the same
		assumed = found.Facts.Assumed()
	}
	if assumed != "" {
		fmt.Fprintf(&text, "%s%s\n", path, notProved(style(colorful(v.stdout)), assumed))
	}
	if err := v.report(v.stdout, &text); err != nil {
		return err
	}
	if err := v.reportComparison(ctx, rt, found, other); err != nil {
		return err
	}
	doc := comparisonDocument{OK: found.OK(), Comparison: found, Profile: v.page.data.Profile, Assumed: assumed}
	if err := found.Err(); err != nil {
		doc.Error = fmt.Sprintf("%s differs from %s: %v", path, v.against, err)
		return documentedError{errors.New(doc.Error), exitUnsound, doc}
	}
	if v.json {
		return v.printJSON(doc)
	}
	return nil
}

// writeTable prints the comparison, in 80 columns unless more are asked for.
func (v *verification) writeTable(w io.Writer, found *verify.Comparison) error {
	if v.wide {
		return found.WriteTable(w)
	}
	return found.WriteNarrow(w, colorful(v.stdout))
}

// againstRecord compares a file with the recorded values in an archive.
func (v *verification) againstRecord(ctx context.Context, rt engine.Runtime, path, archive string, opts verify.AgainstOptions) (found *verify.Comparison, err error) {
	ref, err := verify.OpenNPZ(archive)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ref.Close()) }()
	return verify.Against(ctx, rt, path, ref, opts)
}

// reportComparison times a file that was compared, and reports on it, as far as that was asked for.
func (v *verification) reportComparison(ctx context.Context, rt engine.Runtime, found *verify.Comparison, other bool) error {
	v.page.data.Comparison, v.page.data.Facts = found, found.Facts
	if v.page.profile {
		inputs, err := v.inputsOf(found.Facts, other)
		if err != nil {
			return err
		}
		if err := v.page.measure(ctx, rt, found.Path, found.Facts, inputs); err != nil {
			return err
		}
	}
	return v.page.write(ctx, found.Path, v.against)
}

// inputsOf is what a file is timed on: the recorded input, or noise of the size that two files are compared at.
func (v *verification) inputsOf(facts *verify.Facts, other bool) (inputs []engine.Tensor, err error) {
	if other {
		height, width := 0, 0
		if v.given("imgsz") {
			height, width = v.size.height, v.size.width
		}
		return facts.DrawInputs(height, width, 0)
	}
	ref, err := verify.OpenNPZ(v.against)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ref.Close()) }()
	input, err := ref.Read("input")
	if err != nil {
		return nil, err
	}
	input.Name = facts.Inputs[0].Name // a comparison was made, so there is one
	return []engine.Tensor{input}, nil
}
