package inspect

import (
	"context"
	"math"
)

// block is how many elements are read at once.
const block = 1 << 15

// scanner reads tensors for their statistics.
type scanner struct {
	progress    func(done, total int64)
	done, total int64 // bytes
	allowed     int64 // bytes that may still be read
	buffer      [block]float32
}

// newScanner makes a scanner for total bytes of tensors in a file of size bytes.
func newScanner(size, total int64, opt Options) *scanner {
	s := &scanner{progress: opt.Progress, total: total, allowed: 64 << 20}
	s.allow(size)
	return s
}

// allow takes a file of size bytes into account. Tensors may overlap and repeat, so that a small file names far more
// elements than it has: what no honest file needs is left unread.
func (s *scanner) allow(size int64) {
	if size < math.MaxInt64/16 && s.allowed < math.MaxInt64/2 {
		s.allowed += 8 * size
	}
}

// unreadRepeats is why elements beyond the allowed bytes are not read.
const unreadRepeats = "the tensors before it fill the file many times over"

// scan gives the statistics of count elements of width bytes, which read fills a part of the buffer with, in order.
func (s *scanner) scan(ctx context.Context, count, width int64, read func(dst []float32, off int64) error) (*Statistics, string, error) {
	if count > s.allowed/width {
		return nil, unreadRepeats, nil
	}
	s.allowed -= count * width
	st := &Statistics{}
	low, high, sum, finite := math.Inf(1), math.Inf(-1), 0.0, int64(0)
	for off := int64(0); off < count; off += block {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		part := s.buffer[:min(block, count-off)]
		if err := read(part, off); err != nil {
			return nil, "", err
		}
		for _, v := range part {
			f := float64(v)
			switch {
			case f != f:
				st.NaN++
			case math.IsInf(f, 0):
				st.Inf++
			default:
				low, high, sum, finite = min(low, f), max(high, f), sum+f, finite+1
			}
		}
		if s.done += int64(len(part)) * width; s.progress != nil {
			s.progress(s.done, s.total)
		}
	}
	if finite > 0 {
		mean := sum / float64(finite)
		st.Min, st.Max, st.Mean = &low, &high, &mean
	}
	return st, "", nil
}
