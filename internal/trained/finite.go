package trained

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"sync/atomic"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
)

// watched is a tensor whose elements are checked while they are read: numbers that are not finite are noticed on their way
// into the file, without reading anything twice.
type watched struct {
	*checkpoint.Tensor
	owner     *Model
	notFinite atomic.Bool
}

var errNotFinite = errors.New("it holds NaN or Inf")

// ReadFloats implements [onnxbuild.FloatSource].
func (w *watched) ReadFloats(dst []float32, off int64) error {
	if err := w.Tensor.ReadFloats(dst, off); err != nil {
		return err
	}
	if allFinite(dst) {
		return nil
	}
	w.notFinite.Store(true)
	if w.owner.Strict {
		return errNotFinite
	}
	return nil
}

// allFinite reports whether there is neither NaN nor Inf. The exponent of these has all its bits set, so that one more
// carries into the sign, which was masked off: one pass without branches.
func allFinite(values []float32) bool {
	carried := uint32(0)
	for _, v := range values {
		carried |= math.Float32bits(v)&0x7fffffff + 0x00800000
	}
	return carried>>31 == 0
}

// WarnNotFinite names the tensors in which something was noticed, and counts what they hold. A nil receiver has none.
func (t *Model) WarnNotFinite(ctx context.Context, diags *diag.Diagnostics) error {
	if t == nil {
		return nil
	}
	return t.listNotFinite(ctx, diags, func(w *watched) bool { return w.notFinite.Load() })
}

// RefuseNotFinite gives in place of err, where it came from an element that is not a finite number, the list of all tensors
// that hold such.
func (t *Model) RefuseNotFinite(ctx context.Context, diags *diag.Diagnostics, err error) error {
	if t == nil || !errors.Is(err, errNotFinite) {
		return err
	}
	if err := t.listNotFinite(ctx, diags, func(w *watched) bool { return t.used[w.Name] }); err != nil {
		return err
	}
	diags.PromoteWarnings()
	return diags.Err()
}

// listNotFinite adds the warning, with a note for each tensor.
func (t *Model) listNotFinite(ctx context.Context, diags *diag.Diagnostics, suspect func(*watched) bool) error {
	var warning *diag.Diagnostic
	listed, more := 0, 0
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		w := t.tensors[name]
		if !suspect(w) {
			continue
		}
		nan, inf, err := countNotFinite(ctx, w.Tensor)
		if err != nil {
			return err
		}
		if nan+inf == 0 {
			continue
		}
		if warning == nil {
			warning = diags.Warnf(diag.NotFinite, diag.Span{}, "%s has weights that are not finite numbers: the model's output will not be, either", t.name)
		}
		if listed == maxListed {
			more++
			continue
		}
		listed++
		warning.AddNote(diag.Span{}, "%s holds %d NaN and %d Inf", name, nan, inf)
	}
	if more > 0 {
		warning.AddNote(diag.Span{}, "and so do %d more", more)
	}
	diags.Sort()
	return nil
}

// countNotFinite counts in a tensor, as float32.
func countNotFinite(ctx context.Context, t *checkpoint.Tensor) (nan, inf int64, err error) {
	buffer := make([]float32, min(t.Numel(), 1<<15))
	for off := int64(0); off < t.Numel(); off += int64(len(buffer)) {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		part := buffer[:min(int64(len(buffer)), t.Numel()-off)]
		if err := t.ReadFloats(part, off); err != nil {
			return 0, 0, err
		}
		for _, v := range part {
			switch f := float64(v); {
			case math.IsNaN(f):
				nan++
			case math.IsInf(f, 0):
				inf++
			}
		}
	}
	return nan, inf, nil
}
