package yamlcfg

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"ysc2onnx/diag"
	"ysc2onnx/yamlcfg/python"
)

// The forms of YAML 1.1 scalars as PyYAML resolves them (yaml/resolver.py). A number with an exponent needs both a
// dot and a sign to be one: 1e-4 and 1.0e4 are strings.
var (
	yamlInt = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|` +
		`[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	yamlFloat = regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|` +
		`[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	yamlDate = regexp.MustCompile(`^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:` +
		`[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9]{2})?))?)$`)
)

// yamlBools are the words that YAML 1.1 takes for booleans.
var yamlBools = map[string]bool{
	"yes": true, "Yes": true, "YES": true, "no": false, "No": false, "NO": false,
	"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
	"on": true, "On": true, "ON": true, "off": false, "Off": false, "OFF": false,
}

// scalar gives a YAML scalar the type that PyYAML gives it: None, Bool, Int, Float or String.
func scalar(n *node) (python.Literal, error) {
	if n.tag != "" {
		return taggedScalar(n)
	}
	if !n.plain {
		return python.Literal{Kind: python.String, Str: n.value}, nil
	}
	return plainScalar(n.value)
}

func plainScalar(s string) (python.Literal, error) {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return python.Literal{Kind: python.None}, nil
	case "=", "<<":
		return python.Literal{}, fmt.Errorf("%q has a meaning of its own in YAML here; put it in quotes", s)
	}
	if b, ok := yamlBools[s]; ok {
		return python.Literal{Kind: python.Bool, Bool: b}, nil
	}
	switch {
	case yamlInt.MatchString(s):
		return intScalar(s)
	case yamlFloat.MatchString(s):
		return python.Literal{Kind: python.Float, Float: floatScalar(s)}, nil
	case yamlDate.MatchString(s):
		return python.Literal{}, fmt.Errorf("%.40s is a date in YAML; put it in quotes", s)
	}
	return python.Literal{Kind: python.String, Str: s}, nil
}

// taggedScalar applies an explicit tag such as !!float 1.
func taggedScalar(n *node) (python.Literal, error) {
	if n.tag == "!!str" || n.tag == "!" {
		return python.Literal{Kind: python.String, Str: n.value}, nil
	}
	l, err := plainScalar(n.value)
	if err != nil {
		return python.Literal{}, err
	}
	switch {
	case n.tag == "!!int" && l.Kind == python.Int, n.tag == "!!float" && l.Kind == python.Float,
		n.tag == "!!bool" && l.Kind == python.Bool, n.tag == "!!null" && l.Kind == python.None:
		return l, nil
	case n.tag == "!!float" && l.Kind == python.Int:
		return python.Literal{Kind: python.Float, Float: float64(l.Int)}, nil
	}
	return python.Literal{}, fmt.Errorf("the tag %.40s does not go with %s; leave it out", n.tag, diag.Quote(n.value))
}

// intScalar reads decimal, 0b, 0 (octal), 0x and base-60 integers with underscores.
func intScalar(s string) (python.Literal, error) {
	digits := strings.ReplaceAll(s, "_", "")
	negative := strings.HasPrefix(digits, "-")
	digits = strings.TrimLeft(digits, "+-")
	var v int64
	var err error
	switch {
	case strings.HasPrefix(digits, "0b"):
		v, err = strconv.ParseInt(digits[2:], 2, 64)
	case strings.HasPrefix(digits, "0x"):
		v, err = strconv.ParseInt(digits[2:], 16, 64)
	case strings.Contains(digits, ":"):
		for _, part := range strings.Split(digits, ":") {
			d, partErr := strconv.ParseInt(part, 10, 64)
			if partErr != nil || v > python.MaxInt {
				return python.Literal{}, fmt.Errorf("the integer %.40s is out of range", s)
			}
			v = v*60 + d
		}
	case len(digits) > 1 && digits[0] == '0':
		v, err = strconv.ParseInt(digits, 8, 64)
	default:
		v, err = strconv.ParseInt(digits, 10, 64)
	}
	if err != nil || v > python.MaxInt {
		return python.Literal{}, fmt.Errorf("the integer %.40s is out of range", s)
	}
	if negative {
		v = -v
	}
	return python.Literal{Kind: python.Int, Int: v}, nil
}

// floatScalar reads what yamlFloat matched.
func floatScalar(s string) float64 {
	digits := strings.ToLower(strings.ReplaceAll(s, "_", ""))
	sign := 1.0
	if strings.HasPrefix(digits, "-") {
		sign = -1
	}
	digits = strings.TrimLeft(digits, "+-")
	switch digits {
	case ".inf":
		return math.Inf(int(sign))
	case ".nan":
		return math.NaN()
	}
	v := 0.0
	for _, part := range strings.Split(digits, ":") {
		d, _ := strconv.ParseFloat(part, 64) // out of range is an infinity, as in Python
		v = float64(v*60) + d
	}
	return sign * v
}
