package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"penstock/internal/connection"
	"penstock/internal/event"
	"penstock/internal/gateway"
	"penstock/internal/journal"
	"penstock/internal/mapping"
	"penstock/internal/pipeline"
)

// Serve implements gateway.Sockets.
func (st *Stage) Serve(x *gateway.Exchange) error {
	err := st.serve(x)
	if err == nil {
		return nil
	}
	if upgrade, ok := x.Request.Field("Upgrade"); ok && hasToken(upgrade, "websocket") {
		// What comes behind a handshake need not be a request.
		return closing(answerOf(err))
	}
	return err
}

func (st *Stage) serve(x *gateway.Exchange) error {
	path := strings.TrimPrefix(x.RoutePath, "/")
	switch {
	case path == "":
		return st.connect(x)
	case strings.HasPrefix(path, connectionsPrefix):
		return st.manage(x, path[len(connectionsPrefix):])
	case strings.HasPrefix(path, groupsPrefix):
		return st.manageGroup(x, path[len(groupsPrefix):])
	}
	return why(errForbidden, "below a stage of a WebSocket API there are only @connections and @groups")
}

// connect takes a handshake through its steps. Each of them may end it; then none of the
// later ones has happened.
func (st *Stage) connect(x *gateway.Exchange) error {
	if x.Request.Method != http.MethodGet {
		return why(errForbidden, "the address of a stage takes WebSocket handshakes only")
	}
	key, err := upgradeKey(x)
	if err != nil {
		return err
	}
	s := st.Server
	if s.draining.Load() {
		return why(errUnavailable, "the server is shutting down")
	}
	others, taken := s.handshakes.Add(1)-1, false
	defer func() {
		if !taken { // else it counts until it is a connection
			s.handshakes.Add(-1)
		}
	}()
	if !s.gateway.RoomToUpgrade(int(others)) {
		return why(errUnavailable, "there are too many connections")
	}
	h := handshake{stage: st, x: x, key: key}
	h.begin()
	err = h.run()
	if err != nil {
		err = h.refusal(socketAnswer(answerOf(err)))
	}
	h.end(err)
	taken = err == nil
	return err
}

// refusal returns the answer to a handshake that is refused: an object of the form of error
// frames, unless it is what a backend says.
func (h *handshake) refusal(e *gateway.Error) *gateway.Error {
	if h.answered || !h.known {
		return e
	}
	body := event.AppendErrorFrame(nil, e.Message, h.socket.ConnectionID, h.event.RequestID)
	c := gateway.NewErrorBody(e.Status, string(body), e.Type, e.ErrorType).With(e.Cause)
	c.Message, c.Challenge = e.Message, e.Challenge
	return c
}

// closing has the connection closed behind an answer: a client that was refused starts anew.
func closing(e *gateway.Error) *gateway.Error {
	c := e.With(e.Cause)
	c.Close = true
	return c
}

// upgradeKey checks that a request is a handshake and returns its key.
func upgradeKey(x *gateway.Exchange) (string, error) {
	r := &x.Request
	var key, version string
	var upgrade, connected bool
	for i := range r.Header {
		f := &r.Header[i]
		switch {
		case gateway.EqualFold(f.Name, "Upgrade"):
			upgrade = upgrade || hasToken(f.Value, "websocket")
		case gateway.EqualFold(f.Name, "Connection"):
			connected = connected || hasToken(f.Value, "upgrade")
		case gateway.EqualFold(f.Name, "Sec-WebSocket-Key"):
			if key != "" {
				return "", why(errHandshake, "two fields Sec-WebSocket-Key")
			}
			key = f.Value
		case gateway.EqualFold(f.Name, "Sec-WebSocket-Version"):
			version = f.Value
		}
	}
	switch {
	case !upgrade:
		return "", why(errUpgrade, "the request is no WebSocket handshake: it has no Upgrade: websocket")
	case !x.CanUpgrade():
		return "", why(errUpgrade, "handshakes need HTTP/1.1")
	case !connected:
		return "", why(errHandshake, "the handshake has no Connection: upgrade")
	case version != "13":
		return "", why(errVersion, "the handshake is not of version 13")
	case r.ContentLength != 0:
		return "", why(errHandshake, "a handshake has no body")
	}
	if raw, err := base64.StdEncoding.DecodeString(key); err != nil || len(raw) != 16 {
		return "", why(errHandshake, "Sec-WebSocket-Key is not 16 bytes in base64")
	}
	return key, nil
}

// acceptKey returns the answer to the key of a handshake (RFC 6455, 1.3).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// hasToken reports whether a comma-separated list has a token.
func hasToken(list, token string) bool {
	for t := range strings.SplitSeq(list, ",") {
		if gateway.EqualFold(strings.Trim(t, " \t"), token) {
			return true
		}
	}
	return false
}

