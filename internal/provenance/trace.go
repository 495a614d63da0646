package provenance

import (
	"encoding/base64"
	"strings"

	"penstock/internal/gateway"
)

const fieldTrace = "X-Amzn-Trace-Id"

// KnownTrace returns the value of X-Amzn-Trace-Id of the trace that an exchange is known
// to be part of, else the first well-formed one that the client sent, else "": then the
// value is what AppendNewTrace makes.
func KnownTrace(x *gateway.Exchange) string {
	if x.Trace.Amazon != "" {
		return x.Trace.Amazon
	}
	for i := range x.Request.Header {
		if f := &x.Request.Header[i]; gateway.EqualFold(f.Name, fieldTrace) && validTrace(f.Value) {
			return f.Value
		}
	}
	return ""
}

// AppendNewTrace appends a value of X-Amzn-Trace-Id for an exchange,
//
//	"Root=1-" 8 hex digits "-" 24 hex digits
//
// which are the second in which the request came, the eleven bytes of the request id, and
// one byte of all of them, since some sample by the last. It is the same each time, and so for all that the exchange leads to: events
// of authorizers and calls of backends. Whoever knows a request id finds its trace.
func AppendNewTrace(b []byte, x *gateway.Exchange) []byte {
	const hex = "0123456789abcdef"
	b = append(b, "Root=1-"...)
	seconds := uint32(x.Start.Unix())
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, hex[seconds>>shift&15])
	}
	b = append(b, '-')
	var id [12]byte
	var text [16]byte
	if len(x.ID) == len(text) {
		copy(text[:], x.ID)
		base64.URLEncoding.Decode(id[:], text[:])
	}
	for _, c := range id[:11] {
		id[11] ^= c
	}
	for _, c := range id {
		b = append(b, hex[c>>4], hex[c&15])
	}
	return b
}

// maxTrace is the length of the longest value that is taken from a client.
const maxTrace = 256

// validTrace accepts what a tracing client sends: printable ASCII with a root.
func validTrace(s string) bool {
	if len(s) > maxTrace || !strings.Contains(s, "Root=") {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
