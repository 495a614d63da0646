package event

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/provenance"
)

// An Answer is the response in what a function returned. The zero value is ready; reading
// another one into it reuses the room of the one before.
type Answer struct {
	Status int
	// Header has no fields that belong to a connection, no Content-Length and no Date.
	// The strings point into Text.
	Header []gateway.Field
	// Body is a part of the payload or of Room.
	Body []byte
	// Text and Room are buffers for the header and the body.
	Text, Room []byte
}

// Bounds on the header of an answer. Names and values count as they stand.
const (
	maxAnswerFields = 1000
	maxAnswerHeader = 64 << 10
)

// The content types of answers that say none.
var (
	typeText = gateway.Field{Name: "Content-Type", Value: "text/plain; charset=utf-8"}
	typeJSON = gateway.Field{Name: "Content-Type", Value: "application/json"}
)

// What does not fit the format of an answer.
var (
	errNoObject   = errors.New("the answer is not a JSON object")
	errNoStatus   = errors.New("statusCode is missing")
	errStatus     = errors.New("statusCode is not a whole number from 200 to 599")
	errBody       = errors.New("body is not a string")
	errBase64     = errors.New("body is not base64, as isBase64Encoded says")
	errEncoded    = errors.New("isBase64Encoded is neither true nor false")
	errManyFields = errors.New("the header is too long")
	errNoPrelude  = errors.New("the streamed answer has no end of its head")
)

// The members of an answer that mean something, each with its text; nil if it is missing.
// Of a member that stands there twice, the last counts.
type answerMembers struct {
	status, headers, multiValueHeaders, cookies, body, encoded []byte
}

// take notes a member.
func (m *answerMembers) take(name, value []byte) error {
	if len(name) > 6*len("multiValueHeaders") {
		return nil // longer than any that means something
	}
	var room [6 * len("multiValueHeaders")]byte
	if bytes.IndexByte(name, '\\') >= 0 {
		name = appendText(room[:0], name)
	}
	switch string(name) {
	case "statusCode":
		m.status = value
	case "headers":
		m.headers = value
	case "multiValueHeaders":
		m.multiValueHeaders = value
	case "cookies":
		m.cookies = value
	case "body":
		m.body = value
	case "isBase64Encoded":
		m.encoded = value
	}
	return nil
}

// Read20 reads what a function returned in format 2.0: an object with a statusCode is a
// response, everything else the body of one, be it JSON or not. The error says what is
// wrong with a response.
func (a *Answer) Read20(payload []byte) error {
	a.reset()
	var m answerMembers
	s := scanner{b: payload}
	if s.space() == '"' && s.text() && s.end() {
		text, _ := quoted(bytes.Trim(payload, " \t\r\n"))
		a.infer(a.unescape(text))
		return nil
	}
	s.i = 0
	if err := s.object(m.take); err != nil || !s.end() || m.status == nil {
		a.infer(payload)
		return nil
	}
	m.multiValueHeaders = nil
	return a.structure(&m)
}

// Read10 reads what a function returned in format 1.0, which is an object with a
// statusCode. The error says what is wrong with it.
func (a *Answer) Read10(payload []byte) error {
	a.reset()
	var m answerMembers
	s := scanner{b: payload}
	if err := s.object(m.take); err != nil || !s.end() {
		return errNoObject
	}
	m.cookies = nil
	return a.structure(&m)
}

// preludeEnd stands between the two parts of a streamed answer. JSON text has no zero
// bytes, so that it ends where they first are.
var preludeEnd = make([]byte, 8)

// ReadStreamed reads what a function streamed: an object of statusCode, headers and
// cookies, 8 zero bytes, and the body as it is. The status is 200 if the object has none.
func (a *Answer) ReadStreamed(payload []byte) error {
	a.reset()
	prelude, body, ok := bytes.Cut(payload, preludeEnd)
	if !ok {
		return errNoPrelude
	}
	var m answerMembers
	s := scanner{b: prelude}
	if err := s.object(m.take); err != nil || !s.end() {
		return errNoObject
	}
	if m.status == nil {
		m.status = []byte("200")
	}
	m.multiValueHeaders, m.body, m.encoded = nil, nil, nil
	if err := a.structure(&m); err != nil {
		return err
	}
	a.Body = body
	return nil
}

