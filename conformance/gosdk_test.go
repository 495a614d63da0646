//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"
	smithymiddleware "github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A goSDK calls the AWS SDK for Go in this process.
type goSDK struct{ sdk *apigatewayv2.Client }

func openGo(t *testing.T, endpoint string, as *credentials) client {
	// A connection that was opened and not used would keep the server from ending
	// for a while.
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	options := apigatewayv2.Options{
		HTTPClient:       &http.Client{Transport: transport},
		Region:           "us-east-1",
		BaseEndpoint:     &endpoint,
		RetryMaxAttempts: 1,
		Credentials:      aws.AnonymousCredentials{},
	}
	if as != nil {
		options.Credentials = static.NewStaticCredentialsProvider(as.AccessKeyID, as.SecretAccessKey, as.SessionToken)
	}
	return goSDK{apigatewayv2.New(options)}
}

// knows returns the methods that have the form of operations.
func (c goSDK) knows(context.Context) (map[string]ability, error) {
	known := map[string]ability{}
	sdk := reflect.ValueOf(c.sdk)
	for i := range sdk.NumMethod() {
		name, t := sdk.Type().Method(i).Name, sdk.Method(i).Type()
		if t.IsVariadic() && t.NumIn() == 3 && t.In(1).Kind() == reflect.Pointer && t.In(1).Elem().Name() == name+"Input" {
			known[name] = ability{Pages: name == "ListRoutingRules"}
		}
	}
	return known, nil
}

func (c goSDK) call(ctx context.Context, op string, in object) (answer, error) {
	method := reflect.ValueOf(c.sdk).MethodByName(op)
	if !method.IsValid() {
		return answer{}, fmt.Errorf("the SDK has no operation %s", op)
	}
	input := reflect.New(method.Type().In(1).Elem())
	if err := decode(in, input.Interface()); err != nil {
		return answer{}, err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, failed := results[1].Interface().(error); failed {
		return answer{}, goError(err)
	}
	output := results[0].Elem()
	a := answer{out: plain(output).(object)}
	if body := payload(op); body != "" { // which the model writes in lower case
		field := strings.ToUpper(body[:1]) + body[1:]
		a.out[body] = a.out[field]
		delete(a.out, field)
	}
	metadata := output.FieldByName("ResultMetadata").Interface().(smithymiddleware.Metadata)
	if raw, ok := middleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		a.status = raw.StatusCode
	}
	return a, nil
}

// all pages through the one list that this SDK pages through.
func (c goSDK) all(ctx context.Context, op string, in object, size int) (object, error) {
	if op != "ListRoutingRules" {
		return nil, fmt.Errorf("the SDK does not page through %s", op)
	}
	var input apigatewayv2.ListRoutingRulesInput
	if err := decode(in, &input); err != nil {
		return nil, err
	}
	var items list
	pages := apigatewayv2.NewListRoutingRulesPaginator(c.sdk, &input, func(o *apigatewayv2.ListRoutingRulesPaginatorOptions) {
		o.Limit = int32(size)
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, goError(err)
		}
		items = append(items, plain(reflect.ValueOf(page.RoutingRules)).(list)...)
	}
	return object{"RoutingRules": items}, nil
}

// decode fills the input of an operation, which must have all members of in.
func decode(in object, input any) error {
	text, err := json.Marshal(in)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(input)
}

// goError returns an error of the service as what it is, and others as they are.
func goError(err error) error {
	var e smithy.APIError
	if !errors.As(err, &e) {
		return err
	}
	class := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", e), "*types."), "*smithy.")
	return &apiError{class, e.ErrorCode(), e.ErrorMessage()}
}

// plain turns an output of the SDK into what encoding/json would have made of
// the answer: members that are not set are not there.
func plain(v reflect.Value) any {
	if t, ok := v.Interface().(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return plain(v.Elem())
	case reflect.Struct:
		out := object{}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.IsExported() && field.Name != "ResultMetadata" && !v.Field(i).IsZero() {
				out[field.Name] = plain(v.Field(i))
			}
		}
		return out
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		out := make(list, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	case reflect.Map:
		out := object{}
		for key, value := range v.Seq2() {
			out[key.String()] = plain(value)
		}
		return out
	case reflect.String:
		return v.String() // enumerations too
	}
	return v.Interface()
}

// loopback reaches every name at 127.0.0.1: names under localhost are loopback,
// but not every resolver knows that.
var loopback = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
	DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	},
}}

func (c goSDK) fetch(ctx context.Context, r request) (response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return response{}, err
	}
	for name, value := range r.Headers {
		req.Header.Set(name, value)
	}
	resp, err := loopback.Do(req)
	if err != nil {
		return response{}, err
	}
	return plainResponse(resp)
}
