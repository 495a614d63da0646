package model

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An APIDocument is everything that is edited together: an API and what stands
// under it. It is stored under [APIKey]. Items are keyed by their IDs, stages by
// their names; responses by the ID of what they answer for, then by their own.
//
// A document that was read with [ParseAPI] has no nil map, and has an inner map
// for each integration and route.
type APIDocument struct {
	API API `json:"api"`
	Resources
	Stages map[string]*Stage `json:"stages,omitempty"`

	// LastDeployment is the creation date of the newest deployment there was,
	// deleted ones included: the next one is later.
	LastDeployment time.Time `json:"lastDeployment,omitzero"`

	// AutomaticDeployments are the IDs of the deployments there are that were made
	// because something was changed, oldest first.
	AutomaticDeployments []string `json:"automaticDeployments,omitzero"`

	// AuthorizerResets says of stages when the results that their authorizers had given
	// were to be forgotten: by the number of such resets in the API until then, which is
	// AuthorizerReset now.
	AuthorizerResets map[string]int `json:"authorizerResets,omitempty"`
	AuthorizerReset  int            `json:"authorizerReset,omitzero"`
}

// Resources is the part of an API that a deployment copies.
type Resources struct {
	Integrations         map[string]*Integration                    `json:"integrations,omitempty"`
	IntegrationResponses map[string]map[string]*IntegrationResponse `json:"integrationResponses,omitempty"`
	Routes               map[string]*Route                          `json:"routes,omitempty"`
	RouteResponses       map[string]map[string]*RouteResponse       `json:"routeResponses,omitempty"`
	Authorizers          map[string]*Authorizer                     `json:"authorizers,omitempty"`
	Models               map[string]*Model                          `json:"models,omitempty"`
}

// A DomainDocument is a custom domain name with its API mappings and routing rules,
// by their IDs. It is stored under [DomainKey]. One that was read with
// [ParseDomain] has no nil map.
type DomainDocument struct {
	DomainName DomainName              `json:"domainName"`
	Mappings   map[string]*APIMapping  `json:"apiMappings,omitempty"`
	Rules      map[string]*RoutingRule `json:"routingRules,omitempty"`
}

// A VpcLinkDocument is a VPC link. It is stored under [VpcLinkKey].
type VpcLinkDocument struct {
	VpcLink VpcLink `json:"vpcLink"`
}

// A PortalDocument is a portal. It is stored under [PortalKey].
type PortalDocument struct {
	Portal  PortalSummary `json:"portal"`
	LogoURI *string       `json:"logoUri,omitzero"` // never answered

	// Published are the ARNs of the products that were in the portal when it was
	// last published, nil while it is not.
	Published []string `json:"published,omitzero"`
}

// A PortalProductDocument is a portal product with its pages, by their IDs. It is
// stored under [PortalProductKey]. One that was read with [ParsePortalProduct] has
// no nil map.
type PortalProductDocument struct {
	Product       GetPortalProductResponse           `json:"portalProduct"`
	Pages         map[string]*GetProductPageResponse `json:"productPages,omitempty"`
	EndpointPages map[string]*EndpointPage           `json:"productRestEndpointPages,omitempty"`
	SharingPolicy *string                            `json:"sharingPolicy,omitzero"` // a policy document
}

// An EndpointPage is a product REST endpoint page as it was written. What is
// answered is made from it: the content is shown in another form than it is given.
type EndpointPage struct {
	ProductRestEndpointPageID  *string                 `json:"productRestEndpointPageId,omitzero"`
	ProductRestEndpointPageARN *string                 `json:"productRestEndpointPageArn,omitzero"`
	DisplayContent             *EndpointDisplayContent `json:"displayContent,omitzero"`
	LastModified               *time.Time              `json:"lastModified,omitzero"`
	OperationName              *string                 `json:"operationName,omitzero"` // of the route it is about
	RestEndpointIdentifier     *RestEndpointIdentifier `json:"restEndpointIdentifier,omitzero"`
	Status                     *string                 `json:"status,omitzero"`
	StatusException            *StatusException        `json:"statusException,omitzero"`
	TryItState                 *string                 `json:"tryItState,omitzero"`
}

// A DeploymentDocument is an API as it was when it was deployed: a copy that is
// never edited, but for the description of the deployment. It is stored under
// [DeploymentKey].
type DeploymentDocument struct {
	Deployment Deployment `json:"deployment"`
	API        API        `json:"api"`
	Resources
}

// NewAPIDocument returns a document that holds an API and nothing under it.
func NewAPIDocument(api API) *APIDocument {
	d := &APIDocument{API: api}
	d.fill()
	return d
}

// ParseAPI reads a stored API document. What it returns shares nothing with data.
func ParseAPI(data []byte) (*APIDocument, error) {
	d, err := parse[APIDocument]("API", data)
	if err == nil {
		d.fill()
	}
	return d, err
}

