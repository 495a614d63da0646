package websocket

import (
	"net/http"
	"strconv"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/pipeline"
)

// An executionLog writes what happens to one event. It is nothing unless its route has one.
// It implements pipeline.Log.
type executionLog struct {
	sink  Sink
	event *pipeline.Event
	level Level
	data  bool
	line  []byte
}

// maxLogged is how much of a payload a line shows, in bytes.
const maxLogged = 1 << 10

// begin makes the log that of an event, and writes what is known at its beginning.
func (l *executionLog) begin(st *Stage, r *Route, e *pipeline.Event) {
	if st.Log == nil || r == nil || r.Level == LevelOff {
		return
	}
	l.sink, l.event, l.level, l.data = st.Log, e, r.Level, r.Data
	if l.level < LevelInfo {
		return
	}
	e.Log, e.Data = l, r.Data
	socket := e.Socket
	l.Line("Extended Request Id: " + e.RequestID)
	if e.Kind == pipeline.Connect {
		l.Line("Verifying Usage Plan for request: " + e.RequestID + ". API Key:  API Stage: " + socket.APIID + "/" + socket.Stage)
		if !r.KeyRequired {
			l.Line("API Key  authorized because route '" + e.RouteKey + "' does not require API Key. Request will not contribute to throttle or quota limits")
		}
		l.Line("Usage Plan check succeeded for API Key  and API Stage " + socket.APIID + "/" + socket.Stage)
	}
	l.Line("Starting execution for request: " + e.RequestID)
	l.Line("WebSocket Request Route: [" + e.RouteKey + "]")
	switch e.Kind {
	case pipeline.Connect:
		agent := socket.UserAgent
		if agent == "" {
			agent = "null"
		}
		l.Line("Client [UserAgent: " + agent + ", SourceIp: " + socket.SourceIP + "] is connecting to WebSocket API [" + socket.APIID + "].")
	case pipeline.Message:
		if l.data {
			l.Line("Message received: " + string(e.Message.Text[:min(len(e.Message.Text), maxLogged)]))
		}
	case pipeline.Disconnect:
		l.Line("Client [Connection Id: " + socket.ConnectionID + "] disconnected from WebSocket API [" + socket.APIID + "] with status " + strconv.Itoa(e.Code) + ".")
	}
}

// Line implements pipeline.Log. What would end a line is a space.
func (l *executionLog) Line(text string) {
	b := append(l.line[:0], '(')
	b = append(b, l.event.RequestID...)
	b = append(b, ") "...)
	n := len(b)
	b = append(b, text...)
	for i := n; i < len(b); i++ {
		if b[i] < ' ' || b[i] == 0x7f {
			b[i] = ' '
		}
	}
	l.line = b
	l.sink.Write(b)
}

// end writes how the event has ended.
func (l *executionLog) end() {
	if l.sink == nil {
		return
	}
	e := l.event
	if f := e.Failure; f != nil && (l.level == LevelInfo || f.Status >= http.StatusBadRequest) {
		l.Line("Execution failed due to " + kindOf(f) + ": " + f.Error())
	}
	if l.level == LevelInfo {
		l.Line("Method completed with status: " + strconv.Itoa(e.Status))
	}
}

// kindOf returns what a failure is called, in words.
func kindOf(e *gateway.Error) string {
	if e.Type == "" {
		return "the answer of the integration"
	}
	return strings.ToLower(strings.ReplaceAll(e.Type, "_", " "))
}
