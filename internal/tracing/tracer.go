// Package tracing follows exchanges and tells an OpenTelemetry collector about those
// that are sampled, by OTLP over HTTP.
//
//	t, err := tracing.New(ctx, tracing.Config{Endpoint: "http://127.0.0.1:4318", Sample: 0.1})
//	…
//	defer t.Shutdown(ctx)
//
// An exchange becomes two spans, one for itself and one, below it, for the call to the
// integration. Traces go through: what callers say in traceparent and tracestate (W3C
// Trace Context) or in X-Amzn-Trace-Id is continued, and backends get all three, with
// the integration's span as their parent. That is so for exchanges that are not
// sampled, too; they cost a few hundred nanoseconds and nothing else.
//
// Spans say nothing of query strings, and of header fields only the user agent. No
// exchange waits for the collector: what it does not take is dropped.
package tracing

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"penstock/internal/gateway"
)

const (
	// queueSize is how many spans wait for the collector at most; 512 of them go with
	// one request, at the latest after 5 s.
	queueSize    = 2048
	batchSize    = 512
	batchTimeout = 5 * time.Second
	// exportTimeout is how long one batch may take, with repetitions.
	exportTimeout = 10 * time.Second
	// shutdownTimeout is how long Shutdown takes at most.
	shutdownTimeout = 5 * time.Second
	// tracesPath is where collectors take spans.
	tracesPath = "/v1/traces"
)

// A Config says where spans go and which. Only Endpoint is required.
type Config struct {
	// Endpoint is the base URL of the collector, such as http://127.0.0.1:4318, to which
	// /v1/traces is added unless it ends so.
	Endpoint string
	// Headers are sent to the collector, to authenticate for example.
	Headers map[string]string
	// Sample is the share of the traces that are sampled, from 0 to 1, if their caller
	// has not decided. Default: 0.
	Sample float64
	// TrustParent says that callers decide whether their traces are sampled. If it is
	// false, Sample is the share of theirs, too. Default: true.
	TrustParent *bool
	// ServiceName and Version say who sends the spans. Default: penstock, and nothing.
	ServiceName, Version string
	// Log is told when spans are lost. Default: nothing is told.
	Log *slog.Logger
}

// A Tracer is a gateway.Tracer.
type Tracer struct {
	threshold uint64 // of 1<<63: trace ids with less in their last 63 bits are sampled
	trust     bool
	provider  *sdk.TracerProvider
	tracer    trace.Tracer
	exporter  *exporter
	waiting   atomic.Int64  // spans that have ended and are not exported
	dropped   atomic.Uint64 // spans that the collector never got
}

var _ gateway.Tracer = (*Tracer)(nil)

// New returns a Tracer. It does not wait for the collector, which may come later.
func New(ctx context.Context, c Config) (*Tracer, error) {
	endpoint, err := endpoint(c.Endpoint)
	if err != nil {
		return nil, err
	}
	if !(c.Sample >= 0 && c.Sample <= 1) {
		return nil, fmt.Errorf("tracing: sampled share %v, want a number from 0 to 1", c.Sample)
	}
	headers := make(map[string]string, len(c.Headers))
	for name, value := range c.Headers {
		if !validField(name, value) {
			return nil, fmt.Errorf("tracing: header %q is malformed", name)
		}
		headers[name] = value
	}
	t := &Tracer{threshold: uint64(c.Sample * (1 << 63)), trust: c.TrustParent == nil || *c.TrustParent}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ServiceName == "" {
		c.ServiceName = "penstock"
	}

	// Every option is given, so that the environment decides nothing.
	client, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(endpoint),
		otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithTimeout(exportTimeout),
		otlptracehttp.WithCompression(otlptracehttp.NoCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Second, MaxInterval: 5 * time.Second, MaxElapsedTime: exportTimeout}),
	)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	about := []resource.Option{resource.WithTelemetrySDK(), resource.WithAttributes(semconv.ServiceName(c.ServiceName))}
	if c.Version != "" {
		about = append(about, resource.WithAttributes(semconv.ServiceVersion(c.Version)))
	}
	service, err := resource.New(ctx, about...)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	t.exporter = &exporter{Exporter: client, t: t, log: c.Log}
	t.provider = sdk.NewTracerProvider(
		sdk.WithSampler(sdk.AlwaysSample()), // only sampled exchanges get there
		sdk.WithIDGenerator(generator{}),
		sdk.WithResource(service),
		sdk.WithRawSpanLimits(sdk.SpanLimits{AttributeValueLengthLimit: -1, AttributeCountLimit: 64}),
		sdk.WithBatcher(t.exporter,
			sdk.WithMaxQueueSize(queueSize),
			sdk.WithMaxExportBatchSize(batchSize),
			sdk.WithBatchTimeout(batchTimeout),
			sdk.WithExportTimeout(exportTimeout)),
	)
	t.tracer = t.provider.Tracer("penstock", trace.WithInstrumentationVersion(c.Version), trace.WithSchemaURL(semconv.SchemaURL))
	return t, nil
}

