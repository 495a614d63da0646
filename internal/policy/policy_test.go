package policy

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// testKeys are the condition keys of these tests.
var testKeys = []string{
	"aws:CurrentTime", "aws:EpochTime", "aws:MultiFactorAuthAge", "aws:PrincipalArn", "aws:PrincipalTag/", "aws:RequestTag/",
	"aws:ResourceTag/", "aws:SecureTransport", "aws:SourceIp", "aws:TagKeys", "aws:username", "apigateway:Request/EndpointType",
}

const (
	testAction   = "apigateway:GET"
	testResource = "arn:aws:apigateway:us-east-1::/apis/abc/routes/x"
)

// testValues are the values of every request of these tests.
var testValues = map[string][]string{
	"aws:currenttime":                 {"2026-03-01T12:00:00Z"},
	"aws:epochtime":                   {"1772366400"},
	"aws:multifactorauthage":          {"300"},
	"aws:principalarn":                {"arn:aws:iam::123456789012:role/team/deploy"},
	"aws:principaltag/Team":           {"pets"},
	"aws:principaltag/Star":           {"*"},
	"aws:principaltag/Question":       {"?bc"},
	"aws:principaltag/Path":           {"abc/routes"},
	"aws:principaltag/Empty":          {""},
	"aws:principaltag/Off":            {"False"},
	"aws:principaltag/Two":            {"a", "b"},
	"aws:requesttag/env":              {"test"},
	"aws:resourcetag/Owner":           {"Ada"},
	"aws:resourcetag/Level":           {"high"},
	"aws:securetransport":             {"true"},
	"aws:sourceip":                    {"192.0.2.17"},
	"aws:tagkeys":                     {"env", "owner"},
	"aws:username":                    {"ada"},
	"apigateway:request/endpointtype": {"REGIONAL"},
}

func testRequest(action, resource string) Request {
	return Request{Action: action, Resource: resource, Values: func(key string) []string { return testValues[key] }}
}

