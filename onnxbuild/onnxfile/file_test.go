package onnxfile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
)

// outside makes any model have a data file.
var outside = onnxfile.FileOptions{ExternalThreshold: 1}

func write(t testing.TB, path string, w *onnxbuild.Written, opts onnxfile.FileOptions) *onnxfile.FileInfo {
	t.Helper()
	info, err := onnxfile.WriteFile(context.Background(), path, w, opts)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// names lists a folder.
func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func expectNames(t testing.TB, dir string, want ...string) {
	t.Helper()
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("the folder has %q, not %q", got, want)
	}
}

func expectFile(t testing.TB, path string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what it should be: %d bytes, not %d, %v", filepath.Base(path), len(got), len(want), err)
	}
}

func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// age makes a file one that a run left long ago, which is how strays are known where files cannot be locked.
func age(t testing.TB, path string) {
	t.Helper()
	longAgo := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(path, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	done := int64(0)
	opts := onnxfile.FileOptions{Version: "1.2.3", Sync: true, Progress: func(n, _ int64) { done = n }}
	info := write(t, path, sample(), opts)
	expectFile(t, path, recorded(t, "sample.onnx"))
	expectNames(t, dir, "model.onnx")
	if info.Path != path || info.Size != 2492 || info.DataPath != "" || info.DataSize != 0 || done != 2492 {
		t.Errorf("%+v, %d done", info, done)
	}
	write(t, path, sum(source{}, 10), onnxfile.FileOptions{})
	want, _ := written(t, sum(source{}, 10), onnxfile.Options{})
	expectFile(t, path, want)
	expectNames(t, dir, "model.onnx")
}

func TestDataFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	opts := onnxfile.FileOptions{ExternalThreshold: 1, Sync: true}
	first := write(t, path, sum(source{seed: 1}, 1000), opts)
	if first.DataSize != 4000 || len(filepath.Base(first.DataPath)) != len("model.onnx.0123456789ab.data") {
		t.Fatalf("%+v", first)
	}
	expectNames(t, dir, "model.onnx", filepath.Base(first.DataPath))
	model, data := written(t, sum(source{seed: 1}, 1000), onnxfile.Options{ExternalThreshold: 1, Location: filepath.Base(first.DataPath)})
	expectFile(t, path, model)
	expectFile(t, first.DataPath, data)

	again := write(t, path, sum(source{seed: 1}, 1000), opts)
	if *again != *first {
		t.Errorf("the second time, it is %+v instead of %+v", again, first)
	}
	expectNames(t, dir, "model.onnx", filepath.Base(first.DataPath))

	second := write(t, path, sum(source{seed: 2}, 1000), opts)
	if second.DataPath == first.DataPath {
		t.Error("other data has the same name")
	}
	expectNames(t, dir, "model.onnx", filepath.Base(second.DataPath))

	// A model that was renamed keeps its data, also when another one takes its place.
	if err := os.Rename(path, filepath.Join(dir, "renamed.onnx")); err != nil {
		t.Fatal(err)
	}
	write(t, path, sum(source{seed: 3}, 1000), opts)
	write(t, path, sum(source{seed: 4}, 10), onnxfile.FileOptions{})
	expectNames(t, dir, "model.onnx", filepath.Base(second.DataPath), "renamed.onnx")
}

// Data that another program wrote, or for another model, stays whatever the replaced model says.
func TestForeignDataStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	for _, location := range []string{
		"model.onnx.data", "other.onnx.0123456789ab.data", "model.onnx.0123456789AB.data", "model.onnx.0123456789abcd.data",
	} {
		model, data := written(t, sample(), onnxfile.Options{Location: location, ExternalThreshold: 1})
		put(t, path, string(model))
		put(t, filepath.Join(dir, location), string(data))
		write(t, path, sample(), onnxfile.FileOptions{})
		expectNames(t, dir, "model.onnx", location)
		if err := os.Remove(filepath.Join(dir, location)); err != nil {
			t.Fatal(err)
		}
	}
	const ours = "model.onnx.0123456789ab.data"
	model, data := written(t, sample(), onnxfile.Options{Location: ours, ExternalThreshold: 1})
	put(t, path, strings.Replace(string(model), "ysc2onnx", "pytorch.", 1))
	put(t, filepath.Join(dir, ours), string(data))
	write(t, path, sample(), onnxfile.FileOptions{})
	expectNames(t, dir, "model.onnx", ours)
}

// What killed runs leave goes with the next run for the same path; what looks alike stays.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	put(t, filepath.Join(dir, ".model.onnx.0123abcd.ysc2onnx-tmp"), "half a mod")
	age(t, filepath.Join(dir, ".model.onnx.0123abcd.ysc2onnx-tmp"))
	others := []string{
		".model.onnx.0123abcd", ".model.onnx.0123abcd9.ysc2onnx-tmp", ".model.onnx.mine.ysc2onnx-tmp",
		".other.onnx.0123abcd.ysc2onnx-tmp",
	}
	for _, name := range others {
		put(t, filepath.Join(dir, name), "")
	}
	write(t, path, sample(), onnxfile.FileOptions{})
	expectNames(t, dir, append(others, "model.onnx")...)
}

