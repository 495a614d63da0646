package remote

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"penstock/internal/integration"
)

// A call that nobody waits for says so in a header that is signed; its answer is the
// status.
func TestAsync(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, payload string
		async         bool
		answer        http.HandlerFunc
		want          integration.InvocationResult
		err           error
	}{
		{"taken", `{"n":1}`, true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, integration.InvocationResult{Status: 202}, nil},
		{"taken, no event", "", true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, integration.InvocationResult{Status: 202}, nil},
		{"throttled", "1", true, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 429, "TooManyRequestsException", "later") }, integration.InvocationResult{}, integration.ErrThrottled},
		{"denied", "1", true, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 403, "AccessDeniedException", "no") }, integration.InvocationResult{}, integration.ErrNotPermitted},
		{"too long", "1", true, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 413, "RequestTooLargeException", "no") }, integration.InvocationResult{}, integration.ErrPayloadTooLarge},
		{"waited for", "1", false, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "2") }, integration.InvocationResult{Status: 200, Payload: []byte("2")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.answer)
			got, err := mustNew(t, s, Config{}).Invoke(t.Context(), integration.Invocation{Function: testARN, Payload: []byte(tt.payload), Async: tt.async})
			if !errors.Is(err, tt.err) || got.Status != tt.want.Status || string(got.Payload) != string(tt.want.Payload) || got.FunctionError != "" {
				t.Errorf("got %+v, %v", got, err)
			}
			r, n := s.last()
			if n != 1 || r.body != tt.payload {
				t.Errorf("%d requests, %q", n, r.body)
			}
			signed := strings.Contains(r.header.Get("Authorization"), "x-amz-invocation-type")
			if event := r.header.Get("X-Amz-Invocation-Type") == "Event"; event != tt.async || signed != tt.async {
				t.Errorf("event: %t, signed: %t", event, signed)
			}
		})
	}
}
