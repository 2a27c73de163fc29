package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/diag"
	"ysc2onnx/internal/replace"
	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
	"ysc2onnx/yamlcfg/edit"
)

// edition is the command edit.
type edition struct {
	*app
	inserts   []string
	places    []place
	replaces  []string
	rows      []int
	removes   []int
	head      string
	fix       bool
	reroute   bool
	output    string
	overwrite bool
	scconv    flavour
	blocks    wiring
}

// place is where an inserted row goes: before or after a row that is named by its index or its module.
type place struct {
	row    string
	behind bool
}

// placeFlag is the value of --before and --after, which share one list: its order is that of --insert.
type placeFlag struct {
	list   *[]place
	behind bool
}

// String implements pflag.Value.
func (p placeFlag) String() string { return "" }

// Set implements pflag.Value.
func (p placeFlag) Set(text string) error {
	if text == "" {
		return errors.New("want the index of a row, or a module that only one row has")
	}
	*p.list = append(*p.list, place{text, p.behind})
	return nil
}

// Type implements pflag.Value.
func (p placeFlag) Type() string { return "row" }

// editDocument is what --json prints.
type editDocument struct {
	Model  string            `json:"model"`
	Output string            `json:"output,omitempty"` // "" where nothing was written
	Text   string            `json:"text"`             // the edited YAML
	Diff   string            `json:"diff"`             // unified
	Index  []int             `json:"index"`            // the index of each row of the model now; -1 for one that was removed
	Fixed  *diag.Diagnostics `json:"fixed,omitempty"`
	Notes  []string          `json:"notes,omitempty"`
	Before *modules.Summary  `json:"before,omitempty"` // absent where the model did not build
	After  *modules.Summary  `json:"after"`
}

func (a *app) editCommand() *cobra.Command {
	e := edition{app: a}
	cmd := &cobra.Command{
		Use:   "edit MODEL.yaml [-o edited.yaml]",
		Short: "Insert, replace and remove rows of a model YAML; later indices move along",
		Long: `Changes rows of a model YAML in its text: layout and comments stay, and every index that names a later layer moves
with it, Detect's too, so that each row goes on reading what it read. Prints the difference; with -o writes the edited
model, if it builds. Rows are named by their index before all changes, or by a module that only one row has.`,
		Example: `  ysc2onnx edit yolov5s.yaml --insert 'ScConv, [1024]' --before SPPF -o yolov5s_ScConv.yaml
  ysc2onnx edit yolov5s.yaml --insert 'CBAM, [256]' --after 4 --reroute   the head reads it, too
  ysc2onnx edit yolov5s.yaml --replace C3=C3_ScConv --rows 2,4
  ysc2onnx edit yolov5s.yaml --remove 9
  ysc2onnx edit yolov5s.yaml --append-head P2      an output for small objects
  ysc2onnx edit model.yaml --fix                   fixes indices that were left behind`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("yaml", "yml"),
		RunE:              a.runE(e.run),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&e.output, "output", "o", "", "the `file` to write; without it the difference is only shown")
	flags.StringArrayVar(&e.inserts, "insert", nil, "insert a `row`: 'ScConv, [1024]', which reads the row before it, or '[[-1, 6], 1, Concat, [1]]'; takes --before or --after")
	flags.Var(placeFlag{&e.places, false}, "before", "insert before this `row`, an index or a module")
	flags.Var(placeFlag{&e.places, true}, "after", "insert after this `row`")
	flags.BoolVar(&e.reroute, "reroute", false, "all that read the layer before an inserted one read the inserted one instead, not only the row after it")
	flags.StringArrayVar(&e.replaces, "replace", nil, "replace a module by another, `OLD=NEW`; arguments stay")
	flags.IntSliceVar(&e.rows, "rows", nil, "with --replace: in these `rows` only")
	flags.IntSliceVar(&e.removes, "remove", nil, "remove the `row`; rows that read it then read its input")
	flags.StringVar(&e.head, "append-head", "", "append an output to the head: `P2`, of stride 4")
	flags.BoolVar(&e.fix, "fix", false, "replace indices that the warning stale-from reports")
	flags.BoolVar(&e.overwrite, "overwrite", false, "-o may name an existing file")
	flavourFlag(cmd, &e.scconv)
	wiringFlag(cmd, &e.blocks)
	_ = cmd.MarkFlagFilename("output", "yaml", "yml") // it fails for unknown flags only
	return cmd
}

func (e *edition) run(ctx context.Context, args []string) error {
	path, err := oneArg(args, "a model YAML, such as: ysc2onnx edit yolov5s.yaml --remove 9")
	if err != nil {
		return err
	}
	if err := e.check(path); err != nil {
		return err
	}
	m, err := e.readYAML(ctx, path)
	if err != nil {
		return err
	}
	model, err := parseToEdit(m.name, m.text)
	if err != nil {
		return err
	}
	doc := editDocument{Model: m.name}
	if e.fix {
		text, fixed := edit.FixStale(model)
		doc.Fixed = fixed
		if model, err = parseToEdit(m.name, text); err != nil {
			return err
		}
	}
	editor := edit.New(model)
	if err := e.change(editor); err != nil {
		return usageError{err}
	}
	done, err := editor.Apply()
	if err != nil {
		return err
	}
	doc.Text, doc.Index, doc.Notes = string(done.Text), done.Index, done.Notes
	doc.Diff = udiff.Unified(m.name, e.edited(m.name), string(m.text), doc.Text)
	if before, _, err := e.summarize(ctx, m.name, m.text); err == nil { // else it is what the changes may mend
		doc.Before = before
	}
	var warnings *diag.Diagnostics
	if doc.After, warnings, err = e.summarize(ctx, e.edited(m.name), done.Text); err != nil {
		return fmt.Errorf("the edited model does not build, and was not written:\n%w", err)
	}
	if e.output != "" {
		err := replace.File(e.output, int64(len(done.Text)), false, func(to io.Writer) error {
			_, err := to.Write(done.Text)
			return err
		})
		if err != nil {
			return err
		}
		doc.Output = e.output
	}
	return e.printResult(&doc, warnings)
}