// A run was killed when its data file had its name and its model had not.
func TestSweepBetweenDataAndModel(t *testing.T) {
	dir := t.TempDir()
	path, stray := filepath.Join(dir, "model.onnx"), filepath.Join(dir, ".model.onnx.0123abcd.ysc2onnx-tmp")
	write(t, path, sum(source{seed: 5}, 1000), outside)
	if err := os.Rename(path, stray); err != nil {
		t.Fatal(err)
	}
	age(t, stray)
	info := write(t, path, sum(source{seed: 6}, 1000), outside)
	expectNames(t, dir, "model.onnx", filepath.Base(info.DataPath))

	// If it wrote the same as the run before, the data belongs to the model that is there.
	model, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, stray, string(model))
	age(t, stray)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := onnxfile.WriteFile(ctx, path, sum(source{}, 1000), outside); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	expectNames(t, dir, "model.onnx", filepath.Base(info.DataPath))
}

func TestSymbolicLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "target.onnx")
	link := filepath.Join(dir, "model.onnx")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("platform: no symbolic links: ", err)
	}
	for range 2 { // the link's target does not exist at first
		info := write(t, link, sample(), onnxfile.FileOptions{Version: "1.2.3"})
		if info.Path != target {
			t.Errorf("the path is %s", info.Path)
		}
		expectFile(t, target, recorded(t, "sample.onnx"))
		expectNames(t, elsewhere, "target.onnx")
		expectNames(t, dir, "model.onnx")
	}
	// "../b.onnx" is seen from the folder that a link leads to, not from the link's own.
	deep := filepath.Join(elsewhere, "x", "y")
	if err := errors.Join(os.MkdirAll(deep, 0o755), os.Symlink(deep, filepath.Join(dir, "y")), os.Symlink("../b.onnx", filepath.Join(deep, "a.onnx"))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "y", "a.onnx"), sample(), onnxfile.FileOptions{Version: "1.2.3"})
	expectFile(t, filepath.Join(elsewhere, "x", "b.onnx"), recorded(t, "sample.onnx"))

	loop := filepath.Join(dir, "loop.onnx")
	if err := os.Symlink("loop.onnx", loop); err != nil {
		t.Fatal(err)
	}
	expectError(t, loop, sample(), "cannot write "+loop+": too many levels of symbolic links")
}

func expectError(t *testing.T, path string, w *onnxbuild.Written, want string) {
	t.Helper()
	info, err := onnxfile.WriteFile(context.Background(), path, w, onnxfile.FileOptions{})
	if err == nil || err.Error() != want || info != nil {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWriteFileErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file.onnx")
	put(t, file, "previous")
	missing := filepath.Join(dir, "missing", "model.onnx")
	expectError(t, "", sample(), "cannot write : the path is empty")
	expectError(t, dir, sample(), "cannot write "+dir+": it is a folder; name a file in it")
	expectError(t, missing, sample(), "cannot write "+missing+": the folder "+filepath.Join(dir, "missing")+" does not exist")
	slash := filepath.Join(dir, "new") + string(filepath.Separator)
	expectError(t, slash, sample(), "cannot write "+slash+": the path names a folder that does not exist, not a file")
	long := filepath.Join(dir, strings.Repeat("n", 240)+".onnx")
	expectError(t, long, sample(), "cannot write "+long+": file name too long")

	w := sum(source{hook: func(off int64) error {
		if off > 0 {
			return &os.PathError{Op: "read", Path: "weights.pt", Err: errors.New("bad sector")}
		}
		return nil
	}}, 1_000_000)
	expectError(t, file, w, "cannot write "+file+`: initializer "/w": read weights.pt: bad sector`)
	expectNames(t, dir, "file.onnx")
	expectFile(t, file, []byte("previous"))
}

func TestCancelledWriteLeavesNothing(t *testing.T) {
	for _, opts := range []onnxfile.FileOptions{{}, outside} {
		dir := t.TempDir()
		path := filepath.Join(dir, "model.onnx")
		put(t, path, "previous")
		ctx, cancel := context.WithCancel(context.Background())
		opts.Progress = func(done, total int64) {
			if done > total/2 {
				cancel()
			}
		}
		if _, err := onnxfile.WriteFile(ctx, path, sum(source{}, 3_000_000), opts); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		expectNames(t, dir, "model.onnx")
		expectFile(t, path, []byte("previous"))
	}
}

// Runs for the same path at the same moment end in a whole model, one of theirs, and leave nothing else.
func TestConcurrentRuns(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	var group sync.WaitGroup
	for run := range int64(8) {
		group.Go(func() {
			for round := range int64(10) {
				opts := onnxfile.FileOptions{ExternalThreshold: 1 + 1_000_000_000*((run+round)%3/2)}
				if _, err := onnxfile.WriteFile(context.Background(), path, sum(source{seed: run / 2}, 20_000+run/2), opts); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tensor := range initializers(t, b) {
		if tensor.DType != engine.Float32 {
			continue
		}
		seed := tensor.Dims[0] - 20_000
		if tensor.File == "" {
			checkElements(t, tensor, tensor.Dims[0], seed, b)
			expectNames(t, dir, "model.onnx")
			return
		}
		expectNames(t, dir, "model.onnx", tensor.File)
		data, err := os.ReadFile(filepath.Join(dir, tensor.File))
		if err != nil {
			t.Fatal(err)
		}
		checkElements(t, tensor, tensor.Dims[0], seed, data)
	}
}
