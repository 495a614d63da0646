package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/jsonpath"
	"penstock/internal/mapping"
	"penstock/internal/provenance"
	"penstock/internal/selection"
	"penstock/vtl"
)

// Parameters are what an integration puts into its requests. They never change.
type parameters struct {
	list []parameter
	kind string // the type of the integration
	err  error  // why they cannot be put there; each call fails with it
	// hidden are the names of those whose values may be credentials: of what they come from,
	// if not of what they are called. Logs do not show them.
	hidden []string
}

// A parameter is one header, query parameter or name in the URI, and where its value is.
type parameter struct {
	place place
	name  string
	source
}

type place uint8

const (
	inHeader place = iota
	inQuery
	inPath
)

// A source is where a value comes from. Without one there is no parameter.
type source struct {
	kind sourceKind
	text string // the value, or the name of a header or query parameter
	// variable is that of the context.
	variable Variable
	// expression has the text of a value in the message, and query tells whether there is
	// one; it is nil for the whole message.
	expression *selection.Expression
	query      *jsonpath.Query
}

type sourceKind uint8

const (
	nothing sourceKind = iota
	literal
	escapedLiteral // of a query
	handshakeHeader
	handshakeHeaders // all values
	handshakeQuery
	handshakeQueries
	messageBody
	contextValue
)

// compileParameters compiles the request parameters of an integration. Keys are
//
//	"integration.request." ( "header." | "querystring." | "path." ) name
//
// and values as parseSource has them.
func compileParameters(spec *Spec) parameters {
	p := parameters{kind: spec.Type}
	for _, key := range slices.Sorted(maps.Keys(spec.RequestParameters)) {
		place, name, err := parseDestination(key)
		if err == nil && place == inHeader {
			err = checkHeader(spec.Type, name)
		}
		var s source
		if err == nil {
			s, err = parseSource(spec.RequestParameters[key], spec.Variables)
		}
		if err != nil {
			p.err = ErrConfiguration.With(fmt.Errorf("request parameter %.200q: %w", key, err))
			return p
		}
		if s.kind != nothing {
			quoted := spec.RequestParameters[key][0] == '\''
			if quoted {
				s.written(place)
			}
			p.list = append(p.list, parameter{place, name, s})
			if !quoted && gateway.Sensitive(spec.RequestParameters[key]) {
				p.hidden = append(p.hidden, name)
			}
		}
	}
	return p
}

// written makes a text in quotes what it is at its place: in a URI its author may have
// escaped it, and then it is not escaped again.
func (s *source) written(where place) {
	switch where {
	case inQuery:
		s.kind, s.text = escapedLiteral, integration.EscapeValue(s.text)
	case inPath:
		if text, err := url.PathUnescape(s.text); err == nil {
			s.text = text
		}
	}
}

// parseDestination takes the key of a parameter apart.
func parseDestination(key string) (place, string, error) {
	rest, ok := strings.CutPrefix(key, "integration.request.")
	if !ok {
		return 0, "", errors.New(`want "integration.request." at the beginning`)
	}
	where, name, _ := strings.Cut(rest, ".")
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._$-", r)
	}) {
		return 0, "", fmt.Errorf("%.100q is not the name of a parameter", name)
	}
	switch where {
	case "header":
		return inHeader, name, nil
	case "querystring":
		return inQuery, name, nil
	case "path":
		return inPath, name, nil
	}
	return 0, "", errors.New("want header, querystring or path")
}

// fieldAPI tells a backend which API calls it.
const fieldAPI = "x-amzn-apigateway-api-id"

// fieldInvocation says whether somebody waits for a function.
const fieldInvocation = "X-Amz-Invocation-Type"

