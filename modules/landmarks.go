package modules

import (
	"fmt"
	"slices"
)

// landmarkColumns are the coordinates of points that a head may give each anchor besides box, objectness and scores: five
// points of a face (repository deepcam-cn/yolov5-face), or four corners of a plate or another quadrangle in code that follows it.
// Both are decoded alike.
var landmarkColumns = []int{10, 8}

// angleColumns are the scores of angles, one for each degree, that yolov5_obb (hukaixuan19970627) has for rotated boxes.
const angleColumns = 180

// LandmarksOf reports whether so many columns are known to be coordinates of points.
func LandmarksOf(columns int) bool { return slices.Contains(landmarkColumns, columns) }

// landmarks gives the columns of landmarks of a checkpoint's head, 0 in most, and refuses columns that are not known. Rows and tensors do not tell them from scores of
// more classes, only what the checkpoint keeps of the head as no, its columns.
func (m *Detect) landmarks(a *Args, allowed bool) int {
	if a.trained == nil || a.failed {
		return 0
	}
	head := a.trained.Module(a.path())
	if head == nil || !slices.Contains(head.Attributes(), "no") {
		return 0
	}
	more := 0.5 // columns than are known
	if no := head.Numbers("no"); len(no) == 1 && no[0] >= 0 && no[0] <= limit {
		more = no[0] - float64(m.columns())
	}
	switch whole := int(more); {
	case more == 0:
	case more == float64(whole) && allowed && LandmarksOf(whole):
		return whole
	case more == angleColumns:
		a.Errorf("the checkpoint's head gives each anchor %s columns, which it calls no: %d more than box, objectness and scores of %d classes, "+
			"for the angle of a rotated box, as in yolov5_obb; rotated boxes are not converted", head.Show("no"), angleColumns, m.Classes)
	default:
		a.Errorf("the checkpoint's head gives each anchor %s columns, which it calls no; known are %s", head.Show("no"), m.knownColumns(allowed))
	}
	return 0
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
	return fmt.Sprintf("%s; with landmarks %d for five points, as in yolov5-face, or %d for four", text, m.columns()+10, m.columns()+8)
}
