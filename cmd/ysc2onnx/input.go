package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ysc2onnx"
	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
	"ysc2onnx/internal/units"
	"ysc2onnx/yamlcfg"
)

// stdio stands for standard input as a model, and for standard output as a file to write.
const stdio = "-"

// stdinName is how messages show a model that was read from standard input.
const stdinName = "<stdin>"

// model is what was named to convert: a YAML that was read, a checkpoint that is open, or both.
type model struct {
	name string      // as messages show it: the YAML's, or the checkpoint's where there is no YAML
	text []byte      // the YAML, at most one byte more than yamlcfg reads; nil where the checkpoint must carry it
	info fs.FileInfo // of the file called name; nil for standard input

	weights *weights // nil without a checkpoint
}

// close closes the checkpoint, if there is one.
func (m *model) close() {
	if m.weights != nil {
		_ = m.weights.Close() // nothing is lost with a file that was only read
	}
}

// input is the model as the library takes it.
func (m *model) input() ysc2onnx.Input {
	in := ysc2onnx.Input{Name: m.name}
	if m.text != nil {
		in.YAML = bytes.NewReader(m.text)
	}
	if m.weights != nil {
		in.WeightsName, in.Weights, in.WeightsSize = m.weights.Name(), m.weights, m.weights.info.Size()
	}
	return in
}

// openModel opens the model at path: a checkpoint, a YAML, or "-" for a YAML on standard input. The YAML's trained
// weights are in the checkpoint at weightsPath, if that is not "". Waiting for a pipe ends with ctx.
func (a *app) openModel(ctx context.Context, path, weightsPath string) (*model, error) {
	if err := unknownCommand(path, commandNames()); err != nil {
		return nil, err
	}
	if isCheckpoint(path) {
		if weightsPath != "" {
			return nil, usagef("%s is a checkpoint, and so is --weights %s; --weights goes with a YAML: ysc2onnx model.yaml --weights %[1]s", path, weightsPath)
		}
		w, err := openWeights(path)
		if err != nil {
			return nil, err
		}
		return &model{name: path, info: w.info, weights: w}, nil
	}
	m, err := a.readYAML(ctx, path)
	if err != nil {
		return nil, err
	}
	if m.weights != nil && weightsPath != "" { // a checkpoint came through standard input
		m.close()
		return nil, usagef("standard input gives a checkpoint, and so does --weights %s; leave one of them out", weightsPath)
	}
	if weightsPath == "" {
		return m, nil
	}
	m.weights, err = openWeights(weightsPath)
	return m, err
}

// readYAML reads the YAML at path, or standard input for "-".
func (a *app) readYAML(ctx context.Context, path string) (*model, error) {
	if strings.EqualFold(filepath.Ext(path), ".onnx") {
		return nil, fmt.Errorf("%s is an ONNX file already; a YOLOv5 model YAML or checkpoint was expected (to check the file: ysc2onnx verify %[1]s)", path)
	}
	type outcome struct {
		*model
		err error
	}
	done := make(chan outcome, 1)
	go func() { // opening or reading a pipe may take forever
		m, err := a.read(path)
		done <- outcome{m, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-done:
		return got.model, got.err
	}
}

func (a *app) read(path string) (*model, error) {
	if path == stdio {
		in := bufio.NewReader(a.stdin)
		if start, _ := in.Peek(len(zipStart)); string(start) == zipStart { // a failure shows when the rest is read
			return spooled(in)
		}
		text, err := io.ReadAll(io.LimitReader(in, yamlcfg.MaxInput+1))
		if err != nil {
			return nil, fmt.Errorf("reading the model from standard input: %w", err)
		}
		if what := checkpoint.Foreign(text); what != "" {
			return nil, fmt.Errorf("a YOLOv5 model YAML was expected on standard input; %s", what)
		}
		return &model{name: stdinName, text: text}, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path, "a YOLOv5 model YAML", "*.y*ml")
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing is lost with a file that was only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, "saved_model.pb")); err == nil {
			return nil, fmt.Errorf("%s is a folder with a TensorFlow SavedModel; the PyTorch checkpoint (.pt) that it was made from is needed", path)
		}
		return nil, fmt.Errorf("%s is a folder; a YOLOv5 model YAML was expected", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, yamlcfg.MaxInput+1))
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(text, []byte(zipStart)) {
		if _, err := checkpoint.Open(f, info.Size(), checkpoint.Limits{}); err != nil {
			return nil, fmt.Errorf("%s: a YOLOv5 model YAML or checkpoint was expected; %w", path, err)
		}
		return nil, fmt.Errorf("%s is a PyTorch checkpoint; a checkpoint's name ends in .pt or .pth: rename it", path)
	}
	if what := checkpoint.Foreign(text); what != "" {
		return nil, fmt.Errorf("%s: a YOLOv5 model YAML or checkpoint was expected; %s", path, what)
	}
	return &model{name: path, text: text, info: info}, nil
}

