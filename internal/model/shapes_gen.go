// Code generated from service.json and overlay.json; DO NOT EDIT.

package model

var shapeACMManaged = &Shape{Name: "ACMManaged", Kind: Structure, Members: []Member{
	{Name: "certificateArn", Shape: shapeStringMin10Max2048, Required: true},
	{Name: "domainName", Shape: shapeStringMin3Max256, Required: true},
}}

var shapeAccessLogSettings = &Shape{Name: "AccessLogSettings", Kind: Structure, Members: []Member{
	{Name: "destinationArn", Shape: shapeArn},
	{Name: "format", Shape: shapeStringWithLengthBetween1And1024, Own: OwnLength},
}}

var shapeApi = &Shape{Name: "Api", Kind: Structure, Members: []Member{
	{Name: "apiEndpoint", Shape: shapeString},
	{Name: "apiGatewayManaged", Shape: shapeBoolean},
	{Name: "apiId", Shape: shapeId},
	{Name: "apiKeySelectionExpression", Shape: shapeSelectionExpression},
	{Name: "corsConfiguration", Shape: shapeCors},
	{Name: "createdDate", Shape: shapeTimestampIso8601},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "disableExecuteApiEndpoint", Shape: shapeBoolean},
	{Name: "disableSchemaValidation", Shape: shapeBoolean},
	{Name: "importInfo", Shape: shapeListOfString},
	{Name: "ipAddressType", Shape: shapeIpAddressType},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "protocolType", Shape: shapeProtocolType, Required: true},
	{Name: "routeSelectionExpression", Shape: shapeSelectionExpression, Required: true},
	{Name: "tags", Shape: shapeTags, Always: true},
	{Name: "version", Shape: shapeStringWithLengthBetween1And64},
	{Name: "warnings", Shape: shapeListOfString},
}}

var shapeApiMapping = &Shape{Name: "ApiMapping", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeId, Required: true},
	{Name: "apiMappingId", Shape: shapeId},
	{Name: "apiMappingKey", Shape: shapeSelectionKey},
	{Name: "stage", Shape: shapeStringWithLengthBetween1And128, Required: true},
}}

var shapeArn = &Shape{Name: "Arn", Kind: String, Min: 0, Max: 2048}

var shapeAuthorization = &Shape{Name: "Authorization", Kind: Structure, Members: []Member{
	{Name: "cognitoConfig", Shape: shapeCognitoConfig},
	{Name: "none", Shape: shapeNone},
}}

var shapeAuthorizationScopes = &Shape{Name: "AuthorizationScopes", Kind: List, Element: shapeStringWithLengthBetween1And64}

var shapeAuthorizationType = &Shape{Name: "AuthorizationType", Kind: String, Enum: []string{"NONE", "AWS_IAM", "CUSTOM", "JWT"}}

var shapeAuthorizer = &Shape{Name: "Authorizer", Kind: Structure, Members: []Member{
	{Name: "authorizerCredentialsArn", Shape: shapeArn},
	{Name: "authorizerId", Shape: shapeId},
	{Name: "authorizerPayloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "authorizerResultTtlInSeconds", Shape: shapeIntegerWithLengthBetween0And3600},
	{Name: "authorizerType", Shape: shapeAuthorizerType},
	{Name: "authorizerUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "enableSimpleResponses", Shape: shapeBoolean},
	{Name: "identitySource", Shape: shapeIdentitySourceList},
	{Name: "identityValidationExpression", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "jwtConfiguration", Shape: shapeJWTConfiguration},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
}}

var shapeAuthorizerType = &Shape{Name: "AuthorizerType", Kind: String, Enum: []string{"REQUEST", "JWT"}}

var shapeCognitoConfig = &Shape{Name: "CognitoConfig", Kind: Structure, Members: []Member{
	{Name: "appClientId", Shape: shapeStringMin1Max256, Required: true},
	{Name: "userPoolArn", Shape: shapeStringMin20Max2048, Required: true},
	{Name: "userPoolDomain", Shape: shapeStringMin20Max2048, Required: true},
}}

var shapeConnectionType = &Shape{Name: "ConnectionType", Kind: String, Enum: []string{"INTERNET", "VPC_LINK"}}

var shapeContentHandlingStrategy = &Shape{Name: "ContentHandlingStrategy", Kind: String, Enum: []string{"CONVERT_TO_BINARY", "CONVERT_TO_TEXT"}}

var shapeCors = &Shape{Name: "Cors", Kind: Structure, Members: []Member{
	{Name: "allowCredentials", Shape: shapeBoolean},
	{Name: "allowHeaders", Shape: shapeCorsHeaderList},
	{Name: "allowMethods", Shape: shapeCorsMethodList},
	{Name: "allowOrigins", Shape: shapeCorsOriginList},
	{Name: "exposeHeaders", Shape: shapeCorsHeaderList},
	{Name: "maxAge", Shape: shapeIntegerWithLengthBetweenMinus1And86400},
}}

var shapeCorsHeaderList = &Shape{Name: "CorsHeaderList", Kind: List, Element: shapeString}

var shapeCorsMethodList = &Shape{Name: "CorsMethodList", Kind: List, Element: shapeStringWithLengthBetween1And64}

var shapeCorsOriginList = &Shape{Name: "CorsOriginList", Kind: List, Element: shapeString}

var shapeCreateApiMappingRequest = &Shape{Name: "CreateApiMappingRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeId, Required: true},
	{Name: "apiMappingKey", Shape: shapeSelectionKey},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "stage", Shape: shapeStringWithLengthBetween1And128, Required: true},
}}

var shapeCreateApiRequest = &Shape{Name: "CreateApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiKeySelectionExpression", Shape: shapeSelectionExpression},
	{Name: "corsConfiguration", Shape: shapeCors},
	{Name: "credentialsArn", Shape: shapeArn},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "disableExecuteApiEndpoint", Shape: shapeBoolean},
	{Name: "disableSchemaValidation", Shape: shapeBoolean},
	{Name: "ipAddressType", Shape: shapeIpAddressType},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true, Own: OwnRequired | OwnLength},
	{Name: "protocolType", Shape: shapeProtocolType, Required: true, Own: OwnRequired | OwnEnum},
	{Name: "routeKey", Shape: shapeSelectionKey},
	{Name: "routeSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "tags", Shape: shapeTags},
	{Name: "target", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "version", Shape: shapeStringWithLengthBetween1And64},
}}

var shapeCreateAuthorizerRequest = &Shape{Name: "CreateAuthorizerRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "authorizerCredentialsArn", Shape: shapeArn},
	{Name: "authorizerPayloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "authorizerResultTtlInSeconds", Shape: shapeIntegerWithLengthBetween0And3600, Own: OwnRange},
	{Name: "authorizerType", Shape: shapeAuthorizerType, Required: true, Own: OwnRequired},
	{Name: "authorizerUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "enableSimpleResponses", Shape: shapeBoolean},
	{Name: "identitySource", Shape: shapeIdentitySourceList, Required: true, Own: OwnRequired},
	{Name: "identityValidationExpression", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "jwtConfiguration", Shape: shapeJWTConfiguration},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
}}

var shapeCreateDeploymentRequest = &Shape{Name: "CreateDeploymentRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "stageName", Shape: shapeStringWithLengthBetween1And128},
}}

var shapeCreateDomainNameRequest = &Shape{Name: "CreateDomainNameRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeStringWithLengthBetween1And512, Required: true},
	{Name: "domainNameConfigurations", Shape: shapeDomainNameConfigurations, Own: OwnRequired},
	{Name: "mutualTlsAuthentication", Shape: shapeMutualTlsAuthenticationInput, Patch: PatchMembers},
	{Name: "routingMode", Shape: shapeRoutingMode},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCreateIntegrationRequest = &Shape{Name: "CreateIntegrationRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "connectionId", Shape: shapeStringWithLengthBetween1And1024},
	{Name: "connectionType", Shape: shapeConnectionType},
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy},
	{Name: "credentialsArn", Shape: shapeArn},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "integrationMethod", Shape: shapeStringWithLengthBetween1And64},
	{Name: "integrationSubtype", Shape: shapeStringWithLengthBetween1And128},
	{Name: "integrationType", Shape: shapeIntegrationType, Required: true},
	{Name: "integrationUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "passthroughBehavior", Shape: shapePassthroughBehavior},
	{Name: "payloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "requestParameters", Shape: shapeIntegrationParameters},
	{Name: "requestTemplates", Shape: shapeTemplateMap},
	{Name: "responseParameters", Shape: shapeResponseParameters},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "timeoutInMillis", Shape: shapeIntegerWithLengthBetween50And30000, Own: OwnRange},
	{Name: "tlsConfig", Shape: shapeTlsConfig},
}}

