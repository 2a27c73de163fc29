package onnxfile_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"ysc2onnx/onnxbuild"
	"ysc2onnx/onnxbuild/onnxfile"
	"ysc2onnx/verify/engine"
)

func TestWriteEqualsONNX(t *testing.T) {
	model, data := written(t, sample(), onnxfile.Options{Version: "1.2.3"})
	if !bytes.Equal(model, recorded(t, "sample.onnx")) {
		t.Error("the bytes differ from those that ONNX's own package writes")
	}
	if len(data) > 0 {
		t.Errorf("%d bytes of data, though the model is small", len(data))
	}

	outside := onnxfile.Options{Version: "1.2.3", Location: "sample.data", ExternalThreshold: 1}
	model, data = written(t, sample(), outside)
	if !bytes.Equal(model, recorded(t, "outside.onnx")) {
		t.Error("with a data file, the bytes differ from those that ONNX's own package writes")
	}
	for i := range 512 {
		if got := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])); got != float32(i)*0.5-3 {
			t.Fatalf("element %d in the data file is %v", i, got)
		}
	}
}

// Blocks end in the middle of tensors, between them and within the text around them.
func TestWriteAcrossBlocks(t *testing.T) {
	lengths := []int64{65536, 0, 1, 200_003, 65535, 65537, 3, 70_000}
	model, _ := written(t, sum(source{seed: 5}, lengths...), onnxfile.Options{})
	i := 0
	for _, tensor := range initializers(t, model) {
		if tensor.DType != engine.Float32 {
			continue
		}
		checkElements(t, tensor, lengths[i], 5, model)
		i++
	}
	if i != len(lengths) {
		t.Errorf("%d of %d tensors were read", i, len(lengths))
	}
}

// checkElements compares the elements of a tensor in file with n of a source.
func checkElements(t *testing.T, tensor initializer, n, seed int64, file []byte) {
	t.Helper()
	if n == 0 && tensor.Length <= 0 {
		return
	}
	if tensor.Length != 4*n || tensor.Offset < 0 || tensor.Offset+tensor.Length > int64(len(file)) {
		t.Fatalf("%s: %d bytes at %d of %d; %d expected", tensor.name, tensor.Length, tensor.Offset, len(file), 4*n)
	}
	b := file[tensor.Offset:]
	for i := range n {
		want := float32((seed + i) % (1 << 20))
		if got := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])); got != want {
			t.Fatalf("%s: element %d is %v, not %v", tensor.name, i, got, want)
		}
	}
}

func TestExternalData(t *testing.T) {
	lengths := []int64{256, 255, 1025, 100_000}
	opts := onnxfile.Options{Location: "m.data", ExternalThreshold: 1000}
	model, data := written(t, sum(source{seed: 9}, lengths...), opts)
	var offsets []int64
	i := 0
	for _, tensor := range initializers(t, model) {
		if tensor.DType != engine.Float32 {
			continue
		}
		file := model
		if tensor.File != "" {
			file, offsets = data, append(offsets, tensor.Offset)
		}
		checkElements(t, tensor, lengths[i], 9, file)
		i++
	}
	// 256 floats are 1 KiB and go out, 255 stay; 1025 floats take two pages.
	want := []int64{0, 4096, 4096 * 3}
	if len(offsets) != 3 || offsets[0] != want[0] || offsets[1] != want[1] || offsets[2] != want[2] {
		t.Errorf("offsets %d, not %d", offsets, want)
	}
}

func TestSameBytesOnAnyNumberOfCores(t *testing.T) {
	w := sum(source{seed: 1}, 300_000, 7, 500_000)
	opts := onnxfile.Options{Location: "m.data", ExternalThreshold: 1}
	model, data := written(t, w, opts)
	for _, n := range []int{1, 3, 40} {
		previous := runtime.GOMAXPROCS(n)
		m, d := written(t, w, opts)
		runtime.GOMAXPROCS(previous)
		if !bytes.Equal(m, model) || !bytes.Equal(d, data) {
			t.Errorf("other bytes on %d cores", n)
		}
	}
}

func TestPlanErrors(t *testing.T) {
	tensor := func(x onnxbuild.Tensor) func(*onnxbuild.Written) {
		return func(w *onnxbuild.Written) { w.Initializers[0].Const = &x }
	}
	floats := onnxbuild.Literal{1}
	for _, c := range []struct {
		change func(*onnxbuild.Written)
		want   string
	}{
		{tensor(onnxbuild.Tensor{DType: 99}), `initializer "big": dtype(99) cannot be written`},
		{
			tensor(onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{2}}),
			`initializer "big": float32 elements of shape [2] are wanted, but there is no source of floats`,
		},
		{
			tensor(onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{-2}, Floats: floats}),
			`initializer "big": the shape [-2] has a negative size`,
		},
		{
			tensor(onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{1 << 40, 1 << 40}, Floats: floats}),
			`initializer "big": the shape [1099511627776 1099511627776] has more elements than can be counted`,
		},
		{
			tensor(onnxbuild.Tensor{DType: onnxbuild.Int64, Shape: []int64{2}, Ints: []int64{1}}),
			`initializer "big": the shape [2] has 2 elements, but 1 are given`,
		},
		{
			func(w *onnxbuild.Written) { w.Graph.Properties[0].Value = "\xff" },
			`the text "\xff" cannot be written: it is not UTF-8`,
		},
		{
			func(w *onnxbuild.Written) { w.Nodes[0].Attrs[0].Value = 1 },
			`the attribute "axes" is a int; int64, float32, string, []int64 and []float32 can be written`,
		},
		{
			tensor(onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{750_000_000}, Floats: floats}),
			"the model takes 2.8 GiB: a single ONNX file holds at most 2 GB. Write it to a file, so that its data can lie in a second file beside it",
		},
	} {
		w := sample()
		c.change(w)
		if _, err := onnxfile.Plan(w, onnxfile.Options{}); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	w := sample()
	tensor(onnxbuild.Tensor{DType: onnxbuild.Float32, Shape: []int64{750_000_000}, Floats: floats})(w)
	l, err := onnxfile.Plan(w, onnxfile.Options{Location: "m.data"})
	if err != nil || l.DataSize() != 3_000_000_000 {
		t.Errorf("with a place for the data: %v", err)
	}
	if _, err := onnxfile.Plan(w, onnxfile.Options{}); !errors.Is(err, onnxfile.ErrTooLarge) {
		t.Error("the error does not wrap ErrTooLarge")
	}
}

