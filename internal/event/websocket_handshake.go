package event

import "penstock/internal/gateway"

// AppendConnect appends the event of $connect, for the exchange that is the handshake: its
// id and start are those of the event. Members of the query and of the stage variables are
// there only if there are any. The request is shown as it came, whatever the mapping of an
// integration has changed.
func AppendConnect(b []byte, s *Socket, x *gateway.Exchange) []byte {
	b = append(b, '{')
	b = appendHandshake(b, x, &proxyHandshake)
	if len(s.StageVariables) > 0 {
		b = appendSocketVariables(b, s)
		b = append(b, ',')
	}
	b = appendConnectContext(b, s, x)
	return append(b, `,"isBase64Encoded":false}`...)
}

// AppendSocketAuthorizer appends the event of the Lambda authorizer of $connect, for the
// exchange that is the handshake. The ARN is that of the route. All members are there,
// {} where there is nothing.
func AppendSocketAuthorizer(b []byte, s *Socket, x *gateway.Exchange, routeARN string) []byte {
	b = append(b, `{"type":"REQUEST","methodArn":`...)
	b = AppendString(b, routeARN)
	b = append(b, ',')
	b = appendHandshake(b, x, &authorizerHandshake)
	b = appendSocketVariables(b, s)
	b = append(b, ',')
	b = appendConnectContext(b, s, x)
	return append(b, '}')
}

func appendConnectContext(b []byte, s *Socket, x *gateway.Exchange) []byte {
	b = append(b, `"requestContext":{"routeKey":"$connect","eventType":"CONNECT",`...)
	return appendSocketContext(b, s, x.ID, x.Start)
}

// A handshake is how one kind of event shows the handshake of a connection.
type handshake struct {
	// last and all are members of the header that each handshake has, with the comma after
	// each, for the objects of last values and of all values.
	last, all string
	// none are the members of a query without parameters.
	none string
}

// Authorizers are shown what makes a request a handshake, in the words of the service, not
// of the client. A handshake has no body.
var (
	proxyHandshake      = handshake{}
	authorizerHandshake = handshake{
		last: `"Connection":"upgrade","content-length":"0","Upgrade":"websocket",`,
		all:  `"Connection":["upgrade"],"content-length":["0"],"Upgrade":["websocket"],`,
		none: `"queryStringParameters":{},"multiValueQueryStringParameters":{},`,
	}
)

// appendHandshake appends the members of the header and of the query, with a comma after
// each.
func appendHandshake(b []byte, x *gateway.Exchange, h *handshake) []byte {
	b = append(b, `"headers":{`...)
	b = append(b, h.last...)
	b = appendHandshakeFields(b, x, false)
	b = append(b, `},"multiValueHeaders":{`...)
	b = append(b, h.all...)
	b = appendHandshakeFields(b, x, true)
	b = append(b, `},`...)
	q := parseQuery(x.Request.Query)
	if q == nil {
		return append(b, h.none...)
	}
	b = append(b, `"queryStringParameters":`...)
	b = q.appendLast(b)
	b = append(b, `,"multiValueQueryStringParameters":`...)
	b = q.appendAll(b)
	q.free()
	return append(b, ',')
}

// appendHandshakeFields appends the fields of a handshake, with the last value of each name
// or lists of all. Names are written as the client wrote them first, but for those of fields
// that only the gateway writes. Fields that belong to a connection are left out.
func appendHandshakeFields(b []byte, x *gateway.Exchange, all bool) []byte {
	fields := x.Request.Header
	twice := repeated(fields)
	open, end := `":"`, `",`
	if all {
		open, end = `":["`, `"],`
	}
	for i := range fields {
		f := &fields[i]
		if f.Name == "" || fateOf(f.Name) == dropped {
			continue
		}
		more := twice.has(f.Name)
		if more && repeats(fields, i) {
			continue
		}
		b = append(b, '"')
		b = appendEscaped(b, f.Name)
		b = append(b, open...)
		last := f.Value
		for k := i + 1; more && k < len(fields); k++ {
			if !gateway.EqualFold(fields[k].Name, f.Name) {
				continue
			}
			if all {
				b = appendEscaped(b, last)
				b = append(b, `","`...)
			}
			last = fields[k].Value
		}
		b = appendEscaped(b, last)
		b = append(b, end...)
	}
	b = append(b, `"Host`...)
	b = append(b, open...)
	b = appendEscaped(b, x.Request.Host)
	b = append(b, end...)
	b = append(b, `"X-Amzn-Trace-Id`...)
	b = append(b, open...)
	b = appendTrace(b, x)
	b = append(b, end...)
	b = append(b, `"X-Forwarded-For`...)
	b = append(b, open...)
	b = appendForwardedFor(b, x)
	b = append(b, end...)
	b = append(b, `"X-Forwarded-Port`...)
	b = append(b, open...)
	b = appendPort(b, x, &sight{})
	b = append(b, end...)
	b = append(b, `"X-Forwarded-Proto`...)
	b = append(b, open...)
	b = append(b, scheme(x)...)
	return append(b, end[:len(end)-1]...)
}
