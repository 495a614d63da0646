package event

import "unicode/utf8"

// plain says which bytes stand for themselves in a JSON string.
var plain = func() (table [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// AppendString appends a string as JSON has it, in quotes. Bytes that are not UTF-8
// become U+FFFD.
func AppendString[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

// appendEscaped appends what stands between the quotes of a JSON string.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	done := 0
	for i := 0; i < len(s); {
		for i < len(s) && plain[s[i]] {
			i++
		}
		if i == len(s) {
			break
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[done:i]...)
				b = append(b, "\uFFFD"...)
				done = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[done:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
		i++
		done = i
	}
	return append(b, s[done:]...)
}

const hex = "0123456789abcdef"

// appendName begins a member of an object, the first one with the brace that opens it.
func appendName[T string | []byte](b []byte, first bool, name T) []byte {
	if first {
		b = append(b, '{')
	} else {
		b = append(b, ',')
	}
	b = AppendString(b, name)
	return append(b, ':')
}

// appendLower appends the bytes of a header name in lower case, escaped. Names are
// tokens, which have neither quotes nor control bytes.
func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case !plain[c]:
			return appendEscaped(b, s[i:])
		}
		b = append(b, c)
	}
	return b
}
