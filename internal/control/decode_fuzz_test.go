package control

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"penstock/internal/model"
)

// Whatever is sent, every operation reads it or says what is wrong with it: no panic,
// no more than was sent, the same each time, and nothing is changed by what is refused.
func FuzzDecode(f *testing.F) {
	for i, op := range model.Operations {
		f.Add(uint8(i), []byte(sent[op.Name].body), strings.TrimPrefix(sent[op.Name].query, "?"))
	}
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `"x"`, `1`, `{"name":null}`, `{"name":"n","name":1}`, `{"tags":{"a":"b","a":null}}`, `{"TAGS":{"a":"b"}}`, `{"maxAge":1e2}`, `{"timeoutInMillis":99999999999999999999}`,
		`{"priority":-0}`, `{"throttlingRateLimit":1e400}`, `{"conditions":[null,{"matchHeaders":{"anyOf":[{}]}}]}`, `{"name":"\ud800"}`, "{\"name\":\"\xff\"}", "\ufeff{}", `{"a":1}{"b":2}`,
		strings.Repeat(`{"tags":`, 70), strings.Repeat(`[`, 10000), `{"domainNameConfigurations":[` + strings.Repeat(`{},`, 100) + `{}]}`, `{"body":"{\"openapi\":\"3.0.1\"}"}`, `{"routeSettings":{"":{}}}`,
	} {
		for _, query := range []string{"", "maxResults=0&nextToken=p&tagKeys=a&tagKeys=&includeExtensions=TRUE", "failOnWarnings=true&basepath=x&%zz&;"} {
			f.Add(uint8(len(body)), []byte(body), query)
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, body []byte, query string) {
		if len(body) > 64<<10 || len(query) > 4<<10 {
			return // only longer, and slower
		}
		op := model.Operations[int(n)%len(model.Operations)]
		labels := map[string]string{"apiId": "abcdefghij", "specification": "OAS30"}
		values, _ := url.ParseQuery(query)
		first, err := op.Decode(slices.Clone(body), labels, values)
		again, errAgain := op.Decode(slices.Clone(body), labels, values)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() || !reflect.DeepEqual(first, again) {
			t.Fatalf("%s: %+v %v, then %+v %v", op.Name, first, err, again, errAgain)
		}
		if err != nil {
			var known *model.DecodeError
			if !errors.As(err, &known) || first != nil {
				t.Fatalf("%s: %T %v with %+v", op.Name, err, err, first)
			}
			message := refusal(err).Error()
			if !utf8.ValidString(message) || len(known.Problems) > 10 || len(message) > 16*(len(body)+len(query)+1024) {
				t.Fatalf("%s: %d problems, %d bytes: %q", op.Name, len(known.Problems), len(message), message)
			}
			return
		}
		text, err := encode(first)
		if err != nil {
			t.Fatalf("%s: %v", op.Name, err)
		}
		if len(text) > 16*(len(body)+len(query)+1024) {
			t.Fatalf("%s: %d bytes from %d", op.Name, len(text), len(body)+len(query))
		}
		// What was read and is written is read as the same.
		if len(op.Input.Members) > 0 && onlyBody(op) {
			read, err := op.Decode(text, labels, nil)
			if err != nil || !reflect.DeepEqual(read, first) {
				t.Fatalf("%s: read %s, written %s, read again %+v %v", op.Name, body, text, read, err)
			}
		}
	})
}

// onlyBody reports whether all of an input is in the body.
func onlyBody(op *model.Operation) bool {
	return !slices.ContainsFunc(op.Input.Members, func(m model.Member) bool { return m.Location != model.Body })
}

