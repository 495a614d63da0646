package openapi

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"penstock/internal/model"
)

// ExportOptions say how an API is exported.
type ExportOptions struct {
	YAML       bool   // rather than JSON
	Extensions bool   // with what OpenAPI does not know: integrations, authorizers, the default route
	Stage      string // the stage whose path the server has, "" for none
	Endpoint   string // https://id.execute-api.us-east-1.amazonaws.com
}

// Export writes an HTTP API as a document, always in the same order. [Import] makes
// the same API of it, but that the descriptions of integrations are lost and that
// no two routes share an integration. A route that a document cannot say is an
// error: one whose authorizer is gone would be one that everybody may call.
func Export(api *model.API, r *model.Resources, o ExportOptions) ([]byte, error) {
	x := &exporter{api: api, resources: r, options: o}
	document, err := x.document()
	if err != nil {
		return nil, fmt.Errorf("export API: %w", err)
	}
	if o.YAML {
		return writeYAML(document)
	}
	return writeJSON(document)
}

// An exporter makes a document of an API.
type exporter struct {
	api       *model.API
	resources *model.Resources
	options   ExportOptions
	iam       string // the scheme of AWS_IAM, "" as long as no route has it
}

func (x *exporter) document() (*node, error) {
	d := newObject()
	d.put("openapi", stringNode("3.0.1"))
	d.put("info", x.info())
	d.put("servers", listNode(x.server()))
	if len(x.api.Tags) > 0 {
		d.put("tags", x.tags())
	}
	paths, err := x.paths()
	if err != nil {
		return nil, err
	}
	d.put("paths", paths)
	schemes, err := x.securitySchemes()
	if err != nil {
		return nil, err
	}
	if len(schemes.members) > 0 {
		d.put("components", newObject().put("securitySchemes", schemes))
	}
	if x.options.Extensions {
		if c := x.api.CorsConfiguration; c != nil {
			d.put("x-amazon-apigateway-cors", corsNode(c))
		}
		d.put("x-amazon-apigateway-importexport-version", stringNode("1.0"))
	}
	return d, nil
}

func val[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// info is what the API says of itself. One that has no version has the date of its
// making.
func (x *exporter) info() *node {
	n := newObject()
	n.put("title", stringNode(val(x.api.Name)))
	if d := val(x.api.Description); d != "" {
		n.put("description", stringNode(d))
	}
	version := val(x.api.Version)
	if version == "" && x.api.CreatedDate != nil {
		version = x.api.CreatedDate.UTC().Format(time.RFC3339)
	}
	return n.put("version", stringNode(version))
}

func (x *exporter) server() *node {
	base := ""
	if x.options.Stage != "" && x.options.Stage != "$default" {
		base = "/" + x.options.Stage
	}
	n := newObject()
	n.put("url", stringNode(x.options.Endpoint+"/{basePath}"))
	n.put("variables", newObject().put("basePath", newObject().put("default", stringNode(base))))
	if x.options.Extensions && val(x.api.DisableExecuteAPIEndpoint) {
		n.put(endpointExtension, newObject().put("disableExecuteApiEndpoint", boolNode(true)))
	}
	return n
}

func (x *exporter) tags() *node {
	n := listNode()
	for _, name := range slices.Sorted(maps.Keys(x.api.Tags)) {
		tag := newObject().put("name", stringNode(name))
		if x.options.Extensions {
			tag.put("x-amazon-apigateway-tag-value", stringNode(x.api.Tags[name]))
		}
		n.items = append(n.items, tag)
	}
	return n
}

// An operation is where in a document a route stands.
type operation struct {
	route        *model.Route
	path, method string
}

// operations returns the routes in the order of the document: by path, then by
// method. The path of the default route is taken: no other route can have it.
func (x *exporter) operations() ([]operation, error) {
	var all []operation
	for _, r := range x.resources.Routes {
		key := val(r.RouteKey)
		if key == defaultRoute {
			all = append(all, operation{r, "/" + defaultRoute, anyMethodExtension})
			continue
		}
		method, path, _ := strings.Cut(key, " ")
		o := operation{r, path, strings.ToLower(method)}
		if method == "ANY" {
			o.method = anyMethodExtension
		} else if !slices.Contains(methods, o.method) {
			return nil, fmt.Errorf("route %s: a document has no such method", key)
		}
		if path == "/"+defaultRoute {
			return nil, fmt.Errorf("route %s: in a document its path is that of the default route", key)
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), cmp.Compare(methodOrder(a.method), methodOrder(b.method)),
			strings.Compare(val(a.route.RouteID), val(b.route.RouteID)))
	})
	return all, nil
}

