package penstock_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/smithy-go"

	"penstock"
)

// code returns the code of an error of the control plane, "" for none.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("%v is no answer", err)
	}
	return refused.ErrorCode()
}

// Callers with policies, over the wire, by signed calls of the official client.
func TestPolicies(t *testing.T) {
	t.Parallel()
	root := penstock.Credential{AccessKeyID: "AKIDROOT", SecretAccessKey: "root"}
	reader := penstock.Credential{AccessKeyID: "AKIDREADER", SecretAccessKey: "reader", UserName: "reader",
		Policy: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"apigateway:GET","Resource":"*"}}`}
	owner := penstock.Credential{AccessKeyID: "AKIDOWNER", SecretAccessKey: "owner", UserName: "owner",
		Policy: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["apigateway:POST","apigateway:PUT"],"Resource":"arn:aws:apigateway:us-east-1::/apis","Condition":{"StringEquals":{"aws:RequestTag/owner":"${aws:username}"}}},
			{"Effect":"Allow","Action":"apigateway:*","Resource":["arn:aws:apigateway:us-east-1::/apis/*","arn:aws:apigateway:us-east-1::/tags/*"],"Condition":{"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"},"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}},
			{"Effect":"Deny","Action":"apigateway:DELETE","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`}
	nobody := penstock.Credential{AccessKeyID: "AKIDNOBODY", SecretAccessKey: "nobody", Policy: `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`}
	c := quiet
	c.AccountID, c.AuditLog = "123456789012", "none"
	c.Credentials = []penstock.Credential{root, reader, owner, nobody}
	s := open(t, c)

	create := func(who penstock.Credential, tags map[string]string) (*apigatewayv2.CreateApiOutput, error) {
		return sdk(s, who).CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("n"), ProtocolType: types.ProtocolTypeHttp, Tags: tags})
	}
	foreign, err := create(root, map[string]string{"owner": "somebody"})
	if err != nil {
		t.Fatal(err)
	}
	const denied = "AccessDeniedException"
	own, err := create(owner, map[string]string{"owner": "owner"})
	if err != nil {
		t.Fatalf("an API of one's own: %v", err)
	}
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a reader lists", func() error {
			_, err := sdk(s, reader).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
			return err
		}, ""},
		{"a reader reads", func() error {
			_, err := sdk(s, reader).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: own.ApiId})
			return err
		}, ""},
		{"a reader creates", func() error { _, err := create(reader, nil); return err }, denied},
		{"a reader tags", func() error {
			_, err := sdk(s, reader).TagResource(t.Context(), &apigatewayv2.TagResourceInput{ResourceArn: aws.String("arn:aws:apigateway:us-east-1::/apis/" + *own.ApiId), Tags: map[string]string{"a": "b"}})
			return err
		}, denied},
		{"an owner without the tag", func() error { _, err := create(owner, nil); return err }, denied},
		{"an owner with another tag", func() error { _, err := create(owner, map[string]string{"owner": "reader"}); return err }, denied},
		{"an owner lists", func() error {
			_, err := sdk(s, owner).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
			return err
		}, denied},
		{"an owner reads what is own", func() error {
			_, err := sdk(s, owner).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: own.ApiId})
			return err
		}, ""},
		{"an owner creates a route", func() error {
			_, err := sdk(s, owner).CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{ApiId: own.ApiId, RouteKey: aws.String("GET /")})
			return err
		}, ""},
		{"an owner tags", func() error {
			_, err := sdk(s, owner).TagResource(t.Context(), &apigatewayv2.TagResourceInput{ResourceArn: aws.String("arn:aws:apigateway:us-east-1::/apis/" + *own.ApiId), Tags: map[string]string{"a b": "c/d"}})
			return err
		}, ""},
		{"an owner reads what is another's", func() error {
			_, err := sdk(s, owner).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: foreign.ApiId})
			return err
		}, denied},
		{"an owner reads what is not there", func() error {
			_, err := sdk(s, owner).GetApi(t.Context(), &apigatewayv2.GetApiInput{ApiId: aws.String("zzzzzzzzzz")})
			return err
		}, denied},
		{"an owner deletes without TLS", func() error {
			_, err := sdk(s, owner).DeleteApi(t.Context(), &apigatewayv2.DeleteApiInput{ApiId: own.ApiId})
			return err
		}, denied},
		{"an owner imports without the tag", func() error {
			_, err := sdk(s, owner).ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: aws.String(`{"openapi":"3.0.1","info":{"title":"t","version":"1"},"paths":{}}`)})
			return err
		}, denied},
		{"an owner imports", func() error {
			_, err := sdk(s, owner).ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: aws.String(`{"openapi":"3.0.1","info":{"title":"t","version":"1"},"tags":[{"name":"owner","x-amazon-apigateway-tag-value":"owner"}],"paths":{}}`)})
			return err
		}, ""},
		{"nobody lists", func() error {
			_, err := sdk(s, nobody).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
			return err
		}, denied},
		{"a reader with a wrong secret", func() error {
			wrong := reader
			wrong.SecretAccessKey = "wrong"
			_, err := sdk(s, wrong).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
			return err
		}, "InvalidSignatureException"},
		{"root deletes", func() error {
			_, err := sdk(s, root).DeleteApi(t.Context(), &apigatewayv2.DeleteApiInput{ApiId: foreign.ApiId})
			return err
		}, ""},
	} {
		if got := code(t, tt.do()); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}

	// The client reads who was denied what, in full.
	_, err = sdk(s, nobody).GetApis(t.Context(), &apigatewayv2.GetApisInput{})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorMessage() != "User: arn:aws:iam::123456789012:user/AKIDNOBODY is not authorized to perform: apigateway:GET on resource: arn:aws:apigateway:us-east-1::/apis with an explicit deny" {
		t.Errorf("got %v", err)
	}
	_, err = create(reader, nil)
	if !errors.As(err, &refused) || refused.ErrorMessage() != "User: arn:aws:iam::123456789012:user/reader is not authorized to perform: apigateway:POST on resource: arn:aws:apigateway:us-east-1::/apis" {
		t.Errorf("got %v", err)
	}

	// A backup holds everything, and is for callers who may do everything.
	for _, tt := range []struct {
		who  penstock.Credential
		want string // in the error; "" if there is none
	}{
		{root, ""},
		{reader, "only callers without a policy may take one"},
		{owner, "only callers without a policy may take one"},
		{nobody, "only callers without a policy may take one"},
		{penstock.Credential{}, "403"},
	} {
		var backup bytes.Buffer
		err := penstock.DownloadBackup(t.Context(), &backup, s.AdminURL(), tt.who)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "403") || backup.Len() > 0) {
			t.Errorf("backup by %q: got %v with %d bytes, want %q", tt.who.AccessKeyID, err, backup.Len(), tt.want)
		}
	}
	for _, path := range []string{"/_penstock/backup/", "/_penstock/%62ackup", "//_penstock/backup", "/_penstock/./backup"} {
		if status, body := get(t, s, s.AdminURL()+path); status == http.StatusOK {
			t.Errorf("%s: got %d with %d bytes", path, status, len(body))
		}
	}
}

