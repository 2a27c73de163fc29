package checkpoint_test

import (
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

func TestOtherFilesAreNamed(t *testing.T) {
	const needed = "; the PyTorch checkpoint (.pt) that it was made from is needed"
	const darknet = "it is a file of weights for darknet, another framework than YOLOv5's, and has no PyTorch model in it"
	const resave = "if you trust the file, load it with torch.load and save it again with torch.save(…) of PyTorch 1.6 or newer"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is truncated: it is empty"},
		{"TorchScript", readFile(t, "torchscript.pt"), "it is TorchScript (written by torch.jit.save or YOLOv5's export.py): a program without the model's structure; " +
			"the checkpoint that it was made from (best.pt, written by train.py) is needed"},
		{"pickle", []byte("\x80\x04N."), "it is a bare pickle, not a PyTorch checkpoint: " + resave},
		{"HDF5", []byte("\x89HDF\r\n\x1a\nxx"), "it is an HDF5 file, as Keras writes them, and has no PyTorch model in it"},
		{"LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
			"it is a Git LFS pointer, not the file itself: run `git lfs pull`, or download the file from its page"},
		{"HTML", []byte("\n<!DOCTYPE html><html>"),
			"it is a web page: the download gave a page about the file (or a login, or an error) in place of the file; download it again"},
		{"ONNX", []byte("\x08\x08\x12\x07pytorch"), "it looks like an ONNX file, and so needs no conversion"},
		{"YAML", []byte("nc: 80\ndepth_multiple: 0.33\n"), `it is a text file, beginning with "nc: 80"; a trained file (.pt, .safetensors) is binary`},
		{"gzip", []byte("\x1f\x8b\x08"), "it is compressed by gzip: unpack it first"},
		{"tar", []byte(strings.Repeat("\x00", 257) + "ustar"),
			"it is a tar archive; if PyTorch before 0.4 wrote it, load it there and save it with a newer one, otherwise unpack it"},
		{"darknet", []byte("\x00\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00\x00\x7d\x00\x00"), darknet},
		{"older darknet", []byte("\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), darknet},
		{"darknet cfg", []byte("[net]\nbatch=64\n"), "it is a network for darknet (.cfg), another framework than YOLOv5's; " +
			"a YOLOv5 model is a YAML or a PyTorch checkpoint (.pt)"},
		{"TFLite", []byte("\x1c\x00\x00\x00TFL3\x14\x00"), "it is a TensorFlow Lite model" + needed},
		{"SavedModel", []byte("\x08\x01\x12\xa1\x05\x0a\x10"), "it is a TensorFlow SavedModel" + needed},
		{"frozen graph", []byte("\x0a\x1c\x0a\x01x\x12\x0bPlaceholder*\x0a\x0a\x05dtype"), "it is a frozen TensorFlow graph" + needed},
		{"TensorFlow.js", []byte(`{"format": "graph-model", "generatedBy": "2.4"}`), "it is a TensorFlow.js model" + needed},
		{"Keras zip", zipOf(record{"metadata.json", nil}, record{"model.weights.h5", nil}), "it is a Keras model" + needed},
		{"SavedModel zip", zipOf(record{"yolo/saved_model.pb", nil}), "it is a TensorFlow SavedModel in a zip" + needed},
		{"Caffe", []byte("\x0a\x06YOLOv3\xa2\x06\x10\x0a\x04data"), "it is a Caffe model, another framework than YOLOv5's, and has no PyTorch model in it"},
		{"Caffe V1", []byte("\x0a\x07AlexNet\x12\x10\x0a\x04data"), "it is a Caffe model, another framework than YOLOv5's, and has no PyTorch model in it"},
		{"prototxt", []byte("name: \"net\"\nlayer {\n  name: \"data\"\n"), "it is the structure of a Caffe model, another framework than YOLOv5's"},
		{"OpenVINO", []byte("<?xml version=\"1.0\"?>\n<net name=\"yolo\" version=\"11\">"), "it is the structure of an OpenVINO model" + needed},
		{"ncnn", []byte("7767517\n168 192\n"), "it is the structure of an ncnn model" + needed},
		{"RKNN", []byte("RKNN\x00\x00\x00\x00"), "it is a model for Rockchip's NPU (RKNN)" + needed},
		{"HEF", []byte("\x01HEF\x00"), "it is a model for Hailo's accelerators (HEF)" + needed},
		{"kmodel", []byte("LDMK\x05\x00"), "it is a model for Kendryte's NPU (kmodel)" + needed},
		{"TensorRT", []byte("ptrt\x00"), "it is a TensorRT engine" + needed},
		{"MXNet", []byte("\x12\x01\x00\x00\x00\x00\x00\x00\x00\x00"), "it is an MXNet parameter file, and has no PyTorch model in it"},
		{"MATLAB", []byte("MATLAB 5.0 MAT-file"), "it is a MATLAB file, and has no PyTorch model in it"},
		{"field cut off", []byte("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "it is neither a PyTorch checkpoint (a zip) nor safetensors; it begins with the bytes 0a ff ff ff ff ff ff ff"},
		{"noise", []byte{0xde, 0xad, 0xbe, 0xef}, "it is neither a PyTorch checkpoint (a zip) nor safetensors; it begins with the bytes de ad be ef"},
		{"npz", zipOf(record{"a.npy", nil}), "it is numpy's .npz, an archive of arrays, and has no PyTorch model in it"},
		{"zip of a checkpoint", zipOf(record{"runs/best.pt", nil}), `it is a zip with "runs/best.pt" in it: unpack it, and name that file`},
		{"zip", zipOf(record{"a.txt", nil}), "it is a zip, but without the data.pkl that torch.save puts into a checkpoint"},
	} {
		_, err := open(c.file)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.name, err, c.want)
		}
	}
}

func TestFilesWithoutAModel(t *testing.T) {
	for _, c := range []struct{ pickle, want string }{
		{"\x80\x02N.", `there is no model in the file: it holds None; a dict with "model", a model or a state_dict was expected`},
		{"\x80\x02}" + binUnicode("epoch") + "K\x03s.",
			`there is no model in the file: it is a dict with the keys 'epoch'; "model" or "ema", or tensors alone were expected`},
		{"\x80\x02}" + binUnicode("model") + "}s.", `"model" in the file: it is not a state_dict: tensors by name were expected`},
	} {
		_, err := mustOpen(t, checkpointOf(c.pickle)).Model()
		if err == nil || err.Error() != c.want {
			t.Errorf(" got %v\nwant %s", err, c.want)
		}
	}
}

func TestLimitsAreTheCallers(t *testing.T) {
	b := readFile(t, "statedict.pt")
	for _, c := range []struct {
		limits checkpoint.Limits
		want   string
	}{
		{checkpoint.Limits{ArchiveSize: 1000}, "the file has 3425 bytes: more than the limit of 1000"},
		{checkpoint.Limits{Records: 5}, "the zip has 11 records: more than the limit of 5"},
		{checkpoint.Limits{Tensors: 3}, `record "statedict/data.pkl": at byte 382 of the pickle: torch._utils._rebuild_tensor_v2: tensors: more than the limit of 3`},
	} {
		_, err := checkpoint.Open(strings.NewReader(string(b)), int64(len(b)), c.limits)
		if want := c.want + "; no real checkpoint comes near it, so the file is refused"; err == nil || err.Error() != want {
			t.Errorf(" got %v\nwant %s", err, want)
		}
	}
}
