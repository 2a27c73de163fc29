//go:build unix

package onnxfile_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ysc2onnx/onnxbuild/onnxfile"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	stat, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return stat.Mode().Perm()
}

func TestPermissions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	previous := syscall.Umask(0o027)
	info := write(t, path, sample(), outside)
	syscall.Umask(previous)
	if mode(t, path) != 0o640 || mode(t, info.DataPath) != 0o640 {
		t.Errorf("with umask 027, the files are %o and %o", mode(t, path), mode(t, info.DataPath))
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	info = write(t, path, sum(source{}, 1000), outside)
	if mode(t, path) != 0o604 || mode(t, info.DataPath) != 0o604 {
		t.Errorf("in the place of a file that was 604, the files are %o and %o", mode(t, path), mode(t, info.DataPath))
	}
}

// A device stays a device, and a pipe gets the bytes.
func TestWriteDirectly(t *testing.T) {
	write(t, os.DevNull, sample(), onnxfile.FileOptions{})
	if stat, err := os.Stat(os.DevNull); err != nil || stat.Mode()&os.ModeCharDevice == 0 {
		t.Fatal(os.DevNull, " is no device any more")
	}

	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	go func() {
		b, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		got <- b
	}()
	write(t, pipe, sample(), onnxfile.FileOptions{Version: "1.2.3"})
	if !bytes.Equal(<-got, recorded(t, "sample.onnx")) {
		t.Error("other bytes came through the pipe")
	}
	_, err := onnxfile.WriteFile(context.Background(), os.DevNull, sample(), outside)
	const want = "cannot write /dev/null: the model takes 2.4 KiB: a single ONNX file holds at most 2 GB. Write it to a file, so that its data can lie in a second file beside it"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