var shapeCreateIntegrationResponseRequest = &Shape{Name: "CreateIntegrationResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationResponseKey", Shape: shapeSelectionKey, Required: true},
	{Name: "responseParameters", Shape: shapeIntegrationParameters},
	{Name: "responseTemplates", Shape: shapeTemplateMap},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression},
}}

var shapeCreateModelRequest = &Shape{Name: "CreateModelRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "contentType", Shape: shapeStringWithLengthBetween1And256},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "schema", Shape: shapeStringWithLengthBetween0And32K, Required: true},
}}

var shapeCreatePortalProductRequest = &Shape{Name: "CreatePortalProductRequest", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024},
	{Name: "displayName", Shape: shapeStringMin1Max255, Required: true},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCreatePortalRequest = &Shape{Name: "CreatePortalRequest", Kind: Structure, Members: []Member{
	{Name: "authorization", Shape: shapeAuthorization, Required: true},
	{Name: "endpointConfiguration", Shape: shapeEndpointConfigurationRequest, Required: true},
	{Name: "includedPortalProductArns", Shape: shapeListOfStringMin20Max2048},
	{Name: "logoUri", Shape: shapeStringMin0Max1092},
	{Name: "portalContent", Shape: shapePortalContent, Required: true},
	{Name: "rumAppMonitorName", Shape: shapeStringMin0Max255},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCreatePortalResponse = &Shape{Name: "CreatePortalResponse", Kind: Structure, Members: []Member{
	{Name: "authorization", Shape: shapeAuthorization},
	{Name: "endpointConfiguration", Shape: shapeEndpointConfigurationResponse},
	{Name: "includedPortalProductArns", Shape: shapeListOfStringMin20Max2048},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "lastPublished", Shape: shapeTimestampIso8601},
	{Name: "lastPublishedDescription", Shape: shapeStringMin0Max1024},
	{Name: "portalArn", Shape: shapeStringMin20Max2048},
	{Name: "portalContent", Shape: shapePortalContent},
	{Name: "portalId", Shape: shapeStringMin10Max30PatternAZ09},
	{Name: "publishStatus", Shape: shapePublishStatus},
	{Name: "rumAppMonitorName", Shape: shapeStringMin0Max255},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCreateProductPageRequest = &Shape{Name: "CreateProductPageRequest", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeDisplayContent, Required: true},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeCreateProductRestEndpointPageRequest = &Shape{Name: "CreateProductRestEndpointPageRequest", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeEndpointDisplayContent},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "restEndpointIdentifier", Shape: shapeRestEndpointIdentifier, Required: true},
	{Name: "tryItState", Shape: shapeTryItState},
}}

var shapeCreateProductRestEndpointPageResponse = &Shape{Name: "CreateProductRestEndpointPageResponse", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeEndpointDisplayContentResponse},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "productRestEndpointPageArn", Shape: shapeStringMin20Max2048},
	{Name: "productRestEndpointPageId", Shape: shapeStringMin10Max30PatternAZ09},
	{Name: "restEndpointIdentifier", Shape: shapeRestEndpointIdentifier},
	{Name: "status", Shape: shapeStatus},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tryItState", Shape: shapeTryItState},
}}

var shapeCreateRouteRequest = &Shape{Name: "CreateRouteRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "apiKeyRequired", Shape: shapeBoolean},
	{Name: "authorizationScopes", Shape: shapeAuthorizationScopes},
	{Name: "authorizationType", Shape: shapeAuthorizationType},
	{Name: "authorizerId", Shape: shapeId},
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "operationName", Shape: shapeStringWithLengthBetween1And64},
	{Name: "requestModels", Shape: shapeRouteModels},
	{Name: "requestParameters", Shape: shapeRouteParameters},
	{Name: "routeKey", Shape: shapeSelectionKey, Required: true},
	{Name: "routeResponseSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "target", Shape: shapeStringWithLengthBetween1And128},
}}

var shapeCreateRouteResponseRequest = &Shape{Name: "CreateRouteResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "responseModels", Shape: shapeRouteModels},
	{Name: "responseParameters", Shape: shapeRouteParameters},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeResponseKey", Shape: shapeSelectionKey, Required: true},
}}

var shapeCreateRoutingRuleRequest = &Shape{Name: "CreateRoutingRuleRequest", Kind: Structure, Members: []Member{
	{Name: "actions", Shape: shapeListOfRoutingRuleAction, Required: true},
	{Name: "conditions", Shape: shapeListOfRoutingRuleCondition, Required: true},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameId", Shape: shapeString, Location: Query},
	{Name: "priority", Shape: shapeRoutingRulePriority, Required: true},
}}

var shapeCreateStageRequest = &Shape{Name: "CreateStageRequest", Kind: Structure, Members: []Member{
	{Name: "accessLogSettings", Shape: shapeAccessLogSettings},
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "autoDeploy", Shape: shapeBoolean},
	{Name: "clientCertificateId", Shape: shapeId},
	{Name: "defaultRouteSettings", Shape: shapeRouteSettings},
	{Name: "deploymentId", Shape: shapeId},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "routeSettings", Shape: shapeRouteSettingsMap},
	{Name: "stageName", Shape: shapeStringWithLengthBetween1And128, Required: true, Own: OwnLength},
	{Name: "stageVariables", Shape: shapeStageVariablesMap},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCreateVpcLinkRequest = &Shape{Name: "CreateVpcLinkRequest", Kind: Structure, Members: []Member{
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "securityGroupIds", Shape: shapeSecurityGroupIdList},
	{Name: "subnetIds", Shape: shapeSubnetIdList, Required: true, Own: OwnRequired},
	{Name: "tags", Shape: shapeTags},
}}

var shapeCustomColors = &Shape{Name: "CustomColors", Kind: Structure, Members: []Member{
	{Name: "accentColor", Shape: shapeStringMin1Max16, Required: true},
	{Name: "backgroundColor", Shape: shapeStringMin1Max16, Required: true},
	{Name: "errorValidationColor", Shape: shapeStringMin1Max16, Required: true},
	{Name: "headerColor", Shape: shapeStringMin1Max16, Required: true},
	{Name: "navigationColor", Shape: shapeStringMin1Max16, Required: true},
	{Name: "textColor", Shape: shapeStringMin1Max16, Required: true},
}}

