package lenient

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits is how many digits an integer may have to become a *big.Int, whose making
// takes more than linear time. Longer ones are Decimals.
const maxDigits = 1000

// maxDouble is how many characters a fraction may have to become a float64.
const maxDouble = 18

// number parses
//
//	[ "-" ] { digit } [ "." { digit } ] [ ( "e" | "E" ) [ "+" | "-" ] { digit } ]
//
// and text that only begins like this. The first character has been seen.
func (p *parser) number(stops string) (any, error) {
	start := p.i
	p.i++
	p.digits()
	whole := true
	if p.accept('.') {
		whole = false
		p.digits()
	}
	if p.accept('e') || p.accept('E') {
		whole = false
		if !p.accept('+') && !p.accept('-') && !(p.more() && digit(p.text[p.i])) {
			p.i = start
			return p.bare(stops), nil
		}
		p.digits()
	}
	text := p.text[start:p.i]
	if p.control(); p.more() && strings.IndexByte(stops, p.text[p.i]) < 0 {
		p.i = start
		return p.bare(stops), nil
	}
	if whole {
		return integer(text), nil
	}
	v, ok := fraction(text)
	if !ok {
		p.i = start
		return nil, p.errorf("%.40q is no number", text)
	}
	return v, nil
}

func (p *parser) accept(c byte) bool {
	if p.more() && p.text[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) digits() {
	for p.more() && digit(p.text[p.i]) {
		p.i++
	}
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// integer returns the value of digits behind a sign. Zero has no sign.
func integer(text string) any {
	digits, negative := strings.CutPrefix(text, "-")
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return int64(0)
	}
	if len(digits) <= 19 {
		if negative {
			digits = "-" + digits
		}
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			return n
		}
	} else if negative {
		digits = "-" + digits
	}
	if len(digits) > maxDigits {
		return Decimal(digits)
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return n
}

// fraction returns the value of a number with a fraction or an exponent.
func fraction(text string) (v any, ok bool) {
	if len(text) > maxDouble {
		return decimal(text)
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// decimal returns a number as BigDecimal prints it: in plain digits unless there would be
// six zeros or more behind the point, or the exponent of the last digit is positive.
func decimal(text string) (v any, ok bool) {
	mantissa, exponent, _ := strings.Cut(strings.Replace(text, "E", "e", 1), "e")
	var scale int64 // how many of the digits are behind the point
	if exponent != "" {
		n, err := strconv.ParseInt(exponent, 10, 32)
		if err != nil {
			return nil, false
		}
		scale = -n
	} else if strings.ContainsAny(text, "eE") {
		return nil, false
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	before, after, _ := strings.Cut(mantissa, ".")
	if before == "" && after == "" {
		return nil, false
	}
	scale += int64(len(after))
	if scale > math.MaxInt32 || scale < math.MinInt32 {
		return nil, false
	}
	digits := strings.TrimLeft(before+after, "0")
	if digits == "" {
		digits, negative = "0", false
	}
	b := make([]byte, 0, len(digits)+16)
	if negative {
		b = append(b, '-')
	}
	adjusted := int64(len(digits)) - 1 - scale
	switch {
	case scale == 0:
		b = append(b, digits...)
	case scale > 0 && adjusted >= -6:
		if n := int64(len(digits)) - scale; n > 0 {
			b = append(b, digits[:n]...)
			b = append(b, '.')
			b = append(b, digits[n:]...)
			break
		}
		b = append(b, "0."...)
		for range scale - int64(len(digits)) {
			b = append(b, '0')
		}
		b = append(b, digits...)
	default:
		b = append(b, digits[0])
		if len(digits) > 1 {
			b = append(b, '.')
			b = append(b, digits[1:]...)
		}
		if adjusted != 0 {
			b = append(b, 'E')
			if adjusted > 0 {
				b = append(b, '+')
			}
			b = strconv.AppendInt(b, adjusted, 10)
		}
	}
	return Decimal(b), true
}

// DecimalText returns a number in the digits of a BigDecimal, in which 1e10 is 1.0E+10, and
// whether v is a number that has some.
func DecimalText(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case *big.Int:
		return v.String(), true
	case Decimal:
		return string(v), true
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return "", false
		}
		d, _ := decimal(FormatDouble(v))
		return string(d.(Decimal)), true
	}
	return "", false
}

// FormatDouble returns f as Java prints a double: 1.0, 1.0E7, 1.0E-4, NaN, -Infinity.
func FormatDouble(f float64) string { return string(AppendDouble(nil, f)) }

// AppendDouble appends what FormatDouble returns: decimal notation from 1e-3 to below 1e7,
// one digit before the point elsewhere, at least one behind it, and no more digits than
// tell the number from its neighbours.
func AppendDouble(b []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case abs >= 1e-3 && abs < 1e7 || abs == 0:
		n := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		for _, c := range b[n:] {
			if c == '.' {
				return b
			}
		}
		return append(b, ".0"...)
	}
	var buf [32]byte
	digits := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	e := len(digits) - 1
	for digits[e] != 'e' {
		e--
	}
	if e <= 2 {
		// One digit, perhaps with a sign. Java has two at least, and the nearest two:
		// 4.9E-324.
		digits = strconv.AppendFloat(buf[:0], f, 'e', 1, 64)
		for e = len(digits) - 1; digits[e] != 'e'; e-- {
		}
	}
	b = append(b, digits[:e]...)
	b = append(b, 'E')
	exponent := digits[e+1:]
	if exponent[0] == '-' {
		b = append(b, '-')
	}
	exponent = exponent[1:]
	for len(exponent) > 1 && exponent[0] == '0' {
		exponent = exponent[1:]
	}
	return append(b, exponent...)
}

// Compare compares two numbers by their value, whatever their types: -1, 0 or 1. A double
// is what FormatDouble says, unless both are. It returns false if one is not a number, or
// NaN.
func Compare(x, y any) (order int, ok bool) {
	switch v := x.(type) {
	case int64:
		if w, ok := y.(int64); ok {
			return cmp.Compare(v, w), true
		}
	case float64:
		if w, ok := y.(float64); ok && v == v && w == w {
			return compareDoubles(v, w), true
		}
	}
	if v, ok := exact(x); ok {
		if w, ok := exact(y); ok {
			return compareDoubles(v, w), true
		}
	}
	a, ok := magnitudeOf(x)
	if !ok {
		return 0, false
	}
	b, ok := magnitudeOf(y)
	if !ok {
		return 0, false
	}
	if a.sign != b.sign {
		if a.sign < b.sign {
			return -1, true
		}
		return 1, true
	}
	switch {
	case a.point < b.point:
		return -a.sign, true
	case a.point > b.point:
		return a.sign, true
	}
	return strings.Compare(a.digits, b.digits) * a.sign, true
}

// exact returns the double that is what v is: a double itself, or an integer that is not too
// great for one.
func exact(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), -1<<53 <= v && v <= 1<<53
	case float64:
		return v, v == v
	}
	return 0, false
}

