// Code generated from service.json and overlay.json; DO NOT EDIT.

package model

import "time"

// ACMManaged is the structure ACMManaged of the service model.
type ACMManaged struct {
	CertificateARN *string `json:"certificateArn,omitzero"`
	DomainName     *string `json:"domainName,omitzero"`
}

// AccessLogSettings is the structure AccessLogSettings of the service model.
type AccessLogSettings struct {
	DestinationARN *string `json:"destinationArn,omitzero"`
	Format         *string `json:"format,omitzero"`
}

// API is the structure Api of the service model.
type API struct {
	APIEndpoint               *string           `json:"apiEndpoint,omitzero"`
	APIGatewayManaged         *bool             `json:"apiGatewayManaged,omitzero"`
	APIID                     *string           `json:"apiId,omitzero"`
	APIKeySelectionExpression *string           `json:"apiKeySelectionExpression,omitzero"`
	CorsConfiguration         *Cors             `json:"corsConfiguration,omitzero"`
	CreatedDate               *time.Time        `json:"createdDate,omitzero"`
	Description               *string           `json:"description,omitzero"`
	DisableExecuteAPIEndpoint *bool             `json:"disableExecuteApiEndpoint,omitzero"`
	DisableSchemaValidation   *bool             `json:"disableSchemaValidation,omitzero"`
	ImportInfo                []string          `json:"importInfo,omitzero"`
	IpAddressType             *string           `json:"ipAddressType,omitzero"`
	Name                      *string           `json:"name,omitzero"`
	ProtocolType              *string           `json:"protocolType,omitzero"`
	RouteSelectionExpression  *string           `json:"routeSelectionExpression,omitzero"`
	Tags                      map[string]string `json:"tags,omitzero"`
	Version                   *string           `json:"version,omitzero"`
	Warnings                  []string          `json:"warnings,omitzero"`
}

// APIMapping is the structure ApiMapping of the service model.
type APIMapping struct {
	APIID         *string `json:"apiId,omitzero"`
	APIMappingID  *string `json:"apiMappingId,omitzero"`
	APIMappingKey *string `json:"apiMappingKey,omitzero"`
	Stage         *string `json:"stage,omitzero"`
}

// Authorization is the structure Authorization of the service model.
type Authorization struct {
	CognitoConfig *CognitoConfig `json:"cognitoConfig,omitzero"`
	None          *None          `json:"none,omitzero"`
}

// Authorizer is the structure Authorizer of the service model.
type Authorizer struct {
	AuthorizerCredentialsARN       *string           `json:"authorizerCredentialsArn,omitzero"`
	AuthorizerID                   *string           `json:"authorizerId,omitzero"`
	AuthorizerPayloadFormatVersion *string           `json:"authorizerPayloadFormatVersion,omitzero"`
	AuthorizerResultTTLInSeconds   *int              `json:"authorizerResultTtlInSeconds,omitzero"`
	AuthorizerType                 *string           `json:"authorizerType,omitzero"`
	AuthorizerURI                  *string           `json:"authorizerUri,omitzero"`
	EnableSimpleResponses          *bool             `json:"enableSimpleResponses,omitzero"`
	IdentitySource                 []string          `json:"identitySource,omitzero"`
	IdentityValidationExpression   *string           `json:"identityValidationExpression,omitzero"`
	JWTConfiguration               *JWTConfiguration `json:"jwtConfiguration,omitzero"`
	Name                           *string           `json:"name,omitzero"`
}

// CognitoConfig is the structure CognitoConfig of the service model.
type CognitoConfig struct {
	AppClientID    *string `json:"appClientId,omitzero"`
	UserPoolARN    *string `json:"userPoolArn,omitzero"`
	UserPoolDomain *string `json:"userPoolDomain,omitzero"`
}

// Cors is the structure Cors of the service model.
type Cors struct {
	AllowCredentials *bool    `json:"allowCredentials,omitzero"`
	AllowHeaders     []string `json:"allowHeaders,omitzero"`
	AllowMethods     []string `json:"allowMethods,omitzero"`
	AllowOrigins     []string `json:"allowOrigins,omitzero"`
	ExposeHeaders    []string `json:"exposeHeaders,omitzero"`
	MaxAge           *int     `json:"maxAge,omitzero"`
}

// CreateAPIMappingRequest is the input of CreateApiMapping.
type CreateAPIMappingRequest struct {
	APIID         *string `json:"apiId,omitzero"`
	APIMappingKey *string `json:"apiMappingKey,omitzero"`
	DomainName    *string `json:"-"`
	Stage         *string `json:"stage,omitzero"`
}

// CreateAPIMappingResponse has the members of [APIMapping].
type CreateAPIMappingResponse = APIMapping

// CreateAPIRequest is the input of CreateApi.
type CreateAPIRequest struct {
	APIKeySelectionExpression *string           `json:"apiKeySelectionExpression,omitzero"`
	CorsConfiguration         *Cors             `json:"corsConfiguration,omitzero"`
	CredentialsARN            *string           `json:"credentialsArn,omitzero"`
	Description               *string           `json:"description,omitzero"`
	DisableExecuteAPIEndpoint *bool             `json:"disableExecuteApiEndpoint,omitzero"`
	DisableSchemaValidation   *bool             `json:"disableSchemaValidation,omitzero"`
	IpAddressType             *string           `json:"ipAddressType,omitzero"`
	Name                      *string           `json:"name,omitzero"`
	ProtocolType              *string           `json:"protocolType,omitzero"`
	RouteKey                  *string           `json:"routeKey,omitzero"`
	RouteSelectionExpression  *string           `json:"routeSelectionExpression,omitzero"`
	Tags                      map[string]string `json:"tags,omitzero"`
	Target                    *string           `json:"target,omitzero"`
	Version                   *string           `json:"version,omitzero"`
}

// CreateAPIResponse has the members of [API].
type CreateAPIResponse = API

// CreateAuthorizerRequest is the input of CreateAuthorizer.
type CreateAuthorizerRequest struct {
	APIID                          *string           `json:"-"`
	AuthorizerCredentialsARN       *string           `json:"authorizerCredentialsArn,omitzero"`
	AuthorizerPayloadFormatVersion *string           `json:"authorizerPayloadFormatVersion,omitzero"`
	AuthorizerResultTTLInSeconds   *int              `json:"authorizerResultTtlInSeconds,omitzero"`
	AuthorizerType                 *string           `json:"authorizerType,omitzero"`
	AuthorizerURI                  *string           `json:"authorizerUri,omitzero"`
	EnableSimpleResponses          *bool             `json:"enableSimpleResponses,omitzero"`
	IdentitySource                 []string          `json:"identitySource,omitzero"`
	IdentityValidationExpression   *string           `json:"identityValidationExpression,omitzero"`
	JWTConfiguration               *JWTConfiguration `json:"jwtConfiguration,omitzero"`
	Name                           *string           `json:"name,omitzero"`
}

// CreateAuthorizerResponse has the members of [Authorizer].
type CreateAuthorizerResponse = Authorizer

// CreateDeploymentRequest is the input of CreateDeployment.
type CreateDeploymentRequest struct {
	APIID       *string `json:"-"`
	Description *string `json:"description,omitzero"`
	StageName   *string `json:"stageName,omitzero"`
}

// CreateDeploymentResponse has the members of [Deployment].
type CreateDeploymentResponse = Deployment

// CreateDomainNameRequest is the input of CreateDomainName.
type CreateDomainNameRequest struct {
	DomainName               *string                       `json:"domainName,omitzero"`
	DomainNameConfigurations []DomainNameConfiguration     `json:"domainNameConfigurations,omitzero"`
	MutualTLSAuthentication  *MutualTLSAuthenticationInput `json:"mutualTlsAuthentication,omitzero"`
	RoutingMode              *string                       `json:"routingMode,omitzero"`
	Tags                     map[string]string             `json:"tags,omitzero"`
}

// CreateDomainNameResponse has the members of [DomainName].
type CreateDomainNameResponse = DomainName

// CreateIntegrationRequest is the input of CreateIntegration.
type CreateIntegrationRequest struct {
	APIID                       *string                      `json:"-"`
	ConnectionID                *string                      `json:"connectionId,omitzero"`
	ConnectionType              *string                      `json:"connectionType,omitzero"`
	ContentHandlingStrategy     *string                      `json:"contentHandlingStrategy,omitzero"`
	CredentialsARN              *string                      `json:"credentialsArn,omitzero"`
	Description                 *string                      `json:"description,omitzero"`
	IntegrationMethod           *string                      `json:"integrationMethod,omitzero"`
	IntegrationSubtype          *string                      `json:"integrationSubtype,omitzero"`
	IntegrationType             *string                      `json:"integrationType,omitzero"`
	IntegrationURI              *string                      `json:"integrationUri,omitzero"`
	PassthroughBehavior         *string                      `json:"passthroughBehavior,omitzero"`
	PayloadFormatVersion        *string                      `json:"payloadFormatVersion,omitzero"`
	RequestParameters           map[string]string            `json:"requestParameters,omitzero"`
	RequestTemplates            map[string]string            `json:"requestTemplates,omitzero"`
	ResponseParameters          map[string]map[string]string `json:"responseParameters,omitzero"`
	TemplateSelectionExpression *string                      `json:"templateSelectionExpression,omitzero"`
	TimeoutInMillis             *int                         `json:"timeoutInMillis,omitzero"`
	TLSConfig                   *TLSConfigInput              `json:"tlsConfig,omitzero"`
}

