package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
)

// hostile is a name that would be code in a page that does not escape.
const hostile = `<script>alert(1)</script><img src="http://evil.example/x" onerror='x'>{{.}}&"'` + "\x00\u202e"

// compared is a small comparison with everything in it: three layers, one of them exact, and an output in two parts.
func compared(t *testing.T, fault float32) *Data {
	t.Helper()
	d := &Data{
		Model: File{"dir/my model.onnx", 1234567, strings.Repeat("ab", 32)}, Reference: &File{"ref.npz", 999, strings.Repeat("cd", 32)},
		Command: `ysc2onnx verify 'dir/my model.onnx' --against ref.npz --report r.html`, Version: "1.2.3", Machine: "linux/amd64, 2 CPUs",
		Facts: &verify.Facts{
			Opset: 17, IRVersion: 8, Nodes: 7, Initializers: 3, WeightBytes: 4096, Producer: "ysc2onnx",
			Inputs:  []engine.IO{{Name: "images", DType: engine.Float32, Dims: []int64{-1, 3, 32, -1}, DimNames: []string{"batch", "", "", ""}}},
			Outputs: []engine.IO{{Name: "output0", DType: engine.Float32, Dims: []int64{1, 5, 6}}},
		},
		Stages: []verify.Stage{
			{Index: 0, From: []int{-1}, Module: "Conv", Makes: []string{"model.0"}, Nodes: 3, Parameters: 1520},
			{Index: 1, From: []int{0}, Module: "SPPF", Makes: []string{"model.1"}, Nodes: 1, Parameters: 2_000_000},
			{Index: 2, From: []int{0, 1}, Module: "Concat", Makes: []string{"model.2"}, Nodes: 1},
			{Index: 3, From: []int{0, 1, 2}, Module: "Detect", Makes: []string{"output0"}, Nodes: 2, Parameters: 30},
		},
		Profile: &verify.Profile{
			Runtime: "ONNX Runtime 1.30.0", Input: "images 1x3x32x32", Runs: 5, Run: 12 * time.Millisecond,
			Layers: []verify.Timing{{Name: "model.1", Layer: 1, Nodes: 2, Time: 9 * time.Millisecond, Share: 0.75},
				{Name: "model.0", Layer: 0, Nodes: 1, Time: 3 * time.Millisecond, Share: 0.25}},
			Operators: []verify.Timing{{Name: "Conv", Layer: -1, Nodes: 3, Time: 12 * time.Millisecond, Share: 1}},
		},
		Samples: &Sampler{},
	}
	values := func(n int, off float32) (got, want []float32) {
		for i := range n {
			v := float32(i%17) / 4
			want = append(want, v)
			got = append(got, v+off*float32(i%3))
		}
		return got, want
	}
	model, ref := map[string]engine.Tensor{}, reference{}
	for _, v := range []struct {
		name  string
		shape []int64
		off   float32
	}{{"0", []int64{1, 4, 5}, 0}, {"1", []int64{1, 4, 5}, 1e-6}, {"2", []int64{1, 4, 5}, fault}, {"", []int64{1, 5, 6}, fault / 100}} {
		n := 1
		for _, size := range v.shape {
			n *= int(size)
		}
		got, want := values(n, v.off)
		from, to := "layer."+v.name, "model."+v.name
		if v.name == "" {
			from, to = "output0", "output0"
		}
		model[to] = engine.Tensor{Name: to, Shape: v.shape, Floats: got}
		ref[from] = engine.Tensor{Name: from, Shape: v.shape, Floats: want}
	}
	d.Comparison = compare(model, ref, d.Samples)
	return d
}

type reference map[string]engine.Tensor

