package mapping

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/gateway/gatewaytest"
)

// A capture is an integration that lends an exchange to a test while it is served.
type capture struct {
	x    chan *gateway.Exchange
	done chan struct{}
}

func (c *capture) Invoke(x *gateway.Exchange) error {
	c.x <- x
	<-c.done
	x.Response = gateway.Response{Status: 204, Bodiless: true, Body: gateway.Body{Length: -1}}
	return nil
}

const testHost = "a.execute-api.us-east-1.localhost"

// exchange returns an exchange of a request that is being served by the route with a
// key, in the stages $default and dev of the API "a". The first line lacks its
// version, the Host is added; an element that begins with "\n" is the body.
func exchange(t testing.TB, key, line string, more ...string) *gateway.Exchange {
	t.Helper()
	c := &capture{make(chan *gateway.Exchange, 1), make(chan struct{})}
	r := &gateway.Route{Key: key, Integration: c, ReadsBody: true}
	api := &gateway.API{ID: "a", Stages: map[string]*gateway.Stage{}}
	for _, name := range []string{"$default", "dev"} {
		api.Stages[name] = gatewaytest.Stage(t, &gateway.Stage{APIID: "a", Name: name}, r)
	}
	s := gateway.NewServer(gateway.Config{Region: "us-east-1", Account: "123456789012", Suffixes: []string{"localhost"}})
	s.Publish(gateway.NewSnapshot(1, []*gateway.API{api}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(c.done)
		io.Copy(io.Discard, nc)
		nc.Close()
		s.Close()
	})
	body := ""
	text := line + " HTTP/1.1\r\nHost: " + testHost + "\r\nConnection: close\r\n"
	for _, m := range more {
		if b, ok := strings.CutPrefix(m, "\n"); ok {
			body = b
			text += fmt.Sprintf("Content-Length: %d\r\n", len(b))
		} else {
			text += m + "\r\n"
		}
	}
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(nc, text+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	select {
	case x := <-c.x:
		return x
	case <-time.After(20 * time.Second):
		t.Fatalf("%s does not reach %s", line, key)
		return nil
	}
}

// jwt is the identity of a caller with claims, whose names are sorted.
func jwt(claims ...gateway.Field) *gateway.Identity {
	return &gateway.Identity{JWT: &gateway.JWTIdentity{Claims: claims}}
}

func scopeOf(x *gateway.Exchange, variables map[string]string) Scope {
	return Scope{x.Route.Vars, variables}
}

func TestRequestExpression(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /pets/{id}/{rest+}", "GET /dev/pets/a%20b/c/d?q=1&Q=%41+%2B&q=two&flag&=x&bad=%zz&%71=3&a%26=5", "X-Token: t", "X-Many: 1", "x-many: 2", "X-Empty:",
		"\n"+`{"user":{"id":7,"name":"Ad\u0061","tags":[1, {"a": "b c"}],"none":null},"user.x":true}`)
	x.Identity = jwt(gateway.Field{Name: "scope", Value: "a b"}, gateway.Field{Name: "sub", Value: "u1"})
	scope := scopeOf(x, map[string]string{"env": "prod", "empty": ""})
	for _, tt := range []struct {
		value, want string
		missing     bool
	}{
		{value: "", want: ""},
		{value: "''", want: "''"},
		{value: "static text", want: "static text"},
		{value: "$request.header.x-token", want: "t"},
		{value: "$request.header.X-MANY", want: "1,2"},
		{value: "$request.header.x-empty", want: ""},
		{value: "$request.header.x-none", missing: true},
		{value: "$request.querystring.q", want: "1,two,3"},
		{value: "$request.querystring.Q", want: "A +"},
		{value: "$request.querystring.flag", want: ""},
		{value: "$request.querystring.bad", want: "%zz"},
		{value: "$request.querystring.a&", want: "5"},
		{value: "$request.querystring.x", missing: true},
		{value: "$request.path", want: "/pets/a b/c/d"},
		{value: "$request.path.id", want: "a b"},
		{value: "$request.path.rest", want: "c/d"},
		{value: "$request.path.other", missing: true},
		{value: "$request.body.user.id", want: "7"},
		{value: "$request.body.user.name", want: "Ada"},
		{value: "$request.body.user.tags", want: `[1,{"a":"b c"}]`},
		{value: "$request.body.user.tags[1].a", want: "b c"},
		{value: "$request.body.user.none", missing: true},
		{value: "$request.body.user.other", missing: true},
		{value: "$request.body['user.x']", want: "true"},
		{value: "$request.body", want: string(x.Request.Body.Bytes)},
		{value: "$context.requestId", want: x.ID},
		{value: "$context.authorizer.claims.sub", want: "u1"},
		{value: "$context.authorizer.claims.other", missing: true},
		{value: "$stageVariables.env", want: "prod"},
		{value: "$stageVariables.empty", want: ""},
		{value: "$stageVariables.none", missing: true},
		{value: "Bearer ${request.header.x-token}", want: "Bearer t"},
		{value: "${$request.header.x-token}", want: "t"},
		{value: "${request.path.id}-${request.path.rest}", want: "a b-c/d"},
		{value: "<${request.header.x-none}>", want: "<>"},
		{value: "${request.header.x-none}", want: ""},
		{value: "x $request.path.id", want: "x $request.path.id"},
		{value: "$other.x", want: "$other.x"},
		{value: "$$ ${stageVariables.env}} {", want: "$$ prod} {"},
	} {
		e, err := ParseRequest(tt.value, scope)
		if err != nil {
			t.Errorf("%s: %v", tt.value, err)
			continue
		}
		got, found := e.Append([]byte("> "), x)
		if string(got) != "> "+tt.want || found == tt.missing {
			t.Errorf("%s: got %q, %v; want %q", tt.value, got, found, tt.want)
		}
		if e.ReadsBody() != strings.Contains(tt.value, "body") {
			t.Errorf("%s: reads body: %v", tt.value, e.ReadsBody())
		}
	}
}

