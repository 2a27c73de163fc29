package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ysc2onnx/internal/drawing"
	"ysc2onnx/internal/replace"
	"ysc2onnx/internal/units"
	"ysc2onnx/modules"
)

// pictures are how a model can be drawn, by the ending of the file.
var pictures = map[string]func(w io.Writer, title string, s *modules.Summary) error{
	".svg": drawing.SVG, ".html": drawing.HTML, ".mmd": drawing.Mermaid,
}

// checkPicture refuses a file whose ending does not say how to draw.
func checkPicture(path string) error {
	if path != "" && pictures[strings.ToLower(filepath.Ext(path))] == nil {
		return usagef("--graph %s: a name that ends in .svg, .html or .mmd says how to draw", path)
	}
	return nil
}

// drawModel writes the picture of a model.
func (a *app) drawModel(path string, m *model, s *modules.Summary) error {
	if info, err := os.Stat(path); err == nil && m.info != nil && os.SameFile(info, m.info) {
		return usagef("--graph %s: it is the model itself, which would be overwritten", path)
	}
	var picture bytes.Buffer
	if err := pictures[strings.ToLower(filepath.Ext(path))](&picture, m.title(), s); err != nil {
		return fmt.Errorf("--graph %s: %w", path, err)
	}
	err := replace.File(path, int64(picture.Len()), false, func(to io.Writer) error {
		_, err := to.Write(picture.Bytes())
		return err
	})
	if err == nil {
		a.note("wrote %s (%s)", path, units.Bytes(int64(picture.Len())))
	}
	return err
}
