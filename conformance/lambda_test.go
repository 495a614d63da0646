//go:build conformance

package conformance

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestFunctionsByBoto3 makes a function of a zip, serves an API by it, changes it and
// deletes it, with Debian's boto3.
func TestFunctionsByBoto3(t *testing.T) {
	ports := freePorts(t, 2)
	s := openTerminal(t, "http://127.0.0.1:"+ports[1])
	s.run(t, "penstock serve --memory --listen 127.0.0.1:"+ports[0]+" --admin 127.0.0.1:"+ports[1]+" --log-level warn &")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "/usr/bin/python3", "functions.py", "http://127.0.0.1:"+ports[1], "http://127.0.0.1:"+ports[0])
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := strings.TrimSpace(`
created arn:aws:lambda:us-east-1:000000000000:function:boto Active 1
invoked 200 $LATEST {'statusCode': 200, 'body': 'one calm'}
served 200 one calm
updated 200 two calm
configured 200 two glad
alias 2 1 one calm
versions $LATEST 1 2
policy api
tags {'team': 'pets'}
event 202
gone ResourceNotFoundException 404
gone ResourceNotFoundException 404
served 500 {"message":"Internal Server Error"}`)
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFunctionsByCLI does the same with Debian's AWS CLI.
func TestFunctionsByCLI(t *testing.T) {
	ports := freePorts(t, 2)
	s := openTerminal(t, "http://127.0.0.1:"+ports[1])
	s.run(t, "penstock serve --memory --listen 127.0.0.1:"+ports[0]+" --admin 127.0.0.1:"+ports[1]+" --log-level warn &")
	write(t, s.path("app.mjs"), []byte(`export const handler = async (event) => ({ statusCode: 200, body: "one " + (process.env.MOOD ?? "calm") });`))
	write(t, s.path("two.mjs"), []byte(`export const handler = async (event) => ({ statusCode: 200, body: "two " + (process.env.MOOD ?? "calm") });`))
	const get = "curl -s 'http://127.0.0.1:PORT/_aws/execute-api/'$API'/$default/a'; echo"
	for _, step := range []consoleStep{
		{"export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=; lambda() { aws --endpoint-url http://127.0.0.1:" + ports[1] + ` lambda "$@"; }; api() { aws --endpoint-url http://127.0.0.1:` + ports[1] + ` apigatewayv2 "$@"; }`, ""},
		{"zip -q one.zip app.mjs; mv two.mjs app.mjs; zip -q two.zip app.mjs", ""},
		{"lambda create-function --function-name cli --runtime nodejs20.x --role arn:aws:iam::000000000000:role/any --handler app.handler --timeout 10 --memory-size 256 --zip-file fileb://one.zip --query State --output text", "Active"},
		{"lambda wait function-active-v2 --function-name cli", ""},
		{"lambda invoke --function-name cli --log-type Tail out.json --query StatusCode --output text; cat out.json; echo", "200\n{\"statusCode\":200,\"body\":\"one calm\"}"},
		{"API=$(api create-api --name cli --protocol-type HTTP --target arn:aws:lambda:us-east-1:000000000000:function:cli --query ApiId --output text)", ""},
		{get, "one calm"},
		{"lambda update-function-code --function-name cli --zip-file fileb://two.zip --query LastUpdateStatus --output text", "Successful"},
		{get, "two calm"},
		{"lambda update-function-configuration --function-name cli --environment Variables={MOOD=glad} --query Environment.Variables.MOOD --output text", "glad"},
		{get, "two glad"},
		{"curl -s $(lambda get-function --function-name cli --query Code.Location --output text) -o got.zip; cmp got.zip two.zip", ""},
		{"lambda list-functions --query 'Functions[].FunctionName' --output text", "cli"},
		{"lambda delete-function --function-name cli", ""},
		{get, `{"message":"Internal Server Error"}`},
		{"lambda get-function --function-name cli", "An error occurred (ResourceNotFoundException) when calling the GetFunction operation: Function not found: arn:aws:lambda:us-east-1:000000000000:function:cli"},
	} {
		step.command = strings.ReplaceAll(step.command, "PORT", ports[0])
		if got := s.run(t, step.command); !printed(step.output, got) {
			t.Errorf("$ %s\ngot:\n%s\nwant:\n%s", step.command, got, step.output)
		}
	}
}
