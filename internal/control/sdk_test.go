package control

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// The official client makes an API over a socket, reads it back and takes it down.
func TestSDK(t *testing.T) {
	s := newTester(t)
	listener := httptest.NewServer(s.server)
	defer listener.Close()
	client := apigatewayv2.New(apigatewayv2.Options{
		BaseEndpoint: &listener.URL,
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("AKID", "secret", ""),
	})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: new("n"), ProtocolType: types.ProtocolTypeHttp})
	must(err)
	var last string
	for range 5 {
		integration, err := client.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
			ApiId: api.ApiId, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: new("GET"), IntegrationUri: new("https://example.com"),
		})
		must(err)
		last = *integration.IntegrationId
	}
	n := 0
	pages := &apigatewayv2.GetIntegrationsInput{ApiId: api.ApiId, MaxResults: new("2")}
	for {
		page, err := client.GetIntegrations(ctx, pages)
		must(err)
		n += len(page.Items)
		if pages.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	if n != 5 {
		t.Errorf("%d integrations, want 5", n)
	}
	_, err = client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: new("GET /pets/{id}"), Target: new("integrations/" + last)})
	must(err)
	deployment, err := client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId})
	must(err)
	if deployment.CreatedDate.UnixMilli() != testTime.UnixMilli() {
		t.Errorf("the deployment was created at %v", deployment.CreatedDate)
	}
	_, err = client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: api.ApiId, StageName: new("$default"), DeploymentId: deployment.DeploymentId,
		RouteSettings: map[string]types.RouteSettings{"GET /pets/{id}": {ThrottlingBurstLimit: new(int32(5))}},
	})
	must(err)
	_, err = client.DeleteRouteSettings(ctx, &apigatewayv2.DeleteRouteSettingsInput{ApiId: api.ApiId, StageName: new("$default"), RouteKey: new("GET /pets/{id}")})
	must(err)
	stage, err := client.GetStage(ctx, &apigatewayv2.GetStageInput{ApiId: api.ApiId, StageName: new("$default")})
	must(err)
	if len(stage.RouteSettings) != 0 || *stage.DeploymentId != *deployment.DeploymentId {
		t.Errorf("got %+v", stage)
	}

	arn := new("arn:aws:apigateway:us-east-1::/apis/" + *api.ApiId + "/stages/$default")
	_, err = client.TagResource(ctx, &apigatewayv2.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a b": "c/d", "e": "f"}})
	must(err)
	_, err = client.UntagResource(ctx, &apigatewayv2.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"e", "g"}})
	must(err)
	tags, err := client.GetTags(ctx, &apigatewayv2.GetTagsInput{ResourceArn: arn})
	must(err)
	if len(tags.Tags) != 1 || tags.Tags["a b"] != "c/d" {
		t.Errorf("got %v", tags.Tags)
	}

	_, err = client.DeleteIntegration(ctx, &apigatewayv2.DeleteIntegrationInput{ApiId: api.ApiId, IntegrationId: &last})
	var conflict interface{ ErrorCode() string } // the model of this operation has no conflict; the service answers one all the same
	if !errors.As(err, &conflict) || conflict.ErrorCode() != "ConflictException" {
		t.Errorf("got %v, want a conflict", err)
	}
	_, err = client.DeleteApi(ctx, &apigatewayv2.DeleteApiInput{ApiId: api.ApiId})
	must(err)
	_, err = client.GetApi(ctx, &apigatewayv2.GetApiInput{ApiId: api.ApiId})
	var unknown *types.NotFoundException
	if !errors.As(err, &unknown) || *unknown.Message != "Invalid API identifier specified 123456789012:"+*api.ApiId {
		t.Errorf("got %v, want that it is unknown", err)
	}
}