// checkHeader reports whether an integration may not set a header: those that belong to
// the connection or frame the request, those that only the gateway writes, and what signs
// calls of AWS. Names that servers may read as one of these are as bad.
func checkHeader(kind, name string) error {
	of, alias := provenance.Of(name)
	switch {
	case !isToken(name):
		return fmt.Errorf("%.100q is not the name of a header", name)
	case of == provenance.Hop, of == provenance.Framing, of == provenance.Trace, of == provenance.Amazon,
		alias && of != provenance.Other,
		kind == "AWS" && provenance.Same(name, "authorization"),
		kind == "AWS_PROXY" && hasPrefixFold(name, "x-amz-"):
		return fmt.Errorf("the header %s cannot be set by an integration of type %s", name, kind)
	}
	return nil
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && provenance.Same(s[:len(prefix)], prefix)
}

// isToken reports whether a text may be the name of a header.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c >= 0x80 || c|0x20 < 'a' || c|0x20 > 'z' {
			if !digit(c) && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
				return false
			}
		}
	}
	return s != ""
}

// parseSource parses the value of a parameter:
//
//	value = "'" text "'" | ( "route" | "method" ) ".request." request
//	      | "context." variable | "stageVariables." name
//	request = ( "header." | "multivalueheader." | "querystring." | "multivaluequerystring." ) name
//	        | "body" [ ( "." | "[" ) path ]
//
// A variable that nobody knows has no value, and neither has one that only access logs
// show, or a stage variable that the stage does not have.
func parseSource(value string, variables map[string]string) (source, error) {
	if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
		return source{kind: literal, text: value[1 : len(value)-1]}, nil
	}
	if name, ok := strings.CutPrefix(value, "stageVariables."); ok {
		if text, ok := variables[name]; ok {
			return source{kind: literal, text: text}, nil
		}
		return source{}, nil
	}
	if name, ok := strings.CutPrefix(value, "context."); ok {
		if v, ok := templateVariable(name); ok {
			return source{kind: contextValue, variable: v}, nil
		}
		return source{}, nil
	}
	root, request, _ := strings.Cut(value, ".request.")
	if root == "route" || root == "method" {
		if path, ok := strings.CutPrefix(request, "body"); ok && (path == "" || path[0] == '.' || path[0] == '[') {
			return parseBody(path)
		}
		where, name, _ := strings.Cut(request, ".")
		kind := map[string]sourceKind{"header": handshakeHeader, "multivalueheader": handshakeHeaders, "querystring": handshakeQuery, "multivaluequerystring": handshakeQueries}[where]
		if kind != nothing && name != "" {
			return source{kind: kind, text: name}, nil
		}
	}
	return source{}, fmt.Errorf("%.200q selects nothing", value)
}

func parseBody(path string) (s source, err error) {
	s.kind = messageBody
	if path == "" {
		return s, nil
	}
	if s.query, err = jsonpath.ParseQuery("$" + path); err != nil {
		return s, err
	}
	s.expression, err = selection.Parse("${request.body" + path + "}")
	return s, err
}

// maxMapped bounds, in bytes, the values of all parameters together: each of many may be a
// whole message.
const maxMapped = 256 << 10

var (
	errMapped  = fmt.Errorf("the values of parameters are longer than %d bytes together", maxMapped)
	errControl = errors.New("the value of a header has a control character in it")
)

// apply puts the parameters into the request.
func (p *parameters) apply(c *call) error {
	if p.err != nil {
		return p.err
	}
	c.hidden = p.hidden
	for i := range p.list {
		s := &p.list[i]
		if err := s.apply(c); err != nil {
			return ErrConfiguration.With(fmt.Errorf("request parameter %s: %w", s.name, err))
		}
	}
	return nil
}

