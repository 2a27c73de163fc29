//go:build peers

package peers

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"ysc2onnx/verify"
	"ysc2onnx/verify/engine"
	"ysc2onnx/verify/peers/browsertest"
)

// converter is a tab that shows the page that converts.
type converter struct {
	*page
	server *httptest.Server
}

// openConverter shows the page as make web builds it, from a server that knows nothing of it. At the end of the test, the page
// must not have complained in the console, broken its own policy, or asked anyone else for anything.
func openConverter(t *testing.T) *converter {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(webFolder(t))))
	t.Cleanup(server.Close)
	c := &converter{openBrowser(t, server.URL), server}
	var mu sync.Mutex
	var complaints []string
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(c.ctx, enable, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(c.ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	listen := func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			complain("%s: %s", e.Entry.Level, e.Entry.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				complain("console: %s", e.Args[0].Value)
			}
		case *runtime.EventExceptionThrown:
			complain("exception: %s", e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if url := e.Request.URL; !strings.HasPrefix(url, server.URL+"/") && !strings.HasPrefix(url, "blob:"+server.URL) && !strings.HasPrefix(url, "data:") {
				complain("a request to %s", url)
			}
		}
	}
	if err := chromedp.Listen(c.ctx, listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, text := range complaints {
			t.Errorf("the page: %s", text)
		}
	})
	c.emulate(t, 1440, 900, 1, "light")
	browsertest.Do(c.ctx, t, chromedp.Navigate(server.URL+"/"))
	return c
}

// wait waits until a script is true, at most two minutes.
func (c *converter) wait(t *testing.T, script string) {
	t.Helper()
	poll := chromedp.Poll[bool]("Boolean("+script+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(2*time.Minute))
	if _, err := chromedp.Run(c.ctx, poll); err != nil {
		t.Fatalf("%s: %v; the page says %q", script, err, c.status(t))
	}
}

// status is what the page says.
func (c *converter) status(t *testing.T) string {
	t.Helper()
	return browsertest.Evaluate[string](c.ctx, t, `document.getElementById("status").textContent`)
}

// convert drops files, and waits until what they make is there.
func (c *converter) convert(t *testing.T, files ...string) {
	t.Helper()
	c.drop(t, files...)
	c.wait(t, `!document.getElementById("model").hidden && document.querySelector("#figures div")`)
	c.click(t, "convert")
	c.wait(t, `!document.getElementById("result").hidden || document.querySelector(".wrong")`)
}

func (c *converter) click(t *testing.T, id string) {
	t.Helper()
	browsertest.Evaluate[bool](c.ctx, t, fmt.Sprintf(`document.getElementById(%q).click() === undefined`, id))
}

// text is what an element says.
func (c *converter) text(t *testing.T, id string) string {
	t.Helper()
	return browsertest.Evaluate[string](c.ctx, t, fmt.Sprintf(`document.getElementById(%q).textContent`, id))
}

// TestConverter does what people do: drops a checkpoint, sees what it is, converts and gets the native program's bytes, checked
// layer by layer; drops a picture and sees the objects that YOLOv5 finds; then once more without the server.
func TestConverter(t *testing.T) {
	model := sharedFile(t, "data", "yolov5n-coco.pt")
	c := openConverter(t)
	browsertest.Screenshot(c.ctx, t, "convert-empty-light")
	c.wait(t, `!document.getElementById("offline").hidden`)

	c.convert(t, model)
	if text := c.status(t); text != "Every check held." {
		t.Errorf("the page says %q", text)
	}
	expected := native(t, c.text(t, "command"), filepath.Dir(model))
	if got := c.text(t, "sum"); got != expected {
		t.Errorf("the page shows SHA-256 %s, natively %s", got, expected)
	}
	if names := browsertest.Evaluate[[]string](c.ctx, t, `[...document.querySelectorAll("#checks .ok b")].map(e => e.textContent)`); !slices.Equal(names, []string{"Structure", "Inputs and outputs", "Weights", "Numbers", "Loading", "Run"}) {
		t.Errorf("the checks that held are %q", names)
	}
	if got := c.savedSum(t); got != expected {
		t.Errorf("what is saved has SHA-256 %s, natively %s", got, expected)
	}

	c.server.Close() // what is needed is here
	browsertest.Do(c.ctx, t, chromedp.Navigate(c.address+"/"))
	c.convert(t, model)
	if got := c.text(t, "sum"); got != expected {
		t.Errorf("without the network, the page shows SHA-256 %s, natively %s", got, expected)
	}
	c.drop(t, sharedFile(t, "data", "bus.jpg"))
	c.wait(t, `document.querySelectorAll("#list li").length`)
	want := detections(t)["bus.jpg"]
	var found []string
	for _, o := range want {
		found = append(found, fmt.Sprintf("%s%.0f%%", o.Name, 100*o.Score))
	}
	if got := browsertest.Evaluate[[]string](c.ctx, t, `[...document.querySelectorAll("#list li")].map(e => e.textContent)`); !slices.Equal(got, found) {
		t.Errorf("the page finds %q, expected %q", got, found)
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1440, 390} {
			c.emulate(t, width, 844, 1, scheme)
			c.fits(t)
			browsertest.Screenshot(c.ctx, t, fmt.Sprintf("convert-%d-%s", width, scheme))
		}
	}
}

