package checkpoint

import (
	"errors"
	"fmt"
)

// Limits bound what a file may ask for. A zero field has the default of [DefaultLimits].
type Limits struct {
	ArchiveSize  int64 // bytes of the whole file
	Records      int   // records of a zip
	PickleSize   int64 // bytes of a pickle, and of what its strings are copied into
	Operations   int   // operations of a pickle, and elements that its constructors copy
	Stack        int   // entries on the pickle's stack, marks included
	Memo         int   // entries in the pickle's memo
	Nesting      int   // containers and objects inside each other
	StringSize   int64 // bytes of one string, bytes object or name
	Tensors      int   // tensors, and modules of a model
	InflatedSize int64 // bytes that compressed records may unpack to, in all
	HeaderSize   int64 // bytes of a safetensors header
}

// DefaultLimits allow many times what any YOLO checkpoint needs, and keep the memory of opening any file below 1 GiB.
func DefaultLimits() Limits {
	return Limits{
		ArchiveSize: 64 << 30, Records: 200_000, PickleSize: 32 << 20, Operations: 1_000_000, Stack: 100_000,
		Memo: 500_000, Nesting: 200, StringSize: 4 << 20, Tensors: 100_000, InflatedSize: 256 << 20, HeaderSize: 16 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	orDefault(&l.ArchiveSize, d.ArchiveSize)
	orDefault(&l.Records, d.Records)
	orDefault(&l.PickleSize, d.PickleSize)
	orDefault(&l.Operations, d.Operations)
	orDefault(&l.Stack, d.Stack)
	orDefault(&l.Memo, d.Memo)
	orDefault(&l.Nesting, d.Nesting)
	orDefault(&l.StringSize, d.StringSize)
	orDefault(&l.Tensors, d.Tensors)
	orDefault(&l.InflatedSize, d.InflatedSize)
	orDefault(&l.HeaderSize, d.HeaderSize)
	return l
}

func orDefault[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// ErrTruncated is in the chain of an error about a file that ends too early.
var ErrTruncated = errors.New("the file is truncated")

// LimitError says that a file asks for more than a limit allows.
type LimitError struct {
	What  string // what there is too much of: "tensors"
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: more than the limit of %d; no real checkpoint comes near it, so the file is refused", e.What, e.Limit)
}

func overLimit[T int | int64](what string, limit T) error {
	return &LimitError{What: what, Limit: int64(limit)}
}
