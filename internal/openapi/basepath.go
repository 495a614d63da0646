package openapi

import (
	"regexp"
	"strings"
)

const endpointExtension = "x-amazon-apigateway-endpoint-configuration"

// maxBasePath bounds the base path, in bytes: it is repeated in every route.
const maxBasePath = 512

// servers reads the servers: where they are says nothing about the API, but for
// the base path and the configuration of its endpoint.
func (x *importer) servers(v value, mode string) {
	if !x.isList(v) {
		return
	}
	var servers []value
	for i, n := range v.items {
		if s := (value{absentNull(n), v.at.item(i)}); x.isObject(s) {
			x.endpoint(s.member(endpointExtension))
			servers = append(servers, s)
		}
	}
	if mode != "prepend" && mode != "split" {
		return
	}
	base := cleanBasePath(x.basePath(servers))
	if len(base) > maxBasePath {
		x.problem(v, "the base path must not be longer than %d bytes", maxBasePath)
		return
	}
	if mode == "split" {
		base = withoutFirstSegment(base)
	}
	x.prefix = base
}

// endpoint reads an endpoint configuration. Of several, one that disables the
// default endpoint counts.
func (x *importer) endpoint(v value) {
	if !x.isObject(v) {
		return
	}
	if disable := x.boolean(v.member("disableExecuteApiEndpoint")); disable != nil {
		if p := x.out.API.DisableExecuteAPIEndpoint; p == nil || !*p {
			x.out.API.DisableExecuteAPIEndpoint = disable
		}
	}
	if ids := v.member("vpcEndpointIds"); ids.present() {
		x.warn(ids.at, "VPC endpoints are not supported for HTTP APIs, ignored")
	}
	x.unknown(v, "disableExecuteApiEndpoint", "vpcEndpointIds")
}

// basePath returns the default of the first variable called basePath, whether a URL
// names it or not. Without one it is the path of the first URL.
func (x *importer) basePath(servers []value) string {
	for _, s := range servers {
		variables := s.member("variables")
		if v := variables.member("basePath"); v.present() {
			if base := x.string(v.member("default")); base != nil {
				return *base
			}
			return ""
		}
	}
	for _, s := range servers {
		if url := x.name(s.member("url")); url != nil {
			return x.urlPath(*url, s.member("variables"))
		}
	}
	return ""
}

// origin is what stands before the path of a URL.
var origin = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*`)

// urlVariable is a variable of a server in its URL.
var urlVariable = regexp.MustCompile(`\{[^{}]*\}`)

// urlPath returns the path of a URL with its variables filled in.
func (x *importer) urlPath(url string, variables value) string {
	filled := 0
	url = urlVariable.ReplaceAllStringFunc(url, func(name string) string {
		s := x.string(variables.member(name[1 : len(name)-1]).member("default"))
		if s == nil || filled > maxText {
			return name
		}
		filled += len(*s)
		return *s
	})
	if filled > maxText {
		x.problem(variables, "the URL is too long with its variables filled in")
	}
	url = strings.TrimPrefix(url, origin.FindString(url))
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	return url
}

// cleanBasePath returns a base path with a slash before it and none behind: "" for
// none.
func cleanBasePath(base string) string {
	base = strings.Trim(base, "/")
	if base == "" {
		return ""
	}
	return "/" + base
}

// withoutFirstSegment returns what split leaves of a base path.
func withoutFirstSegment(base string) string {
	_, rest, found := strings.Cut(strings.TrimPrefix(base, "/"), "/")
	if !found {
		return ""
	}
	return "/" + rest
}
