package control

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"penstock/internal/store"
)

// BenchmarkGetIntegrations reads a page of 100 of the 300 integrations of an API,
// from the request to the last byte of the answer.
func BenchmarkGetIntegrations(b *testing.B) {
	s, api := filled(b)
	r := httptest.NewRequest("GET", "http://localhost"+api+"/integrations?maxResults=100", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := discard{}
		s.ServeHTTP(w, r)
	}
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
	s := New(Options{Store: store.NewMemory()})
	post := func(path, body string) map[string]any {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(body)))
		if w.Code != 201 {
			b.Fatal(w.Body)
		}
		return decodeText(w.Body.String())
	}
	api := "/v2/apis/" + id(post("/v2/apis", `{"name":"n","protocolType":"HTTP"}`), "apiId")
	for i := range 300 {
		integration := id(post(api+"/integrations", fmt.Sprintf(`{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"https://example.com/pets/%d","description":"the integration for pets %d","timeoutInMillis":29000,"requestParameters":{"append:header.x-request":"$context.requestId","overwrite:path":"/v2/${request.path.id}"},"responseParameters":{"404":{"append:header.error":"$stageVariables.environment"}}}`, i, i)), "integrationId")
		post(api+"/routes", fmt.Sprintf(`{"routeKey":"GET /pets/%d/{id}","target":"integrations/%s"}`, i, integration))
	}
	return s, api
}
