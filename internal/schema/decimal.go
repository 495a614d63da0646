package schema

import (
	"bytes"
	"cmp"
	"math/big"
)

// Limits of numbers: to compute exactly with longer ones takes time in the square of
// their digits.
const (
	maxDigits   = 1000 // that may be written
	maxExponent = 400  // that may be written, with either sign
)

// A decimal is a number, exactly: digits × 10^exponent. The digits neither begin nor
// end with a zero, so that two equal numbers are one decimal however they were written.
// Zero has no digits and no sign.
type decimal struct {
	negative bool
	digits   []byte // may have a point among them
	point    int    // where the point is in digits, -1 if there is none
	exponent int    // of the last digit
}

// parseDecimal reads a JSON number, which is known to be one. It reports false for a
// number outside the limits. The decimal points into b.
func parseDecimal(b []byte) (d decimal, ok bool) {
	if b[0] == '-' {
		d.negative, b = true, b[1:]
	}
	mantissa := b
	if e := bytes.IndexAny(b, "eE"); e >= 0 {
		mantissa = b[:e]
		if d.exponent, ok = parseExponent(b[e+1:]); !ok {
			return d, false
		}
	}
	if len(mantissa) > maxDigits {
		return d, false
	}
	d.point = bytes.IndexByte(mantissa, '.')
	if d.point >= 0 {
		d.exponent -= len(mantissa) - d.point - 1
	}
	// Zeros at the end count in the exponent; a point among them does not.
	end := len(mantissa)
	for end > 0 && (mantissa[end-1] == '0' || mantissa[end-1] == '.') {
		if mantissa[end-1] == '0' {
			d.exponent++
		}
		end--
	}
	start := 0
	for start < end && (mantissa[start] == '0' || mantissa[start] == '.') {
		start++
	}
	d.digits = mantissa[start:end]
	if d.point -= start; d.point < 0 || d.point >= len(d.digits) {
		d.point = -1
	}
	if len(d.digits) == 0 {
		d = decimal{point: -1}
	}
	return d, true
}

// parseExponent reads what follows the e of a number.
func parseExponent(b []byte) (n int, ok bool) {
	negative := b[0] == '-'
	if negative || b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		if n = n*10 + int(c-'0'); n > maxExponent {
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, true
}

// count returns how many digits there are.
func (d *decimal) count() int {
	if d.point >= 0 {
		return len(d.digits) - 1
	}
	return len(d.digits)
}

// digit returns the ith digit.
func (d *decimal) digit(i int) byte {
	if d.point >= 0 && i >= d.point {
		i++
	}
	return d.digits[i]
}

// append appends the digits without a point.
func (d *decimal) append(b []byte) []byte {
	if d.point < 0 {
		return append(b, d.digits...)
	}
	return append(append(b, d.digits[:d.point]...), d.digits[d.point+1:]...)
}

// integer reports whether d is a whole number, however it was written.
func (d *decimal) integer() bool { return len(d.digits) == 0 || d.exponent >= 0 }

// compare compares two numbers, exactly.
func (d *decimal) compare(o *decimal) int {
	a, b := d.sign(), o.sign()
	if a != b || a == 0 {
		return cmp.Compare(a, b)
	}
	return a * d.compareSize(o)
}

func (d *decimal) sign() int {
	switch {
	case len(d.digits) == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// compareSize compares two numbers that are not zero without their signs.
func (d *decimal) compareSize(o *decimal) int {
	m, n := d.count(), o.count()
	if c := cmp.Compare(m+d.exponent, n+o.exponent); c != 0 {
		return c
	}
	for i := range min(m, n) {
		if c := cmp.Compare(d.digit(i), o.digit(i)); c != 0 {
			return c
		}
	}
	return cmp.Compare(m, n)
}

// multiple reports whether d is a whole multiple of o, which is not zero.
func (d *decimal) multiple(o *decimal) bool {
	if len(d.digits) == 0 {
		return true
	}
	a, b := d.big(), o.big()
	switch shift := int64(d.exponent - o.exponent); {
	case shift > 0:
		a.Mul(a, power(shift))
	case shift < 0:
		b.Mul(b, power(-shift))
	}
	return a.Rem(a, b).Sign() == 0
}

func (d *decimal) big() *big.Int {
	n, _ := new(big.Int).SetString(string(d.append(nil)), 10)
	return n
}

func power(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
