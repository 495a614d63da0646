package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"penstock/internal/gateway"
)

// show prints an answer: its status, its fields and its body.
func show(a *Answer, err error) string {
	if err != nil {
		return "error"
	}
	b := fmt.Appendf(nil, "%d", a.Status)
	for _, f := range a.Header {
		b = fmt.Appendf(b, "|%s: %s", f.Name, f.Value)
	}
	return string(fmt.Appendf(b, "|%s", a.Body))
}

const (
	jsonAnswer = "200|Content-Type: application/json|"
	textAnswer = "|Content-Type: text/plain; charset=utf-8|"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	var a Answer
	for _, tt := range []struct{ name, payload, want20, want10 string }{
		{"string", `"Hello"`, jsonAnswer + "Hello", "error"},
		{"string with escapes", " \"a\\n\\u00fc\\ud83d\\ude00\\ud83d\\\"\\/\" ", jsonAnswer + "a\nü😀\uFFFD\"/", "error"},
		{"empty string", `""`, jsonAnswer, "error"},
		{"bad string", `"a\x"`, jsonAnswer + `"a\x"`, "error"},
		{"string and more", `"a" 1`, jsonAnswer + `"a" 1`, "error"},
		{"object", ` {"message":"x"} `, jsonAnswer + ` {"message":"x"} `, "error"},
		{"array", `[1,2]`, jsonAnswer + "[1,2]", "error"},
		{"number", `42`, jsonAnswer + "42", "error"},
		{"true", `true`, jsonAnswer + "true", "error"},
		{"null", `null`, jsonAnswer + "null", "error"},
		{"nothing", ``, jsonAnswer, "error"},
		{"not JSON", `{"a":`, jsonAnswer + `{"a":`, "error"},
		{"cut off", `{"statusCode":200,"body":"x"`, jsonAnswer + `{"statusCode":200,"body":"x"`, "error"},
		{"more behind", `{"statusCode":200}}`, jsonAnswer + `{"statusCode":200}}`, "error"},
		{"comma at the end", `{"statusCode":200,}`, jsonAnswer + `{"statusCode":200,}`, "error"},
		{"body without a status", `{"body":"x"}`, jsonAnswer + `{"body":"x"}`, "error"},
		{"status in another case", `{"StatusCode":200}`, jsonAnswer + `{"StatusCode":200}`, "error"},
		{"status", `{"statusCode":201}`, "201" + textAnswer, "201" + textAnswer},
		{"escaped name", `{"status\u0043ode":201}`, "201" + textAnswer, "201" + textAnswer},
		{"the last status counts", `{"statusCode":"x","statusCode":201}`, "201" + textAnswer, "201" + textAnswer},
		{"JSON body", `{"statusCode":200,"body":"{\"a\":1}"}`, "200" + textAnswer + `{"a":1}`, "200" + textAnswer + `{"a":1}`},
		{"status 0", `{"statusCode":0}`, "error", "error"},
		{"status 200.5", `{"statusCode":200.5}`, "error", "error"},
		{"status 200.0", `{"statusCode":200.0}`, "error", "error"},
		{"status 2e2", `{"statusCode":2e2}`, "error", "error"},
		{"status 100", `{"statusCode":100}`, "error", "error"},
		{"status 199", `{"statusCode":199}`, "error", "error"},
		{"status 600", `{"statusCode":600}`, "error", "error"},
		{"status 2000", `{"statusCode":2000}`, "error", "error"},
		{"status -200", `{"statusCode":-200}`, "error", "error"},
		{"status null", `{"statusCode":null}`, "error", "error"},
		{"status true", `{"statusCode":true}`, "error", "error"},
		{"status as a string", `{"statusCode":"404"}`, "404" + textAnswer, "404" + textAnswer},
		{"status as an escaped string", `{"statusCode":"\u0034\u0030\u0034"}`, "404" + textAnswer, "404" + textAnswer},
		{"status as a longer string", `{"statusCode":"\u0034\u0030\u00344"}`, "error", "error"},
		{"status as another string", `{"statusCode":" 200"}`, "error", "error"},
		{"content type", `{"statusCode":200,"headers":{"content-TYPE":"a/b"}}`, "200|content-TYPE: a/b|", "200|content-TYPE: a/b|"},
		{"kinds of values", `{"statusCode":200,"headers":{"a":1.50,"b":true,"c":null,"d":"x","Content-Type":"a/b"}}`, "200|a: 1.50|b: true|d: x|Content-Type: a/b|", "200|a: 1.50|b: true|d: x|Content-Type: a/b|"},
		{"list as a value", `{"statusCode":200,"headers":{"a":["x"]}}`, "error", "error"},
		{"headers null", `{"statusCode":200,"headers":null,"body":null,"cookies":null,"isBase64Encoded":null,"multiValueHeaders":null}`, "200" + textAnswer, "200" + textAnswer},
		{"headers as a list", `{"statusCode":200,"headers":[]}`, "error", "error"},
		{"comma in a value", `{"statusCode":200,"headers":{"myheader":"test,other","content-type":"x"}}`, "200|myheader: test,other|content-type: x|", "200|myheader: test,other|content-type: x|"},
		{"the last of a name counts", `{"statusCode":200,"headers":{"A":"1","b":"2","a":"3","content-type":"x"}}`, "200|b: 2|a: 3|content-type: x|", "200|b: 2|a: 3|content-type: x|"},
		{"space around", `{"statusCode":200,"headers":{" a\t":" 1 ","content-type":"x"}}`, "200|a: 1|content-type: x|", "200|a: 1|content-type: x|"},
		{"empty value", `{"statusCode":200,"headers":{"a":"","content-type":"x"}}`, "200|a: |content-type: x|", "200|a: |content-type: x|"},
		{"escaped field", `{"statusCode":200,"headers":{"\u0061":"\u00fc","content-type":"x"}}`, "200|a: ü|content-type: x|", "200|a: ü|content-type: x|"},
		{"line end in a value", `{"statusCode":200,"headers":{"a":"1\r\nb: 2"}}`, "error", "error"},
		{"zero byte in a value", `{"statusCode":200,"headers":{"a":"\u0000"}}`, "error", "error"},
		{"colon in a name", `{"statusCode":200,"headers":{"a:b":"1"}}`, "error", "error"},
		{"space in a name", `{"statusCode":200,"headers":{"a b":"1"}}`, "error", "error"},
		{"line end in a name", `{"statusCode":200,"headers":{"a\r\n":"1"}}`, "error", "error"},
		{"no name", `{"statusCode":200,"headers":{"":"1"}}`, "error", "error"},
		{"dropped", `{"statusCode":200,"headers":{"Connection":"a","keep-alive":"1","Transfer-Encoding":"chunked","upgrade":"h2c","TE":"x","trailer":"x","proxy-x":"1","Content-Length":"7","apigw-requestid":"x","Date":"x","server":"s"}}`,
			"200|server: s" + textAnswer, "200|server: s" + textAnswer},
		{"lists", `{"statusCode":200,"multiValueHeaders":{"Combined-Header":["multi-value1","multi-value2"],"n":[1,null,true],"e":[],"z":null},"headers":{"Combined-Header":"single-value"}}`,
			"200|Combined-Header: single-value" + textAnswer, "200|Combined-Header: single-value|Combined-Header: multi-value1|Combined-Header: multi-value2|n: 1|n: true" + textAnswer},
		{"the last list of a name counts", `{"statusCode":200,"multiValueHeaders":{"a":["1","2"],"b":["3"],"A":["4","5"]},"headers":{"a":"0"}}`, "200|a: 0" + textAnswer, "200|a: 0|b: 3|A: 4|A: 5" + textAnswer},
		{"no list", `{"statusCode":200,"multiValueHeaders":{"a":"1"}}`, "200" + textAnswer, "error"},
		{"list in a list", `{"statusCode":200,"multiValueHeaders":{"a":[[]]}}`, "200" + textAnswer, "error"},
		{"cookies", `{"statusCode":200,"headers":{"set-cookie":"c=3"},"cookies":["a=1","b=2"]}`, "200|Set-Cookie: a=1|Set-Cookie: b=2|set-cookie: c=3" + textAnswer, "200|set-cookie: c=3" + textAnswer},
		{"cookies as a string", `{"statusCode":200,"cookies":"a=1"}`, "error", "200" + textAnswer},
		{"number as a cookie", `{"statusCode":200,"cookies":[1]}`, "error", "200" + textAnswer},
		{"line end in a cookie", `{"statusCode":200,"cookies":["a=1\nb"]}`, "error", "200" + textAnswer},
		{"base64", `{"statusCode":200,"isBase64Encoded":true,"body":"AQID","headers":{"content-type":"image/png"}}`, "200|content-type: image/png|\x01\x02\x03", "200|content-type: image/png|\x01\x02\x03"},
		{"base64 with escapes", `{"statusCode":200,"isBase64Encoded":"true","body":"\/\/8="}`, "200" + textAnswer + "\xff\xff", "200" + textAnswer + "\xff\xff"},
		{"no base64", `{"statusCode":200,"isBase64Encoded":"false","body":"AQID"}`, "200" + textAnswer + "AQID", "200" + textAnswer + "AQID"},
		{"bad base64", `{"statusCode":200,"isBase64Encoded":true,"body":"AQ"}`, "error", "error"},
		{"isBase64Encoded of another kind", `{"statusCode":200,"isBase64Encoded":1,"body":"AQ"}`, "error", "error"},
		{"isBase64Encoded as another string", `{"statusCode":200,"isBase64Encoded":"yes","body":"AQ"}`, "error", "error"},
		{"body of another kind", `{"statusCode":200,"body":{"a":1}}`, "error", "error"},
		{"number as a body", `{"statusCode":200,"body":1}`, "error", "error"},
		{"other members", `{"x":[{"statusCode":1}],"statusCode":200,"y":{"body":"n"},"body":"b"}`, "200" + textAnswer + "b", "200" + textAnswer + "b"},
		{"204", `{"statusCode":204,"headers":{"content-type":"x","a":"1"},"body":"b"}`, "204|a: 1|b", "204|a: 1|b"},
		{"304", `{"statusCode":304,"headers":{"etag":"x"}}`, "304|etag: x|", "304|etag: x|"},
	} {
		// In turns, so that room is used again.
		if got := show(&a, a.Read20([]byte(tt.payload))); got != tt.want20 {
			t.Errorf("%s, 2.0: got %q, want %q", tt.name, got, tt.want20)
		}
		if got := show(&a, a.Read10([]byte(tt.payload))); got != tt.want10 {
			t.Errorf("%s, 1.0: got %q, want %q", tt.name, got, tt.want10)
		}
	}
}

