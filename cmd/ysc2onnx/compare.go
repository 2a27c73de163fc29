package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/internal/replace"
	"ysc2onnx/internal/units"
	"ysc2onnx/internal/variants"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// comparing is the command compare.
type comparing struct {
	*app
	run     bool
	rounds  int
	page    string
	size    size
	scconv  flavour
	blocks  wiring
	library string
}

// compareDocument is what --json prints.
type compareDocument struct {
	Runtime string             `json:"runtime,omitempty"` // that ran the models
	Models  []variants.Variant `json:"models"`            // fastest first where they were run, else by GFLOPs
}

// mostCompared is how many models are held at once.
const mostCompared = 16

func (a *app) compareCommand() *cobra.Command {
	c := comparing{app: a}
	cmd := &cobra.Command{
		Use:   "compare MODEL.yaml|best.pt MODEL.yaml|best.pt ...",
		Short: "Put models side by side: parameters, GFLOPs, file size, memory and measured speed",
		Long: `Exports each model into a temporary folder and prints a table: parameters, GFLOPs and the file's size; the memory
that its values take at once, beside the weights, if nodes run in the file's order; and with --run how long it takes in ONNX
Runtime. The models are run in turn, so that other work on the machine affects all of them alike. Ratios are to the first model named.`,
		Example: `  ysc2onnx compare yolov5s.yaml yolov5s_ScConv.yaml --run
  ysc2onnx compare exp1/best.pt exp2/best.pt --run --report compare.html`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.FixedCompletions([]string{"yaml", "yml", "pt", "pth"}, cobra.ShellCompDirectiveFilterFileExt),
		RunE:              a.runE(c.compare),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&c.run, "run", false, "run the models in ONNX Runtime, in turn, and time them and their layers")
	flags.IntVar(&c.rounds, "rounds", 10, "how `often` each is run")
	flags.StringVar(&c.page, "report", "", "write a page with the table, and each model's layers, into this `file`.html")
	sizeFlag(flags, &c.size)
	flavourFlag(cmd, &c.scconv)
	wiringFlag(cmd, &c.blocks)
	libraryFlag(flags, &c.library)
	_ = cmd.MarkFlagFilename("report", "html") // it fails for unknown flags only
	return cmd
}

func (c *comparing) compare(ctx context.Context, args []string) error {
	switch {
	case len(args) < 2:
		return usagef("name two models or more, such as: ysc2onnx compare yolov5s.yaml yolov5s_ScConv.yaml")
	case len(args) > mostCompared:
		return usagef("%d models were named; at most %d are compared at once", len(args), mostCompared)
	case c.rounds < 1 || c.rounds > 10_000:
		return usagef("--rounds %d: want 1 to 10000", c.rounds)
	case c.page != "" && !strings.EqualFold(filepath.Ext(c.page), ".html"):
		return usagef("--report %s: a page's name ends in .html", c.page)
	}
	var rt engine.Runtime
	if c.run {
		var missing string
		var err error
		if rt, missing, err = openRuntime(c.library); err != nil {
			return err
		}
		if missing != "" {
			return errors.New("--run: " + missing)
		}
	}
	folder, err := os.MkdirTemp("", "ysc2onnx-compare-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }() // the system removes what is left of it
	doc := compareDocument{}
	var runs []variants.Run
	for i, path := range args {
		v, run, err := c.variant(ctx, path, filepath.Join(folder, fmt.Sprintf("%d.onnx", i)))
		if err != nil {
			return err
		}
		doc.Models, runs = append(doc.Models, v), append(runs, run)
	}
	if c.run {
		doc.Runtime = rt.Version()
		if err := c.time(ctx, rt, doc.Models, runs); err != nil {
			return err
		}
	}
	variants.Relate(doc.Models)
	slices.SortStableFunc(doc.Models, func(a, b variants.Variant) int {
		if a.Latency != nil && b.Latency != nil {
			return cmp.Compare(a.Latency.Median, b.Latency.Median)
		}
		return cmp.Compare(a.GFLOPs, b.GFLOPs)
	})
	if err := c.writePage(&doc); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(doc)
	}
	var out bytes.Buffer
	c.table(&out, &doc)
	return c.print(c.stdout, bytes.NewBufferString(style(colorful(c.stdout)).harmless(out.String())))
}

