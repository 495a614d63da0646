package openapi

import (
	"strings"

	"penstock/internal/model"
)

// maxSchemes bounds the security schemes. No quota of authorizers comes near it.
const maxSchemes = 1000

// securitySchemes reads the security schemes and the authorizers they are. One that
// no operation names is an authorizer all the same.
func (x *importer) securitySchemes(v value) {
	if !x.isObject(v) {
		return
	}
	if len(v.members) > maxSchemes {
		x.problem(v, "must not have more than %d security schemes", maxSchemes)
		return
	}
	v.each(func(name string, m value) {
		if name == "" {
			x.problem(v, "a security scheme must have a name")
			return
		}
		x.schemes[name] = x.securityScheme(name, m)
	})
}

// securityScheme returns the type of authorization of an operation that names a
// scheme: NONE if it has no extension, "" if its authorizer cannot be created.
func (x *importer) securityScheme(name string, v value) (typ string) {
	at := v.at
	v, ok := x.resolved(v)
	if !ok || !x.isObject(v) {
		return ""
	}
	authtype := x.name(v.member("x-amazon-apigateway-authtype"))
	iam := authtype != nil && strings.EqualFold(*authtype, "awsSigv4")
	extension := v.member(authorizerExtension)
	if extension.present() {
		if iam {
			x.warn(at, "the authorizer counts, x-amazon-apigateway-authtype is ignored")
		}
		a := x.authorizer(name, v, extension)
		if a == nil {
			return ""
		}
		x.out.Authorizers = append(x.out.Authorizers, Authorizer{*a, at.String()})
		if *a.AuthorizerType == model.AuthorizerTypeJWT {
			return model.AuthorizationTypeJWT
		}
		return model.AuthorizationTypeCustom
	}
	if iam {
		return model.AuthorizationTypeAWSIAM
	}
	return model.AuthorizationTypeNone
}

// A requirement is what the security of an operation asks for.
type requirement struct {
	typ    string // of the authorization
	scheme string // its name, "" if the document names none
	scopes []string
	closed bool // no route can do what is asked for
}

// open is the requirement of an operation that everybody may call.
var open = requirement{typ: model.AuthorizationTypeNone}

// rootSecurity reads the security of operations that have none of their own.
func (x *importer) rootSecurity(v value) {
	if v.present() {
		x.security = new(x.requirement(v))
	}
}

// authorization returns what an operation asks for, and warns where a route cannot
// do it.
func (x *importer) authorization(operation value) requirement {
	r := open
	if v := operation.member("security"); v.present() {
		r = x.requirement(v)
	} else if x.security != nil {
		r = *x.security
	}
	if v := operation.member("x-amazon-apigateway-auth"); v.present() {
		if r = x.auth(v); r.closed {
			x.warn(v.at, "type must be AWS_IAM or NONE: the route was not created")
		}
		return r
	}
	at := operation.at.member("security")
	switch {
	case r.closed && r.scheme == "": // what is wrong is told already
	case r.closed:
		x.warn(at, "the authorizer %s cannot be created: the route was not created", shown(r.scheme))
	case r.scheme != "" && r.typ == model.AuthorizationTypeNone:
		x.warn(at, "the security scheme %s has no authorizer and was ignored: everybody may call the route", shown(r.scheme))
	case r.scopes != nil && r.typ != model.AuthorizationTypeJWT:
		x.warn(at, "the security scheme %s is not a JWT authorizer: its scopes were ignored", shown(r.scheme))
		r.scopes = nil
	}
	return r
}

// auth reads the extension of an operation that counts more than its security.
func (x *importer) auth(v value) requirement {
	if v.kind == object {
		if typ := x.name(v.member("type")); typ != nil {
			switch strings.ToUpper(*typ) {
			case model.AuthorizationTypeAWSIAM:
				return requirement{typ: model.AuthorizationTypeAWSIAM}
			case model.AuthorizationTypeNone:
				return open
			}
		}
	}
	return requirement{closed: true}
}

// requirement reads a list of security requirements. There may be one that names
// one scheme. NONE, if there is no scheme of this name, is how the security of the
// root is opted out of.
func (x *importer) requirement(v value) requirement {
	bad := requirement{closed: true}
	if !x.isList(v) {
		return bad
	}
	switch {
	case len(v.items) == 0:
		return open
	case len(v.items) > 1:
		x.problem(v, "must not have more than one security requirement")
		return bad
	}
	one := value{v.items[0], v.at.item(0)}
	if !x.isObject(one) {
		return bad
	}
	switch {
	case len(one.members) == 0:
		return open
	case len(one.members) > 1:
		x.problem(one, "must not name more than one security scheme")
		return bad
	}
	m := one.members[0]
	typ, ok := x.schemes[m.name]
	if !ok {
		if m.name == "NONE" {
			return open
		}
		x.problem(one, "the security scheme %q is not in components.securitySchemes", shown(m.name))
		return bad
	}
	r := requirement{typ: typ, scheme: m.name, closed: typ == ""}
	if scopes := x.strings(one.member(m.name)); len(scopes) > 0 {
		r.scopes = scopes
	}
	return r
}
