package checkpoint_test

import (
	"strings"
	"testing"

	"ysc2onnx/checkpoint"
)

func TestOtherFilesAreNamed(t *testing.T) {
	const resave = "load it with torch.load in a program that you trust it with, and save it again with torch.save(…) of PyTorch 1.6 or newer"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is truncated: it is empty"},
		{"legacy", readFile(t, "legacy.pt"), "it is in PyTorch's format from before version 1.6, which is not read: " + resave},
		{"TorchScript", readFile(t, "torchscript.pt"), "it is TorchScript (written by torch.jit.save or YOLOv5's export.py): a program without the model's structure; " +
			"the checkpoint that it was made from (best.pt, written by train.py) is needed"},
		{"pickle", []byte("\x80\x04N."), "it is a bare pickle, not a PyTorch checkpoint: " + resave},
		{"HDF5", []byte("\x89HDF\r\n\x1a\nxx"), "it is an HDF5 file, as Keras writes them, and has no PyTorch model in it"},
		{"LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:0"),
			"it is a Git LFS pointer, not the file itself: run `git lfs pull`, or download the file from its page"},
		{"HTML", []byte("\n<!DOCTYPE html><html>"),
			"it is a web page: the download gave a page about the file (or a login, or an error) in place of the file; download it again"},
		{"ONNX", []byte("\x08\x08\x12\x07pytorch"), "it looks like an ONNX file, which is already what a checkpoint is converted to"},
		{"YAML", []byte("nc: 80\ndepth_multiple: 0.33\n"), `it is a text file, beginning with "nc: 80"; a trained file (.pt, .safetensors) is binary`},
		{"gzip", []byte("\x1f\x8b\x08"), "it is compressed by gzip: unpack it first"},
		{"tar", []byte(strings.Repeat("\x00", 257) + "ustar"),
			"it is a tar archive; if PyTorch before 0.4 wrote it, load it there and save it with a newer one, otherwise unpack it"},
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
		{"\x80\x02}" + binUnicode("model") + "}s.", `"model" in the file: it is no state_dict: tensors by name were expected`},
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
