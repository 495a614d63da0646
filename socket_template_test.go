package penstock_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"penstock"
)

// selecting is a route whose request template is selected by an expression.
func selecting(r socketRoute, expression string) socketRoute {
	r.integration.TemplateSelectionExpression = &expression
	return r
}

// with is a route whose integration has request parameters.
func with(r socketRoute, parameters map[string]string) socketRoute {
	r.integration.RequestParameters = parameters
	return r
}

// passthrough is the template that the console of the service makes for those who want to
// see everything.
const passthrough = `#set($allParams = $input.params())
{
"body-json" : $input.json('$'),
"params" : {
#foreach($type in $allParams.keySet())
    #set($params = $allParams.get($type))
"$type" : {
    #foreach($paramName in $params.keySet())
    "$paramName" : "$util.escapeJavaScript($params.get($paramName))"
        #if($foreach.hasNext),#end
    #end
}
    #if($foreach.hasNext),#end
#end
},
"stage-variables" : {
#foreach($key in $stageVariables.keySet())
"$key" : "$util.escapeJavaScript($stageVariables.get($key))"
    #if($foreach.hasNext),#end
#end
},
"context" : {
    "stage" : "$context.stage",
    "connection-id" : "$context.connectionId",
    "route" : "$context.routeKey",
    "user-agent" : "$util.escapeJavaScript($context.identity.userAgent)",
    "nobody" : "$context.authorizer.principalId"
    }
}
`

