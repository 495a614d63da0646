//go:build velocity

package velocity

import (
	"strings"
)

func (g *generator) output() string {
	return pick(g, []string{"", "", "", "", "", "\\", "\\\\", "$", "\\\\\\"}) + g.reference()
}

// variable returns the name of a variable. The chance that it has a value is good.
func (g *generator) variable() string {
	return g.word("s s s t n n f l l l m m m r b j j d u x i i e k foreach velocityCount input util context stageVariables a-b _x A1 m- velocityHasNext")
}

func (g *generator) reference() string {
	var b strings.Builder
	b.WriteString("$")
	if g.chance(10) {
		b.WriteString("!")
	}
	braced := g.chance(25)
	if braced {
		b.WriteString("{")
	}
	name := g.variable()
	b.WriteString(name)
	switch {
	case name == "input" && g.chance(90):
		b.WriteString(g.input())
	case name == "util" && g.chance(90):
		b.WriteString("." + g.word("escapeJavaScript urlEncode base64Encode parseJson nope") + "(" + g.argument() + ")")
	case name == "context" && g.chance(90):
		b.WriteString(g.word(".stage .n .identity .identity.sourceIp .nope .requestOverride .responseOverride.header .nope.x ['stage']"))
	case name == "foreach" && g.chance(95):
		b.WriteString(g.word(".index .count .hasNext .first .last .parent.index .parent.count .topmost.count .nope .index.toString() .getIndex() .parent .hasNext()"))
	}
	for range g.steps() {
		b.WriteString(g.step())
	}
	if braced && (g.sound || g.chance(97)) {
		b.WriteString("}")
	}
	return b.String()
}

func (g *generator) steps() int {
	if g.depth > 4 {
		return g.IntN(2)
	}
	switch n := g.IntN(10); {
	case n < 4:
		return 0
	case n < 8:
		return 1
	case n < 9:
		return 2
	}
	return 3
}

func (g *generator) input() string {
	path := g.word("$ $.s $.n $.l $.l[0] $.l[2].k $.o $.o.p $.nope $.z $.el $[0] $[1].name $.big $.e $.d $.f $.t $['s'] $.l[-1]")
	quote := g.word(`' "`)
	switch g.IntN(6) {
	case 0:
		return ".body"
	case 1, 2:
		return ".json(" + quote + path + quote + ")"
	case 3:
		return ".params(" + g.word(`'q' 'dup' "X-A" 'nope' $u 1`) + ")"
	case 4:
		return ".params()" + g.word(".header .querystring.q .get('path') .keySet() .nope")
	}
	return ".path(" + quote + path + quote + ")"
}

// members are methods with patterns of their arguments: s is a string, i an integer, a
// anything, r a regular expression.
var members = strings.Fields(`length: isEmpty: isBlank: charAt:i substring:i substring:ii indexOf:s indexOf:si lastIndexOf:s lastIndexOf:si
 contains:s startsWith:s startsWith:si endsWith:s equals:a equals:s equalsIgnoreCase:s compareTo:s compareTo:a matches:r replace:ss replaceAll:rs replaceFirst:rs
 split:r split:ri toLowerCase: toUpperCase: trim: concat:s toString: hashCode: valueOf:a repeat:i strip: codePointAt:i toCharArray: contentEquals:s compareToIgnoreCase:s
 size: size: size: get:i get:i get:s get:a add:a add:a add:ia addAll:a addAll:ia set:ia remove:i remove:a contains:a containsAll:a indexOf:a lastIndexOf:a
 subList:ii clear: iterator: count: removeAll:a retainAll:a
 put:sa put:sa put:aa putAll:a putIfAbsent:sa getOrDefault:sa replace:sa containsKey:s containsKey:a containsValue:a remove:s keySet: values: entrySet: toArray:
 intValue: longValue: doubleValue: floatValue: shortValue: byteValue: compareTo:i parseInt:s parseLong:s parseDouble:s valueOf:s toHexString:i toBinaryString:i max:ii min:ii sum:ii compare:ii
 booleanValue: parseBoolean:s isNaN: getKey: getValue: setValue:a hasNext: next: nope: nope:a format:sa`)

