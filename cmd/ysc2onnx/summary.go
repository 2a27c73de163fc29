package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ysc2onnx"
	"ysc2onnx/diag"
	"ysc2onnx/modules"
)

// summaryDocument is what --json prints.
type summaryDocument struct {
	Model string `json:"model"`
	*modules.Summary
	Warnings *diag.Diagnostics `json:"warnings,omitempty"`
}

func (a *app) summaryCommand() *cobra.Command {
	var (
		asked  size
		strict bool
		scconv flavour
		blocks wiring
		allow  []diag.Code
		graph  string
	)
	cmd := &cobra.Command{
		Use:   "summary MODEL.yaml|best.pt",
		Short: "Print a model's layers, parameters and GFLOPs, as YOLOv5 does when training begins",
		Long: `Prints a line for each layer: where its input is from, its number after the depth gain, its parameters, its
module, the arguments that the module gets, and the shape that it gives. Then the totals,
with the operations for one image of --imgsz.`,
		Example: `  ysc2onnx summary yolov5s.yaml
  ysc2onnx summary best.pt
  ysc2onnx summary yolov5s.yaml --graph yolov5s.svg
  ysc2onnx summary yolov5s.yaml --json | jq .parameters`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeFiles("yaml", "yml", "pt", "pth"),
		RunE: a.runE(func(ctx context.Context, args []string) error {
			path, err := oneArg(args, "a model, such as: ysc2onnx summary yolov5s.yaml")
			if err != nil {
				return err
			}
			if err := checkPicture(graph); err != nil {
				return err
			}
			m, err := a.openModel(ctx, path, "")
			if err != nil {
				return err
			}
			defer m.close()
			if err := blocks.forYAML(m); err != nil {
				return err
			}
			summary, warnings, err := ysc2onnx.Summarize(ctx, m.input(), ysc2onnx.Options{
				Height: asked.height, Width: asked.width, ScConv: ysc2onnx.ScConv(scconv), C3ScConv: ysc2onnx.C3ScConv(blocks), Strict: strict,
				Allow: allow,
			})
			if err != nil {
				return err
			}
			if graph != "" {
				if err := a.drawModel(graph, m, summary); err != nil {
					return err
				}
			}
			if a.json {
				return a.printJSON(summaryDocument{m.name, summary, warnings})
			}
			a.warn(warnings)
			noteRounding(a, asked, summary.Height, summary.Width, summary.Stride)
			var text bytes.Buffer
			writeSummary(&text, m.title(), summary)
			return a.print(a.stdout, &text)
		}),
	}
	flavourFlag(cmd, &scconv)
	wiringFlag(cmd, &blocks)
	sizeFlag(cmd.Flags(), &asked)
	cmd.Flags().BoolVar(&strict, "strict", false, "warnings are errors")
	allowFlag(cmd, &allow)
	cmd.Flags().StringVar(&graph, "graph", "", "draw the model into a `file`: .svg, .html (with the table) or .mmd (Mermaid, for Markdown)")
	_ = cmd.MarkFlagFilename("graph", "svg", "html", "mmd") // it fails for unknown flags only
	return cmd
}

// title is what YOLOv5 calls a model: its file's name, with the project's spelling.
func (m *model) title() string {
	if m.info == nil {
		return "Model"
	}
	return strings.Replace(stem(m.name), "yolov5", "YOLOv5", 1)
}

// writeSummary prints the table that YOLOv5 prints, its columns as wide as they need to be.
func writeSummary(w *bytes.Buffer, title string, s *modules.Summary) {
	cells := [][]string{{"", "from", "n", "params", "module", "arguments", "output"}}
	for _, r := range s.Rows {
		cells = append(cells, []string{
			strconv.Itoa(r.Index), r.From, strconv.Itoa(r.N), strconv.FormatInt(r.Params, 10), r.Module, r.Arguments, shapeText(r.Shape),
		})
	}
	widths := []int{3, 6, 3, 10, 0, 0, 0}
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for _, row := range cells {
		line := fmt.Sprintf("%*s  %*s  %*s  %*s  %-*s  %-*s  %s", widths[0], row[0], widths[1], row[1], widths[2], row[2], widths[3], row[3],
			widths[4], row[4], min(widths[5], argumentsWidth), row[5], row[6])
		w.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	fmt.Fprintf(w, "\n%s summary: %d layers, %d parameters, %.1f GFLOPs\n", title, s.Layers, s.Parameters, s.GFLOPs)
}

// argumentsWidth is how far the shapes are set off from short arguments; long ones, such as Detect's anchors, push theirs to the right.
const argumentsWidth = 28

// shapeText is a shape without its batch: "256 x 40 x 40"; "" where it is open.
func shapeText(shape []int64) string {
	var sides []string
	for _, side := range shape[min(1, len(shape)):] {
		sides = append(sides, strconv.FormatInt(side, 10))
	}
	return strings.Join(sides, " x ")
}
