package event

import (
	"encoding/base64"
	"strconv"
	"strings"

	"penstock/internal/gateway"
)

// A fate is what becomes of a header field of the client.
type fate uint8

const (
	kept    fate = iota
	dropped      // belongs to the connection, or only the gateway may write it
	cookie
	forwardedFor // goes in front of what the gateway writes
	trace
)

// fateOf says what becomes of a field. The gateway is the one writer of what tells a
// function how the request arrived. Names with an underscore that some frameworks read
// as one of these are dropped: x_forwarded_for.
func fateOf(name string) fate {
	switch name[0] | 0x20 {
	case 'c':
		switch {
		case gateway.EqualFold(name, "Cookie"):
			return cookie
		case gateway.EqualFold(name, "Connection"), same(name, "Content-Length"):
			return dropped
		}
	case 'e':
		if gateway.EqualFold(name, "Expect") {
			return dropped
		}
	case 'h':
		if gateway.EqualFold(name, "Host") || gateway.EqualFold(name, "HTTP2-Settings") {
			return dropped
		}
	case 'k':
		if same(name, "Keep-Alive") {
			return dropped
		}
	case 'p':
		if len(name) >= len("Proxy-") && same(name[:len("Proxy-")], "Proxy-") {
			return dropped
		}
	case 't':
		if gateway.EqualFold(name, "TE") || gateway.EqualFold(name, "Trailer") || same(name, "Transfer-Encoding") {
			return dropped
		}
	case 'u':
		if gateway.EqualFold(name, "Upgrade") {
			return dropped
		}
	case 'x':
		if c := lower(name[min(2, len(name)-1)]); c != 'f' && c != 'a' {
			return kept // neither forwarded nor amzn
		}
		switch {
		case gateway.EqualFold(name, "X-Forwarded-For"):
			return forwardedFor
		case gateway.EqualFold(name, "X-Amzn-Trace-Id"):
			return trace
		case len(name) >= len("X-Amzn-") && same(name[:len("X-Amzn-")], "X-Amzn-"),
			same(name, "X-Forwarded-Port"), same(name, "X-Forwarded-Proto"),
			strings.IndexByte(name, '_') >= 0 && len(name) > len("X-Forwarded-") && same(name[:len("X-Forwarded-")], "X-Forwarded-"):
			return dropped
		}
	}
	return kept
}

