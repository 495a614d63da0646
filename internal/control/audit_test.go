package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"penstock/internal/model"
)

// audited returns a tester that writes its audit log to w.
func audited(t *testing.T, w io.Writer, options ...func(*Options)) *tester {
	t.Helper()
	return newTester(t, append([]func(*Options){func(o *Options) { o.Audit = w }}, options...)...)
}

// send sends a request as it is.
func (t *tester) send(r *http.Request) reply {
	w := httptest.NewRecorder()
	t.server.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// lines returns the lines of an audit log.
func lines(t testing.TB, log string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(log) {
		if !strings.HasSuffix(line, "\n") {
			t.Fatalf("the line has no end: %q", line)
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, m)
	}
	return all
}

// Each call has one line, whatever becomes of it, with these members and no others.
func TestAuditRecords(t *testing.T) {
	var log bytes.Buffer
	broken := false
	s := audited(t, &log, func(o *Options) {
		o.Store = brokenStore{o.Store, func() {
			if broken {
				panic("boom")
			}
		}}
		g := &gate{}
		g.may(t, anything, deny("apigateway:DELETE", "*"))
		o.Authenticator = authenticator(func(r *http.Request, _ []byte) (Principal, error) {
			switch r.Header.Get("Authorization") {
			case "":
				return Principal{}, authError{"MissingAuthenticationTokenException", "Missing Authentication Token"}
			case "forged":
				return Principal{Name: "ada", ARN: ada}, authError{"InvalidSignatureException", "The request signature we calculated does not match"}
			case "unreadable":
				return Principal{}, errors.New("the keys cannot be read")
			default:
				return Principal{Name: "ada", ARN: ada, Policy: g.Policy}, nil
			}
		})
	})
	begin := func(method, path, body string) *http.Request {
		r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/…")
		r.Header.Set("User-Agent", "test/1")
		return r
	}
	api := "/v2/apis/" + id(decodeText(s.send(begin("POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`)).body), "apiId")
	s.send(begin("POST", api+"/routes", `{"routeKey":"GET /a"}`))
	arn := arnPrefix + strings.TrimPrefix(api, "/v2")
	for _, tt := range []struct {
		name    string
		request *http.Request
		change  func(r *http.Request)
		want    string // but for time and requestId
	}{
		{"success", begin("GET", api, ""), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetApi","resource":"` + arn + `","outcome":"success","status":200}`},
		{"created", begin("POST", api+"/stages", `{"stageName":"s"}`), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"POST","operation":"CreateStage","resource":"` + arn + `/stages","outcome":"success","status":201}`},
		{"refused by what was sent", begin("POST", "/v2/apis", `{"name":""}`), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"POST","operation":"CreateApi","resource":"` + arnPrefix + `/apis","outcome":"refused","status":400,"errorType":"BadRequestException"}`},
		{"not JSON", begin("POST", "/v2/apis", `{`), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"POST","operation":"CreateApi","resource":"` + arnPrefix + `/apis","outcome":"refused","status":400,"errorType":"SerializationException"}`},
		{"not found", begin("GET", "/v2/apis/zzzzzzzzzz/routes/zzzzzzz", ""), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetRoute","resource":"` + arnPrefix + `/apis/zzzzzzzzzz/routes/zzzzzzz","outcome":"refused","status":404,"errorType":"NotFoundException"}`},
		{"conflict", begin("POST", api+"/routes", `{"routeKey":"GET /a"}`), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"POST","operation":"CreateRoute","resource":"` + arn + `/routes","outcome":"refused","status":409,"errorType":"ConflictException"}`},
		{"denied by policy", begin("DELETE", api, ""), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"DELETE","operation":"DeleteApi","resource":"` + arn + `","outcome":"denied","status":403,"errorType":"AccessDeniedException"}`},
		{"unsigned", begin("GET", api, ""), func(r *http.Request) { r.Header.Del("Authorization") },
			`{"sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetApi","outcome":"denied","status":403,"errorType":"MissingAuthenticationTokenException"}`},
		{"a bad signature names nobody", begin("GET", api, ""), func(r *http.Request) { r.Header.Set("Authorization", "forged") },
			`{"sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetApi","outcome":"denied","status":403,"errorType":"InvalidSignatureException"}`},
		{"authentication fails", begin("GET", api, ""), func(r *http.Request) { r.Header.Set("Authorization", "unreadable") },
			`{"sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetApi","outcome":"failed","status":500,"errorType":"InternalServerErrorException"}`},
		{"no operation", begin("GET", "/v2/nothing", ""), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","outcome":"refused","status":404,"errorType":"UnknownOperationException"}`},
		{"no operation, unsigned", begin("GET", "/", ""), func(r *http.Request) { r.Header.Del("Authorization") },
			`{"sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","outcome":"denied","status":403,"errorType":"MissingAuthenticationTokenException"}`},
		{"too large", begin("PUT", "/v2/apis", ""), func(r *http.Request) { r.ContentLength = maxImportBody + 1 },
			`{"sourceIp":"192.0.2.1","userAgent":"test/1","method":"PUT","operation":"ImportApi","outcome":"refused","status":413,"errorType":"RequestEntityTooLargeException"}`},
		{"a panic", begin("GET", api, ""), func(*http.Request) { broken = true },
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetApi","resource":"` + arn + `","outcome":"failed","status":500,"errorType":"InternalServerErrorException"}`},
		{"an ARN in the path", begin("GET", "/v2/tags/"+escapeAll(arn+"/stages/nope"), ""), nil,
			`{"principal":"` + ada + `","sourceIp":"192.0.2.1","userAgent":"test/1","method":"GET","operation":"GetTags","resource":"` + arnPrefix + "/tags/" + url.QueryEscape(arn+"/stages/nope") + `","outcome":"refused","status":404,"errorType":"NotFoundException"}`},
		{"version 6 and no user agent", begin("GET", "/v2/apis", ""), func(r *http.Request) { r.Header.Del("User-Agent"); r.RemoteAddr = "[2001:db8::1]:5" },
			`{"principal":"` + ada + `","sourceIp":"2001:db8::1","method":"GET","operation":"GetApis","resource":"` + arnPrefix + `/apis","outcome":"success","status":200}`},
	} {
		broken = false
		if tt.change != nil {
			tt.change(tt.request)
		}
		log.Reset()
		r := s.send(tt.request)
		all := lines(t, log.String())
		if len(all) != 1 {
			t.Errorf("%s: %d lines: %s", tt.name, len(all), log.String())
			continue
		}
		got := all[0]
		if got["requestId"] != r.header.Get("x-amzn-RequestId") || got["requestId"] == "" {
			t.Errorf("%s: request ID %s, answered %s", tt.name, got["requestId"], r.header.Get("x-amzn-RequestId"))
		}
		if got["time"] != "2025-01-02T03:04:05.6789Z" {
			t.Errorf("%s: time %s", tt.name, got["time"])
		}
		delete(got, "requestId")
		delete(got, "time")
		var want map[string]any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if text(got) != text(want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), text(want))
		}
	}
}

// Every operation of the model has its name and its resource in the log.
func TestAuditOfEveryOperation(t *testing.T) {
	for _, op := range model.Operations {
		var log bytes.Buffer
		s := audited(t, &log)
		e := newEstate(s)
		path, body := e.request(op, escapeAll)
		log.Reset()
		s.do(op.Method, path, body)
		all := lines(t, log.String())
		if len(all) != 1 || all[0]["operation"] != op.Name || all[0]["resource"] != e.arn(op) || all[0]["method"] != op.Method || all[0]["principal"] != "anonymous" {
			t.Errorf("%s: %s", op.Name, log.String())
		}
	}
}

// Calls that are too many have lines, too.
func TestAuditOfThrottling(t *testing.T) {
	var log bytes.Buffer
	s := audited(t, &log, func(o *Options) { o.Rate, o.Burst = 1, 1 })
	s.do("GET", "/v2/apis", "")
	s.do("GET", "/v2/apis", "")
	all := lines(t, log.String())
	if len(all) != 2 || all[1]["outcome"] != "refused" || all[1]["status"] != 429.0 || all[1]["errorType"] != "TooManyRequestsException" {
		t.Errorf("got %s", log.String())
	}
}

// Nothing of what is sent is in the log but names in the path: no call of any
// operation leaves a secret there, wherever it stands.
func TestAuditTellsNoSecrets(t *testing.T) {
	const secret = "s3cr3t"
	secrets := `{"name":"` + secret + `","description":"` + secret + `","tags":{"` + secret + `":"` + secret + `"},` +
		`"integrationUri":"https://user:` + secret + `@example.com/?key=` + secret + `","requestParameters":{"append:header.x-api-key":"` + secret + `"},` +
		`"credentialsArn":"` + secret + `","stageVariables":{"password":"` + secret + `"},"policyDocument":"` + secret + `","target":"https://user:` + secret + `@example.com",` +
		`"stageName":"` + secret + `","routeKey":"GET /` + secret + `","authorizerUri":"` + secret + `","logoUri":"https://` + secret + `","body":"` + secret + `",` +
		`"jwtConfiguration":{"issuer":"https://` + secret + `.example.com","audience":["` + secret + `"]},"identitySource":["` + secret + `"],` +
		`"displayContent":{"title":"` + secret + `","body":"` + secret + `"},"domainName":"` + secret + `","authorizerType":"` + secret + `","` + secret + `":"` + secret + `"}`
	var log bytes.Buffer
	s := audited(t, &log, func(o *Options) {
		o.Authenticator = authenticator(func(r *http.Request, _ []byte) (Principal, error) {
			if r.Header.Get("X-Fail") != "" {
				return Principal{Name: secret, ARN: secret}, authError{"InvalidSignatureException", "the signature " + r.Header.Get("Authorization") + " does not match"}
			}
			return Principal{Name: "ada", ARN: ada}, nil
		})
	})
	e := newEstate(s)
	n := 0
	log.Reset()
	for _, op := range model.Operations {
		for _, fail := range []string{"", "yes"} {
			for _, body := range []string{secrets, secrets[:len(secrets)/2], `"` + secret + `"`, `{"name":{"` + secret + `":1}}`, `{"tags":{"` + secret + `":1}}`} {
				path, _ := e.request(op, escapeAll)
				separator := "?"
				if strings.Contains(path, "?") {
					separator = "&"
				}
				query := separator + "X-Amz-Signature=" + secret + "&X-Amz-Security-Token=" + secret + "&tagKeys=" + secret + "&nextToken=" + secret + "&maxResults=" + secret + "&" + secret
				r := httptest.NewRequest(op.Method, "http://localhost"+path+query, strings.NewReader(body))
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID, Signature="+secret)
				r.Header.Set("X-Amz-Security-Token", secret)
				r.Header.Set("Cookie", secret)
				r.Header.Set("Referer", "https://example.com/?"+secret)
				r.Header.Set("X-Forwarded-For", secret)
				r.Header.Set("X-Fail", fail)
				r.URL.User = url.UserPassword("user", secret)
				r.URL.Fragment = secret
				s.send(r)
				n++
			}
		}
	}
	if all := lines(t, log.String()); len(all) != n {
		t.Errorf("%d lines for %d calls", len(all), n)
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, secret) {
			t.Fatalf("a line has the secret: %s", line)
		}
	}
	// The document of an import goes in whole.
	log.Reset()
	document := strings.ReplaceAll(smallDocument, "https://example.com", "https://user:"+secret+"@example.com/"+secret)
	s.do("PUT", "/v2/apis", documentBody(document))
	s.do("PUT", "/v2/apis", documentBody(document[:len(document)-1]))
	if strings.Contains(log.String(), secret) || len(lines(t, log.String())) != 2 {
		t.Errorf("an import: %s", log.String())
	}
}

// Whatever callers say of themselves, a line is one line of valid text that does
// nothing to a terminal, and not much longer than the others.
func TestAuditOfHostileText(t *testing.T) {
	for _, tt := range []struct{ name, agent, path, want string }{
		{"plain", "aws-cli/2.1 (ü)", "/v2/apis/a", "aws-cli/2.1 (ü)"},
		{"line ends", "a\r\n{\"outcome\":\"success\"}\nb", "/v2/apis/a", "a\r\n{\"outcome\":\"success\"}\nb"},
		{"line ends in the path", "a", "/v2/apis/a%0A%7B%22x%22%3A1%7D%0D", "a"},
		{"escape sequences", "\x1b[2J\x1b]0;x\x07", "/v2/apis/%1B%5B2J", "\x1b[2J\x1b]0;x\x07"},
		{"delete", "a\x7fb", "/v2/apis/%7F", "a\x7fb"},
		{"control characters of Unicode", "a\u0085b\u009bc\u2028d\u2029e", "/v2/apis/%C2%9B2J%E2%80%A8", "a\u0085b\u009bc\u2028d\u2029e"},
		{"not UTF-8", "a\xff\xc3(b", "/v2/apis/%FF", "a\ufffd\ufffd(b"},
		{"NUL", "a\x00b", "/v2/apis/%00", "a\x00b"},
		{"HTML", "<script>&", "/v2/apis/%3Cscript%3E", "<script>&"},
		{"long", strings.Repeat("x", 257), "/v2/apis/a", strings.Repeat("x", 256)},
		{"as long as may be", strings.Repeat("x", 256), "/v2/apis/a", strings.Repeat("x", 256)},
		{"long, cut within a character", strings.Repeat("x", 255) + "üü", "/v2/apis/a", strings.Repeat("x", 255)},
		{"long path", "a", "/v2/apis/" + strings.Repeat("x", 60<<10), "a"},
		{"long and not UTF-8", strings.Repeat("\xbf", 64<<10), "/v2/apis/a", ""},
	} {
		var log bytes.Buffer
		s := audited(t, &log)
		u, err := url.ParseRequestURI(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.URL, r.Header["User-Agent"] = u, []string{tt.agent}
		s.send(r)
		line := log.String()
		got := lines(t, line)
		if agent, _ := got[0]["userAgent"].(string); len(got) != 1 || agent != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, agent, tt.want)
		}
		body, _ := strings.CutSuffix(line, "\n")
		if i := strings.IndexFunc(body, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }); i >= 0 || !utf8.ValidString(body) {
			t.Errorf("%s: the line has a control character, or is not UTF-8: %q", tt.name, line)
		}
		if len(line) > 2048 {
			t.Errorf("%s: the line has %d bytes", tt.name, len(line))
		}
	}
}

