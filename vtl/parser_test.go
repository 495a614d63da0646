package vtl

import (
	"context"
	"testing"
)

// TestLiterals: where the text of tokens is wanted, comments are not part of it, and the dollars
// and hashes are that belong to no token.
func TestLiterals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"#literal()a $b.c($d) #if(1)#end#end", "a $b.c($d) #if(1)#end"},
		{"#literal()a#**#b#end", "ab"},
		{"#literal()#**#b#end", "b"},
		{"#literal()a#* x *#b#end", "ab"},
		{"#literal()a ## x\nb#end", "a ##\nb"},
		{"#literal()$ x#end", "$ x"},
		{"#literal()a$ x#end", "a$ x"},
		{"#literal()# x#end", "# x"},
		{`\\\$a.b(1)`, `\$a.b(1)`},
		{"$$$a", "$$"},
		{"#foo($ a)", "#foo( a)"},
	} {
		result, err := mustParse(t, tt.in).Render(context.Background(), Data{})
		if err != nil || string(result.Text) != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.in, result.Text, err, tt.want)
		}
	}
}
