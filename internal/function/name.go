package function

import (
	"net/http"
	"regexp"
	"strings"
)

// functionName is what may stand where a function is named: a name, a part of its ARN
// or the whole, with a qualifier or without. Source: Lambda API reference.
const functionName = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`

// Groups of functionName.
const (
	groupRegion    = 3
	groupAccount   = 9
	groupName      = 11
	groupQualifier = 13
)

const (
	maxFunctionName = 140 // characters, however a function is named
	maxName         = 64  // and of the name alone
	maxQualifier    = 128
)

var (
	functionNamePattern = regexp.MustCompile(`^` + functionName + `$`)
	qualifierPattern    = regexp.MustCompile(`^(` + qualifierForm + `)$`)
)

const qualifierForm = `(|[a-zA-Z0-9$_-]+)`

// target finds out which function a call is about, from what its path and its query
// say. A function of another region or account is refused.
func (s *Service) target(named, qualifier string, caller Principal, action string) (string, string, error) {
	var v violations
	if len(named) > maxFunctionName && len(named) > len(s.arn(""))+maxName+1+maxQualifier {
		v.add(named[:200], "functionName", "Member must have length less than or equal to %d", maxFunctionName)
		return "", "", v.err()
	}
	m := functionNamePattern.FindStringSubmatch(named)
	if m == nil {
		v.add(named, "functionName", "Member must satisfy regular expression pattern: %s", functionName)
	} else if len(m[groupName]) > maxName {
		v.add(m[groupName], "functionName", "Member must have length less than or equal to %d", maxName)
	}
	switch {
	case len(qualifier) > maxQualifier:
		v.add(qualifier[:maxQualifier], "qualifier", "Member must have length less than or equal to %d", maxQualifier)
	case !qualifierPattern.MatchString(qualifier):
		v.add(qualifier, "qualifier", "Member must satisfy regular expression pattern: %s", qualifierForm)
	}
	if err := v.err(); err != nil {
		return "", "", err
	}
	name, derived := m[groupName], m[groupQualifier]
	if region := strings.TrimSuffix(m[groupRegion], ":"); region != "" && region != s.Region {
		return "", "", missing("Functions from '%s' are not reachable in this region ('%s')", region, s.Region)
	}
	if account := strings.TrimSuffix(m[groupAccount], ":"); account != "" && account != s.Account {
		arn := s.arnIn(account, name)
		return "", "", denied(caller.ARN, action, arn, "no resource-based policy allows the "+action+" action")
	}
	if derived != "" && qualifier != "" && derived != qualifier {
		return "", "", errQualifiers
	}
	if derived != "" {
		qualifier = derived
	}
	return name, qualifier, nil
}

// denied says that a caller may not do something.
func denied(caller, action, resource, because string) *Error {
	return &Error{
		Status:  http.StatusForbidden,
		Code:    "AccessDeniedException",
		Message: "User: " + caller + " is not authorized to perform: " + action + " on resource: " + resource + " because " + because,
		Capital: true,
	}
}
