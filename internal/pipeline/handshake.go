package pipeline

import (
	"strconv"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
	"penstock/internal/provenance"
)

// forward puts the header of a handshake into the request, as far as the event of $connect
// shows it, but for Host: what belongs to the connection stays behind, and what tells of the
// way here is the gateway's word.
func (c *call) forward() {
	x := c.e.Exchange
	fields := x.Request.Header
	var options []string // fields that the client says belong to the connection
	for i := range fields {
		if gateway.EqualFold(fields[i].Name, "Connection") {
			for name := range strings.SplitSeq(fields[i].Value, ",") {
				options = append(options, strings.TrimSpace(name))
			}
		}
	}
	var forwardedFor strings.Builder
	for i := range fields {
		f := &fields[i]
		switch kind, alias := provenance.Of(f.Name); kind {
		case provenance.Other:
			if named(options, f.Name) {
				continue
			}
		case provenance.Forwarded, provenance.Via, provenance.ForwardedHost, provenance.ForwardedOther:
			if alias {
				continue
			}
		case provenance.ForwardedFor:
			if !alias && f.Value != "" {
				forwardedFor.WriteString(f.Value)
				forwardedFor.WriteString(", ")
			}
			continue
		default:
			continue
		}
		c.header = append(c.header, *f)
	}
	forwardedFor.WriteString(c.e.Socket.SourceIP)
	port, scheme := forwardedPort(x)
	c.header = append(c.header,
		gateway.Field{Name: "X-Forwarded-For", Value: forwardedFor.String()},
		gateway.Field{Name: "X-Forwarded-Port", Value: port},
		gateway.Field{Name: "X-Forwarded-Proto", Value: scheme})
}

func named(options []string, name string) bool {
	for _, option := range options {
		if gateway.EqualFold(option, name) {
			return true
		}
	}
	return false
}

// forwardedPort returns the port that the client asked for, as far as its Host field says
// it, or the one that belongs to the protocol, and the protocol.
func forwardedPort(x *gateway.Exchange) (port, scheme string) {
	port, scheme = "80", "http"
	if x.Request.TLS != nil {
		port, scheme = "443", "https"
	}
	host := x.Request.Host
	if n := len(gateway.Hostname(host)); n < len(host) {
		if p, err := strconv.ParseUint(host[n+1:], 10, 16); err == nil {
			port = strconv.FormatUint(p, 10)
		}
	}
	return port, scheme
}

// forwardQuery returns a target with the query of the handshake behind it, but for those
// parameters that the integration sets itself.
func (c *call) forwardQuery(target string) string {
	q, rest := mapping.NextParameter(c.e.Exchange.Request.Query)
	if q.Raw == "" {
		return target
	}
	b := append(make([]byte, 0, len(target)+len(rest)+len(q.Raw)+8), target...)
	separator := byte('?')
	if strings.IndexByte(target, '?') >= 0 {
		separator = '&'
	}
	if last := target[len(target)-1]; last == '?' || last == '&' {
		separator = 0
	}
	for ; q.Raw != ""; q, rest = mapping.NextParameter(rest) {
		if c.sets(&q) {
			continue
		}
		if separator != 0 {
			b = append(b, separator)
		}
		separator = '&'
		for i := range len(q.Raw) {
			if ch := q.Raw[i]; ch > ' ' && ch < 0x7f {
				b = append(b, ch)
			} else {
				const hex = "0123456789ABCDEF"
				b = append(b, '%', hex[ch>>4], hex[ch&15])
			}
		}
	}
	return string(b)
}

// sets reports whether the integration sets a parameter of the query.
func (c *call) sets(q *mapping.Parameter) bool {
	for i := range c.query {
		if q.Is(c.query[i].Name) {
			return true
		}
	}
	return false
}
