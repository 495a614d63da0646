package penstock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// raced reports whether the race detector watches, which makes everything some ten times
// slower.
var raced = sync.OnceValue(func() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
})

// fewer returns n, or the part of it that the race detector leaves time for.
func fewer(n int) int {
	if raced() {
		return n / 5
	}
	return n
}

// A farewell counts the events of $disconnect by connection.
type farewell struct {
	mu    sync.Mutex // guards the fields below
	seen  map[string]int
	wrong []string // events that are not of a stage that goes
	total int
	// changed is full when an event has come since somebody looked.
	changed chan struct{}
}

func newFarewell() *farewell {
	return &farewell{seen: map[string]int{}, changed: make(chan struct{}, 1)}
}

func (f *farewell) invoke(_ context.Context, text []byte) ([]byte, error) {
	var event struct {
		RequestContext struct {
			ConnectionID, EventType, DisconnectReason string
			DisconnectStatusCode                      int
		}
	}
	err := json.Unmarshal(text, &event)
	f.mu.Lock()
	f.total++
	r := event.RequestContext
	f.seen[r.ConnectionID]++
	if err != nil || r.EventType != "DISCONNECT" || r.DisconnectStatusCode != 1001 || r.DisconnectReason != "Going away" {
		f.wrong = append(f.wrong, string(text))
	}
	f.mu.Unlock()
	select {
	case f.changed <- struct{}{}:
	default:
	}
	return []byte(`{"statusCode":200}`), err
}

// count returns how many events have come.
func (f *farewell) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total
}

// reset forgets what has come.
func (f *farewell) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.wrong, f.total = map[string]int{}, nil, 0
}

// wait waits until so many events have come.
func (f *farewell) wait(t testing.TB, n int) {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		total := f.count()
		if total >= n {
			return
		}
		select {
		case <-f.changed:
		case <-late:
			t.Fatalf("%d of %d events of $disconnect came", total, n)
		}
	}
}

// check compares what has come with the connections that have ended.
func (f *farewell) check(t testing.TB, ids []string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.wrong) > 0 {
		t.Errorf("%d events are wrong, such as %s", len(f.wrong), f.wrong[0])
	}
	if f.total != len(ids) || len(f.seen) != len(ids) {
		t.Errorf("%d events of %d connections, want one of each of %d", f.total, len(f.seen), len(ids))
	}
	for _, id := range ids {
		if f.seen[id] != 1 {
			t.Fatalf("connection %s ended, and %d events say so", id, f.seen[id])
		}
	}
}

// longer gives the connections of a test that takes its time until then.
func longer(all []*socket) {
	for _, s := range all {
		s.nc.SetDeadline(time.Now().Add(time.Minute))
	}
}

// goneAway checks that connections were ended by a stage that went away.
func goneAway(t testing.TB, all []*socket) {
	t.Helper()
	for i, s := range all {
		if code, reason := s.closed(); code != 1001 || reason != "Going away" {
			t.Fatalf("connection %d of %d got %d %q", i, len(all), code, reason)
		}
		s.nc.Close()
	}
}

// idsOf asks all connections for their IDs by a message to a route that knows.
func idsOf(t testing.TB, all []*socket) []string {
	t.Helper()
	ids := make([]string, len(all))
	for i, s := range all {
		s.send(`{"action":"id"}`)
		if ids[i] = s.next(); len(ids[i]) != 16 {
			t.Fatalf("connection %d answers %q, want its ID", i, ids[i])
		}
	}
	return ids
}

// says is a route that answers with what a template makes.
func says(text string) socketRoute {
	return two(mockRoute(template(`{"statusCode":200}`), response("$default", template(text))))
}

