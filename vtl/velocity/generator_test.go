//go:build velocity

package velocity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A generator makes up templates: by the grammar, out of known ones, and both of them
// damaged.
type generator struct {
	*rand.Rand
	seeds []string
	depth int
	sound bool // nothing is made up of which it is known that it does not parse
	loops int  // how many loops there are around
}

func newGenerator(r *rand.Rand, seeds []string) *generator {
	return &generator{Rand: r, seeds: seeds}
}

// readSeeds returns the templates of all examples and vectors.
func readSeeds(t testing.TB) []string {
	t.Helper()
	var seeds []string
	names, err := filepath.Glob("../testdata/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatalf("files %q: %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			var v struct{ T string }
			if err := json.Unmarshal(line, &v); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			seeds = append(seeds, v.T)
		}
	}
	for _, e := range readCorpus(t) {
		seeds = append(seeds, e.Template)
	}
	return seeds
}

// payloads are what $input reads.
var payloads = []string{
	`{"s":"x/y \"q\" é","n":1,"f":1.5,"t":true,"z":null,"l":[1,"a",{"k":[true,null]}],"o":{"p":{"q":1}},"el":[],"eo":{}}`,
	`[{"id":1,"name":"x"},{"id":2,"name":null},[3,[4.0,12345678901]]]`,
	`{"big":12345678901234567890,"e":1e21,"d":1.123456789012345678901,"neg":-0.0,"l":["b","a","c"]}`,
	``,
}

// example returns one more template with a payload.
func (g *generator) example() example {
	var text string
	g.sound = g.chance(60)
	switch g.IntN(20) {
	case 0, 1, 2:
		text = g.damaged(g.template())
	case 3:
		text = g.seed()
	case 4, 5:
		text = g.damaged(g.seed())
	case 6:
		text = g.spliced(g.seed(), g.template())
	case 7, 8:
		text = g.soup()
	default:
		text = g.template()
	}
	return example{Template: strings.ToValidUTF8(text, ""), Payload: pick(g, payloads)}
}

func (g *generator) seed() string { return g.seeds[g.IntN(len(g.seeds))] }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// chance is true in n of 100 cases.
func (g *generator) chance(n int) bool { return g.IntN(100) < n }

// word picks one of the words in a text.
func (g *generator) word(words string) string { return pick(g, strings.Fields(words)) }

// preludes give the variables that templates use a value.
var preludes = []string{
	`#set($s = "abc")`, `#set($s='a.b,c d')`, `#set($t = "x$s")`, `#set($n = 7)`, `#set($n=-3)`, `#set($f = 2.5)`,
	`#set($l = [1, "b", 3])`, `#set($l=[])`, `#set($l = [[1,2],["x"],{"k":"v"}])`, `#set($m = {"a": 1, "b": [1, 2], "c-d": {"e": "f"}})`,
	`#set($m={})`, `#set($r = [1..4])`, `#set($b = true)`, `#set($b=false)`, `#set($j = $input.path('$'))`, `#set($j=$input.path("$.l"))`,
	"#set($j = $util.parseJson('{\"a\":[1,\"x/y\"],\"b\":{\"c\":null}}'))", "#define($d)[$s]#end", "#define( $d )\n #set($n = 1)$n #end\n",
}

func (g *generator) template() string {
	g.depth, g.loops = 0, 0
	var b strings.Builder
	for range g.IntN(6) {
		b.WriteString(pick(g, preludes))
		if g.chance(30) {
			b.WriteString(g.space())
		}
	}
	b.WriteString(g.block(2 + g.IntN(7)))
	return b.String()
}

func (g *generator) block(n int) string {
	g.depth++
	defer func() { g.depth-- }()
	var b strings.Builder
	for range n {
		b.WriteString(g.statement())
	}
	return b.String()
}

func (g *generator) space() string {
	return pick(g, []string{"", "", " ", "  ", "\n", "\n", "\r\n", "\t", " \n", "\n  ", " \t\n\n", "\r"})
}

func (g *generator) gap() string {
	return pick(g, []string{"", "", "", "", " ", " ", "  ", "\t", "\n"})
}

var texts = []string{
	"a", "b ", "x.", "{", "}", "\"", "'", ",", ": ", "[", "]", "(", ")", "-1", "_", "@", "0", "é", "€", "😀", "\\", "\\\\", "$", "$$", "#", "##", "\\$", "\\#",
	"$!", "$!!", "${", "#{", "$5", "#5", "$.", "$-", "# ", "$ ", "#*", "*#", "#[[", "]]#", ".", "..", "!", "&&", "=", "<a href=\"#\">", "#foo", "#nope()", "\\#end", "\\#if", "\\#foo",
	"\\$x", "\\\\$x", "{\"id\": \"", "\"}", "#-", "#.5", "#1e", "$.x", "$[", "#(", "#@x", "\u0000", "\u007f", "\u00a0", "\u2028",
}

