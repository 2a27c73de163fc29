package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/internal/replace"
	"ysc2onnx/internal/units"
)

// extraction is the command extract.
type extraction struct {
	*app
	outputs   []string
	overwrite bool
	sync      bool
}

// extractionDocument is what --json prints.
type extractionDocument struct {
	File    string          `json:"file"`
	Written []extractedFile `json:"written"`
	Notes   []string        `json:"notes,omitempty"` // what is left out
}

type extractedFile struct {
	Output string `json:"output"`
	Bytes  int64  `json:"bytes"`
}

func (a *app) extractCommand() *cobra.Command {
	e := extraction{app: a}
	cmd := &cobra.Command{
		Use:   "extract best.pt -o model.yaml|weights.safetensors",
		Short: "Take the model YAML or the weights out of a checkpoint, into open formats",
		Long: `Writes the model YAML that a checkpoint carries, with the classes and anchors of its training, or its tensors as a
.safetensors file, by their names in the state_dict and with their types. The file's metadata has what tensors do not
say, so that it converts to the same model, alone or with --weights. Nothing in the checkpoint is executed.`,
		Example: `  ysc2onnx extract best.pt -o model.yaml
  ysc2onnx extract best.pt -o model.yaml -o weights.safetensors
  ysc2onnx model.yaml --weights weights.safetensors`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("pt", "pth", "safetensors"),
		RunE:              a.runE(e.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVarP(&e.outputs, "output", "o", nil, "the `file` to write, .yaml or .safetensors; may be given twice")
	flags.BoolVar(&e.overwrite, "overwrite", false, "-o may name a YAML that exists already")
	flags.BoolVar(&e.sync, "sync", false, "return only when the file has reached the disk")
	_ = cmd.MarkFlagFilename("output", "yaml", "safetensors") // it fails for unknown flags only
	return cmd
}

func (e *extraction) run(ctx context.Context, args []string) error {
	path, err := oneArg(args, "a checkpoint, such as: ysc2onnx extract best.pt -o model.yaml")
	if err != nil {
		return err
	}
	if len(e.outputs) == 0 {
		return usagef("say what to extract with -o: a .yaml file for the model, or a .safetensors file for the weights")
	}
	if !isCheckpoint(path) && path != stdio {
		return fmt.Errorf("%s: a checkpoint (.pt, .pth or .safetensors) was expected", path)
	}
	w, err := openWeights(path)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }() // nothing is lost with a file that was only read
	for i, output := range e.outputs {
		if err := e.check(output, w, e.outputs[:i]); err != nil {
			return err
		}
	}
	doc := extractionDocument{File: path}
	for _, output := range e.outputs {
		written, notes, err := e.extract(ctx, w, output)
		if err != nil {
			return err
		}
		doc.Written, doc.Notes = append(doc.Written, written), append(doc.Notes, notes...)
	}
	if e.json {
		return e.printJSON(doc)
	}
	for _, note := range doc.Notes {
		e.note("left out: %s", note)
	}
	var text bytes.Buffer
	for _, f := range doc.Written {
		fmt.Fprintf(&text, "%s   %s\n", style(colorful(e.stdout)).paint("1", f.Output), units.Bytes(f.Bytes))
	}
	return e.report(e.stdout, &text)
}

// check refuses outputs of an unknown kind, and those that would overwrite the checkpoint or each other.
func (e *extraction) check(output string, w *weights, before []string) error {
	switch strings.ToLower(filepath.Ext(output)) {
	case ".yaml", ".yml", ".safetensors":
	default:
		return usagef("-o %s: a name that ends in .yaml or .safetensors says what to extract", output)
	}
	for _, other := range before {
		if filepath.Clean(other) == filepath.Clean(output) {
			return usagef("-o %s is given twice", output)
		}
	}
	info, err := os.Stat(output)
	switch isYAML := !strings.EqualFold(filepath.Ext(output), ".safetensors"); {
	case err != nil: // there is nothing to overwrite
	case os.SameFile(info, w.info):
		return usagef("-o %s: it is the checkpoint itself, which would be overwritten", output)
	case isYAML && info.Mode().IsRegular() && !e.overwrite:
		return usagef("-o %s: the file exists already; --overwrite replaces it", output)
	}
	return nil
}

// extract writes one file.
func (e *extraction) extract(ctx context.Context, w *weights, output string) (written extractedFile, notes []string, err error) {
	in := ysc2onnx.Input{WeightsName: w.Name(), Weights: w, WeightsSize: w.info.Size()}
	if strings.EqualFold(filepath.Ext(output), ".safetensors") {
		layout, notes, err := ysc2onnx.ExtractWeights(in)
		if err != nil {
			return written, nil, err
		}
		bar := e.newProgress()
		defer bar.finish()
		err = replace.File(output, layout.Size(), e.sync, func(to io.Writer) error {
			return layout.Write(ctx, to, func(done, total int64) { bar.update("writing", done, total) })
		})
		return extractedFile{output, layout.Size()}, notes, err
	}
	text, err := ysc2onnx.ExtractYAML(in)
	if err != nil {
		return written, nil, err
	}
	err = replace.File(output, int64(len(text)), e.sync, func(to io.Writer) error {
		_, err := to.Write(text)
		return err
	})
	return extractedFile{output, int64(len(text))}, nil, err
}