// A handshake is one on its way.
type handshake struct {
	stage  *Stage
	x      *gateway.Exchange
	key    string // Sec-WebSocket-Key
	socket event.Socket
	event  pipeline.Event
	log    executionLog
	apiKey string // as the authorizer has it
	// known says that the account has let the handshake through: from there on the answer
	// names the connection. answered says that the answer is that of a backend.
	known, answered bool

	subprotocol string
}

// begin makes the event. What the connection keeps is copied: the request is not kept.
func (h *handshake) begin() {
	st, x := h.stage, h.x
	if st.Connect != nil {
		x.Route = st.Connect.Gateway
	}
	agent, _ := x.Request.Field("User-Agent")
	h.socket = event.Socket{
		APIID:          st.APIID,
		Stage:          st.Name,
		ConnectionID:   connection.NewID(),
		DomainName:     strings.Clone(gateway.Hostname(x.Request.Host)),
		ConnectedAt:    x.Start,
		SourceIP:       x.Request.Peer.Addr().WithZone("").String(),
		UserAgent:      strings.Clone(agent[:min(len(agent), maxUserAgent)]),
		StageVariables: st.Variables,
	}
	x.ConnectionID = h.socket.ConnectionID
	h.event = pipeline.Event{Kind: pipeline.Connect, Socket: &h.socket, RouteKey: ConnectKey, RequestID: strings.Clone(x.ID), Time: x.Start, Exchange: x}
	h.log.begin(st, st.Connect, &h.event)
}

// maxUserAgent bounds what is kept of the name of a client, in bytes.
const maxUserAgent = 1 << 10

// run takes the handshake through the steps that can refuse it.
func (h *handshake) run() error {
	st, x, s := h.stage, h.x, h.stage.Server
	if !s.rate.Take(x.Start) {
		x.Throttled = gateway.ThrottledByAccount
		return why(errTooMany, "the account has used up its new connections")
	}
	if err := x.ThrottleAccount(); err != nil {
		return err
	}
	h.known = true
	r := st.Connect
	if r == nil {
		return nil
	}
	if err := h.authorize(r); err != nil {
		return err
	}
	if err := h.checkKey(r); err != nil {
		return err
	}
	if err := x.ThrottleRoute(); err != nil {
		return err
	}
	if err := h.require(r); err != nil {
		return err
	}
	if r.Integration == nil {
		return nil
	}
	return h.call(r)
}

// authorize asks the authorizer of the route.
func (h *handshake) authorize(r *Route) error {
	x := h.x
	if r.Authorizer == nil {
		if t := r.Gateway.AuthorizationType; t != "" && t != "NONE" {
			return why(errAuthorizer, "the route has no authorizer for its authorization type "+t)
		}
		return nil
	}
	x.Authorizing = true
	start := time.Now()
	key, err := r.Authorizer.Authorize(x, &h.socket, &h.event.Authorized)
	x.AuthorizerLatency = time.Since(start)
	if err == nil && x.Identity == nil {
		err = why(errAuthorizer, "the authorizer did not say who calls")
	}
	if err != nil {
		return err
	}
	h.apiKey = key
	h.socket.Identity = x.Identity
	if x.Identity.Lambda != nil {
		h.socket.AuthorizerLatency = x.AuthorizerLatency
	}
	return nil
}

// checkKey looks for the API key, if the route needs one.
func (h *handshake) checkKey(r *Route) error {
	if !r.KeyRequired {
		return nil
	}
	key := h.apiKey
	if !h.stage.KeyInContext {
		key, _ = h.x.Request.Field("x-api-key")
	}
	id, err := h.stage.Server.config.Keys.Check(h.stage.APIID, h.stage.Name, key)
	if err != nil {
		return err
	}
	h.socket.APIKey, h.socket.APIKeyID = strings.Clone(key), id
	h.log.keyAccepted(id)
	return nil
}

// require looks for the parameters that the route declares.
func (h *handshake) require(r *Route) error {
	var missing []string
	for _, p := range r.Required {
		if p.Header {
			if _, ok := h.x.Request.Field(p.Name); ok {
				continue
			}
		} else if hasParameter(h.x.Request.Query, p.Name) {
			continue
		}
		missing = append(missing, p.Name)
	}
	if missing == nil {
		return nil
	}
	text := "Missing required request parameters: [" + strings.Join(missing, ", ") + "]"
	return gateway.NewError(http.StatusBadRequest, text, "BAD_REQUEST_PARAMETERS", "BadRequestException").With(errors.New("a declared parameter is missing"))
}

// call calls the integration. Whatever is no success refuses the handshake.
func (h *handshake) call(r *Route) error {
	s := h.stage.Server
	s.meters.of(h.stage, r).connects.Inc()
	result, err := r.Integration.Call(&h.event)
	if err != nil {
		return err
	}
	h.subprotocol = result.Subprotocol
	if result.Status >= 200 && result.Status <= 299 {
		return nil
	}
	h.answered = len(result.Text) > 0
	return refused(result)
}

