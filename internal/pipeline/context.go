package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/internal/gateway"
)

// A Variable appends the value of a context variable to b; without the value it returns b
// as it was, and false.
type Variable func(b []byte, e *Event) ([]byte, bool)

// A variable is one of the table. Those that only access logs have are not for templates,
// parameters and expressions.
type variable struct {
	value   Variable // nil if it has no value here
	logOnly bool
}

// variables are the context variables of WebSocket APIs, but for those of authorizers; see
// authorizerVariable. Source: developer guide, apigateway-websocket-api-mapping-template-reference
// and websocket-api-logging. The code and reason of a disconnection and the direction are
// ours. Those with nil are about callers that the service knows and we do not.
var variables = map[string]variable{
	"apiId":                always(func(e *Event) string { return e.Socket.APIID }),
	"connectedAt":          {value: connectedAt},
	"connectionId":         always(func(e *Event) string { return e.Socket.ConnectionID }),
	"disconnectReason":     always(func(e *Event) string { return e.Reason }),
	"disconnectStatusCode": {value: disconnectStatus},
	"domainName":           always(func(e *Event) string { return e.Socket.DomainName }),
	"eventType":            always(func(e *Event) string { return e.Kind.String() }),
	"extendedRequestId":    always(requestID),
	"messageDirection":     always(func(*Event) string { return directionIn }),
	"messageId":            always(messageID),
	"requestId":            always(requestID),
	"requestTime":          {value: requestTime},
	"requestTimeEpoch":     {value: requestTimeEpoch},
	"routeKey":             always(func(e *Event) string { return e.RouteKey }),
	"stage":                always(func(e *Event) string { return e.Socket.Stage }),
	"status":               {value: func(b []byte, e *Event) ([]byte, bool) { return number(b, e.Status) }},

	"error.message":               logged(func(e *Event) string { return failureMessage(e) }),
	"error.messageString":         {value: messageString},
	"error.responseType":          logged(func(e *Event) string { return failureType(e) }),
	"error.validationErrorString": always(func(e *Event) string { return e.Validation }),

	"identity.accountId":      always(caller(func(i *gateway.IAMIdentity) string { return i.AccountID })),
	"identity.apiKey":         always(func(e *Event) string { return e.Socket.APIKey }),
	"identity.apiKeyId":       always(func(e *Event) string { return e.Socket.APIKeyID }),
	"identity.caller":         always(caller(func(i *gateway.IAMIdentity) string { return i.CallerID })),
	"identity.principalOrgId": {logOnly: true},
	"identity.sourceIp":       always(func(e *Event) string { return e.Socket.SourceIP }),
	"identity.user":           always(caller(func(i *gateway.IAMIdentity) string { return i.UserID })),
	"identity.userAgent":      always(func(e *Event) string { return e.Socket.UserAgent }),
	"identity.userArn":        always(caller(func(i *gateway.IAMIdentity) string { return i.UserARN })),

	"identity.cognitoAuthenticationProvider": {},
	"identity.cognitoAuthenticationType":     {},
	"identity.cognitoIdentityId":             {},
	"identity.cognitoIdentityPoolId":         {},

	"authenticate.error":   logged(func(e *Event) string { return e.Authorized.Authenticate.Error }),
	"authenticate.latency": loggedTime(func(e *Event) time.Duration { return e.Authorized.Authenticate.Latency }),
	"authenticate.status":  loggedNumber(func(e *Event) int { return e.Authorized.Authenticate.Status }),
	"authorize.error":      logged(func(e *Event) string { return e.Authorized.Authorize.Error }),
	"authorize.latency":    loggedTime(func(e *Event) time.Duration { return e.Authorized.Authorize.Latency }),
	"authorize.status":     loggedNumber(func(e *Event) int { return e.Authorized.Authorize.Status }),

	"awsEndpointRequestId":          logged(integrationRequestID),
	"integration.error":             logged(integrationError),
	"integration.integrationStatus": loggedNumber(serviceStatus),
	"integration.latency":           loggedTime(integrationLatency),
	"integration.requestId":         logged(integrationRequestID),
	"integration.status":            loggedNumber(func(e *Event) int { return outcome(e).Status }),
	"integrationErrorMessage":       logged(integrationError),
	"integrationLatency":            loggedTime(integrationLatency),
	"integrationStatus":             loggedNumber(serviceStatus),

	"waf.error":   {logOnly: true},
	"waf.latency": {logOnly: true},
	"waf.status":  {logOnly: true},
}

const directionIn = "IN"

// ParseVariable returns what appends the value of a context variable in access logs, whose
// name is without "$context.".
func ParseVariable(name string) (Variable, error) {
	if member, ok := strings.CutPrefix(name, "authorizer."); ok && member != "" {
		return authorizerVariable(member, true), nil
	}
	v, ok := variables[name]
	if !ok {
		return nil, fmt.Errorf("there is no context variable %.100q", name)
	}
	return v.known(), nil
}

// templateVariable returns what appends the value of a context variable in templates,
// parameters and expressions, and whether there is such a variable for them.
func templateVariable(name string) (Variable, bool) {
	if member, ok := strings.CutPrefix(name, "authorizer."); ok && member != "" {
		return authorizerVariable(member, false), true
	}
	v, ok := variables[name]
	if !ok || v.logOnly {
		return nil, false
	}
	return v.known(), true
}