var shapeDeleteAccessLogSettingsRequest = &Shape{Name: "DeleteAccessLogSettingsRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteApiMappingRequest = &Shape{Name: "DeleteApiMappingRequest", Kind: Structure, Members: []Member{
	{Name: "apiMappingId", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteApiRequest = &Shape{Name: "DeleteApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteAuthorizerRequest = &Shape{Name: "DeleteAuthorizerRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "authorizerId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteCorsConfigurationRequest = &Shape{Name: "DeleteCorsConfigurationRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteDeploymentRequest = &Shape{Name: "DeleteDeploymentRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "deploymentId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteDomainNameRequest = &Shape{Name: "DeleteDomainNameRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteIntegrationRequest = &Shape{Name: "DeleteIntegrationRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteIntegrationResponseRequest = &Shape{Name: "DeleteIntegrationResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationResponseId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteModelRequest = &Shape{Name: "DeleteModelRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "modelId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeletePortalProductRequest = &Shape{Name: "DeletePortalProductRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeletePortalProductSharingPolicyRequest = &Shape{Name: "DeletePortalProductSharingPolicyRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeletePortalRequest = &Shape{Name: "DeletePortalRequest", Kind: Structure, Members: []Member{
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteProductPageRequest = &Shape{Name: "DeleteProductPageRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productPageId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteProductRestEndpointPageRequest = &Shape{Name: "DeleteProductRestEndpointPageRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productRestEndpointPageId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteRouteRequest = &Shape{Name: "DeleteRouteRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteRouteRequestParameterRequest = &Shape{Name: "DeleteRouteRequestParameterRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "requestParameterKey", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteRouteResponseRequest = &Shape{Name: "DeleteRouteResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeResponseId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteRouteSettingsRequest = &Shape{Name: "DeleteRouteSettingsRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeKey", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteRoutingRuleRequest = &Shape{Name: "DeleteRoutingRuleRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameId", Shape: shapeString, Location: Query},
	{Name: "routingRuleId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteStageRequest = &Shape{Name: "DeleteStageRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteVpcLinkRequest = &Shape{Name: "DeleteVpcLinkRequest", Kind: Structure, Members: []Member{
	{Name: "vpcLinkId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDeleteVpcLinkResponse = &Shape{Name: "DeleteVpcLinkResponse", Kind: Structure}

var shapeDeployment = &Shape{Name: "Deployment", Kind: Structure, Members: []Member{
	{Name: "autoDeployed", Shape: shapeBoolean},
	{Name: "createdDate", Shape: shapeTimestampIso8601},
	{Name: "deploymentId", Shape: shapeId},
	{Name: "deploymentStatus", Shape: shapeDeploymentStatus},
	{Name: "deploymentStatusMessage", Shape: shapeString},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
}}

var shapeDeploymentStatus = &Shape{Name: "DeploymentStatus", Kind: String, Enum: []string{"PENDING", "FAILED", "DEPLOYED"}}

var shapeDisablePortalRequest = &Shape{Name: "DisablePortalRequest", Kind: Structure, Members: []Member{
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeDisplayContent = &Shape{Name: "DisplayContent", Kind: Structure, Members: []Member{
	{Name: "body", Shape: shapeStringMin1Max32768, Required: true},
	{Name: "title", Shape: shapeStringMin1Max255, Required: true},
}}

var shapeDisplayContentOverrides = &Shape{Name: "DisplayContentOverrides", Kind: Structure, Members: []Member{
	{Name: "body", Shape: shapeStringMin1Max32768},
	{Name: "endpoint", Shape: shapeStringMin1Max1024},
	{Name: "operationName", Shape: shapeStringMin1Max255},
}}

var shapeDisplayOrder = &Shape{Name: "DisplayOrder", Kind: Structure, Members: []Member{
	{Name: "contents", Shape: shapeListOfSection},
	{Name: "overviewPageArn", Shape: shapeStringMin20Max2048},
	{Name: "productPageArns", Shape: shapeListOfStringMin20Max2048},
}}

var shapeDomainName = &Shape{Name: "DomainName", Kind: Structure, Members: []Member{
	{Name: "apiMappingSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "domainName", Shape: shapeStringWithLengthBetween1And512, Required: true},
	{Name: "domainNameArn", Shape: shapeArn},
	{Name: "domainNameConfigurations", Shape: shapeDomainNameConfigurations},
	{Name: "mutualTlsAuthentication", Shape: shapeMutualTlsAuthentication},
	{Name: "routingMode", Shape: shapeRoutingMode},
	{Name: "tags", Shape: shapeTags},
}}

var shapeDomainNameConfiguration = &Shape{Name: "DomainNameConfiguration", Kind: Structure, Members: []Member{
	{Name: "apiGatewayDomainName", Shape: shapeString},
	{Name: "certificateArn", Shape: shapeArn},
	{Name: "certificateName", Shape: shapeStringWithLengthBetween1And128},
	{Name: "certificateUploadDate", Shape: shapeTimestampIso8601},
	{Name: "domainNameStatus", Shape: shapeDomainNameStatus},
	{Name: "domainNameStatusMessage", Shape: shapeString},
	{Name: "endpointType", Shape: shapeEndpointType},
	{Name: "hostedZoneId", Shape: shapeString},
	{Name: "ipAddressType", Shape: shapeIpAddressType},
	{Name: "ownershipVerificationCertificateArn", Shape: shapeArn},
	{Name: "securityPolicy", Shape: shapeSecurityPolicy},
}}

var shapeDomainNameConfigurations = &Shape{Name: "DomainNameConfigurations", Kind: List, Element: shapeDomainNameConfiguration}

var shapeDomainNameStatus = &Shape{Name: "DomainNameStatus", Kind: String, Enum: []string{"AVAILABLE", "UPDATING", "PENDING_CERTIFICATE_REIMPORT", "PENDING_OWNERSHIP_VERIFICATION"}}

var shapeEndpointConfigurationRequest = &Shape{Name: "EndpointConfigurationRequest", Kind: Structure, Members: []Member{
	{Name: "acmManaged", Shape: shapeACMManaged},
	{Name: "none", Shape: shapeNone},
}}

var shapeEndpointConfigurationResponse = &Shape{Name: "EndpointConfigurationResponse", Kind: Structure, Members: []Member{
	{Name: "certificateArn", Shape: shapeStringMin10Max2048},
	{Name: "domainName", Shape: shapeStringMin3Max256},
	{Name: "portalDefaultDomainName", Shape: shapeStringMin3Max256, Required: true},
	{Name: "portalDomainHostedZoneId", Shape: shapeStringMin1Max64, Required: true},
}}

var shapeEndpointDisplayContent = &Shape{Name: "EndpointDisplayContent", Kind: Structure, Members: []Member{
	{Name: "none", Shape: shapeNone},
	{Name: "overrides", Shape: shapeDisplayContentOverrides},
}}

var shapeEndpointDisplayContentResponse = &Shape{Name: "EndpointDisplayContentResponse", Kind: Structure, Members: []Member{
	{Name: "body", Shape: shapeStringMin1Max32768},
	{Name: "endpoint", Shape: shapeStringMin1Max1024, Required: true},
	{Name: "operationName", Shape: shapeStringMin1Max255},
}}

var shapeEndpointType = &Shape{Name: "EndpointType", Kind: String, Enum: []string{"REGIONAL", "EDGE"}}

var shapeExportApiRequest = &Shape{Name: "ExportApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "exportVersion", Shape: shapeString, Location: Query},
	{Name: "includeExtensions", Shape: shapeBoolean, Location: Query},
	{Name: "outputType", Shape: &Shape{Name: "__string", Kind: String, Enum: []string{"YAML", "JSON"}}, Location: Query, Required: true},
	{Name: "specification", Shape: &Shape{Name: "__string", Kind: String, Enum: []string{"OAS30"}}, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Query},
}}

var shapeExportApiResponse = &Shape{Name: "ExportApiResponse", Kind: Structure, Members: []Member{
	{Name: "body", Shape: shapeExportedApi, Location: Payload},
}}

var shapeExportedApi = &Shape{Name: "ExportedApi", Kind: Blob}

var shapeGetApiMappingRequest = &Shape{Name: "GetApiMappingRequest", Kind: Structure, Members: []Member{
	{Name: "apiMappingId", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetApiMappingsRequest = &Shape{Name: "GetApiMappingsRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetApiMappingsResponse = &Shape{Name: "GetApiMappingsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfApiMapping},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetApiRequest = &Shape{Name: "GetApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetApisRequest = &Shape{Name: "GetApisRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetApisResponse = &Shape{Name: "GetApisResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfApi},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetAuthorizerRequest = &Shape{Name: "GetAuthorizerRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "authorizerId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetAuthorizersRequest = &Shape{Name: "GetAuthorizersRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetAuthorizersResponse = &Shape{Name: "GetAuthorizersResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfAuthorizer},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetDeploymentRequest = &Shape{Name: "GetDeploymentRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "deploymentId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetDeploymentsRequest = &Shape{Name: "GetDeploymentsRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetDeploymentsResponse = &Shape{Name: "GetDeploymentsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfDeployment},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetDomainNameRequest = &Shape{Name: "GetDomainNameRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetDomainNamesRequest = &Shape{Name: "GetDomainNamesRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetDomainNamesResponse = &Shape{Name: "GetDomainNamesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfDomainName},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetIntegrationRequest = &Shape{Name: "GetIntegrationRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetIntegrationResponseRequest = &Shape{Name: "GetIntegrationResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationResponseId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetIntegrationResponsesRequest = &Shape{Name: "GetIntegrationResponsesRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetIntegrationResponsesResponse = &Shape{Name: "GetIntegrationResponsesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfIntegrationResponse},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetIntegrationsRequest = &Shape{Name: "GetIntegrationsRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetIntegrationsResponse = &Shape{Name: "GetIntegrationsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfIntegration},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetModelRequest = &Shape{Name: "GetModelRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "modelId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetModelTemplateRequest = &Shape{Name: "GetModelTemplateRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "modelId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetModelTemplateResponse = &Shape{Name: "GetModelTemplateResponse", Kind: Structure, Members: []Member{
	{Name: "value", Shape: shapeString},
}}

var shapeGetModelsRequest = &Shape{Name: "GetModelsRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetModelsResponse = &Shape{Name: "GetModelsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfModel},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetPortalProductRequest = &Shape{Name: "GetPortalProductRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "resourceOwnerAccountId", Shape: shapeString, Location: Query},
}}

var shapeGetPortalProductResponse = &Shape{Name: "GetPortalProductResponse", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024},
	{Name: "displayName", Shape: shapeStringMin1Max255},
	{Name: "displayOrder", Shape: shapeDisplayOrder},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "portalProductArn", Shape: shapeStringMin20Max2048},
	{Name: "portalProductId", Shape: shapeStringMin10Max30PatternAZ09},
	{Name: "tags", Shape: shapeTags},
}}

var shapeGetPortalProductSharingPolicyRequest = &Shape{Name: "GetPortalProductSharingPolicyRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetPortalProductSharingPolicyResponse = &Shape{Name: "GetPortalProductSharingPolicyResponse", Kind: Structure, Members: []Member{
	{Name: "policyDocument", Shape: shapeStringMin1Max307200},
	{Name: "portalProductId", Shape: shapeStringMin10Max30PatternAZ09},
}}

var shapeGetPortalRequest = &Shape{Name: "GetPortalRequest", Kind: Structure, Members: []Member{
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetProductPageRequest = &Shape{Name: "GetProductPageRequest", Kind: Structure, Members: []Member{
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productPageId", Shape: shapeString, Location: Label, Required: true},
	{Name: "resourceOwnerAccountId", Shape: shapeString, Location: Query},
}}

var shapeGetProductPageResponse = &Shape{Name: "GetProductPageResponse", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeDisplayContent},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "productPageArn", Shape: shapeStringMin20Max2048},
	{Name: "productPageId", Shape: shapeStringMin10Max30PatternAZ09},
}}

var shapeGetProductRestEndpointPageRequest = &Shape{Name: "GetProductRestEndpointPageRequest", Kind: Structure, Members: []Member{
	{Name: "includeRawDisplayContent", Shape: shapeString, Location: Query},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productRestEndpointPageId", Shape: shapeString, Location: Label, Required: true},
	{Name: "resourceOwnerAccountId", Shape: shapeString, Location: Query},
}}

var shapeGetProductRestEndpointPageResponse = &Shape{Name: "GetProductRestEndpointPageResponse", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeEndpointDisplayContentResponse},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "productRestEndpointPageArn", Shape: shapeStringMin20Max2048},
	{Name: "productRestEndpointPageId", Shape: shapeStringMin10Max30PatternAZ09},
	{Name: "rawDisplayContent", Shape: shapeString},
	{Name: "restEndpointIdentifier", Shape: shapeRestEndpointIdentifier},
	{Name: "status", Shape: shapeStatus},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tryItState", Shape: shapeTryItState},
}}

var shapeGetRouteRequest = &Shape{Name: "GetRouteRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetRouteResponseRequest = &Shape{Name: "GetRouteResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeResponseId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetRouteResponsesRequest = &Shape{Name: "GetRouteResponsesRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetRouteResponsesResponse = &Shape{Name: "GetRouteResponsesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfRouteResponse},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetRoutesRequest = &Shape{Name: "GetRoutesRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetRoutesResponse = &Shape{Name: "GetRoutesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfRoute},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetRoutingRuleRequest = &Shape{Name: "GetRoutingRuleRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameId", Shape: shapeString, Location: Query},
	{Name: "routingRuleId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetStageRequest = &Shape{Name: "GetStageRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetStagesRequest = &Shape{Name: "GetStagesRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetStagesResponse = &Shape{Name: "GetStagesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfStage},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeGetTagsRequest = &Shape{Name: "GetTagsRequest", Kind: Structure, Members: []Member{
	{Name: "resource-arn", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetTagsResponse = &Shape{Name: "GetTagsResponse", Kind: Structure, Members: []Member{
	{Name: "tags", Shape: shapeTags},
}}

var shapeGetVpcLinkRequest = &Shape{Name: "GetVpcLinkRequest", Kind: Structure, Members: []Member{
	{Name: "vpcLinkId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeGetVpcLinksRequest = &Shape{Name: "GetVpcLinksRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeGetVpcLinksResponse = &Shape{Name: "GetVpcLinksResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfVpcLink},
	{Name: "nextToken", Shape: shapeNextToken},
}}

var shapeId = &Shape{Name: "Id", Kind: String, Min: 0, Max: 2048}

var shapeIdentifierParts = &Shape{Name: "IdentifierParts", Kind: Structure, Members: []Member{
	{Name: "method", Shape: shapeStringMin1Max20, Required: true},
	{Name: "path", Shape: shapeStringMin1Max4096, Required: true},
	{Name: "restApiId", Shape: shapeStringMin1Max50, Required: true},
	{Name: "stage", Shape: shapeStringMin1Max128, Required: true},
}}

var shapeIdentitySourceList = &Shape{Name: "IdentitySourceList", Kind: List, Element: shapeString}

var shapeImportApiRequest = &Shape{Name: "ImportApiRequest", Kind: Structure, Members: []Member{
	{Name: "basepath", Shape: shapeString, Location: Query},
	{Name: "body", Shape: shapeString, Required: true},
	{Name: "failOnWarnings", Shape: shapeBoolean, Location: Query},
}}

var shapeIntegerWithLengthBetween0And3600 = &Shape{Name: "IntegerWithLengthBetween0And3600", Kind: Integer, Min: 0, Max: 3600}

var shapeIntegerWithLengthBetween50And30000 = &Shape{Name: "IntegerWithLengthBetween50And30000", Kind: Integer, Min: 50, Max: 30000}

var shapeIntegerWithLengthBetweenMinus1And86400 = &Shape{Name: "IntegerWithLengthBetweenMinus1And86400", Kind: Integer, Min: -1, Max: 86400}

var shapeIntegration = &Shape{Name: "Integration", Kind: Structure, Members: []Member{
	{Name: "apiGatewayManaged", Shape: shapeBoolean},
	{Name: "connectionId", Shape: shapeStringWithLengthBetween1And1024},
	{Name: "connectionType", Shape: shapeConnectionType},
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy},
	{Name: "credentialsArn", Shape: shapeArn},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "integrationId", Shape: shapeId},
	{Name: "integrationMethod", Shape: shapeStringWithLengthBetween1And64},
	{Name: "integrationResponseSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "integrationSubtype", Shape: shapeStringWithLengthBetween1And128},
	{Name: "integrationType", Shape: shapeIntegrationType},
	{Name: "integrationUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "passthroughBehavior", Shape: shapePassthroughBehavior},
	{Name: "payloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "requestParameters", Shape: shapeIntegrationParameters},
	{Name: "requestTemplates", Shape: shapeTemplateMap},
	{Name: "responseParameters", Shape: shapeResponseParameters},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "timeoutInMillis", Shape: shapeIntegerWithLengthBetween50And30000},
	{Name: "tlsConfig", Shape: shapeTlsConfig},
}}

var shapeIntegrationParameters = &Shape{Name: "IntegrationParameters", Kind: Map, Element: shapeStringWithLengthBetween1And512}

var shapeIntegrationResponse = &Shape{Name: "IntegrationResponse", Kind: Structure, Members: []Member{
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy},
	{Name: "integrationResponseId", Shape: shapeId},
	{Name: "integrationResponseKey", Shape: shapeSelectionKey, Required: true},
	{Name: "responseParameters", Shape: shapeIntegrationParameters},
	{Name: "responseTemplates", Shape: shapeTemplateMap},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression},
}}

var shapeIntegrationType = &Shape{Name: "IntegrationType", Kind: String, Enum: []string{"AWS", "HTTP", "MOCK", "HTTP_PROXY", "AWS_PROXY"}}

var shapeIpAddressType = &Shape{Name: "IpAddressType", Kind: String, Enum: []string{"ipv4", "dualstack"}}

var shapeJWTConfiguration = &Shape{Name: "JWTConfiguration", Kind: Structure, Members: []Member{
	{Name: "audience", Shape: shapeListOfString},
	{Name: "issuer", Shape: shapeUriWithLengthBetween1And2048},
}}

var shapeListPortalProductsRequest = &Shape{Name: "ListPortalProductsRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
	{Name: "resourceOwner", Shape: shapeString, Location: Query},
}}

var shapeListPortalProductsResponse = &Shape{Name: "ListPortalProductsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfPortalProductSummary},
	{Name: "nextToken", Shape: shapeStringMin1Max2048},
}}

var shapeListPortalsRequest = &Shape{Name: "ListPortalsRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeListPortalsResponse = &Shape{Name: "ListPortalsResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfPortalSummary},
	{Name: "nextToken", Shape: shapeStringMin1Max2048},
}}

var shapeListProductPagesRequest = &Shape{Name: "ListProductPagesRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "resourceOwnerAccountId", Shape: shapeString, Location: Query},
}}

var shapeListProductPagesResponse = &Shape{Name: "ListProductPagesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfProductPageSummaryNoBody},
	{Name: "nextToken", Shape: shapeStringMin1Max2048},
}}

var shapeListProductRestEndpointPagesRequest = &Shape{Name: "ListProductRestEndpointPagesRequest", Kind: Structure, Members: []Member{
	{Name: "maxResults", Shape: shapeString, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "resourceOwnerAccountId", Shape: shapeString, Location: Query},
}}

var shapeListProductRestEndpointPagesResponse = &Shape{Name: "ListProductRestEndpointPagesResponse", Kind: Structure, Members: []Member{
	{Name: "items", Shape: shapeListOfProductRestEndpointPageSummaryNoBody},
	{Name: "nextToken", Shape: shapeString},
}}

var shapeListRoutingRulesRequest = &Shape{Name: "ListRoutingRulesRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameId", Shape: shapeString, Location: Query},
	{Name: "maxResults", Shape: shapeMaxResults, Location: Query},
	{Name: "nextToken", Shape: shapeString, Location: Query},
}}

var shapeListRoutingRulesResponse = &Shape{Name: "ListRoutingRulesResponse", Kind: Structure, Members: []Member{
	{Name: "nextToken", Shape: shapeNextToken},
	{Name: "routingRules", Shape: shapeListOfRoutingRule},
}}

var shapeLoggingLevel = &Shape{Name: "LoggingLevel", Kind: String, Enum: []string{"ERROR", "INFO", "OFF"}}

var shapeMaxResults = &Shape{Name: "MaxResults", Kind: Integer, Min: 1, Max: 100}

var shapeModel = &Shape{Name: "Model", Kind: Structure, Members: []Member{
	{Name: "contentType", Shape: shapeStringWithLengthBetween1And256},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "modelId", Shape: shapeId},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "schema", Shape: shapeStringWithLengthBetween0And32K},
}}

var shapeMutualTlsAuthentication = &Shape{Name: "MutualTlsAuthentication", Kind: Structure, Members: []Member{
	{Name: "truststoreUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "truststoreVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "truststoreWarnings", Shape: shapeListOfString},
}}

var shapeMutualTlsAuthenticationInput = &Shape{Name: "MutualTlsAuthenticationInput", Kind: Structure, Members: []Member{
	{Name: "truststoreUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "truststoreVersion", Shape: shapeStringWithLengthBetween1And64},
}}

var shapeNextToken = &Shape{Name: "NextToken", Kind: String}

var shapeNone = &Shape{Name: "None", Kind: Structure}

var shapeParameterConstraints = &Shape{Name: "ParameterConstraints", Kind: Structure, Members: []Member{
	{Name: "required", Shape: shapeBoolean},
}}

var shapePassthroughBehavior = &Shape{Name: "PassthroughBehavior", Kind: String, Enum: []string{"WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"}}

var shapePortalContent = &Shape{Name: "PortalContent", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024},
	{Name: "displayName", Shape: shapeStringMin3Max255, Required: true},
	{Name: "theme", Shape: shapePortalTheme, Required: true},
}}

var shapePortalProductSummary = &Shape{Name: "PortalProductSummary", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024, Required: true},
	{Name: "displayName", Shape: shapeStringMin1Max255, Required: true},
	{Name: "lastModified", Shape: shapeTimestampIso8601, Required: true},
	{Name: "portalProductArn", Shape: shapeStringMin20Max2048, Required: true},
	{Name: "portalProductId", Shape: shapeStringMin10Max30PatternAZ09, Required: true},
	{Name: "tags", Shape: shapeTags},
}}

var shapePortalSummary = &Shape{Name: "PortalSummary", Kind: Structure, Members: []Member{
	{Name: "authorization", Shape: shapeAuthorization, Required: true},
	{Name: "endpointConfiguration", Shape: shapeEndpointConfigurationResponse, Required: true},
	{Name: "includedPortalProductArns", Shape: shapeListOfStringMin20Max2048, Required: true, Always: true},
	{Name: "lastModified", Shape: shapeTimestampIso8601, Required: true},
	{Name: "lastPublished", Shape: shapeTimestampIso8601},
	{Name: "lastPublishedDescription", Shape: shapeStringMin0Max1024},
	{Name: "portalArn", Shape: shapeStringMin20Max2048, Required: true},
	{Name: "portalContent", Shape: shapePortalContent, Required: true},
	{Name: "portalId", Shape: shapeStringMin10Max30PatternAZ09, Required: true},
	{Name: "preview", Shape: shapePreview},
	{Name: "publishStatus", Shape: shapePublishStatus},
	{Name: "rumAppMonitorName", Shape: shapeStringMin0Max255},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tags", Shape: shapeTags},
}}

var shapePortalTheme = &Shape{Name: "PortalTheme", Kind: Structure, Members: []Member{
	{Name: "customColors", Shape: shapeCustomColors, Required: true},
	{Name: "logoLastUploaded", Shape: shapeTimestampIso8601},
}}

var shapePreview = &Shape{Name: "Preview", Kind: Structure, Members: []Member{
	{Name: "previewStatus", Shape: shapePreviewStatus, Required: true},
	{Name: "previewUrl", Shape: shapeString},
	{Name: "statusException", Shape: shapeStatusException},
}}

var shapePreviewPortalRequest = &Shape{Name: "PreviewPortalRequest", Kind: Structure, Members: []Member{
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
}}

var shapePreviewPortalResponse = &Shape{Name: "PreviewPortalResponse", Kind: Structure}

var shapePreviewStatus = &Shape{Name: "PreviewStatus", Kind: String, Enum: []string{"PREVIEW_IN_PROGRESS", "PREVIEW_FAILED", "PREVIEW_READY"}}

var shapeProductPageSummaryNoBody = &Shape{Name: "ProductPageSummaryNoBody", Kind: Structure, Members: []Member{
	{Name: "lastModified", Shape: shapeTimestampIso8601, Required: true},
	{Name: "pageTitle", Shape: shapeStringMin1Max255, Required: true},
	{Name: "productPageArn", Shape: shapeStringMin20Max2048, Required: true},
	{Name: "productPageId", Shape: shapeStringMin10Max30PatternAZ09, Required: true},
}}

var shapeProductRestEndpointPageSummaryNoBody = &Shape{Name: "ProductRestEndpointPageSummaryNoBody", Kind: Structure, Members: []Member{
	{Name: "endpoint", Shape: shapeStringMin1Max1024, Required: true},
	{Name: "lastModified", Shape: shapeTimestampIso8601, Required: true},
	{Name: "operationName", Shape: shapeStringMin1Max255},
	{Name: "productRestEndpointPageArn", Shape: shapeStringMin20Max2048, Required: true},
	{Name: "productRestEndpointPageId", Shape: shapeStringMin10Max30PatternAZ09, Required: true},
	{Name: "restEndpointIdentifier", Shape: shapeRestEndpointIdentifier, Required: true},
	{Name: "status", Shape: shapeStatus, Required: true},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tryItState", Shape: shapeTryItState, Required: true},
}}

var shapeProtocolType = &Shape{Name: "ProtocolType", Kind: String, Enum: []string{"WEBSOCKET", "HTTP"}}

var shapePublishPortalRequest = &Shape{Name: "PublishPortalRequest", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024},
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
}}

var shapePublishPortalResponse = &Shape{Name: "PublishPortalResponse", Kind: Structure}

var shapePublishStatus = &Shape{Name: "PublishStatus", Kind: String, Enum: []string{"PUBLISHED", "PUBLISH_IN_PROGRESS", "PUBLISH_FAILED", "DISABLE_IN_PROGRESS", "DISABLE_FAILED", "DISABLED"}}

var shapePutPortalProductSharingPolicyRequest = &Shape{Name: "PutPortalProductSharingPolicyRequest", Kind: Structure, Members: []Member{
	{Name: "policyDocument", Shape: shapeStringMin1Max307200, Required: true},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapePutPortalProductSharingPolicyResponse = &Shape{Name: "PutPortalProductSharingPolicyResponse", Kind: Structure}

var shapePutRoutingRuleRequest = &Shape{Name: "PutRoutingRuleRequest", Kind: Structure, Members: []Member{
	{Name: "actions", Shape: shapeListOfRoutingRuleAction, Required: true},
	{Name: "conditions", Shape: shapeListOfRoutingRuleCondition, Required: true},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameId", Shape: shapeString, Location: Query},
	{Name: "priority", Shape: shapeRoutingRulePriority, Required: true},
	{Name: "routingRuleId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeReimportApiRequest = &Shape{Name: "ReimportApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "basepath", Shape: shapeString, Location: Query},
	{Name: "body", Shape: shapeString, Required: true},
	{Name: "failOnWarnings", Shape: shapeBoolean, Location: Query},
}}

var shapeResetAuthorizersCacheRequest = &Shape{Name: "ResetAuthorizersCacheRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
}}

var shapeResponseParameters = &Shape{Name: "ResponseParameters", Kind: Map, Element: shapeIntegrationParameters}

var shapeRestEndpointIdentifier = &Shape{Name: "RestEndpointIdentifier", Kind: Structure, Members: []Member{
	{Name: "identifierParts", Shape: shapeIdentifierParts},
}}

var shapeRoute = &Shape{Name: "Route", Kind: Structure, Members: []Member{
	{Name: "apiGatewayManaged", Shape: shapeBoolean},
	{Name: "apiKeyRequired", Shape: shapeBoolean},
	{Name: "authorizationScopes", Shape: shapeAuthorizationScopes},
	{Name: "authorizationType", Shape: shapeAuthorizationType},
	{Name: "authorizerId", Shape: shapeId},
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "operationName", Shape: shapeStringWithLengthBetween1And64},
	{Name: "requestModels", Shape: shapeRouteModels},
	{Name: "requestParameters", Shape: shapeRouteParameters},
	{Name: "routeId", Shape: shapeId},
	{Name: "routeKey", Shape: shapeSelectionKey, Required: true},
	{Name: "routeResponseSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "target", Shape: shapeStringWithLengthBetween1And128},
}}

var shapeRouteModels = &Shape{Name: "RouteModels", Kind: Map, Element: shapeStringWithLengthBetween1And128}

var shapeRouteParameters = &Shape{Name: "RouteParameters", Kind: Map, Element: shapeParameterConstraints}

var shapeRouteResponse = &Shape{Name: "RouteResponse", Kind: Structure, Members: []Member{
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "responseModels", Shape: shapeRouteModels},
	{Name: "responseParameters", Shape: shapeRouteParameters},
	{Name: "routeResponseId", Shape: shapeId},
	{Name: "routeResponseKey", Shape: shapeSelectionKey, Required: true},
}}

var shapeRouteSettings = &Shape{Name: "RouteSettings", Kind: Structure, Members: []Member{
	{Name: "dataTraceEnabled", Shape: shapeBoolean},
	{Name: "detailedMetricsEnabled", Shape: shapeBoolean},
	{Name: "loggingLevel", Shape: shapeLoggingLevel},
	{Name: "throttlingBurstLimit", Shape: shapeInteger},
	{Name: "throttlingRateLimit", Shape: shapeDouble},
}}

var shapeRouteSettingsMap = &Shape{Name: "RouteSettingsMap", Kind: Map, Element: shapeRouteSettings}

var shapeRoutingMode = &Shape{Name: "RoutingMode", Kind: String, Enum: []string{"API_MAPPING_ONLY", "ROUTING_RULE_ONLY", "ROUTING_RULE_THEN_API_MAPPING"}}

var shapeRoutingRule = &Shape{Name: "RoutingRule", Kind: Structure, Members: []Member{
	{Name: "actions", Shape: shapeListOfRoutingRuleAction},
	{Name: "conditions", Shape: shapeListOfRoutingRuleCondition, Always: true},
	{Name: "priority", Shape: shapeRoutingRulePriority},
	{Name: "routingRuleArn", Shape: shapeArn},
	{Name: "routingRuleId", Shape: shapeId},
}}

var shapeRoutingRuleAction = &Shape{Name: "RoutingRuleAction", Kind: Structure, Members: []Member{
	{Name: "invokeApi", Shape: shapeRoutingRuleActionInvokeApi, Required: true},
}}

var shapeRoutingRuleActionInvokeApi = &Shape{Name: "RoutingRuleActionInvokeApi", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeId, Required: true},
	{Name: "stage", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "stripBasePath", Shape: shapeBoolean},
}}

var shapeRoutingRuleCondition = &Shape{Name: "RoutingRuleCondition", Kind: Structure, Members: []Member{
	{Name: "matchBasePaths", Shape: shapeRoutingRuleMatchBasePaths},
	{Name: "matchHeaders", Shape: shapeRoutingRuleMatchHeaders},
}}

var shapeRoutingRuleMatchBasePaths = &Shape{Name: "RoutingRuleMatchBasePaths", Kind: Structure, Members: []Member{
	{Name: "anyOf", Shape: shapeListOfSelectionKey, Required: true},
}}

var shapeRoutingRuleMatchHeaderValue = &Shape{Name: "RoutingRuleMatchHeaderValue", Kind: Structure, Members: []Member{
	{Name: "header", Shape: shapeSelectionKey, Required: true},
	{Name: "valueGlob", Shape: shapeSelectionExpression, Required: true},
}}

var shapeRoutingRuleMatchHeaders = &Shape{Name: "RoutingRuleMatchHeaders", Kind: Structure, Members: []Member{
	{Name: "anyOf", Shape: shapeListOfRoutingRuleMatchHeaderValue, Required: true},
}}

var shapeRoutingRulePriority = &Shape{Name: "RoutingRulePriority", Kind: Integer, Min: 1, Max: 1000000}

var shapeSection = &Shape{Name: "Section", Kind: Structure, Members: []Member{
	{Name: "productRestEndpointPageArns", Shape: shapeListOfStringMin20Max2048, Required: true},
	{Name: "sectionName", Shape: shapeString, Required: true},
}}

var shapeSecurityGroupIdList = &Shape{Name: "SecurityGroupIdList", Kind: List, Element: shapeString}

var shapeSecurityPolicy = &Shape{Name: "SecurityPolicy", Kind: String, Enum: []string{"TLS_1_0", "TLS_1_2"}}

var shapeSelectionExpression = &Shape{Name: "SelectionExpression", Kind: String, Min: 0, Max: 4096}

var shapeSelectionKey = &Shape{Name: "SelectionKey", Kind: String, Min: 0, Max: 4096}

var shapeStage = &Shape{Name: "Stage", Kind: Structure, Members: []Member{
	{Name: "accessLogSettings", Shape: shapeAccessLogSettings},
	{Name: "apiGatewayManaged", Shape: shapeBoolean},
	{Name: "autoDeploy", Shape: shapeBoolean},
	{Name: "clientCertificateId", Shape: shapeId},
	{Name: "createdDate", Shape: shapeTimestampIso8601},
	{Name: "defaultRouteSettings", Shape: shapeRouteSettings},
	{Name: "deploymentId", Shape: shapeId},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "lastDeploymentStatusMessage", Shape: shapeString},
	{Name: "lastUpdatedDate", Shape: shapeTimestampIso8601},
	{Name: "routeSettings", Shape: shapeRouteSettingsMap, Always: true},
	{Name: "stageName", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "stageVariables", Shape: shapeStageVariablesMap, Always: true},
	{Name: "tags", Shape: shapeTags, Always: true},
}}

var shapeStageVariablesMap = &Shape{Name: "StageVariablesMap", Kind: Map, Element: shapeStringWithLengthBetween0And2048}

var shapeStatus = &Shape{Name: "Status", Kind: String, Enum: []string{"AVAILABLE", "IN_PROGRESS", "FAILED"}}

var shapeStatusException = &Shape{Name: "StatusException", Kind: Structure, Members: []Member{
	{Name: "exception", Shape: shapeStringMin1Max256},
	{Name: "message", Shape: shapeStringMin1Max2048},
}}

var shapeStringWithLengthBetween0And1024 = &Shape{Name: "StringWithLengthBetween0And1024", Kind: String, Min: 0, Max: 1024}

var shapeStringWithLengthBetween0And2048 = &Shape{Name: "StringWithLengthBetween0And2048", Kind: String, Min: 0, Max: 2048}

var shapeStringWithLengthBetween0And32K = &Shape{Name: "StringWithLengthBetween0And32K", Kind: String, Min: 0, Max: 32768}

var shapeStringWithLengthBetween1And1024 = &Shape{Name: "StringWithLengthBetween1And1024", Kind: String, Min: 1, Max: 1024}

var shapeStringWithLengthBetween1And128 = &Shape{Name: "StringWithLengthBetween1And128", Kind: String, Min: 1, Max: 128}

var shapeStringWithLengthBetween1And1600 = &Shape{Name: "StringWithLengthBetween1And1600", Kind: String, Min: 0, Max: 1600}

var shapeStringWithLengthBetween1And256 = &Shape{Name: "StringWithLengthBetween1And256", Kind: String, Min: 1, Max: 256}

var shapeStringWithLengthBetween1And512 = &Shape{Name: "StringWithLengthBetween1And512", Kind: String, Min: 1, Max: 512}

var shapeStringWithLengthBetween1And64 = &Shape{Name: "StringWithLengthBetween1And64", Kind: String, Min: 1, Max: 64}

var shapeSubnetIdList = &Shape{Name: "SubnetIdList", Kind: List, Element: shapeString}

var shapeTagResourceRequest = &Shape{Name: "TagResourceRequest", Kind: Structure, Members: []Member{
	{Name: "resource-arn", Shape: shapeString, Location: Label, Required: true},
	{Name: "tags", Shape: shapeTags},
}}

var shapeTagResourceResponse = &Shape{Name: "TagResourceResponse", Kind: Structure}

var shapeTags = &Shape{Name: "Tags", Kind: Map, Element: shapeStringWithLengthBetween1And1600}

var shapeTemplateMap = &Shape{Name: "TemplateMap", Kind: Map, Element: shapeStringWithLengthBetween0And32K}

var shapeTlsConfig = &Shape{Name: "TlsConfig", Kind: Structure, Members: []Member{
	{Name: "serverNameToVerify", Shape: shapeStringWithLengthBetween1And512},
}}

var shapeTryItState = &Shape{Name: "TryItState", Kind: String, Enum: []string{"ENABLED", "DISABLED"}}

var shapeUntagResourceRequest = &Shape{Name: "UntagResourceRequest", Kind: Structure, Members: []Member{
	{Name: "resource-arn", Shape: shapeString, Location: Label, Required: true},
	{Name: "tagKeys", Shape: shapeListOfString, Location: Query, Required: true},
}}

var shapeUpdateApiMappingRequest = &Shape{Name: "UpdateApiMappingRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeId, Required: true},
	{Name: "apiMappingId", Shape: shapeString, Location: Label, Required: true},
	{Name: "apiMappingKey", Shape: shapeSelectionKey, Patch: PatchClear},
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "stage", Shape: shapeStringWithLengthBetween1And128},
}}

var shapeUpdateApiRequest = &Shape{Name: "UpdateApiRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "apiKeySelectionExpression", Shape: shapeSelectionExpression},
	{Name: "corsConfiguration", Shape: shapeCors, Patch: PatchClear},
	{Name: "credentialsArn", Shape: shapeArn},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024, Patch: PatchClear},
	{Name: "disableExecuteApiEndpoint", Shape: shapeBoolean},
	{Name: "disableSchemaValidation", Shape: shapeBoolean},
	{Name: "ipAddressType", Shape: shapeIpAddressType},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128},
	{Name: "routeKey", Shape: shapeSelectionKey},
	{Name: "routeSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "target", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "version", Shape: shapeStringWithLengthBetween1And64, Patch: PatchClear},
}}

