package control

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"penstock/internal/model"
)

const (
	httpRouteSelection     = "$request.method $request.path"
	headerAPIKeySelection  = "$request.header.x-api-key"
	authorizerKeySelection = "$context.authorizer.usageIdentifierKey"
)

func isWebSocket(d *model.APIDocument) bool {
	return val(d.API.ProtocolType) == model.ProtocolTypeWebsocket
}

// awsEndpoint returns the apiEndpoint that the real service would give.
func (s *Server) awsEndpoint(apiID, protocol string) string {
	scheme := "https"
	if protocol == model.ProtocolTypeWebsocket {
		scheme = "wss"
	}
	return fmt.Sprintf("%s://%s.execute-api.%s.amazonaws.com", scheme, apiID, s.Region)
}

var apis = collection[model.API, model.APIDocument]{
	kind:     "Api",
	root:     apiRoot,
	own:      func(d *model.APIDocument) *model.API { return &d.API },
	name:     func(a *model.API) **string { return &a.APIID },
	length:   10,
	quota:    func(l Limits) int { return l.APIs },
	defaults: defaultAPI,
	check:    checkAPI,
	inUse:    apiInUse,
	after:    afterAPI,
	answer:   answerAPI,
}

type apiChange = change[model.API, model.APIDocument]

// answerAPI returns an API as it is answered. Its endpoint depends on where the
// gateway listens now and is not stored.
func answerAPI(c *call, a *model.API) any {
	shown := *a
	shown.APIEndpoint = new(c.Endpoint(*a.APIID, *a.ProtocolType))
	return &shown
}

// afterAPI makes and updates what a target asks for, deploys what has changed, and
// deletes the deployments of an API that goes.
func afterAPI(x *apiChange) error {
	if x.deleted {
		for _, deployment := range x.Store.List(model.DeploymentsOf(*x.item.APIID)) {
			x.edit.delete(deployment.Key)
		}
		return nil
	}
	switch in := x.input.(type) {
	case *model.CreateAPIRequest:
		return quickCreate(x.edit, x.doc, in)
	case *model.UpdateAPIRequest:
		if err := quickUpdate(x.edit, x.doc, in); err != nil {
			return err
		}
		if in.Target == nil && in.RouteKey == nil && in.CredentialsARN == nil && servesAlike(x.old, x.item) {
			return nil
		}
	}
	return x.deployAutomatically(x.doc)
}

// servesAlike reports whether two states of an API differ in nothing that a
// deployment serves.
func servesAlike(a, b *model.API) bool {
	served := func(api *model.API) string {
		text, _ := encode(model.API{
			APIKeySelectionExpression: api.APIKeySelectionExpression,
			CorsConfiguration:         api.CorsConfiguration,
			DisableExecuteAPIEndpoint: api.DisableExecuteAPIEndpoint,
			DisableSchemaValidation:   api.DisableSchemaValidation,
			IpAddressType:             api.IpAddressType,
			RouteSelectionExpression:  api.RouteSelectionExpression,
		})
		return string(text)
	}
	return served(a) == served(b)
}

// apiInUse refuses to delete an API that a custom domain leads to.
func apiInUse(x *apiChange) error {
	domains, err := x.domainsOf(*x.item.APIID, "")
	if err != nil || len(domains) == 0 {
		return err
	}
	return BadRequest(msgAPIInUse, *x.item.APIID)
}

// defaultAPI fills in what an API of its protocol always has.
func defaultAPI(x *apiChange) {
	api := x.item
	if x.old == nil {
		api.CreatedDate = x.now()
	}
	setDefault(&api.APIKeySelectionExpression, headerAPIKeySelection)
	setDefault(&api.DisableExecuteAPIEndpoint, false)
	setDefault(&api.IpAddressType, model.IpAddressTypeIpv4)
	if val(api.ProtocolType) == model.ProtocolTypeHTTP {
		api.DisableSchemaValidation = nil // accepted, without a meaning for HTTP APIs
		setDefault(&api.RouteSelectionExpression, httpRouteSelection)
		if *api.RouteSelectionExpression == "${request.method} ${request.path}" {
			*api.RouteSelectionExpression = httpRouteSelection
		}
	}
	settleCors(api)
}

func checkAPIName(api *model.API) error {
	switch name := val(api.Name); {
	case name == "":
		return BadRequest(msgAPIName)
	case utf8.RuneCountInString(name) > maxAPIName:
		return BadRequest(msgProblems+msgLength, "name", 1, maxAPIName)
	}
	return nil
}

func checkAPI(x *apiChange) error {
	api := x.item
	if err := checkAPIName(api); err != nil {
		return err
	}
	if in, ok := x.input.(*model.UpdateAPIRequest); ok { // neither can be cleared
		if in.APIKeySelectionExpression != nil && *in.APIKeySelectionExpression == "" {
			return BadRequest(msgAPIKeyExpression)
		}
		if in.RouteSelectionExpression != nil && *in.RouteSelectionExpression == "" {
			return badRouteSelection(x.doc)
		}
	}
	switch val(api.ProtocolType) {
	case model.ProtocolTypeHTTP:
		if *api.RouteSelectionExpression != httpRouteSelection {
			return badRouteSelection(x.doc)
		}
	case model.ProtocolTypeWebsocket:
		if !isSelectionExpression(val(api.RouteSelectionExpression)) {
			return badRouteSelection(x.doc)
		}
	default:
		return BadRequest(msgInvalidProtocol)
	}
	if key := *api.APIKeySelectionExpression; key != headerAPIKeySelection && key != authorizerKeySelection {
		return BadRequest(msgAPIKeyExpression)
	}
	if err := checkCors(x.call, x.doc); err != nil {
		return err
	}
	return checkTags(api.Tags, x.Limits)
}

const maxAPIName = 128 // characters

func badRouteSelection(d *model.APIDocument) error {
	if isWebSocket(d) {
		return BadRequest(msgWebSocketExpression)
	}
	return BadRequest(msgHTTPExpression)
}

// isSelectionExpression reports whether text can be evaluated: it is not empty and
// closes the braces it opens.
func isSelectionExpression(text string) bool {
	for rest := text; ; {
		_, after, opened := strings.Cut(rest, "${")
		if !opened {
			return text != ""
		}
		var closed bool
		if _, rest, closed = strings.Cut(after, "}"); !closed {
			return false
		}
	}
}
