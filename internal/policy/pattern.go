package policy

import (
	"strings"
	"unicode/utf8"

	"penstock/internal/jsontree"
)

// A pattern is what a text is compared with: literal text, wildcards and policy
// variables.
type pattern struct {
	parts    []part // no two literals and no two runs are neighbours
	variable bool   // there is a variable among the parts
}

// A part is a piece of a pattern.
type part struct {
	kind       partKind
	text       string // of a literal; the key of a variable
	fallback   string // the default of a variable
	defaulting bool   // the variable has a default
}

type partKind uint8

const (
	literal  partKind = iota
	one               // ?: any character
	run               // *: any number of any characters
	variable          // ${key}
)

// wildcards parses a pattern in which * and ? are all that is special.
func wildcards(s string) pattern {
	t, _ := scan(s, true, nil)
	return t
}

// pattern parses
//
//	{ character | "*" | "?" | "${" ( "*" | "?" | "$" ) "}" | "${" key [ "," "'" default "'" ] "}" }
//
// Without wild, * and ? are ordinary characters. In documents of the older version
// so are those of ${…}. A default ends at the first quote.
func (p *parser) pattern(n *jsontree.Node, wild bool) (pattern, error) {
	if !p.variables {
		return scan(n.Text, wild, nil)
	}
	return scan(n.Text, wild, func(s string) (part, string, error) {
		return p.variable(n, s)
	})
}

// variable parses a variable after its "${" and returns what follows it.
func (p *parser) variable(n *jsontree.Node, s string) (part, string, error) {
	end := strings.IndexAny(s, "},")
	if end < 0 {
		return part{}, "", fail(n, `unclosed "${"`)
	}
	v := part{kind: variable}
	name, rest := strings.TrimSpace(s[:end]), s[end:]
	if after, found := strings.CutPrefix(rest, ","); found {
		after, found = strings.CutPrefix(strings.TrimLeft(after, " "), "'")
		if !found {
			return part{}, "", fail(n, "the default of ${%s} must be in single quotes", name)
		}
		if v.fallback, rest, found = strings.Cut(after, "'"); !found {
			return part{}, "", fail(n, "the default of ${%s} has no closing quote", name)
		}
		v.defaulting = true
		rest = strings.TrimLeft(rest, " ")
	}
	rest, found := strings.CutPrefix(rest, "}")
	if !found {
		return part{}, "", fail(n, `unclosed "${"`)
	}
	if s := s[:end]; (s == "*" || s == "?" || s == "$") && !v.defaulting {
		return part{kind: literal, text: s}, rest, nil
	}
	var err error
	v.text, err = p.key(n, name)
	return v, rest, err
}

// scan splits s into parts. The function parses what follows "${"; without one
// there is nothing special about it.
func scan(s string, wild bool, dollar func(string) (part, string, error)) (pattern, error) {
	var t pattern
	special := ""
	if wild {
		special = "*?"
	}
	if dollar != nil {
		special += "$"
	}
	for s != "" {
		next := part{kind: literal}
		switch i := strings.IndexAny(s, special); {
		case i != 0:
			if i < 0 {
				i = len(s)
			}
			next.text, s = s[:i], s[i:]
		case s[0] == '*':
			next.kind, s = run, s[1:]
		case s[0] == '?':
			next.kind, s = one, s[1:]
		case strings.HasPrefix(s, "${"):
			var err error
			if next, s, err = dollar(s[2:]); err != nil {
				return t, err
			}
			t.variable = t.variable || next.kind == variable
		default:
			next.text, s = s[:1], s[1:] // a lonely $
		}
		t.append(next)
	}
	return t, nil
}

// append adds a part and joins it with the last one if both are literals or runs.
func (t *pattern) append(next part) {
	if last := len(t.parts) - 1; last >= 0 && t.parts[last].kind == next.kind {
		switch next.kind {
		case literal:
			t.parts[last].text += next.text
			return
		case run:
			return
		}
	}
	t.parts = append(t.parts, next)
}

// start returns the literal text that everything the pattern matches begins with.
func (t *pattern) start() string {
	if len(t.parts) == 0 || t.parts[0].kind != literal {
		return ""
	}
	return t.parts[0].text
}

// match reports whether the pattern matches s. The answer is open if a variable
// has no value.
func (t *pattern) match(s string, values func(string) []string) truth {
	parts, ok := t.expand(values)
	if !ok {
		return open
	}
	return truthOf(matchParts(parts, s))
}

// expand returns the parts with the values of variables in the place of the
// variables. A value is literal text: a * in it is no wildcard. A variable has a
// value if its key has exactly one; the default is for keys that have none.
func (t *pattern) expand(values func(string) []string) (parts []part, ok bool) {
	if !t.variable {
		return t.parts, true
	}
	parts = make([]part, 0, len(t.parts))
	for _, p := range t.parts {
		if p.kind == variable {
			found := values(p.text)
			switch {
			case len(found) == 1:
				p = part{kind: literal, text: found[0]}
			case len(found) == 0 && p.defaulting:
				p = part{kind: literal, text: p.fallback}
			default:
				return nil, false
			}
		}
		if p.kind != literal || p.text != "" {
			parts = append(parts, p)
		}
	}
	return parts, true
}

// matchParts reports whether literals and wildcards match all of s. What stands
// between two runs is looked for once, from left to right: if the leftmost place
// does not lead to a match, no other place does. No part is tried again.
func matchParts(parts []part, s string) bool {
	for len(parts) > 0 && parts[0].kind != run {
		n := parts[0].prefix(s)
		if n < 0 {
			return false
		}
		parts, s = parts[1:], s[n:]
	}
	if len(parts) == 0 {
		return s == ""
	}
	for last := len(parts) - 1; parts[last].kind != run; last-- {
		n := parts[last].suffix(s)
		if n < 0 {
			return false
		}
		parts, s = parts[:last], s[:len(s)-n]
	}
	for parts = parts[1:]; len(parts) > 0; { // each segment ends with a run
		end := 0
		for parts[end].kind != run {
			end++
		}
		rest, ok := find(parts[:end], s)
		if !ok {
			return false
		}
		parts, s = parts[end+1:], rest
	}
	return true
}

// find looks for literals and single characters in s and returns what follows the
// first place where they stand.
func find(segment []part, s string) (rest string, ok bool) {
	for {
		if segment[0].kind == literal {
			i := strings.Index(s, segment[0].text)
			if i < 0 {
				return "", false
			}
			s = s[i:]
		}
		rest, i := s, 0
		for i < len(segment) {
			n := segment[i].prefix(rest)
			if n < 0 {
				break
			}
			rest, i = rest[n:], i+1
		}
		if i == len(segment) {
			return rest, true
		}
		if rest == "" { // and from further right there is even less
			return "", false
		}
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
}

// prefix returns how many bytes of s a literal or a single character takes at the
// start, -1 if it is not there.
func (p *part) prefix(s string) int {
	switch {
	case p.kind == literal && strings.HasPrefix(s, p.text):
		return len(p.text)
	case p.kind == one && s != "":
		_, n := utf8.DecodeRuneInString(s)
		return n
	default:
		return -1
	}
}

// suffix is prefix for the end of s.
func (p *part) suffix(s string) int {
	switch {
	case p.kind == literal && strings.HasSuffix(s, p.text):
		return len(p.text)
	case p.kind == one && s != "":
		_, n := utf8.DecodeLastRuneInString(s)
		return n
	default:
		return -1
	}
}
