package weights

// Philox4x32-10, a counter-based generator: a bijection of 128-bit counters under a 64-bit key that passes TestU01's BigCrush.
// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11 (2011),
// doi:10.1145/2063384.2063405.
const (
	philoxRounds = 10
	philoxMul0   = 0xD2511F53 // the paper's multipliers for 4x32
	philoxMul1   = 0xCD9E8D57
	philoxKey0   = 0x9E3779B9 // Weyl sequence of the round keys: the golden ratio
	philoxKey1   = 0xBB67AE85 // and the square root of 3, less 1
)

// stream is the sequence of random words of one tensor. The seed is Philox's key, the tensor the upper half of its counter
// and the block's number the lower half: streams of different seeds or tensors never meet, short of two names with the
// same 64 bits of SHA-256.
type stream struct {
	key    uint64 // the seed
	tensor uint64 // the name, hashed
}

// block returns words 4i to 4i+3 of the stream.
func (s stream) block(i uint64) (w0, w1, w2, w3 uint32) {
	return philox(uint32(i), uint32(i>>32), uint32(s.tensor), uint32(s.tensor>>32), uint32(s.key), uint32(s.key>>32))
}

// philox maps the counter c0..c3 under the key k0, k1.
func philox(c0, c1, c2, c3, k0, k1 uint32) (w0, w1, w2, w3 uint32) {
	for range philoxRounds {
		p0 := philoxMul0 * uint64(c0)
		p1 := philoxMul1 * uint64(c2)
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += philoxKey0
		k1 += philoxKey1
	}
	return c0, c1, c2, c3
}
