package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// sniffed is how many bytes at the beginning of a file say what it is.
const sniffed = 1024

// foreign are other files that users take for checkpoints, by how they begin.
var foreign = []struct {
	offset int
	magic  string
	advice string
}{
	{0, "version https://git-lfs", "it is a Git LFS pointer, not the file itself: run `git lfs pull`, or download the file from its page"},
	{0, "\x89HDF\r\n\x1a\n", "it is an HDF5 file, as Keras writes them, and has no PyTorch model in it"},
	{0, "GGUF", "it is a GGUF file, which language models come in"},
	{4, "TFL3", "it is a TensorFlow Lite model; the PyTorch checkpoint (.pt) that it was made from is needed"},
	{0, "\x93NUMPY", "it is one numpy array (.npy)"},
	{0, "\x1f\x8b", "it is compressed by gzip: unpack it first"},
	{0, "7z\xbc\xaf\x27\x1c", "it is a 7z archive: unpack it first"},
	{0, "Rar!", "it is a RAR archive: unpack it first"},
	{0, "BZh", "it is compressed by bzip2: unpack it first"},
	{0, "\xfd7zXZ", "it is compressed by xz: unpack it first"},
	{0, "%PDF", "it is a PDF"},
	{0, "\x89PNG", "it is a picture"},
	{0, "\xff\xd8\xff", "it is a picture"},
	{0, "ftrt", "it is a TensorRT engine; the PyTorch checkpoint (.pt) that it was made from is needed"},
	{257, "ustar", "it is a tar archive; if PyTorch before 0.4 wrote it, load it there and save it with a newer one, otherwise unpack it"},
}

// legacyMagic is how torch.save began before PyTorch 1.6: protocol 2, and the number 0x1950a86a20f9469cfc6c.
const legacyMagic = "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

const resave = "load it with torch.load in a program that you trust it with, and save it again with torch.save(…) of PyTorch 1.6 or newer"

// describeForeign says what a file is that is neither a zip nor safetensors, by its first bytes.
func describeForeign(head []byte) error {
	if bytes.HasPrefix(head, []byte(legacyMagic)) {
		return errors.New("it is in PyTorch's format from before version 1.6, which is not read: " + resave)
	}
	for _, f := range foreign {
		if len(head) > f.offset && bytes.HasPrefix(head[f.offset:], []byte(f.magic)) {
			return errors.New(f.advice)
		}
	}
	text := strings.ToLower(string(bytes.TrimLeft(head, " \t\r\n\ufeff")))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<head"):
		return errors.New("it is a web page: the download gave a page about the file (or a login, or an error) in place of the file; download it again")
	case head[0] == 0x80 && len(head) > 1 && head[1] <= 5:
		return errors.New("it is a bare pickle, not a PyTorch checkpoint: " + resave)
	case looksLikeONNX(head):
		return errors.New("it looks like an ONNX file, which is already what a checkpoint is converted to")
	case isText(head):
		return fmt.Errorf("it is a text file, beginning with %q; a trained file (.pt, .safetensors) is binary", firstLine(head))
	}
	return fmt.Errorf("it is neither a PyTorch checkpoint (a zip) nor safetensors; it begins with the bytes % x", head[:min(len(head), 8)])
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
		if strings.HasSuffix(r.Name, ".mlmodel") {
			return errors.New("it is a Core ML package; the PyTorch checkpoint (.pt) that it was made from is needed")
		}
		if strings.HasSuffix(r.Name, ".pt") || strings.HasSuffix(r.Name, ".pth") || strings.HasSuffix(r.Name, ".safetensors") {
			return fmt.Errorf("it is a zip with %q in it: unpack it, and name that file", r.Name)
		}
	}
	return errors.New("it is a zip, but without the data.pkl that torch.save puts into a checkpoint")
}