// Every operation, sent whatever to what is really there: an answer that the service
// could give, in valid JSON, and no change by what is refused.
func FuzzOperations(f *testing.F) {
	for i, op := range model.Operations {
		f.Add(uint8(i), sent[op.Name].body, strings.TrimPrefix(sent[op.Name].query, "?"))
	}
	f.Add(uint8(0), `{"name":"n","protocolType":"HTTP","target":"https://x","corsConfiguration":{}}`, "")
	f.Add(uint8(8), `{"authorization":{},"endpointConfiguration":{},"portalContent":{}}`, "")
	f.Fuzz(func(t *testing.T, n uint8, body, query string) {
		if len(body) > 16<<10 || len(query) > 4<<10 {
			return
		}
		op := model.Operations[int(n)%len(model.Operations)]
		s := newTester(t)
		e := newEstate(s)
		path, _ := e.request(op, escapeAll)
		u, err := url.ParseRequestURI(strings.SplitN(path, "?", 2)[0] + "?" + strings.TrimPrefix(sent[op.Name].query, "?"))
		if err != nil {
			t.Fatal(err)
		}
		if query != "" {
			u.RawQuery = query
		}
		for range 2 { // what the first has left is there for the second
			before := s.store.Last()
			r := httptest.NewRequest("GET", "http://localhost/", strings.NewReader(body))
			r.Method, r.URL = op.Method, u
			got := s.send(r)
			if got.status < 200 || got.status >= 500 {
				t.Fatalf("%s %q %s: %d %s", op.Name, query, body, got.status, got.body)
			}
			if got.status >= 400 && s.store.Last() != before {
				t.Fatalf("%s %q %s: %d %s, and the store is changed", op.Name, query, body, got.status, got.body)
			}
			if got.body != "" && got.header.Get("Content-Type") == "application/json" && !json.Valid([]byte(got.body)) {
				t.Fatalf("%s: the answer is %s", op.Name, got.body)
			}
		}
	})
}

// A document is imported as a whole or not at all, whatever it is: over an API that is
// there and as a new one. What is imported can be exported, and imported again.
func FuzzImportOperation(f *testing.F) {
	for _, document := range []string{petsDocument, smallDocument, "", "{", "a: &a [*a]", "openapi: 3.0.1", withPaths(`"/{a}":{"get":` + proxy(`{}`) + `},"/{b}":{"get":{}}`), withPaths(``, `"tags":[{"name":"aws:x"}]`),
		withPaths(``, `"x-amazon-apigateway-cors":{"allowOrigins":["*"],"allowCredentials":true}`), strings.Replace(smallDocument, "https://example.com", "${AWS::Region}", 1)} {
		for _, query := range []string{"", "basepath=prepend", "basepath=split&failOnWarnings=true"} {
			f.Add(document, query)
		}
	}
	f.Fuzz(func(t *testing.T, document, query string) {
		if len(document) > 32<<10 || len(query) > 1<<10 {
			return
		}
		s := newTester(t)
		api, _ := s.imports(petsDocument)
		s.call(201, "POST", api+"/stages", `{"stageName":"live","autoDeploy":true}`)
		for _, path := range []string{"/v2/apis", api} {
			before := s.store.Last()
			r := httptest.NewRequest("PUT", "http://localhost/", strings.NewReader(documentBody(document)))
			r.URL.Path, r.URL.RawQuery = path, query
			got := s.send(r)
			switch {
			case got.status == 400:
				if s.store.Last() != before {
					t.Fatalf("%q was refused with %s and changed something", document, got.body)
				}
				if strings.ContainsAny(got.body, "\x00\n") || !json.Valid([]byte(got.body)) {
					t.Fatalf("the answer is %q", got.body)
				}
			case got.status == 201:
				if s.store.Last() != before+1 {
					t.Fatalf("%q made %d commits", document, s.store.Last()-before)
				}
				made := "/v2/apis/" + id(decodeText(got.body), "apiId")
				format := []string{"JSON", "YAML"}[len(document)%2]
				export := s.do("GET", made+"/exports/OAS30?outputType="+format, "")
				if export.status == 400 && strings.Contains(export.body, "a document") {
					continue // there are routes that no document says
				}
				again := s.do("PUT", "/v2/apis", documentBody(export.body))
				if export.status != 200 || again.status != 201 {
					t.Fatalf("%q: exported as %s: %d, imported again: %d %s", document, export.body, export.status, again.status, again.body)
				}
			default:
				t.Fatalf("%q %q: got %d %s", document, query, got.status, got.body)
			}
		}
	})
}
