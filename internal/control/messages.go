package control

// Messages that were seen in answers of the real service or in public logs of it.
const (
	msgAPIName                = "Invalid API name specified"
	msgAPINotFound            = "Invalid API identifier specified %s:%s" // account, ID
	msgWebSocketExpression    = "Invalid routeSelectionExpression"
	msgHTTPExpression         = "Route selection expression is currently limited to \"${request.method} ${request.path}\""
	msgWebSocketCors          = "Cors is not supported for WEBSOCKET protocolType"
	msgCorsCredentials        = "allow-credentials is not supported if 'allow-origin' is *"
	msgHTTPRouteKey           = "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> /<RESOURCE PATH>\" or \"$default\""
	msgRoutePath              = "One or more path parts appear to be invalid"
	msgRouteVariable          = "The provided route key \"%s\" has a conflicting variable on the same hierarchical level as \"%s\"" // new, existing
	msgRouteExists            = "Route with key %s already exists for this API"
	msgRouteTarget            = "Unexpected or malformed target in route. Correct format should be integrations/<integration_id>."
	msgConnectOnly            = "Currently, authorization is restricted to the $connect route only"
	msgJWTAuthorizer          = "Invalid authorizer ID specified. Setting the authorization type to JWT requires a valid JWT authorizer."
	msgScopesJWT              = "Authorization Scopes are only valid for COGNITO_USER_POOLS and JWT authorization type"
	msgHTTPAPIKey             = "ApiKeyRequired is not currently supported for HTTP APIs."
	msgMethodRequired         = "HttpMethod parameter method must be specified for integrationType HTTPPROXY"
	msgPayloadVersion         = "Unsupported PayloadFormatVersion: %s"
	msgPayloadVersionHTTP     = "PayloadFormatVersion 2.0 is not supported for integration of type HTTP_PROXY"
	msgTimeout                = "Timeout should be between %d ms and %d ms"
	msgConnectionID           = "ConnectionId must be set to vpcLinkId for ConnectionType VPC_LINK"
	msgVPCLinkURI             = "For VpcLink VPC_LINK, integration uri should be a valid ELB listener ARN or a valid Cloud Map service ARN."
	msgSubtype                = "Operation: %s is not supported."
	msgSubtypeRole            = "Role ARN must be specified for AWS integration configuration with Subtype: %s"
	msgStatusCode             = "Status Code %s is not valid"
	msgIntegrationInUse       = "Cannot delete Integration because it is referenced by the following Routes with Ids: [%s]"
	msgNoRoutesHTTP           = "Unable to deploy API because no routes exist in this API"
	msgNoRoutesWebSocket      = "At least one route is required before deploying the Api"
	msgStageName              = "Stage name only allows a-zA-Z0-9_"
	msgExecutionLogs          = "Execution logs are not supported on protocolType HTTP"
	msgRouteSettingsKey       = "Unable to find Route by key %s within the provided RouteSettings"
	msgAccessLogRequestID     = "Access Log format must include either $context.requestId or $context.extendedRequestId"
	msgDeployed               = "Successfully deployed stage with deployment ID '%s'"
	msgDeploymentFailed       = "Deployment attempt failed: %s"
	msgAutomaticDescription   = "Automatic deployment triggered by changes to the Api configuration"
	msgInvalidProtocol        = "Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"
	msgSubtypeParameters      = "Operation: %s requires enabling passthrough, or defining all of the following parameters: %s"
	msgConcurrentModification = "Unable to complete operation due to concurrent modification. Please try again later."
	msgQuota                  = "Maximum number of %[1]s for this %[2]s has been reached.  Please contact AWS if you need additional %[1]s."
)