func (v variable) known() Variable {
	if v.value == nil {
		return func(b []byte, _ *Event) ([]byte, bool) { return b, false }
	}
	return v.value
}

// authorizerVariable returns what appends $context.authorizer.{name}. What a function says
// about the client cannot take the place of principalId and integrationLatency; of what else
// access logs have, it can.
func authorizerVariable(name string, log bool) Variable {
	switch name {
	case "principalId":
		return func(b []byte, e *Event) ([]byte, bool) {
			if i := e.Socket.Identity; i != nil && i.Lambda != nil {
				return value(b, i.Lambda.PrincipalID)
			}
			return b, false
		}
	case "integrationLatency":
		return func(b []byte, e *Event) ([]byte, bool) { return milliseconds(b, e.Socket.AuthorizerLatency) }
	}
	return func(b []byte, e *Event) ([]byte, bool) {
		if v, found := e.Socket.Identity.Member(name); found {
			return append(b, v...), true
		}
		if !log {
			return b, false
		}
		a := &e.Authorized
		switch name {
		case "error":
			return value(b, a.Authorizer.Error)
		case "latency":
			return milliseconds(b, a.Authorizer.Latency)
		case "status":
			return number(b, a.Authorizer.Status)
		case "integrationStatus":
			return number(b, a.IntegrationStatus)
		case "requestId":
			return value(b, a.RequestID)
		}
		return b, false
	}
}

// value appends text, which is missing when it is empty.
func value(b []byte, s string) ([]byte, bool) { return append(b, s...), s != "" }

// number appends a number, which is missing when it is zero.
func number(b []byte, n int) ([]byte, bool) {
	if n == 0 {
		return b, false
	}
	return strconv.AppendInt(b, int64(n), 10), true
}

// milliseconds appends a duration, which is missing when it is zero.
func milliseconds(b []byte, d time.Duration) ([]byte, bool) {
	if d == 0 {
		return b, false
	}
	return strconv.AppendInt(b, d.Milliseconds(), 10), true
}

// always is a variable of templates and access logs.
func always(of func(*Event) string) variable {
	return variable{value: func(b []byte, e *Event) ([]byte, bool) { return value(b, of(e)) }}
}

// logged, loggedNumber and loggedTime are variables of access logs.

func logged(of func(*Event) string) variable {
	v := always(of)
	v.logOnly = true
	return v
}

func loggedNumber(of func(*Event) int) variable {
	return variable{func(b []byte, e *Event) ([]byte, bool) { return number(b, of(e)) }, true}
}

func loggedTime(of func(*Event) time.Duration) variable {
	return variable{func(b []byte, e *Event) ([]byte, bool) { return milliseconds(b, of(e)) }, true}
}

// caller is about who signed the handshake.
func caller(of func(*gateway.IAMIdentity) string) func(*Event) string {
	return func(e *Event) string {
		if i := e.Socket.Identity; i != nil && i.IAM != nil {
			return of(i.IAM)
		}
		return ""
	}
}

func requestID(e *Event) string { return e.RequestID }

func messageID(e *Event) string {
	if e.Kind != Message {
		return ""
	}
	return e.MessageID
}

func connectedAt(b []byte, e *Event) ([]byte, bool) {
	t := e.Socket.ConnectedAt
	if t.IsZero() {
		return b, false
	}
	return strconv.AppendInt(b, t.UnixMilli(), 10), true
}

func disconnectStatus(b []byte, e *Event) ([]byte, bool) {
	if e.Kind != Disconnect {
		return b, false
	}
	return number(b, e.Code)
}

func requestTime(b []byte, e *Event) ([]byte, bool) {
	if e.Time.IsZero() {
		return b, false
	}
	return e.Time.UTC().AppendFormat(b, timeLayout), true
}

// timeLayout is how the service writes times.
const timeLayout = "02/Jan/2006:15:04:05 -0700"

func requestTimeEpoch(b []byte, e *Event) ([]byte, bool) {
	if e.Time.IsZero() {
		return b, false
	}
	return strconv.AppendInt(b, e.Time.UnixMilli(), 10), true
}

func failureMessage(e *Event) string {
	if e.Failure == nil {
		return ""
	}
	return e.Failure.Message
}

func failureType(e *Event) string {
	if e.Failure == nil {
		return ""
	}
	return e.Failure.Type
}

// messageString is the message of a failure in quotes.
func messageString(b []byte, e *Event) ([]byte, bool) {
	if e.Failure == nil {
		return b, false
	}
	b = append(b, '"')
	b = append(b, e.Failure.Message...)
	return append(b, '"'), true
}

// outcome returns what is known of the call of the integration.
func outcome(e *Event) gateway.IntegrationOutcome {
	if e.Exchange == nil {
		return gateway.IntegrationOutcome{}
	}
	return e.Exchange.Integration
}

func integrationError(e *Event) string     { return outcome(e).Error }
func integrationRequestID(e *Event) string { return outcome(e).RequestID }
func serviceStatus(e *Event) int           { return outcome(e).ServiceStatus }

func integrationLatency(e *Event) time.Duration {
	if e.Exchange == nil {
		return 0
	}
	return e.Exchange.IntegrationLatency
}