// limited is a writer that fails after some bytes.
type limited struct{ left int }

var errFull = errors.New("full")

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// All goroutines have ended when Write returns, however it ends.
func TestWriteStops(t *testing.T) {
	before := runtime.NumGoroutine()
	errBad := errors.New("bad sector")
	for _, c := range []struct {
		name string
		hook func(off int64, cancel func()) error
		room int
		want string
	}{
		{"source", func(off int64, _ func()) error {
			if off > 400_000 {
				return errBad
			}
			return nil
		}, 1 << 30, `initializer "/w": bad sector`},
		{"writer", nil, 1 << 20, "full"},
		{"cancelled", func(off int64, cancel func()) error {
			if off > 400_000 {
				cancel()
			}
			return nil
		}, 1 << 30, "enough"},
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		src := source{}
		if c.hook != nil {
			src.hook = func(off int64) error { return c.hook(off, func() { cancel(errors.New("enough")) }) }
		}
		l, err := onnxfile.Plan(sum(src, 4_000_000), onnxfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(ctx, &limited{c.room}, nil, nil); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
		cancel(nil)
		if n := runtime.NumGoroutine(); n > before+1 { // a goroutine that was waited for may be still on its last instruction
			t.Errorf("%s: %d goroutines, %d before", c.name, n, before)
		}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	l, err := onnxfile.Plan(sample(), onnxfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(cancelled, io.Discard, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestWriteWithoutDataFile(t *testing.T) {
	l, err := onnxfile.Plan(sample(), onnxfile.Options{Location: "x", ExternalThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Write(context.Background(), io.Discard, nil, nil)
	if err == nil || err.Error() != "the model has a data file, but nowhere to write it" {
		t.Error(err)
	}
}

func TestProgress(t *testing.T) {
	l, err := onnxfile.Plan(sum(source{}, 200_000, 300_000), onnxfile.Options{Location: "x", ExternalThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	last, calls := int64(0), 0
	err = l.Write(context.Background(), io.Discard, io.Discard, func(done, total int64) {
		if done <= last || total != l.Size()+l.DataSize() {
			t.Errorf("%d of %d, after %d", done, total, last)
		}
		last, calls = done, calls+1
	})
	if err != nil || last != l.Size()+l.DataSize() || calls < 8 {
		t.Errorf("%d bytes in %d calls, %v", last, calls, err)
	}
}

// 80 MB pass through a few MB.
func TestMemoryDoesNotGrow(t *testing.T) {
	allocated := func(elements int64) uint64 {
		l, err := onnxfile.Plan(sum(source{hook: func(int64) error { return nil }}, elements), onnxfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := l.Write(context.Background(), io.Discard, nil, nil); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	bound := uint64(runtime.GOMAXPROCS(0)+1) * 3 << 19
	if n := allocated(20_000_000); n > bound {
		t.Errorf("%d bytes were allocated for 80 MB, more than %d", n, bound)
	}
}

func TestLongName(t *testing.T) {
	w := sample()
	w.Nodes[0].Name = strings.Repeat("n", 3<<20)
	model, _ := written(t, w, onnxfile.Options{})
	if initializers(t, model); !bytes.Contains(model, []byte(w.Nodes[0].Name)) {
		t.Errorf("a name of %d bytes was not written", 3<<20)
	}
}

// TestElsewhere: an initializer that is in another file already is named, not written.
func TestElsewhere(t *testing.T) {
	whole, _ := written(t, sample(), onnxfile.Options{})
	var name string
	model, data := written(t, sample(), onnxfile.Options{Elsewhere: func(v *onnxbuild.Value) (onnxfile.Place, bool) {
		if v.Const.Len() != 512 {
			return onnxfile.Place{}, false
		}
		name = v.Name
		return onnxfile.Place{Name: "whole.onnx", Offset: 12345}, true
	}})
	if len(data) > 0 || len(model) > len(whole)-2048+100 {
		t.Errorf("%d bytes and %d of data, of a whole model of %d", len(model), len(data), len(whole))
	}
	for _, tensor := range initializers(t, model) {
		if tensor.name == name {
			if tensor.File != "whole.onnx" || tensor.Offset != 12345 || tensor.Length != 2048 {
				t.Errorf("%s is %d bytes at %d of %q", name, tensor.Length, tensor.Offset, tensor.File)
			}
		} else if tensor.File != "" {
			t.Errorf("%s is in %q", tensor.name, tensor.File)
		}
	}
}