// TestTemplates has requests as people write them for DynamoDB, SQS, Kinesis and Step
// Functions, and for backends of their own. The backend sends each back, so that clients see
// what it got, with C for the ID of the connection.
func TestTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	back := response("$default", nil)
	echo := func(text string) socketRoute { return two(httpRoute("/echo", template(text), back)) }
	const send = `{"action":"send","room":"r1","text":"it's \"me\"\nagain"}`
	for _, v := range []struct {
		name    string
		route   socketRoute
		send    string // send if empty
		want    string
		squeeze bool // blanks and lines do not count
	}{
		{name: "item of a table", squeeze: true, want: `{"TableName":"chat","Item":{"id":{"S":"C"},"room":{"S":"r1"},"text":{"S":"it's \"me\"\nagain"},"raw":{"S":"it\'s \"me\"\nagain"}}}`, route: echo(`{
			"TableName": "$stageVariables.table",
			"Item": {
				"id": {"S": "$context.connectionId"},
				"room": {"S": $input.json('$.room')},
				"text": {"S": $input.json('$.text')},
				"raw": {"S": "$util.escapeJavaScript($input.path('$.text'))"}
			}
		}`)},
		{name: "message of a queue", want: "Action=SendMessage&MessageGroupId=r1&MessageBody=%7B%22action%22%3A%22send%22%2C%22room%22%3A%22r1%22%2C%22text%22%3A%22it%27s+%5C%22me%5C%22%5Cnagain%22%7D&MessageAttribute.1.Value.StringValue=C",
			route: with(echo("Action=SendMessage&MessageGroupId=$input.path('$.room')&MessageBody=$util.urlEncode($input.json('$'))&MessageAttribute.1.Value.StringValue=$context.connectionId"),
				map[string]string{"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"})},
		{name: "record of a stream", want: `{"StreamName":"s","Data":"aGVsbG8=","PartitionKey":"C"}`, send: `{"action":"send","data":"hello"}`,
			route: echo(`{"StreamName":"s","Data":"$util.base64Encode($input.path('$.data'))","PartitionKey":"$context.connectionId"}`)},
		{name: "records of a stream", squeeze: true, send: `{"action":"send","records":[{"data":"a","key":1},{"data":"b","key":"k"}]}`, want: `{"Records":[{"Data":"YQ==","PartitionKey":"1"},{"Data":"Yg==","PartitionKey":"k"}]}`,
			route: echo(`{
    "Records": [
       #foreach($elem in $input.path('$.records'))
          {
            "Data": "$util.base64Encode($elem.data)",
            "PartitionKey": "$elem.key"
          }#if($foreach.hasNext),#end
        #end
    ]
}`)},
		{name: "execution of a state machine", squeeze: true, want: `{"input":"{\"action\":\"send\",\"room\":\"r1\",\"text\":\"it's \\\"me\\\"\\nagain\"}","stateMachineArn":"arn:aws:states:us-east-1:123456789012:stateMachine:m"}`,
			route: echo(`#set($sfn_input=$util.escapeJavaScript($input.json("$")).replaceAll("\\'","'"))
{
  "input": "$sfn_input",
  "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"
}`)},
		{name: "input of an execution by parts", squeeze: true, send: `{"action":"send","data":{"who":"it's me"}}`, want: `{"input":"{\"data\": {\"who\":\"it's me\"}, \"connectionId\": \"C\"}"}`,
			route: echo(`{"input": "{\"data\": $util.escapeJavaScript($input.json('$.data')).replaceAll("\\'", "'"), \"connectionId\": \"$context.connectionId\"}"}`)},
		{name: "root of the input", squeeze: true, send: `{"action":"send","items":[{"n":"a","p":1.50},{"n":"b","p":2}],"to":{"name":"Ada"}}`, want: `{"to":"Ada","count":2,"first":"a","items":["a=1.5","b=2"],"none":"","gone":""}`,
			route: echo(`#set($inputRoot = $input.path('$'))
#set($count = $inputRoot.items.size())
{ "to": "$inputRoot.to.name", "count": $count, "first": "$inputRoot.items[0].n",
  "items": [#foreach($i in $inputRoot.items)"$i.n=$i.p"#if($foreach.hasNext), #end#end],
  "none": "$!inputRoot.nope", "gone": "$inputRoot.nope" }`)},
		{name: "the console's on a message", squeeze: true, send: `{"action":"send"}`, want: `{"body-json":{"action":"send"},"params":{"path":{},"querystring":{},"header":{}},"stage-variables":{"table":"chat"},"context":{"stage":"dev","connection-id":"C","route":"send","user-agent":"ua\/1","nobody":""}}`,
			route: echo(passthrough)},
		{name: "several keys", send: `{"action":"send","service":"chat","verb":"join"}`, want: "joins C", route: func() socketRoute {
			r := echo("")
			r.integration.RequestTemplates = map[string]string{"chat/join": "joins $context.connectionId", "chat/leave": "leaves", `$default`: "other"}
			return selecting(r, "${request.body.service}/${request.body.verb}")
		}()},
		{name: "none of several keys", send: `{"action":"send","service":"chat"}`, want: "other", route: func() socketRoute {
			r := echo("")
			r.integration.RequestTemplates = map[string]string{"chat/join": "joins", `$default`: "other"}
			return selecting(r, "${request.body.service}/${request.body.verb}")
		}()},
		{name: "a fixed key", want: "[r1]", route: func() socketRoute {
			r := echo("")
			r.integration.RequestTemplates = map[string]string{"200": "[$input.path('$.room')]"}
			return selecting(r, "200")
		}()},
		{name: "the default in a fixed way", want: "[r1]", route: selecting(echo("[$input.path('$.room')]"), `\$default`)},
		{name: "answers by status", want: "missing: ok", route: two(httpRoute("/status/404", nil,
			response(`/2\d{2}/`, template("found")), response(`/4\d{2}/`, template("missing: $input.body")), response(`/5\d{2}/`, template("broken"))))},
		{name: "answers by header", want: "seven C chat", route: func() socketRoute {
			r := response("$default", map[string]string{"7": "seven $context.connectionId $stageVariables.table", "$default": "other"})
			r.TemplateSelectionExpression = aws.String("${integration.response.header.X-Id}")
			return two(httpRoute("/", nil, r))
		}()},
		{name: "answers out of the answer", send: `{"action":"send","a":{"b":[1,2]}}`, want: `{"got":[1,2],"n":2}`,
			route: two(httpRoute("/echo", template("$input.json('$.a')"), response("$default", template(`{"got":$input.json('$.b'),"n":$input.path('$.b').size()}`))))},
		{name: "what the request knows", send: `{"action":"send","a":"x"}`, want: `got x`, route: two(mockRoute(
			template(`#set($context.requestOverride.path.a = $input.path('$.a')){"statusCode":200}`), response("$default", template("got $context.requestOverride.path.a"))))},
		{name: "a mock that looks", send: `{"action":"send","ok":false}`, want: `refused`, route: two(mockRoute(
			template(`#if($input.path('$.ok')){"statusCode": 200}#else{"statusCode": 403}#end`), response("/2../", template("welcome")), response("/4../", template("refused"))))},
		{name: "bytes", send: "aGVsbG8=", want: "hello", route: func() socketRoute {
			r := two(httpRoute("/echo", nil, back))
			r.integration.ContentHandlingStrategy = types.ContentHandlingStrategyConvertToBinary
			return r
		}()},
		{name: "bytes in lines", send: "aGVs\r\nbG8=", want: "hello", route: func() socketRoute {
			r := two(httpRoute("/echo", nil, back))
			r.integration.ContentHandlingStrategy = types.ContentHandlingStrategyConvertToBinary
			return r
		}()},
		{name: "bytes there and back", send: "aGVsbG8=", want: "aGVsbG8=", route: func() socketRoute {
			r := response("$default", nil)
			r.ContentHandlingStrategy = types.ContentHandlingStrategyConvertToText
			there := two(httpRoute("/echo", nil, r))
			there.integration.ContentHandlingStrategy = types.ContentHandlingStrategyConvertToBinary
			return there
		}()},
	} {
		t.Run(v.name, func(t *testing.T) {
			api := w.sockets(socketSpec{variables: map[string]string{"table": "chat"}, routes: map[string]socketRoute{
				"who":      two(mockRoute(template(`{"statusCode":200}`), response("$default", template("$context.connectionId")))),
				"$default": v.route, // of messages that are not JSON
				"send":     v.route,
			}})
			s := w.connect(api, "/dev", "User-Agent: ua/1")
			s.send(`{"action":"who"}`)
			id := s.next()
			text := v.send
			if text == "" {
				text = send
			}
			s.send(text)
			got := strings.ReplaceAll(s.next(), id, "C")
			if v.squeeze {
				got = squeezed(got)
			}
			if got != v.want {
				t.Errorf("got  %s\nwant %s", got, v.want)
			}
			w.take()
		})
	}
}

