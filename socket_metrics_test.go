package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// The series of WebSocket APIs, by short names.
var socketSeries = map[string]string{
	"connect": "aws_apigateway_connect_count_total", "message": "aws_apigateway_message_count_total",
	"integration": "aws_apigateway_integration_error_total", "client": "aws_apigateway_client_error_total",
	"execution": "aws_apigateway_execution_error_total", "latency": "aws_apigateway_websocket_integration_latency_milliseconds_count",
}

// scrape returns the text of all metrics.
func (w *world) scrape() string {
	w.t.Helper()
	resp, err := http.Get(w.server.AdminURL() + "/metrics")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// counts returns what is not zero of the series of a stage, or of one route.
func (w *world) counts(api, stage, route string) map[string]int {
	w.t.Helper()
	got, text := map[string]int{}, w.scrape()
	for short, name := range socketSeries {
		_, rest, ok := strings.Cut(text, fmt.Sprintf("\n%s{ApiId=%q,Route=%q,Stage=%q} ", name, api, route, stage))
		if !ok {
			continue
		}
		value, _, _ := strings.Cut(rest, "\n")
		n, err := strconv.Atoi(value)
		if err != nil {
			w.t.Fatal(err)
		}
		if n != 0 {
			got[short] = n
		}
	}
	return got
}

// counted waits until exactly that has been counted.
func (w *world) counted(what, api, route string, want map[string]int) {
	w.t.Helper()
	var got map[string]int
	defer func() {
		if w.t.Failed() {
			w.t.Logf("%s: counted %v, want %v", what, got, want)
		}
	}()
	w.until(what, func() bool { got = w.counts(api, "dev", route); return maps.Equal(got, want) })
}

// TestSocketMetrics counts what every way that an event can go adds to the metrics.
func TestSocketMetrics(t *testing.T) {
	t.Parallel()
	fn := newFunction(func(ctx context.Context, event string) (string, error) {
		for word, answer := range map[string]string{"fails5": `{"statusCode":500}`, "fails4": `{"statusCode":404}`, "moved": `{"statusCode":301}`, "malformed": `"x"`, "long": `{"statusCode":200,"body":"` + strings.Repeat("x", 128<<10+1) + `"}`} {
			if strings.Contains(event, word) {
				return answer, nil
			}
		}
		switch {
		case strings.Contains(event, "throws"):
			return "", errors.New("it was thrown")
		case strings.Contains(event, "sleeps"):
			<-ctx.Done()
			return "", ctx.Err()
		}
		return `{"statusCode":200,"body":"pong"}`, nil
	})
	auth := deciding(func(arn, _ string) (string, error) { return verdict("", "Deny", arn), nil })
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn, "auth": auth})})
	slow := lambdaRoute("fn")
	slow.integration.TimeoutInMillis = aws.Int32(50)
	custom := func(responses ...*apigatewayv2.CreateIntegrationResponseInput) socketRoute {
		r := lambdaRoute("fn")
		r.integration.IntegrationType, r.responses = types.IntegrationTypeAws, responses
		return r
	}
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{
			"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "one": lambdaRoute("fn"), "two": two(lambdaRoute("fn")), "slow": slow,
			"http": proxyRoute("/", nil), "http5": proxyRoute("/status/500", nil), "http4": two(proxyRoute("/status/404", nil)),
			"none": lambdaRoute("none"), "away": proxyRoute("http://127.0.0.1:1/", nil), "nothing": {},
			"mock": two(mockRoute(template(`{"statusCode":200}`), response("$default", template("ok")))), "mock5": two(mockRoute(template(`{"statusCode":500}`), response("$default", template("ok")))),
			"broken": mockRoute(template(`#if(`), response("$default", nil)), "aws": custom(response("$default", nil)), "unmatched": custom(response("/none/", nil)),
			"media": func() socketRoute {
				r := mockRoute(nil)
				r.integration.PassthroughBehavior = types.PassthroughBehaviorNever
				return r
			}(),
			"strict":   modelled(lambdaRoute("fn"), `\$default`, map[string]string{"$default": "Named"}),
			"throttle": lambdaRoute("fn"),
		},
		models: map[string]string{"Named": `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","required":["name"]}`},
		route:  map[string]types.RouteSettings{"throttle": {ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}},
	})
	total := map[string]int{}
	add := func(what, api string, total map[string]int, more string) {
		t.Helper()
		for part := range strings.FieldsSeq(more) {
			name, n, _ := strings.Cut(part, "=")
			count, err := strconv.Atoi(n)
			if err != nil || socketSeries[name] == "" {
				t.Fatal(more)
			}
			total[name] += count
		}
		w.counted(what, api, "", total)
	}
	s := w.connect(api, "/dev")
	id, _ := at(fn.wait(t), "requestContext.connectionId").(string)
	add("connect", api, total, "connect=1 latency=1")
	for _, v := range []struct {
		action, word string
		answer       bool // the client gets a message
		want         string
	}{
		{"one", "", false, "message=1 latency=1"},
		{"two", "", true, "message=2 latency=1"},
		{"one", "fails5", false, "message=1 latency=1 integration=1"},
		{"one", "fails4", false, "message=1 latency=1 integration=1"},
		{"two", "fails5", true, "message=2 latency=1 integration=1"},
		{"one", "throws", true, "message=2 latency=1 integration=1"},
		{"two", "throws", true, "message=2 latency=1 integration=1"},
		{"one", "malformed", true, "message=2 latency=1 execution=1"},
		{"two", "long", true, "message=2 latency=1 execution=1"},
		{"slow", "sleeps", true, "message=2 latency=1 execution=1"},
		{"none", "", true, "message=2 latency=1 execution=1"},
		{"away", "", true, "message=2 latency=1 execution=1"},
		{"http", "", false, "message=1 latency=1"},
		{"http5", "", false, "message=1 latency=1 integration=1"},
		{"http4", "", true, "message=2 latency=1 integration=1"},
		{"aws", "", false, "message=1 latency=1"},
		{"aws", "throws", false, "message=1 latency=1 integration=1"},
		{"unmatched", "", true, "message=2 latency=1 execution=1"},
		{"mock", "", true, "message=2"},
		{"mock5", "", true, "message=2 integration=1"},
		{"broken", "", true, "message=2 execution=1"},
		{"media", "", true, "message=2 client=1"},
		{"nothing", "", false, "message=1"},
		{"strict", "", true, "message=2 client=1"},
		{"throttle", "", true, "message=2 client=1"},
		{"nope", "", true, "message=2 client=1"},
	} {
		s.send(fmt.Sprintf(`{"action":%q,"word":%q}`, v.action, v.word))
		if v.answer {
			s.next()
		}
		add("message "+v.action+" "+v.word, api, total, v.want)
	}
	for _, request := range []string{"POST /dev/@connections/" + id, "GET /dev/@connections/" + id, "PUT /dev/@groups/g/" + id, "POST /dev/@groups/g"} {
		w.management(api, request, "hi", somebody)
		if strings.HasPrefix(request, "POST") {
			s.next()
			total["message"]++
		}
		add(request, api, total, "")
	}
	for _, name := range []string{"penstock_websocket_connections 1\n", "penstock_websocket_groups 1\n", "# HELP aws_apigateway_connect_count_total ConnectCount"} {
		if text := w.scrape(); !strings.Contains(text, name) {
			t.Errorf("there is no %q among the metrics", name)
		}
	}
	s.frame(0x80|opPing, "p")
	s.read()
	s.close(1000, "")
	add("disconnect", api, total, "latency=1")
	w.until("connections and groups have gone", func() bool {
		text := w.scrape()
		return strings.Contains(text, "penstock_websocket_connections 0\n") && strings.Contains(text, "penstock_websocket_groups 0\n")
	})

	// Handshakes that are refused.
	for _, v := range []struct {
		query string
		want  string
	}{
		{"?fails5", "connect=1 latency=1 integration=1"}, {"?fails4", "connect=1 latency=1 integration=1"}, {"?moved", "connect=1 latency=1"},
		{"?throws", "connect=1 latency=1 integration=1"}, {"?malformed", "connect=1 latency=1 execution=1"},
	} {
		w.handshake(api, "/dev"+v.query)
		add("handshake "+v.query, api, total, v.want)
	}
	for _, v := range []struct {
		name string
		spec socketSpec
		want string
	}{
		{"authorizer", socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}, authorizer: asking()}, "client=1"},
		{"signature", socketSpec{routes: map[string]socketRoute{"$connect": signed(lambdaRoute("fn"))}}, "client=1"},
		{"API key", socketSpec{routes: map[string]socketRoute{"$connect": keyed(lambdaRoute("fn"))}}, "client=1"},
		{"throttle", socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}, settings: &types.RouteSettings{ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}}, "client=1"},
		{"no function", socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("none")}}, "connect=1 latency=1 execution=1"},
		{"mock that refuses", socketSpec{routes: map[string]socketRoute{"$connect": mockRoute(template(`{"statusCode":403}`), response("$default", nil))}}, "connect=1 integration=1"},
		{"HTTP that refuses", socketSpec{routes: map[string]socketRoute{"$connect": proxyRoute("/status/404", nil)}}, "connect=1 latency=1 integration=1"},
	} {
		api := w.sockets(v.spec)
		if got := w.handshake(api, "/dev").shake.StatusCode; got < 400 {
			t.Errorf("%s: status %d", v.name, got)
		}
		add(v.name, api, map[string]int{}, v.want)
	}
}

