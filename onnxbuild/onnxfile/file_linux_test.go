package onnxfile_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ysc2onnx/onnxbuild/onnxfile"
)

// children are what the test program does instead of testing, as a process of its own.
var children = map[string]func(path string) error{
	"stuck":       stuck,
	"limited":     func(path string) error { return inLimit(path, onnxfile.FileOptions{}) },
	"limited out": func(path string) error { return inLimit(path, outside) },
	"full":        onFullDisk,
}

const childVariable = "ONNXFILE_TEST_CHILD"

func TestMain(m *testing.M) {
	child := children[os.Getenv(childVariable)]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// child is the test program as another process, at work in a folder.
func child(name, path string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	return cmd
}

// runs runs a child to its end.
func runs(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// stuck says that it is in the midst of writing, and stays there.
func stuck(path string) error {
	src := source{hook: func(off int64) error {
		if off > 500_000 {
			fmt.Println("stuck")
			select {}
		}
		return nil
	}}
	opts := onnxfile.FileOptions{}
	if strings.Contains(path, "outside") {
		opts = outside
	}
	_, err := onnxfile.WriteFile(context.Background(), path, sum(src, 400_000, 1_000_000), opts)
	return err
}

func TestKilledInTheMiddle(t *testing.T) {
	for _, where := range []string{"model", "outside"} {
		dir := filepath.Join(t.TempDir(), where)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "model.onnx")
		previous := write(t, path, sum(source{seed: 1}, 3000), outside)
		model, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(previous.DataPath)
		if err != nil {
			t.Fatal(err)
		}

		cmd := child("stuck", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "stuck\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if n := len(names(t, dir)); n != 3 {
			t.Fatalf("%q: the child's temporary file is not there", names(t, dir))
		}
		// While the child lives, another run leaves its file alone.
		write(t, path, sum(source{seed: 1}, 3000), outside)
		if n := len(names(t, dir)); n != 3 {
			t.Errorf("%q: the child's temporary file was swept", names(t, dir))
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it says that the child was killed

		if n := len(names(t, dir)); n != 3 {
			t.Errorf("%q: the killed child's temporary file is not there", names(t, dir))
		}
		expectFile(t, path, model)
		expectFile(t, previous.DataPath, data)
		write(t, path, sum(source{seed: 1}, 3000), outside)
		expectNames(t, dir, "model.onnx", filepath.Base(previous.DataPath))
	}
}

// fails writes more than there is room for, and checks the error and what is left.
func fails(path string, opts onnxfile.FileOptions, want error, text string) error {
	if err := os.WriteFile(path, []byte("previous"), 0o600); err != nil {
		return err
	}
	_, err := onnxfile.WriteFile(context.Background(), path, sum(source{}, 1_000_000), opts)
	if !errors.Is(err, want) || !strings.HasPrefix(err.Error(), "cannot write "+path+": "+text) {
		return fmt.Errorf("the error is %w", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		return fmt.Errorf("what is left is %v, %w", entries, err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "previous" {
		return fmt.Errorf("the previous file is %q, %w", b, err)
	}
	return nil
}

// inLimit writes where the process may not write files over 1 MiB.
func inLimit(path string, opts onnxfile.FileOptions) error {
	signal.Ignore(syscall.SIGXFSZ) // so that the write fails, instead of the process
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		return err
	}
	return fails(path, opts, syscall.EFBIG, "file too large")
}

func TestFileTooLarge(t *testing.T) {
	for _, name := range []string{"limited", "limited out"} {
		runs(t, child(name, filepath.Join(t.TempDir(), "model.onnx")))
	}
}

// onFullDisk writes to a file system of 1 MiB, which only this process sees.
func onFullDisk(path string) error {
	dir := filepath.Dir(path)
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m")
	}
	if err != nil {
		fmt.Println("SKIP", err)
		return nil
	}
	const text = "no space left on device: the new file takes 3.8 MiB, beside the file that it replaces"
	return errors.Join(
		fails(path, onnxfile.FileOptions{}, syscall.ENOSPC, text),
		fails(path, outside, syscall.ENOSPC, text),
	)
}

func TestFullDisk(t *testing.T) {
	cmd := child("full", filepath.Join(t.TempDir(), "model.onnx"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: id, Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.HasPrefix(string(out), "SKIP") {
		t.Skipf("platform: this machine does not let a test mount a small disk: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// asNobody runs a test without root's rights on files, if it has them.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	if err := syscall.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	protected := filepath.Join(dir, "protected.onnx")
	put(t, path, "previous")
	put(t, protected, "previous")
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, path: 0o666, protected: 0o444, dir: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // so that the folder can be removed
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Error(err)
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		asNobody(t)
		expectError(t, path, sample(), "cannot write "+path+": no file can be made in the folder "+dir+": permission denied")
		expectError(t, protected, sample(), "cannot write "+protected+": the existing file is write-protected")
	}()
	<-done
	expectNames(t, dir, "model.onnx", "protected.onnx")
	expectFile(t, path, []byte("previous"))
	expectFile(t, protected, []byte("previous"))
}
