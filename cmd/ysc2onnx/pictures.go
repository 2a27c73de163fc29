package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ysc2onnx/detect"
	"ysc2onnx/internal/replace"
)

// picture is one that objects are looked for in, and what became of it.
type picture struct {
	Path       string             `json:"path"`
	Width      int                `json:"width,omitempty"` // as it is displayed, in pixels
	Height     int                `json:"height,omitempty"`
	Detections []detect.Detection `json:"detections"`       // null where the picture failed
	Drawn      string             `json:"drawn,omitempty"`  // the file with boxes
	Labels     string             `json:"labels,omitempty"` // the file of --save-txt
	Steps      *steps             `json:"milliseconds,omitempty"`
	Error      string             `json:"error,omitempty"`

	err error
}

// pictureEndings are those of pictures in a folder.
var pictureEndings = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"}

// findPictures gives the pictures that arguments name: files, folders, and patterns that no shell has resolved. One that
// is named twice counts once; what is not there is a picture that failed. skipped are files in the folders that are no pictures.
func findPictures(args []string) (list []*picture, skipped []string) {
	seen := map[string]bool{}
	add := func(path string, err error) {
		if clean := filepath.Clean(path); !seen[clean] {
			seen[clean] = true
			list = append(list, &picture{Path: path, err: err})
		}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		switch {
		case err == nil && info.IsDir():
			inside, others, err := picturesIn(arg)
			skipped = append(skipped, others...)
			if err != nil {
				add(arg, err)
			}
			for _, path := range inside {
				add(path, nil)
			}
		case err == nil:
			add(arg, nil)
		case errors.Is(err, fs.ErrNotExist):
			matches, _ := filepath.Glob(arg) // a bad pattern matches nothing
			for _, path := range matches {
				add(path, nil)
			}
			if len(matches) == 0 {
				add(arg, errors.New("no such file; a picture was expected"))
			}
		default:
			add(arg, err)
		}
	}
	return list, skipped
}

// picturesIn gives the pictures in a folder, by name, and the other files.
func picturesIn(folder string) (list, others []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		switch path := filepath.Join(folder, e.Name()); {
		case e.IsDir():
		case slices.Contains(pictureEndings, strings.ToLower(filepath.Ext(e.Name()))):
			list = append(list, path)
		default:
			others = append(others, path)
		}
	}
	if len(list) == 0 {
		return nil, others, errors.New("the folder holds no picture (" + strings.Join(pictureEndings, ", ") + ")")
	}
	return list, others, nil
}

// read gives the pixels as they are displayed.
func (p *picture) read() (pixels *image.RGBA, format string, err error) {
	f, err := os.Open(p.Path)
	if err != nil {
		return nil, "", plainPath(err)
	}
	defer func() { _ = f.Close() }() // nothing is lost with a file that was only read
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return nil, "", errors.New("it is a folder; a picture was expected")
	}
	return detect.Decode(f)
}

