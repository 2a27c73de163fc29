package ort

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// file is one member of a made-up tarball.
type file struct {
	name string
	kind byte // 0 means a plain file
	body string
	size int64 // 0 means that of the body
}

// tarball writes an archive and gives its path and hash. A size that is not the
// body's ends the archive there, as such a header does.
func tarball(t *testing.T, files ...file) (path, hash string) {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(f.body))}
		if f.kind != 0 {
			h.Typeflag, h.Linkname, h.Size = f.kind, "/etc/passwd", 0
		}
		if f.size != 0 {
			h.Size = f.size
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
		if f.size != 0 {
			break
		}
	}
	if files[len(files)-1].size == 0 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "package.tgz")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(buf.Bytes())
	return path, base64.StdEncoding.EncodeToString(sum[:])
}

const member = "package/bin/napi-v6/linux/x64/libonnxruntime.so.1"

func TestInstall(t *testing.T) {
	path, hash := tarball(t, file{name: "package/README.md", body: "hello"}, file{name: member, body: "the library"}, file{name: "package/more", body: "x"})
	dir := filepath.Join(t.TempDir(), "deep", "cache")
	var last, total int64
	in := installer{dir: dir, platform: "linux/amd64", sha512: hash, opts: InstallOptions{Tarball: path, Progress: func(d, n int64) { last, total = d, n }}}
	got, err := in.install(context.Background())
	if want := filepath.Join(dir, "libonnxruntime.so.1"); err != nil || got != want {
		t.Fatalf("got %s, %v, want %s", got, err, want)
	}
	if body, err := os.ReadFile(got); err != nil || string(body) != "the library" {
		t.Errorf("installed %q, %v", body, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if last == 0 || last > total {
		t.Errorf("progress ended at %d of %d", last, total)
	}
	// A second time nothing is read: the tarball may be gone.
	in.opts.Tarball = filepath.Join(dir, "gone.tgz")
	if again, err := in.install(context.Background()); err != nil || again != got {
		t.Errorf("again: %s, %v", again, err)
	}
}

func TestInstallRefuses(t *testing.T) {
	good := file{name: member, body: "the library"}
	tests := []struct {
		name  string
		files []file
		want  string // after the tarball's path and ": "; DIR is the cache
	}{
		{"parent folder", []file{{name: "../evil", body: "x"}, good}, `it holds "../evil", a name that leads out of its folder`},
		{"inner parent folder", []file{{name: "package/../../evil", body: "x"}, good}, `it holds "package/../../evil", a name that leads out of its folder`},
		{"absolute", []file{{name: "/etc/evil", body: "x"}, good}, `it holds "/etc/evil", a name that leads out of its folder`},
		{"link", []file{{name: member, kind: tar.TypeSymlink}}, member + " in it is not a plain file"},
		{"too large", []file{{name: member, body: "x", size: maxLibrary + 1}}, member + " in it has 268435457 bytes, more than the 268435456 that are allowed"},
		{"other too large", []file{{name: "package/x", body: "x", size: maxLibrary + 1}}, "package/x in it has 268435457 bytes, more than the 268435456 that are allowed"},
		{"cut off", []file{{name: member, body: "x", size: 100}}, "cannot write DIR/libonnxruntime.so.1: unexpected EOF"},
		{"not in it", []file{{name: "package/README.md", body: "x"}}, "there is no " + member + " in it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, hash := tarball(t, test.files...)
			dir := t.TempDir()
			in := installer{dir: dir, platform: "linux/amd64", sha512: hash, opts: InstallOptions{Tarball: path}}
			want := path + ": " + strings.Replace(test.want, "DIR", dir, 1)
			if _, err := in.install(context.Background()); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
				t.Errorf("left behind: %v, %v", entries, err)
			}
		})
	}
}

func TestInstallWrongHash(t *testing.T) {
	path, hash := tarball(t, file{name: member, body: "the library"})
	in := installer{dir: t.TempDir(), platform: "linux/amd64", sha512: npmSHA512, opts: InstallOptions{Tarball: path}}
	want := path + " is not the expected file: its SHA-512 is " + hash + ", want " + npmSHA512
	if _, err := in.install(context.Background()); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestInstallOtherPlatform(t *testing.T) {
	in := installer{dir: t.TempDir(), platform: "plan9/386"}
	want := "there is no library for plan9/386 in npm's onnxruntime-node@1.30.0; build or get one yourself and name it with --ort-lib"
	if _, err := in.install(context.Background()); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestInstallWithoutNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	in := installer{dir: dir, platform: "linux/amd64"}
	want := `npm is not on the PATH; install Node.js, or run "npm pack onnxruntime-node@1.30.0" on another machine and give the file onnxruntime-node-1.30.0.tgz with --tarball, or put the library itself at ` +
		filepath.Join(dir, "libonnxruntime.so.1")
	if _, err := in.install(context.Background()); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestInstallWithNPM stands in for npm: one that fails, one that delivers.
func TestInstallWithNPM(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("platform: the stand-in for npm is a shell script")
	}
	path, hash := tarball(t, file{name: member, body: "the library"})
	bin := t.TempDir()
	npm := func(script string) {
		if err := os.WriteFile(filepath.Join(bin, "npm"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	dir := t.TempDir()
	in := installer{dir: dir, platform: "linux/amd64", sha512: hash}
	npm("echo 'no network' >&2; exit 7")
	want := "npm pack onnxruntime-node@1.30.0: exit status 7\nno network"
	if _, err := in.install(context.Background()); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	npm(`[ "$1 $2" = "pack onnxruntime-node@1.30.0" ] && cp '` + path + `' onnxruntime-node-1.30.0.tgz`)
	if _, err := in.install(context.Background()); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

func TestInstallSweeps(t *testing.T) {
	path, hash := tarball(t, file{name: member, body: "the library"})
	dir := t.TempDir()
	stale, fresh := filepath.Join(dir, "npm-123"), filepath.Join(dir, "npm-456")
	half := put(t, dir, ".libonnxruntime.so.1.0123abcd.ysc2onnx-tmp")
	past := time.Now().Add(-2 * time.Hour)
	if err := errors.Join(os.Mkdir(stale, 0o755), os.Mkdir(fresh, 0o755), os.Chtimes(stale, past, past), os.Chtimes(half, past, past)); err != nil {
		t.Fatal(err)
	}
	in := installer{dir: dir, platform: "linux/amd64", sha512: hash, opts: InstallOptions{Tarball: path}}
	if _, err := in.install(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{stale, half} {
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s stays: %v", name, err)
		}
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the folder of a running install is gone: %v", err)
	}
}

func TestInstallCancelled(t *testing.T) {
	path, hash := tarball(t, file{name: member, body: strings.Repeat("x", 1000)})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	in := installer{dir: t.TempDir(), platform: "linux/amd64", sha512: hash, opts: InstallOptions{Tarball: path}}
	if _, err := in.install(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
