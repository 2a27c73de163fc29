//go:build peers

package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"ysc2onnx"
	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/ort/orttest"
	"ysc2onnx/verify/peers/browsertest"
	"ysc2onnx/verify/report"
)

// reports is a tab of a headless Chromium, and what went on in it.
type reports struct {
	ctx context.Context

	mu       sync.Mutex
	requests []string
	messages []string // of the console, exceptions, violations of the policy
}

// openReports starts Chromium.
func openReports(t *testing.T) *reports {
	t.Helper()
	b := &reports{ctx: browsertest.Open(t, 3*time.Minute)}
	if err := chromedp.Listen(b.ctx, b.note); err != nil {
		t.Fatal(err)
	}
	return b
}

// note keeps what a page asks for and complains about.
func (b *reports) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *log.EventEntryAdded:
		b.messages = append(b.messages, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprint("console.", e.Type))
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, e.ExceptionDetails.Text)
	}
}

// open shows a report, which must ask for nothing else and complain about nothing.
func (b *reports) open(t *testing.T, path string) {
	t.Helper()
	b.mu.Lock()
	b.requests, b.messages = nil, nil
	b.mu.Unlock()
	browsertest.Do(b.ctx, t, chromedp.Navigate("file://"+path))
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.requests, ", "); got != "file://"+path {
		t.Errorf("the page asks for %s", got)
	}
	if len(b.messages) > 0 {
		t.Errorf("the page says %q", b.messages)
	}
}

// equal demands what JavaScript comes to.
func equal[T comparable](t *testing.T, b *reports, script string, want T) {
	t.Helper()
	if got := browsertest.Evaluate[T](b.ctx, t, script); got != want {
		t.Errorf("%s: got %v, want %v", script, got, want)
	}
}

// trained is a report of a trained checkpoint that was converted and compared with what PyTorch recorded.
func trained(t *testing.T) *report.Data {
	t.Helper()
	fixture := filepath.Join("..", "..", "..", "shared", "fixtures", "c3")
	checkpoint, err := os.Open(fixture + ".pt")
	if err != nil {
		orttest.Missing(t, "%v", err)
	}
	defer func() { _ = checkpoint.Close() }() // nothing is lost with a file that was only read
	info, err := checkpoint.Stat()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c3.onnx")
	_, err = ysc2onnx.Convert(t.Context(), ysc2onnx.Input{WeightsName: "c3.pt", Weights: checkpoint, WeightsSize: info.Size()},
		ysc2onnx.Options{Height: 96, Width: 128, Output: path, Check: ysc2onnx.CheckNone})
	if err != nil {
		t.Fatal(err)
	}
	ref, err := verify.OpenNPZ(fixture + ".npz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ref.Close() }()
	d := &report.Data{
		Model: report.File{Name: "c3.onnx", Size: 1, SHA256: "ab"}, Reference: &report.File{Name: "c3.npz", Size: 1, SHA256: "cd"}, Samples: &report.Sampler{},
		Command: "ysc2onnx verify c3.onnx --against c3.npz --report c3.html --profile", Machine: "linux/amd64", Version: ysc2onnx.Version,
	}
	rt := orttest.Runtime(t)
	if d.Comparison, err = verify.Against(t.Context(), rt, path, ref, verify.AgainstOptions{Observe: d.Samples.Observe}); err != nil {
		t.Fatal(err)
	}
	d.Facts, d.Stages = d.Comparison.Facts, d.Comparison.Facts.Picture()
	input, err := ref.Read("input")
	if err != nil {
		t.Fatal(err)
	}
	input.Name = "images"
	if d.Profile, err = verify.Measure(t.Context(), rt, path, d.Facts, []engine.Tensor{input}, 2); err != nil {
		t.Fatal(err)
	}
	return d
}

// differing is a report of the same checkpoint with faults from layer 2 on, in as far as layers and boxes say so.
func differing(t *testing.T) *report.Data {
	t.Helper()
	d := trained(t)
	for _, i := range []int{2, d.Comparison.Layers} {
		row := &d.Comparison.Rows[i]
		row.OK, row.Outside, row.Problem = false, 7, "7 values are outside"
		row.MaxAbs, row.MaxRel = row.Tolerance*100*max(row.Largest, 1), row.Tolerance*100
	}
	return d
}

// hostile is a name that would be code in a page that does not escape.
const hostile = `<script>alert(1)</script><img src="http://evil.example/x" onerror='x'>{{.}}&"'` + "\x00\u202e"

// overlapping counts the names of axes and the like that are written over each other.
const overlapping = `[...document.querySelectorAll("figure > svg")].filter(svg => {
	const boxes = [...svg.querySelectorAll(".axis")].map(e => e.getBoundingClientRect());
	return boxes.some((a, i) => boxes.slice(i + 1).some(b => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom));
}).length`

// TestReport opens reports in Chromium, on a desktop and a phone, light and dark, and uses them. SCREENSHOTS=folder keeps
// what was seen.
func TestReport(t *testing.T) {
	b := openReports(t)
	evil := differing(t)
	evil.Model.Name, evil.Command = hostile, hostile
	for i := range evil.Stages {
		evil.Stages[i].Module = hostile
	}
	boxes := &evil.Comparison.Rows[evil.Comparison.Layers]
	boxes.NotFinite = 1 // so that it has a line of its own
	evil.Comparison.Rows[2].Module, evil.Comparison.Rows[2].Problem = hostile, hostile
	for _, c := range []struct {
		name, heading string
		data          *report.Data
		first         string // that differs
	}{
		{"verified", "c3.onnx computes what c3.npz holds", trained(t), ""},
		{"differs", "c3.onnx does not compute what c3.npz holds", differing(t), "2 C3_ScConv"},
		{"hostile", "", evil, "2 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "report.html")
			var page bytes.Buffer
			if err := report.Write(&page, c.data); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			for _, width := range []int64{1280, 768, 390, 320} {
				for _, scheme := range []string{"light", "dark"} {
					b.emulate(t, width, "screen", scheme)
					b.open(t, path)
					equal(t, b, `document.documentElement.scrollWidth - innerWidth`, 0)
					// What reaches beyond the side is inside an element that scrolls.
					equal(t, b, `[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1).length`, 0)
					equal(t, b, overlapping, 0)
					if c.heading != "" {
						equal(t, b, `document.querySelector("h1").innerText`, c.heading)
					}
					equal(t, b, `document.querySelectorAll(".box:not(.end)").length`, 25)
					if c.first != "" {
						equal(t, b, fmt.Sprintf(`document.querySelector(".box.first title").textContent.startsWith(%q)`, c.first), true)
					}
					dark := browsertest.Evaluate[bool](b.ctx, t, `getComputedStyle(document.body).backgroundColor.match(/\d+/g)[0] < 100`)
					if dark != (scheme == "dark") {
						t.Errorf("%s is dark: %t", scheme, dark)
					}
					if width == 1280 || width == 390 {
						browsertest.Screenshot(b.ctx, t, fmt.Sprintf("%s-%d-%s", c.name, width, scheme))
					}
				}
			}
			b.use(t)
			b.withoutScript(t, path)
			b.onPaper(t, path, c.name)
		})
	}
}

