package function

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func policyOf(name string) string { return "/2015-03-31/functions/" + name + "/policy" }

// answerOf is the body of an answer.
type answerOf struct {
	Statement, Policy, RevisionID, Message string
}

func (s *stage) ask(t testing.TB, method, path, body string) (int, answerOf) {
	t.Helper()
	r := s.do(method, path, body)
	var a answerOf
	if text := bodyOf(r); text != "" {
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Errorf("%s %s: %q: %v", method, path, text, err)
		}
	}
	return r.StatusCode, a
}

// Statements are shown as the service shows them.
func TestAddPermission(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{Declared: map[string]Declared{"echo": {Invoke: echo}}})
	for i, tt := range []struct {
		function, request, want string // without the Sid
	}{
		{"pets", `"Principal":"apigateway.amazonaws.com","SourceArn":"` + api + `/*/*"`,
			`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"ArnLike":{"AWS:SourceArn":"` + api + `/*/*"}}}`},
		{"pets", `"Principal":"s3.amazonaws.com","SourceAccount":"123456789012"`,
			`"Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"}}}`},
		{"pets", `"Principal":"s3.amazonaws.com","SourceArn":"arn:aws:s3:::<&>","SourceAccount":"123456789012"`,
			`"Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"StringEquals":{"AWS:SourceAccount":"123456789012"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::<&>"}}}`},
		{"pets", `"Principal":"210987654321"`,
			`"Principal":{"AWS":"arn:aws:iam::210987654321:root"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets"}`},
		{"pets", `"Principal":"arn:aws:iam::210987654321:role/team/r"`,
			`"Principal":{"AWS":"arn:aws:iam::210987654321:role/team/r"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets"}`},
		{"pets", `"Principal":"*","PrincipalOrgID":"o-1234567890"`,
			`"Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}}`},
		{"pets", `"Principal":"alexa-appkit.amazon.com","EventSourceToken":"amzn1.ask-1"`,
			`"Principal":{"Service":"alexa-appkit.amazon.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"StringEquals":{"lambda:EventSourceToken":"amzn1.ask-1"}}}`},
		{"pets", `"Principal":"*","FunctionUrlAuthType":"NONE","InvokedViaFunctionUrl":true`,
			`"Principal":"*","Action":"lambda:InvokeFunction","Resource":"` + here + `pets","Condition":{"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"},"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`},
		{"pets:live", `"Principal":"apigateway.amazonaws.com"`,
			`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets:live"}`},
		{"pets:1", `"Principal":"apigateway.amazonaws.com"`,
			`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `pets:1"}`},
		{"echo", `"Principal":"apigateway.amazonaws.com"`,
			`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `echo"}`},
		{"echo:imported", `"Principal":"apigateway.amazonaws.com"`,
			`"Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"` + here + `echo:imported"}`},
	} {
		sid := fmt.Sprint("s", i)
		status, a := s.ask(t, "POST", policyOf(tt.function), `{"StatementId":"`+sid+`","Action":"lambda:InvokeFunction",`+tt.request+`}`)
		want := `{"Sid":"` + sid + `","Effect":"Allow",` + tt.want
		if status != http.StatusCreated || a.Statement != want {
			t.Errorf("%s: got %d %q\n%s\nwant\n%s", tt.request, status, a.Message, a.Statement, want)
		}
		status, a = s.ask(t, "GET", policyOf(tt.function), "")
		if status != http.StatusOK || !strings.HasPrefix(a.Policy, `{"Version":"2012-10-17","Id":"default","Statement":[`) || !strings.HasSuffix(a.Policy, want+"]}") || len(a.RevisionID) != 36 {
			t.Errorf("%s: the policy is %d %+v", tt.request, status, a)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	const (
		statement = `{"StatementId":"s1","Action":"lambda:InvokeFunction","Principal":"apigateway.amazonaws.com"`
		revision  = "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id"
	)
	if status, a := s.ask(t, "POST", policyOf("pets"), statement+"}"); status != http.StatusCreated {
		t.Fatal(status, a)
	}
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		kind, want               string
	}{
		{"duplicate", "POST", policyOf("pets"), statement + "}", 409, "ResourceConflictException", "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement."},
		{"unknown function", "POST", policyOf("cats"), statement + "}", 404, "ResourceNotFoundException", "Function not found: " + here + "cats"},
		{"unknown alias", "POST", policyOf("pets:beta"), statement + "}", 404, "ResourceNotFoundException", "Function not found: " + here + "pets:beta"},
		{"$LATEST", "POST", policyOf("pets") + "?Qualifier=$LATEST", statement + "}", 400, "InvalidParameterValueException", "We currently do not support adding policies for $LATEST."},
		{"wrong revision", "POST", policyOf("pets"), strings.Replace(statement, "s1", "s2", 1) + `,"RevisionId":"x"}`, 412, "PreconditionFailedException", revision},
		{"revision of nothing", "POST", policyOf("pets:1"), statement + `,"RevisionId":"x"}`, 412, "PreconditionFailedException", revision},
		{"no JSON", "POST", policyOf("pets"), statement, 400, "InvalidRequestContentException", "Could not parse request body into json: "},
		{"wrong type", "POST", policyOf("pets"), `{"StatementId":1}`, 400, "InvalidRequestContentException", "Could not parse request body into json: "},
		{"nothing", "POST", policyOf("pets"), ``, 400, "ValidationException", "3 validation errors detected: Value null at 'statementId' failed to satisfy constraint: Member must not be null; Value null at 'action'"},
		{"sid", "POST", policyOf("pets"), strings.Replace(statement, "s1", "s 1", 1) + "}", 400, "ValidationException", "Value 's 1' at 'statementId' failed to satisfy constraint: Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"},
		{"long sid", "POST", policyOf("pets"), strings.Replace(statement, "s1", strings.Repeat("s", 101), 1) + "}", 400, "ValidationException", "at 'statementId' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{"action", "POST", policyOf("pets"), strings.Replace(statement, "lambda:", "s3:", 1) + "}", 400, "ValidationException", "at 'action'"},
		{"source", "POST", policyOf("pets"), statement + `,"SourceArn":"a1b2c3"}`, 400, "ValidationException", "at 'sourceArn'"},
		{"source with a star for the region", "POST", policyOf("pets"), statement + `,"SourceArn":"arn:aws:execute-api:*:123456789012:a/*"}`, 400, "ValidationException", "at 'sourceArn'"},
		{"account", "POST", policyOf("pets"), statement + `,"SourceAccount":"1"}`, 400, "ValidationException", "at 'sourceAccount'"},
		{"organization", "POST", policyOf("pets"), statement + `,"PrincipalOrgID":"o"}`, 400, "ValidationException", "at 'principalOrgID'"},
		{"URL", "POST", policyOf("pets"), statement + `,"FunctionUrlAuthType":"ALL"}`, 400, "ValidationException", "Value 'ALL' at 'functionUrlAuthType' failed to satisfy constraint: Member must satisfy enum value set: [NONE, AWS_IAM]"},
		{"token", "POST", policyOf("pets"), statement + `,"EventSourceToken":"<>"}`, 400, "ValidationException", "at 'eventSourceToken'"},

		{"no policy", "GET", policyOf("pets:live"), "", 404, "ResourceNotFoundException", "The resource you requested does not exist."},
		{"no function", "GET", policyOf("cats"), "", 404, "ResourceNotFoundException", "The resource you requested does not exist."},
		{"policy of $LATEST", "GET", policyOf("pets:$LATEST"), "", 404, "ResourceNotFoundException", "The resource you requested does not exist."},

		{"remove unknown", "DELETE", policyOf("pets") + "/s9", "", 404, "ResourceNotFoundException", "Statement non-existent is not found in resource policy."},
		{"remove from nothing", "DELETE", policyOf("pets:live") + "/s1", "", 404, "ResourceNotFoundException", "No policy is associated with the given resource."},
		{"remove from no function", "DELETE", policyOf("cats") + "/s1", "", 404, "ResourceNotFoundException", "No policy found for: " + here + "cats"},
		{"remove another revision", "DELETE", policyOf("pets") + "/s1?RevisionId=x", "", 412, "PreconditionFailedException", revision},
		{"remove no revision", "DELETE", policyOf("pets") + "/s1?RevisionId=", "", 412, "PreconditionFailedException", revision},
	} {
		r := s.do(tt.method, tt.path, tt.body)
		body := bodyOf(r)
		if r.StatusCode != tt.status || r.Header.Get("X-Amzn-Errortype") != tt.kind || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %s %s", tt.name, r.StatusCode, r.Header.Get("X-Amzn-Errortype"), body)
		}
		if capital := strings.Contains(body, `"Message":`); capital != (tt.status == 404) {
			t.Errorf("%s: got %s", tt.name, body)
		}
	}
	if status, a := s.ask(t, "GET", policyOf("pets"), ""); status != http.StatusOK || strings.Count(a.Policy, "Sid") != 1 {
		t.Errorf("after all that: %d %+v", status, a)
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	for i, tt := range []struct {
		principal string
		ok        bool
	}{
		{"apigateway.amazonaws.com", true},
		{"elasticloadbalancing.amazonaws.com", true},
		{"s3.cn-north-1.amazonaws.com.cn", true},
		{"alexa-connectedhome.amazon.com", true},
		{"123456789012", true},
		{"*", true},
		{"arn:aws:iam::123456789012:root", true},
		{"arn:aws-cn:iam::123456789012:user/a/b", true},
		{"arn:aws:sts::123456789012:assumed-role/r/s", true},
		{"invalid.nonaws.com", false},
		{"apigateway.amazonaws.com.evil.example", false},
		{"amazonaws.com", false},
		{"apigateway", false},
		{"1234567890123", false},
		{"arn:aws:iam::123456789012:role/*", false},
		{"arn:aws:iam::1:root", false},
		{"arn:aws:s3:::bucket", false},
		{"**", false},
	} {
		status, a := s.ask(t, "POST", policyOf("pets"), fmt.Sprintf(`{"StatementId":"s%d","Action":"lambda:InvokeFunction","Principal":%q}`, i, tt.principal))
		if tt.ok != (status == http.StatusCreated) || !tt.ok && a.Message != "The provided principal was invalid. Please check the principal and try again." {
			t.Errorf("%s: got %d %q", tt.principal, status, a.Message)
		}
	}
}

// Each change has a revision of its own, and may be made on the condition that no other
// was made.
func TestPolicyRevisions(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	add := func(sid, revision string) int {
		status, _ := s.ask(t, "POST", policyOf("pets:live"), `{"StatementId":"`+sid+`","Action":"lambda:*","Principal":"*"`+revision+`}`)
		return status
	}
	current := func() string {
		_, a := s.ask(t, "GET", policyOf("pets:live"), "")
		return a.RevisionID
	}
	if got := add("a", ""); got != http.StatusCreated {
		t.Fatal(got)
	}
	first := current()
	if got := add("b", `,"RevisionId":"`+first+`"`); got != http.StatusCreated {
		t.Errorf("with the revision: %d", got)
	}
	second := current()
	if got := add("c", `,"RevisionId":"`+first+`"`); got != http.StatusPreconditionFailed || first == second {
		t.Errorf("with the revision before: %d", got)
	}
	for _, tt := range []struct {
		sid, revision string
		want          int
	}{
		{"a", first, 412},
		{"a", second, 204},
		{"b", second, 412},
	} {
		if got, _ := s.ask(t, "DELETE", policyOf("pets:live")+"/"+tt.sid+"?RevisionId="+tt.revision, ""); got != tt.want {
			t.Errorf("remove %s: got %d, want %d", tt.sid, got, tt.want)
		}
	}
	if got, _ := s.ask(t, "DELETE", policyOf("pets:live")+"/b", ""); got != 204 {
		t.Errorf("remove the last: %d", got)
	}
	if got, _ := s.ask(t, "GET", policyOf("pets:live"), ""); got != 404 {
		t.Errorf("the policy without statements: %d", got)
	}
}

func TestPolicyLength(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	for i := range 100 {
		status, a := s.ask(t, "POST", policyOf("pets"), fmt.Sprintf(`{"StatementId":"s%d","Action":"lambda:InvokeFunction","Principal":"*","SourceArn":"arn:aws:s3:::%s"}`, i, strings.Repeat("x", 900)))
		if status == http.StatusCreated {
			continue
		}
		if _, p := s.ask(t, "GET", policyOf("pets"), ""); i < 10 || status != 400 || !strings.Contains(a.Message, "is bigger than the limit (20480)") || len(p.Policy) > maxPolicy || len(p.Policy) < maxPolicy-2000 {
			t.Errorf("statement %d: got %d %q with %d bytes", i, status, a.Message, len(p.Policy))
		}
		return
	}
	t.Error("there is no limit")
}

// What many callers do at one time is as if they had done it one after another.
func TestPolicyConcurrently(t *testing.T) {
	t.Parallel()
	s := openStage(t, Options{})
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if status, a := s.ask(t, "POST", policyOf("pets"), fmt.Sprintf(`{"StatementId":"s%d","Action":"lambda:InvokeFunction","Principal":"*"}`, i)); status != 201 {
				t.Errorf("add %d: %d %q", i, status, a.Message)
			}
			if i%2 == 0 {
				if status, a := s.ask(t, "DELETE", policyOf("pets")+fmt.Sprintf("/s%d", i), ""); status != 204 {
					t.Errorf("remove %d: %d %q", i, status, a.Message)
				}
			}
		})
	}
	all.Wait()
	if _, a := s.ask(t, "GET", policyOf("pets"), ""); strings.Count(a.Policy, "Sid") != 10 {
		t.Errorf("got %s", a.Policy)
	}
}
