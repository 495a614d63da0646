package openapi

import (
	"slices"
	"strings"
	"unicode/utf8"

	"penstock/internal/model"
)

const (
	defaultRoute       = "$default"
	anyMethodExtension = "x-amazon-apigateway-any-method"

	// maxOperations bounds the routes of a document. No quota comes near it.
	maxOperations = 10_000

	maxOperationName = 64 // characters
)

// methods are the operations of a path that are routes, in the order in which they
// are exported.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch"}

func (x *importer) paths(v value) {
	if !v.present() {
		x.warnings.add("Parse issue: attribute paths is missing")
		return
	}
	if !x.isObject(v) {
		return
	}
	v.each(func(name string, item value) {
		if strings.HasPrefix(name, "x-") {
			return
		}
		item.at = &path{v.at, name, quotedStep}
		if !strings.HasPrefix(name, "/") {
			x.warnings.add("Parse issue: attribute paths. Resource %s should start with /", shown(name))
			if name != defaultRoute {
				return
			}
			name = "/" + name
		}
		x.pathItem(x.referencedPathItem(item), name)
	})
	if x.operations > maxOperations {
		x.problem(v, "must not have more than %d operations", maxOperations)
	}
}

// referencedPathItem returns a path item with the members of the one it refers to.
// Those it has itself count.
func (x *importer) referencedPathItem(item value) value {
	if !item.isReference() {
		return item
	}
	target, ok := x.dereference(item)
	if !ok || !x.isObject(target) || !x.expand(target.node) {
		return item
	}
	merged := &node{kind: object, line: item.line}
	for _, from := range []*node{item.node, target.node} {
		for _, m := range from.members {
			if m.name != "$ref" {
				merged.add(m.name, m.value)
			}
		}
	}
	return value{merged, item.at}
}

// pathItem reads the operations of a path.
func (x *importer) pathItem(item value, name string) {
	if !x.isObject(item) {
		return
	}
	item.each(func(member string, m value) {
		if x.operations > maxOperations {
			return
		}
		switch {
		case slices.Contains(methods, member):
			m.at = &path{item.at, member, operationStep}
			if name == "/"+defaultRoute {
				x.warn(m.at, "the default route takes every method: only %s is supported, ignored", anyMethodExtension)
				return
			}
			x.operation(m, strings.ToUpper(member)+" "+x.prefixed(name))
		case member == anyMethodExtension:
			m.at = &path{item.at, member, operationStep}
			x.anyMethod(m, name)
		case member == "trace":
			x.warn(&path{item.at, member, operationStep}, "the method is not supported, ignored")
		case slices.Contains([]string{"description", "parameters", "servers", "summary"}, member), slices.Contains(restOnly, member):
			x.ignored(m.at)
			x.references(m, plain)
		case member != "$ref" && !strings.HasPrefix(member, "x-"):
			x.warn(m.at, "unknown member, ignored")
		}
	})
}

// prefixed returns a path with the base path before it. A path is not "/" at its
// end.
func (x *importer) prefixed(name string) string {
	if name == "/" && x.prefix != "" {
		return x.prefix
	}
	return x.prefix + name
}

// anyMethod reads the operation that takes every method.
func (x *importer) anyMethod(m value, name string) {
	key := defaultRoute
	isDefault := m.kind == object && isTrue(x.boolean(m.member("isDefaultRoute")))
	if name != "/"+defaultRoute && !isDefault {
		key = "ANY " + x.prefixed(name)
	}
	x.operation(m, key)
}

func isTrue(b *bool) bool { return b != nil && *b }

// operationMembers are the members of an operation that are not x-something. Those
// that are false say how requests or responses look, which HTTP APIs do not check.
var operationMembers = map[string]bool{
	"operationId": true, "responses": true, "parameters": true, "security": true,
	"tags": true, "summary": true, "description": true, "isDefaultRoute": true,
	"callbacks": false, "deprecated": false, "externalDocs": false, "requestBody": false, "servers": false,
}

// operation reads an operation, which is a route with this key.
func (x *importer) operation(v value, key string) {
	if x.operations++; !x.isObject(v) {
		return
	}
	v.each(func(name string, m value) {
		silent, known := operationMembers[name]
		switch {
		case slices.Contains(restOnly, name), known && !silent:
			x.ignored(m.at)
		case !known && !strings.HasPrefix(name, "x-"):
			x.warn(m.at, "unknown member, ignored")
		}
	})
	x.responses(v.member("responses"))
	x.parameters(v.member("parameters"))
	x.references(v.member("requestBody"), plain)

	r := Route{At: v.at.String()}
	r.RouteKey = &key
	r.OperationName = x.operationName(v.member("operationId"))
	security := x.authorization(v)
	integration := x.integration(v.member(integrationExtension), key)
	if security.closed {
		return
	}
	r.Integration = x.use(integration)
	r.AuthorizationType = &security.typ
	r.AuthorizationScopes = security.scopes
	if security.typ == model.AuthorizationTypeJWT || security.typ == model.AuthorizationTypeCustom {
		r.Authorizer = security.scheme
	}
	x.out.Routes = append(x.out.Routes, r)
}

func (x *importer) operationName(v value) *string {
	s := x.name(v)
	if s != nil && utf8.RuneCountInString(*s) > maxOperationName {
		x.inform(v.at, "longer than %d characters, ignored", maxOperationName)
		return nil
	}
	return s
}

// responses informs about responses that say more than that there is one.
func (x *importer) responses(v value) {
	if !v.present() {
		return
	}
	detailed := v.kind != object
	v.each(func(_ string, response value) {
		detailed = detailed || response.kind != object
		response.each(func(name string, _ value) {
			detailed = detailed || name != "description"
		})
	})
	if detailed {
		x.ignored(v.at)
		x.references(v, named)
	}
}

// parameters informs about parameters that say more than the path does.
func (x *importer) parameters(v value) {
	if !v.present() {
		return
	}
	detailed := v.kind != list
	for _, n := range v.items {
		in, schema := n.get("in"), n.get("schema")
		inPath := in != nil && in.text == "path"
		anyString := schema == nil || len(schema.members) == 1 && schema.get("type") != nil && schema.get("type").text == "string"
		detailed = detailed || !inPath || !anyString
	}
	if detailed {
		x.ignored(v.at)
		x.references(v, plain)
	}
}
