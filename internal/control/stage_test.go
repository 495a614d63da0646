package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	logGroup  = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/apigateway/a"
	logFormat = "$context.identity.sourceIp [$context.requestTime] $context.requestId $context.status."
)

func TestStageMembers(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	s.route(http, "GET /a", s.integration(http))
	deployment := id(s.call(201, "POST", http+"/deployments", ""), "deploymentId")
	const dates = `"createdDate":"2025-01-02T03:04:05Z",`
	for _, tt := range []struct{ name, api, body, want string }{
		{"minimum HTTP", http, `{"stageName":"tf-acc_test-1"}`,
			`{` + dates + `"defaultRouteSettings":{"detailedMetricsEnabled":false},"lastUpdatedDate":"2025-01-02T03:04:05Z","routeSettings":{},"stageName":"tf-acc_test-1","stageVariables":{},"tags":{}}`},
		{"default stage", http, `{"stageName":"$default","autoDeploy":false}`,
			`{"autoDeploy":false,` + dates + `"defaultRouteSettings":{"detailedMetricsEnabled":false},"lastUpdatedDate":"2025-01-02T03:04:05Z","routeSettings":{},"stageName":"$default","stageVariables":{},"tags":{}}`},
		{"everything HTTP", http, `{"stageName":"a","deploymentId":"` + deployment + `","description":"d","defaultRouteSettings":{"throttlingBurstLimit":5,"throttlingRateLimit":1.5},"routeSettings":{"GET /a":{"detailedMetricsEnabled":true},"$default":{"throttlingBurstLimit":0}},"stageVariables":{"a":"http://b-c.d/~e?f#g&h=i,j"},"accessLogSettings":{"destinationArn":"` + logGroup + `:*","format":"` + logFormat + `"},"tags":{"a":"b"}}`,
			`{"accessLogSettings":{"destinationArn":"` + logGroup + `","format":"` + logFormat + `"},` + dates + `"defaultRouteSettings":{"detailedMetricsEnabled":false,"throttlingBurstLimit":5,"throttlingRateLimit":1.5},"deploymentId":"` + deployment + `","description":"d","lastUpdatedDate":"2025-01-02T03:04:05Z","routeSettings":{"$default":{"throttlingBurstLimit":0},"GET /a":{"detailedMetricsEnabled":true}},"stageName":"a","stageVariables":{"a":"http://b-c.d/~e?f#g&h=i,j"},"tags":{"a":"b"}}`},
		{"minimum WebSocket", ws, `{"stageName":"a"}`,
			`{` + dates + `"defaultRouteSettings":{"dataTraceEnabled":false,"detailedMetricsEnabled":false,"loggingLevel":"OFF"},"lastUpdatedDate":"2025-01-02T03:04:05Z","routeSettings":{},"stageName":"a","stageVariables":{},"tags":{}}`},
		{"everything WebSocket", ws, `{"stageName":"b","clientCertificateId":"0123456789","defaultRouteSettings":{"dataTraceEnabled":true,"loggingLevel":"INFO"},"routeSettings":{"$connect":{"loggingLevel":"ERROR"},"$disconnect":{},"$default":{"dataTraceEnabled":true}}}`,
			`{"clientCertificateId":"0123456789",` + dates + `"defaultRouteSettings":{"dataTraceEnabled":true,"detailedMetricsEnabled":false,"loggingLevel":"INFO"},"lastUpdatedDate":"2025-01-02T03:04:05Z","routeSettings":{"$connect":{"loggingLevel":"ERROR"},"$default":{"dataTraceEnabled":true},"$disconnect":{}},"stageName":"b","stageVariables":{},"tags":{}}`},
	} {
		got := s.call(201, "POST", tt.api+"/stages", tt.body)
		if text(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text(got), tt.want)
		}
		if read := s.call(200, "GET", tt.api+"/stages/"+id(got, "stageName"), ""); text(read) != text(got) {
			t.Errorf("%s: read %s, created %s", tt.name, text(read), text(got))
		}
	}
}

