package function

import (
	"encoding/json"
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"penstock/internal/policy"
)

const (
	invokeAction = "lambda:InvokeFunction"
	// loweredInvoke is what it is compared as.
	loweredInvoke = "lambda:invokefunction"
	// gatewayPrincipal is who calls on behalf of APIs.
	gatewayPrincipal = "apigateway.amazonaws.com"
)

// The condition keys that a call on behalf of an API has values for.
const (
	sourceARNKey     = "AWS:SourceArn"
	sourceAccountKey = "AWS:SourceAccount"
)

// permissions are the policies of a function as they are evaluated.
type permissions struct {
	policies map[string]*compiledPolicy // by qualifier
}

// A compiledPolicy is the policy of one qualifier. It never changes, and remembers
// what it has decided.
type compiledPolicy struct {
	statements []permission

	// decided says for sources whether they are permitted. The map is replaced and
	// never changed; deciding guards replacing it.
	decided  atomic.Pointer[map[string]bool]
	deciding sync.Mutex
}

// Bounds of what a policy remembers: a route that takes any method may have a source
// for every method that a client makes up.
const (
	maxDecided       = 256  // sources
	maxDecidedSource = 2048 // bytes of one
)

// A permission is one statement that may permit calls on behalf of APIs.
type permission struct {
	// account is the account whose APIs may call; empty for all of them.
	account string
	// prefix is what the ARN of a source begins with that fulfils the conditions.
	prefix     string
	conditions *policy.Document
}

// compile prepares the policies of the document. It is called before others see it, and
// what they see does not change.
func (d *Document) compile() { d.permissions = compilePermissions(d) }

func compilePermissions(d *Document) *permissions {
	p := &permissions{policies: make(map[string]*compiledPolicy, len(d.Policies))}
	for qualifier, stored := range d.Policies {
		if stored == nil {
			continue
		}
		compiled := &compiledPolicy{}
		for _, s := range stored.Statements {
			if one, ok := compileStatement(s); ok {
				compiled.statements = append(compiled.statements, one)
			}
		}
		p.policies[qualifier] = compiled
	}
	return p
}

// compileStatement reports false if the statement permits API Gateway nothing, or if
// what it permits cannot be told.
func compileStatement(s Statement) (p permission, ok bool) {
	if s.Principal != gatewayPrincipal && s.Principal != "*" {
		if p.account, ok = rootAccount(s.Principal); !ok {
			return p, false
		}
	}
	form := struct {
		Version   string
		Statement struct {
			Effect, Action, Resource string
			Condition                *condition `json:",omitempty"`
		}
	}{Version: policyVersion}
	form.Statement.Effect, form.Statement.Action, form.Statement.Resource = "Allow", s.Action, "*"
	form.Statement.Condition = conditionOf(s)
	text, err := json.Marshal(form)
	if err != nil {
		return p, false
	}
	p.prefix = s.SourceARN
	if i := strings.IndexAny(p.prefix, "*?$"); i >= 0 {
		p.prefix = p.prefix[:i]
	}
	p.conditions, err = policy.Parse(string(text), []string{sourceARNKey, sourceAccountKey})
	return p, err == nil
}

// rootAccount returns the account that a principal stands for as a whole.
func rootAccount(principal string) (account string, ok bool) {
	if isAccount(principal) {
		return principal, true
	}
	m := principalARN.FindStringSubmatch(principal)
	if m == nil || m[2] != "root" {
		return "", false
	}
	return m[1], true
}

// permits reports whether the policy of a qualifier lets API Gateway call the function
// on behalf of one of the sources, which are ARNs of routes and authorizers. The
// policy of the function itself is that of $LATEST too, and of no other qualifier. A
// source that is no ARN of six parts is permitted nothing.
func (p *permissions) permits(qualifier, source string, aliases []string) bool {
	if p == nil {
		return false
	}
	if qualifier == latest {
		qualifier = ""
	}
	compiled := p.policies[qualifier]
	if compiled == nil {
		return false
	}
	if compiled.permits(source) {
		return true
	}
	for _, alias := range aliases {
		if compiled.permits(alias) {
			return true
		}
	}
	return false
}

func (p *compiledPolicy) permits(source string) bool {
	decided := p.decided.Load()
	if decided != nil {
		if permitted, ok := (*decided)[source]; ok {
			return permitted
		}
	}
	permitted := p.evaluate(source)
	if len(source) <= maxDecidedSource {
		p.remember(strings.Clone(source), permitted)
	}
	return permitted
}

// remember keeps a decision. When there are too many it begins anew.
func (p *compiledPolicy) remember(source string, permitted bool) {
	p.deciding.Lock()
	defer p.deciding.Unlock()
	next := map[string]bool{}
	if old := p.decided.Load(); old != nil && len(*old) < maxDecided {
		maps.Copy(next, *old)
	}
	next[source] = permitted
	p.decided.Store(&next)
}

func (p *compiledPolicy) evaluate(source string) bool {
	account, ok := sourceAccount(source)
	if !ok {
		return false
	}
	values := func(key string) []string {
		switch key {
		case "aws:sourcearn":
			return []string{source}
		case "aws:sourceaccount":
			return []string{account}
		default:
			return nil
		}
	}
	for i := range p.statements {
		s := &p.statements[i]
		if s.account != "" && s.account != account || !strings.HasPrefix(source, s.prefix) {
			continue
		}
		if s.conditions.Evaluate(policy.Request{Action: loweredInvoke, Resource: "*", Values: values}) == policy.Allowed {
			return true
		}
	}
	return false
}

// sourceAccount returns the account in the ARN of an API, the owner of the API. It
// reports false if there is none.
func sourceAccount(arn string) (account string, ok bool) {
	rest := arn
	for i := range 5 {
		if account, rest, ok = strings.Cut(rest, ":"); !ok || i == 0 && account != "arn" {
			return "", false
		}
	}
	return account, account != ""
}