// TestSocketDeployments: no change of the configuration ends a connection but the end of
// its stage, and that ends each one, with one event. Each message is handled by one
// deployment, and after the control plane has answered by no older one.
func TestSocketDeployments(t *testing.T) { // not parallel: it needs half of the files that a process may open
	const rounds = 20
	n := fewer(5000)
	bye, never, ofAPI := newFarewell(), newFarewell(), newFarewell()
	w := newWorld(t, penstock.Config{
		Functions:  map[string]penstock.Function{"bye": {Invoke: bye.invoke}, "never": {Invoke: never.invoke}, "ofAPI": {Invoke: ofAPI.invoke}},
		Limits:     penstock.Limits{AccountRate: -1},
		WebSockets: penstock.WebSockets{ConnectRate: -1},
	})
	ctx := t.Context()
	spec := socketSpec{
		routes:    map[string]socketRoute{"id": says("$context.connectionId"), "which": says("0 $stageVariables.v"), "$disconnect": lambdaRoute("bye")},
		stages:    []string{"dev", "old"},
		variables: map[string]string{"v": "0"},
	}
	api := w.sockets(spec)
	spec.stages = nil
	other := w.sockets(spec)
	spec.routes["$disconnect"] = lambdaRoute("ofAPI")
	going := w.sockets(spec)
	var all, ofOld, ofOther, ofGoing []*socket
	for range n {
		all = append(all, w.connect(api, "/dev"))
	}
	for range 10 {
		ofOld = append(ofOld, w.connect(api, "/old"))
		ofOther = append(ofOther, w.connect(other, "/dev"))
	}
	for range n / 5 {
		ofGoing = append(ofGoing, w.connect(going, "/dev"))
	}
	longer(slices.Concat(all, ofOld, ofOther, ofGoing))

	// Some connections talk all the time.
	const talking = 8
	var stop atomic.Bool
	var talk sync.WaitGroup
	for i, s := range all[:talking] {
		talk.Go(func() {
			before := 0
			for !stop.Load() {
				if _, err := s.nc.Write(appendFrame(nil, 0x80|opText, `{"action":"which"}`)); err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				_, text, err := s.read()
				var deployment, variable int
				if _, scan := fmt.Sscan(text, &deployment, &variable); err != nil || scan != nil || deployment != variable || deployment < before {
					t.Errorf("connection %d got %q after %d, and %v", i, text, before, err)
					return
				}
				before = deployment
			}
		})
	}

	routes := check[*apigatewayv2.GetRoutesOutput](t)(w.control.GetRoutes(ctx, &apigatewayv2.GetRoutesInput{ApiId: &api})).Items
	target := func(key string) *string {
		i := slices.IndexFunc(routes, func(r types.Route) bool { return *r.RouteKey == key })
		return aws.String(strings.TrimPrefix(*routes[i].Target, "integrations/"))
	}
	which := target("which")
	answer := check[*apigatewayv2.GetIntegrationResponsesOutput](t)(w.control.GetIntegrationResponses(ctx, &apigatewayv2.GetIntegrationResponsesInput{ApiId: &api, IntegrationId: which})).Items[0].IntegrationResponseId
	deploy := func() *string {
		return check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &api})).DeploymentId
	}
	for round := 1; round <= rounds; round++ {
		check[*apigatewayv2.UpdateIntegrationResponseOutput](t)(w.control.UpdateIntegrationResponse(ctx, &apigatewayv2.UpdateIntegrationResponseInput{
			ApiId: &api, IntegrationId: which, IntegrationResponseId: answer, ResponseTemplates: template(fmt.Sprint(round, " $stageVariables.v")),
		}))
		extra := fmt.Sprint("extra", round)
		w.socketRoute(api, extra, says(extra), nil)
		check[*apigatewayv2.UpdateStageOutput](t)(w.control.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{
			ApiId: &api, StageName: aws.String("dev"), DeploymentId: deploy(), StageVariables: map[string]string{"v": fmt.Sprint(round)},
		}))
		// Nobody has talked here since the change.
		s := all[talking+round]
		s.send(`{"action":"which"}`)
		if got, want := s.next(), fmt.Sprint(round, " ", round); got != want {
			t.Errorf("after deployment %d the answer is %q", round, got)
		}
		s.send(`{"action":"` + extra + `"}`)
		if got := s.next(); got != extra {
			t.Errorf("the route %s, just deployed, answers %q", extra, got)
		}
		switch round {
		case 5:
			check[*apigatewayv2.DeleteStageOutput](t)(w.control.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: &api, StageName: aws.String("old")}))
			goneAway(t, ofOld)
		case 10:
			check[*apigatewayv2.DeleteApiOutput](t)(w.control.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &other}))
			goneAway(t, ofOther)
		case 15:
			all = append(all, w.mapped(api, going)...)
		}
	}
	// What is not deployed is not served, not even when the stage goes.
	check[*apigatewayv2.UpdateIntegrationOutput](t)(w.control.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
		ApiId: &api, IntegrationId: target("$disconnect"), IntegrationUri: functionURI("never"),
	}))
	stop.Store(true)
	talk.Wait()
	if t.Failed() {
		return
	}
	ids := idsOf(t, all)
	bye.wait(t, len(ofOld)+len(ofOther))
	if total := bye.count(); total != len(ofOld)+len(ofOther) {
		t.Errorf("%d events came of %d connections whose stage went", total, len(ofOld)+len(ofOther))
	}
	bye.reset() // nobody ends before the stage does
	check[*apigatewayv2.DeleteStageOutput](t)(w.control.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: &api, StageName: aws.String("dev")}))
	goneAway(t, all)
	bye.wait(t, len(ids))
	if s := w.handshake(api, "/dev"); s.shake.StatusCode != 403 {
		t.Errorf("the stage that has gone answers %d", s.shake.StatusCode)
	}

	idsOfGoing := idsOf(t, ofGoing)
	check[*apigatewayv2.DeleteApiOutput](t)(w.control.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: &going}))
	goneAway(t, ofGoing)
	ofAPI.wait(t, len(idsOfGoing))

	// Nothing more comes.
	if err := w.server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	bye.check(t, ids)
	ofAPI.check(t, idsOfGoing)
	never.check(t, nil)
}

