package event

import (
	"crypto/x509"
	"encoding/pem"
	"strconv"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// appendTime appends when a request came, as 02/Jan/2006:15:04:05 +0000.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = appendTwo(b, day)
	b = append(b, '/')
	b = append(b, month.String()[:3]...)
	b = append(b, '/')
	b = appendTwo(appendTwo(b, year/100), year)
	for _, n := range [...]int{hour, minute, second} {
		b = append(b, ':')
		b = appendTwo(b, n)
	}
	return append(b, " +0000"...)
}

// appendTwo appends the last two digits of a number.
func appendTwo(b []byte, n int) []byte { return append(b, '0'+byte(n/10%10), '0'+byte(n%10)) }

// appendContext20 appends the requestContext of format 2.0.
func appendContext20(b []byte, x *gateway.Exchange) []byte {
	b = appendAccount(b, x)
	if cert := clientCertificate(x); cert != nil {
		b = append(b, `,"authentication":{"clientCert":`...)
		b = appendCertificate(b, cert)
		b = append(b, '}')
	}
	b = appendIdentity20(b, x.Identity)
	b = appendDomain(b, x)
	b = append(b, `,"http":{"method":`...)
	b = AppendString(b, x.Request.Method)
	b = append(b, `,"path":`...)
	b = AppendString(b, x.Path)
	b = append(b, `,"protocol":"HTTP/1.1","sourceIp":"`...)
	b = appendPeer(b, x)
	b = append(b, `","userAgent":`...)
	b = AppendString(b, userAgent(x))
	b = append(b, `},"requestId":`...)
	b = AppendString(b, x.ID)
	b = append(b, `,"routeKey":`...)
	b = AppendString(b, x.Route.Key)
	b = append(b, `,"stage":`...)
	b = AppendString(b, x.Stage.Name)
	b = append(b, `,"time":"`...)
	b = appendTime(b, x.Start)
	b = append(b, `","timeEpoch":`...)
	b = strconv.AppendInt(b, x.Start.UnixMilli(), 10)
	return append(b, '}')
}

// appendContext10 appends the requestContext of format 1.0.
func appendContext10(b []byte, x *gateway.Exchange) []byte {
	b = appendAccount(b, x)
	b = appendIdentity10(b, x.Identity)
	b = appendDomain(b, x)
	b = append(b, `,"extendedRequestId":`...)
	b = AppendString(b, x.ID)
	b = append(b, `,"httpMethod":`...)
	b = AppendString(b, x.Request.Method)
	b = append(b, `,"identity":`...)
	b = appendCaller(b, x)
	b = append(b, `,"path":`...)
	b = AppendString(b, x.SentPath)
	b = append(b, `,"protocol":"HTTP/1.1","requestId":`...)
	b = AppendString(b, x.ID)
	b = append(b, `,"requestTime":"`...)
	b = appendTime(b, x.Start)
	b = append(b, `","requestTimeEpoch":`...)
	b = strconv.AppendInt(b, x.Start.UnixMilli(), 10)
	b = append(b, `,"resourceId":`...)
	b = AppendString(b, x.Route.Key)
	b = append(b, `,"resourcePath":`...)
	b = AppendString(b, resource(x.Route.Key))
	b = append(b, `,"stage":`...)
	b = AppendString(b, x.Stage.Name)
	return append(b, '}')
}

func appendAccount(b []byte, x *gateway.Exchange) []byte {
	b = append(b, `{"accountId":`...)
	b = AppendString(b, x.Account())
	b = append(b, `,"apiId":`...)
	return AppendString(b, x.API.ID)
}

func appendDomain(b []byte, x *gateway.Exchange) []byte {
	name := hostname(x.Request.Host)
	b = append(b, `,"domainName":`...)
	b = AppendString(b, name)
	prefix, _, _ := strings.Cut(name, ".")
	b = append(b, `,"domainPrefix":`...)
	return AppendString(b, prefix)
}

// appendIdentity20 appends the member authorizer of format 2.0, if an authorizer has
// said who calls.
func appendIdentity20(b []byte, i *gateway.Identity) []byte {
	switch {
	case i == nil:
		return b
	case i.JWT != nil:
		b = append(b, `,"authorizer":{"jwt":{"claims":`...)
		b = appendClaims(b, i.JWT)
		b = append(b, `}}`...)
	case i.Lambda != nil:
		b = append(b, `,"authorizer":{"lambda":`...)
		if i.Lambda.Context == nil {
			return append(b, "null}"...)
		}
		b = append(b, '{')
		for k := range i.Lambda.Context {
			if k > 0 {
				b = append(b, ',')
			}
			b = appendMember(b, &i.Lambda.Context[k])
		}
		b = append(b, `}}`...)
	case i.IAM != nil:
		b = append(b, `,"authorizer":{"iam":{"accessKey":`...)
		b = AppendString(b, i.IAM.AccessKeyID)
		b = append(b, `,"accountId":`...)
		b = AppendString(b, i.IAM.AccountID)
		b = append(b, `,"callerId":`...)
		b = AppendString(b, i.IAM.CallerID)
		b = append(b, `,"cognitoIdentity":null,"principalOrgId":null,"userArn":`...)
		b = AppendString(b, i.IAM.UserARN)
		b = append(b, `,"userId":`...)
		b = AppendString(b, i.IAM.UserID)
		b = append(b, `}}`...)
	}
	return b
}