// same reports whether a name is a token, given with dashes, but for case and
// underscores.
func same(name, token string) bool {
	if len(name) != len(token) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if c == '_' {
			c = '-'
		}
		if c != token[i] && lower(c) != lower(token[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// repeats reports whether an earlier field has the name of the i-th.
func repeats(fields []gateway.Field, i int) bool {
	for k := range i {
		if gateway.EqualFold(fields[k].Name, fields[i].Name) {
			return true
		}
	}
	return false
}

// appendHeader20 appends the header in format 2.0: names in lower case, values of one
// name joined with commas, no cookies.
func appendHeader20(b []byte, x *gateway.Exchange, length int64) []byte {
	fields := x.Request.Header
	b = append(b, '{')
	for i := range fields {
		if f := &fields[i]; f.Name == "" || fateOf(f.Name) != kept || repeats(fields, i) {
			continue
		}
		b = append(b, '"')
		b = appendLower(b, fields[i].Name)
		b = append(b, `":"`...)
		b = appendEscaped(b, fields[i].Value)
		for k := i + 1; k < len(fields); k++ {
			if gateway.EqualFold(fields[k].Name, fields[i].Name) {
				b = append(b, ',')
				b = appendEscaped(b, fields[k].Value)
			}
		}
		b = append(b, `",`...)
	}
	if length >= 0 {
		b = append(b, `"content-length":"`...)
		b = strconv.AppendInt(b, length, 10)
		b = append(b, `",`...)
	}
	b = append(b, `"host":`...)
	b = AppendString(b, x.Request.Host)
	b = append(b, `,"x-amzn-trace-id":"`...)
	b = appendTrace(b, x)
	b = append(b, `","x-forwarded-for":"`...)
	b = appendForwardedFor(b, x)
	b = append(b, `","x-forwarded-port":"`...)
	b = appendPort(b, x)
	b = append(b, `","x-forwarded-proto":"`...)
	b = append(b, scheme(x)...)
	return append(b, `"}`...)
}

// titled are the names that format 1.0 writes in one way; others stay as the client
// wrote them. Those that the gateway writes itself are in the code.
var titled = [...]string{"Authorization", "Content-Type", "Cookie", "User-Agent"}

// appendHeader10 appends the header in format 1.0, with the last value of each name or
// lists of all.
func appendHeader10(b []byte, x *gateway.Exchange, length int64, all bool) []byte {
	fields := x.Request.Header
	open, end := `":"`, `",`
	if all {
		open, end = `":["`, `"],`
	}
	b = append(b, '{')
	for i := range fields {
		f := &fields[i]
		if f.Name == "" {
			continue
		}
		if fate := fateOf(f.Name); fate != kept && fate != cookie || repeats(fields, i) {
			continue
		}
		name := f.Name
		for _, t := range titled {
			if gateway.EqualFold(name, t) {
				name = t
			}
		}
		b = append(b, '"')
		b = appendEscaped(b, name)
		b = append(b, open...)
		last := f
		if all {
			b = appendEscaped(b, f.Value)
		}
		for k := i + 1; k < len(fields); k++ {
			if !gateway.EqualFold(fields[k].Name, f.Name) {
				continue
			}
			last = &fields[k]
			if all {
				b = append(b, `","`...)
				b = appendEscaped(b, last.Value)
			}
		}
		if !all {
			b = appendEscaped(b, last.Value)
		}
		b = append(b, end...)
	}
	member := func(name string) {
		b = append(b, name...)
		b = append(b, open...)
	}
	if length >= 0 {
		member(`"Content-Length`)
		b = strconv.AppendInt(b, length, 10)
		b = append(b, end...)
	}
	member(`"Host`)
	b = appendEscaped(b, x.Request.Host)
	b = append(b, end...)
	member(`"X-Amzn-Trace-Id`)
	b = appendTrace(b, x)
	b = append(b, end...)
	member(`"X-Forwarded-For`)
	b = appendForwardedFor(b, x)
	b = append(b, end...)
	member(`"X-Forwarded-Port`)
	b = appendPort(b, x)
	b = append(b, end...)
	member(`"X-Forwarded-Proto`)
	b = append(b, scheme(x)...)
	b = append(b, end...)
	b[len(b)-1] = '}' // the comma
	return b
}

// appendCookies appends the member cookies, if there are any: one string for each
// cookie of all Cookie fields.
func appendCookies(b []byte, fields []gateway.Field) []byte {
	first := true
	for i := range fields {
		if !gateway.EqualFold(fields[i].Name, "Cookie") {
			continue
		}
		for c := range strings.SplitSeq(fields[i].Value, ";") {
			if c = strings.Trim(c, " \t"); c == "" {
				continue
			}
			if first {
				b = append(b, `,"cookies":[`...)
				first = false
			} else {
				b = append(b, ',')
			}
			b = AppendString(b, c)
		}
	}
	if !first {
		b = append(b, ']')
	}
	return b
}

// appendForwardedFor appends the addresses that the client says it forwards for, then
// its own.
func appendForwardedFor(b []byte, x *gateway.Exchange) []byte {
	for i := range x.Request.Header {
		if f := &x.Request.Header[i]; f.Value != "" && gateway.EqualFold(f.Name, "X-Forwarded-For") {
			b = appendEscaped(b, f.Value)
			b = append(b, ", "...)
		}
	}
	if !x.Request.Peer.IsValid() {
		return append(b, "unknown"...)
	}
	return appendPeer(b, x)
}

// appendPeer appends the address of the client, nothing if it is not on a network.
func appendPeer(b []byte, x *gateway.Exchange) []byte {
	if a := x.Request.Peer.Addr(); a.IsValid() {
		return a.Unmap().WithZone("").AppendTo(b)
	}
	return b
}

// appendPort appends the port that the client asked for, as far as its Host field says
// it, or the one that belongs to the protocol.
func appendPort(b []byte, x *gateway.Exchange) []byte {
	if host := x.Request.Host; len(hostname(host)) < len(host) {
		if port, err := strconv.ParseUint(host[len(hostname(host))+1:], 10, 16); err == nil {
			return strconv.AppendUint(b, port, 10)
		}
	}
	if x.Request.TLS != nil {
		return append(b, "443"...)
	}
	return append(b, "80"...)
}

func scheme(x *gateway.Exchange) string {
	if x.Request.TLS != nil {
		return "https"
	}
	return "http"
}

// hostname returns a host without its port.
func hostname(host string) string {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// appendTrace appends the value of X-Amzn-Trace-Id: that of the exchange, else what the
// client sent, else one that is made of the request id, so that all events of an
// exchange have the same.
func appendTrace(b []byte, x *gateway.Exchange) []byte {
	if x.Trace.Amazon != "" {
		return appendEscaped(b, x.Trace.Amazon)
	}
	for i := range x.Request.Header {
		if f := &x.Request.Header[i]; gateway.EqualFold(f.Name, "X-Amzn-Trace-Id") && validTrace(f.Value) {
			return appendEscaped(b, f.Value)
		}
	}
	b = append(b, "Root=1-"...)
	seconds := uint32(x.Start.Unix())
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, hex[seconds>>shift&15])
	}
	b = append(b, '-')
	// Eleven bytes are in a request id, and twelve in a trace id.
	var id [12]byte
	var text [16]byte
	if len(x.ID) == len(text) {
		copy(text[:], x.ID)
		base64.URLEncoding.Decode(id[:], text[:])
	}
	for _, c := range id {
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// validTrace accepts what a tracing client sends: printable ASCII with a root.
func validTrace(s string) bool {
	if len(s) > 256 || !strings.Contains(s, "Root=") {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