// variant exports one of the models and says how large it is.
func (c *comparing) variant(ctx context.Context, path, output string) (variants.Variant, variants.Run, error) {
	m, err := c.openModel(ctx, path, "")
	if err != nil {
		return variants.Variant{}, variants.Run{}, err
	}
	defer m.close()
	r, err := ysc2onnx.Convert(ctx, m.input(), ysc2onnx.Options{
		Height: c.size.height, Width: c.size.width, Output: output, Check: ysc2onnx.CheckNone,
		ScConv: ysc2onnx.ScConv(c.scconv), C3ScConv: ysc2onnx.C3ScConv(c.blocks),
	})
	if err != nil {
		return variants.Variant{}, variants.Run{}, err
	}
	facts, err := verify.Structure(ctx, output)
	if err == nil {
		err = facts.Err()
	}
	if err != nil {
		return variants.Variant{}, variants.Run{}, fmt.Errorf("%s: %w", path, err)
	}
	v := variants.Variant{
		Model: m.name, Rows: len(r.Summary.Rows), Layers: r.Summary.Layers, Parameters: r.Summary.Parameters, GFLOPs: r.Summary.GFLOPs,
		Height: r.Height, Width: r.Width, FileBytes: r.Bytes, Summary: r.Summary,
	}
	v.ActivationBytes, _ = facts.PeakActivations() // sizes are fixed here
	expect := verify.Expect{Input: facts.Inputs[0]}
	return v, variants.Run{Path: output, Facts: facts, Input: expect.Noise(1, r.Height, r.Width)}, nil
}

// time runs the models.
func (c *comparing) time(ctx context.Context, rt engine.Runtime, models []variants.Variant, runs []variants.Run) error {
	latencies, err := variants.Measure(ctx, rt, runs, c.rounds)
	if err != nil {
		return err
	}
	for i := range models {
		models[i].Latency = &latencies[i]
		profile, err := verify.Measure(ctx, rt, runs[i].Path, runs[i].Facts, []engine.Tensor{runs[i].Input}, min(c.rounds, profileRuns))
		switch {
		case errors.Is(err, verify.ErrNoProfile):
			continue
		case err != nil:
			return err
		}
		models[i].LayerTimes = profile.Layers
	}
	return nil
}

// table prints the models.
func (c *comparing) table(out *bytes.Buffer, doc *compareDocument) {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	header := table.Row{"model", "params", "GFLOPs", "file", "values"}
	if doc.Runtime != "" {
		header = append(header, "median", "least", "ratio")
	}
	t.AppendHeader(header)
	var columns []table.ColumnConfig
	for i := range header[1:] {
		columns = append(columns, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	for _, v := range doc.Models {
		row := table.Row{v.Model, humanize.Comma(v.Parameters), fmt.Sprintf("%.1f", v.GFLOPs), units.Bytes(v.FileBytes), units.Bytes(v.ActivationBytes)}
		if v.Latency != nil {
			row = append(row, fmt.Sprintf("%.1f ms", milliseconds(v.Latency.Median)), fmt.Sprintf("%.1f ms", milliseconds(v.Latency.Least)), fmt.Sprintf("%.2f", v.Ratio))
		}
		t.AppendRow(row)
	}
	out.WriteString(t.Render() + "\n")
	if doc.Runtime != "" {
		fmt.Fprintf(out, "%s, %d x %d, %d runs in turn; the ratio is of medians, to the first model named\n", doc.Runtime, doc.Models[0].Height, doc.Models[0].Width, c.rounds)
	}
}

// writePage writes the page, if one was asked for.
func (c *comparing) writePage(doc *compareDocument) error {
	if c.page == "" {
		return nil
	}
	var page bytes.Buffer
	if err := variants.WritePage(&page, doc.Models, doc.Runtime, commandLine(c.args)); err != nil {
		return err
	}
	err := replace.File(c.page, int64(page.Len()), false, func(to io.Writer) error {
		_, err := to.Write(page.Bytes())
		return err
	})
	if err == nil {
		c.note("wrote %s (%s)", c.page, units.Bytes(int64(page.Len())))
	}
	return err
}
