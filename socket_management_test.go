package penstock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
	"penstock/internal/sigv4"
)

// identified opens a connection and returns its ID, which the function of $connect saw.
func (w *world) identified(fn *lambdaFunction, api, target string, fields ...string) (*socket, string) {
	w.t.Helper()
	fn.take()
	s := w.connect(api, target, fields...)
	id, _ := at(fn.wait(w.t), "requestContext.connectionId").(string)
	return s, id
}

// TestManagementVectors: K01 to K24.
func TestManagementVectors(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	routes := map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}
	api := w.sockets(socketSpec{routes: routes, stages: []string{"dev", "prod"}})
	other := w.sockets(socketSpec{routes: routes})
	s, id := w.identified(fn, api, "/dev", "User-Agent: ua/1")
	gone := func(t *testing.T, a *answered) {
		t.Helper()
		if a.StatusCode != 410 || a.body != "" || a.Header.Get("X-Amzn-Errortype") != "GoneException" {
			t.Errorf("got %d %q %q, want 410 GoneException and nothing", a.StatusCode, a.body, a.Header.Get("X-Amzn-Errortype"))
		}
	}
	ok := func(t *testing.T, a *answered, status int) {
		t.Helper()
		if a.StatusCode != status || a.body != "" {
			t.Errorf("got %d %q, want %d and nothing", a.StatusCode, a.body, status)
		}
	}
	refused := func(t *testing.T, a *answered, status int, kind, body string) {
		t.Helper()
		if a.StatusCode != status || a.body != body || a.Header.Get("X-Amzn-Errortype") != kind {
			t.Errorf("got %d %q %s, want %d %q %s", a.StatusCode, a.Header.Get("X-Amzn-Errortype"), a.body, status, kind, body)
		}
	}
	post := func(body string) *answered { return w.management(api, "POST /dev/@connections/"+id, body, somebody) }
	heard := func(t *testing.T, want string) {
		t.Helper()
		if got := s.next(); got != want {
			t.Errorf("the client got %.60q, want %.60q", got, want)
		}
	}
	t.Run("K01", func(t *testing.T) { ok(t, post("hello"), 200); heard(t, "hello") })
	t.Run("K02", func(t *testing.T) {
		ok(t, w.management(api, "POST /dev/%40connections/"+url.QueryEscape(id), "hello", somebody), 200)
		heard(t, "hello")
	})
	t.Run("path form", func(t *testing.T) {
		ok(t, w.management(api, "POST /_aws/execute-api/"+api+"/dev/@connections/"+id, "hello", somebody), 200)
		heard(t, "hello")
	})
	t.Run("K03", func(t *testing.T) { ok(t, post("{ \"a\" :1}\n"), 200); heard(t, "{ \"a\" :1}\n") })
	t.Run("K04", func(t *testing.T) {
		gone(t, w.management(api, "POST /dev/@connections/AAAAAAAAAAAAAAA=", "x", somebody))
	})
	t.Run("K07", func(t *testing.T) {
		for _, bad := range []string{"abc", "AAAAAAAAAAAAAAAA", `a"b`} {
			a := w.management(api, "GET /dev/@connections/"+url.PathEscape(bad), "", somebody)
			var body struct{ Message string }
			if err := json.Unmarshal([]byte(a.body), &body); a.StatusCode != 400 || err != nil || body.Message != "Invalid connectionId: "+bad || a.Header.Get("X-Amzn-Errortype") != "BadRequestException" {
				t.Errorf("%s got %d %s", bad, a.StatusCode, a.body)
			}
		}
	})
	t.Run("K08", func(t *testing.T) {
		a := w.management(api, "GET /dev/@connections/"+id, "", somebody)
		instant := `"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`
		want := regexp.MustCompile(`^{"connectedAt":` + instant + `,"identity":{"sourceIp":"127.0.0.1","userAgent":"ua/1"},"lastActiveAt":` + instant + `}$`)
		if a.StatusCode != 200 || !want.MatchString(a.body) {
			t.Errorf("got %d %s", a.StatusCode, a.body)
		}
	})
	t.Run("K09", func(t *testing.T) {
		_, id := w.identified(fn, api, "/dev")
		if a := w.management(api, "GET /dev/@connections/"+id, "", somebody); !strings.Contains(a.body, `"identity":{"sourceIp":"127.0.0.1"}`) {
			t.Errorf("got %s", a.body)
		}
	})
	t.Run("K10, K11, K05", func(t *testing.T) {
		s, id := w.identified(fn, api, "/dev")
		ok(t, w.management(api, "DELETE /dev/@connections/"+id, "", somebody), 204)
		gone(t, w.management(api, "GET /dev/@connections/"+id, "", somebody))
		if code, reason := s.closed(); code != 1000 || reason != "" {
			t.Errorf("the client got %d %q", code, reason)
		}
		if e := fn.wait(t); at(e, "requestContext.disconnectStatusCode") != float64(1000) || at(e, "requestContext.connectionId") != id {
			t.Errorf("event %v", e)
		}
		gone(t, w.management(api, "DELETE /dev/@connections/"+id, "", somebody))
		gone(t, w.management(api, "POST /dev/@connections/"+id, "x", somebody))
	})
	t.Run("K12", func(t *testing.T) { body := strings.Repeat("x", 131072); ok(t, post(body), 200); heard(t, body) })
	t.Run("K13", func(t *testing.T) {
		refused(t, post(strings.Repeat("x", 131073)), 413, "PayloadTooLargeException", `{"message":"Message too long"}`)
	})
	t.Run("K14", func(t *testing.T) { body := strings.Repeat("é", 20000); ok(t, post(body), 200); heard(t, body) })
	t.Run("K15", func(t *testing.T) { ok(t, post(""), 200); heard(t, "") })
	t.Run("K16", func(t *testing.T) { ok(t, post("\xff\xfe"), 200); heard(t, "\ufffd\ufffd") })
	t.Run("K17", func(t *testing.T) {
		for _, request := range []string{"POST /dev/@connections/" + id, "PUT /dev/@connections/" + id} {
			refused(t, w.management(api, request, "x", nil), 403, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`)
		}
	})
	t.Run("K20", func(t *testing.T) {
		refused(t, w.management(api, "POST /nostage/@connections/"+id, "x", somebody), 403, "ForbiddenException", `{"message":"Forbidden"}`)
	})
	t.Run("K21", func(t *testing.T) {
		gone(t, w.management(api, "POST /prod/@connections/"+id, "x", somebody))
		gone(t, w.management(other, "POST /dev/@connections/"+id, "x", somebody))
	})
	t.Run("nothing reached the client", func(t *testing.T) { s.quiet() })
}

// TestPostWhileConnecting is K06 and H30: a connection is not there before its handshake is
// over, and is there for whoever has heard of it.
func TestPostWhileConnecting(t *testing.T) {
	t.Parallel()
	var w *world
	var api string
	early := make(chan *answered, 100)
	fn := newFunction(func(_ context.Context, text string) (string, error) {
		var event map[string]any
		json.Unmarshal([]byte(text), &event)
		early <- w.management(api, "POST /dev/@connections/"+at(event, "requestContext.connectionId").(string), "early", somebody)
		return `{"statusCode":200}`, nil
	})
	w = newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api = w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}})
	for range 20 {
		s, id := w.identified(fn, api, "/dev")
		if a := <-early; a.StatusCode != 410 {
			t.Errorf("in $connect: %d %s", a.StatusCode, a.body)
		}
		if a := w.management(api, "POST /dev/@connections/"+id, "now", somebody); a.StatusCode != 200 {
			t.Fatalf("behind the 101: %d %s", a.StatusCode, a.body)
		}
		if got := s.next(); got != "now" {
			t.Errorf("got %q", got)
		}
		s.nc.Close()
	}
}

// TestManagementPolicies is K18 and K19, with callers that are known.
func TestManagementPolicies(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	const admin, limited = "AKIDADMIN", "AKIDLIMITED"
	w := newWorld(t, penstock.Config{
		Functions: functions(map[string]*lambdaFunction{"fn": fn}),
		Credentials: []penstock.Credential{
			{AccessKeyID: admin, SecretAccessKey: "s"},
			{AccessKeyID: limited, SecretAccessKey: "s", Policy: `{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:us-east-1:123456789012:*/dev/POST/@connections/*"},
				{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:us-east-1:123456789012:*/prod/*"},
				{"Effect":"Deny","Action":"execute-api:ManageConnections","Resource":"arn:aws:execute-api:us-east-1:123456789012:*/prod/POST/@connections/*"}]}`},
		},
	})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}, stages: []string{"dev", "prod"}})
	_, dev := w.identified(fn, api, "/dev")
	_, prod := w.identified(fn, api, "/prod")
	who := &sigv4.Credential{AccessKeyID: limited, SecretAccessKey: "s"}
	for _, v := range []struct {
		request string
		caller  *sigv4.Credential
		status  int
		body    string
	}{
		{"POST /dev/@connections/" + dev, who, 200, ""},
		{"GET /dev/@connections/" + dev, who, 403, `{"Message":"User: arn:aws:iam::123456789012:user/AKIDLIMITED is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:123456789012:` + api + `/dev/GET/@connections/` + dev + `"}`},
		{"GET /prod/@connections/" + prod, who, 200, "{"},
		{"POST /prod/@connections/" + prod, who, 403, `{"Message":"User: arn:aws:iam::`},
		{"POST /dev/@connections/" + dev, &sigv4.Credential{AccessKeyID: admin, SecretAccessKey: "wrong"}, 403, `{"message":"The request signature we calculated does not match`},
		{"POST /dev/@connections/" + dev, &sigv4.Credential{AccessKeyID: "AKIDNOBODY", SecretAccessKey: "s"}, 403, `{"message":"`},
		{"DELETE /dev/@connections/" + dev, &sigv4.Credential{AccessKeyID: admin, SecretAccessKey: "s"}, 204, ""},
	} {
		if a := w.management(api, v.request, "", v.caller); a.StatusCode != v.status || !strings.HasPrefix(a.body, v.body) || v.body == "" && a.body != "" {
			t.Errorf("%s by %s got %d %s, want %d %s", v.request, v.caller.AccessKeyID, a.StatusCode, a.body, v.status, v.body)
		}
	}
}

// TestSocketDomain is H14 to H16, K22 and K23: custom domain names.
func TestSocketDomain(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn")}})
	ctx := t.Context()
	domain := aws.String("d.example.com")
	check[*apigatewayv2.CreateDomainNameOutput](t)(w.control.CreateDomainName(ctx, &apigatewayv2.CreateDomainNameInput{
		DomainName: domain, DomainNameConfigurations: []types.DomainNameConfiguration{{
			CertificateArn: aws.String("arn:aws:acm:us-east-1:" + testAccount + ":certificate/1"), EndpointType: types.EndpointTypeRegional}},
	}))
	check[*apigatewayv2.CreateApiMappingOutput](t)(w.control.CreateApiMapping(ctx, &apigatewayv2.CreateApiMappingInput{
		DomainName: domain, ApiId: &api, Stage: aws.String("dev"), ApiMappingKey: aws.String("chat"),
	}))
	s := w.connect(api, "/chat?x=1", "Host: d.example.com")
	e := fn.wait(t)
	if at(e, "requestContext.domainName") != "d.example.com" || at(e, "requestContext.stage") != "dev" || at(e, "queryStringParameters.x") != "1" {
		t.Errorf("event %v", e)
	}
	if s := w.handshake(api, "/nope", "Host: d.example.com"); s.shake.StatusCode != 403 || s.shake.body != `{"message":"Forbidden"}` {
		t.Errorf("H16: %d %s", s.shake.StatusCode, s.shake.body)
	}
	id := at(e, "requestContext.connectionId").(string)
	request := func(path string) *answered {
		r, err := http.NewRequestWithContext(ctx, "POST", w.server.URL()+path, strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "d.example.com"
		signer := sigv4.Signer{Credential: *somebody, Region: "us-east-1", Service: "execute-api"}
		if err := signer.Sign(r, []byte("hi")); err != nil {
			t.Fatal(err)
		}
		return perform(t, r)
	}
	if a := request("/chat/@connections/" + id); a.StatusCode != 200 {
		t.Errorf("K22: %d %s", a.StatusCode, a.body)
	}
	if got := s.next(); got != "hi" {
		t.Errorf("got %q", got)
	}
	if a := request("/x/@connections/" + id); a.StatusCode != 404 || a.body != `{"message":"No method found matching route x/@connections/`+id+` for http method POST."}` || a.Header.Get("X-Amzn-Errortype") != "NotFoundException" {
		t.Errorf("K23: %d %s", a.StatusCode, a.body)
	}
	check[*apigatewayv2.UpdateApiOutput](t)(w.control.UpdateApi(ctx, &apigatewayv2.UpdateApiInput{ApiId: &api, DisableExecuteApiEndpoint: aws.Bool(true)}))
	deployment := check[*apigatewayv2.CreateDeploymentOutput](t)(w.control.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &api, StageName: aws.String("dev")}))
	_ = deployment
	if s := w.handshake(api, "/dev"); s.shake.StatusCode != 403 || s.shake.body != `{"message":"Forbidden"}` {
		t.Errorf("H14: %d %s", s.shake.StatusCode, s.shake.body)
	}
	w.connect(api, "/chat", "Host: d.example.com")
}

// TestSlowReader is K24: what a client does not read is bounded, and it is not waited for.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn}), WebSockets: penstock.WebSockets{StallTimeout: time.Second}})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}})
	_, id := w.identified(fn, api, "/dev")
	body := strings.Repeat("x", 128<<10)
	for sent := 0; ; sent++ {
		a := w.management(api, "POST /dev/@connections/"+id, body, somebody)
		if a.StatusCode == 429 {
			if a.Header.Get("X-Amzn-Errortype") != "LimitExceededException" || a.body != "" {
				t.Errorf("got %q %s", a.Header.Get("X-Amzn-Errortype"), a.body)
			}
			break
		}
		if a.StatusCode != 200 || sent > 1000 {
			t.Fatalf("message %d got %d", sent, a.StatusCode)
		}
	}
	if e := fn.wait(t); at(e, "requestContext.disconnectStatusCode") != float64(1011) {
		t.Errorf("event %v", e)
	}
}

// TestGroups: members of a group hear what is said to it, until they leave or end.
func TestGroups(t *testing.T) {
	t.Parallel()
	fn := answering(`{"statusCode":200}`)
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"$connect": lambdaRoute("fn"), "$disconnect": lambdaRoute("fn")}, stages: []string{"dev", "prod"}})
	a, idA := w.identified(fn, api, "/dev")
	b, idB := w.identified(fn, api, "/dev")
	c, idC := w.identified(fn, api, "/dev")
	ask := func(request, body string, status int, want string) {
		t.Helper()
		if got := w.management(api, request, body, somebody); got.StatusCode != status || got.body != want {
			t.Errorf("%s got %d %s, want %d %s", request, got.StatusCode, got.body, status, want)
		}
	}
	members := func(ids ...string) string {
		slices.Sort(ids)
		text, _ := json.Marshal(map[string][]string{"connectionIds": append([]string{}, ids...)})
		return string(text)
	}
	ask("GET /dev/@groups/room", "", 200, members())
	ask("POST /dev/@groups/room", "nobody", 200, `{"sent":0,"failed":0}`)
	for _, id := range []string{idA, idB, idC, idC} {
		ask("PUT /dev/@groups/room/"+id, "", 204, "")
	}
	ask("GET /dev/@groups/room", "", 200, members(idA, idB, idC))
	ask("GET /prod/@groups/room", "", 200, members())
	ask("POST /dev/@groups/room", "to all", 200, `{"sent":3,"failed":0}`)
	for _, s := range []*socket{a, b, c} {
		if got := s.next(); got != "to all" {
			t.Errorf("got %q", got)
		}
	}
	ask("DELETE /dev/@groups/room/"+idB, "", 204, "")
	ask("DELETE /dev/@groups/room/"+idB, "", 204, "")
	c.close(1000, "")
	fn.wait(t)
	ask("GET /dev/@groups/room", "", 200, members(idA))
	ask("POST /dev/@groups/room", "to one", 200, `{"sent":1,"failed":0}`)
	if got := a.next(); got != "to one" {
		t.Errorf("got %q", got)
	}
	b.quiet()
	ask("PUT /dev/@groups/room/"+idC, "", 410, "")
	ask("PUT /dev/@groups/room/abc", "", 400, `{"message":"Invalid connectionId: abc"}`)
	ask("PUT /prod/@groups/room/"+idA, "", 410, "")
	ask("PUT /dev/@groups/"+strings.Repeat("x", 129)+"/"+idA, "", 400, `{"message":"Invalid group name: use 1 to 128 letters, digits and -_.:~"}`)
	ask("POST /dev/@groups/room", strings.Repeat("x", 131073), 413, `{"message":"Message too long"}`)
	if got := w.management(api, "POST /dev/@groups/room", "x", nil); got.StatusCode != 403 {
		t.Errorf("unsigned: %d", got.StatusCode)
	}
	for i := range 100 - 1 {
		ask(fmt.Sprintf("PUT /dev/@groups/g%d/%s", i, idA), "", 204, "")
	}
	ask("PUT /dev/@groups/onetoomany/"+idA, "", 400, `{"message":"A connection can be in 100 groups."}`)
}

// TestHealthPaths: they answer if the configuration says so, for WebSocket APIs only.
func TestHealthPaths(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		w := newWorld(t, penstock.Config{WebSockets: penstock.WebSockets{HealthPaths: on}})
		socket := w.sockets(socketSpec{routes: map[string]socketRoute{"$default": {}}})
		http := w.api(apiSpec{routes: map[string]target{"GET /x": {}}})
		for _, path := range []string{"/ping", "/sping"} {
			want := `403 {"message":"Forbidden"}`
			if on {
				want = "200 healthy"
			}
			if a := w.ask(socket, "GET "+path); fmt.Sprint(a.StatusCode, " ", a.body) != want {
				t.Errorf("%s: %d %s, want %s", path, a.StatusCode, a.body, want)
			}
			if a := w.ask(http, "GET "+path); a.StatusCode != 404 {
				t.Errorf("%s of an HTTP API: %d", path, a.StatusCode)
			}
		}
	}
}
