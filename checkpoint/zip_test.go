package checkpoint_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"testing"

	"ysc2onnx/checkpoint"
)

// wide rewrites a zip of one record into the form of archives beyond 4 GiB: sizes of 64 bits in an extra field, and an
// end record of 64 bits (APPNOTE.TXT 4.3.14, 4.3.15, 4.5.3).
func wide(b []byte) []byte {
	le := binary.LittleEndian
	end := b[len(b)-22:]
	length, offset := le.Uint32(end[12:]), le.Uint32(end[16:])
	entry := bytes.Clone(b[offset : offset+length])
	stored, size, header := le.Uint32(entry[20:]), le.Uint32(entry[24:]), le.Uint32(entry[42:])
	for _, at := range []int{20, 24, 42} {
		le.PutUint32(entry[at:], 0xffffffff)
	}
	le.PutUint16(entry[30:], 28)
	entry = le.AppendUint16(le.AppendUint16(entry, 1), 24)
	for _, v := range []uint32{size, stored, header} {
		entry = le.AppendUint64(entry, uint64(v))
	}
	out := append(bytes.Clone(b[:offset]), entry...)
	end64 := uint64(len(out))
	out = le.AppendUint64(le.AppendUint32(out, 0x06064b50), 44)
	out = append(out, make([]byte, 12)...)
	for _, v := range []uint64{1, 1, uint64(len(entry)), uint64(offset)} {
		out = le.AppendUint64(out, v)
	}
	out = le.AppendUint32(le.AppendUint64(le.AppendUint32(le.AppendUint32(out, 0x07064b50), 0), end64), 1)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	return append(out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00"...)
}

func TestArchiveBeyond4GiB(t *testing.T) {
	b := wide(checkpointOf("\x80\x02K\x07."))
	if _, err := zip.NewReader(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatalf("the test's own zip is faulty: %v", err)
	}
	f := mustOpen(t, b)
	if got := checkpoint.Repr(f.Value, 100); got != "7" || f.Root != "x" {
		t.Errorf("got %s in %s", got, f.Root)
	}
	at := bytes.Index(b, []byte("PK\x06\x06"))
	for _, c := range []struct {
		name  string
		place int
		value uint64
		want  string
	}{
		{"directory beyond the file", at + 48, 1 << 63,
			"the file is truncated: its zip directory should lie at byte 9223372036854775808 and have 84 bytes, but the file has 227; copy or download it again"},
		{"size without end", at + 40, 1<<64 - 1,
			"the file is truncated: its zip directory should lie at byte 45 and have 18446744073709551615 bytes, but the file has 227; copy or download it again"},
		{"too many records", at + 32, 1 << 40, "the zip has 1099511627776 records: more than the limit of 200000; no real checkpoint comes near it, so the file is refused"},
		{"record beyond the file", at - 8, 1 << 62, `record "x/data.pkl": the file is truncated: it should lie at byte 4611686018427387904 and have 5 bytes, but the file has 227`},
		{"end record beyond the file", at + 56 + 8, 1 << 50, "the zip is damaged: its 64-bit end record should lie at byte 1125899906842624, behind its own locator"},
	} {
		bad := bytes.Clone(b)
		binary.LittleEndian.PutUint64(bad[c.place:], c.value)
		refused(t, c.name, bad, c.want)
	}
}

func TestZipFormsThatAreNotRead(t *testing.T) {
	b := checkpointOf("\x80\x02K\x07.")
	at := bytes.Index(b, []byte("PK\x01\x02"))
	for _, c := range []struct {
		name  string
		place int
		value byte
		want  string
	}{
		{"encrypted", at + 8, 1, `record "x/data.pkl": it is encrypted`},
		{"bzip2", at + 10, 12, `record "x/data.pkl": it is compressed by method 12; PyTorch stores records without compression, and only deflate (8) is read besides`},
		{"two sizes", at + 24, 9, `record "x/data.pkl": it is stored without compression, but has 5 bytes in the file and 9 unpacked`},
		{"no local header", at + 42, 1, `the zip is damaged: record "x/data.pkl" does not begin at byte 1`},
		{"directory damaged", at + 1, 0, "the zip is damaged: entry 1 of 1 is missing from its directory"},
		{"second disk", len(b) - 22 + 4, 3, "the zip is one part of several; put them together first"},
	} {
		bad := bytes.Clone(b)
		bad[c.place] = c.value
		refused(t, c.name, bad, c.want)
	}
	refused(t, "byte order", checkpointOf("\x80\x02K\x07.", record{"x/byteorder", []byte("middle")}), `record "x/byteorder" says "middle"; little or big was expected`)
}