func mustParse(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Parse(text, testKeys)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// document returns a document with members in its only statement.
func document(members string) string {
	return `{"Version":"2012-10-17","Statement":{` + members + `}}`
}

// resourcePolicy allows everything on a resource.
func resourcePolicy(resource string) string {
	return document(`"Effect":"Allow","Action":"*","Resource":"` + resource + `"`)
}

// denyPolicy allows everything and denies it under a condition.
func denyPolicy(condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
		`{"Effect":"Deny","Action":"*","Resource":"*","Condition":` + condition + `}]}`
}

func TestEvaluate(t *testing.T) {
	const (
		allow = `"Effect":"Allow","Action":"*","Resource":"*"`
		deny  = `"Effect":"Deny","Action":"*","Resource":"*"`
	)
	for _, tt := range []struct {
		name     string
		policy   string
		action   string // testAction if empty
		resource string // testResource if empty
		want     Decision
	}{
		{"everything", document(allow), "", "", Allowed},
		{"a statement in a list", `{"Statement":[{` + allow + `}]}`, "", "", Allowed},
		{"another action", document(`"Effect":"Allow","Action":"apigateway:POST","Resource":"*"`), "", "", NotAllowed},
		{"another resource", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/abc"), "", "", NotAllowed},
		{"the resource itself", resourcePolicy(testResource), "", "", Allowed},
		{"deny alone", document(deny), "", "", Denied},
		{"deny before allow", `{"Statement":[{` + deny + `},{` + allow + `}]}`, "", "", Denied},
		{"deny after allow", `{"Statement":[{` + allow + `},{` + deny + `}]}`, "", "", Denied},
		{"deny of another action", `{"Statement":[{` + allow + `},{"Effect":"Deny","Action":"apigateway:DELETE","Resource":"*"}]}`, "", "", Allowed},
		{"the second of two allows", `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{` + allow + `}]}`, "", "", Allowed},

		{"action without case", document(`"Effect":"Allow","Action":"APIGateway:get","Resource":"*"`), "apigateway:GET", "", Allowed},
		{"action of the request without case", document(`"Effect":"Allow","Action":"apigateway:GET","Resource":"*"`), "APIGATEWAY:Get", "", Allowed},
		{"all actions of a service", document(`"Effect":"Allow","Action":"apigateway:*","Resource":"*"`), "", "", Allowed},
		{"all actions of another service", document(`"Effect":"Allow","Action":"execute-api:*","Resource":"*"`), "", "", NotAllowed},
		{"? in an action", document(`"Effect":"Allow","Action":"apigateway:P?T","Resource":"*"`), "apigateway:PUT", "", Allowed},
		{"? is not two characters", document(`"Effect":"Allow","Action":"apigateway:P?T","Resource":"*"`), "apigateway:POST", "", NotAllowed},
		{"a list of actions", document(`"Effect":"Allow","Action":["apigateway:PUT","apigateway:G*"],"Resource":"*"`), "", "", Allowed},
		{"no list without the action", document(`"Effect":"Allow","Action":["apigateway:PUT","apigateway:P*"],"Resource":"*"`), "", "", NotAllowed},
		{"not an action", document(`"Effect":"Allow","NotAction":"apigateway:DELETE","Resource":"*"`), "", "", Allowed},
		{"not this action", document(`"Effect":"Allow","NotAction":["apigateway:POST","apigateway:GET"],"Resource":"*"`), "", "", NotAllowed},
		{"deny all but an action", document(`"Effect":"Deny","NotAction":"apigateway:GET","Resource":"*"`), "apigateway:PUT", "", Denied},
		{"an action is matched as a whole", document(`"Effect":"Allow","Action":"apigateway:G","Resource":"*"`), "", "", NotAllowed},

		{"* crosses slashes", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/*"), "", "", Allowed},
		{"* crosses colons", resourcePolicy("arn:aws:*/x"), "", "", Allowed},
		{"* may be nothing", resourcePolicy(testResource + "*"), "", "", Allowed},
		{"* in the middle", resourcePolicy("arn:aws:apigateway:*::/apis/*/routes/*"), "", "", Allowed},
		{"** is *", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/**/x"), "", "", Allowed},
		{"the end must match", resourcePolicy("arn:aws:apigateway:*::/apis/*/routes"), "", "", NotAllowed},
		{"start and end do not overlap", resourcePolicy("arn:aws:apigateway:us-east-1::/a*/a"), "", "arn:aws:apigateway:us-east-1::/a", NotAllowed},
		{"case of a resource counts", resourcePolicy("arn:aws:apigateway:us-east-1::/APIs/*"), "", "", NotAllowed},
		{"? is one character", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/a?c/routes/?"), "", "", Allowed},
		{"? is not nothing", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/abc?/routes/x"), "", "", NotAllowed},
		{"? is one character of several bytes", resourcePolicy("arn:aws:apigateway:us-east-1::/a?c"), "", "arn:aws:apigateway:us-east-1::/aßc", Allowed},
		{"?? is two characters", resourcePolicy("arn:aws:apigateway:us-east-1::/a??c"), "", "arn:aws:apigateway:us-east-1::/aßc", NotAllowed},
		{"*?? is two characters or more", resourcePolicy("arn:aws:apigateway:us-east-1::*??"), "", "arn:aws:apigateway:us-east-1::x", NotAllowed},
		{"? between stars", resourcePolicy("arn:*b?c*e"), "", "arn:abxbzcde", Allowed},
		{"the leftmost place is not the only one", resourcePolicy("arn:*ab?d*"), "", "arn:abababcd", Allowed},
		{"not a resource", document(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:apigateway:us-east-1::/apis/xyz*"`), "", "", Allowed},
		{"not this resource", document(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:apigateway:us-east-1::/apis/abc*"`), "", "", NotAllowed},
		{"no list without the resource", document(`"Effect":"Allow","Action":"*","NotResource":["arn:aws:s3:::x","` + testResource + `"]`), "", "", NotAllowed},

		{"variable", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:username}"), "", "arn:aws:apigateway:us-east-1::/apis/ada", Allowed},
		{"variable of another caller", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:username}"), "", "arn:aws:apigateway:us-east-1::/apis/bob", NotAllowed},
		{"variable with a slash", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Path}/?"), "", "", Allowed},
		{"variable without case", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${AWS:UserName}*"), "", "arn:aws:apigateway:us-east-1::/apis/ada/x", Allowed},
		{"variable with an empty value", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/abc${aws:PrincipalTag/Empty}/routes/x"), "", "", Allowed},
		{"* of a variable is no wildcard", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Star}/routes/x"), "", "", NotAllowed},
		{"* of a variable is itself", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Star}"), "", "arn:aws:apigateway:us-east-1::/apis/*", Allowed},
		{"? of a variable is no wildcard", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Question}/routes/x"), "", "", NotAllowed},
		{"literal *", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${*}"), "", "arn:aws:apigateway:us-east-1::/apis/abc", NotAllowed},
		{"literals", resourcePolicy("arn:aws:apigateway:us-east-1::/${*}${?}${$}{x}$"), "", "arn:aws:apigateway:us-east-1::/*?${x}$", Allowed},
		{"variable without a value allows nothing", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/abc*${aws:PrincipalTag/None}"), "", "", NotAllowed},
		{"variable without a value beside one that matches", document(`"Effect":"Allow","Action":"*","Resource":["` + testResource + `","arn:aws:s3:::${aws:PrincipalTag/None}"]`), "", "", NotAllowed},
		{"variable without a value denies", document(`"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::${aws:PrincipalTag/None}"`), "", "", Denied},
		{"variable without a value denies no other action", document(`"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/None}"`), "", "", NotAllowed},
		{"variable without a value in NotResource allows nothing", document(`"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::${aws:PrincipalTag/None}"`), "", "", NotAllowed},
		{"variable without a value in NotResource denies", document(`"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::${aws:PrincipalTag/None}"`), "", "", Denied},
		{"variable with two values", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Two}*"), "", "arn:aws:apigateway:us-east-1::/apis/a", NotAllowed},
		{"variable with two values has no default", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Two, 'a'}"), "", "arn:aws:apigateway:us-east-1::/apis/a", NotAllowed},
		{"default", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/None, 'abc'}/routes/x"), "", "", Allowed},
		{"default that is not needed", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Team,'abc'}/routes/x"), "", "", NotAllowed},
		{"default with braces and a star", resourcePolicy("arn:aws:apigateway:us-east-1::/${aws:PrincipalTag/None, '{*}'}"), "", "arn:aws:apigateway:us-east-1::/{*}", Allowed},
		{"older version", strings.Replace(resourcePolicy("arn:aws:apigateway:us-east-1::/${aws:username}"), "2012", "2008", 1), "", "arn:aws:apigateway:us-east-1::/ada", NotAllowed},
		{"no version", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:apigateway:us-east-1::/${aws:username}"}}`, "", "arn:aws:apigateway:us-east-1::/${aws:username}", Allowed},

		{"a condition that holds", document(allow + `,"Condition":{"StringEquals":{"aws:username":"ada"}}`), "", "", Allowed},
		{"a condition that does not hold", document(allow + `,"Condition":{"StringEquals":{"aws:username":"bob"}}`), "", "", NotAllowed},
		{"no condition", document(allow + `,"Condition":{}`), "", "", Allowed},
		{"all operators", document(allow + `,"Condition":{"StringEquals":{"aws:username":"ada"},"Bool":{"aws:SecureTransport":"false"}}`), "", "", NotAllowed},
		{"all keys", document(allow + `,"Condition":{"StringEquals":{"aws:username":"ada","aws:ResourceTag/Owner":"Bob"}}`), "", "", NotAllowed},
		{"any value", document(allow + `,"Condition":{"StringEquals":{"aws:username":["bob","ada"]}}`), "", "", Allowed},
		{"deny under a condition", denyPolicy(`{"Bool":{"aws:SecureTransport":true}}`), "", "", Denied},
		{"no deny without its condition", denyPolicy(`{"Bool":{"aws:SecureTransport":false}}`), "", "", Allowed},
		{"open and no is no", denyPolicy(`{"NumericLessThan":{"aws:ResourceTag/Level":5},"Bool":{"aws:SecureTransport":false}}`), "", "", Allowed},
		{"open and yes denies", denyPolicy(`{"NumericLessThan":{"aws:ResourceTag/Level":5},"Bool":{"aws:SecureTransport":true}}`), "", "", Denied},
	} {
		d := mustParse(t, tt.policy)
		r := testRequest(tt.action, tt.resource)
		if tt.action == "" {
			r.Action = testAction
		}
		if tt.resource == "" {
			r.Resource = testResource
		}
		if got := d.Evaluate(r); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Every condition is evaluated in an Allow and in a Deny. One that stays open
// allows nothing and denies.
func TestConditions(t *testing.T) {
	for _, tt := range []struct {
		condition string
		want      truth
	}{
		{`{"StringEquals":{"aws:username":"ada"}}`, yes},
		{`{"StringEquals":{"AWS:USERNAME":"ada"}}`, yes},
		{`{"StringEquals":{"aws:username":"Ada"}}`, no},
		{`{"StringEquals":{"aws:username":"a*"}}`, no},
		{`{"StringEquals":{"aws:username":""}}`, no},
		{`{"StringEquals":{"aws:PrincipalTag/Empty":""}}`, yes},
		{`{"StringEquals":{"aws:PrincipalTag/Star":"*"}}`, yes},
		{`{"StringEquals":{"aws:username":["bob","${aws:username}"]}}`, yes},
		{`{"StringEquals":{"aws:username":["ada","${aws:PrincipalTag/None}"]}}`, open},
		{`{"StringEquals":{"aws:PrincipalTag/None":"${aws:PrincipalTag/None}"}}`, no},
		{`{"StringEquals":{"aws:MultiFactorAuthAge":300}}`, yes},
		{`{"StringEquals":{"aws:SecureTransport":true}}`, yes},
		{`{"StringEquals":{"apigateway:Request/EndpointType":"REGIONAL"}}`, yes},
		{`{"StringEquals":{"aws:tagkeys":"env"}}`, open},
		{`{"StringNotEquals":{"aws:username":"bob"}}`, yes},
		{`{"StringNotEquals":{"aws:username":["bob","ada"]}}`, no},
		{`{"StringNotEquals":{"aws:username":"${aws:PrincipalTag/None}"}}`, open},
		{`{"StringNotEquals":{"aws:TagKeys":"env"}}`, open},
		{`{"StringEqualsIgnoreCase":{"aws:username":"ADA"}}`, yes},
		{`{"StringEqualsIgnoreCase":{"aws:ResourceTag/Owner":"${aws:username}"}}`, yes},
		{`{"StringEqualsIgnoreCase":{"aws:ResourceTag/Owner":"x${aws:username}"}}`, no},
		{`{"StringEqualsIgnoreCase":{"aws:PrincipalTag/Empty":""}}`, yes},
		{`{"StringEqualsIgnoreCase":{"aws:username":["ADA","${aws:PrincipalTag/None}"]}}`, open},
		{`{"StringEqualsIgnoreCase":{"aws:username":"a*"}}`, no},
		{`{"StringNotEqualsIgnoreCase":{"aws:username":"ADA"}}`, no},
		{`{"StringLike":{"aws:username":"a?a"}}`, yes},
		{`{"StringLike":{"aws:username":"*"}}`, yes},
		{`{"StringLike":{"aws:username":"A*"}}`, no},
		{`{"StringLike":{"aws:username":"${*}"}}`, no},
		{`{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, yes},
		{`{"StringNotLike":{"aws:username":["b*","c*"]}}`, yes},
		{`{"StringNotLike":{"aws:username":["b*","a*"]}}`, no},

		{`{"NumericEquals":{"aws:MultiFactorAuthAge":"300"}}`, yes},
		{`{"NumericEquals":{"aws:MultiFactorAuthAge":3e2}}`, yes},
		{`{"NumericEquals":{"aws:MultiFactorAuthAge":[1,2]}}`, no},
		{`{"NumericNotEquals":{"aws:MultiFactorAuthAge":300.5}}`, yes},
		{`{"NumericNotEquals":{"aws:MultiFactorAuthAge":[1,300]}}`, no},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, no},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":"+300.01"}}`, yes},
		{`{"NumericLessThanEquals":{"aws:MultiFactorAuthAge":300}}`, yes},
		{`{"NumericGreaterThan":{"aws:MultiFactorAuthAge":-1}}`, yes},
		{`{"NumericGreaterThan":{"aws:MultiFactorAuthAge":300}}`, no},
		{`{"NumericGreaterThanEquals":{"aws:MultiFactorAuthAge":300}}`, yes},
		{`{"NumericEquals":{"aws:ResourceTag/Level":1}}`, open},
		{`{"NumericNotEquals":{"aws:ResourceTag/Level":1}}`, open},
		{`{"NumericEquals":{"aws:PrincipalTag/Empty":0}}`, open},

		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T12:00:00Z"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T12:00Z"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T14:00:00.000+02:00"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T14:00+0200"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T12:00:00"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01T12:00"}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":1772366400}}`, yes},
		{`{"DateEquals":{"aws:CurrentTime":"2026-03-01"}}`, no},
		{`{"DateNotEquals":{"aws:CurrentTime":"2026-03-01"}}`, yes},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-03-01T12:00:00.5Z"}}`, yes},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-03-01T12:00:00Z"}}`, no},
		{`{"DateLessThanEquals":{"aws:CurrentTime":"2026-03-01T12:00:00Z"}}`, yes},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-03"}}`, yes},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-03-02"}}`, no},
		{`{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-03-01T12:00:00Z"}}`, yes},
		{`{"DateGreaterThan":{"aws:EpochTime":"2026-01-01T00:00:00Z"}}`, yes},
		{`{"DateGreaterThan":{"aws:EpochTime":"-86400"}}`, yes},
		{`{"DateLessThan":{"aws:username":"2026-01-01"}}`, open},

		{`{"Bool":{"aws:SecureTransport":"true"}}`, yes},
		{`{"Bool":{"aws:SecureTransport":"TRUE"}}`, yes},
		{`{"Bool":{"aws:SecureTransport":false}}`, no},
		{`{"Bool":{"aws:SecureTransport":[true,false]}}`, yes},
		{`{"Bool":{"aws:PrincipalTag/Off":"false"}}`, yes},
		{`{"Bool":{"aws:PrincipalTag/Off":"true"}}`, no},
		{`{"Bool":{"aws:username":"true"}}`, open},
		{`{"Bool":{"aws:PrincipalTag/None":"false"}}`, no},
		{`{"BoolIfExists":{"aws:PrincipalTag/None":"false"}}`, yes},

		{`{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":"192.0.2.17"}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":"192.0.2.99/24"}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","::ffff:192.0.2.0/120"]}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":"::ffff:192.0.2.17"}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":"192.0.2.16"}}`, no},
		{`{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`, yes},
		{`{"IpAddress":{"aws:SourceIp":"::/0"}}`, no},
		{`{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, no},
		{`{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","192.0.2.0/28"]}}`, yes},
		{`{"NotIpAddress":{"aws:username":"10.0.0.0/8"}}`, open},

		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/team/deploy"}}`, yes},
		{`{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, yes},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/${aws:PrincipalTag/None,'team'}/*"}}`, yes},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:*:role/team/deploy:*:*:*"}}`, no},
		{`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::??:role/*"}}`, no},
		{`{"ArnLike":{"aws:PrincipalArn":"*:*:*:*:*:*"}}`, yes},
		{`{"ArnLike":{"aws:PrincipalArn":["arn:aws:s3:::x","arn:aws:iam:*:*:role/*"]}}`, yes},
		{`{"ArnLike":{"aws:PrincipalArn":["arn:aws:iam:*:*:role/*","arn:aws:s3:::${aws:PrincipalTag/None}"]}}`, open},
		{`{"ArnLike":{"aws:username":"arn:aws:iam::*:role/*"}}`, open},
		{`{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/*"}}`, yes},
		{`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}`, no},
		{`{"ArnNotEquals":{"aws:PrincipalTag/None":"arn:aws:iam::*:role/*"}}`, yes},

		{`{"Null":{"aws:PrincipalTag/None":"true"}}`, yes},
		{`{"Null":{"aws:PrincipalTag/None":false}}`, no},
		{`{"Null":{"aws:PrincipalTag/Team":"true"}}`, no},
		{`{"Null":{"aws:PrincipalTag/Team":"false"}}`, yes},
		{`{"Null":{"aws:PrincipalTag/Empty":"false"}}`, yes},
		{`{"Null":{"aws:PrincipalTag/Team":[true,false]}}`, yes},

		{`{"StringEquals":{"aws:PrincipalTag/None":"x"}}`, no},
		{`{"StringLike":{"aws:PrincipalTag/None":"*"}}`, no},
		{`{"NumericLessThan":{"aws:PrincipalTag/None":1}}`, no},
		{`{"DateLessThan":{"aws:PrincipalTag/None":"2030-01-01"}}`, no},
		{`{"IpAddress":{"aws:PrincipalTag/None":"0.0.0.0/0"}}`, no},
		{`{"StringNotEquals":{"aws:PrincipalTag/None":"x"}}`, yes},
		{`{"StringNotLike":{"aws:PrincipalTag/None":"*"}}`, yes},
		{`{"NumericNotEquals":{"aws:PrincipalTag/None":1}}`, yes},
		{`{"NotIpAddress":{"aws:PrincipalTag/None":"0.0.0.0/0"}}`, yes},
		{`{"StringEqualsIfExists":{"aws:PrincipalTag/None":"x"}}`, yes},
		{`{"StringEqualsIfExists":{"aws:username":"x"}}`, no},
		{`{"StringNotEqualsIfExists":{"aws:PrincipalTag/None":"x"}}`, yes},
		{`{"NumericLessThanIfExists":{"aws:PrincipalTag/None":1}}`, yes},

		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["env","owner","team"]}}`, yes},
		{`{"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}`, no},
		{`{"ForAllValues:StringEquals":{"aws:PrincipalTag/None":"x"}}`, yes},
		{`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["team","cost"]}}`, yes},
		{`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["team","env"]}}`, no},
		{`{"ForAllValues:StringLike":{"aws:TagKeys":["e*","o*"]}}`, yes},
		{`{"ForAllValues:NumericEquals":{"aws:TagKeys":1}}`, open},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":["owner","team"]}}`, yes},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":["team"]}}`, no},
		{`{"ForAnyValue:StringEquals":{"aws:PrincipalTag/None":"x"}}`, no},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env"]}}`, yes},
		{`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env","owner"]}}`, no},
		{`{"ForAnyValue:StringNotEquals":{"aws:PrincipalTag/None":"x"}}`, no},
		{`{"ForAnyValue:StringEqualsIfExists":{"aws:PrincipalTag/None":"x"}}`, yes},
		{`{"ForAnyValue:StringEquals":{"aws:TagKeys":["env","${aws:PrincipalTag/None}"]}}`, open},
		{`{"ForAnyValue:StringEquals":{"aws:username":"ada"}}`, yes},
		{`{"ForAllValues:StringEquals":{"aws:username":"bob"}}`, no},
	} {
		allow := document(`"Effect":"Allow","Action":"*","Resource":"*","Condition":` + tt.condition)
		if got, want := mustParse(t, allow).Evaluate(testRequest(testAction, testResource)) == Allowed, tt.want == yes; got != want {
			t.Errorf("%s: allows: got %t, want %t", tt.condition, got, want)
		}
		deny := denyPolicy(tt.condition)
		if got, want := mustParse(t, deny).Evaluate(testRequest(testAction, testResource)) == Denied, tt.want != no; got != want {
			t.Errorf("%s: denies: got %t, want %t", tt.condition, got, want)
		}
	}
}

// The addresses of requests are of every kind.
func TestIPAddress(t *testing.T) {
	for _, tt := range []struct {
		block, address string
		want           truth
	}{
		{"10.0.0.0/8", "10.255.255.255", yes},
		{"10.0.0.0/8", "11.0.0.0", no},
		{"10.0.0.0/8", "::ffff:10.1.2.3", yes},
		{"::ffff:10.0.0.0/104", "10.1.2.3", yes},
		{"::ffff:10.0.0.0/104", "11.1.2.3", no},
		{"2001:db8::/32", "2001:db8:1::1", yes},
		{"2001:db8::/32", "2001:db9::1", no},
		{"2001:DB8::1", "2001:db8:0:0:0:0:0:1", yes},
		{"fe80::/10", "fe80::1%eth0", yes},
		{"::/0", "10.1.2.3", no},
		{"0.0.0.0/0", "::1", no},
		{"10.0.0.0/8", "10.1.2.3:443", open},
		{"10.0.0.0/8", "010.1.2.3", open},
		{"10.0.0.0/8", "", open},
	} {
		d := mustParse(t, denyPolicy(`{"IpAddress":{"aws:SourceIp":"`+tt.block+`"}}`))
		a := mustParse(t, document(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"`+tt.block+`"}}`))
		r := Request{Action: testAction, Resource: testResource, Values: func(string) []string { return []string{tt.address} }}
		if got, want := d.Evaluate(r) == Denied, tt.want != no; got != want {
			t.Errorf("%s in %s: denies: got %t, want %t", tt.address, tt.block, got, want)
		}
		if got, want := a.Evaluate(r) == Allowed, tt.want == yes; got != want {
			t.Errorf("%s in %s: allows: got %t, want %t", tt.address, tt.block, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const knownKeys = "known are aws:CurrentTime, aws:EpochTime, aws:MultiFactorAuthAge, aws:PrincipalArn, aws:PrincipalTag/, aws:RequestTag/, " +
		"aws:ResourceTag/, aws:SecureTransport, aws:SourceIp, aws:TagKeys, aws:username, apigateway:Request/EndpointType"
	const allow = `"Effect":"Allow","Action":"*","Resource":"*"`
	condition := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":[{` + allow + `},{` + allow + `,"Condition":` + condition + `}]}`
	}
	for _, tt := range []struct{ name, policy, want string }{
		{"empty", ``, `the document is not JSON: byte 0: unexpected end of JSON input`},
		{"no JSON", `{"Version":}`, `the document is not JSON: byte 12: invalid character '}' looking for beginning of value`},
		{"two documents", document(allow) + `{}`, `the document is not JSON: byte 84: invalid character '{' after top-level value`},
		{"not UTF-8", "{\"Id\":\"\xff\"}", `the document is not UTF-8`},
		{"too long", strings.Repeat(" ", MaxLength) + `{}`, `the document is longer than 65536 bytes`},
		{"too deep", `{"Statement":[[[[[[[[]]]]]]]]}`, `Statement[0][0][0][0][0][0][0]: nests deeper than 8 levels`},
		{"a list", `[]`, `the document must be an object`},
		{"null", `null`, `the document must be an object`},
		{"no statement", `{"Version":"2012-10-17"}`, `Statement: is missing`},
		{"statements of nothing", `{"Statement":[]}`, `Statement: must not be empty`},
		{"too many statements", `{"Statement":[` + strings.TrimSuffix(strings.Repeat(`{},`, 501), ",") + `]}`, `Statement: has more than 500 statements`},
		{"statement a string", `{"Statement":"x"}`, `Statement: must be an object`},
		{"statement null", `{"Statement":[null]}`, `Statement[0]: must be an object`},
		{"version", `{"Version":"2012-10-18","Statement":{` + allow + `}}`, `Version: must be "2012-10-17" or "2008-10-17"`},
		{"version null", `{"Version":null,"Statement":{` + allow + `}}`, `Version: must be "2012-10-17" or "2008-10-17"`},
		{"version a number", `{"Version":2012,"Statement":{` + allow + `}}`, `Version: must be "2012-10-17" or "2008-10-17"`},
		{"id", `{"Id":1,"Statement":{` + allow + `}}`, `Id: must be a string`},
		{"unknown member", `{"Statements":{` + allow + `}}`, `Statements: unknown member; a policy has Version, Id and Statement`},
		{"member in lower case", `{"statement":{` + allow + `}}`, `statement: unknown member; a policy has Version, Id and Statement`},
		{"member with a strange name", `{"a b":1,"Statement":{` + allow + `}}`, `["a b"]: unknown member; a policy has Version, Id and Statement`},
		{"member twice", `{"Statement":[{` + allow + `,"Effect":"Deny"}]}`, `Statement[0].Effect: stands twice`},
		{"document member twice", `{"Statement":{` + allow + `},"Statement":{` + allow + `}}`, `Statement: stands twice`},
		{"member twice by an escape", `{"Statement":[{` + allow + `,"\u0045ffect":"Deny"}]}`, `Statement[0].Effect: stands twice`},

		{"sid", document(allow + `,"Sid":1`), `Statement.Sid: must be a string`},
		{"unknown member of a statement", document(allow + `,"Conditions":{}`), `Statement.Conditions: unknown member; a statement has Sid, Effect, Action, NotAction, Resource, NotResource and Condition`},
		{"principal", document(allow + `,"Principal":"*"`), `Statement.Principal: is not allowed in the policy of a caller, who is the principal`},
		{"not principal", document(allow + `,"NotPrincipal":"*"`), `Statement.NotPrincipal: is not allowed in the policy of a caller, who is the principal`},
		{"no effect", document(`"Action":"*","Resource":"*"`), `Statement: Effect is missing`},
		{"effect in lower case", document(`"Effect":"deny","Action":"*","Resource":"*"`), `Statement.Effect: must be "Allow" or "Deny"`},
		{"effect a list", document(`"Effect":["Deny"],"Action":"*","Resource":"*"`), `Statement.Effect: must be "Allow" or "Deny"`},
		{"no action", document(`"Effect":"Allow","Resource":"*"`), `Statement: Action or NotAction is missing`},
		{"two actions", document(allow + `,"NotAction":"*"`), `Statement: has both Action and NotAction`},
		{"no resource", document(`"Effect":"Allow","Action":"*"`), `Statement: Resource or NotResource is missing`},
		{"two resources", document(allow + `,"NotResource":"*"`), `Statement: has both Resource and NotResource`},
		{"no actions", document(`"Effect":"Allow","Action":[],"Resource":"*"`), `Statement.Action: must not be empty`},
		{"action a number", document(`"Effect":"Allow","Action":1,"Resource":"*"`), `Statement.Action: must be a string or a list of strings`},
		{"action in a list a list", document(`"Effect":"Allow","Action":["*",["*"]],"Resource":"*"`), `Statement.Action[1]: must be a string or a list of strings`},
		{"action without a service", document(`"Effect":"Deny","Action":["*","GET"],"Resource":"*"`), `Statement.Action[1]: must be "*" or a service and an action, like "apigateway:GET"`},
		{"empty action", document(`"Effect":"Deny","Action":"","Resource":"*"`), `Statement.Action: must be "*" or a service and an action, like "apigateway:GET"`},
		{"resource null", document(`"Effect":"Allow","Action":"*","Resource":null`), `Statement.Resource: must be a string or a list of strings`},
		{"empty resource", document(`"Effect":"Deny","Action":"*","Resource":""`), `Statement.Resource: must be "*" or an ARN, which has six parts: "arn:partition:service:region:account:resource"`},
		{"resource a path", document(`"Effect":"Deny","Action":"*","Resource":"/apis/*"`), `Statement.Resource: must be "*" or an ARN, which has six parts: "arn:partition:service:region:account:resource"`},
		{"resource without an account", document(`"Effect":"Deny","Action":"*","NotResource":["arn:aws:apigateway:us-east-1:/apis"]`), `Statement.NotResource[0]: must be "*" or an ARN, which has six parts: "arn:partition:service:region:account:resource"`},
		{"unclosed variable", resourcePolicy("arn:aws:s3:::${aws:username"), `Statement.Resource: unclosed "${"`},
		{"unclosed default", resourcePolicy("arn:aws:s3:::${aws:username, 'x}"), `Statement.Resource: the default of ${aws:username} has no closing quote`},
		{"default without quotes", resourcePolicy("arn:aws:s3:::${aws:username, x}"), `Statement.Resource: the default of ${aws:username} must be in single quotes`},
		{"text after a default", resourcePolicy("arn:aws:s3:::${aws:username, 'x'y}"), `Statement.Resource: unclosed "${"`},
		{"variable of nothing", resourcePolicy("arn:aws:s3:::${}"), `Statement.Resource: unknown condition key ""; ` + knownKeys},
		{"variable of an unknown key", resourcePolicy("arn:aws:s3:::${aws:userid}"), `Statement.Resource: unknown condition key "aws:userid"; ` + knownKeys},

		{"conditions a list", condition(`[]`), `Statement[1].Condition: must be an object`},
		{"unknown operator", condition(`{"StringEqual":{"aws:username":"x"}}`), `Statement[1].Condition.StringEqual: unknown operator`},
		{"operator in lower case", condition(`{"stringequals":{"aws:username":"x"}}`), `Statement[1].Condition.stringequals: unknown operator`},
		{"operator twice negated", condition(`{"NotStringNotEquals":{"aws:username":"x"}}`), `Statement[1].Condition.NotStringNotEquals: unknown operator`},
		{"unknown comparison", condition(`{"NumericLess":{"aws:username":"1"}}`), `Statement[1].Condition.NumericLess: unknown operator`},
		{"negated comparison", condition(`{"DateNotLessThan":{"aws:username":"1"}}`), `Statement[1].Condition.DateNotLessThan: unknown operator`},
		{"NullIfExists", condition(`{"NullIfExists":{"aws:username":"true"}}`), `Statement[1].Condition.NullIfExists: unknown operator`},
		{"Null of all values", condition(`{"ForAllValues:Null":{"aws:username":"true"}}`), `Statement[1].Condition.ForAllValues:Null: unknown operator`},
		{"unknown quantifier", condition(`{"ForSomeValues:StringLike":{"aws:username":"x"}}`), `Statement[1].Condition.ForSomeValues:StringLike: unknown operator`},
		{"two quantifiers", condition(`{"ForAllValues:ForAnyValue:StringLike":{"aws:username":"x"}}`), `Statement[1].Condition.ForAllValues:ForAnyValue:StringLike: unknown operator`},
		{"IfExists of nothing", condition(`{"IfExists":{"aws:username":"x"}}`), `Statement[1].Condition.IfExists: unknown operator`},
		{"operator of a string", condition(`{"StringLike":"x"}`), `Statement[1].Condition.StringLike: must be an object of condition keys`},
		{"operator without keys", condition(`{"StringLike":{}}`), `Statement[1].Condition.StringLike: must not be empty`},
		{"unknown key", condition(`{"StringLike":{"aws:userid":"x"}}`), `Statement[1].Condition.StringLike.aws:userid: unknown condition key "aws:userid"; ` + knownKeys},
		{"a key with a slash that has none", condition(`{"StringLike":{"aws:username/x":"x"}}`), `Statement[1].Condition.StringLike["aws:username/x"]: unknown condition key "aws:username/x"; ` + knownKeys},
		{"tag without a name", condition(`{"StringLike":{"aws:ResourceTag/":"x"}}`), `Statement[1].Condition.StringLike["aws:ResourceTag/"]: unknown condition key "aws:ResourceTag/"; ` + knownKeys},
		{"key twice", condition(`{"StringLike":{"aws:username":"x","aws:UserName":"y"}}`), `Statement[1].Condition.StringLike.aws:UserName: stands twice; the case of keys does not matter`},
		{"tag twice", condition(`{"StringLike":{"aws:ResourceTag/a":"x","aws:resourcetag/a":"y"}}`), `Statement[1].Condition.StringLike["aws:resourcetag/a"]: stands twice; the case of keys does not matter`},
		{"no values", condition(`{"StringLike":{"aws:username":[]}}`), `Statement[1].Condition.StringLike.aws:username: must not be empty`},
		{"value null", condition(`{"StringLike":{"aws:username":["x",null]}}`), `Statement[1].Condition.StringLike.aws:username[1]: must be a string, a number, a boolean or a list of them`},
		{"value an object", condition(`{"StringLike":{"aws:username":{}}}`), `Statement[1].Condition.StringLike.aws:username: must be a string, a number, a boolean or a list of them`},
		{"variable in a condition", condition(`{"StringLike":{"aws:username":"${aws:username"}}`), `Statement[1].Condition.StringLike.aws:username: unclosed "${"`},
		{"variable in an ARN", condition(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:x}:role"}}`), `Statement[1].Condition.ArnLike.aws:PrincipalArn: unknown condition key "aws:x"; ` + knownKeys},
		{"bad number", condition(`{"NumericEquals":{"aws:MultiFactorAuthAge":["1","x"]}}`), `Statement[1].Condition.NumericEquals.aws:MultiFactorAuthAge[1]: "x" is no number`},
		{"infinity", condition(`{"NumericEquals":{"aws:MultiFactorAuthAge":"inf"}}`), `Statement[1].Condition.NumericEquals.aws:MultiFactorAuthAge: "inf" is no number`},
		{"number out of range", condition(`{"NumericEquals":{"aws:MultiFactorAuthAge":1e999}}`), `Statement[1].Condition.NumericEquals.aws:MultiFactorAuthAge: "1e999" is no number`},
		{"boolean for a number", condition(`{"NumericEquals":{"aws:MultiFactorAuthAge":true}}`), `Statement[1].Condition.NumericEquals.aws:MultiFactorAuthAge: "true" is no number`},
		{"variable for a number", condition(`{"NumericEquals":{"aws:MultiFactorAuthAge":"${aws:username}"}}`), `Statement[1].Condition.NumericEquals.aws:MultiFactorAuthAge: "${aws:username}" is no number`},
		{"bad date", condition(`{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), `Statement[1].Condition.DateLessThan.aws:CurrentTime: "tomorrow" is no date, want one like 2030-12-31T23:59:59Z or seconds since 1970`},
		{"no such day", condition(`{"DateLessThan":{"aws:CurrentTime":"2026-02-30"}}`), `Statement[1].Condition.DateLessThan.aws:CurrentTime: "2026-02-30" is no date, want one like 2030-12-31T23:59:59Z or seconds since 1970`},
		{"a year", condition(`{"DateLessThan":{"aws:CurrentTime":2026}}`), `Statement[1].Condition.DateLessThan.aws:CurrentTime: "2026" is no date, want one like 2030-12-31T23:59:59Z or seconds since 1970`},
		{"milliseconds", condition(`{"DateLessThan":{"aws:CurrentTime":1772366400000}}`), `Statement[1].Condition.DateLessThan.aws:CurrentTime: "1772366400000" is no date, want one like 2030-12-31T23:59:59Z or seconds since 1970`},
		{"bad boolean", condition(`{"Bool":{"aws:SecureTransport":"yes"}}`), `Statement[1].Condition.Bool.aws:SecureTransport: "yes" is neither true nor false`},
		{"bad null", condition(`{"Null":{"aws:username":1}}`), `Statement[1].Condition.Null.aws:username: "1" is neither true nor false`},
		{"bad CIDR", condition(`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}}`), `Statement[1].Condition.IpAddress.aws:SourceIp[1]: "10.0.0.0/33" is neither an IP address nor a CIDR block`},
		{"bad address", condition(`{"NotIpAddress":{"aws:SourceIp":"10.0.0"}}`), `Statement[1].Condition.NotIpAddress.aws:SourceIp: "10.0.0" is neither an IP address nor a CIDR block`},
		{"address with a zone", condition(`{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`), `Statement[1].Condition.IpAddress.aws:SourceIp: "fe80::1%eth0" is neither an IP address nor a CIDR block`},
		{"mapped addresses and others", condition(`{"IpAddress":{"aws:SourceIp":"::ffff:10.0.0.0/95"}}`), `Statement[1].Condition.IpAddress.aws:SourceIp: "::ffff:10.0.0.0/95" is neither an IP address nor a CIDR block`},
		{"ARN of five parts", condition(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*"}}`), `Statement[1].Condition.ArnLike.aws:PrincipalArn: "arn:aws:iam::*" is no ARN, which has six parts: "arn:partition:service:region:account:resource"`},
		{"ARN in a variable", condition(`{"ArnLike":{"aws:PrincipalArn":"${aws:username}"}}`), `Statement[1].Condition.ArnLike.aws:PrincipalArn: "${aws:username}" is no ARN, which has six parts: "arn:partition:service:region:account:resource"`},
		{"not an ARN", condition(`{"ArnLike":{"aws:PrincipalArn":"urn:aws:iam::1:x"}}`), `Statement[1].Condition.ArnLike.aws:PrincipalArn: "urn:aws:iam::1:x" is no ARN, which has six parts: "arn:partition:service:region:account:resource"`},
	} {
		_, err := Parse(tt.policy, testKeys)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	_, err := Parse(document(allow+`,"Condition":{"Bool":{"aws:SecureTransport":true}}`), nil)
	if want := `Statement.Condition.Bool.aws:SecureTransport: unknown condition key "aws:SecureTransport"; none are known here`; err == nil || err.Error() != want {
		t.Errorf("without keys: got %v, want %s", err, want)
	}
}

func TestKeys(t *testing.T) {
	d := mustParse(t, `{"Version":"2012-10-17","Id":"i","Statement":[
		{"Sid":"a","Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${AWS:UserName}"},
		{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
			"StringEquals":{"AWS:RequestTag/Env":"${aws:PrincipalTag/env}"},
			"Bool":{"aws:SecureTransport":false}}}]}`)
	want := []string{"aws:principaltag/env", "aws:requesttag/Env", "aws:securetransport", "aws:username"}
	if got := d.Keys(); !slices.Equal(got, want) {
		t.Errorf("Keys: got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		key  string
		want bool
	}{
		{"aws:RequestTag/", true},
		{"aws:requesttag/ENV", true},
		{"aws:RequestTag/En", false},
		{"aws:PrincipalTag/", true},
		{"aws:ResourceTag/", false},
		{"aws:UserName", true},
		{"aws:User", false},
		{"aws:TagKeys", false},
	} {
		if got := d.Uses(tt.key); got != tt.want {
			t.Errorf("Uses(%s): got %t", tt.key, got)
		}
	}
}

// Values are asked for by statements about the action and the resource only.
func TestValuesAreAskedForLate(t *testing.T) {
	d := mustParse(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false}}},
		{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::x","Condition":{"Null":{"aws:TagKeys":true}}},
		{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
		{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"ada"}}}]}`)
	var asked []string
	r := testRequest(testAction, testResource)
	r.Values = func(key string) []string {
		asked = append(asked, key)
		return testValues[key]
	}
	if got := d.Evaluate(r); got != Allowed || !slices.Equal(asked, []string{"aws:sourceip"}) {
		t.Errorf("got %v, asked for %q", got, asked)
	}
	r.Values = nil
	if got := d.Evaluate(r); got != NotAllowed {
		t.Errorf("without values: got %v", got)
	}
}

func TestDecision(t *testing.T) {
	if got := fmt.Sprint(NotAllowed, Allowed, Denied); got != "not allowed allowed explicitly denied" {
		t.Errorf("got %s", got)
	}
	if max(NotAllowed, Allowed) != Allowed || max(Allowed, Denied) != Denied {
		t.Error("the greatest of several decisions must count")
	}
	if got := new(Document).Evaluate(testRequest(testAction, testResource)); got != NotAllowed {
		t.Errorf("the zero document: got %v", got)
	}
}

// Patterns that make a matcher try again and again are matched in a moment.
func TestPatternsTakeNoTime(t *testing.T) {
	long := "arn:aws:apigateway:us-east-1::/" + strings.Repeat("a", 10_000)
	for _, resource := range []string{
		"arn:" + strings.Repeat("a*", 10_000) + "b",
		"arn:" + strings.Repeat("*a", 10_000) + "b*",
		"arn:" + strings.Repeat("?*", 10_000) + "b",
		"arn:" + strings.Repeat("*a?", 5_000) + "b*",
		"arn:*" + strings.Repeat("a?", 4_000) + "b*",
	} {
		d := mustParse(t, resourcePolicy(resource))
		start := time.Now()
		if got := d.Evaluate(testRequest(testAction, long)); got != NotAllowed {
			t.Errorf("%.20s…: got %v", resource, got)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%.20s… took %v", resource, took)
		}
	}
}

// Every short pattern matches every short text as the slow definition of a match says.
func TestMatchIsItsDefinition(t *testing.T) {
	var define func(p, s string) bool
	define = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return define(p[1:], s) || s != "" && define(p, s[1:])
		default:
			return s != "" && (p[0] == '?' || p[0] == s[0]) && define(p[1:], s[1:])
		}
	}
	words := func(alphabet string, length int) []string {
		all := []string{""}
		for start := 0; length > 0; length-- {
			end := len(all)
			for _, w := range all[start:end] {
				for _, c := range alphabet {
					all = append(all, w+string(c))
				}
			}
			start = end
		}
		return all
	}
	texts := words("ab", 6)
	for _, p := range words("ab*?", 5) {
		pattern := wildcards(p)
		for _, s := range texts {
			if got, want := matchParts(pattern.parts, s), define(p, s); got != want {
				t.Fatalf("%q matches %q: got %t, want %t", p, s, got, want)
			}
		}
	}
}

// The places of all values together are much longer than this document.
func TestPlacesTakeNoMemory(t *testing.T) {
	text := `{"` + strings.Repeat("x", MaxLength/2) + `":[` + strings.Repeat("1,", MaxLength/4-10) + `1]}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Parse(text, nil); err == nil {
		t.Error("got no error")
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 16<<20 {
		t.Errorf("allocated %d bytes for a document of %d", allocated, len(text))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:*"],"Resource":"arn:aws:apigateway:*::/apis/${aws:username, 'x'}*"}]}`)
	f.Add(denyPolicy(`{"StringNotLike":{"aws:ResourceTag/Owner":["a*?b","${*}"]},"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}`))
	f.Add(denyPolicy(`{"NumericLessThanIfExists":{"aws:MultiFactorAuthAge":3.5e1},"DateGreaterThan":{"aws:CurrentTime":"2026-03-01T12:00Z"}}`))
	f.Add(denyPolicy(`{"NotIpAddress":{"aws:SourceIp":["::ffff:10.0.0.0/104","2001:db8::/32"]},"Null":{"aws:username":true},"Bool":{"aws:SecureTransport":"false"}}`))
	f.Add(denyPolicy(`{"ForAnyValue:ArnNotLike":{"aws:PrincipalArn":"arn:*:${aws:username}:?::*:x"},"StringEqualsIgnoreCase":{"aws:username":"${aws:username}X"}}`))
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":"a:b","NotResource":"*a*a*a*a*b"}}`)
	f.Add(`{"Statement":{"Effect":"Allow","Effect":"Deny"}}`)
	f.Add(`[[[[[[[[[[`)
	resources := []string{"", testResource, "arn:" + strings.Repeat("a", 1000), "\xff:\xff:::\xff:::", "arn:aws:s3:::*?"}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text, testKeys)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		start := time.Now()
		for _, resource := range resources {
			r := testRequest(testAction, resource)
			got := d.Evaluate(r)
			if again := d.Evaluate(r); again != got {
				t.Fatalf("%q: got %v, then %v", resource, got, again)
			}
			asked := map[string]bool{}
			r.Values = func(key string) []string {
				asked[key] = true
				return []string{"\xff", "a"}
			}
			d.Evaluate(r)
			for key := range asked {
				if !slices.Contains(d.Keys(), key) {
					t.Fatalf("%q is asked for and not among %q", key, d.Keys())
				}
			}
			r.Values = nil
			d.Evaluate(r)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	for _, bb := range []struct{ name, policy string }{
		{"all", document(`"Effect":"Allow","Action":"*","Resource":"*"`)},
		{"wildcards", document(`"Effect":"Allow","Action":["apigateway:PUT","apigateway:G*"],"Resource":["arn:aws:apigateway:*::/domainnames/*","arn:aws:apigateway:us-east-1::/apis/*/routes/*"]`)},
		{"variable", resourcePolicy("arn:aws:apigateway:us-east-1::/apis/${aws:PrincipalTag/Path}/*")},
		{"conditions", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"apigateway:*","Resource":"*"},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}},
			{"Effect":"Deny","Action":"apigateway:*","Resource":"*","Condition":{"StringNotEquals":{"aws:ResourceTag/Owner":["Ada","Bob"]}}}]}`},
	} {
		d := mustParse(b, bb.policy)
		r := testRequest(testAction, testResource)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d.Evaluate(r) == Denied {
					b.Fatal("denied")
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := denyPolicy(`{"StringNotLike":{"aws:ResourceTag/Owner":["a*","b*"]},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`)
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, text)
	}
}
