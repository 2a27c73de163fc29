package report

import (
	"math"
	"strconv"
)

// px is a coordinate in a drawing, in CSS pixels; a tenth of one is enough.
type px float64

// String writes a coordinate as short as can be: a report has thousands of them.
func (p px) String() string {
	return strconv.FormatFloat(math.Round(float64(p)*10)/10, 'f', -1, 64)
}

// tick is a mark on an axis.
type tick struct {
	At    px
	Label string
}

// scale maps values to pixels.
type scale struct {
	low, high float64 // of the values, or of their decimal logarithms
	from, to  px
	log       bool
}

// at gives a value's place, kept on the axis.
func (s scale) at(v float64) px {
	if s.log {
		if v <= 0 {
			return s.from
		}
		v = math.Log10(v)
	}
	share := (v - s.low) / (s.high - s.low)
	return s.from + px(max(0, min(1, share)))*(s.to-s.from)
}

// decades is a logarithmic scale over whole decades that hold low to high, at least atLeast of them.
func decades(low, high float64, atLeast int, from, to px) scale {
	first, last := math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	for last-first < float64(atLeast) {
		first--
	}
	return scale{first, last, from, to, true}
}

// decadeTicks of a logarithmic scale are powers of ten, at least space pixels apart.
func (s scale) decadeTicks(space px) (list []tick) {
	each := 1.0
	for perDecade := abs(s.to-s.from) / px(s.high-s.low); px(each)*perDecade < space; {
		each++
	}
	for e := math.Ceil(s.low); e <= s.high; e += each {
		list = append(list, tick{s.at(math.Pow(10, e)), power(int(e))})
	}
	return list
}

func abs(p px) px { return px(math.Abs(float64(p))) }

// power is the label of a power of ten.
func power(e int) string {
	switch e {
	case 0:
		return "1"
	case 1:
		return "10"
	case 2:
		return "100"
	}
	return "1e" + strconv.Itoa(e)
}

// linear is a scale that holds low to high with a margin, which is wide where both are the same.
func linear(low, high float64, from, to px) scale {
	margin := (high - low) * 0.04
	if margin == 0 {
		margin = max(math.Abs(high)*0.1, 1e-6)
	}
	return scale{low: low - margin, high: high + margin, from: from, to: to}
}

// roundTicks of a linear scale are some 4 round numbers.
func (s scale) roundTicks() (list []tick) {
	step := math.Pow(10, math.Floor(math.Log10((s.high-s.low)/3)))
	for _, times := range []float64{5, 2} {
		if (s.high-s.low)/(step*times) >= 3 {
			step *= times
			break
		}
	}
	for i := math.Ceil(s.low / step); i*step <= s.high; i++ {
		v := i*step + 0 // no -0
		list = append(list, tick{s.at(v), strconv.FormatFloat(v, 'g', 4, 64)})
	}
	return list
}
