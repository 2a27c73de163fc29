//go:build peers

package detect

import (
	"os"
	"os/exec"
	"testing"

	"ysc2onnx/verify/ort/orttest"
)

// TestPeers compares with OpenCV and torchvision at once, on more and larger cases than those that are recorded, and
// where $YOLOV5 is a checkout of YOLOv5, with its own functions.
func TestPeers(t *testing.T) {
	folder := t.TempDir()
	args := []string{"testdata/oracle.py", folder, "--large", "--seed", "7"}
	if checkout := os.Getenv("YOLOV5"); checkout != "" {
		args = append(args, "--yolov5", checkout)
	} else {
		t.Log("YOLOv5's own functions are not asked: $YOLOV5 is not set; what they gave is recorded in testdata")
	}
	out, err := exec.Command(pythonWithOpenCV(t), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
	sameResize(t, folder)
	sameLetterbox(t, folder)
	sameSuppression(t, folder)
	samePictures(t, folder, 12)
}

// pythonWithOpenCV is a Python with OpenCV and torchvision.
func pythonWithOpenCV(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PYTHON"), "python3", "/usr/bin/python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import cv2, torchvision").Run() == nil {
			return path
		}
	}
	orttest.Missing(t, "no Python with cv2 and torchvision was found; Debian has python3-opencv and python3-torchvision")
	return ""
}