// More messages of the real service: of what stands beside routes and integrations.
const (
	msgAuthorizerType          = "Invalid request input. CreateAuthorizer input is missing authorizer type."
	msgAuthorizerName          = "Authorizer name must be unique. Authorizer %s already exists in this RestApi."
	msgAuthorizerURINeeded     = "AuthorizerUri is a required field in an Authorizer"
	msgAuthorizerVersionNeeded = "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
	msgOnlyRequest             = "%s can only be set for REQUEST authorizer."
	msgSimpleResponses         = "EnableSimpleResponses can only be set for AuthorizerPayloadFormatVersion \"2.0\"."
	msgIdentitySource          = "Invalid identity source expression: %s"
	msgWebSocketIdentitySource = "Invalid request identity source expression: %s"
	msgAuthorizerTTL           = "Authorizer result TTL outside allowable range. TTL must be between 0 and %d seconds."
	msgAuthorizerTTLSource     = "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"
	msgRequestOnly             = "Only REQUEST authorizer type is supported on WEBSOCKET protocol Apis."
	msgJWTConfiguration        = "JwtConfiguration must not be null for JWT Authorizer"
	msgIssuer                  = "Invalid issuer: Issuer is not a valid URL for JWT Authorizer"
	msgDiscovery               = "Caught exception when connecting to %[1]s for issuer %[2]s. Please try again later. Error: Invalid issuer: %[2]s. Issuer must have a valid discovery endpoint ended with '/.well-known/openid-configuration'"
	msgAuthorizerInUse         = "Cannot delete authorizer '%s', is referenced in route: %s"
	msgModelHTTP               = "Currently, Models are not permitted for APIs with a protocol type of HTTP"
	msgModelName               = "Model name must be alphanumeric: %s"
	msgIntegrationResponseHTTP = "IntegrationResponses are currently not supported for this API protocol type."
	msgRouteResponseHTTP       = "RouteResponses are currently not supported for this API protocol type."
	msgRouteResponseKey        = "Currently, only $default is supported as a RouteResponseKey."
	msgStageInUse              = "Deleting stage %s failed. Please remove all base path mappings related to the stage in your domains: %s"
	msgDomainConfiguration     = "Invalid input. Expected one domain name configuration"
	msgDomainExists            = "The domain name you provided already exists."
	msgDomainNotFound          = "Invalid domain name identifier specified"
	msgCertificateRegion       = "Invalid certificate ARN: %s. Certificate must be in '%s'."
	msgEndpointType            = "%s endpoint type is not supported for APIGatewayV2 domainName"
	msgMappedAPI               = "Invalid API identifier specified: %s"
	msgMappingExists           = "ApiMapping key already exists for this domain name"
	msgMappingKeyStart         = "API mapping key should not start with a '/' or have consecutive '/'s."
	msgMappingKeyEnd           = "API mapping key should not end with a '/'."
	msgMappingKey              = "An ApiMapping key may contain only letters, numbers and one of $-_.+!*'(),"
	msgSubnets                 = "SubnetIds for a vpc link cannot be empty"
	msgVpcLinkPending          = "VPC link is provisioning ENIs"
	msgVpcLinkReady            = "VPC link is ready to route traffic"
	msgImportWarnings          = "Warnings found during import:"
	msgNotAuthorized           = "User: %s is not authorized to perform: %s on resource: %s"
)