func TestStreamed(t *testing.T) {
	t.Parallel()
	const end = "\x00\x00\x00\x00\x00\x00\x00\x00"
	var a Answer
	for _, tt := range []struct{ name, payload, want string }{
		{"whole", `{"statusCode":201,"headers":{"content-type":"a/b"},"cookies":["a=1"]}` + end + "body\x00" + end, "201|Set-Cookie: a=1|content-type: a/b|body\x00" + end},
		{"no status", `{}` + end + "b", "200" + textAnswer + "b"},
		{"no body", `{"statusCode":200,"body":"x"}` + end, "200" + textAnswer},
		{"no end", `{"statusCode":200}` + end[1:], "error"},
		{"no object", `[]` + end, "error"},
		{"nothing", end, "error"},
		{"wrong status", `{"statusCode":"x"}` + end, "error"},
	} {
		if got := show(&a, a.ReadStreamed([]byte(tt.payload))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAnswerFlood: nothing that a function returns takes long, or room of another order
// than it has itself.
func TestAnswerFlood(t *testing.T) {
	t.Parallel()
	const n = 1 << 20
	many := func(format string) string {
		var b strings.Builder
		for i := range n / 16 {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, tt := range []struct{ name, payload, want string }{
		{"deep", `{"statusCode":200,"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}", "error"},
		{"deep and open", strings.Repeat(`{"a":`, n), "error"},
		{"as deep as may be", `{"statusCode":200,"x":` + strings.Repeat(`[{"a":`, maxDepth/2) + "1" + strings.Repeat("}]", maxDepth/2) + "}", "200" + textAnswer},
		{"deeper", `{"statusCode":200,"x":[` + strings.Repeat(`[{"a":`, maxDepth/2) + "1" + strings.Repeat("}]", maxDepth/2) + "]}", "error"},
		{"many fields", `{"statusCode":200,"headers":{` + many(`"a%d":"",`) + `"a":""}}`, "error"},
		{"one field many times", `{"statusCode":200,"headers":{` + strings.Repeat(`"a":"",`, n) + `"a":""}}`, "error"},
		{"long field", `{"statusCode":200,"headers":{"a":"` + strings.Repeat("x", n) + `"}}`, "error"},
		{"many cookies", `{"statusCode":200,"multiValueHeaders":{"a":[` + strings.Repeat(`"",`, n) + `""]}}`, "error"},
		{"many members", `{"statusCode":200,` + many(`"a%d":0,`) + `"a":0}`, "200" + textAnswer},
		{"long name", `{"statusCode":200,"` + strings.Repeat(`\u0061`, n) + `":0}`, "200" + textAnswer},
		{"escapes", `{"statusCode":200,"body":"` + strings.Repeat(`\n`, n) + `"}`, "200" + textAnswer + strings.Repeat("\n", n)},
	} {
		var a Answer
		if got := show(&a, a.Read10([]byte(tt.payload))); got != tt.want {
			t.Errorf("%s: got %.100q, want %.100q", tt.name, got, tt.want)
		}
		if room := cap(a.Text) + cap(a.Room); room > len(tt.payload)+4*maxAnswerHeader {
			t.Errorf("%s: %d bytes of room", tt.name, room)
		}
		a.Read20([]byte(tt.payload))
	}
}

func TestFunctionError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ payload, kind, message string }{
		{`{"errorType":"TypeError","errorMessage":"a\nb","trace":[]}`, "TypeError", "a b"},
		{`{"errorMessage":1}`, "", ""},
		{`{"errorMessage":"a","x":`, "", "a"},
		{`null`, "", ""},
		{``, "", ""},
		{`{"errorMessage":"` + strings.Repeat("x", 100) + `"}`, "", strings.Repeat("x", 20)},
		{`{"errorMessage":"xxxxxxxxxxxxxxxxxx\u20ac"}`, "", strings.Repeat("x", 18)},
		{`{"errorMessage":"` + strings.Repeat(`\u0061`, 100) + `"}`, "", strings.Repeat("a", 20)},
	} {
		if kind, message := FunctionError([]byte(tt.payload), 20); kind != tt.kind || message != tt.message {
			t.Errorf("%s: got %q, %q, want %q, %q", tt.payload, kind, message, tt.kind, tt.message)
		}
	}
}

// What follows says the rules of answers once more, on top of encoding/json.

var errReference = errors.New("malformed")

// ordered reads an object and returns its members in order.
func ordered(raw json.RawMessage) (members []struct {
	name  string
	value json.RawMessage
}, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, errReference
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		members = append(members, struct {
			name  string
			value json.RawMessage
		}{token.(string), value})
	}
	return members, nil
}

// headerText returns what a value of a header stands for; false if it is left out.
func headerText(raw json.RawMessage) (string, bool, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", false, err
	}
	switch v := v.(type) {
	case nil:
		return "", false, nil
	case string:
		return v, true, nil
	case bool:
		return strconv.FormatBool(v), true, nil
	case json.Number:
		return v.String(), true, nil
	}
	return "", false, errReference
}

// referenceField checks and trims a field.
func referenceField(name, value string) (gateway.Field, error) {
	name, value = strings.Trim(name, " \t"), strings.Trim(value, " \t")
	token := func(r rune) bool {
		return '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !token(r) }) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return gateway.Field{}, errReference
	}
	return gateway.Field{Name: name, Value: value}, nil
}

func without(fields []gateway.Field, name string) []gateway.Field {
	return slices.DeleteFunc(fields, func(f gateway.Field) bool { return strings.EqualFold(f.Name, name) })
}

func referenceAnswer(payload []byte, version string) (a Answer, err error) {
	inferred := Answer{Status: 200, Header: []gateway.Field{typeJSON}, Body: payload}
	var whole map[string]json.RawMessage
	err = json.Unmarshal(payload, &whole)
	object := err == nil && whole != nil
	if version == "2.0" && (!object || whole["statusCode"] == nil) {
		var text string
		if json.Unmarshal(payload, &text) == nil && bytes.Contains(payload, []byte(`"`)) {
			inferred.Body = []byte(text)
		}
		return inferred, nil
	}
	if !object {
		return a, errReference
	}
	status := whole["statusCode"]
	var quoted string
	if json.Unmarshal(status, &quoted) == nil && status[0] == '"' {
		status = []byte(quoted)
	}
	if a.Status, err = strconv.Atoi(string(status)); err != nil || len(status) != 3 || a.Status < 200 || a.Status > 599 {
		return a, errReference
	}
	if version == "2.0" {
		var cookies []*string
		if raw := whole["cookies"]; raw != nil {
			if err := json.Unmarshal(raw, &cookies); err != nil {
				return a, err
			}
		}
		for _, c := range cookies {
			if c == nil {
				return a, errReference
			}
			f, err := referenceField("Set-Cookie", *c)
			if err != nil {
				return a, err
			}
			a.Header = append(a.Header, f)
		}
	}
	if raw := whole["headers"]; raw != nil && string(raw) != "null" {
		members, err := ordered(raw)
		if err != nil {
			return a, err
		}
		var fields []gateway.Field
		for _, m := range members {
			text, ok, err := headerText(m.value)
			if err != nil {
				return a, err
			}
			if !ok {
				continue
			}
			f, err := referenceField(m.name, text)
			if err != nil {
				return a, err
			}
			fields = append(without(fields, f.Name), f)
		}
		a.Header = append(a.Header, fields...)
	}
	if raw := whole["multiValueHeaders"]; version == "1.0" && raw != nil && string(raw) != "null" {
		members, err := ordered(raw)
		if err != nil {
			return a, err
		}
		var fields []gateway.Field
		for _, m := range members {
			var list []json.RawMessage
			if err := json.Unmarshal(m.value, &list); err != nil {
				return a, err
			}
			var added []gateway.Field
			for _, raw := range list {
				text, ok, err := headerText(raw)
				if err != nil {
					return a, err
				}
				if !ok {
					continue
				}
				f, err := referenceField(m.name, text)
				if err != nil {
					return a, err
				}
				added = append(added, f)
			}
			if len(added) > 0 {
				fields = append(without(fields, added[0].Name), added...)
			}
		}
		a.Header = append(a.Header, fields...)
	}
	encoded := false
	if raw := whole["isBase64Encoded"]; raw != nil && string(raw) != "null" {
		switch strings.ToLower(strings.Trim(string(raw), `"`)) {
		case "true":
			encoded = true
		case "false":
		default:
			return a, errReference
		}
	}
	if raw := whole["body"]; raw != nil && string(raw) != "null" {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return a, err
		}
		a.Body = []byte(text)
		if encoded {
			if a.Body, err = base64.StdEncoding.DecodeString(text); err != nil {
				return a, err
			}
		}
	}
	for _, name := range []string{"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "http2-settings", "content-length", "date", "apigw-requestid"} {
		a.Header = without(a.Header, name)
	}
	a.Header = slices.DeleteFunc(a.Header, func(f gateway.Field) bool { return len(f.Name) >= 6 && strings.EqualFold(f.Name[:6], "proxy-") })
	typed := slices.ContainsFunc(a.Header, func(f gateway.Field) bool { return strings.EqualFold(f.Name, "content-type") })
	if a.Status == 204 {
		a.Header = without(a.Header, "content-type")
	} else if !typed && a.Status != 304 {
		a.Header = append(a.Header, typeText)
	}
	return a, nil
}

// FuzzAnswer: what is read fast is what is read carefully.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"statusCode":200,"headers":{"a":"1","A":2,"b":null,"x-y":true},"cookies":["a=1"],"body":"x\ny","isBase64Encoded":false}`,
		`{"multiValueHeaders":{"a":["1",2],"A":["3"]},"statusCode":"404","body":"AQID","isBase64Encoded":"true","headers":{"a":"0","Date":"x","proxy-a":"1"}}`,
		`"a\ud83d\ude00\ud83d\u0041\\"`, ` [1, {"a":[]}, -0.5e+3] `, `{"a":`, `null`, ``, `{"statusCode":204,"headers":{"Content-Type":"x"}}`, `{"statusCode":304,"statusCode":200,"body":null}`,
		`{"statusCode":200,"headers":{" a":"b\t","":"x"}}`, `{"statusCode":200,"body":"\/\/8=","isBase64Encoded":true}`, "\"\x01\"", `{"status\u0043ode":201}`, `01`, `-`, `1.`, `{"a":tru}`, `[1,]`, `{"statusCode":200,"cookies":[null]}`,
	} {
		f.Add([]byte(s))
	}
	var a Answer
	f.Fuzz(func(t *testing.T, payload []byte) {
		before := bytes.Clone(payload)
		for version, read := range map[string]func([]byte) error{"2.0": a.Read20, "1.0": a.Read10} {
			got := show(&a, read(payload))
			if !bytes.Equal(payload, before) {
				t.Fatal("the payload has changed")
			}
			if !utf8.Valid(payload) || bytes.Contains(payload, []byte(`\u017`)) || bytes.Contains(payload, []byte("ſ")) {
				continue // encoding/json replaces what is not UTF-8
			}
			want, err := referenceAnswer(payload, version)
			if want := show(&want, err); got != want {
				t.Errorf("%s of %q: got %q, want %q", version, payload, got, want)
			}
		}
		a.ReadStreamed(payload)
		FunctionError(payload, 100)
	})
}

func benchmarkAnswer(b *testing.B, payload string) {
	var a Answer
	p := []byte(payload)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		if err := a.Read20(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAnswer reads an answer of 1 KB: JSON text in a string, as most are.
func BenchmarkAnswer(b *testing.B) {
	body, _ := json.Marshal(`{"items":[` + strings.Repeat(`{"id":1234,"name":"a name of a pet","price":12.5},`, 19) + `0]}`)
	benchmarkAnswer(b, `{"statusCode":200,"headers":{"content-type":"application/json","cache-control":"no-store","x-request":"1234567890"},"cookies":["a=1; Secure"],"body":`+string(body)+`,"isBase64Encoded":false}`)
}

func BenchmarkAnswerInferred(b *testing.B) {
	benchmarkAnswer(b, `{"items":[`+strings.Repeat(`{"id":1234,"name":"a name of a pet","price":12.5},`, 20)+`0]}`)
}

func BenchmarkAnswerBase64(b *testing.B) {
	benchmarkAnswer(b, `{"statusCode":200,"isBase64Encoded":true,"body":"`+base64.StdEncoding.EncodeToString(make([]byte, 1<<20))+`"}`)
}