// CreateIntegrationResponseRequest is the input of CreateIntegrationResponse.
type CreateIntegrationResponseRequest struct {
	APIID                       *string           `json:"-"`
	ContentHandlingStrategy     *string           `json:"contentHandlingStrategy,omitzero"`
	IntegrationID               *string           `json:"-"`
	IntegrationResponseKey      *string           `json:"integrationResponseKey,omitzero"`
	ResponseParameters          map[string]string `json:"responseParameters,omitzero"`
	ResponseTemplates           map[string]string `json:"responseTemplates,omitzero"`
	TemplateSelectionExpression *string           `json:"templateSelectionExpression,omitzero"`
}

// CreateIntegrationResponseResponse has the members of [IntegrationResponse].
type CreateIntegrationResponseResponse = IntegrationResponse

// CreateIntegrationResult has the members of [Integration].
type CreateIntegrationResult = Integration

// CreateModelRequest is the input of CreateModel.
type CreateModelRequest struct {
	APIID       *string `json:"-"`
	ContentType *string `json:"contentType,omitzero"`
	Description *string `json:"description,omitzero"`
	Name        *string `json:"name,omitzero"`
	Schema      *string `json:"schema,omitzero"`
}

// CreateModelResponse has the members of [Model].
type CreateModelResponse = Model

// CreatePortalProductRequest is the input of CreatePortalProduct.
type CreatePortalProductRequest struct {
	Description *string           `json:"description,omitzero"`
	DisplayName *string           `json:"displayName,omitzero"`
	Tags        map[string]string `json:"tags,omitzero"`
}

// CreatePortalProductResponse has the members of [GetPortalProductResponse].
type CreatePortalProductResponse = GetPortalProductResponse

// CreatePortalRequest is the input of CreatePortal.
type CreatePortalRequest struct {
	Authorization             *Authorization                `json:"authorization,omitzero"`
	EndpointConfiguration     *EndpointConfigurationRequest `json:"endpointConfiguration,omitzero"`
	IncludedPortalProductARNs []string                      `json:"includedPortalProductArns,omitzero"`
	LogoURI                   *string                       `json:"logoUri,omitzero"`
	PortalContent             *PortalContent                `json:"portalContent,omitzero"`
	RumAppMonitorName         *string                       `json:"rumAppMonitorName,omitzero"`
	Tags                      map[string]string             `json:"tags,omitzero"`
}

// CreatePortalResponse is the output of CreatePortal.
type CreatePortalResponse struct {
	Authorization             *Authorization                 `json:"authorization,omitzero"`
	EndpointConfiguration     *EndpointConfigurationResponse `json:"endpointConfiguration,omitzero"`
	IncludedPortalProductARNs []string                       `json:"includedPortalProductArns,omitzero"`
	LastModified              *time.Time                     `json:"lastModified,omitzero"`
	LastPublished             *time.Time                     `json:"lastPublished,omitzero"`
	LastPublishedDescription  *string                        `json:"lastPublishedDescription,omitzero"`
	PortalARN                 *string                        `json:"portalArn,omitzero"`
	PortalContent             *PortalContent                 `json:"portalContent,omitzero"`
	PortalID                  *string                        `json:"portalId,omitzero"`
	PublishStatus             *string                        `json:"publishStatus,omitzero"`
	RumAppMonitorName         *string                        `json:"rumAppMonitorName,omitzero"`
	StatusException           *StatusException               `json:"statusException,omitzero"`
	Tags                      map[string]string              `json:"tags,omitzero"`
}

// CreateProductPageRequest is the input of CreateProductPage.
type CreateProductPageRequest struct {
	DisplayContent  *DisplayContent `json:"displayContent,omitzero"`
	PortalProductID *string         `json:"-"`
}

// CreateProductPageResponse has the members of [GetProductPageResponse].
type CreateProductPageResponse = GetProductPageResponse

// CreateProductRestEndpointPageRequest is the input of CreateProductRestEndpointPage.
type CreateProductRestEndpointPageRequest struct {
	DisplayContent         *EndpointDisplayContent `json:"displayContent,omitzero"`
	PortalProductID        *string                 `json:"-"`
	RestEndpointIdentifier *RestEndpointIdentifier `json:"restEndpointIdentifier,omitzero"`
	TryItState             *string                 `json:"tryItState,omitzero"`
}

// CreateProductRestEndpointPageResponse is the output of CreateProductRestEndpointPage.
type CreateProductRestEndpointPageResponse struct {
	DisplayContent             *EndpointDisplayContentResponse `json:"displayContent,omitzero"`
	LastModified               *time.Time                      `json:"lastModified,omitzero"`
	ProductRestEndpointPageARN *string                         `json:"productRestEndpointPageArn,omitzero"`
	ProductRestEndpointPageID  *string                         `json:"productRestEndpointPageId,omitzero"`
	RestEndpointIdentifier     *RestEndpointIdentifier         `json:"restEndpointIdentifier,omitzero"`
	Status                     *string                         `json:"status,omitzero"`
	StatusException            *StatusException                `json:"statusException,omitzero"`
	TryItState                 *string                         `json:"tryItState,omitzero"`
}

// CreateRouteRequest is the input of CreateRoute.
type CreateRouteRequest struct {
	APIID                            *string                         `json:"-"`
	APIKeyRequired                   *bool                           `json:"apiKeyRequired,omitzero"`
	AuthorizationScopes              []string                        `json:"authorizationScopes,omitzero"`
	AuthorizationType                *string                         `json:"authorizationType,omitzero"`
	AuthorizerID                     *string                         `json:"authorizerId,omitzero"`
	ModelSelectionExpression         *string                         `json:"modelSelectionExpression,omitzero"`
	OperationName                    *string                         `json:"operationName,omitzero"`
	RequestModels                    map[string]string               `json:"requestModels,omitzero"`
	RequestParameters                map[string]ParameterConstraints `json:"requestParameters,omitzero"`
	RouteKey                         *string                         `json:"routeKey,omitzero"`
	RouteResponseSelectionExpression *string                         `json:"routeResponseSelectionExpression,omitzero"`
	Target                           *string                         `json:"target,omitzero"`
}

// CreateRouteResponseRequest is the input of CreateRouteResponse.
type CreateRouteResponseRequest struct {
	APIID                    *string                         `json:"-"`
	ModelSelectionExpression *string                         `json:"modelSelectionExpression,omitzero"`
	ResponseModels           map[string]string               `json:"responseModels,omitzero"`
	ResponseParameters       map[string]ParameterConstraints `json:"responseParameters,omitzero"`
	RouteID                  *string                         `json:"-"`
	RouteResponseKey         *string                         `json:"routeResponseKey,omitzero"`
}

// CreateRouteResponseResponse has the members of [RouteResponse].
type CreateRouteResponseResponse = RouteResponse

// CreateRouteResult has the members of [Route].
type CreateRouteResult = Route

// CreateRoutingRuleRequest is the input of CreateRoutingRule.
type CreateRoutingRuleRequest struct {
	Actions      []RoutingRuleAction    `json:"actions,omitzero"`
	Conditions   []RoutingRuleCondition `json:"conditions,omitzero"`
	DomainName   *string                `json:"-"`
	DomainNameID *string                `json:"-"`
	Priority     *int                   `json:"priority,omitzero"`
}

// CreateRoutingRuleResponse has the members of [RoutingRule].
type CreateRoutingRuleResponse = RoutingRule

// CreateStageRequest is the input of CreateStage.
type CreateStageRequest struct {
	AccessLogSettings    *AccessLogSettings       `json:"accessLogSettings,omitzero"`
	APIID                *string                  `json:"-"`
	AutoDeploy           *bool                    `json:"autoDeploy,omitzero"`
	ClientCertificateID  *string                  `json:"clientCertificateId,omitzero"`
	DefaultRouteSettings *RouteSettings           `json:"defaultRouteSettings,omitzero"`
	DeploymentID         *string                  `json:"deploymentId,omitzero"`
	Description          *string                  `json:"description,omitzero"`
	RouteSettings        map[string]RouteSettings `json:"routeSettings,omitzero"`
	StageName            *string                  `json:"stageName,omitzero"`
	StageVariables       map[string]string        `json:"stageVariables,omitzero"`
	Tags                 map[string]string        `json:"tags,omitzero"`
}

// CreateStageResponse has the members of [Stage].
type CreateStageResponse = Stage

// CreateVpcLinkRequest is the input of CreateVpcLink.
type CreateVpcLinkRequest struct {
	Name             *string           `json:"name,omitzero"`
	SecurityGroupIDs []string          `json:"securityGroupIds,omitzero"`
	SubnetIDs        []string          `json:"subnetIds,omitzero"`
	Tags             map[string]string `json:"tags,omitzero"`
}

