package openapi

import (
	"strings"

	"penstock/internal/model"
)

const authorizerExtension = "x-amazon-apigateway-authorizer"

// authorizer returns the authorizer of a security scheme. It is nil, and there is a
// warning, if HTTP APIs do not have one like it.
func (x *importer) authorizer(name string, scheme, v value) *model.Authorizer {
	v, ok := x.resolved(v)
	if !ok || !x.isObject(v) {
		return nil
	}
	a := &model.Authorizer{Name: &name}
	typ := x.name(v.member("type"))
	reason := "it has no type"
	switch {
	case typ == nil:
	case strings.EqualFold(*typ, "jwt"):
		x.expectScheme(scheme, "oauth2", "openIdConnect")
		reason = x.jwtAuthorizer(a, scheme, v)
	case strings.EqualFold(*typ, "request"):
		x.expectScheme(scheme, "apiKey")
		x.requestAuthorizer(a, scheme, v)
		reason = ""
	default:
		reason = "HTTP APIs have no authorizers of type " + shown(*typ)
	}
	if reason != "" {
		x.warn(v.at, "Unable to create Authorizer '%s': %s", shown(name), reason)
		return nil
	}
	return a
}

// expectScheme warns if a security scheme is not of a type that goes with its
// authorizer. The authorizer counts.
func (x *importer) expectScheme(scheme value, types ...string) {
	v := scheme.member("type")
	typ := x.name(v)
	for _, t := range types {
		if typ != nil && strings.EqualFold(*typ, t) {
			return
		}
	}
	x.warn(v.at, "the authorizer goes with type %s", strings.Join(types, " or "))
}

// jwtAuthorizer fills in a JWT authorizer, and returns why it cannot. The issuer
// may be told by the URL of its configuration, which SAM writes into the authorizer.
func (x *importer) jwtAuthorizer(a *model.Authorizer, scheme, v value) (reason string) {
	a.AuthorizerType = new(model.AuthorizerTypeJWT)
	a.IdentitySource = x.identitySource(v.member("identitySource"))
	a.JWTConfiguration = new(model.JWTConfiguration)
	if jwt := v.member("jwtConfiguration"); x.isObject(jwt) {
		a.JWTConfiguration.Issuer = x.name(jwt.member("issuer"))
		a.JWTConfiguration.Audience = x.strings(jwt.member("audience"))
		x.unknown(jwt, "audience", "issuer")
	}
	x.unknown(v, "type", "identitySource", "jwtConfiguration", "openIdConnectUrl")
	if a.JWTConfiguration.Issuer != nil {
		return ""
	}
	url := x.name(scheme.member("openIdConnectUrl"))
	if url == nil {
		url = x.name(v.member("openIdConnectUrl"))
	}
	if url == nil {
		return "it has no issuer"
	}
	issuer, ok := strings.CutSuffix(*url, model.DiscoveryPath)
	if !ok || issuer == "" {
		return "openIdConnectUrl must end with " + model.DiscoveryPath
	}
	a.JWTConfiguration.Issuer = &issuer
	return ""
}

// requestAuthorizer fills in a Lambda authorizer.
func (x *importer) requestAuthorizer(a *model.Authorizer, scheme, v value) {
	a.AuthorizerType = new(model.AuthorizerTypeRequest)
	a.AuthorizerURI = x.name(v.member("authorizerUri"))
	a.AuthorizerCredentialsARN = x.name(v.member("authorizerCredentials"))
	a.AuthorizerPayloadFormatVersion = x.version(v.member("authorizerPayloadFormatVersion"))
	a.AuthorizerResultTTLInSeconds = x.integer(v.member("authorizerResultTtlInSeconds"))
	a.EnableSimpleResponses = x.boolean(v.member("enableSimpleResponses"))
	a.IdentitySource = x.identitySource(v.member("identitySource"))
	if !v.member("identitySource").present() {
		a.IdentitySource = x.schemeSource(scheme)
	}
	x.unknown(v, "type", "authorizerUri", "authorizerCredentials", "authorizerPayloadFormatVersion",
		"authorizerResultTtlInSeconds", "enableSimpleResponses", "identitySource")
}

// schemeSource returns the identity source that the scheme itself names. The name
// Unused is that of none.
func (x *importer) schemeSource(scheme value) []string {
	name, in := x.name(scheme.member("name")), x.name(scheme.member("in"))
	if name == nil || in == nil || *name == "Unused" {
		return nil
	}
	switch *in {
	case "header":
		return []string{"$request.header." + *name}
	case "query":
		return []string{"$request.querystring." + *name}
	default:
		return nil
	}
}

// restSources are what identity sources of REST APIs start with, and how HTTP APIs
// write it.
var restSources = []struct{ rest, http string }{
	{"method.request.header.", "$request.header."},
	{"method.request.querystring.", "$request.querystring."},
	{"context.", "$context."},
	{"stageVariables.", "$stageVariables."},
}

// identitySource reads identity sources: a string in which commas separate them, as
// is documented, or a list, which SAM writes.
func (x *importer) identitySource(v value) []string {
	if !v.present() {
		return nil
	}
	var sources []string
	if v.kind == text {
		if s := x.string(v); s != nil {
			sources = strings.Split(*s, ",")
		}
	} else {
		sources = x.strings(v)
	}
	kept := make([]string, 0, len(sources))
	for _, s := range sources {
		if v.kind == text {
			s = strings.TrimSpace(s)
		}
		if s == "" {
			continue
		}
		for _, form := range restSources {
			if name, ok := strings.CutPrefix(s, form.rest); ok {
				x.inform(v.at, "%s was read as %s", shown(s), shown(form.http+name))
				s = form.http + name
			}
		}
		kept = append(kept, s)
	}
	return kept
}
