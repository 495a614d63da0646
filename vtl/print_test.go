package vtl

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// shape returns the tree of a template, without the offsets.
func shape(t *Template) string {
	var b strings.Builder
	describe(&b, reflect.ValueOf(t.nodes), 0)
	return b.String()
}

func describe(b *strings.Builder, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		switch v.Type().String() {
		case "*jsonpath.Query", "*vtl.pattern", "*big.Int":
			b.WriteString("known")
			return
		}
		describe(b, v.Elem(), depth)
	case reflect.Slice:
		b.WriteString("[")
		for i := range v.Len() {
			fmt.Fprintf(b, "\n%s", strings.Repeat(" ", depth+1))
			describe(b, v.Index(i), depth+1)
		}
		b.WriteString("]")
	case reflect.Struct:
		fmt.Fprintf(b, "%s{", v.Type().Name())
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; name {
			case "offset", "bad":
			default:
				fmt.Fprintf(b, " %s=", name)
				describe(b, v.Field(i), depth)
			}
		}
		b.WriteString("}")
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v)
	}
}

// What is printed is what was written, but for blanks inside of directives.
func TestString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"a $b ${c} $!d $!{e}\n", ""},
		{"\\$a \\\\$a \\#if \\\\\\#end \\x $ # $! $.a $[0]", ""},
		{"## c\n#* d *##** e *#\n#[[ $x ]]#", ""},
		{"  #set($a = 1)  \n\t#{set} ($b = 2)\r\n", ""},
		{"#set( $a=1+2*3 )", "#set($a = 1 + 2 * 3)"},
		{"#if ( $a and !$b )x#elseif(($c lt 1))\ny#{else}z#{end}  \n", "#if ($a && !$b)x#elseif(($c < 1))\ny#{else}z#{end}  \n"},
		{"#foreach( $i in [1,2] ) \n$i#end", "#foreach($i in [1, 2]) \n$i#end"},
		{"$a.b( 1,\"x\",'y' )[ 0 ].c[ \"k\" ].d()", "$a.b(1, \"x\", 'y')[0].c[\"k\"].d()"},
		{`#set($s = "a ""$b"" c")`, ""},
		{`#set($s = 'it''s')`, ""},
		{`#set($s = "\u005Cu0041\u0041")`, `#set($s = "\u005Cu0041A")`},
		{"#set($m = { 'a' : [ ] , \"b\":{ } })", ""},
		{"#set($m = { 'a' : [ 1 .. 3 ] , \"b\":{ } })", "#set($m = {'a': [1..3], \"b\": {}})"},
		{"#define( $d )x#end#macro(m $a)y#end#nope( a b )#@z()w#end#stop", "#define($d)x#end#macro(m $a)y#end#nope( a b )#@z()w#end#stop"},
	} {
		template, err := Parse(tt.text)
		if strings.Contains(tt.text, "[ ]") {
			if err == nil {
				t.Errorf("%q parses", tt.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		want := tt.want
		if want == "" {
			want = tt.text
		}
		if got := template.String(); got != want {
			t.Errorf("%q: printed as\n     %q\nwant %q", tt.text, got, want)
		}
	}
}
