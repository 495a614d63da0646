package event

import (
	"encoding/base64"
	"strconv"
	"time"

	"penstock/internal/gateway"
)

// A Socket is what the events of one connection of a WebSocket API have in common. It is
// only read, and may be shared by all messages of the connection.
type Socket struct {
	APIID, Stage string
	ConnectionID string
	// DomainName is the host that the client asked for, without a port.
	DomainName  string
	ConnectedAt time.Time
	SourceIP    string
	UserAgent   string // empty for a client that has sent none
	// Identity is what the authorizer of $connect found out about the client, for the life
	// of the connection; nil without one, and as long as it has not answered. Of a Lambda
	// authorizer's context only scalar members are shown, as strings. Tokens show nothing,
	// since routes of WebSocket APIs have no JWT authorizers.
	Identity *gateway.Identity
	// AuthorizerLatency is how long a Lambda authorizer took. It is shown beside its context.
	AuthorizerLatency time.Duration
	// APIKey and APIKeyID are those of the key that let the client in, empty without one.
	APIKey, APIKeyID string
	// StageVariables are those of the stage at the time of the event.
	StageVariables map[string]string
}

// A Message is what makes an event of a connection differ from the others. Each event has
// ids of its own.
type Message struct {
	// RouteKey is that of the route that was selected.
	RouteKey             string
	RequestID, MessageID string
	Time                 time.Time // when it came
	// Body is the message as it came. Functions get it as text, bytes that are not UTF-8 as
	// U+FFFD; or in base64, if Base64 says so.
	Body   []byte
	Base64 bool
}

// AppendMessage appends the event of a message. It always has a body, if an empty one.
func AppendMessage(b []byte, s *Socket, m *Message) []byte {
	b = append(b, '{')
	if len(s.StageVariables) > 0 {
		b = appendSocketVariables(b, s)
		b = append(b, ',')
	}
	b = append(b, `"requestContext":{"routeKey":`...)
	b = AppendString(b, m.RouteKey)
	b = append(b, `,"messageId":`...)
	b = AppendString(b, m.MessageID)
	b = append(b, `,"eventType":"MESSAGE",`...)
	b = appendSocketContext(b, s, m.RequestID, m.Time)
	b = append(b, `,"body":"`...)
	if m.Base64 {
		b = base64.StdEncoding.AppendEncode(b, m.Body)
		return append(b, `","isBase64Encoded":true}`...)
	}
	b = appendEscaped(b, m.Body)
	return append(b, `","isBase64Encoded":false}`...)
}

