package websocket

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/pipeline"
)

// An executionLog writes what happens to one event. It is nothing unless its route has one.
// It implements pipeline.Log.
//
// Whatever a line is about, it has none of the credentials that came with the handshake:
// payloads have them, too, since the events of functions have the header in them.
type executionLog struct {
	sink    Sink
	event   *pipeline.Event
	level   Level
	data    bool
	line    []byte
	secrets []string   // in all forms that a line may have them in
	begins  *[256]bool // the bytes that one of them begins with; nil without any
}

// maxLogged is how much of a payload a line shows, in bytes.
const maxLogged = 1 << 10

// begin makes the log that of an event, and writes what is known at its beginning. The route
// may be nil.
func (l *executionLog) begin(st *Stage, r *Route, e *pipeline.Event) {
	level, data := st.Level, st.Data
	if r != nil {
		level, data = r.Level, r.Data
	}
	if st.Log == nil || level == LevelOff {
		return
	}
	l.sink, l.event, l.level, l.data = st.Log, e, level, data
	l.hide()
	if l.level < LevelInfo {
		return
	}
	e.Log, e.Data = l, data
	socket := e.Socket
	l.Line("Extended Request Id: " + e.RequestID)
	if e.Kind == pipeline.Connect {
		l.Line("Verifying Usage Plan for request: " + e.RequestID + ". API Key:  API Stage: " + socket.APIID + "/" + socket.Stage)
		if r == nil || !r.KeyRequired {
			l.Line("API Key  authorized because route '" + e.RouteKey + "' does not require API Key. Request will not contribute to throttle or quota limits")
			l.planned()
		}
	}
	l.Line("Starting execution for request: " + e.RequestID)
	if e.RouteKey != "" {
		l.Line("WebSocket Request Route: [" + e.RouteKey + "]")
	}
	switch e.Kind {
	case pipeline.Connect:
		agent := socket.UserAgent
		if agent == "" {
			agent = "null"
		}
		l.Line("Client [UserAgent: " + agent + ", SourceIp: " + socket.SourceIP + "] is connecting to WebSocket API [" + socket.APIID + "].")
	case pipeline.Message:
		if l.data {
			l.Line("Message received: " + string(start(e.Message.Text)))
		}
	case pipeline.Disconnect:
		l.Line("Client [Connection Id: " + socket.ConnectionID + "] disconnected from WebSocket API [" + socket.APIID + "] with status " + strconv.Itoa(e.Code) + ".")
	}
}

// start returns as much of a text as a line shows.
func start[T string | []byte](text T) T {
	n := len(text)
	if n > maxLogged {
		for n = maxLogged; n > 0 && !utf8.RuneStart(text[n]); n-- {
		}
	}
	return text[:n]
}

// keyAccepted tells that the API key which the route needs lets the client in. An authorizer
// may have named it.
func (l *executionLog) keyAccepted(id string) {
	if l.sink == nil {
		return
	}
	l.hide()
	if l.level < LevelInfo {
		return
	}
	e := l.event
	l.Line("API Key  authorized because route '" + e.RouteKey + "' requires API Key and the one with ID " + id + " is for API Stage " + e.Socket.APIID + "/" + e.Socket.Stage)
	l.planned()
}

func (l *executionLog) planned() {
	socket := l.event.Socket
	l.Line("Usage Plan check succeeded for API Key  and API Stage " + socket.APIID + "/" + socket.Stage)
}

// Line implements pipeline.Log. What would end a line is a space.
func (l *executionLog) Line(text string) {
	b := append(l.line[:0], '(')
	b = append(b, l.event.RequestID...)
	b = append(b, ") "...)
	b = l.appendText(b, text)
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
		l.Line("Execution failed due to " + kindOf(f) + ": " + start(f.Error()))
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

// hide finds out what no line may show: what the handshake has in fields and parameters that
// are named like credentials, and the API key of the connection.
func (l *executionLog) hide() {
	var room [8]string
	all := room[:0]
	if l.event.Kind == pipeline.Connect {
		all = l.event.Exchange.AppendSecrets(all)
	}
	if key := l.event.Socket.APIKey; len(key) >= minSecret {
		all = append(all, key)
	}
	for _, secret := range all {
		for _, form := range [...]string{secret, quoted(secret), url.PathEscape(secret), url.QueryEscape(secret)} {
			if !slices.Contains(l.secrets, form) {
				l.secrets = append(l.secrets, form)
				if l.begins == nil {
					l.begins = new([256]bool)
				}
				l.begins[form[0]] = true
			}
		}
	}
}

// quoted returns a text as it is in a string of JSON.
func quoted(text string) string {
	b := event.AppendString(nil, text)
	return string(b[1 : len(b)-1])
}

// minSecret is how long a value must be to be looked for in others, in bytes.
const minSecret = 4

const (
	redacted = "(redacted)"
	jwtStart = "eyJ" // how tokens begin that are JWTs
)

// appendText appends what a line says without what looks like a JWT, or is a secret, or the
// beginning of one that the end of the text has cut off. Control characters become spaces.
func (l *executionLog) appendText(b []byte, text string) []byte {
	for i := 0; i < len(text); {
		hidden := 0
		if l.begins != nil && l.begins[text[i]] {
			for _, secret := range l.secrets {
				hidden = max(hidden, secretIn(text[i:], secret))
			}
		}
		if hidden == 0 && strings.HasPrefix(text[i:], jwtStart) {
			for hidden < len(text)-i && inToken(text[i+hidden]) {
				hidden++
			}
		}
		switch c := text[i]; {
		case hidden > 0:
			b = append(b, redacted...)
			i += hidden - 1
		case c < ' ' || c == 0x7f:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
		i++
	}
	return b
}

// secretIn returns how much of a text is a secret that the text begins with, or the
// beginning of one when the text ends within it. Backslashes do not tell them apart: whatever
// writes a string into another text, and that into yet another one, adds some.
func secretIn(text, secret string) int {
	i := 0
	for k := range len(secret) {
		for secret[k] != '\\' && i < len(text) && text[i] == '\\' && k > 0 {
			i++
		}
		switch {
		case i == len(text):
			if k < minSecret {
				return 0
			}
			return i
		case text[i] != secret[k]:
			return 0
		}
		i++
	}
	return i
}

// inToken reports whether a byte may be in a JWT.
func inToken(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-' || c == '_' || c == '.' || c == '='
}
