//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The media types of JSON texts that functions answer with.
const (
	plainJSON   = "application/json"
	expressJSON = "application/json; charset=utf-8"
)

// applications are functions that are written with what their authors use. All do the
// same, as far as they can.
var applications = []struct {
	name    string
	runtime string
	dir     string // of functions; "" for the one that is built
	handler string
	json    string // media type of JSON texts
	handled bool   // whether an error becomes a response of the application
}{
	{"node-cjs", "nodejs22.x", "node", "cjs.handler", plainJSON, false},
	{"node-esm", "nodejs22.x", "node", "esm.handler", plainJSON, false},
	{"express-serverless-http", "nodejs22.x", "node", "express-http.handler", expressJSON, true},
	{"express-vendia", "nodejs22.x", "node", "express-vendia.handler", expressJSON, true},
	{"hono", "nodejs22.x", "node", "hono.handler", plainJSON, true},
	{"middy", "nodejs22.x", "node", "middy.handler", plainJSON, true},
	{"python-plain", "python3.13", "python", "plain.handler", plainJSON, false},
	{"python-wsgi", "python3.13", "python", "wsgi.handler", plainJSON, true},
	{"go-events", "provided.al2023", "", "", plainJSON, false},
}

// onePixel is the PNG that the functions answer with.
var onePixel = func() string {
	b, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=")
	if err != nil {
		panic(err)
	}
	return string(b)
}()

// everyByte is a body that is no text.
var everyByte = func() string {
	var b []byte
	for i := range 256 {
		b = append(b, byte(255-i))
	}
	return strings.Repeat(string(b), 400)
}()

// TestApplications calls each application through APIs with both payload formats, and looks
// at all of each response.
func TestApplications(t *testing.T) {
	p := newPlane(t, build(t), functionsConfig(t), nil)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: 30 * time.Second}
	t.Cleanup(client.CloseIdleConnections)
	sum := sha256.Sum256([]byte(everyByte))
	cookies := []string{"a=1; Path=/; HttpOnly", "b=2; Path=/; HttpOnly"}
	for _, app := range applications {
		for _, format := range []string{"1.0", "2.0"} {
			t.Run(app.name+"/"+format, func(t *testing.T) {
				api := p.api(app.name+" "+format, nil)
				p.route(api, "$default", p.integration(api, "arn:aws:lambda:us-east-1:000000000000:function:"+app.name, object{
					"IntegrationType": "AWS_PROXY", "IntegrationMethod": "POST", "PayloadFormatVersion": format,
				}), nil)
				withJSON := http.Header{"Content-Type": {app.json}}
				failed, failedStatus, failedHeader := `{"error":"no such pet"}`, 422, withJSON
				if !app.handled {
					failed, failedStatus, failedHeader = `{"message":"Internal Server Error"}`, 500, http.Header{"Content-Type": {"application/json"}}
				}
				for _, tt := range []struct {
					name, method, path string
					header             http.Header
					body               string
					status             int
					wantHeader         http.Header
					wantBody           string
				}{
					{"query", "GET", "/hello?name=Ada%20%26%20Zo%C3%AB", nil, "", 200, withJSON, `{"message":"Hello, Ada & Zoë"}`},
					{"JSON", "POST", "/echo", http.Header{"Content-Type": {"application/json"}}, `{"a":[1,"ü"],"b":{"c":null}}`, 200, withJSON, `{"a":[1,"ü"],"b":{"c":null}}`},
					{"form", "POST", "/form", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "kind=big+dog&name=Ada%26", 200, withJSON, `{"kind":"big dog","name":"Ada&"}`},
					{"upload", "POST", "/upload", http.Header{"Content-Type": {"application/octet-stream"}}, everyByte, 200,
						http.Header{"Content-Type": {"application/octet-stream"}, "X-Sha256": {hex.EncodeToString(sum[:])}}, everyByte},
					{"cookies", "GET", "/cookies", http.Header{"Cookie": {"x=1; y=2"}}, "", 200, http.Header{"Content-Type": {app.json}, "Set-Cookie": cookies}, `{"cookie":"x=1; y=2"}`},
					{"no cookies", "GET", "/cookies", nil, "", 200, http.Header{"Content-Type": {app.json}, "Set-Cookie": cookies}, `{"cookie":""}`},
					{"image", "GET", "/binary", http.Header{"Accept": {"image/png"}}, "", 200, http.Header{"Content-Type": {"image/png"}}, onePixel},
					{"error", "GET", "/error", nil, "", failedStatus, failedHeader, failed},
					{"after an error", "GET", "/hello?name=Bo", nil, "", 200, withJSON, `{"message":"Hello, Bo"}`},
				} {
					got, body, err := ask(t.Context(), client, tt.method, p.direct(api)+tt.path, tt.header, tt.body)
					if err != nil {
						t.Errorf("%s: %v", tt.name, err)
						continue
					}
					if got.StatusCode != tt.status || body != tt.wantBody {
						t.Errorf("%s: got %d %.200q, want %d %.200q", tt.name, got.StatusCode, body, tt.status, tt.wantBody)
					}
					if id := got.Header.Get("Apigw-Requestid"); !requestID.MatchString(id) {
						t.Errorf("%s: request ID %q", tt.name, id)
					}
					if n := fmt.Sprint(len(body)); got.Header.Get("Content-Length") != n {
						t.Errorf("%s: Content-Length %q, want %s", tt.name, got.Header.Get("Content-Length"), n)
					}
					for _, name := range []string{"Apigw-Requestid", "Connection", "Content-Length", "Date"} {
						got.Header.Del(name)
					}
					if !maps.EqualFunc(got.Header, tt.wantHeader, slices.Equal) {
						t.Errorf("%s: header %v, want %v", tt.name, got.Header, tt.wantHeader)
					}
				}
			})
		}
	}
}

// ask makes a request and reads all of the response.
func ask(ctx context.Context, client *http.Client, method, url string, header http.Header, body string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, "", err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, string(got), err
}

// functionsConfig returns the configuration of the applications, after it has built the
// one that is a program. JSON is YAML, too.
func functionsConfig(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("functions")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "node", "node_modules", "express", "package.json")); err != nil {
		t.Fatalf("npm ci has not run in functions/node: %v", err)
	}
	program := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(program, "bootstrap"), "./functions/go")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	functions := object{}
	for _, app := range applications {
		code := filepath.Join(root, app.dir)
		if app.dir == "" {
			code = program
		}
		functions[app.name] = object{
			"runtime": app.runtime, "handler": app.handler, "code": code, "timeout": "20s", "memory": 512,
			"environment": object{
				// Bottle is there as the Debian package python3-bottle, whichever
				// python3 comes first; and the directory stays as it is.
				"PYTHONPATH":              "/usr/lib/python3/dist-packages",
				"PYTHONDONTWRITEBYTECODE": "1",
			},
		}
	}
	text, err := json.Marshal(functions)
	if err != nil {
		t.Fatal(err)
	}
	return "functions: " + string(text) + "\n"
}