func (p *parameter) apply(c *call) error {
	x := c.e.Exchange
	switch p.kind {
	case literal:
		return c.set(p.place, p.name, p.text, true)
	case escapedLiteral:
		c.query = setParameter(c.query, integration.Parameter{Name: p.name, Value: p.text, Escaped: true}, true)
		return nil
	case contextValue:
		var room [128]byte
		b, found := p.variable(room[:0], c.e)
		if !found {
			return nil
		}
		return c.set(p.place, p.name, string(b), true)
	case messageBody:
		return p.applyBody(c)
	}
	if c.e.Kind != Connect {
		return nil
	}
	first, last, found := true, "", false
	all := p.kind == handshakeHeaders || p.kind == handshakeQueries
	value := func(v string) (err error) {
		if last, found = v, true; all {
			err = c.set(p.place, p.name, v, first)
			first = false
		}
		return err
	}
	switch p.kind {
	case handshakeHeader, handshakeHeaders:
		for i := range x.Request.Header {
			if f := &x.Request.Header[i]; gateway.EqualFold(f.Name, p.text) {
				if err := value(f.Value); err != nil {
					return err
				}
			}
		}
	default:
		for q, rest := mapping.NextParameter(x.Request.Query); q.Raw != ""; q, rest = mapping.NextParameter(rest) {
			if q.Is(p.text) {
				if err := value(string(q.AppendValue(nil))); err != nil {
					return err
				}
			}
		}
	}
	if all || !found {
		return nil
	}
	return c.set(p.place, p.name, last, true)
}

// applyBody is apply for a value in the message. A message that is not JSON has none.
func (p *parameter) applyBody(c *call) error {
	if c.e.Kind != Message {
		return nil
	}
	m := &c.e.Message
	if p.query == nil {
		if len(m.Text) == 0 {
			return nil
		}
		return c.set(p.place, p.name, string(m.Text), true)
	}
	var room [128]byte
	b, err := p.expression.Append(room[:0], &c.values)
	switch {
	case errors.Is(err, selection.ErrNotJSON):
		return nil
	case err != nil:
		return err
	}
	if len(b) == 0 {
		// Nothing, null, and an empty string have one text.
		root, err := m.Value()
		if err != nil {
			return nil
		}
		if v, found, err := p.query.Select(root); err != nil || !found || v == nil {
			return err
		}
	}
	return c.set(p.place, p.name, string(b), true)
}

// set gives a parameter a value, in the place of those it has or behind them.
func (c *call) set(where place, name, value string, replace bool) error {
	if c.mapped += len(value); c.mapped > maxMapped {
		return errMapped
	}
	switch where {
	case inHeader:
		for i := range len(value) {
			if value[i] < ' ' && value[i] != '\t' || value[i] == 0x7f {
				return errControl
			}
		}
		if replace {
			// A server may read another name as this one, and what that says is the client's.
			c.header = slices.DeleteFunc(c.header, func(f gateway.Field) bool { return provenance.Same(f.Name, name) })
		}
		c.header = append(c.header, gateway.Field{Name: name, Value: value})
	case inQuery:
		c.query = setParameter(c.query, integration.Parameter{Name: name, Value: value}, replace)
	case inPath:
		c.path = setParameter(c.path, integration.Parameter{Name: name, Value: value}, true)
	}
	return nil
}

func setParameter(list []integration.Parameter, p integration.Parameter, replace bool) []integration.Parameter {
	if replace {
		list = slices.DeleteFunc(list, func(other integration.Parameter) bool { return other.Name == p.Name })
	}
	return append(list, p)
}

// override changes the request as a template says.
func (c *call) override(kind string) error {
	o := c.overrides.Request()
	for _, list := range [...]struct {
		place place
		all   []vtl.Override
	}{{inPath, o.Path}, {inQuery, o.Querystring}, {inHeader, o.Header}} {
		for _, v := range list.all {
			if err := c.overrideOne(kind, list.place, v); err != nil {
				return ErrConfiguration.With(fmt.Errorf("$context.requestOverride: %.100q: %w", v.Name, err))
			}
		}
	}
	return nil
}

func (c *call) overrideOne(kind string, where place, v vtl.Override) error {
	if where == inHeader {
		if err := checkHeader(kind, v.Name); err != nil {
			return err
		}
	}
	for i, value := range v.Values {
		if err := c.set(where, v.Name, value, i == 0); err != nil {
			return err
		}
	}
	return nil
}
