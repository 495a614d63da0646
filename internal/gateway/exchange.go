package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net/netip"
	"sync/atomic"
	"time"
	"unsafe"

	"penstock/internal/route"
)

// A Field is one header field line. Names keep the case they arrived with;
// compare them with EqualFold.
type Field struct {
	Name, Value string
}

// A Request is a request as received. Every string points into memory that the
// transport reuses: it is valid until the exchange ends, and must be cloned to
// be kept.
type Request struct {
	Method string
	// Target is the request target as it stood in the request line.
	Target string
	// Path is the escaped path in origin form, up to the first "?".
	Path string
	// Query is what follows the first "?", without it.
	Query string
	// Host is the authority the client asked for, with its port if it gave one.
	Host string
	// Header lists the fields in arrival order, Host and framing fields included.
	Header []Field
	// Minor is 1 for HTTP/1.1 and everything newer, 0 for HTTP/1.0.
	Minor int
	// ContentLength is the declared length of the body, 0 without a body and -1
	// when it arrives in chunks.
	ContentLength int64
	// Body is empty until Exchange.ReadBody has succeeded.
	Body Body
	// Peer is the other end of the connection; never taken from a header.
	Peer netip.AddrPort
	// TLS is nil on a cleartext connection.
	TLS *tls.ConnectionState
}

// A Body is held in memory (Bytes) or, above a threshold, read as it arrives
// (Stream). Length is exact for request bodies and -1 for a response whose end
// is not announced.
type Body struct {
	Bytes  []byte
	Stream io.Reader
	Length int64
	// Prefix is the beginning of a body with a Stream, which Stream still delivers: at
	// least MappedBody bytes of it where the route's integration looks into bodies.
	Prefix []byte
}

// Text returns what parameter mappings can see of a body: its first MappedBody
// bytes.
func (b *Body) Text() []byte {
	text := b.Bytes
	if b.Stream != nil {
		text = b.Prefix
	}
	return text[:min(len(text), MappedBody)]
}

// MappedBody is how many bytes of a body parameter mappings can see, a quota of the
// service.
const MappedBody = 100 << 10

// A Response is what an integration answered, or what the gateway says instead.
type Response struct {
	Status int
	// Header has no hop-by-hop fields and no Content-Length; the transport
	// frames the body.
	Header []Field
	Body   Body
	// Bodiless says that the status or the method allows no body. Length then
	// is the length to announce, or -1 for none.
	Bodiless bool
	// Release, when not nil, frees what Body.Stream reads from. The transport
	// calls it once, with whether the stream was read to its end.
	Release Releaser
}

// A Releaser takes back the source of a streamed response body.
type Releaser interface {
	Release(whole bool)
}

// A transport reads request bodies for an exchange: of a length that is not known, or
// known and neither 0 nor above the limit. HTTP/1.1 and HTTP/2 connections implement it.
type transport interface {
	readBody(x *Exchange, limit, inMemory int64) error
}

// A Wait is something an exchange waits for, such as an answer on a connection to
// a backend. Abort gives it up; it is called from another goroutine. A Wait does
// not change once an exchange has seen it.
type Wait struct {
	Abort func()
}

// An Exchange is one request and its response. It belongs to the goroutine
// that serves it; only abort may be called from another one.
type Exchange struct {
	Request  Request
	Response Response

	// ID is the request id, 16 characters, the value of apigw-requestid.
	ID string
	// Start is when the request head was complete.
	Start time.Time

	// API, Stage and Route are what the request resolved to, all out of the one
	// snapshot loaded when it began. They are nil as far as it did not get.
	API   *API
	Stage *Stage
	Route *Route
	// Domain is the custom domain name that the request came by; nil for execute-api
	// addresses. BasePath is the part of the path that selected the API there, without
	// slashes around it; "" if the API has the whole domain.
	Domain   *Domain
	BasePath string
	// Vars holds the values of the route's path variables, in path order.
	Vars route.Vars

	// RawPath is the escaped path the API sees: without the prefix of the path form of
	// an address, with the stage name unless that is $default. Path is RawPath
	// percent-decoded once, RoutePath is Path without the stage.
	RawPath, Path, RoutePath string
	// SentPath is the path as the client sees it, decoded, and SentRawPath escaped. They
	// differ from Path and RawPath behind an API mapping, whose key they have, and have
	// no stage there.
	SentRawPath, SentPath string

	// Rule is the routing rule that led to the stage, if one did.
	Rule *RoutingRule
	// Throttled says which bucket had no token.
	Throttled Throttled

	// Identity is what the authorizer of the route found out about the caller; nil
	// without one. AuthorizerError is why it did not let the exchange through, in
	// words that access logs may show.
	Identity          *Identity
	AuthorizerError   string
	AuthorizerLatency time.Duration
	// Authorizing says that an authorizer was asked which is not the route's: handshakes have
	// theirs in another place.
	Authorizing bool

	// ConnectionID is that of the WebSocket connection which the exchange opens, or whose
	// event it carries; "" for all others.
	ConnectionID string

	// Mapped is what the request mapping of the integration changes.
	Mapped Mapped

	// IntegrationLatency is the time from relaying to the backend to its answer;
	// zero when no integration was called.
	IntegrationLatency time.Duration
	// Integration is what is known of the call to the integration.
	Integration IntegrationOutcome

	// Latency is the time from Start to the end of the response, ResponseLength the
	// number of bytes of the response's body that were sent, and DataProcessed that of
	// both bodies. They are known when the exchange is finished.
	Latency                       time.Duration
	ResponseLength, DataProcessed int64

	// Trace is what the backend is told of the trace that the exchange is part of, Span
	// what the tracer keeps of it.
	Trace Trace
	Span  any

	// Scratch buffers of the integration, kept between exchanges.
	Buffers Buffers

	server    *Server
	handshake *handshake // of the TLS connection; nil on others
	transport transport
	take      Taker // once the exchange has changed the protocol of its connection
	throttles bool  // a bucket was asked
	// Neighbours in the list of exchanges without a client. The lock of the list guards them.
	next, previous *Exchange
	bodyRead       bool
	preflighted    bool
	close          bool  // the connection must not be used again
	err            error // why the gateway answered itself, or why the response was not sent whole
	failure        *Error

	idBuf       [16]byte
	pathBuf     []byte
	stageBuf    []byte // for RawPath and Path behind an API mapping
	cors        []Field
	requestBody []byte
	blocks      []*block // lent by Block
	spools      []*Spool

	// pending is what the exchange waits for. Swapping it out decides who ends
	// the wait: the serving goroutine (Done) or the watcher (abort).
	pending atomic.Pointer[Wait]
	gone    atomic.Bool

	ctx    context.Context
	cancel atomic.Pointer[context.CancelFunc] // of ctx
}

