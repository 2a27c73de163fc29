package weights

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// The seeds are fixed, so these tests always give the same answer; the bounds are those that a sound generator exceeds in
// less than 1 of 1,000 choices of the seed.
const (
	samples    = 1_000_000
	ksLimit    = 1.95 // Kolmogorov's distribution passes it with probability 0.001
	sigmaLimit = 3.29 // so does the normal distribution, on both sides together
)

// distributions under test, with what their parameters make them.
func distributions() []struct {
	name     string
	src      Source
	cdf      func(float64) float64
	mean, sd float64
	kurtosis float64
} {
	const bound, mean, sd = 0.09622504486493763, -0.5, 1.25
	return []struct {
		name     string
		src      Source
		cdf      func(float64) float64
		mean, sd float64
		kurtosis float64
	}{
		{"uniform", Seed(0).Uniform("model.0.conv.weight", bound), func(x float64) float64 { return (x + bound) / (2 * bound) }, 0, bound / math.Sqrt(3), 1.8},
		{"normal", Seed(0).Normal("model.9.SRU.gn.gamma", mean, sd), func(x float64) float64 { return math.Erfc(-(x-mean)/sd/math.Sqrt2) / 2 }, mean, sd, 3},
	}
}

func TestKolmogorovSmirnov(t *testing.T) {
	for _, d := range distributions() {
		values := read(t, d.src, 0, samples)
		slices.Sort(values)
		worst := 0.0
		for i, v := range values {
			p := d.cdf(float64(v))
			worst = max(worst, p-float64(i)/samples, float64(i+1)/samples-p)
		}
		statistic := worst * math.Sqrt(samples)
		t.Logf("%s: D·√n = %.3f", d.name, statistic)
		if statistic > ksLimit {
			t.Errorf("%s: D·√n = %.3f, want at most %.2f", d.name, statistic, ksLimit)
		}
	}
}

func TestMeanAndVariance(t *testing.T) {
	for _, d := range distributions() {
		var sum, squares float64
		for _, v := range read(t, d.src, 0, samples) {
			z := (float64(v) - d.mean) / d.sd
			sum += z
			squares += z * z
		}
		// A mean of n standardised values spreads by 1/√n, their mean square by √((kurtosis-1)/n).
		if mean := sum / math.Sqrt(samples); math.Abs(mean) > sigmaLimit {
			t.Errorf("%s: the mean is %.2f standard errors off", d.name, mean)
		}
		if square := (squares - samples) / math.Sqrt(samples*(d.kurtosis-1)); math.Abs(square) > sigmaLimit {
			t.Errorf("%s: the variance is %.2f standard errors off", d.name, square)
		}
	}
}

func TestUniformStaysInsideItsBound(t *testing.T) {
	for _, bound := range []float64{1, 0.1, 0.09622504486493763, 1.0 / 24, 3e-5, math.Nextafter(2, 1)} {
		u, ok := Seed(0).Uniform("w", bound).(uniform)
		if !ok {
			t.Fatalf("bound %v: no uniform source", bound)
		}
		low, high := u.value(0x80000000), u.value(0x7fffffff)
		limit := float32(bound)
		if high >= limit || high < math.Nextafter32(limit, 0) || low != -high {
			t.Errorf("bound %v: values go from %v to %v, want the float32 next below the bound and its negative", bound, low, high)
		}
		if least := u.value(0); least <= 0 || u.value(0xffffffff) != -least {
			t.Errorf("bound %v: the values next to 0 are %v and %v, want opposite ones", bound, u.value(0xffffffff), least)
		}
	}
}

