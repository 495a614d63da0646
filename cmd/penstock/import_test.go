package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// write writes a file into a directory of the test and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const (
	imported    = `{"apiId":"a1","apiEndpoint":"http://a1.localhost:8080","name":"pets"}`
	findings    = `{"apiId":"a1","apiEndpoint":"http://a1.localhost:8080","name":"pets","warnings":["one\n\u001b[2J","two"],"importInfo":["three"]}`
	stagesOfA1  = "/v2/apis/a1/stages"
	listStages  = "GET " + stagesOfA1 + "?maxResults=500"
	noStageNote = "note: no stage serves the API yet; the same import with --api a1 --stage '$default' makes one\n"
)

func TestImport(t *testing.T) {
	t.Parallel()
	const document = "openapi: 3.0.1\ninfo: {title: \"<pets> & \\\"Zoë\\\"\"}\n"
	file := write(t, "openapi.yaml", document)
	marked := write(t, "marked.yaml", "\ufeff"+document)
	for _, tt := range []struct {
		name     string
		args     string
		put      string // method and target of the import
		answer   string
		stages   string
		calls    []string
		out, log string
	}{
		{"new", "", "PUT /v2/apis", imported, "", []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\n", noStageNote},
		{"everything", "--basepath prepend --fail-on-warnings", "PUT /v2/apis?basepath=prepend&failOnWarnings=true", findings, "", []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\n", "warning: one\\n\\x1b[2J\nwarning: two\ninfo: three\n" + noStageNote},
		{"split", "--basepath split", "PUT /v2/apis?basepath=split", imported, `{"stageName":"dev","autoDeploy":true}`, []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\n", ""},
		{"ignore", "--basepath ignore", "PUT /v2/apis", imported, `{"stageName":"dev","autoDeploy":true},{"stageName":"prod"}`, []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\n", "note: stage prod does not deploy by itself: until it gets a new deployment, it serves what it served\n"},
		{"again", "--api pets", "PUT /v2/apis/a1", imported, `{"stageName":"$default","autoDeploy":true}`, []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\n", ""},
		{"stage", "--stage dev", "PUT /v2/apis", imported, "", []string{listRoutes, listStages, "POST " + stagesOfA1},
			"a1: 2 routes, endpoint http://a1.localhost:8080\na1: stage dev at http://a1.localhost:8080/dev\n", ""},
		{"default stage", "--stage $default", "PUT /v2/apis", imported, `{"stageName":"dev"}`, []string{listRoutes, listStages, "POST " + stagesOfA1},
			"a1: 2 routes, endpoint http://a1.localhost:8080\na1: stage $default at http://a1.localhost:8080\n", ""},
		{"stage that exists", "--api a1 --stage dev", "PUT /v2/apis/a1", imported, `{"stageName":"dev","autoDeploy":false},{"stageName":"prod"}`, []string{listRoutes, listStages},
			"a1: 2 routes, endpoint http://a1.localhost:8080\na1: stage dev at http://a1.localhost:8080/dev\n",
			"note: stage dev does not deploy by itself: until it gets a new deployment, it serves what it served\n"},
		{"JSON", "--json --stage dev", "PUT /v2/apis", findings, "", []string{listStages, "POST " + stagesOfA1},
			"{\n  \"apiId\": \"a1\",\n  \"apiEndpoint\": \"http://a1.localhost:8080\",\n  \"name\": \"pets\",\n  \"warnings\": [\n    \"one\\n\\u001b[2J\",\n    \"two\"\n  ],\n  \"importInfo\": [\n    \"three\"\n  ]\n}\n",
			"warning: one\\n\\x1b[2J\nwarning: two\ninfo: three\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{file, marked} {
				s := record(t, map[string]answered{
					listAPIs:             threeAs,
					tt.put:               {201, "", tt.answer},
					listRoutes:           {200, "", `{"items":[{},{}]}`},
					listStages:           {200, "", `{"items":[` + tt.stages + `]}`},
					"POST " + stagesOfA1: {201, "", `{}`},
				})
				status, out, log := resultIn(signing, append([]string{"import", name, "--endpoint", s.URL}, strings.Fields(tt.args)...)...)
				if status != 0 || out != tt.out || log != tt.log {
					t.Errorf("exit status %d, got\n%s\n%s\nwant\n%s\n%s", status, out, log, tt.out, tt.log)
				}
				calls := append([]string{tt.put}, tt.calls...)
				switch {
				case strings.Contains(tt.args, "--api pets"):
					calls = append([]string{"GET /v2/apis/pets", listAPIs}, calls...)
				case strings.Contains(tt.args, "--api a1"):
					calls = append([]string{"GET /v2/apis/a1"}, calls...)
				}
				for i, call := range s.calls {
					var body map[string]any
					switch {
					case strings.HasPrefix(call, "PUT"):
						if err := json.Unmarshal([]byte(s.bodies[i]), &body); err != nil || len(body) != 1 || body["body"] != document {
							t.Errorf("%s: got %s (%v)", call, s.bodies[i], err)
						}
					case strings.HasPrefix(call, "POST"):
						if err := json.Unmarshal([]byte(s.bodies[i]), &body); err != nil || len(body) != 2 || body["stageName"] != tt.args[strings.LastIndex(tt.args, " ")+1:] || body["autoDeploy"] != true {
							t.Errorf("%s: got %s (%v)", call, s.bodies[i], err)
						}
					case s.bodies[i] != "":
						t.Errorf("%s: got %s", call, s.bodies[i])
					}
				}
				if s.signed != nil {
					t.Errorf("signature: %v", s.signed)
				}
				s.check(t, calls...)
			}
		})
	}
}

func TestImportRefused(t *testing.T) {
	t.Parallel()
	ok := write(t, "openapi.yaml", "openapi: 3.0.1\n")
	none := answered{200, "", `{"items":[]}`}
	internal := answered{500, "InternalServerErrorException", `{"message":"Internal Server Error"}`}
	for _, tt := range []struct {
		name, args string
		answers    map[string]answered
		out, log   string
	}{
		{"warnings", ok + " --fail-on-warnings", map[string]answered{"PUT /v2/apis?failOnWarnings=true": {400, "BadRequestException", `{"message":"Warnings found during import:\n\tone\n\ttwo"}`}},
			"", "penstock: BadRequestException: Warnings found during import:\n\tone\n\ttwo\n"},
		{"not an import", ok, map[string]answered{"PUT /v2/apis": {200, "", `{}`}}, "", "answers without an API"},
		{"unknown API", ok + " --api cats", map[string]answered{listAPIs: threeAs}, "", `no API has the ID or the name "cats"`},
		{"two APIs", ok + " --api twins", map[string]answered{listAPIs: threeAs}, "", "give one of their IDs: a2, a3"},
		{"routes", ok, map[string]answered{"PUT /v2/apis": {201, "", imported}, listRoutes: internal},
			"a1: routes not counted, endpoint http://a1.localhost:8080\n", "penstock: the API a1 was imported, but then: InternalServerErrorException: Internal Server Error\n"},
		{"stages", ok, map[string]answered{"PUT /v2/apis": {201, "", imported}, listRoutes: {200, "", `{"items":[{}]}`}, listStages: internal},
			"a1: 1 route, endpoint http://a1.localhost:8080\n", "penstock: the API a1 was imported, but then: InternalServerErrorException: Internal Server Error\n"},
		{"stage", ok + " --stage ?", map[string]answered{"PUT /v2/apis": {201, "", imported}, listRoutes: none, listStages: none, "POST " + stagesOfA1: {400, "BadRequestException", `{"message":"Stage?"}`}},
			"a1: 0 routes, endpoint http://a1.localhost:8080\n", "penstock: the API a1 was imported, but then: BadRequestException: Stage?\n"},
		{"too large", write(t, "large", strings.Repeat("x", maxDocument+1)), nil, "", "larger than 6 MiB"},
		{"empty", write(t, "empty", "\ufeff \n"), nil, "", "is empty: want an OpenAPI 3.0 document"},
		{"not UTF-8", write(t, "latin1", "openapi: 3.0.1 # \xe9\n"), nil, "", "is not UTF-8"},
		{"directory", filepath.Dir(ok), nil, "", "is a directory"},
	} {
		s := record(t, tt.answers)
		status, out, log := result(append([]string{"import", "--endpoint", s.URL}, strings.Fields(tt.args)...)...)
		if status != 1 || out != tt.out || !strings.Contains(log, tt.log) || !strings.HasPrefix(log, "penstock: ") {
			t.Errorf("%s: exit status %d, %q, %q, want %q, %q", tt.name, status, out, log, tt.out, tt.log)
		}
		if tt.answers == nil {
			s.check(t) // nothing was sent
		}
	}
}

// A document of exactly the largest size is sent as it is.
func TestLargestImport(t *testing.T) {
	t.Parallel()
	document := strings.Repeat("\"", maxDocument)
	s := record(t, map[string]answered{"PUT /v2/apis": {201, "", imported}, listStages: {200, "", `{"items":[]}`}})
	if status, _, log := result("import", write(t, "large", document), "--json", "--endpoint", s.URL); status != 0 {
		t.Fatalf("exit status %d, %s", status, log)
	}
	if want := `{"body":"` + strings.Repeat(`\"`, maxDocument) + `"}`; s.bodies[0] != want {
		t.Errorf("%d bytes arrived, want %d", len(s.bodies[0]), len(want))
	}
}

// A server that does not take a large body is heard, though it does not read it.
func TestImportTooLargeForServer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-amzn-ErrorType", "RequestEntityTooLargeException")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		io.WriteString(w, `{"message":"Request Entity Too Large"}`)
	}))
	defer s.Close()
	file := write(t, "large", strings.Repeat("x", maxDocument))
	if status, out, log := result("import", file, "--endpoint", s.URL); status != 1 || out != "" || log != "penstock: RequestEntityTooLargeException: Request Entity Too Large\n" {
		t.Errorf("exit status %d, %q, %q", status, out, log)
	}
}

