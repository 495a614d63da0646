package vtl

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"penstock/internal/lenient"
)

// integerOf returns a number without its fraction, in so many bits as Java converts it:
// integers lose what is above, fractions stay at the ends.
func integerOf(v any, bits int) int64 {
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case *big.Int:
		n = int64(new(big.Int).And(v, new(big.Int).SetUint64(math.MaxUint64)).Uint64())
	default:
		low, high := int64(math.MinInt64), int64(math.MaxInt64)
		if bits <= 32 {
			low, high = math.MinInt32, math.MaxInt32
		}
		switch f := floatOf(v); {
		case math.IsNaN(f):
			return 0
		case f <= float64(low):
			n = low
		case f >= float64(high):
			n = high
		default:
			n = int64(f)
		}
	}
	return n << (64 - bits) >> (64 - bits)
}

// hashNumber returns the hash code of a number.
func hashNumber(v any) int32 {
	switch v := v.(type) {
	case int64:
		if isInt32(v) {
			return int32(v)
		}
		return int32(v ^ int64(uint64(v)>>32))
	case float64:
		bits := math.Float64bits(v)
		return int32(bits ^ bits>>32)
	case *big.Int:
		h := int32(0)
		b := new(big.Int).Abs(v).Bytes()
		for len(b)%4 != 0 {
			b = append([]byte{0}, b...)
		}
		for ; len(b) > 0; b = b[4:] {
			h = 31*h + int32(uint32(b[0])<<24|uint32(b[1])<<16|uint32(b[2])<<8|uint32(b[3]))
		}
		return h * int32(v.Sign())
	}
	d, err := decimalOf(v)
	if err != nil {
		return 0
	}
	return 31*hashNumber(d.unscaled) + int32(d.scale)
}

// class returns which Java type a number has.
func class(v any) string {
	switch v := v.(type) {
	case int64:
		if isInt32(v) {
			return "Integer"
		}
		return "Long"
	case float64:
		return "Double"
	case *big.Int:
		return "BigInteger"
	}
	return "BigDecimal"
}

// errCompare is the exception of compareTo for values of two types.
var errCompare = errors.New("compareTo: a value of another type")

// callNumber calls a method of a number, or a static one of its class.
func (r *run) callNumber(name string, of any, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch name {
		case "intValue":
			return integerOf(of, 32), nil
		case "longValue":
			return integerOf(of, 64), nil
		case "shortValue":
			return integerOf(integerOf(of, 32), 16), nil
		case "byteValue":
			return integerOf(integerOf(of, 32), 8), nil
		case "doubleValue":
			return floatOf(of), nil
		case "floatValue":
			return single(floatOf(of)), nil
		case "isNaN":
			if f, ok := of.(float64); ok {
				return math.IsNaN(f), nil
			}
			return nil, errNoMethod
		case "isInfinite":
			if f, ok := of.(float64); ok {
				return math.IsInf(f, 0), nil
			}
			return nil, errNoMethod
		}
	case 1:
		switch name {
		case "compareTo":
			if class(of) != class(args[0]) {
				return nil, errCompare
			}
			order, _ := lenient.Compare(of, args[0])
			return int64(order), nil
		case "parseInt", "parseLong", "parseDouble", "valueOf":
			return parseNumber(name, class(of), args[0])
		case "toHexString", "toBinaryString", "toOctalString":
			if class(of) == "Double" && name == "toHexString" && isPrimitive(args[0]) {
				return hexOf(floatOf(args[0])), nil
			}
			n, ok := args[0].(int64)
			if c := class(of); !ok || c != "Integer" && c != "Long" {
				return nil, errNoMethod
			}
			u := uint64(n)
			if class(of) == "Integer" {
				if !isInt32(n) {
					return nil, errNoMethod
				}
				u = uint64(uint32(n))
			}
			base := map[string]int{"toHexString": 16, "toBinaryString": 2, "toOctalString": 8}[name]
			return strconv.FormatUint(u, base), nil
		case "toString":
			if class(of) == class(args[0]) {
				return r.callObject(name, args[0], nil)
			}
			return nil, errNoMethod
		}
	case 2:
		switch name {
		case "parseInt", "parseLong", "valueOf":
			return parseDigits(name, class(of), args[0], args[1])
		}
		return pair(name, class(of), args[0], args[1])
	}
	return r.callObject(name, of, args)
}

