package control

// Limits are the quotas of the service. A create that would pass one is refused.
type Limits struct {
	APIs                 int // per account
	Routes               int // per API
	Integrations         int // per API
	Stages               int // per API
	Authorizers          int // per API
	Audiences            int // per authorizer
	DomainNames          int // per account
	APIMappings          int // per domain name
	RoutingRules         int // per domain name
	VpcLinks             int // per account
	Subnets              int // per VPC link
	SecurityGroups       int // per VPC link
	Portals              int // per account
	PortalProducts       int // per account, and in a portal
	ProductPages         int // of each of the two kinds, per portal product
	AuthorizationScopes  int // per route
	StageVariables       int // per stage
	StageVariableValue   int // characters
	Tags                 int // per resource
	AccessLogFormat      int // bytes
	MappedParameters     int // per map of an integration
	CorsEntries          int // per list of a CORS configuration
	AutomaticDeployments int // kept per API; older ones that no stage uses are deleted
	Document             int // bytes of a stored document: an API with everything under it
}

// DefaultLimits returns the quotas of the real service where it has them.
func DefaultLimits() Limits {
	return Limits{
		APIs:                 600,
		Routes:               300,
		Integrations:         300,
		Stages:               10,
		Authorizers:          10,
		Audiences:            50,
		DomainNames:          120,
		APIMappings:          200,
		RoutingRules:         50,
		VpcLinks:             10,
		Subnets:              10,
		SecurityGroups:       10,
		Portals:              100,
		PortalProducts:       500,
		ProductPages:         500,
		AuthorizationScopes:  10,
		StageVariables:       100,
		StageVariableValue:   512,
		Tags:                 50,
		AccessLogFormat:      3 << 10,
		MappedParameters:     100,
		CorsEntries:          300,
		AutomaticDeployments: 50,
		Document:             16 << 20,
	}
}
