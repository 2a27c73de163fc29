package yamlcfg

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"ysc2onnx/diag"
)

// MaxInput is the largest YAML text, in bytes, that Parse reads. A model of 20,000 rows takes about 1 MiB.
const MaxInput = 4 << 20

// readSource reads r up to MaxInput and fails on more without reading the rest.
func readSource(name string, r io.Reader) (*diag.Source, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxInput+1))
	if err != nil {
		return diag.NewSource(name, nil), fmt.Errorf("cannot read: %w", err)
	}
	if len(text) > MaxInput {
		return diag.NewSource(name, nil), fmt.Errorf("the file is larger than %d MiB, which no model YAML is; "+
			"is it a checkpoint or a data set?", MaxInput>>20)
	}
	return diag.NewSource(name, text), nil
}

// notText says what a file is that is no text; "" for text. A text may have a few bytes that are none, from another encoding.
func notText(text []byte) string {
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return "the file is UTF-16 text: save it as UTF-8"
	}
	start := text[:min(len(text), 4096)]
	if bytes.IndexByte(text, 0) >= 0 {
		return "the file holds NUL bytes, as binary files do"
	}
	odd := 0
	for len(start) > 0 {
		r, size := utf8.DecodeRune(start)
		start = start[size:]
		if r == utf8.RuneError && size == 1 || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			odd++
		}
	}
	if odd > 32 && odd*10 > min(len(text), 4096) {
		return "the file is binary"
	}
	return ""
}
