package weights

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

const bigPrecision = 200

func bigFloat(v float64) *big.Float { return new(big.Float).SetPrec(bigPrecision).SetFloat64(v) }

// bigAtanh sums z + z³/3 + z⁵/5 + … for |z| <= 1/3 to the working precision.
func bigAtanh(z *big.Float) *big.Float {
	sum, power := bigFloat(0), new(big.Float).Copy(z)
	square := bigFloat(0).Mul(z, z)
	for odd := 1; odd < 140; odd += 2 { // 9^-70 is below 2^-220
		sum.Add(sum, bigFloat(0).Quo(power, bigFloat(float64(odd))))
		power.Mul(power, square)
	}
	return sum
}

// bigLog is ln x by another way than Log's: the exponent is split off at [1, 2) and all is summed in 200 bits.
func bigLog(x float64) *big.Float {
	m, exponent := math.Frexp(x)
	z := bigFloat(0).Quo(bigFloat(0).Sub(bigFloat(2*m), bigFloat(1)), bigFloat(0).Add(bigFloat(2*m), bigFloat(1)))
	halfLn2 := bigAtanh(bigFloat(0).Quo(bigFloat(1), bigFloat(3)))
	sum := bigFloat(0).Mul(halfLn2, bigFloat(float64(exponent-1)))
	sum.Add(sum, bigAtanh(z))
	return sum.Mul(sum, bigFloat(2))
}

// ulps is the distance of got from the exact value, in units in the last place of the exact value's float64.
func ulps(got float64, exact *big.Float) float64 {
	nearest, _ := exact.Float64()
	ulp := math.Abs(math.Nextafter(nearest, math.Inf(1)) - nearest)
	diff, _ := bigFloat(0).Sub(bigFloat(got), exact).Float64()
	return math.Abs(diff) / ulp
}

func TestLogErrorBelowOneUlp(t *testing.T) {
	xs := []float64{
		math.SmallestNonzeroFloat64, 0x1p-1022, math.MaxFloat64, math.Nextafter(1, 0), math.Nextafter(1, 2),
		math.Sqrt2 / 2, math.Nextafter(math.Sqrt2/2, 0), math.Sqrt2, math.Nextafter(math.Sqrt2, 2), 0.5, 2, 3, 10,
		0x1p-53, 8 / (20.0 * 20.0), 0.6 / (80 - 0.99999),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		xs = append(xs,
			math.Float64frombits(rng.Uint64()%0x7ff0_0000_0000_0000), // any positive number, evenly over the exponents
			rng.Float64()+0.5, // where log is near 0
			1+(rng.Float64()-0.5)*math.Exp2(-float64(rng.IntN(50))),
		)
	}
	worst, at := 0.0, 0.0
	for _, x := range xs {
		if x == 0 || x == 1 {
			continue
		}
		if e := ulps(Log(x), bigLog(x)); e > worst {
			worst, at = e, x
		}
	}
	t.Logf("largest error %.3f ulp, at %x", worst, at)
	if worst >= 1 {
		t.Errorf("Log(%x) = %x is %.3f ulp off, want less than 1", at, Log(at), worst)
	}
}

func TestLogKnownValues(t *testing.T) {
	for _, c := range []struct{ x, want float64 }{ // decimals of OEIS A002162, A002391, A002392
		{2, 0.69314718055994530941723212145817656808},
		{3, 1.09861228866810969139524523692252570465},
		{10, 2.30258509299404568401799145468436420760},
		{1, 0},
	} {
		if got := Log(c.x); math.Abs(got-c.want) > 0x1p-52*c.want { // one step of float64, or exactly 0
			t.Errorf("Log(%v) = %v, want %v", c.x, got, c.want)
		}
	}
}

func TestLogSpecialCases(t *testing.T) {
	for _, x := range []float64{math.NaN(), -1, math.Inf(-1), 0, math.Copysign(0, -1), math.Inf(1)} {
		got, want := Log(x), math.Log(x)
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("Log(%v) = %v, want %v", x, got, want)
		}
	}
}
