package penstock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/gateway"
	"penstock/internal/sigv4"
)

// admin calls a path of the admin address, signed if who has an access key.
func admin(t testing.TB, s *penstock.Server, who penstock.Credential, method, path string) *answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.AdminURL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if who.AccessKeyID != "" {
		signer := sigv4.Signer{Credential: sigv4.Credential{AccessKeyID: who.AccessKeyID, SecretAccessKey: who.SecretAccessKey}, Region: "us-east-1", Service: "apigateway"}
		if err := signer.Sign(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &answered{resp, string(text)}
}

// await waits until something is so, which it soon must be.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

// explain returns what is remembered of the request that got an answer, and the JSON
// text of it. A request is remembered once its answer has been sent, so that the client
// may be here first.
func (w *world) explain(a *answered) (r gateway.Record, text string) {
	w.t.Helper()
	path := "/_penstock/requests/" + url.PathEscape(a.Header.Get("Apigw-Requestid"))
	await(w.t, "the request is remembered", func() bool {
		got := admin(w.t, w.server, penstock.Credential{}, http.MethodGet, path)
		text = got.body
		return got.StatusCode == http.StatusOK
	})
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		w.t.Fatalf("%v in %s", err, text)
	}
	return r, text
}

// tell writes a record on one line, without what differs from run to run.
func tell(r gateway.Record) string {
	parts := []string{fmt.Sprintf("%s %s %v by %s: stage %s, %s", r.Method, r.Path, r.Query, r.Located.By, r.Located.Stage, r.Located.Path)}
	if r.Route != nil {
		parts = append(parts, fmt.Sprintf("route %s %v", r.Route.RouteKey, r.Route.Variables))
	}
	if r.Throttle != "" {
		parts = append(parts, "throttle "+r.Throttle)
	}
	if a := r.Authorizer; a != nil {
		parts = append(parts, fmt.Sprintf("authorizer %s %s %s", a.Type, a.Verdict, a.Reason))
	}
	for _, m := range r.Mapping {
		parts = append(parts, fmt.Sprintf("mapping %s %q to %q", m.Change, m.Before, m.After))
	}
	if i := r.Integration; i != nil {
		parts = append(parts, fmt.Sprintf("integration %d %s", i.Status, i.Error))
	}
	parts = append(parts, fmt.Sprintf("response %d %d %s", r.Response.Status, r.Response.Length, r.Response.Reason))
	return integrationID.ReplaceAllString(strings.Join(parts, "; "), "integration ID:")
}

var integrationID = regexp.MustCompile(`integration [a-z0-9]+:`)

// Why each kind of answer was given.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	jwt := &apigatewayv2.CreateAuthorizerInput{AuthorizerType: types.AuthorizerTypeJwt, IdentitySource: []string{"$request.header.Authorization"},
		JwtConfiguration: &types.JWTConfiguration{Issuer: aws.String("https://issuer.example.com"), Audience: []string{"a"}}}
	api := w.api(apiSpec{
		routes: map[string]target{
			"GET /pets/{id}": {uri: "/status/200", request: map[string]string{"overwrite:header.x-id": "$request.path.id", "append:querystring.from": "$context.stage", "remove:header.x-gone": "''"}},
			"GET /full":      {}, "GET /jwt": {}, "GET /iam": {},
			"GET /away":   {uri: "http://127.0.0.1:1"},
			"GET /broken": {uri: "http://${stageVariables.nowhere}/"},
			"GET /sad":    {uri: "/status/418"},
		},
		stages:     []string{"live"},
		authorizer: jwt,
		authorize:  map[string]types.AuthorizationType{"GET /jwt": types.AuthorizationTypeJwt, "GET /iam": types.AuthorizationTypeAwsIam},
		route:      map[string]types.RouteSettings{"GET /full": {ThrottlingRateLimit: new(10.0), ThrottlingBurstLimit: new(int32(0))}},
	})
	for _, tt := range []struct {
		name   string
		ask    []string
		status int
		want   string
	}{
		{"a backend answers", []string{"GET /live/pets/7?a=1&b", "X-Gone: yes"}, 200,
			`GET /live/pets/7 [a b] by execute-api host: stage live, /pets/7; route GET /pets/{id} map[id:7]; throttle granted; ` +
				`mapping remove:header.x-gone "yes" to ""; mapping overwrite:header.x-id "" to "7"; mapping append:querystring.from "" to "live"; integration 200 ; response 200 2 `},
		{"a backend refuses", []string{"GET /live/sad"}, 418,
			`GET /live/sad [] by execute-api host: stage live, /sad; route GET /sad map[]; throttle granted; integration 418 ; response 418 2 `},
		{"no API", []string{"GET /live/pets/7", "Host: zzzzzzzzzz.execute-api.us-east-1.amazonaws.com"}, 404,
			`GET /live/pets/7 [] by nothing: stage , ; response 404 23 404 Not Found: no such API`},
		{"no route", []string{"GET /live/toys"}, 404,
			`GET /live/toys [] by execute-api host: stage live, /toys; throttle granted; response 404 23 404 Not Found: no route matches`},
		{"no stage", []string{"GET /nope/toys"}, 404,
			`GET /nope/toys [] by execute-api host: stage , /nope/toys; response 404 23 404 Not Found: no such stage`},
		{"no token", []string{"GET /live/jwt"}, 401,
			`GET /live/jwt [] by execute-api host: stage live, /jwt; route GET /jwt map[]; throttle granted; authorizer JWT denied token is missing; response 401 26 401 Unauthorized: token is missing`},
		{"no signature", []string{"GET /live/iam"}, 403,
			`GET /live/iam [] by execute-api host: stage live, /iam; route GET /iam map[]; throttle granted; authorizer AWS_IAM denied no credentials are configured for requests with AWS_IAM authorization; ` +
				`response 403 23 403 Forbidden: no credentials are configured for requests with AWS_IAM authorization`},
		{"too many", []string{"GET /live/full"}, 429,
			`GET /live/full [] by execute-api host: stage live, /full; route GET /full map[]; throttle refused by the bucket of the route; response 429 31 429 Too Many Requests: the route has used up its requests`},
		{"a stage variable that is not there", []string{"GET /live/broken"}, 500,
			`GET /live/broken [] by execute-api host: stage live, /broken; route GET /broken map[]; throttle granted; ` +
				`response 500 35 500 Internal Server Error: integration ID: the stage has no variable "nowhere"`},
		{"no backend", []string{"GET /live/away"}, 503,
			`GET /live/away [] by execute-api host: stage live, /away; route GET /away map[]; throttle granted; integration 0 The endpoint could not be reached; ` +
				`response 503 33 503 Service Unavailable: dial tcp 127.0.0.1:1: connect: connection refused`},
	} {
		a := w.ask(api, tt.ask...)
		if a.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, a.StatusCode, tt.status)
		}
		r, _ := w.explain(a)
		if got := tell(r); got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
		if r.RequestID != a.Header.Get("Apigw-Requestid") || r.SourceIP != "127.0.0.1" || time.Since(r.Time) > time.Hour || r.Host == "" || r.Response.Latency <= 0 {
			t.Errorf("%s: got %+v", tt.name, r)
		}
	}
}

