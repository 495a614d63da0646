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
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"
)

// A goSDK calls the AWS SDK for Go in this process.
type goSDK struct{ sdk *apigatewayv2.Client }

func openGo(_ *testing.T, endpoint string, as *credentials) client {
	options := apigatewayv2.Options{
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

func (c goSDK) call(ctx context.Context, op string, in object) (object, error) {
	method := reflect.ValueOf(c.sdk).MethodByName(op)
	if !method.IsValid() {
		return nil, fmt.Errorf("the SDK has no operation %s", op)
	}
	input := reflect.New(method.Type().In(1).Elem())
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(input.Interface()); err != nil {
		return nil, err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, failed := results[1].Interface().(error); failed {
		var e smithy.APIError
		if !errors.As(err, &e) {
			return nil, err
		}
		class := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", e), "*types."), "*smithy.")
		return nil, &apiError{class, e.ErrorCode(), e.ErrorMessage()}
	}
	return plain(results[0].Elem()).(object), nil
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
