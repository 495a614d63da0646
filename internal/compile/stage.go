// Package compile turns stored documents into what the gateway serves.
//
// Compiling is pure: the same documents give the same stage, and nothing is read
// or called on the way. What cannot work, such as an integration with a stage
// variable that does not exist, becomes a route that answers 500 and says why in
// the log; the other routes of the stage are served.
package compile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"penstock/internal/authorizer"
	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/mapping"
	"penstock/internal/model"
	"penstock/internal/route"
	"penstock/internal/validation"
)

// Options are what compiled stages refer to: what outlives snapshots.
type Options struct {
	Client *integration.Client
	// Issuers hold the keys and verified tokens of JWT authorizers, Results what Lambda
	// authorizers have answered, Callers who may sign requests.
	Issuers *authorizer.Issuers
	Results *authorizer.Results
	Callers *authorizer.Callers
	// Invoker calls functions; nil if there are none. Region and Account are in the ARNs
	// that say on whose behalf.
	Invoker         integration.Invoker
	Region, Account string
	// Service calls AWS services; nil if there is nothing that does. SQSResponse is the form
	// of answers of SQS, "xml" or "json".
	Service     integration.Service
	SQSResponse string
	// Upstream finds what the URI of a private integration names; nil if there is nothing
	// that does. Links are the VPC links, which the Publisher keeps up to date, and Via
	// returns the name of the dialer of one, among those of Client; nil for none.
	Upstream func(uri string) (integration.Upstream, error)
	Links    *Links
	Via      func(linkID string) string
	// AccessLog returns where the access log with the ARN of a destination goes; nil if
	// nowhere.
	AccessLog func(destinationARN string) AccessLogSink
	// AccountRate and AccountBurst stand in for what the throttling settings of a route
	// leave out, if they have only one of the two.
	AccountRate  float64
	AccountBurst int
	// Sockets are what WebSocket APIs are served with.
	Sockets SocketOptions
	// ValidateBodies says that the request models of routes are applied, an extension.
	ValidateBodies bool
	// ValidatedBody is how many bytes of a body are checked at most.
	ValidatedBody int
}

// An AccessLogSink takes lines without blocking.
type AccessLogSink interface {
	Write(line []byte)
}

// An apiView is the part of a stored API that compiling needs. Leaving out the
// rest spares decoding it: a stage serves its deployment, not what is edited.
type apiView struct {
	API              apiSettings             `json:"api"`
	Stages           map[string]*model.Stage `json:"stages"`
	AuthorizerResets map[string]int          `json:"authorizerResets"`
}

// A deploymentView is the part of a stored deployment that compiling needs.
type deploymentView struct {
	API          apiSettings                `json:"api"`
	Integrations map[string]integrationView `json:"integrations"`
	Routes       map[string]routeView       `json:"routes"`
	Authorizers  map[string]authorizerView  `json:"authorizers"`
	Models       map[string]*model.Model    `json:"models"`
}

type apiSettings struct {
	ProtocolType              string      `json:"protocolType"`
	DisableExecuteAPIEndpoint bool        `json:"disableExecuteApiEndpoint"`
	CORSConfiguration         *model.Cors `json:"corsConfiguration"`
}

type routeView struct {
	RouteKey            string            `json:"routeKey"`
	Target              string            `json:"target"`
	AuthorizationType   string            `json:"authorizationType"`
	AuthorizerID        string            `json:"authorizerId"`
	AuthorizationScopes []string          `json:"authorizationScopes"`
	RequestModels       map[string]string `json:"requestModels"`
}

type integrationView struct {
	IntegrationType      string                       `json:"integrationType"`
	IntegrationSubtype   string                       `json:"integrationSubtype"`
	ConnectionType       string                       `json:"connectionType"`
	ConnectionID         string                       `json:"connectionId"`
	TLSConfig            *model.TLSConfig             `json:"tlsConfig"`
	CredentialsARN       string                       `json:"credentialsArn"`
	IntegrationMethod    string                       `json:"integrationMethod"`
	IntegrationURI       string                       `json:"integrationUri"`
	PayloadFormatVersion string                       `json:"payloadFormatVersion"`
	TimeoutInMillis      int                          `json:"timeoutInMillis"`
	RequestParameters    map[string]string            `json:"requestParameters"`
	ResponseParameters   map[string]map[string]string `json:"responseParameters"`
}