// Messages, and texts inside messages, that are believed and not confirmed. A
// correction of one changes nothing else.
const (
	msgTooManyRequests  = "Too Many Requests"
	msgUnknownOperation = "Unable to determine service/operation name to be authorized"
	msgBodyTooLarge     = "Request Entity Too Large"
	msgBodyTimeout      = "The request body did not arrive in time"
	msgBodyLost         = "The request body could not be read"
	msgInternal         = "Internal Server Error"

	msgNotFound = "Invalid %s identifier specified %s" // kind, ID

	msgProblems = "Invalid request input: "
	msgRequired = "%s is required"
	msgLength   = "%s must have %d to %d characters"
	msgRange    = "%s must be between %d and %d"
	msgEnum     = "%s must be one of [%s]"
	msgEntries  = "%s must not have more than %d entries"

	msgMaxResults = "Invalid maxResults value"
	msgNextToken  = "Invalid token"

	msgTagCount    = "The resource must not have more than %d tags"
	msgTagKey      = "Invalid tag key %q: a key has 1 to 128 characters and does not start with aws:"
	msgTagResource = "Invalid resource ARN specified %s: only APIs, stages, VPC links, domain names, portals and portal products have tags"

	msgDocument             = "The %s with everything under it must not be larger than %d bytes"
	msgAPIInUse             = "Deleting API %s failed. Please remove all API mappings for the API from your custom domain names."
	msgAPIKeyExpression     = "Invalid apiKeySelectionExpression. Must be one of [$request.header.x-api-key, $context.authorizer.usageIdentifierKey]"
	msgWebSocketQuickCreate = "target, routeKey and credentialsArn are not supported for WEBSOCKET protocolType"
	msgQuickCreateTarget    = "routeKey and credentialsArn need a target"
	msgNoQuickCreate        = "target, routeKey and credentialsArn can only be updated for an API that was made with a target"
	msgTargetForm           = "Invalid target specified. Must be an HTTP or HTTPS URL or the ARN of a Lambda function"
	msgDefaultRouteKey      = "The route key of the $default route that is managed by API Gateway cannot be modified"
	msgManaged              = "Cannot delete/update resource managed by API Gateway"

	msgCorsOrigin  = "Invalid format for origin %s. An origin is *, https://*, http://*, or a scheme and a host as in https://example.com, without a path"
	msgCorsMethod  = "Invalid method %s in allowMethods"
	msgCorsHeader  = "Invalid header name %s in the CORS configuration"
	msgCorsEntries = "%s must not have more than %d entries"

	msgWebSocketRouteKey    = "The provided route key must not be empty"
	msgCustomAuthorizer     = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM requires a valid authorizer."
	msgJWTWebSocket         = "JWT authorization is not supported for WEBSOCKET protocolType"
	msgNeedlessAuthorizer   = "Authorizer ID is only valid for authorization types CUSTOM and JWT"
	msgScopeCount           = "A route must not have more than %d authorization scopes"
	msgNotHTTP              = "%s is not currently supported for HTTP APIs."
	msgNotWebSocket         = "%s is not currently supported for WebSocket APIs."
	msgResponseSelection    = "Currently, only $default is supported as a RouteResponseSelectionExpression."
	msgRouteParameter       = "Invalid request parameter %s: must be route.request.header.<name> or route.request.querystring.<name>"
	msgRouteModel           = "Invalid Model specified %s: the API has no model with this name"
	msgRequestModelKey      = "Invalid key in requestModels %q: must be $default or a media type such as application/json"
	msgRequestModelTwice    = "requestModels has %s and %s, which are one media type"
	msgRouteParameterAbsent = "Invalid request parameter key specified %s"

	msgIntegrationTypeHTTP  = "Integrations of type %s are not supported for HTTP APIs. Must be one of [AWS_PROXY, HTTP_PROXY]"
	msgIntegrationMethod    = "Invalid HTTP method specified: %s"
	msgIntegrationURINeeded = "IntegrationUri must be specified for integrations of type %s"
	msgHTTPURI              = "Invalid integration uri specified: %s. Must be an HTTP or HTTPS URL"
	msgLambdaURI            = "Invalid integration uri specified: %s. Must be the ARN of a Lambda function, or the ARN to invoke it"
	msgAWSURI               = "Invalid integration uri specified: %s. Must be arn:<partition>:apigateway:<region>:<service>:action/<action> or :path/<path>"
	msgSubtypeType          = "IntegrationSubtype is only valid for integrations of type AWS_PROXY"
	msgSubtypeURI           = "IntegrationUri must not be specified together with IntegrationSubtype"
	msgSubtypeParameter     = "Operation: %s does not support the parameter %s."
	msgTLSConfig            = "TlsConfig is only valid for ConnectionType VPC_LINK"
	msgMappedParameters     = "%s must not have more than %d entries"

	msgMapping          = "Invalid mapping expression specified: Validation Result: warnings : [], errors : [%s]"
	msgRequestKey       = "Invalid Request Actioned Parameter destination specified: %s"  // inside msgMapping
	msgResponseKey      = "Invalid Response Actioned Parameter destination specified: %s" // inside msgMapping
	msgMappingValue     = "Invalid mapping expression parameter specified: %s"            // inside msgMapping
	msgReservedHeader   = "Operations on header %s are restricted"                        // inside msgMapping
	msgWebSocketMapping = "Invalid mapping expression specified: %s"                      // inside msgMapping

	msgStageExists       = "Stage already exists"
	msgStageNotFound     = "Invalid stage identifier specified"
	msgDefaultStage      = "The $default stage is only supported for HTTP APIs"
	msgAutoDeployID      = "Deployment ID cannot be set on a stage with autoDeploy enabled"
	msgAutoDeployStage   = "Stage %s is deployed automatically: a deployment cannot be created for it while autoDeploy is enabled"
	msgThrottling        = "%s must not be negative"
	msgStageVariables    = "A stage must not have more than %d stage variables"
	msgStageVariableName = "Invalid stage variable name %q: must be 1 to 64 letters, digits and underscores"
	msgStageVariable     = "Invalid value of stage variable %s: must be 1 to %d characters of A-Za-z0-9-._~:/?#&=,"
	msgClientCertificate = "ClientCertificateId is not currently supported for HTTP APIs."
	msgAccessLogMembers  = "Access Log value missing. Expected destinationArn and format."
	msgAccessLogArn      = "Invalid ARN specified in the access log settings: %s. Must be the ARN of a log group: arn:<partition>:logs:<region>:<account>:log-group:<name>"
	msgAccessLogFormat   = "Access Log format must be a single line of at most %d bytes"
	msgAccessLogVariable = "Access Log format contains context variables that are not supported: [%s]"
	msgRouteSettings     = "Unable to find RouteSettings by key %s"

	msgDeploymentNotFound = "Invalid Deployment identifier specified"
	msgDeploymentInUse    = "Active stages pointing to this deployment must be moved or deleted"

	msgAuthorizerURI           = "Invalid Authorizer URI: %s. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
	msgAuthorizerVersion       = "Unsupported AuthorizerPayloadFormatVersion: %s"
	msgJWTConfigurationRequest = "JwtConfiguration can only be set for JWT authorizer."
	msgTokenSource             = "A JWT authorizer must have exactly one identity source"
	msgAudience                = "A JWT authorizer must have an audience, and none of them may be empty"
	msgAudiences               = "A JWT authorizer must not have more than %d audiences"
	msgAuthorizerTypeInUse     = "Cannot change the type of authorizer '%s', is referenced in route: %s"

	msgModelExists = "Model name already exists for this REST API"
	msgModelSchema = "Invalid model schema specified: %v"
	msgModelInUse  = "Cannot delete model '%s', is referenced in route: %s"
	msgModelNeeded = "Cannot delete model '%s', is referenced in model: %s"
	msgModelBreaks = "Invalid model schema specified: model %s, which refers to it, would no longer be valid: %v"

	msgIntegrationResponseKey    = "Invalid integration response key specified %s: must be $default, or a regular expression between slashes"
	msgIntegrationResponseExists = "Integration response with key %s already exists for this integration"
	msgRouteResponseExists       = "Route response with key $default already exists for this route"
	msgRouteResponseParameter    = "Invalid response parameter %s: must be route.response.header.<name>"

	msgDomainName          = "Invalid domain name specified %q: must be labels of lower-case letters, digits and hyphens between dots; the first may be *"
	msgCertificate         = "Invalid certificate ARN: %s. Must be arn:<partition>:acm:<region>:<account>:certificate/<id>"
	msgSecurityPolicy      = "The security policy %s is not supported: HTTP and WebSocket APIs need TLS_1_2"
	msgTruststore          = "Invalid truststoreUri specified: %s. Must be s3://<bucket>/<key>, https://<host>/<path> or file:///<path>"
	msgTruststoreNeeded    = "truststoreVersion needs a truststoreUri"
	msgTruststoreRead      = "The trust store %s cannot be read: %v"
	msgMappingKeyWebSocket = "API mapping keys of WebSocket APIs must not have a '/'."
	msgWebSocketDomain     = "Only WebSocket APIs can be mapped to a domain name that a WebSocket API is mapped to"
	msgHTTPDomain          = "WebSocket APIs cannot be mapped to a domain name that other APIs are mapped to"

	msgPriorityUsed   = "Priority %d is already in use"
	msgConditionForm  = "A condition must have exactly one of [matchHeaders, matchBasePaths]"
	msgConditionCount = "A routing rule must not have more than %d matchHeaders and %d matchBasePaths conditions"
	msgActionCount    = "A routing rule must have exactly one action"
	msgAnyOf          = "anyOf must have 1 to %d entries"
	msgRuleHeader     = "Invalid header %q in a routing rule: must be a header name of less than 40 characters"
	msgRuleGlob       = "Invalid valueGlob %q in a routing rule: must have less than 128 characters of a-zA-Z0-9?-!#$%%&'.^_`|~, and * only at its ends"
	msgRuleBasePath   = "Invalid base path %q in a routing rule: must be segments between slashes, without one at its ends"
	msgRuleWebSocket  = "Routing rules cannot invoke WebSocket APIs"

	msgSubnetCount        = "A VPC link must not have more than %d subnets"
	msgSecurityGroupCount = "A VPC link must not have more than %d security groups"
	msgVpcLinkInUse       = "Cannot delete vpc link. Vpc link '%s', is referenced in [%s] in format of [IntegrationId]."

	msgUnion               = "%s must have exactly one of [%s]"
	msgIncludedProduct     = "Invalid portal product ARN specified: %s. Each must be arn:<partition>:apigateway:<region>:<account>:/portalproducts/<id>, once"
	msgPortalPublished     = "The portal is published. Disable it before it is deleted"
	msgProductPublished    = "The portal product %s is in the published portal %s. Disable the portal, or publish it without the product"
	msgDisplayOrder        = "Invalid page ARN specified in displayOrder: %s. The portal product has no such page"
	msgSharingPolicy       = "Invalid policyDocument specified: must be a JSON object with a Statement"
	msgSharingPolicyAbsent = "The portal product %s has no sharing policy"

	msgImportProtocol   = "Only HTTP APIs are supported for import/export"
	msgImportErrors     = "Errors found during import:"
	msgImportAuthorizer = "Unable to create Authorizer '%s': %s"
	msgImportDenied     = "%s: the route is not created: its authorizer '%s' is not"
	msgExportVersion    = "Invalid exportVersion specified: %s. Must be 1.0"
	msgExportStage      = "The stage %s has no deployment that could be exported"
	msgExport           = "The API cannot be exported: %v"

	msgExplicitDeny = " with an explicit deny" // behind msgNotAuthorized
)

// notFoundMessages are the messages of [NotFound] that differ from msgNotFound.
var notFoundMessages = map[string]string{
	"Stage":      msgStageNotFound,
	"Deployment": msgDeploymentNotFound,
	"DomainName": msgDomainNotFound,
}
