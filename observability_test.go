package penstock_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"penstock"
)

func logGroup(name string) string {
	return "arn:aws:logs:us-east-1:" + testAccount + ":log-group:" + name
}

// logTo is the access log of a stage.
func logTo(arn, format string) *types.AccessLogSettings {
	return &types.AccessLogSettings{DestinationArn: &arn, Format: &format}
}

// Lines go to files that rotate, and Close leaves none behind.
func TestAccessLogFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pets.log")
	w := newWorld(t, penstock.Config{AccessLogs: []penstock.AccessLog{{DestinationARN: logGroup("pets") + ":*", File: file, MaxSize: 100, MaxFiles: 20}}})
	api := w.api(apiSpec{routes: to("GET /a"), log: logTo(logGroup("pets"), "$context.requestId $context.routeKey $context.status")})
	var want []string
	for range 20 {
		want = append(want, w.ask(api, "GET /a").Header.Get("Apigw-Requestid")+" GET /a 200")
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(file + "*")
	if err != nil || len(files) < 3 {
		t.Errorf("files %q (%v)", files, err)
	}
	var got []string
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || len(text) > 100 {
			t.Errorf("%s has %d bytes (%v)", f, len(text), err)
		}
		got = append(got, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
		info, err := os.Stat(f)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v (%v)", f, info.Mode(), err)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d lines %q, want %q", len(got), got, want)
	}
}

// Destinations are found by their ARNs, or else by the asterisk.
func TestAccessLogDestinations(t *testing.T) {
	t.Parallel()
	pets, rest := new(lines), new(lines)
	w := newWorld(t, penstock.Config{AccessLogs: []penstock.AccessLog{{DestinationARN: "*", Writer: rest}, {DestinationARN: logGroup("pets"), Writer: pets}}})
	for _, tt := range []struct {
		arn string
		to  *lines
	}{{logGroup("pets"), pets}, {logGroup("toys"), rest}, {logGroup("pets/live"), rest}} {
		api := w.api(apiSpec{routes: to("GET /a"), log: logTo(tt.arn, "$context.requestId $context.apiId")})
		a := w.ask(api, "GET /a")
		if got, want := tt.to.next(t), a.Header.Get("Apigw-Requestid")+" "+api; got != want {
			t.Errorf("%s: got %s, want %s", tt.arn, got, want)
		}
	}
}

// A format that changes is used at once: no deployment is needed.
func TestAccessLogFormat(t *testing.T) {
	t.Parallel()
	log := new(lines)
	w := newWorld(t, penstock.Config{AccessLogs: []penstock.AccessLog{{DestinationARN: logGroup("pets"), Writer: log}}})
	api := w.api(apiSpec{routes: to("GET /a"), log: logTo(logGroup("pets"), "$context.requestId before")})
	for _, tt := range []struct{ format, want string }{
		{"", " before"},
		{"$context.requestId after $context.httpMethod", " after GET"},
		{`{"id":"$context.requestId","path":"$context.path"}`, `","path":"/a"}`},
	} {
		if tt.format != "" {
			check[*apigatewayv2.UpdateStageOutput](t)(w.control.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{
				ApiId: &api, StageName: aws.String("$default"), AccessLogSettings: logTo(logGroup("pets"), tt.format),
			}))
		}
		id := w.ask(api, "GET /a").Header.Get("Apigw-Requestid")
		if got := log.next(t); !strings.HasSuffix(got, id+tt.want) {
			t.Errorf("%q: got %s, want %s%s at its end", tt.format, got, id, tt.want)
		}
	}
}

