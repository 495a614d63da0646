// Code generated from service.json and overlay.json; DO NOT EDIT.

package model

// Values of AuthorizationType.
const (
	AuthorizationTypeNone   = "NONE"
	AuthorizationTypeAWSIAM = "AWS_IAM"
	AuthorizationTypeCustom = "CUSTOM"
	AuthorizationTypeJWT    = "JWT"
)

// Values of AuthorizerType.
const (
	AuthorizerTypeRequest = "REQUEST"
	AuthorizerTypeJWT     = "JWT"
)

// Values of ConnectionType.
const (
	ConnectionTypeInternet = "INTERNET"
	ConnectionTypeVPCLink  = "VPC_LINK"
)

// Values of ContentHandlingStrategy.
const (
	ContentHandlingStrategyConvertToBinary = "CONVERT_TO_BINARY"
	ContentHandlingStrategyConvertToText   = "CONVERT_TO_TEXT"
)

// Values of DeploymentStatus.
const (
	DeploymentStatusPending  = "PENDING"
	DeploymentStatusFailed   = "FAILED"
	DeploymentStatusDeployed = "DEPLOYED"
)

// Values of DomainNameStatus.
const (
	DomainNameStatusAvailable                    = "AVAILABLE"
	DomainNameStatusUpdating                     = "UPDATING"
	DomainNameStatusPendingCertificateReimport   = "PENDING_CERTIFICATE_REIMPORT"
	DomainNameStatusPendingOwnershipVerification = "PENDING_OWNERSHIP_VERIFICATION"
)

// Values of EndpointType.
const (
	EndpointTypeRegional = "REGIONAL"
	EndpointTypeEdge     = "EDGE"
)

// Values of IntegrationType.
const (
	IntegrationTypeAWS       = "AWS"
	IntegrationTypeHTTP      = "HTTP"
	IntegrationTypeMock      = "MOCK"
	IntegrationTypeHTTPProxy = "HTTP_PROXY"
	IntegrationTypeAWSProxy  = "AWS_PROXY"
)

// Values of IpAddressType.
const (
	IpAddressTypeIpv4      = "ipv4"
	IpAddressTypeDualstack = "dualstack"
)

// Values of LoggingLevel.
const (
	LoggingLevelError = "ERROR"
	LoggingLevelInfo  = "INFO"
	LoggingLevelOff   = "OFF"
)

// Values of PassthroughBehavior.
const (
	PassthroughBehaviorWhenNoMatch     = "WHEN_NO_MATCH"
	PassthroughBehaviorNever           = "NEVER"
	PassthroughBehaviorWhenNoTemplates = "WHEN_NO_TEMPLATES"
)

// Values of PreviewStatus.
const (
	PreviewStatusPreviewInProgress = "PREVIEW_IN_PROGRESS"
	PreviewStatusPreviewFailed     = "PREVIEW_FAILED"
	PreviewStatusPreviewReady      = "PREVIEW_READY"
)

// Values of ProtocolType.
const (
	ProtocolTypeWebsocket = "WEBSOCKET"
	ProtocolTypeHTTP      = "HTTP"
)

// Values of PublishStatus.
const (
	PublishStatusPublished         = "PUBLISHED"
	PublishStatusPublishInProgress = "PUBLISH_IN_PROGRESS"
	PublishStatusPublishFailed     = "PUBLISH_FAILED"
	PublishStatusDisableInProgress = "DISABLE_IN_PROGRESS"
	PublishStatusDisableFailed     = "DISABLE_FAILED"
	PublishStatusDisabled          = "DISABLED"
)

// Values of RoutingMode.
const (
	RoutingModeAPIMappingOnly            = "API_MAPPING_ONLY"
	RoutingModeRoutingRuleOnly           = "ROUTING_RULE_ONLY"
	RoutingModeRoutingRuleThenAPIMapping = "ROUTING_RULE_THEN_API_MAPPING"
)

// Values of SecurityPolicy.
const (
	SecurityPolicyTLS10 = "TLS_1_0"
	SecurityPolicyTLS12 = "TLS_1_2"
)

// Values of Status.
const (
	StatusAvailable  = "AVAILABLE"
	StatusInProgress = "IN_PROGRESS"
	StatusFailed     = "FAILED"
)

// Values of TryItState.
const (
	TryItStateEnabled  = "ENABLED"
	TryItStateDisabled = "DISABLED"
)

// Values of VpcLinkStatus.
const (
	VpcLinkStatusPending   = "PENDING"
	VpcLinkStatusAvailable = "AVAILABLE"
	VpcLinkStatusDeleting  = "DELETING"
	VpcLinkStatusFailed    = "FAILED"
	VpcLinkStatusInactive  = "INACTIVE"
)

// Values of VpcLinkVersion.
const (
	VpcLinkVersionV2 = "V2"
)
