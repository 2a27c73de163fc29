package modules

import (
	"strconv"
	"strings"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg"
)

// Summary is what YOLOv5 prints of a model when training begins, with shapes.
type Summary struct {
	Rows       []SummaryRow `json:"rows"`
	Layers     int          `json:"layers"`     // torch modules, containers included
	Parameters int64        `json:"parameters"` // trained numbers
	GFLOPs     float64      `json:"gflops"`     // 10⁹ operations for one image, as YOLOv5 counts them with thop
	Height     int          `json:"height"`     // of the image, in pixels
	Width      int          `json:"width"`
	Stride     int          `json:"stride"` // of which height and width are multiples
	Classes    int          `json:"classes"`
}

// SummaryRow is one layer.
type SummaryRow struct {
	Index     int     `json:"index"`
	From      string  `json:"from"`      // as Python prints it: -1 or [-1, 6]
	N         int     `json:"n"`         // the number after the depth gain
	Params    int64   `json:"params"`    // trained numbers
	Module    string  `json:"module"`    // the class, as PyTorch prints it
	Arguments string  `json:"arguments"` // what the constructor gets, as Python prints it
	Shape     []int64 `json:"shape"`     // of the output; nil where it is not static
	GFLOPs    float64 `json:"gflops"`    // of the layer, for the whole batch
}

func summaryRow(row *yamlcfg.Row, cfg *yamlcfg.Model, spec *Spec, a *Args, after, before counts, out *onnxbuild.Value) SummaryRow {
	shape, _ := out.Shape.Static()
	r := SummaryRow{
		Index: row.Index, From: intList(row.From), N: cfg.ScaleDepth(row.Number), Params: after.parameters - before.parameters,
		Module: spec.Class, Arguments: arguments(row, spec, a), Shape: shape, GFLOPs: float64(after.macs-before.macs) * 2 / 1e9,
	}
	if !row.FromList {
		r.From = strconv.Itoa(row.From[0])
	}
	return r
}

// arguments prints what YOLOv5's parser hands to the constructor.
func arguments(row *yamlcfg.Row, spec *Spec, a *Args) string {
	var parts []string
	rest := row.Args
	if a.wiring == Scaled || a.wiring == Repeats {
		parts = append(parts, strconv.Itoa(a.C1), strconv.Itoa(a.C2))
		if a.wiring == Repeats {
			parts = append(parts, strconv.Itoa(a.N))
		}
		rest = rest[1:]
	}
	for i, l := range rest {
		if spec.Wiring == Head && i == 1 && l.Kind == yamlcfg.Int { // a number of anchors stands for 0, 1, 2, …
			level := make([]int, l.Int*2)
			for k := range level {
				level[k] = k
			}
			parts = append(parts, "["+strings.Join(repeatText(intList(level), len(a.In)), ", ")+"]")
			continue
		}
		parts = append(parts, l.Repr())
	}
	if spec.Wiring == Head {
		parts = append(parts, intList(a.In))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func intList(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(n)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func repeatText(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}
