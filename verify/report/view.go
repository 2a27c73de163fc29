package report

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"ysc2onnx/internal/units"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// view is what the page shows, put into words and drawings.
type view struct {
	*Data
	OK       bool
	Verdict  string // the page's heading
	Detail   string // the sentence under it
	Mark     string // the verdict in one word
	Figures  []figure
	Lines    []*line
	Legend   []level
	Picture  *picture
	NoImage  string // the reason for having no picture
	Errors   *errorChart
	Times    *timeChart
	Spreads  []distribution
	Rows     []tableRow
	Slowest  []verify.Timing
	Settings []setting
	Flips    []verify.Flip // the first of the comparison's
	Notes    []string
}

// figure is a number that stands out.
type figure struct{ Value, Label, Note, Limit string }

// setting is a line about how the report was made.
type setting struct{ Name, Value string }

// tableRow is a row of the table.
type tableRow struct {
	*verify.Row
	Level level
}

// How many layers are listed by their time, and how many flipped gates.
const (
	slowest    = 10
	shownFlips = 20
)

func newView(d *Data) *view {
	v := &view{Data: d, Lines: d.lines()}
	v.Legend = legend(v.Lines)
	v.Picture = newPicture(d.Stages, v.Lines)
	if v.Picture == nil {
		v.NoImage = "The file's nodes are not named by layer (/model.0/conv/Conv), so its layers cannot be drawn."
	}
	v.Errors, v.Times, v.Spreads = newErrorChart(v.Lines), newTimeChart(v.Lines), d.distributions()
	if d.Profile != nil {
		v.Slowest = d.Profile.Layers[:min(slowest, len(d.Profile.Layers))]
	}
	if d.Comparison != nil {
		for i := range d.Comparison.Rows {
			row := &d.Comparison.Rows[i]
			v.Rows = append(v.Rows, tableRow{row, levelOf(row)})
		}
		v.compared()
	} else {
		v.checked()
	}
	v.Figures = append(v.Figures, v.modelFigures()...)
	v.Settings = v.settings()
	return v
}

// compared puts a comparison into words.
func (v *view) compared() {
	c := v.Comparison
	err := c.Err()
	v.OK = err == nil
	reference, does := "the reference", "holds"
	if v.Reference != nil {
		reference = v.Reference.Name
	}
	if c.Against != "" {
		does = "computes"
	}
	switch {
	case len(c.Rows) == 0:
		v.Mark, v.Verdict, v.Detail = "Nothing compared", fmt.Sprintf("%s could not be compared with %s", v.Model.Name, reference), sentence(err.Error())
	case v.OK:
		v.Mark, v.Verdict = "Verified", fmt.Sprintf("%s computes what %s %s", v.Model.Name, reference, does)
		v.Detail = v.agreement()
	default:
		v.Mark, v.Verdict = "Differs", fmt.Sprintf("%s does not compute what %s %s", v.Model.Name, reference, does)
		v.Detail = v.divergence()
	}
	v.notes()
	if v.OK && c.Against != "" { // recorded values settle what was assumed, another file may assume the same
		v.unproved()
	}
	elements := 0
	for i := range c.Rows {
		elements += c.Rows[i].Count
	}
	if row := largest(c.Rows[:c.Layers]); row != nil {
		v.Figures = append(v.Figures, figure{number(row.MaxRel), "largest error of a layer", "of its largest value, at " + named(row), number(row.Tolerance)})
	}
	for i := range c.Rows[c.Layers:] {
		row := &c.Rows[c.Layers+i]
		v.Figures = append(v.Figures, figure{number(errorOf(row)), "largest error of " + row.Name, unitText(row), number(row.Tolerance)})
	}
	where := fmt.Sprintf("in %d layers and %d parts of outputs", c.Layers, len(c.Rows)-c.Layers)
	if c.Layers == 0 {
		where = "in the outputs alone"
	}
	v.Figures = append(v.Figures, figure{humanize.Comma(int64(elements)), "values compared", where, ""})
}

// notes say what a comparison does not show in its rows.
func (v *view) notes() {
	c := v.Comparison
	if g := c.Gates; g != nil {
		v.Notes = append(v.Notes, "Discontinuous gates: "+sentence(g.String()))
		v.Flips = g.Flips[:min(shownFlips, len(g.Flips))]
		if more := len(g.Flips) - len(v.Flips); more > 0 {
			v.Notes = append(v.Notes, fmt.Sprintf("The first %d of %d flipped gates are listed.", len(v.Flips), len(g.Flips)))
		}
	}
	for _, path := range c.Inferred {
		v.Notes = append(v.Notes, fmt.Sprintf("The values of the layers of %s were inferred from the names of its nodes: the file does not name them.", path))
	}
}

