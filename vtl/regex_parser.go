package vtl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A regexParser reads a regular expression of Java.
type regexParser struct {
	src   string
	i     int
	depth int
	b     *backtracker
	flags regexFlags
	refs  []regexBack
	// How much there is to compile: characters, as often as they are repeated.
	weight int
}

type regexFlags struct{ fold, single, multi bool }

// parseRegex parses a regular expression that is matched by trying.
func parseRegex(text string) (b *backtracker, err error) {
	p := &regexParser{src: text, b: &backtracker{names: map[string]int{}}}
	p.b.root, err = p.choice()
	if err == nil && p.i < len(p.src) {
		err = fmt.Errorf("offset %d: unexpected %q", p.i, p.src[p.i:])
	}
	for _, ref := range p.refs {
		if err == nil && ref.n > p.b.groups {
			err = fmt.Errorf("there is no group %d", ref.n)
		}
	}
	p.b.weight = p.weight
	return p.b, err
}

// maxWeight is how much regular expressions may weigh.
const maxWeight = 5000

func (p *regexParser) peek(n int) byte {
	if p.i+n < len(p.src) {
		return p.src[p.i+n]
	}
	return 0
}

// next reads a character.
func (p *regexParser) next() rune {
	c, size := utf8.DecodeRuneInString(p.src[p.i:])
	p.i += size
	return c
}

func (p *regexParser) accept(text string) bool {
	if !strings.HasPrefix(p.src[p.i:], text) {
		return false
	}
	p.i += len(text)
	return true
}

// choice parses
//
//	sequence { "|" sequence }
func (p *regexParser) choice() (regexNode, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("more than %d levels", maxNesting)
	}
	defer func() { p.depth-- }()
	var all regexChoice
	for {
		var one regexSequence
		for p.i < len(p.src) && p.src[p.i] != '|' && p.src[p.i] != ')' {
			n, err := p.repeated()
			if err != nil {
				return nil, err
			}
			one = append(one, n)
		}
		all = append(all, one)
		if !p.accept("|") {
			if len(all) == 1 {
				return one, nil
			}
			return all, nil
		}
	}
}

// repeated parses
//
//	atom { ( "*" | "+" | "?" | "{" low [ "," [ high ] ] "}" ) [ "?" | "+" ] }
func (p *regexParser) repeated() (regexNode, error) {
	before := p.weight
	p.weight++
	n, err := p.atom()
	if err != nil {
		return nil, err
	}
	for again := false; ; again = true {
		r := regexRepeat{inner: n, high: -1}
		switch c := p.peek(0); {
		case again && (c == '*' || c == '+' || c == '?'):
			return nil, fmt.Errorf("offset %d: nothing to repeat", p.i)
		case p.accept("*"):
		case p.accept("+"):
			r.low = 1
		case p.accept("?"):
			r.high = 1
		case p.peek(0) == '{':
			end := strings.IndexByte(p.src[p.i:], '}')
			if end < 0 {
				return nil, errors.New("{ without }")
			}
			low, high, open := strings.Cut(p.src[p.i+1:p.i+end], ",")
			p.i += end + 1
			var err error
			if r.low, err = strconv.Atoi(low); err != nil || r.low > 1000 {
				return nil, fmt.Errorf("a count of %q", low)
			}
			if !open {
				r.high = r.low
			} else if high != "" {
				if r.high, err = strconv.Atoi(high); err != nil || r.high < r.low || r.high > 1000 {
					return nil, fmt.Errorf("a count of %q", high)
				}
			}
		default:
			return n, nil
		}
		p.weight = before + (p.weight-before)*max(1, r.low, r.high)
		if p.weight > maxWeight {
			return nil, errors.New("too much is repeated")
		}
		if r.lazy = p.accept("?"); !r.lazy && p.accept("+") {
			n = regexLook{inner: r, atomic: true}
			continue
		}
		n = r
	}
}

// atom parses one thing.
func (p *regexParser) atom() (regexNode, error) {
	switch c := p.peek(0); c {
	case '(':
		return p.group()
	case '[':
		has, err := p.class()
		return regexClass{p.folded(has)}, err
	case '.':
		p.i++
		single := p.flags.single
		return regexClass{func(c rune) bool { return single || !isLineEnd(c) }}, nil
	case '^':
		p.i++
		multi := p.flags.multi
		return regexPlace{func(m *matcher, at int) bool {
			return at == 0 || multi && m.text[at-1] == '\n' && at < len(m.text)
		}}, nil
	case '$':
		p.i++
		multi := p.flags.multi
		return regexPlace{func(m *matcher, at int) bool {
			rest := m.text[at:]
			return rest == "" || rest == "\n" || rest == "\r\n" || rest == "\r" || multi && rest[0] == '\n'
		}}, nil
	case '{':
		// Nothing is repeated; what the braces hold must be a count all the same.
		return regexPlace{func(*matcher, int) bool { return true }}, nil
	case '*', '+', '?':
		return nil, fmt.Errorf("offset %d: nothing to repeat", p.i)
	case '\\':
		return p.escape()
	}
	c := p.next()
	return regexClass{p.folded(func(d rune) bool { return c == d })}, nil
}

