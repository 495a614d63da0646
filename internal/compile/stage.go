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
	API    model.API               `json:"api"`
	Stages map[string]*model.Stage `json:"stages"`
}

// A deploymentView is the part of a stored deployment that compiling needs.
type deploymentView struct {
	API          model.API                     `json:"api"`
	Integrations map[string]*model.Integration `json:"integrations"`
	Routes       map[string]*model.Route       `json:"routes"`
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
		EndpointDisabled: value(d.API.DisableExecuteAPIEndpoint),
	}
	var entries []route.Entry[*gateway.Route]
	for _, id := range slices.Sorted(maps.Keys(d.Routes)) {
		r := d.Routes[id]
		if r == nil {
			return nil, fmt.Errorf("route %s is empty", id)
		}
		key, err := route.ParseKey(value(r.RouteKey))
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", id, err)
		}
		compiled := &gateway.Route{Key: key.String(), Vars: key.Vars()}
		compiled.Integration = target(client, &d, r, key, stage.StageVariables)
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
func target(client *integration.Client, d *deploymentView, r *model.Route, key route.Key, variables map[string]string) gateway.Integration {
	if value(r.Target) == "" {
		return nil
	}
	// Authorization that is not built must not let anyone through.
	if t := cmp.Or(value(r.AuthorizationType), "NONE"); t != "NONE" {
		return integration.Failing(fmt.Errorf("authorization type %s is not available in this version; the route denies every request", t))
	}
	id := strings.TrimPrefix(value(r.Target), "integrations/")
	i := d.Integrations[id]
	if i == nil {
		return integration.Failing(fmt.Errorf("integration %s does not exist", id))
	}
	in, err := invoker(client, i, key, variables)
	if err != nil {
		return integration.Failing(fmt.Errorf("integration %s: %w", id, err))
	}
	return in
}

func invoker(client *integration.Client, i *model.Integration, key route.Key, variables map[string]string) (gateway.Integration, error) {
	kind, connection := value(i.IntegrationType), cmp.Or(value(i.ConnectionType), "INTERNET")
	switch {
	case kind != "HTTP_PROXY":
		return nil, fmt.Errorf("integration type %s is not available in this version", kind)
	case connection != "INTERNET":
		return nil, fmt.Errorf("connection type %s is not available in this version", connection)
	case len(i.RequestParameters) > 0 || len(i.ResponseParameters) > 0:
		return nil, errors.New("parameter mapping is not available in this version")
	}
	uri, err := integration.ExpandStageVariables(value(i.IntegrationURI), variables)
	if err != nil {
		return nil, err
	}
	return integration.NewHTTP(client, integration.HTTPSpec{
		Method:     value(i.IntegrationMethod),
		URI:        uri,
		Vars:       key.Vars(),
		AppendPath: key.Default(),
		Timeout:    time.Duration(cmp.Or(value(i.TimeoutInMillis), defaultTimeout)) * time.Millisecond,
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