// compareDoubles compares what is not NaN. Zeros are equal whatever their signs.
func compareDoubles(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// A magnitude is 0.digits times ten to the power of point, with a sign; zero has the sign
// 0. Digits have no zero at either end, so that they compare as text does. Numbers are
// compared like this and not computed with: one with a great exponent would be a great
// many digits.
type magnitude struct {
	sign   int
	digits string
	point  int64
}

func magnitudeOf(v any) (magnitude, bool) {
	switch v := v.(type) {
	case int64:
		return parseMagnitude(strconv.FormatInt(v, 10)), true
	case *big.Int:
		return parseMagnitude(v.String()), true
	case Decimal:
		return parseMagnitude(string(v)), true
	case float64:
		if math.IsNaN(v) {
			return magnitude{}, false
		}
		if math.IsInf(v, 0) {
			m := magnitude{sign: 1, point: math.MaxInt64}
			if v < 0 {
				m.sign = -1
			}
			return m, true
		}
		return parseMagnitude(strconv.FormatFloat(v, 'e', -1, 64)), true
	}
	return magnitude{}, false
}

func parseMagnitude(text string) magnitude {
	m := magnitude{sign: 1}
	if text != "" && text[0] == '-' {
		m.sign, text = -1, text[1:]
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		m.point, _ = strconv.ParseInt(text[i+1:], 10, 64)
		text = text[:i]
	}
	before, after, _ := strings.Cut(text, ".")
	m.point += int64(len(before))
	all := before + after
	digits := strings.TrimLeft(all, "0")
	m.point -= int64(len(all) - len(digits))
	if m.digits = strings.TrimRight(digits, "0"); m.digits == "" {
		return magnitude{}
	}
	return m
}

// ParseNumber returns the number that is written in text, as JSON text has it, and whether
// it is nothing but one.
func ParseNumber(text string) (any, bool) {
	if text == "" || text[0] != '-' && !digit(text[0]) || text == "-" {
		return nil, false
	}
	p := parser{text: text}
	v, err := p.number("")
	if err != nil || p.i < len(text) || text[len(text)-1] <= ' ' {
		return nil, false
	}
	if _, bare := v.(string); bare {
		return nil, false
	}
	return v, true
}
