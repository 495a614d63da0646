package authorizer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"penstock/internal/gateway"
	"penstock/internal/policy"
	"penstock/internal/sigv4"
)

// A CallerSpec is somebody who may sign requests to APIs with AWS_IAM authorization.
type CallerSpec struct {
	// AccessKeyID, SecretAccessKey and SessionToken are what the caller signs with. The
	// session token is empty for all but temporary credentials.
	AccessKeyID, SecretAccessKey, SessionToken string
	// Name is the name of the user, ARN and UserID those of the user or the session.
	Name, ARN, UserID string
	// AccountID is the account that the caller belongs to. Callers of other accounts
	// than that of the APIs are refused.
	AccountID string
	// Policy says what the caller may do; see ConditionKeys. A caller without one may
	// do everything.
	Policy *policy.Document
}

// ConditionKeys are what the conditions of a caller's policy may ask about a request,
// for [policy.Parse].
var ConditionKeys = append([]string{
	"aws:PrincipalAccount",
	"aws:PrincipalArn",
	"aws:PrincipalType",
	"aws:userid",
	"aws:username",
}, LambdaConditionKeys...)

// LambdaConditionKeys are what the conditions of a policy may ask that the function of
// a Lambda authorizer returns. Nobody has signed such a request.
var LambdaConditionKeys = []string{
	"aws:CurrentTime",
	"aws:EpochTime",
	"aws:Referer",
	"aws:RequestedRegion",
	"aws:SecureTransport",
	"aws:SourceIp",
	"aws:UserAgent",
}

// A caller is a CallerSpec, ready for use.
type caller struct {
	credential sigv4.Credential
	name, kind string
	policy     *policy.Document
	identity   gateway.Identity
}

// Callers are all who may sign requests. They never change.
type Callers struct {
	byKey    map[string]*caller
	verifier *sigv4.Verifier
}

// NewCallers returns callers that sign for the service execute-api and a region. The
// clock is now, or time.Now if that is nil; signatures may be 5 minutes off.
func NewCallers(region string, specs []CallerSpec, now func() time.Time) (*Callers, error) {
	if region == "" {
		return nil, errors.New("requests are signed for a region, and there is none")
	}
	c := &Callers{byKey: make(map[string]*caller, len(specs))}
	for i, s := range specs {
		switch {
		case s.AccessKeyID == "" || s.SecretAccessKey == "":
			return nil, fmt.Errorf("caller %d lacks an access key ID or a secret access key", i)
		case s.AccountID == "":
			return nil, fmt.Errorf("caller %s belongs to no account", s.AccessKeyID)
		case c.byKey[s.AccessKeyID] != nil:
			return nil, fmt.Errorf("caller %s is there twice", s.AccessKeyID)
		}
		c.byKey[s.AccessKeyID] = &caller{
			credential: sigv4.Credential{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey, SessionToken: s.SessionToken},
			name:       s.Name,
			kind:       principalType(s.ARN),
			policy:     s.Policy,
			identity: gateway.Identity{IAM: &gateway.IAMIdentity{
				AccessKeyID: s.AccessKeyID, AccountID: s.AccountID, CallerID: s.UserID, UserARN: s.ARN, UserID: s.UserID,
			}},
		}
	}
	c.verifier = sigv4.NewVerifier(sigv4.Options{Service: "execute-api", Region: region, Now: now, Lookup: c.find})
	return c, nil
}

func (c *Callers) find(accessKeyID string) (sigv4.Credential, bool) {
	if found := c.byKey[accessKeyID]; found != nil {
		return found.credential, true
	}
	return sigv4.Credential{}, false
}

// principalType returns the value of aws:PrincipalType that an ARN stands for.
func principalType(arn string) string {
	switch _, resource := arnResource(arn); {
	case strings.HasPrefix(resource, "assumed-role/"):
		return "AssumedRole"
	case strings.HasPrefix(resource, "federated-user/"):
		return "FederatedUser"
	case resource == "root":
		return "Account"
	default:
		return "User"
	}
}

// arnResource cuts an ARN before its last part.
func arnResource(arn string) (before, resource string) {
	i := 0
	for range 5 {
		k := strings.IndexByte(arn[i:], ':')
		if k < 0 {
			return arn, ""
		}
		i += k + 1
	}
	return arn[:i-1], arn[i:]
}

// conditionValues answers what the conditions of a policy ask about a request. Without
// a caller, nobody has signed it.
type conditionValues struct {
	x *gateway.Exchange
	c *caller
}

// of returns the values of a condition key, which is in lower case.
func (v conditionValues) of(key string) []string {
	r := &v.x.Request
	switch key {
	case "aws:currenttime":
		return []string{v.x.Start.UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(v.x.Start.Unix(), 10)}
	case "aws:referer":
		return fieldValue(r, "Referer")
	case "aws:requestedregion":
		return []string{v.x.Region()}
	case "aws:securetransport":
		return []string{strconv.FormatBool(r.TLS != nil)}
	case "aws:sourceip":
		if a := r.Peer.Addr(); a.IsValid() {
			return []string{a.Unmap().WithZone("").String()}
		}
		return nil
	case "aws:useragent":
		return fieldValue(r, "User-Agent")
	}
	if v.c == nil {
		return nil
	}
	identity := v.c.identity.IAM
	switch key {
	case "aws:principalaccount":
		return []string{identity.AccountID}
	case "aws:principalarn":
		return optional(identity.UserARN)
	case "aws:principaltype":
		return []string{v.c.kind}
	case "aws:userid":
		return optional(identity.UserID)
	case "aws:username":
		return optional(v.c.name)
	default:
		return nil
	}
}

func fieldValue(r *gateway.Request, name string) []string {
	if value, ok := r.Field(name); ok {
		return []string{value}
	}
	return nil
}

func optional(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}