// endpoint returns the URL that spans are sent to. Errors do not show the URL, which
// may hold a password.
func endpoint(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", errors.New("tracing: the endpoint is not a URL")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", errors.New("tracing: want an endpoint such as http://127.0.0.1:4318")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("tracing: the endpoint must not have a user, a query or a fragment")
	}
	if !strings.HasSuffix(u.Path, tracesPath) {
		u = u.JoinPath(tracesPath)
	}
	return u.String(), nil
}

// validField reports whether a header field can be sent.
func validField(name, value string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return name != ""
}

// Start decides whether an exchange is sampled and what its backend is told.
func (t *Tracer) Start(x *gateway.Exchange) {
	var p parent
	p.read(x.Request.Header)
	id := p.trace
	if !id.IsValid() {
		start := x.Start
		if start.IsZero() {
			start = time.Now()
		}
		id = newTrace(start)
	}
	integration := newSpan()
	sampled := t.sampled(&p, id)
	x.Trace = p.propagate(id, integration, sampled)
	x.Span = nil
	if sampled {
		s := &span{trace: id, server: newSpan(), integration: integration, parent: p.span}
		if p.decision == record {
			s.flags = trace.FlagsSampled
		}
		if p.state != "" {
			s.state, _ = trace.ParseTraceState(strings.Clone(p.state)) // none if it is malformed
		}
		x.Span = s
	}
}

// sampled decides about a trace. Those that begin here, and those whose caller leaves
// it open, are sampled by their id, so that all parts of a trace are or none. Callers
// who are not trusted must not choose by choosing the id: for theirs a die is cast.
func (t *Tracer) sampled(p *parent, id trace.TraceID) bool {
	if p.trace.IsValid() {
		if !t.trust {
			return rand.Uint64()>>1 < t.threshold
		}
		if p.decision != undecided {
			return p.decision == record
		}
	}
	return binary.BigEndian.Uint64(id[8:])>>1 < t.threshold
}

// Dropped returns how many spans the collector did not get.
func (t *Tracer) Dropped() uint64 { return t.dropped.Load() }

// Shutdown sends what has not been sent. When ctx ends, and at the latest after 5 s, it
// gives up and returns an error. Exchanges that end later are not recorded.
func (t *Tracer) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		_ = t.exporter.Shutdown(ctx) // ends the request that is under way
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}

// An exporter sends spans and reports failures, at most one in 10 s. It keeps errors
// from the SDK, which would tell a global handler.
type exporter struct {
	*otlptrace.Exporter
	t        *Tracer
	log      *slog.Logger
	reported time.Time // by ExportSpans, which is called by one goroutine at a time
	told     uint64    // dropped as of then
}

// reportEvery is the time between two reports, longestReport how much of an error, which
// may quote the collector, is shown.
const (
	reportEvery   = 10 * time.Second
	longestReport = 500
)

// ExportSpans sends spans. It returns no error.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.Exporter.ExportSpans(ctx, spans)
	e.t.waiting.Add(-int64(len(spans)))
	if err != nil {
		e.t.dropped.Add(uint64(len(spans)))
	}
	dropped := e.t.dropped.Load()
	if now := time.Now(); dropped > e.told && now.Sub(e.reported) >= reportEvery {
		if err != nil {
			reason := err.Error()
			e.log.Warn("traces cannot be sent", "dropped", dropped-e.told, "error", reason[:min(len(reason), longestReport)])
		} else {
			e.log.Warn("the trace collector cannot keep up", "dropped", dropped-e.told)
		}
		e.reported, e.told = now, dropped
	}
	return nil
}

// MarshalLog keeps the exporter out of the SDK's own log, which may be switched on.
func (e *exporter) MarshalLog() any { return "penstock" }