// A policy that cannot be followed stops the start: nothing that it forbids is ever
// allowed. The error says which and where.
func TestBadPolicies(t *testing.T) {
	t.Parallel()
	const good = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	for _, tt := range []struct{ name, policy, want string }{
		{"not JSON", `{`, "credentials[1].policy: the document is not JSON"},
		{"no object", `[]`, "credentials[1].policy: the document must be an object"},
		{"space", ` `, "credentials[1].policy: "},
		{"an empty object", `{}`, "credentials[1].policy: Statement: is missing"},
		{"no statements", `{"Statement":[]}`, "credentials[1].policy: Statement: must not be empty"},
		{"a version", `{"Version":"2020-01-01","Statement":[]}`, `credentials[1].policy: Version: must be "2012-10-17" or "2008-10-17"`},
		{"a misspelt member", `{"Statement":{"Effect":"Allow","Actions":"*","Resource":"*"}}`, "credentials[1].policy: Statement.Actions: unknown member"},
		{"an effect", `{"Statement":[` + good[13:len(good)-1] + `,{"Effect":"deny","Action":"*","Resource":"*"}]}`, `credentials[1].policy: Statement[1].Effect: must be "Allow" or "Deny"`},
		{"an action", `{"Statement":{"Effect":"Allow","Action":"GET","Resource":"*"}}`, "credentials[1].policy: Statement.Action: must be"},
		{"a path for an ARN", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"/apis"}}`, "credentials[1].policy: Statement.Resource: must be"},
		{"an unknown operator", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringIs":{"aws:username":"a"}}}}`, "credentials[1].policy: Statement.Condition.StringIs: unknown operator"},
		{"an unknown key", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}}`, `unknown condition key "aws:MultiFactorAuthPresent"`},
		{"an address", `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}}}`, `"10.0.0.0/33" is neither an IP address nor a CIDR block`},
		{"a principal", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`, "credentials[1].policy: Statement.Principal: is not allowed"},
		{"a member twice", `{"Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}`, "credentials[1].policy: Statement.Effect"},
	} {
		c := quiet
		c.Credentials = []penstock.Credential{{AccessKeyID: "A", SecretAccessKey: "hush", Policy: good}, {AccessKeyID: "B", SecretAccessKey: "hush", Policy: penstock.PolicyDocument(tt.policy)}}
		s, err := penstock.Open(c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", tt.name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %q, want %q", tt.name, err, tt.want)
		}
	}
	c := quiet
	c.Credentials = []penstock.Credential{{AccessKeyID: "A", SecretAccessKey: "hush", Policy: "{"}, {AccessKeyID: "B", SecretAccessKey: "hush", UserName: "a/b", Policy: "["}}
	_, err := penstock.Open(c)
	if err == nil || !strings.Contains(err.Error(), "credentials[0].policy: ") || !strings.Contains(err.Error(), "credentials[1].policy: ") || !strings.Contains(err.Error(), `credentials[1].userName: "a/b"`) {
		t.Errorf("two of them: got %v", err)
	}
}

// Who is denied by whom can be printed without a secret.
func TestPoliciesDoNotPrint(t *testing.T) {
	t.Parallel()
	c := penstock.Credential{AccessKeyID: "AKIDADA", SecretAccessKey: "hush", Policy: "{}"}
	if got := c.String() + c.GoString() + c.LogValue().String(); strings.Contains(got, "hush") {
		t.Errorf("printed as %s", got)
	}
}
