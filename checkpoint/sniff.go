package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// sniffed is how many bytes at the beginning of a file say what it is.
const sniffed = 1024

const (
	needed  = "; the PyTorch checkpoint (.pt) that it was made from is needed"
	darknet = "it is a file of weights for darknet, another framework than YOLOv5's, and has no PyTorch model in it"
)

// foreign are other files that users take for checkpoints, by how they begin.
var foreign = []struct {
	offset int
	magic  string
	advice string
}{
	{0, "version https://git-lfs", "it is a Git LFS pointer, not the file itself: run `git lfs pull`, or download the file from its page"},
	{0, "\x89HDF\r\n\x1a\n", "it is an HDF5 file, as Keras writes them, and has no PyTorch model in it"},
	{0, "GGUF", "it is a GGUF file, which language models come in"},
	{4, "TFL3", "it is a TensorFlow Lite model" + needed},
	{0, "\x08\x01\x12", "it is a TensorFlow SavedModel" + needed},
	{0, "RKNN", "it is a model for Rockchip's NPU (RKNN)" + needed},
	{0, "\x01HEF", "it is a model for Hailo's accelerators (HEF)" + needed},
	{0, "LDMK", "it is a model for Kendryte's NPU (kmodel)" + needed},
	{0, "7767517\n", "it is the structure of an ncnn model" + needed},
	{0, "\x12\x01\x00\x00\x00\x00\x00\x00", "it is an MXNet parameter file, and has no PyTorch model in it"},
	{0, "MATLAB ", "it is a MATLAB file, and has no PyTorch model in it"},
	{0, "\x00\x00\x00\x00\x01\x00\x00\x00", darknet},
	{0, "\x00\x00\x00\x00\x02\x00\x00\x00", darknet},
	{0, "[net]", "it is a network for darknet (.cfg), another framework than YOLOv5's; a YOLOv5 model is a YAML or a PyTorch checkpoint (.pt)"},
	{0, "\x93NUMPY", "it is one numpy array (.npy)"},
	{0, "\x1f\x8b", "it is compressed by gzip: unpack it first"},
	{0, "7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"},
	{0, "Rar!", "it is a RAR archive: unpack it first"},
	{0, "BZh", "it is compressed by bzip2: unpack it first"},
	{0, "\xfd7zXZ", "it is compressed by xz: unpack it first"},
	{0, "%PDF", "it is a PDF"},
	{0, "\x89PNG", "it is a picture"},
	{0, "\xff\xd8\xff", "it is a picture"},
	{0, "ftrt", "it is a TensorRT engine" + needed},
	{0, "ptrt", "it is a TensorRT engine" + needed},
	{257, "ustar", "it is a tar archive; if PyTorch before 0.4 wrote it, load it there and save it with a newer one, otherwise unpack it"},
}

const resave = "if you trust the file, load it with torch.load and save it again with torch.save(…) of PyTorch 1.6 or newer"

// describeForeign says what a file is that is neither a zip nor safetensors, by its first bytes.
func describeForeign(head []byte) error {
	switch what := Foreign(head); {
	case what != "":
		return errors.New(what)
	case isText(head):
		return fmt.Errorf("it is a text file, beginning with %q; a trained file (.pt, .safetensors) is binary", firstLine(head))
	}
	return fmt.Errorf("it is neither a PyTorch checkpoint (a zip) nor safetensors; it begins with the bytes % x", head[:min(len(head), 8)])
}

// Foreign says what a file of another kind is, and what is needed instead, by its first bytes; "" for a zip, for text and
// for unknown files.
func Foreign(head []byte) string {
	head = head[:min(len(head), sniffed)]
	if bytes.HasPrefix(head, []byte(legacyMagic)) {
		return "" // a checkpoint
	}
	for _, f := range foreign {
		if len(head) > f.offset && bytes.HasPrefix(head[f.offset:], []byte(f.magic)) {
			return f.advice
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(head, " \t\r\n\ufeff")))
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(text, p) })
	}
	switch {
	case starts("<?xml", "<net ") && strings.Contains(text, "<net "):
		return "it is the structure of an OpenVINO model" + needed
	case starts("<!doctype html", "<html", "<?xml", "<head"):
		return "it is a web page: the download gave a page about the file (or a login, or an error) in place of the file; download it again"
	case starts("{") && strings.Contains(text, `"graph-model"`):
		return "it is a TensorFlow.js model" + needed
	case starts("name:", "layer {", "input:") && strings.Contains(text, "layer {"):
		return "it is the structure of a Caffe model, another framework than YOLOv5's"
	case len(head) > 1 && head[0] == 0x80 && head[1] <= 5:
		return "it is a bare pickle, not a PyTorch checkpoint: " + resave
	case looksLikeONNX(head):
		return "it looks like an ONNX file, and so needs no conversion"
	case looksLikeCaffe(head):
		return "it is a Caffe model, another framework than YOLOv5's, and has no PyTorch model in it"
	case looksLikeGraphDef(head):
		return "it is a frozen TensorFlow graph" + needed
	}
	return ""
}