// appendIdentity10 appends the member authorizer of format 1.0, if a token or a
// function has said who calls. Whoever signed a request stands in identity.
func appendIdentity10(b []byte, i *gateway.Identity) []byte {
	switch {
	case i == nil:
		return b
	case i.JWT != nil:
		b = append(b, `,"authorizer":{"claims":`...)
		b = appendClaims(b, i.JWT)
		b = append(b, '}')
	case i.Lambda != nil:
		b = append(b, `,"authorizer":{"claims":null,"scopes":null`...)
		principal := i.Lambda.PrincipalID != ""
		for k := range i.Lambda.Context {
			m := &i.Lambda.Context[k]
			switch m.Name {
			case "claims", "scopes":
				continue // an object has each name once
			case "principalId":
				principal = false
			}
			b = append(b, ',')
			b = appendMember(b, m)
		}
		if principal {
			b = append(b, `,"principalId":`...)
			b = AppendString(b, i.Lambda.PrincipalID)
		}
		b = append(b, '}')
	}
	return b
}

func appendMember(b []byte, m *gateway.ContextMember) []byte {
	b = AppendString(b, m.Name)
	b = append(b, ':')
	return append(b, m.JSON...)
}

// appendClaims appends the claims of a token and, as the member after them, its scopes.
func appendClaims(b []byte, t *gateway.JWTIdentity) []byte {
	b = append(b, '{')
	for k := range t.Claims {
		if k > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, t.Claims[k].Name)
		b = append(b, ':')
		b = AppendString(b, t.Claims[k].Value)
	}
	b = append(b, `},"scopes":`...)
	if !t.Scoped {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for k, s := range t.Scopes {
		if k > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, s)
	}
	return append(b, ']')
}

// appendCaller appends the identity of format 1.0: who signed the request, if it was
// signed for an authorizer of that kind, and where it came from.
func appendCaller(b []byte, x *gateway.Exchange) []byte {
	var signed *gateway.IAMIdentity
	if x.Identity != nil {
		signed = x.Identity.IAM
	}
	if signed == nil {
		b = append(b, `{"accessKey":null,"accountId":null,"caller":null`...)
	} else {
		b = append(b, `{"accessKey":`...)
		b = AppendString(b, signed.AccessKeyID)
		b = append(b, `,"accountId":`...)
		b = AppendString(b, signed.AccountID)
		b = append(b, `,"caller":`...)
		b = AppendString(b, signed.CallerID)
	}
	if cert := clientCertificate(x); cert != nil {
		b = append(b, `,"clientCert":`...)
		b = appendCertificate(b, cert)
	}
	b = append(b, `,"cognitoAmr":null,"cognitoAuthenticationProvider":null,"cognitoAuthenticationType":null,`+
		`"cognitoIdentityId":null,"cognitoIdentityPoolId":null,"principalOrgId":null,"sourceIp":"`...)
	b = appendPeer(b, x)
	b = append(b, `","user":`...)
	if signed == nil {
		b = append(b, "null"...)
	} else {
		b = AppendString(b, signed.UserID)
	}
	b = append(b, `,"userAgent":`...)
	b = AppendString(b, userAgent(x))
	b = append(b, `,"userArn":`...)
	if signed == nil {
		return append(b, "null}"...)
	}
	b = AppendString(b, signed.UserARN)
	return append(b, '}')
}

func userAgent(x *gateway.Exchange) string {
	value, _ := x.Request.Field("User-Agent")
	return value
}

// clientCertificate returns the certificate of a client of a domain that asks for one.
func clientCertificate(x *gateway.Exchange) *x509.Certificate {
	if x.Domain == nil || x.Domain.MutualTLS == nil {
		return nil
	}
	return provenance.Certificate(x)
}

func appendCertificate(b []byte, c *x509.Certificate) []byte {
	b = append(b, `{"clientCertPem":`...)
	b = AppendString(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	b = append(b, `,"subjectDN":`...)
	b = AppendString(b, c.Subject.String())
	b = append(b, `,"issuerDN":`...)
	b = AppendString(b, c.Issuer.String())
	b = append(b, `,"serialNumber":"`...)
	b = provenance.AppendSerial(b, c)
	b = append(b, `","validity":{"notBefore":"`...)
	b = provenance.AppendValidity(b, c.NotBefore)
	b = append(b, `","notAfter":"`...)
	b = provenance.AppendValidity(b, c.NotAfter)
	return append(b, `"}}`...)
}
