package definition

import (
	"fmt"
	"math"
)

// maxInt is the largest integer: those beyond are not exact as floats.
const maxInt = 1<<53 - 1

// arithmetic computes as Python does: integers stay integers but for /, and // and % round towards minus infinity.
func arithmetic(op string, a, b any) (any, error) {
	x, xInt, okA := number(a)
	y, yInt, okB := number(b)
	if !okA || !okB {
		return nil, fmt.Errorf("%s needs numbers, not %s and %s", op, kind(a), kind(b))
	}
	if (op == "/" || op == "//" || op == "%") && y == 0 {
		return nil, fmt.Errorf("division by zero")
	}
	if xInt && yInt && op != "/" {
		return integers(op, int64(x), int64(y))
	}
	var z float64
	switch op {
	case "+":
		z = x + y
	case "-":
		z = x - y
	case "*":
		z = x * y
	case "/":
		z = x / y
	case "//":
		z = math.Floor(x / y)
	case "%":
		z = x - float64(y*math.Floor(x/y))
	case "**":
		z = math.Pow(x, y)
	default:
		return nil, fmt.Errorf("%s is of maps only", op)
	}
	if math.IsNaN(z) || math.IsInf(z, 0) {
		return nil, fmt.Errorf("the result of %s is not finite", op)
	}
	return z, nil
}

func integers(op string, x, y int64) (any, error) {
	var z int64
	var exact float64
	switch op {
	case "+":
		z, exact = x+y, float64(x)+float64(y)
	case "-":
		z, exact = x-y, float64(x)-float64(y)
	case "*":
		z, exact = x*y, float64(x)*float64(y)
	case "//", "%":
		q, r := x/y, x%y
		if r != 0 && (r < 0) != (y < 0) {
			q, r = q-1, r+y
		}
		if z = q; op == "%" {
			z = r
		}
		exact = float64(z)
	case "**":
		if y < 0 || y > 64 {
			return nil, fmt.Errorf("an exponent is 0 to 64")
		}
		exact = math.Pow(float64(x), float64(y))
		if z = 1; math.Abs(exact) <= maxInt {
			for range y {
				z *= x
			}
		}
	default:
		return nil, fmt.Errorf("%s is of maps only", op)
	}
	if math.Abs(exact) > maxInt {
		return nil, fmt.Errorf("the integer is out of range")
	}
	return z, nil
}

// compare compares numbers, texts and None.
func compare(op string, a, b any) (any, error) {
	x, _, okA := number(a)
	y, _, okB := number(b)
	if okA && okB {
		return map[string]bool{"==": x == y, "!=": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[op], nil
	}
	if !scalar(a) || !scalar(b) || op != "==" && op != "!=" {
		return nil, fmt.Errorf("%s cannot compare %s and %s", op, kind(a), kind(b))
	}
	return (a == b) == (op == "=="), nil
}

func scalar(v any) bool {
	switch v.(type) {
	case nil, bool, int64, float64, string:
		return true
	}
	return false
}

// number gives a number's value, and whether it is an integer; a truth value is 1 or 0.
func number(v any) (x float64, isInt, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true, true
		}
		return 0, true, true
	case int64:
		return float64(v), true, true
	case float64:
		return v, false, true
	}
	return 0, false, false
}

// truth is Python's.
func truth(v any) (bool, error) {
	if x, _, ok := number(v); ok {
		return x != 0, nil
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case string:
		return v != "", nil
	case []any:
		return len(v) > 0, nil
	}
	return false, fmt.Errorf("a condition is of numbers, which are known before the model runs, not of %s", kind(v))
}