func (a *Answer) reset() {
	*a = Answer{Header: a.Header[:0], Text: a.Text[:0], Room: a.Room[:0]}
}

// infer makes the response of a function that returned only a body.
func (a *Answer) infer(body []byte) {
	a.Status, a.Body = 200, body
	a.Header = append(a.Header, typeJSON)
}

// structure makes the response of an object.
func (a *Answer) structure(m *answerMembers) (err error) {
	if a.Status, err = a.status(m.status); err != nil {
		return err
	}
	if !missing(m.cookies) {
		if err := a.cookies(m.cookies); err != nil {
			return err
		}
	}
	if !missing(m.headers) {
		if err := a.headers(m.headers); err != nil {
			return err
		}
	}
	if !missing(m.multiValueHeaders) {
		if err := a.multiValueHeaders(m.multiValueHeaders); err != nil {
			return err
		}
	}
	if err := a.body(m); err != nil {
		return err
	}
	a.finish()
	return nil
}

// missing reports whether a member is not there, or null.
func missing(value []byte) bool { return value == nil || value[0] == 'n' }

// status reads a number of three digits, or a string of them. One below 200 is no answer
// to a client, which would wait for what comes behind it.
func (a *Answer) status(value []byte) (int, error) {
	if value == nil {
		return 0, errNoStatus
	}
	if text, ok := quoted(value); ok {
		var room [3 * len(`\u0030`)]byte
		if len(text) > len(room) {
			return 0, errStatus
		}
		value = appendText(room[:0], text)
	}
	n, ok := wholeNumber(value)
	if !ok || n < 200 || n > 599 {
		return 0, errStatus
	}
	return n, nil
}

// cookies adds a field for each cookie.
func (a *Answer) cookies(value []byte) error {
	s := scanner{b: value}
	return wrong("cookies", s.array(func(value []byte) error {
		text, ok := quoted(value)
		if !ok {
			return errors.New("not a string")
		}
		return a.add([]byte("Set-Cookie"), text)
	}))
}

// headers adds a field for each member, in the place of one of the same name.
func (a *Answer) headers(value []byte) error {
	first := len(a.Header)
	s := scanner{b: value}
	return wrong("headers", s.object(func(name, value []byte) error {
		if value[0] == 'n' {
			return nil
		}
		text, ok := quoted(value)
		if !ok {
			if text = value; !scalarText(value) {
				return errors.New("a value is neither a string nor a number nor true or false")
			}
		}
		if err := a.add(name, text); err != nil {
			return err
		}
		a.forget(first, len(a.Header)-1)
		return nil
	}))
}

// multiValueHeaders adds fields for the values of each member, in the place of those of
// another one of the same name.
func (a *Answer) multiValueHeaders(value []byte) error {
	first := len(a.Header)
	s := scanner{b: value}
	return wrong("multiValueHeaders", s.object(func(name, value []byte) error {
		if value[0] == 'n' {
			return nil
		}
		from := len(a.Header)
		s := scanner{b: value}
		err := s.array(func(value []byte) error {
			if value[0] == 'n' {
				return nil
			}
			text, ok := quoted(value)
			if !ok {
				if text = value; !scalarText(value) {
					return errors.New("a value is neither a string nor a number nor true or false")
				}
			}
			return a.add(name, text)
		})
		if err == nil && len(a.Header) > from {
			a.forget(first, from)
		}
		return err
	}))
}

// wrong says in which member of an answer something is wrong.
func wrong(member string, err error) error {
	switch {
	case err == nil:
		return nil
	case err == errJSON: // the whole was read before: it is of another kind
		return fmt.Errorf("%s is of the wrong kind", member)
	}
	return fmt.Errorf("%s: %w", member, err)
}