// CreateVpcLinkResponse has the members of [VpcLink].
type CreateVpcLinkResponse = VpcLink

// CustomColors is the structure CustomColors of the service model.
type CustomColors struct {
	AccentColor          *string `json:"accentColor,omitzero"`
	BackgroundColor      *string `json:"backgroundColor,omitzero"`
	ErrorValidationColor *string `json:"errorValidationColor,omitzero"`
	HeaderColor          *string `json:"headerColor,omitzero"`
	NavigationColor      *string `json:"navigationColor,omitzero"`
	TextColor            *string `json:"textColor,omitzero"`
}

// DeleteAccessLogSettingsRequest is the input of DeleteAccessLogSettings.
type DeleteAccessLogSettingsRequest struct {
	APIID     *string `json:"-"`
	StageName *string `json:"-"`
}

// DeleteAPIMappingRequest is the input of DeleteApiMapping.
type DeleteAPIMappingRequest struct {
	APIMappingID *string `json:"-"`
	DomainName   *string `json:"-"`
}

// DeleteAPIRequest is the input of DeleteApi.
type DeleteAPIRequest struct {
	APIID *string `json:"-"`
}

// DeleteAuthorizerRequest is the input of DeleteAuthorizer.
type DeleteAuthorizerRequest struct {
	APIID        *string `json:"-"`
	AuthorizerID *string `json:"-"`
}

// DeleteCorsConfigurationRequest is the input of DeleteCorsConfiguration.
type DeleteCorsConfigurationRequest struct {
	APIID *string `json:"-"`
}

// DeleteDeploymentRequest is the input of DeleteDeployment.
type DeleteDeploymentRequest struct {
	APIID        *string `json:"-"`
	DeploymentID *string `json:"-"`
}

// DeleteDomainNameRequest is the input of DeleteDomainName.
type DeleteDomainNameRequest struct {
	DomainName *string `json:"-"`
}

// DeleteIntegrationRequest is the input of DeleteIntegration.
type DeleteIntegrationRequest struct {
	APIID         *string `json:"-"`
	IntegrationID *string `json:"-"`
}

// DeleteIntegrationResponseRequest is the input of DeleteIntegrationResponse.
type DeleteIntegrationResponseRequest struct {
	APIID                 *string `json:"-"`
	IntegrationID         *string `json:"-"`
	IntegrationResponseID *string `json:"-"`
}

// DeleteModelRequest is the input of DeleteModel.
type DeleteModelRequest struct {
	APIID   *string `json:"-"`
	ModelID *string `json:"-"`
}

// DeletePortalProductRequest is the input of DeletePortalProduct.
type DeletePortalProductRequest struct {
	PortalProductID *string `json:"-"`
}

// DeletePortalProductSharingPolicyRequest is the input of DeletePortalProductSharingPolicy.
type DeletePortalProductSharingPolicyRequest struct {
	PortalProductID *string `json:"-"`
}

// DeletePortalRequest is the input of DeletePortal.
type DeletePortalRequest struct {
	PortalID *string `json:"-"`
}

// DeleteProductPageRequest is the input of DeleteProductPage.
type DeleteProductPageRequest struct {
	PortalProductID *string `json:"-"`
	ProductPageID   *string `json:"-"`
}

// DeleteProductRestEndpointPageRequest is the input of DeleteProductRestEndpointPage.
type DeleteProductRestEndpointPageRequest struct {
	PortalProductID           *string `json:"-"`
	ProductRestEndpointPageID *string `json:"-"`
}

// DeleteRouteRequest is the input of DeleteRoute.
type DeleteRouteRequest struct {
	APIID   *string `json:"-"`
	RouteID *string `json:"-"`
}

// DeleteRouteRequestParameterRequest is the input of DeleteRouteRequestParameter.
type DeleteRouteRequestParameterRequest struct {
	APIID               *string `json:"-"`
	RequestParameterKey *string `json:"-"`
	RouteID             *string `json:"-"`
}

// DeleteRouteResponseRequest is the input of DeleteRouteResponse.
type DeleteRouteResponseRequest struct {
	APIID           *string `json:"-"`
	RouteID         *string `json:"-"`
	RouteResponseID *string `json:"-"`
}

// DeleteRouteSettingsRequest is the input of DeleteRouteSettings.
type DeleteRouteSettingsRequest struct {
	APIID     *string `json:"-"`
	RouteKey  *string `json:"-"`
	StageName *string `json:"-"`
}

// DeleteRoutingRuleRequest is the input of DeleteRoutingRule.
type DeleteRoutingRuleRequest struct {
	DomainName    *string `json:"-"`
	DomainNameID  *string `json:"-"`
	RoutingRuleID *string `json:"-"`
}

// DeleteStageRequest is the input of DeleteStage.
type DeleteStageRequest struct {
	APIID     *string `json:"-"`
	StageName *string `json:"-"`
}

// DeleteVpcLinkRequest is the input of DeleteVpcLink.
type DeleteVpcLinkRequest struct {
	VpcLinkID *string `json:"-"`
}

// DeleteVpcLinkResponse is the output of DeleteVpcLink.
type DeleteVpcLinkResponse struct {
}

// Deployment is the structure Deployment of the service model.
type Deployment struct {
	AutoDeployed            *bool      `json:"autoDeployed,omitzero"`
	CreatedDate             *time.Time `json:"createdDate,omitzero"`
	DeploymentID            *string    `json:"deploymentId,omitzero"`
	DeploymentStatus        *string    `json:"deploymentStatus,omitzero"`
	DeploymentStatusMessage *string    `json:"deploymentStatusMessage,omitzero"`
	Description             *string    `json:"description,omitzero"`
}

// DisablePortalRequest is the input of DisablePortal.
type DisablePortalRequest struct {
	PortalID *string `json:"-"`
}

// DisplayContent is the structure DisplayContent of the service model.
type DisplayContent struct {
	Body  *string `json:"body,omitzero"`
	Title *string `json:"title,omitzero"`
}

// DisplayContentOverrides is the structure DisplayContentOverrides of the service model.
type DisplayContentOverrides struct {
	Body          *string `json:"body,omitzero"`
	Endpoint      *string `json:"endpoint,omitzero"`
	OperationName *string `json:"operationName,omitzero"`
}

// DisplayOrder is the structure DisplayOrder of the service model.
type DisplayOrder struct {
	Contents        []Section `json:"contents,omitzero"`
	OverviewPageARN *string   `json:"overviewPageArn,omitzero"`
	ProductPageARNs []string  `json:"productPageArns,omitzero"`
}

// DomainName is the structure DomainName of the service model.
type DomainName struct {
	APIMappingSelectionExpression *string                   `json:"apiMappingSelectionExpression,omitzero"`
	DomainName                    *string                   `json:"domainName,omitzero"`
	DomainNameARN                 *string                   `json:"domainNameArn,omitzero"`
	DomainNameConfigurations      []DomainNameConfiguration `json:"domainNameConfigurations,omitzero"`
	MutualTLSAuthentication       *MutualTLSAuthentication  `json:"mutualTlsAuthentication,omitzero"`
	RoutingMode                   *string                   `json:"routingMode,omitzero"`
	Tags                          map[string]string         `json:"tags,omitzero"`
}

// DomainNameConfiguration is the structure DomainNameConfiguration of the service model.
type DomainNameConfiguration struct {
	APIGatewayDomainName                *string    `json:"apiGatewayDomainName,omitzero"`
	CertificateARN                      *string    `json:"certificateArn,omitzero"`
	CertificateName                     *string    `json:"certificateName,omitzero"`
	CertificateUploadDate               *time.Time `json:"certificateUploadDate,omitzero"`
	DomainNameStatus                    *string    `json:"domainNameStatus,omitzero"`
	DomainNameStatusMessage             *string    `json:"domainNameStatusMessage,omitzero"`
	EndpointType                        *string    `json:"endpointType,omitzero"`
	HostedZoneID                        *string    `json:"hostedZoneId,omitzero"`
	IpAddressType                       *string    `json:"ipAddressType,omitzero"`
	OwnershipVerificationCertificateARN *string    `json:"ownershipVerificationCertificateArn,omitzero"`
	SecurityPolicy                      *string    `json:"securityPolicy,omitzero"`
}

// EndpointConfigurationRequest is the structure EndpointConfigurationRequest of the service model.
type EndpointConfigurationRequest struct {
	AcmManaged *ACMManaged `json:"acmManaged,omitzero"`
	None       *None       `json:"none,omitzero"`
}

// EndpointConfigurationResponse is the structure EndpointConfigurationResponse of the service model.
type EndpointConfigurationResponse struct {
	CertificateARN           *string `json:"certificateArn,omitzero"`
	DomainName               *string `json:"domainName,omitzero"`
	PortalDefaultDomainName  *string `json:"portalDefaultDomainName,omitzero"`
	PortalDomainHostedZoneID *string `json:"portalDomainHostedZoneId,omitzero"`
}