// The last requests are listed, newest first, as many as are asked for.
func TestExplainLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{Explain: penstock.Explain{Requests: 3}})
	list := func(query string) (paths string) {
		t.Helper()
		got := admin(t, w.server, penstock.Credential{}, http.MethodGet, "/_penstock/requests"+query)
		var all struct{ Items []gateway.Record }
		if err := json.Unmarshal([]byte(got.body), &all); err != nil || got.StatusCode != http.StatusOK || all.Items == nil {
			t.Fatalf("%s: %d %s (%v)", query, got.StatusCode, got.body, err)
		}
		for _, r := range all.Items {
			paths += r.Path
		}
		return paths
	}
	if got := list(""); got != "" {
		t.Errorf("before any: %s", got)
	}
	api := w.api(apiSpec{routes: to("GET /{proxy+}")})
	var first *answered
	for _, path := range []string{"/1", "/2", "/3", "/4"} {
		a := w.ask(api, "GET "+path)
		w.explain(a)
		if first == nil {
			first = a
		}
	}
	for query, want := range map[string]string{"": "/4/3/2", "?last=1": "/4", "?last=2": "/4/3", "?last=1000": "/4/3/2", "?last=": "/4/3/2"} {
		if got := list(query); got != want {
			t.Errorf("%q: got %s, want %s", query, got, want)
		}
	}
	for _, query := range []string{"?last=0", "?last=-1", "?last=1001", "?last=x", "?last=99999999999999999999", "?last=1.5"} {
		if got := admin(t, w.server, penstock.Credential{}, http.MethodGet, "/_penstock/requests"+query); got.StatusCode != 400 || got.body != `{"message":"last: want a number from 1 to 1000"}`+"\n" {
			t.Errorf("%s: %d %s", query, got.StatusCode, got.body)
		}
	}

	// The oldest made room for the newest.
	id := first.Header.Get("Apigw-Requestid")
	for path, want := range map[string]string{
		url.PathEscape(id): "no request with ID " + id + " is among the last 3: the ID is the apigw-requestid of its response",
		"unknown":          "no request with ID unknown is among the last 3: the ID is the apigw-requestid of its response",
		"":                 "no request with ID  is among the last 3: the ID is the apigw-requestid of its response",
		"a%2Fb":            "no request with ID a/b is among the last 3: the ID is the apigw-requestid of its response",
	} {
		got := admin(t, w.server, penstock.Credential{}, http.MethodGet, "/_penstock/requests/"+path)
		var body struct{ Message string }
		if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.StatusCode != 404 || body.Message != want || got.Header.Get("X-Amzn-Errortype") != "NotFoundException" {
			t.Errorf("%q: %d %s (%v)", path, got.StatusCode, got.body, err)
		}
	}
	last := "/_penstock/requests?last=1"
	if got := admin(t, w.server, penstock.Credential{}, http.MethodHead, last); got.StatusCode != 200 || got.body != "" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("HEAD: %d %q", got.StatusCode, got.body)
	}
	for _, path := range []string{last, "/_penstock/requests/x"} {
		for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions} {
			if got := admin(t, w.server, penstock.Credential{}, method, path); got.StatusCode != 405 || got.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d %s", method, path, got.StatusCode, got.body)
			}
		}
	}
}

