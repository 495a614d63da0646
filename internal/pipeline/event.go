// Package pipeline takes the events of WebSocket APIs through their integrations: what the
// backend is asked, and what its answer means to the client.
//
//	i, err := pipeline.New(pipeline.Spec{Type: "MOCK", RequestTemplates: templates, …})
//	result, err := i.Call(&e)
//
// An integration is compiled once per deployed stage. An event belongs to the goroutine
// that handles it, and so does everything it refers to.
package pipeline

import (
	"time"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/selection"
)

// A Kind says which of the three events of a connection an Event is.
type Kind uint8

// The kinds, which the events of functions call CONNECT, MESSAGE and DISCONNECT.
const (
	Connect Kind = iota
	Message
	Disconnect
)

func (k Kind) String() string { return [...]string{"CONNECT", "MESSAGE", "DISCONNECT"}[k] }

// An Event is what happened to one connection, on its way through the route that was
// selected for it.
type Event struct {
	Kind Kind
	// Socket is the connection with the stage variables of now. It is only read.
	Socket *event.Socket
	// RouteKey is that of the route, "" as long as none is selected.
	RouteKey             string
	RequestID, MessageID string // MessageID only of messages
	Time                 time.Time
	// Message is the text of a message, and what it says as JSON; empty for other events.
	Message selection.Message
	// Exchange is the handshake of $connect, with the client's header and query, and a
	// detached one with neither for other events. What is waited for is waited for with it,
	// and its buffers may be used. Its Integration is set by those who call backends.
	Exchange *gateway.Exchange
	// Code and Reason are those of a disconnection.
	Code   int
	Reason string
	// Log takes lines of the execution log; nil unless the route has one at level INFO. Data
	// says that payloads are logged, too.
	Log  Log
	Data bool

	// What access logs show of an event that is over.

	// Status is that of the event, as if it had been a request.
	Status int
	// Failure is why the integration did not answer, or was not asked; nil if it did.
	Failure *gateway.Error
	// Validation says what is wrong with a message that is not as its model says.
	Validation string
	// Authorized is how the authorizers of a handshake fared.
	Authorized Authorized
}

// Authorized is what access logs show of authorizers. Zero values are unknown.
type Authorized struct {
	// Authorizer is the outcome of a Lambda authorizer, Authorize that of a signature's
	// policy, Authenticate that of a signature itself.
	Authorizer, Authorize, Authenticate Outcome
	// IntegrationStatus and RequestID are those of the call of a Lambda authorizer.
	IntegrationStatus int
	RequestID         string
}

// An Outcome is how a step of authorization ended: Status as if it had been a request, and
// Error in words that logs may show.
type Outcome struct {
	Status  int
	Latency time.Duration
	Error   string
}

// A Log takes lines of an execution log.
type Log interface {
	Line(text string)
}

// A Result is what an integration has given. It is valid until the exchange of the event
// ends, and only read.
type Result struct {
	// Status is that of the answer: what decides about a handshake.
	Status int
	// Text is what the client of a two-way route gets.
	Text []byte
	// Subprotocol is the one that $connect has chosen; "" for none.
	Subprotocol string
}

// An Integration is the compiled integration of a route. Call may be used by any number of
// goroutines. The error is a *gateway.Error: its status is that of a refused handshake, its
// message that of an error frame, and its type says what went wrong.
type Integration interface {
	Call(e *Event) (Result, error)
}