// compare fills a Comparison by hand, in the way of verify.Against: tolerances are 1e-4 of the largest value, 4, for layers.
func compare(model map[string]engine.Tensor, ref reference, samples *Sampler) *verify.Comparison {
	c := &verify.Comparison{Path: "dir/my model.onnx", Runtime: "ONNX Runtime 1.30.0", Layers: 3, NotCompared: []verify.Skipped{{Name: "layer.7", Reason: "the file has no value model.7"}}}
	for _, r := range []verify.Row{
		{Name: "model.0", Reference: "layer.0", Module: "Conv", Tolerance: 1e-4, Unit: verify.OfLargest},
		{Name: "model.1", Reference: "layer.1", Module: "SPPF", Tolerance: 1e-4, Unit: verify.OfLargest},
		{Name: "model.2", Reference: "layer.2", Module: "Concat", Tolerance: 1e-4, Unit: verify.OfLargest},
		{Name: "output0 boxes", Reference: "output0", Module: "Detect", Columns: []int64{0, 4}, Tolerance: 5e-3},
		{Name: "output0 scores", Reference: "output0", Module: "Detect", Columns: []int64{4, 6}, Tolerance: 1e-5},
	} {
		name, _, _ := strings.Cut(r.Name, " ")
		r.Value = name
		got, want := model[name], ref[r.Reference]
		r.Shape, r.OK = want.Shape, true
		for i, w := range want.Floats {
			col := int64(i) % want.Shape[len(want.Shape)-1]
			if len(r.Columns) == 2 && (col < r.Columns[0] || col >= r.Columns[1]) {
				continue
			}
			r.Count++
			r.Largest = max(r.Largest, float64(w))
			if diff := math.Abs(float64(got.Floats[i]) - float64(w)); diff >= r.MaxAbs {
				r.MaxAbs = diff
				r.Worst = &verify.Point{Index: []int64{0, int64(i)}, Got: verify.Number(got.Floats[i]), Want: verify.Number(w)}
			}
		}
		r.MaxRel = r.MaxAbs
		if r.Unit == verify.OfLargest {
			r.MaxRel /= r.Largest
		}
		if errorOf(&r) > r.Tolerance {
			r.OK, r.Outside, r.Problem = false, 7, "7 values are outside"
		}
		c.Rows = append(c.Rows, r)
		samples.Observe(r, got, want)
	}
	return c
}

// written is the text of a report.
func written(t *testing.T, d *Data) string {
	t.Helper()
	var text bytes.Buffer
	if err := Write(&text, d); err != nil {
		t.Fatal(err)
	}
	selfContained(t, text.String())
	return text.String()
}

// The tags and attributes that a report is made of. None loads anything or runs anything.
var (
	allowedTags = strings.Fields(`!DOCTYPE html head meta title style body header div p svg circle path h1 pre code main dl dt dd section h2 ul li i figure
		figcaption span rect text g article h3 table caption thead tbody tr th td form label input output script`)
	allowedAttributes = strings.Fields(`lang charset http-equiv content name class viewBox width height aria-hidden aria-label aria-labelledby role id tabindex
		cx cy r d x y dx dy rx transform text-anchor data-line data-v scope colspan hidden type autocomplete placeholder title html`)
)

var (
	tagForm       = regexp.MustCompile(`<(/?)([^\s>/]*)([^>]*)>`)
	attributeForm = regexp.MustCompile(`\s+([^\s=]+)(?:="([^"]*)")?`)
	embeddedForm  = regexp.MustCompile(`(?s)<(style|script)>(.*?)</(?:style|script)>`)
)

// selfContained demands that a page asks for nothing outside itself, and that its policy allows nothing but what is in it.
// What is text is escaped, so that each < begins a tag.
func selfContained(t *testing.T, page string) {
	t.Helper()
	wantPolicy := "default-src &#39;none&#39;"
	for i, embedded := range embeddedForm.FindAllStringSubmatch(page, -1) {
		if i > 1 || embedded[1] != []string{"style", "script"}[i] || (embedded[2] != styleSheet && embedded[2] != script) {
			t.Errorf("embedded: %.80s", embedded[0])
		}
		for _, no := range []string{"http", "//", "url(", "@import", "eval", "innerHTML", "fetch", "XMLHttp"} {
			if code := regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAllString(embedded[2], ""); strings.Contains(code, no) {
				t.Errorf("%s has %q", embedded[1], no)
			}
		}
		sum := sha256.Sum256([]byte(embedded[2]))
		wantPolicy += "; " + embedded[1] + "-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"
	}
	wantPolicy += "; base-uri &#39;none&#39;; form-action &#39;none&#39;"
	if !strings.Contains(page, `<meta http-equiv="Content-Security-Policy" content="`+wantPolicy+`">`) {
		t.Errorf("the page does not have the policy %s", wantPolicy)
	}
	for _, tag := range tagForm.FindAllStringSubmatch(embeddedForm.ReplaceAllString(page, "<$1></$1>"), -1) {
		if !slices.Contains(allowedTags, tag[2]) {
			t.Errorf("the page has %s", tag[0])
		}
		attributes := attributeForm.FindAllStringSubmatch(tag[3], -1)
		length := 0
		for _, a := range attributes {
			length += len(a[0])
			if !slices.Contains(allowedAttributes, a[1]) {
				t.Errorf("the page has %s", tag[0])
			}
		}
		if length != len(strings.TrimSuffix(tag[3], "/")) {
			t.Errorf("not only attributes: %s", tag[0])
		}
	}
}

// contains demands texts of a page.
func contains(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not have %q", text)
		}
	}
}

