package inspect

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/yamlcfg/python"
)

// ONNX looks into an ONNX file of the given size. Errors do not name the file. A file that breaks ONNX's rules and has a
// graph all the same is reported on as far as it can be read, with the first problem.
func ONNX(ctx context.Context, r io.ReaderAt, size int64, opt Options) (*Report, error) {
	s := newScanner(size, 0, opt)
	e := elements{model: r, open: opt.Data, allow: s.allow, files: map[string]data{}}
	facts, err := verify.StructureReader(ctx, r, size, e.size)
	if err != nil {
		return nil, err
	}
	if !facts.OK() && facts.Nodes == 0 && facts.Initializers == 0 {
		return nil, facts.Err()
	}
	rep := &Report{
		Verdict: Data, Why: dataOnly,
		Kind: "ONNX model", Bytes: size, Writer: strings.TrimSpace(facts.Producer + " " + facts.ProducerVersion), Model: facts.Graph,
		Operators: operators(facts.Operators()), Inputs: values(facts.Inputs), Outputs: values(facts.Outputs),
		Properties: []Property{{"IR version", strconv.FormatInt(facts.IRVersion, 10)}},
	}
	if !facts.OK() {
		rep.Problem = facts.Problems[0]
	}
	for _, o := range facts.Opsets() {
		rep.Properties = append(rep.Properties, Property{strings.TrimSpace("opset " + o.Domain), strconv.FormatInt(o.Version, 10)})
	}
	rep.Layers = layersOf(facts.Layers)
	for _, name := range facts.Properties() {
		value := facts.Metadata[name]
		if name == "layers" && rep.Layers != nil {
			continue
		}
		if name == "names" {
			if names, err := python.ClassNames(value); err == nil {
				rep.Classes = names
				continue
			}
		}
		rep.Properties = append(rep.Properties, Property{name, value})
	}
	return rep, e.scan(ctx, facts, s, rep)
}

// layersOf are the rows of the model's YAML, which this program writes into the metadata.
func layersOf(rows []verify.Layer) (out []Layer) {
	for i, row := range rows {
		layer := Layer{Index: i, Type: row.Module, From: strings.Join(strings.Fields(fmt.Sprint(row.From)), ", ")}
		if len(row.From) == 1 {
			layer.From = strconv.Itoa(row.From[0])
		}
		out = append(out, layer)
	}
	return out
}

func values(of []engine.IO) (out []Value) {
	for _, v := range of {
		value := Value{Name: v.Name, DType: typeName(v.DType), Dims: []string{}}
		for i, d := range v.Dims {
			text := "?"
			switch {
			case d >= 0:
				text = strconv.FormatInt(d, 10)
			case i < len(v.DimNames) && v.DimNames[i] != "":
				text = v.DimNames[i]
			}
			value.Dims = append(value.Dims, text)
		}
		out = append(out, value)
	}
	return out
}

func typeName(d engine.DType) string {
	if d == engine.Undefined {
		return "unknown"
	}
	return d.String()
}

func operators(of []verify.Operator) (out []Operator) {
	for _, o := range of {
		out = append(out, Operator{strings.TrimPrefix(o.Domain+"."+o.Name, "."), o.Nodes})
	}
	return out
}