// methodOrder is where in a path an operation stands. That of any method is last.
func methodOrder(method string) int {
	if i := slices.Index(methods, method); i >= 0 {
		return i
	}
	return len(methods)
}

func (x *exporter) paths() (*node, error) {
	operations, err := x.operations()
	if err != nil {
		return nil, err
	}
	paths := newObject()
	for _, o := range operations {
		n, err := x.operation(o)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", val(o.route.RouteKey), err)
		}
		if o.method == anyMethodExtension && !x.options.Extensions {
			continue
		}
		item := paths.get(o.path)
		if item == nil {
			item = newObject()
			paths.put(o.path, item)
		}
		if !item.add(o.method, n) {
			return nil, fmt.Errorf("route %s: there are two", val(o.route.RouteKey))
		}
	}
	return paths, nil
}

func (x *exporter) operation(o operation) (*node, error) {
	n := newObject()
	n.putString("operationId", o.route.OperationName)
	if p := pathParameters(o.path); len(p.items) > 0 {
		n.put("parameters", p)
	}
	description := "Default response for " + val(o.route.RouteKey)
	n.put("responses", newObject().put("default", newObject().put("description", stringNode(description))))
	security, err := x.security(o.route)
	if err != nil {
		return nil, err
	}
	if security != nil {
		n.put("security", security)
	}
	integration, err := x.integration(o.route)
	if err != nil {
		return nil, err
	}
	if x.options.Extensions {
		if val(o.route.RouteKey) == defaultRoute {
			n.put("isDefaultRoute", boolNode(true))
		}
		if integration != nil {
			n.put(integrationExtension, integration)
		}
	}
	return n, nil
}

// pathParameters are the variables of a path.
func pathParameters(path string) *node {
	n := listNode()
	for segment := range strings.SplitSeq(path, "/") {
		name, found := strings.CutPrefix(segment, "{")
		if !found {
			continue
		}
		name = strings.TrimSuffix(strings.TrimSuffix(name, "}"), "+")
		p := newObject()
		p.put("name", stringNode(name))
		p.put("in", stringNode("path"))
		p.put("description", stringNode("Generated path parameter for "+name))
		p.put("required", boolNode(true))
		p.put("schema", newObject().put("type", stringNode("string")))
		n.items = append(n.items, p)
	}
	return n
}

func (x *exporter) integration(r *model.Route) (*node, error) {
	if r.Target == nil {
		return nil, nil
	}
	id, _ := strings.CutPrefix(*r.Target, "integrations/")
	i := x.resources.Integrations[id]
	if i == nil {
		return nil, fmt.Errorf("the integration %s is gone", id)
	}
	return integrationNode(i), nil
}

// defaultTimeout is the timeout of an integration that states none, in
// milliseconds.
const defaultTimeout = 30_000

func integrationNode(i *model.Integration) *node {
	n := newObject()
	n.putString("payloadFormatVersion", i.PayloadFormatVersion)
	n.put("type", stringNode(strings.ToLower(val(i.IntegrationType))))
	n.putString("httpMethod", i.IntegrationMethod)
	n.putString("uri", i.IntegrationURI)
	n.putString("connectionType", i.ConnectionType)
	n.putString("connectionId", i.ConnectionID)
	n.putString("credentials", i.CredentialsARN)
	if len(i.RequestParameters) > 0 {
		n.put("requestParameters", mapNode(i.RequestParameters, stringNode))
	}
	if len(i.ResponseParameters) > 0 {
		n.put("responseParameters", mapNode(i.ResponseParameters, func(m map[string]string) *node { return mapNode(m, stringNode) }))
	}
	n.putString("integrationSubtype", i.IntegrationSubtype)
	if i.TimeoutInMillis != nil && *i.TimeoutInMillis != defaultTimeout {
		n.putInt("timeoutInMillis", i.TimeoutInMillis)
	}
	if i.TLSConfig != nil && i.TLSConfig.ServerNameToVerify != nil {
		n.put("tlsConfig", newObject().put("serverNameToVerify", stringNode(*i.TLSConfig.ServerNameToVerify)))
	}
	return n
}

func corsNode(c *model.Cors) *node {
	n := newObject()
	n.putStrings("allowMethods", c.AllowMethods)
	n.putStrings("allowHeaders", c.AllowHeaders)
	n.putStrings("exposeHeaders", c.ExposeHeaders)
	n.putInt("maxAge", c.MaxAge)
	n.putBool("allowCredentials", c.AllowCredentials)
	n.putStrings("allowOrigins", c.AllowOrigins)
	return n
}
