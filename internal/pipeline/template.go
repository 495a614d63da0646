package pipeline

import (
	"errors"
	"fmt"
	"strings"

	"penstock/internal/selection"
	"penstock/vtl"
)

// Templates are mapping templates by their keys. They never change.
type templates struct {
	byKey map[string]*template
	// expression makes the key; nil if there is none, or it is always the same: then usual
	// is the template.
	expression *selection.Expression
	err        error // of the expression
	usual      *template
}

const (
	defaultKey = "$default"
	jsonKey    = "application/json"
)

// A template is one that is compiled; err is why it is not one.
type template struct {
	t   *vtl.Template
	err error
	// context and params say that the text may ask for $context and for $input.params().
	context, params bool
	// constant: the text is always the same. Then status is that of a mock with it, if any.
	constant bool
	text     []byte
	status   int
}

func compileTemplates(texts map[string]string, expression string) templates {
	t := templates{byKey: make(map[string]*template, len(texts))}
	for key, text := range texts {
		t.byKey[key] = compileTemplate(text)
	}
	if expression == "" {
		if t.usual = t.byKey[defaultKey]; t.usual == nil {
			t.usual = t.byKey[jsonKey]
		}
		return t
	}
	e, err := selection.Parse(expression)
	if err != nil {
		t.err = ErrConfiguration.With(err)
		return t
	}
	if key, ok := e.Static(); ok {
		t.usual = t.byKeyOrDefault(key)
		return t
	}
	t.expression = e
	return t
}

func compileTemplate(text string) *template {
	t := &template{}
	if t.t, t.err = vtl.Parse(text); t.err != nil {
		t.err = ErrConfiguration.With(fmt.Errorf("template: %w", t.err))
		return t
	}
	// Names stand in templates as they are: nothing in the language puts one together.
	t.context, t.params = strings.Contains(text, "context"), strings.Contains(text, "params")
	if !strings.ContainsAny(text, "$#") {
		t.constant, t.text = true, []byte(text)
		t.status = mockStatus(t.text)
	}
	return t
}

func (t *templates) byKeyOrDefault(key string) *template {
	if found := t.byKey[key]; found != nil {
		return found
	}
	return t.byKey[defaultKey]
}

// choose returns the template for a call, nil if there is none. A key that needs a message
// of JSON, where there is none, is no key of any template but the default.
func (t *templates) choose(c *call) (*template, error) {
	if t.err != nil {
		return nil, t.err
	}
	if t.expression == nil {
		return t.usual, nil
	}
	var room [128]byte
	key, err := t.expression.Append(room[:0], &c.values)
	switch {
	case errors.Is(err, selection.ErrNotJSON):
		return t.byKey[defaultKey], nil
	case err != nil:
		return nil, ErrConfiguration.With(fmt.Errorf("template selection expression: %w", err))
	}
	if found := t.byKey[string(key)]; found != nil {
		return found, nil
	}
	return t.byKey[defaultKey], nil
}

// render returns what the template makes of a body, at most max bytes. The overrides of the
// call are what templates have left of them.
func (t *template) render(c *call, body []byte, max int) ([]byte, error) {
	if t.err != nil {
		return nil, t.err
	}
	if t.constant {
		return t.text, nil
	}
	d := vtl.Data{Body: body, StageVariables: c.e.Socket.StageVariables, Overrides: c.overrides, Limits: vtl.Limits{Output: max}}
	if t.context {
		d.Context = c.scope.context(c.e)
	}
	if t.params && c.e.Kind == Connect {
		d.Params = c.scope.parameters(c.e.Exchange)
	}
	result, err := t.t.Append(c, c.room(), d)
	if err != nil {
		return nil, failed(fmt.Errorf("template: %w", err), ErrConfiguration)
	}
	c.overrides = result.Overrides
	return c.keep(result.Text), nil
}
