package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	lambdafunction "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// A demoFunction is a Lambda function of the demo.
type demoFunction struct {
	name    string
	runtime types.Runtime
	handler string
	file    string // in the zip
	mode    os.FileMode
	text    string
	// variables are its environment.
	variables map[string]string
}

// greeterHandler is the handler of a function that this program is, too.
const greeterHandler = "penstock.demo.greeter"

// demoFunctions returns the functions of the demo: two that are written in Go and part of
// this program, and one for Node.js if that is installed. The server is the URL that APIs
// are served on: functions do not find names under localhost everywhere.
func demoFunctions(server string) ([]demoFunction, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	own := func(name, handler string, variables map[string]string) demoFunction {
		variables["PROGRAM"] = self
		return demoFunction{
			name: name, runtime: types.RuntimeProvidedal2023, handler: handler,
			file: "bootstrap", mode: 0o755, text: "#!/bin/sh\nexec \"$PROGRAM\"\n", variables: variables,
		}
	}
	all := []demoFunction{
		own("greeter", greeterHandler, map[string]string{}),
		own("chat", chatHandler, map[string]string{"SERVER": server}),
	}
	if version, err := exec.Command("node", "--version").Output(); err == nil {
		all = append(all, demoFunction{
			name: "greeter-js", runtime: nodeRuntime(string(version)), handler: "index.handler",
			file: "index.mjs", mode: 0o644, text: `export const handler = async (event) => ({
  message: ` + "`Hello ${event.pathParameters.name}, from Node.js ${process.version}`" + `,
});
`,
		})
	}
	return all, nil
}

// nodeRuntime returns the runtime of a version of Node.js, such as v22.1.0; one that is
// near if it has none.
func nodeRuntime(version string) types.Runtime {
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if r := types.Runtime("nodejs" + major + ".x"); slices.Contains(r.Values(), r) {
		return r
	}
	return types.RuntimeNodejs22x
}

// function returns what this process was started to be: a function of the demo. It is nil
// if the process is anything else.
func (p *program) function() func() {
	if p.getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return nil
	}
	switch p.getenv("_HANDLER") {
	case greeterHandler:
		return serveGreeter
	case chatHandler:
		return func() { serveChat(p.getenv) }
	}
	return nil
}

// greet answers a request of an HTTP API.
func greet(_ context.Context, event events.APIGatewayV2HTTPRequest) (map[string]string, error) {
	name := event.PathParameters["name"]
	if name == "nobody" {
		return nil, errors.New("there is nobody to greet")
	}
	return map[string]string{"message": "Hello " + name + ", from " + runtime.Version()}, nil
}

// serveGreeter answers invocations until the process is ended.
func serveGreeter() { lambdafunction.Start(greet) }

// createFunctions makes the functions through the Lambda API, with the official SDK.
func (d *demo) createFunctions(ctx context.Context) error {
	all, err := demoFunctions(d.server.URL())
	if err != nil {
		return err
	}
	d.arns = map[string]string{}
	for _, f := range all {
		code, err := f.zip()
		if err != nil {
			return err
		}
		in := &lambda.CreateFunctionInput{
			FunctionName: &f.name, Runtime: f.runtime, Handler: &f.handler, Timeout: aws.Int32(10), MemorySize: aws.Int32(512),
			Role: aws.String("arn:aws:iam::000000000000:role/demo"),
			Code: &types.FunctionCode{ZipFile: code},
		}
		if f.variables != nil {
			in.Environment = &types.Environment{Variables: f.variables}
		}
		out, err := d.lambda.CreateFunction(ctx, in)
		if err != nil {
			return err
		}
		d.arns[f.name] = aws.ToString(out.FunctionArn)
	}
	return nil
}

// zip returns the code as it is uploaded.
func (f *demoFunction) zip() ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: f.file, Method: zip.Deflate}
	header.SetMode(f.mode)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(f.text)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
