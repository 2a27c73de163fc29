package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// looksLikeSafetensors says whether the bytes are a length that is not absurd and the brace of a JSON object.
func looksLikeSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && le.Uint64(head) < 1<<40
}

// openSafetensors reads the format that github.com/huggingface/safetensors documents: the header's length as 8 bytes,
// the header in JSON, then the tensors' bytes without holes or overlaps.
func openSafetensors(r io.ReaderAt, size int64, limits Limits) (*File, error) {
	var b [8]byte
	if err := readFull(r, b[:], 0); err != nil {
		return nil, err
	}
	length := int64(le.Uint64(b[:]))
	if length > limits.HeaderSize {
		return nil, overLimit(fmt.Sprintf("the safetensors header has %d bytes", length), limits.HeaderSize)
	}
	if length > size-8 {
		return nil, fmt.Errorf("%w: its safetensors header should have %d bytes, but the file has %d; copy or download it again", ErrTruncated, length, size)
	}
	header := make([]byte, length)
	if err := readFull(r, header, 8); err != nil {
		return nil, err
	}
	f := &File{Format: Safetensors, Size: size, limits: limits}
	h := headerReader{decoder: json.NewDecoder(bytes.NewReader(header)), file: f, r: r, start: 8 + length}
	if err := h.read(); err != nil {
		return nil, fmt.Errorf("the safetensors header: %w", err)
	}
	return f, nil
}

// headerReader reads the header key by key, so that a key that is there twice is seen.
type headerReader struct {
	decoder *json.Decoder
	file    *File
	r       io.ReaderAt
	start   int64 // where the tensors' bytes begin in the file
	spans   []span
}

// span is the place of a tensor among the tensors' bytes.
type span struct {
	name       string
	begin, end int64
}

func (h *headerReader) read() error {
	if token, err := h.decoder.Token(); err != nil || token != json.Delim('{') {
		return errors.Join(errors.New("an object was expected"), err)
	}
	tensors := &Dict{}
	seen := map[string]bool{}
	for h.decoder.More() {
		token, err := h.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if seen[name] {
			return fmt.Errorf("%q is there twice", name)
		}
		seen[name] = true
		if len(seen) > h.file.limits.Tensors {
			return overLimit("tensors", h.file.limits.Tensors)
		}
		if name == "__metadata__" {
			if err := h.metadata(); err != nil {
				return fmt.Errorf("__metadata__: %w", err)
			}
			continue
		}
		t, err := h.tensor(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors.set(Str(name), t)
	}
	if _, err := h.decoder.Token(); err != nil {
		return err
	}
	if token, err := h.decoder.Token(); err != io.EOF {
		return fmt.Errorf("%v follows the end of the object", token)
	}
	h.file.Value = tensors
	return h.checkSpans()
}

func (h *headerReader) metadata() error {
	var m map[string]string
	if err := h.decoder.Decode(&m); err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		h.file.Metadata = append(h.file.Metadata, Entry{Str(k), Str(m[k])})
	}
	return nil
}

func (h *headerReader) tensor(name string) (*Tensor, error) {
	var entry struct {
		DType   string   `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets *[]int64 `json:"data_offsets"`
	}
	if err := h.decoder.Decode(&entry); err != nil {
		return nil, err
	}
	dtype, ok := safetensorsDTypes[entry.DType]
	if !ok {
		return nil, fmt.Errorf("element type %q is not read here; F16, BF16, F32, F64, I8 to I64, U8 and BOOL are", entry.DType)
	}
	if entry.Offsets == nil || len(*entry.Offsets) != 2 {
		return nil, errors.New("data_offsets should be the two ends of its bytes")
	}
	begin, end := (*entry.Offsets)[0], (*entry.Offsets)[1]
	room := h.file.Size - h.start
	switch {
	case begin < 0 || end < begin:
		return nil, fmt.Errorf("data_offsets are [%d, %d]", begin, end)
	case end > room:
		return nil, fmt.Errorf("%w: it ends at byte %d of the data, but the file has %d bytes of data", ErrTruncated, end, room)
	case len(entry.Shape) > maxDims:
		return nil, fmt.Errorf("it has %d dimensions", len(entry.Shape))
	}
	t := &Tensor{DType: dtype, Shape: entry.Shape, Strides: contiguousStrides(entry.Shape),
		Storage: &Storage{Location: "cpu", Size: end - begin, data: io.NewSectionReader(h.r, h.start+begin, end-begin), dtype: dtype}}
	if err := t.check(); err != nil {
		return nil, err
	}
	if need := t.Numel() * dtype.Size(); need != end-begin {
		return nil, fmt.Errorf("shape %v of %s needs %d bytes, and data_offsets give it %d", t.Shape, dtype, need, end-begin)
	}
	t.Name, t.Storage.Key = name, name
	h.spans = append(h.spans, span{name, begin, end})
	return t, nil
}

// checkSpans refuses overlaps, and bytes that belong to no tensor.
func (h *headerReader) checkSpans() error {
	slices.SortFunc(h.spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	at, before := int64(0), ""
	for _, s := range h.spans {
		switch {
		case s.begin < at:
			return fmt.Errorf("tensors %q and %q overlap at byte %d of the data", before, s.name, s.begin)
		case s.begin > at:
			return fmt.Errorf("bytes %d to %d of the data, before tensor %q, belong to no tensor", at, s.begin, s.name)
		}
		at, before = s.end, s.name
	}
	if room := h.file.Size - h.start; at != room {
		return fmt.Errorf("%d bytes of data at the end of the file belong to no tensor", room-at)
	}
	return nil
}
