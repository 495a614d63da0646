package penstock_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/issuertest"
)

// A mill is a backend that answers every request at once with the same 400 bytes, and
// allocates nothing.
func mill(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n" + strings.Repeat("x", 400))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for br := bufio.NewReader(c); ; {
					line, err := br.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 {
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// unlimited is a server for benchmarks.
func unlimited(b *testing.B, more func(*penstock.Config)) *penstock.Server {
	c := quiet
	c.Limits = penstock.Limits{AccountRate: -1, Routes: 20000, Integrations: 20000}
	if more != nil {
		more(&c)
	}
	return open(b, c)
}

func hostOf(b *testing.B, endpoint *string) string {
	u, err := url.Parse(*endpoint)
	if err != nil {
		b.Fatal(err)
	}
	return u.Host
}

// requestFields are sent with every request, besides the host.
var requestFields = [][2]string{
	{"user-agent", "bench/1.0 (keep-alive)"},
	{"accept", "application/json"},
	{"accept-encoding", "gzip, deflate"},
	{"accept-language", "en-GB,en;q=0.9"},
}

func head(host, path, token string) []byte {
	text := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n"
	for _, f := range requestFields {
		text += f[0] + ": " + f[1] + "\r\n"
	}
	return []byte(text + "Authorization: Bearer " + token + "\r\n\r\n")
}

const opaque = "0123456789abcdef0123456789abcdef"

// A client makes requests of HTTP/1.1 on one connection, and allocates nothing.
type client struct {
	net.Conn
	br *bufio.Reader
}

func dial(b *testing.B, addr string) *client {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return &client{c, bufio.NewReaderSize(c, 64<<10)}
}

func dialTLS(b *testing.B, s *penstock.Server, protocol string) *client {
	c, err := tls.Dial("tcp", strings.TrimPrefix(s.TLSURL(), "https://"), &tls.Config{
		ServerName: "localhost", InsecureSkipVerify: true, NextProtos: []string{protocol},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if got := c.ConnectionState().NegotiatedProtocol; got != protocol {
		b.Fatalf("speaks %q", got)
	}
	return &client{c, bufio.NewReaderSize(c, 64<<10)}
}

// once makes a request and reads the answer, which must be 200 with 400 bytes.
func (c *client) once(b *testing.B, request []byte) {
	if _, err := c.Write(request); err != nil {
		b.Fatal(err)
	}
	for first := true; ; first = false {
		line, err := c.br.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			b.Fatalf("answer %q", line)
		}
		if len(line) == 2 {
			break
		}
	}
	if _, err := c.br.Discard(400); err != nil {
		b.Fatal(err)
	}
}

// measure makes the same request again and again.
func (c *client) measure(b *testing.B, request []byte) {
	c.once(b, request)
	b.ReportAllocs()
	for b.Loop() {
		c.once(b, request)
	}
}

// BenchmarkServer is a whole exchange: client, server and backend in one process, over
// loopback connections that stay, and all that a server does by default. The
// allocations are those of the process; client and backend have none of their own, but
// for what crypto/tls needs on the client's side.
func BenchmarkServer(b *testing.B) {
	const path = "/pets/7?verbose=true"
	b.Run("plain", func(b *testing.B) {
		s := unlimited(b, nil)
		host := hostOf(b, quickCreate(b, s, mill(b)).ApiEndpoint)
		dial(b, s.Addr().String()).measure(b, head(host, path, opaque))
	})
	withTLS := func(c *penstock.Config) { c.ListenTLS = "127.0.0.1:0" }
	b.Run("TLS", func(b *testing.B) {
		s := unlimited(b, withTLS)
		host := hostOf(b, quickCreate(b, s, mill(b)).ApiEndpoint)
		dialTLS(b, s, "http/1.1").measure(b, head(host, path, opaque))
	})
	b.Run("HTTP2", func(b *testing.B) {
		s := unlimited(b, withTLS)
		host := hostOf(b, quickCreate(b, s, mill(b)).ApiEndpoint)
		measureHTTP2(b, dialTLS(b, s, "h2"), host, path)
	})
	b.Run("JWT, mappings, access log", func(b *testing.B) {
		log := filepath.Join(b.TempDir(), "access.log")
		s := unlimited(b, func(c *penstock.Config) {
			c.AccessLogs = []penstock.AccessLog{{DestinationARN: "*", File: log}}
		})
		issuer := issuertest.New(b)
		host := createFull(b, s, issuer.URL, mill(b))
		token := issuer.Token(map[string]any{"aud": "pets", "sub": "user-7", "scope": "read write", "exp": time.Now().Add(time.Hour).Unix()})
		dial(b, s.Addr().String()).measure(b, head(host, path, token))
	})
	for _, n := range []int{10, 300, 10000} {
		b.Run(fmt.Sprintf("%d routes, another each time", n), func(b *testing.B) {
			s := unlimited(b, nil)
			host := createRoutes(b, s, n, mill(b))
			requests := make([][]byte, n)
			for i := range requests {
				// A prime step, so that neighbours are no neighbours in memory.
				requests[i] = head(host, fmt.Sprintf("/orders/%05d/7?verbose=true", i*7919%n), opaque)
			}
			c := dial(b, s.Addr().String())
			for _, r := range requests {
				c.once(b, r)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.once(b, requests[i%n])
			}
		})
	}
}

// createFull makes an API whose $default route has a JWT authorizer and three mapped
// header fields, and whose stage has an access log. It returns the host of the API.
func createFull(b *testing.B, s *penstock.Server, issuer, backend string) string {
	ctx, api := b.Context(), sdk(s, anyone)
	a, err := api.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("full"), ProtocolType: types.ProtocolTypeHttp})
	if err != nil {
		b.Fatal(err)
	}
	door, err := api.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{
		ApiId: a.ApiId, Name: new("issuer"), AuthorizerType: types.AuthorizerTypeJwt,
		IdentitySource:   []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: new(issuer), Audience: []string{"pets"}},
	})
	if err != nil {
		b.Fatal(err)
	}
	target, err := api.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: a.ApiId, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("ANY"),
		IntegrationUri: new(backend), PayloadFormatVersion: new("1.0"),
		RequestParameters: map[string]string{
			"overwrite:header.x-user":  "$context.authorizer.claims.sub",
			"append:header.x-request":  "$context.requestId",
			"overwrite:header.x-stage": "$context.stage",
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := api.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
		ApiId: a.ApiId, RouteKey: new("$default"), Target: aws.String("integrations/" + *target.IntegrationId),
		AuthorizationType: types.AuthorizationTypeJwt, AuthorizerId: door.AuthorizerId,
	}); err != nil {
		b.Fatal(err)
	}
	if _, err := api.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: a.ApiId, StageName: new("$default"), AutoDeploy: new(true),
		AccessLogSettings: &types.AccessLogSettings{
			DestinationArn: new("arn:aws:logs:us-east-1:000000000000:log-group:bench"),
			Format:         new(`{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", "requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod","routeKey":"$context.routeKey", "status":"$context.status","protocol":"$context.protocol", "responseLength":"$context.responseLength" }`),
		},
	}); err != nil {
		b.Fatal(err)
	}
	return hostOf(b, a.ApiEndpoint)
}

