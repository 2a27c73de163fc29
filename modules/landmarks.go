package modules

import (
	"fmt"
	"slices"

	"ysc2onnx/yamlcfg"
)

// landmarkColumns are the coordinates of points that a head may give each anchor besides box, objectness and scores: five
// points of a face (repository deepcam-cn/yolov5-face), or four corners of a plate or another quadrangle in code that follows it.
// Both are decoded alike.
var landmarkColumns = []int{10, 8}

// angleColumns are the scores of angles that a head may give each anchor behind those of classes, one for each of 180 degrees
// (repository hukaixuan19970627/yolov5_obb). The box's width is then its longer side, and the angle is that side's: the best of them
// less 90 degrees.
const angleColumns = 180

// faceBlocks are the blocks of yolov5-face's YAMLs, whose last row is written as YOLOv5's.
var faceBlocks = []string{"StemBlock", "BlazeBlock", "DoubleBlazeBlock"}

// MoreColumns says what so many columns beside a box, an objectness and the scores may be: "5 landmarks, as in yolov5-face"; ""
// where nothing is known that has as many.
func MoreColumns(columns int) string {
	switch {
	case columns == landmarkColumns[0]:
		return "5 landmarks, as in yolov5-face"
	case slices.Contains(landmarkColumns, columns):
		return fmt.Sprintf("%d landmarks, as in code that follows yolov5-face", columns/2)
	case columns == angleColumns:
		return "angles of rotated boxes, as in yolov5_obb"
	}
	return ""
}

// moreColumns finds the landmarks or angles of a checkpoint's head, which most have not, and refuses columns that are not known.
// Rows and tensors do not tell them from scores of more classes, only what the checkpoint keeps of the head as no, its columns.
func (m *Detect) moreColumns(a *Args, allowed bool) {
	face := slices.ContainsFunc(a.model.Rows, func(row yamlcfg.Row) bool { return slices.Contains(faceBlocks, row.Module) })
	if a.trained == nil {
		if allowed && face {
			a.NoteOnce(a.row.ModuleSpan, "the one of yolov5-face gives landmarks as well, and a YAML does not tell the two apart; without a checkpoint this is YOLOv5's")
		}
		return
	}
	if a.failed {
		return
	}
	head := a.trained.Module(a.path())
	if head == nil || !slices.Contains(head.Attributes(), "no") {
		return
	}
	if slices.Contains(head.Attributes(), "nkpt") {
		a.Errorf("the checkpoint's head gives each anchor keypoints of a pose (its nkpt is %s), as that of YOLO-pose; they are not converted", head.Show("nkpt"))
		return
	}
	more := 0.5 // columns than are known
	if no := head.Numbers("no"); len(no) == 1 && no[0] >= 0 && no[0] <= limit {
		more = no[0] - float64(m.columns())
	}
	switch whole := int(more); {
	case more == 0:
	case more == float64(whole) && allowed && slices.Contains(landmarkColumns, whole):
		m.Landmarks = whole
		if !face {
			a.NoteOnce(a.row.ModuleSpan, "its landmarks are decoded as yolov5-face does since 24 May 2021, t·anchor from the cell's corner; before, when its "+
				"models had no StemBlock, as this has none, it took 8·sigmoid(t) - 4 for t, which a checkpoint does not tell")
		}
	case more == angleColumns && allowed:
		m.Angles = whole
	default:
		a.Errorf("the checkpoint's head gives each anchor %s columns, which it calls no; known are %s", head.Show("no"), m.knownColumns(allowed))
	}
}

// knownColumns says which columns a head may have.
func (m *Detect) knownColumns(landmarks bool) string {
	text := fmt.Sprintf("%d: box, objectness and scores of %d classes", m.columns(), m.Classes)
	switch {
	case m.Masks > 0:
		return fmt.Sprintf("%s, and coefficients of %d masks", text, m.Masks)
	case !landmarks:
		return text
	}
	return fmt.Sprintf("%s; %d with five landmarks, as in yolov5-face, %d with four; %d with angles, as in yolov5_obb", text, m.columns()+10, m.columns()+8,
		m.columns()+angleColumns)
}
