package penstock_test

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock/internal/sigv4"
)

// A socketRoute is a route of a WebSocket API with its integration; see the functions that
// make some.
type socketRoute struct {
	integration *apigatewayv2.CreateIntegrationInput // nil: no target
	responses   []*apigatewayv2.CreateIntegrationResponseInput
	// twoWay routes have a route response; silent ones have the expression for it, but none.
	twoWay, silent bool
	route          apigatewayv2.CreateRouteInput // what else the route has
}

// A socketSpec is a WebSocket API to be made, with the stages dev or others.
type socketSpec struct {
	expression    string // $request.body.action if empty
	keyExpression string
	routes        map[string]socketRoute
	models        map[string]string // schemas by name
	stages        []string
	variables     map[string]string
	settings      *types.RouteSettings
	route         map[string]types.RouteSettings
	log           *types.AccessLogSettings
	// authorizer is that of $connect, whose AuthorizationType is CUSTOM then.
	authorizer *apigatewayv2.CreateAuthorizerInput
}

// lambdaRoute leads to a function, which gets the event.
func lambdaRoute(name string) socketRoute {
	return socketRoute{integration: &apigatewayv2.CreateIntegrationInput{
		IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: functionURI(name), IntegrationMethod: aws.String("POST"),
	}}
}

// proxyRoute leads to an HTTP backend, whose URI may be a path of the world's.
func proxyRoute(uri string, parameters map[string]string) socketRoute {
	return socketRoute{integration: &apigatewayv2.CreateIntegrationInput{
		IntegrationType: types.IntegrationTypeHttpProxy, IntegrationUri: &uri, IntegrationMethod: aws.String("POST"), RequestParameters: parameters,
	}}
}

// httpRoute leads to an HTTP backend by templates.
func httpRoute(uri string, templates map[string]string, responses ...*apigatewayv2.CreateIntegrationResponseInput) socketRoute {
	r := proxyRoute(uri, nil)
	r.integration.IntegrationType, r.integration.RequestTemplates, r.responses = types.IntegrationTypeHttp, templates, responses
	return r
}

// mockRoute answers by templates.
func mockRoute(templates map[string]string, responses ...*apigatewayv2.CreateIntegrationResponseInput) socketRoute {
	return socketRoute{
		integration: &apigatewayv2.CreateIntegrationInput{IntegrationType: types.IntegrationTypeMock, RequestTemplates: templates},
		responses:   responses,
	}
}

// template is the one template of a request or response.
func template(text string) map[string]string { return map[string]string{"$default": text} }

// response is an integration response with a key and templates, which may be nil.
func response(key string, templates map[string]string) *apigatewayv2.CreateIntegrationResponseInput {
	return &apigatewayv2.CreateIntegrationResponseInput{IntegrationResponseKey: &key, ResponseTemplates: templates}
}

// two makes a route two-way.
func two(r socketRoute) socketRoute {
	r.twoWay = true
	return r
}

// sockets makes a WebSocket API, deploys it and returns its ID.
func (w *world) sockets(s socketSpec) string {
	w.t.Helper()
	ctx, t := w.t.Context(), w.t
	create := &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String(cmp.Or(s.expression, "$request.body.action")),
	}
	if s.keyExpression != "" {
		create.ApiKeySelectionExpression = &s.keyExpression
	}
	id := check[*apigatewayv2.CreateApiOutput](t)(w.control.CreateApi(ctx, create)).ApiId
	for _, name := range slices.Sorted(maps.Keys(s.models)) {
		check[*apigatewayv2.CreateModelOutput](t)(w.control.CreateModel(ctx, &apigatewayv2.CreateModelInput{
			ApiId: id, Name: &name, Schema: aws.String(s.models[name]), ContentType: aws.String("application/json"),
		}))
	}
	var authorizer *string
	if s.authorizer != nil {
		s.authorizer.ApiId, s.authorizer.Name = id, aws.String("who")
		s.authorizer.AuthorizerType = types.AuthorizerTypeRequest
		authorizer = check[*apigatewayv2.CreateAuthorizerOutput](t)(w.control.CreateAuthorizer(ctx, s.authorizer)).AuthorizerId
	}
	for _, key := range slices.Sorted(maps.Keys(s.routes)) {
		w.socketRoute(*id, key, s.routes[key], authorizer)
	}
	stages := s.stages
	if stages == nil {
		stages = []string{"dev"}
	}
	for _, name := range stages {
		deployment := check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: id})).DeploymentId
		check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(ctx, &apigatewayv2.CreateStageInput{
			ApiId: id, StageName: &name, DeploymentId: deployment, StageVariables: s.variables,
			DefaultRouteSettings: s.settings, RouteSettings: s.route, AccessLogSettings: s.log,
		}))
	}
	return *id
}

