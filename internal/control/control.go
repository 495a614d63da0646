// Package control is the control plane: it answers the operations of API Gateway
// V2 under /v2/ and writes what they describe as documents into a store.
//
// The operations come from a table (package model). Most are five verbs over a
// kind of thing that stands under an API: a [collection] is the declaration of
// such a kind, and one engine carries them all. What follows no pattern is a
// plain function. The list of all is in operations.go.
//
//	s := control.New(control.Options{Store: store.NewMemory()})
//	http.ListenAndServe("127.0.0.1:8081", s)
//
// A request passes the front (front.go), becomes a call (call.go), and is
// answered from a document or by an edit of one (edit.go). Rules are in the files
// of the nouns they are about, messages in messages.go.
package control

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"penstock/internal/audit"
	"penstock/internal/policy"
	"penstock/internal/store"
)

// Options say what a Server works with. Only Store is required.
type Options struct {
	Store store.Store

	// Publisher, if set, is waited for after each write: an answer is sent when
	// this node serves what was written.
	Publisher Publisher

	// Authenticator decides who calls. Nil accepts everyone.
	Authenticator Authenticator

	Account   string // 12 digits; 000000000000 if empty
	Region    string // us-east-1 if empty
	Partition string // of ARNs; aws if empty

	// Endpoint returns the apiEndpoint of an API: scheme and host, no path.
	// protocol is HTTP or WEBSOCKET. Nil gives the names of the real service.
	Endpoint func(apiID, protocol string) string

	HostedZone string // of the DNS names that custom domains lead to; DefaultHostedZone if empty

	// Discover, if set, is asked for the configuration of an issuer of tokens when an
	// authorizer names a new one. An error refuses the authorizer.
	Discover func(ctx context.Context, url string) error

	// Truststore, if set, reads the certificates of a trust store, by https and file
	// URLs, and says what is wrong with those that cannot be used.
	Truststore func(ctx context.Context, url string) (warnings []string, err error)

	Limits Limits // of what may be made; the zero value means DefaultLimits

	// Rate and Burst limit the calls per second of all callers together. No limit
	// if Rate is zero.
	Rate  float64
	Burst int

	// OperationRates limits some operations to the rates of the real service, all
	// callers together.
	OperationRates bool
	// RequestModels lets HTTP APIs have models, and their routes request models: an
	// extension.
	RequestModels bool

	// Audit, if set, gets a line of JSON for each call, in one Write each.
	Audit io.Writer

	Now func() time.Time // time.Now if nil
	Log *slog.Logger     // slog.Default() if nil

	// Observe, if set, hears of every answer. operation is empty if the request
	// named none.
	Observe func(operation string, status int, took time.Duration)
}

// A Publisher knows when this node serves a revision of the store.
type Publisher interface {
	Wait(ctx context.Context, rev uint64) error
}

// An Authenticator decides who sent a request. An error with a method
// Code() string refuses the request with 403, the code as error type and the
// text of the error as message; any other error is an internal one.
type Authenticator interface {
	Authenticate(r *http.Request, body []byte) (Principal, error)
}

// A Principal is who makes a call.
type Principal struct {
	Name   string           // a user name, or an access key ID
	ARN    string           // as the audit trail shows it and policies see it
	Policy *policy.Document // what the principal may do; nil if everything
}

// A Server answers the control API. It is an [http.Handler].
type Server struct {
	Options

	cache      cache
	locks      locks
	trail      *audit.Log               // nil if there is none
	limiter    *rate.Limiter            // nil if there is no limit
	operations map[string]*rate.Limiter // by name; nil if there are no limits
	imports    *semaphore.Weighted      // documents that are read at one time
	bodies     *semaphore.Weighted      // bytes of bodies that may be in memory
	pages      pageKey
}

// DefaultHostedZone is the hosted zone of regional domain names in us-east-1.
const DefaultHostedZone = "Z1UJRXOUMOOFQ8"

// New returns a Server.
func New(o Options) *Server {
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.HostedZone == "" {
		o.HostedZone = DefaultHostedZone
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s := &Server{Options: o, bodies: semaphore.NewWeighted(maxBodies), imports: semaphore.NewWeighted(maxImports), pages: newPageKey(o.Account, o.Region), trail: audit.New(o.Audit, o.Now, o.Log)}
	if s.Endpoint == nil {
		s.Endpoint = s.awsEndpoint
	}
	if o.OperationRates {
		s.operations = newOperationLimiters()
	}
	if o.Rate > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(o.Rate), max(o.Burst, 1))
	}
	return s
}