func TestStageMessages(t *testing.T) {
	s := newTester(t)
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	stages := http + "/stages"
	s.call(201, "POST", stages, `{"stageName":"old"}`)
	s.call(201, "POST", ws+"/stages", `{"stageName":"old"}`)
	s.call(201, "POST", stages, `{"stageName":"auto","autoDeploy":true}`)
	stage := func(more string) string { return with(`{"stageName":"new"}`, more) }
	log := func(arn, format string) string {
		return `{"accessLogSettings":` + text(map[string]string{"destinationArn": arn, "format": format}) + `}`
	}
	variables := map[string]string{}
	for i := range 101 {
		variables[fmt.Sprintf("v%d", i)] = "x"
	}
	const (
		name      = "Stage name only allows a-zA-Z0-9_"
		execution = "Execution logs are not supported on protocolType HTTP"
		members   = "Access Log value missing. Expected destinationArn and format."
		requestID = "Access Log format must include either $context.requestId or $context.extendedRequestId"
		group     = "Invalid ARN specified in the access log settings: %s. Must be the ARN of a log group: arn:<partition>:logs:<region>:<account>:log-group:<name>"
		variable  = "Invalid value of stage variable a: must be 1 to 512 characters of A-Za-z0-9-._~:/?#&=,"
		auto      = "Deployment ID cannot be set on a stage with autoDeploy enabled"
		line      = "Access Log format must be a single line of at most 3072 bytes"
	)
	s.refuseAll([]refused{
		{"name missing", 400, "Invalid request input: stageName is required", "POST", stages, `{}`},
		{"name empty", 400, name, "POST", stages, `{"stageName":""}`},
		{"name with a dot", 400, name, "POST", stages, `{"stageName":"a.b"}`},
		{"name too long", 400, name, "POST", stages, `{"stageName":"` + strings.Repeat("s", 129) + `"}`},
		{"another name with a dollar", 400, name, "POST", stages, `{"stageName":"$other"}`},
		{"name twice", 409, "Stage already exists", "POST", stages, `{"stageName":"old"}`},
		{"default stage of a WebSocket API", 400, "The $default stage is only supported for HTTP APIs", "POST", ws + "/stages", `{"stageName":"$default"}`},
		{"deployment with automatic deployment", 400, auto, "POST", stages, stage(`{"autoDeploy":true,"deploymentId":"x"}`)},
		{"deployment with automatic deployment in an update", 400, auto, "PATCH", stages + "/auto", `{"deploymentId":"x"}`},
		{"deployment unknown", 404, "Invalid Deployment identifier specified", "POST", stages, stage(`{"deploymentId":"zzzzzz"}`)},
		{"deployment unknown in an update", 404, "Invalid Deployment identifier specified", "PATCH", stages + "/old", `{"deploymentId":"zzzzzz"}`},
		{"deployment cleared", 404, "Invalid Deployment identifier specified", "PATCH", stages + "/old", `{"deploymentId":""}`},
		{"logging level of an HTTP API", 400, execution, "POST", stages, stage(`{"defaultRouteSettings":{"loggingLevel":"INFO"}}`)},
		{"data trace of an HTTP API", 400, execution, "PATCH", stages + "/old", `{"defaultRouteSettings":{"dataTraceEnabled":true}}`},
		{"logging level of a route of an HTTP API", 400, execution, "PATCH", stages + "/old", `{"routeSettings":{"$default":{"loggingLevel":"ERROR"}}}`},
		{"route unknown", 404, "Unable to find Route by key GET /x within the provided RouteSettings", "POST", stages, stage(`{"routeSettings":{"GET /x":{}}}`)},
		{"route unknown in an update", 404, "Unable to find Route by key GET /x within the provided RouteSettings", "PATCH", stages + "/old", `{"routeSettings":{"GET /x":{"throttlingBurstLimit":1}}}`},
		{"connect on an HTTP API", 404, "Unable to find Route by key $connect within the provided RouteSettings", "PATCH", stages + "/old", `{"routeSettings":{"$connect":{}}}`},
		{"burst below zero", 400, "defaultRouteSettings.throttlingBurstLimit must not be negative", "PATCH", stages + "/old", `{"defaultRouteSettings":{"throttlingBurstLimit":-1}}`},
		{"rate below zero", 400, "routeSettings[$default].throttlingRateLimit must not be negative", "PATCH", stages + "/old", `{"routeSettings":{"$default":{"throttlingRateLimit":-0.5}}}`},
		{"variable name", 400, `Invalid stage variable name "a-b": must be 1 to 64 letters, digits and underscores`, "PATCH", stages + "/old", `{"stageVariables":{"a-b":"c"}}`},
		{"variable name too long", 400, `Invalid stage variable name "` + strings.Repeat("a", 65) + `": must be 1 to 64 letters, digits and underscores`, "POST", stages, stage(`{"stageVariables":{"` + strings.Repeat("a", 65) + `":"c"}}`)},
		{"variable value", 400, variable, "PATCH", stages + "/old", `{"stageVariables":{"a":"b c"}}`},
		{"variable value too long", 400, variable, "PATCH", stages + "/old", `{"stageVariables":{"a":"` + strings.Repeat("b", 513) + `"}}`},
		{"variable value empty", 400, variable, "POST", stages, stage(`{"stageVariables":{"a":""}}`)},
		{"too many variables", 400, "A stage must not have more than 100 stage variables", "PATCH", stages + "/old", `{"stageVariables":` + text(variables) + `}`},
		{"access log without a format", 400, members, "PATCH", stages + "/old", `{"accessLogSettings":{"destinationArn":"` + logGroup + `"}}`},
		{"access log without a destination", 400, members, "POST", stages, stage(`{"accessLogSettings":{"format":"$context.requestId"}}`)},
		{"access log without a request ID", 400, requestID, "PATCH", stages + "/old", log(logGroup, "$context.status")},
		{"access log without a request ID, WebSocket", 400, requestID, "PATCH", ws + "/stages/old", log(logGroup, "$context.requestIdentity")},
		{"access log to a delivery stream", 400, fmt.Sprintf(group, "arn:aws:firehose:us-east-1:123456789012:deliverystream/s"), "PATCH", stages + "/old", log("arn:aws:firehose:us-east-1:123456789012:deliverystream/s", logFormat)},
		{"access log with two lines", 400, line, "PATCH", stages + "/old", log(logGroup, "$context.requestId\n$context.status")},
		{"access log too long", 400, line, "PATCH", stages + "/old", log(logGroup, "$context.requestId"+strings.Repeat(".", 3072))},
		{"access log with unknown variables", 400, "Access Log format contains context variables that are not supported: [requestHeader.x, foo]", "PATCH", stages + "/old", log(logGroup, "$context.requestId $context.requestHeader.x $context.foo.")},
		{"client certificate on an HTTP API", 400, "ClientCertificateId is not currently supported for HTTP APIs.", "PATCH", stages + "/old", `{"clientCertificateId":"0123456789"}`},
		{"reserved tag", 400, `Invalid tag key "AWS:x": a key has 1 to 128 characters and does not start with aws:`, "POST", stages, stage(`{"tags":{"AWS:x":"1"}}`)},
		{"unknown in a get", 404, "Invalid stage identifier specified", "GET", stages + "/nope", ""},
		{"unknown in an update", 404, "Invalid stage identifier specified", "PATCH", stages + "/nope", `{}`},
		{"unknown in a delete", 404, "Invalid stage identifier specified", "DELETE", stages + "/nope", ""},
		{"unknown in a delete of access log settings", 404, "Invalid stage identifier specified", "DELETE", stages + "/nope/accesslogsettings", ""},
		{"unknown in a delete of route settings", 404, "Invalid stage identifier specified", "DELETE", stages + "/nope/routesettings/%24default", ""},
		{"route settings that are not there", 404, "Unable to find RouteSettings by key GET /x", "DELETE", stages + "/old/routesettings/GET%20%2Fx", ""},
	})
}

