package gateway

import (
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Record tells why a request got its answer. It holds no secrets: of the query only
// names, of the header only what a mapping changed, and of that nothing that looks
// like a credential.
type Record struct {
	RequestID string       `json:"requestId"`
	Time      time.Time    `json:"time"`
	Method    string       `json:"method"`
	Host      string       `json:"host"`
	Path      string       `json:"path"`
	Query     []string     `json:"query,omitempty"` // names of parameters
	SourceIP  string       `json:"sourceIp"`
	Located   Located      `json:"located"`
	Route     *RouteRecord `json:"route,omitempty"`
	// ConnectionID is that of the WebSocket connection which the request wanted to open, or
	// whose event the record is about: then Method is MESSAGE or DISCONNECT.
	ConnectionID string      `json:"connectionId,omitempty"`
	Throttle     string      `json:"throttle,omitempty"`
	Authorizer   *AuthRecord `json:"authorizer,omitempty"`
	Mapping      []Mapping   `json:"mapping,omitempty"`
	// Integration is nil if none was called.
	Integration *IntegrationRecord `json:"integration,omitempty"`
	Response    ResponseRecord     `json:"response"`
}

// A Located says which stage a request came to, and how.
type Located struct {
	By           string `json:"by"`
	DomainName   string `json:"domainName,omitempty"`
	BasePath     string `json:"basePath,omitempty"`
	RoutingRule  string `json:"routingRuleId,omitempty"`
	APIID        string `json:"apiId,omitempty"`
	Stage        string `json:"stage,omitempty"`
	DeploymentID string `json:"deploymentId,omitempty"`
	// WebSocket says that the API is a WebSocket API.
	WebSocket bool `json:"webSocket,omitempty"`
	// Path is what the routes of the stage were compared with.
	Path string `json:"routePath,omitempty"`
}

// A RouteRecord says which route a request matched.
type RouteRecord struct {
	RouteKey  string            `json:"routeKey"`
	Variables map[string]string `json:"pathVariables,omitempty"`
}

// An AuthRecord says what an authorizer decided.
type AuthRecord struct {
	Type    string  `json:"type"`
	Verdict string  `json:"verdict"`
	Reason  string  `json:"reason,omitempty"`
	Latency float64 `json:"latencyMillis"`
}

// A Mapping is one change that a parameter mapping made.
type Mapping struct {
	Change string `json:"change"` // such as overwrite:header.x-user
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// An IntegrationRecord says what the integration did.
type IntegrationRecord struct {
	// Target is where a private integration or a service was reached; Call is what a service
	// was asked for and in whose name, and Answer what it said of its failure.
	Target  string  `json:"target,omitempty"`
	Call    string  `json:"call,omitempty"`
	Answer  string  `json:"answer,omitempty"`
	Status  int     `json:"status,omitempty"`
	Latency float64 `json:"latencyMillis"`
	Error   string  `json:"error,omitempty"`
}

// A ResponseRecord says what the client got. Reason says why, if the gateway
// answered itself.
type ResponseRecord struct {
	Status  int     `json:"status"`
	Length  int64   `json:"length"`
	Latency float64 `json:"latencyMillis"`
	Reason  string  `json:"reason,omitempty"`
}

// How a stage was found.
const (
	byExecuteAPI = "execute-api host"
	byPathForm   = "path form"
	byMapping    = "API mapping"
	byRule       = "routing rule"
	byDomain     = "domain name"
	byConnection = "connection"
	byNothing    = "nothing"
)

// records are the last requests, in a ring. Keeping one copies some 200 bytes, makes
// no garbage and happens when the response has been sent.
type records struct {
	next  atomic.Uint64
	slots []slot
}

// A slot holds one request. Its texts are those of the snapshot, which never change,
// or lie in buf. It refers to nothing else of a snapshot, which would live as long as
// the slot, with the connections to its backends.
type slot struct {
	mu  sync.Mutex // guards the fields below
	seq uint64     // counts requests, from 1; 0 is no request
	buf []byte

	id, method, host, path, query, routePath string
	connection                               string
	webSocket                                bool
	peer                                     netip.Addr
	start                                    time.Time
	stage, deployment                        string
	routeKey, authorization                  string
	varNames                                 []string
	vars                                     [inlineRecordVars]string
	apiID, by, domain, base, rule            string
	asked                                    bool // buckets
	throttled                                Throttled
	authorizer                               time.Duration
	authorizerError                          string
	authorizes, authorized                   bool
	changes                                  []recordedChange
	secrets                                  []string // of the request being recorded
	called                                   bool
	integration                              IntegrationOutcome
	integrationLatency, latency              time.Duration
	status                                   int
	length                                   int64
	reason                                   string
}

type recordedChange struct {
	Change
	place, before string
}

// inlineRecordVars is how many path variables a record shows.
const inlineRecordVars = 8

// keepRecord bounds the room of a slot that stays with it, maxRecorded the length of
// one text in it.
const (
	keepRecord  = 4 << 10
	maxRecorded = 1 << 10
)

// newRecords returns a ring of n requests; nil for none.
func newRecords(n int) *records {
	if n <= 0 {
		return nil
	}
	return &records{slots: make([]slot, n)}
}

// keep records an exchange whose response has been sent.
func (r *records) keep(x *Exchange) {
	if r == nil {
		return
	}
	seq := r.next.Add(1)
	s := r.slot(seq)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seq > seq {
		return // the ring went round meanwhile
	}
	s.seq = seq
	s.fill(x)
}

// slot returns where the request of a number belongs.
func (r *records) slot(seq uint64) *slot { return &r.slots[(seq-1)%uint64(len(r.slots))] }

// fill makes the slot that of an exchange.
func (s *slot) fill(x *Exchange) {
	q := &x.Request
	reason := ""
	if x.err != nil {
		reason = x.err.Error()
	}
	s.changes = s.changes[:0]
	s.addChanges(x)
	need := len(x.ID)
	for _, t := range [...]string{q.Method, q.Host, x.ConnectionID, x.SentRawPath, q.Path, q.Query, x.RoutePath, x.AuthorizerError, x.Integration.Error, reason} {
		need += min(len(t), maxRecorded)
	}
	for i := range min(x.Vars.Len(), inlineRecordVars) {
		need += min(len(x.Vars.At(i)), maxRecorded)
	}
	for i := range s.changes {
		need += min(len(s.changes[i].Value), maxRecorded) + min(len(s.changes[i].before), maxRecorded)
	}
	if cap(s.buf) < need || cap(s.buf) > keepRecord {
		s.buf = make([]byte, 0, max(need, 512))
	}
	s.buf = s.buf[:0]

	s.id, s.method, s.host, s.query = s.copy(x.ID), s.copy(q.Method), s.copy(q.Host), s.copy(q.Query)
	s.path = s.copy(q.Path)
	if x.SentRawPath != "" {
		s.path = s.copy(x.SentRawPath)
	}
	s.routePath, s.connection = s.copy(x.RoutePath), s.copy(x.ConnectionID)
	s.peer, s.start = q.Peer.Addr(), x.Start
	s.stage, s.deployment, s.asked = "", "", false
	if x.Stage != nil {
		s.stage, s.deployment = x.Stage.Name, x.Stage.DeploymentID
		s.asked = x.Domain != nil || !x.Stage.EndpointDisabled
		if x.Stage.Sockets != nil {
			s.asked = x.throttles || x.Throttled != NotThrottled
		}
	}
	s.routeKey, s.authorization, s.varNames, s.authorizes = "", "", nil, false
	if r := x.Route; r != nil {
		s.routeKey, s.authorization, s.varNames = r.Key, r.AuthorizationType, r.Vars
		s.authorizes = r.Authorizer != nil && x.Throttled == NotThrottled || x.Authorizing
	}
	s.apiID, s.domain, s.base, s.rule, s.webSocket = "", "", "", "", false
	if x.API != nil {
		s.apiID, s.webSocket = x.API.ID, x.API.WebSocket
	}
	s.by = x.locatedBy()
	if x.Domain != nil {
		s.domain, s.base = x.Domain.Name, x.BasePath
	}
	if x.Rule != nil {
		s.rule = x.Rule.ID
	}
	for i := range min(x.Vars.Len(), inlineRecordVars) {
		s.vars[i] = s.copy(x.Vars.At(i))
	}
	s.throttled, s.authorizer, s.authorizerError = x.Throttled, x.AuthorizerLatency, s.copy(x.AuthorizerError)
	s.authorized = x.Identity != nil && x.AuthorizerError == ""
	for i := range s.changes {
		s.changes[i].Value, s.changes[i].before = s.copy(s.changes[i].Value), s.copy(s.changes[i].before)
	}
	o := &x.Integration
	s.called = o.Status > 0 || o.Error != ""
	s.integration = IntegrationOutcome{Status: o.Status, Error: s.copy(o.Error), Target: o.Target, Call: o.Call, Answer: o.Answer}
	s.integrationLatency, s.latency = x.IntegrationLatency, x.Latency
	s.status, s.length, s.reason = x.Response.Status, x.ResponseLength, s.copy(reason)
}

// copy returns a copy of a text that lies in the room of the slot, which is enough.
func (s *slot) copy(t string) string {
	if t == "" {
		return ""
	}
	n := len(s.buf)
	s.buf = append(s.buf, t[:min(len(t), maxRecorded)]...)
	return text(s.buf[n:])
}

func (x *Exchange) locatedBy() string {
	switch {
	case x.API == nil && x.Domain == nil:
		return byNothing
	case x.transport == nil && x.ConnectionID != "":
		return byConnection // nobody asked for it: it was there
	case x.Rule != nil:
		return byRule
	case x.Domain != nil && x.API == nil:
		return byDomain
	case x.Domain != nil:
		return byMapping
	case strings.HasPrefix(x.Request.Path, pathForm) && x.server.apiID(Hostname(x.Request.Host)) == "":
		return byPathForm
	}
	return byExecuteAPI
}

const redacted = "(redacted)"

// addChanges notes what the mapping of the exchange changes, without secrets.
func (s *slot) addChanges(x *Exchange) {
	m := &x.Mapped
	if len(m.Header)+len(m.Query) == 0 && !m.HasPath {
		return
	}
	s.secrets = x.AppendSecrets(s.secrets[:0])
	for _, c := range m.Header {
		before, _ := x.Request.Field(c.Name)
		s.addChange("header.", c, before)
	}
	for _, c := range m.Query {
		s.addChange("querystring.", c, "")
	}
	if m.HasPath {
		s.addChange("path", Change{Kind: Overwrite, Value: m.Path}, x.RoutePath)
	}
	clear(s.secrets) // they are the request's
}

func (s *slot) addChange(place string, c Change, before string) {
	named := Sensitive(c.Name)
	if named || s.holdsSecret(before) {
		before = redactedUnlessEmpty(before)
	}
	if named || s.holdsSecret(c.Value) {
		c.Value = redactedUnlessEmpty(c.Value)
	}
	s.changes = append(s.changes, recordedChange{c, place, before})
}

func redactedUnlessEmpty(s string) string {
	if s == "" {
		return ""
	}
	return redacted
}

// Record returns what is remembered of the request with an ID.
func (s *Server) Record(id string) (Record, bool) {
	if s.records == nil || id == "" {
		return Record{}, false
	}
	for i := range s.records.slots {
		slot := &s.records.slots[i]
		slot.mu.Lock()
		if slot.id == id {
			defer slot.mu.Unlock()
			return slot.record(), true
		}
		slot.mu.Unlock()
	}
	return Record{}, false
}

// Records returns what is remembered of the last requests, at most n, newest first.
// Those that are being written meanwhile are left out.
func (s *Server) Records(n int) []Record {
	if s.records == nil {
		return nil
	}
	size := uint64(len(s.records.slots))
	next := s.records.next.Load()
	var all []Record
	for i := uint64(0); i < min(size, next) && len(all) < n; i++ {
		slot := s.records.slot(next - i)
		slot.mu.Lock()
		if slot.seq == next-i {
			all = append(all, slot.record())
		}
		slot.mu.Unlock()
	}
	return all
}

// Remembers reports whether requests are remembered at all.
func (s *Server) Remembers() bool { return s.records != nil }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// maxBareName is how long a query parameter without a value may be to pass for a name.
const maxBareName = 32

// parameterName returns the name in a pair of a query. One that is all there is may be
// a credential: it is a name only if it is short and does not look like a token.
func parameterName(pair string) string {
	name, _, ok := strings.Cut(pair, "=")
	if !ok && len(name) > maxBareName || strings.Contains(name, jwtStart) {
		return redacted
	}
	return name
}

// record returns a copy of what the slot holds.
func (s *slot) record() Record {
	c := strings.Clone
	r := Record{
		RequestID: c(s.id), ConnectionID: c(s.connection), Time: s.start.UTC(), Method: c(s.method), Host: c(s.host), Path: c(s.path), SourceIP: s.peer.String(),
		Located:  Located{By: s.by, DomainName: s.domain, BasePath: c(s.base), RoutingRule: s.rule, APIID: s.apiID, WebSocket: s.webSocket, Path: c(s.routePath)},
		Response: ResponseRecord{Status: s.status, Length: s.length, Latency: millis(s.latency), Reason: c(s.reason)},
	}
	for pair := range strings.SplitSeq(s.query, "&") {
		if name := parameterName(pair); name != "" {
			r.Query = append(r.Query, c(name))
		}
	}
	r.Located.Stage, r.Located.DeploymentID = s.stage, s.deployment
	if s.asked {
		r.Throttle = "granted"
		if s.throttled != NotThrottled {
			r.Throttle = "refused by the bucket of the " + s.throttled.String()
		}
	}
	if s.routeKey != "" {
		r.Route = &RouteRecord{RouteKey: s.routeKey}
		for i, name := range s.varNames[:min(len(s.varNames), inlineRecordVars)] {
			if r.Route.Variables == nil {
				r.Route.Variables = map[string]string{}
			}
			r.Route.Variables[name] = c(s.vars[i])
		}
		if s.authorizes {
			r.Authorizer = &AuthRecord{Type: s.authorization, Verdict: "allowed", Reason: c(s.authorizerError), Latency: millis(s.authorizer)}
			if !s.authorized {
				r.Authorizer.Verdict = "denied"
			}
		}
	}
	for _, m := range s.changes {
		change := Mapping{Change: m.Kind.String() + ":" + m.place + c(m.Name), Before: c(m.before)}
		if m.Kind != Remove {
			change.After = c(m.Value)
		}
		r.Mapping = append(r.Mapping, change)
	}
	if s.called {
		i := &s.integration
		r.Integration = &IntegrationRecord{Target: i.Target, Call: i.Call, Answer: i.Answer, Status: i.Status, Latency: millis(s.integrationLatency), Error: c(i.Error)}
	}
	return r
}
