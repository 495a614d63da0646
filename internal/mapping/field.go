package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"penstock/internal/gateway"
)

// reservedHeaders and reservedPrefixes are the headers that no mapping may touch.
// Source: developer guide, http-api-parameter-mapping. The control plane refuses them
// as well.
var (
	reservedHeaders = []string{
		"authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded", "keep-alive",
		"origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade",
		"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via",
	}
	reservedPrefixes = []string{"access-control-", "apigw-", "x-amz-", "x-amzn-"}
)

// ownHeaders and ownPrefixes are further headers that no mapping may set: they belong
// to one connection, as the reserved ones do.
var (
	ownHeaders  = []string{"expect", "http2-settings", "trailer"}
	ownPrefixes = []string{"proxy-"}
)

// checkName reports what is wrong with the name of a header that a mapping touches.
// Names that some servers read as a reserved one, with "_" for "-", are as bad.
func checkName(name string) error {
	if name == "" || strings.ContainsFunc(name, notToken) {
		return fmt.Errorf("%q is not the name of a header", name)
	}
	n := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	prefixed := func(prefix string) bool { return strings.HasPrefix(n, prefix) }
	if slices.Contains(reservedHeaders, n) || slices.ContainsFunc(reservedPrefixes, prefixed) ||
		slices.Contains(ownHeaders, n) || slices.ContainsFunc(ownPrefixes, prefixed) {
		return fmt.Errorf("the header %q is reserved", name)
	}
	return nil
}

func notToken(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// isControl reports whether a byte is a control character.
func isControl(c byte) bool { return c < ' ' || c == 0x7f }

var errControl = errors.New("a mapped header would have a control character in its value")

// checkValue reports whether bytes may be the value of a header.
func checkValue(b []byte) error {
	for _, c := range b {
		if isControl(c) && c != '\t' {
			return errControl
		}
	}
	return nil
}

var errHost = errors.New("a mapped Host is not a host")

// maxMapped bounds, in bytes, the values of a mapping together. Each of many values may
// be a body, and a backend takes no head that is nearly as long.
const maxMapped = 256 << 10

var errMapped = fmt.Errorf("the mapped values are longer than %d bytes together", maxMapped)

// checkHost reports whether bytes look like a host with or without a port.
func checkHost(b []byte) error {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("-._:[]", c) >= 0) {
			return errHost
		}
	}
	if len(b) == 0 {
		return errHost
	}
	return nil
}

// keep returns the text that has been appended to the room of m since it had n bytes.
// It lasts as long as the exchange: the room is only ever appended to before.
func keep(m *gateway.Mapped, n int) string {
	b := m.Text[n:]
	return unsafe.String(unsafe.SliceData(b), len(b))
}
