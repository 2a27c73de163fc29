package trained

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"ysc2onnx/diag"
)

// scconvPath is where an ScConv can be in a model that is converted: a row, a repeat of a row, or inside of C3_ScConv.
var scconvPath = regexp.MustCompile(`^model\.\d+(\.\d+)?(\.m\.\d+)?$`)

// CheckFlavours refuses the ScConv that are not lowered, by the names of their parameters and of the modules that they are in.
func (t *Model) CheckFlavours() error {
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		path, parameter, _ := strings.Cut(name, ".SRU.gn.")
		what := ""
		switch shape := t.tensors[name].Shape; {
		case parameter == "weight" && len(shape) == 1:
			what = "where (an nn.GroupNorm)"
		case parameter == "weight":
			what = "normmask (a GroupBatchnorm2d with weight and bias)"
		case parameter == "gamma" && !scconvPath.MatchString(path):
			return fmt.Errorf("%s: %s is of %s, which is not converted yet: ScConv is as a row, and inside of C3_ScConv", t.name, name, t.around(path))
		}
		if what != "" {
			return fmt.Errorf("%s: %s is of ScConv's flavour %s, which is not converted yet: only softmax is, with SRU.gn.gamma", t.name, name, what)
		}
	}
	return nil
}

// around says what an ScConv at a path is part of.
func (t *Model) around(path string) string {
	outer := path[:max(strings.LastIndexByte(path, '.'), 0)]
	class := lastPart(t.Class(outer))
	_, bottleneck := t.tensors[outer+".cv1.conv.weight"]
	switch {
	case class != "":
		return "an ScConv inside of " + outer + " (" + class + ")"
	case bottleneck && strings.HasSuffix(path, ".cv2"):
		return "a Bottleneck_ScConv (" + outer + ".cv1.conv, then an ScConv)"
	}
	return "an ScConv at " + path
}

// warnScConv says what the checkpoint leaves open: its ScConv may be of either flavour that has these parameters.
func (t *Model) warnScConv(ctx context.Context, diags *diag.Diagnostics) error {
	modules, zero := 0, 0
	for _, name := range slices.Sorted(maps.Keys(t.tensors)) {
		path, ok := strings.CutSuffix(name, ".SRU.gn.gamma")
		if !ok {
			continue
		}
		modules++
		beta := t.tensors[path+".SRU.gn.beta"]
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
	t.openFormula = modules > 0
	if !t.openFormula {
		return nil
	}
	d := diags.Warnf(diag.Span{}, "%s does not tell the formula of its ScConv: softmax(gamma) is taken, as in the YOLOv5 tutorial; "+
		"of the author's first release, gamma / sum(gamma), the numbers would be wrong", t.name)
	if zero == modules {
		d.AddNote(diag.Span{}, "beta is exactly 0 in each ScConv, as gamma / sum(gamma) leaves it, which no gradient reaches; "+
			"so does YOLOv5 up to 6.2 with either, which does not train parameters of this name")
	}
	d.AddNote(diag.Span{}, "verify/parity.py compares with the code that trained it; --scconv softmax says that this is known, and ends the warning")
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

// Assumed says what the numbers depend on and the checkpoint does not tell: no check of the file can prove it.
func (t *Model) Assumed() string {
	if t == nil || !t.openFormula {
		return ""
	}
	return "ScConv's formula, taken as softmax(gamma)"
}