// folded makes a class that does not mind the case of ASCII letters, if the flags say so.
func (p *regexParser) folded(has func(rune) bool) func(rune) bool {
	if !p.flags.fold {
		return has
	}
	return func(c rune) bool {
		return has(c) || c >= 'a' && c <= 'z' && has(c-32) || c >= 'A' && c <= 'Z' && has(c+32)
	}
}

// group parses what stands in parentheses.
func (p *regexParser) group() (regexNode, error) {
	p.i++
	before := p.flags
	wrap := func(n regexNode) regexNode { return n }
	switch {
	case p.accept("?:"):
	case p.accept("?="):
		wrap = func(n regexNode) regexNode { return regexLook{inner: n} }
	case p.accept("?!"):
		wrap = func(n regexNode) regexNode { return regexLook{inner: n, negate: true} }
	case p.accept("?<="):
		wrap = func(n regexNode) regexNode { return regexLook{inner: n, behind: true} }
	case p.accept("?<!"):
		wrap = func(n regexNode) regexNode { return regexLook{inner: n, behind: true, negate: true} }
	case p.accept("?>"):
		wrap = func(n regexNode) regexNode { return regexLook{inner: n, atomic: true} }
	case p.peek(0) == '?' && p.peek(1) != '<':
		p.i++
		if err := p.setFlags(); err != nil {
			return nil, err
		}
		if p.accept(")") { // for the rest of what the group is in
			return regexSequence{}, nil
		}
		if !p.accept(":") {
			return nil, errors.New("unknown kind of group")
		}
	default:
		p.b.groups++
		number := p.b.groups
		if p.accept("?<") {
			name, _, ok := strings.Cut(p.src[p.i:], ">")
			if !ok || name == "" {
				return nil, errors.New("a group without a name")
			}
			p.i += len(name) + 1
			p.b.names[name] = number
		}
		wrap = func(n regexNode) regexNode { return regexGroup{number, n} }
	}
	inner, err := p.choice()
	if err != nil {
		return nil, err
	}
	p.flags = before
	if !p.accept(")") {
		return nil, errors.New("( without )")
	}
	return wrap(inner), nil
}

// setFlags reads the flags of a group.
func (p *regexParser) setFlags() error {
	on := true
	for ; ; p.i++ {
		switch p.peek(0) {
		case '-':
			on = false
		case 'i':
			p.flags.fold = on
		case 's':
			p.flags.single = on
		case 'm':
			p.flags.multi = on
		case 'u', 'U':
		case ':', ')':
			return nil
		default:
			return errors.New("unknown flag")
		}
	}
}

func isLineEnd(c rune) bool {
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029
}

func isWord(c rune) bool {
	return c < utf8.RuneSelf && isWordPart(byte(c)) && c != '@'
}

// inWord reports whether a character is part of a word as \b has it.
func inWord(c rune) bool {
	return c == '_' || c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c))
}

// escape parses a backslash outside of a class.
func (p *regexParser) escape() (regexNode, error) {
	switch c := p.peek(1); c {
	case 'b', 'B':
		p.i += 2
		return regexPlace{func(m *matcher, at int) bool {
			before, _ := utf8.DecodeLastRuneInString(m.text[:at])
			after, _ := utf8.DecodeRuneInString(m.text[at:])
			return (inWord(before) != inWord(after)) == (c == 'b')
		}}, nil
	case 'R':
		p.i += 2
		one := func(has func(rune) bool) regexNode { return regexClass{has} }
		is := func(c rune) regexNode { return one(func(d rune) bool { return c == d }) }
		return regexChoice{regexSequence{is('\r'), is('\n')},
			one(func(c rune) bool { return isLineEnd(c) || c == '\v' || c == '\f' })}, nil
	case 'A':
		p.i += 2
		return regexPlace{func(_ *matcher, at int) bool { return at == 0 }}, nil
	case 'z', 'Z':
		p.i += 2
		return regexPlace{func(m *matcher, at int) bool {
			return at == len(m.text) || c == 'Z' && m.text[at:] == "\n"
		}}, nil
	case 'Q':
		p.i += 2
		text, _, _ := strings.Cut(p.src[p.i:], `\E`)
		p.i = min(len(p.src), p.i+len(text)+2)
		var all regexSequence
		for _, c := range text {
			all = append(all, regexClass{p.folded(func(d rune) bool { return c == d })})
		}
		return all, nil
	case 'k':
		name, _, ok := strings.Cut(p.src[p.i+2:], ">")
		n := p.b.names[strings.TrimPrefix(name, "<")]
		if !ok || !strings.HasPrefix(name, "<") || n == 0 {
			return nil, fmt.Errorf("there is no group %q", name)
		}
		p.i += len(name) + 3
		return regexBack{n, p.flags.fold}, nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		p.i += 2
		n := int(c - '0')
		for isDigit(p.peek(0)) && n*10+int(p.peek(0)-'0') <= p.b.groups {
			n = n*10 + int(p.peek(0)-'0')
			p.i++
		}
		ref := regexBack{n, p.flags.fold}
		p.refs = append(p.refs, ref)
		return ref, nil
	}
	has, _, err := p.escapedClass()
	return regexClass{p.folded(has)}, err
}