// ParseDeployment reads a stored deployment document. What it returns shares
// nothing with data.
func ParseDeployment(data []byte) (*DeploymentDocument, error) {
	d, err := parse[DeploymentDocument]("deployment", data)
	if err == nil {
		d.Resources.fill()
	}
	return d, err
}

// ParseDomain reads a stored domain document. What it returns shares nothing with
// data.
func ParseDomain(data []byte) (*DomainDocument, error) {
	d, err := parse[DomainDocument]("domain", data)
	if err == nil {
		makeMap(&d.Mappings)
		makeMap(&d.Rules)
	}
	return d, err
}

// ParseVpcLink reads a stored VPC link document.
func ParseVpcLink(data []byte) (*VpcLinkDocument, error) {
	return parse[VpcLinkDocument]("VPC link", data)
}

// ParsePortal reads a stored portal document.
func ParsePortal(data []byte) (*PortalDocument, error) {
	return parse[PortalDocument]("portal", data)
}

// ParsePortalProduct reads a stored portal product document. What it returns
// shares nothing with data.
func ParsePortalProduct(data []byte) (*PortalProductDocument, error) {
	d, err := parse[PortalProductDocument]("portal product", data)
	if err == nil {
		makeMap(&d.Pages)
		makeMap(&d.EndpointPages)
	}
	return d, err
}

func parse[D any](what string, data []byte) (*D, error) {
	d := new(D)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read %s document: %w", what, err)
	}
	return d, nil
}

// Encode returns d as it is stored. The same document gives the same bytes.
func (d *APIDocument) Encode() ([]byte, error) {
	c := *d
	c.IntegrationResponses = withoutEmpty(d.IntegrationResponses)
	c.RouteResponses = withoutEmpty(d.RouteResponses)
	return json.Marshal(&c)
}

// Encode returns d as it is stored. The same document gives the same bytes.
func (d *DeploymentDocument) Encode() ([]byte, error) {
	c := *d
	c.IntegrationResponses = withoutEmpty(d.IntegrationResponses)
	c.RouteResponses = withoutEmpty(d.RouteResponses)
	return json.Marshal(&c)
}

func withoutEmpty[V any](maps map[string]map[string]V) map[string]map[string]V {
	kept := map[string]map[string]V{}
	for id, inner := range maps {
		if len(inner) > 0 {
			kept[id] = inner
		}
	}
	return kept
}

func (d *APIDocument) fill() {
	d.Resources.fill()
	makeMap(&d.Stages)
}

func (r *Resources) fill() {
	makeMap(&r.Integrations)
	makeMap(&r.Routes)
	makeMap(&r.Authorizers)
	makeMap(&r.Models)
	fillInner(&r.IntegrationResponses, r.Integrations)
	fillInner(&r.RouteResponses, r.Routes)
}

func makeMap[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}

func fillInner[V, P any](inner *map[string]map[string]V, parents map[string]P) {
	makeMap(inner)
	for id := range parents {
		if (*inner)[id] == nil {
			(*inner)[id] = map[string]V{}
		}
	}
}

// Prefixes of the keys of stored documents. IDs hold no dot, and a domain name is
// the last part of its key, so that one key has one meaning.
const (
	APIPrefix           = "api."
	DeploymentPrefix    = "deployment."
	DomainPrefix        = "domain."
	VpcLinkPrefix       = "vpclink."
	PortalPrefix        = "portal."
	PortalProductPrefix = "portalproduct."
)

// DomainKey returns the key of a domain name's document.
func DomainKey(domainName string) string { return DomainPrefix + domainName }

// VpcLinkKey returns the key of a VPC link's document.
func VpcLinkKey(vpcLinkID string) string { return VpcLinkPrefix + vpcLinkID }

// PortalKey returns the key of a portal's document.
func PortalKey(portalID string) string { return PortalPrefix + portalID }

// PortalProductKey returns the key of a portal product's document.
func PortalProductKey(portalProductID string) string { return PortalProductPrefix + portalProductID }

// APIKey returns the key of an API's document.
func APIKey(apiID string) string { return APIPrefix + apiID }

// SplitAPIKey returns the ID in an API's key.
func SplitAPIKey(key string) (apiID string, ok bool) {
	apiID, ok = strings.CutPrefix(key, APIPrefix)
	return apiID, ok && apiID != ""
}

// DeploymentKey returns the key of a deployment's document.
func DeploymentKey(apiID, deploymentID string) string {
	return DeploymentsOf(apiID) + deploymentID
}

// DeploymentsOf returns the prefix of the keys of an API's deployments.
func DeploymentsOf(apiID string) string { return DeploymentPrefix + apiID + "." }

// SplitDeploymentKey returns the IDs in a deployment's key.
func SplitDeploymentKey(key string) (apiID, deploymentID string, ok bool) {
	rest, ok := strings.CutPrefix(key, DeploymentPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ".")
}
