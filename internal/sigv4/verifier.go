package sigv4

import (
	"crypto/hmac"
	"crypto/rand"
	"net/http"
	"strings"
	"time"
)

// Options says what a Verifier accepts.
type Options struct {
	// Service is the name that the credential scope must have, "apigateway" for the
	// control API and "execute-api" for calls to an API.
	Service string
	// Region is the region that the credential scope must have. Empty: any.
	Region string
	// EncodeOnce takes the path as it is, as S3 does. All other services encode the
	// escaped path once more.
	EncodeOnce bool
	// MaxSkew is how far the time of a signature may be away from Now. A presigned
	// request may be as old as it says itself. Default: 5 minutes.
	MaxSkew time.Duration
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Lookup returns the credential for an access key ID, and false if there is none.
	// A credential without a secret is none. It is called from many goroutines.
	Lookup func(accessKeyID string) (Credential, bool)
}

// A Verifier checks who signed a request. It may be used by many goroutines.
type Verifier struct {
	options Options
	keys    keyCache
	// nobody signs in place of callers that do not exist, so that they take as long
	// to refuse as others.
	nobody Credential
}

// NewVerifier returns a Verifier. Without a service or without Lookup it refuses
// every request.
func NewVerifier(o Options) *Verifier {
	if o.MaxSkew == 0 {
		o.MaxSkew = 5 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lookup == nil {
		o.Lookup = func(string) (Credential, bool) { return Credential{}, false }
	}
	return &Verifier{options: o, nobody: Credential{SecretAccessKey: rand.Text()}}
}

// Verify returns who signed r, whose body is body. It reads the method, the host,
// the header, and the target from r.RequestURI or, if that is empty, from r.URL;
// it does not read r.Body. The names in r.Header are in canonical form.
//
// The signature must cover the host, the date, the path, the query and the body,
// and be made for this service and time. x-amz-content-sha256 must be the hash of
// the body if it is signed; unsigned and chunked payloads are refused. The session
// token must be that of the credential.
//
// The error is an *Error. A known access key, an unknown one and a wrong secret
// take the same time.
func (v *Verifier) Verify(r *http.Request, body []byte) (Identity, error) {
	return v.VerifyHash(r, func() (string, error) { return hexHash(body), nil })
}

// VerifyHash is Verify for a body that is expensive to get at: hash reads it and
// returns its SHA-256 in lower-case hexadecimal. It is called at most once, and not
// for what is refused without it: a request without a well-formed signature for this
// service, region and time, one that lacks a header it claims to sign, and one that
// announces an unsigned payload. An error of hash is returned as it is.
//
// The body of a caller that does not exist is hashed like any other. Otherwise the
// time of an answer, and whether the body is read at all, would tell which access keys
// exist. Bounding the body is the business of hash.
func (v *Verifier) VerifyHash(r *http.Request, hash func() (string, error)) (Identity, error) {
	m, a, err := parse(r)
	if err != nil {
		return Identity{}, err
	}
	if err := v.checkScope(a); err != nil {
		return Identity{}, err
	}
	if err := v.checkTime(a); err != nil {
		return Identity{}, err
	}
	claimed, err := claimedPayload(m, a)
	if err != nil {
		return Identity{}, err
	}
	// The hash of the body is what a canonical request ends with.
	canonical, err := m.appendCanonical(make([]byte, 0, 1024), a.signedHeaders, "", v.options.EncodeOnce)
	if err != nil {
		return Identity{}, err
	}
	payloadHash, failure := hash()
	if failure != nil {
		return Identity{}, failure
	}
	if claimed != "" && claimed != payloadHash {
		return Identity{}, invalid("x-amz-content-sha256 is not the SHA-256 of the body.")
	}
	canonical = append(canonical, payloadHash...)

	credential, known := v.options.Lookup(a.accessKeyID)
	known = known && credential.SecretAccessKey != "" // anyone could sign with none
	if known {
		credential.AccessKeyID = a.accessKeyID
	} else {
		credential = v.nobody
	}
	toSign := appendStringToSign(make([]byte, 0, 256), a.time.Format(timeFormat), a.scope, canonical)
	signature := hmacSHA256(v.keys.get(credential, a.scope), toSign)
	signed := hmac.Equal(signature, a.signature[:])
	token := hmac.Equal([]byte(credential.SessionToken), []byte(a.token))
	switch {
	case !known || !token:
		return Identity{}, errUnrecognized
	case !signed:
		return Identity{}, errMismatch
	}
	return a.identity(), nil
}

// Unverified returns who a request says has signed it. It checks the form of the
// signature and nothing else: use it only where every caller is trusted.
func Unverified(r *http.Request) (Identity, error) {
	_, a, err := parse(r)
	if err != nil {
		return Identity{}, err
	}
	return a.identity(), nil
}

func parse(r *http.Request) (*request, *authorization, *Error) {
	m, err := newRequest(r)
	if err != nil {
		return nil, nil, err
	}
	a, err := parseAuthorization(m)
	return m, a, err
}

func (a *authorization) identity() Identity {
	return Identity{
		AccessKeyID: a.accessKeyID,
		Region:      a.scope.region,
		Service:     a.scope.service,
		Time:        a.time,
		Presigned:   a.presigned,
	}
}

func (v *Verifier) checkScope(a *authorization) *Error {
	if a.scope.service != v.options.Service {
		return invalid("Credential should be scoped to correct service: '%s'.", v.options.Service)
	}
	if v.options.Region != "" && a.scope.region != v.options.Region || !validRegion(a.scope.region) {
		return invalid("Credential should be scoped to a valid region, not '%s'.", a.scope.region)
	}
	if date := a.time.Format(dateFormat); a.scope.date != date {
		return invalid("Date in Credential scope does not match the date of the request: '%s' != '%s'.", a.scope.date, date)
	}
	return nil
}

// validRegion reports whether s has the form of a region name, so that it can be
// shown and put into ARNs and host names.
func validRegion(s string) bool {
	return len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
}

func (v *Verifier) checkTime(a *authorization) *Error {
	now, skew := v.options.Now().UTC(), v.options.MaxSkew
	if latest := now.Add(skew); a.time.After(latest) {
		return invalid("Signature not yet current: %s is still later than %s (%s + %.0f min.)",
			a.time.Format(timeFormat), latest.Format(timeFormat), now.Format(timeFormat), skew.Minutes())
	}
	if a.presigned {
		if end := a.time.Add(a.expires); now.After(end) {
			return invalid("Signature expired: %s is now earlier than %s", end.Format(timeFormat), now.Format(timeFormat))
		}
		return nil
	}
	if earliest := now.Add(-skew); a.time.Before(earliest) {
		return invalid("Signature expired: %s is now earlier than %s (%s - %.0f min.)",
			a.time.Format(timeFormat), earliest.Format(timeFormat), now.Format(timeFormat), skew.Minutes())
	}
	return nil
}

// claimedPayload returns what x-amz-content-sha256, if it is signed, says the hash of
// the body is. If it is not signed, it says nothing and is ignored.
func claimedPayload(m *request, a *authorization) (string, *Error) {
	if !a.signs("x-amz-content-sha256") {
		return "", nil
	}
	claimed, err := m.one("X-Amz-Content-Sha256")
	switch {
	case err != nil:
		return "", err
	case claimed == "":
		return "", invalid("The signed header 'x-amz-content-sha256' is empty or not in the request.")
	case claimed == "UNSIGNED-PAYLOAD" || strings.HasPrefix(claimed, "STREAMING-"):
		return "", invalid("x-amz-content-sha256 is %s, want the SHA-256 of the body: unsigned and chunked payloads are not accepted.", claimed)
	}
	return claimed, nil
}