var shapeUpdateAuthorizerRequest = &Shape{Name: "UpdateAuthorizerRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "authorizerCredentialsArn", Shape: shapeArn, Patch: PatchClear},
	{Name: "authorizerId", Shape: shapeString, Location: Label, Required: true},
	{Name: "authorizerPayloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "authorizerResultTtlInSeconds", Shape: shapeIntegerWithLengthBetween0And3600, Own: OwnRange},
	{Name: "authorizerType", Shape: shapeAuthorizerType},
	{Name: "authorizerUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "enableSimpleResponses", Shape: shapeBoolean},
	{Name: "identitySource", Shape: shapeIdentitySourceList, Patch: PatchClear},
	{Name: "identityValidationExpression", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "jwtConfiguration", Shape: shapeJWTConfiguration, Patch: PatchClear},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128},
}}

var shapeUpdateDeploymentRequest = &Shape{Name: "UpdateDeploymentRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "deploymentId", Shape: shapeString, Location: Label, Required: true},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024},
}}

var shapeUpdateDomainNameRequest = &Shape{Name: "UpdateDomainNameRequest", Kind: Structure, Members: []Member{
	{Name: "domainName", Shape: shapeString, Location: Label, Required: true},
	{Name: "domainNameConfigurations", Shape: shapeDomainNameConfigurations},
	{Name: "mutualTlsAuthentication", Shape: shapeMutualTlsAuthenticationInput, Patch: PatchMembers},
	{Name: "routingMode", Shape: shapeRoutingMode},
}}

