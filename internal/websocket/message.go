package websocket

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"

	"penstock/internal/connection"
	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
	"penstock/internal/selection"
)

// Message implements connection.Handler.
func (s *Server) Message(c *connection.Connection, text []byte, done func()) {
	defer done()
	st, gone := s.current(stageKey{c.Info().API, c.Info().Stage})
	if gone {
		c.Close(connection.GoingAway, "Going away")
		return
	}
	st.message(c, text)
}

// message takes a message through its route. The client hears of failures, and of the
// result if the route is two-way.
func (st *Stage) message(c *connection.Connection, text []byte) {
	s, info := st.Server, c.Info()
	socket := st.socket(info)
	e := pipeline.Event{Kind: pipeline.Message, Socket: &socket, MessageID: connection.NewID(), Message: selection.Message{Text: text}}
	r, routing := st.route(&e)
	x := s.exchange(st, r, info, "MESSAGE")
	x.Identity = socket.Identity
	x.Request.Body = gateway.Body{Bytes: text, Length: int64(len(text))}
	e.Exchange, e.RequestID, e.Time = x, x.ID, x.Start
	m := s.meters.of(st, r)
	m.messages.Inc()
	var log executionLog
	log.begin(st, r, &e)
	result, err := st.handle(r, routing, &e)
	var answer *gateway.Error
	e.Status = http.StatusOK
	if err != nil {
		answer = socketAnswer(answerOf(err))
	} else if r.TwoWay {
		answer = s.reply(c, m, result.Text)
	}
	if answer != nil {
		e.Failure, e.Status = answer, answer.Status
		s.complain(c, m, answer, e.RequestID)
	}
	st.over(r, &e, &log)
}

// route selects the route of a message: nil if there is none, with the reason.
func (st *Stage) route(e *pipeline.Event) (*Route, error) {
	v := selection.Values{Message: &e.Message, Variables: st.Variables}
	r, found, err := selection.SelectRoute(st.Routes, st.Selection, &v)
	switch {
	case found:
		e.RouteKey = r.Gateway.Key
		return r, nil
	case err != nil:
		return nil, fmt.Errorf("the message selects no route, and there is no $default: %w", err)
	}
	return nil, errors.New("the message selects no route, and there is no $default")
}

// handle is everything between the route of a message and its answer.
func (st *Stage) handle(r *Route, routing error, e *pipeline.Event) (result pipeline.Result, err error) {
	defer st.rescue(e, &err)
	x := e.Exchange
	if err := x.ThrottleAccount(); err != nil {
		return result, err
	}
	if r == nil {
		return result, errNoRoute.With(routing)
	}
	if err := x.ThrottleRoute(); err != nil {
		return result, err
	}
	if r.Models != nil {
		v := selection.Values{Message: &e.Message, Variables: st.Variables}
		if e.Validation = r.Models.check(e, &v); e.Validation != "" {
			return result, errBody.With(errors.New(e.Validation))
		}
	}
	if r.Integration == nil {
		if r.TwoWay {
			return result, why(errTarget, "the route has no target that could answer")
		}
		return result, nil
	}
	return r.Integration.Call(e)
}

// reply sends the answer of a two-way route.
func (s *Server) reply(c *connection.Connection, m *meter, text []byte) *gateway.Error {
	switch err := c.Send(text); {
	case err == nil:
		m.messages.Inc()
	case errors.Is(err, connection.ErrTooLarge):
		return why(errAnswerTooLong, fmt.Sprintf("the answer has %d bytes, more than a message may have", len(text)))
	}
	// What a client does not take, or is gone for, is lost. One that does not read at all
	// is closed by its hub.
	return nil
}

// complain sends an error frame.
func (s *Server) complain(c *connection.Connection, m *meter, answer *gateway.Error, requestID string) {
	var room [256]byte
	if c.Send(event.AppendErrorFrame(room[:0], frameText(answer), c.Info().ID, requestID)) == nil {
		m.messages.Inc()
	}
}

// over tells of an event that has ended, and gives its exchange back.
func (st *Stage) over(r *Route, e *pipeline.Event, log *executionLog) {
	s, x := st.Server, e.Exchange
	x.Response.Status = e.Status
	var err error
	if e.Failure != nil {
		err = e.Failure
	}
	defer s.gateway.Finish(x, err) // even if a log panics
	s.meters.ended(st, r, e)
	log.end()
	if st.AccessLog != nil {
		st.AccessLog.Log(e)
	}
}

// Closed implements connection.Handler.
func (s *Server) Closed(c *connection.Connection, code int, reason string) {
	s.bus.Left(c)
	s.closed(c.Info(), code, reason)
}

// closed tells of the end of a connection that was counted.
func (s *Server) closed(info *connection.Info, code int, reason string) {
	defer s.leave(stageKey{info.API, info.Stage})
	s.tell(info, code, reason)
}

// tell tells the route $disconnect of the end of a connection, and has it forgotten. What
// comes of it nobody waits for.
func (s *Server) tell(info *connection.Info, code int, reason string) {
	if st, _ := s.current(stageKey{info.API, info.Stage}); st != nil {
		s.try(info, func() { st.disconnected(info, code, reason) })
	}
	// The journal is closed before events are cut off: those connections stay in it.
	if err := s.config.Journal.Remove(info.ID); err != nil && !errors.Is(err, os.ErrClosed) {
		s.log.Warn("the end of a connection is not in the journal: after the next start it will be told again", "error", err)
	}
}

// try calls what tells of the end of a connection. If that panics, it has been told as well
// as it can be: it would panic again after the next start.
func (s *Server) try(info *connection.Info, tell func()) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("panic while telling of the end of a connection", "connection", info.ID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	tell()
}

// disconnected takes the end of a connection through the route for it.
func (st *Stage) disconnected(info *connection.Info, code int, reason string) {
	r := st.Disconnect
	if r == nil && st.AccessLog == nil && (st.Log == nil || st.Level < LevelInfo) {
		return
	}
	socket := st.socket(info)
	x := st.Server.exchange(st, r, info, "DISCONNECT")
	x.Identity = socket.Identity
	e := pipeline.Event{
		Kind: pipeline.Disconnect, Socket: &socket, RouteKey: DisconnectKey, RequestID: x.ID, Time: x.Start,
		Exchange: x, Code: code, Reason: reason, Status: http.StatusOK,
	}
	var log executionLog
	log.begin(st, r, &e)
	if r != nil && r.Integration != nil {
		if _, err := st.callDisconnect(r, &e); err != nil {
			e.Failure = answerOf(err)
			e.Status = e.Failure.Status
		}
	}
	st.over(r, &e, &log)
}

// callDisconnect calls the integration of $disconnect.
func (st *Stage) callDisconnect(r *Route, e *pipeline.Event) (result pipeline.Result, err error) {
	defer st.rescue(e, &err)
	return r.Integration.Call(e)
}

// rescue makes a panic while an event is handled a failure like any other. It is deferred.
func (st *Stage) rescue(e *pipeline.Event, err *error) {
	if p := recover(); p != nil {
		st.Server.log.Error("panic while handling an event", "eventType", e.Kind.String(), "requestId", e.RequestID, "panic", p, "stack", string(debug.Stack()))
		*err = why(errPanic, "panic")
	}
}
