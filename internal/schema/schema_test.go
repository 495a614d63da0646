package schema

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	petModel = `https://apigateway.amazonaws.com/restapis/a1b2c3/models/Pet`
	draft4   = `"$schema":"http://json-schema.org/draft-04/schema#"`
)

// nested returns a schema of n levels, each in an object of an object.
func nested(n int) string {
	return strings.Repeat(`{"properties":{"a":`, n) + `{}` + strings.Repeat(`}}`, n)
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, schema string }{
		{"anything", `{}`},
		{"with draft", `{` + draft4 + `,"type":"object"}`},
		{"with draft, no #", `{"$schema":"http://json-schema.org/draft-04/schema"}`},
		{"with draft, https", `{"$schema":"https://json-schema.org/draft-04/schema#"}`},
		{"object", `{"type":"object","required":["a"],"properties":{"a":{"type":["string","null"],"minLength":1}},"additionalProperties":false}`},
		{"list", `{"type":"array","items":{"type":"integer","minimum":0,"exclusiveMinimum":true},"uniqueItems":true}`},
		{"tuple", `{"items":[{"type":"integer"},{}],"additionalItems":{"enum":[1,"a",null,{"b":[]}]}}`},
		{"all words", `{"allOf":[{}],"anyOf":[{},{}],"oneOf":[{}],"not":{"type":"null"},"dependencies":{"a":["b"],"c":{}},"patternProperties":{"^x":{}}}`},
		{"unknown words", `{"const":{"type":1},"example":[],"x-y":null,"format":"no such"}`},
		{"a pattern of ECMA", `{"pattern":"^(?=a)\\cA(?<!b)\\1$","patternProperties":{"(?!x)":{}}}`},
		{"a pattern that is none", `{"pattern":"("}`},
		{"definition", `{"$ref":"#/definitions/a","definitions":{"a":{"type":"string"}}}`},
		{"definition with strange characters", `{"properties":{"x":{"$ref":"#/definitions/a~1b~0c%25d%20e"}},"definitions":{"a/b~c%d e":{}}}`},
		{"itself", `{"properties":{"children":{"items":{"$ref":"#"}}}}`},
		{"element of a list", `{"allOf":[{"type":"string"},{"$ref":"#/allOf/0"}]}`},
		{"unknown word as a definition", `{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{}}}`},
		{"a loop", `{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}`},
		{"id", `{"id":"http://example.com/pets.json","properties":{"a":{"$ref":"pets.json#/definitions/b"},"c":{"$ref":"http://example.com/dog"}},"definitions":{"b":{"id":"dog"}}}`},
		{"id inside an id", `{"definitions":{"a":{"id":"http://example.com/a/","definitions":{"b":{"id":"b","type":"string"}}}},"$ref":"http://example.com/a/b"}`},
		{"anchor", `{"items":{"$ref":"#pet"},"definitions":{"a":{"id":"#pet"}}}`},
		{"id that is a URN", `{"id":"urn:pets","items":{"$ref":"#/definitions/a"},"definitions":{"a":{"id":"urn:a","not":{"$ref":"urn:pets#/items"}}}}`},
		{"id that is a property", `{"properties":{"id":{"type":"string"},"$ref":{"type":"string"},"$schema":{"type":"string"}}}`},
		{"model", `{"properties":{"a":{"$ref":"` + petModel + `"},"b":{"items":{"$ref":"` + petModel + `#"}}}}`},
		{"definition of a model", `{"$ref":"` + petModel + `#/definitions/x"}`},
		{"model by a base", `{"id":"` + petModel + `","properties":{"a":{"$ref":"Dog"},"b":{"$ref":"Pet"}}}`},
		{"what stands beside a model", `{"$ref":"` + petModel + `","definitions":{"a":{}},"properties":{"b":{"$ref":"#/definitions/a"}}}`},
		{"draft-04 itself", `{"properties":{"schema":{"$ref":"http://json-schema.org/draft-04/schema#"}}}`},
		{"depth", nested(31)},
		{"large exponent", `{"minimum":-1e400,"maximum":1E+400,"multipleOf":1e-400}`},
	} {
		if err := Check(tt.schema); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	const elsewhere = `is not in the schema, and nothing else is read but models: https://apigateway.amazonaws.com/restapis/{api}/models/{Name}`
	const otherDraft = `is not draft-04, the only draft of models; it is named http://json-schema.org/draft-04/schema#`
	for _, tt := range []struct{ name, schema, want string }{
		{"empty", ``, `#: the schema is not JSON: byte 0: unexpected end of JSON input`},
		{"no JSON", `{"type":}`, `#: the schema is not JSON: byte 9: invalid character '}' looking for beginning of value`},
		{"two schemas", `{} {}`, `#: the schema is not JSON: byte 4: invalid character '{' after top-level value`},
		{"not UTF-8", "{\"a\":\"\xff\"}", `#: the schema is not UTF-8`},
		{"too long", `{"a":"` + strings.Repeat("x", MaxLength) + `"}`, `#: the schema is longer than 32768 bytes`},
		{"too deep", `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, `#/a` + strings.Repeat("/0", 63) + `: nests deeper than 64 levels`},
		{"too many values", `{"enum":[` + strings.Repeat("1,", 5000) + `2]}`, `#/enum/4998: the schema has more than 5000 values`},
		{"too long a place", `{"properties":{"` + strings.Repeat("x", 1024) + `":{}}}`, `#/properties: has a member whose place is longer than 1024 bytes`},
		{"large exponent", `{"enum":[1,1e401]}`, `#/enum/1: the exponent of a number must be between -400 and 400`},
		{"exponent without end", `{"minimum":1e-99999999999999999999}`, `#/minimum: the exponent of a number must be between -400 and 400`},
		{"member twice", `{"properties":{"a/b":{"type":"string","type":"null"}}}`, `#/properties/a~1b/type: stands twice`},
		{"a list", `[]`, `#: must be an object`},
		{"true", `true`, `#: must be an object`},

		{"other draft", `{"$schema":"http://json-schema.org/draft-07/schema#"}`, `#/$schema: "http://json-schema.org/draft-07/schema#" ` + otherDraft},
		{"latest draft", `{"$schema":"http://json-schema.org/schema#"}`, `#/$schema: "http://json-schema.org/schema#" ` + otherDraft},
		{"no draft", `{"$schema":"draft-04"}`, `#/$schema: "draft-04" ` + otherDraft},
		{"other draft inside", `{"items":{"id":"x","$schema":"http://json-schema.org/draft-06/schema#"}}`, `#/items/$schema: "http://json-schema.org/draft-06/schema#" ` + otherDraft},
		{"draft a number", `{"$schema":4}`, `#/$schema: must be a string`},

		{"unknown type", `{"properties":{"a":{"type":"text"}}}`, `#/properties/a/type: must be one of array, boolean, integer, null, number, object, string`},
		{"type a number", `{"type":5}`, `#/type: must be one of array, boolean, integer, null, number, object, string`},
		{"unknown type in a list", `{"type":["string","text"]}`, `#/type/1: must be one of array, boolean, integer, null, number, object, string`},
		{"no types", `{"type":[]}`, `#/type: must not be empty`},
		{"type twice", `{"type":["null","null"]}`, `#/type: has the same value twice`},
		{"properties a list", `{"properties":[]}`, `#/properties: must be an object`},
		{"property true", `{"properties":{"a":true}}`, `#/properties/a: must be an object`},
		{"property in an items", `{"items":{"items":{"properties":{"a":{"minLength":-1}}}}}`, `#/items/items/properties/a/minLength: must not be less than 0`},
		{"items a string", `{"items":"string"}`, `#/items: must be a list or an object`},
		{"items of a tuple", `{"items":[{},{"title":1}]}`, `#/items/1/title: must be a string`},
		{"additionalProperties a string", `{"additionalProperties":"no"}`, `#/additionalProperties: must be an object or true or false`},
		{"dependency a string", `{"dependencies":{"a":"b"}}`, `#/dependencies/a: must be a list or an object`},
		{"dependency of a number", `{"dependencies":{"a":["b",1]}}`, `#/dependencies/a/1: must be a string`},
		{"required true", `{"required":true}`, `#/required: must be a list`},
		{"required nothing", `{"required":[]}`, `#/required: must not be empty`},
		{"required twice", `{"required":["a","a"]}`, `#/required: has the same value twice`},
		{"fraction", `{"maxItems":1.5}`, `#/maxItems: must be an integer`},
		{"multiple of 0", `{"multipleOf":0}`, `#/multipleOf: must be greater than 0`},
		{"number for a boolean", `{"exclusiveMinimum":5,"minimum":1}`, `#/exclusiveMinimum: must be true or false`},
		{"exclusive of nothing", `{"exclusiveMaximum":true}`, `#: exclusiveMaximum needs maximum`},
		{"enum of nothing", `{"enum":[]}`, `#/enum: must not be empty`},
		{"enum twice", `{"enum":[1,1.0]}`, `#/enum: has the same value twice`},
		{"allOf of nothing", `{"allOf":[]}`, `#/allOf: must not be empty`},
		{"not a list", `{"not":[]}`, `#/not: must be an object`},
		{"pattern a number", `{"pattern":1}`, `#/pattern: must be a string`},
		{"definition that is no schema", `{"definitions":{"a":{"type":"x"}}}`, `#/definitions/a/type: must be one of array, boolean, integer, null, number, object, string`},
		{"unknown word as a definition that is no schema", `{"$ref":"#/$defs/a%25b","$defs":{"a%b":{"type":"x"}}}`, `#/$defs/a%b/type: must be one of array, boolean, integer, null, number, object, string`},
		{"the first of many", `{"title":"t","properties":{"b":{"type":"x"},"a":{"type":"y"}},"items":1,"maxItems":-1}`, `#/properties/b/type: must be one of array, boolean, integer, null, number, object, string`},

		{"reference to elsewhere", `{"items":{"$ref":"http://example.com/pets.json"}}`, `#/items/$ref: "http://example.com/pets.json" ` + elsewhere},
		{"reference to a file", `{"$ref":"file:///etc/passwd"}`, `#/$ref: "file:///etc/passwd" ` + elsewhere},
		{"relative reference", `{"$ref":"pets.json#/a"}`, `#/$ref: "pets.json#/a" ` + elsewhere},
		{"relative reference with a base", `{"id":"http://example.com/a.json","items":{"$ref":"b.json"}}`, `#/items/$ref: "b.json" ` + elsewhere},
		{"another draft", `{"$ref":"http://json-schema.org/draft-07/schema#"}`, `#/$ref: "http://json-schema.org/draft-07/schema#" ` + elsewhere},
		{"model of another host", `{"$ref":"https://apigateway.amazonaws.com.example.com/restapis/a1/models/Pet"}`, `#/$ref: "https://apigateway.amazonaws.com.example.com/restapis/a1/models/Pet" ` + elsewhere},
		{"model with a hyphen", `{"$ref":"https://apigateway.amazonaws.com/restapis/a1/models/My-Pet"}`, `#/$ref: "https://apigateway.amazonaws.com/restapis/a1/models/My-Pet" ` + elsewhere},
		{"our own URL", `{"$ref":"model:///any"}`, `#/$ref: "model:///any" leads to what is no schema`},
		{"no such definition", `{"properties":{"a":{"$ref":"#/definitions/b"}}}`, `#/properties/a/$ref: "#/definitions/b" leads nowhere`},
		{"no such definition where nobody looks", `{"definitions":{"a":{"$ref":"#/definitions/b"}}}`, `#/definitions/a/$ref: "#/definitions/b" leads nowhere`},
		{"no such element", `{"allOf":[{"$ref":"#/allOf/1"}]}`, `#/allOf/0/$ref: "#/allOf/1" leads nowhere`},
		{"no such anchor", `{"$ref":"#pet"}`, `#/$ref: "#pet" leads nowhere`},
		{"reference to a text", `{"title":"t","items":{"$ref":"#/title"}}`, `#/items/$ref: "#/title" leads to what is no schema`},
		{"reference a number", `{"items":{"$ref":1}}`, `#/items/$ref: must be a string`},
		{"bad escape", `{"$ref":"#/a%zz"}`, `#/$ref: "#/a%zz" is no reference`},
		{"bad URL", `{"$ref":"http://[x"}`, `#/$ref: "http://[x" is no reference`},
		{"bad id", `{"id":"http://[x"}`, `#/id: "http://[x" is no URL`},
		{"id relative to a URN", `{"id":"urn:pets","items":{"id":"a"}}`, `#/items/id: "a" is no URL`},
		{"reference relative to a URN", `{"id":"urn:pets","items":{"$ref":"a"}}`, `#/items/$ref: "a" is no reference`},
		{"id twice", `{"items":[{"id":"a"},{"id":"a"}]}`, `#/items/1/id: "a" stands twice`},
		{"anchor twice", `{"items":[{"id":"#a"},{"id":"#a"}]}`, `#/items/1/id: "#a" stands twice`},
	} {
		for range 3 { // maps come in another order each time
			err := Check(tt.schema)
			var e *Error
			if !errors.As(err, &e) || err.Error() != tt.want {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
				break
			}
		}
	}
}

// Schemas that are hard to compile are accepted or refused in a moment.
func TestCheckTakesNoTime(t *testing.T) {
	many := func(n int, format string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, ",")
	}
	for _, tt := range []struct{ name, schema string }{
		{"schemas", `{"allOf":[` + strings.TrimSuffix(strings.Repeat(`{},`, 4990), ",") + `]}`},
		{"references to unknown words", `{"allOf":[` + many(700, `{"$ref":"#/x/%d"}`) + `],"x":[` + strings.TrimSuffix(strings.Repeat(`{},`, 2500), ",") + `]}`},
		{"ids", `{"allOf":[` + many(2000, `{"id":"%d"}`) + `]}`},
		{"large numbers", `{"enum":[` + many(3000, `%de400`) + `]}`},
		{"long numbers", `{"enum":[` + strings.Repeat("9", 16_000) + `,` + strings.Repeat("8", 16_000) + `]}`},
		{"alternatives of draft-04", strings.Repeat(`{"items":[{"additionalProperties":`, 20) + `{"type":"string"}` + strings.Repeat(`}]}`, 20)},
		{"alternatives of draft-04 that fail", strings.Repeat(`{"items":[{"additionalProperties":`, 20) + `{"type":1}` + strings.Repeat(`}]}`, 20)},
		{"a wide object below a long name", `{"properties":{"` + strings.Repeat("n", 900) + `":{"properties":{` + many(2000, `"%d":{}`) + `}}}}`},
		{"many faults", `{"properties":{` + many(2400, `"%d":1`) + `}}`},
		{"expansion", expansion(20)},
	} {
		start := time.Now()
		_ = Check(tt.schema)
		if _, err := Template(tt.schema); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", tt.name, took)
		}
	}
}

