package remote

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"penstock/internal/integration"
)

// A failure to find credentials is remembered for a while, and the end of a context is
// none.
func TestFailureRemembered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tried := 0
		var answer error
		f := &found{of: aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			tried++
			if ctx.Err() != nil {
				return aws.Credentials{}, ctx.Err()
			}
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLE"}, answer
		})}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		cause := errors.New("no role")
		for _, step := range []struct {
			name   string
			ctx    context.Context
			after  time.Duration
			answer error
			want   error
			tried  int
		}{
			{"found", t.Context(), 0, nil, nil, 1},
			{"context ended", ended, 0, nil, context.Canceled, 2},
			{"found again", t.Context(), 0, nil, nil, 3},
			{"failed", t.Context(), 0, cause, cause, 4},
			{"remembered", t.Context(), failureTime - 1, nil, integration.ErrCredentials, 4},
			{"tried again", t.Context(), 1, nil, nil, 5},
		} {
			time.Sleep(step.after)
			answer = step.answer
			if _, err := f.Retrieve(step.ctx); !errors.Is(err, step.want) || tried != step.tried {
				t.Errorf("%s: got %v after %d tries, want %v after %d", step.name, err, tried, step.want, step.tried)
			}
			if step.want == context.Canceled && f.err != nil {
				t.Errorf("%s: remembered %v", step.name, f.err)
			}
		}
	})
}