// forget takes out fields, from first up to until, that have the name of the one there.
func (a *Answer) forget(first, until int) {
	name := a.Header[until].Name
	same := func(f gateway.Field) bool { return gateway.EqualFold(f.Name, name) }
	if old := slices.IndexFunc(a.Header[first:until], same); old >= 0 {
		kept := slices.DeleteFunc(a.Header[first:until], same)
		a.Header = append(a.Header[:first+len(kept)], a.Header[until:]...)
	}
}

// add adds a field, given as name and value stand between quotes. The error says that it
// is none that can be sent.
func (a *Answer) add(name, value []byte) error {
	start := len(a.Text)
	a.Text = appendText(a.Text, name)
	// Something else than a name could look like a field of its own.
	if bytes.IndexByte(a.Text[start:], ':') >= 0 {
		return errors.New("a name is not one of a header")
	}
	if n := len(bytes.Trim(a.Text[start:], " \t")); n < len(a.Text)-start {
		n = copy(a.Text[start:], bytes.Trim(a.Text[start:], " \t"))
		a.Text = a.Text[:start+n]
	}
	a.Text = append(a.Text, ':')
	a.Text = appendText(a.Text, value)
	if len(a.Text) > maxAnswerHeader || len(a.Header) == maxAnswerFields {
		return errManyFields
	}
	f, err := gateway.ParseField(a.Text[start:])
	if err != nil {
		return err
	}
	a.Header = append(a.Header, f)
	return nil
}

// body sets the body.
func (a *Answer) body(m *answerMembers) error {
	encoded, err := a.encoded(m.encoded)
	if err != nil || missing(m.body) {
		return err
	}
	text, ok := quoted(m.body)
	if !ok {
		return errBody
	}
	a.Body = a.unescape(text)
	if !encoded {
		return nil
	}
	start := len(a.Room)
	a.Room, err = base64.StdEncoding.AppendDecode(a.Room, a.Body)
	if err != nil {
		return errBase64
	}
	a.Body = a.Room[start:]
	return nil
}

// encoded reads isBase64Encoded: true, false, or a string that says so.
func (a *Answer) encoded(value []byte) (bool, error) {
	if missing(value) {
		return false, nil
	}
	text, ok := quoted(value)
	if !ok {
		text = value
	}
	switch {
	case strings.EqualFold(string(text), "true"):
		return true, nil
	case strings.EqualFold(string(text), "false"):
		return false, nil
	}
	return false, errEncoded
}

// unescape returns what a string stands for: itself, or a part of Room.
func (a *Answer) unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	start := len(a.Room)
	a.Room = appendText(a.Room, text)
	return a.Room[start:]
}

// finish leaves out what only the gateway writes, and adds a content type if there is
// none. An answer without content has none.
func (a *Answer) finish() {
	typed, empty := false, a.Status == 204
	kept := a.Header[:0]
	for _, f := range a.Header {
		switch kind, alias := provenance.Of(f.Name); {
		case kind == provenance.Hop && !alias:
			continue
		case gateway.EqualFold(f.Name, "Content-Length"), gateway.EqualFold(f.Name, "Date"), gateway.EqualFold(f.Name, "apigw-requestid"):
			continue
		case gateway.EqualFold(f.Name, typeText.Name):
			if typed = true; empty {
				continue
			}
		}
		kept = append(kept, f)
	}
	if a.Header = kept; !typed && !empty && a.Status != 304 {
		a.Header = append(a.Header, typeText)
	}
}

// FunctionError reads what a function says that failed: the type of the error, and its
// message, each of at most max bytes.
func FunctionError(payload []byte, max int) (kind, message string) {
	s := scanner{b: payload}
	s.object(func(name, value []byte) error {
		text, ok := quoted(value)
		if !ok {
			return nil
		}
		switch string(name) {
		case "errorType":
			kind = shorten(text, max)
		case "errorMessage":
			message = shorten(text, max)
		}
		return nil
	})
	return kind, message
}

// shorten returns what a string stands for, of valid UTF-8, without control characters and
// cut off at max bytes.
func shorten(text []byte, max int) string {
	// No character takes more than twelve bytes for one.
	text = text[:min(len(text), 12*max)]
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, string(appendText(nil, text)))
	if len(s) > max {
		s = s[:max]
	}
	return strings.ToValidUTF8(s, "")
}
