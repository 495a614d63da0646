package function

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	policyVersion = "2012-10-17"
	// maxPolicy is how many bytes the text of a policy may have. Source: Lambda quotas.
	maxPolicy = 20 << 10
)

// errPolicyRevision and errNoPolicy are those of callers of the API, as the service
// words them.
var (
	errPolicyRevision = &Error{
		Status:  http.StatusPreconditionFailed,
		Code:    "PreconditionFailedException",
		Message: "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id",
	}
	errNoPolicy        = missing("The resource you requested does not exist.")
	errNoneToRemove    = missing("No policy is associated with the given resource.")
	errNoStatement     = missing("Statement non-existent is not found in resource policy.")
	errLatestPolicy    = invalid("We currently do not support adding policies for $LATEST.")
	errPolicyPrincipal = invalid("The provided principal was invalid. Please check the principal and try again.")
)

// policyText is a policy as the API shows it, text inside of JSON.
type policyText struct {
	Version   string
	ID        string `json:"Id"`
	Statement []statementText
}

type statementText struct {
	Sid       string
	Effect    string
	Principal any // "*", or an object of the kind and the principal
	Action    string
	Resource  string
	Condition *condition `json:",omitempty"`
}

// A condition holds operators, and for each the values of condition keys.
type condition struct {
	StringEquals map[string]string `json:",omitempty"`
	ARNLike      map[string]string `json:"ArnLike,omitempty"`
	Bool         map[string]string `json:",omitempty"`
}

// conditionOf returns the conditions of a statement, nil if it has none.
func conditionOf(s Statement) *condition {
	c := &condition{StringEquals: map[string]string{}}
	for key, value := range map[string]string{
		sourceAccountKey:             s.SourceAccount,
		"aws:PrincipalOrgID":         s.OrgID,
		"lambda:EventSourceToken":    s.EventSourceToken,
		"lambda:FunctionUrlAuthType": s.FunctionURLAuth,
	} {
		if value != "" {
			c.StringEquals[key] = value
		}
	}
	if s.SourceARN != "" {
		c.ARNLike = map[string]string{sourceARNKey: s.SourceARN}
	}
	if s.InvokedViaFunctionURL {
		c.Bool = map[string]string{"lambda:InvokedViaFunctionUrl": "true"}
	}
	if len(c.StringEquals) == 0 && c.ARNLike == nil && c.Bool == nil {
		return nil
	}
	return c
}

// text returns a statement as the API shows it. The resource is the ARN of the function
// with the qualifier whose policy it is in.
func (s Statement) text(resource string) statementText {
	t := statementText{Sid: s.Sid, Effect: "Allow", Action: s.Action, Resource: resource, Condition: conditionOf(s)}
	switch {
	case s.Principal == "*":
		t.Principal = "*"
	case isAccount(s.Principal):
		t.Principal = map[string]string{"AWS": "arn:aws:iam::" + s.Principal + ":root"}
	case strings.HasPrefix(s.Principal, "arn:"):
		t.Principal = map[string]string{"AWS": s.Principal}
	default:
		t.Principal = map[string]string{"Service": s.Principal}
	}
	return t
}

// text returns the policy as the API shows it.
func (p *Policy) text(resource string) ([]byte, error) {
	t := policyText{Version: policyVersion, ID: "default", Statement: make([]statementText, len(p.Statements))}
	for i, s := range p.Statements {
		t.Statement[i] = s.text(resource)
	}
	return encode(t)
}

// Patterns of the members of AddPermission. Source: Lambda API reference.
var (
	statementIDPattern   = regexp.MustCompile(`^([a-zA-Z0-9-_]+)$`)
	actionPattern        = regexp.MustCompile(`^(lambda:[*]|lambda:[a-zA-Z]+|[*])$`)
	principalPattern     = regexp.MustCompile(`^[^\s]+$`)
	sourceARNPattern     = regexp.MustCompile(`^arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)$`)
	sourceAccountPattern = regexp.MustCompile(`^\d{12}$`)
	eventTokenPattern    = regexp.MustCompile(`^[a-zA-Z0-9._\-]+$`)
	orgIDPattern         = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
)

