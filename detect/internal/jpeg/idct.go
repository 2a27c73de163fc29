package jpeg

// The inverse transform of Loeffler, Ligtenberg and Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications"
// (ICASSP 1989), in the fixed-point numbers of libjpeg's jidctint.c: constants of 13 bits after the point, and 2 more
// bits kept between the passes.
const (
	constBits = 13
	passBits  = 2

	c0298 = 2446  // 0.298631336
	c0390 = 3196  // 0.390180644
	c0541 = 4433  // 0.541196100
	c0765 = 6270  // 0.765366865
	c0899 = 7373  // 0.899976223
	c1175 = 9633  // 1.175875602
	c1501 = 12299 // 1.501321110
	c1847 = 15137 // 1.847759065
	c1961 = 16069 // 1.961570560
	c2053 = 16819 // 2.053119869
	c2562 = 20995 // 2.562915447
	c3072 = 25172 // 3.072711026
)

// inverse makes the samples of a block, in lines of stride, from coefficients in natural order and a quantization table in
// zigzag order.
func inverse(c *[64]int16, quant *[64]uint16, dst []uint8, stride int) {
	var work [64]int32
	for k, n := range natural {
		work[n] = int32(c[n]) * int32(quant[k])
	}
	for x := range 8 {
		transform(work[x:], 8, constBits-passBits)
	}
	for y := range 8 {
		line := work[8*y:]
		transform(line, 1, constBits+passBits+3)
		out := dst[y*stride:][:8]
		for x := range out {
			out[x] = uint8(min(max(line[x]+128, 0), 255))
		}
	}
}

// transform does eight values, a step apart, and drops bits, rounding to the nearest.
func transform(v []int32, step int, drop uint) {
	v0, v1, v2, v3 := v[0], v[step], v[2*step], v[3*step]
	v4, v5, v6, v7 := v[4*step], v[5*step], v[6*step], v[7*step]

	turned := (v2 + v6) * c0541
	even2, even3 := turned-v6*c1847, turned+v2*c0765
	even0, even1 := (v0+v4)<<constBits, (v0-v4)<<constBits
	round := int32(1) << (drop - 1)
	a0, a3 := even0+even3+round, even0-even3+round
	a1, a2 := even1+even2+round, even1-even2+round

	z := (v7 + v3 + v5 + v1) * c1175
	z1, z2 := (v7+v1)*-c0899, (v5+v3)*-c2562
	z3, z4 := (v7+v3)*-c1961+z, (v5+v1)*-c0390+z
	odd0, odd1 := v7*c0298+z1+z3, v5*c2053+z2+z4
	odd2, odd3 := v3*c3072+z2+z3, v1*c1501+z1+z4

	v[0], v[7*step] = (a0+odd3)>>drop, (a0-odd3)>>drop
	v[step], v[6*step] = (a1+odd2)>>drop, (a1-odd2)>>drop
	v[2*step], v[5*step] = (a2+odd1)>>drop, (a2-odd1)>>drop
	v[3*step], v[4*step] = (a3+odd0)>>drop, (a3-odd0)>>drop
}
