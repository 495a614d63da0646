package control

import (
	"net/http"
	"net/url"
	"reflect"
	"time"

	"penstock/internal/model"
)

// A call is one request for one operation.
type call struct {
	*Server

	request   *http.Request
	op        *model.Operation
	labels    map[string]string // of the path, unescaped
	query     url.Values
	body      []byte
	principal Principal
	input     any // a pointer to the Go type of op.Input; nil before decode

	about string // what resource returns, once it was asked

	discovered map[string]error // what issuers were asked for in this call, and what came of it
}

// A handler answers an operation. The status comes from the operation.
type handler func(c *call) (any, error)

// decode reads the input of the call.
func (c *call) decode() error {
	if c.input != nil {
		return nil
	}
	input, err := c.op.Decode(c.body, c.labels, c.query)
	if err != nil {
		return refusal(err)
	}
	c.input = input
	return nil
}

// sent reports whether the input has a member and it is not empty.
func (c *call) sent(name string) bool {
	v := reflect.ValueOf(c.input).Elem()
	for i := range c.op.Input.Members {
		if c.op.Input.Members[i].Name == name {
			v = v.Field(i)
			for v.Kind() == reflect.Pointer && !v.IsNil() {
				v = v.Elem()
			}
			return !v.IsZero() && (v.Kind() != reflect.Slice && v.Kind() != reflect.Map || v.Len() > 0)
		}
	}
	return false
}

// now returns the time as it is shown: UTC, in whole seconds.
func (s *Server) now() *time.Time { return new(s.Now().UTC().Truncate(time.Second)) }

// val returns what p points to, or the zero value.
func val[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
