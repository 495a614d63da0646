package pipeline

import (
	"time"
	"unicode/utf8"

	"penstock/internal/gateway"
	"penstock/internal/mapping"
	"penstock/vtl"
)

// A scope is what templates see of an event. Most of it is pointers to what the event has:
// templates ask for few of the variables.
type scope struct {
	values, identity, authorizer vtl.Values
	header, query                []vtl.Param
	made                         bool // values are those of the event

	connectedAt, requestTimeEpoch, latency, code, status int64
	requestTime                                          moment
	messageString                                        string
}

// A moment is a time as the service writes it, once somebody asks.
type moment time.Time

func (m *moment) String() string { return time.Time(*m).UTC().Format(timeLayout) }

// Texts of variables that are always the same.
var (
	kindTexts     = [...]string{Connect.String(), Message.String(), Disconnect.String()}
	directionText = directionIn
)

// reset forgets the event.
func (s *scope) reset() {
	clear(s.values)
	clear(s.identity)
	clear(s.authorizer)
	clear(s.header)
	clear(s.query)
	*s = scope{values: s.values[:0], identity: s.identity[:0], authorizer: s.authorizer[:0], header: s.header[:0], query: s.query[:0]}
	if cap(s.authorizer) > keepFields || cap(s.header) > keepFields || cap(s.query) > keepFields {
		*s = scope{}
	}
}

// context returns $context. What has no value is not there.
func (s *scope) context(e *Event) vtl.Values {
	if s.made {
		return s.values
	}
	s.made = true
	k := e.Socket
	v := s.values
	v = appendText(v, "apiId", &k.APIID)
	if !k.ConnectedAt.IsZero() {
		s.connectedAt = k.ConnectedAt.UnixMilli()
		v = append(v, vtl.Value{Name: "connectedAt", Value: &s.connectedAt})
	}
	v = appendText(v, "connectionId", &k.ConnectionID)
	if e.Kind == Disconnect {
		s.code = int64(e.Code)
		v = append(v, vtl.Value{Name: "disconnectStatusCode", Value: &s.code}, vtl.Value{Name: "disconnectReason", Value: &e.Reason})
	}
	v = appendText(v, "domainName", &k.DomainName)
	v = append(v, vtl.Value{Name: "eventType", Value: &kindTexts[e.Kind]}, vtl.Value{Name: "messageDirection", Value: &directionText})
	v = appendText(v, "extendedRequestId", &e.RequestID)
	if e.Kind == Message {
		v = appendText(v, "messageId", &e.MessageID)
	}
	v = appendText(v, "requestId", &e.RequestID)
	if !e.Time.IsZero() {
		s.requestTime, s.requestTimeEpoch = moment(e.Time), e.Time.UnixMilli()
		v = append(v, vtl.Value{Name: "requestTime", Value: &s.requestTime}, vtl.Value{Name: "requestTimeEpoch", Value: &s.requestTimeEpoch})
	}
	v = appendText(v, "routeKey", &e.RouteKey)
	v = appendText(v, "stage", &k.Stage)
	if e.Status != 0 {
		s.status = int64(e.Status)
		v = append(v, vtl.Value{Name: "status", Value: &s.status})
	}
	v = append(v, vtl.Value{Name: "identity", Value: s.ofIdentity(e)})
	if i := k.Identity; i != nil && i.Lambda != nil {
		v = append(v, vtl.Value{Name: "authorizer", Value: s.ofAuthorizer(e, i.Lambda)})
	}
	if e.Failure != nil || e.Validation != "" {
		b, _ := messageString(nil, e)
		s.messageString = string(b)
		var failure vtl.Values
		failure = appendText(failure, "messageString", &s.messageString)
		failure = appendText(failure, "validationErrorString", &e.Validation)
		v = append(v, vtl.Value{Name: "error", Value: failure})
	}
	s.values = v
	return v
}

// appendText appends a text that is not empty.
func appendText(v vtl.Values, name string, text *string) vtl.Values {
	if *text == "" {
		return v
	}
	return append(v, vtl.Value{Name: name, Value: text})
}

func (s *scope) ofIdentity(e *Event) vtl.Values {
	k := e.Socket
	v := s.identity
	if i := k.Identity; i != nil && i.IAM != nil {
		v = appendText(v, "accountId", &i.IAM.AccountID)
		v = appendText(v, "caller", &i.IAM.CallerID)
		v = appendText(v, "user", &i.IAM.UserID)
		v = appendText(v, "userArn", &i.IAM.UserARN)
	}
	v = appendText(v, "apiKey", &k.APIKey)
	v = appendText(v, "apiKeyId", &k.APIKeyID)
	v = appendText(v, "sourceIp", &k.SourceIP)
	v = appendText(v, "userAgent", &k.UserAgent)
	s.identity = v
	return v
}

// ofAuthorizer has what a function said about the client, all of it as text.
func (s *scope) ofAuthorizer(e *Event, i *gateway.LambdaIdentity) vtl.Values {
	v := appendText(s.authorizer, "principalId", &i.PrincipalID)
	for k := range i.Context {
		m := &i.Context[k]
		if m.Scalar && m.Name != "principalId" && m.Name != "integrationLatency" {
			v = append(v, vtl.Value{Name: m.Name, Value: &m.Text})
		}
	}
	s.latency = e.Socket.AuthorizerLatency.Milliseconds()
	v = append(v, vtl.Value{Name: "integrationLatency", Value: &s.latency})
	s.authorizer = v
	return v
}

// parameters returns what $input.params() has of a handshake: its header and its query. The
// query is decoded as events have it.
func (s *scope) parameters(x *gateway.Exchange) vtl.Params {
	s.header, s.query = s.header[:0], s.query[:0]
	for i := range x.Request.Header {
		f := &x.Request.Header[i]
		s.header = append(s.header, vtl.Param{Name: f.Name, Value: f.Value})
	}
	for p, rest := mapping.NextParameter(x.Request.Query); p.Raw != ""; p, rest = mapping.NextParameter(rest) {
		name, value := p.AppendName(nil), p.AppendValue(nil)
		if utf8.Valid(name) && utf8.Valid(value) {
			s.query = append(s.query, vtl.Param{Name: string(name), Value: string(value)})
		}
	}
	return vtl.Params{Querystring: s.query, Header: s.header}
}
