package mapping

import (
	"strings"

	"penstock/internal/gateway"
)

// wholeBody is the selection of all of the request's body.
const wholeBody = "request.body"

// Static returns the text that the expression always has, and whether there is such a text:
// one without selections, or whose only selections are stage variables that exist.
func (e *Expression) Static() (text string, ok bool) {
	var b []byte
	for i := range e.pieces {
		p := &e.pieces[i]
		switch {
		case p.value == nil:
			b = append(b, p.text...)
		case strings.HasPrefix(p.text, "stageVariables."):
			if b, ok = p.value(b, nil); !ok {
				return "", false
			}
		default:
			return "", false
		}
	}
	return string(b), true
}

// Bodies returns how often all of the request's body is part of the value. If that is all
// that the expression is, whole is true.
func (e *Expression) Bodies() (n int, whole bool) {
	for i := range e.pieces {
		if p := &e.pieces[i]; p.value != nil && p.text == wholeBody {
			n++
		}
	}
	return n, n == 1 && len(e.pieces) == 1
}

// AppendParameter appends the value as the parameter of a service, which is Append but for
// three things. The selection of all of the request's body stands for body, however long
// that is. A path leads into what mappings can see of the request's body as if that were all
// of it: what has been cut off is rarely JSON, and what is not has no values. And no
// selection may be without a value, inside of text either: then b is as it was, and missing
// is the first such selection. It is "" if the value is there.
func (e *Expression) AppendParameter(b []byte, x *gateway.Exchange, body []byte) (out []byte, missing string) {
	start := len(b)
	for i := range e.pieces {
		p := &e.pieces[i]
		found := true
		switch {
		case p.value == nil:
			b = append(b, p.text...)
		case p.text == wholeBody:
			b, found = append(b, body...), len(body) > 0
		case strings.HasPrefix(p.text, wholeBody):
			all := x.Request.Body
			text := all.Text()
			x.Request.Body = gateway.Body{Bytes: text, Length: int64(len(text))}
			b, found = p.value(b, x)
			x.Request.Body = all
		default:
			b, found = p.value(b, x)
		}
		if !found {
			return b[:start], "$" + p.text
		}
	}
	return b, ""
}
