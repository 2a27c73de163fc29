package trained

import (
	"fmt"
	"strings"

	"ysc2onnx/checkpoint"
	"ysc2onnx/diag"
)

// RefuseOthers is an error where the checkpoint does not hold a model of YOLOv5's code.
func (t *Model) RefuseOthers() error {
	if err := others(t.root); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	return nil
}

func others(root *checkpoint.Module) error {
	const later = "it is a checkpoint of the ultralytics package (YOLOv8 and later, and YOLOv5 as that package has it), %s; only YOLOv5's own " +
		"are converted. That package exports its models itself: yolo export format=onnx model=FILE"
	class := root.Class
	switch top, _, _ := strings.Cut(class.Module, "."); {
	case top == "ultralytics":
		return fmt.Errorf(later, "whose model is of the class "+cut(class.String()))
	case top == "torchvision":
		return fmt.Errorf("it holds a classifier of torchvision, of the class %s, as YOLOv5's classify/train.py trains them as well; only YOLOv5's own are "+
			"converted. YOLOv5 exports it: python export.py --include onnx --weights FILE", cut(class.String()))
	case class != (checkpoint.Global{}) && root.Child("model") == nil && top != "models": // which is YOLOv5's own
		return fmt.Errorf("it holds a model of the class %s, which has no rows (model.0, model.1, …) as YOLOv5's models have: is it of another framework?", cut(class.String()))
	}
	tensors := root.StateDict()
	for _, t := range tensors {
		switch dfl := strings.HasSuffix(t.Name, ".dfl.conv.weight"); {
		case dfl && class != (checkpoint.Global{}):
			return fmt.Errorf("its head has no anchors, as YOLOv8's, by its tensor %s: of the heads that are put into YOLOv5's code only those with anchors are converted", cut(t.Name))
		case dfl:
			return fmt.Errorf(later, "whose Detect has the tensor "+cut(t.Name))
		}
	}
	if class == (checkpoint.Global{}) && root.Child("model") == nil && len(tensors) > 0 {
		return fmt.Errorf("its tensors are not named as YOLOv5's, such as model.0.conv.weight; the first is %s: is it of another framework?", cut(tensors[0].Name))
	}
	return nil
}

// noteAround says which wrappers around the model are left out.
func (t *Model) noteAround(diags *diag.Diagnostics) {
	if list := t.root.Around; len(list) > 0 {
		diags.Infof(diag.Span{}, "%s: the model is taken that is in its %s", t.name, strings.Join(list, ", in that its "))
	}
	if before := t.root.Before; before != "" {
		diags.Infof(diag.Span{}, "%s: the names of its tensors begin with %q, which is left out", t.name, before)
	}
	if missed := t.root.Missed; missed != "" {
		diags.Infof(diag.Span{}, "%s: the names of its tensors lack %q, which is put in front", t.name, missed)
	}
}

// cut shortens a name that a file gives, for a message.
func cut(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