// TestSocketMetricsOfRoutes: routes have series of their own if their settings say so, and
// then the stage has what is left.
func TestSocketMetricsOfRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": answering(`{"statusCode":200,"body":"x"}`)})})
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "a": two(lambdaRoute("fn")), "b": two(lambdaRoute("fn"))},
		route:  map[string]types.RouteSettings{"a": {DetailedMetricsEnabled: aws.Bool(true)}},
	})
	s := w.connect(api, "/dev")
	say := func(action string) {
		s.send(`{"action":"` + action + `"}`)
		s.next()
	}
	say("a")
	say("b")
	say("none")
	w.counted("route a", api, "a", map[string]int{"message": 2, "latency": 1})
	w.counted("the others", api, "", map[string]int{"connect": 1, "message": 4, "latency": 2, "client": 1})
	// It counts at once, and nothing of before is lost.
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), RouteSettings: map[string]types.RouteSettings{
		"a": {DetailedMetricsEnabled: aws.Bool(false)}, "b": {DetailedMetricsEnabled: aws.Bool(true)}}})
	say("a")
	say("b")
	w.counted("route a", api, "a", map[string]int{"message": 2, "latency": 1})
	w.counted("route b", api, "b", map[string]int{"message": 2, "latency": 1})
	w.counted("the others", api, "", map[string]int{"connect": 1, "message": 6, "latency": 3, "client": 1})
}

