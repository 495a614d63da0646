package openapi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// print writes a tree on one line: strings quoted, numbers as they were written.
func (n *node) print() string {
	switch n.kind {
	case null:
		return "null"
	case text:
		return fmt.Sprintf("%q", n.text)
	case list:
		var items []string
		for _, item := range n.items {
			items = append(items, item.print())
		}
		return "[" + strings.Join(items, " ") + "]"
	case object:
		var members []string
		for _, m := range n.members {
			members = append(members, m.name+":"+m.value.print())
		}
		return "{" + strings.Join(members, " ") + "}"
	default:
		return n.text
	}
}

func manyMembers(n int, format string) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(format, i))
	}
	return strings.Join(members, " ")
}

// manyAliases is a list of ten aliases of a list of ten aliases, and so on.
func manyAliases(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"JSON", `{"a":[1,1.0,1e3,true,false,null,"x",{},[]]}`, `{a:[1 1.0 1e3 true false null "x" {} []]}`},
		{"JSON after space and a byte order mark", "\uFEFF \r\n\t{\"a\":1}\n ", `{a:1}`},
		{"JSON numbers as written", `{"a":2.0,"b":-0,"c":123456789012345678901234567890}`, `{a:2.0 b:-0 c:123456789012345678901234567890}`},
		{"JSON surrogate pairs", `{"a\ud83d\ude00":"\\ud83d \ud83d\ude00 \\\\u"}`, `{a😀:"\\ud83d 😀 \\\\u"}`},
		{"JSON order", `{"z":1,"a":2}`, `{z:1 a:2}`},
		{"many members", "{" + strings.ReplaceAll(manyMembers(40, `"m%d":0`), " ", ",") + "}", "{" + manyMembers(40, "m%d:0") + "}"},
		{"YAML", "a: [1, 1.0, true, null, x, {}, []]\nb: ~\nc:\n", `{a:[1 1.0 true null "x" {} []] b:null c:null}`},
		{"YAML after a byte order mark", "\uFEFFa: 1\n", `{a:1}`},
		{"YAML strings that look like booleans", "a: [on, off, yes, no, y, n, Yes]", `{a:["on" "off" "yes" "no" "y" "n" "Yes"]}`},
		{"YAML booleans", "a: [true, True, FALSE]", `{a:[true true false]}`},
		{"YAML names as written", "200: a\n1.0: b\ntrue: c\nnull: d\n2001-01-01: e\non: f\n", `{200:"a" 1.0:"b" true:"c" null:"d" 2001-01-01:"e" on:"f"}`},
		{"YAML numbers as written", "a: [1.0, 0x1F, 1_000, .5, 2.00]", `{a:[1.0 0x1F 1_000 .5 2.00]}`},
		{"YAML dates are strings", "a: 2020-09-07T07:13:02Z\nb: 2020-09-07", `{a:"2020-09-07T07:13:02Z" b:"2020-09-07"}`},
		{"YAML quoted numbers", "a: ['1.0', \"2\", !!str 3]", `{a:["1.0" "2" "3"]}`},
		{"YAML blocks", "a: |\n  b\n  c\nd: >-\n  e\n  f\n", `{a:"b\nc\n" d:"e f"}`},
		{"YAML aliases", "a: &x {b: [1]}\nc: *x\nd: [*x, *x]", `{a:{b:[1]} c:{b:[1]} d:[{b:[1]} {b:[1]}]}`},
		{"YAML alias of a name", "&n a: 1\nb: *n\n*n : 2\n", ""},
		{"YAML alias of a name as a value", "&n a: 1\nb: *n\n", `{a:1 b:"a"}`},
		{"YAML merge", "a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", `{a:{b:1 c:2} d:{c:3 b:1}}`},
		{"YAML merge of several, the first counts", "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}", `{a:{b:1} c:{b:2 d:3} e:{b:1 d:3}}`},
		{"YAML merge of an object", "a: {<<: {b: 1}}", `{a:{b:1}}`},
		{"YAML quoted merge key is a name", "a: {'<<': 1}", `{a:{<<:1}}`},
		{"YAML one document with markers", "---\na: 1\n...\n", `{a:1}`},
		{"YAML directive", "%YAML 1.2\n---\na: 1\n", `{a:1}`},
		{"YAML scalar", "hello", `"hello"`},
		{"at the depth", strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth), strings.Repeat(`{a:`, maxDepth) + "1" + strings.Repeat("}", maxDepth)},
		{"YAML at the depth", strings.Repeat("[", maxDepth) + "1" + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth) + "1" + strings.Repeat("]", maxDepth)},
	} {
		n, err := parse(tt.document, nil)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%s: got %s, want an error", tt.name, n.print())
		case tt.want != "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && n.print() != tt.want:
			t.Errorf("%s: got %s, want %s", tt.name, n.print(), tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", "", "the document is empty"},
		{"blank", " \n\t\r\n", "the document is empty"},
		{"a byte order mark", "\uFEFF", "the document is empty"},
		{"comments", "# nothing\n", "the document is empty"},
		{"too long", `{"a":"` + strings.Repeat("x", maxDocument) + `"}`, "longer than 6291456 bytes"},
		{"not UTF-8", "a: \xff", "not UTF-8"},
		{"JSON cut off", `{"a":`, "line 1: the document is cut off"},
		{"JSON cut off in a list", "{\"a\":[1,\n2", "line 2: the document is cut off"},
		{"JSON comma too many", "{\"a\":1,\n}", "line 2: "},
		{"JSON without a comma", `{"a":[1 2]}`, "line 1: "},
		{"JSON name without quotes", `{a: 1}`, "line 1: "},
		{"JSON with text after it", "{}\nx", "text after the document"},
		{"JSON twice", `{}{}`, "text after the document"},
		{"JSON name twice", "{\"a\":1,\n\"b\":{\"c\":1,\n\"c\":2}}", `line 3: the name "c" stands twice in one object`},
		{"JSON name twice among many", "{" + strings.ReplaceAll(manyMembers(40, `"m%d":0`), " ", ",") + `,"m7":1}`, `the name "m7" stands twice`},
		{"JSON name twice, escaped", `{"a":1,"\u0061":2}`, `the name "a" stands twice`},
		{"JSON high surrogate", "{\"a\":\n\"\\ud83d\"}", "line 2: half a surrogate pair"},
		{"JSON high surrogate before another", `{"a":"\ud83d\ud83d"}`, "half a surrogate pair"},
		{"JSON low surrogate", `{"a":"\ude00"}`, "half a surrogate pair"},
		{"JSON too deep", strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), "deeper than 100 levels"},
		{"JSON too deep and cut off", `{"a":` + strings.Repeat("[", 1_000_000), "deeper than 100 levels"},
		{"JSON of too many values", `{"a":[` + strings.Repeat("1,", maxNodes) + "1]}", "more than 500000 values"},
		{"JSON name too long", `{"` + strings.Repeat("x", maxName+1) + `":1}`, "a name is longer than 8192 bytes"},
		{"YAML wrong indentation", "a: 1\n b: 2\n", "line 2: "},
		{"YAML not closed", "a: [1, 2\n", "line "},
		{"YAML tab", "a:\n\tb: 1\n", "line 2: "},
		{"YAML name twice", "a: 1\nb: 2\na: 3\n", `line 3: the name "a" stands twice`},
		{"YAML name twice, a number", "200: 1\n\"200\": 3\n", `line 2: the name "200" stands twice`},
		{"YAML merge twice", "x: &x {a: 1}\ny:\n  <<: *x\n  <<: *x\n", "line 4: << stands twice"},
		{"YAML merge of a string", "a: {<<: b}", "line 1: << must name an object"},
		{"YAML two documents", "a: 1\n---\nb: 2\n", "a second document starts"},
		{"YAML two documents, the second bad", "a: 1\n---\nb: [\n", "line "},
		{"YAML list as a name", "? [a]\n: 1\n", "line 1: a name must be a string"},
		{"YAML unknown anchor", "a: *b", "unknown anchor"},
		{"YAML alias within what it names", "a: &x\n  b: [*x]\n", "line 2: *x stands within what it names"},
		{"YAML tag", "a:\n  b: !Sub x\n", "line 2: the tag !Sub is not supported"},
		{"YAML tag of a list", "a: !GetAtt [b, c]\n", "line 1: the tag !GetAtt is not supported"},
		{"YAML tag of an object", "a: !If {b: c}\n", "line 1: the tag !If is not supported"},
		{"YAML too deep", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), "deeper than 100 levels"},
		{"YAML too deep by an alias", "a: &x " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\nb: " + strings.Repeat("[", 60) + "*x" + strings.Repeat("]", 60), "deeper than 100 levels"},
		{"YAML too deep by a merge", "a: &x {b: " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "}\nc: &y {<<: *x}\nd: " + strings.Repeat("[", 60) + "*y" + strings.Repeat("]", 60), "deeper than 100 levels"},
		{"YAML of too many values by aliases", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + manyAliases(6), "more than 500000 values"},
		{"YAML of too many values by merges", "a: &x {" + manyMembers(1000, "m%d: 1,") + "}\nb: [" + strings.Repeat("{<<: *x}, ", 500) + "]", "more than 500000 values"},
		{"YAML of too many values by aliases of merges", "a: &x {" + manyMembers(1000, "m%d: 1,") + "}\nb: &y [" + strings.Repeat("{<<: *x}, ", 100) + "]\nc: [*y, *y, *y, *y, *y]", "more than 500000 values"},
		{"YAML of too many values", "a: [" + strings.Repeat("a,", maxMarks) + "a]", "more than 500000 values"},
		{"YAML name too long", "? " + strings.Repeat("x", maxName+1) + "\n: 1\n", "a name is longer than 8192 bytes"},
		{"YAML directives", strings.Repeat("%X y\n", maxDirectives+1) + "---\na: 1\n", "more than 100 directives"},
	} {
		n, err := parse(tt.document, nil)
		if err == nil {
			t.Errorf("%s: got %.200s, want an error with %q", tt.name, n.print(), tt.want)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.200q, want an error with %q", tt.name, err, tt.want)
		}
	}
}

