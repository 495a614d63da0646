package provenance

import (
	"strings"

	"penstock/internal/gateway"
)

// MappedAway reports whether the request mapping takes out a field of the client. One
// whose name has "_" where the mapped one has "-" goes too: a backend may read it as
// the mapped one, and what that says may be who the caller is.
func MappedAway(x *gateway.Exchange, name string) bool {
	for i := range x.Mapped.Header {
		c := &x.Mapped.Header[i]
		if c.Kind == gateway.Append {
			continue
		}
		if gateway.EqualFold(c.Name, name) || Same(c.Name, name) && strings.IndexByte(name, '_') >= 0 {
			return true
		}
	}
	return false
}
