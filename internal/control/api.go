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

// shown returns an API as it is answered. Its endpoint depends on where the
// gateway listens now and is not stored.
func (s *Server) shown(d *model.APIDocument) *model.API {
	api := d.API
	api.APIEndpoint = new(s.Endpoint(*api.APIID, *api.ProtocolType))
	return &api
}

func createAPI(c *call) (any, error) {
	if err := c.decode(); err != nil {
		return nil, err
	}
	in := c.input.(*model.CreateAPIRequest)
	d := model.NewAPIDocument(model.API{})
	c.op.Apply(&d.API, in)
	if err := settleAPI(c, d); err != nil {
		return nil, err
	}
	d.API.CreatedDate = c.now()
	rev, err := c.add(d, func(e *edit) error { return quickCreate(e, d, in) })
	if err != nil {
		return nil, err
	}
	return c.shown(d), c.served(rev)
}

// add stores a new API under an ID of its own, after what fill puts under it.
func (c *call) add(d *model.APIDocument, fill func(e *edit) error) (uint64, error) {
	unlock, err := c.locks.lock(c.request.Context(), model.APIPrefix)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if len(c.Store.List(model.APIPrefix)) >= c.Limits.APIs {
		return 0, BadRequest(msgAPIQuota)
	}
	id := unusedID(10, func(id string) bool {
		_, used := c.Store.Get(model.APIKey(id))
		return used
	})
	d.API.APIID = &id
	e := newEdit(c)
	if err := fill(e); err != nil {
		return 0, err
	}
	data, err := d.Encode()
	if err != nil {
		return 0, err
	}
	if err := e.create(model.APIKey(id), data); err != nil {
		return 0, err
	}
	return e.commit()
}

func getAPI(c *call) (any, error) {
	d, err := apiRoot.read(c)
	if err != nil {
		return nil, err
	}
	return c.shown(d), nil
}

func getAPIs(c *call) (any, error) {
	stored := c.Store.List(model.APIPrefix)
	return page(c, storedKeys(stored), func(i int) ([]byte, error) {
		d, err := decodedAs(c.Server, stored[i], model.ParseAPI)
		if err != nil {
			return nil, err
		}
		return encode(c.shown(d))
	})
}

func updateAPI(c *call) (any, error) {
	if _, err := apiRoot.read(c); err != nil {
		return nil, err
	}
	if err := c.decode(); err != nil {
		return nil, err
	}
	in := c.input.(*model.UpdateAPIRequest)
	var out *model.API
	err := apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		if in.APIKeySelectionExpression != nil && *in.APIKeySelectionExpression == "" {
			return BadRequest(msgAPIKeyExpression)
		}
		if in.RouteSelectionExpression != nil && *in.RouteSelectionExpression == "" {
			return badRouteSelection(d)
		}
		before := d.API
		c.op.Apply(&d.API, in)
		if err := settleAPI(c, d); err != nil {
			return err
		}
		if err := quickUpdate(e, d, in); err != nil {
			return err
		}
		out = c.shown(d)
		if in.Target == nil && in.RouteKey == nil && in.CredentialsARN == nil && servesAlike(&before, &d.API) {
			return nil
		}
		return e.deployAutomatically(d)
	})
	return out, err
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

func deleteAPI(c *call) (any, error) {
	return nil, apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		id := *d.API.APIID
		for _, deployment := range c.Store.List(model.DeploymentsOf(id)) {
			e.delete(deployment.Key)
		}
		e.delete(model.APIKey(id))
		return nil
	})
}

// settleAPI fills in what a create or update has left absent and checks the rest.
func settleAPI(c *call, d *model.APIDocument) error {
	api := &d.API
	apiShape.Settle(api)
	setDefault(&api.APIKeySelectionExpression, headerAPIKeySelection)
	setDefault(&api.DisableExecuteAPIEndpoint, false)
	setDefault(&api.IpAddressType, model.IpAddressTypeIpv4)

	switch name := val(api.Name); {
	case name == "":
		return BadRequest(msgAPIName)
	case utf8.RuneCountInString(name) > maxAPIName:
		return BadRequest(msgProblems+msgLength, "name", 1, maxAPIName)
	}
	switch val(api.ProtocolType) {
	case model.ProtocolTypeHTTP:
		api.DisableSchemaValidation = nil // accepted, without a meaning for HTTP APIs
		setDefault(&api.RouteSelectionExpression, httpRouteSelection)
		if *api.RouteSelectionExpression == "${request.method} ${request.path}" {
			*api.RouteSelectionExpression = httpRouteSelection
		}
		if *api.RouteSelectionExpression != httpRouteSelection {
			return badRouteSelection(d)
		}
	case model.ProtocolTypeWebsocket:
		if !isSelectionExpression(val(api.RouteSelectionExpression)) {
			return badRouteSelection(d)
		}
	default:
		return BadRequest(msgInvalidProtocol)
	}
	if key := *api.APIKeySelectionExpression; key != headerAPIKeySelection && key != authorizerKeySelection {
		return BadRequest(msgAPIKeyExpression)
	}
	if err := settleCors(c, d); err != nil {
		return err
	}
	return checkTags(api.Tags, c.Limits)
}

const maxAPIName = 128 // characters

var apiShape = model.FindOperation("GetApi").Output

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
