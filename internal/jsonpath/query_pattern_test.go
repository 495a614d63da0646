package jsonpath

import (
	"strings"
	"testing"
)

// TestPattern: what Java's matches says.
func TestPattern(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expression, flags, text string
		want                    bool
	}{
		{"abc", "", "abc", true},
		{"b", "", "abc", false},
		{"a|ab", "", "ab", true},
		{".*", "", "a\nb", false},
		{".*", "", "a\rb", false},
		{".*", "", "a\u0085b", false},
		{".*", "", "a\u2028b", false},
		{".*", "s", "a\n\u2028b", true},
		{".*", "d", "a\rb", true},
		{".*", "d", "a\nb", false},
		{"(?s).*", "", "a\nb", true},
		{"(?s:.)(.)", "", "\n\n", false},
		{"((?s).)(.)", "", "\n\n", false},
		{"(?s)a(?-s)..", "", "a\n\n", false},
		{"(?s-i:A.)b", "i", "A\nB", true},
		{"(?s-i:A.)b", "i", "a\nB", false},
		{"ABC", "i", "aBc", true},
		{"a.c", "m", "abc", true},
		{"^abc$", "", "abc", true},
		{"a{2}", "", "aa", true},
		{"a{2,}b{0,1}", "", "aaa", true},
		{"a{,2}", "", "", false},
		{"a+?b??", "", "aab", true},
		{`\d+\.\d`, "", "12.5", true},
		{`\s`, "", "\v", true},
		{`\S`, "", "\v", false},
		{`[\s]`, "", "\v", true},
		{`[\S]`, "", "\v", false},
		{`[\S]`, "", "é", true},
		{`[^\S]`, "", " ", true},
		{`\h\H`, "", "\u00a0x", true},
		{`\v\V`, "", "\u2028x", true},
		{`[\h\v]+`, "", "\t\n\v\u3000", true},
		{`a\Rb`, "", "a\r\nb", true},
		{`\Q[a.b]\E+`, "", "[a.b]]", true},
		{`\Qa.`, "", "a.", true},
		{`[\Qa-c\E]+`, "", "a-c", true},
		{`[\Qa-c\E]`, "", "b", false},
		{`\x41\u0042\x{43}\0104\0x`, "", "", false},
		{`\x41\u0042\x{43}\0104`, "", "ABCD", true},
		{`\0418`, "", "!8", true},
		{`\t\n\e\a`, "", "\t\n\x1b\a", true},
		{`\/\-\_\@`, "", "/-_@", true},
		{`\é`, "", "é", true},
		{`[]a]+`, "", "]a", true},
		{`[^]a]`, "", "b", true},
		{`[a^&]+`, "", "a^&", true},
		{`[a-c\]\-]+`, "", "ab]-", true},
		{`a]b}`, "", "a]b}", true},
		{`\p{Lu}\p{L}\pN`, "", "Éé1", true},
		{`\p{Upper}\p{Alpha}*`, "", "Aé", false},
		{`\P{Digit}[\p{Punct}\P{Lower}]`, "", "a!", true},
		{`\p{IsLatin}\p{IsL}`, "", "aé", true},
		{`(?<year>\d{4})(?:-)(\d\d)`, "", "2024-05", true},
		{`\bfoo\b.\Bar`, "", "foo bar", false},
		{`\bfoo\b.b\Bar\z`, "", "foo bar", true},
		{`a\Z`, "", "a", true},
		{`\Aa`, "", "a", true},
		{"", "", "", true},
	} {
		re, err := compilePattern(tt.expression, tt.flags)
		if got := err == nil && re.MatchString(tt.text); got != tt.want {
			t.Errorf("%s with %q of %q: got %v, %v", tt.expression, tt.flags, tt.text, got, err)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, flags, want string }{
		{"(?=a)", "", "looking around"},
		{"(?!a)", "", "looking around"},
		{"(?<=a)", "", "looking around"},
		{"(?<!a)", "", "looking around"},
		{"(?>a)", "", "atomic groups"},
		{"a++", "", "possessive"},
		{"a{2}+", "", "possessive"},
		{`(a)\1`, "", "references back"},
		{`(?<x>a)\k<x>`, "", "references back"},
		{"[a[b]]", "", "classes in classes"},
		{"[a&&b]", "", "classes in classes"},
		{`[\b]`, "", `\b in a class`},
		{`\y`, "", `\y is not supported`},
		{`\G`, "", `\G is not supported`},
		{`\cA`, "", `\c is not supported`},
		{"a{x}", "", "bad repetition"},
		{"a{+1}", "", "bad repetition"},
		{"a{", "", "unclosed {"},
		{"a{2,1}", "", "invalid repeat count"},
		{"*", "", "missing argument"},
		{"a**", "", "invalid nested repetition"},
		{"(", "", "unclosed ("},
		{"(?i", "", "unclosed ("},
		{"(?<a", "", "unclosed name"},
		{"a)b(c", "", "unexpected )"},
		{"[a", "", "unclosed ["},
		{"[b-a]", "", "invalid character class range"},
		{`a\`, "", "unexpected end"},
		{`\x4`, "", "bad number"},
		{`\ud83d`, "", "bad number"},
		{`\x{110000}`, "", "bad number"},
		{`\x{ffffffff}`, "", "bad number"},
		{`\p{InGreek}`, "", "invalid character class range"},
		{`\p{^L}`, "", "bad name"},
		{`\p{`, "", "unclosed {"},
		{`\p`, "", "bad name"},
		{"a", "x", `flag 'x'`},
		{"(?x)a", "", `flag 'x'`},
		{"(?U)a", "", `flag 'U'`},
		{strings.Repeat("a", maxPattern+1), "", "longer than 1000"},
		{"((a{100}){100}){100}", "", "invalid repeat count"},
		{strings.Repeat("a{1000}", 20), "", "too many repetitions"},
	} {
		if _, err := compilePattern(tt.expression, tt.flags); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40s: got %v, want %s", tt.expression, err, tt.want)
		}
	}
}
