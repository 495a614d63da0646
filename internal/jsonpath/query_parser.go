package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxQuery is how many bytes the text of a query may have.
	maxQuery = 64 << 10
	// maxQueryDepth is how deep filters, functions and parentheses may be nested.
	maxQueryDepth = 50
)

// ParseQuery parses the path of a mapping template:
//
//	path    = [ "$" | "@" ] { step }
//	step    = [ "." ] "[" bracket "]" | "." segment | ".." ( segment | "[" bracket "]" )
//	segment = "*" | name [ "(" [ argument { "," argument } ] ")" ]
//	bracket = "*" | quoted { "," quoted } | index { "," index } | slice | filter
//	index   = [ "-" ] digits
//	slice   = [ index ] ":" [ index ] [ ":" index ]      one of the first two; the third says nothing
//	filter  = "?" "(" condition ")"
//	name    = one or more characters but . [ ( and blanks
//	quoted  = "'" text "'" | '"' text '"'                with the escapes of JSON and \'
//
// Without $ or @ at its beginning a path is what stands behind "$.". Blanks may stand
// around what is in brackets and parentheses, and behind the path. Functions are length,
// size, keys, min, max, avg, sum, stddev, first, last, index, append and concat.
func ParseQuery(text string) (*Query, error) {
	if len(text) > maxQuery {
		return nil, fmt.Errorf("path %.40q…: longer than %d bytes", text, maxQuery)
	}
	p := queryParser{text: strings.TrimRight(text, " \t\r\n")}
	q := p.query(true)
	if p.reason != "" {
		return nil, fmt.Errorf("path %.200q: offset %d: %s", text, p.place, p.reason)
	}
	return q, nil
}

// A queryParser goes once through the text of a query. It keeps the first error and its
// place, and reads nothing more.
type queryParser struct {
	text   string
	i      int
	depth  int
	reason string // of the first error
	place  int
}

// fail keeps an error that is here.
func (p *queryParser) fail(format string, args ...any) { p.failAt(p.i, format, args...) }

func (p *queryParser) failAt(place int, format string, args ...any) {
	if p.reason == "" {
		p.reason, p.place = fmt.Sprintf(format, args...), place
	}
}

func (p *queryParser) more() bool { return p.reason == "" && p.i < len(p.text) }

// at reports whether text stands here.
func (p *queryParser) at(text string) bool {
	return p.reason == "" && strings.HasPrefix(p.text[p.i:], text)
}

// accept reads text if it stands here.
func (p *queryParser) accept(text string) bool {
	if !p.at(text) {
		return false
	}
	p.i += len(text)
	return true
}

// want reads text, or fails.
func (p *queryParser) want(text string) {
	if !p.accept(text) {
		p.fail("want %q", text)
	}
}