// agreement says how well everything agrees.
func (v *view) agreement() string {
	c := v.Comparison
	var nearest *verify.Row
	for i := range c.Rows {
		row := &c.Rows[i]
		if nearest == nil || errorOf(row)*nearest.Tolerance > errorOf(nearest)*row.Tolerance {
			nearest = row
		}
	}
	text := fmt.Sprintf("All %d layers and all outputs lie within their tolerances. ", c.Layers)
	switch {
	case c.Layers == len(c.Rows):
		text = fmt.Sprintf("All %d layers lie within their tolerances. ", c.Layers)
	case c.Layers == 0:
		text = "The outputs lie within their tolerances; file and reference have no layer in common. "
	}
	if e := errorOf(nearest); e > 0 {
		text += fmt.Sprintf("Nearest to its tolerance is %s, with an error of %s where %s is allowed: %s times as much.",
			named(nearest), number(e), number(nearest.Tolerance), times(nearest.Tolerance/e))
	} else {
		text += "They are equal bit for bit."
	}
	if c.Gates != nil && len(c.Gates.Flips) > 0 {
		text += fmt.Sprintf(" This is with %s decided as the reference decided; in the file rounding decides otherwise.", english.Plural(len(c.Gates.Flips), "gate", ""))
	}
	return text
}

// times prints a factor with two digits: 1.4, 48, 5,300.
func times(factor float64) string {
	if factor < 10 {
		return strconv.FormatFloat(factor, 'f', 1, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(factor, 'e', 1, 64), 64) // a number that was just formatted can be read
	if rounded > 1e15 {
		return number(rounded)
	}
	return humanize.Comma(int64(rounded))
}

// divergence says where values begin to differ.
func (v *view) divergence() string {
	c := v.Comparison
	bad, first := 0, -1
	for i := range c.Rows {
		if !c.Rows[i].OK {
			bad++
			if first < 0 {
				first = i
			}
		}
	}
	row := &c.Rows[first]
	text := fmt.Sprintf("The first divergent value is %s: %s. ", named(row), row.Problem)
	switch first {
	case 0:
		text += "It is the first one that was compared. "
	case 1:
		text += fmt.Sprintf("%s before it agrees. ", named(&c.Rows[0]))
	default:
		text += fmt.Sprintf("The %d values before it agree. ", first)
	}
	switch after := len(c.Rows) - first - 1; {
	case after == 0:
	case bad-1 == after:
		text += "All after it differ as well."
	case bad == 1:
		text += "All after it agree as well."
	default:
		text += fmt.Sprintf("Of the %d after it, %d differ as well.", after, bad-1)
	}
	return strings.TrimSpace(text)
}

// checked puts the checks of a file alone into words.
func (v *view) checked() {
	if v.Checks == nil {
		v.Mark, v.Verdict = "Not checked", v.Model.Name+" was not checked"
		return
	}
	v.OK = v.Checks.OK() && v.Checks.NotRun == "" && v.Checks.Runtime != ""
	switch {
	case !v.Checks.OK():
		v.Mark, v.Verdict = "Not sound", v.Model.Name+" is wrong"
		for _, c := range v.Checks.Failed() {
			v.Detail = strings.TrimSpace(v.Detail + " " + sentence(c.Name+": "+c.Detail))
		}
	case !v.OK:
		v.Mark, v.Verdict = "Not run", v.Model.Name+" has a sound structure, and was not run"
		v.Detail = sentence(v.Checks.NotRun)
	default:
		v.Mark, v.Verdict = "Sound", v.Model.Name+" is sound and runs"
		v.Detail = "Its structure was read back from the disk, and it was run on seeded noise: shapes are right and numbers finite. " +
			"Whether the numbers are those of PyTorch shows when they are compared: ysc2onnx verify --against."
		v.unproved()
	}
}

// unproved adds the export's assumptions to a good verdict.
func (v *view) unproved() {
	if assumed := v.Facts.Assumed(); assumed != "" {
		v.Verdict += "; assumed, not proved: " + assumed
	}
}

// modelFigures say what the file is.
func (v *view) modelFigures() []figure {
	var list []figure
	var params int64
	for _, s := range v.Stages {
		params += s.Parameters
	}
	if params > 0 {
		list = append(list, figure{humanize.Comma(params), "parameters", fmt.Sprintf("as they are in the file, %s of weights", units.Bytes(v.Facts.WeightBytes)), ""})
	}
	if v.Profile != nil {
		list = append(list, figure{milliseconds(v.Profile.Run), "for one run", fmt.Sprintf("%s, median of %d", v.Profile.Input, v.Profile.Runs), ""})
	}
	return list
}

// settings say what the report is about, and how it was made.
func (v *view) settings() []setting {
	f := v.Facts
	list := []setting{
		{"Model", fmt.Sprintf("%s, %s (%s bytes)", v.Model.Name, units.Bytes(v.Model.Size), humanize.Comma(v.Model.Size))},
		{"SHA-256", v.Model.SHA256},
		{"Format", fmt.Sprintf("opset %d, IR version %d, %s", f.Opset, f.IRVersion, f.Summary())},
		{"Written by", f.Producer},
		{"Takes", ioText(f.Inputs)},
		{"Gives", ioText(f.Outputs)},
	}
	if v.Reference != nil {
		list = append(list,
			setting{"Reference", fmt.Sprintf("%s, %s (%s bytes)", v.Reference.Name, units.Bytes(v.Reference.Size), humanize.Comma(v.Reference.Size))},
			setting{"its SHA-256", v.Reference.SHA256})
	}
	runtime := ""
	if v.Comparison != nil {
		runtime = v.Comparison.Runtime
	} else if v.Checks != nil {
		runtime = v.Checks.Runtime
	}
	if c := v.Comparison; c != nil && len(c.Input) > 0 {
		what := "recorded input of "
		if c.Against != "" {
			what = "seeded noise of "
		}
		list = append(list, setting{"Run on", what + sizes(c.Input)})
	}
	list = append(list, setting{"Runtime", runtime}, setting{"Machine", v.Machine}, setting{"ysc2onnx", v.Version})
	kept := list[:0]
	for _, s := range list {
		if s.Value != "" {
			kept = append(kept, s)
		}
	}
	return kept
}

// largest is the row with the largest error, nil where there is none.
func largest(rows []verify.Row) *verify.Row {
	var worst *verify.Row
	for i := range rows {
		if worst == nil || rows[i].MaxRel > worst.MaxRel {
			worst = &rows[i]
		}
	}
	return worst
}

// named is a row's name with its module: model.9 (SPPF).
func named(row *verify.Row) string {
	if row.Module == "" || row.Module == "Detect" && !strings.HasPrefix(row.Name, "model.") {
		return row.Name
	}
	return row.Name + " (" + row.Module + ")"
}

// unitText says what a row's error is measured in.
func unitText(row *verify.Row) string {
	switch {
	case row.Unit == verify.OfLargest:
		return "of the largest value"
	case row.Unit == verify.OfBox:
		return "of the box: " + number(row.MaxAbs) + " pixels at most"
	case strings.HasSuffix(row.Name, " boxes"):
		return "pixels"
	case strings.HasSuffix(row.Name, " scores"), strings.HasSuffix(row.Name, " objectness"):
		return "of a score from 0 to 1"
	}
	return "absolute"
}

// ioText lists inputs or outputs.
func ioText(list []engine.IO) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = v.Name + " " + v.DType.String() + " " + dims(v)
	}
	return strings.Join(parts, ", ")
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[n:], ".") + "."
}

