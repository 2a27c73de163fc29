// Package ort runs ONNX files in ONNX Runtime for package verify. The shared
// library is opened at run time: Find looks for it, Install puts the pinned
// version into the user's cache, Open loads it.
package ort

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Version is the release of ONNX Runtime that Install gets.
const Version = "1.30.0"

// oldest is the first minor release (1.x) that serves the API which the Go
// binding asks for.
const oldest = 24

// Library is a shared library of ONNX Runtime.
type Library struct {
	Path   string `json:"path"`
	Origin string `json:"origin"` // where it was found: --ort-lib, ORT_LIB, cache, system, python, page
}

// Find looks for ONNX Runtime's shared library: at explicit (the --ort-lib flag; "" if not given), at $ORT_LIB, in the
// user's cache, in the system's library folders, in the onnxruntime package of a Python on the PATH. A library that the user
// names must exist: if it does not, that is an error, and no reason to look further. Paths may be the library's or its
// folder's. Nothing is run or loaded.
func Find(explicit string) (Library, error) {
	if runtime.GOOS == "js" { // it comes with the page
		return Library{Origin: "page"}, nil
	}
	cache, _ := CacheDir() // without one, there is nothing in it
	s := search{
		goos: runtime.GOOS, cache: cache, chosen: os.Getenv("ORT_LIB"),
		system: systemFolders(runtime.GOOS), python: pythonFolders(runtime.GOOS),
	}
	return s.find(explicit)
}

// search holds what Find depends on.
type search struct {
	goos   string
	cache  string
	chosen string // $ORT_LIB
	system []string
	python []string
	tried  []string
}

func (s *search) find(explicit string) (Library, error) {
	for _, named := range []struct{ path, origin string }{{explicit, "--ort-lib"}, {s.chosen, "ORT_LIB"}} {
		if named.path == "" {
			continue
		}
		path, err := s.named(named.path)
		if err != nil {
			return Library{}, fmt.Errorf("%s: %w", named.origin, err)
		}
		return Library{path, named.origin}, nil
	}
	for _, place := range []struct {
		origin  string
		folders []string
	}{{"cache", []string{s.cache}}, {"system", s.system}, {"python", s.python}} {
		for _, folder := range place.folders {
			if path := s.newestIn(folder); path != "" {
				return Library{path, place.origin}, nil
			}
		}
		if len(place.folders) == 0 {
			s.tried = append(s.tried, place.origin+": no folder to look in")
		}
	}
	return Library{}, fmt.Errorf("ONNX Runtime's shared library was not found; looked in:\n  %s\nget it with: ysc2onnx runtime install (or name it with --ort-lib or ORT_LIB)",
		strings.Join(s.tried, "\n  "))
}

// named resolves a path that the user gave.
func (s *search) named(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return path, nil
	}
	if found := s.newestIn(path); found != "" {
		return found, nil
	}
	return "", errors.New(s.tried[len(s.tried)-1])
}

// libraryName matches the library's file names and catches the version in them.
var libraryName = map[string]*regexp.Regexp{
	"linux":   regexp.MustCompile(`^libonnxruntime\.so(?:\.([0-9.]+))?$`),
	"darwin":  regexp.MustCompile(`^libonnxruntime(?:\.([0-9.]+))?\.dylib$`),
	"windows": regexp.MustCompile(`^onnxruntime\.dll()$`),
}

// newestIn gives the newest usable library in a folder, "" if there is none.
func (s *search) newestIn(folder string) string {
	if folder == "" {
		return ""
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		s.tried = append(s.tried, folder+": no such folder")
		return ""
	}
	pattern := libraryName[s.goos]
	best, found := -1, ""
	for _, e := range entries {
		if pattern == nil || e.IsDir() {
			continue
		}
		match := pattern.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		minor := minorOf(match[1])
		if minor < oldest {
			s.tried = append(s.tried, fmt.Sprintf("%s: too old, 1.%d or newer is needed", filepath.Join(folder, e.Name()), oldest))
			continue
		}
		if minor > best {
			best, found = minor, filepath.Join(folder, e.Name())
		}
	}
	if found == "" {
		s.tried = append(s.tried, folder+": no usable library in it")
	}
	return found
}