// What is too much for the YAML parser does not reach it.
func TestCheckYAML(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		document string
		ok       bool
	}{
		{strings.Repeat("- ", maxMarks), true},
		{strings.Repeat("- ", maxMarks) + "-", false},
		{strings.Repeat("%", 1000) + "\n" + strings.Repeat("%a\r\n", maxDirectives-1), true},
		{strings.Repeat("%a\r\n", maxDirectives+1), false},
		{strings.Repeat("%a\r", maxDirectives+1), false},
	} {
		if err := checkYAML(tt.document); (err == nil) != tt.ok {
			t.Errorf("%.20q…: got %v", tt.document, err)
		}
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	o := Options{Partition: "aws-cn", Region: "cn-north-1", Account: "1"}
	for _, document := range []string{
		"a: 'x ${AWS::Partition} ${AWS::Region}:${AWS::AccountId}'\nb: ['${AWS::Region}', '${AWS::Other} ${stageVariables.x} ${AWS::']\n'${AWS::Region}': 1",
		`{"a": "x ${AWS::Partition} ${AWS::Region}:${AWS::AccountId}", "b": ["${AWS::Region}", "${AWS::Other} ${stageVariables.x} ${AWS::"], "${AWS::Region}": 1}`,
	} {
		n, err := parse(document, o.variables())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := n.print(), `{a:"x aws-cn cn-north-1:1" b:["cn-north-1" "${AWS::Other} ${stageVariables.x} ${AWS::"] ${AWS::Region}:1}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// hostile returns documents of about size bytes that are made to take long.
func hostile(size int) map[string]string {
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	const head = "openapi: 3.0.1\ninfo: {title: t}\n"
	long := strings.Repeat("x", maxText)
	return map[string]string{
		"JSON lists":               `{"a":` + repeat("["),
		"JSON objects":             repeat(`{"a":`),
		"JSON members":             `{` + strings.TrimSuffix(numbered(`"a%d":%d,`), ",") + `}`,
		"JSON string":              `{"a":"` + repeat(`\n`) + `"}`,
		"JSON number":              `{"a":` + repeat("1") + `}`,
		"JSON spaces":              `{"a":` + repeat(" ") + "1}",
		"JSON name":                `{"` + repeat("x") + `":1}`,
		"YAML lists":               repeat("["),
		"YAML lists in lists":      strings.Repeat("[", 9000) + repeat("[],"),
		"YAML objects":             repeat("{a: "),
		"YAML dashes":              repeat("- "),
		"YAML dashes in dashes":    repeat(strings.Repeat("- ", 9000) + "a\n"),
		"YAML question marks":      repeat("? "),
		"YAML questions in lines":  repeat("? a\n"),
		"YAML members":             numbered("a%d: %d\n"),
		"YAML anchors":             numbered("- &a%d %d\n"),
		"YAML aliases":             "- &a0 x\n" + repeat("- *a0\n"),
		"YAML merges":              "- &a {a: 1, b: 2, c: 3}\n" + repeat("- {<<: *a}\n"),
		"YAML directives":          numbered("%%TAG !a%d! b%d\n") + "---\na: 1\n",
		"YAML tags":                repeat("- !!str a\n"),
		"YAML documents":           repeat("---\n"),
		"YAML comments":            repeat("# a\n") + "a: 1\n",
		"YAML comments in lists":   "[" + repeat("a, # b\n") + "]",
		"YAML text":                `a: "` + repeat("a\n  ") + `"`,
		"YAML block":               "a: |\n" + repeat(" a\n"),
		"YAML line breaks":         "a: \"" + repeat("\n") + "\"",
		"YAML name":                repeat("x") + ": 1",
		"YAML escapes":             "a: !" + repeat("%41") + " b",
		"YAML exponential aliases": head + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + manyAliases(90),
		"operations":               head + "paths:\n" + numbered("  /a%d/%d: {get: {}}\n"),
		"unknown members":          head + "paths: {/a: {get: {" + numbered("a%d: %d, ") + "}}}",
		"missing references":       head + "components: {schemas: {" + numbered("a%d: {$ref: '#/components/%d'}, ") + "}}",
		"one long reference":       head + "x: &r '#/" + strings.Repeat("a/", maxReference/2-2) + "'\ncomponents: {schemas: {" + numbered("a%d: {$ref: *r, x: %d}, ") + "}}",
		"repeated path items":      head + "x: &p {$ref: '#/components/pathItems/big'}\ncomponents: {pathItems: {big: {parameters: [" + strings.Repeat("{in: query}, ", 2000) + "]}}}\npaths:\n" + numbered("  /a%d/%d: *p\n"),
		"repeated schemes":         head + "x: &s {$ref: '#/components/big'}\ncomponents: {big: {type: apiKey, x-amazon-apigateway-authorizer: {type: request, " + manyMembers(2000, "a%d: 1,") + "}}, securitySchemes: {" + numbered("a%d-%d: *s, ") + "}}",
		"repeated strings":         head + "x: &s {type: apiKey, x-amazon-apigateway-authorizer: {type: request, identitySource: '" + strings.ReplaceAll(long, "xx", "x,") + "'}}\ncomponents: {securitySchemes: {" + numbered("a%d-%d: *s, ") + "}}",
		"repeated scopes":          head + "security: [{s: [" + strings.Repeat("a,", maxItems) + "]}]\ncomponents: {securitySchemes: {s: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {issuer: 'https://i'}}}}}\npaths:\n" + numbered("  /a%d/%d: {get: {}}\n"),
		"base path":                head + "servers: [{url: '" + strings.Repeat("{v}", 2000) + "', variables: {v: {default: " + long + "}}}]\npaths:\n" + numbered("  /a%d/%d: {get: {}}\n"),
	}
}

// Whatever a document has, it is read in a time that has to do with its length. The
// limit is far above what is needed: under the race detector, on a busy machine.
func TestHostileDocuments(t *testing.T) {
	const limit = 10 * time.Second
	for name, document := range hostile(250_000) {
		start := time.Now()
		_, err := Import(document, Options{BasePath: "prepend"})
		took := time.Since(start)
		if took > limit {
			t.Errorf("%s of %d bytes took %v", name, len(document), took)
		}
		if testing.Verbose() {
			t.Logf("%-26s %8d bytes %8.0f ms %.80v", name, len(document), float64(took.Microseconds())/1000, err)
		}
	}
}
