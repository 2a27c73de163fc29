package ort

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"ysc2onnx/internal/replace"
)

// The npm package that carries ONNX Runtime's shared libraries, and the SHA-512
// of its tarball as the registry publishes it (the "integrity" of that version).
const (
	npmPackage = "onnxruntime-node@" + Version
	npmTarball = "onnxruntime-node-" + Version + ".tgz"
	npmSHA512  = "twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw=="
)

const (
	maxTarball = 512 << 20 // bytes of the tarball
	maxLibrary = 256 << 20 // bytes of the library inside
	maxEntries = 10_000    // files in the tarball
)

// members are the libraries inside the tarball, by GOOS/GOARCH.
var members = map[string]string{
	"linux/amd64":   "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
	"linux/arm64":   "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
	"darwin/arm64":  "package/bin/napi-v6/darwin/arm64/libonnxruntime." + Version + ".dylib",
	"windows/amd64": "package/bin/napi-v6/win32/x64/onnxruntime.dll",
	"windows/arm64": "package/bin/napi-v6/win32/arm64/onnxruntime.dll",
}

// InstallOptions change what Install does; the zero value downloads with npm.
type InstallOptions struct {
	Tarball  string                  // an onnxruntime-node tarball on this machine; npm is then not run
	Progress func(done, total int64) // called while the tarball is unpacked, in its bytes
}

// CacheDir is the folder in the user's cache that Install writes to and Find reads.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for ONNX Runtime: %w", err)
	}
	return filepath.Join(cache, "ysc2onnx", "onnxruntime", Version), nil
}

// Install puts this platform's shared library into the user's cache and gives
// its path. The npm client gets the package, whose SHA-512 is pinned. If the
// library is there already, nothing is done.
func Install(ctx context.Context, opts InstallOptions) (string, error) {
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	in := installer{dir: dir, platform: runtime.GOOS + "/" + runtime.GOARCH, sha512: npmSHA512, opts: opts}
	library, err := in.install(ctx)
	if err != nil {
		return "", fmt.Errorf("installing ONNX Runtime %s: %w", Version, err)
	}
	return library, nil
}

// installer holds what Install depends on.
type installer struct {
	dir      string
	platform string
	sha512   string
	opts     InstallOptions
}

func (in *installer) install(ctx context.Context) (string, error) {
	member, ok := members[in.platform]
	if !ok {
		return "", fmt.Errorf("there is no library for %s in npm's %s; build or get one yourself and name it with --ort-lib", in.platform, npmPackage)
	}
	target := filepath.Join(in.dir, path.Base(member))
	if info, err := os.Stat(target); err == nil && info.Mode().IsRegular() {
		return target, nil
	}
	if err := os.MkdirAll(in.dir, 0o755); err != nil {
		return "", err
	}
	in.sweep()
	tarball := in.opts.Tarball
	if tarball == "" {
		temp, err := os.MkdirTemp(in.dir, "npm-")
		if err != nil {
			return "", err
		}
		defer func() { _ = os.RemoveAll(temp) }() // the next install removes what stays
		if tarball, err = in.npm(ctx, temp, target); err != nil {
			return "", err
		}
	}
	return target, in.unpack(ctx, tarball, member, target)
}

// sweep removes the folders that installs which were killed left behind. Younger ones may belong to one that is running.
func (in *installer) sweep() {
	left, _ := filepath.Glob(filepath.Join(in.dir, "npm-*")) // the only error is a bad pattern
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(name) // it is only a waste of space
		}
	}
}

// npm downloads the tarball into a folder with the npm client.
func (in *installer) npm(ctx context.Context, folder, target string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("npm is not on the PATH; install Node.js, or run \"npm pack %s\" on another machine and give the file %s with --tarball, or put the library itself at %s",
			npmPackage, npmTarball, target)
	}
	cmd := exec.CommandContext(ctx, npm, "pack", npmPackage, "--ignore-scripts", "--silent")
	cmd.Dir = folder
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("npm pack %s: %w\n%s", npmPackage, err, strings.TrimSpace(said.String()))
	}
	return filepath.Join(folder, npmTarball), nil
}

// unpack checks the tarball's hash and moves one member of it to target.
func (in *installer) unpack(ctx context.Context, tarball, member, target string) (err error) {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > maxTarball {
		return fmt.Errorf("%s has %d bytes, more than the %d that are allowed", tarball, info.Size(), maxTarball)
	}
	sum := sha512.New()
	if _, err := io.Copy(sum, reader{ctx, f, nil}); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(sum.Sum(nil)); got != in.sha512 {
		return fmt.Errorf("%s is not the expected file: its SHA-512 is %s, want %s", tarball, got, in.sha512)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var done int64
	progress := func(n int) {
		done += int64(n)
		if in.opts.Progress != nil {
			in.opts.Progress(done, info.Size())
		}
	}
	zipped, err := gzip.NewReader(reader{ctx, f, progress})
	if err != nil {
		return fmt.Errorf("%s: %w", tarball, err)
	}
	if err := extract(tar.NewReader(zipped), member, target); err != nil {
		return fmt.Errorf("%s: %w", tarball, err)
	}
	return nil
}

// extract copies one member of an archive to target, or leaves target as it was.
func extract(archive *tar.Reader, member, target string) error {
	for range maxEntries {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("there is no %s in it", member)
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(filepath.FromSlash(h.Name)) {
			return fmt.Errorf("it holds %q, a name that leads out of its folder", h.Name)
		}
		if h.Size > maxLibrary {
			return fmt.Errorf("%s in it has %d bytes, more than the %d that are allowed", h.Name, h.Size, maxLibrary)
		}
		if h.Name != member {
			continue
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s in it is not a plain file", member)
		}
		return place(archive, h.Size, target)
	}
	return fmt.Errorf("it holds more than %d files", maxEntries)
}

// place writes size bytes to target, as a whole or not at all.
func place(r io.Reader, size int64, target string) error {
	return replace.File(target, size, true, func(w io.Writer) error {
		_, err := io.CopyN(w, r, size)
		return err
	})
}

// reader stops reading when its context ends, and counts.
type reader struct {
	ctx   context.Context
	r     io.Reader
	count func(n int)
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if r.count != nil {
		r.count(n)
	}
	return n, err
}
