// Package compile turns stored documents into what the gateway serves.
//
// Compiling is pure: the same documents give the same stage, and nothing is read
// or called on the way. What cannot work, such as an integration with a stage
// variable that does not exist, becomes a route that answers 500 and says why in
// the log; the other routes of the stage are served.
package compile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/model"
	"penstock/internal/route"
)

// An apiView is the part of a stored API that compiling needs. Leaving out the
// rest spares decoding it: a stage serves its deployment, not what is edited.
type apiView struct {
	API    apiSettings             `json:"api"`
	Stages map[string]*model.Stage `json:"stages"`
}

// A deploymentView is the part of a stored deployment that compiling needs.
type deploymentView struct {
	API          apiSettings                `json:"api"`
	Integrations map[string]integrationView `json:"integrations"`
	Routes       map[string]routeView       `json:"routes"`
}

type apiSettings struct {
	ProtocolType              string `json:"protocolType"`
	DisableExecuteAPIEndpoint bool   `json:"disableExecuteApiEndpoint"`
}

type routeView struct {
	RouteKey          string `json:"routeKey"`
	Target            string `json:"target"`
	AuthorizationType string `json:"authorizationType"`
}

type integrationView struct {
	IntegrationType    string                       `json:"integrationType"`
	ConnectionType     string                       `json:"connectionType"`
	IntegrationMethod  string                       `json:"integrationMethod"`
	IntegrationURI     string                       `json:"integrationUri"`
	TimeoutInMillis    int                          `json:"timeoutInMillis"`
	RequestParameters  map[string]string            `json:"requestParameters"`
	ResponseParameters map[string]map[string]string `json:"responseParameters"`
}

// Stage compiles a stage of an HTTP API out of the deployment it points at. The
// error says why the stage as a whole cannot be served.
func Stage(client *integration.Client, apiID string, stage *model.Stage, deployment []byte) (*gateway.Stage, error) {
	var d deploymentView
	if err := json.Unmarshal(deployment, &d); err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	s := &gateway.Stage{
		APIID:            apiID,
		Name:             value(stage.StageName),
		DeploymentID:     value(stage.DeploymentID),
		EndpointDisabled: d.API.DisableExecuteAPIEndpoint,
	}
	entries := make([]route.Entry[*gateway.Route], 0, len(d.Routes))
	for _, id := range slices.Sorted(maps.Keys(d.Routes)) {
		r := d.Routes[id]
		key, err := route.ParseKey(r.RouteKey)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", id, err)
		}
		compiled := &gateway.Route{Key: key.String(), Vars: key.Vars()}
		compiled.Integration = target(client, &d, &r, key, stage.StageVariables)
		entries = append(entries, route.Entry[*gateway.Route]{Key: key, Value: compiled})
		s.Routes = append(s.Routes, compiled)
	}
	var err error
	if s.Table, err = route.NewTable(entries); err != nil {
		return nil, err
	}
	return s, nil
}

// target compiles what a route leads to; nil when it has no target.
func target(client *integration.Client, d *deploymentView, r *routeView, key route.Key, variables map[string]string) gateway.Integration {
	if r.Target == "" {
		return nil
	}
	// Authorization that is not built must not let anyone through.
	if t := cmp.Or(r.AuthorizationType, "NONE"); t != "NONE" {
		return integration.Failing(fmt.Errorf("authorization type %s is not available in this version; the route denies every request", t))
	}
	id := strings.TrimPrefix(r.Target, "integrations/")
	i, ok := d.Integrations[id]
	if !ok {
		return integration.Failing(fmt.Errorf("integration %s does not exist", id))
	}
	in, err := invoker(client, &i, key, variables)
	if err != nil {
		return integration.Failing(fmt.Errorf("integration %s: %w", id, err))
	}
	return in
}

func invoker(client *integration.Client, i *integrationView, key route.Key, variables map[string]string) (gateway.Integration, error) {
	connection := cmp.Or(i.ConnectionType, model.ConnectionTypeInternet)
	switch {
	case i.IntegrationType != model.IntegrationTypeHTTPProxy:
		return nil, fmt.Errorf("integration type %s is not available in this version", i.IntegrationType)
	case connection != model.ConnectionTypeInternet:
		return nil, fmt.Errorf("connection type %s is not available in this version", connection)
	case len(i.RequestParameters) > 0 || len(i.ResponseParameters) > 0:
		return nil, errors.New("parameter mapping is not available in this version")
	}
	uri, err := integration.ExpandStageVariables(i.IntegrationURI, variables)
	if err != nil {
		return nil, err
	}
	return integration.NewHTTP(client, integration.HTTPSpec{
		Method:     i.IntegrationMethod,
		URI:        uri,
		Vars:       key.Vars(),
		AppendPath: key.Default(),
		Timeout:    time.Duration(cmp.Or(i.TimeoutInMillis, defaultTimeout)) * time.Millisecond,
	})
}

// defaultTimeout is that of integrations of HTTP APIs, in milliseconds.
const defaultTimeout = 30000

// value returns what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
