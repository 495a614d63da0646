package vtl

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// callUtil calls a method of $util. All of them take one text; what is none is given as
// its text.
func (r *run) callUtil(name string, args []any) (any, error) {
	var do func(string) (string, error)
	switch name {
	case "escapeJavaScript":
		do = escapeJavaScript
	case "urlEncode":
		do = urlEncode
	case "urlDecode":
		do = urlDecode
	case "base64Encode":
		do = base64Encode
	case "base64Decode":
		do = base64Decode
	case "parseJson":
	default:
		return nil, nil
	}
	if len(args) != 1 {
		return nil, nil
	}
	text, err := r.text(args[0])
	switch {
	case err != nil:
		return nil, err
	case text == "" && do == nil:
		return nil, nil
	case text == "":
		return "", nil
	}
	// Texts grow by up to six.
	if err := r.spend(len(text)); err != nil {
		return nil, err
	}
	if do == nil {
		v, err := r.parse(text)
		if err != nil {
			err = fmt.Errorf("$util.parseJson: %w", err)
		}
		return v, err
	}
	result, err := do(text)
	if err != nil {
		return nil, fmt.Errorf("$util.%s: %w", name, err)
	}
	return r.made(result)
}

// escapeJavaScript writes text as it can stand in a string of JavaScript (commons-lang 2):
// with backslashes before quotes, slashes and backslashes, and everything outside of ASCII
// as \uXXXX.
func escapeJavaScript(s string) (string, error) {
	clean := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\'' || c == '\\' || c == '/' {
			clean = false
			break
		}
	}
	if clean {
		return s, nil
	}
	b := make([]byte, 0, len(s)+len(s)/4+8)
	unit := func(u uint16) {
		const hex = "0123456789ABCDEF"
		b = append(b, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	for _, c := range s {
		switch {
		case c == '"' || c == '\'' || c == '\\' || c == '/':
			b = append(b, '\\', byte(c))
		case c == '\b':
			b = append(b, `\b`...)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c == '\f':
			b = append(b, `\f`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			unit(uint16(high))
			unit(uint16(low))
		case c < ' ' || c >= utf8.RuneSelf:
			unit(uint16(c))
		default:
			b = append(b, byte(c))
		}
	}
	return string(b), nil
}

// urlEncode writes text as forms do: all but A-Z a-z 0-9 . - * _ as %XX, and a blank as +.
func urlEncode(s string) (string, error) {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+len(s)/2)
	for i := range len(s) {
		switch c := s[i]; {
		case isLetter(c) || isDigit(c) || strings.IndexByte(".-*_", c) >= 0:
			b = append(b, c)
		case c == ' ':
			b = append(b, '+')
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b), nil
}

func urlDecode(s string) (string, error) {
	text, err := url.QueryUnescape(s)
	return strings.ToValidUTF8(text, "\ufffd"), err
}

func base64Encode(s string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

// base64Decode takes text with and without padding.
func base64Decode(s string) (string, error) {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	return strings.ToValidUTF8(string(b), "\ufffd"), err
}