// servicePrincipal is the form of the principals of services, principalARN that of the
// users, roles and sessions of an account, and of all of them: root.
var (
	servicePrincipal = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com)$`)
	principalARN     = regexp.MustCompile(`^arn:aws[a-z-]*:(?:iam|sts)::(\d{12}):(root|(?:user|role|assumed-role|federated-user)/[\w+=,.@/-]+)$`)
)

func isAccount(s string) bool { return sourceAccountPattern.MatchString(s) }

// A permissionRequest is the input of AddPermission.
type permissionRequest struct {
	StatementID           *string `json:"StatementId"`
	Action                *string
	Principal             *string
	SourceARN             *string `json:"SourceArn"`
	SourceAccount         *string
	EventSourceToken      *string
	OrgID                 *string `json:"PrincipalOrgID"`
	FunctionURLAuth       *string `json:"FunctionUrlAuthType"`
	InvokedViaFunctionURL *bool   `json:"InvokedViaFunctionUrl"`
	RevisionID            *string `json:"RevisionId"`
}

// statement checks the request and returns what it adds.
func (r *permissionRequest) statement() (Statement, error) {
	var v violations
	texts := []struct {
		value       *string
		member      string
		required    bool
		least, most int
		pattern     *regexp.Regexp
	}{
		{r.StatementID, "statementId", true, 1, 100, statementIDPattern},
		{r.Action, "action", true, 0, 256, actionPattern},
		{r.Principal, "principal", true, 0, 512, principalPattern},
		{r.SourceARN, "sourceArn", false, 0, 1024, sourceARNPattern},
		{r.SourceAccount, "sourceAccount", false, 0, 12, sourceAccountPattern},
		{r.EventSourceToken, "eventSourceToken", false, 0, 256, eventTokenPattern},
		{r.OrgID, "principalOrgID", false, 12, 34, orgIDPattern},
	}
	for _, t := range texts {
		if t.required && !v.required(t.value, t.member) || t.value == nil {
			continue
		}
		v.length(t.value, t.member, t.least, t.most)
		if !t.pattern.MatchString(*t.value) {
			v.add(*t.value, t.member, "Member must satisfy regular expression pattern: %s", strings.Trim(t.pattern.String(), "^$"))
		}
	}
	v.oneOf(r.FunctionURLAuth, "functionUrlAuthType", "NONE", "AWS_IAM")
	if err := v.err(); err != nil {
		return Statement{}, err
	}
	if p := *r.Principal; p != "*" && !isAccount(p) && !servicePrincipal.MatchString(p) && !principalARN.MatchString(p) {
		return Statement{}, errPolicyPrincipal
	}
	return Statement{
		Sid:                   *r.StatementID,
		Action:                *r.Action,
		Principal:             *r.Principal,
		SourceARN:             valueOf(r.SourceARN),
		SourceAccount:         valueOf(r.SourceAccount),
		OrgID:                 valueOf(r.OrgID),
		EventSourceToken:      valueOf(r.EventSourceToken),
		FunctionURLAuth:       valueOf(r.FunctionURLAuth),
		InvokedViaFunctionURL: r.InvokedViaFunctionURL != nil && *r.InvokedViaFunctionURL,
	}, nil
}

// valueOf returns the text of a member, empty if it was not given.
func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// addPermission adds a statement to the policy of a function, or of one of its versions
// and aliases: each has its own. Every qualifier leads to a function of the
// configuration, and so every qualifier of one may have a policy.
func addPermission(c *call) (answer, error) {
	var in permissionRequest
	if err := c.decode(&in); err != nil {
		return answer{}, err
	}
	s, err := in.statement()
	switch {
	case err != nil:
		return answer{}, err
	case c.qualifier == latest:
		return answer{}, errLatestPolicy
	}
	resource := c.resource()
	_, declared := c.Declared[c.name]
	_, err = c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		if !declared && !d.has(c.qualifier) {
			return c.notFound(c.name, c.qualifier)
		}
		p := &Policy{RevisionID: newUUID()}
		if old := d.Policies[c.qualifier]; old != nil {
			if in.RevisionID != nil && *in.RevisionID != old.RevisionID {
				return errPolicyRevision
			}
			p.Statements = slices.Clone(old.Statements)
		} else if in.RevisionID != nil {
			return errPolicyRevision
		}
		if slices.ContainsFunc(p.Statements, func(other Statement) bool { return other.Sid == s.Sid }) {
			return conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", s.Sid)
		}
		p.Statements = append(p.Statements, s)
		text, err := p.text(resource)
		if err != nil {
			return err
		}
		if len(text) > maxPolicy {
			return &Error{
				Status:  http.StatusBadRequest,
				Code:    "PolicyLengthExceededException",
				Message: "The final policy size (" + strconv.Itoa(len(text)) + ") is bigger than the limit (" + strconv.Itoa(maxPolicy) + ").",
			}
		}
		if d.Policies == nil {
			d.Policies = map[string]*Policy{}
		}
		d.Policies[c.qualifier] = p
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	text, err := encode(s.text(resource))
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusCreated, body: struct{ Statement string }{string(text)}}, nil
}

// has reports whether a function that was made by the API has a version or an alias.
func (d *Document) has(qualifier string) bool {
	return qualifier == "" || d.Versions[qualifier] != nil || d.Aliases[qualifier] != nil
}

// getPolicy answers the policy of a qualifier.
func getPolicy(c *call) (answer, error) {
	f, err := c.find(c.name)
	if err != nil {
		return answer{}, errNoPolicy
	}
	p := f.document.Policies[c.qualifier]
	if p == nil {
		return answer{}, errNoPolicy
	}
	text, err := p.text(c.resource())
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: struct {
		Policy     string
		RevisionID string `json:"RevisionId"`
	}{string(text), p.RevisionID}}, nil
}

// removePermission removes a statement. With the last one, the policy goes.
func removePermission(c *call) (answer, error) {
	if _, err := c.find(c.name); err != nil {
		return answer{}, missing("No policy found for: %s", c.resource())
	}
	sid, revision := c.labels["StatementId"], c.query["RevisionId"]
	_, err := c.edit(c.r.Context(), c.principal, c.name, func(d *Document) error {
		old := d.Policies[c.qualifier]
		if old == nil {
			return errNoneToRemove
		}
		i := slices.IndexFunc(old.Statements, func(s Statement) bool { return s.Sid == sid })
		switch {
		case i < 0:
			return errNoStatement
		case len(revision) > 0 && revision[0] != old.RevisionID:
			return errPolicyRevision
		case len(old.Statements) == 1:
			delete(d.Policies, c.qualifier)
			return nil
		}
		d.Policies[c.qualifier] = &Policy{
			RevisionID: newUUID(),
			Statements: slices.Delete(slices.Clone(old.Statements), i, i+1),
		}
		return nil
	})
	return answer{status: http.StatusNoContent}, err
}