func TestResponseExpression(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /", "GET /")
	x.Response = gateway.Response{Status: 200, Header: []gateway.Field{{Name: "A", Value: "1"}, {Name: "a", Value: "2"}}, Body: gateway.Body{Bytes: []byte(`{"a":[{"b":null,"c":"d"}]}`)}}
	for _, tt := range []struct {
		value, want string
		missing     bool
	}{
		{value: "$response.header.a", want: "1,2"},
		{value: "$response.header.b", missing: true},
		{value: "$response.body.a[0].c", want: "d"},
		{value: "$response.body.a[0].b", missing: true},
		{value: "$response.body", want: `{"a":[{"b":null,"c":"d"}]}`},
		{value: "${response.body.a[0].c}/${stageVariables.v}", want: "d/1"},
		{value: "$context.status", want: "200"},
	} {
		e, err := ParseResponse(tt.value, Scope{Variables: map[string]string{"v": "1"}})
		if err != nil {
			t.Errorf("%s: %v", tt.value, err)
			continue
		}
		if got, found := e.Append(nil, x); string(got) != tt.want || found == tt.missing {
			t.Errorf("%s: got %q, %v", tt.value, got, found)
		}
	}
}

func TestExpressionErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, want string }{
		{"$request", "offset 1"},
		{"$request.", "offset 1"},
		{"$request.method", `"request.method" selects nothing`},
		{"$request.header.", "offset 1"},
		{"$request.querystring.", "offset 1"},
		{"$request.path.", "offset 1"},
		{"$request.body..name", "want a name"},
		{"$request.body.a[?(@.b)]", "want a name in quotes or an index"},
		{"$request.bodyx", `want "." or "["`},
		{"$response.header.a", "selects nothing"},
		{"$context", "offset 1"},
		{"$context.nothing", `no context variable "nothing"`},
		{"$context.authorizer.", "no context variable"},
		{"a${request.header.b", `offset 2: unclosed "{"`},
		{"a${other.b}", `offset 3: "other.b" selects nothing`},
		{"${}", `offset 2: "" selects nothing`},
	} {
		if _, err := ParseRequest(tt.value, Scope{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.value, err, tt.want)
		}
	}
	for _, value := range []string{"$request.header.a", "${request.path}", "$response.path", "$response.querystring.a"} {
		if _, err := ParseResponse(value, Scope{}); err == nil {
			t.Errorf("%s: no error in a response", value)
		}
	}
}

// TestCutBody: mappings see the first 100 KB of a body.
func TestCutBody(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", gateway.MappedBody)
	early, late := `{"a":"1","b":"`+long+`"}`, `{"b":"`+long+`","a":"1"}`
	for _, tt := range []struct {
		name   string
		more   []string
		path   string
		want   string
		length int
	}{
		{"before the cut", []string{"\n" + early}, "$request.body.a", "1", 0},
		{"behind the cut", []string{"\n" + late}, "$request.body.a", "", 0},
		{"through the cut", []string{"\n" + early}, "$request.body.b", "", 0},
		{"in chunks", []string{"Transfer-Encoding: chunked", "\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n", len(early), early)}, "$request.body.a", "1", 0},
		{"all of it", []string{"\n" + early}, "$request.body", "", gateway.MappedBody},
		{"as long as can be seen", []string{"\n" + `["` + long[4:] + `"]`}, "$request.body[0]", "", gateway.MappedBody - 4},
		{"a byte longer", []string{"\n" + `["` + long[4:] + `"] `}, "$request.body[0]", "", gateway.MappedBody - 4},
	} {
		x := exchange(t, "POST /", "POST /", tt.more...)
		e, err := ParseRequest(tt.path, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := e.Append(nil, x)
		if tt.length > 0 && len(got) != tt.length || tt.length == 0 && string(got) != tt.want {
			t.Errorf("%s: got %d bytes, %.20q", tt.name, len(got), got)
		}
	}
}

