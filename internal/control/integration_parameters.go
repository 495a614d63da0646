package control

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"penstock/internal/model"
)

// checkRequestMapping checks what an integration sends to its backend.
func checkRequestMapping(x *integrationChange) error {
	i := x.item
	if len(i.RequestParameters) > x.Limits.MappedParameters {
		return BadRequest(msgMappedParameters, "requestParameters", x.Limits.MappedParameters)
	}
	for _, key := range slices.Sorted(maps.Keys(i.RequestParameters)) {
		value := i.RequestParameters[key]
		var problem string
		switch {
		case isWebSocket(x.doc):
			problem = webSocketProblem(key, value)
		case i.IntegrationSubtype != nil:
			problem = valueProblem(value, requestSource)
		default:
			problem = mappingProblem(key, value, requestKey, msgRequestKey, requestSource)
		}
		if problem != "" {
			return BadRequest(msgMapping, problem)
		}
	}
	return nil
}

// checkResponseMapping checks what an integration makes of the answers of its
// backend, by status code.
func checkResponseMapping(x *integrationChange) error {
	all := x.item.ResponseParameters
	if len(all) > x.Limits.MappedParameters {
		return BadRequest(msgMappedParameters, "responseParameters", x.Limits.MappedParameters)
	}
	for _, status := range slices.Sorted(maps.Keys(all)) {
		if n, err := strconv.Atoi(status); err != nil || len(status) != 3 || n < 200 || n > 599 {
			return BadRequest(msgStatusCode, status)
		}
		if len(all[status]) > x.Limits.MappedParameters {
			return BadRequest(msgMappedParameters, fmt.Sprintf("responseParameters[%q]", status), x.Limits.MappedParameters)
		}
		for _, key := range slices.Sorted(maps.Keys(all[status])) {
			if problem := mappingProblem(key, all[status][key], responseKey, msgResponseKey, responseSource); problem != "" {
				return BadRequest(msgMapping, problem)
			}
		}
	}
	return nil
}

// What a mapping of an HTTP API may set. The names of headers are in the first
// group, those of query parameters in none.
var (
	requestKey  = regexp.MustCompile(`^(?:(?:append|overwrite|remove):(?:header\.([!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+)|querystring\..+)|overwrite:path)$`)
	responseKey = regexp.MustCompile(`^(?:(?:append|overwrite|remove):header\.([!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+)|overwrite:statuscode)$`)
)

// What an expression of a mapping may name, without the dollar sign. Which context
// variables there are is checked apart.
var (
	requestSource = regexp.MustCompile(`^(?:request\.(?:header\.[^\s{}]+|querystring\.[^{}]+|body` + bodyPath + `|path(?:\.[A-Za-z0-9._-]+)?)|` + commonSource + `)$`)

	responseSource = regexp.MustCompile(`^(?:response\.(?:header\.[^\s{}]+|body` + bodyPath + `)|` + commonSource + `)$`)
)

const commonSource = `context\.[A-Za-z0-9._]+|stageVariables\.[A-Za-z0-9_]+`

// bodyPath is a path to one value in a body: members by name, .name or ['name'], and
// elements by index, [0]. No body that mappings look into has more elements than nine
// digits can count. What leads to many values or is computed is no such path: "..",
// "*", filters, slices, functions.
const bodyPath = `(?s:\.[^.\[\]()*'"\x00-\x1f\x7f]+|\[(?:0*[0-9]{1,9}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\])*`

