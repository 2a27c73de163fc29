package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ysc2onnx"
	"ysc2onnx/diag"
	"ysc2onnx/heads"
	"ysc2onnx/internal/units"
	"ysc2onnx/verify"
)

// conversion is the bare form: a YAML or a checkpoint in, an ONNX file out.
type conversion struct {
	*app
	options         ysc2onnx.Options
	size            size
	dynamic         dynamic
	check           check
	noVerify        bool // another name of --check=none
	library         string
	weights         string
	scconv          flavour
	blocks          wiring
	seed, checkFlag *pflag.Flag
	page            reporting
	head            headForm
	half            half
}

// flags adds the flags of the bare form.
func (c *conversion) flags(cmd *cobra.Command) {
	flags, opt := cmd.Flags(), &c.options
	flags.SortFlags = false
	flags.StringVarP(&opt.Output, "output", "o", "", "the `file` to write, - for standard output; default: the model's name with .onnx, beside the model")
	flags.StringVar(&c.weights, "weights", "", "the trained weights of MODEL.yaml, a checkpoint `file` (.pt, .pth, .safetensors)")
	headFlag(cmd, &c.head)
	flavourFlag(cmd, &c.scconv)
	wiringFlag(cmd, &c.blocks)
	sizeFlag(flags, &c.size)
	flags.IntVar(&opt.Batch, "batch-size", 1, "images in one `batch`")
	flags.IntVar(&opt.Opset, "opset", 17, fmt.Sprintf("ONNX operator set `version`, %d to %d", ysc2onnx.MinOpset, ysc2onnx.MaxOpset))
	flags.Var(&c.dynamic, "dynamic", "leave batch, height and width open; --dynamic=batch: only the batch")
	flags.Lookup("dynamic").NoOptDefVal = dynamicAll
	halfFlag(cmd, &c.half)
	flags.Uint64Var(&opt.Seed, "seed", 0, "`seed` of the weights where there is no checkpoint: the same seed gives the same file on every machine")
	c.seed = flags.Lookup("seed")
	flags.BoolVar(&opt.NoOptimize, "no-optimize", false, "keep every primitive node, unfused, and weights under their state_dict names")
	flags.Var(&c.check, "check", "`depth` of the check of the written file: full (down to every layer's numbers), fast (its structure and a run) or none")
	flags.BoolVar(&c.noVerify, "no-verify", false, "the same as --check=none")
	c.checkFlag = flags.Lookup("check")
	flags.BoolVar(&opt.Strict, "strict", false, "warnings are errors, and so is a check that cannot be made")
	allowFlag(cmd, &opt.Allow)
	flags.BoolVar(&opt.ExternalData, "external-data", false, "put the weights into a second file beside the model, whatever its size")
	flags.BoolVar(&opt.Sync, "sync", false, "return only when the file has reached the disk")
	flags.StringVar(&c.page.path, "report", "", "write an HTML `file` that shows the model and its checks, and opens without a network")
	libraryFlag(flags, &c.library)
	_ = cmd.RegisterFlagCompletionFunc("check", cobra.FixedCompletions(checks, cobra.ShellCompDirectiveNoFileComp))
	dims := cobra.FixedCompletions([]string{dynamicAll, dynamicBatch, dynamicNone}, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("dynamic", dims) // these four fail for unknown flags only
	_ = cmd.MarkFlagFilename("output", "onnx")
	_ = cmd.MarkFlagFilename("report", "html")
	_ = cmd.MarkFlagFilename("weights", "pt", "pth", "safetensors")
}

// conversionDocument is what --json prints.
type conversionDocument struct {
	Output     string            `json:"output"` // - for standard output
	Opset      int               `json:"opset"`
	IRVersion  int64             `json:"ir_version"`
	Batch      int               `json:"batch"`
	Height     int               `json:"height"`
	Width      int               `json:"width"`
	Dynamic    string            `json:"dynamic"` // none, batch, all
	Half       string            `json:"half"`    // none, weights, full
	Losses     []ysc2onnx.Loss   `json:"losses,omitempty"`
	Nodes      int               `json:"nodes"`
	Layers     int               `json:"layers"`
	Parameters int64             `json:"parameters"`
	Bytes      int64             `json:"bytes"`
	Seconds    float64           `json:"seconds"` // without the checks
	Warnings   *diag.Diagnostics `json:"warnings,omitempty"`
	Check      string            `json:"check"`             // full, fast, none
	Assumed    string            `json:"assumed,omitempty"` // assumptions that the numbers depend on and no check proves
	Checked    bool              `json:"checked"`           // the file was run, and every check held
	NotChecked string            `json:"not_checked,omitempty"`
	Checks     *verify.Report    `json:"checks,omitempty"`
	Error      string            `json:"error,omitempty"`
}

// run converts.
func (c *conversion) run(ctx context.Context, args []string) error {
	if len(args) == 2 && c.dynamic != 0 && (args[0] == dynamicBatch || args[1] == dynamicBatch) {
		return usagef("--dynamic takes its value after an equals sign: --dynamic=batch")
	}
	if len(args) > 1 {
		if err := unknownCommand(args[0], commandNames()); err != nil {
			return err
		}
	}
	if len(args) == 2 && isCheckpoint(args[0]) != isCheckpoint(args[1]) {
		if isCheckpoint(args[0]) {
			slices.Reverse(args)
		}
		return usagef("a checkpoint beside a YAML goes after --weights: ysc2onnx %s --weights %s", args[0], args[1])
	}
	if len(args) == 0 && c.weights != "" { // as YOLOv5's export.py has it
		args, c.weights = []string{c.weights}, ""
	}
	path, err := oneArg(args, "a model, such as: ysc2onnx best.pt -o best.onnx, or ysc2onnx yolov5s.yaml")
	if err != nil {
		return err
	}
	if c.options.Opset < ysc2onnx.MinOpset || c.options.Opset > ysc2onnx.MaxOpset {
		return usagef("--opset %d: this version writes opset %d to %d", c.options.Opset, ysc2onnx.MinOpset, ysc2onnx.MaxOpset)
	}
	if c.options.Batch < 1 {
		return usagef("--batch-size %d: at least one image is needed", c.options.Batch)
	}
	m, err := c.openModel(ctx, path, c.weights)
	if err != nil {
		return err
	}
	defer m.close()
	if err := c.blocks.forYAML(m); err != nil {
		return err
	}
	if m.weights != nil && c.seed.Changed {
		return usagef("--seed is for weights that are drawn; those of %s are trained, leave --seed out", m.weights.Name())
	}
	target, err := m.output(c.options.Output)
	if err != nil {
		return err
	}
	notChecked, err := c.prepare(target)
	if err != nil {
		return err
	}
	if c.page.path != "" && c.options.Check == ysc2onnx.CheckNone {
		return usagef("--report shows how the checks went, but nothing is checked: %s", notChecked)
	}
	if err := c.page.checkPath(path, c.weights, target); err != nil {
		return err
	}
	if c.options.Strict && c.asksForCheck() && notChecked != "" {
		return fmt.Errorf("not checked: %s; --strict demands the checks of --check=%s, and --check=none leaves them out", notChecked, c.check.String())
	}
	bar := c.newProgress()
	defer bar.finish()
	c.options.Progress = bar.update
	result, err := ysc2onnx.Convert(ctx, m.input(), c.options)
	bar.finish()
	if err != nil {
		return err
	}
	if err := c.writeReport(ctx, target, result); err != nil {
		return err
	}
	return c.report(target, result, notChecked)
}

// asksForCheck says whether the written file should be checked.
func (c *conversion) asksForCheck() bool {
	return !c.noVerify && ysc2onnx.Check(c.check) != ysc2onnx.CheckNone
}

// prepare sets where the model goes and what checks it. notChecked says why nothing runs it, "" where something does.
func (c *conversion) prepare(target string) (notChecked string, err error) {
	opt := &c.options
	opt.Height, opt.Width, opt.Dynamic = c.size.height, c.size.width, ysc2onnx.Dynamic(c.dynamic)
	opt.Half = ysc2onnx.Half(c.half)
	if c.head.Name != heads.Forms()[0].Name {
		opt.Head = c.head.Stage
	}
	opt.ScConv, opt.C3ScConv = ysc2onnx.ScConv(c.scconv), ysc2onnx.C3ScConv(c.blocks)
	opt.Check = ysc2onnx.Check(c.check)
	if target == stdio {
		switch {
		case c.json:
			return "", usagef("-o - and --json both want standard output; write the model to a file")
		case opt.ExternalData:
			return "", usagef("--external-data writes two files; name the model with -o FILE")
		case isTerminal(c.stdout):
			return "", usagef("-o - would write binary data to the terminal; redirect it, or name a file")
		}
		opt.Output, opt.Writer = "", c.stdout
		return "what is written to standard output cannot be read back; check the file with: ysc2onnx verify FILE", nil
	}
	opt.Output = target
	switch {
	case c.noVerify && c.checkFlag.Changed && opt.Check != ysc2onnx.CheckNone:
		return "", usagef("--no-verify and --check=%s contradict each other; leave one of them out", c.check.String())
	case c.noVerify:
		opt.Check = ysc2onnx.CheckNone
		return "--no-verify was given", nil
	case opt.Check == ysc2onnx.CheckNone:
		return "--check=none was given", nil
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		opt.Check = ysc2onnx.CheckNone
		return "what is written to " + target + " cannot be read back", nil
	}
	opt.Runtime, notChecked, err = openRuntime(c.library)
	return notChecked, err
}

// report says what was written and how the checks went.
func (c *conversion) report(target string, r *ysc2onnx.Result, notChecked string) error {
	c.warn(r.Warnings)
	noteLosses(c.app, r.Losses)
	noteRounding(c.app, c.size, r.Height, r.Width, r.Summary.Stride)
	if r.Checks != nil && r.Checks.NotRun != "" {
		notChecked = r.Checks.NotRun
	}
	failed := c.verdict(target, r.Checks)
	doc := conversionDocument{
		Output: target, Opset: r.Opset, IRVersion: r.IRVersion, Batch: r.Batch, Height: r.Height, Width: r.Width,
		Dynamic: c.dynamic.String(), Half: c.half.String(), Losses: r.Losses, Nodes: r.Nodes, Layers: r.Summary.Layers, Parameters: r.Summary.Parameters, Bytes: r.Bytes,
		Seconds: r.Elapsed.Seconds(), Warnings: r.Warnings, Check: checks[c.options.Check], Assumed: r.Assumed, Checked: notChecked == "" && failed == nil, NotChecked: notChecked, Checks: r.Checks,
	}
	if failed != nil {
		doc.Error = failed.Error()
		notChecked = ""
	}
	if c.json && failed == nil {
		return c.printJSON(doc)
	}
	to, name := c.stdout, target
	if target == stdio {
		to, name = c.stderr, "standard output"
	}
	var text bytes.Buffer
	s := style(colorful(to))
	fmt.Fprintf(&text, "%s   opset %d, IR %d, %s parameters, %s, %.2f s%s\n", s.paint("1", name), r.Opset, r.IRVersion,
		humanize.Comma(r.Summary.Parameters), units.Bytes(r.Bytes), r.Elapsed.Seconds(), notProved(s, r.Assumed))
	if r.File != nil && r.File.DataSize > 0 {
		fmt.Fprintf(&text, "  %-10s %s   the weights, %s; keep it beside the model\n", "data", filepath.Base(r.File.DataPath), units.Bytes(r.File.DataSize))
	}
	if r.Checks != nil {
		writeChecks(&text, s, r.Checks)
	}
	if notChecked != "" {
		writeNotChecked(&text, s, notChecked)
	}
	if r.Checks != nil && c.options.Check == ysc2onnx.CheckFast {
		writeNotChecked(&text, s, "the weights and the layers' numbers, as --check=fast was given")
	}
	if err := c.app.report(to, &text); err != nil {
		return err
	}
	if failed != nil {
		return documentedError{failed, exitUnsound, doc}
	}
	return nil
}

// writeReport writes the page of --report.
func (c *conversion) writeReport(ctx context.Context, target string, r *ysc2onnx.Result) error {
	if c.page.path == "" || r.Checks == nil {
		return nil
	}
	c.page.data.Facts, c.page.data.Checks = r.Checks.Facts, r.Checks
	return c.page.write(ctx, target, "")
}

// verdict is the error of a file that was written but is wrong, nil if nothing is: a check failed or, with --strict, could
// not be made.
func (c *conversion) verdict(target string, checks *verify.Report) error {
	switch {
	case checks == nil:
		return nil
	case !checks.OK():
		return fmt.Errorf("%s is wrong: %s; the file is kept", target, failures(checks))
	case !c.options.Strict:
		return nil
	}
	missed := checks.Skipped
	if checks.NotRun != "" {
		missed = append([]string{checks.NotRun}, missed...)
	}
	if len(missed) == 0 {
		return nil
	}
	return fmt.Errorf("%s is not checked, which --strict demands: %s; the file is kept", target, strings.Join(missed, "; "))
}

// noteRounding says so when the image is larger than asked for.
func noteRounding(a *app, asked size, height, width, stride int) {
	if asked != (size{}) && asked != (size{height, width}) {
		a.note("image size %dx%d was rounded up to %dx%d: height and width are multiples of the model's stride, %d",
			asked.height, asked.width, height, width, stride)
	}
}

// failures lists the checks that did not hold, and why.
func failures(report *verify.Report) string {
	var text bytes.Buffer
	for i, c := range report.Failed() {
		if i > 0 {
			text.WriteString("; ")
		}
		fmt.Fprintf(&text, "%s: %s", c.Name, c.Detail)
	}
	return text.String()
}
