package checkpoint

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// SafetensorsLayout is the exact form of a safetensors file, of which only the header is held.
type SafetensorsLayout struct {
	header  []byte    // with its length
	tensors []*Tensor // in the order of their bytes
	size    int64     // of these
}

// safetensorsEntry is a tensor in the header.
type safetensorsEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// PlanSafetensors lays out a file of tensors, under their names and in their order, with metadata. Elements keep their
// type, and lie at multiples of its size, which readers that map the file count on: those of wide types come first. The
// same tensors and metadata always give the same bytes.
func PlanSafetensors(tensors []*Tensor, metadata map[string]string) (*SafetensorsLayout, error) {
	names := make(map[DType]string, len(safetensorsDTypes))
	for name, dtype := range safetensorsDTypes {
		names[dtype] = name
	}
	l := &SafetensorsLayout{tensors: slices.Clone(tensors), header: make([]byte, 8)}
	slices.SortStableFunc(l.tensors, func(a, b *Tensor) int { return cmp.Compare(b.DType.Size(), a.DType.Size()) })
	offsets := map[string][2]int64{}
	for _, t := range l.tensors {
		begin, bytes := l.size, t.Numel()*t.DType.Size()
		if bytes > DefaultLimits().ArchiveSize-l.size {
			return nil, overLimit("bytes of tensors", DefaultLimits().ArchiveSize)
		}
		l.size += bytes
		offsets[t.Name] = [2]int64{begin, l.size}
	}
	l.header = append(l.header, '{')
	seen := map[string]bool{"__metadata__": true}
	if len(metadata) > 0 {
		if err := l.entry("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	for _, t := range tensors {
		if seen[t.Name] {
			return nil, fmt.Errorf("two tensors would be called %q", t.Name)
		}
		seen[t.Name] = true
		shape := append([]int64{}, t.Shape...) // [] for a scalar, not null
		if err := l.entry(t.Name, safetensorsEntry{names[t.DType], shape, offsets[t.Name]}); err != nil {
			return nil, err
		}
	}
	l.header = append(l.header, '}')
	for len(l.header)%8 != 0 { // so that the elements lie at multiples of 8 bytes
		l.header = append(l.header, ' ')
	}
	le.PutUint64(l.header, uint64(len(l.header)-8))
	if n := int64(len(l.header)); n > DefaultLimits().HeaderSize {
		return nil, overLimit(fmt.Sprintf("the header would have %d bytes", n), DefaultLimits().HeaderSize)
	}
	return l, nil
}

// entry appends a key and its value to the header.
func (l *SafetensorsLayout) entry(name string, value any) error {
	key, err := json.Marshal(name)
	if err != nil {
		return err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if len(l.header) > 9 {
		l.header = append(l.header, ',')
	}
	l.header = append(append(append(l.header, key...), ':'), text...)
	return nil
}

// Size is the size of the file in bytes.
func (l *SafetensorsLayout) Size() int64 { return int64(len(l.header)) + l.size }

// Write writes the file. Of the tensors a block at a time is in memory. progress, if not nil, is told the bytes written.
func (l *SafetensorsLayout) Write(ctx context.Context, w io.Writer, progress func(done, total int64)) error {
	done := int64(0)
	put := func(b []byte) error {
		if _, err := w.Write(b); err != nil {
			return err
		}
		if done += int64(len(b)); progress != nil {
			progress(done, l.Size())
		}
		return ctx.Err()
	}
	if err := put(l.header); err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for _, t := range l.tensors {
		unit := t.DType.Size()
		for off, n := int64(0), t.Numel(); off < n; {
			count := min(n-off, int64(len(block))/unit)
			if err := t.ReadRaw(block[:count*unit], off); err != nil {
				return err
			}
			if err := put(block[:count*unit]); err != nil {
				return err
			}
			off += count
		}
	}
	return nil
}
