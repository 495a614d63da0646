package sigv4

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func FuzzVerify(f *testing.F) {
	const auth = algorithm + " Credential=AKIATEST/20250102/us-east-1/apigateway/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	f.Add("GET", "/v2/apis?a=1", auth+strings.Repeat("0", 64), "20250102T120000Z", "")
	f.Add("GET", "/%zz?%zz", auth, "", "x")
	f.Add("POST", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIATEST%2F20250102%2Fus-east-1%2Fapigateway%2Faws4_request&X-Amz-Date=20250102T120000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature="+strings.Repeat("0", 64), "", "", "")
	f.Add("GET", "//?&=&a", "AWS4-HMAC-SHA256 Credential=,,=", "Thu, 02 Jan 2025 12:00:00 GMT", "UNSIGNED-PAYLOAD")
	v := NewVerifier(testOptions())
	f.Fuzz(func(t *testing.T, method, target, authorization, date, hash string) {
		r := &http.Request{Method: method, Host: "localhost", RequestURI: target, Header: http.Header{
			"X-Amz-Date": {date}, "X-Amz-Content-Sha256": {hash}, "Date": {date},
		}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		identity, err := v.Verify(r, nil)
		var e *Error
		if !errors.As(err, &e) || e.Code() == "" || e.Error() == "" {
			t.Fatalf("got %+v, %v for a signature that nobody made", identity, err)
		}
	})
}

// FuzzCanonicalQuery holds the query that is signed to what url.ParseQuery reads.
func FuzzCanonicalQuery(f *testing.F) {
	for _, query := range []string{"a=1&b=2", "b&a=%2F+%2b", "a=1&a=0", "&&=&", "%zz", "ሴ=bar", "a=b=c"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		m, err := newRequest(&http.Request{RequestURI: "/?" + query})
		want, parseErr := url.ParseQuery(query)
		if err != nil {
			if parseErr == nil {
				t.Fatalf("%q: %v", query, err)
			}
			return
		}
		canonical := string(m.appendQuery(nil))
		if strings.Trim(canonical, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%=&") != "" {
			t.Fatalf("%q: got %q", query, canonical)
		}
		if parseErr != nil {
			return // a semicolon, which is an ordinary character to us
		}
		got, err2 := url.ParseQuery(canonical)
		if err2 != nil {
			t.Fatal(err2)
		}
		delete(want, "X-Amz-Signature")
		for name, values := range want {
			if len(got[name]) != len(values) {
				t.Fatalf("%q: got %q", query, canonical)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%q: got %q", query, canonical)
		}
		again, err := newRequest(&http.Request{RequestURI: "/?" + canonical})
		if err != nil || string(again.appendQuery(nil)) != canonical {
			t.Fatalf("%q: %q becomes %q", query, canonical, again.appendQuery(nil))
		}
	})
}
