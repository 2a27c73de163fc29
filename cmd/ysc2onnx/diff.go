package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/internal/variants"
	"ysc2onnx/modules"
)

// difference is the command diff.
type difference struct {
	*app
	all    bool
	size   size
	scconv flavour
	blocks wiring
}

// differenceDocument is what --json prints.
type differenceDocument struct {
	Old     differing         `json:"old"`
	New     differing         `json:"new"`
	Changes []variants.Change `json:"changes"`
}

// differing is one of the models that are compared.
type differing struct {
	Model      string  `json:"model"`
	Rows       int     `json:"rows"`
	Layers     int     `json:"layers"`
	Parameters int64   `json:"parameters"`
	GFLOPs     float64 `json:"gflops"`
}

func (a *app) diffCommand() *cobra.Command {
	d := difference{app: a}
	cmd := &cobra.Command{
		Use:   "diff OLD.yaml|old.pt NEW.yaml|new.pt",
		Short: "Show which rows of two models differ, and what that costs",
		Long: `Finds for each row of a model the row of another that it became, and shows those that were inserted, removed,
replaced, given other arguments, or wired otherwise, with the parameters and GFLOPs of each. An index that only moved with its layer is not a difference. Checkpoints are compared by the YAML in them.`,
		Example: `  ysc2onnx diff yolov5s.yaml yolov5s_ScConv.yaml
  ysc2onnx diff exp1/best.pt exp2/best.pt
  ysc2onnx diff a.yaml b.yaml --json | jq '.changes[] | select(.kind != "same")'`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeTwoFiles("yaml", "yml", "pt", "pth"),
		RunE:              a.runE(d.run),
	}
	cmd.Flags().BoolVar(&d.all, "all", false, "show the rows that are the same, too")
	sizeFlag(cmd.Flags(), &d.size)
	flavourFlag(cmd, &d.scconv)
	wiringFlag(cmd, &d.blocks)
	return cmd
}

// completeTwoFiles completes two file names with these endings.
func completeTwoFiles(endings ...string) cobra.CompletionFunc {
	one := completeFiles(endings...)
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		return one(cmd, args[min(1, len(args)):], word)
	}
}

func (d *difference) run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return usagef("name two models, such as: ysc2onnx diff yolov5s.yaml yolov5s_ScConv.yaml")
	}
	var doc differenceDocument
	old, err := d.summary(ctx, args[0], &doc.Old)
	if err != nil {
		return err
	}
	now, err := d.summary(ctx, args[1], &doc.New)
	if err != nil {
		return err
	}
	if doc.Changes, err = variants.Match(old.Rows, now.Rows); err != nil {
		return err
	}
	if d.json {
		return d.printJSON(doc)
	}
	var out bytes.Buffer
	d.write(&out, &doc, old, now)
	return d.print(d.stdout, bytes.NewBufferString(style(colorful(d.stdout)).harmless(out.String())))
}

// summary counts one of the models.
func (d *difference) summary(ctx context.Context, path string, of *differing) (*modules.Summary, error) {
	m, err := d.openModel(ctx, path, "")
	if err != nil {
		return nil, err
	}
	defer m.close()
	s, _, err := ysc2onnx.Summarize(ctx, m.input(), ysc2onnx.Options{
		Height: d.size.height, Width: d.size.width, ScConv: ysc2onnx.ScConv(d.scconv), C3ScConv: ysc2onnx.C3ScConv(d.blocks),
	})
	if err != nil {
		return nil, err
	}
	*of = differing{m.name, len(s.Rows), s.Layers, s.Parameters, s.GFLOPs}
	return s, nil
}

// write prints the rows that differ, and the sums.
func (d *difference) write(out *bytes.Buffer, doc *differenceDocument, old, now *modules.Summary) {
	s := style(colorful(d.stdout))
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(table.StyleDefault)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.Style().Format.Header = text.FormatDefault
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 1, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight},
		{Number: 4, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 5, Align: text.AlignRight, AlignHeader: text.AlignRight},
	})
	t.AppendHeader(table.Row{"old", "new", "module", "params", "GFLOPs", "change"})
	same := 0
	for _, c := range doc.Changes {
		if c.Kind == variants.Same {
			same++
			if !d.all {
				continue
			}
		}
		var cells table.Row
		for _, r := range []*modules.SummaryRow{c.Old, c.New} {
			if r == nil {
				cells = append(cells, "")
			} else {
				cells = append(cells, strconv.Itoa(r.Index))
			}
		}
		params, gflops := cost(c)
		t.AppendRow(append(cells, moduleOf(c), params, gflops, changeText(s, c, now)))
	}
	if same < len(doc.Changes) || d.all {
		out.WriteString(t.Render() + "\n\n")
	}
	fmt.Fprintf(out, "%s the same\n", english.Plural(same, "row is", "rows are"))
	fmt.Fprintf(out, "old  %s\nnew  %s\n", sizeText(old), sizeText(now))
}

// moduleOf is the class of a change, without its Python module.
func moduleOf(c variants.Change) string {
	if c.New != nil {
		return c.New.Class()
	}
	return c.Old.Class()
}

// cost says how parameters and GFLOPs differ; "" for no difference.
func cost(c variants.Change) (params, gflops string) {
	var dp int64
	var df float64
	if c.New != nil {
		dp, df = c.New.Params, c.New.GFLOPs
	}
	if c.Old != nil {
		dp, df = dp-c.Old.Params, df-c.Old.GFLOPs
	}
	if dp != 0 {
		params = humanize.Comma(dp)
		if dp > 0 {
			params = "+" + params
		}
	}
	if text := fmt.Sprintf("%+.2f", df); text != "+0.00" && text != "-0.00" {
		gflops = text
	}
	return params, gflops
}

// changeText says in words what became of a row.
func changeText(s style, c variants.Change, now *modules.Summary) string {
	var words []string
	switch c.Kind {
	case variants.Inserted:
		words = append(words, s.paint("32", "inserted"), "reads "+layersText(c.New.Sources, now))
	case variants.Removed:
		words = append(words, s.paint("31", "removed"))
	case variants.Replaced:
		words = append(words, s.paint("33", "was "+c.Old.Class()))
	case variants.Changed:
		words = append(words, argumentsText(c))
	}
	if c.Reads != nil {
		text := "reads " + layersText(c.New.Sources, now)
		if !slices.Contains(c.Reads, -2) {
			text += " instead of " + layersText(c.Reads, now)
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}

// argumentsText says which arguments a row has now, and had.
func argumentsText(c variants.Change) string {
	switch {
	case c.Old.N != c.New.N:
		return fmt.Sprintf("number %d, was %d", c.New.N, c.Old.N)
	case c.Old.Arguments != c.New.Arguments:
		return fmt.Sprintf("%s, was %s", shortened(c.New.Arguments), shortened(c.Old.Arguments))
	}
	return "other parameters"
}

// shortened leaves the middle of long arguments out, which are Detect's anchors.
func shortened(arguments string) string {
	const most = 28
	runes := []rune(arguments)
	if len(runes) <= most {
		return arguments
	}
	return string(runes[:most/2]) + "…" + string(runes[len(runes)-most/2:])
}

// layersText names layers of a model: "8 (C3)".
func layersText(indices []int, s *modules.Summary) string {
	var list []string
	for _, i := range indices {
		if i < 0 {
			list = append(list, "the image")
			continue
		}
		list = append(list, fmt.Sprintf("%d (%s)", i, s.Rows[i].Class()))
	}
	return english.OxfordWordSeries(list, "and")
}
