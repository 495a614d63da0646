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
	d := new(APIDocument)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read API document: %w", err)
	}
	d.fill()
	return d, nil
}

// ParseDeployment reads a stored deployment document. What it returns shares
// nothing with data.
func ParseDeployment(data []byte) (*DeploymentDocument, error) {
	d := new(DeploymentDocument)
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read deployment document: %w", err)
	}
	d.Resources.fill()
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

// Keys of stored documents. IDs hold no dot, so that one key has one meaning.
const (
	APIPrefix        = "api."        // of every API document
	DeploymentPrefix = "deployment." // of every deployment document
)

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
