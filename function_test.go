package penstock

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
)

// A function is found by what is most like the ARN that it is called by.
func TestFindFunction(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:"
	named := func(name string) Function {
		return func(context.Context, []byte) ([]byte, error) { return []byte(name), nil }
	}
	f := functions{}
	for _, key := range []string{"short", "both", arn + "both", arn + "full", arn + "full:live", "odd:name"} {
		f[key] = named(key)
	}
	for _, tt := range []struct{ call, want string }{
		{arn + "short", "short"},
		{arn + "short:7", "short"},
		{"arn:aws:lambda:eu-north-1:000000000000:function:short", "short"},
		{arn + "both", arn + "both"},
		{arn + "both:live", arn + "both"},
		{"arn:aws:lambda:eu-north-1:000000000000:function:both", "both"},
		{arn + "full:live", arn + "full:live"},
		{arn + "full:test", arn + "full"},
		{arn + "full", arn + "full"},
		{"short", "short"},
		{"odd:name", "odd:name"},
		{"arn:aws:lambda:eu-north-1:000000000000:function:full", ""},
		{arn + "Short", ""},
		{arn, ""},
		{"", ""},
		{"::::::::", ""},
	} {
		result, err := f.Invoke(t.Context(), integration.Invocation{Function: tt.call})
		if (tt.want == "") != errors.Is(err, integration.ErrNoFunction) || err == nil && string(result.Payload) != tt.want {
			t.Errorf("%s: got %s (%v), want %s", tt.call, result.Payload, err, tt.want)
		}
	}
}

// However a function ends, its caller gets an answer.
func TestFunctionFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		function Function
		want     string // in the payload of the failure
	}{
		{"an error", func(context.Context, []byte) ([]byte, error) {
			return []byte("ignored"), errors.New(`a "quoted" reason`)
		}, `{"errorMessage":"a \"quoted\" reason","errorType":"Error"}`},
		{"a panic", func(context.Context, []byte) ([]byte, error) { panic("lost") }, `{"errorMessage":"panic: lost","errorType":"Error"}`},
		{"a panic with an error", func(_ context.Context, event []byte) ([]byte, error) { return event[:cap(event)+1], nil }, `{"errorMessage":"panic: runtime error: slice bounds`},
		{"the end of the goroutine", func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil }, `{"errorMessage":"the function ended without an answer","errorType":"Error"}`},
	} {
		f := functions{"f": tt.function}
		result, err := f.Invoke(t.Context(), integration.Invocation{Function: "f", Payload: []byte("{}")})
		if err != nil || result.FunctionError != "Unhandled" || !strings.HasPrefix(string(result.Payload), tt.want) {
			t.Errorf("%s: got %+v %s (%v), want %s", tt.name, result, result.Payload, err, tt.want)
		}
	}
}

// Nobody waits for a function for longer than its context lasts, whatever the function
// makes of it; what it answers later is dropped.
func TestFunctionIgnoresContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan bool, 1)
		f := functions{"f": func(context.Context, []byte) ([]byte, error) {
			time.Sleep(time.Hour)
			ended <- true
			return []byte("late"), nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		result, err := f.Invoke(ctx, integration.Invocation{Function: "f"})
		if !errors.Is(err, context.DeadlineExceeded) || result.Payload != nil || time.Since(begin) != 10*time.Second {
			t.Errorf("after %v: %+v, %v", time.Since(begin), result, err)
		}
		<-ended // and nothing is left: otherwise the bubble would say so
	})
}