// zipStart is how a checkpoint begins, which is a zip archive.
const zipStart = "PK\x03\x04"

// maxSpooled bounds a checkpoint on standard input, which has to be put into a file to be read in any order.
const maxSpooled = 16 << 30

// spooled puts a checkpoint from standard input into a temporary file that has no name any more.
func spooled(in io.Reader) (*model, error) {
	f, err := os.CreateTemp("", "ysc2onnx-*.pt")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // where that is not possible while it is open, the system sweeps it
	n, err := io.Copy(f, io.LimitReader(in, maxSpooled+1))
	if err == nil && n > maxSpooled {
		err = fmt.Errorf("it is larger than %s", units.Bytes(maxSpooled))
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("reading the checkpoint from standard input: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &model{name: stdinName, weights: &weights{f, info, stdinName}}, nil
}

// missing is the error for a file that is not there, with the name of the one beside it that was probably meant, of
// those that match the patterns.
func missing(path, expected string, patterns ...string) error {
	dir, base := filepath.Split(path)
	var found, stems []string
	for _, pattern := range patterns {
		matches, _ := filepath.Glob(dir + pattern) // the only error is a bad pattern: then nothing is suggested
		found = append(found, matches...)
	}
	for _, f := range found {
		stems = append(stems, stem(f))
	}
	meant := slices.Index(stems, stem(base)) // only the ending is wrong
	if near, ok := diag.Suggest(stem(base), stems); ok && meant < 0 {
		meant = slices.Index(stems, near)
	}
	if meant >= 0 {
		return fmt.Errorf("%s: no such file; %s was expected; did you mean %s?", path, expected, found[meant])
	}
	return fmt.Errorf("%s: no such file; %s was expected", path, expected)
}

// stem is a file's name without folder and ending.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// output gives the file to write: named by -o, else the checkpoint's name, or the YAML's where there is none, with .onnx in
// place of its ending, in the same folder, where YOLOv5's export.py writes, too.
func (m *model) output(named string) (string, error) {
	from := m.name
	if m.weights != nil {
		from = m.weights.Name()
	}
	switch {
	case named == "" && (m.weights == nil || m.weights.label == stdinName) && (m.info == nil || !m.info.Mode().IsRegular()):
		return "", usagef("the model has no file name to make the output's from; say where to write with -o FILE, or -o - for standard output")
	case named == stdio:
		return stdio, nil
	case named == "":
		named = strings.TrimSuffix(from, filepath.Ext(from)) + ".onnx"
	}
	info, err := os.Stat(named)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", err
	case info.IsDir():
		return "", usagef("-o %s: it is a folder; name a file in it, such as %s", named, filepath.Join(named, "model.onnx"))
	case m.weights != nil && os.SameFile(info, m.weights.info):
		return "", usagef("-o %s: it is the checkpoint itself, which would be overwritten", named)
	case m.info != nil && os.SameFile(info, m.info):
		return "", usagef("-o %s: it is the model itself, which would be overwritten", named)
	}
	switch ending := strings.ToLower(filepath.Ext(named)); ending {
	case ".yaml", ".yml", ".pt", ".pth", ".safetensors":
		return "", usagef("-o %s: an ONNX file would be written, but %s is the ending of another format; name it %s", named, ending, stem(named)+".onnx")
	}
	return named, nil
}
