package authorizer

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/policy"
	"penstock/internal/sigv4"
)

var iamNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	iamKey    = "AKIAIOSFODNN7EXAMPLE"
	iamSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func iamSpec() CallerSpec {
	return CallerSpec{AccessKeyID: iamKey, SecretAccessKey: iamSecret, Name: "ada", ARN: "arn:aws:iam::123456789012:user/ada", UserID: "AIDAEXAMPLE", AccountID: "123456789012"}
}

func mustIAM(t testing.TB, specs ...CallerSpec) *IAM {
	t.Helper()
	c, err := NewCallers("us-east-1", specs, func() time.Time { return iamNow })
	if err != nil {
		t.Fatal(err)
	}
	return NewIAM(c)
}

// A signature says how a request is signed.
type signature struct {
	key, secret, token string
	region, service    string
	at                 time.Time
	presign            time.Duration
	body               string // what is signed, if another one is sent
	extra              [][2]string
}

// signed returns an exchange of a signed request. edit, if not nil, changes what is
// sent after it was signed.
func signed(t testing.TB, line, body string, s signature, edit func(r *http.Request)) *gateway.Exchange {
	t.Helper()
	line, header := signedHead(t, line, body, s, edit)
	return lambdaExchange(t, line, body, header...)
}

// signedHead returns the line and the header of a signed request.
func signedHead(t testing.TB, line, body string, s signature, edit func(r *http.Request)) (string, []string) {
	t.Helper()
	method, target, _ := strings.Cut(line, " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Method: method, URL: u, Host: "a1.execute-api.us-east-1.amazonaws.com", Header: http.Header{}, ContentLength: int64(len(body))}
	for _, f := range s.extra {
		r.Header[f[0]] = append(r.Header[f[0]], f[1])
	}
	at := s.at
	if at.IsZero() {
		at = iamNow
	}
	or := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	signer := &sigv4.Signer{
		Credential: sigv4.Credential{AccessKeyID: or(s.key, iamKey), SecretAccessKey: or(s.secret, iamSecret), SessionToken: s.token},
		Region:     or(s.region, "us-east-1"), Service: or(s.service, "execute-api"), Now: func() time.Time { return at },
	}
	if s.presign > 0 {
		err = signer.Presign(r, []byte(or(s.body, body)), s.presign)
	} else {
		err = signer.Sign(r, []byte(or(s.body, body)))
	}
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(r)
	}
	var header []string
	for name, values := range r.Header {
		for _, v := range values {
			header = append(header, name+": "+v)
		}
	}
	slices.Sort(header)
	target = r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	return r.Method + " " + target, header
}

