// Package event writes the events that Lambda functions get for a request, and reads what
// they answer: JSON in the payload formats 1.0 and 2.0, of integrations and of Lambda
// authorizers.
//
//	b = event.AppendProxy20(b[:0], x, body)
//	err := answer.Read20(payload)
//
// Events are appended to a buffer of the caller and hold no reference to the exchange.
// Nothing is allocated beyond the buffer, but for certificates of clients and for paths
// and queries that a request mapping has changed.
//
// What is the same for all kinds of events of one format is written in one place, so
// that a function never gets another view of a request than the authorizer had.
package event

import (
	"strings"

	"penstock/internal/gateway"
)

// An Authorizer is what the event of a Lambda authorizer has besides the request.
type Authorizer struct {
	// ARN is that of the route: its method and path are those of the request.
	ARN string
	// Sources are the values of the identity sources, in the order of the
	// configuration; none if the authorizer has no identity sources.
	Sources []string
}

// AppendAuthorizer20 appends the event of a Lambda authorizer in format 2.0.
func AppendAuthorizer20(b []byte, x *gateway.Exchange, a Authorizer) []byte {
	b = append(b, `{"version":"2.0","type":"REQUEST","routeArn":`...)
	b = AppendString(b, a.ARN)
	b = append(b, `,"identitySource":`...)
	if len(a.Sources) == 0 {
		b = append(b, "null"...)
	} else {
		for i, value := range a.Sources {
			b = append(b, "[,"[min(i, 1)])
			b = AppendString(b, value)
		}
		b = append(b, ']')
	}
	b = append(b, ',')
	s := see(x)
	b = appendRequest20(b, x, &s, x.Request.ContentLength)
	return append(b, '}')
}

// AppendAuthorizer10 appends the event of a Lambda authorizer in format 1.0.
func AppendAuthorizer10(b []byte, x *gateway.Exchange, a Authorizer) []byte {
	b = append(b, `{"version":"1.0","type":"REQUEST","methodArn":`...)
	b = AppendString(b, a.ARN)
	for _, name := range [...]string{`,"identitySource":`, `,"authorizationToken":`} {
		b = append(b, name...)
		if len(a.Sources) == 0 {
			b = append(b, "null"...)
			continue
		}
		for i, value := range a.Sources {
			b = append(b, "\","[min(i, 1)])
			b = appendEscaped(b, value)
		}
		b = append(b, '"')
	}
	b = append(b, ',')
	s := see(x)
	b = appendRequest10(b, x, &s, x.Request.ContentLength, false)
	return append(b, '}')
}

// appendRequest20 appends the members of format 2.0 that tell of the request, from
// routeKey to stageVariables. Members without content are left out. The length is what
// content-length says, -1 if nobody knows.
func appendRequest20(b []byte, x *gateway.Exchange, s *sight, length int64) []byte {
	b = append(b, `"routeKey":`...)
	b = AppendString(b, x.Route.Key)
	b = append(b, `,"rawPath":`...)
	b = AppendString(b, s.path)
	b = append(b, `,"rawQueryString":`...)
	b = AppendString(b, s.query)
	b = appendCookies(b, s.fields)
	b = append(b, `,"headers":`...)
	b = appendHeader20(b, x, s, length)
	if q := parseQuery(s.query); q != nil {
		b = append(b, `,"queryStringParameters":`...)
		b = q.appendJoined(b)
		q.free()
	}
	b = append(b, `,"requestContext":`...)
	b = appendContext20(b, x)
	if len(x.Route.Vars) > 0 {
		b = append(b, `,"pathParameters":`...)
		b = appendVars(b, x)
	}
	if len(x.Stage.Variables) > 0 {
		b = append(b, `,"stageVariables":`...)
		b = appendVariables(b, x)
	}
	return b
}

// appendRequest10 appends the members of format 1.0 that tell of the request, from
// resource to requestContext. Events of integrations are full: they have lists of all
// values, and null where there is no content. Those of authorizers have neither, and
// {} without content.
func appendRequest10(b []byte, x *gateway.Exchange, s *sight, length int64, full bool) []byte {
	b = append(b, `"resource":`...)
	b = AppendString(b, resource(x.Route.Key))
	b = append(b, `,"path":`...)
	b = AppendString(b, s.rawPath)
	b = append(b, `,"httpMethod":`...)
	b = AppendString(b, x.Request.Method)
	b = append(b, `,"headers":`...)
	b = appendHeader10(b, x, s, length, false)
	if full {
		b = append(b, `,"multiValueHeaders":`...)
		b = appendHeader10(b, x, s, length, true)
	}
	none := "{}"
	if full {
		none = "null"
	}
	q := parseQuery(s.query)
	b = append(b, `,"queryStringParameters":`...)
	if q == nil {
		b = append(b, none...)
	} else {
		b = q.appendLast(b)
	}
	if full {
		b = append(b, `,"multiValueQueryStringParameters":`...)
		if q == nil {
			b = append(b, none...)
		} else {
			b = q.appendAll(b)
		}
	}
	if q != nil {
		q.free()
	}
	b = append(b, `,"pathParameters":`...)
	if len(x.Route.Vars) == 0 {
		b = append(b, none...)
	} else {
		b = appendVars(b, x)
	}
	b = append(b, `,"stageVariables":`...)
	if len(x.Stage.Variables) == 0 {
		b = append(b, none...)
	} else {
		b = appendVariables(b, x)
	}
	b = append(b, `,"requestContext":`...)
	return appendContext10(b, x)
}

// resource returns the path of a route key; $default has none and stands for itself.
func resource(key string) string {
	if i := strings.IndexByte(key, ' '); i >= 0 {
		return key[i+1:]
	}
	return key
}

// appendVars appends the path variables, of which there is at least one.
func appendVars(b []byte, x *gateway.Exchange) []byte {
	for i, name := range x.Route.Vars {
		b = appendName(b, i == 0, name)
		value := ""
		if i < x.Vars.Len() {
			value = x.Vars.At(i)
		}
		b = AppendString(b, value)
	}
	return append(b, '}')
}

// appendVariables appends the stage variables, of which there is at least one.
func appendVariables(b []byte, x *gateway.Exchange) []byte {
	first := true
	for name, value := range x.Stage.Variables {
		b = appendName(b, first, name)
		first = false
		b = AppendString(b, value)
	}
	return append(b, '}')
}
