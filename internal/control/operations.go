package control

import "maps"

//go:generate go test -run ^TestOperationsPage$ . -update

// handlers are the operations, by name: all of the model.
var handlers = func() map[string]handler {
	all := map[string]handler{
		"DeleteCorsConfiguration": deleteCorsConfiguration,

		"ImportApi":   importAPI,
		"ReimportApi": reimportAPI,
		"ExportApi":   exportAPI,

		"DeleteRouteRequestParameter": deleteRouteRequestParameter,
		"GetModelTemplate":            getModelTemplate,

		"CreateDeployment": createDeployment,
		"GetDeployment":    getDeployment,
		"GetDeployments":   getDeployments,
		"UpdateDeployment": updateDeployment,
		"DeleteDeployment": deleteDeployment,

		"DeleteAccessLogSettings": deleteAccessLogSettings,
		"DeleteRouteSettings":     deleteRouteSettings,
		"ResetAuthorizersCache":   resetAuthorizersCache,

		"PublishPortal": publishPortal,
		"PreviewPortal": previewPortal,
		"DisablePortal": disablePortal,

		"PutPortalProductSharingPolicy":    putSharingPolicy,
		"GetPortalProductSharingPolicy":    getSharingPolicy,
		"DeletePortalProductSharingPolicy": deleteSharingPolicy,

		"GetTags":       getTags,
		"TagResource":   tagResource,
		"UntagResource": untagResource,
	}
	for _, operations := range []map[string]handler{
		apis.operations(),
		authorizers.operations(),
		integrations.operations(),
		integrationResponses.operations(),
		models.operations(),
		routes.operations(),
		routeResponses.operations(),
		stages.operations(),
		domains.operations(),
		apiMappings.operations(),
		routingRules.operations(),
		vpcLinks.operations(),
		portals.operations(),
		portalProducts.operations(),
		productPages.operations(),
		endpointPages.operations(),
	} {
		maps.Copy(all, operations)
	}
	all["ListPortalProducts"] = listPortalProducts
	return all
}()

// notes are what a user of an operation should know about it beside what the real
// service says, by name. They stand on the page of all operations.
var notes = map[string]string{
	"CreateApi":                     "With `target`, the integration, route and stage are there when the answer is.",
	"DeleteApi":                     "Refused while a custom domain name leads to the API by a mapping or a routing rule.",
	"ImportApi":                     "OpenAPI 3.0 in JSON or YAML; 3.1 is read as 3.0 with a warning. Nothing a document names is fetched. There is no stage yet.",
	"ReimportApi":                   "Replaces routes, integrations, authorizers and CORS as a whole; stages and deployments stay. Tags of the document are added.",
	"ExportApi":                     "`import` of an export gives the same API; of a stage, what is deployed to it.",
	"CreateAuthorizer":              "The issuer is asked for its configuration only with `authorizers.verifyIssuerOnCreate`. Stored and not asked yet: routes with an authorizer answer 500.",
	"ResetAuthorizersCache":         "Reaches every node that serves the stage. There are no results to forget yet.",
	"CreateDeployment":              "`DEPLOYED` and served when the answer arrives.",
	"CreateDomainName":              "`AVAILABLE` at once. Trust stores may be `https` and `file` URLs, too; those in `s3` are not read. Traffic by custom domain names is not served yet.",
	"UpdateDomainName":              "As CreateDomainName. What only the service says is ignored in a configuration that is sent back.",
	"CreateApiMapping":              "Traffic by custom domain names is not served yet.",
	"CreateRoutingRule":             "Leads to HTTP APIs, which the real service does not allow.",
	"CreateVpcLink":                 "Answers `PENDING`, and is `AVAILABLE` when asked for. Subnets and security groups are names that nobody looks up. Traffic through VPC links is not served yet.",
	"DeleteVpcLink":                 "Gone at once. Refused while an integration of an API as it is edited names the link.",
	"CreateModel":                   "WebSocket APIs have models; HTTP APIs with `extensions.requestModels`. The schema must be one of JSON Schema draft-04, unless the API has `disableSchemaValidation`.",
	"GetModelTemplate":              "A skeleton with sample values.",
	"CreatePortal":                  "Portals are kept and published; their pages are not served.",
	"PublishPortal":                 "Done when the answer arrives: `PUBLISHED`, or `PUBLISH_FAILED` with the product that does not exist.",
	"PreviewPortal":                 "Done when the answer arrives. Nothing is served at the URL yet.",
	"DeletePortal":                  "Refused while the portal is published.",
	"DeletePortalProduct":           "Deletes its pages, too. Refused while a published portal shows the product.",
	"ListPortalProducts":            "`OTHER_ACCOUNTS` has none: there is one account.",
	"CreateProductRestEndpointPage": "May be about a route of an HTTP API that is deployed to the stage; `FAILED` with the reason otherwise.",
	"TagResource":                   "APIs, stages, domain names, VPC links, portals and portal products.",
}
