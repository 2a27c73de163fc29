//go:build peers

package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"ysc2onnx/verify/peers/browsertest"
)

// page is a tab of a headless Chromium that shows examples/deploy/web.
type page struct {
	ctx     context.Context
	address string // where the page comes from
}

// serve is a server of examples/deploy/web that also has the files of a folder, under files/. With threads, it sends the
// headers that let ONNX Runtime use more than one.
func serve(t *testing.T, folder string, threads bool) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(filepath.Join(deployFolder, "web"))))
	mux.Handle("GET /ort/", http.StripPrefix("/ort/", http.FileServer(http.Dir(filepath.Join(nodeModules(t), "onnxruntime-web", "dist")))))
	mux.Handle("GET /files/", http.StripPrefix("/files/", http.FileServer(http.Dir(folder))))
	mux.HandleFunc("POST /files/{name}", func(w http.ResponseWriter, r *http.Request) {
		file, err := os.Create(filepath.Join(folder, filepath.Base(r.PathValue("name"))))
		if err == nil {
			_, err = file.ReadFrom(r.Body)
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if threads {
			w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
			w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// openBrowser starts Chromium for the page at an address.
func openBrowser(t *testing.T, address string) *page {
	t.Helper()
	return &page{browsertest.Open(t, 5*time.Minute), address}
}

// open loads the page with a model, by its address from the page's, and waits until it is ready.
func (p *page) open(t *testing.T, model string) {
	t.Helper()
	browsertest.Do(p.ctx, t, chromedp.Navigate(p.address+"/?model="+model))
	p.settle(t, "ready")
}

// settle waits until the page has a class and is not busy, and demands that it complains about nothing.
func (p *page) settle(t *testing.T, class string) {
	t.Helper()
	script := fmt.Sprintf(`document.querySelector(".wrong") || document.body.classList.contains(%q) && !document.body.classList.contains("busy")`, class)
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("Boolean("+script+")", chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0))); err != nil {
		t.Fatal(err)
	}
	if text := browsertest.Evaluate[string](p.ctx, t, `document.querySelector(".wrong")?.textContent ?? ""`); text != "" {
		t.Fatalf("the page says: %s", text)
	}
}

// drop drags files from the desktop over the page and lets them fall.
func (p *page) drop(t *testing.T, files ...string) {
	t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: absolute(t, files...), DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{
		input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop,
	} {
		event := input.DispatchDragEventParams{Type: kind, X: 200, Y: 300, Data: data}
		if _, err := chromedp.Call(p.ctx, input.DispatchDragEvent, event); err != nil {
			t.Fatal(err)
		}
	}
}

// absolute are paths as the browser needs them.
func absolute(t *testing.T, files ...string) []string {
	t.Helper()
	var paths []string
	for _, file := range files {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// objects are those that the page shows, as its JSON says; there must be a box and a row for each.
func (p *page) objects(t *testing.T) []object {
	t.Helper()
	p.settle(t, "shown")
	var found []object
	if err := json.Unmarshal([]byte(browsertest.Evaluate[string](p.ctx, t, `document.getElementById("json").textContent`)), &found); err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{"#boxes > .box", "#list > li"} {
		if n := browsertest.Evaluate[int](p.ctx, t, fmt.Sprintf(`document.querySelectorAll(%q).length`, shown)); n != len(found) {
			t.Errorf("the page has %d %s for %d objects", n, shown, len(found))
		}
	}
	return found
}

// emulate makes the window a phone or a desktop, light or dark.
func (p *page) emulate(t *testing.T, width, height int64, scale float64, scheme string) {
	t.Helper()
	browsertest.Do(p.ctx, t, chromedp.EmulateViewport(width, height, chromedp.EmulateScale(scale)))
	browsertest.Emulate(p.ctx, t, "screen", scheme)
}
