package vtl

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// An error tells where it is, in strings within strings too.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, template, want string
	}{
		{"no end", "a\n#if(true)b", "parse 2:1: the directive has no #end"},
		{"an end too many", "a\n  b #end", "parse 2:5: #end without a directive that it belongs to"},
		{"a wrong mark", "#foreach($x in [])\n#else#end", "parse 2:1: unexpected #else"},
		{"characters count", "éé$x[é]", `parse 1:6: unexpected "é", want a string, an integer or a reference as an index`},
		{"in a string", "#set($x = \"a\n$b[\")", `parse 2:4: unexpected end, want a string, an integer or a reference as an index`},
		{"an operator", "#set($x = 3 -5)", `parse 1:13: unexpected "-", want an operator or ")"`},
		{"a word", "#set($x = null)", `parse 1:11: unexpected "n", want a value`},
		{"no end of a string", "#set($x = 'a)", "parse 1:11: the string has no end"},
		{"a dollar at the end", "ab$", `parse 1:4: unexpected end after "$", want a name or text`},
		{"no braces", "${a.b", `parse 1:6: unexpected end, want "}" at the end of the reference`},
		{"an index out of range", "\n#set($l = [1])$l[3]", "exec 2:17: index 3 of a list of 1"},
		{"an exception", "#set($s = 'a')\n $s.substring(9)", "exec 2:4: substring: position 9 in a string of 1"},
		{"a payload that does not parse", " $input.json('$')", "exec 1:8: the payload is not JSON: offset 2: "},
		{"a bad path", "$input.path('$.a[')", `exec 1:7: path "$.a["`},
		{"another template", "#parse('x')", "exec 1:1: #parse: there are no other templates"},
		{"a bad regular expression", "#set($s = '')$s.matches('(')", "exec 1:16: regular expression \"(\": "},
	} {
		template, err := Parse(tt.template)
		if err == nil {
			_, err = template.Render(context.Background(), Data{Body: []byte("{a")})
		}
		e := (*Error)(nil)
		if !errors.As(err, &e) || !strings.HasPrefix(e.Kind.String()+" "+e.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

// Nothing goes on for long, whatever it is that a template does without end.
func TestLimits(t *testing.T) {
	t.Parallel()
	loop := "#foreach($i in [1..1000])#foreach($j in [1..1000])"
	for _, tt := range []struct {
		name, template string
		limits         Limits
		want           string
	}{
		{"steps", loop + "$i#end#end", Limits{}, "more than 200000 steps"},
		{"few steps", "$a$a$a$a", Limits{Steps: 3}, "more than 3 steps"},
		{"output", loop + "0123456789#end#end", Limits{Output: 100}, "the output is longer than 100 bytes"},
		{"output of text alone", "0123456789", Limits{Output: 9}, "the output is longer than 9 bytes"},
		{"a string that doubles", "#set($s='0123456789')" + loop + "#set($s=$s+$s)#end#end", Limits{}, "a string is longer than 10485760 bytes"},
		{"a string in a string", `#set($s="0123456789")` + loop + `#set($s="$s$s")#end#end`, Limits{}, "longer than 10485760 bytes"},
		{"a string that is replaced", "#set($s='0123456789')" + loop + "#set($s=$s.replaceAll('.','$0$0'))#end#end", Limits{Work: 8 << 20}, "works on more than 8388608 bytes"},
		{"a string with text that is replaced", "#set($s='0123456789')" + loop + "#set($s=$s.replaceAll('0','01'))#set($s=$s.replace('1','10'))#end#end", Limits{}, "longer than 10485760 bytes"},
		{"a string that is repeated", "#set($s='0123456789')$s.repeat(2000000000)", Limits{}, "longer than 10485760 bytes"},
		{"a format", "#set($s='')$s.format('%99999d', 1)", Limits{}, "a width of 99999"},
		{"work", "#set($s='0123456789')" + strings.Repeat("#set($s=$s+$s)", 19) + loop + "#set($n=$s.indexOf('x'))#end#end", Limits{}, "works on more than 134217728 bytes"},
		{"an expression that is matched by trying", "#set($s='aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac')$s.matches('(?=(a+)+b)c')", Limits{}, "the regular expression takes too long"},
		{"one that calls itself", "#set($s='ab')#set($s=$s.repeat(100000))$s.matches('(?!x)(ab)*c')", Limits{}, "the regular expression takes too long"},
		{"one that looks behind", "#set($s='ab')#set($s=$s.repeat(100000))$s.replaceAll('(?<=x.*)y','')", Limits{}, "the regular expression takes too long"},
		{"expressions that are made", "#set($s='')" + loop + "#set($n=$s.matches(\"a{$i}$j\"))#end#end", Limits{}, "works on more than 134217728 bytes"},
		{"large expressions that are made", "#set($s='')" + loop + "#set($n=$s.matches(\"a{999}$i$j\"))#end#end", Limits{}, "works on more than 134217728 bytes"},
		{"one that is too large", "#set($s='')$s.matches('((a{100}){100}){100}')", Limits{}, "too much is repeated"},
		{"paths that are made", loop + "#set($n=$input.path(\"$[?(@=~/a{999}$i$j/)]\"))#end#end", Limits{}, "works on more than 134217728 bytes"},
		{"a list that doubles", "#set($l=[1,2])" + loop + "#set($n=$l.addAll($l))#end#end", Limits{}, "works on more than 134217728 bytes"},
		{"a list of lists", "#set($l=[1,2])" + loop + "#set($l=[$l,$l])#end#end$l", Limits{Steps: 500}, "more than 500 steps"},
		{"the text of a list of lists", "#set($l=[1,2])#foreach($i in [1..60])#set($l=[$l,$l])#end$l", Limits{}, "longer than 10485760 bytes"},
		{"the same with entries", "#set($m={})#set($e=$m.entrySet())#set($l=[1,2])#foreach($i in [1..60])#set($l=[$l,$l])#end$l", Limits{}, "more than 200000 steps"},
		{"equality of lists of lists", "#set($l=[1,2])#set($k=[1,2])#foreach($i in [1..60])#set($l=[$l,$l])#set($k=[$k,$k])#end#if($k==$l)#end", Limits{}, "more than 200000 steps"},
		{"hash of lists of lists", "#set($l=[1,2])#foreach($i in [1..60])#set($l=[$l,$l])#end$l.hashCode()", Limits{}, "more than 200000 steps"},
		{"a list in itself", "#set($l=[])#set($n=$l.add([$l]))$l", Limits{}, "contains itself"},
		{"a map in its own values", "#set($m={})#set($n=$m.put('a',[$m.values()]))$m", Limits{}, "contains itself"},
		{"a payload in itself", "#set($p=$input.path('$'))#set($p.p=$p)$input.json('$')", Limits{}, "contains itself"},
		{"a search in a payload in itself", "#set($p=$input.path('$'))#set($p.p=$p)$input.json('$..x')", Limits{}, ""},
		{"a range", "#set($l=[1..2000000])", Limits{}, "a range of 2000000 elements"},
		{"a range in a loop", "#foreach($l in [1..2000000])#end", Limits{}, "a range of 2000000 elements"},
		{"integers", "#set($n=10)" + loop + "#set($n=$n*$n)#end#end", Limits{}, "an integer of more than 65536 bits"},
		{"blocks that call each other", "#define($a)$b$b#end#define($b)$a$a#end" + loop + "$a#end#end", Limits{}, "more than 200000 steps"},
		{"depth", "#set($x=[1])" + strings.Repeat("#foreach($i in $x)", 20) + "x" + strings.Repeat("#end", 20), Limits{Depth: 10}, "more than 10 levels"},
	} {
		start := time.Now()
		_, err := mustParse(t, tt.template).Render(context.Background(), Data{Limits: tt.limits})
		if e := (*Error)(nil); !errors.As(err, &e) || e.Kind != ExecError || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %q", tt.name, err, tt.want)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: took %v", tt.name, d)
		}
	}
}