// refused is the answer of a backend that does not want the connection.
func refused(result pipeline.Result) error {
	status := result.Status
	if status < 200 || status > 599 {
		return why(errTarget, "the integration answered with status "+strconv.Itoa(status))
	}
	text := http.StatusText(status)
	e := gateway.NewErrorBody(status, string(result.Text), "", "")
	switch {
	case status == http.StatusNotModified: // which has no body, whatever is said
		e = gateway.NewErrorBody(status, "", "", "")
	case len(result.Text) == 0:
		e = gateway.NewError(status, text, "", "")
	}
	e.Message = text
	return e.With(errors.New("the integration refused the connection"))
}

// end tells of the handshake, and lets the client in if there was no error.
func (h *handshake) end(err error) {
	st := h.stage
	h.event.Status = http.StatusOK
	if err != nil {
		h.event.Failure = answerOf(err)
		h.event.Status = h.event.Failure.Status
	}
	st.Server.meters.ended(st, st.Connect, &h.event)
	h.log.end()
	if st.AccessLog != nil {
		st.AccessLog.Log(&h.event)
	}
	if err == nil {
		h.admit()
	}
}

// admit answers the handshake and has the connection taken over.
func (h *handshake) admit() {
	x, s := h.x, h.stage.Server
	fields := []gateway.Field{{Name: "Upgrade", Value: "websocket"}, {Name: "Sec-WebSocket-Accept", Value: acceptKey(h.key)}}
	if h.subprotocol != "" {
		fields = append(fields, gateway.Field{Name: "Sec-WebSocket-Protocol", Value: h.subprotocol})
	}
	info := connection.Info{
		ID:          h.socket.ConnectionID,
		API:         h.socket.APIID,
		Stage:       h.socket.Stage,
		ConnectedAt: h.socket.ConnectedAt,
		SourceIP:    h.socket.SourceIP,
		UserAgent:   h.socket.UserAgent,
		DomainName:  h.socket.DomainName,
	}
	if s.config.Compression {
		var offers []string
		for _, f := range x.Request.Header {
			if gateway.EqualFold(f.Name, "Sec-WebSocket-Extensions") {
				offers = append(offers, f.Value)
			}
		}
		if info.Extensions = connection.Negotiate(offers); info.Extensions != "" {
			fields = append(fields, gateway.Field{Name: "Sec-WebSocket-Extensions", Value: info.Extensions})
		}
	}
	if k := h.session(); k != nil {
		info.Owner = k
	}
	st := h.stage
	x.Upgrade(fields, func(c net.Conn, head, early []byte) { s.admit(st, c, head, early, info) })
}

// session returns what is kept of the client, nil if nothing.
func (h *handshake) session() *session {
	s := &session{h.socket.Identity, h.socket.AuthorizerLatency, h.socket.APIKey, h.socket.APIKeyID}
	if s.identity == nil && s.key == "" {
		return nil
	}
	return s
}

// admit takes over a connection whose client was let in. Its end is told whatever happens
// from here.
func (s *Server) admit(st *Stage, nc net.Conn, head, early []byte, info connection.Info) {
	s.enter(st)
	if err := s.config.Journal.Add(entryOf(&info)); err != nil {
		s.log.Warn("a connection is not in the journal: if the server crashes, nobody hears of its end", "error", err)
	}
	s.handshakes.Add(-1) // The hub counts it before the client hears anything.
	c, err := s.hub.Adopt(nc, head, early, info, s)
	if err != nil {
		nc.Close()
		if !errors.Is(err, connection.ErrDraining) {
			s.log.Error("take over a connection", "error", err)
		}
		s.closed(&info, connection.GoingAway, "Going away")
		return
	}
	if stageOf(s.gateway.Snapshot(), stageKey{st.APIID, st.Name}) == nil {
		c.Close(connection.GoingAway, "Going away") // the stage went meanwhile
	}
}

// entryOf returns the entry of a connection in the journal.
func entryOf(info *connection.Info) *journal.Entry {
	e := &journal.Entry{
		ID: info.ID, API: info.API, Stage: info.Stage, DomainName: info.DomainName,
		SourceIP: info.SourceIP, UserAgent: info.UserAgent, ConnectedAt: info.ConnectedAt,
	}
	if k, ok := info.Owner.(*session); ok && k != nil {
		e.Extra = k.encode()
	}
	return e
}

// hasParameter reports whether a query has a parameter.
func hasParameter(query, name string) bool {
	for p, rest := mapping.NextParameter(query); p.Raw != ""; p, rest = mapping.NextParameter(rest) {
		if p.Is(name) {
			return true
		}
	}
	return false
}
