package authorizer

import (
	"fmt"
	"strings"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/mapping"
)

// A SocketSource is an identity source of the Lambda authorizer of a WebSocket API. Its
// value counts for nothing but being there: the function sees the whole handshake, and no
// answer is kept for others with the same values. The zero SocketSource never has a value.
type SocketSource struct {
	text    string // as written
	present func(x *gateway.Exchange, s *event.Socket) bool
}

// String returns the source as it was written.
func (s SocketSource) String() string { return s.text }

// ParseSocketSource parses an identity source:
//
//	"route.request.header." name | "route.request.querystring." name |
//	"stageVariables." name | "context." variable
//
// Names of header fields are known regardless of case. Variables are those of the stage.
// A context variable that has no value before a client is let in is an error.
func ParseSocketSource(text string, variables map[string]string) (SocketSource, error) {
	s := SocketSource{text: text}
	if name, ok := strings.CutPrefix(text, "route.request.header."); ok && name != "" {
		s.present = func(x *gateway.Exchange, _ *event.Socket) bool { return hasField(&x.Request, name) }
	} else if name, ok := strings.CutPrefix(text, "route.request.querystring."); ok && name != "" {
		s.present = func(x *gateway.Exchange, _ *event.Socket) bool { return hasParameter(x.Request.Query, name) }
	} else if name, ok := strings.CutPrefix(text, "stageVariables."); ok && name != "" {
		known := variables[name] != ""
		s.present = func(*gateway.Exchange, *event.Socket) bool { return known }
	} else if name, ok := strings.CutPrefix(text, "context."); ok {
		if s.present, ok = socketVariables[name]; !ok {
			return SocketSource{}, fmt.Errorf("offset %d: no context variable %q has a value before a client is let in", len("context."), name)
		}
	} else {
		return SocketSource{}, fmt.Errorf("%q is no identity source: want route.request.header.{name}, route.request.querystring.{name}, "+
			"stageVariables.{name} or context.{name}", text)
	}
	return s, nil
}

// socketVariables are the context variables that have values in a handshake before
// anybody has decided about it.
var socketVariables = map[string]func(*gateway.Exchange, *event.Socket) bool{
	"apiId":              func(_ *gateway.Exchange, s *event.Socket) bool { return s.APIID != "" },
	"connectedAt":        func(_ *gateway.Exchange, s *event.Socket) bool { return !s.ConnectedAt.IsZero() },
	"connectionId":       func(_ *gateway.Exchange, s *event.Socket) bool { return s.ConnectionID != "" },
	"domainName":         func(_ *gateway.Exchange, s *event.Socket) bool { return s.DomainName != "" },
	"eventType":          always,
	"extendedRequestId":  hasID,
	"identity.sourceIp":  func(_ *gateway.Exchange, s *event.Socket) bool { return s.SourceIP != "" },
	"identity.userAgent": func(_ *gateway.Exchange, s *event.Socket) bool { return s.UserAgent != "" },
	"messageDirection":   always,
	"requestId":          hasID,
	"requestTime":        hasStart,
	"requestTimeEpoch":   hasStart,
	"routeKey":           always,
	"stage":              func(_ *gateway.Exchange, s *event.Socket) bool { return s.Stage != "" },
}

func always(*gateway.Exchange, *event.Socket) bool { return true }

func hasID(x *gateway.Exchange, _ *event.Socket) bool { return x.ID != "" }

func hasStart(x *gateway.Exchange, _ *event.Socket) bool { return !x.Start.IsZero() }

// hasField reports whether a field has a value, by the last one of its name: functions
// see that one.
func hasField(r *gateway.Request, name string) bool {
	found := false
	for i := range r.Header {
		if gateway.EqualFold(r.Header[i].Name, name) {
			found = r.Header[i].Value != ""
		}
	}
	return found
}

// hasParameter is hasField for a parameter of a query.
func hasParameter(query, name string) bool {
	found := false
	for p, rest := mapping.NextParameter(query); p.Raw != ""; p, rest = mapping.NextParameter(rest) {
		if p.Is(name) {
			_, value, _ := strings.Cut(p.Raw, "=")
			found = value != ""
		}
	}
	return found
}
