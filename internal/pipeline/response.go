package pipeline

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"penstock/internal/gateway"
	"penstock/internal/selection"
)

// Responses are the responses of a custom integration. They never change.
type responses struct {
	byKey *selection.Responses[*response]
	// bad is why keys cannot be read. They select nothing, and what nothing else selects may
	// have been meant for them: then there is no default.
	bad error
}

// A response is one of them.
type response struct {
	templates
	handling string
	// subprotocol is where that of $connect comes from; nil for nowhere.
	subprotocol *selection.Expression
	bad         error // why there is none
}

func compileResponses(specs []ResponseSpec) (r responses) {
	good := make(map[string]*response, len(specs))
	var bad []error
	for i := range specs {
		s := &specs[i]
		compiled := &response{templates: compileTemplates(s.Templates, s.TemplateSelectionExpression), handling: s.ContentHandling}
		compiled.compileParameters(s.Parameters)
		if _, err := selection.CompileResponses(map[string]*response{s.Key: compiled}); err != nil {
			bad = append(bad, err)
			continue
		}
		good[s.Key] = compiled
	}
	if bad != nil {
		delete(good, defaultKey)
	}
	var err error
	if r.byKey, err = selection.CompileResponses(good); err != nil {
		r.byKey, bad = &selection.Responses[*response]{}, append(bad, err)
	}
	r.bad = errors.Join(bad...)
	return r
}

// compileParameters takes the one response parameter that counts: nothing of a frame is a
// header, and only $connect has a header to answer with.
//
//	( "method" | "route" ) ".response.header.Sec-WebSocket-Protocol"
//
// Its value is a text in quotes, or
//
//	"integration.response." ( "header." name | "multivalueheader." name | "body" [ path ] | "statuscode" )
//	| "context." variable | "stageVariables." name
func (r *response) compileParameters(parameters map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[key]
		name, ok := strings.CutPrefix(key, "method.response.header.")
		if !ok {
			if name, ok = strings.CutPrefix(key, "route.response.header."); !ok {
				continue
			}
		}
		if !gateway.EqualFold(name, fieldSubprotocol) {
			continue
		}
		expression := "${" + value + "}"
		if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
			expression = strings.ReplaceAll(value[1:len(value)-1], "$", `\$`)
		} else if name, ok := strings.CutPrefix(value, "integration.response.multivalueheader."); ok {
			expression = "${integration.response.header." + name + "}"
		} else if !strings.HasPrefix(value, "integration.response.") && !strings.HasPrefix(value, "context.") && !strings.HasPrefix(value, "stageVariables.") {
			r.bad = ErrConfiguration.With(fmt.Errorf("response parameter %.200q: %.200q selects nothing", key, value))
			return
		}
		var err error
		if r.subprotocol, err = selection.Parse(expression); err != nil {
			r.bad = ErrConfiguration.With(fmt.Errorf("response parameter %.200q: %w", key, err))
		}
	}
}

// apply makes the result of the answer of a call.
func (r *responses) apply(c *call) (Result, error) {
	a := &c.answer
	var room [8]byte
	selector := a.selector
	if !a.named {
		selector = string(strconv.AppendInt(room[:0], int64(a.status), 10))
	}
	chosen, ok := r.byKey.Select(selector)
	if !ok {
		err := fmt.Errorf("there is no integration response for %.100q", selector)
		return Result{}, ErrConfiguration.With(errors.Join(err, r.bad))
	}
	c.response.Status, c.response.Body = a.status, selection.Message{Text: a.body}
	c.values.Response = &c.response
	result := Result{Status: a.status}
	var err error
	if result.Text, err = chosen.text(c); err != nil {
		return Result{}, err
	}
	c.logResult(result.Text)
	if c.e.Kind != Connect {
		return result, nil
	}
	o := c.overrides.Response()
	if o.Status >= 200 {
		result.Status = o.Status
	}
	result.Subprotocol, err = chosen.subprotocolOf(c)
	for _, h := range o.Header {
		if gateway.EqualFold(h.Name, fieldSubprotocol) && len(h.Values) > 0 && err == nil {
			result.Subprotocol, err = c.subprotocol(h.Values[0])
		}
	}
	return result, err
}

// text returns what the client of the call gets. What is too long to be sent without a
// template is left as it is.
func (r *response) text(c *call) ([]byte, error) {
	body := c.answer.body
	var t *template
	if len(r.byKey) > 0 {
		var err error
		if t, err = r.choose(c); err != nil {
			return nil, err
		}
	}
	if r.handling == toText && (t != nil || len(body) <= maxText) {
		body = base64.StdEncoding.AppendEncode(nil, body)
	}
	if t != nil {
		var err error
		if body, err = t.render(c, body, maxText); err != nil {
			return nil, err
		}
	}
	if r.handling == toBinary {
		b, err := decodeBase64(body)
		if err == nil && !utf8.Valid(b) {
			err = errUTF8
		}
		if err != nil {
			return nil, ErrInternal.With(err)
		}
		return b, nil
	}
	return validText(body), nil
}

// subprotocolOf returns the subprotocol that a response names.
func (r *response) subprotocolOf(c *call) (string, error) {
	if r.bad != nil || r.subprotocol == nil {
		return "", r.bad
	}
	b, err := r.subprotocol.Append(nil, &c.values)
	if err != nil {
		return "", ErrConfiguration.With(fmt.Errorf("response parameter %s: %w", fieldSubprotocol, err))
	}
	return c.subprotocol(string(b))
}

var errSubprotocol = errors.New("the subprotocol is not one")

// subprotocol returns a subprotocol as it can stand in the answer to a handshake.
func (c *call) subprotocol(value string) (string, error) {
	value = strings.Trim(value, " \t")
	if slices.ContainsFunc([]byte(value), func(b byte) bool { return b <= ' ' || b >= 0x7f }) {
		return "", ErrInternal.With(errSubprotocol)
	}
	return value, nil
}
