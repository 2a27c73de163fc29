package trained

import (
	"testing"

	"ysc2onnx/checkpoint"
)

// TestAnchorlessHead: YOLOv8's head in YOLOv5's code is named as such.
func TestAnchorlessHead(t *testing.T) {
	head := &checkpoint.Module{Class: global("models.yolo.Detect"), Path: "model.0", Params: []checkpoint.Named{
		{Name: "weight", Tensor: &checkpoint.Tensor{Name: "model.0.cv2.0.weight"}}, {Name: "dfl", Tensor: &checkpoint.Tensor{Name: "model.0.dfl.conv.weight"}}}}
	rows := &checkpoint.Module{Path: "model", Children: []checkpoint.Child{{Name: "0", Module: head}}}
	root := &checkpoint.Module{Class: global("models.yolo.Model"), Children: []checkpoint.Child{{Name: "model", Module: rows}}}
	const want = "v8.pt: its head has no anchors, as YOLOv8's, by its tensor model.0.dfl.conv.weight: of the heads that are put into YOLOv5's code only those with anchors are converted"
	if err := (&Model{name: "v8.pt", root: root}).RefuseOthers(); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	head.Params = head.Params[:1]
	if err := (&Model{name: "v5.pt", root: root}).RefuseOthers(); err != nil {
		t.Error(err)
	}
}