// A toldRequest is what a callback got.
type toldRequest struct {
	method, uri, body string
	header            http.Header
}

// TestCallbacks has backends that are told of connections by their IDs, in the path and in
// the header, and what the templates of a handshake and of its end see.
func TestCallbacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, penstock.Config{})
	came := make(chan toldRequest, 4)
	backend := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		came <- toldRequest{r.Method, r.RequestURI, string(body), r.Header}
	}))
	t.Cleanup(backend.Close)
	told := func(method, text string, parameters map[string]string) socketRoute {
		r := httpRoute(backend.URL+"/users/{id}", template(text), response("$default", nil))
		r.integration.IntegrationMethod = &method
		r.integration.RequestParameters = map[string]string{
			"integration.request.path.id": "context.connectionId", "integration.request.header.connectionId": "context.connectionId",
			"integration.request.header.Content-Type": "'text/plain'", "integration.request.querystring.v": "'a%20b'",
		}
		maps.Copy(r.integration.RequestParameters, parameters)
		return r
	}
	handing := proxyRoute(backend.URL+"/users/{id}", map[string]string{
		"integration.request.path.id": "context.connectionId", "integration.request.header.connectionId": "context.connectionId",
		"integration.request.querystring.room": "route.request.body.room", "integration.request.header.was": "route.request.header.Room",
	})
	api := w.sockets(socketSpec{variables: map[string]string{"table": "chat"}, routes: map[string]socketRoute{
		"$connect":    told("PUT", passthrough, map[string]string{"integration.request.header.room": "route.request.querystring.room"}),
		"$disconnect": told("DELETE", `$context.eventType $context.disconnectStatusCode $context.disconnectReason [$input.body][$input.params('room')]`, nil),
		"send":        handing,
	}})
	s := w.connect(api, "/dev?room=r%201", "User-Agent: it's \"ua\"", "Room: r1")
	got := <-came
	id := got.header.Get("ConnectionId")
	place := "/users/" + strings.TrimSuffix(id, "=") + "%3D"
	if got.method != "PUT" || len(id) != 16 || got.uri != place+"?v=a%20b" || got.header.Get("Content-Type") != "text/plain" || got.header.Get("Room") != "r 1" {
		t.Errorf("the handshake was told as %+v", got)
	}
	// Such a template makes no JSON of apostrophes, as in the service.
	e, _ := object(strings.ReplaceAll(got.body, `\'`, "'")).(map[string]any)
	for where, want := range map[string]string{
		"params.querystring.room": "r 1", "params.header.Room": "r1", "params.header.User-Agent": `it's "ua"`, "params.header.Sec-WebSocket-Key": socketKey,
		"stage-variables.table": "chat", "context.connection-id": id, "context.route": "$connect", "context.nobody": "", "context.user-agent": `it's "ua"`,
	} {
		if got := at(e, where); got != want {
			t.Errorf("%s is %v, want %s", where, got, want)
		}
	}
	s.send(`{"action":"send","room":"r/2"}`)
	if got = <-came; got.method != "POST" || got.uri != place+"?room=r/2" || got.header.Get("ConnectionId") != id || got.header.Get("Was") != "" || got.body != `{"action":"send","room":"r/2"}` {
		t.Errorf("a message was told as %+v", got)
	}
	s.close(4001, "it's over")
	if got = <-came; got.method != "DELETE" || got.uri != place+"?v=a%20b" || got.body != `DISCONNECT 4001 it's over [{}][]` {
		t.Errorf("the end was told as %+v", got)
	}
}

