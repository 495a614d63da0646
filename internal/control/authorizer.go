package control

import (
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

var authorizers = collection[model.Authorizer, model.APIDocument]{
	kind:     "Authorizer",
	root:     apiRoot,
	in:       func(d *model.APIDocument, _ *call) (items[model.Authorizer], error) { return d.Authorizers, nil },
	name:     func(a *model.Authorizer) **string { return &a.AuthorizerID },
	length:   6,
	quota:    func(l Limits) int { return l.Authorizers },
	defaults: defaultAuthorizer,
	check:    checkAuthorizer,
	inUse:    authorizerInUse,
	after:    func(x *authorizerChange) error { return x.deployAutomatically(x.doc) },
}

type authorizerChange = change[model.Authorizer, model.APIDocument]

// maxAuthorizerTTL is how long the result of an authorizer may be kept, in seconds.
const maxAuthorizerTTL = 3600

// defaultAuthorizer drops what an authorizer of its type and protocol does not
// have. Only REQUEST authorizers of HTTP APIs keep results: not at all, unless told.
func defaultAuthorizer(x *authorizerChange) {
	a := x.item
	if isWebSocket(x.doc) || val(a.AuthorizerType) == model.AuthorizerTypeJWT {
		a.AuthorizerResultTTLInSeconds = nil
	} else {
		setDefault(&a.AuthorizerResultTTLInSeconds, 0)
	}
}

func checkAuthorizer(x *authorizerChange) error {
	check := checkRequestAuthorizer
	switch val(x.item.AuthorizerType) {
	case "":
		return BadRequest(msgAuthorizerType)
	case model.AuthorizerTypeJWT:
		check = checkJWTAuthorizer
	}
	if err := check(x); err != nil {
		return err
	}
	return checkAuthorizerPlace(x)
}

// checkAuthorizerPlace compares an authorizer with what else the API has.
func checkAuthorizerPlace(x *authorizerChange) error {
	a := x.item
	for id, other := range x.doc.Authorizers {
		if id != *a.AuthorizerID && val(other.Name) == val(a.Name) {
			return BadRequest(msgAuthorizerName, val(a.Name))
		}
	}
	if x.old != nil && val(x.old.AuthorizerType) != val(a.AuthorizerType) {
		if key := authorizedRoute(x.doc, *a.AuthorizerID); key != "" {
			return Conflict(msgAuthorizerTypeInUse, val(a.Name), key)
		}
	}
	return nil
}

// What an identity source of a REQUEST authorizer may name.
var (
	identitySource          = regexp.MustCompile(`^\$(?:request\.(?:header|querystring)\.[^\s,{}]+|context\.[A-Za-z0-9._]+|stageVariables\.[A-Za-z0-9_]+)$`)
	webSocketIdentitySource = regexp.MustCompile(`^(?:route\.request\.(?:header|querystring)\.[^\s,{}]+|context\.[A-Za-z0-9._]+|stageVariables\.[A-Za-z0-9_]+)$`)
	tokenSource             = regexp.MustCompile(`^\$request\.(?:header|querystring)\.[^\s,{}]+$`)
)

func checkRequestAuthorizer(x *authorizerChange) error {
	a := x.item
	sources, badSource := identitySource, msgIdentitySource
	version := val(a.AuthorizerPayloadFormatVersion)
	ttl := val(a.AuthorizerResultTTLInSeconds)
	webSocket := isWebSocket(x.doc)
	if webSocket {
		sources, badSource = webSocketIdentitySource, msgWebSocketIdentitySource
	}
	switch {
	case val(a.AuthorizerURI) == "":
		return BadRequest(msgAuthorizerURINeeded)
	case !isAuthorizerURI(*a.AuthorizerURI):
		return BadRequest(msgAuthorizerURI, *a.AuthorizerURI)
	case a.JWTConfiguration != nil:
		return BadRequest(msgJWTConfigurationRequest)
	case webSocket && version != "":
		return BadRequest(msgNotWebSocket, "AuthorizerPayloadFormatVersion")
	case !webSocket && version == "":
		return BadRequest(msgAuthorizerVersionNeeded)
	case version != "" && version != "1.0" && version != "2.0":
		return BadRequest(msgAuthorizerVersion, version)
	case val(a.EnableSimpleResponses) && version != "2.0":
		return BadRequest(msgSimpleResponses)
	case ttl < 0 || ttl > maxAuthorizerTTL:
		return BadRequest(msgAuthorizerTTL, maxAuthorizerTTL)
	}
	for _, source := range a.IdentitySource {
		variable, ok := strings.CutPrefix(source, "$context.") // WebSocket APIs write no dollar sign
		if !sources.MatchString(source) || ok && !isHTTPVariable(variable) {
			return BadRequest(badSource, source)
		}
	}
	if ttl > 0 && len(a.IdentitySource) == 0 {
		return BadRequest(msgAuthorizerTTLSource)
	}
	return nil
}

// stageVariable is a stage variable as it stands in URIs and ARNs.
var stageVariable = regexp.MustCompile(`\$\{stageVariables\.[A-Za-z0-9_]+\}`)

// isAuthorizerURI reports whether text is the URI to invoke a function by. Stage
// variables may stand anywhere in it, also for all of the function's ARN; text that
// only begins like one is refused.
func isAuthorizerURI(text string) bool {
	if !lambdaInvokeARN.MatchString(text) || strings.Contains(stageVariable.ReplaceAllString(text, "v"), "${stageVariables.") {
		return false
	}
	_, function, _ := strings.Cut(text, "/functions/")
	return stageVariable.MatchString(function) || lambdaFunctionARN.MatchString(strings.TrimSuffix(function, "/invocations"))
}

func checkJWTAuthorizer(x *authorizerChange) error {
	a := x.item
	switch {
	case isWebSocket(x.doc):
		return BadRequest(msgRequestOnly)
	case a.AuthorizerURI != nil:
		return BadRequest(msgOnlyRequest, "AuthorizerUri")
	case a.AuthorizerCredentialsARN != nil:
		return BadRequest(msgOnlyRequest, "AuthorizerCredentialsArn")
	case a.EnableSimpleResponses != nil:
		return BadRequest(msgOnlyRequest, "EnableSimpleResponses")
	case a.AuthorizerPayloadFormatVersion != nil:
		return BadRequest(msgOnlyRequest, "AuthorizerPayloadFormatVersion")
	case a.JWTConfiguration == nil:
		return BadRequest(msgJWTConfiguration)
	case len(a.IdentitySource) != 1:
		return BadRequest(msgTokenSource)
	case !tokenSource.MatchString(a.IdentitySource[0]):
		return BadRequest(msgIdentitySource, a.IdentitySource[0])
	}
	jwt := a.JWTConfiguration
	issuer := val(jwt.Issuer)
	switch {
	case !isIssuer(issuer):
		return BadRequest(msgIssuer)
	case len(jwt.Audience) == 0:
		return BadRequest(msgAudience)
	case len(jwt.Audience) > x.Limits.Audiences:
		return BadRequest(msgAudiences, x.Limits.Audiences)
	case slices.Contains(jwt.Audience, ""):
		return BadRequest(msgAudience)
	}
	if x.old != nil && x.old.JWTConfiguration != nil && val(x.old.JWTConfiguration.Issuer) == issuer {
		return nil
	}
	return x.discover(issuer)
}

// discover asks an issuer for its configuration, if the server is to; in one call
// once.
func (c *call) discover(issuer string) error {
	if c.Discover == nil {
		return nil
	}
	if err, asked := c.discovered[issuer]; asked {
		return err
	}
	if c.discovered == nil {
		c.discovered = map[string]error{}
	}
	from := strings.TrimSuffix(issuer, "/") + model.DiscoveryPath
	c.discovered[issuer] = nil
	if err := c.Discover(c.request.Context(), from); err != nil {
		c.Log.InfoContext(c.request.Context(), "issuer not found", "issuer", issuer, "error", err)
		c.discovered[issuer] = BadRequest(msgDiscovery, from, issuer)
	}
	return c.discovered[issuer]
}

// isIssuer reports whether text can be the issuer of tokens: a URL with https, or
// with http to this machine, where people run identity providers of their own.
func isIssuer(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.ContainsFunc(text, isControl) {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	host := strings.ToLower(u.Hostname())
	ip, err := netip.ParseAddr(host)
	return u.Scheme == "http" && (host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.IsLoopback())
}

func authorizerInUse(x *authorizerChange) error {
	if key := authorizedRoute(x.doc, *x.item.AuthorizerID); key != "" {
		return Conflict(msgAuthorizerInUse, val(x.item.Name), key)
	}
	return nil
}

// authorizedRoute returns the key of the first route that asks an authorizer, or "".
func authorizedRoute(d *model.APIDocument, authorizerID string) string {
	for _, id := range slices.Sorted(maps.Keys(d.Routes)) {
		if r := d.Routes[id]; val(r.AuthorizerID) == authorizerID {
			return *r.RouteKey
		}
	}
	return ""
}

// resetAuthorizersCache says that the results which authorizers have given for a
// stage are to be forgotten. Every node that serves the stage hears of it.
func resetAuthorizersCache(c *call) (any, error) {
	return nil, apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		name := c.labels["stageName"]
		if d.Stages[name] == nil {
			return NotFound("Stage", name)
		}
		if d.AuthorizerResets == nil {
			d.AuthorizerResets = map[string]int{}
		}
		d.AuthorizerReset++
		d.AuthorizerResets[name] = d.AuthorizerReset
		return nil
	})
}
