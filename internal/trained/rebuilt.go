package trained

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ysc2onnx/checkpoint"
	"ysc2onnx/yamlcfg"
)

// classifier is the path of a classification head, the last layer; "" where there is none.
func (t *Model) classifier() string {
	rows := t.root.Child("model")
	if rows == nil || len(rows.Children) == 0 {
		return ""
	}
	last := rows.Children[len(rows.Children)-1].Module
	if shape, ok := t.Shape(last.Path + ".linear.weight"); !ok || len(shape) != 2 || t.modules[last.Path+".conv"] == nil {
		return ""
	}
	return last.Path
}

// rebuiltYAML is the YAML of a classifier, which YOLOv5 cuts from a detector and saves without one: the rows are those that
// its layers were made from, as far as their tensors and attributes tell. What they do not tell, such as an activation, the
// modules ask the checkpoint for themselves.
func (t *Model) rebuiltYAML(asTrained bool) (string, error) {
	head := t.classifier()
	shape, _ := t.Shape(head + ".linear.weight")
	if shape[0] < 1 || shape[0] > yamlcfg.MaxClasses {
		return "", fmt.Errorf("%s: its classifier has %d classes, expected 1 to %d", t.name, shape[0], yamlcfg.MaxClasses)
	}
	var y yamlWriter
	if asTrained {
		fmt.Fprintf(&y, "# The model of %s, which carries no YAML: its rows are rebuilt from its layers.\n\n", printableASCII(t.name[strings.LastIndexAny(t.name, `/\`)+1:]))
	}
	fmt.Fprintf(&y, "nc: %d\ndepth_multiple: 1.0\nwidth_multiple: 1.0\nchannel_multiple: 1\n", shape[0])
	first, ok := t.input()
	if ok && first != 3 {
		fmt.Fprintf(&y, "ch: %d\n", first)
	}
	y.WriteString("anchors: 1 # which the parser asks for; a classifier has none\n\nbackbone:\n")
	for i, c := range t.root.Child("model").Children {
		if c.Name != strconv.Itoa(i) {
			return "", fmt.Errorf("%s: its layer %d is called %q, expected %d", t.name, i, cut(c.Name), i)
		}
		row, err := t.rebuiltRow(c.Module)
		if err != nil {
			return "", fmt.Errorf("%s carries no model YAML, and its rows cannot be rebuilt: %s: %w. Give the YAML as well", t.name, c.Module.Path, err)
		}
		if c.Module.Path == head {
			y.WriteString("\nhead:\n")
		}
		fmt.Fprintf(&y, "  - %-60s  # %2d\n", row, i)
	}
	if asTrained {
		y.names(t.classNames)
	}
	return y.String(), nil
}

// input is the number of channels of the image.
func (t *Model) input() (channels int64, ok bool) {
	for _, name := range []string{"model.0.conv.weight", "model.0.conv.conv.weight"} {
		if shape, has := t.Shape(name); has && len(shape) == 4 {
			channels = shape[1]
			if strings.Count(name, "conv") > 1 { // of a Focus, which has four pixels in each
				channels /= 4
			}
			return channels, true
		}
	}
	return 0, false
}

// rebuiltRow is the row of a layer.
func (t *Model) rebuiltRow(m *checkpoint.Module) (string, error) {
	from, n, one := t.Numbers(m.Path, "f"), 1, m
	if k := numbered(m); lastPart(m.Class.String()) == "Sequential" && k > 0 { // of a row that is repeated
		n, one = k, m.Child("0")
	}
	whole := func(x float64) bool { return x == float64(int(x)) && x >= -yamlcfg.MaxRows && x <= yamlcfg.MaxRows }
	const most = 64 // layers that one reads
	if len(from) == 0 || len(from) > most || !allOf(from, whole) {
		return "", fmt.Errorf("its f, the layers that it reads, is not 1 to %d whole numbers", most)
	}
	v, _ := m.Attr("f")
	source := yamlValue(v, 0)
	class := lastPart(one.Class.String())
	build := rebuilds[class]
	if build == nil {
		return "", fmt.Errorf("it is not known which arguments a row of %s had", cut(one.Class.String()))
	}
	r := &rebuilding{t: t, m: one, n: n}
	args := build(r)
	if r.missing != "" {
		return "", fmt.Errorf("%s has no %s of the kind that a row's arguments are made from", class, r.missing)
	}
	for i := len(args); i > 0 && args[i-1] == usual[class][i-1]; i-- { // what a row need not say
		args = args[:i-1]
	}
	return fmt.Sprintf("[%s, %d, %s, [%s]]", source, r.n, class, strings.Join(args, ", ")), nil
}

// rebuilding makes the arguments of one row.
type rebuilding struct {
	t       *Model
	m       *checkpoint.Module
	n       int
	missing string // the first tensor or attribute that is not there
}

// size is a dimension of a tensor of the module.
func (r *rebuilding) size(name string, dim int) int64 {
	shape, ok := r.t.Shape(r.m.Path + "." + name)
	if !ok || len(shape) <= dim || shape[dim] < 1 {
		r.lacks(name)
		return 1
	}
	return shape[dim]
}

func (r *rebuilding) lacks(name string) {
	if r.missing == "" {
		r.missing = name
	}
}

// pair is an attribute of one or two whole numbers, as an argument.
func (r *rebuilding) pair(module, attribute string) string {
	numbers := r.t.Numbers(r.m.Path+module, attribute)
	if len(numbers) == 0 || len(numbers) > 2 || !allOf(numbers, func(x float64) bool { return x >= 0 && x <= maxStride && x == float64(int(x)) }) {
		r.lacks(strings.TrimPrefix(module+".", ".") + attribute)
		return "1"
	}
	return pairText(int(numbers[0]), int(numbers[len(numbers)-1]))
}

// inside counts the modules in a container, which are the repeats of the row.
func (r *rebuilding) inside(container string) {
	m := r.t.modules[r.m.Path+"."+container]
	if m == nil || numbered(m) == 0 {
		r.lacks(container)
		return
	}
	r.n *= numbered(m)
}

// numbered counts the modules 0, 1, … of a container.
func numbered(m *checkpoint.Module) (n int) {
	there := map[string]bool{}
	for _, c := range m.Children {
		there[c.Name] = true
	}
	for there[strconv.Itoa(n)] {
		n++
	}
	return n
}

// share is the argument e that makes int(c2 * e) the hidden channels.
func share(c2, hidden int64) string {
	e := float64(hidden) / float64(c2)
	if int64(float64(c2)*e) != hidden {
		e = (float64(hidden) + 0.5) / float64(c2)
	}
	return strconv.FormatFloat(e, 'f', -1, 64)
}

// convolution are the arguments of a Conv: c2, k, s, p, g.
func (r *rebuilding) convolution(path string) []string {
	c2, h, w := r.size(path+".weight", 0), r.size(path+".weight", 2), r.size(path+".weight", 3)
	in := "." + path
	padding := r.pair(in, "padding")
	if padding == pairText(int(h/2), int(w/2)) { // as the parser has it without one
		padding = "None"
	}
	return []string{strconv.FormatInt(c2, 10), pairText(int(h), int(w)), r.pair(in, "stride"), padding, r.pair(in, "groups")}
}

// pairText is an argument for height and width, one where both are the same.
func pairText(h, w int) string {
	if h == w {
		return strconv.Itoa(h)
	}
	return fmt.Sprintf("[%d, %d]", h, w)
}

// csp are the arguments of a C3 and its kin: c2, shortcut, g, e. Whether the input is added in a bottleneck, and how many groups
// its convolution has, is an attribute there.
func (r *rebuilding) csp(repeats string) []string {
	c2 := r.size("cv3.conv.weight", 0)
	r.inside(repeats)
	return []string{strconv.FormatInt(c2, 10), r.added(repeats + ".0"), "1", share(c2, r.size("cv1.conv.weight", 0))}
}

// added is the argument shortcut of a bottleneck.
func (r *rebuilding) added(bottleneck string) string {
	if add := r.t.Numbers(r.m.Path+"."+bottleneck, "add"); len(add) == 1 && add[0] == 0 {
		return "False"
	}
	return "True"
}

// usual are the arguments that a row means where it does not say them, by class; "" where it has to.
var usual = map[string][]string{
	"Conv": convUsual, "Focus": convUsual, "C3": cspUsual, "C3x": cspUsual, "C3TR": cspUsual, "C3Ghost": cspUsual, "C3_ScConv": cspUsual,
	"BottleneckCSP": cspUsual, "Bottleneck": cspUsual, "GhostConv": {"", "1", "1", "1"}, "ScConv": {""}, "SPPF": {"", "5"}, "SPP": {"", "[5, 9, 13]"},
	"Concat": {"1"}, "Classify": {"", "", "1", "1", "None", "1"},
}

var (
	convUsual = []string{"", "1", "1", "None", "1"}
	cspUsual  = []string{"", "True", "1", "0.5"}
)

// rebuilds give the arguments of a row by the class of its module.
var rebuilds = map[string]func(r *rebuilding) []string{
	"Conv":      func(r *rebuilding) []string { return r.convolution("conv") },
	"Focus":     func(r *rebuilding) []string { return r.convolution("conv.conv") },
	"C3":        func(r *rebuilding) []string { return r.csp("m") },
	"C3x":       func(r *rebuilding) []string { return r.csp("m") },
	"C3TR":      func(r *rebuilding) []string { return r.csp("m.tr") },
	"C3Ghost":   func(r *rebuilding) []string { return r.csp("m") },
	"C3_ScConv": func(r *rebuilding) []string { return r.csp("m") },
	"BottleneckCSP": func(r *rebuilding) []string {
		c2 := r.size("cv4.conv.weight", 0)
		r.inside("m")
		return []string{strconv.FormatInt(c2, 10), r.added("m.0"), "1", share(c2, r.size("cv1.conv.weight", 0))}
	},
	"Bottleneck": func(r *rebuilding) []string {
		c2 := r.size("cv2.conv.weight", 0)
		add := "True"
		if list := r.t.Numbers(r.m.Path, "add"); len(list) == 1 && list[0] == 0 {
			add = "False"
		}
		return []string{strconv.FormatInt(c2, 10), add, r.pair(".cv2.conv", "groups"), share(c2, r.size("cv1.conv.weight", 0))}
	},
	"GhostConv": func(r *rebuilding) []string {
		args := r.convolution("cv1.conv") // c2, k, s, p, g: p follows from k
		return []string{strconv.FormatInt(2*r.size("cv1.conv.weight", 0), 10), args[1], args[2], args[4]}
	},
	"ScConv": func(r *rebuilding) []string {
		return []string{strconv.FormatInt(r.size("CRU.PWC1.weight", 0), 10)}
	},
	"SPPF": func(r *rebuilding) []string {
		return []string{strconv.FormatInt(r.size("cv2.conv.weight", 0), 10), r.pair(".m", "kernel_size")}
	},
	"SPP": func(r *rebuilding) []string {
		pools := r.t.modules[r.m.Path+".m"]
		if pools == nil || numbered(pools) == 0 {
			r.lacks("m")
			return nil
		}
		var sizes []string
		for i := range numbered(pools) {
			sizes = append(sizes, r.pair(".m."+strconv.Itoa(i), "kernel_size"))
		}
		return []string{strconv.FormatInt(r.size("cv2.conv.weight", 0), 10), "[" + strings.Join(sizes, ", ") + "]"}
	},
	"Concat": func(r *rebuilding) []string { return []string{r.pair("", "d")} },
	"Classify": func(r *rebuilding) []string {
		args := r.convolution("conv.conv")
		c1 := r.size("conv.conv.weight", 1)
		if groups := r.t.Numbers(r.m.Path+".conv.conv", "groups"); len(groups) == 1 {
			c1 *= int64(groups[0])
		}
		return slices.Insert(args[1:], 0, strconv.FormatInt(c1, 10), strconv.FormatInt(r.size("linear.weight", 0), 10))
	},
}
