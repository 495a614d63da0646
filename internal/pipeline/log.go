package pipeline

import (
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
)

// maxPayloadText bounds, in bytes, what the execution log shows of a payload, a quota of the
// service.
const maxPayloadText = 1024

const redacted = "(redacted)"

// line writes a line of the execution log: what it is about, and at most 1024 bytes of text.
// Control characters become spaces, so that nobody's text makes lines of its own.
func (c *call) line(about string, text []byte) {
	if len(text) > maxPayloadText {
		text = text[:cut(text, maxPayloadText)]
	}
	b := append(append(make([]byte, 0, len(about)+len(text)), about...), text...)
	blank(b)
	c.e.Log.Line(string(b))
}

// logRequest tells of the call of a server, which proxies hand the query of a handshake.
func (c *call) logRequest(a *integration.Address, proxy bool) {
	if c.e.Log == nil {
		return
	}
	o := c.shown(a)
	if proxy && c.e.Kind == Connect {
		o.Target = c.forwardQuery(o.Target)
	}
	b := []byte("http://")
	if c.outgoing.To.TLS {
		b = []byte("https://")
	}
	b = append(b, o.Authority...)
	c.line("Endpoint request URI: ", c.appendTarget(b, o.Target))
	c.line("Endpoint request headers: ", c.appendFields(nil, c.header))
	if c.e.Data {
		c.line("Endpoint request body after transformations: ", c.body)
	}
}

// shown returns where the request goes without those values for names in the URI that may
// be credentials.
func (c *call) shown(a *integration.Address) (o integration.Outgoing) {
	for i, name := range a.Names() {
		if c.hides(name) {
			c.segments[i] = "redacted"
		}
	}
	if a.Fill(&o, c.segments, c.query) != nil { // where a port or a host must be something else
		return integration.Outgoing{Authority: redacted, Target: "/"}
	}
	return o
}

// logInvocation tells of the call of a function.
func (c *call) logInvocation(arn string) {
	if c.e.Log == nil {
		return
	}
	c.line("Endpoint request URI: ", []byte(arn))
	c.line("Endpoint request headers: ", c.appendFields(nil, c.header))
	if c.e.Data {
		c.line("Endpoint request body after transformations: ", c.body)
	}
}

// logAnswer tells of what a backend said.
func (c *call) logAnswer() {
	if c.e.Log == nil || !c.e.Data {
		return
	}
	c.line("Endpoint response headers: ", c.appendFields(nil, c.answer.header))
	c.line("Endpoint response body before transformations: ", c.answer.body)
}

// logResult tells of what the client gets.
func (c *call) logResult(text []byte) {
	if c.e.Log == nil || !c.e.Data {
		return
	}
	c.line("Response body after transformations: ", text)
}

// hides reports whether the value of a header or query parameter may be a credential.
func (c *call) hides(name string) bool { return gateway.Sensitive(name) || named(c.hidden, name) }

// appendFields appends a header as {k=v, k2=v2}, without credentials.
func (c *call) appendFields(b []byte, fields []gateway.Field) []byte {
	b = append(b, '{')
	for i := range fields {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, fields[i].Name...)
		b = append(b, '=')
		if c.hides(fields[i].Name) {
			b = append(b, redacted...)
		} else {
			b = append(b, fields[i].Value...)
		}
	}
	return append(b, '}')
}

// appendTarget appends a path and a query without credentials in it.
func (c *call) appendTarget(b []byte, target string) []byte {
	path, query, ok := strings.Cut(target, "?")
	b = append(b, path...)
	if !ok {
		return b
	}
	separator := byte('?')
	for p, rest := mapping.NextParameter(query); p.Raw != ""; p, rest = mapping.NextParameter(rest) {
		b = append(b, separator)
		separator = '&'
		if p.HasValue() && c.hides(string(p.AppendName(nil))) {
			name, _, _ := strings.Cut(p.Raw, "=")
			b = append(b, name...)
			b = append(b, '=')
			b = append(b, redacted...)
			continue
		}
		b = append(b, p.Raw...)
	}
	return b
}