// An IntegrationOutcome is what access logs show of a call to an integration. Zero
// values are unknown. The strings must not point into buffers that are reused before
// the exchange ends.
type IntegrationOutcome struct {
	// Status is what the backend answered. ServiceStatus is that of the service which
	// was called to reach it, such as Lambda; for HTTP backends the same.
	Status, ServiceStatus int
	// RequestID and RequestID2 are what an AWS service calls the request.
	RequestID, RequestID2 string
	// Error is why there is no answer.
	Error string
	// Target is where a private integration or a service was reached, such as
	// https://10.0.0.7:8443. Call is what a service was asked for and in whose name, without
	// secrets, and Answer what it said of its failure. They are texts of their own: they
	// outlive the exchange.
	Target, Call, Answer string
	// Failed says that a function ran, and told of an error.
	Failed bool
}

// A Trace is what a backend is told of the trace that an exchange is part of.
type Trace struct {
	// Amazon is the value of X-Amzn-Trace-Id. If it is empty, the integration passes on
	// the client's, or makes one.
	Amazon string
	// Parent and State are the values of traceparent and tracestate (W3C Trace Context).
	// If Parent is empty, those of the client are passed on as they are.
	Parent, State string
}

// Buffers are reused from exchange to exchange by the integration that serves
// them. Their contents mean nothing between two exchanges.
type Buffers struct {
	Request  []byte  // outgoing request head
	Head     []byte  // incoming response head
	Body     []byte  // incoming response body
	Response []Field // fields of the response
}

// keepBuffer is the largest scratch buffer that stays with a connection between
// exchanges, keepFields the longest list of fields: what is rarely needed must not
// pin its memory while a connection rests.
const (
	keepBuffer = 16 << 10
	keepFields = maxFields
)

// end frees what the exchange holds and makes it ready for the next request.
func (x *Exchange) end() {
	if x.ctx != nil {
		if cancel := x.cancel.Swap(nil); cancel != nil {
			(*cancel)()
		}
		x.ctx = nil
	}
	if r := x.Response.Release; r != nil {
		r.Release(false) // only if sending the response has panicked
	}
	for i, b := range x.blocks {
		blocks.Put(b)
		x.blocks[i] = nil
	}
	x.blocks = x.blocks[:0]
	for i, s := range x.spools {
		s.free()
		x.spools[i] = nil
	}
	x.spools = x.spools[:0]

	x.Request = Request{Header: x.Request.Header[:0], Peer: x.Request.Peer, TLS: x.Request.TLS}
	x.Response = Response{}
	x.ID = ""
	x.API, x.Stage, x.Route = nil, nil, nil
	x.Vars.Reset()
	x.RawPath, x.Path, x.RoutePath = "", "", ""
	x.SentRawPath, x.SentPath = "", ""
	x.Rule, x.Throttled, x.throttles = nil, NotThrottled, false
	x.Authorizing, x.ConnectionID = false, ""
	x.Domain, x.BasePath = nil, ""
	x.Identity, x.AuthorizerError, x.AuthorizerLatency = nil, "", 0
	x.Mapped.reset()
	x.IntegrationLatency, x.Integration = 0, IntegrationOutcome{}
	x.Latency, x.ResponseLength, x.DataProcessed = 0, 0, 0
	x.Trace, x.Span = Trace{}, nil
	x.bodyRead, x.preflighted, x.close = false, false, false
	x.err, x.failure, x.take = nil, nil, nil
	x.pending.Store(nil)
	x.gone.Store(false)
	keep(&x.Buffers.Request, keepBuffer)
	keep(&x.Buffers.Head, keepBuffer)
	keep(&x.Buffers.Body, keepBuffer)
	keep(&x.Buffers.Response, keepFields)
	keep(&x.requestBody, keepBuffer)
	keep(&x.pathBuf, keepBuffer)
	keep(&x.stageBuf, keepBuffer)
	keep(&x.cors, keepFields)
}

