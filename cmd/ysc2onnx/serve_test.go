//go:build !js

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServe shows a folder to this computer alone, with the headers that the page needs, until it is interrupted.
func TestServe(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"index.html": "<!doctype html>hello", "ysc2onnx.wasm": "\x00asm", "a.mjs": "1"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	read, write := io.Pipe()
	ended := make(chan int)
	var stderr bytes.Buffer
	go func() { ended <- run(ctx, []string{"serve", folder, "--port", "0", "--no-open"}, nil, write, &stderr) }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, rest, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(address, "http://localhost:") || rest != "  until interrupted\n" {
		t.Fatalf("it says %q", line)
	}
	for path, want := range map[string][2]string{"": {"text/html; charset=utf-8", "<!doctype html>hello"}, "ysc2onnx.wasm": {"application/wasm", "\x00asm"}, "a.mjs": {"text/javascript; charset=utf-8", "1"}} {
		answer, err := http.Get(address + path) //nolint:noctx // it is in this process
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(body) != want[1] || answer.Header.Get("Content-Type") != want[0] {
			t.Errorf("%q is %q of type %q, expected %q; %v", path, body, answer.Header.Get("Content-Type"), want, err)
		}
		for name, value := range pageHeaders {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("%q has %s: %q, expected %q", path, name, got, value)
			}
		}
	}
	stop()
	if code := <-ended; code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, expected %d; %s", code, exitOK, &stderr)
	}
}

// TestServeNothing says what to do where the page is not.
func TestServeNothing(t *testing.T) {
	var stderr bytes.Buffer
	folder := t.TempDir()
	code := run(t.Context(), []string{"serve", folder, "--no-open"}, nil, io.Discard, &stderr)
	want := "ysc2onnx: " + folder + " does not hold the page: it has no ysc2onnx.wasm; build it with \"make web\" in the project's checkout, or name its folder: ysc2onnx serve FOLDER\n"
	if code != exitFailure || stderr.String() != want {
		t.Errorf("exit code %d, %q, expected %d, %q", code, stderr.String(), exitFailure, want)
	}
}
