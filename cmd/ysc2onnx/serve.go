//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// nativeCommands are those that only a program outside of a browser has.
func (a *app) nativeCommands() []*cobra.Command { return []*cobra.Command{a.serveCommand()} }

// servedPort is where the page is by default: it stays the same, so that the browser keeps the page for it.
const servedPort = 8425

func (a *app) serveCommand() *cobra.Command {
	var (
		port   int
		silent bool
	)
	cmd := &cobra.Command{
		Use:   "serve [FOLDER]",
		Short: "Show the page that converts in the browser, for this computer alone",
		Long: `Shows the page that converts, checks and tries out models in the browser, where nothing leaves the computer. It is
served to this computer alone, until interrupted. "make web" builds the page's folder, which any other server can show as
well; without FOLDER it is looked for beside this program, as web.`,
		Example: `  ysc2onnx serve
  ysc2onnx serve bin/web --port 9000 --no-open`,
		Args: cobra.ArbitraryArgs,
		RunE: a.runE(func(ctx context.Context, args []string) error {
			folder := ""
			if len(args) > 0 {
				var err error
				if folder, err = oneArg(args, "a folder"); err != nil {
					return err
				}
			}
			folder, err := pageFolder(folder)
			if err != nil {
				return err
			}
			if port < 0 || port > 65535 {
				return usagef("--port %d: want 0 (any free one) to 65535", port)
			}
			return a.serve(ctx, folder, port, !silent)
		}),
	}
	cmd.Flags().IntVar(&port, "port", servedPort, "`port` to serve at, 0 for any free one")
	cmd.Flags().BoolVar(&silent, "no-open", false, "do not open the browser")
	return cmd
}

// pageFolder is the folder of the page: the one that is named, or the one beside the program.
func pageFolder(named string) (string, error) {
	folder := named
	if folder == "" {
		program, err := os.Executable()
		if err == nil {
			program, err = filepath.EvalSymlinks(program)
		}
		if err != nil {
			return "", fmt.Errorf("the page is looked for beside this program, whose place is not known: %w; name its folder: ysc2onnx serve FOLDER", err)
		}
		folder = filepath.Join(filepath.Dir(program), "web")
	}
	if _, err := os.Stat(filepath.Join(folder, "ysc2onnx.wasm")); err != nil {
		return "", fmt.Errorf("%s does not hold the page: it has no ysc2onnx.wasm; build it with \"make web\" in the project's checkout, or name its folder: ysc2onnx serve FOLDER", folder)
	}
	return folder, nil
}

// pageHeaders let ONNX Runtime use threads, and the page ask for nothing elsewhere.
var pageHeaders = map[string]string{
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-cache",
	"X-Content-Type-Options":       "nosniff",
	"Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob: data:; " +
		"img-src 'self' blob: data:; media-src blob:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

// contentTypes are those of files that systems may not know.
var contentTypes = map[string]string{".mjs": "text/javascript; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm"}

// page gives the files of a folder.
func page(folder string) http.Handler {
	files := http.FileServer(http.Dir(folder))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range pageHeaders {
			w.Header().Set(name, value)
		}
		if kind := contentTypes[filepath.Ext(r.URL.Path)]; kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		files.ServeHTTP(w, r)
	})
}

// serve shows the page until ctx ends.
func (a *app) serve(ctx context.Context, folder string, port int, open bool) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("%w; --port 0 takes any free port", err)
	}
	_, taken, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	address := "http://localhost:" + taken + "/"
	if _, err := fmt.Fprintf(a.stdout, "%s   until interrupted\n", address); err != nil {
		return errors.Join(err, listener.Close())
	}
	if open {
		if err := openPage(ctx, address); err != nil {
			a.note("the browser could not be opened (%v): open %s in it", err, address)
		}
	}
	server := &http.Server{Handler: page(folder), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // who is served hears it by the connection
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// openPage opens an address in the user's browser.
func openPage(ctx context.Context, address string) error {
	words := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}}[runtime.GOOS]
	if words == nil {
		words = []string{"xdg-open"}
	}
	return exec.CommandContext(ctx, words[0], append(words[1:], address)...).Start() //nolint:gosec // the words are those above
}