// quantile is checked through the error function, which no line of AS 241 knows of: Φ(quantile(p)) must be p again. A
// relative error e of z moves Φ by the factor e·z² in the tail, so the tolerance grows with z²: 5e-16 for the quantile and
// 3e-16 for √2, the division by it and erfc here.
func TestQuantileInvertsTheDistribution(t *testing.T) {
	probabilities := []float64{0x1p-53, 0x1p-40, 1e-11, 1.3e-11, 1.4e-11, 1.5e-11, 1e-6, 0.001, 0.02, 0.0749, 0.0751, 0.3, 0.5, 0.7, 0.925, 0.97, 0.999}
	for i := range 2000 {
		probabilities = append(probabilities, (float64(i)+0.5)/2000, math.Exp2(-float64(i)*53/2000-0.01))
	}
	for _, p := range probabilities {
		z := quantile(p)
		back := math.Erfc(-z/math.Sqrt2) / 2
		if tolerance := 8e-16 * (2 + z*z); math.Abs(back-p) > tolerance*p {
			t.Errorf("quantile(%v) = %v, where the distribution is %v: relative error %.2g, want at most %.2g", p, z, back, (back-p)/p, tolerance)
		}
	}
	for _, c := range []struct{ p, want float64 }{ // AS 241's own check values, to its digits
		{0.25, -0.6744897501960817432}, {0.001, -3.090232306167813542}, {1e-20, -9.262340089798407985},
	} {
		if got := quantile(c.p); math.Abs(got-c.want) > 4e-16*math.Abs(c.want) {
			t.Errorf("quantile(%v) = %v, want %v", c.p, got, c.want)
		}
	}
}

// correlation of two equally long samples, in units of what independent samples scatter by.
func correlation(x, y []float32) float64 {
	var sx, sy, sxx, syy, sxy float64
	for i := range x {
		a, b := float64(x[i]), float64(y[i])
		sx, sy = sx+a, sy+b
		sxx, syy, sxy = sxx+a*a, syy+b*b, sxy+a*b
	}
	n := float64(len(x))
	return (sxy - sx*sy/n) / math.Sqrt((sxx-sx*sx/n)*(syy-sy*sy/n)) * math.Sqrt(n)
}

func TestNeighboursAreUncorrelated(t *testing.T) {
	const n = 200_000
	type pair struct {
		what string
		a, b Source
		lag  int64
	}
	uniform := func(seed Seed, name string) Source { return seed.Uniform(name, 1) }
	base := uniform(0, "model.1.conv.weight")
	pairs := []pair{
		{"names one digit apart", base, uniform(0, "model.2.conv.weight"), 0},
		{"names one letter apart", base, uniform(0, "model.1.conv.weighs"), 0},
		{"seeds 0 and 1", base, uniform(1, "model.1.conv.weight"), 0},
		{"seeds 2^32 apart", base, uniform(1<<32, "model.1.conv.weight"), 0},
		{"seeds of opposite bits", base, uniform(math.MaxUint64, "model.1.conv.weight"), 0},
		{"normal, seeds 0 and 1", Seed(0).Normal("g", 0, 1), Seed(1).Normal("g", 0, 1), 0},
	}
	for _, lag := range []int64{1, 2, 3, 4, 5, 8, 16, 64, 1 << 20, 1 << 34} {
		pairs = append(pairs,
			pair{fmt.Sprintf("uniform, lag %d", lag), base, base, lag},
			pair{fmt.Sprintf("normal, lag %d", lag), Seed(0).Normal("g", 0, 1), Seed(0).Normal("g", 0, 1), lag})
	}
	// 26 comparisons: their common limit keeps the chance of one false alarm at about 1 in 1,000.
	const limit = 4.1
	for _, p := range pairs {
		if r := correlation(read(t, p.a, 0, n), read(t, p.b, p.lag, n)); math.Abs(r) > limit {
			t.Errorf("%s: correlation is %.2f standard errors off 0, want at most %.1f", p.what, r, limit)
		}
	}
}

func benchmark(b *testing.B, src Source) {
	block := make([]float32, 1<<16)
	b.SetBytes(int64(4 * len(block)))
	for off := int64(0); b.Loop(); off += int64(len(block)) {
		if err := src.ReadFloats(block, off); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUniform(b *testing.B) { benchmark(b, Seed(0).Uniform("model.0.conv.weight", 0.1)) }

func BenchmarkNormal(b *testing.B) { benchmark(b, Seed(0).Normal("model.9.SRU.gn.gamma", 0, 1)) }
