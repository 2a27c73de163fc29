package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Format is a kind of file.
type Format string

// The formats that are read.
const (
	PyTorch     Format = "PyTorch checkpoint"
	Safetensors Format = "safetensors"
)

// File is an opened checkpoint. The reader that it was opened with must stay open while tensors are read.
type File struct {
	Format   Format
	Size     int64    // bytes of the file
	Root     string   // the folder inside the archive: the name that the file was first saved under
	Version  string   // the archive's format version, as "3"
	Records  []Record // the archive's records, in the order of its directory
	Value    Value    // what was saved; of safetensors, a *Dict of tensors by name
	Metadata []Entry  // of safetensors: __metadata__, strings by name

	limits  Limits
	globals []GlobalUse
	archive *archive // of a PyTorch checkpoint
}

// Open reads the directory and the values of a checkpoint, but no tensor's elements. r must serve concurrent reads.
// Errors do not name the file, which the caller knows.
func Open(r io.ReaderAt, size int64, limits Limits) (*File, error) {
	limits = limits.withDefaults()
	if size <= 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrTruncated)
	}
	if size > limits.ArchiveSize {
		return nil, overLimit(fmt.Sprintf("the file has %d bytes", size), limits.ArchiveSize)
	}
	head := make([]byte, min(size, sniffed))
	if err := readFull(r, head, 0); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(string(head), "PK\x03\x04"), strings.HasPrefix(string(head), "PK\x05\x06"):
		return openPyTorch(r, size, limits)
	case strings.HasPrefix(string(head), legacyMagic):
		return openLegacy(r, size, limits)
	case looksLikeSafetensors(head):
		return openSafetensors(r, size, limits)
	}
	return nil, describeForeign(head)
}

// Globals is every name that the pickle mentions, the suspicious ones first.
func (f *File) Globals() []GlobalUse { return f.globals }

// Get is what was saved under a key, where a dict was saved: "epoch", "date", "ema" …
func (f *File) Get(key string) (Value, bool) {
	d, _ := f.Value.(*Dict)
	return d.Get(key)
}

func openPyTorch(r io.ReaderAt, size int64, limits Limits) (*File, error) {
	a, err := openArchive(r, size, limits)
	if err != nil {
		return nil, err
	}
	root, err := findRoot(a.records)
	if err != nil {
		return nil, err
	}
	f := &File{Format: PyTorch, Size: size, Records: a.records, Root: strings.TrimSuffix(root, "/"), limits: limits, archive: a}
	if f.Version, err = a.note(root + "version"); err != nil {
		return nil, err
	}
	order, err := a.note(root + "byteorder")
	if err != nil {
		return nil, err
	}
	loader := storages{archive: a, prefix: root + "data/", cache: map[storageID]*Storage{},
		budget: inflateBudget{limit: limits.InflatedSize}}
	switch order {
	case "", "little":
	case "big":
		loader.bigEndian = true
	default:
		return nil, fmt.Errorf("record %q says %q; little or big was expected", root+"byteorder", order)
	}
	rec, _ := a.find(root + "data.pkl")
	pickle, err := a.read(rec, limits.PickleSize)
	if err != nil {
		return nil, err
	}
	m := machine{src: pickle, limits: limits, storage: loader.load}
	if f.Value, err = m.run(); err != nil {
		return nil, fmt.Errorf("record %q: %w", rec.Name, err)
	}
	f.globals = sortedUses(m.uses)
	return f, nil
}

// findRoot is the folder of data.pkl, with its slash. torch.save makes one, named after the file.
func findRoot(records []Record) (string, error) {
	var roots []string
	for _, r := range records {
		if r.Name == "data.pkl" || strings.HasSuffix(r.Name, "/data.pkl") {
			roots = append(roots, strings.TrimSuffix(r.Name, "data.pkl"))
		}
	}
	switch {
	case len(roots) == 0:
		return "", describeZip(records)
	case len(roots) > 1:
		return "", fmt.Errorf("it holds %d checkpoints, %q and %q first; unpack it, and zip one folder alone", len(roots), roots[0]+"data.pkl", roots[1]+"data.pkl")
	}
	for _, r := range records {
		name, inside := strings.CutPrefix(r.Name, roots[0])
		if inside && (name == "constants.pkl" || strings.HasPrefix(name, "code/")) {
			return "", errors.New("it is TorchScript (written by torch.jit.save or YOLOv5's export.py): a program without the model's structure; " +
				"the checkpoint that it was made from (best.pt, written by train.py) is needed")
		}
	}
	return roots[0], nil
}

// note is the trimmed text of a tiny record, or "" if there is none.
func (a *archive) note(name string) (string, error) {
	rec, ok := a.find(name)
	if !ok {
		return "", nil
	}
	b, err := a.read(rec, 64)
	return strings.TrimSpace(string(b)), err
}

// storages resolves the pickle's references to records.
type storages struct {
	archive   *archive
	prefix    string
	bigEndian bool
	cache     map[storageID]*Storage
	budget    inflateBudget
}

type storageID struct {
	key   string
	dtype DType
}

// storageDType is the type of the elements of a class of storages.
func storageDType(class Global, key string) (DType, error) {
	dtype, ok := storageDTypes[class.Name]
	if !ok || class.Module != "torch" && class.Module != "torch.storage" && class.Module != "torch.cuda" {
		return "", fmt.Errorf("storage %q is a %s, whose elements are not read here", key, class)
	}
	return dtype, nil
}

// load checks a storage's length against its record; nothing is read.
func (s *storages) load(class Global, key, location string, numel int64) (*Storage, error) {
	dtype, err := storageDType(class, key)
	if err != nil {
		return nil, err
	}
	if key == "" || strings.ContainsAny(key, "/\\") {
		return nil, fmt.Errorf("storage %q has a key that leads out of the folder %s", key, s.prefix)
	}
	rec, ok := s.archive.find(s.prefix + key)
	if !ok {
		return nil, fmt.Errorf("storage %q has no record %q in the zip", key, s.prefix+key)
	}
	if numel < 0 {
		return nil, fmt.Errorf("storage %q is said to have %d elements", key, numel)
	}
	if have := rec.Size / dtype.Size(); numel > have {
		return nil, fmt.Errorf("storage %q is said to have %d elements of %s, but record %q has room for %d", key, numel, dtype, rec.Name, have)
	}
	id := storageID{key, dtype}
	if known, ok := s.cache[id]; ok {
		if known.Size != numel*dtype.Size() {
			return nil, fmt.Errorf("storage %q is said to have %d bytes, and elsewhere %d", key, numel*dtype.Size(), known.Size)
		}
		return known, nil
	}
	section, err := s.archive.open(rec)
	if err != nil {
		return nil, err
	}
	st := &Storage{Key: key, Location: location, Size: numel * dtype.Size(), data: section, bigEndian: s.bigEndian, dtype: dtype}
	if rec.compressed {
		if err := s.budget.spend(rec); err != nil {
			return nil, err
		}
		st.data = &inflated{section: section, name: rec.Name, size: rec.Size}
	}
	s.cache[id] = st
	return st, nil
}