// AppendDisconnect appends the event of a connection that has ended, with the code and the
// reason of its end. Of the message only RequestID and Time count: the route is
// $disconnect. As in the events of the service, the header says nothing of the client, and
// there are no stage variables.
func AppendDisconnect(b []byte, s *Socket, m *Message, code int, reason string) []byte {
	b = append(b, `{"headers":{"Host":`...)
	b = AppendString(b, s.DomainName)
	b = append(b, `,"x-api-key":"","X-Forwarded-For":"","x-restapi":""},"multiValueHeaders":{"Host":[`...)
	b = AppendString(b, s.DomainName)
	b = append(b, `],"x-api-key":[""],"X-Forwarded-For":[""],"x-restapi":[""]},`+
		`"requestContext":{"routeKey":"$disconnect","disconnectStatusCode":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, `,"disconnectReason":`...)
	b = AppendString(b, reason)
	b = append(b, `,"eventType":"DISCONNECT",`...)
	b = appendSocketContext(b, s, m.RequestID, m.Time)
	return append(b, `,"isBase64Encoded":false}`...)
}

// AppendErrorFrame appends the text that a client gets for a message that went wrong, byte
// for byte as the service writes it, with its uneven spaces.
func AppendErrorFrame(b []byte, message, connectionID, requestID string) []byte {
	b = append(b, `{"message": `...)
	b = AppendString(b, message)
	b = append(b, `, "connectionId":`...)
	b = AppendString(b, connectionID)
	b = append(b, `, "requestId":`...)
	b = AppendString(b, requestID)
	return append(b, '}')
}

// appendSocketContext appends the members of requestContext that all events have, and the
// brace that ends it.
func appendSocketContext(b []byte, s *Socket, requestID string, t time.Time) []byte {
	b = append(b, `"extendedRequestId":`...)
	b = AppendString(b, requestID)
	b = append(b, `,"requestTime":"`...)
	b = appendTime(b, t)
	b = append(b, `","messageDirection":"IN","stage":`...)
	b = AppendString(b, s.Stage)
	b = append(b, `,"connectedAt":`...)
	b = strconv.AppendInt(b, s.ConnectedAt.UnixMilli(), 10)
	b = append(b, `,"requestTimeEpoch":`...)
	b = strconv.AppendInt(b, t.UnixMilli(), 10)
	b = append(b, `,"identity":`...)
	b = appendSocketIdentity(b, s)
	b = append(b, `,"requestId":`...)
	b = AppendString(b, requestID)
	b = append(b, `,"domainName":`...)
	b = AppendString(b, s.DomainName)
	b = append(b, `,"connectionId":`...)
	b = AppendString(b, s.ConnectionID)
	b = append(b, `,"apiId":`...)
	b = AppendString(b, s.APIID)
	if i := s.Identity; i != nil && i.Lambda != nil {
		b = append(b, `,"authorizer":`...)
		b = appendSocketAuthorization(b, i.Lambda, s.AuthorizerLatency)
	}
	return append(b, '}')
}

// appendSocketIdentity appends where the client is, its key, and who signed its handshake.
// What is not known is left out.
func appendSocketIdentity(b []byte, s *Socket) []byte {
	b = append(b, '{')
	b = appendKnown(b, `"userAgent":`, s.UserAgent)
	b = appendKnown(b, `"apiKey":`, s.APIKey)
	b = appendKnown(b, `"apiKeyId":`, s.APIKeyID)
	if i := s.Identity; i != nil && i.IAM != nil {
		b = appendKnown(b, `"accessKey":`, i.IAM.AccessKeyID)
		b = appendKnown(b, `"accountId":`, i.IAM.AccountID)
		b = appendKnown(b, `"caller":`, i.IAM.CallerID)
		b = appendKnown(b, `"user":`, i.IAM.UserID)
		b = appendKnown(b, `"userArn":`, i.IAM.UserARN)
	}
	b = append(b, `"sourceIp":`...)
	b = AppendString(b, s.SourceIP)
	return append(b, '}')
}

// appendKnown appends a member and a comma, nothing if the value is empty.
func appendKnown(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, name...)
	b = AppendString(b, value)
	return append(b, ',')
}

// appendSocketAuthorization appends what a Lambda authorizer said. Its context cannot
// change the principal, nor the time that it took.
func appendSocketAuthorization(b []byte, i *gateway.LambdaIdentity, latency time.Duration) []byte {
	b = append(b, `{"principalId":`...)
	b = AppendString(b, i.PrincipalID)
	for k := range i.Context {
		m := &i.Context[k]
		if !m.Scalar || m.Name == "principalId" || m.Name == "integrationLatency" {
			continue
		}
		b = append(b, ',')
		b = AppendString(b, m.Name)
		b = append(b, ':')
		b = AppendString(b, m.Text)
	}
	b = append(b, `,"integrationLatency":`...)
	b = strconv.AppendInt(b, latency.Milliseconds(), 10)
	return append(b, '}')
}

// appendSocketVariables appends the member of the stage variables, {} if there are none.
func appendSocketVariables(b []byte, s *Socket) []byte {
	b = append(b, `"stageVariables":`...)
	if len(s.StageVariables) == 0 {
		return append(b, "{}"...)
	}
	first := true
	for name, value := range s.StageVariables {
		b = appendName(b, first, name)
		first = false
		b = AppendString(b, value)
	}
	return append(b, '}')
}