// minorOf reads the y of a version x.y.z. A name without one may be any version, so it passes as the oldest usable one.
func minorOf(version string) int {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return oldest
	}
	minor, err := strconv.Atoi(parts[1])
	if err != nil {
		return oldest
	}
	return minor
}

// systemFolders are where the system's loader looks, and the usual places of
// libraries that were installed by hand.
func systemFolders(goos string) []string {
	split := func(name string) []string { return filepath.SplitList(os.Getenv(name)) }
	var folders []string
	switch goos {
	case "linux":
		folders = append(split("LD_LIBRARY_PATH"), "/usr/local/lib", "/usr/lib", "/usr/lib64", "/opt/onnxruntime/lib")
		multiarch := map[string]string{"amd64": "/usr/lib/x86_64-linux-gnu", "arm64": "/usr/lib/aarch64-linux-gnu"}
		folders = append(folders, multiarch[runtime.GOARCH])
		configs, _ := filepath.Glob("/etc/ld.so.conf.d/*.conf") // the only error is a bad pattern
		for _, config := range configs {
			folders = append(folders, loaderFolders(config)...)
		}
	case "darwin":
		folders = append(split("DYLD_LIBRARY_PATH"), "/usr/local/lib", "/opt/homebrew/lib")
	case "windows":
		if self, err := os.Executable(); err == nil {
			folders = append(folders, filepath.Dir(self))
		}
		for _, folder := range split("PATH") {
			// Windows carries an old onnxruntime.dll of its own in System32.
			if root := os.Getenv("SystemRoot"); root == "" || !strings.HasPrefix(strings.ToLower(folder), strings.ToLower(root)) {
				folders = append(folders, folder)
			}
		}
	}
	return existing(folders)
}

// loaderFolders reads the folders from a file in the form of ld.so.conf.
func loaderFolders(config string) []string {
	f, err := os.Open(config)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }() // nothing is lost with a file that was only read
	var folders []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "/") {
			folders = append(folders, line)
		}
	}
	return folders
}

// pythonFolders are where the onnxruntime package of a Python on the PATH, or of
// the active environment, keeps its library.
func pythonFolders(goos string) []string {
	prefixes := []string{os.Getenv("VIRTUAL_ENV"), os.Getenv("CONDA_PREFIX")}
	for _, name := range []string{"python3", "python"} {
		exe, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		prefixes = append(prefixes, prefixOf(exe, goos))
		if target, err := filepath.EvalSymlinks(exe); err == nil {
			prefixes = append(prefixes, prefixOf(target, goos))
		}
		if filepath.Base(filepath.Dir(exe)) == "shims" { // pyenv
			versions, _ := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(exe)), "versions", "*")) // the only error is a bad pattern
			prefixes = append(prefixes, versions...)
		}
	}
	var folders []string
	for _, prefix := range prefixes {
		if prefix == "" {
			continue
		}
		for _, sub := range []string{"lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages", "local/lib/python3*/dist-packages", "Lib/site-packages"} {
			found, _ := filepath.Glob(filepath.Join(prefix, filepath.FromSlash(sub), "onnxruntime", "capi")) // the only error is a bad pattern
			folders = append(folders, found...)
		}
	}
	return existing(folders)
}

// prefixOf is the folder that a Python is installed under.
func prefixOf(exe, goos string) string {
	if goos == "windows" {
		return filepath.Dir(exe)
	}
	return filepath.Dir(filepath.Dir(exe))
}

// existing keeps the folders that exist, each once, in order.
func existing(folders []string) []string {
	var kept []string
	for _, f := range folders {
		if info, err := os.Stat(f); f != "" && err == nil && info.IsDir() && !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	return kept
}
