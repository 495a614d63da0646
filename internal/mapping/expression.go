// Package mapping holds what parameter mappings, access logs and authorizers of HTTP
// APIs are written in: selection expressions, which name a part of an exchange.
//
//	e, err := mapping.ParseRequest("Bearer ${request.header.x-token}", scope)
//	value, found := e.Append(nil, x)
//
// Everything is compiled once, with the routes of a stage. A [Request] mapping says
// in Exchange.Mapped what changes on the way to the backend; a [Response] mapping
// changes the answer; a [Format] writes the lines of an access log.
package mapping

import (
	"fmt"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/jsonpath"
)

// A Scope is what expressions can refer to besides the exchange.
type Scope struct {
	// Vars are the path variables of the route, in path order.
	Vars []string
	// Variables are the stage variables.
	Variables map[string]string
}

// An appender appends a value to b; without the value it returns b as it was, and
// false.
type appender func(b []byte, x *gateway.Exchange) ([]byte, bool)

// An Expression is a compiled value of a parameter mapping, or an identity source. It
// never changes.
type Expression struct {
	// pieces are put together. A bare expression is one selection, whose value may be
	// missing; otherwise a missing value leaves no text.
	pieces []piece
	bare   bool
	// readsBody says that a piece looks into a body.
	readsBody bool
	// identity says that the expression is a bare selection of what is known of the
	// caller.
	identity bool
}

// A piece is text or, if value is not nil, a selection.
type piece struct {
	text  string // of a selection without its dollar sign
	value appender
}

// ParseRequest parses a value that is made of a request:
//
//	value     = "$" selection | { text | "${" [ "$" ] selection "}" }
//	selection = "request.header." name | "request.querystring." name
//	          | "request.body" [ path ] | "request.path" [ "." name ]
//	          | "context." variable | "stageVariables." name
//
// A dollar sign with none of these roots behind it is text, and so is one inside of
// other text without a brace. The path is one of package jsonpath. What is not there
// is no error: a stage variable, or a path variable of another route, has no value.
func ParseRequest(value string, scope Scope) (*Expression, error) {
	return parse(value, parser{scope, "request"})
}

// ParseResponse parses a value that is made of an answer of an integration: as
// ParseRequest has it, with response.header and response.body in place of everything
// of the request.
func ParseResponse(value string, scope Scope) (*Expression, error) {
	return parse(value, parser{scope, "response"})
}

// A parser parses selections. The root is request or response.
type parser struct {
	Scope
	root string
}

func parse(value string, p parser) (*Expression, error) {
	e := &Expression{}
	bad := func(offset int, err error) (*Expression, error) {
		return nil, fmt.Errorf("mapping %q: offset %d: %w", value, offset, err)
	}
	if selection, ok := strings.CutPrefix(value, "$"); ok && isSelection(selection) {
		e.bare = true
		e.identity = strings.HasPrefix(selection, "context.authorizer.") || strings.HasPrefix(selection, "context.identity.")
		if err := e.add(selection, p); err != nil {
			return bad(1, err)
		}
		return e, nil
	}
	for at := 0; at < len(value); {
		text, after, found := strings.Cut(value[at:], "${")
		if text != "" {
			e.pieces = append(e.pieces, piece{text: text})
		}
		if !found {
			break
		}
		at += len(text) + len("${")
		selection, _, closed := strings.Cut(after, "}")
		if !closed {
			return bad(at-1, fmt.Errorf(`unclosed "{"`))
		}
		if err := e.add(strings.TrimPrefix(selection, "$"), p); err != nil {
			return bad(at, err)
		}
		at += len(selection) + len("}")
	}
	return e, nil
}

// isSelection reports whether text behind a dollar sign is meant as a selection.
func isSelection(text string) bool {
	root, _, _ := strings.Cut(text, ".")
	return slices.Contains([]string{"request", "response", "context", "stageVariables"}, root)
}

// add adds a selection.
func (e *Expression) add(selection string, p parser) error {
	value, err := p.selection(selection)
	if err != nil {
		return err
	}
	e.readsBody = e.readsBody || strings.HasPrefix(selection, p.root+".body")
	e.pieces = append(e.pieces, piece{selection, value})
	return nil
}

