package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"ysc2onnx/heads/roles"
	"ysc2onnx/modules"
	"ysc2onnx/onnxbuild"
	"ysc2onnx/yamlcfg/python"
)

// classNames are the names of the classes as a Python dict literal. Classes without names are numbered: untrained models of
// YOLOv5 number them, too.
func classNames(names []string, classes int) string {
	var text strings.Builder
	for i := range classes {
		if i > 0 {
			text.WriteString(", ")
		}
		name := python.Literal{Kind: python.String, Str: strconv.Itoa(i)}
		if len(names) == classes {
			name.Str = names[i]
		}
		fmt.Fprintf(&text, "%d: %s", i, name.Repr())
	}
	return "{" + text.String() + "}"
}

// properties are the metadata_props that readers of YOLOv5's files look for, and the rows of the YAML with the values that
// they have in the graph as it is written; names is a Python dict literal.
func properties(m *modules.Model, g *onnxbuild.Graph, names string, n Size) []onnxbuild.Property {
	s := &m.Summary
	outputs, task := make([]roles.Output, len(m.Outputs)), "detect"
	for i, o := range m.Outputs {
		outputs[i] = o.Output
		if role, _ := o.Whole(); role == roles.Prototypes {
			task = "segment"
		}
	}
	if m.Classifies() {
		task = "classify"
	}
	return []onnxbuild.Property{
		{Key: "stride", Value: fmt.Sprint(s.Stride)},
		{Key: "names", Value: names},
		{Key: "task", Value: task},
		{Key: "batch", Value: fmt.Sprint(n.Batch)},
		{Key: "imgsz", Value: fmt.Sprintf("[%d, %d]", n.Height, n.Width)},
		{Key: "layers", Value: layers(s.Rows, g)},
		{Key: roles.Key, Value: roles.Format(outputs)},
	}
}

// layers spells rows as verify.Structure reads them, [[[-1],"Conv","/model.0/act/Mul_output_0"],[[-1,6],"Concat",…]]: where
// each layer reads from, its class, and the value that it gives. What the head gives is the outputs.
func layers(rows []modules.SummaryRow, g *onnxbuild.Graph) string {
	var text strings.Builder
	for i, row := range rows {
		from := strings.ReplaceAll(strings.Trim(row.From, "[]"), " ", "")
		fmt.Fprintf(&text, `,[[%s],%q`, from, row.Class())
		if v := g.Marked(modules.LayerName(i)); v != nil {
			fmt.Fprintf(&text, `,%q`, v.Name)
		}
		text.WriteByte(']')
	}
	return "[" + strings.TrimPrefix(text.String(), ",") + "]"
}
