package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/pflag"

	"ysc2onnx/internal/replace"
	"ysc2onnx/internal/units"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/report"
)

const (
	profileRuns  = 5  // runs of a model whose median is taken
	profileLines = 10 // layers that are printed
)

// reporting is what --report and --profile add to verify.
type reporting struct {
	*app
	path    string // of the HTML file; "" for none
	profile bool
	data    report.Data
}

// flags adds --report and --profile.
func (r *reporting) flags(flags *pflag.FlagSet) {
	flags.StringVar(&r.path, "report", "", "write an HTML `file` that shows all of it, and opens without a network")
	flags.BoolVar(&r.profile, "profile", false, fmt.Sprintf("time the layers, as the median of %d runs", profileRuns))
}

// checkPath refuses a place that a report cannot be written to, before anything is run. inputs are the files that are read.
func (r *reporting) checkPath(inputs ...string) error {
	if r.path == "" {
		return nil
	}
	if r.path == stdio {
		return usagef("--report -: name a file, such as report.html; what is checked is printed to standard output")
	}
	switch ending := strings.ToLower(filepath.Ext(r.path)); ending {
	case ".html", ".htm", "":
	default:
		return usagef("--report %s: an HTML file would be written, but %s is the ending of another format; name it %s", r.path, ending, stem(r.path)+".html")
	}
	info, err := os.Stat(r.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(r.path)); err != nil {
			return fmt.Errorf("--report %s: there is no folder %s", r.path, filepath.Dir(r.path))
		}
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return usagef("--report %s: it is a folder; name a file in it, such as %s", r.path, filepath.Join(r.path, "report.html"))
	}
	return r.protectInputs(info, inputs)
}

// protectInputs refuses to write over a file that is read.
func (r *reporting) protectInputs(at fs.FileInfo, inputs []string) error {
	for _, path := range inputs {
		if info, err := os.Stat(path); err == nil && os.SameFile(at, info) {
			return usagef("--report %s: it is %s itself, which would be overwritten", r.path, path)
		}
	}
	return nil
}

// observer is what keeps the values that a report draws; nil without one.
func (r *reporting) observer() func(verify.Row, engine.Tensor, engine.Tensor) {
	if r.path == "" {
		return nil
	}
	r.data.Samples = &report.Sampler{}
	return r.data.Samples.Observe
}

// measure times the layers of the model, if that was asked for, and prints the slowest.
func (r *reporting) measure(ctx context.Context, rt engine.Runtime, path string, facts *verify.Facts, inputs []engine.Tensor) error {
	if !r.profile {
		return nil
	}
	p, err := verify.Measure(ctx, rt, path, facts, inputs, profileRuns)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	r.data.Profile = p
	var text bytes.Buffer
	if err := p.WriteTable(&text, profileLines); err != nil {
		return err
	}
	return r.report(r.stdout, &text)
}

// write writes the report, if one was asked for.
func (r *reporting) write(ctx context.Context, path, against string) error {
	if r.path == "" {
		return nil
	}
	d := &r.data
	var err error
	if d.Facts == nil {
		if d.Facts, err = verify.Structure(ctx, path); err != nil {
			return err
		}
	}
	d.Stages = d.Facts.Picture()
	if d.Model, err = described(ctx, path); err != nil {
		return err
	}
	if against != "" {
		reference, err := described(ctx, against)
		if err != nil {
			return err
		}
		d.Reference = &reference
	}
	if info, err := os.Stat(r.path); err == nil {
		var beside []string
		for _, name := range d.Facts.External {
			beside = append(beside, filepath.Join(filepath.Dir(path), name))
		}
		if err := r.protectInputs(info, beside); err != nil {
			return err
		}
	}
	v := thisVersion()
	d.Version = v.Version
	if v.Commit != "" {
		d.Version += " (" + v.Commit + ")"
	}
	d.Command = commandLine(r.args)
	d.Machine = fmt.Sprintf("%s, %s", v.Platform, english.Plural(runtime.NumCPU(), "CPU", ""))
	var page bytes.Buffer
	if err := report.Write(&page, d); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := replace.File(r.path, int64(page.Len()), false, func(to io.Writer) error {
		_, err := to.Write(page.Bytes())
		return err
	}); err != nil {
		return err
	}
	r.note("wrote %s (%s)", r.path, units.Bytes(int64(page.Len())))
	return nil
}

// described gives a file's size and SHA-256.
func described(ctx context.Context, path string) (f report.File, err error) {
	file, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer func() { _ = file.Close() }() // nothing is lost with a file that was only read
	hash := sha256.New()
	size, err := io.Copy(hash, readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return file.Read(p)
	}))
	return report.File{Name: path, Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

type readerFunc func(p []byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// plainWord is a word that a shell takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// commandLine is what one would type into a shell to run the program with args.
func commandLine(args []string) string {
	line := "ysc2onnx"
	for _, arg := range args {
		if !plainWord.MatchString(arg) {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		line += " " + arg
	}
	return line
}
