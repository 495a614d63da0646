package function

import (
	"errors"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// client returns the official client of a registry behind a socket.
func (s *registry) client() *sdk.Client {
	listener := httptest.NewServer(s)
	s.t.Cleanup(listener.Close)
	return sdk.New(sdk.Options{
		BaseEndpoint: &listener.URL,
		Region:       testRegion,
		Credentials:  credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
		Retryer:      aws.NopRetryer{},
	})
}

// The official client makes a function, waits for it, changes it and takes it down.
func TestSDK(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	client, ctx := s.client(), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name := new("pets")
	created, err := client.CreateFunction(ctx, &sdk.CreateFunctionInput{
		FunctionName: name, Role: new(testRole), Runtime: types.RuntimeNodejs22x, Handler: new("index.handler"),
		Code: &types.FunctionCode{ZipFile: zipOf("one")}, Tags: map[string]string{"a": "b"}, Publish: true,
		Environment: &types.Environment{Variables: map[string]string{"KEY": "v"}},
	})
	must(err)
	if *created.Version != "1" || created.State != types.StateActive || created.Environment.Variables["KEY"] != "v" {
		t.Errorf("got %+v", created)
	}
	must(sdk.NewFunctionActiveV2Waiter(client).Wait(ctx, &sdk.GetFunctionInput{FunctionName: name}, time.Minute))
	must(sdk.NewFunctionUpdatedV2Waiter(client).Wait(ctx, &sdk.GetFunctionInput{FunctionName: name}, time.Minute))
	must(sdk.NewPublishedVersionActiveWaiter(client).Wait(ctx, &sdk.GetFunctionConfigurationInput{FunctionName: name, Qualifier: new("1")}, time.Minute))

	updated, err := client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: new(int32(9)), RevisionId: created.RevisionId})
	if conflict := (*types.PreconditionFailedException)(nil); !errors.As(err, &conflict) { // it is that of version 1
		t.Errorf("got %+v, %v", updated, err)
	}
	updated, err = client.UpdateFunctionConfiguration(ctx, &sdk.UpdateFunctionConfigurationInput{FunctionName: name, Timeout: new(int32(9))})
	must(err)
	code, err := client.UpdateFunctionCode(ctx, &sdk.UpdateFunctionCodeInput{FunctionName: name, ZipFile: zipOf("two"), RevisionId: updated.RevisionId})
	must(err)
	version, err := client.PublishVersion(ctx, &sdk.PublishVersionInput{FunctionName: name, CodeSha256: code.CodeSha256})
	must(err)
	if *version.Version != "2" || *version.Timeout != 9 || *version.FunctionArn != s.arn("pets")+":2" {
		t.Errorf("got %+v", version)
	}
	alias, err := client.CreateAlias(ctx, &sdk.CreateAliasInput{
		FunctionName: name, Name: new("live"), FunctionVersion: new("1"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.5}},
	})
	must(err)
	if *alias.AliasArn != s.arn("pets")+":live" || alias.RoutingConfig.AdditionalVersionWeights["2"] != 0.5 {
		t.Errorf("got %+v", alias)
	}
	_, err = client.AddPermission(ctx, &sdk.AddPermissionInput{FunctionName: name, Qualifier: new("live"), StatementId: new("s"), Action: new("lambda:InvokeFunction"), Principal: new("apigateway.amazonaws.com")})
	must(err)
	_, err = client.GetPolicy(ctx, &sdk.GetPolicyInput{FunctionName: name, Qualifier: new("live")})
	must(err)
	answered, err := client.Invoke(ctx, &sdk.InvokeInput{FunctionName: name, Qualifier: new("2"), Payload: []byte(`{}`)})
	must(err)
	if string(answered.Payload) != `"two"` || *answered.ExecutedVersion != "2" {
		t.Errorf("got %+v", answered)
	}
	_, err = client.PutFunctionConcurrency(ctx, &sdk.PutFunctionConcurrencyInput{FunctionName: name, ReservedConcurrentExecutions: new(int32(2))})
	must(err)
	got, err := client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: name})
	must(err)
	if *got.Concurrency.ReservedConcurrentExecutions != 2 || got.Tags["a"] != "b" || *got.Configuration.LastModified != "2026-11-24T09:10:11.123+0000" || got.Configuration.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("got %+v", got)
	}
	_, err = client.DeleteFunctionConcurrency(ctx, &sdk.DeleteFunctionConcurrencyInput{FunctionName: name})
	must(err)
	arn := new(s.arn("pets"))
	_, err = client.TagResource(ctx, &sdk.TagResourceInput{Resource: arn, Tags: map[string]string{"c d": "e/f"}})
	must(err)
	_, err = client.UntagResource(ctx, &sdk.UntagResourceInput{Resource: arn, TagKeys: []string{"a", "x"}})
	must(err)
	tags, err := client.ListTags(ctx, &sdk.ListTagsInput{Resource: arn})
	must(err)
	if !reflect.DeepEqual(tags.Tags, map[string]string{"c d": "e/f"}) {
		t.Errorf("got %v", tags.Tags)
	}
	n := 0
	for pages := sdk.NewListVersionsByFunctionPaginator(client, &sdk.ListVersionsByFunctionInput{FunctionName: name, MaxItems: new(int32(2))}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		must(err)
		n += len(page.Versions)
	}
	if n != 3 {
		t.Errorf("got %d versions, want 3", n)
	}
	_, err = client.CreateFunction(ctx, &sdk.CreateFunctionInput{
		FunctionName: name, Role: new(testRole), Runtime: types.RuntimeNodejs22x, Handler: new("index.handler"), Code: &types.FunctionCode{ZipFile: zipOf("one")},
	})
	if conflict := (*types.ResourceConflictException)(nil); !errors.As(err, &conflict) || *conflict.Message != "Function already exist: pets" || *conflict.Type != "User" {
		t.Errorf("got %v", err)
	}
	_, err = client.DeleteAlias(ctx, &sdk.DeleteAliasInput{FunctionName: name, Name: new("live")})
	must(err)
	_, err = client.DeleteFunction(ctx, &sdk.DeleteFunctionInput{FunctionName: name})
	must(err)
	_, err = client.GetFunction(ctx, &sdk.GetFunctionInput{FunctionName: name})
	if missing := (*types.ResourceNotFoundException)(nil); !errors.As(err, &missing) || *missing.Message != "Function not found: arn:aws:lambda:us-east-1:123456789012:function:pets" {
		t.Errorf("got %v", err)
	}
}