// createRoutes makes an API with n routes to one integration, and returns its host.
func createRoutes(b *testing.B, s *penstock.Server, n int, backend string) string {
	type object map[string]any
	paths := object{}
	for i := range n {
		paths[fmt.Sprintf("/orders/%05d/{id}", i)] = object{"get": object{
			"x-amazon-apigateway-integration": object{"$ref": "#/components/x-amazon-apigateway-integrations/up"},
			"responses":                       object{"default": object{"description": "any"}},
		}}
	}
	document, err := json.Marshal(object{
		"openapi": "3.0.1", "info": object{"title": "routes", "version": "1"}, "paths": paths,
		"components": object{"x-amazon-apigateway-integrations": object{"up": object{
			"type": "http_proxy", "httpMethod": "ANY", "uri": backend, "payloadFormatVersion": "1.0",
		}}},
	})
	if err != nil {
		b.Fatal(err)
	}
	api := sdk(s, anyone)
	a, err := api.ImportApi(b.Context(), &apigatewayv2.ImportApiInput{Body: aws.String(string(document))})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := api.CreateStage(b.Context(), &apigatewayv2.CreateStageInput{ApiId: a.ApiId, StageName: new("$default"), AutoDeploy: new(true)}); err != nil {
		b.Fatal(err)
	}
	return hostOf(b, a.ApiEndpoint)
}

