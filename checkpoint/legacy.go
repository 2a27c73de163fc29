package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// The format of torch.save before PyTorch 1.6, which _use_new_zipfile_serialization=False still writes: one after the other, a pickle
// with a magic number, one with the protocol, one about the machine, that of what was saved, and one with the keys of the storages
// (torch/serialization.py, _legacy_save); then for each key the number of its elements, as a little-endian int64, and the elements.

// legacyMagic is how such a file begins: protocol 2, and the number 0x1950a86a20f9469cfc6c.
const legacyMagic = "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

// legacyProtocol is the only protocol that there was.
const legacyProtocol = 1001

// legacy reads such a file.
type legacy struct {
	r      io.ReaderAt
	size   int64
	at     int64 // of what comes next
	limits Limits
	uses   map[Global]*GlobalUse
	cache  map[string]*Storage // by key, of the pickle that is being read
	saved  map[string]*Storage // of what was saved
}

func openLegacy(r io.ReaderAt, size int64, limits Limits) (*File, error) {
	l := &legacy{r: r, size: size, at: int64(len(legacyMagic)), limits: limits, uses: map[Global]*GlobalUse{}}
	protocol, err := l.pickle("with the protocol")
	if err != nil {
		return nil, err
	}
	if protocol != Value(Int(legacyProtocol)) {
		return nil, fmt.Errorf("it is in PyTorch's format from before version 1.6, of protocol %s; only %d is read", Repr(protocol, 40), legacyProtocol)
	}
	machine, err := l.pickle("about the machine")
	if err != nil {
		return nil, err
	}
	info, _ := machine.(*Dict)
	if little, ok := info.Get("little_endian"); ok && little != Value(Boolean(true)) {
		return nil, errors.New("it was written on a big-endian machine in PyTorch's format from before version 1.6, which is not read: " + resave)
	}
	f := &File{Format: PyTorch, Size: size, Version: "1001, before PyTorch 1.6", limits: limits}
	if f.Value, err = l.pickle("of what was saved"); err != nil {
		return nil, err
	}
	keys, err := l.pickle("with the keys of the storages")
	if err != nil {
		return nil, err
	}
	if err := l.place(keys); err != nil {
		return nil, err
	}
	f.globals = sortedUses(l.uses)
	return f, nil
}

// firstRead is how much of a pickle is read at first; where it goes on, twice as much, up to the limit.
const firstRead = 256 << 10

// pickle reads the next pickle. Where it ends shows only when it is read.
func (l *legacy) pickle(what string) (Value, error) {
	for length := int64(firstRead); ; length *= 2 {
		whole := length >= l.size-l.at || length >= l.limits.PickleSize
		src := make([]byte, max(0, min(length, l.size-l.at, l.limits.PickleSize)))
		if err := readFull(l.r, src, l.at); err != nil {
			return nil, err
		}
		l.cache = map[string]*Storage{}
		m := machine{src: src, limits: l.limits, storage: l.load, legacy: true}
		v, err := m.run()
		switch {
		case err == nil:
			l.at += int64(m.pos)
			for g, use := range m.uses {
				if known := l.uses[g]; known != nil {
					known.Named, known.Calls = known.Named+use.Named, known.Calls+use.Calls
				} else {
					l.uses[g] = use
				}
			}
			if what != "of what was saved" && len(l.cache) > 0 {
				return nil, fmt.Errorf("the pickle %s refers to storages", what)
			}
			if len(l.cache) > 0 {
				l.saved = l.cache
			}
			return v, nil
		case errors.Is(err, errPickleEnds) && !whole:
			continue
		case errors.Is(err, errPickleEnds) && length >= l.limits.PickleSize:
			return nil, overLimit("bytes of the pickle "+what, l.limits.PickleSize)
		case errors.Is(err, errPickleEnds):
			return nil, fmt.Errorf("%w in the pickle %s: %w", ErrTruncated, what, err)
		}
		return nil, fmt.Errorf("the pickle %s: %w", what, err)
	}
}

// load notes a storage, whose bytes follow behind the keys.
func (l *legacy) load(class Global, key, location string, numel int64) (*Storage, error) {
	dtype, err := storageDType(class, key)
	if err != nil {
		return nil, err
	}
	if numel < 0 || numel > l.size/dtype.Size() {
		return nil, fmt.Errorf("storage %q is said to have %d elements of %s, more than the file has room for", key, numel, dtype)
	}
	if known := l.cache[key]; known != nil {
		if known.Size != numel*dtype.Size() || known.dtype != dtype {
			return nil, fmt.Errorf("storage %q is said to have %d bytes of %s, and elsewhere %d of %s", key, numel*dtype.Size(), dtype, known.Size, known.dtype)
		}
		return known, nil
	}
	st := &Storage{Key: key, Location: location, Size: numel * dtype.Size(), dtype: dtype}
	l.cache[key] = st
	return st, nil
}

// place finds the bytes of the storages behind their keys.
func (l *legacy) place(keys Value) error {
	list, ok := keys.(*List)
	if !ok {
		return fmt.Errorf("the keys of the storages should be a list, and are %s", Repr(keys, 80))
	}
	placed := map[string]bool{}
	for _, item := range list.Items {
		key, ok := AsString(item)
		st := l.saved[key]
		switch {
		case !ok || placed[key]:
			return fmt.Errorf("the keys of the storages hold %s, expected different texts", Repr(item, 80))
		case st == nil:
			return fmt.Errorf("storage %q is in the file, but nothing refers to it, so that its length is not known", key)
		}
		var count [8]byte
		if l.size-l.at < int64(len(count)) {
			return fmt.Errorf("%w before storage %q", ErrTruncated, key)
		}
		if err := readFull(l.r, count[:], l.at); err != nil {
			return err
		}
		l.at += int64(len(count))
		if n := int64(binary.LittleEndian.Uint64(count[:])); n != st.Size/st.dtype.Size() { //nolint:gosec // a negative number is no number of elements
			return fmt.Errorf("storage %q has %d elements, and is said to have %d", key, n, st.Size/st.dtype.Size())
		}
		if l.size-l.at < st.Size {
			return fmt.Errorf("%w in storage %q: %d of its %d bytes are missing", ErrTruncated, key, st.Size-(l.size-l.at), st.Size)
		}
		st.data = io.NewSectionReader(l.r, l.at, st.Size)
		l.at += st.Size
		placed[key] = true
	}
	for _, key := range slices.Sorted(maps.Keys(l.saved)) {
		if !placed[key] {
			return fmt.Errorf("storage %q is not in the file, which has %d others", key, len(placed))
		}
	}
	return nil
}
