package openapi

import (
	"regexp"
	"slices"
	"strings"

	"penstock/internal/model"
)

// Options say how a document is imported.
type Options struct {
	// BasePath says what becomes of the base path of the document's servers:
	// ignore, which "" is too, prepend or split.
	BasePath string

	// What ${AWS::Partition}, ${AWS::Region} and ${AWS::AccountId} stand for in
	// strings.
	Partition, Region, Account string
}

// variables returns what fills in variables.
func (o *Options) variables() *strings.Replacer {
	return strings.NewReplacer("${AWS::Partition}", o.Partition, "${AWS::Region}", o.Region, "${AWS::AccountId}", o.Account)
}

// A Description is what a document says about an API. Lists may be shared by
// several routes: they are to be read, not changed.
type Description struct {
	// API has a name, and a description, version, tags, CORS configuration and
	// whether the default endpoint is disabled as far as the document states them.
	API model.API

	// In the order of the document. An integration that several routes share stands
	// where the first of them is.
	Authorizers  []Authorizer
	Integrations []Integration
	Routes       []Route

	// What the document has that HTTP APIs do not. Each starts with a path, but for
	// the texts of the service, which start with "Parse issue".
	Warnings, Info []string
}

// An Authorizer is made of a security scheme, whose key is its name.
type Authorizer struct {
	model.Authorizer
	At string // components.securitySchemes.jwt
}

// An Integration is that of one operation, or one of the components.
type Integration struct {
	model.Integration
	At string // paths.'/pets'(get).x-amazon-apigateway-integration
}

// A Route is made of an operation. It has no target and no authorizer ID yet.
type Route struct {
	model.Route
	At          string // paths.'/pets'(get)
	Integration int    // into Description.Integrations, -1 for none
	Authorizer  string // its name, "" for none
}

// An importer makes a description of a document.
type importer struct {
	root         *node
	out          *Description
	problems     findings
	warnings     findings
	info         findings
	prefix       string                 // of the path of every route but $default
	schemes      map[string]string      // types of authorization, by the names of security schemes
	security     *requirement           // of operations that have none of their own
	integrations map[string]*integrated // that are named by a reference, by its pointer
	operations   int
	spent        int           // of maxSpent
	sizes        map[*node]int // of what references lead to
}

// Import reads a document, JSON or YAML, of at most six megabytes. The error is an
// *[Error]. With it comes what could be described all the same, so that the caller can
// tell what is wrong with that, too: nil if the document could not be read at all.
func Import(document string, o Options) (*Description, error) {
	x := &importer{out: new(Description), schemes: map[string]string{}, integrations: map[string]*integrated{}, sizes: map[*node]int{}}
	if !slices.Contains([]string{"", "ignore", "prepend", "split"}, o.BasePath) {
		x.problems.add("basepath: must be ignore, prepend or split")
	}
	root, err := parse(document, o.variables())
	if err != nil {
		x.problems.add("%v", err)
		return nil, &Error{Problems: x.problems.all()}
	}
	x.root = root
	x.document(value{node: root}, o.BasePath)
	x.out.Warnings, x.out.Info = x.warnings.all(), x.info.all()
	if problems := x.problems.all(); problems != nil {
		return x.out, &Error{problems, x.out.Warnings}
	}
	return x.out, nil
}