// TestSocketMetricsOfDeletedStages: the series of a stage go with it, though its connections
// end later, and those of its successor with the same name count from the beginning.
func TestSocketMetricsOfDeletedStages(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	fn := newFunction(func(ctx context.Context, event string) (string, error) {
		if strings.Contains(event, `"DISCONNECT"`) {
			select {
			case <-held:
			case <-ctx.Done():
			}
		}
		return `{"statusCode":200,"body":"x"}`, nil
	})
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	spec := socketSpec{
		routes:   map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn"), "a": two(lambdaRoute("fn"))},
		settings: &types.RouteSettings{DetailedMetricsEnabled: aws.Bool(true)}, stages: []string{"dev", "prod"},
	}
	api := w.sockets(spec)
	ends := 0
	for round := range 2 {
		s := w.connect(api, "/dev")
		s.send(`{"action":"a"}`)
		s.next()
		w.counted("$connect", api, "$connect", map[string]int{"connect": 1, "latency": 1})
		w.counted("a", api, "a", map[string]int{"message": 2, "latency": 1})
		stage := check[*apigatewayv2.GetStageOutput](t)(w.control.GetStage(t.Context(), &apigatewayv2.GetStageInput{ApiId: &api, StageName: aws.String("dev")}))
		check[*apigatewayv2.DeleteStageOutput](t)(w.control.DeleteStage(t.Context(), &apigatewayv2.DeleteStageInput{ApiId: &api, StageName: aws.String("dev")}))
		if code, reason := s.closed(); code != 1001 || reason != "Going away" {
			t.Errorf("the connection was closed with %d %q", code, reason)
		}
		held <- struct{}{} // the event has come, when the stage has gone
		ends++
		w.until("the end was told", func() bool {
			resp, err := http.Get(w.server.AdminURL() + "/_penstock/requests?last=100")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var list struct{ Items []struct{ Method string } }
			if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
				t.Fatal(err)
			}
			list.Items = slices.DeleteFunc(list.Items, func(r struct{ Method string }) bool { return r.Method != "DISCONNECT" })
			return len(list.Items) == ends
		})
		for line := range strings.Lines(w.scrape()) {
			if strings.Contains(line, `ApiId="`+api+`"`) && strings.Contains(line, `Stage="dev"`) {
				t.Errorf("round %d: there is %s", round, line)
			}
		}
		check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{
			ApiId: &api, StageName: aws.String("dev"), DeploymentId: stage.DeploymentId, DefaultRouteSettings: spec.settings}))
	}
}