var shapeUpdateIntegrationRequest = &Shape{Name: "UpdateIntegrationRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "connectionId", Shape: shapeStringWithLengthBetween1And1024, Patch: PatchClear},
	{Name: "connectionType", Shape: shapeConnectionType},
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy, Patch: PatchClear},
	{Name: "credentialsArn", Shape: shapeArn, Patch: PatchClear},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024, Patch: PatchClear},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationMethod", Shape: shapeStringWithLengthBetween1And64},
	{Name: "integrationSubtype", Shape: shapeStringWithLengthBetween1And128},
	{Name: "integrationType", Shape: shapeIntegrationType},
	{Name: "integrationUri", Shape: shapeUriWithLengthBetween1And2048},
	{Name: "passthroughBehavior", Shape: shapePassthroughBehavior},
	{Name: "payloadFormatVersion", Shape: shapeStringWithLengthBetween1And64},
	{Name: "requestParameters", Shape: shapeIntegrationParameters, Patch: PatchMerge},
	{Name: "requestTemplates", Shape: shapeTemplateMap},
	{Name: "responseParameters", Shape: shapeResponseParameters, Patch: PatchMerge},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression, Patch: PatchClear},
	{Name: "timeoutInMillis", Shape: shapeIntegerWithLengthBetween50And30000, Own: OwnRange},
	{Name: "tlsConfig", Shape: shapeTlsConfig, Patch: PatchClear},
}}

