package mapping

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// variables are the context variables of HTTP APIs, but for those of authorizers; see
// authorizerVariable. Source: developer guide, http-api-logging-variables. Those with
// nil have no value here: they are about callers that the service knows and we do
// not.
var variables = map[string]appender{
	"accountId":                    func(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.Account()) },
	"apiId":                        apiID,
	"awsEndpointRequestId":         integrationRequestID,
	"awsEndpointRequestId2":        func(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.Integration.RequestID2) },
	"customDomain.basePathMatched": func(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.BasePath) },
	"dataProcessed":                finished(func(x *gateway.Exchange) int64 { return x.DataProcessed }),
	"domainName":                   domainName,
	"domainPrefix":                 domainPrefix,
	"error.message":                failure("error.message"),
	"error.messageString":          failure("error.messageString"),
	"error.responseType":           failure("error.responseType"),
	"extendedRequestId":            requestID,
	"httpMethod":                   func(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.Request.Method) },
	"identity.accountId":           caller(func(i *gateway.IAMIdentity) string { return i.AccountID }),
	"identity.caller":              caller(func(i *gateway.IAMIdentity) string { return i.CallerID }),
	"identity.user":                caller(func(i *gateway.IAMIdentity) string { return i.UserID }),
	"identity.userArn":             caller(func(i *gateway.IAMIdentity) string { return i.UserARN }),
	"identity.principalOrgId":      nil,

	"identity.cognitoAuthenticationProvider": nil,
	"identity.cognitoAuthenticationType":     nil,
	"identity.cognitoIdentityId":             nil,
	"identity.cognitoIdentityPoolId":         nil,

	"identity.clientCert.clientCertPem": certificate(func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}),
	"identity.clientCert.issuerDN":           certificate(func(c *x509.Certificate) string { return c.Issuer.String() }),
	"identity.clientCert.subjectDN":          certificate(func(c *x509.Certificate) string { return c.Subject.String() }),
	"identity.clientCert.serialNumber":       certificate(serialNumber),
	"identity.clientCert.validity.notAfter":  certificate(func(c *x509.Certificate) string { return validity(c.NotAfter) }),
	"identity.clientCert.validity.notBefore": certificate(func(c *x509.Certificate) string { return validity(c.NotBefore) }),

	"identity.sourceIp":             sourceIP,
	"identity.userAgent":            requestHeader("User-Agent"),
	"integration.error":             integrationError,
	"integration.integrationStatus": integrationStatus,
	"integration.latency":           integrationLatency,
	"integration.requestId":         integrationRequestID,
	"integration.status":            func(b []byte, x *gateway.Exchange) ([]byte, bool) { return number(b, x.Integration.Status) },
	"integrationErrorMessage":       integrationError,
	"integrationLatency":            integrationLatency,
	"integrationStatus":             integrationStatus,
	"path":                          path,
	"protocol":                      text("HTTP/1.1", true),
	"requestId":                     requestID,
	"requestTime":                   requestTime,
	"requestTimeEpoch": func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		return strconv.AppendInt(b, x.Start.UnixMilli(), 10), !x.Start.IsZero()
	},
	"responseLatency": finished(func(x *gateway.Exchange) int64 { return x.Latency.Milliseconds() }),
	"responseLength":  finished(func(x *gateway.Exchange) int64 { return x.ResponseLength }),
	"routeKey":        routeKey,
	"stage":           stage,
	"status":          func(b []byte, x *gateway.Exchange) ([]byte, bool) { return number(b, x.Response.Status) },
}

// variable returns what appends the value of a context variable, whose name is
// without "$context.".
func variable(name string) (appender, error) {
	if member, ok := strings.CutPrefix(name, "authorizer."); ok && member != "" {
		return authorizerVariable(member), nil
	}
	value, ok := variables[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no context variable %q", name)
	case value == nil:
		return text("", false), nil
	}
	return value, nil
}

