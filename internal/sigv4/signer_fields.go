package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// An Outgoing is a request to be sent, described piece by piece.
type Outgoing struct {
	// Host is what the field Host will say, Target the escaped path with the query.
	Method, Host, Target string
	Body                 []byte
}

// A Field is one header field.
type Field struct{ Name, Value string }

// SignFields appends to a list of fields those of a request, and then those that sign it:
// X-Amz-Date, X-Amz-Security-Token if there is a session token, X-Amz-Content-Sha256 if the
// path is encoded once, and Authorization. Fields of these names are not taken over. The
// signature covers the host, the content type and the fields x-amz-*; other fields may be
// added behind. A "+" in the query counts as a space. The error is an *Error if the query
// has an invalid escape; then nothing was appended.
//
// It makes what Sign makes, in less time: nothing is allocated but the texts of the fields.
func SignFields[F ~struct{ Name, Value string }](s *Signer, to []F, r *Outgoing, header []F) ([]F, error) {
	var room [24]Field
	start := len(to)
	covered := append(room[:0], Field{"host", r.Host})
	for i := range header {
		f := Field(header[i])
		if isAdded(f.Name) {
			continue
		}
		if isCovered(f.Name) {
			covered = append(covered, f)
		}
		to = append(to, F(f))
	}
	m := request{method: r.Method}
	if err := m.readTarget(r.Target); err != nil {
		return to[:start], err
	}
	var added [4]Field
	for _, f := range s.seal(added[:0], &m, covered, r.Body) {
		to = append(to, F(f))
	}
	return to, nil
}

// readTarget takes over the path and the query of a request target.
func (m *request) readTarget(target string) *Error {
	path, query, _ := strings.Cut(target, "?")
	if m.path = path; path == "" {
		m.path = "/"
	}
	if query != "" {
		m.query = make([]param, 0, strings.Count(query, "&")+1)
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok1 := canonicalComponent(name)
		value, ok2 := canonicalComponent(value)
		if !ok1 || !ok2 {
			return incomplete("The query parameter %q has an invalid percent escape.", pair)
		}
		m.query = append(m.query, param{name, value})
	}
	return nil
}

// seal appends the fields that sign a request whose body is body. covered are those that
// the signature covers, the host included. Their names may have any case.
func (s *Signer) seal(to []Field, m *request, covered []Field, body []byte) []Field {
	stamp := s.stamp()
	start := len(to)
	to = append(to, Field{"X-Amz-Date", stamp})
	if s.Credential.SessionToken != "" {
		to = append(to, Field{"X-Amz-Security-Token", s.Credential.SessionToken})
	}
	var hash [2 * sha256.Size]byte
	sum := sha256.Sum256(body)
	hex.Encode(hash[:], sum[:])
	if s.EncodeOnce {
		to = append(to, Field{"X-Amz-Content-Sha256", string(hash[:])})
	}
	covered = append(covered, to[start:]...)
	slices.SortStableFunc(covered, func(f, g Field) int { return compareFold(f.Name, g.Name) })

	var room [4 << 10]byte
	canonical, names := s.appendCovered(room[:0], m, covered, hash[:])
	scope := scope{stamp[:len(dateFormat)], s.Region, s.Service}
	var more [512]byte
	text := appendStringToSign(more[:0], stamp, scope, canonical)
	sum = s.Keys.get(s.Credential.SecretAccessKey, scope).sum(text)

	text = append(text[:0], algorithm+" Credential="...)
	text = append(text, s.Credential.AccessKeyID...)
	text = append(text, '/')
	text = scope.append(text)
	text = append(text, ", SignedHeaders="...)
	text = append(text, names...)
	text = append(text, ", Signature="...)
	text = hex.AppendEncode(text, sum[:])
	return append(to, Field{"Authorization", string(text)})
}

// appendCovered appends the canonical request, which appendCanonical describes, and returns
// the names of the signed fields in it.
func (s *Signer) appendCovered(b []byte, m *request, covered []Field, payloadHash []byte) (canonical, names []byte) {
	b = append(b, m.method...)
	b = append(b, '\n')
	if s.EncodeOnce {
		b = append(b, m.path...)
	} else {
		b = appendEncoded(b, m.path, true)
	}
	b = append(b, '\n')
	if len(m.query) > 0 {
		b = m.appendQuery(b)
	}
	for i := range covered {
		if f := &covered[i]; i > 0 && compareFold(covered[i-1].Name, f.Name) == 0 {
			b = append(b, ',')
		} else {
			b = append(b, '\n')
			b = appendLower(b, f.Name)
			b = append(b, ':')
		}
		b = appendTrimmed(b, covered[i].Value)
	}
	b = append(b, "\n\n"...)
	start := len(b)
	for i := range covered {
		if i > 0 && compareFold(covered[i-1].Name, covered[i].Name) == 0 {
			continue
		}
		if i > 0 {
			b = append(b, ';')
		}
		b = appendLower(b, covered[i].Name)
	}
	names = b[start:len(b):len(b)]
	b = append(b, '\n')
	return append(b, payloadHash...), names
}

// stamp returns the time in the form of X-Amz-Date.
func (s *Signer) stamp() string {
	t := s.time()
	if s.Keys == nil {
		return t.Format(timeFormat)
	}
	return s.Keys.stamp(t)
}

// stamp returns a time in the form of X-Amz-Date, which is the same text for a second.
func (k *Keys) stamp(t time.Time) string {
	second := t.Unix()
	if last := k.last.Load(); last != nil && last.second == second {
		return last.text
	}
	now := &stamp{second, t.Format(timeFormat)}
	k.last.Store(now)
	return now.text
}

// isAdded reports whether a field is one that SignFields writes.
func isAdded(name string) bool {
	switch len(name) {
	case len("X-Amz-Date"):
		return strings.EqualFold(name, "X-Amz-Date")
	case len("Authorization"):
		return strings.EqualFold(name, "Authorization")
	case len("X-Amz-Security-Token"): // as long as X-Amz-Content-Sha256
		return strings.EqualFold(name, "X-Amz-Security-Token") || strings.EqualFold(name, "X-Amz-Content-Sha256")
	}
	return false
}

// isCovered reports whether a signature covers a field.
func isCovered(name string) bool {
	const amz = "X-Amz-"
	return len(name) == len("Content-Type") && strings.EqualFold(name, "Content-Type") ||
		len(name) >= len(amz) && strings.EqualFold(name[:len(amz)], amz)
}

// compareFold compares names as if they were in lower case.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c, d := lower(a[i]), lower(b[i]); c != d {
			return int(c) - int(d)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, lower(s[i]))
	}
	return b
}
