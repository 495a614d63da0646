package penstock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// modelled is a route that checks messages.
func modelled(r socketRoute, expression string, models map[string]string) socketRoute {
	r.route = apigatewayv2.CreateRouteInput{ModelSelectionExpression: &expression, RequestModels: models}
	return r
}

// TestMessageVectors: M01 to M16, and M29 to M39, with functions.
func TestMessageVectors(t *testing.T) {
	t.Parallel()
	const send = `{"action":"send"}`
	needsName := map[string]string{"Named": `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["name"]}`}
	echo := newFunction(func(_ context.Context, event string) (string, error) {
		_, rest, _ := strings.Cut(event, `"body":`)
		return `{"statusCode":200,"body":` + rest[:strings.LastIndex(rest, `,"isBase64Encoded"`)] + `}`, nil
	})
	silence := func(*testing.T, *socket) {}
	says := func(text string) func(*testing.T, *socket) {
		return func(t *testing.T, s *socket) {
			t.Helper()
			if got := s.next(); got != text {
				t.Errorf("the client got %q, want %q", got, text)
			}
		}
	}
	fails := func(message string) func(*testing.T, *socket) {
		return func(t *testing.T, s *socket) { t.Helper(); s.failed(message) }
	}
	both := func(a, b func(*testing.T, *socket)) func(*testing.T, *socket) {
		return func(t *testing.T, s *socket) { t.Helper(); a(t, s); b(t, s) }
	}
	for _, v := range []struct {
		id     string
		route  socketRoute
		answer string // of the function fn
		fn     *lambdaFunction
		key    string // of the route; send if empty
		send   string // the message; send if empty
		body   string // as the function has it; that of the message if empty, absent for no event
		then   func(*testing.T, *socket)
		more   func(*socketSpec)
	}{
		{id: "M01", route: lambdaRoute("fn"), send: `{"action":"send","x":1}`, then: silence},
		{id: "M02", route: lambdaRoute("fn"), answer: `{"statusCode":200,"body":"hi"}`, then: silence},
		{id: "M03", route: two(lambdaRoute("fn")), answer: `{"statusCode":200,"body":"hi"}`, then: says("hi")},
		{id: "M04", route: two(lambdaRoute("fn")), answer: `{"statusCode":500,"body":"oops"}`, then: says("oops")},
		{id: "M05", route: two(lambdaRoute("fn")), answer: `{"statusCode":200}`, then: says("")},
		{id: "M06", route: two(lambdaRoute("fn")), answer: `{"statusCode":200,"body":""}`, then: says("")},
		{id: "M07 400", route: lambdaRoute("fn"), answer: `{"statusCode":400}`, then: silence},
		{id: "M07 500", route: lambdaRoute("fn"), answer: `{"statusCode":500}`, then: silence},
		{id: "M08", route: lambdaRoute("fn"), fn: throwing(), then: fails("Internal server error")},
		{id: "M09", route: two(lambdaRoute("fn")), fn: throwing(), then: fails("Internal server error")},
		{id: "M10", route: lambdaRoute("fn"), send: `{"action":"nope"}`, body: absent, then: fails("Forbidden")},
		{id: "M11", route: lambdaRoute("fn"), send: `hello`, body: absent, then: fails("Forbidden")},
		{id: "M12", route: lambdaRoute("fn"), key: "$default", send: `hello`, then: silence},
		{id: "M13", route: two(lambdaRoute("fn")), key: "$default", fn: echo, send: `ping`, then: says("ping")},
		{id: "M14", route: lambdaRoute("fn"), key: "$default", send: "\x00", body: "", then: silence},
		{id: "M15", route: lambdaRoute("fn"), send: "{ \"action\" : \"send\" }\n", then: silence},
		{id: "M16", route: two(lambdaRoute("fn")), fn: echo, send: `{"action":"send","t":"é😀"}`, then: says(`{"action":"send","t":"é😀"}`)},
		{id: "M29", route: func() socketRoute { r := lambdaRoute("fn"); r.silent = true; return r }(), answer: `{"statusCode":200,"body":"hi"}`, then: silence},
		{id: "M30", route: modelled(lambdaRoute("fn"), `\$default`, map[string]string{"$default": "Named"}), send: `{"action":"send","name":"n"}`, then: silence},
		{id: "M31", route: modelled(lambdaRoute("fn"), `\$default`, map[string]string{"$default": "Named"}), body: absent, then: fails("Invalid request body")},
		{id: "M32", route: modelled(lambdaRoute("fn"), `$request.body.kind`, map[string]string{"a": "Named"}), send: `{"action":"send","kind":"b","name":"n"}`, body: absent, then: fails("Invalid request body")},
		{id: "M33", key: "$default", route: modelled(lambdaRoute("fn"), `\$default`, map[string]string{"$default": "Named"}), send: `hello`, body: absent, then: fails("Invalid request body")},
		{id: "M35", route: two(lambdaRoute("fn")), answer: `"x"`, then: fails("Internal server error")},
		{id: "M36", route: two(lambdaRoute("fn")), answer: `{"body":"x"}`, then: fails("Internal server error")},
		{id: "M37", route: two(lambdaRoute("fn")), answer: `{"statusCode":200,"body":"aGk=","isBase64Encoded":true}`, then: says("hi")},
		{id: "M38", route: socketRoute{}, body: absent, then: silence},
		{id: "M38 two-way", route: two(socketRoute{}), body: absent, then: fails("Internal server error")},
		{id: "M39", route: func() socketRoute {
			r := two(lambdaRoute("fn"))
			r.integration.RequestTemplates = template(`{"not":"this"}`)
			return r
		}(), fn: echo, then: says(send)},
		{id: "body not a string", route: two(lambdaRoute("fn")), answer: `{"statusCode":200,"body":{"a":1}}`, then: fails("Internal server error")},
		{id: "null", route: two(lambdaRoute("fn")), answer: `null`, then: fails("Internal server error")},
		{id: "$connect is no route of messages", route: lambdaRoute("fn"), key: "$default", send: `{"action":"$connect"}`, then: silence},
		{id: "M34", route: two(lambdaRoute("fn")), answer: `{"statusCode":200,"body":"hi"}`,
			more: func(s *socketSpec) {
				s.route = map[string]types.RouteSettings{"send": {ThrottlingRateLimit: aws.Float64(0.001), ThrottlingBurstLimit: aws.Int32(1)}}
			},
			then: both(says("hi"), func(t *testing.T, s *socket) { s.send(send); s.failed("Too Many Requests") })},
	} {
		t.Run(v.id, func(t *testing.T) {
			t.Parallel()
			fn := v.fn
			if fn == nil {
				answer := v.answer
				if answer == "" {
					answer = `{"statusCode":200}`
				}
				fn = answering(answer)
			} else {
				fn = newFunction(fn.answer)
			}
			w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
			key, text := "send", v.send
			if v.key != "" {
				key = v.key
			}
			if text == "" {
				text = send
			}
			spec := socketSpec{routes: map[string]socketRoute{key: v.route}, models: needsName}
			if v.more != nil {
				v.more(&spec)
			}
			s := w.connect(w.sockets(spec), "/dev")
			if text == "\x00" { // none would be the default
				text = ""
			}
			s.send(text)
			if v.body != absent {
				want := text
				e := fn.wait(t)
				if got := at(e, "body"); got != want {
					t.Errorf("the function got %q, want %q", got, want)
				}
				if got := at(e, "requestContext.routeKey"); got != key {
					t.Errorf("routeKey %v, want %s", got, key)
				}
				if got := at(e, "requestContext.eventType"); got != "MESSAGE" {
					t.Errorf("eventType %v", got)
				}
			}
			v.then(t, s)
			s.quiet()
			if v.body == absent {
				if events := fn.take(); len(events) > 0 {
					t.Errorf("the function got %v", events)
				}
			}
		})
	}
}

