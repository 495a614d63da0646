package service

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/gateway"
	"penstock/internal/integration"
)

// Whatever a service answers, what is told of it is one short line without secrets, and
// what is told of a request has no values of its query.
func FuzzTold(f *testing.F) {
	f.Add("", `{"__type":"a#AccessDenied:b","message":"x"}`, "/?a=b")
	f.Add("a#b:c", "<Error><Code>A</Code><Message>b&amp;</Message></Error>", "/a?b")
	f.Add(" # : ", "<Code><Code>", "?=&&")
	f.Add("", `{"Error":{"Code":5}}`, "")
	c, x := &Client{}, newExchange(f)
	who := &aws.Credentials{SecretAccessKey: "hidden+secret", SessionToken: "hidden+token"}
	f.Fuzz(func(t *testing.T, kind, body, target string) {
		x.Integration.Answer, x.Integration.RequestID = "", ""
		in := &integration.Incoming{Status: 403, Header: []gateway.Field{{Name: "X-Amzn-ErrorType", Value: kind}}, Body: []byte(body)}
		_ = c.judge(x, request("sqs", "us-east-1"), in, who)
		if a := x.Integration.Answer; len(a) > maxErrorText || !utf8.ValidString(a) || strings.ContainsFunc(a, unicode.IsControl) ||
			strings.Contains(a, who.SecretAccessKey) || strings.Contains(a, who.SessionToken) {
			t.Errorf("told %q", a)
		}
		r := request("sqs", "us-east-1")
		r.Target = target
		_, query, _ := strings.Cut(target, "?")
		if told := describe(r, "AKIA"); query != "" && strings.Contains(told[:strings.Index(told, " X-Amz-Target")], "=") && !strings.Contains(target[:strings.Index(target, "?")], "=") {
			t.Errorf("told %q of %q", told, target)
		}
	})
}