// certificateOf returns a certificate of a client.
func certificateOf(t *testing.T) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0xa1004f),
		Subject:      pkix.Name{CommonName: "client", Country: []string{"NO"}},
		NotBefore:    time.Date(2021, 8, 5, 9, 36, 4, 0, time.UTC),
		NotAfter:     time.Date(2031, 12, 15, 9, 36, 4, 0, time.FixedZone("", 3600)),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContextVariables(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /{x+}", "GET /dev/a%2Fb?q=1", "User-Agent: agent/1")
	plain := map[string]string{
		"accountId": "123456789012", "apiId": "a", "domainName": testHost, "domainPrefix": "a", "extendedRequestId": x.ID,
		"httpMethod": "GET", "identity.sourceIp": "127.0.0.1", "identity.userAgent": "agent/1", "path": "/dev/a/b", "protocol": "HTTP/1.1",
		"requestId": x.ID, "requestTime": x.Start.UTC().Format("02/Jan/2006:15:04:05 -0700"), "requestTimeEpoch": fmt.Sprint(x.Start.UnixMilli()),
		"routeKey": "GET /{x+}", "stage": "dev",
	}
	check := func(name string, values map[string]string) {
		t.Helper()
		for variable := range values {
			if _, ok := variables[variable]; !ok && !strings.HasPrefix(variable, "authorizer.") {
				t.Errorf("%s: there is no variable %q", name, variable)
			}
		}
		for variable := range variables {
			e, err := ParseRequest("$context."+variable, Scope{})
			if err != nil {
				t.Errorf("%s: %v", variable, err)
				continue
			}
			got, found := e.Append(nil, x)
			if want, is := values[variable]; string(got) != want || found != is {
				t.Errorf("%s: %s: got %q, %v; want %q", name, variable, got, found, want)
			}
		}
		for variable, want := range values {
			e, err := ParseRequest("$context."+variable, Scope{})
			if err != nil {
				t.Errorf("%s: %v", variable, err)
				continue
			}
			if got, _ := e.Append(nil, x); string(got) != want {
				t.Errorf("%s: %s: got %q, want %q", name, variable, got, want)
			}
		}
	}
	check("before the integration", plain)

	x.Response.Status = 200
	x.IntegrationLatency, x.Latency, x.AuthorizerLatency = 1500*time.Microsecond, 2500*time.Millisecond, 3*time.Millisecond
	x.Integration = gateway.IntegrationOutcome{Status: 404, ServiceStatus: 200, RequestID: "r1", RequestID2: "r2", Error: "why"}
	x.ResponseLength, x.DataProcessed = 0, 7
	x.Identity = &gateway.Identity{IAM: &gateway.IAMIdentity{AccountID: "1", CallerID: "2", UserID: "3", UserARN: "4"}}
	cert := certificateOf(t)
	x.Request.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	after := map[string]string{
		"status": "200", "integration.latency": "1", "integrationLatency": "1", "integration.status": "404", "integration.integrationStatus": "200", "integrationStatus": "200",
		"integration.requestId": "r1", "awsEndpointRequestId": "r1", "awsEndpointRequestId2": "r2", "integration.error": "why", "integrationErrorMessage": "why",
		"responseLatency": "2500", "responseLength": "0", "dataProcessed": "7",
		"identity.accountId": "1", "identity.caller": "2", "identity.user": "3", "identity.userArn": "4",
		"authorizer.latency": "3", "authorizer.status": "200",
	}
	for k, v := range plain {
		after[k] = v
	}
	check("a certificate that was not verified says nothing", after)

	x.Request.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
	for k, v := range map[string]string{
		"identity.clientCert.subjectDN": "CN=client,C=NO", "identity.clientCert.issuerDN": "CN=client,C=NO", "identity.clientCert.serialNumber": "a1:00:4f",
		"identity.clientCert.validity.notBefore": "Aug  5 09:36:04 2021 GMT", "identity.clientCert.validity.notAfter": "Dec 15 08:36:04 2031 GMT",
	} {
		after[k] = v
	}
	var f *Format
	f, err := ParseFormat("$context.identity.clientCert.clientCertPem")
	if err != nil {
		t.Fatal(err)
	}
	pem := string(f.Append(nil, x))
	if !strings.HasPrefix(pem, "-----BEGIN CERTIFICATE----- ") || strings.Contains(pem, "\n") {
		t.Errorf("a certificate in an access log is %q", pem)
	}
	after["identity.clientCert.clientCertPem"] = strings.ReplaceAll(strings.NewReplacer("- ", "-\n", " -", "\n-").Replace(pem), " ", "\n")
	after["identity.clientCert.clientCertPem"] = strings.NewReplacer("BEGIN\n", "BEGIN ", "END\n", "END ").Replace(after["identity.clientCert.clientCertPem"])
	check("with a verified certificate", after)

	x.Domain, x.BasePath = &gateway.Domain{Name: "*.example.com"}, "v1"
	x.Request.Host, x.SentPath, x.Path = "API.Example.com.:8443", "/v1/a b", "/dev/a b"
	after["domainName"], after["domainPrefix"], after["path"], after["customDomain.basePathMatched"] = "api.example.com", "api", "/v1/a b", "v1"
	x.Request.Peer = netip.MustParseAddrPort("[::ffff:192.0.2.1]:99")
	after["identity.sourceIp"] = "192.0.2.1"
	check("behind an API mapping", after)
	x.Request.TLS = nil
}

