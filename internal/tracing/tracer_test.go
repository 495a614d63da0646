package tracing

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"penstock/internal/gateway"
)

// A receiver is an OTLP collector that keeps what it gets.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	spans    []*otlp.Span
	resource []*common.KeyValue
	requests []*http.Request
	answer   *collector.ExportTraceServiceResponse
	status   int
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{status: http.StatusOK, answer: &collector.ExportTraceServiceResponse{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var m collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &m)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	for _, rs := range m.ResourceSpans {
		r.resource = rs.Resource.Attributes
		for _, ss := range rs.ScopeSpans {
			r.spans = append(r.spans, ss.Spans...)
		}
	}
	b, _ := proto.Marshal(r.answer)
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(r.status)
	w.Write(b)
}

// collected flushes the Tracer and returns the spans, the outer ones first.
func (r *receiver) collected(t testing.TB, tracer *Tracer) []*otlp.Span {
	t.Helper()
	if err := tracer.provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	spans := r.spans
	r.spans = nil
	slices.SortStableFunc(spans, func(a, b *otlp.Span) int { return int(a.Kind) - int(b.Kind) })
	return spans
}

// describe writes a span on a line, and its attributes in order.
func describe(s *otlp.Span) string {
	kind := map[otlp.Span_SpanKind]string{otlp.Span_SPAN_KIND_SERVER: "server", otlp.Span_SPAN_KIND_CLIENT: "client"}[s.Kind]
	text := fmt.Sprintf("%s %q %v+%v", kind, s.Name, time.Unix(0, int64(s.StartTimeUnixNano)).Sub(testStart), time.Duration(s.EndTimeUnixNano-s.StartTimeUnixNano))
	if s.Status.GetCode() != otlp.Status_STATUS_CODE_UNSET {
		text += " " + s.Status.GetCode().String()
	}
	var attributes []string
	for _, a := range s.Attributes {
		value := fmt.Sprint(a.Value.GetIntValue())
		if v, ok := a.Value.Value.(*common.AnyValue_StringValue); ok {
			value = v.StringValue
		}
		attributes = append(attributes, "\n"+a.Key+"="+value)
	}
	slices.Sort(attributes)
	return text + strings.Join(attributes, "")
}

var testStart = time.Unix(1700000000, 0)

