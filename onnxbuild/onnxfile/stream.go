package onnxfile

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"

	"ysc2onnx/onnxbuild"
)

const (
	// blockSize is how many bytes are made and written at a time: small enough for a core's cache, large enough that
	// handing it over costs nothing.
	blockSize = 256 << 10
	// maxWorkers bounds the memory on machines with many cores: more of them make elements faster than any disk takes
	// them.
	maxWorkers = 16
)

// segment is a part of a file: bytes that are known, or the elements of a tensor.
type segment struct {
	bytes  []byte
	tensor *onnxbuild.Tensor
	name   string // of the tensor
}

func (s segment) size() int64 {
	if s.tensor != nil {
		return s.tensor.Bytes()
	}
	return int64(len(s.bytes))
}

// stream is a file as its segments in order.
type stream []segment

func (s stream) size() int64 {
	n := int64(0)
	for _, seg := range s {
		n += seg.size()
	}
	return n
}

// piece is a run of a segment's bytes, at most a block. It begins and ends between elements.
type piece struct {
	segment
	off, n int64
}

// blocks cuts a stream into blocks, each the pieces of one write.
func (s stream) blocks() iter.Seq[[]piece] {
	return func(yield func([]piece) bool) {
		var block []piece
		room := int64(blockSize)
		for _, seg := range s {
			unit := int64(1)
			if seg.tensor != nil {
				unit = seg.tensor.DType.Size()
			}
			for off, size := int64(0), seg.size(); off < size; {
				n := min(size-off, room-room%unit)
				if n > 0 {
					block = append(block, piece{seg, off, n})
					off, room = off+n, room-n
				}
				if off < size {
					if !yield(block) {
						return
					}
					block, room = nil, blockSize
				}
			}
		}
		if len(block) > 0 {
			yield(block)
		}
	}
}

// job is a block on its way through the writer, with the memory that it is made in.
type job struct {
	pieces  []piece
	buf     []byte
	scratch []float32
	made    chan error // the end of fill
}

// fill makes the bytes of the block.
func (j *job) fill() error {
	if j.scratch == nil {
		j.buf, j.scratch = make([]byte, 0, blockSize), make([]float32, blockSize/onnxbuild.Float16.Size())
	}
	j.buf = j.buf[:0]
	for _, p := range j.pieces {
		if p.tensor == nil {
			j.buf = append(j.buf, p.bytes[p.off:p.off+p.n]...)
			continue
		}
		start := len(j.buf)
		j.buf = j.buf[:start+int(p.n)]
		if err := p.tensor.Encode(j.buf[start:], p.off/p.tensor.DType.Size(), j.scratch); err != nil {
			return fmt.Errorf("initializer %q: %w", p.name, err)
		}
	}
	return nil
}

// write makes the blocks in parallel and writes them in order. A fixed number of jobs circulates: from free through
// the workers, and to the writer in the order of the blocks.
func (s stream) write(ctx context.Context, w io.Writer, report func(n int)) error {
	ctx, stop := context.WithCancel(ctx)
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	jobs := 2 * workers
	free, todo, inOrder := make(chan *job, jobs), make(chan *job, jobs), make(chan *job, jobs)
	for range jobs {
		free <- &job{made: make(chan error, 1)}
	}

	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() {
		defer close(inOrder)
		defer close(todo)
		for pieces := range s.blocks() {
			select {
			case j := <-free:
				j.pieces = pieces
				todo <- j
				inOrder <- j
			case <-ctx.Done():
				return
			}
		}
	})
	for range workers {
		group.Go(func() {
			for j := range todo {
				if ctx.Err() != nil {
					j.made <- context.Cause(ctx)
					continue
				}
				j.made <- j.fill()
			}
		})
	}

	for j := range inOrder {
		if err := <-j.made; err != nil {
			return err
		}
		if _, err := w.Write(j.buf); err != nil {
			return err
		}
		report(len(j.buf))
		free <- j
	}
	return context.Cause(ctx) // nil, unless it was what ended the blocks
}