// A server that remembers nothing says so, however it is asked.
func TestExplainOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{Explain: penstock.Explain{Requests: -1}})
	w.ask(w.api(apiSpec{routes: to("GET /a")}), "GET /a")
	for _, path := range []string{"/_penstock/requests/x", "/_penstock/requests", "/_penstock/requests?last=1"} {
		if got := admin(t, w.server, penstock.Credential{}, http.MethodGet, path); got.StatusCode != 404 || got.body != `{"message":"requests are not remembered: set explain.requests"}`+"\n" {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.body)
		}
	}
}

// With credentials, what is remembered is for callers who may do everything.
func TestExplainCredentials(t *testing.T) {
	t.Parallel()
	root := penstock.Credential{AccessKeyID: "AKIDROOT", SecretAccessKey: "root"}
	all := penstock.Credential{AccessKeyID: "AKIDALL", SecretAccessKey: "all", Policy: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}
	w := newWorld(t, penstock.Config{Credentials: []penstock.Credential{root, all}})
	id := w.ask(w.api(apiSpec{routes: to("GET /a")}), "GET /a").Header.Get("Apigw-Requestid")
	wrong := root
	wrong.SecretAccessKey = "wrong"
	await(t, "the request is remembered", func() bool {
		return admin(t, w.server, root, http.MethodGet, "/_penstock/requests/"+url.PathEscape(id)).StatusCode == 200
	})
	for _, path := range []string{"/_penstock/requests/" + url.PathEscape(id), "/_penstock/requests/unknown", "/_penstock/requests", "/_penstock/requests?last=1"} {
		for _, tt := range []struct {
			name string
			who  penstock.Credential
			code string // "" if let in
		}{
			{"unsigned", penstock.Credential{}, "MissingAuthenticationTokenException"},
			{"a wrong secret", wrong, "InvalidSignatureException"},
			{"a caller with a policy", all, "AccessDeniedException"},
			{"a caller without", root, ""},
		} {
			got := admin(t, w.server, tt.who, http.MethodGet, path)
			if tt.code == "" {
				if got.StatusCode == 403 || strings.Contains(path, id) && got.StatusCode != 200 {
					t.Errorf("%s %s: %d %s", tt.name, path, got.StatusCode, got.body)
				}
				continue
			}
			if got.StatusCode != 403 || got.Header.Get("X-Amzn-Errortype") != tt.code || strings.Contains(got.body, "/a") {
				t.Errorf("%s %s: %d %s %s", tt.name, path, got.StatusCode, got.Header.Get("X-Amzn-Errortype"), got.body)
			}
		}
	}
}

// Nothing that lets in is remembered, wherever it came and wherever a mapping put it.
func TestExplainSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	api := w.api(apiSpec{routes: map[string]target{"ANY /a": {request: map[string]string{
		"overwrite:header.x-one":      "$request.header.authorization",
		"overwrite:header.x-two":      "before ${request.header.cookie} after",
		"append:querystring.copy":     "$request.querystring.token",
		"overwrite:querystring.copy2": "$request.querystring.api_key",
		"overwrite:header.x-plain":    "$request.header.x-note",
		"overwrite:header.x-token":    "static-of-the-api",
		"overwrite:path":              "/p/${request.querystring.token}",
		"remove:header.cookie":        "''",
	}}}})
	a := w.ask(api, "GET /a?token=q-hush%2Fhush&api_key=k-hush&page=2", "Authorization: Bearer a-hush", "Cookie: sid=c-hush; theme=dark", "X-Api-Key: h-hush", "X-Note: plain words")
	if a.StatusCode != 200 {
		t.Fatalf("status %d", a.StatusCode)
	}
	if seen := w.take(); seen.Header.Get("X-One") != "Bearer a-hush" || seen.URL.Query().Get("copy") == "" {
		t.Fatalf("the mapping does not map: %v %v", seen.Header, seen.URL)
	}
	_, text := w.explain(a)
	list := admin(t, w.server, penstock.Credential{}, http.MethodGet, "/_penstock/requests").body
	for _, secret := range []string{"hush", "sid=", "static-of-the-api"} {
		if strings.Contains(text, secret) || strings.Contains(list, secret) {
			t.Errorf("%s is remembered: %s", secret, text)
		}
	}
	for _, want := range []string{`"query":["token","api_key","page"]`, "plain words", "(redacted)", "overwrite:header.x-one", "remove:header.cookie"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not remembered: %s", want, text)
		}
	}
}