// emulate makes the window a phone or a desktop, light or dark.
func (b *reports) emulate(t *testing.T, width int64, media, scheme string) {
	t.Helper()
	browsertest.Do(b.ctx, t, chromedp.EmulateViewport(width, 900))
	browsertest.Emulate(b.ctx, t, media, scheme)
}

// use filters and sorts the table, and marks a line.
func (b *reports) use(t *testing.T) {
	t.Helper()
	const shown = `[...document.querySelectorAll("#all tbody tr:not(.why)")].filter(r => !r.hidden)`
	all := browsertest.Evaluate[int](b.ctx, t, shown+`.length`)
	find := func(text string) {
		browsertest.Evaluate[bool](b.ctx, t, fmt.Sprintf(`(() => { const e = document.getElementById("find"); e.value = %q; return e.dispatchEvent(new Event("input")); })()`, text))
	}
	find("OUTPUT0")
	equal(t, b, shown+`.length`, 2)
	equal(t, b, `document.getElementById("shown").textContent`, fmt.Sprintf("2 of %d", all))
	find("")
	browsertest.Evaluate[bool](b.ctx, t, `(() => { document.getElementById("bad").click(); return true; })()`)
	equal(t, b, shown+`.every(r => r.className === "failed")`, true)
	browsertest.Evaluate[bool](b.ctx, t, `(() => { document.getElementById("bad").click(); return true; })()`)
	equal(t, b, shown+`.length`, all)

	errors := shown + `.map(r => Number(r.cells[4].dataset.v))`
	before := browsertest.Evaluate[string](b.ctx, t, shown+`.map(r => r.cells[0].textContent).join()`)
	click := func(column int) {
		browsertest.Evaluate[bool](b.ctx, t, fmt.Sprintf(`(() => { document.querySelectorAll("#all thead button")[%d].click(); return true; })()`, column))
	}
	click(4)
	equal(t, b, errors+`.every((v, i, list) => i === 0 || list[i-1] >= v)`, true)
	equal(t, b, `document.querySelectorAll("#all th")[4].getAttribute("aria-sort")`, "descending")
	equal(t, b, `[...document.querySelectorAll("#all .why")].every(r => r.previousElementSibling.cells[0].textContent === "output0 boxes")`, true)
	click(4)
	equal(t, b, errors+`.every((v, i, list) => i === 0 || list[i-1] <= v)`, true)
	click(4)
	equal(t, b, shown+`.map(r => r.cells[0].textContent).join()`, before)

	drawings := browsertest.Evaluate[int](b.ctx, t, `document.querySelectorAll("figure > svg [data-line='1']").length`)
	browsertest.Evaluate[bool](b.ctx, t, `document.querySelector("[data-line='1']").dispatchEvent(new PointerEvent("pointerenter"))`)
	equal(t, b, `document.querySelectorAll(".band.on[data-line='1']").length`, drawings)
	equal(t, b, `document.querySelectorAll(".band.on").length`, drawings)
}

// withoutScript shows all rows, and no tools that would do nothing.
func (b *reports) withoutScript(t *testing.T, path string) {
	t.Helper()
	set := func(off bool) {
		if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: off}); err != nil {
			t.Fatal(err)
		}
	}
	set(true)
	defer set(false)
	b.open(t, path)
	equal(t, b, `document.querySelectorAll("#all tbody tr").length > 4`, true)
	equal(t, b, `document.getElementById("tools").offsetHeight`, 0)
}

// onPaper lays the page out for A4 with margins of 1 cm, in a browser that is dark: all of it has to fit, in black on white.
func (b *reports) onPaper(t *testing.T, path, name string) {
	t.Helper()
	b.emulate(t, 718, "print", "dark")
	b.open(t, path)
	equal(t, b, `getComputedStyle(document.body).backgroundColor`, "rgb(255, 255, 255)")
	equal(t, b, `getComputedStyle(document.querySelector("h1")).color`, "rgb(0, 0, 0)")
	if name != "hostile" { // whose names are too long for a table
		equal(t, b, `document.documentElement.scrollWidth - innerWidth`, 0)
	}
	browsertest.Screenshot(b.ctx, t, name+"-paper")
}
