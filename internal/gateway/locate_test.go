package gateway_test

import (
	"strings"
	"testing"

	"penstock/internal/gateway"
)

// say answers with a text and what the request resolved to.
type say string

func (s say) Invoke(x *gateway.Exchange) error {
	text := string(s) + " " + x.Stage.Name + " " + x.Route.Key + " " + x.RawPath + " " + x.Path + " " + x.RoutePath
	for i := range x.Route.Vars {
		text += " " + x.Route.Vars[i] + "=" + x.Vars.At(i)
	}
	x.Response.Status = 200
	x.Response.Body = gateway.Body{Bytes: []byte(text), Length: int64(len(text))}
	return nil
}

func routes(in gateway.Integration, keys ...string) map[string]gateway.Integration {
	m := map[string]gateway.Integration{}
	for _, k := range keys {
		m[k] = in
	}
	return m
}

const notFound = `{"message":"Not Found"}`

// TestLocate: which API, stage and route a request belongs to.
func TestLocate(t *testing.T) {
	t.Parallel()
	awsSet := []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"}
	stage := func(api, name string, keys ...string) *gateway.Stage {
		return newStage(t, api, name, routes(say(api), keys...))
	}
	disabled := stage("off", "$default", "$default")
	disabled.EndpointDisabled = true
	_, addr := serve(t, gateway.Config{Suffixes: []string{"Penstock.Test"}},
		newAPI("a", stage("a", "$default", "GET /pets", "GET /prod/x", "GET /", "GET /{x}/thing", "GET /$default/x"), stage("a", "prod", "GET /pets", "GET /"), stage("a", "x y", "GET /pets")),
		newAPI("only", stage("only", "prod", "GET /pets", "ANY /{proxy+}")),
		newAPI("aws", stage("aws", "$default", awsSet...)),
		newAPI("less", stage("less", "$default", "POST /todos", "ANY /handler/{proxy+}", "GET /bc/{id}", "GET /Pets", "GET /a/{x}", "ANY /a/{x}", "GET /g/{p+}")),
		newAPI("all", stage("all", "$default", "ANY /{proxy+}")),
		newAPI("default", stage("default", "$default", "$default"), stage("default", "prod", "$default")),
		newAPI("off", disabled), newAPI("empty"),
	)
	on := func(api string) string { return api + ".execute-api.us-east-1.amazonaws.com" }
	for _, tt := range []struct {
		name, host, line string
		status           int
		body             string
	}{
		// Stages.
		{"1", on("a"), "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"2", on("a"), "GET /prod/pets", 200, "a prod GET /pets /prod/pets /prod/pets /pets"},
		{"3", on("only"), "GET /pets", 404, notFound},
		{"4", on("only"), "GET /Prod/pets", 404, notFound},
		{"5", on("a"), "GET /prod/x", 404, notFound},
		{"6", on("a"), "GET /prod", 200, "a prod GET / /prod /prod /"},
		{"6 slash", on("a"), "GET /prod/", 200, "a prod GET / /prod/ /prod/ /"},
		{"stage name escaped", on("a"), "GET /%70rod/pets", 200, "a prod GET /pets /%70rod/pets /prod/pets /pets"},
		{"stage name with a space", on("a"), "GET /x%20y/pets", 200, "a x y GET /pets /x%20y/pets /x y/pets /pets"},
		{"stage behind two slashes", on("a"), "GET //prod/pets", 404, notFound},
		{"stage name goes on", on("only"), "GET /production/pets", 404, notFound},
		{"stage then escaped slash", on("only"), "GET /prod%2Fpets", 200, "only prod GET /pets /prod%2Fpets /prod/pets /pets"},
		{"$default is no path", on("default"), "GET /$default/x", 200, "default $default $default /$default/x /$default/x /$default/x"},
		{"$default as a route", on("a"), "GET /$default/x", 200, "a $default GET /$default/x /$default/x /$default/x /$default/x"},
		{"no stage at all", on("empty"), "GET /", 404, notFound},
		{"root", on("a"), "GET /", 200, "a $default GET / / / /"},
		// Decoding.
		{"8", on("default"), "POST /capture/space%20value?literalPlus=a+b", 200, "default $default $default /capture/space%20value /capture/space value /capture/space value"},
		{"11", on("all"), "GET /RSC/%40id%2Fassets%2Fr.js%23s.txt", 200, "all $default ANY /{proxy+} /RSC/%40id%2Fassets%2Fr.js%23s.txt /RSC/@id/assets/r.js#s.txt /RSC/@id/assets/r.js#s.txt proxy=RSC/@id/assets/r.js#s.txt"},
		{"12", on("a"), "GET /a%2Fb/thing", 404, notFound},
		{"13", on("a"), "GET /a%252Fb/thing", 200, "a $default GET /{x}/thing /a%252Fb/thing /a%2Fb/thing /a%2Fb/thing x=a%2Fb"},
		{"14", on("default"), "GET /a%3Fb/c?q=1", 200, "default $default $default /a /a /a"},
		{"14 behind an escape", on("default"), "GET /%C3%A9%2F%3Fb", 200, "default $default $default /%C3%A9%2F /é/ /é/"},
		{"19", on("a"), "GET /%zz", 400, `{"message":"Bad Request"}`},
		{"20", on("off"), "GET /pets", 404, notFound},
		// Routes.
		{"28", on("aws"), "GET /pets/dog/1", 200, "aws $default GET /pets/dog/1 /pets/dog/1 /pets/dog/1 /pets/dog/1"},
		{"29", on("aws"), "GET /pets/dog/2", 200, "aws $default GET /pets/dog/{id} /pets/dog/2 /pets/dog/2 /pets/dog/2 id=2"},
		{"30", on("aws"), "GET /pets/cat/1", 200, "aws $default GET /pets/{proxy+} /pets/cat/1 /pets/cat/1 /pets/cat/1 proxy=cat/1"},
		{"31", on("aws"), "POST /test/5", 200, "aws $default ANY /{proxy+} /test/5 /test/5 /test/5 proxy=test/5"},
		{"33", on("less"), "POST /todos/", 404, notFound},
		{"34", on("less"), "GET /handler/", 200, "less $default ANY /handler/{proxy+} /handler/ /handler/ /handler/ proxy="},
		{"35", on("less"), "GET /handler", 404, notFound},
		{"36", on("all"), "GET /", 200, "all $default ANY /{proxy+} / / / proxy="},
		{"37", on("less"), "GET /bc/", 200, "less $default GET /bc/{id} /bc/ /bc/ /bc/ id="},
		{"38", on("a"), "PUT /pets", 404, notFound},
		{"39", on("a"), "HEAD /pets", 404, ""},
		{"40", on("a"), "OPTIONS /pets", 404, notFound},
		{"41", on("less"), "DELETE /a/1", 200, "less $default ANY /a/{x} /a/1 /a/1 /a/1 x=1"},
		{"42", on("less"), "GET /pets", 404, notFound},
		{"45", on("less"), "GET /g/b/c/", 200, "less $default GET /g/{p+} /g/b/c/ /g/b/c/ /g/b/c/ p=b/c/"},
		// Hosts.
		{"suffix", "a.execute-api.us-east-1.penstock.test", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"localhost", host, "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"dual stack", "a.execute-api.us-east-1.api.aws", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"case", "A.Execute-API.US-East-1.LocalHost", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"port", host + ":8080", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"dot", host + ".", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"dot and port", host + ".:80", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"two dots", host + "..", "GET /pets", 404, notFound},
		{"other region", "a.execute-api.eu-west-1.localhost", "GET /pets", 404, notFound},
		{"unknown API", "b.execute-api.us-east-1.localhost", "GET /pets", 404, notFound},
		{"no id", ".execute-api.us-east-1.localhost", "GET /pets", 404, notFound},
		{"no API", "execute-api.us-east-1.localhost", "GET /pets", 404, notFound},
		{"more labels", "x.a.execute-api.us-east-1.localhost", "GET /pets", 404, notFound},
		{"suffix only begins so", "a.execute-api.us-east-1.localhost.evil.test", "GET /pets", 404, notFound},
		{"IPv4", "127.0.0.1:8080", "GET /pets", 404, notFound},
		{"IPv6", "[::1]", "GET /pets", 404, notFound},
		{"IPv6 and port", "[::1]:8080", "GET /pets", 404, notFound},
		{"case of the suffix", "a.execute-api.us-east-1.penstocK.test", "GET /pets", 200, "a $default GET /pets /pets /pets /pets"},
		// The path form.
		{"by path", "localhost:8080", "GET /_aws/execute-api/a/pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"by path, IPv6", "[::1]:8080", "GET /_aws/execute-api/a/pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"by path, stage", "localhost", "GET /_aws/execute-api/a/prod/pets", 200, "a prod GET /pets /prod/pets /prod/pets /pets"},
		{"by path, bare stage", "localhost", "GET /_aws/execute-api/a/prod", 200, "a prod GET / /prod /prod /"},
		{"by path, $default", "localhost", "GET /_aws/execute-api/a/$default/pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"by path, $default escaped", "localhost", "GET /_aws/execute-api/a/%24default/pets", 200, "a $default GET /pets /pets /pets /pets"},
		{"by path, $default then escaped slash", "localhost", "GET /_aws/execute-api/default/%24default%2Fa%2Fb", 200, "default $default $default /a%2Fb /a/b /a/b"},
		{"by path, bare $default", "localhost", "GET /_aws/execute-api/a/$default", 200, "a $default GET / / / /"},
		{"by path, $default with a slash", "localhost", "GET /_aws/execute-api/a/$default/", 200, "a $default GET / / / /"},
		{"by path, $default and a named stage", "localhost", "GET /_aws/execute-api/default/$default/prod/x", 200, "default $default $default /prod/x /prod/x /prod/x"},
		{"by path, no $default", "localhost", "GET /_aws/execute-api/only/$default/pets", 404, notFound},
		{"by path, bare", "localhost", "GET /_aws/execute-api/a", 200, "a $default GET / / / /"},
		{"by path, unknown", "localhost", "GET /_aws/execute-api/b/pets", 404, notFound},
		{"by path, nobody", "localhost", "GET /_aws/execute-api/", 404, notFound},
		{"by path, disabled", "localhost", "GET /_aws/execute-api/off/pets", 404, notFound},
		{"by path, id escaped", "localhost", "GET /_aws/execute-api/%61/pets", 404, notFound},
		{"by path, dots", "localhost", "GET /_aws/execute-api/a/../only/prod/pets", 400, `{"message":"Bad Request"}`},
		{"by path, escaped dots", "localhost", "GET /_aws/execute-api/a/%2e%2e/pets", 400, `{"message":"Bad Request"}`},
		{"by path on the host of an API", on("all"), "GET /_aws/execute-api/a/pets", 200, "all $default ANY /{proxy+} /_aws/execute-api/a/pets /_aws/execute-api/a/pets /_aws/execute-api/a/pets proxy=_aws/execute-api/a/pets"},
	} {
		c := dial(t, addr)
		c.send(tt.line, " HTTP/1.1\r\nHost: ", tt.host, "\r\n\r\n")
		method, _, _ := strings.Cut(tt.line, " ")
		a := c.read(method)
		if a.StatusCode != tt.status || a.body != tt.body {
			t.Errorf("%s: %s on %s: got %d %q, want %d %q", tt.name, tt.line, tt.host, a.StatusCode, a.body, tt.status, tt.body)
		}
		if tt.status == 404 && (a.ContentLength != 23 || a.Header.Get("Content-Type") != "application/json" || a.Close) {
			t.Errorf("%s: length %d, type %q, close %t", tt.name, a.ContentLength, a.Header.Get("Content-Type"), a.Close)
		}
		c.nc.Close()
	}
}