// TestSettingsOfOpenConnections: what a stage is set to counts for the connections that are
// open: throttling and variables.
func TestSettingsOfOpenConnections(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200,"body":"x"}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api := w.sockets(socketSpec{
		routes: map[string]socketRoute{"send": two(lambdaRoute("fn")), "other": two(lambdaRoute("fn")), "http": two(proxyRoute("/${stageVariables.v}", nil)),
			"mock": two(mockRoute(template(`{"statusCode":200}`), response("$default", template("[$stageVariables.v]"))))},
		variables: map[string]string{"v": "one"},
	})
	s := w.connect(api, "/dev")
	sees := func(want string) {
		t.Helper()
		s.send(`{"action":"send"}`)
		if got := s.next(); got != "x" {
			t.Errorf("got %q", got)
		}
		if got := at(fn.take()[0], "stageVariables.v"); got != want {
			t.Errorf("the event has the variable %v, want %s", got, want)
		}
		s.send(`{"action":"mock"}`)
		if got := s.next(); got != "["+want+"]" {
			t.Errorf("the template gave %q, want %s", got, want)
		}
		s.send(`{"action":"http"}`)
		s.next()
		if got := w.take().URL.Path; got != "/"+want {
			t.Errorf("the backend saw %q, want %s", got, want)
		}
	}
	sees("one")
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), StageVariables: map[string]string{"v": "two"}})
	sees("two")

	limit := func(rate float64, burst int32) types.RouteSettings {
		return types.RouteSettings{ThrottlingRateLimit: &rate, ThrottlingBurstLimit: &burst}
	}
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), RouteSettings: map[string]types.RouteSettings{"send": limit(0, 0)}})
	s.send(`{"action":"send"}`)
	s.failed("Too Many Requests")
	s.send(`{"action":"other"}`)
	if got := s.next(); got != "x" {
		t.Errorf("a route without a throttle got %q", got)
	}
	if n := len(fn.take()); n != 1 {
		t.Errorf("the function saw %d events, want 1", n)
	}
	w.update(&apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), RouteSettings: map[string]types.RouteSettings{"send": limit(1000, 1000)}})
	sees("two")
}
