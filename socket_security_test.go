package penstock_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// patience is how long anything that a stranger sends or configures may take until there is
// an answer: with room for a busy machine, and far less than what it would take unbounded.
func patience() time.Duration {
	if raced() {
		return 30 * time.Second
	}
	return 5 * time.Second
}

// A hostile is one message that must be answered in time, after which the next message of
// the connection and of others is served as if nothing had happened.
type hostile struct {
	name, message string
	// want is the answer. Empty stands for an error frame with failure; if that is empty,
	// too, for any.
	want, failure string
}

// attack sends hostile messages to an API that has a route good, which answers "pong".
func (w *world) attack(t *testing.T, api string, all ...hostile) {
	t.Helper()
	s, other := w.connect(api, "/dev"), w.connect(api, "/dev")
	longer([]*socket{s, other})
	for _, v := range all {
		start := time.Now()
		s.send(v.message)
		other.send(`{"action":"good"}`)
		if got := other.next(); got != "pong" {
			t.Errorf("%s: beside it, somebody else got %q", v.name, got)
		}
		switch {
		case v.want != "":
			if got := s.next(); got != v.want {
				t.Errorf("%.60s: got %.100q, want %.100q", v.name, got, v.want)
			}
		case v.failure != "":
			if got := s.next(); !strings.HasPrefix(got, `{"message": "`+v.failure+`", "connectionId":"`) {
				t.Errorf("%.60s: got %.100q, want an error frame with %q", v.name, got, v.failure)
			}
		default:
			s.next()
		}
		if took := time.Since(start); took > patience() {
			t.Errorf("%s: the answer took %v", v.name, took)
		}
		s.send(`{"action":"good"}`)
		if got := s.next(); got != "pong" {
			t.Errorf("%s: the next message got %.100q", v.name, got)
		}
	}
}

// hostileTemplates makes an API with a route for each of some response templates, and sends
// a message to each.
func hostileTemplates(t *testing.T, w *world, message string, all ...[3]string) {
	t.Helper()
	spec := socketSpec{routes: map[string]socketRoute{"good": says("pong")}}
	var attacks []hostile
	for i, v := range all {
		key := fmt.Sprint("bomb", i)
		spec.routes[key] = reads(v[0])
		attacks = append(attacks, hostile{fmt.Sprintf("%.60s", v[0]), strings.Replace(message, "{", `{"action":"`+key+`",`, 1), v[1], v[2]})
	}
	w.attack(t, w.sockets(spec), attacks...)
}

// reads is a route whose response template finds the message as what the backend has said.
func reads(text string) socketRoute {
	return two(httpRoute("/echo", nil, response("$default", template(text))))
}

const failed = "Internal server error"

// Templates reach nothing but the values they were given: no class, no method that is not
// listed, no file.
func TestSecurity44TemplateSandbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	hostileTemplates(t, w, `{"a":"x"}`,
		[3]string{`#set($x="x")[$!{x.class}]`, "[]"},
		[3]string{`#set($x="x")[$!{x.class.name}]`, "[]"},
		[3]string{`#set($x="x")[$!x.getClass()]`, "[]"},
		[3]string{`#set($x="x")[$!x.getClass().forName("java.lang.Runtime").getRuntime().exec("id")]`, "[]"},
		[3]string{`[$!{input.class}$!{util.class.classLoader}$!{context.class}$!{stageVariables.class}]`, "[]"},
		[3]string{`#set($l=[])[$!{l.class}$!l.getClass()$!l.stream()]`, "[]"},
		[3]string{`#set($f=$input.path("$").getClass().forName("java.io.File"))[$!f]`, "[]"},
		[3]string{`#evaluate("$x.class")[$!{x}]`, "", ""},
	)
}

