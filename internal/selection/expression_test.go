package selection

import (
	"errors"
	"strings"
	"testing"

	"penstock/internal/jsonpath"
	"penstock/internal/lenient"
)

// body returns the values that a message has.
func body(text string) *Values { return &Values{Message: &Message{Text: []byte(text)}} }

// world returns values of every kind.
func world() *Values {
	v := body(`{"action": "join", "n": 7}`)
	v.Header = func(name string) string { return map[string]string{"x-api-key": "k1"}[name] }
	v.Context = func(name string) string {
		return map[string]string{"connectionId": "L0SM9cOFvHcCIhw=", "authorizer.principalId": "ada"}[name]
	}
	v.Variables = map[string]string{"color": "green"}
	v.Response = &Response{
		Status: 404,
		Header: func(name string) []string {
			return map[string][]string{"Via": {"a", "b"}, "Server": {"s"}}[name]
		},
		Body: Message{Text: []byte(`{"errorMessage": "Bad thing", "list": ["}", 7]}`)},
	}
	return v
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want string }{
		{"", ""},
		// What variables there are.
		{"$request.header.x-api-key", "k1"},
		{"$request.header.other", ""},
		{"$context.connectionId", "L0SM9cOFvHcCIhw="},
		{"$context.authorizer.principalId", "ada"},
		{"$context.nothing", ""},
		{"$stageVariables.color", "green"},
		{"$stageVariables.size", ""},
		{"${integration.response.statuscode}", "404"},
		{"${response.statuscode}", "404"},
		{"$integration.response.header.Server", "s"},
		{"$integration.response.header.Via", "b"},
		{"$integration.response.header.Age", ""},
		{"$integration.response.multivalueheader.Via", "[a, b]"},
		{"$integration.response.multivalueheader.Age", ""},
		{"${integration.response.body.errorMessage}", "Bad thing"},
		{"${response.body.errorMessage}", "Bad thing"},
		{"$integration.response.body.list", "[}, 7]"},
		{"$integration.response.body.nothing", ""},
		{"$integration.response.body", `{"errorMessage": "Bad thing", "list": ["}", 7]}`},
		{"$request.body", `{"action": "join", "n": 7}`},
		// What nobody knows has no value.
		{"<$foo> <${foo.bar}> <$request.bodyx> <$request.querystring.a> <$integration.response.status> <$context>", "<> <> <> <> <> <>"},
		// Where variables end.
		{"$request.body.action$request.body.n", "join7"},
		{"$request.body.action/$request.body.n", "join/7"},
		{"$request.body.action-", "join-"},
		{"$request.body.action.-.", "join.-."},
		{"$request.body.action}", "join}"},
		{"$request.body.action[", "join["},
		{"$request.body.action['", "join['"},
		{"$request.body['action'].", "join."},
		{`$request.body[?(@ == ']')]!`, "[]!"},
		{`$request.body["]"]x`, ""},
		{"v-$request.body.n-beta", "v-"},
		{`$request.body[?(@ =~ /[\/\]]+/)]!`, "[]!"},
		{`${response.body.list[?(@ =~ /["}\/]+/)]}!`, "[}]!"},
		{`$response.body.list[?(@ =~ /[^\]]/ && @ != "]")]!`, "[}, 7]!"},
		{`${response.body.list[?(@ in ["}", 8])]}!`, "[}]!"},
		{`${response.body.list[?(@ != {"a": "}"} && @ != '}')]}!`, "[7]!"},
		{"$request.body.", `{"action": "join", "n": 7}.`},
		{"${request.body['}']}x", "x"},
		{`${request.body["\"}"]}x`, "x"},
		{"${request.body.action}}", "join}"},
		{"{$request.body.action}", "{join}"},
		{"${request.body.it's}${request.body.n}", "7"},
		{"${request.body.a/b}${request.body.n}", "7"},
		{"${request.body.length()}", "2"},
		// What are no variables.
		{"$", "$"},
		{"a$", "a$"},
		{"$5", "$5"},
		{"$$", "$$"},
		{"$$request.body.n", "$7"},
		{`\$`, "$"},
		{`\`, `\`},
		{`\\$request.body.n`, `\$request.body.n`},
		{`\n`, `\n`},
		{"x$default", "x"},
		{`x\$default`, "x$default"},
		{"ключ-$request.body.n", "ключ-7"},
	} {
		e, err := Parse(tt.expression)
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		if e.String() != tt.expression {
			t.Errorf("%s prints as %s", tt.expression, e)
		}
		if got, err := e.Append([]byte("> "), world()); string(got) != "> "+tt.want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", tt.expression, got, err, tt.want)
		}
	}
}

// TestAppendNothing: values that are not there are no text, and no reason to panic.
func TestAppendNothing(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"$request.header.x", "$context.x", "$stageVariables.x", "$request.body",
		"$response.statuscode", "$response.header.x", "$response.multivalueheader.x", "$response.body.x", "$response.body",
	} {
		for _, v := range []*Values{{}, {Message: &Message{}, Response: &Response{}}} {
			if got, err := mustParse(t, expression).Append(nil, v); len(got) > 0 || err != nil {
				t.Errorf("%s: got %q, %v", expression, got, err)
			}
		}
	}
	if _, err := mustParse(t, "$request.body.x").Append(nil, &Values{}); !errors.Is(err, ErrNotJSON) {
		t.Errorf("no message: %v", err)
	}
}

// TestAnswerNotJSON: functions may answer with anything, which is no error.
func TestAnswerNotJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "ok", `"errorMessage"`, "7", "{", "[1", strings.Repeat("[", 1000)} {
		v := &Values{Response: &Response{Body: Message{Text: []byte(text)}}}
		if got, err := mustParse(t, "${integration.response.body.errorMessage}").Append(nil, v); len(got) > 0 || err != nil {
			t.Errorf("%.20s: got %q, %v", text, got, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, want string }{
		{"${", `offset 1: unclosed "{"`},
		{"a${request.body.x", `offset 2: unclosed "{"`},
		{"a${}", "offset 3: want a variable"},
		{"x${request.body.}", "offset 3: path"},
		{"$request.body..", ""},
		{"${request.body..}", "offset 2: path"},
		{"$request.body[x]", "offset 1: path"},
		{"${request.body.a b}", "offset 2: path"},
		{"${request.body.a(}", "offset 2: path"},
		{"${response.body[}", "offset 2: path"},
		{strings.Repeat("a", maxExpression+1), "longer than 8192 bytes"},
		{strings.Repeat("a", maxExpression), ""},
	} {
		_, err := Parse(tt.expression)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40s: got %v, want %q", tt.expression, err, tt.want)
		}
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expression, want string
		static, reads    bool
	}{
		{"", "", true, false},
		{"action", "action", true, false},
		{"$default", "$default", true, false},
		{`\$default`, "$default", true, false},
		{`\$5 a$`, "$5 a$", true, false},
		{"$request.body.a", "", false, true},
		{"x$request.body", "", false, true},
		{"$context.stage", "", false, false},
		{"$response.body.a", "", false, false},
	} {
		e := mustParse(t, tt.expression)
		if got, ok := e.Static(); got != tt.want || ok != tt.static || e.ReadsMessage() != tt.reads {
			t.Errorf("%s: got %q, %v, reads %v", tt.expression, got, ok, e.ReadsMessage())
		}
	}
}

// TestScanAndTree: a value is the same whether the message is scanned or made a tree.
func TestScanAndTree(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return `{"a":"x","b":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}" }
	for _, tt := range []struct {
		name, message, want string
		scans               bool // or it is for the tree
		broken              bool
	}{
		{"string", `{"a":"x"}`, "x", true, false},
		{"blanks", " \t\r\n{ \"a\" : \"x y\" } ", "x y", true, false},
		{"true", `{"a":true}`, "true", true, false},
		{"null", `{"a":null}`, "", true, false},
		{"integer", `{"a":-12}`, "-12", true, false},
		{"zero", `{"a":-0}`, "0", false, false},
		{"fraction", `{"a":1.50}`, "1.5", false, false},
		{"exponent", `{"a":1e3}`, "1000.0", false, false},
		{"great", `{"a":123456789012345678901}`, "123456789012345678901", false, false},
		{"escape", `{"a":"x\u0041\/"}`, "xA/", false, false},
		{"escape in the name", `{"\u0061":"x"}`, "x", true, false},
		{"the last one counts", `{"a":"x","\u0061":"y"}`, "y", true, false},
		{"DEL", "{\"a\":\"x\",\"\\u0061\x7f\":\"y\"}", "y", false, false},
		{"list", `{"a":["x",[null,1.0]]}`, "[x, [null, 1.0]]", false, false},
		{"object", `{"a":{"k":{"l":"v"},"n":[]}}`, "{k={l=v}, n=[]}", false, false},
		{"missing", `{"b":1}`, "", false, false},
		{"lenient", `{a: x}`, "x", false, false},
		{"more behind it", `{"a":"x"} y`, "x", false, false},
		{"not UTF-8", "{\"a\":\"\xff\"}", "\ufffd", false, false},
		{"deep enough", deep(maxDepth - 1), "x", true, false},
		{"too deep", deep(maxDepth), "", false, true},
		{"broken", `{"a":"x"`, "", false, true},
		{"no object", `a`, "", false, true},
	} {
		e := mustParse(t, "$request.body.a")
		m := &Message{Text: []byte(tt.message)}
		got, err := e.Append(nil, &Values{Message: m})
		if string(got) != tt.want || errors.Is(err, ErrNotJSON) != tt.broken || m.parsed == tt.scans {
			t.Errorf("%s: got %q, %v, a tree %v", tt.name, got, err, m.parsed)
		}
		m.Value()
		if tree, again := e.Append(nil, &Values{Message: m}); string(tree) != string(got) || (again == nil) != (err == nil) {
			t.Errorf("%s: got %q, %v; from the tree %q, %v", tt.name, got, err, tree, again)
		}
	}
}

// TestLimits: what takes too much is an error, and leaves nothing behind.
func TestLimits(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat(`{"a":`, 400) + `"` + strings.Repeat("x", 100<<10) + `"` + strings.Repeat("}", 400)
	many := "[" + strings.TrimSuffix(strings.Repeat("1,", 60<<10), ",") + "]"
	for _, tt := range []struct {
		name, expression, message string
		want                      error
	}{
		{"long", "$request.body..a", nested, lenient.ErrTooLong},
		{"long together", strings.Repeat("$request.body", 11), nested, lenient.ErrTooLong},
		{"steps", "${request.body[*]}", many, nil},
		{"steps together", strings.Repeat("${request.body[*].x}", 4), many, jsonpath.ErrSteps},
		{"of nothing", "${request.body.min()}", "[]", jsonpath.ErrEmpty},
		{"as wide as it gets", "$request.body.x", `{"x":` + strings.ReplaceAll(many, "1", "0") + "}", nil},
	} {
		got, err := mustParse(t, tt.expression).Append([]byte("> "), body(tt.message))
		if !errors.Is(err, tt.want) || err != nil && string(got) != "> " {
			t.Errorf("%s: got %d bytes, %v; want %v", tt.name, len(got), err, tt.want)
		}
	}
	loop := &lenient.List{}
	loop.Items = []any{loop}
	if got, err := AppendValue(nil, loop); !errors.Is(err, lenient.ErrTooDeep) || len(got) > 0 {
		t.Errorf("a loop: got %d bytes, %v", len(got), err)
	}
}

// TestAllocations: nothing for what is in JSON.
func TestAllocations(t *testing.T) {
	message := []byte(`{"service":"chat","action":"join","n":7}`)
	routes := map[string]int{"join": 1, "chat/join": 2, "v-7": 3, "$default": 4}
	for _, tt := range []struct {
		expression string
		want       int
	}{
		{"join", 1},
		{"$request.body.action", 1},
		{"${request.body.service}/${request.body.action}", 2},
		{"v-${request.body.n}", 3},
	} {
		e := mustParse(t, tt.expression)
		if n := testing.AllocsPerRun(100, func() {
			if route, _, err := SelectRoute(routes, e, &Values{Message: &Message{Text: message}}); route != tt.want || err != nil {
				t.Error(tt.expression, route, err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", tt.expression, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"$request.body.action", "${request.body['a.b']}-x", `\$default`, "$default", "$request.body[?(@.a =~ /]}/)].x",
		"${integration.response.body.errorMessage}", "$context.a.", "$$5${", "${request.body.a(}", "$a[{('",
	} {
		f.Add(text, `{"action":"join","a":{"b":[1,2]}}`)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		if e.String() != text {
			t.Fatalf("%q prints as %q", text, e)
		}
		again := mustParse(t, e.String())
		if len(e.pieces) != len(again.pieces) || e.bodies != again.bodies {
			t.Fatalf("%q is something else the second time", text)
		}
		v := world()
		v.Message.Text = []byte(message)
		got, err := e.Append(nil, v)
		if fixed, ok := e.Static(); ok && (fixed != string(got) || err != nil) {
			t.Fatalf("%q is always %q, but %q, %v", text, fixed, got, err)
		}
		if len(got) > maxText || err != nil && len(got) > 0 {
			t.Fatalf("%q: %d bytes, %v", text, len(got), err)
		}
		// The same from the tree alone.
		v = world()
		v.Message.Text = []byte(message)
		v.Message.Value()
		tree, second := e.Append(nil, v)
		if string(got) != string(tree) || (err == nil) != (second == nil) {
			t.Fatalf("%q of %q: got %q, %v; from the tree %q, %v", text, message, got, err, tree, second)
		}
	})
}

// FuzzMessage: a scan finds what the tree has, whatever the message.
func FuzzMessage(f *testing.F) {
	for _, message := range []string{
		`{"a":{"b":"x"}}`, `{a:{b:-0}}`, "{\"a\":{\"b\x7f\":\"\\u0041\",\"b\":1e3}}", `{"a":{"b":1},"\u0061":{"b":"\ud83d"}}`,
		`[{"b":[null]}]`, `{"a":{"b":12345678901234567890}} x`, "hello", "",
	} {
		f.Add(message)
	}
	e := mustParse(f, "$request.body.a.b|$request.body[0].b")
	f.Fuzz(func(t *testing.T, message string) {
		got, err := e.Append(nil, body(message))
		v := body(message)
		v.Message.Value()
		tree, second := e.Append(nil, v)
		if string(got) != string(tree) || (err == nil) != (second == nil) {
			t.Fatalf("%q: got %q, %v; from the tree %q, %v", message, got, err, tree, second)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	chat := `{"service":"chat","action":"join","data":{"room":"room1234","tags":["a","b"]}}`
	long := `{"action":"join","data":"` + strings.Repeat("x", 4<<10) + `"}`
	for _, bb := range []struct{ name, expression, message string }{
		{"static", `\$default`, chat},
		{"path", "$request.body.action", chat},
		{"paths", "${request.body.service}/${request.body.action}", chat},
		{"long", "$request.body.action", long},
		{"missing", "$request.body.nothing", chat},
		{"tree", "$request.body.data.tags", chat},
		{"text", "$request.body.action", "hello"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			e := mustParse(b, bb.expression)
			text := []byte(bb.message)
			var key []byte
			b.ReportAllocs()
			for b.Loop() {
				key, _ = e.Append(key[:0], &Values{Message: &Message{Text: text}})
			}
		})
	}
}

func BenchmarkSelectRoute(b *testing.B) {
	routes := map[string]int{"join": 1, "send": 2, "$default": 3}
	e := mustParse(b, "$request.body.action")
	text := []byte(`{"action":"send","data":"hello, all of you"}`)
	b.ReportAllocs()
	for b.Loop() {
		if route, _, _ := SelectRoute(routes, e, &Values{Message: &Message{Text: text}}); route != 2 {
			b.Fatal(route)
		}
	}
}
