// Package jsonpath holds the paths into JSON text that parameter mappings of HTTP
// APIs know: members by name and elements by index, one value at most.
//
//	p, err := jsonpath.Parse(`.pets[0]['pet.name']`)
//	value, ok := p.Select(body)
//	text, ok := jsonpath.AppendText(nil, value)
//
// A path is parsed once and never changes. Selecting is one scan over the text: no
// tree is built and nothing is allocated, however the text looks.
package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxIndex is the greatest index of an element that a path may name.
const maxIndex = 1<<31 - 1

// A Path leads from the root of a JSON text to one value. The zero Path is the root
// itself.
type Path struct {
	steps []step
}

// A step leads to a member of an object or, if index is not negative, to an element
// of an array.
type step struct {
	name  string
	index int
}

// Parse parses a path:
//
//	path   = { "." name | "[" index "]" | "[" quoted "]" }
//	name   = one or more characters but . [ ] ( ) * ' " and control characters
//	index  = digits
//	quoted = "'" text "'" | '"' text '"'      a backslash makes the next character text
//
// What leads to more than one value or is computed is an error: "..", ".*", "[*]",
// "[?(…)]", "[1:2]", "[-1]", "['a','b']".
func Parse(s string) (Path, error) {
	var p Path
	for i := 0; i < len(s); {
		var st step
		var end int
		var reason string
		switch s[i] {
		case '.':
			st, end, reason = parseName(s, i+1)
		case '[':
			st, end, reason = parseBracket(s, i+1)
		default:
			end, reason = i, `want "." or "["`
		}
		if reason != "" {
			return Path{}, fmt.Errorf("path %q: offset %d: %s", s, end, reason)
		}
		p.steps = append(p.steps, st)
		i = end
	}
	return p, nil
}

// parseName reads a name, whose dot has been read. The end is the offset behind it,
// or that of what is wrong.
func parseName(s string, at int) (st step, end int, reason string) {
	end = at
	for end < len(s) && s[end] != '.' && s[end] != '[' {
		r, size := utf8.DecodeRuneInString(s[end:])
		if r == utf8.RuneError && size == 1 || strings.ContainsRune(`]()*'"`, r) || r < ' ' || r == 0x7f {
			return st, end, fmt.Sprintf("a name must not have %q; write it as ['name']", s[end:end+size])
		}
		end += size
	}
	if end == at {
		return st, at, "want a name"
	}
	return step{s[at:end], -1}, end, ""
}

// parseBracket reads what stands between brackets, and the closing one. The opening
// one has been read.
func parseBracket(s string, at int) (st step, end int, reason string) {
	if at == len(s) {
		return st, at, `unclosed "["`
	}
	if quote := s[at]; quote == '\'' || quote == '"' {
		name := make([]byte, 0, len(s)-at)
		for end = at + 1; ; end++ {
			if end == len(s) {
				return st, at, "unclosed quote"
			}
			c := s[end]
			if c == quote {
				break
			}
			if c == '\\' {
				if end++; end == len(s) {
					return st, at, "unclosed quote"
				}
				c = s[end]
			}
			name = append(name, c)
		}
		if !utf8.Valid(name) {
			return st, at, "the name is not UTF-8"
		}
		st, end = step{string(name), -1}, end+1
	} else {
		for end = at; end < len(s) && '0' <= s[end] && s[end] <= '9'; end++ {
		}
		n, err := strconv.ParseUint(s[at:end], 10, 31)
		if err != nil || n > maxIndex {
			return st, at, "want a name in quotes or an index from 0 on"
		}
		st.index = int(n)
	}
	if end == len(s) || s[end] != ']' {
		return st, end, `want "]"`
	}
	return st, end + 1, ""
}

// String returns the path in a form that Parse reads as the same path.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p.steps {
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		dotted := "." + s.name
		if _, end, reason := parseName(dotted, 1); reason == "" && end == len(dotted) {
			b.WriteString(dotted)
		} else {
			b.WriteString("['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s.name) + "']")
		}
	}
	return b.String()
}