// authorizerVariable returns what appends $context.authorizer.{name}. What a function
// says about the caller cannot take the place of principalId and claims; of latency,
// status and error it can.
func authorizerVariable(name string) appender {
	if claim, ok := strings.CutPrefix(name, "claims."); ok {
		return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
			v, found := x.Identity.Claim(claim)
			return append(b, v...), found
		}
	}
	if name == "principalId" {
		return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
			if x.Identity == nil || x.Identity.Lambda == nil {
				return b, false
			}
			return value(b, x.Identity.Lambda.PrincipalID)
		}
	}
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		if v, found := x.Identity.Member(name); found {
			return append(b, v...), true
		}
		switch name {
		case "error":
			return value(b, x.AuthorizerError)
		case "latency":
			return milliseconds(b, x.AuthorizerLatency)
		case "status":
			if e := x.Failure(); e != nil && x.AuthorizerError != "" {
				return number(b, e.Status)
			}
			if x.Identity != nil {
				return number(b, 200)
			}
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

// finished is about what is known when the response has been sent.
func finished(n func(*gateway.Exchange) int64) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		if x.Latency == 0 {
			return b, false
		}
		return strconv.AppendInt(b, n(x), 10), true
	}
}

// failure is about an answer of the gateway itself.
func failure(name string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) { return appendFailure(b, x.Failure(), name) }
}

func appendFailure(b []byte, e *gateway.Error, name string) ([]byte, bool) {
	if e == nil {
		return b, false
	}
	switch name {
	case "error.messageString":
		b = append(b, '"')
		b = append(b, e.Message...)
		return append(b, '"'), true
	case "error.responseType":
		return value(b, e.Type)
	}
	return value(b, e.Message)
}

// caller is about who signed the request.
func caller(of func(*gateway.IAMIdentity) string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		if x.Identity == nil || x.Identity.IAM == nil {
			return b, false
		}
		return value(b, of(x.Identity.IAM))
	}
}

// certificate is about the certificate of the client.
func certificate(of func(*x509.Certificate) string) appender {
	return func(b []byte, x *gateway.Exchange) ([]byte, bool) {
		c := provenance.Certificate(x)
		if c == nil {
			return b, false
		}
		return value(b, of(c))
	}
}

func serialNumber(c *x509.Certificate) string { return string(provenance.AppendSerial(nil, c)) }

func validity(t time.Time) string { return string(provenance.AppendValidity(nil, t)) }

func apiID(b []byte, x *gateway.Exchange) ([]byte, bool) {
	if x.API == nil {
		return b, false
	}
	return value(b, x.API.ID)
}

func stage(b []byte, x *gateway.Exchange) ([]byte, bool) {
	if x.Stage == nil {
		return b, false
	}
	return value(b, x.Stage.Name)
}

func routeKey(b []byte, x *gateway.Exchange) ([]byte, bool) {
	if x.Route == nil {
		return b, false
	}
	return value(b, x.Route.Key)
}

func requestID(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.ID) }

func requestTime(b []byte, x *gateway.Exchange) ([]byte, bool) {
	if x.Start.IsZero() {
		return b, false
	}
	return x.Start.UTC().AppendFormat(b, "02/Jan/2006:15:04:05 -0700"), true
}

func sourceIP(b []byte, x *gateway.Exchange) ([]byte, bool) {
	ip := x.Request.Peer.Addr()
	if !ip.IsValid() {
		return b, false
	}
	return ip.Unmap().WithZone("").AppendTo(b), true
}

// path is the path as the client sees it: with the stage, or behind an API mapping
// with the key of that.
func path(b []byte, x *gateway.Exchange) ([]byte, bool) { return value(b, x.SentPath) }

// domainName is the host that the client asked for, in lower case and without a port.
func domainName(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return lowered(b, gateway.Hostname(x.Request.Host))
}

// domainPrefix is the first label of the domain name.
func domainPrefix(b []byte, x *gateway.Exchange) ([]byte, bool) {
	prefix, _, _ := strings.Cut(gateway.Hostname(x.Request.Host), ".")
	return lowered(b, prefix)
}

func lowered(b []byte, s string) ([]byte, bool) {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b, s != ""
}

func integrationRequestID(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return value(b, x.Integration.RequestID)
}

func integrationError(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return value(b, x.Integration.Error)
}

func integrationStatus(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return number(b, x.Integration.ServiceStatus)
}

func integrationLatency(b []byte, x *gateway.Exchange) ([]byte, bool) {
	return milliseconds(b, x.IntegrationLatency)
}
