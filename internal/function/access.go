package function

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"penstock/internal/audit"
)

// An access answers what the conditions of a policy ask about a call. Keys that it does
// not know have no value, which leaves a statement open.
type access struct {
	*call
	given map[string]string // tags
}

func (a *access) values(key string) []string {
	one := func(v string) []string { return []string{v} }
	prefix, tag, _ := strings.Cut(key, "/")
	switch strings.ToLower(prefix) {
	case "aws:currenttime":
		return one(a.Now().UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(a.Now().Unix(), 10))
	case "aws:principalaccount":
		return one(a.Account)
	case "aws:principalarn":
		return one(a.principal.ARN)
	case "aws:principaltype":
		return one("User")
	case "aws:requestedregion":
		return one(a.Region)
	case "aws:securetransport":
		return one(strconv.FormatBool(a.r.TLS != nil))
	case "aws:sourceip":
		return one(audit.SourceIP(a.r.RemoteAddr))
	case "aws:useragent":
		return one(a.r.UserAgent())
	case "aws:userid", "aws:username":
		return one(a.principal.Name)
	case "aws:tagkeys":
		if a.op.name == "UntagResource" {
			return a.query["tagKeys"]
		}
		return slices.Sorted(maps.Keys(a.requestTags()))
	case "aws:requesttag":
		return tagValues(tag, a.requestTags())
	case "aws:resourcetag":
		if f := (*a.live.Load())[a.name]; f != nil {
			return tagValues(tag, f.document.Tags)
		}
		return nil
	default:
		return nil
	}
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

// tagValues returns the values of a tag, whose keys policies know regardless of case.
// Several leave a condition on one open.
func tagValues(key string, tags map[string]string) (values []string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if strings.EqualFold(k, key) && !slices.Contains(values, tags[k]) {
			values = append(values, tags[k])
		}
	}
	return values
}