func (g *generator) step() string {
	switch n := g.IntN(10); {
	case n < 2:
		return "." + g.word("a b c-d k e id name empty size length key value p l o nope index count class foo_ x1")
	case n < 4:
		return "[" + g.gap() + g.index() + g.gap() + "]"
	case n < 5 && !g.sound:
		return g.word(".s .. . .1 .( () [ ] .length() .toString()")
	}
	name, kinds, _ := strings.Cut(pick(g, members), ":")
	args := make([]string, 0, 3)
	for _, kind := range kinds {
		switch {
		case g.chance(6):
			args = append(args, g.argument())
		case kind == 's':
			args = append(args, g.word(`'a' "b" 'k' "c-d" 'bc' "" '' ',' "$s" '.' '7' "-12" '1.5' "x" 'é' $s $u 'true'`))
		case kind == 'r':
			args = append(args, g.word(`'a' "b" ',' '[,.]' '.' 'b*' '(a)(b)?' '\.' '' "$s" '^a' '[a-z]+' '(?i)B' '\w' 'a|b' '('`))
		case kind == 'i':
			args = append(args, g.word(`0 0 1 1 2 3 -1 5 $n $l.size() $i`))
		default:
			args = append(args, g.argument())
		}
	}
	if g.chance(3) {
		args = append(args, g.argument())
	}
	return "." + name + "(" + strings.Join(args, pick(g, []string{",", ", ", " , ", ",\n"})) + ")"
}

func (g *generator) index() string {
	if g.sound {
		return pick(g, []string{"0", "0", "1", "-1", "2", "'a'", "\"b\"", "'c-d'", "\"k\"", "$n", "$s", "$i", "$u", "true", "\"$s\"", "'0'"})
	}
	return pick(g, []string{"0", "1", "-1", "2", "9", "'a'", "\"b\"", "'c-d'", "\"k\"", "$n", "$s", "$i", "$u", "true", "\"$s\"", "1.5", "a", "$l.size()", "'0'"})
}

func (g *generator) arguments() string {
	var args []string
	for range g.IntN(4) {
		args = append(args, g.argument())
	}
	return strings.Join(args, pick(g, []string{" ", ", ", ",", "  "}))
}

// argument returns a value that can stand in lists, maps and calls.
func (g *generator) argument() string {
	if g.depth > 5 {
		return "1"
	}
	g.depth++
	defer func() { g.depth-- }()
	switch n := g.IntN(100); {
	case n < 22:
		return g.text()
	case n < 40:
		return g.number()
	case n < 62:
		return g.reference()
	case n < 70:
		return "[" + g.list(",", func() string { return g.gap() + g.argument() + g.gap() }) + "]"
	case n < 77:
		return "{" + g.list(",", func() string {
			return g.gap() + g.argument() + g.gap() + ":" + g.gap() + g.argument() + g.gap()
		}) + "}"
	case n < 84:
		end := func() string { return pick(g, []string{"1", "3", "-2", "0", "$n", "$l.size()", "$u", "$s", "5"}) }
		return "[" + g.gap() + end() + g.gap() + ".." + g.gap() + end() + g.gap() + "]"
	case n < 92:
		return g.word("true false")
	case n < 95:
		if g.sound {
			return "'w'"
		}
		return g.word("null foo a-b _c")
	case g.sound:
		return g.number()
	default:
		return pick(g, []string{"1 + 1", "(1)", "!true", "", "'a", "\"a", "[1,]", "{a:1}", "- 1", "[ ]", "{ }", "'a''b'", "$", "1..2", "1.", ".5", "'\\''", "\"\\\"\"", "\"\\u0041\"", "\"\\u00\""})
	}
}

func (g *generator) list(separator string, item func() string) string {
	var items []string
	for range g.IntN(4) {
		items = append(items, item())
	}
	return strings.Join(items, separator)
}

func (g *generator) number() string {
	return g.word("0 1 2 3 7 -1 -5 10 100 2147483647 2147483648 -2147483648 9223372036854775807 9223372036854775808 1.5 2.50 -0.5 0.1 1e3 1e10 1.0e-5 1E7 .5 -.5 3. 1e400 0.0 -0 007 1234567.0 12345678.9")
}

func (g *generator) text() string {
	switch g.IntN(6) {
	case 0:
		return "'" + pick(g, []string{"", "a", "b c", "it''s", "$s", "#if", "\\", "é", "x\ny", "\"", "5", "true", "null", "\\u0041"}) + "'"
	case 1, 2:
		return `"` + pick(g, []string{"", "a", "abc", "b,c", "say \"\"x\"\"", "5", "1.0", "\\n", "\\u00e9", "\\u0024s", "\\u005cu0041", "'", "[1, 2]", "{a=1}", " ", "\\ud83d\\ude00"}) + `"`
	case 3:
		return `"` + strings.ReplaceAll(g.reference(), `"`, `""`) + `"`
	default:
		return `"` + strings.ReplaceAll(g.block(1+g.IntN(3)), `"`, `""`) + `"`
	}
}