// Tags returns the tags that a document would give an API: what access control asks
// before there is one. It is nil if the document cannot be read.
func Tags(document string, o Options) map[string]string {
	root, err := parse(document, o.variables())
	if err != nil {
		return nil
	}
	x := new(importer)
	tags := x.tags(value{node: root}.member("tags"))
	if len(x.problems.texts) > 0 {
		return nil
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return tags
}

// restOnly are extensions that REST APIs have and HTTP APIs do not, wherever they
// stand.
var restOnly = []string{
	"x-amazon-apigateway-api-key-source",
	"x-amazon-apigateway-binary-media-types",
	"x-amazon-apigateway-documentation",
	"x-amazon-apigateway-gateway-responses",
	"x-amazon-apigateway-minimum-compression-size",
	"x-amazon-apigateway-policy",
	"x-amazon-apigateway-request-validator",
	"x-amazon-apigateway-request-validators",
	"x-amazon-apigateway-security-policy",
}

// document reads the root.
func (x *importer) document(root value, basePath string) {
	if !x.isObject(root) || !x.specification(root) {
		return
	}
	root.each(func(name string, m value) {
		if slices.Contains(restOnly, name) {
			x.ignored(m.at)
		}
	})
	x.unknown(root, "openapi", "info", "servers", "security", "tags", "paths", "components", "externalDocs", "jsonSchemaDialect", "webhooks")
	x.documentInfo(root.member("info"))
	x.out.API.Tags = x.tags(root.member("tags"))
	x.out.API.CorsConfiguration = x.cors(root.member("x-amazon-apigateway-cors"))
	x.endpoint(root.member(endpointExtension))
	x.servers(root.member("servers"), basePath)
	x.components(root.member("components"))
	x.rootSecurity(root.member("security"))
	x.paths(root.member("paths"))
}

// openAPI30 and openAPI31 are versions of the specification. A patch version may
// be absent.
var (
	openAPI30 = regexp.MustCompile(`^3\.0(\.\d+)?$`)
	openAPI31 = regexp.MustCompile(`^3\.1(\.\d+)?$`)
)

// specification checks that the document follows OpenAPI 3.0. It reports false if
// the rest means something else.
func (x *importer) specification(root value) bool {
	if v := root.member("swagger"); v.present() {
		x.problem(v, "Swagger documents are not supported, only OpenAPI 3.0")
		return false
	}
	v := root.member("openapi")
	version := x.string(v)
	switch {
	case version == nil:
		if !v.present() {
			x.problem(v, "is missing, only OpenAPI 3.0 is supported")
		}
		return false
	case openAPI31.MatchString(*version):
		x.warn(v.at, "OpenAPI 3.1 is treated as 3.0")
	case !openAPI30.MatchString(*version):
		x.problem(v, "only OpenAPI 3.0 is supported, not %q", shown(*version))
		return false
	}
	v = root.member("x-amazon-apigateway-importexport-version")
	if s := x.version(v); s != nil && *s != "1.0" {
		x.problem(v, "must be 1.0")
	}
	return true
}

// Lengths of members of an API, in characters.
const (
	maxTitle       = 128
	maxDescription = 1024
	maxVersion     = 64
)

func (x *importer) documentInfo(v value) {
	if !v.present() {
		x.problem(v, "is missing")
		return
	}
	if !x.isObject(v) {
		return
	}
	title := v.member("title")
	x.out.API.Name = x.limited(title, maxTitle)
	if !title.present() || x.out.API.Name != nil && *x.out.API.Name == "" {
		x.problem(title, "is missing")
	}
	x.out.API.Description = x.limited(v.member("description"), maxDescription)
	if x.out.API.Version = x.limited(v.member("version"), maxVersion); x.out.API.Version != nil && *x.out.API.Version == "" {
		x.out.API.Version = nil
	}
}

// tags returns the tags that an API gets: all of the document, those without the
// extension with an empty value. It is nil if the document has no tags.
func (x *importer) tags(v value) map[string]string {
	if !x.isList(v) {
		return nil
	}
	tags := make(map[string]string, len(v.items))
	for i, n := range v.items {
		tag := value{absentNull(n), v.at.item(i)}
		if !x.isObject(tag) {
			continue
		}
		name := x.string(tag.member("name"))
		if name == nil {
			x.warn(tag.at, "a tag without a name was ignored")
			continue
		}
		if _, ok := tags[*name]; ok {
			x.warn(tag.at, "the tag %q stands twice, the last one counts", shown(*name))
		}
		tags[*name] = ""
		if s := x.string(tag.member("x-amazon-apigateway-tag-value")); s != nil {
			tags[*name] = *s
		}
	}
	return tags
}

// components reads what operations refer to.
func (x *importer) components(v value) {
	if !x.isObject(v) {
		return
	}
	v.each(func(name string, m value) {
		switch name {
		case "securitySchemes":
			x.securitySchemes(m)
		case integrationsExtension:
			x.isObject(m)
		case "examples":
			x.ignored(m.at)
		case "callbacks", "headers", "links", "parameters", "requestBodies", "responses", "schemas":
			x.ignored(m.at)
			x.references(m, named)
		case "pathItems": // of OpenAPI 3.1, named by paths
		default:
			if !strings.HasPrefix(name, "x-") {
				x.inform(m.at, "unknown member, ignored")
			}
		}
	})
}
