// Package audit writes what callers of the server's APIs have asked for, and what became
// of it: a line of JSON for each call.
package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Record is a line of the audit log: who asked for what, and what became of it.
// It holds nothing of what was sent but names that are in the path: no bodies, no
// queries, no messages that could repeat them, no signatures.
type Record struct {
	Time      time.Time `json:"time"`
	RequestID string    `json:"requestId"`
	Principal string    `json:"principal,omitempty"` // ARN; absent if nobody was recognised
	SourceIP  string    `json:"sourceIp"`
	UserAgent string    `json:"userAgent,omitempty"`
	Method    string    `json:"method"`
	Operation string    `json:"operation,omitempty"` // absent if the request named none
	Resource  string    `json:"resource,omitempty"`  // ARN, as policies name it
	Outcome   string    `json:"outcome"`
	Status    int       `json:"status"`
	ErrorType string    `json:"errorType,omitempty"`
}

// Outcomes of calls.
const (
	outcomeSuccess = "success"
	outcomeDenied  = "denied"  // by who asked
	outcomeRefused = "refused" // by what was asked for
	outcomeFailed  = "failed"  // by the server
)

func outcome(status int) string {
	switch {
	case status < 400:
		return outcomeSuccess
	case status == http.StatusForbidden:
		return outcomeDenied
	case status < 500:
		return outcomeRefused
	default:
		return outcomeFailed
	}
}

// How much of what callers can make long is kept, in bytes.
const (
	maxUserAgent = 256
	maxResource  = 1024
)

// A Log takes records, a line each, one after the other. It may be used by many
// goroutines; a nil Log takes nothing.
type Log struct {
	w   io.Writer
	now func() time.Time
	log *slog.Logger // that hears when the audit log cannot be written to

	mu     sync.Mutex // guards the writer and failed
	failed bool
}

// New returns a log that gives w each line in one Write; nil if w is nil.
func New(w io.Writer, now func() time.Time, log *slog.Logger) *Log {
	if w == nil {
		return nil
	}
	return &Log{w: w, now: now, log: log}
}

// Write adds what the request tells to a record and writes it. A log that cannot be
// written to is reported when that begins and not again until it could.
func (l *Log) Write(r *http.Request, rec Record) {
	if l == nil {
		return
	}
	rec.Time = l.now().UTC()
	rec.SourceIP = SourceIP(r.RemoteAddr)
	rec.Method = r.Method
	rec.Outcome = outcome(rec.Status)
	rec.UserAgent = cut(r.UserAgent(), maxUserAgent)
	rec.Resource = cut(rec.Resource, maxResource)
	line, err := lineOf(rec)
	if err != nil {
		l.log.ErrorContext(r.Context(), "audit log", "error", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.w.Write(line)
	if err != nil && !l.failed {
		l.log.ErrorContext(r.Context(), "the audit log cannot be written to", "error", err)
	}
	l.failed = err != nil
}

// SourceIP returns the address of a peer without its port.
func SourceIP(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// cut returns the beginning of a text, of at most that many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// lineOf returns a record as a line. Characters that could control the terminal of
// who reads it are written as escapes.
func lineOf(rec Record) ([]byte, error) {
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	line := make([]byte, 0, len(text)+1)
	for _, r := range string(text) {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			line = fmt.Appendf(line, `\u%04x`, r)
			continue
		}
		line = utf8.AppendRune(line, r)
	}
	return append(line, '\n'), nil
}