func (p *queryParser) space() {
	for p.more() && blank(p.text[p.i]) {
		p.i++
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// enter counts what is nested, and reports whether there is room.
func (p *queryParser) enter() bool {
	if p.depth++; p.depth > maxQueryDepth {
		p.fail("nested deeper than %d", maxQueryDepth)
	}
	return p.reason == ""
}

func (p *queryParser) leave() { p.depth-- }

// query parses a path. One that is not whole stands in a filter or is an argument: there
// it begins with $ or @, and ends where it cannot go on.
func (p *queryParser) query(whole bool) *Query {
	q := &Query{root: '$'}
	if !p.enter() {
		return q
	}
	defer p.leave()
	switch {
	case p.accept("$"):
	case p.accept("@"):
		q.root = '@'
	case whole && p.more():
		p.segment(q, whole)
	default:
		p.fail("want a path")
	}
	for p.more() {
		switch {
		case p.accept(".."):
			q.steps = append(q.steps, queryStep{kind: stepScan})
			if p.accept("[") {
				p.bracket(q)
				break
			}
			at := p.i
			p.segment(q, whole)
			if p.reason == "" && q.steps[len(q.steps)-1].kind == stepCall {
				p.failAt(at, "want a name")
			}
		case p.accept("."):
			if p.accept("[") {
				p.bracket(q)
				break
			}
			p.segment(q, whole)
		case p.accept("["):
			p.bracket(q)
		case !whole:
			q.settle()
			return q
		case p.text[p.i-1] == ']':
			p.segment(q, whole)
		default:
			p.fail(`want "." or "["`)
		}
	}
	q.settle()
	return q
}

// segment parses what stands behind a dot.
func (p *queryParser) segment(q *Query, whole bool) {
	if p.accept("*") {
		q.steps = append(q.steps, queryStep{kind: stepWildcard})
		return
	}
	start := p.i
	for ; p.i < len(p.text) && !p.ends(whole); p.i++ {
		if c := p.text[p.i]; c == '(' {
			name := p.text[start:p.i]
			p.i++
			p.call(q, name, start)
			return
		} else if whole && blank(c) {
			p.fail("a name must not have blanks; write it as ['name']")
			return
		}
	}
	if p.i == start {
		p.fail("want a name")
		return
	}
	q.steps = append(q.steps, queryStep{name: p.text[start:p.i]})
}

// ends reports whether a name ends here. Where a path stands in something, more ends it.
func (p *queryParser) ends(whole bool) bool {
	c := p.text[p.i]
	if c == '.' || c == '[' {
		return true
	}
	return !whole && (blank(c) || strings.IndexByte("<>=~!),", c) >= 0 || p.at("&&") || p.at("||"))
}

// bracket parses what stands in brackets, and the closing one. The opening one has been
// read.
func (p *queryParser) bracket(q *Query) {
	p.space()
	if !p.more() {
		p.fail(`unclosed "["`)
		return
	}
	var s queryStep
	switch c := p.text[p.i]; {
	case c == '\'' || c == '"':
		s = p.names()
	case c == '*':
		p.i++
		s.kind = stepWildcard
	case c == '?':
		p.i++
		p.space()
		p.want("(")
		s.kind = stepFilter
		s.filter = p.either()
		p.space()
		p.want(")")
	case c == '-' || c == ':' || '0' <= c && c <= '9':
		s = p.indexes()
	default:
		r, _ := utf8.DecodeRuneInString(p.text[p.i:])
		p.fail("unexpected %q", r)
	}
	p.space()
	p.want("]")
	q.steps = append(q.steps, s)
}

func (p *queryParser) names() queryStep {
	var names []string
	for {
		p.space()
		if !p.at("'") && !p.at(`"`) {
			p.fail("want a name in quotes")
			return queryStep{}
		}
		names = append(names, p.quoted())
		if p.space(); !p.accept(",") {
			break
		}
	}
	if len(names) == 1 {
		return queryStep{name: names[0]}
	}
	return queryStep{kind: stepNames, names: names}
}

// indexes parses what begins with an index or a colon.
func (p *queryParser) indexes() queryStep {
	var s queryStep
	if !p.at(":") {
		n := p.index()
		s.from = &n
	}
	p.space()
	if p.accept(":") {
		s.kind = stepSlice
		if p.space(); p.more() && p.text[p.i] != ']' && p.text[p.i] != ':' {
			n := p.index()
			s.to = &n
		}
		if s.from == nil && s.to == nil {
			p.fail("want an index")
		}
		if p.space(); p.accept(":") {
			p.space()
			p.index()
		}
		return s
	}
	list := []int{*s.from}
	for p.space(); p.accept(","); p.space() {
		p.space()
		list = append(list, p.index())
	}
	if len(list) == 1 {
		return queryStep{kind: stepIndex, index: list[0]}
	}
	return queryStep{kind: stepIndexes, indexes: list}
}

// index parses a number of an element.
func (p *queryParser) index() int {
	start := p.i
	p.accept("-")
	for p.more() && '0' <= p.text[p.i] && p.text[p.i] <= '9' {
		p.i++
	}
	if p.reason != "" {
		return 0
	}
	n, err := strconv.ParseInt(p.text[start:p.i], 10, 32)
	if err != nil {
		p.failAt(start, "want an index")
	}
	return int(n)
}

// quoted parses a string in quotes of either kind, with the escapes of JSON. A backslash
// before any other character makes it text.
func (p *queryParser) quoted() string {
	if !p.more() {
		p.fail("want a quote")
		return ""
	}
	start := p.i
	q := p.text[p.i]
	var b strings.Builder
	for p.i++; p.i < len(p.text); p.i++ {
		c := p.text[p.i]
		if c == q {
			p.i++
			return b.String()
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if p.i++; p.i == len(p.text) {
			break
		}
		switch c := p.text[p.i]; c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			rest := p.text[p.i-1:]
			for n := 2; n < 6; n++ {
				if n >= len(rest) || unhex(rest[n]) > 0xf {
					p.fail("want four hexadecimal digits")
					return ""
				}
			}
			escape := []byte(rest[:min(len(rest), 12)])
			for _, c := range escape[min(len(escape), 8):] {
				if unhex(c) > 0xf {
					escape = escape[:6]
					break
				}
			}
			r, size := unescape(escape)
			b.WriteRune(r)
			p.i += size - 2
		default:
			b.WriteByte(c)
		}
	}
	p.failAt(start, "unclosed quote")
	return ""
}
