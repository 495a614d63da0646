// Package websocket serves WebSocket APIs: it lets clients in, has their messages go
// through the routes of their stage, says when they have left, and lets backends reach
// them.
//
// A Stage is compiled and never changes; each event of a connection is handled by the
// stage that is served at that moment. A Server has what outlives stages: the connections
// themselves, their groups and their counts.
package websocket

import (
	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
	"penstock/internal/schema"
	"penstock/internal/selection"
)

// The keys of routes that no message selects, and of the one for all the others.
const (
	ConnectKey    = "$connect"
	DisconnectKey = "$disconnect"
	DefaultKey    = "$default"
)

// A Stage is a stage of a WebSocket API as it is served. It implements gateway.Sockets.
type Stage struct {
	Server      *Server
	APIID, Name string
	// API stands for the API of the stage, also when that has gone.
	API *gateway.API
	// Gateway is the stage that has this one in its Sockets.
	Gateway *gateway.Stage
	// Variables are the stage variables.
	Variables map[string]string
	// Selection makes the route key of a message.
	Selection *selection.Expression
	// Connect and Disconnect are the routes of these events, nil if there is none.
	Connect, Disconnect *Route
	// Routes are those of messages by their keys, with $default if there is one.
	Routes map[string]*Route
	// KeyInContext says that API keys come from the authorizer and not from the header
	// x-api-key.
	KeyInContext bool
	// AccessLog is nil without one, and Log without an execution log.
	AccessLog AccessLog
	Log       Sink
	// Level and Data are those of the execution log for events without a route.
	Level Level
	Data  bool

	meter meterCell
}

// An AccessLog takes the line of each event of a stage that is over. It must not block.
type AccessLog interface {
	Log(e *pipeline.Event)
}

// A Sink takes lines without their ends, and does not block.
type Sink interface {
	Write(line []byte)
}

// A Route is one compiled route of a stage.
type Route struct {
	// Gateway has the key of the route, its throttling and whether it has metrics of its own.
	Gateway *gateway.Route
	// Integration is nil for a route without a target.
	Integration pipeline.Integration
	// TwoWay says that clients get what the integration gives.
	TwoWay bool
	// Mock says that no backend is called, so that no latency is measured.
	Mock bool
	// Models check messages; nil if they are not checked.
	Models *Models
	// Level is that of the execution log, Data says that payloads are logged.
	Level Level
	Data  bool

	// What only $connect has.

	// Authorizer is nil for the authorization type NONE, and for nothing else.
	Authorizer Authorizer
	// Required are the parameters that a handshake must have.
	Required []Parameter
	// KeyRequired says that a handshake needs an API key.
	KeyRequired bool

	meter meterCell
}

// An Authorizer decides about handshakes. It sets the identity of the exchange, and
// returns the API key that it knows the client by, if any. The error is a *gateway.Error.
type Authorizer interface {
	Authorize(x *gateway.Exchange, s *event.Socket, outcome *pipeline.Authorized) (key string, err error)
}

// A Parameter is one of a handshake, of the header or of the query.
type Parameter struct {
	Header bool
	Name   string
}

// A Level is that of an execution log.
type Level uint8

// The levels. At LevelError only what went wrong is logged.
const (
	LevelOff Level = iota
	LevelError
	LevelInfo
)

// Models are the models of a route and the expression that chooses one.
type Models struct {
	Selection *selection.Expression
	// Schemas are by what the expression selects. One that is nil refuses every message:
	// its model cannot be used.
	Schemas map[string]*schema.Schema
}

// check returns what is wrong with a message, "" if it is as its model says.
func (m *Models) check(e *pipeline.Event, v *selection.Values) string {
	var room [128]byte
	key, err := m.Selection.Append(room[:0], v)
	if err != nil {
		return "[" + err.Error() + "]"
	}
	s, ok := m.Schemas[string(key)]
	if !ok {
		s, ok = m.Schemas[DefaultKey]
	}
	switch {
	case !ok:
		return "[no model is selected]"
	case s == nil:
		return "[the model cannot be used]"
	}
	if err := s.Validate(e.Message.Text); err != nil {
		return "[" + err.Error() + "]"
	}
	return ""
}
