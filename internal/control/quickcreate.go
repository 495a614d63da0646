package control

import (
	"penstock/internal/model"
)

// defaultStage is the stage that is served without a prefix.
const defaultStage = "$default"

// quickCreate puts under a new API what a create with a target asks for: an
// integration, a route to it and a stage that is deployed at once.
func quickCreate(e *edit, d *model.APIDocument, in *model.CreateAPIRequest) error {
	switch {
	case in.Target == nil && in.RouteKey == nil && in.CredentialsARN == nil:
		return nil
	case isWebSocket(d):
		return BadRequest(msgWebSocketQuickCreate)
	case in.Target == nil:
		return BadRequest(msgQuickCreateTarget)
	}
	integration := &model.Integration{
		APIGatewayManaged: new(true),
		CredentialsARN:    in.CredentialsARN,
		IntegrationID:     new(newID(integrations.length)),
	}
	if err := setTarget(e, d, integration, *in.Target); err != nil {
		return err
	}
	d.Integrations[*integration.IntegrationID] = integration

	route := &model.Route{
		APIGatewayManaged: new(true),
		RouteID:           new(newID(routes.length)),
		RouteKey:          in.RouteKey,
		Target:            new(target(*integration.IntegrationID)),
	}
	setDefault(&route.RouteKey, defaultRouteKey)
	if err := routes.settle(&routeChange{edit: e, doc: d, item: route}); err != nil {
		return err
	}
	d.Routes[*route.RouteID] = route

	stage := &model.Stage{APIGatewayManaged: new(true), AutoDeploy: new(true), StageName: new(defaultStage)}
	if err := stages.settle(&stageChange{edit: e, doc: d, item: stage}); err != nil {
		return err
	}
	d.Stages[defaultStage] = stage
	return e.deployAutomatically(d)
}

// setTarget makes an integration call the target of a quick create.
func setTarget(e *edit, d *model.APIDocument, i *model.Integration, target string) error {
	i.IntegrationURI = &target
	switch {
	case isHTTPURI(target):
		i.IntegrationType, i.IntegrationMethod, i.PayloadFormatVersion = new(model.IntegrationTypeHTTPProxy), new("ANY"), new("1.0")
	case isLambdaURI(target):
		i.IntegrationType, i.IntegrationMethod, i.PayloadFormatVersion = new(model.IntegrationTypeAWSProxy), new("POST"), new("2.0")
	default:
		return BadRequest(msgTargetForm)
	}
	return integrations.settle(&integrationChange{edit: e, doc: d, item: i})
}

// quickUpdate updates what quickCreate has made.
func quickUpdate(e *edit, d *model.APIDocument, in *model.UpdateAPIRequest) error {
	if in.Target == nil && in.RouteKey == nil && in.CredentialsARN == nil {
		return nil
	}
	var integration *model.Integration
	for _, i := range d.Integrations {
		if val(i.APIGatewayManaged) {
			integration = i
		}
	}
	var route *model.Route
	for _, r := range d.Routes {
		if val(r.APIGatewayManaged) {
			route = r
		}
	}
	if integration == nil || route == nil {
		return BadRequest(msgNoQuickCreate)
	}
	if in.CredentialsARN != nil {
		integration.CredentialsARN = in.CredentialsARN
	}
	target := integration.IntegrationURI
	if in.Target != nil {
		target = in.Target
	}
	if err := setTarget(e, d, integration, *target); err != nil {
		return err
	}
	if in.RouteKey == nil {
		return nil
	}
	old := *route
	route.RouteKey = in.RouteKey
	return routes.settle(&routeChange{edit: e, doc: d, item: route, old: &old})
}
