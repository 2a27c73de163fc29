package overlay

import (
	"image/color"
	"math"
)

// Color is the colour of a class. Classes that follow each other are far apart: each hue is a golden angle on from the
// one before, in Oklch, where equal steps look equal; lightness changes in a cycle of three.
func Color(class int) color.RGBA {
	const goldenAngle = 137.50776405003785
	lightness := [3]float64{0.68, 0.80, 0.56}[max(class, 0)%3]
	hue := math.Mod(25+float64(class)*goldenAngle, 360)
	for chroma := 0.25; ; chroma -= 0.01 { // as colourful as the screen can show it
		if c, ok := fromOklch(lightness, max(chroma, 0), hue); ok || chroma <= 0 {
			return c
		}
	}
}

// fromOklch gives the sRGB colour of lightness, chroma and hue in degrees; ok is false where there is none. Source:
// Björn Ottosson, "A perceptual color space for image processing", 2020.
func fromOklch(lightness, chroma, hue float64) (c color.RGBA, ok bool) {
	sin, cos := math.Sincos(hue * math.Pi / 180)
	a, b := chroma*cos, chroma*sin
	cube := func(x float64) float64 { return x * x * x }
	l := cube(lightness + 0.3963377774*a + 0.2158037573*b)
	m := cube(lightness - 0.1055613458*a - 0.0638541728*b)
	s := cube(lightness - 0.0894841775*a - 1.2914855480*b)
	linear := [3]float64{
		+4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s,
	}
	var out [3]uint8
	ok = true
	for i, v := range linear {
		ok = ok && v >= 0 && v <= 1
		v = min(max(v, 0), 1)
		if v <= 0.0031308 {
			v *= 12.92
		} else {
			v = 1.055*math.Pow(v, 1/2.4) - 0.055
		}
		out[i] = uint8(math.Round(v * 255))
	}
	return color.RGBA{out[0], out[1], out[2], 0xff}, ok
}

// ink is black or white, whichever has more contrast on a ground, by the relative luminance of WCAG 2.
func ink(ground color.RGBA) color.Color {
	linear := func(v uint8) float64 {
		if x := float64(v) / 255; x > 0.04045 {
			return math.Pow((x+0.055)/1.055, 2.4)
		}
		return float64(v) / 255 / 12.92
	}
	luminance := 0.2126*linear(ground.R) + 0.7152*linear(ground.G) + 0.0722*linear(ground.B)
	if (luminance+0.05)/0.05 > 1.05/(luminance+0.05) {
		return color.Black
	}
	return color.White
}
