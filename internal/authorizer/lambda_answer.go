package authorizer

import (
	"errors"
	"fmt"

	"penstock/internal/gateway"
	"penstock/internal/jsontree"
	"penstock/internal/policy"
)

// maxLambdaAnswer is how long an answer may be, in bytes. The service names no limit;
// a policy alone may be as long.
const maxLambdaAnswer = 64 << 10

// lambdaLimits are those of the JSON text of an answer.
var lambdaLimits = jsontree.Limits{What: "the answer", Length: maxLambdaAnswer, Depth: 32, Values: 8192}

// A lambdaAnswer is what a function said about a caller. It never changes.
type lambdaAnswer struct {
	policy     *policy.Document // nil for simple responses
	authorized bool             // a simple response
	identity   gateway.Identity
	size       int // about, in memory

	// For WebSocket APIs only: the API key that the function names, and the id of the
	// call of the function, which is known even if the function has failed.
	usageKey, requestID string
}

// A lambdaFormError says why an answer is none.
type lambdaFormError struct{ reason string }

func (e *lambdaFormError) Error() string {
	return "the answer of the function is malformed: " + e.reason
}

func malformed(format string, args ...any) error {
	return &lambdaFormError{fmt.Sprintf(format, args...)}
}

// parseLambdaAnswer reads one of
//
//	{ "isAuthorized": boolean, "context": object }
//	{ "principalId": string, "policyDocument": policy, "context": object }
//
// the first one if simple responses are enabled, the second one otherwise. The context
// is optional, other members mean nothing. What belongs to the other form is refused:
// an answer that says two things has no meaning that both sides would agree on.
func parseLambdaAnswer(text []byte, simple bool) (*lambdaAnswer, error) {
	root, err := readLambdaAnswer(text)
	if err != nil {
		return nil, err
	}
	return newLambdaAnswer(root, simple, nil, len(text))
}

// readLambdaAnswer reads the JSON of an answer.
func readLambdaAnswer(text []byte) (*jsontree.Node, error) {
	root, err := jsontree.Read(string(text), lambdaLimits)
	switch {
	case err != nil:
		return nil, malformed("%v", err)
	case root.Kind != jsontree.Object:
		return nil, malformed("it is not an object")
	}
	return root, nil
}

// newLambdaAnswer returns what an answer says whose text has a length. A policy without
// statements is allowsNothing, and malformed if that is nil.
func newLambdaAnswer(root *jsontree.Node, simple bool, allowsNothing *policy.Document, length int) (*lambdaAnswer, error) {
	var err error
	identity := &gateway.LambdaIdentity{}
	a := &lambdaAnswer{identity: gateway.Identity{Lambda: identity}}
	verdict, principal, document := root.Member("isAuthorized"), root.Member("principalId"), root.Member("policyDocument")
	if simple {
		switch {
		case document != nil:
			return nil, malformed("it has a policyDocument, and simple responses are enabled")
		case verdict == nil || verdict.Kind != jsontree.Boolean:
			return nil, malformed("isAuthorized must be true or false")
		}
		a.authorized = verdict.Text == "true"
	} else {
		switch {
		case verdict != nil:
			return nil, malformed("it has isAuthorized, and simple responses are not enabled")
		case principal == nil || principal.Kind != jsontree.String:
			return nil, malformed("principalId must be a string")
		case document == nil || document.Kind != jsontree.Object:
			return nil, malformed("policyDocument must be an object")
		}
		identity.PrincipalID = principal.Text
		if allowsNothing != nil && isEmpty(document.Member("Statement")) {
			a.policy = allowsNothing
		} else if a.policy, err = policy.Parse(string(appendJSON(nil, document)), LambdaConditionKeys); err != nil {
			var place *policy.Error
			if errors.As(err, &place) {
				err = place
			}
			return nil, malformed("policyDocument: %v", err)
		}
	}
	if identity.Context, err = contextMembers(root.Member("context")); err != nil {
		return nil, err
	}
	// A tree of patterns takes several times the memory of its text.
	a.size = 512 + 8*length
	return a, nil
}

// isEmpty reports whether a member is a list without elements.
func isEmpty(m *jsontree.Node) bool { return m != nil && m.Kind == jsontree.List && len(m.Items) == 0 }

// contextMembers reads the context of an answer. The member claims is reserved and
// ignored.
func contextMembers(n *jsontree.Node) ([]gateway.ContextMember, error) {
	if n == nil || n.Kind == jsontree.Null {
		return nil, nil
	}
	if n.Kind != jsontree.Object {
		return nil, malformed("context must be an object")
	}
	members := make([]gateway.ContextMember, 0, len(n.Items))
	for _, m := range n.Items {
		if m.Name == "claims" {
			continue
		}
		member := gateway.ContextMember{Name: m.Name, JSON: string(appendJSON(nil, m))}
		if m.Kind == jsontree.String || m.Kind == jsontree.Number || m.Kind == jsontree.Boolean {
			member.Text, member.Scalar = m.Text, true
		}
		members = append(members, member)
	}
	return members, nil
}
