package openapi

import (
	"slices"
	"strings"

	"penstock/internal/model"
)

const (
	integrationExtension  = "x-amazon-apigateway-integration"
	integrationsExtension = "x-amazon-apigateway-integrations"

	// automaticDescription is that of an integration whose document gives none.
	automaticDescription = "AutoCreate from OpenAPI Import"
)

// integrated is an integration that was read. Routes that name it by a reference
// share it.
type integrated struct {
	integration Integration
	index       int // in the description, -1 as long as no route uses it
}

// integration returns the integration of an operation, nil if it has none.
func (x *importer) integration(v value, key string) *integrated {
	if !v.present() {
		return nil
	}
	if !v.isReference() {
		return x.newIntegration(v, key)
	}
	target, ok := x.dereference(v)
	if !ok {
		return nil
	}
	pointer := target.at.pointer()
	if i := x.integrations[pointer]; i != nil {
		return i
	}
	i := x.newIntegration(target, key)
	if i != nil {
		x.integrations[pointer] = i
	}
	return i
}

// use returns the index of an integration in the description, -1 for nil.
func (x *importer) use(i *integrated) int {
	if i == nil {
		return -1
	}
	if i.index < 0 {
		i.index = len(x.out.Integrations)
		x.out.Integrations = append(x.out.Integrations, i.integration)
	}
	return i.index
}

// newIntegration reads an integration. There is none, and a warning, if HTTP APIs
// do not have its type.
func (x *importer) newIntegration(v value, key string) *integrated {
	if !x.isObject(v) {
		return nil
	}
	written := x.name(v.member("type"))
	if written == nil {
		x.warn(v.at, "the integration has no type: %s has no target", shown(key))
		return nil
	}
	typ := strings.ToUpper(*written)
	if typ != model.IntegrationTypeAWSProxy && typ != model.IntegrationTypeHTTPProxy {
		x.warn(v.at, "Unsupported integration type %s for %s", shown(*written), shown(key))
		return nil
	}
	i := Integration{At: v.at.String()}
	i.IntegrationType = &typ
	if method := x.name(v.member("httpMethod")); method != nil {
		i.IntegrationMethod = new(strings.ToUpper(*method))
	}
	i.IntegrationURI = x.name(v.member("uri"))
	if i.PayloadFormatVersion = x.version(v.member("payloadFormatVersion")); i.PayloadFormatVersion == nil {
		i.PayloadFormatVersion = new("1.0")
	}
	i.ConnectionType = x.connectionType(v.member("connectionType"))
	i.ConnectionID = x.name(v.member("connectionId"))
	i.CredentialsARN = x.name(v.member("credentials"))
	i.IntegrationSubtype = x.name(v.member("integrationSubtype"))
	i.RequestParameters = x.requestParameters(v.member("requestParameters"))
	i.ResponseParameters = x.responseParameters(v.member("responseParameters"))
	i.TimeoutInMillis = x.integer(v.member("timeoutInMillis"))
	i.TLSConfig = x.tlsConfig(v.member("tlsConfig"))
	if i.Description = x.name(v.member("description")); i.Description == nil {
		i.Description = new(automaticDescription)
	}
	x.integrationRest(v)
	return &integrated{i, -1}
}

// restIntegration are members of integrations that REST APIs have and HTTP APIs do
// not.
var restIntegration = []string{
	"cacheKeyParameters", "cacheNamespace", "contentHandling", "invokeMode", "passthroughBehavior",
	"requestTemplates", "responseTransferMode", "responses",
}

// integrationRest informs about the members of an integration that do nothing.
func (x *importer) integrationRest(v value) {
	v.each(func(name string, m value) {
		if slices.Contains(restIntegration, name) {
			x.ignored(m.at)
		}
	})
	x.unknown(v, append([]string{"type", "httpMethod", "uri", "payloadFormatVersion", "connectionType", "connectionId",
		"credentials", "integrationSubtype", "requestParameters", "responseParameters", "timeoutInMillis", "tlsConfig",
		"description"}, restIntegration...)...)
}

func (x *importer) connectionType(v value) *string {
	s := x.name(v)
	if s == nil {
		return new(model.ConnectionTypeInternet)
	}
	typ := strings.ToUpper(*s)
	if typ != model.ConnectionTypeInternet && typ != model.ConnectionTypeVPCLink {
		x.problem(v, "must be INTERNET or VPC_LINK")
	}
	return &typ
}

// requestParameters returns the mapping of requests without what REST APIs map.
func (x *importer) requestParameters(v value) map[string]string {
	m := x.entries(v)
	v.each(func(name string, entry value) {
		if strings.HasPrefix(name, "integration.request.") {
			x.warn(entry.at, "mappings of REST APIs are not supported for HTTP APIs, ignored")
			delete(m, name)
		}
	})
	if len(m) == 0 {
		return nil
	}
	return m
}

// responseParameters returns the mapping of responses by their status codes.
func (x *importer) responseParameters(v value) map[string]map[string]string {
	if !x.isObject(v) || len(v.members) == 0 {
		return nil
	}
	codes := make(map[string]map[string]string, len(v.members))
	v.each(func(code string, mapping value) {
		if m := x.entries(mapping); m != nil {
			codes[code] = m
		}
	})
	if len(codes) == 0 {
		return nil
	}
	return codes
}

func (x *importer) tlsConfig(v value) *model.TLSConfig {
	if !x.isObject(v) {
		return nil
	}
	if insecure := v.member("insecureSkipVerification"); insecure.present() {
		x.ignored(insecure.at)
	}
	x.unknown(v, "serverNameToVerify", "insecureSkipVerification")
	name := x.name(v.member("serverNameToVerify"))
	if name == nil {
		return nil
	}
	return &model.TLSConfig{ServerNameToVerify: name}
}