func TestImportInput(t *testing.T) {
	t.Parallel()
	s := record(t, map[string]answered{"PUT /v2/apis": {201, "", imported}, listRoutes: {200, "", `{"items":[]}`}, listStages: {200, "", `{"items":[]}`}})
	for _, tt := range []struct {
		input string
		fails string
	}{
		{"openapi: 3.0.1\n", ""},
		{"", "penstock: import: standard input is empty: want an OpenAPI 3.0 document\n"},
	} {
		c := command(t, "import", "-", "--endpoint", s.URL)
		var out, log bytes.Buffer
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader(tt.input), &out, &log
		if err := c.Run(); (err != nil) != (tt.fails != "") || tt.fails != "" && log.String() != tt.fails {
			t.Errorf("%q: %v, %s%s", tt.input, err, out.String(), log.String())
		}
	}
	if len(s.bodies) != 3 || s.bodies[0] != `{"body":"openapi: 3.0.1\n"}` {
		t.Errorf("got %q", s.bodies)
	}
}

// What is exported can be imported, and is then exported the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Method+" "+r.URL.Path) }))
	defer backend.Close()
	c := serve(t, "--memory")
	must := func(args ...string) (out, log string) {
		t.Helper()
		status, out, log := result(append(args, "--endpoint", c.admin)...)
		if status != 0 {
			t.Fatalf("penstock %q: exit status %d, %s", args, status, log)
		}
		return out, log
	}
	document := strings.ReplaceAll(`openapi: 3.0.1
info: {title: pets, version: "7"}
paths:
  /pets/{id}:
    get:
      operationId: one
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "BACKEND/animals/{id}", payloadFormatVersion: "1.0"}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "BACKEND/rest", payloadFormatVersion: "1.0", timeoutInMillis: 1000}
`, "BACKEND", backend.URL)
	line := regexp.MustCompile(`^(\w+): 2 routes, endpoint (\S+)\n`)
	id := func(out string) string {
		t.Helper()
		m := line.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("got %q", out)
		}
		return m[1]
	}

	out, log := must("import", write(t, "openapi.yaml", document), "--stage", "dev")
	one := id(out)
	if !strings.Contains(out, one+": stage dev at http://"+one+".execute-api.us-east-1.localhost:") || strings.Contains(log, "warning") || strings.Contains(log, "note") {
		t.Errorf("got %q, %q", out, log)
	}
	for path, want := range map[string]string{"/pets/7": "GET /animals/7", "/x": "GET /rest/dev/x"} {
		if status, body := get(t, c.listen+"/_aws/execute-api/"+one+"/dev"+path); status != http.StatusOK || body != want {
			t.Errorf("%s: got %d %s, want %s", path, status, body, want)
		}
	}

	server := regexp.MustCompile(`https?://[^"\s]*execute-api[^"\s]*`)
	same := func(a, b string) {
		t.Helper()
		if server.ReplaceAllString(a, "") != server.ReplaceAllString(b, "") {
			t.Errorf("exports differ:\n%s\n%s", a, b)
		}
	}
	for _, format := range []string{"yaml", "json"} {
		first, _ := must("export", one, "--format", format)
		if (format == "json") != json.Valid([]byte(first)) || !strings.Contains(first, backend.URL+"/animals/{id}") {
			t.Errorf("%s: got %s", format, first)
		}
		out, log = must("import", write(t, "exported", first), "--fail-on-warnings")
		two := id(out)
		if two == one || !strings.Contains(log, "no stage serves the API yet") {
			t.Errorf("got %q, %q", out, log)
		}
		second, _ := must("export", two, "--format", format)
		same(first, second)

		// A document replaces what an API was.
		out, log = must("import", write(t, "exported", first), "--api", one)
		if id(out) != one || strings.Contains(log, "note") {
			t.Errorf("got %q, %q", out, log)
		}
		third, _ := must("export", one, "--format", format)
		same(first, third)
	}

	file := filepath.Join(t.TempDir(), "openapi.json")
	if out, log := must("export", one, "--stage", "dev", "--format", "json", "--no-extensions", "--output", file); out+log != "" {
		t.Errorf("got %q, %q", out, log)
	}
	text, err := os.ReadFile(file)
	if err != nil || !json.Valid(text) || bytes.Contains(text, []byte("x-amazon-")) {
		t.Errorf("got %s (%v)", text, err)
	}
	if status, _, log := result("export", one, "--stage", "prod", "--endpoint", c.admin); status != 1 || !strings.HasPrefix(log, "penstock: NotFoundException: ") {
		t.Errorf("unknown stage: exit status %d, %s", status, log)
	}
	if status, _, log := result("import", write(t, "swagger.yaml", "swagger: '2.0'\n"), "--endpoint", c.admin); status != 1 || !strings.HasPrefix(log, "penstock: BadRequestException: ") {
		t.Errorf("Swagger 2.0: exit status %d, %s", status, log)
	}
}