func TestUpdateStage(t *testing.T) {
	now := testTime
	s := newTester(t, func(o *Options) { o.Now = func() time.Time { return now } })
	http, ws := s.api("HTTP"), s.api("WEBSOCKET")
	s.route(http, "GET /a", "")
	log := `{"destinationArn":"` + logGroup + `","format":"$context.requestId"}`
	for i, tt := range []struct{ name, api, create, patch, want string }{
		{"absent keeps", http, `{"description":"d","accessLogSettings":` + log + `}`, `{}`, `{"description":"d","accessLogSettings":` + log + `}`},
		{"dates", http, `{}`, `{}`, `{"createdDate":"2025-01-02T03:04:05Z","lastUpdatedDate":"2025-01-02T04:04:05Z"}`},
		{"variables merge", http, `{"stageVariables":{"a":"1","b":"2"}}`, `{"stageVariables":{"a":"","c":"3"}}`, `{"stageVariables":{"b":"2","c":"3"}}`},
		{"the last variable", http, `{"stageVariables":{"a":"1"}}`, `{"stageVariables":{"a":""}}`, `{"stageVariables":{}}`},
		{"no variables keep", http, `{"stageVariables":{"a":"1"}}`, `{"stageVariables":{}}`, `{"stageVariables":{"a":"1"}}`},
		{"route settings are put by key", http, `{"routeSettings":{"GET /a":{"throttlingBurstLimit":1},"$default":{"throttlingBurstLimit":2}}}`, `{"routeSettings":{"GET /a":{"throttlingRateLimit":3}}}`, `{"routeSettings":{"$default":{"throttlingBurstLimit":2},"GET /a":{"throttlingRateLimit":3}}}`},
		{"default settings are replaced", http, `{"defaultRouteSettings":{"throttlingBurstLimit":1,"detailedMetricsEnabled":true}}`, `{"defaultRouteSettings":{"throttlingRateLimit":2}}`, `{"defaultRouteSettings":{"detailedMetricsEnabled":false,"throttlingRateLimit":2}}`},
		{"default settings are reset", http, `{"defaultRouteSettings":{"throttlingBurstLimit":1}}`, `{"defaultRouteSettings":{}}`, `{"defaultRouteSettings":{"detailedMetricsEnabled":false}}`},
		{"default settings of a WebSocket API are reset", ws, `{"defaultRouteSettings":{"loggingLevel":"INFO"}}`, `{"defaultRouteSettings":{}}`, `{"defaultRouteSettings":{"dataTraceEnabled":false,"detailedMetricsEnabled":false,"loggingLevel":"OFF"}}`},
		{"access log is cleared", http, `{"accessLogSettings":` + log + `}`, `{"accessLogSettings":{}}`, `{"accessLogSettings":null}`},
		{"access log is replaced", http, `{"accessLogSettings":` + log + `}`, `{"accessLogSettings":{"destinationArn":"` + logGroup + `2:*","format":"$context.extendedRequestId"}}`, `{"accessLogSettings":{"destinationArn":"` + logGroup + `2","format":"$context.extendedRequestId"}}`},
		{"strings are cleared", ws, `{"description":"d","clientCertificateId":"c"}`, `{"description":"","clientCertificateId":""}`, `{"description":null,"clientCertificateId":null}`},
		{"members that only a create has", http, `{"tags":{"a":"b"}}`, `{"tags":{"c":"d"},"stageName":"other"}`, `{"tags":{"a":"b"}}`},
	} {
		now = testTime
		name := fmt.Sprintf("s%d", i)
		s.call(201, "POST", tt.api+"/stages", with(tt.create, `{"stageName":"`+name+`"}`))
		now = testTime.Add(time.Hour)
		path := tt.api + "/stages/" + name
		got := s.call(200, "PATCH", path, tt.patch)
		t.Run(tt.name, func(t *testing.T) {
			(&tester{t, s.server, s.store}).shows(got, with(tt.want, `{"stageName":"`+name+`"}`))
		})
		if read := s.call(200, "GET", path, ""); text(read) != text(got) {
			t.Errorf("%s: read %s, updated %s", tt.name, text(read), text(got))
		}
		s.call(204, "DELETE", path, "")
	}
}

