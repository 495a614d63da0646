package control

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"penstock/internal/store"
)

// A tester calls a server and compares answers.
type tester struct {
	*testing.T
	server *Server
	store  store.Store
}

var testTime = time.Date(2025, 1, 2, 3, 4, 5, 678_900_000, time.UTC)

// newTester returns a server with an empty store, account 123456789012 and a clock
// that stands still. options may change it.
func newTester(t *testing.T, options ...func(*Options)) *tester {
	t.Helper()
	o := Options{
		Store:   store.NewMemory(),
		Account: "123456789012",
		Now:     func() time.Time { return testTime },
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, option := range options {
		option(&o)
	}
	t.Cleanup(func() { o.Store.Close() })
	return &tester{T: t, server: New(o), store: o.Store}
}

// A reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

func (t *tester) do(method, path, body string) reply {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	t.server.ServeHTTP(w, r)
	answers.see(w.Body.String())
	return reply{w.Code, w.Header(), w.Body.String()}
}

// call sends a request that must succeed with the status, and returns the answer.
func (t *tester) call(status int, method, path, body string) map[string]any {
	t.Helper()
	r := t.do(method, path, body)
	if r.status != status {
		t.Fatalf("%s %s %s: got %d %s, want %d", method, path, body, r.status, r.body, status)
	}
	if r.body == "" {
		return nil
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, r.body)
	}
	return out
}

// refuse sends a request that must fail with the status and exactly the message,
// and change nothing.
func (t *tester) refuse(status int, message, method, path, body string) {
	t.Helper()
	before := t.store.Last()
	r := t.do(method, path, body)
	var out struct{ Message string }
	if err := json.Unmarshal([]byte(r.body), &out); err != nil {
		t.Fatalf("%s %s %s: %v in %q", method, path, body, err, r.body)
	}
	if r.status != status || out.Message != message {
		t.Errorf("%s %s %s:\n got %d %q\nwant %d %q", method, path, body, r.status, out.Message, status, message)
	}
	if code := r.header.Get("x-amzn-ErrorType"); code != errorTypes[status] && code != "SerializationException" {
		t.Errorf("%s %s: error type %s with status %d", method, path, code, status)
	}
	if after := t.store.Last(); after != before {
		t.Errorf("%s %s: was refused and changed the store", method, path)
	}
}

// A refusal is a request that must fail; each row of a table is a test of its own.
type refused struct {
	name    string
	status  int
	message string
	method  string
	path    string
	body    string
}

func (t *tester) refuseAll(rows []refused) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(sub *testing.T) {
			(&tester{T: sub, server: t.server, store: t.store}).refuse(row.status, row.message, row.method, row.path, row.body)
		})
	}
}

var errorTypes = map[int]string{
	400: "BadRequestException",
	404: "NotFoundException",
	409: "ConflictException",
	413: "RequestEntityTooLargeException",
	429: "TooManyRequestsException",
}

// shows compares members of an answer, given as JSON. A null must be absent.
func (t *tester) shows(got map[string]any, want string) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(want), &members); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	for name, value := range members {
		if value == nil {
			if have, ok := got[name]; ok {
				t.Errorf("%s is %s, want it absent", name, text(have))
			}
			continue
		}
		if text(got[name]) != text(value) {
			t.Errorf("%s: got %s, want %s", name, text(got[name]), text(value))
		}
	}
}

func text(v any) string {
	b, err := encode(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// id returns a member that is a string.
func id(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// api makes an API and returns its path.
func (t *tester) api(protocol string) string {
	t.Helper()
	body := `{"name":"n","protocolType":"HTTP"}`
	if protocol == "WEBSOCKET" {
		body = `{"name":"n","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	}
	return "/v2/apis/" + id(t.call(201, "POST", "/v2/apis", body), "apiId")
}

// integration makes an integration and returns its ID.
func (t *tester) integration(api string) string {
	t.Helper()
	return id(t.call(201, "POST", api+"/integrations", httpProxy), "integrationId")
}

const httpProxy = `{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"https://example.com"}`

// route makes a route and returns its path.
func (t *tester) route(api, key, target string) string {
	t.Helper()
	body := map[string]any{"routeKey": key}
	if target != "" {
		body["target"] = "integrations/" + target
	}
	return api + "/routes/" + id(t.call(201, "POST", api+"/routes", text(body)), "routeId")
}

// with returns a JSON object with members added or, by null, removed.
func with(object, more string) string {
	var a, b map[string]any
	if json.Unmarshal([]byte(object), &a) != nil || json.Unmarshal([]byte(more), &b) != nil {
		panic("bad JSON in test: " + object + more)
	}
	for name, value := range b {
		if a[name] = value; value == nil {
			delete(a, name)
		}
	}
	return text(a)
}