// selection returns what appends the value of a selection.
func (p parser) selection(s string) (appender, error) {
	root, rest, dotted := strings.Cut(s, ".")
	switch {
	case !dotted || rest == "":
	case root == "context":
		return variable(rest)
	case root == "stageVariables":
		value, ok := p.Variables[rest]
		return text(value, ok), nil
	case root == p.root:
		place, name, dotted := strings.Cut(rest, ".")
		switch {
		case place == "header" && name != "":
			if root == "response" {
				return responseHeader(name), nil
			}
			return requestHeader(name), nil
		case strings.HasPrefix(rest, "body"):
			return p.body(rest[len("body"):])
		case root == "response":
		case place == "querystring" && name != "":
			return queryParameter(name), nil
		case place == "path" && !dotted:
			return requestPath, nil
		case place == "path" && name != "":
			return pathVariable(slices.Index(p.Vars, name)), nil
		}
	}
	return nil, fmt.Errorf("%q selects nothing", s)
}

// body returns what appends a value inside a body, or all of the body if there is no
// path.
func (p parser) body(path string) (appender, error) {
	of := func(x *gateway.Exchange) *gateway.Body { return &x.Request.Body }
	if p.root == "response" {
		of = func(x *gateway.Exchange) *gateway.Body { return &x.Response.Body }
	}
	if path == "" {
		return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
			text := of(x).Text()
			return append(b, text...), len(text) > 0
		}, nil
	}
	j, err := jsonpath.Parse(path)
	if err != nil {
		return nil, err
	}
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		body := of(x)
		text := body.Text()
		find := j.Select
		if isCut(body, len(text)) {
			find = j.SelectPrefix
		}
		value, ok := find(text)
		if !ok {
			return b, false
		}
		return jsonpath.AppendText(b, value)
	}, nil
}

// isCut reports whether a body is longer than the n bytes that can be seen.
func isCut(body *gateway.Body, n int) bool {
	if body.Stream == nil {
		return n < len(body.Bytes)
	}
	return body.Length < 0 || int64(n) < body.Length
}

// text returns an appender of a value that is known when it is compiled.
func text(value string, found bool) appender {
	return func(b []byte, _ *gateway.Exchange) ([]byte, bool) { return append(b, value...), found }
}

func requestHeader(name string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) { return appendHeader(b, x.Request.Header, name) }
}

func responseHeader(name string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) { return appendHeader(b, x.Response.Header, name) }
}

// appendHeader appends the values of a header, joined with commas.
func appendHeader(b []byte, fields []gateway.Field, name string) (out []byte, found bool) {
	for i := range fields {
		if !gateway.EqualFold(fields[i].Name, name) {
			continue
		}
		if found {
			b = append(b, ',')
		}
		b, found = append(b, fields[i].Value...), true
	}
	return b, found
}

func queryParameter(name string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		found := false
		for p, rest := NextParameter(x.Request.Query); p.Raw != ""; p, rest = NextParameter(rest) {
			if !p.Is(name) {
				continue
			}
			if found {
				b = append(b, ',')
			}
			b, found = p.AppendValue(b), true
		}
		return b, found
	}
}

func requestPath(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return append(b, x.RoutePath...), x.RoutePath != ""
}

// pathVariable returns an appender of the i-th variable; a negative one has no value.
func pathVariable(i int) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		if i < 0 || i >= x.Vars.Len() {
			return b, false
		}
		return append(b, x.Vars.At(i)...), true
	}
}

// Append appends the value of the expression. A bare selection may have none; then b
// is as it was and found is false.
func (e *Expression) Append(b []byte, x *gateway.Exchange) (out []byte, found bool) {
	if e.bare {
		return e.pieces[0].value(b, x)
	}
	for i := range e.pieces {
		if p := &e.pieces[i]; p.value == nil {
			b = append(b, p.text...)
		} else {
			b, _ = p.value(b, x)
		}
	}
	return b, true
}

// ReadsBody reports whether the value depends on a body.
func (e *Expression) ReadsBody() bool { return e.readsBody }

// String returns the expression in a form that parses as the same expression.
func (e *Expression) String() string {
	if e.bare {
		return "$" + e.pieces[0].text
	}
	var b strings.Builder
	for _, p := range e.pieces {
		if p.value == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString("${" + p.text + "}")
		}
	}
	return b.String()
}