// looksLikeCaffe says whether the bytes begin as a NetParameter: name as a text, then layer (field 100) or layers (field 2).
func looksLikeCaffe(head []byte) bool {
	name, rest := protoField(head, 0x0a)
	return len(name) > 0 && isText(name) && (bytes.HasPrefix(rest, []byte("\xa2\x06")) || bytes.HasPrefix(rest, []byte("\x12")))
}

// looksLikeGraphDef says whether the bytes begin as a GraphDef: a node, which has a name and an operation.
func looksLikeGraphDef(head []byte) bool {
	if len(head) < 2 || head[0] != 0x0a {
		return false
	}
	_, n := binary.Uvarint(head[1:])
	if n <= 0 {
		return false
	}
	name, rest := protoField(head[1+n:], 0x0a)
	operation, _ := protoField(rest, 0x12)
	return len(name) > 0 && isText(name) && (string(operation) == "Placeholder" || string(operation) == "Const")
}

// protoField is a field of bytes that a protobuf message begins with, and what follows; none is nil.
func protoField(message []byte, tag byte) (field, rest []byte) {
	if len(message) < 2 || message[0] != tag {
		return nil, nil
	}
	size, n := binary.Uvarint(message[1:])
	if n <= 0 || size > uint64(len(message)-1-n) {
		return nil, nil
	}
	return message[1+n : 1+n+int(size)], message[1+n+int(size):]
}

// looksLikeONNX says whether the bytes begin as a ModelProto: ir_version as a small varint, then a string or message.
func looksLikeONNX(head []byte) bool {
	return len(head) > 2 && head[0] == 0x08 && head[1] > 0 && head[1] < 32 && strings.IndexByte("\x12\x1a\x22\x2a\x32\x3a\x42\x72", head[2]) >= 0
}

// isText says whether the bytes are text, but for a character cut off at their end.
func isText(head []byte) bool {
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r == utf8.RuneError && n == 1 {
			return len(head)-i < utf8.UTFMax && len(head) == sniffed
		}
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		i += n
	}
	return true
}

func firstLine(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return strings.ToValidUTF8(string(line[:min(len(line), 40)]), "")
}

// describeZip says what a zip without a checkpoint's pickle is.
func describeZip(records []Record) error {
	for _, r := range records {
		if strings.HasSuffix(r.Name, ".npy") {
			return errors.New("it is numpy's .npz, an archive of arrays, and has no PyTorch model in it")
		}
		if r.Name == "AndroidManifest.xml" || r.Name == "word/document.xml" || strings.HasPrefix(r.Name, "META-INF/") {
			return errors.New("it is a zip of another program, and has no PyTorch model in it")
		}
		if r.Name == "model.weights.h5" {
			return errors.New("it is a Keras model" + needed)
		}
		if r.Name == "saved_model.pb" || strings.HasSuffix(r.Name, "/saved_model.pb") {
			return errors.New("it is a TensorFlow SavedModel in a zip" + needed)
		}
		if strings.HasSuffix(r.Name, ".mlmodel") {
			return errors.New("it is a Core ML package" + needed)
		}
		if strings.HasSuffix(r.Name, ".pt") || strings.HasSuffix(r.Name, ".pth") || strings.HasSuffix(r.Name, ".safetensors") {
			return fmt.Errorf("it is a zip with %q in it: unpack it, and name that file", r.Name)
		}
	}
	return errors.New("it is a zip, but without the data.pkl that torch.save puts into a checkpoint")
}
