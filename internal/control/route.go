package control

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
	"penstock/internal/route"
)

const (
	defaultRouteKey    = "$default"
	connectRouteKey    = "$connect"
	disconnectRouteKey = "$disconnect"
)

var routes = collection[model.Route, model.APIDocument]{
	kind:     "Route",
	root:     apiRoot,
	in:       func(d *model.APIDocument, _ *call) (items[model.Route], error) { return d.Routes, nil },
	name:     func(r *model.Route) **string { return &r.RouteID },
	length:   7,
	quota:    func(l Limits) int { return l.Routes },
	defaults: defaultRoute,
	check:    checkRoute,
	inUse:    routeInUse,
	after:    afterRoute,
}

type routeChange = change[model.Route, model.APIDocument]

// defaultRoute fills in what a route always has. A route that no longer asks an
// authorizer forgets which one, unless the caller names one all the same.
func defaultRoute(x *routeChange) {
	r := x.item
	setDefault(&r.APIKeyRequired, false)
	setDefault(&r.AuthorizationType, model.AuthorizationTypeNone)
	if typ := *r.AuthorizationType; typ != model.AuthorizationTypeJWT {
		if !x.sent("authorizationScopes") {
			r.AuthorizationScopes = nil
		}
		if typ != model.AuthorizationTypeCustom && !x.sent("authorizerId") {
			r.AuthorizerID = nil
		}
	}
}

func checkRoute(x *routeChange) error {
	checks := []func(*routeChange) error{checkHTTPRoute, checkAuthorization, checkTarget, checkRouteConflict}
	if isWebSocket(x.doc) {
		checks[0] = checkWebSocketRoute
	}
	for _, check := range checks {
		if err := check(x); err != nil {
			return err
		}
	}
	return nil
}

// checkHTTPRoute checks the route key and refuses what HTTP APIs do not have.
func checkHTTPRoute(x *routeChange) error {
	r := x.item
	if _, err := route.ParseKey(val(r.RouteKey)); err != nil {
		var bad *route.KeyError
		if errors.As(err, &bad) && bad.Kind == route.InvalidPart {
			return BadRequest(msgRoutePath)
		}
		return BadRequest(msgHTTPRouteKey)
	}
	switch {
	case *r.APIKeyRequired:
		return BadRequest(msgHTTPAPIKey)
	case r.ModelSelectionExpression != nil:
		return BadRequest(msgNotHTTP, "ModelSelectionExpression")
	case r.RequestModels != nil && !x.RequestModels:
		return BadRequest(msgNotHTTP, "RequestModels")
	case r.RequestParameters != nil:
		return BadRequest(msgNotHTTP, "RequestParameters")
	case r.RouteResponseSelectionExpression != nil:
		return BadRequest(msgNotHTTP, "RouteResponseSelectionExpression")
	case x.old != nil && val(x.old.APIGatewayManaged) && *x.old.RouteKey == defaultRouteKey && *r.RouteKey != defaultRouteKey:
		return BadRequest(msgDefaultRouteKey)
	}
	return checkRequestModels(x)
}

// mediaType is the form of a media type without parameters.
var mediaType = regexp.MustCompile(`^[0-9A-Za-z!#$&^_.+-]+/[0-9A-Za-z!#$&^_.+-]+$`)

// checkRequestModels checks the request models of a route of an HTTP API, an extension:
// by media type, of which case does not matter, or $default for all others.
func checkRequestModels(x *routeChange) error {
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(x.item.RequestModels)) {
		if key != defaultRouteKey && !mediaType.MatchString(key) {
			return BadRequest(msgRequestModelKey, key)
		}
		if other, ok := seen[strings.ToLower(key)]; ok {
			return BadRequest(msgRequestModelTwice, other, key)
		}
		seen[strings.ToLower(key)] = key
	}
	return checkModels(x.doc, x.item.RequestModels)
}

// routeParameter is the form of a request parameter of a WebSocket route.
var routeParameter = regexp.MustCompile(`^route\.request\.(?:header|querystring)\.[^\s]+$`)

// checkWebSocketRoute checks the route key and what only WebSocket APIs have.
func checkWebSocketRoute(x *routeChange) error {
	r := x.item
	if route.CheckWebSocketKey(val(r.RouteKey)) != nil {
		return BadRequest(msgWebSocketRouteKey)
	}
	if r.RouteResponseSelectionExpression != nil && *r.RouteResponseSelectionExpression != defaultRouteKey {
		return BadRequest(msgResponseSelection)
	}
	for _, name := range slices.Sorted(maps.Keys(r.RequestParameters)) {
		if !routeParameter.MatchString(name) {
			return BadRequest(msgRouteParameter, name)
		}
	}
	return checkModels(x.doc, r.RequestModels)
}

