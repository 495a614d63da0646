package event

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

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

// appendEscaped appends what stands between the quotes of a JSON string. It copies eight
// bytes at a time, and writes those again that do not stand for themselves.
func appendEscaped[T string | []byte](b []byte, s T) []byte {
	n := len(b)
	// There is room for what is left of s, and for one word and one escape more.
	room := slices.Grow(b, len(s)+slack)
	room = room[:cap(room)]
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			v := wordAt(s[i : i+8])
			binary.LittleEndian.PutUint64(room[n:], v)
			special := specials(v) | v&highs
			if special == 0 {
				i, n = i+8, n+8
				continue
			}
			ahead := bits.TrailingZeros64(special) / 8
			i, n = i+ahead, n+ahead
		} else if c := s[i]; plain[c] {
			room[n] = c
			i, n = i+1, n+1
			continue
		}
		if c := s[i]; c == '"' || c == '\\' { // by far the most
			room[n], room[n+1] = '\\', c
			i, n = i+1, n+2
		} else if c < utf8.RuneSelf {
			n = len(appendEscape(room[:n], c))
			i++
		} else {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			n += utf8.EncodeRune(room[n:], r) // U+FFFD for what is none
			i += size
		}
		if len(room)-n < len(s)-i+slack {
			// Text with one escape has more of them.
			room = slices.Grow(room[:n], len(s)-i+(len(s)-i)/4+2*slack)
			room = room[:cap(room)]
		}
	}
	return room[:n]
}

// slack is more than a word and the longest escape.
const slack = 16

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