// savedSum is the SHA-256 of the file that the page would save, as the browser computes it.
func (c *converter) savedSum(t *testing.T) string {
	t.Helper()
	return browsertest.Evaluate[string](c.ctx, t, `(async () => {
		const seen = new Promise(found => { HTMLAnchorElement.prototype.click = function () { found(this.href); }; });
		globalThis.showSaveFilePicker = undefined;
		document.getElementById("save").click();
		const bytes = await (await fetch(await seen)).arrayBuffer();
		return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map(b => b.toString(16).padStart(2, "0")).join("");
	})()`)
}

// TestConverterRefuses gives the page what it cannot convert: each time it says why, and goes on working.
func TestConverterRefuses(t *testing.T) {
	folder := t.TempDir()
	whole, err := os.ReadFile(sharedFile(t, "data", "yolov5n-coco.pt"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := openConverter(t)
	c.wait(t, `!document.getElementById("offline").hidden`)
	for _, r := range []struct{ path, says string }{
		{write("half.pt", whole[:len(whole)/2]), "half.pt"},
		{write("noise.pt", []byte(strings.Repeat("no model ", 999))), "noise.pt"},
		{filepath.Join("..", "..", "checkpoint", "testdata", "torchscript.pt"), "it is TorchScript"},
		{write("notes.txt", []byte("nothing")), "notes.txt cannot be used here"},
	} {
		c.drop(t, r.path)
		c.wait(t, `document.querySelector("#status.wrong")`)
		if text := c.status(t); !strings.Contains(text, r.says) {
			t.Errorf("of %s the page says %q", filepath.Base(r.path), text)
		}
	}

	c.drop(t, write("wrong.yaml", []byte("nc: 1\ndepth_multiple: 1\nwidth_multiple: 1\nanchors: 3\nbackbone:\n  - [-1, 1, Cnv, [8]]\nhead:\n  - [[0], 1, Detect, [nc, anchors]]\n")))
	c.wait(t, `document.querySelector("#found .error")`)
	if text := c.text(t, "found"); !strings.Contains(text, `there is no module "Cnv"`) || !strings.Contains(text, "line 6") {
		t.Errorf("the editor says %q", text)
	}
	if marked := c.text(t, "marks"); !strings.Contains(marked, "Cnv") || browsertest.Evaluate[string](c.ctx, t, `document.querySelector("mark").textContent`) != "Cnv" {
		t.Errorf("the mark is not on Cnv: %q", marked)
	}
	browsertest.Screenshot(c.ctx, t, "convert-editor-light")
	browsertest.Evaluate[bool](c.ctx, t, `(() => { const e = document.getElementById("yaml"); e.value = e.value.replace("Cnv", "Conv"); e.dispatchEvent(new Event("input")); return true; })()`)
	c.wait(t, `document.querySelector("#figures div") && !document.querySelector("#found .error")`)

	// A store that gets full while the file is written: the program says so, and nothing is left. One that is full from the
	// beginning: the file is held in memory.
	model := sharedFile(t, "data", "yolov5n-coco.pt")
	used := browsertest.Evaluate[float64](c.ctx, t, `navigator.storage.estimate().then(e => e.usage)`)
	for _, quota := range []float64{used + 4e6, 1e6} {
		limit := storage.OverrideQuotaForOriginParams{Origin: c.address, QuotaSize: &quota}
		if _, err := chromedp.Call(c.ctx, storage.OverrideQuotaForOrigin, limit); err != nil {
			t.Fatal(err)
		}
		c.convert(t, model)
		full := strings.Contains(c.status(t), "No space left on device")
		if full != (quota > 1e6) || !full && c.savedSum(t) != native(t, c.text(t, "command"), filepath.Dir(model)) {
			t.Errorf("with a quota of %.0f bytes the page says %q", quota, c.status(t))
		}
		c.empty(t)
	}
}

// empty demands that the browser's store has no file of the page's.
func (c *converter) empty(t *testing.T) {
	t.Helper()
	names := browsertest.Evaluate[[]string](c.ctx, t, `(async () => {
		const names = [];
		for await (const folder of (await navigator.storage.getDirectory()).values()) for await (const file of folder.values()) names.push([folder.name, file.name, (await file.getFile()).size].join(" "));
		return names;
	})()`)
	if len(names) > 0 {
		t.Errorf("the store still holds %q", names)
	}
}

// TestConverterLarge converts a checkpoint of yolov5x's size, with drawn weights: first it is stopped midway, then goes
// through. The bytes are the native program's, and no heap grows with the model.
func TestConverterLarge(t *testing.T) {
	folder := t.TempDir()
	model := filepath.Join(folder, "yolov5x.safetensors")
	yaml := example("yolov5x")
	drawn(t, yaml, model)
	if err := os.Symlink(absolute(t, yaml)[0], filepath.Join(folder, "yolov5x.yaml")); err != nil {
		t.Fatal(err)
	}
	c := openConverter(t)
	c.wait(t, `!document.getElementById("offline").hidden`)
	browsertest.Evaluate[bool](c.ctx, t, `(() => { const e = document.querySelector("[name=check]"); e.value = "none"; return true; })()`)
	c.drop(t, yaml, model)
	c.wait(t, `document.querySelector("#figures div") && !document.getElementById("convert").disabled`)
	c.click(t, "convert")
	c.wait(t, `document.getElementById("progress").value > 0.2`)
	c.click(t, "cancel")
	c.wait(t, `document.getElementById("status").textContent === "Cancelled. Nothing was kept."`)
	c.empty(t)

	begin := time.Now()
	c.click(t, "convert")
	c.wait(t, `!document.getElementById("result").hidden || document.querySelector(".wrong")`)
	t.Logf("%v in the browser", time.Since(begin))
	if got, expected := c.text(t, "sum"), native(t, c.text(t, "command"), folder); got != expected {
		t.Errorf("the page shows SHA-256 %s, natively %s", got, expected)
	}
	if heap := browsertest.Evaluate[int](c.ctx, t, `performance.memory.usedJSHeapSize`); heap > 50<<20 {
		t.Errorf("the page holds %d bytes, at most 50 MiB are wanted", heap)
	}
}

// drawn writes a safetensors file of the weights that are drawn for a YAML without a checkpoint, taken from its ONNX file.
func drawn(t *testing.T, yaml, path string) {
	t.Helper()
	model := filepath.Join(t.TempDir(), "drawn.onnx")
	want(t, 0, tool(t), yaml, "-o", model, "--no-optimize", "--no-verify", "--quiet")
	facts, err := verify.Structure(t.Context(), model)
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header, parts, end := map[string]entry{}, []io.Reader{nil}, int64(0)
	for _, name := range facts.Tensors() {
		if s, _ := facts.Stored(name); strings.HasPrefix(name, "model.") && s.DType == engine.Float32 {
			header[name] = entry{"F32", s.Dims, [2]int64{end, end + s.Length}}
			parts, end = append(parts, io.NewSectionReader(from, s.Offset, s.Length)), end+s.Length
		}
	}
	anchors := []byte{} // what a checkpoint has besides: as of the YAML, in cells of 8, 16 and 32 pixels
	for i, side := range []float32{10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326} {
		anchors = binary.LittleEndian.AppendUint32(anchors, math.Float32bits(side/float32(int(8)<<(i/6))))
	}
	header["model.24.anchors"] = entry{"F32", []int64{3, 3, 2}, [2]int64{end, end + int64(len(anchors))}}
	parts = append(parts, bytes.NewReader(anchors))
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	parts[0] = bytes.NewReader(append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...))
	to, err := os.Create(path)
	if err == nil {
		_, err = io.Copy(to, io.MultiReader(parts...))
		err = errors.Join(err, to.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
