package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"ysc2onnx/verify/engine"
)

// Weight is an initializer as it was meant to be written.
type Weight struct {
	Name  string
	DType engine.DType
	Dims  []int64

	// Encode gives the bytes of the elements off, off+1, … as the file should have them, little endian, as many as fit
	// into dst. scratch is memory to work in: a number for each element. It is called from several goroutines at once.
	Encode func(dst []byte, off int64, scratch []float32) error
}

const (
	weightBlock      = 256 << 10 // bytes compared at a time
	maxWeightReaders = 16        // bounds the memory on machines with many cores
)

// compareWeights checks the initializers of the file at path against what was
// meant to be written, byte by byte. The error names the first element that
// differs.
func compareWeights(ctx context.Context, path string, facts *Facts, weights []Weight) (err error) {
	if facts.Initializers != len(weights) {
		return fmt.Errorf("the file has %d initializers, expected %d", facts.Initializers, len(weights))
	}
	data := dataFiles{path: path}
	defer func() { err = errors.Join(err, data.close()) }()
	w := &weightCheck{ctx: ctx}
	for i := range weights {
		want := &weights[i]
		place, ok := facts.Stored(want.Name)
		if !ok || place.DType != want.DType || !slices.Equal(place.Dims, want.Dims) || place.Offset < 0 {
			return fmt.Errorf("initializer %q: the file does not have it as %s %s", want.Name, want.DType, engine.ShapeText(want.Dims))
		}
		f, err := data.file(place.File)
		if err != nil {
			return err
		}
		size := want.DType.Size()
		count, step := place.Length/size, weightBlock/size
		for off := int64(0); off < count; off += step {
			w.blocks = append(w.blocks, block{want, f, place.Offset, off, min(step, count-off)})
		}
	}
	return w.run()
}

// block is a run of elements of an initializer.
type block struct {
	*Weight
	file          *os.File
	from          int64 // of the initializer's bytes in the file
	off, elements int64
}

// weightCheck compares blocks in parallel.
type weightCheck struct {
	ctx    context.Context
	blocks []block

	mu    sync.Mutex
	next  int   // block to compare
	bad   int   // the earliest block found to be wrong
	wrong error // what is wrong with it
}

func (w *weightCheck) run() error {
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWeightReaders) {
		group.Go(func() {
			got, want, scratch := make([]byte, weightBlock), make([]byte, weightBlock), make([]float32, weightBlock)
			for i, ok := w.nextBlock(); ok; i, ok = w.nextBlock() {
				b := w.blocks[i]
				size := b.elements * b.DType.Size()
				if err := b.compare(got[:size], want[:size], scratch); err != nil {
					w.found(i, err)
				}
			}
		})
	}
	group.Wait()
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.wrong
}

// nextBlock gives the next block, until one was wrong or the context has ended.
func (w *weightCheck) nextBlock() (i int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i = w.next
	w.next++
	return i, i < len(w.blocks) && w.wrong == nil && w.ctx.Err() == nil
}

// found notes a wrong block. All before it have been taken, so that the earliest is known in the end.
func (w *weightCheck) found(i int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wrong == nil || i < w.bad {
		w.bad, w.wrong = i, fmt.Errorf("initializer %q: %w", w.blocks[i].Name, err)
	}
}

// compare reads and makes the bytes of a block, and says which element differs first.
func (b *block) compare(got, want []byte, scratch []float32) error {
	size := b.DType.Size()
	if _, err := b.file.ReadAt(got, b.from+b.off*size); err != nil {
		return err
	}
	if err := b.Encode(want, b.off, scratch[:b.elements]); err != nil {
		return err
	}
	if bytes.Equal(got, want) {
		return nil
	}
	at := int64(0)
	for bytes.Equal(got[at:at+size], want[at:at+size]) {
		at += size
	}
	return fmt.Errorf("element %s is %s in the file, but %s was computed", indexText(position(b.off+at/size, b.Dims)),
		elementText(b.DType, got[at:at+size]), elementText(b.DType, want[at:at+size]))
}

// elementText prints an element with all its digits, or its bytes where it is of a type that is seldom a weight.
func elementText(t engine.DType, b []byte) string {
	switch t {
	case engine.Float32:
		return strconv.FormatFloat(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 'g', -1, 32)
	case engine.Int64:
		return strconv.FormatInt(int64(binary.LittleEndian.Uint64(b)), 10)
	}
	return fmt.Sprintf("%#x", b)
}
