package control

import "maps"

// handlers are the operations that are built, by name. The others of the model
// are answered with 501.
var handlers = func() map[string]handler {
	all := map[string]handler{
		"CreateApi":               createAPI,
		"GetApi":                  getAPI,
		"GetApis":                 getAPIs,
		"UpdateApi":               updateAPI,
		"DeleteApi":               deleteAPI,
		"DeleteCorsConfiguration": deleteCorsConfiguration,

		"DeleteRouteRequestParameter": deleteRouteRequestParameter,

		"CreateDeployment": createDeployment,
		"GetDeployment":    getDeployment,
		"GetDeployments":   getDeployments,
		"UpdateDeployment": updateDeployment,
		"DeleteDeployment": deleteDeployment,

		"DeleteAccessLogSettings": deleteAccessLogSettings,
		"DeleteRouteSettings":     deleteRouteSettings,

		"GetTags":       getTags,
		"TagResource":   tagResource,
		"UntagResource": untagResource,
	}
	for _, operations := range []map[string]handler{
		integrations.operations(),
		routes.operations(),
		stages.operations(),
	} {
		maps.Copy(all, operations)
	}
	return all
}()
