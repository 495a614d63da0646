package model

import (
	"bytes"
	"testing"
	"time"
)

func TestAPIDocumentRoundTrip(t *testing.T) {
	d := NewAPIDocument(API{APIID: ptr("a1"), Tags: map[string]string{}})
	d.Integrations["i1"] = &Integration{IntegrationID: ptr("i1"), RequestTemplates: map[string]string{"a": ""}}
	d.Routes["r1"] = &Route{RouteID: ptr("r1"), AuthorizationScopes: []string{}}
	d.Stages["$default"] = &Stage{StageName: ptr("$default"), CreatedDate: ptr(time.Unix(1, 0).UTC())}
	data, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("Responses")) {
		t.Errorf("empty responses are stored: %s", data)
	}
	read, err := ParseAPI(data)
	if err != nil {
		t.Fatal(err)
	}
	if read.IntegrationResponses["i1"] == nil || read.RouteResponses["r1"] == nil || read.Models == nil {
		t.Errorf("a map is missing: %+v", read)
	}
	if read.API.Tags == nil || read.Routes["r1"].AuthorizationScopes == nil {
		t.Error("an empty member that was present is absent")
	}
	read.IntegrationResponses["i1"]["x"] = &IntegrationResponse{IntegrationResponseID: ptr("x")}
	again, _ := read.Encode()
	if read, err = ParseAPI(again); err != nil || read.IntegrationResponses["i1"]["x"] == nil {
		t.Errorf("the response is lost: %v", err)
	}
	copied := DeploymentDocument{Deployment: Deployment{DeploymentID: ptr("d1")}, API: read.API, Resources: read.Resources}
	data, _ = copied.Encode()
	deployed, err := ParseDeployment(data)
	if err != nil || *deployed.Deployment.DeploymentID != "d1" || deployed.Routes["r1"] == nil {
		t.Errorf("got %+v, %v", deployed, err)
	}
	if _, err := ParseAPI([]byte(`{"api":`)); err == nil {
		t.Error("half a document was read")
	}
}

func TestKeys(t *testing.T) {
	if got := APIKey("a1"); got != "api.a1" {
		t.Error(got)
	}
	key := DeploymentKey("a1", "d1")
	if key != "deployment.a1.d1" {
		t.Error(key)
	}
	api, deployment, ok := SplitDeploymentKey(key)
	if api != "a1" || deployment != "d1" || !ok {
		t.Error(api, deployment, ok)
	}
	for _, key := range []string{"api.a1", "deployment.a1"} {
		if _, _, ok := SplitDeploymentKey(key); ok {
			t.Errorf("%s is no key of a deployment", key)
		}
	}
}
