package event

import (
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
	"penstock/internal/provenance"
)

// A sight is what an event shows of a request where the request mapping of an integration
// may have changed it. The context of the request is as it came in any case. Before an
// integration is called, nothing has been changed.
type sight struct {
	fields []gateway.Field
	host   string
	query  string
	// path is decoded and the one of format 2.0, rawPath is escaped and the one of 1.0.
	path, rawPath string
	// port, if ported, takes the place of the port that the gateway knows; "" for none.
	port   string
	ported bool
}

// see returns what events show of an exchange. Where the mapping changes the header, the
// fields are in x.Buffers.Response, which is free until there is an answer.
func see(x *gateway.Exchange) sight {
	s := seeHeader(x)
	s.query, s.path, s.rawPath = x.Request.Query, x.Path, x.SentRawPath
	m := &x.Mapped
	if m.HasPath {
		s.path, s.rawPath = m.Path, string(appendPath(nil, m.Path))
	}
	if len(m.Query) > 0 {
		s.query = string(mapping.AppendQuery(nil, x))
	}
	return s
}

// seeHeader returns only the fields, the host and the port.
func seeHeader(x *gateway.Exchange) sight {
	s := sight{fields: x.Request.Header, host: x.Request.Host}
	if len(x.Mapped.Header) > 0 {
		s.change(x)
	}
	return s
}

// fieldPort is the one field that mappings may set and that the gateway writes itself in
// events.
const fieldPort = "X-Forwarded-Port"

// change applies the changes of the header.
func (s *sight) change(x *gateway.Exchange) {
	fields := x.Buffers.Response[:0]
	for i := range x.Request.Header {
		if f := &x.Request.Header[i]; !provenance.MappedAway(x, f.Name) {
			fields = append(fields, *f)
		}
	}
	for i := range x.Mapped.Header {
		switch c := &x.Mapped.Header[i]; {
		case gateway.EqualFold(c.Name, fieldPort):
			s.port, s.ported = c.Value, true
		case c.Kind == gateway.Remove:
		case gateway.EqualFold(c.Name, "Host"):
			s.host = c.Value
		default:
			fields = append(fields, gateway.Field{Name: c.Name, Value: c.Value})
		}
	}
	s.fields, x.Buffers.Response = fields, fields
}

// appendPath appends a path escaped, as it would go to a backend.
func appendPath(b []byte, path string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(path) {
		if c := path[i]; pathByte[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// pathByte holds the characters that stand for themselves in a path (RFC 3986, pchar and
// "/").
var pathByte = func() (table [256]bool) {
	for c := range 0x80 {
		table[c] = '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.ContainsRune("-._~!$&'()*+,;=:@/", rune(c))
	}
	return table
}()
