package lenient

import (
	"math"
	"math/big"
	"testing"
)

func TestFormatDouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		f    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{1, "1.0"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{1e-3, "0.001"},
		{9.99e-4, "9.99E-4"},
		{1e-4, "1.0E-4"},
		{-1e-5, "-1.0E-5"},
		{9999999, "9999999.0"},
		{9999999.999999998, "9999999.999999998"},
		{1e7, "1.0E7"},
		{-1e7, "-1.0E7"},
		{12345678.9, "1.23456789E7"},
		{1e10, "1.0E10"},
		{1.5e10, "1.5E10"},
		{1e21, "1.0E21"},
		{1e23, "1.0E23"},
		{2e-300, "2.0E-300"},
		{math.MaxFloat64, "1.7976931348623157E308"},
		{math.SmallestNonzeroFloat64, "4.9E-324"},
		{2 * math.SmallestNonzeroFloat64, "9.9E-324"},
		{math.Inf(1), "Infinity"},
		{math.Inf(-1), "-Infinity"},
		{math.NaN(), "NaN"},
	} {
		if got := FormatDouble(tt.f); got != tt.want {
			t.Errorf("%g: got %s, want %s", tt.f, got, tt.want)
		}
	}
}

func TestDecimalText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"1.0000000000000000000", "1.0000000000000000000"},
		{"-00.00000000000000000", "0E-17"},
		{"-00.000000", "0.000000"},
		{"0.000000000000000000000000", "0E-24"},
		{"12345678901234567890.", "12345678901234567890"},
		{"-.12345678901234567890", "-0.12345678901234567890"},
		{"0.000001234567890123456", "0.000001234567890123456"},
		{"0.0000001234567890123456", "1.234567890123456E-7"},
		{"1234567890123456789E0", "1234567890123456789"},
		{"1234567890123456789e2", "1.234567890123456789E+20"},
		{"1234567890123456789e-2", "12345678901234567.89"},
		{"10000000000000000000e-40", "1.0000000000000000000E-21"},
		{"100000000000000000000e-20", "1.00000000000000000000"},
	} {
		if v, ok := decimal(tt.in); !ok || v != Decimal(tt.want) {
			t.Errorf("%s: got %v, %v, want %s", tt.in, v, ok, tt.want)
		}
	}
	for _, tt := range []struct {
		v    any
		want string
		ok   bool
	}{
		{int64(-5), "-5", true},
		{1e10, "1.0E+10", true},
		{1e-4, "0.00010", true},
		{new(big.Int).Lsh(big.NewInt(1), 64), "18446744073709551616", true},
		{Decimal("1.50"), "1.50", true},
		{math.Inf(1), "", false},
		{math.NaN(), "", false},
		{"1", "", false},
		{nil, "", false},
	} {
		if got, ok := DecimalText(tt.v); got != tt.want || ok != tt.ok {
			t.Errorf("%v: got %s, %v", tt.v, got, ok)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	// In order; those in one row are equal.
	order := [][]any{
		{math.Inf(-1)},
		{Decimal("-1E+2000000000")},
		{-1e300},
		{-9223372036854775808.0, Decimal("-9223372036854776000")},
		{int64(math.MinInt64)},
		{int64(-10), -10.0, Decimal("-1E+1"), big.NewInt(-10)},
		{int64(-9)},
		{-0.5, Decimal("-0.50")},
		{int64(0), 0.0, math.Copysign(0, -1), Decimal("0E-24"), new(big.Int)},
		{math.SmallestNonzeroFloat64},
		{0.1, Decimal("0.10")},
		{int64(1), 1.0, Decimal("1.000")},
		{1.5},
		{int64(9)},
		{int64(10), 10.0},
		{9007199254740992.0, int64(9007199254740992)},
		{int64(9007199254740993)},
		{int64(math.MaxInt64)},
		{new(big.Int).Lsh(big.NewInt(1), 63)},
		{9223372036854775808.0, Decimal("9223372036854776000")},
		{1e308, Decimal("1E+308")},
		{Decimal("1.01E+308")},
		{Decimal("1E+2000000000")},
		{math.Inf(1)},
	}
	for i, row := range order {
		for _, x := range row {
			for j, other := range order {
				for _, y := range other {
					want := 0
					if i != j {
						want = 1
						if i < j {
							want = -1
						}
					}
					if got, ok := Compare(x, y); !ok || got != want {
						t.Errorf("%v and %v: got %d, %v, want %d", x, y, got, ok, want)
					}
				}
			}
		}
	}
	for _, tt := range [][2]any{{math.NaN(), 1.0}, {1.0, math.NaN()}, {"1", int64(1)}, {int64(1), nil}, {true, true}} {
		if got, ok := Compare(tt[0], tt[1]); ok {
			t.Errorf("%v and %v: got %d", tt[0], tt[1], got)
		}
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want any
	}{
		{"7", int64(7)},
		{"-007", int64(-7)},
		{"1.50", 1.5},
		{"1.", 1.0},
		{"-.5", -0.5},
		{"1e3", 1000.0},
		{"1.12345678901234567890", Decimal("1.12345678901234567890")},
		{"", nil},
		{"-", nil},
		{"7 ", nil},
		{" 7", nil},
		{"+7", nil},
		{"7x", nil},
		{"1e", nil},
		{"1e+", nil},
		{"NaN", nil},
		{"0x10", nil},
	} {
		if v, ok := ParseNumber(tt.in); v != tt.want || ok != (tt.want != nil) {
			t.Errorf("%q: got %v, %v, want %v", tt.in, v, ok, tt.want)
		}
	}
}

func BenchmarkAppendDouble(b *testing.B) {
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = AppendDouble(out[:0], 12345678.9)
	}
}
