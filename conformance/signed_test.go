//go:build conformance

package conformance

import (
	"context"
	"strings"
	"testing"
)

// TestSigned calls routes with the authorization type AWS_IAM by the signers of
// botocore. Whatever is wrong, the answer is the same.
func TestSigned(t *testing.T) {
	t.Parallel()
	up := record200(t)
	p := newPlane(t, build(t), testerConfig+`
  - accessKeyId: AKIDREADER
    secretAccessKey: reads/only
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Action: execute-api:Invoke
          Resource: arn:aws:execute-api:us-east-1:000000000000:*/*/GET/*
        - Effect: Deny
          Action: execute-api:Invoke
          Resource: arn:aws:execute-api:us-east-1:000000000000:*/*/GET/secrets/*
`, tester)
	api := p.api("signed", nil)
	p.ok("CreateStage", object{"ApiId": api, "StageName": "live", "AutoDeploy": true})
	p.route(api, "ANY /{proxy+}", p.integration(api, up.URL+"/{proxy}", nil), object{"AuthorizationType": "AWS_IAM"})
	python, err := converse(t, nil, "/usr/bin/python3", "signed.py")
	if err != nil {
		t.Fatal(err)
	}
	// The address is of the machine, the host that is signed the API's.
	at := func(path string) string { return p.listen + path }
	base := object{ // what signed.py reads
		"method": "GET", "url": at("/pets"), "host": host(api) + ":" + port(p.listen), "headers": nil, "body": "",
		"key": tester.AccessKeyID, "secret": tester.SecretAccessKey, "token": tester.SessionToken, "region": "us-east-1", "service": "execute-api",
		"presign": false, "expires": 60, "skew": 0, "sent": nil,
	}
	reader := func(more object) object {
		return with(object{"key": "AKIDREADER", "secret": "reads/only", "token": ""}, more)
	}
	// odd are characters that signers, clients and servers write in different ways.
	const odd = "?b=2&a=2&a=1&a=10&slash=%2F&space=a%20b&plus=a%2Bb&tilde=~x&umlaut=%C3%BC&empty=&A=upper&a-b=3&a.b=4&at=%40&star=%2A"
	long := strings.Repeat("0123456789abcdef", 16<<10)
	const window = 5 * 60 // seconds

	for _, tt := range []struct {
		name   string
		change object
		want   string // what the upstream gets; empty if the request must be refused
	}{
		{"GET", object{}, "GET /pets"},
		{"a stage", object{"url": at("/live/pets")}, "GET /pets"},
		{"query", object{"url": at("/pets" + odd)}, "GET /pets" + odd},
		{"escaped path", object{"url": at("/a%20b/c%C3%BC/~d/e")}, "GET /a%20b/c%C3%BC/~d/e"},
		{"headers", object{"headers": object{"X-Spaces": "  a   b  ", "x-empty": ""}}, "GET /pets"},
		{"body", object{"method": "POST", "body": `{"pet":"Ünicorn"}`}, "POST /pets"},
		{"no body", object{"method": "POST"}, "POST /pets"},
		{"long body", object{"method": "PUT", "body": long}, "PUT /pets"},
		{"DELETE", object{"method": "DELETE"}, "DELETE /pets"},
		{"presigned", object{"presign": true}, "GET /pets?"},
		{"presigned with a query", object{"presign": true, "url": at("/pets?b=2&a=%2F&space=a%20b")}, "GET /pets?b=2&a=%2F&space=a%20b&"},
		{"presigned, in its last minute", object{"presign": true, "expires": 600, "skew": -570}, "GET /pets?"},
		{"clock behind by 4 minutes", object{"skew": -window + 60}, "GET /pets"},
		{"clock ahead by 4 minutes", object{"skew": window - 60}, "GET /pets"},
		{"policy allows", reader(nil), "GET /pets"},

		{"wrong secret", object{"secret": "x"}, ""},
		{"unknown key", object{"key": "AKIDNOBODY"}, ""},
		{"wrong session token", object{"token": "x"}, ""},
		{"no session token", object{"token": ""}, ""},
		{"another region", object{"region": "eu-west-1"}, ""},
		{"another service", object{"service": "apigateway"}, ""},
		{"clock behind by 6 minutes", object{"skew": -window - 60}, ""},
		{"clock ahead by 6 minutes", object{"skew": window + 60}, ""},
		{"presigned, expired", object{"presign": true, "skew": -61}, ""},
		{"presigned, wrong secret", object{"presign": true, "secret": "x"}, ""},
		{"presigned, another region", object{"presign": true, "region": "eu-west-1"}, ""},
		{"policy is silent", reader(object{"method": "DELETE"}), ""},
		{"policy denies", reader(object{"url": at("/secrets/1")}), ""},
		{"policy denies, escaped", reader(object{"url": at("/%73ecrets/1")}), ""},
		{"presigned, policy denies", reader(object{"presign": true, "url": at("/secrets/1")}), ""},
		{"query changed", object{"url": at("/pets?a=1"), "sent": object{"url": at("/pets?a=2")}}, ""},
		{"path changed", object{"sent": object{"url": at("/toys")}}, ""},
		{"body changed", object{"method": "POST", "body": "one", "sent": object{"body": "two"}}, ""},
		{"long body changed", object{"method": "POST", "body": long + "1", "sent": object{"body": long + "2"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), stepTime)
			defer cancel()
			var got response
			if _, err := python.ask(ctx, with(base, tt.change), &got); err != nil {
				t.Fatal(err)
			}
			sent := strings.Join(up.taken(), " and ")
			switch {
			case tt.want == "":
				if got.Status != 403 || got.Body != `{"message":"Forbidden"}` || sent != "" {
					t.Errorf("got %d %q, and the upstream %q; want 403 Forbidden and nothing", got.Status, got.Body, sent)
				}
			case got.Status != 200 || got.Body != "Ada":
				t.Errorf("got %d %q, want 200", got.Status, got.Body)
			case sent != tt.want && !(tt.change["presign"] == true && strings.HasPrefix(sent, tt.want)):
				t.Errorf("upstream got %q, want %q", sent, tt.want)
			}
		})
	}
	if got := curl(t, "-H", "Host: "+base["host"].(string), p.listen+"/pets"); got.status != 403 || got.body != `{"message":"Forbidden"}` {
		t.Errorf("unsigned: got %d %q, want 403 Forbidden", got.status, got.body)
	}
}
