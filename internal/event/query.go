package event

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A query is the parameters of a query string, decoded, ordered by name and, of one
// name, as they came. It has at least one.
type query struct {
	text   []byte // what params point into
	params []param
}

type param struct {
	name, value []byte
}

var queries = sync.Pool{New: func() any { return new(query) }}

// parseQuery splits a query at "&", and each parameter at its first "=". Names and
// values are decoded once, with "+" for a space; of a parameter that cannot be decoded
// into UTF-8, both stay as they are. Empty parameters are skipped. It returns nil if
// there are none. Whoever gets a query frees it.
func parseQuery(raw string) *query {
	if strings.Trim(raw, "&") == "" {
		return nil
	}
	q := queries.Get().(*query)
	// No byte becomes more than the three of U+FFFD: the text never moves.
	q.text = slices.Grow(q.text[:0], 3*len(raw))
	q.params = q.params[:0]
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		start := len(q.text)
		p, ok := param{}, false
		if p.name, ok = q.decode(name); ok {
			p.value, ok = q.decode(value)
		}
		if !ok {
			q.text = q.text[:start]
			p = param{q.keep(name), q.keep(value)}
		}
		q.params = append(q.params, p)
	}
	slices.SortStableFunc(q.params, func(a, b param) int { return bytes.Compare(a.name, b.name) })
	return q
}

// maxParams is how many parameters a query has room for between two uses.
const maxParams = 256

func (q *query) free() {
	if cap(q.params) > maxParams || cap(q.text) > 16<<10 {
		return
	}
	queries.Put(q)
}

// decode adds s, decoded, to the text. It reports false if that is not possible.
func (q *query) decode(s string) ([]byte, bool) {
	start := len(q.text)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(s) {
				return nil, false
			}
			high, low := unhex(s[i+1]), unhex(s[i+2])
			if high > 15 || low > 15 {
				return nil, false
			}
			c = high<<4 | low
			i += 2
		}
		q.text = append(q.text, c)
	}
	decoded := q.text[start:len(q.text):len(q.text)]
	return decoded, utf8.Valid(decoded)
}

// keep adds s to the text as it is, but for bytes that are not UTF-8.
func (q *query) keep(s string) []byte {
	start := len(q.text)
	for _, r := range s {
		q.text = utf8.AppendRune(q.text, r)
	}
	return q.text[start:len(q.text):len(q.text)]
}

// unhex returns the value of a hexadecimal digit, and 0xff for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	default:
		return 0xff
	}
}

// group returns where the parameters end that have the name of the i-th.
func (q *query) group(i int) int {
	end := i + 1
	for end < len(q.params) && bytes.Equal(q.params[end].name, q.params[i].name) {
		end++
	}
	return end
}

// appendJoined appends an object in which values of one name are joined with commas.
func (q *query) appendJoined(b []byte) []byte {
	for i := 0; i < len(q.params); {
		b = appendName(b, i == 0, q.params[i].name)
		b = append(b, '"')
		b = appendEscaped(b, q.params[i].value)
		end := q.group(i)
		for i++; i < end; i++ {
			b = append(b, ',')
			b = appendEscaped(b, q.params[i].value)
		}
		b = append(b, '"')
	}
	return append(b, '}')
}

// appendLast appends an object with the last value of each name.
func (q *query) appendLast(b []byte) []byte {
	for i := 0; i < len(q.params); {
		end := q.group(i)
		b = appendName(b, i == 0, q.params[i].name)
		b = AppendString(b, q.params[end-1].value)
		i = end
	}
	return append(b, '}')
}

// appendAll appends an object with a list of the values of each name.
func (q *query) appendAll(b []byte) []byte {
	for i := 0; i < len(q.params); {
		b = appendName(b, i == 0, q.params[i].name)
		end := q.group(i)
		for first := i; i < end; i++ {
			b = append(b, "[,"[min(i-first, 1)])
			b = AppendString(b, q.params[i].value)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}
