package event

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"penstock/internal/mapping"
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

// parseQuery reads the parameters of a query as mappings see them. Of one that is not
// UTF-8 once decoded, name and value stay as they are. It returns nil if there are none.
// Whoever gets a query frees it.
func parseQuery(raw string) *query {
	p, rest := mapping.NextParameter(raw)
	if p.Raw == "" {
		return nil
	}
	q := queries.Get().(*query)
	// No byte becomes more than the three of U+FFFD: the text never moves.
	q.text = slices.Grow(q.text[:0], 3*len(raw))
	q.params = q.params[:0]
	for ; p.Raw != ""; p, rest = mapping.NextParameter(rest) {
		q.params = append(q.params, q.param(&p))
	}
	slices.SortStableFunc(q.params, func(a, b param) int { return bytes.Compare(a.name, b.name) })
	return q
}

// param adds a parameter to the text.
func (q *query) param(p *mapping.Parameter) param {
	start := len(q.text)
	q.text = p.AppendName(q.text)
	end := len(q.text)
	q.text = p.AppendValue(q.text)
	name, value := q.text[start:end:end], q.text[end:len(q.text):len(q.text)]
	if utf8.Valid(name) && utf8.Valid(value) {
		return param{name, value}
	}
	q.text = q.text[:start]
	rawName, rawValue, _ := strings.Cut(p.Raw, "=")
	return param{q.keep(rawName), q.keep(rawValue)}
}

// maxParams is how many parameters a query has room for between two uses.
const maxParams = 256

func (q *query) free() {
	if cap(q.params) > maxParams || cap(q.text) > 16<<10 {
		return
	}
	queries.Put(q)
}

// keep adds s to the text as it is, but for bytes that are not UTF-8.
func (q *query) keep(s string) []byte {
	start := len(q.text)
	for _, r := range s {
		q.text = utf8.AppendRune(q.text, r)
	}
	return q.text[start:len(q.text):len(q.text)]
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
