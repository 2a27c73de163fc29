package weights

import "fmt"

// Uniform is the tensor of that name with elements from U(-bound, bound). A bound of 0 gives zeros; one that is negative,
// not finite or too large for float32 makes every read fail.
//
// An element is bound times an odd multiple of 2^-24 between -1 and 1: symmetric around 0, never 0 and never ±bound (as
// long as bound·2^-24 is not a subnormal float32, which a layer's bound is far from).
func (s Seed) Uniform(name string, bound float64) Source {
	if !finite(bound) || bound < 0 {
		return failed{fmt.Errorf("weights: %s: the bound of a uniform distribution is %v, want a finite number of at least 0", name, bound)}
	}
	if bound == 0 {
		return Constant(0)
	}
	return uniform{s.stream(name), float32(bound) * (1.0 / (1 << 24))}
}

type uniform struct {
	words stream
	scale float32 // bound·2^-24
}

// value maps a random word to a float32. Its upper 24 bits, signed and doubled plus one, are an odd number that float32
// holds exactly; one multiplication, rounded once, is all that follows.
func (u uniform) value(word uint32) float32 {
	return float32(int32(word)>>8*2+1) * u.scale
}

func (u uniform) ReadFloats(dst []float32, off int64) error {
	if err := checkRange(off, len(dst)); err != nil {
		return err
	}
	const perBlock = 4
	block := uint64(off) / perBlock
	if skip := int(off % perBlock); skip > 0 {
		head := u.block(block)
		dst = dst[copy(dst, head[skip:]):]
		block++
	}
	for ; len(dst) >= perBlock; block++ {
		w0, w1, w2, w3 := u.words.block(block)
		dst[0], dst[1], dst[2], dst[3] = u.value(w0), u.value(w1), u.value(w2), u.value(w3)
		dst = dst[perBlock:]
	}
	if len(dst) > 0 {
		tail := u.block(block)
		copy(dst, tail[:])
	}
	return nil
}

// block returns elements 4i to 4i+3.
func (u uniform) block(i uint64) [4]float32 {
	w0, w1, w2, w3 := u.words.block(i)
	return [4]float32{u.value(w0), u.value(w1), u.value(w2), u.value(w3)}
}
