package trained

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
	"ysc2onnx/modules"
	"ysc2onnx/yamlcfg"
)

// agree compares the rows of a YAML with the checkpoint's layers, and adds an error for each difference that makes
// another model: another input, module, number or argument. It looks at what is computed, not at how it is written: -1
// and the index of the layer before are the same, and so are an argument and its default. own are the rows of the YAML
// that the checkpoint has of itself, nil if none.
func (t *Model) agree(net, own *modules.Network, diags *diag.Diagnostics) {
	cfg, carried := net.Config, (*yamlcfg.Model)(nil)
	if own != nil {
		carried = own.Config
	}
	layers := 0
	for t.Class(layerName(layers)) != "" {
		layers++
	}
	if carried != nil {
		layers = len(carried.Rows)
		if cfg.Channels != carried.Channels {
			diags.Errorf(cfg.ChannelsSpan, "the image has %d channels, that of %s has %d", cfg.Channels, t.name, carried.Channels)
		}
	}
	for i := range cfg.Rows {
		row := &cfg.Rows[i]
		if layers > 0 && i == layers {
			diags.Errorf(row.Span, "layer %d is one too many: %s has %d layers", i, t.name, layers)
			break
		}
		if row.Broken {
			continue
		}
		var other *yamlcfg.Row
		if carried != nil && !carried.Rows[i].Broken {
			other = &carried.Rows[i]
		}
		if t.agreeModule(row, other, diags) {
			t.agreeArguments(net, own, i, diags)
		}
		t.agreeFrom(row, other, diags)
	}
	if n := len(cfg.Rows); n > 0 && n < layers {
		diags.Errorf(cfg.Rows[n-1].Span, "layer %d is the last: %s has %d layers", n-1, t.name, layers)
	}
}

// agreeModule compares a row's module with the layer's class.
func (t *Model) agreeModule(row, other *yamlcfg.Row, diags *diag.Diagnostics) bool {
	class := ""
	if m := t.modules[layerName(row.Index)]; m != nil {
		v, _ := m.Attr("type")
		class, _ = checkpoint.AsString(v)
	}
	if class == "" {
		class = t.Class(layerName(row.Index))
	}
	if lastPart(class) == "Sequential" && row.Number > 1 { // of the repeats of the row
		class = ""
	}
	if class == "" && other != nil {
		class = other.Module
	}
	if class == "" || lastPart(class) == lastPart(row.Module) {
		return true
	}
	diags.Errorf(row.ModuleSpan, "layer %d is %s, that of %s is %s", row.Index, lastPart(row.Module), t.name, lastPart(class))
	return false
}

// agreeFrom compares the layers that a row reads with those that the checkpoint's layer does.
func (t *Model) agreeFrom(row, other *yamlcfg.Row, diags *diag.Diagnostics) {
	var from []int
	if m := t.modules[layerName(row.Index)]; m != nil {
		v, _ := m.Attr("f")
		if one, ok := checkpoint.AsInt(v); ok {
			from = []int{int(one)}
		} else if list, ok := checkpoint.AsInts(v); ok {
			for _, f := range list {
				from = append(from, int(f))
			}
		}
	}
	if from == nil && other != nil {
		from = other.From
	}
	if from == nil {
		return
	}
	sources := yamlcfg.Row{Index: row.Index, From: from}.Sources()
	if !slices.Equal(sources, row.Sources()) {
		diags.Errorf(row.FromSpan, "layer %d reads %s, that of %s reads %s", row.Index, indices(row.Sources()), t.name, indices(sources))
	}
}

// indices lists layers.
func indices(layers []int) string {
	parts := make([]string, len(layers))
	for i, n := range layers {
		if parts[i] = strconv.Itoa(n); n < 0 {
			parts[i] = "the image"
		}
	}
	return strings.Join(parts, ", ")
}

// agreeArguments compares a row's number and arguments with the ones that the checkpoint's own YAML has.
func (t *Model) agreeArguments(net, own *modules.Network, i int, diags *diag.Diagnostics) {
	if own == nil || own.Config.Rows[i].Broken {
		return
	}
	cfg, carried := net.Config, own.Config
	row, other := &cfg.Rows[i], &carried.Rows[i]
	if n, trained := cfg.ScaleDepth(row.Number), carried.ScaleDepth(other.Number); n != trained {
		diags.Errorf(row.NumberSpan, "layer %d comes out with the number %d, that of %s with %d", row.Index, n, t.name, trained)
		return
	}
	if net.Layers[i].Same(own.Layers[i]) {
		return
	}
	width, trainedWidth := "", ""
	if cfg.WidthMultiple != carried.WidthMultiple {
		width, trainedWidth = fmt.Sprintf(" at width_multiple %g", cfg.WidthMultiple), fmt.Sprintf(" at width_multiple %g", carried.WidthMultiple)
	}
	diags.Errorf(row.ArgsSpan, "layer %d has the arguments %s%s, that of %s has %s%s",
		row.Index, arguments(row), width, t.name, arguments(other), trainedWidth)
}

// arguments prints a row's as Python does.
func arguments(row *yamlcfg.Row) string {
	parts := make([]string, len(row.Args))
	for i, l := range row.Args {
		parts[i] = l.Repr()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// layerName is the path of a row's module.
func layerName(i int) string { return "model." + strconv.Itoa(i) }

// lastPart is a Python name without its module.
func lastPart(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }
