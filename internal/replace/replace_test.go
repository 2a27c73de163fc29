package replace_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ysc2onnx/internal/replace"
)

// The two ways to replace a file by a text.
var ways = map[string]func(path, text string) error{
	"File": func(path, text string) error {
		return replace.File(path, int64(len(text)), true, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
	},
	"OneOfMany": func(path, text string) error { return replace.OneOfMany(path, []byte(text)) },
}

// names are those in a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// holds demands a file's text and, where there are such, its permissions.
func holds(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	got, err := os.ReadFile(path)
	info, err2 := os.Stat(path)
	if err := errors.Join(err, err2); err != nil || string(got) != text || runtime.GOOS != "windows" && info.Mode().Perm() != mode {
		t.Errorf("%s holds %q with %v, %v", path, got, info, err)
	}
}

// TestReplaced: a new file is as any other, a replaced one keeps its permissions, a link stays one.
func TestReplaced(t *testing.T) {
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, link, plain := filepath.Join(dir, "a.html"), filepath.Join(dir, "link.html"), filepath.Join(dir, "plain")
			if err := os.WriteFile(plain, nil, 0o666); err != nil { // with what the umask leaves
				t.Fatal(err)
			}
			usual, err := os.Stat(plain)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"first", "second"} {
				if err := write(path, text); err != nil {
					t.Fatal(err)
				}
				holds(t, path, text, usual.Mode().Perm())
			}
			if err := errors.Join(os.Chmod(path, 0o604), os.Symlink(path, link)); err != nil {
				t.Skip("platform: no symbolic links: ", err)
			}
			if err := write(link, "third"); err != nil {
				t.Fatal(err)
			}
			holds(t, path, "third", 0o604)
			if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("the link became %v, %v", info, err)
			}
			if got := names(t, dir); !slices.Equal(got, []string{"a.html", "link.html", "plain"}) {
				t.Errorf("the folder holds %q", got)
			}
			none := filepath.Join(dir, "none", "a.html")
			if err := write(none, ""); err == nil || err.Error() != "cannot write "+none+": the folder "+filepath.Dir(none)+" does not exist" {
				t.Errorf("got %v", err)
			}
			if err := write(dir, ""); err == nil || err.Error() != "cannot write "+dir+": it is a folder; name a file in it" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestFailureLeavesTheFile: a source that breaks leaves what was there, and nothing else.
func TestFailureLeavesTheFile(t *testing.T) {
	path, broken := filepath.Join(t.TempDir(), "a.safetensors"), errors.New("the source broke")
	if err := ways["File"](path, "first"); err != nil {
		t.Fatal(err)
	}
	err := replace.File(path, 9, false, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) || err.Error() != "cannot write "+path+": the source broke" {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "first" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("the folder holds %q", got)
	}
}

// TestStrays: what a killed run has left goes with the next run of File for the same path, or with Sweep; OneOfMany, which
// does not list the folder, leaves it. What looks alike stays.
func TestStrays(t *testing.T) {
	dir := t.TempDir()
	stray := func(base string) string { return "." + base + ".0123abcd.ysc2onnx-tmp" }
	others := []string{".0123abcd.ysc2onnx-tmp", ".a.png.0123abcd", ".a.png.0123abcd9.ysc2onnx-tmp", ".a.png.mine.ysc2onnx-tmp", stray("c.png")}
	for _, name := range append([]string{stray("a.png"), stray("b.png")}, others...) {
		path, longAgo := filepath.Join(dir, name), time.Now().Add(-24*time.Hour) // by which strays are known where there are no locks
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, longAgo, longAgo)); err != nil {
			t.Fatal(err)
		}
	}
	has := func(want ...string) {
		t.Helper()
		want = append(want, others...)
		slices.Sort(want)
		if got := names(t, dir); !slices.Equal(got, want) {
			t.Errorf("the folder holds %q, want %q", got, want)
		}
	}
	for _, name := range []string{"a.png", "b.png"} {
		if err := ways["OneOfMany"](filepath.Join(dir, name), "x"); err != nil {
			t.Fatal(err)
		}
	}
	has("a.png", "b.png", stray("a.png"), stray("b.png"))
	if err := ways["File"](filepath.Join(dir, "a.png"), "x"); err != nil {
		t.Fatal(err)
	}
	has("a.png", "b.png", stray("b.png"))
	asked := ""
	replace.Sweep(dir, func(base string) bool { return strings.HasPrefix(base, "b.") }, func(path string) { asked = path })
	has("a.png", "b.png")
	if asked != filepath.Join(dir, stray("b.png")) {
		t.Errorf("asked about %q", asked)
	}
}
