package penstock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// TestExplainSockets: handshakes and messages can be explained, too.
func TestExplainSockets(t *testing.T) {
	t.Parallel()
	fn := newFunction(func(_ context.Context, event string) (string, error) {
		if strings.Contains(event, "throw") {
			return "", errors.New("it was thrown")
		}
		return `{"statusCode":200}`, nil
	})
	auth := deciding(func(arn, _ string) (string, error) { return verdict("", "Deny", arn), nil })
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn, "auth": auth})})
	type record struct {
		Method, Path, ConnectionID, Throttle string
		Query                                []string
		Located                              struct {
			By, APIID, Stage, DeploymentID string
			WebSocket                      bool
		}
		Route       struct{ RouteKey string }
		Authorizer  struct{ Type, Verdict, Reason string }
		Integration struct {
			Status int
			Error  string
		}
		Response struct {
			Status int
			Reason string
		}
	}
	find := func(id string) (r record) {
		t.Helper()
		w.until("the record of "+id, func() bool {
			resp, err := http.Get(w.server.AdminURL() + "/_penstock/requests/" + url.PathEscape(id))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return false
			}
			if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
				t.Fatal(err)
			}
			return true
		})
		return r
	}
	brief := func(r record) string {
		return fmt.Sprintf("%s %s by %s, %s: %s %s; %d %s; %d %s", r.Method, r.Route.RouteKey, r.Located.By, r.Throttle,
			strings.TrimSpace(r.Authorizer.Type+" "+r.Authorizer.Verdict), r.Authorizer.Reason, r.Integration.Status, r.Integration.Error, r.Response.Status, r.Response.Reason)
	}
	routes := map[string]socketRoute{"$connect": lambdaRoute("fn"), "send": lambdaRoute("fn"), "http": proxyRoute("/status/503", nil), "slow": {}, "$disconnect": lambdaRoute("fn")}
	open := w.sockets(socketSpec{routes: routes, route: map[string]types.RouteSettings{"slow": {ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}}})
	guarded := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}, authorizer: asking("route.request.querystring.token")})
	iam := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": signed(lambdaRoute("fn"))}})
	key := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": keyed(lambdaRoute("fn"))}})

	for _, v := range []struct{ api, target, want string }{
		{open, "/dev", "GET $connect by execute-api host, granted:  ; 200 ; 101 "},
		{open, "/dev?throw=1", "GET $connect by execute-api host, granted:  ; 0 it was thrown; 502 502 Internal server error: the function failed: "},
		{guarded, "/dev", "GET $connect by execute-api host, granted: CUSTOM denied the identity source route.request.querystring.token has no value; 0 ; 401 401 Unauthorized: "},
		{guarded, "/dev?token=t0k3n", "GET $connect by execute-api host, granted: CUSTOM denied "},
		{iam, "/dev", "GET $connect by execute-api host, granted: AWS_IAM denied MissingAuthenticationTokenException; 0 ; 403 403 Missing Authentication Token: "},
		{key, "/dev", "GET $connect by execute-api host, granted:  ; 0 ; 403 403 Forbidden: there is no API key"},
	} {
		s := w.handshake(v.api, v.target)
		id := s.shake.Header.Get("Apigw-Requestid")
		r := find(id)
		if got := brief(r); !strings.HasPrefix(got, v.want) {
			t.Errorf("%s: %s\nwant %s", v.target, got, v.want)
		}
		if len(r.ConnectionID) != 16 || r.Located.APIID != v.api || r.Located.Stage != "dev" || r.Located.DeploymentID == "" || !r.Located.WebSocket {
			t.Errorf("%s: located %+v, connection %s", v.target, r.Located, r.ConnectionID)
		}
		if strings.Contains(fmt.Sprint(r), "t0k3n") {
			t.Errorf("%s: the record has the token: %+v", v.target, r)
		}
	}
	s := w.connect(open, "/dev")
	connection := find(s.shake.Header.Get("Apigw-Requestid")).ConnectionID
	for _, v := range []struct{ text, want string }{
		{`{"action":"send","x":"throw"}`, "MESSAGE send by connection, granted:  ; 0 it was thrown; 500 500 Internal server error: the function failed: "},
		{`{"action":"slow"}`, "MESSAGE slow by connection, refused by the bucket of the route:  ; 0 ; 429 429 Too Many Requests: the route has used up its requests"},
		{`{"action":"nope"}`, "MESSAGE  by connection, granted:  ; 0 ; 403 403 Forbidden: the message selects no route, and there is no $default"},
	} {
		s.send(v.text)
		var frame struct{ ConnectionID, RequestID string }
		if err := json.Unmarshal([]byte(s.next()), &frame); err != nil {
			t.Fatal(err)
		}
		r := find(frame.RequestID)
		if got := brief(r); !strings.HasPrefix(got, v.want) {
			t.Errorf("%s: %s\nwant %s", v.text, got, v.want)
		}
		if r.ConnectionID != connection || frame.ConnectionID != connection || r.Located.APIID != open || r.Located.Stage != "dev" || r.Located.DeploymentID == "" {
			t.Errorf("%s: located %+v, connection %s, want %s", v.text, r.Located, r.ConnectionID, connection)
		}
	}
	// What a backend says to a one-way route is known of, and of the end.
	s.send(`{"action":"http"}`)
	s.quiet()
	s.close(1000, "")
	for _, want := range []string{"MESSAGE http by connection, granted:  ; 503 ; 200 ", "DISCONNECT $disconnect by connection, :  ; 200 ; 200 "} {
		w.until("the record "+want, func() bool {
			resp, err := http.Get(w.server.AdminURL() + "/_penstock/requests?last=5")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var list struct{ Items []record }
			if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(list.Items, func(r record) bool { return brief(r) == want })
		})
	}
}