// groupedAny is grouped for the template, which does not convert.
func groupedAny(n any) string {
	switch n := n.(type) {
	case int:
		return humanize.Comma(int64(n))
	case int64:
		return humanize.Comma(n)
	}
	return fmt.Sprint(n)
}

// ulpText prints a distance in units in the last place, a large one in few digits.
func ulpText(d uint32) string {
	if d < 1e6 {
		return humanize.Comma(int64(d))
	}
	return fmt.Sprintf("%.0e", float64(d))
}

// percent prints a share: 12.3 %.
func percent(share float64) string {
	switch {
	case share == 0 || share == 1:
		return fmt.Sprintf("%.0f %%", 100*share)
	case share < 0.001:
		return fmt.Sprintf("%.2g %%", 100*share)
	}
	return fmt.Sprintf("%.1f %%", 100*share)
}

// Bottom is where the grid of a drawing ends.
func (c *errorChart) Bottom() px { return c.Height - footHeight }

// Bottom is where the grid of a drawing ends.
func (c *timeChart) Bottom() px { return c.Height - footHeight }

// ValueX is where the text behind a bar ends.
func (timeMark) ValueX() px { return chartWidth - 1 }

// Index is the place of the worst element: [0, 17, 4].
func (r tableRow) Index() string {
	return strings.ReplaceAll(fmt.Sprint(r.Worst.Index), " ", ", ")
}

// Got is the file's value there.
func (r tableRow) Got() string { return fmt.Sprintf("%.6g", float32(r.Worst.Got)) }

// Verdict is one or two words.
func (r tableRow) Verdict() string {
	switch {
	case !r.OK:
		return "differs"
	case r.Before != nil:
		return "ok, flips"
	}
	return "ok"
}

// Why adds to a row what its numbers do not say: "" for most.
func (r tableRow) Why() string {
	switch {
	case r.Worst == nil || r.NotFinite > 0:
		return r.Problem
	case r.Before != nil && r.OK:
		return fmt.Sprintf("as the file decides its gates, %s are outside, and the largest error is %s", english.Plural(r.Before.Outside, "value", ""), number(r.Before.MaxAbs))
	}
	return ""
}

// Want is the reference's value there.
func (r tableRow) Want() string { return fmt.Sprintf("%.6g", float32(r.Worst.Want)) }

// NameOf is a layer's name with its module.
func (v *view) NameOf(t verify.Timing) string {
	for i := range v.Stages {
		if s := &v.Stages[i]; s.Index == t.Layer && s.Module != "" {
			return t.Name + " " + s.Module
		}
	}
	return t.Name
}

// Typed is the command in parts that a line is broken between: before each flag.
func (v *view) Typed() []string {
	parts := strings.Split(v.Command, " -")
	for i := range parts[1:] {
		parts[1+i] = "-" + parts[1+i]
	}
	return parts
}

// Operators are the kinds of operators that take the most time.
func (v *view) Operators() []verify.Timing {
	return v.Profile.Operators[:min(slowest, len(v.Profile.Operators))]
}
