package vtl

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestInputOnce: the body is the same whether it is printed at once or after it has been
// parsed, and so is what that takes from the limits. What is at the end of the template makes
// it parse the body without printing anything.
func TestInputOnce(t *testing.T) {
	t.Parallel()
	const parsed = `#if(false)$input.json('$')#end`
	for _, body := range []string{
		"", " ", "null", "7", "x", `"a"`, `{"a":1,"b":[1.50,"\u00e9/\u2028"],"c":{}}`, `{"a":1,"a":2}`,
		`[1 2]`, `{a:b} x`, `[[[1]]]`, "{\"a\":\"\xff\"}", `{"a"`, `[1,2,3,4,5,6,7,8,9,10,11,12]`,
	} {
		for _, text := range []string{
			`$input.json('$')`, `$input.json('$').length()`, `#set($j = $input.json('$'))$j$j`,
			`#foreach($i in [1..3])$input.json('$');#end`, `#define($d)$input.json('$')#end$d`,
			`#set($input = 1)$input.json('$')`, `#set($m = {})#set($m[0] = 1)$input.json('$')`,
		} {
			for _, l := range []Limits{{}, {Depth: 2}, {Depth: 3}, {String: 12}, {Output: 20}, {Work: 40}, {Work: 70}, {Steps: 1}, {Steps: 2}, {Steps: 5}} {
				for _, strict := range []bool{false, true} {
					d := Data{Body: []byte(body), Limits: l, StrictJSON: strict}
					once, onceErr := mustParse(t, text).Render(context.Background(), d)
					want, wantErr := mustParse(t, text+parsed).Render(context.Background(), d)
					if string(once.Text) != string(want.Text) || fmt.Sprint(onceErr) != fmt.Sprint(wantErr) {
						t.Errorf("%s of %q, %+v, strict %v: got %q, %v, want %q, %v", text, body, l, strict,
							once.Text, onceErr, want.Text, wantErr)
					}
				}
			}
		}
	}
}

// TestManyVariables: variables keep their values, however many there are.
func TestManyVariables(t *testing.T) {
	t.Parallel()
	var text, want strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "#set($v%d = %[1]d)", i)
	}
	for i := range 50 {
		fmt.Fprintf(&text, "$v%d ", i)
		fmt.Fprintf(&want, "%d ", i)
	}
	result, err := mustParse(t, text.String()).Render(context.Background(), Data{})
	if err != nil || string(result.Text) != want.String() {
		t.Errorf("got %s, %v", result.Text, err)
	}
}
