package control

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

// The responses of integrations and of routes, which WebSocket APIs have.

var integrationResponses = collection[model.IntegrationResponse, model.APIDocument]{
	kind: "IntegrationResponse",
	root: apiRoot,
	in: func(d *model.APIDocument, c *call) (items[model.IntegrationResponse], error) {
		id := c.labels["integrationId"]
		if d.Integrations[id] == nil {
			return nil, NotFound("Integration", id)
		}
		return d.IntegrationResponses[id], nil
	},
	name:   func(r *model.IntegrationResponse) **string { return &r.IntegrationResponseID },
	length: 6,
	check:  checkIntegrationResponse,
	after:  func(x *integrationResponseChange) error { return x.deployAutomatically(x.doc) },
}

type integrationResponseChange = change[model.IntegrationResponse, model.APIDocument]

// What a response parameter of an integration response may set, and from what.
var (
	responseParameter = regexp.MustCompile(`^method\.response\.header\.[!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+$`)
	responseValue     = regexp.MustCompile(`^(?:'[^']*'|integration\.response\.(?:statuscode|(?:multivalue)?header\.[^\s{}]+|body(?:\..+)?)|context\.[A-Za-z0-9._-]+|stageVariables\.[A-Za-z0-9_]+)$`)
)

func checkIntegrationResponse(x *integrationResponseChange) error {
	r := x.item
	key := val(r.IntegrationResponseKey)
	switch {
	case !isWebSocket(x.doc):
		return BadRequest(msgIntegrationResponseHTTP)
	case key != defaultRouteKey && (len(key) < 3 || key[0] != '/' || key[len(key)-1] != '/'):
		return BadRequest(msgIntegrationResponseKey, key)
	case len(r.ResponseParameters) > x.Limits.MappedParameters:
		return BadRequest(msgMappedParameters, "responseParameters", x.Limits.MappedParameters)
	}
	for _, name := range slices.Sorted(maps.Keys(r.ResponseParameters)) {
		value := r.ResponseParameters[name]
		problem := ""
		switch {
		case !responseParameter.MatchString(name):
			problem = name
		case !responseValue.MatchString(value) || strings.ContainsFunc(value, isControl):
			problem = value
		}
		if problem != "" {
			return BadRequest(msgMapping, fmt.Sprintf(msgWebSocketMapping, problem))
		}
	}
	for id, other := range x.doc.IntegrationResponses[x.labels["integrationId"]] {
		if id != *r.IntegrationResponseID && *other.IntegrationResponseKey == key {
			return Conflict(msgIntegrationResponseExists, key)
		}
	}
	return nil
}

var routeResponses = collection[model.RouteResponse, model.APIDocument]{
	kind: "RouteResponse",
	root: apiRoot,
	in: func(d *model.APIDocument, c *call) (items[model.RouteResponse], error) {
		id := c.labels["routeId"]
		if d.Routes[id] == nil {
			return nil, NotFound("Route", id)
		}
		return d.RouteResponses[id], nil
	},
	name:   func(r *model.RouteResponse) **string { return &r.RouteResponseID },
	length: 6,
	check:  checkRouteResponse,
	after:  func(x *routeResponseChange) error { return x.deployAutomatically(x.doc) },
}

type routeResponseChange = change[model.RouteResponse, model.APIDocument]

// routeResponseParameter is the form of a parameter of a route response.
var routeResponseParameter = regexp.MustCompile(`^route\.response\.header\.[^\s]+$`)

func checkRouteResponse(x *routeResponseChange) error {
	r := x.item
	if !isWebSocket(x.doc) {
		return BadRequest(msgRouteResponseHTTP)
	}
	if val(r.RouteResponseKey) != defaultRouteKey {
		return BadRequest(msgRouteResponseKey)
	}
	for _, name := range slices.Sorted(maps.Keys(r.ResponseParameters)) {
		if !routeResponseParameter.MatchString(name) {
			return BadRequest(msgRouteResponseParameter, name)
		}
	}
	if err := checkModels(x.doc, r.ResponseModels); err != nil {
		return err
	}
	for id := range x.doc.RouteResponses[x.labels["routeId"]] {
		if id != *r.RouteResponseID {
			return Conflict(msgRouteResponseExists)
		}
	}
	return nil
}
