package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

var (
	testTime       = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)
	testCredential = Credential{AccessKeyID: "AKIATEST", SecretAccessKey: "secret"}
	temporary      = Credential{AccessKeyID: "ASIATEST", SecretAccessKey: "other", SessionToken: "token"}
)

func testOptions() Options {
	return Options{
		Service: "apigateway",
		Now:     func() time.Time { return testTime },
		Lookup: func(id string) (Credential, bool) {
			switch id {
			case testCredential.AccessKeyID:
				return testCredential, true
			case temporary.AccessKeyID:
				return temporary, true
			default:
				return Credential{}, false
			}
		},
	}
}

// signAt returns a request signed at a time, as received.
func signAt(t testing.TB, c Credential, at time.Time, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://apigateway.us-east-1.amazonaws.com"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Signer{Credential: c, Region: "us-east-1", Service: "apigateway", Now: func() time.Time { return at }}
	if err := s.Sign(r, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return transmit(t, r, []byte(body))
}

func presignAt(t testing.TB, c Credential, at time.Time, target string, expires time.Duration) *http.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "http://apigateway.us-east-1.amazonaws.com"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := Signer{Credential: c, Region: "us-east-1", Service: "apigateway", Now: func() time.Time { return at }}
	if err := s.Presign(r, nil, expires); err != nil {
		t.Fatal(err)
	}
	return transmit(t, r, nil)
}

// resign replaces the signed headers of a signed request and signs again, as
// somebody does who has the secret but not our signer.
func resign(t *testing.T, r *http.Request, c Credential, names, payloadHash string) {
	t.Helper()
	m, err := newRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = testTime.Format(timeFormat)
	}
	s := scope{date[:len(dateFormat)], "us-east-1", "apigateway"}
	canonical, err := m.appendCanonical(nil, names, payloadHash, false)
	if err != nil {
		t.Fatal(err)
	}
	signature := hmacSHA256(signingKey(c.SecretAccessKey, s), appendStringToSign(nil, date, s, canonical))
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%x", algorithm, c.AccessKeyID, s.append(nil), names, signature))
}

func checkRefused(t *testing.T, v *Verifier, r *http.Request, body, code, message string) {
	t.Helper()
	identity, err := v.Verify(r, []byte(body))
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("got %+v, %v, want %s", identity, err, code)
		return
	}
	if e.Code() != code || !strings.Contains(e.Error(), message) {
		t.Errorf("got %s: %s\nwant %s: %s", e.Code(), e, code, message)
	}
}

// setQuery changes a parameter of a received request.
func setQuery(t *testing.T, r *http.Request, name, value string) {
	t.Helper()
	path, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if value == "" {
		query.Del(name)
	} else {
		query.Set(name, value)
	}
	r.RequestURI = path + "?" + query.Encode()
}