var soundTexts = []string{"a", "b ", "x.", ", ", "{", "}", "\"", "'", ":", " [", "]", " (", ")", " -1", "@", "\\", "\\\\ ", "é", "😀", "$ ", "# ", "$5", "#5 ", "$.", "{\"id\": \"", "\"}", "\\#end", "\\$x", "\\\\$x", "#foo", "## c\n", "#**#", " $!", "US$", "\\#foo", "..", "=", "\u0000", "\u2028"}

func (g *generator) statement() string {
	if g.depth > 4 {
		return pick(g, []string{"a", " ", g.output(), "\n"})
	}
	switch n := g.IntN(100); {
	case n < 12:
		return g.space()
	case n < 22:
		if g.sound {
			return pick(g, soundTexts)
		}
		return pick(g, texts)
	case n < 30:
		return g.word("a b c id name value text")
	case n < 54:
		return g.output()
	case n < 68:
		return g.set()
	case n < 80:
		return g.condition()
	case n < 88:
		return g.loop()
	case n < 90:
		return "##" + g.word("c $x #if #end ab") + pick(g, []string{"\n", "\r\n", "\r", ""})
	case n < 92:
		return "#*" + pick(g, []string{"", "*", " c ", "\n", "$x #if", "#", "*"}) + "*#"
	case n < 93:
		return "#[[" + g.block(1) + "]]#"
	case n < 94:
		return "#literal()" + g.tail() + "l" + g.block(1) + "#end" + g.closing()
	case n < 95:
		return "#define($" + g.word("d e s") + ")" + g.tail() + g.block(1+g.IntN(2)) + "#end" + g.closing()
	case n < 96:
		return "#macro(" + g.word("m foo") + pick(g, []string{"", " $a", " $a $b"}) + ")" + g.block(1) + "#end" + g.closing()
	case n < 98:
		return pick(g, []string{"#stop", "#break", "#{stop}", "#{break}", "#break($foreach)", "#stop()", "#break()", "#break($foreach.parent)", "#stop ", "#break\n"})
	case n < 99:
		return "#" + pick(g, []string{"foo", "include", "parse", "evaluate", "m", "@m", "IF", "end_", "a1"}) + "(" + g.arguments() + ")" + g.tail()
	case g.sound:
		return "\n"
	default:
		return pick(g, []string{"#end", "#else", "#elseif(true)", "#if", "#foreach", "#set", "#set(", "$x[", "${x", "$x.y("})
	}
}

// tail is what follows a directive.
func (g *generator) tail() string {
	if g.chance(60) {
		return ""
	}
	return g.space()
}

// closing is what follows #end and #else; a letter would be part of the word.
func (g *generator) closing() string {
	if g.sound {
		return pick(g, []string{" ", "\n", " \n", "\r\n", "\t", "."})
	}
	return g.tail()
}

func (g *generator) directive(name string) string {
	if g.chance(12) || g.sound && (name == "end" || name == "else") && g.chance(60) {
		return "#{" + name + "}"
	}
	return "#" + name
}

func (g *generator) set() string {
	var target string
	switch g.IntN(10) {
	case 0:
		target = "$" + g.word("l m j u i e") + ".a"
		if !g.sound {
			target = g.reference()
		}
	case 1:
		target = "$" + g.word("m l j u context s") + g.word(".a .b.c ['k'] [\"$s\"] [0] [9] [-1] .requestOverride.header.X [$n] .a.b.c")
	default:
		target = "$" + pick(g, strings.Fields("s t n f l m r b j x y i"))
	}
	blanks := pick(g, []string{"", "", "", " ", "  ", "\t"})
	if g.sound && blanks == "\t" {
		blanks = ""
	}
	return pick(g, []string{"", "", "", " ", "  ", "\t"}) + g.directive("set") + blanks + "(" + g.gap() + target + g.gap() +
		"=" + g.gap() + g.expression() + g.gap() + ")" + g.tail()
}