func TestVerified(t *testing.T) {
	page := written(t, compared(t, 2e-6))
	contains(t, page,
		`<header class="verdict good">`, "Verified</p>", "<h1>dir/my model.onnx computes what ref.npz holds</h1>",
		// boxes and layers are at less than 0.01 of their tolerances, scores at 4e-8/1e-5
		"All 3 layers and all outputs lie within their tolerances. Nearest to its tolerance is model.2 (Concat), with an error of 1.",
		"<code><span>ysc2onnx verify &#39;dir/my model.onnx&#39;</span> <span>--against ref.npz</span> <span>--report r.html</span></code>", "opset 17, IR version 8, 7 nodes, 3 initializers", "1.2 MiB (1,234,567 bytes)",
		strings.Repeat("ab", 32), strings.Repeat("cd", 32), "linux/amd64, 2 CPUs", "images float32 batch×3×32×?",
		"2,001,550", "model.1 SPPF</th><td class=\"n\">9.00 ms</td><td class=\"n\">75.0 %</td>", "the file has no value model.7",
		`<g class="box exact">`, "bit for bit equal", "see the outputs below", "1.52 k", "2 M", "0 Conv to 3 Detect",
		"the layer with the largest error", "tolerance 5.0e-03",
	)
	for _, no := range []string{"differs</td>", "failed\"", "NaN"} {
		if body := page[strings.Index(page, "<body>"):strings.Index(page, "<script>")]; strings.Contains(body, no) {
			t.Errorf("the page has %q", no)
		}
	}
	if again := written(t, compared(t, 2e-6)); again != page {
		t.Error("the same data give another page")
	}
}

func TestDiffers(t *testing.T) {
	page := written(t, compared(t, 0.5))
	contains(t, page,
		`<header class="verdict bad">`, "Differs</p>", "<h1>dir/my model.onnx does not compute what ref.npz holds</h1>",
		"The first divergent value is model.2 (Concat): 7 values are outside. The 2 values before it agree. All after it differ as well.",
		`<g class="box failed first"><title>2 Concat`, `<tr class="failed"><th scope="row">model.2</th>`, "the first layer that differs",
	)
	if n := strings.Count(page, " first\">"); n != 1 {
		t.Errorf("%d layers are the first", n)
	}
}

// TestHostile puts names that would be code into every place that a file or a command line can fill.
func TestHostile(t *testing.T) {
	d := compared(t, 0.5)
	d.Model.Name, d.Reference.Name, d.Command, d.Machine, d.Version, d.NoProfile = hostile, hostile, hostile, hostile, hostile, hostile
	d.Model.SHA256, d.Facts.Producer, d.Facts.Graph = hostile, hostile, hostile
	d.Facts.Inputs[0].Name, d.Facts.Inputs[0].DimNames[0], d.Facts.Outputs[0].Name = hostile, hostile, hostile
	for i := range d.Stages {
		d.Stages[i].Module, d.Stages[i].Makes[0] = hostile, hostile
	}
	for i := range d.Comparison.Rows {
		r := &d.Comparison.Rows[i]
		d.Samples.samples[hostile+r.Name] = d.Samples.samples[r.Name]
		r.Name, r.Module, r.Problem, r.Reference, r.Value = hostile+r.Name, hostile, hostile, hostile, hostile
	}
	d.Comparison.NotCompared[0] = verify.Skipped{Name: hostile, Reason: hostile}
	d.Comparison.Runtime = hostile
	d.Profile.Runtime, d.Profile.Input, d.Profile.Layers[0].Name, d.Profile.Operators[0].Name = hostile, hostile, hostile, hostile
	page := written(t, d)
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	if strings.ContainsRune(page, 0x202e) {
		t.Error("a name can turn the order of what follows it")
	}

	d = compared(t, 0.5)
	d.Comparison, d.Profile = nil, nil
	d.Checks = &verify.Report{Path: hostile, Runtime: hostile, NotRun: hostile, Checks: []verify.Check{{Name: hostile, Detail: hostile}}}
	d.NoProfile = hostile
	written(t, d)
}

// TestDrawn: a plot shows no more elements than there are.
func TestDrawn(t *testing.T) {
	for _, d := range compared(t, 0.5).distributions() {
		if c := d.Scatter; c.Drawn > c.Count || c.Drawn == 0 {
			t.Errorf("%s: %d of %d are drawn", d.Name, c.Drawn, c.Count)
		}
	}
}

