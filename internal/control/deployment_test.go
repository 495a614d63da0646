package control

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"penstock/internal/model"
)

func TestDeployment(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	route := s.route(api, "GET /a", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"v1"}`)
	got := s.call(201, "POST", api+"/deployments", `{"description":"first","stageName":"v1"}`)
	deployment := id(got, "deploymentId")
	if !isID(deployment) || len(deployment) != 6 {
		t.Errorf("ID %q", deployment)
	}
	path := api + "/deployments/" + deployment
	if want := `{"autoDeployed":false,"createdDate":"2025-01-02T03:04:05.678Z","deploymentId":"` + deployment + `","deploymentStatus":"DEPLOYED","description":"first"}`; text(got) != want {
		t.Errorf("got %s, want %s", text(got), want)
	}
	if read := s.call(200, "GET", path, ""); text(read) != text(got) {
		t.Errorf("read %s, created %s", text(read), text(got))
	}
	s.shows(s.call(200, "GET", api+"/stages/v1", ""), `{"deploymentId":"`+deployment+`"}`)

	// The copy stays as it is.
	s.call(200, "PATCH", route, `{"routeKey":"GET /b"}`)
	stored, _ := s.store.Get(model.DeploymentKey(strings.TrimPrefix(api, "/v2/apis/"), deployment))
	copied, err := model.ParseDeployment(stored.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range copied.Routes {
		if *r.RouteKey != "GET /a" {
			t.Errorf("the deployment has the route %s", *r.RouteKey)
		}
	}

	s.shows(s.call(200, "PATCH", path, `{"description":"second"}`), `{"description":"second","autoDeployed":false}`)
	s.shows(s.call(200, "PATCH", path, `{}`), `{"description":"second"}`)
	s.shows(s.call(200, "PATCH", path, `{"description":"","deploymentStatus":"FAILED"}`), `{"description":null,"deploymentStatus":"DEPLOYED"}`)
	stored, _ = s.store.Get(stored.Key)
	if again, err := model.ParseDeployment(stored.Data); err != nil || len(again.Routes) != 1 {
		t.Errorf("the update has changed what was deployed: %v", err)
	}
}

func TestDeploymentMessages(t *testing.T) {
	s := newTester(t)
	http, ws, empty := s.api("HTTP"), s.api("WEBSOCKET"), s.api("HTTP")
	s.route(http, "GET /a", "")
	s.call(201, "POST", http+"/stages", `{"stageName":"v1"}`)
	s.call(201, "POST", http+"/stages", `{"stageName":"auto","autoDeploy":true}`)
	used := id(s.call(201, "POST", http+"/deployments", `{"stageName":"v1"}`), "deploymentId")
	s.refuseAll([]refused{
		{"no routes", 400, "Unable to deploy API because no routes exist in this API", "POST", empty + "/deployments", ""},
		{"no routes of a WebSocket API", 400, "At least one route is required before deploying the Api", "POST", ws + "/deployments", ""},
		{"stage unknown", 404, "Invalid stage identifier specified", "POST", http + "/deployments", `{"stageName":"nope"}`},
		{"stage that deploys itself", 400, "Stage auto is deployed automatically: a deployment cannot be created for it while autoDeploy is enabled", "POST", http + "/deployments", `{"stageName":"auto"}`},
		{"description too long", 400, "Invalid request input: description must have 0 to 1024 characters", "POST", http + "/deployments", `{"description":"` + strings.Repeat("d", 1025) + `"}`},
		{"in use", 400, "Active stages pointing to this deployment must be moved or deleted", "DELETE", http + "/deployments/" + used, ""},
		{"unknown in a get", 404, "Invalid Deployment identifier specified", "GET", http + "/deployments/zzzzzz", ""},
		{"unknown in an update", 404, "Invalid Deployment identifier specified", "PATCH", http + "/deployments/zzzzzz", "{}"},
		{"unknown in a delete", 404, "Invalid Deployment identifier specified", "DELETE", http + "/deployments/zzzzzz", ""},
		{"of another API", 404, "Invalid Deployment identifier specified", "GET", ws + "/deployments/" + used, ""},
		{"of another API in a delete", 404, "Invalid Deployment identifier specified", "DELETE", ws + "/deployments/" + used, ""},
		{"with a dot in the ID", 404, "Invalid Deployment identifier specified", "GET", http + "/deployments/a.b", ""},
		{"for a stage of another API", 404, "Invalid Deployment identifier specified", "POST", ws + "/stages", `{"stageName":"a","deploymentId":"` + used + `"}`},
	})
}

// Consecutive deployments can be told apart by their dates, however fast they
// come and whatever the clock does.
func TestDeploymentDates(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	api := s.api("HTTP")
	s.route(api, "GET /a", "")
	last := ""
	for i := range 12 {
		switch i {
		case 4:
			now = now.Add(-time.Hour)
		case 8:
			now = now.Add(2 * time.Hour)
		}
		created := s.call(201, "POST", api+"/deployments", "")
		date, err := time.Parse(time.RFC3339, id(created, "createdDate"))
		if err != nil {
			t.Fatal(err)
		}
		if shown := date.Format("2006-01-02T15:04:05.000Z"); shown <= last {
			t.Errorf("%s after %s", shown, last)
		} else {
			last = shown
		}
		if i == 5 {
			s.call(204, "DELETE", api+"/deployments/"+id(created, "deploymentId"), "")
		}
	}
	if want := "2025-01-02T04:04:05.681Z"; last != want {
		t.Errorf("the last date is %s, want %s", last, want)
	}
}

// Every kind of change deploys an API with a stage that follows.
func TestAutoDeploy(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	stage := api + "/stages/%24default"
	current := func() string { return id(s.call(200, "GET", stage, ""), "deploymentId") }
	const failed = `{"deploymentId":null,"lastDeploymentStatusMessage":"Deployment attempt failed: Unable to deploy API because no routes exist in this API"}`
	s.shows(s.call(201, "POST", api+"/stages", `{"stageName":"$default","autoDeploy":true}`), failed)

	route := s.route(api, "GET /a", "")
	s.shows(s.call(200, "GET", stage, ""), failed) // a route without a target is nothing to serve

	integration := api + "/integrations/" + s.integration(api)
	s.shows(s.call(200, "GET", stage, ""), failed)

	last := ""
	for _, step := range []struct{ method, path, body string }{
		{"PATCH", route, `{"target":"integrations/` + strings.TrimPrefix(integration, api+"/integrations/") + `"}`},
		{"PATCH", integration, `{"description":"d"}`},
		{"POST", api + "/routes", `{"routeKey":"GET /b"}`},
		{"POST", api + "/integrations", httpProxy},
		{"PATCH", api, `{"corsConfiguration":{"allowOrigins":["*"]}}`},
		{"DELETE", api + "/cors", ``},
		{"PATCH", api, `{"disableExecuteApiEndpoint":true}`},
	} {
		if r := s.do(step.method, step.path, step.body); r.status > 299 {
			t.Fatalf("%v: %s", step, r.body)
		}
		deployment := current()
		if deployment == last || deployment == "" {
			t.Errorf("%s %s %s: the stage stays at %q", step.method, step.path, step.body, last)
		}
		s.shows(s.call(200, "GET", api+"/deployments/"+deployment, ""), `{"autoDeployed":true,"description":"Automatic deployment triggered by changes to the Api configuration"}`)
		s.shows(s.call(200, "GET", stage, ""), `{"lastDeploymentStatusMessage":"Successfully deployed stage with deployment ID '`+deployment+`'"}`)
		last = deployment
	}
	for _, step := range []struct{ method, path, body string }{
		{"PATCH", api, `{"name":"m","description":"d"}`},
		{"PATCH", stage, `{"description":"d","autoDeploy":true}`},
		{"POST", api + "/deployments", ``},
		{"POST", api + "/stages", `{"stageName":"manual"}`},
		{"POST", "/v2/tags/arn:aws:apigateway:us-east-1::" + strings.TrimPrefix(api, "/v2"), `{"tags":{"a":"b"}}`},
	} {
		if r := s.do(step.method, step.path, step.body); r.status > 299 {
			t.Fatalf("%v: %s", step, r.body)
		}
		if deployment := current(); deployment != last {
			t.Errorf("%s %s %s: the stage moved", step.method, step.path, step.body)
		}
	}
	// Without anything to serve, a stage keeps what it has and says so.
	s.call(200, "PATCH", route, `{"target":""}`)
	s.shows(s.call(200, "GET", stage, ""), `{"deploymentId":"`+last+`","lastDeploymentStatusMessage":"Deployment attempt failed: Unable to deploy API because no routes exist in this API"}`)

	// Turning it off keeps the deployment; turning it on deploys.
	s.call(200, "PATCH", route, `{"target":"integrations/`+strings.TrimPrefix(integration, api+"/integrations/")+`"}`)
	last = current()
	s.shows(s.call(200, "PATCH", stage, `{"autoDeploy":false}`), `{"autoDeploy":false,"deploymentId":"`+last+`"}`)
	s.call(200, "PATCH", route, `{"operationName":"o"}`)
	if current() != last {
		t.Error("the stage moved though automatic deployment is off")
	}
	if s.call(200, "PATCH", stage, `{"autoDeploy":true}`); current() == last {
		t.Error("turning automatic deployment on has not deployed")
	}
}

func TestAutoDeployWebSocket(t *testing.T) {
	s := newTester(t)
	api := s.api("WEBSOCKET")
	s.shows(s.call(201, "POST", api+"/stages", `{"stageName":"a","autoDeploy":true}`), `{"lastDeploymentStatusMessage":"Deployment attempt failed: At least one route is required before deploying the Api"}`)
	s.route(api, "$connect", s.integration(api))
	if deployment := id(s.call(200, "GET", api+"/stages/a", ""), "deploymentId"); deployment == "" {
		t.Error("the stage has no deployment")
	}
}

// An API that is edited for years keeps a bounded number of deployments: those in
// use, those made by hand, and the last automatic ones.
func TestAutomaticDeploymentsAreBounded(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.AutomaticDeployments = 3 })
	api := s.api("HTTP")
	route := s.route(api, "GET /a", s.integration(api))
	manual := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
	s.call(201, "POST", api+"/stages", `{"stageName":"auto","autoDeploy":true}`)
	first := id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId")
	s.call(201, "POST", api+"/stages", `{"stageName":"pinned","deploymentId":"`+first+`"}`)
	for i := range 10 {
		s.call(200, "PATCH", route, fmt.Sprintf(`{"operationName":"o%d"}`, i))
	}
	for _, deployment := range []string{manual, first, id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId")} {
		s.call(200, "GET", api+"/deployments/"+deployment, "")
	}
	if n := len(s.list(api + "/deployments?maxResults=500")); n != 1+3 {
		t.Errorf("%d deployments are kept, want 4: one by hand, three automatic", n)
	}
	var last map[string]any
	for _, deployment := range s.list(api + "/deployments?maxResults=500") {
		if other := id(deployment, "deploymentId"); other != manual && other != first && other != id(s.call(200, "GET", api+"/stages/auto", ""), "deploymentId") {
			last = deployment
		}
	}
	s.call(204, "DELETE", api+"/deployments/"+id(last, "deploymentId"), "")
	s.call(200, "PATCH", route, `{"operationName":"last"}`)
	if n := len(s.list(api + "/deployments?maxResults=500")); n != 1+3 {
		t.Errorf("%d deployments are kept after one was deleted, want 4", n)
	}
}