// mapped opens connections through a domain name that leads to an API, and then to another,
// and then nowhere.
func (w *world) mapped(api, next string) (all []*socket) {
	ctx, t := w.t.Context(), w.t
	domain := aws.String("moving.example.com")
	check[*apigatewayv2.CreateDomainNameOutput](t)(w.control.CreateDomainName(ctx, &apigatewayv2.CreateDomainNameInput{
		DomainName: domain, DomainNameConfigurations: []types.DomainNameConfiguration{{
			CertificateArn: aws.String("arn:aws:acm:us-east-1:" + testAccount + ":certificate/1"), EndpointType: types.EndpointTypeRegional}},
	}))
	mapping := check[*apigatewayv2.CreateApiMappingOutput](t)(w.control.CreateApiMapping(ctx, &apigatewayv2.CreateApiMappingInput{
		DomainName: domain, ApiId: &api, Stage: aws.String("dev"),
	})).ApiMappingId
	for range 10 {
		all = append(all, w.connect(api, "/", "Host: "+*domain))
	}
	longer(all)
	idsOf(t, all)
	check[*apigatewayv2.UpdateApiMappingOutput](t)(w.control.UpdateApiMapping(ctx, &apigatewayv2.UpdateApiMappingInput{
		DomainName: domain, ApiMappingId: mapping, ApiId: &next, Stage: aws.String("dev"),
	}))
	idsOf(t, all)
	check[*apigatewayv2.DeleteDomainNameOutput](t)(w.control.DeleteDomainName(ctx, &apigatewayv2.DeleteDomainNameInput{DomainName: domain}))
	idsOf(t, all)
	return all
}

// TestSocketDeployedWhileConnecting: a connection whose handshake began under one deployment
// ends under the last one that was served, also if it was the first of its stage and the
// stage goes next.
func TestSocketDeployedWhileConnecting(t *testing.T) {
	t.Parallel()
	arrived, admit := make(chan bool), make(chan bool)
	connects := func(context.Context, []byte) ([]byte, error) {
		arrived <- true
		<-admit
		return []byte(`{"statusCode":200}`), nil
	}
	before, after := newFarewell(), newFarewell()
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"connects": {Invoke: connects}, "before": {Invoke: before.invoke}, "after": {Invoke: after.invoke}}})
	ctx := t.Context()
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("connects"), "$disconnect": lambdaRoute("before"), "id": says("$context.connectionId")}})
	connected := make(chan *socket, 1)
	nc := w.dial()
	go func() {
		connected <- talk(t, nc, "GET /dev HTTP/1.1\r\nHost: "+host(api)+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+socketKey+"\r\n\r\n")
	}()
	<-arrived
	for _, i := range check[*apigatewayv2.GetIntegrationsOutput](t)(w.control.GetIntegrations(ctx, &apigatewayv2.GetIntegrationsInput{ApiId: &api})).Items {
		if aws.ToString(i.IntegrationUri) == *functionURI("before") {
			check[*apigatewayv2.UpdateIntegrationOutput](t)(w.control.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{ApiId: &api, IntegrationId: i.IntegrationId, IntegrationUri: functionURI("after")}))
		}
	}
	check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &api, StageName: aws.String("dev")}))
	admit <- true
	s := <-connected
	ids := idsOf(t, []*socket{s})
	check[*apigatewayv2.DeleteStageOutput](t)(w.control.DeleteStage(ctx, &apigatewayv2.DeleteStageInput{ApiId: &api, StageName: aws.String("dev")}))
	goneAway(t, []*socket{s})
	if err := w.server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	before.check(t, nil)
	after.check(t, ids)
}

// TestSocketShutdownWhileConnecting: a backend that has let a client in hears of the end of
// the connection before the server is down, though the client may never have been there.
func TestSocketShutdownWhileConnecting(t *testing.T) {
	t.Parallel()
	arrived, admit := make(chan bool), make(chan bool)
	connects := func(context.Context, []byte) ([]byte, error) {
		arrived <- true
		<-admit
		return []byte(`{"statusCode":200}`), nil
	}
	bye := newFarewell()
	w := newWorld(t, penstock.Config{Functions: map[string]penstock.Function{"connects": {Invoke: connects}, "bye": {Invoke: bye.invoke}}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("connects"), "$disconnect": lambdaRoute("bye")}})
	const n = 5
	for range n {
		nc := w.dial()
		head := "GET /dev HTTP/1.1\r\nHost: " + host(api) + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + socketKey + "\r\n\r\n"
		if _, err := nc.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		go func() { // as a client that goes when it is told to
			io.Copy(io.Discard, nc)
			nc.Close()
		}()
		<-arrived
	}
	down := make(chan error, 1)
	go func() { down <- w.server.Shutdown(context.Background()) }()
	for range n - 1 {
		admit <- true
	}
	// The listener is closed once connections are being ended.
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		nc, err := net.Dial("tcp", w.server.Addr().String())
		if err != nil {
			break
		}
		nc.Close()
		if time.Now().After(deadline) {
			t.Fatal("the server still listens")
		}
	}
	admit <- true
	if err := <-down; err != nil {
		t.Error(err)
	}
	if got := bye.count(); got != n {
		t.Errorf("%d ends of %d connections were told", got, n)
	}
}
