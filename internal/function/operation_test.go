package function

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"penstock/internal/policy"
)

const revisionError = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"

func TestDuplicate(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	w := s.do("POST", functions, creation("pets", "two"))
	if w.Code != 409 || w.Header().Get("x-amzn-ErrorType") != "ResourceConflictException" || w.Body.String() != `{"Type":"User","message":"Function already exist: pets"}` {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got := s.call("pets", ""); got != `"one"` {
		t.Errorf("got %s", got)
	}
	if len(s.files()) != 2 { // a zip, and what it was unpacked to
		t.Errorf("got %q", s.files())
	}
}

func TestUpdateCode(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	first := s.fields("POST", functions, creation("pets", "one"))
	const code = functions + "/pets/code"
	dry := s.fields("PUT", code, map[string]any{"ZipFile": zipOf("two"), "DryRun": true, "Architectures": []string{"arm64"}})
	if dry["CodeSha256"] == first["CodeSha256"] || dry["Architectures"].([]any)[0] != "arm64" {
		t.Errorf("a dry run answers %v", dry)
	}
	if now := s.fields("GET", functions+"/pets/configuration", nil); now["RevisionId"] != first["RevisionId"] || now["CodeSha256"] != first["CodeSha256"] {
		t.Errorf("a dry run has changed something: %v", now)
	}
	if len(s.files()) != 1 {
		t.Errorf("a dry run has left code: %q", s.files())
	}
	if w := s.do("PUT", code, map[string]any{"ZipFile": zipOf("two"), "RevisionId": "other"}); w.Code != 412 || w.Header().Get("x-amzn-ErrorType") != "PreconditionFailedException" || !strings.Contains(w.Body.String(), revisionError) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	second := s.fields("PUT", code, map[string]any{"ZipFile": zipOf("two"), "RevisionId": first["RevisionId"]})
	if second["CodeSha256"] != dry["CodeSha256"] || second["RevisionId"] == first["RevisionId"] || second["Version"] != "$LATEST" {
		t.Errorf("got %v", second)
	}
	third := s.fields("PUT", code, map[string]any{"ZipFile": zipOf("three"), "Publish": true})
	if third["Version"] != "1" || third["FunctionArn"] != s.arn("pets")+":1" {
		t.Errorf("got %v", third)
	}
	if again := s.fields("PUT", code, map[string]any{"ZipFile": zipOf("three"), "Publish": true}); again["Version"] != "1" {
		t.Errorf("nothing has changed: got %v", again)
	}
	s.want(400, "Could not unzip uploaded file. Please check your file, then try to upload again.", "PUT", code, map[string]any{"ZipFile": []byte("no zip")})
	s.want(400, "Please provide a source for function code", "PUT", code, "{}")
	s.want(400, "send a zip in ZipFile", "PUT", code, `{"S3Bucket":"b","S3Key":"k"}`)
	s.want(400, "PublishTo is not available", "PUT", code, `{"PublishTo":"LATEST_PUBLISHED"}`)
	s.want(400, "Value 'z80' at 'architectures'", "PUT", code, `{"Architectures":["z80"]}`)
	s.want(404, "Function not found", "PUT", functions+"/dogs/code", map[string]any{"ZipFile": zipOf("one")})
	s.want(400, "Only $LATEST can be changed: 1 is a version or an alias.", "PUT", functions+"/pets:1/code", map[string]any{"ZipFile": zipOf("one")})
	s.want(404, "Function not found", "PUT", functions+"/dogs/configuration", "{}")
	s.want(412, revisionError, "PUT", functions+"/pets/configuration", `{"RevisionId":"other"}`)
	if len(s.files()) != 1 { // $LATEST and version 1 are the same code
		t.Errorf("got %q", s.files())
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	const versions = functions + "/pets/versions"
	created := s.fields("POST", functions, with(creation("pets", "one"), "Publish", true))
	if created["Version"] != "1" || created["FunctionArn"] != s.arn("pets") {
		t.Errorf("CreateFunction with Publish: got %v", created)
	}
	first := s.fields("POST", versions, `{"Description":"not looked at"}`)
	if first["Version"] != "1" || first["Description"] != "" || first["FunctionArn"] != s.arn("pets")+":1" {
		t.Errorf("nothing has changed: got %v", first)
	}
	s.want(200, "", "PUT", functions+"/pets/configuration", `{"Timeout":4}`)
	second := s.fields("POST", versions, `{"Description":"d"}`)
	if second["Version"] != "2" || second["Description"] != "d" || second["Timeout"] != 4.0 {
		t.Errorf("got %v", second)
	}
	if again := s.fields("POST", versions, nil); again["Version"] != "2" || again["RevisionId"] != second["RevisionId"] {
		t.Errorf("nothing has changed: got %v", again)
	}
	for name, change := range map[string]string{
		"a variable": `{"Environment":{"Variables":{"KEY":"1"}}}`,
		"none":       `{"Environment":{"Variables":{}}}`,
		"the rest":   `{"TracingConfig":{"Mode":"Active"}}`,
	} {
		before := s.fields("POST", versions, nil)["Version"]
		s.want(200, "", "PUT", functions+"/pets/configuration", change)
		if after := s.fields("POST", versions, nil)["Version"]; after == before {
			t.Errorf("%s: %v was published again", name, after)
		}
	}
	s.want(400, "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ("+created["CodeSha256"].(string)+"). Please try again with the CodeSHA256 in $LATEST.", "POST", versions, `{"CodeSha256":"x"}`)
	s.want(412, revisionError, "POST", versions, `{"RevisionId":"x"}`)
	s.want(400, "at 'description'", "POST", versions, `{"Description":"`+strings.Repeat("d", 257)+`"}`)
	s.want(400, "PublishTo is not available", "POST", versions, `{"PublishTo":"LATEST_PUBLISHED"}`)
	s.want(404, "Function not found", "POST", functions+"/dogs/versions", nil)

	s.want(201, "", "POST", functions+"/pets/aliases", `{"Name":"live","FunctionVersion":"1"}`)
	s.want(409, "referenced by the following aliases: [live]", "DELETE", functions+"/pets?Qualifier=1", nil)
	s.want(400, "Deletion of aliases is not currently supported.", "DELETE", functions+"/pets?Qualifier=live", nil)
	s.want(400, "$LATEST version cannot be deleted without deleting the function.", "DELETE", functions+"/pets?Qualifier=$LATEST", nil)
	s.want(404, "Function not found: "+s.arn("pets")+":99", "DELETE", functions+"/pets?Qualifier=99", nil)
	s.want(204, "", "DELETE", functions+"/pets?Qualifier=2", nil)
	s.want(404, "Function not found: "+s.arn("pets")+":2", "GET", functions+"/pets?Qualifier=2", nil)
	s.want(404, "Function not found: "+s.arn("dogs"), "DELETE", functions+"/dogs", nil)
	// Numbers are not used twice.
	last := s.fields("POST", versions, nil)["Version"].(string)
	s.want(204, "", "DELETE", functions+"/pets?Qualifier="+last, nil)
	if next := s.fields("POST", versions, nil)["Version"]; next == last {
		t.Errorf("%v was published twice", next)
	}
}

func TestAliases(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	const aliases = functions + "/pets/aliases"
	s.want(201, "", "POST", functions, with(creation("pets", "one"), "Publish", true))
	s.want(200, "", "PUT", functions+"/pets/code", map[string]any{"ZipFile": zipOf("two"), "Publish": true})
	made := s.fields("POST", aliases, `{"Name":"live","FunctionVersion":"1","Description":"d"}`)
	if made["AliasArn"] != s.arn("pets")+":live" || made["Name"] != "live" || made["FunctionVersion"] != "1" || made["Description"] != "d" || made["RoutingConfig"] != nil {
		t.Errorf("got %v", made)
	}
	s.want(409, "Alias already exists: "+s.arn("pets")+":live", "POST", aliases, `{"Name":"live","FunctionVersion":"1"}`)
	routed := s.fields("PUT", aliases+"/live", map[string]any{"RoutingConfig": map[string]any{"AdditionalVersionWeights": map[string]float64{"2": 0.1}}, "RevisionId": made["RevisionId"]})
	if routed["FunctionVersion"] != "1" || routed["Description"] != "d" || routed["RevisionId"] == made["RevisionId"] || routed["RoutingConfig"] == nil {
		t.Errorf("got %v", routed)
	}
	s.want(412, revisionError, "PUT", aliases+"/live", map[string]any{"Description": "e", "RevisionId": made["RevisionId"]})
	plain := s.fields("PUT", aliases+"/live", `{"RoutingConfig":{"AdditionalVersionWeights":{}},"FunctionVersion":"2","Description":""}`)
	if plain["FunctionVersion"] != "2" || plain["Description"] != "" || plain["RoutingConfig"] != nil {
		t.Errorf("got %v", plain)
	}
	if got := s.call("pets", "live"); got != `"two"` {
		t.Errorf("got %s", got)
	}
	if f := s.fields("GET", functions+"/pets?Qualifier=live", nil)["Configuration"].(map[string]any); f["Version"] != "2" || f["FunctionArn"] != s.arn("pets")+":live" {
		t.Errorf("got %v", f)
	}
	for _, tt := range []struct {
		body   string
		status int
		want   string
	}{
		{`{}`, 400, "2 validation errors detected: Value null at 'name'"},
		{`{"Name":"1","FunctionVersion":"1"}`, 400, `Value '1' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`},
		{`{"Name":"a b","FunctionVersion":"1"}`, 400, "Value 'a b' at 'name'"},
		{`{"Name":"","FunctionVersion":"1"}`, 400, "Member must have length greater than or equal to 1"},
		{`{"Name":"x","FunctionVersion":"live"}`, 400, "Value 'live' at 'functionVersion'"},
		{`{"Name":"x","FunctionVersion":"9"}`, 404, "Function not found: " + s.arn("pets") + ":9"},
		{`{"Name":"x","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"9":0.1}}}`, 404, ":9"},
		{`{"Name":"x","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":1.1}}}`, 400, "Member must have value less than or equal to 1.0"},
		{`{"Name":"x","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"1":0.1}}}`, 400, "Function version 1 is already included in routing configuration"},
		{`{"Name":"x","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":{"2":0.1,"3":0.1}}}`, 400, "Number of items in AdditionalVersionWeights cannot be greater than 1"},
		{`{"Name":"x","FunctionVersion":"$LATEST","RoutingConfig":{"AdditionalVersionWeights":{"2":0.1}}}`, 400, "$LATEST is not supported for an alias pointing to more than 1 version"},
		{`{"Name":"x","FunctionVersion":"1","Description":"` + strings.Repeat("d", 257) + `"}`, 400, "at 'description'"},
	} {
		s.want(tt.status, tt.want, "POST", aliases, tt.body)
	}
	for method, body := range map[string]any{"GET": nil, "PUT": "{}"} {
		s.want(404, `"Message":"Cannot find alias arn: `+s.arn("pets")+`:none"`, method, aliases+"/none", body)
	}
	s.want(404, "Function not found", "POST", functions+"/dogs/aliases", `{"Name":"x","FunctionVersion":"1"}`)
	s.want(404, "Function not found", "GET", functions+"/dogs/aliases/x", nil)
	s.want(201, "", "POST", functions+"/pets/policy?Qualifier=live", `{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"apigateway.amazonaws.com"}`)
	for range 2 {
		s.want(204, "", "DELETE", aliases+"/live", nil)
	}
	s.want(404, "", "GET", aliases+"/live", nil)
	// What an alias of that name was permitted is not permitted to the next one.
	s.want(201, "", "POST", aliases, `{"Name":"live","FunctionVersion":"1"}`)
	s.want(404, "", "GET", functions+"/pets/policy?Qualifier=live", nil)
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.want(201, "", "POST", functions, with(creation("pets", "one"), "Tags", map[string]string{"a": "1"}))
	path := "/2017-03-31/tags/" + url.PathEscape(s.arn("pets"))
	s.want(204, "", "POST", path, `{"Tags":{"b":"2","c d":"3"}}`)
	s.want(204, "", "DELETE", path+"?tagKeys=a&tagKeys=c+d&tagKeys=none", nil)
	s.want(200, `{"Tags":{"b":"2"}}`, "GET", path, nil)
	s.want(200, `"Tags":{"b":"2"}`, "GET", functions+"/pets", nil)
	s.want(400, "Value null at 'tags'", "POST", path, "{}")
	s.want(400, "Value null at 'tagKeys'", "DELETE", path, nil)
	s.want(400, "Number of tags exceeds resource tag limit.", "POST", path, map[string]any{"Tags": tags(50)})
	s.want(400, "must not begin with aws:", "POST", path, `{"Tags":{"aws:a":"b"}}`)
	s.want(400, "Tags on function aliases and versions are not supported. Please specify a function ARN.", "GET", path+":1", nil)
	s.want(400, "Value 'pets' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern", "GET", "/2017-03-31/tags/pets", nil)
	s.want(404, "Function not found", "GET", "/2017-03-31/tags/"+s.arn("dogs"), nil)
	s.want(404, "The resource you requested does not exist.", "GET", "/2017-03-31/tags/arn:aws:lambda:us-east-1:123456789012:event-source-mapping:01234567-0123-0123-0123-0123456789ab", nil)
	if revision := s.fields("GET", functions+"/pets", nil); revision["Code"] == nil {
		t.Errorf("got %v", revision)
	}
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	put, get := "/2017-10-31/functions/pets/concurrency", "/2019-09-30/functions/pets/concurrency"
	if got := s.want(200, "", "GET", get, nil); got != "{}" {
		t.Errorf("got %s", got)
	}
	for _, n := range []string{"0", "7"} {
		s.want(200, `{"ReservedConcurrentExecutions":`+n+`}`, "PUT", put, `{"ReservedConcurrentExecutions":`+n+`}`)
		s.want(200, `{"ReservedConcurrentExecutions":`+n+`}`, "GET", get, nil)
		s.want(200, `"Concurrency":{"ReservedConcurrentExecutions":`+n+`}`, "GET", functions+"/pets", nil)
	}
	if spec := s.runners["pets:$LATEST"].spec; spec.Concurrency != 7 {
		t.Errorf("the host runs %+v", spec)
	}
	s.want(200, `"UnreservedConcurrentExecutions":993`, "GET", "/2016-08-19/account-settings", nil)
	s.want(204, "", "DELETE", put, nil)
	if spec := s.runners["pets:$LATEST"].spec; spec.Concurrency != -1 {
		t.Errorf("the host runs %+v", spec)
	}
	s.want(400, "Value null at 'reservedConcurrentExecutions'", "PUT", put, "{}")
	s.want(400, "Value '-1' at 'reservedConcurrentExecutions'", "PUT", put, `{"ReservedConcurrentExecutions":-1}`)
	s.want(400, "This operation is permitted on Lambda functions only.", "PUT", put+"?Qualifier=1", `{"ReservedConcurrentExecutions":1}`)
	for method, path := range map[string]string{"PUT": "/2017-10-31/functions/dogs/concurrency", "GET": "/2019-09-30/functions/dogs/concurrency"} {
		s.want(404, "Function not found", method, path, `{"ReservedConcurrentExecutions":1}`)
	}
}

// What nobody can configure is answered as if nobody had.
func TestUnset(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{})
	s.create("pets", "one")
	for _, tt := range []struct {
		path, name string
		status     int
		want       string
	}{
		{"/2020-06-30/functions/", "/code-signing-config", 200, `{"CodeSigningConfigArn":"","FunctionName":"pets"}`},
		{"/2021-07-20/functions/", "/runtime-management-config", 200, `{"UpdateRuntimeOn":"Auto","FunctionArn":"` + s.arn("pets") + `:$LATEST"}`},
		{"/2024-08-31/functions/", "/recursion-config", 200, `{"RecursiveLoop":"Terminate"}`},
		{"/2019-09-25/functions/", "/event-invoke-config", 404, "The function " + s.arn("pets") + ":$LATEST doesn't have an EventInvokeConfig"},
		{"/2021-10-31/functions/", "/url", 404, "The resource you requested does not exist."},
		{"/2019-09-30/functions/", "/provisioned-concurrency", 404, "No Provisioned Concurrency Config found for this function"},
		{"/2019-09-30/functions/", "/provisioned-concurrency?List=ALL", 200, `{"ProvisionedConcurrencyConfigs":[]}`},
	} {
		s.want(tt.status, tt.want, "GET", tt.path+"pets"+tt.name, nil)
		s.want(404, "Function not found: "+s.arn("dogs"), "GET", tt.path+"dogs"+tt.name, nil)
	}
	settings := s.want(200, `"CodeSizeZipped":52428800`, "GET", "/2016-08-19/account-settings", nil)
	if !strings.Contains(settings, `"FunctionCount":1`) || strings.Contains(settings, `{"TotalCodeSize":0,`) {
		t.Errorf("got %s", settings)
	}
}

// Functions of the configuration are shown like others, and are changed where they stand.
func TestDeclared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.js"), []byte("code"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "code.zip")
	if err := os.WriteFile(file, zipOf("zipped"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openRegistry(t, Options{Declared: map[string]Declared{
		"pets":   {Runtime: "nodejs22.x", Handler: "index.handler", Code: dir, Environment: map[string]string{"K1": "v"}, Timeout: 5 * time.Second, Memory: 256, Concurrency: 3},
		"zipped": {Runtime: "python3.13", Handler: "a.b", Code: file, Concurrency: -1},
		"here":   {Invoke: func(_ context.Context, p []byte) ([]byte, error) { return p, nil }, Concurrency: -1},
	}})
	s.create("made", "one")
	if got := s.call("pets", ""); got != `"code"` {
		t.Errorf("got %s", got)
	}
	if got := s.call("zipped", "any"); got != `"zipped"` {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{
		`"FunctionName":"pets"`, `"Role":"arn:aws:iam::123456789012:role/configuration"`, `"CodeSize":0`, `"Timeout":5`, `"MemorySize":256`,
		`"Environment":{"Variables":{"K1":"v"}}`, `"Concurrency":{"ReservedConcurrentExecutions":3}`, `"Code":{"RepositoryType":"S3"}`, `"Version":"$LATEST"`, `"State":"Active"`,
	} {
		s.want(200, want, "GET", functions+"/pets", nil)
	}
	s.want(200, `"Timeout":3,"MemorySize":128`, "GET", functions+"/zipped/configuration", nil)
	for _, name := range []string{"pets", "zipped", "here", "made"} {
		s.want(200, `"FunctionName":"`+name+`"`, "GET", functions, nil)
	}
	target, err := s.resolve("here", "prod")
	if err != nil || target.function != nil || target.declared == nil || target.declared.Invoke == nil || target.version != "$LATEST" || target.invokedARN != s.arn("here")+":prod" {
		t.Errorf("got %+v, %v", target, err)
	}
	const declared = "is declared in the configuration of the server: change it there."
	for _, tt := range []struct {
		method, path string
		body         any
	}{
		{"POST", functions, creation("pets", "one")},
		{"PUT", functions + "/pets/configuration", "{}"},
		{"PUT", functions + "/pets/code", map[string]any{"ZipFile": zipOf("one")}},
		{"DELETE", functions + "/pets", nil},
		{"POST", functions + "/pets/versions", nil},
		{"PUT", "/2017-10-31/functions/pets/concurrency", `{"ReservedConcurrentExecutions":1}`},
		{"DELETE", "/2017-10-31/functions/pets/concurrency", nil},
	} {
		s.want(409, "The function pets "+declared, tt.method, tt.path, tt.body)
	}
	s.want(204, "", "POST", "/2017-03-31/tags/"+s.arn("pets"), `{"Tags":{"a":"b"}}`)
	s.want(200, `"Tags":{"a":"b"}`, "GET", functions+"/pets", nil)
	s.want(201, "", "POST", functions+"/pets/aliases", `{"Name":"live","FunctionVersion":"$LATEST"}`)
	s.want(404, "Function not found", "POST", functions+"/pets/aliases", `{"Name":"one","FunctionVersion":"1"}`)
	s.want(404, "Function not found", "GET", functions+"/pets?Qualifier=other", nil)
	s.want(201, "", "POST", functions+"/pets/policy", `{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"apigateway.amazonaws.com"}`)

	// A function that is no longer declared is gone, and one of its name starts anew.
	documents := s.Store
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openRegistry(t, Options{Store: documents})
	s.want(404, "Function not found", "GET", functions+"/pets", nil)
	s.create("pets", "two")
	s.want(404, "", "GET", functions+"/pets/policy", nil)
	s.want(200, `{"Tags":{}}`, "GET", "/2017-03-31/tags/"+s.arn("pets"), nil)
	if got := s.call("pets", ""); got != `"two"` {
		t.Errorf("got %s", got)
	}
}

// A caller may do what its policy allows, and is told nothing about the rest.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	const me = "arn:aws:iam::123456789012:user/ada"
	var document atomic.Pointer[policy.Document]
	s := openRegistry(t, Options{Authenticate: func(*http.Request, []byte) (Principal, error) {
		return Principal{Name: "ada", ARN: me, Policy: document.Load()}, nil
	}})
	s.want(201, "", "POST", functions, with(with(creation("pets", "one"), "Tags", map[string]string{"team": "a"}), "Publish", true))
	keys := []string{"aws:SourceIp", "aws:ResourceTag/", "aws:RequestTag/", "aws:TagKeys", "aws:username", "aws:CurrentTime"}
	statement := func(effect, action, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"` + condition + `}`
	}
	arn, tagPath := s.arn("pets"), "/2017-03-31/tags/"+s.arn("pets")
	all := statement("Allow", "*", "*", "")
	for _, tt := range []struct {
		name         string
		statements   string
		method, path string
		body         any
		want         string // "" if it is let through
	}{
		{"everything", all, "GET", functions + "/pets", nil, ""},
		{"the action", statement("Allow", "lambda:GetFunction", arn, ""), "GET", functions + "/pets", nil, ""},
		{"another action", statement("Allow", "lambda:GetFunction", "*", ""), "GET", functions + "/pets/configuration", nil,
			"User: " + me + " is not authorized to perform: lambda:GetFunctionConfiguration on resource: " + arn + " because no identity-based policy allows the lambda:GetFunctionConfiguration action"},
		{"another function", statement("Allow", "*", s.arn("dogs"), ""), "GET", functions + "/pets", nil, "on resource: " + arn + " because no identity"},
		{"nothing is said of what is not there", statement("Allow", "*", arn, ""), "GET", functions + "/dogs", nil, "lambda:GetFunction on resource: " + s.arn("dogs")},
		{"denied", all + "," + statement("Deny", "lambda:Delete*", "*", ""), "DELETE", functions + "/pets", nil, "because of an explicit deny in an identity-based policy"},
		{"a list", statement("Allow", "lambda:ListFunctions", "*", ""), "GET", functions, nil, ""},
		{"a list of one", statement("Allow", "lambda:ListFunctions", arn, ""), "GET", functions, nil, "lambda:ListFunctions on resource: *"},
		{"a qualifier", statement("Allow", "*", arn+":1", ""), "GET", functions + "/pets?Qualifier=1", nil, ""},
		{"no qualifier", statement("Allow", "*", arn, ""), "GET", functions + "/pets:1", nil, "lambda:GetFunction on resource: " + arn + ":1"},
		{"to invoke", statement("Allow", "lambda:Invoke", "*", ""), "POST", functions + "/pets/invocations", nil, "lambda:InvokeFunction on resource: " + arn},
		{"to invoke, named right", statement("Allow", "lambda:InvokeFunction", "*", ""), "POST", functions + "/pets/invocations", nil, ""},
		{"to create", statement("Allow", "lambda:CreateFunction", s.arn("dogs"), ""), "POST", functions, creation("cats", "x"), "lambda:CreateFunction on resource: " + s.arn("cats")},
		{"tags that are given", statement("Allow", "*", "*", `{"StringEquals":{"aws:RequestTag/team":"a"}}`), "POST", functions, creation("cats", "x"), "lambda:CreateFunction"},
		{"tags that are given right", statement("Allow", "*", "*", `{"StringEquals":{"aws:RequestTag/team":"a"}}`), "POST", functions, with(creation("birds", "x"), "Tags", map[string]string{"team": "a"}), ""},
		{"tags that are there", statement("Allow", "*", "*", `{"StringEquals":{"aws:ResourceTag/team":"a"}}`), "GET", functions + "/pets", nil, ""},
		{"other tags", statement("Allow", "*", "*", `{"StringEquals":{"aws:ResourceTag/team":"b"}}`), "GET", functions + "/pets", nil, "lambda:GetFunction"},
		{"tag keys", all + "," + statement("Deny", "lambda:*TagResource", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`), "POST", tagPath, `{"Tags":{"team":"x"}}`, "explicit deny"},
		{"other tag keys", all + "," + statement("Deny", "lambda:*TagResource", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`), "POST", tagPath, `{"Tags":{"x":"y"}}`, ""},
		{"tag keys to remove", all + "," + statement("Deny", "lambda:*TagResource", "*", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"team"}}`), "DELETE", tagPath + "?tagKeys=team", nil, "explicit deny"},
		{"the address", statement("Allow", "*", "*", `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), "GET", functions, nil, ""},
		{"another address", statement("Allow", "*", "*", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), "GET", functions, nil, "lambda:ListFunctions"},
		{"the name", statement("Allow", "*", "*", `{"StringEquals":{"aws:username":"ada"}}`), "GET", functions, nil, ""},
		{"the time", statement("Allow", "*", "*", `{"DateLessThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}`), "GET", functions, nil, "lambda:ListFunctions"},
	} {
		d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`, keys)
		if err != nil {
			t.Fatal(err)
		}
		document.Store(d)
		w := s.do(tt.method, tt.path, tt.body)
		if tt.want == "" {
			if w.Code >= 300 {
				t.Errorf("%s: got %d %s", tt.name, w.Code, w.Body)
			}
		} else if w.Code != 403 || w.Header().Get("x-amzn-ErrorType") != "AccessDeniedException" || !strings.Contains(w.Body.String(), `"Message":`) || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d %s, want %s", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

// A caller who has not signed learns nothing, not even which operations there are.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	s := openRegistry(t, Options{Authenticate: func(_ *http.Request, body []byte) (Principal, error) {
		if string(body) == "{}" {
			return Principal{Name: "ada"}, nil
		}
		return Principal{}, refusedCaller{}
	}})
	for _, path := range []string{functions, functions + "/none", "/2018-10-31/layers", "/nothing"} {
		w := s.do("GET", path, nil)
		if w.Code != 403 || w.Header().Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" || !strings.Contains(w.Body.String(), "not signed") {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	s.want(404, "Function not found", "PUT", functions+"/none/configuration", "{}")
}

type refusedCaller struct{}

func (refusedCaller) Error() string { return "not signed" }
func (refusedCaller) Code() string  { return "MissingAuthenticationTokenException" }

// The link of GetFunction leads to the code for a while, and no other does.
func TestLink(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(testTime.Unix())
	s := openRegistry(t, Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	s.create("pets", "one")
	s.create("dogs", "one")
	link := s.fields("GET", functions+"/pets", nil)["Code"].(map[string]any)["Location"].(string)
	const path = "http://example.com/_penstock/functions/pets/code?" // the host of requests of tests
	query, ok := strings.CutPrefix(link, path)
	if !ok {
		t.Fatalf("got %s", link)
	}
	get := func(name, query string) (int, string) {
		w := httptest.NewRecorder()
		s.ServeCode(w, newRequest("GET", path+query, nil), name)
		return w.Code, w.Body.String()
	}
	if status, body := get("pets", query); status != 200 || body != string(zipOf("one")) {
		t.Errorf("got %d and %d bytes", status, len(body))
	}
	values, _ := url.ParseQuery(query)
	changed := func(key, value string) string {
		other := url.Values{}
		for k, v := range values {
			other[k] = v
		}
		other.Set(key, value)
		return other.Encode()
	}
	for _, tt := range []struct{ name, function, query string }{
		{"another function", "dogs", query},
		{"another sum", "pets", changed("sha256", "../../../etc/passwd")},
		{"a later end", "pets", changed("expires", "99999999999")},
		{"another signature", "pets", changed("signature", "00")},
		{"nothing", "pets", ""},
	} {
		if status, body := get(tt.function, tt.query); status != 403 || !strings.Contains(body, "is not one that GetFunction has answered") {
			t.Errorf("%s: got %d %s", tt.name, status, body)
		}
	}
	now.Add(601)
	if status, body := get("pets", query); status != 403 || !strings.Contains(body, "has expired") {
		t.Errorf("got %d %s", status, body)
	}
	now.Add(-601)
	s.want(204, "", "DELETE", functions+"/pets", nil)
	s.want(204, "", "DELETE", functions+"/dogs", nil)
	if status, body := get("pets", query); status != 404 || !strings.Contains(body, "no longer there") {
		t.Errorf("got %d %s", status, body)
	}
}

// Errors have one form, whatever they are.
func TestErrorBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{missing("a %s", "<b>"), `{"Type":"User","Message":"a <b>"}`},
		{conflict("a"), `{"Type":"User","message":"a"}`},
		{errInternal, `{"Type":"Service","Message":"The server failed: its log says why."}`},
		{&Error{Status: 429, Message: "Rate Exceeded.", Reason: "R"}, `{"Reason":"R","Type":"User","message":"Rate Exceeded."}`},
	} {
		if got := string(tt.err.body()); got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
