package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"ysc2onnx/inspect"
	"ysc2onnx/internal/units"
)

// inspection is the command inspect.
type inspection struct {
	*app
	tensors bool
}

// inspectionDocument is what --json prints.
type inspectionDocument struct {
	File string `json:"file"`
	*inspect.Report
	Error string `json:"error,omitempty"` // where it is dangerous
}

func (a *app) inspectCommand() *cobra.Command {
	i := inspection{app: a}
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what is in a checkpoint or ONNX file, without running any of it",
		Long: `Shows what a .pt, .pth, .safetensors or .onnx file is and who wrote it, its layers, classes and anchors, what its
tensors hold, and the names that loading a checkpoint with Python would look up, the suspicious ones first. Nothing
in the file is executed. The first line is a verdict on that: dangerous (the exit code is 4), unknown, ordinary or data.`,
		Example: `  ysc2onnx inspect best.pt
  ysc2onnx inspect best.pt --tensors             each tensor with its minimum, maximum and mean
  ysc2onnx inspect best.pt --json | jq .classes`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("pt", "pth", "safetensors", "onnx"),
		RunE:              a.runE(i.run),
	}
	cmd.Flags().BoolVar(&i.tensors, "tensors", false, "list every tensor; --json always does")
	return cmd
}

func (i *inspection) run(ctx context.Context, args []string) error {
	path, err := oneArg(args, "a file, such as: ysc2onnx inspect best.pt")
	if err != nil {
		return err
	}
	look, expected := inspect.Checkpoint, "a checkpoint (.pt, .pth or .safetensors)"
	var opt inspect.Options
	patterns := []string{"*.pt", "*.pth", "*.safetensors"}
	switch {
	case strings.EqualFold(filepath.Ext(path), ".onnx"):
		look, expected, patterns = inspect.ONNX, "an ONNX file", []string{"*.onnx"}
		var done func()
		opt.Data, done = dataBeside(path)
		defer done()
	case !isCheckpoint(path) && path != stdio:
		return fmt.Errorf("%s: a .pt, .pth, .safetensors or .onnx file was expected", path)
	}
	f, err := openTensors(path, expected, patterns...)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing is lost with a file that was only read
	bar := i.newProgress()
	defer bar.finish()
	opt.Progress = func(done, total int64) { bar.update("reading tensors", done, total) }
	report, err := look(ctx, f, f.info.Size(), opt)
	bar.finish()
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	doc := inspectionDocument{File: path, Report: report}
	var dangerous error
	if report.Verdict == inspect.Dangerous {
		dangerous = fmt.Errorf("%s is dangerous: %s", path, report.Why)
		doc.Error = dangerous.Error()
	}
	if !i.json {
		var text bytes.Buffer
		writeReport(&text, style(colorful(i.stdout)), path, report, i.tensors)
		if err := i.print(i.stdout, &text); err != nil {
			return err
		}
	}
	switch {
	case dangerous != nil:
		return documentedError{dangerous, exitDangerous, doc}
	case i.json:
		return i.printJSON(doc)
	}
	return nil
}

// dataBeside opens the data files of the ONNX file at path: those in its folder, and none that the file names elsewhere.
func dataBeside(path string) (open func(name string) (io.ReaderAt, int64, error), done func()) {
	var opened []io.Closer
	open = func(name string) (io.ReaderAt, int64, error) {
		folder, err := os.OpenRoot(filepath.Dir(path))
		if err != nil {
			return nil, 0, err
		}
		defer func() { _ = folder.Close() }() // only read, as are the files
		info, err := folder.Stat(name)
		if err != nil {
			return nil, 0, err
		}
		if !info.Mode().IsRegular() {
			return nil, 0, fmt.Errorf("%s is not a regular file", name)
		}
		f, err := folder.Open(name)
		if err != nil {
			return nil, 0, err
		}
		opened = append(opened, f)
		return f, info.Size(), nil
	}
	return open, func() {
		for _, f := range opened {
			_ = f.Close()
		}
	}
}

// verdictColors are red for what is not to be loaded with Python, yellow for what to look at first, green for the rest.
var verdictColors = map[string]string{inspect.Dangerous: "31", inspect.Unknown: "33", inspect.Ordinary: "32", inspect.Data: "32"}

// longestValue is how many bytes of a property are printed.
const longestValue = 500