// Templates that would run, grow or nest without end fail in time, and nothing else does.
func TestSecurity45TemplateBombs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	nested := func(depth int, of string) string {
		return strings.Repeat(of, depth) + strings.Repeat("#end", depth)
	}
	hostileTemplates(t, w, `{"a":"x"}`,
		[3]string{`#foreach($a in [1..10000])#foreach($b in [1..10000])#end#end`, "", failed},
		[3]string{`#foreach($a in [1..10000])#foreach($b in [1..10000])x#end#end`, "", failed},
		[3]string{`#set($s="aaaaaaaaaaaaaaaa")#foreach($i in [1..64])#set($s="$s$s")#end$s`, "", failed},
		[3]string{`#set($l=[1])#foreach($i in [1..64])#set($d=$l.addAll($l))#end$l.size()`, "", failed},
		[3]string{`#foreach($a in [1..2000000000])#end`, "", failed},
		[3]string{`#macro(m)#m()#end#m()`, "", ""},
		[3]string{nested(1000, "#if(true)"), "", failed},
		[3]string{nested(1000, "#foreach($x in [1..2])"), "", failed},
		[3]string{"#set($x=" + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + ")", "", failed},
		[3]string{"#set($x=" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + ")$x", "", failed},
		[3]string{`#set($s="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")$s.matches("(a+)+$")`, "false"},
		[3]string{`#foreach($i in [1..900])` + strings.Repeat("x", 200) + `#end`, "", failed}, // more than a message may have
	)
	for _, file := range []string{"#parse", "#include"} {
		api := w.sockets(socketSpec{routes: map[string]socketRoute{"file": says(file + `("/etc/passwd")`)}})
		s := w.connect(api, "/dev")
		s.send(`{"action":"file"}`)
		if got := s.next(); strings.Contains(got, "root:") {
			t.Errorf("%s reads files: %q", file, got)
		}
	}
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"good": says("pong")}})
	_, err := w.control.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: &api, IntegrationType: types.IntegrationTypeMock, RequestTemplates: template(strings.Repeat("x", 300<<10)),
	})
	if code(t, err) != "BadRequestException" {
		t.Errorf("a template of 300 KB: %v", err)
	}
}

// Texts that are hard to read as JSON are read or refused in time.
func TestSecurity46HostileJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	const depth = 60_000
	deep := `{"action":"read","a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + "}"
	api := w.sockets(socketSpec{routes: map[string]socketRoute{
		"good": says("pong"), "read": reads(`$input.json('$.a')`), "parse": reads(`$util.parseJson($input.body).get("a")`), "$default": says("unread"),
	}})
	message := func(key, a string) string { return `{"action":"` + key + `","a":` + a + "}" }
	w.attack(t, api,
		hostile{"deep", deep, "", ""},
		hostile{"deep objects", `{"action":"read","a":` + strings.Repeat(`{"a":`, depth/3) + "1" + strings.Repeat("}", depth/3) + "}", "", ""},
		hostile{"open", strings.Repeat("[", 2*depth), "", ""},
		hostile{"wide", message("read", "["+strings.Repeat("0,", depth)+"0]"), "[" + strings.Repeat("0,", depth) + "0]", ""},
		hostile{"many members", message("parse", "0"+manyMembers(8000)), "0", ""},
		hostile{"twice", `{"action":"good","action":"read","a":1,"a":2}`, "2", ""},
		hostile{"large exponent", message("read", "1e999"), "", ""},
		hostile{"huge exponent", message("read", "1e999999999999"), "", ""},
		hostile{"many digits", message("read", strings.Repeat("9", 100_000)), "", ""},
		hostile{"minus zero", message("read", "-0"), "", ""},
		hostile{"surrogate", message("read", `"\ud800"`), "", ""},
		hostile{"NUL", message("read", `"\u0000"`), `"\u0000"`, ""},
		hostile{"byte order mark", "\ufeff" + message("read", "1"), "", ""},
		hostile{"trailing", message("read", "1") + "garbage", "", ""},
		hostile{"no value", `{"action":"read","a":}`, "", ""},
		hostile{"string without end", `{"action":"read","a":"` + strings.Repeat("x", 100_000), "", ""},
	)
}

// manyMembers are members of an object, all different.
func manyMembers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":%d`, i, i)
	}
	return b.String()
}

// Paths that branch everywhere are given up, wherever they stand, and scripts are not run.
func TestSecurity47HostilePaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	wide := strings.Repeat("[", 60) + strings.Repeat("1,", 20_000) + "1" + strings.Repeat("]", 60)
	hostileTemplates(t, w, `{"a":`+wide+`}`,
		[3]string{`$input.path("$..*..*..*..*").size()`, "", failed},
		[3]string{`$input.json("$..*..*..*")`, "", failed},
		[3]string{`$input.path("$..[?(@.x =~ /(a+)+$/)]")`, "", ""},
		[3]string{`$input.path("$.a[(@.length-1)]")`, "", ""},
		[3]string{`$input.path("$.a[0:2000000000:1]").size()`, "", ""},
		[3]string{`$input.path("$` + strings.Repeat("..a", 1000) + `")`, "", ""},
		[3]string{`$input.path("$[?(` + strings.Repeat("(", 1000) + `@.a` + strings.Repeat(")", 1000) + `)]")`, "", ""},
	)
	// The selection expression of the API itself branches.
	api := w.sockets(socketSpec{expression: "${request.body..*..*..*..*}", routes: map[string]socketRoute{"$default": says("pong")}})
	w.attack(t, api, hostile{"selection", `{"a":` + wide + `}`, "pong", ""})
	api = w.sockets(socketSpec{expression: "x-${request.body..a..*..*..*}-${request.body..*..*}", routes: map[string]socketRoute{"$default": says("pong")}})
	w.attack(t, api, hostile{"selection", `{"a":` + wide + `}`, "pong", ""})
	api = w.sockets(socketSpec{expression: strings.Repeat("${request.body..a}", 100), routes: map[string]socketRoute{"$default": says("pong")}})
	w.attack(t, api, hostile{"many variables", `{"a":` + wide + `}`, "pong", ""})
}