// pair calls a static method that takes two numbers. Smaller types become those of the
// class.
func pair(name, class string, a, b any) (any, error) {
	for _, v := range []*any{&a, &b} {
		switch n := (*v).(type) {
		case int64:
			switch class {
			case "Integer":
				if !isInt32(n) {
					return nil, errNoMethod
				}
			case "Double":
				*v = float64(n)
			case "Long":
			default:
				return nil, errNoMethod
			}
		case float64:
			if class != "Double" {
				return nil, errNoMethod
			}
		default:
			return nil, errNoMethod
		}
	}
	order, _ := lenient.Compare(a, b)
	switch name {
	case "compare":
		return int64(order), nil
	case "max":
		if order >= 0 {
			return a, nil
		}
		return b, nil
	case "min":
		if order <= 0 {
			return a, nil
		}
		return b, nil
	case "sum":
		v, err := arithmetic(add, a, b)
		if n, ok := v.(int64); ok && class == "Integer" {
			v = int64(int32(n))
		} else if isBig := bigOf(v); isBig != nil {
			v = integerOf(v, 64)
		}
		return v, err
	}
	return nil, errNoMethod
}

// single returns the number that prints as a float of Java does.
func single(f float64) float64 {
	g, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
	return g
}

// isPrimitive reports whether a value is a number that Java makes a double of by itself.
func isPrimitive(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// hexOf returns a double in hexadecimal digits, as Java writes it: 0x1.8p1.
func hexOf(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return lenient.FormatDouble(f)
	}
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'x', -1, 64), "p")
	if !strings.Contains(digits, ".") {
		digits += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return fmt.Sprintf("%sp%d", digits, n)
}

// parseNumber is the static method of a class that makes a number out of text.
func parseNumber(name, class string, arg any) (any, error) {
	if class == "BigInteger" || class == "BigDecimal" {
		return nil, errNoMethod
	}
	text, ok := arg.(string)
	if arg == nil {
		switch {
		case name == "valueOf", name == "parseInt" && class == "Integer", name == "parseLong" && class == "Long",
			name == "parseDouble" && class == "Double":
			return nil, errNull
		}
	}
	if !ok {
		if n, isInt := arg.(int64); name == "valueOf" && isInt {
			switch {
			case class == "Double":
				return float64(n), nil
			case class == "Integer" && !isInt32(n):
				return nil, errNoMethod
			}
			return n, nil
		}
		if f, isFloat := arg.(float64); name == "valueOf" && isFloat && class == "Double" {
			return f, nil
		}
		return nil, errNoMethod
	}
	switch name {
	case "parseInt":
		ok = class == "Integer"
	case "parseLong":
		ok = class == "Long"
	case "parseDouble":
		ok = class == "Double"
	}
	if !ok {
		return nil, errNoMethod
	}
	if class == "Double" {
		f, err := strconv.ParseFloat(strings.Trim(text, " \t\n\r"), 64)
		if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(text, "_xX") {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return f, nil
	}
	bits := 64
	if class == "Integer" {
		bits = 32
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		return nil, fmt.Errorf("%q is no integer", text)
	}
	return n, nil
}

// parseDigits is the static method of a class that makes an integer out of text with digits
// of a base.
func parseDigits(name, class string, arg, base any) (any, error) {
	bits, ok := map[string]int{"Integer": 32, "Long": 64}[class]
	if !ok || name == "parseInt" && class != "Integer" || name == "parseLong" && class != "Long" {
		return nil, errNoMethod
	}
	text, isText := arg.(string)
	radix, isInt := base.(int64)
	switch {
	case !isInt || !isInt32(radix) || !isText && arg != nil:
		return nil, errNoMethod
	case arg == nil:
		return nil, errNull
	case radix < 2 || radix > 36:
		return nil, fmt.Errorf("%d is no base of digits", radix)
	}
	n, err := strconv.ParseInt(text, int(radix), bits)
	if err != nil {
		return nil, fmt.Errorf("%q is no integer", text)
	}
	return n, nil
}

// callBool calls a method of a truth value.
func (r *run) callBool(name string, of bool, args []any) (any, error) {
	switch {
	case name == "booleanValue" && len(args) == 0:
		return of, nil
	case name == "compareTo" && len(args) == 1:
		other, ok := args[0].(bool)
		switch {
		case !ok:
			return nil, errCompare
		case of == other:
			return int64(0), nil
		case of:
			return int64(1), nil
		default:
			return int64(-1), nil
		}
	case name == "toString" && len(args) == 1:
		if v, ok := args[0].(bool); ok {
			return strconv.FormatBool(v), nil
		}
		return nil, errNoMethod
	case (name == "parseBoolean" || name == "valueOf") && len(args) == 1:
		switch v := args[0].(type) {
		case string:
			return strings.EqualFold(v, "true"), nil
		case nil:
			return false, nil
		case bool:
			return v, nil
		}
		return nil, errNoMethod
	}
	return r.callObject(name, of, args)
}