// expansion returns a schema whose references, written out, are 3 to the power of n
// schemas.
func expansion(n int) string {
	var b strings.Builder
	b.WriteString(`{"$ref":"#/definitions/d0","definitions":{`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d":{"properties":{"a":{"$ref":"#/definitions/d%d"},"b":{"$ref":"#/definitions/d%d"},"c":{"$ref":"#/definitions/d%d"}}},`, i, i+1, i+1, i+1)
	}
	fmt.Fprintf(&b, `"d%d":{"type":"string"}}}`, n)
	return b.String()
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		`{` + draft4 + `,"type":"object","properties":{"a":{"$ref":"#/definitions/b"}},"definitions":{"b":{"enum":[1,2.5e3,null]}}}`,
		`{"id":"http://example.com/a#b","items":[{"$ref":"c#/d"},{"id":"#e"},{"id":"c","d":{}}]}`,
		`{"anyOf":[{"$ref":"` + petModel + `"},{"not":{"$ref":"#"}}],"dependencies":{"a":["b"]},"additionalItems":false}`,
		`{"$ref":"#/x/0","x":[{"$ref":"#/y"}],"y":{"id":"z","items":{"$ref":"#"}}}`,
		`{"multipleOf":0,"minimum":"1","type":["x"],"required":[]}`,
		`{"pattern":"(","patternProperties":{"(":{}},"format":"regex"}`,
		`{"$schema":"http://json-schema.org/draft-07/schema#"}`,
		expansion(3),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		start := time.Now()
		err := Check(s)
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Place == "" || e.Reason == "") {
			t.Fatalf("got %#v", err)
		}
		for _, vague := range []string{"does not compile", "is no schema of draft-04", "is not what draft-04 has here"} {
			if e != nil && strings.HasPrefix(e.Reason, vague) {
				t.Fatalf("the compiler knows more: %v", err)
			}
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	const s = `{` + draft4 + `,"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}}}}`
	b.ReportAllocs()
	for b.Loop() {
		if err := Check(s); err != nil {
			b.Fatal(err)
		}
	}
}