// Patterns of integration responses take linear time, and their programs are bounded.
func TestSecurity48HostilePatterns(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100_000) + "!"
	fails := newFunction(func(context.Context, string) (string, error) { return "", errors.New(long) })
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fails": fails})})
	route := func(keys ...string) socketRoute {
		r := lambdaRoute("fails")
		r.integration.IntegrationType = types.IntegrationTypeAws
		for _, key := range keys {
			r.responses = append(r.responses, response(key, template("matched")))
		}
		return two(r)
	}
	for _, key := range []string{"/(a+)+$/", "/(a|aa)+$/", "/(.*a){20}$/", "/(a{1000}){1000}/", "/(((a{100}){100}){100}){100}/", "/([/", "/(?=a)a/", "/" + strings.Repeat("(", 5000) + strings.Repeat(")", 5000) + "/"} {
		name := fmt.Sprintf("%.40s", key)
		api, err := w.patterned(route(key))
		if err != nil { // the control plane knows already
			if code(t, err) != "BadRequestException" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		w.attack(t, api, hostile{name, `{"action":"bomb"}`, "", failed})
	}
	// What can be matched is.
	api, err := w.patterned(route("/(a+)+!/"))
	if err != nil {
		t.Fatal(err)
	}
	w.attack(t, api, hostile{"(a+)+!", `{"action":"bomb"}`, "matched", ""})
}

