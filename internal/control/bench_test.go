package control

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"penstock/internal/store"
	"penstock/internal/store/ledger"
)

// BenchmarkGetIntegrations reads a page of the 500 integrations of an API, from the
// request to the last byte of the answer.
func BenchmarkGetIntegrations(b *testing.B) {
	s, api := filledWith(b, New(Options{Store: store.NewMemory(), Limits: roomy()}), 500)
	for _, size := range []int{100, 500} {
		b.Run(fmt.Sprintf("page=%d", size), func(b *testing.B) {
			r := httptest.NewRequest("GET", fmt.Sprintf("http://localhost%s/integrations?maxResults=%d", api, size), nil)
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(discard{}, r)
			}
		})
	}
}

// BenchmarkEngines creates, gets and lists on each engine of the store, one call after
// the other: what is created is as durable as the engine makes it.
func BenchmarkEngines(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *testing.B) store.Store
	}{
		{"memory", func(*testing.B) store.Store { return store.NewMemory() }},
		{"ledger", func(b *testing.B) store.Store {
			l, err := ledger.Open(filepath.Join(b.TempDir(), "bench.db"), ledger.Options{})
			if err != nil {
				b.Fatal(err)
			}
			return l
		}},
	} {
		engineStore := engine.open(b)
		b.Cleanup(func() { engineStore.Close() })
		s := New(Options{Store: engineStore, Limits: roomy()})
		for range 100 {
			send(b, s, "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`, 201)
		}
		api := "/v2/apis/" + id(send(b, s, "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`, 201), "apiId")
		for _, call := range []struct {
			name, method, path, body string
			status                   int
		}{
			{"CreateApi", "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`, 201},
			{"UpdateApi", "PATCH", api, `{"description":"%d"}`, 200},
			{"GetApi", "GET", api, "", 200},
			{"GetApis", "GET", "/v2/apis?maxResults=100", "", 200},
		} {
			b.Run(engine.name+"/"+call.name, func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					w := httptest.NewRecorder()
					s.ServeHTTP(w, httptest.NewRequest(call.method, "http://localhost"+call.path, strings.NewReader(strings.ReplaceAll(call.body, "%d", strconv.Itoa(i)))))
					if w.Code != call.status {
						b.Fatal(w.Body)
					}
					if call.status == 201 { // so that there are as many as before
						b.StopTimer()
						s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "http://localhost/v2/apis/"+id(decodeText(w.Body.String()), "apiId"), nil))
						b.StartTimer()
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}

// BenchmarkImportApi imports a document with 300 routes, each with its integration, and
// the same over an API that is deployed at every change.
func BenchmarkImportApi(b *testing.B) {
	var paths []string
	for i := range 300 {
		paths = append(paths, fmt.Sprintf(`"/pets/%d/{id}":{"get":%s}`, i, with(proxy(`{"requestParameters":{"append:header.x-request":"$context.requestId","overwrite:path":"/v2/${request.path.id}"},"responseParameters":{"404":{"append:header.error":"$stageVariables.environment"}}}`), fmt.Sprintf(`{"operationId":"pet %d","responses":{"200":{"description":"ok"}}}`, i))))
	}
	body := documentBody(withPaths(strings.Join(paths, ",")))
	for _, name := range []string{"import", "reimport"} {
		b.Run(name, func(b *testing.B) {
			s := New(Options{Store: store.NewMemory(), Limits: roomy()})
			path := "/v2/apis"
			if name == "reimport" {
				path += "/" + id(send(b, s, "PUT", path, body, 201), "apiId")
				send(b, s, "POST", path+"/stages", `{"stageName":"live","autoDeploy":true}`, 201)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				send(b, s, "PUT", path, body, 201)
			}
		})
	}
}

// BenchmarkExportApi exports an API with 300 routes.
func BenchmarkExportApi(b *testing.B) {
	s, api := filled(b)
	for _, format := range []string{"JSON", "YAML"} {
		b.Run(format, func(b *testing.B) {
			r := httptest.NewRequest("GET", "http://localhost"+api+"/exports/OAS30?outputType="+format, nil)
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(discard{}, r)
			}
		})
	}
}

// BenchmarkDenied is what a policy costs that is asked about the tags of an API and says
// no.
func BenchmarkDenied(b *testing.B) {
	g := &gate{Principal{Name: "ada", ARN: ada}}
	s := New(Options{Store: store.NewMemory(), Authenticator: g})
	api := "/v2/apis/" + id(send(b, s, "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP","tags":{"team":"a"}}`, 201), "apiId")
	g.may(b, anything, deny("apigateway:*", "/apis/*", `{"StringEquals":{"aws:ResourceTag/team":"a"}}`))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+api, nil))
		if w.Code != 403 {
			b.Fatal(w.Body)
		}
	}
}

// roomy are limits that no benchmark reaches.
func roomy() Limits {
	l := DefaultLimits()
	l.APIs, l.Integrations, l.Routes = 1<<30, 1<<20, 1<<20
	return l
}

// send sends a request that must succeed with the status.
func send(b *testing.B, s *Server, method, path, body string, status int) map[string]any {
	b.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body)))
	if w.Code != status {
		b.Fatalf("%s %s: got %d %s", method, path, w.Code, w.Body)
	}
	return decodeText(w.Body.String())
}

func BenchmarkGetIntegration(b *testing.B) {
	s, api := filled(b)
	r := httptest.NewRequest("GET", "http://localhost"+api+"/integrations", nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	integration := id(decodeText(w.Body.String())["items"].([]any)[7].(map[string]any), "integrationId")
	r = httptest.NewRequest("GET", "http://localhost"+api+"/integrations/"+integration, nil)
	b.ReportAllocs()
	for b.Loop() {
		w := discard{}
		s.ServeHTTP(w, r)
	}
}

// BenchmarkUpdateRoute changes one of the 300 routes of an API that has 300
// integrations.
func BenchmarkUpdateRoute(b *testing.B) {
	s, api := filled(b)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+api+"/routes?maxResults=1", nil))
	route := id(decodeText(w.Body.String())["items"].([]any)[0].(map[string]any), "routeId")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := strings.NewReader(fmt.Sprintf(`{"operationName":"o%d"}`, i))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("PATCH", "http://localhost"+api+"/routes/"+route, body))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(status int) {
	if status != 200 {
		panic(status)
	}
}

// filled returns a server and the path of an API with 300 routes and integrations.
func filled(b *testing.B) (*Server, string) {
	return filledWith(b, New(Options{Store: store.NewMemory()}), 300)
}

func filledWith(b *testing.B, s *Server, n int) (*Server, string) {
	api := "/v2/apis/" + id(send(b, s, "POST", "/v2/apis", `{"name":"n","protocolType":"HTTP"}`, 201), "apiId")
	for i := range n {
		integration := id(send(b, s, "POST", api+"/integrations", fmt.Sprintf(`{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"https://example.com/pets/%d","description":"the integration for pets %d","timeoutInMillis":29000,"requestParameters":{"append:header.x-request":"$context.requestId","overwrite:path":"/v2/${request.path.id}"},"responseParameters":{"404":{"append:header.error":"$stageVariables.environment"}}}`, i, i), 201), "integrationId")
		send(b, s, "POST", api+"/routes", fmt.Sprintf(`{"routeKey":"GET /pets/%d/{id}","target":"integrations/%s"}`, i, integration), 201)
	}
	return s, api
}
