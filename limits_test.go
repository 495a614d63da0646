package penstock_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// All APIs share what the account takes.
func TestAccountLimit(t *testing.T) {
	t.Parallel()
	statuses := func(rate float64, burst int) string {
		c := penstock.Config{}
		c.Limits.AccountRate, c.Limits.AccountBurst = rate, burst
		w := newWorld(t, c)
		one, two := w.api(apiSpec{routes: to("GET /a")}), w.api(apiSpec{routes: to("GET /a")})
		var all []string
		for _, api := range []string{one, two, one, two} {
			a := w.ask(api, "GET /a")
			all = append(all, fmt.Sprint(a.StatusCode))
			if a.StatusCode != 429 {
				continue
			}
			if r, _ := w.explain(a); a.body != `{"message":"Too Many Requests"}` || r.Throttle != "refused by the bucket of the account" {
				t.Errorf("%s, %s", a.body, r.Throttle)
			}
		}
		return strings.Join(all, " ")
	}
	for _, tt := range []struct {
		rate  float64
		burst int
		want  string
	}{
		{0.001, 2, "200 200 429 429"},
		{0.001, 1, "200 429 429 429"},
		{-1, 1, "200 200 200 200"},
		{0, 0, "200 200 200 200"}, // the defaults
	} {
		if got := statuses(tt.rate, tt.burst); got != tt.want {
			t.Errorf("%v a second, %d at once: %s, want %s", tt.rate, tt.burst, got, tt.want)
		}
	}
}

// What a limit cannot be is told with its key.
func TestLimitErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		edit func(*penstock.Limits)
		want string
	}{
		{func(l *penstock.Limits) { l.AccountRate = -2 }, "limits.accountRate: -2 is out of range: want a number per second, or -1 for no limit"},
		{func(l *penstock.Limits) { l.AccountRate = 1e10 }, "limits.accountRate: 1e+10 is out of range"},
		{func(l *penstock.Limits) { l.AccountBurst = -1 }, "limits.accountBurst: -1 is out of range: want 1 to "},
		{func(l *penstock.Limits) { l.ControlPlaneRate = -1 }, "limits.controlPlaneRate: -1 is out of range: want a number per second, or 0 for no limit"},
		{func(l *penstock.Limits) { l.HandshakeTimeout = 1 }, "limits.handshakeTimeout: 1ns is too short"},
		{func(l *penstock.Limits) { l.Streams = -1 }, "limits.streams: -1 is out of range"},
	} {
		c := quiet
		tt.edit(&c.Limits)
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("opened, want %s", tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %q, want %q", err, tt.want)
		}
	}
}

// Routes of HTTP APIs check bodies if the extension is on. If not, there are no models
// to check by.
func TestRequestModels(t *testing.T) {
	t.Parallel()
	model := &apigatewayv2.CreateModelInput{Name: aws.String("Pet"), ContentType: aws.String("application/json"),
		Schema: aws.String(`{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}`)}
	w := newWorld(t, penstock.Config{})
	model.ApiId = aws.String(w.api(apiSpec{routes: to("POST /a")}))
	if _, err := w.control.CreateModel(t.Context(), model); code(t, err) != "BadRequestException" {
		t.Errorf("without the extension: %v", err)
	}
	_, err := w.control.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{ApiId: model.ApiId, RouteKey: aws.String("POST /b"), RequestModels: map[string]string{"$default": "Pet"}})
	if code(t, err) != "BadRequestException" {
		t.Errorf("without the extension: %v", err)
	}

	w = newWorld(t, penstock.Config{Extensions: penstock.Extensions{RequestModels: true}})
	api := w.api(apiSpec{routes: to("POST /a"), stages: []string{}})
	model.ApiId = &api
	check[*apigatewayv2.CreateModelOutput](t)(w.control.CreateModel(t.Context(), model))
	routes := check[*apigatewayv2.GetRoutesOutput](t)(w.control.GetRoutes(t.Context(), &apigatewayv2.GetRoutesInput{ApiId: &api}))
	check[*apigatewayv2.UpdateRouteOutput](t)(w.control.UpdateRoute(t.Context(), &apigatewayv2.UpdateRouteInput{
		ApiId: &api, RouteId: routes.Items[0].RouteId, RequestModels: map[string]string{"application/json": "Pet"},
	}))
	check[*apigatewayv2.CreateStageOutput](t)(w.control.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{
		ApiId: &api, StageName: aws.String("$default"), AutoDeploy: aws.Bool(true), DefaultRouteSettings: &types.RouteSettings{},
	}))
	for _, tt := range []struct {
		media, body string
		want        int
	}{
		{"application/json", `{"name":"Ada"}`, 200},
		{"application/json; charset=utf-8", `{"name":"Ada","more":1}`, 200},
		{"application/json", `{"name":7}`, 400},
		{"application/json", `{}`, 400},
		{"application/json", `no JSON`, 400},
		{"text/plain", `{"name":"Ada"}`, 415},
	} {
		w.take()
		got := w.ask(api, "POST /a", "Content-Type: "+tt.media, "", tt.body)
		if seen := w.take(); got.StatusCode != tt.want || (seen != nil) != (tt.want == 200) {
			t.Errorf("%s %s: status %d %s, want %d", tt.media, tt.body, got.StatusCode, got.body, tt.want)
		}
		if tt.want == 400 && got.body != `{"message":"Invalid request body"}` {
			t.Errorf("%s: %s", tt.body, got.body)
		}
	}
}