// A chunked writer notes whether each line comes in one piece.
type chunked struct {
	mu     sync.Mutex // guards chunks
	chunks []string
}

func (c *chunked) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chunks = append(c.chunks, string(p))
	return len(p), nil
}

// Calls at the same time have whole lines: each in one write, none lost, no ID twice.
func TestAuditOfConcurrentCalls(t *testing.T) {
	c := &chunked{}
	s := audited(t, c)
	api := s.api("HTTP")
	var mu sync.Mutex
	answered := map[string]bool{}
	each(func(i int) {
		for j := range 20 {
			r := s.do("GET", []string{api, "/v2/apis/zzzzzzzzzz", "/v2/nothing"}[(i+j)%3], "")
			mu.Lock()
			answered[r.header.Get("x-amzn-RequestId")] = true
			mu.Unlock()
		}
	})
	if len(c.chunks) != writers*20+1 {
		t.Fatalf("%d writes for %d calls", len(c.chunks), writers*20+1)
	}
	for _, chunk := range c.chunks[1:] {
		all := lines(t, chunk)
		if len(all) != 1 {
			t.Fatalf("one write with %d lines: %q", len(all), chunk)
		}
		delete(answered, id(all[0], "requestId"))
	}
	if len(answered) != 0 {
		t.Errorf("%d answers have no line", len(answered))
	}
}

