package function

import (
	"maps"
	"slices"
	"strings"

	"penstock/internal/audit"
	"penstock/internal/policy"
)

// An access answers what the conditions of a policy ask about a call. Keys that it does
// not know have no value, which leaves a statement open.
type access struct {
	*call
	given map[string]string // tags
}

func (a *access) values(key string) []string {
	prefix, tag, _ := strings.Cut(key, "/")
	switch strings.ToLower(prefix) {
	case "aws:tagkeys":
		if a.op.name == "UntagResource" {
			return a.query["tagKeys"]
		}
		return slices.Sorted(maps.Keys(a.requestTags()))
	case "aws:requesttag":
		return policy.TagValues(tag, a.requestTags())
	case "aws:resourcetag":
		if f := (*a.live.Load())[a.name]; f != nil {
			return policy.TagValues(tag, f.document.Tags)
		}
		return nil
	}
	call := policy.Call{
		Now: a.Now(), Account: a.Account, Region: a.Region, PrincipalARN: a.principal.ARN, PrincipalName: a.principal.Name,
		SourceIP: audit.SourceIP(a.r.RemoteAddr), UserAgent: a.r.UserAgent(), Secure: a.r.TLS != nil,
	}
	return call.Values(key)
}

// requestTags returns the tags that a call gives.
func (a *access) requestTags() map[string]string {
	if a.given == nil && a.op.name == "TagResource" {
		var in struct{ Tags map[string]string }
		_ = a.decode(&in) // what cannot be read changes nothing
		a.given = in.Tags
	}
	return a.given
}