func (w *world) socketRoute(api, key string, r socketRoute, authorizer *string) {
	w.t.Helper()
	ctx, t := w.t.Context(), w.t
	in := r.route
	in.ApiId, in.RouteKey = &api, &key
	if r.integration != nil {
		i := *r.integration
		i.ApiId = &api
		if i.IntegrationUri != nil && strings.HasPrefix(*i.IntegrationUri, "/") {
			i.IntegrationUri = aws.String(w.backend.URL + *i.IntegrationUri)
		}
		created := check[*apigatewayv2.CreateIntegrationOutput](t)(w.control.CreateIntegration(ctx, &i))
		for _, response := range r.responses {
			one := *response
			one.ApiId, one.IntegrationId = &api, created.IntegrationId
			check[*apigatewayv2.CreateIntegrationResponseOutput](t)(w.control.CreateIntegrationResponse(ctx, &one))
		}
		in.Target = aws.String("integrations/" + *created.IntegrationId)
	}
	if r.twoWay || r.silent {
		in.RouteResponseSelectionExpression = aws.String("$default")
	}
	if key == "$connect" && authorizer != nil {
		in.AuthorizationType, in.AuthorizerId = types.AuthorizationTypeCustom, authorizer
	}
	route := check[*apigatewayv2.CreateRouteOutput](t)(w.control.CreateRoute(ctx, &in))
	if r.twoWay {
		check[*apigatewayv2.CreateRouteResponseOutput](t)(w.control.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{
			ApiId: &api, RouteId: route.RouteId, RouteResponseKey: aws.String("$default"),
		}))
	}
}

