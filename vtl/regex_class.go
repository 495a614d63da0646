package vtl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapedClass parses a backslash that stands for characters; single is the one it stands
// for, -1 if there are several.
func (p *regexParser) escapedClass() (has func(rune) bool, single rune, err error) {
	p.i++
	if p.i >= len(p.src) {
		return nil, 0, errors.New("a backslash at the end")
	}
	c := p.next()
	one := func(c rune) (func(rune) bool, rune, error) {
		return func(d rune) bool { return c == d }, c, nil
	}
	negated := func(has func(rune) bool, not bool) (func(rune) bool, rune, error) {
		return func(c rune) bool { return has(c) != not }, -1, nil
	}
	digits := func(n, base int) (func(rune) bool, rune, error) {
		if p.i+n > len(p.src) {
			return nil, 0, errors.New("too few digits")
		}
		v, err := strconv.ParseUint(p.src[p.i:p.i+n], base, 21)
		p.i += n
		if err != nil {
			return nil, 0, err
		}
		return one(rune(v))
	}
	switch c {
	case 'd', 'D':
		return negated(func(c rune) bool { return c >= '0' && c <= '9' }, c == 'D')
	case 'w', 'W':
		return negated(isWord, c == 'W')
	case 's', 'S':
		return negated(func(c rune) bool { return c == ' ' || c >= '\t' && c <= '\r' }, c == 'S')
	case 'h', 'H':
		return negated(func(c rune) bool { return c == '\t' || unicode.Is(unicode.Zs, c) || c == 0x180e }, c == 'H')
	case 'v', 'V':
		return negated(func(c rune) bool { return isLineEnd(c) || c == '\v' || c == '\f' }, c == 'V')
	case 'p', 'P':
		p.weight += 20
		name := string(p.next())
		if name == "{" {
			inner, _, ok := strings.Cut(p.src[p.i:], "}")
			if !ok {
				return nil, 0, errors.New(`\p{ without }`)
			}
			p.i += len(inner) + 1
			name = inner
		}
		if text, ok := properties[name]; ok {
			q := &regexParser{src: "[" + text + "]", b: p.b}
			has, err := q.class()
			if err != nil {
				return nil, 0, err
			}
			return negated(has, c == 'P')
		}
		name = strings.TrimPrefix(name, "Is")
		table := unicode.Categories[name]
		if table == nil {
			table = unicode.Scripts[name]
		}
		if table == nil {
			return nil, 0, fmt.Errorf(`\p{%s} is not known`, name)
		}
		return negated(func(c rune) bool { return unicode.Is(table, c) }, c == 'P')
	case 'u':
		return digits(4, 16)
	case 'x':
		if p.accept("{") {
			text, _, ok := strings.Cut(p.src[p.i:], "}")
			v, err := strconv.ParseUint(text, 16, 21)
			if !ok || err != nil {
				return nil, 0, errors.New(`\x{ without a number`)
			}
			p.i += len(text) + 1
			return one(rune(v))
		}
		return digits(2, 16)
	case '0':
		n := 0
		for n < 3 && p.peek(n) >= '0' && p.peek(n) <= '7' {
			n++
		}
		return digits(n, 8)
	}
	if i := strings.IndexRune("tnrfae", c); i >= 0 {
		return one(rune("\t\n\r\f\a\x1b"[i]))
	}
	if c < utf8.RuneSelf && isLetter(byte(c)) {
		return nil, 0, fmt.Errorf(`\%c is not known`, c)
	}
	return one(c)
}

// class parses a class:
//
//	"[" [ "^" ] { character [ "-" character ] | class } { "&&" ... } "]"
func (p *regexParser) class() (func(rune) bool, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("more than %d levels", maxNesting)
	}
	defer func() { p.depth-- }()
	p.i++
	negate := p.accept("^")
	var both, any []func(rune) bool
	first := true
	for ; ; first = false {
		if p.i >= len(p.src) {
			return nil, errors.New("[ without ]")
		}
		switch {
		case p.peek(0) == ']' && !first:
			p.i++
			both = append(both, union(any))
			return func(c rune) bool {
				for _, has := range both {
					if !has(c) {
						return negate
					}
				}
				return !negate
			}, nil
		case p.accept("&&"):
			both, any = append(both, union(any)), nil
			continue
		case p.peek(0) == '[':
			inner, err := p.class()
			if err != nil {
				return nil, err
			}
			any = append(any, inner)
			continue
		}
		has, low, err := p.member()
		if err != nil {
			return nil, err
		}
		if low >= 0 && p.peek(0) == '-' && p.peek(1) != ']' && p.peek(1) != '[' && p.peek(1) != 0 {
			p.i++
			_, high, err := p.member()
			if err != nil {
				return nil, err
			}
			if high < low {
				return nil, errors.New("a range that ends before it begins")
			}
			has = func(c rune) bool { return c >= low && c <= high }
		}
		any = append(any, has)
	}
}

// member parses a character of a class, or several that have a name.
func (p *regexParser) member() (func(rune) bool, rune, error) {
	if p.peek(0) == '\\' {
		return p.escapedClass()
	}
	c := p.next()
	return func(d rune) bool { return c == d }, c, nil
}

func union(any []func(rune) bool) func(rune) bool {
	return func(c rune) bool {
		for _, has := range any {
			if has(c) {
				return true
			}
		}
		return false
	}
}
