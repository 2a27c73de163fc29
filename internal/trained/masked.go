package trained

import (
	"fmt"
	"slices"
	"strings"

	"ysc2onnx/checkpoint"
)

// What torch.nn.utils.prune appends to the name of a parameter that it masks. A hook makes the parameter of the two before each forward.
const (
	original = "_orig"
	mask     = "_mask"
)

// masked is a parameter that a mask of torch.nn.utils.prune sets to 0 in places: original · mask, which are 0 and 1.
type masked struct {
	original *watched
	mask     *checkpoint.Tensor
}

// masked gives a parameter that the checkpoint keeps with its mask, if it does.
func (t *Model) masked(name string) (masked, bool) {
	o, m := t.tensors[name+original], t.tensors[name+mask]
	if o == nil || m == nil || t.tensors[name] != nil || !slices.Equal(o.Shape, m.Shape) {
		return masked{}, false
	}
	return masked{o, m.Tensor}, true
}

// ReadFloats implements [onnxbuild.FloatSource].
func (m masked) ReadFloats(dst []float32, off int64) error {
	if err := m.original.ReadFloats(dst, off); err != nil {
		return err
	}
	keeps := make([]float32, len(dst))
	if err := m.mask.ReadFloats(keeps, off); err != nil {
		return err
	}
	for i, keep := range keeps {
		if keep != 0 && keep != 1 {
			return fmt.Errorf("%s holds %g, expected 0 and 1 only", m.mask.Name, keep)
		}
		dst[i] *= keep
	}
	return nil
}

// pruneHooks reports whether a module's hooks are those by which torch.nn.utils.prune masks parameters, and no others.
func pruneHooks(v checkpoint.Value) bool {
	var hooks *checkpoint.Dict
	switch v := v.(type) {
	case *checkpoint.Dict:
		hooks = v
	case *checkpoint.Object: // an OrderedDict
		hooks = v.Map
	}
	if hooks == nil || len(hooks.Entries) == 0 {
		return false
	}
	for _, e := range hooks.Entries {
		hook, ok := e.Value.(*checkpoint.Object)
		if !ok || hook.Class.Module != "torch.nn.utils.prune" {
			return false
		}
	}
	return true
}

// followsMask reports whether an attribute of a module says nothing beside its tensors, as they are masked: the hooks that mask
// them, and what these computed last.
func (m trainedModule) followsMask(attribute string) bool {
	v, _ := m.Attr(attribute)
	if attribute == "_forward_pre_hooks" {
		return pruneHooks(v) && slices.ContainsFunc(m.Tensors(), func(name string) bool { return strings.HasSuffix(name, mask) })
	}
	_, isTensor := v.(*checkpoint.Tensor)
	hooks, _ := m.Attr("_forward_pre_hooks")
	if !isTensor || !pruneHooks(hooks) {
		return false
	}
	_, isMasked := m.owner.masked(m.Path + "." + attribute)
	return isMasked
}
