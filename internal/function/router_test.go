package function

import (
	"context"
	"errors"
	"strings"
	"testing"

	"penstock/internal/integration"
)

// named is an Invoker that answers with its name.
type named string

func (n named) Invoke(_ context.Context, call integration.Invocation) (integration.InvocationResult, error) {
	return integration.InvocationResult{Payload: []byte(n), RequestID: call.Function}, nil
}

func TestRouter(t *testing.T) {
	t.Parallel()
	r, err := NewRouter([]Route{
		{here + "pets:beta", named("beta")},
		{here + "pets", named("pets")},
		{"arn:aws:lambda:eu-*:*:function:*", named("europe")},
		{"arn:aws:lambda:*:*:function:*:live", named("live")},
		{here + "cat?", named("cats")},
	}, named("otherwise"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ function, want string }{
		{here + "pets", "pets"},
		{here + "pets:live", "pets"},
		{here + "pets:beta", "beta"},
		{here + "pets2", "otherwise"},
		{here + "PETS", "otherwise"},
		{"arn:aws:lambda:us-east-1:210987654321:function:pets", "otherwise"},
		{"arn:aws:lambda:eu-west-1:123456789012:function:pets", "europe"},
		{"arn:aws:lambda:eu-west-1:123456789012:function:pets:live", "europe"},
		{here + "dogs:live", "live"},
		{here + "dogs:alive", "otherwise"},
		{here + "dogs", "otherwise"},
		{here + "cats", "cats"},
		{here + "cats:1", "cats"},
		{here + "cat", "otherwise"},
		{"pets", "otherwise"},
		{"", "otherwise"},
	} {
		got, err := r.Invoke(t.Context(), integration.Invocation{Function: tt.function})
		if err != nil || string(got.Payload) != tt.want || got.RequestID != tt.function {
			t.Errorf("%s: got %q for %q, %v", tt.function, got.Payload, got.RequestID, err)
		}
	}
}

func TestRouterNoOther(t *testing.T) {
	t.Parallel()
	r, err := NewRouter([]Route{{"*", named("all")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Invoke(t.Context(), integration.Invocation{Function: "pets"}); err != nil || string(got.Payload) != "all" {
		t.Errorf("got %q, %v", got.Payload, err)
	}
	r, err = NewRouter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invoke(t.Context(), integration.Invocation{Function: here + "pets"}); !errors.Is(err, integration.ErrNoFunction) || !strings.Contains(err.Error(), here+"pets") {
		t.Errorf("got %v", err)
	}
}

func TestRouterMatch(t *testing.T) {
	t.Parallel()
	for _, match := range []string{"", "pets", "arn:aws:lambda:us-east-1:123456789012:function", "arn:aws:lambda", "lambda:*", "s3*"} {
		if _, err := NewRouter([]Route{{"*", named("")}, {match, named("")}}, nil); err == nil || !strings.Contains(err.Error(), "route 2") {
			t.Errorf("%q: got %v", match, err)
		}
	}
	for _, match := range []string{"*", "arn:*", here + "pets", here + "pets:live", here + "${x}*"} {
		if _, err := NewRouter([]Route{{match, named("")}}, nil); err != nil {
			t.Errorf("%q: %v", match, err)
		}
	}
	if _, err := NewRouter([]Route{{"*", nil}}, nil); err == nil {
		t.Error("a route to nobody")
	}
}

func BenchmarkRouter(b *testing.B) {
	r, err := NewRouter([]Route{{here + "a", named("")}, {"arn:aws:lambda:eu-*:*:function:*", named("")}, {here + "pets-*", named("")}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.find(here + "pets-live:1")
	}
}