// A failingLog is a writer that fails while it is told to.
type failingLog struct {
	err   error
	short bool // writes half of what it gets, as a disk that is nearly full
	bytes.Buffer
}

func (f *failingLog) Write(p []byte) (int, error) {
	if f.short {
		n, _ := f.Buffer.Write(p[:len(p)/2])
		return n, io.ErrShortWrite
	}
	if f.err != nil {
		return 0, f.err
	}
	return f.Buffer.Write(p)
}

// A log that cannot be written to fails no call, and is reported once each time it
// begins to fail.
func TestAuditThatFails(t *testing.T) {
	f := &failingLog{}
	var reports bytes.Buffer
	s := audited(t, f, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&reports, nil)) })
	told := func() int { return strings.Count(reports.String(), "audit log cannot be written to") }
	for _, tt := range []struct {
		name string
		err  error
		want int // reports until then
	}{
		{"writes", nil, 0},
		{"fails", errors.New("no space left on device"), 1},
		{"fails again", errors.New("no space left on device"), 1},
		{"fails in another way", errors.New("input/output error"), 1},
		{"writes again", nil, 1},
		{"begins to fail again", errors.New("no space left on device"), 2},
	} {
		f.err = tt.err
		for range 3 {
			s.call(201, "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`)
		}
		if got := told(); got != tt.want {
			t.Errorf("%s: told %d times, want %d: %s", tt.name, got, tt.want, reports.String())
		}
	}
	if got := len(lines(t, f.String())); got != 6 {
		t.Errorf("%d lines were written, want 6", got)
	}
	if !strings.Contains(reports.String(), "no space left on device") || strings.Contains(reports.String(), "requestId") {
		t.Errorf("the report is %s", reports.String())
	}
	f.err, f.short = nil, true
	s.call(200, "GET", "/v2/apis", "")
}

