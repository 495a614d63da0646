package websocket

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"penstock/internal/connection"
	"penstock/internal/gateway"
)

// What the paths about connections and groups begin with, below the stage.
const (
	connectionsPrefix = "@connections/"
	groupsPrefix      = "@groups/"
)

// manage answers a request about one connection.
func (st *Stage) manage(x *gateway.Exchange, id string) error {
	method := x.Request.Method
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
	default:
		return why(errMethod, "connections take GET, POST and DELETE")
	}
	s := st.Server
	if err := s.tooLong(x); err != nil {
		return err
	}
	if err := s.config.Management.Authorize(x, st.APIID, st.Name, method, id); err != nil {
		return err
	}
	if x.ThrottleAccount() != nil {
		return why(errLimit, "the account has used up its requests")
	}
	if !connection.ValidID(id) {
		return invalidID(id)
	}
	switch method {
	case http.MethodGet:
		state, err := s.bus.Get(st.APIID, st.Name, id)
		if err != nil {
			return busAnswer(err)
		}
		return answerJSON(x, http.StatusOK, stateJSON(state))
	case http.MethodDelete:
		if err := s.bus.Delete(st.APIID, st.Name, id); err != nil {
			return busAnswer(err)
		}
		return answerNothing(x, http.StatusNoContent)
	}
	text, err := s.body(x)
	if err != nil {
		return err
	}
	s.meters.of(st, nil).messages.Inc()
	if err := s.bus.Post(st.APIID, st.Name, id, text); err != nil {
		return busAnswer(err)
	}
	return answerNothing(x, http.StatusOK)
}

// invalidID is the answer to what no connection can be called.
func invalidID(id string) error {
	return gateway.NewError(http.StatusBadRequest, "Invalid connectionId: "+id, "BAD_REQUEST_PARAMETERS", "BadRequestException")
}

// tooLong refuses a request whose announced length is more than a message may have.
func (s *Server) tooLong(x *gateway.Exchange) error {
	if x.Request.ContentLength > int64(s.config.MessageLimit) {
		return closing(why(errTooLarge, "the body is longer than a message may be"))
	}
	return nil
}

// body returns the message in a request.
func (s *Server) body(x *gateway.Exchange) ([]byte, error) {
	text, err := x.WholeBody(int64(s.config.MessageLimit))
	var e *gateway.Error
	if errors.As(err, &e) && e.Status == http.StatusRequestEntityTooLarge {
		tooLarge := errTooLarge.With(e.Cause)
		tooLarge.Close = e.Close
		return nil, tooLarge
	}
	return text, err
}

// busAnswer is the answer for what could not be done with a connection.
func busAnswer(err error) error {
	switch {
	case errors.Is(err, connection.ErrGone):
		return errGone.With(err)
	case errors.Is(err, connection.ErrFull):
		return errLimit.With(err)
	case errors.Is(err, connection.ErrTooLarge):
		return errTooLarge.With(err)
	case errors.Is(err, ErrTooManyGroups):
		return gateway.NewError(http.StatusBadRequest, fmt.Sprintf("A connection can be in %d groups.", maxGroups), "BAD_REQUEST_PARAMETERS", "LimitExceededException").With(err)
	}
	return errUnavailable.With(err)
}

// answerNothing answers without a body.
func answerNothing(x *gateway.Exchange, status int) error {
	x.Response = gateway.Response{Status: status}
	if status == http.StatusNoContent {
		x.Response.Bodiless, x.Response.Body.Length = true, -1
	}
	return nil
}

var jsonFields = []gateway.Field{{Name: "Content-Type", Value: "application/json"}}

// answerJSON answers with a value as JSON.
func answerJSON(x *gateway.Exchange, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return errUnavailable.With(err)
	}
	x.Response = gateway.Response{Status: status, Header: jsonFields, Body: gateway.Body{Bytes: body, Length: int64(len(body))}}
	return nil
}

// instant is how answers write times: to the millisecond.
const instant = "2006-01-02T15:04:05.000Z"

// stateJSON returns a connection as it is shown.
func stateJSON(s State) any {
	type identity struct {
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent,omitempty"`
	}
	at := func(t time.Time) string { return t.UTC().Format(instant) }
	return struct {
		ConnectedAt  string   `json:"connectedAt"`
		Identity     identity `json:"identity"`
		LastActiveAt string   `json:"lastActiveAt"`
	}{at(s.ConnectedAt), identity{s.SourceIP, s.UserAgent}, at(s.LastActiveAt)}
}

// manageGroup answers a request about a group, or about a connection in one. Groups are an
// extension.
func (st *Stage) manageGroup(x *gateway.Exchange, rest string) error {
	s, method := st.Server, x.Request.Method
	name, id, member := strings.Cut(rest, "/")
	known := method == http.MethodGet || method == http.MethodPost
	if member {
		known = method == http.MethodPut || method == http.MethodDelete
	}
	if !known {
		return why(errMethod, "groups take GET and POST, their members PUT and DELETE")
	}
	if err := s.tooLong(x); err != nil {
		return err
	}
	if err := s.config.Management.AuthorizeGroup(x, st.APIID, st.Name, method, name, id); err != nil {
		return err
	}
	if x.ThrottleAccount() != nil {
		return why(errLimit, "the account has used up its requests")
	}
	if !validGroup(name) {
		return gateway.NewError(http.StatusBadRequest, "Invalid group name: use 1 to 128 letters, digits and -_.:~", "BAD_REQUEST_PARAMETERS", "BadRequestException")
	}
	if member {
		return st.manageMember(x, name, id)
	}
	if method == http.MethodGet {
		ids, err := s.bus.Members(st.APIID, st.Name, name)
		if err != nil {
			return busAnswer(err)
		}
		return answerJSON(x, http.StatusOK, struct {
			ConnectionIDs []string `json:"connectionIds"`
		}{ids})
	}
	text, err := s.body(x)
	if err != nil {
		return err
	}
	sent, failed, err := s.bus.Broadcast(st.APIID, st.Name, name, text)
	if err != nil {
		return busAnswer(err)
	}
	s.meters.of(st, nil).messages.Add(float64(sent))
	return answerJSON(x, http.StatusOK, struct {
		Sent   int `json:"sent"`
		Failed int `json:"failed"`
	}{sent, failed})
}

// manageMember answers a request about a connection in a group.
func (st *Stage) manageMember(x *gateway.Exchange, name, id string) error {
	if !connection.ValidID(id) {
		return invalidID(id)
	}
	change := st.Server.bus.Join
	if x.Request.Method == http.MethodDelete {
		change = st.Server.bus.Leave
	}
	if err := change(st.APIID, st.Name, name, id); err != nil {
		return busAnswer(err)
	}
	return answerNothing(x, http.StatusNoContent)
}

// maxGroupName is how long the name of a group may be.
const maxGroupName = 128

// validGroup reports whether a group may have a name.
func validGroup(name string) bool {
	if name == "" || len(name) > maxGroupName {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.:~", c) >= 0:
		default:
			return false
		}
	}
	return true
}
