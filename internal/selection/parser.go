package selection

import (
	"fmt"
	"strings"

	"penstock/internal/jsonpath"
)

// maxExpression is how many bytes an expression may have.
const maxExpression = 8 << 10

// defaultKey is the key of what takes everything that nothing else takes. As a whole
// expression it is that key, though variables begin with a dollar sign.
const defaultKey = "$default"

// Parse parses a selection expression:
//
//	expression = "$default" | { text | "\$" | "${" variable "}" | "$" variable }
//	variable   = "request.body" [ path ] | "request.header." name
//	           | "context." name | "stageVariables." name
//	           | [ "integration." ] "response." answer
//	answer     = "statuscode" | "body" [ path ] | "header." name | "multivalueheader." name
//
// The path is a query of package jsonpath without its dollar sign, and begins with a dot
// or a bracket. Without a path a body is all of its text, JSON or not.
//
// In braces a variable ends at the first closing brace that is not in brackets,
// parentheses or quotes. Without braces it begins with a letter and goes on with letters,
// digits, "_", "-", "." and all that is in balanced brackets; dots and hyphens at its end
// are text. A dollar sign with no letter behind it is text.
//
// Source: developer guide, apigateway-websocket-api-selection-expressions. What it does not
// say: where variables without braces end, and that one that begins with anything else than
// the above has no value, and is no error.
func Parse(text string) (*Expression, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("selection expression %.40q…: longer than %d bytes", text, maxExpression)
	}
	e := &Expression{text: text}
	if text == defaultKey {
		e.pieces = []piece{{text: text}}
		return e, nil
	}
	bad := func(offset int, reason any) (*Expression, error) {
		return nil, fmt.Errorf("selection expression %.200q: offset %d: %v", text, offset, reason)
	}
	var literal strings.Builder
	for i := 0; i < len(text); {
		rest := text[i:]
		var from, to, size int // the variable in rest, and how much of rest it takes with its braces
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal.WriteByte('$')
			i += 2
			continue
		case strings.HasPrefix(rest, "${"):
			from = 2
			if to = braced(rest); to < 0 {
				return bad(i+1, `unclosed "{"`)
			}
			size = to + 1
		case rest[0] == '$' && len(rest) > 1 && letter(rest[1]):
			from, to = 1, unbraced(rest)
			size = to
		default:
			literal.WriteByte(rest[0])
			i++
			continue
		}
		p, err := parseVariable(rest[from:to])
		if err != nil {
			return bad(i+from, err)
		}
		e.addText(&literal)
		e.pieces = append(e.pieces, p)
		if p.kind == requestBody {
			e.bodies++
		}
		i += size
	}
	e.addText(&literal)
	return e, nil
}

func (e *Expression) addText(b *strings.Builder) {
	if b.Len() > 0 {
		e.pieces = append(e.pieces, piece{text: b.String()})
		b.Reset()
	}
}

// braced returns where the brace is that closes the one at 1, or -1. If there is none
// outside of what else is open, it is the first one.
func braced(s string) int {
	if end := closing(s, 1); end >= 0 {
		return end
	}
	return strings.IndexByte(s, '}')
}

// unbraced returns where the variable ends whose dollar sign is at 0.
func unbraced(s string) int {
	end := 1
	for end < len(s) {
		if s[end] == '[' {
			close := closing(s, end)
			if close < 0 {
				break
			}
			end = close + 1
			continue
		}
		if c := s[end]; !letter(c) && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			break
		}
		end++
	}
	for s[end-1] == '.' || s[end-1] == '-' {
		end--
	}
	return end
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// closing returns where the brace or bracket at a place is closed, or -1. Those that are
// opened inside have to be closed first. Quotes are quotes in brackets and parentheses
// only, elsewhere they belong to names, and so do slashes but for those that patterns of
// filters begin with.
func closing(s string, at int) int {
	var open []byte // what has to come
	before := byte(0)
	for i := at; i < len(s); i++ {
		c := s[i]
		switch {
		case len(open) > 0 && c == open[len(open)-1]:
			if open = open[:len(open)-1]; len(open) == 0 {
				return i
			}
		case c == '[':
			open = append(open, ']')
		case c == '(':
			open = append(open, ')')
		case c == '{' && (i == at || len(open) > 1):
			open = append(open, '}')
		case len(open) == 1 && open[0] == '}':
		case c == '\'' || c == '"' || c == '/' && strings.IndexByte("~(&|!", before) >= 0:
			end := quoted(s, i)
			if end < 0 {
				return -1
			}
			i = end
		}
		if c != ' ' {
			before = c
		}
	}
	return -1
}

// quoted returns where the quote at a place comes again without a backslash, or -1.
func quoted(s string, at int) int {
	for i := at + 1; i < len(s); i++ {
		switch s[i] {
		case s[at]:
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// parseVariable returns the piece for what stands behind a dollar sign.
func parseVariable(text string) (piece, error) {
	if text == "" {
		return piece{}, fmt.Errorf("want a variable")
	}
	if path, ok := strings.CutPrefix(text, "request.body"); ok && isPath(path) {
		return parseBody(requestBody, path)
	}
	if answer, ok := strings.CutPrefix(strings.TrimPrefix(text, "integration."), "response."); ok {
		if path, ok := strings.CutPrefix(answer, "body"); ok && isPath(path) {
			return parseBody(responseBody, path)
		}
		if answer == "statuscode" {
			return piece{kind: responseStatus}, nil
		}
		if name, ok := strings.CutPrefix(answer, "header."); ok {
			return piece{kind: responseHeader, text: name}, nil
		}
		if name, ok := strings.CutPrefix(answer, "multivalueheader."); ok {
			return piece{kind: responseHeaders, text: name}, nil
		}
	}
	if name, ok := strings.CutPrefix(text, "request.header."); ok {
		return piece{kind: requestHeader, text: name}, nil
	}
	if name, ok := strings.CutPrefix(text, "context."); ok {
		return piece{kind: contextVariable, text: name}, nil
	}
	if name, ok := strings.CutPrefix(text, "stageVariables."); ok {
		return piece{kind: stageVariable, text: name}, nil
	}
	return piece{kind: unknown, text: text}, nil
}

// isPath reports whether text behind a body is a path, or nothing.
func isPath(text string) bool { return text == "" || text[0] == '.' || text[0] == '[' }

func parseBody(kind pieceKind, path string) (piece, error) {
	p := piece{kind: kind, text: path}
	if path == "" {
		return p, nil
	}
	var err error
	if p.query, err = jsonpath.ParseQuery("$" + path); err != nil {
		return piece{}, err
	}
	// The two dialects differ in what a backslash says, and in blanks behind a name.
	if !strings.ContainsAny(path, "\\ \t\r\n") {
		p.path, err = jsonpath.Parse(path)
		p.scans = err == nil
	}
	return p, nil
}
