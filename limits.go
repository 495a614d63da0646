package penstock

import (
	"math"
	"reflect"
	"time"

	"penstock/internal/control"
	"penstock/internal/gateway"
	"penstock/internal/schema"
)

// Limits bound what callers of APIs and of the control plane can ask for. Sizes
// are in bytes. The quotas are those of the real service where it has one.
type Limits struct {
	// Body is the largest request body; larger ones get 413. Default: 10485760 (10
	// MiB).
	Body int64 `yaml:"body"`

	// InMemoryBody is the largest request body of known length that is read before
	// the backend is called; larger ones stream. Bodies in chunks are read whole and
	// sent with their length. Default: 65536.
	InMemoryBody int64 `yaml:"inMemoryBody"`

	// HeadTimeout is how long the head of a request may take to arrive. Default: 10s.
	HeadTimeout time.Duration `yaml:"headTimeout"`

	// BodyTimeout is how long a client may take to send 65536 bytes of a body, or what
	// is left of it. Default: 30s.
	BodyTimeout time.Duration `yaml:"bodyTimeout"`

	// WriteTimeout is how long a client may take to accept a part of a response of at
	// most 65536 bytes. Default: 30s.
	WriteTimeout time.Duration `yaml:"writeTimeout"`

	// IdleTimeout is how long a connection may rest between requests. Default: 10m0s.
	IdleTimeout time.Duration `yaml:"idleTimeout"`

	// AbandonedAfter is how long a request runs before its client is watched for
	// leaving; the backend of a client that left is freed. Default: 100ms.
	AbandonedAfter time.Duration `yaml:"abandonedAfter"`

	// ClientConns is how many connections of clients may be open. A new one beyond
	// takes the place of one that rests between requests, or is closed at once. 0 means
	// seven eighths of the files that the process may open. Default: 0.
	ClientConns int `yaml:"clientConns"`

	// BodyMemory bounds the memory of all bodies together that are kept whole: those
	// in chunks, and answers that come while a long request is still being sent.
	// Requests beyond get 503. Default: 268435456 (256 MiB).
	BodyMemory int64 `yaml:"bodyMemory"`

	// MeteredRoutes is how many routes have metrics of their own; the rest share one.
	// Default: 10000.
	MeteredRoutes int `yaml:"meteredRoutes"`

	// ResponseBody is the largest response body of a backend; longer ones get 500, or end
	// the connection if their length was not announced. Default: 10485760 (10 MiB).
	ResponseBody int64 `yaml:"responseBody"`

	// ValidatedBody is the largest request body that is checked against a model
	// ([Extensions.RequestModels]); larger ones get 413. Default: 1048576 (1 MiB).
	ValidatedBody int `yaml:"validatedBody"`

	// UpstreamConns is how many connections to one backend may be open; requests
	// beyond wait for one until the timeout of their integration. Default: 4096.
	UpstreamConns int `yaml:"upstreamConns"`

	// UpstreamIdleConns is how many idle connections to one backend are kept.
	// Default: 512.
	UpstreamIdleConns int `yaml:"upstreamIdleConns"`

	// UpstreamIdleTimeout is how long an idle connection to a backend is kept. It
	// should be less than what backends keep theirs. Default: 55s.
	UpstreamIdleTimeout time.Duration `yaml:"upstreamIdleTimeout"`

	// AccountRate is how many requests per second all APIs together take in the long run;
	// more get 429. -1 means any number, and then there is no [Limits.AccountBurst].
	// Default: 10000.
	AccountRate float64 `yaml:"accountRate"`

	// AccountBurst is how many requests may come at once. Default: 5000.
	AccountBurst int `yaml:"accountBurst"`

	// HandshakeTimeout is how long a TLS handshake may take. Default: 10s.
	HandshakeTimeout time.Duration `yaml:"handshakeTimeout"`

	// Streams is how many requests one HTTP/2 connection may have under way. Default: 100.
	Streams int `yaml:"streams"`

	// AuthorizerResults is how many results of Lambda authorizers are remembered.
	// Default: 10000.
	AuthorizerResults int `yaml:"authorizerResults"`

	// ControlPlaneRate is how many calls of the control plane are answered per
	// second, all callers together; more get 429. 0 means no limit. Default: 0.
	ControlPlaneRate float64 `yaml:"controlPlaneRate"`

	// ControlPlaneBurst is how many calls may come at once under
	// [Limits.ControlPlaneRate]. Default: 1.
	ControlPlaneBurst int `yaml:"controlPlaneBurst"`

	// OperationRates limits CreateDeployment to one call in 5 seconds, CreateVpcLink to
	// one in 15, and DeleteVpcLink, CreateDomainName, UpdateDomainName and
	// DeleteDomainName to one in 30, as the real service does; more get 429. Default:
	// false.
	OperationRates bool `yaml:"operationRates"`

	// APIs is how many there may be. Default: 600.
	APIs int `yaml:"apis"`

	// Routes is how many an API may have. Default: 300.
	Routes int `yaml:"routes"`

	// Integrations is how many an API may have. Default: 300.
	Integrations int `yaml:"integrations"`

	// Stages is how many an API may have. Default: 10.
	Stages int `yaml:"stages"`

	// Authorizers is how many an API may have. Default: 10.
	Authorizers int `yaml:"authorizers"`

	// Audiences is how many a JWT authorizer may have. Default: 50.
	Audiences int `yaml:"audiences"`

	// DomainNames is how many custom domain names there may be. Default: 120.
	DomainNames int `yaml:"domainNames"`

	// APIMappings is how many a domain name may have. Default: 200.
	APIMappings int `yaml:"apiMappings"`

	// RoutingRules is how many a domain name may have. Default: 50.
	RoutingRules int `yaml:"routingRules"`

	// VpcLinks is how many there may be. Default: 10.
	VpcLinks int `yaml:"vpcLinks"`

	// Subnets is how many a VPC link may have. Default: 10.
	Subnets int `yaml:"subnets"`

	// SecurityGroups is how many a VPC link may have. Default: 10.
	SecurityGroups int `yaml:"securityGroups"`

	// Portals is how many there may be. Default: 100.
	Portals int `yaml:"portals"`

	// PortalProducts is how many there may be, and in one portal. Default: 500.
	PortalProducts int `yaml:"portalProducts"`

	// ProductPages is how many of each of the two kinds of pages a portal product may
	// have. Default: 500.
	ProductPages int `yaml:"productPages"`

	// AuthorizationScopes is how many a route may have. Default: 10.
	AuthorizationScopes int `yaml:"authorizationScopes"`

	// StageVariables is how many a stage may have. Default: 100.
	StageVariables int `yaml:"stageVariables"`

	// StageVariableValue is the longest value of a stage variable, in characters.
	// Default: 512.
	StageVariableValue int `yaml:"stageVariableValue"`

	// Tags is how many a resource may have. Default: 50.
	Tags int `yaml:"tags"`

	// AccessLogFormat is the longest format of access logs. Default: 3072.
	AccessLogFormat int `yaml:"accessLogFormat"`

	// MappedParameters is how many entries each parameter map of an integration may
	// have. Default: 100.
	MappedParameters int `yaml:"mappedParameters"`

	// CorsEntries is how many entries each list of a CORS configuration may have.
	// Default: 300.
	CorsEntries int `yaml:"corsEntries"`

	// AutomaticDeployments is how many deployments made by automatic deployment an
	// API keeps besides those that stages use; older ones are deleted. Default: 50.
	AutomaticDeployments int `yaml:"automaticDeployments"`

	// Document is the largest API, domain name, portal or portal product with everything
	// under it, as it is stored.
	// Default: 16777216 (16 MiB).
	Document int `yaml:"document"`
}

