package control

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"penstock/internal/audit"
	"penstock/internal/model"
	"penstock/internal/openapi"
	"penstock/internal/policy"
)

// ConditionKeys are what the conditions of a policy may ask about a call of the
// control plane, for [policy.Parse].
var ConditionKeys = []string{
	"aws:CurrentTime",
	"aws:EpochTime",
	"aws:PrincipalAccount",
	"aws:PrincipalArn",
	"aws:PrincipalType",
	"aws:RequestedRegion",
	"aws:RequestTag/",
	"aws:ResourceTag/",
	"aws:SecureTransport",
	"aws:SourceIp",
	"aws:TagKeys",
	"aws:UserAgent",
	"aws:userid",
	"aws:username",
}

// action returns what a policy must allow for a call.
func (c *call) action() string { return "apigateway:" + c.op.Method }

// resource returns what a call is about as policies name it: the path of the
// operation without its version, with labels as they are meant. Only in the ARN of a
// tagged resource are characters escaped.
func (c *call) resource() string {
	if c.about != "" {
		return c.about
	}
	var path strings.Builder
	for segment := range strings.SplitSeq(strings.TrimPrefix(c.op.Path, "/v2/"), "/") {
		path.WriteByte('/')
		name, label := strings.CutPrefix(segment, "{")
		switch name = strings.TrimSuffix(name, "}"); {
		case !label:
			path.WriteString(segment)
		case name == restLabel:
			path.WriteString(url.QueryEscape(c.canonicalARN(c.labels[name])))
		default:
			path.WriteString(c.labels[name])
		}
	}
	c.about = c.arn(path.String())
	return c.about
}

// authorize refuses a call that the policy of the caller does not allow. Nothing is
// said about whether what it is about exists. A caller without a policy may do
// everything.
func (c *call) authorize() error {
	p := c.principal.Policy
	if p == nil {
		return nil
	}
	a := access{call: c}
	decision := p.Evaluate(policy.Request{Action: c.action(), Resource: c.resource(), Values: a.values})
	if decision == policy.Allowed {
		return nil
	}
	denied := notAuthorized(c.principal.ARN, c.action(), c.resource())
	if decision == policy.Denied {
		denied.Message += msgExplicitDeny
	}
	return denied
}

// An access answers what the conditions of a policy ask about a call.
type access struct {
	*call
	given    map[string]string // tags; nil before they are asked for
	existing []map[string]string
	asked    bool // for existing
}

func (a *access) values(key string) []string {
	prefix, tag, _ := strings.Cut(key, "/")
	switch strings.ToLower(prefix) {
	case "aws:tagkeys":
		if a.op.Name == "UntagResource" {
			return a.query["tagKeys"]
		}
		return slices.Sorted(maps.Keys(a.requestTags()))
	case "aws:requesttag":
		return policy.TagValues(tag, a.requestTags())
	case "aws:resourcetag":
		return policy.TagValues(tag, a.resourceTags()...)
	}
	call := policy.Call{
		Now: a.Now(), Account: a.Account, Region: a.Region, PrincipalARN: a.principal.ARN, PrincipalName: a.principal.Name,
		SourceIP: audit.SourceIP(a.request.RemoteAddr), UserAgent: a.request.UserAgent(), Secure: a.request.TLS != nil,
	}
	return call.Values(key)
}

// requestTags returns the tags that a call gives. It reads the input as the operation
// will: what cannot be read changes nothing.
func (a *access) requestTags() map[string]string {
	if a.given != nil {
		return a.given
	}
	a.given = map[string]string{}
	if a.decode() != nil {
		return a.given
	}
	switch in := a.input.(type) {
	case *model.ImportAPIRequest:
		maps.Copy(a.given, a.documentTags(*in.Body))
	case *model.ReimportAPIRequest:
		maps.Copy(a.given, a.documentTags(*in.Body))
	default:
		if field := reflect.ValueOf(a.input).Elem().FieldByName("Tags"); field.IsValid() {
			tags, _ := field.Interface().(map[string]string)
			maps.Copy(a.given, tags)
		}
	}
	return a.given
}

// documentTags returns the tags that a document gives. Nobody waits for an answer any
// more if its turn to be read does not come.
func (a *access) documentTags(text string) map[string]string {
	if err := a.imports.Acquire(a.request.Context(), 1); err != nil {
		return nil
	}
	defer a.imports.Release(1)
	return openapi.Tags(text, a.importOptions(nil))
}

// resourceTags returns the tags of what a call is about: those of the resource on its
// path that can have some, and of the API above a stage. What does not exist has none.
func (a *access) resourceTags() []map[string]string {
	if a.asked {
		return a.existing
	}
	a.asked = true
	if a.labels[restLabel] != "" {
		if _, err := named(a.call); err != nil {
			return nil
		}
	}
	for prefix, kind := range taggable {
		id := a.labels[kind.label]
		if id == "" {
			continue
		}
		segments := []string{prefix, id}
		a.add(kind.find(segments))
		if stage := a.stage(); kind.label == apiRoot.label && stage != "" {
			a.add(kind.find(append(segments, "stages", stage)))
		}
	}
	return a.existing
}

// stage returns the name of the stage that a call is about, if it is about one.
func (a *access) stage() string {
	if _, stage, ok := strings.Cut(a.labels[restLabel], "/stages/"); ok {
		return stage
	}
	return a.labels["stageName"]
}

func (a *access) add(resource tagged) {
	if tags, err := resource.tags(a.call); err == nil {
		a.existing = append(a.existing, tags)
	}
}
