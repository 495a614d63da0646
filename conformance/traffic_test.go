//go:build conformance

package conformance

import (
	"net/http"
	"os/exec"
	"strings"
)

var (
	requestID = re(`^[A-Za-z0-9_-]{15}=$`)
	traceID   = re(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}`)
)

// endpoints returns the two addresses of an API: the one it says, and the one
// for clients that cannot set a host.
func (s *story) endpoints(api string) []string {
	s.Helper()
	endpoint := s.ok("GetApi", object{"ApiId": api}, nil)["ApiEndpoint"].(string)
	return []string{endpoint, s.server.listen + "/_aws/execute-api/" + api}
}

// traffic goes through a named stage to an upstream, which sees what the client
// sent and who carried it; and back.
func traffic(s *story) {
	api := s.newAPI("traffic")
	at := object{"ApiId": api}
	up := record(s.T, http.StatusCreated, "grüße")
	s.ok("CreateStage", with(at, object{"StageName": "live", "AutoDeploy": true}), nil)
	s.ok("CreateRoute", with(at, object{"RouteKey": "ANY /shop/{proxy+}", "Target": s.proxy(at, up.URL+"/base/{proxy}?from=uri")}), nil)
	for _, endpoint := range s.endpoints(api) {
		host := strings.Split(endpoint, "/")[2]
		answer := s.fetch(request{
			Method: "POST", URL: endpoint + "/live/shop/a%20b/c?x=1&x=2&y=%2F+z&empty=", Body: `{"pet":"Ünicorn"}`,
			Headers: map[string]string{
				"Content-Type": "application/json", "User-Agent": "story/1.0", "Cookie": "c=1; d=2", "Authorization": "Bearer t",
				"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "elsewhere.example.com",
			},
		})

		s.want("status", http.StatusCreated, answer.Status)
		s.want("body", "grüße", answer.Body)
		s.want("cookies", []string{"a=1", "b=2; Path=/"}, answer.values("Set-Cookie"))
		s.want("upstream's header", []string{"recorder"}, answer.values("X-Upstream"))
		s.want("content type", []string{"text/plain"}, answer.values("Content-Type"))
		s.want("request id", requestID, strings.Join(answer.values("apigw-requestid"), " and "))

		got := up.take(s)
		s.want("method", "POST", got.method)
		s.want("target", "/base/a%20b/c?from=uri&x=1&x=2&y=%2F+z&empty=", got.target)
		s.want("host", up.host(), got.host)
		s.want("body", `{"pet":"Ünicorn"}`, got.body)
		for name, value := range map[string]any{
			"Content-Type": "application/json", "User-Agent": "story/1.0", "Cookie": "c=1; d=2", "Authorization": "Bearer t",
			"Content-Length":  "18",
			"Via":             "HTTP/1.1 AmazonAPIGateway",
			"X-Amzn-Trace-Id": traceID,
			"Forwarded":       re(`for="?198\.51\.100\.7"?.*by=[^;]+;for=127\.0\.0\.1;host="?` + host + `"?;proto=http$`),
		} {
			s.want("upstream's "+name, value, strings.Join(got.header.Values(name), " and "))
		}
		for name := range got.header {
			if strings.HasPrefix(name, "X-Forwarded-") {
				s.Errorf("upstream got %s: %q", name, got.header[name])
			}
		}

		missing := s.fetch(request{Method: "GET", URL: endpoint + "/live/nothing"})
		s.want("no route", response{Status: http.StatusNotFound, Body: `{"message":"Not Found"}`}, response{Status: missing.Status, Body: missing.Body})
		s.want("no route's request id", requestID, strings.Join(missing.values("apigw-requestid"), " and "))
	}
}

// deployedTraffic follows the stage: its variables, the deployment it points at
// and the configuration that was deployed.
func deployedTraffic(s *story) {
	api := s.newAPI("deployed traffic")
	at := object{"ApiId": api}
	up := record(s.T, http.StatusOK, "Ada")
	integration := s.ok("CreateIntegration", with(at, object{
		"IntegrationType": "HTTP_PROXY", "IntegrationMethod": "PUT", "IntegrationUri": up.URL + "/${stageVariables.version}/{id}",
	}), nil)["IntegrationId"].(string)
	s.ok("CreateRoute", with(at, object{"RouteKey": "GET /pets/{id}", "Target": "integrations/" + integration}), nil)
	first := s.ok("CreateDeployment", at, nil)["DeploymentId"].(string)
	s.ok("CreateStage", with(at, object{"StageName": "$default", "DeploymentId": first, "StageVariables": object{"version": "v1"}}), nil)

	endpoint := s.endpoints(api)[0]
	ask := request{Method: "GET", URL: endpoint + "/pets/7"}
	answer := s.fetch(ask)
	s.want("status", http.StatusOK, answer.Status)
	s.want("body", "Ada", answer.Body)
	got := up.take(s)
	s.want("request", "PUT /v1/7", got.method+" "+got.target)
	s.want("empty body's length", []string{"0"}, got.header.Values("Content-Length"))

	// The stage serves what was deployed, until it points elsewhere.
	s.ok("UpdateIntegration", with(at, object{"IntegrationId": integration, "IntegrationMethod": "PATCH"}), nil)
	s.fetch(ask)
	s.want("before deployment", "PUT", up.take(s).method)
	s.ok("CreateDeployment", with(at, object{"StageName": "$default"}), nil)
	s.fetch(ask)
	s.want("after deployment", "PATCH", up.take(s).method)
	s.ok("UpdateStage", with(at, object{"StageName": "$default", "DeploymentId": first, "StageVariables": object{"version": "v2"}}), nil)
	s.fetch(ask)
	got = up.take(s)
	s.want("after going back", "PUT /v2/7", got.method+" "+got.target)
	s.ok("UpdateApi", with(at, object{"DisableExecuteApiEndpoint": true}), nil)
	s.ok("CreateDeployment", with(at, object{"StageName": "$default"}), nil)
	s.want("disabled endpoint", http.StatusNotFound, s.fetch(ask).Status)
}

// shell is the AWS CLI as it is typed, with its own ways to write structures.
func shell(s *story) {
	up := record(s.T, http.StatusOK, "Ada")
	cmd := exec.CommandContext(s.Context(), "./shell.sh", s.server.admin, up.URL)
	cmd.Env = tester.environment()
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "Ada" {
		s.Fatalf("shell.sh: %v\nwant Ada, got %s", err, out)
	}
	got := up.take(s)
	s.want("target", "GET /pets/7", got.method+" "+got.target)
}