// isFolder reports whether there is a folder at a path.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// plainPath leaves the path out of an error that is printed after it.
func plainPath(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// outputs are the files that are written.
type outputs struct {
	folder    string // "": none
	file      string // instead of a folder: that of the only picture
	text      bool   // labels too
	scores    bool   // in the labels
	overwrite bool
}

// plan names the files of each picture, and refuses what would lose one: two pictures for one file, a file that is read
// or, without --overwrite, one that is there.
func (o *outputs) plan(model string, pictures []*picture) error {
	if o.folder == "" {
		return nil
	}
	if ending := strings.ToLower(filepath.Ext(o.folder)); len(pictures) == 1 && !isFolder(o.folder) && slices.Contains([]string{".jpg", ".jpeg", ".png"}, ending) {
		o.folder, o.file = filepath.Dir(o.folder), o.folder
		if o.text {
			return usagef("-o %s: labels are files in a folder; name one", o.file)
		}
	}
	if info, err := os.Stat(o.folder); err == nil && !info.IsDir() {
		return usagef("-o %s: it is a file; a folder was expected", o.folder)
	}
	var inputs []fs.FileInfo
	for _, path := range append([]string{model}, paths(pictures)...) {
		if info, err := os.Stat(path); err == nil {
			inputs = append(inputs, info)
		}
	}
	from := map[string]string{} // the picture of each file; folders may not tell A from a
	for _, p := range pictures {
		if p.err != nil {
			continue
		}
		p.Drawn = o.drawn(p)
		targets := []string{p.Drawn}
		if o.text {
			p.Labels = filepath.Join(o.folder, "labels", stem(p.Path)+".txt")
			targets = append(targets, p.Labels)
		}
		for _, target := range targets {
			if other, ok := from[strings.ToLower(target)]; ok {
				return usagef("%s and %s would both be written to %s: give them one at a time, with folders of their own", other, p.Path, target)
			}
			from[strings.ToLower(target)] = p.Path
			if err := o.checkFree(target, inputs); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawn is the file of a picture with boxes: of its name and format, or as PNG where its format is not written.
func (o *outputs) drawn(p *picture) string {
	if o.file != "" {
		return o.file
	}
	base := filepath.Base(p.Path)
	switch strings.ToLower(filepath.Ext(base)) {
	case ".jpg", ".jpeg", ".png":
		return filepath.Join(o.folder, base)
	}
	return filepath.Join(o.folder, base+".png")
}

// checkFree gives an error if a file may not be written.
func (o *outputs) checkFree(target string, inputs []fs.FileInfo) error {
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder; a file would be written there", target)
	case slices.ContainsFunc(inputs, func(input fs.FileInfo) bool { return os.SameFile(info, input) }):
		return usagef("%s is read, and would be overwritten: name another folder with -o", target)
	case !o.overwrite:
		return fmt.Errorf("%s already exists; --overwrite replaces such files", target)
	}
	return nil
}

// sweepTemporaries removes what killed runs have left of the files that are about to be written.
func (o *outputs) sweepTemporaries(pictures []*picture) {
	if o.folder == "" {
		return
	}
	drawn, labels := map[string]bool{}, map[string]bool{}
	for _, p := range pictures {
		drawn[filepath.Base(p.Drawn)], labels[filepath.Base(p.Labels)] = true, true
	}
	replace.Sweep(o.folder, func(base string) bool { return drawn[base] }, nil)
	replace.Sweep(filepath.Join(o.folder, "labels"), func(base string) bool { return labels[base] }, nil)
}

func paths(pictures []*picture) []string {
	list := make([]string, len(pictures))
	for i, p := range pictures {
		list[i] = p.Path
	}
	return list
}

// write writes the files of a picture whose boxes are drawn.
func (o *outputs) write(p *picture, drawn *image.RGBA, format string) error {
	if o.folder == "" {
		return nil
	}
	var file bytes.Buffer
	var err error
	if format != detect.JPEG && o.file == "" || strings.EqualFold(filepath.Ext(p.Drawn), ".png") {
		err = png.Encode(&file, drawn)
	} else {
		err = jpeg.Encode(&file, drawn, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		return err
	}
	if err := writeInFolder(p.Drawn, file.Bytes()); err != nil {
		return err
	}
	if p.Labels == "" {
		return nil
	}
	return writeInFolder(p.Labels, o.labels(p))
}

// labels is a line for each object, as YOLOv5's data sets have them. It is empty where nothing was found.
func (o *outputs) labels(p *picture) []byte {
	var text bytes.Buffer
	w, h := float64(p.Width), float64(p.Height)
	for _, d := range p.Detections {
		left, top, right, bottom := float64(d.Box[0])/w, float64(d.Box[1])/h, float64(d.Box[2])/w, float64(d.Box[3])/h
		fmt.Fprintf(&text, "%d %.6g %.6g %.6g %.6g", d.Class, (left+right)/2, (top+bottom)/2, right-left, bottom-top)
		if o.scores {
			fmt.Fprintf(&text, " %.6g", d.Score)
		}
		text.WriteByte('\n')
	}
	return text.Bytes()
}

// writeInFolder writes a file, as a whole or not at all, into a folder, which it makes if needed.
func writeInFolder(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return replace.OneOfMany(path, content)
}
