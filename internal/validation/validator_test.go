package validation_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
	"penstock/internal/schema"
	"penstock/internal/validation"
)

// A backend answers with the body that it got.
type backend struct{}

func (backend) Invoke(x *gateway.Exchange) error {
	body := x.Request.Body
	if body.Stream != nil {
		return errors.New("the body is not in memory")
	}
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Bytes: bytes.Clone(body.Bytes), Length: body.Length}
	return nil
}

// causes are what requests were refused for.
type causes chan string

func (c causes) Log(x *gateway.Exchange) {
	if f := x.Failure(); f != nil {
		c <- f.Type + " " + fmt.Sprint(f.Cause)
		return
	}
	c <- ""
}

// serve starts a server whose only route has a validator.
func serve(t testing.TB, v gateway.Validator) (addr string, refused causes) {
	t.Helper()
	r := &gateway.Route{Key: "$default", Integration: backend{}, Validator: v}
	refused = make(causes, 1)
	stage := gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: "$default", AccessLog: refused}, r)
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Suffixes: []string{"localhost"}})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{{ID: "a", Stages: map[string]*gateway.Stage{"$default": stage}}}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return l.Addr().String(), refused
}

// post sends a request with some header fields, and returns the status and the body of
// the answer.
func post(t testing.TB, addr, method, fields, body string) (status, answer string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if !strings.Contains(fields, "chunked") {
		fields += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	fmt.Fprintf(c, "%s /x HTTP/1.1\r\nHost: a.execute-api.us-east-1.localhost\r\nConnection: close\r\n%s\r\n%s", method, fields, body)
	all, _ := io.ReadAll(c) // the connection is cut where the body was not read
	head, answer, _ := strings.Cut(string(all), "\r\n\r\n")
	return strings.TrimPrefix(head[:min(12, len(head))], "HTTP/1.1 "), answer
}

const (
	pet  = `{"type":"object","required":["name"],"properties":{"name":{"type":"string"}},"additionalProperties":false}`
	list = `{"type":"array"}`
)

const (
	invalid     = `400 {"message":"Invalid request body"}`
	unsupported = `415 {"message":"Unsupported Media Type"}`
	tooLarge    = `413 {"message":"Request Entity Too Large"}`
)

func TestValidator(t *testing.T) {
	t.Parallel()
	only, err := validation.New(map[string]string{"application/json": pet, "Application/Pets+JSON": list}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all, err := validation.New(map[string]string{"application/json": pet, "$default": list}, nil, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	const (
		json  = "Content-Type: application/json\r\n"
		ada   = `{"name":"Ada"}`
		noAda = `#: has no member "name"`
	)
	long := `{"name":"` + strings.Repeat("a", 99_000) + `"}`
	for _, v := range []struct {
		name      string
		validator gateway.Validator
		rows      [][6]string // name, method, fields, body, want, cause
	}{
		{"models for media types", only, [][6]string{
			{"valid", "POST", json, ada, "200 " + ada, ""},
			{"invalid", "POST", json, `{}`, invalid, "BAD_REQUEST_BODY " + noAda},
			{"two faults", "POST", json, `{"age":1}`, invalid, `BAD_REQUEST_BODY #/age: is not one of the members that there may be; ` + noAda},
			{"no JSON", "POST", json, `name=Ada`, invalid, `BAD_REQUEST_BODY #: cannot be read as JSON: byte 0: no value begins with 'n'`},
			{"member twice", "POST", json, `{"name":"Ada","name":1}`, invalid, `BAD_REQUEST_BODY #: cannot be read as JSON: byte 23: a member stands twice in an object`},
			{"empty", "POST", json, ``, invalid, `BAD_REQUEST_BODY the body is empty`},
			{"nothing, by GET", "GET", "", ``, invalid, `BAD_REQUEST_BODY the body is empty`},
			{"GET with a body", "GET", json, `{}`, invalid, "BAD_REQUEST_BODY " + noAda},
			{"no media type", "POST", "", ada, "200 " + ada, ""},
			{"no media type, invalid", "POST", "", `{}`, invalid, "BAD_REQUEST_BODY " + noAda},
			{"another case", "POST", "content-type: APPLICATION/json\r\n", `{}`, invalid, "BAD_REQUEST_BODY " + noAda},
			{"parameters", "POST", "Content-Type: application/json ; charset=\"UTF-8\";v=1\r\n", `{}`, invalid, "BAD_REQUEST_BODY " + noAda},
			{"another model", "POST", "Content-Type: application/pets+json\r\n", `[]`, "200 []", ""},
			{"another model, invalid", "POST", "Content-Type: application/pets+json\r\n", ada, invalid, "BAD_REQUEST_BODY #: must be a list"},
			{"no model", "POST", "Content-Type: text/plain\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the route has no model for the media type"},
			{"suffix", "POST", "Content-Type: application/x+json\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the route has no model for the media type"},
			{"empty media type", "POST", "Content-Type:\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the route has no model for the media type"},
			{"two media types", "POST", json + "Content-Type: text/plain\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE there are several Content-Type fields"},
			{"two media types in one", "POST", "Content-Type: application/json, text/plain\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the route has no model for the media type"},
			{"charset", "POST", "Content-Type: application/json; charset=utf-7\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the charset is not UTF-8"},
			{"charset behind another", "POST", "Content-Type: application/json; charset=utf-8; CharSet=utf-16\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the charset is not UTF-8"},
			{"encoding", "POST", json + "Content-Encoding: gzip\r\n", ada, unsupported, "UNSUPPORTED_MEDIA_TYPE the body has a content encoding"},
			{"no encoding", "POST", json + "Content-Encoding: identity\r\n", ada, "200 " + ada, ""},
			{"chunks", "POST", json + "Transfer-Encoding: chunked\r\n", "e\r\n" + ada + "\r\n0\r\n\r\n", "200 " + ada, ""},
			{"chunks, invalid", "POST", json + "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", invalid, "BAD_REQUEST_BODY " + noAda},
			{"long", "POST", json, long, "200 " + long, ""},
			{"too long", "POST", json, strings.Repeat(" ", validation.DefaultLimit+1), tooLarge, "REQUEST_TOO_LARGE declared length above the limit of the route"},
		}},
		{"a model for all", all, [][6]string{
			{"its own", "POST", json, `[]`, invalid, "BAD_REQUEST_BODY #: must be an object"},
			{"another", "POST", "Content-Type: text/plain\r\n", `[]`, "200 []", ""},
			{"another, invalid", "POST", "Content-Type: text/plain\r\n", ada, invalid, "BAD_REQUEST_BODY #: must be a list"},
			{"named like the key", "POST", "Content-Type: $default\r\n", `[]`, "200 []", ""},
			{"two media types", "POST", json + json, `[]`, unsupported, "UNSUPPORTED_MEDIA_TYPE there are several Content-Type fields"},
			{"too long", "POST", json, long + strings.Repeat(" ", 1000), tooLarge, "REQUEST_TOO_LARGE declared length above the limit of the route"},
		}},
	} {
		addr, refused := serve(t, v.validator)
		for _, row := range v.rows {
			status, answer := post(t, addr, row[1], row[2], row[3])
			if got := status + " " + answer; got != row[4] {
				t.Errorf("%s: %s: got %.200s, want %.200s", v.name, row[0], got, row[4])
			}
			if got := <-refused; got != row[5] {
				t.Errorf("%s: %s: refused for %q, want %q", v.name, row[0], got, row[5])
			}
		}
	}
}

// Long bodies are checked a few at a time, and all of them are.
func TestValidatorTakesTurns(t *testing.T) {
	t.Parallel()
	v, err := validation.New(map[string]string{"application/json": `{"items":{"type":"integer"}}`}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	addr, refused := serve(t, v)
	body := `[` + strings.Repeat("1,", 45_000) + `1]`
	const clients = 16
	results := make(chan string, clients)
	for range clients {
		go func() {
			status, _ := post(t, addr, "POST", "", body)
			results <- status
		}()
	}
	for range clients {
		if cause := <-refused; cause != "" {
			t.Errorf("refused for %s", cause)
		}
		if status := <-results; status != "200" {
			t.Errorf("got %s", status)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	find := func(name string) (string, bool) { return `{"type":"string"}`, name == "Name" }
	for _, tt := range []struct {
		name   string
		models map[string]string
		limit  int
		want   string
	}{
		{"no models", nil, 0, `there are no models`},
		{"no schema", map[string]string{"application/json": `{"type":"x"}`}, 0, `model for application/json: #/type: must be one of array, boolean, integer, null, number, object, string`},
		{"a model that is missing", map[string]string{"$default": ``}, 0, `model for $default: #: the schema is not JSON: byte 0: unexpected end of JSON input`},
		{"a pattern of ECMA", map[string]string{"a/b": `{"pattern":"(?=a)"}`}, 0, `model for a/b: #/pattern: the pattern "(?=a)" cannot be read by RE2: invalid or unsupported Perl syntax: "(?="`},
		{"two of one type", map[string]string{"a/b": `{}`, "A/B": `{}`}, 0, `two models for a/b`},
		{"limit below 0", map[string]string{"a/b": `{}`}, -1, `the limit must be between 1 and 16777216 bytes`},
		{"limit too large", map[string]string{"a/b": `{}`}, schema.MaxBody + 1, `the limit must be between 1 and 16777216 bytes`},
		{"another model", map[string]string{"a/b": `{"$ref":"https://apigateway.amazonaws.com/restapis/a/models/Name"}`}, 1, ``},
	} {
		got := ""
		if _, err := validation.New(tt.models, find, tt.limit); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