// Settings are what a stage has besides its deployment. They act at once.
type Settings struct {
	Name, DeploymentID   string
	Variables            map[string]string
	AccessLog            *model.AccessLogSettings
	DefaultRouteSettings *model.RouteSettings
	RouteSettings        map[string]model.RouteSettings
	// Resets counts how often the results of authorizers were to be forgotten.
	Resets int
}

func settingsOf(stage *model.Stage, resets int) Settings {
	return Settings{
		Name:                 value(stage.StageName),
		DeploymentID:         value(stage.DeploymentID),
		Variables:            stage.StageVariables,
		AccessLog:            stage.AccessLogSettings,
		DefaultRouteSettings: stage.DefaultRouteSettings,
		RouteSettings:        stage.RouteSettings,
		Resets:               resets,
	}
}

// A compiler compiles one stage.
type compiler struct {
	Options
	apiID      string
	settings   Settings
	deployment deploymentView

	schemas    map[string]string // of models, by name; nil before they are asked for
	validators map[string]*validation.Validator
}

// Stage compiles a stage of an HTTP API out of the deployment it points at. The
// error says why the stage as a whole cannot be served.
func Stage(o Options, apiID string, settings Settings, deployment []byte) (*gateway.Stage, error) {
	c := &compiler{Options: o, apiID: apiID, settings: settings}
	if err := json.Unmarshal(deployment, &c.deployment); err != nil {
		return nil, fmt.Errorf("read deployment: %w", err)
	}
	d := &c.deployment
	s := &gateway.Stage{
		APIID:            apiID,
		Name:             settings.Name,
		DeploymentID:     settings.DeploymentID,
		EndpointDisabled: d.API.DisableExecuteAPIEndpoint,
		Variables:        settings.Variables,
		CORS:             cors(d.API.CORSConfiguration),
	}
	log, err := openLog(c, mapping.ParseFormat)
	if err != nil {
		return nil, err
	}
	if log != nil {
		s.AccessLog = log
	}
	entries := make([]route.Entry[*gateway.Route], 0, len(d.Routes))
	for _, id := range slices.Sorted(maps.Keys(d.Routes)) {
		r := d.Routes[id]
		key, err := route.ParseKey(r.RouteKey)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", id, err)
		}
		compiled := c.route(&r, key)
		entries = append(entries, route.Entry[*gateway.Route]{Key: key, Value: compiled})
		s.Routes = append(s.Routes, compiled)
	}
	if s.Table, err = route.NewTable(entries); err != nil {
		return nil, err
	}
	return s, nil
}

// cors compiles a CORS configuration; nil if there is none.
func cors(c *model.Cors) *gateway.CORS {
	if c == nil {
		return nil
	}
	return gateway.NewCORS(gateway.CORSSpec{
		AllowOrigins:     c.AllowOrigins,
		AllowMethods:     c.AllowMethods,
		AllowHeaders:     c.AllowHeaders,
		ExposeHeaders:    c.ExposeHeaders,
		AllowCredentials: value(c.AllowCredentials),
		MaxAge:           c.MaxAge,
	})
}

// An accessLog writes the lines of a stage, which are about Ts.
type accessLog[T any] struct {
	format *mapping.Line[T]
	sink   AccessLogSink
}

// lines are buffers for lines, since a stage serves many exchanges at once.
var lines = sync.Pool{New: func() any { return new([]byte) }}

// keepLine is the longest buffer for lines that is kept.
const keepLine = 16 << 10

// Log implements gateway.AccessLog and websocket.AccessLog.
func (l *accessLog[T]) Log(v T) {
	b := lines.Get().(*[]byte)
	*b = l.format.Append((*b)[:0], v)
	l.sink.Write(*b)
	if cap(*b) <= keepLine {
		lines.Put(b)
	}
}

// openLog compiles the access log of the stage; nil if it has none, or one that goes
// nowhere.
func openLog[T any](c *compiler, parse func(format string) (*mapping.Line[T], error)) (*accessLog[T], error) {
	settings := c.settings.AccessLog
	if settings == nil || c.AccessLog == nil {
		return nil, nil
	}
	format, err := parse(value(settings.Format))
	if err != nil {
		return nil, fmt.Errorf("format of the access log: %w", err)
	}
	sink := c.AccessLog(value(settings.DestinationARN))
	if sink == nil {
		return nil, nil
	}
	return &accessLog[T]{format, sink}, nil
}

