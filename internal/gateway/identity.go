package gateway

// An Authorizer decides whether an exchange may go on. Each route has its own,
// compiled with the route; the caches behind them outlive snapshots.
//
// Authorize returns nil to let the exchange through, having set x.Identity to what
// it found out about the caller. Otherwise it returns Unauthorized, Forbidden or
// InternalError, having set x.AuthorizerError to what access logs may say. What it
// cannot decide it denies.
type Authorizer interface {
	Authorize(x *Exchange) error
}

// An Identity is what an authorizer found out about a caller: one of its members is
// set. It never changes once an exchange refers to it, since caches share it.
type Identity struct {
	JWT    *JWTIdentity
	Lambda *LambdaIdentity
	IAM    *IAMIdentity
}

// A JWTIdentity is the content of a verified token.
type JWTIdentity struct {
	// Claims are names and values, as events show them, sorted by name.
	Claims []Field
	// Scopes are those of the token, in its order. Scoped says that the route asked
	// for scopes: otherwise events show none.
	Scopes []string
	Scoped bool
}

// A LambdaIdentity is what a Lambda authorizer said about a caller.
type LambdaIdentity struct {
	// PrincipalID is empty for simple responses.
	PrincipalID string
	// Context holds the members of the context, in the order of the answer. It is nil
	// if the answer had no context.
	Context []ContextMember
}

// A ContextMember is one member of the context that a Lambda authorizer returned.
type ContextMember struct {
	Name string
	// JSON is the value as it was returned, compact.
	JSON string
	// Text is what access logs and mappings show, if Scalar: a string without quotes, a
	// number or true or false. Maps, lists and null have no text.
	Text   string
	Scalar bool
}

// An IAMIdentity is who signed a request.
type IAMIdentity struct {
	AccessKeyID, AccountID, CallerID, UserARN, UserID string
}

// Claim returns the text of a claim of the caller's token.
func (i *Identity) Claim(name string) (string, bool) {
	if i == nil || i.JWT == nil {
		return "", false
	}
	claims := i.JWT.Claims
	low, high := 0, len(claims)
	for low < high {
		if mid := (low + high) / 2; claims[mid].Name < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(claims) || claims[low].Name != name {
		return "", false
	}
	return claims[low].Value, true
}

// Member returns the text of a member of the context that a Lambda authorizer
// returned; false if there is none, or if it is a map, a list or null.
func (i *Identity) Member(name string) (string, bool) {
	if i == nil || i.Lambda == nil {
		return "", false
	}
	for k := range i.Lambda.Context {
		if m := &i.Lambda.Context[k]; m.Name == name {
			return m.Text, m.Scalar
		}
	}
	return "", false
}
