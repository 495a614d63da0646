package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// Errors of Decode. All of them are answered with 400.
var (
	// ErrEscape: a percent sign is not followed by two hexadecimal digits.
	ErrEscape = errors.New("invalid percent escape in path")
	// ErrControl: the path has a byte below 0x20 or 0x7F, escaped or not.
	ErrControl = errors.New("control byte in path")
	// ErrUTF8: the path, once decoded, is not UTF-8.
	ErrUTF8 = errors.New("path is not UTF-8")
)

// Decode decodes every percent escape of a request path once, %2F and %25
// included; "+" stands for itself. The service routes on the result, so that
// /a%2Fb has two segments and /a%252Fb one, the text "a%2Fb". A question mark
// that was escaped ends the path, as the service has it; what follows is checked
// and dropped. Dots and double slashes stay; see Suspicious.
//
// The path has no query. An error wraps ErrEscape, ErrControl or ErrUTF8.
//
// A path without escapes is returned as it is. Else the result lies in buf if its
// capacity is at least len(rawPath), and is then valid only until buf is used
// again; with a smaller or nil buf it is a string of its own.
func Decode(rawPath string, buf []byte) (string, error) {
	plain := true
	for i := range len(rawPath) {
		switch c := rawPath[i]; {
		case c < 0x20, c == 0x7f:
			return "", at(ErrControl, i)
		case c == '%', c == '?', c >= utf8.RuneSelf:
			plain = false
		}
	}
	if plain {
		return rawPath, nil
	}

	decoded := rawPath
	if strings.IndexByte(rawPath, '%') >= 0 {
		buf = slices.Grow(buf[:0], len(rawPath))
		for i := 0; i < len(rawPath); i++ {
			c := rawPath[i]
			if c == '%' {
				if i+2 >= len(rawPath) {
					return "", at(ErrEscape, i)
				}
				hi, lo := Unhex(rawPath[i+1]), Unhex(rawPath[i+2])
				if hi > 0xf || lo > 0xf {
					return "", at(ErrEscape, i)
				}
				c = hi<<4 | lo
				if c < 0x20 || c == 0x7f {
					return "", at(ErrControl, i)
				}
				i += 2
			}
			buf = append(buf, c)
		}
		decoded = unsafe.String(unsafe.SliceData(buf), len(buf))
	}
	if !utf8.ValidString(decoded) {
		return "", ErrUTF8
	}
	decoded, _, _ = strings.Cut(decoded, "?")
	return decoded, nil
}

// at says where in the raw path an error is.
func at(err error, offset int) error {
	return fmt.Errorf("offset %d: %w", offset, err)
}

// Unhex returns the value of a hexadecimal digit, and 0xff for anything else.
func Unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	default:
		return 0xff
	}
}

// Suspicious reports whether a decoded path has a form that servers behind the
// gateway understand in different ways, so that what was authorized may not be
// what is served: a backslash, or a segment "." or "..", also with parameters as
// in "..;v=1". Such requests are best refused.
func Suspicious(path string) bool {
	if strings.IndexByte(path, '\\') >= 0 {
		return true
	}
	if strings.IndexByte(path, '.') < 0 {
		return false
	}
	for segment := range strings.SplitSeq(path, "/") {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
