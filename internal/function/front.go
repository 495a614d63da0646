package function

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"penstock/internal/audit"
	"penstock/internal/policy"
)

const (
	defaultBody = 1 << 20   // bytes of a request body
	codeBody    = 70167211  // of those that hold a zip; source: answers of the service
	maxBodies   = 128 << 20 // of all request bodies in memory at one time, but for large ones
	largeBody   = 8 << 20   // bytes of a body that waits for its turn
	maxLarge    = 2         // of these that are in memory at one time
	largeWait   = 20 * time.Second
	largeTime   = 2 * time.Minute // for a large body to arrive when its turn has come
	writeTime   = 2 * time.Minute // for an answer to be taken
)

// A call is one request of the Lambda API.
type call struct {
	*Service
	r         *http.Request
	w         http.ResponseWriter
	op        *operation
	body      []byte
	query     url.Values
	principal Principal
	labels    map[string]string
	requestID string
	// name and qualifier are of the function that the path names; empty if it names
	// none. The function need not exist.
	name, qualifier string
}

// An answer is what is sent back.
type answer struct {
	status int
	body   any               // is sent as JSON; nil for none
	raw    []byte            // is sent as it is, in place of body
	header map[string]string // Content-Type is JSON if it is not there
}

// ServeHTTP answers a request of the Lambda API, whose paths begin with a date. A panic
// is logged and answered as an internal error.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Service: s, r: r, w: w, requestID: uuid.NewString()}
	a := c.answer()
	h := w.Header()
	h.Set("x-amzn-RequestId", c.requestID)
	if a.raw != nil {
		h.Set("Content-Type", "application/json")
	}
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.raw != nil {
		h.Set("Content-Length", strconv.Itoa(len(a.raw)))
	}
	// What came before may have taken as long as a function may.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
	w.WriteHeader(a.status)
	w.Write(a.raw) // a client that has gone away does not hear the answer
	c.record(a)
}

// record writes the line of the audit log about the call.
func (c *call) record(a answer) {
	rec := audit.Record{RequestID: c.requestID, Principal: c.principal.ARN, Status: a.status, ErrorType: a.header["x-amzn-ErrorType"]}
	if c.op != nil {
		rec.Operation = c.op.name
	}
	if c.name != "" {
		rec.Resource = c.resource()
	}
	c.Audit.Write(c.r, rec)
}

// answer returns what is sent back, with the body as text.
func (c *call) answer() (a answer) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.ErrorContext(c.r.Context(), "panic in the Lambda API", "request", c.requestID, "method", c.r.Method, "path", c.r.URL.EscapedPath(), "panic", p, "stack", string(debug.Stack()))
			a = refusal(errInternal)
		}
	}()
	a, err := c.respond()
	if err == nil && a.raw == nil && a.body != nil {
		a.raw, err = encode(a.body)
	}
	if err == nil {
		return a
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return refusal(known)
	}
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelDebug // the client has gone
	}
	c.Log.Log(c.r.Context(), level, "request failed", "request", c.requestID, "method", c.r.Method, "path", c.r.URL.EscapedPath(), "error", err)
	return refusal(errInternal)
}

func refusal(e *Error) answer {
	header := map[string]string{"x-amzn-ErrorType": e.Code}
	if e.RetryAfter > 0 {
		header["Retry-After"] = strconv.Itoa(e.RetryAfter)
	}
	return answer{status: e.Status, raw: e.body(), header: header}
}

// respond lets a request in and answers it. Who calls is decided before anything is
// said about what was asked for.
func (c *call) respond() (answer, error) {
	c.op, c.labels = match(c.r.Method, c.r.URL.EscapedPath())
	release, err := c.read()
	if err != nil {
		return answer{}, err
	}
	defer release()
	// The deadline of the request is that of its body: a function may take longer.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	if err := c.authenticate(); err != nil {
		return answer{}, err
	}
	switch {
	case c.op == nil:
		return answer{}, errUnknownOperation
	case c.op.handle == nil:
		return answer{}, errUnavailable(c.op)
	}
	c.query = c.r.URL.Query()
	named, ok := c.labels[labelFunction]
	if ok {
		if c.name, c.qualifier, err = c.target(named, c.query.Get("Qualifier"), c.principal, c.op.permission()); err != nil {
			return answer{}, err
		}
	}
	if err := c.begin(); err != nil {
		return answer{}, err
	}
	return c.op.handle(c)
}

// begin finds out what else than a function in the path a call is about, and whether
// the caller may make it.
func (c *call) begin() error {
	switch c.op.name {
	case "CreateFunction": // the function is named in the body
		return nil
	case "ListTags", "TagResource", "UntagResource":
		if err := c.taggedFunction(); err != nil {
			return err
		}
	}
	return c.authorize(nil)
}

// read reads the body and accounts for it until release is called. More than the limit
// is never read.
func (c *call) read() (release func(), err error) {
	if c.r.Body == nil || c.r.ContentLength == 0 {
		return func() {}, nil
	}
	limit := int64(defaultBody)
	if c.op != nil && c.op.limit > 0 {
		limit = c.op.limit
	}
	size := c.r.ContentLength
	if size < 0 {
		size = limit // not told: as much as it may be
	}
	if size > limit {
		c.w.Header().Set("Connection", "close") // what was announced is not read
		return nil, c.bodyTooLarge(limit)
	}
	if release, err = c.reserve(size); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if c.r.ContentLength > 0 {
		b.Grow(int(size) + bytes.MinRead) // and nothing is copied on the way
	}
	if _, err = b.ReadFrom(http.MaxBytesReader(c.w, c.r.Body, limit)); err == nil {
		c.body = b.Bytes()
		return release, nil
	}
	release()
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return nil, c.bodyTooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return nil, &Error{Status: http.StatusRequestTimeout, Code: "RequestTimeoutException", Message: "The body did not arrive in time."}
	default:
		return nil, unparsed("the body ended early")
	}
}

// reserve makes room for a body. A large one waits until it is its turn.
func (c *call) reserve(size int64) (release func(), err error) {
	if size <= largeBody {
		if !c.bodies.TryAcquire(size) {
			return nil, errBusyBodies
		}
		return func() { c.bodies.Release(size) }, nil
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), largeWait)
	defer cancel()
	if c.large.Acquire(ctx, 1) != nil {
		return nil, errBusyBodies
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(largeTime))
	return func() { c.large.Release(1) }, nil
}

func (c *call) bodyTooLarge(limit int64) *Error {
	e := &Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestTooLargeException"}
	if limit == codeBody {
		e.Code = "RequestEntityTooLargeException"
	}
	name := "unknown"
	if c.op != nil {
		name = c.op.name
		if c.op.action != "" {
			name = c.op.action[len("lambda:"):]
		}
	}
	e.Message = "Request must be smaller than " + strconv.FormatInt(limit, 10) + " bytes for the " + name + " operation"
	return e
}

// anonymous is who calls where nobody is asked to sign.
const anonymous = "anonymous"

func (c *call) authenticate() error {
	if c.Authenticate == nil {
		c.principal = Principal{Name: anonymous, ARN: anonymous}
		return nil
	}
	principal, err := c.Authenticate(c.r, c.body)
	if err == nil {
		c.principal = principal
		return nil
	}
	var refused interface {
		error
		Code() string
	}
	if errors.As(err, &refused) {
		return &Error{Status: http.StatusForbidden, Code: refused.Code(), Message: refused.Error()}
	}
	return err
}

// resource returns what a call is about, as policies name it.
func (c *call) resource() string {
	switch {
	case c.name == "":
		return "*"
	case c.qualifier != "":
		return c.arn(c.name) + ":" + c.qualifier
	default:
		return c.arn(c.name)
	}
}

// authorize refuses a call that the policy of the caller does not allow. Nothing is
// said about whether what it is about exists. A caller without a policy may do
// everything. The tags are those that the call gives, if they are known by now.
func (c *call) authorize(tags map[string]string) error {
	p := c.principal.Policy
	if p == nil {
		return nil
	}
	a := access{call: c, given: tags}
	action, resource := c.op.permission(), c.resource()
	switch p.Evaluate(policy.Request{Action: action, Resource: resource, Values: a.values}) {
	case policy.Allowed:
		return nil
	case policy.Denied:
		return denied(c.principal.ARN, action, resource, "of an explicit deny in an identity-based policy")
	default:
		return denied(c.principal.ARN, action, resource, "no identity-based policy allows the "+action+" action")
	}
}

// decode reads the body, a JSON object, into v. An empty body is an empty object.
func (c *call) decode(v any) error {
	if len(c.body) == 0 {
		return nil
	}
	err := json.Unmarshal(c.body, v)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return unparsed("%s cannot be of type %s", memberOf(kind.Field), kind.Value)
	default:
		return unparsed("%v", err)
	}
}

// memberOf returns what a request calls a field that could not be read. Types that are
// embedded stand in the name of a field, and begin with a small letter.
func memberOf(field string) string {
	for field != "" && 'a' <= field[0] && field[0] <= 'z' {
		_, field, _ = strings.Cut(field, ".")
	}
	if field == "" {
		return "the body"
	}
	return field
}

// number returns a number of the query, or otherwise if it is not there.
func (c *call) number(name, member string, least, most, otherwise int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	var v violations
	n, err := strconv.Atoi(text)
	if err != nil {
		v.add(text, member, "Member must be a number")
	} else {
		v.between(&n, member, least, most)
	}
	return n, v.err()
}
