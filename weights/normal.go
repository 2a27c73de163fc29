package weights

import (
	"fmt"
	"math"
)

// Normal is the tensor of that name with elements from the normal distribution of that mean and standard deviation. A
// negative std, or a parameter that is not finite or too large for float32, makes every read fail.
func (s Seed) Normal(name string, mean, std float64) Source {
	if !finite(mean) || !finite(std) || std < 0 {
		return failed{fmt.Errorf("weights: %s: a normal distribution has mean %v and standard deviation %v, want finite numbers and a deviation of at least 0", name, mean, std)}
	}
	return normal{s.stream(name), mean, std}
}

type normal struct {
	words     stream
	mean, std float64
}

// value maps two random words to an element: 52 bits of them choose a point in the middle of one of 2^52 equal parts of
// (0, 1), and the quantile there is a draw. Largest magnitude: 8.2 standard deviations.
func (n normal) value(hi, lo uint32) float32 {
	part := (uint64(hi)<<32 | uint64(lo)) >> 12
	p := (float64(part) + 0.5) * (1.0 / (1 << 52)) // exact: an odd multiple of 2^-53
	return float32(n.mean + float64(n.std*quantile(p)))
}

func (n normal) ReadFloats(dst []float32, off int64) error {
	if err := checkRange(off, len(dst)); err != nil {
		return err
	}
	const perBlock = 2 // a block serves two elements; models have few normal ones, so each takes its own for simplicity
	for i := range dst {
		element := uint64(off) + uint64(i)
		w0, w1, w2, w3 := n.words.block(element / perBlock)
		if element%perBlock == 1 {
			w0, w1 = w2, w3
		}
		dst[i] = n.value(w0, w1)
	}
	return nil
}

// quantile is the inverse of the standard normal distribution's cumulative function, for 0 < p < 1: algorithm AS 241's
// PPND16. Its formula is good to a relative 1e-16; with the rounding of each step, the value is good to 5e-16.
// M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied Statistics 37 (1988),
// 477-484, doi:10.2307/2347330.
func quantile(p float64) float64 {
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * horner(r, &centreNum) / horner(r, &centreDen)
	}
	tail := p
	if q > 0 {
		tail = 1 - p
	}
	var z float64
	if r := math.Sqrt(-Log(tail)); r <= 5 {
		z = horner(r-1.6, &middleNum) / horner(r-1.6, &middleDen)
	} else {
		z = horner(r-5, &farNum) / horner(r-5, &farDen)
	}
	return math.Copysign(z, q)
}

// horner evaluates a polynomial whose coefficients start with the highest power.
func horner(x float64, coefficients *[8]float64) float64 {
	sum := coefficients[0]
	for _, c := range coefficients[1:] {
		sum = float64(sum*x) + c
	}
	return sum
}

// AS 241's coefficients, highest power first: the centre |p-1/2| <= 0.425, the middle and the far tails.
var (
	centreNum = [8]float64{
		2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
		13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608,
	}
	centreDen = [8]float64{
		5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
		5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1,
	}
	middleNum = [8]float64{
		7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
		3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734,
	}
	middleDen = [8]float64{
		1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
		0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1,
	}
	farNum = [8]float64{
		2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
		0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772,
	}
	farDen = [8]float64{
		2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
		0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1,
	}
)
