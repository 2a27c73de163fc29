package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ysc2onnx/yamlcfg"
)

// stdio stands for standard input as a model, and for standard output as a file to write.
const stdio = "-"

// model is a YAML that was read.
type model struct {
	name string      // as messages show it
	text []byte      // at most one byte more than yamlcfg reads
	info fs.FileInfo // nil for standard input
}

// readModel reads the YAML at path, or standard input for "-". Waiting for a pipe ends with ctx.
func (a *app) readModel(ctx context.Context, path string) (*model, error) {
	if err := unknownCommand(path, commandNames()); err != nil {
		return nil, err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".pt", ".pth":
		return nil, fmt.Errorf("%s is a checkpoint, and this version does not read checkpoints; give the model's YAML (what train.py was given as --cfg)", path)
	case ".onnx":
		return nil, fmt.Errorf("%s is an ONNX file already; a YOLOv5 model YAML was expected (to check the file: ysc2onnx verify %[1]s)", path)
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
		text, err := io.ReadAll(io.LimitReader(a.stdin, yamlcfg.MaxInput+1))
		if err != nil {
			return nil, fmt.Errorf("reading the model from standard input: %w", err)
		}
		return &model{name: "<stdin>", text: text}, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path)
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
		return nil, fmt.Errorf("%s is a folder; a YOLOv5 model YAML was expected", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, yamlcfg.MaxInput+1))
	if err != nil {
		return nil, err
	}
	return &model{name: path, text: text, info: info}, nil
}

// missing is the error for a model that is not there, with the name of the one beside it that was probably meant.
func missing(path string) error {
	dir, base := filepath.Split(path)
	found, _ := filepath.Glob(dir + "*.y*ml") // the only error is a bad pattern: then nothing is suggested
	stems := make([]string, len(found))
	for i, f := range found {
		stems[i] = stem(f)
	}
	meant := slices.Index(stems, stem(base)) // only the ending is wrong
	if near, ok := yamlcfg.Suggest(stem(base), stems); ok && meant < 0 {
		meant = slices.Index(stems, near)
	}
	if meant >= 0 {
		return fmt.Errorf("%s: no such file; a YOLOv5 model YAML was expected; did you mean %s?", path, found[meant])
	}
	return fmt.Errorf("%s: no such file; a YOLOv5 model YAML was expected", path)
}

// stem is a file's name without folder and ending.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// output gives the file to write: named by -o, else the model's name with .onnx in the current folder.
func (m *model) output(named string) (string, error) {
	switch {
	case named == "" && (m.info == nil || !m.info.Mode().IsRegular()):
		return "", usagef("the model has no file name to make the output's from; say where to write with -o FILE, or -o - for standard output")
	case named == stdio:
		return stdio, nil
	case named == "":
		named = stem(m.name) + ".onnx"
	}
	info, err := os.Stat(named)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return named, nil
	case err != nil:
		return "", err
	case info.IsDir():
		return "", usagef("-o %s: it is a folder; name a file in it, such as %s", named, filepath.Join(named, "model.onnx"))
	case m.info != nil && os.SameFile(info, m.info):
		return "", usagef("-o %s: it is the model itself, which would be overwritten", named)
	}
	return named, nil
}
