package control

import (
	"slices"
	"strings"

	"penstock/internal/model"
)

var productPages = collection[model.GetProductPageResponse, model.PortalProductDocument]{
	kind: "ProductPage",
	root: portalProductRoot,
	in: func(d *model.PortalProductDocument, _ *call) (items[model.GetProductPageResponse], error) {
		return d.Pages, nil
	},
	name:   func(p *model.GetProductPageResponse) **string { return &p.ProductPageID },
	length: 10,
	quota:  func(l Limits) int { return l.ProductPages },
	defaults: func(x *productPageChange) {
		x.item.LastModified = x.now()
		x.item.ProductPageARN = new(*x.doc.Product.PortalProductARN + "/productpages/" + *x.item.ProductPageID)
	},
	after: func(x *productPageChange) error {
		if x.deleted {
			dropFromOrder(x.doc, *x.item.ProductPageARN)
		}
		return nil
	},
	summary: func(_ *call, p *model.GetProductPageResponse) any {
		return &model.ProductPageSummaryNoBody{
			LastModified:   p.LastModified,
			PageTitle:      p.DisplayContent.Title,
			ProductPageARN: p.ProductPageARN,
			ProductPageID:  p.ProductPageID,
		}
	},
}

type productPageChange = change[model.GetProductPageResponse, model.PortalProductDocument]

// dropFromOrder takes a page that goes out of the order in which its product shows
// pages.
func dropFromOrder(d *model.PortalProductDocument, arn string) {
	order := d.Product.DisplayOrder
	if order == nil {
		return
	}
	is := func(other string) bool { return other == arn }
	if val(order.OverviewPageARN) == arn {
		order.OverviewPageARN = nil
	}
	order.ProductPageARNs = slices.DeleteFunc(order.ProductPageARNs, is)
	for i := range order.Contents {
		order.Contents[i].ProductRestEndpointPageARNs = slices.DeleteFunc(order.Contents[i].ProductRestEndpointPageARNs, is)
	}
}

var endpointPages = collection[model.EndpointPage, model.PortalProductDocument]{
	kind: "ProductRestEndpointPage",
	root: portalProductRoot,
	in: func(d *model.PortalProductDocument, _ *call) (items[model.EndpointPage], error) {
		return d.EndpointPages, nil
	},
	name:     func(p *model.EndpointPage) **string { return &p.ProductRestEndpointPageID },
	length:   10,
	quota:    func(l Limits) int { return l.ProductPages },
	defaults: defaultEndpointPage,
	check:    checkEndpointPage,
	after: func(x *endpointPageChange) error {
		if x.deleted {
			dropFromOrder(x.doc, *x.item.ProductRestEndpointPageARN)
		}
		return nil
	},
	answer:  answerEndpointPage,
	summary: summarizeEndpointPage,
}

type endpointPageChange = change[model.EndpointPage, model.PortalProductDocument]

func defaultEndpointPage(x *endpointPageChange) {
	p := x.item
	p.LastModified = x.now()
	p.ProductRestEndpointPageARN = new(*x.doc.Product.PortalProductARN + "/productrestendpointpages/" + *p.ProductRestEndpointPageID)
	setDefault(&p.DisplayContent, model.EndpointDisplayContent{None: new(model.None)})
	setDefault(&p.TryItState, model.TryItStateDisabled)
	p.Status, p.StatusException, p.OperationName = new(model.StatusAvailable), nil, nil
	if p.RestEndpointIdentifier == nil || p.RestEndpointIdentifier.IdentifierParts == nil {
		return
	}
	route, missing := documented(x.call, p.RestEndpointIdentifier.IdentifierParts)
	if missing != "" {
		p.Status = new(model.StatusFailed)
		p.StatusException = &model.StatusException{Exception: new("NotFoundException"), Message: &missing}
		return
	}
	p.OperationName = route.OperationName
}

func checkEndpointPage(x *endpointPageChange) error {
	p := x.item
	if p.RestEndpointIdentifier == nil || p.RestEndpointIdentifier.IdentifierParts == nil {
		return BadRequest(msgProblems+msgRequired, "restEndpointIdentifier.identifierParts")
	}
	if c := p.DisplayContent; (c.None == nil) == (c.Overrides == nil) {
		return BadRequest(msgUnion, "displayContent", "none, overrides")
	}
	return nil
}

// documented returns the route that a page is about, as it is deployed to the
// stage, or says what is missing.
func documented(c *call, parts *model.IdentifierParts) (*model.Route, string) {
	apiID := *parts.RestAPIID
	if !isID(apiID) {
		return nil, NotFound("Api", apiID).Message
	}
	api, err := apiRoot.stored(c.Server, apiID)
	if err != nil || api == nil {
		return nil, notFound(msgAPINotFound, c.Account, apiID).Message
	}
	stage := api.Stages[*parts.Stage]
	if stage == nil {
		return nil, msgStageNotFound
	}
	key := strings.ToUpper(*parts.Method) + " " + *parts.Path
	stored, ok := c.deployment(apiID, val(stage.DeploymentID))
	if !ok {
		return nil, msgDeploymentNotFound
	}
	d, err := model.ParseDeployment(stored.Data)
	if err != nil {
		return nil, msgDeploymentNotFound
	}
	for _, r := range d.Routes {
		if *r.RouteKey == key {
			return r, ""
		}
	}
	return nil, NotFound("Route", key).Message
}

// answerEndpointPage returns a page as it is answered: its content is what the API
// says, but for what the page overrides.
func answerEndpointPage(c *call, p *model.EndpointPage) any {
	answer := &model.GetProductRestEndpointPageResponse{
		DisplayContent:             endpointContent(c, p),
		LastModified:               p.LastModified,
		ProductRestEndpointPageARN: p.ProductRestEndpointPageARN,
		ProductRestEndpointPageID:  p.ProductRestEndpointPageID,
		RestEndpointIdentifier:     p.RestEndpointIdentifier,
		Status:                     p.Status,
		StatusException:            p.StatusException,
		TryItState:                 p.TryItState,
	}
	if c.query.Get("includeRawDisplayContent") == "true" {
		if text, err := encode(p.DisplayContent); err == nil {
			answer.RawDisplayContent = new(string(text))
		}
	}
	return answer
}

func endpointContent(c *call, p *model.EndpointPage) *model.EndpointDisplayContentResponse {
	parts := p.RestEndpointIdentifier.IdentifierParts
	content := &model.EndpointDisplayContentResponse{OperationName: p.OperationName}
	if o := p.DisplayContent.Overrides; o != nil {
		content.Body, content.Endpoint = o.Body, o.Endpoint
		if o.OperationName != nil {
			content.OperationName = o.OperationName
		}
	}
	if content.Endpoint == nil {
		endpoint := c.Endpoint(*parts.RestAPIID, model.ProtocolTypeHTTP)
		if *parts.Stage != defaultStage {
			endpoint += "/" + *parts.Stage
		}
		content.Endpoint = &endpoint
	}
	return content
}

func summarizeEndpointPage(c *call, p *model.EndpointPage) any {
	content := endpointContent(c, p)
	return &model.ProductRestEndpointPageSummaryNoBody{
		Endpoint:                   content.Endpoint,
		LastModified:               p.LastModified,
		OperationName:              content.OperationName,
		ProductRestEndpointPageARN: p.ProductRestEndpointPageARN,
		ProductRestEndpointPageID:  p.ProductRestEndpointPageID,
		RestEndpointIdentifier:     p.RestEndpointIdentifier,
		Status:                     p.Status,
		StatusException:            p.StatusException,
		TryItState:                 p.TryItState,
	}
}
