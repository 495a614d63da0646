package function

import "net/http"

// unavailable are the operations that the service has and this server has not: they
// are refused by name. Source: Lambda API reference.
var unavailable = []operation{
	{name: "InvokeAsync", method: "POST", path: "/2014-11-13/functions/{FunctionName}/invoke-async"},
	{name: "PutFunctionCodeSigningConfig", method: "PUT", path: "/2020-06-30/functions/{FunctionName}/code-signing-config"},
	{name: "DeleteFunctionCodeSigningConfig", method: "DELETE", path: "/2020-06-30/functions/{FunctionName}/code-signing-config"},
	{name: "PutRuntimeManagementConfig", method: "PUT", path: "/2021-07-20/functions/{FunctionName}/runtime-management-config"},
	{name: "PutFunctionRecursionConfig", method: "PUT", path: "/2024-08-31/functions/{FunctionName}/recursion-config"},
	{name: "PutFunctionEventInvokeConfig", method: "PUT", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
	{name: "UpdateFunctionEventInvokeConfig", method: "POST", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
	{name: "DeleteFunctionEventInvokeConfig", method: "DELETE", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config"},
	{name: "ListFunctionEventInvokeConfigs", method: "GET", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config/list"},
	{name: "CreateFunctionUrlConfig", method: "POST", path: "/2021-10-31/functions/{FunctionName}/url"},
	{name: "UpdateFunctionUrlConfig", method: "PUT", path: "/2021-10-31/functions/{FunctionName}/url"},
	{name: "DeleteFunctionUrlConfig", method: "DELETE", path: "/2021-10-31/functions/{FunctionName}/url"},
	{name: "ListFunctionUrlConfigs", method: "GET", path: "/2021-10-31/functions/{FunctionName}/urls"},
	{name: "PutProvisionedConcurrencyConfig", method: "PUT", path: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
	{name: "DeleteProvisionedConcurrencyConfig", method: "DELETE", path: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency"},
	{name: "GetFunctionScalingConfig", method: "GET", path: "/2025-11-30/functions/{FunctionName}/function-scaling-config"},
	{name: "PutFunctionScalingConfig", method: "PUT", path: "/2025-11-30/functions/{FunctionName}/function-scaling-config"},
	{name: "CreateEventSourceMapping", method: "POST", path: "/2015-03-31/event-source-mappings"},
	{name: "ListEventSourceMappings", method: "GET", path: "/2015-03-31/event-source-mappings"},
	{name: "GetEventSourceMapping", method: "GET", path: "/2015-03-31/event-source-mappings/{UUID}"},
	{name: "UpdateEventSourceMapping", method: "PUT", path: "/2015-03-31/event-source-mappings/{UUID}"},
	{name: "DeleteEventSourceMapping", method: "DELETE", path: "/2015-03-31/event-source-mappings/{UUID}"},
	{name: "ListLayers", method: "GET", path: "/2018-10-31/layers"},
	{name: "ListLayerVersions", method: "GET", path: "/2018-10-31/layers/{LayerName}/versions"},
	{name: "PublishLayerVersion", method: "POST", path: "/2018-10-31/layers/{LayerName}/versions"},
	{name: "GetLayerVersion", method: "GET", path: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
	{name: "DeleteLayerVersion", method: "DELETE", path: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}"},
	{name: "AddLayerVersionPermission", method: "POST", path: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
	{name: "GetLayerVersionPolicy", method: "GET", path: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy"},
	{name: "RemoveLayerVersionPermission", method: "DELETE", path: "/2018-10-31/layers/{LayerName}/versions/{VersionNumber}/policy/{StatementId}"},
	{name: "CreateCodeSigningConfig", method: "POST", path: "/2020-04-22/code-signing-configs"},
	{name: "ListCodeSigningConfigs", method: "GET", path: "/2020-04-22/code-signing-configs"},
	{name: "GetCodeSigningConfig", method: "GET", path: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
	{name: "UpdateCodeSigningConfig", method: "PUT", path: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
	{name: "DeleteCodeSigningConfig", method: "DELETE", path: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}"},
	{name: "ListFunctionsByCodeSigningConfig", method: "GET", path: "/2020-04-22/code-signing-configs/{CodeSigningConfigArn}/functions"},
	{name: "CheckpointDurableExecution", method: "POST", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/checkpoint"},
	{name: "CreateCapacityProvider", method: "POST", path: "/2025-11-30/capacity-providers"},
	{name: "DeleteCapacityProvider", method: "DELETE", path: "/2025-11-30/capacity-providers/{CapacityProviderName}"},
	{name: "DeleteResourcePolicy", method: "DELETE", path: "/2026-07-09/resource-policy/{ResourceArn}"},
	{name: "GetCapacityProvider", method: "GET", path: "/2025-11-30/capacity-providers/{CapacityProviderName}"},
	{name: "GetDurableExecution", method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}"},
	{name: "GetDurableExecutionHistory", method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/history"},
	{name: "GetDurableExecutionState", method: "GET", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/state"},
	{name: "GetResourcePolicy", method: "GET", path: "/2026-07-09/resource-policy/{ResourceArn}"},
	{name: "ListCapacityProviders", method: "GET", path: "/2025-11-30/capacity-providers"},
	{name: "ListDurableExecutionsByFunction", method: "GET", path: "/2025-12-01/functions/{FunctionName}/durable-executions"},
	{name: "ListFunctionVersionsByCapacityProvider", method: "GET", path: "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions"},
	{name: "PutResourcePolicy", method: "PUT", path: "/2026-07-09/resource-policy/{ResourceArn}"},
	{name: "SendDurableExecutionCallbackFailure", method: "POST", path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/fail"},
	{name: "SendDurableExecutionCallbackHeartbeat", method: "POST", path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/heartbeat"},
	{name: "SendDurableExecutionCallbackSuccess", method: "POST", path: "/2025-12-01/durable-execution-callbacks/{CallbackId}/succeed"},
	{name: "StopDurableExecution", method: "POST", path: "/2025-12-01/durable-executions/{DurableExecutionArn}/stop"},
	{name: "UpdateCapacityProvider", method: "PUT", path: "/2025-11-30/capacity-providers/{CapacityProviderName}"},
}

// errUnavailable refuses a call of one of them.
func errUnavailable(o *operation) *Error {
	return &Error{
		Status:  http.StatusNotImplemented,
		Code:    "NotImplementedException",
		Message: "The operation " + o.name + " is not available on this server.",
	}
}
