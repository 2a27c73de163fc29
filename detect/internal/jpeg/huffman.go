package jpeg

import "errors"

// lookBits is how many bits of a code are looked up at once.
const lookBits = 9

// table is a Huffman table.
type table struct {
	look   [1 << lookBits]uint16 // length of the code in the upper byte, 0 for a longer one; value in the lower
	last   [17]int32             // the last code of each length; -1 for none
	first  [17]int32             // what to add to a code of this length for its value's place
	values []byte
}

// huffmanTables reads tables, B.2.4.2 and C.2.
func (d *decoder) huffmanTables(s []byte) error {
	for len(s) > 0 {
		if len(s) < 17 || s[0]>>4 > 1 || s[0]&15 > 3 {
			return errors.New("a Huffman table is malformed")
		}
		total := 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if total > 256 || total > len(s)-17 {
			return errors.New("a Huffman table is malformed")
		}
		t, err := newTable(s[1:17], s[17:17+total])
		if err != nil {
			return err
		}
		if s[0]>>4 == 0 {
			d.dc[s[0]&15] = t
		} else {
			d.ac[s[0]&15] = t
		}
		s = s[17+total:]
	}
	return nil
}

// newTable makes a table of how many codes there are of each length, and their values.
func newTable(counts, values []byte) (*table, error) {
	t := &table{values: values}
	code, at := int32(0), int32(0)
	for i, n := range counts {
		length := i + 1
		t.first[length] = at - code
		for range n {
			if length <= lookBits {
				for rest := range 1 << (lookBits - length) {
					if index := int(code)<<(lookBits-length) + rest; index < len(t.look) {
						t.look[index] = uint16(length)<<8 | uint16(values[at])
					}
				}
			}
			code, at = code+1, at+1
		}
		if code > 1<<length {
			return nil, errors.New("a Huffman table has more codes than fit")
		}
		t.last[length] = code - 1
		if n == 0 {
			t.last[length] = -1
		}
		code <<= 1
	}
	return t, nil
}

// bits reads the coded data of a scan, up to the next marker. Beyond the end it gives zeros and says so by over.
type bits struct {
	data []byte
	at   int
	acc  uint64
	n    int // bits in acc
	over bool
}

// fill takes as many whole bytes as fit.
func (b *bits) fill() {
	for b.n <= 48 && b.at < len(b.data) {
		v := b.data[b.at]
		if v == 0xff {
			if b.at+1 >= len(b.data) || b.data[b.at+1] != 0 {
				return // a marker
			}
			b.at++
		}
		b.at++
		b.acc = b.acc<<8 | uint64(v)
		b.n += 8
	}
}

// peek gives the next k bits, which stay.
func (b *bits) peek(k int) uint32 {
	if b.n < k {
		b.fill()
	}
	if b.n < k {
		return uint32(b.acc<<(k-b.n)) & (1<<k - 1)
	}
	return uint32(b.acc>>(b.n-k)) & (1<<k - 1)
}

// drop skips k bits.
func (b *bits) drop(k int) {
	if b.n < k {
		b.over, b.n = true, 0
		return
	}
	b.n -= k
}

// take gives the next k bits, at most 16.
func (b *bits) take(k int) int32 {
	v := b.peek(k)
	b.drop(k)
	return int32(v)
}

// extended gives a number of k bits whose first bit is its sign, F.2.2.1.
func (b *bits) extended(k int) int32 {
	if k == 0 {
		return 0
	}
	v := b.take(k)
	if v < 1<<(k-1) {
		v += -1<<k + 1
	}
	return v
}

// symbol reads a Huffman code and gives its value. One that is in no table counts as the end of the data.
func (b *bits) symbol(t *table) byte {
	if v := t.look[b.peek(lookBits)]; v != 0 {
		b.drop(int(v >> 8))
		return byte(v)
	}
	code := int32(b.peek(16))
	for length := lookBits + 1; length <= 16; length++ {
		if c := code >> (16 - length); c <= t.last[length] {
			b.drop(length)
			if place := c + t.first[length]; place >= 0 && int(place) < len(t.values) {
				return t.values[place]
			}
			break
		}
	}
	b.over = true
	return 0
}

// resume skips the marker of a restart and begins anew. It says whether the marker was there.
func (b *bits) resume() bool {
	b.acc, b.n = 0, 0
	if b.at+1 >= len(b.data) || b.data[b.at] != 0xff || b.data[b.at+1]&^7 != restart {
		return false
	}
	b.at += 2
	return true
}