// mappingProblem returns what is wrong with an entry of a mapping, or "".
func mappingProblem(key, value string, keys *regexp.Regexp, badKey string, sources *regexp.Regexp) string {
	groups := keys.FindStringSubmatch(key)
	if groups == nil {
		return fmt.Sprintf(badKey, key)
	}
	if isReservedHeader(groups[1]) {
		return fmt.Sprintf(msgReservedHeader, groups[1])
	}
	if strings.HasPrefix(key, "remove:") {
		return "" // the value is a placeholder
	}
	if strings.ContainsFunc(value, isControl) {
		return fmt.Sprintf(msgMappingValue, strconv.Quote(value))
	}
	return valueProblem(value, sources)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// valueProblem returns what is wrong with a value: a selection such as
// $request.header.a, or text with selections in braces, ${request.header.a}.
func valueProblem(value string, sources *regexp.Regexp) string {
	if selection, ok := strings.CutPrefix(value, "$"); ok && isSelection(selection) {
		if !isSource(selection, sources) {
			return fmt.Sprintf(msgMappingValue, value)
		}
		return ""
	}
	for rest := value; ; {
		_, after, found := strings.Cut(rest, "${")
		if !found {
			return ""
		}
		inner, tail, closed := strings.Cut(after, "}")
		if !closed || !isSource(strings.TrimPrefix(inner, "$"), sources) {
			return fmt.Sprintf(msgMappingValue, value)
		}
		rest = tail
	}
}

// isSelection reports whether text after a dollar sign is meant as a selection
// and not as text of its own.
func isSelection(text string) bool {
	root, _, _ := strings.Cut(text, ".")
	return slices.Contains([]string{"request", "response", "context", "stageVariables"}, root)
}

func isSource(selection string, sources *regexp.Regexp) bool {
	if !sources.MatchString(selection) {
		return false
	}
	if name, ok := strings.CutPrefix(selection, "context."); ok {
		return isHTTPVariable(name)
	}
	for _, place := range []string{"request.header.", "response.header."} {
		if name, ok := strings.CutPrefix(selection, place); ok {
			return !strings.HasPrefix(strings.ToLower(name), "apigw-")
		}
	}
	return true
}

// Headers that a mapping may not touch. Source: developer guide,
// http-api-parameter-mapping; and those that belong to one connection as much as
// Transfer-Encoding does.
var (
	reservedHeaders = []string{
		"authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded", "keep-alive",
		"origin", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding", "upgrade",
		"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via",
		"expect", "http2-settings", "trailer",
	}
	reservedPrefixes = []string{"access-control-", "apigw-", "x-amz-", "x-amzn-", "proxy-"}
)

// isReservedHeader reports whether a mapping may not touch a header. Some servers
// read "_" in a name as "-", so that X_Forwarded_For is as reserved as X-Forwarded-For.
func isReservedHeader(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	return slices.Contains(reservedHeaders, name) ||
		slices.ContainsFunc(reservedPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// Request parameters of WebSocket APIs.
var (
	webSocketKey    = regexp.MustCompile(`^integration\.request\.(?:header|querystring|path)\.[a-zA-Z0-9._$-]+$`)
	webSocketSource = regexp.MustCompile(`^(?:'[^']*'|(?:route|method)\.request\.(?:header|multivalueheader|querystring|multivaluequerystring|path)\.[^\s]+|(?:route|method)\.request\.body(?:\..+)?|context\.[A-Za-z0-9._-]+|stageVariables\.[A-Za-z0-9_]+)$`)
)

func webSocketProblem(key, value string) string {
	if !webSocketKey.MatchString(key) {
		return fmt.Sprintf(msgWebSocketMapping, key)
	}
	if !webSocketSource.MatchString(value) || strings.ContainsFunc(value, isControl) {
		return fmt.Sprintf(msgWebSocketMapping, value)
	}
	return ""
}

// dropEmptyMappings drops the empty entries of an integration's response
// parameters, which an update sends to remove them.
func dropEmptyMappings(i *model.Integration) {
	for status, parameters := range i.ResponseParameters {
		maps.DeleteFunc(parameters, func(_, value string) bool { return value == "" })
		if len(parameters) == 0 {
			delete(i.ResponseParameters, status)
		}
	}
	if len(i.ResponseParameters) == 0 {
		i.ResponseParameters = nil
	}
}
