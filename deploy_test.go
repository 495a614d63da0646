package penstock_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// load calls an API until it fails or the context ends, and reports what check
// says about an answer.
func load(ctx context.Context, s *penstock.Server, url string, check func(status int, body string) error) (n int, err error) {
	for ; ctx.Err() == nil; n++ {
		r, err := http.NewRequest(http.MethodGet, url, nil) // goes on when ctx ends
		if err != nil {
			return n, err
		}
		status, body, err := do(s, r)
		if err == nil {
			err = check(status, body)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// createHTTP makes an integration and a route to it.
func createHTTP(t testing.TB, client *apigatewayv2.Client, api *string, key, uri string) (integration, route *string) {
	t.Helper()
	i, err := client.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: api, IntegrationType: types.IntegrationTypeHttpProxy, IntegrationMethod: aws.String("GET"), IntegrationUri: &uri,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{
		ApiId: api, RouteKey: &key, Target: aws.String("integrations/" + *i.IntegrationId),
	})
	if err != nil {
		t.Fatal(err)
	}
	return i.IntegrationId, r.RouteId
}

func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	s := open(t, quiet)
	client, ctx := sdk(s, anyone), t.Context()
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("test"), ProtocolType: types.ProtocolTypeHttp})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("live"), AutoDeploy: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	// An API always has this route: one without routes could not be deployed.
	integration, _ := createHTTP(t, client, api.ApiId, "GET /always", echo(t))
	for i := range 1000 {
		path := fmt.Sprintf("/pets/%d", i)
		route, err := client.CreateRoute(ctx, &apigatewayv2.CreateRouteInput{
			ApiId: api.ApiId, RouteKey: aws.String("GET " + path), Target: aws.String("integrations/" + *integration),
		})
		if err != nil {
			t.Fatal(err)
		}
		if status, body := get(t, s, *api.ApiEndpoint+"/live"+path); status != http.StatusOK {
			t.Fatalf("route %d, created: got %d %s", i, status, body)
		}
		if _, err := client.DeleteRoute(ctx, &apigatewayv2.DeleteRouteInput{ApiId: api.ApiId, RouteId: route.RouteId}); err != nil {
			t.Fatal(err)
		}
		if status, body := get(t, s, *api.ApiEndpoint+"/live"+path); status != http.StatusNotFound {
			t.Fatalf("route %d, deleted: got %d %s", i, status, body)
		}
	}
}

// A stage that goes back and forth between two deployments, each with its own
// stage variables, loses no request and mixes nothing.
func TestDeployUnderLoad(t *testing.T) {
	t.Parallel()
	c := quiet
	c.Limits.AccountRate = -1 // this machine may be fast
	s := open(t, c)
	client, ctx, backend := sdk(s, anyone), t.Context(), echo(t)
	api, err := client.CreateApi(ctx, &apigatewayv2.CreateApiInput{Name: aws.String("test"), ProtocolType: types.ProtocolTypeHttp})
	if err != nil {
		t.Fatal(err)
	}
	uri := func(tag, side string) string { return backend + "/" + tag + "/" + side + "?tag=${stageVariables.tag}" }
	left, _ := createHTTP(t, client, api.ApiId, "GET /left", uri("one", "left"))
	right, _ := createHTTP(t, client, api.ApiId, "GET /right", uri("one", "right"))
	deployments := map[string]*string{}
	for _, tag := range []string{"one", "two"} {
		for side, id := range map[string]*string{"left": left, "right": right} {
			if _, err := client.UpdateIntegration(ctx, &apigatewayv2.UpdateIntegrationInput{
				ApiId: api.ApiId, IntegrationId: id, IntegrationUri: aws.String(uri(tag, side)),
			}); err != nil {
				t.Fatal(err)
			}
		}
		d, err := client.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId})
		if err != nil {
			t.Fatal(err)
		}
		deployments[tag] = d.DeploymentId
	}
	if _, err := client.CreateStage(ctx, &apigatewayv2.CreateStageInput{
		ApiId: api.ApiId, StageName: aws.String("live"), DeploymentId: deployments["one"], StageVariables: map[string]string{"tag": "one"},
	}); err != nil {
		t.Fatal(err)
	}

	deploying, stop := context.WithCancel(ctx)
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	var mu sync.Mutex // guards seen
	seen := map[string]int{}
	for _, side := range []string{"left", "right", "left", "right"} {
		clients.Go(func() {
			n, err := load(deploying, s, *api.ApiEndpoint+"/live/"+side, func(status int, body string) error {
				if status != http.StatusOK || body != "/one/"+side+"?tag=one" && body != "/two/"+side+"?tag=two" {
					return fmt.Errorf("got %d %s", status, body)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[body]++
				return nil
			})
			if err != nil {
				t.Errorf("%s: request %d: %v", side, n, err)
				stop()
			}
		})
	}
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == 4
	}
	// Until each route has answered from each deployment, and for a second at least.
	began, n := time.Now(), 0
	for ; deploying.Err() == nil && (time.Since(began) < time.Second || !all()); n++ {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("after %d deployments only these were seen: %v", n, seen)
		}
		tag := []string{"two", "one"}[n%2]
		if _, err := client.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{
			ApiId: api.ApiId, StageName: aws.String("live"), DeploymentId: deployments[tag], StageVariables: map[string]string{"tag": tag},
		}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	clients.Wait()
	t.Logf("%d deployments, %v requests", n, seen)
}