// exchange returns one that is at its end.
func exchange() *gateway.Exchange {
	return &gateway.Exchange{
		Request: gateway.Request{
			Method: "GET", Target: "/live/pets/7?secret=1", Path: "/live/pets/7", Query: "secret=1", Host: "pets.example.com:8443",
			Header: fields("Host: pets.example.com", "User-Agent: curl/8", "Authorization: secret", "traceparent: "+testParent, "tracestate: a=1"),
			Minor:  1, Peer: netip.MustParseAddrPort("192.0.2.1:1234"),
			TLS: &tls.ConnectionState{NegotiatedProtocol: "h2"},
		},
		Response: gateway.Response{Status: 200},
		ID:       "JCJP4iwYPHcEJgQ=", Start: testStart, Latency: 100 * time.Millisecond,
		API: &gateway.API{ID: "a1b2c3d4e5"}, Stage: &gateway.Stage{Name: "live"}, Route: &gateway.Route{Key: "ANY /pets/{id}"},
		AuthorizerLatency: 10 * time.Millisecond, IntegrationLatency: 50 * time.Millisecond,
		Integration: gateway.IntegrationOutcome{Status: 201, ServiceStatus: 200, RequestID: "r1"},
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	const (
		client = "\nclient.address=192.0.2.1"
		host   = "\nserver.address=pets.example.com\nserver.port=8443"
		agent  = "\nuser_agent.original=curl/8"
		api    = "\naws.apigateway.api_id=a1b2c3d4e5\naws.apigateway.request_id=JCJP4iwYPHcEJgQ=\naws.apigateway.stage=live"
		get    = "\nhttp.request.method=GET"
		path   = "\nurl.path=/live/pets/7\nurl.scheme=https"
		route  = "\nhttp.route=/pets/{id}"
		h2     = "\nnetwork.protocol.version=2"
		called = "client \"integration\" 10ms+50ms\naws.request_id=r1\nhttp.response.status_code=201"
	)
	for _, tt := range []struct {
		name   string
		change func(x *gateway.Exchange)
		want   []string
	}{
		{"full", func(*gateway.Exchange) {}, []string{
			"server \"GET /pets/{id}\" 0s+100ms" + api + client + get + "\nhttp.response.status_code=200" + route + h2 + host + path + agent, called}},
		{"no integration", func(x *gateway.Exchange) {
			x.IntegrationLatency, x.Integration, x.Response.Status = 0, gateway.IntegrationOutcome{}, 403
		}, []string{
			"server \"GET /pets/{id}\" 0s+100ms" + api + client + get + "\nhttp.response.status_code=403" + route + h2 + host + path + agent}},
		{"no route", func(x *gateway.Exchange) {
			x.API, x.Stage, x.Route, x.IntegrationLatency, x.Response.Status = nil, nil, nil, 0, 404
		}, []string{
			"server \"GET\" 0s+100ms\naws.apigateway.request_id=JCJP4iwYPHcEJgQ=" + client + get + "\nhttp.response.status_code=404" + h2 + host + path + agent}},
		{"nothing at all", func(x *gateway.Exchange) {
			*x = gateway.Exchange{Start: testStart, Trace: x.Trace, Span: x.Span}
		}, []string{
			"server \"HTTP\" 0s+0s\nhttp.request.method=_OTHER\nnetwork.protocol.version=1.0\nurl.path=\nurl.scheme=http"}},
		{"default route, other method, cleartext", func(x *gateway.Exchange) {
			x.Route = &gateway.Route{Key: "$default"}
			x.Request.Method, x.Request.TLS, x.Request.Host, x.Request.Header = "BREW", nil, "[::1]", nil
		}, []string{
			"server \"HTTP $default\" 0s+100ms" + api + client + "\nhttp.request.method=_OTHER\nhttp.request.method_original=BREW\nhttp.response.status_code=200\nhttp.route=$default" +
				"\nnetwork.protocol.version=1.1\nserver.address=::1\nurl.path=/live/pets/7\nurl.scheme=http", called}},
		{"backend fails", func(x *gateway.Exchange) { x.Response.Status, x.Integration.Status = 502, 502 }, []string{
			"server \"GET /pets/{id}\" 0s+100ms STATUS_CODE_ERROR" + api + client + "\nerror.type=502" + get + "\nhttp.response.status_code=502" + route + h2 + host + path + agent,
			"client \"integration\" 10ms+50ms STATUS_CODE_ERROR\naws.request_id=r1\nerror.type=502\nhttp.response.status_code=502"}},
		{"backend does not answer", func(x *gateway.Exchange) {
			x.Integration = gateway.IntegrationOutcome{Error: "dial http://secret?secret"}
			x.IntegrationLatency = time.Second
		}, []string{
			"server \"GET /pets/{id}\" 0s+100ms" + api + client + get + "\nhttp.response.status_code=200" + route + h2 + host + path + agent,
			"client \"integration\" -900ms+1s STATUS_CODE_ERROR\nerror.type=_OTHER"}},
		{"no UTF-8, and long", func(x *gateway.Exchange) {
			x.Request.Path, x.Request.Host = "/\xff", strings.Repeat("a", 5000)
			x.Request.Header = fields("user-agent: " + strings.Repeat("a", 1023) + "é")
		}, []string{
			"server \"GET /pets/{id}\" 0s+100ms" + api + client + get + "\nhttp.response.status_code=200" + route + h2 +
				"\nserver.address=" + strings.Repeat("a", 1024) + "\nurl.path=/\uFFFD\nurl.scheme=https\nuser_agent.original=" + strings.Repeat("a", 1023) + "\uFFFD", called}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			tracer := mustTracer(t, Config{Endpoint: r.URL})
			x := exchange()
			tracer.Start(x)
			told := x.Trace.Parent
			tt.change(x)
			tracer.End(x)
			if x.Span != nil {
				t.Error("the span is kept")
			}
			tracer.End(x) // does nothing
			spans := r.collected(t, tracer)
			var got []string
			for _, s := range spans {
				got = append(got, describe(s))
			}
			if !slices.Equal(got, tt.want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			server := spans[0]
			if id := hex.EncodeToString(server.TraceId); id != testTrace || hex.EncodeToString(server.ParentSpanId) != testSpan || server.TraceState != "a=1" {
				t.Errorf("trace %s, parent %x, state %q", id, server.ParentSpanId, server.TraceState)
			}
			if len(spans) == 1 {
				return
			}
			// The backend's parent is the integration's span, whose parent is the exchange's.
			integration := spans[1]
			if id := hex.EncodeToString(integration.SpanId); id != told[36:52] || hex.EncodeToString(integration.TraceId) != testTrace || string(integration.ParentSpanId) != string(server.SpanId) {
				t.Errorf("span %s below %x, the backend was told %s", id, integration.ParentSpanId, told)
			}
		})
	}
}

// The parents of spans, by what callers say.
func TestParents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		header        []gateway.Field
		trace, parent string
	}{
		{"none", nil, "", ""},
		{"W3C", fields("traceparent: " + testParent), testTrace, testSpan},
		{"W3C, not sampled there", fields("traceparent: " + testParent[:54] + "0"), testTrace, testSpan},
		{"X-Ray with a parent", fields("X-Amzn-Trace-Id: " + testRoot + ";Parent=" + testSpan), testTrace, testSpan},
		{"X-Ray without one", fields("X-Amzn-Trace-Id: " + testRoot), testTrace, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newReceiver(t)
			tracer := mustTracer(t, Config{Endpoint: r.URL, Sample: 1, TrustParent: new(false)})
			x := exchange()
			x.Request.Header = tt.header
			tracer.Start(x)
			tracer.End(x)
			spans := r.collected(t, tracer)
			if len(spans) != 2 {
				t.Fatalf("%d spans", len(spans))
			}
			id, parent := hex.EncodeToString(spans[0].TraceId), hex.EncodeToString(spans[0].ParentSpanId)
			if tt.trace == "" {
				tt.trace = x.Trace.Parent[3:35]
			}
			if id != tt.trace || parent != tt.parent || string(spans[1].TraceId) != string(spans[0].TraceId) {
				t.Errorf("trace %s, parent %q, want %s, %q", id, parent, tt.trace, tt.parent)
			}
		})
	}
}