func TestDeleteStageSettings(t *testing.T) {
	s := newTester(t)
	api := s.api("HTTP")
	s.route(api, "GET /pets/{id}", "")
	s.call(201, "POST", api+"/stages", `{"stageName":"$default","routeSettings":{"GET /pets/{id}":{"throttlingBurstLimit":1},"$default":{"throttlingBurstLimit":2}},"accessLogSettings":{"destinationArn":"`+logGroup+`","format":"$context.requestId"}}`)
	stage := api + "/stages/%24default"
	s.call(204, "DELETE", stage+"/routesettings/GET%20%2Fpets%2F%7Bid%7D", "")
	s.call(204, "DELETE", stage+"/accesslogsettings", "")
	s.shows(s.call(200, "GET", stage, ""), `{"routeSettings":{"$default":{"throttlingBurstLimit":2}},"accessLogSettings":null}`)
	s.call(204, "DELETE", stage+"/accesslogsettings", "")
}

func TestStageQuota(t *testing.T) {
	s := newTester(t, func(o *Options) { o.Limits = DefaultLimits(); o.Limits.Stages = 1 })
	api := s.api("HTTP")
	s.call(201, "POST", api+"/stages", `{"stageName":"a"}`)
	s.refuse(400, "Maximum number of Stages for this API has been reached.  Please contact AWS if you need additional Stages.", "POST", api+"/stages", `{"stageName":"b"}`)
}

func TestAccessLogFormats(t *testing.T) {
	for _, tt := range []struct{ format, unknown string }{
		{`$context.identity.sourceIp - - [$context.requestTime] "$context.httpMethod $context.routeKey $context.protocol" $context.status $context.responseLength $context.requestId`, ""},
		{`{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp","e":"$context.integrationErrorMessage"}`, ""},
		{`$context.authorizer.claims.sub $context.authorizer.error $context.identity.clientCert.validity.notAfter`, ""},
		{`$context.customDomain.basePathMatched $context.integration.latency`, ""},
		{`$context.requestId. $context.. $context. $context`, ""},
		{`$context.authorizer`, "authorizer"},
		{`$context.authorizer.`, "authorizer"},
		{`$context.resourcePath`, "resourcePath"},
	} {
		var unknown []string
		for _, name := range logVariables(tt.format) {
			if !isHTTPVariable(name) {
				unknown = append(unknown, name)
			}
		}
		if got := strings.Join(unknown, ","); got != tt.unknown {
			t.Errorf("%s: got %q, want %q", tt.format, got, tt.unknown)
		}
	}
}