// route compiles a route with everything that a request to it meets. What cannot work
// becomes a route that answers 500.
func (c *compiler) route(r *routeView, key route.Key) *gateway.Route {
	compiled := &gateway.Route{Key: key.String(), Vars: key.Vars()}
	c.limit(compiled)
	c.authorize(compiled, r)
	c.target(compiled, r, key)
	c.validate(compiled, r)
	return compiled
}

// routeSettings returns the settings of a route. They take the place of those of the stage
// as a whole: what they leave out is not inherited.
func (c *compiler) routeSettings(key string) model.RouteSettings {
	if settings, ok := c.settings.RouteSettings[key]; ok {
		return settings
	}
	return value(c.settings.DefaultRouteSettings)
}

// limit sets what the throttling settings of the route say.
func (c *compiler) limit(r *gateway.Route) {
	settings := c.routeSettings(r.Key)
	r.Detailed = value(settings.DetailedMetricsEnabled)
	rate, burst := settings.ThrottlingRateLimit, settings.ThrottlingBurstLimit
	if rate == nil && burst == nil {
		return
	}
	if rate == nil {
		rate = &c.AccountRate
	}
	if burst == nil {
		burst = &c.AccountBurst
	}
	r.Limit = gateway.NewLimit(*rate, *burst)
}

// validate compiles the request models of the route. Where bodies are not checked, the
// route answers 500: somebody counts on them being checked.
func (c *compiler) validate(r *gateway.Route, view *routeView) {
	if len(view.RequestModels) == 0 {
		return
	}
	v, err := c.validator(view.RequestModels)
	if err != nil {
		r.Integration, r.ReadsBody = integration.Failing(fmt.Errorf("request models: %w", err)), false
		return
	}
	r.Validator = v
}

// finder returns what finds the schema of a model by its name, among those of the
// deployment.
func (c *compiler) finder(models map[string]*model.Model) func(name string) (schema string, ok bool) {
	if c.schemas == nil {
		c.schemas = map[string]string{}
		for _, m := range models {
			c.schemas[value(m.Name)] = value(m.Schema)
		}
	}
	return func(name string) (string, bool) { text, ok := c.schemas[name]; return text, ok }
}

// validator compiles models by content type, once for all routes that have the same.
func (c *compiler) validator(named map[string]string) (*validation.Validator, error) {
	if !c.ValidateBodies {
		return nil, errors.New("bodies are not checked: set extensions.requestModels")
	}
	find := c.finder(c.deployment.Models)
	if c.validators == nil {
		c.validators = map[string]*validation.Validator{}
	}
	key, _ := json.Marshal(named) // sorted
	if v := c.validators[string(key)]; v != nil {
		return v, nil
	}
	models := map[string]string{}
	for contentType, name := range named {
		models[contentType], _ = find(name)
	}
	v, err := validation.New(models, find, c.ValidatedBody)
	if err == nil {
		c.validators[string(key)] = v
	}
	return v, err
}

// target compiles what the route leads to; nothing when it has no target.
func (c *compiler) target(r *gateway.Route, view *routeView, key route.Key) {
	if view.Target == "" {
		return
	}
	id := strings.TrimPrefix(view.Target, "integrations/")
	i, ok := c.deployment.Integrations[id]
	if !ok {
		r.Integration = integration.Failing(fmt.Errorf("integration %s does not exist", id))
		return
	}
	if err := c.invoker(r, &i, key); err != nil {
		r.Integration, r.ReadsBody = integration.Failing(fmt.Errorf("integration %s: %w", id, err)), false
	}
}

// invoker compiles what the route calls.
func (c *compiler) invoker(r *gateway.Route, i *integrationView, key route.Key) error {
	private, err := isPrivate(i.ConnectionType)
	switch {
	case err != nil:
		return err
	case private && i.IntegrationType == model.IntegrationTypeHTTPProxy:
		return c.private(r, i, key)
	case private:
		return fmt.Errorf("integration type %s does not go through VPC links", i.IntegrationType)
	case i.IntegrationType == model.IntegrationTypeHTTPProxy:
		return c.http(r, i, key)
	case i.IntegrationType == model.IntegrationTypeAWSProxy && i.IntegrationSubtype != "":
		return c.service(r, i, key)
	case i.IntegrationType == model.IntegrationTypeAWSProxy:
		return c.function(r, i, key)
	}
	return fmt.Errorf("HTTP APIs have no integrations of type %s", i.IntegrationType)
}

// value returns what p points at, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
