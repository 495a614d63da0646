package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Call has the values of the condition keys that every call of an API has.
type Call struct {
	Now             time.Time
	Account, Region string
	// PrincipalARN and PrincipalName are the caller's, a user.
	PrincipalARN, PrincipalName string
	SourceIP, UserAgent         string
	Secure                      bool // by TLS
}

// Values returns the values of a key, as Request.Values does; none of one that is about
// more than the call, such as aws:RequestTag.
func (c *Call) Values(key string) []string {
	one := func(v string) []string { return []string{v} }
	switch strings.ToLower(key) {
	case "aws:currenttime":
		return one(c.Now.UTC().Format(time.RFC3339))
	case "aws:epochtime":
		return one(strconv.FormatInt(c.Now.Unix(), 10))
	case "aws:principalaccount":
		return one(c.Account)
	case "aws:principalarn":
		return one(c.PrincipalARN)
	case "aws:principaltype":
		return one("User")
	case "aws:requestedregion":
		return one(c.Region)
	case "aws:securetransport":
		return one(strconv.FormatBool(c.Secure))
	case "aws:sourceip":
		return one(c.SourceIP)
	case "aws:useragent":
		return one(c.UserAgent)
	case "aws:userid", "aws:username":
		return one(c.PrincipalName)
	default:
		return nil
	}
}

// TagValues returns the values of a tag, whose keys policies know regardless of case.
// Several leave a condition on one open, which neither allows nor passes by a deny.
func TagValues(key string, all ...map[string]string) []string {
	var values []string
	for _, tags := range all {
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			if strings.EqualFold(k, key) && !slices.Contains(values, tags[k]) {
				values = append(values, tags[k])
			}
		}
	}
	return values
}