// A destination that the configuration does not have is told once, however often stages
// that name it are compiled, and does not keep requests from being answered.
func TestAccessLogNowhere(t *testing.T) {
	t.Parallel()
	var log lines
	w := newWorld(t, penstock.Config{
		Logger:     slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		AccessLogs: []penstock.AccessLog{{DestinationARN: logGroup("pets"), Writer: io.Discard}},
	})
	for _, name := range []string{"toys", "toys", "pets", "toys:*", "cats"} {
		api := w.api(apiSpec{routes: to("GET /a"), stages: []string{"one", "two"}, log: logTo(logGroup(name), "$context.requestId")})
		if got := w.ask(api, "GET /one/a"); got.StatusCode != 200 {
			t.Errorf("%s: status %d", name, got.StatusCode)
		}
	}
	if err := w.server.Close(); err != nil {
		t.Fatal(err)
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	for name, want := range map[string]int{"log-group:toys\n": 1, "log-group:pets": 0, "log-group:cats\n": 1} {
		if got := strings.Count(log.text.String(), name); got != want {
			t.Errorf("%q is told %d times, want %d:\n%s", name, got, want, log.text.String())
		}
	}
}

// A spanCollector is a collector of traces.
type spanCollector struct {
	mu     sync.Mutex // guards what follows
	spans  []*otlp.Span
	about  string // the resource
	header http.Header
}

func (c *spanCollector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		http.Error(w, "no spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = r.Header
	for _, resource := range sent.ResourceSpans {
		c.about = resource.Resource.String()
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// The collector of traces gets a span of each request and one of its backend, which is
// told of it.
func TestTracing(t *testing.T) {
	t.Parallel()
	spans := new(spanCollector)
	server := httptest.NewServer(spans)
	defer server.Close()
	w := newWorld(t, penstock.Config{Tracing: penstock.Tracing{
		Endpoint: server.URL, Sample: 1, ServiceName: "pets-gateway", Headers: []penstock.TracingHeader{{Name: "X-Key", Value: "lets in"}},
	}})
	api := w.api(apiSpec{routes: to("GET /a")})
	told := map[string]string{} // parent by trace, as the backends have it
	for range 3 {
		w.ask(api, "GET /a")
		seen := w.take()
		parts := strings.Split(seen.Header.Get("Traceparent"), "-")
		if len(parts) != 4 || parts[3] != "01" {
			t.Fatalf("traceparent %q", parts)
		}
		if want := fmt.Sprintf("Root=1-%s-%s;Parent=%s;Sampled=1", parts[1][:8], parts[1][8:], parts[2]); seen.Header.Get("X-Amzn-Trace-Id") != want {
			t.Errorf("X-Amzn-Trace-Id %q, want %q", seen.Header.Get("X-Amzn-Trace-Id"), want)
		}
		told[parts[1]] = parts[2]
	}
	// A caller that has a trace sees it go on.
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	w.ask(api, "GET /a", "traceparent: 00-"+trace+"-"+parent+"-01")
	parts := strings.Split(w.take().Header.Get("Traceparent"), "-")
	if len(parts) != 4 || parts[1] != trace || parts[2] == parent {
		t.Errorf("traceparent %q", parts)
	}
	told[parts[1]] = parts[2]
	w.ask(api, "GET /nope")

	if err := w.server.Close(); err != nil { // sends what has not been sent
		t.Fatal(err)
	}
	spans.mu.Lock()
	defer spans.mu.Unlock()
	var servers, clients int
	for _, s := range spans.spans {
		id := hex.EncodeToString(s.TraceId)
		switch s.Kind {
		case otlp.Span_SPAN_KIND_SERVER:
			servers++
			if id == trace && hex.EncodeToString(s.ParentSpanId) != parent {
				t.Errorf("the parent of %v", s)
			}
		case otlp.Span_SPAN_KIND_CLIENT:
			clients++
			if told[id] != hex.EncodeToString(s.SpanId) {
				t.Errorf("the backend was told of %s, the collector of %x", told[id], s.SpanId)
			}
		}
	}
	if servers != 5 || clients != 4 || len(told) != 4 {
		t.Errorf("%d spans of requests, %d of backends in %d traces, want 5, 4 and 4", servers, clients, len(told))
	}
	if !strings.Contains(spans.about, "pets-gateway") || spans.header.Get("X-Key") != "lets in" {
		t.Errorf("sent by %s with %v", spans.about, spans.header)
	}
}

// What cannot work is told with its key.
func TestObservabilityErrors(t *testing.T) {
	t.Parallel()
	to := func(l ...penstock.AccessLog) func(*penstock.Config) {
		return func(c *penstock.Config) { c.AccessLogs = l }
	}
	trace := func(traced penstock.Tracing) func(*penstock.Config) {
		return func(c *penstock.Config) { c.Tracing = traced }
	}
	var buffer bytes.Buffer
	for _, tt := range []struct {
		name string
		edit func(*penstock.Config)
		want string
	}{
		{"no destination", to(penstock.AccessLog{File: "f"}), "accessLogs[0].destinationArn is missing"},
		{"a destination twice", to(penstock.AccessLog{DestinationARN: "a", Stream: "stdout"}, penstock.AccessLog{DestinationARN: "a:*", Stream: "stderr"}), "accessLogs[1].destinationArn: a:* is there twice"},
		{"no place", to(penstock.AccessLog{DestinationARN: "a"}), "accessLogs[0]: give one of file and stream"},
		{"two places", to(penstock.AccessLog{DestinationARN: "a", File: "f", Writer: &buffer}), "accessLogs[0]: give one of file and stream"},
		{"a stream", to(penstock.AccessLog{DestinationARN: "a", Stream: "stdin"}), `accessLogs[0].stream: "stdin" is not a stream: want stdout or stderr`},
		{"a size", to(penstock.AccessLog{DestinationARN: "a", File: "f", MaxSize: -1}), "accessLogs[0]: maxSize and maxFiles are not negative"},
		{"a number", to(penstock.AccessLog{DestinationARN: "a", File: "f", MaxFiles: -1}), "accessLogs[0]: maxSize and maxFiles are not negative"},
		{"a directory that is not there", to(penstock.AccessLog{DestinationARN: "a", File: filepath.Join(t.TempDir(), "none", "f")}), "accessLogs: "},
		{"no URL", trace(penstock.Tracing{Endpoint: "127.0.0.1:4318"}), `tracing.endpoint: "127.0.0.1:4318" is not an http or https URL`},
		{"another scheme", trace(penstock.Tracing{Endpoint: "grpc://127.0.0.1:4317"}), "tracing.endpoint: "},
		{"a password in the URL", trace(penstock.Tracing{Endpoint: "http://ada:hush@127.0.0.1"}), "tracing: the endpoint must not have a user"},
		{"too much", trace(penstock.Tracing{Sample: 1.01}), "tracing.sample: 1.01 is not a part: want up to 1, or -1 for none"},
		{"less than nothing", trace(penstock.Tracing{Sample: -0.1}), "tracing.sample: -0.1 is not a part"},
		{"no number", trace(penstock.Tracing{Sample: math.NaN()}), "tracing.sample: NaN is not a part"},
		{"no name", trace(penstock.Tracing{Headers: []penstock.TracingHeader{{Value: "hush"}}}), "tracing.headers[0].name is missing"},
		{"a name", trace(penstock.Tracing{Endpoint: "http://127.0.0.1:1", Headers: []penstock.TracingHeader{{Name: "a b", Value: "hush"}}}), `tracing: header "a b" is malformed`},
		{"less than off", func(c *penstock.Config) { c.Explain.Requests = -2 }, "explain.requests: -2 is out of range: want 1 to 1000000, or -1 for none"},
		{"too many", func(c *penstock.Config) { c.Explain.Requests = 1_000_001 }, "explain.requests: 1000001 is out of range"},
	} {
		c := quiet
		tt.edit(&c)
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "tracing: tracing") {
			t.Errorf("%s: got %q, want %q", tt.name, err, tt.want)
		}
	}
}
