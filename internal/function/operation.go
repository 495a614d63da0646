package function

import (
	"net/url"
	"strings"

	"penstock/internal/integration"
)

// An operation is one of the Lambda API.
type operation struct {
	name, method string
	// path has labels in braces, each for one segment.
	path string
	// action is what a policy must allow; "" for lambda: and the name.
	action string
	// handle answers a call.
	handle func(c *call) (answer, error)
	// limit is how many bytes a body may have; 0 for defaultBody.
	limit int64
}

const (
	labelFunction = "FunctionName"
	labelAlias    = "Name"
	labelResource = "Resource"
)

// available are the operations that are answered. Source: Lambda API reference.
var available = []operation{
	{name: "CreateFunction", method: "POST", path: "/2015-03-31/functions", handle: createFunction, limit: codeBody},
	{name: "ListFunctions", method: "GET", path: "/2015-03-31/functions", handle: listFunctions},
	{name: "GetFunction", method: "GET", path: "/2015-03-31/functions/{FunctionName}", handle: getFunction},
	{name: "DeleteFunction", method: "DELETE", path: "/2015-03-31/functions/{FunctionName}", handle: deleteFunction},
	{name: "GetFunctionConfiguration", method: "GET", path: "/2015-03-31/functions/{FunctionName}/configuration", handle: getFunctionConfiguration},
	{name: "UpdateFunctionConfiguration", method: "PUT", path: "/2015-03-31/functions/{FunctionName}/configuration", handle: updateFunctionConfiguration},
	{name: "UpdateFunctionCode", method: "PUT", path: "/2015-03-31/functions/{FunctionName}/code", handle: updateFunctionCode, limit: codeBody},
	{name: "PublishVersion", method: "POST", path: "/2015-03-31/functions/{FunctionName}/versions", handle: publishVersion},
	{name: "ListVersionsByFunction", method: "GET", path: "/2015-03-31/functions/{FunctionName}/versions", handle: listVersions},

	{name: "CreateAlias", method: "POST", path: "/2015-03-31/functions/{FunctionName}/aliases", handle: createAlias},
	{name: "ListAliases", method: "GET", path: "/2015-03-31/functions/{FunctionName}/aliases", handle: listAliases},
	{name: "GetAlias", method: "GET", path: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", handle: getAlias},
	{name: "UpdateAlias", method: "PUT", path: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", handle: updateAlias},
	{name: "DeleteAlias", method: "DELETE", path: "/2015-03-31/functions/{FunctionName}/aliases/{Name}", handle: deleteAlias},

	{name: "Invoke", method: "POST", path: "/2015-03-31/functions/{FunctionName}/invocations", action: "lambda:InvokeFunction", handle: invoke, limit: integration.MaxPayload},
	{name: "InvokeWithResponseStream", method: "POST", path: "/2021-11-15/functions/{FunctionName}/response-streaming-invocations", action: "lambda:InvokeFunction", handle: invokeWithResponseStream, limit: integration.MaxPayload},
	{name: "AddPermission", method: "POST", path: "/2015-03-31/functions/{FunctionName}/policy", handle: addPermission},
	{name: "GetPolicy", method: "GET", path: "/2015-03-31/functions/{FunctionName}/policy", handle: getPolicy},
	{name: "RemovePermission", method: "DELETE", path: "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", handle: removePermission},

	{name: "ListTags", method: "GET", path: "/2017-03-31/tags/{Resource}", handle: listTags},
	{name: "TagResource", method: "POST", path: "/2017-03-31/tags/{Resource}", handle: tagResource},
	{name: "UntagResource", method: "DELETE", path: "/2017-03-31/tags/{Resource}", handle: untagResource},

	{name: "PutFunctionConcurrency", method: "PUT", path: "/2017-10-31/functions/{FunctionName}/concurrency", handle: putFunctionConcurrency},
	{name: "DeleteFunctionConcurrency", method: "DELETE", path: "/2017-10-31/functions/{FunctionName}/concurrency", handle: deleteFunctionConcurrency},
	{name: "GetFunctionConcurrency", method: "GET", path: "/2019-09-30/functions/{FunctionName}/concurrency", handle: getFunctionConcurrency},

	{name: "GetFunctionCodeSigningConfig", method: "GET", path: "/2020-06-30/functions/{FunctionName}/code-signing-config", handle: getFunctionCodeSigningConfig},
	{name: "GetRuntimeManagementConfig", method: "GET", path: "/2021-07-20/functions/{FunctionName}/runtime-management-config", handle: getRuntimeManagementConfig},
	{name: "GetFunctionRecursionConfig", method: "GET", path: "/2024-08-31/functions/{FunctionName}/recursion-config", handle: getFunctionRecursionConfig},
	{name: "GetFunctionEventInvokeConfig", method: "GET", path: "/2019-09-25/functions/{FunctionName}/event-invoke-config", handle: getFunctionEventInvokeConfig},
	{name: "GetFunctionUrlConfig", method: "GET", path: "/2021-10-31/functions/{FunctionName}/url", handle: getFunctionURLConfig},
	{name: "GetProvisionedConcurrencyConfig", method: "GET", path: "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", handle: getProvisionedConcurrencyConfig},
	{name: "GetAccountSettings", method: "GET", path: "/2016-08-19/account-settings", handle: getAccountSettings},
}

// operationsBySegments are all operations with their paths split, by method and number
// of segments.
var operationsBySegments = func() map[string][]splitOperation {
	all := map[string][]splitOperation{}
	for _, list := range [][]operation{available, unavailable} {
		for i := range list {
			op := &list[i]
			segments := strings.Split(op.path[1:], "/")
			key := segmentsKey(op.method, len(segments))
			all[key] = append(all[key], splitOperation{op, segments})
		}
	}
	return all
}()

type splitOperation struct {
	*operation
	segments []string
}

func segmentsKey(method string, n int) string { return method + string(rune('0'+n)) }

// maxSegments is one more than any path has.
const maxSegments = 9

// match returns the operation of a request and the values of the labels in its path,
// which is escaped; nil if there is none. One slash at the end says nothing.
func match(method, path string) (*operation, map[string]string) {
	segments := strings.SplitN(strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/"), "/", maxSegments)
	for _, op := range operationsBySegments[segmentsKey(method, len(segments))] {
		if labels, ok := op.match(segments); ok {
			return op.operation, labels
		}
	}
	return nil, nil
}

func (o *splitOperation) match(segments []string) (map[string]string, bool) {
	var labels map[string]string
	for i, s := range o.segments {
		if s[0] != '{' {
			if s != segments[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(segments[i])
		if err != nil || value == "" {
			return nil, false
		}
		if labels == nil {
			labels = map[string]string{}
		}
		labels[s[1:len(s)-1]] = value
	}
	return labels, true
}

// permission returns the action that a policy must allow.
func (o *operation) permission() string {
	if o.action != "" {
		return o.action
	}
	return "lambda:" + o.name
}