// patterned makes an API with the routes good and bomb, unless a response of that cannot be.
func (w *world) patterned(bomb socketRoute) (string, error) {
	probe := check[*apigatewayv2.CreateApiOutput](w.t)(w.control.CreateApi(w.t.Context(), &apigatewayv2.CreateApiInput{
		Name: aws.String("probe"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action"),
	})).ApiId
	in := *bomb.integration
	in.ApiId = probe
	made := check[*apigatewayv2.CreateIntegrationOutput](w.t)(w.control.CreateIntegration(w.t.Context(), &in))
	for _, r := range bomb.responses {
		one := *r
		one.ApiId, one.IntegrationId = probe, made.IntegrationId
		if _, err := w.control.CreateIntegrationResponse(w.t.Context(), &one); err != nil {
			return "", err
		}
	}
	return w.sockets(socketSpec{routes: map[string]socketRoute{"good": says("pong"), "bomb": bomb}}), nil
}

// Schemas that branch without end refuse in time, and nothing is fetched for one.
func TestSecurity49HostileSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	var branches strings.Builder
	branches.WriteString(`{"$ref":"#/definitions/d0","definitions":{`)
	for i := range 40 {
		fmt.Fprintf(&branches, `"d%d":{"oneOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]},`, i, i+1, i+1)
	}
	branches.WriteString(`"d40":{"type":"string"}}}`)
	many := `{"enum":[` + strings.TrimSuffix(strings.Repeat(`"abcdefgh",`, 2000), ",") + `]}`
	const refused = "Invalid request body"
	for name, schema := range map[string]string{
		"loop":       `{"$ref":"#/definitions/a","definitions":{"a":{"allOf":[{"$ref":"#/definitions/a"}]}}}`,
		"branches":   branches.String(),
		"remote":     `{"$ref":"` + w.backend.URL + `/schema.json"}`,
		"file":       `{"$ref":"file:///etc/passwd"}`,
		"pattern":    `{"properties":{"v":{"pattern":"^(a+)+$"}}}`,
		"program":    `{"properties":{"v":{"pattern":"((a{1000}){1000}){1000}"}}}`,
		"lookbehind": `{"properties":{"v":{"pattern":"(?<=a)b"}}}`,
		"enum":       many,
	} {
		model, err := w.control.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("probe"), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: aws.String("$request.body.action")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.control.CreateModel(t.Context(), &apigatewayv2.CreateModelInput{ApiId: model.ApiId, Name: aws.String("M"), Schema: &schema, ContentType: aws.String("application/json")}); err != nil {
			if code(t, err) != "BadRequestException" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		api := w.sockets(socketSpec{models: map[string]string{"M": schema}, routes: map[string]socketRoute{
			"good": says("pong"), "bomb": modelled(says("passed"), `\$default`, map[string]string{"$default": "M"}),
		}})
		w.attack(t, api, hostile{name, `{"action":"bomb","v":"` + strings.Repeat("a", 100_000) + `!"}`, "", refused})
	}
	if r := w.take(); r != nil {
		t.Errorf("a schema had %s fetched", r.URL)
	}
}

// Descriptions that grow when they are read are refused in time, and nothing is fetched for
// one.
func TestSecurity50HostileImports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	const head = "openapi: 3.0.1\ninfo: {title: t, version: '1'}\n"
	var laughs strings.Builder
	laughs.WriteString(head + "x-a0: &a0 [lol]\n")
	for i := range 30 {
		fmt.Fprintf(&laughs, "x-a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i+1, i+1, i, i, i, i, i, i, i, i, i)
	}
	laughs.WriteString("paths: {}\ncomponents: *a30\n")
	var routes strings.Builder
	routes.WriteString(head + "paths:\n")
	for i := range 10_000 {
		fmt.Fprintf(&routes, "  /p%d: {get: {responses: {default: {description: d}}}}\n", i)
	}
	for name, body := range map[string]string{
		"aliases": laughs.String(),
		"routes":  routes.String(),
		"loop":    head + "paths:\n  /a: {$ref: '#/paths/~1b'}\n  /b: {$ref: '#/paths/~1a'}\n",
		"remote":  head + "paths:\n  /a: {$ref: '" + w.backend.URL + "/path.yaml'}\n",
		"deep":    `{"openapi":"3.0.1","info":` + strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000) + "}",
	} {
		start := time.Now()
		_, err := w.control.ImportApi(t.Context(), &apigatewayv2.ImportApiInput{Body: &body, FailOnWarnings: aws.Bool(true)})
		if err == nil || code(t, err) != "BadRequestException" && code(t, err) != "TooManyRequestsException" {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > 2*patience() {
			t.Errorf("%s took %v", name, took)
		}
	}
	if r := w.take(); r != nil {
		t.Errorf("a description had %s fetched", r.URL)
	}
}

// Numbers at the ends of their ranges are refused, or mean what they say.
func TestSecurity51Numbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	ctx := t.Context()
	api := w.sockets(socketSpec{routes: map[string]socketRoute{"good": says("pong")}})
	plain := w.api(apiSpec{routes: map[string]target{"GET /x": {}}})
	for _, timeout := range []int32{math.MinInt32, -1, 0, 49, 29_001, math.MaxInt32} {
		_, err := w.control.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{ApiId: &api, IntegrationType: types.IntegrationTypeMock, TimeoutInMillis: &timeout})
		if code(t, err) != "BadRequestException" {
			t.Errorf("a timeout of %d: %v", timeout, err)
		}
	}
	for _, ttl := range []int32{math.MinInt32, -1, 3601, math.MaxInt32} {
		_, err := w.control.CreateAuthorizer(ctx, &apigatewayv2.CreateAuthorizerInput{ApiId: &plain, Name: aws.String(fmt.Sprint("a", ttl)), AuthorizerType: types.AuthorizerTypeRequest,
			AuthorizerPayloadFormatVersion: aws.String("2.0"), AuthorizerUri: functionURI("f"), IdentitySource: []string{"$request.header.A"}, AuthorizerResultTtlInSeconds: &ttl})
		if code(t, err) != "BadRequestException" {
			t.Errorf("an authorizer of an HTTP API with a time to live of %d: %v", ttl, err)
		}
	}
	for _, v := range []struct {
		rate   float64
		burst  int32
		accept bool
		served string
	}{
		{-1, 1, false, ""}, {1, -1, false, ""}, {1, math.MinInt32, false, ""}, {math.Inf(1), 1, false, ""}, {math.NaN(), 1, false, ""},
		{math.MaxFloat64, math.MaxInt32, true, "pong"}, {math.SmallestNonzeroFloat64, 1, true, "pong"}, {0, 0, true, "Too Many Requests"},
	} {
		_, err := w.control.UpdateStage(ctx, &apigatewayv2.UpdateStageInput{ApiId: &api, StageName: aws.String("dev"), RouteSettings: map[string]types.RouteSettings{
			"good": {ThrottlingRateLimit: &v.rate, ThrottlingBurstLimit: &v.burst}}})
		if !v.accept {
			if err == nil {
				t.Errorf("rate %v and burst %d are accepted", v.rate, v.burst)
			}
			continue
		}
		if err != nil {
			t.Errorf("rate %v and burst %d: %v", v.rate, v.burst, err)
			continue
		}
		s := w.connect(api, "/dev")
		s.send(`{"action":"good"}`)
		if got := s.next(); !strings.Contains(got, v.served) {
			t.Errorf("rate %v and burst %d: got %q, want %q", v.rate, v.burst, got, v.served)
		}
	}
}
