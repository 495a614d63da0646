package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// readJSON reads a JSON document.
func (r *reader) readJSON(document string) (*node, error) {
	j := &jsonReader{reader: r, text: document, line: 1}
	if i := loneSurrogate(document); i >= 0 {
		return nil, fmt.Errorf("line %d: half a surrogate pair is no character", j.lineAt(i))
	}
	j.dec = json.NewDecoder(strings.NewReader(document))
	j.dec.UseNumber()
	token, err := j.token()
	if err != nil {
		return nil, err
	}
	n, err := j.value(token, 1)
	if err != nil {
		return nil, err
	}
	if _, err := j.dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("line %d: text after the document", j.lineAt(int(j.dec.InputOffset())))
	}
	return n, nil
}

// A jsonReader reads the tokens of a JSON document.
type jsonReader struct {
	*reader
	dec    *json.Decoder
	text   string
	offset int // up to which lines are counted
	line   int
}

// token reads a token. The line is that of its end, which is where it starts too:
// no token has a line break in it.
func (j *jsonReader) token() (json.Token, error) {
	token, err := j.dec.Token()
	if err == nil {
		j.lineAt(int(j.dec.InputOffset()))
		return token, nil
	}
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("line %d: the document is cut off", j.lineAt(len(j.text)))
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("line %d: %s", j.lineAt(int(syntax.Offset)), syntax)
	default:
		return nil, fmt.Errorf("line %d: %w", j.line, err)
	}
}

// lineAt returns the line of an offset that is not less than the last one.
func (j *jsonReader) lineAt(offset int) int {
	if offset = min(offset, len(j.text)); offset > j.offset {
		j.line += strings.Count(j.text[j.offset:offset], "\n")
		j.offset = offset
	}
	return j.line
}

// value reads the value whose first token was read.
func (j *jsonReader) value(token json.Token, depth int) (*node, error) {
	if err := j.count(1); err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case nil:
		return &node{line: j.line}, nil
	case bool:
		return &node{kind: boolean, text: strconv.FormatBool(token), line: j.line}, nil
	case json.Number:
		return &node{kind: number, text: token.String(), line: j.line}, nil
	case string:
		return j.string(token, j.line), nil
	}
	if depth > maxDepth {
		return nil, errDepth
	}
	n := &node{kind: object, line: j.line}
	if token == json.Delim('[') {
		n.kind = list
	}
	for j.dec.More() {
		token, err := j.token()
		if err != nil {
			return nil, err
		}
		if n.kind == list {
			item, err := j.value(token, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
			continue
		}
		name, line := token.(string), j.line
		if token, err = j.token(); err != nil {
			return nil, err
		}
		value, err := j.value(token, depth+1)
		if err != nil {
			return nil, err
		}
		if err := j.member(n, name, value, line); err != nil {
			return nil, err
		}
	}
	_, err := j.token()
	return n, err
}

// loneSurrogate returns where in a JSON text half of a surrogate pair stands
// without the other half, -1 if nowhere. A backslash is an escape wherever it
// stands: outside of strings there is none in JSON.
func loneSurrogate(s string) int {
	for i := strings.IndexByte(s, '\\'); i >= 0 && i < len(s); {
		r, ok := escapedUnit(s[i:])
		switch {
		case ok && 0xD800 <= r && r < 0xDC00:
			if low, ok := escapedUnit(s[i+6:]); !ok || low < 0xDC00 || low > 0xDFFF {
				return i
			}
			i += 12
		case ok && 0xDC00 <= r && r < 0xE000:
			return i
		default:
			i += 2
		}
		if i >= len(s) {
			break
		}
		next := strings.IndexByte(s[i:], '\\')
		if next < 0 {
			break
		}
		i += next
	}
	return -1
}

// escapedUnit returns the UTF-16 code unit of an escape \uXXXX at the start of s.
func escapedUnit(s string) (unit uint64, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(s[2:6], 16, 16)
	return unit, err == nil
}
