package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// endings are those of checkpoints' names.
var endings = []string{".pt", ".pth", ".safetensors"}

// isCheckpoint says whether a file's name is that of a checkpoint.
func isCheckpoint(path string) bool {
	return slices.Contains(endings, strings.ToLower(filepath.Ext(path)))
}

// weights is a file that is open for as long as its tensors are read.
type weights struct {
	*os.File
	info  fs.FileInfo
	label string // as messages show it
}

// Name is how messages show the file.
func (w *weights) Name() string { return w.label }

// openWeights opens the checkpoint at path. What the file holds is for the library to say.
func openWeights(path string) (*weights, error) {
	return openTensors(path, "a checkpoint (.pt, .pth or .safetensors)", "*.pt", "*.pth", "*.safetensors")
}

// openTensors opens a file to read tensors from, which patterns match.
func openTensors(path, expected string, patterns ...string) (*weights, error) {
	if path == stdio {
		return nil, usagef("%s is read in no fixed order, which standard input does not allow; name a file", expected)
	}
	// Opening a pipe would wait for its other end, and be no use: ask what it is first.
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing(path, expected, patterns...)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder; %s was expected", path, expected)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file; %s is read in no fixed order: save it to a file first", path, expected)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil { // once more: the name may lead to another file by now
		_ = f.Close()
		return nil, err
	}
	return &weights{f, info, path}, nil
}
