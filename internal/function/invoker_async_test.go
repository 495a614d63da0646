package function

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"penstock/internal/integration"
	"penstock/internal/lambda"
)

// An event that nobody waits for is answered before the function ends, runs until it
// succeeds, and is not in the memory of the caller any more.
func TestInvokerAsync(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, function, payload string
		script                  string   // whose function it is
		outcomes                []string // of the tries: "" is success, "f" a failure, "t" a throttle
		want                    string   // payload
		seconds                 []int    // when the tries begin, of which each takes half a second
		arn                     string
	}{
		{"once", here + "pets:live", `{"n":1}`, "pets:1", []string{""}, `{"n":1}`, []int{0}, here + "pets:live"},
		{"no payload", here + "pets", "", "pets:$LATEST", []string{""}, "{}", []int{0}, here + "pets"},
		{"no ARN", "pets:live", "1", "pets:1", []string{""}, "1", []int{0}, here + "pets:live"},
		{"declared, from elsewhere", "arn:aws:lambda:eu-west-1:210987654321:function:slow", "1", "slow:$LATEST", []string{""}, "1", []int{0}, "arn:aws:lambda:eu-west-1:210987654321:function:slow"},
		{"after a failure and a throttle", here + "pets:live", "[1]", "pets:1", []string{"f", "t", ""}, "[1]", []int{0, 60, 62}, here + "pets:live"},
		{"in vain", here + "pets:live", "[1]", "pets:1", []string{"f", "f", "f"}, "[1]", []int{0, 60, 181}, here + "pets:live"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, logger := newLog()
				s := openStage(t, Options{Log: logger, Now: time.Now, Declared: map[string]Declared{"slow": {Code: t.TempDir(), Runtime: "nodejs22.x"}}})
				start := time.Now()
				var seconds []int
				pets := s.scripts[tt.script]
				pets.do = func(context.Context, lambda.Call) (lambda.Result, error) {
					seconds = append(seconds, int(time.Since(start).Seconds()))
					outcome := tt.outcomes[len(seconds)-1]
					time.Sleep(500 * time.Millisecond)
					switch outcome {
					case "f":
						return lambda.Result{Payload: []byte("{}"), FunctionError: "Unhandled"}, nil
					case "t":
						return lambda.Result{}, lambda.ErrThrottled
					}
					return lambda.Result{Payload: []byte("1")}, nil
				}
				payload := []byte(tt.payload)
				got, err := s.Invoke(t.Context(), integration.Invocation{Function: tt.function, Payload: payload, TraceID: "Root=1-2", Async: true})
				if err != nil || got.Status != 202 || len(got.Payload) != 0 || got.FunctionError != "" || len(got.RequestID) != 36 {
					t.Errorf("got %+v, %v", got, err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("answered after %v", took)
				}
				clear(payload)
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if len(seconds) != len(tt.seconds) {
					t.Fatalf("tried after %d, want %d", seconds, tt.seconds)
				}
				for i := range seconds {
					if seconds[i] != tt.seconds[i] {
						t.Errorf("tried after %d, want %d", seconds, tt.seconds)
					}
				}
				for _, call := range pets.calls {
					if string(call.Payload) != tt.want || call.RequestID != got.RequestID || call.TraceID != "Root=1-2" || call.InvokedARN != tt.arn {
						t.Errorf("called with %+v", call)
					}
				}
			})
		})
	}
}

// What may not be called, and what nobody could read, is refused at once and never runs.
func TestInvokerAsyncRefused(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/r"
	s := openStage(t, Options{Enforce: true, Roles: roles{role + " " + here + "pets": integration.ErrNotPermitted}})
	s.permitPets(t, "pets", "live")
	for _, tt := range []struct {
		name string
		call integration.Invocation
		want error  // nil for any
		text string // in the error
	}{
		{"no permission", integration.Invocation{Function: here + "pets", SourceARN: petRoute}, integration.ErrNotPermitted, "add-permission"},
		{"no source", integration.Invocation{Function: here + "pets:live"}, integration.ErrNotPermitted, "add-permission"},
		{"role that may not", integration.Invocation{Function: here + "pets", CredentialsARN: role}, integration.ErrNotPermitted, ""},
		{"unknown role", integration.Invocation{Function: here + "pets:live", CredentialsARN: role}, integration.ErrCredentials, ""},
		{"unknown function", integration.Invocation{Function: here + "cats", SourceARN: petRoute}, integration.ErrNoFunction, ""},
		{"other account", integration.Invocation{Function: "arn:aws:lambda:us-east-1:210987654321:function:pets:live", SourceARN: petRoute}, integration.ErrNoFunction, ""},
		{"no JSON", integration.Invocation{Function: here + "pets:live", SourceARN: petRoute, Payload: []byte("hello")}, nil, "InvalidRequestContentException"},
		{"too long", integration.Invocation{Function: here + "pets:live", SourceARN: petRoute, Payload: []byte(strings.Repeat(" ", maxEventPayload) + "1")}, integration.ErrPayloadTooLarge, ""},
	} {
		tt.call.Async = true
		got, err := s.Invoke(t.Context(), tt.call)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) || got.Status != 0 {
			t.Errorf("%s: got %+v, %v", tt.name, got, err)
		}
	}
	if err := s.Close(); err != nil { // waits for what runs
		t.Fatal(err)
	}
	for name, script := range s.scripts {
		if len(script.calls) != 0 {
			t.Errorf("%s was called: %+v", name, script.calls)
		}
	}
	if _, err := s.Invoke(t.Context(), integration.Invocation{Function: here + "pets:live", SourceARN: petRoute, Async: true}); err == nil {
		t.Error("taken after the end")
	}
}

// A queue that is full is a throttle.
func TestInvokerAsyncThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, logger := newLog()
		s := openStage(t, Options{Log: logger, Now: time.Now})
		s.scripts["pets:1"].do = func(ctx context.Context, _ lambda.Call) (lambda.Result, error) {
			<-ctx.Done()
			return lambda.Result{}, ctx.Err()
		}
		call := integration.Invocation{Function: here + "pets:live", Payload: []byte("1"), Async: true}
		for i := range maxEvents {
			if _, err := s.Invoke(t.Context(), call); err != nil {
				t.Fatal(i, err)
			}
		}
		if _, err := s.Invoke(t.Context(), call); !errors.Is(err, integration.ErrThrottled) {
			t.Errorf("one more: %v", err)
		}
	})
}