func TestIAM(t *testing.T) {
	t.Parallel()
	a := mustIAM(t, iamSpec())
	for _, tt := range []struct {
		name, line, body string
		signature        signature
	}{
		{"header", "GET /prod/pets/6?b=2&a=1", "", signature{}},
		{"body", "POST /prod/pets", `{"name":"x"}`, signature{}},
		{"escaped path", "GET /prod/a%20b/%C3%BC", "", signature{}},
		{"presigned", "GET /prod/pets?x=1", "", signature{presign: time.Minute, at: iamNow.Add(-30 * time.Second)}},
		{"clock a little off", "GET /prod/", "", signature{at: iamNow.Add(-5 * time.Minute)}},
		{"hash of the body", "POST /prod/", "abc", signature{extra: [][2]string{{"X-Amz-Content-Sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}}},
		{"field twice", "GET /prod/", "", signature{extra: [][2]string{{"X-Amz-Meta", "1"}, {"X-Amz-Meta", "2"}}}},
	} {
		x := signed(t, tt.line, tt.body, tt.signature, nil)
		if got := lambdaOutcome(t, a, x); got != 200 {
			t.Errorf("%s: %d (%s)", tt.name, got, x.AuthorizerError)
			continue
		}
		if want := (gateway.IAMIdentity{AccessKeyID: iamKey, AccountID: "123456789012", CallerID: "AIDAEXAMPLE", UserARN: "arn:aws:iam::123456789012:user/ada", UserID: "AIDAEXAMPLE"}); *x.Identity.IAM != want {
			t.Errorf("%s: %+v", tt.name, x.Identity.IAM)
		}
		if body := string(x.Request.Body.Bytes); body != tt.body {
			t.Errorf("%s: afterwards the body is %q", tt.name, body)
		}
	}
	spec := iamSpec()
	spec.SessionToken = "token"
	if got := lambdaOutcome(t, mustIAM(t, spec), signed(t, "GET /prod/", "", signature{token: "token"}, nil)); got != 200 {
		t.Errorf("session token: %d", got)
	}
}

// TestSecurity40: what is not signed exactly as it was sent, for here and now, is
// refused.
func TestSecurity40(t *testing.T) {
	t.Parallel()
	a := mustIAM(t, iamSpec())
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	replace := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	for _, tt := range []struct {
		name      string
		signature signature
		edit      func(r *http.Request)
	}{
		{"unsigned", signature{}, func(r *http.Request) { r.Header = http.Header{} }},
		{"garbage", signature{}, set("Authorization", "AWS4-HMAC-SHA256 x")},
		{"bearer", signature{}, set("Authorization", "Bearer x")},
		{"wrong secret", signature{secret: "x"}, nil},
		{"unknown key", signature{key: "AKIAUNKNOWN"}, nil},
		{"field twice", signature{extra: [][2]string{{"X-Amz-Meta", "1"}}}, func(r *http.Request) { r.Header.Add("X-Amz-Meta", "2") }},
		{"date twice", signature{}, func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }},
		{"two signatures", signature{}, func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }},
		{"host not signed", signature{}, replace("SignedHeaders=host;", "SignedHeaders=")},
		{"signed field missing", signature{extra: [][2]string{{"X-Amz-Meta", "1"}}}, func(r *http.Request) { r.Header.Del("X-Amz-Meta") }},
		{"unsigned payload", signature{extra: [][2]string{{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}}}, nil},
		{"chunked payload", signature{extra: [][2]string{{"X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}}, nil},
		{"hash of another body", signature{extra: [][2]string{{"X-Amz-Content-Sha256", strings.Repeat("0", 64)}}}, nil},
		{"another body", signature{body: "other"}, nil},
		{"another method", signature{}, func(r *http.Request) { r.Method = "PUT" }},
		{"another path", signature{}, func(r *http.Request) { r.URL.Path = "/prod/other" }},
		{"another escape", signature{}, func(r *http.Request) { r.URL.RawPath = "/prod/%70ets" }},
		{"another query", signature{}, func(r *http.Request) { r.URL.RawQuery = "a=1" }},
		{"other case of the query", signature{}, func(r *http.Request) { r.URL.RawQuery = "x=A" }},
		{"too old", signature{at: iamNow.Add(-15*time.Minute - time.Second)}, nil},
		{"more than 5 minutes old", signature{at: iamNow.Add(-5*time.Minute - time.Second)}, nil},
		{"from the future", signature{at: iamNow.Add(15*time.Minute + time.Second)}, nil},
		{"another region", signature{region: "eu-west-1"}, nil},
		{"another service", signature{service: "apigateway"}, nil},
		{"asymmetric", signature{}, replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")},
		{"presigned too long ago", signature{presign: time.Minute, at: iamNow.Add(-61 * time.Second)}, nil},
		{"presigned for too long", signature{presign: 7*24*time.Hour + time.Second}, nil},
		{"presigned and signed", signature{presign: time.Minute}, set("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=x")},
		{"session token of nobody", signature{token: "token"}, nil},
	} {
		x := signed(t, "POST /prod/pets?x=a", "body", tt.signature, tt.edit)
		if got := lambdaOutcome(t, a, x); got != 403 {
			t.Errorf("%s: %d", tt.name, got)
		}
	}
	spec := iamSpec()
	spec.SessionToken = "token"
	for _, token := range []string{"", "other", "toke"} {
		if got := lambdaOutcome(t, mustIAM(t, spec), signed(t, "GET /prod/", "", signature{token: token}, nil)); got != 403 {
			t.Errorf("session token %q: %d", token, got)
		}
	}
}

// TestSecurity43: who does not exist costs the same work, so that nobody learns which
// access keys do: the body is read and hashed.
func TestSecurity43(t *testing.T) {
	t.Parallel()
	a := mustIAM(t, iamSpec())
	for _, key := range []string{iamKey, "AKIAUNKNOWN"} {
		x := signed(t, "POST /prod/pets", "the body", signature{key: key, secret: "wrong"}, nil)
		if got := lambdaOutcome(t, a, x); got != 403 || string(x.Request.Body.Bytes) != "the body" {
			t.Errorf("%s: %d, %q of the body was read", key, got, x.Request.Body.Bytes)
		}
	}
	// What needs no secret to be refused does not read the body.
	x := signed(t, "POST /prod/pets", "the body", signature{region: "eu-west-1"}, nil)
	if got := lambdaOutcome(t, a, x); got != 403 || x.Request.Body.Length != 0 {
		t.Errorf("another region: %d, %q of the body was read", got, x.Request.Body.Bytes)
	}
}

// TestNoCallers: without credentials, nothing gets through.
func TestNoCallers(t *testing.T) {
	t.Parallel()
	x := signed(t, "GET /prod/", "", signature{}, nil)
	for _, a := range []*IAM{NewIAM(nil), mustIAM(t)} {
		if got := lambdaOutcome(t, a, x); got != 403 || x.AuthorizerError != rejectedNoCallers.text {
			t.Errorf("%d %s", got, x.AuthorizerError)
		}
	}
}

// TestIAMPolicy: the policy of the caller must allow the route.
func TestIAMPolicy(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:execute-api:us-east-1:123456789012:a1/prod"
	for _, tt := range []struct {
		statement, line string
		want            int
	}{
		{`"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + arn + `/GET/pets/*"`, "GET /prod/pets/6", 200},
		{`"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + arn + `/GET/pets/*"`, "POST /prod/pets/6", 403},
		{`"Effect":"Deny","Action":"*","Resource":"*"`, "GET /prod/pets/6", 403},
		{`"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"`, "GET /prod/pets/6", 403},
		{`"Effect":"Allow","Action":"apigateway:*","Resource":"*"`, "GET /prod/pets/6", 403},
		{`"Effect":"Allow","Action":"*","Resource":"` + arn + `/GET/${aws:username}/*"`, "GET /prod/ada/6", 200},
		{`"Effect":"Allow","Action":"*","Resource":"` + arn + `/GET/${aws:username}/*"`, "GET /prod/eve/6", 403},
	} {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":{`+tt.statement+`}}`, ConditionKeys)
		if err != nil {
			t.Fatal(err)
		}
		spec := iamSpec()
		spec.Policy = d
		if got := lambdaOutcome(t, mustIAM(t, spec), signed(t, tt.line, "", signature{}, nil)); got != tt.want {
			t.Errorf("%s: %s: %d, want %d", tt.statement, tt.line, got, tt.want)
		}
	}
	spec := iamSpec()
	spec.AccountID = "999999999999"
	if x := signed(t, "GET /prod/", "", signature{}, nil); lambdaOutcome(t, mustIAM(t, spec), x) != 403 || x.AuthorizerError != rejectedOtherAccount.text {
		t.Errorf("another account: %s", x.AuthorizerError)
	}
}

// TestConditionKeys: each key that a policy may ask about has a value, and those of
// Lambda authorizers do without a caller.
func TestConditionKeys(t *testing.T) {
	t.Parallel()
	x := lambdaExchange(t, "GET /prod/", "", "User-Agent: curl/8", "Referer: https://example.com/")
	x.Start = iamNow
	a := mustIAM(t, iamSpec())
	want := map[string]string{
		"aws:CurrentTime": "2026-03-01T12:00:00Z", "aws:EpochTime": "1772366400", "aws:Referer": "https://example.com/", "aws:RequestedRegion": "us-east-1",
		"aws:SecureTransport": "false", "aws:UserAgent": "curl/8", "aws:SourceIp": "203.0.113.9",
		"aws:PrincipalAccount": "123456789012", "aws:PrincipalArn": "arn:aws:iam::123456789012:user/ada", "aws:PrincipalType": "User", "aws:userid": "AIDAEXAMPLE", "aws:username": "ada",
	}
	x.Request.Peer = netip.MustParseAddrPort("[::ffff:203.0.113.9]:1")
	if len(ConditionKeys) != len(want) {
		t.Errorf("%d keys", len(ConditionKeys))
	}
	for _, key := range ConditionKeys {
		if got := (conditionValues{x, a.callers.byKey[iamKey]}).of(strings.ToLower(key)); !slices.Equal(got, []string{want[key]}) {
			t.Errorf("%s: %q, want %q", key, got, want[key])
		}
		got := (conditionValues{x, nil}).of(strings.ToLower(key))
		if known := slices.Contains(LambdaConditionKeys, key); known != (got != nil) {
			t.Errorf("%s without a caller: %q", key, got)
		}
	}
	for arn, want := range map[string]string{
		"arn:aws:sts::1:assumed-role/r/s": "AssumedRole", "arn:aws:sts::1:federated-user/x": "FederatedUser", "arn:aws:iam::1:root": "Account", "arn:aws:iam::1:user/a": "User", "": "User",
	} {
		if got := principalType(arn); got != want {
			t.Errorf("%s: %s", arn, got)
		}
	}
}

func TestNewCallers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*CallerSpec){
		"no key": func(s *CallerSpec) { s.AccessKeyID = "" }, "no secret": func(s *CallerSpec) { s.SecretAccessKey = "" }, "no account": func(s *CallerSpec) { s.AccountID = "" },
		"twice": func(*CallerSpec) {},
	} {
		spec := iamSpec()
		change(&spec)
		if _, err := NewCallers("us-east-1", []CallerSpec{iamSpec(), spec}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewCallers("", []CallerSpec{iamSpec()}, nil); err == nil {
		t.Error("no region: no error")
	}
}

// TestLargeBody: a body that does not stay in memory is hashed and still there.
func TestLargeBody(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("0123456789abcdef", 20_000)
	x := signed(t, "POST /prod/a", body, signature{}, nil)
	if got := lambdaOutcome(t, mustIAM(t, iamSpec()), x); got != 200 || x.Request.Body.Stream == nil {
		t.Fatalf("got %d (%s)", got, x.AuthorizerError)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(x.Request.Body.Stream); err != nil || b.String() != body {
		t.Errorf("%d bytes are left of the body: %v", b.Len(), err)
	}
	x = signed(t, "POST /prod/a", body, signature{body: body[1:]}, nil)
	if got := lambdaOutcome(t, mustIAM(t, iamSpec()), x); got != 403 {
		t.Errorf("another body: %d", got)
	}
}

func BenchmarkIAM(b *testing.B) {
	a := mustIAM(b, iamSpec())
	x := signed(b, "GET /prod/pets/6?b=2&a=1", "", signature{}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Authorize(x); err != nil {
			b.Fatal(err)
		}
	}
}
