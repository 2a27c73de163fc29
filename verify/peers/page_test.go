//go:build peers

package peers

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"ysc2onnx/verify/peers/browsertest"
)

// TestPage uses examples/deploy/web as people do: a picture first, the model after it, the slider, the buttons, files that are
// neither; on a desktop and a phone, light and dark; in the end without the server. SCREENSHOTS=folder keeps what was seen.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	model, broken := filepath.Join(folder, "yolov5n.onnx"), filepath.Join(folder, "broken.onnx")
	raw := filepath.Join(folder, "raw.onnx")
	want(t, 0, tool(t), sharedFile(t, "data", "yolov5n-coco.pt"), "-o", model, "--quiet", "--no-verify")
	want(t, 0, tool(t), sharedFile(t, "data", "yolov5n-coco.pt"), "-o", raw, "--quiet", "--no-verify", "--head", "raw")
	if err := os.WriteFile(broken, []byte("no protobuf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	bus, zidane, expected := sharedFile(t, "data", "bus.jpg"), sharedFile(t, "data", "zidane.jpg"), detections(t)

	server := serve(t, folder, true)
	p := openBrowser(t, server.URL)
	p.emulate(t, 1280, 860, 1, "light")
	browsertest.Do(p.ctx, t, chromedp.Navigate(server.URL))
	if !browsertest.Evaluate[bool](p.ctx, t, "crossOriginIsolated") {
		t.Error("the page is not isolated, as threads need it")
	}
	browsertest.Screenshot(p.ctx, t, "empty-light")

	p.drop(t, bus)
	p.settle(t, "shown")
	p.says(t, "A model is needed, too: a YOLOv5 .onnx file.")
	if !browsertest.Evaluate[bool](p.ctx, t, `[...document.querySelectorAll("input[accept='.onnx']")].some(e => e.labels[0].offsetParent)`) {
		t.Error("with a picture alone, no button asks for a model")
	}
	browsertest.Screenshot(p.ctx, t, "picture-first-light")
	p.drop(t, model)
	p.settle(t, "ready")
	sameObjects(t, "bus.jpg, dropped before the model", p.objects(t), expected["bus.jpg"])
	browsertest.Screenshot(p.ctx, t, "bus-light")
	p.emulate(t, 390, 844, 2, "dark")
	p.fits(t)
	browsertest.Screenshot(p.ctx, t, "bus-phone-dark")

	p.drop(t, enlarged(t, bus, 4)) // it is unpacked in strips
	sure := slices.DeleteFunc(slices.Clone(expected["bus.jpg"]), func(o object) bool { return o.Score < 0.5 })
	if found := p.objects(t); !slices.Equal(classNames(found), classNames(sure)) {
		t.Errorf("in the enlarged picture there are %q, expected %q", classNames(found), classNames(sure))
	}

	p.drop(t, broken)
	p.complains(t, "broken.onnx cannot be used: not an ONNX file")
	p.drop(t, raw)
	p.complains(t, "raw.onnx cannot be used: its output0 has 4 dimensions: raw maps, not decoded boxes; export it without --head")
	p.drop(t, "page_test.go")
	p.complains(t, "page_test.go is not a picture that this browser can show.")

	server.Close() // what is needed is here
	browsertest.Do(p.ctx, t, chromedp.SetUploadFiles(`#found input[type=file]`, absolute(t, zidane)))
	sameObjects(t, "zidane.jpg, chosen", p.objects(t), expected["zidane.jpg"])
	browsertest.Screenshot(p.ctx, t, "zidane-phone-dark")
	p.emulate(t, 1280, 860, 1, "dark")
	p.fits(t)
	browsertest.Screenshot(p.ctx, t, "zidane-dark")

	for _, c := range []struct{ percent, objects int }{{75, 1}, {50, 2}, {30, 3}, {25, 4}} { // 0.76, 0.71, 0.35, 0.28
		script := fmt.Sprintf(`(async () => { const e = document.getElementById("confidence"); e.value = %d; await e.oninput(); })().then(() => true)`, c.percent)
		browsertest.Evaluate[bool](p.ctx, t, script)
		if n := len(p.objects(t)); n != c.objects {
			t.Errorf("%d objects over %d%%, expected %d", n, c.percent, c.objects)
		}
	}
	elsewhere := `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith("blob:") && !n.startsWith("data:")).join()`
	if names := browsertest.Evaluate[string](p.ctx, t, elsewhere); names != "" {
		t.Errorf("the page asked elsewhere: %s", names)
	}
}

// enlarged is a picture with each pixel repeated, side times along each side.
func enlarged(t *testing.T, path string, side int) string {
	t.Helper()
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	small, err := jpeg.Decode(from)
	if err != nil {
		t.Fatal(err)
	}
	large := image.NewRGBA(image.Rect(0, 0, small.Bounds().Dx()*side, small.Bounds().Dy()*side))
	for y := range large.Rect.Dy() {
		for x := range large.Rect.Dx() {
			large.Set(x, y, small.At(x/side, y/side))
		}
	}
	to, err := os.Create(filepath.Join(t.TempDir(), "large.jpg"))
	if err == nil {
		err = errors.Join(jpeg.Encode(to, large, &jpeg.Options{Quality: 95}), to.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

// classNames are the names of objects, sorted.
func classNames(list []object) (names []string) {
	for _, o := range list {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	return names
}

// says demands a text below the picture.
func (p *page) says(t *testing.T, text string) {
	t.Helper()
	if got := browsertest.Evaluate[string](p.ctx, t, `document.getElementById("status").textContent`); got != text {
		t.Errorf("the page says %q, expected %q", got, text)
	}
}

// complains waits for an error, and demands its text.
func (p *page) complains(t *testing.T, text string) {
	t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool](`Boolean(document.querySelector("body:not(.busy) .wrong"))`)); err != nil {
		t.Fatal(err)
	}
	p.says(t, text)
}

// fits demands that nothing reaches beyond the window's side.
func (p *page) fits(t *testing.T) {
	t.Helper()
	if over := browsertest.Evaluate[int](p.ctx, t, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("the page is %d pixels wider than the window", over)
	}
}