// check says of every limit that cannot work which key it has and what would.
func (l Limits) check(wrong func(format string, args ...any)) {
	limits := reflect.ValueOf(l)
	for i := range limits.NumField() {
		key := "limits." + limits.Type().Field(i).Tag.Get("yaml")
		switch v := limits.Field(i).Interface().(type) {
		case int:
			if key == "limits.validatedBody" && v > schema.MaxBody {
				wrong("%s: %d is out of range: want 1 to %d bytes", key, v, schema.MaxBody)
			} else if v < 0 || v > math.MaxInt32 {
				wrong("%s: %d is out of range: want 1 to %d", key, v, math.MaxInt32)
			}
		case int64:
			if v < 0 {
				wrong("%s: %d is negative: want bytes", key, v)
			}
		case time.Duration:
			if v < time.Millisecond {
				wrong("%s: %v is too short: want 1ms or more", key, v)
			}
		case float64:
			none := 0
			if key == "limits.accountRate" { // where 0 is the default
				none = -1
			}
			if !(v >= 0 && v <= math.MaxInt32) && v != float64(none) {
				wrong("%s: %v is out of range: want a number per second, or %d for no limit", key, v, none)
			}
		}
	}
}

func (l Limits) gateway() gateway.Limits {
	return gateway.Limits{
		Body:          l.Body,
		InMemoryBody:  l.InMemoryBody,
		Head:          l.HeadTimeout,
		BodyIdle:      l.BodyTimeout,
		Write:         l.WriteTimeout,
		Idle:          l.IdleTimeout,
		Abandoned:     l.AbandonedAfter,
		MeteredRoutes: l.MeteredRoutes,
		Conns:         l.ClientConns,
		Spooled:       l.BodyMemory,
		Handshake:     l.HandshakeTimeout,
		Streams:       l.Streams,
	}
}

// account returns the limit of all APIs together; nil for none.
func (l Limits) account() *gateway.Limit {
	if l.AccountRate < 0 {
		return nil
	}
	return gateway.NewLimit(l.AccountRate, l.AccountBurst)
}

func (l Limits) quotas() control.Limits {
	return control.Limits{
		APIs:                 l.APIs,
		Routes:               l.Routes,
		Integrations:         l.Integrations,
		Stages:               l.Stages,
		Authorizers:          l.Authorizers,
		Audiences:            l.Audiences,
		DomainNames:          l.DomainNames,
		APIMappings:          l.APIMappings,
		RoutingRules:         l.RoutingRules,
		VpcLinks:             l.VpcLinks,
		Subnets:              l.Subnets,
		SecurityGroups:       l.SecurityGroups,
		Portals:              l.Portals,
		PortalProducts:       l.PortalProducts,
		ProductPages:         l.ProductPages,
		AuthorizationScopes:  l.AuthorizationScopes,
		StageVariables:       l.StageVariables,
		StageVariableValue:   l.StageVariableValue,
		Tags:                 l.Tags,
		AccessLogFormat:      l.AccessLogFormat,
		MappedParameters:     l.MappedParameters,
		CorsEntries:          l.CorsEntries,
		AutomaticDeployments: l.AutomaticDeployments,
		Document:             l.Document,
	}
}
