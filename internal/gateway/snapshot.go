package gateway

import (
	"maps"

	"penstock/internal/route"
)

// An Integration answers an exchange whose route it is the target of. Invoke
// fills x.Response, or returns an error that says what the client should know
// (see errors.go); any other error becomes 500.
type Integration interface {
	Invoke(x *Exchange) error
}

// A Snapshot is everything the gateway serves at one revision of the store.
// Nothing in it changes after it is published; the next one shares what did not
// change.
type Snapshot struct {
	// Revision of the store that this snapshot shows.
	Revision uint64
	apis     map[string]*API
	domains  domains
}

// An API is one API as it is served.
type API struct {
	ID string
	// WebSocket says that it is a WebSocket API, whose stages have Sockets.
	WebSocket bool
	Stages    map[string]*Stage
	meter     meterCell
}

// A Stage serves one deployment of an API.
type Stage struct {
	APIID, Name string
	// DeploymentID names the deployment that Table was compiled from.
	DeploymentID string
	// EndpointDisabled hides the stage from the execute-api address of the API.
	EndpointDisabled bool
	// Variables are the stage variables.
	Variables map[string]string
	// AccessLog is nil without one.
	AccessLog AccessLog
	// Sockets serves the stage of a WebSocket API, and Table is nil. It is nil for those of
	// HTTP APIs.
	Sockets Sockets
	// CORS is nil unless the API has a CORS configuration.
	CORS   *CORS
	Table  *route.Table[*Route]
	Routes []*Route
	meter  meterCell
}

// A Route is one compiled route of a stage.
type Route struct {
	// Key is the route key, such as "GET /pets/{id}" or "$default".
	Key string
	// Vars are the names of the path variables, in path order.
	Vars []string
	// AuthorizationType is NONE, JWT, CUSTOM or AWS_IAM. Authorizer is nil for NONE and
	// for nothing else.
	AuthorizationType string
	Authorizer        Authorizer
	// Integration is nil for a route without a target.
	Integration Integration
	// ReadsBody says that the first MappedBody bytes of the body must be in memory.
	ReadsBody bool
	// Limit is nil if only the account limits requests.
	Limit *Limit
	// Detailed says that the route has metrics of its own.
	Detailed bool
	// Validator is nil unless request bodies are checked.
	Validator Validator

	meter  meterCell
	bucket bucketCell
}

// A Validator checks the body of a request before an integration sees it. The error
// is a gateway error.
type Validator interface {
	Validate(x *Exchange) error
}

// Sockets are what a stage of a WebSocket API is served by: Serve takes each request that
// leads to the stage, a handshake or something about connections. Whatever it does not
// answer it returns an error for, as an Integration does.
type Sockets interface {
	Serve(x *Exchange) error
}

// An AccessLog takes the line of each exchange of a stage. Log must not block; it is
// called when the response has been sent.
type AccessLog interface {
	Log(x *Exchange)
}

// A Tracer follows sampled exchanges. Start is called when the head of a request has
// been read, and may set x.Trace and x.Span; End when the response has been sent.
type Tracer interface {
	Start(x *Exchange)
	End(x *Exchange)
}

// NewSnapshot returns a snapshot of exactly these APIs and domains.
func NewSnapshot(revision uint64, apis []*API, domains ...*Domain) *Snapshot {
	s := &Snapshot{Revision: revision, apis: make(map[string]*API, len(apis)), domains: newDomains(domains)}
	for _, a := range apis {
		s.apis[a.ID] = a
	}
	return s
}

// With returns a snapshot in which changed replaces the APIs of the same ids; a
// nil value removes the API. A domains that is not nil replaces all domains.
func (s *Snapshot) With(revision uint64, changed map[string]*API, domains []*Domain) *Snapshot {
	next := &Snapshot{Revision: revision, apis: s.apis, domains: s.domains}
	if domains != nil {
		next.domains = newDomains(domains)
	}
	if len(changed) == 0 {
		return next
	}
	next.apis = maps.Clone(s.apis)
	if next.apis == nil {
		next.apis = make(map[string]*API, len(changed))
	}
	for id, a := range changed {
		if a == nil {
			delete(next.apis, id)
		} else {
			next.apis[id] = a
		}
	}
	return next
}

// API returns the API with an id, or nil.
func (s *Snapshot) API(id string) *API { return s.apis[id] }

// Len returns the number of APIs.
func (s *Snapshot) Len() int { return len(s.apis) }
