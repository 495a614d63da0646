package subtype

import (
	"encoding/base64"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"penstock/internal/event"
	"penstock/internal/jsonpath"
	"penstock/internal/mapping"
)

// Errors of values.
var (
	errInteger = errors.New("want an integer")
	errSeconds = errors.New("want a time: seconds since 1970, or ISO 8601")
	errObject  = errors.New("want a JSON object")
	errSegment = errors.New("want one segment of a path: not empty, no dot segment, no backslash and no control character")
	errEmpty   = errors.New("the value is empty")
	errRegion  = errors.New("want the name of a region: lower-case letters, digits and hyphens, at most 32")
)

// known reports what is wrong with a value that is known before there is a request. Texts
// that are for the service to refuse are wrong here: nothing good comes of them.
func (p *parameter) known(v string) error {
	if v == "" && !p.empty {
		return errEmpty
	}
	switch p.kind {
	case integer:
		if !isInteger(v) {
			return errInteger
		}
	case seconds:
		if _, ok := appendSeconds(nil, []byte(v)); !ok {
			return errSeconds
		}
	}
	return p.check([]byte(v))
}

// check reports whether a value cannot be written as what it is for. It is not sent then.
func (p *parameter) check(v []byte) error {
	switch p.kind {
	case object:
		if !isJSON(v, '{') {
			return errObject
		}
	case segment:
		// Escaped it could still be decoded twice, or too early.
		if len(v) == 0 || !mapping.SafePath(string(v)) {
			return errSegment
		}
	case region:
		if !isRegion(v) {
			return errRegion
		}
	}
	return nil
}

// append appends a value that check has let through.
func (k kind) append(b, v []byte) []byte {
	switch k {
	case integer:
		if isInteger(v) {
			return append(b, v...)
		}
	case seconds:
		if b, ok := appendSeconds(b, v); ok {
			return b
		}
	case object:
		return append(b, v...)
	case list:
		if isJSON(v, '[') {
			return append(b, v...)
		}
		b = event.AppendString(append(b, '['), v)
		return append(b, ']')
	case binary:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
		return append(b, '"')
	case segment, query:
		return appendEscaped(b, v)
	}
	return event.AppendString(b, v)
}

// size returns how much room append needs at most, with what event.AppendString takes in
// advance.
func (k kind) size(v []byte) int {
	switch k {
	case binary:
		return base64.StdEncoding.EncodedLen(len(v)) + 2
	case object:
		return len(v)
	case segment, query:
		return 3 * len(v)
	}
	return quotedSize(v) + len(v)/4 + 64
}

// quotedSize returns the length of a JSON string.
func quotedSize(v []byte) int {
	n := len(v) + 2
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"' || c == '\\':
			n++
		case c < ' ' || c == 0x7f:
			n += len(`\u0000`) - 1
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(v[i:])
			n += utf8.RuneLen(r) - size
			i += size
			continue
		}
		i++
	}
	return n
}

// isInteger reports whether v is a number without a fraction, as JSON has it.
func isInteger[T string | []byte](v T) bool {
	if len(v) > 0 && v[0] == '-' {
		v = v[1:]
	}
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return len(v) == 1 || len(v) > 1 && v[0] != '0'
}

// maxTime is the greatest length of a text that is read as a time.
const maxTime = 64

// timeForms are how times are written in ISO 8601. Without an offset they are in UTC.
var timeForms = [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02"}

// appendSeconds appends a time as seconds since 1970. A number stands for itself. Parts of a
// second are kept down to milliseconds.
func appendSeconds(b, v []byte) ([]byte, bool) {
	if len(v) > maxTime {
		return b, false
	}
	if len(v) > 0 && (v[0] == '-' || '0' <= v[0] && v[0] <= '9') {
		if n, ok := (jsonpath.Path{}).Select(v); ok && len(n) == len(v) {
			return append(b, v...), true
		}
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, string(v)); err == nil {
			return strconv.AppendFloat(b, float64(t.UnixMilli())/1e3, 'f', -1, 64), true
		}
	}
	return b, false
}

// isJSON reports whether v is one JSON value that begins with a character, and nothing
// around it but white space.
func isJSON(v []byte, first byte) bool {
	root, ok := (jsonpath.Path{}).Select(v)
	return ok && root[0] == first
}

// maxRegion is the greatest length of the name of a region.
const maxRegion = 32

// isRegion reports whether v can be the name of a region, and so a label of a host.
func isRegion[T string | []byte](v T) bool {
	if len(v) == 0 || len(v) > maxRegion || v[0] == '-' || v[len(v)-1] == '-' {
		return false
	}
	for i := range len(v) {
		if c := v[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// appendEscaped appends text with everything escaped that a URI reserves (RFC 3986, 2.3),
// so that it can neither end a segment nor begin another parameter.
func appendEscaped(b, v []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range v {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}
