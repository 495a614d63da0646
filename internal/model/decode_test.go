package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func decode(t *testing.T, operation, body string) (any, error) {
	t.Helper()
	op := FindOperation(operation)
	if op == nil {
		t.Fatalf("no operation %s", operation)
	}
	return op.Decode([]byte(body), map[string]string{"apiId": "a1"}, url.Values{})
}

// What is decoded is written back with the members that were present.
func TestDecode(t *testing.T) {
	for _, tt := range []struct{ name, operation, body, want string }{
		{"empty body", "UpdateApi", ``, `{}`},
		{"blank body", "UpdateApi", " \n", `{}`},
		{"null body", "UpdateApi", `null`, `{}`},
		{"unknown members", "UpdateApi", `{"name":"n","x":{"y":[1,{"name":2}]},"z":null}`, `{"name":"n"}`},
		{"names are case-sensitive", "UpdateApi", `{"Name":"n","NAME":1}`, `{}`},
		{"null is absent", "UpdateApi", `{"name":null,"corsConfiguration":{"maxAge":null,"allowOrigins":[null,"*"]}}`, `{"corsConfiguration":{"allowOrigins":["*"]}}`},
		{"null entries are absent", "UpdateStage", `{"stageVariables":{"a":null,"b":"1"}}`, `{"stageVariables":{"b":"1"}}`},
		{"empties are present", "UpdateRoute", `{"target":"","authorizationScopes":[],"requestParameters":{},"apiKeyRequired":false}`, `{"apiKeyRequired":false,"authorizationScopes":[],"requestParameters":{},"target":""}`},
		{"the last of two counts", "UpdateApi", `{"name":"a","name":"b"}`, `{"name":"b"}`},
		{"nested structures", "UpdateStage", `{"routeSettings":{"GET /":{"throttlingBurstLimit":0,"throttlingRateLimit":1.5}}}`, `{"routeSettings":{"GET /":{"throttlingBurstLimit":0,"throttlingRateLimit":1.5}}}`},
		{"members in the path are not in the body", "UpdateApi", `{"apiId":"other"}`, `{}`},
		{"escapes", "UpdateApi", `{"n\u0061me":"\u00e9\ud83d\ude00"}`, `{"name":"é😀"}`},
		{"what clears is within the limits", "UpdateIntegration", `{"contentHandlingStrategy":"","connectionId":"","requestParameters":{"a":""},"responseParameters":{"200":{},"404":{"a":""}},"tlsConfig":{}}`,
			`{"connectionId":"","contentHandlingStrategy":"","requestParameters":{"a":""},"responseParameters":{"200":{},"404":{"a":""}},"tlsConfig":{}}`},
		{"what clears inside a structure", "UpdateDomainName", `{"mutualTlsAuthentication":{"truststoreUri":""}}`, `{"mutualTlsAuthentication":{"truststoreUri":""}}`},
		{"own checks are left to the control plane", "CreateApi", `{"protocolType":"SMTP"}`, `{"protocolType":"SMTP"}`},
		{"nesting at the limit", "UpdateApi", `{"x":` + strings.Repeat("[", MaxDepth-1) + strings.Repeat("]", MaxDepth-1) + `}`, `{}`},
	} {
		in, err := decode(t, tt.operation, tt.body)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A body that cannot be read is refused with the member and the reason.
func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct{ name, operation, body, path, reason string }{
		{"no JSON", "UpdateApi", `{"name":}`, "", "byte 9"},
		{"cut off", "UpdateApi", `{"name":"n"`, "", "not JSON"},
		{"two values", "UpdateApi", `{} {}`, "", "not JSON"},
		{"a comma too many", "UpdateApi", `{"name":"n",}`, "", "not JSON"},
		{"not UTF-8", "UpdateApi", "{\"name\":\"\xff\"}", "", "not UTF-8"},
		{"a list", "UpdateApi", `[]`, "the body", "an object"},
		{"a string", "UpdateApi", `"x"`, "the body", "an object"},
		{"too deep", "UpdateApi", `{"x":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + `}`, "", "deeper than 64"},
		{"too deep and cut off", "UpdateApi", strings.Repeat(`{"x":`, 100_000), "", "deeper than 64"},
		{"number for string", "UpdateApi", `{"name":7}`, "name", "a string"},
		{"string for boolean", "UpdateApi", `{"disableExecuteApiEndpoint":"true"}`, "disableExecuteApiEndpoint", "true or false"},
		{"string for integer", "UpdateApi", `{"corsConfiguration":{"maxAge":"1"}}`, "corsConfiguration.maxAge", "an integer"},
		{"fraction for integer", "UpdateApi", `{"corsConfiguration":{"maxAge":1.5}}`, "corsConfiguration.maxAge", "an integer"},
		{"integer without end", "UpdateApi", `{"corsConfiguration":{"maxAge":99999999999}}`, "corsConfiguration.maxAge", "an integer"},
		{"number without end", "UpdateStage", `{"defaultRouteSettings":{"throttlingRateLimit":1e999}}`, "defaultRouteSettings.throttlingRateLimit", "a number"},
		{"object for list", "UpdateApi", `{"corsConfiguration":{"allowOrigins":{}}}`, "corsConfiguration.allowOrigins", "a list"},
		{"list for map", "UpdateStage", `{"stageVariables":[]}`, "stageVariables", "an object"},
		{"element", "UpdateApi", `{"corsConfiguration":{"allowOrigins":["a",7]}}`, "corsConfiguration.allowOrigins[1]", "a string"},
		{"entry", "UpdateStage", `{"stageVariables":{"a":{}}}`, `stageVariables["a"]`, "a string"},
		{"member of an entry", "UpdateStage", `{"routeSettings":{"GET /":{"loggingLevel":1}}}`, `routeSettings["GET /"].loggingLevel`, "a string"},
	} {
		_, err := decode(t, tt.operation, tt.body)
		var refused *DecodeError
		if !errors.As(err, &refused) {
			t.Errorf("%s: got %v, want a DecodeError", tt.name, err)
			continue
		}
		if refused.Path != tt.path || !strings.Contains(refused.Reason, tt.reason) || len(refused.Problems) > 0 {
			t.Errorf("%s: got %q %q, want %q and %q", tt.name, refused.Path, refused.Reason, tt.path, tt.reason)
		}
	}
}

// Values outside their limits are reported together, in the order of the body;
// required members come last.
func TestDecodeProblems(t *testing.T) {
	long := strings.Repeat("é", 65)
	many := `["` + strings.Repeat(`a","`, MaxEntries) + `a"]`
	for _, tt := range []struct{ name, operation, body, want string }{
		{"required", "CreateRoute", `{}`, "routeKey required"},
		{"required in a structure", "CreatePortalProduct", `{"displayName":null}`, "displayName required"},
		{"too short", "UpdateApi", `{"name":""}`, "name length 1 128"},
		{"too long, in characters", "CreateRoute", `{"routeKey":"$default","operationName":"` + long + `"}`, "operationName length 1 64"},
		{"long enough, in characters", "CreateRoute", `{"routeKey":"$default","operationName":"` + long[2:] + `"}`, ""},
		{"below", "UpdateApi", `{"corsConfiguration":{"maxAge":-2}}`, "corsConfiguration.maxAge range -1 86400"},
		{"above", "UpdateApi", `{"corsConfiguration":{"maxAge":86401}}`, "corsConfiguration.maxAge range -1 86400"},
		{"enum", "UpdateIntegration", `{"connectionType":"PIGEON"}`, "connectionType enum [INTERNET VPC_LINK]"},
		{"element", "UpdateRoute", `{"authorizationScopes":["a",""]}`, "authorizationScopes[1] length 1 64"},
		{"entry of a map that is not merged", "CreateIntegration", `{"integrationType":"MOCK","requestParameters":{"a":""}}`, `requestParameters["a"] length 1 512`},
		{"several", "CreateIntegration", `{"connectionType":"X","payloadFormatVersion":""}`, "connectionType enum [INTERNET VPC_LINK]; payloadFormatVersion length 1 64; integrationType required"},
		{"entries", "UpdateRoute", `{"authorizationScopes":` + many + `}`, "authorizationScopes entries 10000"},
	} {
		_, err := decode(t, tt.operation, tt.body)
		if got := problems(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func problems(err error) string {
	var refused *DecodeError
	if !errors.As(err, &refused) {
		return ""
	}
	var list []string
	for _, p := range refused.Problems {
		text := fmt.Sprintf("%s %s", p.Path, p.Limit)
		switch p.Limit {
		case LimitLength, LimitRange:
			text += fmt.Sprintf(" %d %d", p.Min, p.Max)
		case LimitEnum:
			text += fmt.Sprintf(" %v", p.Enum)
		case LimitEntries:
			text += fmt.Sprintf(" %d", p.Max)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func TestDecodeQuery(t *testing.T) {
	in, err := FindOperation("UntagResource").Decode(nil, map[string]string{"resource-arn": "arn:x/y"}, url.Values{"tagKeys": {"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	untag := in.(*UntagResourceRequest)
	if *untag.ResourceARN != "arn:x/y" || !reflect.DeepEqual(untag.TagKeys, []string{"a", "b"}) {
		t.Errorf("got %+v", untag)
	}
	for _, tt := range []struct{ name, operation, query, want string }{
		{"integer", "ListRoutingRules", "maxResults=7", ""},
		{"not an integer", "ListRoutingRules", "maxResults=x", "maxResults: must be an integer"},
		{"out of range", "ListRoutingRules", "maxResults=101", "maxResults: range"},
		{"a string in the other lists", "GetApis", "maxResults=x", ""},
		{"boolean", "ExportApi", "outputType=JSON&includeExtensions=false", ""},
		{"not a boolean", "ExportApi", "outputType=JSON&includeExtensions=1", "includeExtensions: must be true or false"},
		{"enum where it is used", "ExportApi", "outputType=XML", "outputType: enum"},
		{"required", "UntagResource", "", "tagKeys: required"},
	} {
		query, _ := url.ParseQuery(tt.query)
		_, err := FindOperation(tt.operation).Decode(nil, map[string]string{"specification": "OAS30"}, query)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The decoder finds a member by its place: the fields of a Go type are the
// members of its shape, in the same order.
func TestFieldsAreMembers(t *testing.T) {
	var check func(s *Shape, typ reflect.Type)
	check = func(s *Shape, typ reflect.Type) {
		switch s.Kind {
		case Structure:
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			if typ.NumField() != len(s.Members) {
				t.Fatalf("%s: %d fields, %d members", s.Name, typ.NumField(), len(s.Members))
			}
			for i, m := range s.Members {
				field := typ.Field(i)
				want := m.Name + ",omitzero"
				if m.Location != Body {
					want = "-"
				}
				if got := field.Tag.Get("json"); got != want {
					t.Errorf("%s.%s: tag %q, want %q", s.Name, field.Name, got, want)
				}
				check(m.Shape, field.Type)
			}
		case List, Map:
			check(s.Element, typ.Elem())
		}
	}
	if len(Operations) != 103 {
		t.Errorf("%d operations", len(Operations))
	}
	for _, op := range Operations {
		check(op.Input, reflect.TypeOf(op.New()))
	}
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{``, `{}`, `null`, `{"name":"n","tags":{"a":"b"}}`, `{"corsConfiguration":{"allowOrigins":["*"],"maxAge":1}}`,
		`{"routeSettings":{"a":{"throttlingRateLimit":1}}}`, `{"conditions":[{"matchHeaders":{"anyOf":[{"header":"a","valueGlob":"b"}]}}]}`, `{"responseParameters":{"200":{"a":""}}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range Operations {
			in, err := op.Decode(body, nil, nil)
			if err != nil {
				var refused *DecodeError
				if !errors.As(err, &refused) || refused.Error() == "" {
					t.Fatalf("%s: %v is not a DecodeError that says something", op.Name, err)
				}
				continue
			}
			if _, err := json.Marshal(in); err != nil {
				t.Fatalf("%s: what was decoded cannot be written: %v", op.Name, err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	op := FindOperation("CreateIntegration")
	body := []byte(`{"integrationType":"HTTP_PROXY","integrationMethod":"ANY","integrationUri":"https://example.com/pets/{id}","payloadFormatVersion":"1.0","timeoutInMillis":29000,"requestParameters":{"append:header.a":"$context.requestId","overwrite:path":"/x"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := op.Decode(body, map[string]string{"apiId": "a1"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