var shapeUpdateIntegrationResponseRequest = &Shape{Name: "UpdateIntegrationResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "contentHandlingStrategy", Shape: shapeContentHandlingStrategy, Patch: PatchClear},
	{Name: "integrationId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationResponseId", Shape: shapeString, Location: Label, Required: true},
	{Name: "integrationResponseKey", Shape: shapeSelectionKey},
	{Name: "responseParameters", Shape: shapeIntegrationParameters},
	{Name: "responseTemplates", Shape: shapeTemplateMap},
	{Name: "templateSelectionExpression", Shape: shapeSelectionExpression},
}}

var shapeUpdateModelRequest = &Shape{Name: "UpdateModelRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "contentType", Shape: shapeStringWithLengthBetween1And256},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024, Patch: PatchClear},
	{Name: "modelId", Shape: shapeString, Location: Label, Required: true},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128},
	{Name: "schema", Shape: shapeStringWithLengthBetween0And32K},
}}

var shapeUpdatePortalProductRequest = &Shape{Name: "UpdatePortalProductRequest", Kind: Structure, Members: []Member{
	{Name: "description", Shape: shapeStringMin0Max1024, Patch: PatchClear},
	{Name: "displayName", Shape: shapeStringMin1Max255},
	{Name: "displayOrder", Shape: shapeDisplayOrder},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeUpdatePortalRequest = &Shape{Name: "UpdatePortalRequest", Kind: Structure, Members: []Member{
	{Name: "authorization", Shape: shapeAuthorization},
	{Name: "endpointConfiguration", Shape: shapeEndpointConfigurationRequest},
	{Name: "includedPortalProductArns", Shape: shapeListOfStringMin20Max2048},
	{Name: "logoUri", Shape: shapeStringMin0Max1092},
	{Name: "portalContent", Shape: shapePortalContent},
	{Name: "portalId", Shape: shapeString, Location: Label, Required: true},
	{Name: "rumAppMonitorName", Shape: shapeStringMin0Max255},
}}

var shapeUpdateProductPageRequest = &Shape{Name: "UpdateProductPageRequest", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeDisplayContent},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productPageId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeUpdateProductRestEndpointPageRequest = &Shape{Name: "UpdateProductRestEndpointPageRequest", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeEndpointDisplayContent},
	{Name: "portalProductId", Shape: shapeString, Location: Label, Required: true},
	{Name: "productRestEndpointPageId", Shape: shapeString, Location: Label, Required: true},
	{Name: "tryItState", Shape: shapeTryItState},
}}

