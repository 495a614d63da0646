package pipeline

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// TestTemplateLimits: templates that do not end, or give too much, end with an error.
func TestTemplateLimits(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, tt := range []struct{ name, request, response string }{
		{"loops", `#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end`, ""},
		{"doubles", `#set($s = "0123456789")#foreach($i in [1..40])#set($s = $s + $s)#end$s`, ""},
		{"holds itself", `#set($m = {})#set($i = $m.put("m", $m))#set($n = {"m": $m, "o": $m})$n$n`, ""},
		{"a long text for the client", `{"statusCode":200}`, `#set($s = "0123456789012345")#foreach($i in [1..17])#set($s = $s + $s)#end$s`},
	} {
		if tt.response == "" {
			tt.response = "x"
		}
		i := mustNew(t, Spec{Type: "MOCK", RequestTemplates: map[string]string{"$default": tt.request}, Responses: toDefault(tt.response)})
		start := time.Now()
		_, err := i.Call(message(t, s, "{}"))
		if err == nil || errorFrame(err) != "err(Internal server error)" {
			t.Errorf("%s: %v", tt.name, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s: took %v", tt.name, took)
		}
	}
	// One that is out of time says so.
	i := mustNew(t, Spec{Type: "MOCK", Timeout: time.Nanosecond, RequestTemplates: map[string]string{"$default": `#foreach($a in [1..1000])x#end`}})
	if _, err := i.Call(message(t, s, "{}")); err == nil || errorFrame(err) != "err(Endpoint request timed out)" {
		t.Errorf("out of time: %v", err)
	}
}

// TestHeaderInjection: values out of messages make no headers of their own.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	b := newBackend(t, says(200, ""))
	i := mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client, RequestParameters: map[string]string{"integration.request.header.X-A": "route.request.body.a"}})
	for _, value := range []string{`a\r\nX-Admin: 1`, `a\nX-Admin: 1`, `\u0000`, `a\u007f`, `\u0001`} {
		if _, err := i.Call(message(t, s, `{"a":"`+value+`"}`)); err == nil || errorFrame(err) != "err(Internal server error)" {
			t.Errorf("%s: %v", value, err)
		}
	}
	if len(b.got) > 0 {
		t.Errorf("the backend got %+v", b.got)
	}
	if _, err := i.Call(message(t, s, `{"a":" a\tü "}`)); err != nil {
		t.Error(err)
	}
	if got := b.last(t); got.header.Get("X-A") != "a\tü" || len(got.header["X-Admin"]) > 0 {
		t.Errorf("got %q", got.header)
	}
	// Nor for services, which get them as they are.
	service := &recordedService{status: 200}
	i = mustNew(t, Spec{Type: "AWS", URI: "arn:aws:apigateway:us-east-1:sqs:path/1/q", Service: service, Responses: toDefault(""), RequestParameters: map[string]string{"integration.request.header.X-A": "route.request.body.a"}})
	if _, err := i.Call(message(t, s, `{"a":"a\r\nX-Admin: 1"}`)); err == nil || service.request.Host != "" {
		t.Errorf("a service got %+v, %v", service.request, err)
	}
	// And each of many headers may not be the whole message.
	many := map[string]string{}
	for c := 'a'; c <= 'h'; c++ {
		many["integration.request.querystring."+string(c)] = "route.request.body"
	}
	i = mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client, RequestParameters: many})
	if _, err := i.Call(message(t, s, strings.Repeat("x", 128<<10))); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("many long values: %v", err)
	}
}

// TestHandshakeIsOver: messages see nothing of the handshake, wherever it may still be.
func TestHandshakeIsOver(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	for _, kind := range []string{"HTTP", "HTTP_PROXY"} {
		b := newBackend(t, says(200, ""))
		i := mustNew(t, Spec{Type: kind, URI: b.URL, Client: client, Responses: toDefault("$input.params('X-Secret')"),
			RequestTemplates:  map[string]string{"$default": "$input.params('X-Secret')$input.params('token')"},
			RequestParameters: map[string]string{"integration.request.header.X-A": "route.request.header.X-Secret", "integration.request.querystring.q": "route.request.multivaluequerystring.token"}})
		e := handshake(t, s, "token=t", "X-Secret: s")
		e.Kind, e.Message.Text = Message, []byte("m")
		r, err := i.Call(e)
		got := b.last(t)
		if err != nil || len(r.Text) > 0 || got.target != "/" || len(got.header["X-A"])+len(got.header["X-Secret"]) > 0 || strings.Contains(got.body, "s") || strings.Contains(got.body, "t") {
			t.Errorf("%s: %q, %v, %+v", kind, r.Text, err, got)
		}
	}
}

