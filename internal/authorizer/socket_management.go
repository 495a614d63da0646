package authorizer

import (
	"errors"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/integration"
	"penstock/internal/sigv4"
)

// ManagementSpec says who may use connections of WebSocket APIs from outside.
type ManagementSpec struct {
	// Callers are those who may sign.
	Callers *Callers
	// Require says that requests must be signed. Without it, those without a signature are
	// let through, and so are those with one if there are no callers to check it with.
	Require bool
	// AnySignature counts if there are no callers: a signature need only have the form of
	// one for execute-api, whoever has made it. It is for servers that only their own
	// machine reaches. Such a signature must be in the header: a page of somebody else, in
	// a browser here, can send requests with any query, but not with any header.
	AnySignature bool
}

// Management decides who may send to connections of WebSocket APIs, ask about them, and
// close them: who has signed the request, whatever the authorization of the route
// $connect, and may perform execute-api:ManageConnections. Its policy must allow that on
//
//	{API}/{stage}/{METHOD}/@connections/{connection ID}
//
// or on the same without the connection ID, and must deny it on neither. In the place of
// the connection ID, groups have @groups/{name}, or @groups/{name}/{connection ID} for what
// is about one member.
type Management struct {
	spec ManagementSpec
}

// NewManagement returns what decides by a spec.
func NewManagement(spec ManagementSpec) *Management {
	if spec.Callers == nil {
		spec.Callers = &Callers{}
	}
	return &Management{spec}
}

// Authorize decides about a request that is about a connection. Whoever is not let through
// gets 403. Whether there is such a connection does not count, and is not told.
//
// The body is part of what is signed, and is read if the signature is well-formed.
// Bounding it is up to whoever calls.
func (m *Management) Authorize(x *gateway.Exchange, api, stage, method, connectionID string) error {
	return m.authorize(x, api, stage, method, "/@connections", connectionID)
}

// AuthorizeGroup is Authorize for a group, or for one of its members if there is a
// connection ID.
func (m *Management) AuthorizeGroup(x *gateway.Exchange, api, stage, method, name, connectionID string) error {
	if connectionID == "" {
		return m.authorize(x, api, stage, method, "/@groups", name)
	}
	return m.authorize(x, api, stage, method, "/@groups", name, connectionID)
}

// manageAction is what a policy must allow.
const manageAction = "execute-api:ManageConnections"

func (m *Management) authorize(x *gateway.Exchange, api, stage, method, kind string, names ...string) error {
	if !m.spec.Require {
		if _, err := sigv4.Unverified(signedRequest(x)); isUnsigned(err) {
			return nil
		}
	}
	if len(m.spec.Callers.byKey) == 0 {
		return m.withoutCallers(x)
	}
	return m.spec.Callers.admit(x, manageAction, func() []string {
		short := integration.APIARN(x.Region(), x.Account(), api, "/", stage, "/", method, kind)
		long := short
		for _, name := range names {
			long += "/" + resourceName.Replace(name)
		}
		return []string{long, short}
	})
}

// resourceName writes a name so that it is one part of a resource: nobody takes a group
// with a slash in its name for a member of another.
var resourceName = strings.NewReplacer("%", "%25", "/", "%2F")

func isUnsigned(err error) bool {
	refused, ok := err.(*sigv4.Error)
	return ok && refused.Code() == sigv4.MissingAuthenticationToken
}

// withoutCallers decides where nobody can have made the right signature.
func (m *Management) withoutCallers(x *gateway.Exchange) error {
	signed, err := sigv4.Unverified(signedRequest(x))
	switch {
	case err != nil:
		return failedSignature(x, err)
	case !m.spec.Require:
		return nil
	case !m.spec.AnySignature:
		return rejectedNoCallers.rejectSocket(x)
	case signed.Service != "execute-api":
		return socketOtherService.reject(x)
	case signed.Presigned:
		return socketPresigned.reject(x)
	}
	return nil
}

// What is wrong with signatures that nobody has checked.
var (
	socketOtherService = uncheckedSignature("Credential should be scoped to correct service: 'execute-api'.")
	socketPresigned    = uncheckedSignature("Without credentials to check it, a signature must be in the Authorization header.")
)

func uncheckedSignature(text string) *rejection {
	return &rejection{sigv4.InvalidSignature, gateway.NewError(403, text, "INVALID_SIGNATURE", sigv4.InvalidSignature).With(errors.New(text))}
}