// EndpointDisplayContent is the structure EndpointDisplayContent of the service model.
type EndpointDisplayContent struct {
	None      *None                    `json:"none,omitzero"`
	Overrides *DisplayContentOverrides `json:"overrides,omitzero"`
}

// EndpointDisplayContentResponse is the structure EndpointDisplayContentResponse of the service model.
type EndpointDisplayContentResponse struct {
	Body          *string `json:"body,omitzero"`
	Endpoint      *string `json:"endpoint,omitzero"`
	OperationName *string `json:"operationName,omitzero"`
}

// ExportAPIRequest is the input of ExportApi.
type ExportAPIRequest struct {
	APIID             *string `json:"-"`
	ExportVersion     *string `json:"-"`
	IncludeExtensions *bool   `json:"-"`
	OutputType        *string `json:"-"`
	Specification     *string `json:"-"`
	StageName         *string `json:"-"`
}

// ExportAPIResponse is the output of ExportApi.
type ExportAPIResponse struct {
	Body []byte `json:"-"`
}

// GetAPIMappingRequest is the input of GetApiMapping.
type GetAPIMappingRequest struct {
	APIMappingID *string `json:"-"`
	DomainName   *string `json:"-"`
}

// GetAPIMappingResponse has the members of [APIMapping].
type GetAPIMappingResponse = APIMapping

