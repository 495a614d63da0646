package control

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A fixture says what a test of every collection cannot know from the model: how to
// make things of a kind.
type fixture struct {
	kind string
	// make makes what stands above an item.
	make func(s *tester) fixed

	idMember string         // of the item
	idForm   *regexp.Regexp // nil if clients name the items
	most     int            // how many items one parent may have; many if 0

	// created are members that a create answers with another value than a get.
	created string
	// random is what differs between two items with the same input, beside the ID.
	random *regexp.Regexp

	// unique is the member that no two items of a parent may share, and what is said
	// to two that do.
	unique string
	status int
	shared string // with %s for the value

	// own are the messages of limits that the model leaves to the server, by member
	// and limit; an empty message is for a limit that is not applied.
	own map[string]string
}

// fixed is a place for items.
type fixed struct {
	path   string             // of the collection
	body   func(i int) string // of the ith item: what is required and no more
	full   string             // of an item with as many members as it can have
	update string             // changes an item
}

// fixtures are all collections.
var fixtures = []fixture{
	{
		kind: "Api", idMember: "apiId", idForm: idForm(10),
		make: func(*tester) fixed {
			return fixed{
				path:   "/v2/apis",
				body:   numbered(`{"name":"n%d","protocolType":"HTTP"}`),
				full:   `{"name":"n","protocolType":"HTTP","description":"d","version":"1","disableExecuteApiEndpoint":true,"ipAddressType":"dualstack","apiKeySelectionExpression":"$context.authorizer.usageIdentifierKey","corsConfiguration":{"allowOrigins":["https://example.com"],"maxAge":5},"tags":{"a":"b"}}`,
				update: `{"name":"m","description":"e"}`,
			}
		},
		own: map[string]string{
			"name required":         "Invalid API name specified",
			"name shortest":         "Invalid API name specified",
			"name longest":          "Invalid request input: name must have 1 to 128 characters",
			"protocolType required": "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]",
			"protocolType enum":     "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]",
		},
	},
	{
		kind: "Authorizer", idMember: "authorizerId", idForm: idForm(6),
		make: func(s *tester) fixed {
			return fixed{
				path:   s.api("HTTP") + "/authorizers",
				body:   numbered(`{"name":"a%d","authorizerType":"REQUEST","authorizerPayloadFormatVersion":"1.0","authorizerUri":"` + authorizerURI + `"}`),
				full:   `{"name":"a","authorizerType":"REQUEST","authorizerPayloadFormatVersion":"2.0","authorizerUri":"` + authorizerURI + `","authorizerCredentialsArn":"arn:aws:iam::123456789012:role/r","authorizerResultTtlInSeconds":300,"enableSimpleResponses":true,"identitySource":["$request.header.Authorization"],"identityValidationExpression":"e"}`,
				update: `{"name":"b","identitySource":["$request.querystring.q"]}`,
			}
		},
		unique: "name", status: 400, shared: "Authorizer name must be unique. Authorizer %s already exists in this RestApi.",
		own: map[string]string{
			"authorizerType required":               "Invalid request input. CreateAuthorizer input is missing authorizer type.",
			"identitySource required":               "",
			"authorizerResultTtlInSeconds least":    "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.",
			"authorizerResultTtlInSeconds greatest": "Authorizer result TTL outside allowable range. TTL must be between 0 and 3600 seconds.",
		},
	},
	{
		kind: "Deployment", idMember: "deploymentId", idForm: idForm(6),
		random: regexp.MustCompile(`"createdDate":"[^"]*",`),
		make: func(s *tester) fixed {
			api := s.api("HTTP")
			s.route(api, "GET /", "")
			return fixed{
				path:   api + "/deployments",
				body:   func(int) string { return `{}` },
				full:   `{"description":"d"}`,
				update: `{"description":"e"}`,
			}
		},
	},
	{
		kind: "Integration", idMember: "integrationId", idForm: idForm(7),
		make: func(s *tester) fixed {
			return fixed{
				path:   s.api("HTTP") + "/integrations",
				body:   func(int) string { return httpProxy },
				full:   with(httpProxy, `{"description":"d","timeoutInMillis":50,"payloadFormatVersion":"1.0","credentialsArn":"arn:aws:iam::123456789012:role/r","requestParameters":{"append:header.a":"1"},"responseParameters":{"200":{"append:header.a":"1"}}}`),
				update: `{"description":"e","integrationUri":"https://example.org"}`,
			}
		},
		own: map[string]string{
			"timeoutInMillis least":    "Timeout should be between 50 ms and 30000 ms",
			"timeoutInMillis greatest": "Timeout should be between 50 ms and 30000 ms",
		},
	},
	{
		kind: "IntegrationResponse", idMember: "integrationResponseId", idForm: idForm(6),
		make: func(s *tester) fixed {
			api := s.api("WEBSOCKET")
			return fixed{
				path:   api + "/integrations/" + s.integration(api) + "/integrationresponses",
				body:   numbered(`{"integrationResponseKey":"/2%d/"}`),
				full:   `{"integrationResponseKey":"$default","contentHandlingStrategy":"CONVERT_TO_TEXT","responseParameters":{"method.response.header.a":"'b'"},"responseTemplates":{"200":"","/[0-9]+/":"x"},"templateSelectionExpression":"$default"}`,
				update: `{"integrationResponseKey":"/500/","responseTemplates":{"a":"b"}}`,
			}
		},
		unique: "integrationResponseKey", status: 409, shared: "Integration response with key %s already exists for this integration",
	},
	{
		kind: "Model", idMember: "modelId", idForm: idForm(6),
		make: func(s *tester) fixed {
			return fixed{
				path:   s.api("WEBSOCKET") + "/models",
				body:   numbered(`{"name":"m%d","schema":"{}"}`),
				full:   `{"name":"m","schema":" {\"type\": \"object\"}\n","contentType":"text/plain","description":"d"}`,
				update: `{"name":"n","schema":"{\"type\":\"string\"}"}`,
			}
		},
		unique: "name", status: 409, shared: "Model name already exists for this REST API",
	},
	{
		kind: "Route", idMember: "routeId", idForm: idForm(7),
		make: func(s *tester) fixed {
			api := s.api("HTTP")
			return fixed{
				path:   api + "/routes",
				body:   numbered(`{"routeKey":"GET /%d"}`),
				full:   `{"routeKey":"$default","target":"integrations/` + s.integration(api) + `","operationName":"o","authorizationType":"AWS_IAM"}`,
				update: `{"routeKey":"POST /a/{b}","operationName":"p"}`,
			}
		},
		unique: "routeKey", status: 409, shared: "Route with key %s already exists for this API",
	},
	{
		kind: "RouteResponse", idMember: "routeResponseId", idForm: idForm(6), most: 1,
		make: func(s *tester) fixed {
			api := s.api("WEBSOCKET")
			s.call(201, "POST", api+"/models", `{"name":"m","schema":"{}"}`)
			return fixed{
				path:   s.route(api, "send", "") + "/routeresponses",
				body:   func(int) string { return `{"routeResponseKey":"$default"}` },
				full:   `{"routeResponseKey":"$default","modelSelectionExpression":"a","responseModels":{"a":"m"},"responseParameters":{"route.response.header.a":{"required":true}}}`,
				update: `{"modelSelectionExpression":"b"}`,
			}
		},
		unique: "routeResponseKey", status: 409, shared: "Route response with key $default already exists for this route",
	},
	{
		kind: "Stage", idMember: "stageName",
		make: func(s *tester) fixed {
			api := s.api("HTTP")
			s.route(api, "GET /", "")
			deployment := id(s.call(201, "POST", api+"/deployments", ""), "deploymentId")
			return fixed{
				path:   api + "/stages",
				body:   numbered(`{"stageName":"s%d"}`),
				full:   `{"stageName":"$default","deploymentId":"` + deployment + `","autoDeploy":false,"description":"d","stageVariables":{"a":"b"},"tags":{"a":"b"},"routeSettings":{"GET /":{"throttlingBurstLimit":1}},"defaultRouteSettings":{"detailedMetricsEnabled":true,"throttlingRateLimit":0.5},"accessLogSettings":{"destinationArn":"` + logGroup + `","format":"` + logFormat + `"}}`,
				update: `{"description":"e"}`,
			}
		},
		unique: "stageName", status: 409, shared: "Stage already exists",
		own: map[string]string{
			"stageName shortest":                "Stage name only allows a-zA-Z0-9_",
			"stageName longest":                 "Stage name only allows a-zA-Z0-9_",
			"accessLogSettings.format shortest": "Access Log value missing. Expected destinationArn and format.",
			"accessLogSettings.format longest":  "Access Log value missing. Expected destinationArn and format.",
		},
	},
	{
		kind: "DomainName", idMember: "domainName",
		random: regexp.MustCompile(`"d-[a-z0-9]{10}\.`),
		make: func(*tester) fixed {
			return fixed{
				path:   "/v2/domainnames",
				body:   func(i int) string { return domain(fmt.Sprintf("a%d.example.com", i), `{}`) },
				full:   domain("*.example.org", `{"domainNameConfigurations":[{"certificateArn":"`+acmCertificate+`","certificateName":"c","endpointType":"REGIONAL","ipAddressType":"dualstack","securityPolicy":"TLS_1_2","ownershipVerificationCertificateArn":"`+acmCertificate+`"}],"mutualTlsAuthentication":{"truststoreUri":"s3://bucket/key","truststoreVersion":"1"},"routingMode":"ROUTING_RULE_ONLY","tags":{"a":"b"}}`),
				update: `{"routingMode":"ROUTING_RULE_THEN_API_MAPPING"}`,
			}
		},
		unique: "domainName", status: 400, shared: "The domain name you provided already exists.",
		own: map[string]string{"domainNameConfigurations required": "Invalid input. Expected one domain name configuration"},
	},
	{
		kind: "ApiMapping", idMember: "apiMappingId", idForm: regexp.MustCompile(`^[a-z0-9]{6,10}$`),
		make: func(s *tester) fixed {
			api := s.staged("HTTP", "v1", "v2")
			return fixed{
				path:   s.domain("d.example.com") + "/apimappings",
				body:   numbered(`{"apiId":"` + api + `","stage":"v1","apiMappingKey":"k%d"}`),
				full:   `{"apiId":"` + api + `","stage":"v2","apiMappingKey":"a/b"}`,
				update: `{"apiId":"` + api + `","apiMappingKey":"c"}`,
			}
		},
		unique: "apiMappingKey", status: 409, shared: "ApiMapping key already exists for this domain name",
	},
	{
		kind: "RoutingRule", idMember: "routingRuleId", idForm: idForm(6),
		make: func(s *tester) fixed {
			api := s.staged("HTTP", "v1", "v2")
			action := func(stage string) string {
				return `[{"invokeApi":{"apiId":"` + api + `","stage":"` + stage + `"}}]`
			}
			return fixed{
				path:   s.domain("d.example.com") + "/routingrules",
				body:   numbered(`{"priority":%d,"conditions":[],"actions":` + action("v1") + `}`),
				full:   `{"priority":1000000,"conditions":[{"matchBasePaths":{"anyOf":["a"]}},{"matchHeaders":{"anyOf":[{"header":"h","valueGlob":"*v*"}]}}],"actions":[{"invokeApi":{"apiId":"` + api + `","stage":"v2","stripBasePath":true}}]}`,
				update: `{"priority":7,"conditions":[{"matchBasePaths":{"anyOf":["b"]}}],"actions":` + action("v2") + `}`,
			}
		},
		unique: "priority", status: 409, shared: "Priority %s is already in use",
	},
	{
		kind: "VpcLink", idMember: "vpcLinkId", idForm: idForm(6),
		created: `{"vpcLinkStatus":"PENDING","vpcLinkStatusMessage":"VPC link is provisioning ENIs"}`,
		make: func(*tester) fixed {
			return fixed{
				path:   "/v2/vpclinks",
				body:   numbered(`{"name":"n%d","subnetIds":["subnet-1"]}`),
				full:   `{"name":"n","subnetIds":["subnet-1","subnet-2"],"securityGroupIds":["sg-1"],"tags":{"a":"b"}}`,
				update: `{"name":"m"}`,
			}
		},
		own: map[string]string{"subnetIds required": "SubnetIds for a vpc link cannot be empty"},
	},
	{
		kind: "Portal", idMember: "portalId", idForm: portalForm,
		make: func(*tester) fixed {
			body := `{"authorization":{"none":{}},"endpointConfiguration":{"none":{}},"portalContent":` + portalContent("p%d") + `}`
			return fixed{
				path:   "/v2/portals",
				body:   numbered(body),
				full:   with(fmt.Sprintf(body, 10), `{"authorization":{"cognitoConfig":{"appClientId":"c","userPoolArn":"arn:aws:cognito-idp:us-east-1:123456789012:userpool/u","userPoolDomain":"https://pool.example.com"}},"endpointConfiguration":{"acmManaged":{"domainName":"portal.example.com","certificateArn":"`+acmCertificate+`"}},"includedPortalProductArns":["arn:aws:apigateway:us-east-1:123456789012:/portalproducts/abcdefghij"],"logoUri":"s3://bucket/logo.png","rumAppMonitorName":"rum","tags":{"a":"b"}}`),
				update: `{"rumAppMonitorName":"mur","portalContent":` + portalContent("other") + `}`,
			}
		},
	},
	{
		kind: "PortalProduct", idMember: "portalProductId", idForm: portalForm,
		make: func(*tester) fixed {
			return fixed{
				path:   "/v2/portalproducts",
				body:   numbered(`{"displayName":"p%d"}`),
				full:   `{"displayName":"p","description":"d","tags":{"a":"b"}}`,
				update: `{"displayName":"q","description":"e"}`,
			}
		},
	},
	{
		kind: "ProductPage", idMember: "productPageId", idForm: portalForm,
		make: func(s *tester) fixed {
			return fixed{
				path:   s.emptyProduct() + "/productpages",
				body:   numbered(`{"displayContent":{"title":"t%d","body":"b"}}`),
				full:   `{"displayContent":{"title":"t","body":"# b\n"}}`,
				update: `{"displayContent":{"title":"u","body":"c"}}`,
			}
		},
	},
	{
		kind: "ProductRestEndpointPage", idMember: "productRestEndpointPageId", idForm: portalForm,
		make: func(s *tester) fixed {
			api := s.staged("HTTP", "prod")
			s.route("/v2/apis/"+api, "GET /pets", "")
			s.call(201, "POST", "/v2/apis/"+api+"/deployments", `{"stageName":"prod"}`)
			body := `{"restEndpointIdentifier":{"identifierParts":{"restApiId":"` + api + `","stage":"prod","path":"/pets","method":"GET"}}}`
			return fixed{
				path:   s.emptyProduct() + "/productrestendpointpages",
				body:   func(int) string { return body },
				full:   with(body, `{"displayContent":{"overrides":{"endpoint":"https://pets.example.com","operationName":"o","body":"b"}},"tryItState":"ENABLED"}`),
				update: `{"tryItState":"DISABLED","displayContent":{"overrides":{"body":"c"}}}`,
			}
		},
	},
}

