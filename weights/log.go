package weights

import "math"

// ln 2 in two parts: the upper has 42 significant bits, so that its product with any float64's exponent is exact; the
// lower is the rest, rounded.
const (
	ln2Hi = 0x1.62e42fefa38p-01
	ln2Lo = 0x1.ef35793c7673p-45
)

// Log is the natural logarithm with the same bits on every platform, which math.Log does not promise. The special cases are
// math.Log's: NaN for NaN and below 0, -Inf for 0, +Inf for +Inf. The error is below 1 unit in the last place.
//
// With x = m·2^k, f = m-1 small and s = f/(2+f), log m is 2·atanh(s) = 2s + s·r, where r = 2(s²/3 + s⁴/5 + …) is at
// most 0.02 (Abramowitz and Stegun, 4.1.27). The series is cut where its terms fall below 2^-59 of log m. As 2s = f - s·f, the
// sum is taken as f - s·(f-r): f is exact, and the rounded part is at most a fifth of it.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	m, exponent := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m *= 2
		exponent--
	}
	f := m - 1 // exact, as m is within [1/√2, √2)
	s := f / (2 + f)
	s2 := float64(s * s)
	r := 0.0
	for odd := 21.0; odd >= 3; odd -= 2 {
		r = float64(s2 * (r + 2/odd))
	}
	k := float64(exponent)
	return float64(k*ln2Hi) + (f - (float64(s*(f-r)) - float64(k*ln2Lo)))
}
