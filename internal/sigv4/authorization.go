package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An authorization is what a request says about its signature, well-formed but
// not yet believed.
type authorization struct {
	accessKeyID   string
	scope         scope
	signedHeaders string // names in lower case, sorted, separated by semicolons
	signature     [32]byte
	time          time.Time
	presigned     bool
	expires       time.Duration // of a presigned request
	token         string        // session token, "" for none
}

// parseAuthorization finds the signature of a request, in the Authorization
// header or in the query, never in both.
func parseAuthorization(m *request) (*authorization, *Error) {
	headers := m.header["Authorization"]
	presigned := slices.ContainsFunc(m.query, func(p param) bool {
		return p.name == "X-Amz-Algorithm" || p.name == "X-Amz-Credential" || p.name == "X-Amz-Signature"
	})
	switch {
	case len(headers) > 1:
		return nil, incomplete("The request has %d Authorization headers, want one.", len(headers))
	case len(headers) == 1 && presigned:
		return nil, incomplete("The request is signed in the Authorization header and in the query, want one of them.")
	case len(headers) == 1:
		return parseHeader(m, headers[0])
	case presigned:
		return parseQuery(m)
	default:
		return nil, errMissing
	}
}

// parseHeader parses the value of an Authorization header:
//
//	"AWS4-HMAC-SHA256" part "," part "," part
//	part = "Credential=" … | "SignedHeaders=" … | "Signature=" …      each once, in any order
func parseHeader(m *request, header string) (*authorization, *Error) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if scheme != algorithm {
		return nil, incomplete("The Authorization header must begin with %s.", algorithm)
	}
	var credential, signedHeaders, signature string
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var field *string
		switch name {
		case "Credential":
			field = &credential
		case "SignedHeaders":
			field = &signedHeaders
		case "Signature":
			field = &signature
		default:
			return nil, incomplete("The Authorization header has an unknown part %q.", name)
		}
		if *field != "" {
			return nil, incomplete("The Authorization header has '%s' twice.", name)
		}
		if value == "" {
			return nil, incomplete("The Authorization header has no value for '%s'.", name)
		}
		*field = value
	}
	for _, part := range []struct{ name, value string }{
		{"Credential", credential}, {"SignedHeaders", signedHeaders}, {"Signature", signature},
	} {
		if part.value == "" {
			return nil, incomplete("The Authorization header must have '%s'.", part.name)
		}
	}
	a := new(authorization)
	if err := a.parse(credential, signedHeaders, signature); err != nil {
		return nil, err
	}
	if err := a.readDate(m); err != nil {
		return nil, err
	}
	token, err := m.one("X-Amz-Security-Token")
	a.token = token
	return a, err
}

// readDate takes the time from X-Amz-Date or, without it, from Date. The header
// must be signed.
func (a *authorization) readDate(m *request) *Error {
	name := "X-Amz-Date"
	if len(m.header[name]) == 0 {
		name = "Date"
	}
	date, err := m.one(name)
	if err != nil {
		return err
	}
	if date == "" {
		return incomplete("The request must have an X-Amz-Date or a Date header.")
	}
	var ok bool
	if a.time, ok = parseTime(date); !ok && name == "Date" {
		var err error
		a.time, err = http.ParseTime(date)
		a.time, ok = a.time.UTC(), err == nil
	}
	if !ok {
		return incomplete("The %s header is %q, want a form like %s.", name, date, timeFormat)
	}
	if name = strings.ToLower(name); !a.signs(name) {
		return invalid("The header '%s' must be signed.", name)
	}
	return nil
}

// one returns the value of a header that may occur once, "" if it is absent.
func (m *request) one(name string) (string, *Error) {
	values := m.header[name]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", incomplete("The request has %d %s headers, want one.", len(values), name)
	}
}

// parseQuery parses the X-Amz- parameters of a presigned request.
func parseQuery(m *request) (*authorization, *Error) {
	var scheme, credential, signedHeaders, signature, date, expires, token string
	for _, part := range []struct {
		name     string
		value    *string
		optional bool
	}{
		{"X-Amz-Algorithm", &scheme, false},
		{"X-Amz-Credential", &credential, false},
		{"X-Amz-SignedHeaders", &signedHeaders, false},
		{"X-Amz-Signature", &signature, false},
		{"X-Amz-Date", &date, false},
		{"X-Amz-Expires", &expires, false},
		{"X-Amz-Security-Token", &token, true},
	} {
		value, count := m.get(part.name)
		if count > 1 {
			return nil, incomplete("The query has '%s' %d times, want once.", part.name, count)
		}
		if value == "" && !part.optional {
			return nil, incomplete("The query must have '%s'.", part.name)
		}
		*part.value = value
	}
	if scheme != algorithm {
		return nil, incomplete("The query has X-Amz-Algorithm=%q, want %s.", scheme, algorithm)
	}
	a := &authorization{presigned: true, token: token}
	if err := a.parse(credential, signedHeaders, signature); err != nil {
		return nil, err
	}
	var ok bool
	if a.time, ok = parseTime(date); !ok {
		return nil, incomplete("The query has X-Amz-Date=%q, want a form like %s.", date, timeFormat)
	}
	seconds, err := strconv.ParseUint(expires, 10, 32)
	a.expires = time.Duration(seconds) * time.Second
	if err != nil || seconds == 0 || a.expires > MaxExpires {
		return nil, incomplete("The query has X-Amz-Expires=%q, want 1 to %.0f seconds.", expires, MaxExpires.Seconds())
	}
	return a, nil
}

// parse parses what header and query have in common.
func (a *authorization) parse(credential, signedHeaders, signature string) *Error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || slices.Contains(parts, "") {
		return incomplete("The credential is %q, want <access key ID>/<date>/<region>/<service>/%s.", credential, terminator)
	}
	if parts[4] != terminator {
		return invalid("The credential must end in '%s', not '%s'.", terminator, parts[4])
	}
	a.accessKeyID = parts[0]
	a.scope = scope{date: parts[1], region: parts[2], service: parts[3]}

	last := ""
	for name := range strings.SplitSeq(signedHeaders, ";") {
		if name == "" || strings.ContainsFunc(name, notHeaderName) {
			return incomplete("The signed headers are %q, want names in lower case, separated by semicolons.", signedHeaders)
		}
		if name <= last {
			return incomplete("The signed headers are %q, want each name once, in order.", signedHeaders)
		}
		last = name
	}
	a.signedHeaders = signedHeaders
	if !a.signs("host") {
		return invalid("The header 'host' must be signed.")
	}

	n, err := hex.Decode(a.signature[:], []byte(signature[:min(len(signature), 64)]))
	if err != nil || n != 32 || len(signature) != 64 || strings.ToLower(signature) != signature {
		return incomplete("The signature must be 64 hexadecimal digits in lower case.")
	}
	return nil
}

// signs reports whether a header, given in lower case, is signed.
func (a *authorization) signs(name string) bool {
	for signed := range strings.SplitSeq(a.signedHeaders, ";") {
		if signed == name {
			return true
		}
	}
	return false
}

// notHeaderName reports whether r may not stand in the name of a header in lower
// case.
func notHeaderName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// parseTime parses the form 20060102T150405Z.
func parseTime(s string) (time.Time, bool) {
	t, err := time.Parse(timeFormat, s)
	return t, err == nil && len(s) == len(timeFormat)
}