// writeReport prints what is in a file.
func writeReport(w *bytes.Buffer, s style, path string, r *inspect.Report, all bool) {
	fmt.Fprintf(w, "%s: %s\n", s.paint(verdictColors[r.Verdict], r.Verdict), printable(r.Why))
	fmt.Fprintf(w, "%s   %s, %s\n", s.paint("1", path), r.Kind, units.Bytes(r.Bytes))
	line := func(name, value string) { fmt.Fprintf(w, "  %-14s  %s\n", printable(name), printable(value)) }
	for _, p := range append([]inspect.Property{{Name: "model", Value: r.Model}, {Name: "written by", Value: r.Writer}}, r.Properties...) {
		if len(p.Value) > longestValue {
			p.Value = strings.ToValidUTF8(p.Value[:longestValue], "") + "…"
		}
		if p.Value != "" {
			line(p.Name, p.Value)
		}
	}
	for _, v := range r.Inputs {
		line("input", valueText(v))
	}
	for _, v := range r.Outputs {
		line("output", valueText(v))
	}
	if len(r.Classes) > 0 {
		line("classes", fmt.Sprintf("%d: %s", len(r.Classes), strings.Join(r.Classes, ", ")))
	}
	for i, level := range r.Anchors {
		var sizes []string
		for _, a := range level {
			sizes = append(sizes, fmt.Sprintf("%.4gx%.4g", a[0], a[1]))
		}
		line("anchors", fmt.Sprintf("%s at stride %g", strings.Join(sizes, ", "), r.Strides[i]))
	}
	line("tensors", tensorsText(r))
	for _, t := range r.NonFinite() {
		fmt.Fprintf(w, "  %s  %s holds %d NaN and %d Inf\n", s.paint("31", "not finite    "), printable(t.Name), t.Statistics.NaN, t.Statistics.Inf)
	}
	if r.Problem != "" {
		fmt.Fprintf(w, "  %s  %s\n", s.paint("31", "problem       "), printable(r.Problem+"; ysc2onnx verify lists all"))
	}
	for _, name := range r.Damaged {
		fmt.Fprintf(w, "  %s  record %s does not have its CRC-32: copy or download the file again, unless PyTorch was told to write none\n",
			s.paint("31", "damaged       "), printable(name))
	}
	var operators []string
	for _, o := range r.Operators {
		operators = append(operators, fmt.Sprintf("%d %s", o.Nodes, o.Name))
	}
	if len(operators) > 0 {
		line("nodes", strings.Join(operators, ", "))
	}
	if len(r.Layers) > 0 {
		rows := [][]string{{"layer", "from", "params", "module"}}
		for _, l := range r.Layers {
			parameters := ""
			if len(r.Operators) == 0 { // those of an ONNX model belong to no layer
				parameters = strconv.FormatInt(l.Parameters, 10)
			}
			rows = append(rows, []string{strconv.Itoa(l.Index), l.From, parameters, l.Type})
		}
		writeTable(w, rows, 3)
	}
	if all {
		rows := [][]string{{"min", "max", "mean", "dtype", "shape", "tensor"}}
		for _, t := range r.Tensors {
			rows = append(rows, tensorRow(t))
		}
		writeTable(w, rows, 3)
	}
	if len(r.Globals) > 0 {
		rows := [][]string{{"named", "called", "risk", "what Python would look up"}}
		for _, g := range r.Globals {
			rows = append(rows, []string{strconv.Itoa(g.Named), strconv.Itoa(g.Calls), g.Risk, g.Name})
		}
		writeTable(w, rows, 2)
	}
}

// writeTable prints columns as wide as they need to be; the first ones are numbers, set to the right.
func writeTable(w *bytes.Buffer, rows [][]string, numbers int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
			widths[i] = max(widths[i], len(row[i]))
		}
	}
	w.WriteByte('\n')
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			width := -widths[i]
			switch {
			case i < numbers:
				width = widths[i]
			case i == len(row)-1: // however long another row's is
				width = 0
			}
			fmt.Fprintf(&line, "  %*s", width, cell)
		}
		w.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// tensorsText is "349 with 1,872,157 parameters: 290 float16, 59 int64".
func tensorsText(r *inspect.Report) string {
	counts, unread := map[string]int{}, 0
	var kinds []string
	for _, t := range r.Tensors {
		if counts[t.DType]++; counts[t.DType] == 1 {
			kinds = append(kinds, t.DType)
		}
		if t.Unread != "" {
			unread++
		}
	}
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%d %s", counts[kind], kind)
	}
	text := fmt.Sprintf("%d with %s parameters", len(r.Tensors), humanize.Comma(r.Parameters))
	if len(kinds) > 0 {
		text += ": " + strings.Join(kinds, ", ")
	}
	if unread > 0 {
		text += fmt.Sprintf("; the elements of %d were not read (--tensors says why)", unread)
	}
	return text
}

// tensorRow is a tensor's line of the table.
func tensorRow(t inspect.Tensor) []string {
	row := []string{"", "", "", t.DType, fmt.Sprint(t.Shape), t.Name}
	if t.Statistics == nil {
		row[5] += ": not read: " + t.Unread
		return row
	}
	for i, v := range []*float64{t.Statistics.Min, t.Statistics.Max, t.Statistics.Mean} {
		if v != nil {
			row[i] = strconv.FormatFloat(*v, 'g', 5, 64)
		}
	}
	return row
}

// valueText is "images float32 [1, 3, height, width]".
func valueText(v inspect.Value) string {
	return v.Name + " " + v.DType + " [" + strings.Join(v.Dims, ", ") + "]"
}
