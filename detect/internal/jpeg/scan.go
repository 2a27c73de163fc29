package jpeg

import "errors"

// natural is the place in a block of the k-th coefficient of the zigzag, figure A.6.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// scan is a part of the coefficients while it is read.
type scan struct {
	bits
	first, last int   // coefficients, in zigzag order
	high, low   uint  // bits that earlier scans have read, and that later ones will read
	run         int32 // blocks yet to come that hold nothing
	members     []member
}

// member is a component in a scan.
type member struct {
	*component
	dc, ac     *table
	prediction int32
}

var errScan = errors.New("a scan's header is malformed")

// scan reads a scan's header, B.2.3, and its data.
func (d *decoder) scan(s []byte) error {
	if d.scans++; d.scans > maxScans {
		return errors.New("the file has too many scans")
	}
	if d.components == nil || len(s) < 1 || s[0] < 1 || s[0] > 4 || len(s) != 4+2*int(s[0]) {
		return errScan
	}
	n := int(s[0])
	sc := &scan{bits: bits{data: d.data, at: d.at}, last: 63}
	if d.progressive {
		sc.first, sc.last = int(s[1+2*n]), int(s[2+2*n])
		sc.high, sc.low = uint(s[3+2*n]>>4), uint(s[3+2*n]&15)
		if sc.first > sc.last || sc.last > 63 || sc.first == 0 && sc.last != 0 || sc.first > 0 && n > 1 || sc.low > 13 || sc.high > 0 && sc.high != sc.low+1 {
			return errScan
		}
	}
	for i := range n {
		m, err := d.member(s[1+2*i], s[2+2*i], sc)
		if err != nil {
			return err
		}
		sc.members = append(sc.members, m)
	}
	if err := d.blocks(sc); err != nil {
		return err
	}
	d.at = sc.at
	return nil
}

// member finds a scan's component and its tables.
func (d *decoder) member(id, tables byte, sc *scan) (member, error) {
	for _, m := range sc.members {
		if m.id == id {
			return member{}, errScan
		}
	}
	for _, c := range d.components {
		if c.id != id {
			continue
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return member{}, errScan
		}
		m := member{component: c, dc: d.dc[tables>>4], ac: d.ac[tables&15]}
		needsDC, needsAC := sc.first == 0 && sc.high == 0, sc.last > 0
		if needsDC && m.dc == nil || needsAC && m.ac == nil || d.quant[c.quant] == nil {
			return member{}, errors.New("a scan's table is missing")
		}
		if c.table == nil {
			c.table = d.quant[c.quant]
		}
		return m, nil
	}
	return member{}, errScan
}

// blocks reads a scan's data, A.2: of one component, the blocks that hold samples; of more, whole MCUs.
func (d *decoder) blocks(sc *scan) error {
	across, down := d.mcusX, d.mcusY
	alone := len(sc.members) == 1
	if alone {
		c := sc.members[0]
		across, down = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
	}
	for mcu := range across * down {
		if d.interval > 0 && mcu > 0 && mcu%d.interval == 0 {
			if !sc.resume() {
				return errors.New("a restart marker is missing: the file is damaged")
			}
			sc.run = 0
			for i := range sc.members {
				sc.members[i].prediction = 0
			}
		}
		x, y := mcu%across, mcu/across
		for i := range sc.members {
			m := &sc.members[i]
			if alone {
				d.block(sc, m, &m.coefficients[y*m.columns+x])
				continue
			}
			for v := range m.v {
				for h := range m.h {
					d.block(sc, m, &m.coefficients[(y*m.v+v)*m.columns+x*m.h+h])
				}
			}
		}
		if sc.over {
			return errors.New("the picture's data end too early, or are damaged")
		}
	}
	return nil
}

// block reads what a scan holds of a block.
func (d *decoder) block(sc *scan, m *member, c *[64]int16) {
	switch {
	case !d.progressive:
		sc.constant(m, c)
		sc.sequential(m, c)
	case sc.first == 0 && sc.high == 0:
		sc.constant(m, c)
	case sc.first == 0:
		if sc.take(1) == 1 {
			c[0] |= 1 << sc.low
		}
	case sc.high == 0:
		sc.coarse(m, c)
	default:
		sc.refine(m, c)
	}
}

// constant reads the first coefficient, F.2.2.1.
func (sc *scan) constant(m *member, c *[64]int16) {
	size := int(sc.symbol(m.dc))
	if size > 15 {
		sc.over = true
		return
	}
	m.prediction += sc.extended(size)
	c[0] = int16(m.prediction << sc.low)
}

// sequential reads the other coefficients, F.2.2.2.
func (sc *scan) sequential(m *member, c *[64]int16) {
	for k := 1; k <= sc.last; k++ {
		symbol := sc.symbol(m.ac)
		zeros, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if zeros < 15 {
				return
			}
			k += 15
			continue
		}
		if k += zeros; k > sc.last {
			sc.over = true
			return
		}
		c[natural[k]] = int16(sc.extended(size))
	}
}

// coarse reads the upper bits of coefficients, G.1.2.2.
func (sc *scan) coarse(m *member, c *[64]int16) {
	if sc.run > 0 {
		sc.run--
		return
	}
	for k := sc.first; k <= sc.last; k++ {
		symbol := sc.symbol(m.ac)
		zeros, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if zeros < 15 {
				sc.run = 1<<zeros + sc.take(zeros) - 1
				return
			}
			k += 15
			continue
		}
		if k += zeros; k > sc.last {
			sc.over = true
			return
		}
		c[natural[k]] = int16(sc.extended(size) << sc.low)
	}
}

// refine reads one more bit of coefficients, G.1.2.3.
func (sc *scan) refine(m *member, c *[64]int16) {
	k := sc.first
	for sc.run == 0 && k <= sc.last && !sc.over {
		symbol := sc.symbol(m.ac)
		zeros, size := int(symbol>>4), int(symbol&15)
		value := int16(0)
		switch {
		case size > 1:
			sc.over = true
			return
		case size == 1:
			value = -1 << sc.low
			if sc.take(1) == 1 {
				value = 1 << sc.low
			}
		case zeros < 15:
			sc.run = 1<<zeros + sc.take(zeros)
			continue
		}
		if k = sc.pass(c, k, zeros); k <= sc.last {
			c[natural[k]] += value // nothing for sixteen zeros
			k++
		}
	}
	if sc.run > 0 {
		sc.pass(c, k, 64)
		sc.run--
	}
}

// pass refines the coefficients from k on that are not zero, skips as many zeros, and gives the place of the next one.
func (sc *scan) pass(c *[64]int16, k, zeros int) int {
	for ; k <= sc.last; k++ {
		v := &c[natural[k]]
		if *v == 0 {
			if zeros == 0 {
				return k
			}
			zeros--
			continue
		}
		if sc.take(1) == 1 && *v&(1<<sc.low) == 0 {
			if *v > 0 {
				*v += 1 << sc.low
			} else {
				*v -= 1 << sc.low
			}
		}
	}
	return k
}
