package control

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

var stages = collection[model.Stage, model.APIDocument]{
	kind:     "Stage",
	root:     apiRoot,
	in:       func(d *model.APIDocument, _ *call) (items[model.Stage], error) { return d.Stages, nil },
	name:     func(s *model.Stage) **string { return &s.StageName },
	quota:    func(l Limits) int { return l.Stages },
	defaults: settleStage,
	check:    checkStage,
	inUse:    stageInUse,
	after:    afterStage,
}

type stageChange = change[model.Stage, model.APIDocument]

// settleStage fills in what a stage of its protocol always has.
func settleStage(x *stageChange) {
	s := x.item
	if x.old == nil {
		s.CreatedDate = x.now()
	}
	s.LastUpdatedDate = x.now()
	setDefault(&s.DefaultRouteSettings, model.RouteSettings{})
	settings := s.DefaultRouteSettings
	setDefault(&settings.DetailedMetricsEnabled, false)
	if isWebSocket(x.doc) {
		setDefault(&settings.DataTraceEnabled, false)
		setDefault(&settings.LoggingLevel, model.LoggingLevelOff)
	}
	if s.AccessLogSettings != nil {
		settleAccessLog(s.AccessLogSettings)
	}
}

func checkStage(x *stageChange) error {
	if x.old != nil && val(x.old.APIGatewayManaged) {
		return BadRequest(msgManaged)
	}
	for _, check := range []func(*stageChange) error{checkStageName, checkStageDeployment, checkRouteSettings, checkStageVariables, checkAccessLog} {
		if err := check(x); err != nil {
			return err
		}
	}
	if x.item.ClientCertificateID != nil && !isWebSocket(x.doc) {
		return BadRequest(msgClientCertificate)
	}
	if err := checkTags(x.item.Tags, x.Limits); err != nil {
		return err
	}
	if x.old == nil && x.doc.Stages[*x.item.StageName] != nil {
		return Conflict(msgStageExists)
	}
	return nil
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func checkStageName(x *stageChange) error {
	if x.old != nil {
		return nil
	}
	name := val(x.item.StageName)
	switch {
	case name == defaultStage && isWebSocket(x.doc):
		return BadRequest(msgDefaultStage)
	case name != defaultStage && !stageName.MatchString(name):
		return BadRequest(msgStageName)
	}
	return nil
}

// checkStageDeployment checks the deployment that the caller names.
func checkStageDeployment(x *stageChange) error {
	var named *string
	switch in := x.input.(type) {
	case *model.CreateStageRequest:
		named = in.DeploymentID
	case *model.UpdateStageRequest:
		named = in.DeploymentID
	}
	if named == nil {
		return nil
	}
	if val(x.item.AutoDeploy) {
		return BadRequest(msgAutoDeployID)
	}
	stored, ok := x.deployment(*x.doc.API.APIID, *named)
	if !ok {
		return NotFound("Deployment", *named)
	}
	x.expect[stored.Key] = stored.Rev
	return nil
}

// checkRouteSettings checks the settings of the stage and the entries that the
// caller sends; others may be about routes that have gone since.
func checkRouteSettings(x *stageChange) error {
	if err := checkSettings(x, "defaultRouteSettings", x.item.DefaultRouteSettings); err != nil {
		return err
	}
	var sent map[string]model.RouteSettings
	switch in := x.input.(type) {
	case *model.CreateStageRequest:
		sent = in.RouteSettings
	case *model.UpdateStageRequest:
		sent = in.RouteSettings
	}
	known := map[string]bool{defaultRouteKey: true}
	if isWebSocket(x.doc) {
		known[connectRouteKey], known[disconnectRouteKey] = true, true
	}
	for _, r := range x.doc.Routes {
		known[*r.RouteKey] = true
	}
	for _, key := range slices.Sorted(maps.Keys(sent)) {
		if !known[key] {
			return notFound(msgRouteSettingsKey, key)
		}
		settings := sent[key]
		if err := checkSettings(x, "routeSettings["+key+"]", &settings); err != nil {
			return err
		}
	}
	return nil
}

func checkSettings(x *stageChange, name string, s *model.RouteSettings) error {
	switch {
	case !isWebSocket(x.doc) && (s.LoggingLevel != nil || s.DataTraceEnabled != nil):
		return BadRequest(msgExecutionLogs)
	case val(s.ThrottlingBurstLimit) < 0:
		return BadRequest(msgThrottling, name+".throttlingBurstLimit")
	case val(s.ThrottlingRateLimit) < 0:
		return BadRequest(msgThrottling, name+".throttlingRateLimit")
	}
	return nil
}

var (
	variableName  = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

func checkStageVariables(x *stageChange) error {
	all := x.item.StageVariables
	if len(all) > x.Limits.StageVariables {
		return BadRequest(msgStageVariables, x.Limits.StageVariables)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !variableName.MatchString(name) {
			return BadRequest(msgStageVariableName, name)
		}
		if value := all[name]; len(value) > x.Limits.StageVariableValue || !variableValue.MatchString(value) {
			return BadRequest(msgStageVariable, name, x.Limits.StageVariableValue)
		}
	}
	return nil
}

func stageInUse(x *stageChange) error {
	if val(x.item.APIGatewayManaged) {
		return BadRequest(msgManaged)
	}
	domains, err := x.domainsOf(*x.doc.API.APIID, *x.item.StageName)
	if err != nil || len(domains) == 0 {
		return err
	}
	return BadRequest(msgStageInUse, *x.item.StageName, strings.Join(domains, ", "))
}

// afterStage deploys to a stage when automatic deployment is turned on for it, and
// forgets a stage that goes.
func afterStage(x *stageChange) error {
	s := x.item
	if x.deleted {
		delete(x.doc.AuthorizerResets, *s.StageName)
		return nil
	}
	if !val(s.AutoDeploy) || x.old != nil && val(x.old.AutoDeploy) {
		return nil
	}
	return x.deployAutomatically(x.doc)
}

// editStage changes one stage in a way of its own.
func editStage(c *call, change func(e *edit, s *model.Stage) error) error {
	return apiRoot.edit(c, func(e *edit, d *model.APIDocument) error {
		s := d.Stages[c.labels["stageName"]]
		if s == nil {
			return NotFound("Stage", c.labels["stageName"])
		}
		if val(s.APIGatewayManaged) {
			return BadRequest(msgManaged)
		}
		if err := change(e, s); err != nil {
			return err
		}
		s.LastUpdatedDate = c.now()
		return nil
	})
}

func deleteAccessLogSettings(c *call) (any, error) {
	return nil, editStage(c, func(_ *edit, s *model.Stage) error {
		s.AccessLogSettings = nil
		return nil
	})
}

func deleteRouteSettings(c *call) (any, error) {
	return nil, editStage(c, func(_ *edit, s *model.Stage) error {
		key := c.labels["routeKey"]
		if _, ok := s.RouteSettings[key]; !ok {
			return notFound(msgRouteSettings, key)
		}
		delete(s.RouteSettings, key)
		return nil
	})
}
