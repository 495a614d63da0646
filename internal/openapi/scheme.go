package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/internal/model"
)

// security returns what an operation asks for, nil if everybody may call the route.
func (x *exporter) security(r *model.Route) (*node, error) {
	a := x.resources.Authorizers[val(r.AuthorizerID)]
	typ := val(r.AuthorizationType)
	var scheme string
	switch typ {
	case "", model.AuthorizationTypeNone:
		return nil, nil
	case model.AuthorizationTypeAWSIAM:
		scheme = x.iamScheme()
	case model.AuthorizationTypeJWT, model.AuthorizationTypeCustom:
		if a == nil || authorizationTypes[val(a.AuthorizerType)] != typ {
			return nil, fmt.Errorf("the authorizer %s that %s asks for is gone", val(r.AuthorizerID), typ)
		}
		scheme = val(a.Name)
	default:
		return nil, fmt.Errorf("a document has no authorization of type %s", typ)
	}
	return listNode(newObject().put(scheme, stringsNode(r.AuthorizationScopes))), nil
}

// authorizationTypes are the types of authorization by the types of their
// authorizers.
var authorizationTypes = map[string]string{
	model.AuthorizerTypeJWT:     model.AuthorizationTypeJWT,
	model.AuthorizerTypeRequest: model.AuthorizationTypeCustom,
}

// iamScheme returns the name of the scheme of AWS_IAM, which is that of no
// authorizer.
func (x *exporter) iamScheme() string {
	if x.iam != "" {
		return x.iam
	}
	taken := map[string]bool{}
	for _, a := range x.resources.Authorizers {
		taken[val(a.Name)] = true
	}
	x.iam = "sigv4Reference"
	for i := 1; taken[x.iam]; i++ {
		x.iam = fmt.Sprintf("sigv4Reference%d", i)
	}
	return x.iam
}

// securitySchemes returns the schemes by name: the authorizers and, if a route has
// it, AWS_IAM.
func (x *exporter) securitySchemes() (*node, error) {
	schemes := map[string]*node{}
	for _, id := range slices.Sorted(maps.Keys(x.resources.Authorizers)) {
		a := x.resources.Authorizers[id]
		name := val(a.Name)
		if name == "" || schemes[name] != nil {
			return nil, fmt.Errorf("authorizer %s: its name %q is not that of one scheme", id, name)
		}
		schemes[name] = x.scheme(a)
	}
	if x.iam != "" {
		n := apiKeyScheme("Authorization")
		if x.options.Extensions {
			n.put("x-amazon-apigateway-authtype", stringNode("awsSigv4"))
		}
		schemes[x.iam] = n
	}
	return mapNode(schemes, func(n *node) *node { return n }), nil
}

func apiKeyScheme(header string) *node {
	n := newObject()
	n.put("type", stringNode("apiKey"))
	n.put("name", stringNode(header))
	n.put("in", stringNode("header"))
	return n
}

func (x *exporter) scheme(a *model.Authorizer) *node {
	var n, extension *node
	if val(a.AuthorizerType) == model.AuthorizerTypeJWT {
		n = newObject().put("type", stringNode("oauth2")).put("flows", newObject())
		extension = jwtNode(a)
	} else {
		n = apiKeyScheme(sourceHeader(a.IdentitySource))
		extension = requestNode(a)
	}
	if x.options.Extensions {
		n.put(authorizerExtension, extension)
	}
	return n
}

// sourceHeader returns the first header that identifies a caller.
func sourceHeader(sources []string) string {
	for _, s := range sources {
		if name, ok := strings.CutPrefix(s, "$request.header."); ok {
			return name
		}
	}
	return "Unused"
}

func jwtNode(a *model.Authorizer) *node {
	n := newObject()
	putSources(n, a.IdentitySource)
	jwt := newObject()
	if c := a.JWTConfiguration; c != nil {
		jwt.putStrings("audience", c.Audience)
		jwt.putString("issuer", c.Issuer)
	}
	n.put("jwtConfiguration", jwt)
	return n.put("type", stringNode("jwt"))
}

func requestNode(a *model.Authorizer) *node {
	n := newObject().put("type", stringNode("request"))
	n.putString("authorizerUri", a.AuthorizerURI)
	n.putString("authorizerCredentials", a.AuthorizerCredentialsARN)
	n.putString("authorizerPayloadFormatVersion", a.AuthorizerPayloadFormatVersion)
	n.putInt("authorizerResultTtlInSeconds", a.AuthorizerResultTTLInSeconds)
	n.putBool("enableSimpleResponses", a.EnableSimpleResponses)
	putSources(n, a.IdentitySource)
	return n
}

// putSources adds identity sources: with commas between them, or as a list if one
// of them would not be read back as it is.
func putSources(n *node, sources []string) {
	plain := !slices.ContainsFunc(sources, func(s string) bool {
		return s == "" || strings.Contains(s, ",") || strings.TrimSpace(s) != s
	})
	switch {
	case sources == nil:
	case plain && len(sources) > 0:
		n.put("identitySource", stringNode(strings.Join(sources, ",")))
	default:
		n.put("identitySource", stringsNode(sources))
	}
}