// socketKey is the key of all handshakes of tests, and acceptedKey the answer to it.
const (
	socketKey   = "dGhlIHNhbXBsZSBub25jZQ=="
	acceptedKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// A socket is a client of a WebSocket API that sees and sends frames.
type socket struct {
	t     testing.TB
	nc    net.Conn
	br    *bufio.Reader
	shake *answered // the answer to the handshake
}

// handshake opens a connection to a target such as /dev?x=1, with more fields than a
// handshake must have, and returns it with the answer, whatever that is.
func (w *world) handshake(api, target string, fields ...string) *socket {
	w.t.Helper()
	nc := w.dial()
	all := []string{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + socketKey}
	all = append(all, fields...)
	if !slices.ContainsFunc(all, func(f string) bool { return strings.HasPrefix(f, "Host: ") }) {
		all = append(all, "Host: "+host(api))
	}
	return talk(w.t, nc, "GET "+target+" HTTP/1.1\r\n"+strings.Join(all, "\r\n")+"\r\n\r\n")
}

// dial returns a connection to the server that ends with the test.
func (w *world) dial() net.Conn {
	w.t.Helper()
	nc, err := net.Dial("tcp", w.server.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return nc
}

// talk sends the head of a handshake and reads the answer.
func talk(t testing.TB, nc net.Conn, head string) *socket {
	t.Helper()
	if _, err := io.WriteString(nc, head); err != nil {
		t.Fatal(err)
	}
	s := &socket{t: t, nc: nc, br: bufio.NewReader(nc)}
	r, err := http.ReadResponse(s.br, &http.Request{Method: http.MethodGet})
	if err != nil {
		t.Fatalf("read the answer to a handshake: %v", err)
	}
	s.shake = &answered{Response: r}
	if r.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		s.shake.body = string(body)
	}
	return s
}

// connect opens a connection that must be accepted.
func (w *world) connect(api, target string, fields ...string) *socket {
	w.t.Helper()
	s := w.handshake(api, target, fields...)
	if s.shake.StatusCode != http.StatusSwitchingProtocols || s.shake.Header.Get("Sec-WebSocket-Accept") != acceptedKey {
		w.t.Fatalf("the handshake got %d %s, header %v", s.shake.StatusCode, s.shake.body, s.shake.Header)
	}
	return s
}

// Opcodes of frames.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// frame sends one masked frame. The first byte has the opcode and, but for fragments, the
// bit 0x80 for the end of the message.
func (s *socket) frame(first byte, payload string) {
	s.t.Helper()
	if _, err := s.nc.Write(appendFrame(nil, first, payload)); err != nil {
		s.t.Fatal(err)
	}
}

// appendFrame appends a masked frame.
func appendFrame(b []byte, first byte, payload string) []byte {
	b = append(b, first)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{1, 2, 3, 4}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// send sends a text message in frames of at most 32 KB.
func (s *socket) send(text string) {
	s.t.Helper()
	const most = 32 << 10
	first := byte(opText)
	for len(text) > most {
		s.frame(first, text[:most])
		first, text = opContinuation, text[most:]
	}
	s.frame(0x80|first, text)
}

// read returns the first byte and the payload of the next frame.
func (s *socket) read() (first byte, payload string, err error) {
	var head [2]byte
	if _, err := io.ReadFull(s.br, head[:]); err != nil {
		return 0, "", err
	}
	if head[1]&0x80 != 0 {
		return 0, "", errors.New("the server masks frames")
	}
	n := uint64(head[1])
	var long [8]byte
	switch n {
	case 126:
		_, err = io.ReadFull(s.br, long[6:])
		n = binary.BigEndian.Uint64(long[:])
	case 127:
		_, err = io.ReadFull(s.br, long[:])
		n = binary.BigEndian.Uint64(long[:])
	}
	if err != nil {
		return 0, "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(s.br, b)
	return head[0], string(b), err
}

// next returns the next text message, whose fragments are put together.
func (s *socket) next() string {
	s.t.Helper()
	var text strings.Builder
	for want := byte(opText); ; want = opContinuation {
		first, payload, err := s.read()
		if err != nil {
			s.t.Fatalf("wait for a message: %v", err)
		}
		if first&0x7f != want {
			s.t.Fatalf("got a frame %#x %q, want a text message", first, payload)
		}
		if len(payload) > 32<<10 {
			s.t.Errorf("a frame of %d bytes", len(payload))
		}
		text.WriteString(payload)
		if first&0x80 != 0 {
			return text.String()
		}
	}
}

// closed waits for a close frame and the end of the connection, and returns the code and
// the reason. Messages before it are an error.
func (s *socket) closed() (code int, reason string) {
	s.t.Helper()
	first, payload, err := s.read()
	if err != nil || first != 0x80|opClose {
		s.t.Fatalf("got a frame %#x %q and %v, want a close frame", first, payload, err)
	}
	if len(payload) < 2 {
		return 1005, ""
	}
	return int(binary.BigEndian.Uint16([]byte(payload))), payload[2:]
}

// close closes the connection in order, with a code.
func (s *socket) close(code int, reason string) {
	s.t.Helper()
	s.frame(0x80|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
	s.closed()
}

// quiet reports whether nothing came before the answer to a ping, which the server answers
// behind everything that it has sent.
func (s *socket) quiet() bool {
	s.t.Helper()
	s.frame(0x80|opPing, "quiet?")
	first, payload, err := s.read()
	if err != nil {
		s.t.Fatalf("wait for a pong: %v", err)
	}
	if first != 0x80|opPong || payload != "quiet?" {
		s.t.Errorf("got a frame %#x %q, want nothing but a pong", first, payload)
		return false
	}
	return true
}

// failed checks an error frame byte for byte, but for the two IDs, which must be two.
func (s *socket) failed(message string) {
	s.t.Helper()
	got := s.next()
	var frame struct{ Message, ConnectionID, RequestID string }
	if err := json.Unmarshal([]byte(got), &frame); err != nil {
		s.t.Errorf("got %q, want an error frame with %q", got, message)
		return
	}
	want := fmt.Sprintf(`{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, frame.ConnectionID, frame.RequestID)
	if got != want || len(frame.ConnectionID) != 16 || len(frame.RequestID) != 16 || frame.ConnectionID == frame.RequestID {
		s.t.Errorf("got %q, want an error frame with %q", got, message)
	}
}

// management sends a request for @connections or @groups of an API, such as
// "POST /dev/@connections/ID", signed by a caller unless that is nil.
func (w *world) management(api, request, body string, caller *sigv4.Credential) *answered {
	w.t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL()+target, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if !strings.HasPrefix(target, "/_aws/") {
		r.Host = host(api)
	}
	if caller != nil {
		signer := sigv4.Signer{Credential: *caller, Region: "us-east-1", Service: "execute-api"}
		if err := signer.Sign(r, []byte(body)); err != nil {
			w.t.Fatal(err)
		}
	}
	return perform(w.t, r)
}

// perform sends a request and returns the answer.
func perform(t testing.TB, r *http.Request) *answered {
	t.Helper()
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answered{resp, string(text)}
}

// somebody signs where any signature counts.
var somebody = &sigv4.Credential{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}

// logSettings are those of an access log.
func logSettings(format string) *types.AccessLogSettings {
	return &types.AccessLogSettings{DestinationArn: aws.String("arn:aws:logs:us-east-1:" + testAccount + ":log-group:sockets"), Format: &format}
}