// Values that contain each other can be compared.
func TestCycles(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"#set($m={'k':[]})#foreach($e in $m.entrySet())#set($i=$m.k.add($e))#set($x=$e)#end" +
			"#set($n={'k':[]})#foreach($e in $n.entrySet())#set($i=$n.k.add($e))#set($y=$e)#end$x.equals($y) $x.equals($x)": "false true",
		"#set($l=[1])#set($i=$l.add($l))$l $l.equals($l) $l.contains($l)": "[1, (this Collection)] true true",
		"#set($m={})#set($i=$m.put(1,$m))$m":                              "{1=(this Map)}",
	} {
		result, err := mustParse(t, template).Render(context.Background(), Data{})
		if err != nil || string(result.Text) != want {
			t.Errorf("%s: got %q, %v, want %q", template, result.Text, err, want)
		}
	}
}

// Parsing has limits too.
func TestParseLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, template, want string
	}{
		{"length", strings.Repeat("x", MaxLength+1), "longer than 307200 bytes"},
		{"blocks", strings.Repeat("#if(true)", 500), "more than 100 levels"},
		{"parentheses", "#set($x = " + strings.Repeat("(", 500), "more than 100 levels"},
		{"negations", "#set($x = " + strings.Repeat("!", 500), "more than 100 levels"},
		{"lists", "#set($x = " + strings.Repeat("[", 500), "more than 100 levels"},
		{"maps", "#set($x = " + strings.Repeat("{1:", 500), "more than 100 levels"},
		{"indexes", strings.Repeat("$x[", 500), "more than 100 levels"},
		{"calls", strings.Repeat("$x.a(", 500) + "1", "more than 100 levels"},
	} {
		_, err := Parse(tt.template)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.200v, want %q", tt.name, err, tt.want)
		}
	}
	// The longest templates do not take long.
	for _, text := range []string{"$", "#", `\`, "$x", "$!", "#*", "#[[", `"`, "#set($x=1) ", " ", "$x.a##", "#a(", "{",
		"$ ", "#a ", "#1 ", "# ", "$#", `#\`, `$\`, `\#`, "#[[]]#", "$x.", "$x ", "#set($x=\"$y\")", "#if($x)#end", "#a(b c)", "a\n",
		"$x.split('a{999}')", `$x.split('\p{L}\p{L}')`, "$input.path('$[?(@=~/a{999}/)]')", "$input.path('$..a')"} {
		start := time.Now()
		if _, err := Parse(strings.Repeat(text, MaxLength/len(text)-1) + "x"); err != nil && strings.Contains(err.Error(), "longer") {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q repeated: took %v", text, d)
		}
	}
}

