package selection

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"penstock/internal/lenient"
)

// ErrNotJSON: a message is neither an object nor a list of JSON, as the service reads it.
var ErrNotJSON = errors.New("the message is not JSON")

// Values are what the variables of expressions stand for. Each of them may be missing. The
// functions are called at most once for each variable, with its name as written.
type Values struct {
	Message   *Message                 // request.body
	Header    func(name string) string // request.header.name, of the handshake
	Context   func(name string) string // context.name
	Variables map[string]string        // stageVariables
	Response  *Response                // integration.response
}

// A Response is the answer of an integration.
type Response struct {
	Status int                        // 0 without one
	Header func(name string) []string // the values of a header, in order; nil without headers
	Body   Message
}

// text returns the text of a variable that is one.
func (v *Values) text(p *piece) string {
	switch p.kind {
	case requestHeader:
		if v.Header != nil {
			return v.Header(p.text)
		}
	case contextVariable:
		if v.Context != nil {
			return v.Context(p.text)
		}
	case stageVariable:
		return v.Variables[p.text]
	case responseHeader:
		// Of several values the last one counts, as in the events that functions get.
		if values := v.Response.values(p.text); len(values) > 0 {
			return values[len(values)-1]
		}
	}
	return ""
}

// values returns the values of a header.
func (r *Response) values(name string) []string {
	if r == nil || r.Header == nil {
		return nil
	}
	return r.Header(name)
}

// appendHeaders appends the values of a header as a list.
func (r *Response) appendHeaders(b []byte, name string) []byte {
	values := r.values(name)
	if len(values) == 0 {
		return b
	}
	b = append(b, '[')
	for i, value := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, value...)
	}
	return append(b, ']')
}

func (r *Response) appendStatus(b []byte) []byte {
	if r == nil || r.Status == 0 {
		return b
	}
	return strconv.AppendInt(b, int64(r.Status), 10)
}

// maxDepth is how deep objects and lists of a message may be nested. It is what package
// jsonpath takes in text.
const maxDepth = 512

// A Message is the text of a message, or of the body of an answer, which is parsed when
// somebody first asks for its value. It must not be used by several goroutines at a time,
// and its text must not change.
type Message struct {
	Text []byte

	parsed bool
	value  any
	err    error
}

// Value returns what the text says, as mapping templates would have it: an object or a
// list, of package lenient. Everything else is ErrNotJSON: what is neither of them, what is
// broken, and what is nested deeper than 512.
func (m *Message) Value() (any, error) {
	if m.parsed {
		return m.value, m.err
	}
	m.parsed = true
	text := bytes.TrimLeft(m.Text, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		m.err = ErrNotJSON
		return nil, m.err
	}
	value, err := lenient.Parse(m.Text, lenient.Limits{Depth: maxDepth})
	if err != nil {
		m.err = fmt.Errorf("%w: %w", ErrNotJSON, err)
		return nil, m.err
	}
	m.value = value
	return value, nil
}

// scan appends what a piece has of a message, without making a tree of it, and reports
// whether it could: the message is JSON in every respect, the value is there, and it is
// written as it is printed. Everything else is for the tree.
func (m *Message) scan(b []byte, p *piece) ([]byte, bool) {
	// In a string with a backslash in it, the tree has no DEL.
	if m == nil || m.parsed || bytes.IndexByte(m.Text, 0x7f) >= 0 {
		return b, false
	}
	value, ok := p.path.Select(m.Text)
	if !ok {
		return b, false
	}
	switch value[0] {
	case '"':
		if bytes.IndexByte(value, '\\') >= 0 {
			return b, false
		}
		return append(b, value[1:len(value)-1]...), true
	case 't', 'f':
		return append(b, value...), true
	case 'n':
		return b, true
	case '{', '[':
		return b, false
	}
	// Integers that are no great ones, and not -0.
	if len(value) > 18 || string(value) == "-0" || bytes.ContainsAny(value, ".eE") {
		return b, false
	}
	return append(b, value...), true
}

// AppendValue appends a value of package lenient as it stands in an expression: strings as
// they are, numbers and booleans as in templates, lists as [a, b], and objects as {k=v}.
// Null is nothing, but null where it is in something. The error is lenient.ErrTooLong for
// more than 1 MB, or lenient.ErrTooDeep; b is then as it was.
func AppendValue(b []byte, v any) ([]byte, error) {
	if v == nil {
		return b, nil
	}
	start := len(b)
	b, err := appendValue(b, v, start+maxText, 0)
	if err == nil && len(b)-start > maxText {
		err = lenient.ErrTooLong
	}
	if err != nil {
		return b[:start], err
	}
	return b, nil
}

// appendValue writes on until b is longer than end.
func appendValue(b []byte, v any, end, depth int) ([]byte, error) {
	switch {
	case len(b) > end:
		return b, lenient.ErrTooLong
	case depth > 2*maxDepth:
		return b, lenient.ErrTooDeep
	}
	var err error
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return append(b, v...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case *lenient.List:
		b = append(b, '[')
		for i, item := range v.Items {
			if i > 0 {
				b = append(b, ", "...)
			}
			if b, err = appendValue(b, item, end, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case *lenient.Map:
		b = append(b, '{')
		first := true
		for name, value := range v.All() {
			if !first {
				b = append(b, ", "...)
			}
			first = false
			b = append(b, name...)
			b = append(b, '=')
			if b, err = appendValue(b, value, end, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, '}'), nil
	}
	return append(b, lenient.AppendText(nil, v)...), nil
}
