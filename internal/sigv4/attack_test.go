package sigv4

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// The attacks on signatures, each by its name.
func TestAttack(t *testing.T) {
	v := NewVerifier(testOptions())
	const path = "/v2/apis/abc/stages/%24default"
	signed := func(t *testing.T) *http.Request { return signAt(t, testCredential, testTime, "GET", path, "") }

	t.Run("duplicate signed headers", func(t *testing.T) {
		r := signed(t)
		edit(r, "host;x-amz-date", "host;host;x-amz-date")
		checkRefused(t, v, r, "", IncompleteSignature, "each name once")
	})
	t.Run("second value for a signed header", func(t *testing.T) {
		r := signed(t)
		r.Header["Content-Type"] = []string{"a"}
		resign(t, r, testCredential, "content-type;host;x-amz-date", hexHash(nil))
		r.Header.Add("Content-Type", "b")
		checkRefused(t, v, r, "", InvalidSignature, mismatchText)
	})
	t.Run("two Authorization headers", func(t *testing.T) {
		r := signed(t)
		r.Header.Add("Authorization", r.Header.Get("Authorization"))
		checkRefused(t, v, r, "", IncompleteSignature, "2 Authorization headers")
	})
	t.Run("duplicate query parameters", func(t *testing.T) {
		for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token"} {
			r := presignAt(t, temporary, testTime, path, time.Hour)
			query := r.URL.Query()
			r.RequestURI += "&" + name + "=" + url.QueryEscape(query.Get(name))
			checkRefused(t, v, r, "", IncompleteSignature, "'"+name+"' 2 times")
		}
	})
	t.Run("escaped name of a duplicate query parameter", func(t *testing.T) {
		r := presignAt(t, testCredential, testTime, path, time.Hour)
		r.RequestURI += "&X-Amz-Expire%73=604800"
		checkRefused(t, v, r, "", IncompleteSignature, "'X-Amz-Expires' 2 times")
	})
	t.Run("unsigned host", func(t *testing.T) {
		r := signed(t)
		resign(t, r, testCredential, "x-amz-date", hexHash(nil))
		checkRefused(t, v, r, "", InvalidSignature, "The header 'host' must be signed.")
	})
	t.Run("other host", func(t *testing.T) {
		r := signed(t)
		r.Host = "apigateway.eu-west-1.amazonaws.com"
		checkRefused(t, v, r, "", InvalidSignature, mismatchText)
	})
	t.Run("unsigned date", func(t *testing.T) {
		r := signed(t)
		resign(t, r, testCredential, "host", hexHash(nil))
		checkRefused(t, v, r, "", InvalidSignature, "The header 'x-amz-date' must be signed.")
		date := r.Header.Get("X-Amz-Date")
		r.Header.Del("X-Amz-Date")
		r.Header.Set("Date", date)
		checkRefused(t, v, r, "", InvalidSignature, "The header 'date' must be signed.")
	})
	t.Run("unsigned payload", func(t *testing.T) {
		for _, hash := range []string{"UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"} {
			r := signed(t)
			r.Header.Set("X-Amz-Content-Sha256", hash)
			resign(t, r, testCredential, "host;x-amz-content-sha256;x-amz-date", hash)
			checkRefused(t, v, r, "", InvalidSignature, "unsigned and chunked payloads are not accepted")
			resign(t, r, testCredential, "host;x-amz-date", hash)
			checkRefused(t, v, r, "", InvalidSignature, mismatchText)
		}
	})
	t.Run("hash of another payload", func(t *testing.T) {
		r := signed(t)
		r.Header.Set("X-Amz-Content-Sha256", hexHash(nil))
		resign(t, r, testCredential, "host;x-amz-content-sha256;x-amz-date", hexHash(nil))
		checkRefused(t, v, r, "other body", InvalidSignature, "x-amz-content-sha256 is not the SHA-256 of the body.")
		r.Header.Add("X-Amz-Content-Sha256", hexHash([]byte("other body")))
		checkRefused(t, v, r, "other body", IncompleteSignature, "2 X-Amz-Content-Sha256 headers")
	})
	t.Run("double-encoded path", func(t *testing.T) {
		for _, other := range []string{"/v2/apis/abc/stages/%2524default", "/v2/apis/abc/stages/$default", "/v2/apis/abc/stages%2F%24default", "/v2//apis/abc/stages/%24default", "/v2/apis/x/../abc/stages/%24default"} {
			r := signed(t)
			r.RequestURI = other
			checkRefused(t, v, r, "", InvalidSignature, mismatchText)
		}
	})
	t.Run("decoded path", func(t *testing.T) {
		r := signed(t) // something changes the URL between the wire and us
		r.URL.Path, r.URL.RawPath = "/v2/apis/other", ""
		if !accepted(v, r, nil) {
			t.Error("the path on the wire does not count")
		}
	})
	t.Run("date skew", func(t *testing.T) {
		for _, skew := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
			if r := signAt(t, testCredential, testTime.Add(skew), "GET", path, ""); !accepted(v, r, nil) {
				t.Errorf("refused at %v", skew)
			}
		}
		r := signAt(t, testCredential, testTime.Add(-5*time.Minute-time.Second), "GET", path, "")
		checkRefused(t, v, r, "", InvalidSignature, "Signature expired: 20250102T115459Z is now earlier than 20250102T115500Z (20250102T120000Z - 5 min.)")
		r = signAt(t, testCredential, testTime.Add(5*time.Minute+time.Second), "GET", path, "")
		checkRefused(t, v, r, "", InvalidSignature, "Signature not yet current: 20250102T120501Z is still later than 20250102T120500Z (20250102T120000Z + 5 min.)")
		r = presignAt(t, testCredential, testTime.Add(16*time.Minute), path, time.Hour)
		checkRefused(t, v, r, "", InvalidSignature, "Signature not yet current")
	})
	t.Run("configured skew", func(t *testing.T) {
		o := testOptions()
		o.MaxSkew = 15 * time.Minute
		v := NewVerifier(o)
		if !accepted(v, signAt(t, testCredential, testTime.Add(-15*time.Minute), "GET", path, ""), nil) {
			t.Error("refused at 15 minutes")
		}
		r := signAt(t, testCredential, testTime.Add(-15*time.Minute-time.Second), "GET", path, "")
		checkRefused(t, v, r, "", InvalidSignature, "Signature expired")
	})
	t.Run("presigned expiry", func(t *testing.T) {
		for _, age := range []time.Duration{0, time.Hour, MaxExpires} {
			if r := presignAt(t, testCredential, testTime.Add(-age), path, MaxExpires); !accepted(v, r, nil) {
				t.Errorf("refused at the age of %v", age)
			}
		}
		r := presignAt(t, testCredential, testTime, path, MaxExpires+time.Second)
		checkRefused(t, v, r, "", IncompleteSignature, `X-Amz-Expires="604801", want 1 to 604800 seconds`)
		r = presignAt(t, testCredential, testTime.Add(-time.Hour-time.Second), path, time.Hour)
		checkRefused(t, v, r, "", InvalidSignature, "Signature expired: 20250102T115959Z is now earlier than 20250102T120000Z")
	})
	t.Run("replay", func(t *testing.T) {
		// Equal requests within the window cannot be told from a replay. Anything else
		// that a captured signature is put on is refused.
		o, now := testOptions(), testTime
		o.Now = func() time.Time { return now }
		v := NewVerifier(o)
		for what, change := range map[string]func(r *http.Request) (body string){
			"method": func(r *http.Request) string { r.Method = "DELETE"; return "" },
			"path":   func(r *http.Request) string { r.RequestURI += "x"; return "" },
			"query":  func(r *http.Request) string { r.RequestURI += "?a=1"; return "" },
			"body":   func(r *http.Request) string { return "{}" },
			"date":   func(r *http.Request) string { r.Header.Set("X-Amz-Date", "20250102T120100Z"); return "" },
		} {
			r := signed(t)
			if body := change(r); accepted(v, r, []byte(body)) {
				t.Errorf("accepted with another %s", what)
			}
		}
		now = testTime.Add(5*time.Minute + time.Second)
		checkRefused(t, v, signed(t), "", InvalidSignature, "Signature expired")
	})
	t.Run("scope of another service", func(t *testing.T) {
		r := signed(t)
		edit(r, "/apigateway/", "/execute-api/")
		checkRefused(t, v, r, "", InvalidSignature, "Credential should be scoped to correct service: 'apigateway'.")
	})
	t.Run("scope of another region", func(t *testing.T) {
		o := testOptions()
		o.Region = "eu-west-1"
		checkRefused(t, NewVerifier(o), signed(t), "", InvalidSignature, "Credential should be scoped to a valid region, not 'us-east-1'.")
		r := signed(t)
		edit(r, "/us-east-1/", "/eu-west-1/")
		checkRefused(t, NewVerifier(o), r, "", InvalidSignature, mismatchText)
	})
	t.Run("scope of another day", func(t *testing.T) {
		r := signed(t)
		edit(r, "/20250102/", "/20250101/")
		checkRefused(t, v, r, "", InvalidSignature, "Date in Credential scope does not match the date of the request: '20250101' != '20250102'.")
	})
	t.Run("scope with another end", func(t *testing.T) {
		r := signed(t)
		edit(r, "/aws4_request", "/aws4_reques")
		checkRefused(t, v, r, "", InvalidSignature, "must end in 'aws4_request', not 'aws4_reques'")
	})
	t.Run("header and query", func(t *testing.T) {
		r := presignAt(t, testCredential, testTime, path, time.Hour)
		r.Header.Set("Authorization", signed(t).Header.Get("Authorization"))
		checkRefused(t, v, r, "", IncompleteSignature, "in the Authorization header and in the query")
	})
	t.Run("signature that is nearly right", func(t *testing.T) {
		r := signed(t)
		right := r.Header.Get("Authorization")
		start := len(right) - 64
		for i := start; i < len(right); i++ {
			wrong := byte('0')
			if right[i] == wrong {
				wrong = '1'
			}
			r.Header.Set("Authorization", right[:i]+string(wrong)+right[i+1:])
			checkRefused(t, v, r, "", InvalidSignature, mismatchText)
		}
	})
	t.Run("session token", func(t *testing.T) {
		r := signAt(t, temporary, testTime, "GET", path, "")
		if !accepted(v, r, nil) {
			t.Fatal("refused")
		}
		r.Header.Set("X-Amz-Security-Token", "other")
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")
		resign(t, r, temporary, "host;x-amz-date;x-amz-security-token", hexHash(nil))
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")

		r.Header.Del("X-Amz-Security-Token")
		resign(t, r, temporary, "host;x-amz-date", hexHash(nil))
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")

		r.Header.Set("X-Amz-Security-Token", temporary.SessionToken) // added after signing, as some clients do
		if !accepted(v, r, nil) {
			t.Error("refused with an unsigned token")
		}

		r = signed(t)
		r.Header.Set("X-Amz-Security-Token", "a token for a credential that has none")
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")

		r = presignAt(t, Credential{AccessKeyID: temporary.AccessKeyID, SecretAccessKey: temporary.SecretAccessKey}, testTime, path, time.Hour)
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")
		r.Header.Set("X-Amz-Security-Token", temporary.SessionToken) // belongs into the query
		checkRefused(t, v, r, "", UnrecognizedClient, "security token")
	})
	t.Run("unknown key costs the same", func(t *testing.T) {
		o := testOptions()
		lookups := 0
		find := o.Lookup
		o.Lookup = func(id string) (Credential, bool) { lookups++; return find(id) }
		v := NewVerifier(o)
		var unknown *http.Request
		for _, id := range []string{"AKIANONE1", "AKIANONE2", "AKIANONE3"} {
			unknown = signAt(t, Credential{AccessKeyID: id, SecretAccessKey: "x"}, testTime, "GET", path, "")
			checkRefused(t, v, unknown, "", UnrecognizedClient, "security token")
		}
		// One key was derived and kept for all of them, as it is for a caller that exists.
		if len(v.keys.keys) != 1 || lookups != 3 {
			t.Errorf("%d keys after %d look-ups", len(v.keys.keys), lookups)
		}
		accepted(v, signed(t), nil)
		known := testing.AllocsPerRun(20, func() { accepted(v, unknown, nil) })
		if right := testing.AllocsPerRun(20, func() { accepted(v, signed(t), nil) }); known > right {
			t.Errorf("an unknown key makes %v allocations, a known one %v", known, right)
		}
	})
	t.Run("credential without secret", func(t *testing.T) {
		o := testOptions()
		o.Lookup = func(string) (Credential, bool) { return Credential{}, true }
		r := signAt(t, Credential{AccessKeyID: "AKIATEST"}, testTime, "GET", path, "")
		checkRefused(t, NewVerifier(o), r, "", UnrecognizedClient, "security token")
	})
	t.Run("nothing configured", func(t *testing.T) {
		checkRefused(t, NewVerifier(Options{Service: "apigateway", Now: func() time.Time { return testTime }}), signed(t), "", UnrecognizedClient, "security token")
		checkRefused(t, NewVerifier(Options{}), signed(t), "", InvalidSignature, "correct service: ''")
	})
}