// Every operation that the official client knows is known here, too: it is answered, or
// refused by its name.
func TestSDKOperations(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	client := reflect.ValueOf(s.client())
	tried := 0
	for i := range client.NumMethod() {
		name, method := client.Type().Method(i).Name, client.Method(i)
		if method.Type().NumIn() < 2 || name == "Options" {
			continue
		}
		input := reflect.New(method.Type().In(1).Elem())
		fill(input.Elem())
		out := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
		err, _ := out[1].Interface().(error)
		var wire smithy.APIError
		switch {
		case err == nil:
		case !errors.As(err, &wire):
			t.Errorf("%s: got %v", name, err)
			continue
		case wire.ErrorCode() == "UnknownOperationException", wire.ErrorCode() == "ServiceException" && wire.ErrorMessage() == errInternal.Message:
			t.Errorf("%s: got %v", name, err)
		}
		tried++
	}
	if tried < 80 {
		t.Errorf("only %d operations were tried", tried)
	}
}

// fill sets the required members of an input, and others with them.
func fill(input reflect.Value) {
	for i := range input.NumField() {
		f := input.Field(i)
		kind := f.Type()
		switch {
		case !f.CanSet():
		case input.Type().Field(i).Name == "Resource":
			f.Set(reflect.ValueOf(new("arn:aws:lambda:us-east-1:123456789012:function:pets")))
		case kind == reflect.TypeFor[io.Reader]():
			f.Set(reflect.ValueOf(strings.NewReader("{}")))
		case f.Kind() == reflect.Pointer:
			f.Set(reflect.New(kind.Elem()))
			if f.Elem().Kind() == reflect.Struct {
				fill(f.Elem())
			} else if f.Elem().Kind() == reflect.String {
				f.Elem().SetString("pets")
			}
		case f.Kind() == reflect.String:
			f.SetString("x")
		case f.Kind() == reflect.Map:
			f.Set(reflect.MakeMap(kind))
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(kind, 1, 1))
			if kind.Elem().Kind() == reflect.Struct {
				fill(f.Index(0))
			}
		}
	}
}