// A template ends with its context: the deadline of the integration.
func TestInterruption(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		template := mustParse(t, "#foreach($i in [1..1000])$i#end")
		if _, err := template.Render(ctx, Data{}); err != nil {
			t.Errorf("in time: %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		_, err := template.Render(ctx, Data{})
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "interrupted") {
			t.Errorf("too late: got %v", err)
		}
	})
}

// Overrides are what a template has set, and go on to the next one.
func TestOverrides(t *testing.T) {
	t.Parallel()
	render := func(text string, before Overrides) Overrides {
		t.Helper()
		result, err := mustParse(t, text).Render(context.Background(), Data{Overrides: before, Body: []byte(`{"l":["x",1]}`)})
		if err != nil {
			t.Fatal(err)
		}
		return result.Overrides
	}
	first := render(`#set($context.requestOverride.header.A = "1")`+
		`#set($context.requestOverride.header["X-B"] = [1, "two"])`+
		`#set($i = $context.requestOverride.querystring.put("q", $input.path('$.l')))`+
		`#set($context.requestOverride.path.p = 7)`+
		`#set($context.responseOverride.status = 404)`+
		`#set($context.responseOverride.kept = "k")#set($context.other = 1)`, Overrides{})
	want := RequestOverride{
		Path:        []Override{{"p", []string{"7"}}},
		Querystring: []Override{{"q", []string{"x", "1"}}},
		Header:      []Override{{"A", []string{"1"}}, {"X-B", []string{"1", "two"}}},
	}
	if got := first.Request(); !reflect.DeepEqual(got, want) {
		t.Errorf("request: got %v, want %v", got, want)
	}
	if got := first.Response(); got.Status != 404 || got.Header != nil {
		t.Errorf("response: got %+v", got)
	}
	second := render(`#set($context.responseOverride.header.Y = "$context.responseOverride.kept$context.other|$context.requestOverride.header.A")#set($x = $context.requestOverride.header.remove("A"))`, first)
	if got := fmt.Sprint(second.Response()); got != "{404 [{Y [k|1]}]}" {
		t.Errorf("the second response: %s", got)
	}
	if got := len(first.Request().Header); got != 2 {
		t.Errorf("the first request has been changed: %d headers", got)
	}
	if got := fmt.Sprint(render("nothing", second).Response()); got != "{404 [{Y [k|1]}]}" {
		t.Errorf("the third response: %s", got)
	}
	for status, want := range map[string]int{"99": 0, "600": 0, "599": 599, "'201'": 201, "'x'": 0, "200.5": 0, "[200]": 0} {
		if got := render("#set($context.responseOverride.status = "+status+")", Overrides{}).Response().Status; got != want {
			t.Errorf("status %s: got %d, want %d", status, got, want)
		}
	}
	// What is no map any more has no overrides.
	if got := render("#set($context.responseOverride = 1)#set($context.requestOverride.header = 'x')", first); got.Response().Status != 0 || got.Request().Header != nil {
		t.Errorf("got %+v, %+v", got.Request(), got.Response())
	}
}

