// Package validation checks request bodies against the models of a route, before an
// integration sees them. The real service does so for REST APIs; for HTTP APIs it is an
// extension.
//
//	v, err := validation.New(map[string]string{"application/json": text}, find, 0)
//	route.Validator = v
//
// A route has a model for each media type that it takes, and may have one, $default, for
// all others. A request of a media type without a model is refused: what is not checked
// must not look as if it had been.
//
// Every body is checked as JSON, whatever its media type. The bytes that were checked
// are the bytes that the backend gets.
package validation

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"penstock/internal/gateway"
	"penstock/internal/schema"
)

// DefaultLimit is how long a body that is checked may be if nothing else is said, in
// bytes.
const DefaultLimit = 1 << 20

// Default is the key of the model for media types that have none of their own.
const Default = "$default"

// A Validator checks bodies. It never changes and may be shared.
type Validator struct {
	models   []model
	fallback *schema.Schema // nil without $default
	limit    int64
}

var _ gateway.Validator = (*Validator)(nil)

// A model is the schema for bodies of a media type.
type model struct {
	mediaType string
	schema    *schema.Schema
}

// New returns a Validator. The models are texts of schemas by media type, or by
// $default; find returns the text of another model of the API by its name. A limit of 0
// means DefaultLimit.
func New(models map[string]string, find func(name string) (text string, ok bool), limit int) (*Validator, error) {
	if limit == 0 {
		limit = DefaultLimit
	}
	switch {
	case limit < 0 || limit > schema.MaxBody:
		return nil, fmt.Errorf("the limit must be between 1 and %d bytes", schema.MaxBody)
	case len(models) == 0:
		return nil, errors.New("there are no models")
	}
	v := &Validator{limit: int64(limit)}
	for _, key := range slices.Sorted(maps.Keys(models)) {
		s, err := schema.Compile(models[key], find)
		switch {
		case err != nil:
			return nil, fmt.Errorf("model for %s: %w", key, err)
		case key == Default:
			v.fallback = s
		case v.find(key) != nil:
			return nil, fmt.Errorf("two models for %s", key)
		default:
			v.models = append(v.models, model{key, s})
		}
	}
	return v, nil
}

// find returns the schema that a media type has of its own.
func (v *Validator) find(mediaType string) *schema.Schema {
	for i := range v.models {
		if gateway.EqualFold(v.models[i].mediaType, mediaType) {
			return v.models[i].schema
		}
	}
	return nil
}

// inTurn is how long a body must be to wait for its turn, in bytes.
const inTurn = 64 << 10

// turns are taken by long bodies while they are checked: as many as can be at one time,
// so that the memory that reading them takes is bounded.
var turns = make(chan struct{}, runtime.GOMAXPROCS(0))

// Validate implements gateway.Validator.
func (v *Validator) Validate(x *gateway.Exchange) error {
	s, err := v.schema(&x.Request)
	if err != nil {
		return gateway.UnsupportedMediaType(err)
	}
	body, err := x.WholeBody(v.limit)
	switch {
	case err != nil:
		return err
	case len(body) == 0:
		return gateway.InvalidBody(errEmpty)
	case len(body) > inTurn:
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-x.Context().Done():
			return gateway.InvalidBody(errGone)
		}
	}
	if err := s.Validate(body); err != nil {
		return gateway.InvalidBody(err)
	}
	return nil
}

var (
	errEmpty    = errors.New("the body is empty")
	errGone     = errors.New("the client left before the body was checked")
	errType     = errors.New("the route has no model for the media type")
	errTypes    = errors.New("there are several Content-Type fields")
	errCharset  = errors.New("the charset is not UTF-8")
	errEncoding = errors.New("the body has a content encoding")
)

// schema returns what the body of a request is checked against. A request without a
// media type counts as application/json, as it does on REST APIs.
func (v *Validator) schema(r *gateway.Request) (*schema.Schema, error) {
	value, found := "application/json", false
	for i := range r.Header {
		f := &r.Header[i]
		switch {
		case gateway.EqualFold(f.Name, "Content-Encoding") && !gateway.EqualFold(strings.Trim(f.Value, " \t"), "identity"):
			return nil, errEncoding
		case !gateway.EqualFold(f.Name, "Content-Type"):
			continue
		case found:
			return nil, errTypes
		}
		value, found = f.Value, true
	}
	mediaType, parameters, _ := strings.Cut(value, ";")
	if !utf8Charset(parameters) {
		return nil, errCharset
	}
	s := v.find(strings.Trim(mediaType, " \t"))
	if s == nil {
		s = v.fallback
	}
	if s == nil {
		return nil, errType
	}
	return s, nil
}

// utf8Charset reports whether the parameters of a media type name no charset but UTF-8:
// a backend that reads the same bytes in another one would see another value. What looks
// like a charset inside the value of another parameter counts as one.
func utf8Charset(parameters string) bool {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(p, "=")
		if gateway.EqualFold(strings.Trim(name, " \t"), "charset") && !gateway.EqualFold(strings.Trim(value, " \t\"'"), "utf-8") {
			return false
		}
	}
	return true
}