// TestMessageFailures: M17 to M19, and that the connection outlives them.
func TestMessageFailures(t *testing.T) {
	t.Parallel()
	slow := newFunction(func(ctx context.Context, _ string) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	ok := answering(`{"statusCode":200,"body":"fine"}`)
	enforce := true
	w := newWorld(t, penstock.Config{
		Functions:    functions(map[string]*lambdaFunction{"slow": slow, "ok": ok, "throws": throwing()}),
		FunctionHost: penstock.FunctionHost{EnforcePermissions: &enforce},
	})
	timed := lambdaRoute("slow")
	timed.integration.TimeoutInMillis = aws.Int32(50)
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"slow": timed, "throws": two(lambdaRoute("throws")), "ok": two(lambdaRoute("ok"))}})
	s := w.connect(api, "/dev")
	s.send(`{"action":"ok"}`)
	s.failed("Internal server error") // M18: nobody has permitted it
	if events := ok.take(); len(events) > 0 {
		t.Errorf("a function was called without permission: %v", events)
	}

	enforce = false
	w = newWorld(t, penstock.Config{
		Functions:    functions(map[string]*lambdaFunction{"slow": slow, "ok": ok, "throws": throwing()}),
		FunctionHost: penstock.FunctionHost{EnforcePermissions: &enforce},
	})
	api = w.sockets(socketSpec{routes: map[string]socketRoute{"slow": timed, "throws": two(lambdaRoute("throws")), "ok": two(lambdaRoute("ok"))}})
	s = w.connect(api, "/dev")
	s.send(`{"action":"slow"}`)
	s.failed("Endpoint request timed out")
	s.send(`{"action":"throws"}`)
	s.failed("Internal server error")
	s.send(`{"action":"ok"}`)
	if got := s.next(); got != "fine" {
		t.Errorf("got %q", got)
	}
}