var shapeUpdateProductRestEndpointPageResponse = &Shape{Name: "UpdateProductRestEndpointPageResponse", Kind: Structure, Members: []Member{
	{Name: "displayContent", Shape: shapeEndpointDisplayContentResponse},
	{Name: "lastModified", Shape: shapeTimestampIso8601},
	{Name: "productRestEndpointPageArn", Shape: shapeStringMin20Max2048},
	{Name: "productRestEndpointPageId", Shape: shapeStringMin10Max30PatternAZ09},
	{Name: "restEndpointIdentifier", Shape: shapeRestEndpointIdentifier},
	{Name: "status", Shape: shapeStatus},
	{Name: "statusException", Shape: shapeStatusException},
	{Name: "tryItState", Shape: shapeTryItState},
}}

var shapeUpdateRouteRequest = &Shape{Name: "UpdateRouteRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "apiKeyRequired", Shape: shapeBoolean},
	{Name: "authorizationScopes", Shape: shapeAuthorizationScopes, Patch: PatchClear},
	{Name: "authorizationType", Shape: shapeAuthorizationType},
	{Name: "authorizerId", Shape: shapeId, Patch: PatchClear},
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression, Patch: PatchClear},
	{Name: "operationName", Shape: shapeStringWithLengthBetween1And64, Patch: PatchClear},
	{Name: "requestModels", Shape: shapeRouteModels},
	{Name: "requestParameters", Shape: shapeRouteParameters, Patch: PatchUpsert},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeKey", Shape: shapeSelectionKey},
	{Name: "routeResponseSelectionExpression", Shape: shapeSelectionExpression, Patch: PatchClear},
	{Name: "target", Shape: shapeStringWithLengthBetween1And128, Patch: PatchClear},
}}

var shapeUpdateRouteResponseRequest = &Shape{Name: "UpdateRouteResponseRequest", Kind: Structure, Members: []Member{
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "modelSelectionExpression", Shape: shapeSelectionExpression},
	{Name: "responseModels", Shape: shapeRouteModels},
	{Name: "responseParameters", Shape: shapeRouteParameters},
	{Name: "routeId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeResponseId", Shape: shapeString, Location: Label, Required: true},
	{Name: "routeResponseKey", Shape: shapeSelectionKey},
}}

