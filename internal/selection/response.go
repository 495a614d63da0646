package selection

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"penstock/internal/jsonpath"
)

// Responses are the responses of an integration by their keys. They never change.
type Responses[T any] struct {
	patterns []responsePattern[T] // in the order of their keys
	byKey    map[string]T
}

type responsePattern[T any] struct {
	pattern  interface{ MatchString(string) bool }
	response T
}

// CompileResponses compiles responses by their keys. A key is "$default", a text, or a
// regular expression of Java between slashes: /2\d\d/. As in filters of package jsonpath,
// what cannot be matched in linear time is an error: looking around and references back.
func CompileResponses[T any](responses map[string]T) (*Responses[T], error) {
	r := &Responses[T]{byKey: make(map[string]T)}
	for _, key := range slices.Sorted(maps.Keys(responses)) {
		expression, ok := regularExpression(key)
		if !ok {
			r.byKey[key] = responses[key]
			continue
		}
		p, err := jsonpath.CompilePattern(expression)
		if err != nil {
			return nil, fmt.Errorf("response key %.200q: %w", key, err)
		}
		r.patterns = append(r.patterns, responsePattern[T]{p, responses[key]})
	}
	return r, nil
}

// regularExpression returns what stands between the slashes of a key that has them.
func regularExpression(key string) (string, bool) {
	rest, ok := strings.CutPrefix(key, "/")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, "/")
}

// Select returns the response for a text: the first in the order of keys whose regular
// expression matches the whole text, otherwise the one whose key is the text, otherwise
// $default. It may find none. Which of several regular expressions counts is undefined at
// the service, and always the same here.
func (r *Responses[T]) Select(text string) (response T, found bool) {
	for i := range r.patterns {
		if p := &r.patterns[i]; p.pattern.MatchString(text) {
			return p.response, true
		}
	}
	if response, found = r.byKey[text]; found {
		return response, true
	}
	response, found = r.byKey[defaultKey]
	return response, found
}