// Strings of a request point into memory that the next request on the connection
// overwrites, and spans are sent later.
func TestSpansKeepNothingOfTheRequest(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	tracer := mustTracer(t, Config{Endpoint: r.URL, Sample: 1})
	s := gateway.NewServer(gateway.Config{Region: "eu-west-1", Tracer: tracer, Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	s.Publish(gateway.NewSnapshot(1, nil))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	responses := bufio.NewReader(conn)
	ids := make(map[string]bool)
	for _, c := range []string{"a", "b", "c"} {
		text := strings.Repeat(c, 20)
		fmt.Fprintf(conn, "GET /%s?%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n", text, text, text, text)
		response, err := http.ReadResponse(responses, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		ids[response.Header.Get("apigw-requestid")] = true
	}
	conn.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spans := r.collected(t, tracer)
	if len(spans) != 3 || len(ids) != 3 {
		t.Fatalf("%d spans for %d requests, want 3", len(spans), len(ids))
	}
	for i, c := range []string{"a", "b", "c"} {
		text := strings.Repeat(c, 20)
		got := describe(spans[i])
		for _, want := range []string{"url.path=/" + text, "server.address=" + text, "user_agent.original=" + text} {
			if !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		_, id, _ := strings.Cut(got, "request_id=")
		id, _, _ = strings.Cut(id, "\n")
		if !ids[id] {
			t.Errorf("request id %q is none of %v", id, ids)
		}
		delete(ids, id)
	}
}

func TestRequestsToCollector(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ base, path string }{{"", "/v1/traces"}, {"/", "/v1/traces"}, {"/otlp", "/otlp/v1/traces"}, {"/otlp/v1/traces", "/otlp/v1/traces"}} {
		r := newReceiver(t)
		tracer := mustTracer(t, Config{Endpoint: r.URL + tt.base, Headers: map[string]string{"X-Token": "secret"}, ServiceName: "pets", Version: "1.2.3"})
		x := exchange()
		tracer.Start(x)
		tracer.End(x)
		if err := tracer.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(r.spans) != 2 || len(r.requests) != 1 {
			t.Fatalf("%d spans in %d requests, want 2 in 1", len(r.spans), len(r.requests))
		}
		if q := r.requests[0]; q.URL.Path != tt.path || q.Header.Get("X-Token") != "secret" {
			t.Errorf("%q: got path %s, headers %v", tt.base, q.URL.Path, q.Header)
		}
		about := fmt.Sprint(r.resource)
		if !strings.Contains(about, `"pets"`) || !strings.Contains(about, `"1.2.3"`) {
			t.Errorf("resource %s", about)
		}
		tracer.Start(x)
		tracer.End(x) // after Shutdown: nothing happens
	}
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	const endpoint = "http://127.0.0.1:4318"
	for _, tt := range []struct {
		name string
		c    Config
		want string
	}{
		{"no endpoint", Config{}, "want an endpoint such as"},
		{"no host", Config{Endpoint: "http://"}, "want an endpoint such as"},
		{"no scheme", Config{Endpoint: "127.0.0.1:4318"}, "not a URL"},
		{"other scheme", Config{Endpoint: "grpc://127.0.0.1:4317"}, "want an endpoint such as"},
		{"password", Config{Endpoint: "http://u:p@a"}, "must not have a user"},
		{"query", Config{Endpoint: "http://a?b"}, "must not have a user"},
		{"sample below", Config{Endpoint: endpoint, Sample: -0.1}, "want a number from 0 to 1"},
		{"sample above", Config{Endpoint: endpoint, Sample: 1.1}, "want a number from 0 to 1"},
		{"sample nowhere", Config{Endpoint: endpoint, Sample: math.NaN()}, "want a number from 0 to 1"},
		{"header name", Config{Endpoint: endpoint, Headers: map[string]string{"a b": "c"}}, "malformed"},
		{"no header name", Config{Endpoint: endpoint, Headers: map[string]string{"": "c"}}, "malformed"},
		{"header value", Config{Endpoint: endpoint, Headers: map[string]string{"a": "secret\n"}}, "malformed"},
	} {
		if _, err := New(t.Context(), tt.c); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// A collector that takes connections and never answers delays no exchange; what does
// not fit into the queue is dropped; Shutdown gives up.
func TestCollectorHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tracer := mustTracer(t, Config{Endpoint: "http://" + l.Addr().String(), Sample: 1})
	slowest, begin := time.Duration(0), time.Now()
	for range 5000 {
		x := exchange()
		before := time.Now()
		tracer.Start(x)
		tracer.End(x)
		slowest = max(slowest, time.Since(before))
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("5000 exchanges took %v", d)
	}
	t.Logf("slowest of 5000 exchanges: %v", slowest)
	if n := tracer.Dropped(); n != 10000-queueSize {
		t.Errorf("%d spans dropped, want %d", n, 10000-queueSize)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin = time.Now()
	if err := tracer.Shutdown(ctx); err == nil {
		t.Error("Shutdown has sent spans")
	}
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("Shutdown took %v", d)
	}
}

// The log is told at most once in 10 s, with everything that was lost since.
func TestReports(t *testing.T) {
	t.Parallel()
	away := newReceiver(t)
	away.Close()
	refusing := newReceiver(t)
	refusing.status = http.StatusBadRequest
	partial := newReceiver(t)
	partial.answer.PartialSuccess = &collector.ExportTracePartialSuccess{RejectedSpans: 2, ErrorMessage: "too old"}
	for _, tt := range []struct{ name, endpoint, want string }{
		{"away", away.URL, "connection refused"},
		{"refusing", refusing.URL, "400 Bad Request"},
		{"partial", partial.URL, "too old"},
	} {
		var text strings.Builder
		tracer := mustTracer(t, Config{Endpoint: tt.endpoint, Log: slog.New(slog.NewTextHandler(&text, nil))})
		send := func() {
			x := exchange()
			tracer.Start(x)
			tracer.End(x)
			if err := tracer.provider.ForceFlush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		send()
		send()
		tracer.exporter.reported = tracer.exporter.reported.Add(-reportEvery)
		send()
		lines := strings.Split(text.String(), "\n")
		if len(lines) != 3 || !strings.Contains(lines[0], tt.want) || !strings.Contains(lines[0], "dropped=2") || !strings.Contains(lines[1], "dropped=4") {
			t.Errorf("%s: got %q", tt.name, lines)
		}
		if n := tracer.Dropped(); n != 6 {
			t.Errorf("%s: %d spans dropped, want 6", tt.name, n)
		}
	}
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	tracer := mustTracer(t, Config{Endpoint: r.URL, Sample: 1})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				x := exchange()
				tracer.Start(x)
				tracer.End(x)
			}
		})
	}
	wg.Wait()
	if err := tracer.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(r.spans); n != 1600 || tracer.Dropped() != 0 {
		t.Errorf("%d spans, %d dropped, want 1600", n, tracer.Dropped())
	}
}

func BenchmarkEnd(b *testing.B) {
	r := newReceiver(b)
	tracer := mustTracer(b, Config{Endpoint: r.URL, Sample: 1})
	x := exchange()
	b.ReportAllocs()
	for b.Loop() {
		tracer.waiting.Store(0) // never too many: each exchange costs all it can
		tracer.Start(x)
		tracer.End(x)
	}
}