var shapeUpdateStageRequest = &Shape{Name: "UpdateStageRequest", Kind: Structure, Members: []Member{
	{Name: "accessLogSettings", Shape: shapeAccessLogSettings, Patch: PatchClear},
	{Name: "apiId", Shape: shapeString, Location: Label, Required: true},
	{Name: "autoDeploy", Shape: shapeBoolean},
	{Name: "clientCertificateId", Shape: shapeId, Patch: PatchClear},
	{Name: "defaultRouteSettings", Shape: shapeRouteSettings, Patch: PatchClear},
	{Name: "deploymentId", Shape: shapeId},
	{Name: "description", Shape: shapeStringWithLengthBetween0And1024, Patch: PatchClear},
	{Name: "routeSettings", Shape: shapeRouteSettingsMap, Patch: PatchUpsert},
	{Name: "stageName", Shape: shapeString, Location: Label, Required: true},
	{Name: "stageVariables", Shape: shapeStageVariablesMap, Patch: PatchMerge},
}}

var shapeUpdateVpcLinkRequest = &Shape{Name: "UpdateVpcLinkRequest", Kind: Structure, Members: []Member{
	{Name: "name", Shape: shapeStringWithLengthBetween1And128},
	{Name: "vpcLinkId", Shape: shapeString, Location: Label, Required: true},
}}

var shapeUriWithLengthBetween1And2048 = &Shape{Name: "UriWithLengthBetween1And2048", Kind: String, Min: 1, Max: 2048}

var shapeVpcLink = &Shape{Name: "VpcLink", Kind: Structure, Members: []Member{
	{Name: "createdDate", Shape: shapeTimestampIso8601},
	{Name: "name", Shape: shapeStringWithLengthBetween1And128, Required: true},
	{Name: "securityGroupIds", Shape: shapeSecurityGroupIdList, Required: true, Always: true},
	{Name: "subnetIds", Shape: shapeSubnetIdList, Required: true},
	{Name: "tags", Shape: shapeTags, Always: true},
	{Name: "vpcLinkId", Shape: shapeId, Required: true},
	{Name: "vpcLinkStatus", Shape: shapeVpcLinkStatus},
	{Name: "vpcLinkStatusMessage", Shape: shapeStringWithLengthBetween0And1024},
	{Name: "vpcLinkVersion", Shape: shapeVpcLinkVersion},
}}

var shapeVpcLinkStatus = &Shape{Name: "VpcLinkStatus", Kind: String, Enum: []string{"PENDING", "AVAILABLE", "DELETING", "FAILED", "INACTIVE"}}

var shapeVpcLinkVersion = &Shape{Name: "VpcLinkVersion", Kind: String, Enum: []string{"V2"}}

var shapeBoolean = &Shape{Name: "__boolean", Kind: Boolean}

var shapeDouble = &Shape{Name: "__double", Kind: Double}

var shapeInteger = &Shape{Name: "__integer", Kind: Integer}

var shapeListOfApi = &Shape{Name: "__listOfApi", Kind: List, Element: shapeApi}

var shapeListOfApiMapping = &Shape{Name: "__listOfApiMapping", Kind: List, Element: shapeApiMapping}

var shapeListOfAuthorizer = &Shape{Name: "__listOfAuthorizer", Kind: List, Element: shapeAuthorizer}

var shapeListOfDeployment = &Shape{Name: "__listOfDeployment", Kind: List, Element: shapeDeployment}

var shapeListOfDomainName = &Shape{Name: "__listOfDomainName", Kind: List, Element: shapeDomainName}

var shapeListOfIntegration = &Shape{Name: "__listOfIntegration", Kind: List, Element: shapeIntegration}

var shapeListOfIntegrationResponse = &Shape{Name: "__listOfIntegrationResponse", Kind: List, Element: shapeIntegrationResponse}

var shapeListOfModel = &Shape{Name: "__listOfModel", Kind: List, Element: shapeModel}

var shapeListOfPortalProductSummary = &Shape{Name: "__listOfPortalProductSummary", Kind: List, Element: shapePortalProductSummary}

var shapeListOfPortalSummary = &Shape{Name: "__listOfPortalSummary", Kind: List, Element: shapePortalSummary}

var shapeListOfProductPageSummaryNoBody = &Shape{Name: "__listOfProductPageSummaryNoBody", Kind: List, Element: shapeProductPageSummaryNoBody}

var shapeListOfProductRestEndpointPageSummaryNoBody = &Shape{Name: "__listOfProductRestEndpointPageSummaryNoBody", Kind: List, Element: shapeProductRestEndpointPageSummaryNoBody}

var shapeListOfRoute = &Shape{Name: "__listOfRoute", Kind: List, Element: shapeRoute}

var shapeListOfRouteResponse = &Shape{Name: "__listOfRouteResponse", Kind: List, Element: shapeRouteResponse}

var shapeListOfRoutingRule = &Shape{Name: "__listOfRoutingRule", Kind: List, Element: shapeRoutingRule}

var shapeListOfRoutingRuleAction = &Shape{Name: "__listOfRoutingRuleAction", Kind: List, Element: shapeRoutingRuleAction}

var shapeListOfRoutingRuleCondition = &Shape{Name: "__listOfRoutingRuleCondition", Kind: List, Element: shapeRoutingRuleCondition}

var shapeListOfRoutingRuleMatchHeaderValue = &Shape{Name: "__listOfRoutingRuleMatchHeaderValue", Kind: List, Element: shapeRoutingRuleMatchHeaderValue}

var shapeListOfSection = &Shape{Name: "__listOfSection", Kind: List, Element: shapeSection}

var shapeListOfSelectionKey = &Shape{Name: "__listOfSelectionKey", Kind: List, Element: shapeSelectionKey}

var shapeListOfStage = &Shape{Name: "__listOfStage", Kind: List, Element: shapeStage}

var shapeListOfVpcLink = &Shape{Name: "__listOfVpcLink", Kind: List, Element: shapeVpcLink}

var shapeListOfString = &Shape{Name: "__listOf__string", Kind: List, Element: shapeString}

var shapeListOfStringMin20Max2048 = &Shape{Name: "__listOf__stringMin20Max2048", Kind: List, Element: shapeStringMin20Max2048}

var shapeString = &Shape{Name: "__string", Kind: String}

var shapeStringMin0Max1024 = &Shape{Name: "__stringMin0Max1024", Kind: String, Min: 0, Max: 1024}

var shapeStringMin0Max1092 = &Shape{Name: "__stringMin0Max1092", Kind: String, Min: 0, Max: 1092}

var shapeStringMin0Max255 = &Shape{Name: "__stringMin0Max255", Kind: String, Min: 0, Max: 255}

var shapeStringMin10Max2048 = &Shape{Name: "__stringMin10Max2048", Kind: String, Min: 10, Max: 2048}

var shapeStringMin10Max30PatternAZ09 = &Shape{Name: "__stringMin10Max30PatternAZ09", Kind: String, Min: 10, Max: 30}

var shapeStringMin1Max1024 = &Shape{Name: "__stringMin1Max1024", Kind: String, Min: 1, Max: 1024}

var shapeStringMin1Max128 = &Shape{Name: "__stringMin1Max128", Kind: String, Min: 1, Max: 128}

var shapeStringMin1Max16 = &Shape{Name: "__stringMin1Max16", Kind: String, Min: 1, Max: 16}

var shapeStringMin1Max20 = &Shape{Name: "__stringMin1Max20", Kind: String, Min: 1, Max: 20}

var shapeStringMin1Max2048 = &Shape{Name: "__stringMin1Max2048", Kind: String, Min: 1, Max: 2048}

var shapeStringMin1Max255 = &Shape{Name: "__stringMin1Max255", Kind: String, Min: 1, Max: 255}

var shapeStringMin1Max256 = &Shape{Name: "__stringMin1Max256", Kind: String, Min: 1, Max: 256}

var shapeStringMin1Max307200 = &Shape{Name: "__stringMin1Max307200", Kind: String, Min: 1, Max: 307200}

var shapeStringMin1Max32768 = &Shape{Name: "__stringMin1Max32768", Kind: String, Min: 1, Max: 32768}

var shapeStringMin1Max4096 = &Shape{Name: "__stringMin1Max4096", Kind: String, Min: 1, Max: 4096}

var shapeStringMin1Max50 = &Shape{Name: "__stringMin1Max50", Kind: String, Min: 1, Max: 50}

var shapeStringMin1Max64 = &Shape{Name: "__stringMin1Max64", Kind: String, Min: 1, Max: 64}

var shapeStringMin20Max2048 = &Shape{Name: "__stringMin20Max2048", Kind: String, Min: 20, Max: 2048}

var shapeStringMin3Max255 = &Shape{Name: "__stringMin3Max255", Kind: String, Min: 3, Max: 255}

var shapeStringMin3Max256 = &Shape{Name: "__stringMin3Max256", Kind: String, Min: 3, Max: 256}

var shapeTimestampIso8601 = &Shape{Name: "__timestampIso8601", Kind: Timestamp}
