package sigv4

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestVerifyHash: the body is hashed for callers that exist and for those that do not,
// and for no request that is refused without it.
func TestVerifyHash(t *testing.T) {
	t.Parallel()
	const body = "the body"
	unknown := Credential{AccessKeyID: "AKIAUNKNOWN", SecretAccessKey: "secret"}
	wrong := Credential{AccessKeyID: testCredential.AccessKeyID, SecretAccessKey: "wrong"}
	for _, tt := range []struct {
		name       string
		credential Credential
		at         time.Time
		edit       func(r *http.Request)
		hashed     int
		ok         bool
	}{
		{"known", testCredential, testTime, nil, 1, true},
		{"unknown key", unknown, testTime, nil, 1, false},
		{"wrong secret", wrong, testTime, nil, 1, false},
		{"unsigned", testCredential, testTime, func(r *http.Request) { r.Header.Del("Authorization") }, 0, false},
		{"malformed", testCredential, testTime, func(r *http.Request) { r.Header.Set("Authorization", algorithm+" x") }, 0, false},
		{"too old", testCredential, testTime.Add(-time.Hour), nil, 0, false},
		{"another service", testCredential, testTime, func(r *http.Request) { edit(r, "/apigateway/", "/s3/") }, 0, false},
		{"a signed header is missing", testCredential, testTime, func(r *http.Request) { edit(r, "SignedHeaders=host", "SignedHeaders=a;host") }, 0, false},
		{"unsigned payload", testCredential, testTime, func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			edit(r, "SignedHeaders=host;", "SignedHeaders=host;x-amz-content-sha256;")
		}, 0, false},
	} {
		r := signAt(t, tt.credential, tt.at, "POST", "/v2/apis", body)
		if tt.edit != nil {
			tt.edit(r)
		}
		hashed := 0
		_, err := NewVerifier(testOptions()).VerifyHash(r, func() (string, error) {
			hashed++
			return hexHash([]byte(body)), nil
		})
		if hashed != tt.hashed || (err == nil) != tt.ok {
			t.Errorf("%s: hashed %d times, %v; want %d", tt.name, hashed, err, tt.hashed)
		}
	}
	failure := errors.New("the body cannot be read")
	_, err := NewVerifier(testOptions()).VerifyHash(signAt(t, testCredential, testTime, "POST", "/v2/apis", body), func() (string, error) { return "", failure })
	if err != failure {
		t.Errorf("got %v, want the error of hash", err)
	}
	// A header that is signed and empty says nothing about the body.
	r := signAt(t, testCredential, testTime, "POST", "/v2/apis", body)
	r.Header["X-Amz-Content-Sha256"] = []string{""}
	resign(t, r, testCredential, "host;x-amz-content-sha256;x-amz-date", hexHash([]byte(body)))
	if _, err := NewVerifier(testOptions()).Verify(r, []byte(body)); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("empty x-amz-content-sha256: %v", err)
	}
}
