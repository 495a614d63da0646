package mapping

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"penstock/internal/gateway"
)

func fieldsText(fields []gateway.Field) string {
	var lines []string
	for _, f := range fields {
		lines = append(lines, f.Name+": "+f.Value)
	}
	return strings.Join(lines, ", ")
}

func TestResponseApply(t *testing.T) {
	t.Parallel()
	x := exchange(t, "GET /", "GET /")
	x.ID = "id"
	example := map[string]map[string]string{
		"500": {"append:header.header1": "$context.requestId", "overwrite:statuscode": "403"},
		"404": {"append:header.error": "$stageVariables.environmentId"},
	}
	on200 := func(pairs ...string) map[string]map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return map[string]map[string]string{"200": m}
	}
	for _, tt := range []struct {
		name       string
		parameters map[string]map[string]string
		status     int
		header     []string
		body       string
		want       string // status and fields; "" for 500
	}{
		{"76", example, 500, []string{"A", "1"}, "{}", "403 A: 1, header1: id"},
		{"77", example, 404, nil, "", "404 error: prod"},
		{"other status", example, 200, []string{"A", "1"}, "", "200 A: 1"},
		{"78 no cascade", map[string]map[string]string{"200": {"overwrite:statuscode": "201"}, "201": {"append:header.z": "1"}}, 200, nil, "", "201 "},
		{"remove", on200("remove:header.server", "''"), 200, []string{"A", "1", "Server", "x", "SERVER", "y"}, "", "200 A: 1"},
		{"join", on200("overwrite:header.x", "${response.header.a}/${response.header.b}"), 200, []string{"a", "1", "b", "2"}, "", "200 a: 1, b: 2, x: 1/2"},
		{"overwrite takes the first place", on200("overwrite:header.a", "x"), 200, []string{"A", "1", "b", "2", "a", "3"}, "", "200 a: x, b: 2"},
		{"append keeps", on200("append:header.set-cookie", "c=d"), 200, []string{"Set-Cookie", "a=b"}, "", "200 Set-Cookie: a=b, set-cookie: c=d"},
		{"rename", on200("remove:header.a", "", "overwrite:header.b", "$response.header.a", "append:header.c", "$response.header.b"), 200, []string{"a", "1", "b", "2"}, "", "200 b: 1, c: 2"},
		{"remove, overwrite, append", on200("remove:header.a", "", "append:header.a", "2"), 200, []string{"a", "1"}, "", "200 a: 2"},
		{"body", on200("overwrite:header.x", "$response.body.a", "overwrite:statuscode", "$response.body.s"), 200, nil, `{"a":"b","s":299}`, "299 x: b"},
		{"missing", on200("overwrite:header.x", "$response.body.a", "overwrite:statuscode", "$response.body.s"), 200, []string{"x", "1"}, "no JSON", "200 x: 1"},
		{"status of text", on200("overwrite:statuscode", "$response.body.s"), 200, nil, `{"s":"OK"}`, ""},
		{"status too small", on200("overwrite:statuscode", "199"), 200, nil, "", ""},
		{"status too great", on200("overwrite:statuscode", "600"), 200, nil, "", ""},
		{"status with a space", on200("overwrite:statuscode", " 201"), 200, nil, "", ""},
		{"status of nothing", on200("overwrite:statuscode", "${response.header.none}"), 200, nil, "", ""},
		{"line end", on200("overwrite:header.x", "$response.body.a"), 200, nil, `{"a":"b\r\nc: d"}`, ""},
	} {
		r, err := CompileResponse(tt.parameters, Scope{Variables: map[string]string{"environmentId": "prod"}})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if reads := r.ReadsBody(200); reads != strings.Contains(fmt.Sprint(tt.parameters["200"]), "body") || r.ReadsBody(599) {
			t.Errorf("%s: reads body: %v", tt.name, reads)
		}
		var fields []gateway.Field
		for i := 0; i < len(tt.header); i += 2 {
			fields = append(fields, gateway.Field{Name: tt.header[i], Value: tt.header[i+1]})
		}
		before := fieldsText(fields)
		x.Response = gateway.Response{Status: tt.status, Header: fields, Body: gateway.Body{Bytes: []byte(tt.body), Length: int64(len(tt.body))}}
		err = r.Apply(x)
		var e *gateway.Error
		if tt.want == "" {
			if !errors.As(err, &e) || e.Status != 500 {
				t.Errorf("%s: got %v", tt.name, err)
			}
			continue
		}
		if got := fmt.Sprint(x.Response.Status, " ", fieldsText(x.Response.Header)); err != nil || got != tt.want || string(x.Response.Body.Bytes) != tt.body {
			t.Errorf("%s: got %q, %v", tt.name, got, err)
		}
		if fieldsText(fields) != before {
			t.Errorf("%s: fields that may be shared were changed to %q", tt.name, fieldsText(fields))
		}
	}
}