// TestMessageBackends: M20 to M28, with HTTP backends.
func TestMessageBackends(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	const send = `{"action":"send"}`
	header := func(name, value string) map[string]string {
		return map[string]string{"integration.request.header." + name: value}
	}
	room := map[string]string{"integration.request.querystring.room": "route.request.body.data.room"}
	for _, v := range []struct {
		id, send string
		route    socketRoute
		path     string            // with the query, as the backend saw it
		header   map[string]string // likewise; "" for no such field
		text     string            // what the client gets; absent for nothing
		failed   string            // or the message of the error frame
	}{
		{id: "M20", route: two(proxyRoute("/echo", nil)), path: "/echo", header: map[string]string{"Content-Type": "application/json", "connectionId": ""}, text: send},
		{id: "M21", route: two(proxyRoute("/status/500", nil)), path: "/status/500", text: "ok"},
		{id: "M22", route: proxyRoute("/status/500", nil), path: "/status/500", text: absent},
		{id: "M23 one-way", route: proxyRoute("http://127.0.0.1:1/", nil), failed: "Internal server error"},
		{id: "M23 two-way", route: two(proxyRoute("http://127.0.0.1:1/", nil)), failed: "Internal server error"},
		{id: "M24", route: proxyRoute("/", room), send: `{"action":"send","data":{"room":"r 1"}}`, path: "/?room=r%201", text: absent},
		{id: "M25", route: proxyRoute("/", room), path: "/", text: absent},
		{id: "M26", route: proxyRoute("/", header("v", "'v1'")), path: "/", header: map[string]string{"v": "v1"}, text: absent},
		{id: "M27", route: proxyRoute("/", header("a", "route.request.header.Auth")), path: "/", header: map[string]string{"a": ""}, text: absent},
		{id: "M28", route: proxyRoute("/${stageVariables.p}", nil), path: "/x", text: absent},
	} {
		t.Run(v.id, func(t *testing.T) {
			api := w.sockets(socketSpec{routes: map[string]socketRoute{"send": v.route}, variables: map[string]string{"p": "x"}})
			s := w.connect(api, "/dev", "Auth: secret")
			text := v.send
			if text == "" {
				text = send
			}
			s.send(text)
			switch {
			case v.failed != "":
				s.failed(v.failed)
				return
			case v.text == absent:
				await(t, "the backend is called", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.seen) > 0 })
				s.quiet()
			default:
				if got := s.next(); got != v.text {
					t.Errorf("the client got %q, want %q", got, v.text)
				}
			}
			r := w.take()
			if r.Method != "POST" || r.URL.RequestURI() != v.path {
				t.Errorf("the backend saw %s %s, want POST %s", r.Method, r.URL.RequestURI(), v.path)
			}
			for name, value := range v.header {
				if got := r.Header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		})
	}
}
