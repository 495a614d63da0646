package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// A record is a line of the audit log: who asked for what, and what became of it.
// It holds nothing of what was sent but names that are in the path: no bodies, no
// queries, no messages that could repeat them, no signatures.
type record struct {
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

// An auditor writes records, a line each, one after the other.
type auditor struct {
	mu     sync.Mutex // guards the writer and failed
	failed bool
}

// audit writes a record. A log that cannot be written to is reported when that
// begins and not again until it could.
func (s *Server) audit(r *http.Request, rec record) {
	if s.Audit == nil {
		return
	}
	rec.Time = s.Now().UTC()
	rec.SourceIP = sourceIP(r.RemoteAddr)
	rec.Method = r.Method
	rec.Outcome = outcome(rec.Status)
	rec.UserAgent = cut(r.UserAgent(), maxUserAgent)
	rec.Resource = cut(rec.Resource, maxResource)
	line, err := auditLine(rec)
	if err != nil {
		s.Log.ErrorContext(r.Context(), "audit log", "error", err)
		return
	}
	s.auditor.mu.Lock()
	defer s.auditor.mu.Unlock()
	_, err = s.Audit.Write(line)
	if err != nil && !s.auditor.failed {
		s.Log.ErrorContext(r.Context(), "the audit log cannot be written to", "error", err)
	}
	s.auditor.failed = err != nil
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

// auditLine returns a record as a line. Characters that could control the terminal of
// who reads it are written as escapes.
func auditLine(rec record) ([]byte, error) {
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
