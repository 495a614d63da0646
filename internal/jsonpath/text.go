package jsonpath

import (
	"unicode/utf16"
	"unicode/utf8"
)

// AppendText appends what a value says as text: a string without its quotes and
// escapes, a number, true or false as it stands, an object or array without white
// space. Null has no text. The value must come from Select.
func AppendText(b, value []byte) (out []byte, ok bool) {
	switch {
	case len(value) == 0 || value[0] == 'n':
		return b, false
	case value[0] == '"':
		for inner := value[1 : len(value)-1]; len(inner) > 0; {
			if inner[0] != '\\' {
				b = append(b, inner[0])
				inner = inner[1:]
				continue
			}
			r, size := unescape(inner)
			b = utf8.AppendRune(b, r)
			inner = inner[size:]
		}
		return b, true
	}
	quoted := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\\': // only inside of strings
			b = append(b, c)
			i++
			c = value[i]
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			continue
		}
		b = append(b, c)
	}
	return b, true
}

// equalText reports whether the inner part of a scanned string says name.
func equalText(inner []byte, name string) bool {
	for i := range inner {
		if inner[i] == '\\' {
			return equalEscaped(inner, name)
		}
	}
	return string(inner) == name
}

func equalEscaped(inner []byte, name string) bool {
	for len(inner) > 0 {
		if name == "" {
			return false
		}
		if inner[0] != '\\' {
			if inner[0] != name[0] {
				return false
			}
			inner, name = inner[1:], name[1:]
			continue
		}
		r, size := unescape(inner)
		want, n := utf8.DecodeRuneInString(name)
		if r != want {
			return false
		}
		inner, name = inner[size:], name[n:]
	}
	return name == ""
}

// unescape returns the character that a scanned escape stands for, and the length of
// the escape. Half of a surrogate pair stands for U+FFFD.
func unescape(s []byte) (r rune, size int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return rune(s[1]), 2
	}
	r = unit(s)
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if pair := utf16.DecodeRune(r, unit(s[6:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

// unit returns the value of the four digits of \uXXXX.
func unit(s []byte) rune {
	return rune(unhex(s[2]))<<12 | rune(unhex(s[3]))<<8 | rune(unhex(s[4]))<<4 | rune(unhex(s[5]))
}

// unhex returns the value of a hexadecimal digit, and 0xff for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
