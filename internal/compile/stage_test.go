package compile

import (
	"testing"

	"penstock/internal/model"
	"penstock/internal/store"
)

// What cannot be served answers 500, the backend hears nothing, and the other
// routes of the stage are served.
func TestFailClosed(t *testing.T) {
	t.Parallel()
	url, calls := backend(t, "backend")
	proxy := model.Integration{IntegrationURI: &url}
	for _, tt := range []struct {
		name  string
		route func(d document) *model.Route
	}{
		{"AWS_PROXY without a function host", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationType: new("AWS_PROXY"), IntegrationURI: new("arn:aws:lambda:us-east-1:000000000000:function:f")})
		}},
		{"VPC_LINK", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationURI: &url, ConnectionType: new("VPC_LINK"), ConnectionID: new("abc")})
		}},
		{"request parameters", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationURI: &url, RequestParameters: map[string]string{"overwrite:header.via": "nobody"}})
		}},
		{"response parameters", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationURI: &url, ResponseParameters: map[string]map[string]string{"200": {"overwrite:header.secret": "$request.path"}}})
		}},
		{"JWT", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.AuthorizationType, r.AuthorizerID = new("JWT"), new("a")
			return r
		}},
		{"CUSTOM", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.AuthorizationType, r.AuthorizerID = new("CUSTOM"), new("a")
			return r
		}},
		{"JWT by a REQUEST authorizer", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.AuthorizationType, r.AuthorizerID = new("JWT"), new("request")
			d.Authorizers["request"] = &model.Authorizer{AuthorizerType: new("REQUEST"), AuthorizerURI: new("arn:aws:lambda:us-east-1:000000000000:function:f")}
			return r
		}},
		{"CUSTOM without a function", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.AuthorizationType, r.AuthorizerID = new("CUSTOM"), new("request")
			d.Authorizers["request"] = &model.Authorizer{AuthorizerType: new("REQUEST"), AuthorizerPayloadFormatVersion: new("2.0"), AuthorizerURI: new("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations")}
			return r
		}},
		{"unknown authorization type", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.AuthorizationType = new("COGNITO")
			return r
		}},
		{"no target", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.Target = nil
			return r
		}},
		{"missing integration", func(d document) *model.Route {
			r := d.route("GET /x", proxy)
			r.Target = new("integrations/gone")
			return r
		}},
		{"undefined stage variable", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationURI: new(url + "/${stageVariables.nope}")})
		}},
		{"unknown path variable", func(d document) *model.Route {
			return d.route("GET /x", model.Integration{IntegrationURI: new(url + "/{id}")})
		}},
		{"no URI", func(d document) *model.Route { return d.route("GET /x", model.Integration{}) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, store.NewMemory())
			d := newDocument("pets")
			tt.route(d)
			d.route("GET /ok", proxy)
			d.stage("$default", "d1", map[string]string{"v": "1"})
			w.commit(d.change(t), d.deployed(t, "d1"))
			before := calls()
			w.expect("pets", "/x", 500, internal)
			if calls() != before {
				t.Error("the backend was called")
			}
			w.expect("pets", "/ok", 200, "backend /")
		})
	}
}

// Compiling reads what a deployment holds, not what stands in the API now.
func TestStage(t *testing.T) {
	t.Parallel()
	d := newDocument("pets")
	d.API.DisableExecuteAPIEndpoint = new(true)
	d.route("ANY /files/{proxy+}", model.Integration{IntegrationURI: new("http://${stageVariables.host}/{proxy}")})
	d.route("$default", model.Integration{IntegrationURI: new("http://127.0.0.1")})
	d.stage("live", "d1", map[string]string{"host": "127.0.0.1:1"})
	s, err := Stage(options(t), "pets", settingsOf(d.Stages["live"], 0), d.deployed(t, "d1").Data)
	if err != nil {
		t.Fatal(err)
	}
	if s.APIID != "pets" || s.Name != "live" || s.DeploymentID != "d1" || !s.EndpointDisabled {
		t.Errorf("got %+v", s)
	}
	if len(s.Routes) != 2 || s.Routes[0].Key != "ANY /files/{proxy+}" || len(s.Routes[0].Vars) != 1 || s.Routes[0].Vars[0] != "proxy" || s.Routes[1].Key != "$default" {
		t.Errorf("got routes %+v", s.Routes)
	}
	for _, data := range []string{"", "{", "[]", `{"routes":{"a":{"routeKey":"GET"}}}`, `{"routes":{"a":{"routeKey":"GET /a"},"b":{"routeKey":"GET /a"}}}`} {
		if _, err := Stage(options(t), "pets", settingsOf(d.Stages["live"], 0), []byte(data)); err == nil {
			t.Errorf("%q compiles", data)
		}
	}
}
