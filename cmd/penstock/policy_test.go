package main

import (
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"penstock"
	"penstock/internal/sigv4"
)

// A policy in the configuration is the same document whether it is written as keys or
// as a text of JSON, in the file or in the environment.
func TestPolicyForms(t *testing.T) {
	t.Parallel()
	const want = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":["apigateway:GET"],"Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":false},"StringEquals":{"aws:PrincipalAccount":["012345678901",123456789012]},"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}]}`
	begin := "credentials:\n  - accessKeyId: A\n    secretAccessKey: s\n    policy: "
	for _, tt := range []struct{ name, file string }{
		{"keys", begin + `
      Version: 2012-10-17 # no quotes: YAML takes it for a date
      Statement:
        - Sid: Read
          Effect: Allow
          Action: [apigateway:GET]
          Resource: "*"
        - Effect: Deny
          Action: "*"
          Resource: "*"
          Condition:
            Bool: {aws:SecureTransport: false}
            StringEquals:
              aws:PrincipalAccount: [012345678901, 123456789012]
            DateLessThan:
              aws:CurrentTime: 2030-01-01T00:00:00Z
`},
		{"keys with quotes", begin + `{"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Effect": "Allow", "Action": ["apigateway:GET"], "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": false}, "StringEquals": {"aws:PrincipalAccount": ["012345678901", 123456789012]}, "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}}]}` + "\n"},
		{"a text", begin + "'" + want + "'\n"},
		{"a text in lines", begin + "|\n      " + want + "\n"},
	} {
		c, err := configuration(t, tt.file, nil, serveCommand{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.TrimSpace(string(c.Credentials[0].Policy)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
	for _, variable := range []string{
		"PENSTOCK_CREDENTIALS=[{accessKeyId: A, secretAccessKey: s, policy: " + want + "}]",
		"PENSTOCK_CREDENTIALS=[{accessKeyId: A, secretAccessKey: s, policy: '" + want + "'}]",
	} {
		c, err := configuration(t, "", []string{variable}, serveCommand{})
		if err != nil || string(c.Credentials[0].Policy) != want {
			t.Errorf("%s: got %s, %v", variable, c.Credentials, err)
		}
	}
}

// Each value of YAML becomes one of JSON: in its order, with what stands twice, and
// without anything that YAML alone makes of it.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, yaml, want string }{
		{"a date", `2012-10-17`, `"2012-10-17"`},
		{"a date and a time", `2030-01-01 00:00:00`, `"2030-01-01 00:00:00"`},
		{"a text", `a`, `"a"`},
		{"a text with quotes", `'a"\b'`, `"a\"\\b"`},
		{"lines", "|\n  a\n  b\n", `"a\nb\n"`},
		{"true", `true`, `true`},
		{"true with a capital", `True`, `"True"`},
		{"true in quotes", `"true"`, `"true"`},
		{"yes", `yes`, `"yes"`},
		{"a number", `1`, `1`},
		{"a number below zero", `-1.50`, `-1.50`},
		{"a number with an exponent", `1e3`, `1e3`},
		{"a number in quotes", `"1"`, `"1"`},
		{"digits that begin with zero", `012345678901`, `"012345678901"`},
		{"an octal number", `0o17`, `"0o17"`},
		{"a hexadecimal number", `0x1F`, `"0x1F"`},
		{"a number with separators", `1_000`, `"1_000"`},
		{"a plus sign", `+1`, `"+1"`},
		{"a point first", `.5`, `".5"`},
		{"no number", `.nan`, `".nan"`},
		{"without end", `.inf`, `".inf"`},
		{"an address", `10.0.0.0/8`, `"10.0.0.0/8"`},
		{"an address of version 6", `'::1'`, `"::1"`},
		{"null", `null`, `null`},
		{"a tilde", `~`, `null`},
		{"nothing", `a:`, `{"a":null}`},
		{"a list", `[1, a, [true]]`, `[1,"a",[true]]`},
		{"no items", `[]`, `[]`},
		{"no keys", `{}`, `{}`},
		{"the order of keys", "b: 1\na: 2\n", `{"b":1,"a":2}`},
		{"a key twice", "a: 1\nb: 2\na: 3\n", `{"a":1,"b":2,"a":3}`},
		{"a key that is a number", "1: a\n", `{"1":"a"}`},
		{"a key that is true", "true: a\n", `{"true":"a"}`},
		{"an alias", "a: &x 1\nb: *x\n", `{"a":1,"b":null}`},
		{"an alias of everything", "a: &x {b: *x}\n", `{"a":{"b":null}}`},
		{"a merge", "a: &x {b: 1}\nc: {<<: *x}\n", `{"a":{"b":1},"c":{"\u003c\u003c":null}}`},
		{"a tag", `!!str 1`, `"1"`},
		{"a tag of another type", `!!int "1"`, `1`},
		{"bytes", `!!binary aGk=`, `"aGk="`},
		{"a tag of one's own", `!x 1`, `"1"`},
		{"HTML", `<a&b>`, `"\u003ca\u0026b\u003e"`},
		{"control characters", `"\x01\u2028"`, `"\u0001\u2028"`},
		{"Unicode", `ü`, `"ü"`},
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(tt.yaml), &n); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := string(appendJSON(nil, n.Content[0]))
		if got != tt.want || !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What is no policy stops the start; so does what YAML alone would make one.
func TestPolicyErrors(t *testing.T) {
	t.Parallel()
	const statement = "{Effect: Allow, Action: '*', Resource: '*'}"
	for _, tt := range []struct{ name, policy, want string }{
		{"no value", "", "credentials[0].policy has no value"},
		{"a list", "[" + statement + "]", "credentials[0].policy: want a policy document, as keys or as a text of JSON, not a list or keys"},
		{"no keys", "{}", "credentials[0].policy: Statement: is missing"},
		{"a text that is no JSON", "allow", "credentials[0].policy: the document is not JSON"},
		{"a number", "1", "credentials[0].policy: "},
		{"a key twice", "{Statement: " + statement + ", Statement: " + statement + "}", "credentials[0].policy: Statement"},
		{"an effect twice", "{Statement: {Effect: Deny, Effect: Allow, Action: '*', Resource: '*'}}", "credentials[0].policy: Statement.Effect"},
		{"an alias of a statement", "{Id: &s " + "x" + ", Statement: *s}", "credentials[0].policy: Statement"},
		{"a merge", "{Statement: {<<: {Effect: Allow}, Action: '*', Resource: '*'}}", "credentials[0].policy: Statement"},
		{"keys in small letters", "{statement: " + statement + "}", "credentials[0].policy: statement: unknown member"},
		{"another date", "{Version: 2012-10-18, Statement: " + statement + "}", `credentials[0].policy: Version: must be "2012-10-17" or "2008-10-17"`},
		{"a boolean as effect", "{Statement: {Effect: true, Action: '*', Resource: '*'}}", "credentials[0].policy: Statement.Effect: must be"},
		{"an empty text", "''", "credentials[0].policy"},
	} {
		c, err := configuration(t, "credentials: [{accessKeyId: A, secretAccessKey: hush, policy: "+tt.policy+"}]\n", nil, serveCommand{})
		if err == nil {
			c.Memory, c.Listen, c.Admin, c.AuditLog = true, "127.0.0.1:0", "127.0.0.1:0", "none"
			c.Log.Level = "error"
			var s *penstock.Server
			if s, err = penstock.Open(c); err == nil {
				s.Close()
				t.Errorf("%s: opened", tt.name)
				continue
			}
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: got %q, want %q in it", tt.name, err, tt.want)
		}
	}
}

// A policy of keys opens a server that follows it.
func TestPolicyIsFollowed(t *testing.T) {
	t.Parallel()
	c, err := configuration(t, `
memory: true
listen: 127.0.0.1:0
admin: 127.0.0.1:0
auditLog: none
log: {level: error}
credentials:
  - accessKeyId: A
    secretAccessKey: s
    userName: ada
    policy:
      Version: 2012-10-17
      Statement:
        Effect: Allow
        Action: apigateway:GET
        Resource: "*"
        Condition: {StringEquals: {aws:username: "${aws:username}"}}
`, nil, serveCommand{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := penstock.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	signer := sigv4.Signer{Credential: sigv4.Credential{AccessKeyID: "A", SecretAccessKey: "s"}, Region: "us-east-1", Service: "apigateway"}
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodPost: http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.AdminURL()+"/v2/apis", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.Sign(r, nil); err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want || want == http.StatusForbidden && !strings.Contains(string(body), "User: arn:aws:iam::000000000000:user/ada is not authorized to perform: apigateway:POST") {
			t.Errorf("%s: got %d %s (%v), want %d", method, resp.StatusCode, body, err, want)
		}
	}
}

func FuzzAppendJSON(f *testing.F) {
	for _, text := range []string{"a: 1", "[]", "2012-10-17", "&a [*a]", "!!float 1e400", "? [a]\n: b", "a: |\n  b\n", "\"\\uD800\"", "!!bool 1", "!!int x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var n yaml.Node
		if len(text) > 16<<10 || yaml.Unmarshal([]byte(text), &n) != nil || len(n.Content) == 0 {
			return
		}
		got := appendJSON(nil, n.Content[0])
		if !json.Valid(got) {
			t.Fatalf("%q became %q", text, got)
		}
		var v any
		if err := json.Unmarshal(got, &v); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatalf("%q became %q: %v", text, got, err)
		}
		if again := appendJSON(nil, n.Content[0]); !reflect.DeepEqual(again, got) {
			t.Fatalf("%q became %q, then %q", text, got, again)
		}
	})
}
