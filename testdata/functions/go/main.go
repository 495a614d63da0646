// A Lambda function in Go for the tests: what it does is the last part of the path.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

var invocations int

var kept [][]byte

func handle(_ context.Context, event events.APIGatewayV2HTTPRequest) (*events.APIGatewayV2HTTPResponse, error) {
	invocations++
	r := &events.APIGatewayV2HTTPResponse{StatusCode: 200, Headers: map[string]string{"content-type": "text/plain"}}
	switch what := path.Base(event.RawPath); what {
	case "ok":
		r.Body = fmt.Sprint("go ", event.RequestContext.HTTP.Method)
	case "version":
		r.Body = os.Getenv("_HANDLER")
	case "count":
		r.Body = fmt.Sprint(invocations)
	case "throw":
		return nil, errors.New("thrown by go")
	case "panic":
		panic("panic in go")
	case "sleep":
		time.Sleep(time.Minute)
	case "nap":
		time.Sleep(100 * time.Millisecond)
	case "crash":
		os.Exit(3)
	case "memory":
		for {
			b := make([]byte, 16<<20+100)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
			time.Sleep(10 * time.Millisecond)
		}
	case "big":
		r.Body = strings.Repeat("x", 6<<20+100)
	case "binary":
		r.Headers["content-type"] = "image/png"
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte{0x89, 'P', 'N', 'G', 0, 0xff}), true
	case "cookies":
		r.Cookies = []string{"a=1; Path=/", "b=2"}
		r.Body = strings.Join(event.Cookies, "|")
	default:
		r.StatusCode = 404
	}
	return r, nil
}

func stream(context.Context, events.LambdaFunctionURLRequest) (*events.LambdaFunctionURLStreamingResponse, error) {
	return &events.LambdaFunctionURLStreamingResponse{
		StatusCode: 201, Headers: map[string]string{"content-type": "text/plain", "x-by": "go"}, Cookies: []string{"s=1"},
		Body: bytes.NewReader([]byte("first second")),
	}, nil
}

func main() {
	switch os.Getenv("_HANDLER") {
	case "init":
		os.Exit(7)
	case "stream":
		lambda.Start(stream)
	default:
		lambda.Start(handle)
	}
}
