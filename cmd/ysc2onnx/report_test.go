package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestCommandLine has a shell read what is shown, which must give the arguments back.
func TestCommandLine(t *testing.T) {
	args := []string{"verify", "a b.onnx", "it's", `"x"\`, "$HOME", "--rtol=1e-5", "", "новый", "*", "a\nb"}
	line := commandLine(args)
	if got, want := commandLine([]string{"verify", "m.onnx", "--against", "it's.npz"}), `ysc2onnx verify m.onnx --against 'it'\''s.npz'`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("SKIPPED: ", err)
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", strings.Replace(line, "ysc2onnx", `printf '%s\0'`, 1)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), strings.Join(args, "\x00")+"\x00"; got != want {
		t.Errorf("a shell reads %q of %s", got, line)
	}
}

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a.html"), filepath.Join(dir, "link.html")
	check := func(at, want string, mode fs.FileMode) {
		t.Helper()
		text, err := os.ReadFile(at)
		info, err2 := os.Stat(at)
		if err := errors.Join(err, err2); err != nil || string(text) != want || runtime.GOOS != "windows" && info.Mode().Perm() != mode {
			t.Errorf("%s holds %q with %v, %v", at, text, info, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 2 {
			t.Errorf("%v is there, %v", entries, err)
		}
	}
	for _, text := range []string{"first", "second"} {
		if err := replaceFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		check(path, text, 0o644)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip("SKIPPED: ", err)
	}
	if err := replaceFile(link, []byte("third")); err != nil {
		t.Fatal(err)
	}
	check(path, "third", 0o600)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	if err := replaceFile(filepath.Join(dir, "none", "a.html"), nil); err == nil {
		t.Error("a file is written into no folder")
	}
}