// $context has the order and the types of what it is made of.
func TestContext(t *testing.T) {
	t.Parallel()
	values, err := ParseValues([]byte(`{"z":1,"a":{"n":1.50,"t":true,"s":"x","o":{"l":[1,"b"]},"null":null},"big":12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	for template, want := range map[string]string{
		"$context":                            "{z=1, a={n=1.5, t=true, s=x, o={l=[1,\"b\"]}, null=null}, big=12345678901234567890, requestOverride={path={}, header={}, querystring={}}, responseOverride={header={}}}",
		"$context.a.n $context.a.t":           "1.5 true",
		"$context.a.o.l[1] $context.a.s":      "b x",
		"[$context.a.null][$context.a.n.m]":   "[][]",
		"#set($n = $context.z + 1)$n":         "2",
		"$context.keySet()":                   "[z, a, big, requestOverride, responseOverride]",
		"#set($context.z = 'q')$context.z":    "q",
		"#set($context.a.s = 1)$context.a":    "{n=1.5, t=true, s=1, o={l=[1,\"b\"]}, null=null}",
		"[$context.requestOverride.header.a]": "[]",
		"$context['z'] $context.get('z')":     "1 1",
		"#foreach($v in $context.a.o)$v#end":  "[1,\"b\"]",
		"#set($context = 1)$context":          "1",
		"#set($c = $context)$c.z $c.a.s":      "1 x",
		"#if($context.a.s == 'x')y#end":       "y",
	} {
		result, err := mustParse(t, template).Render(context.Background(), Data{Context: values})
		if err != nil || string(result.Text) != want {
			t.Errorf("%s: got %q, %v, want %q", template, result.Text, err, want)
		}
	}
	for _, bad := range []string{"", "1", "[1]", `{"a":}`, "{a:1}"} {
		if v, err := ParseValues([]byte(bad)); err == nil && len(v) > 0 {
			t.Errorf("%q: got %v", bad, v)
		}
	}
}

// The stage variables have an order, so that templates give the same every time.
func TestStageVariables(t *testing.T) {
	t.Parallel()
	d := Data{StageVariables: map[string]string{"b": "2", "a": "1", "c": "3"}}
	for template, want := range map[string]string{
		"$stageVariables": "{a=1, b=2, c=3}",
		"#foreach($v in $stageVariables)$v#end $stageVariables.keySet()":         "123 [a, b, c]",
		"$stageVariables.get('b')$stageVariables.size()$!stageVariables['none']": "23",
	} {
		result, err := mustParse(t, template).Render(context.Background(), d)
		if err != nil || string(result.Text) != want {
			t.Errorf("%s: got %q, %v, want %q", template, result.Text, err, want)
		}
	}
}

// With StrictJSON what is not JSON is an error.
func TestStrictJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		template, body string
		strict, want   string
	}{
		{"$input.json('$')", `{"a":1}`, `{"a":1}`, `{"a":1}`},
		{"$input.json('$')", `{a:1}`, "", `{"a":1}`},
		{"$input.json('$')", `a`, "", `"a"`},
		{"$input.body", `{a:1}`, "{a:1}", "{a:1}"},
		{"$input.json('$')", ``, "{}", "{}"},
		{"$util.parseJson('{a:1}')", ``, "", "{a=1}"},
	} {
		for _, strict := range []bool{false, true} {
			want := tt.want
			if strict {
				want = tt.strict
			}
			result, err := mustParse(t, tt.template).Render(context.Background(), Data{Body: []byte(tt.body), StrictJSON: strict})
			if string(result.Text) != want || (err != nil) != (want == "") {
				t.Errorf("%s, strict %t: got %q, %v, want %q", tt.template, strict, result.Text, err, want)
			}
		}
	}
}

// Append leaves what is there alone, and the limit is about what comes new.
func TestAppend(t *testing.T) {
	t.Parallel()
	template := mustParse(t, "#set($s = \"a$x\")$s.length()")
	result, err := template.Append(context.Background(), []byte("before "), Data{Limits: Limits{Output: 1}})
	if err != nil || string(result.Text) != "before 1" {
		t.Errorf("got %q, %v", result.Text, err)
	}
}

// One template renders for many at the same time, and leaves nothing behind in between.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	template := mustParse(t, `#set($l = [1])#set($n = $l.add($input.path('$.n')))#define($d)$old#end$l $d$old#set($old = "left")#foreach($i in [1..3])$input.json('$.n')#end$input.params('p')`)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			d := Data{Body: fmt.Appendf(nil, `{"n":%d}`, i)}
			if i%2 == 0 {
				d.Params.Path = []Param{{"p", "even"}}
			}
			want := fmt.Sprintf("[1, %d] %d%d%d", i, i, i, i)
			if i%2 == 0 {
				want += "even"
			}
			for range 200 {
				result, err := template.Render(context.Background(), d)
				if err != nil || string(result.Text) != want {
					t.Errorf("got %q, %v, want %q", result.Text, err, want)
					return
				}
			}
		})
	}
	group.Wait()
}

// Renderings that fail leave nothing behind either.
func TestAfterError(t *testing.T) {
	t.Parallel()
	template := mustParse(t, `#set($x = "left")#set($y = $input.path('$.list').get($input.path('$.at')))[$y]`)
	for range 3 {
		if _, err := template.Render(context.Background(), Data{Body: []byte(`{"list":[1],"at":5}`)}); err == nil {
			t.Fatal("no error")
		}
		result, err := template.Render(context.Background(), Data{Body: []byte(`{"list":["a"],"at":0}`)})
		if err != nil || string(result.Text) != "[a]" {
			t.Fatalf("got %q, %v", result.Text, err)
		}
	}
}
