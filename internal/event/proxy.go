package event

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"penstock/internal/gateway"
)

// AppendProxy20 appends the event of an integration in format 2.0. The body is the whole
// body of the request.
func AppendProxy20(b []byte, x *gateway.Exchange, body []byte) []byte {
	s := see(x)
	b = append(b, `{"version":"2.0",`...)
	b = appendRequest20(b, x, &s, int64(len(body)))
	return appendBody(b, &s, body)
}

// AppendProxy10 appends the event of an integration in format 1.0. The body is the whole
// body of the request.
func AppendProxy10(b []byte, x *gateway.Exchange, body []byte) []byte {
	s := see(x)
	b = append(b, `{"version":"1.0",`...)
	b = appendRequest10(b, x, &s, int64(len(body)), true)
	if len(body) == 0 {
		b = append(b, `,"body":null`...)
	}
	return appendBody(b, &s, body)
}

// appendBody appends the members that tell of the body, but for one that is empty, and
// ends the event.
func appendBody(b []byte, s *sight, body []byte) []byte {
	if len(body) == 0 {
		return append(b, `,"isBase64Encoded":false}`...)
	}
	b = append(b, `,"body":"`...)
	if isText(s.fields, body) {
		b = appendEscaped(b, body)
		return append(b, `","isBase64Encoded":false}`...)
	}
	b = base64.StdEncoding.AppendEncode(b, body)
	return append(b, `","isBase64Encoded":true}`...)
}

// BodyLimit returns how long the body of a request may be at most, so that its event may
// fit into max bytes. It does not look at the body, which need not have come.
func BodyLimit(x *gateway.Exchange, max int64) int64 {
	s := seeHeader(x)
	if mayBeText(s.fields) {
		return max
	}
	return max / 4 * 3
}

// BodySize returns how many bytes of the event are the body's.
func BodySize(x *gateway.Exchange, body []byte) int {
	s := seeHeader(x)
	if !isText(s.fields, body) {
		return base64.StdEncoding.EncodedLen(len(body))
	}
	n := len(body)
	for _, c := range body {
		switch {
		case plain[c] || c >= utf8.RuneSelf:
		case c == '"', c == '\\', c == '\n', c == '\r', c == '\t':
			n++
		default:
			n += len(`\u0000`) - 1
		}
	}
	return n
}

// textTypes are the media types of bodies that functions get as text, besides all of
// text/. Those of anything else they get in base64, also application/*+json and forms.
var textTypes = [...]string{"application/json", "application/javascript", "application/xml"}

// textCharsets are the character sets of text/ that need no base64.
var textCharsets = [...]string{"utf-8", "utf8", "us-ascii"}

// isText reports whether a function gets a body as text.
func isText(fields []gateway.Field, body []byte) bool {
	return mayBeText(fields) && utf8.Valid(body)
}

// mayBeText reports whether the header lets a body be text: the first Content-Type says
// so, and there is no Content-Encoding.
func mayBeText(fields []gateway.Field) bool {
	text, typed := false, false
	for i := range fields {
		f := &fields[i]
		switch len(f.Name) {
		case len("Content-Type"):
			if !typed && gateway.EqualFold(f.Name, "Content-Type") {
				text, typed = isTextType(f.Value), true
			}
		case len("Content-Encoding"):
			if gateway.EqualFold(f.Name, "Content-Encoding") {
				return false
			}
		}
	}
	return text
}

// isTextType reports whether a Content-Type is one of text.
func isTextType(value string) bool {
	media, parameters, _ := strings.Cut(value, ";")
	media = strings.Trim(media, " \t")
	const text = "text/"
	if len(media) > len(text) && gateway.EqualFold(media[:len(text)], text) {
		charset := charsetOf(parameters)
		return charset == "" || slices.ContainsFunc(textCharsets[:], func(name string) bool { return gateway.EqualFold(name, charset) })
	}
	return slices.ContainsFunc(textTypes[:], func(name string) bool { return gateway.EqualFold(name, media) })
}

// charsetOf returns the charset in the parameters of a media type, without quotes; "" if
// there is none.
func charsetOf(parameters string) string {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(p, "=")
		if gateway.EqualFold(strings.Trim(name, " \t"), "charset") {
			return strings.Trim(value, " \t\"")
		}
	}
	return ""
}