func (g *generator) expression() string {
	if g.depth > 6 {
		return g.word("1 $n 'a' $u true")
	}
	g.depth++
	defer func() { g.depth-- }()
	switch n := g.IntN(100); {
	case n < 50:
		return g.argument()
	case n < 60:
		return "(" + g.gap() + g.expression() + g.gap() + ")"
	case n < 67:
		return g.word("! ! ! not") + pick(g, []string{" ", " ", g.gap()}) + g.expression()
	case n < 69:
		if g.sound {
			return g.reference()
		}
		return g.reference() + g.word("-1 +1 -$n .. && - =") + g.number()
	}
	if g.sound {
		return g.expression() + " " + g.word("+ + + - * / % == == != < > <= >= && || and or eq ne lt gt le ge") + " " + g.expression()
	}
	blank := pick(g, []string{" ", " ", " ", "", "\n"})
	return g.expression() + blank + g.word("+ + + - - * / % == == != < > <= >= && || and or eq ne lt gt le ge = & |") + blank + g.expression()
}

func (g *generator) condition() string {
	test := func() string {
		return pick(g, []string{"", "", "", " ", "\n"}) + "(" + g.gap() + g.expression() + g.gap() + ")" + g.tail()
	}
	var b strings.Builder
	b.WriteString(g.directive("if") + test() + g.block(1+g.IntN(3)))
	for g.chance(20) {
		b.WriteString(g.directive("elseif") + test() + g.block(1))
	}
	if g.chance(35) {
		b.WriteString(g.directive("else") + g.closing() + g.block(1+g.IntN(2)))
	}
	if g.sound || g.chance(98) {
		b.WriteString(g.directive("end") + g.closing())
	}
	return b.String()
}

func (g *generator) loop() string {
	in := g.argument
	if g.chance(70) {
		in = func() string {
			return g.word("$l $m $r $j [1..3] ['a','b'] $m.keySet() $m.entrySet() $m.values() $u $s $s.split(',')")
		}
	}
	g.loops++
	defer func() { g.loops-- }()
	body := g.block(1 + g.IntN(4))
	if g.chance(30) {
		body = pick(g, []string{"$i", "$foreach.index", "$velocityCount", "$foreach.hasNext", "#if($foreach.hasNext),#end", "$e.key=$e.value"}) + body
	}
	return g.directive("foreach") + pick(g, []string{"", "", " "}) + "(" + g.gap() + "$" + g.word("i i e k s foreach") +
		pick(g, []string{" ", " ", "  ", "\n"}) + g.word("in in in in in of") + " " + in() + g.gap() + ")" + g.tail() + body + g.directive("end") + g.closing()
}

// tokens are what damaged templates and soups are made of.
var tokens = append([]string{
	"$x", "$!x", "${x}", "$x.y", "$x.y()", "$s.length()", "#if(true)", "#if($x)", "#else", "#elseif(false)", "#end", "#{end}", "#set($x=1)", "#set($s = 'q')", " ", "\n", "  ", "\t",
	"#foreach($i in [1,2])", "#define($d)", "$d", "$i", "#macro(m)", "#literal()", "(", ")", "'", "\"", "\\", "#", "$", "1", "-", "a", "{", "}", "[", "]", "..", ".", ",", ":", "=", "==", "!", "#stop", "#break",
	"#foo", "#foo()", "#@foo", "#include", "#parse('x')", "\r\n", "\r", "true", "null", "in", "#{", "#{if}(1==1)", "$foreach.index", "#end\n", "#else\n", "#if(false)", "\\\\",
}, texts...)

// soup returns tokens without any grammar.
func (g *generator) soup() string {
	var b strings.Builder
	if g.chance(50) {
		b.WriteString("#set($x='v')")
	}
	for range 1 + g.IntN(9) {
		b.WriteString(pick(g, tokens))
	}
	return b.String()
}

// damaged returns a template with a few pieces missing, doubled, moved or put in.
func (g *generator) damaged(text string) string {
	for range 1 + g.IntN(3) {
		r := []rune(text)
		if len(r) == 0 {
			return pick(g, tokens)
		}
		at := g.IntN(len(r))
		end := min(len(r), at+1+g.IntN(6))
		switch g.IntN(6) {
		case 0, 1:
			text = string(r[:at]) + string(r[end:])
		case 2:
			text = string(r[:end]) + string(r[at:])
		case 3, 4:
			text = string(r[:at]) + pick(g, tokens) + string(r[at:])
		default:
			text = string(r[:at])
		}
	}
	return text
}

// spliced returns the beginning of one template and the end of another.
func (g *generator) spliced(a, b string) string {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 || len(y) == 0 || g.chance(30) {
		return a + b
	}
	return fmt.Sprint(string(x[:g.IntN(len(x)+1)]), string(y[g.IntN(len(y)):]))
}
