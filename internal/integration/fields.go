package integration

import (
	"net/netip"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// The fields that tell a backend who asked, and how. The gateway is their one
// writer: what a client sends under these names is taken in or dropped, never
// passed on. An alias that some backend frameworks read as the same name, such as
// X_Forwarded_For or Content_Length, is dropped.
const (
	fieldForwarded = "Forwarded"
	fieldVia       = "Via"
	fieldTrace     = "X-Amzn-Trace-Id"
	viaSelf        = "HTTP/1.1 AmazonAPIGateway"
)

// A journey is what the client's own fields say about earlier hops.
type journey struct {
	forwarded, via            string
	forFor, forHost, forProto string
}

// The fields of W3C Trace Context.
const (
	fieldParent = "traceparent"
	fieldState  = "tracestate"
)

// appendFields writes the client's end-to-end fields in their order but for those
// that the request mapping takes out, then those that it puts in, then those that
// only the gateway writes. Content-Length is the caller's.
func appendFields(b []byte, x *gateway.Exchange, local string) []byte {
	r := &x.Request
	var j journey
	var options []string
	for i := range r.Header {
		f := &r.Header[i]
		if len(f.Name) == len("Connection") && gateway.EqualFold(f.Name, "Connection") &&
			!gateway.EqualFold(f.Value, "keep-alive") && !gateway.EqualFold(f.Value, "close") {
			options = connectionOptions(r.Header)
			break
		}
	}
	for i := range r.Header {
		f := &r.Header[i]
		if j.take(f) || options != nil && contains(options, f.Name) || provenance.MappedAway(x, f.Name) || x.Trace.Parent != "" && isTraceContext(f.Name) {
			continue
		}
		b = appendField(b, f.Name, f.Value)
	}
	for i := range x.Mapped.Header {
		if c := &x.Mapped.Header[i]; c.Kind != gateway.Remove && !gateway.EqualFold(c.Name, "Host") {
			b = appendField(b, c.Name, c.Value)
		}
	}
	if x.Trace.Parent != "" {
		b = appendField(b, fieldParent, x.Trace.Parent)
		if x.Trace.State != "" {
			b = appendField(b, fieldState, x.Trace.State)
		}
	}
	b = j.appendForwarded(b, x, local)
	b = append(b, "\r\n"+fieldVia+": "...)
	if j.via != "" {
		b = append(b, j.via...)
		b = append(b, ", "...)
	}
	b = append(b, viaSelf+"\r\n"+fieldTrace+": "...)
	if known := provenance.KnownTrace(x); known != "" {
		b = append(b, known...)
	} else {
		b = provenance.AppendNewTrace(b, x)
	}
	return append(b, "\r\n"...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

func isTraceContext(name string) bool {
	return gateway.EqualFold(name, fieldParent) || gateway.EqualFold(name, fieldState)
}

// mappedHost returns the Host that the request mapping sets, or "".
func mappedHost(x *gateway.Exchange) string {
	for i := range x.Mapped.Header {
		if c := &x.Mapped.Header[i]; len(c.Name) == len("Host") && gateway.EqualFold(c.Name, "Host") {
			return c.Value
		}
	}
	return ""
}

// take reports whether a field must not be passed on, and keeps what it says. An alias
// of a name says nothing.
func (j *journey) take(f *gateway.Field) bool {
	kind, alias := provenance.Of(f.Name)
	if kind == provenance.Other || alias {
		return kind != provenance.Other
	}
	switch kind {
	case provenance.Forwarded:
		join(&j.forwarded, f.Value)
	case provenance.Via:
		join(&j.via, f.Value)
	case provenance.ForwardedFor:
		join(&j.forFor, f.Value)
	case provenance.ForwardedHost:
		join(&j.forHost, f.Value)
	case provenance.ForwardedProto:
		join(&j.forProto, f.Value)
	}
	return true
}

func join(to *string, value string) {
	if *to == "" {
		*to = value
	} else {
		*to += ", " + value
	}
}

// appendForwarded writes the Forwarded field (RFC 7239): what the client sent,
// then the hops that its X-Forwarded-* fields tell of, then this one, which does not
// name itself if local is "".
func (j *journey) appendForwarded(b []byte, x *gateway.Exchange, local string) []byte {
	b = append(b, fieldForwarded+": "...)
	if j.forwarded != "" && closed(j.forwarded) {
		b = append(b, j.forwarded...)
		b = append(b, ", "...)
	}
	if j.forFor != "" || j.forHost != "" || j.forProto != "" {
		b = j.appendFolded(b)
	}
	if local != "" {
		b = append(b, "by="...)
		b = append(b, local...)
		b = append(b, ';')
	}
	b = append(b, "for="...)
	b = appendNode(b, x.Request.Peer.Addr())
	if x.Request.Host != "" {
		b = append(b, ";host="...)
		b = appendValue(b, x.Request.Host)
	}
	if x.Request.TLS != nil {
		return append(b, ";proto=https"...)
	}
	return append(b, ";proto=http"...)
}

// closed reports whether every quoted string in a value ends. One that does not
// would swallow what is written behind it.
func closed(s string) bool {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		}
	}
	return !quoted
}

// appendFolded writes the hops of X-Forwarded-For; the first also gets the host
// and protocol, which describe the request that the first proxy received.
func (j *journey) appendFolded(b []byte) []byte {
	first := true
	for hop := range strings.SplitSeq(j.forFor, ",") {
		start := len(b)
		if hop = strings.TrimSpace(hop); hop != "" {
			b = append(b, "for="...)
			if a, err := netip.ParseAddr(hop); err == nil {
				b = appendNode(b, a)
			} else {
				b = appendValue(b, hop)
			}
		}
		if first {
			first = false
			for _, pair := range [...][2]string{{"host=", j.forHost}, {"proto=", j.forProto}} {
				v, _, _ := strings.Cut(pair[1], ",")
				if v = strings.TrimSpace(v); v != "" {
					if len(b) > start {
						b = append(b, ';')
					}
					b = append(b, pair[0]...)
					b = appendValue(b, v)
				}
			}
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
	}
	return b
}

// node writes an address as RFC 7239 has it: IPv6 in brackets and quotes.
func node(a netip.Addr) string { return string(appendNode(nil, a)) }

func appendNode(b []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return append(b, "unknown"...) // the client is not on a network
	case a.Is4():
		return a.AppendTo(b)
	}
	b = append(b, `"[`...)
	b = a.WithZone("").AppendTo(b)
	return append(b, `]"`...)
}

// appendValue writes a token, or a quoted string when the text is none.
func appendValue(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			b = append(b, '"')
			for i := range len(s) {
				if s[i] == '"' || s[i] == '\\' {
					b = append(b, '\\')
				}
				b = append(b, s[i])
			}
			return append(b, '"')
		}
	}
	return append(b, s...)
}
