package gateway

import (
	"slices"
	"strings"
)

// A Domain is a custom domain name as it is served: what leads from it to stages of
// APIs.
type Domain struct {
	// Name is in lower case. "*.example.com" stands for all names with one more label.
	Name string
	// CertificateARN names the certificate.
	CertificateARN string
	// MutualTLS is nil unless clients must have a certificate.
	MutualTLS *MutualTLS
	// Rules are the routing rules, most important first; nil if the domain does not use
	// them. Mappings are the API mappings by their keys, "" for what no other takes; nil
	// if the domain does not use them.
	Rules    []RoutingRule
	Mappings map[string]APIMapping
}

// An APIMapping sends requests whose path begins with a key to a destination.
type APIMapping struct {
	Key string
	Destination
}

// A MutualTLS says by whom the certificates of clients must be signed.
type MutualTLS struct {
	TruststoreURI, TruststoreVersion string
}

// A Destination is a stage of an API, which may or may not exist.
type Destination struct{ APIID, Stage string }

// A RoutingRule sends requests that meet all its conditions to a destination.
type RoutingRule struct {
	ID       string
	Priority int
	// Headers are conditions of which each needs one of its alternatives. BasePaths is
	// one condition: the path begins with one of them. Without it, it is nil.
	Headers   [][]HeaderPattern
	BasePaths []string
	Destination
	// StripBasePath takes the base path from the path that the API sees.
	StripBasePath bool
}

// A HeaderPattern is met by a request that has a header field with a value.
type HeaderPattern struct {
	Name string
	// Text is the value, or its beginning, end or middle if AnyEnd, AnyStart or both
	// are set. Case matters.
	Text             string
	AnyStart, AnyEnd bool
}

// NewHeaderPattern returns a pattern. The first and the last character of glob may be
// "*", for any text.
func NewHeaderPattern(name, glob string) HeaderPattern {
	p := HeaderPattern{Name: name}
	glob, p.AnyStart = strings.CutPrefix(glob, "*")
	p.Text, p.AnyEnd = strings.CutSuffix(glob, "*")
	return p
}

func (p *HeaderPattern) matches(value string) bool {
	switch {
	case p.AnyStart && p.AnyEnd:
		return strings.Contains(value, p.Text)
	case p.AnyStart:
		return strings.HasSuffix(value, p.Text)
	case p.AnyEnd:
		return strings.HasPrefix(value, p.Text)
	}
	return value == p.Text
}

// met reports whether one of alternatives is met.
func met(alternatives []HeaderPattern, r *Request) bool {
	return slices.ContainsFunc(alternatives, func(p HeaderPattern) bool {
		return slices.ContainsFunc(r.Header, func(f Field) bool { return EqualFold(f.Name, p.Name) && p.matches(f.Value) })
	})
}

// matches reports whether a request meets all conditions, and which base path it has.
func (r *RoutingRule) matches(q *Request, path string) (base string, ok bool) {
	for _, alternatives := range r.Headers {
		if !met(alternatives, q) {
			return "", false
		}
	}
	if r.BasePaths == nil {
		return "", true
	}
	for _, b := range r.BasePaths {
		if len(b) >= len(base) && under(path, b) {
			base, ok = b, true
		}
	}
	return base, ok
}

// under reports whether a path begins with whole segments, without the first slash.
func under(path, base string) bool {
	path = path[1:]
	return strings.HasPrefix(path, base) && (len(path) == len(base) || path[len(base)] == '/')
}

// find returns where a request leads to. base is the part of the path that decided,
// and strip says whether the API does not see it. rule is nil if an API mapping
// decided.
func (d *Domain) find(q *Request, path string) (to Destination, rule *RoutingRule, base string, strip, ok bool) {
	for i := range d.Rules {
		r := &d.Rules[i]
		if base, ok := r.matches(q, path); ok {
			return r.Destination, r, base, r.StripBasePath, true
		}
	}
	// The longest key is the one that is tried first. A path of nothing but slashes
	// costs no more than a key may be long.
	base = path[1:]
	if len(base) > maxMappingKey {
		base = base[:max(strings.LastIndexByte(base[:maxMappingKey+1], '/'), 0)]
	}
	for {
		if m, ok := d.Mappings[base]; ok {
			return m.Destination, nil, m.Key, true, true
		}
		if base == "" {
			return Destination{}, nil, "", false, false
		}
		base = base[:max(strings.LastIndexByte(base, '/'), 0)]
	}
}

// maxMappingKey is the length of the longest key of an API mapping, a quota of the
// service.
const maxMappingKey = 300

// domains are the domain names of a snapshot: exact ones by their names, others by
// what follows "*.".
type domains struct{ exact, wildcard map[string]*Domain }

func newDomains(all []*Domain) domains {
	d := domains{map[string]*Domain{}, map[string]*Domain{}}
	for _, one := range all {
		if suffix, ok := strings.CutPrefix(one.Name, "*."); ok {
			d.wildcard[suffix] = one
		} else {
			d.exact[one.Name] = one
		}
	}
	return d
}

// Domain returns the domain that a host name belongs to, or nil. A name of its own
// comes before a wildcard. The name has no port; its case does not matter.
func (s *Snapshot) Domain(name string) *Domain {
	if len(s.domains.exact)+len(s.domains.wildcard) == 0 {
		return nil
	}
	name = strings.ToLower(name) // names in lower case are not copied
	if d := s.domains.exact[name]; d != nil {
		return d
	}
	label, suffix, _ := strings.Cut(name, ".")
	if label == "" {
		return nil
	}
	return s.domains.wildcard[suffix]
}

// Domains returns all domains, by name.
func (s *Snapshot) Domains() []*Domain {
	var all []*Domain
	for _, d := range s.domains.exact {
		all = append(all, d)
	}
	for _, d := range s.domains.wildcard {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *Domain) int { return strings.Compare(a.Name, b.Name) })
	return all
}