const (
	authorizerURI  = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations"
	acmCertificate = "arn:aws:acm:us-east-1:123456789012:certificate/c-1"
)

var portalForm = regexp.MustCompile(`^[a-z0-9]{10,30}$`)

func idForm(n int) *regexp.Regexp { return regexp.MustCompile(fmt.Sprintf(`^[a-z0-9]{%d}$`, n)) }

// numbered returns bodies with a number in them, from 10.
func numbered(format string) func(i int) string {
	return func(i int) string { return fmt.Sprintf(format, 10+i) }
}

func portalContent(name string) string {
	colors := map[string]string{}
	for _, color := range []string{"accentColor", "backgroundColor", "errorValidationColor", "headerColor", "navigationColor", "textColor"} {
		colors[color] = "#ffffff"
	}
	return `{"displayName":"` + name + `","description":"d","theme":{"customColors":` + text(colors) + `}}`
}

// domain returns the body that makes a domain name, with members added.
func domain(name, more string) string {
	return with(`{"domainName":"`+name+`","domainNameConfigurations":[{"certificateArn":"`+acmCertificate+`"}]}`, more)
}

// domain makes a domain name, unless there is one, and returns its path.
func (t *tester) domain(name string) string {
	t.Helper()
	path := "/v2/domainnames/" + url.PathEscape(name)
	for n := 2; t.do("GET", path, "").status == 200; n++ {
		name = fmt.Sprintf("d%d.example.com", n)
		path = "/v2/domainnames/" + name
	}
	t.call(201, "POST", "/v2/domainnames", domain(name, `{}`))
	return path
}

// staged makes an API with stages and returns its ID.
func (t *tester) staged(protocol string, stages ...string) string {
	t.Helper()
	api := t.api(protocol)
	for _, stage := range stages {
		t.call(201, "POST", api+"/stages", `{"stageName":"`+stage+`"}`)
	}
	return strings.TrimPrefix(api, "/v2/apis/")
}

// emptyProduct makes a portal product without pages and returns its path.
func (t *tester) emptyProduct() string {
	t.Helper()
	return "/v2/portalproducts/" + id(t.call(201, "POST", "/v2/portalproducts", `{"displayName":"p"}`), "portalProductId")
}