// checkRouteConflict compares the route key with those of the other routes. Of
// several that conflict, the one with the first ID is told.
func checkRouteConflict(x *routeChange) error {
	key := *x.item.RouteKey
	parsed, _ := x.routeKey(key) // for WebSocket APIs of no use: nothing conflicts with a key without a path
	var first string
	for id, other := range x.doc.Routes {
		if id == val(x.item.RouteID) || first != "" && id > first {
			continue
		}
		if *other.RouteKey == key {
			first = id
		} else if o, ok := x.routeKey(*other.RouteKey); ok && !isWebSocket(x.doc) && parsed.ConflictsWith(o) {
			first = id
		}
	}
	if first == "" {
		return nil
	}
	if other := *x.doc.Routes[first].RouteKey; other != key {
		return Conflict(msgRouteVariable, key, other)
	}
	return Conflict(msgRouteExists, key)
}

// routeKey returns a parsed route key, which an edit of many routes parses once.
func (e *edit) routeKey(text string) (route.Key, bool) {
	k, ok := e.keys[text]
	if !ok {
		parsed, err := route.ParseKey(text)
		k = parsedKey{parsed, err == nil}
		if e.keys == nil {
			e.keys = map[string]parsedKey{}
		}
		e.keys[text] = k
	}
	return k.key, k.ok
}

type parsedKey struct {
	key route.Key
	ok  bool
}

// checkAuthorization checks who may call the route. The authorizer that is named
// must be one that the type of authorization can ask.
func checkAuthorization(x *routeChange) error {
	r := x.item
	typ := *r.AuthorizationType
	if isWebSocket(x.doc) && typ != model.AuthorizationTypeNone && *r.RouteKey != connectRouteKey {
		return BadRequest(msgConnectOnly)
	}
	var authorizerType string
	if a := x.doc.Authorizers[val(r.AuthorizerID)]; a != nil {
		authorizerType = val(a.AuthorizerType)
	}
	switch {
	case typ == model.AuthorizationTypeJWT && isWebSocket(x.doc):
		return BadRequest(msgJWTWebSocket)
	case typ == model.AuthorizationTypeJWT && authorizerType != model.AuthorizerTypeJWT:
		return BadRequest(msgJWTAuthorizer)
	case typ == model.AuthorizationTypeCustom && authorizerType != model.AuthorizerTypeRequest:
		return BadRequest(msgCustomAuthorizer)
	case r.AuthorizationScopes != nil && typ != model.AuthorizationTypeJWT:
		return BadRequest(msgScopesJWT)
	case len(r.AuthorizationScopes) > x.Limits.AuthorizationScopes:
		return BadRequest(msgScopeCount, x.Limits.AuthorizationScopes)
	case r.AuthorizerID != nil && typ != model.AuthorizationTypeJWT && typ != model.AuthorizationTypeCustom:
		return BadRequest(msgNeedlessAuthorizer)
	}
	return nil
}

// targetForm is the form of a route's target.
var targetForm = regexp.MustCompile(`^integrations/([a-z0-9]+)$`)

func checkTarget(x *routeChange) error {
	if x.item.Target == nil {
		return nil
	}
	groups := targetForm.FindStringSubmatch(*x.item.Target)
	if groups == nil {
		return BadRequest(msgRouteTarget)
	}
	if x.doc.Integrations[groups[1]] == nil {
		return NotFound("Integration", groups[1])
	}
	return nil
}

func routeInUse(x *routeChange) error {
	if val(x.item.APIGatewayManaged) {
		return BadRequest(msgManaged)
	}
	return nil
}

func afterRoute(x *routeChange) error {
	if x.deleted {
		delete(x.doc.RouteResponses, *x.item.RouteID)
	}
	return x.deployAutomatically(x.doc)
}

func deleteRouteRequestParameter(c *call) (any, error) {
	return nil, apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		r := d.Routes[c.labels["routeId"]]
		if r == nil {
			return NotFound("Route", c.labels["routeId"])
		}
		key := c.labels["requestParameterKey"]
		if _, ok := r.RequestParameters[key]; !ok {
			return notFound(msgRouteParameterAbsent, key)
		}
		delete(r.RequestParameters, key)
		if len(r.RequestParameters) == 0 {
			r.RequestParameters = nil
		}
		return e.deployAutomatically(d)
	})
}
