package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"ysc2onnx/diag"
)

// app is what all commands share.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string // as they were typed

	json  bool // --json: stdout holds one JSON document
	quiet bool // --quiet: errors only

	leftOut []string // flags of YOLOv5's that mean nothing here, to be noted

	started bool // a command's own code runs: what fails from now on is not a wrong usage
}

// usageError is a command line that makes no sense, such as two models at once.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// documentedError is a failure whose JSON document says more than the error, such as which checks of a file failed.
type documentedError struct {
	error
	code     int // to exit with
	document any // what --json prints
}

// errPrinted ends a command whose output says already what failed.
var errPrinted = errors.New("failed, as was printed")

// runE wraps a command's code for cobra.
func (a *app) runE(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		for _, what := range a.leftOut {
			a.note("%s", what)
		}
		if err := emptyFlag(cmd.Flags()); err != nil {
			return err
		}
		return f(cmd.Context(), args)
	}
}

// emptyFlag refuses a file flag with nothing in it, as a shell variable that is not set gives: it would count as not given.
func emptyFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" {
			err = usagef("--%s is empty: name a file, or leave the flag out", f.Name)
		}
	})
	return err
}

// finish reports how a command ended and gives the exit code.
func (a *app) finish(err error) int {
	var (
		usage      usageError
		documented documentedError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errPrinted):
		return exitFailure
	case errors.As(err, &documented):
		if !a.json {
			a.complain(err)
		} else if err := a.printJSON(documented.document); err != nil {
			a.complain(err)
		}
		return documented.code
	case !a.started || errors.As(err, &usage): // cobra refuses arguments before a command's own code runs
		a.fail(err)
		return exitUsage
	}
	a.fail(err)
	return exitFailure
}

// failure is the JSON document of a command that failed.
type failure struct {
	Error       string            `json:"error"`
	Diagnostics *diag.Diagnostics `json:"diagnostics,omitempty"`
}

// fail prints an error: as a document with --json, else for people.
func (a *app) fail(err error) {
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	var found *diag.Diagnostics
	isYAML := errors.As(err, &found)
	if a.json {
		doc := failure{Error: err.Error()}
		if isYAML {
			doc = failure{countText(found), found}
		}
		if err := a.printJSON(doc); err != nil {
			a.complain(err)
		}
		return
	}
	if !isYAML {
		a.complain(err)
		return
	}
	if a.quiet {
		found = found.Errors()
	}
	_ = found.Format(a.stderr, colorful(a.stderr)) // a broken stderr leaves nowhere to report it
	if found.Count(diag.Error)+found.Count(diag.Warning) > 1 {
		a.complain(errors.New(countText(found)))
	}
}

// complain prints an error's line to stderr.
func (a *app) complain(err error) {
	fmt.Fprintf(a.stderr, "ysc2onnx: %s\n", style(false).harmless(err.Error()))
}

// note prints what a user should know but need not act on.
func (a *app) note(format string, args ...any) {
	if !a.quiet && !a.json {
		fmt.Fprintf(a.stderr, "ysc2onnx: %s\n", style(false).harmless(fmt.Sprintf(format, args...)))
	}
}

// warn prints a model's warnings. With --json they are in the document.
func (a *app) warn(found *diag.Diagnostics) {
	if !a.quiet && !a.json {
		_ = found.Format(a.stderr, colorful(a.stderr)) // a warning that cannot be shown stops nothing
	}
}

// report writes to w how something went, which --quiet leaves out.
func (a *app) report(w io.Writer, text *bytes.Buffer) error {
	if a.quiet || a.json {
		return nil
	}
	return a.print(w, bytes.NewBufferString(style(colorful(w)).harmless(text.String())))
}

// print writes text to w in one piece.
func (a *app) print(w io.Writer, text *bytes.Buffer) error {
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printJSON writes one document to stdout.
func (a *app) printJSON(document any) error {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(document)
	if err == nil {
		_, err = a.stdout.Write(text.Bytes())
	}
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// countText is "m.yaml: 2 errors and 1 warning".
func countText(found *diag.Diagnostics) string {
	text := english.Plural(found.Count(diag.Error), "error", "")
	if n := found.Count(diag.Warning); n > 0 {
		text += " and " + english.Plural(n, "warning", "")
	}
	if found.Source != nil {
		text = found.Source.Name + ": " + text
	}
	return text
}

// asksForJSON looks for --json without parsing, so that a command line that cannot be parsed is reported as asked.
func asksForJSON(args []string) bool {
	for _, arg := range args {
		switch strings.ToLower(arg) {
		case "--":
			return false
		case "--json", "--json=true", "--json=t", "--json=1":
			return true
		}
	}
	return false
}

// isTerminal says whether a person sees what is written to w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colorful says whether what is written to w may be coloured; see no-color.org.
func colorful(w any) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
