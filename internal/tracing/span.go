package tracing

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"penstock/internal/gateway"
)

// maxText is the longest text of an attribute, in bytes of what the request had.
const maxText = 1024

// The attributes that have no name in the semantic conventions.
const (
	keyAPI     = attribute.Key("aws.apigateway.api_id")
	keyStage   = attribute.Key("aws.apigateway.stage")
	keyRequest = attribute.Key("aws.apigateway.request_id")
)

// A span is what is kept of a sampled exchange until it ends. The ids of both spans are
// known from the start, since the backend is told one of them. All else is known at the
// end, when the spans of the SDK are made.
type span struct {
	trace               trace.TraceID
	server, integration trace.SpanID
	parent              trace.SpanID // zero without one
	flags               trace.TraceFlags
	state               trace.TraceState
}

// identity is the key of the ids that the next span gets, in a context.
type identity struct{}

// An ids is what a generator gives to a span.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// A generator gives spans the ids that their context says.
type generator struct{}

func (generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if i, ok := ctx.Value(identity{}).(ids); ok {
		return i.trace, i.span
	}
	return newTrace(time.Now()), newSpan()
}

func (generator) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if i, ok := ctx.Value(identity{}).(ids); ok {
		return i.span
	}
	return newSpan()
}

// End hands the spans of a sampled exchange over. It copies all it keeps. If too many
// spans wait, these are dropped.
func (t *Tracer) End(x *gateway.Exchange) {
	s, ok := x.Span.(*span)
	if !ok {
		return
	}
	x.Span = nil
	spans := int64(1)
	if x.IntegrationLatency > 0 {
		spans = 2
	}
	if t.waiting.Add(spans) > queueSize {
		t.waiting.Add(-spans)
		t.dropped.Add(uint64(spans))
		return
	}

	start := x.Start
	if start.IsZero() {
		start = time.Now()
	}
	end := start.Add(x.Latency)
	ctx := context.WithValue(context.Background(), identity{}, ids{s.trace, s.server})
	if s.parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: s.trace, SpanID: s.parent, TraceFlags: s.flags, TraceState: s.state, Remote: true,
		}))
	}
	ctx, server := t.tracer.Start(ctx, spanName(x), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(start),
		trace.WithAttributes(serverAttributes(x)...))
	if spans == 2 {
		ctx = context.WithValue(ctx, identity{}, ids{s.trace, s.integration})
		t.integration(ctx, x, start, end)
	}
	if x.Response.Status >= 500 {
		server.SetStatus(codes.Error, "")
	}
	server.End(trace.WithTimestamp(end))
}

// integration makes the span of the call to the integration. How long the call took is
// known, and that it came after the authorizer and before the end; when it began within
// that is not, so it is taken to have begun as soon as it could.
func (t *Tracer) integration(ctx context.Context, x *gateway.Exchange, start, end time.Time) {
	start = start.Add(x.AuthorizerLatency)
	if latest := end.Add(-x.IntegrationLatency); start.After(latest) {
		start = latest
	}
	var attributes []attribute.KeyValue
	o := &x.Integration
	if o.Status != 0 {
		attributes = append(attributes, semconv.HTTPResponseStatusCode(o.Status))
	}
	if o.RequestID != "" {
		attributes = append(attributes, semconv.AWSRequestID(text(o.RequestID)))
	}
	failure := x.Failure()
	why := ""
	switch {
	case failure != nil && failure.Status >= 500:
		why = failure.Type
	case o.Status >= 500:
		why = strconv.Itoa(o.Status)
	case o.Error != "":
		why = "_OTHER"
	}
	if why != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(why))
	}
	_, span := t.tracer.Start(ctx, "integration", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(start), trace.WithAttributes(attributes...))
	if why != "" {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(start.Add(x.IntegrationLatency)))
}

// spanName returns the method and the path of the route, "GET /pets/{id}": of these,
// unlike of paths, there are few.
func spanName(x *gateway.Exchange) string {
	method := method(x.Request.Method)
	if method == "" {
		method = "HTTP"
	}
	if x.Route == nil {
		return method
	}
	return method + " " + routePath(x.Route)
}

// routePath returns the path of a route key; "$default" has none and stands for itself.
func routePath(r *gateway.Route) string {
	if _, path, found := strings.Cut(r.Key, " "); found {
		return path
	}
	return r.Key
}

// method returns a method that is known, as a string that stays valid; "" for others.
func method(s string) string {
	switch s {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "PATCH":
		return "PATCH"
	case "OPTIONS":
		return "OPTIONS"
	case "CONNECT":
		return "CONNECT"
	case "TRACE":
		return "TRACE"
	}
	return ""
}

// serverAttributes returns what the span of an exchange says.
func serverAttributes(x *gateway.Exchange) []attribute.KeyValue {
	r := &x.Request
	a := make([]attribute.KeyValue, 0, 16)
	if method := method(r.Method); method != "" {
		a = append(a, semconv.HTTPRequestMethodKey.String(method))
	} else {
		a = append(a, semconv.HTTPRequestMethodOther)
		if r.Method != "" {
			a = append(a, semconv.HTTPRequestMethodOriginal(text(r.Method)))
		}
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	a = append(a, semconv.URLScheme(scheme), semconv.URLPath(text(r.Path)), semconv.NetworkProtocolVersion(protocol(r)))
	if x.Route != nil {
		a = append(a, semconv.HTTPRoute(routePath(x.Route)))
	}
	if x.Response.Status != 0 {
		a = append(a, semconv.HTTPResponseStatusCode(x.Response.Status))
	}
	if x.Response.Status >= 500 {
		a = append(a, semconv.ErrorTypeKey.String(strconv.Itoa(x.Response.Status)))
	}
	if r.Host != "" {
		host, port := address(r.Host)
		a = append(a, semconv.ServerAddress(text(host)))
		if port != 0 {
			a = append(a, semconv.ServerPort(port))
		}
	}
	if r.Peer.IsValid() {
		a = append(a, semconv.ClientAddress(r.Peer.Addr().Unmap().String()))
	}
	if agent, ok := r.Field("User-Agent"); ok {
		a = append(a, semconv.UserAgentOriginal(text(agent)))
	}
	if x.API != nil {
		a = append(a, keyAPI.String(x.API.ID))
	}
	if x.Stage != nil {
		a = append(a, keyStage.String(x.Stage.Name))
	}
	if x.ID != "" {
		a = append(a, keyRequest.String(text(x.ID)))
	}
	return a
}

// protocol returns the version of HTTP. Over cleartext, HTTP/2 looks like HTTP/1.1.
func protocol(r *gateway.Request) string {
	switch {
	case r.TLS != nil && r.TLS.NegotiatedProtocol == "h2":
		return "2"
	case r.Minor == 0:
		return "1.0"
	default:
		return "1.1"
	}
}

// address splits an authority. The port is 0 if there is none.
func address(authority string) (host string, port int) {
	host, digits, err := net.SplitHostPort(authority)
	if err != nil {
		return strings.TrimSuffix(strings.TrimPrefix(authority, "["), "]"), 0
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return host, 0
	}
	return host, int(n)
}

// text returns a copy of s that can be sent: OTLP takes UTF-8 only, and one string that
// is not would cost all spans of its batch.
func text(s string) string {
	return strings.Clone(strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD"))
}