const mismatchText = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// The canonical path of the example that breaks most servers: everything is
// escaped once more.
func TestCanonicalRequest(t *testing.T) {
	r := signAt(t, testCredential, testTime, "DELETE", "/v2/apis/abc/stages/%24default/routesettings/GET%20%2Fpets%2F%7Bid%7D?b=2&a=1&b=1", "")
	m, err := newRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.appendCanonical(nil, "host;x-amz-date", hexHash(nil), false)
	if err != nil {
		t.Fatal(err)
	}
	want := `DELETE
/v2/apis/abc/stages/%2524default/routesettings/GET%2520%252Fpets%252F%257Bid%257D
a=1&b=1&b=2
host:apigateway.us-east-1.amazonaws.com
x-amz-date:20250102T120000Z

host;x-amz-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestVerify(t *testing.T) {
	v := NewVerifier(testOptions())
	r := signAt(t, testCredential, testTime, "POST", "/v2/apis?a=b+c", `{"name":"n"}`)
	want := Identity{AccessKeyID: "AKIATEST", Region: "us-east-1", Service: "apigateway", Time: testTime}
	if got, err := v.Verify(r, []byte(`{"name":"n"}`)); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := Unverified(r); err != nil || got != want {
		t.Errorf("unverified: got %+v, %v", got, err)
	}
	want.Presigned, want.AccessKeyID = true, "ASIATEST"
	if got, err := v.Verify(presignAt(t, temporary, testTime, "/v2/apis", time.Hour), nil); err != nil || got != want {
		t.Errorf("presigned: got %+v, %v", got, err)
	}
	// A front end that is not net/http needs these fields only.
	bare := &http.Request{Method: r.Method, Host: r.Host, RequestURI: r.RequestURI, Header: r.Header}
	if !accepted(v, bare, []byte(`{"name":"n"}`)) {
		t.Error("refused without URL")
	}
}

// What clients may do differently from Signer.
func TestVerifyAccepts(t *testing.T) {
	v := NewVerifier(testOptions())
	for name, change := range map[string]func(r *http.Request){
		"Date header": func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", testTime.Format(http.TimeFormat))
			resign(t, r, testCredential, "date;host", hexHash(nil))
		},
		"Date header in the form of X-Amz-Date": func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", testTime.Format(timeFormat))
			resign(t, r, testCredential, "date;host", hexHash(nil))
		},
		"unsigned Date header": func(r *http.Request) { r.Header.Set("Date", "yesterday") },
		"signed payload hash": func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", hexHash(nil))
			resign(t, r, testCredential, "host;x-amz-content-sha256;x-amz-date", hexHash(nil))
		},
		"unsigned payload hash": func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") },
		"unsigned headers":      func(r *http.Request) { r.Header.Set("X-Amzn-Trace-Id", "Root=1") },
		"parts in another order": func(r *http.Request) {
			scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			parts := strings.Split(rest, ", ")
			r.Header.Set("Authorization", scheme+"  "+parts[2]+","+parts[0]+",\t"+parts[1]+" ")
		},
		"repeated header": func(r *http.Request) {
			r.Header["X-A"] = []string{" 1  2 ", "3"}
			resign(t, r, testCredential, "host;x-a;x-amz-date", hexHash(nil))
		},
		"signed length": func(r *http.Request) {
			r.ContentLength = 0
			resign(t, r, testCredential, "content-length;host;x-amz-date", hexHash(nil))
		},
		"empty pairs and plus in the query": func(r *http.Request) { r.RequestURI = "/v2/apis?&a=b+c&" },
		"other order in the query":          func(r *http.Request) { r.RequestURI = "/v2/apis?&a=b%20c" },
		"absolute target": func(r *http.Request) {
			r.RequestURI = "http://apigateway.us-east-1.amazonaws.com/v2/apis?a=b%20c"
		},
	} {
		r := signAt(t, testCredential, testTime, "GET", "/v2/apis?a=b%20c", "")
		change(r)
		if _, err := v.Verify(r, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	v := NewVerifier(testOptions())
	for _, tt := range []struct {
		name    string
		change  func(r *http.Request)
		code    string
		message string
	}{
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, MissingAuthenticationToken, "Missing Authentication Token"},
		{"wrong body", func(r *http.Request) { resign(t, r, testCredential, "host;x-amz-date", hexHash([]byte("x"))) }, InvalidSignature, mismatchText},
		{"wrong secret", func(r *http.Request) {
			resign(t, r, Credential{AccessKeyID: "AKIATEST", SecretAccessKey: "x"}, "host;x-amz-date", hexHash(nil))
		}, InvalidSignature, mismatchText},
		{"unknown key", func(r *http.Request) {
			resign(t, r, Credential{AccessKeyID: "AKIANONE", SecretAccessKey: "x"}, "host;x-amz-date", hexHash(nil))
		}, UnrecognizedClient, "The security token included in the request is invalid."},
		{"bearer token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, IncompleteSignature, "must begin with AWS4-HMAC-SHA256"},
		{"other algorithm", func(r *http.Request) {
			edit(r, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
		}, IncompleteSignature, "must begin with AWS4-HMAC-SHA256"},
		{"scheme only", func(r *http.Request) { r.Header.Set("Authorization", algorithm) }, IncompleteSignature, `an unknown part ""`},
		{"empty", func(r *http.Request) { r.Header.Set("Authorization", "") }, IncompleteSignature, "must begin with"},
		{"no credential", func(r *http.Request) { r.Header.Set("Authorization", algorithm+" SignedHeaders=host, Signature=00") }, IncompleteSignature, "must have 'Credential'"},
		{"no signed headers", func(r *http.Request) { r.Header.Set("Authorization", algorithm+" Credential=a, Signature=00") }, IncompleteSignature, "must have 'SignedHeaders'"},
		{"no signature part", func(r *http.Request) { r.Header.Set("Authorization", algorithm+" Credential=a, SignedHeaders=host") }, IncompleteSignature, "must have 'Signature'"},
		{"part twice", func(r *http.Request) { edit(r, "SignedHeaders=", "Credential=x, SignedHeaders=") }, IncompleteSignature, "has 'Credential' twice"},
		{"empty part", func(r *http.Request) { edit(r, "SignedHeaders=host;x-amz-date", "SignedHeaders=") }, IncompleteSignature, "no value for 'SignedHeaders'"},
		{"unknown part", func(r *http.Request) { edit(r, ", Signature=", ", X=1, Signature=") }, IncompleteSignature, `an unknown part "X"`},
		{"trailing comma", func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+",") }, IncompleteSignature, `an unknown part ""`},
		{"short credential", func(r *http.Request) { edit(r, "AKIATEST/20250102/", "AKIATEST/") }, IncompleteSignature, "The credential is"},
		{"empty access key", func(r *http.Request) { edit(r, "AKIATEST", "") }, IncompleteSignature, "The credential is"},
		{"short signature", func(r *http.Request) {
			r.Header.Set("Authorization", r.Header.Get("Authorization")[:len(r.Header.Get("Authorization"))-2])
		}, IncompleteSignature, "64 hexadecimal digits"},
		{"signature too long", func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"00") }, IncompleteSignature, "64 hexadecimal digits"},
		{"signature not hexadecimal", func(r *http.Request) {
			a := r.Header.Get("Authorization")
			r.Header.Set("Authorization", a[:len(a)-1]+"g")
		}, IncompleteSignature, "64 hexadecimal digits"},
		{"signature in upper case", func(r *http.Request) {
			a, s, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", a+"Signature="+strings.ToUpper(s))
		}, IncompleteSignature, "in lower case"},
		{"header name in upper case", func(r *http.Request) { edit(r, "host;", "Host;") }, IncompleteSignature, "names in lower case"},
		{"empty header name", func(r *http.Request) { edit(r, "host;", "host;;") }, IncompleteSignature, "names in lower case"},
		{"unsorted headers", func(r *http.Request) { edit(r, "host;x-amz-date", "x-amz-date;host") }, IncompleteSignature, "each name once, in order"},
		{"missing header", func(r *http.Request) { edit(r, "host;x-amz-date", "host;x-amz-date;x-b") }, InvalidSignature, "The signed header 'x-b' is not in the request."},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, IncompleteSignature, "must have an X-Amz-Date or a Date header"},
		{"bad date", func(r *http.Request) { r.Header.Set("X-Amz-Date", "2025-01-02T12:00:00Z") }, IncompleteSignature, "The X-Amz-Date header is"},
		{"fraction of a second", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20250102T120000.5Z") }, IncompleteSignature, "The X-Amz-Date header is"},
		{"bad Date header", func(r *http.Request) {
			r.Header.Del("X-Amz-Date")
			r.Header.Set("Date", "today")
		}, IncompleteSignature, "The Date header is"},
		{"two dates", func(r *http.Request) { r.Header.Add("X-Amz-Date", "20250102T120000Z") }, IncompleteSignature, "2 X-Amz-Date headers"},
		{"two tokens", func(r *http.Request) { r.Header["X-Amz-Security-Token"] = []string{"a", "b"} }, IncompleteSignature, "2 X-Amz-Security-Token headers"},
		{"bad query", func(r *http.Request) { r.RequestURI += "?a=%2" }, IncompleteSignature, `"a=%2" has an invalid percent escape`},
		{"no target", func(r *http.Request) { r.RequestURI, r.URL = "*", nil }, IncompleteSignature, `The request target is "*"`},
		{"bad region", func(r *http.Request) { edit(r, "us-east-1", "us_east/../1") }, IncompleteSignature, "The credential is"},
		{"region with other characters", func(r *http.Request) { edit(r, "us-east-1", "us.east.1") }, InvalidSignature, "scoped to a valid region, not 'us.east.1'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := signAt(t, testCredential, testTime, "GET", "/v2/apis", "")
			tt.change(r)
			checkRefused(t, v, r, "", tt.code, tt.message)
		})
	}
}

// edit replaces text in the Authorization header.
func edit(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

func TestVerifyRefusesPresigned(t *testing.T) {
	v := NewVerifier(testOptions())
	for _, tt := range []struct {
		name    string
		param   string
		value   string
		code    string
		message string
	}{
		{"no algorithm", "X-Amz-Algorithm", "", IncompleteSignature, "must have 'X-Amz-Algorithm'"},
		{"other algorithm", "X-Amz-Algorithm", "AWS4-HMAC-SHA1", IncompleteSignature, `X-Amz-Algorithm="AWS4-HMAC-SHA1"`},
		{"no credential", "X-Amz-Credential", "", IncompleteSignature, "must have 'X-Amz-Credential'"},
		{"bad credential", "X-Amz-Credential", "a/b", IncompleteSignature, "The credential is"},
		{"no date", "X-Amz-Date", "", IncompleteSignature, "must have 'X-Amz-Date'"},
		{"bad date", "X-Amz-Date", "now", IncompleteSignature, `X-Amz-Date="now"`},
		{"no expiry", "X-Amz-Expires", "", IncompleteSignature, "must have 'X-Amz-Expires'"},
		{"expiry 0", "X-Amz-Expires", "0", IncompleteSignature, "want 1 to 604800 seconds"},
		{"expiry below 0", "X-Amz-Expires", "-1", IncompleteSignature, "want 1 to 604800 seconds"},
		{"expiry too large for a number", "X-Amz-Expires", "99999999999999999999", IncompleteSignature, "want 1 to 604800 seconds"},
		{"longer expiry than signed", "X-Amz-Expires", "7200", InvalidSignature, mismatchText},
		{"no signed headers", "X-Amz-SignedHeaders", "", IncompleteSignature, "must have 'X-Amz-SignedHeaders'"},
		{"no signature", "X-Amz-Signature", "", IncompleteSignature, "must have 'X-Amz-Signature'"},
		{"other signature", "X-Amz-Signature", strings.Repeat("0", 64), InvalidSignature, mismatchText},
		{"other parameter", "a", "2", InvalidSignature, mismatchText},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := presignAt(t, testCredential, testTime, "/v2/apis?a=1", time.Hour)
			setQuery(t, r, tt.param, tt.value)
			checkRefused(t, v, r, "", tt.code, tt.message)
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	v := NewVerifier(testOptions())
	body := strings.Repeat("x", 300)
	for _, tt := range []struct {
		name string
		r    *http.Request
		body string
	}{
		{"header", signAt(b, testCredential, testTime, "GET", "/v2/apis/a1b2c3d4e5/stages/%24default", ""), ""},
		{"header with body", signAt(b, testCredential, testTime, "POST", "/v2/apis/a1b2c3d4e5/routes", body), body},
		{"presigned", presignAt(b, temporary, testTime, "/v2/apis/a1b2c3d4e5?a=1", time.Hour), ""},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(tt.r, []byte(tt.body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("unknown key", func(b *testing.B) {
		r := signAt(b, Credential{AccessKeyID: "AKIANONE", SecretAccessKey: "x"}, testTime, "GET", "/v2/apis/a1b2c3d4e5/stages/%24default", "")
		b.ReportAllocs()
		for b.Loop() {
			if accepted(v, r, nil) {
				b.Fatal("accepted")
			}
		}
	})
}
