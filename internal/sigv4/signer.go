package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Signer signs requests that are to be sent.
type Signer struct {
	Credential      Credential
	Region, Service string
	// EncodeOnce signs the path as it is, as S3 wants it.
	EncodeOnce bool
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Keys keeps keys from one request to the next. Default: each request derives its own.
	Keys *Keys
}

// Sign adds X-Amz-Date, X-Amz-Security-Token if there is a session token,
// X-Amz-Content-Sha256 if the path is encoded once, and Authorization to r, whose body is
// body. The signature covers the host, the
// content type and the headers x-amz-*; none of them may change afterwards, nor
// the URL. A space in the query becomes %20. It fails if the query has an invalid
// escape.
func (s *Signer) Sign(r *http.Request, body []byte) error {
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "+", "%20")
	m, err := newRequest(r)
	if err != nil {
		return err
	}
	var room [24]Field
	covered := append(room[:0], Field{"host", m.host})
	for name, values := range r.Header {
		// What a request says itself of its body stands.
		said := !s.EncodeOnce && strings.EqualFold(name, "X-Amz-Content-Sha256")
		if isAdded(name) && !said || !isCovered(name) {
			continue
		}
		for _, value := range values {
			covered = append(covered, Field{name, value})
		}
	}
	r.Header.Del("X-Amz-Security-Token")
	if s.EncodeOnce {
		r.Header.Del("X-Amz-Content-Sha256")
	}
	var added [4]Field
	for _, f := range s.seal(added[:0], m, covered, body) {
		r.Header[f.Name] = []string{f.Value}
	}
	return nil
}

// Presign puts a signature into the query of r that is valid for a time, at most
// MaxExpires, in whole seconds. Whoever sends the request must send the headers
// that Sign would cover, but for X-Amz-Date, and the same body. The query of r
// must not be signed yet.
func (s *Signer) Presign(r *http.Request, body []byte, expires time.Duration) error {
	t := s.time()
	r.Header.Del("Authorization")
	r.Header.Del("X-Amz-Date")
	r.Header.Del("X-Amz-Security-Token")
	m, err := newRequest(r)
	if err != nil {
		return err
	}
	names := signedNames(r.Header)
	for _, p := range []param{
		{"X-Amz-Algorithm", algorithm},
		{"X-Amz-Credential", s.credential(t)},
		{"X-Amz-Date", t.Format(timeFormat)},
		{"X-Amz-Expires", strconv.FormatInt(int64(expires/time.Second), 10)},
		{"X-Amz-Security-Token", s.Credential.SessionToken},
		{"X-Amz-SignedHeaders", names},
	} {
		if p.value != "" {
			m.query = append(m.query, param{p.name, string(appendEncoded(nil, p.value, false))})
		}
	}
	signature, err := s.sign(m, t, names, body)
	if err != nil {
		return err
	}
	r.URL.RawQuery = string(m.appendQuery(nil)) + "&X-Amz-Signature=" + signature
	return nil
}

func (s *Signer) time() time.Time {
	if s.Now == nil {
		return time.Now().UTC()
	}
	return s.Now().UTC()
}

func (s *Signer) scope(t time.Time) scope {
	return scope{t.Format(dateFormat), s.Region, s.Service}
}

func (s *Signer) credential(t time.Time) string {
	return s.Credential.AccessKeyID + "/" + string(s.scope(t).append(nil))
}

// sign returns the signature in hexadecimal.
func (s *Signer) sign(m *request, t time.Time, names string, body []byte) (string, *Error) {
	canonical, err := m.appendCanonical(nil, names, hexHash(body), s.EncodeOnce)
	if err != nil {
		return "", err
	}
	sum := s.Keys.get(s.Credential.SecretAccessKey, s.scope(t)).sum(appendStringToSign(nil, t.Format(timeFormat), s.scope(t), canonical))
	return hex.EncodeToString(sum[:]), nil
}

// signedNames returns the names of the headers that Sign covers, as they stand in
// a signature.
func signedNames(header http.Header) string {
	names := []string{"host"}
	for name := range header {
		name = strings.ToLower(name)
		if name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}