// TestStatusAndBody: a status that allows no body gets none, and an answer that had
// none has an empty one where the client waits for it.
func TestStatusAndBody(t *testing.T) {
	t.Parallel()
	x := exchange(t, "ANY /", "GET /")
	for _, tt := range []struct {
		method   string
		from, to int
		had      gateway.Body
		bodiless bool
		length   int64
	}{
		{"GET", 200, 204, gateway.Body{Bytes: []byte("ok"), Length: 2}, true, -1},
		{"GET", 200, 304, gateway.Body{Bytes: []byte("ok"), Length: 2}, true, -1},
		{"GET", 200, 201, gateway.Body{Bytes: []byte("ok"), Length: 2}, false, 2},
		{"GET", 204, 200, gateway.Body{Length: -1}, false, 0},
		{"GET", 304, 200, gateway.Body{Length: 500}, false, 0},
		{"GET", 304, 204, gateway.Body{Length: 500}, true, -1},
		{"GET", 204, 304, gateway.Body{Length: -1}, true, -1},
		{"HEAD", 200, 204, gateway.Body{Length: 500}, true, -1},
		{"HEAD", 204, 200, gateway.Body{Length: -1}, true, -1},
		{"HEAD", 200, 201, gateway.Body{Length: 500}, true, 500},
	} {
		r, err := CompileResponse(map[string]map[string]string{fmt.Sprint(tt.from): {"overwrite:statuscode": fmt.Sprint(tt.to)}}, Scope{})
		if err != nil {
			t.Fatal(err)
		}
		x.Request.Method = tt.method
		x.Response = gateway.Response{Status: tt.from, Body: tt.had, Bodiless: tt.method == "HEAD" || !allowsBody(tt.from)}
		if err := r.Apply(x); err != nil || x.Response.Status != tt.to || x.Response.Bodiless != tt.bodiless || x.Response.Body.Length != tt.length {
			t.Errorf("%s %d to %d: %+v, %v", tt.method, tt.from, tt.to, x.Response, err)
		}
	}
}

func TestCompileResponseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ status, key, value, want string }{
		{"199", "append:header.a", "b", "want a number"},
		{"600", "append:header.a", "b", "want a number"},
		{"2xx", "append:header.a", "b", "want a number"},
		{"0200", "append:header.a", "b", "want a number"},
		{"200", "append:header.Content-Length", "b", "reserved"},
		{"200", "overwrite:header.apigw-requestid", "b", "reserved"},
		{"200", "remove:header.access-control-allow-origin", "b", "reserved"},
		{"200", "append:header.Transfer_Encoding", "b", "reserved"},
		{"200", "append:statuscode", "201", "nothing that a mapping can change"},
		{"200", "remove:statuscode", "201", "nothing that a mapping can change"},
		{"200", "overwrite:path", "/", "nothing that a mapping can change"},
		{"200", "append:querystring.a", "b", "nothing that a mapping can change"},
		{"200", "append:header.a", "$request.header.b", "selects nothing"},
	} {
		if _, err := CompileResponse(map[string]map[string]string{tt.status: {tt.key: tt.value}}, Scope{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s=%s: got %v, want %q", tt.status, tt.key, tt.value, err, tt.want)
		}
	}
	if r, err := CompileResponse(nil, Scope{}); r != nil || err != nil || r.ReadsBody(200) || r.Apply(&gateway.Exchange{}) != nil {
		t.Errorf("a mapping of nothing: %v, %v", r, err)
	}
}