// TestRoom: texts that are kept stay as they are, whether there was room for them or not.
func TestRoom(t *testing.T) {
	t.Parallel()
	c := newCall(newEvent(t, newServer(t), Message), time.Second)
	defer c.free()
	var kept [][]byte
	sizes := []int{3, 0, firstRoom - 4, 1, 5, 3 * firstRoom, 7}
	for i, size := range sizes {
		kept = append(kept, c.keep(append(c.room(), bytes.Repeat([]byte{byte('a' + i)}, size)...)))
	}
	for i, size := range sizes {
		if want := strings.Repeat(string(rune('a'+i)), size); string(kept[i]) != want {
			t.Errorf("text %d: %.20q of %d bytes, want %.20q of %d", i, kept[i], len(kept[i]), want, len(want))
		}
	}
}

func TestDestinations(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, key, value string
		fine             bool
	}{
		{"HTTP", "integration.request.header.X-A", "'1'", true},
		{"HTTP", "integration.request.header.X-Amz-Target", "'1'", true},
		{"AWS", "integration.request.header.X-Amz-Target", "'1'", true},
		{"AWS_PROXY", "integration.request.header.x-amz-target", "'1'", false},
		{"AWS_PROXY", "integration.request.header.x_amz-target", "'1'", false},
		{"AWS", "integration.request.header.Authorization", "'1'", false},
		{"HTTP", "integration.request.header.Authorization", "'1'", true},
		{"HTTP_PROXY", "integration.request.header.Host", "'1'", false},
		{"HTTP", "integration.request.header.host", "'1'", false},
		{"HTTP", "integration.request.header.Connection", "'1'", false},
		{"HTTP", "integration.request.header.Upgrade", "'1'", false},
		{"HTTP", "integration.request.header.TE", "'1'", false},
		{"HTTP", "integration.request.header.Proxy-X", "'1'", false},
		{"HTTP", "integration.request.header.Transfer-Encoding", "'1'", false},
		{"HTTP", "integration.request.header.Transfer_Encoding", "'1'", false},
		{"HTTP", "integration.request.header.Content-Length", "'1'", false},
		{"HTTP", "integration.request.header.Expect", "'1'", false},
		{"HTTP", "integration.request.header.X-Amzn-Trace-Id", "'1'", false},
		{"HTTP", "integration.request.header.x-amzn-apigateway-api-id", "'1'", false},
		{"HTTP", "integration.request.header.X-Forwarded-For", "'1'", true},
		{"HTTP", "integration.request.header.", "'1'", false},
		{"HTTP", "integration.request.header.a b", "'1'", false},
		{"HTTP", "integration.request.header.a:b", "'1'", false},
		{"HTTP", "integration.request.body.a", "'1'", false},
		{"HTTP", "integration.response.header.a", "'1'", false},
		{"HTTP", "integration.request.header.a", "1", false},
		{"HTTP", "integration.request.header.a", "'1", false},
		{"HTTP", "integration.request.header.a", "'", false},
		{"HTTP", "integration.request.header.a", "", false},
		{"HTTP", "integration.request.header.a", "''", true},
		{"HTTP", "integration.request.header.a", "route.request.path.x", false},
		{"HTTP", "integration.request.header.a", "route.request.header.", false},
		{"HTTP", "integration.request.header.a", "route.request.bodyx", false},
		{"HTTP", "integration.request.header.a", "route.request.body.[", false},
		{"HTTP", "integration.request.header.a", "route.request.body..x", true},
		{"HTTP", "integration.request.header.a", "integration.request.body.x", false},
	} {
		p := compileParameters(&Spec{Type: tt.kind, RequestParameters: map[string]string{tt.key: tt.value}})
		if (p.err == nil) != tt.fine {
			t.Errorf("%s %s = %s: %v", tt.kind, tt.key, tt.value, p.err)
		}
	}
}

