// Command go is a Lambda function for HTTP APIs that is written with aws-lambda-go. It
// takes events of both payload formats. Tests and the demonstration build it as bootstrap.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() { lambda.Start(handle) }

// png is the shortest PNG of one pixel, in base64.
const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="

// cookies are what /cookies sets.
var cookies = []string{"a=1; Path=/; HttpOnly", "b=2; Path=/; HttpOnly"}

// A request is what the function reads of an event of either format.
type request struct {
	path, name, cookie string
	body               []byte
}

// handle answers an event in the format that it came in.
func handle(_ context.Context, event json.RawMessage) (any, error) {
	var format struct{ Version string }
	if err := json.Unmarshal(event, &format); err != nil {
		return nil, err
	}
	if format.Version == "2.0" {
		return handleV2(event)
	}
	return handleV1(event)
}

func handleV1(event json.RawMessage) (any, error) {
	var e events.APIGatewayProxyRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	body, err := decode(e.Body, e.IsBase64Encoded)
	if err != nil {
		return nil, err
	}
	in := request{path: e.Path, name: e.QueryStringParameters["name"], body: body}
	for name, value := range e.Headers {
		if strings.EqualFold(name, "cookie") {
			in.cookie = value
		}
	}
	out, err := answer(in)
	if err != nil {
		return nil, err
	}
	return events.APIGatewayProxyResponse{
		StatusCode: out.StatusCode, Headers: out.Headers, MultiValueHeaders: map[string][]string{"set-cookie": out.Cookies},
		Body: out.Body, IsBase64Encoded: out.IsBase64Encoded,
	}, nil
}

func handleV2(event json.RawMessage) (any, error) {
	var e events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	body, err := decode(e.Body, e.IsBase64Encoded)
	if err != nil {
		return nil, err
	}
	return answer(request{e.RawPath, e.QueryStringParameters["name"], strings.Join(e.Cookies, "; "), body})
}

func decode(body string, encoded bool) ([]byte, error) {
	if encoded {
		return base64.StdEncoding.DecodeString(body)
	}
	return []byte(body), nil
}

// answer is what the function does, with a response in format 2.0.
func answer(in request) (events.APIGatewayV2HTTPResponse, error) {
	switch in.path {
	case "/hello":
		return object(map[string]string{"message": "Hello, " + in.name})
	case "/echo":
		return object(json.RawMessage(in.body))
	case "/form":
		values, err := url.ParseQuery(string(in.body))
		if err != nil {
			return events.APIGatewayV2HTTPResponse{}, err
		}
		fields := map[string]string{}
		for name := range values {
			fields[name] = values.Get(name)
		}
		return object(fields)
	case "/upload":
		sum := sha256.Sum256(in.body)
		return events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Body: base64.StdEncoding.EncodeToString(in.body), IsBase64Encoded: true,
			Headers: map[string]string{"content-type": "application/octet-stream", "x-sha256": hex.EncodeToString(sum[:])},
		}, nil
	case "/cookies":
		out, err := object(map[string]string{"cookie": in.cookie})
		out.Cookies = cookies
		return out, err
	case "/binary":
		return events.APIGatewayV2HTTPResponse{
			StatusCode: 200, Headers: map[string]string{"content-type": "image/png"}, Body: png, IsBase64Encoded: true,
		}, nil
	default:
		return events.APIGatewayV2HTTPResponse{}, errors.New("no such pet")
	}
}

// object returns a response with a JSON text.
func object(v any) (events.APIGatewayV2HTTPResponse, error) {
	var text strings.Builder
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false)
	if err := to.Encode(v); err != nil {
		return events.APIGatewayV2HTTPResponse{}, err
	}
	return events.APIGatewayV2HTTPResponse{
		StatusCode: 200, Headers: map[string]string{"content-type": "application/json"}, Body: strings.TrimSuffix(text.String(), "\n"),
	}, nil
}
