package trained

import (
	"context"
	"slices"

	"ysc2onnx/diag"
	"ysc2onnx/modules"
)

// warnScConv warns of what the checkpoint leaves open: its ScConv may be of any flavour with the same parameters.
func (t *Model) warnScConv(ctx context.Context, choices []modules.Choice, diags *diag.Diagnostics) error {
	open, zero := 0, 0
	for _, c := range choices {
		if c.Class != "SRU" || c.Open == nil {
			continue
		}
		open++
		beta := t.tensors[c.Path+".gn.beta"]
		if beta == nil {
			continue
		}
		still, err := allZero(ctx, beta)
		if err != nil {
			return err
		}
		if still {
			zero++
		}
	}
	t.openFormula = open > 0
	if !t.openFormula {
		return nil
	}
	d := diags.Warnf(diag.ScConvFormula, diag.Span{}, "%s does not tell the formula of its ScConv: softmax(gamma) is taken, as in the YOLOv5 tutorial; "+
		"of the author's first release, gamma / sum(gamma), the numbers would be wrong", t.name)
	if zero == open {
		d.AddNote(diag.Span{}, "beta is exactly 0 in each ScConv, as gamma / sum(gamma) leaves it, which no gradient reaches; "+
			"so does YOLOv5 up to 6.2 with either, which does not train parameters of this name")
	}
	d.AddNote(diag.Span{}, "verify/parity.py compares with the code that trained it; --scconv softmax or mask says that it is known, and ends the warning")
	return nil
}

// allZero reports whether a tensor holds nothing but 0.
func allZero(ctx context.Context, w *watched) (bool, error) {
	buffer := make([]float32, min(w.Numel(), 1<<15))
	for off := int64(0); off < w.Numel(); off += int64(len(buffer)) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		part := buffer[:min(int64(len(buffer)), w.Numel()-off)]
		if err := w.Tensor.ReadFloats(part, off); err != nil {
			return false, err
		}
		if slices.ContainsFunc(part, func(v float32) bool { return v != 0 }) {
			return false, nil
		}
	}
	return true, nil
}

// Assumed lists what the numbers depend on although the checkpoint does not tell it: no check of the file can prove it.
func (t *Model) Assumed() string {
	if t == nil || !t.openFormula {
		return ""
	}
	return "ScConv's formula, taken as softmax(gamma)"
}
