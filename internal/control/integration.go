package control

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
	"penstock/internal/route"
)

var integrations = collection[model.Integration, model.APIDocument]{
	kind:     "Integration",
	root:     apiRoot,
	in:       func(d *model.APIDocument, _ *call) (items[model.Integration], error) { return d.Integrations, nil },
	name:     func(i *model.Integration) **string { return &i.IntegrationID },
	length:   7,
	quota:    func(l Limits) int { return l.Integrations },
	defaults: defaultIntegration,
	check:    checkIntegration,
	inUse:    integrationInUse,
	after:    afterIntegration,
}

type integrationChange = change[model.Integration, model.APIDocument]

// Least and greatest integration timeouts in milliseconds.
const (
	minTimeout          = 50
	maxTimeoutHTTP      = 30_000
	maxTimeoutWebSocket = 29_000
)

// defaultIntegration fills in what an integration of its protocol and type always
// has, and drops what it never has.
func defaultIntegration(x *integrationChange) {
	i := x.item
	typ := val(i.IntegrationType)
	setDefault(&i.ConnectionType, model.ConnectionTypeInternet)
	setDefault(&i.PayloadFormatVersion, "1.0")
	i.IntegrationResponseSelectionExpression = nil
	dropEmptyMappings(i)
	if !isWebSocket(x.doc) {
		setDefault(&i.TimeoutInMillis, maxTimeoutHTTP)
		i.PassthroughBehavior = nil
		switch {
		case i.IntegrationSubtype != nil:
			i.IntegrationMethod = nil
		case typ == model.IntegrationTypeAWSProxy:
			setDefault(&i.IntegrationMethod, "POST")
		}
		return
	}
	setDefault(&i.TimeoutInMillis, maxTimeoutWebSocket)
	i.TLSConfig = nil
	switch typ {
	case model.IntegrationTypeAWS:
		i.IntegrationResponseSelectionExpression = new("${integration.response.body.errorMessage}")
		setDefault(&i.PassthroughBehavior, model.PassthroughBehaviorWhenNoMatch)
		setDefault(&i.IntegrationMethod, "POST")
	case model.IntegrationTypeHTTP, model.IntegrationTypeMock:
		i.IntegrationResponseSelectionExpression = new("${integration.response.statuscode}")
		setDefault(&i.PassthroughBehavior, model.PassthroughBehaviorWhenNoMatch)
	case model.IntegrationTypeAWSProxy:
		setDefault(&i.IntegrationMethod, "POST")
	}
}

func setDefault[T any](p **T, v T) {
	if *p == nil {
		*p = &v
	}
}

func checkIntegration(x *integrationChange) error {
	checks := []func(*integrationChange) error{checkHTTPIntegration, checkBackend, checkPayloadVersion, checkTimeout, checkConnection, checkRequestMapping, checkResponseMapping}
	if isWebSocket(x.doc) {
		checks[0] = checkWebSocketIntegration
	}
	for _, check := range checks {
		if err := check(x); err != nil {
			return err
		}
	}
	return nil
}

// checkHTTPIntegration refuses what HTTP APIs do not have.
func checkHTTPIntegration(x *integrationChange) error {
	i := x.item
	if typ := val(i.IntegrationType); typ != model.IntegrationTypeAWSProxy && typ != model.IntegrationTypeHTTPProxy {
		return BadRequest(msgIntegrationTypeHTTP, typ)
	}
	switch {
	case i.ContentHandlingStrategy != nil:
		return BadRequest(msgNotHTTP, "ContentHandlingStrategy")
	case i.RequestTemplates != nil:
		return BadRequest(msgNotHTTP, "RequestTemplates")
	case i.TemplateSelectionExpression != nil:
		return BadRequest(msgNotHTTP, "TemplateSelectionExpression")
	case i.TLSConfig != nil && val(i.ConnectionType) != model.ConnectionTypeVPCLink:
		return BadRequest(msgTLSConfig)
	}
	return nil
}

// checkWebSocketIntegration refuses what WebSocket APIs do not have.
func checkWebSocketIntegration(x *integrationChange) error {
	switch i := x.item; {
	case i.IntegrationSubtype != nil:
		return BadRequest(msgNotWebSocket, "IntegrationSubtype")
	case i.ResponseParameters != nil:
		return BadRequest(msgNotWebSocket, "ResponseParameters")
	}
	return nil
}

