package control

import (
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

// settleAccessLog brings the destination of access logs into the form it is
// stored in: without the ":*" that some tools append to the ARN of a log group.
func settleAccessLog(l *model.AccessLogSettings) {
	if l.DestinationARN != nil {
		l.DestinationARN = new(strings.TrimSuffix(*l.DestinationARN, ":*"))
	}
}

var logGroupARN = regexp.MustCompile(`^arn:[^:\s]+:logs:[^:\s]*:[^:\s]*:log-group:[^:*\s]+$`)

func checkAccessLog(x *stageChange) error {
	l := x.item.AccessLogSettings
	if l == nil {
		return nil
	}
	format := val(l.Format)
	if val(l.DestinationARN) == "" || format == "" {
		return BadRequest(msgAccessLogMembers)
	}
	if !logGroupARN.MatchString(*l.DestinationARN) {
		return BadRequest(msgAccessLogArn, *l.DestinationARN)
	}
	if len(format) > x.Limits.AccessLogFormat || strings.ContainsAny(format, "\r\n") {
		return BadRequest(msgAccessLogFormat, x.Limits.AccessLogFormat)
	}
	variables := logVariables(format)
	if !slices.Contains(variables, "requestId") && !slices.Contains(variables, "extendedRequestId") {
		return BadRequest(msgAccessLogRequestID)
	}
	if isWebSocket(x.doc) {
		return nil // its authorizers and integrations bring variables of their own
	}
	if unknown := slices.DeleteFunc(variables, isHTTPVariable); len(unknown) > 0 {
		return BadRequest(msgAccessLogVariable, strings.Join(unknown, ", "))
	}
	return nil
}

var logVariable = regexp.MustCompile(`\$context\.([A-Za-z0-9_.]+)`)

// logVariables returns the names of the context variables in a format, in its
// order. A name is as long as it can be; dots at its end are text, and so is all of
// it when there is nothing else.
func logVariables(format string) []string {
	var names []string
	for _, groups := range logVariable.FindAllStringSubmatch(format, -1) {
		if name := strings.TrimRight(groups[1], "."); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// httpVariables are the context variables of HTTP APIs: access logs, parameter
// mappings and identity sources may name them and no others. Names that end in a dot
// stand for all longer names that begin so. Source: developer guide,
// http-api-logging-variables.
var httpVariables = []string{
	"accountId", "apiId", "authorizer.", "awsEndpointRequestId", "awsEndpointRequestId2", "customDomain.basePathMatched",
	"dataProcessed", "domainName", "domainPrefix", "error.message", "error.messageString", "error.responseType",
	"extendedRequestId", "httpMethod",
	"identity.accountId", "identity.caller", "identity.clientCert.clientCertPem", "identity.clientCert.issuerDN",
	"identity.clientCert.serialNumber", "identity.clientCert.subjectDN", "identity.clientCert.validity.notAfter",
	"identity.clientCert.validity.notBefore", "identity.cognitoAuthenticationProvider", "identity.cognitoAuthenticationType",
	"identity.cognitoIdentityId", "identity.cognitoIdentityPoolId", "identity.principalOrgId", "identity.sourceIp",
	"identity.user", "identity.userAgent", "identity.userArn",
	"integration.error", "integration.integrationStatus", "integration.latency", "integration.requestId", "integration.status",
	"integrationErrorMessage", "integrationLatency", "integrationStatus", "path", "protocol", "requestId", "requestTime",
	"requestTimeEpoch", "responseLatency", "responseLength", "routeKey", "stage", "status",
}

// isHTTPVariable reports whether HTTP APIs have a context variable. Its name is
// without "$context.".
func isHTTPVariable(name string) bool {
	return slices.ContainsFunc(httpVariables, func(known string) bool {
		if strings.HasSuffix(known, ".") {
			return strings.HasPrefix(name, known) && name != known
		}
		return name == known
	})
}
