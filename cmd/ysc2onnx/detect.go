package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ysc2onnx/detect"
	"ysc2onnx/detect/overlay"
)

// detection is the command detect.
type detection struct {
	*app
	opts    detect.Options
	size    size
	output  outputs
	font    string
	library string
}

func (a *app) detectCommand() *cobra.Command {
	d := detection{app: a, opts: detect.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "detect MODEL.onnx PICTURE... [-o DIR]",
		Short: "Find objects in pictures with an exported file",
		Long: `Finds objects in pictures (JPEG, PNG, WebP, BMP, TIFF, GIF) as YOLOv5's detect.py does: letterbox, run in ONNX Runtime, non-maximum
suppression. PICTURE is a file, a folder, or a pattern such as 'shots/*.jpg'. It reads the files that this program
writes and those of YOLOv5's own export.

With -o the pictures are written into a folder with boxes and labels drawn, JPEG as JPEG and others as PNG. An
existing file is replaced only with --overwrite, and a picture that is read never is.`,
		Example: `  ysc2onnx detect best.onnx bus.jpg -o found
  ysc2onnx detect best.onnx shots --classes person,bus --conf-thres 0.5
  ysc2onnx detect best.onnx shots -o found --save-txt --save-conf
  ysc2onnx detect best.onnx bus.jpg --json | jq '.pictures[].detections'`,
		Args: cobra.ArbitraryArgs,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return []string{"onnx"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return []string{"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: a.runE(d.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	d.flags(flags)
	_ = cmd.MarkFlagDirname("output") // these fail for unknown flags only
	_ = cmd.MarkFlagFilename("font", "ttf", "otf", "ttc")
	return cmd
}

func (d *detection) flags(flags *pflag.FlagSet) {
	flags.StringVarP(&d.output.folder, "output", "o", "", "`folder` to write pictures with boxes into, made if it does not exist; or, of a single picture, the file (.jpg, .png)")
	flags.Float64Var(&d.opts.Confidence, "conf-thres", d.opts.Confidence, "minimum `score` of an object, 0 to 1")
	flags.Float64Var(&d.opts.IoU, "iou-thres", d.opts.IoU, "`IoU` above which the box with the lower score is dropped, 0 to 1")
	flags.IntVar(&d.opts.MaxDetections, "max-det", d.opts.MaxDetections, "maximum `number` of objects in a picture")
	flags.StringSliceVar(&d.opts.Classes, "classes", nil, "only these `classes`, by name or number: person,bus or 0 5")
	flags.BoolVar(&d.opts.Agnostic, "agnostic-nms", false, "boxes of different classes suppress each other too")
	flags.Var(&d.size, "imgsz", "`size` of the input where the file leaves it open: 640 (the default), or height and width: 480 640")
	flags.BoolVar(&d.opts.Rectangle, "rect", false, "where the file leaves the size open, pad no more than the stride needs: faster, and scores differ a little")
	flags.BoolVar(&d.output.text, "save-txt", false, "write DIR/labels/PICTURE.txt too: class, centre, width and height, as fractions of the picture")
	flags.BoolVar(&d.output.scores, "save-conf", false, "with --save-txt: the score as the last column")
	flags.BoolVar(&d.output.overwrite, "overwrite", false, "replace files that exist already")
	flags.StringVar(&d.font, "font", "", "TrueType or OpenType `file` for labels; the built-in font has Latin, Greek and Cyrillic letters")
	libraryFlag(flags, &d.library)
}

func (d *detection) run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return usagef("name an ONNX file and pictures, such as: ysc2onnx detect best.onnx bus.jpg -o found; --help shows how")
	}
	d.opts.Height, d.opts.Width = d.size.height, d.size.width
	if err := d.opts.Check(); err != nil {
		return usageError{err}
	}
	switch {
	case d.output.folder == "" && (d.output.text || d.output.overwrite || d.font != ""):
		return usagef("--save-txt, --overwrite and --font are for files; say where to write them with -o DIR")
	case d.output.scores && !d.output.text:
		return usagef("--save-conf is for the files of --save-txt")
	}
	modelFirst(args)
	if err := requireFile(args[0], "an ONNX file"); err != nil {
		return err
	}
	look, err := labelStyle(d.font)
	if err != nil {
		return err
	}
	pictures, skipped := findPictures(args[1:])
	if n := len(skipped); n > 0 {
		d.note("%s skipped, not pictures by name: %s", english.Plural(n, "file was", "files were"), english.OxfordWordSeries(append(slices.Clone(skipped[:min(n, 5)]), others(n-5)...), "and"))
	}
	if err := d.output.plan(args[0], pictures); err != nil {
		return err
	}
	rt, missing, err := openRuntime(d.library)
	switch {
	case err != nil:
		return err
	case missing != "":
		return errors.New("not run: " + missing)
	}
	detector, err := detect.Open(ctx, rt, args[0], d.opts)
	if err != nil {
		return err
	}
	defer func() { _ = detector.Close() }() // nothing is lost with a file that was only read
	d.output.sweepTemporaries(pictures)
	return d.detectAll(ctx, detector, look, args[0], pictures)
}

// modelFirst moves the only ONNX file among the arguments to the front, where it belongs.
func modelFirst(args []string) {
	isModel := func(arg string) bool { return strings.EqualFold(filepath.Ext(arg), ".onnx") }
	if at := slices.IndexFunc(args, isModel); at > 0 && !isModel(args[0]) {
		model := args[at]
		copy(args[1:at+1], args[:at])
		args[0] = model
	}
}

// others is "3 more" for so many, nothing for none.
func others(n int) []string {
	if n <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d more", n)}
}

// labelStyle reads the font of labels; "" stands for the built-in one.
func labelStyle(path string) (*overlay.Style, error) {
	if path == "" {
		return overlay.NewStyle(nil)
	}
	const maxFont = 1 << 26
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // as above
	data, err := io.ReadAll(io.LimitReader(f, maxFont+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFont {
		return nil, fmt.Errorf("%s is larger than %d MiB; a font was expected", path, maxFont>>20)
	}
	style, err := overlay.NewStyle(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return style, nil
}

// detectionDocument is what --json prints.
type detectionDocument struct {
	Model    string     `json:"model"`
	Pictures []*picture `json:"pictures"`
	Error    string     `json:"error,omitempty"`
}

// steps are what the steps of one picture took.
type steps struct {
	Read      float64 `json:"read"`
	Letterbox float64 `json:"letterbox"`
	Run       float64 `json:"run"`
	NMS       float64 `json:"nms"`
}

func (s *steps) total() float64 { return s.Read + s.Letterbox + s.Run + s.NMS }

// detectAll goes through the pictures. A bad one stops no other.
func (d *detection) detectAll(ctx context.Context, detector *detect.Detector, look *overlay.Style, model string, pictures []*picture) error {
	failed := 0
	for _, p := range pictures {
		if p.err == nil {
			p.err = d.detectOne(ctx, detector, look, p)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p.err != nil {
			failed++
			p.Error = p.err.Error()
			if !d.json && len(pictures) > 1 {
				d.complain(fmt.Errorf("%s: %w", p.Path, p.err))
			}
			continue
		}
		var text bytes.Buffer
		p.lines(&text, style(colorful(d.stdout)))
		if err := d.report(d.stdout, &text); err != nil {
			return err
		}
	}
	d.tellWritten(pictures)
	doc := detectionDocument{Model: model, Pictures: pictures}
	if failed > 0 {
		if doc.Error = fmt.Sprintf("%d of %d pictures failed", failed, len(pictures)); len(pictures) == 1 {
			doc.Error = pictures[0].Path + ": " + pictures[0].Error
		}
		return documentedError{errors.New(doc.Error), exitFailure, doc}
	}
	if d.json {
		return d.printJSON(doc)
	}
	return nil
}

// tellWritten says which files were written.
func (d *detection) tellWritten(pictures []*picture) {
	var drawn []string
	for _, p := range pictures {
		if p.Drawn != "" && p.err == nil {
			drawn = append(drawn, p.Drawn)
		}
	}
	switch len(drawn) {
	case 0:
	case 1:
		d.note("wrote %s", drawn[0])
	default:
		d.note("wrote %d pictures into %s", len(drawn), d.output.folder)
	}
}

// detectOne finds the objects in one picture, and writes the files that were asked for.
func (d *detection) detectOne(ctx context.Context, detector *detect.Detector, look *overlay.Style, p *picture) error {
	start := time.Now()
	pixels, format, err := p.read()
	if err != nil {
		return err
	}
	read := time.Since(start)
	found, err := detector.Detect(ctx, pixels)
	if err != nil {
		return err
	}
	size := pixels.Rect.Size()
	p.Width, p.Height, p.Detections = size.X, size.Y, found.Detections
	p.Steps = &steps{milliseconds(read), milliseconds(found.Letterbox), milliseconds(found.Run), milliseconds(found.Suppress)}
	if p.Drawn != "" {
		if err := look.Draw(pixels, found.Detections); err != nil {
			return err
		}
	}
	return d.output.write(p, pixels, format)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// lines are what is shown of a picture: what it took, and each object with its score, its left, top, right and bottom edge, its
// class and its landmarks.
func (p *picture) lines(w *bytes.Buffer, s style) {
	fmt.Fprintf(w, "%s %dx%d: %s  %.0f ms (read %.0f, letterbox %.0f, run %.0f, nms %.0f)\n", s.paint("1", printable(p.Path)), p.Width, p.Height,
		counts(p.Detections), p.Steps.total(), p.Steps.Read, p.Steps.Letterbox, p.Steps.Run, p.Steps.NMS)
	for i := range p.Detections {
		d := &p.Detections[i]
		fmt.Fprintf(w, "  %.2f  %7.1f %7.1f %7.1f %7.1f  %s", d.Score, d.Box[0], d.Box[1], d.Box[2], d.Box[3], printable(d.Name))
		for _, point := range d.Landmarks {
			fmt.Fprintf(w, "  %.1f,%.1f", point[0], point[1])
		}
		w.WriteByte('\n')
	}
}

// counts is "4 person, 1 bus", by the classes' numbers.
func counts(found []detect.Detection) string {
	if len(found) == 0 {
		return "nothing found"
	}
	number := map[int]int{}
	names := map[int]string{}
	for _, d := range found {
		number[d.Class]++
		names[d.Class] = d.Name
	}
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(number)) {
		parts = append(parts, fmt.Sprintf("%d %s", number[class], printable(names[class])))
	}
	return strings.Join(parts, ", ")
}