// GetAPIMappingsRequest is the input of GetApiMappings.
type GetAPIMappingsRequest struct {
	DomainName *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetAPIMappingsResponse is the output of GetApiMappings.
type GetAPIMappingsResponse struct {
	Items     []APIMapping `json:"items,omitzero"`
	NextToken *string      `json:"nextToken,omitzero"`
}

// GetAPIRequest is the input of GetApi.
type GetAPIRequest struct {
	APIID *string `json:"-"`
}

// GetAPIResponse has the members of [API].
type GetAPIResponse = API

// GetAPIsRequest is the input of GetApis.
type GetAPIsRequest struct {
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetAPIsResponse is the output of GetApis.
type GetAPIsResponse struct {
	Items     []API   `json:"items,omitzero"`
	NextToken *string `json:"nextToken,omitzero"`
}

// GetAuthorizerRequest is the input of GetAuthorizer.
type GetAuthorizerRequest struct {
	APIID        *string `json:"-"`
	AuthorizerID *string `json:"-"`
}

// GetAuthorizerResponse has the members of [Authorizer].
type GetAuthorizerResponse = Authorizer

// GetAuthorizersRequest is the input of GetAuthorizers.
type GetAuthorizersRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetAuthorizersResponse is the output of GetAuthorizers.
type GetAuthorizersResponse struct {
	Items     []Authorizer `json:"items,omitzero"`
	NextToken *string      `json:"nextToken,omitzero"`
}

// GetDeploymentRequest is the input of GetDeployment.
type GetDeploymentRequest struct {
	APIID        *string `json:"-"`
	DeploymentID *string `json:"-"`
}

// GetDeploymentResponse has the members of [Deployment].
type GetDeploymentResponse = Deployment

// GetDeploymentsRequest is the input of GetDeployments.
type GetDeploymentsRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetDeploymentsResponse is the output of GetDeployments.
type GetDeploymentsResponse struct {
	Items     []Deployment `json:"items,omitzero"`
	NextToken *string      `json:"nextToken,omitzero"`
}

// GetDomainNameRequest is the input of GetDomainName.
type GetDomainNameRequest struct {
	DomainName *string `json:"-"`
}

// GetDomainNameResponse has the members of [DomainName].
type GetDomainNameResponse = DomainName

// GetDomainNamesRequest is the input of GetDomainNames.
type GetDomainNamesRequest struct {
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetDomainNamesResponse is the output of GetDomainNames.
type GetDomainNamesResponse struct {
	Items     []DomainName `json:"items,omitzero"`
	NextToken *string      `json:"nextToken,omitzero"`
}

// GetIntegrationRequest is the input of GetIntegration.
type GetIntegrationRequest struct {
	APIID         *string `json:"-"`
	IntegrationID *string `json:"-"`
}

// GetIntegrationResponseRequest is the input of GetIntegrationResponse.
type GetIntegrationResponseRequest struct {
	APIID                 *string `json:"-"`
	IntegrationID         *string `json:"-"`
	IntegrationResponseID *string `json:"-"`
}

// GetIntegrationResponseResponse has the members of [IntegrationResponse].
type GetIntegrationResponseResponse = IntegrationResponse

// GetIntegrationResponsesRequest is the input of GetIntegrationResponses.
type GetIntegrationResponsesRequest struct {
	APIID         *string `json:"-"`
	IntegrationID *string `json:"-"`
	MaxResults    *string `json:"-"`
	NextToken     *string `json:"-"`
}

// GetIntegrationResponsesResponse is the output of GetIntegrationResponses.
type GetIntegrationResponsesResponse struct {
	Items     []IntegrationResponse `json:"items,omitzero"`
	NextToken *string               `json:"nextToken,omitzero"`
}

// GetIntegrationResult has the members of [Integration].
type GetIntegrationResult = Integration

// GetIntegrationsRequest is the input of GetIntegrations.
type GetIntegrationsRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetIntegrationsResponse is the output of GetIntegrations.
type GetIntegrationsResponse struct {
	Items     []Integration `json:"items,omitzero"`
	NextToken *string       `json:"nextToken,omitzero"`
}

// GetModelRequest is the input of GetModel.
type GetModelRequest struct {
	APIID   *string `json:"-"`
	ModelID *string `json:"-"`
}

// GetModelResponse has the members of [Model].
type GetModelResponse = Model

// GetModelTemplateRequest is the input of GetModelTemplate.
type GetModelTemplateRequest struct {
	APIID   *string `json:"-"`
	ModelID *string `json:"-"`
}

// GetModelTemplateResponse is the output of GetModelTemplate.
type GetModelTemplateResponse struct {
	Value *string `json:"value,omitzero"`
}

// GetModelsRequest is the input of GetModels.
type GetModelsRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetModelsResponse is the output of GetModels.
type GetModelsResponse struct {
	Items     []Model `json:"items,omitzero"`
	NextToken *string `json:"nextToken,omitzero"`
}

// GetPortalProductRequest is the input of GetPortalProduct.
type GetPortalProductRequest struct {
	PortalProductID        *string `json:"-"`
	ResourceOwnerAccountID *string `json:"-"`
}

// GetPortalProductResponse is the output of GetPortalProduct.
type GetPortalProductResponse struct {
	Description      *string           `json:"description,omitzero"`
	DisplayName      *string           `json:"displayName,omitzero"`
	DisplayOrder     *DisplayOrder     `json:"displayOrder,omitzero"`
	LastModified     *time.Time        `json:"lastModified,omitzero"`
	PortalProductARN *string           `json:"portalProductArn,omitzero"`
	PortalProductID  *string           `json:"portalProductId,omitzero"`
	Tags             map[string]string `json:"tags,omitzero"`
}

// GetPortalProductSharingPolicyRequest is the input of GetPortalProductSharingPolicy.
type GetPortalProductSharingPolicyRequest struct {
	PortalProductID *string `json:"-"`
}

// GetPortalProductSharingPolicyResponse is the output of GetPortalProductSharingPolicy.
type GetPortalProductSharingPolicyResponse struct {
	PolicyDocument  *string `json:"policyDocument,omitzero"`
	PortalProductID *string `json:"portalProductId,omitzero"`
}

// GetPortalRequest is the input of GetPortal.
type GetPortalRequest struct {
	PortalID *string `json:"-"`
}

// GetPortalResponse has the members of [PortalSummary].
type GetPortalResponse = PortalSummary

// GetProductPageRequest is the input of GetProductPage.
type GetProductPageRequest struct {
	PortalProductID        *string `json:"-"`
	ProductPageID          *string `json:"-"`
	ResourceOwnerAccountID *string `json:"-"`
}

// GetProductPageResponse is the output of GetProductPage.
type GetProductPageResponse struct {
	DisplayContent *DisplayContent `json:"displayContent,omitzero"`
	LastModified   *time.Time      `json:"lastModified,omitzero"`
	ProductPageARN *string         `json:"productPageArn,omitzero"`
	ProductPageID  *string         `json:"productPageId,omitzero"`
}

// GetProductRestEndpointPageRequest is the input of GetProductRestEndpointPage.
type GetProductRestEndpointPageRequest struct {
	IncludeRawDisplayContent  *string `json:"-"`
	PortalProductID           *string `json:"-"`
	ProductRestEndpointPageID *string `json:"-"`
	ResourceOwnerAccountID    *string `json:"-"`
}

// GetProductRestEndpointPageResponse is the output of GetProductRestEndpointPage.
type GetProductRestEndpointPageResponse struct {
	DisplayContent             *EndpointDisplayContentResponse `json:"displayContent,omitzero"`
	LastModified               *time.Time                      `json:"lastModified,omitzero"`
	ProductRestEndpointPageARN *string                         `json:"productRestEndpointPageArn,omitzero"`
	ProductRestEndpointPageID  *string                         `json:"productRestEndpointPageId,omitzero"`
	RawDisplayContent          *string                         `json:"rawDisplayContent,omitzero"`
	RestEndpointIdentifier     *RestEndpointIdentifier         `json:"restEndpointIdentifier,omitzero"`
	Status                     *string                         `json:"status,omitzero"`
	StatusException            *StatusException                `json:"statusException,omitzero"`
	TryItState                 *string                         `json:"tryItState,omitzero"`
}

// GetRouteRequest is the input of GetRoute.
type GetRouteRequest struct {
	APIID   *string `json:"-"`
	RouteID *string `json:"-"`
}

// GetRouteResponseRequest is the input of GetRouteResponse.
type GetRouteResponseRequest struct {
	APIID           *string `json:"-"`
	RouteID         *string `json:"-"`
	RouteResponseID *string `json:"-"`
}

// GetRouteResponseResponse has the members of [RouteResponse].
type GetRouteResponseResponse = RouteResponse

// GetRouteResponsesRequest is the input of GetRouteResponses.
type GetRouteResponsesRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
	RouteID    *string `json:"-"`
}

// GetRouteResponsesResponse is the output of GetRouteResponses.
type GetRouteResponsesResponse struct {
	Items     []RouteResponse `json:"items,omitzero"`
	NextToken *string         `json:"nextToken,omitzero"`
}

// GetRouteResult has the members of [Route].
type GetRouteResult = Route

// GetRoutesRequest is the input of GetRoutes.
type GetRoutesRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetRoutesResponse is the output of GetRoutes.
type GetRoutesResponse struct {
	Items     []Route `json:"items,omitzero"`
	NextToken *string `json:"nextToken,omitzero"`
}

// GetRoutingRuleRequest is the input of GetRoutingRule.
type GetRoutingRuleRequest struct {
	DomainName    *string `json:"-"`
	DomainNameID  *string `json:"-"`
	RoutingRuleID *string `json:"-"`
}

// GetRoutingRuleResponse has the members of [RoutingRule].
type GetRoutingRuleResponse = RoutingRule

// GetStageRequest is the input of GetStage.
type GetStageRequest struct {
	APIID     *string `json:"-"`
	StageName *string `json:"-"`
}

// GetStageResponse has the members of [Stage].
type GetStageResponse = Stage

// GetStagesRequest is the input of GetStages.
type GetStagesRequest struct {
	APIID      *string `json:"-"`
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetStagesResponse is the output of GetStages.
type GetStagesResponse struct {
	Items     []Stage `json:"items,omitzero"`
	NextToken *string `json:"nextToken,omitzero"`
}

// GetTagsRequest is the input of GetTags.
type GetTagsRequest struct {
	ResourceARN *string `json:"-"`
}

// GetTagsResponse is the output of GetTags.
type GetTagsResponse struct {
	Tags map[string]string `json:"tags,omitzero"`
}

// GetVpcLinkRequest is the input of GetVpcLink.
type GetVpcLinkRequest struct {
	VpcLinkID *string `json:"-"`
}

// GetVpcLinkResponse has the members of [VpcLink].
type GetVpcLinkResponse = VpcLink

// GetVpcLinksRequest is the input of GetVpcLinks.
type GetVpcLinksRequest struct {
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// GetVpcLinksResponse is the output of GetVpcLinks.
type GetVpcLinksResponse struct {
	Items     []VpcLink `json:"items,omitzero"`
	NextToken *string   `json:"nextToken,omitzero"`
}

// IdentifierParts is the structure IdentifierParts of the service model.
type IdentifierParts struct {
	Method    *string `json:"method,omitzero"`
	Path      *string `json:"path,omitzero"`
	RestAPIID *string `json:"restApiId,omitzero"`
	Stage     *string `json:"stage,omitzero"`
}

// ImportAPIRequest is the input of ImportApi.
type ImportAPIRequest struct {
	Basepath       *string `json:"-"`
	Body           *string `json:"body,omitzero"`
	FailOnWarnings *bool   `json:"-"`
}

// ImportAPIResponse has the members of [API].
type ImportAPIResponse = API

// Integration is the structure Integration of the service model.
type Integration struct {
	APIGatewayManaged                      *bool                        `json:"apiGatewayManaged,omitzero"`
	ConnectionID                           *string                      `json:"connectionId,omitzero"`
	ConnectionType                         *string                      `json:"connectionType,omitzero"`
	ContentHandlingStrategy                *string                      `json:"contentHandlingStrategy,omitzero"`
	CredentialsARN                         *string                      `json:"credentialsArn,omitzero"`
	Description                            *string                      `json:"description,omitzero"`
	IntegrationID                          *string                      `json:"integrationId,omitzero"`
	IntegrationMethod                      *string                      `json:"integrationMethod,omitzero"`
	IntegrationResponseSelectionExpression *string                      `json:"integrationResponseSelectionExpression,omitzero"`
	IntegrationSubtype                     *string                      `json:"integrationSubtype,omitzero"`
	IntegrationType                        *string                      `json:"integrationType,omitzero"`
	IntegrationURI                         *string                      `json:"integrationUri,omitzero"`
	PassthroughBehavior                    *string                      `json:"passthroughBehavior,omitzero"`
	PayloadFormatVersion                   *string                      `json:"payloadFormatVersion,omitzero"`
	RequestParameters                      map[string]string            `json:"requestParameters,omitzero"`
	RequestTemplates                       map[string]string            `json:"requestTemplates,omitzero"`
	ResponseParameters                     map[string]map[string]string `json:"responseParameters,omitzero"`
	TemplateSelectionExpression            *string                      `json:"templateSelectionExpression,omitzero"`
	TimeoutInMillis                        *int                         `json:"timeoutInMillis,omitzero"`
	TLSConfig                              *TLSConfig                   `json:"tlsConfig,omitzero"`
}

// IntegrationResponse is the structure IntegrationResponse of the service model.
type IntegrationResponse struct {
	ContentHandlingStrategy     *string           `json:"contentHandlingStrategy,omitzero"`
	IntegrationResponseID       *string           `json:"integrationResponseId,omitzero"`
	IntegrationResponseKey      *string           `json:"integrationResponseKey,omitzero"`
	ResponseParameters          map[string]string `json:"responseParameters,omitzero"`
	ResponseTemplates           map[string]string `json:"responseTemplates,omitzero"`
	TemplateSelectionExpression *string           `json:"templateSelectionExpression,omitzero"`
}

// JWTConfiguration is the structure JWTConfiguration of the service model.
type JWTConfiguration struct {
	Audience []string `json:"audience,omitzero"`
	Issuer   *string  `json:"issuer,omitzero"`
}

// ListPortalProductsRequest is the input of ListPortalProducts.
type ListPortalProductsRequest struct {
	MaxResults    *string `json:"-"`
	NextToken     *string `json:"-"`
	ResourceOwner *string `json:"-"`
}

// ListPortalProductsResponse is the output of ListPortalProducts.
type ListPortalProductsResponse struct {
	Items     []PortalProductSummary `json:"items,omitzero"`
	NextToken *string                `json:"nextToken,omitzero"`
}

// ListPortalsRequest is the input of ListPortals.
type ListPortalsRequest struct {
	MaxResults *string `json:"-"`
	NextToken  *string `json:"-"`
}

// ListPortalsResponse is the output of ListPortals.
type ListPortalsResponse struct {
	Items     []PortalSummary `json:"items,omitzero"`
	NextToken *string         `json:"nextToken,omitzero"`
}

// ListProductPagesRequest is the input of ListProductPages.
type ListProductPagesRequest struct {
	MaxResults             *string `json:"-"`
	NextToken              *string `json:"-"`
	PortalProductID        *string `json:"-"`
	ResourceOwnerAccountID *string `json:"-"`
}

// ListProductPagesResponse is the output of ListProductPages.
type ListProductPagesResponse struct {
	Items     []ProductPageSummaryNoBody `json:"items,omitzero"`
	NextToken *string                    `json:"nextToken,omitzero"`
}

// ListProductRestEndpointPagesRequest is the input of ListProductRestEndpointPages.
type ListProductRestEndpointPagesRequest struct {
	MaxResults             *string `json:"-"`
	NextToken              *string `json:"-"`
	PortalProductID        *string `json:"-"`
	ResourceOwnerAccountID *string `json:"-"`
}

// ListProductRestEndpointPagesResponse is the output of ListProductRestEndpointPages.
type ListProductRestEndpointPagesResponse struct {
	Items     []ProductRestEndpointPageSummaryNoBody `json:"items,omitzero"`
	NextToken *string                                `json:"nextToken,omitzero"`
}

// ListRoutingRulesRequest is the input of ListRoutingRules.
type ListRoutingRulesRequest struct {
	DomainName   *string `json:"-"`
	DomainNameID *string `json:"-"`
	MaxResults   *int    `json:"-"`
	NextToken    *string `json:"-"`
}

// ListRoutingRulesResponse is the output of ListRoutingRules.
type ListRoutingRulesResponse struct {
	NextToken    *string       `json:"nextToken,omitzero"`
	RoutingRules []RoutingRule `json:"routingRules,omitzero"`
}

// Model is the structure Model of the service model.
type Model struct {
	ContentType *string `json:"contentType,omitzero"`
	Description *string `json:"description,omitzero"`
	ModelID     *string `json:"modelId,omitzero"`
	Name        *string `json:"name,omitzero"`
	Schema      *string `json:"schema,omitzero"`
}

// MutualTLSAuthentication is the structure MutualTlsAuthentication of the service model.
type MutualTLSAuthentication struct {
	TruststoreURI      *string  `json:"truststoreUri,omitzero"`
	TruststoreVersion  *string  `json:"truststoreVersion,omitzero"`
	TruststoreWarnings []string `json:"truststoreWarnings,omitzero"`
}

// MutualTLSAuthenticationInput is the structure MutualTlsAuthenticationInput of the service model.
type MutualTLSAuthenticationInput struct {
	TruststoreURI     *string `json:"truststoreUri,omitzero"`
	TruststoreVersion *string `json:"truststoreVersion,omitzero"`
}

// None is the structure None of the service model.
type None struct {
}

// ParameterConstraints is the structure ParameterConstraints of the service model.
type ParameterConstraints struct {
	Required *bool `json:"required,omitzero"`
}

// PortalContent is the structure PortalContent of the service model.
type PortalContent struct {
	Description *string      `json:"description,omitzero"`
	DisplayName *string      `json:"displayName,omitzero"`
	Theme       *PortalTheme `json:"theme,omitzero"`
}

// PortalProductSummary is the structure PortalProductSummary of the service model.
type PortalProductSummary struct {
	Description      *string           `json:"description,omitzero"`
	DisplayName      *string           `json:"displayName,omitzero"`
	LastModified     *time.Time        `json:"lastModified,omitzero"`
	PortalProductARN *string           `json:"portalProductArn,omitzero"`
	PortalProductID  *string           `json:"portalProductId,omitzero"`
	Tags             map[string]string `json:"tags,omitzero"`
}

// PortalSummary is the structure PortalSummary of the service model.
type PortalSummary struct {
	Authorization             *Authorization                 `json:"authorization,omitzero"`
	EndpointConfiguration     *EndpointConfigurationResponse `json:"endpointConfiguration,omitzero"`
	IncludedPortalProductARNs []string                       `json:"includedPortalProductArns,omitzero"`
	LastModified              *time.Time                     `json:"lastModified,omitzero"`
	LastPublished             *time.Time                     `json:"lastPublished,omitzero"`
	LastPublishedDescription  *string                        `json:"lastPublishedDescription,omitzero"`
	PortalARN                 *string                        `json:"portalArn,omitzero"`
	PortalContent             *PortalContent                 `json:"portalContent,omitzero"`
	PortalID                  *string                        `json:"portalId,omitzero"`
	Preview                   *Preview                       `json:"preview,omitzero"`
	PublishStatus             *string                        `json:"publishStatus,omitzero"`
	RumAppMonitorName         *string                        `json:"rumAppMonitorName,omitzero"`
	StatusException           *StatusException               `json:"statusException,omitzero"`
	Tags                      map[string]string              `json:"tags,omitzero"`
}

// PortalTheme is the structure PortalTheme of the service model.
type PortalTheme struct {
	CustomColors     *CustomColors `json:"customColors,omitzero"`
	LogoLastUploaded *time.Time    `json:"logoLastUploaded,omitzero"`
}

// Preview is the structure Preview of the service model.
type Preview struct {
	PreviewStatus   *string          `json:"previewStatus,omitzero"`
	PreviewUrl      *string          `json:"previewUrl,omitzero"`
	StatusException *StatusException `json:"statusException,omitzero"`
}

// PreviewPortalRequest is the input of PreviewPortal.
type PreviewPortalRequest struct {
	PortalID *string `json:"-"`
}

// PreviewPortalResponse is the output of PreviewPortal.
type PreviewPortalResponse struct {
}

// ProductPageSummaryNoBody is the structure ProductPageSummaryNoBody of the service model.
type ProductPageSummaryNoBody struct {
	LastModified   *time.Time `json:"lastModified,omitzero"`
	PageTitle      *string    `json:"pageTitle,omitzero"`
	ProductPageARN *string    `json:"productPageArn,omitzero"`
	ProductPageID  *string    `json:"productPageId,omitzero"`
}

// ProductRestEndpointPageSummaryNoBody is the structure ProductRestEndpointPageSummaryNoBody of the service model.
type ProductRestEndpointPageSummaryNoBody struct {
	Endpoint                   *string                 `json:"endpoint,omitzero"`
	LastModified               *time.Time              `json:"lastModified,omitzero"`
	OperationName              *string                 `json:"operationName,omitzero"`
	ProductRestEndpointPageARN *string                 `json:"productRestEndpointPageArn,omitzero"`
	ProductRestEndpointPageID  *string                 `json:"productRestEndpointPageId,omitzero"`
	RestEndpointIdentifier     *RestEndpointIdentifier `json:"restEndpointIdentifier,omitzero"`
	Status                     *string                 `json:"status,omitzero"`
	StatusException            *StatusException        `json:"statusException,omitzero"`
	TryItState                 *string                 `json:"tryItState,omitzero"`
}

// PublishPortalRequest is the input of PublishPortal.
type PublishPortalRequest struct {
	Description *string `json:"description,omitzero"`
	PortalID    *string `json:"-"`
}

// PublishPortalResponse is the output of PublishPortal.
type PublishPortalResponse struct {
}

// PutPortalProductSharingPolicyRequest is the input of PutPortalProductSharingPolicy.
type PutPortalProductSharingPolicyRequest struct {
	PolicyDocument  *string `json:"policyDocument,omitzero"`
	PortalProductID *string `json:"-"`
}

// PutPortalProductSharingPolicyResponse is the output of PutPortalProductSharingPolicy.
type PutPortalProductSharingPolicyResponse struct {
}

// PutRoutingRuleRequest is the input of PutRoutingRule.
type PutRoutingRuleRequest struct {
	Actions       []RoutingRuleAction    `json:"actions,omitzero"`
	Conditions    []RoutingRuleCondition `json:"conditions,omitzero"`
	DomainName    *string                `json:"-"`
	DomainNameID  *string                `json:"-"`
	Priority      *int                   `json:"priority,omitzero"`
	RoutingRuleID *string                `json:"-"`
}

// PutRoutingRuleResponse has the members of [RoutingRule].
type PutRoutingRuleResponse = RoutingRule

// ReimportAPIRequest is the input of ReimportApi.
type ReimportAPIRequest struct {
	APIID          *string `json:"-"`
	Basepath       *string `json:"-"`
	Body           *string `json:"body,omitzero"`
	FailOnWarnings *bool   `json:"-"`
}

// ReimportAPIResponse has the members of [API].
type ReimportAPIResponse = API

// ResetAuthorizersCacheRequest is the input of ResetAuthorizersCache.
type ResetAuthorizersCacheRequest struct {
	APIID     *string `json:"-"`
	StageName *string `json:"-"`
}

// RestEndpointIdentifier is the structure RestEndpointIdentifier of the service model.
type RestEndpointIdentifier struct {
	IdentifierParts *IdentifierParts `json:"identifierParts,omitzero"`
}

// Route is the structure Route of the service model.
type Route struct {
	APIGatewayManaged                *bool                           `json:"apiGatewayManaged,omitzero"`
	APIKeyRequired                   *bool                           `json:"apiKeyRequired,omitzero"`
	AuthorizationScopes              []string                        `json:"authorizationScopes,omitzero"`
	AuthorizationType                *string                         `json:"authorizationType,omitzero"`
	AuthorizerID                     *string                         `json:"authorizerId,omitzero"`
	ModelSelectionExpression         *string                         `json:"modelSelectionExpression,omitzero"`
	OperationName                    *string                         `json:"operationName,omitzero"`
	RequestModels                    map[string]string               `json:"requestModels,omitzero"`
	RequestParameters                map[string]ParameterConstraints `json:"requestParameters,omitzero"`
	RouteID                          *string                         `json:"routeId,omitzero"`
	RouteKey                         *string                         `json:"routeKey,omitzero"`
	RouteResponseSelectionExpression *string                         `json:"routeResponseSelectionExpression,omitzero"`
	Target                           *string                         `json:"target,omitzero"`
}

// RouteResponse is the structure RouteResponse of the service model.
type RouteResponse struct {
	ModelSelectionExpression *string                         `json:"modelSelectionExpression,omitzero"`
	ResponseModels           map[string]string               `json:"responseModels,omitzero"`
	ResponseParameters       map[string]ParameterConstraints `json:"responseParameters,omitzero"`
	RouteResponseID          *string                         `json:"routeResponseId,omitzero"`
	RouteResponseKey         *string                         `json:"routeResponseKey,omitzero"`
}

// RouteSettings is the structure RouteSettings of the service model.
type RouteSettings struct {
	DataTraceEnabled       *bool    `json:"dataTraceEnabled,omitzero"`
	DetailedMetricsEnabled *bool    `json:"detailedMetricsEnabled,omitzero"`
	LoggingLevel           *string  `json:"loggingLevel,omitzero"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit,omitzero"`
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit,omitzero"`
}

// RoutingRule is the structure RoutingRule of the service model.
type RoutingRule struct {
	Actions        []RoutingRuleAction    `json:"actions,omitzero"`
	Conditions     []RoutingRuleCondition `json:"conditions,omitzero"`
	Priority       *int                   `json:"priority,omitzero"`
	RoutingRuleARN *string                `json:"routingRuleArn,omitzero"`
	RoutingRuleID  *string                `json:"routingRuleId,omitzero"`
}

// RoutingRuleAction is the structure RoutingRuleAction of the service model.
type RoutingRuleAction struct {
	InvokeAPI *RoutingRuleActionInvokeAPI `json:"invokeApi,omitzero"`
}

// RoutingRuleActionInvokeAPI is the structure RoutingRuleActionInvokeApi of the service model.
type RoutingRuleActionInvokeAPI struct {
	APIID         *string `json:"apiId,omitzero"`
	Stage         *string `json:"stage,omitzero"`
	StripBasePath *bool   `json:"stripBasePath,omitzero"`
}

// RoutingRuleCondition is the structure RoutingRuleCondition of the service model.
type RoutingRuleCondition struct {
	MatchBasePaths *RoutingRuleMatchBasePaths `json:"matchBasePaths,omitzero"`
	MatchHeaders   *RoutingRuleMatchHeaders   `json:"matchHeaders,omitzero"`
}

// RoutingRuleMatchBasePaths is the structure RoutingRuleMatchBasePaths of the service model.
type RoutingRuleMatchBasePaths struct {
	AnyOf []string `json:"anyOf,omitzero"`
}

// RoutingRuleMatchHeaderValue is the structure RoutingRuleMatchHeaderValue of the service model.
type RoutingRuleMatchHeaderValue struct {
	Header    *string `json:"header,omitzero"`
	ValueGlob *string `json:"valueGlob,omitzero"`
}

// RoutingRuleMatchHeaders is the structure RoutingRuleMatchHeaders of the service model.
type RoutingRuleMatchHeaders struct {
	AnyOf []RoutingRuleMatchHeaderValue `json:"anyOf,omitzero"`
}

// Section is the structure Section of the service model.
type Section struct {
	ProductRestEndpointPageARNs []string `json:"productRestEndpointPageArns,omitzero"`
	SectionName                 *string  `json:"sectionName,omitzero"`
}

// Stage is the structure Stage of the service model.
type Stage struct {
	AccessLogSettings           *AccessLogSettings       `json:"accessLogSettings,omitzero"`
	APIGatewayManaged           *bool                    `json:"apiGatewayManaged,omitzero"`
	AutoDeploy                  *bool                    `json:"autoDeploy,omitzero"`
	ClientCertificateID         *string                  `json:"clientCertificateId,omitzero"`
	CreatedDate                 *time.Time               `json:"createdDate,omitzero"`
	DefaultRouteSettings        *RouteSettings           `json:"defaultRouteSettings,omitzero"`
	DeploymentID                *string                  `json:"deploymentId,omitzero"`
	Description                 *string                  `json:"description,omitzero"`
	LastDeploymentStatusMessage *string                  `json:"lastDeploymentStatusMessage,omitzero"`
	LastUpdatedDate             *time.Time               `json:"lastUpdatedDate,omitzero"`
	RouteSettings               map[string]RouteSettings `json:"routeSettings,omitzero"`
	StageName                   *string                  `json:"stageName,omitzero"`
	StageVariables              map[string]string        `json:"stageVariables,omitzero"`
	Tags                        map[string]string        `json:"tags,omitzero"`
}

// StatusException is the structure StatusException of the service model.
type StatusException struct {
	Exception *string `json:"exception,omitzero"`
	Message   *string `json:"message,omitzero"`
}

// TagResourceRequest is the input of TagResource.
type TagResourceRequest struct {
	ResourceARN *string           `json:"-"`
	Tags        map[string]string `json:"tags,omitzero"`
}

// TagResourceResponse is the output of TagResource.
type TagResourceResponse struct {
}

// TLSConfig is the structure TlsConfig of the service model.
type TLSConfig struct {
	ServerNameToVerify *string `json:"serverNameToVerify,omitzero"`
}

// TLSConfigInput has the members of [TLSConfig].
type TLSConfigInput = TLSConfig

// UntagResourceRequest is the input of UntagResource.
type UntagResourceRequest struct {
	ResourceARN *string  `json:"-"`
	TagKeys     []string `json:"-"`
}

// UpdateAPIMappingRequest is the input of UpdateApiMapping.
type UpdateAPIMappingRequest struct {
	APIID         *string `json:"apiId,omitzero"`
	APIMappingID  *string `json:"-"`
	APIMappingKey *string `json:"apiMappingKey,omitzero"`
	DomainName    *string `json:"-"`
	Stage         *string `json:"stage,omitzero"`
}

// UpdateAPIMappingResponse has the members of [APIMapping].
type UpdateAPIMappingResponse = APIMapping

// UpdateAPIRequest is the input of UpdateApi.
type UpdateAPIRequest struct {
	APIID                     *string `json:"-"`
	APIKeySelectionExpression *string `json:"apiKeySelectionExpression,omitzero"`
	CorsConfiguration         *Cors   `json:"corsConfiguration,omitzero"`
	CredentialsARN            *string `json:"credentialsArn,omitzero"`
	Description               *string `json:"description,omitzero"`
	DisableExecuteAPIEndpoint *bool   `json:"disableExecuteApiEndpoint,omitzero"`
	DisableSchemaValidation   *bool   `json:"disableSchemaValidation,omitzero"`
	IpAddressType             *string `json:"ipAddressType,omitzero"`
	Name                      *string `json:"name,omitzero"`
	RouteKey                  *string `json:"routeKey,omitzero"`
	RouteSelectionExpression  *string `json:"routeSelectionExpression,omitzero"`
	Target                    *string `json:"target,omitzero"`
	Version                   *string `json:"version,omitzero"`
}

// UpdateAPIResponse has the members of [API].
type UpdateAPIResponse = API

// UpdateAuthorizerRequest is the input of UpdateAuthorizer.
type UpdateAuthorizerRequest struct {
	APIID                          *string           `json:"-"`
	AuthorizerCredentialsARN       *string           `json:"authorizerCredentialsArn,omitzero"`
	AuthorizerID                   *string           `json:"-"`
	AuthorizerPayloadFormatVersion *string           `json:"authorizerPayloadFormatVersion,omitzero"`
	AuthorizerResultTTLInSeconds   *int              `json:"authorizerResultTtlInSeconds,omitzero"`
	AuthorizerType                 *string           `json:"authorizerType,omitzero"`
	AuthorizerURI                  *string           `json:"authorizerUri,omitzero"`
	EnableSimpleResponses          *bool             `json:"enableSimpleResponses,omitzero"`
	IdentitySource                 []string          `json:"identitySource,omitzero"`
	IdentityValidationExpression   *string           `json:"identityValidationExpression,omitzero"`
	JWTConfiguration               *JWTConfiguration `json:"jwtConfiguration,omitzero"`
	Name                           *string           `json:"name,omitzero"`
}

// UpdateAuthorizerResponse has the members of [Authorizer].
type UpdateAuthorizerResponse = Authorizer

// UpdateDeploymentRequest is the input of UpdateDeployment.
type UpdateDeploymentRequest struct {
	APIID        *string `json:"-"`
	DeploymentID *string `json:"-"`
	Description  *string `json:"description,omitzero"`
}

// UpdateDeploymentResponse has the members of [Deployment].
type UpdateDeploymentResponse = Deployment

// UpdateDomainNameRequest is the input of UpdateDomainName.
type UpdateDomainNameRequest struct {
	DomainName               *string                       `json:"-"`
	DomainNameConfigurations []DomainNameConfiguration     `json:"domainNameConfigurations,omitzero"`
	MutualTLSAuthentication  *MutualTLSAuthenticationInput `json:"mutualTlsAuthentication,omitzero"`
	RoutingMode              *string                       `json:"routingMode,omitzero"`
}

// UpdateDomainNameResponse has the members of [DomainName].
type UpdateDomainNameResponse = DomainName

// UpdateIntegrationRequest is the input of UpdateIntegration.
type UpdateIntegrationRequest struct {
	APIID                       *string                      `json:"-"`
	ConnectionID                *string                      `json:"connectionId,omitzero"`
	ConnectionType              *string                      `json:"connectionType,omitzero"`
	ContentHandlingStrategy     *string                      `json:"contentHandlingStrategy,omitzero"`
	CredentialsARN              *string                      `json:"credentialsArn,omitzero"`
	Description                 *string                      `json:"description,omitzero"`
	IntegrationID               *string                      `json:"-"`
	IntegrationMethod           *string                      `json:"integrationMethod,omitzero"`
	IntegrationSubtype          *string                      `json:"integrationSubtype,omitzero"`
	IntegrationType             *string                      `json:"integrationType,omitzero"`
	IntegrationURI              *string                      `json:"integrationUri,omitzero"`
	PassthroughBehavior         *string                      `json:"passthroughBehavior,omitzero"`
	PayloadFormatVersion        *string                      `json:"payloadFormatVersion,omitzero"`
	RequestParameters           map[string]string            `json:"requestParameters,omitzero"`
	RequestTemplates            map[string]string            `json:"requestTemplates,omitzero"`
	ResponseParameters          map[string]map[string]string `json:"responseParameters,omitzero"`
	TemplateSelectionExpression *string                      `json:"templateSelectionExpression,omitzero"`
	TimeoutInMillis             *int                         `json:"timeoutInMillis,omitzero"`
	TLSConfig                   *TLSConfigInput              `json:"tlsConfig,omitzero"`
}

// UpdateIntegrationResponseRequest is the input of UpdateIntegrationResponse.
type UpdateIntegrationResponseRequest struct {
	APIID                       *string           `json:"-"`
	ContentHandlingStrategy     *string           `json:"contentHandlingStrategy,omitzero"`
	IntegrationID               *string           `json:"-"`
	IntegrationResponseID       *string           `json:"-"`
	IntegrationResponseKey      *string           `json:"integrationResponseKey,omitzero"`
	ResponseParameters          map[string]string `json:"responseParameters,omitzero"`
	ResponseTemplates           map[string]string `json:"responseTemplates,omitzero"`
	TemplateSelectionExpression *string           `json:"templateSelectionExpression,omitzero"`
}

// UpdateIntegrationResponseResponse has the members of [IntegrationResponse].
type UpdateIntegrationResponseResponse = IntegrationResponse

// UpdateIntegrationResult has the members of [Integration].
type UpdateIntegrationResult = Integration

// UpdateModelRequest is the input of UpdateModel.
type UpdateModelRequest struct {
	APIID       *string `json:"-"`
	ContentType *string `json:"contentType,omitzero"`
	Description *string `json:"description,omitzero"`
	ModelID     *string `json:"-"`
	Name        *string `json:"name,omitzero"`
	Schema      *string `json:"schema,omitzero"`
}

// UpdateModelResponse has the members of [Model].
type UpdateModelResponse = Model

// UpdatePortalProductRequest is the input of UpdatePortalProduct.
type UpdatePortalProductRequest struct {
	Description     *string       `json:"description,omitzero"`
	DisplayName     *string       `json:"displayName,omitzero"`
	DisplayOrder    *DisplayOrder `json:"displayOrder,omitzero"`
	PortalProductID *string       `json:"-"`
}

// UpdatePortalProductResponse has the members of [GetPortalProductResponse].
type UpdatePortalProductResponse = GetPortalProductResponse

// UpdatePortalRequest is the input of UpdatePortal.
type UpdatePortalRequest struct {
	Authorization             *Authorization                `json:"authorization,omitzero"`
	EndpointConfiguration     *EndpointConfigurationRequest `json:"endpointConfiguration,omitzero"`
	IncludedPortalProductARNs []string                      `json:"includedPortalProductArns,omitzero"`
	LogoURI                   *string                       `json:"logoUri,omitzero"`
	PortalContent             *PortalContent                `json:"portalContent,omitzero"`
	PortalID                  *string                       `json:"-"`
	RumAppMonitorName         *string                       `json:"rumAppMonitorName,omitzero"`
}

// UpdatePortalResponse has the members of [PortalSummary].
type UpdatePortalResponse = PortalSummary

// UpdateProductPageRequest is the input of UpdateProductPage.
type UpdateProductPageRequest struct {
	DisplayContent  *DisplayContent `json:"displayContent,omitzero"`
	PortalProductID *string         `json:"-"`
	ProductPageID   *string         `json:"-"`
}

// UpdateProductPageResponse has the members of [GetProductPageResponse].
type UpdateProductPageResponse = GetProductPageResponse

// UpdateProductRestEndpointPageRequest is the input of UpdateProductRestEndpointPage.
type UpdateProductRestEndpointPageRequest struct {
	DisplayContent            *EndpointDisplayContent `json:"displayContent,omitzero"`
	PortalProductID           *string                 `json:"-"`
	ProductRestEndpointPageID *string                 `json:"-"`
	TryItState                *string                 `json:"tryItState,omitzero"`
}

// UpdateProductRestEndpointPageResponse is the output of UpdateProductRestEndpointPage.
type UpdateProductRestEndpointPageResponse struct {
	DisplayContent             *EndpointDisplayContentResponse `json:"displayContent,omitzero"`
	LastModified               *time.Time                      `json:"lastModified,omitzero"`
	ProductRestEndpointPageARN *string                         `json:"productRestEndpointPageArn,omitzero"`
	ProductRestEndpointPageID  *string                         `json:"productRestEndpointPageId,omitzero"`
	RestEndpointIdentifier     *RestEndpointIdentifier         `json:"restEndpointIdentifier,omitzero"`
	Status                     *string                         `json:"status,omitzero"`
	StatusException            *StatusException                `json:"statusException,omitzero"`
	TryItState                 *string                         `json:"tryItState,omitzero"`
}

// UpdateRouteRequest is the input of UpdateRoute.
type UpdateRouteRequest struct {
	APIID                            *string                         `json:"-"`
	APIKeyRequired                   *bool                           `json:"apiKeyRequired,omitzero"`
	AuthorizationScopes              []string                        `json:"authorizationScopes,omitzero"`
	AuthorizationType                *string                         `json:"authorizationType,omitzero"`
	AuthorizerID                     *string                         `json:"authorizerId,omitzero"`
	ModelSelectionExpression         *string                         `json:"modelSelectionExpression,omitzero"`
	OperationName                    *string                         `json:"operationName,omitzero"`
	RequestModels                    map[string]string               `json:"requestModels,omitzero"`
	RequestParameters                map[string]ParameterConstraints `json:"requestParameters,omitzero"`
	RouteID                          *string                         `json:"-"`
	RouteKey                         *string                         `json:"routeKey,omitzero"`
	RouteResponseSelectionExpression *string                         `json:"routeResponseSelectionExpression,omitzero"`
	Target                           *string                         `json:"target,omitzero"`
}

// UpdateRouteResponseRequest is the input of UpdateRouteResponse.
type UpdateRouteResponseRequest struct {
	APIID                    *string                         `json:"-"`
	ModelSelectionExpression *string                         `json:"modelSelectionExpression,omitzero"`
	ResponseModels           map[string]string               `json:"responseModels,omitzero"`
	ResponseParameters       map[string]ParameterConstraints `json:"responseParameters,omitzero"`
	RouteID                  *string                         `json:"-"`
	RouteResponseID          *string                         `json:"-"`
	RouteResponseKey         *string                         `json:"routeResponseKey,omitzero"`
}

// UpdateRouteResponseResponse has the members of [RouteResponse].
type UpdateRouteResponseResponse = RouteResponse

// UpdateRouteResult has the members of [Route].
type UpdateRouteResult = Route

// UpdateStageRequest is the input of UpdateStage.
type UpdateStageRequest struct {
	AccessLogSettings    *AccessLogSettings       `json:"accessLogSettings,omitzero"`
	APIID                *string                  `json:"-"`
	AutoDeploy           *bool                    `json:"autoDeploy,omitzero"`
	ClientCertificateID  *string                  `json:"clientCertificateId,omitzero"`
	DefaultRouteSettings *RouteSettings           `json:"defaultRouteSettings,omitzero"`
	DeploymentID         *string                  `json:"deploymentId,omitzero"`
	Description          *string                  `json:"description,omitzero"`
	RouteSettings        map[string]RouteSettings `json:"routeSettings,omitzero"`
	StageName            *string                  `json:"-"`
	StageVariables       map[string]string        `json:"stageVariables,omitzero"`
}

// UpdateStageResponse has the members of [Stage].
type UpdateStageResponse = Stage

// UpdateVpcLinkRequest is the input of UpdateVpcLink.
type UpdateVpcLinkRequest struct {
	Name      *string `json:"name,omitzero"`
	VpcLinkID *string `json:"-"`
}

// UpdateVpcLinkResponse has the members of [VpcLink].
type UpdateVpcLinkResponse = VpcLink

// VpcLink is the structure VpcLink of the service model.
type VpcLink struct {
	CreatedDate          *time.Time        `json:"createdDate,omitzero"`
	Name                 *string           `json:"name,omitzero"`
	SecurityGroupIDs     []string          `json:"securityGroupIds,omitzero"`
	SubnetIDs            []string          `json:"subnetIds,omitzero"`
	Tags                 map[string]string `json:"tags,omitzero"`
	VpcLinkID            *string           `json:"vpcLinkId,omitzero"`
	VpcLinkStatus        *string           `json:"vpcLinkStatus,omitzero"`
	VpcLinkStatusMessage *string           `json:"vpcLinkStatusMessage,omitzero"`
	VpcLinkVersion       *string           `json:"vpcLinkVersion,omitzero"`
}