// TestFunctionTemplates has functions that get what templates make, and answer through
// them: N20 to N23.
func TestFunctionTemplates(t *testing.T) {
	t.Parallel()
	fn := newFunction(func(_ context.Context, event string) (string, error) {
		if strings.Contains(event, "lost") {
			return "", errors.New("[NotFound] there is no such room")
		}
		return `{"seen":` + event + `}`, nil
	})
	w := newWorld(t, penstock.Config{Functions: functions(map[string]*lambdaFunction{"fn": fn})})
	custom := func(text string, responses ...*apigatewayv2.CreateIntegrationResponseInput) socketRoute {
		r := lambdaRoute("fn")
		r.integration.IntegrationType, r.responses = types.IntegrationTypeAws, responses
		if text != "" {
			r.integration.RequestTemplates = template(text)
		}
		return r
	}
	event := with(custom(`{"from":"$context.connectionId","body":$input.body}`, response("$default", nil)), map[string]string{"integration.request.header.X-Amz-Invocation-Type": "'Event'"})
	api := w.sockets(socketSpec{routes: map[string]socketRoute{
		"whole":  two(custom("", response("$default", nil))),
		"part":   two(custom(`{"room":$input.json('$.room')}`, response("$default", template(`{"room":$input.json('$.seen.room')}`)))),
		"lost":   two(custom("", response("$default", template("fine")), response(`/.*\[NotFound\].*/`, template(`{"error":"$input.path('$.errorMessage')"}`)))),
		"losing": two(custom(`{"a":"lost"}`, response("/Fatal.*/", template("fatal")))),
		"broken": two(custom(`{"a":"$util.escapeJavaScript($input.path('$.a'))"}`, response("$default", nil))),
		"event":  event,
	}})
	s := w.connect(api, "/dev")
	for _, v := range []struct{ send, want string }{
		{`{"action":"whole"}`, `{"seen":{"action":"whole"}}`},
		{`{"action":"part","room":{"id":1.50}}`, `{"room":{"id":1.5}}`},
		{`{"action":"lost"}`, `{"error":"[NotFound] there is no such room"}`},
		{`{"action":"losing"}`, ""},
		{`{"action":"broken","a":"it's"}`, `{"Type":"User","message":"Could not parse request body into json"}`},
	} {
		s.send(v.send)
		if v.want == "" {
			s.failed("Internal server error")
		} else if got := s.next(); got != v.want {
			t.Errorf("%s: got %s, want %s", v.send, got, v.want)
		}
	}
	fn.take()
	s.send(`{"action":"event"}`)
	e := fn.wait(t)
	if from, _ := at(e, "from").(string); len(from) != 16 || at(e, "body.action") != "event" {
		t.Errorf("the function got %v", e)
	}
	s.quiet()
}

// squeezed is JSON without what stands between the tokens, whatever is in the strings.
func squeezed(text string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && quoted && i+1 < len(text):
			b.WriteByte(c)
			i++
			c = text[i]
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '\n' || c == '\r' || c == '\t'):
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