// check refuses flags that do not go together.
func (e *edition) check(path string) error {
	switch {
	case isCheckpoint(path):
		return usagef("%s is a checkpoint, whose wiring was trained; its YAML can be edited: ysc2onnx extract %[1]s -o model.yaml", path)
	case len(e.inserts) != len(e.places):
		return usagef("each --insert takes one --before or --after; there are %d and %d", len(e.inserts), len(e.places))
	case len(e.rows) > 0 && len(e.replaces) == 0:
		return usagef("--rows goes with --replace")
	case e.reroute && len(e.inserts) == 0:
		return usagef("--reroute goes with --insert")
	case e.head != "" && !strings.EqualFold(e.head, "P2"):
		return usagef("--append-head %s: only P2 can be appended; a coarser output needs more rows in the backbone, too: start from YOLOv5's p6 models", e.head)
	case !e.fix && e.head == "" && len(e.inserts)+len(e.replaces)+len(e.removes) == 0:
		return usagef("say what to change: --insert, --replace, --remove, --append-head or --fix")
	case e.output == "" || e.overwrite:
		return nil
	}
	if _, err := os.Stat(e.output); err == nil {
		return usagef("-o %s: the file exists already; --overwrite replaces it", e.output)
	}
	return nil
}

// change asks the editor for what the flags say.
func (e *edition) change(editor *edit.Editor) error {
	for i, row := range e.inserts {
		at, err := strconv.Atoi(e.places[i].row)
		if err != nil {
			if at, err = editor.Row(e.places[i].row); err != nil {
				return fmt.Errorf("--insert %s: %w", row, err)
			}
		}
		if err := editor.Insert(edit.Insertion{Row: row, At: at, Behind: e.places[i].behind, Reroute: e.reroute}); err != nil {
			return fmt.Errorf("--insert: %w", err)
		}
	}
	for _, pair := range e.replaces {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("--replace %s: want OLD=NEW, such as C3=C3_ScConv", pair)
		}
		if err := editor.Replace(from, to, e.rows); err != nil {
			return fmt.Errorf("--replace %s: %w", pair, err)
		}
	}
	if e.head != "" {
		if err := editor.AppendP2(); err != nil {
			return err
		}
	}
	for _, row := range e.removes {
		if err := editor.Remove(row); err != nil {
			return fmt.Errorf("--remove %d: %w", row, err)
		}
	}
	return nil
}

// edited is how messages call the edited model.
func (e *edition) edited(name string) string {
	if e.output != "" {
		return e.output
	}
	return name + " (edited)"
}

func (e *edition) summarize(ctx context.Context, name string, text []byte) (*modules.Summary, *diag.Diagnostics, error) {
	return ysc2onnx.Summarize(ctx, ysc2onnx.Input{Name: name, YAML: bytes.NewReader(text)}, ysc2onnx.Options{
		ScConv: ysc2onnx.ScConv(e.scconv), C3ScConv: ysc2onnx.C3ScConv(e.blocks),
	})
}

// parseToEdit parses a YAML for editing.
func parseToEdit(name string, text []byte) (*yamlcfg.Model, error) {
	m, diags := yamlcfg.Parse(name, bytes.NewReader(text))
	return m, diags.Err()
}

// printResult prints what was done.
func (e *edition) printResult(doc *editDocument, warnings *diag.Diagnostics) error {
	if e.json {
		return e.printJSON(doc)
	}
	s := style(colorful(e.stdout))
	var text bytes.Buffer
	for line := range strings.Lines(doc.Diff) {
		text.WriteString(s.paintDiff(line))
	}
	if doc.Diff == "" {
		text.WriteString("nothing to change\n")
	}
	if err := e.print(e.stdout, bytes.NewBufferString(s.harmless(text.String()))); err != nil {
		return err
	}
	if doc.Fixed != nil && len(doc.Fixed.List) > 0 {
		e.note("%s fixed; weights that were trained with the old wiring do not fit the fixed model", english.Plural(len(doc.Fixed.List), "index", "indices"))
	}
	for _, note := range doc.Notes {
		e.note("%s", note)
	}
	e.warn(warnings)
	var sums bytes.Buffer
	if doc.Before != nil {
		fmt.Fprintf(&sums, "before  %s\n", sizeText(doc.Before))
	}
	fmt.Fprintf(&sums, "after   %s\n", sizeText(doc.After))
	if doc.Output != "" {
		fmt.Fprintf(&sums, "%s written\n", s.paint("1", doc.Output))
	} else {
		sums.WriteString("nothing written; -o FILE writes the edited model\n")
	}
	return e.report(e.stdout, &sums)
}

// sizeText is a model's size in one line.
func sizeText(s *modules.Summary) string {
	return fmt.Sprintf("%d rows, %d layers, %s parameters, %.1f GFLOPs", len(s.Rows), s.Layers, humanize.Comma(s.Parameters), s.GFLOPs)
}

// paintDiff colours a line of a difference.
func (s style) paintDiff(line string) string {
	body := strings.TrimSuffix(line, "\n")
	switch {
	case strings.HasPrefix(line, "+"):
		return s.paint("32", body) + "\n"
	case strings.HasPrefix(line, "-"):
		return s.paint("31", body) + "\n"
	}
	return line
}
