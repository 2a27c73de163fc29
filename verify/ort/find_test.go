package ort

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// put makes an empty file and the folders above it.
func put(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindOrder(t *testing.T) {
	dir := t.TempDir()
	flag, env := put(t, dir, "flag", "mine.so"), put(t, dir, "env", "libonnxruntime.so.1")
	cache, system := put(t, dir, "cache", "libonnxruntime.so.1"), put(t, dir, "system", "libonnxruntime.so.1.27.0")
	python := put(t, dir, "python", "libonnxruntime.so.1.25.1")
	put(t, dir, "system", "libonnxruntime.so.1.26.3")
	put(t, dir, "system", "libonnxruntime.so.1.9.0")
	put(t, dir, "system", "libonnxruntime_providers_shared.so")
	s := search{goos: "linux", cache: filepath.Join(dir, "cache"), chosen: filepath.Join(dir, "env"),
		system: []string{filepath.Join(dir, "nowhere"), filepath.Join(dir, "system")}, python: []string{filepath.Join(dir, "python")}}
	check := func(explicit string, want Library) {
		t.Helper()
		if got, err := s.find(explicit); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	check(flag, Library{flag, "--ort-lib"})
	check("", Library{env, "ORT_LIB"})
	s.chosen = ""
	check("", Library{cache, "cache"})
	s.cache = ""
	check("", Library{system, "system"})
	s.system = nil
	check("", Library{python, "python"})
}

func TestFindOtherSystems(t *testing.T) {
	for goos, name := range map[string]string{"darwin": "libonnxruntime.1.30.0.dylib", "windows": "onnxruntime.dll"} {
		path := put(t, t.TempDir(), name)
		s := search{goos: goos, cache: filepath.Dir(path)}
		if got, err := s.find(""); err != nil || got.Path != path {
			t.Errorf("%s: %v, %v", goos, got, err)
		}
	}
}

func TestFindErrors(t *testing.T) {
	dir := t.TempDir()
	old := put(t, dir, "python", "libonnxruntime.so.1.16.3")
	s := search{goos: "linux", cache: filepath.Join(dir, "cache"), python: []string{filepath.Dir(old)}}
	_, err := s.find("")
	want := "ONNX Runtime's shared library was not found; looked in:\n" +
		"  " + s.cache + ": no such folder\n" +
		"  system: no folder to look in\n" +
		"  " + old + ": too old, 1.24 or newer is needed\n" +
		"  " + filepath.Dir(old) + ": no usable library in it\n" +
		"get it with: ysc2onnx runtime install (or name it with --ort-lib or ORT_LIB)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	// What the user names is not passed over.
	for explicit, want := range map[string]string{
		filepath.Join(dir, "none.so"): "--ort-lib: stat " + filepath.Join(dir, "none.so") + ": no such file or directory",
		filepath.Dir(old):             "--ort-lib: " + filepath.Dir(old) + ": no usable library in it",
	} {
		if _, err := s.find(explicit); err == nil || (runtime.GOOS != "windows" && err.Error() != want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestPythonFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("platform: the layout made here is that of Unix")
	}
	dir := t.TempDir()
	python := put(t, dir, "env", "bin", "python3")
	if err := os.Chmod(python, 0o755); err != nil {
		t.Fatal(err)
	}
	lib := put(t, dir, "env", "lib", "python3.11", "site-packages", "onnxruntime", "capi", "libonnxruntime.so.1.27.0")
	t.Setenv("PATH", filepath.Dir(python))
	t.Setenv("VIRTUAL_ENV", "")
	t.Setenv("CONDA_PREFIX", "")
	if got := pythonFolders("linux"); len(got) != 1 || got[0] != filepath.Dir(lib) {
		t.Errorf("got %v, want %s", got, filepath.Dir(lib))
	}
}

func TestLoaderFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	if err := os.WriteFile(path, []byte("# a comment\n/opt/a/lib\n  /opt/b/lib  \ninclude other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(loaderFolders(path), ","); got != "/opt/a/lib,/opt/b/lib" {
		t.Errorf("got %s", got)
	}
}
