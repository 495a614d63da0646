package vtl

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"penstock/internal/lenient"
)

// isNumber reports whether a value is a number.
func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64, *big.Int, lenient.Decimal:
		return true
	}
	return false
}

// A base is what two numbers are computed as.
type base uint8

const (
	baseInteger base = iota
	baseDouble
	baseDecimal
)

// baseOf returns what two numbers are computed as: decimals if one is, or if one is an integer
// that is too large for a double to be exact and the other is a double.
func baseOf(left, right any) base {
	_, leftDecimal := left.(lenient.Decimal)
	_, rightDecimal := right.(lenient.Decimal)
	_, leftDouble := left.(float64)
	_, rightDouble := right.(float64)
	_, leftBig := left.(*big.Int)
	_, rightBig := right.(*big.Int)
	switch {
	case leftDecimal || rightDecimal, (leftDouble || rightDouble) && (leftBig || rightBig):
		return baseDecimal
	case leftDouble || rightDouble:
		return baseDouble
	}
	return baseInteger
}

// arithmetic returns the value of + - * / % for two numbers, and nil if one is none or
// there is a division by zero. Integers grow as needed; a fraction makes the result one.
func arithmetic(op operator, left, right any) (any, error) {
	if !isNumber(left) || !isNumber(right) {
		return nil, nil
	}
	a, isInt := left.(int64)
	b, isInt2 := right.(int64)
	if isInt && isInt2 {
		if v, ok := integers(op, a, b); ok {
			return v, nil
		}
	}
	switch baseOf(left, right) {
	case baseDouble:
		return fractions(op, floatOf(left), floatOf(right)), nil
	case baseDecimal:
		return decimals(op, left, right)
	}
	x, y := bigOf(left), bigOf(right)
	if x.BitLen()+y.BitLen() > maxBits {
		return nil, fmt.Errorf("an integer of more than %d bits", maxBits)
	}
	z := new(big.Int)
	switch {
	case op == add:
		z.Add(x, y)
	case op == subtract:
		z.Sub(x, y)
	case op == multiply:
		z.Mul(x, y)
	case y.Sign() == 0:
		return nil, nil
	case op == divide:
		z.Quo(x, y)
	case y.Sign() < 0:
		return nil, errors.New("the modulo of a negative number")
	default:
		z.Mod(x, y)
	}
	return z, nil
}

// maxBits is how long integers may become.
const maxBits = 1 << 16

// integers computes with small integers; ok is false if the result has no room.
func integers(op operator, a, b int64) (v any, ok bool) {
	switch op {
	case add:
		c := a + b
		return c, (c > a) == (b > 0)
	case subtract:
		c := a - b
		return c, (c < a) == (b > 0)
	case multiply:
		if a == 0 || b == 0 {
			return int64(0), true
		}
		c := a * b
		return c, c/b == a
	}
	if b == 0 {
		return nil, true
	}
	if op == divide {
		return a / b, true
	}
	return a % b, true
}

func fractions(op operator, a, b float64) any {
	switch op {
	case add:
		return a + b
	case subtract:
		return a - b
	case multiply:
		return a * b
	}
	if b == 0 {
		return nil
	}
	if op == divide {
		return a / b
	}
	return math.Mod(a, b)
}

// bigOf returns an integer, nil for what is none.
func bigOf(v any) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	}
	return nil
}

// floatOf returns a number as a fraction.
func floatOf(v any) float64 {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case float64:
		return v
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f
	case lenient.Decimal:
		f, _ := strconv.ParseFloat(string(v), 64)
		return f
	}
	return math.NaN()
}