// keep lets go of a buffer that has grown beyond max.
func keep[T any](b *[]T, max int) {
	if cap(*b) > max {
		*b = nil
	}
}

// ReadBody makes Request.Body available, once: in memory, or as a stream when it is
// long. It is called before an integration runs, so that a refused request costs no
// body. The error is a gateway error.
func (x *Exchange) ReadBody() error {
	if x.bodyRead {
		return nil
	}
	l := &x.server.limits
	inMemory := l.InMemoryBody
	if x.Route != nil && x.Route.ReadsBody {
		inMemory = max(inMemory, MappedBody)
	}
	x.bodyRead = true
	switch n := x.Request.ContentLength; {
	case n == 0:
		return nil
	case n > l.Body:
		return closing(errTooLarge, "declared length above the limit")
	}
	return x.transport.readBody(x, l.Body, inMemory)
}

// HashBody makes the whole body available and returns its SHA-256 in hexadecimal.
// The error is a gateway error.
func (x *Exchange) HashBody() (string, error) {
	if err := x.ReadBody(); err != nil {
		return "", err
	}
	hash := sha256.New()
	body := &x.Request.Body
	if body.Stream == nil {
		hash.Write(body.Bytes)
	} else {
		spool := x.Spool()
		if err := spool.Fill(io.TeeReader(body.Stream, hash), x.server.limits.Body); err != nil {
			return "", spoolFailure(err)
		}
		body.Stream = spool
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Account returns the number of the account that the APIs belong to, and Region
// their region.
func (x *Exchange) Account() string { return x.server.account }

// Region returns the region that the APIs are in.
func (x *Exchange) Region() string { return x.server.region }

// Failure returns the answer that the gateway gave itself, nil if an integration
// answered.
func (x *Exchange) Failure() *Error { return x.failure }

// Field returns the first value of a request header field.
func (r *Request) Field(name string) (string, bool) {
	for i := range r.Header {
		if EqualFold(r.Header[i].Name, name) {
			return r.Header[i].Value, true
		}
	}
	return "", false
}

// Context returns a context that ends when the exchange ends or its client
// leaves. It is made on first use, for integrations that need one.
func (x *Exchange) Context() context.Context {
	if x.ctx == nil {
		ctx, cancel := context.WithCancel(context.Background())
		x.ctx = ctx
		x.cancel.Store(&cancel)
		if x.gone.Load() {
			cancel()
		}
	}
	return x.ctx
}

// Await registers what the exchange is about to wait for. If the client leaves
// meanwhile, or has left, w.Abort is called once.
func (x *Exchange) Await(w *Wait) {
	x.pending.Store(w)
	if x.gone.Load() {
		x.abort()
	}
}

// Done ends an Await. It reports false if the wait was aborted: then whatever
// was awaited has been given up and must not be used again.
func (x *Exchange) Done() bool {
	return x.pending.Swap(nil) != nil
}

// Gone reports whether the client has left.
func (x *Exchange) Gone() bool { return x.gone.Load() }

// abort gives up what the exchange waits for. The watcher calls it when the
// client has left or the server must stop.
func (x *Exchange) abort() {
	x.gone.Store(true)
	if w := x.pending.Swap(nil); w != nil {
		w.Abort()
	}
	if cancel := x.cancel.Load(); cancel != nil {
		(*cancel)()
	}
}

// Block returns room for 64 KiB that is the integration's until the exchange
// ends.
func (x *Exchange) Block() []byte {
	b := blocks.Get().(*block)
	x.blocks = append(x.blocks, b)
	return b[:]
}

// Spool returns an empty spool that lasts until the exchange ends.
func (x *Exchange) Spool() *Spool {
	s := &Spool{budget: &x.server.spooled, max: x.server.limits.Spooled}
	x.spools = append(x.spools, s)
	return s
}

// EqualFold compares two header names or other ASCII tokens without regard to
// case.
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// text views bytes as a string without copying; the bytes must not change while
// the string is in use.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bodyBuffer returns room for a request body of n bytes.
func (x *Exchange) bodyBuffer(n int) []byte {
	switch {
	case n <= cap(x.requestBody):
	case n <= keepBuffer:
		x.requestBody = make([]byte, max(n, 1<<10))
	case n <= blockSize:
		return x.Block()[:n]
	default:
		return make([]byte, n)
	}
	return x.requestBody[:n]
}
