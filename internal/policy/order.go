package policy

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"penstock/internal/jsontree"
)

// A comparison says which results of comparing two values are right: bit 0 for
// less, bit 1 for equal, bit 2 for greater.
type comparison uint8

const (
	less comparison = 1 << iota
	equal
	greater
)

// comparisons are the ends of the names of operators.
var comparisons = map[string]comparison{
	"Equals":            equal,
	"LessThan":          less,
	"LessThanEquals":    less | equal,
	"GreaterThan":       greater,
	"GreaterThanEquals": greater | equal,
}

// accepts reports whether c has the result of a cmp.Compare.
func (c comparison) accepts(result int) bool {
	return c&(1<<(result+1)) != 0
}

// numbers is the test of the Numeric operators. Numbers are compared as
// floating-point numbers of 64 bits.
type numbers struct {
	comparison
	values []float64
}

func (t numbers) holds(value string, _ func(string) []string) truth {
	v, ok := parseNumber(value)
	if !ok {
		return open
	}
	for _, want := range t.values {
		if t.accepts(cmp.Compare(v, want)) {
			return yes
		}
	}
	return no
}

// parseNumbers returns nil if there is no such comparison.
func parseNumbers(c comparison) testParser {
	if c == 0 {
		return nil
	}
	return func(_ *parser, list []*jsontree.Node) (test, error) {
		t := numbers{c, make([]float64, len(list))}
		for i, n := range list {
			var ok bool
			if t.values[i], ok = parseNumber(n.Text); !ok {
				return nil, fail(n, "%q is no number", n.Text)
			}
		}
		return t, nil
	}
}

// parseNumber reads a decimal number: digits with a sign, a fraction and an
// exponent, none of which must be there.
func parseNumber(s string) (float64, bool) {
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false // strconv reads more: 0x1p-2, infinity
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// dates is the test of the Date operators.
type dates struct {
	comparison
	values []time.Time
}

func (t dates) holds(value string, _ func(string) []string) truth {
	v, ok := parseDate(value)
	if !ok {
		return open
	}
	for _, want := range t.values {
		if t.accepts(v.Compare(want)) {
			return yes
		}
	}
	return no
}

// parseDates returns nil if there is no such comparison.
func parseDates(c comparison) testParser {
	if c == 0 {
		return nil
	}
	return func(_ *parser, list []*jsontree.Node) (test, error) {
		t := dates{c, make([]time.Time, len(list))}
		for i, n := range list {
			var ok bool
			if t.values[i], ok = parseDate(n.Text); !ok {
				return nil, fail(n, "%q is no date, want one like 2030-12-31T23:59:59Z or seconds since 1970", n.Text)
			}
		}
		return t, nil
	}
}

// layouts are the forms of a date, the usual one first. A fraction of a second is
// read where there are seconds. Without a zone it is UTC.
var layouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04Z0700",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04",
	"2006-01-02",
	"2006-01",
}

// maxEpoch is the last second of the year 9999. It is too small for milliseconds
// of our time, which are a mistake.
const maxEpoch = 253402300799

// parseDate reads a date of ISO 8601, or seconds since 1970. Four digits alone are
// neither: they may be a year or not.
func parseDate(s string) (time.Time, bool) {
	if digits := strings.TrimPrefix(s, "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		seconds, err := strconv.ParseInt(s, 10, 64)
		year := len(s) == 4 && s == digits
		return time.Unix(seconds, 0), err == nil && !year && -maxEpoch <= seconds && seconds <= maxEpoch
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
