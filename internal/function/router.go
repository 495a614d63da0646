package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"penstock/internal/integration"
	"penstock/internal/policy"
)

// A Route sends the calls of some functions to an Invoker.
type Route struct {
	// Match is the ARN of a function, in which * stands for any text and ? for any
	// character. It matches the ARN with the qualifier that is called as well as the ARN
	// without: arn:…:function:pets takes pets:live too, and arn:…:function:*:live takes
	// the alias live of all functions and nothing else.
	Match   string
	Invoker integration.Invoker
}

// A Router calls each function by the first of its routes that matches. It is an
// integration.Invoker.
type Router struct {
	routes    []compiledRoute
	otherwise integration.Invoker
}

type compiledRoute struct {
	// exact is the whole of Match if nothing in it stands for other text; matches is
	// then nil.
	exact   string
	matches *policy.Document
	invoker integration.Invoker
}

// NewRouter returns a router. Functions that no route takes are called by otherwise;
// without it there are none.
func NewRouter(routes []Route, otherwise integration.Invoker) (*Router, error) {
	r := &Router{otherwise: otherwise}
	for i, route := range routes {
		if route.Invoker == nil {
			return nil, fmt.Errorf("route %d, %q: has no invoker", i+1, route.Match)
		}
		c := compiledRoute{exact: route.Match, invoker: route.Invoker}
		m, err := compileMatch(route.Match)
		if err != nil {
			return nil, fmt.Errorf("route %d: %w", i+1, err)
		}
		if strings.ContainsAny(route.Match, "*?") {
			c.matches = m
		}
		r.routes = append(r.routes, c)
	}
	return r, nil
}

// compileMatch refuses what could match no ARN of a function. The older version of the
// language has no variables.
func compileMatch(match string) (*policy.Document, error) {
	text, err := json.Marshal(map[string]any{
		"Version":   "2008-10-17",
		"Statement": map[string]string{"Effect": "Allow", "Action": "*", "Resource": match},
	})
	if err != nil {
		return nil, fmt.Errorf("match %q: %w", match, err)
	}
	d, err := policy.Parse(string(text), nil)
	if err == nil && !strings.ContainsAny(match, "*?") && strings.Count(match, ":") < 6 {
		err = errors.New("it has no name of a function")
	}
	if err != nil {
		return nil, fmt.Errorf("match %q must be the ARN of a function, like arn:aws:lambda:*:*:function:pets-*, or *: %w", match, err)
	}
	return d, nil
}

// Invoke implements integration.Invoker.
func (r *Router) Invoke(ctx context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	to := r.find(call.Function)
	if to == nil {
		return integration.InvocationResult{}, fmt.Errorf("%w: %s", integration.ErrNoFunction, call.Function)
	}
	return to.Invoke(ctx, call)
}

func (r *Router) find(arn string) integration.Invoker {
	without := unqualified(arn)
	for i := range r.routes {
		if c := &r.routes[i]; c.takes(arn) || len(without) < len(arn) && c.takes(without) {
			return c.invoker
		}
	}
	return r.otherwise
}

func (c *compiledRoute) takes(arn string) bool {
	if c.matches == nil {
		return arn == c.exact
	}
	return c.matches.Evaluate(policy.Request{Action: loweredInvoke, Resource: arn, Values: noValues}) == policy.Allowed
}

func noValues(string) []string { return nil }

// unqualified returns the ARN of a function without the qualifier.
func unqualified(arn string) string {
	colons := 0
	for i := range len(arn) {
		if arn[i] == ':' {
			if colons++; colons == 7 {
				return arn[:i]
			}
		}
	}
	return arn
}
