package vtl

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A translation makes RE2 of Java.
type translation struct {
	src string
	i   int
	b   strings.Builder
	// what is not the same in RE2 for all texts
	atEnd, boundary bool
}

func (t *translation) peek(n int) byte {
	if t.i+n < len(t.src) {
		return t.src[t.i+n]
	}
	return 0
}

func (t *translation) translate() (string, error) {
	for t.i < len(t.src) {
		c := t.src[t.i]
		switch c {
		case '\\':
			if err := t.escape(false); err != nil {
				return "", err
			}
		case '[':
			if err := t.class(); err != nil {
				return "", err
			}
		case '(':
			if t.peek(1) == '?' {
				if next := t.peek(2); next == '=' || next == '!' || next == '>' || next == '<' && (t.peek(3) == '=' || t.peek(3) == '!') {
					return "", fmt.Errorf("looking ahead and behind is not supported")
				}
			}
			t.copy()
		case '*', '+', '?', '}':
			t.copy()
			switch t.peek(0) {
			case '+':
				return "", fmt.Errorf("possessive quantifiers are not supported")
			case '?':
				t.copy()
			}
		case '.':
			t.b.WriteString(`[^\n\r\x{85}\x{2028}\x{2029}]`)
			t.i++
		case '$':
			t.b.WriteString(`$`)
			t.atEnd = true
			t.i++
		default:
			t.copy()
		}
	}
	return t.b.String(), nil
}

// copy copies a character.
func (t *translation) copy() {
	_, size := utf8.DecodeRuneInString(t.src[t.i:])
	t.b.WriteString(t.src[t.i : t.i+size])
	t.i += size
}

// classes are those that RE2 has not, or has otherwise.
var classes = map[byte]string{
	's': `\t\n\x0B\f\r `,
	'h': ` \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}`,
	'v': `\n\x0B\f\r\x{85}\x{2028}\x{2029}`,
}

// properties are the POSIX classes of Java.
var properties = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7F`, "Alpha": "a-zA-Z", "Digit": "0-9",
	"Alnum": "a-zA-Z0-9", "Punct": `!-/:-@\[-` + "`" + `{-~`, "Graph": "!-~", "Print": " -~",
	"Blank": ` \t`, "Cntrl": `\x00-\x1F\x7F`, "XDigit": "0-9a-fA-F", "Space": `\t\n\x0B\f\r `,
}

// escape translates a backslash and what it belongs to.
func (t *translation) escape(inClass bool) error {
	c := t.peek(1)
	switch {
	case c == 0:
		return fmt.Errorf("a backslash at the end")
	case c == 'Q':
		end := strings.Index(t.src[t.i+2:], `\E`)
		text := t.src[t.i+2:]
		t.i = len(t.src)
		if end >= 0 {
			t.i -= len(text) - end - 2
			text = text[:end]
		}
		t.b.WriteString(regexp.QuoteMeta(text))
		return nil
	case c == 'u':
		if len(t.src) < t.i+6 {
			return fmt.Errorf(`\u without four digits`)
		}
		fmt.Fprintf(&t.b, `\x{%s}`, t.src[t.i+2:t.i+6])
		t.i += 6
		return nil
	case c >= '1' && c <= '9' || c == 'k':
		return fmt.Errorf("references to groups are not supported")
	case c == 'G' || c == 'X' || c == 'R':
		if c == 'R' && !inClass {
			t.b.WriteString(`(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])`)
			t.i += 2
			return nil
		}
		return fmt.Errorf(`\%c is not supported`, c)
	case c == 'e':
		t.b.WriteString(`\x1B`)
	case c == '0':
		n := 2
		for n < 5 && t.peek(n) >= '0' && t.peek(n) <= '7' {
			n++
		}
		if n == 2 {
			return fmt.Errorf(`\0 without digits`)
		}
		fmt.Fprintf(&t.b, `\%03s`, t.src[t.i+2:t.i+n])
		t.i += n
		return nil
	case c == 'Z':
		t.b.WriteString(`\z`)
		t.atEnd = true
	case classes[c|0x20] != "" && (c == 's' || c == 'h' || c == 'v'):
		if inClass {
			t.b.WriteString(classes[c])
		} else {
			t.b.WriteString("[" + classes[c] + "]")
		}
	case classes[c|0x20] != "" && isLetter(c):
		if inClass {
			return fmt.Errorf(`\%c in a class is not supported`, c)
		}
		t.b.WriteString("[^" + classes[c|0x20] + "]")
	case (c == 'p' || c == 'P') && t.peek(2) == '{':
		return t.property(c == 'P', inClass)
	case isLetter(c) && strings.IndexByte("dDwWbBAztnrfaxpP", c) < 0:
		return fmt.Errorf(`\%c is not known`, c)
	case c < utf8.RuneSelf:
		t.boundary = t.boundary || c == 'b' || c == 'B'
		t.b.WriteString(t.src[t.i : t.i+2])
	default:
		t.i++
		t.copy()
		return nil
	}
	t.i += 2
	return nil
}

// property translates \p{...}.
func (t *translation) property(negated, inClass bool) error {
	end := strings.IndexByte(t.src[t.i:], '}')
	if end < 0 {
		return fmt.Errorf(`\p{ without }`)
	}
	name := t.src[t.i+3 : t.i+end]
	t.i += end + 1
	if class, ok := properties[name]; ok {
		switch {
		case !inClass && negated:
			t.b.WriteString("[^" + class + "]")
		case !inClass:
			t.b.WriteString("[" + class + "]")
		case negated:
			return fmt.Errorf(`\P{%s} in a class is not supported`, name)
		default:
			t.b.WriteString(class)
		}
		return nil
	}
	name = strings.TrimPrefix(name, "Is")
	letter := "p"
	if negated {
		letter = "P"
	}
	t.b.WriteString(`\` + letter + "{" + name + "}")
	return nil
}

// class translates [...]. A class in a class is a union.
func (t *translation) class() error {
	t.copy()
	if t.peek(0) == '^' {
		t.copy()
	}
	first := true
	depth := 1
	for depth > 0 {
		if t.i >= len(t.src) {
			return fmt.Errorf("a class without ]")
		}
		switch c := t.peek(0); {
		case c == '&' && t.peek(1) == '&':
			return fmt.Errorf("intersections of classes are not supported")
		case c == '[' && t.peek(1) == '^':
			return fmt.Errorf("a negated class in a class is not supported")
		case c == '[':
			depth++
			t.i++
		case c == ']' && !first:
			depth--
			t.i++
		case c == ']':
			t.b.WriteString(`\]`)
			t.i++
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			t.copy()
		}
		first = false
	}
	t.b.WriteByte(']')
	return nil
}
