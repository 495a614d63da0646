package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// An Instance is one place that serves what an upstream stands for, as a Source finds it.
type Instance struct {
	// Host is a name or address without brackets.
	Host string
	Port uint16
	// TLS says that the instance is spoken to over TLS, whatever the integration says.
	TLS bool
	// Weight is the share of requests in proportion to the others; 0 is 1.
	Weight int
	// Attributes are what a Ref may ask for.
	Attributes map[string]string
}

// A Source finds the instances of one upstream.
type Source interface {
	// Run calls update with the whole list whenever it may have changed, and failed
	// whenever it could not be found out: then the list before stays. It does so until
	// ctx ends, and returns nil then, or an error that no retry mends. It calls neither at
	// the same time as the other, nor after it has returned. The list is the callee's.
	Run(ctx context.Context, update func([]Instance), failed func(error)) error
}

// A Ref is what the URI of an integration refers to: an ARN, and the attributes that
// instances must have, which is the query of the ARN of a Cloud Map service.
type Ref struct {
	ARN        string
	Attributes map[string]string
}

// maxRef is how long a reference may be, in bytes: twice what the URI of an integration
// may be, since stage variables grow it.
const maxRef = 4096

// ParseRef reads the URI of a private integration:
//
//	arn:{partition}:{service}:{region}:{account}:{resource} [ "?" name "=" value { "&" name "=" value } ]
//
// A name that occurs more than once is refused: no instance has both values.
func ParseRef(uri string) (Ref, error) {
	if len(uri) > maxRef {
		return Ref{}, fmt.Errorf("the ARN of the upstream is longer than %d bytes", maxRef)
	}
	arn, query, asked := strings.Cut(uri, "?")
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] == "" || parts[5] == "" || !visible(arn) {
		return Ref{}, fmt.Errorf("%q is not the ARN of a listener or a Cloud Map service", uri)
	}
	r := Ref{ARN: arn}
	if !asked || query == "" {
		return r, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return Ref{}, fmt.Errorf("the query of the ARN %s: %w", arn, err)
	}
	r.Attributes = make(map[string]string, len(values))
	for name, v := range values {
		switch {
		case name == "":
			return Ref{}, fmt.Errorf("the query of the ARN %s: %w", arn, errors.New("an attribute has no name"))
		case len(v) > 1:
			return Ref{}, fmt.Errorf("the query of the ARN %s: the attribute %q is there %d times", arn, name, len(v))
		}
		r.Attributes[name] = v[0]
	}
	return r, nil
}

// visible reports whether all of s is visible ASCII.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// String returns the URI of the reference, in which attributes are sorted by name, so that
// equal references have equal texts.
func (r Ref) String() string {
	if len(r.Attributes) == 0 {
		return r.ARN
	}
	names := make([]string, 0, len(r.Attributes))
	for name := range r.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(r.ARN)
	for i, name := range names {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(url.QueryEscape(name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(r.Attributes[name]))
	}
	return b.String()
}

// matches reports whether an instance has all the attributes that are asked for, with
// exactly these values.
func (r Ref) matches(i *Instance) bool {
	for name, value := range r.Attributes {
		if have, ok := i.Attributes[name]; !ok || have != value {
			return false
		}
	}
	return true
}
