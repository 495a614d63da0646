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

// A decimal is unscaled / 10^scale: a BigDecimal of Java. What has too many digits for a
// double is one, and so is what comes of it.
type decimal struct {
	unscaled *big.Int
	scale    int
}

// maxScale is how many digits decimals may have after the point, or zeros before it.
const maxScale = 10_000

var errDecimal = errors.New("a number with too many digits")

// decimalOf returns a number as a decimal. A double is what it is in binary, to its last
// digit.
func decimalOf(v any) (decimal, error) {
	switch v := v.(type) {
	case int64:
		// In Java it is made a double before.
		return decimalOf(float64(v))
	case *big.Int:
		return decimal{v, 0}, nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return decimal{}, fmt.Errorf("%v is no decimal number", v)
		}
		fraction, exponent := math.Frexp(v)
		n := big.NewInt(int64(math.Ldexp(fraction, 53)))
		exponent -= 53
		if zeros := int(n.TrailingZeroBits()); n.Sign() != 0 {
			n.Rsh(n, uint(zeros))
			exponent += zeros
		}
		switch {
		case n.Sign() == 0:
			return decimal{n, 0}, nil
		case exponent >= 0:
			return decimal{n.Lsh(n, uint(exponent)), 0}, nil
		}
		return decimal{n.Mul(n, new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(-exponent)), nil)), -exponent}, nil
	case lenient.Decimal:
		return parseDecimal(string(v))
	}
	return decimal{}, errDecimal
}

func parseDecimal(text string) (decimal, error) {
	digits, exponent, found := strings.Cut(strings.ToUpper(text), "E")
	scale := 0
	if found {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > maxScale || n < -maxScale {
			return decimal{}, errDecimal
		}
		scale = -n
	}
	before, after, _ := strings.Cut(digits, ".")
	n, ok := new(big.Int).SetString(before+after, 10)
	if !ok || len(digits) > maxScale {
		return decimal{}, errDecimal
	}
	return decimal{n, scale + len(after)}, nil
}

// powerOfTen returns 10^n.
func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// aligned returns the digits of two decimals with the greater scale of both, and that.
func aligned(a, b decimal) (x, y *big.Int, scale int) {
	scale = max(a.scale, b.scale)
	return new(big.Int).Mul(a.unscaled, powerOfTen(scale-a.scale)), new(big.Int).Mul(b.unscaled, powerOfTen(scale-b.scale)), scale
}

// decimals computes with decimals. The quotient has as many digits after the point as the
// dividend; a half is rounded down.
func decimals(op operator, left, right any) (any, error) {
	a, err := decimalOf(left)
	if err != nil {
		return nil, err
	}
	b, err := decimalOf(right)
	if err != nil {
		return nil, err
	}
	if b.unscaled.Sign() == 0 && (op == divide || op == modulo) {
		return nil, nil
	}
	x, y, scale := aligned(a, b)
	z := new(big.Int)
	switch op {
	case add:
		z.Add(x, y)
	case subtract:
		z.Sub(x, y)
	case multiply:
		z.Mul(a.unscaled, b.unscaled)
		scale = a.scale + b.scale
	case divide:
		scale = a.scale
		if scale >= 0 {
			x.Mul(x, powerOfTen(scale))
		} else {
			y.Mul(y, powerOfTen(-scale))
		}
		rest := new(big.Int)
		z.QuoRem(x, y, rest)
		if rest.Abs(rest).Lsh(rest, 1).CmpAbs(y) > 0 {
			z.Add(z, big.NewInt(int64(x.Sign()*y.Sign())))
		}
	default:
		return nil, errors.New("the modulo of decimal numbers")
	}
	if scale > maxScale || scale < -maxScale || z.BitLen() > maxBits {
		return nil, errDecimal
	}
	return lenient.Decimal(decimal{z, scale}.String()), nil
}

// String returns the text that a BigDecimal of Java has: with an exponent if there would be
// zeros at the end, or more than five after the point.
func (d decimal) String() string {
	digits := new(big.Int).Abs(d.unscaled).String()
	sign := ""
	if d.unscaled.Sign() < 0 {
		sign = "-"
	}
	exponent := len(digits) - 1 - d.scale
	switch {
	case d.scale == 0:
		return sign + digits
	case d.scale > 0 && exponent >= -6:
		if missing := d.scale + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		point := len(digits) - d.scale
		return sign + digits[:point] + "." + digits[point:]
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	if exponent != 0 {
		digits += fmt.Sprintf("E%+d", exponent)
	}
	return sign + digits
}

// compareNumbers compares two numbers as operators do: as doubles if there is one, and as
// decimals if there is more to one than a double holds. What is not a number is equal to every
// double. Of what is no number at all, ok is false.
func compareNumbers(left, right any) (order int, ok bool, err error) {
	if !isNumber(left) || !isNumber(right) {
		return 0, false, nil
	}
	if a, isInt := left.(int64); isInt {
		if b, isInt := right.(int64); isInt {
			return big.NewInt(a).Cmp(big.NewInt(b)), true, nil
		}
	}
	switch baseOf(left, right) {
	case baseInteger:
		return bigOf(left).Cmp(bigOf(right)), true, nil
	case baseDouble:
		a, b := floatOf(left), floatOf(right)
		switch {
		case a < b:
			return -1, true, nil
		case a > b:
			return 1, true, nil
		}
		return 0, true, nil
	}
	a, err := decimalOf(left)
	if err != nil {
		return 0, false, err
	}
	b, err := decimalOf(right)
	if err != nil {
		return 0, false, err
	}
	x, y, _ := aligned(a, b)
	return x.Cmp(y), true, nil
}
