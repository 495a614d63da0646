// Package selection holds the selection expressions of WebSocket APIs, which make one key
// of a message, and the choices that are made with such a key: the route of a message,
// the response of an integration.
//
//	e, err := selection.Parse("${request.body.service}/${request.body.action}")
//	m := selection.Message{Text: []byte(`{"service": "chat", "action": "join"}`)}
//	key, err := e.Append(nil, &selection.Values{Message: &m}) // chat/join
//
// An expression is parsed once and never changes. What a variable leads to is text, is
// not looked at again, and is no text at all if it is not there. Messages come from
// strangers: the key of one that cannot be read is an error and not an empty key, and what
// takes too much to evaluate is an error too.
package selection

import (
	"penstock/internal/jsonpath"
	"penstock/internal/lenient"
)

const (
	// maxSteps is how many steps the paths of an expression may take together: a value
	// that is looked at is one.
	maxSteps = 200_000
	// maxText is how many bytes an expression or a value may become, 1 MB. Lists and
	// objects are written with more characters than they have in a message of 128 KB, and
	// a path may lead to the same values again and again.
	maxText = 1 << 20
	// maxScans is how many variables of an expression look into a message without making
	// a tree of it. Each of them reads the message from its beginning.
	maxScans = 4
)

// An Expression is a compiled selection expression. It may be used by any number of
// goroutines. The zero Expression is empty text.
type Expression struct {
	text   string // as written
	pieces []piece
	bodies int // how many pieces are about the message
}

// A piece is text or a variable.
type piece struct {
	kind pieceKind
	text string // or the name of a variable, without its root
	// query leads into a body. If it is nil, the piece is all of the body.
	query *jsonpath.Query
	// path leads where query does, if scans.
	path  jsonpath.Path
	scans bool
}

type pieceKind uint8

const (
	static          pieceKind = iota
	unknown                   // a variable that nobody knows
	requestBody               // request.body
	requestHeader             // request.header
	contextVariable           // context
	stageVariable             // stageVariables
	responseStatus            // integration.response.statuscode
	responseHeader            // integration.response.header
	responseHeaders           // integration.response.multivalueheader
	responseBody              // integration.response.body
)

// String returns the expression as it was written.
func (e *Expression) String() string { return e.text }

// Static returns the text that the expression always has, and whether there is such a text.
func (e *Expression) Static() (text string, ok bool) {
	switch {
	case len(e.pieces) == 0:
		return "", true
	case len(e.pieces) == 1 && e.pieces[0].kind == static:
		return e.pieces[0].text, true
	}
	return "", false
}

// ReadsMessage reports whether the text depends on the message.
func (e *Expression) ReadsMessage() bool { return e.bodies > 0 }

// Append appends the text that the expression has for v. Variables that are not there have
// none, and neither has null. After an error b is as it was.
//
// The error is ErrNotJSON if a path leads into a message that is not JSON. It is one of
// package jsonpath if a path takes too many steps, or computes something of nothing, and
// lenient.ErrTooLong if the text becomes longer than 1 MB.
func (e *Expression) Append(b []byte, v *Values) ([]byte, error) {
	start := len(b)
	steps := maxSteps
	for i := range e.pieces {
		p := &e.pieces[i]
		var err error
		switch p.kind {
		case static:
			b = append(b, p.text...)
		case requestBody:
			if p.scans && e.bodies <= maxScans {
				var ok bool
				if b, ok = v.Message.scan(b, p); ok {
					break
				}
			}
			b, err = p.appendMessage(b, v.Message, &steps)
		case responseBody:
			b, err = p.appendAnswer(b, v.Response, &steps)
		case responseHeaders:
			b = v.Response.appendHeaders(b, p.text)
		case responseStatus:
			b = v.Response.appendStatus(b)
		default:
			b = append(b, v.text(p)...)
		}
		if err == nil && len(b)-start > maxText {
			err = lenient.ErrTooLong
		}
		if err != nil {
			return b[:start], err
		}
	}
	return b, nil
}

// appendMessage appends what the piece has of a message.
func (p *piece) appendMessage(b []byte, m *Message, steps *int) ([]byte, error) {
	if m == nil {
		m = &Message{}
	}
	if p.query == nil {
		return append(b, m.Text...), nil
	}
	root, err := m.Value()
	if err != nil {
		return b, err
	}
	return p.appendFrom(b, root, steps)
}

// appendAnswer appends what the piece has of the body of an answer. A body that is not
// JSON is no error: functions answer with texts as well.
func (p *piece) appendAnswer(b []byte, r *Response, steps *int) ([]byte, error) {
	if r == nil {
		return b, nil
	}
	if p.query == nil {
		return append(b, r.Body.Text...), nil
	}
	root, err := r.Body.Value()
	if err != nil {
		return b, nil
	}
	return p.appendFrom(b, root, steps)
}

func (p *piece) appendFrom(b []byte, root any, steps *int) ([]byte, error) {
	value, found, err := p.query.SelectSteps(root, steps)
	if err != nil || !found {
		return b, err
	}
	return AppendValue(b, value)
}
