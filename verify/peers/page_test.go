//go:build peers

package peers

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func TestShots(t *testing.T) {
	folder := t.TempDir()
	want(t, 0, tool(t), sharedFile(t, "data", "yolov5n-coco.pt"), "-o", folder+"/yolov5n.onnx", "--quiet", "--no-verify")
	p := openBrowser(t, folder, true)
	p.emulate(t, 1280, 860, 1, "light")
	p.do(t, chromedp.Navigate(p.server.URL))
	p.screenshot(t, "empty-light")
	p.open(t, "yolov5n.onnx")
	p.emulate(t, 390, 844, 2, "dark")
	p.screenshot(t, "ready-phone-dark")
	p.emulate(t, 1280, 860, 1, "light")
	p.drop(t, sharedFile(t, "data", "bus.jpg"))
	t.Log(p.objects(t))
	p.screenshot(t, "bus-light")
	p.emulate(t, 390, 844, 2, "dark")
	p.screenshot(t, "bus-phone-dark")
	p.drop(t, sharedFile(t, "data", "zidane.jpg"))
	p.objects(t)
	p.screenshot(t, "zidane-phone-dark")
	p.emulate(t, 1280, 860, 1, "dark")
	p.screenshot(t, "zidane-dark")
	t.Log(evaluate[bool](t, p, "crossOriginIsolated"), evaluate[string](t, p, "document.getElementById('status').textContent"))
}
