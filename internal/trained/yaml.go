package trained

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"ysc2onnx/checkpoint"
	"ysc2onnx/yamlcfg"
)

// YAML is the model YAML that the checkpoint carries, as text. With asTrained, the number of classes, the anchors and
// the names are those of the training; without, it is what training began with.
func (t *Model) YAML(asTrained bool) (string, error) {
	v, _ := t.root.Attr("yaml")
	if text, ok := checkpoint.AsString(v); ok { // it was extracted before
		return text, nil
	}
	dict, ok := v.(*checkpoint.Dict)
	switch {
	case ok:
	case t.classifier() != "":
		return t.rebuiltYAML(asTrained)
	case t.firstRelease():
		return "", fmt.Errorf("%s is of YOLOv5's first release (v1.0), whose head has its convolutions in rows of their own: it is not converted", t.name)
	default:
		return "", fmt.Errorf("%s carries no model YAML: give the one that it was trained from as well", t.name)
	}
	if checkpoint.TextSize(dict, yamlcfg.MaxInput) == yamlcfg.MaxInput {
		return "", fmt.Errorf("%s: its model YAML takes more than %d bytes", t.name, yamlcfg.MaxInput)
	}
	var y yamlWriter
	if asTrained {
		fmt.Fprintf(&y, "# The model of %s.\n\n", printableASCII(t.name[strings.LastIndexAny(t.name, `/\`)+1:]))
	}
	for _, key := range []string{"nc", "depth_multiple", "width_multiple", "channel_multiple", "ch", "activation"} {
		v, ok := dict.Get(key)
		if channels, isInt := checkpoint.AsInt(v); key == "ch" && isInt && channels == 3 {
			continue // the usual, which YOLOv5 adds
		}
		if nc := t.classes(); key == "nc" && asTrained && nc > 0 {
			v = checkpoint.Int(nc)
		}
		if ok {
			fmt.Fprintf(&y, "%s: %s\n", key, yamlValue(v, 0))
		}
	}
	y.anchors(dict, t, asTrained)
	index := 0
	for _, section := range []string{"backbone", "head"} {
		v, _ := dict.Get(section)
		rows, ok := checkpoint.AsSlice(v)
		if !ok {
			return "", fmt.Errorf("%s: its model YAML has no list %q", t.name, section)
		}
		if asTrained && index == 0 {
			y.WriteString("\n# A row is [from, number, module, args]; its comment is the index that later rows use.")
		}
		fmt.Fprintf(&y, "\n%s:\n", section)
		y.rows(rows, &index)
	}
	if asTrained {
		y.names(t.classNames)
	}
	return y.String(), nil
}

// firstRelease reports whether the model is of YOLOv5 v1.0, which called its YAML md.
func (t *Model) firstRelease() bool {
	_, ok := t.root.Attr("md")
	return ok
}

// yamlWriter writes a model YAML.
type yamlWriter struct{ strings.Builder }

// anchors writes the anchors, a level a line.
func (y *yamlWriter) anchors(dict *checkpoint.Dict, t *Model, asTrained bool) {
	v, ok := dict.Get("anchors")
	if !ok {
		return
	}
	levels, isList := checkpoint.AsSlice(v)
	if trained := t.trainedAnchors(); asTrained && trained != nil && !sameAnchors(levels, trained) {
		levels, isList = trained, true
		y.WriteString("\n# As training left them, in pixels.")
	}
	if !isList {
		fmt.Fprintf(y, "anchors: %s\n", yamlValue(v, 0))
		return
	}
	y.WriteString("\nanchors:\n")
	for _, level := range levels {
		fmt.Fprintf(y, "  - %s\n", yamlValue(level, 0))
	}
}

// rows writes the rows of a section, with their indices.
func (y *yamlWriter) rows(rows []checkpoint.Value, index *int) {
	texts, width := make([]string, len(rows)), 0
	for i, row := range rows {
		texts[i] = rowText(row)
		if len(texts[i]) <= 60 {
			width = max(width, len(texts[i]))
		}
	}
	for _, text := range texts {
		fmt.Fprintf(y, "  - %-*s  # %2d\n", width, text, *index)
		*index++
	}
}

// names writes the names of the classes, which YOLOv5 takes from the YAML of the data and ignores here.
func (y *yamlWriter) names(list []checkpoint.Entry) {
	for i, e := range list {
		key, isInt := checkpoint.AsInt(e.Key)
		name, isText := checkpoint.AsString(e.Value)
		if !isInt || !isText {
			continue
		}
		if i == 0 {
			y.WriteString("\n# Of the classes; the model does not depend on them.\nnames:\n")
		}
		fmt.Fprintf(y, "  %d: %s\n", key, yamlString(name))
	}
}

// rowText is a row, with its module and Python values unquoted, as they are usually written.
func rowText(row checkpoint.Value) string {
	parts, ok := checkpoint.AsSlice(row)
	if !ok || len(parts) != 4 {
		return yamlValue(row, 0)
	}
	module, ok := moduleText(parts[2])
	if !ok || !plainName.MatchString(module) || wordsOfYAML.MatchString(module) {
		module = yamlValue(parts[2], 0)
	}
	return "[" + yamlValue(parts[0], 0) + ", " + yamlValue(parts[1], 0) + ", " + module + ", " + yamlValue(parts[3], 0) + "]"
}

// moduleText is the module of a row: a name, or the class itself, as some code leaves it in the YAML, under its name in a YAML.
func moduleText(v checkpoint.Value) (string, bool) {
	path, ok := checkpoint.AsString(v)
	if class, isClass := v.(checkpoint.Global); isClass {
		path, ok = class.String(), true
	}
	switch {
	case strings.HasPrefix(path, "torch.nn."):
		return "nn." + lastPart(path), ok
	case strings.HasPrefix(path, "nn."):
		return path, ok
	}
	return lastPart(path), ok
}

// plainName is a module's name, and wordsOfYAML are words that YAML 1.1 takes for something else without quotes.
var (
	plainName   = regexp.MustCompile(`^(nn\.)?[A-Z][A-Za-z0-9_]*$`)
	wordsOfYAML = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|none)$`)
)

// yamlValue is a value in YAML's flow form.
func yamlValue(v checkpoint.Value, depth int) string {
	if items, ok := checkpoint.AsSlice(v); ok && depth < 16 {
		parts := make([]string, len(items))
		for i, item := range items {
			parts[i] = yamlValue(item, depth+1)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	switch v := v.(type) {
	case checkpoint.Boolean:
		return map[checkpoint.Boolean]string{true: "True", false: "False"}[v]
	case checkpoint.Int:
		return strconv.FormatInt(int64(v), 10)
	case checkpoint.Float:
		return yamlFloat(float64(v))
	case checkpoint.Str:
		if v == "None" || v == "nc" || v == "anchors" { // which YOLOv5 evaluates
			return string(v)
		}
		return yamlString(string(v))
	case checkpoint.None, nil:
		return "null"
	}
	const maxValue = 1 << 20
	return yamlString(checkpoint.Repr(v, maxValue))
}

// yamlFloat is a number without an exponent, which YAML 1.1 takes for text in Python's form.
func yamlFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return ".nan"
	case math.IsInf(x, 0):
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), "Inf", ".inf", 1)
	}
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// yamlString is a text in quotes, in ASCII, which is all that YOLOv5 reads.
func yamlString(s string) string {
	if s == printableASCII(s) && !strings.ContainsAny(s, `'\`) {
		return "'" + s + "'"
	}
	return strconv.QuoteToASCII(s)
}

// printableASCII leaves out what is neither printable nor ASCII.
func printableASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// trainedAnchors are those of the model in pixels, by level; nil where it has none, or no strides.
func (t *Model) trainedAnchors() []checkpoint.Value {
	head := t.detect()
	tensor := t.tensors[head+".anchors"]
	strides := t.wholeNumbers(head, "stride")
	if tensor == nil || len(tensor.Shape) != 3 || tensor.Shape[0] != int64(len(strides)) || tensor.Shape[2] != 2 || tensor.Numel() > maxStride {
		return nil
	}
	sizes, err := tensor.Floats()
	if err != nil || !allFinite(sizes) {
		return nil
	}
	var levels []checkpoint.Value
	each := len(sizes) / len(strides)
	for i, stride := range strides {
		level := &checkpoint.List{}
		for _, size := range sizes[i*each : (i+1)*each] {
			shortest := strconv.FormatFloat(float64(size*float32(stride)), 'g', -1, 32)
			pixels, err := strconv.ParseFloat(shortest, 64)
			if err != nil {
				return nil
			}
			if pixels == math.Trunc(pixels) && pixels < maxStride {
				level.Items = append(level.Items, checkpoint.Int(pixels))
				continue
			}
			level.Items = append(level.Items, checkpoint.Float(pixels))
		}
		levels = append(levels, level)
	}
	return levels
}

// sameAnchors reports whether a YAML's anchors are the trained ones, up to the rounding of float16.
func sameAnchors(written, trained []checkpoint.Value) bool {
	if len(written) != len(trained) {
		return false
	}
	for i := range trained {
		a, _ := checkpoint.AsSlice(written[i])
		b, _ := checkpoint.AsSlice(trained[i])
		if len(a) != len(b) {
			return false
		}
		for k := range b {
			x, ok := checkpoint.AsFloat(a[k])
			y, _ := checkpoint.AsFloat(b[k])
			if !ok || math.Abs(x-y) > y/1024 {
				return false
			}
		}
	}
	return true
}