// checkBackend checks what an integration calls and how.
func checkBackend(x *integrationChange) error {
	i := x.item
	if i.IntegrationSubtype != nil {
		return checkSubtype(i)
	}
	typ := val(i.IntegrationType)
	if typ == model.IntegrationTypeHTTP || typ == model.IntegrationTypeHTTPProxy {
		if i.IntegrationMethod == nil {
			return BadRequest(msgMethodRequired)
		}
	}
	if method := val(i.IntegrationMethod); method != "" && method != "ANY" && !route.KnownMethod(method) {
		return BadRequest(msgIntegrationMethod, method)
	}
	uri := val(i.IntegrationURI)
	switch {
	case typ == model.IntegrationTypeMock:
		return nil
	case uri == "":
		return BadRequest(msgIntegrationURINeeded, typ)
	case !isWebSocket(x.doc) && typ == model.IntegrationTypeHTTPProxy && val(i.ConnectionType) == model.ConnectionTypeVPCLink:
		return nil // checkConnection
	case typ == model.IntegrationTypeAWSProxy && !isLambdaURI(uri):
		return BadRequest(msgLambdaURI, uri)
	case typ == model.IntegrationTypeAWS && !isLambdaURI(uri) && !awsURI.MatchString(uri):
		return BadRequest(msgAWSURI, uri)
	case strings.HasPrefix(typ, "HTTP") && !isHTTPURI(uri):
		return BadRequest(msgHTTPURI, uri)
	}
	return nil
}

// Forms of integration URIs. Stage variables may stand anywhere in them.
var (
	lambdaFunctionARN = regexp.MustCompile(`^arn:[^:\s]+:lambda:[^:\s]*:[^:\s]*:function:\S+$`)
	lambdaInvokeARN   = regexp.MustCompile(`^arn:[^:\s]+:apigateway:[^:\s]*:lambda:path/2015-03-31/functions/\S+/invocations$`)
	awsURI            = regexp.MustCompile(`^arn:[^:\s]+:apigateway:[^:\s]*:[^:\s]+:(action|path)/\S*$`)
	httpURI           = regexp.MustCompile(`^(?i:https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?#][^\s\x00-\x1f\x7f\\]*)?$`)
	listenerARN       = regexp.MustCompile(`^arn:[^:\s]+:elasticloadbalancing:[^:\s]*:[^:\s]*:listener/\S+$`)
	cloudMapARN       = regexp.MustCompile(`^arn:[^:\s]+:servicediscovery:[^:\s]*:[^:\s]*:service/\S+$`)
)

func isLambdaURI(uri string) bool {
	return lambdaFunctionARN.MatchString(uri) || lambdaInvokeARN.MatchString(uri)
}

// placeholder is what a request or a stage fills in. A digit in its place can be
// part of a host as well as of a port.
var placeholder = regexp.MustCompile(`\$\{stageVariables\.[A-Za-z0-9_]+\}|\{[^{}/?#]*\}`)

func isHTTPURI(uri string) bool {
	filled := placeholder.ReplaceAllString(uri, "1")
	return httpURI.MatchString(filled) && !strings.Contains(filled, "${stageVariables.")
}

func checkPayloadVersion(x *integrationChange) error {
	version := val(x.item.PayloadFormatVersion)
	switch {
	case version == "1.0":
		return nil
	case version != "2.0" || isWebSocket(x.doc):
		return BadRequest(msgPayloadVersion, version)
	case val(x.item.IntegrationType) == model.IntegrationTypeHTTPProxy:
		return BadRequest(msgPayloadVersionHTTP)
	}
	return nil
}

func checkTimeout(x *integrationChange) error {
	greatest := maxTimeoutHTTP
	if isWebSocket(x.doc) {
		greatest = maxTimeoutWebSocket
	}
	if ms := val(x.item.TimeoutInMillis); ms < minTimeout || ms > greatest {
		return BadRequest(msgTimeout, minTimeout, greatest)
	}
	return nil
}

func checkConnection(x *integrationChange) error {
	i := x.item
	if val(i.ConnectionType) != model.ConnectionTypeVPCLink {
		return nil
	}
	if i.ConnectionID == nil {
		return BadRequest(msgConnectionID)
	}
	if uri := val(i.IntegrationURI); !isWebSocket(x.doc) && !listenerARN.MatchString(uri) && !cloudMapARN.MatchString(uri) {
		return BadRequest(msgVPCLinkURI)
	}
	return nil
}

// target returns what a route that calls the integration has as its target.
func target(integrationID string) string { return "integrations/" + integrationID }

func integrationInUse(x *integrationChange) error {
	if val(x.item.APIGatewayManaged) {
		return BadRequest(msgManaged)
	}
	var users []string
	for _, id := range slices.Sorted(maps.Keys(x.doc.Routes)) {
		if val(x.doc.Routes[id].Target) == target(*x.item.IntegrationID) {
			users = append(users, id)
		}
	}
	if len(users) > 0 {
		return Conflict(msgIntegrationInUse, strings.Join(users, ", "))
	}
	return nil
}

func afterIntegration(x *integrationChange) error {
	if x.deleted {
		delete(x.doc.IntegrationResponses, *x.item.IntegrationID)
	}
	return x.deployAutomatically(x.doc)
}
