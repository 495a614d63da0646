package schema

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled returns a schema that must compile.
func compiled(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Compile(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// verdicts are values under schemas, and what is said of those that are refused.
var verdicts = []struct{ schema, value, want string }{
	{`{}`, `null`, ``},
	{`{}`, `{"a":[1,"x",{}]}`, ``},

	{`{"type":"string"}`, `"a"`, ``},
	{`{"type":"string"}`, `1`, `#: must be a string`},
	{`{"type":["string","null"]}`, `null`, ``},
	{`{"type":["string","null"]}`, `true`, `#: must be a string or null`},
	{`{"type":"integer"}`, `1`, ``},
	{`{"type":"integer"}`, `-0`, ``},
	{`{"type":"integer"}`, `1.0`, ``},
	{`{"type":"integer"}`, `1.50e1`, ``},
	{`{"type":"integer"}`, `1.5`, `#: must be an integer`},
	{`{"type":"integer"}`, `100e-3`, `#: must be an integer`},
	{`{"type":"integer"}`, `123456789012345678901234567890`, ``},
	{`{"type":"number"}`, `1.5`, ``},
	{`{"type":"number"}`, `"1"`, `#: must be a number`},
	{`{"type":"boolean"}`, `false`, ``},
	{`{"type":"array"}`, `{}`, `#: must be a list`},
	{`{"type":"object"}`, `[]`, `#: must be an object`},

	{`{"enum":[1,"a",null,{"x":[1.0],"y":2}]}`, `1.0`, ``},
	{`{"enum":[1,"a",null,{"x":[1.0],"y":2}]}`, `"\u0061"`, ``},
	{`{"enum":[1,"a",null,{"x":[1.0],"y":2}]}`, `{"y":2e0,"x":[1]}`, ``},
	{`{"enum":[1,"a",null,{"x":[1.0],"y":2}]}`, `{"y":2}`, `#: must be one of 1, "a", null, {"x":[1.0],"y":2}`},
	{`{"enum":["1"]}`, `1`, `#: must be one of "1"`},
	{`{"enum":[[1,2]]}`, `[[1],2]`, `#: must be one of [1,2]`},
	{`{"enum":[0]}`, `-0.0e5`, ``},
	{`{"enum":[false]}`, `true`, `#: must be one of false`},
	{`{"enum":["` + strings.Repeat("é", 99) + `"]}`, `1`, `#: must be one of "` + strings.Repeat("é", 31) + `…`},

	{`{"minLength":2}`, `"éé"`, ``},
	{`{"minLength":2}`, `"é"`, `#: must have at least 2 characters`},
	{`{"maxLength":1}`, `"😀"`, ``},
	{`{"maxLength":1}`, `"\ud83d\ude00"`, ``},
	{`{"maxLength":1.0}`, `"ab"`, `#: must not have more than 1.0 character`},
	{`{"maxLength":1e300}`, `"ab"`, ``},
	{`{"minLength":1e300}`, `"ab"`, `#: must have at least 1e300 characters`},
	{`{"minLength":2}`, `1`, ``},
	{`{"pattern":"^a+$"}`, `"aa"`, ``},
	{`{"pattern":"b"}`, `"abc"`, ``},
	{`{"pattern":"^a+$"}`, `"ab"`, `#: must match "^a+$"`},
	{`{"pattern":"^a+$"}`, `"a\n"`, `#: must match "^a+$"`},
	{`{"pattern":"^a+$"}`, `5`, ``},
	{`{"format":"date-time"}`, `"2024-02-30T00:00:00Z"`, `#: must have the format date-time`},
	{`{"format":"date-time"}`, `"2024-02-29T00:00:00Z"`, ``},
	{`{"format":"email"}`, `"a"`, `#: must have the format email`},
	{`{"format":"email"}`, `"a@b.c"`, ``},
	{`{"format":"ipv4"}`, `"1.2.3.256"`, `#: must have the format ipv4`},
	{`{"format":"uuid"}`, `"123e4567-e89b-12d3-a456-426614174000"`, ``},
	{`{"format":"uri"}`, `"a b"`, `#: must have the format uri`},
	{`{"format":"uri"}`, `1`, ``},
	{`{"format":"no-such"}`, `"x"`, ``},

	{`{"minimum":1}`, `1`, ``},
	{`{"minimum":1}`, `0.99999999999999999999999999`, `#: must not be less than 1`},
	{`{"minimum":-1.5}`, `-15e-1`, ``},
	{`{"minimum":-1.5}`, `-1.50000000000000000001`, `#: must not be less than -1.5`},
	{`{"minimum":1,"exclusiveMinimum":true}`, `1.0`, `#: must be greater than 1`},
	{`{"minimum":1,"exclusiveMinimum":false}`, `1.0`, ``},
	{`{"maximum":9007199254740992}`, `9007199254740993`, `#: must not be greater than 9007199254740992`},
	{`{"exclusiveMaximum":true,"maximum":10}`, `10`, `#: must be less than 10`},
	{`{"maximum":0}`, `-1e400`, ``},
	{`{"maximum":1e400}`, `1e399`, ``},
	{`{"multipleOf":0.01}`, `19.99`, ``},
	{`{"multipleOf":0.01}`, `19.999`, `#: must be a multiple of 0.01`},
	{`{"multipleOf":3}`, `1e400`, `#: must be a multiple of 3`},
	{`{"multipleOf":2e2}`, `-1000`, ``},
	{`{"multipleOf":2}`, `0`, ``},
	{`{"multipleOf":-2}`, `3`, `-`}, // no schema of draft-04

	{`{"minProperties":1}`, `{}`, `#: must have at least 1 member`},
	{`{"maxProperties":1}`, `{"a":1,"b":2}`, `#: must not have more than 1 member`},
	{`{"required":["a","b"]}`, `{"b":1}`, `#: has no member "a"`},
	{`{"required":["a","b"]}`, `{}`, `#: has no member "a"; #: has no member "b"`},
	{`{"required":["a"]}`, `[]`, ``},
	{`{"properties":{"user":{"properties":{"id":{"type":"integer"}}}}}`, `{"user":{"id":"x"}}`, `#/user/id: must be an integer`},
	{`{"properties":{"a":{"type":"null"},"b":{"type":"null"}},"required":["c"]}`, `{"a":1,"b":2}`, `#/a: must be null; #/b: must be null; #: has no member "c"`},
	{`{"properties":{"a/b~c":{"type":"null"}}}`, `{"a/b~c":1}`, `#/a~1b~0c: must be null`},
	{`{"additionalProperties":false}`, `{"a\nb":1}`, `#/a\nb: is not one of the members that there may be`},
	{`{"properties":{"a":{}},"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}`, `{"a":1,"xy":2}`, ``},
	{`{"properties":{"a":{}},"patternProperties":{"^x":{"type":"integer"}},"additionalProperties":false}`, `{"xy":"2","b":1}`, `#/xy: must be an integer; #/b: is not one of the members that there may be`},
	{`{"properties":{"xa":{"type":"integer"}},"patternProperties":{"^x":{"minimum":5}}}`, `{"xa":3}`, `#/xa: must not be less than 5`},
	{`{"additionalProperties":{"type":"string"},"properties":{"a":{}}}`, `{"a":1,"b":2}`, `#/b: must be a string`},
	{`{"additionalProperties":false}`, `{"` + strings.Repeat("n", 99) + `":1}`, `#/` + strings.Repeat("n", 64) + `…: is not one of the members that there may be`},
	{`{"dependencies":{"a":["b","c"]}}`, `{"a":1,"c":1}`, `#: has no member "b", which "a" needs`},
	{`{"dependencies":{"a":["b","c"]}}`, `{"c":1}`, ``},
	{`{"dependencies":{"a":{"required":["b"]}}}`, `{"a":1}`, `#: has no member "b"`},
	{`{"dependencies":{"a":{"required":["b"]}}}`, `"a"`, ``},

	{`{"minItems":2}`, `[1]`, `#: must have at least 2 elements`},
	{`{"maxItems":0}`, `[1]`, `#: must not have more than 0 elements`},
	{`{"items":{"type":"integer"}}`, `[1,"2",[3]]`, `#/1: must be an integer; #/2: must be an integer`},
	{`{"items":[{"type":"integer"},{"type":"string"}]}`, `[1]`, ``},
	{`{"items":[{"type":"integer"},{"type":"string"}]}`, `[1,2,3]`, `#/1: must be a string`},
	{`{"items":[{"type":"integer"}],"additionalItems":false}`, `[1,2]`, `#: must not have more than 1 elements`},
	{`{"items":[{"type":"integer"}],"additionalItems":{"type":"null"}}`, `[1,null,2]`, `#/2: must be null`},
	{`{"items":{},"additionalItems":false}`, `[1,2]`, ``},
	{`{"additionalItems":false}`, `[1,2]`, ``},
	{`{"uniqueItems":true}`, `[1,2,"1",[1],{"a":1}]`, ``},
	{`{"uniqueItems":true}`, `[1,2,1.0]`, `#: has the same element twice`},
	{`{"uniqueItems":true}`, `[{"a":1,"b":[2]},{"b":[2.0],"a":1}]`, `#: has the same element twice`},
	{`{"uniqueItems":true}`, `[["a","b"],["ab"]]`, ``},
	{`{"uniqueItems":false}`, `[1,1]`, ``},
	{`{"uniqueItems":true}`, `[true,false,0,1,null,"",[],{}]`, ``},

	{`{"allOf":[{"minimum":1},{"maximum":0}]}`, `0.5`, `#: must not be less than 1; #: must not be greater than 0`},
	{`{"anyOf":[{"type":"string"},{"minimum":5}]}`, `5`, ``},
	{`{"anyOf":[{"type":"string"},{"minimum":5}]}`, `4`, `#: is none of what anyOf lists`},
	{`{"oneOf":[{"type":"integer"},{"minimum":5}]}`, `4`, ``},
	{`{"oneOf":[{"type":"integer"},{"minimum":5}]}`, `5`, `#: is more than one of what oneOf lists`},
	{`{"oneOf":[{"type":"integer"},{"minimum":5}]}`, `1.5`, `#: is none of what oneOf lists`},
	{`{"not":{"type":"string"}}`, `1`, ``},
	{`{"not":{"type":"string"}}`, `"a"`, `#: is what not excludes`},
	{`{"not":{"not":{"type":"string"}}}`, `1`, `#: is what not excludes`},

	{`{"$ref":"#/definitions/a","type":"null","definitions":{"a":{"type":"string"}}}`, `"x"`, ``},
	{`{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"type":"string"}}}`, `1`, `#: must be a string`},
	{`{"properties":{"next":{"$ref":"#"},"v":{"type":"integer"}},"required":["v"]}`, `{"v":1,"next":{"v":2,"next":{"v":"3"}}}`, `#/next/next/v: must be an integer`},
	{`{"items":{"$ref":"#pet"},"definitions":{"a":{"id":"#pet","type":"string"}}}`, `[1]`, `#/0: must be a string`},
	{`{"id":"http://example.com/a.json","properties":{"x":{"$ref":"b.json"}},"definitions":{"b":{"id":"b.json","type":"string"}}}`, `{"x":1}`, `#/x: must be a string`},

	{`{"items":{"type":"integer"}}`, `[` + strings.Repeat(`"a",`, 10) + `"a"]`, func() string {
		var all []string
		for i := range 10 {
			all = append(all, fmt.Sprintf("#/%d: must be an integer", i))
		}
		return strings.Join(all, "; ") + "; and more"
	}()},
	{`{"additionalProperties":{"$ref":"#"}}`, strings.Repeat(`{"`+strings.Repeat("x", 60)+`":`, 9) + `0` + strings.Repeat(`}`, 9), ``},
	{`{"type":"object","additionalProperties":{"$ref":"#"}}`, strings.Repeat(`{"`+strings.Repeat("x", 60)+`":`, 9) + `0` + strings.Repeat(`}`, 9), `#` + strings.Repeat(`/`+strings.Repeat("x", 60), 5) + `/…: must be an object`},
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range verdicts {
		if tt.want == "-" {
			if _, err := Compile(tt.schema, nil); err == nil {
				t.Errorf("%s compiles", tt.schema)
			}
			continue
		}
		got := ""
		if err := compiled(t, tt.schema).Validate([]byte(tt.value)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s under %s:\n got %s\nwant %s", tt.value, tt.schema, got, tt.want)
		}
	}
}

// What is read is JSON as strictly as it can be: what two readers may read differently
// is no body.
func TestValidateReadsStrictly(t *testing.T) {
	t.Parallel()
	many := func(n int, last string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return `{` + b.String() + last + `}`
	}
	for _, tt := range []struct{ name, text, want string }{
		{"white space", " \t\r\n{ \"a\" : [ 1 , 2 ] } \n", ``},
		{"escapes", `"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, ``},
		{"numbers", `[0,-0,-1,0.5,1e5,1E+5,1e-5,10.25e400,-0.0]`, ``},
		{"many members", many(100, `"k":1`), ``},
		{"depth", strings.Repeat("[", 512) + strings.Repeat("]", 512), ``},
		{"nothing", ``, `byte 0: the text ends where a value should be`},
		{"white space only", ` `, `byte 1: the text ends where a value should be`},
		{"two values", `1 2`, `byte 2: something follows the value`},
		{"a NUL behind", "1\x00", `byte 1: something follows the value`},
		{"byte order mark", "\ufeff1", `byte 0: no value begins with 'ï'`},
		{"a word cut short", `nul`, `byte 0: no value begins with 'n'`},
		{"a word in capitals", `True`, `byte 0: no value begins with 'T'`},
		{"NaN", `NaN`, `byte 0: no value begins with 'N'`},
		{"an apostrophe", `'a'`, `byte 0: no value begins with '\''`},
		{"a comment", `/**/1`, `byte 0: no value begins with '/'`},
		{"leading zero", `01`, `byte 0: a number is not written as JSON has it`},
		{"no digit before the point", `-.5`, `byte 0: a number is not written as JSON has it`},
		{"no digit behind the point", `1.`, `byte 0: a number is not written as JSON has it`},
		{"no exponent", `1e+`, `byte 0: a number is not written as JSON has it`},
		{"a plus", `+1`, `byte 0: no value begins with '+'`},
		{"hexadecimal", `0x1`, `byte 1: something follows the value`},
		{"large exponent", `[1e401]`, `byte 1: a number has more than 1000 digits, or an exponent that is not between -400 and 400`},
		{"exponent that overflows", `1e18446744073709551617`, `byte 0: a number has more than 1000 digits, or an exponent that is not between -400 and 400`},
		{"too many digits", strings.Repeat("1", 1001), `byte 0: a number has more than 1000 digits, or an exponent that is not between -400 and 400`},
		{"trailing comma", `[1,]`, `byte 3: no value begins with ']'`},
		{"trailing comma in an object", `{"a":1,}`, `byte 7: a member begins with its name`},
		{"no comma", `[1 2]`, `byte 3: a comma or ']' follows a value`},
		{"wrong bracket", `[1}`, `byte 2: a comma or ']' follows a value`},
		{"no colon", `{"a" 1}`, `byte 5: a colon follows the name of a member`},
		{"a name without quotes", `{a:1}`, `byte 1: a member begins with its name`},
		{"an open list", `[1`, `byte 2: a comma or ']' follows a value`},
		{"an open object", `{`, `byte 1: a member begins with its name`},
		{"an open string", `"a`, `byte 2: a string does not end`},
		{"an open escape", `"\`, `byte 2: a string does not end`},
		{"unknown escape", `"\x41"`, `byte 2: no escape begins with 'x'`},
		{"short escape", `"\u12"`, `byte 2: \u needs four hexadecimal digits`},
		{"a line break in a string", "\"\n\"", `byte 1: a control character in a string`},
		{"not UTF-8", "\"\xff\"", `byte 1: the text is not UTF-8`},
		{"too long a coding", "\"\xc0\xaf\"", `byte 1: the text is not UTF-8`},
		{"an encoded surrogate", "\"\xed\xa0\x80\"", `byte 1: the text is not UTF-8`},
		{"high surrogate alone", `"\ud83dx"`, `byte 7: half of a surrogate pair`},
		{"high surrogate twice", `"\ud83d\ud83d"`, `byte 13: half of a surrogate pair`},
		{"low surrogate alone", `"\ude00"`, `byte 7: half of a surrogate pair`},
		{"member twice", `{"a":1,"b":2,"a":3}`, `byte 19: a member stands twice in an object`},
		{"member twice by an escape", `[{"a":1,"\u0061":1}]`, `byte 19: a member stands twice in an object`},
		{"member twice, inside", `{"a":{"":1,"":1}}`, `byte 16: a member stands twice in an object`},
		{"member twice among many", many(100, `"\u006b0":1`), `byte 803: a member stands twice in an object`},
		{"too deep", strings.Repeat("[", 513) + strings.Repeat("]", 513), `byte 512: nests deeper than 512 levels`},
		{"too deep and open", strings.Repeat(`{"a":`, 100_000), `byte 2560: nests deeper than 512 levels`},
		{"too many values", `[` + strings.Repeat("0,", 100_000) + `0]`, `byte 199999: there are more than 100000 values`},
		{"too long", `"` + strings.Repeat("a", MaxBody) + `"`, `byte 0: the text is longer than 16777216 bytes`},
	} {
		got := ""
		if err := compiled(t, `{}`).Validate([]byte(tt.text)); err != nil {
			got = err.Error()
		}
		want := tt.want
		if want != "" {
			want = "#: cannot be read as JSON: " + want
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	models := func(name string) (string, bool) {
		text, ok := map[string]string{
			"Bad":    `{"type":"x"}`,
			"Broken": `{"properties":{"a":{"pattern":"(?=a)"}}}`,
			"Self":   `{"allOf":[{"$ref":"` + modelURL("Self") + `"}]}`,
			"Large":  `{"$ref":"` + modelURL("Large") + `1"}` + strings.Repeat(" ", 32_000),
			"A":      `{"definitions":{"a":{}},"x":{"b":{}}}`,
		}[name]
		if strings.HasPrefix(name, "Large") {
			return `{"allOf":[{"$ref":"` + modelURL(name) + `1"}]}` + strings.Repeat(" ", 32_000), true
		}
		return text, ok
	}
	for _, tt := range []struct{ name, schema, want string }{
		{"no schema", `{"type":"x"}`, `#/type: must be one of array, boolean, integer, null, number, object, string`},
		{"no JSON", `{`, `#: the schema is not JSON: byte 1: unexpected end of JSON input`},
		{"lookahead", `{"items":{"pattern":"^(?=a)b"}}`, `#/items/pattern: the pattern "^(?=a)b" cannot be read by RE2: invalid or unsupported Perl syntax: "(?="`},
		{"lookbehind", `{"pattern":"(?<!a)b"}`, `#/pattern: the pattern "(?<!a)b" cannot be read by RE2: invalid named capture: "(?<!a)b"`},
		{"no regular expression", `{"patternProperties":{"(":{}}}`, `#/patternProperties/(: the pattern "(" cannot be read by RE2: missing closing ): "("`},
		{"backreference", `{"pattern":"(a)\\1"}`, `#/pattern: the pattern "(a)\\1" has \1, which RE2 reads otherwise than ECMA-262`},
		{"code point of ECMA", `{"pattern":"\\u0041"}`, `#/pattern: the pattern "\\u0041" cannot be read by RE2: invalid escape sequence: "\\u"`},
		{"begin of text of Go", `{"pattern":"\\Aa"}`, `#/pattern: the pattern "\\Aa" has \A, which RE2 reads otherwise than ECMA-262`},
		{"end of text of Go", `{"pattern":"a\\z"}`, `#/pattern: the pattern "a\\z" has \z, which RE2 reads otherwise than ECMA-262`},
		{"quotes of Go", `{"pattern":"\\Qa.b\\E"}`, `#/pattern: the pattern "\\Qa.b\\E" has \Q, which RE2 reads otherwise than ECMA-262`},
		{"class of POSIX", `{"pattern":"[[:alpha:]]"}`, `#/pattern: the pattern "[[:alpha:]]" has [:, which RE2 reads otherwise than ECMA-262`},
		{"code point of Go", `{"pattern":"\\x{41}"}`, `#/pattern: the pattern "\\x{41}" has \x{, which RE2 reads otherwise than ECMA-262`},
		{"octal", `{"pattern":"\\012"}`, `#/pattern: the pattern "\\012" has \01, which RE2 reads otherwise than ECMA-262`},
		{"property without braces", `{"pattern":"\\pL"}`, `#/pattern: the pattern "\\pL" has \p, which RE2 reads otherwise than ECMA-262`},
		{"pattern too long", `{"pattern":"` + strings.Repeat("a", 1025) + `"}`, `#/pattern: the pattern is longer than 1024 bytes`},
		{"pattern too complex", `{"pattern":"((a{99}){99})"}`, `#/pattern: the pattern "((a{99}){99})" cannot be read by RE2: invalid repeat count: "{99}"`},
		{"pattern of many instructions", `{"pattern":"` + strings.Repeat(`(\\d{900})?`, 6) + `"}`, `#/pattern: the pattern "(\\d{900})?(\\d{900})?(\\d{900})?(\\d{900})?(\\d{900})?(\\d{900})?" is too complex`},
		{"patterns of many instructions", `{"allOf":[` + func() string {
			var all []string
			for i := range 120 {
				all = append(all, fmt.Sprintf(`{"pattern":"a%d.{900}"}`, i))
			}
			return strings.Join(all, ",")
		}() + `]}`, `#/allOf/9/pattern: the patterns together are too complex`},
		{"number too long", `{"minimum":` + strings.Repeat("1", 1001) + `}`, `#/minimum: a number must not have more than 1000 digits`},
		{"number in an enum too long", `{"enum":["a",[` + strings.Repeat("1", 1001) + `]]}`, `#/enum/1: is no value that can be checked: byte 1: a number has more than 1000 digits, or an exponent that is not between -400 and 400`},
		{"leads to itself", `{"$ref":"#"}`, `#: leads to itself for the same value`},
		{"leads to itself in a circle", `{"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"anyOf":[{"type":"null"},{"$ref":"#/definitions/a"}]}}}`, `#/definitions/a: leads to itself for the same value`},
		{"leads to itself by oneOf", `{"oneOf":[{"$ref":"#"},{}]}`, `#: leads to itself for the same value`},
		{"leads to itself by not", `{"not":{"$ref":"#"}}`, `#: leads to itself for the same value`},
		{"leads to itself by a dependency", `{"dependencies":{"a":{"$ref":"#"}}}`, `#: leads to itself for the same value`},
		{"draft-04 itself", `{"$ref":"http://json-schema.org/draft-04/schema#"}`, `#/$ref: "http://json-schema.org/draft-04/schema#" is not for values that are checked`},
		{"elsewhere", `{"$ref":"http://169.254.169.254/latest"}`, `#/$ref: "http://169.254.169.254/latest" is not in the schema, and nothing else is read but models: https://apigateway.amazonaws.com/restapis/{api}/models/{Name}`},
		{"no such model", `{"items":{"$ref":"` + modelURL("Nope") + `"}}`, `#/items/$ref: there is no model Nope`},
		{"a model that is no schema", `{"items":{"$ref":"` + modelURL("Bad") + `"}}`, `#/items/$ref: model Bad: #/type: must be one of array, boolean, integer, null, number, object, string`},
		{"a model with a bad pattern", `{"items":{"$ref":"` + modelURL("Broken") + `"}}`, `#/properties/a/pattern: the pattern "(?=a)" cannot be read by RE2: invalid or unsupported Perl syntax: "(?="`},
		{"a model that leads to itself", `{"$ref":"` + modelURL("Self") + `"}`, `#: leads to itself for the same value`},
		{"nowhere in a model", `{"$ref":"` + modelURL("A") + `#/definitions/b"}`, `#/$ref: "` + modelURL("A") + `#/definitions/b" leads to no schema`},
		{"no schema in a model", `{"$ref":"` + modelURL("A") + `#/x/b"}`, `#/$ref: "` + modelURL("A") + `#/x/b" leads to no schema`},
		{"models without end", `{"$ref":"` + modelURL("Large") + `"}`, `#/allOf/0/$ref: the schema and the models that it refers to are longer than 262144 bytes`},
	} {
		for range 3 { // maps come in another order each time
			_, err := Compile(tt.schema, models)
			var e *Error
			if !errors.As(err, &e) || err.Error() != tt.want {
				t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
				break
			}
		}
	}
}

// Patterns that mean the same in both dialects are no trouble.
func TestCompilePatterns(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{`^[a-z\d_-]{1,64}$`, `^\\A$`, `\.\/\-`, `\p{L}+`, `(?:a|b)*?`, `(?<year>\d{4})`, `\x41\0\t\v\f`, `[:a]`, `^$`, ``, `\\1`, `é`} {
		if _, err := compilePattern(pattern); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

func modelURL(name string) string {
	return "https://apigateway.amazonaws.com/restapis/a1b2c3/models/" + name
}

// References to other models lead to what these say, and back.
func TestCompileModels(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"Pet":   `{"id":"http://example.com/pet","type":"object","required":["name"],"properties":{"name":{"$ref":"#/definitions/name"},"owner":{"$ref":"` + modelURL("Owner") + `"}},"definitions":{"name":{"type":"string","maxLength":5}}}`,
		"Owner": `{"id":"http://example.com/pet","properties":{"pets":{"items":{"$ref":"` + modelURL("Pet") + `"}}},"definitions":{"name":{"type":"null"},"b":{"id":"#b","type":"integer"}}}`,
	}
	s, err := Compile(`{"properties":{"pet":{"$ref":"`+modelURL("Pet")+`"},"name":{"$ref":"`+modelURL("Pet")+`#/definitions/name"},"b":{"$ref":"`+modelURL("Owner")+`#b"}}}`,
		func(name string) (string, bool) { text, ok := texts[name]; return text, ok })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ value, want string }{
		{`{"pet":{"name":"Ada","owner":{"pets":[{"name":"Bob"}]}},"name":"x","b":1}`, ``},
		{`{"pet":{"name":"Ada","owner":{"pets":[{"name":"Bob"},{"name":"Ernest"}]}}}`, `#/pet/owner/pets/1/name: must not have more than 5 characters`},
		{`{"pet":{"owner":{"pets":[{}]}}}`, `#/pet/owner/pets/0: has no member "name"; #/pet: has no member "name"`},
		{`{"name":"123456"}`, `#/name: must not have more than 5 characters`},
		{`{"b":"x"}`, `#/b: must be an integer`},
	} {
		got := ""
		if err := s.Validate([]byte(tt.value)); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.value, got, tt.want)
		}
	}
	if got := fmt.Sprint(References(texts["Owner"]), References(`{"items":[{"$ref":"`+modelURL("B")+`#x"},{"$ref":"`+modelURL("A")+`"},{"$ref":"`+modelURL("B")+`"}]}`), References(`{`)); got != "[Pet] [A B] []" {
		t.Errorf("references: got %s", got)
	}
}

// The library that compiles schemas checks values, too, without bounds. It says the same
// of all that is in the table.
func TestValidateAgrees(t *testing.T) {
	t.Parallel()
	for _, tt := range verdicts {
		if tt.want == "-" || strings.Contains(tt.schema, "format") || largeNumber.MatchString(tt.schema) {
			continue
		}
		if got, want := tt.want == "", library(t, tt.schema, tt.value); got != want {
			t.Errorf("%s under %s: the library says %v", tt.value, tt.schema, want)
		}
	}
}

// largeNumber finds numbers that the library may take for others where they are bounds.
var largeNumber = regexp.MustCompile(`[0-9][eE]|[0-9]{10}`)

// library returns whether the library takes a value.
func library(t testing.TB, schema, value string) bool {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft4)
	c.UseLoader(nowhere{})
	s, err := jsonschema.UnmarshalJSON(strings.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(baseURL, s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(baseURL)
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(v) == nil
}

// FuzzValidate: nothing panics, nothing takes long, and what is decided is what the
// library decides.
func FuzzValidate(f *testing.F) {
	for _, tt := range verdicts {
		f.Add(tt.schema, []byte(tt.value))
	}
	for _, text := range []string{`{"a":1,"a":2}`, `"\ud800"`, `[1e400,-0.0,1E-5]`, `{"\u0000":[[],{}]}`} {
		f.Add(`{"items":{"uniqueItems":true}}`, []byte(text))
	}
	f.Fuzz(func(t *testing.T, schema string, value []byte) {
		start := time.Now()
		s, err := Compile(schema, nil)
		if err != nil {
			return
		}
		before := bytes.Clone(value)
		err = s.Validate(value)
		took := time.Since(start)
		if took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
		if !bytes.Equal(before, value) {
			t.Fatal("the value was changed")
		}
		reason := ""
		if err != nil {
			if reason = err.Error(); reason == "" || strings.ContainsAny(reason, "\n\r\x00") || !errors.As(err, new(*Invalid)) {
				t.Fatalf("got %q", reason)
			}
		}
		// What is not read, given up, or about a format, is decided otherwise, and the
		// library does not give up.
		if took > 10*time.Millisecond || strings.Contains(reason, "cannot be read") || strings.Contains(reason, "too many steps") || strings.Contains(schema, "ormat") || largeNumber.MatchString(schema) {
			return
		}
		if want := library(t, schema, string(value)); want != (err == nil) {
			t.Fatalf("%s under %s: got %v, the library says %v", value, schema, err, want)
		}
	})
}

const (
	orderSchema = `{"type":"object","additionalProperties":false,"required":["id","customer","items"],"properties":{
		"id":{"type":"string","pattern":"^[A-Z]{2}-[0-9]{6}$"},"customer":{"type":"string","minLength":1,"maxLength":80},
		"email":{"type":"string","maxLength":254},"currency":{"enum":["EUR","USD","GBP"]},"total":{"type":"number","minimum":0},
		"express":{"type":"boolean"},"note":{"type":["string","null"]},"weight":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"},"maxItems":10},
		"items":{"type":"array","minItems":1,"items":{"type":"object","required":["sku","count"],"properties":{"sku":{"type":"string"},"count":{"type":"integer","minimum":1}}}}}}`
	orderBody = `{"id":"DE-123456","customer":"Ada Lovelace","email":"ada@example.com","currency":"EUR","total":129.90,"express":true,"note":null,"weight":1250,` +
		`"tags":["new","gift"],"items":[{"sku":"A-100","count":2},{"sku":"B-200","count":1},{"sku":"C-300","count":12}]}`
)

// A valid body costs no memory.
func TestValidateAllocates(t *testing.T) {
	s, body, i := compiled(t, orderSchema), []byte(orderBody), new(instance)
	if err := s.validate(i, body); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _ = s.validate(i, body) }); n > 0 {
		t.Errorf("got %v allocations", n)
	}
}

func BenchmarkValidate(b *testing.B) {
	s := compiled(b, orderSchema)
	for _, bb := range []struct{ name, body string }{
		{"valid", orderBody},
		{"invalid", strings.Replace(orderBody, `"count":12`, `"count":0`, 1)},
		{"long", strings.TrimSuffix(orderBody, "]}") + strings.Repeat(`,{"sku":"D-400","count":77}`, 20_000) + "]}"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			body := []byte(bb.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Validate(body)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(orderSchema, nil); err != nil {
			b.Fatal(err)
		}
	}
}