// TestLongAnswers: what no client can be sent stays what it is, and makes no more of itself.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	for _, size := range []int{maxText + 1, 10 << 20} {
		b := newBackend(t, says(200, strings.Repeat("\xff", size)))
		for _, spec := range []Spec{
			{Type: "HTTP_PROXY"},
			{Type: "HTTP", Responses: toDefault("")},
			{Type: "HTTP", Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_TEXT"}}},
		} {
			spec.URI, spec.Client = b.URL, client
			r, err := mustNew(t, spec).Call(message(t, s, "m"))
			if err != nil || len(r.Text) != size {
				t.Errorf("%s: %d bytes, %v, want %d", spec.Type, len(r.Text), err, size)
			}
		}
	}
	// A template makes something short of it, and sees what it was promised.
	long := newBackend(t, says(200, strings.Repeat("\xff", maxText+1)))
	r, err := mustNew(t, Spec{Type: "HTTP", URI: long.URL, Client: client, Responses: []ResponseSpec{{Key: "$default", ContentHandling: "CONVERT_TO_TEXT",
		Templates: map[string]string{"$default": "$input.body.length() $input.body.substring(0, 4)"}}}}).Call(message(t, s, "m"))
	if got := outcomeOf(r, err); got != "1398104 ////" {
		t.Errorf("a template got %q (%v)", got, err)
	}
	b := newBackend(t, says(200, strings.Repeat("x", 10<<20+1)))
	if _, err := mustNew(t, Spec{Type: "HTTP_PROXY", URI: b.URL, Client: client}).Call(message(t, s, "m")); err == nil || errorFrame(err) != "err(Internal server error)" {
		t.Errorf("too long: %v", err)
	}
}

func TestExecutionLog(t *testing.T) {
	t.Parallel()
	s, client := newServer(t), newClient(t)
	b := newBackend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		says(200, "line\nforged: line", "Set-Cookie", "secret", "Content-Type", "text/plain")(w, nil)
	})
	spec := Spec{Type: "HTTP_PROXY", URI: b.URL + "/connect", Client: client, RequestParameters: map[string]string{
		"integration.request.header.X-Api-Key": "'hidden'", "integration.request.header.Authorization": "'hidden'", "integration.request.header.v": "'1'", "integration.request.header.w": "route.request.header.Cookie", "integration.request.querystring.p": "route.request.querystring.token", "integration.request.querystring.token": "'hidden'", "integration.request.querystring.q": "'1'"}}
	const uri, header = "Endpoint request URI: ", "Endpoint request headers: {Authorization=(redacted), X-Api-Key=(redacted), v=1, Content-Type=application/json, Accept=application/json, User-Agent=AmazonAPIGateway_abc123, x-amzn-apigateway-api-id=abc123, X-Amzn-Trace-Id=Root=1-65d2ff36-2f448c746bf63c770567b493}"
	for _, tt := range []struct {
		data bool
		send string
		want []string
	}{
		{false, "m", []string{uri + b.URL + "/connect?q=1&token=(redacted)", header}},
		{true, "a\nb" + strings.Repeat("ü", 600), []string{
			uri + b.URL + "/connect?q=1&token=(redacted)", header, "Endpoint request body after transformations: a b" + strings.Repeat("ü", 510),
			"Endpoint response headers: {Content-Type=text/plain, Set-Cookie=(redacted)}", "Endpoint response body before transformations: line forged: line", "Response body after transformations: line forged: line"}},
	} {
		l := &lines{}
		e := message(t, s, tt.send)
		e.Log, e.Data = l, tt.data
		if _, err := mustNew(t, spec).Call(e); err != nil {
			t.Fatal(err)
		}
		for i := range l.text {
			if i >= len(tt.want) || l.text[i] != tt.want[i] {
				t.Errorf("data %t: line %d: %q", tt.data, i, l.text[i])
			}
		}
		if len(l.text) != len(tt.want) {
			t.Errorf("data %t: %d lines, want %d", tt.data, len(l.text), len(tt.want))
		}
	}
	l := &lines{}
	e := handshake(t, s, "%74oken=hidden&room=1&auth", "Cookie: hidden", "X-Session-Id: hidden")
	e.Log = l
	if _, err := mustNew(t, spec).Call(e); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(l.text, "\n"); strings.Contains(text, "hidden") || !strings.Contains(text, "room=1") {
		t.Errorf("the log has %s", text)
	}
	// Nor in the path, nor what the stage has.
	for _, tt := range []struct{ uri, key, source, want string }{
		{"/users/{who}?id={who}", "path.who", "route.request.querystring.token", "/users/redacted?id=redacted"},
		{"/users/{token}", "path.token", "stageVariables.who", "/users/redacted"},
		{"/users/{who}", "path.who", "stageVariables.token", "/users/redacted"},
		{"/users/{who}", "path.who", "context.connectionId", "/users/" + strings.TrimSuffix(testConnection, "=") + "%3D"},
		{"/users", "header.who", "stageVariables.token", "{who=(redacted), "},
		{"/users", "querystring.who", "stageVariables.token", "/users?who=(redacted)"},
	} {
		l := &lines{}
		e := handshake(t, s, "token=hidden")
		e.Log = l
		if _, err := mustNew(t, Spec{Type: "HTTP", URI: b.URL + tt.uri, Client: client, Responses: toDefault(""), Variables: map[string]string{"token": "hidden", "who": "hidden"},
			RequestParameters: map[string]string{"integration.request." + tt.key: tt.source}}).Call(e); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(l.text, "\n"); strings.Contains(text, "hidden") || !strings.Contains(text, tt.want) {
			t.Errorf("%s: the log has %s, want %s", tt.source, text, tt.want)
		}
	}
	l = &lines{}
	e = message(t, s, "m")
	e.Log, e.Data = l, true
	if _, err := mustNew(t, Spec{Type: "AWS_PROXY", URI: lambdaURI, Invoker: &lambda{payload: `{"statusCode":200,"body":"hi"}`}}).Call(e); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(l.text, "\n"); !strings.HasPrefix(text, uri+functionName+"\n") || !strings.HasSuffix(text, "Response body after transformations: hi") {
		t.Errorf("the log has %s", text)
	}
}