// Types of HTTP/2 frames and their flags.
const (
	frameData         = 0
	frameHeaders      = 1
	frameGoAway       = 7
	frameReset        = 3
	frameSettings     = 4
	frameWindowUpdate = 8

	flagEndStream  = 1
	flagEndHeaders = 4
)

// frame appends a frame of HTTP/2.
func frame(to []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	to = append(to, byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload)), kind, flags)
	return append(binary.BigEndian.AppendUint32(to, stream), payload...)
}

// measureHTTP2 makes one request after the other on a connection. As clients do, the
// first request puts its fields into the table of the connection, and all others name
// them by their places there.
func measureHTTP2(b *testing.B, c *client, host, path string) {
	first := []byte{0x82, 0x87} // GET, https
	literal := func(text string) {
		first = append(append(first, byte(len(text))), text...)
	}
	count := 2
	first = append(first, 0x40|1) // :authority
	literal(host)
	first = append(first, 0x40|4) // :path
	literal(path)
	for _, f := range append(requestFields, [2]string{"authorization", "Bearer " + opaque}) {
		first = append(first, 0x40)
		literal(f[0])
		literal(f[1])
		count++
	}
	again := []byte{0x82, 0x87}
	for i := count - 1; i >= 0; i-- {
		again = append(again, 0x80|byte(62+i))
	}

	// 2 GiB, enough for five million answers, on the connection.
	window := binary.BigEndian.AppendUint32(nil, 1<<31-1-65535)
	opening := frame([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameSettings, 0, 0, nil)
	if _, err := c.Write(frame(opening, frameWindowUpdate, 0, 0, window)); err != nil {
		b.Fatal(err)
	}
	var stream uint32 = 1
	var out []byte
	once := func(fields []byte) {
		out = frame(out[:0], frameHeaders, flagEndStream|flagEndHeaders, stream, fields)
		stream += 2
		if _, err := c.Write(out); err != nil {
			b.Fatal(err)
		}
		c.answerHTTP2(b)
	}
	once(first)
	b.ReportAllocs()
	for b.Loop() {
		once(again)
	}
}

// answerHTTP2 reads frames to the end of a stream, whose status must be 200 and whose
// body must have 400 bytes.
func (c *client) answerHTTP2(b *testing.B) {
	for body := 0; ; {
		h, err := c.br.Peek(9)
		if err != nil {
			b.Fatal(err)
		}
		length, kind, flags := int(h[0])<<16|int(h[1])<<8|int(h[2]), h[3], h[4]
		if _, err := c.br.Discard(9); err != nil {
			b.Fatal(err)
		}
		switch kind {
		case frameHeaders:
			if status, err := c.br.Peek(1); err != nil || status[0] != 0x88 {
				b.Fatalf("the answer is not 200: begins with %x, %v", status, err)
			}
		case frameData:
			body += length
		case frameReset, frameGoAway:
			payload := make([]byte, length)
			_, err := io.ReadFull(c.br, payload)
			b.Fatalf("frame %d: %q, %v", kind, payload, err)
		case frameSettings:
			if flags&1 == 0 {
				if _, err := c.Write(frame(nil, frameSettings, 1, 0, nil)); err != nil {
					b.Fatal(err)
				}
			}
		}
		if _, err := c.br.Discard(length); err != nil {
			b.Fatal(err)
		}
		if (kind == frameData || kind == frameHeaders) && flags&flagEndStream != 0 {
			if body != 400 {
				b.Fatalf("got %d bytes, want 400", body)
			}
			return
		}
	}
}