// TestOddValues draws what cannot be drawn in the usual way.
func TestOddValues(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for name, pair := range map[string][2][]float32{
		"all NaN": {{nan, nan}, {nan, nan}}, "all infinite": {{inf, inf}, {1, 2}}, "no range": {{3, 3}, {3, 3}}, "no range, off": {{3, 3.5}, {3, 3}},
		"zeros": {{0, 0}, {0, 0}}, "huge": {{3e38, -3e38}, {-3e38, 3e38}}, "denormal": {{1e-45, 0}, {0, 1e-45}}, "one": {{1}, {2}},
		"some NaN": {{1, nan, 2, inf}, {1, 2, 2.5, inf}},
	} {
		t.Run(name, func(t *testing.T) {
			d := compared(t, 0)
			tensor := func(v []float32) engine.Tensor { return engine.Tensor{Shape: []int64{int64(len(v))}, Floats: v} }
			row := verify.Row{Name: "model.0", Reference: "layer.0", Shape: []int64{int64(len(pair[0]))}, Tolerance: 1e-4, Unit: verify.OfLargest,
				MaxAbs: 1, MaxRel: 1, Count: len(pair[0]), NotFinite: 1, Outside: 1, Problem: "odd",
				Worst: &verify.Point{Index: []int64{0}, Got: verify.Number(pair[0][0]), Want: verify.Number(pair[1][0])}}
			d.Comparison.Rows, d.Comparison.Layers = []verify.Row{row}, 1
			d.Samples.Observe(row, tensor(pair[0]), tensor(pair[1]))
			page := written(t, d)
			for _, drawn := range regexp.MustCompile(`(?:d|x|y|cx|cy|width|height)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
				if strings.Contains(drawn[1], "NaN") || strings.Contains(drawn[1], "Inf") {
					t.Errorf("a drawing has %s", drawn[0])
				}
			}
		})
	}
}

func TestOtherReports(t *testing.T) {
	d := compared(t, 0)
	d.Comparison.Rows, d.Comparison.Layers = nil, 0
	contains(t, written(t, d), "Nothing compared</p>", "could not be compared with ref.npz</h1>", `<header class="verdict bad">`)

	d = compared(t, 0)
	d.Stages = nil
	contains(t, written(t, d), "so its layers cannot be drawn", `<g class="bar exact">`)

	d = compared(t, 0)
	d.Comparison.Rows = d.Comparison.Rows[3:]
	d.Comparison.Layers = 0
	contains(t, written(t, d), "The outputs lie within their tolerances; file and reference have no layer in common. They are equal bit for bit.", "in the outputs alone")

	d = compared(t, 0)
	d.Comparison.Rows[1] = verify.Row{Name: "model.1", Reference: "layer.1", Shape: []int64{1, 2}, Problem: "the model gives 1x3, the reference is 1x2"}
	contains(t, written(t, d), "The first divergent value is model.1: the model gives 1x3, the reference is 1x2. model.0 (Conv) before it agrees. All after it agree as well.")

	d = compared(t, 0)
	d.Comparison.Against, d.Comparison.Input, d.Comparison.Inferred = "ref.npz", []int64{1, 3, 32, 64}, []string{"torch.onnx"}
	d.Comparison.Gates = &verify.Gates{Comparisons: 1, Decisions: 60, Near: 2, Flips: make([]verify.Flip, 25)}
	d.Comparison.Gates.Flips[0] = verify.Flip{Gate: "/model.2/Less", Index: []int64{0, 7}, Got: 0.5, Limit: 0.5}
	d.Comparison.Rows[2].Before = &verify.Before{MaxAbs: 0.25, Outside: 11}
	contains(t, written(t, d), "<h1>dir/my model.onnx computes what ref.npz computes</h1>", "seeded noise of 1×3×32×64", "with 25 gates decided as the reference decided",
		"/model.2/Less", "The first 20 of 25 flipped gates are listed.", "ok, flips</td>", "as the file decides its gates, 11 values are outside, and the largest error is 0.25",
		"The values of the layers of torch.onnx were inferred")

	alone := func(r *verify.Report) string {
		d := compared(t, 0)
		d.Comparison, d.Samples, d.Reference, d.Checks = nil, nil, nil, r
		return written(t, d)
	}
	ok := verify.Check{Name: "structure", OK: true, Detail: "7 nodes"}
	contains(t, alone(&verify.Report{Checks: []verify.Check{ok}, Runtime: "ONNX Runtime 1.30.0"}), `<header class="verdict good">`, "dir/my model.onnx is sound and runs</h1>", "structure ok</dt><dd>7 nodes</dd>")
	contains(t, alone(&verify.Report{Checks: []verify.Check{ok}}), `<header class="verdict bad">`, "has a sound structure, and was not run</h1>")
	contains(t, alone(&verify.Report{Checks: []verify.Check{ok, {Name: "runtime", Detail: "émile is not finite"}}}), `<header class="verdict bad">`, "is wrong</h1>", "Runtime: émile is not finite.")

	if err := Write(io.Discard, &Data{}); err == nil || err.Error() != "report: nothing is known of the model: Data.Facts is nil" {
		t.Errorf("without facts: %v", err)
	}
	broken := errors.New("disk full")
	if err := Write(failing{broken}, compared(t, 0)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }
