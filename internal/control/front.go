package control

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"penstock/internal/audit"
	"penstock/internal/model"
)

const (
	maxBody       = 10 << 20  // bytes of a request body
	maxImportBody = 13 << 20  // of the operations that take an API description: 6 MiB, each byte of which may be escaped
	maxBodies     = 256 << 20 // of all request bodies in memory at one time
	maxImports    = 2         // API descriptions that are read at one time, each taking some 100 times its length
)

// An answer is what is sent back: a status and the body, or nothing.
type answer struct {
	status     int
	body       []byte // nil if the answer has none
	form       string // Content-Type of body; JSON if empty
	errorType  string
	retryAfter int // seconds
}

// ServeHTTP answers one request. Whatever the request is, the answer is one the
// service could give; a panic is logged and answered as an internal error.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	op, labels := match(r.Method, r.URL.EscapedPath())
	rec := audit.Record{RequestID: uuid.NewString()}
	a := s.answer(w, r, op, labels, &rec)

	h := w.Header()
	h.Set("x-amzn-RequestId", rec.RequestID)
	h.Set("x-amz-apigw-id", extendedRequestID())
	if a.errorType != "" {
		h.Set("x-amzn-ErrorType", a.errorType)
	}
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	if a.body != nil {
		h.Set("Content-Type", cmp.Or(a.form, "application/json"))
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	w.Write(a.body) // a client that has gone away does not hear the answer

	if op != nil {
		rec.Operation = op.Name
	}
	if s.Observe != nil {
		s.Observe(rec.Operation, a.status, time.Since(start))
	}
	rec.Status, rec.ErrorType = a.status, a.errorType
	s.trail.Write(r, rec)
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, op *model.Operation, labels map[string]string, rec *audit.Record) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(r.Context(), "panic in the control plane", "request", rec.RequestID, "method", r.Method, "path", r.URL.EscapedPath(), "panic", p, "stack", string(debug.Stack()))
			a = failure(errInternal)
		}
	}()
	a, err := s.respond(w, r, op, labels, rec)
	if err == nil {
		return a
	}
	var known *Error
	if errors.As(err, &known) {
		return failure(known)
	}
	level := slog.LevelError
	if errors.Is(err, context.Canceled) {
		level = slog.LevelDebug // the client has gone
	}
	s.Log.Log(r.Context(), level, "request failed", "request", rec.RequestID, "method", r.Method, "path", r.URL.EscapedPath(), "error", err)
	return failure(errInternal)
}

// respond lets a request in and answers it. Who calls is decided before anything
// is said about what was asked for.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, op *model.Operation, labels map[string]string, rec *audit.Record) (answer, error) {
	body, release, err := s.readBody(w, r, op)
	if err != nil {
		return answer{}, err
	}
	defer release()
	principal, err := s.authenticate(r, body)
	if err != nil {
		return answer{}, err
	}
	rec.Principal = principal.ARN
	if err := s.admit(s.limiter); err != nil {
		return answer{}, err
	}
	if op == nil {
		return answer{}, errUnknownOperation
	}
	c := &call{Server: s, request: r, op: op, labels: labels, query: r.URL.Query(), body: body, principal: principal}
	if s.Audit != nil {
		rec.Resource = c.resource()
	}
	if err := c.authorize(); err != nil {
		return answer{}, err
	}
	if err := s.admit(s.operations[op.Name]); err != nil { // who may not call it takes nothing from who may
		return answer{}, err
	}
	out, err := handlers[op.Name](c)
	if err != nil {
		return answer{}, err
	}
	if op.Output == nil {
		return answer{status: op.Status}, nil
	}
	switch out := out.(type) {
	case nil:
		return answer{status: op.Status, body: []byte("{}")}, nil
	case encoded:
		return answer{status: op.Status, body: out}, nil
	case document:
		return answer{status: op.Status, body: out.text, form: out.contentType}, nil
	}
	text, err := encode(out)
	return answer{status: op.Status, body: text}, err
}

// readBody reads the body and accounts for it until release is called. More than
// the limit is never read.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, op *model.Operation) (body []byte, release func(), err error) {
	if r.Body == nil || r.ContentLength == 0 {
		return nil, func() {}, nil
	}
	limit := int64(maxBody)
	if op != nil && (op.Name == "ImportApi" || op.Name == "ReimportApi") {
		limit = maxImportBody
	}
	size := r.ContentLength
	if size < 0 {
		size = limit // not told: as much as it may be
	}
	if size > limit {
		w.Header().Set("Connection", "close") // what was announced is not read
		return nil, nil, errBodyTooLarge
	}
	if !s.bodies.TryAcquire(size) {
		return nil, nil, tooManyRequests(1)
	}
	release = func() { s.bodies.Release(size) }
	if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit)); err != nil {
		release()
		return nil, nil, bodyError(err)
	}
	return body, release, nil
}

func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		return errBodyTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errBodyTimeout
	default:
		return serialization(msgBodyLost)
	}
}

// anonymous is who calls where nobody is asked to sign.
const anonymous = "anonymous"

func (s *Server) authenticate(r *http.Request, body []byte) (Principal, error) {
	if s.Authenticator == nil {
		return Principal{Name: anonymous, ARN: anonymous}, nil
	}
	principal, err := s.Authenticator.Authenticate(r, body)
	if err == nil {
		return principal, nil
	}
	var refused interface {
		error
		Code() string
	}
	if errors.As(err, &refused) {
		return principal, forbidden(refused.Code(), refused.Error())
	}
	return principal, err
}

// operationRates are how often the real service lets an account call an operation:
// once in each of these times. Source: developer guide, limits.
var operationRates = map[string]time.Duration{
	"CreateDeployment": 5 * time.Second,
	"CreateDomainName": 30 * time.Second,
	"UpdateDomainName": 30 * time.Second,
	"DeleteDomainName": 30 * time.Second,
	"CreateVpcLink":    15 * time.Second,
	"DeleteVpcLink":    30 * time.Second,
}

func newOperationLimiters() map[string]*rate.Limiter {
	limiters := map[string]*rate.Limiter{}
	for name, every := range operationRates {
		limiters[name] = rate.NewLimiter(rate.Every(every), 1)
	}
	return limiters
}

// admit applies a limit of calls per second; nil is none.
func (s *Server) admit(limiter *rate.Limiter) error {
	if limiter == nil {
		return nil
	}
	now := s.Now()
	reservation := limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay <= 0 {
		return nil
	}
	reservation.CancelAt(now)
	return tooManyRequests(max(1, int(math.Ceil(delay.Seconds()))))
}

func failure(err *Error) answer {
	member := "message"
	if err.Capital {
		member = "Message"
	}
	body, _ := encode(map[string]string{member: err.Message})
	return answer{status: err.Status, body: body, errorType: err.Code, retryAfter: err.RetryAfter}
}

// encode returns v as JSON without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