// FuzzParameter: whatever a parameter is and says, there is an error, nothing, or a header
// that can be sent.
func FuzzParameter(f *testing.F) {
	f.Add("integration.request.header.X-A", "route.request.body.a", `{"a":"x"}`)
	f.Add("integration.request.querystring.a", "route.request.body['a'][0]", `{"a":["x"]}`)
	f.Add("integration.request.path.a", "method.request.multivalueheader.Cookie", ``)
	f.Add("integration.request.header.te", "'x'", ``)
	f.Add("integration.request.header.X-A", "context.authorizer.x", `{`)
	f.Add("integration.request.header.X-A", "route.request.body}${request.body", `{"a":1}`)
	f.Add("integration.request.header.X-A", "route.request.multivaluequerystring.a", `[`)
	f.Add("integration.request.querystring.a", "'%20%+#ü'", ``)
	s := newServer(f)
	place, err := integration.ParseAddress("http://h/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key, value, text string) {
		p := compileParameters(&Spec{Type: "HTTP", RequestParameters: map[string]string{key: value}})
		for _, e := range []*Event{message(t, s, text), handshake(t, s, text, "X-A: "+strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, text))} {
			c := newCall(e, time.Second)
			if err := p.apply(c); err == nil {
				for _, h := range c.header {
					if _, err := gateway.ParseField([]byte(h.Name + ": " + h.Value)); err != nil {
						t.Errorf("%q = %q: %q: %v", key, value, h, err)
					}
				}
				var o integration.Outgoing
				if err := place.Fill(&o, nil, c.query); err != nil || strings.ContainsFunc(o.Target, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' }) {
					t.Errorf("%q = %q: %q: %v", key, value, o.Target, err)
				}
			}
			c.free()
		}
	})
}

// FuzzURI: whatever a URI is, it leads to a service, a function, or nowhere.
func FuzzURI(f *testing.F) {
	f.Add(lambdaURI)
	f.Add(functionName)
	f.Add("arn:aws:apigateway:us-east-1:a.sqs:path/{x}/q?a=b")
	f.Add("arn:aws:apigateway:us-east-1:sns:action/Publish&a={x}")
	f.Add("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions//invocations")
	s := newServer(f)
	f.Fuzz(func(t *testing.T, uri string) {
		service := &recordedService{status: 200}
		i, err := New(complete(Spec{Type: "AWS", URI: uri, Service: service, Invoker: &lambda{payload: "1"}, Responses: toDefault(""),
			RequestParameters: map[string]string{"integration.request.path.x": "'../x'"}}))
		if err != nil {
			return
		}
		if _, err := i.Call(message(t, s, "{}")); err != nil {
			return
		}
		q := &service.request
		if q.Host == "" {
			return // a function
		}
		path, _, _ := strings.Cut(q.Target, "?")
		if !strings.HasSuffix(q.Host, ".amazonaws.com") && !strings.HasSuffix(q.Host, ".amazonaws.com.cn") || strings.ContainsAny(q.Host, "/?#@: \r\n") ||
			!strings.HasPrefix(path, "/") || strings.ContainsAny(q.Target, " \r\n#") || strings.Contains(path, "../x") {
			t.Errorf("%q: %q %q", uri, q.Host, q.Target)
		}
	})
}
