package control

import (
	"fmt"
	"regexp"
	"slices"

	"penstock/internal/model"
)

var portals = collection[model.PortalSummary, model.PortalDocument]{
	kind:     "Portal",
	root:     portalRoot,
	own:      func(d *model.PortalDocument) *model.PortalSummary { return &d.Portal },
	name:     func(p *model.PortalSummary) **string { return &p.PortalID },
	length:   10,
	quota:    func(l Limits) int { return l.Portals },
	defaults: defaultPortal,
	check:    checkPortal,
	inUse:    portalInUse,
	answer:   answerPortal,
}

type portalChange = change[model.PortalSummary, model.PortalDocument]

// A portalInput is what creates and updates of portals have in common.
type portalInput struct {
	endpoint *model.EndpointConfigurationRequest
	logoURI  *string
}

func portalInputOf(input any) portalInput {
	switch in := input.(type) {
	case *model.CreatePortalRequest:
		return portalInput{in.EndpointConfiguration, in.LogoURI}
	case *model.UpdatePortalRequest:
		return portalInput{in.EndpointConfiguration, in.LogoURI}
	default:
		return portalInput{}
	}
}

// defaultPortal fills in what a portal always has. The endpoint is answered in
// another form than it is given; when a logo was given is answered, the logo is not.
func defaultPortal(x *portalChange) {
	p, in := x.item, portalInputOf(x.input)
	if x.old == nil {
		p.PortalARN = new(x.accountARN("/portals/" + *p.PortalID))
		p.PublishStatus = new(model.PublishStatusDisabled)
	}
	p.LastModified = x.now()
	setDefault(&p.EndpointConfiguration, model.EndpointConfigurationResponse{}) // one without a domain name is stored empty
	if in.endpoint != nil {
		p.EndpointConfiguration = new(model.EndpointConfigurationResponse)
		if acm := in.endpoint.AcmManaged; acm != nil {
			p.EndpointConfiguration.DomainName, p.EndpointConfiguration.CertificateARN = acm.DomainName, acm.CertificateARN
		}
	}
	if in.logoURI != nil {
		x.doc.LogoURI = in.logoURI
		if *in.logoURI == "" {
			x.doc.LogoURI = nil
		}
	}
	if p.PortalContent == nil || p.PortalContent.Theme == nil {
		return
	}
	theme := p.PortalContent.Theme
	switch {
	case x.doc.LogoURI == nil:
		theme.LogoLastUploaded = nil
	case in.logoURI != nil:
		theme.LogoLastUploaded = x.now()
	case x.old != nil && x.old.PortalContent != nil && x.old.PortalContent.Theme != nil:
		theme.LogoLastUploaded = x.old.PortalContent.Theme.LogoLastUploaded
	}
}

var portalProductARN = regexp.MustCompile(`^arn:[^:\s]+:apigateway:[^:\s]*:[0-9]*:/portalproducts/[a-z0-9]{10,30}$`)

func checkPortal(x *portalChange) error {
	p, in := x.item, portalInputOf(x.input)
	if a := p.Authorization; a == nil || (a.None == nil) == (a.CognitoConfig == nil) {
		return BadRequest(msgUnion, "authorization", "none, cognitoConfig")
	}
	if e := in.endpoint; e != nil && (e.None == nil) == (e.AcmManaged == nil) {
		return BadRequest(msgUnion, "endpointConfiguration", "none, acmManaged")
	}
	if len(p.IncludedPortalProductARNs) > x.Limits.PortalProducts {
		return BadRequest(msgProblems+msgEntries, "includedPortalProductArns", x.Limits.PortalProducts)
	}
	for i, arn := range p.IncludedPortalProductARNs {
		if !portalProductARN.MatchString(arn) || slices.Contains(p.IncludedPortalProductARNs[:i], arn) {
			return BadRequest(msgIncludedProduct, arn)
		}
	}
	return checkTags(p.Tags, x.Limits)
}

// portalInUse refuses to delete a portal that is public, also if what it has become
// since could not be published.
func portalInUse(x *portalChange) error {
	if x.doc.Published != nil {
		return BadRequest(msgPortalPublished)
	}
	return nil
}

// answerPortal returns a portal as it is answered. Its default domain depends on
// where the gateway listens now and is not stored.
func answerPortal(c *call, p *model.PortalSummary) any {
	shown := *p
	endpoint := *p.EndpointConfiguration
	endpoint.PortalDefaultDomainName = new(c.portalHost(*p.PortalID))
	endpoint.PortalDomainHostedZoneID = &c.HostedZone
	shown.EndpointConfiguration = &endpoint
	if p.Preview != nil && val(p.Preview.PreviewStatus) == model.PreviewStatusPreviewReady {
		shown.Preview = &model.Preview{
			PreviewStatus: p.Preview.PreviewStatus,
			PreviewUrl:    new("https://" + c.portalHost(*p.PortalID) + "/preview"),
		}
	}
	return &shown
}

func (s *Server) portalHost(portalID string) string { return s.host("portal-" + portalID) }

// publishPortal makes what a portal contains visible. It becomes what was edited
// since only when it is published again.
func publishPortal(c *call) (any, error) {
	return nil, editPortal(c, func(e *edit, d *model.PortalDocument) (err error) {
		p := &d.Portal
		if p.StatusException, err = e.missingProduct(p); err != nil {
			return err
		}
		if p.StatusException != nil {
			p.PublishStatus = new(model.PublishStatusPublishFailed)
			return nil
		}
		p.PublishStatus = new(model.PublishStatusPublished)
		p.LastPublished = e.now()
		p.LastPublishedDescription = nil
		if in := c.input.(*model.PublishPortalRequest); val(in.Description) != "" {
			p.LastPublishedDescription = in.Description
		}
		d.Published = p.IncludedPortalProductARNs
		return nil
	})
}

// previewPortal makes what a portal contains visible to who edits it.
func previewPortal(c *call) (any, error) {
	return nil, editPortal(c, func(e *edit, d *model.PortalDocument) (err error) {
		preview := &model.Preview{PreviewStatus: new(model.PreviewStatusPreviewReady)}
		if preview.StatusException, err = e.missingProduct(&d.Portal); preview.StatusException != nil {
			preview.PreviewStatus = new(model.PreviewStatusPreviewFailed)
		}
		d.Portal.Preview = preview
		return err
	})
}

// disablePortal takes a portal from the public. What it contains stays.
func disablePortal(c *call) (any, error) {
	return nil, editPortal(c, func(_ *edit, d *model.PortalDocument) error {
		d.Portal.PublishStatus, d.Portal.StatusException = new(model.PublishStatusDisabled), nil
		d.Published = nil
		return nil
	})
}

func editPortal(c *call, change func(e *edit, d *model.PortalDocument) error) error {
	if _, err := portalRoot.begin(c); err != nil {
		return err
	}
	return portalRoot.edit(c, change)
}

// missingProduct says which product of a portal does not exist; nil if all do, and
// will until the edit holds.
func (e *edit) missingProduct(p *model.PortalSummary) (*model.StatusException, error) {
	for _, arn := range p.IncludedPortalProductARNs {
		_, ok, err := e.rely(e.portalProductKey(arn))
		if err != nil {
			return nil, err
		}
		if !ok {
			return &model.StatusException{Exception: new("NotFoundException"), Message: new(fmt.Sprintf(msgNotFound, "PortalProduct", arn))}, nil
		}
	}
	return nil, nil
}
