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
		for i+8 <= len(s) {
			if v := wordAt(s[i : i+8]); specials(v)|v&highs != 0 {
				break
			}
			i += 8
		}
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
		b = appendEscape(b, c)
		i++
		done = i
	}
	return append(b, s[done:]...)
}

const hex = "0123456789abcdef"

// appendEscape appends what stands for a byte that does not stand for itself.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// wordAt returns eight bytes, the first one lowest.
func wordAt[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// specials has, in the order of the bytes of v from the lowest, the highest bit of the
// first byte set that is a quote, a backslash or a control character. The bits of bytes
// behind that one mean nothing, the others are not set.
func specials(v uint64) uint64 {
	quote, slash := v^ones*'"', v^ones*'\\'
	return ((v-ones*' ')&^v | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

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

// backslashes has the same of backslashes.
func backslashes(v uint64) uint64 {
	slash := v ^ ones*'\\'
	return (slash - ones) &^ slash & highs
}

// ones has the lowest bit of each of eight bytes, highs the highest.
const ones, highs = 0x0101010101010101, 0x8080808080808080
