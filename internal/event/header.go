package event

import (
	"strconv"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// A fate is what becomes of a header field of the client.
type fate uint8

const (
	kept    fate = iota
	dropped      // belongs to the connection, or only the gateway may write it
	cookie
)

// fateOf says what becomes of a field. The gateway is the one writer of the fields that
// tell a function how the request arrived. Those that it does not write in events, such
// as X-Forwarded-Host, are the client's and kept, but not their aliases: x_forwarded_host.
func fateOf(name string) fate {
	switch kind, alias := provenance.Of(name); kind {
	case provenance.Other:
		if len(name) == len("Cookie") && gateway.EqualFold(name, "Cookie") {
			return cookie
		}
		return kept
	case provenance.Forwarded, provenance.Via, provenance.ForwardedHost, provenance.ForwardedOther:
		if !alias {
			return kept
		}
	}
	return dropped
}

// A nameSet holds names of fields, each as one bit that it shares with a 64th of all names.
type nameSet uint64

// bitOf returns the bit of a name that is not empty, the same for any case.
func bitOf(name string) nameSet {
	return 1 << ((uint(name[0]|0x20) + 7*uint(len(name))) % 64)
}

// has reports whether the set may hold a name: it does if it was put there.
func (s nameSet) has(name string) bool { return s&bitOf(name) != 0 }

// repeated returns the names that more than one of the fields have. Nearly always there are
// none, or a few, and the others need not be compared with each other.
func repeated(fields []gateway.Field) (twice nameSet) {
	var once nameSet
	for i := range fields {
		if name := fields[i].Name; name != "" {
			bit := bitOf(name)
			twice |= once & bit
			once |= bit
		}
	}
	return twice
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
func appendHeader20(b []byte, x *gateway.Exchange, s *sight, length int64) []byte {
	fields := s.fields
	twice := repeated(fields)
	b = append(b, '{')
	for i := range fields {
		f := &fields[i]
		if f.Name == "" || fateOf(f.Name) != kept {
			continue
		}
		more := twice.has(f.Name)
		if more && repeats(fields, i) {
			continue
		}
		b = append(b, '"')
		b = appendLower(b, f.Name)
		b = append(b, `":"`...)
		b = appendEscaped(b, f.Value)
		for k := i + 1; more && k < len(fields); k++ {
			if gateway.EqualFold(fields[k].Name, f.Name) {
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
	b = AppendString(b, s.host)
	b = append(b, `,"x-amzn-trace-id":"`...)
	b = appendTrace(b, x)
	b = append(b, `","x-forwarded-for":"`...)
	b = appendForwardedFor(b, x)
	if !s.ported || s.port != "" {
		b = append(b, `","x-forwarded-port":"`...)
		b = appendPort(b, x, s)
	}
	b = append(b, `","x-forwarded-proto":"`...)
	b = append(b, scheme(x)...)
	return append(b, `"}`...)
}

// titled are the names that format 1.0 writes in one way; others stay as the client
// wrote them. Those that the gateway writes itself are in the code.
var titled = [...]string{"Authorization", "Content-Type", "Cookie", "User-Agent"}

// appendHeader10 appends the header in format 1.0, with the last value of each name or
// lists of all.
func appendHeader10(b []byte, x *gateway.Exchange, s *sight, length int64, all bool) []byte {
	fields := s.fields
	twice := repeated(fields)
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
		if fate := fateOf(f.Name); fate != kept && fate != cookie {
			continue
		}
		more := twice.has(f.Name)
		if more && repeats(fields, i) {
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
		for k := i + 1; more && k < len(fields); k++ {
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
	b = appendEscaped(b, s.host)
	b = append(b, end...)
	member(`"X-Amzn-Trace-Id`)
	b = appendTrace(b, x)
	b = append(b, end...)
	member(`"X-Forwarded-For`)
	b = appendForwardedFor(b, x)
	b = append(b, end...)
	if !s.ported || s.port != "" {
		member(`"X-Forwarded-Port`)
		b = appendPort(b, x, s)
		b = append(b, end...)
	}
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
// it, or the one that belongs to the protocol. A mapping may say something else.
func appendPort(b []byte, x *gateway.Exchange, s *sight) []byte {
	if s.ported {
		return appendEscaped(b, s.port)
	}
	host := x.Request.Host
	if n := len(hostname(host)); n < len(host) {
		if port, err := strconv.ParseUint(host[n+1:], 10, 16); err == nil {
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
	if strings.IndexByte(host, ':') < 0 { // nearly all
		return host
	}
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		return host[:i]
	}
	return host
}

// appendTrace appends the value of X-Amzn-Trace-Id.
func appendTrace(b []byte, x *gateway.Exchange) []byte {
	if known := provenance.KnownTrace(x); known != "" {
		return appendEscaped(b, known)
	}
	return provenance.AppendNewTrace(b, x)
}