func TestAuthorizerVariables(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /", "GET /")
	lambda := &gateway.Identity{Lambda: &gateway.LambdaIdentity{PrincipalID: "p", Context: []gateway.ContextMember{
		{Name: "principalId", Text: "forged", Scalar: true}, {Name: "claims.sub", Text: "forged", Scalar: true}, {Name: "n", Text: "1.50", Scalar: true},
		{Name: "map", JSON: "{}"}, {Name: "status", Text: "mine", Scalar: true}, {Name: "a.b", Text: "c", Scalar: true}}}}
	for _, tt := range []struct {
		name     string
		identity *gateway.Identity
		error    string
		variable string
		want     string
	}{
		{"no authorizer", nil, "", "principalId", ""},
		{"no authorizer", nil, "", "claims.sub", ""},
		{"no authorizer", nil, "", "status", ""},
		{"refused", nil, "no token", "error", "no token"},
		{"token", jwt(gateway.Field{Name: "sub", Value: "u"}), "", "claims.sub", "u"},
		{"token", jwt(gateway.Field{Name: "sub", Value: "u"}), "", "sub", ""},
		{"token", jwt(gateway.Field{Name: "principalId", Value: "u"}), "", "principalId", ""},
		{"function", lambda, "", "principalId", "p"},
		{"function", lambda, "", "claims.sub", ""},
		{"function", lambda, "", "n", "1.50"},
		{"function", lambda, "", "map", ""},
		{"function", lambda, "", "status", "mine"},
		{"function", lambda, "", "a.b", "c"},
		{"function without principal", &gateway.Identity{Lambda: &gateway.LambdaIdentity{}}, "", "principalId", ""},
	} {
		x.Identity, x.AuthorizerError = tt.identity, tt.error
		e, err := ParseRequest("$context.authorizer."+tt.variable, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		if got, found := e.Append(nil, x); string(got) != tt.want || found != (tt.want != "") {
			t.Errorf("%s: %s: got %q, %v; want %q", tt.name, tt.variable, got, found, tt.want)
		}
	}
}

// FuzzExpression: parse, print, parse gives the same expression, and evaluating it
// breaks nothing.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"$request.header.a", "a ${request.path.x}b${$context.requestId}", "$request.body.a[0]['b']", "$$${", "${stageVariables.v}", "$response.body", "$request.querystring.a%"} {
		f.Add(s, "a=1&b=%41+&%zz&a%")
	}
	f.Fuzz(func(t *testing.T, s, query string) {
		x := &gateway.Exchange{Request: gateway.Request{Query: query, Header: []gateway.Field{{Name: "A", Value: "b"}}, Body: gateway.Body{Bytes: []byte(query)}}}
		for _, parse := range []func(string, Scope) (*Expression, error){ParseRequest, ParseResponse} {
			e, err := parse(s, Scope{Vars: []string{"x"}, Variables: map[string]string{"v": "1"}})
			if err != nil {
				continue
			}
			again, err := parse(e.String(), Scope{})
			if err != nil || again.String() != e.String() || again.bare != e.bare || len(again.pieces) != len(e.pieces) {
				t.Fatalf("%q prints as %q, which is %v, %v", s, e, again, err)
			}
			if !strings.Contains(s, "context.accountId") { // of a server
				e.Append(nil, x)
			}
		}
	})
}
