package lenient

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// AppendCompact appends an object or a list that stands in text, as Parse and then AppendJSON
// would, but without making a value of it, which takes a fraction of the time. It returns
// false, and b, if it does not do so: for other values, for what is no JSON, for an object that
// has a name twice, and for what would be longer than max bytes.
func AppendCompact(b []byte, text string, l Limits, max int) (out []byte, ok bool) {
	if l.Depth == 0 {
		l.Depth = defaultDepth
	}
	c := copier{parser: parser{text: text, limit: min(l.Depth, maxNesting)}, b: b, end: len(b) + max}
	c.space()
	if !c.more() || c.text[c.i] != '{' && c.text[c.i] != '[' || !utf8.ValidString(text) ||
		l.Strict && !json.Valid([]byte(text)) {
		return b, false
	}
	if err := c.value(""); err != nil || len(c.b) > c.end {
		return b, false
	}
	return c.b, true
}

// A copier is a parser that writes what it has read at once.
type copier struct {
	parser
	b   []byte
	end int // how long b may become
}

// errGiveUp says that a text has to be parsed first.
var errGiveUp = errors.New("not copied")

// value copies what parser.value parses.
func (c *copier) value(stops string) error {
	if len(c.b) > c.end {
		return errGiveUp
	}
	switch c.text[c.i] {
	case '{', '[':
		if c.depth++; c.depth > c.limit {
			return errGiveUp
		}
		var err error
		if c.text[c.i] == '{' {
			err = c.object()
		} else {
			err = c.list()
		}
		c.depth--
		return err
	case '"', '\'':
		s, err := c.quoted()
		if err != nil {
			return err
		}
		c.b = appendQuoted(c.b, s, false)
		return nil
	}
	if n := c.plainInteger(stops); n > 0 {
		c.b = append(c.b, c.text[c.i:c.i+n]...)
		c.i += n
		return nil
	}
	v, err := c.parser.value(stops)
	if err != nil {
		return err
	}
	p := printer{b: c.b, end: c.end}
	p.json(v, 0, false)
	c.b = p.b
	return nil
}

// plainInteger returns the length of an integer that is printed as it is written: most are. It
// returns 0 if there is none.
func (c *copier) plainInteger(stops string) int {
	rest := c.text[c.i:]
	n := 0
	for n < len(rest) && digit(rest[n]) {
		n++
	}
	if n == 0 || n > maxDouble || n == len(rest) || rest[0] == '0' && n > 1 || strings.IndexByte(stops, rest[n]) < 0 {
		return 0
	}
	return n
}

// object copies what parser.object parses.
func (c *copier) object() error {
	// Most objects have no more names than this.
	var few [fewNames]string
	names := few[:0]
	var index map[string]bool
	c.b = append(c.b, '{')
	comma := true
	for c.i++; ; {
		c.space()
		if !c.more() {
			return c.unexpected()
		}
		switch c.text[c.i] {
		case '}':
			c.i++
			c.b = append(c.b, '}')
			return nil
		case ',':
			c.i++
			comma = true
			continue
		case ':', ']', '[', '{':
			return c.unexpected()
		}
		if !comma {
			return c.unexpected()
		}
		name, err := c.name()
		if err != nil {
			return err
		}
		if len(names) > 0 {
			c.b = append(c.b, ',')
		}
		if seen(names, &index, name) {
			return errGiveUp
		}
		names = append(names, name)
		c.b = appendQuoted(c.b, name, false)
		c.b = append(c.b, ':')
		if err := c.value(",}"); err != nil {
			return err
		}
		c.control()
		comma = false
	}
}

// fewNames is how many names are looked through for one.
const fewNames = 16

// seen reports whether a name is among names, of which there is an index if they are many, and
// adds it to the index.
func seen(names []string, index *map[string]bool, name string) bool {
	if len(names) <= fewNames {
		for _, s := range names {
			if s == name {
				return true
			}
		}
		return false
	}
	if *index == nil {
		*index = make(map[string]bool, 2*len(names))
		for _, s := range names {
			(*index)[s] = true
		}
	}
	if (*index)[name] {
		return true
	}
	(*index)[name] = true
	return false
}

// list copies what parser.list parses.
func (c *copier) list() error {
	c.b = append(c.b, '[')
	first := true
	for c.i++; ; {
		c.space()
		if !c.more() {
			return c.unexpected()
		}
		switch c.text[c.i] {
		case ']':
			c.i++
			c.b = append(c.b, ']')
			return nil
		case ',':
			c.i++
			continue
		}
		if !first {
			c.b = append(c.b, ',')
		}
		first = false
		if err := c.value(",]"); err != nil {
			return err
		}
	}
}
