package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// header copies a safetensors file with its header edited: header IN OUT OLD NEW [OLD NEW]... replaces text in it, each
// OLD wherever it stands. It reads the format from its specification alone: 8 bytes of length, JSON, elements.
func header(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || len(args)%2 != 0 {
		ts.Fatalf("usage: header IN OUT OLD NEW [OLD NEW]...")
	}
	data := []byte(ts.ReadFile(args[0]))
	length := binary.LittleEndian.Uint64(data)
	text := string(data[8 : 8+length])
	for edits := args[2:]; len(edits) > 0; edits = edits[2:] {
		if !strings.Contains(text, edits[0]) {
			ts.Fatalf("the header has no %s", edits[0])
		}
		text = strings.ReplaceAll(text, edits[0], edits[1])
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(append(out, text...), data[8+length:]...), 0o666))
}

// bareHeader copies a safetensors file without its metadata: bare IN OUT.
func bareHeader(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bare IN OUT")
	}
	data := []byte(ts.ReadFile(args[0]))
	length := binary.LittleEndian.Uint64(data)
	var fields map[string]json.RawMessage
	ts.Check(json.Unmarshal(data[8:8+length], &fields))
	delete(fields, "__metadata__")
	text, err := json.Marshal(fields)
	ts.Check(err)
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(text)))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), append(append(out, text...), data[8+length:]...), 0o666))
}

// poke sets elements of a float16 tensor in a safetensors file: poke FILE TENSOR VALUE INDEX..., with nan, inf or -inf.
func poke(ts *testscript.TestScript, neg bool, args []string) {
	bits, known := map[string]uint16{"nan": 0x7e00, "inf": 0x7c00, "-inf": 0xfc00, "0": 0}[args[min(2, len(args)-1)]]
	if neg || len(args) < 4 || !known {
		ts.Fatalf("usage: poke FILE TENSOR nan|inf|-inf|0 INDEX...")
	}
	data := []byte(ts.ReadFile(args[0]))
	length := binary.LittleEndian.Uint64(data)
	var fields map[string]struct {
		DType   string   `json:"dtype"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	ts.Check(json.Unmarshal(data[8:8+length], &fields))
	t := fields[args[1]]
	if t.DType != "F16" {
		ts.Fatalf("%s is %q", args[1], t.DType)
	}
	elements := data[8+int64(length)+t.Offsets[0] : 8+int64(length)+t.Offsets[1]]
	indices := args[3:]
	if indices[0] == "all" {
		indices = nil
		for i := range len(elements) / 2 {
			indices = append(indices, strconv.Itoa(i))
		}
	}
	for _, index := range indices {
		i, err := strconv.Atoi(index)
		ts.Check(err)
		binary.LittleEndian.PutUint16(elements[2*i:], bits)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

// damage flips a bit of the first byte of a record that is stored plainly: damage FILE RECORD.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE RECORD")
	}
	data := []byte(ts.ReadFile(args[0]))
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	ts.Check(err)
	for _, record := range archive.File {
		if record.Name != args[1] {
			continue
		}
		at, err := record.DataOffset()
		ts.Check(err)
		data[at] ^= 1
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
		return
	}
	ts.Fatalf("%s has no record %s", args[0], args[1])
}

// hostile copies a checkpoint whose pickle names what runs programs, and calls none of it: hostile IN OUT. With a third
// argument, the pickle is nothing but a call of os.system with it.
func hostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: hostile IN OUT [COMMAND]")
	}
	data := []byte(ts.ReadFile(args[0]))
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	ts.Check(err)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, record := range archive.File {
		r, err := record.Open()
		ts.Check(err)
		content, err := io.ReadAll(r)
		ts.Check(err)
		if strings.HasSuffix(record.Name, "/data.pkl") {
			const start = "\x80\x02" // of a pickle of protocol 2
			named := start + "cos\nsystem\n0cbuiltins\nexec\n0" + strings.TrimPrefix(string(content), start)
			if len(args) == 3 {
				named = start + "cos\nsystem\n(X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(args[2])))) + args[2] + "tR."
			}
			content = []byte(named)
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: record.Name, Method: zip.Store})
		ts.Check(err)
		_, err = to.Write(content)
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o666))
}