// Without a writer there is no log, and nothing else is different.
func TestNoAudit(t *testing.T) {
	s := newTester(t)
	if s.server.Audit != nil {
		t.Fatal("there is a log")
	}
	s.call(200, "GET", "/v2/apis", "")
}

// What is committed names the caller as the log does, so that one leads to the other.
func TestAuditAndCommitsNameTheSame(t *testing.T) {
	var log bytes.Buffer
	s := audited(t, &log, func(o *Options) {
		o.Authenticator = &gate{Principal{Name: "ada", ARN: ada}}
	})
	s.api("HTTP")
	commits, err := s.store.Read(t.Context(), 0)
	if err != nil || len(commits) != 1 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	principal := id(lines(t, log.String())[0], "principal")
	if !strings.HasSuffix(principal, "/"+commits[0].Actor) || commits[0].Actor == "" {
		t.Errorf("the commit is by %q, the line by %q", commits[0].Actor, principal)
	}
}

// The line is of the time when the answer was sent, in UTC, wherever the server is.
func TestAuditTimes(t *testing.T) {
	now := time.Date(2025, 6, 1, 1, 2, 3, 456789012, time.FixedZone("", -7*3600))
	var log bytes.Buffer
	s := audited(t, &log, func(o *Options) { o.Now = func() time.Time { return now } })
	s.do("GET", "/v2/apis", "")
	if got, want := lines(t, log.String())[0]["time"], "2025-06-01T08:02:03.456789012Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
