package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/diag"
)

// linting is the command lint.
type linting struct {
	*app
	format string
	watch  bool
	strict bool
	allow  []diag.Code
	scconv flavour
	blocks wiring
}

// formats are the values of --format.
var formats = []string{"text", "github", "sarif"}

// lintDocument is what --json prints.
type lintDocument struct {
	OK    bool       `json:"ok"` // no file has an error
	Files []lintFile `json:"files"`
}

type lintFile struct {
	File        string            `json:"file"`
	Diagnostics *diag.Diagnostics `json:"diagnostics"`
	Error       string            `json:"error,omitempty"` // why the file could not be read
}

func (a *app) lintCommand() *cobra.Command {
	l := linting{app: a}
	cmd := &cobra.Command{
		Use:   "lint MODEL.yaml ...",
		Short: "Check model YAMLs without writing anything, for editors and CI",
		Long: `Reads and builds each YAML and prints its errors and warnings; exits with 1 if there is an error. Each kind of warning has
a code, shown in brackets: --allow CODE silences it, and so does a comment in the YAML, on the row's line or above it:
# ysc2onnx: allow CODE. docs/warnings.md lists the codes.`,
		Example: `  ysc2onnx lint yolov5s.yaml
  ysc2onnx lint models/*.yaml --strict --format github      in GitHub Actions
  ysc2onnx lint yolov5s.yaml --watch                        checks again whenever the file is saved`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.FixedCompletions([]string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              a.runE(l.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&l.format, "format", formats[0], "how to print: text, github (commands of GitHub Actions) or sarif (one `document` for code hosts and editors)")
	flags.BoolVar(&l.watch, "watch", false, "check again whenever a file changes, until interrupted")
	flags.BoolVar(&l.strict, "strict", false, "warnings are errors")
	allowFlag(cmd, &l.allow)
	flavourFlag(cmd, &l.scconv)
	wiringFlag(cmd, &l.blocks)
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)) // it fails for unknown flags only
	return cmd
}

func (l *linting) run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		return usagef("name a model YAML, such as: ysc2onnx lint yolov5s.yaml")
	case !slices.Contains(formats, l.format):
		return usagef("--format %s: want %s", l.format, english.OxfordWordSeries(formats, "or"))
	case l.json && l.format != formats[0]:
		return usagef("--json and --format %s are two formats; choose one", l.format)
	case l.watch && (l.json || l.format == "sarif"):
		return usagef("--watch prints again and again, which is no single document; leave --json or --format sarif out")
	case slices.ContainsFunc(args, isCheckpoint):
		return usagef("lint checks YAMLs; ysc2onnx inspect shows what is in a checkpoint")
	}
	if l.watch {
		return l.watchFiles(ctx, args)
	}
	return l.checkAll(ctx, args)
}

// checkAll checks the files. Those that can be read are printed even if others cannot.
func (l *linting) checkAll(ctx context.Context, paths []string) error {
	doc := lintDocument{OK: true}
	for _, path := range paths {
		found, err := l.check(ctx, path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		file := lintFile{File: path, Diagnostics: found}
		if err != nil {
			file.Error = err.Error()
		}
		doc.OK = doc.OK && err == nil && !found.HasErrors()
		doc.Files = append(doc.Files, file)
	}
	if err := l.show(&doc); err != nil {
		return err
	}
	if !doc.OK {
		return errPrinted
	}
	return nil
}

// check gives what is wrong or odd in a YAML. The error says why it could not be read.
func (l *linting) check(ctx context.Context, path string) (*diag.Diagnostics, error) {
	m, err := l.readYAML(ctx, path)
	if err != nil {
		return nil, err
	}
	_, found, err := ysc2onnx.Summarize(ctx, m.input(), ysc2onnx.Options{
		ScConv: ysc2onnx.ScConv(l.scconv), C3ScConv: ysc2onnx.C3ScConv(l.blocks), Strict: l.strict, Allow: l.allow,
	})
	var wrong *diag.Diagnostics
	if errors.As(err, &wrong) {
		return wrong, nil
	}
	return found, err
}

// show prints what was found.
func (l *linting) show(doc *lintDocument) error {
	var texts []*diag.Diagnostics
	for _, f := range doc.Files {
		if f.Error != "" && !l.json {
			l.complain(errors.New(f.Error))
		}
		texts = append(texts, f.Diagnostics)
	}
	switch {
	case l.json:
		return l.printJSON(doc)
	case l.format == "sarif":
		return diag.SARIF(l.stdout, ysc2onnx.Version, texts)
	}
	for _, f := range doc.Files {
		var err error
		switch {
		case f.Error != "":
		case l.format == "github":
			err = f.Diagnostics.GitHub(l.stdout)
		case f.Diagnostics.Count(diag.Error)+f.Diagnostics.Count(diag.Warning) > 0:
			err = f.Diagnostics.Format(l.stdout, colorful(l.stdout))
		case !l.quiet:
			_, err = fmt.Fprintf(l.stdout, "%s: %s\n", printable(f.File), style(colorful(l.stdout)).paint("32", "ok"))
		}
		if err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	return nil
}

// pause is how long --watch waits between looks at the files.
const pause = 300 * time.Millisecond

// watchFiles checks the files, and again those that changed, until it is interrupted.
func (l *linting) watchFiles(ctx context.Context, paths []string) error {
	seen := map[string]string{}
	for {
		var changed []string
		for _, path := range paths {
			state := "missing"
			if info, err := os.Stat(path); err == nil {
				state = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
			}
			if seen[path] != state {
				seen[path] = state
				changed = append(changed, path)
			}
		}
		if len(changed) > 0 {
			if l.format == formats[0] {
				l.note("%s: %s", time.Now().Format(time.TimeOnly), strings.Join(changed, ", "))
			}
			if err := l.checkAll(ctx, changed); err != nil && !errors.Is(err, errPrinted) {
				return interrupted(ctx, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil // interrupting is how it ends
		case <-time.After(pause):
		}
	}
}

// interrupted is nil where the work ended because it was interrupted.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
